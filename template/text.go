package template

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Values as text, the way Python writes them: True, None, 1.0, ['a', 'b'].

// str is the text of a value where it is written into a page, before escaping.
func str(v value) string {
	switch v.k {
	case kString, kMarkup:
		return v.s
	case kInt:
		return strconv.FormatInt(v.int(), 10)
	case kUndefined, kMissing:
		return ""
	case kObject:
		switch o := v.o.(type) {
		case *module:
			return o.body
		case fmt.Stringer:
			return o.String()
		case error:
			return o.Error()
		}
	}
	return string(appendRepr(nil, v, 0))
}

func repr(v value) string { return string(appendRepr(nil, v, 0)) }

const (
	maxReprDepth = 30
	maxRepr      = 16 << 20 // bytes
)

// tooLong stops the page at the text or JSON of a value that cannot be meant: lists that hold others several times.
func tooLong(b []byte) {
	if len(b) > maxRepr {
		raise(KindLimit, "a value's text has more than %d bytes", maxRepr)
	}
}

func appendRepr(b []byte, v value, depth int) []byte {
	switch v.k {
	case kUndefined, kMissing:
		return append(b, "Undefined"...)
	case kNone:
		return append(b, "None"...)
	case kBool:
		if v.n != 0 {
			return append(b, "True"...)
		}
		return append(b, "False"...)
	case kInt:
		return strconv.AppendInt(b, v.int(), 10)
	case kFloat:
		return appendFloat(b, v.float())
	case kString:
		return appendQuoted(b, v.s)
	case kMarkup:
		return append(appendQuoted(append(b, "Markup("...), v.s), ')')
	}
	tooLong(b)
	if depth > maxReprDepth {
		return append(b, "..."...)
	}
	if d, ok := v.o.(*dict); ok {
		b = append(b, '{')
		for i := range d.keys {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(appendRepr(b, d.keys[i], depth+1), ": "...)
			b = appendRepr(b, d.values[i], depth+1)
		}
		return append(b, '}')
	}
	if s, ok := v.o.(fmt.Stringer); ok {
		return append(b, s.String()...)
	}
	if isMapping(v) {
		b = append(b, '{')
		for i, key := range mapKeys(v) {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(appendRepr(b, key, depth+1), ": "...)
			item, _ := mapGet(v, key)
			b = appendRepr(b, item, depth+1)
		}
		return append(b, '}')
	}
	if s, ok := sequenceOf(v); ok {
		l, own := v.o.(*list)
		open, end := byte('['), byte(']')
		if own && l.tuple {
			open, end = '(', ')'
		}
		b = append(b, open)
		for i := range s.n {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendRepr(b, s.at(i), depth+1)
		}
		if own && l.tuple && s.n == 1 {
			b = append(b, ',')
		}
		return append(b, end)
	}
	switch o := v.o.(type) {
	case callable:
		return append(append(append(b, "<function "...), o.title()...), '>')
	case *namespace:
		return append(appendRepr(append(b, "<Namespace "...), object(o.vars), depth+1), '>')
	case attributed:
		return append(b, "<object>"...)
	}
	return fmt.Append(b, deref(v.o).Interface())
}

// appendFloat writes as Python's repr does: the shortest digits, with an exponent below 1e-4 and from 1e16.
func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(b, "inf"...)
	case math.IsInf(f, -1):
		return append(b, "-inf"...)
	case math.IsNaN(f):
		return append(b, "nan"...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	if !strings.Contains(string(b[start:]), ".") {
		b = append(b, ".0"...)
	}
	return b
}

func appendQuoted(b []byte, s string) []byte {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, "\"") {
		quote = '"'
	}
	b = append(b, quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < 0x20 || r == 0x7f || r > 0x7f && r < 0x100 && !unicode.IsPrint(r):
			b = fmt.Appendf(b, `\x%02x`, r)
		case r > 0xff && r <= 0xffff && !unicode.IsPrint(r):
			b = fmt.Appendf(b, `\u%04x`, r)
		case r > 0xffff && !unicode.IsPrint(r):
			b = fmt.Appendf(b, `\U%08x`, r)
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, quote)
}

// escapeHTML gives text as HTML, unless it is HTML already.
func escapeHTML(v value) string {
	if v.k == kMarkup {
		return v.s
	}
	return string(appendHTML(nil, str(v)))
}

// entities holds what stands for a byte in HTML, if it cannot stand for itself.
var entities = [256]string{'<': "&lt;", '>': "&gt;", '&': "&amp;", '"': "&#34;", '\'': "&#39;"}

func appendHTML(b []byte, s string) []byte {
	last := 0
	for i := 0; i < len(s); i++ {
		if entities[s[i]] == "" {
			continue
		}
		b = append(append(b, s[last:i]...), entities[s[i]]...)
		last = i + 1
	}
	return append(b, s[last:]...)
}
