package ishaa

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa/internal/negotiate"
)

// Answers that are written as they go: readers, functions, and sequences
// (iter.Seq), which become a JSON array, NDJSON or server-sent events.

// streamStall is how long one write of a stream may wait for a slow client
// before the stream is given up. It replaces the server's WriteTimeout, which
// would end every stream that lasts longer.
const streamStall = 30 * time.Second

// StreamWriter writes a streamed body. Write and Flush may be called by several
// goroutines; each call is written whole.
type StreamWriter struct {
	mu      sync.Mutex
	r       *Request
	out     io.Writer // the connection, through the answer's filters
	control *http.ResponseController
	filters []io.WriteCloser // the one closest to the body first
	err     error
}

// errStreamEnded is what a goroutine gets that writes after its stream ended.
var errStreamEnded = errors.New("ishaa: write to a stream that has ended")

// Write sends bytes, which may be held back until Flush. After the client is
// gone it returns an error, and the request's context ends.
func (w *StreamWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.write(p)
}

func (w *StreamWriter) write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	allowStall(w.control)
	n, err := w.out.Write(p)
	w.err = err
	return n, err
}

// Flush sends what has been written so far.
func (w *StreamWriter) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

func (w *StreamWriter) flush() error {
	if w.err != nil {
		return w.err
	}
	allowStall(w.control)
	for _, filter := range w.filters { // the one closest to the body first
		if f, ok := filter.(interface{ Flush() error }); ok {
			if w.err = f.Flush(); w.err != nil {
				return w.err
			}
		}
	}
	if err := w.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		w.err = err
	}
	return w.err
}

// allowStall gives what is written next its time.
func allowStall(control *http.ResponseController) {
	// Not every writer has deadlines; those that have not cannot stall.
	_ = control.SetWriteDeadline(time.Now().Add(streamStall))
}

// close ends the filters, which may hold the last bytes.
func (w *StreamWriter) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		allowStall(w.control) // for the end of the body too, which the server writes
	}
	for _, filter := range w.filters {
		if w.err == nil {
			w.err = filter.Close()
		}
	}
	return w.err
}

// end keeps goroutines that outlive their stream off the connection, which is
// used for other answers from now on.
func (w *StreamWriter) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = errStreamEnded
	}
}

// Context ends when the client goes away.
func (w *StreamWriter) Context() context.Context { return w.r.Context() }

// Stream answers with what write sends, as it sends it. An error that write
// returns cuts the connection, so that the client does not take a part for the
// whole; it is logged.
func Stream(contentType string, write func(w *StreamWriter) error) *Response {
	return withType(contentType, body{kind: bodyStream, content: streamFunc(write)})
}

// copyFrom streams a reader.
func copyFrom(src io.Reader) streamFunc {
	return func(w *StreamWriter) error {
		buf := make([]byte, 32<<10)
		for {
			n, err := src.Read(buf)
			if n > 0 {
				if _, err := w.Write(buf[:n]); err != nil {
					return err
				}
			}
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return err
			case w.Context().Err() != nil:
				return w.Context().Err()
			}
		}
	}
}

// sequence is an iter.Seq[T] or iter.Seq2[T, error] without its type.
type sequence iter.Seq2[any, error]

var errorType = reflect.TypeFor[error]()

// sequenceOf recognises iterator functions. Seq2 is one only with an error as
// its second value, which ends the sequence.
func sequenceOf(v reflect.Value) (sequence, bool) {
	t := v.Type()
	if !t.CanSeq() && !t.CanSeq2() {
		return nil, false
	}
	if v.IsNil() {
		return func(func(any, error) bool) {}, true
	}
	if t.CanSeq() {
		return func(yield func(any, error) bool) {
			for item := range v.Seq() {
				if !yield(item.Interface(), nil) {
					return
				}
			}
		}, true
	}
	if t.In(0).In(1) != errorType {
		return nil, false
	}
	return func(yield func(any, error) bool) {
		for item, failure := range v.Seq2() {
			err, _ := failure.Interface().(error)
			if !yield(item.Interface(), err) || err != nil {
				return
			}
		}
	}, true
}

// fillSequence chooses the form that the client asks for.
func (r *Request) fillSequence(res *Response, seq sequence) error {
	chosen := res.Header().Get("Content-Type")
	if chosen == "" {
		chosen = negotiate.Best(r.Header("Accept"), typeJSON[0], typeNDJSON[0], typeEvents[0])
		res.vary("Accept")
	}
	switch chosen {
	case typeEvents[0]:
		return r.fillValue(res, events(seq))
	case typeNDJSON[0]:
		res.defaultType(madeNDJSON)
		res.body = body{kind: bodyStream, content: streamFunc(func(w *StreamWriter) error { return r.writeLines(w, seq) })}
	default:
		res.defaultType(madeJSON)
		res.body = body{kind: bodyStream, content: streamFunc(func(w *StreamWriter) error { return r.writeArray(w, seq) })}
	}
	return res.failure()
}

// NDJSON answers with one JSON value a line (application/x-ndjson), each sent as
// it comes.
func NDJSON[T any](seq iter.Seq2[T, error]) *Response {
	return &Response{
		header: http.Header{"Content-Type": typeNDJSON},
		body:   body{kind: bodyStream, content: streamFunc(func(w *StreamWriter) error { return w.r.writeLines(w, erase(seq)) })},
	}
}

// erase forgets a sequence's type.
func erase[T any](seq iter.Seq2[T, error]) sequence {
	return func(yield func(any, error) bool) {
		for item, err := range seq {
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// writeItems encodes each item between the given texts.
func (r *Request) writeItems(w *StreamWriter, seq sequence, between, after string, flush bool) error {
	buf := newBuffer()
	defer buf.free()
	first := true
	for item, err := range seq {
		if err != nil {
			return err
		}
		buf.data = buf.data[:0]
		if !first {
			buf.data = append(buf.data, between...)
		}
		first = false
		if buf.data, err = r.route.app.codec.AppendJSON(buf.data, item); err != nil {
			return err
		}
		buf.data = append(buf.data, after...)
		if _, err := w.Write(buf.data); err != nil {
			return err
		}
		if flush {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Request) writeLines(w *StreamWriter, seq sequence) error {
	if err := w.Flush(); err != nil { // the head at once: the first item may take its time
		return err
	}
	return r.writeItems(w, seq, "", "\n", true)
}

func (r *Request) writeArray(w *StreamWriter, seq sequence) error {
	if _, err := io.WriteString(w, "["); err != nil {
		return err
	}
	if err := r.writeItems(w, seq, ",", "", false); err != nil {
		return err
	}
	_, err := io.WriteString(w, "]")
	return err
}
