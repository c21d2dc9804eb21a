package ishaa_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
	ishaaserver "github.com/ishaa-framework/ishaa/server"
)

// A writer of package server takes headers as lines, without a map. Whoever has a hand in the headers, the client gets the
// same from it as from net/http's.
func TestHeadersWithoutAMap(t *testing.T) {
	noLeaks(t)
	const shop = "https://shop.example.com"
	app := ishaa.New("lines", ishaa.Config{LogTo: io.Discard})
	app.Use(middleware.CORS(middleware.CORSOptions{Origins: []string{shop, "https://*.example.org"}, Credentials: true, Expose: []string{"Etag"}}))
	add := func(path string, handler ishaa.Handler, options ...ishaa.RouteOption) {
		app.Get(path, handler, options...)
	}
	value := func(path string, value any, options ...ishaa.RouteOption) {
		add(path, func(*ishaa.Request) (any, error) { return value, nil }, options...)
	}
	value("/page", "<p>page</p>")
	value("/empty", "")
	value("/json", map[string]int{"a": 1})
	value("/bytes", []byte("\x00\x01"))
	value("/text", ishaa.Text("text"))
	value("/html", ishaa.HTML("<b>b</b>"))
	value("/image", ishaa.Bytes("image/x", []byte("image")))
	value("/long", ishaa.Text(strings.Repeat("long ", 1000)))
	value("/none", ishaa.NoContent)
	value("/nil", nil)
	value("/same", ishaa.Text("unchanged").WithStatus(304))
	value("/made", ishaa.Text("made").WithStatus(201).WithHeader("Location", "/made/1"))
	value("/typed", ishaa.Text("a,b").WithHeader("Content-Type", "text/csv"))
	value("/cookie", ishaa.Text("cookie").WithCookie(&http.Cookie{Name: "a", Value: "b"}))
	value("/policy", ishaa.Text("policy").WithHeader("Content-Security-Policy", "default-src 'none'"))
	value("/sequence", slices.Values([]int{1, 2}))
	add("/reader", func(*ishaa.Request) (any, error) { return strings.NewReader("read"), nil })
	value("/served", ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Seen", w.Header().Get("X-Content-Type-Options"))
		io.WriteString(w, "served")
	})))
	value("/wrong", ishaa.Text("x").WithHeader("X-A", "a\r\nX-B: c"))
	add("/fails", func(*ishaa.Request) (any, error) { return nil, errors.New("broken") })
	add("/late", func(r *ishaa.Request) (any, error) {
		r.Response().SetStatus(202)
		return ishaa.Text("late"), ishaa.NotFound("not here")
	})
	add("/panics", func(*ishaa.Request) (any, error) { panic("broken") })
	add("/early", func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("X-Early", r.Response().Header().Get("Vary"))
		return "<p>early</p>", nil
	})
	add("/nonce", func(r *ishaa.Request) (any, error) { middleware.Nonce(r); return "<p>nonce</p>", nil },
		middleware.SecurityHeaders(middleware.SecurityHeaderOptions{CSPReportOnly: "default-src 'self'"}))
	add("/rendered", func(r *ishaa.Request) (any, error) { return r.Render(ishaa.Text("rendered")) })
	add("/captured", func(r *ishaa.Request) (any, error) {
		_, value, err := r.Capture(func(r *ishaa.Request) (any, error) { return []int{1}, nil })
		return value, err
	})
	value("/after", "after", ishaa.Middleware{Name: "after", After: func(_ *ishaa.Request, res *ishaa.Response) error {
		res.Header().Set("X-Type", res.Header().Get("Content-Type"))
		return nil
	}})
	value("/replaced", "after", ishaa.Middleware{Name: "replaced", After: func(_ *ishaa.Request, res *ishaa.Response) error {
		res.SetBytes([]byte("others"))
		return nil
	}})
	value("/std", "<p>std</p>", ishaa.Std(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Cookie")
			next.ServeHTTP(w, r)
		})
	}))
	value("/twice", "twice", middleware.SecurityHeaders(middleware.SecurityHeaderOptions{ReferrerPolicy: "no-referrer"}))
	value("/zipped", ishaa.Text(strings.Repeat("zip ", 1000)), middleware.Compress(middleware.CompressOptions{}))
	add("/hinted", func(r *ishaa.Request) (any, error) {
		return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "</a.css>")
			w.WriteHeader(http.StatusEarlyHints)
			io.WriteString(w, "hinted")
		})), nil
	})
	if err := app.Start(context.Background()); err != nil {
		t.Fatal(err)
	}

	std := httptest.NewServer(app)
	defer std.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own := &ishaaserver.Server{Handler: app}
	done := make(chan error, 1)
	go func() { done <- own.Serve(listener) }()
	defer func() {
		own.Close()
		<-done
	}()
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	get := func(base, method, path, origin string) string {
		r, err := http.NewRequestWithContext(t.Context(), method, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if path == "/zipped" {
			r.Header.Set("Accept-Encoding", "gzip")
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if id := res.Header.Get("X-Request-Id"); len(id) < 16 {
			t.Errorf("%s: the request id is %q", path, id)
		}
		if path == "/nonce" && res.StatusCode == http.StatusOK {
			for _, name := range []string{"Content-Security-Policy", "Content-Security-Policy-Report-Only"} {
				if policy := res.Header.Get(name); !strings.Contains(policy, "'nonce-") {
					t.Errorf("no nonce in %q", policy)
				}
				res.Header.Del(name)
			}
		}
		for _, own := range []string{"Date", "X-Request-Id"} {
			res.Header.Del(own)
		}
		if res.StatusCode >= 500 || strings.Contains(string(body), "request_id") {
			body = nil // has the id
			res.Header.Del("Content-Length")
		}
		return fmt.Sprintf("%d %v %q", res.StatusCode, sortedHeader(res.Header), body)
	}
	paths := []string{"/nowhere", "/page/"}
	for _, route := range app.Routes() {
		paths = append(paths, route.Pattern())
	}
	if len(paths) < 30 {
		t.Fatalf("only %d paths", len(paths))
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "DELETE"} {
			for _, origin := range []string{"", shop, "https://a.example.org", "https://evil.example.net"} {
				want, got := get(std.URL, method, path, origin), get("http://"+listener.Addr().String(), method, path, origin)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s %s, Origin %q:\nnet/http %s\nserver   %s", method, path, origin, want, got)
				}
			}
		}
	}
}

// sortedHeader is every field with its values, in the order of the names.
func sortedHeader(header http.Header) []string {
	var list []string
	for name, values := range header {
		list = append(list, fmt.Sprintf("%s: %q", name, values))
	}
	slices.Sort(list)
	return list
}
