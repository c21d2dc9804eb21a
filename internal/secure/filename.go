package secure

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFilename is the longest name, in bytes, that the usual file systems take.
const maxFilename = 255

// BaseName returns the last element of a file name that a client gave, made harmless: what is left can be shown, logged
// and put into a header, and names a file in one folder on every system. It returns "" if nothing is left ("..", "/").
// It is still the client's choice, so store an upload under a name of your own and keep this one beside it.
//
//   - Slashes and backslashes separate on every system; only what follows the last one stays ("a/../../b" is "b").
//   - Control characters (NUL cuts a name in C programs), characters that reverse the direction of text ("\u202efdp.exe"
//     is shown as "exe.pdf"), invalid UTF-8 and the colon (a drive or a second stream on Windows) become "_".
//   - Spaces around and dots behind fall away, as Windows drops them ("run.exe. ").
//   - A name that Windows takes for a device ("NUL", "con.txt") gets a "_" in front.
//   - More than 255 bytes are cut in the middle, so that a short extension survives.
//
// BaseName of a BaseName changes nothing.
func BaseName(s string) string {
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	if len(s) > 16*maxFilename {
		s = s[:8*maxFilename] + s[len(s)-8*maxFilename:] // bounds the work below; it is cut to 255 bytes anyway
	}
	s = strings.Map(func(r rune) rune {
		if r == ':' || r == utf8.RuneError || deceptive(r) {
			return '_'
		}
		return r
	}, s)
	s = shorten(trimName(s))
	if isDevice(s) {
		s = shorten("_" + s)
	}
	return s
}

func trimName(s string) string {
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	return strings.TrimRightFunc(s, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
}

// shorten cuts a name to maxFilename bytes between characters, keeping an extension of up to 16 bytes.
func shorten(s string) string {
	if len(s) <= maxFilename {
		return s
	}
	extension := ""
	if dot := strings.LastIndexByte(s, '.'); dot > 0 && len(s)-dot <= 16 {
		extension = s[dot:]
	}
	end := maxFilename - len(extension)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return trimName(s[:end] + extension)
}

// isDevice reports whether Windows takes a name for a device, whatever its extension.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	digit, found := strings.CutPrefix(stem, "COM")
	if !found {
		digit, found = strings.CutPrefix(stem, "LPT")
	}
	if !found {
		return false
	}
	switch digit {
	case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
		return true
	}
	return false
}

// deceptive reports characters that are not seen for what they are: controls, separators of lines, and the marks by
// which Unicode reverses or reorders text.
func deceptive(r rune) bool {
	switch {
	case r < ' ', 0x7f <= r && r < 0xa0:
		return true
	case r == 0x061c, r == 0x200e, r == 0x200f, 0x2028 <= r && r <= 0x202e, 0x2066 <= r && r <= 0x206f:
		return true
	case r == 0xfeff, 0xfff0 <= r && r <= 0xfffb, 0xe0000 <= r && r <= 0xe0fff:
		return true
	}
	return false
}
