package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa/store"
)

// lists checks what Scan gives for a prefix.
func (c *check) lists(st store.Store, prefix string, want ...string) {
	c.Helper()
	var got []string
	for key, err := range st.Scan(c.ctx, c.key(prefix)) {
		c.ok(err)
		got = append(got, strings.TrimPrefix(key, c.space))
	}
	if !slices.Equal(got, want) {
		c.Fatalf("Scan(%q) gives %q, want %q", prefix, got, want)
	}
}

// setAll sets many keys, several at a time.
func (c *check) setAll(st store.Store, names []string) {
	c.Helper()
	parallel(8, func(i int) {
		for ; i < len(names); i += 8 {
			if err := st.Set(c.ctx, c.key(names[i]), []byte("v"), 0); err != nil {
				c.Error(err)
			}
		}
	})
}

var scanCases = []testCase{
	{"nothing there", func(c *check) { c.lists(c.open(), "") }},
	{"only what begins with the prefix", func(c *check) {
		st := c.open()
		for _, name := range []string{"user:1", "user:2", "users", "use", "User:3", "xuser:1"} {
			c.set(st, name, "v", 0)
		}
		c.lists(st, "user:", "user:1", "user:2")
	}},
	{"the whole key is a prefix of itself", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		c.set(st, "kk", "v", 0)
		c.lists(st, "k", "k", "kk")
		c.lists(st, "kk", "kk")
	}},
	{"in the order of bytes", func(c *check) {
		st := c.open()
		want := []string{"", "\x00", "10", "9", "A", "a", "a\x00", "aa", "b", "é", "\xff", "\xff\xff"}
		for _, i := range []int{7, 2, 11, 5, 0, 9, 3, 1, 10, 6, 4, 8} {
			c.set(st, want[i], "v", 0)
		}
		c.lists(st, "", want...)
	}},
	{"prefixes are not patterns", func(c *check) {
		st := c.open()
		for _, name := range []string{"a*", "ab", "a%", "a_", "a[b]", "a.b", "a>", `a\`, "a?"} {
			c.set(st, name, "v", 0)
		}
		for _, prefix := range []string{"a*", "a%", "a_", "a[b]", "a.b", "a>", `a\`, "a?"} {
			c.lists(st, prefix, prefix)
		}
	}},
	{"a prefix of high bytes", func(c *check) {
		st := c.open()
		c.set(st, "\xff\xffa", "v", 0)
		c.set(st, "\xffa", "v", 0)
		c.lists(st, "\xff\xff", "\xff\xffa")
	}},
	{"deleted keys are not listed", func(c *check) {
		st := c.open()
		c.set(st, "a", "v", 0)
		c.set(st, "b", "v", 0)
		c.ok(st.Delete(c.ctx, c.key("a")))
		c.lists(st, "", "b")
	}},
	{"counters and swapped keys are listed", func(c *check) {
		st := c.open()
		c.count(st, "count", 1, 1)
		c.swap(st, "swap", nil, []byte("v"), true)
		c.lists(st, "", "count", "swap")
	}},
	{"a thousand keys, once each", func(c *check) {
		st := c.open()
		var want []string
		for i := range 1000 {
			name := fmt.Sprintf("k%04d", i)
			want = append(want, name)
		}
		c.setAll(st, want)
		c.lists(st, "k", want...)
	}},
	{"the loop may end early and use the store", func(c *check) {
		st := c.open()
		for _, name := range []string{"a", "b", "c"} {
			c.set(st, name, "v", 0)
		}
		for key, err := range st.Scan(c.ctx, c.space) {
			c.ok(err)
			c.ok(st.Delete(c.ctx, key))
			if strings.HasSuffix(key, "b") {
				break
			}
		}
		c.lists(st, "", "c")
	}},
	{"keys that stay are listed while others come and go", func(c *check) {
		st := c.open()
		var stay []string
		for i := range 100 {
			stay = append(stay, fmt.Sprintf("stays%02d", i))
		}
		c.setAll(st, stay)
		stop := make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for i := 0; ; i = (i + 1) % 50 {
				select {
				case <-stop:
					return
				default:
				}
				key := c.key(fmt.Sprintf("comes%02d", i))
				_ = st.Set(c.ctx, key, []byte("v"), 0)
				_ = st.Delete(c.ctx, key)
			}
		}()
		for range 5 {
			n := 0
			for key, err := range st.Scan(c.ctx, c.space) {
				if err != nil {
					c.Errorf("Scan: %v", err)
				}
				if strings.Contains(key, "stays") {
					n++
				}
			}
			if n != 100 {
				c.Errorf("listed %d of 100", n)
			}
		}
		close(stop)
		<-ended
	}},
	{"a context that ended ends the scan", func(c *check) {
		st := c.open()
		c.set(st, "a", "v", 0)
		ctx, cancel := context.WithCancel(c.ctx)
		cancel()
		for _, err := range st.Scan(ctx, c.space) {
			c.is(err, context.Canceled)
			return
		}
		c.Fatal("the scan ended without the error")
	}},
}
