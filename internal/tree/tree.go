package tree

import (
	"fmt"
	"slices"
)

// Tree maps patterns and methods to values. It is built by one goroutine; then many may match at once, without locks.
type Tree[V any] struct {
	core
	values   []V
	patterns []*Pattern // of the value with the same index, for explanations
	methods  []string   // likewise
}

// New returns an empty tree.
func New[V any]() *Tree[V] {
	return &Tree[V]{core: core{nodes: make([]node, 1)}}
}

// Add registers a value for the requests that a pattern matches and that have the method, which is case-sensitive; the
// empty method stands for those that have no value of their own on the same pattern. A HEAD request takes the value
// of GET if there is none for HEAD.
//
// It returns a *ConflictError, and changes nothing, if it cannot be said which of two values a request would get.
func (t *Tree[V]) Add(method string, p *Pattern, v V) error {
	if p == nil {
		return fmt.Errorf("no pattern given for method %q; make one with Parse", method)
	}
	id, err := t.register(method)
	if err != nil {
		return err
	}
	if i, reason := t.conflict(id, method, p); i >= 0 {
		return &ConflictError[V]{Other: t.values[i], Reason: reason}
	}
	t.insert(id, p, int32(len(t.values)))
	t.values = append(t.values, v)
	t.patterns = append(t.patterns, p)
	t.methods = append(t.methods, method)
	return nil
}

// Match returns the value of the most specific pattern that matches an escaped path, as it is on the wire, and that
// has a value for the method; see the package comment. It fills ps, or empties it if nothing matches.
// It allocates only for paths with escapes and for more than four parameters; ps itself, if it is a local variable, is
// moved to the heap, so it is best kept in what a request has anyway.
func (t *Tree[V]) Match(method, path string, ps *Params) (v V, ok bool) {
	i := t.match(t.methodID(method), path, ps)
	if i < 0 {
		return v, false
	}
	return t.values[i], true
}

// Methods returns the sorted methods for which Match finds a value at an escaped path: those registered, HEAD where
// there is GET, and "" where there is a value for any method. It is for answers to OPTIONS and to requests whose
// method has no value, and allocates.
func (t *Tree[V]) Methods(path string) []string {
	var methods []string
	var ps Params
	for id, name := range t.known() {
		i := t.match(id, path, &ps)
		switch {
		case i < 0:
		case t.methods[i] == "":
			methods = append(methods, "")
		default:
			methods = append(methods, name)
		}
	}
	slices.Sort(methods)
	return slices.Compact(methods)
}
