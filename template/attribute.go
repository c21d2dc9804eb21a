package template

import (
	"iter"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
)

// Attributes of Go values. How a name is read from a type is found out once per engine and kept; every place in a
// template remembers the last type it saw as well, so that a page reads its fields by index.

type attrKey struct {
	t    reflect.Type
	name string
}

// accessor is how one name is read from one type.
type accessor struct {
	t      reflect.Type
	field  []int        // of the struct behind t
	method int          // index in t's method set, or -1
	call   bool         // the method takes nothing: reading it calls it
	index  int          // of a scalar field
	scalar reflect.Kind // of a string, int or bool field of a pointed-to struct itself; the rest is 0
}

// scalarOf gives a scalar field and its kind, which is 0 where the long way has to be taken.
func (a *accessor) scalarOf(v *value) (reflect.Value, reflect.Kind) {
	if a == nil || a.scalar == 0 || reflect.TypeOf(v.o) != a.t {
		return reflect.Value{}, 0
	}
	rv := reflect.ValueOf(v.o)
	if rv.IsNil() {
		return reflect.Value{}, 0
	}
	return rv.Elem().Field(a.index), a.scalar
}

// scalarKind says what fast may do about a field.
func scalarKind(t reflect.Type, f reflect.StructField) reflect.Kind {
	if t.Kind() == reflect.Pointer && len(f.Index) == 1 && f.Type.PkgPath() == "" {
		switch k := f.Type.Kind(); k {
		case reflect.String, reflect.Bool:
			return k
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			return reflect.Int
		}
	}
	return 0
}

// attrCache is safe for concurrent use.
type attrCache struct{ m sync.Map }

func (c *attrCache) find(t reflect.Type, name string) *accessor {
	key := attrKey{t, name}
	if a, ok := c.m.Load(key); ok {
		return a.(*accessor)
	}
	a := newAccessor(t, name)
	if a != nil { // names that do not exist are not kept: there is no end of them
		c.m.Store(key, a)
	}
	return a
}

// sameName reports whether a template's name means a Go name: itself, or in snake_case.
func sameName(name, goName string) bool {
	return name == goName || strings.EqualFold(strings.ReplaceAll(name, "_", ""), strings.ReplaceAll(goName, "_", ""))
}

func newAccessor(t reflect.Type, name string) *accessor {
	if name == "" || name[0] == '_' {
		return nil
	}
	structType := t
	if t.Kind() == reflect.Pointer {
		structType = t.Elem()
	}
	for _, exact := range []bool{true, false} {
		if structType.Kind() == reflect.Struct {
			for _, f := range reflect.VisibleFields(structType) {
				if f.IsExported() && (f.Name == name || !exact && sameName(name, f.Name)) && reachable(structType, f.Index) {
					return &accessor{t: t, field: f.Index, method: -1, index: f.Index[0], scalar: scalarKind(t, f)}
				}
			}
		}
		for i := range t.NumMethod() {
			m := t.Method(i)
			if m.Name == name || !exact && sameName(name, m.Name) {
				in := m.Type.NumIn()
				if t.Kind() != reflect.Interface {
					in--
				}
				return &accessor{t: t, method: i, call: in == 0 && m.Type.NumOut() > 0}
			}
		}
	}
	return nil
}

// reachable reports whether a promoted field is reached through exported structs only.
func reachable(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		f := t.Field(i)
		if !f.IsExported() {
			return false
		}
		t = f.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	return true
}

func (a *accessor) read(o any, forCall bool) value {
	rv := reflect.ValueOf(o)
	if a.method >= 0 {
		m := rv.Method(a.method)
		if a.call && !forCall {
			return results(m.Call(nil))
		}
		return object(&goFunc{name: rv.Type().Method(a.method).Name, fn: m})
	}
	if rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			raise(KindRuntime, "the %s is nil", rv.Type())
		}
		rv = rv.Elem()
	}
	if len(a.field) == 1 {
		return fromReflect(rv.Field(a.field[0]))
	}
	f, err := rv.FieldByIndexErr(a.field)
	if err != nil {
		return none
	}
	return fromReflect(f)
}

// attribute is one place in a template where an attribute is read.
type attribute struct {
	name string
	last atomic.Pointer[accessor]
}

func (a *attribute) of(f *frame, v value, forCall bool) value {
	if v.k == kObject {
		t := reflect.TypeOf(v.o)
		if acc := a.last.Load(); acc != nil && acc.t == t { // never one of this package's own
			return acc.read(v.o, forCall)
		}
		if _, own := v.o.(attributed); !own {
			if kind := t.Kind(); kind == reflect.Struct || kind == reflect.Pointer {
				if acc := f.st.engine.attrs.find(t, a.name); acc != nil {
					a.last.Store(acc)
					return acc.read(v.o, forCall)
				}
			}
		}
	}
	return getAttr(f, v, a.name, forCall)
}

// attributed are this package's own objects with attributes.
type attributed interface {
	attr(f *frame, name string) (value, bool)
}

// getAttr reads an attribute of anything; what does not exist is undefined.
func getAttr(f *frame, v value, name string, forCall bool) value {
	need(v)
	if v.k == kObject {
		if o, ok := v.o.(attributed); ok {
			if x, ok := o.attr(f, name); ok {
				return x
			}
			return missing(v, name)
		}
	}
	if l, ok := v.o.(*list); ok && v.k == kObject {
		for i, n := range l.names {
			if n == name {
				return l.items[i]
			}
		}
	}
	method := methodOf(v, name)
	if isMapping(v) {
		if method != nil && forCall {
			return object(method)
		}
		if x, ok := mapGet(v, stringValue(name)); ok {
			return x
		}
	}
	if method != nil {
		return object(method)
	}
	if v.k == kObject {
		if acc := f.st.engine.attrs.find(reflect.TypeOf(v.o), name); acc != nil {
			return acc.read(v.o, forCall)
		}
	}
	return missing(v, name)
}

// missing is the undefined value for an attribute that is not there, with a message for when it is used.
func missing(v value, name string) value {
	if v.k != kObject {
		return value{k: kUndefined, s: name}
	}
	return value{k: kUndefined, s: name, o: typeName(v) + " has no \"" + name + "\"" + suggest(name, attrNames(v))}
}

func attrNames(v value) iter.Seq[string] {
	return func(yield func(string) bool) {
		t := reflect.TypeOf(v.o)
		if _, own := v.o.(attributed); own {
			return
		}
		if isMapping(v) {
			for i, k := range mapKeys(v) {
				if i > 100 || k.isText() && !yield(k.s) {
					return
				}
			}
			return
		}
		for i := range t.NumMethod() {
			if !yield(t.Method(i).Name) {
				return
			}
		}
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return
		}
		for _, field := range reflect.VisibleFields(t) {
			if field.IsExported() && !yield(field.Name) {
				return
			}
		}
	}
}

// getItem reads v[key]: an index, a key, or else an attribute.
func getItem(f *frame, v, key value) value {
	need(v)
	if isMapping(v) {
		if x, ok := mapGet(v, key); ok {
			return x
		}
	} else if key.k == kInt || key.k == kBool {
		if s, ok := sequenceOf(v); ok {
			i := int(key.int())
			if i < 0 {
				i += s.n
			}
			if i >= 0 && i < s.n {
				if v.isText() {
					return v.like(s.at(i).s)
				}
				return s.at(i)
			}
			return value{k: kUndefined, s: str(key), o: "the " + typeName(v) + " has no item " + str(key)}
		}
	}
	if key.isText() {
		return getAttr(f, v, key.s, false)
	}
	if key.k == kUndefined {
		return undefined(key.s)
	}
	return value{k: kUndefined, s: str(key), o: "the " + typeName(v) + " has no item " + repr(key)}
}
