package schema

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// textForm is how a Go type that is not a plain string reads and writes text.
type textForm struct {
	parse func(v reflect.Value, text []byte) error // v is addressable
	print func(v reflect.Value) (string, error)    // nil if there is no way
	what  string                                   // what the client is told the text must be
	quiet bool                                     // the error of parse says nothing more
}

// set parses text into v and records the failure.
func (f *textForm) set(r *recorder, v reflect.Value, text []byte, rule string) {
	err := f.parse(v, text)
	switch {
	case err == nil:
	case f.quiet || r.secret > 0:
		r.add(rule, "must be "+f.what, string(text))
	default:
		r.add(rule, "must be "+f.what+": "+cut(err.Error()), string(text))
	}
}

var timeForm = &textForm{
	parse: func(v reflect.Value, text []byte) error {
		return v.Addr().Interface().(*time.Time).UnmarshalText(text)
	},
	print: func(v reflect.Value) (string, error) {
		text, err := v.Interface().(time.Time).MarshalText()
		return string(text), err
	},
	what:  formats["date-time"].article,
	quiet: true,
}

// durationPattern is the language of time.ParseDuration; only that refuses what overflows 64 bits.
const durationPattern = `^[-+]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`

var durationForm = &textForm{
	parse: func(v reflect.Value, text []byte) error {
		d, err := time.ParseDuration(string(text))
		v.SetInt(int64(d))
		return err
	},
	print: func(v reflect.Value) (string, error) { return time.Duration(v.Int()).String(), nil },
	what:  "a duration like 1h30m or 250ms",
	quiet: true,
}

var octetsForm = &textForm{
	parse: func(v reflect.Value, text []byte) error {
		if strings.ContainsAny(string(text), "\r\n") {
			return errors.New("line breaks")
		}
		b := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
		n, err := base64.StdEncoding.Decode(b, text)
		if err == nil {
			v.SetBytes(b[:n])
		}
		return err
	},
	print: func(v reflect.Value) (string, error) { return base64.StdEncoding.EncodeToString(v.Bytes()), nil },
	what:  "base64 (with + and /, and padded with =)",
	quiet: true,
}

var numberForm = &textForm{
	parse: func(v reflect.Value, text []byte) error {
		if _, ok := parseDecimal(string(text)); !ok {
			return errors.New("not a number")
		}
		v.SetString(string(text))
		return nil
	},
	print: func(v reflect.Value) (string, error) {
		if v.Len() == 0 {
			return "0", nil // as encoding/json writes it
		}
		return v.String(), nil
	},
	what:  "a number",
	quiet: true,
}

// textFormOf is the form that a type's own UnmarshalText and MarshalText make. Its parts are nil where these are.
func textFormOf(t reflect.Type) *textForm {
	f := &textForm{what: "a valid " + typeName(t)}
	pointer := reflect.PointerTo(t)
	if pointer.Implements(textUnmarshalerType) {
		f.parse = func(v reflect.Value, text []byte) error {
			return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(text)
		}
	}
	switch {
	case t.Implements(textMarshalerType):
		f.print = func(v reflect.Value) (string, error) {
			text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
			return string(text), err
		}
	case pointer.Implements(textMarshalerType):
		f.print = func(v reflect.Value) (string, error) {
			if !v.CanAddr() {
				copied := reflect.New(v.Type()).Elem()
				copied.Set(v)
				v = copied
			}
			text, err := v.Addr().Interface().(encoding.TextMarshaler).MarshalText()
			return string(text), err
		}
	}
	return f
}

// setJSON hands a checked JSON value to the type's own code.
func (c *core) setJSON(r *recorder, v reflect.Value, raw []byte) {
	var err error
	if c.json != nil {
		err = c.json.parse(v, raw)
	} else {
		err = v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(raw)
	}
	if err == nil {
		return
	}
	message := "is not valid"
	if r.secret == 0 {
		message = cut(fmt.Sprintf("is not valid: %v", err))
	}
	r.add("type", message, scalarOf(raw))
}

// scalarOf is what a Violation shows of a raw value.
func scalarOf(raw []byte) any {
	if len(raw) == 0 || len(raw) > longestShown {
		return nil
	}
	switch raw[0] {
	case '{', '[', 'n':
		return nil
	case '"', 't', 'f':
		var v any
		_ = json.Unmarshal(raw, &v)
		return v
	}
	return json.Number(raw)
}
