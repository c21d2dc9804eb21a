package secure

import (
	"net/http"
	"strings"
	"testing"
)

func TestDefaultHeaders(t *testing.T) {
	h, err := NewHeaders(HeaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	plain, onTLS := http.Header{}, http.Header{}
	h.Apply(plain, false)
	h.Apply(onTLS, true)
	for name, want := range map[string]string{
		"X-Content-Type-Options":     "nosniff",
		"Referrer-Policy":            "strict-origin-when-cross-origin",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Content-Security-Policy":    DefaultPolicy,
	} {
		if plain.Get(name) != want || onTLS.Get(name) != want {
			t.Errorf("%s is %q and on TLS %q, want %q", name, plain.Get(name), onTLS.Get(name), want)
		}
	}
	if len(plain) != 4 || len(onTLS) != 5 {
		t.Errorf("headers are %v and on TLS %v", plain, onTLS)
	}
	if got := onTLS.Get("Strict-Transport-Security"); got != "max-age=63072000" {
		t.Errorf("HSTS is %q", got)
	}
	for _, name := range []string{"Server", "X-Powered-By", "X-Frame-Options", "Access-Control-Allow-Origin", "Access-Control-Allow-Private-Network"} {
		if _, sent := onTLS[name]; sent {
			t.Errorf("%s is sent", name)
		}
	}
}

func TestApplyOverwritesNothing(t *testing.T) {
	h, _ := NewHeaders(HeaderOptions{Extra: map[string]string{"permissions-policy": "camera=()"}})
	dst := http.Header{"Content-Security-Policy": {"mine"}, "Referrer-Policy": nil, "Strict-Transport-Security": {"max-age=1"}}
	h.Apply(dst, true)
	if dst.Get("Content-Security-Policy") != "mine" || dst.Get("Strict-Transport-Security") != "max-age=1" {
		t.Errorf("headers were overwritten: %v", dst)
	}
	if dst["Referrer-Policy"] != nil {
		t.Error("a header that was taken out came back")
	}
	if dst.Get("Permissions-Policy") != "camera=()" {
		t.Errorf("an extra header is missing: %v", dst)
	}
	// One answer's Add does not leak into the next.
	dst.Add("X-Content-Type-Options", "other")
	next := http.Header{}
	h.Apply(next, true)
	if got := next["X-Content-Type-Options"]; len(got) != 1 || got[0] != "nosniff" {
		t.Errorf("the next answer has %v", got)
	}
	var none *Headers
	none.Apply(next, true)
	if !none.CSP().IsZero() {
		t.Error("no headers have a policy")
	}
}

func TestHeaderOptions(t *testing.T) {
	off, err := NewHeaders(HeaderOptions{NoCSP: true, ReferrerPolicy: Off, OpenerPolicy: Off, HSTS: Off})
	if err != nil {
		t.Fatal(err)
	}
	dst := http.Header{}
	off.Apply(dst, true)
	if len(dst) != 1 || dst.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("with all off there is %v", dst)
	}
	for name, o := range map[string]HeaderOptions{
		"line break in a value": {ReferrerPolicy: "a\r\nX: y"},
		"line break in extra":   {Extra: map[string]string{"X-A": "a\nb"}},
		"NUL":                   {HSTS: "a\x00"},
		"not a name":            {Extra: map[string]string{"X A": "b"}},
		"empty value":           {Extra: map[string]string{"X-A": ""}},
		"given twice":           {Extra: map[string]string{"referrer-policy": "no-referrer"}},
	} {
		if _, err := NewHeaders(o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestApplyDoesNotAllocate(t *testing.T) {
	h, _ := NewHeaders(HeaderOptions{})
	dst := make(http.Header, 16)
	if n := testing.AllocsPerRun(100, func() { clear(dst); h.Apply(dst, true) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkApply(b *testing.B) {
	h, _ := NewHeaders(HeaderOptions{})
	dst := make(http.Header, 16)
	b.ReportAllocs()
	for b.Loop() {
		clear(dst)
		h.Apply(dst, true)
	}
}

func TestCSP(t *testing.T) {
	if got := DefaultCSP().String(); got != DefaultPolicy {
		t.Errorf("the default is %q, want %q", got, DefaultPolicy)
	}
	for _, needed := range []string{"default-src 'self'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'none'", "object-src 'none'"} {
		if !strings.Contains(DefaultPolicy, needed) {
			t.Errorf("the default lacks %q", needed)
		}
	}
	c, err := DefaultCSP().With("Script-Src", "'self'", "https://cdn.example")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.String(); got != DefaultPolicy+"; script-src 'self' https://cdn.example" {
		t.Errorf("with scripts: %q", got)
	}
	if c, err = c.With("frame-ancestors", "'self'"); err != nil || !strings.Contains(c.String(), "; frame-ancestors 'self'; object-src") {
		t.Errorf("replaced: %q, %v", c, err)
	}
	if got := c.Without("img-src").Without("absent").String(); strings.Contains(got, "img-src") {
		t.Errorf("without images: %q", got)
	}
	if got := DefaultCSP().String(); got != DefaultPolicy {
		t.Errorf("changing a copy changed the default: %q", got)
	}
	if sources, ok := c.Sources("script-src"); !ok || len(sources) != 2 {
		t.Errorf("sources are %v, %v", sources, ok)
	}
	if c, err := ParseCSP(" upgrade-insecure-requests ;; sandbox "); err != nil || c.String() != "upgrade-insecure-requests; sandbox" {
		t.Errorf("directives without sources: %q, %v", c, err)
	}
}

func TestCSPRefuses(t *testing.T) {
	for name, policy := range map[string]string{
		"twice": "default-src 'self'; DEFAULT-SRC *", "comma": "default-src a, b", "line break": "default-src a\x00b",
		"no name": "'self'", "unquoted keyword": "script-src self", "unquoted nonce": "script-src nonce-abc",
	} {
		if c, err := ParseCSP(policy); err == nil {
			t.Errorf("%s: %q became %q", name, policy, c)
		}
	}
	if _, err := DefaultCSP().With("script-src", "a;b"); err == nil {
		t.Error("a source breaks out of its directive")
	}
	if _, err := DefaultCSP().With("script-src", "a b"); err == nil {
		t.Error("two sources pass as one")
	}
}

func TestNonce(t *testing.T) {
	for _, c := range []struct{ policy, want string }{
		{"default-src 'self'", "default-src 'self'; script-src 'self' 'nonce-N'; style-src 'self' 'nonce-N'"},
		{"default-src 'none'", "default-src 'none'; script-src 'nonce-N'; style-src 'nonce-N'"},
		{"script-src 'none'; img-src *", "script-src 'nonce-N'; img-src *"},
		{"default-src 'self'; style-src a.example", "default-src 'self'; style-src a.example 'nonce-N'; script-src 'self' 'nonce-N'"},
		{"img-src *", "img-src *"},
	} {
		csp, err := ParseCSP(c.policy)
		if err != nil {
			t.Fatal(err)
		}
		if got := csp.Nonced("N"); got != c.want {
			t.Errorf("%q with a nonce is %q, want %q", c.policy, got, c.want)
		}
		for _, bad := range []string{"", "a b", "a;b", "a\nb"} {
			if got := csp.Nonced(bad); got != csp.String() {
				t.Errorf("the nonce %q gave %q", bad, got)
			}
		}
	}
}

// CVE-2020-7695: response splitting.
func TestHeaderNamesAndValues(t *testing.T) {
	for _, good := range []string{"", "a", "a b\tc", "ü", "\xff", " a "} {
		if !ValidHeaderValue(good) {
			t.Errorf("value %q is refused", good)
		}
	}
	for _, bad := range []string{"a\r\nX: 1", "a\nb", "a\rb", "\x00", "\x7f", "a\x1b[31m"} {
		if ValidHeaderValue(bad) {
			t.Errorf("value %q is accepted", bad)
		}
	}
	for _, good := range []string{"A", "x-a_b", "!#$%&'*+-.^_`|~09"} {
		if !ValidHeaderName(good) {
			t.Errorf("name %q is refused", good)
		}
	}
	for _, bad := range []string{"", "a b", "a:", "a\n", "ü", "a(b)", "a\x00", "a/b"} {
		if ValidHeaderName(bad) {
			t.Errorf("name %q is accepted", bad)
		}
	}
}
