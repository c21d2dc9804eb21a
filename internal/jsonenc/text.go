package jsonenc

import (
	"strings"
	"unicode/utf8"
)

const hex = "0123456789abcdef"

// plain marks the ASCII characters that stand for themselves in a string.
var plain = func() (table [utf8.RuneSelf]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = !strings.ContainsRune("\"\\<>&\x7f", c)
	}
	table[0x7f] = true
	return table
}()

func appendString(dst []byte, s string) []byte { return appendRest(append(dst, '"'), s) }

// appendRest writes a string but for its first quote, so that it can also stand in HTML, as encoding/json does: <, >, &,
// U+2028 and U+2029 are escaped, and what is not UTF-8 becomes U+FFFD.
func appendRest(dst []byte, s string) []byte {
	if isPlain(s) {
		return append(append(dst, s...), '"')
	}
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if plain[c] {
				i++
				continue
			}
			dst = appendEscape(append(dst, s[start:i]...), c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[start:i]...), `\u202`...)
			dst = append(dst, hex[r&0xf])
			start = i + size
		}
		i += size
	}
	return append(append(dst, s[start:]...), '"')
}

// isPlain reports whether all of s stands for itself. It looks at eight bytes at once.
func isPlain(s string) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if special(word(s, i)) {
			return false
		}
	}
	if i < len(s) && len(s) >= 8 {
		return !special(word(s, len(s)-8)) // some of it once more
	}
	for ; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || !plain[c] {
			return false
		}
	}
	return true
}

// word is s[i:i+8] as a number; the compiler makes it one load.
func word(s string, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

// special reports whether one of eight bytes does not stand for itself.
func special(x uint64) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	// A byte of x below n makes the high bit of its place in x - n·ones, if its own high bit is not set; so does one that
	// is n, in (x^n·ones) - ones. Borrows of lower places only appear where a lower one has reported already. The
	// characters < and > differ by one bit, and so do " and &: with it set, each two are one.
	angle := (x | 0x02*ones) ^ '>'*ones - ones
	quote := (x | 0x04*ones) ^ '&'*ones - ones
	slash := x ^ '\\'*ones - ones
	return (x|(x-' '*ones)|angle|quote|slash)&high != 0
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '\\', '"':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}
