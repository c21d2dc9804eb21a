package ishaatest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"mime"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// Stream is an answer that is read while it is written: what the handler has
// flushed is there. Its checks fail the test at once. A Stream is for one
// goroutine, but for Close.
type Stream struct {
	t      testing.TB
	head   *Result // the answer so far, for checks and messages
	call   *call
	ctx    context.Context
	cancel context.CancelCauseFunc
	wait   *patience
	body   io.ReadCloser
	from   *bufio.Reader
	events *eventReader
	aborts bool
	forget func()
	once   sync.Once
}

// errClosed is why the context of a stream ends that the test has closed.
var errClosed = errors.New("the test has closed the stream")

// Stream sends a request, GET unless Method says otherwise, and returns once the
// answer's head is there. The stream is closed at the end of the test at the
// latest.
//
//	stream := client.Stream("/events").Status(200)
//	event := stream.Event()
//	stream.Close() // the handler's context ends
func (c *Client) Stream(path string, options ...RequestOption) *Stream {
	c.t.Helper()
	r := newRequest(http.MethodGet, path, c.settings, options)
	ctx, cancel := context.WithCancelCause(r.ctx)
	s := &Stream{t: c.t, ctx: ctx, cancel: cancel, aborts: r.aborts}
	s.head = &Result{t: c.t, client: c, request: r, method: r.method}
	s.wait = newPatience(r.timeout, cancel)
	answer, call, err := c.send(ctx, r, s.head)
	s.wait.stop()
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		cancel(nil)
		s.head.fail(c.t, "%s", describe(err, 0))
		return s
	}
	s.head.take(answer)
	s.call, s.body, s.from = call, answer.Body, bufio.NewReader(answer.Body)
	s.forget = c.backend.atEnd(func() { s.Close() })
	return s
}

// Status checks the status.
func (s *Stream) Status(want int) *Stream {
	s.t.Helper()
	if s.head.status != want {
		s.showBody()
	}
	s.head.Status(want)
	return s
}

// Header checks the first value of a header; "" wants it absent.
func (s *Stream) Header(name, want string) *Stream {
	s.t.Helper()
	s.head.Header(name, want)
	return s
}

// showBody reads a little of an answer that is not what was wanted, for the
// message.
func (s *Stream) showBody() {
	const grace = 200 * time.Millisecond
	defer time.AfterFunc(grace, func() { s.cancel(errClosed) }).Stop()
	s.head.body, _ = io.ReadAll(io.LimitReader(s.from, shownText+1))
}

// Read reads what has come, and waits when nothing has. It fails no test: an
// answer that is cut is an error.
func (s *Stream) Read(p []byte) (int, error) {
	s.wait.renew()
	defer s.wait.stop()
	n, err := s.from.Read(p)
	return n, s.explain(err)
}

// explain prefers the reason why the context has ended to what that led to.
func (s *Stream) explain(err error) error {
	if cause := context.Cause(s.ctx); err != nil && err != io.EOF && cause != nil {
		return cause
	}
	return err
}

// Line returns the next line, without its end. It fails the test if there is none.
func (s *Stream) Line() string {
	s.t.Helper()
	line, err := s.nextLine()
	if err != nil {
		s.fail("a line", err)
	}
	return line
}

// Lines yields the lines to come, without their ends, until the stream ends. A
// stream that is cut fails the test, one that the test closes ends quietly.
func (s *Stream) Lines() iter.Seq[string] {
	return func(yield func(string) bool) {
		s.t.Helper()
		for {
			line, err := s.nextLine()
			if err != nil {
				s.finish("a line", err)
				return
			}
			if !yield(line) {
				return
			}
		}
	}
}

func (s *Stream) nextLine() (string, error) {
	s.wait.renew()
	defer s.wait.stop()
	reader := s.reader()
	line, _, err := reader.lines.next()
	return line, s.explain(err)
}

// Event returns the next server-sent event. It fails the test if there is none.
func (s *Stream) Event() Event {
	s.t.Helper()
	event, err := s.nextEvent()
	if err != nil {
		s.fail("an event", err)
	}
	return event
}

// Events yields the server-sent events to come until the stream ends. A stream that
// is cut fails the test, one that the test closes ends quietly.
func (s *Stream) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		s.t.Helper()
		for {
			event, err := s.nextEvent()
			if err != nil {
				s.finish("an event", err)
				return
			}
			if !yield(event) {
				return
			}
		}
	}
}

func (s *Stream) nextEvent() (Event, error) {
	s.t.Helper()
	s.wantType("a stream of events", "text/event-stream")
	s.wait.renew()
	defer s.wait.stop()
	event, err := s.reader().next()
	return event, s.explain(err)
}

func (s *Stream) reader() *eventReader {
	if s.events == nil {
		s.events = &eventReader{lines: lineReader{from: s.from}}
	}
	return s.events
}

// Retry returns the time that the events so far told a client to wait before it
// reconnects, or 0.
func (s *Stream) Retry() time.Duration { return s.reader().retry }

// NDJSON yields the values of a stream of JSON lines until it ends. A line that is
// not a T fails the test.
func NDJSON[T any](s *Stream) iter.Seq[T] {
	return func(yield func(T) bool) {
		s.t.Helper()
		s.wantType("NDJSON", "application/x-ndjson", "application/jsonl", "application/json-seq")
		for line := range s.Lines() {
			var value T
			if err := json.Unmarshal([]byte(line), &value); err != nil {
				s.head.fail(s.t, "the line %q does not decode into %T: %v", line, value, err)
				return
			}
			if !yield(value) {
				return
			}
		}
	}
}

func (s *Stream) wantType(what string, types ...string) {
	s.t.Helper()
	given := s.head.header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(given); err != nil || !slices.Contains(types, media) {
		s.showBody()
		s.head.fail(s.t, "the answer is not %s: its Content-Type is %q", what, given)
	}
}

// End checks that the stream has nothing more and ends, or with ExpectAbort that
// it is cut.
func (s *Stream) End() {
	s.t.Helper()
	s.wait.renew()
	rest, err := io.ReadAll(s.from)
	s.wait.stop()
	if len(rest) > 0 {
		s.head.body = rest
		s.head.fail(s.t, "the stream goes on:")
		return
	}
	if err == nil && s.aborts {
		s.head.fail(s.t, "the stream is complete, and it was to be cut (ExpectAbort)")
	}
	if err != nil {
		s.finish("the end of the stream", s.explain(err))
	}
}

// Close goes away, as a client does that closes its connection: the handler's
// context ends.
func (s *Stream) Close() {
	s.once.Do(func() {
		s.cancel(errClosed)
		if s.body != nil {
			s.body.Close()
		}
		if s.forget != nil {
			s.forget()
		}
	})
}

// Wait waits for the handler to return, and fails the test if it takes longer than
// Timeout says.
//
//	stream.Close()
//	stream.Wait() // the handler has noticed
func (s *Stream) Wait() {
	s.t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	defer newPatience(s.wait.timeout, cancel).stop()
	if err := s.call.wait(ctx); err != nil {
		s.head.fail(s.t, "the handler has not returned: %v", err)
	}
}

// finish ends a loop: quietly at the stream's end, when the test closed it or
// expected a cut, and otherwise by failing the test.
func (s *Stream) finish(what string, err error) {
	s.t.Helper()
	cut := err != io.EOF && !errors.Is(err, errClosed) && s.head.request.ctx.Err() == nil
	switch {
	case cut && !(s.aborts && s.ctx.Err() == nil):
		s.fail(what, err)
	case err == io.EOF && s.aborts:
		s.head.fail(s.t, "the stream is complete, and it was to be cut (ExpectAbort)")
	}
}

func (s *Stream) fail(what string, err error) {
	s.t.Helper()
	if err == io.EOF {
		s.head.fail(s.t, "waiting for %s: the stream has ended", what)
		return
	}
	s.head.fail(s.t, "waiting for %s: %v", what, err)
}
