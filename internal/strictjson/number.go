package strictjson

// Number reads a number and returns it as written. It checks the grammar of RFC 8259 section 6 only: 1e999 is a number,
// and whether it fits is for the caller to say.
func (s *Scanner) Number() ([]byte, error) {
	data, start := s.data, s.pos
	i := start
	if i < len(data) && data[i] == '-' {
		i++
	}
	switch {
	case i < len(data) && data[i] == '0':
		i++
	case i < len(data) && '1' <= data[i] && data[i] <= '9':
		i = digits(data, i)
	default:
		return nil, s.errorAt(i, "expected a digit, found %s", found(data, i))
	}
	if i < len(data) && data[i] == '.' {
		from := i + 1
		if i = digits(data, from); i == from {
			return nil, s.errorAt(i, "expected a digit after the decimal point, found %s", found(data, i))
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		from := i
		if i = digits(data, from); i == from {
			return nil, s.errorAt(i, "expected a digit in the exponent, found %s", found(data, i))
		}
	}
	s.pos = i
	s.afterValue()
	return data[start:i:i], nil
}

func digits(data []byte, i int) int {
	for i < len(data) && '0' <= data[i] && data[i] <= '9' {
		i++
	}
	return i
}
