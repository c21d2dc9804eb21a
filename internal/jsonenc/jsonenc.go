// Package jsonenc writes Go values as JSON, byte for byte as encoding/json does, from encoders compiled once per type:
//
//	encode := jsonenc.Of(reflect.TypeFor[Album]())
//	out, err := encode(nil, album)
//
// It compiles what answers are mostly made of: structs, slices, strings, numbers, booleans and pointers to them, which it
// reads where they lie (package memory). Whatever has a method or a tag that changes its form, every map, interface and
// embedded struct, is handed to encoding/json as a part of its own, so that there is one source of truth for the
// difficult cases.
package jsonenc

import (
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"sync"

	"github.com/ishaa-framework/ishaa/internal/memory"
)

// Encoder appends the JSON of a value, which must be of the very type that the encoder was compiled for, to dst. On an
// error what it returns is not JSON.
type Encoder func(dst []byte, value any) ([]byte, error)

// encoder appends the JSON of the value at a place in memory.
type encoder func(dst []byte, p memory.Pointer, at place) ([]byte, error)

// place says how a value was reached.
type place int

const (
	// addressable is a value that some pointer or list leads to. Only there does encoding/json see methods on pointers.
	addressable place = 1
	// deeper is added for each pointer and list that leads to a value.
	deeper place = 2
	// deepest is how far a value nests before encoding/json, which notices one that contains itself, takes over.
	deepest = 1000
)

func (at place) through() place { return (at + deeper) | addressable }
func (at place) tooDeep() bool  { return at/deeper > deepest }

var (
	encoders sync.Map // reflect.Type → Encoder
	compiled sync.Map // reflect.Type → encoder

	marshalerType     = reflect.TypeFor[json.Marshaler]()
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
	numberType        = reflect.TypeFor[json.Number]()
	stringsType       = reflect.TypeFor[[]string]()
)

// Of returns the encoder of a type, compiled when it is first asked for.
func Of(t reflect.Type) Encoder {
	if known, ok := encoders.Load(t); ok {
		return known.(Encoder)
	}
	known, _ := encoders.LoadOrStore(t, fromInterface(t))
	return known.(Encoder)
}

// fromInterface finds where in memory the value in an interface lies.
func fromInterface(t reflect.Type) Encoder {
	switch kind := t.Kind(); {
	case !compiles(t), kind == reflect.Map, kind == reflect.Chan, kind == reflect.Func, kind == reflect.UnsafePointer:
		return func(dst []byte, value any) ([]byte, error) {
			out, err := json.Marshal(value)
			return append(dst, out...), err
		}
	case kind == reflect.Pointer:
		element := of(t.Elem())
		return func(dst []byte, value any) ([]byte, error) {
			p := reflect.ValueOf(value).UnsafePointer()
			if p == nil {
				return append(dst, "null"...), nil
			}
			return element(dst, p, place(0).through())
		}
	case (kind == reflect.Struct || kind == reflect.Array) && t.Size() == reflect.TypeFor[uintptr]().Size():
		// Go may hold it in the interface itself, where it has no place.
		encode := of(t)
		return func(dst []byte, value any) ([]byte, error) {
			copied := reflect.New(t)
			copied.Elem().Set(reflect.ValueOf(value))
			return encode(dst, copied.UnsafePointer(), 0)
		}
	}
	encode := of(t)
	return func(dst []byte, value any) ([]byte, error) { return encode(dst, memory.Boxed(value), 0) }
}

func of(t reflect.Type) encoder {
	if known, ok := compiled.Load(t); ok {
		return known.(encoder)
	}
	// A type may contain itself: its parts find this stand-in, which waits for the real one.
	var real encoder
	var ready sync.WaitGroup
	ready.Add(1)
	known, loaded := compiled.LoadOrStore(t, encoder(func(dst []byte, p memory.Pointer, at place) ([]byte, error) {
		ready.Wait()
		return real(dst, p, at)
	}))
	if loaded {
		return known.(encoder)
	}
	real = compile(t)
	ready.Done()
	compiled.Store(t, real)
	return real
}

// compiles reports whether the form of a type is its kind's.
func compiles(t reflect.Type) bool {
	return !t.Implements(marshalerType) && !t.Implements(textMarshalerType) && t != numberType &&
		!reflect.PointerTo(t).Implements(marshalerType) && !reflect.PointerTo(t).Implements(textMarshalerType)
}

func compile(t reflect.Type) encoder {
	if !compiles(t) {
		return viaStandard(t)
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(dst []byte, p memory.Pointer, _ place) ([]byte, error) {
			return strconv.AppendBool(dst, *memory.At[bool](p, 0)), nil
		}
	case reflect.Int:
		return appendInt[int]
	case reflect.Int8:
		return appendInt[int8]
	case reflect.Int16:
		return appendInt[int16]
	case reflect.Int32:
		return appendInt[int32]
	case reflect.Int64:
		return appendInt[int64]
	case reflect.Uint:
		return appendUint[uint]
	case reflect.Uint8:
		return appendUint[uint8]
	case reflect.Uint16:
		return appendUint[uint16]
	case reflect.Uint32:
		return appendUint[uint32]
	case reflect.Uint64:
		return appendUint[uint64]
	case reflect.Uintptr:
		return appendUint[uintptr]
	case reflect.Float32:
		return func(dst []byte, p memory.Pointer, _ place) ([]byte, error) {
			return appendFloat(dst, float64(*memory.At[float32](p, 0)), 32)
		}
	case reflect.Float64:
		return func(dst []byte, p memory.Pointer, _ place) ([]byte, error) {
			return appendFloat(dst, *memory.At[float64](p, 0), 64)
		}
	case reflect.String:
		return func(dst []byte, p memory.Pointer, _ place) ([]byte, error) {
			return appendString(dst, *memory.At[string](p, 0)), nil
		}
	case reflect.Slice:
		return compileSlice(t)
	case reflect.Array:
		return compileArray(t)
	case reflect.Pointer:
		return compilePointer(t)
	case reflect.Struct:
		return compileStruct(t)
	}
	return viaStandard(t)
}

// viaStandard leaves values of a type to encoding/json. Of an addressable one the pointer is given, since methods on
// pointers count where encoding/json can reach them.
func viaStandard(t reflect.Type) encoder {
	return func(dst []byte, p memory.Pointer, at place) ([]byte, error) {
		v := reflect.NewAt(t, p)
		if at&addressable == 0 {
			v = v.Elem()
		}
		out, err := json.Marshal(v.Interface())
		return append(dst, out...), err
	}
}

func appendInt[N int | int8 | int16 | int32 | int64](dst []byte, p memory.Pointer, _ place) ([]byte, error) {
	return strconv.AppendInt(dst, int64(*memory.At[N](p, 0)), 10), nil
}

func appendUint[N uint | uint8 | uint16 | uint32 | uint64 | uintptr](dst []byte, p memory.Pointer, _ place) ([]byte, error) {
	return strconv.AppendUint(dst, uint64(*memory.At[N](p, 0)), 10), nil
}

// appendFloat writes a number as ECMAScript does: plainly between 1e-6 and 1e21, otherwise with an exponent that has no
// leading zero.
func appendFloat(dst []byte, f float64, bits int) ([]byte, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return dst, &json.UnsupportedValueError{Value: reflect.ValueOf(f), Str: strconv.FormatFloat(f, 'g', -1, bits)}
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 {
		if bits == 64 && (abs < 1e-6 || abs >= 1e21) || bits == 32 && (float32(abs) < 1e-6 || float32(abs) >= 1e21) {
			format = 'e'
		}
	}
	dst = strconv.AppendFloat(dst, f, format, -1, bits)
	if n := len(dst); format == 'e' && n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst, nil
}

func compileSlice(t reflect.Type) encoder {
	switch {
	case t.Elem().Kind() == reflect.Uint8:
		return viaStandard(t) // base64, unless the elements have a form of their own
	case t == stringsType:
		return func(dst []byte, p memory.Pointer, _ place) ([]byte, error) {
			return appendStrings(dst, *memory.At[[]string](p, 0)), nil
		}
	}
	element, size, standard := of(t.Elem()), t.Elem().Size(), viaStandard(t)
	return func(dst []byte, p memory.Pointer, at place) ([]byte, error) {
		first, length := memory.List(p)
		switch {
		case first == nil:
			return append(dst, "null"...), nil
		case at.tooDeep():
			return standard(dst, p, at)
		}
		return appendList(dst, first, length, size, element, at.through())
	}
}

func compileArray(t reflect.Type) encoder {
	element, size, length, standard := of(t.Elem()), t.Elem().Size(), t.Len(), viaStandard(t)
	return func(dst []byte, p memory.Pointer, at place) ([]byte, error) {
		if at.tooDeep() {
			return standard(dst, p, at)
		}
		return appendList(dst, p, length, size, element, at+deeper)
	}
}

func appendList(dst []byte, first memory.Pointer, length int, size uintptr, element encoder, at place) ([]byte, error) {
	dst = append(dst, '[')
	for i := range length {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = element(dst, memory.Add(first, uintptr(i)*size), at); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

// appendStrings writes the list that answers have most.
func appendStrings(dst []byte, list []string) []byte {
	if list == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}

func compilePointer(t reflect.Type) encoder {
	element, standard := of(t.Elem()), viaStandard(t)
	return func(dst []byte, p memory.Pointer, at place) ([]byte, error) {
		to := memory.Pointee(p)
		switch {
		case to == nil:
			return append(dst, "null"...), nil
		case at.tooDeep():
			return standard(dst, p, at)
		}
		return element(dst, to, at.through())
	}
}
