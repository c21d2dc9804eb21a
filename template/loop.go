package template

// loop is what a template sees as "loop".
type loop struct {
	seq     sequence
	i       int
	depth   int
	changed []value
	again   func(f *frame, v value, depth int) value // of a recursive loop
}

func (l *loop) attr(f *frame, name string) (value, bool) {
	switch name {
	case "index":
		return intValue(int64(l.i + 1)), true
	case "index0":
		return intValue(int64(l.i)), true
	case "revindex":
		return intValue(int64(l.seq.n - l.i)), true
	case "revindex0":
		return intValue(int64(l.seq.n - l.i - 1)), true
	case "first":
		return boolValue(l.i == 0), true
	case "last":
		return boolValue(l.i == l.seq.n-1), true
	case "length":
		return intValue(int64(l.seq.n)), true
	case "depth":
		return intValue(int64(l.depth + 1)), true
	case "depth0":
		return intValue(int64(l.depth)), true
	case "previtem":
		if l.i > 0 {
			return l.seq.at(l.i - 1), true
		}
		return undefined("there is no previous item"), true
	case "nextitem":
		if l.i+1 < l.seq.n {
			return l.seq.at(l.i + 1), true
		}
		return undefined("there is no next item"), true
	case "cycle":
		return object(&builtin{name: "loop.cycle", raw: func(f *frame, _ value, a args) value {
			if len(a.pos) == 0 {
				raise(KindRuntime, "loop.cycle needs values")
			}
			return a.pos[l.i%len(a.pos)]
		}}), true
	case "changed":
		return object(&builtin{name: "loop.changed", raw: func(f *frame, _ value, a args) value {
			same := l.changed != nil && equal(f, listValue(l.changed), listValue(a.pos))
			l.changed = append([]value{}, a.pos...)
			return boolValue(!same)
		}}), true
	}
	return value{}, false
}

func (l *loop) title() string { return "loop" }

func (l *loop) call(f *frame, a args) value {
	if l.again == nil {
		raise(KindRuntime, "the loop is not recursive: write {%% for … recursive %%}")
	}
	if len(a.pos) != 1 {
		raise(KindRuntime, "loop takes one argument, what to go over")
	}
	return l.again(f, a.pos[0], l.depth+1)
}

// loopCode is a compiled for loop.
type loopCode struct {
	pos       *position
	target    func(*frame, value)
	slot      int // of a target that is one name, or -1
	loopSlot  int
	keep      bool // the body may read "loop"
	filter    eval
	recursive bool
	body      exec
	otherwise exec
	low, high int // the slots of the body, saved around a recursion
}

func (c *compiler) forTag(s *forS) exec {
	code := &loopCode{pos: s.pos, recursive: s.recursive, keep: s.recursive || mentionsLoop(s), slot: -1}
	iter := c.expr(s.iter)
	code.low = c.scope.fn.slots
	if c.contextual() && !c.extended && !c.mayEnd {
		c.loopBodyInPlace(code, s)
	} else {
		c.loopBody(code, s)
	}
	code.high = c.scope.fn.slots
	if len(s.otherwise) > 0 {
		after := c.esc
		code.otherwise = c.inner(c.scope.fn, s.otherwise, nil, nil)
		if c.contextual() && !c.mayEnd {
			c.esc = c.joined(s.pos, []escContext{after, c.esc})
		}
	}
	return func(f *frame) signal {
		v := iter(f)
		f.st.at = code.pos
		code.run(f, v, 0)
		return goOn
	}
}

func (c *compiler) loopBody(code *loopCode, s *forS) {
	own := append(targetNames(s.target, nil), "loop")
	c.loopEsc = append(c.loopEsc, c.esc)
	code.body = c.inner(c.scope.fn, s.body, own, func() {
		code.target = c.assign(s.target)
		if name, ok := s.target.(*nameX); ok {
			code.slot = c.scope.slots[name.name]
		}
		code.loopSlot = c.scope.slots["loop"]
		if s.filter != nil {
			code.filter = c.expr(s.filter)
		}
	})
	c.loopEsc = c.loopEsc[:len(c.loopEsc)-1]
}

// loopPlace is a loop that begins at a place in the page.
type loopPlace struct {
	s     *forS
	start escContext
}

// loopBodyInPlace compiles a body for the place where a turn begins: that behind a turn and that in front of the first
// have to be the same, or one that stands for both. Loops within it are compiled again each time, so what was found out
// about them is kept.
func (c *compiler) loopBodyInPlace(code *loopCode, s *forS) {
	place := loopPlace{s, c.esc}
	start := c.esc
	if known, ok := c.loopStarts[place]; ok {
		start = known
	}
	for {
		c.esc = start
		c.loopBody(code, s)
		next, ok := join(start, c.esc)
		if !ok {
			c.fail(s.pos, "the loop begins in %s but ends in %s", start, c.esc)
		}
		c.esc = next
		if next == start {
			break
		}
		start = next
	}
	if c.loopStarts == nil {
		c.loopStarts = map[loopPlace]escContext{}
	}
	c.loopStarts[place] = start
}

func (code *loopCode) run(f *frame, v value, depth int) {
	seq := iterate(v)
	if code.filter != nil {
		seq = code.filtered(f, seq)
	}
	if seq.n == 0 {
		if code.otherwise != nil {
			code.otherwise(f)
		}
		return
	}
	var l *loop
	if code.keep {
		l = &loop{seq: seq, depth: depth}
		if code.recursive {
			l.again = code.again
		}
	}
	for i := range seq.n {
		f.st.tick()
		if l != nil {
			l.i = i
			f.slots[code.loopSlot] = object(l)
		}
		if code.slot >= 0 {
			f.slots[code.slot] = seq.at(i)
		} else {
			code.target(f, seq.at(i))
		}
		if code.body(f) == breakLoop {
			return
		}
	}
}

func (code *loopCode) filtered(f *frame, seq sequence) sequence {
	items := []value{}
	f.slots[code.loopSlot] = undefined("loop")
	for i := range seq.n {
		f.st.tick()
		item := seq.at(i)
		code.target(f, item)
		if truth(code.filter(f)) {
			items = append(items, item)
		}
	}
	return sequence{n: len(items), items: items}
}

// again runs the loop over what loop(…) was given, for its output.
func (code *loopCode) again(f *frame, v value, depth int) value {
	saved := append([]value(nil), f.slots[code.low:code.high]...)
	at := f.st.at
	s := f.st.capture(func() { code.run(f, v, depth) })
	f.st.at = at
	copy(f.slots[code.low:code.high], saved)
	if f.auto {
		return markup(s)
	}
	return stringValue(s)
}
