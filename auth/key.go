package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// A key belongs to one algorithm. What a token's header says selects among the
// keys that the program has; it never says how one of them is to be used. That is
// what algorithm confusion lives on: an RSA key can only ever check RS256.

// Key is a key for signing and checking tokens with one algorithm. It never shows
// its secret when it is printed.
type Key struct {
	method  jwt.SigningMethod
	id      string
	signing any // nil: it only checks
	checks  any
	mistake error
}

// Keys is where Tokens get their keys from: a Key, several by Rotate, or those of
// another service by RemoteKeys.
type Keys interface {
	// find returns the keys for an algorithm, of one id if that is not empty. No key
	// is a *TokenError.
	find(ctx context.Context, alg, id string) ([]Key, error)
	// own returns the keys that the program itself has. The first one signs.
	own() []Key
	check() error
}

// HS256 is HMAC with SHA-256 (RFC 7518 §3.2). The secret has at least 32 random
// bytes; everybody who checks tokens can make them.
func HS256(secret []byte) Key { return hmacKey(jwt.SigningMethodHS256, secret, 32) }

// HS384 is HMAC with SHA-384. The secret has at least 48 random bytes.
func HS384(secret []byte) Key { return hmacKey(jwt.SigningMethodHS384, secret, 48) }

// HS512 is HMAC with SHA-512. The secret has at least 64 random bytes.
func HS512(secret []byte) Key { return hmacKey(jwt.SigningMethodHS512, secret, 64) }

func hmacKey(method jwt.SigningMethod, secret []byte, least int) Key {
	secret = slices.Clone(secret)
	k := Key{method: method, signing: secret, checks: secret}
	switch {
	case len(secret) < least:
		k.mistake = fmt.Errorf("a secret of %d bytes: give at least %d random bytes, such as those of openssl rand %d", len(secret), least, least)
	case isPublic(secret):
		k.mistake = errors.New("the secret is a public key, which others have: give the RSA, ECDSA or Ed25519 key to KeyFromPEM")
	}
	return k
}

// isPublic recognises a key or a certificate in the place of a secret.
func isPublic(secret []byte) bool {
	if block, _ := pem.Decode(secret); block != nil {
		return true
	}
	if _, err := x509.ParsePKIXPublicKey(secret); err == nil {
		return true
	}
	_, err := x509.ParsePKCS1PublicKey(secret)
	return err == nil
}

// RS256 is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3). The modulus has 2048 to
// 8192 bits. A public key only checks tokens.
func RS256[K *rsa.PrivateKey | *rsa.PublicKey](key K) Key {
	k := Key{method: jwt.SigningMethodRS256}
	var public *rsa.PublicKey
	switch key := any(key).(type) {
	case *rsa.PrivateKey:
		if key != nil {
			k.signing, public = key, &key.PublicKey
			k.mistake = key.Validate()
		}
	case *rsa.PublicKey:
		public = key
	}
	if k.mistake == nil {
		k.mistake = checkRSA(public)
	}
	return k.checkedBy(public)
}

func checkRSA(key *rsa.PublicKey) error {
	switch {
	case key == nil || key.N == nil:
		return errors.New("the RSA key is nil")
	case key.N.BitLen() < 2048 || key.N.BitLen() > 8192:
		return fmt.Errorf("an RSA key of %d bits: it has 2048 to 8192", key.N.BitLen())
	case key.E < 65537 || key.E%2 == 0 || key.N.Bit(0) == 0:
		return fmt.Errorf("an RSA key with the exponent %d: it is odd and at least 65537", key.E)
	}
	return nil
}

// ES256 is ECDSA on P-256 with SHA-256 (RFC 7518 §3.4). A public key only checks
// tokens.
func ES256[K *ecdsa.PrivateKey | *ecdsa.PublicKey](key K) Key {
	k := Key{method: jwt.SigningMethodES256}
	var public *ecdsa.PublicKey
	switch key := any(key).(type) {
	case *ecdsa.PrivateKey:
		if key != nil {
			k.signing, public = key, &key.PublicKey
		}
	case *ecdsa.PublicKey:
		public = key
	}
	k.mistake = checkECDSA(public)
	return k.checkedBy(public)
}

func checkECDSA(key *ecdsa.PublicKey) error {
	//lint:ignore SA1019 a key that was put together by hand may lack its coordinates, which Bytes does not bear
	if key == nil || key.Curve == nil || key.X == nil || key.Y == nil {
		return errors.New("the ECDSA key is nil")
	}
	if key.Curve != elliptic.P256() {
		return fmt.Errorf("an ECDSA key on %s: ES256 is on P-256", key.Curve.Params().Name)
	}
	if _, err := key.ECDH(); err != nil { // also when the point is not on the curve
		return errors.New("the ECDSA key is not a point of P-256")
	}
	return nil
}

// EdDSA is Ed25519 (RFC 8037). A public key only checks tokens.
func EdDSA[K ed25519.PrivateKey | ed25519.PublicKey](key K) Key {
	k := Key{method: jwt.SigningMethodEdDSA}
	var public ed25519.PublicKey
	switch key := any(key).(type) {
	case ed25519.PrivateKey:
		if len(key) == ed25519.PrivateKeySize {
			k.signing, public = key, key.Public().(ed25519.PublicKey)
		}
	case ed25519.PublicKey:
		public = key
	}
	if len(public) != ed25519.PublicKeySize {
		k.mistake = errors.New("the Ed25519 key does not have the length of one")
	}
	return k.checkedBy(public)
}

// KeyFromPEM reads a private or public key: PKCS #8, PKCS #1, SEC 1 or PKIX, not
// encrypted. RSA is for RS256, P-256 for ES256, Ed25519 for EdDSA.
func KeyFromPEM(data []byte) (Key, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return Key{}, errors.New("auth: KeyFromPEM: there is no PEM block")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return Key{}, errors.New("auth: KeyFromPEM: there is more than one PEM block; give one key")
	}
	parsed, err := parseDER(block)
	if err != nil {
		return Key{}, fmt.Errorf("auth: KeyFromPEM: %w", err)
	}
	k := keyOf(parsed)
	if k.mistake != nil {
		return Key{}, fmt.Errorf("auth: KeyFromPEM: %w", k.mistake)
	}
	return k, nil
}

func parseDER(block *pem.Block) (any, error) {
	switch block.Type {
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	}
	return nil, fmt.Errorf("the PEM block is a %q; give a private or public key that is not encrypted", block.Type)
}

func keyOf(parsed any) Key {
	switch key := parsed.(type) {
	case *rsa.PrivateKey:
		return RS256(key)
	case *rsa.PublicKey:
		return RS256(key)
	case *ecdsa.PrivateKey:
		return ES256(key)
	case *ecdsa.PublicKey:
		return ES256(key)
	case ed25519.PrivateKey:
		return EdDSA(key)
	case ed25519.PublicKey:
		return EdDSA(key)
	}
	return Key{mistake: fmt.Errorf("a %T is for none of RS256, ES256 and EdDSA", parsed)}
}

// checkedBy completes an asymmetric key. Its id is its thumbprint.
func (k Key) checkedBy(public any) Key {
	if k.mistake == nil {
		k.checks, k.id = public, thumbprint(public)
	}
	return k
}

// WithID returns the key under an id of the program's own: the "kid" of tokens that
// it signs, by which they find it again. Asymmetric keys have one to begin with,
// their thumbprint (RFC 7638); secrets have none.
func (k Key) WithID(id string) Key {
	k.id = id
	if id == "" || len(id) > maxKeyID {
		k.mistake = errors.Join(k.mistake, fmt.Errorf("a key id of %d bytes: give 1 to %d", len(id), maxKeyID))
	}
	return k
}

const maxKeyID = 256

// ID returns the key's id, "" for none.
func (k Key) ID() string { return k.id }

// Algorithm returns the "alg" of the key's tokens, such as "HS256".
func (k Key) Algorithm() string {
	if k.method == nil {
		return ""
	}
	return k.method.Alg()
}

// String tells algorithm and id, and no secrets.
func (k Key) String() string { return "auth.Key(" + k.Algorithm() + " " + k.id + ")" }

// Format prints String, whatever the verb: no log shows the secret.
func (k Key) Format(out fmt.State, _ rune) { fmt.Fprint(out, k.String()) }

func (k Key) symmetric() bool { _, secret := k.checks.([]byte); return secret }

func (k Key) check() error {
	if k.mistake == nil && k.method == nil {
		return errors.New("the key is empty: make it by HS256, RS256, ES256, EdDSA or KeyFromPEM")
	}
	return k.mistake
}

func (k Key) own() []Key { return []Key{k} }

func (k Key) find(_ context.Context, alg, id string) ([]Key, error) { return pick(k.own(), alg, id) }

// keySet is keys in rotation.
type keySet []Key

// Rotate signs with the current key and checks with all of them: tokens that were
// signed by a previous key stay valid until they expire. To rotate, add a new key
// as a previous one on all nodes, then make it current, and drop the old one once its
// last token has expired.
func Rotate(current Key, previous ...Key) Keys {
	return keySet(append([]Key{current}, previous...))
}

const maxKeys = 16

func (s keySet) check() error {
	if len(s) > maxKeys {
		return fmt.Errorf("%d keys: at most %d can be in rotation", len(s), maxKeys)
	}
	for i, k := range s {
		if err := k.check(); err != nil {
			return err
		}
		if k.symmetric() != s[0].symmetric() {
			return errors.New("secrets and public keys in one rotation: keep them apart")
		}
		for _, other := range s[:i] {
			if k.id != "" && k.id == other.id {
				return fmt.Errorf("two keys have the id %q", k.id)
			}
		}
	}
	return nil
}

func (s keySet) own() []Key { return s }

func (s keySet) find(_ context.Context, alg, id string) ([]Key, error) { return pick(s, alg, id) }

// pick selects keys for a token. An id that it names must be there; a token without
// one is tried with every key of its algorithm.
func pick(keys []Key, alg, id string) ([]Key, error) {
	fits := func(k Key) bool { return k.Algorithm() == alg && (id == "" || k.id == id) }
	if first := slices.IndexFunc(keys, fits); first >= 0 && (id != "" || len(keys) == 1) {
		return keys[first : first+1], nil
	}
	var found []Key
	known := false
	for _, k := range keys {
		known = known || k.Algorithm() == alg
		if fits(k) {
			found = append(found, k)
		}
	}
	switch {
	case !known:
		return nil, errAlgorithm
	case len(found) == 0:
		return nil, errKeyID
	}
	return found, nil
}
