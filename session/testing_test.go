package session_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

// What the tests share: an application with routes for everything that can be done
// to a session, a clock, and a store that counts and fails on demand.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

type site struct {
	app      *ishaa.App
	sessions *session.Sessions
	clock    *ishaatest.Clock
	store    *watched
}

// newApp has no log: tests that read it use a client.
func newApp() *ishaa.App {
	return ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
}

func newSite(t testing.TB, options session.Options) *site {
	t.Helper()
	clock := ishaatest.NewClock(epoch)
	st := &watched{KV: store.NewMemory(store.MemoryOptions{Now: clock.Now})}
	return siteOn(t, st, clock, options)
}

func siteOn(t testing.TB, st *watched, clock *ishaatest.Clock, options session.Options) *site {
	t.Helper()
	options.Clock = clock
	s := &site{app: newApp(), clock: clock, store: st, sessions: session.New(st, options)}
	s.app.SetClock(clock)
	s.app.Use(s.sessions.Middleware())
	s.routes()
	return s
}

func (s *site) routes() {
	do := func(pattern string, fn func(r *ishaa.Request, s *session.Session) (any, error)) {
		s.app.Get(pattern, func(r *ishaa.Request) (any, error) { return fn(r, session.From(r)) })
	}
	done := func(err error) (any, error) { return ishaa.Text("done"), err }
	do("/plain", func(r *ishaa.Request, _ *session.Session) (any, error) { return ishaa.Text("plain"), nil })
	do("/set/<key>/<value>", func(r *ishaa.Request, s *session.Session) (any, error) {
		return done(s.Set(r.Param("key"), r.Param("value")))
	})
	do("/get/<key>", func(r *ishaa.Request, s *session.Session) (any, error) {
		value, err := s.Get(r.Param("key"))
		return ishaa.Text(fmt.Sprint(value)), err
	})
	do("/signin/<user>", func(r *ishaa.Request, s *session.Session) (any, error) { return done(s.SignIn(r.Param("user"))) })
	do("/user", func(r *ishaa.Request, s *session.Session) (any, error) {
		user, err := s.User()
		return ishaa.Text(user), err
	})
	do("/renew", func(r *ishaa.Request, s *session.Session) (any, error) { return done(s.Renew()) })
	do("/signout", func(r *ishaa.Request, s *session.Session) (any, error) { return done(s.Destroy()) })
	do("/bye", func(r *ishaa.Request, s *session.Session) (any, error) {
		return done(errors.Join(s.Destroy(), s.Flash("info", "Signed out.")))
	})
	do("/flash/<text>", func(r *ishaa.Request, s *session.Session) (any, error) {
		return done(s.Flash("info", r.Param("text")))
	})
	do("/flashes", func(r *ishaa.Request, s *session.Session) (any, error) {
		list, err := s.Flashes()
		return ishaa.Text(fmt.Sprint(list)), err
	})
	do("/handle", func(r *ishaa.Request, s *session.Session) (any, error) {
		handle, err := s.Handle()
		return ishaa.Text(handle), err
	})
}

// visit sends a request with a cookie, or none.
func (s *site) visit(path, id string, headers ...string) *httptest.ResponseRecorder {
	return visit(s.app, path, id, headers...)
}

func visit(app http.Handler, path, id string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	if id != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: id})
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

// idOf is the id that an answer gives, or "".
func idOf(w *httptest.ResponseRecorder) string {
	for _, cookie := range w.Result().Cookies() {
		if strings.HasSuffix(cookie.Name, "session") && cookie.MaxAge >= 0 {
			return cookie.Value
		}
	}
	return ""
}

// begin starts a session and returns its id.
func (s *site) begin(t testing.TB, path string) string {
	t.Helper()
	w := s.visit(path, "")
	id := idOf(w)
	if w.Code != 200 || id == "" {
		t.Fatalf("GET %s: status %d and session %q: %s", path, w.Code, id, w.Body)
	}
	return id
}

// want checks what a path answers for an id.
func (s *site) want(t testing.TB, path, id, body string) {
	t.Helper()
	if w := s.visit(path, id); w.Code != 200 || w.Body.String() != body {
		t.Errorf("GET %s: status %d and %q, want %q", path, w.Code, w.Body, body)
	}
}

// watched is a store that counts what is asked of it, and fails on demand.
type watched struct {
	store.KV
	reads, writes atomic.Int64
	down          atomic.Bool
	before        func(operation, key string) // runs before each operation
}

var errDown = fmt.Errorf("dialing 10.1.2.3: %w", store.ErrUnavailable)

func (w *watched) enter(count *atomic.Int64, operation, key string) error {
	count.Add(1)
	if w.before != nil {
		w.before(operation, key)
	}
	if w.down.Load() {
		return errDown
	}
	return nil
}

func (w *watched) Get(ctx context.Context, key string) ([]byte, error) {
	if err := w.enter(&w.reads, "get", key); err != nil {
		return nil, err
	}
	return w.KV.Get(ctx, key)
}

func (w *watched) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := w.enter(&w.writes, "set", key); err != nil {
		return err
	}
	return w.KV.Set(ctx, key, value, ttl)
}

func (w *watched) Delete(ctx context.Context, key string) error {
	if err := w.enter(&w.writes, "delete", key); err != nil {
		return err
	}
	return w.KV.Delete(ctx, key)
}

func (w *watched) CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	if err := w.enter(&w.writes, "swap", key); err != nil {
		return false, err
	}
	return w.KV.CompareAndSwap(ctx, key, old, value, ttl)
}

func (w *watched) Scan(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return w.KV.Scan(ctx, prefix)
}

// spent runs a function and says what it cost the store.
func (w *watched) spent(fn func()) (reads, writes int64) {
	reads, writes = w.reads.Load(), w.writes.Load()
	fn()
	return w.reads.Load() - reads, w.writes.Load() - writes
}

// dump is everything in the store.
func (w *watched) dump(t testing.TB) string {
	t.Helper()
	var out strings.Builder
	for key, err := range w.KV.Scan(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		value, _ := w.KV.Get(context.Background(), key)
		fmt.Fprintf(&out, "%s = %s\n", key, value)
	}
	return out.String()
}
