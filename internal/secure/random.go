package secure

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"sync"
)

// idAlphabet is base 32 in lower case: safe in URLs, file names and logs, and no two letters differ by case only.
const idAlphabet = "abcdefghijklmnopqrstuvwxyz234567"

// maxRequestID bounds an incoming request id, in bytes.
const maxRequestID = 64

// entropy hands out random bytes of crypto/rand in blocks, so that an identifier costs a copy and not a call into the
// system. Each buffer has one user at a time, and bytes are wiped as they are used, so none is given out twice.
type entropy struct {
	block [512]byte
	next  int
}

var entropies = sync.Pool{New: func() any { return &entropy{next: len(entropy{}.block)} }}

func random128() (id [16]byte) {
	e := entropies.Get().(*entropy)
	if e.next == len(e.block) {
		rand.Read(e.block[:]) // never fails: it ends the process where the system has no randomness
		e.next = 0
	}
	taken := e.block[e.next : e.next+len(id)]
	copy(id[:], taken)
	clear(taken)
	e.next += len(id)
	entropies.Put(e)
	return id
}

// NewRequestID returns a fresh identifier of 128 random bits as 26 letters and digits. It allocates once.
func NewRequestID() string {
	random := random128()
	high, low := binary.BigEndian.Uint64(random[:8]), binary.BigEndian.Uint64(random[8:])
	var text [26]byte
	for i := range 12 {
		text[i] = idAlphabet[high>>59]
		high <<= 5
	}
	text[12] = idAlphabet[high>>59|low>>63] // four bits are left of the one half
	low <<= 1
	for i := 13; i < len(text); i++ {
		text[i] = idAlphabet[low>>59]
		low <<= 5
	}
	return string(text[:])
}

// ValidRequestID reports whether a request id that came with a request may be used: 1 to 64 letters, digits, ".", "_"
// and "-". Take one over only if the peer is a trusted proxy (package clientip): an id of a stranger's choice lets him
// forge a trail in the logs, or collide with somebody else's.
func ValidRequestID(s string) bool {
	if s == "" || len(s) > maxRequestID {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// Nonce returns 128 random bits in URL-safe base 64, for one answer's content security policy.
func Nonce() string {
	random := random128()
	return base64.RawURLEncoding.EncodeToString(random[:])
}
