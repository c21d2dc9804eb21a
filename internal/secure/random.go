package secure

import (
	crypto "crypto/rand"
	"encoding/base64"
	"math/rand/v2"
	"sync"

	"github.com/ishaa-framework/ishaa/internal/memory"
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
		crypto.Read(e.block[:]) // never fails: it ends the process where the system has no randomness
		e.next = 0
	}
	taken := e.block[e.next : e.next+len(id)]
	copy(id[:], taken)
	clear(taken)
	e.next += len(id)
	entropies.Put(e)
	return id
}

// NewRequestID returns a fresh identifier of 128 random bits as 26 letters and digits. It tells requests apart and is no
// secret: what nobody may guess is made of crypto/rand, and this by the runtime's own ChaCha8, seeded by the system, which
// costs a tenth.
func NewRequestID() string { return NewRequestIDValue()[0] }

// requestIDValue is an identifier and the place where a header holds it, in one piece of memory.
type requestIDValue struct {
	value [1]string
	text  [26]byte
}

// NewRequestIDValue is NewRequestID in the form in which http.Header holds a value: value[:] needs no memory of its own.
// It allocates once.
func NewRequestIDValue() *[1]string {
	id := &requestIDValue{}
	writeRequestID(&id.text, rand.Uint64(), rand.Uint64())
	id.value[0] = memory.Text(id.text[:])
	return &id.value
}

// writeRequestID writes 128 bits in base 32: 26 letters and digits, of which the last holds three bits.
func writeRequestID(text *[26]byte, high, low uint64) {
	for i := range 6 {
		copy(text[2*i:], idPairs[high>>54][:])
		high <<= 10
	}
	text[12] = idAlphabet[high>>59|low>>63] // four bits are left of the one half
	low <<= 1
	for i := range 6 {
		copy(text[13+2*i:], idPairs[low>>54][:])
		low <<= 10
	}
	text[25] = idAlphabet[low>>59]
}

// idPairs are all pairs of letters of the alphabet.
var idPairs = func() (pairs [1024][2]byte) {
	for i := range pairs {
		pairs[i] = [2]byte{idAlphabet[i>>5], idAlphabet[i&31]}
	}
	return pairs
}()

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
