package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

type product struct {
	ID   int
	Name string
	Tags []string
}

type point struct{ X, Y int }

func TestValues(t *testing.T) {
	ctx := t.Context()
	eachKind(t, func(t *testing.T, c *cache.Cache, clock *ishaatest.Clock) {
		roundTrip(t, c, "a string")
		roundTrip(t, c, "")
		roundTrip(t, c, "\x00\xff bytes in a string")
		roundTrip(t, c, 42)
		roundTrip(t, c, true)
		roundTrip(t, c, point{1, 2})
		roundTrip(t, c, noon)
		roundTrip[any](t, c, "in an interface")

		if _, ok := cache.Get[string](ctx, c, "absent"); ok {
			t.Error("a key that was never set is there")
		}
		if err := c.Set(ctx, "bytes", []byte{0, 1}, 0); err != nil {
			t.Fatal(err)
		}
		if got, ok := cache.Get[[]byte](ctx, c, "bytes"); !ok || string(got) != "\x00\x01" {
			t.Errorf("bytes: %v %v", got, ok)
		}
		if _, ok := cache.Get[int](ctx, c, "bytes"); ok {
			t.Error("bytes pass for an int")
		}
		if err := c.Set(ctx, "", 1, 0); err == nil {
			t.Error("an empty key is taken")
		}
		if err := c.Set(ctx, "f", func() {}, 0); err == nil {
			t.Error("a function is taken")
		}
		if err := c.Set(ctx, "large", strings.Repeat("x", 513<<10), 0); !errors.Is(err, cache.ErrTooLarge) {
			t.Errorf("too large a value: %v", err)
		}
	})
}

func roundTrip[T comparable](t *testing.T, c *cache.Cache, value T) {
	t.Helper()
	key := fmt.Sprintf("%T", value)
	got, err := cache.Remember(t.Context(), c, key, 0, func(context.Context) (T, error) { return value, nil })
	if err != nil || got != value {
		t.Errorf("the first of %v is %v, %v", value, got, err)
	}
	got, err = cache.Remember(t.Context(), c, key, 0, func(context.Context) (T, error) { return got, errors.New("loaded again") })
	if err != nil || got != value {
		t.Errorf("the second of %v is %v, %v", value, got, err)
	}
	c.Delete(t.Context(), key)
}

// Every caller may do with its value what it likes.
func TestValuesAreNotShared(t *testing.T) {
	eachKind(t, func(t *testing.T, c *cache.Cache, _ *ishaatest.Clock) {
		load := func(context.Context) (*product, error) { return &product{1, "tea", []string{"hot"}}, nil }
		for range 3 {
			p, err := cache.Remember(t.Context(), c, "p", 0, load)
			if err != nil || p.Name != "tea" || p.Tags[0] != "hot" {
				t.Fatalf("%+v, %v", p, err)
			}
			p.Name, p.Tags[0] = "changed", "changed"
		}
		value := []byte("kept")
		c.Set(t.Context(), "b", value, 0)
		value[0] = 'x'
		got, _ := cache.Get[[]byte](t.Context(), c, "b")
		got[1] = 'x'
		if again, _ := cache.Get[[]byte](t.Context(), c, "b"); string(again) != "kept" {
			t.Errorf("the value became %q", again)
		}
	})
}

func TestExpiry(t *testing.T) {
	eachKind(t, func(t *testing.T, c *cache.Cache, clock *ishaatest.Clock) {
		has := func(key string) bool { _, ok := cache.Get[int](t.Context(), c, key); return ok }
		c.Set(t.Context(), "minute", 1, time.Minute)
		c.Set(t.Context(), "default", 1, 0)
		c.Set(t.Context(), "century", 1, 100*365*24*time.Hour)
		clock.Advance(time.Minute - time.Millisecond)
		if !has("minute") {
			t.Error("gone too early")
		}
		clock.Advance(time.Millisecond)
		if has("minute") || !has("default") {
			t.Error("after a minute")
		}
		clock.Advance(4 * time.Minute)
		if has("default") || !has("century") {
			t.Error("after five minutes")
		}
		clock.Advance(cache.MaxTTL)
		if has("century") {
			t.Error("there after MaxTTL")
		}
	})
}

func TestDeleteInvalidateClear(t *testing.T) {
	eachKind(t, func(t *testing.T, c *cache.Cache, _ *ishaatest.Clock) {
		ctx := t.Context()
		long := strings.Repeat("long", 1000)
		keys := []string{"plain", "tagged", "both", long}
		fill := func() {
			for key, tags := range map[string][]string{"plain": nil, "tagged": {"a"}, "both": {"a", "b"}, long: {"b"}} {
				if err := c.Set(ctx, key, 1, 0, cache.Tag(tags...)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, step := range []struct {
			name string
			do   func() error
			left string // of keys, in order
		}{
			{"nothing", func() error { return nil }, "1111"},
			{"Delete", func() error { return c.Delete(ctx, "plain", long, "absent") }, "0110"},
			{"Invalidate a", func() error { return c.Invalidate(ctx, "a") }, "1001"},
			{"Invalidate b", func() error { return c.Invalidate(ctx, "b") }, "1100"},
			{"Invalidate both", func() error { return c.Invalidate(ctx, "a", "b") }, "1000"},
			{"Invalidate neither", func() error { return c.Invalidate(ctx, "c") }, "1111"},
			{"Clear", func() error { return c.Clear(ctx) }, "0000"},
		} {
			fill()
			if err := step.do(); err != nil {
				t.Errorf("%s: %v", step.name, err)
			}
			left := ""
			for _, key := range keys {
				if _, ok := cache.Get[int](ctx, c, key); ok {
					left += "1"
				} else {
					left += "0"
				}
			}
			if left != step.left {
				t.Errorf("after %s %s are there, want %s", step.name, left, step.left)
			}
		}
	})
}

func TestShadowChangesNothing(t *testing.T) {
	eachKind(t, func(t *testing.T, c *cache.Cache, clock *ishaatest.Clock) {
		ctx := t.Context()
		var seen []string
		shadow := effect.WithShadow(ctx, effect.RecorderFunc(func(i effect.Intent) { seen = append(seen, i.Kind+" "+i.Target+" "+i.Detail) }))
		c.Set(ctx, "a", 1, time.Minute)
		for _, err := range []error{
			c.Set(shadow, "a", 2, time.Minute), c.Delete(shadow, "a", "b"), c.Invalidate(shadow, "t"), c.Clear(shadow),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		want := "cache a set 1 bytes d4735e3a265e16ee for 1m0s|cache a delete|cache b delete|cache t invalidate|cache cache clear"
		if got := strings.Join(seen, "|"); got != want {
			t.Errorf("reported %s\nwant     %s", got, want)
		}
		if got, ok := cache.Get[int](shadow, c, "a"); !ok || got != 1 {
			t.Errorf("the value is %v, %v", got, ok)
		}
		loads := 0
		load := func(context.Context) (int, error) { loads++; return loads, nil }
		for want := range 2 {
			if got, _ := cache.Remember(shadow, c, "new", 0, load); got != want+1 {
				t.Errorf("load %d gave %d", want+1, got)
			}
		}
	})
}

// Whoever remembers answers by what they read does not remember those made with
// values of a cache: they change with time.
func TestReadsCount(t *testing.T) {
	c := newCache(t, nil, ishaatest.NewClock(noon))
	var source string
	ctx := effect.WithReads(t.Context(), func(s, table string) { source = s })
	cache.Get[int](ctx, c, "a")
	if !effect.GenerationOf(source, "").Writing {
		t.Errorf("the source %q passes for settled", source)
	}
}
