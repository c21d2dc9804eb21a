package websocket

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"sync"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/jsonenc"
	"github.com/ishaa-framework/ishaa/schema"
)

// message is a message as frames that any number of connections may send.
type message struct {
	kind    Kind
	plain   []byte // the frame
	payload []byte // within plain

	once     sync.Once
	deflated []byte // the compressed frame; nil if it is no smaller
}

// newMessage encodes a value: a string as text, bytes as they are, the rest as JSON.
func newMessage(v any) (*message, error) {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return nil, errors.New("websocket: a text message has to be UTF-8; send bytes as []byte")
		}
		return pack(Text, []byte(v)), nil
	case []byte:
		return pack(Binary, v), nil
	case nil:
		return pack(Text, []byte("null")), nil
	}
	payload, err := jsonenc.Of(reflect.TypeOf(v))(nil, v)
	if err != nil {
		return nil, fmt.Errorf("websocket: a %T cannot be sent as JSON: %w", v, err)
	}
	return pack(Text, payload), nil
}

// pack frames a payload.
func pack(kind Kind, payload []byte) *message {
	frame := appendHeader(make([]byte, 0, maxHeader+len(payload)), byte(kind), len(payload))
	head := len(frame)
	frame = append(frame, payload...)
	return &message{kind: kind, plain: frame, payload: frame[head:]}
}

// worthIt is the size from which compression saves more than it costs.
const worthIt = 512

// frame is what a connection sends.
func (m *message) frame(deflate bool) []byte {
	if !deflate || len(m.payload) < worthIt {
		return m.plain
	}
	m.once.Do(m.compress)
	if m.deflated == nil {
		return m.plain
	}
	return m.deflated
}

var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // fails only for levels that there are not
	return w
}}

// compress makes the compressed frame (RFC 7692 §7.2.1). It needs no context of
// earlier messages, so one frame is right for every connection.
func (m *message) compress() {
	var out bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	if _, err := w.Write(m.payload); err != nil {
		return
	}
	if err := w.Flush(); err != nil {
		return
	}
	data := bytes.TrimSuffix(out.Bytes(), []byte{0, 0, 0xFF, 0xFF})
	if len(data) < len(m.payload) {
		m.deflated = append(appendHeader(make([]byte, 0, maxHeader+len(data)), byte(m.kind)|rsv1, len(data)), data...)
	}
}

// MessageError is a message that is not what it should be. The connection is still
// open: a handler that returns it closes with 1007, one that goes on has skipped it.
type MessageError struct {
	Reason     string             // for the client
	Violations []schema.Violation // where it is JSON that does not fit
}

// Error returns the reason.
func (e *MessageError) Error() string { return "websocket: " + e.Reason }

// Receive waits for the next message and decodes it: text for a string, the bytes
// of either kind for a []byte, and for any other type JSON, which has to fit the
// type as the body of a typed handler has to (package schema). The error is a
// *MessageError for a message that does not fit, and else as Conn.Receive says.
func Receive[T any](ctx context.Context, c *Conn) (T, error) {
	var value T
	kind, data, err := c.Receive(ctx)
	if err != nil {
		return value, err
	}
	switch into := any(&value).(type) {
	case *string:
		if kind != Text {
			return value, &MessageError{Reason: "a text message was expected"}
		}
		*into = string(data)
		return value, nil
	case *[]byte:
		*into = data
		return value, nil
	}
	err = decode(data, &value)
	return value, err
}

// decode reads JSON as the body of a typed handler is read.
func decode[T any](data []byte, into *T) error {
	t, err := schema.For[T]()
	if err != nil {
		return fmt.Errorf("websocket: messages of this type cannot be read: %w", err)
	}
	violations, err := t.Decode(data, into, schema.DecodeOptions{})
	switch {
	case err != nil:
		return &MessageError{Reason: "the message is not JSON: " + err.Error()}
	case len(violations) > 0:
		first := violations[0]
		return &MessageError{Reason: fmt.Sprintf("the message does not fit: %s %s", first.Pointer, first.Message), Violations: violations}
	}
	return nil
}

// Messages gives the messages of a client until the connection ends, each decoded as
// Receive does.
//
//	for m, err := range websocket.Messages[Move](c) {
//		if err != nil {
//			return err
//		}
//		…
//	}
//
// A message that does not fit comes as a *MessageError; a loop that goes on has
// skipped it. An end that is nobody's fault, by either side, ends the loop; any
// other one comes as the last error.
func Messages[T any](c *Conn) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			m, err := Receive[T](c.ctx, c)
			var end *CloseError
			if errors.As(err, &end) && end.normal() {
				return
			}
			var wrong *MessageError
			if !yield(m, err) || err != nil && !errors.As(err, &wrong) {
				return
			}
		}
	}
}
