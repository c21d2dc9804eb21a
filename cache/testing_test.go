package cache_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/store"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// remote is a store that is not taken for one in memory, and that can fail.
type remote struct {
	store.Store
	fails atomic.Bool
	calls atomic.Int64
}

var errCut = errors.New("the connection is cut")

func newRemote(t testing.TB, clock ishaa.Clock) *remote {
	st := store.NewMemory(store.MemoryOptions{Now: clock.Now})
	t.Cleanup(func() { st.Close() })
	return &remote{Store: st}
}

func (r *remote) call() error {
	r.calls.Add(1)
	if r.fails.Load() {
		return errCut
	}
	return nil
}

func (r *remote) Get(ctx context.Context, key string) ([]byte, error) {
	if err := r.call(); err != nil {
		return nil, err
	}
	return r.Store.Get(ctx, key)
}

func (r *remote) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := r.call(); err != nil {
		return err
	}
	return r.Store.Set(ctx, key, value, ttl)
}

func (r *remote) Delete(ctx context.Context, key string) error {
	if err := r.call(); err != nil {
		return err
	}
	return r.Store.Delete(ctx, key)
}

func (r *remote) CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	if err := r.call(); err != nil {
		return false, err
	}
	return r.Store.CompareAndSwap(ctx, key, old, value, ttl)
}

func (r *remote) Publish(ctx context.Context, topic string, message []byte) error {
	if err := r.call(); err != nil {
		return err
	}
	return r.Store.Publish(ctx, topic, message)
}

// keys counts what the store holds.
func (r *remote) keys(t testing.TB, prefix string) (n int) {
	for _, err := range r.Store.Scan(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func newCache(t testing.TB, st store.Store, clock ishaa.Clock, change ...func(*cache.Options)) *cache.Cache {
	options := cache.Options{Clock: clock}
	for _, c := range change {
		c(&options)
	}
	c := cache.New(st, options)
	t.Cleanup(func() { c.Close() })
	return c
}

// kinds are the three ways to run a cache; what holds for one holds for all.
var kinds = []struct {
	name string
	make func(testing.TB, ishaa.Clock) store.Store
}{
	{"without a store", func(testing.TB, ishaa.Clock) store.Store { return nil }},
	{"store in memory", func(t testing.TB, clock ishaa.Clock) store.Store {
		st := store.NewMemory(store.MemoryOptions{Now: clock.Now})
		t.Cleanup(func() { st.Close() })
		return st
	}},
	{"two levels", func(t testing.TB, clock ishaa.Clock) store.Store { return newRemote(t, clock) }},
}

func eachKind(t *testing.T, test func(t *testing.T, c *cache.Cache, clock *ishaatest.Clock)) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			clock := ishaatest.NewClock(noon)
			test(t, newCache(t, kind.make(t, clock), clock), clock)
		})
	}
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

func newApp(t testing.TB, clock ishaa.Clock) *ishaa.App {
	app := ishaa.New("shop")
	app.SetClock(clock)
	ishaatest.Logs(t, app)
	return app
}

// ask sends a request; headers are "Name: value".
func ask(app http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	raw := httptest.NewRequest(method, target, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		raw.Header.Add(name, strings.TrimSpace(value))
	}
	return serve(app, raw)
}

func serve(app http.Handler, raw *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	app.ServeHTTP(w, raw)
	return w
}

func get(app http.Handler, target string, headers ...string) string {
	return ask(app, "GET", target, headers...).Body.String()
}
