package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/ishaa-framework/ishaa/internal/uuid"
)

// Scalars from JSON. Each has a twin in text.go that reads the same from a parameter.

func decodeBool(d *decoder, v reflect.Value) error {
	if c := d.s.Peek(); c != 't' && c != 'f' {
		return d.mismatch(Boolean.article())
	}
	b, err := d.s.Bool()
	v.SetBool(b)
	return err
}

func (t *Type) chooseString() (func(*decoder, reflect.Value) error, func(*recorder, reflect.Value, string)) {
	if t.rules == nil {
		return decodePlainString, func(_ *recorder, v reflect.Value, text string) { v.SetString(text) }
	}
	return t.decodeString, t.setTextString
}

func decodePlainString(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '"' {
		return d.mismatch(String.article())
	}
	text, err := d.s.Text()
	if err != nil {
		return err
	}
	v.SetString(string(text))
	return nil
}

func (t *Type) decodeString(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '"' {
		return d.mismatch(String.article())
	}
	text, err := d.s.Text()
	if err != nil {
		return err
	}
	t.setTextString(&d.recorder, v, string(text))
	return nil
}

func (t *Type) setTextString(r *recorder, v reflect.Value, text string) {
	t.rules.checkText(r, text)
	v.SetString(text)
}

// decodeTextForm reads a string into a type with a text form of its own.
func (t *Type) decodeTextForm(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '"' {
		return d.mismatch(t.want())
	}
	text, err := d.s.Text()
	if err != nil {
		return err
	}
	t.setForm(&d.recorder, v, text)
	return nil
}

// want is what a value of another kind is told to be.
func (t *Type) want() string {
	if t.text != nil && t.text.quiet && t.kind == String {
		return t.text.what
	}
	return t.kind.article()
}

func (t *Type) setForm(r *recorder, v reflect.Value, text []byte) {
	mark := len(r.found)
	switch {
	case t.kind != String && t.rules != nil:
		t.rules.checkNumberText(r, string(text))
	case t.rules != nil:
		t.rules.checkText(r, string(text))
	}
	if t.format == "uuid" && !uuid.Valid(string(text)) {
		r.add("format", "must be "+formats["uuid"].article, string(text))
	}
	if mark == len(r.found) && len(r.found) < r.most {
		t.text.set(r, v, text, "format")
	}
}

// decodeNumberForm reads a number into a type that takes its text: json.Number, a registered decimal.
func (t *Type) decodeNumberForm(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '0' {
		return d.mismatch(t.kind.article())
	}
	raw, err := d.s.Number()
	if err != nil {
		return err
	}
	if t.kind == Integer {
		if n, _ := parseDecimal(string(raw)); !n.integral() {
			d.add("type", "must be an integer", scalarOf(raw))
			return nil
		}
	}
	t.setForm(&d.recorder, v, raw)
	return nil
}

func (t *Type) decodeSigned(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '0' {
		return d.mismatch(Integer.article())
	}
	raw, err := d.s.Number()
	if err != nil {
		return err
	}
	n, ok := signedFrom(&d.recorder, raw, v.Kind())
	if ok {
		if t.rules != nil {
			t.rules.checkSigned(&d.recorder, n)
		}
		v.SetInt(n)
	}
	return nil
}

func (t *Type) decodeUnsigned(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '0' {
		return d.mismatch(Integer.article())
	}
	raw, err := d.s.Number()
	if err != nil {
		return err
	}
	n, ok := unsignedFrom(&d.recorder, raw, v.Kind())
	if ok {
		if t.rules != nil {
			t.rules.checkUnsigned(&d.recorder, n)
		}
		v.SetUint(n)
	}
	return nil
}

func (t *Type) decodeFloat(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '0' {
		return d.mismatch(Number.article())
	}
	raw, err := d.s.Number()
	if err != nil {
		return err
	}
	setFloat(t, &d.recorder, v, raw)
	return nil
}

// setFloat checks the number at double precision even for a float32, since 0.1 as a float32 is more than 0.1.
func setFloat[T string | []byte](t *Type, r *recorder, v reflect.Value, raw T) {
	f, ok := parseFloat(raw, 64)
	if !ok || v.OverflowFloat(f) {
		r.add("maximum", fmt.Sprintf("must be a number within the range of a float%d", v.Type().Bits()), numberValue(string(raw)))
		return
	}
	if t.rules != nil {
		t.rules.checkFloat(r, f)
	}
	v.SetFloat(f)
}

func parseFloat[T string | []byte](raw T, bits int) (float64, bool) {
	f, err := strconv.ParseFloat(string(raw), bits)
	return f, err == nil
}

func isSigned(kind reflect.Kind) bool { return kind <= reflect.Int64 }

func intBits(kind reflect.Kind) int {
	switch kind {
	case reflect.Int8, reflect.Uint8:
		return 8
	case reflect.Int16, reflect.Uint16:
		return 16
	case reflect.Int32, reflect.Uint32:
		return 32
	case reflect.Int, reflect.Uint:
		return strconv.IntSize
	}
	return 64
}

// signedFrom reads an integer of a kind, or records why it is not one.
func signedFrom[T string | []byte](r *recorder, raw T, kind reflect.Kind) (int64, bool) {
	neg, magnitude, fit := parseInteger(raw)
	limit := uint64(1) << (intBits(kind) - 1) // the magnitude of the least value
	if fit == integerOK && (magnitude < limit || neg && magnitude == limit) {
		n := int64(magnitude)
		if neg {
			n = -n
		}
		return n, true
	}
	switch {
	case fit == notIntegral || fit == notANumber:
		r.add("type", "must be an integer", numberValue(string(raw)))
	case neg:
		r.add("minimum", "must be at least "+strconv.FormatInt(-int64(limit-1)-1, 10), numberValue(string(raw)))
	default:
		r.add("maximum", "must be at most "+strconv.FormatUint(limit-1, 10), numberValue(string(raw)))
	}
	return 0, false
}

func unsignedFrom[T string | []byte](r *recorder, raw T, kind reflect.Kind) (uint64, bool) {
	neg, magnitude, fit := parseInteger(raw)
	most := uint64(math.MaxUint64) >> (64 - intBits(kind))
	if fit == integerOK && magnitude <= most && (!neg || magnitude == 0) {
		return magnitude, true
	}
	switch {
	case fit == notIntegral || fit == notANumber:
		r.add("type", "must be an integer", numberValue(string(raw)))
	case neg:
		r.add("minimum", "must be at least 0", numberValue(string(raw)))
	default:
		r.add("maximum", "must be at most "+strconv.FormatUint(most, 10), numberValue(string(raw)))
	}
	return 0, false
}

// parseSigned and parseUnsigned read the bounds that tags give.
func parseSigned(text string, bits int) (int64, error) {
	n, err := strconv.ParseInt(text, 10, bits)
	return n, boundError(text, bits, err)
}

func parseUnsigned(text string, bits int) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, bits)
	return n, boundError(text, bits, err)
}

func boundError(text string, bits int, err error) error {
	if errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("%s does not fit the field's %d bits", text, bits)
	}
	if err != nil {
		return fmt.Errorf("%q is not an integer that the field can hold", text)
	}
	return nil
}

// numberValue is how a Violation shows a number, which came as text if it is none.
func numberValue(text string) any {
	if _, ok := parseDecimal(text); ok && len(text) <= longestShown {
		return json.Number(text)
	}
	return text
}
