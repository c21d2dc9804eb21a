package server

// parseChunkLine reads the line before a chunk, as RFC 9112 §7.1 has it:
//
//	chunk-size = 1*HEXDIG
//	chunk-ext  = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
//
// Sizes have up to 16 digits. Extensions mean nothing here, but those that another program could take for a line end or for
// another size are refused.
func parseChunkLine(line []byte) (size int64, ok bool) {
	digits := 0
	for digits < len(line) {
		d := hexDigit(line[digits])
		if d < 0 {
			break
		}
		if digits++; digits > 16 || size >= 1<<58 {
			return 0, false
		}
		size = size<<4 | int64(d)
	}
	return size, digits > 0 && validExtensions(line[digits:])
}

func hexDigit(c byte) int {
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

func validExtensions(s []byte) bool {
	for len(s) > 0 {
		s = skipSpace(s)
		if len(s) == 0 || s[0] != ';' {
			return false
		}
		s = skipSpace(s[1:])
		n := tokenLength(s)
		if n == 0 {
			return false
		}
		s = s[n:]
		value := skipSpace(s)
		if len(value) == 0 || value[0] != '=' {
			continue
		}
		value = skipSpace(value[1:])
		if n = tokenLength(value); n == 0 {
			n = quotedLength(value)
		}
		if n == 0 {
			return false
		}
		s = value[n:]
	}
	return true
}

func skipSpace(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

func tokenLength(s []byte) int {
	n := 0
	for n < len(s) && isToken[s[n]] {
		n++
	}
	return n
}

// quotedLength is how long a quoted string is with its quotes (RFC 9110 §5.6.4), or 0.
func quotedLength(s []byte) int {
	if len(s) == 0 || s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i++; i == len(s) || !quotable(s[i]) {
				return 0
			}
		case !quotable(c):
			return 0
		}
	}
	return 0
}

func quotable(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }
