package ishaa_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

func TestRoutesMatch(t *testing.T) {
	app := newApp(t)
	app.Get("/users/<int:id>", echo, ishaa.Name("user"))
	app.Get("/users/<name>", echo)
	app.Get("/users/new", echo)
	app.Post("/users/<int:id>", echo)
	app.Get("/files/<path:rest>", echo)
	app.Get("/shelf/", echo)
	app.Get("/", echo, ishaa.Host("<tenant>.example.com"))
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"typed parameter", []string{"/users/7"}, []string{"→ GET /users/<int:id>", `id = "7"`, "passed over:", "which takes less than <name>", "it is for POST only"}},
		{"written out", []string{"/users/new"}, []string{"→ GET /users/new", `has "new" written out, which goes before <name>`}},
		{"only one", []string{"/files/a/b"}, []string{"→ GET /files/<path:rest>", "the only one", `rest = "a/b"`}},
		{"other method", []string{"/users/7", "--method", "post"}, []string{"→ POST /users/<int:id>", "it is for GET only"}},
		{"head", []string{"/users/7", "--method", "HEAD"}, []string{"→ GET /users/<int:id>"}},
		{"wrong method", []string{"/files/a", "--method", "DELETE"}, []string{"→ 405 Method Not Allowed", "Allow: GET, HEAD, OPTIONS", "it is for GET only"}},
		{"options", []string{"/files/a", "--method", "OPTIONS"}, []string{"→ 204 No Content", "answered by itself"}},
		{"slash", []string{"/shelf"}, []string{"→ 308 Permanent Redirect", "/shelf/"}},
		{"nothing", []string{"/nothing"}, []string{"→ 404 Not Found", "no pattern fits", "name it with --host"}},
		{"host", []string{"/", "--host", "ann.example.com"}, []string{"→ GET <tenant>.example.com/"}},
		{"host in the path", []string{"http://ann.example.com/"}, []string{"→ GET <tenant>.example.com/"}},
		{"escaped", []string{"/users/a%2Fb?x=1"}, []string{"→ GET /users/<name>", `name = "a/b"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := command(t, app, append([]string{"routes", "--match"}, test.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in\n%s", want, got)
				}
			}
		})
	}

	// What it says is what serving does.
	got, err := command(t, app, "routes", "--match", "/users/7", "--json")
	var m struct {
		Route      struct{ Pattern, Name string }
		Parameters map[string]string
		Others     []struct{ Pattern, Reason string }
	}
	if err != nil || json.Unmarshal([]byte(got), &m) != nil || m.Route.Name != "user" || m.Parameters["id"] != "7" || len(m.Others) != 2 {
		t.Errorf("%v\n%s", err, got)
	}
	for _, args := range [][]string{{"--match", "users"}, {"--match", ""}, {"--match", "/", "--method", "A B"}, {"--method", "GET"}} {
		if got, err := command(t, app, append([]string{"routes"}, args...)...); err == nil {
			t.Errorf("%q: no error but %s", args, got)
		}
	}
}
