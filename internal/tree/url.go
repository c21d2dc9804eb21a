package tree

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// URL builds the escaped path of a request that the pattern matches, from the value of each parameter. A value of a
// path parameter keeps its slashes. It is an error if a value is missing or if the pattern would not match it; the
// error names the parameter. For a mount it builds the path of the prefix.
func (p *Pattern) URL(value func(name string) (string, bool)) (string, error) {
	out := make([]byte, 0, len(p.text)+16)
	param := 0
	for _, s := range p.segments {
		out = append(out, '/')
		if s.matcher == nil {
			out = appendEscaped(out, decodeCanonical(s.static))
			continue
		}
		name := p.params[param].Name
		param++
		text, ok := value(name)
		if !ok {
			return "", fmt.Errorf("URL of %q: no value for the parameter %q; give one", p.text, name)
		}
		if reason := s.matcher.unfit(text); reason != "" {
			return "", fmt.Errorf("URL of %q: the value %q of the parameter %q %s", p.text, text, name, reason)
		}
		if s.matcher.kind != kindPath {
			out = appendEscaped(out, text)
			continue
		}
		for i, part := range strings.Split(text, "/") {
			if i > 0 {
				out = append(out, '/')
			}
			out = appendEscaped(out, part)
		}
	}
	if p.slash {
		out = append(out, '/')
	}
	return string(out), nil
}

// unfit says why no request can carry a text as the parameter's value, or "".
func (m *matcher) unfit(text string) string {
	switch {
	case text == "":
		return "is empty; a segment is at least one character long"
	case strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text):
		return "is not UTF-8, or has a NUL; such requests are refused"
	case m.kind == kindPath && hasDots(text) || isDots(text):
		return `has a segment "." or "..", which clients resolve`
	case m.kind == kindPath && !m.accepts(text):
		return "is no relative path: segments must not be empty or have a backslash, and the first must not be a slash"
	case !m.accepts(text):
		return fmt.Sprintf("is not accepted by its converter %s", m)
	}
	return ""
}
