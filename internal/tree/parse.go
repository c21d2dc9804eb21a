package tree

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ParseError says what is wrong with a pattern.
type ParseError struct {
	Pattern string
	Column  int    // where, counted in characters from 1
	Problem string // what is wrong
	Fix     string // how to write it
}

// Error says what is wrong, where, and how to write it.
func (e *ParseError) Error() string {
	return fmt.Sprintf("pattern %q, column %d: %s; %s", e.Pattern, e.Column, e.Problem, e.Fix)
}

// Parse parses a pattern: a slash, then segments with slashes between them, each static text or one parameter:
// <name>, <converter:name> or <re("expression"):name>, the expression being a Go string literal in double or back
// quotes. A parameter of the path converter may only be the last segment. The converters may be nil.
// An error is a *ParseError.
func Parse(text string, c *Converters) (*Pattern, error) {
	ps := parser{text: text, converters: c}
	p, err := ps.pattern()
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Rest parses the prefix of a mount: a pattern that ends in a slash. It matches the prefix itself and every path
// below it, whatever it looks like, so long as it has no malformed escapes and no segments "." and "..".
// What lies below is Params.Rest.
func Rest(prefix string, c *Converters) (*Pattern, error) {
	ps := parser{text: prefix, converters: c}
	p, err := ps.pattern()
	switch {
	case err != nil:
		return nil, err
	case !p.slash:
		return nil, ps.fail(len(prefix), "a mount's prefix must end in a slash", fmt.Sprintf("write %q", prefix+"/"))
	}
	p.rest = true
	return p, nil
}

// parser reads a pattern from left to right.
type parser struct {
	text       string
	at         int // index of the next byte
	converters *Converters
	segments   []segment
	params     []Param
}

// fail makes the error for what is at index at.
func (ps *parser) fail(at int, problem, fix string) *ParseError {
	column := utf8.RuneCountInString(ps.text[:at]) + 1
	return &ParseError{Pattern: ps.text, Column: column, Problem: problem, Fix: fix}
}

func (ps *parser) pattern() (*Pattern, *ParseError) {
	if !strings.HasPrefix(ps.text, "/") {
		return nil, ps.fail(0, "a pattern must start with a slash", fmt.Sprintf("write %q", "/"+ps.text))
	}
	for i, c := range ps.text {
		if c == 0 {
			return nil, ps.fail(i, "a NUL can never be matched", "leave it out")
		}
		if c == utf8.RuneError && !strings.HasPrefix(ps.text[i:], "\uFFFD") {
			return nil, ps.fail(i, "the text is not UTF-8", "save the source file as UTF-8")
		}
	}
	slash := false
	for ps.at < len(ps.text) {
		ps.at++ // the slash
		if slash = ps.at == len(ps.text); slash {
			break
		}
		if err := ps.segment(); err != nil {
			return nil, err
		}
	}
	return &Pattern{text: ps.text, segments: ps.segments, params: ps.params, slash: slash}, nil
}

// segment reads up to the next slash or the end.
func (ps *parser) segment() *ParseError {
	if n := len(ps.segments); n > 0 {
		if last := ps.segments[n-1].matcher; last != nil && last.kind == kindPath {
			return ps.fail(ps.at-1, "a path parameter must be the last segment, for it takes everything that follows",
				"move it to the end, or use <str:…> for one segment")
		}
	}
	if ps.text[ps.at] == '<' {
		return ps.param()
	}
	return ps.static()
}

// static reads static text.
func (ps *parser) static() *ParseError {
	start := ps.at
	text, _, _ := strings.Cut(ps.text[start:], "/")
	if i := strings.IndexAny(text, "<>"); i >= 0 {
		return ps.mixed(start)
	}
	if err := ps.foreign(start, text); err != nil {
		return err
	}
	canonical := text
	if first := strings.IndexByte(text, '%'); first >= 0 {
		var ok bool
		if canonical, ok = decode(text, first, true); !ok {
			return ps.fail(start+malformedEscape(text), "the percent sign starts no escape of two hexadecimal digits",
				"write %25 for a percent sign")
		}
		if strings.ContainsRune(canonical, 0) || !utf8.ValidString(canonical) {
			return ps.fail(start+first, fmt.Sprintf("%q stands for bytes that are not UTF-8, or for NUL, which can never be matched", text),
				"write the characters themselves")
		}
	}
	switch {
	case text == "":
		return ps.fail(start, "there is an empty segment", "write one slash where there are two")
	case isDots(canonical):
		return ps.fail(start, fmt.Sprintf("the segment %q can never be matched, for clients resolve it", text), "leave it out")
	}
	ps.segments = append(ps.segments, segment{static: canonical})
	ps.at = start + len(text)
	return nil
}

// foreign refuses parameters in the notation of other routers, which would otherwise be static text that no request
// has. What they are when they are meant is still to be had with an escape.
func (ps *parser) foreign(start int, text string) *ParseError {
	var name, converter string
	switch {
	case strings.HasPrefix(text, ":"):
		name = text[1:]
	case strings.HasPrefix(text, "*"):
		name, converter = text[1:], "path:"
	case strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}"):
		name = text[1 : len(text)-1]
		if rest, ok := strings.CutSuffix(name, "..."); ok {
			name, converter = rest, "path:"
		}
	}
	if !isIdentifier(name) {
		return nil
	}
	return ps.fail(start, fmt.Sprintf("%q looks like a parameter of another router", text),
		fmt.Sprintf("write <%s%s>, or %%%02X%s if the text itself is meant", converter, name, text[0], text[1:]))
}

// mixed makes the error for the segment at start, which has both text and a parameter, or a stray bracket.
func (ps *parser) mixed(start int) *ParseError {
	segment := ps.text[start:]
	open := strings.IndexByte(segment, '<')
	if open < 0 || strings.IndexByte(segment[:open], '/') >= 0 {
		at := start + strings.IndexByte(segment, '>')
		return ps.fail(at, "there is a > without a <", "write %3E for the character itself")
	}
	sub := parser{text: ps.text, at: start + open, converters: ps.converters}
	if err := sub.bracketed(); err != nil {
		return err
	}
	before, param := segment[:open], sub.params[0]
	after, _, _ := strings.Cut(ps.text[sub.at:], "/")
	if i := strings.IndexByte(after, '<'); i >= 0 {
		return ps.fail(start, "a segment can hold one parameter only",
			fmt.Sprintf("match both with one expression, as in <re(%s):%s>, and take it apart in the handler", quoteExpr(`[^.]+\..+`), param.Name))
	}
	inner := "(?:" + exprOf(param) + ")"
	return ps.fail(start, "a segment is either text or one parameter, not both",
		fmt.Sprintf("write <re(%s):%s>", quoteExpr(quoteMeta(before)+inner+quoteMeta(after)), param.Name))
}

// param reads a segment that starts with a parameter.
func (ps *parser) param() *ParseError {
	start := ps.at
	if err := ps.bracketed(); err != nil {
		return err
	}
	if ps.at < len(ps.text) && ps.text[ps.at] != '/' {
		return ps.mixed(start)
	}
	last := ps.params[len(ps.params)-1]
	if ps.segments[len(ps.segments)-1].matcher.kind == kindPath && ps.text[ps.at:] == "/" {
		return ps.fail(ps.at, "no slash may follow a path parameter, which takes one itself",
			"leave the slash out")
	}
	for _, earlier := range ps.params[:len(ps.params)-1] {
		if earlier.Name == last.Name {
			return ps.fail(start, fmt.Sprintf("there are two parameters called %q", last.Name), "give each its own name")
		}
	}
	return nil
}

// bracketed reads from a < to its >.
func (ps *parser) bracketed() *ParseError {
	open := ps.at
	ps.at++
	word := ps.word()
	wordAt := ps.at - len(word)
	expr, hasExpr, err := ps.expression(word)
	if err != nil {
		return err
	}
	converter, name := "str", word
	if hasExpr || strings.HasPrefix(ps.text[ps.at:], ":") {
		if !strings.HasPrefix(ps.text[ps.at:], ":") {
			return ps.fail(ps.at, "the parameter has no name", fmt.Sprintf("write <%s(%s):name>", word, quoteExpr(expr)))
		}
		ps.at++
		converter, name = word, ps.word()
	}
	if !strings.HasPrefix(ps.text[ps.at:], ">") {
		return ps.unclosed(open)
	}
	if !isIdentifier(name) {
		return ps.fail(ps.at-len(name), fmt.Sprintf("%q is not a name for a parameter", name),
			"use a letter or underscore, then letters, digits and underscores")
	}
	ps.at++
	m, err := ps.matcher(converter, expr, hasExpr, wordAt)
	if err != nil {
		return err
	}
	ps.segments = append(ps.segments, segment{matcher: m})
	ps.params = append(ps.params, Param{Name: name, Converter: converter, Expr: expr})
	return nil
}

// word reads up to a character that ends the name of a converter or parameter.
func (ps *parser) word() string {
	start := ps.at
	if n := strings.IndexAny(ps.text[start:], ":()<>/\"`"); n >= 0 {
		ps.at = start + n
	} else {
		ps.at = len(ps.text)
	}
	return ps.text[start:ps.at]
}

// expression reads ("…") after the name of a converter, if it is there.
func (ps *parser) expression(converter string) (expr string, ok bool, err *ParseError) {
	if !strings.HasPrefix(ps.text[ps.at:], "(") {
		return "", false, nil
	}
	open := ps.at
	ps.at++
	rest := ps.text[ps.at:]
	literal, bad := strconv.QuotedPrefix(rest)
	if bad != nil || literal[0] == '\'' {
		return "", false, ps.fail(ps.at, "the expression must be a Go string literal in double or back quotes",
			fmt.Sprintf("write <%s(%s):name>; in double quotes a backslash is written twice", converter, quoteExpr(`[a-z]+`)))
	}
	expr, bad = strconv.Unquote(literal)
	if bad != nil {
		return "", false, ps.fail(ps.at, "the expression is not a Go string literal", "check its escapes")
	}
	ps.at += len(literal)
	if !strings.HasPrefix(ps.text[ps.at:], ")") {
		return "", false, ps.fail(open, "the bracket ( is not closed after the expression", "write ) after the closing quote")
	}
	ps.at++
	return expr, true, nil
}

// matcher finds the converter that a parameter names.
func (ps *parser) matcher(name, expr string, hasExpr bool, at int) (*matcher, *ParseError) {
	switch {
	case name == "re" && !hasExpr:
		return nil, ps.fail(at, "the re converter has no expression", `write <re("[a-z]+"):name>`)
	case name == "re":
		m, err := compileExpr(expr)
		if err != nil {
			return nil, ps.fail(at, fmt.Sprintf("the expression %q does not compile: %v", expr, err),
				"use the syntax of Go's regexp package (RE2)")
		}
		return m, nil
	case name == "":
		return nil, ps.fail(at, "the parameter has no converter before the colon", "write <name>, or <str:name>")
	}
	m := ps.converters.find(name)
	switch {
	case m == nil:
		return nil, ps.fail(at, fmt.Sprintf("no converter is called %q", name), suggestConverter(name, ps.converters.Names()))
	case hasExpr:
		return nil, ps.fail(at, fmt.Sprintf("the converter %q takes no expression", name), "only re does")
	}
	return m, nil
}

// unclosed makes the error for a < at index open that has no > where it should.
func (ps *parser) unclosed(open int) *ParseError {
	if ps.at == len(ps.text) || ps.text[ps.at] == '/' {
		return ps.fail(open, "the bracket < is not closed", "write > after the parameter's name, or %3C for the character itself")
	}
	return ps.fail(ps.at, fmt.Sprintf("%q cannot stand in a parameter here", ps.text[ps.at:ps.at+1]),
		`a parameter is <name>, <converter:name> or <re("expression"):name>`)
}

// malformedEscape returns the index of the first percent sign that starts no escape.
func malformedEscape(text string) int {
	for i := range len(text) {
		if text[i] == '%' && (i+2 >= len(text) || unhex(text[i+1]) < 0 || unhex(text[i+2]) < 0) {
			return i
		}
	}
	return 0
}

// isIdentifier reports whether s is a Go identifier.
func isIdentifier(s string) bool {
	for i, c := range s {
		if c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			return false
		}
	}
	return s != ""
}
