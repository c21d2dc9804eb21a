package template

import (
	"context"
	"reflect"
	"sync/atomic"
)

// render is the state of one rendering: its output, its limits and where it is.
type render struct {
	engine *Engine
	page   *pageGlobals // of the request, or nil
	limits Limits
	ctx    context.Context
	out    []byte
	at     *position
	depth  int
	loops  int
	looks  int
}

// grow stops a render whose output, or a value that it is about to make, is too large.
func (r *render) grow(n int) {
	if n < 0 || len(r.out)+n > r.limits.MaxOutput {
		raise(KindLimit, "more than %d bytes", r.limits.MaxOutput)
	}
}

// tick counts a turn of a loop.
func (r *render) tick() {
	r.loops++
	if r.loops > r.limits.MaxLoops {
		raise(KindLimit, "more than %d turns of loops", r.limits.MaxLoops)
	}
	if r.loops&63 == 0 {
		r.grow(0)
		if err := r.ctx.Err(); err != nil {
			raise(KindLimit, "stopped: %v", err)
		}
	}
}

// maxLooks is how many items within lists and mappings a page may compare: lists that hold others several times have
// more of them than memory could.
const maxLooks = 1_000_000

// look counts the comparison of an item within a list or mapping.
func (r *render) look() {
	r.looks++
	if r.looks > maxLooks {
		raise(KindLimit, "more than %d items compared", maxLooks)
	}
	if r.looks&4095 == 0 {
		if err := r.ctx.Err(); err != nil {
			raise(KindLimit, "stopped: %v", err)
		}
	}
}

// capture gives what a body writes instead of writing it.
func (r *render) capture(run func()) string {
	start := len(r.out)
	run()
	s := string(r.out[start:])
	r.out = r.out[:start]
	return s
}

// frame holds the variables of one function: a template's root, a block or a macro.
type frame struct {
	slots []value
	up    *frame // where a macro was defined
	st    *render
	names *names
	auto  bool // autoescape
	// A root's parent, set by extends; a block's own place among its redefinitions.
	parent *compiled
	block  *blockRef
}

// names is where a name is looked up that is no variable of the template's own: what the page exports and includes
// hand on, then the data, then the engine's globals.
type names struct {
	vars   map[string]value
	data   value
	outer  *names
	blocks map[string][]*unit
	st     *render
}

func (n *names) set(name string, v value) {
	if n.vars == nil {
		n.vars = map[string]value{}
	}
	n.vars[name] = v
}

// free is one place in a template where such a name is read.
type free struct {
	name string
	last atomic.Pointer[accessor]
}

func (r *free) get(n *names) value {
	for ; n != nil; n = n.outer {
		if v, ok := n.vars[r.name]; ok {
			return v
		}
		if n.data.k == kObject {
			if v, ok := r.fromData(n); ok {
				return v
			}
		}
		if n.outer == nil {
			if v, ok := n.st.page.get(r.name); ok {
				return v
			}
			if v, ok := n.st.engine.globals[r.name]; ok {
				return v
			}
		}
	}
	return undefined(r.name)
}

func (r *free) fromData(n *names) (value, bool) {
	switch m := n.data.o.(type) {
	case map[string]any:
		x, ok := m[r.name]
		return fromGo(x), ok
	case *dict:
		return m.get(stringValue(r.name))
	}
	t := reflect.TypeOf(n.data.o)
	if acc := r.last.Load(); acc != nil && acc.t == t {
		return acc.read(n.data.o, false), true
	}
	if acc := n.st.engine.attrs.find(t, r.name); acc != nil {
		r.last.Store(acc)
		return acc.read(n.data.o, false), true
	}
	if isMapping(n.data) {
		return mapGet(n.data, stringValue(r.name))
	}
	return value{}, false
}
