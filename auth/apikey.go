package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// An API key is a prefix that says whose it is, an id, and a secret with a check
// sum: "shop_q3k7x2m5ab_…". Scanners find the prefix in code that leaks, the check
// sum keeps what is no key from the database, the id finds the record, and the
// record has a hash of the secret.

// APIKey is what is stored of an API key.
type APIKey struct {
	ID      string    // the part of the key that it is found by
	Hash    string    // of the secret
	Subject string    // whose it is: Identity.Subject
	Scopes  []string  // what it may do: Identity.Roles, for RoleRequired
	Expires time.Time // zero: never
	Value   any       // what User gives
}

// APIKeys is a Guard that takes API keys.
//
//	keys := auth.NewAPIKeys("shop", func(ctx context.Context, id string) (*auth.APIKey, error) {
//		return table.Find(ctx, id) // nil when there is none
//	})
//	text, stored := keys.New() // show the text once, keep the rest
//	app.Get("/orders", orders, auth.LoginRequired(keys), auth.RoleRequired("orders:read"))
type APIKeys struct {
	prefix  string
	find    func(ctx context.Context, id string) (*APIKey, error)
	options APIKeyOptions
}

// APIKeyOptions are the settings of NewAPIKeys.
type APIKeyOptions struct {
	// Header is where clients put the key; default "X-API-Key". In "Authorization" it
	// stands after "Bearer". Queries end up in logs and are not looked at.
	Header string

	Clock ishaa.Clock // for expiry; default the application's
}

const (
	apiKeyIDBytes     = 8  // 13 letters and digits
	apiKeySecretBytes = 20 // 160 bits, 32 letters and digits
	apiKeyIDLength    = 13
	apiKeyRestLength  = 32 + 7 // with the check sum
)

// NewAPIKeys returns a guard for keys that begin with a prefix of 1 to 20 lower
// case letters, digits and underscores, and are looked up by a function: nil and no
// error is for an id that there is none of, and for a key that was revoked.
// Settings that cannot work stop the program.
func NewAPIKeys(prefix string, find func(ctx context.Context, id string) (*APIKey, error), options ...APIKeyOptions) *APIKeys {
	k := &APIKeys{prefix: prefix, find: find}
	if len(options) > 0 {
		k.options = options[0]
	}
	setDefault(&k.options.Header, "X-API-Key")
	bad := func(c rune) bool { return c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') }
	switch {
	case find == nil:
		mistake("NewAPIKeys: the function that finds keys is nil")
	case prefix == "" || len(prefix) > 20 || strings.ContainsFunc(prefix, bad):
		mistake("NewAPIKeys: the prefix %q: give 1 to 20 lower case letters, digits and underscores", prefix)
	case strings.EqualFold(k.options.Header, "Cookie"):
		mistake("NewAPIKeys: browsers send cookies by themselves, so a key in one is no proof of intent; use a header")
	}
	return k
}

// New makes a key. The text is for its owner, to be shown once. Of the rest set
// Subject, Scopes and Expires, and store it.
func (k *APIKeys) New() (text string, stored APIKey) {
	id := lowerText(randomBytes(apiKeyIDBytes))
	secret := lowerText(randomBytes(apiKeySecretBytes))
	stored = APIKey{ID: id, Hash: apiKeyHash(secret)}
	return k.prefix + "_" + id + "_" + secret + k.checkSum(id, secret), stored
}

func lowerText(data []byte) string { return strings.ToLower(base32Text.EncodeToString(data)) }

func (k *APIKeys) checkSum(id, secret string) string {
	sum := crc32.ChecksumIEEE([]byte(k.prefix + "_" + id + "_" + secret))
	return lowerText(binary.BigEndian.AppendUint32(nil, sum))
}

// apiKeyHash is a plain hash: the secret is random and too long to be tried.
func apiKeyHash(secret string) string {
	digest := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// split takes a key apart, if it has the form of one.
func (k *APIKeys) split(text string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(text, k.prefix+"_")
	if !ok || len(rest) != apiKeyIDLength+1+apiKeyRestLength || rest[apiKeyIDLength] != '_' {
		return "", "", false
	}
	id, secret = rest[:apiKeyIDLength], rest[apiKeyIDLength+1:]
	secret, sum := secret[:len(secret)-7], secret[len(secret)-7:]
	return id, secret, sum == k.checkSum(id, secret)
}

// Identify finds the key's record. A key that is wrong, expired or revoked is
// refused in the same words.
func (k *APIKeys) Identify(r *ishaa.Request) (*Identity, error) {
	values := r.HeaderValues(k.options.Header)
	switch len(values) {
	case 0:
		return nil, nil
	case 1:
	default:
		return nil, ishaa.BadRequest("there is more than one %s header", k.options.Header).WithHeader("WWW-Authenticate", k.Challenge())
	}
	text := values[0]
	if strings.EqualFold(k.options.Header, "Authorization") {
		scheme, token, _ := strings.Cut(text, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return nil, nil
		}
		text = strings.TrimLeft(token, " ")
	}
	id, secret, ok := k.split(text)
	if !ok {
		return nil, k.refuse()
	}
	found, err := k.find(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if found == nil {
		found = &APIKey{} // the same work as for one that there is
	}
	right := subtle.ConstantTimeCompare([]byte(apiKeyHash(secret)), []byte(found.Hash)) == 1
	if !right || found.ID != id || !found.Expires.IsZero() && !timeOf(r.Context(), k.options.Clock).Before(found.Expires) {
		return nil, k.refuse()
	}
	value := found.Value
	if value == nil {
		value = found
	}
	return &Identity{Subject: found.Subject, Roles: slices.Clone(found.Scopes), Value: value}, nil
}

func (k *APIKeys) refuse() error {
	return ishaa.Unauthorized("the API key is not valid").WithHeader("WWW-Authenticate", k.Challenge())
}

// Challenge names the header. The scheme is not a registered one: there is none
// for keys in headers of their own.
func (k *APIKeys) Challenge() string {
	if strings.EqualFold(k.options.Header, "Authorization") {
		return `Bearer realm="API key"`
	}
	return `ApiKey header="` + quotable(k.options.Header) + `"`
}

// Security describes API keys.
func (k *APIKeys) Security() ishaa.Security {
	if strings.EqualFold(k.options.Header, "Authorization") {
		return ishaa.Security{Name: "apiKey", Type: "http", Scheme: "bearer", Format: "API key"}
	}
	return ishaa.Security{Name: "apiKey", Type: "apiKey", In: "header", Parameter: k.options.Header}
}

// String keeps the hash out of texts.
func (k APIKey) String() string { return fmt.Sprintf("auth.APIKey(%s of %s)", k.ID, k.Subject) }

// GoString is String, for the verb %#v.
func (k APIKey) GoString() string { return k.String() }
