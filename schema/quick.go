package schema

import (
	"maps"
	"math"
	"reflect"
	"slices"

	"github.com/ishaa-framework/ishaa/internal/quickset"
)

// The values that most parameters have are set by package quickset. Whatever else there is goes the long way, which alone
// decides what fits.

func init() {
	quickset.Of = func(t any) *quickset.Setter { return t.(*Type).quick }
}

// chooseQuick returns nil for a type that has no quick way.
func (t *Type) chooseQuick() *quickset.Setter {
	switch {
	case t.inner != nil || t.text != nil || t.special != plain:
		return nil
	case t.kind == String && t.goType.Kind() == reflect.String && (t.rules == nil || t.rules.text == nil):
		if t.rules == nil || t.rules.enum == nil {
			return quickset.String(nil)
		}
		if n := len(t.rules.enumText); n == 0 || n > mostQuickTexts {
			return nil
		}
		return quickset.String(slices.Sorted(maps.Keys(t.rules.enumText)))
	case t.kind == Integer && (t.rules == nil || t.rules.signed.multiple == 0 && t.rules.enum == nil):
		low, high := int64(math.MinInt64), int64(math.MaxInt64)
		if t.rules != nil {
			var ok bool
			if low, high, ok = inclusive(&t.rules.signed); !ok {
				return nil
			}
		}
		switch t.goType.Kind() {
		case reflect.Int:
			return quickset.Int(low, high)
		case reflect.Int64:
			return quickset.Int64(low, high)
		}
	}
	return nil
}

// mostQuickTexts is up to how many texts a list is searched one by one.
const mostQuickTexts = 16

// inclusive returns the least and the greatest value that are within the bounds of an integer. It reports false for
// bounds that leave none at the end of the range.
func inclusive(b *bounds[int64]) (low, high int64, ok bool) {
	low, high = math.MinInt64, math.MaxInt64
	if !b.any {
		return low, high, true
	}
	if b.has[0] {
		low = max(low, b.min)
	}
	if b.has[1] {
		high = min(high, b.max)
	}
	if b.has[2] {
		if b.exMin == math.MaxInt64 {
			return 0, 0, false
		}
		low = max(low, b.exMin+1)
	}
	if b.has[3] {
		if b.exMax == math.MinInt64 {
			return 0, 0, false
		}
		high = min(high, b.exMax-1)
	}
	return low, high, true
}

func (t *Type) quickText(dst reflect.Value, text string) bool {
	return t.quick != nil && t.quick.Set(dst.Addr().UnsafePointer(), text)
}
