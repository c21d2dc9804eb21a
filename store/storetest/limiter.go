package storetest

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa/store"
)

// limiter opens connected stores that count by themselves.
func (c *check) limiters(n int) []store.Limiter {
	c.Helper()
	var list []store.Limiter
	for _, st := range c.nodes(n) {
		limiter, ok := st.(store.Limiter)
		if !ok {
			c.Skip("the engine is no Limiter")
		}
		list = append(list, limiter)
	}
	return list
}

var limiterCases = []testCase{
	{"a burst, then refusals", func(c *check) {
		limiter := c.limiters(1)[0]
		for i := range 5 {
			admitted, ahead, err := limiter.Admit(c.ctx, c.key("k"), time.Hour, 3)
			c.ok(err)
			want := time.Duration(min(i+1, 3)) * time.Hour
			if admitted != (i < 3) || ahead > want || ahead < want-time.Minute {
				c.Fatalf("number %d: %v, %v ahead", i, admitted, ahead)
			}
		}
	}},
	{"room comes back with time", func(c *check) {
		limiter := c.limiters(1)[0]
		for _, want := range []bool{true, false} {
			admitted, _, err := limiter.Admit(c.ctx, c.key("k"), tick, 1)
			c.ok(err)
			if admitted != want {
				c.Fatalf("admitted: %v", admitted)
			}
		}
		c.until("it is admitted again", func() bool {
			c.pass(tick / 8)
			admitted, _, err := limiter.Admit(c.ctx, c.key("k"), tick, 1)
			c.ok(err)
			return admitted
		})
	}},
	{"the key goes when it counts for nothing", func(c *check) {
		nodes := c.nodes(1)
		limiter, ok := nodes[0].(store.Limiter)
		if !ok {
			c.Skip("the engine is no Limiter")
		}
		_, _, err := limiter.Admit(c.ctx, c.key("k"), time.Millisecond, 1)
		c.ok(err)
		value, err := nodes[0].Get(c.ctx, c.key("k"))
		c.ok(err)
		if _, err := strconv.ParseInt(string(value), 10, 64); err != nil {
			c.Fatalf("the key holds %q", value)
		}
		c.pass(time.Second)
		c.expires(nodes[0], "k")
	}},
	{"what is kept is an arrival time", func(c *check) {
		nodes := c.nodes(1)
		limiter, ok := nodes[0].(store.Limiter)
		if !ok {
			c.Skip("the engine is no Limiter")
		}
		for _, text := range []string{"", "x", "1.5", "99999999999999999999"} {
			c.set(nodes[0], "k", text, 0)
			_, _, err := limiter.Admit(c.ctx, c.key("k"), time.Second, 1)
			c.is(err, store.ErrNotCounter)
		}
		for _, text := range []string{"0", "7", "1000000000"} {
			c.set(nodes[0], "k", text, 0)
			admitted, ahead, err := limiter.Admit(c.ctx, c.key("k"), time.Second, 1)
			c.ok(err)
			if !admitted || ahead != time.Second {
				c.Fatalf("a time long past counts: %v, %v ahead", admitted, ahead)
			}
		}
	}},
	{"nanoseconds and years", func(c *check) {
		limiter := c.limiters(1)[0]
		for _, interval := range []time.Duration{1, 999, 1_234_567_891, 365 * 24 * time.Hour} {
			admitted, ahead, err := limiter.Admit(c.ctx, c.key(interval.String()), interval, 3)
			c.ok(err)
			if !admitted || ahead != interval {
				c.Fatalf("one per %v: %v, %v ahead", interval, admitted, ahead)
			}
		}
	}},
	{"mistakes are refused", func(c *check) {
		limiter := c.limiters(1)[0]
		for _, rate := range []struct {
			interval time.Duration
			burst    int64
		}{{0, 1}, {-1, 1}, {1, 0}, {1, -1}, {time.Hour, 1 << 40}} {
			_, _, err := limiter.Admit(c.ctx, c.key("k"), rate.interval, rate.burst)
			c.fails(err)
		}
		_, _, err := limiter.Admit(c.ctx, "", time.Second, 1)
		c.fails(err)
	}},
	{"exact over many nodes", func(c *check) {
		limiters := c.limiters(4)
		var admitted atomic.Int64
		parallel(16, func(i int) {
			for range 25 {
				ok, _, err := limiters[i%4].Admit(c.ctx, c.key("k"), time.Hour, 100)
				if err != nil {
					c.Error(err)
				}
				if ok {
					admitted.Add(1)
				}
			}
		})
		if admitted.Load() != 100 {
			c.Fatalf("%d of 400 are admitted, want 100", admitted.Load())
		}
	}},
	{"a shadow counts nothing", func(c *check) {
		limiter := c.limiters(1)[0]
		ctx, intents := c.shadow()
		for range 3 {
			admitted, ahead, err := limiter.Admit(ctx, c.key("k"), time.Hour, 1)
			c.ok(err)
			if !admitted || ahead != time.Hour {
				c.Fatalf("%v, %v ahead", admitted, ahead)
			}
		}
		if len(*intents) != 3 {
			c.Fatalf("intents: %+v", *intents)
		}
	}},
}
