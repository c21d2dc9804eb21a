package middleware_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

// reused is a writer that costs nothing.
type reused struct{ header http.Header }

func (w *reused) reset() {
	if w.header == nil {
		w.header = http.Header{}
	}
	clear(w.header)
}

func (w *reused) Header() http.Header         { return w.header }
func (w *reused) Write(p []byte) (int, error) { return len(p), nil }
func (w *reused) WriteHeader(int)             {}

// BenchmarkFive is a request through five usual middlewares beside the bare route,
// in process. The log is made and thrown away, or not made at all.
func BenchmarkFive(b *testing.B) {
	discard := slog.New(slog.DiscardHandler)
	written := slog.New(slog.NewTextHandler(io.Discard, nil))
	five := func(logger *slog.Logger) []ishaa.Middleware {
		return []ishaa.Middleware{
			middleware.Recover(middleware.RecoverOptions{}),
			middleware.RequestID(middleware.RequestIDOptions{}),
			middleware.AccessLog(middleware.AccessLogOptions{Logger: logger}),
			middleware.SecurityHeaders(middleware.SecurityHeaderOptions{}),
			middleware.CORS(middleware.CORSOptions{Origins: []string{shop}}),
		}
	}
	for _, c := range []struct {
		name     string
		bare     bool // no defaults either
		defaults bool // the five secure defaults as they are
		logger   *slog.Logger
		without  string // one of the five
	}{
		{"bare route", true, false, nil, ""},
		{"five/log discarded", true, false, discard, ""},
		{"five/log written", true, false, written, ""},
		{"defaults and CORS/log discarded", false, true, discard, ""},
		{"four/no recover", true, false, discard, ishaa.DefaultRecover},
		{"four/no request id", true, false, discard, ishaa.DefaultRequestID},
		{"four/no access log", true, false, discard, ishaa.DefaultAccessLog},
		{"four/no security headers", true, false, discard, ishaa.DefaultSecurityHeaders},
		{"four/no CORS", true, false, discard, middleware.NameCORS},
	} {
		b.Run(c.name, func(b *testing.B) {
			app := ishaa.New("bench", ishaa.Config{Logger: discard})
			if c.bare {
				app.Without(ishaa.DefaultRecover, ishaa.DefaultRequestID, ishaa.DefaultAccessLog,
					ishaa.DefaultSecurityHeaders, ishaa.DefaultCSRF, ishaa.DefaultBodyLimit)
			}
			switch {
			case c.defaults:
				app.Use(five(c.logger)[4])
			case c.logger != nil:
				for _, m := range five(c.logger) {
					if m.Name != c.without {
						app.Use(m)
					}
				}
			}
			app.Get("/users/<int:id>", func(r *ishaa.Request) (any, error) {
				return map[string]int64{"id": r.ParamInt("id")}, nil
			})
			r := httptest.NewRequest("GET", "/users/7", nil)
			r.Header.Set("Origin", shop)
			r.Header.Set("User-Agent", "bench")
			w := &reused{}
			b.ReportAllocs()
			for b.Loop() {
				w.reset()
				app.ServeHTTP(w, r)
			}
		})
	}
}
