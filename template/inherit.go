package template

import (
	"slices"
	"strings"
)

// Inheritance and inclusion: extends, block, super, self, include, import.

// blockRef is a block as seen from a place: self.name, or super() one level up.
type blockRef struct {
	chain []*unit // from the page's own definition to the oldest
	level int
	names *names
	name  string
}

func (b *blockRef) title() string { return "block " + b.name }

func (b *blockRef) attr(f *frame, name string) (value, bool) {
	if name == "super" {
		return b.super(), true
	}
	return value{}, false
}

func (b *blockRef) super() value {
	if b.level+1 >= len(b.chain) {
		return value{k: kUndefined, s: "super", o: "there is no parent block called \"" + b.name + "\""}
	}
	return object(&blockRef{b.chain, b.level + 1, b.names, b.name})
}

func (b *blockRef) call(f *frame, a args) value {
	at := f.st.at
	s := f.st.capture(func() { b.run(f, escContext{}) })
	f.st.at = at
	if f.auto {
		return markup(s)
	}
	return stringValue(s)
}

func (b *blockRef) run(f *frame, esc escContext) {
	u := b.chain[b.level]
	if u.required != nil && u.name != "" && requiredBlock(u) {
		raise(KindRuntime, "the block %q is required: a template that extends this one has to fill it", b.name)
	}
	fn := u.must(esc)
	in := &frame{slots: make([]value, fn.slots), st: f.st, names: b.names, auto: u.t.escapes(), block: b}
	fn.run(in)
}

func requiredBlock(u *unit) bool {
	s := u.t.tree.blocks[u.name]
	return s != nil && s.required
}

// selfRef is "self".
type selfRef struct{ names *names }

func (s *selfRef) attr(f *frame, name string) (value, bool) {
	chain := s.names.chain(name)
	if chain == nil {
		return value{}, false
	}
	return object(&blockRef{chain, 0, s.names, name}), true
}

// chain finds the definitions of a block.
func (n *names) chain(block string) []*unit {
	for ; n != nil; n = n.outer {
		if n.blocks != nil {
			return n.blocks[block]
		}
	}
	return nil
}

// special compiles the names that are no variables: super, self.
func (c *compiler) special(x *nameX) eval {
	if _, _, ok := c.find(x.name); ok {
		return nil
	}
	switch {
	case x.name == "super" && c.unit.name != "":
		return func(f *frame) value {
			for f.up != nil {
				f = f.up
			}
			if f.block == nil {
				return undefined("super")
			}
			return f.block.super()
		}
	case x.name == "self":
		return func(f *frame) value { return object(&selfRef{f.names}) }
	}
	return nil
}

// directCall writes {{ super() }}, {{ self.block() }} and {{ loop(…) }} as they are: they are escaped for their place.
func (c *compiler) directCall(x *callX) exec {
	if !c.contextual() || c.esc == (escContext{}) {
		return nil
	}
	name, block := "", false
	switch fn := x.fn.(type) {
	case *nameX:
		name = fn.name
		block = name == "super"
	case *attrX:
		of, ok := fn.of.(*nameX)
		block = ok && (of.name == "self" || of.name == "super")
	}
	if name == "loop" && len(c.loopEsc) > 0 {
		if start := c.loopEsc[len(c.loopEsc)-1]; start != c.esc {
			c.fail(x.pos, "the loop begins in %s but repeats itself in %s", start, c.esc)
		}
		v := c.expr(x)
		return func(f *frame) signal {
			f.st.at = x.pos
			f.st.out = append(f.st.out, str(v(f))...)
			return goOn
		}
	}
	if !block {
		return nil
	}
	ref, esc := c.expr(x.fn), c.esc
	c.esc = c.esc.afterUnknown()
	return func(f *frame) signal {
		f.st.at = x.pos
		v := ref(f)
		b, ok := v.o.(*blockRef)
		if !ok {
			need(v)
			raise(KindRuntime, "not a block")
		}
		b.run(f, esc)
		return goOn
	}
}

func (c *compiler) blockTag(s *blockS) exec {
	esc, name, pos := c.esc, s.name, s.pos
	if c.contextual() {
		c.t.blocks[name].must(esc)
		c.esc = c.esc.afterUnknown()
	}
	scoped := func(f *frame) *names { return f.names }
	if s.scoped {
		scoped = c.withVisible()
	}
	return func(f *frame) signal {
		f.st.at = pos
		f.st.enter()
		ref := blockRef{f.names.chain(name), 0, scoped(f), name}
		if len(ref.chain) == 0 {
			ref.chain = []*unit{c.t.blocks[name]}
		}
		ref.run(f, esc)
		f.st.depth--
		return goOn
	}
}

func (r *render) enter() {
	if r.depth++; r.depth > r.limits.MaxDepth {
		raise(KindLimit, "calls and includes nest more than %d deep", r.limits.MaxDepth)
	}
}

func (c *compiler) extends(s *extendsS) exec {
	name, pos := c.expr(s.name), s.pos
	if c.extended {
		c.fail(pos, "the template extends two others")
	}
	c.extended = true
	return func(f *frame) signal {
		f.st.at = pos
		if f.parent != nil {
			raise(KindRuntime, "the template extends two others")
		}
		f.parent = f.st.engine.choose(name(f))
		return goOn
	}
}

// choose finds a template by name, or the first of a list that exists.
func (e *Engine) choose(v value) *compiled {
	need(v)
	candidates := []value{v}
	if !v.isText() {
		candidates = nil
		if s, ok := sequenceOf(v); ok {
			candidates = s.all()
		}
	}
	var tried []string
	for _, candidate := range candidates {
		if !candidate.isText() {
			continue
		}
		t, err := e.load(candidate.s)
		if err == nil {
			return t
		}
		if !isMissing(err) {
			panic(err)
		}
		tried = append(tried, candidate.s)
	}
	if len(tried) == 1 {
		raise(KindRuntime, "there is no template %q%s", tried[0], suggest(tried[0], slices.Values(e.Names())))
	}
	raise(KindRuntime, "there is none of the templates %s", strings.Join(tried, ", "))
	return nil
}

// runRoot runs a template and what it extends.
func (t *compiled) runRoot(st *render, n *names, esc escContext) *frame {
	for level := 0; ; level++ {
		if level > st.limits.MaxDepth {
			raise(KindLimit, "templates extend each other more than %d deep", st.limits.MaxDepth)
		}
		if len(t.blocks) > 0 || level > 0 {
			n.add(t)
		}
		fn := t.root.must(esc)
		f := &frame{slots: make([]value, fn.slots), st: st, names: n, auto: t.escapes()}
		fn.run(f)
		if f.parent == nil {
			return f
		}
		t = f.parent
	}
}

// add puts a template's blocks behind those of what extends it.
func (n *names) add(t *compiled) {
	if n.blocks == nil {
		n.blocks = make(map[string][]*unit, len(t.blocks))
	}
	for name, u := range t.blocks {
		n.blocks[name] = append(n.blocks[name], u)
	}
}

func (c *compiler) include(s *includeS) exec {
	name, esc, pos := c.expr(s.name), c.esc, s.pos
	scope := func(f *frame) *names { return &names{st: f.st} }
	if s.withContext {
		scope = c.withVisible()
	}
	if c.contextual() {
		c.esc = c.esc.afterUnknown()
	}
	return func(f *frame) signal {
		v := name(f)
		f.st.at = pos
		t := f.st.engine.optional(v, s.ignoreMissing)
		if t == nil {
			return goOn
		}
		f.st.enter()
		n := scope(f)
		n.blocks = map[string][]*unit{}
		t.runRoot(f.st, n, esc)
		f.st.depth--
		return goOn
	}
}

// optional is choose that gives nil for what is missing, where that is allowed.
func (e *Engine) optional(v value, allowed bool) (t *compiled) {
	if allowed {
		defer func() {
			if r := recover(); r != nil {
				if err, ok := r.(*Error); !ok || err.Kind != KindRuntime || err.Line != 0 {
					panic(r)
				}
			}
		}()
	}
	return e.choose(v)
}

// module is an imported template: its body as text and what it exports.
type module struct {
	body  string
	names *names
}

func (m *module) attr(f *frame, name string) (value, bool) {
	if strings.HasPrefix(name, "_") {
		return value{}, false
	}
	v, ok := m.names.vars[name]
	return v, ok
}

func isModule(v value) bool {
	_, ok := v.o.(*module)
	return ok
}

func (c *compiler) importTag(s *importS) exec {
	name, pos := c.expr(s.name), s.pos
	scope := func(f *frame) *names { return &names{st: f.st} }
	if s.withContext {
		scope = c.withVisible()
	}
	var stores []func(*frame, value)
	for _, n := range s.names {
		stores = append(stores, c.assign(&nameX{s.at, n[1]}))
	}
	var as func(*frame, value)
	if s.as != "" {
		as = c.assign(&nameX{s.at, s.as})
	}
	return func(f *frame) signal {
		v := name(f)
		f.st.at = pos
		t := f.st.engine.choose(v)
		f.st.enter()
		own := &names{outer: scope(f), st: f.st, blocks: map[string][]*unit{}}
		m := &module{names: own}
		m.body = f.st.capture(func() { t.runRoot(f.st, own, escContext{}) })
		f.st.depth--
		if as != nil {
			as(f, object(m))
		}
		for i, n := range s.names {
			x, ok := own.vars[n[0]]
			if !ok {
				x = value{k: kUndefined, s: n[0], o: "the template \"" + t.name + "\" does not export \"" + n[0] + "\""}
			}
			stores[i](f, x)
		}
		return goOn
	}
}
