package ishaa_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

type customerID int

func (id customerID) Format(fmt.State, rune) { panic("URL does not format") }

func TestURL(t *testing.T) {
	app := newApp(t)
	app.Get("/", echo, ishaa.Name("index"))
	app.Get("/users/<int:id>", echo, ishaa.Name("user"))
	app.Get("/files/<path:p>", echo, ishaa.Name("files"))
	app.Get("/tags/<tag>/", echo, ishaa.Name("tag"))
	app.Get("/when/<at>", echo, ishaa.Name("when"))
	app.Get("/u/<uuid:u>", echo, ishaa.Name("uuid"))
	app.Get("/home", echo, ishaa.Name("home"), ishaa.Host("<tenant>.example.com"))
	app.Mount("/m/", http.NotFoundHandler(), ishaa.Name("mount"))
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	var nowhere *url.URL
	cases := []struct {
		name  string
		pairs []any
		want  string // or a part of the error's text
	}{
		{"index", nil, "/"},
		{"user", []any{"id", 7}, "/users/7"},
		{"user", []any{"id", int64(-7)}, "/users/-7"},
		{"user", []any{"id", customerID(7)}, "/users/7"},
		{"user", []any{"id", "7"}, "/users/7"},
		{"user", []any{"id", 7, "page", 2, "q", "a b&c"}, "/users/7?page=2&q=a+b%26c"},
		{"user", []any{"id", 7, "all", true, "f", 0.5, "f32", float32(0.1)}, "/users/7?all=true&f=0.5&f32=0.1"},
		{"files", []any{"p", "a/b c/d%e"}, "/files/a/b%20c/d%25e"},
		{"tag", []any{"tag", "a/b?c#d"}, "/tags/a%2Fb%3Fc%23d/"},
		{"tag", []any{"tag", "日本"}, "/tags/%E6%97%A5%E6%9C%AC/"},
		{"tag", []any{"tag", `\evil`}, "/tags/%5Cevil/"},
		{"when", []any{"at", at}, "/when/2026-01-02T03:04:05.000000006Z"},
		{"when", []any{"at", 90 * time.Second}, "/when/1m30s"},
		{"uuid", []any{"u", [16]byte{0x6b, 0xa7}}, "/u/6ba70000-0000-0000-0000-000000000000"},
		{"home", []any{"tenant", "Acme"}, "//acme.example.com/home"},

		{"usr", nil, `no route named "usr"; did you mean "user"?`},
		{"user", nil, `no value for the parameter "id"`},
		{"user", []any{"id"}, "give name, value pairs"},
		{"user", []any{7, "id"}, "where a parameter's name is expected"},
		{"user", []any{"id", "seven"}, "not accepted by its converter int"},
		{"user", []any{"id", []int{7}}, "cannot stand in a URL"},
		{"user", []any{"id", nil}, "cannot stand in a URL"},
		{"user", []any{"id", nowhere}, "nil *url.URL"},
		{"tag", []any{"tag", ""}, "is empty"},
		{"tag", []any{"tag", ".."}, "which clients resolve"},
		{"tag", []any{"tag", "a\x00"}, "NUL"},
		{"files", []any{"p", "../etc/passwd"}, "which clients resolve"},
		{"files", []any{"p", "/etc/passwd"}, "relative path"},
		{"home", nil, `"tenant" of the host is missing`},
		{"home", []any{"tenant", "evil.example/"}, "cannot be one label of a host"},
		{"mount", nil, "no single address"},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.name, " ", strings.TrimPrefix(c.want, "/")), func(t *testing.T) {
			got, err := app.URL(c.name, c.pairs...)
			switch isURL := strings.HasPrefix(c.want, "/"); {
			case isURL && (err != nil || got != c.want):
				t.Errorf("URL is %q, %v, want %q", got, err, c.want)
			case !isURL && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("URL is %q, %v, want an error with %q", got, err, c.want)
			}
		})
	}
}

// What URL builds leads back to the route, with the same values.
func TestURLRoundTrip(t *testing.T) {
	app := newApp(t)
	var got [2]string
	app.Get("/a/<x>/<path:y>", func(r *ishaa.Request) (any, error) {
		got = [2]string{r.Param("x"), r.Param("y")}
		return nil, nil
	}, ishaa.Name("a"))
	random := rand.New(rand.NewPCG(3, 4))
	alphabet := []rune("abcXYZ019-._~!$&'()*+,;=:@%?#[]{}|\\^`\"<> /\t\n\r\u007f\u0080éß日本\U0001F600\u202e")
	word := func(not string) string {
		runes := make([]rune, 1+random.IntN(8))
		for i := range runes {
			runes[i] = alphabet[random.IntN(len(alphabet))]
			for strings.ContainsRune(not, runes[i]) {
				runes[i] = alphabet[random.IntN(len(alphabet))]
			}
		}
		if strings.Trim(string(runes), ".") == "" {
			return "x" + string(runes)
		}
		return string(runes)
	}
	s := serve(t, app)
	for range 300 {
		x, y := word(""), word(`\/`)+"/"+word(`\/`)
		target, err := app.URL("a", "x", x, "y", y)
		if err != nil {
			t.Fatalf("URL of %q and %q: %v", x, y, err)
		}
		if res := s.rawRequest("GET", target, "app.test"); res.status != 204 || got != [2]string{x, y} {
			t.Fatalf("%q and %q became %s, which gave %q and\n%s", x, y, target, got, res)
		}
	}
}
