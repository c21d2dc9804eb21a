package ishaa_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// The most specific pattern wins, whatever the order of registration.
func TestPrecedenceIgnoresOrder(t *testing.T) {
	patterns := []string{
		"/x/static", "/x/<int:a>", "/x/<float:a>", "/x/<uuid:a>", "/x/<slug:a>", "/x/<hex:a>", `/x/<re("[a-z.]+"):a>`,
		"/x/<a>", "/x/<path:a>", "/x/<int:a>/y", "/x/<a>/y", "/x/<path:a>",
	}
	patterns = slices.Compact(slices.Sorted(slices.Values(patterns)))
	want := map[string]string{
		"/x/static": "/x/static",
		"/x/12":     "/x/<int:a>",
		"/x/1.5":    "/x/<float:a>",
		"/x/6ba7b810-9dad-11d1-80b4-00c04fd430c8": "/x/<uuid:a>",
		"/x/some_slug": "/x/<slug:a>",
		"/x/#beef":     "/x/<hex:a>",
		"/x/a.b":       `/x/<re("[a-z.]+"):a>`,
		"/x/A.B":       "/x/<a>",
		"/x/A.B/c":     "/x/<path:a>",
		"/x/12/y":      "/x/<int:a>/y",
		"/x/zz/y":      "/x/<a>/y",
		"/x/12/z":      "/x/<path:a>",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 20 {
		app := newApp(t)
		app.Converter("hex", 5, func(s string) bool { return strings.HasPrefix(s, "#") })
		for _, pattern := range patterns {
			app.Get(pattern, func(r *ishaa.Request) (any, error) { return ishaa.Text(r.Route().Pattern()), nil })
		}
		for path, pattern := range want {
			res := do(t, app, "GET", strings.ReplaceAll(path, "#", "%23"))
			if res.body != pattern {
				t.Fatalf("round %d, order %q: %s is answered by %q, want %q", round, patterns, path, res.body, pattern)
			}
		}
		random.Shuffle(len(patterns), func(i, j int) { patterns[i], patterns[j] = patterns[j], patterns[i] })
	}
}

// here matches a place in this file, as messages name it.
var here = regexp.MustCompile(`conflict_test\.go:[0-9]+`)

// Two routes that a request could both get stop the program with both places.
func TestConflictsNameBothPlaces(t *testing.T) {
	cases := []struct {
		name     string
		register func(app *ishaa.App)
		says     []string
	}{
		{"the same pattern", func(app *ishaa.App) {
			app.Get("/a/<x>", echo)
			app.Get("/a/<y>", echo)
		}, []string{`route "/a/<y>"`, "GET /a/<x>", "same requests"}},
		{"the same pattern written otherwise", func(app *ishaa.App) {
			app.Get("/caf%C3%A9", echo)
			app.Get("/café", echo)
		}, []string{"same requests"}},
		{"one method of several", func(app *ishaa.App) {
			app.Post("/a", echo)
			app.Route("/a", echo, ishaa.Methods("PUT", "POST"))
		}, []string{"POST /a"}},
		{"Any twice", func(app *ishaa.App) {
			app.Any("/a", echo)
			app.Any("/a", echo)
		}, []string{"same requests"}},
		{"two expressions", func(app *ishaa.App) {
			app.Get(`/a/<re("[a-z]+"):x>`, echo)
			app.Get(`/a/<re("[a-f]+"):x>`, echo)
		}, []string{"equally specific", "rank"}},
		{"two converters of one rank", func(app *ishaa.App) {
			app.Converter("odd", 1, func(string) bool { return true })
			app.Converter("even", 1, func(string) bool { return true })
			app.Get("/a/<odd:x>", echo)
			app.Get("/a/<even:x>", echo)
		}, []string{"equally specific", "different ranks"}},
		{"a blueprint and the application", func(app *ishaa.App) {
			api := ishaa.NewBlueprint("api", "/api")
			api.Get("/users", echo)
			app.Get("/api/users", echo)
			app.Register(api)
		}, []string{`Register("api")`, `route "/users" from`, "same requests"}},
		{"two mounts", func(app *ishaa.App) {
			app.Mount("/a/", http.NotFoundHandler())
			app.Mount("/a/", http.NotFoundHandler())
		}, []string{`mount "/a/"`, "same requests"}},
		{"the same host and pattern", func(app *ishaa.App) {
			app.Get("/a", echo, ishaa.Host("a.example"))
			app.Get("/a", echo, ishaa.Host("a.example"))
		}, []string{"a.example/a", "same requests"}},
		{"hosts of which neither is more specific", func(app *ishaa.App) {
			app.Get("/a", echo, ishaa.Host("<x>.b.example"))
			app.Get("/a", echo, ishaa.Host("a.<y>.example"))
		}, []string{"<x>.b.example", "a.<y>.example", "neither is more specific"}},
		{"a name", func(app *ishaa.App) {
			app.Get("/a", echo, ishaa.Name("a"))
			app.Get("/b", echo, ishaa.Name("a"))
		}, []string{`the name "a" is taken`}},
		{"a variant and a route that is none", func(app *ishaa.App) {
			app.Get("/a", echo, ishaa.Variant("reality", "one"))
			app.Get("/a", echo)
		}, []string{"variant groups differ"}},
		{"two variants of one name", func(app *ishaa.App) {
			app.Get("/a", echo, ishaa.Variant("reality", "one"))
			app.Get("/a", echo, ishaa.Variant("reality", "one"))
		}, []string{`variant "one"`, "already registered"}},
		{"two selectors", func(app *ishaa.App) {
			first := ishaa.SelectorFunc(func(*ishaa.Request, *ishaa.Route) int { return 0 })
			app.Get("/a", echo, ishaa.Variant("reality", "one"), ishaa.SelectBy(first))
			app.Get("/a", echo, ishaa.Variant("reality", "two"), ishaa.SelectBy(first))
		}, []string{"already has a selector"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			app := newApp(t)
			message := recovered(t, func() { c.register(app) })
			places := here.FindAllString(message, -1)
			if len(slices.Compact(slices.Sorted(slices.Values(places)))) < 2 {
				t.Errorf("the message names %q, want two places:\n%s", places, message)
			}
			for _, part := range c.says {
				if !strings.Contains(message, part) {
					t.Errorf("the message does not say %q:\n%s", part, message)
				}
			}
		})
	}
}

// What looks like a conflict and is none.
func TestNoConflict(t *testing.T) {
	app := newApp(t)
	app.Converter("low", 1, func(s string) bool { return s == "both" || s == "low" })
	app.Converter("high", 2, func(s string) bool { return s == "both" || s == "high" })
	app.Get("/a/<low:x>", text("low"))
	app.Get("/a/<high:x>", text("high"))
	app.Get(`/b/<re("[a-z]+"):x>`, text("get"))
	app.Post(`/b/<re("[a-f]+"):x>`, text("post"))
	app.Any("/c", text("any"))
	app.Get("/c", text("get"))
	app.Get("/d", text("none"))
	app.Get("/d/", text("slash"))
	app.Mount("/e/", http.NotFoundHandler())
	app.Get("/e/f", text("route"))
	app.Get("/f", text("anywhere"))
	app.Get("/f", text("a.b"), ishaa.Host("a.b.example"))
	app.Get("/f", text("x.b"), ishaa.Host("<x>.b.example"))
	for _, c := range []struct{ method, target, host, body string }{
		{"GET", "/a/both", "", "high"},
		{"GET", "/a/low", "", "low"},
		{"POST", "/b/abc", "", "post"},
		{"GET", "/c", "", "get"},
		{"PUT", "/c", "", "any"},
		{"HEAD", "/c", "", ""},
		{"GET", "/d/", "", "slash"},
		{"GET", "/e/f", "", "route"},
		{"GET", "/f", "a.b.example", "a.b"},
		{"GET", "/f", "c.b.example", "x.b"},
		{"GET", "/f", "b.example", "anywhere"},
	} {
		host := c.host
		if host == "" {
			host = "app.test"
		}
		do(t, app, c.method, c.target, withHost(host)).wantBody(t, 200, c.body)
	}
}

// A mistake at registration stops the program where it was made, and says what
// to write instead.
func TestRegistrationErrors(t *testing.T) {
	hook := func(*ishaa.Request) (any, error) { return nil, nil }
	cases := []struct {
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
			app.Before(hook)
		}, "has started"},
		{"Use after the start", func(app *ishaa.App) {
			start(app)
			app.Use(ishaa.Middleware{Before: hook})
		}, "has started"},
		{"Without after the start", func(app *ishaa.App) {
			start(app)
			app.Without(ishaa.DefaultCSRF)
		}, "has started"},
	}
	for _, c := range cases {
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

type customerID int

func (id customerID) Format(fmt.State, rune) { panic("URL does not format") }

func TestURL(t *testing.T) {
	app := newApp(t)
	app.Get("/", echo, ishaa.Name("index"))
	app.Get("/users/<int:id>", echo, ishaa.Name("user"))
	app.Get("/files/<path:p>", echo, ishaa.Name("files"))
	app.Get("/tags/<tag>/", echo, ishaa.Name("tag"))
	app.Get("/when/<at>", echo, ishaa.Name("when"))
	app.Get("/u/<uuid:u>", echo, ishaa.Name("uuid"))
	app.Get("/home", echo, ishaa.Name("home"), ishaa.Host("<tenant>.example.com"))
	app.Mount("/m/", http.NotFoundHandler(), ishaa.Name("mount"))
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	var nowhere *url.URL
	cases := []struct {
		name  string
		pairs []any
		want  string // or a part of the error's text
	}{
		{"index", nil, "/"},
		{"user", []any{"id", 7}, "/users/7"},
		{"user", []any{"id", int64(-7)}, "/users/-7"},
		{"user", []any{"id", customerID(7)}, "/users/7"},
		{"user", []any{"id", "7"}, "/users/7"},
		{"user", []any{"id", 7, "page", 2, "q", "a b&c"}, "/users/7?page=2&q=a+b%26c"},
		{"user", []any{"id", 7, "all", true, "f", 0.5, "f32", float32(0.1)}, "/users/7?all=true&f=0.5&f32=0.1"},
		{"files", []any{"p", "a/b c/d%e"}, "/files/a/b%20c/d%25e"},
		{"tag", []any{"tag", "a/b?c#d"}, "/tags/a%2Fb%3Fc%23d/"},
		{"tag", []any{"tag", "日本"}, "/tags/%E6%97%A5%E6%9C%AC/"},
		{"tag", []any{"tag", `\evil`}, "/tags/%5Cevil/"},
		{"when", []any{"at", at}, "/when/2026-01-02T03:04:05.000000006Z"},
		{"when", []any{"at", 90 * time.Second}, "/when/1m30s"},
		{"uuid", []any{"u", [16]byte{0x6b, 0xa7}}, "/u/6ba70000-0000-0000-0000-000000000000"},
		{"home", []any{"tenant", "Acme"}, "//acme.example.com/home"},

		{"usr", nil, `no route named "usr"; did you mean "user"?`},
		{"user", nil, `no value for the parameter "id"`},
		{"user", []any{"id"}, "give name, value pairs"},
		{"user", []any{7, "id"}, "where a parameter's name is expected"},
		{"user", []any{"id", "seven"}, "not accepted by its converter int"},
		{"user", []any{"id", []int{7}}, "cannot stand in a URL"},
		{"user", []any{"id", nil}, "cannot stand in a URL"},
		{"user", []any{"id", nowhere}, "nil *url.URL"},
		{"tag", []any{"tag", ""}, "is empty"},
		{"tag", []any{"tag", ".."}, "which clients resolve"},
		{"tag", []any{"tag", "a\x00"}, "NUL"},
		{"files", []any{"p", "../etc/passwd"}, "which clients resolve"},
		{"files", []any{"p", "/etc/passwd"}, "relative path"},
		{"home", nil, `"tenant" of the host is missing`},
		{"home", []any{"tenant", "evil.example/"}, "cannot be one label of a host"},
		{"mount", nil, "no single address"},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.name, " ", strings.TrimPrefix(c.want, "/")), func(t *testing.T) {
			got, err := app.URL(c.name, c.pairs...)
			switch isURL := strings.HasPrefix(c.want, "/"); {
			case isURL && (err != nil || got != c.want):
				t.Errorf("URL is %q, %v, want %q", got, err, c.want)
			case !isURL && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("URL is %q, %v, want an error with %q", got, err, c.want)
			}
		})
	}
}

// What URL builds leads back to the route, with the same values.
func TestURLRoundTrip(t *testing.T) {
	app := newApp(t)
	var got [2]string
	app.Get("/a/<x>/<path:y>", func(r *ishaa.Request) (any, error) {
		got = [2]string{r.Param("x"), r.Param("y")}
		return nil, nil
	}, ishaa.Name("a"))
	random := rand.New(rand.NewPCG(3, 4))
	alphabet := []rune("abcXYZ019-._~!$&'()*+,;=:@%?#[]{}|\\^`\"<> /\t\n\r\u007f\u0080éß日本\U0001F600\u202e")
	word := func(not string) string {
		runes := make([]rune, 1+random.IntN(8))
		for i := range runes {
			runes[i] = alphabet[random.IntN(len(alphabet))]
			for strings.ContainsRune(not, runes[i]) {
				runes[i] = alphabet[random.IntN(len(alphabet))]
			}
		}
		if strings.Trim(string(runes), ".") == "" {
			return "x" + string(runes)
		}
		return string(runes)
	}
	s := serve(t, app)
	for range 300 {
		x, y := word(""), word(`\/`)+"/"+word(`\/`)
		target, err := app.URL("a", "x", x, "y", y)
		if err != nil {
			t.Fatalf("URL of %q and %q: %v", x, y, err)
		}
		if res := s.rawRequest("GET", target, "app.test"); res.status != 204 || got != [2]string{x, y} {
			t.Fatalf("%q and %q became %s, which gave %q and\n%s", x, y, target, got, res)
		}
	}
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

// A guard on a prefix cannot be got round by another spelling of the path, and
// what is served beside it does not reach behind it.
func TestProtectedPrefix(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{"admin/secret.txt": "SECRET", "public/index.txt": "public", "a b.txt": "space"} {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc", filepath.Join(folder, "etc")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()

	app := newApp(t)
	files := func(prefix string) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) { return ishaa.FileFS(root.FS(), prefix+r.Param("p")), nil }
	}
	admin := ishaa.NewBlueprint("admin", "/admin")
	admin.Before(func(r *ishaa.Request) (any, error) {
		if r.Header("Authorization") != "Basic YWRtaW46YWRtaW4=" {
			return nil, ishaa.Unauthorized("sign in").WithHeader("WWW-Authenticate", "Basic")
		}
		return nil, nil
	})
	admin.Get("/<path:p>", files("admin/"))
	app.Register(admin)
	app.Get("/<path:p>", files(""))
	s := serve(t, app)

	s.rawRequest("GET", "/public/index.txt", "app.test").wantBody(t, 200, "public")
	s.rawRequest("GET", "/a%20b.txt", "app.test").wantBody(t, 200, "space")
	s.raw("GET", "GET /admin/secret.txt HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n").wantBody(t, 200, "SECRET")
	s.rawRequest("GET", "/admin/secret.txt", "app.test").wantProblem(t, 401, "").wantHeader(t, "WWW-Authenticate", "Basic")

	targets := []string{
		"/admin%2Fsecret.txt", "/admin%2fsecret.txt", "/admin%5Csecret.txt", `/admin\secret.txt`,
		"/public%2F..%2Fadmin%2Fsecret.txt", "/public/../admin/secret.txt", "/public/%2e%2e/admin/secret.txt",
		"/public/..%2Fadmin/secret.txt", "/public/..%5cadmin/secret.txt", `/public/..\admin\secret.txt`,
		"/admin%252Fsecret.txt", "/admin%25252Fsecret.txt", "//admin/secret.txt", "///admin/secret.txt", "/./admin/secret.txt",
		"/admin/./secret.txt", "/admin//secret.txt", "/%2e/admin/secret.txt", "/ADMIN/secret.txt", "/Admin/secret.txt",
		"/%61dmin/secret.txt", "/%61%64%6d%69%6e%2Fsecret.txt", "/admin%2Fsecret.txt|", "/admin%2Fsecret.txt\"", "/admin%2Fsecret.txté",
		"/admin/secret.txt%0a", "/admin%0a/secret.txt", "/admin%00/secret.txt", "/admin;/secret.txt", "/admin/secret.txt;x=1",
		"/admin%09/secret.txt", "/admin%20/secret.txt", "/admin./secret.txt", "/admin::$DATA/secret.txt", "/admin%c0%afsecret.txt",
		"/admin%e2%81%84secret.txt", "/admin%ef%bc%8fsecret.txt", "/.%00./admin/secret.txt", "/x/..;/admin/secret.txt",
		"http://app.test/admin/secret.txt", "http://app.test//admin/secret.txt", "http://admin/secret.txt",
		"/etc/passwd", "/etc%2Fpasswd", "/../etc/passwd", "/%2e%2e/etc/passwd", "/etc/../etc/passwd",
		"/admin", "/admin/", "/admin?p=secret.txt", "/", "/public", "/public/",
	}
	for _, target := range targets {
		for _, method := range []string{"GET", "HEAD", "POST", "get"} {
			res := s.rawRequest(method, target, "app.test")
			allowed := []int{400, 401, 403, 404, 405}
			if !slices.Contains(allowed, res.status) || strings.Contains(res.body, "SECRET") || strings.Contains(res.body, "root:") {
				t.Errorf("%s %q:\n%s", method, target, res)
			}
		}
	}
}
