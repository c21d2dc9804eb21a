// Package typo finds the word that was probably meant, for messages that ask "did you mean …?":
//
//	fmt.Println(typo.Nearest("usre", slices.Values([]string{"user", "order"}))) // user
package typo

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// Longer words are not compared: nobody types them, and the table grows with their square.
const longest = 64

// Distance counts the letters to insert, delete, replace or swap with their neighbour to get from a to b (the optimal
// string alignment distance). Words of more than 64 letters are as far apart as can be.
func Distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > longest || len(t) > longest {
		return max(len(s), len(t))
	}
	d := make([][]int, len(s)+1)
	for i := range d {
		d[i] = make([]int, len(t)+1)
		d[i][0] = i
	}
	for j := range t {
		d[0][j+1] = j + 1
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(s)][len(t)]
}

// Nearest returns the known word that is at most two typing errors away from name, or "" if there is none. Case does not
// count; of equally near words the first in the alphabet is chosen.
func Nearest(name string, known iter.Seq[string]) string {
	best, distance := "", 3
	lower := strings.ToLower(name)
	for candidate := range known {
		d := Distance(lower, strings.ToLower(candidate))
		// A word of two letters is two errors away from any other.
		if d >= utf8.RuneCountInString(candidate) {
			continue
		}
		if d < distance || d == distance && best != "" && candidate < best {
			best, distance = candidate, d
		}
	}
	return best
}
