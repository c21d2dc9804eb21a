package template

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var operators = []string{
	"**", "//", "==", "!=", "<=", ">=",
	"+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ".", ":", "|", ",", ";",
}

// expression cuts the inside of a tag up to its end; an empty end is the end of the line.
func (l *lexer) expression(kind tokenKind, end string) {
	begin := l.pos
	var open []byte
	for {
		if len(open) == 0 && l.tagEnd(kind, end) {
			return
		}
		if l.pos >= len(l.text) {
			if end == "" {
				l.emit(kind, "", l.pos)
				return
			}
			l.fail(begin, "the tag is not closed by %q", end)
		}
		c := l.text[l.pos]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\v':
			l.pos++
		case c == '"' || c == '\'':
			l.stringLiteral(c)
		case c >= '0' && c <= '9':
			l.number()
		case c == '_' || c >= utf8.RuneSelf || c|0x20 >= 'a' && c|0x20 <= 'z':
			l.name()
		default:
			open = l.operator(open)
		}
	}
}

// tagEnd consumes the end of the tag if it is here.
func (l *lexer) tagEnd(kind tokenKind, end string) bool {
	rest := l.text[l.pos:]
	if end == "" {
		trimmed := strings.TrimLeft(rest, " \t\v")
		if trimmed != "" && trimmed[0] != '\n' {
			return false
		}
		l.emit(kind, "", l.pos)
		// Blank lines behind the statement belong to it.
		after := strings.TrimLeft(trimmed, " \t\v\n")
		l.pos = len(l.text) - len(after)
		if after != "" {
			l.pos = strings.LastIndexByte(l.text[:l.pos], '\n') + 1
		}
		return true
	}
	sign := ""
	if rest != "" && (rest[0] == '-' || rest[0] == '+' && kind == tokBlockEnd) {
		sign, rest = rest[:1], rest[1:]
	}
	if !strings.HasPrefix(rest, end) {
		return false
	}
	l.emit(kind, "", l.pos)
	next := len(l.text) - len(rest) + len(end)
	if kind == tokBlockEnd {
		l.afterTag(sign, next)
	} else {
		l.pos, l.stripNext = next, sign == "-"
	}
	return true
}

func (l *lexer) operator(open []byte) []byte {
	for _, op := range operators {
		if !strings.HasPrefix(l.text[l.pos:], op) {
			continue
		}
		switch op {
		case "(":
			open = append(open, ')')
		case "[":
			open = append(open, ']')
		case "{":
			open = append(open, '}')
		case ")", "]", "}":
			if len(open) == 0 || open[len(open)-1] != op[0] {
				l.fail(l.pos, "%q closes nothing that is open", op)
			}
			open = open[:len(open)-1]
		}
		l.emit(tokOp, op, l.pos)
		l.pos += len(op)
		return open
	}
	l.fail(l.pos, "unexpected character %q", l.text[l.pos])
	return nil
}

func (l *lexer) name() {
	start := l.pos
	for i, r := range l.text[start:] {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r) && !unicode.Is(unicode.M, r)) {
			break
		}
		l.pos = start + i + utf8.RuneLen(r)
	}
	if l.pos == start {
		r, _ := utf8.DecodeRuneInString(l.text[start:])
		l.fail(start, "unexpected character %q", r)
	}
	l.emit(tokName, l.text[start:l.pos], start)
}

func (l *lexer) number() {
	start, t := l.pos, l.text
	digits := func(i int) int {
		for i < len(t) && (t[i] >= '0' && t[i] <= '9' || t[i] == '_' && i+1 < len(t) && t[i+1] >= '0' && t[i+1] <= '9') {
			i++
		}
		return i
	}
	if i := start + 1; t[start] == '0' && i < len(t) && strings.IndexByte("xXoObB", t[i]) >= 0 {
		for i++; i < len(t) && (t[i] == '_' || t[i] >= '0' && t[i] <= '9' || t[i]|0x20 >= 'a' && t[i]|0x20 <= 'f'); i++ {
		}
		l.pos = i
		l.emit(tokInt, t[start:i], start)
		return
	}
	i, kind := digits(start), tokInt
	if i+1 < len(t) && t[i] == '.' && t[i+1] >= '0' && t[i+1] <= '9' {
		i, kind = digits(i+1), tokFloat
	}
	if i < len(t) && t[i]|0x20 == 'e' {
		j := i + 1
		if j < len(t) && (t[j] == '+' || t[j] == '-') {
			j++
		}
		if k := digits(j); k > j {
			i, kind = k, tokFloat
		}
	}
	l.pos = i
	l.emit(kind, strings.ReplaceAll(t[start:i], "_", ""), start)
}

// stringLiteral reads a quoted string with Python's escapes.
func (l *lexer) stringLiteral(quote byte) {
	start := l.pos
	end := start + 1
	for ; end < len(l.text) && l.text[end] != quote; end++ {
		if l.text[end] == '\\' {
			end++
		}
	}
	if end >= len(l.text) {
		l.fail(start, "the string is not closed by %c", quote)
	}
	body := l.text[start+1 : end]
	if strings.IndexByte(body, '\\') >= 0 {
		body = unescape(body)
	}
	l.pos = end + 1
	l.emit(tokString, body, start)
}

func unescape(s string) string {
	var b strings.Builder
	simple := map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", '\n': ""}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		width := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[i]]
		if text, ok := simple[s[i]]; ok {
			b.WriteString(text)
		} else if width > 0 && i+width < len(s)+0 && isHex(s[i+1:i+1+width]) {
			n, _ := strconv.ParseUint(s[i+1:i+1+width], 16, 32)
			b.WriteRune(rune(n))
			i += width
		} else if s[i] >= '0' && s[i] <= '7' {
			j := i
			for j < len(s) && j < i+3 && s[j] >= '0' && s[j] <= '7' {
				j++
			}
			n, _ := strconv.ParseUint(s[i:j], 8, 32)
			b.WriteRune(rune(n))
			i = j - 1
		} else {
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}
