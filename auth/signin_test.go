package auth

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

// signIn is an application with the sign-in route of docs/security.md: the form, the throttle, the hash, the session.
func signIn(t *testing.T, h *Hasher, people map[string]string) *ishaatest.Client {
	st := store.NewMemory(store.MemoryOptions{})
	t.Cleanup(func() { _ = st.Close() })
	hashes := map[string]string{"locked": "!"}
	for name, password := range people {
		hashes[name] = made(h.Hash(password))
	}
	app := ishaa.New("shop")
	app.Use(session.New(st, session.Options{}).Middleware())
	login := SessionLogin(session.From, LoginOptions{Page: "/login"})
	throttle := NewThrottle(st, ThrottleOptions{AddressFree: 1e6, AccountFree: 1e6, Free: 1e6})
	app.Post("/login", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		name := strings.ToLower(form.Value("name"))
		attempt, err := throttle.Attempt(r, name)
		if err != nil {
			return nil, err
		}
		ok, _, err := h.VerifyContext(r.Context(), form.Value("password"), hashes[name])
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, ishaa.Unauthorized("the name or the password is wrong")
		}
		attempt.Succeeded()
		return ishaa.Redirect("/"), login.SignIn(r, name)
	})
	return ishaatest.New(t, app)
}

// Whoever signs in by the route costs the same work, and is told the same, whether there is such an account or not.
func TestSignInTellsNobodyWhoHasAnAccount(t *testing.T) {
	h := NewHasher(quick())
	client := signIn(t, h, map[string]string{"ann": "correct horse battery"})
	ask := func(name, password string) (work uint64, answer string) {
		client.ClearCookies()
		before := h.spent.Load()
		res := client.Post("/login", ishaatest.Form("name", name, "password", password))
		header := res.Headers().Clone()
		for _, own := range []string{"Date", "X-Request-Id"} {
			header.Del(own)
		}
		body := res.ProblemDocument()
		return h.spent.Load() - before, fmt.Sprint(res.Code(), header, body.Title, body.Detail)
	}
	work, answer := ask("ann", "wrong horse battery")
	if work == 0 || !strings.HasPrefix(answer, "401") {
		t.Fatalf("work %d, %s", work, answer)
	}
	for _, c := range []struct{ name, account, password string }{
		{"an unknown account", "bob", "wrong horse battery"},
		{"an unknown account and a known password", "bob", "correct horse battery"},
		{"a locked account", "locked", "wrong horse battery"},
		{"a locked account by what its hash says", "locked", "!"},
		{"no name", "", "wrong horse battery"},
		{"no password", "ann", ""},
		{"neither", "", ""},
		{"a name that nobody can have", strings.Repeat("x", 10000), "wrong horse battery"},
		{"a password that is too long", "ann", strings.Repeat("x", MaxPassword+1)},
		{"both too long", "bob", strings.Repeat("x", MaxPassword+1)},
	} {
		if w, a := ask(c.account, c.password); w != work || a != answer {
			t.Errorf("%s: work %d, %s\na wrong password: work %d, %s", c.name, w, a, work, answer)
		}
	}
}

// The medians of real times of the whole route, known and unknown accounts taking turns.
func TestSignInTakesTheSameTime(t *testing.T) {
	if !testenv.Long() {
		t.Skip("a comparison of times; the work is compared in TestSignInTellsNobodyWhoHasAnAccount")
	}
	client := signIn(t, NewHasher(), map[string]string{"ann": "correct horse battery"})
	const rounds = 80
	times := map[string][]time.Duration{}
	for range rounds {
		for _, name := range []string{"ann", "bob"} {
			began := time.Now()
			client.Post("/login", ishaatest.Form("name", name, "password", "wrong horse battery")).Status(401)
			times[name] = append(times[name], time.Since(began))
		}
	}
	median := func(name string) float64 {
		slices.Sort(times[name])
		return times[name][rounds/2].Seconds()
	}
	known, unknown := median("ann"), median("bob")
	t.Logf("known %.1f ms, unknown %.1f ms, ratio %.3f", 1e3*known, 1e3*unknown, unknown/known)
	if ratio := unknown / known; ratio < 0.8 || ratio > 1.25 {
		t.Errorf("an unknown account takes %.2f times as long as a known one", ratio)
	}
}
