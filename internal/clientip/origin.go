package clientip

import (
	"net/http"
	"net/netip"
	"strings"
)

// Scheme returns "http" or "https" as the client used it, if a trusted proxy says so; otherwise it is not ok and the
// connection itself tells. With X-Forwarded-For that is the right-most value of X-Forwarded-Proto, the one that the
// nearest proxy vouches for; with Forwarded it is the proto of the element that names the client.
func (p *Proxies) Scheme(peer netip.AddrPort, header http.Header) (string, bool) {
	value, ok := p.vouched(peer, header, "proto", "X-Forwarded-Proto")
	switch {
	case !ok:
	case strings.EqualFold(value, "https"):
		return "https", true
	case strings.EqualFold(value, "http"):
		return "http", true
	}
	return "", false
}

// Host returns the host, with its port if there is one, that the client asked for, if a trusted proxy says so and it
// is a valid one; otherwise it is not ok and the request's own Host counts. The value is chosen as in [Proxies.Scheme].
func (p *Proxies) Host(peer netip.AddrPort, header http.Header) (string, bool) {
	value, ok := p.vouched(peer, header, "host", "X-Forwarded-Host")
	if !ok || !ValidHost(value) {
		return "", false
	}
	return value, true
}

func (p *Proxies) vouched(peer netip.AddrPort, header http.Header, forwarded, single string) (string, bool) {
	if !p.Trusts(peer.Addr()) {
		return "", false
	}
	if p.walks(Forwarded) {
		_, element := p.walk(peer, header)
		return parameter(element, forwarded)
	}
	if !p.walks(XForwardedFor) {
		return "", false
	}
	lines := header[single]
	if len(lines) == 0 {
		return "", false
	}
	last, _, _ := cutLast(lines[len(lines)-1], false)
	return last, last != ""
}

// ValidHost reports whether s is a host name or an IP address with an optional port, as a Host header may carry it,
// and nothing that a careless reader would take for another host: no user part, no path, no spaces, no empty label.
// Names are letters, digits, "-", "_" and "." (RFC 9110 §7.2; internationalised names are in their ASCII form there).
func ValidHost(s string) bool {
	if len(s) == 0 || len(s) > 253+1+6 {
		return false
	}
	name, port := s, ""
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		address, err := netip.ParseAddr(s[1:end])
		if err != nil || !address.Is6() || address.Zone() != "" {
			return false
		}
		name, port = "", s[end+1:]
	} else if colon := strings.IndexByte(s, ':'); colon >= 0 {
		name, port = s[:colon], s[colon:]
		if name == "" {
			return false
		}
	}
	if port != "" && !validPort(port) {
		return false
	}
	dot := true // an empty label would follow
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '.' && dot:
			return false
		case c == '.':
			dot = true
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
			dot = false
		default:
			return false
		}
	}
	return true
}

// validPort accepts ":80"; a colon with nothing behind it is allowed in a URI but is not written by browsers.
func validPort(s string) bool {
	if s[0] != ':' || len(s) < 2 || len(s) > 6 {
		return false
	}
	n := 0
	for _, c := range []byte(s[1:]) {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n <= 65535
}
