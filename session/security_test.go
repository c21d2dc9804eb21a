package session_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

// Session fixation: an id of somebody else's choice never becomes a session.
func TestClientChosenIDsAreNotAdopted(t *testing.T) {
	s := newSite(t, session.Options{})
	chosen := strings.Repeat("A", 43)
	for _, id := range []string{chosen, "admin", "../../etc/passwd", strings.Repeat("x", 3000), chosen + "=", strings.Repeat("A", 42) + "B"} {
		for _, path := range []string{"/set/a/b", "/signin/ann", "/flash/hi"} {
			if got := idOf(s.visit(path, id)); got == "" || got == id {
				t.Errorf("%s with %.20q gives the session %.20q", path, id, got)
			}
		}
		s.want(t, "/get/a", id, "<nil>")
		s.want(t, "/user", id, "")
	}
}

// An attacker's own session, planted in a victim's browser, is worth nothing once
// the victim signs in.
func TestSignInRenews(t *testing.T) {
	s := newSite(t, session.Options{})
	planted := s.begin(t, "/set/basket/tea")
	id := idOf(s.visit("/signin/ann", planted))
	if id == "" || id == planted {
		t.Fatalf("after signing in the id is %q, before %q", id, planted)
	}
	s.want(t, "/user", id, "ann")
	s.want(t, "/get/basket", id, "tea") // what a visitor had before stays
	s.want(t, "/user", planted, "")
	s.want(t, "/get/basket", planted, "<nil>")

	again := idOf(s.visit("/signin/ann", id))
	s.want(t, "/get/basket", again, "tea")
	s.want(t, "/user", id, "")
	bob := idOf(s.visit("/signin/bob", again))
	s.want(t, "/user", bob, "bob")
	s.want(t, "/get/basket", bob, "<nil>") // another user's
	s.want(t, "/user", again, "")
}

func TestRenew(t *testing.T) {
	s := newSite(t, session.Options{})
	id := s.begin(t, "/signin/ann")
	next := idOf(s.visit("/renew", id))
	if next == "" || next == id {
		t.Fatalf("Renew gives %q", next)
	}
	s.want(t, "/user", next, "ann")
	s.want(t, "/user", id, "")
	if w := s.visit("/renew", ""); idOf(w) != "" {
		t.Error("a visitor without a session gets one by Renew")
	}
}

// What was signed out stays so, whoever replays the cookie, and a request that was
// under way does not bring it back.
func TestReplayAfterSignOut(t *testing.T) {
	s := newSite(t, session.Options{})
	id := s.begin(t, "/signin/ann")
	s.visit("/set/a/b", id)
	s.visit("/signout", id)
	for _, path := range []string{"/user", "/get/a", "/set/a/again", "/flash/x", "/renew", "/user", "/get/a"} {
		w := s.visit(path, id)
		if w.Code != 200 || strings.Contains(w.Body.String(), "ann") || strings.Contains(w.Body.String(), "again") || idOf(w) != "" {
			t.Errorf("%s after signing out: %d %q, session %q", path, w.Code, w.Body, idOf(w))
		}
	}
	s.clock.Advance(2 * time.Minute) // the tombstone is gone too
	s.want(t, "/user", id, "")
	if got := idOf(s.visit("/set/a/b", id)); got == "" || got == id {
		t.Errorf("later the old cookie gives the session %q", got)
	}

	t.Run("under way", func(t *testing.T) {
		id := s.begin(t, "/signin/ann")
		s.app = newApp()
		s.app.SetClock(s.clock)
		s.app.Use(s.sessions.Middleware())
		s.app.Get("/slow", func(r *ishaa.Request) (any, error) {
			ss := session.From(r)
			if user, _ := ss.User(); user != "ann" {
				t.Errorf("the user is %q", user)
			}
			if err := s.sessions.Destroy(context.Background(), id); err != nil { // another request signs out
				t.Error(err)
			}
			return nil, ss.Set("a", "late")
		})
		s.routes()
		if w := s.visit("/slow", id); w.Code != 204 || idOf(w) != "" {
			t.Errorf("status %d, session %q", w.Code, idOf(w))
		}
		s.want(t, "/user", id, "")
	})
}

func TestSignOutLeavesAMessage(t *testing.T) {
	s := newSite(t, session.Options{})
	id := s.begin(t, "/signin/ann")
	next := idOf(s.visit("/bye", id))
	if next == "" || next == id {
		t.Fatalf("the session is %q", next)
	}
	s.want(t, "/user", next, "")
	s.want(t, "/flashes", next, "[{info Signed out.}]")
	s.want(t, "/user", id, "")
}

// Of requests that sign in with one cookie at the same time each gets a session of
// its own, one of them with what was in the old one, and the old one is dead.
func TestParallelRenewals(t *testing.T) {
	const parallel = 20
	s := newSite(t, session.Options{})
	for round := range 10 {
		old := s.begin(t, "/set/basket/tea")
		ids := make([]string, parallel)
		var wg sync.WaitGroup
		for i := range parallel {
			wg.Go(func() { ids[i] = idOf(s.visit("/signin/ann", old)) })
		}
		wg.Wait()
		seen, baskets := map[string]bool{}, 0
		for _, id := range ids {
			if id == "" || id == old || seen[id] {
				t.Fatalf("round %d: the sessions are %q", round, ids)
			}
			seen[id] = true
			s.want(t, "/user", id, "ann")
			if s.visit("/get/basket", id).Body.String() == "tea" {
				baskets++
			}
		}
		if baskets != 1 {
			t.Errorf("round %d: %d sessions have the basket", round, baskets)
		}
		s.want(t, "/user", old, "")
		s.want(t, "/get/basket", old, "<nil>")
		if list, err := s.sessions.List(context.Background(), "ann"); err != nil || len(list) != parallel {
			t.Errorf("round %d: ann has %d sessions, %v", round, len(list), err)
		}
		if err := s.sessions.EndAll(context.Background(), "ann"); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("without signing in", func(t *testing.T) {
		old := s.begin(t, "/signin/ann")
		ids := make([]string, parallel)
		var wg sync.WaitGroup
		for i := range parallel {
			wg.Go(func() { ids[i] = idOf(s.visit("/renew", old)) })
		}
		wg.Wait()
		alive := 0
		for _, id := range ids {
			if id != "" {
				alive++
				s.want(t, "/user", id, "ann")
			}
		}
		if list, err := s.sessions.List(context.Background(), "ann"); alive != 1 || err != nil || len(list) != 1 {
			t.Errorf("%d requests carry the session on; the list is %v, %v", alive, list, err)
		}
		s.want(t, "/user", old, "")
	})
}

// Requests that change one session at the same time, some of them giving it a new
// id, do not lose each other's keys.
func TestConcurrentChanges(t *testing.T) {
	const parallel, each = 16, 8
	s := newSite(t, session.Options{})
	id := s.begin(t, "/set/first/1")
	var wg sync.WaitGroup
	for i := range parallel {
		wg.Go(func() {
			for j := range each {
				if w := s.visit(fmt.Sprintf("/set/k%d-%d/v", i, j), id); w.Code != 200 {
					t.Errorf("status %d: %s", w.Code, w.Body)
				}
			}
		})
	}
	wg.Wait()
	ss, err := s.sessions.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	if keys, _ := ss.Keys(); len(keys) != parallel*each+1 {
		t.Errorf("%d keys of %d are there", len(keys), parallel*each+1)
	}

	t.Run("while it is renewed", func(t *testing.T) {
		s := newSite(t, session.Options{})
		id := s.begin(t, "/set/first/1")
		raced := false
		s.store.before = func(operation, key string) {
			if operation == "swap" && !raced {
				raced = true
				if w := s.visit("/set/second/2", id); w.Code != 200 {
					t.Errorf("status %d", w.Code)
				}
			}
		}
		next := idOf(s.visit("/renew", id))
		s.want(t, "/get/first", next, "1")
		s.want(t, "/get/second", next, "2")
		s.want(t, "/get/first", id, "<nil>")
	})
}

// Whoever reads the store has no session.
func TestALeakedStoreGivesNoSessions(t *testing.T) {
	s := newSite(t, session.Options{})
	id := s.begin(t, "/signin/ann")
	dump := s.store.dump(t)
	if strings.Contains(dump, id) {
		t.Error("the store has the id")
	}
	for _, word := range strings.FieldsFunc(dump, func(r rune) bool {
		return !strings.ContainsRune("-_", r) && (r < '0' || r > 'z' || r > '9' && r < 'A' || r > 'Z' && r < 'a')
	}) {
		s.want(t, "/user", word, "")
	}
	handle := s.visit("/handle", id).Body.String()
	if len(handle) != 22 {
		t.Errorf("the handle is %q", handle)
	}
	s.want(t, "/user", handle, "")
}

// 256 bits, no two alike and no bit that is always the same.
func TestIDs(t *testing.T) {
	s := newSite(t, session.Options{})
	const n = 2000
	seen := map[string]bool{}
	counts := map[byte]int{}
	for range n {
		id, err := s.sessions.Create(context.Background(), nil)
		if err != nil || len(id) != 43 || seen[id] {
			t.Fatalf("the id %q, %v", id, err)
		}
		seen[id] = true
		for i := range 42 { // the last letter has four bits
			counts[id[i]]++
		}
	}
	expected := float64(n) * 42 / 64
	chi2 := 0.0
	for _, c := range counts {
		chi2 += math.Pow(float64(c)-expected, 2) / expected
	}
	if len(counts) != 64 || chi2 > 63+6*math.Sqrt(2*63) {
		t.Errorf("%d letters, chi-squared %.0f for 63 degrees of freedom", len(counts), chi2)
	}
}

func TestTwoApplicationsOnOneStore(t *testing.T) {
	clock := ishaatest.NewClock(epoch)
	st := &watched{KV: store.NewMemory(store.MemoryOptions{Now: clock.Now})}
	one, two := siteOn(t, st, clock, session.Options{}), siteOn(t, st, clock, session.Options{})
	other := siteOn(t, st, clock, session.Options{Prefix: "other"})
	id := one.begin(t, "/signin/ann")
	two.want(t, "/user", id, "ann")
	other.want(t, "/user", id, "")
	two.visit("/set/a/two", id)
	one.want(t, "/get/a", id, "two")
	two.visit("/signout", id)
	one.want(t, "/user", id, "")
	if err := errors.Join(other.sessions.EndAll(context.Background(), "ann"), other.sessions.Destroy(context.Background(), id)); err != nil {
		t.Error(err)
	}
}

// A token of one session says nothing on another, and ends with it (Fiber
// CVE-2023-45128).
func TestCSRFTokensAreBoundToTheSession(t *testing.T) {
	s := newSite(t, session.Options{})
	app := ishaa.New("shop", ishaa.Config{Secret: strings.Repeat("s", 32)})
	app.Use(
		s.sessions.Middleware(),
		middleware.CSRF(middleware.CSRFOptions{Tokens: &middleware.CSRFTokens{Session: s.sessions.Binding}}),
	)
	app.Get("/form", func(r *ishaa.Request) (any, error) {
		token, err := middleware.CSRFToken(r)
		return ishaa.Text(token), err
	})
	app.Get("/begin", func(r *ishaa.Request) (any, error) {
		if err := session.From(r).SignIn("ann"); err != nil {
			return nil, err
		}
		token, err := middleware.CSRFToken(r) // in the answer that begins the session
		return ishaa.Text(token), err
	})
	app.Post("/pay", func(r *ishaa.Request) (any, error) { return ishaa.Text("paid"), nil })
	ann, eve := ishaatest.New(t, app), ishaatest.New(t, app)
	token := string(ann.Get("/begin").Status(200).Bytes())
	ann.Post("/pay", ishaatest.Header("X-CSRF-Token", token)).Status(200)
	token = string(ann.Get("/form").Status(200).Bytes())
	ann.Post("/pay", ishaatest.Form("csrf_token", token)).Status(200)
	eve.Get("/begin").Status(200)
	eve.Post("/pay", ishaatest.Header("X-CSRF-Token", token)).Status(403)
	ann.Get("/begin").Status(200) // another session
	ann.Post("/pay", ishaatest.Header("X-CSRF-Token", token)).Status(403)
	ann.Post("/pay").Status(403)
}
