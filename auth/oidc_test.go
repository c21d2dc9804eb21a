package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/store"
)

// shop is an application that people sign in to there.
type shop struct {
	app      *ishaa.App
	idp      *idp
	provider *Provider
	clock    *ishaatest.Clock
	kv       store.KV
	log      *strings.Builder
}

func shopOptions() ProviderOptions {
	return ProviderOptions{ClientID: "shop", ClientSecret: "hush", RedirectURL: "https://shop.example/done"}
}

func newShop(t testing.TB) *shop {
	t.Helper()
	clock := clockAt(start)
	s := &shop{idp: newIDP(t, clock), clock: clock, kv: memoryKV(clock), log: &strings.Builder{}}
	options := shopOptions()
	options.Client = s.idp.server.Client()
	s.provider = NewOIDC(s.kv, s.idp.server.URL, options)
	s.app = ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.NewTextHandler(s.log, nil))})
	s.app.SetClock(clock)
	s.serve("/login", "/done", s.provider)
	return s
}

func (s *shop) serve(begin, done string, provider *Provider) {
	s.app.Get(begin, provider.Begin)
	s.app.Get(done, func(r *ishaa.Request) (any, error) {
		person, err := provider.Finish(r)
		if err != nil {
			return nil, err
		}
		r.Logger().Info("signed in", "person", person, "also", fmt.Sprintf("%v %+v %#v", person, person, person))
		return ishaa.RedirectLocal(person.Next, "/").WithHeader("X-Person", person.Issuer+" "+person.Subject+" "+person.Email+" "+fmt.Sprint(person.EmailVerified)), nil
	})
}

// get visits a page with a browser's cookie.
func (s *shop) get(path, cookie string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "signin", Value: cookie})
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	return w
}

// begin goes as far as the provider, and returns the browser's cookie and what it
// comes back with.
func (s *shop) begin(t testing.TB, path, cookie string) (string, url.Values) {
	t.Helper()
	w := s.get(path, cookie)
	if w.Code != 303 || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%s: status %d, %v: %s", path, w.Code, w.Header(), w.Body)
	}
	code, state := s.idp.authorize(t, w.Header().Get("Location"))
	return w.Result().Cookies()[0].Value, url.Values{"code": {code}, "state": {state}, "iss": {s.idp.server.URL}}
}

func (s *shop) done(cookie string, answer url.Values) *httptest.ResponseRecorder {
	return s.get("/done?"+answer.Encode(), cookie)
}

func TestOIDC(t *testing.T) {
	s := newShop(t)
	cookie, answer := s.begin(t, "/login?next=/cart%3Fx%3D1", "")
	w := s.done(cookie, answer)
	if w.Code != 303 || w.Header().Get("Location") != "/cart?x=1" || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("status %d, %v: %s\n%s", w.Code, w.Header(), w.Body, s.log)
	}
	if got, want := w.Header().Get("X-Person"), s.idp.server.URL+" ann-1 ann@shop.example true"; got != want {
		t.Errorf("the person is %q", got)
	}
	for _, secret := range []string{"access", "hush", answer.Get("code") + " ", answer.Get("state"), s.idp.verifier, cookie} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, s.log)
		}
	}
	t.Run("two tabs of one browser", func(t *testing.T) {
		first, one := s.begin(t, "/login?next=/one", "")
		second, two := s.begin(t, "/login?next=/two", first)
		if first != second {
			t.Error("the second tab takes the cookie of the first away")
		}
		if w := s.done(first, one); w.Header().Get("Location") != "/one" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
		if w := s.done(first, two); w.Header().Get("Location") != "/two" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
	})
	t.Run("the cookie", func(t *testing.T) {
		for _, c := range []struct {
			tls  bool
			name string
		}{{false, "signin"}, {true, "__Host-signin"}} {
			var options []ishaatest.Option
			if c.tls {
				options = append(options, ishaatest.TLS())
			}
			set := ishaatest.New(t, s.app, options...).Get("/login").Status(303).Cookie(c.name)
			if set.Secure != c.tls || !set.HttpOnly || set.SameSite != http.SameSiteLaxMode || set.Path != "/" || set.MaxAge != 600 || len(set.Value) != 43 {
				t.Errorf("%+v", set)
			}
		}
	})
	if s.idp.asked != 1 {
		t.Errorf("the provider's configuration was asked for %d times", s.idp.asked)
	}
}

// What is stored meanwhile opens nothing by itself.
func TestOIDCStore(t *testing.T) {
	s := newShop(t)
	cookie, answer := s.begin(t, "/login", "")
	kept := 0
	for key, err := range s.kv.Scan(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		value := made(s.kv.Get(context.Background(), key))
		if text := key + string(value); strings.Contains(text, cookie) || strings.Contains(text, answer.Get("state")) {
			t.Errorf("the store has the cookie or the state: %s", text)
		}
		kept++
	}
	if w := s.done(cookie, answer); kept != 1 || w.Code != 303 {
		t.Errorf("%d keys, status %d", kept, w.Code)
	}
	for key := range s.kv.Scan(context.Background(), "") {
		t.Errorf("%s is left", key)
	}
}

// Every way in which an answer, a token or a provider can be wrong ends in a
// refusal, and nobody is signed in.
func TestOIDCAttacks(t *testing.T) {
	type attack struct {
		name   string
		status int // 400 unless it says otherwise
		before func(s *shop)
		way    func(t *testing.T, s *shop, cookie *string, answer url.Values)
	}
	claim := func(name string, value any) func(*shop) {
		return func(s *shop) {
			s.idp.claims = func(c jwt.MapClaims) {
				if c[name] = value; value == nil {
					delete(c, name)
				}
			}
		}
	}
	signed := func(by func(s *shop, header, claims string) string) func(*shop) {
		return func(s *shop) {
			s.idp.sign = func(header, claims string) string { return by(s, header, claims) }
		}
	}
	token := func(change func(map[string]any)) func(*shop) { return func(s *shop) { s.idp.token = change } }
	respond := func(status int, contentType, body string) func(*shop) {
		return func(s *shop) {
			s.idp.answer = func(w http.ResponseWriter) bool {
				w.Header().Set("Content-Type", contentType)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
				return true
			}
		}
	}
	set := func(name string, values ...string) func(*testing.T, *shop, *string, url.Values) {
		return func(_ *testing.T, _ *shop, _ *string, answer url.Values) { answer[name] = values }
	}
	at := start.Unix()
	attacks := []attack{
		// The way back.
		{name: "no state", way: set("state")},
		{name: "another state", way: set("state", strings.Repeat("A", 43))},
		{name: "a short state", way: set("state", "x")},
		{name: "two states", way: func(_ *testing.T, _ *shop, _ *string, a url.Values) {
			a["state"] = append(a["state"], a["state"][0])
		}},
		{name: "no code", way: set("code")},
		{name: "an empty code", way: set("code", "")},
		{name: "two codes", way: set("code", "code1", "code2")},
		{name: "a code that is nobody's", way: set("code", "guessed")},
		{name: "a code and an error", way: set("error", "server_error")},
		{name: "cancelled", status: 403, way: set("error", "access_denied")},
		{name: "an error with markup", way: set("error", "<script>alert(1)</script>\r\nX: y")},
		{name: "another issuer (RFC 9207)", way: set("iss", "https://evil.example")},
		{name: "an empty issuer", way: set("iss", "")},
		{name: "no issuer where there has to be one", before: func(s *shop) {
			s.idp.metadata = func(m map[string]any) { m["authorization_response_iss_parameter_supported"] = true }
		}, way: set("iss")},
		{name: "no cookie: a victim's browser (login CSRF)", way: func(_ *testing.T, _ *shop, cookie *string, _ url.Values) { *cookie = "" }},
		{name: "the cookie of another browser", way: func(t *testing.T, s *shop, cookie *string, _ url.Values) { *cookie, _ = s.begin(t, "/login", "") }},
		{name: "a cookie of the attacker's choice", way: func(_ *testing.T, _ *shop, cookie *string, _ url.Values) { *cookie = strings.Repeat("A", 43) }},
		{name: "after ten minutes", way: func(_ *testing.T, s *shop, _ *string, _ url.Values) { s.clock.Advance(10 * time.Minute) }},
		{name: "the whole answer again", way: func(t *testing.T, s *shop, cookie *string, answer url.Values) {
			if w := s.done(*cookie, answer); w.Code != 303 {
				t.Fatalf("the first time: %d", w.Code)
			}
		}},
		{name: "a used code with a fresh state", way: func(t *testing.T, s *shop, cookie *string, answer url.Values) {
			if w := s.done(*cookie, answer); w.Code != 303 {
				t.Fatalf("the first time: %d", w.Code)
			}
			_, fresh := s.begin(t, "/login", *cookie)
			answer["state"] = fresh["state"]
		}},
		{name: "a code of another browser, injected (PKCE)", way: func(t *testing.T, s *shop, _ *string, answer url.Values) {
			_, stolen := s.begin(t, "/login", "")
			answer["code"] = stolen["code"]
		}},
		{name: "begun at another provider (mix-up)", way: func(t *testing.T, s *shop, cookie *string, answer url.Values) {
			answer["state"] = []string{randomText()}
			flow := begun{Provider: "https://evil.example shop", Browser: digestText(*cookie), Nonce: "n", Verifier: "v", Until: start.Add(time.Hour)}
			if err := s.kv.Set(context.Background(), s.provider.key(answer.Get("state")), made(json.Marshal(flow)), time.Hour); err != nil {
				t.Fatal(err)
			}
		}},

		// The ID token.
		{name: "another nonce", before: claim("nonce", "replayed")},
		{name: "no nonce", before: claim("nonce", nil)},
		{name: "another audience", before: claim("aud", "another-client")},
		{name: "no audience", before: claim("aud", nil)},
		{name: "several audiences without a party", before: claim("aud", []string{"shop", "evil"})},
		{name: "another party", before: claim("azp", "evil")},
		{name: "the token's issuer is another", before: claim("iss", "https://evil.example")},
		{name: "no issuer in the token", before: claim("iss", nil)},
		{name: "the issuer with a slash", before: func(s *shop) {
			s.idp.claims = func(c jwt.MapClaims) { c["iss"] = s.idp.server.URL + "/" }
		}},
		{name: "expired", before: claim("exp", at-1)},
		{name: "no expiry", before: claim("exp", nil)},
		{name: "issued in the future", before: claim("iat", at+3600)},
		{name: "not yet valid", before: claim("nbf", at+3600)},
		{name: "no subject", before: claim("sub", nil)},
		{name: "an empty subject", before: claim("sub", "")},
		{name: "a subject that is a number", before: claim("sub", 7)},
		{name: "a huge subject", before: claim("sub", strings.Repeat("x", 256))},
		{name: "the hash of another access token", before: claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
		{name: "alg none", before: signed(func(_ *shop, _, claims string) string { return b64(`{"alg":"none"}`) + "." + b64(claims) + "." })},
		{name: "alg NONE with a signature", before: signed(func(_ *shop, _, claims string) string { return b64(`{"alg":"NONE"}`) + "." + b64(claims) + ".AA" })},
		{name: "HS256 with the public key", before: signed(func(s *shop, _, claims string) string {
			return sign(jwt.SigningMethodHS256, s.idp.key.N.Bytes(), `{"alg":"HS256","kid":"k1"}`, claims)
		})},
		{name: "HS256 with the client's secret", before: signed(func(_ *shop, _, claims string) string {
			return sign(jwt.SigningMethodHS256, []byte("hush"), `{"alg":"HS256"}`, claims)
		})},
		{name: "another key", before: signed(func(_ *shop, header, claims string) string {
			return sign(jwt.SigningMethodRS256, otherRSAKey(), header, claims)
		})},
		{name: "another key that the header brings along", before: signed(func(_ *shop, _, claims string) string {
			n := base64.RawURLEncoding.EncodeToString(otherRSAKey().N.Bytes())
			return sign(jwt.SigningMethodRS256, otherRSAKey(), `{"alg":"RS256","kid":"k1","jwk":{"kty":"RSA","n":"`+n+`","e":"AQAB"}}`, claims)
		})},
		{name: "a key at an address of the header's", before: signed(func(s *shop, _, claims string) string {
			return sign(jwt.SigningMethodRS256, otherRSAKey(), `{"alg":"RS256","kid":"k2","jku":"`+s.idp.server.URL+`/keys"}`, claims)
		})},
		{name: "claims changed after signing", before: signed(func(s *shop, header, claims string) string {
			parts := strings.Split(sign(jwt.SigningMethodRS256, s.idp.key, header, claims), ".")
			return parts[0] + "." + b64(strings.Replace(claims, "ann-1", "bob-1", 1)) + "." + parts[2]
		})},
		{name: "no signature", before: signed(func(_ *shop, header, claims string) string { return b64(header) + "." + b64(claims) + "." })},
		{name: "the subject twice", before: signed(func(s *shop, header, claims string) string {
			return sign(jwt.SigningMethodRS256, s.idp.key, header, `{"sub":"bob-1",`+claims[1:])
		})},
		{name: "the subject twice, in another case", before: signed(func(s *shop, header, claims string) string {
			return sign(jwt.SigningMethodRS256, s.idp.key, header, `{"SUB":"bob-1",`+claims[1:])
		})},
		{name: "a critical header that nobody knows", before: signed(func(s *shop, _, claims string) string {
			return sign(jwt.SigningMethodRS256, s.idp.key, `{"alg":"RS256","kid":"k1","crit":["x"],"x":1}`, claims)
		})},
		{name: "the JSON form of a signature", before: signed(func(s *shop, header, claims string) string {
			parts := strings.Split(sign(jwt.SigningMethodRS256, s.idp.key, header, claims), ".")
			return `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`
		})},
		{name: "dots", before: signed(func(*shop, string, string) string { return strings.Repeat(".", 10_000) })},
		{name: "no ID token", before: token(func(m map[string]any) { delete(m, "id_token") })},
		{name: "an ID token that is no text", before: token(func(m map[string]any) { m["id_token"] = 7 })},

		// The token endpoint.
		{name: "refused with a secret in the text", before: respond(400, "application/json", `{"error":"invalid_request","error_description":"hunter2"}`)},
		{name: "refused without a word", before: respond(401, "text/plain", "hunter2")},
		{name: "broken", status: 503, before: respond(500, "text/plain", "hunter2")},
		{name: "no JSON", status: 503, before: respond(200, "application/json", "hunter2")},
		{name: "no access token", before: token(func(m map[string]any) { delete(m, "access_token") })},
		{name: "endless", status: 503, before: respond(200, "application/json", `{"access_token":"`+strings.Repeat("x", 3<<20))},
		{name: "a redirect that would take the code along", status: 503, before: func(s *shop) {
			s.idp.answer = func(w http.ResponseWriter) bool {
				w.Header().Set("Location", s.idp.server.URL+"/user")
				w.WriteHeader(307)
				return true
			}
		}},
	}
	if len(attacks) < 60 {
		t.Errorf("there are %d attacks", len(attacks))
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			s := newShop(t)
			if a.before != nil {
				a.before(s)
			}
			cookie, answer := s.begin(t, "/login", "")
			if a.way != nil {
				a.way(t, s, &cookie, answer)
			}
			w := s.done(cookie, answer)
			if a.status == 0 {
				a.status = 400
			}
			if w.Code != a.status || w.Header().Get("X-Person") != "" {
				t.Errorf("status %d, want %d, person %q: %s", w.Code, a.status, w.Header().Get("X-Person"), w.Body)
			}
			for _, text := range []string{w.Body.String(), s.log.String()} {
				for _, secret := range []string{"hunter2", "hush", "<script>", "\r\nX: y"} {
					if strings.Contains(text, secret) {
						t.Errorf("%q shows in %s", secret, text)
					}
				}
			}
		})
	}
}

// Answers that a provider may give and that are right.
func TestOIDCAccepts(t *testing.T) {
	for name, before := range map[string]func(*shop){
		"several audiences with our party": func(s *shop) {
			s.idp.claims = func(c jwt.MapClaims) { c["aud"], c["azp"] = []string{"shop", "api"}, "shop" }
		},
		"the access token's hash": func(s *shop) {
			s.idp.claims = func(c jwt.MapClaims) {
				digest := sha256.Sum256([]byte("access"))
				c["at_hash"] = base64.RawURLEncoding.EncodeToString(digest[:16])
			}
		},
		"a clock that is a little ahead": func(s *shop) { s.idp.claims = func(c jwt.MapClaims) { c["iat"] = start.Unix() + 60 } },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			before(s)
			cookie, answer := s.begin(t, "/login", "")
			if w := s.done(cookie, answer); w.Code != 303 {
				t.Errorf("status %d: %s\n%s", w.Code, w.Body, s.log)
			}
		})
	}
	for verified, want := range map[any]string{true: "true", "true": "true", false: "false", "false": "false", 1: "false", nil: "false"} {
		s := newShop(t)
		s.idp.claims = func(c jwt.MapClaims) { c["email_verified"] = verified }
		cookie, answer := s.begin(t, "/login", "")
		if got := s.done(cookie, answer).Header().Get("X-Person"); !strings.HasSuffix(got, " "+want) {
			t.Errorf("email_verified %v: %q", verified, got)
		}
	}
}

// The address to go to afterwards is one of this site, whatever the request says.
func TestOIDCNext(t *testing.T) {
	s := newShop(t)
	for next, want := range map[string]string{
		"/cart": "/cart", "": "/", "https://evil.example": "/", "//evil.example": "/", "/\\evil.example": "/", "/\t/evil.example": "/",
		"javascript:alert(1)": "/", "evil.example": "/", "/.//evil.example": "/", "\x00//evil.example": "/", "/" + strings.Repeat("x", 2048): "/",
		"/a?b=https://evil.example": "/a?b=https://evil.example",
	} {
		cookie, answer := s.begin(t, "/login?next="+url.QueryEscape(next), "")
		answer.Set("next", "https://evil.example")
		if got := s.done(cookie, answer).Header().Get("Location"); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

// An answer to one provider does not count at another, though both are the
// application's.
func TestOIDCMixUp(t *testing.T) {
	s := newShop(t)
	evil := newIDP(t, s.clock)
	options := shopOptions()
	options.Client = evil.server.Client()
	s.serve("/evil/login", "/evil/done", NewOIDC(s.kv, evil.server.URL, options))
	cookie, answer := s.begin(t, "/login", "") // a code of the honest provider …
	answer.Del("iss")
	w := s.get("/evil/done?"+answer.Encode(), cookie) // … at the handler of the other
	if w.Code != 400 || evil.verifier != "" || evil.issued != 0 {
		t.Errorf("status %d; the other provider was shown %q", w.Code, evil.verifier)
	}
}

// Of answers that come at the same time one counts.
func TestOIDCParallelAnswers(t *testing.T) {
	s := newShop(t)
	s.app = ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	s.app.SetClock(s.clock)
	s.serve("/login", "/done", s.provider)
	cookie, answer := s.begin(t, "/login", "")
	codes := make([]int, 12)
	var wg sync.WaitGroup
	for i := range codes {
		wg.Go(func() { codes[i] = s.done(cookie, answer).Code })
	}
	wg.Wait()
	signedIn := 0
	for _, code := range codes {
		if code == 303 {
			signedIn++
		}
	}
	if signedIn != 1 || s.idp.issued != 1 {
		t.Errorf("the answers are %v, %d tokens", codes, s.idp.issued)
	}
}

func TestOIDCAway(t *testing.T) {
	t.Run("the provider", func(t *testing.T) {
		for name, change := range map[string]func(m map[string]any){
			"another issuer":        func(m map[string]any) { m["issuer"] = "https://evil.example" },
			"a token endpoint":      func(m map[string]any) { m["token_endpoint"] = "http://evil.example/token" },
			"no keys":               func(m map[string]any) { delete(m, "jwks_uri") },
			"an odd authorization":  func(m map[string]any) { m["authorization_endpoint"] = "javascript:alert(1)" },
			"a name and a password": func(m map[string]any) { m["token_endpoint"] = "https://a:b@evil.example/" },
		} {
			t.Run(name, func(t *testing.T) {
				s := newShop(t)
				s.idp.metadata = change
				for range 5 {
					if w := s.get("/login", ""); w.Code != 503 || w.Header().Get("Retry-After") == "" {
						t.Errorf("status %d: %s", w.Code, w.Body)
					}
				}
				if s.idp.asked != 1 {
					t.Errorf("asked %d times", s.idp.asked)
				}
				s.idp.metadata = nil
				s.clock.Advance(discoveryPause)
				s.begin(t, "/login", "")
			})
		}
	})
	t.Run("the store", func(t *testing.T) {
		s := newShop(t)
		down := &flaky{KV: s.kv}
		s.provider.kv = down
		cookie, answer := s.begin(t, "/login", "")
		down.down.Store(true)
		if w := s.get("/login", ""); w.Code != 503 {
			t.Errorf("begin: %d", w.Code)
		}
		if w := s.done(cookie, answer); w.Code != 503 {
			t.Errorf("finish: %d", w.Code)
		}
		down.down.Store(false)
		if w := s.done(cookie, answer); w.Code != 303 {
			t.Errorf("back again: %d", w.Code)
		}
	})
}

// A shadow neither asks the provider nor uses the code up.
func TestOIDCShadow(t *testing.T) {
	s := newShop(t)
	cookie, answer := s.begin(t, "/login", "")
	var intents []string
	shadow := effect.WithShadow(context.Background(), effect.RecorderFunc(func(i effect.Intent) { intents = append(intents, i.Kind) }))
	r := httptest.NewRequest("GET", "/done?"+answer.Encode(), nil).WithContext(shadow)
	r.AddCookie(&http.Cookie{Name: "signin", Value: cookie})
	s.app.ServeHTTP(httptest.NewRecorder(), r)
	if s.idp.issued != 0 || fmt.Sprint(intents) != "[store http]" {
		t.Errorf("%d tokens, intents %v", s.idp.issued, intents)
	}
	if w := s.done(cookie, answer); w.Code != 303 {
		t.Errorf("status %d", w.Code)
	}
}

func TestOAuth2(t *testing.T) {
	s := newShop(t)
	options := shopOptions()
	options.Client, options.RedirectURL = s.idp.server.Client(), "http://127.0.0.1:8000/hub/done"
	options.Params = map[string]string{"prompt": "consent"}
	at := oauth2.Endpoint{AuthURL: s.idp.server.URL + "/authorize", TokenURL: s.idp.server.URL + "/token", AuthStyle: oauth2.AuthStyleInHeader}
	fail := error(nil)
	s.serve("/hub/login", "/hub/done", NewOAuth2(s.kv, at, func(ctx context.Context, client *http.Client) (*Person, error) {
		if fail != nil {
			return nil, fail
		}
		answer, err := client.Get(s.idp.server.URL + "/user")
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		var user struct{ ID int }
		if err := json.NewDecoder(answer.Body).Decode(&user); err != nil || user.ID == 0 {
			return nil, err
		}
		return &Person{Subject: fmt.Sprint(user.ID)}, nil
	}, options))
	begin := func() (string, url.Values) {
		w := s.get("/hub/login?next=/x", "")
		location := w.Header().Get("Location")
		if strings.Contains(location, "nonce=") || !strings.Contains(location, "prompt=consent") {
			t.Errorf("the browser is sent to %s", location)
		}
		code, state := s.idp.authorize(t, location)
		return w.Result().Cookies()[0].Value, url.Values{"code": {code}, "state": {state}}
	}
	cookie, answer := begin()
	w := s.get("/hub/done?"+answer.Encode(), cookie)
	if w.Code != 303 || w.Header().Get("Location") != "/x" || w.Header().Get("X-Person") != s.idp.server.URL+"/authorize 7  false" {
		t.Errorf("status %d, %v: %s", w.Code, w.Header(), w.Body)
	}
	s.idp.token = func(m map[string]any) { m["access_token"] = "other" }
	cookie, answer = begin()
	if w := s.get("/hub/done?"+answer.Encode(), cookie); w.Code != 400 && w.Code != 500 {
		t.Errorf("nobody: status %d", w.Code)
	}
	fail = errors.New("the API is away")
	cookie, answer = begin()
	if w := s.get("/hub/done?"+answer.Encode(), cookie); w.Code != 500 {
		t.Errorf("a failure: status %d", w.Code)
	}
}

// The client that has a person's token takes it nowhere else.
func TestOAuth2ClientFollowsNoRedirect(t *testing.T) {
	leaked := false
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked = true }))
	defer thief.Close()
	api := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusFound))
	defer api.Close()
	p := newProvider(memoryKV(clockAt(start)), "NewOAuth2", "x", shopOptions())
	config := p.config(oauth2.Endpoint{})
	client := config.Client(p.withClient(context.Background()), &oauth2.Token{AccessToken: "access", Expiry: time.Now().Add(time.Hour)})
	answer, err := client.Get(api.URL)
	if err == nil {
		answer.Body.Close()
	}
	if leaked || !errors.Is(err, errRedirected) {
		t.Errorf("leaked %v, %v", leaked, err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestProviderMistakes(t *testing.T) {
	kv := memoryKV(clockAt(start))
	with := func(change func(*ProviderOptions)) ProviderOptions {
		options := shopOptions()
		change(&options)
		return options
	}
	for want, fn := range map[string]func(){
		"store.Open": func() { NewOIDC(nil, "https://idp.example", shopOptions()) },
		"ClientID":   func() { NewOIDC(kv, "https://idp.example", with(func(o *ProviderOptions) { o.ClientID = "" })) },
		"http://shop.example": func() {
			NewOIDC(kv, "https://idp.example", with(func(o *ProviderOptions) { o.RedirectURL = "http://shop.example/done" }))
		},
		"RedirectURL \"/done\"": func() { NewOIDC(kv, "https://idp.example", with(func(o *ProviderOptions) { o.RedirectURL = "/done" })) },
		"http://idp.example":    func() { NewOIDC(kv, "http://idp.example", shopOptions()) },
		"\"openid\"": func() {
			NewOIDC(kv, "https://idp.example", with(func(o *ProviderOptions) { o.Scopes = []string{"email"} }))
		},
		"address \"\"": func() { NewOAuth2(kv, oauth2.Endpoint{}, nil, shopOptions()) },
		"finds out who it is": func() {
			NewOAuth2(kv, oauth2.Endpoint{AuthURL: "https://a.example", TokenURL: "https://a.example"}, nil, shopOptions())
		},
	} {
		mustContain(t, panicText(fn), want, "oidc_test.go")
	}
}
