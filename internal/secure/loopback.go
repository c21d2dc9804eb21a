package secure

import (
	"net/netip"
	"strings"
)

// LoopbackHost reports whether a Host header names this machine itself, with or without a port: "localhost", a name
// below it, 127.0.0.0/8 or ::1. Debugging pages answer to such hosts only: a page of another site that points its own
// name at 127.0.0.1 (DNS rebinding) still sends its own name.
func LoopbackHost(host string) bool {
	name := host
	if strings.HasPrefix(name, "[") {
		end := strings.IndexByte(name, ']')
		if end < 0 || !isPortOrNothing(name[end+1:]) {
			return false
		}
		return name[1:end] == "::1"
	}
	if colon := strings.IndexByte(name, ':'); colon >= 0 {
		if !isPortOrNothing(name[colon:]) {
			return false
		}
		name = name[:colon]
	}
	name = strings.TrimSuffix(name, ".")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	if suffix := len(name) - len(".localhost"); suffix > 0 && strings.EqualFold(name[suffix:], ".localhost") {
		return ValidHeaderName(name)
	}
	return isLoopbackIPv4(name)
}

func isPortOrNothing(s string) bool {
	return s == "" || s[0] == ':' && len(s) > 1 && strings.Trim(s[1:], "0123456789") == ""
}

func isLoopbackIPv4(s string) bool {
	address, err := netip.ParseAddr(s)
	return err == nil && address.Is4() && address.IsLoopback()
}
