package tree

import "math/bits"

// Finding the end of a segment is most of the work of a lookup, so eight bytes are compared at once. A word has its
// first byte in the lowest bits. For each byte b of a word, (b-1) &^ b has its highest bit set if b is 0; a borrow may
// set it wrongly, but only above a byte where it is set rightly, and the lowest is all that is asked for.

const (
	each    = 0x0101010101010101 // a factor that repeats a byte eight times
	highest = 0x80 * each        // the highest bit of each byte
)

// stops marks the bytes of a word that end a segment, which are slashes and the zeros after the end of the path, and
// those that strict selects (all or none) of the bytes that make a difference between a path and its canonical form:
// percent signs and what is not ASCII. Of the marks, only the lowest is certain.
func stops(word, strict uint64) uint64 {
	slash, percent := word^'/'*each, word^'%'*each
	return ((slash-each)&^slash|(word-each)&^word)&highest | ((percent-each)&^percent|word)&strict
}

// tailOf returns the last eight bytes of a path, so that shifting it gives the bytes from some index on and zeros
// after them.
func tailOf(path string) uint64 {
	if len(path) >= 8 {
		return load(path, len(path)-8)
	}
	return wordOf(path) << (8 * (8 - len(path)))
}

// wordOf returns up to eight bytes as a word.
func wordOf(s string) (word uint64) {
	for i := len(s) - 1; i >= 0; i-- {
		word = word<<8 | uint64(s[i])
	}
	return word
}

// load returns eight bytes of s, the first in the lowest bits.
func load(s string, at int) uint64 {
	b := s[at : at+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// endOfSegment returns the index, not below i, of the first byte that stops marks, or the length of the path.
func (w *walk) endOfSegment(i int) int {
	for ; i+8 <= len(w.path); i += 8 {
		if s := stops(load(w.path, i), w.strict); s != 0 {
			return i + bits.TrailingZeros64(s)/8
		}
	}
	if i == len(w.path) {
		return i
	}
	return i + bits.TrailingZeros64(stops(w.tail>>(8*(i+8-len(w.path))), w.strict))/8
}
