package template

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// The built-in tests.
func builtinTests() map[string]*builtin {
	m := map[string]*builtin{}
	add := func(names, params string, fn func(f *frame, v value, a argv) bool) {
		for _, name := range strings.Fields(names) {
			m[name] = &builtin{name: name, params: strings.Fields(params), fn: func(f *frame, v value, a argv) value {
				return boolValue(fn(f, v, a))
			}}
		}
	}
	kinds := func(name string, list ...kind) {
		add(name, "", func(f *frame, v value, _ argv) bool { return slices.Contains(list, plain(v).k) })
	}
	kinds("undefined", kUndefined)
	add("defined", "", func(f *frame, v value, _ argv) bool { return v.k != kUndefined })
	kinds("none", kNone)
	kinds("boolean", kBool)
	kinds("integer", kInt)
	kinds("float", kFloat)
	kinds("number", kInt, kFloat, kBool)
	kinds("string", kString, kMarkup)
	kinds("escaped", kMarkup)
	add("true", "", func(f *frame, v value, _ argv) bool { return v.k == kBool && v.n == 1 })
	add("false", "", func(f *frame, v value, _ argv) bool { return v.k == kBool && v.n == 0 })
	add("mapping", "", func(f *frame, v value, _ argv) bool { return isMapping(v) })
	add("iterable", "", func(f *frame, v value, _ argv) bool {
		_, ok := sequenceOf(v)
		return ok
	})
	add("sequence", "", func(f *frame, v value, _ argv) bool { return v.isText() || isSequence(v) || v.k == kUndefined })
	add("callable", "", func(f *frame, v value, _ argv) bool {
		if v.k != kObject {
			return false
		}
		_, ok := v.o.(callable)
		return ok || reflect.TypeOf(v.o).Kind() == reflect.Func
	})
	add("odd", "", func(f *frame, v value, _ argv) bool { return equal(f, arithmetic(f, "%", v, intValue(2)), intValue(1)) })
	add("even", "", func(f *frame, v value, _ argv) bool { return equal(f, arithmetic(f, "%", v, intValue(2)), intValue(0)) })
	add("divisibleby", "num", func(f *frame, v value, a argv) bool { return equal(f, arithmetic(f, "%", v, a[0]), intValue(0)) })
	add("lower", "", func(f *frame, v value, _ argv) bool { return inCase(str(v), unicode.IsLower, unicode.IsUpper) })
	add("upper", "", func(f *frame, v value, _ argv) bool { return inCase(str(v), unicode.IsUpper, unicode.IsLower) })
	add("sameas", "other", func(f *frame, v value, a argv) bool {
		w := a[0]
		if v.k != w.k {
			return false
		}
		if v.k == kObject {
			t := reflect.TypeOf(v.o)
			return t == reflect.TypeOf(w.o) && t.Comparable() && v.o == w.o
		}
		return v.n == w.n && v.s == w.s
	})
	add("in", "seq", func(f *frame, v value, a argv) bool { return contains(f, v, a[0]) })
	add("filter", "", func(f *frame, v value, _ argv) bool { return f.st.engine.filters[str(v)] != nil })
	add("test", "", func(f *frame, v value, _ argv) bool { return f.st.engine.tests[str(v)] != nil })
	for names, op := range map[string]string{"eq equalto ==": "==", "ne !=": "!=", "lt lessthan <": "<", "le <=": "<=", "gt greaterthan >": ">", "ge >=": ">="} {
		add(names, "other", func(f *frame, v value, a argv) bool { return compareOp(f, op, v, a[0]) })
	}
	return m
}

// inCase reports whether all letters of a text that have a case have this one, and there are any.
func inCase(s string, this, other func(rune) bool) bool {
	found := false
	for _, r := range s {
		if other(r) || unicode.IsTitle(r) {
			return false
		}
		found = found || this(r)
	}
	return found
}
