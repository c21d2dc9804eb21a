package static

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"
)

// A name is a slash-separated path within the folder, as the router decoded it. What
// is refused here is refused on every system, so that a program that was tested on
// one does not leak on another, and whether or not the file exists, so that the
// answer tells nothing.

// allowed reports whether a name may be served at all.
func allowed(name string) bool {
	if !fs.ValidPath(name) || name == "." {
		return false
	}
	first := true
	for segment := range strings.SplitSeq(name, "/") {
		if !(first && segment == ".well-known") && !allowedSegment(segment) {
			return false
		}
		first = false
	}
	return true
}

// versionControl are folders that version control systems keep beside the files,
// other than those that begin with a dot.
var versionControl = []string{"cvs", "rcs", "sccs", "_darcs", "_mtn", "_fossil_"}

func allowedSegment(segment string) bool {
	for i := range len(segment) {
		if c := segment[i]; c < ' ' || c == 0x7f || c == '\\' || c == ':' {
			return false // ":" names drives and the streams of a file
		}
	}
	if last := segment[len(segment)-1]; last == '.' || last == ' ' {
		return false // Windows drops them, and it is another name
	}
	bare := strings.ToLower(withoutIgnorable(segment))
	return bare != "" && bare[0] != '.' && !isDevice(bare) && !isShortName(bare) && !slices.Contains(versionControl, bare)
}

// withoutIgnorable removes the characters that some file systems leave out when they
// compare names: for them a zero-width space before ".git" is still ".git".
func withoutIgnorable(segment string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x80 && unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, segment)
}

// isDevice reports whether Windows opens a device by a name in lower case: the part
// before the first dot counts, without spaces at its end.
func isDevice(segment string) bool {
	base, _, _ := strings.Cut(segment, ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "con", "prn", "aux", "nul", "conin$", "conout$", "clock$":
		return true
	}
	port, ok := strings.CutPrefix(base, "com")
	if !ok {
		port, ok = strings.CutPrefix(base, "lpt")
	}
	return ok && (len(port) == 1 && '0' <= port[0] && port[0] <= '9' || port == "¹" || port == "²" || port == "³")
}

// isShortName reports names such as "git~1", by which Windows opens ".git" too.
func isShortName(segment string) bool {
	base, ext, _ := strings.Cut(segment, ".")
	tilde := strings.LastIndexByte(base, '~')
	if tilde < 0 || tilde == len(base)-1 || len(base) > 8 || len(ext) > 3 {
		return false
	}
	return strings.Trim(base[tilde+1:], "0123456789") == ""
}

// hashDigits is how many hexadecimal digits of a hash stand in a name.
const hashDigits = 16

// hashedName puts a hash before the name's extension.
func hashedName(name, hash string) string {
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hash[:hashDigits] + ext
}

// splitHashed is the reverse of hashedName. It reports false for a name that has
// nothing that could be a hash in the place of one.
func splitHashed(name string) (plain, hash string, ok bool) {
	dir, base := path.Split(name)
	ext := path.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	if hash = strings.TrimPrefix(path.Ext(stem), "."); isHash(hash) {
		plain = dir + strings.TrimSuffix(stem, "."+hash) + ext
	} else if hash = strings.TrimPrefix(ext, "."); isHash(hash) && !strings.Contains(stem, ".") {
		plain = dir + stem // a file without an extension
	} else {
		return "", "", false
	}
	return plain, hash, allowed(plain)
}

func isHash(text string) bool {
	if len(text) != hashDigits {
		return false
	}
	return strings.Trim(text, "0123456789abcdef") == ""
}
