package schema

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/internal/uuid"
)

// The formats that are checked, of those JSON Schema's validation vocabulary (section 7.3) and the OpenAPI registry
// name. A format that is not here documents, and refuses nothing.
var formats = map[string]struct {
	valid   func(string) bool
	article string // what the client is told the text must be
}{
	"date-time": {isDateTime, "a date and time like 2026-01-31T12:00:00Z"},
	"date":      {isDate, "a date like 2026-01-31"},
	"time":      {isTime, "a time with an offset like 12:00:00Z"},
	"email":     {isEmail, "an e-mail address"},
	"uri":       {isURI, "an absolute URI"},
	"uuid":      {uuid.Valid, "a UUID like 123e4567-e89b-12d3-a456-426614174000"},
	"ipv4":      {isIPv4, "an IPv4 address"},
	"ipv6":      {isIPv6, "an IPv6 address"},
	"hostname":  {isHostname, "a host name"},
	"decimal":   {isPlainDecimal, "a decimal number like 12.50"},
}

// Formats returns the names of the formats that are checked, sorted: date (RFC 3339), date-time (RFC 3339, without leap
// seconds, as Go's time has it), decimal (digits, optionally a sign and a fraction; no exponent), email (RFC 5321 with a
// domain name or bracketed address; no comments), hostname (RFC 1123), ipv4, ipv6 (without zone), time (RFC 3339),
// uri (RFC 3986, absolute), uuid (RFC 9562, with hyphens).
func Formats() []string {
	names := make([]string, 0, len(formats))
	for name := range formats {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func isDateTime(s string) bool {
	var t time.Time
	return t.UnmarshalText([]byte(s)) == nil
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func isTime(s string) bool { return isDateTime("2026-01-31T" + s) }

func isIPv4(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4()
}

func isIPv6(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6() && a.Zone() == ""
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func isLetterOrDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// isHostname follows RFC 1123 section 2.1: labels of letters, digits and inner hyphens, 63 at most each and 253 in all.
func isHostname(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isLetterOrDigit(c) && c != '-' {
				return false
			}
		}
	}
	return true
}

// isEmail takes RFC 5321's mailbox: a dot-atom or quoted string of at most 64 octets, "@", a host name or an address
// in brackets.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at > 64 || len(s) > 254 {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if inner, ok := strings.CutPrefix(domain, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		if v6, tagged := strings.CutPrefix(inner, "IPv6:"); tagged {
			return ok && isIPv6(v6) && isLocalPart(local)
		}
		return ok && isIPv4(inner) && isLocalPart(local)
	}
	return isHostname(domain) && !strings.HasSuffix(domain, ".") && isLocalPart(local)
}

func isLocalPart(s string) bool {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return isQuotedLocal(s[1 : len(s)-1])
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			if c := atom[i]; !isLetterOrDigit(c) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) < 0 {
				return false
			}
		}
	}
	return true
}

func isQuotedLocal(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
			if i == len(s) {
				return false
			}
		} else if s[i] == '"' {
			return false
		}
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// isURI takes an absolute URI of RFC 3986: ASCII, with a scheme, percent signs before two hexadecimal digits only.
func isURI(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			return false
		case c == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])):
			return false
		}
	}
	u, err := url.Parse(s)
	return err == nil && u.IsAbs() && strings.Count(s, "#") <= 1
}

func isPlainDecimal(s string) bool {
	_, ok := parseDecimal(s)
	return ok && !strings.ContainsAny(s, "eE")
}
