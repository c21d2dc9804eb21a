package ishaa

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"reflect"
	"runtime/debug"
)

// This file is where a handler's value becomes an answer in memory. Nothing is
// written to the client here: After hooks, interceptors and Render all work on
// what answer leaves in the Response; send.go writes it.

// Responder is a value that knows how it is answered. Templates, files,
// redirects and GraphQL results are Responders. Respond fills the answer; an
// error is answered in its place.
type Responder interface {
	Respond(r *Request, res *Response) error
}

// ErrStreamed is what Render and Capture give for an answer that is written as
// it goes and so cannot be kept in memory.
var ErrStreamed = errors.New("ishaa: the answer is streamed and cannot be rendered into memory")

// answer makes what a handler returned the answer being built. It may be called
// again with the answer itself, which changes nothing.
func (r *Request) answer(value any, err error) *Response {
	res := r.res
	if err == nil && value == any(res) && res.built {
		return res
	}
	if err == nil {
		err = r.fill(res, value)
	}
	if err != nil {
		r.answerError(res, err)
	}
	if closeErr := r.closeDependencies(err, res.Streams()); closeErr != nil {
		r.answerError(res, closeErr)
	}
	if res.status == 0 && res.body.kind != bodyServe {
		res.status = http.StatusOK
	}
	res.built = true
	return res
}

// fill puts a value into the answer. A panic of the value's own encoding is an
// error like any other.
func (r *Request) fill(res *Response, value any) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = panicked(cause)
		}
	}()
	if value == any(res) || res.rare != nil && res.rare.stream != nil && sameValue(value, res.rare.stream) {
		return r.encodeBody(res)
	}
	res.body.release()
	res.body = body{}
	res.forgetStream()
	return r.fillValue(res, value)
}

// sameValue compares what may not be comparable, as functions are not.
func sameValue(a, b any) bool {
	v := reflect.ValueOf(a)
	return v.IsValid() && v.Comparable() && a == b
}

// fillValue is the table of what a returned value becomes.
func (r *Request) fillValue(res *Response, value any) error {
	if r.route.direct && reflect.TypeOf(value) == r.route.output && !isNilPointer(value) {
		res.defaultType(madeJSON)
		if err := res.failure(); err != nil {
			return err
		}
		return r.encodeValue(res, value)
	}
	switch v := value.(type) {
	case nil:
		if res.status == 0 {
			res.status = http.StatusNoContent
		}
	case string:
		res.body = body{kind: bodyText, data: v}
		res.defaultType(madeHTML)
	case template.HTML:
		res.body = body{kind: bodyText, data: string(v)}
		res.defaultType(madeHTML)
	case []byte:
		res.body = inMemory(v)
		res.defaultType(madeOctets)
	case *Response:
		if v == nil {
			return r.nilPointer(value)
		}
		return r.fillResponse(res, v)
	case Responder:
		if isNilPointer(value) {
			return r.nilPointer(value)
		}
		if err := v.Respond(r, res); err != nil {
			return err
		}
		return r.encodeBody(res)
	case error:
		if isNilPointer(value) {
			return r.nilPointer(value)
		}
		return v
	case io.Reader:
		if isNilPointer(value) {
			return r.nilPointer(value)
		}
		if closer, ok := v.(io.Closer); ok {
			// Not where it is read: the answer to HEAD, and one that an error takes the
			// place of, never read it.
			r.OnSent(func() { closer.Close() })
		}
		res.body = body{kind: bodyStream, content: copyFrom(v)}
		res.defaultType(madeOctets)
	default:
		return r.fillReflected(res, value)
	}
	return res.failure()
}

// fillReflected handles what only reflection can tell apart: sequences, nil
// pointers, and everything else, which is JSON.
func (r *Request) fillReflected(res *Response, value any) error {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Func:
		if seq, ok := sequenceOf(v); ok {
			return r.fillSequence(res, seq)
		}
	case reflect.Pointer:
		if v.IsNil() {
			return r.nilPointer(value)
		}
	}
	res.defaultType(madeJSON)
	res.body = body{kind: bodyValue, content: value}
	return r.encodeBody(res)
}

// fillResponse merges an answer that a handler made into the one being built.
func (r *Request) fillResponse(res, made *Response) error {
	if err := made.failure(); err != nil {
		return err
	}
	if made.status != 0 {
		res.status = made.status
	}
	res.adoptHeader(made)
	res.addFilters(made.filters())
	if res.body = made.body; res.body.kind == bodyBytes {
		res.body.content = nil // made's
	}
	return r.encodeBody(res)
}

// encodeBody turns a value that is still to be encoded into bytes.
func (r *Request) encodeBody(res *Response) error {
	if err := res.failure(); err != nil {
		return err
	}
	if res.body.kind != bodyValue {
		return nil
	}
	return r.encodeValue(res, nilCollection(res.body.content))
}

func (r *Request) encodeValue(res *Response, value any) error {
	buf := newBuffer()
	data, err := r.appendJSON(buf.data[:0], value)
	if err != nil {
		buf.free()
		return fmt.Errorf("encoding %T as JSON for %s: %w", value, r.route, err)
	}
	buf.data = data
	res.body = inBuffer(buf)
	return nil
}

// appendJSON encodes a value, by the route's own encoder if it is what the route is
// known to answer with.
func (r *Request) appendJSON(dst []byte, value any) ([]byte, error) {
	if encode := r.route.encode; encode != nil && reflect.TypeOf(value) == r.route.output {
		if _, standard := r.route.app.codec.(standardCodec); standard {
			return encode(dst, value)
		}
	}
	return r.route.app.codec.AppendJSON(dst, value)
}

var emptyArray = []struct{}{}

// nilCollection returns what stands for a nil slice or map, which JSON would write
// as null: a list without items, an object without members. It leaves bytes, which
// are a string, and what encodes itself.
func nilCollection(value any) any {
	v := reflect.ValueOf(value)
	if kind := v.Kind(); kind != reflect.Slice && kind != reflect.Map || !v.IsNil() {
		return value
	}
	switch value.(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return value
	}
	switch {
	case v.Kind() == reflect.Map:
		return struct{}{}
	case v.Type().Elem().Kind() == reflect.Uint8:
		return value
	}
	return emptyArray
}

func (res *Response) defaultType(kind madeType) {
	switch {
	case res.madeType != madeNone:
	case res.header == nil:
		res.madeType = kind
	// Most answers have no header yet; the length is cheaper to ask for than a key.
	case len(res.header) == 0 || res.header["Content-Type"] == nil:
		res.header["Content-Type"] = kind.value()
	}
}

func isNilPointer(value any) bool {
	v := reflect.ValueOf(value)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

func (r *Request) nilPointer(value any) error {
	return fmt.Errorf("the handler of %s (%s) returned a nil %T as its answer; return ishaa.NoContent for 204, or an error", r.route, r.route.Source(), value)
}

// Render turns a value, as a handler returns it, into the answer's bytes. The
// value becomes the answer being built, status and headers included, and the
// result may be returned in its place. It gives ErrStreamed for a value that is
// streamed; then the value itself is what to return.
func (r *Request) Render(value any) (*Rendered, error) {
	res := r.res
	if rendered, ok := value.(*Rendered); ok && rendered != nil && res.untouched() {
		return rendered, nil
	}
	if value != any(res) || !res.built {
		if err := r.fill(res, value); err != nil {
			return nil, err
		}
	}
	rendered, err := res.rendered()
	if errors.Is(err, ErrStreamed) {
		res.more().stream = value
	}
	return rendered, err
}

// untouched reports an answer that nothing has been set on.
func (res *Response) untouched() bool {
	return res.status == 0 && len(res.header) == 0 && (res.head == nil || res.head.Empty()) && res.madeType == madeNone &&
		len(res.filters()) == 0 && res.failure() == nil
}

// Capture runs next on an answer of its own and renders what comes of it. What
// hooks further out have set so far is not in it, and what next sets is in
// nothing else. The value is what to return in either case: the rendered answer,
// or, with the error ErrStreamed, one that streams. Any other error is next's, or
// that of rendering its value; what next had set on the answer, such as cookies,
// is then on the request's answer, as it is without Capture.
func (r *Request) Capture(next Handler) (rendered *Rendered, value any, err error) {
	outer := r.res
	inner := &Response{header: http.Header{}}
	r.res = inner
	done := false
	defer func() {
		if r.res = outer; !done { // an error, or a panic
			outer.merge(inner.header)
		}
	}()
	if value, err = next(r); err != nil {
		return nil, value, err
	}
	rendered, err = r.Render(value)
	switch {
	case err == nil:
		done = true
		return rendered, rendered, nil
	case errors.Is(err, ErrStreamed):
		done = true
		outer.adopt(inner)
		return nil, outer, ErrStreamed
	}
	return nil, value, err
}

// adoptHeader takes over the headers of an answer that was built apart.
func (res *Response) adoptHeader(made *Response) {
	if made.madeType != madeNone && len(made.header) == 0 {
		res.adoptType(made.madeType, made.ownType())
		return
	}
	res.merge(made.header) // read only: an answer may be returned by many requests at once
}

// adoptType takes over a type, and what it stands for as a header.
func (res *Response) adoptType(made madeType, value []string) {
	if res.header == nil && made != madeOther {
		res.madeType = made
	} else {
		res.headers()["Content-Type"] = value
	}
}

// adopt takes over an answer that was built apart.
func (res *Response) adopt(made *Response) {
	if made.status != 0 {
		res.status = made.status
	}
	res.adoptHeader(made)
	res.addFilters(made.filters())
	res.body = made.body
	if err := made.failure(); err != nil {
		res.fail(err)
	}
}

// PanicError is a panic turned into an error. It is a 500 even when its value is
// an error that would map to another status: it was not returned, it was thrown.
type PanicError struct {
	Value any    // what the code panicked with
	Stack []byte // of the goroutine that panicked, as runtime/debug writes it
}

// panicked turns what recover gave into an error; http.ErrAbortHandler, a
// handler's way of cutting the connection, goes on as a panic.
func panicked(value any) error {
	if value == any(http.ErrAbortHandler) {
		panic(value)
	}
	if thrown, ok := value.(*PanicError); ok {
		return thrown // passed on from another goroutine, with the stack of that one
	}
	return &PanicError{value, debug.Stack()}
}

// Error says what the code panicked with.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap gives a panic's value where it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
