package ishaa_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// A stream is flushed through all layers while its handler runs, and After hooks
// of all levels still set their headers.
func TestStdFlush(t *testing.T) {
	noLeaks(t)
	step := make(chan struct{})
	s := serve(t, everyLayer(t, func(r *ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			for i := range 3 {
				if _, err := fmt.Fprintln(w, "part", i); err != nil {
					return err
				}
				if err := w.Flush(); err != nil {
					return err
				}
				select {
				case <-step:
				case <-w.Context().Done():
					return w.Context().Err()
				}
			}
			return nil
		}), nil
	}))
	answer := s.send(t.Context(), "GET", "/")
	defer answer.Body.Close()
	res := &result{status: answer.StatusCode, header: answer.Header}
	res.want(t, 200).wantHeader(t, "X-Std", stdTags...).wantHeader(t, "X-After", "route", "blueprint", "app")
	lines := bufio.NewScanner(answer.Body)
	for i := range 3 {
		if !lines.Scan() || lines.Text() != fmt.Sprint("part ", i) {
			t.Fatalf("line %d is %q, %v", i, lines.Text(), lines.Err())
		}
		step <- struct{}{}
	}
	if lines.Scan() || lines.Err() != nil {
		t.Fatalf("after the last line: %q, %v", lines.Text(), lines.Err())
	}
}

// A mounted handler flushes, too, and can hijack the connection.
func TestStdHijack(t *testing.T) {
	noLeaks(t)
	s := serve(t, everyLayer(t, func(r *ishaa.Request) (any, error) {
		return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			line, err := rw.ReadString('\n')
			if err != nil {
				t.Error(err)
			}
			fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n%s", line)
			rw.Flush()
		})), nil
	}))
	conn := s.dial()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello\n"); err != nil {
		t.Fatal(err)
	}
	reply, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(reply), "HTTP/1.1 101 ") || !strings.HasSuffix(string(reply), "\r\n\r\nhello\n") {
		t.Errorf("the reply is %q, %v", reply, err)
	}
}

// The old interfaces work as well as http.ResponseController.
func TestStdOldInterfaces(t *testing.T) {
	s := serve(t, everyLayer(t, func(r *ishaa.Request) (any, error) {
		return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			if _, ok := w.(http.Hijacker); !ok {
				t.Error("no http.Hijacker")
			}
			if _, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("b")); err != nil {
				t.Error(err)
			}
		})), nil
	}))
	s.do("GET", "/").wantBody(t, 200, "ab")
}

// Deadlines reach the connection from below all layers.
func TestStdDeadlines(t *testing.T) {
	noLeaks(t)
	failed := make(chan error, 1)
	s := serve(t, everyLayer(t, func(r *ishaa.Request) (any, error) {
		return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			control := http.NewResponseController(w)
			if err := errors.Join(control.SetReadDeadline(time.Now().Add(patience)), control.EnableFullDuplex()); err != nil {
				t.Error(err)
			}
			if err := control.Flush(); err != nil {
				t.Error(err)
			}
			if err := control.SetWriteDeadline(time.Now().Add(-time.Second)); err != nil {
				t.Error(err)
			}
			_, err := w.Write(make([]byte, 1<<20))
			failed <- errors.Join(err, control.Flush())
		})), nil
	}))
	answer := s.send(t.Context(), "GET", "/")
	if res := readAnswer(answer); res.err == nil {
		t.Errorf("the answer was whole: %s", res)
	}
	if err := receive(t, "the write", failed); err == nil || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("writing past the deadline: %v", err)
	}
}

// The handler's context ends when the client goes away, through all layers.
func TestStdClientGone(t *testing.T) {
	noLeaks(t)
	gone := make(chan error, 1)
	s := serve(t, everyLayer(t, func(r *ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			err := w.Flush()
			<-w.Context().Done()
			gone <- errors.Join(err, context.Cause(w.Context()))
			return w.Context().Err()
		}), nil
	}))
	ctx, cancel := context.WithCancel(t.Context())
	answer := s.send(ctx, "GET", "/")
	cancel()
	answer.Body.Close()
	if err := receive(t, "the end of the context", gone); !errors.Is(err, context.Canceled) {
		t.Errorf("the context ended with %v", err)
	}
}

// A stream whose answer an outer hook replaces is told so, and ends.
func TestStdStreamReplaced(t *testing.T) {
	noLeaks(t)
	ended := make(chan error, 1)
	app := newApp(t)
	app.After(func(r *ishaa.Request, _ *ishaa.Response) error { return ishaa.Forbidden("after all") })
	app.Get("/", func(*ishaa.Request) (any, error) {
		return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			err := http.NewResponseController(w).Flush()
			<-raw.Context().Done()
			ended <- err
		})), nil
	}, tagging("x"))
	s := serve(t, app)
	s.do("GET", "/").wantProblem(t, 403, "after all")
	if err := receive(t, "the end of the stream", ended); err == nil || !strings.Contains(err.Error(), "replaced before it was sent") {
		t.Errorf("Flush gave %v", err)
	}
}

// Middleware may write, flush and hijack by itself, before and after it calls on.
func TestStdWritesItself(t *testing.T) {
	noLeaks(t)
	wrap := func(serve func(w http.ResponseWriter, raw *http.Request, next http.Handler)) ishaa.Middleware {
		return ishaa.Std(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) { serve(w, raw, next) })
		})
	}
	app := newApp(t)
	app.Get("/around", text(" the page "), wrap(func(w http.ResponseWriter, raw *http.Request, next http.Handler) {
		io.WriteString(w, "before,")
		next.ServeHTTP(w, raw)
		io.WriteString(w, ",after")
	}))
	app.Get("/flushed", func(r *ishaa.Request) (any, error) {
		r.OnSent(func() { r.Logger().Info("sent") })
		return strings.NewReader(" the page "), nil
	}, wrap(func(w http.ResponseWriter, raw *http.Request, next http.Handler) {
		io.WriteString(w, "before,")
		w.(http.Flusher).Flush()
		next.ServeHTTP(w, raw)
		if _, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(",after")); err != nil {
			t.Error(err)
		}
	}))
	app.Get("/copied", text("unreachable"), wrap(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusAccepted)
		w.WriteHeader(http.StatusTeapot) // too late, as with net/http
		if _, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("copied")); err != nil {
			t.Error(err)
		}
	}))
	app.Get("/hijacked", text("unreachable"), wrap(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 299 Mine\r\nContent-Length: 4\r\n\r\nmine")
	}))
	s := serve(t, app)
	s.do("GET", "/around").wantBody(t, 200, "before, the page ,after")
	s.do("GET", "/flushed").wantBody(t, 200, "before, the page ,after")
	s.do("GET", "/copied").wantBody(t, 202, "copied").wantHeader(t, "X-Content-Type-Options", "nosniff")
	s.rawRequest("GET", "/hijacked", "a").wantBody(t, 299, "mine")
}

// Informational answers go to the client at once.
func TestStdInformational(t *testing.T) {
	app := newApp(t)
	app.Get("/", text("page"), ishaa.Std(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			next.ServeHTTP(w, raw)
		})
	}))
	s := serve(t, app)
	conn := s.dial()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	reply, err := io.ReadAll(conn)
	first, second, _ := strings.Cut(string(reply), "\r\n\r\n")
	if err != nil || !strings.HasPrefix(first, "HTTP/1.1 103 ") || !strings.Contains(first, "Link: </style.css>") ||
		!strings.HasPrefix(second, "HTTP/1.1 200 ") || !strings.HasSuffix(second, "\r\n\r\npage") {
		t.Errorf("the reply is %q, %v", reply, err)
	}
}

// A connection that is hijacked belongs to the handler alone.
func TestHijackedConnectionIsLeftAlone(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	var outcome ishaa.Outcome
	observed := make(chan struct{})
	app.Observe(observerFunc(func(_ *ishaa.Route, o ishaa.Outcome) { outcome = o; close(observed) }))
	app.Get("/", func(*ishaa.Request) (any, error) {
		return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprint(conn, "raw")
			panic("after the hijacking")
		})), nil
	})
	s := serve(t, app)
	conn := s.dial()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if reply, err := io.ReadAll(conn); string(reply) != "raw" || err != nil && !errors.Is(err, net.ErrClosed) {
		t.Errorf("the reply is %q, %v", reply, err)
	}
	receive(t, "the observer", observed)
	if outcome.Status != 101 || !outcome.Aborted {
		t.Errorf("the outcome is %+v", outcome)
	}
}
