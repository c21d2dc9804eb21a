package storetest

import (
	"math"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/ishaa-framework/ishaa/store"
)

// parallel runs n goroutines and waits for them.
func parallel(n int, run func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { run(i) })
	}
	wg.Wait()
}

var swapCases = []testCase{
	{"nil for absent creates", func(c *check) {
		st := c.open()
		c.swap(st, "k", nil, []byte("v"), true)
		c.holds(st, "k", "v")
	}},
	{"nil for absent does not replace", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		c.swap(st, "k", nil, []byte("w"), false)
		c.holds(st, "k", "v")
	}},
	{"nil for absent is not an empty value", func(c *check) {
		st := c.open()
		c.set(st, "k", "", 0)
		c.swap(st, "k", nil, []byte("w"), false)
		c.swap(st, "k", []byte{}, []byte("w"), true)
		c.holds(st, "k", "w")
	}},
	{"an empty value is not an absent key", func(c *check) {
		st := c.open()
		c.swap(st, "k", []byte{}, []byte("w"), false)
		c.absent(st, "k")
	}},
	{"the right old value is replaced", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		c.swap(st, "k", []byte("v"), []byte("w"), true)
		c.holds(st, "k", "w")
	}},
	{"the wrong old value is not", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		c.swap(st, "k", []byte("V"), []byte("w"), false)
		c.swap(st, "k", []byte("v "), []byte("w"), false)
		c.swap(st, "k", []byte(""), []byte("w"), false)
		c.holds(st, "k", "v")
	}},
	{"bytes of any kind are compared", func(c *check) {
		st := c.open()
		c.set(st, "k", "\x00\xff\x00", 0)
		c.swap(st, "k", []byte("\x00\xff"), []byte("w"), false)
		c.swap(st, "k", []byte("\x00\xff\x00"), []byte("\xff"), true)
		c.holds(st, "k", "\xff")
	}},
	{"a nil value deletes", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		c.swap(st, "k", []byte("w"), nil, false)
		c.holds(st, "k", "v")
		c.swap(st, "k", []byte("v"), nil, true)
		c.absent(st, "k")
	}},
	{"a nil value on an absent key holds and does nothing", func(c *check) {
		st := c.open()
		c.swap(st, "k", nil, nil, true)
		c.absent(st, "k")
	}},
	{"one of many creators wins", func(c *check) {
		nodes := c.nodes(4)
		for round := range 10 {
			var winners atomic.Int64
			parallel(16, func(i int) {
				won, err := nodes[i%4].CompareAndSwap(c.ctx, c.key(strconv.Itoa(round)), nil, []byte(strconv.Itoa(i)), 0)
				if err != nil {
					c.Error(err)
				}
				if won {
					winners.Add(1)
				}
			})
			if winners.Load() != 1 {
				c.Fatalf("%d creators won", winners.Load())
			}
		}
	}},
	{"no swap is lost in a race", func(c *check) {
		nodes := c.nodes(4)
		c.set(nodes[0], "k", "0", 0)
		parallel(8, func(i int) {
			for range 25 {
				c.addBySwap(nodes[i%4], "k")
			}
		})
		c.holds(nodes[0], "k", "200")
	}},
}

// addBySwap counts one up by compare-and-swap, as long as it takes.
func (c *check) addBySwap(st store.Store, name string) {
	for c.ctx.Err() == nil {
		old, err := st.Get(c.ctx, c.key(name))
		if err != nil {
			c.Error(err)
			return
		}
		n, _ := strconv.Atoi(string(old))
		swapped, err := st.CompareAndSwap(c.ctx, c.key(name), old, []byte(strconv.Itoa(n+1)), 0)
		if err != nil {
			c.Error(err)
			return
		}
		if swapped {
			return
		}
	}
	c.Error("the race was not over in time")
}

var counterCases = []testCase{
	{"a new counter begins at zero", func(c *check) { c.count(c.open(), "k", 5, 5) }},
	{"counters add and subtract", func(c *check) {
		st := c.open()
		c.count(st, "k", 5, 5)
		c.count(st, "k", -8, -3)
		c.count(st, "k", 0, -3)
		c.count(st, "k", 3, 0)
	}},
	{"a counter reads as decimal text", func(c *check) {
		st := c.open()
		c.count(st, "k", -42, -42)
		c.holds(st, "k", "-42")
	}},
	{"decimal text counts on", func(c *check) {
		st := c.open()
		c.set(st, "k", "41", 0)
		c.count(st, "k", 1, 42)
	}},
	{"other text does not", func(c *check) {
		st := c.open()
		for _, text := range []string{"", "x", "1.5", "0x10", "1 ", "99999999999999999999"} {
			c.set(st, "k", text, 0)
			_, err := st.Increment(c.ctx, c.key("k"), 1, 0)
			c.is(err, store.ErrNotCounter)
			c.holds(st, "k", text)
		}
	}},
	{"the largest and smallest counts", func(c *check) {
		st := c.open()
		c.count(st, "k", math.MaxInt64, math.MaxInt64)
		_, err := st.Increment(c.ctx, c.key("k"), 1, 0)
		c.is(err, store.ErrNotCounter)
		c.holds(st, "k", strconv.FormatInt(math.MaxInt64, 10))
		c.count(st, "l", math.MinInt64, math.MinInt64)
		_, err = st.Increment(c.ctx, c.key("l"), -1, 0)
		c.is(err, store.ErrNotCounter)
	}},
	{"a counter can be swapped", func(c *check) {
		st := c.open()
		c.count(st, "k", 1, 1)
		c.swap(st, "k", []byte("1"), []byte("10"), true)
		c.count(st, "k", 1, 11)
	}},
	{"no count is lost and none given twice", func(c *check) {
		nodes := c.nodes(4)
		const workers, each = 8, 50
		seen := make([][]int64, workers)
		parallel(workers, func(i int) {
			for range each {
				n, err := nodes[i%4].Increment(c.ctx, c.key("k"), 1, 0)
				if err != nil {
					c.Error(err)
					return
				}
				seen[i] = append(seen[i], n)
			}
		})
		given := map[int64]bool{}
		for _, list := range seen {
			for _, n := range list {
				if given[n] || n < 1 || n > workers*each {
					c.Fatalf("%d was given twice or is out of range", n)
				}
				given[n] = true
			}
		}
		c.holds(nodes[0], "k", strconv.Itoa(workers*each))
	}},
}
