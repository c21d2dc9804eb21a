package main

import (
	"fmt"
	"net/http"

	"github.com/ishaa-framework/ishaa"
)

// addNetHTTP shows that what was written for net/http works as it is.
func addNetHTTP(app *ishaa.App, c *catalog) {
	// Middleware of the usual shape, around everything.
	app.Use(ishaa.Std(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Robots-Tag", "noindex")
			next.ServeHTTP(w, r)
		})
	}))

	// The shop's old site, a handler with a mux of its own. The security headers, the log and the limits apply to it too.
	old := http.NewServeMux()
	old.HandleFunc("GET /stock", func(w http.ResponseWriter, r *http.Request) {
		albums, err := c.albums.Count(r.Context())
		if err != nil {
			http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
			return
		}
		tracks, err := c.tracks.Count(r.Context())
		if err != nil {
			http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "%d albums, %d tracks\n", albums, tracks)
	})
	app.Mount("/old/", http.StripPrefix("/old", old))
}
