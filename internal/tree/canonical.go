package tree

import (
	"strings"
	"unicode/utf8"
)

// Canonical brings an escaped path into the form in which it is matched: percent escapes are decoded once, except
// %2F and %25, which stay (in upper case), so that a decoded path has the same segments as the escaped one and no
// text is decoded twice. A path without escapes is its own canonical form and is returned as it is.
//
// It reports false for a path with a malformed escape, or that has a NUL or is not UTF-8 when decoded.
func Canonical(path string) (canonical string, ok bool) {
	canonical = path
	if first := strings.IndexByte(path, '%'); first >= 0 {
		if canonical, ok = decode(path, first, true); !ok {
			return "", false
		}
	}
	if strings.IndexByte(canonical, 0) >= 0 || !utf8.ValidString(canonical) {
		return "", false
	}
	return canonical, true
}

// decode decodes the percent escapes of s, whose first is at index first. With keep, those that the canonical form
// keeps stay. It reports false for a malformed escape.
func decode(s string, first int, keep bool) (string, bool) {
	out := make([]byte, first, len(s))
	copy(out, s)
	for i := first; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		if i+2 >= len(s) || unhex(s[i+1]) < 0 || unhex(s[i+2]) < 0 {
			return "", false
		}
		switch c := byte(unhex(s[i+1])<<4 | unhex(s[i+2])); {
		case keep && c == '/':
			out = append(out, "%2F"...)
		case keep && c == '%':
			out = append(out, "%25"...)
		default:
			out = append(out, c)
		}
		i += 2
	}
	return string(out), true
}

// decodeCanonical returns the text that a part of a canonical path stands for.
func decodeCanonical(s string) string {
	first := strings.IndexByte(s, '%')
	if first < 0 {
		return s
	}
	text, _ := decode(s, first, false) // a canonical path has no malformed escapes
	return text
}

// appendEscaped appends a text as one segment of an escaped path: everything but what RFC 3986 (section 3.3) lets
// stand in a segment is percent-encoded, a slash included.
func appendEscaped(out []byte, text string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(text) {
		if c := text[i]; isAlphanumeric(c) || strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0 {
			out = append(out, c)
		} else {
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return out
}

// isDots reports whether a segment is one that clients and file systems resolve: "." or "..".
func isDots(segment string) bool { return segment == "." || segment == ".." }

// hasDots reports whether any segment of a part of a canonical path, which starts with a segment, is "." or "..".
func hasDots(path string) bool {
	for more := true; more; {
		var segment string
		if segment, path, more = strings.Cut(path, "/"); isDots(segment) {
			return true
		}
	}
	return false
}

// unhex returns the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
