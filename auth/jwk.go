package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/strictjson"
)

// jwk is a public key as RFC 7517 and RFC 8037 write it, and what of a foreign one
// says whether it is for us.
type jwk struct {
	Kty    string   `json:"kty"`
	Kid    string   `json:"kid,omitempty"`
	Use    string   `json:"use,omitempty"`
	KeyOps []string `json:"key_ops,omitempty"`
	Alg    string   `json:"alg,omitempty"`
	Crv    string   `json:"crv,omitempty"`
	N      string   `json:"n,omitempty"`
	E      string   `json:"e,omitempty"`
	X      string   `json:"x,omitempty"`
	Y      string   `json:"y,omitempty"`
}

// publicJWK returns the members that make up a key.
func publicJWK(public any) jwk {
	encode := base64.RawURLEncoding.EncodeToString
	switch key := public.(type) {
	case *rsa.PublicKey:
		return jwk{Kty: "RSA", N: encode(key.N.Bytes()), E: encode(big.NewInt(int64(key.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, x, y (SEC 1, section 2.3.3)
		if err != nil || len(point) != 65 {
			return jwk{}
		}
		return jwk{Kty: "EC", Crv: "P-256", X: encode(point[1:33]), Y: encode(point[33:])}
	case ed25519.PublicKey:
		return jwk{Kty: "OKP", Crv: "Ed25519", X: encode(key)}
	}
	return jwk{}
}

// thumbprint is the id of a key that says nothing but which key it is (RFC 7638,
// RFC 8037 §2): the hash of its members in the order of their names.
func thumbprint(public any) string {
	k := publicJWK(public)
	var members any
	switch k.Kty {
	case "RSA":
		members = struct {
			E   string `json:"e"`
			Kty string `json:"kty"`
			N   string `json:"n"`
		}{k.E, k.Kty, k.N}
	case "EC":
		members = struct {
			Crv string `json:"crv"`
			Kty string `json:"kty"`
			X   string `json:"x"`
			Y   string `json:"y"`
		}{k.Crv, k.Kty, k.X, k.Y}
	default:
		members = struct {
			Crv string `json:"crv"`
			Kty string `json:"kty"`
			X   string `json:"x"`
		}{k.Crv, k.Kty, k.X}
	}
	text, _ := json.Marshal(members) // strings cannot fail
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// JWKS is a handler that publishes the public keys as a JWK Set (RFC 7517 §5), the
// current one first, so that others can check the tokens. Secrets are never in it.
//
//	app.Get("/.well-known/jwks.json", jwt.JWKS)
func (t *Tokens) JWKS(r *ishaa.Request) (any, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, key := range t.keys.own() {
		if !key.symmetric() {
			k := publicJWK(key.checks)
			k.Kid, k.Use, k.Alg = key.id, "sig", key.Algorithm()
			set.Keys = append(set.Keys, k)
		}
	}
	data, err := json.Marshal(set)
	if err != nil {
		return nil, err
	}
	return ishaa.Bytes("application/jwk-set+json", data).WithHeader("Cache-Control", "public, max-age=300"), nil
}

var errKeySet = errors.New("not a JWK Set")

// parseJWKS reads the keys of a JWK Set that check one of the algorithms. Others are
// left out, as RFC 7517 §5 asks: keys of other kinds, for encryption, too small, not
// on their curve. Of two keys with one id, both are left out.
func parseJWKS(data []byte, algorithms []string) ([]Key, error) {
	if strictjson.Check(bytes.TrimSpace(data), jsonDepth) != nil {
		return nil, errKeySet
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(data, &set) != nil || set.Keys == nil {
		return nil, errKeySet
	}
	var keys []Key
	count := map[string]int{}
	for _, member := range set.Keys {
		var k jwk
		if len(keys) == maxRemoteKeys || json.Unmarshal(member, &k) != nil {
			continue
		}
		if key, ok := k.key(); ok && slices.Contains(algorithms, key.Algorithm()) {
			keys = append(keys, key)
			count[key.id]++
		}
	}
	return slices.DeleteFunc(keys, func(k Key) bool { return k.id != "" && count[k.id] > 1 }), nil
}

const maxRemoteKeys = 64

// key returns the key that a JWK describes, if it is one to check tokens with.
func (k jwk) key() (Key, bool) {
	if k.Use != "" && k.Use != "sig" || k.KeyOps != nil && !slices.Contains(k.KeyOps, "verify") || len(k.Kid) > maxKeyID {
		return Key{}, false
	}
	var key Key
	switch {
	case k.Kty == "RSA":
		n, e := decodeNumber(k.N, 1024), decodeNumber(k.E, 4)
		if n == nil || e == nil || !e.IsInt64() || e.Int64() > 1<<31-1 {
			return Key{}, false
		}
		key = RS256(&rsa.PublicKey{N: n, E: int(e.Int64())})
	case k.Kty == "EC" && k.Crv == "P-256":
		x, errX := decodePart(k.X)
		y, errY := decodePart(k.Y)
		if errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
			return Key{}, false
		}
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
		if err != nil {
			return Key{}, false
		}
		key = ES256(public)
	case k.Kty == "OKP" && k.Crv == "Ed25519":
		x, err := decodePart(k.X)
		if err != nil {
			return Key{}, false
		}
		key = EdDSA(ed25519.PublicKey(x))
	default:
		return Key{}, false
	}
	key.id = k.Kid
	return key, key.mistake == nil && (k.Alg == "" || k.Alg == key.Algorithm())
}

func decodeNumber(text string, most int) *big.Int {
	data, err := decodePart(text)
	if err != nil || len(data) == 0 || len(data) > most {
		return nil
	}
	return new(big.Int).SetBytes(data)
}
