package graphql

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/memory"
)

// A leaf is a scalar or an enum: how a Go value is written, and how it is made of a value that was coerced. Coerced values
// are nil, bool, int64 (Int), float64 (Float), string (String, ID and names of enum values), []any, and map[string]any for
// input objects; the scalars that the specification does not define get JSON as it came: texts, bool, json.Number and so on.

type leafKind uint8

const (
	leafScalar leafKind = iota
	leafEnum
)

type leaf struct {
	kind      leafKind
	name      string
	doc, url  string
	values    []enumText // of an enum
	nullable  bool       // null is a value of the type's own
	append    func(dst []byte, p memory.Pointer) ([]byte, error)
	set       func(dst reflect.Value, v any) error
	inputOnly bool
}

type enumText struct{ name, doc, deprecated string }

// ScalarType says how values of T are written and read.
type ScalarType[T any] struct {
	Name        string // as in GraphQL; "" is the Go name
	Doc         string
	SpecifiedBy string // the address of what specifies it (@specifiedBy)
	// Encode returns what T becomes, as encoding/json takes it.
	Encode func(T) (any, error)
	// Decode makes a T of what the client wrote: nil, bool, json.Number, string, []any or map[string]any. Its error is told
	// to the client. Without it T cannot stand in arguments.
	Decode func(any) (T, error)
}

// Scalar makes T a scalar.
func Scalar[T any](s *Schema, scalar ScalarType[T]) {
	t := reflect.TypeFor[T]()
	l := &leaf{name: scalar.Name, doc: scalar.Doc, url: scalar.SpecifiedBy}
	if l.name == "" {
		l.name = goName(t)
	}
	if !validName(l.name) {
		s.mistake(caller(), "scalar %s: %q is no name", t, l.name)
	}
	if scalar.Encode == nil {
		s.mistake(caller(), "scalar %s: Encode is missing", l.name)
	}
	l.append = func(dst []byte, p memory.Pointer) ([]byte, error) {
		v, err := scalar.Encode(*memory.At[T](p, 0))
		if err != nil {
			return dst, err
		}
		return appendAny(dst, v)
	}
	l.set = func(dst reflect.Value, v any) error {
		if scalar.Decode == nil {
			return fmt.Errorf("%s cannot stand in arguments", l.name)
		}
		value, err := scalar.Decode(v)
		if err == nil {
			dst.Set(reflect.ValueOf(&value).Elem())
		}
		return err
	}
	s.leaves[t] = l
}

// errFinite is for numbers that JSON does not have.
var errFinite = errors.New("the number is not finite")

func (s *Schema) addBuiltinLeaves() {
	Scalar(s, ScalarType[time.Time]{
		Name: "DateTime", Doc: "A time of RFC 3339, such as 2026-01-02T15:04:05Z.", SpecifiedBy: "https://scalars.graphql.org/andimarek/date-time",
		Encode: func(t time.Time) (any, error) { return t, nil },
		Decode: func(v any) (time.Time, error) {
			text, _ := v.(string)
			t, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return t, errors.New("must be a time such as 2026-01-02T15:04:05Z")
			}
			return t, nil
		},
	})
	Scalar(s, ScalarType[time.Duration]{
		Name: "Duration", Doc: "A duration such as 1h30m or 250ms.",
		Encode: func(d time.Duration) (any, error) { return d.String(), nil },
		Decode: func(v any) (time.Duration, error) {
			text, _ := v.(string)
			d, err := time.ParseDuration(text)
			if err != nil {
				return d, errors.New("must be a duration such as 1h30m")
			}
			return d, nil
		},
	})
	Scalar(s, ScalarType[[]byte]{
		Name: "Base64", Doc: "Octets in base64 (RFC 4648, with padding).",
		Encode: func(b []byte) (any, error) { return base64.StdEncoding.EncodeToString(b), nil },
		Decode: func(v any) ([]byte, error) {
			text, ok := v.(string)
			b, err := base64.StdEncoding.DecodeString(text)
			if !ok || err != nil {
				return nil, errors.New("must be octets in base64")
			}
			return b, nil
		},
	})
	s.leaves[reflect.TypeFor[Upload]()] = &leaf{
		name: "Upload", doc: "A file of a multipart request.", inputOnly: true,
		set: func(dst reflect.Value, v any) error {
			file, ok := v.(Upload)
			if !ok {
				return errors.New("must be a file of a multipart request, by a variable that is null")
			}
			dst.Set(reflect.ValueOf(file))
			return nil
		},
	}
	s.leaves[reflect.TypeFor[ID]()] = &leaf{name: "ID", append: appendText, set: setText}
}

// leafOf returns the leaf of a type that was registered, or that has one by its nature; nil for lists, objects and so on.
func (s *Schema) leafOf(t reflect.Type) *leaf {
	if l := s.leaves[t]; l != nil {
		return l
	}
	l := natural(t)
	if l != nil {
		s.leaves[t] = l
	}
	return l
}

var (
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
)

func natural(t reflect.Type) *leaf {
	switch {
	case t.Kind() == reflect.Pointer:
		return nil
	case t.Implements(textMarshaler) && t.Kind() != reflect.Interface:
		return textLeaf(t)
	case t == reflect.TypeFor[json.RawMessage](), t.Kind() == reflect.Map, t == reflect.TypeFor[any](),
		t.Implements(jsonMarshaler) && t.Kind() != reflect.Interface:
		return jsonLeaf(t)
	}
	switch t.Kind() {
	case reflect.String:
		return &leaf{name: "String", append: appendText, set: setText}
	case reflect.Bool:
		return &leaf{name: "Boolean", append: func(dst []byte, p memory.Pointer) ([]byte, error) {
			return strconv.AppendBool(dst, *memory.At[bool](p, 0)), nil
		}, set: func(dst reflect.Value, v any) error {
			dst.SetBool(v.(bool))
			return nil
		}}
	case reflect.Int:
		return &leaf{name: "Int", set: setInt, append: func(dst []byte, p memory.Pointer) ([]byte, error) {
			n := *memory.At[int](p, 0)
			if n != int(int32(n)) {
				return dst, fmt.Errorf("%d does not fit Int, which has 32 bits; use int64, which is Int64", n)
			}
			return strconv.AppendInt(dst, int64(n), 10), nil
		}}
	case reflect.Int8:
		return &leaf{name: "Int", set: setInt, append: appendInt[int8]}
	case reflect.Int16:
		return &leaf{name: "Int", set: setInt, append: appendInt[int16]}
	case reflect.Int32:
		return &leaf{name: "Int", set: setInt, append: appendInt[int32]}
	case reflect.Uint8:
		return &leaf{name: "Int", set: setInt, append: appendInt[uint8]}
	case reflect.Uint16:
		return &leaf{name: "Int", set: setInt, append: appendInt[uint16]}
	case reflect.Int64:
		return &leaf{name: "Int64", doc: int64Doc, set: setInt, append: appendInt[int64]}
	case reflect.Uint32:
		return &leaf{name: "Int64", doc: int64Doc, set: setInt, append: appendInt[uint32]}
	case reflect.Uint64:
		return &leaf{name: "Int64", doc: int64Doc, set: setInt, append: appendUint[uint64]}
	case reflect.Uint:
		return &leaf{name: "Int64", doc: int64Doc, set: setInt, append: appendUint[uint]}
	case reflect.Float32:
		return &leaf{name: "Float", set: setFloat, append: func(dst []byte, p memory.Pointer) ([]byte, error) {
			return appendFloat(dst, float64(*memory.At[float32](p, 0)), 32)
		}}
	case reflect.Float64:
		return &leaf{name: "Float", set: setFloat, append: func(dst []byte, p memory.Pointer) ([]byte, error) {
			return appendFloat(dst, *memory.At[float64](p, 0), 64)
		}}
	}
	return nil
}

const int64Doc = "An integer of up to 64 bits."

func textLeaf(t reflect.Type) *leaf {
	l := &leaf{name: goName(t)}
	l.append = func(dst []byte, p memory.Pointer) ([]byte, error) {
		text, err := reflect.NewAt(t, p).Elem().Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return dst, err
		}
		return appendString(dst, string(text)), nil
	}
	l.set = func(dst reflect.Value, v any) error {
		text, ok := v.(string)
		if !ok || !reflect.PointerTo(t).Implements(textUnmarshaler) {
			return fmt.Errorf("%s is written as text", l.name)
		}
		return dst.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	}
	return l
}

func jsonLeaf(t reflect.Type) *leaf {
	return &leaf{
		name: "JSON", doc: "Any value.", nullable: true,
		append: func(dst []byte, p memory.Pointer) ([]byte, error) {
			return appendAny(dst, reflect.NewAt(t, p).Elem().Interface())
		},
		set: func(dst reflect.Value, v any) error {
			text, err := json.Marshal(v)
			if err != nil {
				return err
			}
			return json.Unmarshal(text, dst.Addr().Interface())
		},
	}
}

func appendAny(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return appendString(dst, v), nil
	case json.RawMessage:
		if v == nil {
			return append(dst, "null"...), nil
		}
	}
	text, err := json.Marshal(v)
	return append(dst, text...), err
}

func appendText(dst []byte, p memory.Pointer) ([]byte, error) {
	return appendString(dst, *memory.At[string](p, 0)), nil
}

func appendInt[N int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](dst []byte, p memory.Pointer) ([]byte, error) {
	return strconv.AppendInt(dst, int64(*memory.At[N](p, 0)), 10), nil
}

func appendUint[N uint | uint64](dst []byte, p memory.Pointer) ([]byte, error) {
	return strconv.AppendUint(dst, uint64(*memory.At[N](p, 0)), 10), nil
}

func appendFloat(dst []byte, f float64, bits int) ([]byte, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return dst, errFinite
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		text := strconv.AppendFloat(nil, f, 'e', -1, bits)
		// e-07 is written e-7, as everybody else does.
		if n := len(text); n >= 4 && text[n-4] == 'e' && text[n-2] == '0' {
			text[n-2] = text[n-1]
			text = text[:n-1]
		}
		return append(dst, text...), nil
	}
	return strconv.AppendFloat(dst, f, 'f', -1, bits), nil
}

const hexDigits = "0123456789abcdef"

// appendString writes a text as JSON. What is not UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, size := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size != 1 {
				i += size
				continue
			}
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
		} else {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

func setText(dst reflect.Value, v any) error {
	dst.SetString(v.(string))
	return nil
}

func setFloat(dst reflect.Value, v any) error {
	f := v.(float64)
	if dst.OverflowFloat(f) {
		return errors.New("the number is too large")
	}
	dst.SetFloat(f)
	return nil
}

// setInt takes an Int, or the number or text of an Int64.
func setInt(dst reflect.Value, v any) error {
	var text string
	switch v := v.(type) {
	case int64:
		if dst.CanInt() && !dst.OverflowInt(v) {
			dst.SetInt(v)
			return nil
		}
		text = strconv.FormatInt(v, 10)
	case json.Number:
		text = v.String()
	case string:
		text = v
	default:
		return errors.New("must be an integer")
	}
	if dst.CanUint() {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || dst.OverflowUint(n) {
			return fmt.Errorf("must be an integer of %d bits that is not negative", dst.Type().Bits())
		}
		dst.SetUint(n)
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || dst.OverflowInt(n) {
		return fmt.Errorf("must be an integer of %d bits", dst.Type().Bits())
	}
	dst.SetInt(n)
	return nil
}
