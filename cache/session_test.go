package cache_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

// Answers that a session has a part in are never kept, by whichever way it has.
func TestCachedWithSessions(t *testing.T) {
	clock := ishaatest.NewClock(noon)
	st := store.NewMemory(store.MemoryOptions{Now: clock.Now})
	defer st.Close()
	sessions := session.New(st, session.Options{Clock: clock})
	ids := map[string]string{}
	for _, who := range []string{"alice", "bob"} {
		id, err := sessions.Create(t.Context(), map[string]any{"name": who})
		if err != nil {
			t.Fatal(err)
		}
		ids[who] = id
	}
	nameIn := func(s *session.Session) string {
		name, err := session.Value[string](s, "name")
		if err != nil {
			t.Error(err)
		}
		return name
	}
	for name, handler := range map[string]ishaa.Handler{
		"From":        func(r *ishaa.Request) (any, error) { return secretOf(nameIn(session.From(r))) },
		"FromContext": func(r *ishaa.Request) (any, error) { return secretOf(nameIn(session.FromContext(r.Context()))) },
		"its own":     func(r *ishaa.Request) (any, error) { return secretOf(nameIn(sessions.From(r))) },
		"changed": func(r *ishaa.Request) (any, error) {
			s := session.From(r)
			if err := s.Set("seen", r.Time()); err != nil {
				return nil, err
			}
			return secretOf(nameIn(s))
		},
		"flash messages": func(r *ishaa.Request) (any, error) {
			s := session.From(r)
			if _, err := s.Flashes(); err != nil {
				return nil, err
			}
			return secretOf(nameIn(s))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t, nil, clock)
			app := newApp(t, clock)
			app.Use(sessions.Middleware())
			app.Get("/", handler, c.Cached(time.Hour, cache.Stale(time.Hour)))
			for range 3 {
				for _, who := range []string{"alice", "bob"} {
					raw, err := http.NewRequest("GET", "http://shop.example/", nil)
					if err != nil {
						t.Fatal(err)
					}
					raw.AddCookie(&http.Cookie{Name: "session", Value: ids[who]})
					w := serve(app, raw)
					if got := w.Body.String(); !containsWhole(got, "secret of "+who) || w.Header().Get("Age") != "" {
						t.Errorf("%s got %d %q", who, w.Code, got)
					}
				}
			}
		})
	}
	// A page that has nothing to do with the session is kept, though there is one.
	c := newCache(t, nil, clock)
	app := newApp(t, clock)
	app.Use(sessions.Middleware())
	app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.Text("open"), nil }, c.Cached(time.Hour))
	ask(app, "GET", "/", "Cookie: session="+ids["alice"])
	w := ask(app, "GET", "/", "Cookie: session="+ids["bob"])
	if w.Header().Get("Age") != "0" || strings.Contains(w.Header().Get("Set-Cookie"), ids["alice"]) {
		t.Errorf("%v", w.Header())
	}
}
