package ishaa_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// Pages of a program that "ishaa run --reload" runs get a script; fragments, other answers and other programs do not.
func TestLiveReload(t *testing.T) {
	const page = "<!DOCTYPE html><title>page</title>"
	for _, test := range []struct {
		name, build  string
		debug        bool
		answer       func(r *ishaa.Request) (any, error)
		want, header string
	}{
		{"a page", "7", true, func(*ishaa.Request) (any, error) { return page, nil }, `<script src="/_ishaa/reload.js?build=7" defer></script>`, ""},
		{"with a nonce", "7", true, func(r *ishaa.Request) (any, error) {
			r.Response().Header().Set("Content-Security-Policy", "script-src 'nonce-abc+/='")
			return page, nil
		}, `<script src="/_ishaa/reload.js?build=7" defer nonce="abc+/="></script>`, ""},
		{"a fragment", "7", true, func(*ishaa.Request) (any, error) { return "<p>part</p>", nil }, "", ""},
		{"JSON", "7", true, func(*ishaa.Request) (any, error) { return []int{1}, nil }, "", ""},
		{"not in debug mode", "7", false, func(*ishaa.Request) (any, error) { return page, nil }, "", ""},
		{"not reloading", "", true, func(*ishaa.Request) (any, error) { return page, nil }, "", ""},
		{"a 404", "7", true, func(*ishaa.Request) (any, error) { return nil, ishaa.NotFound("gone") }, "/_ishaa/reload.js", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("ISHAA_RELOAD", test.build)
			app := newApp(t, ishaa.Config{Debug: test.debug, LogTo: io.Discard})
			app.Get("/", test.answer)
			res := do(t, app, "GET", "/", withHeader("Accept", "text/html"), withHeader("Accept-Encoding", "gzip"))
			if got := strings.Contains(res.body, "/_ishaa/reload.js"); got != (test.want != "") || !strings.Contains(res.body, test.want) {
				t.Errorf("%s\nwant %q", res.body, test.want)
			}
			script := do(t, app, "GET", "/_ishaa/reload.js?build=7")
			if want := test.build != "" && test.debug; (script.status == http.StatusOK) != want {
				t.Errorf("the script is answered by %d", script.status)
			}
		})
	}
}
