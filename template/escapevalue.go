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

// escaper gives the escaping for a value at this place, nil for that of plain text, and the place behind the value.
// last is the filter that made the value: safe and tojson count for the place where they are written.
func (c escContext) escaper(last string) (escapeFunc, escContext, *escError) {
	trusted := last == "safe"
	switch c.state {
	case inText:
		return nil, c, nil
	case inTagName:
		return tagAttributes(true), c, nil
	case inTag:
		c.state, c.name, c.attr = inAttrName, "", attrDynamic
		return tagAttributes(false), c, nil
	case afterName, inTagOrName:
		c.state, c.name, c.attr = inAttrName, "", attrDynamic
		return tagAttributes(true), c, nil
	case inAttrName:
		return nil, c, &escError{0, "a value in the middle of an attribute's name: put a space before it"}
	case inComment:
		return htmlText, c, nil
	case inDeclaration:
		return nil, c, &escError{0, "a value in a declaration: what it would mean there cannot be told"}
	case beforeValue:
		c.beginValue(' ')
	}
	if c.state == inRaw && !c.isJS() && !c.isCSS() {
		return htmlText, c, nil
	}
	if c.state == inValue && c.element == "script" && c.name == "type" {
		return nil, c, &escError{0, "the type of a script has to be known when the template is compiled"}
	}
	if c.state == inValue && c.attr == attrJS && kindOf(c.element, c.name) != attrJS {
		return nil, c, &escError{0, "a value in a javascript: URL: use an event handler"}
	}
	inner, next, err := c.inner(trusted, last == "tojson")
	if err != nil || c.state == inRaw {
		return inner, next, err
	}
	return attributeValue(inner, c.delim), next, nil
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
		f := c.urlEscaper(trusted)
		if c.attr == attrSrcset && !trusted {
			url := f
			f = func(b []byte, v value) []byte {
				start := len(b)
				b = url(b, v)
				return append(b[:start], strings.ReplaceAll(string(b[start:]), ",", "%2C")...)
			}
		}
		c.url = max(c.url, urlScheme)
		return f, c, nil
	case attrRefresh:
		return func(b []byte, v value) []byte { // before any "url=": none may come from data
			s := str(v)
			if strings.Contains(strings.ToLower(s), "url") && !trusted && strings.ContainsAny(s, "=;,") {
				s = neuterRefresh(s)
			}
			return append(b, s...)
		}, c, nil
	case attrHTML:
		return htmlText, c, nil
	}
	return nil, c, nil
}

func neuterRefresh(s string) string {
	if n, rest, ok := strings.Cut(s, ";"); ok && !safeURL(strings.TrimLeft(afterEqual(rest), " '\"")) {
		return n
	}
	return s
}

func afterEqual(s string) string {
	_, after, _ := strings.Cut(s, "=")
	return after
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
			case c <= ' ' || c == '=' || c == '`':
				b = fmt.Appendf(b, "&#%d;", max(c, ' '))
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
		if v.k == kMarkup {
			return append(b, s...)
		}
		if space {
			b = append(b, ' ')
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

func isAttrName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && c != '-' && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// safeURL reports whether a URL is relative or has a scheme that only leads somewhere.
func safeURL(s string) bool {
	s = strings.TrimLeftFunc(s, func(r rune) bool { return r <= ' ' })
	scheme, _, ok := strings.Cut(s, ":")
	if !ok || strings.ContainsAny(scheme, "/?#") {
		return true
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "mailto", "tel", "sms", "ftp":
		return true
	}
	return false
}

func (c escContext) urlEscaper(trusted bool) escapeFunc {
	part := c.url
	return func(b []byte, v value) []byte {
		if v.k == kInt {
			return strconv.AppendInt(b, v.int(), 10)
		}
		s := str(v)
		switch {
		case trusted:
			return append(b, s...)
		case part == urlStart && !safeURL(s):
			return append(b, Blocked...)
		}
		return appendURL(b, s, part)
	}
}

// appendURL percent-encodes what a URL cannot hold; in a query everything but letters and digits.
func appendURL(b []byte, s string, part urlPart) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		keep := isLetter(c) || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
		if !keep && part != urlQuery {
			switch c {
			case '!', '#', '$', '&', '*', '+', ',', '/', ';', '=', '?', '@', '[', ']':
				keep = true
			case ':':
				keep = part != urlScheme
			case '%':
				keep = i+2 < len(s) && isHex(s[i+1:i+3])
			}
		}
		if keep {
			b = append(b, c)
		} else {
			b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		}
	}
	return b
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
		url := c.urlEscaper(trusted)
		c.url = max(c.url, urlScheme)
		return func(b []byte, v value) []byte { // the characters that URLs keep do not end url( or a string
			return append(b, url(nil, v)...)
		}, c, nil
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
