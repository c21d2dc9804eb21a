package strictjson

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// SyntaxError says why a text was refused and where.
type SyntaxError struct {
	Offset int64  // octets before the offending one
	Line   int    // from 1; a line ends with LF
	Column int    // from 1, in characters (Unicode code points), not octets
	Msg    string // what is wrong there
}

// Error returns the place and the reason: `line 3, column 7: duplicate key "name"`.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

func newError(data []byte, at int, format string, args ...any) *SyntaxError {
	at = min(at, len(data))
	before := data[:at]
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return &SyntaxError{
		Offset: int64(at),
		Line:   bytes.Count(before, []byte{'\n'}) + 1,
		Column: utf8.RuneCount(before[lineStart:]) + 1,
		Msg:    fmt.Sprintf(format, args...),
	}
}

// found describes what stands at a position, for "expected X, found Y".
func found(data []byte, at int) string {
	if at >= len(data) {
		return "the end of the text"
	}
	if r, size := utf8.DecodeRune(data[at:]); r != utf8.RuneError || size > 1 {
		return fmt.Sprintf("%q", r)
	}
	return fmt.Sprintf("the octet 0x%02x", data[at])
}

// shown is a name as an error quotes it: escaped, and cut where it is long.
func shown(name []byte) string {
	const most = 64
	if len(name) <= most {
		return fmt.Sprintf("%q", name)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return fmt.Sprintf("%q…", name[:cut])
}
