package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

// countingWriter counts how often an answer is begun.
type countingWriter struct {
	*httptest.ResponseRecorder
	begun atomic.Int64
}

func (w *countingWriter) WriteHeader(status int) {
	w.begun.Add(1)
	w.ResponseRecorder.WriteHeader(status)
}

func TestTimeout(t *testing.T) {
	waits := func(r *ishaa.Request) error { // as a query that watches its context does
		<-r.Context().Done()
		return r.Context().Err()
	}
	for _, c := range []struct {
		name    string
		handler ishaa.Handler
		status  int
		takes   time.Duration
	}{
		{"in time", text("done"), 200, 0},
		{"just in time", func(*ishaa.Request) (any, error) { time.Sleep(time.Second - 1); return "done", nil }, 200, time.Second - 1},
		{"an error in time", func(*ishaa.Request) (any, error) { return nil, ishaa.NotFound("no") }, 404, 0},
		{"a handler that watches its context", func(r *ishaa.Request) (any, error) { return nil, waits(r) }, 503, time.Second},
		{"one that wraps the error", func(r *ishaa.Request) (any, error) { return nil, fmt.Errorf("loading: %w", waits(r)) }, 503, time.Second},
		{"one that hides the error", func(r *ishaa.Request) (any, error) { _ = waits(r); return nil, errors.New("broken") }, 503, time.Second},
		{"one that answers nevertheless", func(r *ishaa.Request) (any, error) { _ = waits(r); return "done", nil }, 503, time.Second},
		{"one that does not watch", func(*ishaa.Request) (any, error) { time.Sleep(5 * time.Second); return "done", nil }, 503, 5 * time.Second},
		{"one that panics too late", func(r *ishaa.Request) (any, error) { _ = waits(r); panic("late") }, 503, time.Second},
		{"one that streams too late", func(r *ishaa.Request) (any, error) { _ = waits(r); return strings.NewReader("late"), nil }, 503, time.Second},
		{"a limit of its own that passes", func(r *ishaa.Request) (any, error) {
			ctx, cancel := context.WithTimeout(r.Context(), time.Millisecond)
			defer cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}, 500, time.Millisecond},
		{"a limit of its own that is too long", func(r *ishaa.Request) (any, error) {
			ctx, cancel := context.WithTimeout(r.Context(), time.Hour)
			defer cancel()
			<-ctx.Done()
			if ctx.Err() != context.DeadlineExceeded {
				return nil, errors.New("another error")
			}
			return nil, ctx.Err()
		}, 503, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app, _ := newApp(t)
				app.Use(middleware.Timeout(time.Second))
				app.After(func(*ishaa.Request, *ishaa.Response) error { return nil }) // answers before Timeout sees them
				app.Get("/", c.handler)
				w := &countingWriter{ResponseRecorder: httptest.NewRecorder()}
				start := time.Now()
				app.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
				if w.Code != c.status || w.begun.Load() != 1 {
					t.Errorf("status %d, begun %d times; want %d, once", w.Code, w.begun.Load(), c.status)
				}
				if c.status == 503 && !strings.Contains(w.Body.String(), "within 1s") {
					t.Errorf("the body is %s", w.Body)
				}
				if took := time.Since(start); took != c.takes {
					t.Errorf("it took %v, want %v", took, c.takes)
				}
			})
		})
	}
}

func TestTimeoutContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, _ := newApp(t)
		var kept context.Context
		app.Get("/", func(r *ishaa.Request) (any, error) {
			kept = r.Context()
			at, ok := kept.Deadline()
			if !ok || time.Until(at) != time.Second {
				t.Errorf("the deadline is %v, %v", at, ok)
			}
			if ishaa.FromContext(kept) != r {
				t.Error("the context is not the request's")
			}
			child, cancel := context.WithCancel(kept)
			defer cancel()
			ran := make(chan struct{})
			stop := context.AfterFunc(child, func() { close(ran) })
			defer stop()
			<-child.Done()
			<-ran
			if child.Err() != context.DeadlineExceeded || context.Cause(child) != context.DeadlineExceeded {
				t.Errorf("the child ended with %v", child.Err())
			}
			return nil, child.Err()
		}, middleware.Timeout(time.Second))
		wantStatus(t, do(app, "GET", "/"), 503)
	})
	synctest.Test(t, func(t *testing.T) {
		app, _ := newApp(t)
		var kept context.Context
		app.Get("/", func(r *ishaa.Request) (any, error) { kept = r.Context(); return "", nil }, middleware.Timeout(time.Second))
		do(app, "GET", "/")
		if kept.Err() != context.Canceled {
			t.Errorf("after the answer the context says %v", kept.Err())
		}
		synctest.Wait() // nothing is left running
	})
	synctest.Test(t, func(t *testing.T) {
		app, _ := newApp(t)
		app.Get("/", func(r *ishaa.Request) (any, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, middleware.Timeout(time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		w := httptest.NewRecorder()
		start := time.Now()
		app.ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		if time.Since(start) != time.Millisecond {
			t.Error("the client's going away does not end the request")
		}
	})
}

func TestTimeoutsNest(t *testing.T) {
	for _, c := range []struct{ outer, inner, want time.Duration }{
		{3 * time.Second, time.Second, time.Second},
		{time.Second, 3 * time.Second, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			app, _ := newApp(t)
			app.Use(middleware.Timeout(c.outer))
			app.Get("/", func(r *ishaa.Request) (any, error) {
				if at, _ := r.Context().Deadline(); time.Until(at) != c.want {
					t.Errorf("the deadline is in %v, want %v", time.Until(at), c.want)
				}
				<-r.Context().Done()
				return nil, r.Context().Err()
			}, middleware.Timeout(c.inner))
			start := time.Now()
			wantStatus(t, do(app, "GET", "/"), 503)
			if took := time.Since(start); took != c.want {
				t.Errorf("it took %v, want %v", took, c.want)
			}
		})
	}
}

// A stream that began in time goes on as long as it likes, also where its
// sequence took the context before.
func TestTimeoutLetsStreamsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, _ := newApp(t)
		app.Use(middleware.Timeout(time.Second))
		app.Get("/", func(r *ishaa.Request) (any, error) {
			ctx := r.Context()
			query, cancel := context.WithCancel(ctx)
			r.OnSent(cancel)
			return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
				for i := range 5 {
					time.Sleep(time.Second)
					if ctx.Err() != nil || query.Err() != nil || w.Context().Err() != nil {
						return ctx.Err()
					}
					if _, limited := ctx.Deadline(); limited {
						t.Error("there is still a deadline")
					}
					fmt.Fprint(w, i)
				}
				return nil
			}), nil
		})
		app.Mount("/old/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(5 * time.Second)
			if err := r.Context().Err(); err != nil {
				t.Errorf("the handler's context ended: %v", err)
			}
			_, _ = io.WriteString(w, "done")
		}))
		if w := do(app, "GET", "/"); w.Code != 200 || w.Body.String() != "01234" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		if w := do(app, "GET", "/old/x"); w.Code != 200 || w.Body.String() != "done" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
}

func TestTimeoutRefusesMistakes(t *testing.T) {
	for _, limit := range []time.Duration{0, -1} {
		wantMistake(t, "not a positive time", func() { middleware.Timeout(limit) })
	}
}

func ExampleTimeout() {
	app := ishaa.New("shop")
	app.Get("/report", func(r *ishaa.Request) (any, error) {
		select { // as db.QueryContext(r.Context(), …) does
		case <-time.After(time.Minute):
			return "the report", nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}, middleware.Timeout(10*time.Millisecond))

	fmt.Println(do(app, "GET", "/report").Code)
	// Output: 503
}
