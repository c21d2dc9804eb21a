package postgres_test

import (
	"context"
	"crypto/rand"
	"flag"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/faultproxy"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/store"
	_ "github.com/ishaa-framework/ishaa/store/postgres"
	"github.com/ishaa-framework/ishaa/store/storetest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "10") // most of the time is waiting
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		os.Stderr.WriteString(err.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}

// schema makes a schema of the test's own and returns the URL of the database with
// it as the search path, and a connection to look at it.
func schema(t testing.TB) (*url.URL, *pgx.Conn) {
	t.Helper()
	u, err := url.Parse(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, u.String())
	if err != nil {
		t.Fatal(err)
	}
	name := "ishaa_test_" + strings.ToLower(rand.Text())
	if _, err := conn.Exec(ctx, "CREATE SCHEMA "+name+"; SET search_path TO "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := conn.Exec(ctx, "DROP SCHEMA "+name+" CASCADE"); err != nil {
			t.Error(err)
		}
		conn.Close(ctx)
	})
	u.RawQuery = with(u, "search_path", name)
	u.RawQuery = with(u, "synchronous_commit", "off") // quick, and nothing here outlives a crash
	return u, conn
}

// with adds an option to a URL's.
func with(u *url.URL, name, value string) string {
	query := u.Query()
	query.Set(name, value)
	return query.Encode()
}

func open(t testing.TB, u *url.URL) store.Store {
	t.Helper()
	st, err := store.Open(u.String())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestConformance(t *testing.T) {
	u, _ := schema(t)
	open(t, u).Close() // makes the tables
	storetest.Run(t, storetest.Engine{
		Open: func(t *testing.T) store.Store { return open(t, u) },
		Shared: func(t *testing.T, nodes int) []store.Store {
			list := make([]store.Store, nodes)
			for i := range list {
				list[i] = open(t, u)
			}
			return list
		},
		Faulty: func(t *testing.T) (func() (store.Store, error), storetest.Network) {
			proxy, err := faultproxy.New(u.Host)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { proxy.Close() })
			faulty := *u
			faulty.Host = proxy.Addr()
			faulty.RawQuery = with(&faulty, "timeout", "1500ms")
			return func() (store.Store, error) { return store.Open(faulty.String()) }, proxy
		},
	})
}

func BenchmarkPostgres(b *testing.B) {
	u, _ := schema(b)
	st := open(b, u)
	defer st.Close()
	storetest.Benchmark(b, st)
}
