package ishaa_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

var registrationErrors = []struct {
	name     string
	register func(app *ishaa.App)
	says     string
}{
	{"no slash", func(app *ishaa.App) { app.Get("users", echo) }, `a pattern starts with "/"`},
	{"nothing", func(app *ishaa.App) { app.Get("", echo) }, `a pattern starts with "/"`},
	{"no handler", func(app *ishaa.App) { app.Get("/", nil) }, "the handler is nil"},
	{"no handler to mount", func(app *ishaa.App) { app.Mount("/a/", nil) }, "the handler is nil"},
	{"an unknown converter", func(app *ishaa.App) { app.Get("/<itn:id>", echo) }, `"int"`},
	{"another router's parameter", func(app *ishaa.App) { app.Get("/users/:id", echo) }, "write <id>"},
	{"another router's braces", func(app *ishaa.App) { app.Get("/users/{id}", echo) }, "write <id>"},
	{"another router's rest", func(app *ishaa.App) { app.Get("/files/*name", echo) }, "write <path:name>"},
	{"text and parameter in one segment", func(app *ishaa.App) { app.Get("/v<int:n>", echo) }, "either text or one parameter"},
	{"a parameter twice", func(app *ishaa.App) { app.Get("/<a>/<a>", echo) }, `two parameters called "a"`},
	{"path not at the end", func(app *ishaa.App) { app.Get("/<path:a>/b", echo) }, "must be the last segment"},
	{"an empty segment", func(app *ishaa.App) { app.Get("/a//b", echo) }, "empty segment"},
	{"dots", func(app *ishaa.App) { app.Get("/a/../b", echo) }, "never be matched"},
	{"an expression that does not compile", func(app *ishaa.App) { app.Get(`/<re("["):a>`, echo) }, "RE2"},
	{"a mount without its slash", func(app *ishaa.App) { app.Mount("/a", http.NotFoundHandler()) }, `write "/a/"`},
	{"a nil option", func(app *ishaa.App) { app.Get("/", echo, nil) }, "a route option is nil"},
	{"an empty name", func(app *ishaa.App) { app.Get("/", echo, ishaa.Name("")) }, "is not empty"},
	{"no methods", func(app *ishaa.App) { app.Route("/", echo, ishaa.Methods()) }, "at least one method"},
	{"a method in lower case", func(app *ishaa.App) { app.Route("/", echo, ishaa.Methods("get")) }, "upper-case"},
	{"TRACE", func(app *ishaa.App) { app.Route("/", echo, ishaa.Methods("TRACE")) }, "not for applications"},
	{"CONNECT", func(app *ishaa.App) { app.Route("/", echo, ishaa.Methods("CONNECT")) }, "not for applications"},
	{"no body at all", func(app *ishaa.App) { app.Get("/", echo, ishaa.BodyLimit(0)) }, "positive number of bytes"},
	{"an empty host", func(app *ishaa.App) { app.Get("/", echo, ishaa.Host("")) }, "leave the option out"},
	{"a host with a port", func(app *ishaa.App) { app.Get("/", echo, ishaa.Host("a.example:80")) }, "without port"},
	{"a host in upper case", func(app *ishaa.App) { app.Get("/", echo, ishaa.Host("A.example")) }, "lower case"},
	{"an empty label", func(app *ishaa.App) { app.Get("/", echo, ishaa.Host("a..example")) }, "empty label"},
	{"a host's parameter twice", func(app *ishaa.App) { app.Get("/", echo, ishaa.Host("<a>.<a>.example")) }, "twice"},
	{"a parameter in host and path", func(app *ishaa.App) { app.Get("/<a>", echo, ishaa.Host("<a>.example")) }, "in the host and in the path"},
	{"a variant without a name", func(app *ishaa.App) { app.Get("/", echo, ishaa.Variant("reality", "")) }, "give a group and a name"},
	{"no selector", func(app *ishaa.App) { app.Get("/", echo, ishaa.SelectBy(nil)) }, "the selector is nil"},
	{"a converter's name", func(app *ishaa.App) { app.Converter("Hex", 0, func(string) bool { return true }) }, "lower-case"},
	{"a built-in converter", func(app *ishaa.App) { app.Converter("int", 0, func(string) bool { return true }) }, "built in"},
	{"a converter without a function", func(app *ishaa.App) { app.Converter("hex", 0, nil) }, "is nil"},
	{"a blueprint's name", func(*ishaa.App) { ishaa.NewBlueprint("a.b", "/a") }, "no dots"},
	{"a blueprint's prefix without a slash", func(*ishaa.App) { ishaa.NewBlueprint("a", "a") }, `starts with "/"`},
	{"a blueprint's prefix with a slash too many", func(*ishaa.App) { ishaa.NewBlueprint("a", "/a/") }, "does not end with it"},
	{"a blueprint registered twice", func(app *ishaa.App) {
		b := ishaa.NewBlueprint("a", "/a")
		app.Register(b)
		app.Register(b)
	}, "already registered"},
	{"a blueprint in itself", func(*ishaa.App) {
		b := ishaa.NewBlueprint("a", "/a")
		b.Register(b)
	}, "in itself"},
	{"blueprints around each other", func(*ishaa.App) {
		a, b := ishaa.NewBlueprint("a", "/a"), ishaa.NewBlueprint("b", "/b")
		a.Register(b)
		b.Register(a)
	}, "contain each other"},
	{"options for routes that are in the table", func(app *ishaa.App) {
		b := ishaa.NewBlueprint("a", "/a")
		app.Register(b)
		b.With(ishaa.BodyLimit(1))
	}, "before Register"},
	{"a nil Before", func(app *ishaa.App) { app.Before(nil) }, "the function is nil"},
	{"a nil After", func(app *ishaa.App) { app.After(nil) }, "the function is nil"},
	{"a nil OnStatus", func(app *ishaa.App) { app.OnStatus(404, nil) }, "the function is nil"},
	{"a nil OnError", func(app *ishaa.App) { ishaa.OnError[*ishaa.Problem](app, nil) }, "the function is nil"},
	{"a nil OnStart", func(app *ishaa.App) { app.OnStart(nil) }, "the function is nil"},
	{"a nil OnStop", func(app *ishaa.App) { app.OnStop(nil) }, "the function is nil"},
	{"a nil plugin", func(app *ishaa.App) { app.Install(nil) }, "the plugin is nil"},
	{"nil net/http middleware", func(app *ishaa.App) { app.Use(ishaa.Std(nil)) }, "the middleware is nil"},
	{"an unknown default", func(app *ishaa.App) { app.Without("crsf") }, `did you mean "csrf"?`},
	{"an origin with a path", func(app *ishaa.App) { app.TrustOrigins("https://a.example/") }, "without a path"},
	{"a command without a function", func(app *ishaa.App) { app.Command(ishaa.Command{Name: "seed"}) }, "a Run function"},
	{"a route after the start", func(app *ishaa.App) {
		start(app)
		app.Get("/", echo)
	}, "has started"},
	{"a hook after the start", func(app *ishaa.App) {
		start(app)
		app.Before(text(""))
	}, "has started"},
	{"Use after the start", func(app *ishaa.App) {
		start(app)
		app.Use(ishaa.Middleware{Before: text("")})
	}, "has started"},
	{"Without after the start", func(app *ishaa.App) {
		start(app)
		app.Without(ishaa.DefaultCSRF)
	}, "has started"},
}

// A mistake at registration stops the program where it was made, and says what
// to write instead.
func TestRegistrationErrors(t *testing.T) {
	for _, c := range registrationErrors {
		t.Run(c.name, func(t *testing.T) {
			app := newApp(t)
			message := recovered(t, func() { c.register(app) })
			if !here.MatchString(message) {
				t.Errorf("the message does not name this file:\n%s", message)
			}
			if !strings.Contains(message, c.says) {
				t.Errorf("the message does not say %q:\n%s", c.says, message)
			}
		})
	}
}

func start(app *ishaa.App) {
	if err := app.Start(context.Background()); err != nil {
		panic(err)
	}
}

// Each way to register answers exactly its methods.
func TestMethodShortcuts(t *testing.T) {
	app := newApp(t)
	app.Get("/", text("GET"))
	app.Post("/", text("POST"))
	app.Put("/", text("PUT"))
	app.Patch("/", text("PATCH"))
	app.Delete("/", text("DELETE"))
	app.Head("/", text("HEAD"))
	app.Options("/", text("OPTIONS"))
	app.Any("/", text("ANY"))
	app.Route("/", text("LINK"), ishaa.Methods("LINK", "UNLINK", "LINK"))
	app.Route("/get", text("only GET"))
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "LINK"} {
		do(t, app, method, "/").wantBody(t, 200, method)
	}
	do(t, app, "HEAD", "/").wantBody(t, 200, "").wantHeader(t, "Content-Length", "4")
	do(t, app, "UNLINK", "/").wantBody(t, 200, "LINK")
	do(t, app, "REPORT", "/").wantBody(t, 200, "ANY")
	do(t, app, "GET", "/get").wantBody(t, 200, "only GET")
	do(t, app, "POST", "/get").wantProblem(t, 405, "POST is not one of GET, HEAD, OPTIONS")
}

func TestConvertedParameters(t *testing.T) {
	app := newApp(t)
	app.Get("/<int:i>/<float:f>/<uuid:u>/<s>", func(r *ishaa.Request) (any, error) {
		id := r.ParamUUID("u")
		return ishaa.Text(fmt.Sprint(r.ParamInt("i"), " ", r.ParamFloat("f"), " ", r.ParamFloat("i"), " ", id[0], " ",
			r.ParamInt("s"), r.ParamFloat("s"), r.ParamUUID("s")[0], r.ParamInt("none"), " ", r.Param("none"))), nil
	})
	do(t, app, "GET", "/-7/2.5/ff000000-0000-0000-0000-000000000000/8").wantBody(t, 200, "-7 2.5 -7 255 0 0 0 0 ")
}

func TestManyParameters(t *testing.T) {
	app := newApp(t)
	var pattern, path, want strings.Builder
	for i := range 40 {
		fmt.Fprintf(&pattern, "/<p%d>", i)
		fmt.Fprintf(&path, "/v%d", i)
		fmt.Fprintf(&want, " p%d=%q", i, fmt.Sprint("v", i))
	}
	app.Get(pattern.String(), echo)
	do(t, app, "GET", path.String()).wantBody(t, 200, want.String())
	do(t, app, "GET", strings.Repeat("/x", 1000)).wantProblem(t, 404, "")
}

func TestRoutesListsTheTable(t *testing.T) {
	app := newApp(t)
	app.Post("/b", echo, ishaa.Name("b"))
	app.Get("/b", echo)
	api := ishaa.NewBlueprint("api", "/api")
	api.Get("/<int:id>", echo, ishaa.Name("one"), ishaa.BodyLimit(7))
	app.Register(api)
	app.Mount("/m/", http.NotFoundHandler())
	app.Get("/b", echo, ishaa.Host("h.example"))
	var lines []string
	for _, route := range app.Routes() {
		lines = append(lines, fmt.Sprint(route, " ", route.Name(), " ", route.Blueprint(), " ", route.BodyLimit(), " ", route.Parameters(), " ", route.Mounted()))
		if !here.MatchString(route.Source()) {
			t.Errorf("%s was registered at %q", route, route.Source())
		}
	}
	want := []string{
		"GET /api/<int:id> api.one api 7 [{id int }] false",
		"GET /b   1048576 [] false",
		"POST /b b  1048576 [] false",
		"GET h.example/b   1048576 [] false",
		"ANY /m/   1048576 [] true",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("Routes:\n%s\nwant:\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if route := app.Lookup("api.one"); route == nil || route.Pattern() != "/api/<int:id>" {
		t.Errorf("Lookup gives %v", route)
	}
	if route := app.Lookup("nobody"); route != nil {
		t.Errorf("Lookup of nobody gives %v", route)
	}
}
