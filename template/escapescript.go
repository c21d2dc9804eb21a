package template

import "strings"

// javascript reads one token of a script up to end. js is the stack of what it is inside of: the quotes ' " and `,
// '/' a regular expression, '[' its class, '*' and '-' a block and a line comment, '{' braces within '$', the ${ of a
// template literal.
func (s *pageScan) javascript(end int) {
	c := s.text[s.i]
	top := byte(0)
	if s.js != "" {
		top = s.js[len(s.js)-1]
	}
	switch top {
	case '"', '\'', '`':
		s.jsString(top, end)
		return
	case '/', '[':
		s.jsRegexp(top)
		return
	case '*':
		if n := strings.Index(s.text[s.i:end], "*/"); n >= 0 {
			s.i += n + 2
			s.pop()
		} else {
			s.i = end
		}
		return
	case '-':
		if n := strings.IndexAny(s.text[s.i:end], "\n\r\u2028\u2029"); n >= 0 {
			s.i += n + 1
			s.pop()
		} else {
			s.i = end
		}
		return
	}
	switch {
	case c == '"' || c == '\'' || c == '`':
		s.push(c)
	case c == '/' && strings.HasPrefix(s.text[s.i:end], "//"):
		s.push('-')
	case c == '/' && strings.HasPrefix(s.text[s.i:end], "/*"):
		s.push('*')
		s.i++
	case c == '/':
		switch s.slash {
		case slashUnknown:
			s.fail("a \"/\" that could be a division or begin a regular expression: put a bracket or a semicolon before it")
			return
		case slashRegexp:
			s.push('/')
		default:
			s.slash = slashRegexp
		}
	case c == '<' && strings.HasPrefix(s.text[s.i:end], "<!--"):
		s.push('-') // browsers read it as a line comment
	case c == '{' && strings.Contains(s.js, "$"):
		s.push('{')
		s.slash = slashRegexp
	case c == '}' && (top == '{' || top == '$'):
		s.pop()
		s.slash = slashRegexp
	default:
		s.jsToken(end)
		return
	}
	s.i++
}

func (s *pageScan) push(b byte) {
	s.js += string(b)
	if len(s.js) > 32 {
		s.fail("the script nests too deep to follow")
	}
}

func (s *pageScan) pop() { s.js = s.js[:len(s.js)-1] }

// jsToken passes a word or another character and notes what a "/" behind it would mean.
func (s *pageScan) jsToken(end int) {
	start := s.i
	for s.i < end {
		c := s.text[s.i]
		if c != '_' && c != '$' && c < 0x80 && !isLetter(c) && (c < '0' || c > '9') {
			break
		}
		s.i++
	}
	if s.i > start {
		switch s.text[start:s.i] {
		case "return", "typeof", "instanceof", "in", "of", "new", "delete", "void", "throw", "case", "do", "else", "await", "yield":
			s.slash = slashRegexp
		default:
			s.slash = slashDivides
		}
		return
	}
	switch c := s.text[s.i]; {
	case isSpace(c):
	case c == ')' || c == ']' || c == '}':
		s.slash = slashDivides
	case (c == '+' || c == '-') && s.i+1 < end && s.text[s.i+1] == c:
		s.i++
		if s.slash == slashRegexp {
			s.slash = slashUnknown
		}
	default:
		s.slash = slashRegexp
	}
	s.i++
}

func (s *pageScan) jsString(quote byte, end int) {
	for s.i < end {
		c := s.text[s.i]
		s.i++
		switch {
		case c == '\\':
			if s.i == end {
				s.i--
				s.fail("a script's text ends with a backslash before data")
				return
			}
			s.i++
		case c == quote:
			s.pop()
			s.slash = slashDivides
			return
		case c == '\n' && quote != '`':
			s.pop() // a syntax error in the script: the string ends here
			return
		case c == '<' && strings.HasPrefix(s.text[s.i:], "!--"):
			s.i--
			s.fail("\"<!--\" in a script's string may hide the script's end: write \\u003c!--")
			return
		case quote == '`' && c == '$' && s.i < end && s.text[s.i] == '{':
			s.i++
			s.push('$')
			s.slash = slashRegexp
			return
		}
	}
}

func (s *pageScan) jsRegexp(top byte) {
	c := s.text[s.i]
	s.i++
	switch {
	case c == '\\' && s.i < len(s.text):
		s.i++
	case c == '\n':
		s.js = strings.TrimRight(s.js, "/[")
	case top == '/' && c == '[':
		s.push('[')
	case top == '[' && c == ']':
		s.pop()
	case top == '/' && c == '/':
		s.pop()
		s.slash = slashDivides
	}
}

// stylesheet reads one token of CSS up to end.
func (s *pageScan) stylesheet(end int) {
	rest := s.text[s.i:end]
	c := rest[0]
	switch s.css {
	case '*':
		if n := strings.Index(rest, "*/"); n >= 0 {
			s.i += n + 2
			s.css = 0
		} else {
			s.i = end
		}
		return
	case '"', '\'':
		s.cssString(c, end)
		return
	case 'u':
		if c == ')' {
			s.css, s.cssURL = 0, false
		} else {
			s.urlText(string(c))
		}
		s.i++
		return
	}
	switch {
	case strings.HasPrefix(rest, "/*"):
		s.css = '*'
		s.i += 2
	case c == '"' || c == '\'':
		s.css = c
		s.i++
	case c == '\\':
		s.i = min(s.i+2, end)
	case len(rest) >= 4 && strings.EqualFold(rest[:4], "url("):
		s.i += 4
		for s.i < end && isSpace(s.text[s.i]) {
			s.i++
		}
		s.beginURL()
		s.cssURL, s.css = true, 'u'
		if s.i < end && (s.text[s.i] == '"' || s.text[s.i] == '\'') {
			s.css = s.text[s.i]
			s.i++
		}
	case len(rest) >= 7 && strings.EqualFold(rest[:7], "@import"):
		s.i += 7
		for s.i < end && isSpace(s.text[s.i]) {
			s.i++
		}
		if s.i < end && (s.text[s.i] == '"' || s.text[s.i] == '\'') {
			s.beginURL()
			s.cssURL, s.css = true, s.text[s.i]
			s.i++
		}
	default:
		s.i++
	}
}

func (s *pageScan) cssString(c byte, end int) {
	s.i++
	switch {
	case c == '\\':
		if s.i == end {
			s.i--
			s.fail("a style's text ends with a backslash before data")
			return
		}
		s.i++
	case c == s.css:
		s.css = 0
		s.cssURL = false
	case c == '\n':
		s.css, s.cssURL = 0, false
	case s.cssURL:
		s.urlText(string(c))
	}
}
