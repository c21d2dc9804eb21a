package secure

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLogText bounds what one value of a stranger's may take in a log record, in bytes.
const maxLogText = 1024

// LogText returns text of a stranger's in a form that cannot forge a log record or move the cursor of whoever reads the
// log: control characters, line breaks, the escape character of terminals, invisible characters, characters that
// reverse text, and invalid UTF-8 are written as Go writes them in a string literal (\n, \x1b, \u202e), and so is the
// backslash, so that what reads "\n" was never a line break and the original can be told from the log. Text over 1024
// bytes is cut and its length noted. Text that needs none of this is returned as it is, without allocating.
func LogText(s string) string {
	clean := 0
	for clean < len(s) && clean < maxLogText && s[clean] >= ' ' && s[clean] < 0x7f && s[clean] != '\\' {
		clean++
	}
	if clean == len(s) {
		return s
	}
	if len(s) <= maxLogText && allPrintable(s[clean:]) {
		return s
	}
	text := s
	if len(text) > maxLogText {
		text = text[:maxLogText]
		for n := 0; n < utf8.UTFMax-1 && !utf8.RuneStart(s[len(text)]) && len(text) > clean; n++ {
			text = text[:len(text)-1]
		}
	}
	var b strings.Builder
	b.Grow(len(text) + 32)
	b.WriteString(text[:clean])
	for i := clean; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		writeLogRune(&b, r, text[i:i+size])
		i += size
	}
	if rest := len(s) - len(text); rest > 0 {
		b.WriteString("\\… (")
		b.WriteString(strconv.Itoa(rest))
		b.WriteString(" more bytes)")
	}
	return b.String()
}

func allPrintable(s string) bool {
	for i, r := range s {
		if !loggable(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			return false
		}
	}
	return true
}

func loggable(r rune) bool {
	return r != '\\' && unicode.IsPrint(r) && !deceptive(r)
}

func writeLogRune(b *strings.Builder, r rune, raw string) {
	const hex = "0123456789abcdef"
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		b.WriteString(`\x`)
		b.WriteByte(hex[raw[0]>>4])
		b.WriteByte(hex[raw[0]&15])
	case loggable(r):
		b.WriteString(raw)
	case r == '\\':
		b.WriteString(`\\`)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r < utf8.RuneSelf:
		b.WriteString(`\x`)
		b.WriteByte(hex[r>>4])
		b.WriteByte(hex[r&15])
	case r < 0x10000:
		b.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			b.WriteByte(hex[r>>shift&15])
		}
	default:
		b.WriteString(`\U`)
		for shift := 28; shift >= 0; shift -= 4 {
			b.WriteByte(hex[r>>shift&15])
		}
	}
}
