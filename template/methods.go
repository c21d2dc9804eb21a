package template

import (
	"slices"
	"strings"
	"unicode"
)

// Methods that strings, lists and mappings have in Python and that templates use.

type method struct {
	params string
	fn     filterFn
	raw    func(*frame, value, args) value
}

var textMethods, listMethods, dictMethods map[string]method

func init() {
	onText := func(fn func(string) string) method {
		return method{fn: func(f *frame, v value, _ argv) value { return v.like(fn(v.s)) }}
	}
	check := func(fn func(rune) bool) method {
		return method{fn: func(f *frame, v value, _ argv) value {
			return boolValue(v.s != "" && strings.IndexFunc(v.s, func(r rune) bool { return !fn(r) }) < 0)
		}}
	}
	trim := func(cut func(string, string) string) method {
		return method{params: "chars", fn: func(f *frame, v value, a argv) value {
			if len(a) > 0 && a.has(0) && a[0].k != kNone {
				return v.like(cut(v.s, a.str(0, "")))
			}
			return v.like(cut(v.s, " \t\n\r\f\v"))
		}}
	}
	affix := func(fn func(string, string) bool) method {
		return method{params: "text", fn: func(f *frame, v value, a argv) value {
			if isTuple(a[0]) {
				return boolValue(slices.ContainsFunc(a[0].o.(*list).items, func(x value) bool { return fn(v.s, str(x)) }))
			}
			return boolValue(fn(v.s, str(a[0])))
		}}
	}
	textMethods = map[string]method{
		"upper": onText(upper), "lower": onText(strings.ToLower), "capitalize": onText(capitalize), "title": onText(titleCase),
		"strip": trim(strings.Trim), "lstrip": trim(strings.TrimLeft), "rstrip": trim(strings.TrimRight),
		"startswith": affix(strings.HasPrefix), "endswith": affix(strings.HasSuffix),
		"isdigit": check(unicode.IsDigit), "isalpha": check(unicode.IsLetter), "isspace": check(unicode.IsSpace),
		"isalnum": check(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }),
		"replace": {params: "old new count", fn: func(f *frame, v value, a argv) value {
			f.st.grow(strings.Count(v.s, a.str(0, "")) * len(a.str(1, "")))
			return v.like(strings.Replace(v.s, a.str(0, ""), a.str(1, ""), a.int(2, -1)))
		}},
		"split": {params: "sep maxsplit", fn: split},
		"splitlines": {fn: func(f *frame, v value, _ argv) value {
			return textList(v, splitLines(v.s))
		}},
		"join":   {params: "items", fn: func(f *frame, v value, a argv) value { return joinItems(f, a[0], argv{v, {k: kMissing}}) }},
		"find":   {params: "text", fn: func(f *frame, v value, a argv) value { return runeIndex(v.s, a.str(0, "")) }},
		"count":  {params: "text", fn: func(f *frame, v value, a argv) value { return intValue(int64(strings.Count(v.s, a.str(0, "")))) }},
		"format": {raw: func(f *frame, v value, a args) value { return formatBraces(f, v, a) }},
	}
	sequenceMethods()
}

func sequenceMethods() {
	listMethods = map[string]method{
		"append": {params: "item", fn: func(f *frame, v value, a argv) value {
			l := v.o.(*list)
			if holds(f, a[0], l, 0) {
				raise(KindRuntime, "a list cannot contain itself")
			}
			f.st.grow(16 * len(l.items))
			l.items = append(l.items, a[0])
			return none
		}},
		"index": {params: "item", fn: func(f *frame, v value, a argv) value {
			for i, x := range v.o.(*list).items {
				if equal(f, x, a[0]) {
					return intValue(int64(i))
				}
			}
			raise(KindRuntime, "the item is not in the list")
			return value{}
		}},
		"count": {params: "item", fn: func(f *frame, v value, a argv) value {
			n := 0
			for _, x := range v.o.(*list).items {
				if equal(f, x, a[0]) {
					n++
				}
			}
			return intValue(int64(n))
		}},
		"pop": {fn: func(f *frame, v value, _ argv) value {
			l := v.o.(*list)
			if len(l.items) == 0 {
				raise(KindRuntime, "pop from an empty list")
			}
			x := l.items[len(l.items)-1]
			l.items = l.items[:len(l.items)-1]
			return x
		}},
	}
	dictMethods = map[string]method{
		"items":  {fn: func(f *frame, v value, _ argv) value { return listValue(pairs(v)) }},
		"keys":   {fn: func(f *frame, v value, _ argv) value { return listValue(slices.Clone(mapKeys(v))) }},
		"values": {fn: func(f *frame, v value, _ argv) value { return mapValues(v) }},
		"get": {params: "key default", fn: func(f *frame, v value, a argv) value {
			if x, ok := mapGet(v, a[0]); ok {
				return x
			}
			if a.has(1) {
				return a[1]
			}
			return none
		}},
	}
}

func mapValues(v value) value {
	var out []value
	for _, p := range pairs(v) {
		out = append(out, p.o.(*list).items[1])
	}
	return listValue(out)
}

// methodOf finds a method of a string, list or mapping.
func methodOf(v value, name string) *bound {
	var m method
	var ok bool
	switch {
	case v.isText():
		m, ok = textMethods[name]
	case v.k == kObject && isMapping(v):
		m, ok = dictMethods[name]
	case isList(v):
		m, ok = listMethods[name]
		if l := v.o.(*list); l.tuple && (name == "append" || name == "pop") {
			ok = false
		}
	}
	if !ok {
		return nil
	}
	return &bound{&builtin{name: name, params: strings.Fields(m.params), fn: m.fn, raw: m.raw}, v}
}

// holds reports whether a value is a list or is reached from it.
func holds(f *frame, v value, l *list, depth int) bool {
	if v.k != kObject || depth > 30 {
		return depth > 30
	}
	f.st.look()
	switch o := v.o.(type) {
	case *list:
		return o == l || slices.ContainsFunc(o.items, func(x value) bool { return holds(f, x, l, depth+1) })
	case *dict:
		return slices.ContainsFunc(o.values, func(x value) bool { return holds(f, x, l, depth+1) })
	}
	return false
}

func textList(v value, list []string) value {
	items := make([]value, len(list))
	for i, s := range list {
		items[i] = v.like(s)
	}
	return listValue(items)
}

func split(f *frame, v value, a argv) value {
	if len(a) == 0 || !a.has(0) || a[0].k == kNone {
		return textList(v, strings.Fields(v.s))
	}
	sep := a.str(0, "")
	if sep == "" {
		raise(KindRuntime, "split needs a separator")
	}
	n := a.int(1, -1)
	if n >= 0 {
		n++
	}
	return textList(v, strings.SplitN(v.s, sep, n))
}

func runeIndex(s, part string) value {
	i := strings.Index(s, part)
	if i > 0 {
		i = len([]rune(s[:i]))
	}
	return intValue(int64(i))
}
