package template

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Blocked stands where a value was not safe: a javascript: URL, CSS that could do more than look.
const Blocked = "about:invalid#blocked"

type escapeFunc func(b []byte, v value) []byte

// escaper is the escaping at one place of a page.
type escaper struct {
	value  escapeFunc                      // nil for that of text
	text   func(b []byte, s string) []byte // the same of a plain string, where there is a shorter way
	digits bool                            // integers are written as they are
}

// escaper gives the escaping for a value at this place and the place behind the value. last is the filter that made
// the value, "()" a call: safe and tojson count for the place where they are written.
func (c escContext) escaper(last string) (escaper, escContext, *escError) {
	plain := escaper{text: appendHTML, digits: true}
	html := escaper{value: htmlText, text: appendHTML, digits: true}
	trusted := last == "safe"
	switch c.state {
	case inText:
		return plain, c, nil
	case inTagName:
		switch {
		case c.element == "h" || c.element == "/h":
			c.element += "1"
			return escaper{value: headingLevel}, c, nil
		case (c.element == "" || c.element == "/") && (last == "()" || trusted):
			return escaper{value: tagStart}, c, nil
		case c.element == "" || c.element[0] == '/':
			return escaper{}, c, &escError{0, "a value in a tag's name: only the level of a heading, as in <h{{ level }}>, can be one"}
		}
		c.state, c.name, c.attr = inAttrName, "", attrDynamic
		return escaper{value: tagAttributes(true)}, c, nil
	case inTag:
		c.state, c.name, c.attr = inAttrName, "", attrDynamic
		return escaper{value: tagAttributes(false)}, c, nil
	case afterName, inTagOrName:
		c.state, c.name, c.attr = inAttrName, "", attrDynamic
		return escaper{value: tagAttributes(true)}, c, nil
	case inAttrName:
		return escaper{}, c, &escError{0, "a value in the middle of an attribute's name: put a space before it"}
	case inComment:
		return html, c, nil
	case inDeclaration:
		return escaper{}, c, &escError{0, "a value in a declaration: what it would mean there cannot be told"}
	case beforeValue:
		c.beginValue(' ')
	}
	if c.state == inRaw && !c.isJS() && !c.isCSS() {
		return html, c, nil
	}
	if c.state == inValue && c.element == "script" && c.name == "type" {
		return escaper{}, c, &escError{0, "the type of a script has to be known when the template is compiled"}
	}
	inner, next, err := c.inner(trusted, last == "tojson")
	if err != nil || c.state == inRaw {
		return escaper{value: inner}, next, err
	}
	esc := escaper{value: attributeValue(inner, c.delim)}
	if inner == nil && c.delim != ' ' {
		esc.text = appendHTML
	}
	esc.digits = inner == nil || c.attr == attrURL && !c.isJS()
	return esc, next, nil
}

// inner is the escaping for the language at this place, before that of the attribute around it.
func (c escContext) inner(trusted, json bool) (escapeFunc, escContext, *escError) {
	switch {
	case c.isJS():
		return c.jsEscaper(trusted || json)
	case c.isCSS():
		return c.cssEscaper(trusted)
	}
	switch c.attr {
	case attrURL, attrSrcset:
		f, next, err := c.urlEscaper(trusted)
		if err != nil {
			return nil, c, err
		}
		if c.attr == attrSrcset && !trusted {
			url, separator := f, c.separator()
			encoded := fmt.Sprintf("%%%02X", separator[0])
			f = func(b []byte, v value) []byte {
				start := len(b)
				b = url(b, v)
				return append(b[:start], strings.ReplaceAll(string(b[start:]), separator, encoded)...)
			}
		}
		return f, next, nil
	case attrRefresh:
		f := c.refreshEscaper(trusted)
		c.urlHead += "?"
		return f, c, nil
	case attrHTML:
		return c.docEscaper(trusted)
	}
	return nil, c, nil
}

// docEscaper is for values in srcdoc, a page in an attribute: they are escaped for their place in that page first.
func (c escContext) docEscaper(trusted bool) (escapeFunc, escContext, *escError) {
	doc, err := advance(escContext{}, c.urlHead)
	if err != nil {
		return nil, c, err
	}
	last := ""
	if trusted {
		last = "safe"
	}
	esc, _, err := doc.escaper(last)
	if err != nil {
		return nil, c, err
	}
	c.urlHead += "x"
	if esc.value != nil {
		return esc.value, c, nil
	}
	return func(b []byte, v value) []byte { return append(b, escapeHTML(v)...) }, c, nil
}

// htmlText escapes text, and of HTML whatever could end the place it stands in.
func htmlText(b []byte, v value) []byte {
	if v.k == kMarkup {
		return appendNormal(b, v.s)
	}
	return appendHTML(b, str(v))
}

// appendNormal escapes all but "&": what is HTML keeps its entities.
func appendNormal(b []byte, s string) []byte {
	for _, part := range strings.SplitAfter(s, "&") {
		text, amp := strings.CutSuffix(part, "&")
		b = appendHTML(b, text)
		if amp {
			b = append(b, '&')
		}
	}
	return b
}

// attributeValue escapes for an attribute with quotes or without. inner is nil for plain attributes.
func attributeValue(inner escapeFunc, delim byte) escapeFunc {
	return func(b []byte, v value) []byte {
		start := len(b)
		if inner == nil {
			b = htmlText(b, v)
		} else {
			b = inner(b, v)
			if bytes.ContainsAny(b[start:], "&<>\"'") {
				s := string(b[start:])
				b = appendHTML(b[:start], s)
			}
		}
		if delim != ' ' {
			return b
		}
		s := string(b[start:])
		b = b[:start]
		if s == "" {
			return append(b, "&#32;"...) // nothing would make the next attribute the value
		}
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case isSpace(c) || c == '=' || c == '`':
				b = fmt.Appendf(b, "&#%d;", c)
			default:
				b = append(b, c)
			}
		}
		return b
	}
}

// tagAttributes writes attributes: HTML as it is (xmlattr makes it), other values as the name of a plain attribute.
func tagAttributes(space bool) escapeFunc {
	return func(b []byte, v value) []byte {
		s := str(v)
		if s == "" {
			return b
		}
		if space && (v.k != kMarkup || !isSpace(s[0])) {
			b = append(b, ' ')
		}
		if v.k == kMarkup {
			return append(b, s...)
		}
		for i, name := range strings.Fields(s) {
			if i > 0 {
				b = append(b, ' ')
			}
			if !isAttrName(name) || kindOf("", name) != attrPlain || strings.EqualFold(name, "type") || strings.EqualFold(name, "content") {
				name = "data-blocked"
			}
			b = append(b, name...)
		}
		return b
	}
}

// tagStart writes what a macro or caller() gives behind a "<". What is no HTML does not become a tag.
func tagStart(b []byte, v value) []byte {
	if v.k == kMarkup {
		return append(b, v.s...)
	}
	return appendHTML(append(b, ' '), str(v))
}

// headingLevel writes the digit of h1 to h6.
func headingLevel(b []byte, v value) []byte {
	s := str(v)
	if len(s) != 1 || s[0] < '1' || s[0] > '6' {
		raise(KindRuntime, "a heading has a level from 1 to 6, not %q", s)
	}
	return append(b, s...)
}

func isAttrName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && c != '-' && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func (c escContext) jsEscaper(trusted bool) (escapeFunc, escContext, *escError) {
	top := byte(0)
	if c.js != "" {
		top = c.js[len(c.js)-1]
	}
	switch top {
	case '"', '\'', '`':
		return func(b []byte, v value) []byte { return appendJSString(b, str(v)) }, c, nil
	case '/', '[':
		return nil, c, &escError{0, "a value in a regular expression: build it with new RegExp(…) of a string"}
	case '*', '-':
		return func(b []byte, _ value) []byte { return b }, c, nil
	}
	c.slash = slashDivides
	return func(b []byte, v value) []byte {
		if trusted {
			return append(b, str(v)...)
		}
		if v.k == kUndefined {
			return append(b, "null"...)
		}
		if v.k == kMarkup {
			v = stringValue(v.s)
		}
		out := appendJSON(nil, v, jsonStyle{})
		if out[0] != '"' && out[0] != '[' && out[0] != '{' { // keep it apart from a word before and after
			return append(append(append(b, ' '), out...), ' ')
		}
		return append(b, out...)
	}, c, nil
}

// appendJSString escapes all that could end a string, a script or an attribute.
func appendJSString(b []byte, s string) []byte {
	for i, r := range s {
		switch {
		case r == utf8.RuneError && s[i] >= 0x80:
			b = append(b, `\ufffd`...)
		case r < ' ' || strings.ContainsRune("\"'`<>&\\/${}=+-\u2028\u2029\x7f", r):
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

func (c escContext) cssEscaper(trusted bool) (escapeFunc, escContext, *escError) {
	switch {
	case c.css == '*':
		return func(b []byte, _ value) []byte { return b }, c, nil
	case c.cssURL:
		// The characters that URLs keep do not end url( or a string. In a style of SVG "&" would begin an entity.
		url, next, err := c.urlEscaper(trusted)
		if err != nil || trusted {
			return url, next, err
		}
		return func(b []byte, v value) []byte {
			start := len(b)
			b = url(b, v)
			if bytes.IndexByte(b[start:], '&') < 0 {
				return b
			}
			return append(b[:start], strings.ReplaceAll(string(b[start:]), "&", `\26 `)...)
		}, next, nil
	case c.css != 0:
		return func(b []byte, v value) []byte { return appendCSSString(b, str(v)) }, c, nil
	}
	return func(b []byte, v value) []byte {
		s := str(v)
		if trusted || safeCSS(s) {
			return append(b, s...)
		}
		return append(b, "blocked"...)
	}, c, nil
}

func appendCSSString(b []byte, s string) []byte {
	for _, r := range s {
		if r < 0x80 && !isLetter(byte(r)) && (r < '0' || r > '9') && r != ' ' && r != '-' && r != '_' && r != '.' && r != ',' {
			b = append(b, '\\')
			b = strconv.AppendInt(b, int64(r), 16)
			b = append(b, ' ')
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// safeCSS reports whether a value is made of words, numbers, colours and lengths only.
func safeCSS(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && (c < '0' || c > '9') && strings.IndexByte(" #%.,+-_!", c) < 0 {
			return false
		}
	}
	low := strings.ToLower(strings.ReplaceAll(s, "-", ""))
	return !strings.Contains(low, "expression") && !strings.Contains(low, "mozbinding") && !strings.Contains(low, "behavior")
}
