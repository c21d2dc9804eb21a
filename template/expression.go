package template

import (
	"maps"
	"reflect"
)

// expr compiles an expression.
func (c *compiler) expr(x expr) eval {
	switch x := x.(type) {
	case *constX:
		v := x.v
		return func(*frame) value { return v }
	case *nameX:
		if v := c.special(x); v != nil {
			return v
		}
		return c.variable(x.name)
	case *attrX:
		return c.attr(x, false)
	case *itemX:
		of, index, pos := c.expr(x.of), c.expr(x.index), x.pos
		return func(f *frame) value {
			v, i := of(f), index(f)
			f.st.at = pos
			return getItem(f, v, i)
		}
	case *sliceX:
		return c.slice(x)
	case *callX:
		return c.call(x)
	case *filterX:
		return c.filter(x, c.expr(x.of))
	case *testX:
		return c.test(x)
	case *listX:
		items, tuple := c.exprs(x.items), x.tuple
		return func(f *frame) value { return object(&list{items: evalAll(f, items), tuple: tuple}) }
	case *dictX:
		keys, values, pos := c.exprs(x.keys), c.exprs(x.values), x.pos
		return func(f *frame) value {
			d := newDict()
			for i := range keys {
				k, v := keys[i](f), values[i](f)
				f.st.at = pos
				d.set(k, v)
			}
			return object(d)
		}
	}
	return c.operator(x)
}

func (c *compiler) exprs(list []expr) []eval {
	out := make([]eval, len(list))
	for i, x := range list {
		out[i] = c.expr(x)
	}
	return out
}

func evalAll(f *frame, list []eval) []value {
	if len(list) == 0 {
		return nil
	}
	out := make([]value, len(list))
	for i, e := range list {
		out[i] = e(f)
	}
	return out
}

func (c *compiler) operator(x expr) eval {
	switch x := x.(type) {
	case *unaryX:
		of, op, pos := c.expr(x.of), x.op, x.pos
		if op == "not" {
			return func(f *frame) value { return boolValue(!truth(of(f))) }
		}
		return func(f *frame) value {
			v := of(f)
			f.st.at = pos
			return negate(op, v)
		}
	case *binaryX:
		left, right, op, pos := c.expr(x.left), c.expr(x.right), x.op, x.pos
		switch op {
		case "and":
			return func(f *frame) value {
				if v := left(f); !truth(v) {
					return v
				}
				return right(f)
			}
		case "or":
			return func(f *frame) value {
				if v := left(f); truth(v) {
					return v
				}
				return right(f)
			}
		}
		return func(f *frame) value {
			a, b := left(f), right(f)
			f.st.at = pos
			return arithmetic(f, op, a, b)
		}
	case *concatX:
		parts, pos := c.exprs(x.parts), x.pos
		return func(f *frame) value {
			values := evalAll(f, parts)
			f.st.at = pos
			return concat(f, values)
		}
	case *compareX:
		return c.compare(x)
	case *condX:
		test, then, pos := c.expr(x.test), c.expr(x.then), x.pos
		otherwise := func(*frame) value {
			return value{k: kUndefined, s: "else", o: "the inline if has no else"}
		}
		if x.otherwise != nil {
			otherwise = c.expr(x.otherwise)
		}
		return func(f *frame) value {
			f.st.at = pos
			if truth(test(f)) {
				return then(f)
			}
			return otherwise(f)
		}
	}
	panic(x.where().fault(KindSyntax, "unknown expression"))
}

func concat(f *frame, values []value) value {
	safe, n := false, 0
	for _, v := range values {
		safe = safe || v.k == kMarkup && f.auto
		n += len(v.s)
	}
	f.st.grow(n)
	var b []byte
	for _, v := range values {
		if safe {
			b = append(b, escapeHTML(v)...)
		} else {
			b = append(b, str(v)...)
		}
	}
	if safe {
		return markup(string(b))
	}
	return stringValue(string(b))
}

func (c *compiler) compare(x *compareX) eval {
	first, rest, ops, pos := c.expr(x.first), c.exprs(x.rest), x.ops, x.pos
	if len(ops) == 1 {
		right, op := rest[0], ops[0]
		return func(f *frame) value {
			a, b := first(f), right(f)
			f.st.at = pos
			return boolValue(compareOp(f, op, a, b))
		}
	}
	return func(f *frame) value {
		a := first(f)
		for i, op := range ops {
			b := rest[i](f)
			f.st.at = pos
			if !compareOp(f, op, a, b) {
				return boolValue(false)
			}
			a = b
		}
		return boolValue(true)
	}
}

func (c *compiler) attr(x *attrX, forCall bool) eval {
	return c.attrAt(x, &attribute{name: x.name}, forCall)
}

func (c *compiler) attrAt(x *attrX, a *attribute, forCall bool) eval {
	of, pos := c.expr(x.of), x.pos
	if slot, ok := c.local(x.of); ok {
		return func(f *frame) value {
			switch rv, kind := a.last.Load().scalarOf(&f.slots[slot]); kind {
			case reflect.String:
				return value{k: kString, s: rv.String()}
			case reflect.Int:
				return value{k: kInt, n: uint64(rv.Int())}
			case reflect.Bool:
				return boolValue(rv.Bool())
			}
			v := of(f)
			f.st.at = pos
			return a.of(f, v, forCall)
		}
	}
	return func(f *frame) value {
		v := of(f)
		f.st.at = pos
		return a.of(f, v, forCall)
	}
}

func (c *compiler) slice(x *sliceX) eval {
	of, pos := c.expr(x.of), x.pos
	var parts [3]eval
	for i, p := range []expr{x.start, x.stop, x.step} {
		if p != nil {
			parts[i] = c.expr(p)
		}
	}
	return func(f *frame) value {
		v := of(f)
		var n [3]*int
		for i, p := range parts {
			if p != nil {
				if pv := p(f); pv.k != kNone {
					k := argv{pv}.int(0, 0)
					n[i] = &k
				}
			}
		}
		f.st.at = pos
		return sliceOf(v, n[0], n[1], n[2])
	}
}

// sliceOf is Python's v[start:stop:step].
func sliceOf(v value, start, stop, step *int) value {
	need(v)
	s := iterate(v)
	by := 1
	if step != nil {
		by = *step
	}
	if by == 0 {
		raise(KindRuntime, "the step of a slice cannot be zero")
	}
	clamp := func(p *int, otherwise, low, high int) int {
		if p == nil {
			return otherwise
		}
		i := *p
		if i < 0 {
			i += s.n
		}
		return max(low, min(high, i))
	}
	var items []value
	if by > 0 {
		for i, end := clamp(start, 0, 0, s.n), clamp(stop, s.n, 0, s.n); i < end; i += by {
			items = append(items, s.at(i))
		}
	} else {
		for i, end := clamp(start, s.n-1, -1, s.n-1), clamp(stop, -1, -1, s.n-1); i > end; i += by {
			items = append(items, s.at(i))
		}
	}
	if v.isText() {
		var b []byte
		for _, r := range items {
			b = append(b, r.s...)
		}
		return v.like(string(b))
	}
	return object(&list{items: items, tuple: isTuple(v)})
}

// arguments compiles the arguments of a call.
func (c *compiler) arguments(a *arguments) func(*frame) args {
	pos := c.exprs(a.pos)
	kw := make([]eval, len(a.kw))
	for i, k := range a.kw {
		kw[i] = c.expr(k.value)
	}
	var star, doubleStar eval
	if a.star != nil {
		star = c.expr(a.star)
	}
	if a.doubleStar != nil {
		doubleStar = c.expr(a.doubleStar)
	}
	if len(pos) == 0 && len(kw) == 0 && star == nil && doubleStar == nil {
		return func(*frame) args { return args{} }
	}
	return func(f *frame) args {
		out := args{pos: evalAll(f, pos)}
		if len(kw) > 0 {
			out.kw = make([]kwArg, len(kw))
		}
		for i, e := range kw {
			out.kw[i] = kwArg{a.kw[i].name, e(f)}
		}
		if star != nil {
			s := iterate(star(f))
			out.pos = append(out.pos, s.all()...)
		}
		if doubleStar != nil {
			m := doubleStar(f)
			for _, p := range pairs(m) {
				item := p.o.(*list).items
				out.kw = append(out.kw, kwArg{str(item[0]), item[1]})
			}
		}
		return out
	}
}

func (c *compiler) call(x *callX) eval {
	var fn eval
	if a, ok := x.fn.(*attrX); ok {
		fn = c.attr(a, true)
	} else {
		fn = c.expr(x.fn)
	}
	get, pos := c.arguments(&x.args), x.pos
	return func(f *frame) value {
		v, a := fn(f), get(f)
		f.st.at = pos
		return call(f, v, a)
	}
}

// filter compiles one filter applied to what of gives.
func (c *compiler) filter(x *filterX, of eval) eval {
	b := c.engine.filters[x.name]
	if b == nil {
		c.fail(x.pos, "unknown filter %q%s", x.name, suggest(x.name, maps.Keys(c.engine.filters)))
	}
	if x.name == "xmlattr" && c.contextual() && c.engine.options.Filters[x.name] == nil {
		b = c.attributesFilter(x)
	}
	return c.apply(b, x.pos, of, &x.args)
}

func (c *compiler) test(x *testX) eval {
	b := c.engine.tests[x.name]
	if b == nil {
		c.fail(x.pos, "unknown test %q%s", x.name, suggest(x.name, maps.Keys(c.engine.tests)))
	}
	run := c.apply(b, x.pos, c.expr(x.of), &x.args)
	not := x.not
	return func(f *frame) value { return boolValue(truth(run(f)) != not) }
}

// apply compiles a filter or test: where its arguments stand in the text, they are put in order here.
func (c *compiler) apply(b *builtin, pos *position, of eval, a *arguments) eval {
	get := c.arguments(a)
	if b.raw != nil || a.star != nil || a.doubleStar != nil {
		return func(f *frame) value {
			v, in := of(f), get(f)
			f.st.at = pos
			return b.apply(f, v, in)
		}
	}
	func() {
		defer func() {
			if e, ok := recover().(*Error); ok {
				e.Kind = KindSyntax
				pos.place(e)
				panic(e)
			}
		}()
		check := args{pos: make([]value, len(a.pos))}
		for _, k := range a.kw {
			check.kw = append(check.kw, kwArg{name: k.name})
		}
		b.bind(check)
	}()
	if constant(a) {
		fixed := b.bind(get(nil))
		return func(f *frame) value {
			v := of(f)
			f.st.at = pos
			return b.fn(f, v, fixed)
		}
	}
	return func(f *frame) value {
		v, in := of(f), get(f)
		f.st.at = pos
		return b.fn(f, v, b.bind(in))
	}
}

func constant(a *arguments) bool {
	for _, x := range a.pos {
		if _, ok := x.(*constX); !ok {
			return false
		}
	}
	for _, k := range a.kw {
		if _, ok := k.value.(*constX); !ok {
			return false
		}
	}
	return true
}
