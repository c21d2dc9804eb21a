package template

import "slices"

// macroCode is a compiled macro, or the body of a call block.
type macroCode struct {
	name     string
	params   []string
	defaults []eval // nil where there is none
	slots    []int
	fn       *fnInfo
	body     exec
	// Slots of what a macro may mention beside its parameters, or -1.
	varargs, kwargs, caller int
	pos                     *position
}

// macro is a macroCode with the frame it was defined in.
type macro struct {
	*macroCode
	up    *frame
	names *names
	auto  bool
}

func (m *macro) title() string { return m.name }

func (m *macro) attr(f *frame, name string) (value, bool) {
	switch name {
	case "name":
		return stringValue(m.name), true
	case "arguments":
		var items []value
		for _, p := range m.params {
			items = append(items, stringValue(p))
		}
		return tupleValue(items...), true
	case "catch_varargs":
		return boolValue(m.varargs >= 0), true
	case "catch_kwargs":
		return boolValue(m.kwargs >= 0), true
	case "caller":
		return boolValue(m.caller >= 0), true
	}
	return value{}, false
}

func (c *compiler) macroCode(s *macroS) *macroCode {
	m := &macroCode{name: s.name, params: s.params, fn: &fnInfo{}, pos: s.pos, varargs: -1, kwargs: -1, caller: -1}
	own := slices.Clone(s.params)
	mentioned := map[string]bool{}
	mentionedNames(s, mentioned)
	for _, special := range []string{"varargs", "kwargs", "caller"} {
		if mentioned[special] && !slices.Contains(own, special) {
			own = append(own, special)
		}
	}
	saved := *c
	c.esc, c.extended, c.mayEnd, c.loopEsc = escContext{}, false, false, nil
	m.body = c.inner(m.fn, s.body, own, func() {
		for _, p := range s.params {
			m.slots = append(m.slots, c.scope.slots[p])
			m.defaults = append(m.defaults, nil)
		}
		for i, d := range s.defaults {
			m.defaults[len(s.params)-len(s.defaults)+i] = c.expr(d)
		}
		slot := func(name string) int {
			if i, ok := c.scope.slots[name]; ok && mentioned[name] {
				return i
			}
			return -1
		}
		m.varargs, m.kwargs, m.caller = slot("varargs"), slot("kwargs"), slot("caller")
	})
	if c.contextual() {
		c.sameContext(s.pos, escContext{}, "the macro")
	}
	c.esc, c.extended, c.mayEnd, c.loopEsc = saved.esc, saved.extended, saved.mayEnd, saved.loopEsc
	return m
}

func (c *compiler) macro(s *macroS) exec {
	code := c.macroCode(s)
	store := c.assign(&nameX{s.at, s.name})
	return func(f *frame) signal {
		store(f, object(&macro{code, f, f.names, f.auto}))
		return goOn
	}
}

func (c *compiler) callBlock(s *callS) exec {
	code := c.macroCode(s.body)
	code.name = "caller"
	x := s.call.(*callX)
	var fn eval
	if a, ok := x.fn.(*attrX); ok {
		fn = c.attr(a, true)
	} else {
		fn = c.expr(x.fn)
	}
	get, pos := c.arguments(&x.args), x.pos
	esc := c.escaper(s.pos, "()")
	return c.write(func(f *frame) value {
		v, a := fn(f), get(f)
		a.kw = append(a.kw, kwArg{"caller", object(&macro{code, f, f.names, f.auto})})
		f.st.at = pos
		return call(f, v, a)
	}, s.pos, esc)
}

func (m *macro) call(f *frame, a args) value {
	in := &frame{slots: make([]value, m.fn.slots), up: m.up, st: f.st, names: m.names, auto: m.auto}
	m.bind(in, a)
	at := f.st.at
	s := f.st.capture(func() { m.body(in) })
	f.st.at = at
	if m.auto {
		return markup(s)
	}
	return stringValue(s)
}

// bind puts the arguments into the slots of the macro's frame.
func (m *macro) bind(in *frame, a args) {
	given := make([]bool, len(m.params))
	for i, v := range a.pos {
		if i < len(m.params) {
			in.slots[m.slots[i]], given[i] = v, true
		} else if m.varargs < 0 {
			raise(KindRuntime, "the macro %q takes %d arguments at most, %d were given", m.name, len(m.params), len(a.pos))
		}
	}
	if m.varargs >= 0 {
		in.slots[m.varargs] = tupleValue(slices.Clone(a.pos[min(len(a.pos), len(m.params)):])...)
	}
	var kwargs *dict
	if m.kwargs >= 0 {
		kwargs = newDict()
		in.slots[m.kwargs] = object(kwargs)
	}
	hasCaller := false
	for _, k := range a.kw {
		i := slices.Index(m.params, k.name)
		switch {
		case i >= 0 && given[i]:
			raise(KindRuntime, "the macro %q got its argument %q twice", m.name, k.name)
		case i >= 0:
			in.slots[m.slots[i]], given[i] = k.v, true
		case k.name == "caller" && m.caller >= 0:
			in.slots[m.caller], hasCaller = k.v, true
		case k.name == "caller":
			raise(KindRuntime, "the macro %q does not use caller(), so it cannot be used with {%% call %%}", m.name)
		case kwargs != nil:
			kwargs.set(stringValue(k.name), k.v)
		default:
			raise(KindRuntime, "the macro %q has no argument %q%s", m.name, k.name, suggest(k.name, slices.Values(m.params)))
		}
	}
	if m.caller >= 0 && !hasCaller && !slices.Contains(m.params, "caller") {
		in.slots[m.caller] = value{k: kUndefined, s: "caller", o: "there is no caller: the macro was not used with {% call %}"}
	}
	for i, ok := range given {
		if ok {
			continue
		}
		if d := m.defaults[i]; d != nil {
			in.slots[m.slots[i]] = d(in)
		} else {
			in.slots[m.slots[i]] = value{k: kUndefined, s: m.params[i], o: "the argument \"" + m.params[i] + "\" was not given"}
		}
	}
}
