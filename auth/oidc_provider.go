package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/ishaa-framework/ishaa/store"
)

// endpoint is what is known of a provider.
type endpoint struct {
	config      oauth2.Config
	remote      *oidc.Provider // nil for plain OAuth 2
	issuer      string         // "" when it has none
	namesIssuer bool           // it says so in every answer (RFC 9207)
}

// NewOIDC returns an OpenID Connect provider by its issuer, such as
// "https://accounts.google.com". It is asked for its addresses and keys when
// somebody signs in first. Settings that cannot work stop the program.
//
// An ID token has to be signed with a key of the provider, by an asymmetric
// algorithm, for this client, by this issuer, with the nonce of this sign-in, and
// not be expired (OpenID Connect Core §3.1.3.7).
func NewOIDC(kv store.KV, issuer string, options ProviderOptions) *Provider {
	p := newProvider(kv, "NewOIDC", issuer, options)
	if u, err := url.Parse(issuer); err != nil || !isSecureURL(u) || u.RawQuery != "" || u.Fragment != "" {
		mistake("NewOIDC: the issuer %q: give its https address", issuer)
	}
	if p.options.Scopes == nil {
		p.options.Scopes = []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail}
	} else if !slices.Contains(p.options.Scopes, oidc.ScopeOpenID) {
		mistake("NewOIDC: the Scopes %q do not have %q, without which there is no ID token", options.Scopes, oidc.ScopeOpenID)
	}
	found := &discovery{provider: p, issuer: issuer}
	p.endpoint, p.identify = found.endpoint, p.identifyByToken
	return p
}

// NewOAuth2 returns a provider that knows OAuth 2 but not OpenID Connect. The
// function finds out who it is, by a client that has the person's token; it sets
// at least the Subject.
//
//	github := auth.NewOAuth2(st, endpoints.GitHub, func(ctx context.Context, client *http.Client) (*auth.Person, error) {
//		… client.Get("https://api.github.com/user")
//	}, options)
func NewOAuth2(kv store.KV, at oauth2.Endpoint, identify func(ctx context.Context, client *http.Client) (*Person, error), options ProviderOptions) *Provider {
	p := newProvider(kv, "NewOAuth2", at.AuthURL, options)
	for _, address := range []string{at.AuthURL, at.TokenURL} {
		if u, err := url.Parse(address); err != nil || !isSecureURL(u) {
			mistake("NewOAuth2: the address %q: give an https one", address)
		}
	}
	if identify == nil {
		mistake("NewOAuth2: the function that finds out who it is, is nil")
	}
	e := &endpoint{config: p.config(at)}
	p.endpoint = func(context.Context) (*endpoint, error) { return e, nil }
	p.identify = func(ctx context.Context, e *endpoint, token *oauth2.Token, _ string) (*Person, error) {
		person, err := identify(ctx, e.config.Client(ctx, token))
		if err == nil && person != nil && person.Issuer == "" {
			person.Issuer = at.AuthURL
		}
		return person, err
	}
	return p
}

func (p *Provider) config(at oauth2.Endpoint) oauth2.Config {
	return oauth2.Config{
		ClientID: p.options.ClientID, ClientSecret: p.options.ClientSecret, Endpoint: at,
		RedirectURL: p.options.RedirectURL, Scopes: slices.Clone(p.options.Scopes),
	}
}

// discovery asks a provider for its addresses once it is needed, and keeps them.
type discovery struct {
	provider *Provider
	issuer   string

	mu     sync.Mutex
	found  *endpoint
	failed error
	again  time.Time // when to try again after a failure
}

const (
	discoveryTimeout = 10 * time.Second
	discoveryPause   = 5 * time.Second
)

func (d *discovery) endpoint(ctx context.Context) (*endpoint, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := timeOf(ctx, d.provider.options.Clock)
	if d.found != nil || d.failed != nil && now.Before(d.again) {
		return d.found, d.failed
	}
	// It is for all who wait, not only for the request that asks.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discoveryTimeout)
	defer cancel()
	d.found, d.failed = d.discover(ctx)
	d.again = now.Add(discoveryPause)
	return d.found, d.failed
}

// signingAlgorithms are those whose signatures only the provider can make.
var signingAlgorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512,
	oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

func (d *discovery) discover(ctx context.Context) (*endpoint, error) {
	p := d.provider
	remote, err := oidc.NewProvider(p.withClient(ctx), d.issuer)
	if err != nil {
		return nil, err
	}
	var metadata struct {
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
		Keys          string `json:"jwks_uri"`
		NamesIssuer   bool   `json:"authorization_response_iss_parameter_supported"`
	}
	if err := remote.Claims(&metadata); err != nil {
		return nil, err
	}
	for _, address := range []string{metadata.Authorization, metadata.Token, metadata.Keys} {
		if u, err := url.Parse(address); err != nil || !isSecureURL(u) {
			return nil, fmt.Errorf("its configuration has the address %q, which is not https", address)
		}
	}
	return &endpoint{
		config: p.config(remote.Endpoint()), remote: remote, issuer: d.issuer, namesIssuer: metadata.NamesIssuer,
	}, nil
}

// tokenClaims are those of an ID token that are looked at here.
type tokenClaims struct {
	Email         string `json:"email"`
	EmailVerified any    `json:"email_verified"` // some send it as text
	Name          string `json:"name"`
	Party         string `json:"azp"`
}

// identifyByToken goes by the ID token.
func (p *Provider) identifyByToken(ctx context.Context, e *endpoint, token *oauth2.Token, nonce string) (*Person, error) {
	raw, _ := token.Extra("id_token").(string)
	if strings.Count(raw, ".") != 2 || len(raw) > maxAnswer {
		return nil, refuse("there is no ID token in the compact form")
	}
	now := timeOf(ctx, p.options.Clock)
	id, err := e.remote.Verifier(&oidc.Config{
		ClientID: p.options.ClientID, SupportedSigningAlgs: signingAlgorithms, Now: func() time.Time { return now },
	}).Verify(ctx, raw)
	if err != nil {
		return nil, refuse("the ID token is not valid: %s", brief(err.Error()))
	}
	var text json.RawMessage
	var claims tokenClaims
	if err := errors.Join(id.Claims(&text), id.Claims(&claims)); err != nil {
		return nil, refuse("the claims of the ID token cannot be read")
	}
	once := func(string, []byte) error { return nil }
	switch {
	case members(text, errClaims, once) != nil:
		return nil, refuse("the claims of the ID token are not one JSON object without duplicates")
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return nil, refuse("the ID token is of another sign-in: its nonce is not ours")
	case claims.Party != "" && claims.Party != p.options.ClientID,
		claims.Party == "" && len(id.Audience) > 1:
		return nil, refuse("the ID token is for another party")
	case id.IssuedAt.IsZero() || id.IssuedAt.After(now.Add(maxClockSkew)):
		return nil, refuse("the ID token was issued in the future")
	case len(id.Subject) > 255:
		return nil, refuse("the subject of the ID token is too long")
	case id.AccessTokenHash != "" && id.VerifyAccessToken(token.AccessToken) != nil:
		return nil, refuse("the access token is not that of the ID token")
	}
	return &Person{
		Issuer: e.issuer, Subject: id.Subject, Claims: text, Name: claims.Name, Email: claims.Email,
		EmailVerified: claims.Email != "" && (claims.EmailVerified == true || claims.EmailVerified == "true"),
	}, nil
}

// maxClockSkew is how far the provider's clock may be ahead.
const maxClockSkew = 5 * time.Minute

// maxAnswer bounds what a provider answers, in bytes.
const maxAnswer = 1 << 20

var (
	errRedirected = errors.New("it answers with a redirect, which is not followed")
	errLargeReply = fmt.Errorf("it answers with more than %d bytes", maxAnswer)
)

// boundedClient returns a client that follows no redirect, so that codes and
// secrets go nowhere else, and reads no more than it should.
func boundedClient(client *http.Client) *http.Client {
	bounded := http.Client{Timeout: 10 * time.Second}
	if client != nil {
		bounded = *client
	}
	if bounded.Transport == nil {
		bounded.Transport = http.DefaultTransport
	}
	bounded.Transport = boundedTransport{bounded.Transport}
	bounded.CheckRedirect = func(*http.Request, []*http.Request) error { return errRedirected }
	return &bounded
}

type boundedTransport struct{ http.RoundTripper }

// RoundTrip bounds the answer's body.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = &boundedBody{ReadCloser: answer.Body, left: maxAnswer}
	}
	return answer, err
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLargeReply
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
