package template

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// wordwrap follows Python's textwrap: lines break at white space, behind the hyphens of compound words, around dashes,
// and within words that are too long.
func wordwrap(f *frame, v value, a argv) value {
	w := wrapper{width: a.int(0, 79), breakLong: a.bool(1, true), hyphens: a.bool(3, true)}
	sep := a.str(2, "\n")
	if len(a) > 2 && a[2].k == kNone {
		sep = "\n"
	}
	if w.width <= 0 {
		raise(KindRuntime, "the width of wordwrap has to be positive")
	}
	v = soft(v)
	f.st.grow(utf8.RuneCountInString(v.s) / w.width * len(sep))
	var out []string
	for _, line := range splitLines(v.s) {
		out = append(out, strings.Join(w.wrap(w.chunks([]rune(line))), sep))
	}
	return v.like(strings.Join(out, sep))
}

// splitLines is Python's splitlines.
func splitLines(s string) []string {
	var lines []string
	start := 0
	for i, r := range s {
		if i < start || !strings.ContainsRune("\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029", r) {
			continue
		}
		lines = append(lines, s[start:i])
		start = i + utf8.RuneLen(r)
		if r == '\r' && strings.HasPrefix(s[start:], "\n") {
			start++
		}
	}
	if start < len(s) {
		lines = append(lines, s[start:])
	}
	return lines
}

type wrapper struct {
	width              int
	breakLong, hyphens bool
}

func wrapSpace(r rune) bool  { return strings.ContainsRune("\t\n\v\f\r ", r) }
func wrapLetter(r rune) bool { return r == '_' || unicode.IsLetter(r) }
func wrapWord(r rune) bool   { return wrapLetter(r) || unicode.IsNumber(r) }
func wrapPunct(r rune) bool  { return wrapWord(r) || strings.ContainsRune("!\"'&.,?", r) }

// chunks are the pieces of a line that do not break: white space, words and the parts of compound ones, dashes.
func (w wrapper) chunks(s []rune) [][]rune {
	var out [][]rune
	for start := 0; start < len(s); {
		end := start + 1
		switch {
		case wrapSpace(s[start]):
			for end < len(s) && wrapSpace(s[end]) {
				end++
			}
		case w.hyphens && w.dash(s, start) > 0:
			end = start + w.dash(s, start)
		default:
			for end < len(s) && !wrapSpace(s[end]) && !(w.hyphens && w.dash(s, end) > 0) {
				end++
				if w.hyphens && s[end-1] == '-' && end-1 > start && compound(s, end) {
					break
				}
			}
		}
		out = append(out, s[start:end])
		start = end
	}
	return out
}

// dash is the length of a dash of several hyphens that stands at i between words.
func (w wrapper) dash(s []rune, i int) int {
	n := 0
	for i+n < len(s) && s[i+n] == '-' {
		n++
	}
	if n < 2 || i == 0 || !wrapPunct(s[i-1]) || i+n == len(s) || !wrapWord(s[i+n]) {
		return 0
	}
	return n
}

// compound reports whether a line may break behind the hyphen in front of i.
func compound(s []rune, i int) bool {
	before := i >= 3 && wrapLetter(s[i-2]) && wrapLetter(s[i-3]) || i >= 4 && wrapLetter(s[i-2]) && s[i-3] == '-' && wrapLetter(s[i-4])
	rest := s[i:]
	if !before || len(rest) < 2 || !wrapLetter(rest[0]) {
		return false
	}
	return wrapLetter(rest[1]) || len(rest) > 2 && rest[1] == '-' && wrapLetter(rest[2])
}

func (w wrapper) wrap(chunks [][]rune) []string {
	var lines []string
	blank := func(c []rune) bool { return wrapSpace(c[0]) }
	for len(chunks) > 0 {
		if blank(chunks[0]) && len(lines) > 0 {
			chunks = chunks[1:]
		}
		var line [][]rune
		n := 0
		for len(chunks) > 0 && n+len(chunks[0]) <= w.width {
			n += len(chunks[0])
			line, chunks = append(line, chunks[0]), chunks[1:]
		}
		if len(chunks) > 0 && len(chunks[0]) > w.width {
			if long := chunks[0]; w.breakLong {
				end := w.breakAt(long, w.width-n)
				line, chunks[0] = append(line, long[:end]), long[end:]
			} else if len(line) == 0 {
				line, chunks = append(line, long), chunks[1:]
			}
		}
		if last := len(line) - 1; last >= 0 && (len(line[last]) == 0 || blank(line[last])) {
			line = line[:last] // only one: that is how textwrap does it
		}
		if len(line) > 0 {
			lines = append(lines, string(slices.Concat(line...)))
		}
	}
	return lines
}

// breakAt is where a long word breaks to fill the space that is left: behind a hyphen if there is one.
func (w wrapper) breakAt(word []rune, space int) int {
	if w.hyphens {
		for i := space - 1; i > 0; i-- {
			if word[i] == '-' && slices.ContainsFunc(word[:i], func(r rune) bool { return r != '-' }) {
				return i + 1
			}
		}
	}
	return space
}
