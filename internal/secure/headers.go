package secure

import (
	"fmt"
	"iter"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// Off as the value of a field of HeaderOptions leaves that header out.
const Off = "-"

// The values of Strict-Transport-Security (RFC 6797). Two years are more than the one year that OWASP ASVS 5.0 V3.4.1
// asks for. Subdomains are not included unless the program says so, because a framework cannot know whether all of them,
// of other teams too, are served by TLS, and a browser does not forget for two years.
const (
	HSTS           = "max-age=63072000"
	HSTSSubdomains = "max-age=63072000; includeSubDomains"
)

// HeaderOptions says which security headers every answer gets. The zero value is a good default; "" in a field means
// the default given there, Off means none.
type HeaderOptions struct {
	CSP            CSP    // Content-Security-Policy; the zero value means DefaultCSP
	NoCSP          bool   // no Content-Security-Policy at all
	ReferrerPolicy string // Referrer-Policy, "strict-origin-when-cross-origin": other sites learn the origin, not the path
	OpenerPolicy   string // Cross-Origin-Opener-Policy, "same-origin": no other site keeps a handle on our windows
	HSTS           string // Strict-Transport-Security, the constant HSTS; sent on TLS only, where alone it has effect
	Extra          map[string]string
}

// Headers is a prepared set of security headers. It is immutable and safe for concurrent use; a nil *Headers applies
// nothing.
type Headers struct {
	fields    []field
	transport []string // the value of Strict-Transport-Security, nil if off
	csp       CSP
	shared    bool // some of fields may be set by others too
}

// field is a header in the form in which http.Header holds it, so that applying it is one map assignment.
type field struct {
	name   string
	values []string
}

const strictTransportSecurity = "Strict-Transport-Security"

// NewHeaders prepares headers. X-Content-Type-Options: nosniff is always among them, since a browser that guesses types
// turns an upload into a page. X-Frame-Options is not: see DefaultPolicy. A name or value that does not fit into a
// header is an error.
func NewHeaders(o HeaderOptions) (*Headers, error) {
	h := &Headers{}
	if !o.NoCSP {
		if h.csp = o.CSP; h.csp.IsZero() {
			h.csp = DefaultCSP()
		}
		if err := h.add("Content-Security-Policy", h.csp.String(), ""); err != nil {
			return nil, err
		}
	}
	for _, f := range []struct{ name, value, fallback string }{
		{"X-Content-Type-Options", "nosniff", ""},
		{"Referrer-Policy", o.ReferrerPolicy, "strict-origin-when-cross-origin"},
		{"Cross-Origin-Opener-Policy", o.OpenerPolicy, "same-origin"},
	} {
		if err := h.add(f.name, f.value, f.fallback); err != nil {
			return nil, err
		}
	}
	for name, value := range o.Extra {
		if err := h.add(name, value, ""); err != nil {
			return nil, err
		}
		h.shared = h.shared || !slices.Contains(ownHeaders, textproto.CanonicalMIMEHeaderKey(name))
	}
	slices.SortFunc(h.fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(h.fields); i++ {
		if h.fields[i].name == h.fields[i-1].name {
			return nil, fmt.Errorf("security headers: %s is given twice: set it in one place", h.fields[i].name)
		}
	}
	transport := &Headers{}
	if err := transport.add(strictTransportSecurity, o.HSTS, HSTS); err != nil {
		return nil, err
	}
	if len(transport.fields) > 0 {
		h.transport = transport.fields[0].values
	}
	return h, nil
}

func (h *Headers) add(name, value, fallback string) error {
	if value == "" {
		value = fallback
	}
	switch {
	case value == Off:
		return nil
	case !ValidHeaderName(name):
		return fmt.Errorf("security headers: %q is not the name of a header", name)
	case value == "" || !ValidHeaderValue(value):
		return fmt.Errorf("security headers: %s: %q is not a header value: no control characters, no line breaks, not empty", name, value)
	}
	// The slice has no room, so an append to it (http.Header.Add) copies it.
	h.fields = append(h.fields, field{textproto.CanonicalMIMEHeaderKey(name), []string{value}})
	return nil
}

// Apply sets the headers that dst does not have yet; a key that is present counts, even one with no values, which is
// how a handler says that it wants none. Strict-Transport-Security is set only if the client came by TLS. It allocates
// nothing beyond what the map needs to grow. The values are shared between answers: replace them, as Set does, but never
// write into the slices.
func (h *Headers) Apply(dst http.Header, tls bool) {
	if h == nil {
		return
	}
	for i := range h.fields {
		f := &h.fields[i]
		if _, present := dst[f.name]; !present {
			dst[f.name] = f.values
		}
	}
	if tls && h.transport != nil {
		if _, present := dst[strictTransportSecurity]; !present {
			dst[strictTransportSecurity] = h.transport
		}
	}
}

// ownHeaders are those that nothing in this module sets but security headers.
var ownHeaders = []string{
	"Content-Security-Policy", "Content-Security-Policy-Report-Only", "Cross-Origin-Embedder-Policy", "Cross-Origin-Opener-Policy",
	"Cross-Origin-Resource-Policy", "Origin-Agent-Cluster", "Permissions-Policy", "Referrer-Policy", "Reporting-Endpoints",
	"X-Content-Type-Options", "X-Frame-Options", "X-Permitted-Cross-Domain-Policies", "X-Xss-Protection", strictTransportSecurity,
}

// Own reports whether all headers of the set are such as nothing else in this module sets: then an answer whose headers
// no program has had yet has none of them, and Set will do.
func (h *Headers) Own() bool { return h == nil || !h.shared }

// Set is Apply for a dst that is known to have none of the headers.
func (h *Headers) Set(dst http.Header, tls bool) {
	if h == nil {
		return
	}
	for i := range h.fields {
		dst[h.fields[i].name] = h.fields[i].values
	}
	if tls && h.transport != nil {
		dst[strictTransportSecurity] = h.transport
	}
}

// All ranges over the headers that Set sets.
func (h *Headers) All(tls bool) iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for i := range h.fields {
			if !yield(h.fields[i].name, h.fields[i].values) {
				return
			}
		}
		if tls && h.transport != nil {
			yield(strictTransportSecurity, h.transport)
		}
	}
}

// CSP returns the policy, the zero value if there is none. A page with its own inline script sets
// "Content-Security-Policy" to CSP().Nonced(nonce) before Apply runs.
func (h *Headers) CSP() CSP {
	if h == nil {
		return CSP{}
	}
	return h.csp
}

// ValidHeaderName reports whether s is a field name: a token (RFC 9110 §5.1).
func ValidHeaderName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isToken(s[i]) {
			return false
		}
	}
	return s != ""
}

// ValidHeaderValue reports whether s is a field value (RFC 9110 §5.5): no control characters but the tab, so no line
// break that would start another field or another answer (response splitting), and no NUL. The empty value is valid.
func ValidHeaderValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isToken reports whether c may stand in a token (RFC 9110 §5.6.2).
func isToken(c byte) bool {
	switch {
	case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
