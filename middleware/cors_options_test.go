package middleware_test

import (
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

func TestCORSRefusesMistakes(t *testing.T) {
	for _, c := range []struct {
		name    string
		options middleware.CORSOptions
		want    string
	}{
		{"everybody with credentials", middleware.CORSOptions{Origins: []string{"*"}, Credentials: true}, "list the origins"},
		{"everybody among others", middleware.CORSOptions{Origins: []string{"*", shop}}, "give it alone"},
		{"everybody and a function", middleware.CORSOptions{Origins: []string{"*"}, AllowOrigin: func(*ishaa.Request, string) bool { return true }}, "never be asked"},
		{"the opaque origin", middleware.CORSOptions{Origins: []string{"null"}}, "sandboxed"},
		{"no scheme", middleware.CORSOptions{Origins: []string{"example.com"}}, `"https://example.com"`},
		{"a slash", middleware.CORSOptions{Origins: []string{shop + "/"}}, shop},
		{"a path", middleware.CORSOptions{Origins: []string{shop + "/x"}}, shop},
		{"capitals", middleware.CORSOptions{Origins: []string{"https://Shop.example.com"}}, "lower case"},
		{"not ASCII", middleware.CORSOptions{Origins: []string{"https://bücher.example"}}, "xn--"},
		{"the scheme's own port", middleware.CORSOptions{Origins: []string{shop + ":443"}}, "leave the scheme's own port out"},
		{"a user", middleware.CORSOptions{Origins: []string{"https://me@example.com"}}, "browsers"},
		{"a star inside", middleware.CORSOptions{Origins: []string{"https://a.*.example.com"}}, "at the front"},
		{"a star in a label", middleware.CORSOptions{Origins: []string{"https://a*.example.com"}}, "at the front"},
		{"two stars", middleware.CORSOptions{Origins: []string{"https://*.*.example.com"}}, "one *"},
		{"a whole top-level domain", middleware.CORSOptions{Origins: []string{"https://*.com"}}, "top-level"},
		{"any scheme", middleware.CORSOptions{Origins: []string{"*://example.com"}}, "browsers"},
		{"two ports", middleware.CORSOptions{Origins: []string{"http://localhost:81:*"}}, "two ports"},
		{"any method with credentials", middleware.CORSOptions{Origins: []string{shop}, Credentials: true, Methods: []string{"*"}}, "list the names"},
		{"any header with credentials", middleware.CORSOptions{Origins: []string{shop}, Credentials: true, Headers: []string{"*"}}, "list the names"},
		{"everything exposed with credentials", middleware.CORSOptions{Origins: []string{shop}, Credentials: true, Expose: []string{"*"}}, "list the names"},
		{"a method in lower case", middleware.CORSOptions{Methods: []string{"put"}}, `"PUT"`},
		{"a method that is none", middleware.CORSOptions{Methods: []string{"P T"}}, "not a method"},
		{"a forbidden method", middleware.CORSOptions{Methods: []string{"TRACE"}}, "TRACE"},
		{"a header that is none", middleware.CORSOptions{Headers: []string{"X: y\r\nZ"}}, "not a name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantMistake(t, c.want, func() { middleware.CORS(c.options) })
		})
	}
}
