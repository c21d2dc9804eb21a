package storetest

import (
	"bytes"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/store"
)

var valueCases = []testCase{
	{"a key nobody set is not found", func(c *check) { c.absent(c.open(), "k") }},
	{"what was set is found", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		c.holds(st, "k", "v")
	}},
	{"setting again replaces", func(c *check) {
		st := c.open()
		c.set(st, "k", "a longer value", 0)
		c.set(st, "k", "v", 0)
		c.holds(st, "k", "v")
	}},
	{"an empty value is a value", func(c *check) {
		st := c.open()
		c.set(st, "k", "", 0)
		c.holds(st, "k", "")
	}},
	{"a nil value is an empty one", func(c *check) {
		st := c.open()
		c.ok(st.Set(c.ctx, c.key("k"), nil, 0))
		c.holds(st, "k", "")
	}},
	{"deleted keys are not found", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		c.ok(st.Delete(c.ctx, c.key("k")))
		c.absent(st, "k")
	}},
	{"deleting what is not there is no error", func(c *check) { c.ok(c.open().Delete(c.ctx, c.key("k"))) }},
	{"a deleted key can be set again", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		c.ok(st.Delete(c.ctx, c.key("k")))
		c.set(st, "k", "w", 0)
		c.holds(st, "k", "w")
	}},
	{"keys tell case apart", func(c *check) {
		st := c.open()
		c.set(st, "Key", "upper", 0)
		c.absent(st, "key")
	}},
	{"keys are not patterns", func(c *check) {
		st := c.open()
		c.set(st, "a*b?[c]%_.>", "v", 0)
		c.absent(st, "axbycz__.>")
		c.holds(st, "a*b?[c]%_.>", "v")
		c.ok(st.Delete(c.ctx, c.key("a*")))
		c.holds(st, "a*b?[c]%_.>", "v")
	}},
	{"keys with spaces, slashes and line breaks", func(c *check) {
		st := c.open()
		for _, name := range []string{" a b ", "a/b/../c", "line\r\nbreak", "tab\t", `quote"'\`, "häß", "\u202e", "."} {
			c.set(st, name, "of "+name, 0)
		}
		c.holds(st, " a b ", "of  a b ")
		c.holds(st, "line\r\nbreak", "of line\r\nbreak")
		c.absent(st, "a b")
	}},
	{"keys of any bytes", func(c *check) {
		st := c.open()
		names := []string{"\x00", "\x00\x00", "\xff\xfe", "a\x00b", "a", "\xc3\x28"}
		for i, name := range names {
			c.set(st, name, strings.Repeat("x", i+1), 0)
		}
		for i, name := range names {
			c.holds(st, name, strings.Repeat("x", i+1))
		}
	}},
	{"values of any bytes", func(c *check) {
		st := c.open()
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		c.set(st, "k", string(all), 0)
		c.holds(st, "k", string(all))
	}},
	{"the longest key", func(c *check) {
		st := c.open()
		name := strings.Repeat("k", store.MaxKey-len(c.space))
		c.set(st, name, "v", 0)
		c.holds(st, name, "v")
	}},
	{"a key that is too long is refused by every method", func(c *check) {
		c.refusesKey(strings.Repeat("k", store.MaxKey+1))
	}},
	{"an empty key is refused by every method", func(c *check) { c.refusesKey("") }},
	{"a value of 512 KiB", func(c *check) {
		st := c.open()
		large := strings.Repeat("0123456789abcdef", 32<<10)
		c.set(st, "k", large, 0)
		c.holds(st, "k", large)
	}},
	{"a value that is kept is the store's own", func(c *check) {
		st := c.open()
		value := []byte("before")
		c.ok(st.Set(c.ctx, c.key("k"), value, 0))
		copy(value, "BEHIND")
		c.holds(st, "k", "before")
	}},
	{"a value that is given out is the caller's", func(c *check) {
		st := c.open()
		c.set(st, "k", "before", 0)
		value, err := st.Get(c.ctx, c.key("k"))
		c.ok(err)
		copy(value, "BEHIND")
		c.holds(st, "k", "before")
	}},
	{"many keys at once", func(c *check) {
		st := c.open()
		c.set(st, "a", "1", 0)
		c.set(st, "b\x00", "", 0)
		c.set(st, "gone", "2", time.Millisecond)
		c.pass(2 * time.Millisecond)
		c.expires(st, "gone")
		c.many(st, map[string]string{"a": "1", "b\x00": ""}, "a", "b\x00", "gone", "never", "a")
		c.many(st, map[string]string{})
		_, err := st.GetMany(c.ctx, c.key("a"), "")
		c.fails(err)
	}},
	{"hundreds of keys at once", func(c *check) {
		st := c.open()
		want := map[string]string{}
		var names []string
		for i := range 300 {
			name := "k" + strings.Repeat("x", i)
			names = append(names, name)
			if i%3 > 0 {
				want[name] = strings.Repeat("v", i)
				c.set(st, name, want[name], 0)
			}
		}
		c.many(st, want, names...)
	}},
	{"all nodes see one map", func(c *check) {
		nodes := c.nodes(2)
		c.set(nodes[0], "k", "v", 0)
		c.holds(nodes[1], "k", "v")
		c.ok(nodes[1].Delete(c.ctx, c.key("k")))
		c.absent(nodes[0], "k")
	}},
	{"a thousand keys", func(c *check) {
		st := c.open()
		names := make([]string, 1000)
		for i := range names {
			names[i] = strings.Repeat("k", 1+i%7) + string(rune('a'+i%26)) + strings.Repeat("z", i/26)
		}
		c.setAll(st, names)
		for i := 0; i < len(names); i += 100 {
			c.holds(st, names[i], "v")
		}
	}},
	{"parallel writers leave one of their values", func(c *check) {
		st := c.open()
		parallel(8, func(i int) {
			for range 25 {
				if err := st.Set(c.ctx, c.key("k"), bytes.Repeat([]byte{byte('a' + i)}, 100), 0); err != nil {
					c.Error(err)
				}
			}
		})
		got, err := st.Get(c.ctx, c.key("k"))
		c.ok(err)
		if len(got) != 100 || bytes.Count(got, got[:1]) != 100 {
			c.Fatalf("the value is a mixture: %q", got)
		}
	}},
}

// many checks what GetMany gives.
func (c *check) many(st store.Store, want map[string]string, names ...string) {
	c.Helper()
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = c.key(name)
	}
	got, err := st.GetMany(c.ctx, keys...)
	c.ok(err)
	if len(got) != len(want) {
		c.Fatalf("GetMany gives %d values, want %d", len(got), len(want))
	}
	for name, value := range want {
		if found, ok := got[c.key(name)]; !ok || string(found) != value {
			c.Fatalf("GetMany gives %.100q for %.100q (%v), want %.100q", found, name, ok, value)
		}
	}
}

func (c *check) refusesKey(key string) {
	c.Helper()
	st := c.open()
	_, err := st.Get(c.ctx, key)
	c.fails(err)
	c.fails(st.Set(c.ctx, key, []byte("v"), 0))
	c.fails(st.Delete(c.ctx, key))
	_, err = st.CompareAndSwap(c.ctx, key, nil, []byte("v"), 0)
	c.fails(err)
	_, err = st.Increment(c.ctx, key, 1, 0)
	c.fails(err)
	c.fails(st.Publish(c.ctx, key, []byte("v")))
	_, err = st.Subscribe(c.ctx, key)
	c.fails(err)
}

var expiryCases = []testCase{
	{"a key lives as long as it was given", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", tick)
		c.holds(st, "k", "v")
		c.pass(tick)
		c.expires(st, "k")
	}},
	{"no time to live is for ever", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 0)
		c.pass(2 * tick)
		c.holds(st, "k", "v")
	}},
	{"setting again starts anew", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", tick)
		c.set(st, "k", "w", time.Hour)
		c.pass(2 * tick)
		c.holds(st, "k", "w")
	}},
	{"setting again without one is for ever", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", tick)
		c.set(st, "k", "w", 0)
		c.pass(2 * tick)
		c.holds(st, "k", "w")
	}},
	{"setting again can shorten it", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", time.Hour)
		c.set(st, "k", "w", tick)
		c.pass(tick)
		c.expires(st, "k")
	}},
	{"an expired key can be set again", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", tick)
		c.pass(tick)
		c.expires(st, "k")
		c.set(st, "k", "w", 0)
		c.holds(st, "k", "w")
	}},
	{"a deleted key's time does not touch its successor", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", tick)
		c.ok(st.Delete(c.ctx, c.key("k")))
		c.set(st, "k", "w", 0)
		c.pass(2 * tick)
		c.holds(st, "k", "w")
	}},
	{"less than a millisecond counts as one", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", time.Nanosecond)
		c.pass(2 * time.Millisecond)
		c.expires(st, "k")
	}},
	{"a negative time is refused", func(c *check) {
		st := c.open()
		c.fails(st.Set(c.ctx, c.key("k"), []byte("v"), -time.Second))
		_, err := st.CompareAndSwap(c.ctx, c.key("k"), nil, []byte("v"), -1)
		c.fails(err)
		_, err = st.Increment(c.ctx, c.key("k"), 1, -1)
		c.fails(err)
		c.absent(st, "k")
	}},
	{"a time of a year", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", 365*24*time.Hour)
		c.holds(st, "k", "v")
	}},
	{"a swap starts the time anew", func(c *check) {
		st := c.open()
		for swapped := false; !swapped; {
			began := time.Now()
			c.set(st, "k", "v", tick)
			var err error
			swapped, err = st.CompareAndSwap(c.ctx, c.key("k"), []byte("v"), []byte("w"), time.Hour)
			c.ok(err)
			if !swapped && time.Since(began) < tick {
				c.Fatal("not swapped")
			} // else the value's time was up already: a busy machine
		}
		c.pass(2 * tick)
		c.holds(st, "k", "w")
	}},
	{"a swap that fails leaves the time alone", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", tick)
		c.swap(st, "k", []byte("other"), []byte("w"), false)
		c.pass(tick)
		c.expires(st, "k")
	}},
	{"an expired key counts as absent in a swap", func(c *check) {
		st := c.open()
		c.set(st, "k", "v", tick)
		c.pass(tick)
		c.expires(st, "k")
		c.swap(st, "k", []byte("v"), []byte("w"), false)
		c.swap(st, "k", nil, []byte("w"), true)
		c.pass(2 * tick)
		c.holds(st, "k", "w")
	}},
	{"a counter keeps the time it began with", func(c *check) {
		st := c.open()
		for range 3 {
			_, err := st.Increment(c.ctx, c.key("k"), 1, tick)
			c.ok(err)
		}
		c.pass(tick)
		c.expires(st, "k")
		c.count(st, "k", 1, 1)
	}},
	{"a counter without a time is for ever", func(c *check) {
		st := c.open()
		c.count(st, "k", 1, 1)
		_, err := st.Increment(c.ctx, c.key("k"), 1, tick)
		c.ok(err)
		c.pass(2 * tick)
		c.holds(st, "k", "2")
	}},
	{"an expired key is not listed", func(c *check) {
		st := c.open()
		c.set(st, "a", "v", tick)
		c.set(st, "b", "v", 0)
		c.pass(tick)
		c.expires(st, "a")
		c.lists(st, "", "b")
	}},
	{"many keys expire together", func(c *check) {
		st := c.open()
		for i := range 300 {
			c.set(st, strings.Repeat("k", i+1), "v", tick)
		}
		c.pass(tick)
		c.expires(st, strings.Repeat("k", 300))
		c.lists(st, "")
	}},
}
