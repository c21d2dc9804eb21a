package template

import (
	"fmt"
	"reflect"
	"slices"
)

// Calls: of this package's functions, whose parameters have names, and of Go functions and methods.

// args are a call's arguments.
type args struct {
	pos []value
	kw  []kwArg
}

type kwArg struct {
	name string
	v    value
}

type callable interface {
	call(f *frame, a args) value
	title() string
}

// builtin is a filter, test, global function or method. v is what it is applied to.
type builtin struct {
	name   string
	params []string
	fn     func(f *frame, v value, a argv) value
	raw    func(f *frame, v value, a args) value // instead of fn, for any arguments
}

// argv are arguments in the order of the parameters; those not given are kMissing.
type argv []value

func (a argv) has(i int) bool { return a[i].k != kMissing }

func (a argv) str(i int, otherwise string) string {
	if !a.has(i) {
		return otherwise
	}
	need(a[i])
	return str(a[i])
}

func (a argv) bool(i int, otherwise bool) bool {
	if !a.has(i) {
		return otherwise
	}
	return truth(a[i])
}

func (a argv) int(i, otherwise int) int {
	if !a.has(i) {
		return otherwise
	}
	v := plain(a[i])
	need(v)
	if !v.isNumber() {
		raise(KindRuntime, "a number was expected, not a %s", typeName(v))
	}
	if v.k == kFloat {
		return int(max(-1<<31, min(1<<31, v.float())))
	}
	return int(max(-1<<31, min(1<<31, v.int())))
}

// bind puts arguments in the order of the parameters.
func (b *builtin) bind(a args) argv {
	if len(b.params) == 0 && len(a.pos) == 0 && len(a.kw) == 0 {
		return nil
	}
	if len(a.pos) > len(b.params) {
		raise(KindRuntime, "%s takes %d arguments at most, %d were given", b.name, len(b.params), len(a.pos))
	}
	out := make(argv, len(b.params))
	n := copy(out, a.pos)
	for i := n; i < len(out); i++ {
		out[i].k = kMissing
	}
	for _, k := range a.kw {
		i := slices.Index(b.params, k.name)
		if i < 0 {
			raise(KindRuntime, "%s has no parameter %q%s", b.name, k.name, suggest(k.name, slices.Values(b.params)))
		}
		if out[i].k != kMissing {
			raise(KindRuntime, "%s got its parameter %q twice", b.name, k.name)
		}
		out[i] = k.v
	}
	return out
}

func (b *builtin) apply(f *frame, v value, a args) value {
	if b.raw != nil {
		return b.raw(f, v, a)
	}
	return b.fn(f, v, b.bind(a))
}

// bound is a builtin with what it is applied to.
type bound struct {
	*builtin
	v value
}

func (b *bound) call(f *frame, a args) value   { return b.apply(f, b.v, a) }
func (b *bound) title() string                 { return b.name }
func (b *builtin) call(f *frame, a args) value { return b.apply(f, value{}, a) }
func (b *builtin) title() string               { return b.name }

// goFunc is a Go function or method value.
type goFunc struct {
	name string
	fn   reflect.Value
}

func (g *goFunc) title() string { return g.name }

func (g *goFunc) call(f *frame, a args) value {
	if len(a.kw) > 0 {
		raise(KindRuntime, "%s is a Go function: its arguments have no names", g.name)
	}
	return callGo(g.name, g.fn, a.pos)
}

func call(f *frame, fn value, a args) value {
	if fn.k == kObject {
		if c, ok := fn.o.(callable); ok {
			if f.st.depth++; f.st.depth > f.st.limits.MaxDepth {
				raise(KindLimit, "calls and includes nest more than %d deep", f.st.limits.MaxDepth)
			}
			v := c.call(f, a)
			f.st.depth--
			return v
		}
		if rv := reflect.ValueOf(fn.o); rv.Kind() == reflect.Func {
			return (&goFunc{"the function", rv}).call(f, a)
		}
	}
	need(fn)
	raise(KindRuntime, "a %s cannot be called", typeName(fn))
	return value{}
}

var errorType = reflect.TypeFor[error]()

func callGo(name string, fn reflect.Value, in []value) value {
	t := fn.Type()
	fixed := t.NumIn()
	if t.IsVariadic() {
		fixed--
	}
	if len(in) < fixed || len(in) > fixed && !t.IsVariadic() {
		raise(KindRuntime, "%s takes %d arguments, %d were given", name, fixed, len(in))
	}
	converted := make([]reflect.Value, len(in))
	for i, v := range in {
		want := t.In(min(i, t.NumIn()-1))
		if i >= fixed {
			want = want.Elem()
		}
		rv, ok := convert(v, want)
		if !ok {
			need(v)
			raise(KindRuntime, "argument %d of %s is a %s, not a %s", i+1, name, want, typeName(v))
		}
		converted[i] = rv
	}
	return results(fn.Call(converted))
}

// results makes a value of what a Go function returned; an error stops the page.
func results(out []reflect.Value) value {
	if n := len(out); n > 0 && out[n-1].Type() == errorType {
		if err, ok := out[n-1].Interface().(error); ok {
			raise(KindRuntime, "%v", err)
		}
		out = out[:n-1]
	}
	switch len(out) {
	case 0:
		return none
	case 1:
		return fromReflect(out[0])
	}
	items := make([]value, len(out))
	for i, rv := range out {
		items[i] = fromReflect(rv)
	}
	return tupleValue(items...)
}

// convert makes a Go value of a given type, if that is possible without loss.
func convert(v value, t reflect.Type) (reflect.Value, bool) {
	if t == valueType {
		return reflect.ValueOf(v), true
	}
	if t == htmlType {
		return reflect.ValueOf(HTML(escapeHTML(v))), v.isText()
	}
	out := reflect.New(t).Elem()
	v = plainFor(v, t)
	switch t.Kind() {
	case reflect.Interface:
		x := toGo(v)
		if x == nil {
			return out, true
		}
		rv := reflect.ValueOf(x)
		if !rv.Type().Implements(t) {
			return out, false
		}
		out.Set(rv)
		return out, true
	case reflect.String:
		out.SetString(v.s)
		return out, v.isText()
	case reflect.Bool:
		out.SetBool(v.n != 0)
		return out, v.k == kBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.k != kInt || out.OverflowInt(v.int()) {
			return out, false
		}
		out.SetInt(v.int())
		return out, true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.k != kInt || v.int() < 0 || out.OverflowUint(v.n) {
			return out, false
		}
		out.SetUint(v.n)
		return out, true
	case reflect.Float32, reflect.Float64:
		out.SetFloat(v.asFloat())
		return out, v.isNumber() && v.k != kBool
	}
	if v.k == kNone {
		k := t.Kind()
		return out, k == reflect.Pointer || k == reflect.Slice || k == reflect.Map || k == reflect.Func
	}
	if v.k != kObject {
		return out, false
	}
	return convertObject(v, t, out)
}

func plainFor(v value, t reflect.Type) value {
	if v.k == kObject && reflect.TypeOf(v.o) != t && t.Kind() != reflect.Interface {
		return plain(v)
	}
	return v
}

func convertObject(v value, t reflect.Type, out reflect.Value) (reflect.Value, bool) {
	rv := reflect.ValueOf(v.o)
	if rv.Type().AssignableTo(t) {
		return rv, true
	}
	if rv.Kind() == reflect.Pointer && !rv.IsNil() && rv.Elem().Type().AssignableTo(t) {
		return rv.Elem(), true
	}
	if t.Kind() == reflect.Slice && !isMapping(v) {
		s, ok := sequenceOf(v)
		for i := 0; ok && i < s.n; i++ {
			var item reflect.Value
			if item, ok = convert(s.at(i), t.Elem()); ok {
				out = reflect.Append(out, item)
			}
		}
		return out, ok
	}
	if t.Kind() == reflect.Map && isMapping(v) {
		out = reflect.MakeMap(t)
		for _, k := range mapKeys(v) {
			x, _ := mapGet(v, k)
			key, ok := convert(k, t.Key())
			item, ok2 := convert(x, t.Elem())
			if !ok || !ok2 {
				return out, false
			}
			out.SetMapIndex(key, item)
		}
		return out, true
	}
	return out, false
}

// toGo gives the Go value that fits best: lists are []any, dicts map[string]any.
func toGo(v value) any {
	switch v.k {
	case kBool:
		return v.n != 0
	case kInt:
		return v.int()
	case kFloat:
		return v.float()
	case kString:
		return v.s
	case kMarkup:
		return HTML(v.s)
	case kObject:
		switch o := v.o.(type) {
		case *list:
			out := make([]any, len(o.items))
			for i, x := range o.items {
				out[i] = toGo(x)
			}
			return out
		case *dict:
			out := make(map[string]any, len(o.keys))
			for i, k := range o.keys {
				out[fmt.Sprint(str(k))] = toGo(o.values[i])
			}
			return out
		}
		return v.o
	}
	return nil
}
