package sare

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

// keyAttempts are about requests that look alike.
func keyAttempts() []attempt {
	query := says(func(r *ishaa.Request) string { return fmt.Sprintf("%q", r.Query("q")) })
	host := says(func(r *ishaa.Request) string { return r.Host() })
	return []attempt{
		{"a parameter of the query", query, gets("/x?q=1", "/x?q=2"), 2},
		{"absent and empty", query, gets("/x", "/x?q=", "/x?q"), 1},
		{"repeated parameters", says(func(r *ishaa.Request) string { return fmt.Sprint(r.QueryValues()["q"]) }), gets("/x?q=1&q=2", "/x?q=2&q=1", "/x?q=1", "/x?q=2"), 3},
		{"cloaking by a semicolon", query, gets("/x?a=1;q=evil", "/x?a=1&q=evil", "/x?q=good;q=evil", "/x?q=good"), 1},
		{"an escaped name", query, gets("/x?%71=evil", "/x?q=good", "/x?q=evil"), 1},
		{"the case of a name", query, gets("/x?Q=evil", "/x?q=good"), 1},
		{"a plus and a space", query, gets("/x?q=a+b", "/x?q=a%2Bb", "/x?q=a%20b"), 1},
		{"a malformed escape", query, gets("/x?q=%zz", "/x?q=1&a=%zz", "/x?q=1"), 1},
		{"the order of a query that is read whole", says(func(r *ishaa.Request) string { return r.URL().RawQuery }), gets("/x?a=1&b=2", "/x?b=2&a=1"), 2},
		{"X-Forwarded-Host from anybody", host, []func() *http.Request{from("203.0.113.1:1", "/x", "X-Forwarded-Host", "evil.example"), from("203.0.113.1:1", "/x")}, 1},
		{"X-Forwarded-Host from the proxy", host,
			[]func() *http.Request{from("192.0.2.1:1", "/x", "X-Forwarded-Host", "evil.example"), from("192.0.2.1:1", "/x", "X-Forwarded-Host", "good.example")}, 1},
		{"X-Forwarded-Proto", says(func(r *ishaa.Request) string { return r.Scheme() }),
			[]func() *http.Request{from("192.0.2.1:1", "/x", "X-Forwarded-Proto", "https"), from("192.0.2.1:1", "/x")}, 1},
		{"an unkeyed header in a link", says(func(r *ishaa.Request) string { return "https://" + r.Header("X-Original-Host") + "/" }), twice("X-Original-Host", "evil.example", "good.example"), 2},
		{"X-HTTP-Method-Override", says(func(r *ishaa.Request) string { return r.Header("X-Http-Method-Override") }), twice("X-Http-Method-Override", "DELETE", ""), 2},
		{"a header that occurs twice", says(func(r *ishaa.Request) string { return fmt.Sprint(r.HeaderValues("X-A")) }),
			[]func() *http.Request{request("GET", "/x", "X-A", "1", "X-A", "2"), request("GET", "/x", "X-A", "2", "X-A", "1"), request("GET", "/x", "X-A", "1, 2")}, 3},
		{"Accept", at(func(r *ishaa.Request) (any, error) {
			if strings.Contains(r.Header("Accept"), "html") {
				return "<p>page</p>", nil
			}
			return map[string]int{"a": 1}, nil
		}), twice("Accept", "text/html", "application/json"), 2},
		{"a language that is read late", says(func(r *ishaa.Request) string {
			if r.Query("lang") != "" {
				return r.Query("lang")
			}
			return r.Header("Accept-Language")
		}), []func() *http.Request{request("GET", "/x?lang=de"), request("GET", "/x", "Accept-Language", "en"), request("GET", "/x", "Accept-Language", "fr")}, 2},
		{"HEAD after GET where the method is read", says(func(r *ishaa.Request) string { return r.Method() + " of all" }), []func() *http.Request{request("GET", "/x"), request("HEAD", "/x")}, 1},
		{"GET after HEAD", says(func(*ishaa.Request) string { return "the same" }), []func() *http.Request{request("HEAD", "/x"), request("GET", "/x")}, 1},
		{"POST to what GET answers", func(app *ishaa.App) {
			n := 0
			app.Any("/x", func(*ishaa.Request) (any, error) { n++; return ishaa.Text(fmt.Sprint("answer ", n)), nil })
		}, []func() *http.Request{request("POST", "/x"), request("POST", "/x"), request("DELETE", "/x")}, -1},
		{"a path with an escaped slash", func(app *ishaa.App) {
			app.Get("/x/<a>/<path:b>", func(r *ishaa.Request) (any, error) { return ishaa.Text(r.Param("a") + " and " + r.Param("b")), nil })
		}, gets("/x/1%2F2/3", "/x/1/2/3"), 2},
		{"a path with dots", func(app *ishaa.App) {
			app.Get("/x/<path:a>", func(r *ishaa.Request) (any, error) { return ishaa.Text(r.Path()), nil })
		}, gets("/x/a/%2e%2e/b", "/x/b", "/x/a%2Fb", "/x/a/b"), 2},
		{"routes by host", func(app *ishaa.App) {
			app.Get("/x", func(r *ishaa.Request) (any, error) { return ishaa.Text("tenant " + r.Param("tenant")), nil }, ishaa.Host("<tenant>.example"))
			app.Get("/x", func(*ishaa.Request) (any, error) { return ishaa.Text("nobody's"), nil })
		}, gets("http://a.example/x", "http://b.example/x", "http://other.test/x"), 2},
		{"a raw handler that is declared", at(func(r *ishaa.Request) (any, error) {
			raw := r.HTTP()
			return ishaa.Text(raw.Method + raw.URL.String() + raw.Header.Get("X-Theme")), nil
		}, Vary("X-Theme")), append(twice("X-Theme", "dark", "light"), gets("/x?a=1", "/x?a=2")...), 4},
	}
}

// inputAttempts are about what a request asks of caches, its body, and how much is read.
func inputAttempts() []attempt {
	theme := says(func(r *ishaa.Request) string { return "theme " + r.Header("X-Theme") })
	return []attempt{
		{"Range", says(func(*ishaa.Request) string { return "0123456789" }), twice("Range", "bytes=0-1", "bytes=2-3"), -1},
		{"Range that the handler serves", says(func(r *ishaa.Request) string { return "part " + r.Header("Range") }), append(twice("Range", "bytes=0-1", "bytes=2-3"), gets("/x")...), 1},
		{"no-store of the request", theme, twice("Cache-Control", "no-store", "no-store"), -1},
		{"no-cache of the request", theme, twice("Cache-Control", "no-cache", "max-age=0"), -1},
		{"a fat GET", at(func(r *ishaa.Request) (any, error) { text, err := r.Text(); return ishaa.Text("body " + text), err }),
			[]func() *http.Request{withBody("text/plain", "evil"), withBody("text/plain", "good"), request("GET", "/x")}, -1},
		{"a fat GET with a form", at(func(r *ishaa.Request) (any, error) {
			form, err := r.Form()
			if err != nil {
				return nil, err
			}
			return ishaa.Text("name " + form.Value("name")), nil
		}), []func() *http.Request{withBody("application/x-www-form-urlencoded", "name=evil"), withBody("application/x-www-form-urlencoded", "name=good")}, -1},
		{"a condition that the handler answers", at(func(r *ishaa.Request) (any, error) {
			if r.Header("If-None-Match") == `"1"` {
				return ishaa.Text("").WithStatus(304), nil
			}
			return ishaa.Text("whole").WithHeader("Etag", `"1"`), nil
		}), append(twice("If-None-Match", `"1"`, `"2"`), gets("/x")...), 2},
		{"compression", func(app *ishaa.App) {
			app.Use(middleware.Compress(middleware.CompressOptions{}))
			says(func(*ishaa.Request) string { return strings.Repeat("again and again ", 500) })(app)
		}, append(twice("Accept-Encoding", "gzip", "identity"), gets("/x")...), 3},
		{"CORS", func(app *ishaa.App) {
			app.Use(middleware.CORS(middleware.CORSOptions{Origins: []string{"https://a.example", "https://b.example"}}))
			says(func(*ishaa.Request) string { return "shared" })(app)
		}, append(twice("Origin", "https://a.example", "https://b.example"), twice("Origin", "https://evil.example", "null")...), 3},
		{"more inputs than are kept", says(func(r *ishaa.Request) (all string) {
			for i := range 12 {
				all += r.Query(fmt.Sprint("q", i))
			}
			return "all " + all
		}), gets("/x?q11=evil", "/x?q11=good"), -1},
		{"an input that is too long", says(func(r *ishaa.Request) string { return r.Query("q") }), gets("/x?q="+strings.Repeat("a", 300), "/x?q="+strings.Repeat("a", 299)+"b"), -1},
		{"inputs that goroutines read", says(func(r *ishaa.Request) string {
			var wg sync.WaitGroup
			ctx := r.Context()
			wg.Go(func() { ctx.Value(attemptContextKey{}) })
			wg.Wait()
			return "theme " + r.Header("X-Theme")
		}), twice("X-Theme", "dark", "light"), 2},
		{"a typed handler by its inputs", func(app *ishaa.App) {
			ishaa.Get(app, "/x", func(_ context.Context, in *struct {
				Page  int    `query:"page" default:"1"`
				Theme string `header:"X-Theme"`
			}) (map[string]any, error) {
				return map[string]any{"page": in.Page, "theme": in.Theme}, nil
			})
		}, append(twice("X-Theme", "dark", "light"), gets("/x?page=2", "/x?page=3", "/x?page=1")...), 4},
	}
}
