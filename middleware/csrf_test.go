package middleware_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

func csrfApp(t testing.TB, options middleware.CSRFOptions, more ...ishaa.Middleware) *ishaa.App {
	app, _ := newApp(t, ishaa.Config{Secret: "an application's secret of 32 bytes"})
	app.Use(middleware.CSRF(options))
	app.Use(more...)
	app.Any("/<path:rest>", text("done"))
	app.Any("/", text("done"))
	return app
}

// The cases of net/http's own tests of CrossOriginProtection, whose decision this
// is, in our words. Requests go to https://example.com/.
func TestCSRFDecidesAsNetHTTP(t *testing.T) {
	app := csrfApp(t, middleware.CSRFOptions{TrustedOrigins: []string{"https://trusted.example"}})
	for _, c := range []struct {
		name, method, site, origin string
		status                     int
	}{
		{"the page's own origin", "POST", "same-origin", "", 200},
		{"the user himself", "POST", "none", "", 200},
		{"another site", "POST", "cross-site", "", 403},
		{"a sibling subdomain", "POST", "same-site", "", 403},
		{"a value nobody knows", "POST", "galaxy", "", 403},

		{"no browser", "POST", "", "", 200},
		{"an old browser, its own origin", "POST", "", "https://example.com", 200},
		{"an old browser, another origin", "POST", "", "https://attacker.example", 403},
		{"an old browser, the opaque origin", "POST", "", "null", 403},
		{"an old browser, the name in front", "POST", "", "https://example.com.attacker.example", 403},
		{"an old browser, another port", "POST", "", "https://example.com:8443", 403},
		{"plain HTTP on a site of TLS", "POST", "", "http://example.com", 403},

		{"GET changes nothing", "GET", "cross-site", "https://attacker.example", 200},
		{"HEAD changes nothing", "HEAD", "cross-site", "", 200},
		{"OPTIONS changes nothing", "OPTIONS", "cross-site", "", 200},
		{"PUT", "PUT", "cross-site", "", 403},
		{"PATCH", "PATCH", "cross-site", "", 403},
		{"DELETE", "DELETE", "cross-site", "", 403},
		{"a method of one's own", "PURGE", "cross-site", "", 403},

		{"a trusted origin, old browser", "POST", "", "https://trusted.example", 200},
		{"a trusted origin across sites", "POST", "cross-site", "https://trusted.example", 200},
		{"another origin, old browser", "POST", "", "https://attacker.example", 403},
		{"another origin across sites", "POST", "cross-site", "https://attacker.example", 403},
		{"a trusted name by plain HTTP", "POST", "cross-site", "http://trusted.example", 403},
		{"a trusted name on another port", "POST", "cross-site", "https://trusted.example:8443", 403},
		{"a subdomain of a trusted one", "POST", "cross-site", "https://a.trusted.example", 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			var headers []string
			if c.site != "" {
				headers = append(headers, "Sec-Fetch-Site: "+c.site)
			}
			if c.origin != "" {
				headers = append(headers, "Origin: "+c.origin)
			}
			wantStatus(t, do(app, c.method, "https://example.com/", headers...), c.status)
		})
	}
	t.Run("a header given twice", func(t *testing.T) {
		wantStatus(t, do(app, "POST", "https://example.com/", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"), 403)
	})
}

// net/http exempts patterns; here a path is exempt as it stands, byte for byte,
// so each of its cases that came through by another spelling is refused.
func TestCSRFExemptPaths(t *testing.T) {
	app := csrfApp(t, middleware.CSRFOptions{ExemptPaths: []string{"/bypass/", "/hook", "/a/b"}})
	for _, c := range []struct {
		path   string
		status int
	}{
		{"/bypass/", 200}, {"/hook", 200}, {"/a/b", 200},
		{"/", 403}, {"/bypass", 403}, {"/hook/", 403}, {"/api/", 403},
		{"/bypass/bar", 403}, {"/foo/../bypass/", 403}, {"/bypass/../api", 403},
		{"/hook%2F", 403}, {"/%68ook", 403}, {"/a%2Fb", 403}, {"//hook", 403}, {"/./hook", 403}, {"/HOOK", 403},
	} {
		for _, site := range []string{"", "Sec-Fetch-Site: cross-site"} {
			headers := []string{"Origin: https://attacker.example"}
			if site != "" {
				headers = append(headers, site)
			}
			t.Run(c.path+" "+site, func(t *testing.T) {
				wantStatus(t, do(app, "POST", "https://example.com"+c.path, headers...), c.status)
			})
		}
	}
	t.Run("the path is exempt for every method", func(t *testing.T) {
		wantStatus(t, do(app, "PUT", "https://example.com/hook", "Sec-Fetch-Site: cross-site"), 200)
	})
}

func TestCSRFRefusesMistakes(t *testing.T) {
	for _, origin := range []string{"example.com", "https://", "https://example.com/", "https://example.com/path",
		"https://example.com?query=value", "https://example.com#fragment", "https://ex ample.com", "", "null",
		"https://*.example.com", "https://Example.com", "https://me@example.com"} {
		t.Run("origin "+origin, func(t *testing.T) {
			wantMistake(t, "trusted origin", func() { middleware.CSRF(middleware.CSRFOptions{TrustedOrigins: []string{origin}}) })
		})
	}
	for _, origin := range []string{"https://example.com", "https://example.com:8080", "http://example.com"} {
		middleware.CSRF(middleware.CSRFOptions{TrustedOrigins: []string{origin}})
	}
	for _, path := range []string{"", "hook", "/hook/{id}", "/hook/*", "/a//b", "/a/../b", "/%68ook"} {
		t.Run("path "+path, func(t *testing.T) {
			wantMistake(t, "exempt", func() { middleware.CSRF(middleware.CSRFOptions{ExemptPaths: []string{path}}) })
		})
	}
	wantMistake(t, "at least 32", func() {
		middleware.CSRF(middleware.CSRFOptions{Tokens: &middleware.CSRFTokens{Secret: []byte("short")}})
	})
}

// The refusal is an answer like any other: it can be told apart and replaced.
func TestCSRFRefusalIsAProblem(t *testing.T) {
	app := csrfApp(t, middleware.CSRFOptions{})
	w := do(app, "POST", "https://example.com/", "Sec-Fetch-Site: cross-site")
	wantStatus(t, w, 403)
	wantHeader(t, w.Header(), "Content-Type", "application/problem+json")

	custom, _ := newApp(t)
	custom.Use(middleware.CSRF(middleware.CSRFOptions{}))
	custom.OnStatus(403, func(*ishaa.Request, error) (any, error) {
		return ishaa.Text("custom error").WithStatus(http.StatusTeapot), nil
	})
	custom.Post("/", text("done"))
	w = do(custom, "POST", "https://example.com/", "Sec-Fetch-Site: cross-site")
	wantStatus(t, w, http.StatusTeapot)
	wantStatus(t, do(custom, "POST", "https://example.com/"), 200)
}

func TestCSRFProbe(t *testing.T) {
	m := middleware.CSRF(middleware.CSRFOptions{})
	if !m.Commutes || m.Probe == nil || m.Name != ishaa.DefaultCSRF {
		t.Fatalf("%+v", m)
	}
	app, _ := newApp(t)
	var refuses bool
	app.Without(ishaa.DefaultCSRF)
	app.Use(ishaa.Middleware{Name: "asks", Before: func(r *ishaa.Request) (any, error) { refuses = m.Probe(r); return nil, nil }})
	app.Any("/", text("done"))
	for site, want := range map[string]bool{"cross-site": true, "same-origin": false} {
		do(app, "POST", "https://example.com/", "Sec-Fetch-Site: "+site)
		if refuses != want {
			t.Errorf("the probe of %s says %v", site, refuses)
		}
	}
}

// Origins that CORS names may write, with the default in force as with CSRF of this
// package.
func TestCSRFTrustsTheOriginsOfCORS(t *testing.T) {
	const other = "https://attacker.example"
	named := middleware.CORS(middleware.CORSOptions{Origins: []string{shop}})
	withCookies := middleware.CORS(middleware.CORSOptions{Origins: []string{shop, "https://*.example.org"}, Credentials: true})
	anyone := middleware.CORS(middleware.CORSOptions{Origins: []string{"*"}})
	for _, c := range []struct {
		name   string
		cors   ishaa.Middleware
		origin string
		header string
		status int
	}{
		{"a named origin", named, shop, "", 200},
		{"another", named, other, "", 403},
		{"a named origin with cookies that it may not use", named, shop, "Cookie: session=1", 403},
		{"with Basic authorization, which browsers add", named, shop, "Authorization: Basic eDp5", 403},
		{"with a bearer token, which scripts add", named, shop, "Authorization: Bearer x", 200},
		{"cookies that it may use", withCookies, shop, "Cookie: session=1", 200},
		{"by a pattern", withCookies, "https://a.example.org", "Cookie: session=1", 200},
		{"not by a pattern", withCookies, other, "Cookie: session=1", 403},
		{"everybody is nobody", anyone, other, "", 403},
		{"the opaque origin", anyone, "null", "", 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := []string{"Sec-Fetch-Site: cross-site", "Origin: " + c.origin}
			if c.header != "" {
				headers = append(headers, c.header)
			}
			byDefault, _ := newApp(t)
			byDefault.Use(c.cors)
			byDefault.Post("/", text("done"))
			for name, app := range map[string]*ishaa.App{"CSRF": csrfApp(t, middleware.CSRFOptions{}, c.cors), "default": byDefault} {
				if w := do(app, "POST", "https://example.com/", headers...); w.Code != c.status {
					t.Errorf("%s: status %d, want %d: %s", name, w.Code, c.status, w.Body)
				}
			}
		})
	}
	t.Run("only on the routes that have it", func(t *testing.T) {
		for _, use := range [][]ishaa.Middleware{nil, {middleware.CSRF(middleware.CSRFOptions{})}} {
			app, _ := newApp(t)
			app.Use(use...)
			app.Post("/open", text("done"), withCookies)
			app.Post("/closed", text("done"))
			api := ishaa.NewBlueprint("api", "/api", withCookies)
			api.Post("/open", text("done"))
			app.Register(api)
			for path, status := range map[string]int{"/open": 200, "/api/open": 200, "/closed": 403} {
				wantStatus(t, do(app, "POST", "https://example.com"+path, "Sec-Fetch-Site: cross-site", "Origin: "+shop), status)
			}
		}
	})
	t.Run("a function of the program's own", func(t *testing.T) {
		app, _ := newApp(t)
		app.Use(middleware.CORS(middleware.CORSOptions{AllowOrigin: func(_ *ishaa.Request, origin string) bool { return origin == shop || origin == "null" }}))
		app.Post("/", text("done"))
		for origin, status := range map[string]int{shop: 200, other: 403, "null": 403} {
			wantStatus(t, do(app, "POST", "https://example.com/", "Sec-Fetch-Site: cross-site", "Origin: "+origin), status)
		}
	})
	t.Run("middleware of another name", func(t *testing.T) {
		partner := ishaa.Middleware{Name: "partners", Trusts: func(r *ishaa.Request) bool { return r.Header("X-Partner") == "yes" }}
		app := csrfApp(t, middleware.CSRFOptions{}, partner)
		wantStatus(t, do(app, "POST", "https://example.com/", "Sec-Fetch-Site: cross-site", "Origin: "+other, "X-Partner: yes"), 200)
		wantStatus(t, do(app, "POST", "https://example.com/", "Sec-Fetch-Site: cross-site", "Origin: "+other), 403)
	})
	t.Run("tokens are not asked for then", func(t *testing.T) {
		app := csrfApp(t, middleware.CSRFOptions{Tokens: &middleware.CSRFTokens{}}, withCookies)
		wantStatus(t, do(app, "POST", "https://example.com/", "Sec-Fetch-Site: cross-site", "Origin: "+shop), 200)
	})
}

func TestCSRFInParallel(t *testing.T) {
	app := csrfApp(t, middleware.CSRFOptions{TrustedOrigins: []string{"https://trusted.example"}})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			origin, want := "https://trusted.example", 200
			if i%2 == 0 {
				origin, want = "https://attacker.example", 403
			}
			for range 50 {
				if w := do(app, "POST", "https://example.com/", "Sec-Fetch-Site: cross-site", "Origin: "+origin); w.Code != want {
					t.Errorf("%s: %d", origin, w.Code)
				}
			}
		})
	}
	wg.Wait()
}

// tokenApp has a page that gives a token and a form that wants one. The session
// of the tests is the cookie "session".
func tokenApp(t testing.TB, sessions bool) *ishaa.App {
	tokens := &middleware.CSRFTokens{}
	if sessions {
		tokens.Session = func(r *ishaa.Request) string { id, _ := r.Cookie("session"); return id }
	}
	app, _ := newApp(t, ishaa.Config{Secret: "an application's secret of 32 bytes"})
	app.Use(middleware.CSRF(middleware.CSRFOptions{ExemptPaths: []string{"/hook"}, Tokens: tokens}))
	app.Get("/page", func(r *ishaa.Request) (any, error) {
		first, err := middleware.CSRFToken(r)
		if err != nil {
			return nil, err
		}
		second, err := middleware.CSRFToken(r)
		return ishaa.Text(first + " " + second), err
	})
	app.Post("/save", func(r *ishaa.Request) (any, error) {
		if strings.HasPrefix(r.ContentType(), "multipart/") {
			form, err := r.Form()
			if err != nil {
				return nil, err
			}
			return ishaa.Text("saved " + form.Value("name")), nil
		}
		data, err := r.Bytes()
		return ishaa.Text("saved " + string(data)), err
	})
	app.Post("/hook", text("done"))
	return app
}

// tokenOf loads the page and returns a token and the cookies to go with it.
func tokenOf(t testing.TB, app *ishaa.App, cookies ...string) (token string, cookie string) {
	t.Helper()
	var headers []string
	if len(cookies) > 0 {
		headers = append(headers, "Cookie: "+strings.Join(cookies, "; "))
	}
	w := do(app, "GET", "https://example.com/page", headers...)
	wantStatus(t, w, 200)
	first, second, _ := strings.Cut(w.Body.String(), " ")
	if first == second {
		t.Error("two tokens of a page are equal")
	}
	for _, c := range w.Result().Cookies() {
		if !c.HttpOnly || !c.Secure || c.Path != "/" || !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("the cookie is %v", c)
		}
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	return second, "Cookie: " + strings.Join(cookies, "; ")
}

func TestCSRFTokens(t *testing.T) {
	bound, double := tokenApp(t, true), tokenApp(t, false)
	const asForm = "Content-Type: application/x-www-form-urlencoded"
	post := func(app *ishaa.App, path, body string, headers ...string) *httptest.ResponseRecorder {
		return doBody(app, "POST", "https://example.com"+path, body, headers...)
	}
	for name, app := range map[string]*ishaa.App{"session": bound, "double submit": double} {
		t.Run(name, func(t *testing.T) {
			token, cookie := tokenOf(t, app, "session=alice")
			t.Run("in the header", func(t *testing.T) {
				wantStatus(t, post(app, "/save", "x", cookie, "X-CSRF-Token: "+token), 200)
			})
			t.Run("in the form, whose bytes stay readable", func(t *testing.T) {
				w := post(app, "/save", "name=x&csrf_token="+url.QueryEscape(token), cookie, asForm)
				wantStatus(t, w, 200)
				if !strings.HasPrefix(w.Body.String(), "saved name=x") {
					t.Errorf("the handler read %q", w.Body)
				}
			})
			t.Run("in a multipart form", func(t *testing.T) {
				var body bytes.Buffer
				form := multipart.NewWriter(&body)
				_ = form.WriteField("csrf_token", token)
				_ = form.WriteField("name", "ada")
				_ = form.Close()
				w := post(app, "/save", body.String(), cookie, "Content-Type: "+form.FormDataContentType())
				wantStatus(t, w, 200)
				if w.Body.String() != "saved ada" {
					t.Errorf("the handler read %q", w.Body)
				}
			})
			t.Run("again and again", func(t *testing.T) {
				for range 3 {
					wantStatus(t, post(app, "/save", "x", cookie, "X-CSRF-Token: "+token), 200)
				}
			})
			raw, _ := base64.RawURLEncoding.DecodeString(token)
			changed := func(i int) string {
				other := bytes.Clone(raw)
				other[i] ^= 1
				return "X-CSRF-Token: " + base64.RawURLEncoding.EncodeToString(other)
			}
			for reason, headers := range map[string][]string{
				"none":                 {cookie},
				"empty":                {cookie, "X-CSRF-Token: "},
				"not base 64":          {cookie, "X-CSRF-Token: %%%"},
				"short":                {cookie, "X-CSRF-Token: " + token[:20]},
				"long":                 {cookie, "X-CSRF-Token: " + token + "AAAA"},
				"another nonce":        {cookie, changed(0)},
				"another signature":    {cookie, changed(len(raw) - 1)},
				"without the cookies":  {"X-CSRF-Token: " + token},
				"of another visitor":   {"Cookie: session=bob; __Host-csrf=something", "X-CSRF-Token: " + token},
				"cookie as the token":  {"Cookie: session=bob; __Host-csrf=" + token, "X-CSRF-Token: " + token},
				"in the query":         {cookie, "X-Query: 1"},
				"in a body of no form": {cookie, "Content-Type: text/plain"},
			} {
				t.Run("refused: "+reason, func(t *testing.T) {
					path := "/save"
					if reason == "in the query" {
						path += "?csrf_token=" + url.QueryEscape(token)
					}
					wantStatus(t, post(app, path, "csrf_token="+url.QueryEscape(token), headers...), 403)
				})
			}
		})
	}
	t.Run("a session's token does not do for its name in the cookie", func(t *testing.T) {
		token, _ := tokenOf(t, bound, "session=alice")
		wantStatus(t, post(double, "/save", "x", "Cookie: __Host-csrf=alice", "X-CSRF-Token: "+token), 403)
	})
	t.Run("a visitor without a session gets the cookie", func(t *testing.T) {
		token, cookie := tokenOf(t, bound)
		wantStatus(t, post(bound, "/save", "x", cookie, "X-CSRF-Token: "+token), 200)
		wantStatus(t, post(bound, "/save", "x", cookie+"; session=alice", "X-CSRF-Token: "+token), 403)
	})
	t.Run("who sends Fetch metadata or Origin needs none", func(t *testing.T) {
		wantStatus(t, post(bound, "/save", "x", "Sec-Fetch-Site: same-origin"), 200)
		wantStatus(t, post(bound, "/save", "x", "Origin: https://example.com"), 200)
		wantStatus(t, post(bound, "/save", "x", "Sec-Fetch-Site: cross-site"), 403)
	})
	t.Run("a token does not make up for another origin", func(t *testing.T) {
		token, cookie := tokenOf(t, bound, "session=alice")
		wantStatus(t, post(bound, "/save", "x", cookie, "X-CSRF-Token: "+token, "Sec-Fetch-Site: cross-site"), 403)
	})
	t.Run("bearer tokens, exempt paths and safe methods need none", func(t *testing.T) {
		wantStatus(t, post(bound, "/save", "x", "Authorization: Bearer abc"), 200)
		wantStatus(t, post(bound, "/save", "x", "Authorization: Basic abc"), 403)
		wantStatus(t, post(bound, "/hook", "x"), 200)
		wantStatus(t, do(bound, "GET", "https://example.com/page"), 200)
	})
	t.Run("by plain HTTP the cookie has another name", func(t *testing.T) {
		w := do(double, "GET", "http://example.com/page")
		wantStatus(t, w, 200)
		if c := w.Result().Cookies(); len(c) != 1 || c[0].Name != "csrf" || c[0].Secure {
			t.Errorf("cookies %v", c)
		}
	})
}

func TestCSRFTokenNeedsItsMiddlewareAndASecret(t *testing.T) {
	for name, options := range map[string]*middleware.CSRFOptions{
		"no middleware": nil, "no tokens": {}, "no secret": {Tokens: &middleware.CSRFTokens{}},
	} {
		t.Run(name, func(t *testing.T) {
			app, _ := newApp(t)
			if options != nil {
				app.Use(middleware.CSRF(*options))
			}
			var err error
			app.Get("/", func(r *ishaa.Request) (any, error) { _, err = middleware.CSRFToken(r); return "", nil })
			do(app, "GET", "/")
			if err == nil {
				t.Error("no error")
			}
		})
	}
	a := csrfApp(t, middleware.CSRFOptions{Tokens: &middleware.CSRFTokens{Secret: bytes.Repeat([]byte{1}, 32)}})
	wantStatus(t, doBody(a, "POST", "https://example.com/", strings.Repeat("x", 10), "X-CSRF-Token: AAAA"), 403)
}

func FuzzCSRFToken(f *testing.F) {
	f.Add("AAAA", "csrf=1")
	f.Add(strings.Repeat("A", 64), "csrf=AAAAAAAAAAAAAAAAAAAAAAAA")
	app := tokenApp(f, false)
	f.Fuzz(func(t *testing.T, token, cookie string) {
		r := httptest.NewRequest("POST", "https://example.com/save", nil)
		r.Header["X-Csrf-Token"] = []string{token}
		r.Header["Cookie"] = []string{cookie}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code != 403 {
			t.Fatalf("token %q with cookie %q is answered by %d", token, cookie, w.Code)
		}
	})
}

func ExampleCSRF() {
	app := ishaa.New("shop", ishaa.Config{Secret: "change me: at least 32 bytes long"})
	app.Use(middleware.CSRF(middleware.CSRFOptions{
		TrustedOrigins: []string{"https://admin.example.com"},
		ExemptPaths:    []string{"/hooks/payment"},
	}))
	app.Post("/orders", func(*ishaa.Request) (any, error) { return ishaa.NoContent, nil })

	w := do(app, "POST", "/orders", "Sec-Fetch-Site: cross-site", "Origin: https://evil.example")
	fmt.Println(w.Code)
	w = do(app, "POST", "/orders", "Sec-Fetch-Site: cross-site", "Origin: https://admin.example.com")
	fmt.Println(w.Code)
	// Output:
	// 403
	// 204
}
