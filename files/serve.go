package files

import (
	"errors"
	"net/http"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/secure"
)

// policy is for files that are opened as pages all the same: nothing runs, nothing is
// loaded, and the page has an origin of its own.
const policy = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"

// Handler gives a file out as a download: under the name it had, with its type by
// content, ranges, an ETag and the If-* conditions. An id that there is not is a 404.
//
//	return ishaa.Serve(uploads.Handler(id)), nil
func (s *Storage) Handler(id string) http.Handler { return s.handler(id, "attachment") }

// Inline is Handler for files that a page shows: images, sound, video and plain text.
// Others are downloads all the same.
func (s *Storage) Inline(id string) http.Handler { return s.handler(id, "inline") }

func (s *Storage) handler(id, disposition string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, f, err := s.Open(r.Context(), id)
		if err != nil {
			status := http.StatusInternalServerError
			if errors.Is(err, ErrNotFound) {
				status = http.StatusNotFound
			}
			http.Error(w, http.StatusText(status), status)
			return
		}
		defer content.Close()
		kind := disposition
		if !shown(f.Type) {
			kind = "attachment"
		}
		header := w.Header()
		header.Set("Content-Type", f.Type)
		if strings.HasPrefix(f.Type, "text/") {
			header.Set("Content-Type", f.Type+"; charset=utf-8")
		}
		header.Set("Content-Disposition", secure.ContentDisposition(kind, f.Name))
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Security-Policy", policy)
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Etag", `"`+f.SHA256+`"`)
		if header.Get("Cache-Control") == "" {
			header.Set("Cache-Control", "private, no-cache")
		}
		http.ServeContent(w, r, "", f.Created, content)
	})
}
