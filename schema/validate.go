package schema

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Values that exist already. Go values do not say what is absent, so encoding/json's view of them is taken: what it leaves
// out (omitempty, omitzero, a nil pointer) is absent and not checked, everything else is there. "required" and the number
// of a struct's members are therefore matters of decoding alone.

// Validate checks a Go value of the type against the constraints. It reports at most [DefaultMaxViolations].
func (t *Type) Validate(v reflect.Value) []Violation {
	w := &validator{recorder: recorder{most: DefaultMaxViolations}}
	if v.Type() != t.goType {
		w.add("type", "must be "+t.kind.article()+" of the Go type "+t.goType.String()+", not "+v.Type().String(), nil)
		return w.found
	}
	t.validate(w, v)
	return w.found
}

type validator struct {
	recorder
	depth   int
	tooDeep bool
}

// deepestValue stops the walk over values that contain themselves.
const deepestValue = 1000

func (t *Type) chooseValidate() func(*validator, reflect.Value) {
	switch {
	case t.inner != nil:
		return func(w *validator, v reflect.Value) {
			if !v.IsNil() {
				w.descend(t.inner, v.Elem())
			}
		}
	case t.kind == Any || t.kind == Boolean:
		return func(*validator, reflect.Value) {}
	case t.text != nil:
		return t.validateTextForm
	case t.kind == Array:
		return t.validateArray
	case t.kind == Map:
		return t.validateMap
	case t.kind == Object:
		return t.validateObject
	case t.kind == OneOf:
		return t.validateOneOf
	}
	return t.validateScalar
}

func (w *validator) descend(t *Type, v reflect.Value) {
	if w.tooDeep {
		return
	}
	if w.depth >= deepestValue {
		w.tooDeep = true
		w.add("depth", "nested deeper than "+strconv.Itoa(deepestValue)+" levels, or contains itself", nil)
		return
	}
	w.depth++
	t.validate(w, v)
	w.depth--
}

func (t *Type) validateScalar(w *validator, v reflect.Value) {
	if t.rules == nil {
		return
	}
	switch {
	case t.kind == String:
		t.rules.checkText(&w.recorder, v.String())
	case t.kind == Number:
		f := v.Float()
		if v.Kind() == reflect.Float32 {
			f, _ = strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64) // 0.1 again, not 0.10000000149
		}
		t.rules.checkFloat(&w.recorder, f)
	case isSigned(v.Kind()):
		t.rules.checkSigned(&w.recorder, v.Int())
	default:
		t.rules.checkUnsigned(&w.recorder, v.Uint())
	}
}

func (t *Type) validateTextForm(w *validator, v reflect.Value) {
	if t.rules == nil || t.text.print == nil {
		return
	}
	text, err := t.text.print(v)
	switch {
	case err != nil:
		w.addError("format", err, "must be "+t.text.what, nil)
	case t.kind == String:
		t.rules.checkText(&w.recorder, text)
	default:
		t.rules.checkNumberText(&w.recorder, text)
	}
}

func (t *Type) validateArray(w *validator, v reflect.Value) {
	unique := t.newUnique()
	for i := range v.Len() {
		mark := len(w.found)
		w.descend(t.element, v.Index(i))
		if unique != nil && mark == len(w.found) {
			if raw, err := json.Marshal(v.Index(i).Interface()); err == nil {
				unique.add(&w.recorder, raw, i)
			}
		}
		w.withinIndex(mark, i)
	}
	if t.rules != nil {
		t.rules.items.check(&w.recorder, v.Len(), "Items", "item", "items")
	}
}

func (t *Type) validateMap(w *validator, v reflect.Value) {
	before := len(w.found)
	for entry := v.MapRange(); entry.Next(); {
		mark := len(w.found)
		w.descend(t.key, entry.Key())
		w.descend(t.element, entry.Value())
		if mark < len(w.found) {
			w.within(mark, t.keyText(entry.Key()))
		}
	}
	slices.SortStableFunc(w.found[before:], func(a, b Violation) int { return strings.Compare(a.Pointer, b.Pointer) })
	if t.rules != nil {
		t.rules.members.check(&w.recorder, v.Len(), "Properties", "member", "members")
	}
}

func (t *Type) keyText(key reflect.Value) string {
	if t.key.text != nil && t.key.text.print != nil {
		text, _ := t.key.text.print(key)
		return text
	}
	return key.String()
}

func (t *Type) validateObject(w *validator, v reflect.Value) {
	for _, f := range t.members.fields {
		member, err := v.FieldByIndexErr(f.Index)
		if err != nil || f.omitZero && isZero(member) || f.omitEmpty && isEmpty(member) {
			continue
		}
		mark := len(w.found)
		if f.Secret {
			w.secret++
		}
		w.descend(f.Type, member)
		if f.Secret {
			w.secret--
		}
		w.within(mark, f.Name)
	}
}

// isEmpty is what encoding/json's omitempty leaves out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// isZero is what encoding/json's omitzero leaves out.
func isZero(v reflect.Value) bool {
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok && !(v.Kind() == reflect.Pointer && v.IsNil()) {
		return z.IsZero()
	}
	return v.IsZero()
}

func (t *Type) validateOneOf(w *validator, v reflect.Value) {
	if v.IsNil() {
		w.add("type", "must be one of "+t.variants.listed()+", not null", nil)
		return
	}
	found := t.variants.variantOf(v.Elem().Type())
	if found == nil {
		w.add("type", "must be one of "+t.variants.listed()+", not a Go "+v.Elem().Type().String(), nil)
		return
	}
	w.descend(found.typ, v.Elem())
}
