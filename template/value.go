package template

import (
	"math"
	"reflect"
)

// A value is what an expression gives. Scalars and strings lie in it directly, so that reading fields of Go structs
// and writing them costs no allocation; everything else is in o: this package's own types (*list, *dict, *macro …) or
// a Go value, as a pointer where it could be addressed.
type value struct {
	k kind
	n uint64 // bool, int64 or the bits of a float64
	s string // the text; of an undefined value its name
	o any
}

type kind uint8

const (
	kUndefined kind = iota
	kNone
	kBool
	kInt
	kFloat
	kString
	kMarkup // text that is HTML already
	kObject
	kMissing // an argument that was not given
)

// HTML is text that is HTML already: a value of this type is not escaped in the text of a page. Make one only of what
// the program itself wrote.
type HTML string

var none = value{k: kNone}

func boolValue(b bool) value {
	if b {
		return value{k: kBool, n: 1}
	}
	return value{k: kBool}
}
func intValue(n int64) value          { return value{k: kInt, n: uint64(n)} }
func floatValue(f float64) value      { return value{k: kFloat, n: math.Float64bits(f)} }
func stringValue(s string) value      { return value{k: kString, s: s} }
func markup(s string) value           { return value{k: kMarkup, s: s} }
func object(o any) value              { return value{k: kObject, o: o} }
func undefined(name string) value     { return value{k: kUndefined, s: name} }
func listValue(items []value) value   { return object(&list{items: items}) }
func tupleValue(items ...value) value { return object(&list{items: items, tuple: true}) }
func (v value) int() int64            { return int64(v.n) }
func (v value) float() float64        { return math.Float64frombits(v.n) }
func (v value) isText() bool          { return v.k == kString || v.k == kMarkup }
func (v value) isNumber() bool        { return v.k == kInt || v.k == kFloat || v.k == kBool }
func (v value) asFloat() float64 {
	if v.k == kFloat {
		return v.float()
	}
	return float64(v.int())
}

// like gives text of the same kind as v: HTML stays HTML.
func (v value) like(s string) value {
	if v.k == kMarkup {
		return markup(s)
	}
	return stringValue(s)
}

type list struct {
	items []value
	tuple bool
	names []string // of a tuple's items, if they have any
}

// dict keeps its entries in the order they were added, as Python does.
type dict struct {
	keys, values []value
	index        map[dictKey]int
}

type dictKey struct {
	k kind
	n uint64
	s string
	o any
}

func keyOf(v value) dictKey {
	switch v.k {
	case kBool, kInt:
		return dictKey{k: kInt, n: v.n}
	case kFloat:
		if f := v.float(); f == math.Trunc(f) && math.Abs(f) < 1<<62 {
			return dictKey{k: kInt, n: uint64(int64(f))}
		}
		return dictKey{k: kFloat, n: v.n}
	case kString, kMarkup:
		return dictKey{k: kString, s: v.s}
	case kObject:
		if l, ok := v.o.(*list); ok && l.tuple {
			return dictKey{k: kObject, s: repr(v)}
		}
		if _, ok := v.o.(*list); ok {
			raise(KindRuntime, "a list cannot be a key")
		}
		if !reflect.TypeOf(v.o).Comparable() {
			raise(KindRuntime, "a %s cannot be a key", typeName(v))
		}
		return dictKey{k: kObject, o: v.o}
	}
	return dictKey{k: v.k}
}

func newDict() *dict { return &dict{index: map[dictKey]int{}} }

func (d *dict) set(k, v value) {
	key := keyOf(k)
	if i, ok := d.index[key]; ok {
		d.values[i] = v
		return
	}
	d.index[key] = len(d.keys)
	d.keys, d.values = append(d.keys, k), append(d.values, v)
}

func (d *dict) get(k value) (value, bool) {
	if i, ok := d.index[keyOf(k)]; ok {
		return d.values[i], true
	}
	return value{}, false
}

// fromGo makes a value of anything.
func fromGo(x any) value {
	switch x := x.(type) {
	case nil:
		return none
	case value:
		return x
	case string:
		return stringValue(x)
	case HTML:
		return markup(string(x))
	case bool:
		return boolValue(x)
	case int:
		return intValue(int64(x))
	case int64:
		return intValue(x)
	case float64:
		return floatValue(x)
	case map[string]any, *list, *dict, callable:
		return object(x)
	}
	return fromReflect(reflect.ValueOf(x))
}

// fromReflect makes a value of a Go value without allocating where it is addressable or a scalar.
func fromReflect(rv reflect.Value) value {
	switch rv.Kind() {
	case reflect.Invalid:
		return none
	case reflect.String:
		if rv.Type() == htmlType {
			return markup(rv.String())
		}
		return stringValue(rv.String())
	case reflect.Bool:
		return boolValue(rv.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if rv.Type().PkgPath() != "" && rv.Type().NumMethod() > 0 {
			return object(rv.Interface())
		}
		return intValue(rv.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if n := rv.Uint(); n <= math.MaxInt64 {
			return intValue(int64(n))
		}
		return floatValue(float64(rv.Uint()))
	case reflect.Float32, reflect.Float64:
		return floatValue(rv.Float())
	case reflect.Interface, reflect.Pointer:
		if rv.IsNil() {
			return none
		}
		if rv.Kind() == reflect.Interface {
			return fromReflect(rv.Elem())
		}
		if e := rv.Elem().Kind(); e != reflect.Struct && e != reflect.Slice && e != reflect.Array && e != reflect.Map && rv.Type().NumMethod() == 0 {
			return fromReflect(rv.Elem())
		}
	case reflect.Func:
		if rv.IsNil() {
			return none
		}
	case reflect.Struct:
		if rv.Type() == valueType {
			return rv.Interface().(value)
		}
		if rv.CanAddr() {
			return object(rv.Addr().Interface())
		}
	case reflect.Slice, reflect.Array:
		if rv.CanAddr() {
			return object(rv.Addr().Interface())
		}
	}
	return object(rv.Interface())
}

var (
	htmlType  = reflect.TypeFor[HTML]()
	valueType = reflect.TypeFor[value]()
)

// deref gives the Go value behind an object.
func deref(o any) reflect.Value {
	rv := reflect.ValueOf(o)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	return rv
}

// truth is Python's: empty things, zero, none and undefined are false.
func truth(v value) bool {
	switch v.k {
	case kUndefined, kNone:
		return false
	case kBool, kInt:
		return v.n != 0
	case kFloat:
		return v.float() != 0
	case kString, kMarkup:
		return v.s != ""
	}
	switch o := v.o.(type) {
	case *list:
		return len(o.items) > 0
	case *dict:
		return len(o.keys) > 0
	}
	rv := deref(v.o)
	switch rv.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return rv.Len() > 0
	case reflect.String:
		return rv.String() != ""
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int() != 0
	}
	return true
}

func typeName(v value) string {
	switch v.k {
	case kUndefined:
		return "undefined value"
	case kNone:
		return "none"
	case kBool:
		return "bool"
	case kInt:
		return "int"
	case kFloat:
		return "float"
	case kString, kMarkup:
		return "string"
	}
	switch o := v.o.(type) {
	case *list:
		if o.tuple {
			return "tuple"
		}
		return "list"
	case *dict:
		return "dict"
	case callable:
		return "function"
	}
	return reflect.TypeOf(v.o).String()
}

// need stops at an undefined value that is used.
func need(v value) {
	if v.k == kUndefined {
		raise(KindUndefined, "%s", undefinedMessage(v))
	}
}

func undefinedMessage(v value) string {
	if v.s == "" {
		return "the value is undefined"
	}
	if v.o != nil {
		return v.o.(string)
	}
	return "\"" + v.s + "\" is undefined"
}
