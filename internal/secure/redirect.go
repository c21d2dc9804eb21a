package secure

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// LocalRedirect reports whether a target, typically of a "next" parameter, leads to this same site in every browser.
// It must be a path that starts with one slash, with its query and fragment.
//
// Browsers are kinder to URLs than RFC 3986 is, and that is where open redirects come from: a backslash counts as a
// slash ("/\evil.example"), tabs and line breaks inside are dropped ("/\t/evil.example"), spaces and controls around are
// too ("\b//evil.example"). So none of these is accepted anywhere. Dot segments, plain or encoded, are not either, since
// whatever removes them on the way can leave two slashes in front ("/.//evil.example", "/x/..//evil.example").
//
// Letters outside ASCII are accepted, escapes are left alone: browsers never decode them before they look for the host.
func LocalRedirect(target string) bool {
	if len(target) == 0 || target[0] != '/' || strings.HasPrefix(target, "//") {
		return false
	}
	for i := 0; i < len(target); {
		c := target[i]
		if c < utf8.RuneSelf {
			if c <= ' ' || c == 0x7f || c == '\\' {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(target[i:])
		if r == utf8.RuneError && size == 1 || unicode.IsSpace(r) || !unicode.IsGraphic(r) {
			return false
		}
		i += size
	}
	path := target
	if end := strings.IndexAny(target, "?#"); end >= 0 {
		path = target[:end]
	}
	return !hasDotSegment(path)
}

// hasDotSegment finds "." and ".." between slashes, also written as "%2e".
func hasDotSegment(path string) bool {
	for path != "" {
		var segment string
		segment, path, _ = strings.Cut(path, "/")
		dots := 0
		for segment != "" {
			switch {
			case segment[0] == '.':
				segment = segment[1:]
			case hasPrefixFold(segment, "%2e"):
				segment = segment[3:]
			default:
				dots = -1
			}
			if dots < 0 {
				break
			}
			dots++
		}
		if dots == 1 || dots == 2 {
			return true
		}
	}
	return false
}
