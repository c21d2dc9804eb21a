package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick is settings that cost next to nothing.
func quick() HasherOptions { return HasherOptions{Memory: 64, Passes: 1, Rounds: 10} }

var (
	secret = []byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
	start  = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Keys are made once: RSA keys take their time, more so under the race detector.
var (
	rsaKey     = sync.OnceValue(func() *rsa.PrivateKey { return made(rsa.GenerateKey(rand.Reader, 2048)) })
	ecKey      = sync.OnceValue(func() *ecdsa.PrivateKey { return made(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	ed25519Key = sync.OnceValue(func() ed25519.PrivateKey {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return made(key, err)
	})
)

func made[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func clockAt(at time.Time) *ishaatest.Clock { return ishaatest.NewClock(at) }

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// sign makes a token of any header and claims, whether they make sense or not.
func sign(method jwt.SigningMethod, key any, header, claims string) string {
	signed := b64(header) + "." + b64(claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(made(method.Sign(signed, key)))
}

func hs256(header, claims string) string { return sign(jwt.SigningMethodHS256, secret, header, claims) }

// panicText returns what a function panics with.
func panicText(fn func()) (text string) {
	defer func() {
		if cause := recover(); cause != nil {
			text, _ = cause.(string)
		}
	}()
	fn()
	return ""
}

func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
}
