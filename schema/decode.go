package schema

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/ishaa-framework/ishaa/internal/strictjson"
)

// Decoding is one pass over the text: the scanner checks the grammar, the types' closures set and check values as they
// come. An error of the text ends it; a violation is recorded and the walk goes on, so all are found and the verdict
// "not JSON" still wins over "does not fit".

// DecodeOptions say how strict to be; the zero value is a good choice.
type DecodeOptions struct {
	// MaxDepth is how deep arrays and objects may nest; 0 means 64, and more than 10,000 means that.
	MaxDepth int
	// DisallowUnknown makes a member that no field has a violation of the rule "additionalProperties". Otherwise it is
	// ignored, but for its being well-formed.
	DisallowUnknown bool
	// MaxViolations is how many violations are reported at most; 0 means [DefaultMaxViolations].
	MaxViolations int
}

// Decode reads one JSON text into what dst, a pointer to the type, points to; dst should point to a zero value.
//
// The error is a [*SyntaxError] if the text is not JSON: malformed, a name twice in an object, not UTF-8, too deep,
// something behind the value. Violations are all the ways in which JSON that is well-formed does not fit the type. In both
// cases the value may be set in part. dst of another type is an error too.
func (t *Type) Decode(data []byte, dst any, o DecodeOptions) ([]Violation, error) {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return nil, fmt.Errorf("schema: Decode needs a pointer to %s, got %T", t.goType, dst)
	}
	return t.DecodeValue(data, v.Elem(), o)
}

// DecodeValue is [Type.Decode] into a value that can be set.
func (t *Type) DecodeValue(data []byte, dst reflect.Value, o DecodeOptions) ([]Violation, error) {
	if dst.Type() != t.goType || !dst.CanSet() {
		return nil, fmt.Errorf("schema: DecodeValue needs a %s that can be set, got %s", t.goType, dst.Type())
	}
	d := decoders.Get().(*decoder)
	defer d.release()
	d.most, d.closed = o.MaxViolations, o.DisallowUnknown
	if d.most <= 0 {
		d.most = DefaultMaxViolations
	}
	if err := d.s.Reset(data, o.MaxDepth); err != nil {
		return nil, err
	}
	if err := t.decode(d, dst); err != nil {
		return nil, err
	}
	if err := d.s.End(); err != nil {
		return nil, err
	}
	return d.found, nil
}

type decoder struct {
	recorder
	s      strictjson.Scanner
	closed bool   // unknown members are violations
	tag    string // the next object's discriminator
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func (d *decoder) release() {
	d.s.Release()
	d.recorder, d.tag = recorder{}, ""
	decoders.Put(d)
}

// mismatch records that a value of another kind was expected, and reads over what is there.
func (d *decoder) mismatch(want string) error {
	from, kind := d.s.Offset(), d.s.Peek()
	if err := d.s.Skip(); err != nil {
		return err
	}
	d.add("type", "must be "+want+", not "+kindOf(kind), scalarOf(d.trimmed(from)))
	return nil
}

// trimmed is the value between an offset and the scanner's position, without the white space behind it.
func (d *decoder) trimmed(from int) []byte {
	raw := d.s.Raw(from, d.s.Offset())
	for len(raw) > 0 {
		switch raw[len(raw)-1] {
		case ' ', '\n', '\r', '\t':
			raw = raw[:len(raw)-1]
			continue
		}
		break
	}
	return raw
}

func kindOf(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// finish chooses the closures of a type, and returns it.
func (t *Type) finish() *Type {
	t.decode, t.setText, t.validate = nil, nil, t.chooseValidate()
	t.quick = t.chooseQuick()
	switch {
	case t.inner != nil:
		t.decode = t.decodePointer
		if t.inner.setText != nil {
			t.setText = t.setTextPointer
		}
	case t.kind == Any:
		t.chooseAny()
	case t.text != nil && t.kind == String:
		t.decode, t.setText = t.decodeTextForm, t.setTextForm
	case t.text != nil:
		t.decode, t.setText = t.decodeNumberForm, t.setTextForm
	case t.kind == Boolean:
		t.decode, t.setText = decodeBool, setTextBool
	case t.kind == String:
		t.decode, t.setText = t.chooseString()
	case t.kind == Integer && isSigned(t.goType.Kind()):
		t.decode, t.setText = t.decodeSigned, t.setTextSigned
	case t.kind == Integer:
		t.decode, t.setText = t.decodeUnsigned, t.setTextUnsigned
	case t.kind == Number:
		t.decode, t.setText = t.decodeFloat, t.setTextFloat
	case t.kind == Array && t.fixed >= 0:
		t.decode = t.decodeArray
	case t.kind == Array:
		t.decode = t.decodeSlice
	case t.kind == Map:
		t.decode = t.decodeMap
	case t.kind == Object:
		t.decode = t.decodeObject
	case t.kind == OneOf:
		t.decode = t.decodeOneOf
	}
	return t
}

func (t *Type) chooseAny() {
	switch t.special {
	case anyValue:
		t.decode = decodeAny
		t.setText = func(_ *recorder, v reflect.Value, text string) { v.Set(reflect.ValueOf(text)) }
	case rawMessage:
		t.decode = decodeRaw
	default:
		t.decode = t.decodeOwnJSON
		if t.text != nil {
			t.setText = t.setTextForm
		}
	}
}

func (t *Type) decodePointer(d *decoder, v reflect.Value) error {
	if d.s.Peek() == 'n' {
		v.SetZero()
		return d.s.Null()
	}
	if v.IsNil() {
		v.Set(reflect.New(t.inner.goType))
	}
	return t.inner.decode(d, v.Elem())
}

func decodeRaw(d *decoder, v reflect.Value) error {
	from := d.s.Offset()
	if err := d.s.Skip(); err != nil {
		return err
	}
	v.SetBytes(append([]byte(nil), d.trimmed(from)...))
	return nil
}

func (t *Type) decodeOwnJSON(d *decoder, v reflect.Value) error {
	from := d.s.Offset()
	if err := d.s.Skip(); err != nil {
		return err
	}
	t.setJSON(&d.recorder, v, d.trimmed(from))
	return nil
}

func decodeAny(d *decoder, v reflect.Value) error {
	mark := len(d.found)
	value, err := d.anyValue()
	if err == nil && value != nil && mark == len(d.found) {
		v.Set(reflect.ValueOf(value))
	} else {
		v.SetZero()
	}
	return err
}

// anyValue reads any value as encoding/json does: map[string]any, []any, string, float64, bool, nil.
func (d *decoder) anyValue() (any, error) {
	switch d.s.Peek() {
	case '{':
		return d.anyObject()
	case '[':
		return d.anyArray()
	case '"':
		text, err := d.s.Text()
		return string(text), err
	case 't', 'f':
		return d.s.Bool()
	case '0':
		raw, err := d.s.Number()
		if err != nil {
			return nil, err
		}
		f, ok := parseFloat(raw, 64)
		if !ok {
			d.add("maximum", "must be a number within the range of a float64", scalarOf(raw))
		}
		return f, nil
	case 'n':
		return nil, d.s.Null()
	}
	return nil, d.s.Skip() // which explains
}

func (d *decoder) anyObject() (any, error) {
	m := map[string]any{}
	empty, err := d.s.BeginObject()
	names := d.s.OpenNames()
	for more := !empty; more && err == nil; more, err = d.s.MoreMembers() {
		text, err := d.s.Name()
		if err != nil {
			return nil, err
		}
		if err := d.s.Distinct(&names); err != nil {
			return nil, err
		}
		name, mark := string(text), len(d.found)
		value, err := d.anyValue()
		if err != nil {
			return nil, err
		}
		m[name] = value
		d.within(mark, name)
	}
	if err != nil {
		return nil, err
	}
	d.s.CloseNames(&names)
	return m, nil
}

func (d *decoder) anyArray() (any, error) {
	list := []any{}
	empty, err := d.s.BeginArray()
	for more := !empty; more && err == nil; more, err = d.s.MoreElements() {
		mark := len(d.found)
		value, err := d.anyValue()
		if err != nil {
			return nil, err
		}
		d.withinIndex(mark, len(list))
		list = append(list, value)
	}
	return list, err
}
