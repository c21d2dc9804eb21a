package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

func TestJWKSOut(t *testing.T) {
	for _, c := range []struct {
		name string
		keys Keys
		alg  []string
	}{
		{"one key", ES256(ecKey()), []string{"ES256"}},
		{"keys in rotation", Rotate(RS256(rsaKey()), ES256(ecKey()), EdDSA(ed25519Key())), []string{"RS256", "ES256", "EdDSA"}},
		{"a secret", HS256(secret), nil},
		{"a public key", RS256(&rsaKey().PublicKey).WithID("x"), []string{"RS256"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := ishaa.New("id")
			app.Get("/jwks.json", JWT(c.keys).JWKS)
			res := ishaatest.New(t, app).Get("/jwks.json").Status(200).
				Header("Content-Type", "application/jwk-set+json").Header("Cache-Control", "public, max-age=300")
			var set struct{ Keys []map[string]any }
			if err := json.Unmarshal(res.Bytes(), &set); err != nil {
				t.Fatal(err)
			}
			if len(set.Keys) != len(c.alg) || set.Keys == nil {
				t.Fatalf("%d keys: %s", len(set.Keys), res.Text())
			}
			for i, key := range set.Keys {
				if key["alg"] != c.alg[i] || key["use"] != "sig" || key["kid"] != c.keys.own()[i].ID() {
					t.Errorf("key %d is %v", i, key)
				}
				for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k", "oth"} {
					if _, ok := key[private]; ok {
						t.Errorf("key %d has the private member %s", i, private)
					}
				}
			}
			parsed, err := parseJWKS(res.Bytes(), []string{"RS256", "ES256", "EdDSA"})
			if err != nil || len(parsed) != len(c.alg) {
				t.Errorf("it is read as %v, %v", parsed, err)
			}
		})
	}
}

func TestParseJWKS(t *testing.T) {
	member := func(public any, more string) string {
		return strings.TrimSuffix(string(made(json.Marshal(publicJWK(public)))), "}") + more + "}"
	}
	rs, es, ed := &rsaKey().PublicKey, &ecKey().PublicKey, ed25519Key().Public()
	for _, c := range []struct {
		name, key string
		used      bool
	}{
		{"RSA", member(rs, ""), true}, {"EC", member(es, ""), true}, {"Ed25519", member(ed, ""), true},
		{"all that a provider writes", member(rs, `,"kid":"a","use":"sig","alg":"RS256","x5t":"x","x5c":["x"],"key_ops":["verify"]`), true},
		{"for encryption", member(rs, `,"use":"enc"`), false}, {"to sign with", member(rs, `,"key_ops":["sign"]`), false},
		{"another algorithm", member(rs, `,"alg":"RS512"`), false}, {"an algorithm of another kind", member(es, `,"alg":"HS256"`), false},
		{"a secret", `{"kty":"oct","k":"` + b64(string(secret)) + `"}`, false}, {"a secret that says HS256", `{"kty":"oct","alg":"HS256","k":"` + b64(string(secret)) + `"}`, false},
		{"P-384", `{"kty":"EC","crv":"P-384","x":"AAAA","y":"AAAA"}`, false}, {"off the curve", `{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}`, false},
		{"X25519", `{"kty":"OKP","crv":"X25519","x":"` + strings.Repeat("A", 43) + `"}`, false}, {"a short Ed25519", `{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`, false},
		{"a small modulus", `{"kty":"RSA","n":"` + strings.Repeat("A", 100) + `B","e":"AQAB"}`, false}, {"an exponent of 3", strings.Replace(member(rs, ""), "AQAB", "Aw", 1), false},
		{"an exponent of 64 bits", strings.Replace(member(rs, ""), "AQAB", "AQAAAAAAAAAB", 1), false}, {"an exponent past all", strings.Replace(member(rs, ""), "AQAB", strings.Repeat("A", 100), 1), false},
		{"a modulus of 16 KiB", `{"kty":"RSA","n":"` + strings.Repeat("B", 16<<10) + `","e":"AQAB"}`, false}, {"padding", strings.Replace(member(rs, ""), "AQAB", "AQAB=", 1), false},
		{"no kind", `{}`, false}, {"null", `null`, false}, {"text", `"x"`, false}, {"a number for a kid", member(rs, `,"kid":1`), false}, {"a long kid", member(rs, `,"kid":"`+strings.Repeat("a", 300)+`"`), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys, err := parseJWKS([]byte(`{"keys":[`+c.key+`],"other":1}`), []string{"RS256", "ES256", "EdDSA"})
			if err != nil || (len(keys) == 1) != c.used {
				t.Errorf("%v, %v", keys, err)
			}
		})
	}
	if keys, err := parseJWKS([]byte(`{"keys":[`+member(rs, `,"kid":"a"`)+","+member(es, `,"kid":"a"`)+","+member(ed, `,"kid":"b"`)+`]}`), []string{"RS256", "ES256", "EdDSA"}); err != nil || len(keys) != 1 || keys[0].ID() != "b" {
		t.Errorf("of two keys with one id: %v, %v", keys, err)
	}
	if keys, err := parseJWKS([]byte(`{"keys":[`+member(rs, "")+","+member(es, "")+`]}`), []string{"ES256"}); err != nil || len(keys) != 1 || keys[0].Algorithm() != "ES256" {
		t.Errorf("only ES256 is allowed: %v, %v", keys, err)
	}
	for _, text := range []string{"", "null", "[]", "{}", `{"keys":null}`, `{"keys":{}}`, `{"keys":[]}x`, "<html>", `{"keys":[],"keys":[]}`} {
		if keys, err := parseJWKS([]byte(text), []string{"RS256"}); err == nil {
			t.Errorf("%q is a set of keys: %v", text, keys)
		}
	}
}

// provider is a service that publishes keys, and counts how often it is asked.
type provider struct {
	mu      sync.Mutex
	keys    Keys
	answer  func(http.ResponseWriter) // instead, if not nil
	fetches atomic.Int64
}

func (p *provider) set(keys Keys, answer func(http.ResponseWriter)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys, p.answer = keys, answer
}

// RoundTrip is a transport without a network: bubbles of synctest have none.
func (p *provider) RoundTrip(*http.Request) (*http.Response, error) {
	p.fetches.Add(1)
	time.Sleep(time.Millisecond) // on the bubble's clock
	p.mu.Lock()
	defer p.mu.Unlock()
	recorder := httptest.NewRecorder()
	if p.answer != nil {
		p.answer(recorder)
		return recorder.Result(), nil
	}
	if p.keys == nil {
		return nil, errors.New("the network is down")
	}
	data := []byte(`{"keys":[`)
	for i, key := range p.keys.own() {
		k := publicJWK(key.checks)
		k.Kid, k.Alg = key.ID(), key.Algorithm()
		if i > 0 {
			data = append(data, ',')
		}
		data = append(data, made(json.Marshal(k))...)
	}
	recorder.Write(append(data, `]}`...))
	return recorder.Result(), nil
}

func (p *provider) tokens() *Tokens {
	return JWT(RemoteKeys("https://id.example.com/keys", RemoteKeysOptions{Client: &http.Client{Transport: p}}))
}

func decodes(tokens *Tokens, token string) error {
	_, err := Decode[Registered](tokens, token)
	return err
}

func status(err error) int {
	var problem *ishaa.Problem
	if errors.As(err, &problem) {
		return problem.HTTPStatus()
	}
	return 0
}

func TestRemoteKeys(t *testing.T) {
	ec, ed := ES256(ecKey()), EdDSA(ed25519Key())
	synctest.Test(t, func(t *testing.T) {
		p := &provider{keys: ec}
		service := p.tokens()
		year := ExpiresIn(365 * 24 * time.Hour)
		first, second := made(JWT(ec).Encode(struct{}{}, year)), made(JWT(ed).Encode(struct{}{}, year))
		unknown := made(JWT(ES256(ecKey()).WithID("unknown")).Encode(struct{}{}, year))
		step := func(what string, err error, fetches int64, want int) {
			t.Helper()
			if status(err) != want || p.fetches.Load() != fetches {
				t.Errorf("%s: %v after %d fetches, want %d after %d", what, err, p.fetches.Load(), want, fetches)
			}
		}
		step("nothing asked yet", nil, 0, 0)
		step("the first token", decodes(service, first), 1, 0)
		step("again", decodes(service, first), 1, 0)
		step("a kid that is not there, a moment later", decodes(service, unknown), 1, 401)
		time.Sleep(30 * time.Second)
		step("a kid that is not there", decodes(service, unknown), 2, 401)
		for range 100 {
			step("again and again", decodes(service, unknown), 2, 401)
		}
		p.set(Rotate(ed, ec), nil)
		step("the provider's new key, too soon", decodes(service, second), 2, 401)
		time.Sleep(30 * time.Second)
		step("the provider's new key", decodes(service, second), 3, 0)
		step("its old one", decodes(service, first), 3, 0)
		time.Sleep(15 * time.Minute)
		p.set(ed, nil)
		step("the old key is gone", decodes(service, first), 4, 401)
		p.set(nil, nil)
		time.Sleep(15 * time.Minute)
		step("the provider is away", decodes(service, second), 5, 0)
		step("and asked again only later", decodes(service, second), 5, 0)
		step("what is not known is not refused", decodes(service, first), 5, 503)
		time.Sleep(30 * time.Second)
		step("then it is asked again", decodes(service, second), 6, 0)
		time.Sleep(25 * time.Hour)
		step("keys of yesterday are not used", decodes(service, second), 7, 503)
		p.set(ed, nil)
		time.Sleep(30 * time.Second)
		step("the provider is back", decodes(service, second), 8, 0)
	})
}

// A thousand tokens at once cause one fetch.
func TestRemoteKeysAreFetchedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{keys: EdDSA(ed25519Key())}
		service := p.tokens()
		token := made(JWT(EdDSA(ed25519Key())).Encode(struct{}{}))
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				if err := decodes(service, token); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := p.fetches.Load(); n != 1 {
			t.Errorf("%d fetches", n)
		}
	})
}

// A provider that hangs holds up one request, not those whose key is known, and not
// for ever.
func TestRemoteKeysOfAProviderThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := EdDSA(ed25519Key())
		p := &provider{keys: key}
		service := JWT(RemoteKeys("https://id.example.com/keys", RemoteKeysOptions{Client: &http.Client{Transport: hanging{p}}}))
		token := made(JWT(key).Encode(struct{}{}))
		if err := decodes(service, token); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		p.set(nil, nil)
		var held atomic.Int64
		go func() {
			if err := decodes(service, token); err != nil {
				t.Error(err)
			}
			held.Add(1)
		}()
		synctest.Wait()
		before := time.Now()
		for range 10 {
			if err := decodes(service, token); err != nil {
				t.Error(err)
			}
		}
		if !time.Now().Equal(before) || held.Load() != 0 {
			t.Errorf("the others waited %v", time.Since(before))
		}
		time.Sleep(fetchTimeout)
		synctest.Wait()
		if held.Load() != 1 {
			t.Error("the first one still waits")
		}
	})
}

// hanging answers as its provider does, or never when that has no keys.
type hanging struct{ *provider }

func (h hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	away := h.keys == nil
	h.mu.Unlock()
	if away {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return h.provider.RoundTrip(r)
}

func TestRemoteKeysThatAreNone(t *testing.T) {
	token := made(JWT(EdDSA(ed25519Key())).Encode(struct{}{}))
	for name, answer := range map[string]func(http.ResponseWriter){
		"a 500":           func(w http.ResponseWriter) { w.WriteHeader(500) },
		"a redirect":      func(w http.ResponseWriter) { w.Header().Set("Location", "http://127.0.0.1/"); w.WriteHeader(302) },
		"a page":          func(w http.ResponseWriter) { io.WriteString(w, "<html>") },
		"no keys":         func(w http.ResponseWriter) { io.WriteString(w, `{"keys":[]}`) },
		"keys of no use":  func(w http.ResponseWriter) { io.WriteString(w, `{"keys":[{"kty":"oct","k":"AAAA"}]}`) },
		"300 KiB":         func(w http.ResponseWriter) { fmt.Fprintf(w, `{"keys":[],"x":%q}`, strings.Repeat("x", 300<<10)) },
		"nothing":         func(http.ResponseWriter) {},
		"deeply nested":   func(w http.ResponseWriter) { io.WriteString(w, strings.Repeat("[", 100_000)) },
		"duplicate names": func(w http.ResponseWriter) { io.WriteString(w, `{"keys":[],"keys":[]}`) },
	} {
		t.Run(name, func(t *testing.T) {
			p := &provider{answer: answer}
			service := JWT(RemoteKeys("https://id.example.com/keys", RemoteKeysOptions{Client: &http.Client{
				Transport: p, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}}))
			if err := decodes(service, token); status(err) != 503 {
				t.Errorf("Decode: %v", err)
			}
		})
	}
}

// Algorithms that are not on the list are refused before anything is fetched.
func TestRemoteKeysNeverCheckSecrets(t *testing.T) {
	p := &provider{keys: EdDSA(ed25519Key())}
	service := p.tokens()
	for _, token := range []string{hs256(plain, good()), b64(`{"alg":"none"}`) + "." + b64(good()) + "."} {
		if err := decodes(service, token); !errors.Is(err, errAlgorithm) || p.fetches.Load() != 0 {
			t.Errorf("%v after %d fetches", err, p.fetches.Load())
		}
	}
}

// Over a real connection, from one application to another.
func TestRemoteKeysOfAnotherApplication(t *testing.T) {
	issuer := JWT(Rotate(ES256(ecKey()), RS256(rsaKey())), Issuer("https://id.example.com"), Audience("shop"))
	id := ishaa.New("id")
	id.SetLogger(slog.New(slog.DiscardHandler))
	id.Get("/.well-known/jwks.json", issuer.JWKS)
	server := httptest.NewServer(id)
	defer server.Close()

	shop := ishaa.New("shop")
	shop.Get("/me", hello, LoginRequired(JWT(RemoteKeys(server.URL+"/.well-known/jwks.json", RemoteKeysOptions{}),
		Issuer("https://id.example.com"), Audience("shop"))))
	client := ishaatest.New(t, shop)
	client.Get("/me", ishaatest.BearerToken(made(issuer.Encode(Registered{Subject: "ann"})))).Status(200).JSONAt("/hello", "ann")
	server.Close()
	client.Get("/me", ishaatest.BearerToken(made(issuer.Encode(Registered{Subject: "bob"})))).Status(200).JSONAt("/hello", "bob")

	down := ishaa.New("down")
	down.Get("/me", hello, LoginRequired(JWT(RemoteKeys(server.URL, RemoteKeysOptions{}))))
	ishaatest.New(t, down).Get("/me", ishaatest.BearerToken(made(issuer.Encode(struct{}{})))).Problem(503)
}

func FuzzParseJWKS(f *testing.F) {
	f.Add([]byte(`{"keys":[` + string(made(json.Marshal(publicJWK(&ecKey().PublicKey)))) + `]}`))
	f.Add([]byte(`{"keys":[` + string(made(json.Marshal(publicJWK(&rsaKey().PublicKey)))) + `]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := parseJWKS(data, []string{"RS256", "ES256", "EdDSA"})
		if err != nil {
			return
		}
		for _, key := range keys {
			if key.check() != nil || key.symmetric() || key.signing != nil {
				t.Fatalf("%q gives %v", data, key)
			}
		}
	})
}
