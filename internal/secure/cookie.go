package secure

import (
	"errors"
	"fmt"
	"net/http"
)

// maxCookie is how much of a cookie browsers keep: name, value and attributes in bytes (RFC 6265 §6.1, OWASP ASVS 5.0
// V3.3.5). A longer one is dropped without a word, so a program must hear of it here.
const maxCookie = 4096

// DefaultCookie returns a cookie as it should be unless there is a reason: for the whole site, not readable by scripts,
// not sent along with requests of other sites except for plain navigation, and on TLS never sent without it. It has no
// expiry, so it ends with the browser session.
func DefaultCookie(name, value string, tls bool) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: tls, SameSite: http.SameSiteLaxMode}
}

// CheckCookie reports why a browser would drop, shorten or misread a cookie: a name that is not a token; a value with
// octets that cookies cannot carry (net/http would remove them silently); a prefix whose promise the attributes do
// not keep (RFC 6265bis §4.1.3, compared as browsers do, without regard to case); SameSite=None or Partitioned without
// Secure; more than 4096 bytes in all. The error names the cookie but never its value.
func CheckCookie(c *http.Cookie) error {
	if c == nil {
		return errors.New("cookie: nil")
	}
	if !ValidHeaderName(c.Name) {
		return fmt.Errorf("cookie %q: the name is not a token: use letters, digits, \"-\" and \"_\"", c.Name)
	}
	for i := 0; i < len(c.Value); i++ {
		if b := c.Value[i]; b < ' ' || b >= 0x7f || b == '"' || b == ';' || b == '\\' {
			return fmt.Errorf("cookie %q: byte %d of the value is %#02x, which a cookie cannot carry: encode the value, for example in base 64", c.Name, i, b)
		}
	}
	if reason := brokenPromise(c); reason != "" {
		return fmt.Errorf("cookie %q: %s", c.Name, reason)
	}
	if err := c.Valid(); err != nil {
		return fmt.Errorf("cookie %q: domain, path or expiry cannot be written: %w", c.Name, err)
	}
	if n := len(c.String()); n > maxCookie {
		return fmt.Errorf("cookie %q: %d bytes with its attributes, browsers keep %d: store the data on the server and an id in the cookie", c.Name, n, maxCookie)
	}
	return nil
}

// brokenPromise names the attribute that contradicts the name or the other attributes.
func brokenPromise(c *http.Cookie) string {
	host := hasPrefixFold(c.Name, "__Host-")
	scriptless := hasPrefixFold(c.Name, "__Http-") || hasPrefixFold(c.Name, "__Host-Http-")
	secure := host || scriptless || hasPrefixFold(c.Name, "__Secure-")
	switch {
	case secure && !c.Secure:
		return "its prefix needs Secure"
	case host && c.Path != "/":
		return "the prefix __Host- needs Path \"/\""
	case host && c.Domain != "":
		return "the prefix __Host- allows no Domain"
	case scriptless && !c.HttpOnly:
		return "its prefix needs HttpOnly"
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return "SameSite=None needs Secure"
	case c.Partitioned && !c.Secure:
		return "Partitioned needs Secure"
	}
	return ""
}
