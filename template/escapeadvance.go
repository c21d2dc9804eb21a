package template

import (
	"fmt"
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
			s.element += strings.ToLower(string(c))
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
		default:
			s.name += strings.ToLower(string(c))
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
				s.attr = kindOf(s.element, s.name)
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
	c.state, c.delim, c.url, c.js, c.slash, c.css, c.cssURL = inValue, delim, urlStart, "", slashRegexp, 0, false
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

var attrUnescape = strings.NewReplacer("&quot;", "\"", "&#34;", "\"", "&#39;", "'", "&apos;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&",
	"&colon;", ":", "&sol;", "/", "&Tab;", "\t", "&NewLine;", "\n", "&#58;", ":", "&#x3a;", ":", "&#x3A;", ":")

// valueText moves through a piece of a value.
func (s *pageScan) valueText(part string) {
	if s.element == "script" && s.name == "type" {
		s.kind += part
	}
	decoded := attrUnescape.Replace(part)
	inner := &pageScan{escContext: s.escContext, text: decoded}
	switch s.attr {
	case attrURL:
		inner.urlText(decoded)
	case attrSrcset:
		for i, candidate := range strings.Split(decoded, ",") {
			if i > 0 {
				inner.url = urlStart
			}
			inner.urlText(strings.TrimLeft(candidate, " \t\n\r\f"))
		}
	case attrRefresh:
		if n := strings.LastIndex(strings.ToLower(decoded), "url="); n >= 0 {
			inner.url = urlStart
			inner.urlText(strings.TrimLeft(decoded[n+4:], " '\""))
			inner.attr = attrURL
		}
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

// urlText moves through a piece of a URL.
func (c *escContext) urlText(part string) {
	for i := 0; i < len(part); i++ {
		switch b := part[i]; {
		case b == '?' || b == '#':
			c.url = urlQuery
		case c.url >= urlPath:
		case b == '/' || b == ':':
			c.url = urlPath
			if b == ':' && strings.EqualFold(strings.TrimSpace(part[:i]), "javascript") {
				c.attr, c.js, c.slash = attrJS, "", slashRegexp
				return
			}
		case c.url == urlStart && !isSpace(b):
			c.url = urlScheme
		}
	}
}

// rawContent reads what is between <script> and </script> and the like.
func (s *pageScan) rawContent() {
	end := len(s.text)
	lower := strings.ToLower(s.rest())
	closing := "</" + s.element
	for from := 0; ; {
		n := strings.Index(lower[from:], closing)
		if n < 0 {
			break
		}
		n += from
		after := n + len(closing)
		if after == len(lower) || isSpace(lower[after]) || lower[after] == '>' || lower[after] == '/' {
			end = s.i + n
			break
		}
		from = after
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
	if s.err == nil && end < len(s.text) {
		s.i = end + len(closing)
		s.escContext = escContext{state: inTagName, element: "/" + s.element}
	}
}
