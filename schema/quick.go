package schema

import "reflect"

// The values that most parameters have — a text that is free or one of a few, a whole number of a few digits within its bounds —
// are set without what the reporting of a violation needs. Whatever else there is goes the long way, which alone decides
// what fits.

type quick uint8

const (
	quickNone quick = iota
	quickString
	quickInt
)

func (t *Type) chooseQuick() quick {
	switch {
	case t.inner != nil || t.text != nil || t.special != plain:
		return quickNone
	case t.kind == String && t.goType.Kind() == reflect.String && (t.rules == nil || t.rules.text == nil):
		return quickString
	case t.kind == Integer && (t.goType.Kind() == reflect.Int || t.goType.Kind() == reflect.Int64) &&
		(t.rules == nil || t.rules.signed.multiple == 0 && t.rules.enum == nil):
		return quickInt
	}
	return quickNone
}

func (t *Type) quickText(dst reflect.Value, text string) bool {
	switch t.quick {
	case quickString:
		if t.rules != nil && t.rules.enum != nil && !t.rules.enumText[text] {
			return false
		}
		dst.SetString(text)
		return true
	case quickInt:
		n, ok := shortInt(text)
		if !ok || t.rules != nil && !t.rules.signed.hold(n) {
			return false
		}
		dst.SetInt(n)
		return true
	}
	return false
}

// hold reports whether the value is within the bounds.
func (b *bounds[N]) hold(v N) bool {
	return !b.any || (!b.has[0] || v >= b.min) && (!b.has[1] || v <= b.max) && (!b.has[2] || v > b.exMin) && (!b.has[3] || v < b.exMax)
}

// shortInt reads up to nine digits, which fit every int.
func shortInt(text string) (int64, bool) {
	if len(text) == 0 || len(text) > 9 {
		return 0, false
	}
	var n int64
	for i := range len(text) {
		digit := text[i] - '0'
		if digit > 9 {
			return 0, false
		}
		n = n*10 + int64(digit)
	}
	return n, true
}
