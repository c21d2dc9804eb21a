package tree

import (
	"math"
	"math/bits"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/uuid"
)

// Matching walks the tree from the root, a segment at a time, depth first: the most specific child that accepts the
// segment, then, if that leads nowhere, the next. The first value found is the answer.
//
// A path is first tried as it came. The search for the end of a segment also stops at bytes that make a difference
// between a path and its canonical form: percent signs, bytes from 0x80 on, and NUL. Most paths have none and are never
// looked at twice; at the first such byte that the walk meets, a second walk starts on the canonical form. Segments "."
// and ".." are refused where a walk meets them, and it has met every segment of what it matches.
//
// # Bounds
//
// Going back cannot be made expensive by a request. Each node stands for one start of a pattern and is entered by one
// way only, at one place of the path: a walk visits it once at most, however often it goes back. So the steps of a
// walk are at most the nodes of the tree, whose number the program's author decides: only a tree of k^d nodes, hence of
// some k^d patterns, can offer k alternatives at each of d levels. A step takes time in proportion to the length of a
// segment, and so do regular expressions, which are RE2. Only path parameters and mounts look at all the rest of the
// path, once for each of their nodes that the walk visits. The stack is as deep as the longest pattern.

// What a walk returns instead of the index of a value.
const (
	none  int32 = -1 // nothing here; try the next alternative
	again int32 = -2 // the path must be brought into canonical form first
)

// walk is one attempt to match a path.
type walk struct {
	*core
	path   string
	ps     *Params
	method methodID
	tail   uint64 // of path, see tailOf
	strict uint64 // as stops takes it: none of those bytes is special once the path is in canonical form
	n      int    // of the match: how many parameters,
	rest   int    // and where a mount's rest begins, or 0
}

// match returns the index of the value for a request, or a negative number, and fills ps.
func (c *core) match(method methodID, path string, ps *Params) int32 {
	if len(path) == 0 || path[0] != '/' || len(path) > math.MaxInt32 {
		ps.Reset()
		return none
	}
	if ps.more != nil {
		ps.more = nil // a copy may still use it
	}
	var w walk
	w.core, w.ps, w.method = c, ps, method
	w.path, w.tail, w.strict = path, tailOf(path), highest
	value := w.descend(0, 1, 0)
	if value == again {
		var ok bool
		if w.path, ok = Canonical(path); !ok {
			ps.Reset()
			return none
		}
		w.tail, w.strict = tailOf(w.path), 0
		value = w.descend(0, 1, 0)
	}
	if value < 0 {
		ps.Reset()
		return none
	}
	ps.n, ps.path, ps.rest = uint32(w.n), w.path, uint32(w.rest)
	if w.rest > 0 && w.strict == 0 { // the wire's form may be another
		ps.extra().rest = path[rawIndex(path, strings.Count(w.path[:w.rest], "/")):]
	}
	return value
}

// rawIndex returns the index after the given number of slashes, of which the canonical form has as many.
func rawIndex(path string, slashes int) int {
	at := 0
	for range slashes {
		at += strings.IndexByte(path[at:], '/') + 1
	}
	return at
}

// descend matches what the path has from index i on, which follows a slash, against what is below a node, with n
// parameters before it. It is the loop that every request goes through; what it inlines by hand, the search for the
// end of a segment and the first look into the hash table, takes about a fifth more time as functions.
func (w *walk) descend(at uint32, i, n int) int32 {
	path := w.path
	for {
		nd := &w.nodes[at]
		if i >= len(path) {
			return w.trailing(nd, i, n)
		}
		var word uint64
		if i+8 <= len(path) {
			word = load(path, i)
		} else {
			word = w.tail >> (8 * uint(i+8-len(path)) & 63)
		}
		var end int
		var k key
		if s := stops(word, w.strict); s != 0 {
			length := bits.TrailingZeros64(s) / 8
			end = i + length
			k = key{first: word & (s&-s>>7 - 1), length: uint8(length)}
		} else {
			end = w.endOfSegment(i + 8)
			k = key{word, load(path, end-8), uint8(min(end-i, longKey))}
		}
		if end < len(path) && path[end] != '/' {
			return again
		}
		if k.first <= '.'<<8|'.' && (k.first == '.'<<8|'.' || k.first == '.' || k.first == 0) {
			return w.odd(nd, i, end, n)
		}
		var child uint32
		if nd.statics != 0 {
			if child = nd.table; nd.statics > 1 {
				child = w.slots[nd.table+k.hash(nd.shift)]
			}
			if child != 0 && (w.nodes[child].key() != k || k.length == longKey) {
				child = w.find(nd, k, path[i:end])
			}
		}
		if child != 0 {
			if nd.str|nd.number|nd.rare == 0 && end < len(path) {
				at, i = child, end+1
				continue
			}
			if value := w.follow(child, end, n); value != none {
				return value
			}
		}
		if nd.number != 0 {
			if _, ok := parseInt(path[i:end]); ok {
				w.set(n, i, end)
				if value := w.follow(nd.number, end, n+1); value != none {
					return value
				}
			}
		}
		if nd.rare != 0 {
			return w.others(nd, i, end, n)
		}
		if nd.str == 0 {
			return none
		}
		w.set(n, i, end)
		n++
		if end == len(path) {
			return w.found(&w.nodes[nd.str].leaf, n)
		}
		at, i = nd.str, end+1
	}
}

// set notes parameter i. A try that led nowhere leaves parameters behind; those of the next one replace them.
func (w *walk) set(i, start, end int) {
	if uint(i) < inlineParams {
		w.ps.inline[i] = param{uint32(start), uint32(end)}
		return
	}
	w.setMore(i-inlineParams, param{uint32(start), uint32(end)})
}

// setMore is set for those that do not fit inline, for all of which it makes room at once.
func (w *walk) setMore(i int, p param) {
	more := w.ps.extra()
	if more.params == nil {
		more.params = make([]param, w.depth-inlineParams)
	}
	more.params[i] = p
}

func (ps *Params) extra() *moreParams {
	if ps.more == nil {
		ps.more = &moreParams{}
	}
	return ps.more
}

// follow goes on after a segment that ends at index end and leads to a child.
func (w *walk) follow(child uint32, end, n int) int32 {
	if end == len(w.path) {
		return w.found(&w.nodes[child].leaf, n)
	}
	return w.descend(child, end+1, n)
}

// found ends the walk if a leaf has a value for the method.
func (w *walk) found(l *leaf, n int) int32 {
	w.n = n
	return w.pick(l, w.method)
}

// others tries what a node has besides static text and int.
func (w *walk) others(nd *node, i, end, n int) int32 {
	r := &w.rare[nd.rare-1]
	for j := range r.edges {
		e := &r.edges[j]
		if !w.accepts(e.matcher, w.path[i:end]) {
			continue
		}
		w.set(n, i, end)
		if value := w.follow(e.child, end, n+1); value != none {
			return value
		}
	}
	if nd.str != 0 {
		w.set(n, i, end)
		if value := w.follow(nd.str, end, n+1); value != none {
			return value
		}
	}
	if r.path.n|r.rest.n == 0 {
		return none
	}
	if status, ok := w.clean(i); !ok {
		return status
	}
	if r.path.n != 0 && w.relative(i) {
		w.set(n, i, len(w.path))
		if value := w.found(&r.path, n+1); value != none {
			return value
		}
	}
	return w.mounted(r, i, n)
}

// trailing matches the end of a path after a slash.
func (w *walk) trailing(nd *node, i, n int) int32 {
	if value := w.found(&nd.slash, n); value != none || nd.rare == 0 {
		return value
	}
	return w.mounted(&w.rare[nd.rare-1], i, n)
}

// odd matches the rest of a path that starts with an empty segment, which only a mount does, or with "." or "..",
// which nothing does.
func (w *walk) odd(nd *node, i, end, n int) int32 {
	if end > i || nd.rare == 0 || w.rare[nd.rare-1].rest.n == 0 {
		return none
	}
	if status, ok := w.clean(i); !ok {
		return status
	}
	return w.mounted(&w.rare[nd.rare-1], i, n)
}

// mounted ends the walk if something is mounted here for the method. The rest must be clean.
func (w *walk) mounted(r *rare, i, n int) int32 {
	value := w.found(&r.rest, n)
	if value != none {
		w.rest = i
	}
	return value
}

// clean reports whether what follows index i can be matched without looking at each segment: in the form it has now,
// and with no segment "." or "..". If not, it says what the walk must return.
func (w *walk) clean(i int) (status int32, ok bool) {
	for at := i; at < len(w.path); at++ { // from one slash to the next
		if at = w.endOfSegment(at); at < len(w.path) && w.path[at] != '/' {
			return again, false
		}
	}
	if strings.IndexByte(w.path[i:], '.') >= 0 && hasDots(w.path[i:]) {
		return none, false
	}
	return 0, true
}

// relative reports whether a path parameter takes what follows index i, which starts with a segment: no other segment
// may be empty, and none may have a backslash or an escaped slash, as either would let a path through that a pattern
// with real slashes, and whatever guards it, would have taken.
func (w *walk) relative(i int) bool {
	tail := w.path[i:]
	return !strings.Contains(tail, "//") && strings.IndexByte(tail, '\\') < 0 &&
		!(w.strict == 0 && strings.Contains(tail, "%2F"))
}

// accepts reports whether a converter that is neither int nor str takes a segment.
func (w *walk) accepts(m *matcher, segment string) bool {
	switch m.kind {
	case kindFloat:
		_, ok := parseFloat(segment)
		return ok
	case kindUUID:
		return uuid.Valid(segment)
	case kindSlug:
		return isSlug(segment)
	}
	return m.match == nil || m.match(decodeCanonical(segment))
}
