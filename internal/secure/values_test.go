package secure

import (
	"math/bits"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRequestIDs(t *testing.T) {
	const n = 20_000
	var mu sync.Mutex
	var all sync.WaitGroup
	seen := make(map[string]bool, n)
	ones := 0
	for range 4 {
		all.Go(func() {
			for range n / 4 {
				id := NewRequestID()
				mu.Lock()
				if len(id) != 26 || !ValidRequestID(id) || seen[id] {
					t.Errorf("id %q is not fresh or not valid", id)
				}
				seen[id] = true
				for i := range 25 { // the 26th letter has three bits only
					ones += bits.OnesCount(uint(strings.IndexByte(idAlphabet, id[i])))
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	// 2,500,000 fair bits have 1,250,000 ± 791 ones; ten deviations never happen.
	if ones < 1_242_000 || ones > 1_258_000 {
		t.Errorf("%d of 2,500,000 bits are set", ones)
	}
	if allocs := testing.AllocsPerRun(1000, func() { NewRequestID() }); allocs > 1 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestRequestIDEncodesAllBits(t *testing.T) {
	// The last letter holds bits 125 to 127, so it takes 8 values and no more.
	last := map[byte]bool{}
	for range 2000 {
		last[NewRequestID()[25]] = true
	}
	if len(last) != 8 {
		t.Errorf("the last letter takes %d values, want 8", len(last))
	}
}

func TestValidRequestID(t *testing.T) {
	for _, good := range []string{"a", "0", "A-b_c.9", strings.Repeat("x", 64), "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"} {
		if !ValidRequestID(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", 65), "a b", "a\n", "a\x1b[31m", "ü", "a/b", "a\"", "<a>", "a=b", "a:b"} {
		if ValidRequestID(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestNonceIsFreshAndFits(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		n := Nonce()
		if len(n) != 22 || !isSource(n) || strings.Trim(n, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" || seen[n] {
			t.Fatalf("nonce %q", n)
		}
		seen[n] = true
	}
}

func TestCookies(t *testing.T) {
	def := func(change func(*http.Cookie)) *http.Cookie {
		c := DefaultCookie("id", "abc", true)
		change(c)
		return c
	}
	for _, c := range []struct {
		name   string
		cookie *http.Cookie
		ok     bool
	}{
		{"default on TLS", DefaultCookie("id", "abc", true), true},
		{"default without TLS", DefaultCookie("id", "abc", false), true},
		{"__Host- on TLS", DefaultCookie("__Host-id", "abc", true), true},
		{"__Host- without TLS", DefaultCookie("__Host-id", "abc", false), false},
		{"__Host- with a domain", def(func(c *http.Cookie) { c.Name, c.Domain = "__Host-id", "a.example" }), false},
		{"__Host- with a path", def(func(c *http.Cookie) { c.Name, c.Path = "__Host-id", "/a" }), false},
		{"__Host- without a path", def(func(c *http.Cookie) { c.Name, c.Path = "__Host-id", "" }), false},
		{"__host- in lower case is the same prefix", def(func(c *http.Cookie) { c.Name, c.Path = "__host-id", "/a" }), false},
		{"__Secure- on TLS", DefaultCookie("__Secure-id", "abc", true), true},
		{"__Secure- with a domain", def(func(c *http.Cookie) { c.Name, c.Domain = "__Secure-id", "a.example" }), true},
		{"__Secure- without TLS", DefaultCookie("__SECURE-id", "abc", false), false},
		{"__Http- without HttpOnly", def(func(c *http.Cookie) { c.Name, c.HttpOnly = "__Http-id", false }), false},
		{"__Host-Http- without HttpOnly", def(func(c *http.Cookie) { c.Name, c.HttpOnly = "__Host-Http-id", false }), false},
		{"SameSite=None on TLS", def(func(c *http.Cookie) { c.SameSite = http.SameSiteNoneMode }), true},
		{"SameSite=None without Secure", &http.Cookie{Name: "a", SameSite: http.SameSiteNoneMode}, false},
		{"Partitioned without Secure", &http.Cookie{Name: "a", Partitioned: true}, false},
		{"nil", nil, false},
		{"no name", DefaultCookie("", "a", true), false},
		{"space in the name", DefaultCookie("a b", "a", true), false},
		{"equals sign in the name", DefaultCookie("a=b", "a", true), false},
		{"line break in the name", DefaultCookie("a\r\nb", "a", true), false},
		{"empty value", DefaultCookie("a", "", true), true},
		{"base 64", DefaultCookie("a", "+/==", true), true},
		{"line break in the value", DefaultCookie("a", "a\r\nSet-Cookie: b=c", true), false},
		{"semicolon in the value", DefaultCookie("a", "b; Domain=evil", true), false},
		{"quote in the value", DefaultCookie("a", `"`, true), false},
		{"backslash in the value", DefaultCookie("a", `\`, true), false},
		{"umlaut in the value", DefaultCookie("a", "ü", true), false},
		{"NUL in the value", DefaultCookie("a", "\x00", true), false},
		{"semicolon in the path", def(func(c *http.Cookie) { c.Path = "/;a" }), false},
		{"domain that is none", def(func(c *http.Cookie) { c.Domain = "a b" }), false},
		{"expiry in another age", def(func(c *http.Cookie) { c.Expires = time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC) }), false},
		{"4096 bytes", DefaultCookie("a", strings.Repeat("x", 4096-len(DefaultCookie("a", "", true).String())), true), true},
		{"4097 bytes", DefaultCookie("a", strings.Repeat("x", 4097-len(DefaultCookie("a", "", true).String())), true), false},
	} {
		if err := CheckCookie(c.cookie); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := CheckCookie(DefaultCookie("a", "sEcReT\x00", true)); strings.Contains(err.Error(), "sEcReT") {
		t.Errorf("the error gives the value away: %v", err)
	}
}

func TestDefaultCookieIsWrittenSafely(t *testing.T) {
	if got := DefaultCookie("__Host-id", "v", true).String(); got != "__Host-id=v; Path=/; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("on TLS: %s", got)
	}
	if got := DefaultCookie("id", "v", false).String(); got != "id=v; Path=/; HttpOnly; SameSite=Lax" {
		t.Errorf("without TLS: %s", got)
	}
}

func BenchmarkNewRequestID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewRequestID()
	}
}
