package session_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
	_ "github.com/ishaa-framework/ishaa/store/nats"
	_ "github.com/ishaa-framework/ishaa/store/postgres"
	_ "github.com/ishaa-framework/ishaa/store/redis"
)

// Two nodes with connections of their own share sessions: values, renewals,
// flashes, lists, sign-out.
func TestTwoNodes(t *testing.T) {
	for name, place := range map[string]func(*testing.T) string{"Redis": onRedis, "PostgreSQL": onPostgres, "NATS": onNATS} {
		t.Run(name, func(t *testing.T) {
			address := place(t)
			open := func() store.Store {
				st, err := store.Open(address)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = st.Close() })
				return st
			}
			testTwoNodes(t, open(), open())
		})
	}
}

func testTwoNodes(t *testing.T, first, second store.Store) {
	ctx := context.Background()
	clock := ishaatest.NewClock(epoch)
	one := siteOn(t, &watched{KV: first}, clock, session.Options{})
	two := siteOn(t, &watched{KV: second}, clock, session.Options{})

	id := one.begin(t, "/set/basket/tea")
	two.want(t, "/get/basket", id, "tea")
	next := idOf(two.visit("/signin/ann", id))
	one.want(t, "/user", next, "ann")
	one.want(t, "/user", id, "")

	const parallel = 6
	var wg sync.WaitGroup
	for i := range parallel {
		wg.Go(func() { one.visit(fmt.Sprint("/set/one", i, "/x"), next) })
		wg.Go(func() { two.visit(fmt.Sprint("/set/two", i, "/x"), next) })
	}
	wg.Wait()
	ss, err := one.sessions.Get(ctx, next)
	if err != nil {
		t.Fatal(err)
	}
	if keys, _ := ss.Keys(); len(keys) != 2*parallel+1 {
		t.Errorf("the keys are %q", keys)
	}

	one.visit("/flash/hi", next)
	two.want(t, "/flashes", next, "[{info hi}]")
	one.want(t, "/flashes", next, "[]")

	other := two.begin(t, "/signin/ann")
	if list, err := one.sessions.List(ctx, "ann"); err != nil || len(list) != 2 {
		t.Errorf("ann has %v, %v", list, err)
	}
	if err := one.sessions.EndAll(ctx, "ann"); err != nil {
		t.Fatal(err)
	}
	two.want(t, "/user", next, "")
	two.want(t, "/user", other, "")
}

// with adds to an address's query.
func with(t *testing.T, address string, pairs ...string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func onRedis(t *testing.T) string {
	address := with(t, testenv.Redis(t), "prefix", "session-test-"+rand.Text()+":")
	t.Cleanup(func() {
		st, err := store.Open(address)
		if err != nil {
			t.Error(err)
			return
		}
		defer st.Close()
		for key, err := range st.Scan(context.Background(), "session:") {
			if err != nil {
				t.Error(err)
				return
			}
			_ = st.Delete(context.Background(), key)
		}
	})
	return address
}

func onPostgres(t *testing.T) string {
	ctx := context.Background()
	address := testenv.Postgres(t)
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Skip(err)
	}
	schema := "session_test_" + strings.ToLower(rand.Text())
	if _, err := conn.Exec(ctx, "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := conn.Exec(ctx, "DROP SCHEMA "+schema+" CASCADE"); err != nil {
			t.Error(err)
		}
		_ = conn.Close(ctx)
	})
	return with(t, address, "search_path", schema)
}

func onNATS(t *testing.T) string {
	address := testenv.NATS(t)
	bucket := "session_test_" + rand.Text()
	t.Cleanup(func() {
		conn, err := client.Connect(address)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		js, err := jetstream.New(conn)
		if err == nil {
			err = js.DeleteKeyValue(context.Background(), bucket)
		}
		if err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + bucket
	return with(t, u.String(), "storage", "memory")
}
