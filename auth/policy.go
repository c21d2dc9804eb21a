package auth

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A good password is one that nobody tries first: long enough, and not among those
// that everybody has. Rules about digits and signs only make people write
// "Password1!", so there are none (NIST SP 800-63B-4 §3.1.1.2).

// Policy says which passwords a person may choose. The zero value is a good one:
// 8 to 256 characters, none of the most common.
type Policy struct {
	MinLength int // in characters; default and least 8
	MaxLength int // in characters; default 256, least 128

	// Words are of the service itself, such as its name: a password that is little
	// more than one of them is refused. Case does not count.
	Words []string

	// Refuse is asked last, for lists of the program's own such as breached
	// passwords. Its error refuses the password, and its text tells the person why.
	Refuse func(password string) error
}

// MaxPassword is how long a password may be in bytes. Nothing is ever cut off: a
// longer one is refused when it is set and wrong when it is checked.
const MaxPassword = 4096

// PolicyError is why a password was not accepted. Its text is for the person who
// chose it; unhandled, it is answered by 422.
type PolicyError struct{ Reason string }

// Error returns the reason.
func (e *PolicyError) Error() string { return "the password " + e.Reason }

// HTTPStatus returns 422.
func (e *PolicyError) HTTPStatus() int { return 422 }

// Check returns a *PolicyError for a password that may not be chosen. Further
// words are of the person: the account's name, the address.
func (p Policy) Check(password string, words ...string) error {
	p = p.complete()
	length := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return &PolicyError{"is not text in UTF-8"}
	case strings.Contains(password, "\x00"):
		return &PolicyError{"has a NUL in it"}
	case length < p.MinLength:
		return &PolicyError{fmt.Sprintf("is too short: use at least %d characters", p.MinLength)}
	case length > p.MaxLength || len(password) > MaxPassword:
		return &PolicyError{fmt.Sprintf("is too long: use at most %d characters", p.MaxLength)}
	}
	lower := strings.ToLower(password)
	first, _ := utf8.DecodeRuneInString(lower)
	switch {
	case isCommon(lower):
		return &PolicyError{"is one of the most common: choose another"}
	case strings.Trim(lower, string(first)) == "":
		return &PolicyError{"is one character many times: choose another"}
	}
	for _, word := range slices.Concat(p.Words, words) {
		if littleMoreThan(lower, strings.ToLower(word), p.MinLength) {
			return &PolicyError{"is little more than the name of the service or the account: choose another"}
		}
	}
	if p.Refuse != nil {
		if err := p.Refuse(password); err != nil {
			return &PolicyError{err.Error()}
		}
	}
	return nil
}

func (p Policy) complete() Policy {
	if p.MinLength == 0 {
		p.MinLength = 8
	}
	if p.MaxLength == 0 {
		p.MaxLength = 256
	}
	return p
}

// check finds settings that no policy may have.
func (p Policy) check() error {
	switch p = p.complete(); {
	case p.MinLength < 8:
		return fmt.Errorf("a MinLength of %d: passwords have at least 8 characters", p.MinLength)
	case p.MaxLength < 128 || p.MaxLength < p.MinLength:
		return fmt.Errorf("a MaxLength of %d: passwords of 128 characters are to be allowed", p.MaxLength)
	}
	return nil
}

// littleMoreThan reports whether what is left without the word would be too short
// to stand alone. Words of three characters and less are in many good passwords.
func littleMoreThan(password, word string, least int) bool {
	if utf8.RuneCountInString(word) < 4 || !strings.Contains(password, word) {
		return false
	}
	return utf8.RuneCountInString(strings.ReplaceAll(password, word, "")) < least
}

// commonList is 11,611 passwords of 8 characters and more, in lower case, sorted,
// one a line: those of the 30,000 most common that the policy would otherwise let
// through. See THIRD_PARTY.md.
//
//go:embed common.txt.gz
var commonList []byte

var commonPasswords = sync.OnceValue(func() []string {
	unpacked, err := gzip.NewReader(bytes.NewReader(commonList))
	if err != nil {
		panic("auth: the list of common passwords: " + err.Error())
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		panic("auth: the list of common passwords: " + err.Error())
	}
	return strings.Fields(string(text))
})

func isCommon(lower string) bool {
	_, found := slices.BinarySearch(commonPasswords(), lower)
	return found
}
