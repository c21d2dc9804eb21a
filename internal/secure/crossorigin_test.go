package secure

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCrossOrigin(t *testing.T) {
	guard, err := NewCrossOrigin(CrossOriginOptions{
		TrustedOrigins: []string{"https://admin.example.com", "http://localhost:5173"},
		ExemptPaths:    []string{"/hook", "/hook/stripe"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const tls, plain = true, false
	for _, c := range []struct {
		name, method, target string
		site, origin         string
		tls                  bool
		ok                   bool
	}{
		{"reading is free", "GET", "/", "cross-site", "https://evil.example", tls, true},
		{"so are HEAD and OPTIONS", "HEAD", "/", "cross-site", "", tls, true},
		{"not a browser", "POST", "/", "", "", plain, true},
		{"same origin", "POST", "/", "same-origin", "http://shop.example", plain, true},
		{"typed in the address bar", "POST", "/", "none", "", tls, true},
		{"another site", "POST", "/", "cross-site", "https://evil.example", tls, false},
		{"another site, JSON as text/plain or not", "PUT", "/", "cross-site", "", tls, false},
		{"Origin null", "POST", "/", "cross-site", "null", tls, false},
		{"Origin null, old browser", "POST", "/", "", "null", plain, false},
		{"a sibling subdomain", "POST", "/", "same-site", "https://evil.shop.example", tls, false},
		{"unknown methods change things", "PROPFIND", "/", "cross-site", "", tls, false},
		{"lower-case get is not GET", "get", "/", "cross-site", "", tls, false},
		{"old browser, same origin", "POST", "/", "", "https://shop.example", tls, true},
		{"old browser, same origin without TLS", "POST", "/", "", "http://shop.example", plain, true},
		{"old browser, behind a TLS proxy nobody told us of", "POST", "/", "", "https://shop.example", plain, true},
		{"old browser, another site", "POST", "/", "", "https://evil.example", tls, false},
		{"http page on an https site (CVE-2025-47909)", "POST", "/", "", "http://shop.example", tls, false},
		{"http page in capitals on an https site", "POST", "/", "", "HTTP://shop.example", tls, false},
		{"a host that starts like ours (CVE-2025-24358)", "POST", "/", "", "http://shop.example.evil.example", plain, false},
		{"a port that is none", "POST", "/", "", "http://shop.example:80.evil.example", plain, false},
		{"our name as user", "POST", "/", "", "http://shop.example@evil.example", plain, false},
		{"our name as path", "POST", "/", "", "http://evil.example/shop.example", plain, false},
		{"another port", "POST", "/", "", "http://shop.example:8080", plain, false},
		{"not an origin", "POST", "/", "", "garbage", plain, false},
		{"trusted", "POST", "/", "cross-site", "https://admin.example.com", tls, true},
		{"trusted, old browser", "POST", "/", "", "https://admin.example.com", tls, true},
		{"trusted http origin on an https site", "POST", "/", "", "http://localhost:5173", tls, true},
		{"trusted name, other scheme", "POST", "/", "cross-site", "http://admin.example.com", tls, false},
		{"starts like a trusted one", "POST", "/", "cross-site", "https://admin.example.com.evil.example", tls, false},
		{"exempt", "POST", "/hook", "cross-site", "https://evil.example", tls, true},
		{"exempt with a query", "POST", "/hook/stripe?a=1", "cross-site", "https://evil.example", tls, true},
		{"below an exempt path", "POST", "/hook/other", "cross-site", "https://evil.example", tls, false},
		{"exempt with a slash more", "POST", "/hook/", "cross-site", "https://evil.example", tls, false},
		{"dot segments (CVE-2025-47910)", "POST", "/hook/../admin", "cross-site", "https://evil.example", tls, false},
		{"dot segments that lead to it", "POST", "/x/../hook", "cross-site", "https://evil.example", tls, false},
		{"double slash", "POST", "//hook", "cross-site", "https://evil.example", tls, false},
		{"encoded", "POST", "/%68ook", "cross-site", "https://evil.example", tls, false},
		{"encoded slash", "POST", "/hook%2Fstripe", "cross-site", "https://evil.example", tls, false},
	} {
		r := httptest.NewRequest(c.method, "http://shop.example"+c.target, nil)
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		err := guard.Check(r, c.tls)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && !errors.Is(err, ErrCrossOrigin) {
			t.Errorf("%s: %v is not ErrCrossOrigin", c.name, err)
		}
	}
}

func TestCrossOriginRepeatedHeaders(t *testing.T) {
	guard, _ := NewCrossOrigin(CrossOriginOptions{})
	for name, h := range map[string]http.Header{
		"site":   {"Sec-Fetch-Site": {"same-origin", "cross-site"}},
		"origin": {"Origin": {"http://shop.example", "http://evil.example"}},
	} {
		r := httptest.NewRequest("POST", "http://shop.example/", nil)
		r.Header = h
		if guard.Check(r, false) == nil {
			t.Errorf("a repeated %s passes", name)
		}
	}
}

func TestCheckUpgrade(t *testing.T) {
	guard, _ := NewCrossOrigin(CrossOriginOptions{TrustedOrigins: []string{"https://admin.example.com"}, ExemptPaths: []string{"/ws"}})
	for origin, ok := range map[string]bool{
		"": true, "http://shop.example": true, "http://evil.example": false, "null": false,
		"http://shop.example.evil.example": false, "https://admin.example.com": true,
	} {
		r := httptest.NewRequest("GET", "http://shop.example/ws", nil)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if err := guard.CheckUpgrade(r, false); (err == nil) != ok {
			t.Errorf("Origin %q: %v", origin, err)
		}
	}
}

func TestCrossOriginOptions(t *testing.T) {
	for name, o := range map[string]CrossOriginOptions{
		"origin with a slash":    {TrustedOrigins: []string{"https://a.example/"}},
		"origin without scheme":  {TrustedOrigins: []string{"a.example"}},
		"origin with a user":     {TrustedOrigins: []string{"https://u@a.example"}},
		"origin with a wildcard": {TrustedOrigins: []string{"https://*.example"}},
		"origin in capitals":     {TrustedOrigins: []string{"https://A.example"}},
		"origin null":            {TrustedOrigins: []string{"null"}},
		"all origins":            {TrustedOrigins: []string{"*"}},
		"pattern":                {ExemptPaths: []string{"/hook/*"}},
		"wildcard segment":       {ExemptPaths: []string{"/hook/{id}"}},
		"converter":              {ExemptPaths: []string{"/hook/<int:id>"}},
		"dots":                   {ExemptPaths: []string{"/hook/../admin"}},
		"encoded dots":           {ExemptPaths: []string{"/hook/%2e%2e/admin"}},
		"double slash":           {ExemptPaths: []string{"//hook"}},
		"backslash":              {ExemptPaths: []string{`/hook\x`}},
		"no slash":               {ExemptPaths: []string{"hook"}},
		"query":                  {ExemptPaths: []string{"/hook?x"}},
	} {
		if _, err := NewCrossOrigin(o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// GHSA-2g68: a debugger that answers to any host is anybody's.
func TestLoopbackHost(t *testing.T) {
	for _, host := range []string{"localhost", "LOCALHOST:8000", "localhost.", "app.localhost:1", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8000"} {
		if !LoopbackHost(host) {
			t.Errorf("%q is refused", host)
		}
	}
	for _, host := range []string{"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evillocalhost", ".localhost", "a b.localhost",
		"localhost@evil.example", "localhost:80@evil.example", "localhost:", "localhost:x", "0.0.0.0", "10.0.0.1", "[::2]", "[::1", "[::1]x", "::1", "127.1", "0x7f.0.0.1",
		"[::ffff:127.0.0.1]"} {
		if LoopbackHost(host) {
			t.Errorf("%q is accepted", host)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	guard, _ := NewCrossOrigin(CrossOriginOptions{ExemptPaths: []string{"/hook"}})
	r := httptest.NewRequest("POST", "http://shop.example/orders", nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	b.ReportAllocs()
	for b.Loop() {
		if err := guard.Check(r, true); err != nil {
			b.Fatal(err)
		}
	}
}
