package relay

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// Encrypted cursors are AES-256-GCM whose nonce is a MAC of the text, so that the same place has the same cursor (the
// construction of RFC 5297, SIV, with HMAC-SHA-256 as the MAC). Who does not have the secret learns from two cursors
// whether they are the same place, and nothing else. The type of the rows is authenticated with the text.

// sealer makes cursors for clients of those for the database, and the other way round. One without keys only puts
// the type of the rows in front of them.
type sealer struct {
	list  string // the type of the rows
	mac   []byte
	block cipher.AEAD
}

const (
	nonceSize  = 12
	mostCursor = 16 << 10 // characters; a cursor holds what rows are sorted by, and those are no books
)

func (o Options) sealer(ctx context.Context, list string) (*sealer, error) {
	s := &sealer{list: list}
	secret, err := o.secret(ctx)
	if err != nil || secret == nil {
		return s, err
	}
	keys, err := hkdf.Key(sha256.New, secret, nil, "ishaa graphql/relay cursor 1", 64)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		return nil, err
	}
	s.mac = keys[32:]
	s.block, err = cipher.NewGCM(block)
	return s, err
}

// close makes a cursor that a client may have.
func (s *sealer) close(cursor string) string {
	if s.block == nil {
		return base64.RawURLEncoding.EncodeToString([]byte(s.list + "\x00" + cursor))
	}
	mac := hmac.New(sha256.New, s.mac)
	mac.Write([]byte(s.list))
	mac.Write([]byte{0})
	mac.Write([]byte(cursor))
	nonce := mac.Sum(nil)[:nonceSize]
	return base64.RawURLEncoding.EncodeToString(s.block.Seal(nonce, nonce, []byte(cursor), []byte(s.list)))
}

// open is false for what close has not made for the same list.
func (s *sealer) open(text string) (cursor string, ok bool) {
	if len(text) > mostCursor {
		return "", false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", false
	}
	if s.block == nil {
		prefix := s.list + "\x00"
		if len(sealed) <= len(prefix) || string(sealed[:len(prefix)]) != prefix {
			return "", false
		}
		return string(sealed[len(prefix):]), true
	}
	if len(sealed) < nonceSize {
		return "", false
	}
	opened, err := s.block.Open(nil, sealed[:nonceSize], sealed[nonceSize:], []byte(s.list))
	if err != nil || len(opened) == 0 {
		return "", false
	}
	return string(opened), true
}
