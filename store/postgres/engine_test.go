package postgres_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/store"
)

// A server that is away is an error at once, which says where and what to do.
func Example() {
	st, err := store.Open("postgres://app:secret@127.0.0.1:1/shop?timeout=1s")
	if err != nil {
		fmt.Println(errors.Is(err, store.ErrUnavailable))
		return
	}
	defer st.Close()
	// Output: true
}

func TestOpenRefuses(t *testing.T) {
	u, _ := schema(t)
	wrong := *u
	wrong.Path = "/no_such_database"
	for address, want := range map[string]string{
		"postgres://u:hunter2@127.0.0.1:1/x?sslmode=nonsense": "not understood",
		"postgres://u:hunter2@127.0.0.1:1/x?timeout=0":        "such as 3s",
		"postgresql://u:hunter2@127.0.0.1:1/x":                "postgresql://127.0.0.1:1/x",
		wrong.String():                                        "no_such_database",
	} {
		st, err := store.Open(address)
		if err == nil {
			st.Close()
			t.Fatalf("%s opens", address)
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s gives %v, want %q in it", address, err, want)
		}
	}
}

// Nodes that start together make the tables once, under a name that needs quotes.
func TestTablesAreMadeOnce(t *testing.T) {
	u, conn := schema(t)
	u.RawQuery = with(u, "table", `kept "here" 'too'`)
	var running sync.WaitGroup
	for range 6 {
		running.Go(func() {
			st, err := store.Open(u.String())
			if err != nil {
				t.Error(err)
				return
			}
			defer st.Close()
			if _, err := st.Increment(t.Context(), "n", 1, 0); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	var value []byte
	if err := conn.QueryRow(t.Context(), `SELECT value FROM "kept ""here"" 'too'" WHERE key = 'n'`).Scan(&value); err != nil || string(value) != "6" {
		t.Errorf("the table holds %q, %v", value, err)
	}
}

// Two tables in one database share no topics.
func TestTopicsOfTwoTables(t *testing.T) {
	u, _ := schema(t)
	var stores []store.Store
	var subs []store.Subscription
	for _, table := range []string{"one", "two"} {
		u.RawQuery = with(u, "table", table)
		st := open(t, u)
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
			t.Errorf("table %d hears %q", i, m.Data)
		}
	}
}

// A message is sent in the notification up to the most that fits, and by way of the
// table beyond; order is kept between both.
func TestMessagesOfEverySize(t *testing.T) {
	u, conn := schema(t)
	st := open(t, u)
	defer st.Close()
	sub, err := st.Subscribe(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{0, 1, 5997, 5998, 5999, 6000, 10, 7999, 8000, 1 << 20, 3}
	for _, size := range sizes {
		if err := st.Publish(t.Context(), "t", bytes.Repeat([]byte{0xff}, size)); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range sizes {
		if m := <-sub.Messages(); len(m.Data) != size || m.Gap != nil {
			t.Fatalf("heard %d bytes (gap: %v), want %d", len(m.Data), m.Gap, size)
		}
	}
	var kept int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM ishaa_store_message").Scan(&kept); err != nil || kept != 5 {
		t.Errorf("%d messages went by way of the table, %v; want 5", kept, err)
	}
}

// The server ends connections, as a restart or an administrator does.
func TestConnectionsAreEnded(t *testing.T) {
	u, conn := schema(t)
	u.RawQuery = with(u, "application_name", "ishaa-test-ended")
	st := open(t, u)
	defer st.Close()
	sub, err := st.Subscribe(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		if _, err := conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ishaa-test-ended'"); err != nil {
			t.Fatal(err)
		}
		if m := <-sub.Messages(); !errors.Is(m.Gap, store.ErrUnavailable) {
			t.Fatalf("heard %q, want the marker of a gap", m.Data)
		}
		if _, err := st.Get(t.Context(), "k"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("round %d: reading gives %v", round, err)
		}
		if err := st.Publish(t.Context(), "t", []byte("after")); err != nil {
			t.Errorf("round %d: publishing gives %v", round, err)
		}
		if m := <-sub.Messages(); string(m.Data) != "after" {
			t.Errorf("round %d: heard %q (gap: %v)", round, m.Data, m.Gap)
		}
	}
}

// What is expired leaves the table. The package sweeps about once a minute; here
// the statement's effect is seen through a key that is set again.
func TestExpiredKeysAreReplaced(t *testing.T) {
	u, conn := schema(t)
	st := open(t, u)
	defer st.Close()
	if err := st.Set(t.Context(), "k", []byte("v"), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := st.Get(t.Context(), "k"); errors.Is(err, store.ErrNotFound) {
			break
		}
	}
	if n, err := st.Increment(t.Context(), "k", 7, 0); n != 7 || err != nil {
		t.Errorf("counting on an expired key gives %d, %v", n, err)
	}
	var eternal bool
	if err := conn.QueryRow(t.Context(), "SELECT expires IS NULL FROM ishaa_store WHERE key = 'k'").Scan(&eternal); err != nil || !eternal {
		t.Errorf("the key is kept for ever: %v, %v", eternal, err)
	}
}
