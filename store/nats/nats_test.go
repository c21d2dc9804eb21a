package nats_test

import (
	"context"
	"crypto/rand"
	"flag"
	"net/url"
	"os"
	"testing"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/faultproxy"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/store"
	_ "github.com/ishaa-framework/ishaa/store/nats"
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

// bucket returns the URL of a bucket of the test's own, which is removed at its end.
func bucket(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse(testenv.NATS(t))
	if err != nil {
		t.Fatal(err)
	}
	name := "ishaa-test-" + rand.Text()
	u.Path = "/" + name
	u.RawQuery = url.Values{"storage": {"memory"}}.Encode()
	t.Cleanup(func() {
		js := stream(t)
		if err := js.DeleteStream(context.Background(), "KV_"+name); err != nil {
			t.Error(err)
		}
	})
	return u
}

// stream connects to JetStream itself.
func stream(t testing.TB) jetstream.JetStream {
	t.Helper()
	conn, err := client.Connect(testenv.NATS(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
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
	u := bucket(t)
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
			faulty.RawQuery = url.Values{"timeout": {"1500ms"}, "storage": {"memory"}}.Encode()
			return func() (store.Store, error) { return store.Open(faulty.String()) }, proxy
		},
	})
}

func BenchmarkNATS(b *testing.B) {
	u := bucket(b)
	st := open(b, u)
	defer st.Close()
	storetest.Benchmark(b, st)
}
