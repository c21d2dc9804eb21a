//go:build unix

package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
)

// A session over HTTP and over HTTPS: what its cookie is called and may do, and that a hundred sign-ins of one
// browser have a hundred ids, of which the last alone is good.
func TestSessions(t *testing.T) {
	cert, key, pool := certificate(t)
	app := start(t, "-tls", "127.0.0.1:0", "-cert", cert, "-key", key)
	overTLS := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(overTLS.CloseIdleConnections)
	for scheme, c := range map[string]struct {
		client *http.Client
		cookie string
		rest   string // of Set-Cookie
	}{
		"http":  {client(), "session", "; Path=/; HttpOnly; SameSite=Lax"},
		"https": {&http.Client{Timeout: launch.Patience, Transport: overTLS}, "__Host-session", "; Path=/; HttpOnly; Secure; SameSite=Lax"},
	} {
		t.Run(scheme, func(t *testing.T) {
			ask := func(path, id string) answer {
				t.Helper()
				req, err := http.NewRequest("GET", app.URL(scheme)+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				if id != "" {
					req.Header.Set("Cookie", c.cookie+"="+id)
				}
				return do(t, c.client, req)
			}
			if res := ask("/_x/me", ""); res.StatusCode != 401 || res.Header.Get("WWW-Authenticate") == "" || len(res.Cookies()) != 0 {
				t.Errorf("nobody: %d %v", res.StatusCode, res.Header)
			}
			seen := map[string]bool{}
			id, previous := "chosen-by-the-client-of-forty-three-letters", ""
			for range 100 {
				res := ask("/_x/login", id)
				line := res.Header.Get("Set-Cookie")
				text, rest, _ := strings.Cut(line, ";")
				name, next, _ := strings.Cut(text, "=")
				if res.StatusCode != 200 || name != c.cookie || ";"+rest != c.rest || len(next) != 43 || next == id || seen[next] {
					t.Fatalf("%d %s", res.StatusCode, line)
				}
				seen[next], id, previous = true, next, id
			}
			if res := ask("/_x/me", id); res.StatusCode != 200 || res.body != visitor+"\n" ||
				res.Header.Get("Cache-Control") != "no-store" || !strings.Contains(res.Header.Get("Vary"), "Cookie") {
				t.Errorf("%d %v %s", res.StatusCode, res.Header, res.body)
			}
			if res := ask("/_x/me", previous); res.StatusCode != 401 {
				t.Errorf("the session before the last sign-in: %d", res.StatusCode)
			}
		})
	}
}

// bearer makes a token by hand, as a program in another language would.
func bearer(secret, header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

func TestProtected(t *testing.T) {
	const secret, header = "a secret of the tests, 32 bytes and more", `{"alg":"HS256","typ":"JWT"}`
	soon, past := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	claims := fmt.Sprintf(`{"sub":"ann","exp":%d}`, soon)
	good := bearer(secret, header, claims)
	signature := good[strings.LastIndexByte(good, '.')+1:]
	base := start(t, "-jwt-secret", secret).URL("http")
	for _, c := range []struct {
		name, authorization string
		status              int
		challenge           string // stands in WWW-Authenticate
	}{
		{"a good one", "Bearer " + good, 200, ""},
		{"the scheme in other letters", "bearer " + good, 200, ""},
		{"none", "", 401, "Bearer"},
		{"another scheme", "Basic YTpi", 401, "Bearer"},
		{"no token", "Bearer", 401, "Bearer"},
		{"nonsense", "Bearer x", 401, `error="invalid_token"`},
		{"another secret", "Bearer " + bearer(secret+"!", header, claims), 401, `error="invalid_token"`},
		{"alg none", "Bearer " + bearer(secret, `{"alg":"none"}`, claims), 401, `error="invalid_token"`},
		{"alg none without a signature", "Bearer " + strings.TrimSuffix(bearer(secret, `{"alg":"none"}`, claims), signature), 401, `error="invalid_token"`},
		{"another algorithm", "Bearer " + bearer(secret, `{"alg":"HS512"}`, claims), 401, `error="invalid_token"`},
		{"expired", "Bearer " + bearer(secret, header, fmt.Sprintf(`{"sub":"ann","exp":%d}`, past)), 401, "expired"},
		{"without exp", "Bearer " + bearer(secret, header, `{"sub":"ann"}`), 401, `error="invalid_token"`},
		{"ten thousand dots", "Bearer " + strings.Repeat(".", 10000), 401, `error="invalid_token"`},
		{"a long one", "Bearer " + strings.Repeat("a", 40000), 401, `error="invalid_token"`},
		{"twice", "Bearer " + good + ", Bearer " + good, 401, `error="invalid_token"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequest("GET", base+"/_x/protected", nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.authorization != "" {
				req.Header.Set("Authorization", c.authorization)
			}
			res := do(t, client(), req)
			if res.StatusCode != c.status || !strings.Contains(res.Header.Get("WWW-Authenticate"), c.challenge) ||
				res.Header.Get("Cache-Control") != "no-store" || c.status == 200 && res.body != claims {
				t.Errorf("%d %v %s", res.StatusCode, res.Header, res.body)
			}
		})
	}

	// Without the flag there is no such route.
	req, err := http.NewRequest("GET", start(t).URL("http")+"/_x/protected", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res := do(t, client(), req); res.StatusCode != 404 {
		t.Errorf("without a secret: %d", res.StatusCode)
	}
}
