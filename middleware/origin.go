package middleware

import (
	"fmt"
	"net/url"
	"strings"
)

// An origin is what a browser puts into the header Origin: scheme, host and, when
// it is not the scheme's own, the port (RFC 6454 §6.2). A pattern has "*." in
// front of the host, for any subdomain at any depth, or ":*" behind it, for any
// port:
//
//	https://shop.example.com
//	https://*.example.com        https://a.example.com, https://b.a.example.com
//	http://localhost:*           http://localhost, http://localhost:5173
//
// The domain itself is not one of its subdomains.

// maxOrigin is longer than any origin can be: a host name has 253 bytes at most.
const maxOrigin = 300

// originPattern is a pattern taken apart.
type originPattern struct {
	scheme  string // with "://"
	suffix  string // the host; with "*." in front of it, the part from the dot on
	subs    bool   // subdomains of suffix
	port    string // with ":", or ""
	anyPort bool
}

// parseOrigin reads an origin or a pattern. exact is true for an origin.
func parseOrigin(text string) (p originPattern, exact bool, err error) {
	rest := text
	if rest, p.anyPort = strings.CutSuffix(rest, ":*"); strings.Count(rest, "*") > 1 {
		return p, false, fmt.Errorf("origin %q: give one * for subdomains, as in \"https://*.example.com\"", text)
	}
	scheme, host, ok := strings.Cut(rest, "://")
	if !ok {
		return p, false, fmt.Errorf("origin %q: it has no scheme: write it as browsers do, \"https://%s\"", text, strings.TrimPrefix(rest, "//"))
	}
	host, p.subs = strings.CutPrefix(host, "*.")
	plain := scheme + "://" + host
	u, err := url.Parse(plain)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Hostname() == "":
		return p, false, fmt.Errorf("origin %q is not one: write it as browsers do, \"https://shop.example.com\"", text)
	case u.Scheme+"://"+u.Host != plain:
		return p, false, fmt.Errorf("origin %q has more than scheme, host and port: write %q", text, strings.ToLower(u.Scheme+"://"+u.Host))
	case plain != strings.ToLower(plain) || !isASCII(plain):
		return p, false, fmt.Errorf("origin %q: browsers send origins in lower case and with names in ASCII (\"xn--…\")", text)
	case strings.ContainsAny(plain, "*\\ ") || strings.HasPrefix(host, ".") || strings.HasSuffix(u.Hostname(), "."):
		return p, false, fmt.Errorf("origin %q: a * stands for whole subdomains at the front, as in \"https://*.example.com\"", text)
	case u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80":
		return p, false, fmt.Errorf("origin %q: browsers leave the scheme's own port out: write %q", text, u.Scheme+"://"+u.Hostname())
	case p.anyPort && (u.Port() != "" || strings.HasSuffix(u.Host, ":")):
		return p, false, fmt.Errorf("origin %q has two ports", text)
	case p.subs && !strings.Contains(host, "."):
		return p, false, fmt.Errorf("origin %q: it would allow every site of a top-level domain: name the domain, as in \"https://*.example.com\"", text)
	}
	p.scheme = scheme + "://"
	p.suffix, p.port = host, ""
	if port := u.Port(); port != "" {
		p.suffix, p.port = strings.TrimSuffix(host, ":"+port), ":"+port
	}
	if p.subs {
		p.suffix = "." + p.suffix
	}
	return p, !p.subs && !p.anyPort, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// matches reports whether an origin that a browser sent is one of the pattern's.
func (p *originPattern) matches(origin string) bool {
	rest, ok := strings.CutPrefix(origin, p.scheme)
	if !ok {
		return false
	}
	if p.anyPort {
		rest = withoutPort(rest)
	} else if rest, ok = strings.CutSuffix(rest, p.port); !ok {
		return false
	}
	if !p.subs {
		return rest == p.suffix
	}
	labels, ok := strings.CutSuffix(rest, p.suffix)
	return ok && areLabels(labels)
}

// withoutPort drops a port of digits from a host.
func withoutPort(host string) string {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || colon == len(host)-1 || len(host)-colon > len(":65535") {
		return host
	}
	for _, c := range host[colon+1:] {
		if c < '0' || c > '9' {
			return host
		}
	}
	return host[:colon]
}

// areLabels reports whether text is one or more labels of a host name: so no
// other separator of URLs can be smuggled in front of a trusted suffix.
func areLabels(text string) bool {
	for label := range strings.SplitSeq(text, ".") {
		if label == "" {
			return false
		}
		for i := range len(label) {
			switch c := label[i]; {
			case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			default:
				return false
			}
		}
	}
	return true
}
