package ishaa_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

func TestRedirect(t *testing.T) {
	for _, c := range []struct {
		target   string
		status   int
		location string
	}{
		{"/there", 303, "/there"},
		{"https://example.com/a?b=c#d", 303, "https://example.com/a?b=c#d"},
		{"/straße/ü b", 303, "/stra%C3%9Fe/%C3%BC%20b"},
		{"/a%2Fb", 303, "/a%2Fb"},
		{"/a\r\nSet-Cookie: x=1", 500, ""},
	} {
		app := newApp(t)
		app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.Redirect(c.target), nil })
		res := do(t, app, "GET", "/").want(t, c.status)
		same(t, "Location", res.header.Get("Location"), c.location)
		if c.status == 303 {
			res.wantBody(t, 303, "")
		}
		res.wantHeader(t, "Set-Cookie")
	}
	app := newApp(t)
	app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.Redirect("/x").WithStatus(308), nil })
	do(t, app, "GET", "/").want(t, 308)
}

func TestRedirectLocal(t *testing.T) {
	var list struct {
		Bad  []string `json:"redirect_bad"`
		Good []string `json:"redirect_good"`
	}
	data, err := os.ReadFile(filepath.Join(testenv.Conformance(t), "defaults", "redirect_hosts.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &list); err != nil || len(list.Bad) < 30 {
		t.Fatalf("%d bad targets: %v", len(list.Bad), err)
	}
	app := newApp(t)
	app.Get("/go", func(r *ishaa.Request) (any, error) { return ishaa.RedirectLocal(r.Query("next"), "/fallback"), nil })
	next := func(target string) string {
		var escaped strings.Builder
		for i := range len(target) {
			fmt.Fprintf(&escaped, "%%%02x", target[i])
		}
		return do(t, app, "GET", "/go?next="+escaped.String()).want(t, 303).header.Get("Location")
	}
	for _, target := range append(list.Bad, "", "//evil.example", `/\evil.example`, "/\t/evil.example", "/\n/evil.example",
		"/.//evil.example", "/x/..//evil.example", "/%2e%2e//evil.example", "evil.example", "?next=x", "/a b", "/\u2028/x", "/\xff") {
		same(t, fmt.Sprintf("next=%q", target), next(target), "/fallback")
	}
	for target, want := range map[string]string{
		"/": "/", "/ok?a=//x#y": "/ok?a=//x#y", "/view/?param=http://example.com": "/view/?param=http://example.com",
		"/url%20with%20spaces/": "/url%20with%20spaces/", "/straße": "/stra%C3%9Fe",
	} {
		same(t, "next="+target, next(target), want)
	}
}

func TestAttachment(t *testing.T) {
	for name, want := range map[string]string{
		"report.pdf":      `attachment; filename="report.pdf"`,
		"two words.txt":   `attachment; filename="two words.txt"`,
		`setup.bat";x=.t`: `attachment; filename="setup.bat__x=.t"; filename*=UTF-8''setup.bat%22%3Bx%3D.t`,
		"naïve.txt":       `attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt`,
		"../../etc/x":     `attachment; filename="x"`,
		"a\r\nX: 1":       `attachment; filename="a__X_ 1"`,
		"":                `attachment; filename="download"`,
	} {
		app := newApp(t)
		app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.Text("x").Attachment(name), nil })
		do(t, app, "GET", "/").want(t, 200).wantHeader(t, "Content-Disposition", want)
	}
}

func TestCookies(t *testing.T) {
	for _, c := range []struct {
		name   string
		cookie *http.Cookie
		tls    bool
		want   string // "" is refused
		why    string // in the log
	}{
		{"defaults", &http.Cookie{Name: "a", Value: "1"}, false, "a=1; Path=/; HttpOnly; SameSite=Lax", ""},
		{"over TLS always Secure", &http.Cookie{Name: "a", Value: "1"}, true, "a=1; Path=/; HttpOnly; SameSite=Lax; Secure", ""},
		{"Secure but once", &http.Cookie{Name: "a", Value: "1", Secure: true, HttpOnly: true}, true, "a=1; Path=/; HttpOnly; Secure; SameSite=Lax", ""},
		{"settings stay", &http.Cookie{Name: "a", Value: "1", Path: "/x", SameSite: http.SameSiteStrictMode, MaxAge: 5}, false, "a=1; Path=/x; Max-Age=5; HttpOnly; SameSite=Strict", ""},
		{"__Host-", &http.Cookie{Name: "__Host-a", Value: "1", Secure: true}, false, "__Host-a=1; Path=/; HttpOnly; Secure; SameSite=Lax", ""},
		{"__Host- without Secure", &http.Cookie{Name: "__Host-a", Value: "1"}, false, "", "needs Secure"},
		{"__Host- with a domain", &http.Cookie{Name: "__Host-a", Value: "1", Secure: true, Domain: "example.com"}, false, "", "allows no Domain"},
		{"__Host- below a path", &http.Cookie{Name: "__Host-a", Value: "1", Secure: true, Path: "/x"}, false, "", `needs Path`},
		{"__Secure- without Secure", &http.Cookie{Name: "__secure-a", Value: "1"}, false, "", "needs Secure"},
		{"SameSite=None without Secure", &http.Cookie{Name: "a", Value: "1", SameSite: http.SameSiteNoneMode}, false, "", "needs Secure"},
		{"a name that is none", &http.Cookie{Name: "a b", Value: "1"}, false, "", "not a token"},
		{"no name", &http.Cookie{Value: "1"}, false, "", "not a token"},
		{"a value with a line break", &http.Cookie{Name: "a", Value: "1\r\nX: 1"}, false, "", "cannot carry"},
		{"a value with a semicolon", &http.Cookie{Name: "a", Value: "1; Domain=x"}, false, "", "cannot carry"},
		{"too long", &http.Cookie{Name: "a", Value: strings.Repeat("x", 4096)}, false, "", "browsers keep 4096"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for how, h := range map[string]ishaa.Handler{
				"on the request's answer": func(r *ishaa.Request) (any, error) { r.Response().SetCookie(c.cookie); return "x", nil },
				"on one of its own":       func(*ishaa.Request) (any, error) { return ishaa.Text("x").WithCookie(c.cookie), nil },
			} {
				app, log := loggedApp(t)
				app.Get("/", h)
				var options []requestOption
				if c.tls {
					options = append(options, withTLS())
				}
				res := do(t, app, "GET", "/", options...)
				if c.want != "" {
					if res.want(t, 200); !sameAttributes(res.header.Get("Set-Cookie"), c.want) || len(res.header["Set-Cookie"]) != 1 {
						t.Errorf("%s: Set-Cookie is %q, want %q", how, res.header["Set-Cookie"], c.want)
					}
					continue
				}
				res.wantProblem(t, 500, "").wantHeader(t, "Set-Cookie")
				if failed := fmt.Sprint(log.records(t, "request failed")); !strings.Contains(failed, c.why) || strings.Contains(failed, "xxxx") {
					t.Errorf("%s: the log says %s, want %q and never the value", how, failed, c.why)
				}
			}
		})
	}
}

// sameAttributes compares cookies without regard to the order of attributes.
func sameAttributes(a, b string) bool {
	split := func(s string) []string {
		parts := strings.Split(s, "; ")
		slices.Sort(parts[1:])
		return parts
	}
	return slices.Equal(split(a), split(b))
}

func TestDeleteCookie(t *testing.T) {
	app := newApp(t)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		r.Response().DeleteCookie("a")
		r.Response().DeleteCookie("__Host-b")
		return nil, nil
	})
	cookies := do(t, app, "GET", "/").want(t, 204).header["Set-Cookie"]
	for i, want := range []string{"a=; Path=/; Max-Age=0;", "__Host-b=; Path=/; Max-Age=0;"} {
		plain := strings.Replace(cookies[i], " Expires=Thu, 01 Jan 1970 00:00:01 GMT;", "", 1)
		if !strings.HasPrefix(plain, want) || (i == 1) != strings.Contains(plain, "Secure") {
			t.Errorf("deleting is %q, want %q", cookies[i], want)
		}
	}
}
