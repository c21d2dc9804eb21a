package clientip

import (
	"net/netip"
	"strconv"
	"strings"
)

// cutLast cuts the right-most element off a list. Reading from the right keeps the entry of the nearest proxy intact
// whatever the client wrote to the left of it: an unbalanced quote there cannot swallow it, as it would a parser that
// reads from the left.
func cutLast(list string, quotes bool) (last, rest string, more bool) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch {
		case quotes && list[i] == '"' && !escaped(list, i):
			quoted = !quoted
		case list[i] == ',' && !quoted:
			return trim(list[i+1:]), list[:i], true
		}
	}
	return trim(list), "", false
}

// escaped reports whether an odd number of backslashes stands before position i. The run is looked at no further than
// a few bytes: an address never has one, so a longer run is garbage either way and must not cost quadratic time.
func escaped(s string, i int) bool {
	n := 0
	for i--; i >= 0 && s[i] == '\\' && n < 8; i-- {
		n++
	}
	return n%2 == 1
}

// parameter returns the value of one parameter of an element of a Forwarded header (RFC 7239 §4). An element that is
// not well-formed, or that has the parameter twice, has none.
func parameter(element, name string) (value string, ok bool) {
	for element != "" {
		eq := strings.IndexByte(element, '=')
		if eq <= 0 {
			return "", false
		}
		key := trim(element[:eq])
		var v string
		var good bool
		if v, element, good = forwardedValue(element[eq+1:]); !good {
			return "", false
		}
		if strings.EqualFold(key, name) {
			if ok {
				return "", false
			}
			value, ok = v, true
		}
	}
	return value, ok
}

// forwardedValue reads a token or a quoted string up to the next semicolon. Backslashes in quotes make it not good:
// neither an address nor a host name nor a scheme has a character that needs one.
func forwardedValue(s string) (value, rest string, good bool) {
	if strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s[1:], '"')
		if end < 0 {
			return "", "", false
		}
		value, rest = s[1:1+end], trim(s[end+2:])
		if strings.IndexByte(value, '\\') >= 0 || rest != "" && rest[0] != ';' {
			return "", "", false
		}
		return value, strings.TrimPrefix(rest, ";"), true
	}
	value, rest, _ = strings.Cut(s, ";")
	value = trim(value)
	return value, rest, !strings.ContainsAny(value, "\" \t")
}

// maxNode is longer than any address: brackets, eight groups with a dotted quad, a zone, a port.
const maxNode = 128

// parseNode reads "1.2.3.4", "1.2.3.4:80", "::1", "[::1]" and "[::1]:80". Everything else, "unknown" and obfuscated
// identifiers (RFC 7239 §6.3) too, is not an address.
func parseNode(s string) (netip.AddrPort, bool) {
	if len(s) == 0 || len(s) > maxNode {
		return netip.AddrPort{}, false
	}
	host, port := s, ""
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 || strings.IndexByte(s[:end], ':') < 0 {
			return netip.AddrPort{}, false
		}
		host, port = s[1:end], s[end+1:]
	} else if colon := strings.IndexByte(s, ':'); colon >= 0 && strings.IndexByte(s[colon+1:], ':') < 0 {
		host, port = s[:colon], s[colon:]
	}
	var number uint64
	if port != "" {
		var err error
		if number, err = strconv.ParseUint(port[1:], 10, 16); err != nil || port[0] != ':' || port[1] == '+' {
			return netip.AddrPort{}, false
		}
	}
	// A zone is the name of an interface of the machine that wrote it, so it means nothing here; and netip keeps every
	// zone it has seen in a table of the process.
	host, _, _ = strings.Cut(host, "%")
	address, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(number)), true
}

func trim(s string) string { return strings.Trim(s, " \t") }
