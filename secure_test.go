package ishaa_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// The headers that every answer has, whatever became of the request.
func TestSecurityHeaders(t *testing.T) {
	app := newApp(t)
	app.Get("/page", text("page"))
	app.Get("/error", fails(errBroken))
	app.Get("/panic", func(*ishaa.Request) (any, error) { panic("thrown") })
	app.Get("/file", func(*ishaa.Request) (any, error) { return ishaa.File("secure_test.go"), nil })
	app.Get("/stream", func(*ishaa.Request) (any, error) { return strings.NewReader("stream"), nil })
	app.Mount("/mounted/", http.NotFoundHandler())
	app.Before(func(r *ishaa.Request) (any, error) {
		if r.Query("before") != "" {
			panic("thrown")
		}
		return nil, nil
	})
	app.Get("/own", func(r *ishaa.Request) (any, error) {
		return ishaa.Text("x").WithHeader("Content-Security-Policy", "default-src 'none'"), nil
	})
	always := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin", "Cross-Origin-Opener-Policy": "same-origin",
	}
	for _, target := range []string{
		"/page", "/error", "/panic", "/file", "/stream", "/mounted/x", "/page?before=1", "/missing", "/page/", "/own", "/%00",
	} {
		res := do(t, app, "GET", target)
		for name, value := range always {
			res.wantHeader(t, name, value)
		}
		if policy := res.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src") {
			t.Errorf("%s: the policy is %q", target, policy)
		}
		res.wantHeader(t, "Strict-Transport-Security").wantHeader(t, "Server").wantHeader(t, "X-Powered-By").wantHeader(t, "Access-Control-Allow-Origin")
	}
	do(t, app, "POST", "/page").want(t, 405).wantHeader(t, "X-Content-Type-Options", "nosniff")
	do(t, app, "GET", "/own").wantHeader(t, "Content-Security-Policy", "default-src 'none'")
	hsts := do(t, app, "GET", "/page", withTLS()).header.Get("Strict-Transport-Security")
	if !regexp.MustCompile(`^max-age=(31[5-9]|3[2-9]|[4-9])\d{6}`).MatchString(hsts) {
		t.Errorf("over TLS Strict-Transport-Security is %q, want a year or more", hsts)
	}
	proxied := newApp(t, ishaa.Config{TrustedProxies: []string{"192.0.2.1"}})
	proxied.Get("/page", text("page"))
	if res := do(t, proxied, "GET", "/page", withHeader("X-Forwarded-Proto", "https")); res.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("behind a proxy that speaks TLS: %s", res)
	}
	do(t, app, "GET", "/page", withHeader("X-Forwarded-Proto", "https")).wantHeader(t, "Strict-Transport-Security")
}

// Another site cannot have a visitor's browser change anything.
func TestCrossOriginRequests(t *testing.T) {
	build := func(config ishaa.Config) *ishaa.App {
		app := newApp(t, config)
		app.TrustOrigins("https://admin.example.com")
		app.TrustOrigins("http://localhost:3000") // beside the first
		app.Any("/x", text("done"))
		app.Post("/hook/in", text("done"))
		app.Post("/admin", text("done"))
		return app
	}
	app := build(ishaa.Config{})
	proxied := build(ishaa.Config{TrustedProxies: []string{"192.0.2.1"}})
	type headers [][2]string
	cases := []struct {
		name    string
		app     *ishaa.App
		method  string
		headers headers
		refused bool
	}{
		{"no browser", app, "POST", nil, false},
		{"same origin", app, "POST", headers{{"Sec-Fetch-Site", "same-origin"}}, false},
		{"typed by the user", app, "POST", headers{{"Sec-Fetch-Site", "none"}}, false},
		{"another site", app, "POST", headers{{"Sec-Fetch-Site", "cross-site"}}, true},
		{"another site, PUT", app, "PUT", headers{{"Sec-Fetch-Site", "cross-site"}}, true},
		{"another site, PATCH", app, "PATCH", headers{{"Sec-Fetch-Site", "cross-site"}}, true},
		{"another site, DELETE", app, "DELETE", headers{{"Sec-Fetch-Site", "cross-site"}}, true},
		{"another site, a method of its own", app, "PURGE", headers{{"Sec-Fetch-Site", "cross-site"}}, true},
		{"another site, a method in lower case", app, "get", headers{{"Sec-Fetch-Site", "cross-site"}}, true},
		{"another site may read", app, "GET", headers{{"Sec-Fetch-Site", "cross-site"}}, false},
		{"another site may ask for headers", app, "HEAD", headers{{"Sec-Fetch-Site", "cross-site"}}, false},
		{"another site may ask for methods", app, "OPTIONS", headers{{"Sec-Fetch-Site", "cross-site"}}, false},
		{"a sibling subdomain", app, "POST", headers{{"Sec-Fetch-Site", "same-site"}}, true},
		{"what no browser says", app, "POST", headers{{"Sec-Fetch-Site", "SAME-ORIGIN "}}, true},
		{"a repeated header", app, "POST", headers{{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "cross-site"}}, true},
		{"our Origin", app, "POST", headers{{"Origin", "http://app.test:8000"}}, false},
		{"a foreign Origin", app, "POST", headers{{"Origin", "http://evil.example"}}, true},
		{"a foreign Origin that starts like ours", app, "POST", headers{{"Origin", "http://app.test:8000.evil.example"}}, true},
		{"a foreign Origin with ours as its user", app, "POST", headers{{"Origin", "http://app.test:8000@evil.example"}}, true},
		{"another port", app, "POST", headers{{"Origin", "http://app.test:8001"}}, true},
		{"Origin null", app, "POST", headers{{"Origin", "null"}}, true},
		{"an Origin that is none", app, "POST", headers{{"Origin", "%"}}, true},
		{"two Origins", app, "POST", headers{{"Origin", "http://app.test:8000"}, {"Origin", "http://evil.example"}}, true},
		{"Origin cannot override Sec-Fetch-Site", app, "POST", headers{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://app.test:8000"}}, true},
		{"a trusted origin", app, "POST", headers{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://admin.example.com"}}, false},
		{"the other trusted origin", app, "POST", headers{{"Origin", "http://localhost:3000"}}, false},
		{"a trusted origin of the wrong scheme", app, "POST", headers{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://admin.example.com"}}, true},
		{"a page of plain HTTP on a site of TLS", proxied, "POST", headers{{"X-Forwarded-Proto", "https"}, {"Origin", "http://app.test:8000"}}, true},
		{"a page of TLS on a site of TLS", proxied, "POST", headers{{"X-Forwarded-Proto", "https"}, {"Origin", "https://app.test:8000"}}, false},
		{"the host that the proxy was asked for", proxied, "POST", headers{{"X-Forwarded-Host", "shop.example"}, {"Origin", "http://shop.example"}}, false},
		{"a host that nobody vouches for", app, "POST", headers{{"X-Forwarded-Host", "evil.example"}, {"Origin", "http://evil.example"}}, true},
		{"another method in a header", app, "GET", headers{{"X-HTTP-Method-Override", "POST"}, {"Sec-Fetch-Site", "cross-site"}}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			options := []requestOption{withHost("app.test:8000")}
			for _, h := range c.headers {
				options = append(options, withHeader(h[0], h[1]))
			}
			res := do(t, c.app, c.method, "/x", options...)
			if c.refused {
				res.wantProblem(t, 403, "another origin")
			} else {
				res.want(t, 200)
			}
		})
	}
	// A path in another spelling is no way round.
	s := serve(t, app)
	for _, path := range []string{"/hook/../admin", "/hook/%2e%2e/admin", "//admin", "/admin", "/hook/in", "/missing"} {
		s.raw("POST", "POST "+path+" HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").wantProblem(t, 403, "another origin")
	}
}

// JSON as text/plain, which a form of another site can send, is refused twice.
func TestJSONAsPlainText(t *testing.T) {
	app := newApp(t)
	app.Post("/", func(r *ishaa.Request) (any, error) {
		var v any
		return v, r.DecodeJSON(&v)
	})
	plain := withBody("text/plain", `{"a":1}`)
	do(t, app, "POST", "/", plain, withHeader("Sec-Fetch-Site", "cross-site")).wantProblem(t, 403, "")
	do(t, app, "POST", "/", plain).wantProblem(t, 415, "text/plain")
}

func TestWithout(t *testing.T) {
	app, log := loggedApp(t)
	app.Without(ishaa.DefaultCSRF, ishaa.DefaultSecurityHeaders, ishaa.DefaultRequestID, ishaa.DefaultAccessLog, ishaa.DefaultBodyLimit)
	app.Without(ishaa.DefaultCSRF) // again
	route := app.Post("/", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		return ishaa.Text(fmt.Sprint(len(data), r.ID())), err
	})
	res := do(t, app, "POST", "/", withHeader("Sec-Fetch-Site", "cross-site"), withBody("text/plain", strings.Repeat("x", 2<<20)))
	res.wantBody(t, 200, "2097152").wantHeader(t, "X-Content-Type-Options").wantHeader(t, "X-Request-Id")
	if len(log.records(t, "request")) != 0 {
		t.Errorf("there is an access log: %s", log.text())
	}
	if route.BodyLimit() < 1<<40 {
		t.Errorf("the limit is %d", route.BodyLimit())
	}
	var names []string
	for _, record := range log.records(t, "secure default removed") {
		names = append(names, fmt.Sprint(record["level"], " ", record["default"]))
	}
	want := []string{"WARN request-id", "WARN access-log", "WARN security-headers", "WARN csrf", "WARN body-limit"}
	if !slices.Equal(names, want) {
		t.Errorf("the log names %q, want %q", names, want)
	}
}

// Middleware of a default's name takes its place, also in the order.
func TestReplacingDefaults(t *testing.T) {
	app, log := loggedApp(t)
	j := &journal{}
	app.Use(j.both("mine"))
	app.Use(j.both(ishaa.DefaultCSRF), j.both(ishaa.DefaultRecover), j.both(ishaa.DefaultAccessLog))
	app.Post("/", j.handler())
	app.Get("/panic", func(*ishaa.Request) (any, error) { panic("thrown") })
	do(t, app, "POST", "/", withHeader("Sec-Fetch-Site", "cross-site")).want(t, 200)
	j.want(t, "recover before", "access-log before", "csrf before", "mine before", "handler",
		"mine after 200", "csrf after 200", "access-log after 200", "recover after 200")
	if len(log.records(t, "request")) != 0 || len(log.records(t, "secure default removed")) != 0 {
		t.Errorf("the log has %s", log.text())
	}
	// What replaces recover adds to it: a panic is an answer either way.
	do(t, app, "GET", "/panic").wantProblem(t, 500, "")
	// One that was taken away comes back by its name.
	again := newApp(t)
	again.Without(ishaa.DefaultCSRF)
	again.Use(j.both(ishaa.DefaultCSRF))
	again.Get("/", text("x"))
	j.steps = nil
	do(t, again, "GET", "/").want(t, 200)
	j.want(t, "csrf before", "csrf after 200")
}

func TestRequestIDs(t *testing.T) {
	build := func(config ishaa.Config) (*ishaa.App, *logBook) {
		app, log := loggedApp(t, config)
		app.Get("/", func(r *ishaa.Request) (any, error) {
			r.Logger().Info("inside")
			return ishaa.Text(r.ID()), nil
		})
		return app, log
	}
	app, log := build(ishaa.Config{})
	seen := map[string]bool{}
	for range 100 {
		res := do(t, app, "GET", "/")
		id := res.header.Get("X-Request-Id")
		if !regexp.MustCompile(`^[a-z2-7]{26}$`).MatchString(id) || seen[id] || res.body != id {
			t.Fatalf("the id is %q, the handler's %q", id, res.body)
		}
		seen[id] = true
	}
	for _, msg := range []string{"inside", "request"} {
		for _, record := range log.records(t, msg) {
			if id, _ := record["request_id"].(string); !seen[id] {
				t.Fatalf("the record has no request's id: %v", record)
			}
		}
	}
	if res := do(t, app, "GET", "/", withHeader("X-Request-Id", "forged")); res.body == "forged" {
		t.Error("a stranger's id was taken over")
	}
	proxied, _ := build(ishaa.Config{TrustedProxies: []string{"192.0.2.0/24"}})
	do(t, proxied, "GET", "/", withHeader("X-Request-Id", "from-the-proxy")).wantBody(t, 200, "from-the-proxy").wantHeader(t, "X-Request-Id", "from-the-proxy")
	for _, bad := range []string{"a b", "a\nb", strings.Repeat("x", 65), "<script>", ""} {
		if res := do(t, proxied, "GET", "/", withHeader("X-Request-Id", bad)); res.body == bad {
			t.Errorf("%q was taken over", bad)
		}
	}
}

// One record per request, with nothing in it that a client wrote unescaped.
func TestAccessLog(t *testing.T) {
	app, log := loggedApp(t)
	app.Get("/users/<int:id>", text("hello"), ishaa.Name("user"))
	app.Get("/error", fails(errBroken))
	do(t, app, "GET", "/users/7?token=secret", withPeer("198.51.100.7:1234"))
	do(t, app, "GET", "/error")
	do(t, app, "GET", "/missing")
	records := log.records(t, "request")
	if len(records) != 3 {
		t.Fatalf("%d records: %s", len(records), log.text())
	}
	first := records[0]
	for key, want := range map[string]any{
		"level": "INFO", "method": "GET", "path": "/users/7", "route": "/users/<int:id>", "status": 200.0, "bytes": 5.0, "client": "198.51.100.7",
	} {
		if first[key] != want {
			t.Errorf("%s is %v, want %v", key, first[key], want)
		}
	}
	if duration, ok := first["duration"].(float64); !ok || duration < 0 {
		t.Errorf("the duration is %v", first["duration"])
	}
	if records[1]["level"] != "WARN" || records[2]["level"] != "INFO" || records[2]["route"] != "" {
		t.Errorf("the records are %v", records[1:])
	}
	if strings.Contains(log.text(), "secret") {
		t.Errorf("the log has the query: %s", log.text())
	}
}

// Log injection: whatever path, method or header comes in, a log has one line for
// it, without control characters, in every format.
func TestLogInjection(t *testing.T) {
	paths := []string{
		"/%0a[fake]%20200", "/%0d%0alevel=ERROR%20msg=fake", "/%1b[31mred", "/%1b]0;title%07", "/%e2%80%aereversed", "/%c2%85next",
		"/%e2%80%a8line", "/a%00b", "/%ff%fe", "/%22%20msg=%22fake", "/\\n", "/%5Cn", "/%7f", "/" + strings.Repeat("%0a", 2000), "/\xff", "/%F3%A0%81%81",
	}
	quoted := regexp.MustCompile(`"(\\.|[^"\\])*"`)
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		var handler slog.Handler = slog.NewTextHandler(&out, nil)
		if format == "json" {
			handler = slog.NewJSONHandler(&out, nil)
		}
		app, _ := loggedApp(t, ishaa.Config{Logger: slog.New(handler)})
		app.Get("/x/<what>", func(r *ishaa.Request) (any, error) {
			return nil, fmt.Errorf("cannot find %s", r.Param("what"))
		})
		s := serve(t, app)
		for _, path := range paths {
			s.rawRequest("GET", path, "a")
			s.rawRequest("GET", "/x"+path, "a")
		}
		s.rawRequest("G\x1bET", "/", "a")
		s.raw("GET", "GET / HTTP/1.1\r\nHost: a\r\nX\r\nfake: 1\r\n\r\n")
		s.raw("GET", "GET /\r\nlevel=ERROR msg=fake HTTP/1.1\r\nHost: a\r\n\r\n")
		s.rawRequest(strings.Repeat("M", 3000), "/", "a")
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		lines := 0
		for line := range strings.Lines(out.String()) {
			lines++
			line = strings.TrimSuffix(line, "\n")
			start := map[string]string{"text": "time=", "json": `{"time":`}[format]
			if !strings.HasPrefix(line, start) {
				t.Errorf("a line that no record begins: %.200q", line)
			}
			if bare := quoted.ReplaceAllString(line, ""); format == "text" && strings.Count(bare, " msg=") != 1 {
				t.Errorf("a record with more than one message: %.200q", line)
			}
			for _, c := range line {
				if c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x202e || c == 0xfffd || c == 0xe0041 {
					t.Errorf("a record has %U: %.200q", c, line)
				}
			}
			if len(line) > 8000 {
				t.Errorf("a record of %d bytes", len(line))
			}
		}
		if lines < 2*len(paths) {
			t.Errorf("only %d lines:\n%s", lines, out.String())
		}
	}
}

// What observers are told of every request.
func TestObservers(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	seen := watch(app, func(route *ishaa.Route, o ishaa.Outcome) string {
		return fmt.Sprint(route, " ", o.Status, " ", o.Bytes, " ", o.Aborted, " ", o.Cached, " ", o.Request.Method(), " ", o.Duration >= 0)
	})
	app.Get("/page", text("12345"))
	app.Get("/nothing", func(*ishaa.Request) (any, error) { return nil, nil })
	app.Get("/error", fails(ishaa.NotFound("x")))
	app.Get("/cached", func(r *ishaa.Request) (any, error) { r.MarkCached(); return ishaa.Text("1"), nil })
	app.Get("/stream", func(*ishaa.Request) (any, error) { return strings.NewReader("123"), nil })
	app.Get("/broken", func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			fmt.Fprint(w, "12")
			return errBroken
		}), nil
	})
	app.Mount("/m/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(202)
		fmt.Fprint(w, "1234")
	}))
	s := serve(t, app)
	problem := len(s.do("GET", "/error").body)
	s.do("GET", "/page")
	s.do("HEAD", "/page")
	s.do("GET", "/nothing")
	s.do("GET", "/cached")
	s.do("GET", "/stream")
	s.rawRequest("GET", "/broken", "a")
	s.do("GET", "/m/x")
	refusal := len(s.do("POST", "/page").body)
	s.do("OPTIONS", "/page")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	seen.want(t,
		fmt.Sprint("GET /error 404 ", problem, " false false GET true"),
		"GET /page 200 5 false false GET true",
		"GET /page 200 0 false false HEAD true",
		"GET /nothing 204 0 false false GET true",
		"GET /cached 200 1 false true GET true",
		"GET /stream 200 3 false false GET true",
		"GET /broken 200 2 true false GET true",
		"ANY /m/ 202 4 false false GET true",
		fmt.Sprint("(no route) 405 ", refusal, " false false POST true"),
		"(no route) 204 0 false false OPTIONS true",
	)
}
