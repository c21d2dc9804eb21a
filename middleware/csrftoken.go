package middleware

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"

	"github.com/ishaa-framework/ishaa"
)

// A token is a nonce and a signature over the nonce and what it is bound to: the
// visitor's session, or, where there is none, a random value in a cookie (double
// submit). Each page gets another nonce, so equal tokens never stand in two
// answers for compression to give away, and a token of one session says nothing
// on another.

// CSRFTokens are the settings of CSRF for tokens.
type CSRFTokens struct {
	// Secret signs, at least 32 bytes, the same on all nodes; default the
	// application's Config.Secret. Tokens are answered by a 500 without either.
	Secret []byte

	// Session returns what a token is bound to: the session's id, or "" when there
	// is none yet. Renew the session at sign-in, and old tokens end. Default: the
	// cookie below.
	Session func(*ishaa.Request) string

	// Header and Field are where a client puts the token: default "X-CSRF-Token" and
	// the form field "csrf_token".
	Header, Field string

	// Cookie is the name of the cookie for requests without a session; default
	// "__Host-csrf", or "csrf" where the site is used by plain HTTP.
	Cookie string
}

type csrfTokens struct {
	CSRFTokens
}

var csrfKey = ishaa.NewKey[*csrfTokens]("csrf tokens")

const (
	csrfNonce  = 16
	csrfCookie = 18 // random bytes
)

var errNoSecret = errors.New("middleware.CSRF: Tokens need a secret of at least 32 bytes: set CSRFTokens.Secret, or the application's by ISHAA_SECRET")

func newCSRFTokens(o CSRFTokens) *csrfTokens {
	if o.Secret != nil && len(o.Secret) < 32 {
		mistake("CSRF: Tokens.Secret has %d bytes: give it at least 32, from a file or the environment", len(o.Secret))
	}
	if o.Header == "" {
		o.Header = "X-CSRF-Token"
	}
	if o.Field == "" {
		o.Field = "csrf_token"
	}
	return &csrfTokens{o}
}

// CSRFToken returns a token for a form or a script of the page that answers the
// request. Without CSRF with Tokens around the handler it is an error. It may set
// a cookie, so it is called before the answer is on its way.
func CSRFToken(r *ishaa.Request) (string, error) {
	t := csrfKey.Get(r)
	if t == nil {
		return "", errors.New("middleware.CSRFToken: there is no middleware.CSRF with Tokens around this handler")
	}
	binding := t.binding(r)
	if binding == "" {
		value := base64.RawURLEncoding.EncodeToString(randomBytes(csrfCookie))
		r.Response().SetCookie(&http.Cookie{
			Name: t.cookieName(r), Value: value, HttpOnly: true,
			Secure: r.Scheme() == "https", SameSite: http.SameSiteLaxMode,
		})
		binding = cookieBinding(value)
		csrfBinding.Set(r, binding)
	}
	token := randomBytes(csrfNonce)
	signature, err := t.sign(r, token, binding)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(token, signature...)), nil
}

// csrfBinding holds the value of a cookie that this answer sets.
var csrfBinding = ishaa.NewKey[string]("csrf cookie")

// binding is what tokens of the visitor are bound to, "" for one without session
// and cookie. Sessions and cookies are told apart, so that one cannot stand for
// the other.
func (t *csrfTokens) binding(r *ishaa.Request) string {
	if t.Session != nil {
		if id := t.Session(r); id != "" {
			return "session " + id
		}
	}
	if set, ok := csrfBinding.Lookup(r); ok {
		return set
	}
	if value, ok := r.Cookie(t.cookieName(r)); ok && value != "" {
		return cookieBinding(value)
	}
	return ""
}

func cookieBinding(value string) string { return "cookie " + value }

func (t *csrfTokens) cookieName(r *ishaa.Request) string {
	switch {
	case t.Cookie != "":
		return t.Cookie
	case r.Scheme() == "https":
		return "__Host-csrf"
	}
	return "csrf"
}

// sign is an HMAC over lengths and values, by a key of this purpose alone.
func (t *csrfTokens) sign(r *ishaa.Request, nonce []byte, binding string) ([]byte, error) {
	secret := t.Secret
	if secret == nil {
		secret = []byte(r.App().Config().Secret)
	}
	if len(secret) < 32 {
		return nil, errNoSecret
	}
	key := hmac.New(sha256.New, secret)
	key.Write([]byte("ishaa csrf token v1"))
	mac := hmac.New(sha256.New, key.Sum(nil))
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(nonce)))
	mac.Write(size[:])
	mac.Write(nonce)
	mac.Write([]byte(binding))
	return mac.Sum(nil), nil
}

// check refuses a request without a valid token.
func (t *csrfTokens) check(r *ishaa.Request) error {
	text, err := t.sent(r)
	if err != nil {
		return err
	}
	if text == "" {
		return ishaa.Forbidden("the request has no CSRF token: send it in the header %s or the field %s", t.Header, t.Field)
	}
	binding := t.binding(r)
	token, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(token) != csrfNonce+sha256.Size || binding == "" {
		return errTokenRefused()
	}
	signature, err := t.sign(r, token[:csrfNonce], binding)
	if err != nil {
		return err
	}
	if !hmac.Equal(signature, token[csrfNonce:]) {
		return errTokenRefused()
	}
	return nil
}

func errTokenRefused() error {
	return ishaa.Forbidden("the CSRF token is not valid for this visitor: load the page again")
}

// sent finds the token in the header or the form.
func (t *csrfTokens) sent(r *ishaa.Request) (string, error) {
	if text := r.Header(t.Header); text != "" {
		return text, nil
	}
	switch r.ContentType() {
	case "application/x-www-form-urlencoded":
		if _, err := r.Bytes(); err != nil { // so that a handler may still read the bytes
			return "", err
		}
	case "multipart/form-data":
	default:
		return "", nil
	}
	form, err := r.Form()
	if err != nil {
		return "", err
	}
	return form.Value(t.Field), nil
}

func isBearer(authorization string) bool {
	scheme, token, _ := strings.Cut(authorization, " ")
	return strings.EqualFold(scheme, "bearer") && token != ""
}

func randomBytes(n int) []byte {
	data := make([]byte, n, n+sha256.Size)
	rand.Read(data) // never fails: it ends the process where the system has no randomness
	return data
}
