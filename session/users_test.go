package session_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/session"
)

func TestMySessions(t *testing.T) {
	ctx := context.Background()
	s := newSite(t, session.Options{})
	s.app.Get("/mine", func(r *ishaa.Request) (any, error) {
		ss := session.From(r)
		user, err := ss.User()
		if err != nil {
			return nil, err
		}
		return s.sessions.List(r.Context(), user)
	})
	laptop := idOf(s.visit("/signin/ann", "", "User-Agent: Laptop/1.0"))
	s.clock.Advance(2 * time.Minute)
	phone := idOf(s.visit("/signin/ann", "", "User-Agent: "+strings.Repeat("é", 200)))
	s.visit("/signin/bob", "")
	s.clock.Advance(time.Minute)
	s.visit("/user", laptop, "User-Agent: Laptop/1.1")

	list, err := s.sessions.List(ctx, "ann")
	if err != nil || len(list) != 2 {
		t.Fatalf("ann has %+v, %v", list, err)
	}
	first, second := list[0], list[1]
	if first.Agent != "Laptop/1.1" || !first.Created.Equal(epoch) || !first.Seen.Equal(epoch.Add(3*time.Minute)) || first.Address != "192.0.2.1" || first.Current {
		t.Errorf("the laptop is %+v", first)
	}
	if second.Agent != strings.Repeat("é", 128) || !second.Seen.Equal(epoch.Add(2*time.Minute)) {
		t.Errorf("the phone is %+v", second)
	}
	if got := s.visit("/handle", laptop).Body.String(); got != first.Handle || strings.Contains(laptop, got) {
		t.Errorf("the laptop's handle is %q and %q", got, first.Handle)
	}
	if body := s.visit("/mine", phone).Body.String(); strings.Count(body, `"Current":true`) != 1 {
		t.Errorf("the list in a request is %s", body)
	}

	// A user ends sessions of their own only.
	if err := s.sessions.End(ctx, "bob", first.Handle); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("bob ends ann's session: %v", err)
	}
	s.want(t, "/user", laptop, "ann")
	if err := s.sessions.End(ctx, "ann", first.Handle); err != nil {
		t.Error(err)
	}
	s.want(t, "/user", laptop, "")
	s.want(t, "/user", phone, "ann")
	if err := s.sessions.End(ctx, "ann", first.Handle); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("it ends twice: %v", err)
	}
	if err := s.sessions.End(ctx, "ann", "nonsense"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("nonsense ends: %v", err)
	}
	if list, _ := s.sessions.List(ctx, "nobody"); list == nil || len(list) != 0 {
		t.Errorf("nobody has %v", list)
	}
}

func TestSignOutEverywhere(t *testing.T) {
	ctx := context.Background()
	s := newSite(t, session.Options{})
	var ids []string
	for range 5 {
		ids = append(ids, s.begin(t, "/signin/ann"))
	}
	bob := s.begin(t, "/signin/bob")
	keep := s.visit("/handle", ids[2]).Body.String()
	if err := s.sessions.EndAll(ctx, "ann", keep); err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		want := ""
		if i == 2 {
			want = "ann"
		}
		s.want(t, "/user", id, want)
	}
	if err := errors.Join(s.sessions.EndAll(ctx, "ann"), s.sessions.EndAll(ctx, "nobody")); err != nil {
		t.Fatal(err)
	}
	s.want(t, "/user", ids[2], "")
	s.want(t, "/user", bob, "bob")
}

// EndAll ends also a session that is just being given a new id, at whatever point
// of that it comes.
func TestSignOutEverywhereWhileRenewing(t *testing.T) {
	for stop := 1; ; stop++ {
		s := newSite(t, session.Options{})
		id := s.begin(t, "/signin/ann")
		operations, done := 0, false
		s.store.before = func(operation, key string) {
			if operations++; operations == stop {
				done = true
				s.store.before = nil
				if err := s.sessions.EndAll(context.Background(), "ann"); err != nil {
					t.Error(err)
				}
			}
		}
		next := idOf(s.visit("/renew", id))
		s.store.before = nil
		if !done {
			if stop < 6 {
				t.Errorf("renewing takes %d operations", stop-1)
			}
			return
		}
		s.want(t, "/user", id, "")
		if next != "" {
			s.want(t, "/user", next, "")
		}
		if list, err := s.sessions.List(context.Background(), "ann"); err != nil || len(list) != 0 {
			t.Errorf("before operation %d: ann still has %v, %v", stop, list, err)
		}
	}
}

// The same with everything at once: when EndAll has returned, no session that was
// there before it is alive.
func TestSignOutEverywhereUnderLoad(t *testing.T) {
	s := newSite(t, session.Options{PerUser: 1000})
	for range 10 {
		var mu sync.Mutex
		var ids []string
		var wg sync.WaitGroup
		for range 4 {
			id := s.begin(t, "/signin/ann")
			wg.Go(func() {
				for range 5 {
					if next := idOf(s.visit("/renew", id)); next != "" {
						id = next
					}
					mu.Lock()
					ids = append(ids, id)
					mu.Unlock()
				}
			})
		}
		wg.Go(func() {
			if err := s.sessions.EndAll(context.Background(), "ann"); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		for _, id := range ids {
			s.want(t, "/user", id, "")
		}
	}
}

func TestPerUser(t *testing.T) {
	s := newSite(t, session.Options{PerUser: 3, Idle: 30 * time.Minute})
	alive := func(ids []string) (list []int) {
		for i, id := range ids {
			if s.visit("/user", id).Body.String() == "ann" {
				list = append(list, i)
			}
		}
		return list
	}
	var ids []string
	for range 5 {
		ids = append(ids, s.begin(t, "/signin/ann"))
		s.clock.Advance(10 * time.Second)
	}
	if got := alive(ids); !slices.Equal(got, []int{2, 3, 4}) {
		t.Errorf("alive are %v", got)
	}
	// A new id is not one session more.
	ids[2] = idOf(s.visit("/renew", ids[2]))
	ids[3] = idOf(s.visit("/signin/ann", ids[3]))
	if got := alive(ids); !slices.Equal(got, []int{2, 3, 4}) {
		t.Errorf("after renewals alive are %v", got)
	}
	// Those that have expired make room first, also for one that is older.
	s.clock.Advance(20 * time.Minute)
	s.visit("/user", ids[2])
	s.clock.Advance(20 * time.Minute)
	ids = append(ids, s.begin(t, "/signin/ann"))
	if got := alive(ids); !slices.Equal(got, []int{2, 5}) {
		t.Errorf("after a pause alive are %v", got)
	}
	t.Run("one only", func(t *testing.T) {
		s := newSite(t, session.Options{PerUser: 1})
		first := s.begin(t, "/signin/ann")
		s.visit("/set/a/b", first)
		first = idOf(s.visit("/renew", first))
		s.want(t, "/get/a", first, "b")
		second := s.begin(t, "/signin/ann")
		s.want(t, "/user", first, "")
		s.want(t, "/user", second, "ann")
	})
}

func TestUsersOfAnyName(t *testing.T) {
	s := newSite(t, session.Options{})
	ctx := context.Background()
	for _, user := range []string{"a:b", "*", strings.Repeat("long", 1000), "\x00", "ü"} {
		ss, err := func() (*session.Session, error) {
			id, err := s.sessions.Create(ctx, nil)
			if err != nil {
				return nil, err
			}
			return s.sessions.Get(ctx, id)
		}()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(ss.SignIn(user), ss.Save(ctx)); err != nil {
			t.Errorf("%.10q: %v", user, err)
		}
		if list, err := s.sessions.List(ctx, user); err != nil || len(list) != 1 {
			t.Errorf("%.10q has %v, %v", user, list, err)
		}
	}
	for _, user := range []string{"", "\xff"} {
		if err := new(session.Session).SignIn(user); err == nil || !strings.Contains(err.Error(), "UTF-8") {
			t.Errorf("%q signs in: %v", user, err)
		}
	}
	if err := new(session.Session).Set("\xff", 1); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("a key that is not UTF-8: %v", err)
	}
}
