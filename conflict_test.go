package ishaa_test

import (
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

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

// here matches a place in the tests of registration, as messages name it.
var here = regexp.MustCompile(`(conflict|registration)_test\.go:[0-9]+`)
var conflicts = []struct {
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

// Two routes that a request could both get stop the program with both places.
func TestConflictsNameBothPlaces(t *testing.T) {
	for _, c := range conflicts {
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
