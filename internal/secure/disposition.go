package secure

import (
	"strings"
	"unicode/utf8"
)

// ContentDisposition returns the value of a Content-Disposition header (RFC 6266) that offers a download under a name.
// kind is "attachment" or "inline"; anything else is "attachment", the one that never renders a stranger's file.
//
// The name goes through [BaseName] first, so it has no path, no controls and no line break. A name of plain characters
// is written as a quoted string. Any other is written twice: percent-encoded as filename* (RFC 8187), which every
// current browser prefers, and before that with "_" for each character that some client has been seen to misread: a
// quote or backslash that ends the string early turns `setup.bat";x=.txt` into setup.bat (CVE-2023-29401,
// CVE-2022-36359), and "%" is decoded by some. A name of which nothing is left becomes "download", because without one a
// browser takes the end of the URL, which a stranger can choose.
func ContentDisposition(kind, filename string) string {
	if kind != "inline" {
		kind = "attachment"
	}
	name := BaseName(filename)
	if name == "" {
		name = "download"
	}
	plain := true
	for i := 0; i < len(name); i++ {
		plain = plain && isPlain(name[i])
	}
	if plain {
		return kind + `; filename="` + name + `"`
	}
	var b strings.Builder
	b.Grow(len(kind) + 4*len(name) + 32)
	b.WriteString(kind)
	b.WriteString(`; filename="`)
	for _, r := range name {
		if r < utf8.RuneSelf && isPlain(byte(r)) {
			b.WriteByte(byte(r))
		} else {
			b.WriteByte('_')
		}
	}
	b.WriteString(`"; filename*=UTF-8''`)
	for i := 0; i < len(name); i++ {
		if c := name[i]; isAttributeChar(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		}
	}
	return b.String()
}

const upperHex = "0123456789ABCDEF"

// isPlain reports characters that mean the same in a quoted string to every client.
func isPlain(c byte) bool {
	return c == ' ' || c > ' ' && c < 0x7f && strings.IndexByte("\"\\%;<>*?|", c) < 0
}

// isAttributeChar is attr-char of RFC 8187 §3.2.1: a token character but "*", "'" and "%".
func isAttributeChar(c byte) bool {
	return isToken(c) && c != '*' && c != '\'' && c != '%'
}
