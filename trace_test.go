package ishaa_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// traced is one call of a Recorder.
type traced struct {
	in    ishaa.Input
	value string
}

func (c traced) String() string { return c.in.String() + " " + fmt.Sprintf("%q", c.value) }

// traceOf lists what a function reads of a request.
func traceOf(r *ishaa.Request, fn func(*ishaa.Request)) []traced {
	var calls []traced
	r.Trace(func(in ishaa.Input, value string) { calls = append(calls, traced{in, value}) })
	fn(r)
	r.Trace(nil)
	return calls
}

// Every accessor reports what it reads, and Input gives the same value again.
func TestTraceOfEachAccessor(t *testing.T) {
	type contextKey struct{}
	for _, c := range []struct {
		name string
		read func(*ishaa.Request)
		want []string
	}{
		{"Method", func(r *ishaa.Request) { r.Method() }, []string{`method "POST"`}},
		{"Path", func(r *ishaa.Request) { r.Path() }, []string{`path "/u/7/a b"`}},
		{"URL", func(r *ishaa.Request) { r.URL() }, []string{`url "http://shop.example/u/7/a%20b?q=&n=1&m=1&m=2"`}},
		{"Host", func(r *ishaa.Request) { r.Host() }, []string{`host "shop.example"`}},
		{"Scheme", func(r *ishaa.Request) { r.Scheme() }, []string{`scheme "http"`}},
		{"Param", func(r *ishaa.Request) { r.Param("name") }, []string{`param name "=a b"`}},
		{"Param that is not there", func(r *ishaa.Request) { r.Param("none") }, []string{`param none ""`}},
		{"ParamInt", func(r *ishaa.Request) { r.ParamInt("id") }, []string{`param id "=7"`}},
		{"ParamUUID of no uuid", func(r *ishaa.Request) { r.ParamUUID("id") }, []string{`param id "=7"`}},
		{"Query", func(r *ishaa.Request) { r.Query("n") }, []string{`query n "=1"`}},
		{"Query that is empty", func(r *ishaa.Request) { r.Query("q") }, []string{`query q "="`}},
		{"Query that is absent", func(r *ishaa.Request) { r.Query("z") }, []string{`query z ""`}},
		{"Query that is repeated", func(r *ishaa.Request) { r.Query("m") }, []string{`query m "*m=1&m=2"`}},
		{"QueryValues", func(r *ishaa.Request) { r.QueryValues() }, []string{`query-all "q=&n=1&m=1&m=2"`}},
		{"Header", func(r *ishaa.Request) { r.Header("x-a") }, []string{`header X-A "=1\x002"`}},
		{"Header that is absent", func(r *ishaa.Request) { r.Header("X-None") }, []string{`header X-None ""`}},
		{"HeaderValues", func(r *ishaa.Request) { r.HeaderValues("X-A") }, []string{`header X-A "=1\x002"`}},
		{"LastEventID", func(r *ishaa.Request) { r.LastEventID() }, []string{`header Last-Event-Id ""`}},
		{"Header Authorization", func(r *ishaa.Request) { r.Header("authorization") }, []string{`identity Authorization ""`}},
		{"Header Cookie", func(r *ishaa.Request) { r.HeaderValues("Cookie") }, []string{`identity Cookie ""`}},
		{"Cookie", func(r *ishaa.Request) { r.Cookie("a") }, []string{`identity Cookie ""`}},
		{"ContentType", func(r *ishaa.Request) { r.ContentType() }, []string{`header Content-Type "=application/json"`}},
		{"Client", func(r *ishaa.Request) { r.Client() }, []string{`identity client ""`}},
		{"ID", func(r *ishaa.Request) { r.ID() }, []string{`identity request id ""`}},
		{"Bytes", func(r *ishaa.Request) { r.Bytes() }, []string{`body ""`}},
		{"Text", func(r *ishaa.Request) { r.Text() }, []string{`body ""`}},
		{"DecodeJSON", func(r *ishaa.Request) { r.DecodeJSON(new(any)) }, []string{`header Content-Type "=application/json"`, `body ""`}},
		{"Form", func(r *ishaa.Request) { r.Form() }, []string{`header Content-Type "=application/json"`, `body ""`}},
		{"HTTP", func(r *ishaa.Request) { r.HTTP() }, []string{`raw ""`}},
		{"a traced key", func(r *ishaa.Request) { tracedKey.Get(r) }, []string{`value traced "=42"`}},
		{"a traced key that is not set", func(r *ishaa.Request) { errorKey.Lookup(r) }, []string{`value error ""`}},
		{"any other key", func(r *ishaa.Request) { plainKey.Get(r) }, []string{`identity plain ""`}},
		{"a key from the context", func(r *ishaa.Request) { tracedKey.From(r.Context()) }, []string{`value traced "=42"`}},
		{"a context value", func(r *ishaa.Request) { r.Context().Value(contextKey{}) }, []string{`identity context value ""`}},
		{"a context value that is not there", func(r *ishaa.Request) { r.Context().Value(struct{}{}) }, []string{`context struct {} ""`}},
		{"context values from other goroutines", func(r *ishaa.Request) {
			var wg sync.WaitGroup
			ctx := r.Context()
			for range 2 {
				wg.Go(func() { ctx.Value(contextKey{}) })
			}
			wg.Wait()
		}, []string{`identity context value ""`, `identity context value ""`}},
		{"a deadline of the handler's own", func(r *ishaa.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), time.Hour)
			defer cancel()
			stop := context.AfterFunc(ctx, func() {})
			stop()
		}, nil},
		{"a key that is set", func(r *ishaa.Request) { plainKey.Set(r, "y") }, []string{`act plain ""`}},
		{"work after the answer", func(r *ishaa.Request) { r.OnSent(func() {}) }, []string{`act on sent ""`}},
		{"what is no input", func(r *ishaa.Request) {
			r.App()
			r.Route()
			r.Logger()
			r.Time()
			r.Response().Header()
			ishaa.FromContext(r.Context())
			r.Input(ishaa.Input{Kind: ishaa.InputMethod})
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := newApp(t)
			app.Before(func(r *ishaa.Request) (any, error) {
				tracedKey.Set(r, 42)
				plainKey.Set(r, "x")
				ctx, cancel := context.WithCancel(context.WithValue(r.Context(), contextKey{}, "set"))
				r.OnSent(cancel)
				r.SetContext(ctx)
				return nil, nil
			})
			app.Post("/u/<int:id>/<name>", func(r *ishaa.Request) (any, error) {
				calls := traceOf(r, c.read)
				var got []string
				for _, call := range calls {
					got = append(got, call.String())
					value, ok := r.Input(call.in)
					comparable := !strings.HasPrefix(call.String(), "identity") && !strings.HasPrefix(call.String(), "body") && !strings.HasPrefix(call.String(), "raw") && !strings.HasPrefix(call.String(), "act")
					if ok != comparable || value != call.value {
						t.Errorf("Input(%s) gives %q, %v; the recorder was told %q", call.in, value, ok, call.value)
					}
					if appended, okAppended := r.AppendInput([]byte("before "), call.in); string(appended) != "before "+value || okAppended != ok {
						t.Errorf("AppendInput(%s) gives %q, %v; Input gives %q, %v", call.in, appended, okAppended, value, ok)
					}
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("recorded %q, want %q", got, c.want)
				}
				return nil, nil
			})
			do(t, app, "POST", "http://shop.example/u/7/a%20b?q=&n=1&m=1&m=2", withHeader("X-A", "1"), withHeader("X-A", "2"),
				withHeader("Authorization", "Bearer x"), withHeader("Cookie", "a=1"), withBody("application/json", "{}")).want(t, 204)
		})
	}
}

func TestTraceEndsWithItsHandler(t *testing.T) {
	app := newApp(t)
	var inner, outer []string
	app.Intercept(interceptor{ishaa.Innermost, func(next ishaa.Handler) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			r.Trace(func(in ishaa.Input, _ string) { inner = append(inner, in.String()) })
			return next(r)
		}
	}})
	app.After(func(r *ishaa.Request, _ *ishaa.Response) error {
		r.Header("X-After")
		return nil
	})
	read := func(r *ishaa.Request) (any, error) { return r.Query("q"), nil }
	app.Get("/plain", read)
	app.Get("/panics", func(r *ishaa.Request) (any, error) {
		r.Query("q")
		panic("no")
	})
	app.Get("/nested", read, ishaa.Middleware{Around: func(next ishaa.Handler) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			r.Trace(func(in ishaa.Input, _ string) { outer = append(outer, in.String()) })
			value, err := next(r)
			r.Method() // the outer trace runs on, the handler's own has ended
			r.Trace(nil)
			r.Path()
			return value, err
		}
	}})
	for _, c := range []struct {
		target       string
		inner, outer []string
	}{
		{"/plain?q=1", []string{"query q"}, nil},
		{"/panics?q=1", []string{"query q"}, nil},
		{"/nested?q=1", []string{"query q"}, []string{"query q", "method"}},
	} {
		inner, outer = nil, nil
		do(t, app, "GET", c.target)
		same(t, c.target+": inner trace", inner, c.inner)
		same(t, c.target+": outer trace", outer, c.outer)
	}
}

// interceptor is an Interceptor made of a function.
type interceptor struct {
	layer ishaa.Layer
	wrap  func(next ishaa.Handler) ishaa.Handler
}

func (i interceptor) Layer() ishaa.Layer { return i.layer }
func (i interceptor) Intercept(_ *ishaa.Route, next ishaa.Handler) ishaa.Handler {
	return i.wrap(next)
}

func TestInputText(t *testing.T) {
	for in, want := range map[ishaa.Input]string{
		{Kind: ishaa.InputMethod}:              "method",
		{Kind: ishaa.InputQuery, Name: "page"}: "query page",
		{Kind: 99}:                             "unknown",
		{}:                                     "unknown",
	} {
		if got := in.String(); got != want {
			t.Errorf("%#v is %q, want %q", in, got, want)
		}
	}
	ask(t, newApp(t), "/", "/", func(r *ishaa.Request) {
		for _, in := range []ishaa.Input{{}, {Kind: 99}, {Kind: ishaa.InputValue, Name: "made by hand"}} {
			if value, ok := r.Input(in); ok {
				t.Errorf("Input(%#v) gives %q", in, value)
			}
		}
	})
}

// captureIn runs a handler under an interceptor that captures its answer, with an
// outer hook that sets a header of its own.
func captureIn(t *testing.T, h ishaa.Handler, see func(r *ishaa.Request, d *ishaa.Rendered, err error)) *ishaa.App {
	t.Helper()
	app := newApp(t)
	app.Before(func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("X-Outer", "1")
		r.Response().Header().Set("Vary", "Origin")
		return nil, nil
	})
	app.Intercept(interceptor{ishaa.Innermost, func(next ishaa.Handler) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			d, value, err := r.Capture(next)
			see(r, d, err)
			if errors.Is(err, ishaa.ErrStreamed) {
				return value, nil
			}
			return value, err
		}
	}})
	app.Get("/", h)
	return app
}

func TestCapture(t *testing.T) {
	var d *ishaa.Rendered
	app := captureIn(t, func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("X-Inner", "1")
		r.Response().Header().Add("Vary", "Accept")
		r.Response().SetCookie(&http.Cookie{Name: "a", Value: "1"})
		return ishaa.JSON([]int{1, 2}).WithStatus(201).WithCookie(&http.Cookie{Name: "b", Value: "2"}), nil
	}, func(_ *ishaa.Request, rendered *ishaa.Rendered, err error) {
		if d = rendered; err != nil {
			t.Error(err)
		}
	})
	res := do(t, app, "GET", "/").wantBody(t, 201, "[1,2]")
	res.wantHeader(t, "X-Outer", "1").wantHeader(t, "X-Inner", "1").wantHeader(t, "Vary", "Origin", "Accept")
	res.wantHeader(t, "Set-Cookie", "a=1; Path=/; HttpOnly; SameSite=Lax", "b=2; Path=/; HttpOnly; SameSite=Lax")
	same(t, "captured status", d.Status(), 201)
	same(t, "captured body", string(d.Bytes()), "[1,2]")
	same(t, "captured headers: only what the handler set", d.Header(), http.Header{
		"Content-Type": {"application/json"}, "X-Inner": {"1"}, "Vary": {"Accept"},
		"Set-Cookie": {"a=1; Path=/; HttpOnly; SameSite=Lax", "b=2; Path=/; HttpOnly; SameSite=Lax"},
	})
	d.Header().Set("X-Inner", "changed")
	same(t, "Header returns a copy", d.Header().Get("X-Inner"), "1")
}

// Whatever a handler answers, capturing it changes nothing for the client.
func TestCaptureIsTransparent(t *testing.T) {
	noopFilter := func(w io.Writer) io.WriteCloser { return &upper{w} }
	for _, c := range []struct {
		name   string
		stream bool
		h      ishaa.Handler
	}{
		{"nil", false, func(*ishaa.Request) (any, error) { return nil, nil }},
		{"text", false, text("hello")},
		{"status on the answer", false, func(r *ishaa.Request) (any, error) { r.Response().SetStatus(202); return "x", nil }},
		{"the answer itself", false, func(r *ishaa.Request) (any, error) { r.Response().SetBytes([]byte("x")); return r.Response(), nil }},
		{"an error", false, fails(ishaa.NotFound("gone"))},
		{"an error with a cookie", false, func(r *ishaa.Request) (any, error) {
			r.Response().SetCookie(&http.Cookie{Name: "failed", Value: "1"})
			return nil, ishaa.Unauthorized("who are you?")
		}},
		{"a panic with a cookie", false, func(r *ishaa.Request) (any, error) {
			r.Response().SetCookie(&http.Cookie{Name: "failed", Value: "1"})
			panic("no")
		}},
		{"a value that has no JSON", false, func(*ishaa.Request) (any, error) { return make(chan int), nil }},
		{"a filtered answer", false, func(*ishaa.Request) (any, error) {
			res := ishaa.Text("abc").WithHeader("X-Filtered", "1")
			res.Filter(noopFilter)
			return res, nil
		}},
		{"a reader", true, func(*ishaa.Request) (any, error) { return strings.NewReader("stream"), nil }},
		{"a stream with cookie, filter and status", true, func(*ishaa.Request) (any, error) {
			res := ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
				_, err := io.WriteString(w, "abc")
				return err
			}).WithCookie(&http.Cookie{Name: "a", Value: "1"}).WithStatus(206)
			res.Filter(noopFilter)
			return res, nil
		}},
		{"a sequence", true, func(*ishaa.Request) (any, error) { return slices.Values([]int{1, 2}), nil }},
		{"a file", true, func(*ishaa.Request) (any, error) { return ishaa.File("go.mod"), nil }},
		{"a net/http handler", true, func(*ishaa.Request) (any, error) { return ishaa.Serve(http.NotFoundHandler()), nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			plain := newApp(t)
			plain.Without(ishaa.DefaultRequestID)
			plain.Before(func(r *ishaa.Request) (any, error) {
				r.Response().Header().Set("X-Outer", "1")
				r.Response().Header().Set("Vary", "Origin")
				return nil, nil
			})
			plain.Get("/", c.h)
			want := do(t, plain, "GET", "/")
			captured := captureIn(t, c.h, func(_ *ishaa.Request, _ *ishaa.Rendered, err error) {
				if errors.Is(err, ishaa.ErrStreamed) != c.stream {
					t.Errorf("Capture gave %v", err)
				}
			})
			captured.Without(ishaa.DefaultRequestID)
			for _, got := range []*result{do(t, captured, "GET", "/"), do(t, captured, "GET", "/")} {
				same(t, "status", got.status, want.status)
				same(t, "body", got.body, want.body)
				same(t, "headers", got.header, want.header)
			}
		})
	}
}

// upper is a filter that can be seen to have run exactly once.
type upper struct{ w io.Writer }

func (u *upper) Write(p []byte) (int, error) {
	_, err := io.WriteString(u.w, "<"+strings.ToUpper(string(p))+">")
	return len(p), err
}

func (u *upper) Close() error { return nil }

// A handler may render its own answer and return the value, what was rendered, or
// neither.
func TestRender(t *testing.T) {
	cookie := &http.Cookie{Name: "a", Value: "1"}
	for _, c := range []struct {
		name string
		h    ishaa.Handler
		body string
	}{
		{"what was rendered is returned", func(r *ishaa.Request) (any, error) { return r.Render(ishaa.Text("x").WithCookie(cookie)) }, "x"},
		{"the value is returned", func(r *ishaa.Request) (any, error) {
			value := ishaa.Text("x").WithCookie(cookie)
			_, err := r.Render(value)
			return value, err
		}, "x"},
		{"a stream is returned", func(r *ishaa.Request) (any, error) {
			value := ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
				_, err := io.WriteString(w, "x")
				return err
			}).WithCookie(cookie)
			if _, err := r.Render(value); !errors.Is(err, ishaa.ErrStreamed) {
				t.Errorf("Render gave %v", err)
			}
			return value, nil
		}, "x"},
		{"rendered twice", func(r *ishaa.Request) (any, error) {
			d, err := r.Render(ishaa.Text("x").WithCookie(cookie))
			if err != nil {
				return nil, err
			}
			return r.Render(d)
		}, "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := newApp(t)
			app.Get("/", c.h)
			do(t, app, "GET", "/").wantBody(t, 200, c.body).wantHeader(t, "Set-Cookie", "a=1; Path=/; HttpOnly; SameSite=Lax")
		})
	}
}

// What was rendered stays as it was, whatever becomes of the answer.
func TestRenderedStays(t *testing.T) {
	app := newApp(t)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("X-A", "1")
		d, err := r.Render([]int{1})
		r.Response().Header()["X-A"][0] = "2"
		r.Response().SetBytes([]byte("x"))
		same(t, "header", d.Header().Get("X-A"), "1")
		same(t, "body", string(d.Bytes()), "[1]")
		return d, err
	})
	do(t, app, "GET", "/").wantBody(t, 200, "[1]").wantHeader(t, "X-A", "1")
}

// One Rendered answers any number of requests at once, and none of them changes it.
func TestRenderedIsShared(t *testing.T) {
	app := newApp(t)
	var kept *ishaa.Rendered
	app.Get("/make", func(r *ishaa.Request) (any, error) {
		d, value, err := r.Capture(func(r *ishaa.Request) (any, error) {
			return ishaa.JSON(map[string]int{"n": 1}).WithHeader("Vary", "Accept").WithCookie(&http.Cookie{Name: "c", Value: "1"}), nil
		})
		kept = d
		return value, err
	})
	app.Get("/kept", func(r *ishaa.Request) (any, error) {
		r.Response().Header().Add("Vary", "Origin")
		return kept, nil
	}, ishaa.Middleware{After: func(r *ishaa.Request, res *ishaa.Response) error {
		res.Header().Add("Vary", r.Query("n"))
		res.Header().Add("Set-Cookie", "n="+r.Query("n"))
		res.SetStatus(203)
		return nil
	}})
	do(t, app, "GET", "/make").wantBody(t, 200, `{"n":1}`)
	t.Run("at once", func(t *testing.T) {
		for i := range 8 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				n := fmt.Sprint(i)
				for range 50 {
					do(t, app, "GET", "/kept?n="+n).wantBody(t, 203, `{"n":1}`).
						wantHeader(t, "Vary", "Origin", "Accept", n).
						wantHeader(t, "Set-Cookie", "c=1; Path=/; HttpOnly; SameSite=Lax", "n="+n)
				}
			})
		}
	})
	same(t, "headers", kept.Header(), http.Header{
		"Content-Type": {"application/json"}, "Vary": {"Accept"}, "Set-Cookie": {"c=1; Path=/; HttpOnly; SameSite=Lax"},
	})
	same(t, "status", kept.Status(), 200)
}

// The same holds for a *Response that a program makes once.
func TestResponseIsShared(t *testing.T) {
	app := newApp(t)
	page := ishaa.HTML("<p>hi</p>").WithHeader("Vary", "Accept")
	list := ishaa.JSON([]string{"a"})
	app.Get("/page", func(*ishaa.Request) (any, error) { return page, nil })
	app.Get("/list", func(*ishaa.Request) (any, error) { return list, nil })
	t.Run("at once", func(t *testing.T) {
		for i := range 8 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for range 50 {
					do(t, app, "GET", "/page").wantBody(t, 200, "<p>hi</p>").wantHeader(t, "Vary", "Accept")
					do(t, app, "GET", "/list").wantBody(t, 200, `["a"]`)
				}
			})
		}
	})
}

func TestOnSent(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		err   error
	}{
		{"bytes", "x", nil},
		{"an error", nil, errBroken},
		{"a stream", strings.NewReader("x"), nil},
		{"a stream that breaks", io.MultiReader(strings.NewReader("x"), brokenReader{}), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := newApp(t)
			var order []string
			app.Get("/", func(r *ishaa.Request) (any, error) {
				r.OnSent(func() { order = append(order, "first") })
				r.OnSent(func() { panic("one of them is broken") })
				r.OnSent(func() { order = append(order, "last") })
				return c.value, c.err
			}, ishaa.Middleware{After: func(*ishaa.Request, *ishaa.Response) error {
				order = append(order, "after hook")
				return nil
			}})
			do(t, app, "GET", "/")
			same(t, "order", order, []string{"after hook", "first", "last"})
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }
