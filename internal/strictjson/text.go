package strictjson

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a string and the white space behind it, decoding its escapes into the scratch buffer if it has any.
func (s *Scanner) text() (decoded []byte, escaped bool, err error) {
	start, end, escaped, err := s.string()
	if err != nil {
		return nil, false, err
	}
	if escaped {
		s.scratch = unescape(s.scratch[:0], s.data[start:end])
		return s.scratch, true, nil
	}
	return s.data[start:end:end], false, nil
}

func (s *Scanner) skipText() error {
	_, _, _, err := s.string()
	return err
}

// string checks a string and returns where its content lies.
func (s *Scanner) string() (start, end int, escaped bool, err error) {
	data, i := s.data, s.pos
	if i >= len(data) || data[i] != '"' {
		return 0, 0, false, s.errorAt(i, "expected a string, found %s", found(data, i))
	}
	i++
	start = i
	for {
		i = plain(data, i)
		if i >= len(data) {
			return 0, 0, false, s.errorAt(s.pos, "the string that begins here has no closing quote")
		}
		switch c := data[i]; {
		case c == '"':
			s.pos = i + 1
			s.afterValue()
			return start, i, escaped, nil
		case c == '\\':
			escaped = true
			n, why := escape(data[i:])
			if why != "" {
				return 0, 0, false, s.errorAt(i, "%s", why)
			}
			i += n
		case c < ' ':
			return 0, 0, false, s.errorAt(i, "control character 0x%02x in a string; write it as \\u%04x", c, c)
		default:
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n <= 1 {
				return 0, 0, false, s.errorAt(i, "the octet 0x%02x is not UTF-8 here", c)
			}
			i += n
		}
	}
}

// plain returns the first position from i on that holds a quote, a backslash, a control character or anything that is
// not ASCII. It looks at eight octets at a time: in each octet of w the top bit of the sum below says "stop here".
func plain(data []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for i+8 <= len(data) {
		w := binary.LittleEndian.Uint64(data[i:])
		quote := w ^ ones*'"'
		slash := w ^ ones*'\\'
		stop := (w | (w - ones*' ') | (quote - ones) | (slash - ones)) & tops
		if stop != 0 {
			break
		}
		i += 8
	}
	for i < len(data) && isPlain[data[i]] {
		i++
	}
	return i
}

var isPlain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// escape checks the escape sequence that b begins with and returns its length; a surrogate pair is one sequence.
func escape(b []byte) (n int, why string) {
	if len(b) < 2 {
		return 0, "the text ends inside an escape"
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, ""
	case 'u':
	default:
		return 0, "unknown escape \\" + foundEscape(b[1:])
	}
	r := hex4(b[2:])
	switch {
	case r < 0:
		return 0, "\\u takes four hexadecimal digits"
	case !utf16.IsSurrogate(r):
		return 6, ""
	}
	if r < 0xDC00 && len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		if low := hex4(b[8:]); 0xDC00 <= low && low <= 0xDFFF {
			return 12, ""
		}
	}
	return 0, "half of a surrogate pair is not a character"
}

func foundEscape(b []byte) string {
	r, size := utf8.DecodeRune(b)
	if r == utf8.RuneError && size <= 1 || r < ' ' {
		return "sequence"
	}
	return string(r)
}

// hex4 returns the value of four hexadecimal digits, or -1.
func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescape appends the characters of a checked string.
func unescape(dst, src []byte) []byte {
	for i := 0; i < len(src); {
		if src[i] != '\\' {
			from := i
			for i < len(src) && src[i] != '\\' {
				i++
			}
			dst = append(dst, src[from:i]...)
			continue
		}
		switch c := src[i+1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(src[i+2:])
			if utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, hex4(src[i+8:]))
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
			i += 4
		default:
			dst = append(dst, c)
		}
		i += 2
	}
	return dst
}
