package redis_test

import (
	"context"
	"crypto/rand"
	"flag"
	"net/url"
	"os"
	"testing"

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

func BenchmarkRedis(b *testing.B) {
	st, err := store.Open(testenv.Redis(b) + "?prefix=ishaa-test:")
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	storetest.Benchmark(b, st)
}
