package middleware_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

// page is a script on a page of some origin, in a browser that follows the Fetch
// standard (fetch.spec.whatwg.org, "HTTP-network-or-cache fetch", "CORS check",
// "CORS-preflight fetch").
type page struct {
	origin      string
	credentials bool // credentials mode "include"
}

// outcome of a fetch: blocked says at which check, "" when the script gets to read
// the answer.
type fetched struct {
	blocked   string
	preflight *httptest.ResponseRecorder // nil when none was needed
	answer    *httptest.ResponseRecorder
}

func (p page) fetch(app http.Handler, method, path string, headers ...string) fetched {
	switch upper := strings.ToUpper(method); upper {
	case "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT":
		method = upper // "normalize a method"; others keep their case
	}
	var f fetched
	unsafe := unsafeHeaders(headers)
	if !slices.Contains([]string{"GET", "HEAD", "POST"}, method) || len(unsafe) > 0 {
		ask := []string{"Origin: " + p.origin, "Access-Control-Request-Method: " + method}
		if len(unsafe) > 0 {
			ask = append(ask, "Access-Control-Request-Headers: "+strings.Join(unsafe, ","))
		}
		f.preflight = do(app, "OPTIONS", path, ask...)
		if f.blocked = p.checkPreflight(f.preflight, method, unsafe); f.blocked != "" {
			return f
		}
	}
	send := append([]string{"Origin: " + p.origin}, headers...)
	if p.credentials {
		send = append(send, "Cookie: session=1")
	}
	f.answer = do(app, method, path, send...)
	if !p.corsCheck(f.answer) {
		f.blocked = "answer"
	}
	return f
}

// unsafeHeaders are the names that are not CORS-safelisted, sorted in lower case.
func unsafeHeaders(headers []string) []string {
	var names []string
	for _, h := range headers {
		name, value, _ := strings.Cut(strings.ToLower(h), ": ")
		switch name {
		case "accept", "accept-language", "content-language":
			continue
		case "content-type":
			essence, _, _ := strings.Cut(value, ";")
			if slices.Contains([]string{"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}, essence) {
				continue
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (p page) corsCheck(w *httptest.ResponseRecorder) bool {
	allowed := strings.Join(w.Header().Values("Access-Control-Allow-Origin"), ", ")
	switch {
	case allowed == "":
		return false
	case !p.credentials && allowed == "*":
		return true
	case allowed != p.origin:
		return false
	case !p.credentials:
		return true
	}
	return strings.Join(w.Header().Values("Access-Control-Allow-Credentials"), ", ") == "true"
}

func (p page) checkPreflight(w *httptest.ResponseRecorder, method string, unsafe []string) string {
	if !p.corsCheck(w) {
		return "preflight"
	}
	if w.Code < 200 || w.Code > 299 {
		return "preflight status"
	}
	methods := listed(w, "Access-Control-Allow-Methods")
	if !slices.Contains(methods, method) && !slices.Contains([]string{"GET", "HEAD", "POST"}, method) &&
		(p.credentials || !slices.Contains(methods, "*")) {
		return "method"
	}
	names := listed(w, "Access-Control-Allow-Headers")
	for i := range names {
		names[i] = strings.ToLower(names[i])
	}
	for _, name := range unsafe {
		wildcard := !p.credentials && slices.Contains(names, "*") && name != "authorization"
		if !slices.Contains(names, name) && !wildcard {
			return "header"
		}
	}
	return ""
}

func listed(w *httptest.ResponseRecorder, name string) []string {
	var list []string
	for part := range strings.SplitSeq(strings.Join(w.Header().Values(name), ","), ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// reads reports whether the script may read a header of the answer.
func (p page) reads(w *httptest.ResponseRecorder, name string) bool {
	switch strings.ToLower(name) {
	case "cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma":
		return true
	}
	for _, exposed := range listed(w, "Access-Control-Expose-Headers") {
		if strings.EqualFold(exposed, name) || exposed == "*" && !p.credentials {
			return true
		}
	}
	return false
}

const (
	shop    = "https://shop.example.com"
	evil    = "https://evil.example"
	jsonIs  = "Content-Type: application/json"
	bearer  = "Authorization: Bearer x"
	special = "X-Special: 1"
)

func corsApp(t testing.TB, options middleware.CORSOptions) *ishaa.App {
	app, _ := newApp(t)
	app.Without(ishaa.DefaultCSRF) // a subject of its own
	app.Use(middleware.CORS(options))
	handler := func(r *ishaa.Request) (any, error) {
		return ishaa.JSON(r.Method()).WithHeader("X-Total", "3").WithHeader("X-Secret", "4"), nil
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		app.Route("/item", handler, ishaa.Methods(method))
	}
	app.Route("/purge", handler, ishaa.Methods("PURGE"))
	app.Get("/broken", func(*ishaa.Request) (any, error) { return nil, errors.New("broken") })
	app.Get("/panics", func(*ishaa.Request) (any, error) { panic("broken") })
	app.Get("/refused", func(*ishaa.Request) (any, error) { return nil, ishaa.Unauthorized("who are you?") })
	app.Options("/own", text("my own options"))
	return app
}

func TestCORSByTheFetchStandard(t *testing.T) {
	one := middleware.CORSOptions{Origins: []string{shop}}
	withCookies := middleware.CORSOptions{Origins: []string{shop, "https://*.example.org"}, Credentials: true}
	anyone := middleware.CORSOptions{Origins: []string{"*"}}
	wild := middleware.CORSOptions{Origins: []string{"*"}, Methods: []string{"*"}, Headers: []string{"*"}}
	wildAuth := middleware.CORSOptions{Origins: []string{"*"}, Headers: []string{"*", "Authorization"}}
	strict := middleware.CORSOptions{Origins: []string{shop}, Methods: []string{}, Headers: []string{}}
	subs := middleware.CORSOptions{Origins: []string{"https://*.example.com", "http://localhost:*", "https://api.example.net:8443", "https://*.corp.example:444"}}
	byFunc := middleware.CORSOptions{Origins: []string{shop}, AllowOrigin: func(_ *ishaa.Request, origin string) bool {
		return strings.HasPrefix(origin, "https://tenant-")
	}}
	purge := middleware.CORSOptions{Origins: []string{shop}, Methods: []string{"PURGE", "PATCH"}, Headers: []string{"X-Special"}}

	get := func(headers ...string) []string { return append([]string{"GET", "/item"}, headers...) }
	for _, c := range []struct {
		name    string
		options middleware.CORSOptions
		page    page
		request []string // method, path, headers
		blocked string
	}{
		{"a listed origin reads", one, page{shop, false}, get(), ""},
		{"another does not", one, page{evil, false}, get(), "answer"},
		{"nobody is listed", middleware.CORSOptions{}, page{shop, false}, get(), "answer"},
		{"the scheme counts", one, page{"http://shop.example.com", false}, get(), "answer"},
		{"the port counts", one, page{shop + ":8443", false}, get(), "answer"},
		{"a subdomain is another origin", one, page{"https://a.shop.example.com", false}, get(), "answer"},
		{"the parent is another origin", one, page{"https://example.com", false}, get(), "answer"},
		{"a longer name", one, page{shop + ".evil.example", false}, get(), "answer"},
		{"a name in front", one, page{"https://evil-shop.example.com", false}, get(), "answer"},
		{"a final dot is another host", one, page{shop + ".", false}, get(), "answer"},
		{"the opaque origin", one, page{"null", false}, get(), "answer"},
		{"an extension", one, page{"chrome-extension://abcdef", false}, get(), "answer"},

		{"everybody", anyone, page{evil, false}, get(), ""},
		{"everybody, the opaque origin too", anyone, page{"null", false}, get(), ""},
		{"everybody, but without cookies", anyone, page{evil, true}, get(), "answer"},
		{"everybody, a preflight with cookies", anyone, page{evil, true}, []string{"PUT", "/item"}, "preflight"},

		{"cookies for a listed origin", withCookies, page{shop, true}, get(), ""},
		{"and without them", withCookies, page{shop, false}, get(), ""},
		{"cookies for a pattern", withCookies, page{"https://a.example.org", true}, get(), ""},
		{"no cookies for others", withCookies, page{evil, true}, get(), "answer"},
		{"no cookies unless asked for", one, page{shop, true}, get(), "answer"},
		{"no cookies in a preflight either", one, page{shop, true}, []string{"DELETE", "/item"}, "preflight"},

		{"a subdomain by pattern", subs, page{"https://a.example.com", false}, get(), ""},
		{"a deep one", subs, page{"https://c.b.a.example.com", false}, get(), ""},
		{"with digits, a hyphen and an underscore", subs, page{"https://a-1_b.example.com", false}, get(), ""},
		{"the domain itself is none", subs, page{"https://example.com", false}, get(), "answer"},
		{"by another scheme", subs, page{"http://a.example.com", false}, get(), "answer"},
		{"on another port", subs, page{"https://a.example.com:8443", false}, get(), "answer"},
		{"a suffix without the dot", subs, page{"https://evilexample.com", false}, get(), "answer"},
		{"a suffix of another", subs, page{"https://a.example.com.evil.example", false}, get(), "answer"},
		{"an empty label", subs, page{"https://.example.com", false}, get(), "answer"},
		{"two dots", subs, page{"https://a..example.com", false}, get(), "answer"},
		{"a path in front", subs, page{"https://evil.example/.example.com", false}, get(), "answer"},
		{"a user in front", subs, page{"https://evil.example@a.example.com", false}, get(), "answer"},
		{"a port in front", subs, page{"https://evil.example:1.example.com", false}, get(), "answer"},
		{"a backslash in front", subs, page{`https://evil.example\.example.com`, false}, get(), "answer"},
		{"a fragment in front", subs, page{"https://evil.example#.example.com", false}, get(), "answer"},
		{"capitals, which no browser sends", subs, page{"https://A.example.com", false}, get(), "answer"},
		{"any port", subs, page{"http://localhost:5173", false}, get(), ""},
		{"any port, none", subs, page{"http://localhost", false}, get(), ""},
		{"any port, not a port", subs, page{"http://localhost:1.evil.example", false}, get(), "answer"},
		{"any port, no digits", subs, page{"http://localhost:", false}, get(), "answer"},
		{"any port, another host", subs, page{"http://localhost.evil.example:80", false}, get(), "answer"},
		{"an exact port", subs, page{"https://api.example.net:8443", false}, get(), ""},
		{"an exact port missing", subs, page{"https://api.example.net", false}, get(), "answer"},
		{"a subdomain on a port", subs, page{"https://x.corp.example:444", false}, get(), ""},
		{"a subdomain on another port", subs, page{"https://x.corp.example:4444", false}, get(), "answer"},

		{"by function", byFunc, page{"https://tenant-7.example", false}, get(), ""},
		{"by function, no", byFunc, page{evil, false}, get(), "answer"},
		{"listed beside a function", byFunc, page{shop, false}, get(), ""},

		{"simple POST of a form", one, page{shop, false}, []string{"POST", "/item", "Content-Type: text/plain"}, ""},
		{"HEAD", one, page{shop, false}, []string{"HEAD", "/item"}, ""},
		{"JSON needs a preflight", one, page{shop, false}, []string{"POST", "/item", jsonIs}, ""},
		{"Authorization needs one", one, page{shop, false}, get(bearer), ""},
		{"both", one, page{shop, false}, []string{"POST", "/item", bearer, jsonIs}, ""},
		{"PUT", one, page{shop, false}, []string{"PUT", "/item"}, ""},
		{"PATCH", one, page{shop, false}, []string{"PATCH", "/item", jsonIs}, ""},
		{"patch in lower case is another method", one, page{shop, false}, []string{"patch", "/item"}, "method"},
		{"delete in lower case is not", one, page{shop, false}, []string{"delete", "/item"}, ""},
		{"a method nobody listed", one, page{shop, false}, []string{"PURGE", "/purge"}, "method"},
		{"a header nobody listed", one, page{shop, false}, get(special), "header"},
		{"one of two headers listed", one, page{shop, false}, get(special, bearer), "header"},
		{"a preflight of another origin", one, page{evil, false}, []string{"PUT", "/item"}, "preflight"},

		{"own lists: method", purge, page{shop, false}, []string{"PURGE", "/purge"}, ""},
		{"own lists: header", purge, page{shop, false}, get(special), ""},
		{"own lists: header in capitals", purge, page{shop, false}, get("X-SPECIAL: 1"), ""},
		{"own lists: the default is gone", purge, page{shop, false}, []string{"PUT", "/item"}, "method"},
		{"own lists: the default header is gone", purge, page{shop, false}, get(bearer), "header"},
		{"empty lists: simple requests pass", strict, page{shop, false}, []string{"POST", "/item", "Content-Type: text/plain"}, ""},
		{"empty lists: methods do not", strict, page{shop, false}, []string{"DELETE", "/item"}, "method"},
		{"empty lists: headers do not", strict, page{shop, false}, []string{"POST", "/item", jsonIs}, "header"},

		{"any method", wild, page{evil, false}, []string{"PURGE", "/purge"}, ""},
		{"any header", wild, page{evil, false}, get(special, jsonIs), ""},
		{"any header is not Authorization", wild, page{evil, false}, get(bearer), "header"},
		{"Authorization beside any", wildAuth, page{evil, false}, get(bearer, special), ""},

		{"a path nobody has", one, page{shop, false}, []string{"GET", "/nothing"}, ""},
		{"a preflight on it", one, page{shop, false}, []string{"PUT", "/nothing"}, ""},
		{"a method the path does not have", one, page{shop, false}, []string{"PUT", "/broken"}, ""},
		{"an error", one, page{shop, false}, []string{"GET", "/broken"}, ""},
		{"a panic", one, page{shop, false}, []string{"GET", "/panics"}, ""},
		{"a refusal", one, page{shop, false}, []string{"GET", "/refused"}, ""},
		{"a preflight beside a handler of OPTIONS", one, page{shop, false}, []string{"PUT", "/own"}, ""},
		{"errors stay unread by others", one, page{evil, false}, []string{"GET", "/broken"}, "answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := corsApp(t, c.options)
			f := c.page.fetch(app, c.request[0], c.request[1], c.request[2:]...)
			if f.blocked != c.blocked {
				t.Fatalf("blocked at %q, want %q\npreflight %v\nanswer %v", f.blocked, c.blocked, headerOf(f.preflight), headerOf(f.answer))
			}
			for _, w := range []*httptest.ResponseRecorder{f.preflight, f.answer} {
				if w != nil {
					wantCORSInvariants(t, w, c.options)
				}
			}
		})
	}
}

func headerOf(w *httptest.ResponseRecorder) http.Header {
	if w == nil {
		return nil
	}
	return w.Header()
}

// wantCORSInvariants holds for every answer, whatever was asked.
func wantCORSInvariants(t *testing.T, w *httptest.ResponseRecorder, o middleware.CORSOptions) {
	t.Helper()
	header := w.Header()
	allowed := header.Values("Access-Control-Allow-Origin")
	if len(allowed) > 1 {
		t.Errorf("Access-Control-Allow-Origin is there %d times", len(allowed))
	}
	credentials := header.Get("Access-Control-Allow-Credentials")
	if len(allowed) == 1 && allowed[0] == "*" && credentials != "" || credentials != "" && (credentials != "true" || !o.Credentials) {
		t.Errorf("credentials %q for %q", credentials, allowed)
	}
	varies := slices.Contains(listed(w, "Vary"), "Origin")
	if everybody := slices.Contains(o.Origins, "*"); varies == everybody {
		t.Errorf("Vary is %q", header.Values("Vary"))
	}
	wantHeader(t, header, "Access-Control-Allow-Private-Network")
}

func TestCORSHeaders(t *testing.T) {
	full := middleware.CORSOptions{
		Origins: []string{shop}, Credentials: true, Expose: []string{"X-Total", "Link"}, MaxAge: time.Hour,
		Methods: []string{"PUT"}, Headers: []string{"X-Special", "X-Other"},
	}
	t.Run("a preflight", func(t *testing.T) {
		app := corsApp(t, full)
		w := do(app, "OPTIONS", "/item", "Origin: "+shop, "Access-Control-Request-Method: PUT",
			"Access-Control-Request-Headers: x-special", "Access-Control-Request-Private-Network: true")
		wantStatus(t, w, 204)
		wantHeader(t, w.Header(), "Access-Control-Allow-Origin", shop)
		wantHeader(t, w.Header(), "Access-Control-Allow-Credentials", "true")
		wantHeader(t, w.Header(), "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT")
		wantHeader(t, w.Header(), "Access-Control-Allow-Headers", "X-Special, X-Other")
		wantHeader(t, w.Header(), "Access-Control-Max-Age", "3600")
		wantHeader(t, w.Header(), "Access-Control-Expose-Headers")
		wantHeader(t, w.Header(), "Access-Control-Allow-Private-Network")
		wantHeader(t, w.Header(), "Vary", "Origin", "Access-Control-Request-Method")
	})
	t.Run("an answer", func(t *testing.T) {
		w := do(corsApp(t, full), "GET", "/item", "Origin: "+shop)
		wantHeader(t, w.Header(), "Access-Control-Expose-Headers", "X-Total, Link")
		wantHeader(t, w.Header(), "Access-Control-Allow-Methods")
		wantHeader(t, w.Header(), "Access-Control-Max-Age")
		wantHeader(t, w.Header(), "Vary", "Origin")
	})
	t.Run("no origin", func(t *testing.T) {
		w := do(corsApp(t, full), "GET", "/item")
		wantHeader(t, w.Header(), "Access-Control-Allow-Origin")
		wantHeader(t, w.Header(), "Vary", "Origin")
	})
	t.Run("a refused preflight says nothing", func(t *testing.T) {
		w := do(corsApp(t, full), "OPTIONS", "/item", "Origin: "+evil, "Access-Control-Request-Method: PUT")
		wantStatus(t, w, 204)
		for name := range w.Header() {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s is sent", name)
			}
		}
	})
	t.Run("OPTIONS that is no preflight", func(t *testing.T) {
		app := corsApp(t, full)
		w := do(app, "OPTIONS", "/own", "Origin: "+shop)
		wantStatus(t, w, 200)
		wantHeader(t, w.Header(), "Access-Control-Allow-Origin", shop)
		w = do(app, "OPTIONS", "/item")
		wantHeader(t, w.Header(), "Allow", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
	})
	for age, want := range map[time.Duration]string{0: "600", -1: "0", 90 * time.Second: "90", 1500 * time.Millisecond: "1"} {
		t.Run("max age "+age.String(), func(t *testing.T) {
			w := do(corsApp(t, middleware.CORSOptions{Origins: []string{shop}, MaxAge: age}), "OPTIONS", "/item",
				"Origin: "+shop, "Access-Control-Request-Method: PUT")
			wantHeader(t, w.Header(), "Access-Control-Max-Age", want)
		})
	}
	t.Run("what scripts may read", func(t *testing.T) {
		w := do(corsApp(t, full), "GET", "/item", "Origin: "+shop)
		reader := page{shop, true}
		if !reader.reads(w, "X-Total") || reader.reads(w, "X-Secret") || !reader.reads(w, "Content-Type") {
			t.Errorf("exposed: %q", w.Header().Values("Access-Control-Expose-Headers"))
		}
		open := do(corsApp(t, middleware.CORSOptions{Origins: []string{"*"}, Expose: []string{"*"}}), "GET", "/item", "Origin: "+evil)
		if !(page{evil, false}).reads(open, "X-Secret") {
			t.Error("* exposes nothing")
		}
	})
	t.Run("Vary of the handler stays", func(t *testing.T) {
		app, _ := newApp(t)
		app.Use(middleware.CORS(full))
		app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.Text("").WithHeader("Vary", "Accept, origin"), nil })
		app.Get("/other", func(*ishaa.Request) (any, error) { return ishaa.Text("").WithHeader("Vary", "Accept"), nil })
		wantHeader(t, do(app, "GET", "/").Header(), "Vary", "Accept, origin")
		wantHeader(t, do(app, "GET", "/other").Header(), "Vary", "Accept", "Origin")
		wantHeader(t, do(app, "GET", "/other").Header(), "Vary", "Accept", "Origin")
	})
	t.Run("the one closer to the handler wins", func(t *testing.T) {
		app, _ := newApp(t)
		app.Use(middleware.CORS(full))
		app.Get("/open", text("x"), middleware.CORS(middleware.CORSOptions{Origins: []string{"*"}}))
		w := do(app, "GET", "/open", "Origin: "+shop)
		wantHeader(t, w.Header(), "Access-Control-Allow-Origin", "*")
		wantHeader(t, w.Header(), "Access-Control-Allow-Credentials")
	})
	t.Run("a blueprint's own", func(t *testing.T) {
		app, _ := newApp(t)
		api := ishaa.NewBlueprint("api", "/api", middleware.CORS(full))
		api.Get("/x", text("x"))
		app.Register(api)
		app.Get("/x", text("x"))
		wantHeader(t, do(app, "GET", "/api/x", "Origin: "+shop).Header(), "Access-Control-Allow-Origin", shop)
		wantHeader(t, do(app, "GET", "/x", "Origin: "+shop).Header(), "Access-Control-Allow-Origin")
	})
}

// The header list of a preflight costs the same however long it is (the class of
// CVE-2025-47908).
func TestCORSPreflightHeaderListCostsNothing(t *testing.T) {
	app := corsApp(t, middleware.CORSOptions{Origins: []string{shop}, Headers: []string{"X-Special"}})
	cost := func(list string) float64 {
		r := httptest.NewRequest("OPTIONS", "/item", nil)
		r.Header.Set("Origin", shop)
		r.Header.Set("Access-Control-Request-Method", "PUT")
		r.Header.Set("Access-Control-Request-Headers", list)
		return testing.AllocsPerRun(20, func() { app.ServeHTTP(httptest.NewRecorder(), r) })
	}
	short, long := cost("x-special"), cost(strings.Repeat(",", 100_000))
	if long > short+1 {
		t.Errorf("%v allocations for a long list, %v for a short one", long, short)
	}
}

// Whatever a client sends as Origin, the answer names it only if it is one of the
// pattern's, and is a well-formed header.
func FuzzCORSOrigin(f *testing.F) {
	for _, seed := range []string{shop, evil, "null", "https://a.example.com:1", "https://a.example.com@x", "https://\x00.example.com", "https://a.example.com\r\nX: y"} {
		f.Add(seed)
	}
	app, _ := newApp(f)
	app.Use(middleware.CORS(middleware.CORSOptions{Origins: []string{"https://*.example.com", "http://localhost:*"}, Credentials: true}))
	app.Get("/", text("x"))
	f.Fuzz(func(t *testing.T, origin string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Origin"] = []string{origin}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		got := w.Header().Get("Access-Control-Allow-Origin")
		if got == "" {
			return
		}
		if got != origin {
			t.Fatalf("%q is answered by %q", origin, got)
		}
		rest, tls := strings.CutPrefix(origin, "https://")
		if !tls {
			rest = strings.TrimPrefix(origin, "http://")
			host, port, _ := strings.Cut(rest, ":")
			if host != "localhost" || strings.Trim(port, "0123456789") != "" {
				t.Fatalf("%q is allowed", origin)
			}
			return
		}
		labels, ok := strings.CutSuffix(rest, ".example.com")
		if !ok || strings.Trim(labels, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
			t.Fatalf("%q is allowed", origin)
		}
	})
}

func ExampleCORS() {
	app := ishaa.New("api")
	app.Use(middleware.CORS(middleware.CORSOptions{
		Origins:     []string{"https://shop.example.com", "https://*.example.org"},
		Credentials: true,
	}))
	app.Get("/items", func(*ishaa.Request) (any, error) { return []string{"a", "b"}, nil })

	w := do(app, "GET", "/items", "Origin: https://shop.example.com")
	fmt.Println(w.Header().Get("Access-Control-Allow-Origin"))
	// Output: https://shop.example.com
}
