package template

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// sequence reads something that can be iterated by index, without copying it where it is a slice.
type sequence struct {
	n     int
	items []value
	rv    reflect.Value
}

func (s *sequence) at(i int) value {
	if s.items != nil {
		return s.items[i]
	}
	return fromReflect(s.rv.Index(i))
}

func (s *sequence) all() []value {
	if s.items != nil || s.n == 0 {
		return s.items
	}
	items := make([]value, s.n)
	for i := range items {
		items[i] = s.at(i)
	}
	return items
}

// maxIterator is how many items are taken from an iterator that does not end by itself.
const maxIterator = 1_000_000

// sequenceOf gives what a for loop goes over: the keys of a mapping, the characters of a string, the items of the rest.
func sequenceOf(v value) (sequence, bool) {
	switch v.k {
	case kUndefined:
		return sequence{}, true
	case kString, kMarkup:
		var items []value
		for _, r := range v.s {
			items = append(items, stringValue(string(r)))
		}
		return sequence{n: len(items), items: items}, true
	case kObject:
	default:
		return sequence{}, false
	}
	switch o := v.o.(type) {
	case *list:
		return sequence{n: len(o.items), items: o.items}, true
	case *dict:
		return sequence{n: len(o.keys), items: o.keys}, true
	}
	rv := deref(v.o)
	switch rv.Kind() {
	case reflect.Slice, reflect.Array:
		return sequence{n: rv.Len(), rv: rv}, true
	case reflect.Map:
		keys := mapKeys(v)
		return sequence{n: len(keys), items: keys}, true
	case reflect.Func:
		return iteratorItems(rv)
	}
	return sequence{}, false
}

// iteratorItems collects what an iter.Seq or iter.Seq2 gives; pairs become tuples.
func iteratorItems(rv reflect.Value) (sequence, bool) {
	var items []value
	t := rv.Type()
	check := func() {
		if len(items) > maxIterator {
			raise(KindLimit, "an iterator gave more than %d items", maxIterator)
		}
	}
	switch {
	case t.CanSeq():
		for x := range rv.Seq() {
			items = append(items, fromReflect(x))
			check()
		}
	case t.CanSeq2():
		for k, x := range rv.Seq2() {
			if err, ok := x.Interface().(error); ok {
				raise(KindRuntime, "the iterator failed: %v", err)
			}
			if x.Type() == errorType {
				items = append(items, fromReflect(k))
			} else {
				items = append(items, tupleValue(fromReflect(k), fromReflect(x)))
			}
			check()
		}
	default:
		return sequence{}, false
	}
	return sequence{n: len(items), items: items}, true
}

// iterate is sequenceOf that stops the page when the value cannot be iterated.
func iterate(v value) sequence {
	s, ok := sequenceOf(v)
	if !ok {
		raise(KindRuntime, "a %s cannot be iterated", typeName(v))
	}
	return s
}

func isMapping(v value) bool {
	if v.k != kObject {
		return false
	}
	if _, ok := v.o.(*dict); ok {
		return true
	}
	return deref(v.o).Kind() == reflect.Map
}

// mapKeys gives a mapping's keys: a dict's in order, a Go map's sorted.
func mapKeys(v value) []value {
	if d, ok := v.o.(*dict); ok {
		return d.keys
	}
	if m, ok := v.o.(map[string]any); ok {
		keys := make([]value, 0, len(m))
		for k := range m {
			keys = append(keys, stringValue(k))
		}
		slices.SortFunc(keys, func(a, b value) int { return strings.Compare(a.s, b.s) })
		return keys
	}
	var keys []value
	for _, k := range deref(v.o).MapKeys() {
		keys = append(keys, fromReflect(k))
	}
	slices.SortFunc(keys, func(a, b value) int {
		if a.isNumber() && b.isNumber() {
			return cmp.Compare(a.asFloat(), b.asFloat())
		}
		return strings.Compare(str(a), str(b))
	})
	return keys
}

func mapGet(v, key value) (value, bool) {
	switch m := v.o.(type) {
	case *dict:
		return m.get(key)
	case map[string]any:
		if !key.isText() {
			return value{}, false
		}
		x, ok := m[key.s]
		return fromGo(x), ok
	}
	rv := deref(v.o)
	k, ok := convert(key, rv.Type().Key())
	if !ok {
		return value{}, false
	}
	x := rv.MapIndex(k)
	if !x.IsValid() {
		return value{}, false
	}
	return fromReflect(x), true
}

// pairs gives a mapping's entries as tuples.
func pairs(v value) []value {
	if v.k == kUndefined {
		return nil
	}
	if !isMapping(v) {
		raise(KindRuntime, "a mapping was expected, not a %s", typeName(v))
	}
	keys := mapKeys(v)
	out := make([]value, len(keys))
	for i, k := range keys {
		x, _ := mapGet(v, k)
		out[i] = tupleValue(k, x)
	}
	return out
}

// length is how many items something has; ok is false for what has no length.
func length(v value) (int, bool) {
	if v.isText() {
		n := 0
		for range v.s {
			n++
		}
		return n, true
	}
	if v.k == kObject {
		if rv := deref(v.o); rv.Kind() == reflect.Map {
			return rv.Len(), true
		}
	}
	s, ok := sequenceOf(v)
	return s.n, ok
}
