package middleware_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

func TestRequestID(t *testing.T) {
	proxied := ishaa.Config{TrustedProxies: []string{"10.0.0.0/8"}}
	for _, c := range []struct {
		name    string
		config  ishaa.Config
		options middleware.RequestIDOptions
		headers []string
		header  string
		want    string // "" for a fresh one
	}{
		{"a fresh one", ishaa.Config{}, middleware.RequestIDOptions{}, nil, "X-Request-Id", ""},
		{"a stranger's is not taken", ishaa.Config{}, middleware.RequestIDOptions{}, []string{"X-Request-Id: mine"}, "X-Request-Id", ""},
		{"a trusted proxy's is", proxied, middleware.RequestIDOptions{}, []string{"Peer: 10.1.2.3:4", "X-Request-Id: mine"}, "X-Request-Id", "mine"},
		{"not from beside the proxy", proxied, middleware.RequestIDOptions{}, []string{"Peer: 11.1.2.3:4", "X-Request-Id: mine"}, "X-Request-Id", ""},
		{"by the address that a proxy forwards", proxied, middleware.RequestIDOptions{}, []string{"Peer: 11.1.2.3:4", "X-Forwarded-For: 10.1.1.1", "X-Request-Id: mine"}, "X-Request-Id", ""},
		{"one that is none", proxied, middleware.RequestIDOptions{}, []string{"Peer: 10.1.2.3:4", "X-Request-Id: a b"}, "X-Request-Id", ""},
		{"one that is too long", proxied, middleware.RequestIDOptions{}, []string{"Peer: 10.1.2.3:4", "X-Request-Id: " + strings.Repeat("a", 65)}, "X-Request-Id", ""},
		{"trust of one's own", ishaa.Config{}, middleware.RequestIDOptions{Trust: func(*ishaa.Request) bool { return true }}, []string{"X-Request-Id: mine"}, "X-Request-Id", "mine"},
		{"a header of one's own", ishaa.Config{}, middleware.RequestIDOptions{Header: "x-correlation", New: func() string { return "new" }}, nil, "X-Correlation", "new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			app, _ := newApp(t, c.config)
			app.Use(middleware.RequestID(c.options))
			app.Get("/", text("x"))
			w := do(app, "GET", "/", c.headers...)
			id := w.Header().Values(c.header)
			switch {
			case len(id) != 1:
				t.Fatalf("ids %q", id)
			case c.want == "" && (len(id[0]) != 26 || id[0] == "mine"), c.want != "" && id[0] != c.want:
				t.Errorf("the id is %q, want %q", id[0], c.want)
			}
			if other := do(app, "GET", "/", c.headers...).Header().Get(c.header); c.want == "" && other == id[0] {
				t.Error("two requests have one id")
			}
		})
	}
	wantMistake(t, "not the name", func() { middleware.RequestID(middleware.RequestIDOptions{Header: "a b"}) })
}

func TestRealIP(t *testing.T) {
	for _, c := range []struct {
		name    string
		options middleware.RealIPOptions
		headers []string
		want    string
	}{
		{"no header", middleware.RealIPOptions{}, []string{"Peer: 10.0.0.1:5"}, "10.0.0.1:5"},
		{"a stranger's header", middleware.RealIPOptions{}, []string{"Peer: 11.0.0.1:5", "X-Forwarded-For: 1.1.1.1"}, "11.0.0.1:5"},
		{"a proxy's", middleware.RealIPOptions{}, []string{"Peer: 10.0.0.1:5", "X-Forwarded-For: 1.1.1.1"}, "1.1.1.1:0"},
		{"what the client wrote in front", middleware.RealIPOptions{}, []string{"Peer: 10.0.0.1:5", "X-Forwarded-For: 6.6.6.6, 1.1.1.1, 10.0.0.2"}, "1.1.1.1:0"},
		{"another header of the client's", middleware.RealIPOptions{}, []string{"Peer: 10.0.0.1:5", "X-Real-IP: 6.6.6.6"}, "10.0.0.1:5"},
		{"Forwarded", middleware.RealIPOptions{Header: "forwarded"}, []string{"Peer: 10.0.0.1:5", `Forwarded: for="[2001:db8::1]:99"`}, "[2001:db8::1]:99"},
		{"one address", middleware.RealIPOptions{Header: "CF-Connecting-IP"}, []string{"Peer: 10.0.0.1:5", "Cf-Connecting-Ip: 1.1.1.1"}, "1.1.1.1:0"},
		{"one IPv6 address", middleware.RealIPOptions{Header: "X-Real-IP"}, []string{"Peer: 10.0.0.1:5", "X-Real-Ip: 2001:db8::1"}, "[2001:db8::1]:0"},
		{"IPv4 in IPv6", middleware.RealIPOptions{Header: "X-Real-IP"}, []string{"Peer: 10.0.0.1:5", "X-Real-Ip: ::ffff:1.1.1.1"}, "1.1.1.1:0"},
		{"one address from a stranger", middleware.RealIPOptions{Header: "X-Real-IP"}, []string{"Peer: 11.0.0.1:5", "X-Real-Ip: 1.1.1.1"}, "11.0.0.1:5"},
		{"one address, given twice", middleware.RealIPOptions{Header: "X-Real-IP"}, []string{"Peer: 10.0.0.1:5", "X-Real-Ip: 6.6.6.6", "X-Real-Ip: 1.1.1.1"}, "10.0.0.1:5"},
		{"one address that is a list", middleware.RealIPOptions{Header: "X-Real-IP"}, []string{"Peer: 10.0.0.1:5", "X-Real-Ip: 6.6.6.6, 1.1.1.1"}, "10.0.0.1:5"},
		{"one address that is none", middleware.RealIPOptions{Header: "X-Real-IP"}, []string{"Peer: 10.0.0.1:5", "X-Real-Ip: localhost"}, "10.0.0.1:5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.options.Proxies = []string{"10.0.0.0/8"}
			app, _ := newApp(t)
			app.Use(middleware.RealIP(c.options))
			var got string
			app.Get("/", func(r *ishaa.Request) (any, error) { got = r.Client().String(); return "", nil })
			do(app, "GET", "/", c.headers...)
			if got != c.want {
				t.Errorf("the client is %s, want %s", got, c.want)
			}
		})
	}
	t.Run("beside the proxies of the configuration", func(t *testing.T) {
		app, _ := newApp(t, ishaa.Config{TrustedProxies: []string{"10.0.0.0/8"}})
		app.Use(middleware.RealIP(middleware.RealIPOptions{Proxies: []string{"10.0.0.1"}, Header: "X-Real-IP"}))
		var got string
		app.Get("/", func(r *ishaa.Request) (any, error) { got = r.Client().Addr().String(); return "", nil })
		do(app, "GET", "/", "Peer: 10.0.0.1:5", "X-Forwarded-For: 2.2.2.2", "X-Real-Ip: 1.1.1.1")
		if got != "1.1.1.1" {
			t.Errorf("the client is %s", got)
		}
		do(app, "GET", "/", "Peer: 10.0.0.2:5", "X-Forwarded-For: 2.2.2.2", "X-Real-Ip: 1.1.1.1")
		if got != "2.2.2.2" {
			t.Errorf("the client is %s", got)
		}
	})
	t.Run("one after another, each judges by the connection", func(t *testing.T) {
		app, _ := newApp(t)
		app.Use(middleware.RealIP(middleware.RealIPOptions{Proxies: []string{"10.0.0.1"}, Header: "X-Real-IP"}))
		var got string
		app.Get("/", func(r *ishaa.Request) (any, error) { got = r.Client().Addr().String(); return "", nil },
			middleware.RealIP(middleware.RealIPOptions{Proxies: []string{"192.168.0.0/16"}, Header: "X-Inner-IP"}))
		do(app, "GET", "/", "Peer: 10.0.0.1:5", "X-Real-Ip: 192.168.1.1", "X-Inner-Ip: 6.6.6.6")
		if got != "192.168.1.1" {
			t.Errorf("the client is %s: a client was taken for a proxy", got)
		}
	})
	t.Run("rate limits count by it", func(t *testing.T) {
		app, _ := newApp(t)
		app.Use(middleware.RealIP(middleware.RealIPOptions{Proxies: []string{"10.0.0.0/8"}}), middleware.RateLimit(middleware.RateLimitOptions{Max: 1}))
		app.Get("/", text("x"))
		wantStatus(t, do(app, "GET", "/", "Peer: 10.0.0.1:5", "X-Forwarded-For: 1.1.1.1"), 200)
		wantStatus(t, do(app, "GET", "/", "Peer: 10.0.0.1:5", "X-Forwarded-For: 1.1.1.2"), 200)
		wantStatus(t, do(app, "GET", "/", "Peer: 10.0.0.1:5", "X-Forwarded-For: 1.1.1.1"), 429)
	})
	wantMistake(t, "Proxies is empty", func() { middleware.RealIP(middleware.RealIPOptions{}) })
	wantMistake(t, "10.0.0.7", func() { middleware.RealIP(middleware.RealIPOptions{Proxies: []string{"proxy.example"}}) })
	wantMistake(t, "not the name", func() {
		middleware.RealIP(middleware.RealIPOptions{Proxies: []string{"::1"}, Header: ":"})
	})
}

func TestRecover(t *testing.T) {
	var told []any
	app, log := newApp(t)
	app.Use(middleware.Recover(middleware.RecoverOptions{OnPanic: func(r *ishaa.Request, value any, stack []byte) {
		if r == nil || !bytes.Contains(stack, []byte("identity_test.go")) {
			t.Errorf("the stack is %s", stack)
		}
		told = append(told, value)
	}}))
	app.Get("/text", func(*ishaa.Request) (any, error) { panic("hunter2") })
	app.Get("/problem", func(*ishaa.Request) (any, error) { panic(ishaa.NotFound("thrown, not returned")) })
	app.Get("/error", func(*ishaa.Request) (any, error) { return nil, errors.New("returned") })
	app.Get("/fine", text("fine"))
	app.Get("/abort", func(*ishaa.Request) (any, error) { panic(http.ErrAbortHandler) })

	for _, path := range []string{"/text", "/problem"} {
		w := do(app, "GET", path)
		wantStatus(t, w, 500)
		if strings.Contains(w.Body.String(), "hunter2") || strings.Contains(w.Body.String(), "thrown") {
			t.Errorf("the client learns of the panic: %s", w.Body)
		}
	}
	wantStatus(t, do(app, "GET", "/error"), 500)
	wantStatus(t, do(app, "GET", "/fine"), 200)
	if len(told) != 2 || told[0] != "hunter2" {
		t.Errorf("told of %v", told)
	}
	if records := log.records(t, "request failed"); len(records) != 3 || records[0]["error"] != "panic: hunter2" || !strings.Contains(fmt.Sprint(records[0]["stack"]), "identity_test.go") {
		t.Errorf("the log says %v", records)
	}
	if text := panicText(t, func() { do(app, "GET", "/abort") }); text != http.ErrAbortHandler.Error() {
		t.Errorf("the panic that cuts the connection became %q", text)
	}
	if len(told) != 2 {
		t.Errorf("told of %v, of a cut connection too", told)
	}
	app, _ = newApp(t)
	told = nil
	app.Use(ishaa.Middleware{Name: "hook", Before: func(r *ishaa.Request) (any, error) { panic("in a hook") }},
		middleware.Recover(middleware.RecoverOptions{OnPanic: func(_ *ishaa.Request, value any, _ []byte) { told = append(told, value) }}))
	app.Get("/", text("x"))
	wantStatus(t, do(app, "GET", "/"), 500)
	if len(told) != 1 || told[0] != "in a hook" {
		t.Errorf("of a hook's panic told %v", told)
	}
	t.Run("back in place after Without", func(t *testing.T) {
		app, _ := newApp(t)
		app.Without(ishaa.DefaultRecover)
		app.Use(middleware.Recover(middleware.RecoverOptions{}))
		app.Get("/", func(*ishaa.Request) (any, error) { panic("x") })
		wantStatus(t, do(app, "GET", "/"), 500)
	})
}

func TestAccessLog(t *testing.T) {
	clock := newClock()
	app, log := newApp(t)
	app.SetClock(clock)
	app.Use(middleware.AccessLog(middleware.AccessLogOptions{
		Skip:  func(r *ishaa.Request) bool { return r.Path() == "/health" },
		Attrs: func(r *ishaa.Request) []slog.Attr { return []slog.Attr{slog.String("shop", r.Header("X-Shop"))} },
	}))
	app.Get("/users/<int:id>", func(*ishaa.Request) (any, error) { clock.advance(7 * time.Millisecond); return ishaa.Text("four"), nil })
	app.Get("/health", text("ok"))
	app.Get("/broken", func(*ishaa.Request) (any, error) { return nil, errors.New("broken") })
	app.Get("/stream", func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error { clock.advance(time.Second); return nil }), nil
	})

	do(app, "GET", "/users/7?token=hunter2", "X-Shop: berlin")
	do(app, "GET", "/health")
	do(app, "HEAD", "/users/7")
	do(app, "GET", "/%0a%1b[31mfake")
	do(app, "GET", "/broken")
	do(app, "GET", "/stream")
	records := log.records(t, "request")
	if len(records) != 5 {
		t.Fatalf("%d records: %v", len(records), records)
	}
	want := map[string]any{"level": "INFO", "method": "GET", "path": "/users/7", "route": "/users/<int:id>",
		"status": 200.0, "bytes": 4.0, "client": "192.0.2.1", "duration": 7e6, "shop": "berlin"}
	for name, value := range want {
		if records[0][name] != value {
			t.Errorf("%s is %v, want %v", name, records[0][name], value)
		}
	}
	if id, _ := records[0]["request_id"].(string); len(id) != 26 {
		t.Errorf("the request id is %q", id)
	}
	if records[1]["method"] != "HEAD" || records[1]["bytes"] != 0.0 {
		t.Errorf("HEAD is %v", records[1])
	}
	if path := fmt.Sprint(records[2]["path"]); strings.ContainsAny(path, "\n\x1b") || records[2]["status"] != 404.0 {
		t.Errorf("the path is %q", path)
	}
	if records[3]["level"] != "WARN" || records[3]["status"] != 500.0 {
		t.Errorf("an error is %v", records[3])
	}
	if records[4]["duration"] != 1e9 {
		t.Errorf("a stream is %v", records[4])
	}
	if strings.Contains(log.text(), "hunter2") {
		t.Error("a query is logged")
	}
	t.Run("bytes as they were sent", func(t *testing.T) {
		app, log := newApp(t)
		app.Use(middleware.AccessLog(middleware.AccessLogOptions{}), middleware.Compress(middleware.CompressOptions{}))
		app.Get("/packed", text(strings.Repeat("x", 10_000)))
		app.Get("/stream", func(*ishaa.Request) (any, error) {
			return ishaa.Stream("application/octet-stream", func(w *ishaa.StreamWriter) error { _, err := w.Write(make([]byte, 777)); return err }), nil
		})
		packed := do(app, "GET", "/packed", "Accept-Encoding: gzip").Body.Len()
		do(app, "GET", "/stream")
		records := log.records(t, "request")
		if len(records) != 2 || records[0]["bytes"] != float64(packed) || records[1]["bytes"] != 777.0 {
			t.Errorf("%v, want %d and 777 bytes", records, packed)
		}
	})
	t.Run("a connection that was cut", func(t *testing.T) {
		app, log := newApp(t)
		app.Use(middleware.AccessLog(middleware.AccessLogOptions{}))
		app.Get("/", func(*ishaa.Request) (any, error) { panic(http.ErrAbortHandler) })
		panicText(t, func() { do(app, "GET", "/") })
		records := log.records(t, "request")
		if len(records) != 1 || records[0]["status"] != 500.0 || records[0]["aborted"] != true {
			t.Errorf("%v", records)
		}
	})
	t.Run("the id that was set", func(t *testing.T) {
		app, log := newApp(t)
		app.Use(middleware.AccessLog(middleware.AccessLogOptions{}),
			middleware.RequestID(middleware.RequestIDOptions{Header: "X-Trace", New: func() string { return "mine" }}))
		var id string
		app.Get("/", func(r *ishaa.Request) (any, error) { id = r.ID(); return nil, nil })
		do(app, "GET", "/")
		if records := log.records(t, "request"); id != "mine" || len(records) != 1 || records[0]["request_id"] != "mine" {
			t.Errorf("the id is %q, the log %v", id, records)
		}
	})
	t.Run("a logger of its own", func(t *testing.T) {
		own := &logBook{}
		app, log := newApp(t)
		app.Use(middleware.AccessLog(middleware.AccessLogOptions{Logger: slog.New(slog.NewJSONHandler(own, nil))}))
		app.Get("/", text("x"))
		do(app, "GET", "/")
		if len(own.records(t, "request")) != 1 || len(log.records(t, "request")) != 0 {
			t.Errorf("own %q, application's %q", own.text(), log.text())
		}
	})
}

func TestBodyLimit(t *testing.T) {
	app, _ := newApp(t)
	app.Use(middleware.BodyLimit(10))
	echo := func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		return ishaa.Text(string(data)), err
	}
	app.Post("/", echo)
	app.Post("/large", echo, ishaa.BodyLimit(20))
	app.Post("/small", echo, ishaa.BodyLimit(5))
	app.Post("/form", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		return ishaa.Text(form.Value("a")), nil
	})
	app.Mount("/old/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(413)
			return
		}
		_, _ = w.Write(data)
	}))
	for _, c := range []struct {
		path   string
		bytes  int
		status int
	}{
		{"/", 10, 200}, {"/", 11, 413}, {"/", 0, 200}, {"/", 1 << 20, 413},
		{"/large", 20, 200}, {"/large", 21, 413}, {"/small", 5, 200}, {"/small", 6, 413},
		{"/form", 10, 200}, {"/form", 11, 413}, {"/old/x", 10, 200}, {"/old/x", 11, 413},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprint(c.path, c.bytes, chunked), func(t *testing.T) {
				body := "a=" + strings.Repeat("x", max(0, c.bytes-2))
				body = body[:c.bytes]
				r := httptest.NewRequest("POST", c.path, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				if chunked {
					r.ContentLength = -1
				}
				w := httptest.NewRecorder()
				app.ServeHTTP(w, r)
				wantStatus(t, w, c.status)
			})
		}
	}
	t.Run("on a single route", func(t *testing.T) {
		app, _ := newApp(t)
		app.Post("/", echo, middleware.BodyLimit(10))
		wantStatus(t, doBody(app, "POST", "/", strings.Repeat("x", 10)), 200)
		wantStatus(t, doBody(app, "POST", "/", strings.Repeat("x", 11)), 413)
	})
	wantMistake(t, "positive", func() { middleware.BodyLimit(0) })
}

func ExampleRealIP() {
	app := ishaa.New("shop")
	app.Use(middleware.RealIP(middleware.RealIPOptions{
		Proxies: []string{"10.0.0.0/8"},
		Header:  "X-Real-IP",
	}))
	app.Get("/", func(r *ishaa.Request) (any, error) {
		return ishaa.Text(r.Client().Addr().String()), nil
	})

	fmt.Println(do(app, "GET", "/", "Peer: 10.0.0.7:1234", "X-Real-IP: 203.0.113.9").Body)
	// Output: 203.0.113.9
}
