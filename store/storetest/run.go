package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/store"
)

// Engine says how to reach the engine under test.
type Engine struct {
	// Open returns an open store. Stores opened in one test must be connected: what
	// one writes the others read. The suite closes them.
	Open func(t *testing.T) store.Store

	// Shared opens several stores that are connected. Nil is for an engine that
	// lives in one store, such as memory://; then cases with several nodes use one.
	Shared func(t *testing.T, nodes int) []store.Store

	// Faulty gives the way to the server into the hands of the test: what open
	// returns goes over the network and is connected with what Open returns. Give the
	// store two seconds or less for an operation, and the test is quick. Nil is for an
	// engine without a server; then the cases of outages are skipped.
	Faulty func(t *testing.T) (open func() (store.Store, error), network Network)

	// Advance lets time pass, for engines on a clock of the test's own. Nil waits
	// for real time.
	Advance func(d time.Duration)
}

// Network is the way to a server, which breaks as a test wants.
type Network interface {
	Cut()     // connections break, new ones too
	Stall()   // connections stay and nothing moves
	Mute()    // what is asked arrives, what is answered does not
	Restore() // all is well
}

// patience is how long a case waits for what must happen, on a machine that has
// much else to do.
const patience = time.Minute

// tick is the shortest time to live that cases use: long enough for a server on
// the same machine to be asked twice within it.
const tick = 400 * time.Millisecond

// testCase is one rule of the contract.
type testCase struct {
	name string
	run  func(c *check)
}

// Run runs all cases, each as a subtest.
func Run(t *testing.T, engine Engine) {
	groups := []struct {
		name  string
		cases []testCase
	}{
		{"values", valueCases}, {"expiry", expiryCases}, {"swap", swapCases}, {"counter", counterCases},
		{"scan", scanCases}, {"topics", topicCases}, {"shadow", shadowCases}, {"limiter", limiterCases},
		{"end", endCases}, {"outage", outageCases}, {"flow", flowCases},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			if engine.Advance == nil {
				t.Parallel() // most of the time is waiting
			}
			for _, tc := range group.cases {
				t.Run(tc.name, func(t *testing.T) {
					if engine.Advance == nil {
						t.Parallel()
					}
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					t.Cleanup(cancel)
					tc.run(&check{T: t, engine: engine, ctx: ctx, space: rand.Text() + ":"})
				})
			}
		})
	}
}

// check is what a case works with.
type check struct {
	*testing.T
	engine Engine
	ctx    context.Context
	space  string // in front of every key
}

func (c *check) open() store.Store {
	c.Helper()
	st := c.engine.Open(c.T)
	c.Cleanup(func() {
		if err := st.Close(); err != nil {
			c.Errorf("Close: %v", err)
		}
	})
	return st
}

// nodes opens connected stores, or one store several times over.
func (c *check) nodes(n int) []store.Store {
	c.Helper()
	if c.engine.Shared == nil {
		st := c.open()
		list := make([]store.Store, n)
		for i := range list {
			list[i] = st
		}
		return list
	}
	list := c.engine.Shared(c.T, n)
	c.Cleanup(func() {
		for _, st := range list {
			if err := st.Close(); err != nil {
				c.Errorf("Close: %v", err)
			}
		}
	})
	return list
}

func (c *check) key(name string) string { return c.space + name }

func (c *check) ok(err error) {
	c.Helper()
	if err != nil {
		c.Fatalf("unexpected error: %v", err)
	}
}

func (c *check) is(err, want error) {
	c.Helper()
	if !errors.Is(err, want) {
		c.Fatalf("got error %v, want %v", err, want)
	}
}

func (c *check) fails(err error) {
	c.Helper()
	if err == nil {
		c.Fatal("no error where one is due")
	}
}

func (c *check) set(st store.Store, name, value string, ttl time.Duration) {
	c.Helper()
	c.ok(st.Set(c.ctx, c.key(name), []byte(value), ttl))
}

// holds checks a key's value.
func (c *check) holds(st store.Store, name, want string) {
	c.Helper()
	got, err := st.Get(c.ctx, c.key(name))
	c.ok(err)
	if string(got) != want {
		c.Fatalf("%q holds %q, want %q", name, got, want)
	}
}

func (c *check) absent(st store.Store, name string) {
	c.Helper()
	_, err := st.Get(c.ctx, c.key(name))
	c.is(err, store.ErrNotFound)
}

// swap checks what CompareAndSwap reports.
func (c *check) swap(st store.Store, name string, old, value []byte, want bool) {
	c.Helper()
	got, err := st.CompareAndSwap(c.ctx, c.key(name), old, value, 0)
	c.ok(err)
	if got != want {
		c.Fatalf("CompareAndSwap(%q, %q, %q) = %v, want %v", name, old, value, got, want)
	}
}

func (c *check) count(st store.Store, name string, delta, want int64) {
	c.Helper()
	got, err := st.Increment(c.ctx, c.key(name), delta, 0)
	c.ok(err)
	if got != want {
		c.Fatalf("Increment(%q, %d) = %d, want %d", name, delta, got, want)
	}
}

// pass lets time pass.
func (c *check) pass(d time.Duration) {
	if c.engine.Advance != nil {
		c.engine.Advance(d)
		return
	}
	select {
	case <-time.After(d):
	case <-c.ctx.Done():
	}
}

// expires checks that a key is gone soon after its time.
func (c *check) expires(st store.Store, name string) {
	c.Helper()
	for deadline := time.Now().Add(patience); ; c.pass(tick / 8) {
		_, err := st.Get(c.ctx, c.key(name))
		if errors.Is(err, store.ErrNotFound) {
			return
		}
		c.ok(err)
		if time.Now().After(deadline) {
			c.Fatalf("%q is still there", name)
		}
	}
}
