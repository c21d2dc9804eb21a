// Package jsonenc writes Go values as JSON, byte for byte as encoding/json does, from encoders compiled once per type:
//
//	encode := jsonenc.Of(reflect.TypeFor[Album]())
//	out, err := encode(nil, reflect.ValueOf(album), 0)
//
// It compiles what answers are mostly made of: structs, slices, strings, numbers, booleans and pointers to them. Whatever
// has a method or a tag that changes its form, every map, interface and embedded struct, is handed to encoding/json as a
// part of its own, so that there is one source of truth for the difficult cases.
package jsonenc

import (
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Encoder appends the JSON of a value, which is of the type that the encoder was compiled for, to dst. On an error what
// it returns is not JSON. The depth is how many pointers and lists lead to the value; callers give 0.
type Encoder func(dst []byte, v reflect.Value, depth int) ([]byte, error)

// deepest is how far a value nests before encoding/json, which notices one that contains itself, takes over.
const deepest = 1000

var (
	compiled sync.Map // reflect.Type → Encoder

	marshalerType     = reflect.TypeFor[json.Marshaler]()
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
	numberType        = reflect.TypeFor[json.Number]()
	stringsType       = reflect.TypeFor[[]string]()
)

// Of returns the encoder of a type, compiled when it is first asked for.
func Of(t reflect.Type) Encoder {
	if known, ok := compiled.Load(t); ok {
		return known.(Encoder)
	}
	// A type may contain itself: its parts find this stand-in, which waits for the real one.
	var real Encoder
	var ready sync.WaitGroup
	ready.Add(1)
	known, loaded := compiled.LoadOrStore(t, Encoder(func(dst []byte, v reflect.Value, depth int) ([]byte, error) {
		ready.Wait()
		return real(dst, v, depth)
	}))
	if loaded {
		return known.(Encoder)
	}
	real = compile(t)
	ready.Done()
	compiled.Store(t, real)
	return real
}

func compile(t reflect.Type) Encoder {
	if t.Implements(marshalerType) || t.Implements(textMarshalerType) || t == numberType ||
		reflect.PointerTo(t).Implements(marshalerType) || reflect.PointerTo(t).Implements(textMarshalerType) {
		return viaStandard
	}
	switch t.Kind() {
	case reflect.Bool:
		return appendBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return appendInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return appendUint
	case reflect.Float32:
		return appendFloat32
	case reflect.Float64:
		return appendFloat64
	case reflect.String:
		return func(dst []byte, v reflect.Value, _ int) ([]byte, error) { return appendString(dst, v.String()), nil }
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return viaStandard // base64, unless the elements have a form of their own
		}
		if t == stringsType {
			return appendStrings
		}
		return compileList(t, true)
	case reflect.Array:
		return compileList(t, false)
	case reflect.Pointer:
		return compilePointer(t)
	case reflect.Struct:
		return compileStruct(t)
	}
	return viaStandard
}

// viaStandard leaves a value to encoding/json. Of an addressable value the pointer is given, since methods on pointers
// count where encoding/json can reach them.
func viaStandard(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	if v.CanAddr() {
		v = v.Addr()
	}
	out, err := json.Marshal(v.Interface())
	return append(dst, out...), err
}

func appendBool(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	return strconv.AppendBool(dst, v.Bool()), nil
}

func appendInt(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	return strconv.AppendInt(dst, v.Int(), 10), nil
}

func appendUint(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	return strconv.AppendUint(dst, v.Uint(), 10), nil
}

func appendFloat32(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	return appendFloat(dst, v, 32)
}
func appendFloat64(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	return appendFloat(dst, v, 64)
}

// appendFloat writes a number as ECMAScript does: plainly between 1e-6 and 1e21, otherwise with an exponent that has no
// leading zero.
func appendFloat(dst []byte, v reflect.Value, bits int) ([]byte, error) {
	f := v.Float()
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return dst, &json.UnsupportedValueError{Value: v, Str: strconv.FormatFloat(f, 'g', -1, bits)}
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

// appendStrings is the list that answers have most. A list that is part of something addressable is read without
// reflection.
func appendStrings(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	if v.IsNil() {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '[')
	if v.CanAddr() {
		for i, s := range *v.Addr().Interface().(*[]string) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, s)
		}
		return append(dst, ']'), nil
	}
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, v.Index(i).String())
	}
	return append(dst, ']'), nil
}

func compileList(t reflect.Type, nilable bool) Encoder {
	element := Of(t.Elem())
	return func(dst []byte, v reflect.Value, depth int) ([]byte, error) {
		switch {
		case nilable && v.IsNil():
			return append(dst, "null"...), nil
		case depth > deepest:
			return viaStandard(dst, v, depth)
		}
		dst = append(dst, '[')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = element(dst, v.Index(i), depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	}
}

func compilePointer(t reflect.Type) Encoder {
	element := Of(t.Elem())
	return func(dst []byte, v reflect.Value, depth int) ([]byte, error) {
		switch {
		case v.IsNil():
			return append(dst, "null"...), nil
		case depth > deepest:
			return viaStandard(dst, v, depth)
		}
		return element(dst, v.Elem(), depth+1)
	}
}

// field is one member of an object.
type field struct {
	index     int
	comma     string // `,"name":`
	first     string // `"name":`
	omitEmpty bool
	omitZero  bool
	encode    Encoder
}

func compileStruct(t reflect.Type) Encoder {
	var fields []field
	names := map[string]bool{}
	for i := range t.NumField() {
		sf := t.Field(i)
		tag := sf.Tag.Get("json")
		if sf.Anonymous {
			return viaStandard
		}
		if !sf.IsExported() || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if !validName(name) {
			name = sf.Name
		}
		f := field{index: i}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "omitempty":
				f.omitEmpty = true
			case "omitzero":
				f.omitZero = true
			case "string":
				return viaStandard
			}
		}
		if names[name] || f.omitZero && hasIsZero(sf.Type) {
			return viaStandard
		}
		names[name] = true
		f.first = string(appendString(nil, name)) + ":"
		f.comma = "," + f.first
		f.encode = Of(sf.Type)
		fields = append(fields, f)
	}
	return func(dst []byte, v reflect.Value, depth int) ([]byte, error) {
		return appendObject(dst, v, fields, depth)
	}
}

func appendObject(dst []byte, v reflect.Value, fields []field, depth int) ([]byte, error) {
	dst = append(dst, '{')
	some := false
	for i := range fields {
		f := &fields[i]
		member := v.Field(f.index)
		if f.omitEmpty && isEmpty(member) || f.omitZero && member.IsZero() {
			continue
		}
		if some {
			dst = append(dst, f.comma...)
		} else {
			dst = append(dst, f.first...)
			some = true
		}
		var err error
		if dst, err = f.encode(dst, member, depth); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// hasIsZero reports whether omitzero would ask a method.
func hasIsZero(t reflect.Type) bool {
	isZeroer := reflect.TypeFor[interface{ IsZero() bool }]()
	return t.Implements(isZeroer) || reflect.PointerTo(t).Implements(isZeroer)
}

// isEmpty is what omitempty means.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// validName says which names a tag can give.
func validName(name string) bool {
	for _, c := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return name != ""
}

const hex = "0123456789abcdef"

// plain marks the ASCII characters that stand for themselves in a string.
var plain = func() (table [utf8.RuneSelf]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = !strings.ContainsRune("\"\\<>&\x7f", c)
	}
	table[0x7f] = true
	return table
}()

// appendString writes a string so that it can also stand in HTML, as encoding/json does: <, >, &, U+2028 and U+2029 are
// escaped, and what is not UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if n := plainPrefix(s); n == len(s) {
		return append(append(dst, s...), '"')
	}
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if plain[c] {
				i++
				continue
			}
			dst = appendEscape(append(dst, s[start:i]...), c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[start:i]...), `\u202`...)
			dst = append(dst, hex[r&0xf])
			start = i + size
		}
		i += size
	}
	return append(append(dst, s[start:]...), '"')
}

// plainPrefix returns how many bytes at the start of s stand for themselves; it may stop up to seven early. It looks at
// eight bytes at once.
func plainPrefix(s string) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	// A byte of x below n makes the high bit of its place in x - n·ones, if its own high bit is not set. Borrows of lower
	// places can only report too much.
	zero := func(x uint64) uint64 { return (x - ones) &^ x }
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		found := x | (x - ' '*ones) | zero(x^'"'*ones) | zero(x^'\\'*ones) | zero(x^'<'*ones) | zero(x^'>'*ones) | zero(x^'&'*ones)
		if found&high != 0 {
			return i
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || !plain[c] {
			return i
		}
	}
	return i
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '\\', '"':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}
