package middleware_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/store"
)

func limitedApp(t testing.TB, clock *fakeClock, options middleware.RateLimitOptions) (*ishaa.App, *logBook) {
	app, log := newApp(t)
	app.SetClock(clock)
	app.Use(middleware.RateLimit(options))
	app.Get("/", text("done"))
	return app, log
}

func TestRateLimitHeaders(t *testing.T) {
	clock := newClock()
	app, _ := limitedApp(t, clock, middleware.RateLimitOptions{Max: 3, Window: time.Minute})
	for _, want := range []string{"2", "1", "0"} {
		w := do(app, "GET", "/")
		wantStatus(t, w, 200)
		wantHeader(t, w.Header(), "RateLimit-Limit", "3")
		wantHeader(t, w.Header(), "RateLimit-Remaining", want)
		wantHeader(t, w.Header(), "RateLimit-Policy", "3;w=60")
		wantHeader(t, w.Header(), "Retry-After")
	}
	w := do(app, "GET", "/")
	wantStatus(t, w, 429)
	wantHeader(t, w.Header(), "Content-Type", "application/problem+json")
	wantHeader(t, w.Header(), "RateLimit-Remaining", "0")
	wantHeader(t, w.Header(), "RateLimit-Reset", "60")
	wantHeader(t, w.Header(), "Retry-After", "20")
	wantHeader(t, w.Header(), "Cache-Control", "no-store")

	clock.advance(19*time.Second + 999*time.Millisecond)
	w = do(app, "GET", "/")
	wantStatus(t, w, 429)
	wantHeader(t, w.Header(), "Retry-After", "1")
	clock.advance(time.Millisecond)
	wantStatus(t, do(app, "GET", "/"), 200)
	wantStatus(t, do(app, "GET", "/"), 429)
	t.Run("errors and paths nobody has count too", func(t *testing.T) {
		clock.advance(time.Hour)
		w := do(app, "GET", "/nothing")
		wantStatus(t, w, 404)
		wantHeader(t, w.Header(), "RateLimit-Remaining", "2")
	})
	t.Run("a burst smaller than the window's", func(t *testing.T) {
		app, _ := limitedApp(t, clock, middleware.RateLimitOptions{Max: 60, Window: time.Minute, Burst: 2})
		w := do(app, "GET", "/")
		wantHeader(t, w.Header(), "RateLimit-Policy", "60;w=60;burst=2")
		wantHeader(t, w.Header(), "RateLimit-Remaining", "1")
		wantStatus(t, do(app, "GET", "/"), 200)
		wantStatus(t, do(app, "GET", "/"), 429)
		clock.advance(time.Second)
		wantStatus(t, do(app, "GET", "/"), 200)
		wantStatus(t, do(app, "GET", "/"), 429)
	})
}

func TestRateLimitDefaults(t *testing.T) {
	app, _ := limitedApp(t, newClock(), middleware.RateLimitOptions{})
	for range 100 {
		wantStatus(t, do(app, "GET", "/"), 200)
	}
	w := do(app, "GET", "/")
	wantStatus(t, w, 429)
	wantHeader(t, w.Header(), "RateLimit-Limit", "100")
	wantHeader(t, w.Header(), "RateLimit-Policy", "100;w=60")
}

func TestRateLimitKeys(t *testing.T) {
	one := middleware.RateLimitOptions{Max: 1}
	for _, c := range []struct {
		name          string
		options       middleware.RateLimitOptions
		first, second []string
		status        int // of the second
	}{
		{"one address, two ports", one, []string{"Peer: 192.0.2.1:1000"}, []string{"Peer: 192.0.2.1:2000"}, 429},
		{"two addresses", one, []string{"Peer: 192.0.2.1:1"}, []string{"Peer: 192.0.2.2:1"}, 200},
		{"one IPv6 network", one, []string{"Peer: [2001:db8::1]:1"}, []string{"Peer: [2001:db8::ffff:1]:1"}, 429},
		{"two IPv6 networks", one, []string{"Peer: [2001:db8:0:1::1]:1"}, []string{"Peer: [2001:db8:0:2::1]:1"}, 200},
		{"IPv4 in IPv6", one, []string{"Peer: [::ffff:192.0.2.1]:1"}, []string{"Peer: 192.0.2.1:1"}, 429},
		{"a header of the client's counts for nothing", one, []string{"X-Forwarded-For: 1.1.1.1"}, []string{"X-Forwarded-For: 2.2.2.2"}, 429},
		{"no address at all", one, []string{"Peer: @"}, []string{"Peer: "}, 429},
		{"a key of one's own", middleware.RateLimitOptions{Max: 1, Key: byAPIKey}, []string{"X-Api-Key: a"}, []string{"X-Api-Key: b"}, 200},
		{"the same key", middleware.RateLimitOptions{Max: 1, Key: byAPIKey}, []string{"X-Api-Key: a"}, []string{"X-Api-Key: a"}, 429},
		{"no key, no limit", middleware.RateLimitOptions{Max: 1, Key: byAPIKey}, nil, nil, 200},
		{"long keys are told apart", middleware.RateLimitOptions{Max: 1, Key: byAPIKey}, []string{"X-Api-Key: " + strings.Repeat("a", 5000)}, []string{"X-Api-Key: " + strings.Repeat("a", 4999) + "b"}, 200},
		{"a long key is itself", middleware.RateLimitOptions{Max: 1, Key: byAPIKey}, []string{"X-Api-Key: " + strings.Repeat("a", 5000)}, []string{"X-Api-Key: " + strings.Repeat("a", 5000)}, 429},
	} {
		t.Run(c.name, func(t *testing.T) {
			app, _ := limitedApp(t, newClock(), c.options)
			wantStatus(t, do(app, "GET", "/", c.first...), 200)
			wantStatus(t, do(app, "GET", "/", c.second...), c.status)
		})
	}
}

func byAPIKey(r *ishaa.Request) string { return r.Header("X-Api-Key") }

// hammer sends requests from 64 goroutines at once and counts those that pass.
func hammer(apps []*ishaa.App, each int, headers ...string) int64 {
	var passed atomic.Int64
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for n := range each {
				if do(apps[(i+n)%len(apps)], "GET", "/", headers...).Code == 200 {
					passed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return passed.Load()
}

// Exact under a fake clock: in this process, and over a store that two nodes share.
func TestRateLimitIsExact(t *testing.T) {
	for name, nodes := range map[string]int{"one process": 0, "one node": 1, "two nodes": 2, "four nodes": 4} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			options := middleware.RateLimitOptions{Max: 100, Window: time.Minute, StoreTimeout: patience}
			if nodes > 0 {
				st := store.NewMemory(store.MemoryOptions{Now: clock.Now})
				defer st.Close()
				options.Store = st
			}
			var apps []*ishaa.App
			for range max(1, nodes) {
				app, _ := limitedApp(t, clock, options)
				apps = append(apps, app)
			}
			if got := hammer(apps, 10); got != 100 {
				t.Errorf("%d of 640 pass at once, want 100", got)
			}
			for _, step := range []struct {
				wait time.Duration
				want int64
			}{
				{0, 0}, {599 * time.Millisecond, 0}, {time.Millisecond, 1}, {6 * time.Second, 10},
				{900 * time.Millisecond, 1}, {300 * time.Millisecond, 1}, {30 * time.Second, 50}, {time.Hour, 100},
			} {
				clock.advance(step.wait)
				if got := hammer(apps, 3); got != step.want {
					t.Errorf("%d pass after %v more, want %d", got, step.wait, step.want)
				}
			}
		})
	}
}

// brokenKV is a store that can be switched off, or made to hang.
type brokenKV struct {
	store.KV
	broken, hangs atomic.Bool
	calls         atomic.Int64
}

func (b *brokenKV) state(ctx context.Context) error {
	b.calls.Add(1)
	if b.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if b.broken.Load() {
		return store.ErrUnavailable
	}
	return nil
}

func (b *brokenKV) Get(ctx context.Context, key string) ([]byte, error) {
	if err := b.state(ctx); err != nil {
		return nil, err
	}
	return b.KV.Get(ctx, key)
}

func (b *brokenKV) CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	if err := b.state(ctx); err != nil {
		return false, err
	}
	return b.KV.CompareAndSwap(ctx, key, old, value, ttl)
}

func TestRateLimitWithoutItsStore(t *testing.T) {
	clock := newClock()
	kv := &brokenKV{KV: store.NewMemory(store.MemoryOptions{Now: clock.Now})}
	app, log := limitedApp(t, clock, middleware.RateLimitOptions{Max: 10, Window: 10 * time.Second, Store: kv})
	other, _ := limitedApp(t, clock, middleware.RateLimitOptions{Max: 10, Window: 10 * time.Second, Store: kv})
	apps, others := []*ishaa.App{app}, []*ishaa.App{other}

	for range 4 {
		wantStatus(t, do(app, "GET", "/"), 200)
	}
	kv.broken.Store(true)
	if got := hammer(apps, 1); got != 6 {
		t.Errorf("%d pass on this node's count, want the 6 that were left", got)
	}
	if got := hammer(others, 1); got != 10 {
		t.Errorf("%d pass on the other node's, want its own 10", got)
	}
	calls := kv.calls.Load()
	hammer(others, 5, "X: y")
	if now := kv.calls.Load(); now != calls {
		t.Errorf("a store that failed was asked %d times at once", now-calls)
	}
	if n := len(log.records(t, "the store of the rate limit failed; this node counts by itself")); n != 1 {
		t.Errorf("%d records say so, want 1", n)
	}
	kv.broken.Store(false)
	clock.advance(10 * time.Second)
	// One request of each node finds out; those beside it count by themselves till then.
	wantStatus(t, do(app, "GET", "/"), 200)
	wantStatus(t, do(other, "GET", "/"), 200)
	if got := hammer([]*ishaa.App{app, other}, 2); got != 8 {
		t.Errorf("%d more pass when it works again, want 8: 10 over both nodes", got)
	}
	if n := len(log.records(t, "the store of the rate limit works again")); n != 1 {
		t.Errorf("%d records say so, want 1", n)
	}

	t.Run("a store that hangs costs its timeout once", func(t *testing.T) {
		slow, _ := limitedApp(t, clock, middleware.RateLimitOptions{Max: 10, Store: kv, Name: "slow", StoreTimeout: 20 * time.Millisecond})
		kv.hangs.Store(true)
		calls := kv.calls.Load()
		for range 5 {
			wantStatus(t, do(slow, "GET", "/"), 200)
		}
		if n := kv.calls.Load() - calls; n != 1 {
			t.Errorf("it was asked %d times", n)
		}
		kv.hangs.Store(false)
	})
	t.Run("a client that goes away is no failure of the store", func(t *testing.T) {
		app, log := limitedApp(t, clock, middleware.RateLimitOptions{Max: 10, Store: kv, Name: "gone"})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		if strings.Contains(log.text(), "failed") {
			t.Error(log.text())
		}
	})
	t.Run("a key that holds something else", func(t *testing.T) {
		_ = kv.Set(t.Context(), "ratelimit:taken:192.0.2.1", []byte("mine"), 0)
		app, log := limitedApp(t, clock, middleware.RateLimitOptions{Max: 1, Store: kv, Name: "taken"})
		wantStatus(t, do(app, "GET", "/"), 200)
		wantStatus(t, do(app, "GET", "/"), 429)
		if !strings.Contains(log.text(), "another Name") {
			t.Error(log.text())
		}
	})
}

func TestRateLimitsShareByName(t *testing.T) {
	clock := newClock()
	st := store.NewMemory(store.MemoryOptions{Now: clock.Now})
	app, _ := newApp(t)
	app.SetClock(clock)
	login := middleware.RateLimitOptions{Max: 1, Store: st, Name: "login"}
	app.Get("/login", text(""), middleware.RateLimit(login))
	app.Get("/again", text(""), middleware.RateLimit(login))
	app.Get("/other", text(""), middleware.RateLimit(middleware.RateLimitOptions{Max: 1, Store: st, Name: "other"}))
	wantStatus(t, do(app, "GET", "/login"), 200)
	wantStatus(t, do(app, "GET", "/again"), 429)
	wantStatus(t, do(app, "GET", "/other"), 200)
	t.Run("entries end with the limit", func(t *testing.T) {
		clock.advance(2 * time.Minute)
		for key, err := range st.Scan(t.Context(), "ratelimit:") {
			t.Errorf("%q is left (%v)", key, err)
		}
	})
}

func TestRateLimitProbe(t *testing.T) {
	clock := newClock()
	for name, kv := range map[string]store.KV{"one process": nil, "a store": store.NewMemory(store.MemoryOptions{Now: clock.Now})} {
		t.Run(name, func(t *testing.T) {
			m := middleware.RateLimit(middleware.RateLimitOptions{Max: 2, Store: kv})
			if !m.Commutes || m.Probe == nil {
				t.Fatalf("%+v", m)
			}
			var asked []bool
			app, _ := newApp(t)
			app.SetClock(clock)
			app.Use(ishaa.Middleware{Name: "asks", Before: func(r *ishaa.Request) (any, error) {
				for range 5 {
					asked = append(asked, m.Probe(r))
				}
				return nil, nil
			}}, m)
			app.Get("/", text("done"))
			for i, want := range []bool{false, false, true, true} {
				asked = nil
				w := do(app, "GET", "/")
				if refused := w.Code == 429; refused != want {
					t.Fatalf("request %d is refused: %v", i, refused)
				}
				for _, got := range asked {
					if got != want {
						t.Fatalf("request %d: the probe says %v", i, got)
					}
				}
			}
		})
	}
	if middleware.RateLimit(middleware.RateLimitOptions{Key: byAPIKey}).Commutes {
		t.Error("a key of the program's own may depend on a neighbour")
	}
}

// Work done for comparison only uses nothing up.
func TestRateLimitUnderShadow(t *testing.T) {
	app, _ := newApp(t)
	app.Use(ishaa.Middleware{Name: "shadow", Before: func(r *ishaa.Request) (any, error) {
		if r.Header("Shadow") != "" {
			r.SetContext(effect.WithShadow(r.Context(), nil))
		}
		return nil, nil
	}}, middleware.RateLimit(middleware.RateLimitOptions{Max: 1}))
	app.Get("/", text("done"))
	for range 3 {
		wantStatus(t, do(app, "GET", "/", "Shadow: 1"), 200)
	}
	wantStatus(t, do(app, "GET", "/"), 200)
	wantStatus(t, do(app, "GET", "/", "Shadow: 1"), 429)
}

func TestRateLimitRefusesMistakes(t *testing.T) {
	for _, c := range []struct {
		options middleware.RateLimitOptions
		want    string
	}{
		{middleware.RateLimitOptions{Max: -1}, "positive"},
		{middleware.RateLimitOptions{Window: -time.Second}, "positive"},
		{middleware.RateLimitOptions{Max: 5, Burst: 6}, "1 to Max, which is 5"},
		{middleware.RateLimitOptions{Burst: -1}, "1 to Max"},
		{middleware.RateLimitOptions{Max: 1000, Window: time.Nanosecond}, "nanosecond"},
		{middleware.RateLimitOptions{Window: 1 << 62}, "ten years"},
	} {
		wantMistake(t, c.want, func() { middleware.RateLimit(c.options) })
	}
}

func BenchmarkRateLimit(b *testing.B) {
	for name, kv := range map[string]store.KV{"process": nil, "memory store": store.NewMemory(store.MemoryOptions{})} {
		b.Run(name, func(b *testing.B) {
			app, _ := newApp(b)
			app.Use(middleware.RateLimit(middleware.RateLimitOptions{Max: 1 << 40, Window: 24 * time.Hour, Store: kv}))
			app.Get("/", text("done"))
			app.Without(ishaa.DefaultAccessLog)
			r := httptest.NewRequest("GET", "/", nil)
			w := &reused{}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r.RemoteAddr = "192.0.2.1:" + strconv.Itoa(i&1023)
				w.reset()
				app.ServeHTTP(w, r)
			}
		})
	}
}

func ExampleRateLimit() {
	app := ishaa.New("api")
	app.Use(middleware.RateLimit(middleware.RateLimitOptions{Max: 100, Window: time.Minute}))
	app.Post("/login", func(*ishaa.Request) (any, error) { return ishaa.NoContent, nil },
		middleware.RateLimit(middleware.RateLimitOptions{Max: 1, Name: "login"}))

	for range 2 {
		w := do(app, "POST", "/login")
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("Retry-After"))
	}
	// Output:
	// 204 ""
	// 429 "60"
}
