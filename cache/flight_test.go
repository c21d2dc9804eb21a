package cache_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// A thousand callers on a cold key: one load.
func TestStampede(t *testing.T) {
	eachKind(t, func(t *testing.T, c *cache.Cache, _ *ishaatest.Clock) {
		var loads, waiting atomic.Int64
		release := make(chan struct{})
		load := func(context.Context) (int64, error) {
			<-release
			return loads.Add(1), nil
		}
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				waiting.Add(1)
				if got, err := cache.Remember(t.Context(), c, "cold", 0, load); got != 1 || err != nil {
					t.Errorf("%d, %v", got, err)
				}
			})
		}
		eventually(t, "all wait", func() bool { return waiting.Load() == 1000 })
		close(release)
		wg.Wait()
		if n := loads.Load(); n != 1 {
			t.Errorf("%d loads", n)
		}
	})
}

// A caller who goes away gets its own error at once and takes nobody with it.
func TestOneCallerGoesAway(t *testing.T) {
	c := newCache(t, nil, ishaatest.NewClock(noon))
	begun, release := make(chan struct{}), make(chan struct{})
	load := func(ctx context.Context) (string, error) {
		close(begun)
		select {
		case <-release:
			return "value", nil
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
	first, cancel := context.WithCancel(t.Context())
	got := make(chan error, 2)
	go func() { _, err := cache.Remember(first, c, "k", 0, load); got <- err }()
	<-begun
	joined := make(chan string, 1)
	go func() {
		value, err := cache.Remember(t.Context(), c, "k", 0, func(context.Context) (string, error) { return "a load of its own", nil })
		joined <- value
		got <- err
	}()
	eventually(t, "the second waits", func() bool { return cache.Waiting(c, "k") == 2 })
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("the one who left gets %v", err)
	}
	close(release)
	if value := <-joined; value != "value" {
		t.Errorf("the other gets %q", value)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// A load that nobody waits for any more is told so.
func TestAllCallersGoAway(t *testing.T) {
	c := newCache(t, nil, ishaatest.NewClock(noon))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go cancelWhen(t, cancel, func() bool { return cache.Waiting(c, "k") == 1 })
	_, err := cache.Remember(ctx, c, "k", 0, func(ctx context.Context) (int, error) {
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return 0, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("no cause")
	}
	// The next caller does not get the error of that load.
	if got, err := cache.Remember(t.Context(), c, "k", 0, func(context.Context) (int, error) { return 1, nil }); got != 1 || err != nil {
		t.Error(got, err)
	}
}

func cancelWhen(t *testing.T, cancel func(), holds func() bool) {
	eventually(t, "a caller waits", holds)
	cancel()
}

func TestErrorsAreNotKept(t *testing.T) {
	eachKind(t, func(t *testing.T, c *cache.Cache, _ *ishaatest.Clock) {
		mine := errors.New("mine")
		for name, load := range map[string]func(context.Context) (int, error){
			"error":      func(context.Context) (int, error) { return 0, mine },
			"panic":      func(context.Context) (int, error) { panic(mine) },
			"nil map":    func(context.Context) (int, error) { number(nil); return 0, nil },
			"Goexit":     func(context.Context) (int, error) { runtime.Goexit(); return 0, nil },
			"unencoded":  func(context.Context) (int, error) { return 0, mine },
			"late error": func(ctx context.Context) (int, error) { return 7, mine },
		} {
			_, err := cache.Remember(t.Context(), c, name, 0, load)
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			var thrown *ishaa.PanicError
			if panics := name == "panic" || name == "nil map"; errors.As(err, &thrown) != panics || panics && len(thrown.Stack) == 0 {
				t.Errorf("%s: %v", name, err)
			}
			if got, err := cache.Remember(t.Context(), c, name, 0, func(context.Context) (int, error) { return 1, nil }); got != 1 || err != nil {
				t.Errorf("%s: afterwards %v, %v", name, got, err)
			}
		}
	})
}

func TestStaleWhileRevalidate(t *testing.T) {
	eachKind(t, func(t *testing.T, c *cache.Cache, clock *ishaatest.Clock) {
		var loads atomic.Int64
		var fails atomic.Bool
		load := func(context.Context) (int64, error) {
			if fails.Load() {
				return 0, errors.New("away")
			}
			return loads.Add(1), nil
		}
		remember := func() int64 {
			n, err := cache.Remember(t.Context(), c, "k", time.Minute, load, cache.Stale(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := remember(); n != 1 {
			t.Fatal(n)
		}
		clock.Advance(2 * time.Minute)
		if _, ok := cache.Get[int64](t.Context(), c, "k"); ok {
			t.Error("Get gives a stale value")
		}
		if n := remember(); n != 1 {
			t.Errorf("the stale value is %d", n)
		}
		eventually(t, "a new value", func() bool { return remember() == 2 })
		if n := loads.Load(); n != 2 {
			t.Errorf("%d loads", n)
		}
		fails.Store(true)
		clock.Advance(2 * time.Minute)
		if n := remember(); n != 2 {
			t.Errorf("while the source is away: %d", n)
		}
		eventually(t, "the refresh has ended", func() bool { return cache.Waiting(c, "k") == 0 })
		clock.Advance(2 * time.Hour)
		if _, err := cache.Remember(t.Context(), c, "k", time.Minute, load); err == nil {
			t.Error("a value beyond its stale time is given out")
		}
	})
}

// A change that comes while a load is under way: the load's callers get what it
// made, nobody else does.
func TestChangesDuringALoad(t *testing.T) {
	for _, change := range []struct {
		name string
		do   func(context.Context, *cache.Cache) error
		want string
	}{
		{"Delete", func(ctx context.Context, c *cache.Cache) error { return c.Delete(ctx, "k") }, "new"},
		{"Invalidate", func(ctx context.Context, c *cache.Cache) error { return c.Invalidate(ctx, "tag") }, "new"},
		{"Clear", func(ctx context.Context, c *cache.Cache) error { return c.Clear(ctx) }, "new"},
		{"Set", func(ctx context.Context, c *cache.Cache) error { return c.Set(ctx, "k", "set", 0, cache.Tag("tag")) }, "set"},
		{"nothing", func(ctx context.Context, c *cache.Cache) error { return nil }, "old"},
	} {
		t.Run(change.name, func(t *testing.T) {
			for _, where := range []string{"here", "on another node"} {
				eachKind(t, func(t *testing.T, c *cache.Cache, clock *ishaatest.Clock) {
					other := c
					if where != "here" {
						st := newRemote(t, clock)
						c, other = newCache(t, st, clock), newCache(t, st, clock)
					}
					begun, release, done := make(chan struct{}), make(chan struct{}), make(chan string, 1)
					go func() {
						value, _ := cache.Remember(t.Context(), c, "k", 0, func(context.Context) (string, error) {
							close(begun)
							<-release
							return "old", nil
						}, cache.Tag("tag"))
						done <- value
					}()
					<-begun
					if err := change.do(t.Context(), other); err != nil {
						t.Fatal(err)
					}
					load := func(context.Context) (string, error) { return "new", nil }
					if where == "here" && change.name != "nothing" {
						// Whoever asks after the change does not wait for the load from before.
						if got, err := cache.Remember(t.Context(), c, "k", 0, load, cache.Tag("tag")); got != change.want || err != nil {
							t.Errorf("during the load: %q, %v", got, err)
						}
					}
					close(release)
					if got := <-done; got != "old" {
						t.Errorf("the first caller gets %q", got)
					}
					for _, node := range []*cache.Cache{c, other} {
						eventually(t, "the nodes agree on "+change.want, func() bool {
							got, err := cache.Remember(t.Context(), node, "k", 0, load, cache.Tag("tag"))
							if err != nil {
								t.Fatal(err)
							}
							return got == change.want
						})
					}
				})
			}
		})
	}
}

type userKey struct{}

// What a load makes is for everybody, so it cannot see whose request began it.
func TestLoadsHaveNoRequest(t *testing.T) {
	c := newCache(t, nil, ishaatest.NewClock(noon))
	app := newApp(t, ishaatest.NewClock(noon))
	app.Get("/", func(r *ishaa.Request) (any, error) {
		ctx := context.WithValue(r.Context(), userKey{}, "a value")
		return cache.Remember(ctx, c, "k", 0, func(ctx context.Context) (string, error) {
			if ishaa.FromContext(ctx) != nil {
				return "the request", nil
			}
			return ctx.Value(userKey{}).(string), nil
		})
	})
	if got := get(app, "/"); got != "a value" {
		t.Errorf("the load finds %s", got)
	}
}

func TestClose(t *testing.T) {
	ishaatest.NoLeaks(t)
	clock := ishaatest.NewClock(noon)
	st := newRemote(t, clock)
	c := newCache(t, st, clock)
	begun := make(chan struct{})
	go func() { <-begun; c.Close() }()
	_, err := cache.Remember(t.Context(), c, "k", 0, func(ctx context.Context) (int, error) {
		close(begun)
		<-ctx.Done()
		return 0, ctx.Err()
	})
	if err == nil {
		t.Error("the load of a closed cache goes on")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	for want := range 2 {
		if got, err := cache.Remember(t.Context(), c, "k", 0, func(context.Context) (int, error) { return want, nil }); got != want || err != nil {
			t.Error(got, err)
		}
	}
}

// number writes into a map; into none it panics.
func number(m map[int]int) { m[1] = 1 }
