package ishaa_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// tagging is net/http middleware that sets a header, as most do.
func tagging(name string) ishaa.Middleware {
	return ishaa.Std(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			w.Header().Add("X-Std", name)
			next.ServeHTTP(w, raw)
		})
	})
}

// gzipping is net/http middleware that wraps the writer.
func gzipping(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
		zip := &gzipWriter{ResponseWriter: w, zip: gzip.NewWriter(w)}
		next.ServeHTTP(zip, raw)
		zip.zip.Close()
	})
}

type gzipWriter struct {
	http.ResponseWriter
	zip *gzip.Writer
}

func (w *gzipWriter) WriteHeader(status int) {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(status)
}

func (w *gzipWriter) Write(p []byte) (int, error) { return w.zip.Write(p) }

func (w *gzipWriter) FlushError() error {
	return errors.Join(w.zip.Flush(), http.NewResponseController(w.ResponseWriter).Flush())
}

func (w *gzipWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func gunzip(t testing.TB, body string) string {
	t.Helper()
	zip, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%v: %q", err, body)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// everyLayer returns an application whose route "/" has net/http middleware at
// every level, nested, with After hooks between.
func everyLayer(t *testing.T, handler ishaa.Handler, options ...ishaa.RouteOption) *ishaa.App {
	app := newApp(t)
	after := func(name string) ishaa.Middleware {
		return ishaa.Middleware{After: func(_ *ishaa.Request, res *ishaa.Response) error {
			res.Header().Add("X-After", name)
			return nil
		}}
	}
	app.Use(tagging("app"), after("app"), ishaa.Middleware{After: func(_ *ishaa.Request, res *ishaa.Response) error {
		res.Filter(func(w io.Writer) io.WriteCloser { return shout{w} })
		return nil
	}})
	part := ishaa.NewBlueprint("part", "", tagging("blueprint 1"), after("blueprint"), tagging("blueprint 2"))
	part.Get("/", handler, append([]ishaa.RouteOption{tagging("route 1"), after("route"), tagging("route 2")}, options...)...)
	app.Register(part)
	return app
}

// shout is a filter in capital letters.
type shout struct{ io.Writer }

func (s shout) Write(p []byte) (int, error) {
	if _, err := s.Writer.Write(bytes.ToUpper(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (shout) Close() error { return nil }

var stdTags = []string{"app", "blueprint 1", "blueprint 2", "route 1", "route 2"}

func TestStdKeepsAnswersInMemory(t *testing.T) {
	s := serve(t, everyLayer(t, text("quiet")))
	res := s.do("GET", "/").wantBody(t, 200, "QUIET")
	res.wantHeader(t, "X-Std", stdTags...).wantHeader(t, "X-After", "route", "blueprint", "app").wantHeader(t, "Content-Length", "5")
	s.do("HEAD", "/").wantBody(t, 200, "").wantHeader(t, "X-Std", stdTags...)
}

// Middleware that wraps the writer, as compression does, around answers in memory,
// streams and errors.
func TestStdWrapsTheWriter(t *testing.T) {
	app := newApp(t)
	zip := ishaa.Std(gzipping)
	app.Get("/memory", text("in memory"), zip)
	app.Get("/nested", text("in memory"), tagging("outside"), zip, tagging("inside"))
	app.Get("/error", fails(ishaa.NotFound("nothing")), zip)
	app.Get("/stream", func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			fmt.Fprint(w, "one ")
			if err := w.Flush(); err != nil {
				return err
			}
			fmt.Fprint(w, "two")
			return nil
		}), nil
	}, tagging("outside"), zip, tagging("inside"))
	var lengths []int
	app.After(func(_ *ishaa.Request, res *ishaa.Response) error {
		if data, ok := res.Bytes(); ok {
			lengths = append(lengths, len(data))
		}
		return nil
	})
	s := serve(t, app)
	for path, want := range map[string]string{"/memory": "in memory", "/nested": "in memory", "/stream": "one two"} {
		res := s.do("GET", path).want(t, 200).wantHeader(t, "Content-Encoding", "gzip").wantHeader(t, "X-Content-Type-Options", "nosniff")
		if got := gunzip(t, res.body); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	res := s.do("GET", "/error").want(t, 404).wantHeader(t, "Content-Encoding", "gzip")
	if got := gunzip(t, res.body); !strings.Contains(got, "nothing") {
		t.Errorf("the error's body is %q", got)
	}
	if len(lengths) != 3 { // all but the stream
		t.Errorf("After hooks saw %d answers in memory", len(lengths))
	}
}

// Middleware that answers itself keeps the handler from running.
func TestStdAnswersItself(t *testing.T) {
	app, j := newApp(t), &journal{}
	deny := ishaa.Std(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			http.Error(w, "not now", http.StatusTooManyRequests)
		})
	})
	silent := ishaa.Std(func(http.Handler) http.Handler { return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}) })
	app.Use(j.both("app"))
	app.Get("/deny", j.handler(), deny)
	app.Get("/silent", j.handler(), silent)
	do(t, app, "GET", "/deny").wantBody(t, 429, "not now\n").wantHeader(t, "Retry-After", "7").wantHeader(t, "X-Content-Type-Options", "nosniff")
	j.want(t, "app before", "app after 429")
	do(t, app, "GET", "/silent").wantBody(t, 200, "")

	whole := newApp(t)
	whole.Use(deny)
	whole.Get("/", j.handler())
	do(t, whole, "GET", "/").wantBody(t, 429, "not now\n")
}

// What net/http middleware puts into the context, and into the request, is there
// for the handler; what the chain has set is there for the middleware.
func TestStdPassesValues(t *testing.T) {
	type contextKey struct{}
	key := ishaa.NewKey[string]("inner")
	outer := ishaa.NewKey[string]("outer")
	app := newApp(t)
	app.Before(func(r *ishaa.Request) (any, error) { outer.Set(r, "from a hook"); return nil, nil })
	app.After(func(r *ishaa.Request, res *ishaa.Response) error {
		res.Header().Set("X-Key", key.Get(r))
		return nil
	})
	app.Post("/<name>", func(r *ishaa.Request) (any, error) {
		key.Set(r, "set by the handler")
		value, _ := r.Context().Value(contextKey{}).(string)
		again, _ := outer.From(r.Context())
		body, err := r.Text()
		return ishaa.Text(strings.Join([]string{r.Param("name"), value, r.Header("X-Added"), again, outer.Get(r), body}, ", ")), err
	}, ishaa.Std(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			if fromHook, ok := outer.From(raw.Context()); !ok || fromHook != "from a hook" {
				t.Errorf("the middleware's context has %q", fromHook)
			}
			raw = raw.WithContext(context.WithValue(raw.Context(), contextKey{}, "from the middleware"))
			raw.Header.Set("X-Added", "added")
			next.ServeHTTP(w, raw)
		})
	}))
	do(t, app, "POST", "/x", withBody("text/plain", "the body")).
		wantBody(t, 200, "x, from the middleware, added, from a hook, from a hook, the body").
		wantHeader(t, "X-Key", "set by the handler")
}

// A panic in net/http middleware is a 500 with the middleware's stack in the log;
// http.ErrAbortHandler cuts the connection.
func TestStdPanics(t *testing.T) {
	noLeaks(t)
	throws := func(cause any, after bool) ishaa.Middleware {
		return ishaa.Std(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
				if after {
					next.ServeHTTP(w, raw)
				}
				panic(cause)
			})
		})
	}
	stream := func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			fmt.Fprint(w, "begun")
			return w.Flush()
		}), nil
	}
	app, log := loggedApp(t)
	j := &journal{}
	app.Use(j.both("app"))
	app.Get("/before", j.handler(), throws("thrown", false))
	app.Get("/after", j.handler(), throws("thrown", true))
	app.Get("/abort", j.handler(), throws(http.ErrAbortHandler, true))
	app.Get("/stream", stream, throws("thrown", true))
	app.Get("/stream-abort", stream, throws(http.ErrAbortHandler, true))
	app.Get("/handler", func(*ishaa.Request) (any, error) { panic("thrown") }, tagging("x"))
	app.Get("/ok", text("alive"))
	s := serve(t, app)
	for _, path := range []string{"/before", "/after", "/handler"} {
		j.steps = nil
		s.do("GET", path).wantProblem(t, 500, "").wantHeader(t, "X-Content-Type-Options", "nosniff")
		if last := j.steps[len(j.steps)-1]; last != "app after 500" {
			t.Errorf("%s: the last step is %q", path, last)
		}
	}
	for _, path := range []string{"/abort", "/stream", "/stream-abort"} {
		if res := s.rawRequest("GET", path, "a"); res.err == nil {
			t.Errorf("%s: the answer was whole: %s", path, res)
		}
	}
	s.do("GET", "/ok").wantBody(t, 200, "alive")
	failures := log.records(t, "request failed")
	if len(failures) != 4 {
		t.Fatalf("%d failures in the log, want 4: %v", len(failures), failures)
	}
	for _, failure := range failures {
		if !strings.Contains(fmt.Sprint(failure["stack"]), "std_test.go") {
			t.Errorf("the stack does not lead to the panic: %v", failure)
		}
	}
}

// http.TimeoutHandler answers while the handler still runs; the two do not get in
// each other's way.
func TestStdTimeoutHandler(t *testing.T) {
	noLeaks(t)
	key := ishaa.NewKey[int]("count")
	release, ended := make(chan struct{}), make(chan struct{})
	app := newApp(t)
	timeout := func(after time.Duration) ishaa.Middleware {
		return ishaa.Std(func(next http.Handler) http.Handler { return http.TimeoutHandler(next, after, "too slow") })
	}
	app.Before(func(r *ishaa.Request) (any, error) { key.Set(r, 1); return nil, nil })
	app.After(func(r *ishaa.Request, res *ishaa.Response) error {
		res.Header().Set("X-Count", fmt.Sprint(key.Get(r)))
		return nil
	})
	app.Get("/slow", func(r *ishaa.Request) (any, error) {
		defer close(ended)
		<-r.Context().Done()
		<-release
		for i := range 100 {
			key.Set(r, i)
			r.Response().Header().Set("X-Late", "1")
			r.OnSent(func() {})
		}
		return r.Header("Accept"), nil
	}, timeout(time.Millisecond))
	app.Get("/fast", func(r *ishaa.Request) (any, error) {
		key.Set(r, 2)
		return ishaa.Text("in time"), nil
	}, timeout(time.Minute))
	s := serve(t, app)
	s.do("GET", "/fast").wantBody(t, 200, "in time").wantHeader(t, "X-Count", "2")
	s.do("GET", "/slow").wantBody(t, 503, "too slow").wantHeader(t, "X-Count", "1").wantHeader(t, "X-Late")
	close(release)
	receive(t, "the end of the slow handler", ended)
}

// Middleware that hides the request's context is told what to do.
func TestStdForeignContext(t *testing.T) {
	app, log := loggedApp(t)
	app.Get("/", text("page"), ishaa.Std(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			next.ServeHTTP(w, raw.WithContext(context.Background()))
		})
	}))
	do(t, app, "GET", "/").wantProblem(t, 500, "")
	if !strings.Contains(log.text(), "derive one from the request's") {
		t.Errorf("the log says %s", log.text())
	}
}

// An application's own net/http middleware sees every request before a route is
// found, and may change where it goes.
func TestStdOfTheApp(t *testing.T) {
	app := newApp(t)
	app.Use(ishaa.Std(func(next http.Handler) http.Handler { return http.StripPrefix("/base", next) }), tagging("inside"))
	app.Get("/page", text("page"))
	do(t, app, "GET", "/base/page").wantBody(t, 200, "page").wantHeader(t, "X-Std", "inside")
	do(t, app, "GET", "/page").want(t, 404).wantHeader(t, "X-Std")
}
