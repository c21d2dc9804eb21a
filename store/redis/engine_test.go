package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/store/redis"
)

// A server that is away is an error at once, which says where and what to do.
func ExampleClient() {
	st, err := store.Open("redis://:secret@127.0.0.1:1/0?prefix=shop:&timeout=1s")
	if err != nil {
		fmt.Println(errors.Is(err, store.ErrUnavailable))
		return
	}
	defer st.Close()
	if client, ok := redis.Client(st); ok {
		fmt.Println(client.Do(context.Background(), client.B().Ping().Build()).ToString())
	}
	// Output: true
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"redis://127.0.0.1:1/x", "database number"},
		{"redis://127.0.0.1:1/0/1", "path"},
		{"redis://127.0.0.1:1?timeout=soon", "such as 3s"},
		{"redis://:hunter2@127.0.0.1:1", "redis://127.0.0.1:1"},
		{"rediss://:hunter2@127.0.0.1:1", "rediss://127.0.0.1:1"},
	} {
		st, err := store.Open(c.address)
		if err == nil {
			st.Close()
			t.Fatalf("%s opens", c.address)
		}
		if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s gives %v", c.address, err)
		}
	}
	u, err := url.Parse(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("nobody", "hunter2")
	if _, err := store.Open(u.String()); err == nil || errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a wrong password gives %v", err)
	}
}

// The prefix stands before keys on the server and nowhere else.
func TestPrefix(t *testing.T) {
	open, prefix := opener(t)
	st := open(t)
	defer st.Close()
	ctx := t.Context()
	if err := st.Set(ctx, "k*[", []byte("v"), 0); err != nil {
		t.Fatal(err)
	}
	client, ok := redis.Client(st)
	if !ok {
		t.Fatal("the store has no client")
	}
	if got, err := client.Do(ctx, client.B().Get().Key(prefix+"k*[").Build()).ToString(); got != "v" || err != nil {
		t.Errorf("the server holds %q, %v", got, err)
	}
	found, err := st.GetMany(ctx, "k*[")
	if err != nil || string(found["k*["]) != "v" {
		t.Errorf("found %q, %v", found, err)
	}
	var keys []string
	for key, err := range st.Scan(ctx, "k*") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	if !slices.Equal(keys, []string{"k*["}) {
		t.Errorf("the scan gives %q", keys)
	}
	if _, ok := redis.Client(store.NewMemory(store.MemoryOptions{})); ok {
		t.Error("a store in memory has a client of Redis")
	}
}

// A key that another program uses for a list is an error and stays as it is.
func TestKeyOfAnotherKind(t *testing.T) {
	open, prefix := opener(t)
	st := open(t)
	defer st.Close()
	ctx := t.Context()
	client, _ := redis.Client(st)
	if err := client.Do(ctx, client.B().Rpush().Key(prefix+"list").Element("x").Build()).Error(); err != nil {
		t.Fatal(err)
	}
	_, getErr := st.Get(ctx, "list")
	_, swapErr := st.CompareAndSwap(ctx, "list", nil, []byte("v"), 0)
	_, addErr := st.Increment(ctx, "list", 1, time.Hour)
	_, _, admitErr := st.(store.Limiter).Admit(ctx, "list", time.Second, 1)
	for name, err := range map[string]error{"Get": getErr, "CompareAndSwap": swapErr, "Increment": addErr, "Admit": admitErr} {
		if err == nil || errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "WRONGTYPE") {
			t.Errorf("%s gives %v", name, err)
		}
	}
	if n, err := client.Do(ctx, client.B().Llen().Key(prefix+"list").Build()).AsInt64(); n != 1 || err != nil {
		t.Errorf("the list has %d elements, %v", n, err)
	}
}

// Scripts that the server forgot are sent again.
func TestScriptsAreForgotten(t *testing.T) {
	open, _ := opener(t)
	st := open(t)
	defer st.Close()
	ctx := t.Context()
	client, _ := redis.Client(st)
	for want := range 3 {
		if n, err := st.Increment(ctx, "n", 1, time.Hour); err != nil || n != int64(want+1) {
			t.Fatalf("Increment = %d, %v", n, err)
		}
		if err := client.Do(ctx, client.B().ScriptFlush().Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := st.Increment(ctx, "n", math.MaxInt64-3, time.Hour); n != math.MaxInt64 || err != nil {
		t.Errorf("the largest counter with a time is %d, %v", n, err)
	}
}

// Databases of one server share channels, stores do not.
func TestTopicsOfTwoDatabases(t *testing.T) {
	_, prefix := opener(t)
	u, err := url.Parse(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	u.RawQuery = url.Values{"prefix": {prefix}}.Encode()
	var subs []store.Subscription
	var stores []store.Store
	for _, path := range []string{"/0", "/1"} {
		u.Path = path
		st, err := store.Open(u.String())
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		sub, err := st.Subscribe(t.Context(), "t")
		if err != nil {
			t.Fatal(err)
		}
		stores, subs = append(stores, st), append(subs, sub)
	}
	for i, st := range stores {
		if err := st.Publish(t.Context(), "t", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		if m := <-subs[i].Messages(); string(m.Data) != fmt.Sprint(i) {
			t.Errorf("database %d hears %q", i, m.Data)
		}
	}
}
