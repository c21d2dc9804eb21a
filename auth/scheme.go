package auth

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// A scheme is an algorithm with its settings: what a stored hash says about how it
// was made. Everything that is read from a hash is bounded, so that a row somebody
// has tampered with cannot occupy the machine for hours.
type scheme interface {
	check() error
	cost() uint64 // in units that compare settings of one algorithm
	derive(password, salt []byte, length int) []byte
	text(salt, hash []byte) string
}

const (
	saltLength = 16
	hashLength = 32
)

// parsed is a stored hash, taken apart.
type parsed struct {
	scheme
	salt, hash []byte
	bcrypt     []byte // the whole text, of a bcrypt hash
}

// takes reports whether the algorithm looks at the whole password. None gets one
// with a NUL, which to bcrypt is the end and to HMAC, at the end, is nothing.
func (p parsed) takes(password string) bool {
	return len(password) <= MaxPassword && (p.bcrypt == nil || len(password) <= 72) && !strings.Contains(password, "\x00")
}

func (p parsed) matches(password []byte) bool {
	if p.bcrypt != nil {
		return bcrypt.CompareHashAndPassword(p.bcrypt, password) == nil
	}
	return subtle.ConstantTimeCompare(p.derive(password, p.salt, len(p.hash)), p.hash) == 1
}

// asStrongAs reports whether a hash need not be made anew under the scheme.
func (p parsed) asStrongAs(current scheme) bool {
	if len(p.salt) < saltLength || len(p.hash) < hashLength {
		return false
	}
	switch current := current.(type) {
	case argon2id:
		s, same := p.scheme.(argon2id)
		return same && s.memory >= current.memory && s.passes >= current.passes && s.lanes >= current.lanes
	case pbkdf2SHA256:
		s, same := p.scheme.(pbkdf2SHA256)
		return same && s.rounds >= current.rounds
	}
	return false
}

// argon2id is RFC 9106.
type argon2id struct {
	memory, passes uint32
	lanes          uint8
}

func (s argon2id) check() error {
	switch {
	case s.lanes < 1 || s.lanes > 64:
		return fmt.Errorf("argon2id with %d lanes: 1 to 64 are possible", s.lanes)
	case s.memory < 8*uint32(s.lanes) || s.memory > 4<<20:
		return fmt.Errorf("argon2id with %d KiB: 8 for each lane to 4 GiB are possible", s.memory)
	case s.passes < 1 || uint64(s.passes)*uint64(s.memory) > 64<<20:
		return fmt.Errorf("argon2id with %d passes over %d KiB: 1 pass to 64 GiB in all are possible", s.passes, s.memory)
	}
	return nil
}

func (s argon2id) cost() uint64 { return uint64(s.memory) * uint64(s.passes) }

func (s argon2id) derive(password, salt []byte, length int) []byte {
	return argon2.IDKey(password, salt, s.passes, s.memory, s.lanes, uint32(length))
}

func (s argon2id) text(salt, hash []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, s.memory, s.passes, s.lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(hash))
}

// pbkdf2SHA256 is RFC 8018 §5.2 with HMAC-SHA256.
type pbkdf2SHA256 struct{ rounds int }

func (s pbkdf2SHA256) check() error {
	if s.rounds < 1 || s.rounds > 20_000_000 {
		return fmt.Errorf("PBKDF2 with %d rounds: 1 to 20,000,000 are possible", s.rounds)
	}
	return nil
}

func (s pbkdf2SHA256) cost() uint64 { return uint64(s.rounds) }

func (s pbkdf2SHA256) derive(password, salt []byte, length int) []byte {
	key, err := pbkdf2.Key(sha256.New, string(password), salt, s.rounds, length)
	if err != nil { // FIPS mode refuses short salts of old hashes
		return randomBytes(length)
	}
	return key
}

func (s pbkdf2SHA256) text(salt, hash []byte) string {
	return fmt.Sprintf("$pbkdf2-sha256$i=%d$%s$%s", s.rounds,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(hash))
}

// bcryptCost stands for bcrypt, which is verified and never made.
type bcryptCost struct{ log int }

func (s bcryptCost) check() error {
	if s.log < 4 || s.log > 18 {
		return fmt.Errorf("bcrypt with a cost of %d: 4 to 18 are possible", s.log)
	}
	return nil
}

func (s bcryptCost) cost() uint64 { return 1 << s.log }

// derive and text are never called: bcrypt compares whole texts.
func (bcryptCost) derive(_, _ []byte, length int) []byte { return make([]byte, length) }
func (bcryptCost) text(_, _ []byte) string               { return "" }

var errNotHash = errors.New("auth: not a password hash of a known form")

// parseHash reads a stored hash in any of the forms that Hasher names.
func parseHash(text string) (parsed, error) {
	if len(text) > 1024 {
		return parsed{}, errNotHash
	}
	var p parsed
	var err error
	switch {
	case strings.HasPrefix(text, "$argon2id$"):
		p, err = parseArgon2id(strings.Split(text, "$"))
	case strings.HasPrefix(text, "$pbkdf2-sha256$"):
		p, err = parsePHC(strings.Split(text, "$"))
	case strings.HasPrefix(text, "pbkdf2_sha256$"):
		p, err = parseTextSalt(strings.Split(text, "$")[1:])
	case strings.HasPrefix(text, "pbkdf2:sha256:"):
		p, err = parseTextSalt(strings.Split(text[len("pbkdf2:sha256:"):], "$"))
	case strings.HasPrefix(text, "$2"):
		p, err = parseBcrypt(text)
	default:
		err = errNotHash
	}
	if err == nil {
		err = p.check()
	}
	return p, err
}

func parseArgon2id(parts []string) (parsed, error) {
	if len(parts) != 6 || parts[2] != "v=19" {
		return parsed{}, errNotHash
	}
	settings := strings.Split(parts[3], ",")
	if len(settings) != 3 {
		return parsed{}, errNotHash
	}
	var numbers [3]int
	for i, name := range [...]string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(settings[i], name)
		n, err := positive(digits)
		if !ok || err != nil {
			return parsed{}, errNotHash
		}
		numbers[i] = n
	}
	if numbers[2] > 255 {
		return parsed{}, errNotHash
	}
	s := argon2id{memory: uint32(numbers[0]), passes: uint32(numbers[1]), lanes: uint8(numbers[2])}
	return decoded(s, parts[4], parts[5])
}

func parsePHC(parts []string) (parsed, error) {
	if len(parts) != 5 {
		return parsed{}, errNotHash
	}
	rounds, err := positive(strings.TrimPrefix(parts[2], "i="))
	if err != nil {
		return parsed{}, err
	}
	return decoded(pbkdf2SHA256{rounds}, parts[3], parts[4])
}

// decoded reads salt and hash in base64: of PHC without padding, and of passlib
// with "." for "+".
func decoded(s scheme, salt, hash string) (p parsed, err error) {
	p.scheme = s
	if p.salt, err = base64.RawStdEncoding.DecodeString(strings.ReplaceAll(salt, ".", "+")); err != nil {
		return p, errNotHash
	}
	if p.hash, err = base64.RawStdEncoding.DecodeString(strings.ReplaceAll(hash, ".", "+")); err != nil {
		return p, errNotHash
	}
	return p, p.checkLengths()
}

// parseTextSalt reads the forms whose salt is used as it is written: rounds, salt
// and the hash in hexadecimal or base64.
func parseTextSalt(parts []string) (p parsed, err error) {
	if len(parts) != 3 {
		return p, errNotHash
	}
	rounds, err := positive(parts[0])
	if err != nil {
		return p, err
	}
	p.scheme, p.salt = pbkdf2SHA256{rounds}, []byte(parts[1])
	if p.hash, err = hex.DecodeString(parts[2]); err != nil {
		if p.hash, err = base64.StdEncoding.DecodeString(parts[2]); err != nil {
			return p, errNotHash
		}
	}
	return p, p.checkLengths()
}

func (p parsed) checkLengths() error {
	if len(p.salt) < 4 || len(p.salt) > 128 || len(p.hash) < 16 || len(p.hash) > 128 {
		return errNotHash
	}
	return nil
}

func parseBcrypt(text string) (parsed, error) {
	cost, err := bcrypt.Cost([]byte(text))
	if err != nil || len(text) != 60 || !bytes.ContainsRune([]byte("aby"), rune(text[2])) {
		return parsed{}, errNotHash
	}
	return parsed{scheme: bcryptCost{cost}, bcrypt: []byte(text)}, nil
}

// positive reads a decimal number as it would be written: no sign, no zeros ahead.
func positive(digits string) (int, error) {
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != digits {
		return 0, errNotHash
	}
	return int(n), nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}
