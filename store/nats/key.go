package nats

import "strings"

// A key is a subject: each part between colons a token, in which letters, digits,
// - and _ stand for themselves and every other byte for "=" and two hexadecimal
// digits. An empty part is "=". So a scan for what begins with "session:ada:" asks
// the server for session.ada.> alone.

const hexDigits = "0123456789ABCDEF"

// encode writes a key as a subject.
func encode(key string) string {
	var b strings.Builder
	b.Grow(len(key) + 8)
	for i, part := range strings.Split(key, ":") {
		if i > 0 {
			b.WriteByte('.')
		}
		if part == "" {
			b.WriteByte('=')
		}
		for j := range len(part) {
			c := part[j]
			if plain(c) {
				b.WriteByte(c)
			} else {
				b.WriteByte('=')
				b.WriteByte(hexDigits[c>>4])
				b.WriteByte(hexDigits[c&15])
			}
		}
	}
	return b.String()
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// decode reads a key from a subject. It is not ok for one that encode does not
// write.
func decode(subject string) (key string, ok bool) {
	var b strings.Builder
	b.Grow(len(subject))
	for i, token := range strings.Split(subject, ".") {
		if i > 0 {
			b.WriteByte(':')
		}
		if token == "=" {
			continue
		}
		for j := 0; j < len(token); j++ {
			c := token[j]
			if c == '=' {
				if j+2 >= len(token) {
					return "", false
				}
				high, low := strings.IndexByte(hexDigits, token[j+1]), strings.IndexByte(hexDigits, token[j+2])
				if high < 0 || low < 0 {
					return "", false
				}
				c = byte(high<<4 | low)
				j += 2
				if plain(c) || c == ':' {
					return "", false
				}
			} else if !plain(c) {
				return "", false
			}
			b.WriteByte(c)
		}
		if token == "" {
			return "", false
		}
	}
	return b.String(), true
}

// filter gives the narrowest subject that matches every key with a prefix.
func filter(prefix string) string {
	if i := strings.LastIndexByte(prefix, ':'); i >= 0 {
		return encode(prefix[:i]) + ".>"
	}
	return ">"
}
