package strictjson

import (
	"math"
)

// DefaultDepth is the nesting allowed when a caller does not say: far more than people write, far less than hurts.
const DefaultDepth = 64

// LargestDepth is the nesting nobody may exceed, since [Scanner.Skip] and the decoders on top of it recurse.
const LargestDepth = 10_000

// A Scanner walks over one JSON text. The caller knows or asks (Peek) what comes next and calls the method for it; after
// each call the scanner stands on the first octet of the next value, or behind the last.
//
//	empty, err := s.BeginArray()
//	for more := !empty; more && err == nil; {
//		if err = s.Skip(); err == nil {
//			more, err = s.MoreElements()
//		}
//	}
//
// The methods check the grammar between values, and inside the value they read. An error ends the walk.
type Scanner struct {
	data     []byte
	pos      int
	depth    int
	maxDepth int
	repeats  bool     // names may repeat within an object
	scratch  []byte   // the last string that had escapes, decoded
	name     nameSpan // the last name read
	names    *nameSet // borrowed at the first name to be remembered
}

// Reset puts the scanner at the start of data. A maxDepth of 0 or less means [DefaultDepth], one over [LargestDepth]
// means that. The error, if any, is a [*SyntaxError]. The scanner reads data in place: it must not change meanwhile.
func (s *Scanner) Reset(data []byte, maxDepth int) error {
	s.data, s.pos, s.depth = data, 0, 0
	s.maxDepth = min(maxDepth, LargestDepth)
	if maxDepth <= 0 {
		s.maxDepth = DefaultDepth
	}
	if len(data) > math.MaxInt32 {
		return newError(data[:0], 0, "the text has %d octets; 2 GiB and more are refused", len(data))
	}
	if len(data) >= 3 && data[0] == 0xEF && data[1] == 0xBB && data[2] == 0xBF {
		return s.errorAt(0, "byte order mark; send UTF-8 without one")
	}
	s.space()
	return nil
}

// Release gives back what the scanner borrowed; it can be Reset again.
func (s *Scanner) Release() {
	if s.names != nil {
		s.names.release()
		s.names = nil
	}
	s.data = nil
	if cap(s.scratch) > 64<<10 {
		s.scratch = nil
	}
}

// Offset is the number of octets before the scanner's position.
func (s *Scanner) Offset() int { return s.pos }

// Mark is a place to which a decoder can Rewind, so as to read a value twice. No object may be open with its names that
// was not open at the mark.
func (s *Scanner) Mark() (mark Mark) { return Mark{s.pos, s.depth} }

// A Mark is what [Scanner.Mark] returns.
type Mark struct{ pos, depth int }

// Rewind goes back to a mark.
func (s *Scanner) Rewind(m Mark) { s.pos, s.depth = m.pos, m.depth }

// Raw is the text between two offsets.
func (s *Scanner) Raw(from, to int) []byte { return s.data[from:to:to] }

// ErrorAt is a [*SyntaxError] at an offset, for what only the decoder can see.
func (s *Scanner) ErrorAt(offset int, format string, args ...any) error {
	return newError(s.data, offset, format, args...)
}

func (s *Scanner) errorAt(offset int, format string, args ...any) error {
	return newError(s.data, offset, format, args...)
}

// Peek says what value comes next by its first octet: one of { [ " t f n, or '0' for a number. Anything else is the
// octet itself, and 0 the end of the text; the method called next explains.
func (s *Scanner) Peek() byte {
	if s.pos >= len(s.data) {
		return 0
	}
	c := s.data[s.pos]
	if c == '-' || '0' <= c && c <= '9' {
		return '0'
	}
	return c
}

func (s *Scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\n', '\r', '\t':
			s.pos++
		default:
			return
		}
	}
}

// End checks that nothing but white space follows.
func (s *Scanner) End() error {
	s.space()
	if s.pos < len(s.data) {
		return s.errorAt(s.pos, "expected the end of the text, found %s", found(s.data, s.pos))
	}
	return nil
}

// BeginObject reads "{", and "}" too if the object is empty.
func (s *Scanner) BeginObject() (empty bool, err error) { return s.begin('{', '}', "an object") }

// BeginArray reads "[", and "]" too if the array is empty.
func (s *Scanner) BeginArray() (empty bool, err error) { return s.begin('[', ']', "an array") }

func (s *Scanner) begin(opener, closer byte, what string) (empty bool, err error) {
	if s.pos >= len(s.data) || s.data[s.pos] != opener {
		return false, s.errorAt(s.pos, "expected %s, found %s", what, found(s.data, s.pos))
	}
	if s.depth >= s.maxDepth {
		return false, s.errorAt(s.pos, "nested deeper than %d levels", s.maxDepth)
	}
	s.pos++
	s.space()
	if s.pos < len(s.data) && s.data[s.pos] == closer {
		s.pos++
		s.afterValue()
		return true, nil
	}
	s.depth++
	return false, nil
}

// MoreMembers reads what stands behind a member: "," (true) or "}" (false).
func (s *Scanner) MoreMembers() (bool, error) { return s.more('}') }

// MoreElements reads what stands behind an element: "," (true) or "]" (false).
func (s *Scanner) MoreElements() (bool, error) { return s.more(']') }

func (s *Scanner) more(closer byte) (bool, error) {
	if s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ',':
			s.pos++
			s.space()
			return true, nil
		case closer:
			s.pos++
			s.depth--
			s.afterValue()
			return false, nil
		}
	}
	return false, s.errorAt(s.pos, "expected ',' or '%c', found %s", closer, found(s.data, s.pos))
}

// afterValue moves to what follows a value. Most texts have no white space there.
func (s *Scanner) afterValue() {
	if s.pos < len(s.data) && s.data[s.pos] <= ' ' {
		s.space()
	}
}

// Name reads a member's name and the colon. The name is decoded, and valid until the next call that reads a string.
func (s *Scanner) Name() ([]byte, error) {
	start := s.pos
	if start >= len(s.data) || s.data[start] != '"' {
		return nil, s.errorAt(start, "expected a name in double quotes, found %s", found(s.data, start))
	}
	name, escaped, err := s.text()
	if err != nil {
		return nil, err
	}
	s.name = nameSpan{start: uint32(start + 1), size: uint32(len(name)), escaped: escaped}
	if s.pos >= len(s.data) || s.data[s.pos] != ':' {
		return nil, s.errorAt(s.pos, "expected ':' after the name, found %s", found(s.data, s.pos))
	}
	s.pos++
	s.afterValue()
	return name, nil
}

// Text reads a string and returns it decoded: a part of the text where it has no escapes, else a buffer that the next
// string overwrites.
func (s *Scanner) Text() ([]byte, error) {
	b, _, err := s.text()
	return b, err
}

// Bool reads true or false.
func (s *Scanner) Bool() (bool, error) {
	if s.Peek() == 't' {
		return true, s.literal("true")
	}
	return false, s.literal("false")
}

// Null reads null.
func (s *Scanner) Null() error { return s.literal("null") }

func (s *Scanner) literal(word string) error {
	end := s.pos + len(word)
	if end > len(s.data) || string(s.data[s.pos:end]) != word {
		return s.errorAt(s.pos, "expected a value, found %s", found(s.data, s.pos))
	}
	s.pos = end
	s.afterValue()
	return nil
}

// Skip reads one value of any kind, checking all of it.
func (s *Scanner) Skip() error {
	if s.pos >= len(s.data) {
		return s.errorAt(s.pos, "expected a value, found the end of the text")
	}
	switch c := s.data[s.pos]; {
	case c == '"':
		return s.skipText()
	case c == '{':
		return s.skipObject()
	case c == '[':
		return s.skipArray()
	case c == '-' || '0' <= c && c <= '9':
		_, err := s.Number()
		return err
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.errorAt(s.pos, "expected a value, found %s", found(s.data, s.pos))
}

func (s *Scanner) skipObject() error {
	empty, err := s.BeginObject()
	if empty || err != nil {
		return err
	}
	names := s.OpenNames()
	for more := true; more; {
		if _, err = s.Name(); err != nil {
			return err
		}
		if err = s.Distinct(&names); err != nil {
			return err
		}
		if err = s.Skip(); err != nil {
			return err
		}
		if more, err = s.MoreMembers(); err != nil {
			return err
		}
	}
	s.CloseNames(&names)
	return nil
}

func (s *Scanner) skipArray() error {
	empty, err := s.BeginArray()
	for more := !empty; more && err == nil; {
		if err = s.Skip(); err == nil {
			more, err = s.MoreElements()
		}
	}
	return err
}
