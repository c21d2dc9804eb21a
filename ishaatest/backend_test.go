package ishaatest_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// lifeApp notes when it starts and stops.
func lifeApp(events *[]string) *ishaa.App {
	app := newApp()
	note := func(what string) func(context.Context) error {
		return func(context.Context) error { *events = append(*events, what); return nil }
	}
	app.OnStart(note("start"))
	app.OnStop(note("stop"))
	return app
}

// The client that starts an application stops it, after the last client of its
// test has ended; one that the program has started stays.
func TestApplicationsLife(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		var events []string
		app := lifeApp(&events)
		passes(t, func(t testing.TB) {
			ishaatest.New(t, app, how...) // sends nothing, so starts nothing
			if len(events) != 0 {
				t.Errorf("started by New: %q", events)
			}
			alice, bob := ishaatest.New(t, app, how...), ishaatest.New(t, app, how...)
			bob.Get("/echo/").Status(200)
			alice.Get("/echo/").Status(200)
			bob.Get("/echo/").Status(200)
		})
		if got := strings.Join(events, " "); got != "start stop" {
			t.Errorf("the application's life: %s", got)
		}
		fails(t, func(t testing.TB) { ishaatest.New(t, app, how...).Get("/echo/") },
			"GET /echo/: the application has been stopped by the client that started it", "app.Start(context.Background())")

		events = nil
		app = lifeApp(&events)
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			passes(t, func(t testing.TB) { ishaatest.New(t, app, how...).Get("/echo/").Status(200) })
		}
		if got := strings.Join(events, " "); got != "start" {
			t.Errorf("the life of an application that the program started: %s", got)
		}
	})
}

func TestClientAfterItsTest(t *testing.T) {
	var client *ishaatest.Client
	passes(t, func(t testing.TB) {
		client = ishaatest.New(t, echo)
		client.Get("/")
	})
	fails(t, func(t testing.TB) { client.For(t).Get("/") }, "the test that the client was made for has ended")
}

func TestApplicationThatDoesNotStart(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		app := newApp()
		app.OnStart(func(context.Context) error { return errors.New("no database") })
		fails(t, func(t testing.TB) { ishaatest.New(t, app, how...).Get("/echo/") },
			"GET /echo/: the application could not start", "no database")
	})
}

func TestApplicationThatDoesNotStop(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		app := newApp()
		app.OnStop(func(context.Context) error { return errors.New("work is lost") })
		fails(t, func(t testing.TB) { ishaatest.New(t, app, how...).Get("/echo/").Status(200) },
			"at the end of the test", "work is lost")
	})
}

// A handler that ignores its context is cut by the drain, and named.
func TestHandlerThatDoesNotEnd(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		release := make(chan struct{})
		app := ishaa.New("test", ishaa.Config{DrainTimeout: 50 * time.Millisecond})
		app.Mount("/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-release
		}))
		fails(t, func(t testing.TB) { ishaatest.New(t, app, how...).Stream("/").Status(200) },
			"requests were still under way after 50ms and have been cut")
		close(release)
	})
}

// The environment variable puts every client on a socket: the peer's port is one
// that the system chose.
func TestSocketByEnvironment(t *testing.T) {
	port := func(t testing.TB) string {
		var addr string
		handler := http.HandlerFunc(func(_ http.ResponseWriter, raw *http.Request) {
			addr = raw.Context().Value(http.LocalAddrContextKey).(interface{ String() string }).String()
		})
		ishaatest.New(t, handler).Get("/").Status(200)
		return addr
	}
	t.Setenv("ISHAA_TEST_SOCKET", "1")
	if got := port(t); got == "127.0.0.1:80" {
		t.Errorf("over a socket the address is %s", got)
	}
	t.Setenv("ISHAA_TEST_SOCKET", "0")
	if got := port(t); got != "127.0.0.1:80" {
		t.Errorf("in process the address is %s", got)
	}
}

// An application whose configuration has a certificate is spoken to in TLS.
func TestApplicationsCertificate(t *testing.T) {
	cert, key := certificateFiles(t)
	for _, options := range [][]ishaatest.Option{nil, {ishaatest.OverSocket()}, {ishaatest.TLS()}} {
		app := ishaa.New("test", ishaa.Config{TLSCert: cert, TLSKey: key})
		app.Mount("/echo/", echo)
		ishaatest.New(t, app, options...).Get("/echo/").JSONAt("/tls", true)
		ishaatest.New(t, app, options...).Get("/echo/").JSONAt("/tls", true)
	}
}

// certificateFiles writes a certificate and its key as files.
func certificateFiles(t *testing.T) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pair := selfSigned(t)
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: pkcs8(t, pair)}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// A dependency that overrides replace.
type currentUser struct {
	Token string `header:"Authorization"`
	Name  string `bind:"-"`
}

func (u *currentUser) Resolve(context.Context) error {
	if u.Token == "" {
		return ishaa.Unauthorized("who are you?")
	}
	u.Name = "bearer of " + u.Token
	return nil
}

type whoami struct{ User *currentUser }

func TestOverride(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		app := ishaa.New("test")
		ishaa.Get(app, "/me", func(_ context.Context, in *whoami) (map[string]string, error) {
			return map[string]string{"name": in.User.Name}, nil
		})
		nobody := ishaatest.New(t, app, how...)
		alice := ishaatest.New(t, app, with(how, ishaatest.Override(currentUser{Name: "alice"}))...)
		nobody.Get("/me").Problem(401, "who are you?")
		alice.Get("/me").JSONAt("/name", "alice")
		alice.Get("/me", ishaatest.Override(currentUser{Name: "carol"})).JSONAt("/name", "carol")
		alice.For(t, ishaatest.Override(currentUser{Name: "bob"})).Get("/me").JSONAt("/name", "bob")
		alice.Get("/me").JSONAt("/name", "alice")
		nobody.Get("/me", ishaatest.BearerToken("t")).JSONAt("/name", "bearer of Bearer t")
		scheme := "http"
		if strings.HasSuffix(t.Name(), "TLS") {
			scheme = "https"
		}
		for client, want := range map[*ishaatest.Client]int{alice: 200, nobody: 401} {
			res, err := client.HTTPClient().Get(scheme + "://localhost/me")
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("by HTTPClient: %d, want %d", res.StatusCode, want)
			}
		}
	})
}

func TestOverrideOfWhatIsNoDependency(t *testing.T) {
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "is not a dependency") {
			t.Errorf("panic %q", text)
		}
	}()
	ishaatest.Override(struct{}{})
}

func TestInContext(t *testing.T) {
	type key struct{}
	app := ishaa.New("test")
	app.Get("/", func(r *ishaa.Request) (any, error) {
		value, _ := r.Context().Value(key{}).(string)
		return ishaa.Text(value), nil
	})
	client := ishaatest.New(t, app)
	res := client.Get("/", ishaatest.InContext(func(ctx context.Context) context.Context {
		return context.WithValue(ctx, key{}, "handed on")
	}))
	if res.Text() != "handed on" {
		t.Errorf("the handler saw %q", res.Text())
	}
}

// A client may be used by many goroutines, each with overrides of its own.
func TestConcurrentRequests(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		app := ishaa.New("test")
		ishaa.Get(app, "/me", func(_ context.Context, in *whoami) (map[string]string, error) {
			return map[string]string{"name": in.User.Name}, nil
		})
		client := ishaatest.New(t, app, how...)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for _, name := range []string{"a", "b", "c", "d", "e"} {
					got := client.Get("/me", ishaatest.Override(currentUser{Name: name})).Text()
					if got != `{"name":"`+name+`"}` {
						t.Errorf("%s got %s", name, got)
					}
				}
			})
		}
		group.Wait()
	})
}

// In process there is no system call, so a test can run in a bubble with a time of
// its own.
func TestWithinSynctest(t *testing.T) {
	t.Setenv("ISHAA_TEST_SOCKET", "0")
	synctest.Test(t, func(t *testing.T) {
		app := newApp()
		app.Get("/slow", func(*ishaa.Request) (any, error) {
			time.Sleep(10 * time.Second)
			return "done", nil
		})
		client := ishaatest.New(t, app)
		start := time.Now()
		client.Get("/slow").Status(200)
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func BenchmarkRequest(b *testing.B) {
	for _, mode := range []struct {
		name    string
		options []ishaatest.Option
	}{
		{"in process", nil},
		{"over a socket", []ishaatest.Option{ishaatest.OverSocket()}},
	} {
		b.Run(mode.name, func(b *testing.B) {
			app := ishaa.New("bench")
			app.Without(ishaa.DefaultAccessLog)
			app.Get("/", func(*ishaa.Request) (any, error) { return map[string]bool{"ok": true}, nil })
			client := ishaatest.New(b, app, mode.options...)
			client.Get("/").Status(200)
			b.ReportAllocs()
			for b.Loop() {
				client.Get("/").Status(200)
			}
		})
	}
}
