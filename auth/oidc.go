package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/secure"
	"github.com/ishaa-framework/ishaa/store"
)

// Sign-in at another site is the authorization code flow (RFC 6749 §4.1) with what
// ten years of attacks have added to it (RFC 9700): PKCE, a state that counts once
// and in one browser only, a nonce, an issuer that is checked on the way back.
//
// What has to be remembered meanwhile stays in the store, under a hash of the
// state. The browser has a cookie that the record names by its hash: an answer
// that was begun elsewhere, or is played again, finds nothing.

// Provider is another site at which people sign in. It has two handlers: Begin
// sends them there, and the one for the way back calls Finish.
//
//	google := auth.NewOIDC(st, "https://accounts.google.com", auth.ProviderOptions{
//		ClientID: id, ClientSecret: secret, RedirectURL: "https://shop.example.com/login/google/done",
//	})
//	app.Get("/login/google", google.Begin) // with ?next=/where/to/go
//	app.Get("/login/google/done", func(r *ishaa.Request) (any, error) {
//		person, err := google.Finish(r)
//		if err != nil {
//			return nil, err
//		}
//		user, err := accounts.Of(r.Context(), person.Issuer, person.Subject)
//		if err != nil {
//			return nil, err
//		}
//		return ishaa.RedirectLocal(person.Next, "/"), session.From(r).SignIn(user.ID)
//	})
type Provider struct {
	kv       store.KV
	options  ProviderOptions
	id       string // tells its sign-ins from those of other providers
	endpoint func(ctx context.Context) (*endpoint, error)
	identify func(ctx context.Context, e *endpoint, token *oauth2.Token, nonce string) (*Person, error)
}

// ProviderOptions are the settings of NewOIDC and NewOAuth2. ClientID and
// RedirectURL are required.
type ProviderOptions struct {
	ClientID     string // that the provider gave the application
	ClientSecret string // likewise; empty for a public client, which PKCE protects

	// RedirectURL is the whole address of the handler that calls Finish, as the
	// provider knows it: https, or http on this machine. It is never made of what a
	// request says.
	RedirectURL string

	Scopes []string          // default "openid", "profile", "email"; for OAuth 2 none
	Params map[string]string // further parameters for the provider, such as "prompt"

	// Client asks the provider; default one with a timeout of 10 seconds. Redirects
	// are not followed and answers above 1 MiB are refused in any case.
	Client *http.Client

	// MaxAge is how long a person may take; default 10 minutes.
	MaxAge time.Duration

	Cookie string      // the name for the browser, to which TLS adds "__Host-"; default "signin"
	Prefix string      // of keys in the store; default "signin"
	Clock  ishaa.Clock // default the application's
}

// Person is who has signed in.
type Person struct {
	Issuer  string // the provider
	Subject string // who it is there: the two together are the account, for good

	// The rest is what the provider says. An address that it has not verified may be
	// anybody's: do not find accounts by it.
	Email         string
	EmailVerified bool
	Name          string
	Claims        json.RawMessage

	// Next is where the person wanted to go: a path of this site, or "".
	Next string

	// Token is for asking the provider on the person's behalf. It is a secret.
	Token *oauth2.Token
}

// LogValue keeps the tokens out of logs.
func (p *Person) LogValue() slog.Value { return slog.StringValue(p.String()) }

// String keeps the tokens out of texts.
func (p *Person) String() string { return fmt.Sprintf("auth.Person(%s at %s)", p.Subject, p.Issuer) }

// GoString is String, for the verb %#v.
func (p *Person) GoString() string { return p.String() }

// begun is a sign-in that is under way, as the store has it.
type begun struct {
	Provider string    `json:"provider"`
	Browser  string    `json:"browser"` // hash of the cookie
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"` // of PKCE (RFC 7636)
	Next     string    `json:"next,omitempty"`
	Until    time.Time `json:"until"`
}

// maxNext bounds the address to go to afterwards, in bytes.
const maxNext = 2048

func newProvider(kv store.KV, what, id string, options ProviderOptions) *Provider {
	setDefault(&options.MaxAge, 10*time.Minute)
	setDefault(&options.Cookie, "signin")
	setDefault(&options.Prefix, "signin")
	back, err := url.Parse(options.RedirectURL)
	switch {
	case kv == nil:
		mistake("%s: the store is nil: use store.Open", what)
	case options.ClientID == "":
		mistake("%s: ClientID is empty: the provider gives it to you", what)
	case err != nil || !isSecureURL(back) || back.Fragment != "":
		mistake("%s: RedirectURL %q: give the whole https address of the handler that calls Finish", what, options.RedirectURL)
	case options.MaxAge < 0:
		mistake("%s: MaxAge is negative", what)
	}
	options.Client = boundedClient(options.Client)
	return &Provider{kv: kv, options: options, id: id + " " + options.ClientID}
}

// isSecureURL takes https, and http on this machine.
func isSecureURL(u *url.URL) bool {
	return u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
}

// Begin sends the browser to the provider. The query parameter "next" says where
// to go afterwards, if it is a path of this site.
func (p *Provider) Begin(r *ishaa.Request) (any, error) {
	e, err := p.endpoint(r.Context())
	if err != nil {
		return nil, p.away(err)
	}
	state := randomText()
	browser, ok := r.Cookie(p.cookieName(r))
	if !ok || len(browser) != len(state) {
		browser = randomText() // one for all sign-ins of the browser: it may have several tabs
	}
	flow := begun{
		Provider: p.id, Browser: digestText(browser), Nonce: randomText(), Verifier: oauth2.GenerateVerifier(),
		Until: p.now(r).Add(p.options.MaxAge),
	}
	if next := r.Query("next"); len(next) <= maxNext && secure.LocalRedirect(next) {
		flow.Next = next
	}
	data, err := json.Marshal(flow)
	if err != nil {
		return nil, err
	}
	if err := p.kv.Set(r.Context(), p.key(state), data, p.options.MaxAge); err != nil {
		return nil, storeAway(err)
	}
	params := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(flow.Verifier)}
	if e.remote != nil {
		params = append(params, oauth2.SetAuthURLParam("nonce", flow.Nonce))
	}
	for name, value := range p.options.Params {
		params = append(params, oauth2.SetAuthURLParam(name, value))
	}
	r.Response().SetCookie(&http.Cookie{
		Name: p.cookieName(r), Value: browser, MaxAge: int(p.options.MaxAge / time.Second),
		Secure: r.Scheme() == "https", SameSite: http.SameSiteLaxMode, // Strict would not come back with the person
	})
	return ishaa.Redirect(e.config.AuthCodeURL(state, params...)).WithHeader("Cache-Control", "no-store"), nil
}

// Finish finds out who has come back. A sign-in that failed is an error that is
// answered by 400 or 403, a provider that cannot be asked by 503. The error that
// errors.As finds as an *ishaa.Problem has a text for people; the rest is for the
// log.
func (p *Provider) Finish(r *ishaa.Request) (*Person, error) {
	r.Response().Header().Set("Cache-Control", "no-store") // the address has the code in it
	query := r.QueryValues()
	for _, name := range []string{"state", "code", "error", "iss"} {
		if len(query[name]) > 1 {
			return nil, refuse("the answer has several values of %q", name)
		}
	}
	flow, err := p.take(r, query.Get("state"))
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	e, err := p.endpoint(ctx)
	if err != nil {
		return nil, p.away(err)
	}
	if iss, given := query["iss"]; e.issuer != "" && (given || e.namesIssuer) && (!given || iss[0] != e.issuer) {
		return nil, refuse("the answer is from another issuer") // RFC 9207
	}
	switch code := query.Get("error"); {
	case code == "access_denied":
		return nil, ishaa.Forbidden("the sign-in was cancelled").Wrap(errors.New("auth: the provider says access_denied"))
	case query.Has("error"):
		return nil, refuse("the provider says %q", brief(code))
	case query.Get("code") == "":
		return nil, refuse("the answer has no code")
	}
	if effect.Intend(ctx, effect.Intent{Kind: "http", Target: e.config.Endpoint.TokenURL, Detail: "exchange a code"}) {
		return nil, errors.New("auth: a shadow does not sign anybody in")
	}
	token, err := p.exchange(ctx, e, query.Get("code"), flow.Verifier)
	if err != nil {
		return nil, err
	}
	person, err := p.identify(p.withClient(ctx), e, token, flow.Nonce)
	if err != nil {
		return nil, err
	}
	if person == nil || person.Subject == "" {
		return nil, refuse("the provider does not say who it is")
	}
	person.Next, person.Token = flow.Next, token
	return person, nil
}

// take finds the sign-in that a state belongs to, once, in the browser that began
// it.
func (p *Provider) take(r *ishaa.Request, state string) (*begun, error) {
	browser, _ := r.Cookie(p.cookieName(r))
	if len(state) != randomTextLength || len(browser) != randomTextLength {
		return nil, refuse("the state or the cookie is missing")
	}
	key := p.key(state)
	data, err := p.kv.Get(r.Context(), key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse("there is no sign-in of this state: it is over, or took too long")
	}
	if err != nil {
		return nil, storeAway(err)
	}
	var flow begun
	if err := json.Unmarshal(data, &flow); err != nil {
		return nil, refuse("the sign-in in the store is damaged")
	}
	if subtle.ConstantTimeCompare([]byte(flow.Browser), []byte(digestText(browser))) != 1 {
		return nil, refuse("it was begun in another browser") // and goes on there
	}
	done, err := p.kv.CompareAndSwap(r.Context(), key, data, nil, 0)
	switch {
	case err != nil:
		return nil, storeAway(err)
	case !done:
		return nil, refuse("the answer was used already")
	case flow.Provider != p.id:
		return nil, refuse("it was begun at another provider") // a mix-up (RFC 9700 §4.4)
	case !p.now(r).Before(flow.Until):
		return nil, refuse("it took too long")
	}
	return &flow, nil
}

// exchange gets the token for a code. What the provider answers may have secrets in
// it: of an error only the code is kept.
func (p *Provider) exchange(ctx context.Context, e *endpoint, code, verifier string) (*oauth2.Token, error) {
	token, err := e.config.Exchange(p.withClient(ctx), code, oauth2.VerifierOption(verifier))
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &answer) && answer.Response.StatusCode >= 500:
		return nil, p.away(fmt.Errorf("its token endpoint answers %d", answer.Response.StatusCode))
	case errors.As(err, &answer):
		return nil, refuse("the token endpoint answers %d %q", answer.Response.StatusCode, brief(answer.ErrorCode))
	case err != nil:
		return nil, p.away(err)
	}
	return token, nil
}

func (p *Provider) withClient(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, p.options.Client)
}

// refuse is answered by 400. The reason is for the log.
func refuse(format string, args ...any) error {
	return fmt.Errorf("auth: %w: "+format, append([]any{ishaa.BadRequest("this sign-in is over, or was begun in another browser; please sign in again")}, args...)...)
}

// away is answered by 503.
func (p *Provider) away(err error) error {
	problem := ishaa.Unavailable("the site to sign in at cannot be reached; try again in a moment").WithHeader("Retry-After", "10")
	return fmt.Errorf("auth: %w: %s: %s", problem, p.id, brief(err.Error()))
}

// brief bounds what others say in errors.
func brief(text string) string {
	if len(text) > 300 {
		return text[:300] + "…"
	}
	return text
}

func (p *Provider) key(state string) string { return p.options.Prefix + ":" + digestText(state) }

func (p *Provider) now(r *ishaa.Request) time.Time { return timeOf(r.Context(), p.options.Clock) }

func (p *Provider) cookieName(r *ishaa.Request) string {
	if r.Scheme() == "https" {
		return "__Host-" + p.options.Cookie
	}
	return p.options.Cookie
}

const randomTextLength = 43

func randomText() string { return base64.RawURLEncoding.EncodeToString(randomBytes(32)) }

func digestText(text string) string {
	digest := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}
