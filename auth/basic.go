package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/store"
)

// Basic is a Guard for HTTP Basic authentication (RFC 7617), for programs and
// tools: every request has the name and the password in it, so use it over TLS.
//
//	guard := auth.NewBasic("shop", auth.PasswordsOf(hasher, map[string]string{"ann": hash}))
//	app.Get("/metrics", metrics, auth.LoginRequired(guard))
//
// Guessing is slowed down by a Throttle.
type Basic struct {
	realm   string
	verify  VerifyPassword
	options BasicOptions
}

// VerifyPassword finds out whose a name and a password are: nil when the password
// is wrong and when there is no such account, after the same work in both cases.
type VerifyPassword func(ctx context.Context, name, password string) (*Identity, error)

// BasicOptions are the settings of NewBasic.
type BasicOptions struct {
	// Throttle slows guessing down; default one of its own, in memory.
	Throttle *Throttle

	// PlainHTTP takes passwords also without TLS from clients that are not on this
	// machine, where everybody on the way can read them.
	PlainHTTP bool
}

// maxCredentials bounds the header, in bytes.
const maxCredentials = 2 * MaxPassword

// NewBasic returns a guard for a realm, which clients show to people. Settings
// that cannot work stop the program.
func NewBasic(realm string, verify VerifyPassword, options ...BasicOptions) *Basic {
	b := &Basic{realm: realm, verify: verify}
	if len(options) > 0 {
		b.options = options[0]
	}
	if verify == nil {
		mistake("NewBasic: the function that verifies passwords is nil; give auth.PasswordsOf(…)")
	}
	if strings.ContainsFunc(realm, func(c rune) bool { return c > unicode.MaxASCII || unicode.IsControl(c) }) {
		mistake("NewBasic: the realm %q stands in a header: give printable ASCII", realm)
	}
	if b.options.Throttle == nil {
		b.options.Throttle = NewThrottle(store.NewMemory(store.MemoryOptions{}), ThrottleOptions{})
	}
	return b
}

// PasswordsOf verifies passwords by hashes of a Hasher, by name.
func PasswordsOf(hasher *Hasher, hashes map[string]string) VerifyPassword {
	hashes = maps.Clone(hashes)
	return func(ctx context.Context, name, password string) (*Identity, error) {
		ok, _, err := hasher.VerifyContext(ctx, password, hashes[name]) // "" for a name that there is none of
		if err != nil || !ok {
			return nil, err
		}
		return &Identity{Subject: name, Value: name}, nil
	}
}

// Identify takes the name and the password of an Authorization header with the
// scheme Basic.
func (b *Basic) Identify(r *ishaa.Request) (*Identity, error) {
	values := r.HeaderValues("Authorization")
	if len(values) == 0 {
		return nil, nil
	}
	scheme, credentials, _ := strings.Cut(values[0], " ")
	switch {
	case !strings.EqualFold(scheme, "Basic"):
		return nil, nil
	case len(values) > 1:
		return nil, ishaa.BadRequest("there is more than one Authorization header").WithHeader("WWW-Authenticate", b.Challenge())
	case !b.options.PlainHTTP && r.Scheme() != "https" && !r.Client().Addr().IsLoopback():
		return nil, ishaa.Forbidden("passwords are accepted over TLS only")
	}
	name, password, err := parseBasic(credentials)
	if err != nil {
		return nil, b.refuse().Wrap(err)
	}
	attempt, err := b.options.Throttle.Attempt(r, name)
	if err != nil {
		return nil, err
	}
	who, err := b.verify(r.Context(), name, password)
	if err != nil {
		attempt.takeBack() // nothing was learned
		return nil, err
	}
	if who == nil {
		return nil, b.refuse()
	}
	attempt.takeBack()
	return who, nil
}

func (b *Basic) refuse() *ishaa.Problem {
	return ishaa.Unauthorized("the name or the password is wrong").WithHeader("WWW-Authenticate", b.Challenge())
}

var errBasic = errors.New("auth: the credentials of an Authorization header do not have the form of RFC 7617")

// parseBasic reads credentials (RFC 7617 §2): base 64 of a name without a colon, a
// colon, and a password, in UTF-8 without control characters.
func parseBasic(credentials string) (name, password string, err error) {
	credentials = strings.Trim(credentials, " ")
	if len(credentials) > base64.StdEncoding.EncodedLen(maxCredentials) || strings.ContainsAny(credentials, "\r\n") {
		return "", "", errBasic // encoding/base64 would pass over the ends of lines
	}
	data, err := base64.StdEncoding.Strict().DecodeString(credentials)
	if err != nil || !utf8.Valid(data) {
		return "", "", errBasic
	}
	name, password, found := strings.Cut(string(data), ":")
	if !found || name == "" || strings.ContainsFunc(string(data), unicode.IsControl) {
		return "", "", errBasic
	}
	return name, password, nil
}

// Challenge is "Basic" with the realm. It says that names and passwords are UTF-8.
func (b *Basic) Challenge() string {
	return `Basic realm="` + quotable(b.realm) + `", charset="UTF-8"`
}

// Security describes HTTP Basic.
func (b *Basic) Security() ishaa.Security {
	return ishaa.Security{Name: "basic", Type: "http", Scheme: "basic"}
}
