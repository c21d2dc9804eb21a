package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/store"
)

func twoNodes(t *testing.T) (st *remote, clock *ishaatest.Clock, a, b *cache.Cache) {
	clock = ishaatest.NewClock(noon)
	st = newRemote(t, clock)
	a, b = newCache(t, st, clock), newCache(t, st, clock)
	linked(t, a, b)
	return st, clock, a, b
}

func linked(t *testing.T, nodes ...*cache.Cache) {
	t.Helper()
	for _, c := range nodes {
		eventually(t, "the nodes hear each other", func() bool { return cache.Linked(c) })
	}
}

func TestNodesShareValues(t *testing.T) {
	ctx := t.Context()
	_, _, a, b := twoNodes(t)
	get := func(c *cache.Cache) string { v, _ := cache.Get[string](ctx, c, "k"); return v }
	for i, step := range []struct {
		name string
		do   func() error
		want string
	}{
		{"a sets", func() error { return a.Set(ctx, "k", "one", 0, cache.Tag("t")) }, "one"},
		{"b sets", func() error { return b.Set(ctx, "k", "two", 0, cache.Tag("t")) }, "two"},
		{"a deletes", func() error { return a.Delete(ctx, "k") }, ""},
		{"b remembers", func() error {
			_, err := cache.Remember(ctx, b, "k", 0, func(context.Context) (string, error) { return "three", nil }, cache.Tag("t"))
			return err
		}, "three"},
		{"a invalidates", func() error { return a.Invalidate(ctx, "t") }, ""},
		{"a sets again", func() error { return a.Set(ctx, "k", "four", 0, cache.Tag("t")) }, "four"},
		{"b clears", func() error { return b.Clear(ctx) }, ""},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		for _, node := range []*cache.Cache{a, b} {
			eventually(t, fmt.Sprintf("step %d, %s: both have %q", i, step.name, step.want), func() bool { return get(node) == step.want })
		}
	}
}

// On one store in memory values are each node's own; invalidations are not.
func TestNodesOnAStoreInMemory(t *testing.T) {
	clock := ishaatest.NewClock(noon)
	st := store.NewMemory(store.MemoryOptions{Now: clock.Now})
	defer st.Close()
	a, b := newCache(t, st, clock), newCache(t, st, clock)
	other := newCache(t, st, clock, func(o *cache.Options) { o.Name = "other" })
	set := func() {
		for _, c := range []*cache.Cache{a, b, other} {
			if err := c.Set(t.Context(), "k", 1, 0, cache.Tag("t")); err != nil {
				t.Fatal(err)
			}
		}
	}
	has := func(c *cache.Cache) bool { _, ok := cache.Get[int](t.Context(), c, "k"); return ok }
	for name, do := range map[string]func() error{
		"Delete":     func() error { return a.Delete(t.Context(), "k") },
		"Invalidate": func() error { return a.Invalidate(t.Context(), "t") },
		"Clear":      func() error { return a.Clear(t.Context()) },
	} {
		eventually(t, "all have it", func() bool { set(); return has(a) && has(b) && has(other) })
		if err := do(); err != nil {
			t.Fatal(err)
		}
		eventually(t, name+" reaches b", func() bool { return !has(a) && !has(b) })
		if !has(other) {
			t.Errorf("%s reaches a cache of another name", name)
		}
	}
}

func TestNodesShareAnswers(t *testing.T) {
	st, clock, a, b := twoNodes(t)
	_ = st
	var runs atomic.Int64
	node := func(c *cache.Cache) *ishaa.App {
		app := newApp(t, clock)
		app.Get("/<name>", func(r *ishaa.Request) (any, error) {
			runs.Add(1)
			return ishaa.Text(r.Param("name") + r.Query("q")), nil
		}, c.Cached(time.Hour, cache.Tag("pages")))
		return app
	}
	first, second := node(a), node(b)
	get(first, "/x?q=1")
	if got := get(second, "/x?q=1"); got != "x1" || runs.Load() != 1 {
		t.Errorf("%q after %d runs", got, runs.Load())
	}
	if err := b.Invalidate(t.Context(), "pages"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the answer is made again", func() bool { get(first, "/x?q=1"); return runs.Load() == 2 })
}

// While the store is away values are loaded and kept for a second, and changes say
// that other nodes may not have heard of them.
func TestStoreAway(t *testing.T) {
	st, clock, a, _ := twoNodes(t)
	st.fails.Store(true)
	loads := 0
	load := func(context.Context) (int, error) { loads++; return loads, nil }
	remember := func() int {
		n, err := cache.Remember(t.Context(), a, "k", time.Hour, load)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 2 {
		if remember() != 1 {
			t.Errorf("%d loads", loads)
		}
	}
	calls := st.calls.Load()
	for range 100 {
		cache.Get[int](t.Context(), a, "another")
	}
	if more := st.calls.Load() - calls; more > 1 {
		t.Errorf("a store that failed is asked %d times more", more)
	}
	for name, err := range map[string]error{
		"Set": a.Set(t.Context(), "s", 1, 0), "Delete": a.Delete(t.Context(), "k"),
		"Invalidate": a.Invalidate(t.Context(), "t"), "Clear": a.Clear(t.Context()),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	st.fails.Store(false)
	clock.Advance(2 * time.Second)
	if err := a.Set(t.Context(), "s", 5, 0); err != nil {
		t.Error(err)
	}
	if v, ok := cache.Get[int](t.Context(), a, "s"); v != 5 || !ok {
		t.Error(v, ok)
	}
}

// deaf is a store whose subscriptions the test breaks.
type deaf struct {
	*remote
	live atomic.Bool
	subs chan chan store.Message
}

type deafSub struct {
	*deaf
	messages chan store.Message
}

func (d *deaf) Subscribe(ctx context.Context, topic string) (store.Subscription, error) {
	if !d.live.Load() {
		return nil, errors.New("no")
	}
	s := deafSub{d, make(chan store.Message, 10)}
	context.AfterFunc(ctx, func() { close(s.messages) })
	d.subs <- s.messages
	return s, nil
}

func (s deafSub) Messages() <-chan store.Message { return s.messages }
func (s deafSub) Live() bool                     { return s.live.Load() }
func (s deafSub) Err() error                     { return nil }
func (s deafSub) Close() error                   { return nil }

// A node that does not hear the others keeps what it loads for a second, and what it
// had before a gap it reads anew.
func TestGaps(t *testing.T) {
	clock := ishaatest.NewClock(noon)
	st := &deaf{remote: newRemote(t, clock), subs: make(chan chan store.Message, 10)}
	c := newCache(t, st, clock)
	writer := newCache(t, st.remote, clock)
	linked(t, writer)
	write := func(v string) {
		if err := writer.Set(t.Context(), "k", v, 0); err != nil {
			t.Fatal(err)
		}
	}
	read := func() string { v, _ := cache.Get[string](t.Context(), c, "k"); return v }
	write("one")
	if read() != "one" {
		t.Fatal("not shared")
	}
	write("two")
	if got := read(); got != "one" {
		t.Errorf("within the second it has %q", got)
	}
	clock.Advance(time.Second)
	if got := read(); got != "two" {
		t.Errorf("after a second it has %q", got)
	}
	st.live.Store(true)
	messages := <-st.subs
	linked(t, c)
	write("three")
	eventually(t, "it listens and reads", func() bool { return read() == "three" })
	clock.Advance(2 * time.Second)
	write("four") // nobody tells it
	if got := read(); got != "three" {
		t.Errorf("it did not hear of it and has %q", got)
	}
	messages <- store.Message{Gap: store.ErrSlow}
	eventually(t, "a gap has it read anew", func() bool { return read() == "four" })
	st.live.Store(false)
	write("five")
	if got := read(); got != "five" {
		t.Errorf("when it no longer hears it has %q", got)
	}
}

// What other nodes, or other programs, put into the store is read with care.
func TestForeignEntries(t *testing.T) {
	st, _, a, _ := twoNodes(t)
	for i, data := range []string{"", "\x01", "hello", "\x01\x02" + strings.Repeat("\xff", 60), strings.Repeat("\x01", 40)} {
		key := fmt.Sprint("k", i)
		if err := st.Store.Set(t.Context(), "cache:k:"+key, []byte(data), 0); err != nil {
			t.Fatal(err)
		}
		if _, ok := cache.Get[string](t.Context(), a, key); ok {
			t.Errorf("%q passes for an entry", data)
		}
		if v, err := cache.Remember(t.Context(), a, key, 0, func(context.Context) (string, error) { return "mine", nil }); v != "mine" || err != nil {
			t.Error(v, err)
		}
		if v, ok := cache.Get[string](t.Context(), a, key); v != "mine" || !ok {
			t.Errorf("it is not replaced: %q %v", v, ok)
		}
	}
}
