package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/store/storetest"
)

func Example() {
	ctx := context.Background()
	st, err := store.Open("memory://")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer st.Close()

	_ = st.Set(ctx, "greeting", []byte("hello"), time.Minute)
	value, err := st.Get(ctx, "greeting")
	fmt.Printf("%s %v\n", value, err)

	_, err = st.Get(ctx, "nothing")
	fmt.Println(errors.Is(err, store.ErrNotFound))

	visits, _ := st.Increment(ctx, "visits", 1, 0)
	fmt.Println(visits)
	// Output:
	// hello <nil>
	// true
	// 1
}

func ExamplePubSub() {
	ctx := context.Background()
	st := store.NewMemory(store.MemoryOptions{})
	defer st.Close()

	news, err := st.Subscribe(ctx, "news")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer news.Close()
	_ = st.Publish(ctx, "news", []byte("it rains"))
	message := <-news.Messages()
	fmt.Printf("%s\n", message.Data)
	// Output: it rains
}

func ExampleLimiter() {
	ctx := context.Background()
	st := store.NewMemory(store.MemoryOptions{})
	defer st.Close()

	limiter, ok := st.(store.Limiter) // memory, Redis and PostgreSQL are
	if !ok {
		return
	}
	for range 3 {
		admitted, _, err := limiter.Admit(ctx, "reports:ada", time.Hour, 2) // one an hour, two at once
		fmt.Println(admitted, err)
	}
	// Output:
	// true <nil>
	// true <nil>
	// false <nil>
}

// clock is a clock that only tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestMemory(t *testing.T) {
	clock := &clock{now: time.Unix(1_800_000_000, 0)}
	storetest.Run(t, storetest.Engine{
		Open:    func(*testing.T) store.Store { return store.NewMemory(store.MemoryOptions{Now: clock.Now}) },
		Advance: clock.Advance,
	})
}

func TestMemoryByURL(t *testing.T) {
	storetest.Run(t, storetest.Engine{Open: func(t *testing.T) store.Store {
		st, err := store.Open("memory://")
		if err != nil {
			t.Fatal(err)
		}
		return st
	}})
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct{ name, address, want string }{
		{"an engine that is not linked", "redis://:hunter2@127.0.0.1/0", `import _ "github.com/ishaa-framework/ishaa/store/redis"`},
		{"by its other name", "postgresql://127.0.0.1/app", `store/postgres"`},
		{"an engine nobody knows", "carrier://pigeon", "this program has memory"},
		{"nothing", "", "memory://"},
		{"no URL", "127.0.0.1:6379", "memory://"},
		{"a URL that cannot be read", "redis://:hunter2@[::1", "not a URL"},
		{"options of memory", "memory://?size=1", "neither"},
		{"a named memory", "memory://shared", "its own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			st, err := store.Open(c.address)
			if err == nil {
				st.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error is %q, want %q in it and no password", err, c.want)
			}
		})
	}
}

func TestRegister(t *testing.T) {
	store.Register("test-engine", func(u *url.URL) (store.Store, error) {
		if u.Host == "away" {
			return nil, store.ErrUnavailable
		}
		return store.NewMemory(store.MemoryOptions{}), nil
	})
	st, err := store.Open("test-engine://here")
	if err != nil {
		t.Fatal(err)
	}
	st.Close()
	if _, err := store.Open("test-engine://me:hunter2@away"); !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error is %v", err)
	}
	for name, again := range map[string]func(){
		"twice": func() { store.Register("test-engine", func(*url.URL) (store.Store, error) { return nil, nil }) },
		"nil":   func() { store.Register("test-nil", nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("registering %s does not panic", name)
				}
			}()
			again()
		}()
	}
}
