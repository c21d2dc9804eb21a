package ishaatest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// feed answers with what comes from a channel, as server-sent events, NDJSON or an
// array, until the channel is closed or the client is gone.
func feed(from <-chan any) ishaa.Handler {
	return func(r *ishaa.Request) (any, error) {
		ctx := r.Context()
		return func(yield func(any, error) bool) {
			for {
				select {
				case <-ctx.Done():
					yield(nil, ctx.Err())
					return
				case item, ok := <-from:
					if err, failed := item.(error); failed {
						yield(nil, err)
						return
					}
					if !ok || !yield(item, nil) {
						return
					}
				}
			}
		}, nil
	}
}

var (
	acceptEvents = ishaatest.Header("Accept", "text/event-stream")
	acceptLines  = ishaatest.Header("Accept", "application/x-ndjson")
)

func TestEvents(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		items := make(chan any)
		app := ishaa.New("test")
		app.Get("/events", feed(items))
		stream := ishaatest.New(t, app, how...).Stream("/events", acceptEvents).
			Status(200).Header("Content-Type", "text/event-stream")
		// Each event is read before the next is made: nothing waits for the end.
		items <- ishaa.Event{ID: "1", Name: "greeting", Data: "two\nlines", Retry: 2 * time.Second}
		if got, want := stream.Event(), (ishaatest.Event{ID: "1", Name: "greeting", Data: "two\nlines"}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if stream.Retry() != 2*time.Second {
			t.Errorf("retry is %s", stream.Retry())
		}
		items <- map[string]int{"n": 1}
		if got, want := stream.Event(), (ishaatest.Event{ID: "1", Name: "message", Data: `{"n":1}`}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		go func() {
			for _, text := range []string{"a", "b", "c"} {
				items <- text
			}
			close(items)
		}()
		var data []string
		for event := range stream.Events() {
			data = append(data, event.Data)
		}
		if !slices.Equal(data, []string{"a", "b", "c"}) {
			t.Errorf("the rest is %q", data)
		}
		stream.End()
		stream.Wait()
	})
}

func TestNDJSON(t *testing.T) {
	type point struct{ X int }
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		items := make(chan any, 3)
		app := ishaa.New("test")
		app.Get("/points", feed(items))
		items <- point{1}
		stream := ishaatest.New(t, app, how...).Stream("/points", acceptLines)
		if line := stream.Line(); line != `{"X":1}` {
			t.Errorf("the first line is %q", line)
		}
		items <- point{2}
		items <- point{3}
		close(items)
		got := slices.Collect(ishaatest.NDJSON[point](stream))
		if !slices.Equal(got, []point{{2}, {3}}) {
			t.Errorf("got %v", got)
		}
		stream.End()
	})
}

// What a handler flushes is there before it returns; and a handler that flushes
// does not wait for the reader.
func TestFlushedBytes(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		proceed, flushed := make(chan struct{}), make(chan struct{})
		handler := http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			control := http.NewResponseController(w)
			for _, err := range []error{
				control.SetReadDeadline(time.Now().Add(time.Minute)),
				control.SetWriteDeadline(time.Now().Add(time.Minute)),
				control.EnableFullDuplex(),
			} {
				if err != nil {
					t.Error(err)
				}
			}
			if body, err := io.ReadAll(raw.Body); string(body) != "x" || err != nil {
				t.Errorf("the body is %q, %v", body, err)
			}
			_, _ = io.WriteString(w, "first ")
			if err := control.Flush(); err != nil {
				t.Error(err)
			}
			close(flushed)
			<-proceed
			_, _ = io.WriteString(w, "second")
		})
		stream := ishaatest.New(t, handler, how...).Stream("/", ishaatest.Method("PUT"), ishaatest.Body("", "x"))
		receive(t, "the handler to go on after its flush", flushed)
		first := make([]byte, 6)
		if _, err := io.ReadFull(stream, first); err != nil || string(first) != "first " {
			t.Errorf("read %q, %v", first, err)
		}
		close(proceed)
		if rest, err := io.ReadAll(stream); err != nil || string(rest) != "second" {
			t.Errorf("read %q, %v", rest, err)
		}
	})
}

// A client that goes away ends the handler's context.
func TestClientGoesAway(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		ended := make(chan error, 1)
		handler := http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-raw.Context().Done()
			for { // what is written from now on fails sooner or later
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					break
				}
			}
			ended <- raw.Context().Err()
		})
		client := ishaatest.New(t, handler, how...)
		stream := client.Stream("/")
		stream.Close()
		stream.Wait()
		if err := receive(t, "the handler", ended); !errors.Is(err, context.Canceled) {
			t.Errorf("the handler's context ended with %v", err)
		}
		for range stream.Lines() {
			t.Error("a closed stream has a line")
		}
		if _, err := stream.Read(make([]byte, 1)); err == nil {
			t.Error("a closed stream can be read")
		}

		ctx, cancel := context.WithCancel(t.Context())
		stream = client.Stream("/", ishaatest.Context(ctx))
		cancel()
		for range stream.Lines() {
			t.Error("a stream whose context has ended has a line")
		}
		stream.Wait()
		receive(t, "the handler", ended)

		client.Stream("/") // closed by the end of the test
	})
}

func TestStreamFailures(t *testing.T) {
	for _, test := range []struct {
		name  string
		items []any
		end   bool
		check func(c *ishaatest.Client)
		want  []string
	}{
		{"no event before the end", nil, true, func(c *ishaatest.Client) { c.Stream("/", acceptEvents).Event() },
			[]string{"GET /: waiting for an event: the stream has ended", "200 OK"}},
		{"no line before the end", nil, true, func(c *ishaatest.Client) { c.Stream("/", acceptLines).Line() },
			[]string{"waiting for a line: the stream has ended"}},
		{"no event in time", nil, false, func(c *ishaatest.Client) {
			c.Stream("/", acceptEvents, ishaatest.Timeout(10*time.Second)).Event()
		}, []string{"waiting for an event: nothing came for 10s"}},
		{"no end in time", nil, false, func(c *ishaatest.Client) {
			c.Stream("/", acceptEvents, ishaatest.Timeout(10*time.Second)).End()
		}, []string{"waiting for the end of the stream: nothing came for 10s"}},
		{"no return in time", nil, false, func(c *ishaatest.Client) {
			c.Stream("/", acceptEvents, ishaatest.Timeout(10*time.Second)).Wait()
		}, []string{"the handler has not returned: nothing came for 10s"}},
		{"more than the end", []any{"surplus"}, true, func(c *ishaatest.Client) { c.Stream("/", acceptEvents).End() },
			[]string{"the stream goes on:", "surplus"}},
		{"cut within a loop", []any{1, errors.New("the source is gone")}, false, func(c *ishaatest.Client) {
			for range c.Stream("/", acceptLines).Lines() {
			}
		}, []string{"waiting for a line: unexpected EOF"}},
		{"cut at the end", []any{1, errors.New("the source is gone")}, false, func(c *ishaatest.Client) {
			stream := c.Stream("/", acceptLines)
			stream.Line()
			stream.End()
		}, []string{"waiting for the end of the stream: unexpected EOF"}},
		{"not cut", nil, true, func(c *ishaatest.Client) { c.Stream("/", acceptLines, ishaatest.ExpectAbort()).End() },
			[]string{"the stream is complete, and it was to be cut"}},
		{"not cut within a loop", nil, true, func(c *ishaatest.Client) {
			for range c.Stream("/", acceptLines, ishaatest.ExpectAbort()).Lines() {
			}
		}, []string{"the stream is complete, and it was to be cut"}},
		{"another status", []any{"teapot"}, true, func(c *ishaatest.Client) { c.Stream("/", acceptLines).Status(404) },
			[]string{"status 200, want 404", "teapot"}},
		{"another status of a stream that goes on", []any{"kettle"}, false, func(c *ishaatest.Client) { c.Stream("/", acceptLines).Status(404) },
			[]string{"status 200, want 404"}},
		{"another header", nil, true, func(c *ishaatest.Client) { c.Stream("/", acceptLines).Header("X-Missing", "1") },
			[]string{"there is no header X-Missing"}},
		{"events of something else", []any{1}, true, func(c *ishaatest.Client) { c.Stream("/", acceptLines).Event() },
			[]string{`not a stream of events: its Content-Type is "application/x-ndjson"`}},
		{"NDJSON of something else", []any{1}, true, func(c *ishaatest.Client) {
			for range ishaatest.NDJSON[int](c.Stream("/")) {
			}
		}, []string{`not NDJSON: its Content-Type is "application/json`, "[1]"}},
		{"a line that does not decode", []any{1, "two"}, true, func(c *ishaatest.Client) {
			for range ishaatest.NDJSON[int](c.Stream("/", acceptLines)) {
			}
		}, []string{`the line "\"two\"" does not decode into int`}},
		{"a request that cannot be", nil, true, func(c *ishaatest.Client) { c.Stream("x") }, []string{`has to begin with "/"`}},
		{"a context that has ended", nil, true, func(c *ishaatest.Client) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			c.Stream("/", ishaatest.Context(ctx))
		}, []string{"there is no answer: context canceled"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("ISHAA_TEST_SOCKET", "0")
			synctest.Test(t, func(t *testing.T) { // where waiting takes no time
				items := make(chan any, len(test.items))
				for _, item := range test.items {
					items <- item
				}
				if test.end {
					close(items)
				}
				app := ishaa.New("test")
				app.Get("/", feed(items))
				fails(t, func(t testing.TB) { test.check(ishaatest.New(t, app)) }, test.want...)
			})
		})
	}
}

func TestStreamThatIsToBeCut(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		items := make(chan any, 2)
		app := ishaa.New("test")
		app.Get("/", feed(items))
		client := ishaatest.New(t, app, how...)
		items <- 1
		items <- errors.New("the source is gone")
		var lines []string
		for line := range client.Stream("/", acceptLines, ishaatest.ExpectAbort()).Lines() {
			lines = append(lines, line)
		}
		if !slices.Equal(lines, []string{"1"}) {
			t.Errorf("the lines before the cut are %q", lines)
		}
		items <- 2
		items <- errors.New("the source is gone")
		stream := client.Stream("/", acceptLines, ishaatest.ExpectAbort())
		stream.Line()
		stream.End()
	})
}

// Deadlines that a handler sets on its connection hold.
func TestDeadlines(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		if strings.HasSuffix(t.Name(), "TLS") {
			t.Skip("crypto/tls takes 5 seconds to say goodbye to a client that does not read")
		}
		failed := make(chan error, 1)
		handler := http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			control := http.NewResponseController(w)
			if raw.Method == "POST" {
				if err := control.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
					t.Error(err)
				}
				_, err := io.ReadAll(raw.Body)
				failed <- err
				return
			}
			if err := control.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
				t.Error(err)
			}
			for { // the client does not read
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					failed <- err
					return
				}
			}
		})
		client := ishaatest.New(t, handler, how...)
		stream := client.Stream("/")
		if err := receive(t, "a write to fail", failed); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("writing failed with %v", err)
		}
		stream.Close()
		if _, err := io.WriteString(client.Dial(), "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"); err != nil {
			t.Fatal(err)
		}
		if err := receive(t, "a read to fail", failed); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading failed with %v", err)
		}
	})
}

func TestLongStream(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		const size = 1 << 20
		handler := http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			body, err := io.ReadAll(raw.Body)
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(body)
		})
		want := strings.Repeat("0123456789abcdef", size/16)
		stream := ishaatest.New(t, handler, how...).Stream("/", ishaatest.Method("POST"), ishaatest.Body("text/plain", want))
		if got, err := io.ReadAll(stream); err != nil || string(got) != want {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
	})
}
