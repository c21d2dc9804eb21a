package ishaa_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

func TestMiddlewareOrder(t *testing.T) {
	app, j := newApp(t), &journal{}
	app.Use(j.std("app std"))
	app.Use(j.both("one"), j.around("two"), j.both("three"), j.std("not here"))
	app.Before(func(*ishaa.Request) (any, error) { j.note("hook before"); return nil, nil })
	app.After(func(*ishaa.Request, *ishaa.Response) error { j.note("hook after"); return nil })
	app.Get("/", j.handler(), j.both("own"), j.around("own around"), j.std("own std"))
	do(t, app, "GET", "/").wantBody(t, 200, "answer")
	j.want(t,
		"app std in", "not here in",
		"one before", "two in", "three before", "hook before",
		"own before", "own around in", "own std in",
		"handler",
		"own std out", "own around out", "own after 200",
		"hook after", "three after 200", "two out", "one after 200",
		"not here out", "app std out")
}

// A Before hook that answers ends the way in; the After hooks of those that ran,
// and of those without a Before, see the answer.
func TestBeforeAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		before func(r *ishaa.Request) (any, error)
		status int
		body   string
	}{
		"a value":    {func(*ishaa.Request) (any, error) { return ishaa.Text("early"), nil }, 200, "early"},
		"no content": {func(*ishaa.Request) (any, error) { return ishaa.NoContent, nil }, 204, ""},
		"an error":   {func(*ishaa.Request) (any, error) { return nil, ishaa.Forbidden("no") }, 403, `{"title":"Forbidden","status":403,"detail":"no"}`},
		"both":       {func(*ishaa.Request) (any, error) { return "ignored", ishaa.Forbidden("no") }, 403, `{"title":"Forbidden","status":403,"detail":"no"}`},
		"a panic":    {func(*ishaa.Request) (any, error) { panic("thrown") }, 500, `{"title":"Internal Server Error","status":500}`},
	} {
		t.Run(name, func(t *testing.T) {
			app, j := newApp(t), &journal{}
			app.Use(j.both("first"))
			app.Use(ishaa.Middleware{
				Before: func(r *ishaa.Request) (any, error) { j.note("answers"); return c.before(r) },
				After:  func(*ishaa.Request, *ishaa.Response) error { j.note("its after"); return nil },
			})
			app.Use(j.both("never"), j.around("never around"))
			app.After(func(*ishaa.Request, *ishaa.Response) error { j.note("never: further in than an Around"); return nil })
			app.Get("/", j.handler(), j.both("own"))
			do(t, app, "GET", "/").wantBody(t, c.status, c.body).wantHeader(t, "X-Content-Type-Options", "nosniff")
			j.want(t, "first before", "answers", "its after", fmt.Sprint("first after ", c.status))
		})
	}
}

// After hooks without a Before of their own run also when a Before hook beside
// them answers.
func TestAfterWithoutBefore(t *testing.T) {
	app, j := newApp(t), &journal{}
	app.After(func(*ishaa.Request, *ishaa.Response) error { j.note("outer"); return nil })
	app.Before(func(*ishaa.Request) (any, error) { return nil, ishaa.Unauthorized("who are you?") })
	app.After(func(*ishaa.Request, *ishaa.Response) error { j.note("inner"); return nil })
	app.Get("/", j.handler())
	do(t, app, "GET", "/").wantProblem(t, 401, "")
	j.want(t, "inner", "outer")
}

// After hooks see, and may change, every answer: errors, panics, 404, 405,
// redirects and OPTIONS included.
func TestAfterSeesEveryAnswer(t *testing.T) {
	app, j := newApp(t), &journal{}
	app.After(func(r *ishaa.Request, res *ishaa.Response) error {
		j.note(fmt.Sprint(r.Method(), " ", r.Path(), " ", res.Status()))
		res.Header().Set("X-Seen", "yes")
		return nil
	})
	app.Get("/ok", text("fine"))
	app.Get("/nothing", func(*ishaa.Request) (any, error) { return nil, nil })
	app.Get("/error", fails(errBroken))
	app.Get("/problem", fails(ishaa.Conflict("twice")))
	app.Get("/panic", func(*ishaa.Request) (any, error) { panic("thrown") })
	app.Get("/around", text("unreachable"), ishaa.Middleware{Around: func(ishaa.Handler) ishaa.Handler {
		return func(*ishaa.Request) (any, error) { panic("thrown around") }
	}})
	app.Get("/encoding", func(*ishaa.Request) (any, error) { return map[string]any{"f": func() {}}, nil })
	app.Get("/after", text("fine"), ishaa.Middleware{After: func(*ishaa.Request, *ishaa.Response) error { panic("thrown after") }})
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/ok", 200}, {"HEAD", "/ok", 200}, {"GET", "/nothing", 204}, {"GET", "/error", 500}, {"GET", "/problem", 409},
		{"GET", "/panic", 500}, {"GET", "/around", 500}, {"GET", "/encoding", 500}, {"GET", "/after", 500},
		{"GET", "/missing", 404}, {"POST", "/ok", 405}, {"OPTIONS", "/ok", 204}, {"GET", "/ok/", 308},
	} {
		res := do(t, app, c.method, c.path).want(t, c.status)
		res.wantHeader(t, "X-Seen", "yes").wantHeader(t, "X-Content-Type-Options", "nosniff")
		if strings.Contains(res.body, "thrown") || strings.Contains(res.body, "hunter2") {
			t.Errorf("%s tells what belongs in the log:\n%s", c.path, res)
		}
		j.want(t, fmt.Sprint(c.method, " ", c.path, " ", c.status))
	}
}

// An After hook's error or panic takes the answer's place, and the hooks further
// out see that.
func TestAfterFails(t *testing.T) {
	app, log := loggedApp(t)
	j := &journal{}
	app.Use(j.both("outer"))
	fail := func(cause func() error) ishaa.Middleware {
		return ishaa.Middleware{After: func(_ *ishaa.Request, res *ishaa.Response) error {
			res.Header().Set("Etag", `"of the answer that is gone"`)
			return cause()
		}}
	}
	app.Get("/error", text("secret"), fail(func() error { return ishaa.Conflict("after all") }))
	app.Get("/panic", text("secret"), fail(func() error { panic("thrown") }))
	app.Get("/twice", fails(ishaa.NotFound("first")), fail(func() error { return errors.New("second") }))
	do(t, app, "GET", "/error").wantProblem(t, 409, "after all").wantHeader(t, "Etag")
	j.want(t, "outer before", "outer after 409")
	do(t, app, "GET", "/panic").wantProblem(t, 500, "").wantHeader(t, "Etag")
	j.want(t, "outer before", "outer after 500")
	do(t, app, "GET", "/twice").wantProblem(t, 500, "")
	j.want(t, "outer before", "outer after 500")
	if failures := log.records(t, "request failed"); len(failures) != 2 || !strings.Contains(fmt.Sprint(failures[0]["stack"]), "middleware_test.go") {
		t.Errorf("the log has %v", failures)
	}
}

// An After hook may change status, headers and body of an answer in memory.
func TestAfterChangesTheAnswer(t *testing.T) {
	app := newApp(t)
	app.After(func(_ *ishaa.Request, res *ishaa.Response) error {
		if data, ok := res.Bytes(); ok {
			res.SetBytes([]byte(strings.ToUpper(string(data))))
		}
		res.SetStatus(http.StatusAccepted)
		res.Header().Del("X-Gone")
		return nil
	})
	app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.Text("loud").WithHeader("X-Gone", "1"), nil })
	do(t, app, "GET", "/").wantBody(t, 202, "LOUD").wantHeader(t, "X-Gone").wantHeader(t, "Content-Length", "4")
}

// layer is an Interceptor that notes what it encloses.
type layer struct {
	at ishaa.Layer
	on func(route *ishaa.Route, next ishaa.Handler) ishaa.Handler
}

func (l layer) Layer() ishaa.Layer                                       { return l.at }
func (l layer) Intercept(rt *ishaa.Route, h ishaa.Handler) ishaa.Handler { return l.on(rt, h) }

func (j *journal) layer(at ishaa.Layer, name string) ishaa.Interceptor {
	return layer{at, func(route *ishaa.Route, next ishaa.Handler) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			j.note(fmt.Sprintf("%s in %s", name, route))
			value, err := next(r)
			j.note(name + " out")
			return value, err
		}
	}}
}

func TestInterceptorLayers(t *testing.T) {
	app, j := newApp(t), &journal{}
	app.Intercept(j.layer(ishaa.Innermost, "inner"), j.layer(ishaa.Select, "select"), j.layer(ishaa.Outermost, "outer 1"), j.layer(ishaa.Outermost, "outer 2"))
	app.Use(j.both("hook"))
	app.Get("/", j.handler(), j.both("own"))
	do(t, app, "GET", "/").wantBody(t, 200, "answer")
	j.want(t,
		"outer 1 in GET /", "outer 2 in GET /", "hook before", "select in GET /", "own before", "inner in GET /",
		"handler",
		"inner out", "own after 200", "select out", "hook after 200", "outer 2 out", "outer 1 out")
	do(t, app, "GET", "/missing").want(t, 404)
	j.want(t,
		"outer 1 in (no route)", "outer 2 in (no route)", "hook before", "select in (no route)", "inner in (no route)",
		"inner out", "select out", "hook after 404", "outer 2 out", "outer 1 out")
}

func TestInterceptorsMayStayAway(t *testing.T) {
	app := newApp(t)
	var asked []string
	app.Get("/a", text("a"))
	app.Get("/b", text("b"))
	app.Intercept(layer{ishaa.Innermost, func(route *ishaa.Route, next ishaa.Handler) ishaa.Handler {
		asked = append(asked, route.String())
		if route.Pattern() != "/a" {
			return next
		}
		return text("intercepted")
	}})
	do(t, app, "GET", "/a").wantBody(t, 200, "intercepted")
	do(t, app, "GET", "/b").wantBody(t, 200, "b")
	if want := []string{"(no route)", "GET /a", "GET /b"}; !slices.Equal(asked, want) {
		t.Errorf("asked once for each of %q, want %q", asked, want)
	}
}

// A panic in any layer is a 500, and the process lives.
func TestInterceptorPanics(t *testing.T) {
	for _, at := range []ishaa.Layer{ishaa.Outermost, ishaa.Select, ishaa.Innermost} {
		app := newApp(t)
		app.Get("/", text("unreachable"))
		app.Intercept(layer{at, func(*ishaa.Route, ishaa.Handler) ishaa.Handler {
			return func(*ishaa.Request) (any, error) { panic("thrown") }
		}})
		do(t, app, "GET", "/").wantProblem(t, 500, "")
	}
}

// Recompile swaps a route's chain; requests under way finish on the old one.
func TestRecompile(t *testing.T) {
	app := newApp(t)
	release, entered := make(chan struct{}), make(chan struct{})
	route := app.Get("/", func(r *ishaa.Request) (any, error) {
		if r.Query("wait") != "" {
			close(entered)
			<-release
		}
		return ishaa.Text("old"), nil
	})
	do(t, app, "GET", "/").wantBody(t, 200, "old")
	app.Intercept(layer{ishaa.Innermost, func(*ishaa.Route, ishaa.Handler) ishaa.Handler { return text("new") }})
	do(t, app, "GET", "/").wantBody(t, 200, "old")
	slow := make(chan *result)
	go func() { slow <- do(t, app, "GET", "/?wait=1") }()
	receive(t, "the slow request", entered)
	if err := app.Recompile(route); err != nil {
		t.Fatal(err)
	}
	do(t, app, "GET", "/").wantBody(t, 200, "new")
	close(release)
	receive(t, "the slow answer", slow).wantBody(t, 200, "old")
	other := newApp(t).Get("/", text("other"))
	if err := app.Recompile(other); err == nil || !strings.Contains(err.Error(), "another application") {
		t.Errorf("Recompile of another application's route: %v", err)
	}
}

// Recompile may run under load, by several goroutines.
func TestRecompileUnderLoad(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	one := ishaa.SelectorFunc(func(*ishaa.Request, *ishaa.Route) int { return 0 })
	two := ishaa.SelectorFunc(func(*ishaa.Request, *ishaa.Route) int { return 1 })
	route := app.Get("/", text("one"), ishaa.Variant("v", "one"), ishaa.SelectBy(one))
	app.Get("/", text("two"), ishaa.Variant("v", "two"))
	do(t, app, "GET", "/").wantBody(t, 200, "one")
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 200 {
				if worker < 2 {
					app.SetSelector(route, []ishaa.Selector{one, two}[i%2])
					if err := app.Recompile(route); err != nil {
						t.Error(err)
					}
				} else if res := do(t, app, "GET", "/"); res.body != "one" && res.body != "two" {
					t.Errorf("an answer of neither chain: %s", res)
				}
			}
		})
	}
	group.Wait()
}

func TestVariants(t *testing.T) {
	app, j := newApp(t), &journal{}
	var seen []ishaa.Outcome
	app.Observe(observerFunc(func(_ *ishaa.Route, o ishaa.Outcome) { seen = append(seen, o) }))
	choose := ishaa.SelectorFunc(func(r *ishaa.Request, route *ishaa.Route) int {
		for i, variant := range route.Variants() {
			if variant.VariantName() == r.Query("v") {
				return i
			}
		}
		return len(route.Variants())
	})
	app.Use(j.both("app"))
	first := app.Post("/x", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		return ishaa.Text(r.Route().VariantName() + string(data)), err
	}, ishaa.Variant("reality", "classic"), ishaa.Name("x"), j.both("own of classic"))
	second := app.Post("/x", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		return ishaa.Text(r.Route().VariantName() + string(data)), err
	}, ishaa.Variant("reality", "modern"), ishaa.SelectBy(choose), ishaa.BodyLimit(2))
	if got := fmt.Sprint(first.Variants(), second.Variants()); got != fmt.Sprint([]*ishaa.Route{first, second}, []*ishaa.Route{first, second}) {
		t.Errorf("variants: %s", got)
	}
	body := withBody("text/plain", "123")
	do(t, app, "POST", "/x?v=classic", body).wantBody(t, 200, "classic123")
	j.want(t, "app before", "own of classic before", "own of classic after 200", "app after 200")
	do(t, app, "POST", "/x?v=modern", body).wantProblem(t, 413, "limit of 2 bytes")
	do(t, app, "POST", "/x?v=modern").wantBody(t, 200, "modern")
	do(t, app, "POST", "/x?v=none").wantProblem(t, 500, "")
	if got := fmt.Sprint(seen[0].Variant, seen[1].Variant, seen[2].Variant, "|", seen[3].Variant); got != "classicmodernmodern|classic" {
		t.Errorf("observers saw the variants %q", got)
	}
	if app.Lookup("x") != first {
		t.Errorf("the name leads to %v", app.Lookup("x"))
	}
	if len(app.Routes()) != 2 {
		t.Errorf("the table has %v", app.Routes())
	}
}

func TestVariantsWithoutSelector(t *testing.T) {
	app, log := loggedApp(t)
	app.Get("/x", text("one"), ishaa.Variant("reality", "one"))
	app.Get("/x", text("two"), ishaa.Variant("reality", "two"))
	err := app.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "middleware_test.go:") || !strings.Contains(err.Error(), "SelectBy") {
		t.Errorf("Start: %v", err)
	}
	do(t, app, "GET", "/x").want(t, 503)
	if failures := log.records(t, "the application could not start"); len(failures) != 1 {
		t.Errorf("the log has %v", failures)
	}
}

// SetOrder lets neighbours that commute trade places, and nobody else.
func TestSetOrder(t *testing.T) {
	app, j := newApp(t), &journal{}
	app.Without(ishaa.DefaultRequestID, ishaa.DefaultCSRF, ishaa.DefaultSecurityHeaders)
	commuting := func(name string) ishaa.Middleware {
		m := j.both(name)
		m.Commutes = true
		return m
	}
	app.Use(commuting("a"), commuting("b"), j.both("wall"), commuting("c"))
	route := app.Get("/", j.handler())
	if list := route.Middleware(); len(list) != 4 || list[2].Name != "wall" {
		t.Fatalf("Middleware gives %v", list)
	}
	for _, c := range []struct {
		order []int
		says  string
	}{
		{[]int{0, 1}, "places"}, {[]int{0, 0, 2, 3}, "permutation"}, {[]int{0, 1, 2, 4}, "permutation"},
		{[]int{3, 1, 2, 0}, "does not commute"}, {[]int{0, 1, 3, 2}, "does not commute"},
	} {
		if err := app.SetOrder(route, c.order); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("SetOrder(%v): %v, want an error with %q", c.order, err, c.says)
		}
	}
	if err := app.SetOrder(route, []int{1, 0, 2, 3}); err != nil {
		t.Fatal(err)
	}
	do(t, app, "GET", "/").want(t, 200)
	j.want(t, "b before", "a before", "wall before", "c before", "handler", "c after 200", "wall after 200", "a after 200", "b after 200")
	if err := app.SetOrder(route, nil); err != nil {
		t.Fatal(err)
	}
	if err := app.Recompile(route); err != nil {
		t.Fatal(err)
	}
	do(t, app, "GET", "/").want(t, 200)
	j.want(t, "a before", "b before", "wall before", "c before", "handler", "c after 200", "wall after 200", "b after 200", "a after 200")
}

func TestAnnotations(t *testing.T) {
	app := newApp(t)
	risk, note := ishaa.NewAnnotation[int]("risk"), ishaa.NewAnnotation[string]("note")
	again := ishaa.NewAnnotation[int]("risk")
	route := app.Get("/", echo, risk.On(3), ishaa.Options(note.On("a"), ishaa.Name("index")))
	if err := route.Annotate("free", true); err != nil {
		t.Fatal(err)
	}
	if value, ok := risk.Of(route); value != 3 || !ok {
		t.Errorf("risk is %d, %t", value, ok)
	}
	if _, ok := again.Of(route); ok {
		t.Error("keys of one name are the same")
	}
	all := route.Annotations()
	if len(all) != 3 || all[note] != "a" || all["free"] != true || route.Name() != "index" || note.String() != "note" {
		t.Errorf("annotations are %v, the name %q", all, route.Name())
	}
	delete(all, "free")
	if len(route.Annotations()) != 3 {
		t.Error("Annotations is not a copy")
	}
	start(app)
	if err := route.Annotate(risk, 4); err == nil || !strings.Contains(err.Error(), "before the application starts") {
		t.Errorf("Annotate after the start: %v", err)
	}
}
