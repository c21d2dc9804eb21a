package cache_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/template"
)

// What a template reads of the request counts like what the handler reads.
func TestCachedPages(t *testing.T) {
	clock := ishaatest.NewClock(noon)
	c := newCache(t, nil, clock)
	app := newApp(t, clock)
	app.Use(signedIn)
	app.Install(template.New(fstest.MapFS{
		"query.html": {Data: []byte(`{{ request.path }} {{ request.query("q") }}`)},
		"user.html":  {Data: []byte(`{{ user }}`)},
	}, template.Options{PerRequest: map[string]func(*ishaa.Request) any{"user": func(r *ishaa.Request) any { return userOf.Get(r) }}}))
	for _, name := range []string{"query", "user"} {
		app.Get("/"+name+"/<x>", func(*ishaa.Request) (any, error) { return template.Page(name+".html", nil), nil }, c.Cached(time.Hour))
	}
	for range 3 {
		for _, q := range []string{"1", "2"} {
			for _, x := range []string{"a", "b"} {
				if got, want := get(app, "/query/"+x+"?q="+q+"&r="+x), "/query/"+x+" "+q; got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
			if got := get(app, "/user/x", "Cookie: user="+q); got != q {
				t.Errorf("the user %q, want %q", got, q)
			}
		}
	}
	if w := ask(app, "GET", "/query/a?q=1"); w.Header().Get("Age") == "" {
		t.Error("a page is not kept")
	}
}
