package pprof_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware/pprof"
)

func Example() {
	app := ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(pprof.Plugin(pprof.Local()))
	for _, peer := range []string{"127.0.0.1:1000", "203.0.113.9:1000"} {
		raw := httptest.NewRequest("GET", "http://localhost:8000/debug/pprof/", nil)
		raw.RemoteAddr = peer
		w := httptest.NewRecorder()
		app.ServeHTTP(w, raw)
		fmt.Println(peer, w.Code)
	}
	// Output:
	// 127.0.0.1:1000 200
	// 203.0.113.9:1000 403
}

func newApp(debug bool) *ishaa.App {
	return ishaa.New("test", ishaa.Config{Debug: debug, Logger: slog.New(slog.DiscardHandler)})
}

func get(app *ishaa.App, method, target, peer string) *httptest.ResponseRecorder {
	raw := httptest.NewRequest(method, "http://localhost:8000"+target, nil)
	raw.RemoteAddr = peer
	w := httptest.NewRecorder()
	app.ServeHTTP(w, raw)
	return w
}

const here, elsewhere = "127.0.0.1:1000", "203.0.113.9:1000"

func TestProfiles(t *testing.T) {
	app := newApp(false)
	app.Install(pprof.Plugin(pprof.Local()))
	gzip := []byte{0x1f, 0x8b}
	for _, c := range []struct {
		method, target string
		status         int
		contains       string
	}{
		{"GET", "/debug/pprof/", 200, "Types of profiles available"},
		{"GET", "/debug/pprof/heap", 200, string(gzip)},
		{"GET", "/debug/pprof/goroutine?debug=1", 200, "goroutine profile: total"},
		{"GET", "/debug/pprof/cmdline", 200, "pprof.test"},
		{"GET", "/debug/pprof/symbol?0x0", 200, "num_symbols: 1"},
		{"POST", "/debug/pprof/symbol", 200, "num_symbols: 1"},
		{"GET", "/debug/pprof/profile?seconds=1", 200, string(gzip)},
		{"GET", "/debug/pprof/trace?seconds=0.01", 200, "go 1."},
		{"GET", "/debug/pprof/nothing", 404, "Unknown profile"},
		{"POST", "/debug/pprof/heap", 405, ""},
		{"GET", "/debug/pprof/a/b", 404, ""},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			w := get(app, c.method, c.target, here)
			if w.Code != c.status || !bytes.Contains(w.Body.Bytes(), []byte(c.contains)) {
				t.Errorf("status %d, want %d with %q:\n%.300q", w.Code, c.status, c.contains, w.Body)
			}
			if c.status == 200 {
				if w := get(app, c.method, c.target, elsewhere); w.Code != 403 {
					t.Errorf("a client elsewhere gets %d", w.Code)
				}
			}
		})
	}
}

func TestNoProfilesWithoutAGuard(t *testing.T) {
	if w := get(newApp(true), "GET", "/debug/pprof/", here); w.Code != 404 {
		t.Errorf("without the plugin: %d", w.Code)
	}
	for name, guards := range map[string][]ishaa.RouteOption{
		"none":                       nil,
		"an option that is no guard": {ishaa.BodyLimit(10)},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if message := fmt.Sprint(recover()); !strings.Contains(message, "pprof.Plugin(pprof.Local())") || !strings.Contains(message, "pprof_test.go:") {
					t.Errorf("Install: %s", message)
				}
			}()
			newApp(false).Install(pprof.Plugin(guards...))
		})
	}
}

func TestDebugModeIsLocal(t *testing.T) {
	app := newApp(true)
	app.Install(pprof.Plugin())
	if w := get(app, "GET", "/debug/pprof/", here); w.Code != 200 {
		t.Errorf("here: %d", w.Code)
	}
	if w := get(app, "GET", "/debug/pprof/", elsewhere); w.Code != 403 {
		t.Errorf("elsewhere: %d", w.Code)
	}
}

// A guard of the program's own replaces the rule, also in debug mode.
func TestOwnGuard(t *testing.T) {
	app := newApp(true)
	app.Install(pprof.Plugin(ishaa.Middleware{Name: "key", Before: func(r *ishaa.Request) (any, error) {
		if r.Header("X-Key") != "open" {
			return nil, ishaa.Unauthorized("who are you?")
		}
		return nil, nil
	}}))
	if w := get(app, "GET", "/debug/pprof/", here); w.Code != 401 {
		t.Errorf("without the key: %d", w.Code)
	}
	raw := httptest.NewRequest("GET", "/debug/pprof/", nil)
	raw.Header.Set("X-Key", "open")
	w := httptest.NewRecorder()
	if app.ServeHTTP(w, raw); w.Code != 200 {
		t.Errorf("with the key: %d", w.Code)
	}
}
