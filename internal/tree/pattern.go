package tree

import (
	"slices"
	"strings"
)

// Pattern is a parsed pattern. It never changes, and many goroutines may use it.
type Pattern struct {
	text     string
	segments []segment
	params   []Param
	slash    bool // ends in "/"
	rest     bool // matches everything below as well: a mount
}

// segment is a part of a pattern between two slashes: static text, or one parameter.
type segment struct {
	static  string   // in canonical form, if it is static
	matcher *matcher // nil if it is static
}

// Param is a parameter of a pattern.
type Param struct {
	Name      string // as in <int:id>: "id"
	Converter string // its name: "str" if the pattern names none
	Expr      string // the regular expression of a re converter
}

// Segment is a part of a pattern between two slashes, for those who write the pattern in another notation.
type Segment struct {
	Text  string // static text, unescaped; "" for a parameter
	Param int    // the index among Params, or -1 if the segment is static
}

// String returns the text the pattern was parsed from; for a mount, its prefix.
func (p *Pattern) String() string { return p.text }

// Params returns the parameters in order.
func (p *Pattern) Params() []Param { return slices.Clone(p.params) }

// Segments returns the parts between slashes in order; an empty one at the end is left out (see TrailingSlash).
func (p *Pattern) Segments() []Segment {
	out := make([]Segment, len(p.segments))
	param := 0
	for i, s := range p.segments {
		if out[i] = (Segment{Text: decodeCanonical(s.static), Param: -1}); s.matcher != nil {
			out[i] = Segment{Param: param}
			param++
		}
	}
	return out
}

// TrailingSlash reports whether the pattern ends in a slash; that of "/" and of every mount does.
func (p *Pattern) TrailingSlash() bool { return p.slash }

// IsRest reports whether the pattern was made by Rest.
func (p *Pattern) IsRest() bool { return p.rest }

// describe returns the pattern for an error message.
func (p *Pattern) describe() string {
	if p.rest {
		return p.text + "… (mount)"
	}
	return p.text
}

// example returns the escaped path of a request that the pattern matches, if one can be thought of.
func (p *Pattern) example() (string, bool) {
	return p.exampleWith(-1, "")
}

// exampleWith is example with a given text for the parameter at one segment.
func (p *Pattern) exampleWith(at int, text string) (string, bool) {
	var out []byte
	for i, s := range p.segments {
		out = append(out, '/')
		switch {
		case i == at:
			out = appendEscaped(out, text)
		case s.matcher == nil:
			out = appendEscaped(out, decodeCanonical(s.static))
		default:
			text, ok := s.matcher.example()
			if !ok {
				return "", false
			}
			out = appendEscaped(out, text)
		}
	}
	if p.slash {
		out = append(out, '/')
	}
	return string(out), true
}

// samples are texts to try on a converter that cannot be asked what it accepts.
var samples = []string{
	"x", "7", "a", "ab", "abc", "en", "42", "2026", "2026-01-31", "a-b", "1.5", "v1", "ABC", "0123456789abcdef", "x.txt",
	"en-GB", "red", "00000000-0000-4000-8000-000000000000", "12:30", "a@b.example", "true", "1.2.3", "AB-123", "é",
}

// example returns a text that the parameter accepts, if one can be thought of.
func (m *matcher) example() (string, bool) {
	i := slices.IndexFunc(m.samples(), func(text string) bool { return usable(text) && m.accepts(text) })
	if i < 0 {
		return "", false
	}
	return m.samples()[i], true
}

// samples returns texts that the parameter may accept, the likeliest first.
func (m *matcher) samples() []string {
	if m.name == "re" {
		return append(exprSamples(m.expr), samples...)
	}
	return samples
}

// usable reports whether a text can be the value of a parameter at all.
func usable(text string) bool { return text != "" && !isDots(text) && !strings.Contains(text, "\x00") }
