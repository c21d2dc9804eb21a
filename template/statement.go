package template

import (
	"strconv"
)

func (c *compiler) statements(list []stmt) exec {
	var run []exec
	for len(list) > 0 {
		var e exec
		if l, rest := c.line(list); len(rest) < len(list) {
			list = rest
			if len(l) > 0 {
				e = c.writes(l.run)
			}
		} else {
			e = c.statement(list[0])
			list = list[1:]
		}
		if e != nil {
			run = append(run, e)
		}
	}
	switch len(run) {
	case 0:
		return func(*frame) signal { return goOn }
	case 1:
		return run[0]
	case 2:
		first, second := run[0], run[1]
		return func(f *frame) signal {
			if sig := first(f); sig != goOn {
				return sig
			}
			return second(f)
		}
	}
	return func(f *frame) signal {
		for _, e := range run {
			if sig := e(f); sig != goOn {
				return sig
			}
		}
		return goOn
	}
}

// writes wraps what writes output: nothing is written by a template after it said what it extends.
func (c *compiler) writes(e exec) exec {
	if c.extended {
		return nil
	}
	if c.mayEnd {
		return func(f *frame) signal {
			if f.parent != nil {
				return goOn
			}
			return e(f)
		}
	}
	return e
}

func (c *compiler) statement(s stmt) exec {
	switch s := s.(type) {
	case *ifS:
		return c.ifTag(s)
	case *forS:
		return c.forTag(s)
	case *breakS:
		sig := breakLoop
		if s.again {
			sig = continueLoop
		}
		return func(*frame) signal { return sig }
	case *setS:
		v, store, pos := c.expr(s.value), c.assign(s.target), s.pos
		return func(f *frame) signal {
			x := v(f)
			f.st.at = pos
			store(f, x)
			return goOn
		}
	case *setBlockS:
		body := c.captured(s.body, s.pos)
		if s.filter != nil {
			body = c.filterChain(s.filter, body)
		}
		store := c.assign(s.target)
		return func(f *frame) signal {
			store(f, body(f))
			return goOn
		}
	case *withS:
		return c.with(s)
	case *filterS:
		if c.extended {
			return nil
		}
		v := c.filterChain(s.filter, c.captured(s.body, s.pos))
		return c.writes(c.write(v, s.pos, c.escaper(s.pos, filterName(s.filter))))
	case *autoescapeS:
		return c.autoescape(s)
	case *macroS:
		return c.macro(s)
	case *callS:
		if c.extended {
			return nil
		}
		return c.writes(c.callBlock(s))
	case *doS:
		x := c.expr(s.x)
		return func(f *frame) signal { x(f); return goOn }
	}
	return c.composition(s)
}

// composition compiles what brings in other templates.
func (c *compiler) composition(s stmt) exec {
	switch s := s.(type) {
	case *blockS:
		if c.extended {
			return nil
		}
		return c.writes(c.blockTag(s))
	case *extendsS:
		return c.extends(s)
	case *includeS:
		if c.extended {
			return nil
		}
		return c.writes(c.include(s))
	case *importS:
		return c.importTag(s)
	}
	panic(s.where().fault(KindSyntax, "unknown statement"))
}

// text follows a piece of the page and gives what of it is written.
func (c *compiler) text(s *textS) string {
	if c.extended {
		return ""
	}
	if c.contextual() {
		next, err := advance(c.esc, s.text)
		if err != nil {
			c.fail(textPosition(s, err.offset), "%s", err.message)
		}
		c.esc = next
	}
	return s.text
}

// textPosition is the place of a byte within a text.
func textPosition(s *textS, offset int) *position {
	p := *s.pos
	for _, r := range s.text[:min(offset, len(s.text))] {
		if r == '\n' {
			p.line, p.col = p.line+1, 1
		} else {
			p.col++
		}
	}
	return &p
}

// output writes an expression, escaped for the place where it stands.
func (c *compiler) output(s *outputS) piece {
	if c.extended {
		return piece{}
	}
	if k, ok := s.x.(*constX); ok && !c.contextual() && k.v.k == kInt {
		text := strconv.FormatInt(k.v.int(), 10)
		return piece{slow: func(f *frame) signal {
			f.st.out = append(f.st.out, text...)
			return goOn
		}}
	}
	if call, ok := s.x.(*callX); ok {
		if e := c.directCall(call); e != nil {
			return piece{slow: e}
		}
	}
	if x, ok := s.x.(*attrX); ok {
		if slot, ok := c.local(x.of); ok {
			a := &attribute{name: x.name}
			get, esc := c.attrAt(x, a, false), c.escaper(s.pos, "")
			return piece{field: a, slot: slot, esc: esc, slow: c.write(get, s.pos, esc)}
		}
	}
	x := c.expr(s.x)
	return piece{slow: c.write(x, s.pos, c.escaper(s.pos, filterName(s.x)))}
}

// escaper gives the escaping for a value at this place, made by the filter last if one did, and moves on behind it.
func (c *compiler) escaper(pos *position, last string) escaper {
	if !c.contextual() {
		return escaper{text: appendHTML, digits: true}
	}
	esc, next, err := c.esc.escaper(last)
	if err != nil {
		c.fail(pos, "%s", err.message)
	}
	c.esc = next
	return esc
}

// write compiles the writing of a value.
func (c *compiler) write(x eval, pos *position, esc escaper) exec {
	if escape := esc.value; escape != nil {
		return func(f *frame) signal {
			f.st.at = pos
			v := x(f)
			if f.auto {
				f.st.out = escape(f.st.out, v)
			} else {
				f.st.out = append(f.st.out, str(v)...)
			}
			return goOn
		}
	}
	return func(f *frame) signal {
		f.st.at = pos
		v := x(f)
		r := f.st
		switch v.k {
		case kString:
			if f.auto {
				r.out = appendHTML(r.out, v.s)
			} else {
				r.out = append(r.out, v.s...)
			}
		case kInt:
			r.out = strconv.AppendInt(r.out, v.int(), 10)
		case kUndefined:
		case kObject:
			if s := str(v); f.auto && !isModule(v) {
				r.out = appendHTML(r.out, s)
			} else {
				r.out = append(r.out, s...)
			}
		default:
			r.out = append(r.out, str(v)...)
		}
		return goOn
	}
}

// captured gives a body's output as a value: HTML if the template escapes.
func (c *compiler) captured(body []stmt, pos *position) eval {
	esc, extended := c.esc, c.extended
	c.esc, c.extended = escContext{}, false
	run := c.inner(c.scope.fn, body, nil, nil)
	if c.contextual() {
		c.sameContext(pos, escContext{}, "the block")
	}
	c.esc, c.extended = esc, extended
	return func(f *frame) value {
		parent := f.parent
		f.parent = nil
		s := f.st.capture(func() { run(f) })
		f.parent = parent
		if f.auto {
			return markup(s)
		}
		return stringValue(s)
	}
}

// filterChain applies filters whose innermost has no value of its own to a body.
func (c *compiler) filterChain(x expr, body eval) eval {
	f, ok := x.(*filterX)
	if !ok {
		if x == nil {
			return body
		}
		c.fail(x.where(), "only filters can stand here")
	}
	return c.filter(f, c.filterChain(f.of, body))
}

// filterName is the name of the filter that makes a value, "()" if a call does.
func filterName(x expr) string {
	switch x := x.(type) {
	case *filterX:
		return x.name
	case *callX:
		return "()"
	}
	return ""
}

func (c *compiler) ifTag(s *ifS) exec {
	tests := make([]func(*frame) bool, len(s.tests))
	for i, x := range s.tests {
		tests[i] = c.condition(x)
	}
	bodies := make([]exec, len(s.bodies))
	start, extended, mayEnd := c.esc, c.extended, c.mayEnd
	var ends []escContext
	anyExtended := false
	for i, b := range s.bodies {
		c.esc, c.extended = start, extended
		bodies[i] = c.statements(b)
		anyExtended = anyExtended || c.extended != extended
		ends = append(ends, c.esc)
	}
	if len(bodies) == len(tests) {
		ends = append(ends, start)
	}
	c.extended, c.mayEnd = extended, c.mayEnd || mayEnd || anyExtended
	if c.contextual() && !c.mayEnd {
		c.esc = c.joined(s.pos, ends)
	}
	if len(tests) == 1 {
		test, then := tests[0], bodies[0]
		if len(bodies) == 1 {
			return func(f *frame) signal {
				if test(f) {
					return then(f)
				}
				return goOn
			}
		}
	}
	return func(f *frame) signal {
		for i, test := range tests {
			if test(f) {
				return bodies[i](f)
			}
		}
		if len(bodies) > len(tests) {
			return bodies[len(tests)](f)
		}
		return goOn
	}
}

// joined is the context after branches, which have to agree.
func (c *compiler) joined(pos *position, ends []escContext) escContext {
	end := ends[0]
	for _, e := range ends[1:] {
		j, ok := join(end, e)
		if !ok {
			c.fail(pos, "the branches end in different places of the page: one in %s, one in %s", end, e)
		}
		end = j
	}
	return end
}

// sameContext checks that a body ends where it began, so that it may run any number of times, anywhere.
func (c *compiler) sameContext(pos *position, start escContext, what string) {
	j, ok := join(start, c.esc)
	if !ok {
		c.fail(pos, "%s begins in %s but ends in %s", what, start, c.esc)
	}
	c.esc = j
}

func (c *compiler) with(s *withS) exec {
	values := c.exprs(s.values)
	var own []string
	for _, n := range s.names {
		own = append(own, n.(*nameX).name)
	}
	var slots []int
	body := c.inner(c.scope.fn, s.body, own, func() {
		for _, name := range own {
			slots = append(slots, c.scope.slots[name])
		}
	})
	return func(f *frame) signal {
		var few [4]value
		in := few[:0]
		for _, v := range values {
			in = append(in, v(f))
		}
		for i, v := range in {
			f.slots[slots[i]] = v
		}
		return body(f)
	}
}

func (c *compiler) autoescape(s *autoescapeS) exec {
	on := c.expr(s.on)
	body := c.inner(c.scope.fn, s.body, nil, nil)
	return func(f *frame) signal {
		before := f.auto
		f.auto = truth(on(f))
		sig := body(f)
		f.auto = before
		return sig
	}
}
