package secure

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// CrossOriginOptions says who besides the site itself may send requests that change something.
type CrossOriginOptions struct {
	// TrustedOrigins are other origins, as browsers write them: "https://admin.example.com", no slash at the end.
	TrustedOrigins []string

	// ExemptPaths are paths that are not checked, such as a webhook that authenticates its callers itself. They are
	// compared byte for byte with the path as it stands in the request, so neither a pattern nor an encoded or dotted
	// form of another path can reach them (the bypass of net/http's CVE-2025-47910).
	ExemptPaths []string
}

// CrossOrigin refuses requests by which another site acts in the name of a visitor (cross-site request forgery). It
// decides by what browsers say about a request's origin, in Sec-Fetch-Site or Origin, and needs no token. It is
// immutable and safe for concurrent use.
type CrossOrigin struct {
	std     *http.CrossOriginProtection
	trusted map[string]bool
	exempt  map[string]bool
}

// ErrCrossOrigin is wrapped by every refusal. It maps to 403.
var ErrCrossOrigin = errors.New("cross-origin request refused")

// NewCrossOrigin checks the options: an origin that is not one, or a path that could mean something else than it says,
// is an error.
func NewCrossOrigin(o CrossOriginOptions) (*CrossOrigin, error) {
	c := &CrossOrigin{std: http.NewCrossOriginProtection(), trusted: map[string]bool{}, exempt: map[string]bool{}}
	for _, origin := range o.TrustedOrigins {
		if u, err := url.Parse(origin); err != nil || u.Scheme+"://"+u.Host != origin || u.Host == "" || u.User != nil ||
			strings.ContainsAny(origin, "*\\ ") || origin != strings.ToLower(origin) {
			return nil, fmt.Errorf("trusted origin %q: write it as browsers do, in lower case and without a path: \"https://admin.example.com\"", origin)
		}
		if err := c.std.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trusted origin: %w", err)
		}
		c.trusted[origin] = true
	}
	for _, path := range o.ExemptPaths {
		if err := exactPath(path); err != nil {
			return nil, fmt.Errorf("path exempt from cross-origin protection: %w", err)
		}
		c.exempt[path] = true
	}
	return c, nil
}

func exactPath(path string) error {
	switch {
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("%q does not start with a slash: write the whole path", path)
	case strings.ContainsAny(path, "*<>{}?#%\\"):
		return fmt.Errorf("%q is not one plain path: patterns, queries and escapes are not allowed here", path)
	case strings.Contains(path, "//") || hasDotSegment(path):
		return fmt.Errorf("%q has empty or dot segments: write the path that is meant", path)
	}
	return nil
}

// Check refuses a request that changes something (any method but GET, HEAD and OPTIONS) and comes from another origin
// than the site or a trusted one. onTLS says whether the client came by TLS, by the connection or by the word of a
// trusted proxy. Sibling subdomains are other origins. A request with neither Sec-Fetch-Site nor Origin does not come
// from a browser and passes.
//
// Beyond [http.CrossOriginProtection], an http Origin on a site that is used by TLS is refused even if the host is the
// same: whoever is on the path of plain HTTP writes such a page.
func (c *CrossOrigin) Check(r *http.Request, onTLS bool) error {
	switch r.Method {
	case "GET", "HEAD", "OPTIONS":
		return nil
	}
	if len(c.exempt) > 0 && c.exempt[r.URL.EscapedPath()] {
		return nil
	}
	return c.check(r, onTLS)
}

// CheckUpgrade does the same whatever the method is. A WebSocket handshake is a GET, is sent with the visitor's
// cookies to any site, and is not subject to CORS. Exempt paths are not exempt here.
func (c *CrossOrigin) CheckUpgrade(r *http.Request, onTLS bool) error {
	return c.check(&http.Request{Method: "POST", URL: r.URL, Host: r.Host, Header: r.Header}, onTLS)
}

func (c *CrossOrigin) check(r *http.Request, onTLS bool) error {
	origins, sites := r.Header["Origin"], r.Header["Sec-Fetch-Site"]
	if len(origins) > 1 || len(sites) > 1 {
		return fmt.Errorf("%w: Origin or Sec-Fetch-Site is repeated", ErrCrossOrigin)
	}
	if onTLS && len(sites) == 0 && len(origins) == 1 && hasPrefixFold(origins[0], "http://") && !c.trusted[origins[0]] {
		return fmt.Errorf("%w: the page was loaded by plain HTTP and this site is used by TLS", ErrCrossOrigin)
	}
	if err := c.std.Check(r); err != nil {
		// The reason is a constant of net/http, so nothing of the request gets into logs by it.
		return fmt.Errorf("%w: %w", ErrCrossOrigin, err)
	}
	return nil
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
