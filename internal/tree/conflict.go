package tree

import (
	"fmt"
	"slices"
	"strings"
)

// Two values conflict if a request could get either and no rule of precedence says which. There are two ways:
//
//   - The patterns have the same shape, and the values the same method: they match exactly the same requests.
//   - At the same place, after the same beginning, one pattern has a re or registered converter and the other has
//     another one of the same rank, and there is a request method that both could serve. Whether two expressions
//     accept a common text is not decided; a Rank settles it for registered converters.
//
// Everything else is settled: two patterns that part at a place have choices of different precedence there, or static
// texts that no segment can equal both.

// ConflictError is returned by Add for a value that would compete with one added before.
type ConflictError[V any] struct {
	Other  V      // the value added before
	Reason string // which patterns compete, for which requests, and what to do
}

// Error returns the reason.
func (e *ConflictError[V]) Error() string { return e.Reason }

// conflict returns the index of a value that a new one would compete with, and the reason, or -1.
func (t *Tree[V]) conflict(id methodID, method string, p *Pattern) (int32, string) {
	at := uint32(0)
	for i, s := range p.segments {
		n := &t.nodes[at]
		var child uint32
		switch {
		case s.matcher == nil:
			child = t.find(n, keyOf(s.static), s.static)
		case s.matcher.kind == kindInt:
			child = n.number
		case s.matcher.kind == kindStr:
			child = n.str
		case n.rare == 0:
		case s.matcher.kind == kindPath:
			return t.taken(t.rare[n.rare-1].path, id, method, p)
		default:
			for _, e := range t.rare[n.rare-1].edges {
				switch {
				case e.matcher.same(s.matcher):
					child = e.child
				case e.matcher.kind == kindCustom && s.matcher.kind == kindCustom && e.matcher.rank == s.matcher.rank:
					for _, u := range e.users {
						if meet(u.method, id) {
							return u.value, t.ambiguous(u.value, method, p, i, e.matcher, s.matcher)
						}
					}
				}
			}
		}
		if child == 0 {
			return -1, ""
		}
		at = child
	}
	switch n := &t.nodes[at]; {
	case p.rest && n.rare != 0:
		return t.taken(t.rare[n.rare-1].rest, id, method, p)
	case p.rest:
		return -1, ""
	case p.slash:
		return t.taken(n.slash, id, method, p)
	default:
		return t.taken(n.leaf, id, method, p)
	}
}

// taken is conflict at the leaf where a pattern leads.
func (t *Tree[V]) taken(l leaf, id methodID, method string, p *Pattern) (int32, string) {
	for _, e := range t.of(l) {
		if e.method != id {
			continue
		}
		reason := fmt.Sprintf("%s and %s match the same requests", title(method, p), title(t.methods[e.value], t.patterns[e.value]))
		if path, ok := p.example(); ok {
			reason += ", such as " + request(method, path)
		}
		return e.value, reason + "; remove one, or change its method or path"
	}
	return -1, ""
}

// ambiguous explains that two converters of the same rank stand at segment i.
func (t *Tree[V]) ambiguous(other int32, method string, p *Pattern, i int, theirs, ours *matcher) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s and %s are equally specific: in segment %d, %s and %s have the same rank (%d)",
		title(method, p), title(t.methods[other], t.patterns[other]), i+1, ours, theirs, ours.rank)
	if text, ok := commonText(ours, theirs); ok {
		path, found := p.exampleWith(i, text)
		if q := t.patterns[other]; found && q.matches(path) {
			fmt.Fprintf(&out, ", and %s fits both", request(shared(method, t.methods[other]), path))
		} else {
			fmt.Fprintf(&out, ", and both accept %q", text)
		}
	} else {
		out.WriteString(", and whether a segment fits both cannot be decided")
	}
	out.WriteString("; use one converter in both, or register converters with different ranks")
	return out.String()
}

// commonText returns a text that two converters accept, if one can be thought of.
func commonText(a, b *matcher) (string, bool) {
	for _, text := range slices.Concat(a.samples(), b.samples()) {
		if usable(text) && a.accepts(text) && b.accepts(text) {
			return text, true
		}
	}
	return "", false
}

// matches reports whether a single pattern matches a path.
func (p *Pattern) matches(path string) bool {
	t := New[struct{}]()
	t.insert(methodAny, p, 0)
	return t.match(methodOther, path, new(Params)) == 0
}

// title names a registration.
func title(method string, p *Pattern) string {
	if method == "" {
		method = "(any method)"
	}
	return method + " " + p.describe()
}

// request names an example of a request for a method, "" being any.
func request(method, path string) string {
	if method == "" {
		method = "GET"
	}
	return method + " " + path
}

// shared returns a request's method that values of both methods could serve.
func shared(a, b string) string {
	if a == "" || b == "HEAD" {
		return b
	}
	return a
}
