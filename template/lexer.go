package template

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The lexer cuts a template into text and the tokens of its tags. White space around tags is settled here, so that
// the parser sees text as it will be written: "-" in a tag strips the white space on its side, TrimBlocks drops the
// line break after a block tag, LstripBlocks the spaces before one that stands first on its line, and "+" in a tag
// keeps what those two would drop.

type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokText
	tokVarBegin
	tokVarEnd
	tokBlockBegin
	tokBlockEnd
	tokName
	tokInt
	tokFloat
	tokString
	tokOp
)

type token struct {
	kind tokenKind
	text string
	at   *position
}

func (t token) is(op string) bool   { return t.kind == tokOp && t.text == op }
func (t token) named(n string) bool { return t.kind == tokName && t.text == n }
func (t token) describe() string {
	switch t.kind {
	case tokEOF:
		return "the end of the template"
	case tokVarEnd, tokBlockEnd:
		return "the end of the tag"
	case tokString:
		return "a string"
	}
	return "\"" + t.text + "\""
}

// Syntax holds the delimiters of a template; empty fields have Jinja's.
type Syntax struct {
	BlockStart, BlockEnd       string // {% %}
	VariableStart, VariableEnd string // {{ }}
	CommentStart, CommentEnd   string // {# #}
	LineStatement, LineComment string // none

	TrimBlocks          bool // drop the line break after a block tag
	LstripBlocks        bool // drop the spaces before a block tag that is first on its line
	KeepTrailingNewline bool // keep the line break that ends the file
}

func (s Syntax) withDefaults() Syntax {
	for _, d := range []struct {
		field *string
		value string
	}{{&s.BlockStart, "{%"}, {&s.BlockEnd, "%}"}, {&s.VariableStart, "{{"}, {&s.VariableEnd, "}}"}, {&s.CommentStart, "{#"}, {&s.CommentEnd, "#}"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	return s
}

type lexer struct {
	src    *source
	text   string
	syntax Syntax
	pos    int
	tokens []token
	found  [tagLineComment + 1]int // where a delimiter is next, counted from 1; -1 for nowhere
	// The position last given, to count lines only once.
	lineAt, line, lineStart int
	stripNext               bool // "-%}" was seen: the white space that follows goes
}

func lex(src *source, syntax Syntax) []token {
	text := strings.ReplaceAll(strings.ReplaceAll(src.text, "\r\n", "\n"), "\r", "\n")
	src.text = text
	if !syntax.KeepTrailingNewline {
		text = strings.TrimSuffix(text, "\n")
	}
	l := &lexer{src: src, text: text, syntax: syntax, line: 1}
	l.run()
	l.emit(tokEOF, "", len(l.text))
	return l.tokens
}

// at gives the position of a byte; calls come in ascending order, nearly always.
func (l *lexer) at(offset int) *position {
	if offset < l.lineAt {
		l.lineAt, l.line, l.lineStart = 0, 1, 0
	}
	for i := l.lineAt; i < offset; i++ {
		if l.text[i] == '\n' {
			l.line++
			l.lineStart = i + 1
		}
	}
	l.lineAt = offset
	col := offset - l.lineStart + 1
	if col < 4096 {
		col = utf8.RuneCountInString(l.text[l.lineStart:offset]) + 1
	}
	return &position{l.src, int32(l.line), int32(col)}
}

func (l *lexer) fail(offset int, format string, args ...any) {
	panic(l.at(offset).fault(KindSyntax, format, args...))
}

func (l *lexer) emit(kind tokenKind, text string, offset int) {
	l.tokens = append(l.tokens, token{kind, text, l.at(offset)})
}

const (
	tagNone = iota
	tagVariable
	tagBlock
	tagComment
	tagLineStatement
	tagLineComment
)

func (l *lexer) run() {
	for l.pos < len(l.text) {
		start := l.pos
		tag, at, after := l.nextTag(start)
		if tag == tagNone {
			l.addText(start, len(l.text), false)
			return
		}
		strip, keep := false, false
		if tag != tagLineStatement && tag != tagLineComment && after < len(l.text) {
			strip, keep = l.text[after] == '-', l.text[after] == '+'
			if strip || keep {
				after++
			}
		}
		end := at
		if l.syntax.LstripBlocks && !keep && !strip && (tag == tagBlock || tag == tagComment) {
			first := strings.LastIndexByte(l.text[:at], '\n') + 1
			if first >= start && strings.TrimSpace(l.text[first:at]) == "" {
				end = first
			}
		}
		l.addText(start, end, strip)
		l.tag(tag, at, after)
	}
}

func (l *lexer) tag(tag, at, after int) {
	switch tag {
	case tagVariable:
		l.emit(tokVarBegin, "", at)
		l.pos = after
		l.expression(tokVarEnd, l.syntax.VariableEnd)
	case tagBlock:
		l.pos = after
		if !l.raw(at) {
			l.emit(tokBlockBegin, "", at)
			l.expression(tokBlockEnd, l.syntax.BlockEnd)
		}
	case tagComment:
		end := strings.Index(l.text[after:], l.syntax.CommentEnd)
		if end < 0 {
			l.fail(at, "the comment is not closed by %q", l.syntax.CommentEnd)
		}
		end += after
		l.afterTag(l.text[at:end], end+len(l.syntax.CommentEnd))
	case tagLineStatement:
		l.emit(tokBlockBegin, "", at)
		l.pos = after
		l.expression(tokBlockEnd, "")
	case tagLineComment:
		l.pos = after
		if i := strings.IndexByte(l.text[after:], '\n'); i >= 0 {
			l.pos += i
		} else {
			l.pos = len(l.text)
		}
	}
}

// addText emits text[start:end] after what strips it.
func (l *lexer) addText(start, end int, stripRight bool) {
	s := l.text[start:end]
	if l.stripNext {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		start = end - len(s)
		// Only white space so far: a line break that ends up here is stripped wherever the text goes on.
		l.stripNext = false
	}
	if stripRight {
		s = strings.TrimRightFunc(s, unicode.IsSpace)
	}
	if s != "" {
		l.emit(tokText, s, start)
	}
}

// afterTag moves behind a tag's end, given the tag's text without its closing delimiter.
func (l *lexer) afterTag(inside string, next int) {
	l.pos = next
	switch {
	case strings.HasSuffix(inside, "-"):
		l.stripNext = true
	case strings.HasSuffix(inside, "+"):
	case l.syntax.TrimBlocks && next < len(l.text) && l.text[next] == '\n':
		l.pos++
	}
}

// find is strings.Index from an offset that only grows. What it found is kept until the offset passes it, so that a
// delimiter that a template does not have is looked for once.
func (l *lexer) find(tag int, start string, from int) int {
	if at := l.found[tag]; at != 0 && (at < 0 || at > from) {
		return max(-1, at-1)
	}
	at := strings.Index(l.text[from:], start)
	if at >= 0 {
		at += from
	}
	l.found[tag] = at + 1
	if at < 0 {
		l.found[tag] = -1
	}
	return at
}

// nextTag finds the first tag from an offset; of two that begin there the longer delimiter wins.
func (l *lexer) nextTag(from int) (tag, at, after int) {
	s := &l.syntax
	at = len(l.text) + 1
	for _, d := range []struct {
		tag   int
		start string
	}{{tagVariable, s.VariableStart}, {tagBlock, s.BlockStart}, {tagComment, s.CommentStart}} {
		i := l.find(d.tag, d.start, from)
		if i < 0 {
			continue
		}
		if i < at || i == at && len(d.start) > after-at {
			tag, at, after = d.tag, i, i+len(d.start)
		}
	}
	if s.LineStatement != "" || s.LineComment != "" {
		tag, at, after = l.nextLineTag(from, tag, at, after)
	}
	return tag, at, after
}

// nextLineTag looks for line statements and line comments before the tag found so far.
func (l *lexer) nextLineTag(from, tag, at, after int) (int, int, int) {
	s := &l.syntax
	limit := min(at, len(l.text))
	for i := from; i <= limit && i < len(l.text); {
		lineEnd := len(l.text)
		if n := strings.IndexByte(l.text[i:], '\n'); n >= 0 {
			lineEnd = i + n
		}
		line := l.text[i:lineEnd]
		blank := len(line) - len(strings.TrimLeft(line, " \t\v"))
		if s.LineComment != "" {
			if n := strings.Index(line, s.LineComment); n >= 0 && i+n < limit+1 {
				begin := i + len(strings.TrimRight(line[:n], " \t\v"))
				return tagLineComment, begin, i + n
			}
		}
		atLineStart := i == 0 || l.text[i-1] == '\n'
		if s.LineStatement != "" && atLineStart && strings.HasPrefix(line[blank:], s.LineStatement) && i+blank <= limit {
			if tag == tagNone || i+blank < at || len(s.LineStatement) > after-at {
				return tagLineStatement, i, i + blank + len(s.LineStatement)
			}
		}
		i = lineEnd + 1
	}
	return tag, at, after
}

// raw handles {% raw %}; it reports whether the block was one.
func (l *lexer) raw(at int) bool {
	rest := strings.TrimLeftFunc(l.text[l.pos:], unicode.IsSpace)
	if !strings.HasPrefix(rest, "raw") {
		return false
	}
	rest = strings.TrimLeftFunc(rest[3:], unicode.IsSpace)
	sign := ""
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		sign, rest = rest[:1], rest[1:]
	}
	if !strings.HasPrefix(rest, l.syntax.BlockEnd) {
		return false
	}
	l.pos, l.stripNext = len(l.text)-len(rest)+len(l.syntax.BlockEnd), sign == "-"
	for i := l.pos; ; {
		n := strings.Index(l.text[i:], l.syntax.BlockStart)
		if n < 0 {
			l.fail(at, "raw is not closed by endraw")
		}
		end := i + n
		i = end + len(l.syntax.BlockStart)
		tail := l.text[i:]
		open := ""
		if tail != "" && (tail[0] == '-' || tail[0] == '+') {
			open, tail = tail[:1], tail[1:]
		}
		tail = strings.TrimLeftFunc(tail, unicode.IsSpace)
		if !strings.HasPrefix(tail, "endraw") {
			continue
		}
		tail = strings.TrimLeftFunc(tail[6:], unicode.IsSpace)
		sign = ""
		if tail != "" && (tail[0] == '-' || tail[0] == '+') {
			sign, tail = tail[:1], tail[1:]
		}
		if !strings.HasPrefix(tail, l.syntax.BlockEnd) {
			continue
		}
		textEnd := end
		if l.syntax.LstripBlocks && open == "" {
			first := strings.LastIndexByte(l.text[:end], '\n') + 1
			if first >= l.pos && strings.TrimSpace(l.text[first:end]) == "" {
				textEnd = first
			}
		}
		l.addText(l.pos, textEnd, open == "-")
		l.afterTag(sign, len(l.text)-len(tail)+len(l.syntax.BlockEnd))
		return true
	}
}
