package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// Three names for one session. The id is the secret in the cookie. The key under
// which the store has the session is the id's hash. The handle, which "my
// sessions" shows, is a hash of the key. Nobody gets from a later name to an
// earlier one.

const idBytes = 32 // 256 bits; OWASP ASVS 5.0 V7.2.3 asks for 128

var encoding = base64.RawURLEncoding.Strict() // one text per id, so that one id has one key

func newID() string {
	var random [idBytes]byte
	rand.Read(random[:]) // never fails
	return encoding.EncodeToString(random[:])
}

// wellFormed keeps what cannot be an id from the store.
func wellFormed(id string) bool {
	var random [idBytes]byte
	if len(id) != encoding.EncodedLen(idBytes) {
		return false
	}
	n, err := encoding.Decode(random[:], []byte(id))
	return err == nil && n == idBytes
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return encoding.EncodeToString(sum[:])
}

// handleOf is the public name of the session that the store has under a hash.
func handleOf(hash string) string { return hashOf("handle " + hash)[:22] }
