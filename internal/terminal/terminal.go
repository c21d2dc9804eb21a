// Package terminal is what the command line prints with: colour where a person sees it, and what is shown of strangers'
// text.
package terminal

import (
	"io"
	"os"
	"strings"
	"unicode"
)

// Is reports whether a file is a terminal, as far as the operating system tells: the null device is none.
func Is(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// Style colours text, or leaves it as it is.
type Style struct{ on bool }

// StyleFor is the style for a writer: colour on a terminal only, and not with NO_COLOR (https://no-color.org) or a dumb
// terminal.
func StyleFor(w io.Writer) Style {
	f, ok := w.(*os.File)
	return Style{ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && Is(f)}
}

func (s Style) with(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Bold is for headings.
func (s Style) Bold(text string) string { return s.with("1", text) }

// Quiet is for what matters less.
func (s Style) Quiet(text string) string { return s.with("2", text) }

// Good is green.
func (s Style) Good(text string) string { return s.with("32", text) }

// Bad is red.
func (s Style) Bad(text string) string { return s.with("31", text) }

// Clean replaces what would move the cursor or change the terminal. Line breaks and tabs stay.
func Clean(text string) string {
	return strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' || !unicode.IsControl(c) {
			return c
		}
		return '\ufffd'
	}, text)
}
