package files_test

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/files"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// In an application: uploads, the statuses of refusals, and downloads whose headers
// are the files' own, not the application's.
func TestInAnApplication(t *testing.T) {
	s := open(t, t.TempDir(), func(o *files.Options) { o.Types, o.MaxSize = []string{"image/png"}, 1000 })
	app := ishaa.New("shop")
	ishaatest.Logs(t, app)
	app.Post("/files/<name>", func(r *ishaa.Request) (any, error) {
		body, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		return s.Save(r.Context(), r.Param("name"), bytes.NewReader(body))
	})
	app.Get("/files/<id>", func(r *ishaa.Request) (any, error) { return ishaa.Serve(s.Inline(r.Param("id"))), nil })
	do := func(method, target, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
		return w
	}
	for body, status := range map[string]int{png: 200, page: 415, png + strings.Repeat("x", 1000): 413} {
		if w := do("POST", "/files/a.png", body); w.Code != status {
			t.Errorf("%q…: %d %s", body[:8], w.Code, w.Body)
		}
	}
	for f, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		w := do("GET", "/files/"+f.ID, "")
		if w.Code != 200 || w.Body.String() != png || w.Header()["Content-Security-Policy"][0] != files.Policy || len(w.Header()["Content-Security-Policy"]) != 1 {
			t.Errorf("%d %v", w.Code, w.Header())
		}
	}
	for _, target := range []string{"/files/..%2f..%2fetc%2fpasswd", "/files/" + strings.Repeat("a", 26), "/files/NUL"} {
		if w := do("GET", target, ""); w.Code != 404 {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}
