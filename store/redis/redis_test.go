package redis_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"net/url"
	"os"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/faultproxy"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/store"
	_ "github.com/ishaa-framework/ishaa/store/redis"
	"github.com/ishaa-framework/ishaa/store/storetest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "10") // most of the time is waiting
	code := m.Run()
	// The client looks once more, for a second, whether a server that was away is a
	// cluster.
	if err := goleak.Find(goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1")); err != nil && code == 0 {
		os.Stderr.WriteString(err.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}

// open returns a function that opens stores on keys of the test's own, which are
// removed at its end.
func opener(t *testing.T) (open func(t *testing.T) store.Store, prefix string) {
	t.Helper()
	address := testenv.Redis(t)
	prefix = "ishaa-test:" + rand.Text() + ":"
	open = func(t *testing.T) store.Store {
		t.Helper()
		st, err := store.Open(address + "?prefix=" + prefix)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	t.Cleanup(func() {
		st := open(t)
		defer st.Close()
		for key, err := range st.Scan(context.Background(), "") {
			if err != nil {
				t.Error(err)
			}
			if err := st.Delete(context.Background(), key); err != nil {
				t.Error(err)
			}
		}
	})
	return open, prefix
}

func TestConformance(t *testing.T) {
	open, prefix := opener(t)
	storetest.Run(t, storetest.Engine{
		Open: open,
		Shared: func(t *testing.T, nodes int) []store.Store {
			list := make([]store.Store, nodes)
			for i := range list {
				list[i] = open(t)
			}
			return list
		},
		Faulty: func(t *testing.T) (func() (store.Store, error), storetest.Network) {
			u, err := url.Parse(testenv.Redis(t))
			if err != nil {
				t.Fatal(err)
			}
			proxy, err := faultproxy.New(u.Host)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { proxy.Close() })
			u.Host = proxy.Addr()
			u.RawQuery = url.Values{"prefix": {prefix}, "timeout": {"1500ms"}}.Encode()
			return func() (store.Store, error) { return store.Open(u.String()) }, proxy
		},
	})
}

// After an outage every connection of the client is broken, and each is known to be
// only when it is used: no read and no Admit fails for that.
func TestEveryConnectionWasCut(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4)) // the client has as many connections as processors, up to 4
	u, err := url.Parse(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := faultproxy.New(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	_, prefix := opener(t)
	u.Host = proxy.Addr()
	u.RawQuery = url.Values{"prefix": {prefix}, "timeout": {"1m"}}.Encode() // a busy machine is not a server that is away
	st, err := store.Open(u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ctx := t.Context()
	get := func() error {
		_, err := st.Get(ctx, "k")
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	}
	for round := range 10 {
		for range 200 { // all connections are made and used
			if err := get(); err != nil {
				t.Fatal(err)
			}
		}
		if proxy.Opened() < 4 {
			t.Fatalf("%d connections, want more for this test to be one", proxy.Opened())
		}
		proxy.Cut()
		proxy.Restore()
		if round%2 == 0 {
			err = get()
		} else {
			_, _, err = st.(store.Limiter).Admit(ctx, "limit", time.Hour, 1000)
		}
		if err != nil {
			t.Errorf("round %d, after %d connections: %v", round, proxy.Opened(), err)
		}
	}
}

func BenchmarkRedis(b *testing.B) {
	st, err := store.Open(testenv.Redis(b) + "?prefix=ishaa-test:")
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	storetest.Benchmark(b, st)
}
