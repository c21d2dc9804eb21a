package negotiate

// An element is one member of a comma-separated preference list: a value, parameters, and a weight among them
// (`text/html; level=1; q=0.5`). Accept and Accept-Encoding share this shape.
type element struct {
	value      string
	weight     weight
	parameters bool // there are parameters besides the weight
}

// next cuts the first element off a list. It is not ok if the element is empty or not well-formed; the rest is right
// either way, because only a comma outside quotes ends an element.
func next(list string) (e element, rest string, ok bool) {
	end, quoted := 0, false
scan:
	for ; end < len(list); end++ {
		switch list[end] {
		case '"':
			quoted = !quoted
		case '\\':
			if quoted {
				end++
			}
		case ',':
			if !quoted {
				break scan
			}
		}
	}
	end = min(end, len(list))
	part := list[:end]
	if end < len(list) {
		rest = list[end+1:]
	}
	if quoted {
		return e, rest, false
	}
	e, ok = parse(part)
	return e, rest, ok
}

// parse reads one element. Parameters other than the weight need only be skipped correctly.
func parse(part string) (element, bool) {
	e := element{weight: heaviest}
	value, parameters := cutParameter(part)
	if e.value = trim(value); e.value == "" {
		return e, false
	}
	for parameters != "" {
		var p string
		p, parameters = cutParameter(parameters)
		if p = trim(p); p == "" {
			continue
		}
		if (p[0] == 'q' || p[0] == 'Q') && len(p) > 1 && p[1] == '=' {
			// What follows the weight was once called an extension and never means anything (RFC 9110 §12.5.1).
			var ok bool
			e.weight, ok = parseWeight(p[2:])
			return e, ok
		}
		e.parameters = true
	}
	return e, true
}

// cutParameter cuts at the first semicolon outside quotes.
func cutParameter(s string) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case '\\':
			if quoted {
				i++
			}
		case ';':
			if !quoted {
				return s[:i], s[i+1:]
			}
		}
	}
	return s, ""
}

// parseWeight reads a quality value. It takes what clients really send beside the grammar: ".5", and more than three
// decimals, of which the first three count.
func parseWeight(s string) (weight, bool) {
	if s == "" || s == "." {
		return 0, false
	}
	var w weight
	i := 0
	if s[0] == '0' || s[0] == '1' {
		w, i = weight(s[0]-'0')*1000, 1
	}
	if i == len(s) {
		return w, true
	}
	if s[i] != '.' {
		return 0, false
	}
	scale := weight(100)
	for i++; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		w += weight(s[i]-'0') * scale
		scale /= 10
	}
	return w, w <= heaviest
}

// trim removes optional whitespace (RFC 9110 §5.6.3) from both ends.
func trim(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// equalFold compares tokens, which are ASCII, without regard to case.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// isToken reports whether c may stand in a token (RFC 9110 §5.6.2).
func isToken(c byte) bool {
	switch {
	case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return false
}
