package ishaa

import (
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Event is one server-sent event, as the HTML standard defines the
// text/event-stream format. Data that is a string is sent as it is, line by line;
// anything else as JSON.
type Event struct {
	ID    string        // what the client sends back as Last-Event-ID; no line breaks
	Name  string        // the event type; "" is "message"; no line breaks
	Data  any           // the event's data
	Retry time.Duration // how long a client should wait before it reconnects, in whole milliseconds; 0 says nothing
}

// eventHeartbeat is how often a comment is sent over an idle event stream, so
// that proxies keep the connection and a client that is gone is noticed.
const eventHeartbeat = 15 * time.Second

// Events answers with server-sent events as the sequence gives them. Items that
// are not an Event become one with the item as data. The request's context ends
// when the client goes away; a sequence that waits must watch it.
//
//	return ishaa.Events(func(yield func(ishaa.Event, error) bool) { … }), nil
func Events[T any](seq iter.Seq2[T, error]) *Response { return events(erase(seq)) }

func events(seq sequence) *Response {
	return &Response{
		header: http.Header{
			"Content-Type":  typeEvents,
			"Cache-Control": {"no-store"},
			// Proxies of the nginx family collect answers unless told otherwise.
			"X-Accel-Buffering": {"no"},
		},
		body: body{kind: bodyStream, content: streamFunc(func(w *StreamWriter) error { return writeEvents(w, seq) })},
	}
}

// LastEventID returns the id of the last event that a reconnecting client saw,
// or "".
func (r *Request) LastEventID() string { return r.Header("Last-Event-ID") }

func writeEvents(w *StreamWriter, seq sequence) error {
	if err := w.Flush(); err != nil { // headers at once: the client's "open"
		return err
	}
	stop := heartbeat(w)
	defer stop()
	var out []byte
	for item, err := range seq {
		if err != nil {
			return err
		}
		event, ok := item.(Event)
		if !ok {
			event = Event{Data: item}
		}
		if out, err = event.append(out[:0], w.r.route.app.codec); err != nil {
			return err
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// heartbeat sends a comment whenever its interval passes, until it is stopped.
// Its goroutine has ended when stop returns.
func heartbeat(w *StreamWriter) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-w.Context().Done():
				return
			case <-w.r.route.app.Draining():
				// The server is shutting down and clients of event streams reconnect
				// by themselves: the sequence ends with the request's context.
				w.r.endContext(w.control)
				return
			case <-w.r.route.app.Clock().After(eventHeartbeat):
				if _, err := w.Write([]byte(": keep-alive\n\n")); err != nil {
					return
				}
				if err := w.Flush(); err != nil {
					return
				}
			}
		}
	}()
	return func() { close(done); <-ended }
}

func (e Event) append(out []byte, codec Codec) ([]byte, error) {
	if strings.ContainsAny(e.ID, "\r\n\x00") || strings.ContainsAny(e.Name, "\r\n") {
		return nil, errors.New("ishaa.Event: ID and Name must not hold line breaks or NUL")
	}
	if e.ID != "" {
		out = append(append(append(out, "id: "...), e.ID...), '\n')
	}
	if e.Name != "" {
		out = append(append(append(out, "event: "...), e.Name...), '\n')
	}
	if e.Retry > 0 {
		out = strconv.AppendInt(append(out, "retry: "...), max(e.Retry.Milliseconds(), 1), 10)
		out = append(out, '\n')
	}
	var text string
	switch data := e.Data.(type) {
	case nil:
		return append(out, '\n'), nil
	case string:
		text = data
	case json.RawMessage:
		text = string(data)
	default:
		encoded, err := codec.AppendJSON(nil, data)
		if err != nil {
			return nil, err
		}
		text = string(encoded)
	}
	for line := range strings.SplitSeq(normaliseBreaks(text), "\n") {
		out = append(append(append(out, "data: "...), line...), '\n')
	}
	return append(out, '\n'), nil
}

// normaliseBreaks makes every line break that the format knows a "\n": a lone
// CR in data would otherwise end the line and start a field of its own.
func normaliseBreaks(text string) string {
	if !strings.Contains(text, "\r") {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}
