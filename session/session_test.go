package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

func TestValues(t *testing.T) {
	s := newSite(t, session.Options{})
	type cart struct {
		Items []string
		Total int
	}
	bought := cart{[]string{"tea", "cup"}, 900}
	s.app.Get("/buy", func(r *ishaa.Request) (any, error) { return nil, session.From(r).Set("cart", bought) })
	s.app.Get("/check", func(r *ishaa.Request) (any, error) {
		ss := session.From(r)
		got, err := session.Value[cart](ss, "cart")
		if err != nil || got.Total != 900 || !slices.Equal(got.Items, bought.Items) {
			t.Errorf("the cart is %+v, %v", got, err)
		}
		if n, err := session.Value[int](ss, "missing"); n != 0 || err != nil {
			t.Errorf("a missing number is %d, %v", n, err)
		}
		if _, err := session.Value[int](ss, "cart"); err == nil || !strings.Contains(err.Error(), `"cart"`) || strings.Contains(err.Error(), "tea") {
			t.Errorf("a cart as a number: %v", err)
		}
		if has, _ := ss.Has("cart"); !has {
			t.Error("there is no cart")
		}
		if err := errors.Join(ss.Set("n", 5), ss.Set("a", true)); err != nil {
			t.Error(err)
		}
		if v, _ := ss.Get("n"); v != 5.0 {
			t.Errorf("what was just set is %v (%T)", v, v)
		}
		if keys, _ := ss.Keys(); !slices.Equal(keys, []string{"a", "cart", "n"}) {
			t.Errorf("the keys are %q", keys)
		}
		if err := errors.Join(ss.Delete("n"), ss.Delete("never")); err != nil {
			t.Error(err)
		}
		if has, _ := ss.Has("n"); has {
			t.Error("a deleted key is there")
		}
		return nil, nil
	})
	s.app.Get("/clear", func(r *ishaa.Request) (any, error) { return nil, session.From(r).Clear() })
	client := ishaatest.New(t, s.app)
	client.Get("/buy").Status(204)
	client.Get("/check").Status(204)
	client.Get("/get/a").Status(200).Contains("true")
	client.Get("/get/n").Status(200).Contains("<nil>")
	client.Get("/clear").Status(204)
	client.Get("/get/cart").Contains("<nil>")
}

func TestSetRefuses(t *testing.T) {
	s := newSite(t, session.Options{MaxBytes: 1000})
	s.app.Get("/chan", func(r *ishaa.Request) (any, error) { return nil, session.From(r).Set("x", make(chan int)) })
	s.app.Get("/large", func(r *ishaa.Request) (any, error) {
		err := session.From(r).Set("x", strings.Repeat("x", 1000))
		if !errors.Is(err, session.ErrTooLarge) {
			t.Errorf("the error is %v", err)
		}
		return nil, nil
	})
	s.app.Get("/many", func(r *ishaa.Request) (any, error) {
		ss := session.From(r)
		return nil, errors.Join(ss.Set("x", strings.Repeat("x", 600)), ss.Set("y", strings.Repeat("x", 600)))
	})
	log := ishaatest.Logs(t, s.app)
	client := ishaatest.New(t, s.app)
	client.Get("/chan").Status(500)
	client.Get("/large").Status(204)
	client.Get("/many").Status(500)
	if _, ok := client.Cookie("session"); ok {
		t.Error("a session that could not be saved has a cookie")
	}
	for _, r := range log.Records() {
		if strings.Contains(r.String(), "xxxx") {
			t.Errorf("the log has the values: %s", r)
		}
	}
}

func TestStoreIsAskedForWhatIsNeeded(t *testing.T) {
	s := newSite(t, session.Options{})
	id := s.begin(t, "/set/theme/dark")
	for _, c := range []struct {
		name, path, id string
		reads, writes  int64
	}{
		{"a request that does not ask", "/plain", id, 0, 0},
		{"no cookie", "/get/theme", "", 0, 0},
		{"what cannot be an id", "/get/theme", "short", 0, 0},
		{"reading", "/get/theme", id, 1, 0},
		{"changing", "/set/theme/light", id, 1, 1},
		{"an id that is nobody's", "/get/theme", strings.Repeat("A", 43), 1, 0},
	} {
		reads, writes := s.store.spent(func() { s.visit(c.path, c.id) })
		if reads != c.reads || writes != c.writes {
			t.Errorf("%s: %d reads and %d writes, want %d and %d", c.name, reads, writes, c.reads, c.writes)
		}
	}
	s.clock.Advance(59 * time.Second)
	if _, writes := s.store.spent(func() { s.visit("/get/theme", id) }); writes != 0 {
		t.Errorf("a visit within the minute is noted: %d writes", writes)
	}
	s.clock.Advance(time.Second)
	if _, writes := s.store.spent(func() { s.visit("/get/theme", id) }); writes != 1 {
		t.Errorf("a visit after a minute costs %d writes, want 1", writes)
	}
	if _, writes := s.store.spent(func() { s.visit("/plain", id) }); writes != 0 {
		t.Errorf("a request that does not ask is noted: %d writes", writes)
	}
}

func TestAnswersAreMarkedPrivate(t *testing.T) {
	s := newSite(t, session.Options{})
	control := func(pattern, value string) {
		s.app.Get(pattern, func(r *ishaa.Request) (any, error) {
			r.Response().Header().Set("Cache-Control", value)
			_, err := session.From(r).Get("theme")
			return ishaa.Text("x"), err
		})
	}
	control("/public", "public, max-age=600")
	control("/private", "max-age=600, Private")
	s.app.Get("/vary", func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("Vary", "Accept, cookie")
		_, err := session.From(r).Get("theme")
		return ishaa.Text("x"), err
	})
	s.app.Get("/problem", func(r *ishaa.Request) (any, error) {
		if _, err := session.From(r).User(); err != nil {
			return nil, err
		}
		return nil, ishaa.NotFound("there is none for you")
	})
	for path, want := range map[string][2]string{
		"/plain":          {"", ""},
		"/get/theme":      {"Cookie", "no-store"},
		"/set/theme/dark": {"Cookie", "no-store"},
		"/public":         {"Cookie", "no-store"},
		"/private":        {"Cookie", "max-age=600, Private"},
		"/vary":           {"Accept, cookie", "no-store"},
		"/problem":        {"Cookie", "no-store"},
	} {
		w := s.visit(path, "")
		vary := slices.DeleteFunc(w.Header()["Vary"], func(v string) bool { return v == "Accept" })
		if got := [2]string{strings.Join(vary, "; "), w.Header().Get("Cache-Control")}; got != want {
			t.Errorf("%s: Vary and Cache-Control are %q, want %q", path, got, want)
		}
	}
}

func TestCookie(t *testing.T) {
	t.Run("plain HTTP", func(t *testing.T) {
		s := newSite(t, session.Options{})
		header := s.visit("/set/a/b", "").Header()["Set-Cookie"]
		if len(header) != 1 || !strings.HasPrefix(header[0], "session=") || !strings.HasSuffix(header[0], "; Path=/; HttpOnly; SameSite=Lax") {
			t.Errorf("the cookie is %q", header)
		}
	})
	t.Run("TLS", func(t *testing.T) {
		s := newSite(t, session.Options{SameSite: http.SameSiteStrictMode, Cookie: "id"})
		client := ishaatest.New(t, s.app, ishaatest.TLS())
		cookie := client.Get("/set/a/b").Status(200).Cookie("__Host-id")
		if !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || cookie.SameSite != http.SameSiteStrictMode || cookie.MaxAge != 0 || !cookie.Expires.IsZero() {
			t.Errorf("the cookie is %+v", cookie)
		}
		client.Get("/get/a").Contains("b")
		other := ishaatest.New(t, s.app, ishaatest.TLS())
		other.SetCookie(&http.Cookie{Name: "id", Value: cookie.Value})
		other.Get("/get/a").Contains("<nil>") // set without TLS, or by a neighbouring domain
	})
	t.Run("persistent", func(t *testing.T) {
		s := newSite(t, session.Options{Persistent: true, MaxAge: 24 * time.Hour})
		w := s.visit("/set/a/b", "")
		cookie := w.Result().Cookies()[0]
		if cookie.MaxAge != 86400 || !cookie.Expires.Equal(epoch.Add(24*time.Hour)) {
			t.Errorf("the cookie lasts %d s, until %v", cookie.MaxAge, cookie.Expires)
		}
	})
	t.Run("only when the id changes", func(t *testing.T) {
		s := newSite(t, session.Options{})
		id := s.begin(t, "/set/a/b")
		for _, path := range []string{"/get/a", "/set/a/c", "/flash/x", "/flashes", "/plain"} {
			if w := s.visit(path, id); len(w.Header()["Set-Cookie"]) != 0 {
				t.Errorf("%s sets %q", path, w.Header()["Set-Cookie"])
			}
		}
		if w := s.visit("/flashes", ""); len(w.Header()["Set-Cookie"]) != 0 {
			t.Error("a visitor of whom nothing is to be kept gets a cookie")
		}
	})
	t.Run("dropped at sign-out", func(t *testing.T) {
		s := newSite(t, session.Options{})
		w := s.visit("/signout", s.begin(t, "/signin/ann"))
		if cookies := w.Result().Cookies(); len(cookies) != 1 || cookies[0].MaxAge != -1 || cookies[0].Value != "" {
			t.Errorf("the cookies are %v", cookies)
		}
	})
}

func TestStoreAway(t *testing.T) {
	s := newSite(t, session.Options{})
	s.app.Get("/careless", func(r *ishaa.Request) (any, error) {
		user, _ := session.From(r).User()
		return ishaa.Text("hello, " + user), nil
	})
	s.app.Get("/early", func(r *ishaa.Request) (any, error) {
		ss := session.From(r)
		if err := ss.Set("a", 1); err != nil {
			return nil, err
		}
		return nil, ss.Save(r.Context())
	})
	id := s.begin(t, "/signin/ann")
	s.store.down.Store(true)
	for _, path := range []string{"/user", "/get/a", "/set/a/b", "/signin/bob", "/renew", "/signout", "/flashes", "/careless", "/early", "/handle"} {
		w := s.visit(path, id)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "10.1.2.3") {
			t.Errorf("%s: status %d, Retry-After %q: %s", path, w.Code, w.Header().Get("Retry-After"), w.Body)
		}
		if len(w.Header()["Set-Cookie"]) != 0 {
			t.Errorf("%s sets a cookie", path)
		}
	}
	if w := s.visit("/plain", id); w.Code != 200 {
		t.Errorf("a request that needs no session: status %d", w.Code)
	}
	s.store.down.Store(false)
	s.want(t, "/user", id, "ann")
}

// A request whose work failed keeps nothing of it, but a sign-out stays one.
func TestFailedRequestsSaveNothing(t *testing.T) {
	s := newSite(t, session.Options{})
	s.app.Get("/fails", func(r *ishaa.Request) (any, error) {
		return nil, errors.Join(session.From(r).Set("a", "half"), errors.New("broken"))
	})
	s.app.Get("/panics", func(r *ishaa.Request) (any, error) {
		_ = session.From(r).SignIn("eve")
		panic("broken")
	})
	s.app.Get("/refuses", func(r *ishaa.Request) (any, error) {
		return nil, errors.Join(session.From(r).Set("a", "kept"), ishaa.Forbidden("no"))
	})
	s.app.Get("/out", func(r *ishaa.Request) (any, error) {
		return nil, errors.Join(session.From(r).Destroy(), errors.New("broken"))
	})
	id := s.begin(t, "/set/a/whole")
	s.visit("/fails", id)
	s.want(t, "/get/a", id, "whole")
	s.visit("/panics", id)
	s.want(t, "/user", id, "")
	s.visit("/refuses", id)
	s.want(t, "/get/a", id, "kept")
	if w := s.visit("/out", id); len(w.Result().Cookies()) != 1 {
		t.Error("the cookie stays")
	}
	s.want(t, "/get/a", id, "<nil>")
}

func TestWithoutMiddleware(t *testing.T) {
	app := newApp()
	app.Get("/", func(r *ishaa.Request) (any, error) {
		for name, err := range map[string]error{
			"Set": session.From(r).Set("a", 1), "Renew": session.From(r).Renew(), "Destroy": session.From(r).Destroy(),
			"Save": session.From(r).Save(r.Context()), "Flash": session.From(r).Flash("a", "b"),
		} {
			if err == nil || !strings.Contains(err.Error(), "app.Use(sessions.Middleware())") {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := session.From(r).User()
		return nil, err
	})
	ishaatest.New(t, app).Get("/").Status(500)
	if _, err := session.FromContext(context.Background()).User(); err == nil {
		t.Error("a context without a request has a session")
	}
}

func TestOnARouteAndInTypedHandlers(t *testing.T) {
	sessions := session.New(store.NewMemory(store.MemoryOptions{}), session.Options{})
	app := newApp()
	type name struct {
		Name string `path:"name"`
	}
	ishaa.Get(app, "/hello/<name>", func(ctx context.Context, in *name) (string, error) {
		s := session.FromContext(ctx)
		before, err := session.Value[string](s, "name")
		return before, errors.Join(err, s.Set("name", in.Name))
	}, sessions.Middleware())
	client := ishaatest.New(t, app)
	client.Get("/hello/ann").Status(200)
	client.Get("/hello/bob").Contains("ann")
	client.Get("/hello/cid").Contains("bob")
}

func TestSeveralSessionsInOneApplication(t *testing.T) {
	st := store.NewMemory(store.MemoryOptions{})
	shop := session.New(st, session.Options{})
	admin := session.New(st, session.Options{Cookie: "admin", Prefix: "admin", MaxAge: time.Hour})
	app := newApp()
	app.Use(shop.Middleware(), admin.Middleware())
	app.Get("/set", func(r *ishaa.Request) (any, error) {
		return nil, errors.Join(shop.From(r).Set("x", "shop"), admin.From(r).Set("x", "admin"))
	})
	app.Get("/get", func(r *ishaa.Request) (any, error) {
		a, err1 := shop.From(r).Get("x")
		b, err2 := admin.From(r).Get("x")
		c, err3 := session.From(r).Get("x")
		return ishaa.Text(fmt.Sprint(a, " ", b, " ", c)), errors.Join(err1, err2, err3)
	})
	client := ishaatest.New(t, app)
	client.Get("/set").Status(204)
	client.Get("/get").Contains("shop admin admin")
}

// The head of a streamed answer is out before the stream runs.
func TestStreams(t *testing.T) {
	s := newSite(t, session.Options{})
	s.app.Get("/stream", func(r *ishaa.Request) (any, error) {
		ss := session.From(r)
		if err := ss.Set("a", "before"); err != nil {
			return nil, err
		}
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			value, err := ss.Get("a")
			if err != nil {
				return err
			}
			if err := ss.Set("a", "late"); err == nil || !strings.Contains(err.Error(), "on its way") {
				t.Errorf("Set in the stream: %v", err)
			}
			_, err = fmt.Fprint(w, value)
			return err
		}), nil
	})
	w := s.visit("/stream", "")
	if w.Body.String() != "before" {
		t.Errorf("the stream is %q", w.Body)
	}
	s.want(t, "/get/a", idOf(w), "before")
}

func TestByID(t *testing.T) {
	ctx := context.Background()
	s := newSite(t, session.Options{})
	id, err := s.sessions.Create(ctx, map[string]any{"user_id": 1, "theme": "dark"})
	if err != nil || len(id) != 43 {
		t.Fatalf("Create gives %q, %v", id, err)
	}
	got, err := s.sessions.Get(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if theme, _ := got.Get("theme"); theme != "dark" {
		t.Errorf("the theme is %v", theme)
	}
	if err := errors.Join(got.Set("theme", "light"), got.Save(ctx)); err != nil {
		t.Fatal(err)
	}
	s.want(t, "/get/theme", id, "light")
	if err := errors.Join(got.SignIn("ann"), got.Save(ctx)); err != nil {
		t.Fatal(err)
	}
	next, err := got.ID()
	if err != nil || next == id {
		t.Errorf("after SignIn the id is %q, %v", next, err)
	}
	s.want(t, "/user", next, "ann")
	if _, err := s.sessions.Get(ctx, id); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("the old id: %v", err)
	}
	if err := s.sessions.Destroy(ctx, next); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{next, "", "x", strings.Repeat("é", 30), strings.Repeat("A", 44)} {
		if _, err := s.sessions.Get(ctx, id); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Get(%q): %v", id, err)
		}
		if err := s.sessions.Destroy(ctx, id); err != nil {
			t.Errorf("Destroy(%q): %v", id, err)
		}
	}
	empty, err := s.sessions.Create(ctx, nil)
	if _, err2 := s.sessions.Get(ctx, empty); err != nil || err2 != nil {
		t.Errorf("a session without values: %v, %v", err, err2)
	}
	if _, err := s.sessions.Create(ctx, map[string]any{"x": func() {}}); err == nil {
		t.Error("a function was kept")
	}
}

// A shadow sees what it did itself, tells it, and changes nothing.
func TestShadow(t *testing.T) {
	s := newSite(t, session.Options{})
	id := s.begin(t, "/signin/ann")
	before := s.store.dump(t)
	run := func() []string {
		var intents []string
		shadow := effect.WithShadow(context.Background(), effect.RecorderFunc(func(i effect.Intent) {
			intents = append(intents, i.Kind+" "+i.Detail)
		}))
		ss, err := s.sessions.Get(shadow, id)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(ss.Set("card", "4111"), ss.Delete("b"), ss.Flash("info", "x"), ss.Renew(), ss.Save(shadow)); err != nil {
			t.Error(err)
		}
		if v, _ := ss.Get("card"); v != "4111" {
			t.Errorf("the shadow reads %v", v)
		}
		if err := errors.Join(ss.Destroy(), s.sessions.EndAll(shadow, "ann")); err != nil {
			t.Error(err)
		}
		if id, err := s.sessions.Create(shadow, map[string]any{"a": 1}); err != nil || len(id) != 43 {
			t.Errorf("a shadow creates %q, %v", id, err)
		}
		return intents
	}
	first, second := run(), run()
	if len(first) < 7 || !slices.Equal(first, second) {
		t.Errorf("the intents are\n%q and\n%q", first, second)
	}
	if strings.Contains(fmt.Sprint(first), "4111") {
		t.Error("an intent has the value")
	}
	if after := s.store.dump(t); after != before {
		t.Errorf("the store was\n%s\nand is\n%s", before, after)
	}
}

// A copy of the request runs on a session of its own, at the same time, and sees
// what the request had read.
func TestSnapshots(t *testing.T) {
	s := newSite(t, session.Options{})
	var snapshot *ishaa.Snapshot
	s.app.Get("/copied", func(r *ishaa.Request) (any, error) {
		ss := session.From(r)
		if _, err := ss.User(); err != nil {
			return nil, err
		}
		var err error
		if snapshot, err = r.Snapshot(1 << 10); err != nil {
			return nil, err
		}
		return ishaa.Text("x"), ss.SignIn("bob")
	})
	w := s.visit("/copied", s.begin(t, "/signin/ann"))
	var seen string
	_, err := snapshot.Run(effect.WithShadow(context.Background(), nil), func(r *ishaa.Request) (any, error) {
		ss := session.From(r)
		if ss != session.From(r) || ss != s.sessions.From(r) {
			t.Error("the copy has several sessions")
		}
		user, err := ss.User()
		seen = user
		return nil, errors.Join(err, ss.Set("a", "shadow"))
	})
	if err != nil || seen != "ann" {
		t.Errorf("the copy's user is %q, %v", seen, err)
	}
	s.want(t, "/user", idOf(w), "bob")
	s.want(t, "/get/a", idOf(w), "<nil>")
}

// Copies run while the request itself goes on.
func TestSnapshotsInParallel(t *testing.T) {
	s := newSite(t, session.Options{})
	var wg sync.WaitGroup
	s.app.Get("/copied", func(r *ishaa.Request) (any, error) {
		for i := range 4 {
			if i == 2 { // before it the copies read by themselves
				if _, err := session.From(r).User(); err != nil {
					return nil, err
				}
			}
			snapshot, err := r.Snapshot(1 << 10)
			if err != nil {
				return nil, err
			}
			wg.Go(func() {
				_, err := snapshot.Run(effect.WithShadow(context.Background(), nil), func(r *ishaa.Request) (any, error) {
					ss := session.From(r)
					_, err := ss.User()
					return nil, errors.Join(err, ss.Set("a", "shadow"), ss.Renew(), ss.Destroy())
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		return ishaa.Text("x"), errors.Join(session.From(r).Set("a", "request"), session.From(r).Renew())
	})
	w := s.visit("/copied", s.begin(t, "/signin/ann"))
	wg.Wait()
	s.want(t, "/user", idOf(w), "ann")
	s.want(t, "/get/a", idOf(w), "request")
}

func TestReadingIsAnIdentity(t *testing.T) {
	s := newSite(t, session.Options{})
	var kinds []ishaa.InputKind
	s.app.Get("/traced", func(r *ishaa.Request) (any, error) {
		r.Trace(func(in ishaa.Input, _ string) { kinds = append(kinds, in.Kind) })
		_, err := session.From(r).User()
		return nil, err
	})
	s.visit("/traced", "")
	if !slices.Contains(kinds, ishaa.InputIdentity) {
		t.Errorf("the inputs are %v", kinds)
	}
}

func TestMistakes(t *testing.T) {
	st := store.NewMemory(store.MemoryOptions{})
	for name, c := range map[string]struct {
		kv      store.KV
		options session.Options
		want    string
	}{
		"no store":  {nil, session.Options{}, "store.Open"},
		"cookie":    {st, session.Options{Cookie: "a b"}, "cannot be the name"},
		"lifetime":  {st, session.Options{MaxAge: -1}, "positive"},
		"same site": {st, session.Options{SameSite: http.SameSiteNoneMode}, "Lax or Strict"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, c.want) || !strings.Contains(text, "session_test.go:") {
					t.Errorf("it says %q", text)
				}
			}()
			session.New(c.kv, c.options)
		})
	}
}

func TestNothingSecretIsPrinted(t *testing.T) {
	s := newSite(t, session.Options{})
	id := s.begin(t, "/set/card/4111")
	ss, err := s.sessions.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, ss); strings.Contains(text, id) || strings.Contains(text, "4111") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}
