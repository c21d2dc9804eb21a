package template

import (
	"reflect"
	"strconv"
)

// A line is text and values that follow each other without a tag between them, run by one closure. Most of a page is
// lines, and most values in them are fields of a loop's variable, as in {{ user.name }}: those are read and written
// here without making a value of them. Everything else a piece leaves to its slow closure.

type piece struct {
	before string     // the text in front of the value
	slow   exec       // writes the value; nil if there is none
	field  *attribute // the value is this attribute of the variable in slot, or nil
	slot   int
	esc    escaper
}

type line []piece

func (l line) run(f *frame) signal {
	r := f.st
	out := r.out
	for i := range l {
		p := &l[i]
		out = append(out, p.before...)
		if p.slow == nil {
			continue
		}
		if p.field != nil && f.auto {
			if next, ok := p.write(out, &f.slots[p.slot]); ok {
				out = next
				continue
			}
		}
		r.out = out
		p.slow(f)
		out = r.out
	}
	r.out = out
	if len(out) > r.limits.MaxOutput {
		r.grow(0)
	}
	return goOn
}

// write appends a scalar field, escaped; ok is false where the slow way has to be taken.
func (p *piece) write(out []byte, v *value) ([]byte, bool) {
	if m, ok := v.o.(map[string]any); ok {
		switch x := m[p.field.name].(type) {
		case string:
			if p.esc.text != nil {
				return p.esc.text(out, x), true
			}
		case int:
			if p.esc.digits {
				return strconv.AppendInt(out, int64(x), 10), true
			}
		}
		return out, false
	}
	rv, kind := p.field.last.Load().scalarOf(v)
	switch {
	case kind == reflect.String && p.esc.text != nil:
		return p.esc.text(out, rv.String()), true
	case kind == reflect.Int && p.esc.digits:
		return strconv.AppendInt(out, rv.Int(), 10), true
	}
	return out, false
}

// line compiles the longest run of text and values that a list begins with, and gives what is left of the list.
func (c *compiler) line(list []stmt) (line, []stmt) {
	var l line
	text := ""
	for len(list) > 0 {
		switch s := list[0].(type) {
		case *textS:
			text += c.text(s)
		case *outputS:
			p := c.output(s)
			p.before = text
			text = ""
			l = append(l, p)
		default:
			return l.with(text), list
		}
		list = list[1:]
	}
	return l.with(text), list
}

func (l line) with(text string) line {
	if text == "" {
		return l
	}
	return append(l, piece{before: text})
}

// condition compiles an expression of which only the truth counts.
func (c *compiler) condition(x expr) func(*frame) bool {
	switch x := x.(type) {
	case *attrX:
		if slot, ok := c.local(x.of); ok {
			a := &attribute{name: x.name}
			slow := c.attrAt(x, a, false)
			return func(f *frame) bool {
				if rv, kind := a.last.Load().scalarOf(&f.slots[slot]); kind == reflect.Bool {
					return rv.Bool()
				}
				return truth(slow(f))
			}
		}
	case *unaryX:
		if x.op == "not" {
			of := c.condition(x.of)
			return func(f *frame) bool { return !of(f) }
		}
	case *binaryX:
		switch x.op {
		case "and":
			left, right := c.condition(x.left), c.condition(x.right)
			return func(f *frame) bool { return left(f) && right(f) }
		case "or":
			left, right := c.condition(x.left), c.condition(x.right)
			return func(f *frame) bool { return left(f) || right(f) }
		}
	}
	get := c.expr(x)
	return func(f *frame) bool { return truth(get(f)) }
}

// local gives the slot of a variable of the function that is compiled.
func (c *compiler) local(x expr) (slot int, ok bool) {
	n, isName := x.(*nameX)
	if !isName {
		return 0, false
	}
	up, slot, ok := c.find(n.name)
	return slot, ok && up == 0
}
