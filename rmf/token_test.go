package rmf_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/rmf"
)

// forged is an application with a reality that nobody should get into, but by a genuine token or cookie.
func forged(t testing.TB, secret, audience string) (*ishaa.App, *rmf.Realities, func(time.Duration)) {
	app, realities, clock := newApp(t, rmf.Options{Audience: audience}, ishaa.Config{Secret: secret})
	app.SetLogger(slog.New(slog.DiscardHandler))
	for _, path := range []string{"/x", "/y"} {
		app.Get(path, say("v1"), rmf.Reality("stable"))
		app.Get(path, say("secret"), rmf.Reality("secret", rmf.Traffic(0)))
		app.Get(path, say("sticky"), rmf.Reality("sticky", rmf.Traffic(50), rmf.Sticky()))
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Stop(context.Background()) })
	return app, realities, clock.Advance
}

// ask sends a header and cookies and returns the reality that answers.
func ask(app *ishaa.App, path, header string, cookies ...*http.Cookie) (string, []*http.Cookie) {
	raw := httptest.NewRequest("GET", path, nil)
	if header != "" {
		raw.Header["X-Reality"] = []string{header}
	}
	for _, c := range cookies {
		raw.AddCookie(c)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, raw)
	return w.Body.String(), w.Result().Cookies()
}

// genuine gets the cookies of a visitor whom the lot put into the sticky reality.
func genuine(t testing.TB, app *ishaa.App, path string) (sticky, id *http.Cookie) {
	for range 200 {
		if answer, cookies := ask(app, path, ""); answer == "sticky" {
			for _, c := range cookies {
				if c.Name == "rmf-id" {
					id = c
				} else {
					sticky = c
				}
			}
			return sticky, id
		}
	}
	t.Fatal("the lot puts nobody into the sticky reality")
	return nil, nil
}

// 10,000 forged headers and cookies: none is accepted.
func TestForgeries(t *testing.T) {
	app, realities, advance := forged(t, secret, "production")
	other, others, _ := forged(t, strings.Repeat("x", 32), "production")
	staging, stagings, _ := forged(t, secret, "staging")
	token := func(m *rmf.Realities, path, reality string, lifetime time.Duration) string {
		text, err := m.Token(path, reality, lifetime)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := token(realities, "/x", "secret", time.Hour)
	if answer, _ := ask(app, "/x", good); answer != "secret" {
		t.Fatalf("a genuine token gives %q", answer)
	}
	sticky, id := genuine(t, app, "/x")
	otherSticky, otherID := genuine(t, other, "/x")
	stagingSticky, _ := genuine(t, staging, "/x")
	stickyOfY, _ := genuine(t, app, "/y")
	expired := token(realities, "/x", "secret", time.Minute)
	advance(time.Minute)

	headers := []string{
		expired, token(realities, "/y", "secret", time.Hour), token(others, "/x", "secret", time.Hour), token(stagings, "/x", "secret", time.Hour),
		sticky.Value, id.Value, "secret", "", ".", "..", good + ".", "." + good, strings.ToUpper(good), good[:len(good)-1], good + "A", " " + good[1:],
		strings.Split(good, ".")[0] + ".", "." + strings.Split(good, ".")[1], strings.Split(good, ".")[0] + "." + strings.Split(expired, ".")[1],
		strings.Repeat("A", 4096), strings.Repeat(good, 10),
	}
	payload, mac, _ := strings.Cut(good, ".")
	for _, key := range []string{"", secret, "secret", "ishaa rmf header"} { // keys that somebody may guess
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(payload))
		headers = append(headers, payload+"."+base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16]), payload+"."+base64.RawURLEncoding.EncodeToString(h.Sum(nil)))
	}
	r := rand.New(rand.NewPCG(3, 4))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ "
	mutated := func(text string) string {
		b := []byte(text)
		for changed := false; !changed; {
			switch i := r.IntN(len(b)); r.IntN(4) {
			case 0:
				c := alphabet[r.IntN(len(alphabet))]
				changed = b[i] != c
				b[i] = c
			case 1:
				b = append(b[:i], b[i+1:]...)
				changed = true
			case 2:
				b = append(b[:i], append([]byte{alphabet[r.IntN(len(alphabet))]}, b[i:]...)...)
				changed = string(b) != text
			default:
				j := r.IntN(len(b))
				b[i], b[j] = b[j], b[i]
				changed = string(b) != text
			}
		}
		return string(b)
	}
	for len(headers) < 5000 {
		headers = append(headers, mutated(good))
	}
	// Fields that somebody put together, with the signature of a genuine token.
	for i := range 500 {
		text := fmt.Sprintf("6:secret6:GET /x10:production10:%010d", 4_000_000_000+i)
		headers = append(headers, base64.RawURLEncoding.EncodeToString([]byte(text))+"."+mac)
	}
	accepted := 0
	for _, h := range headers {
		if strings.TrimSpace(h) == good {
			continue
		}
		if answer, _ := ask(app, "/x", h); answer == "secret" {
			accepted++
			t.Errorf("the header %q is accepted", h)
		}
	}

	// A forged sticky cookie is passed over, and the lot falls: at 50 % it would show nothing. So the visitor's id is one
	// whom the lot puts into stable.
	var stableID *http.Cookie
	for stableID == nil {
		if answer, cookies := ask(app, "/x", ""); answer == "v1" {
			stableID = cookies[0]
		}
	}
	if answer, _ := ask(app, "/x", "", stableID, sticky); answer != "sticky" {
		t.Fatalf("a genuine cookie gives %q", answer)
	}
	cookies := []string{otherSticky.Value, stagingSticky.Value, stickyOfY.Value, good, id.Value, otherID.Value, "sticky", ""}
	for len(cookies) < 4500 {
		if text := mutated(sticky.Value); !strings.ContainsAny(text, " ") && strings.TrimRight(text, "=") != sticky.Value {
			cookies = append(cookies, text)
		}
	}
	for _, text := range cookies {
		if answer, _ := ask(app, "/x", "", stableID, &http.Cookie{Name: sticky.Name, Value: text}); answer != "v1" {
			accepted++
			t.Errorf("the cookie %q is accepted", text)
		}
	}
	// A forged id is no subject: the visitor gets another.
	for i := range 1000 {
		text := mutated(stableID.Value)
		if i == 0 {
			text = otherID.Value
		}
		if _, set := ask(app, "/x", "", &http.Cookie{Name: "rmf-id", Value: text}); len(set) == 0 && !strings.Contains(text, " ") {
			accepted++
			t.Errorf("the id %q is accepted", text)
		}
	}
	t.Logf("%d forged headers, %d sticky cookies, 1,000 ids: %d accepted", len(headers), len(cookies), accepted)

	// The cookie says its epoch: when the shares change it says nothing any more.
	if err := realities.Pause(t.Context(), "/x", "sticky", ""); err != nil {
		t.Fatal(err)
	}
	if err := realities.Resume(t.Context(), "/x", "sticky", ""); err != nil {
		t.Fatal(err)
	}
	if answer, _ := ask(app, "/x", "", stableID, sticky); answer != "v1" {
		t.Errorf("a cookie of an epoch that is over gives %q", answer)
	}
}
