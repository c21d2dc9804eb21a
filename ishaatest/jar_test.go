package ishaatest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestJar(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name    string
		from    string   // the URL that sets the cookies
		set     []string // Set-Cookie lines
		later   time.Duration
		to      string // the URL of the next request
		sent    string
		refused string // part of the message, "" when all are taken
	}{
		{name: "a cookie", set: []string{"a=1"}, sent: "a=1"},
		{name: "the last value", set: []string{"a=1", "a=2"}, sent: "a=2"},
		{name: "in the order of creation", set: []string{"b=1", "a=1", "b=2"}, sent: "b=2 a=1"},
		{name: "longer paths first", from: "/x/y", set: []string{"a=1; Path=/", "b=2; Path=/x", "c=3; Path=/x/y"}, sent: "c=3 b=2 a=1"},
		{name: "same name on two paths", from: "/x", set: []string{"a=1; Path=/", "a=2; Path=/x"}, sent: "a=2 a=1"},

		{name: "default path is the folder", from: "/shop/cart", set: []string{"a=1"}, to: "/shop/pay", sent: "a=1"},
		{name: "and not above it", from: "/shop/cart", set: []string{"a=1"}, to: "/", sent: ""},
		{name: "a path covers what is below", set: []string{"a=1; Path=/x"}, to: "/x/y", sent: "a=1"},
		{name: "and itself", set: []string{"a=1; Path=/x"}, to: "/x", sent: "a=1"},
		{name: "but not what begins like it", set: []string{"a=1; Path=/x"}, to: "/xy", sent: ""},
		{name: "a path with a slash at the end", set: []string{"a=1; Path=/x/"}, to: "/x/y", sent: "a=1"},
		{name: "which is not the path without", set: []string{"a=1; Path=/x/"}, to: "/x", sent: ""},
		{name: "a path that is none", from: "/s/t", set: []string{"a=1; Path=x"}, to: "/s", sent: "a=1"},

		{name: "Max-Age before its end", set: []string{"a=1; Max-Age=60"}, later: time.Minute - 1, sent: "a=1"},
		{name: "Max-Age at its end", set: []string{"a=1; Max-Age=60"}, later: time.Minute, sent: ""},
		{name: "Expires before its end", set: []string{"a=1; Expires=Tue, 01 Jan 2030 00:01:00 GMT"}, later: time.Minute - 1, sent: "a=1"},
		{name: "Expires at its end", set: []string{"a=1; Expires=Tue, 01 Jan 2030 00:01:00 GMT"}, later: time.Minute, sent: ""},
		{name: "Max-Age goes before Expires", set: []string{"a=1; Expires=Tue, 01 Jan 2030 00:01:00 GMT; Max-Age=3600"}, later: time.Minute, sent: "a=1"},
		{name: "with the session", set: []string{"a=1"}, later: 1e6 * time.Hour, sent: "a=1"},
		{name: "deleted by Max-Age", set: []string{"a=1", "a=; Max-Age=0"}, sent: ""},
		{name: "deleted by Expires", set: []string{"a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:01 GMT"}, sent: ""},
		{name: "a deletion on another path", set: []string{"a=1", "a=; Max-Age=0; Path=/x"}, sent: "a=1"},

		{name: "host only", from: "https://shop.example/", set: []string{"a=1"}, to: "https://www.shop.example/", sent: ""},
		{name: "a domain", from: "https://www.shop.example/", set: []string{"a=1; Domain=shop.example"}, to: "https://shop.example/", sent: "a=1"},
		{name: "a domain and its hosts", from: "https://shop.example/", set: []string{"a=1; Domain=.Shop.example"}, to: "https://a.b.SHOP.example:8443/", sent: "a=1"},
		{name: "but not what ends like it", from: "https://shop.example/", set: []string{"a=1; Domain=shop.example"}, to: "https://myshop.example/", sent: ""},
		{name: "another domain", from: "https://shop.example/", set: []string{"a=1; Domain=bank.example"}, sent: "", refused: "bank.example does not include the host shop.example"},
		{name: "a domain below the host", from: "https://shop.example/", set: []string{"a=1; Domain=www.shop.example"}, sent: "", refused: "does not include"},
		{name: "a top-level domain", from: "https://shop.example/", set: []string{"a=1; Domain=example"}, sent: "", refused: "top-level domain"},
		{name: "an address", from: "http://127.0.0.1/", set: []string{"a=1; Domain=127.0.0.1"}, sent: "a=1"},
		{name: "part of an address", from: "http://127.0.0.1/", set: []string{"a=1; Domain=0.0.1"}, sent: "", refused: "does not include"},

		{name: "Secure over TLS", from: "https://shop.example/", set: []string{"a=1; Secure"}, sent: "a=1"},
		{name: "Secure, then without TLS", from: "https://shop.example/", set: []string{"a=1; Secure"}, to: "http://shop.example/", sent: ""},
		{name: "Secure without TLS", from: "http://shop.example/", set: []string{"a=1; Secure"}, sent: "", refused: "use ishaatest.TLS()"},
		{name: "Secure on this machine", from: "http://localhost:8000/", set: []string{"a=1; Secure"}, sent: "a=1"},
		{name: "Secure on a loopback address", from: "http://[::1]/", set: []string{"a=1; Secure"}, sent: "a=1"},
		{name: "__Host-", set: []string{"__Host-a=1; Secure; Path=/"}, sent: "__Host-a=1"},
		{name: "__Host- without Secure", set: []string{"__Host-a=1; Path=/"}, sent: "", refused: "__Host-"},
		{name: "__Host- with a path", set: []string{"__Host-a=1; Secure; Path=/x"}, sent: "", refused: "__Host-"},
		{name: "__Host- with a domain", set: []string{"__Host-a=1; Secure; Path=/; Domain=localhost"}, sent: "", refused: "__Host-"},
		{name: "__Secure- without Secure", set: []string{"__Secure-a=1"}, sent: "", refused: "__Secure-"},
		{name: "SameSite=None without Secure", set: []string{"a=1; SameSite=None"}, sent: "", refused: "SameSite=None"},
		{name: "a line that is no cookie", set: []string{"=1", "b=2"}, sent: "b=2", refused: `Set-Cookie "=1"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := now
			jar := newJar(func() time.Time { return clock })
			from := absolute(t, "http://localhost/", test.from)
			refused := jar.store(from, http.Header{"Set-Cookie": test.set})
			if got := strings.Join(refused, "\n"); !strings.Contains(got, test.refused) || (got == "") != (test.refused == "") {
				t.Errorf("refused %q, want %q", got, test.refused)
			}
			clock = clock.Add(test.later)
			var sent []string
			for _, cookie := range jar.cookies(absolute(t, from.String(), test.to)) {
				sent = append(sent, cookie.Name+"="+cookie.Value)
			}
			if got := strings.Join(sent, " "); got != test.sent {
				t.Errorf("sent %q, want %q", got, test.sent)
			}
		})
	}
}

func absolute(t *testing.T, base, ref string) *url.URL {
	t.Helper()
	u, err := url.Parse(base)
	if err == nil {
		u, err = u.Parse(ref)
	}
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestJarForgets(t *testing.T) {
	jar := newJar(time.Now)
	u := absolute(t, "http://localhost/", "")
	for i := range 3 {
		if err := jar.put(u, &http.Cookie{Name: fmt.Sprint("c", i), Value: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(jar.cookies(u)); n != 3 {
		t.Errorf("%d cookies, want 3", n)
	}
	jar.clear()
	if n := len(jar.cookies(u)); n != 0 {
		t.Errorf("%d cookies after clear", n)
	}
}
