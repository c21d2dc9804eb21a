package session_test

import (
	"context"
	"slices"
	"testing"

	"github.com/ishaa-framework/ishaa/session"
)

// Two requests with one cookie: the second comes at each point at which the first
// asks the store. Whatever they do, and whenever, the old id is dead if either of
// them ended or renewed the session, nobody who was signed out is signed in, and
// what both have set is there.
func TestInterleavedRequests(t *testing.T) {
	paths := map[string]string{
		"read": "/user", "set": "/set/first/x", "set another": "/set/second/x", "renew": "/renew", "sign in": "/signin/ann",
		"sign out": "/signout", "flash": "/flash/hello", "take flashes": "/flashes", "sign out everywhere": "",
	}
	renews := []string{"renew", "sign in"}
	ends := []string{"sign out", "sign out everywhere"}
	for first := range paths {
		for second := range paths {
			for stop := 1; ; stop++ {
				s := newSite(t, session.Options{})
				id := s.begin(t, "/signin/ann")
				ids := []string{id}
				do := func(name string) {
					if name == "sign out everywhere" {
						if err := s.sessions.EndAll(context.Background(), "ann"); err != nil {
							t.Error(err)
						}
						return
					}
					w := s.visit(paths[name], id)
					if w.Code != 200 {
						t.Errorf("%s: status %d", name, w.Code)
					}
					if next := idOf(w); next != "" {
						ids = append(ids, next)
					}
				}
				count, done := 0, false
				s.store.before = func(string, string) {
					if count++; count == stop {
						s.store.before, done = nil, true
						do(second)
					}
				}
				do(first)
				s.store.before = nil
				if !done {
					break
				}
				var alive []string
				for _, id := range ids {
					if s.visit("/user", id).Body.String() == "ann" {
						alive = append(alive, id)
					}
				}
				fail := func(text string) {
					t.Errorf("%q at operation %d of %q: %s; %d of %d sessions are alive", second, stop, first, text, len(alive), len(ids))
				}
				ended := slices.Contains(ends, first) || slices.Contains(ends, second)
				renewed := slices.Contains(renews, first) || slices.Contains(renews, second)
				signs := first == "sign in" || second == "sign in"
				if (ended || renewed) && slices.Contains(alive, id) {
					fail("the old id is alive")
				}
				if ended && !signs && len(alive) > 0 {
					fail("somebody who was signed out is signed in")
				}
				if !ended && len(alive) == 0 {
					fail("the session is lost")
				}
				if list, err := s.sessions.List(context.Background(), "ann"); err != nil || len(list) != len(alive) {
					fail("the list of sessions is wrong")
				}
				for _, c := range []struct{ name, path string }{{"set", "/get/first"}, {"set another", "/get/second"}} {
					if (first == c.name || second == c.name) && !ended && !renewed && s.visit(c.path, id).Body.String() != "x" {
						fail("what was set is lost")
					}
				}
			}
		}
	}
}
