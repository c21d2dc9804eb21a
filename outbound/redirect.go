package outbound

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// checkRedirect is http.Client.CheckRedirect. RoundTrip checks the target's host;
// here it is about what goes along.
func (t *transport) checkRedirect(req *http.Request, via []*http.Request) error {
	if t.options.MaxRedirects < 0 {
		return http.ErrUseLastResponse
	}
	if len(via) > t.options.MaxRedirects {
		return &Refused{Host: req.URL.Host, Reason: fmt.Sprintf("more than %d redirects", t.options.MaxRedirects)}
	}
	last := via[len(via)-1]
	if last.URL.Scheme == "https" && req.URL.Scheme != "https" {
		return &Refused{Host: req.URL.Host, Reason: "a redirect from https to " + req.URL.Scheme}
	}
	// Once it has left its first origin, a request carries nothing that is meant for
	// that, even if it comes back: somebody else chose where.
	crossed := !sameOrigin(via[0].URL, req.URL)
	for _, earlier := range via[1:] {
		crossed = crossed || !sameOrigin(via[0].URL, earlier.URL)
	}
	if !crossed {
		return nil
	}
	if req.Body != nil && req.Body != http.NoBody {
		return &Refused{Host: req.URL.Host, Reason: "a redirect that takes the request's body to another origin"}
	}
	for name := range req.Header {
		if !harmless(name) {
			delete(req.Header, name)
		}
	}
	return nil
}

func sameOrigin(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if p := u.Port(); p != "" {
			return p
		}
		return defaultPort(u.Scheme)
	}
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// harmless reports headers that say nothing about who asks. All others, whatever
// they are called, may be a credential.
func harmless(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "If-Modified-Since", "If-None-Match", "Range", "User-Agent":
		return true
	}
	return false
}
