package template

import "strings"

type filterFn = func(f *frame, v value, a argv) value

// The built-in filters: Jinja's, and format_number.
func builtinFilters() map[string]*builtin {
	m := map[string]*builtin{}
	add := func(names, params string, fn filterFn) {
		for _, name := range strings.Fields(names) {
			m[name] = &builtin{name: name, params: strings.Fields(params), fn: fn}
		}
	}
	raw := func(name string, fn func(*frame, value, args) value) { m[name] = &builtin{name: name, raw: fn} }
	textFilters(add, raw)
	htmlFilters(add)
	numberFilters(add)
	listFilters(add)
	for _, name := range []string{"map", "select", "reject", "selectattr", "rejectattr"} {
		raw(name, selecting(name))
	}
	add("default d", "default_value boolean", func(f *frame, v value, a argv) value {
		if v.k == kUndefined || a.bool(1, false) && !truth(v) {
			if a.has(0) {
				return a[0]
			}
			return stringValue("")
		}
		return v
	})
	add("attr", "name", func(f *frame, v value, a argv) value {
		if isMapping(v) {
			return undefined(a.str(0, ""))
		}
		return getAttr(f, v, a.str(0, ""), false)
	})
	return m
}
