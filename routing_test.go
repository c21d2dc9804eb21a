package ishaa_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// echo answers with its route's name and what the router made of the path.
func echo(r *ishaa.Request) (any, error) {
	text := r.Route().Name()
	for _, p := range r.Route().Parameters() {
		text += fmt.Sprintf(" %s=%q", p.Name, r.Param(p.Name))
	}
	return ishaa.Text(text), nil
}

// wireApp is the application of the table below. Everything it answers says
// which hooks it went through.
func wireApp(t *testing.T) *ishaa.App {
	app := newApp(t)
	app.After(func(_ *ishaa.Request, res *ishaa.Response) error {
		res.Header().Set("X-After", "ran")
		return nil
	})
	app.Before(func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("X-Before", "ran")
		return nil, nil
	})
	app.Get("/", echo, ishaa.Name("index"))
	app.Get("/plain", echo, ishaa.Name("plain"))
	app.Post("/plain", echo, ishaa.Name("plain-post"))
	app.Get("/dir/", echo, ishaa.Name("dir"))
	app.Get("/both", echo, ishaa.Name("both"))
	app.Get("/both/", echo, ishaa.Name("both-slash"))
	app.Post("/write", echo, ishaa.Name("write"))
	app.Head("/head", func(r *ishaa.Request) (any, error) {
		return ishaa.NoContent, nil
	}, ishaa.Name("head"))
	app.Get("/head", echo, ishaa.Name("head-get"))
	app.Options("/own-options", text("own"), ishaa.Name("own-options"))
	app.Get("/own-options", echo)
	app.Any("/any", echo, ishaa.Name("any"))
	app.Delete("/any", echo, ishaa.Name("any-delete"))
	app.Route("/dav", echo, ishaa.Methods("PROPFIND", "GET"), ishaa.Name("dav"))
	app.Get("/users/<int:id>", echo, ishaa.Name("user"))
	app.Get("/users/<name>", echo, ishaa.Name("user-name"))
	app.Get("/users/me", echo, ishaa.Name("me"))
	app.Get("/one/<text>", echo, ishaa.Name("one"))
	app.Get("/files/<path:p>", echo, ishaa.Name("files"))
	app.Get("/caf%C3%A9", echo, ishaa.Name("cafe"))
	app.Get("/a b", echo, ishaa.Name("space"))
	app.Get("/slug/<slug:s>/", echo, ishaa.Name("slug"))
	app.Get("/uuid/<uuid:u>", echo, ishaa.Name("uuid"))
	app.Get("/float/<float:f>", echo, ishaa.Name("float"))
	app.Get(`/re/<re("[a-z]{2}[0-9]"):code>`, echo, ishaa.Name("re"))
	app.Converter("odd", 0, func(segment string) bool { return strings.Trim(segment, "abcdefghijklmnopqrstuvwxyz") != "" })
	app.Get("/<odd:word>", echo, ishaa.Name("odd"))
	app.Get("/api", echo, ishaa.Host("api.example.com"), ishaa.Name("api-host"))
	app.Get("/home", echo, ishaa.Host("<tenant>.example.com"), ishaa.Name("tenant-host"))
	app.Mount("/legacy/", http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
		fmt.Fprintf(w, "mounted %s %s %s", raw.Method, raw.URL.EscapedPath(), raw.URL.RawQuery)
	}))
	return app
}

// wireCase is a request as bytes and what must come back.
type wireCase struct {
	name, method, target string
	status               int
	body                 string // exact, unless empty; problems are checked by status
	location, allow      string // exact; "" is absent
	host                 string // app.test unless set
}

var wireCases = []wireCase{
	// Methods.
	{name: "GET", method: "GET", target: "/plain", status: 200, body: "plain"},
	{name: "index", method: "GET", target: "/", status: 200, body: "index"},
	{name: "POST on the same path", method: "POST", target: "/plain", status: 200, body: "plain-post"},
	{name: "HEAD by the GET route", method: "HEAD", target: "/plain", status: 200},
	{name: "HEAD by a route of its own", method: "HEAD", target: "/head", status: 204},
	{name: "HEAD of the index", method: "HEAD", target: "/", status: 200},
	{name: "HEAD of a path parameter", method: "HEAD", target: "/files/a/b", status: 200},
	{name: "HEAD of nothing", method: "HEAD", target: "/no/thing", status: 404},
	{name: "HEAD of a POST route", method: "HEAD", target: "/write/", status: 404},
	{name: "OPTIONS lists methods", method: "OPTIONS", target: "/plain", status: 204, allow: "GET, HEAD, OPTIONS, POST"},
	{name: "OPTIONS of a GET route", method: "OPTIONS", target: "/users/7", status: 204, allow: "GET, HEAD, OPTIONS"},
	{name: "OPTIONS with a handler of its own", method: "OPTIONS", target: "/own-options", status: 200, body: "own"},
	{name: "OPTIONS of Any runs its handler", method: "OPTIONS", target: "/any", status: 200, body: "any"},
	{name: "OPTIONS of a mount is the mount's", method: "OPTIONS", target: "/legacy/x", status: 200, body: "mounted OPTIONS /legacy/x "},
	{name: "OPTIONS of nothing", method: "OPTIONS", target: "/no/thing", status: 404},
	{name: "OPTIONS with an unknown method among them", method: "OPTIONS", target: "/dav", status: 204, allow: "GET, HEAD, OPTIONS, PROPFIND"},
	{name: "405 names the methods", method: "DELETE", target: "/plain", status: 405, allow: "GET, HEAD, OPTIONS, POST"},
	{name: "405 without GET has no HEAD", method: "PUT", target: "/write", status: 405, allow: "OPTIONS, POST"},
	{name: "405 of a pattern", method: "PATCH", target: "/users/7", status: 405, allow: "GET, HEAD, OPTIONS"},
	{name: "405 of the index", method: "POST", target: "/", status: 405, allow: "GET, HEAD, OPTIONS"},
	{name: "405 for a method nobody knows", method: "BREW", target: "/plain", status: 405, allow: "GET, HEAD, OPTIONS, POST"},
	{name: "405 for a method in lower case", method: "get", target: "/plain", status: 405, allow: "GET, HEAD, OPTIONS, POST"},
	{name: "405 for a long method", method: strings.Repeat("X", 300), target: "/plain", status: 405, allow: "GET, HEAD, OPTIONS, POST"},
	{name: "PROPFIND where it is registered", method: "PROPFIND", target: "/dav", status: 200, body: "dav"},
	{name: "PROPFIND where it is not", method: "PROPFIND", target: "/plain", status: 405, allow: "GET, HEAD, OPTIONS, POST"},
	{name: "PROPFIND by Any", method: "PROPFIND", target: "/any", status: 200, body: "any"},
	{name: "Any leaves a method that has its own", method: "DELETE", target: "/any", status: 200, body: "any-delete"},
	{name: "TRACE is refused", method: "TRACE", target: "/plain", status: 405, allow: "GET, HEAD, OPTIONS, POST"},
	{name: "TRACE is refused by Any too", method: "TRACE", target: "/any", status: 405, allow: "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"},
	{name: "TRACE is refused by a mount too", method: "TRACE", target: "/legacy/x", status: 405, allow: "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"},
	{name: "TRACE of nothing", method: "TRACE", target: "/no/thing", status: 404},
	{name: "CONNECT is refused", method: "CONNECT", target: "app.test:443", status: 405, allow: "GET, HEAD, OPTIONS"},
	{name: "OPTIONS *", method: "OPTIONS", target: "*", status: 204},
	{name: "GET *", method: "GET", target: "*", status: 400},
	{name: "DELETE *", method: "DELETE", target: "*", status: 400},

	// The trailing slash, both ways.
	{name: "a slash too many", method: "GET", target: "/plain/", status: 308, location: "/plain"},
	{name: "a slash too few", method: "GET", target: "/dir", status: 308, location: "/dir/"},
	{name: "no redirect where both exist", method: "GET", target: "/both/", status: 200, body: "both-slash"},
	{name: "no redirect where both exist, without", method: "GET", target: "/both", status: 200, body: "both"},
	{name: "the query stays", method: "GET", target: "/plain/?a=1&b=%20", status: 308, location: "/plain?a=1&b=%20"},
	{name: "a fragment in the query stays part of it", method: "GET", target: "/plain/?a=1#b", status: 308, location: "/plain?a=1%23b"},
	{name: "the method stays: POST is redirected by 308", method: "POST", target: "/write/", status: 308, location: "/write"},
	{name: "HEAD is redirected", method: "HEAD", target: "/plain/", status: 308, location: "/plain"},
	{name: "no redirect to a route without the method", method: "GET", target: "/write/", status: 404},
	{name: "a parameter", method: "GET", target: "/users/7/", status: 308, location: "/users/7"},
	{name: "a parameter that its converter refuses", method: "GET", target: "/uuid/7/", status: 404},
	{name: "a slug's missing slash", method: "GET", target: "/slug/a-b", status: 308, location: "/slug/a-b/"},
	{name: "a mount's missing slash", method: "GET", target: "/legacy", status: 308, location: "/legacy/"},
	{name: "escapes stay escapes", method: "GET", target: "/one/a%2Fb%20c/", status: 308, location: "/one/a%2Fb%20c"},
	{name: "an escaped question mark stays one", method: "GET", target: "/one/a%3Fb/", status: 308, location: "/one/a%3Fb"},
	{name: "an escaped line break stays one", method: "GET", target: "/one/a%0D%0AX-Evil:1/", status: 308, location: "/one/a%0D%0AX-Evil:1"},
	{name: "an escaped line break in lower case too", method: "GET", target: "/one/a%0d%0aX-Evil:1/", status: 308, location: "/one/a%0d%0aX-Evil:1"},
	{name: "an escaped hash stays one", method: "GET", target: "/one/a%23b/", status: 308, location: "/one/a%23b"},
	{name: "an escaped percent sign stays one", method: "GET", target: "/one/a%252Fb/", status: 308, location: "/one/a%252Fb"},
	{name: "letters outside ASCII are escaped", method: "GET", target: "/one/é/", status: 308, location: "/one/%C3%A9"},
	{name: "two slashes at the end", method: "GET", target: "/plain//", status: 404},

	// Never to another site.
	{name: "two slashes in front", method: "GET", target: "//evil.example//", status: 404},
	{name: "two slashes, one at the end", method: "GET", target: "//evil.example/", status: 404},
	{name: "two slashes, none at the end", method: "GET", target: "//evil.example", status: 404},
	{name: "two slashes and dots", method: "GET", target: "//evil.example/..", status: 404},
	{name: "slash and backslash", method: "GET", target: `/\evil.example/`, status: 308, location: "/%5Cevil.example"},
	{name: "slash and escaped backslash", method: "GET", target: "/%5Cevil.example/", status: 308, location: "/%5Cevil.example"},
	{name: "slash and escaped backslash in lower case", method: "GET", target: "/%5cevil.example/", status: 308, location: "/%5cevil.example"},
	{name: "two backslashes", method: "GET", target: `/\\evil.example/`, status: 308, location: "/%5C%5Cevil.example"},
	{name: "an escaped slash", method: "GET", target: "/%2Fevil.example/", status: 308, location: "/%2Fevil.example"},
	{name: "an escaped slash and a byte that ought to be escaped", method: "GET", target: "/%2Fevil.example|/", status: 308, location: "/%2Fevil.example%7C"},
	{name: "an escaped tab", method: "GET", target: "/%09/evil.example/", status: 404},
	{name: "a dot between slashes", method: "GET", target: "/.//evil.example/", status: 404},
	{name: "absolute form of another site", method: "GET", target: "http://evil.example/plain/", status: 308, location: "/plain"},
	{name: "another site's Host", method: "GET", target: "/plain/", host: "evil.example", status: 308, location: "/plain"},

	// Escapes.
	{name: "%2F in a segment", method: "GET", target: "/one/a%2Fb", status: 200, body: `one text="a/b"`},
	{name: "%2f in a segment", method: "GET", target: "/one/a%2fb", status: 200, body: `one text="a/b"`},
	{name: "%2F beside a byte that ought to be escaped", method: "GET", target: "/one/a%2Fb|é", status: 200, body: `one text="a/b|é"`},
	{name: "%2F is no separator", method: "GET", target: "/one%2Fa", status: 200, body: `odd word="one/a"`},
	{name: "%2F in static text", method: "GET", target: "/users%2Fme", status: 200, body: `odd word="users/me"`},
	{name: "%2F in a path parameter", method: "GET", target: "/files/a%2Fb", status: 404},
	{name: "slashes in a path parameter", method: "GET", target: "/files/a/b/c.txt", status: 200, body: `files p="a/b/c.txt"`},
	{name: "%5C in a segment", method: "GET", target: "/one/a%5Cb", status: 200, body: `one text="a\\b"`},
	{name: "%5C in a path parameter", method: "GET", target: "/files/a%5Cb", status: 404},
	{name: "a bare backslash in a path parameter", method: "GET", target: `/files/a\b`, status: 404},
	{name: "%25 is decoded once", method: "GET", target: "/one/%252e%252e", status: 200, body: `one text="%2e%2e"`},
	{name: "%2541 is not A", method: "GET", target: "/one/%2541", status: 200, body: `one text="%41"`},
	{name: "static text may be escaped", method: "GET", target: "/%70lain", status: 200, body: "plain"},
	{name: "all of it", method: "GET", target: "/%70%6C%61%69%6e", status: 200, body: "plain"},
	{name: "an escaped pattern", method: "GET", target: "/caf%C3%A9", status: 200, body: "cafe"},
	{name: "an escaped pattern, in lower case", method: "GET", target: "/caf%c3%a9", status: 200, body: "cafe"},
	{name: "an escaped pattern, unescaped", method: "GET", target: "/café", status: 200, body: "cafe"},
	{name: "another normal form is another text", method: "GET", target: "/cafe%CC%81", status: 200, body: "odd word=\"cafe\u0301\""},
	{name: "a space", method: "GET", target: "/a%20b", status: 200, body: "space"},
	{name: "a plus is a plus", method: "GET", target: "/one/a+b", status: 200, body: `one text="a+b"`},
	{name: "case matters", method: "GET", target: "/PLAIN", status: 200, body: `odd word="PLAIN"`},
	{name: "unicode", method: "GET", target: "/one/%E6%97%A5%E6%9C%AC", status: 200, body: `one text="日本"`},
	{name: "an escaped line break", method: "GET", target: "/one/a%0ab", status: 200, body: `one text="a\nb"`},
	{name: "a path that ends in a line break", method: "GET", target: "/plain%0a", status: 200, body: `odd word="plain\n"`},
	{name: "semicolons are text", method: "GET", target: "/one/a;jsessionid=1", status: 200, body: `one text="a;jsessionid=1"`},
	{name: "NUL", method: "GET", target: "/one/a%00b", status: 404},
	{name: "NUL beside static text", method: "GET", target: "/plain%00", status: 404},
	{name: "NUL beside bytes that are not UTF-8", method: "GET", target: "/one/%00%ff", status: 400},
	{name: "bytes that are not UTF-8", method: "GET", target: "/one/%ff%fe", status: 400},
	{name: "bytes that are not UTF-8, in upper case", method: "GET", target: "/one/%FF", status: 400},
	{name: "raw bytes that are not UTF-8", method: "GET", target: "/one/\xff", status: 400},
	{name: "an overlong slash", method: "GET", target: "/one/%C0%AF", status: 400},
	{name: "half of a surrogate pair", method: "GET", target: "/one/%ED%A0%80", status: 400},
	{name: "an escape cut short", method: "GET", target: "/one/%4", status: 400},
	{name: "an escape of no digits", method: "GET", target: "/one/%zz", status: 400},
	{name: "a lone percent sign", method: "GET", target: "/one/100%", status: 400},

	// Segments that are none.
	{name: "a double slash", method: "GET", target: "/users//7", status: 404},
	{name: "a double slash in front", method: "GET", target: "//plain", status: 404},
	{name: "a double slash in a path parameter", method: "GET", target: "/files/a//b", status: 404},
	{name: "a path parameter that starts with a slash", method: "GET", target: "/files//a", status: 404},
	{name: "an empty parameter", method: "GET", target: "/one/", status: 404},
	{name: "one dot", method: "GET", target: "/./plain", status: 404},
	{name: "one dot at the end", method: "GET", target: "/users/.", status: 404},
	{name: "two dots", method: "GET", target: "/users/../plain", status: 404},
	{name: "two dots at the end", method: "GET", target: "/files/a/..", status: 404},
	{name: "escaped dots", method: "GET", target: "/users/%2e%2e/plain", status: 404},
	{name: "escaped dots in upper case", method: "GET", target: "/files/%2E%2E/secret", status: 404},
	{name: "half escaped dots", method: "GET", target: "/files/.%2e/secret", status: 404},
	{name: "three dots are text", method: "GET", target: "/one/...", status: 200, body: `one text="..."`},
	{name: "dots in a mount", method: "GET", target: "/legacy/../plain", status: 404},
	{name: "escaped dots in a mount", method: "GET", target: "/legacy/%2e%2e/plain", status: 404},

	// Mounts.
	{name: "a mount", method: "GET", target: "/legacy/a/b?c=d", status: 200, body: "mounted GET /legacy/a/b c=d"},
	{name: "a mount's own root", method: "POST", target: "/legacy/", status: 200, body: "mounted POST /legacy/ "},
	{name: "a mount sees double slashes", method: "GET", target: "/legacy/a//b", status: 200, body: "mounted GET /legacy/a//b "},
	{name: "a mount sees escapes", method: "GET", target: "/legacy/a%2Fb", status: 200, body: "mounted GET /legacy/a%2Fb "},

	// Precedence and converters.
	{name: "static before int", method: "GET", target: "/users/me", status: 200, body: "me"},
	{name: "int before str", method: "GET", target: "/users/42", status: 200, body: `user id="42"`},
	{name: "a negative int", method: "GET", target: "/users/-42", status: 200, body: `user id="-42"`},
	{name: "an int over 64 bits is a str", method: "GET", target: "/users/9223372036854775808", status: 200, body: `user-name name="9223372036854775808"`},
	{name: "digits of other scripts are a str", method: "GET", target: "/users/%D9%A3", status: 200, body: `user-name name="٣"`},
	{name: "a slug", method: "GET", target: "/slug/a_b-1/", status: 200, body: `slug s="a_b-1"`},
	{name: "no slug", method: "GET", target: "/slug/a.b/", status: 404},
	{name: "a uuid", method: "GET", target: "/uuid/6BA7B810-9dad-11d1-80b4-00c04fd430c8", status: 200, body: `uuid u="6BA7B810-9dad-11d1-80b4-00c04fd430c8"`},
	{name: "no uuid", method: "GET", target: "/uuid/6ba7b8109dad11d180b400c04fd430c8", status: 404},
	{name: "a float", method: "GET", target: "/float/-1.5", status: 200, body: `float f="-1.5"`},
	{name: "no float", method: "GET", target: "/float/1e5", status: 404},
	{name: "an expression", method: "GET", target: "/re/ab1", status: 200, body: `re code="ab1"`},
	{name: "an expression is anchored", method: "GET", target: "/re/ab1x", status: 404},
	{name: "an expression does not pass over a line break", method: "GET", target: "/re/ab1%0a", status: 404},

	// Hosts and forms of the target.
	{name: "a host's route", method: "GET", target: "/api", host: "api.example.com", status: 200, body: "api-host"},
	{name: "a host's route with a port", method: "GET", target: "/api", host: "api.example.com:8080", status: 200, body: "api-host"},
	{name: "a host in upper case", method: "GET", target: "/api", host: "API.Example.COM", status: 200, body: "api-host"},
	{name: "a host with a final dot", method: "GET", target: "/api", host: "api.example.com.", status: 200, body: "api-host"},
	{name: "another host", method: "GET", target: "/api", host: "www.example.com", status: 404},
	{name: "a host below", method: "GET", target: "/api", host: "x.api.example.com", status: 404},
	{name: "a family of hosts", method: "GET", target: "/home", host: "acme.example.com", status: 200, body: "tenant-host"},
	{name: "routes of any host at a host", method: "GET", target: "/plain", host: "api.example.com", status: 200, body: "plain"},
	{name: "methods of a host's route", method: "PUT", target: "/api", host: "api.example.com", status: 405, allow: "GET, HEAD, OPTIONS"},
	{name: "absolute form", method: "GET", target: "http://app.test/plain", status: 200, body: "plain"},
	{name: "absolute form names the host", method: "GET", target: "http://api.example.com/api", status: 200, body: "api-host"},
	{name: "absolute form without a path", method: "GET", target: "http://app.test", status: 200, body: "index"},
	{name: "a target that is no path", method: "GET", target: "mailto:someone", status: 400},
	{name: "a target without a slash", method: "GET", target: "plain", status: 400},
	{name: "an empty query", method: "GET", target: "/plain?", status: 200, body: "plain"},

	// Sizes.
	{name: "a long path", method: "GET", target: "/one/" + strings.Repeat("a", 16<<10), status: 200, body: fmt.Sprintf("one text=%q", strings.Repeat("a", 16<<10))},
	{name: "a long path of nothing", method: "GET", target: "/no/" + strings.Repeat("a", 16<<10), status: 404},
	{name: "a path over the limit of the head", method: "GET", target: "/one/" + strings.Repeat("a", 100<<10), status: 431},
	{name: "1,000 segments", method: "GET", target: strings.Repeat("/a", 1000), status: 404},
	{name: "1,000 segments of a path parameter", method: "GET", target: "/files" + strings.Repeat("/a", 1000), status: 200},
	{name: "1,000 empty segments", method: "GET", target: "/files" + strings.Repeat("/", 1000), status: 404},
	{name: "1,000 dots", method: "GET", target: "/files" + strings.Repeat("/..", 1000), status: 404},
	{name: "1,000 parameters in the query", method: "GET", target: "/plain?" + strings.Repeat("a=1&", 999) + "a=1", status: 200, body: "plain"},
	{name: "1,001 parameters in the query", method: "GET", target: "/plain?" + strings.Repeat("a=1&", 1000) + "a=1", status: 400},
	{name: "1,001 parameters without names", method: "GET", target: "/plain?" + strings.Repeat("&", 1000), status: 400},
	{name: "1,001 parameters at an unknown path", method: "GET", target: "/no/thing?" + strings.Repeat("&", 1000), status: 400},
}

func TestRequestsOnTheWire(t *testing.T) {
	if len(wireCases) < 80 {
		t.Fatalf("%d cases", len(wireCases))
	}
	s := serve(t, wireApp(t))
	for _, c := range wireCases {
		t.Run(c.name, func(t *testing.T) {
			host := c.host
			if host == "" {
				host = "app.test"
			}
			res := s.rawRequest(c.method, c.target, host)
			res.want(t, c.status)
			if c.body != "" && res.body != c.body {
				t.Errorf("body %q, want %q", res.body, c.body)
			}
			if got := res.header.Get("Location"); got != c.location {
				t.Errorf("Location %q, want %q", got, c.location)
			}
			if got := res.header.Get("Allow"); got != c.allow {
				t.Errorf("Allow %q, want %q", got, c.allow)
			}
			if c.method == "HEAD" && res.body != "" {
				t.Errorf("HEAD has a body: %q", res.body)
			}
			if ours := res.header.Get("X-After") != ""; !ours {
				// What the server refuses itself never reaches the application.
				if !refusedByServer(c) {
					t.Errorf("the answer did not pass the After hook:\n%s", res)
				}
				return
			}
			res.wantHeader(t, "X-Before", "ran")
			res.wantHeader(t, "X-Content-Type-Options", "nosniff")
			if c.status >= 400 && c.method != "HEAD" {
				res.wantProblem(t, c.status, "")
			}
		})
	}
}

// refusedByServer names the cases that the server answers before the handler.
func refusedByServer(c wireCase) bool {
	malformed := []string{"/one/%4", "/one/%zz", "/one/100%", "plain", "mailto:someone"}
	if c.target == "*" && c.method != "OPTIONS" {
		return true
	}
	return slices.Contains(malformed, c.target) || c.status == 431
}

// Behind a trusted proxy a host's routes answer the host that the proxy was asked
// for; nobody else's word counts.
func TestHostBehindProxy(t *testing.T) {
	app := newApp(t, ishaa.Config{TrustedProxies: []string{"192.0.2.1"}})
	app.Get("/", func(r *ishaa.Request) (any, error) { return ishaa.Text("tenant " + r.Param("tenant")), nil }, ishaa.Host("<tenant>.example.com"))
	app.Post("/", text("written"), ishaa.Host("<tenant>.example.com"))
	app.Get("/", text("anywhere"))
	forwarded := withHeader("X-Forwarded-Host", "Acme.example.com:443")
	do(t, app, "GET", "/", withHost("10.0.0.7:8000"), forwarded).wantBody(t, 200, "tenant acme")
	do(t, app, "PUT", "/", withHost("10.0.0.7:8000"), forwarded).want(t, 405).wantHeader(t, "Allow", "GET, HEAD, OPTIONS, POST")
	do(t, app, "GET", "/", withHost("10.0.0.7:8000"), forwarded, withPeer("198.51.100.7:1")).wantBody(t, 200, "anywhere")
	do(t, app, "GET", "/", withHost("10.0.0.7:8000"), withHeader("X-Forwarded-Host", "acme.example.com/../x")).wantBody(t, 200, "anywhere")
}

// The answers that no route gives are answers like any other: error pages, After
// hooks and Std middleware see them.
func TestMissesPassErrorPages(t *testing.T) {
	app := newApp(t)
	app.Get("/page", text("page"))
	var seen []string
	app.After(func(r *ishaa.Request, res *ishaa.Response) error {
		seen = append(seen, fmt.Sprint(res.Status(), " ", r.Route()))
		return nil
	})
	app.Use(ishaa.Std(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			w.Header().Set("X-Std", "ran")
			next.ServeHTTP(w, raw)
		})
	}))
	for _, status := range []int{400, 404, 405} {
		app.OnStatus(status, func(_ *ishaa.Request, err error) (any, error) {
			return ishaa.HTMLf("<h1>our %d: %s</h1>", status, err), nil
		})
	}
	cases := []struct {
		method, target string
		status         int
		body           string
	}{
		{"GET", "/<script>", 404, "<h1>our 404: 404 Not Found: there is nothing at this address</h1>"},
		{"PUT", "/page", 405, "<h1>our 405: 405 Method Not Allowed: PUT is not one of GET, HEAD, OPTIONS</h1>"},
		{"GET", "/%ff", 400, "<h1>our 400: 400 Bad Request: the path is not valid: it has to be percent-encoded UTF-8</h1>"},
		{"OPTIONS", "/page", 204, ""},
		{"GET", "/page/", 308, ""},
	}
	for _, c := range cases {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			seen = nil
			res := do(t, app, c.method, c.target).wantBody(t, c.status, c.body)
			res.wantHeader(t, "X-Std", "ran")
			if want := fmt.Sprint(c.status, " (no route)"); len(seen) != 1 || seen[0] != want {
				t.Errorf("the After hook saw %q, want %q once", seen, want)
			}
		})
	}
}

func TestErrorBodiesAreEscaped(t *testing.T) {
	app := newApp(t)
	app.Post("/page", text("page"))
	app.Get("/say/<what>", func(r *ishaa.Request) (any, error) {
		return nil, ishaa.NotFound("nothing about %s", r.Param("what"))
	})
	for _, c := range []struct{ method, target string }{
		{"GET", "/<script>alert(1)</script>"},
		{"GET", "/say/%3Cscript%3Ealert(1)%3C%2Fscript%3E"},
		{"<SCRIPT>", "/page"},
	} {
		raw := &http.Request{Method: c.method, Header: http.Header{"Accept": {"text/html"}}, Host: "app.test"}
		var err error
		if raw.URL, err = url.ParseRequestURI(c.target); err != nil {
			t.Fatal(err)
		}
		res := doRaw(t, app, raw)
		if !strings.HasPrefix(res.header.Get("Content-Type"), "text/html") || strings.Contains(strings.ToLower(res.body), "<script") {
			t.Errorf("%s %s:\n%s", c.method, c.target, res)
		}
	}
}
