package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Tokens makes and checks JSON Web Tokens (RFC 7519, with the advice of RFC 8725).
// It is a Guard: LoginRequired takes it. It may be used by any number of goroutines.
type Tokens struct {
	keys     Keys
	issuer   string
	audience []string
	ttl      time.Duration
	leeway   time.Duration
	typ      string
	realm    string
	limit    int
	clock    ishaa.Clock
	roles    []string
	revoked  *Revocations
	mistake  error
}

// A JWTOption is a setting of JWT.
type JWTOption func(*Tokens)

// JWT returns what makes and checks tokens with the keys.
//
//	jwt := auth.JWT(auth.HS256(secret), auth.Issuer("shop"), auth.Audience("api"), auth.TTL(time.Hour))
//
// A token is accepted if it is signed by one of the keys with the algorithm of that
// key, has an exp that is not past, and an nbf and iat, where it has them, that are
// not in the future. Its typ is that of Type. Settings that cannot work stop the
// program.
func JWT(keys Keys, options ...JWTOption) *Tokens {
	t := &Tokens{
		keys: keys, ttl: time.Hour, leeway: 5 * time.Second, realm: "api", limit: 8 << 10,
		roles: []string{"role", "roles"},
	}
	for _, option := range options {
		option(t)
	}
	if keys == nil {
		mistake("JWT: the keys are nil")
	}
	if err := errors.Join(keys.check(), t.mistake); err != nil {
		mistake("JWT: %v", err)
	}
	return t
}

// Issuer sets the iss of tokens: Encode writes it, and others are refused.
func Issuer(name string) JWTOption {
	return func(t *Tokens) {
		t.issuer = name
		t.demand(name != "", "Issuer: the name is empty")
	}
}

// Audience says who tokens are for: Encode writes all names, and a token must have
// one of them in its aud. Without it, a token that has an aud is for somebody else
// and refused (RFC 7519 §4.1.3).
func Audience(names ...string) JWTOption {
	return func(t *Tokens) {
		t.audience = names
		t.demand(len(names) > 0 && len(names) <= maxList && !slices.Contains(names, ""), "Audience: give 1 to %d names that are not empty", maxList)
	}
}

// TTL is how long tokens are valid unless ExpiresIn says otherwise; default one hour.
func TTL(d time.Duration) JWTOption {
	return func(t *Tokens) {
		t.ttl = d
		t.demand(d >= time.Second, "TTL of %v: give at least a second", d)
	}
}

// Leeway is how far the clocks of those who make and check tokens may differ;
// default 5 seconds, at most 5 minutes.
func Leeway(d time.Duration) JWTOption {
	return func(t *Tokens) {
		t.leeway = d
		t.demand(d >= 0 && d <= 5*time.Minute, "Leeway of %v: give 0 to 5 minutes", d)
	}
}

// Type sets the typ of tokens, such as "at+jwt" (RFC 9068): Encode writes it, and
// tokens of another type, or of none, are refused. So a token for one purpose is no
// good for another. Without it, Encode writes "JWT", and a token without a type is
// accepted too.
func Type(name string) JWTOption {
	return func(t *Tokens) {
		t.typ = name
		t.demand(mediaType(name) != "", "Type: the name is empty")
	}
}

// Realm sets the realm of challenges; default "api".
func Realm(name string) JWTOption { return func(t *Tokens) { t.realm = name } }

// MaxSize is how long a token may be, in bytes; default 8192.
func MaxSize(bytes int) JWTOption {
	return func(t *Tokens) {
		t.limit = bytes
		t.demand(bytes >= 128 && bytes <= 1<<20, "MaxSize of %d: give 128 to 1 MiB", bytes)
	}
}

// RoleClaims names the claims that hold roles, as text or a list of text; default
// "role" and "roles".
func RoleClaims(names ...string) JWTOption { return func(t *Tokens) { t.roles = names } }

// Clock sets the clock by which tokens are made and checked. By default they are
// made by the system's, and checked by that of the application whose request it is.
func Clock(clock ishaa.Clock) JWTOption { return func(t *Tokens) { t.clock = clock } }

func (t *Tokens) demand(ok bool, format string, args ...any) {
	if !ok {
		t.mistake = errors.Join(t.mistake, fmt.Errorf(format, args...))
	}
}

// An EncodeOption is a setting of one token.
type EncodeOption func(*newToken)

type newToken struct{ expiresIn time.Duration }

// ExpiresIn has the token expire after a time of its own, in place of TTL and of an
// exp among the claims.
func ExpiresIn(d time.Duration) EncodeOption { return func(n *newToken) { n.expiresIn = d } }

// Encode returns a signed token with the claims, a struct or map that becomes a
// JSON object. It adds iat, exp, and iss and aud where they are set; where the claims
// have one of these themselves, it stays as it is.
func (t *Tokens) Encode(claims any, options ...EncodeOption) (string, error) {
	own := t.keys.own()
	if len(own) == 0 || own[0].signing == nil {
		return "", errors.New("auth: Encode: the key is a public one, which cannot sign; give JWT a private key or a secret")
	}
	var n newToken
	for _, option := range options {
		option(&n)
	}
	if n.expiresIn < 0 || n.expiresIn > 0 && n.expiresIn < time.Second {
		return "", fmt.Errorf("auth: Encode: ExpiresIn(%v): give at least a second", n.expiresIn)
	}
	payload, err := t.payload(claims, n)
	if err != nil {
		return "", fmt.Errorf("auth: Encode: %w", err)
	}
	signed := t.header(own[0]) + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := own[0].method.Sign(signed, own[0].signing)
	if err != nil {
		return "", fmt.Errorf("auth: Encode: %w", err)
	}
	token := signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	if len(token) > t.limit {
		return "", fmt.Errorf("auth: Encode: the token has %d bytes, at most %d are accepted; see MaxSize", len(token), t.limit)
	}
	return token, nil
}

func (t *Tokens) header(key Key) string {
	header := struct {
		Alg string `json:"alg"`
		Kid string `json:"kid,omitempty"`
		Typ string `json:"typ"`
	}{key.Algorithm(), key.id, t.typ}
	if header.Typ == "" {
		header.Typ = "JWT"
	}
	data, _ := json.Marshal(header) // strings cannot fail
	return base64.RawURLEncoding.EncodeToString(data)
}

func (t *Tokens) payload(claims any, n newToken) ([]byte, error) {
	data, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	merged := map[string]json.RawMessage{}
	err = members(data, fmt.Errorf("the claims, a %T, are not a JSON object with distinct names", claims), func(name string, value []byte) error {
		merged[name] = value
		return nil
	})
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if t.clock != nil {
		now = t.clock.Now()
	}
	add := func(name string, value any) {
		if _, given := merged[name]; !given {
			merged[name], _ = json.Marshal(value) // numbers and strings cannot fail
		}
	}
	if n.expiresIn > 0 {
		delete(merged, "exp")
	} else {
		n.expiresIn = t.ttl
	}
	add("iat", now.Unix())
	if t.revoked != nil {
		add("jti", newTokenID(now))
	}
	add("exp", now.Add(n.expiresIn).Unix())
	if t.issuer != "" {
		add("iss", t.issuer)
	}
	switch len(t.audience) {
	case 0:
	case 1:
		add("aud", t.audience[0])
	default:
		add("aud", t.audience)
	}
	if payload, err := json.Marshal(merged); err != nil {
		return nil, err
	} else if _, err := readClaims(payload, t.isRole); err != nil {
		return nil, fmt.Errorf("nobody would accept the claims %s: %w", slices.Sorted(maps.Keys(merged)), err)
	} else {
		return payload, nil
	}
}

// Format prints the keys without their secrets, whatever the verb.
func (t Tokens) Format(out fmt.State, _ rune) { fmt.Fprintf(out, "auth.Tokens(%v)", t.keys.own()) }

// Decode checks a token and returns its claims. A token that is not accepted is a
// *TokenError; keys that cannot be fetched are answered by 503.
func Decode[C any](t *Tokens, token string) (C, error) {
	return DecodeContext[C](context.Background(), t, token)
}

// DecodeContext is Decode with a context for keys that may have to be fetched.
func DecodeContext[C any](ctx context.Context, t *Tokens, token string) (C, error) {
	var claims C
	checked, err := t.accept(ctx, token, timeOf(ctx, t.clock))
	if err == nil {
		err = checked.into(&claims)
	}
	return claims, err
}

// accepted is a token that is in order.
type accepted struct {
	claimSet
	payload []byte
}

func (a *accepted) into(claims any) error {
	if err := json.Unmarshal(a.payload, claims); err != nil {
		return errClaims
	}
	return nil
}

// accept checks a token at a time.
func (t *Tokens) accept(ctx context.Context, token string, now time.Time) (*accepted, error) {
	e, err := openToken(token, t.limit)
	if err != nil {
		return nil, err
	}
	keys, err := t.keys.find(ctx, e.alg, e.kid)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(keys, func(k Key) bool { return k.method.Verify(e.signed, e.signature, k.checks) == nil }) {
		return nil, errSignature
	}
	if !t.acceptsType(e.typ) {
		return nil, errType
	}
	a := &accepted{}
	if a.payload, err = decodePart(e.payload); err != nil {
		return nil, err
	}
	if a.claimSet, err = readClaims(a.payload, t.isRole); err != nil {
		return nil, err
	}
	if err := t.judge(&a.claimSet, now); err != nil {
		return nil, err
	}
	if t.revoked != nil {
		return a, t.revoked.check(ctx, &a.claimSet)
	}
	return a, nil
}

// acceptsType compares media types as RFC 7515 §4.1.9 says.
func (t *Tokens) acceptsType(typ string) bool {
	if t.typ == "" {
		return typ == "" || strings.EqualFold(typ, "JWT")
	}
	return mediaType(typ) == mediaType(t.typ)
}

func mediaType(typ string) string {
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}

func (t *Tokens) isRole(name []byte) bool {
	return slices.ContainsFunc(t.roles, func(role string) bool { return role == string(name) })
}

// judge checks the registered claims at a time.
func (t *Tokens) judge(c *claimSet, at time.Time) error {
	now, leeway := at.Unix(), int64(t.leeway/time.Second)
	switch {
	case !c.hasExp:
		return errNoExpiry
	case now >= c.expires+leeway:
		return errExpired
	case c.begins > now+leeway:
		return errEarly
	case c.iat > now+leeway:
		return errFuture
	case t.issuer != "" && c.issuer != t.issuer:
		return errIssuer
	case len(t.audience) == 0 && c.hasAudience:
		return errAudience
	case len(t.audience) > 0 && !slices.ContainsFunc(c.audience, func(name string) bool { return slices.Contains(t.audience, name) }):
		return errAudience
	}
	return nil
}
