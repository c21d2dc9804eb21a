package template

import (
	"strings"
)

// The built-in functions: range, dict, namespace, cycler, joiner, lipsum.

type namespace struct{ vars *dict }

func (n *namespace) attr(f *frame, name string) (value, bool) { return n.vars.get(stringValue(name)) }

type cycler struct {
	items []value
	i     int
}

func (c *cycler) attr(f *frame, name string) (value, bool) {
	switch name {
	case "current":
		return c.items[c.i], true
	case "next":
		return object(&builtin{name: "next", fn: func(*frame, value, argv) value {
			v := c.items[c.i]
			c.i = (c.i + 1) % len(c.items)
			return v
		}}), true
	case "reset":
		return object(&builtin{name: "reset", fn: func(*frame, value, argv) value { c.i = 0; return none }}), true
	}
	return value{}, false
}

type joiner struct {
	sep  value
	used bool
}

func (j *joiner) title() string { return "joiner" }

func (j *joiner) call(f *frame, a args) value {
	if !j.used {
		j.used = true
		return stringValue("")
	}
	return j.sep
}

// maxRange is how many numbers range gives at most, as in Jinja's sandbox.
const maxRange = 100_000

func builtinGlobals() map[string]value {
	m := map[string]value{}
	raw := func(name string, fn func(*frame, value, args) value) {
		m[name] = object(&builtin{name: name, raw: fn})
	}
	raw("range", func(f *frame, _ value, a args) value {
		in := argv(a.pos)
		if len(in) < 1 || len(in) > 3 || len(a.kw) > 0 {
			raise(KindRuntime, "range takes one to three numbers")
		}
		start, stop, step := 0, in.int(0, 0), 1
		if len(in) > 1 {
			start, stop = stop, in.int(1, 0)
		}
		if len(in) > 2 {
			step = in.int(2, 1)
		}
		if step == 0 {
			raise(KindRuntime, "the step of range cannot be zero")
		}
		var items []value
		for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
			if len(items) == maxRange {
				raise(KindLimit, "range gives more than %d numbers", maxRange)
			}
			items = append(items, intValue(int64(i)))
		}
		return listValue(items)
	})
	raw("dict", dictMaker("dict", func(d *dict) value { return object(d) }))
	raw("namespace", dictMaker("namespace", func(d *dict) value { return object(&namespace{d}) }))
	raw("cycler", func(f *frame, _ value, a args) value {
		if len(a.pos) == 0 {
			raise(KindRuntime, "cycler needs values")
		}
		return object(&cycler{items: a.pos})
	})
	m["joiner"] = object(&builtin{name: "joiner", params: []string{"sep"}, fn: func(f *frame, _ value, a argv) value {
		if len(a) > 0 && a.has(0) {
			return object(&joiner{sep: a[0]})
		}
		return object(&joiner{sep: stringValue(", ")})
	}})
	m["lipsum"] = object(&builtin{name: "lipsum", params: []string{"n", "html", "min", "max"}, fn: func(f *frame, _ value, a argv) value {
		const sentence = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua."
		n, tags := 5, true
		if len(a) > 0 {
			n, tags = max(0, min(a.int(0, 5), 1000)), a.bool(1, true)
		}
		if !tags {
			return stringValue(strings.TrimSuffix(strings.Repeat(sentence+"\n\n", n), "\n\n"))
		}
		return markup(strings.TrimSuffix(strings.Repeat("<p>"+sentence+"</p>\n", n), "\n"))
	}})
	return m
}

// dictMaker makes what dict and namespace are made of: mappings, pairs and keywords.
func dictMaker(name string, done func(*dict) value) func(*frame, value, args) value {
	return func(f *frame, _ value, a args) value {
		d := newDict()
		for _, p := range a.pos {
			if isMapping(p) {
				for _, e := range pairs(p) {
					d.set(e.o.(*list).items[0], e.o.(*list).items[1])
				}
				continue
			}
			s := iterate(p)
			for i := range s.n {
				pair := iterate(s.at(i))
				if pair.n != 2 {
					raise(KindRuntime, "%s takes a mapping or pairs", name)
				}
				d.set(pair.at(0), pair.at(1))
			}
		}
		for _, k := range a.kw {
			d.set(stringValue(k.name), k.v)
		}
		return done(d)
	}
}
