package storetest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/store"
)

// faulty opens a store over a network that breaks, and one beside it that goes
// straight to the server.
func (c *check) faulty() (st, other store.Store, network Network) {
	c.Helper()
	if c.engine.Faulty == nil {
		c.Skip("the engine has no server that could be away")
	}
	open, network := c.engine.Faulty(c.T)
	st, err := open()
	c.ok(err)
	c.Cleanup(func() {
		if err := st.Close(); err != nil {
			c.Errorf("Close: %v", err)
		}
	})
	return st, c.open(), network
}

// until polls for what must come to be.
func (c *check) until(what string, holds func() bool) {
	c.Helper()
	for !holds() {
		select {
		case <-time.After(2 * time.Millisecond):
		case <-c.ctx.Done():
			c.Fatalf("not in time: %s", what)
		}
	}
}

// away checks the error of an operation that found nobody there.
func (c *check) away(err error) *store.UnavailableError {
	c.Helper()
	var unavailable *store.UnavailableError
	if !errors.Is(err, store.ErrUnavailable) || !errors.As(err, &unavailable) {
		c.Fatalf("got error %v, want one that is ErrUnavailable", err)
	}
	if unavailable.Store == "" || !strings.Contains(err.Error(), unavailable.Store) || !strings.Contains(err.Error(), "see that the server runs") {
		c.Fatalf("the error %q does not name the store and what to do", err)
	}
	return unavailable
}

// works waits until the store works again.
func (c *check) works(st store.Store) {
	c.Helper()
	c.until("the store works again", func() bool { return st.Set(c.ctx, c.key("probe"), []byte("v"), 0) == nil })
	c.holds(st, "probe", "v")
}

// attempt runs an operation aside.
func attempt(operation func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- operation() }()
	return result
}

// outcome waits for an attempt.
func (c *check) outcome(result <-chan error) error {
	c.Helper()
	select {
	case err := <-result:
		return err
	case <-c.ctx.Done():
		c.Fatal("the operation does not return")
		return nil
	}
}

// everything is each operation once.
func (c *check) everything(st store.Store, ctx context.Context) map[string]error {
	errs := map[string]error{}
	_, errs["get"] = st.Get(ctx, c.key("k"))
	_, errs["get many"] = st.GetMany(ctx, c.key("k"), c.key("l"))
	errs["set"] = st.Set(ctx, c.key("k"), []byte("w"), 0)
	errs["delete"] = st.Delete(ctx, c.key("k"))
	_, errs["compare and swap"] = st.CompareAndSwap(ctx, c.key("k"), []byte("v"), []byte("w"), 0)
	_, errs["increment"] = st.Increment(ctx, c.key("n"), 1, 0)
	errs["publish"] = st.Publish(ctx, c.key("t"), []byte("hello"))
	for _, errs["scan"] = range st.Scan(ctx, c.space) {
	}
	sub, err := st.Subscribe(ctx, c.key("t"))
	if err == nil {
		_ = sub.Close()
	}
	errs["subscribe"] = err
	return errs
}

// lost checks a write whose answer is lost: that it was carried out once, and that
// its error says that it may have been.
func (c *check) lost(operation func(st store.Store) error, done func(other store.Store) bool) {
	c.Helper()
	st, other, network := c.faulty()
	c.set(st, "k", "v", 0)
	c.count(st, "n", 1, 1)
	network.Mute()
	result := attempt(func() error { return operation(st) })
	var outcome error
	c.until("the server does what it is told", func() bool {
		select {
		case outcome = <-result: // an engine that asks before it writes gets no further
			return true
		default:
			return done(other)
		}
	})
	if outcome != nil {
		if e := c.away(outcome); !e.Uncertain && done(other) {
			c.Fatalf("it was carried out, but the error is %q", e)
		}
		return
	}
	network.Cut()
	if e := c.away(c.outcome(result)); !e.Uncertain {
		c.Fatalf("the error %q does not say that it may have been carried out", e)
	}
	network.Restore()
	c.works(st)
	if !done(other) {
		c.Fatal("it was carried out again")
	}
}

var outageCases = []testCase{
	{"every operation says that the server is away", func(c *check) {
		st, _, network := c.faulty()
		c.set(st, "k", "v", 0)
		network.Cut()
		for name, err := range c.everything(st, c.ctx) {
			if e := c.away(err); e.Operation != name {
				c.Errorf("%s calls itself %q", name, e.Operation)
			}
		}
		network.Restore()
		c.works(st)
		c.holds(st, "k", "v")
	}},
	{"every operation ends with its context when nothing moves", func(c *check) {
		st, _, network := c.faulty()
		c.set(st, "k", "v", 0)
		network.Stall()
		ctx, cancel := context.WithTimeout(c.ctx, 50*time.Millisecond)
		defer cancel()
		c.is(c.outcome(attempt(func() error { return st.Set(ctx, c.key("k"), []byte("w"), 0) })), context.DeadlineExceeded)
		for _, err := range c.everything(st, ctx) {
			c.is(err, context.DeadlineExceeded)
		}
	}},
	{"an operation that nobody limits ends by itself when nothing moves", func(c *check) {
		st, _, network := c.faulty()
		c.set(st, "k", "v", 0)
		network.Stall()
		get := attempt(func() error { _, err := st.Get(c.ctx, c.key("k")); return err })
		add := attempt(func() error { _, err := st.Increment(c.ctx, c.key("n"), 1, 0); return err })
		c.away(c.outcome(get))
		c.away(c.outcome(add))
		network.Restore()
		c.works(st)
	}},
	{"an operation can be given up while nothing moves", func(c *check) {
		st, _, network := c.faulty()
		c.set(st, "k", "v", 0)
		network.Stall()
		ctx, cancel := context.WithCancel(c.ctx)
		result := attempt(func() error { return st.Set(ctx, c.key("k"), []byte("w"), 0) })
		cancel()
		c.is(c.outcome(result), context.Canceled)
		network.Restore()
		c.works(st)
	}},
	{"what was held up is done once", func(c *check) {
		st, _, network := c.faulty()
		c.set(st, "k", "v", 0)
		network.Stall()
		result := attempt(func() error { _, err := st.Increment(c.ctx, c.key("n"), 1, 0); return err })
		network.Restore()
		if err := c.outcome(result); err == nil {
			c.count(st, "n", 1, 2)
		} else {
			c.away(err)
		}
	}},
	{"a read does not take an outage for an absent key", func(c *check) {
		st, _, network := c.faulty()
		network.Cut()
		_, err := st.Get(c.ctx, c.key("k"))
		if errors.Is(err, store.ErrNotFound) {
			c.Fatal(err)
		}
		c.away(err)
	}},
	{"a count whose answer is lost", func(c *check) {
		c.lost(func(st store.Store) error { _, err := st.Increment(c.ctx, c.key("n"), 41, 0); return err }, func(other store.Store) bool {
			value, _ := other.Get(c.ctx, c.key("n"))
			return string(value) == "42"
		})
	}},
	{"a set whose answer is lost", func(c *check) {
		c.lost(func(st store.Store) error { return st.Set(c.ctx, c.key("k"), []byte("w"), 0) }, func(other store.Store) bool {
			value, _ := other.Get(c.ctx, c.key("k"))
			return string(value) == "w"
		})
	}},
	{"opening a store that is away", func(c *check) {
		if c.engine.Faulty == nil {
			c.Skip("the engine has no server that could be away")
		}
		open, network := c.engine.Faulty(c.T)
		network.Cut()
		_, err := open()
		c.away(err)
		network.Restore()
		st, err := open()
		c.ok(err)
		c.ok(st.Close())
	}},
	{"a subscription resumes and marks the gap", func(c *check) { c.resumes(Network.Cut) }},
	{"a subscription notices that nothing moves", func(c *check) { c.resumes(Network.Stall) }},
	{"an outage too short to be noticed", func(c *check) {
		st, other, network := c.faulty()
		sub := c.subscribe(st, "t")
		network.Cut()
		network.Restore()
		// Nothing but the marker can tell that it is over.
		c.gap(sub, store.ErrUnavailable)
		c.publish(other, "t", "after")
		c.hears(sub, "after")
	}},
	{"every subscription has its gap marked", func(c *check) {
		st, other, network := c.faulty()
		subs := []store.Subscription{c.subscribe(st, "t"), c.subscribe(st, "t"), c.subscribe(st, "u")}
		network.Cut()
		c.until("the outage is noticed", func() bool { return !subs[0].Live() && !subs[2].Live() })
		network.Restore()
		for _, sub := range subs {
			c.gap(sub, store.ErrUnavailable)
			c.until("the subscription is live", sub.Live)
		}
		c.publish(other, "t", "to t")
		c.publish(other, "u", "to u")
		c.hears(subs[0], "to t")
		c.hears(subs[1], "to t")
		c.hears(subs[2], "to u")
	}},
	{"who subscribes after an outage has no gap", func(c *check) {
		st, other, network := c.faulty()
		first := c.subscribe(st, "t")
		network.Cut()
		c.until("the outage is noticed", func() bool { return !first.Live() })
		_, err := st.Subscribe(c.ctx, c.key("u"))
		c.away(err)
		network.Restore()
		c.gap(first, store.ErrUnavailable)
		late := c.subscribe(st, "u")
		c.publish(other, "u", "hello")
		c.hears(late, "hello")
	}},
	{"a subscription can be closed while the server is away", func(c *check) {
		st, other, network := c.faulty()
		stays := c.subscribe(st, "t")
		goes := c.subscribe(st, "u")
		ctx, cancel := context.WithCancel(c.ctx)
		ends, err := st.Subscribe(ctx, c.key("v"))
		c.ok(err)
		network.Cut()
		c.until("the outage is noticed", func() bool { return !stays.Live() })
		c.ok(c.outcome(attempt(goes.Close)))
		cancel()
		c.ends(goes)
		c.ends(ends)
		network.Restore()
		c.gap(stays, store.ErrUnavailable)
		again := c.subscribe(st, "u")
		c.publish(other, "u", "hello")
		c.hears(again, "hello")
	}},
	{"a store can be closed while the server is away", func(c *check) { c.closes(Network.Cut) }},
	{"a store can be closed while nothing moves", func(c *check) { c.closes(Network.Stall) }},
	{"five outages in a row", func(c *check) {
		st, other, network := c.faulty()
		sub := c.subscribe(st, "t")
		for range 5 {
			network.Cut()
			c.until("the outage is noticed", func() bool { return !sub.Live() })
			network.Restore()
			c.gap(sub, store.ErrUnavailable)
			c.publish(other, "t", "between")
			c.hears(sub, "between")
		}
		c.works(st)
	}},
}

// resumes checks that a subscription outlives an outage.
func (c *check) resumes(breaks func(Network)) {
	c.Helper()
	st, other, network := c.faulty()
	sub := c.subscribe(st, "t")
	c.publish(other, "t", "before")
	c.hears(sub, "before")
	breaks(network)
	c.until("the outage is noticed", func() bool { return !sub.Live() })
	c.publish(other, "t", "meanwhile")
	network.Restore()
	c.until("the subscription is live again", sub.Live)
	c.publish(other, "t", "after")
	marked := false
	for {
		select {
		case m, open := <-sub.Messages():
			switch {
			case !open:
				c.Fatalf("the subscription ended: %v", sub.Err())
			case m.Gap != nil:
				c.is(m.Gap, store.ErrUnavailable)
				marked = true
			case string(m.Data) == "meanwhile":
				marked = true // an engine may make up for what was missed
			case string(m.Data) != "after" || !marked:
				c.Fatalf("heard %q, gap marked: %v", m.Data, marked)
			default:
				c.ok(sub.Err())
				return
			}
		case <-c.ctx.Done():
			c.Fatal("the subscription does not resume")
		}
	}
}

// closes checks that a store with operations and subscriptions under way ends in
// an outage.
func (c *check) closes(breaks func(Network)) {
	c.Helper()
	if c.engine.Faulty == nil {
		c.Skip("the engine has no server that could be away")
	}
	open, network := c.engine.Faulty(c.T)
	st, err := open()
	c.ok(err)
	sub, err := st.Subscribe(c.ctx, c.key("t"))
	c.ok(err)
	c.set(st, "k", "v", 0)
	breaks(network)
	pending := attempt(func() error { return st.Set(c.ctx, c.key("k"), []byte("w"), 0) })
	c.ok(c.outcome(attempt(st.Close)))
	c.fails(c.outcome(pending))
	c.ends(sub)
	c.is(sub.Err(), store.ErrClosed)
	_, err = st.Get(c.ctx, c.key("k"))
	c.is(err, store.ErrClosed)
}
