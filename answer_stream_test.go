package ishaa_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// closeable is a reader that counts how often it is closed.
type closeable struct {
	io.Reader
	closed *atomic.Int32
}

func (c closeable) Close() error { c.closed.Add(1); return nil }

func TestReaderIsClosed(t *testing.T) {
	for _, c := range []struct {
		name, method string
		h            func(closeable) ishaa.Handler
	}{
		{"after the last byte", "GET", func(c closeable) ishaa.Handler {
			return func(*ishaa.Request) (any, error) { return c, nil }
		}},
		{"when only the headers are asked for", "HEAD", func(c closeable) ishaa.Handler {
			return func(*ishaa.Request) (any, error) { return c, nil }
		}},
		{"when there is no body", "GET", func(c closeable) ishaa.Handler {
			return func(r *ishaa.Request) (any, error) { r.Response().SetStatus(304); return c, nil }
		}},
		{"when reading fails", "GET", func(c closeable) ishaa.Handler {
			c.Reader = brokenReader{}
			return func(*ishaa.Request) (any, error) { return c, nil }
		}},
		{"when an error answers in its place", "GET", func(c closeable) ishaa.Handler {
			return func(r *ishaa.Request) (any, error) {
				r.Response().SetStatus(1000)
				return c, nil
			}
		}},
		{"once, although it was rendered first", "GET", func(c closeable) ishaa.Handler {
			return func(r *ishaa.Request) (any, error) {
				if _, err := r.Render(c); !errors.Is(err, ishaa.ErrStreamed) {
					return nil, err
				}
				return c, nil
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := closeable{strings.NewReader("x"), new(atomic.Int32)}
			app := newApp(t)
			app.Get("/", c.h(src))
			do(t, app, c.method, "/")
			same(t, "closed", src.closed.Load(), int32(1))
		})
	}
}

func TestContentIsClosed(t *testing.T) {
	closed := new(atomic.Int32)
	app := newApp(t)
	app.Get("/", func(*ishaa.Request) (any, error) {
		return ishaa.Content("a.txt", time.Time{}, struct {
			io.ReadSeeker
			io.Closer
		}{strings.NewReader("abc"), closeable{nil, closed}}), nil
	})
	do(t, app, "GET", "/").wantBody(t, 200, "abc")
	do(t, app, "HEAD", "/").wantBody(t, 200, "")
	same(t, "closed", closed.Load(), int32(2))
}

// A sequence becomes what the client asks for.
func TestSequenceByAccept(t *testing.T) {
	app := newApp(t)
	app.Get("/seq", func(*ishaa.Request) (any, error) { return slices.Values([]point{{1, 2}, {3, 4}}), nil })
	app.Get("/fixed", func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("Content-Type", "application/x-ndjson")
		return slices.Values([]int{1}), nil
	})
	for _, c := range []struct{ accept, typ, body string }{
		{"", typeJSON, `[{"x":1,"y":2},{"x":3,"y":4}]`},
		{"*/*", typeJSON, `[{"x":1,"y":2},{"x":3,"y":4}]`},
		{"text/html", typeJSON, `[{"x":1,"y":2},{"x":3,"y":4}]`},
		{"application/x-ndjson", "application/x-ndjson", "{\"x\":1,\"y\":2}\n{\"x\":3,\"y\":4}\n"},
		{"application/json;q=0.1, application/x-ndjson", "application/x-ndjson", "{\"x\":1,\"y\":2}\n{\"x\":3,\"y\":4}\n"},
		{"text/event-stream", "text/event-stream", "data: {\"x\":1,\"y\":2}\n\ndata: {\"x\":3,\"y\":4}\n\n"},
	} {
		do(t, app, "GET", "/seq", withHeader("Accept", c.accept)).wantBody(t, 200, c.body).
			wantHeader(t, "Content-Type", c.typ).wantHeader(t, "Vary", "Accept")
	}
	do(t, app, "GET", "/fixed", withHeader("Accept", "text/event-stream")).wantBody(t, 200, "1\n").wantHeader(t, "Vary")
}

// failsAt is a sequence of numbers that ends in an error.
func failsAt(n int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
		yield(0, errBroken)
	}
}

// A stream that breaks cuts the connection: no client takes a part for the whole.
func TestBrokenStreamIsCut(t *testing.T) {
	noLeaks(t)
	app, log := loggedApp(t)
	seen := make(chan ishaa.Outcome, 1)
	app.Observe(observer(func(_ *ishaa.Route, o ishaa.Outcome) { seen <- o }))
	streamed := func(err error) *ishaa.Response {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			io.WriteString(w, "part")
			w.Flush()
			return err
		})
	}
	for path, value := range map[string]func() any{
		"/array":  func() any { return failsAt(3) },
		"/lines":  func() any { return ishaa.NDJSON(failsAt(3)) },
		"/events": func() any { return ishaa.Events(failsAt(3)) },
		"/reader": func() any { return io.MultiReader(strings.NewReader("part"), brokenReader{}) },
		"/stream": func() any { return streamed(errBroken) },
		"/filtered": func() any {
			res := streamed(errBroken)
			res.Filter(outlined("a"))
			return res
		},
		"/close": func() any {
			res := streamed(nil)
			res.Filter(func(w io.Writer) io.WriteCloser { return closeFails{w} })
			return res
		},
		"/value": func() any { return slices.Values([]any{1, make(chan int)}) },
		"/panic": func() any {
			return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error { panic(errBroken) })
		},
	} {
		app.Get(path, func(*ishaa.Request) (any, error) { return value(), nil })
	}
	s := serve(t, app)
	logged := 0
	for _, path := range []string{"/array", "/lines", "/events", "/reader", "/stream", "/filtered", "/close", "/value", "/panic"} {
		res := s.raw("GET", "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
		if res.err == nil {
			t.Errorf("%s: the answer looks whole: %s", path, res)
		}
		outcome := receive(t, "the outcome of "+path, seen)
		if !outcome.Aborted || outcome.Status != 200 {
			t.Errorf("%s: the outcome is %+v", path, outcome)
		}
		if failed := len(log.records(t, "request failed")); failed != logged+1 {
			t.Errorf("%s: %d records of it in the log", path, failed-logged)
		}
		logged = len(log.records(t, "request failed"))
	}
	s.do("GET", "/none").want(t, 404)
}

type observer func(*ishaa.Route, ishaa.Outcome)

func (o observer) Observe(route *ishaa.Route, outcome ishaa.Outcome) { o(route, outcome) }

type closeFails struct{ io.Writer }

func (closeFails) Close() error { return errBroken }

// Each line of NDJSON is sent when it is there.
func TestNDJSONFlushesEachItem(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	next := make(chan int)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		return ishaa.NDJSON(func(yield func(int, error) bool) {
			for n := range next {
				if !yield(n, nil) {
					return
				}
			}
		}), nil
	})
	s := serve(t, app)
	ready := make(chan *http.Response, 1)
	go func() { ready <- s.send(t.Context(), "GET", "/") }()
	next <- 0
	answer := receive(t, "the head of the answer", ready)
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	for i := range 5 {
		if line, err := lines.ReadString('\n'); err != nil || line != string(rune('0'+i))+"\n" {
			t.Fatalf("line %d is %q, %v", i, line, err)
		}
		if i < 4 {
			next <- i + 1
		}
	}
	close(next)
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("after the last line: %q, %v", rest, err)
	}
}

// A stream's writer belongs to its stream: a goroutine that outlives it gets an
// error, not the connection of the next request.
func TestStreamWriterAfterItsStream(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	writers := make(chan *ishaa.StreamWriter, 1)
	app.Get("/", func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			var wg sync.WaitGroup
			for range 4 { // several goroutines may write at once
				wg.Go(func() {
					for range 25 {
						io.WriteString(w, "0123456789")
						w.Flush()
					}
				})
			}
			wg.Wait()
			writers <- w
			return nil
		}), nil
	})
	app.Get("/next", text("next"))
	s := serve(t, app)
	s.do("GET", "/").wantBody(t, 200, strings.Repeat("0123456789", 100))
	w := receive(t, "the writer", writers)
	if _, err := w.Write([]byte("late")); err == nil {
		t.Error("a late write was accepted")
	}
	if err := w.Flush(); err == nil {
		t.Error("a late flush was accepted")
	}
	s.do("GET", "/next").wantBody(t, 200, "next")
}

// A stream has its own rule for slow clients; the server's WriteTimeout is not a
// limit on how long it lasts, nor does a pause between write and flush end it.
func TestStreamOutlivesWriteTimeout(t *testing.T) {
	noLeaks(t)
	app := newApp(t, ishaa.Config{WriteTimeout: 50 * time.Millisecond})
	late := func() { <-time.After(60 * time.Millisecond) }
	app.Get("/flush", func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			late()
			return w.Flush()
		}), nil
	})
	app.Get("/write", func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			late()
			_, err := w.Write(make([]byte, 64<<10)) // more than is held back
			return err
		}), nil
	})
	app.Get("/end", func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			late()
			return nil // the server itself writes the head and the end
		}), nil
	})
	app.Get("/file", func(r *ishaa.Request) (any, error) {
		return ishaa.Content("x.txt", time.Time{}, &slowContent{strings.NewReader(strings.Repeat("x", 1<<20)), 25 * time.Millisecond}), nil
	})
	app.Get("/bytes", text("still here"))
	s := serve(t, app)
	s.do("GET", "/flush").wantBody(t, 200, "")
	s.do("GET", "/write").wantBody(t, 200, string(make([]byte, 64<<10)))
	s.do("GET", "/end").wantBody(t, 200, "")
	if res := s.do("GET", "/file").want(t, 200); len(res.body) != 1<<20 {
		t.Errorf("the file has %d bytes", len(res.body))
	}
	s.do("GET", "/bytes").wantBody(t, 200, "still here")
}

// slowContent takes its time for each read.
type slowContent struct {
	io.ReadSeeker
	pause time.Duration
}

func (s *slowContent) Read(p []byte) (int, error) {
	<-time.After(s.pause)
	return s.ReadSeeker.Read(p[:min(len(p), 128<<10)])
}

// A client that goes away is no failure: nothing is logged, and the stream ends.
func TestClientGoesDuringAStream(t *testing.T) {
	noLeaks(t)
	for name, value := range map[string]func() any{
		"stream": func() any {
			return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
				for {
					if _, err := w.Write(make([]byte, 4096)); err != nil {
						return err
					}
				}
			})
		},
		"reader":   func() any { return endless{} },
		"sequence": func() any { return ishaa.NDJSON(endlessNumbers) },
		"array":    func() any { return endlessNumbers },
		"waits": func() any {
			return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
				io.WriteString(w, "0123456789")
				w.Flush()
				<-w.Context().Done()
				return w.Context().Err()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			app, log := loggedApp(t)
			ended := make(chan struct{})
			app.Get("/", func(r *ishaa.Request) (any, error) {
				r.OnSent(func() { close(ended) })
				return value(), nil
			})
			s := serve(t, app)
			ctx, cancel := context.WithCancel(t.Context())
			answer := s.send(ctx, "GET", "/")
			if _, err := io.ReadFull(answer.Body, make([]byte, 10)); err != nil {
				t.Error(err)
			}
			cancel()
			answer.Body.Close()
			receive(t, "the end of the stream", ended)
			if failed := log.records(t, "request failed"); len(failed) > 0 {
				t.Errorf("the log has %v", failed)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

var endlessNumbers iter.Seq2[int, error] = func(yield func(int, error) bool) {
	for i := 0; yield(i, nil); i++ {
	}
}
