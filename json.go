package ishaa

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/ishaa-framework/ishaa/internal/jsonenc"
)

// Codec turns values into JSON and back. The default is encoding/json; what
// reaches DecodeJSON has already been checked to be strict JSON. A Codec is used
// by many goroutines at once.
type Codec interface {
	// AppendJSON appends the value's JSON, without a newline, to dst.
	AppendJSON(dst []byte, value any) ([]byte, error)
	// DecodeJSON stores the JSON in the value that v points to.
	DecodeJSON(data []byte, v any) error
}

// standardCodec writes what encoding/json would, by encoders compiled for each
// type, and reads by encoding/json.
type standardCodec struct{}

func (standardCodec) AppendJSON(dst []byte, value any) ([]byte, error) {
	if value == nil {
		return append(dst, "null"...), nil
	}
	return jsonenc.Of(reflect.TypeOf(value))(dst, value)
}

func (standardCodec) DecodeJSON(data []byte, v any) error { return json.Unmarshal(data, v) }

// decodeJSON maps what a codec says to what a client should see: the body is
// JSON, so what is left can only be that it does not fit.
func decodeJSON(app *App, data []byte, v any) error {
	err := app.codec.DecodeJSON(data, v)
	var misfit *json.UnmarshalTypeError
	var wrongUse *json.InvalidUnmarshalError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongUse):
		return fmt.Errorf("DecodeJSON needs a pointer to decode into: %w", err)
	case errors.As(err, &misfit):
		at := "the value"
		if misfit.Field != "" {
			at = "/" + strings.ReplaceAll(misfit.Field, ".", "/")
		}
		return Unprocessable("%s: expected %s, got %s", at, jsonTypeName(misfit.Type.Kind().String()), misfit.Value).Wrap(err)
	}
	return Unprocessable("the body does not fit: %v", err).Wrap(err)
}

// jsonTypeName says what a client calls a Go kind.
func jsonTypeName(kind string) string {
	switch {
	case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
		return "an integer in range"
	case strings.HasPrefix(kind, "float"):
		return "a number"
	}
	switch kind {
	case "struct", "map":
		return "an object"
	case "slice", "array":
		return "an array"
	case "bool":
		return "true or false"
	}
	return "a " + kind
}

// buffer is memory for one answer's body, kept between answers.
type buffer struct{ data []byte }

// Buffers beyond this size are left to the garbage collector, so that one large
// answer does not stay in memory for good.
const maxKeptBuffer = 64 << 10

var buffers = sync.Pool{New: func() any { return &buffer{data: make([]byte, 0, 1024)} }}

func newBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) free() {
	if cap(b.data) <= maxKeptBuffer {
		b.data = b.data[:0]
		buffers.Put(b)
	}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.data = append(b.data, p...)
	return len(p), nil
}
