package middleware_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/store"
)

// Each middleware leaves alone what goes straight to the connection: this runs
// every one of them, on an application and on a route, and all together, around
// answers that stream, hijack the connection or control it, over a real socket.
func TestWhatGoesStraightToTheConnection(t *testing.T) {
	st := store.NewMemory(store.MemoryOptions{})
	t.Cleanup(func() { st.Close() })
	single := []ishaa.Middleware{
		middleware.CORS(middleware.CORSOptions{Origins: []string{shop}, Credentials: true}),
		middleware.CSRF(middleware.CSRFOptions{Tokens: &middleware.CSRFTokens{}}),
		middleware.RateLimit(middleware.RateLimitOptions{Max: 10_000}),
		middleware.RateLimit(middleware.RateLimitOptions{Max: 10_000, Store: st}),
		middleware.SecurityHeaders(middleware.SecurityHeaderOptions{}),
		middleware.Compress(middleware.CompressOptions{Encodings: allEncodings}),
		middleware.RequestID(middleware.RequestIDOptions{}),
		middleware.Recover(middleware.RecoverOptions{}),
		middleware.AccessLog(middleware.AccessLogOptions{}),
		middleware.Timeout(time.Minute),
		middleware.BodyLimit(1 << 20),
		middleware.RealIP(middleware.RealIPOptions{Proxies: []string{"127.0.0.1"}}),
	}
	for i, m := range single {
		t.Run(fmt.Sprint(i, " ", m.Name), func(t *testing.T) {
			t.Run("application", func(t *testing.T) { throughMiddleware(t, []ishaa.Middleware{m}, nil) })
			t.Run("route", func(t *testing.T) { throughMiddleware(t, nil, []ishaa.RouteOption{m}) })
		})
	}
	t.Run("all", func(t *testing.T) { throughMiddleware(t, single, nil) })
}

// directAnswer is a handler that does something to the connection, and what a
// client on it must see.
type directAnswer struct {
	name    string
	handler func(d *direct) ishaa.Handler
	client  func(d *direct)
}

// direct is one request of the test. The handler waits for resume, so that what
// it flushed before is seen on its own.
type direct struct {
	*testing.T
	resume chan struct{}
	errs   chan error
	server *httptest.Server
}

var directAnswers = []directAnswer{
	{
		name: "stream and flush",
		handler: func(d *direct) ishaa.Handler {
			return func(*ishaa.Request) (any, error) {
				return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
					_, _ = io.WriteString(w, "one")
					if err := w.Flush(); err != nil {
						return err
					}
					d.wait(w.Context().Done())
					_, err := io.WriteString(w, "two")
					return err
				}), nil
			}
		},
		client: func(d *direct) { d.readsInTwo("one", "two") },
	},
	{
		name: "server-sent events",
		handler: func(d *direct) ishaa.Handler {
			return func(r *ishaa.Request) (any, error) {
				return ishaa.Events(func(yield func(string, error) bool) {
					if yield("one", nil) {
						d.wait(r.Context().Done())
						yield("two", nil)
					}
				}), nil
			}
		},
		client: func(d *direct) { d.readsInTwo("data: one\n\n", "data: two\n\n") },
	},
	{
		name: "hijack",
		handler: served(func(d *direct, w http.ResponseWriter, _ *http.Request) {
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				d.errs <- err
				return
			}
			defer conn.Close()
			_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
			_ = rw.Flush()
			line, err := rw.ReadString('\n')
			if err == nil {
				_, _ = rw.WriteString("echo " + line)
				err = rw.Flush()
			}
			d.errs <- err
		}),
		client: func(d *direct) {
			conn, in := dial(d.T, d.server, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
			response, err := http.ReadResponse(in, nil)
			if err != nil || response.StatusCode != 101 {
				d.Fatalf("the upgrade: %v, %v", response, err)
			}
			_, _ = io.WriteString(conn, "hello\n")
			if line, err := in.ReadString('\n'); line != "echo hello\n" {
				d.Errorf("read %q, %v", line, err)
			}
			d.noError()
		},
	},
	{
		name: "ResponseController",
		handler: served(func(d *direct, w http.ResponseWriter, _ *http.Request) {
			control := http.NewResponseController(w)
			for what, call := range map[string]func() error{
				"read deadline":  func() error { return control.SetReadDeadline(time.Now().Add(time.Minute)) },
				"write deadline": func() error { return control.SetWriteDeadline(time.Now().Add(time.Minute)) },
				"full duplex":    control.EnableFullDuplex,
				"flush":          control.Flush,
			} {
				if err := call(); err != nil {
					d.errs <- fmt.Errorf("%s: %w", what, err)
					return
				}
			}
			// A deadline that has passed must reach the connection.
			_ = control.SetWriteDeadline(time.Unix(1, 0))
			_, err := w.Write(make([]byte, 1<<20))
			if err == nil {
				err = control.Flush()
			}
			if err == nil {
				d.errs <- fmt.Errorf("writing after the deadline works")
				return
			}
			d.errs <- nil
		}),
		client: func(d *direct) {
			_, in := dial(d.T, d.server, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			_, _ = io.ReadAll(in)
			d.noError()
		},
	},
	{
		name: "a net/http handler",
		handler: served(func(d *direct, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Trailer", "X-Sum")
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, "one")
			flusher, ok := w.(http.Flusher)
			if !ok {
				d.errs <- fmt.Errorf("%T has no Flush", w)
				return
			}
			flusher.Flush()
			d.wait(r.Context().Done())
			_, _ = io.Copy(w, strings.NewReader("two"))
			w.Header().Set("X-Sum", "6")
			d.errs <- nil
		}),
		client: func(d *direct) {
			response := d.readsInTwo("one", "two")
			if response.StatusCode != http.StatusAccepted || response.Trailer.Get("X-Sum") != "6" {
				d.Errorf("status %d, trailers %v", response.StatusCode, response.Trailer)
			}
			d.noError()
		},
	},
}

func served(handle func(d *direct, w http.ResponseWriter, r *http.Request)) func(*direct) ishaa.Handler {
	return func(d *direct) ishaa.Handler {
		return func(*ishaa.Request) (any, error) {
			return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(d, w, r) })), nil
		}
	}
}

func throughMiddleware(t *testing.T, use []ishaa.Middleware, options []ishaa.RouteOption) {
	for _, answer := range directAnswers {
		t.Run(answer.name, func(t *testing.T) {
			d := &direct{T: t, resume: make(chan struct{}), errs: make(chan error, 1)}
			app, _ := newApp(t)
			app.Use(use...)
			app.Get("/", answer.handler(d), options...)
			d.server = serve(t, app)
			answer.client(d)
		})
	}
}

// wait holds the handler until the client has seen what was flushed, or is gone.
func (d *direct) wait(gone <-chan struct{}) {
	select {
	case <-d.resume:
	case <-gone:
	case <-time.After(patience):
	}
}

// readsInTwo checks that the first part arrives while the handler waits.
func (d *direct) readsInTwo(first, second string) *http.Response {
	d.Helper()
	_, in := dial(d.T, d.server, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	response, err := http.ReadResponse(in, nil)
	if err != nil {
		d.Fatal(err)
	}
	body := bufio.NewReader(response.Body)
	got := make([]byte, len(first))
	if _, err := io.ReadFull(body, got); err != nil || string(got) != first {
		d.Fatalf("first %q, %v; want %q", got, err, first)
	}
	close(d.resume)
	rest, err := io.ReadAll(body)
	if err != nil || string(rest) != second {
		d.Fatalf("then %q, %v; want %q", rest, err, second)
	}
	return response
}

func (d *direct) noError() {
	d.Helper()
	select {
	case err := <-d.errs:
		if err != nil {
			d.Error(err)
		}
	case <-time.After(patience):
		d.Error("the handler does not end")
	}
}
