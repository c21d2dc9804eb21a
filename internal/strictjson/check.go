package strictjson

// Check reports whether data is exactly one JSON text as this package understands it: the error is nil or a
// [*SyntaxError]. maxDepth is the deepest nesting of arrays and objects allowed; see [Scanner.Reset] for its default.
func Check(data []byte, maxDepth int) error {
	return check(data, maxDepth, false)
}

// CheckSyntax is [Check] but for names that occur twice in an object: RFC 8259 section 4 says only that names SHOULD be
// unique, so such a text is well-formed, and a program that hands it on unread may accept it.
func CheckSyntax(data []byte, maxDepth int) error {
	return check(data, maxDepth, true)
}

func check(data []byte, maxDepth int, repeats bool) error {
	var s Scanner
	if err := s.Reset(data, maxDepth); err != nil {
		return err
	}
	s.repeats = repeats
	defer s.Release()
	if err := s.Skip(); err != nil {
		return err
	}
	return s.End()
}
