package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/ishaa-framework/ishaa/ishaatest"
)

// idp is a small OpenID provider on loopback. What it does can be changed, to make
// it, or somebody between, misbehave.
type idp struct {
	server *httptest.Server
	key    *rsa.PrivateKey
	clock  *ishaatest.Clock

	mu       sync.Mutex
	codes    map[string]url.Values // authorization requests by code
	begun    int
	issued   int    // tokens
	verifier string // that the client showed last
	asked    int    // for its configuration

	metadata func(map[string]any)
	token    func(map[string]any)                    // changes the answer of the token endpoint
	claims   func(jwt.MapClaims)                     // changes the ID token's
	sign     func(header, claims string) string      // signs it in another way
	answer   func(w http.ResponseWriter) (done bool) // answers in place of the token endpoint
}

var otherRSAKey = sync.OnceValue(func() *rsa.PrivateKey { return made(rsa.GenerateKey(rand.Reader, 2048)) })

func newIDP(t testing.TB, clock *ishaatest.Clock) *idp {
	t.Helper()
	p := &idp{key: rsaKey(), clock: clock, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.configuration)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("POST /token", p.exchange)
	mux.HandleFunc("GET /user", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" {
			w.WriteHeader(401)
			return
		}
		fmt.Fprint(w, `{"id":7}`)
	})
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

func (p *idp) configuration(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	p.asked++
	p.mu.Unlock()
	url := p.server.URL
	doc := map[string]any{
		"issuer": url, "authorization_endpoint": url + "/authorize", "token_endpoint": url + "/token", "jwks_uri": url + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
	}
	if p.metadata != nil {
		p.metadata(doc)
	}
	_ = json.NewEncoder(w).Encode(doc)
}

func (p *idp) keys(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, `{"keys":[{"kty":"RSA","kid":"k1","use":"sig","alg":"RS256","n":%q,"e":%q}]}`,
		base64.RawURLEncoding.EncodeToString(p.key.N.Bytes()), base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.key.E)).Bytes()))
}

// authorize is what happens at the provider: ann signs in, and a code is made.
func (p *idp) authorize(t testing.TB, location string) (code, state string) {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, p.server.URL+"/authorize?") {
		t.Fatalf("the browser is sent to %q", location)
	}
	q := u.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != "shop" || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) != 43 {
		t.Fatalf("the request is %v", q)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun++
	code = fmt.Sprint("code-", p.begun)
	p.codes[code] = q
	return code, q.Get("state")
}

func (p *idp) exchange(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answer != nil && p.answer(w) {
		return
	}
	_ = r.ParseForm()
	asked, ok := p.codes[r.Form.Get("code")]
	p.verifier = r.Form.Get("code_verifier")
	challenge := sha256.Sum256([]byte(p.verifier))
	name, password, _ := r.BasicAuth()
	if !ok || asked.Get("redirect_uri") != r.Form.Get("redirect_uri") || name != "shop" || password != "hush" ||
		asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(400)
		fmt.Fprint(w, `{"error":"invalid_grant","error_description":"secret: hunter2"}`)
		return
	}
	delete(p.codes, r.Form.Get("code"))
	p.issued++
	now := p.clock.Now()
	claims := jwt.MapClaims{
		"iss": p.server.URL, "sub": "ann-1", "aud": "shop", "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(),
		"nonce": asked.Get("nonce"), "email": "ann@shop.example", "email_verified": true, "name": "Ann",
	}
	if p.claims != nil {
		p.claims(claims)
	}
	text := string(made(json.Marshal(claims)))
	const header = `{"alg":"RS256","kid":"k1","typ":"JWT"}`
	signed := sign(jwt.SigningMethodRS256, p.key, header, text)
	if p.sign != nil {
		signed = p.sign(header, text)
	}
	answer := map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 3600, "id_token": signed}
	if p.token != nil {
		p.token(answer)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}
