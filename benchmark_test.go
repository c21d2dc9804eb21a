package ishaa_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// discard is a writer that costs nothing, made once for many answers.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header               { return d.header }
func (d *discard) Write(p []byte) (int, error)       { return len(p), nil }
func (d *discard) WriteString(s string) (int, error) { return len(s), nil }
func (d *discard) WriteHeader(int)                   {}

// hello is a value that is made once: turning a string into an any allocates.
var (
	hello     any = "Hello, World!"
	helloText any = ishaa.Text("Hello, World!")
)

// helloApp has the smallest routes there are, with or without the secure defaults.
func helloApp(t testing.TB, without ...string) *ishaa.App {
	app := newApp(t)
	app.Without(without...)
	app.Get("/", func(*ishaa.Request) (any, error) { return hello, nil })
	app.Get("/text", func(*ishaa.Request) (any, error) { return helloText, nil })
	app.Get("/users/<int:id>/posts/<slug:post>", func(r *ishaa.Request) (any, error) {
		if r.ParamInt("id") != 7 || r.Query("q") != "1" {
			return nil, errBroken
		}
		return hello, nil
	})
	return app
}

var allDefaults = []string{
	ishaa.DefaultRecover, ishaa.DefaultRequestID, ishaa.DefaultAccessLog,
	ishaa.DefaultSecurityHeaders, ishaa.DefaultCSRF, ishaa.DefaultBodyLimit,
}

// The framework's own share of a request is one allocation: the Request.
func TestServeHTTPAllocatesOnce(t *testing.T) {
	for name, without := range map[string][]string{
		"without defaults": allDefaults,
		"with recovery":    allDefaults[1:],
	} {
		app := helloApp(t, without...)
		for _, target := range []string{"/", "/text", "/users/7/posts/first?q=1"} {
			raw := httptest.NewRequest("GET", target, nil)
			w := &discard{http.Header{}}
			allocs := testing.AllocsPerRun(1000, func() { app.ServeHTTP(w, raw) })
			if allocs > 1 {
				t.Errorf("%s: ServeHTTP of %s allocates %v times", name, target, allocs)
			}
		}
	}
}

func BenchmarkPlainText(b *testing.B) {
	for _, c := range []struct {
		name, target string
		without      []string
	}{
		{"no defaults", "/", allDefaults},
		{"no defaults, *Response", "/text", allDefaults},
		{"no defaults, parameters", "/users/7/posts/first?q=1", allDefaults},
		{"defaults, no access log", "/", []string{ishaa.DefaultAccessLog}},
		{"defaults", "/", nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			app := helloApp(b, c.without...)
			raw := httptest.NewRequest("GET", c.target, nil)
			w := &discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				app.ServeHTTP(w, raw)
			}
		})
	}
}

func BenchmarkJSON(b *testing.B) {
	app := newApp(b)
	app.Without(allDefaults...)
	value := any(&point{1, 2})
	app.Get("/", func(*ishaa.Request) (any, error) { return value, nil })
	raw := httptest.NewRequest("GET", "/", nil)
	w := &discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		app.ServeHTTP(w, raw)
	}
}
