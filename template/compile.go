package template

import (
	"sync"
)

// The compiler turns statements into closures. A name that a template assigns gets a slot in the frame of its
// function; which slot a use means is settled here. Every scope begins with the outer value of the names it assigns,
// as in Jinja: {% set %} in a loop changes the name only within that turn.

// signal is how a statement ends.
type signal uint8

const (
	goOn signal = iota
	breakLoop
	continueLoop
)

type (
	exec func(f *frame) signal
	eval func(f *frame) value
)

// compiled is a template ready to run.
type compiled struct {
	name   string
	engine *Engine
	tree   *tree
	mode   Escape
	root   *unit
	blocks map[string]*unit
}

// unit is a root or a block. It is compiled once for each escaping context in which it is used.
type unit struct {
	t        *compiled
	name     string // of a block
	required *position
	body     []stmt
	mu       sync.RWMutex
	variants map[escContext]*function
}

type function struct {
	slots int
	run   exec
}

func (u *unit) in(esc escContext) (fn *function, err error) {
	u.mu.RLock()
	fn = u.variants[esc]
	u.mu.RUnlock()
	if fn != nil {
		return fn, nil
	}
	defer func() { caught(recover(), &err, nil) }()
	c := &compiler{t: u.t, unit: u, esc: esc, engine: u.t.engine}
	fn = c.function(u)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.variants == nil {
		u.variants = map[escContext]*function{}
	}
	u.variants[esc] = fn
	return fn, nil
}

// must is in for code that runs within a render or a compilation.
func (u *unit) must(esc escContext) *function {
	fn, err := u.in(esc)
	if err != nil {
		panic(err)
	}
	return fn
}

// scope maps the names that are assigned in it to slots.
type scope struct {
	outer *scope
	slots map[string]int
	fn    *fnInfo
}

type fnInfo struct {
	slots int
	root  bool // of a template: what is assigned at its top level is exported
}

type compiler struct {
	t        *compiled
	engine   *Engine
	unit     *unit
	scope    *scope
	top      *scope // the root function's own scope
	esc      escContext
	extended bool // extends came before at the top level: nothing is written any more
	mayEnd   bool // extends stands in an if
	loopEsc  []escContext
	// where the turns of loops begin, by where the loops do
	loopStarts map[loopPlace]escContext
}

func (c *compiler) fail(pos *position, format string, args ...any) {
	panic(pos.fault(KindSyntax, format, args...))
}

// contextual reports whether the place of an expression within the HTML matters.
func (c *compiler) contextual() bool { return c.t.mode == Contextual }

func (c *compiler) function(u *unit) *function {
	info := &fnInfo{root: u.name == ""}
	start := c.esc
	pos := &position{sourceOf(u), 1, 1}
	if len(u.body) > 0 {
		pos = u.body[0].where()
	}
	body := c.inner(info, u.body, nil, func() {
		if info.root {
			c.top = c.scope
		}
	})
	if !c.extended && !c.mayEnd && c.contextual() {
		c.sameContext(pos, start, "the template or block")
	}
	return &function{slots: info.slots, run: body}
}

func sourceOf(u *unit) *source { return u.t.root.required.src }

// inner compiles a body in a scope of its own, in which own names are assigned by whoever runs it.
func (c *compiler) inner(fn *fnInfo, body []stmt, own []string, ready func()) exec {
	s := &scope{outer: c.scope, slots: map[string]int{}, fn: fn}
	names := assigned(body, nil)
	type load struct {
		slot int
		get  eval
	}
	var loads []load
	for _, name := range own {
		c.declare(s, name)
	}
	outerScope := c.scope
	var slots []int
	for _, name := range names {
		if _, ok := s.slots[name]; !ok {
			slots = append(slots, c.declare(s, name))
		}
	}
	// The outer value is what the name means without this scope's own slot for it.
	c.scope = s
	for _, slot := range slots {
		name := slotName(s, slot)
		delete(s.slots, name)
		loads = append(loads, load{slot, c.variable(name)})
		s.slots[name] = slot
	}
	if ready != nil {
		ready()
	}
	run := c.statements(body)
	c.scope = outerScope
	if len(loads) == 0 {
		return run
	}
	return func(f *frame) signal {
		for i := range loads {
			f.slots[loads[i].slot] = loads[i].get(f)
		}
		return run(f)
	}
}

func slotName(s *scope, slot int) string {
	for name, i := range s.slots {
		if i == slot {
			return name
		}
	}
	return ""
}

func (c *compiler) declare(s *scope, name string) int {
	i := s.fn.slots
	s.fn.slots++
	s.slots[name] = i
	return i
}

// find gives the slot of a name and how many functions outwards it is.
func (c *compiler) find(name string) (up, slot int, ok bool) {
	for s := c.scope; s != nil; s = s.outer {
		if i, ok := s.slots[name]; ok {
			return up, i, true
		}
		if s.outer != nil && s.outer.fn != s.fn {
			up++
		}
	}
	return 0, 0, false
}

// variable reads a name.
func (c *compiler) variable(name string) eval {
	up, slot, ok := c.find(name)
	if !ok {
		r := &free{name: name}
		return func(f *frame) value { return r.get(f.names) }
	}
	missing := undefined(name)
	if up == 0 {
		return func(f *frame) value {
			if v := f.slots[slot]; v.k != kUndefined || v.s != "" {
				return v
			}
			return missing
		}
	}
	return func(f *frame) value {
		for range up {
			f = f.up
		}
		if v := f.slots[slot]; v.k != kUndefined || v.s != "" {
			return v
		}
		return missing
	}
}

// assigned lists the names that statements assign in their own scope.
func assigned(body []stmt, names []string) []string {
	for _, s := range body {
		switch s := s.(type) {
		case *setS:
			names = targetNames(s.target, names)
		case *setBlockS:
			names = targetNames(s.target, names)
		case *macroS:
			names = append(names, s.name)
		case *importS:
			if s.as != "" {
				names = append(names, s.as)
			}
			for _, n := range s.names {
				names = append(names, n[1])
			}
		case *ifS:
			for _, b := range s.bodies {
				names = assigned(b, names)
			}
		}
	}
	return names
}

func targetNames(x expr, names []string) []string {
	switch x := x.(type) {
	case *nameX:
		return append(names, x.name)
	case *listX:
		for _, item := range x.items {
			names = targetNames(item, names)
		}
	}
	return names
}

// assign gives the closure that stores a value in a target.
func (c *compiler) assign(target expr) func(*frame, value) {
	switch t := target.(type) {
	case *nameX:
		_, slot, _ := c.find(t.name)
		name := t.name
		if c.scope == c.top && c.scope.fn.root {
			return func(f *frame, v value) {
				f.slots[slot] = v
				f.names.set(name, v)
			}
		}
		return func(f *frame, v value) { f.slots[slot] = v }
	case *attrX:
		of := c.expr(t.of)
		return func(f *frame, v value) {
			f.st.at = t.pos
			ns, ok := of(f).o.(*namespace)
			if !ok {
				raise(KindRuntime, "only a namespace's attributes can be assigned to")
			}
			ns.vars.set(stringValue(t.name), v)
		}
	}
	items := target.(*listX).items
	stores := make([]func(*frame, value), len(items))
	for i, item := range items {
		stores[i] = c.assign(item)
	}
	pos := target.where()
	return func(f *frame, v value) {
		s, ok := sequenceOf(v)
		if !ok || s.n != len(stores) {
			f.st.at = pos
			if !ok {
				raise(KindRuntime, "a %s cannot be unpacked", typeName(v))
			}
			raise(KindRuntime, "%d values were expected, not %d", len(stores), s.n)
		}
		for i, store := range stores {
			store(f, s.at(i))
		}
	}
}

// visible lists the variables in sight, the nearest of each name.
func (c *compiler) visible() map[string]eval {
	all := map[string]eval{}
	for s := c.scope; s != nil; s = s.outer {
		for name := range s.slots {
			if all[name] == nil {
				all[name] = c.variable(name)
			}
		}
	}
	return all
}

// withVisible gives the names for what is included: the variables in sight over the present names.
func (c *compiler) withVisible() func(*frame) *names {
	all := c.visible()
	return func(f *frame) *names {
		n := &names{outer: f.names, st: f.st}
		for name, get := range all {
			if v := get(f); v.k != kUndefined {
				n.set(name, v)
			}
		}
		return n
	}
}
