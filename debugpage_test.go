package ishaa_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// debugApp runs in debug mode and has routes that go wrong.
func debugApp(t *testing.T) *ishaa.App {
	t.Helper()
	app := newApp(t, ishaa.Config{Debug: true})
	app.Get("/panic/<name>", func(r *ishaa.Request) (any, error) {
		panic("<script>alert('" + r.Param("name") + "')</script>") // the line that the page shows
	})
	app.Get("/nil", func(*ishaa.Request) (any, error) {
		var p *point
		return p.X, nil
	})
	app.Get("/error", fails(fmt.Errorf("outer <b>: %w", errBroken)))
	return app
}

// local is how a browser on this machine asks.
func local(more ...requestOption) []requestOption {
	return append([]requestOption{withHost("localhost:8000"), withPeer("127.0.0.1:4711"), withHeader("Accept", "text/html")}, more...)
}

func TestDebugPage(t *testing.T) {
	app := debugApp(t)
	res := do(t, app, "GET", "/panic/x?password=hunter2", local(
		withHeader("Authorization", "Bearer hidden-1"), withHeader("Cookie", "session=hidden-2"), withHeader("X-Api-Key", "hidden-3"),
		withHeader("X-Auth-Token", "hidden-4"), withHeader("Proxy-Authorization", "hidden-5"), withHeader("X-Shown", "<i>shown</i>"))...).want(t, 500)
	res.wantHeader(t, "Content-Type", typeHTML).wantHeader(t, "Cache-Control", "no-store").wantHeader(t, "X-Content-Type-Options", "nosniff")
	if policy := res.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("the page's policy is %q", policy)
	}
	for _, want := range []string{
		"500 Internal Server Error", "panic: &lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;",
		"/panic/&lt;name&gt;", "debugpage_test.go:", "// the line that the page shows", "<mark>", "X-Shown", "&lt;i&gt;shown&lt;/i&gt;", "(hidden)",
	} {
		if !strings.Contains(res.body, want) {
			t.Errorf("the page does not have %q:\n%s", want, res.body)
		}
	}
	for _, never := range []string{"hidden-", "hunter2", "<script>", "<i>"} {
		if strings.Contains(res.body, never) {
			t.Errorf("the page has %q:\n%s", never, res.body)
		}
	}
	for path, want := range map[string]string{
		"/nil":   "nil pointer dereference",
		"/error": "outer &lt;b&gt;: the database password",
		"/none":  "no route matches",
	} {
		if res := do(t, app, "GET", path, local()...); !strings.Contains(res.body, want) || !strings.Contains(res.body, "debug mode is on") {
			t.Errorf("%s: the page does not have %q:\n%s", path, want, res.body)
		}
	}
}

func TestDebugPageIsForThisMachineOnly(t *testing.T) {
	app := debugApp(t)
	for name, options := range map[string][]requestOption{
		"another host's name":         {withHost("shop.example")},
		"a name pointed at 127.0.0.1": {withHost("evil.example:8000")},
		"a name that begins like it":  {withHost("localhost.evil.example")},
		"a peer elsewhere":            {withPeer("203.0.113.7:1")},
		"no peer":                     {withPeer("@")},
		"behind a proxy here":         {withHeader("X-Forwarded-For", "203.0.113.7")},
		"behind another proxy here":   {withHeader("Forwarded", "for=203.0.113.7")},
		"behind a cache here":         {withHeader("Via", "1.1 cache")},
		"behind a third proxy here":   {withHeader("X-Real-IP", "203.0.113.7")},
		"who asks for JSON":           {func(r *http.Request) { r.Header.Set("Accept", "application/json") }},
	} {
		for _, path := range []string{"/panic/x", "/error"} {
			res := do(t, app, "GET", path, local(options...)...).want(t, 500)
			if strings.Contains(res.body, "debugpage_test") || strings.Contains(res.body, "hunter2") || strings.Contains(res.body, "alert") {
				t.Errorf("%s sees %s", name, res)
			}
		}
	}
	for _, host := range []string{"127.0.0.1", "[::1]:8000", "shop.localhost"} {
		if res := do(t, app, "GET", "/error", local(withHost(host))...); !strings.Contains(res.body, "hunter2") {
			t.Errorf("as %s there is no debug page: %s", host, res)
		}
	}
	production := newApp(t)
	production.Get("/", fails(errors.New("secret-detail-42")))
	if res := do(t, production, "GET", "/", local()...).want(t, 500); strings.Contains(res.body, "secret-detail-42") {
		t.Errorf("without debug mode: %s", res)
	}
}
