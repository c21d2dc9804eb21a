// Package threats_test attacks one application that has everything a site with accounts has, in the ways that other
// frameworks fell to. Attacks on one package alone are tests of that package; docs/security.md lists them all.
package threats_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	password = "correct horse battery"
	appKey   = "the application signs with this text, of 32 bytes and more"
)

// site is a shop with a sign-in page, sessions, tokens, API keys, a second factor and a cached page.
type site struct {
	app      *ishaa.App
	kv       store.Store
	sessions *session.Sessions
	tokens   *auth.Tokens
	refresh  *auth.Refresh
	apiKey   string // ann's
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{app: ishaa.New("shop", ishaa.Config{Secret: appKey}), kv: store.NewMemory(store.MemoryOptions{})}
	t.Cleanup(func() { _ = s.kv.Close() })
	hasher := auth.NewHasher(auth.HasherOptions{Memory: 64, Passes: 1})
	ann, err := hasher.Hash(password)
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[string]string{"ann": ann, "bob": ann}
	roles := map[string][]string{"ann": {"admin"}, "bob": {}}
	s.sessions = session.New(s.kv, session.Options{})
	s.tokens = auth.JWT(auth.HS256([]byte(appKey)), auth.Issuer("shop"), auth.Audience("api"), auth.TTL(time.Hour))
	s.refresh = auth.NewRefresh(s.kv, auth.RefreshOptions{})
	var stored auth.APIKey
	keys := auth.NewAPIKeys("shop", func(_ context.Context, id string) (*auth.APIKey, error) {
		if id != stored.ID {
			return nil, nil
		}
		return &stored, nil
	})
	s.apiKey, stored = keys.New()
	stored.Subject = "ann"
	login := auth.SessionLogin(session.From, auth.LoginOptions{Page: "/login", Load: func(_ context.Context, name string) (*auth.Identity, error) {
		if hashes[name] == "" {
			return nil, nil
		}
		return &auth.Identity{Roles: roles[name]}, nil
	}})
	throttle := auth.NewThrottle(s.kv, auth.ThrottleOptions{})
	answers := cache.New(s.kv, cache.Options{})
	s.app.Install(answers)
	s.app.Use(
		middleware.CSRF(middleware.CSRFOptions{}), s.sessions.Middleware(),
		middleware.RateLimit(middleware.RateLimitOptions{Max: 100000}),
	)
	s.app.Post("/login", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		name := strings.ToLower(form.Value("name"))
		attempt, err := throttle.Attempt(r, name)
		if err != nil {
			return nil, err
		}
		ok, _, err := hasher.VerifyContext(r.Context(), form.Value("password"), hashes[name])
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, ishaa.Unauthorized("the name or the password is wrong")
		}
		attempt.Succeeded()
		return login.Return(r, "/account"), login.SignIn(r, name)
	})
	s.app.Post("/logout", func(r *ishaa.Request) (any, error) { return ishaa.Redirect("/"), login.SignOut(r) })
	s.app.Get("/account", func(r *ishaa.Request) (any, error) {
		return ishaa.HTMLf("<p>You are %s</p>", auth.Who(r).Subject), nil
	}, auth.LoginRequired(login))
	s.app.Get("/admin", func(*ishaa.Request) (any, error) { return ishaa.HTML("<p>Admin</p>"), nil }, auth.LoginRequired(login), auth.RoleRequired("admin"))
	s.app.Get("/greeting", func(r *ishaa.Request) (any, error) {
		user, err := session.From(r).User()
		return ishaa.HTMLf("<p>Hello, %s</p>", user), err
	}, answers.Cached(time.Hour))
	s.app.Post("/note", func(r *ishaa.Request) (any, error) {
		s := session.From(r)
		if err := s.Set("note", "kept"); err != nil {
			return nil, err
		}
		return ishaa.Redirect("/"), s.Flash("success", "It is kept.")
	})
	s.app.Get("/flashes", func(r *ishaa.Request) (any, error) {
		list, err := session.Flashes(r)
		return map[string]int{"waiting": len(list)}, err
	})
	s.app.Get("/api", func(r *ishaa.Request) (any, error) { return ishaa.Text(auth.Who(r).Subject), nil }, auth.LoginRequired(s.tokens, keys))
	s.app.Post("/broken", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		panic("no " + form.Value("name"))
	})
	return s
}

// browser returns a client with cookies of its own, that asks for pages as browsers do.
func (s *site) browser(t *testing.T, options ...ishaatest.Option) *ishaatest.Client {
	return ishaatest.New(t, s.app, append(options, ishaatest.Header("Accept", "text/html,*/*;q=0.8"))...)
}

// signIn returns a browser that ann or bob has signed in with, and the session's id.
func (s *site) signIn(t *testing.T, name string) (*ishaatest.Client, string) {
	t.Helper()
	client := s.browser(t)
	client.Post("/login", ishaatest.Form("name", name, "password", password)).Redirect("/account")
	id, ok := client.Cookie("session")
	if !ok {
		t.Fatal("signing in sets no cookie")
	}
	return client, id
}

// everything is all that a log was told.
func everything(book *ishaatest.LogBook) string {
	var text strings.Builder
	for _, r := range book.Records() {
		text.WriteString(r.String() + "\n")
		for _, a := range r.Attrs {
			text.WriteString(a.Key + "=" + a.Value.String() + "\n")
		}
	}
	return text.String()
}
