package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/store"
)

// door is an application with a sign-in whose passwords are all "right".
type door struct {
	app      *ishaa.App
	clock    *ishaatest.Clock
	throttle *Throttle
	tried    atomic.Int64 // passwords that were looked at
}

func newDoor(kv store.KV, clock *ishaatest.Clock, options ThrottleOptions) *door {
	d := &door{app: ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)}), clock: clock, throttle: NewThrottle(kv, options)}
	d.app.SetClock(clock)
	d.app.Get("/login/<account>/<password>", func(r *ishaa.Request) (any, error) {
		attempt, err := d.throttle.Attempt(r, r.Param("account"))
		if err != nil {
			return nil, err
		}
		d.tried.Add(1)
		if r.Param("password") != "right" {
			return nil, ishaa.Unauthorized("the name or the password is wrong")
		}
		attempt.Succeeded()
		return nil, nil
	})
	return d
}

// try signs in from an address, with a device's cookie or none, and returns the
// status, how long to wait, and the cookie.
func (d *door) try(account, password, address, device string) (status int, wait time.Duration, cookie string) {
	r := httptest.NewRequest("GET", "/login/"+account+"/"+password, nil)
	r.RemoteAddr = address
	if device != "" {
		r.AddCookie(&http.Cookie{Name: "device", Value: device})
	}
	w := httptest.NewRecorder()
	d.app.ServeHTTP(w, r)
	if after := w.Header().Get("Retry-After"); after != "" {
		seconds, err := strconv.Atoi(after)
		if err != nil || w.Code != 429 {
			panic("Retry-After " + after)
		}
		wait = time.Duration(seconds) * time.Second
	}
	for _, c := range w.Result().Cookies() {
		cookie = c.Value
	}
	return w.Code, wait, cookie
}

const home, evil = "192.0.2.7:1", "203.0.113.9:1"

func address(i int) string { return fmt.Sprintf("198.51.%d.%d:1", 100+i/256, i%256) }

func TestThrottleDelaysDouble(t *testing.T) {
	clock := clockAt(start)
	d := newDoor(memoryKV(clock), clock, ThrottleOptions{})
	for i := range 5 {
		if status, _, _ := d.try("ann", "wrong", evil, ""); status != 401 {
			t.Fatalf("failure %d is answered by %d", i+1, status)
		}
	}
	var waits []time.Duration
	for range 14 {
		status, _, _ := d.try("ann", "wrong", evil, "")
		if status != 401 {
			t.Fatalf("after waiting: %d", status)
		}
		status, wait, _ := d.try("ann", "right", evil, "")
		if status != 429 || wait <= 0 {
			t.Fatalf("at once: %d, wait %v", status, wait)
		}
		if _, again, _ := d.try("ann", "wrong", evil, ""); again > wait {
			t.Fatalf("a refused try makes the delay %v longer than %v", again, wait)
		}
		waits = append(waits, wait)
		clock.Advance(wait - time.Millisecond)
		if status, _, _ := d.try("ann", "right", evil, ""); status != 429 {
			t.Fatalf("a moment before: %d", status)
		}
		clock.Advance(time.Millisecond)
	}
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512} {
		if waits[i] != want*time.Second {
			t.Fatalf("the delays are %v", waits)
		}
	}
	for _, wait := range waits[10:] {
		if wait > 15*time.Minute {
			t.Errorf("a delay of %v", wait)
		}
	}
	// Somebody else at the same address waits for nothing, nor does the account's
	// owner elsewhere.
	if status, _, _ := d.try("bob", "right", evil, ""); status != 204 {
		t.Errorf("another account: %d", status)
	}
	if status, _, _ := d.try("ann", "right", home, ""); status != 204 {
		t.Errorf("another address: %d", status)
	}
}

func TestThrottleForgets(t *testing.T) {
	clock := clockAt(start)
	d := newDoor(memoryKV(clock), clock, ThrottleOptions{})
	t.Run("after a success", func(t *testing.T) {
		for range 3 {
			for range 5 {
				d.try("ann", "wrong", evil, "")
			}
			if status, _, _ := d.try("ann", "right", evil, ""); status != 204 {
				t.Fatalf("the sixth try, with the right password: %d", status)
			}
		}
	})
	t.Run("with time", func(t *testing.T) {
		for range 8 {
			d.try("bob", "wrong", evil, "")
		}
		clock.Advance(2 * time.Hour)
		for i := range 5 {
			if status, _, _ := d.try("bob", "wrong", evil, ""); status != 401 {
				t.Errorf("try %d: %d", i, status)
			}
		}
	})
	t.Run("one by one", func(t *testing.T) {
		for range 30 { // five an hour, for six hours
			if status, _, _ := d.try("cid", "wrong", evil, ""); status != 401 {
				t.Fatalf("%d", status)
			}
			clock.Advance(12*time.Minute + time.Second)
		}
	})
}

// One address that tries many accounts is slowed down, an IPv6 network as one.
func TestThrottleSpraying(t *testing.T) {
	for name, from := range map[string]func(i int) string{
		"IPv4":        func(int) string { return evil },
		"IPv6":        func(i int) string { return fmt.Sprintf("[2001:db8:1:2:%x::1]:9", i) },
		"IPv4 mapped": func(i int) string { return []string{evil, "[::ffff:203.0.113.9]:1"}[i%2] },
	} {
		t.Run(name, func(t *testing.T) {
			clock := clockAt(start)
			d := newDoor(memoryKV(clock), clock, ThrottleOptions{})
			admitted := 0
			for i := range 200 {
				if status, _, _ := d.try(fmt.Sprint("user", i), "wrong", from(i), ""); status == 401 {
					admitted++
				}
			}
			if admitted != 51 {
				t.Errorf("%d accounts were tried", admitted)
			}
			if status, _, _ := d.try("ann", "right", "[2001:db8:1:3::1]:9", ""); status != 204 {
				t.Errorf("another network: %d", status)
			}
			// To sign in to an account of one's own between guesses does not help.
			clock.Advance(time.Minute)
			admitted = 0
			for i := range 100 {
				d.try("eve", "right", from(i), "")
				if status, _, _ := d.try(fmt.Sprint("more", i), "wrong", from(i), ""); status == 401 {
					admitted++
				}
			}
			if admitted > 3 {
				t.Errorf("%d more after signing in", admitted)
			}
		})
	}
}

// Many addresses that try one account get some hundred guesses an hour in all,
// and cannot keep its owner out.
func TestThrottleManyAddresses(t *testing.T) {
	clock := clockAt(start)
	d := newDoor(memoryKV(clock), clock, ThrottleOptions{})
	_, _, device := d.try("ann", "right", home, "")
	if len(device) != 32 {
		t.Fatalf("the device's cookie is %q", device)
	}
	admitted := 0
	for i := range 3000 { // a fresh address each, for 50 minutes
		if status, _, _ := d.try("ann", "wrong", address(i), ""); status == 401 {
			admitted++
		}
		if i%100 == 99 {
			if status, _, _ := d.try("ann", "right", home, device); status != 204 {
				t.Fatalf("ann, at her own browser, is answered by %d", status)
			}
			if status, _, _ := d.try("ann", "right", "192.0.2.200:5", device); status != 204 {
				t.Fatalf("ann, at her own browser on a train, is answered by %d", status)
			}
		}
		clock.Advance(time.Second)
	}
	if admitted < 100 || admitted > 100+3000/5+100 {
		t.Errorf("%d guesses were looked at", admitted)
	}
	if status, wait, _ := d.try("ann", "right", home, ""); status == 429 && wait > 5*time.Second {
		t.Errorf("at a new browser ann waits %v", wait)
	}
	if status, _, _ := d.try("bob", "right", home, ""); status != 204 {
		t.Errorf("another account: %d", status)
	}
}

// Somebody behind the same address cannot keep ann from her own browser either,
// and a known browser is no way to guess freely.
func TestThrottleKnownBrowser(t *testing.T) {
	clock := clockAt(start)
	d := newDoor(memoryKV(clock), clock, ThrottleOptions{})
	_, _, device := d.try("ann", "right", home, "")
	for range 100 {
		d.try("ann", "wrong", home, "")
	}
	if status, _, _ := d.try("ann", "right", home, ""); status != 429 {
		t.Errorf("a new browser at the attacked address: %d", status)
	}
	if status, _, again := d.try("ann", "right", home, device); status != 204 || again != device {
		t.Errorf("ann's browser: %d, cookie %q", status, again)
	}
	for _, forged := range []string{device[:31] + "!", strings.Repeat("A", 32), device + "x", "1"} {
		if status, _, _ := d.try("ann", "right", home, forged); status != 429 {
			t.Errorf("the cookie %q is taken for ann's: %d", forged, status)
		}
	}
	for range 50 {
		d.try("bob", "wrong", home, device) // ann's browser is not bob's
	}
	if status, _, _ := d.try("bob", "right", home, device); status != 429 {
		t.Errorf("guessing at bob's from ann's browser: %d", status)
	}
	guesses := 0
	for range 100 {
		if status, _, _ := d.try("ann", "wrong", home, device); status == 401 {
			guesses++
		}
	}
	if guesses != 6 {
		t.Errorf("from ann's browser %d guesses are looked at", guesses)
	}
	clock.Advance(91 * 24 * time.Hour)
	for range 10 {
		d.try("ann", "wrong", home, "")
	}
	if status, _, _ := d.try("ann", "right", home, device); status != 429 {
		t.Errorf("after three months: %d", status)
	}
}

// Guesses that come all at once are as many as one after the other.
func TestThrottleParallel(t *testing.T) {
	clock := clockAt(start)
	d := newDoor(memoryKV(clock), clock, ThrottleOptions{})
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() { d.try("ann", "wrong", evil, "") })
	}
	wg.Wait()
	if tried := d.tried.Load(); tried > 6 || tried < 1 {
		t.Errorf("%d passwords were looked at", tried)
	}
}

func TestThrottleOverTwoNodes(t *testing.T) {
	clock := clockAt(start)
	kv := memoryKV(clock)
	one, two := newDoor(kv, clock, ThrottleOptions{}), newDoor(kv, clock, ThrottleOptions{})
	for i := range 20 {
		[]*door{one, two}[i%2].try("ann", "wrong", evil, "")
	}
	if tried := one.tried.Load() + two.tried.Load(); tried != 6 {
		t.Errorf("%d passwords were looked at", tried)
	}
}

// flaky is a store that fails now and then.
type flaky struct {
	store.KV
	down atomic.Bool
}

func (f *flaky) Get(ctx context.Context, key string) ([]byte, error) {
	if f.down.Load() {
		return nil, store.ErrUnavailable
	}
	return f.KV.Get(ctx, key)
}

func (f *flaky) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if f.down.Load() {
		return store.ErrUnavailable
	}
	return f.KV.Set(ctx, key, value, ttl)
}

func (f *flaky) Delete(ctx context.Context, key string) error {
	if f.down.Load() {
		return store.ErrUnavailable
	}
	return f.KV.Delete(ctx, key)
}

func (f *flaky) CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	if f.down.Load() {
		return false, store.ErrUnavailable
	}
	return f.KV.CompareAndSwap(ctx, key, old, value, ttl)
}

// While the store is away people sign in, guessing stays slow, and the log says so
// once a minute.
func TestThrottleWithoutItsStore(t *testing.T) {
	clock := clockAt(start)
	kv := &flaky{KV: memoryKV(clock)}
	d := newDoor(kv, clock, ThrottleOptions{})
	log := ishaatest.Logs(t, d.app)
	d.try("ann", "wrong", evil, "")
	kv.down.Store(true)
	if status, _, _ := d.try("bob", "right", home, ""); status != 204 {
		t.Errorf("bob: %d", status)
	}
	before := d.tried.Load()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { d.try("ann", "wrong", evil, "") })
	}
	wg.Wait()
	if tried := d.tried.Load() - before; tried > 6 || tried < 1 {
		t.Errorf("%d passwords were looked at", tried)
	}
	warnings := 0
	for _, record := range log.Records() {
		if strings.Contains(record.Message, "the store is away") {
			warnings++
		}
	}
	if warnings != 1 {
		t.Errorf("%d warnings", warnings)
	}
	kv.down.Store(false)
	if status, _, _ := d.try("cid", "right", home, ""); status != 204 {
		t.Errorf("back again: %d", status)
	}
}

func TestThrottleIgnoresDamagedCounts(t *testing.T) {
	clock := clockAt(start)
	kv := memoryKV(clock)
	d := newDoor(kv, clock, ThrottleOptions{})
	d.try("ann", "wrong", evil, "")
	for key, err := range kv.Scan(context.Background(), "throttle:") {
		if err != nil {
			t.Fatal(err)
		}
		if err := kv.Set(context.Background(), key, []byte(`{"n":-1e300}`), 0); err != nil {
			t.Fatal(err)
		}
	}
	if status, _, _ := d.try("ann", "right", evil, ""); status != 204 {
		t.Errorf("status %d", status)
	}
}

func TestThrottleMistakes(t *testing.T) {
	mustContain(t, panicText(func() { NewThrottle(nil, ThrottleOptions{}) }), "store.Open", "throttle_test.go")
	kv := store.NewMemory(store.MemoryOptions{})
	mustContain(t, panicText(func() { NewThrottle(kv, ThrottleOptions{Free: -1}) }), "positive")
	mustContain(t, panicText(func() { NewThrottle(kv, ThrottleOptions{Delay: time.Hour, MaxDelay: time.Minute}) }), "MaxDelay")
	if _, err := kv.Get(context.Background(), "x"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
