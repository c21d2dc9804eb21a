package outbound

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever a URL looks like, one that passes leads to a host of the list by https, on
// its port.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{
		"https://api.example/", "https://a.partner.example:443/x?y#z", "https://api.example@evil.example/", `https://evil.example\@api.example/`,
		"https://api.example.evil.example", "https://[::1]:443/", "https://api.example%2f@evil.example/", "https://API.EXAMPLE./", "https://127.1/", "https:api.example",
	} {
		f.Add(text)
	}
	allowed, err := compile([]string{"api.example", "*.partner.example", "hooks.example:8443"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err != nil || allowed.check(u, false) != nil {
			return
		}
		name, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
		if port == "" {
			port = "443"
		}
		named := (name == "api.example" || strings.HasSuffix(name, ".partner.example")) && port == "443" || name == "hooks.example" && port == "8443"
		if u.Scheme != "https" || u.User != nil || !named || strings.ContainsAny(u.Host, "@\\/%[]") {
			t.Errorf("%q passes: host %q", text, u.Host)
		}
	})
}
