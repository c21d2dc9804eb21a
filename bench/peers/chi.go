package peers

import (
	"io"
	"log"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/cors"
)

// chiPeer is chi with its own middlewares. Its request id stays inside the program; security headers are set one by
// one, by its SetHeader. Typed handlers are written by hand there, as on net/http, and have no row.
func chiPeer() Peer {
	return Peer{Name: "chi", Module: "github.com/go-chi/chi/v5", Handlers: map[Work]func() http.Handler{
		Plain: func() http.Handler {
			r := chi.NewRouter()
			r.Get("/plain", greet)
			return r
		},
		Param: func() http.Handler {
			r := chi.NewRouter()
			r.Get("/users/{name}", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				io.WriteString(w, "Hello, "+chi.URLParam(r, "name"))
			})
			return r
		},
		Five: func() http.Handler {
			r := chi.NewRouter()
			r.Use(
				middleware.Recoverer,
				middleware.RequestID,
				middleware.RequestLogger(&middleware.DefaultLogFormatter{Logger: log.New(io.Discard, "", log.LstdFlags)}),
				cors.Handler(cors.Options{AllowedOrigins: []string{origin}}),
			)
			for name, value := range Secured() {
				r.Use(middleware.SetHeader(name, value))
			}
			r.Get("/plain", greet)
			return r
		},
	}}
}
