package orm

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unsafe"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

func intCodec(t reflect.Type) *codec {
	bits := t.Bits()
	kind := dialect.Int
	if t == typeDuration {
		kind = dialect.Duration
	}
	c := &codec{kind: kind, bits: bits, encode: func(v any) (any, error) {
		if s, ok := v.(string); ok && kind == dialect.Duration {
			if d, err := time.ParseDuration(s); err == nil {
				return int64(d), nil
			}
		}
		e, err := encodeInt(v)
		if n, ok := e.(int64); err == nil && ok && outOfRange(n, bits) {
			return nil, fmt.Errorf("%d does not fit %s", n, t)
		}
		return e, err
	}}
	switch bits {
	case 64:
		c.bind = func(p unsafe.Pointer) (any, error) { return *(*int64)(p), nil }
		c.direct = func(p unsafe.Pointer) any { return (*int64)(p) }
	case 32:
		c.bind = func(p unsafe.Pointer) (any, error) { return int64(*(*int32)(p)), nil }
	case 16:
		c.bind = func(p unsafe.Pointer) (any, error) { return int64(*(*int16)(p)), nil }
	default:
		c.bind = func(p unsafe.Pointer) (any, error) { return int64(*(*int8)(p)), nil }
	}
	c.scan = func(p unsafe.Pointer, src any) error {
		n, err := scanInt(src)
		if err != nil {
			return err
		}
		if outOfRange(n, bits) {
			return fmt.Errorf("%d does not fit %s", n, t)
		}
		switch bits {
		case 64:
			*(*int64)(p) = n
		case 32:
			*(*int32)(p) = int32(n)
		case 16:
			*(*int16)(p) = int16(n)
		default:
			*(*int8)(p) = int8(n)
		}
		return nil
	}
	return c
}

// outOfRange reports whether a number needs more bits than it may have.
func outOfRange(n int64, bits int) bool { return bits < 64 && n != n<<(64-bits)>>(64-bits) }

func scanInt(src any) (int64, error) {
	switch src := src.(type) {
	case int64:
		return src, nil
	case nil:
		return 0, errNull
	case bool:
		if src {
			return 1, nil
		}
		return 0, nil
	case float64:
		if src == math.Trunc(src) && math.Abs(src) < 1<<63 {
			return int64(src), nil
		}
		return 0, mismatch(src, "a whole number")
	}
	n, err := strconv.ParseInt(text(src), 10, 64)
	if err != nil {
		return 0, mismatch(src, "a whole number")
	}
	return n, nil
}

func encodeInt(v any) (any, error) {
	switch v := v.(type) {
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return r.Int(), nil
	case r.CanUint():
		if r.Uint() > math.MaxInt64 {
			return nil, fmt.Errorf("%d is too large", r.Uint())
		}
		return int64(r.Uint()), nil
	case r.CanFloat():
		if f := r.Float(); f == math.Trunc(f) && math.Abs(f) < 1<<63 {
			return int64(f), nil
		}
	case r.IsValid() && r.Kind() == reflect.String:
		if n, err := strconv.ParseInt(r.String(), 10, 64); err == nil {
			return n, nil
		}
	}
	return nil, mismatch(v, "a whole number")
}

// Unsigned numbers above the largest int64 travel as text, which the engines convert.
func uintCodec(t reflect.Type) *codec {
	bits := t.Bits()
	read := func(p unsafe.Pointer) uint64 {
		switch bits {
		case 64:
			return *(*uint64)(p)
		case 32:
			return uint64(*(*uint32)(p))
		case 16:
			return uint64(*(*uint16)(p))
		default:
			return uint64(*(*uint8)(p))
		}
	}
	pack := func(n uint64) any {
		if n > math.MaxInt64 {
			return strconv.FormatUint(n, 10)
		}
		return int64(n)
	}
	return &codec{
		kind: dialect.Uint, bits: bits,
		bind: func(p unsafe.Pointer) (any, error) { return pack(read(p)), nil },
		scan: func(p unsafe.Pointer, src any) error {
			if src == nil {
				return errNull
			}
			var n uint64
			if i, ok := src.(int64); ok && i >= 0 {
				n = uint64(i)
			} else {
				var err error
				if n, err = strconv.ParseUint(text(src), 10, 64); err != nil {
					return mismatch(src, "a whole number from 0")
				}
			}
			if bits < 64 && n>>bits != 0 {
				return fmt.Errorf("%d does not fit %s", n, t)
			}
			switch bits {
			case 64:
				*(*uint64)(p) = n
			case 32:
				*(*uint32)(p) = uint32(n)
			case 16:
				*(*uint16)(p) = uint16(n)
			default:
				*(*uint8)(p) = uint8(n)
			}
			return nil
		},
		encode: func(v any) (any, error) {
			r, n := reflect.ValueOf(v), uint64(0)
			if r.CanUint() {
				n = r.Uint()
			} else if s, ok := v.(string); ok {
				var err error
				if n, err = strconv.ParseUint(s, 10, 64); err != nil {
					return nil, mismatch(v, "a whole number from 0")
				}
			} else {
				e, err := encodeInt(v)
				if err != nil {
					return nil, err
				}
				if e.(int64) < 0 {
					return nil, fmt.Errorf("%d is below 0, and the field is a %s", e, t)
				}
				n = uint64(e.(int64))
			}
			if bits < 64 && n>>bits != 0 {
				return nil, fmt.Errorf("%d does not fit %s", n, t)
			}
			return pack(n), nil
		},
	}
}

func floatCodec(t reflect.Type) *codec {
	single := t.Kind() == reflect.Float32
	c := &codec{
		kind: dialect.Float, bits: t.Bits(),
		bind: func(p unsafe.Pointer) (any, error) { return finite(*(*float64)(p), single) },
		scan: func(p unsafe.Pointer, src any) error {
			f, err := scanFloat(src)
			if err != nil {
				return err
			}
			if single {
				*(*float32)(p) = float32(f)
			} else {
				*(*float64)(p) = f
			}
			return nil
		},
		encode: func(v any) (any, error) {
			switch r := reflect.ValueOf(v); {
			case r.CanFloat():
				return finite(r.Float(), single)
			case r.CanInt():
				return finite(float64(r.Int()), single)
			case r.CanUint():
				return finite(float64(r.Uint()), single)
			}
			return nil, mismatch(v, "a number")
		},
	}
	if single {
		c.bind = func(p unsafe.Pointer) (any, error) { return finite(float64(*(*float32)(p)), true) }
	} else {
		c.direct = func(p unsafe.Pointer) any { return (*float64)(p) }
	}
	return c
}

// finite refuses what two of three engines do not store, and makes a number as narrow as its column is, so that it
// compares the same on all of them.
func finite(f float64, single bool) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, errors.New("no column holds NaN or infinity: leave the field empty, with a pointer")
	}
	if single {
		f = float64(float32(f))
	}
	return f, nil
}

func scanFloat(src any) (float64, error) {
	switch src := src.(type) {
	case float64:
		return src, nil
	case float32:
		return float64(src), nil
	case int64:
		return float64(src), nil
	case nil:
		return 0, errNull
	}
	f, err := strconv.ParseFloat(text(src), 64)
	if err != nil {
		return 0, mismatch(src, "a number")
	}
	return f, nil
}

func decimalCodec() *codec {
	return &codec{
		kind: dialect.Decimal,
		bind: func(p unsafe.Pointer) (any, error) {
			d, err := ParseDecimal(string(*(*Decimal)(p)))
			return string(d), err
		},
		scan: func(p unsafe.Pointer, src any) error { return scanDecimal((*Decimal)(p), src) },
		encode: func(v any) (any, error) {
			switch r := reflect.ValueOf(v); {
			case r.IsValid() && r.Kind() == reflect.String:
				d, err := ParseDecimal(r.String())
				return string(d), err
			case r.CanInt():
				return strconv.FormatInt(r.Int(), 10), nil
			case r.CanUint():
				return strconv.FormatUint(r.Uint(), 10), nil
			case r.CanFloat():
				if _, err := finite(r.Float(), false); err != nil {
					return nil, err
				}
				return strconv.FormatFloat(r.Float(), 'f', -1, 64), nil
			}
			return nil, mismatch(v, "a decimal number")
		},
	}
}

func scanDecimal(to *Decimal, src any) error {
	switch src := src.(type) {
	case nil:
		return errNull
	case float64:
		*to = Decimal(strconv.FormatFloat(src, 'f', -1, 64))
	case int64:
		*to = Decimal(strconv.FormatInt(src, 10))
	default:
		d, err := ParseDecimal(text(src))
		if err != nil {
			return err
		}
		*to = d
	}
	return nil
}
