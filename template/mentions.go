package template

// mentionedNames notes the names that are read in a macro: varargs, kwargs and caller exist in those that mention them.
func mentionedNames(m *macroS, names map[string]bool) {
	if m.name == "" {
		return // the body of a call block sees those of the macro around it
	}
	w := mentions(names)
	w.exprs(m.defaults...)
	w.stmts(m.body)
}

// mentionsLoop reports whether the body of a loop may read its "loop": it names it, or hands its variables on.
func mentionsLoop(s *forS) bool {
	w := mentions{}
	w.stmts(s.body)
	return w["loop"]
}

type mentions map[string]bool

func (m mentions) args(a arguments) {
	m.exprs(a.pos...)
	for _, k := range a.kw {
		m.exprs(k.value)
	}
	m.exprs(a.star, a.doubleStar)
}

func (m mentions) exprs(list ...expr) {
	for _, x := range list {
		switch x := x.(type) {
		case *nameX:
			m[x.name] = true
		case *listX:
			m.exprs(x.items...)
		case *dictX:
			m.exprs(x.keys...)
			m.exprs(x.values...)
		case *attrX:
			m.exprs(x.of)
		case *itemX:
			m.exprs(x.of, x.index)
		case *sliceX:
			m.exprs(x.of, x.start, x.stop, x.step)
		case *callX:
			m.exprs(x.fn)
			m.args(x.args)
		case *filterX:
			m.exprs(x.of)
			m.args(x.args)
		case *testX:
			m.exprs(x.of)
			m.args(x.args)
		case *unaryX:
			m.exprs(x.of)
		case *binaryX:
			m.exprs(x.left, x.right)
		case *concatX:
			m.exprs(x.parts...)
		case *compareX:
			m.exprs(x.first)
			m.exprs(x.rest...)
		case *condX:
			m.exprs(x.test, x.then, x.otherwise)
		}
	}
}

func (m mentions) stmts(list []stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *outputS:
			m.exprs(s.x)
		case *ifS:
			m.exprs(s.tests...)
			for _, b := range s.bodies {
				m.stmts(b)
			}
		case *forS:
			m.exprs(s.iter, s.filter)
			m.stmts(s.body)
			m.stmts(s.otherwise)
		case *setS:
			m.exprs(s.value)
		case *setBlockS:
			m.exprs(s.filter)
			m.stmts(s.body)
		case *withS:
			m.exprs(s.values...)
			m.stmts(s.body)
		case *filterS:
			m.exprs(s.filter)
			m.stmts(s.body)
		case *autoescapeS:
			m.exprs(s.on)
			m.stmts(s.body)
		case *includeS:
			m.exprs(s.name)
			m["loop"] = true
		case *importS:
			m.exprs(s.name)
			m["loop"] = true
		case *macroS, *blockS:
			m["loop"] = true
		case *callS:
			m.exprs(s.call)
			m.stmts(s.body.body)
		case *doS:
			m.exprs(s.x)
		}
	}
}
