// Package quickset sets struct fields from the texts that parameters mostly are — one that is free or one of a few, a
// whole number of a few digits within its bounds — without reflection and without what the reporting of a violation needs:
//
//	page := quickset.Int(1, 100)
//	page.Set(memory.Of(&in.Page), "7") // true
//
// Whatever a Setter does not take goes the long way, through package schema, which alone decides what fits.
package quickset

import "github.com/ishaa-framework/ishaa/internal/memory"

// Setter sets a value of one type. It never changes.
type Setter struct {
	kind     kind
	enum     []string // of a string: nil is any
	min, max int64    // of a number, itself among them
}

type kind uint8

const (
	kindString kind = iota
	kindInt
	kindInt64
)

// String is for strings that are one of the texts given; any if it is nil.
func String(enum []string) *Setter { return &Setter{kind: kindString, enum: enum} }

// Int is for a value of kind int from min to max.
func Int(min, max int64) *Setter { return &Setter{kind: kindInt, min: min, max: max} }

// Int64 is for a value of kind int64 from min to max.
func Int64(min, max int64) *Setter { return &Setter{kind: kindInt64, min: min, max: max} }

// Set sets the value at p, which is of the setter's kind, and reports whether it did.
func (s *Setter) Set(p memory.Pointer, text string) bool {
	if s.kind == kindString {
		if s.enum != nil && !s.lists(text) {
			return false
		}
		*memory.At[string](p, 0) = text
		return true
	}
	n, ok := short(text)
	if !ok || n < s.min || n > s.max {
		return false
	}
	if s.kind == kindInt {
		*memory.At[int](p, 0) = int(n)
	} else {
		*memory.At[int64](p, 0) = n
	}
	return true
}

func (s *Setter) lists(text string) bool {
	for _, one := range s.enum {
		if one == text {
			return true
		}
	}
	return false
}

// short reads up to nine digits, which fit every int.
func short(text string) (int64, bool) {
	if len(text)-1 > 8 || text == "" {
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

// Of returns the setter of a *schema.Type, or nil if it has none. Package schema, which is public and does not speak of
// memory, provides it here.
var Of func(schemaType any) *Setter
