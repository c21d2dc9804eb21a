package schema

import (
	"encoding/base64"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// Texts that fit: for a format, for a pattern, of a length.

// formatSamples are valid texts of the formats that are checked.
var formatSamples = map[string][]string{
	"date-time": {"2026-01-31T12:00:00Z", "1999-12-31T23:59:59.5+01:00"},
	"date":      {"2026-01-31", "2024-02-29"},
	"time":      {"12:00:00Z", "23:59:59-08:00"},
	"email":     {"ada@example.com", "a.b+c@mail.example.org"},
	"uri":       {"https://example.com/a?b=c", "urn:isbn:0451450523"},
	"uuid":      {"123e4567-e89b-12d3-a456-426614174000", "00000000-0000-4000-8000-000000000001"},
	"ipv4":      {"192.0.2.1", "0.0.0.0"},
	"ipv6":      {"2001:db8::1", "::"},
	"hostname":  {"example.com", "a-1.example"},
	"decimal":   {"12.50", "-3"},
}

// text makes a text of a String type whose length is within the limits; a max of 0 is none.
func (g *generator) text(t *Type, least, most int) (string, bool) {
	for _, candidate := range g.texts(t, least, most) {
		if t.accepts(quoteJSON(candidate)) {
			return candidate, true
		}
	}
	return "", false
}

// ofLength makes a text of exactly n code points, which the type accepts but for its length.
func (g *generator) ofLength(t *Type, n int, valid bool) (string, bool) {
	for _, candidate := range g.texts(t, n, max(n, 1)) {
		if utf8.RuneCountInString(candidate) != n {
			continue
		}
		found, err := t.DecodeValue(quoteJSON(candidate), newValue(t), DecodeOptions{})
		if err != nil {
			continue
		}
		onlyLength := len(found) == 1 && strings.HasSuffix(found[0].Rule, "Length")
		if valid && len(found) == 0 || !valid && onlyLength {
			return candidate, true
		}
	}
	return "", false
}

func (g *generator) texts(t *Type, least, most int) []string {
	out := append([]string(nil), t.samples...)
	if f := t.Format(); f != "" {
		samples := formatSamples[f]
		for range samples {
			out = append(out, samples[g.random.IntN(len(samples))])
		}
		out = append(out, samples...)
	}
	switch t.special {
	case duration:
		out = append(out, "1h30m", "250ms", "0")
	case octets:
		for n := range 4 {
			out = append(out, base64.StdEncoding.EncodeToString(make([]byte, (least*3+3)/4+n)))
		}
	}
	if pattern := t.Constraints().Pattern; pattern != "" {
		if tree, err := syntax.Parse(pattern, syntax.Perl); err == nil {
			for range 40 {
				var b strings.Builder
				g.match(&b, tree, 0, least)
				out = append(out, b.String())
			}
		}
	}
	if least == 0 {
		least = min(3, orMany(most))
	}
	return append(out, strings.Repeat("a", least), strings.Repeat("é", least), strings.Repeat("1", least), strings.Repeat("😀", least), "1", "a")
}

func orMany(n int) int {
	if n == 0 {
		return 1 << 10
	}
	return n
}

// match writes a text that an expression matches. Repetitions aim at a length.
func (g *generator) match(b *strings.Builder, e *syntax.Regexp, depth, aim int) {
	if depth > 50 || b.Len() > 1<<12 {
		return
	}
	switch e.Op {
	case syntax.OpLiteral:
		b.WriteString(string(e.Rune))
	case syntax.OpCharClass:
		if len(e.Rune) == 0 {
			return
		}
		at := 2 * g.random.IntN(len(e.Rune)/2)
		low, high := e.Rune[at], min(e.Rune[at+1], e.Rune[at]+200)
		for range 10 { // rather something that can be read
			r := low + rune(g.random.IntN(int(high-low)+1))
			if r > ' ' && utf8.ValidRune(r) || low == high {
				b.WriteRune(r)
				return
			}
		}
		b.WriteRune(low)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte("abc123"[g.random.IntN(6)])
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range e.Sub {
			g.match(b, sub, depth+1, aim)
		}
	case syntax.OpAlternate:
		g.match(b, e.Sub[g.random.IntN(len(e.Sub))], depth+1, aim)
	case syntax.OpStar:
		g.repeat(b, e, depth, 0, -1, aim)
	case syntax.OpPlus:
		g.repeat(b, e, depth, 1, -1, aim)
	case syntax.OpQuest:
		g.repeat(b, e, depth, 0, 1, aim)
	case syntax.OpRepeat:
		g.repeat(b, e, depth, e.Min, e.Max, aim)
	}
}

func (g *generator) repeat(b *strings.Builder, e *syntax.Regexp, depth, least, most, aim int) {
	if most < 0 {
		most = max(least+3, aim)
	}
	n := least + g.random.IntN(most-least+1)
	if aim > 0 {
		n = max(least, min(most, aim-utf8.RuneCountInString(b.String())))
		n = max(least, n-g.random.IntN(3))
	}
	for range n {
		g.match(b, e.Sub[0], depth+1, aim)
	}
}
