package orm

import "strings"

// sqlScanner splits SQL into statements and those into tokens. It knows the quotes and comments of the three dialects.
type sqlScanner struct {
	text    string
	dialect string
	at      int
	odd     bool // something that the scanner does not follow to its end
}

// statement returns the tokens up to the next semicolon and whether there is more text.
func (s *sqlScanner) statement() (tokens []sqlToken, more bool) {
	s.odd = false
	for s.at < len(s.text) {
		token := s.next()
		switch {
		case token == "":
			continue
		case token == ";" && !hasBody(tokens):
			return tokens, true
		}
		tokens = append(tokens, token)
	}
	return tokens, false
}

// hasBody reports the beginning of a definition that has statements, and so semicolons, of its own.
func hasBody(tokens []sqlToken) bool {
	if len(tokens) == 0 || tokens[0] != "create" {
		return false
	}
	for _, t := range tokens[:min(len(tokens), 12)] {
		switch t {
		case "trigger", "procedure", "function", "event", "package":
			return true
		}
	}
	return false
}

// next returns the next token, or "" for blanks and comments.
func (s *sqlScanner) next() sqlToken {
	rest := s.text[s.at:]
	c := rest[0]
	switch {
	case c <= ' ':
		s.at++
		return ""
	case strings.HasPrefix(rest, "--"), c == '#' && s.dialect == "mysql":
		if c == '-' && s.dialect == "mysql" && len(rest) > 2 && rest[2] > ' ' { // minus minus
			s.at++
			return "-"
		}
		s.skip(strings.IndexByte(rest, '\n'), 1)
		return ""
	case strings.HasPrefix(rest, "/*"):
		s.comment()
		return ""
	case c == '\'':
		s.quoted('\'', s.dialect == "mysql")
		return "'"
	case c == '"':
		s.quoted('"', s.dialect == "mysql")
		if s.dialect == "mysql" {
			return "'"
		}
		return "\""
	case c == '`':
		s.quoted('`', false)
		return "\""
	case c == '[' && s.dialect == "sqlite":
		s.skip(strings.IndexByte(rest, ']'), 1)
		return "\""
	case c == '$' && s.dialect == "postgres":
		return s.dollar()
	case strings.HasPrefix(rest, ":="):
		s.at += 2
		return ":="
	case isWordByte(c):
		return s.word()
	}
	s.at++
	return sqlToken(rest[:1])
}

func isWordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

// word reads a word or a number. A prefix of a string (E”, X”, N”, _utf8”) belongs to the string.
func (s *sqlScanner) word() sqlToken {
	end := s.at
	for end < len(s.text) && (isWordByte(s.text[end]) || s.text[end] == '$') {
		end++
	}
	word := strings.ToLower(s.text[s.at:end])
	s.at = end
	if word == "e" && s.dialect == "postgres" && end < len(s.text) && s.text[end] == '\'' {
		s.quoted('\'', true)
		return "'"
	}
	if word[0] >= '0' && word[0] <= '9' {
		return "'"
	}
	return sqlToken(word)
}

// skip moves behind what was found at an index of the rest of the text, or to the end.
func (s *sqlScanner) skip(index, length int) {
	if index < 0 {
		s.at = len(s.text)
		return
	}
	s.at += index + length
}

// comment skips a comment. MySQL runs what stands in /*! */ as SQL.
func (s *sqlScanner) comment() {
	rest := s.text[s.at:]
	if s.dialect == "mysql" && (strings.HasPrefix(rest, "/*!") || strings.HasPrefix(rest, "/*M!")) {
		s.odd = true
	}
	if s.dialect != "postgres" {
		if end := strings.Index(rest[2:], "*/"); end >= 0 {
			s.at += end + 4
		} else {
			s.at = len(s.text)
		}
		return
	}
	depth := 0
	for i := 0; i < len(rest); i++ { // PostgreSQL's comments nest
		switch {
		case strings.HasPrefix(rest[i:], "/*"):
			depth++
			i++
		case strings.HasPrefix(rest[i:], "*/"):
			depth--
			i++
			if depth == 0 {
				s.at += i + 1
				return
			}
		}
	}
	s.at = len(s.text)
}

// quoted skips a quoted text, in which the quote is doubled or escaped.
func (s *sqlScanner) quoted(quote byte, escapes bool) {
	for i := s.at + 1; i < len(s.text); i++ {
		switch {
		case s.text[i] == '\\' && escapes:
			i++
		case s.text[i] == quote && i+1 < len(s.text) && s.text[i+1] == quote:
			i++
		case s.text[i] == quote:
			s.at = i + 1
			return
		}
	}
	s.at, s.odd = len(s.text), true
}

// dollar skips PostgreSQL's $tag$ … $tag$ and reads $1.
func (s *sqlScanner) dollar() sqlToken {
	rest := s.text[s.at:]
	end := 1
	for end < len(rest) && isWordByte(rest[end]) {
		end++
	}
	if end == len(rest) || rest[end] != '$' || end > 1 && rest[1] >= '0' && rest[1] <= '9' {
		s.at += end
		return "'"
	}
	tag := rest[:end+1]
	if close := strings.Index(rest[len(tag):], tag); close >= 0 {
		s.at += len(tag) + close + len(tag)
	} else {
		s.at, s.odd = len(s.text), true
	}
	return "'"
}
