package template

import (
	"fmt"
	"html"
	"strings"
)

type escError struct {
	offset  int
	message string
}

// pageScan reads a piece of a template's text as a browser would.
type pageScan struct {
	escContext
	text string
	i    int
	err  *escError
}

func advance(c escContext, text string) (escContext, *escError) {
	s := &pageScan{escContext: c, text: text}
	for s.i < len(text) && s.err == nil {
		s.step()
	}
	return s.escContext, s.err
}

func (s *pageScan) fail(format string, args ...any) {
	s.err = &escError{s.i, fmt.Sprintf(format, args...)}
}

func isSpace(c byte) bool  { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func (s *pageScan) rest() string { return s.text[s.i:] }

// find moves behind the next occurrence of a text, or to the end.
func (s *pageScan) find(what string) bool {
	n := strings.Index(s.rest(), what)
	if n < 0 {
		s.i = len(s.text)
		return false
	}
	s.i += n + len(what)
	return true
}

func (s *pageScan) step() {
	c := s.text[s.i]
	switch s.state {
	case inText:
		s.inText()
	case inComment:
		if s.find("-->") {
			s.state = inText
		}
	case inDeclaration:
		if s.find(">") {
			s.state = inText
		}
	case inTagName:
		switch {
		case isSpace(c) || c == '/':
			s.state = inTag
			s.i++
		case c == '>':
			s.endTag()
		default:
			s.element += asciiLower(s.text[s.i : s.i+1])
			s.i++
		}
	case inTag:
		switch {
		case isSpace(c) || c == '/':
			s.i++
		case c == '>':
			s.endTag()
		default:
			s.state, s.name, s.attr = inAttrName, "", attrPlain
			if c == '=' {
				s.name = "="
				s.i++
			}
		}
	case inTagOrName:
		if !isSpace(c) && c != '/' && c != '>' {
			s.fail("an attribute's name that may have begun in a branch: put a space before it")
			return
		}
		s.state = inTag
	case inAttrName, afterName, beforeValue:
		s.attribute(c)
	case inValue:
		s.value()
	case inRaw:
		s.rawContent()
	}
}

// attribute reads a character of an attribute up to its value.
func (s *pageScan) attribute(c byte) {
	switch s.state {
	case inAttrName:
		switch {
		case isSpace(c):
			s.state = afterName
			s.i++
		case c == '=' || c == '>' || c == '/':
			s.state = afterName
		case c == '"' || c == '\'' || c == '<':
			s.fail("%q in an attribute's name: a quote or \">\" is missing before it", c)
		case s.attr == attrDynamic:
			s.fail("an attribute's name that goes on behind a value: put a space between them")
		default:
			s.name += asciiLower(s.text[s.i : s.i+1])
			s.i++
		}
	case afterName:
		switch {
		case isSpace(c):
			s.i++
		case c == '=':
			s.state = beforeValue
			s.i++
			if s.attr != attrDynamic {
				s.beginAttribute()
			}
		default:
			s.state = inTag
		}
	case beforeValue:
		switch {
		case isSpace(c):
			s.i++
		case c == '"' || c == '\'':
			s.beginValue(c)
			s.i++
		case c == '>':
			s.endValue()
		default:
			s.beginValue(' ')
		}
	}
}

func (s *pageScan) inText() {
	n := strings.IndexByte(s.rest(), '<')
	if n < 0 {
		s.i = len(s.text)
		return
	}
	s.i += n
	rest := s.rest()
	switch {
	case strings.HasPrefix(rest, "<!--"):
		s.state = inComment
		s.i += 4
	case strings.HasPrefix(rest, "<!") || strings.HasPrefix(rest, "<?"):
		s.state = inDeclaration
		s.i += 2
	case len(rest) > 1 && isLetter(rest[1]):
		s.escContext = escContext{state: inTagName}
		s.i++
	case len(rest) > 2 && rest[1] == '/' && isLetter(rest[2]):
		s.escContext = escContext{state: inTagName, element: "/"}
		s.i += 2
	case len(rest) == 1 || len(rest) == 2 && rest[1] == '/':
		s.escContext = escContext{state: inTagName, element: rest[1:]}
		s.i = len(s.text)
	default:
		s.i++
	}
}

// endTag is at the ">" of a tag.
func (s *pageScan) endTag() {
	s.i++
	next := escContext{}
	switch s.element {
	case "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext":
		next = escContext{state: inRaw, element: s.element, kind: s.kind}
	}
	s.escContext = next
}

func (c *escContext) beginValue(delim byte) {
	c.state, c.delim, c.js, c.slash, c.css, c.cssURL = inValue, delim, "", slashRegexp, 0, false
	c.beginURL()
	if c.element == "script" && c.name == "type" {
		c.kind = ""
	}
}

func (c *escContext) endValue() {
	*c = escContext{state: inTag, element: c.element, kind: c.kind}
}

// value reads the rest of an attribute's value that lies in the text.
func (s *pageScan) value() {
	rest := s.rest()
	end := strings.IndexByte(rest, s.delim)
	if s.delim == ' ' {
		end = strings.IndexAny(rest, " \t\n\r\f>")
	}
	part := rest
	if end >= 0 {
		part = rest[:end]
	}
	if s.delim == ' ' {
		if n := strings.IndexAny(part, "\"'`=<"); n >= 0 {
			s.i += n
			s.fail("%q in a value without quotes: quote the value of %q", part[n], s.name)
			return
		}
	}
	s.valueText(part)
	if s.err != nil {
		return
	}
	s.i += len(part)
	if end >= 0 {
		if s.delim != ' ' {
			s.i++
		}
		s.endValue()
	}
}

// valueText moves through a piece of a value.
func (s *pageScan) valueText(part string) {
	if s.element == "script" && s.name == "type" {
		s.kind += part
	}
	decoded := html.UnescapeString(part)
	inner := &pageScan{escContext: s.escContext, text: decoded}
	switch s.attr {
	case attrURL:
		inner.urlText(decoded)
	case attrSrcset:
		for i, candidate := range strings.Split(decoded, s.separator()) {
			if i > 0 {
				inner.beginURL()
			}
			inner.urlText(strings.TrimLeft(candidate, " \t\n\r\f"))
		}
	case attrRefresh:
		inner.refreshText(decoded)
	case attrHTML:
		inner.urlHead += decoded
	case attrJS:
		for inner.i < len(decoded) && inner.err == nil {
			inner.javascript(len(decoded))
		}
	case attrCSS:
		for inner.i < len(decoded) && inner.err == nil {
			inner.stylesheet(len(decoded))
		}
	}
	if inner.err != nil {
		s.fail("%s", inner.err.message)
		return
	}
	s.escContext = inner.escContext
}

// asciiLower lowers the letters that HTML lowers, and keeps the length.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

// hiddenEnd refuses "<!--" with "<script" behind it, for which browsers pass over the next "</script>" (HTML standard,
// "restrictions for contents of script elements").
func (s *pageScan) hiddenEnd(text string) {
	if !s.dashes {
		_, after, found := strings.Cut(text, "<!--")
		s.dashes, text = found, after
	}
	if s.dashes && (strings.Contains(text, "<script") || strings.HasSuffix(text, "<s") || strings.Contains(text, "<sc")) {
		s.fail("\"<!--\" and \"<script\" in one script, which would not end where it seems to: write \\u003c for one \"<\"")
	}
}

// openEnd refuses text that data could complete to the element's closing tag. In an expression of a script data begins
// with a space, a quote or a bracket.
func (s *pageScan) openEnd(closing string) {
	for n := min(len(closing), len(s.text)); n > 0; n-- {
		if asciiLower(s.text[len(s.text)-n:]) == closing[:n] {
			if n > 1 || !s.isJS() || s.js != "" && strings.IndexByte("\"'`/[", s.js[len(s.js)-1]) >= 0 {
				s.i = len(s.text) - n
				s.fail("data behind %q could close <%s>: write it in another way, in a script as \\u003c", s.text[s.i:], s.element)
			}
			return
		}
	}
}

// rawContent reads what is between <script> and </script> and the like.
func (s *pageScan) rawContent() {
	end := len(s.text)
	closing := "</" + s.element
	for from := s.i; ; {
		n := strings.Index(s.text[from:], "</")
		if n < 0 {
			break
		}
		from += n
		after := from + len(closing)
		if after <= len(s.text) && asciiLower(s.text[from:after]) == closing &&
			(after == len(s.text) || isSpace(s.text[after]) || s.text[after] == '>' || s.text[after] == '/') {
			end = from
			break
		}
		from += 2
	}
	if s.element == "script" {
		s.hiddenEnd(asciiLower(s.text[s.i:end]))
	}
	for s.i < end && s.err == nil {
		switch {
		case s.isJS():
			s.javascript(end)
		case s.isCSS():
			s.stylesheet(end)
		default:
			s.i = end
		}
	}
	switch {
	case s.err != nil:
	case end < len(s.text):
		s.i = end + len(closing)
		s.escContext = escContext{state: inTagName, element: "/" + s.element}
	default:
		s.openEnd(closing)
	}
}
