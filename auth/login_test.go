package auth

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

// A session of package session is one of ours.
var _ Session = (*session.Session)(nil)

type fakeSession struct {
	user string
	err  error
}

func (s *fakeSession) User() (string, error)    { return s.user, s.err }
func (s *fakeSession) SignIn(user string) error { s.user = user; return s.err }
func (s *fakeSession) Destroy() error           { s.user = ""; return s.err }

// accounts is a table of roles by name.
type accounts struct {
	mu    sync.Mutex
	roles map[string][]string
}

func (a *accounts) identity(_ context.Context, name string) (*Identity, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	roles, ok := a.roles[name]
	if !ok {
		return nil, nil
	}
	return &Identity{Roles: roles, Value: name}, nil
}

func (a *accounts) set(name string, roles ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if roles == nil {
		delete(a.roles, name)
		return
	}
	a.roles[name] = roles
}

// site is an application with people who sign in.
func site(t *testing.T) (client *ishaatest.Client, people *accounts) {
	people = &accounts{roles: map[string][]string{"ann": {"admin"}, "bob": {"user"}}}
	app := ishaa.New("site")
	sessions := session.New(store.NewMemory(store.MemoryOptions{}), session.Options{})
	app.Use(sessions.Middleware())
	login := SessionLogin(session.From, LoginOptions{Page: "/login", Load: people.identity})
	app.Get("/visit", func(r *ishaa.Request) (any, error) { return "x", session.From(r).Set("cart", 1) })
	app.Post("/login", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		if err := login.SignIn(r, form.Value("name")); err != nil {
			return nil, err
		}
		return login.Return(r, "/account"), nil
	})
	app.Post("/logout", func(r *ishaa.Request) (any, error) { return ishaa.Redirect("/"), login.SignOut(r) })
	app.Any("/account", func(r *ishaa.Request) (any, error) { return User[string](r) }, LoginRequired(login))
	app.Get("/admin", func(r *ishaa.Request) (any, error) { return "admin", nil }, LoginRequired(login), RoleRequired("admin"))
	return ishaatest.New(t, app, ishaatest.Header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")), people
}

func TestPeopleSignInAndOut(t *testing.T) {
	client, _ := site(t)
	res := client.Get("/account?tab=2&x=%2F").Status(303).Header("Cache-Control", "no-store")
	if got := res.Headers().Get("Location"); got != "/login?next=%2Faccount%3Ftab%3D2%26x%3D%252F" {
		t.Errorf("Location: %s", got)
	}
	client.Post("/login?next="+url.QueryEscape("/account?tab=2"), ishaatest.Form("name", "ann")).Redirect("/account?tab=2")
	if text := client.Get("/account").Status(200).Header("Cache-Control", "no-store").Text(); text != "ann" {
		t.Error(text)
	}
	client.Get("/admin").Status(200)
	client.Post("/logout").Redirect("/")
	client.Get("/account").Status(303)
}

func TestWhoIsSentToTheLoginPage(t *testing.T) {
	client, _ := site(t)
	for _, c := range []struct {
		method, accept string
		status         int
		location       string
	}{
		{"GET", "text/html", 303, "/login?next=%2Faccount"},
		{"HEAD", "text/html", 303, "/login?next=%2Faccount"},
		{"GET", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 303, "/login?next=%2Faccount"},
		{"POST", "text/html", 303, "/login"},
		{"DELETE", "text/html", 303, "/login"},
		{"GET", "application/json", 401, ""},
		{"GET", "*/*", 401, ""},
		{"GET", "application/json, text/html;q=0.5", 401, ""},
		{"GET", "application/problem+json", 401, ""},
	} {
		res := client.Do(c.method, "/account", ishaatest.Header("Accept", c.accept))
		if got := res.Headers().Get("Location"); res.Code() != c.status || got != c.location {
			t.Errorf("%s, %s: %d to %q", c.method, c.accept, res.Code(), got)
		}
		if res.Headers().Get("Vary") == "" {
			t.Errorf("%s, %s: the answer does not vary", c.method, c.accept)
		}
	}
}

func TestReturnStaysOnTheSite(t *testing.T) {
	client, _ := site(t)
	for _, next := range []string{
		"https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "javascript:alert(1)", "evil.example", "/x/..//evil.example", "", "data:text/html,x", "/%0d%0aSet-Cookie:x", "///evil.example", "http:evil.example",
	} {
		res := client.Post("/login?next="+url.QueryEscape(next), ishaatest.Form("name", "ann")).Status(303)
		if got := res.Headers().Get("Location"); got != "/account" && got != "/%0d%0aSet-Cookie:x" {
			t.Errorf("next=%q leads to %q", next, got)
		}
		res = client.Post("/login", ishaatest.Form("name", "ann", "next", next)).Status(303)
		if got := res.Headers().Get("Location"); got != "/account" && got != "/%0d%0aSet-Cookie:x" {
			t.Errorf("next=%q in the form leads to %q", next, got)
		}
	}
	client.Post("/login", ishaatest.Form("name", "ann", "next", "/admin?a=1")).Redirect("/admin?a=1")
}

// A session id from before signing in, planted or not, is worth nothing after it; one
// from before signing out neither.
func TestSessionIDsChangeWithSigningIn(t *testing.T) {
	client, _ := site(t)
	client.Get("/visit").Status(200)
	before, _ := client.Cookie("session")
	client.Post("/login", ishaatest.Form("name", "ann")).Status(303)
	during, _ := client.Cookie("session")
	if before == "" || during == "" || before == during {
		t.Fatalf("the ids are %q and %q", before, during)
	}
	client.Get("/account").Status(200)
	client.Post("/logout").Status(303)
	for name, id := range map[string]string{"before": before, "during": during} {
		client.ClearCookies()
		client.Get("/account", ishaatest.Cookie("session", id)).Status(303)
		_ = name
	}
}

// What Load says counts at once: roles that are taken away, accounts that are closed.
func TestAccountsAreLookedUpForEachRequest(t *testing.T) {
	client, people := site(t)
	client.Post("/login", ishaatest.Form("name", "ann")).Status(303)
	client.Get("/admin").Status(200)
	people.set("ann", "user")
	client.Get("/admin").Status(403)
	client.Get("/account").Status(200)
	people.set("ann")
	client.Get("/account").Status(303)
	client.Post("/login", ishaatest.Form("name", "ann")).Status(403)
	client.Post("/login", ishaatest.Form("name", "")).Status(500) // a mistake of the program
}

func TestSessionsThatCannotBeReached(t *testing.T) {
	away := ishaa.Unavailable("the store is away")
	login := SessionLogin(func(*ishaa.Request) *fakeSession { return &fakeSession{err: away} }, LoginOptions{})
	app := ishaa.New("site")
	app.Get("/", hello, LoginRequired(login))
	app.Post("/in", func(r *ishaa.Request) (any, error) { return nil, login.SignIn(r, "ann") })
	app.Post("/out", func(r *ishaa.Request) (any, error) { return nil, login.SignOut(r) })
	client := ishaatest.New(t, app)
	client.Get("/").Problem(503)
	client.Post("/in").Problem(503)
	client.Post("/out").Problem(503)

	broken := SessionLogin(func(*ishaa.Request) *fakeSession { return &fakeSession{user: "ann"} }, LoginOptions{
		Load: func(context.Context, string) (*Identity, error) { return nil, errors.New("the database is away") },
	})
	app = ishaa.New("site")
	app.Get("/", hello, LoginRequired(broken))
	ishaatest.New(t, app).Get("/").Problem(500)
}

// Without a page, and for a person too, there is a 401.
func TestSessionLoginWithoutAPage(t *testing.T) {
	login := SessionLogin(func(*ishaa.Request) *fakeSession { return &fakeSession{} }, LoginOptions{})
	app := ishaa.New("site")
	app.Get("/", hello, LoginRequired(login))
	ishaatest.New(t, app).Get("/", ishaatest.Header("Accept", "text/html")).Status(401).
		Header("WWW-Authenticate", `Cookie realm="sign-in", cookie-name="session"`)
}
