package template

import "strings"

// Tokens of JavaScript and CSS for the oracle: an own reading of both languages, apart from that of the compiler.

// jsTokens lists a script's tokens: S a string, T a piece of a template literal, N a number, R a regular expression,
// words and signs as they are. Comments are none.
func jsTokens(s string) []string {
	var out []string
	var braces []bool // whether the brace is that of ${
	i := 0
	template := func() { // behind "`" or the "}" of a substitution
		for i < len(s) {
			switch {
			case s[i] == '\\':
				i++
			case s[i] == '`':
				i++
				out = append(out, "T")
				return
			case s[i] == '$' && i+1 < len(s) && s[i+1] == '{':
				i += 2
				braces = append(braces, true)
				out = append(out, "T${")
				return
			}
			i++
		}
		out = append(out, "unclosed`")
	}
	for i < len(s) {
		rest := s[i:]
		c := s[i]
		switch {
		case strings.HasPrefix(rest, "//") || strings.HasPrefix(rest, "<!--"):
			n := strings.IndexAny(rest, "\n\r\u2028\u2029")
			if n < 0 {
				n = len(rest)
			}
			i += n
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				return append(out, "unclosed*")
			}
			i += n + 4
		case c == '"' || c == '\'':
			i++
			for i < len(s) && s[i] != c && s[i] != '\n' && s[i] != '\r' {
				if s[i] == '\\' {
					i++
				}
				i++
			}
			if i >= len(s) || s[i] != c {
				out = append(out, "unclosed"+string(c))
			} else {
				out = append(out, "S")
			}
			i++
		case c == '`':
			i++
			template()
		case c == '{':
			braces = append(braces, false)
			out = append(out, "{")
			i++
		case c == '}':
			i++
			if n := len(braces); n > 0 {
				sub := braces[n-1]
				braces = braces[:n-1]
				if sub {
					template()
					continue
				}
			}
			out = append(out, "}")
		case c == '/' && regexpMayBegin(out):
			i++
			for class := false; i < len(s) && s[i] != '\n' && (s[i] != '/' || class); i++ {
				switch s[i] {
				case '\\':
					i++
				case '[':
					class = true
				case ']':
					class = false
				}
			}
			out = append(out, "R")
			i++
		case c <= ' ' || strings.HasPrefix(rest, "\u2028") || strings.HasPrefix(rest, "\u2029"):
			i++
		case isLetter(c) || c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9':
			start := i
			for i < len(s) && (isLetter(s[i]) || s[i] == '_' || s[i] == '$' || s[i] >= 0x80 || s[i] >= '0' && s[i] <= '9' || s[i] == '.' && s[start] <= '9' && s[start] >= '0') {
				i++
			}
			word := s[start:i]
			if word[0] >= '0' && word[0] <= '9' {
				word = "N"
			}
			out = append(out, word)
		case (c == '+' || c == '-') && strings.HasPrefix(rest[1:], string(c)):
			out = append(out, rest[:2])
			i += 2
		default:
			out = append(out, string(c))
			i++
		}
	}
	return out
}

func regexpMayBegin(out []string) bool {
	if len(out) == 0 {
		return true
	}
	switch last := out[len(out)-1]; last {
	case ")", "]", "}", "S", "T", "N", "R":
		return false
	case "++", "--":
		return len(out) == 1 || regexpMayBegin(out[:len(out)-1])
	case "return", "typeof", "in", "of":
		return true
	default:
		c := last[0]
		return !isLetter(c) && c != '_' && c != '$' && c < 0x80
	}
}

// style lists the signs that structure a style sheet and notes the URLs in it. Words, numbers and colours are what data
// may give.
func (s *skeleton) style(text string) {
	for i := 0; i < len(text); {
		rest := text[i:]
		c := text[i]
		switch {
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				s.shape = append(s.shape, "unclosed*")
				return
			}
			i += n + 4
		case c == '"' || c == '\'':
			str, n := cssStringToken(rest)
			s.shape = append(s.shape, "S")
			if len(s.shape) > 1 && s.shape[len(s.shape)-2] == "@" {
				s.urls = append(s.urls, schemeOf(str))
			}
			i += n
		case len(rest) > 4 && strings.EqualFold(rest[:4], "url("):
			i += 4
			arg := strings.TrimLeft(text[i:], " \t\n")
			i = len(text) - len(arg)
			if arg != "" && (arg[0] == '"' || arg[0] == '\'') {
				str, n := cssStringToken(arg)
				s.shape, s.urls = append(s.shape, "U"), append(s.urls, schemeOf(str))
				i += n
				continue
			}
			n := 0
			for n < len(arg) && arg[n] != ')' {
				if strings.IndexByte("\"'(", arg[n]) >= 0 {
					s.shape = append(s.shape, "badURL")
				}
				if arg[n] == '\\' {
					n++
				}
				n++
			}
			s.shape, s.urls = append(s.shape, "U"), append(s.urls, schemeOf(arg[:min(n, len(arg))]))
			i += n
		case c == '\\':
			i += 2
		case strings.IndexByte("{}();:@[]<>/=*", c) >= 0:
			s.shape = append(s.shape, string(c))
			i++
		default:
			i++
		}
	}
}

// cssStringToken reads a string with its quotes; n is where it ends.
func cssStringToken(s string) (text string, n int) {
	var b strings.Builder
	for n = 1; n < len(s) && s[n] != s[0] && s[n] != '\n'; n++ {
		if s[n] == '\\' && n+1 < len(s) {
			n++
			hex := 0
			digits := 0
			for n+digits < len(s) && digits < 6 && isHex(s[n+digits:n+digits+1]) {
				hex = hex*16 + strings.IndexByte("0123456789abcdef", s[n+digits]|0x20)
				digits++
			}
			if digits > 0 {
				b.WriteRune(rune(hex))
				n += digits
				if n < len(s) && s[n] != ' ' {
					n--
				}
				continue
			}
		}
		b.WriteByte(s[n])
	}
	return b.String(), n + 1
}
