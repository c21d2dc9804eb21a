package openapi

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Change is one difference between two versions of an API's document.
type Change struct {
	Breaking  bool   // a client of the old version may fail
	Operation string // "POST /orders"; "" for what is no part of one
	Pointer   string // where, a JSON pointer into the new document, or into the old one for what is gone
	Reason    string // what has changed and, of a breaking change, why it breaks
}

// String gives the change on one line.
func (c Change) String() string {
	kind := "compatible"
	if c.Breaking {
		kind = "breaking"
	}
	return strings.TrimPrefix(kind+": "+c.Operation+": "+c.Reason+" ("+c.Pointer+")", " ")
}

// Diff compares two documents in JSON, of OpenAPI 3.1 or 3.0 alike, as Document.JSON or
// another tool wrote them, and lists what changed in a way that a client can notice,
// breaking changes first. Text for people, examples, servers and tags are not compared.
//
// A request may from now on be more, an answer less: what the new version refuses to
// take, or gives that the old one never gave, breaks. So do operations, parameters,
// answers and media types that are gone, a new way to sign in that is demanded, and an
// operation id that changes, by which generated clients call it. Where a comparison
// would take reasoning, as between two patterns, any change counts as breaking.
//
// Errors say which document is not one. Operations are found by method and path; the
// names of parameters in the path do not matter.
func Diff(old, new []byte) ([]Change, error) {
	var d differ
	for _, side := range []struct {
		text []byte
		name string
		into *object
	}{{old, "old", &d.old}, {new, "new", &d.new}} {
		root, err := parseObject(side.text)
		if err != nil {
			return nil, fmt.Errorf("openapi: the %s document: %w", side.name, err)
		}
		if version := textAt(root, "openapi"); !strings.HasPrefix(version, "3.") {
			return nil, fmt.Errorf("openapi: the %s document has the version %q; Diff reads OpenAPI 3", side.name, version)
		}
		*side.into = root
	}
	d.paths()
	if d.steps > maxSteps {
		return nil, errors.New("openapi: the schemas refer to one another in too many ways to be compared")
	}
	slices.SortStableFunc(d.changes, func(x, y Change) int {
		return cmp.Or(b2i(y.Breaking)-b2i(x.Breaking), cmp.Compare(x.Operation, y.Operation), cmp.Compare(x.Pointer, y.Pointer), cmp.Compare(x.Reason, y.Reason))
	})
	d.changes = slices.Compact(d.changes)
	return d.changes, nil
}

// maxSteps bounds the schemas that are compared: documents may come from anywhere.
const maxSteps = 2_000_000

// differ walks two documents side by side.
type differ struct {
	old, new object
	changes  []Change

	operation string
	request   bool               // the schemas at hand are what clients send
	visited   map[[2]string]bool // pairs of references that the operation's request, or answers, have had
	depth     int
	steps     int
}

func (d *differ) note(breaking bool, pointer, format string, args ...any) {
	d.changes = append(d.changes, Change{breaking, d.operation, pointer, fmt.Sprintf(format, args...)})
}

// place is an operation in a document.
type place struct {
	doc            object // of the operation
	item           object // of its path
	label, pointer string
}

func operationsOf(root object) map[string]place {
	found := map[string]place{}
	for _, item := range objectAt(root, "paths") {
		operations, ok := item.Value.(object)
		if !ok {
			continue
		}
		for _, method := range append(slices.Clone(methods), "TRACE") {
			if doc, ok := operations.Get(strings.ToLower(method)).(object); ok {
				found[method+" "+namelessPath(item.Name)] = place{
					doc, operations, method + " " + item.Name, "/paths/" + escaped(item.Name) + "/" + strings.ToLower(method),
				}
			}
		}
	}
	return found
}

func namelessPath(path string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(path, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		_, path, _ = strings.Cut(rest, "}")
		out.WriteString("{}")
	}
}

func escaped(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

func (d *differ) paths() {
	before, after := operationsOf(d.old), operationsOf(d.new)
	for _, key := range slices.Sorted(maps.Keys(before)) {
		was := before[key]
		is, there := after[key]
		d.operation = was.label
		if !there {
			d.note(true, was.pointer, "the operation is gone")
			continue
		}
		d.operation = is.label
		d.compare(was, is)
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if _, there := before[key]; !there {
			d.operation = after[key].label
			d.note(false, after[key].pointer, "the operation is new")
		}
	}
}

func (d *differ) compare(was, is place) {
	if a, b := textAt(was.doc, "operationId"), textAt(is.doc, "operationId"); a != b {
		d.note(a != "", is.pointer+"/operationId", "the operation id %q has become %q, by which generated clients call it", a, b)
	}
	if is.doc.Get("deprecated") == true && was.doc.Get("deprecated") != true {
		d.note(false, is.pointer+"/deprecated", "the operation is deprecated now")
	}
	d.request, d.visited = true, map[[2]string]bool{}
	d.parameters(was, is)
	d.body(was, is)
	d.request, d.visited = false, map[[2]string]bool{}
	d.answers(was, is)
	d.security(was, is)
}

// follow resolves references that lead into the document itself.
func follow(root object, value any) object {
	doc, _ := value.(object)
	for range 20 {
		ref := textAt(doc, "$ref")
		if ref == "" {
			return doc
		}
		path, local := strings.CutPrefix(ref, "#/")
		if !local {
			return doc
		}
		at := root
		for part := range strings.SplitSeq(path, "/") {
			at = objectAt(at, strings.NewReplacer("~1", "/", "~0", "~").Replace(part))
		}
		doc = at
	}
	return doc
}

// parametersOf lists the parameters of an operation and its path, by where and name;
// those of the path by their position.
func parametersOf(root object, p place) (map[string]object, []string) {
	found := map[string]object{}
	var order []string
	_, path, _ := strings.Cut(p.label, " ")
	for _, list := range [][]any{listAt(p.item, "parameters"), listAt(p.doc, "parameters")} {
		for _, entry := range list {
			doc := follow(root, entry)
			name, in := textAt(doc, "name"), textAt(doc, "in")
			key := in + " " + name
			switch in {
			case "path":
				key = fmt.Sprintf("path %d", strings.Count(path[:max(0, strings.Index(path, "{"+name+"}"))], "{"))
			case "header":
				key = strings.ToLower(key)
			}
			if found[key] == nil {
				order = append(order, key)
			}
			found[key] = doc
		}
	}
	return found, order
}

func (d *differ) parameters(was, is place) {
	before, order := parametersOf(d.old, was)
	after, newOrder := parametersOf(d.new, is)
	for _, key := range order {
		a, b := before[key], after[key]
		label := fmt.Sprintf("the parameter %s in %s", textAt(a, "name"), textAt(a, "in"))
		pointer := is.pointer + "/parameters"
		switch {
		case b == nil:
			d.note(true, was.pointer+"/parameters", "%s is gone: what clients send there no longer counts", label)
			continue
		case b.Get("required") == true && a.Get("required") != true:
			d.note(true, pointer, "%s is required now", label)
		case b.Get("required") != true && a.Get("required") == true:
			d.note(false, pointer, "%s is optional now", label)
		}
		if explodes(a) != explodes(b) {
			d.note(true, pointer, "%s has its list in another form now", label)
		}
		if b.Get("deprecated") == true && a.Get("deprecated") != true {
			d.note(false, pointer, "%s is deprecated now", label)
		}
		d.schema(a.Get("schema"), b.Get("schema"), pointer+"/"+escaped(textAt(b, "name")), label)
	}
	for _, key := range newOrder {
		if before[key] == nil {
			b := after[key]
			required := b.Get("required") == true
			d.note(required, is.pointer+"/parameters", "the parameter %s in %s is new and %s", textAt(b, "name"), textAt(b, "in"),
				map[bool]string{true: "required", false: "optional"}[required])
		}
	}
}

// explodes tells the form of a list; the default depends on where it is (OpenAPI 3.1 §4.8.12).
func explodes(p object) bool {
	if explode, ok := p.Get("explode").(bool); ok {
		return explode
	}
	return textAt(p, "in") == "query" || textAt(p, "in") == "cookie"
}

func (d *differ) body(was, is place) {
	a, b := follow(d.old, was.doc.Get("requestBody")), follow(d.new, is.doc.Get("requestBody"))
	pointer := is.pointer + "/requestBody"
	switch {
	case a == nil && b == nil:
		return
	case a == nil:
		required := b.Get("required") == true
		d.note(required, pointer, "a body is read now, and it is %s", map[bool]string{true: "required", false: "optional"}[required])
		return
	case b == nil:
		d.note(true, was.pointer+"/requestBody", "the body is no longer read")
		return
	case b.Get("required") == true && a.Get("required") != true:
		d.note(true, pointer, "the body is required now")
	case b.Get("required") != true && a.Get("required") == true:
		d.note(false, pointer, "the body is optional now")
	}
	d.content(objectAt(a, "content"), objectAt(b, "content"), pointer+"/content", "the body")
}

func (d *differ) content(a, b object, pointer, label string) {
	for _, media := range a {
		here := pointer + "/" + escaped(media.Name)
		other, there := b.Get(media.Name).(object)
		if !there {
			d.note(true, here, "%s is no longer there as %s", label, media.Name)
			continue
		}
		was, _ := media.Value.(object)
		d.schema(was.Get("schema"), other.Get("schema"), here+"/schema", label)
	}
	for _, media := range b {
		if a.Get(media.Name) == nil {
			d.note(false, pointer+"/"+escaped(media.Name), "%s may be %s too", label, media.Name)
		}
	}
}

func (d *differ) answers(was, is place) {
	before, after := objectAt(was.doc, "responses"), objectAt(is.doc, "responses")
	for _, m := range before {
		a, b := follow(d.old, m.Value), follow(d.new, after.Get(m.Name))
		failure := strings.HasPrefix(m.Name, "4") || strings.HasPrefix(m.Name, "5")
		if b == nil {
			d.note(!failure, was.pointer+"/responses/"+escaped(m.Name), "the answer %s is gone", m.Name)
			continue
		}
		pointer := is.pointer + "/responses/" + escaped(m.Name)
		label := "the answer " + m.Name
		headers := objectAt(b, "headers")
		for _, h := range objectAt(a, "headers") {
			other := follow(d.new, headers.Get(h.Name))
			if other == nil {
				d.note(true, pointer+"/headers", "%s lacks the header %s", label, h.Name)
				continue
			}
			d.schema(follow(d.old, h.Value).Get("schema"), other.Get("schema"), pointer+"/headers/"+escaped(h.Name), label+", header "+h.Name)
		}
		d.content(objectAt(a, "content"), objectAt(b, "content"), pointer+"/content", label)
	}
	for _, m := range after {
		if before.Get(m.Name) == nil {
			d.note(false, is.pointer+"/responses/"+escaped(m.Name), "the answer %s is new", m.Name)
		}
	}
}

// security compares what one of which is demanded.
func (d *differ) security(was, is place) {
	before, after := demands(d.old, was.doc), demands(d.new, is.doc)
	pointer := is.pointer + "/security"
	if len(before) == 0 && len(after) > 0 {
		d.note(true, pointer, "clients have to sign in now")
		return
	}
	if len(after) == 0 && len(before) > 0 {
		d.note(false, pointer, "clients need not sign in any more")
		return
	}
	for _, demand := range before {
		if !slices.ContainsFunc(after, func(other map[string]bool) bool { return within(other, demand) }) {
			d.note(true, pointer, "signing in by %s no longer suffices", names(demand))
		}
	}
	for _, demand := range after {
		if !slices.ContainsFunc(before, func(other map[string]bool) bool { return within(other, demand) && within(demand, other) }) {
			d.note(false, pointer, "signing in by %s is possible", names(demand))
		}
	}
}

// demands lists alternatives, each as scheme and scheme:scope. An alternative without
// any means that nothing is demanded.
func demands(root, operation object) []map[string]bool {
	list := listAt(operation, "security")
	if operation.Get("security") == nil {
		list = listAt(root, "security")
	}
	var out []map[string]bool
	for _, entry := range list {
		demand := map[string]bool{}
		requirement, _ := entry.(object)
		for _, m := range requirement {
			demand[m.Name] = true
			scopes, _ := m.Value.([]any)
			for _, scope := range scopes {
				demand[fmt.Sprintf("%s:%v", m.Name, scope)] = true
			}
		}
		if len(demand) == 0 {
			return nil
		}
		out = append(out, demand)
	}
	return out
}

// within reports whether everything that a demands is in b.
func within(a, b map[string]bool) bool {
	for name := range a {
		if !b[name] {
			return false
		}
	}
	return true
}

func names(demand map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(demand)), " and ")
}
