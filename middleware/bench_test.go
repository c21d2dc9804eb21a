package middleware_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/fieldline"
	"github.com/ishaa-framework/ishaa/middleware"
)

// reused is a writer that costs nothing, with a map of headers as net/http's has.
type reused struct{ header http.Header }

func (w *reused) reset() http.ResponseWriter {
	if w.header == nil {
		w.header = http.Header{}
	}
	clear(w.header)
	return w
}

func (w *reused) Header() http.Header         { return w.header }
func (w *reused) Write(p []byte) (int, error) { return len(p), nil }
func (w *reused) WriteHeader(int)             {}

// lined is a writer that takes fields as package server's does, and writes them.
type lined struct {
	reused
	head fieldline.Head
	out  []byte
	used bool // the map is
}

func (w *lined) reset() http.ResponseWriter {
	if w.used {
		w.reused.reset()
		w.used = false
	}
	w.head.Reset(w)
	return w
}

func (w *lined) FieldHead() *fieldline.Head { return &w.head }

func (w *lined) Header() http.Header {
	if !w.used {
		w.used = true
		w.reused.reset()
		w.head.MoveTo(w.header)
	}
	return w.header
}

func (w *lined) WriteHeader(int) { w.out, _ = w.head.AppendTo(w.out[:0]) }

// five are the five usual middlewares.
func five(logger *slog.Logger) []ishaa.Middleware {
	return []ishaa.Middleware{
		middleware.Recover(middleware.RecoverOptions{}),
		middleware.RequestID(middleware.RequestIDOptions{}),
		middleware.AccessLog(middleware.AccessLogOptions{Logger: logger}),
		middleware.SecurityHeaders(middleware.SecurityHeaderOptions{}),
		middleware.CORS(middleware.CORSOptions{Origins: []string{shop}}),
	}
}

// throughFive are the ways through five middlewares that are compared with the bare
// route, which has no defaults either. The log is formatted and thrown away, or not
// made at all.
var throughFive = []struct {
	name     string
	log      ishaa.Config
	defaults bool // four of the five are the secure defaults as they are
	five     bool
	without  string // one of the five
}{
	{name: "bare route"},
	{name: "five/log off", five: true},
	{name: "five/log line", log: ishaa.Config{LogTo: io.Discard}, five: true},
	{name: "five/log line by slog", log: ishaa.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}, five: true},
	{name: "defaults and CORS/log off", defaults: true},
	{name: "defaults and CORS/log line", log: ishaa.Config{LogTo: io.Discard}, defaults: true},
	{name: "four/no recover", five: true, without: ishaa.DefaultRecover},
	{name: "four/no request id", five: true, without: ishaa.DefaultRequestID},
	{name: "four/no access log", five: true, without: ishaa.DefaultAccessLog},
	{name: "four/no security headers", five: true, without: ishaa.DefaultSecurityHeaders},
	{name: "four/no CORS", five: true, without: middleware.NameCORS},
}

// resettable is a writer that is used again.
type resettable interface{ reset() http.ResponseWriter }

// through returns what sends one request on way i.
func through(i int, w resettable) func() {
	c := throughFive[i]
	config := c.log
	if config.LogTo == nil && config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	app := ishaa.New("bench", config)
	app.Without(ishaa.DefaultCSRF, ishaa.DefaultBodyLimit)
	if c.defaults {
		app.Use(five(nil)[4])
	} else {
		app.Without(ishaa.DefaultRecover, ishaa.DefaultRequestID, ishaa.DefaultAccessLog, ishaa.DefaultSecurityHeaders)
	}
	for _, m := range five(nil) {
		if c.five && m.Name != c.without {
			app.Use(m)
		}
	}
	app.Get("/users/<int:id>", func(r *ishaa.Request) (any, error) {
		return map[string]int64{"id": r.ParamInt("id")}, nil
	})
	r := httptest.NewRequest("GET", "/users/7", nil)
	r.Header.Set("Origin", shop)
	r.Header.Set("User-Agent", "bench")
	return func() { app.ServeHTTP(w.reset(), r) }
}

// writers are the kinds of writers that a request may have.
var writers = []struct {
	name string
	make func() resettable
}{
	{"map", func() resettable { return &reused{} }},
	{"lines", func() resettable { return &lined{} }},
}

// BenchmarkFive is a request through five usual middlewares beside the bare route,
// in process.
func BenchmarkFive(b *testing.B) {
	for i, c := range throughFive {
		for _, writer := range writers {
			b.Run(c.name+"/"+writer.name, func(b *testing.B) {
				send := through(i, writer.make())
				b.ReportAllocs()
				for b.Loop() {
					send()
				}
			})
		}
	}
}
