package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

// The store goes away at each point at which a request asks it. The answer says
// so and gives no cookie; afterwards the old session is as it was or dead, a
// session that was to be replaced is not alive beside its successor, and signing
// out everywhere works.
func TestStoreAwayInTheMiddle(t *testing.T) {
	for _, path := range []string{"/user", "/set/a/b", "/renew", "/signin/ann", "/signin/bob", "/signout", "/bye", "/flash/x", "/flashes"} {
		for stop := 1; ; stop++ {
			ctx := context.Background()
			s := newSite(t, session.Options{PerUser: 1})
			id := idOf(s.visit("/signin/ann", s.begin(t, "/set/basket/tea")))
			s.visit("/flash/hello", id)
			s.clock.Advance(2 * time.Minute) // a visit is to be noted
			count, failed := 0, false
			s.store.before = func(string, string) {
				if count++; count == stop {
					failed = true
					s.store.down.Store(true)
				}
			}
			w := s.visit(path, id)
			s.store.before = nil
			s.store.down.Store(false)
			if !failed {
				if w.Code != 200 {
					t.Errorf("%s: status %d", path, w.Code)
				}
				break
			}
			want := 503
			if path == "/user" && stop == 2 {
				want = 200 // the visit is not noted, and that is all
			}
			if w.Code != want || idOf(w) != "" {
				t.Errorf("%s, away at %d: status %d, want %d, session %q", path, stop, w.Code, want, idOf(w))
			}
			switch user := s.visit("/user", id).Body.String(); user {
			case "ann":
				s.want(t, "/get/basket", id, "tea")
			case "":
			default:
				t.Errorf("%s, away at %d: the user is %q", path, stop, user)
			}
			next := idOf(s.visit("/signin/ann", id))
			s.want(t, "/user", next, "ann")
			s.want(t, "/user", id, "")
			list, err := s.sessions.List(ctx, "ann")
			if err != nil || len(list) != 1 {
				t.Errorf("%s, away at %d: ann has %v, %v", path, stop, list, err)
			}
			if err := errors.Join(s.sessions.EndAll(ctx, "ann"), s.sessions.EndAll(ctx, "bob")); err != nil {
				t.Error(err)
			}
			s.want(t, "/user", next, "")
		}
	}
}

func TestStoreAwayByID(t *testing.T) {
	ctx := context.Background()
	s := newSite(t, session.Options{})
	id := s.begin(t, "/signin/ann")
	list, err := s.sessions.List(ctx, "ann")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	for stop := range 4 {
		for name, fn := range map[string]func() error{
			"Create": func() error {
				if stop > 0 {
					return errDown
				}
				_, err := s.sessions.Create(ctx, nil)
				return err
			},
			"Get":     func() error { _, err := s.sessions.Get(ctx, id); return err },
			"List":    func() error { _, err := s.sessions.List(ctx, "ann"); return err },
			"End":     func() error { return s.sessions.End(ctx, "ann", list[0].Handle) },
			"EndAll":  func() error { return s.sessions.EndAll(ctx, "ann") },
			"Destroy": func() error { return s.sessions.Destroy(ctx, id) },
		} {
			count := 0
			s.store.before = func(string, string) {
				if count++; count > stop {
					s.store.down.Store(true)
				}
			}
			err := fn()
			failed := s.store.down.Load()
			s.store.before = nil
			s.store.down.Store(false)
			if failed && !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s, away after %d: %v", name, stop, err)
			}
		}
	}
}

// What is damaged in the store is told, or passed over, but never a session.
func TestDamagedStore(t *testing.T) {
	ctx := context.Background()
	s := newSite(t, session.Options{})
	id := s.begin(t, "/signin/ann")
	for key, err := range s.store.Scan(ctx, "session:") {
		if err != nil {
			t.Fatal(err)
		}
		if err := s.store.KV.Set(ctx, key, []byte("{"), 0); err != nil {
			t.Fatal(err)
		}
	}
	s.want(t, "/user", id, "")
	if _, err := s.sessions.List(ctx, "ann"); err == nil {
		t.Error("a damaged list is read")
	}
	if w := s.visit("/signin/ann", id); w.Code != 500 || idOf(w) != "" {
		t.Errorf("signing in: status %d", w.Code)
	}
}
