package ishaa_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// journal collects what ran, in order.
type journal struct{ steps []string }

func (j *journal) note(step string) { j.steps = append(j.steps, step) }

// want checks the steps and starts anew.
func (j *journal) want(t testing.TB, steps ...string) {
	t.Helper()
	if !slices.Equal(j.steps, steps) {
		t.Errorf("steps:\n %s\nwant:\n %s", strings.Join(j.steps, "\n "), strings.Join(steps, "\n "))
	}
	j.steps = nil
}

// both is middleware that notes its Before and After.
func (j *journal) both(name string) ishaa.Middleware {
	return ishaa.Middleware{
		Name:   name,
		Before: func(*ishaa.Request) (any, error) { j.note(name + " before"); return nil, nil },
		After: func(_ *ishaa.Request, res *ishaa.Response) error {
			j.note(fmt.Sprint(name, " after ", res.Status()))
			return nil
		},
	}
}

// around is middleware that notes what it encloses.
func (j *journal) around(name string) ishaa.Middleware {
	return ishaa.Middleware{Name: name, Around: func(next ishaa.Handler) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			j.note(name + " in")
			value, err := next(r)
			j.note(name + " out")
			return value, err
		}
	}}
}

// std is net/http middleware that notes what it encloses.
func (j *journal) std(name string) ishaa.Middleware {
	return ishaa.Std(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			j.note(name + " in")
			next.ServeHTTP(w, raw)
			j.note(name + " out")
		})
	})
}

func (j *journal) handler() ishaa.Handler {
	return func(*ishaa.Request) (any, error) {
		j.note("handler")
		return ishaa.Text("answer"), nil
	}
}

// Blueprints nest: prefixes and names add up, parameters of a prefix are the
// routes', and middleware runs from the application inwards.
func TestNestedBlueprints(t *testing.T) {
	app, j := newApp(t), &journal{}
	app.Use(j.both("app"))
	shops := ishaa.NewBlueprint("shops", "/shops/<int:shop>", j.both("shops"))
	orders := ishaa.NewBlueprint("orders", "/orders")
	orders.Use(j.both("orders"))
	orders.Get("/<int:order>", func(r *ishaa.Request) (any, error) {
		return ishaa.Text(fmt.Sprint(r.ParamInt("shop"), " ", r.ParamInt("order"))), nil
	}, ishaa.Name("one"), j.both("route"))
	orders.Get("", text("all orders"))
	orders.Get("/", text("all orders, with a slash"))
	shops.Register(orders)
	shops.Get("/", text("a shop"))
	app.Register(shops)
	orders.Get("/late", text("late"), ishaa.Name("late")) // after it was registered
	shops.Use(j.both("shops, added late"))

	do(t, app, "GET", "/shops/3/orders/14").wantBody(t, 200, "3 14")
	j.want(t, "app before", "shops before", "shops, added late before", "orders before", "route before",
		"route after 200", "orders after 200", "shops, added late after 200", "shops after 200", "app after 200")
	do(t, app, "GET", "/shops/3/orders").wantBody(t, 200, "all orders")
	do(t, app, "GET", "/shops/3/orders/").wantBody(t, 200, "all orders, with a slash")
	j.steps = nil
	do(t, app, "GET", "/shops/3/").wantBody(t, 200, "a shop")
	j.want(t, "app before", "shops before", "shops, added late before", "shops, added late after 200", "shops after 200", "app after 200")
	do(t, app, "GET", "/shops/3/orders/late").wantBody(t, 200, "late")

	if url, err := app.URL("shops.orders.one", "shop", 3, "order", 14); url != "/shops/3/orders/14" || err != nil {
		t.Errorf("URL is %q, %v", url, err)
	}
	route := app.Lookup("shops.orders.late")
	if route == nil || route.Blueprint() != "shops.orders" || route.Pattern() != "/shops/<int:shop>/orders/late" {
		t.Errorf("the late route is %v", route)
	}

	// A path that nothing matches is the application's; one that has other methods is
	// its blueprint's, whose hooks see the 405 and the automatic OPTIONS.
	j.steps = nil
	do(t, app, "GET", "/shops/3/nothing").wantProblem(t, 404, "")
	do(t, app, "PUT", "/shops/3/orders").wantProblem(t, 405, "")
	j.want(t, "app before", "app after 404",
		"app before", "shops before", "shops, added late before", "orders before",
		"orders after 405", "shops, added late after 405", "shops after 405", "app after 405")
	j.steps = nil
	do(t, app, "OPTIONS", "/shops/3/").want(t, 204).wantHeader(t, "Allow", "GET, HEAD, OPTIONS")
	if !slices.Contains(j.steps, "shops after 204") {
		t.Errorf("the blueprint does not see OPTIONS: %q", j.steps)
	}
}

func TestBlueprintWithoutPrefix(t *testing.T) {
	app, j := newApp(t), &journal{}
	pages := ishaa.NewBlueprint("pages", "", j.both("pages"))
	pages.Get("/", j.handler(), ishaa.Name("index"))
	app.Register(pages)
	app.Get("/other", text("other"))
	do(t, app, "GET", "/").want(t, 200)
	do(t, app, "GET", "/other").want(t, 200)
	j.want(t, "pages before", "handler", "pages after 200")
	if url, err := app.URL("pages.index"); url != "/" || err != nil {
		t.Errorf("URL is %q, %v", url, err)
	}
}

// With gives options to all routes of a blueprint, whenever they are registered;
// those of a route win.
func TestBlueprintWith(t *testing.T) {
	app, j := newApp(t), &journal{}
	owner := ishaa.NewAnnotation[string]("owner")
	outer := ishaa.NewBlueprint("outer", "/outer")
	outer.Get("/early", j.handler(), ishaa.Name("early"))
	outer.With(ishaa.BodyLimit(10), owner.On("outer"), j.both("from outer"))
	inner := ishaa.NewBlueprint("inner", "/inner").With(owner.On("inner"), ishaa.Host("a.example"), j.both("from inner"))
	inner.Get("/x", j.handler(), ishaa.Name("x"), ishaa.BodyLimit(20))
	inner.Get("/y", j.handler(), ishaa.Name("y"), owner.On("y"), ishaa.Host("b.example"))
	outer.Register(inner)
	app.Register(outer)
	for name, want := range map[string]string{"outer.early": "outer 10 ", "outer.inner.x": "inner 20 a.example", "outer.inner.y": "y 10 b.example"} {
		route := app.Lookup(name)
		value, _ := owner.Of(route)
		if got := fmt.Sprint(value, " ", route.BodyLimit(), " ", route.Host()); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	do(t, app, "GET", "/outer/inner/x", withHost("a.example")).want(t, 200)
	j.want(t, "from outer before", "from inner before", "handler", "from inner after 200", "from outer after 200")
}

type outOfStock struct{ item string }

func (e *outOfStock) Error() string   { return e.item + " is out of stock" }
func (e *outOfStock) HTTPStatus() int { return 409 }

// The nearest blueprint answers an error; in each, types go before statuses and
// what was registered last goes first.
func TestErrorHandlersNearestFirst(t *testing.T) {
	app := newApp(t)
	say := func(who string) func(*ishaa.Request, error) (any, error) {
		return func(_ *ishaa.Request, err error) (any, error) { return ishaa.Text(who + ": " + err.Error()), nil }
	}
	app.OnStatus(404, say("app 404"))
	app.OnStatus(409, say("app 409"))
	app.OnStatus(500, say("app 500"))
	ishaa.OnError(app, func(_ *ishaa.Request, err *outOfStock) (any, error) { return ishaa.Text("app stock: " + err.item), nil })
	outer := ishaa.NewBlueprint("outer", "/outer")
	outer.OnStatus(404, say("outer 404"))
	outer.OnStatus(404, say("outer 404, the later"))
	inner := ishaa.NewBlueprint("inner", "/inner")
	inner.OnStatus(409, say("inner 409"))
	ishaa.OnError(inner, func(_ *ishaa.Request, err *outOfStock) (any, error) {
		return ishaa.Text("inner stock: " + err.item), nil
	})
	for _, r := range []ishaa.Router{app, outer, inner} {
		r.Get("/missing", fails(ishaa.NotFound("no such thing")))
		r.Get("/stock", fails(fmt.Errorf("ordering: %w", &outOfStock{"tea"})))
		r.Get("/conflict", fails(ishaa.Conflict("twice")))
		r.Get("/broken", fails(errors.New("broken")))
		r.Get("/panic", func(*ishaa.Request) (any, error) { panic("thrown") })
	}
	outer.Register(inner)
	app.Register(outer)
	for path, want := range map[string]string{
		"/missing":              "404 app 404: 404 Not Found: no such thing",
		"/stock":                "409 app stock: tea",
		"/conflict":             "409 app 409: 409 Conflict: twice",
		"/broken":               "500 app 500: broken",
		"/panic":                "500 app 500: panic: thrown",
		"/outer/missing":        "404 outer 404, the later: 404 Not Found: no such thing",
		"/outer/stock":          "409 app stock: tea",
		"/outer/conflict":       "409 app 409: 409 Conflict: twice",
		"/outer/inner/missing":  "404 outer 404, the later: 404 Not Found: no such thing",
		"/outer/inner/stock":    "409 inner stock: tea",
		"/outer/inner/conflict": "409 inner 409: 409 Conflict: twice",
		"/outer/inner/broken":   "500 app 500: broken",
		"/outer/nothing":        "404 app 404: 404 Not Found: there is nothing at this address",
	} {
		res := do(t, app, "GET", path)
		if got := fmt.Sprint(res.status, " ", res.body); got != want {
			t.Errorf("%s gives %q, want %q", path, got, want)
		}
	}
}

// An error's handler sets the status it wants, and what fails in it is a problem
// like any other.
func TestErrorHandlersThatFail(t *testing.T) {
	app, log := loggedApp(t)
	app.OnStatus(404, func(*ishaa.Request, error) (any, error) { return ishaa.Text("gone").WithStatus(410), nil })
	app.OnStatus(409, func(*ishaa.Request, error) (any, error) { return nil, ishaa.Forbidden("not even this") })
	app.OnStatus(422, func(*ishaa.Request, error) (any, error) { panic("handler of errors") })
	app.OnStatus(400, func(*ishaa.Request, error) (any, error) { return nil, nil })
	app.OnStatus(415, func(*ishaa.Request, error) (any, error) { return make(chan int), nil })
	for _, status := range []int{400, 404, 409, 415, 422} {
		app.Get(fmt.Sprint("/", status), fails(ishaa.StatusError(status, "no")))
	}
	do(t, app, "GET", "/404").wantBody(t, 410, "gone")
	do(t, app, "GET", "/409").wantProblem(t, 403, "not even this")
	do(t, app, "GET", "/400").wantBody(t, 400, "")
	if res := do(t, app, "GET", "/422").wantProblem(t, 500, ""); strings.Contains(res.body, "handler of errors") {
		t.Errorf("the panic's text is sent: %s", res)
	}
	do(t, app, "GET", "/415").wantProblem(t, 500, "")
	failures := log.records(t, "request failed")
	if len(failures) != 2 || !strings.Contains(fmt.Sprint(failures[0]["error"]), "handler of errors") {
		t.Errorf("the log has %v", failures)
	}
}

func TestMountInBlueprint(t *testing.T) {
	app, j := newApp(t), &journal{}
	tools := ishaa.NewBlueprint("tools", "/tools/<name>", j.both("tools"))
	tools.Mount("/ui/", http.StripPrefix("/tools/x/ui", http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
		j.note("mounted " + raw.URL.Path + " " + ishaa.FromContext(raw.Context()).Param("name"))
		w.WriteHeader(http.StatusTeapot)
	})))
	app.Register(tools)
	do(t, app, "BREW", "/tools/x/ui/pot").want(t, 418)
	// After hooks run before a handler that writes as it goes.
	j.want(t, "tools before", "tools after 0", "mounted /pot x")
}

// An application can be mounted in another: each keeps its own routes, defaults
// and errors.
func TestAppInApp(t *testing.T) {
	outer, inner := newApp(t), newApp(t)
	inner.Get("/sub/x", text("inner"))
	inner.OnStatus(404, func(*ishaa.Request, error) (any, error) { return ishaa.Text("inner's own"), nil })
	outer.Mount("/sub/", inner)
	do(t, outer, "GET", "/sub/x").wantBody(t, 200, "inner").wantHeader(t, "X-Content-Type-Options", "nosniff")
	do(t, outer, "GET", "/sub/y").wantBody(t, 404, "inner's own")
	do(t, outer, "GET", "/y").wantProblem(t, 404, "")
}
