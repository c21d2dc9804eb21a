package static_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/static"
)

// nowhere is a writer that costs nothing.
type nowhere struct {
	header http.Header
	status int
}

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (w *nowhere) WriteHeader(status int)      { w.status = status }

// BenchmarkServe is a file of 4 KiB, in process and without the secure defaults,
// beside the file server of net/http.
func BenchmarkServe(b *testing.B) {
	text := strings.Repeat("x", 4096)
	dir := b.TempDir()
	write(b, dir, map[string]string{"css/app.css": text})
	memory := fstest.MapFS{"css/app.css": {Data: []byte(text), ModTime: long}}
	app := func(files *static.Files) http.Handler {
		app := ishaa.New("bench", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
		app.Without(ishaa.DefaultRecover, ishaa.DefaultRequestID, ishaa.DefaultAccessLog, ishaa.DefaultSecurityHeaders, ishaa.DefaultCSRF)
		app.Install(files)
		if err := app.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		return app
	}
	folder := static.Dir(dir, "/static")
	served := app(folder)
	for _, c := range []struct {
		name    string
		handler http.Handler
		path    string
		etag    string
		status  int
	}{
		{"folder/plain", served, "/static/css/app.css", "", 200},
		{"folder/hashed", served, folder.URL("css/app.css"), "", 200},
		{"folder/not modified", served, "/static/css/app.css", etagOf(text), 304},
		{"folder/missing", served, "/static/css/none.css", "", 404},
		{"memory/plain", app(static.FS(memory, "/static")), "/static/css/app.css", "", 200},
		{"net-http folder", http.StripPrefix("/static", http.FileServer(http.Dir(dir))), "/static/css/app.css", "", 200},
		{"net-http memory", http.StripPrefix("/static", http.FileServerFS(memory)), "/static/css/app.css", "", 200},
	} {
		b.Run(c.name, func(b *testing.B) {
			req := httptest.NewRequest("GET", c.path, nil)
			if c.etag != "" {
				req.Header.Set("If-None-Match", c.etag)
			}
			w := &nowhere{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				c.handler.ServeHTTP(w, req)
			}
			if w.status != c.status {
				b.Fatalf("status %d, want %d", w.status, c.status)
			}
		})
	}
	b.Run("URL", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			folder.URL("css/app.css")
		}
	})
}
