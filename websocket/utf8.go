package websocket

import "unicode/utf8"

// textCheck reports as early as possible that a text which comes in pieces is not
// UTF-8, wherever the pieces are cut.
type textCheck struct {
	begun [utf8.UTFMax]byte // of a character that the last piece ended in
	n     int
}

// add reports whether what came so far can still become UTF-8.
func (c *textCheck) add(p []byte) bool {
	for c.n > 0 && len(p) > 0 {
		c.begun[c.n] = p[0]
		c.n++
		p = p[1:]
		if !utf8.FullRune(c.begun[:c.n]) {
			continue
		}
		if _, size := utf8.DecodeRune(c.begun[:c.n]); size != c.n {
			return false
		}
		c.n = 0
	}
	whole := len(p)
	for back := 1; back < utf8.UTFMax && back <= len(p); back++ {
		if tail := p[len(p)-back:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				whole = len(p) - back
			}
			break
		}
	}
	if !utf8.Valid(p[:whole]) {
		return false
	}
	if whole < len(p) {
		c.n = copy(c.begun[:], p[whole:])
	}
	return true
}

// ended reports whether the text ends between two characters.
func (c *textCheck) ended() bool { return c.n == 0 }
