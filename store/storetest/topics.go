package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/store"
)

func (c *check) subscribe(st store.Store, topic string) store.Subscription {
	c.Helper()
	sub, err := st.Subscribe(c.ctx, c.key(topic))
	c.ok(err)
	c.Cleanup(func() { _ = sub.Close() })
	return sub
}

func (c *check) publish(st store.Store, topic, message string) {
	c.Helper()
	c.ok(st.Publish(c.ctx, c.key(topic), []byte(message)))
}

// hears checks the next message.
func (c *check) hears(sub store.Subscription, want string) {
	c.Helper()
	select {
	case got, open := <-sub.Messages():
		if !open {
			c.Fatalf("the subscription ended (%v), want %q", sub.Err(), want)
		}
		if got.Gap != nil || string(got.Data) != want {
			c.Fatalf("heard %.100q (gap: %v), want %.100q", got.Data, got.Gap, want)
		}
	case <-c.ctx.Done():
		c.Fatalf("heard nothing, want %.100q", want)
	}
}

// ends checks that a subscription ends, whatever it has still to give.
func (c *check) ends(sub store.Subscription) {
	c.Helper()
	for {
		select {
		case _, open := <-sub.Messages():
			if !open {
				return
			}
		case <-c.ctx.Done():
			c.Fatal("the subscription does not end")
		}
	}
}

var topicCases = []testCase{
	{"a subscriber hears a message", func(c *check) {
		st := c.open()
		sub := c.subscribe(st, "t")
		c.publish(st, "t", "hello")
		c.hears(sub, "hello")
	}},
	{"in order", func(c *check) {
		st := c.open()
		sub := c.subscribe(st, "t")
		for i := range 200 {
			c.publish(st, "t", fmt.Sprint(i))
		}
		for i := range 200 {
			c.hears(sub, fmt.Sprint(i))
		}
	}},
	{"every subscriber hears it, on every node", func(c *check) {
		nodes := c.nodes(3)
		var subs []store.Subscription
		for _, node := range nodes {
			subs = append(subs, c.subscribe(node, "t"), c.subscribe(node, "t"))
		}
		c.publish(nodes[1], "t", "hello")
		for _, sub := range subs {
			c.hears(sub, "hello")
		}
	}},
	{"topics are apart", func(c *check) {
		st := c.open()
		sub := c.subscribe(st, "t")
		c.publish(st, "T", "no")
		c.publish(st, "t.x", "no")
		c.publish(st, "*", "no")
		c.publish(st, "t", "yes")
		c.hears(sub, "yes")
	}},
	{"topics are not patterns", func(c *check) {
		st := c.open()
		sub := c.subscribe(st, "a.*")
		wide := c.subscribe(st, "a.>")
		c.publish(st, "a.b", "no")
		c.publish(st, "a.*", "star")
		c.publish(st, "a.>", "wide")
		c.hears(sub, "star")
		c.hears(wide, "wide")
	}},
	{"topics of any bytes", func(c *check) {
		st := c.open()
		sub := c.subscribe(st, "\x00 \xff\r\n")
		c.publish(st, "\x00 \xff\r\n", "hello")
		c.hears(sub, "hello")
	}},
	{"topics are not keys", func(c *check) {
		st := c.open()
		c.set(st, "t", "v", 0)
		sub := c.subscribe(st, "t")
		c.publish(st, "t", "hello")
		c.hears(sub, "hello")
		c.holds(st, "t", "v")
	}},
	{"nobody listens", func(c *check) { c.publish(c.open(), "t", "hello") }},
	{"what came before is not heard", func(c *check) {
		st := c.open()
		c.publish(st, "t", "before")
		sub := c.subscribe(st, "t")
		c.publish(st, "t", "after")
		c.hears(sub, "after")
	}},
	{"empty messages and any bytes", func(c *check) {
		st := c.open()
		sub := c.subscribe(st, "t")
		c.publish(st, "t", "")
		c.publish(st, "t", "\x00\xff\r\n")
		c.hears(sub, "")
		c.hears(sub, "\x00\xff\r\n")
	}},
	{"a message of 64 KiB", func(c *check) {
		st := c.open()
		sub := c.subscribe(st, "t")
		large := strings.Repeat("0123456789abcdef", 4<<10)
		c.publish(st, "t", large)
		c.hears(sub, large)
	}},
	{"a message that is sent is the store's own", func(c *check) {
		st := c.open()
		sub := c.subscribe(st, "t")
		message := []byte("before")
		c.ok(st.Publish(c.ctx, c.key("t"), message))
		copy(message, "BEHIND")
		c.hears(sub, "before")
	}},
	{"a closed subscription ends without an error", func(c *check) {
		st := c.open()
		sub := c.subscribe(st, "t")
		c.ok(sub.Close())
		c.ends(sub)
		c.ok(sub.Err())
		c.ok(sub.Close())
		c.publish(st, "t", "nobody hears")
	}},
	{"the context ends a subscription", func(c *check) {
		st := c.open()
		ctx, cancel := context.WithCancel(c.ctx)
		sub, err := st.Subscribe(ctx, c.key("t"))
		c.ok(err)
		cancel()
		c.ends(sub)
		c.is(sub.Err(), context.Canceled)
	}},
	{"others go on when one ends", func(c *check) {
		st := c.open()
		first, second := c.subscribe(st, "t"), c.subscribe(st, "t")
		c.ok(first.Close())
		c.publish(st, "t", "hello")
		c.hears(second, "hello")
	}},
	{"publishers in parallel lose nothing", func(c *check) {
		nodes := c.nodes(2)
		sub := c.subscribe(nodes[0], "t")
		parallel(4, func(i int) {
			for n := range 100 {
				if err := nodes[i%2].Publish(c.ctx, c.key("t"), fmt.Appendf(nil, "%d %d", i, n)); err != nil {
					c.Error(err)
				}
			}
		})
		next := [4]int{}
		for range 400 {
			select {
			case message := <-sub.Messages():
				var i, n int
				if _, err := fmt.Sscanf(string(message.Data), "%d %d", &i, &n); err != nil || next[i] != n {
					c.Fatalf("heard %q, want number %d of that publisher", message.Data, next[i])
				}
				next[i]++
			case <-c.ctx.Done():
				c.Fatalf("messages are missing: %v", next)
			}
		}
	}},
	{"a second subscriber hears nothing from before it came", func(c *check) {
		st := c.open()
		first := c.subscribe(st, "t")
		for i := range 20 {
			c.publish(st, "t", fmt.Sprint("before ", i))
			second := c.subscribe(st, "t")
			c.publish(st, "t", fmt.Sprint("after ", i))
			c.hears(second, fmt.Sprint("after ", i))
			c.hears(first, fmt.Sprint("before ", i))
			c.hears(first, fmt.Sprint("after ", i))
		}
	}},
	{"subscribers come and go in parallel", func(c *check) {
		nodes := c.nodes(2)
		parallel(8, func(i int) {
			for n := range 10 {
				sub, err := nodes[i%2].Subscribe(c.ctx, c.key("t"))
				if err != nil {
					c.Error(err)
					return
				}
				want := fmt.Sprint(i, " ", n)
				if err := nodes[i/4].Publish(c.ctx, c.key("t"), []byte(want)); err != nil {
					c.Error(err)
				}
				for message := range sub.Messages() {
					if message.Gap != nil {
						c.Errorf("a gap: %v", message.Gap)
					}
					if string(message.Data) == want {
						break
					}
				}
				if err := sub.Close(); err != nil {
					c.Error(err)
				}
			}
		})
	}},
	{"a subscription is live until it ends", func(c *check) {
		st := c.open()
		sub := c.subscribe(st, "t")
		if !sub.Live() {
			c.Fatal("a new subscription is not live")
		}
		c.ok(sub.Close())
		if sub.Live() {
			c.Fatal("a closed subscription is live")
		}
	}},
	{"a subscriber that does not read is told that it missed some", func(c *check) {
		st := c.open()
		slow, quick := c.subscribe(st, "t"), c.subscribe(st, "t")
		const sent, batch = store.Backlog + 76, 100
		for i := 0; i < sent; i += batch {
			for n := i; n < i+batch; n++ {
				c.publish(st, "t", fmt.Sprint(n))
			}
			for n := i; n < i+batch; n++ {
				c.hears(quick, fmt.Sprint(n))
			}
		}
		for i := range store.Backlog {
			c.hears(slow, fmt.Sprint(i))
		}
		c.gap(slow, store.ErrSlow)
		c.publish(st, "t", "and on")
		c.hears(quick, "and on")
		// Some of the last may still have been on their way when there was room again.
		for last := store.Backlog; ; {
			select {
			case m := <-slow.Messages():
				n, err := strconv.Atoi(string(m.Data))
				if string(m.Data) == "and on" {
					return
				}
				if m.Gap == nil && (err != nil || n < last) {
					c.Fatalf("heard %q after %d", m.Data, last)
				}
				last = n
			case <-c.ctx.Done():
				c.Fatal("the last message is not heard")
			}
		}
	}},
}

// gap checks that the next thing a subscription gives is a marker.
func (c *check) gap(sub store.Subscription, reason error) {
	c.Helper()
	select {
	case got, open := <-sub.Messages():
		if !open || !errors.Is(got.Gap, reason) || got.Data != nil {
			c.Fatalf("heard %.100q (gap: %v), want the marker of a gap", got.Data, got.Gap)
		}
	case <-c.ctx.Done():
		c.Fatal("heard nothing, want the marker of a gap")
	}
}

// shadow returns a context under which nothing is written, and what would have been.
func (c *check) shadow() (context.Context, *[]effect.Intent) {
	intents := &[]effect.Intent{}
	return effect.WithShadow(c.ctx, effect.RecorderFunc(func(i effect.Intent) { *intents = append(*intents, i) })), intents
}

var shadowCases = []testCase{
	{"nothing is written, everything is reported", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		c.set(st, "n", "41", 0)
		sub := c.subscribe(st, "t")
		ctx, intents := c.shadow()
		c.ok(st.Set(ctx, c.key("k"), []byte("w"), time.Minute))
		c.ok(st.Delete(ctx, c.key("k")))
		n, err := st.Increment(ctx, c.key("n"), 1, 0)
		if err != nil || n != 42 {
			c.Fatalf("Increment = %d, %v", n, err)
		}
		swapped, err := st.CompareAndSwap(ctx, c.key("k"), []byte("v"), []byte("x"), 0)
		if err != nil || !swapped {
			c.Fatalf("CompareAndSwap = %v, %v", swapped, err)
		}
		c.ok(st.Publish(ctx, c.key("t"), []byte("shadow")))
		c.holds(st, "k", "v")
		c.holds(st, "n", "41")
		c.publish(st, "t", "real")
		c.hears(sub, "real")
		if len(*intents) != 5 {
			c.Fatalf("%d intents: %+v", len(*intents), *intents)
		}
		for _, intent := range *intents {
			if intent.Kind != "store" || !strings.HasPrefix(intent.Target, c.space) {
				c.Errorf("intent %+v", intent)
			}
			if strings.Contains(intent.Detail, "shadow") {
				c.Errorf("the intent %q repeats a value, which may be a secret", intent.Detail)
			}
		}
	}},
	{"a swap that would fail says so and reports nothing", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		ctx, intents := c.shadow()
		for _, old := range [][]byte{nil, []byte("other")} {
			if swapped, err := st.CompareAndSwap(ctx, c.key("k"), old, []byte("w"), 0); err != nil || swapped {
				c.Fatalf("CompareAndSwap = %v, %v", swapped, err)
			}
		}
		if len(*intents) != 0 {
			c.Fatalf("intents: %+v", *intents)
		}
	}},
	{"equal writes are equal intents, others are not", func(c *check) {
		st := c.open()
		var details []string
		for _, value := range []string{"a", "a", "b"} {
			ctx, intents := c.shadow()
			c.ok(st.Set(ctx, c.key("k"), []byte(value), time.Minute))
			details = append(details, (*intents)[0].Detail)
		}
		if details[0] != details[1] || details[0] == details[2] {
			c.Fatalf("details %q", details)
		}
	}},
	{"mistakes are errors in a shadow too", func(c *check) {
		st := c.open()
		ctx, _ := c.shadow()
		c.fails(st.Set(ctx, "", nil, 0))
		c.fails(st.Set(ctx, c.key("k"), nil, -1))
		c.fails(st.Delete(ctx, ""))
		c.fails(st.Publish(ctx, "", nil))
		_, err := st.Increment(ctx, c.key("k"), 1, -1)
		c.fails(err)
	}},
	{"reads are noted, writes move the generation on", func(c *check) {
		st := c.open()
		var sources []string
		ctx := effect.WithReads(c.ctx, func(source, _ string) { sources = append(sources, source) })
		_, _ = st.Get(ctx, c.key("k"))
		if len(sources) != 1 {
			c.Fatalf("%d reads noted", len(sources))
		}
		before := effect.GenerationOf(sources[0], "")
		c.set(st, "k", "v", 0)
		if effect.GenerationOf(sources[0], "") == before {
			c.Fatal("the write does not show")
		}
	}},
}

var endCases = []testCase{
	{"a closed store says so", func(c *check) {
		st := c.engine.Open(c.T)
		c.ok(st.Close())
		c.ok(st.Close())
		_, err := st.Get(c.ctx, c.key("k"))
		c.is(err, store.ErrClosed)
		c.is(st.Set(c.ctx, c.key("k"), nil, 0), store.ErrClosed)
		c.is(st.Delete(c.ctx, c.key("k")), store.ErrClosed)
		_, err = st.CompareAndSwap(c.ctx, c.key("k"), nil, []byte("v"), 0)
		c.is(err, store.ErrClosed)
		_, err = st.Increment(c.ctx, c.key("k"), 1, 0)
		c.is(err, store.ErrClosed)
		scanned := errors.New("the sequence is empty")
		for _, scanned = range st.Scan(c.ctx, c.space) {
		}
		c.is(scanned, store.ErrClosed)
		c.is(st.Publish(c.ctx, c.key("t"), nil), store.ErrClosed)
		_, err = st.Subscribe(c.ctx, c.key("t"))
		c.is(err, store.ErrClosed)
	}},
	{"closing ends subscriptions", func(c *check) {
		st := c.engine.Open(c.T)
		sub, err := st.Subscribe(c.ctx, c.key("t"))
		c.ok(err)
		c.ok(st.Close())
		c.ends(sub)
		c.is(sub.Err(), store.ErrClosed)
		c.ok(sub.Close())
	}},
	{"a context that ended is an error", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		ctx, cancel := context.WithCancel(c.ctx)
		cancel()
		_, err := st.Get(ctx, c.key("k"))
		c.is(err, context.Canceled)
		c.is(st.Set(ctx, c.key("k"), []byte("w"), 0), context.Canceled)
		c.is(st.Publish(ctx, c.key("t"), nil), context.Canceled)
		_, err = st.Subscribe(ctx, c.key("t"))
		c.is(err, context.Canceled)
		c.holds(st, "k", "v")
	}},
	{"closing while it is used", func(c *check) {
		st := c.engine.Open(c.T)
		parallel(8, func(i int) {
			for n := range 50 {
				if i == 0 && n == 25 {
					_ = st.Close()
				}
				_ = st.Set(c.ctx, c.key("k"), []byte("v"), time.Minute)
				_ = st.Publish(c.ctx, c.key("t"), []byte("v"))
				if sub, err := st.Subscribe(c.ctx, c.key("t")); err == nil {
					_ = sub.Close()
				}
			}
		})
		c.ok(st.Close())
	}},
}
