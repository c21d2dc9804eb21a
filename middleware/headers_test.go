package middleware_test

import (
	"crypto/tls"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

func headersOf(t *testing.T, options middleware.SecurityHeaderOptions, handler ishaa.Handler, onTLS bool) *httptest.ResponseRecorder {
	t.Helper()
	app, _ := newApp(t)
	app.Use(middleware.SecurityHeaders(options))
	app.Get("/", handler)
	r := httptest.NewRequest("GET", "/", nil)
	if onTLS {
		r.TLS = &tls.ConnectionState{}
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

func TestSecurityHeaders(t *testing.T) {
	const nosniff = "X-Content-Type-Options"
	t.Run("the zero value is the default", func(t *testing.T) {
		app, _ := newApp(t)
		app.Get("/", text("x"))
		want, got := do(app, "GET", "/").Header(), headersOf(t, middleware.SecurityHeaderOptions{}, text("x"), false).Header()
		for name := range want {
			if name != "X-Request-Id" {
				wantHeader(t, got, name, want.Values(name)...)
			}
		}
	})
	for _, c := range []struct {
		name    string
		options middleware.SecurityHeaderOptions
		tls     bool
		want    map[string]string
	}{
		{"TLS", middleware.SecurityHeaderOptions{}, true, map[string]string{"Strict-Transport-Security": "max-age=63072000"}},
		{"no TLS", middleware.SecurityHeaderOptions{}, false, map[string]string{"Strict-Transport-Security": ""}},
		{"HSTS of one's own", middleware.SecurityHeaderOptions{HSTS: "max-age=1; includeSubDomains"}, true, map[string]string{"Strict-Transport-Security": "max-age=1; includeSubDomains"}},
		{"HSTS off", middleware.SecurityHeaderOptions{HSTS: middleware.HeaderOff}, true, map[string]string{"Strict-Transport-Security": ""}},
		{"a policy", middleware.SecurityHeaderOptions{CSP: "default-src 'none'"}, false, map[string]string{"Content-Security-Policy": "default-src 'none'"}},
		{"no policy", middleware.SecurityHeaderOptions{CSP: middleware.HeaderOff}, false, map[string]string{"Content-Security-Policy": "", nosniff: "nosniff"}},
		{"a policy on trial", middleware.SecurityHeaderOptions{CSPReportOnly: "default-src 'none'; report-to x"}, false, map[string]string{"Content-Security-Policy-Report-Only": "default-src 'none'; report-to x"}},
		{"others", middleware.SecurityHeaderOptions{ReferrerPolicy: "no-referrer", OpenerPolicy: middleware.HeaderOff, Extra: map[string]string{"Permissions-Policy": "camera=()"}}, false,
			map[string]string{"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "", "Permissions-Policy": "camera=()"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := headersOf(t, c.options, text("x"), c.tls)
			for name, value := range c.want {
				if got := w.Header().Get(name); got != value {
					t.Errorf("%s is %q, want %q", name, got, value)
				}
			}
		})
	}
	t.Run("on errors, and the handler's own stay", func(t *testing.T) {
		w := headersOf(t, middleware.SecurityHeaderOptions{}, func(r *ishaa.Request) (any, error) {
			r.Response().Header().Set("Referrer-Policy", "origin")
			return nil, ishaa.NotFound("no")
		}, false)
		wantHeader(t, w.Header(), nosniff, "nosniff")
		wantHeader(t, w.Header(), "Referrer-Policy", "origin")
	})
}

func TestNonce(t *testing.T) {
	seen := map[string]bool{}
	page := func(r *ishaa.Request) (any, error) {
		nonce := middleware.Nonce(r)
		if nonce != middleware.Nonce(r) || len(nonce) < 22 || seen[nonce] {
			t.Errorf("the nonce %q is short, changes or was given before", nonce)
		}
		seen[nonce] = true
		return ishaa.Text(nonce), nil
	}
	for _, c := range []struct {
		name, policy string
		want         []string // with N for the nonce
		no           string
	}{
		{"the default", "", []string{"script-src 'self' 'nonce-N'", "style-src 'self' 'nonce-N'"}, "unsafe"},
		{"a policy of one's own", "default-src 'self'; script-src 'none'", []string{"script-src 'nonce-N'", "style-src 'self' 'nonce-N'"}, "'none'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := headersOf(t, middleware.SecurityHeaderOptions{CSP: c.policy, CSPReportOnly: "default-src 'self'"}, page, false)
			policy := w.Header().Get("Content-Security-Policy")
			for _, want := range c.want {
				if want = strings.ReplaceAll(want, "N", w.Body.String()); !strings.Contains(policy, want) {
					t.Errorf("the policy is %q, want %q", policy, want)
				}
			}
			if c.policy != "" && strings.Contains(policy, c.no) {
				t.Errorf("the policy is %q", policy)
			}
			if trial := w.Header().Get("Content-Security-Policy-Report-Only"); !strings.Contains(trial, "'nonce-"+w.Body.String()) {
				t.Errorf("the policy on trial is %q", trial)
			}
		})
	}
	t.Run("a page that asks for none", func(t *testing.T) {
		w := headersOf(t, middleware.SecurityHeaderOptions{}, text("x"), false)
		if strings.Contains(w.Header().Get("Content-Security-Policy"), "nonce") {
			t.Error("there is one")
		}
	})
	t.Run("a policy of the handler's own stays", func(t *testing.T) {
		w := headersOf(t, middleware.SecurityHeaderOptions{}, func(r *ishaa.Request) (any, error) {
			r.Response().Header().Set("Content-Security-Policy", "default-src 'none'")
			return page(r)
		}, false)
		wantHeader(t, w.Header(), "Content-Security-Policy", "default-src 'none'")
	})
}

func TestSecurityHeadersRefuseMistakes(t *testing.T) {
	for want, options := range map[string]middleware.SecurityHeaderOptions{
		"'self'":       {CSP: "default-src self"},
		"occurs twice": {CSP: "img-src 'self'; img-src *"},
		"no policy":    {CSP: " ; "},
		"report":       {CSPReportOnly: "report_to x"},
		"not a header": {ReferrerPolicy: "a\r\nb"},
		"not the name": {Extra: map[string]string{"a b": "c"}},
	} {
		wantMistake(t, "SecurityHeaders", func() { middleware.SecurityHeaders(options) })
		if text := panicText(t, func() { middleware.SecurityHeaders(options) }); !strings.Contains(text, want) {
			t.Errorf("the panic is %q, want %q", text, want)
		}
	}
}

func ExampleNonce() {
	app := ishaa.New("shop")
	app.Use(middleware.SecurityHeaders(middleware.SecurityHeaderOptions{HSTS: "max-age=63072000; includeSubDomains"}))
	app.Get("/", func(r *ishaa.Request) (any, error) {
		return ishaa.HTMLf(`<script nonce="%s">hello()</script>`, middleware.Nonce(r)), nil
	})

	w := do(app, "GET", "/")
	_, nonce, _ := strings.Cut(w.Body.String(), `nonce="`)
	nonce, _, _ = strings.Cut(nonce, `"`)
	fmt.Println(strings.Contains(w.Header().Get("Content-Security-Policy"), "'nonce-"+nonce+"'"))
	// Output: true
}
