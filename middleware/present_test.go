package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

// Middleware does not look for a header that nobody can have set. Whoever can, in whatever way, is seen.
func TestHeadersThatAreThereStay(t *testing.T) {
	const (
		policy  = "Content-Security-Policy"
		allowed = "Access-Control-Allow-Origin"
		own     = "default-src 'none'"
	)
	security := func(options middleware.SecurityHeaderOptions) ishaa.Middleware {
		return middleware.SecurityHeaders(options)
	}
	cors := middleware.CORS(middleware.CORSOptions{Origins: []string{shop}, AllowOrigin: func(r *ishaa.Request, _ string) bool {
		r.Response().Header().Set("Referrer-Policy", "origin")
		return true
	}})
	set := func(header http.Header) { header.Set(policy, own) }
	before := ishaa.Middleware{Name: "before", Before: func(r *ishaa.Request) (any, error) { set(r.Response().Header()); return nil, nil }}
	after := ishaa.Middleware{Name: "after", After: func(_ *ishaa.Request, res *ishaa.Response) error { set(res.Header()); return nil }}
	outside := ishaa.Std(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { set(w.Header()); next.ServeHTTP(w, r) })
	})
	plain := text("x")
	for _, c := range []struct {
		name    string
		use     []ishaa.Middleware
		handler ishaa.Handler
		route   []ishaa.RouteOption
		header  string
		want    []string
	}{
		{"nobody", nil, plain, nil, "X-Content-Type-Options", []string{"nosniff"}},
		{"a Before hook", []ishaa.Middleware{before}, plain, nil, policy, []string{own}},
		{"an After hook", []ishaa.Middleware{after}, plain, nil, policy, []string{own}},
		{"net/http middleware around the application", []ishaa.Middleware{outside}, plain, nil, policy, []string{own}},
		{"net/http middleware on the route", nil, plain, []ishaa.RouteOption{outside}, policy, []string{own}},
		{"the handler", nil, func(r *ishaa.Request) (any, error) { set(r.Response().Header()); return "x", nil }, nil, policy, []string{own}},
		{"the handler's own answer", nil, func(*ishaa.Request) (any, error) { return ishaa.Text("x").WithHeader(policy, own), nil }, nil, policy, []string{own}},
		{"a value that was rendered", nil, func(r *ishaa.Request) (any, error) { return r.Render(ishaa.Text("x").WithHeader(policy, own)) }, nil, policy, []string{own}},
		{"a problem", nil, func(*ishaa.Request) (any, error) { return nil, ishaa.Gone("x").WithHeader(policy, own) }, nil, policy, []string{own}},
		{"security headers of the route", nil, plain, []ishaa.RouteOption{security(middleware.SecurityHeaderOptions{CSP: own})}, policy, []string{own}},
		{"security headers that leave one out", nil, plain, []ishaa.RouteOption{security(middleware.SecurityHeaderOptions{ReferrerPolicy: "no-referrer"})}, "Referrer-Policy", []string{"no-referrer"}},
		{"CORS of the route", []ishaa.Middleware{cors}, plain, []ishaa.RouteOption{middleware.CORS(middleware.CORSOptions{Origins: []string{"*"}})}, allowed, []string{"*"}},
		{"a function that CORS asks", []ishaa.Middleware{cors}, plain, nil, "Referrer-Policy", []string{"origin"}},
		{"Vary of the answer", []ishaa.Middleware{cors}, func(r *ishaa.Request) (any, error) { r.Accepts("text/plain"); return "x", nil }, nil, "Vary", []string{"Accept", "Origin"}},
		{"Vary among the security headers", []ishaa.Middleware{cors}, plain, []ishaa.RouteOption{security(middleware.SecurityHeaderOptions{Extra: map[string]string{"Vary": "Accept"}})}, "Vary", []string{"Accept", "Origin"}},
		{"a type among the security headers", nil, plain, []ishaa.RouteOption{security(middleware.SecurityHeaderOptions{Extra: map[string]string{"Content-Type": "text/odd"}})}, "Content-Type", []string{"text/plain; charset=utf-8"}},
		{"an extra security header", nil, plain, []ishaa.RouteOption{security(middleware.SecurityHeaderOptions{Extra: map[string]string{"X-Frame-Options": "DENY"}})}, "X-Frame-Options", []string{"DENY"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, defaults := range []bool{true, false} {
				app, _ := newApp(t)
				app.Use(c.use...)
				if !defaults {
					app.Use(middleware.SecurityHeaders(middleware.SecurityHeaderOptions{}))
				}
				app.Get("/", c.handler, c.route...)
				r := httptest.NewRequest("GET", "/", nil)
				r.Header.Set("Origin", "https://other.example")
				w := httptest.NewRecorder()
				app.ServeHTTP(w, r)
				wantHeader(t, w.Header(), c.header, c.want...)
			}
		})
	}
}

// A cookie that anybody set is Secure over TLS.
func TestCookiesAreSeen(t *testing.T) {
	for name, use := range map[string]ishaa.RouteOption{
		"a hook": ishaa.Middleware{After: func(_ *ishaa.Request, res *ishaa.Response) error {
			res.SetCookie(&http.Cookie{Name: "a", Value: "b"})
			return nil
		}},
		"security headers": middleware.SecurityHeaders(middleware.SecurityHeaderOptions{Extra: map[string]string{"Set-Cookie": "a=b"}}),
	} {
		app, _ := newApp(t)
		app.Get("/", text("x"), use)
		r := httptest.NewRequest("GET", "https://test.example/", nil)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if cookies := w.Result().Cookies(); len(cookies) != 1 || !cookies[0].Secure {
			t.Errorf("%s: %v", name, w.Header())
		}
	}
}
