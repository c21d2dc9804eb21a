package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

func TestExpiry(t *testing.T) {
	const day = 24 * time.Hour
	// A session lasts through visits at these times, and is gone at the end.
	for _, c := range []struct {
		name    string
		options session.Options
		visits  []time.Duration
		gone    time.Duration
	}{
		{"idle by default", session.Options{}, []time.Duration{29 * time.Minute}, 59 * time.Minute},
		{"at the very moment", session.Options{Idle: 10 * time.Minute}, nil, 10 * time.Minute},
		{"a moment before", session.Options{Idle: 10 * time.Minute}, []time.Duration{10*time.Minute - time.Millisecond}, 20 * time.Minute},
		{"absolute by default", session.Options{}, every(20*time.Minute, 12*time.Hour), 12 * time.Hour},
		{"absolute, given", session.Options{MaxAge: time.Hour}, every(20*time.Minute, time.Hour), time.Hour},
		{"no idle limit", session.Options{MaxAge: 30 * day, Idle: -1}, []time.Duration{29 * day}, 30 * day},
		{"shorter than the idle default", session.Options{MaxAge: time.Minute}, []time.Duration{59 * time.Second}, time.Minute},
		{"idle of seconds", session.Options{Idle: 10 * time.Second}, every(5*time.Second, time.Minute), 70 * time.Second},
	} {
		for _, clocked := range []struct {
			name  string
			store func(*ishaatest.Clock) store.KV
		}{
			{"the store's clock with it", func(c *ishaatest.Clock) store.KV { return store.NewMemory(store.MemoryOptions{Now: c.Now}) }},
			{"the session's clock alone", func(*ishaatest.Clock) store.KV { return store.NewMemory(store.MemoryOptions{}) }},
		} {
			t.Run(c.name+", "+clocked.name, func(t *testing.T) {
				clock := ishaatest.NewClock(epoch)
				s := siteOn(t, &watched{KV: clocked.store(clock)}, clock, c.options)
				id := s.begin(t, "/signin/ann")
				at := func(d time.Duration) { clock.Advance(epoch.Add(d).Sub(clock.Now())) }
				for _, d := range c.visits {
					at(d)
					if w := s.visit("/user", id); w.Body.String() != "ann" {
						t.Fatalf("after %v the session is gone", d)
					}
				}
				at(c.gone)
				s.want(t, "/user", id, "")
				if _, err := s.sessions.Get(context.Background(), id); !errors.Is(err, session.ErrNotFound) {
					t.Errorf("Get: %v", err)
				}
				if list, err := s.sessions.List(context.Background(), "ann"); err != nil || len(list) != 0 {
					t.Errorf("the list is %v, %v", list, err)
				}
				if next := idOf(s.visit("/set/a/b", id)); next == "" || next == id {
					t.Errorf("the session after it is %q", next)
				}
			})
		}
	}
}

func every(step, until time.Duration) []time.Duration {
	var list []time.Duration
	for at := step; at < until; at += step {
		list = append(list, at)
	}
	return list
}

// Signing in again begins the time anew; renewing does not.
func TestAgeBeginsAtSignIn(t *testing.T) {
	s := newSite(t, session.Options{MaxAge: time.Hour, Idle: -1})
	id := s.begin(t, "/set/a/b")
	s.clock.Advance(50 * time.Minute)
	id = idOf(s.visit("/signin/ann", id))
	s.clock.Advance(50 * time.Minute)
	id = idOf(s.visit("/renew", id))
	s.want(t, "/user", id, "ann")
	s.clock.Advance(10 * time.Minute)
	s.want(t, "/user", id, "")
}

func TestExpires(t *testing.T) {
	s := newSite(t, session.Options{MaxAge: time.Hour, Idle: 10 * time.Minute})
	id := s.begin(t, "/signin/ann")
	s.clock.Advance(5 * time.Minute)
	s.app = newApp()
	s.app.Use(s.sessions.Middleware())
	s.app.Get("/", func(r *ishaa.Request) (any, error) {
		idle, end, err := session.From(r).Expires()
		if at, err := session.From(r).SignedInAt(); err != nil || !at.Equal(epoch) {
			t.Errorf("signed in at %v, %v", at, err)
		}
		if err != nil || !idle.Equal(epoch.Add(10*time.Minute)) || !end.Equal(epoch.Add(time.Hour)) {
			t.Errorf("it ends at %v, at %v, %v", idle, end, err)
		}
		return nil, nil
	})
	s.app.Get("/nobody", func(r *ishaa.Request) (any, error) {
		if at, err := session.From(r).SignedInAt(); err != nil || !at.IsZero() {
			t.Errorf("nobody signed in at %v, %v", at, err)
		}
		return nil, nil
	})
	s.visit("/", id)
	s.visit("/nobody", "")
}

// Expired and ended sessions take no room in the store.
func TestNothingIsLeftBehind(t *testing.T) {
	s := newSite(t, session.Options{})
	s.begin(t, "/set/a/b")
	id := s.begin(t, "/signin/ann")
	s.visit("/renew", id)
	s.visit("/signout", s.begin(t, "/signin/bob"))
	s.clock.Advance(13 * time.Hour)
	if dump := s.store.dump(t); dump != "" {
		t.Errorf("the store still has\n%s", dump)
	}
}
