package orm

import (
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"
	"unsafe"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// A codec carries values of one Go type between fields and the database. It is made once per column; its functions
// work on the address of the field, which the plan computes from the row's, so that no row pays for reflection.
//
// What goes to a driver is always one of int64, float64, bool, string, []byte, time.Time and nil.
type codec struct {
	kind     dialect.Kind
	bits     int
	nullable bool
	own      bool // the type writes its values by itself, and they may be anything

	bind func(p unsafe.Pointer) (any, error)
	// direct returns the address in a type that database/sql fills without help, or is nil.
	direct func(p unsafe.Pointer) any
	scan   func(p unsafe.Pointer, src any) error
	// encode makes a driver value of what a caller compares or sets the column with.
	encode func(v any) (any, error)
	zero   func(p unsafe.Pointer) bool
}

var (
	typeTime     = reflect.TypeFor[time.Time]()
	typeDuration = reflect.TypeFor[time.Duration]()
	typeDecimal  = reflect.TypeFor[Decimal]()
	typeBytes    = reflect.TypeFor[[]byte]()
	typeValuer   = reflect.TypeFor[driver.Valuer]()
	typeScanner  = reflect.TypeFor[sql.Scanner]()
	typeMarshal  = reflect.TypeFor[encoding.TextMarshaler]()
	typeUnmarsh  = reflect.TypeFor[encoding.TextUnmarshaler]()
	typeJSON     = reflect.TypeFor[jsonColumn]()
)

var errNull = errors.New("NULL in a column whose field cannot be empty: make the field a pointer or sql.Null")

// codecOf returns the codec for a field's type.
func codecOf(t reflect.Type) (*codec, error) {
	if t.Kind() == reflect.Pointer {
		inner, err := codecOf(t.Elem())
		if err != nil {
			return nil, err
		}
		return pointerCodec(t, inner), nil
	}
	c, err := plainCodec(t)
	if err != nil {
		return nil, err
	}
	c.zero = func(p unsafe.Pointer) bool { return reflect.NewAt(t, p).Elem().IsZero() }
	return c, nil
}

func plainCodec(t reflect.Type) (*codec, error) {
	switch {
	case t == typeTime:
		return timeCodec(), nil
	case t == typeDecimal:
		return decimalCodec(), nil
	case reflect.PointerTo(t).Implements(typeJSON):
		return jsonCodec(t), nil
	case t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8:
		return uuidCodec(), nil
	case t.Implements(typeValuer) && reflect.PointerTo(t).Implements(typeScanner):
		return valuerCodec(t)
	case t.Implements(typeMarshal) && reflect.PointerTo(t).Implements(typeUnmarsh):
		return textCodec(t), nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return boolCodec(t), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intCodec(t), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return uintCodec(t), nil
	case reflect.Float32, reflect.Float64:
		return floatCodec(t), nil
	case reflect.String:
		return stringCodec(t), nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return bytesCodec(), nil
		}
	}
	return nil, fmt.Errorf("a field of type %s has no column type: use orm.JSON[%s], or give the type Scan and Value, "+
		"or MarshalText and UnmarshalText, or exclude the field with `db:\"-\"`", t, t)
}

// pointerCodec makes a column nullable: a nil pointer is NULL.
func pointerCodec(t reflect.Type, inner *codec) *codec {
	elem := t.Elem()
	return &codec{
		kind: inner.kind, bits: inner.bits, nullable: true, own: inner.own,
		bind: func(p unsafe.Pointer) (any, error) {
			if to := *(*unsafe.Pointer)(p); to != nil {
				return inner.bind(to)
			}
			return nil, nil
		},
		scan: func(p unsafe.Pointer, src any) error {
			if src == nil {
				*(*unsafe.Pointer)(p) = nil
				return nil
			}
			fresh := reflect.New(elem)
			if err := inner.scan(fresh.UnsafePointer(), src); err != nil {
				return err
			}
			*(*unsafe.Pointer)(p) = fresh.UnsafePointer()
			return nil
		},
		encode: inner.encode,
		zero:   func(p unsafe.Pointer) bool { return *(*unsafe.Pointer)(p) == nil },
	}
}

func boolCodec(t reflect.Type) *codec {
	c := &codec{
		kind: dialect.Bool,
		bind: func(p unsafe.Pointer) (any, error) { return *(*bool)(p), nil },
		scan: func(p unsafe.Pointer, src any) error {
			switch src := src.(type) {
			case bool:
				*(*bool)(p) = src
			case int64:
				*(*bool)(p) = src != 0
			case nil:
				return errNull
			default:
				b, err := strconv.ParseBool(text(src))
				if err != nil {
					return mismatch(src, "a bool")
				}
				*(*bool)(p) = b
			}
			return nil
		},
		encode: func(v any) (any, error) {
			switch r := reflect.ValueOf(v); r.Kind() {
			case reflect.Bool:
				return r.Bool(), nil
			case reflect.Int, reflect.Int64, reflect.Float64:
				switch {
				case r.IsZero():
					return false, nil
				case r.CanInt() && r.Int() == 1, r.CanFloat() && r.Float() == 1:
					return true, nil
				}
			}
			return nil, mismatch(v, "a bool")
		},
	}
	return c
}

func stringCodec(t reflect.Type) *codec {
	return &codec{
		kind:   dialect.Text,
		bind:   func(p unsafe.Pointer) (any, error) { return *(*string)(p), nil },
		direct: func(p unsafe.Pointer) any { return (*string)(p) },
		scan: func(p unsafe.Pointer, src any) error {
			if src == nil {
				return errNull
			}
			*(*string)(p) = text(src)
			return nil
		},
		encode: encodeString,
	}
}

func encodeString(v any) (any, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	if r := reflect.ValueOf(v); r.IsValid() && r.Kind() == reflect.String {
		return r.String(), nil
	}
	if m, ok := v.(encoding.TextMarshaler); ok {
		b, err := m.MarshalText()
		return string(b), err
	}
	if s, ok := v.(fmt.Stringer); ok {
		return s.String(), nil
	}
	return nil, mismatch(v, "text")
}

func bytesCodec() *codec {
	return &codec{
		kind: dialect.Bytes, nullable: false,
		bind: func(p unsafe.Pointer) (any, error) {
			if b := *(*[]byte)(p); b != nil {
				return b, nil
			}
			return []byte{}, nil
		},
		direct: func(p unsafe.Pointer) any { return (*[]byte)(p) },
		scan: func(p unsafe.Pointer, src any) error {
			switch src := src.(type) {
			case []byte:
				*(*[]byte)(p) = append([]byte{}, src...)
			case string:
				*(*[]byte)(p) = []byte(src)
			case nil:
				return errNull
			default:
				return mismatch(src, "octets")
			}
			return nil
		},
		encode: func(v any) (any, error) {
			switch v := v.(type) {
			case []byte:
				return v, nil
			case string:
				return []byte(v), nil
			}
			if r := reflect.ValueOf(v); r.IsValid() && r.Type().ConvertibleTo(typeBytes) {
				return r.Convert(typeBytes).Interface(), nil
			}
			return nil, mismatch(v, "octets")
		},
	}
}

func uuidCodec() *codec {
	format := func(u [16]byte) string { return formatUUID(u) }
	return &codec{
		kind: dialect.UUID,
		bind: func(p unsafe.Pointer) (any, error) { return format(*(*[16]byte)(p)), nil },
		scan: func(p unsafe.Pointer, src any) error {
			if src == nil {
				return errNull
			}
			if b, ok := src.([]byte); ok && len(b) == 16 {
				copy((*[16]byte)(p)[:], b)
				return nil
			}
			u, err := parseUUID(text(src))
			if err == nil {
				*(*[16]byte)(p) = u
			}
			return err
		},
		encode: func(v any) (any, error) {
			r := reflect.ValueOf(v)
			switch {
			case r.IsValid() && r.Kind() == reflect.Array && r.Len() == 16 && r.Type().Elem().Kind() == reflect.Uint8:
				var u [16]byte
				reflect.Copy(reflect.ValueOf(u[:]), r)
				return format(u), nil
			case r.IsValid() && r.Kind() == reflect.String:
				u, err := parseUUID(r.String())
				return format(u), err
			}
			return nil, mismatch(v, "a UUID")
		},
	}
}

func jsonCodec(t reflect.Type) *codec {
	return &codec{
		kind: dialect.JSONValue,
		bind: func(p unsafe.Pointer) (any, error) {
			b, err := reflect.NewAt(t, p).Interface().(jsonColumn).stored()
			return string(b), err
		},
		scan: func(p unsafe.Pointer, src any) error {
			if src == nil {
				return errNull
			}
			return json.Unmarshal([]byte(text(src)), reflect.NewAt(t, p).Interface())
		},
		encode: func(v any) (any, error) {
			b, err := json.Marshal(v)
			return string(b), err
		},
	}
}

// textCodec stores types that write themselves as text.
func textCodec(t reflect.Type) *codec {
	return &codec{
		kind: dialect.Text,
		bind: func(p unsafe.Pointer) (any, error) {
			b, err := reflect.NewAt(t, p).Elem().Interface().(encoding.TextMarshaler).MarshalText()
			return string(b), err
		},
		scan: func(p unsafe.Pointer, src any) error {
			if src == nil {
				return errNull
			}
			return reflect.NewAt(t, p).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text(src)))
		},
		encode: encodeString,
	}
}

// valuerCodec stores types that know database/sql: sql.Null, sql.NullString and others' own.
func valuerCodec(t reflect.Type) (*codec, error) {
	c := &codec{kind: dialect.Text, nullable: true}
	if t.Kind() == reflect.Struct && t.NumField() == 2 && t.Field(1).Name == "Valid" {
		inner, err := codecOf(t.Field(0).Type)
		if err != nil {
			return nil, err
		}
		c.kind, c.bits, c.own, c.encode = inner.kind, inner.bits, inner.own, inner.encode
		offset, valid := t.Field(0).Offset, t.Field(1).Offset
		c.bind = func(p unsafe.Pointer) (any, error) {
			if !*(*bool)(unsafe.Add(p, valid)) {
				return nil, nil
			}
			return inner.bind(unsafe.Add(p, offset))
		}
		c.scan = func(p unsafe.Pointer, src any) error {
			value := unsafe.Add(p, offset)
			*(*bool)(unsafe.Add(p, valid)) = src != nil
			if src == nil {
				reflect.NewAt(t.Field(0).Type, value).Elem().SetZero()
				return nil
			}
			return inner.scan(value, src)
		}
		return c, nil
	}
	c.own = true
	switch t.Kind() {
	case reflect.Bool:
		c.kind = dialect.Bool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		c.kind, c.bits = dialect.Int, t.Bits()
	case reflect.Float32, reflect.Float64:
		c.kind, c.bits = dialect.Float, t.Bits()
	case reflect.Slice:
		c.kind = dialect.Bytes
	}
	c.bind = func(p unsafe.Pointer) (any, error) {
		v, err := reflect.NewAt(t, p).Elem().Interface().(driver.Valuer).Value()
		if at, ok := v.(time.Time); ok {
			v = moment(at)
		}
		return v, err
	}
	c.scan = func(p unsafe.Pointer, src any) error { return reflect.NewAt(t, p).Interface().(sql.Scanner).Scan(src) }
	c.encode = func(v any) (any, error) {
		if valuer, ok := v.(driver.Valuer); ok {
			return valuer.Value()
		}
		return driver.DefaultParameterConverter.ConvertValue(v)
	}
	return c, nil
}

// text is what a driver gave as text.
func text(src any) string {
	switch src := src.(type) {
	case string:
		return src
	case []byte:
		return string(src)
	case time.Time:
		return src.UTC().Format(sqliteTime)
	}
	return fmt.Sprint(src)
}

// mismatch names types, never values: those may be secrets.
func mismatch(v any, want string) error { return fmt.Errorf("%T is not %s", v, want) }
