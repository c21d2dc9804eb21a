//go:build unix

// Package nodes_test runs one application as two processes on one Redis, as a deployment would: what one of them is told, the
// other knows.
package nodes_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
	_ "github.com/ishaa-framework/ishaa/store/redis"
)

// The test binary is the application when asNode is set in its environment: the two nodes share nothing but the store.
const asNode = "ISHAA_TEST_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(asNode) != "" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// allowed is how many requests a client has in the window of the limit, which is so long that none is added meanwhile.
const allowed = 100

func serve() error {
	app := ishaa.New("site")
	st, err := store.Open(app.Config().StoreURL)
	if err != nil {
		return err
	}
	defer st.Close()
	sessions := session.New(st, session.Options{})
	login := auth.SessionLogin(session.From, auth.LoginOptions{})
	answers := cache.New(st, cache.Options{})
	app.Install(answers)
	app.Use(sessions.Middleware())
	app.Post("/in/<user>", func(r *ishaa.Request) (any, error) { return "in", login.SignIn(r, r.Param("user")) })
	app.Post("/out", func(r *ishaa.Request) (any, error) { return "out", login.SignOut(r) })
	app.Post("/out/everywhere", func(r *ishaa.Request) (any, error) {
		return "out", sessions.EndAll(r.Context(), auth.Who(r).Subject)
	}, auth.LoginRequired(login))
	app.Get("/me", func(r *ishaa.Request) (any, error) { return ishaa.Text(auth.Who(r).Subject), nil }, auth.LoginRequired(login))
	var made atomic.Int64
	app.Get("/page", func(*ishaa.Request) (any, error) {
		return ishaa.Text(fmt.Sprint("page ", made.Add(1), " of ", os.Getpid())), nil
	}, answers.Cached(time.Hour, cache.Tag("page")))
	app.Post("/page", func(r *ishaa.Request) (any, error) { return "changed", answers.Invalidate(r.Context(), "page") })
	app.Get("/limited", func(*ishaa.Request) (any, error) { return "passed", nil }, middleware.RateLimit(middleware.RateLimitOptions{
		Max: allowed, Window: 24 * time.Hour, Store: st, StoreTimeout: launch.Patience,
	}))
	return app.RunArgs(context.Background(), os.Args[1:])
}

// node is one of the processes; browsers are the sessions' ids.
type node struct {
	base   string
	client *http.Client
}

// ask returns the status, the body and the id that the answer sets.
func (n *node) ask(t *testing.T, method, path, id string) (status int, body, next string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, n.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if id != "" {
		req.AddCookie(&http.Cookie{Name: "session", Value: id})
	}
	res, err := n.client.Do(req)
	if err != nil {
		t.Error(err)
		return 0, "", ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	for _, cookie := range res.Cookies() {
		if cookie.Name == "session" && cookie.MaxAge >= 0 {
			next = cookie.Value
		}
	}
	return res.StatusCode, string(text), next
}

func (n *node) want(t *testing.T, path, id string, status int, body string) {
	t.Helper()
	if got, text, _ := n.ask(t, "GET", path, id); got != status || body != "" && text != body {
		t.Errorf("%s%s: %d %q, want %d %q", n.base, path, got, text, status, body)
	}
}

// twoNodes starts two processes on a Redis prefix of their own.
func twoNodes(t *testing.T) (one, two *node) {
	t.Helper()
	address, err := url.Parse(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set("prefix", "nodes-test-"+rand.Text()+":")
	address.RawQuery = query.Encode()
	t.Cleanup(func() { empty(t, address.String()) }) // after the programs have ended
	nodes := make([]*node, 2)
	for i := range nodes {
		cmd := exec.Command(os.Args[0], "-addr", "127.0.0.1:0")
		cmd.Dir = t.TempDir()
		cmd.Env = []string{asNode + "=1", "ISHAA_STORE_URL=" + address.String(), "GORACE=atexit_sleep_ms=0"}
		transport := &http.Transport{MaxIdleConnsPerHost: 16}
		nodes[i] = &node{launch.Start(t, cmd, 1).URL("http"), &http.Client{Timeout: launch.Patience, Transport: transport}}
		t.Cleanup(transport.CloseIdleConnections) // before the program is asked to end
	}
	return nodes[0], nodes[1]
}

func empty(t *testing.T, address string) {
	ctx := context.Background()
	st, err := store.Open(address)
	if err != nil {
		t.Error(err)
		return
	}
	defer st.Close()
	for key, err := range st.Scan(ctx, "") { // all keys of the prefix, which is the test's own
		if err != nil {
			t.Error(err)
			return
		}
		if err := st.Delete(ctx, key); err != nil {
			t.Error(err)
		}
	}
}

func TestTwoProcessesShareSessions(t *testing.T) {
	one, two := twoNodes(t)
	status, _, id := one.ask(t, "POST", "/in/ann", "")
	if status != 200 || id == "" {
		t.Fatalf("sign-in: %d %q", status, id)
	}
	two.want(t, "/me", id, 200, "ann")

	// A sign-in on the other node takes the old id out of use on the first one.
	_, _, next := two.ask(t, "POST", "/in/ann", id)
	if next == "" || next == id {
		t.Fatalf("the id was %q and is %q", id, next)
	}
	one.want(t, "/me", id, 401, "")
	one.want(t, "/me", next, 200, "ann")

	// Signed out there is signed out here, at once.
	one.ask(t, "POST", "/out", next)
	two.want(t, "/me", next, 401, "")

	// Of twenty that sign in with one cookie at the same time on both, each has a session of its own.
	_, _, old := one.ask(t, "POST", "/in/ann", "")
	ids := make([]string, 20)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() { _, _, ids[i] = []*node{one, two}[i%2].ask(t, "POST", "/in/ann", old) })
	}
	wg.Wait()
	seen := map[string]bool{old: true, "": true}
	for i, id := range ids {
		if seen[id] {
			t.Fatalf("the ids are %q", ids)
		}
		seen[id] = true
		[]*node{two, one}[i%2].want(t, "/me", id, 200, "ann")
	}
	one.want(t, "/me", old, 401, "")

	// Signed out everywhere.
	two.ask(t, "POST", "/out/everywhere", ids[0])
	for _, id := range ids {
		one.want(t, "/me", id, 401, "")
	}
}

func TestTwoProcessesShareInvalidation(t *testing.T) {
	one, two := twoNodes(t)
	pageOf := func(n *node) string {
		_, body, _ := n.ask(t, "GET", "/page", "")
		return body
	}
	first := pageOf(one)
	deadline := time.Now().Add(launch.Patience)
	for pageOf(two) != first { // it may not have heard the first one yet when it started
		if time.Now().After(deadline) {
			t.Fatalf("they have %q and %q", first, pageOf(two))
		}
	}
	for round := range 5 {
		changing, other := one, two
		if round%2 == 1 {
			changing, other = two, one
		}
		before := pageOf(other)
		if status, _, _ := changing.ask(t, "POST", "/page", ""); status != 200 {
			t.Fatalf("the change: %d", status)
		}
		after := pageOf(changing)
		if after == before {
			t.Errorf("round %d: the node that changed the page still has %q", round, before)
		}
		for deadline := time.Now().Add(launch.Patience); pageOf(other) != after; {
			if time.Now().After(deadline) {
				t.Fatalf("round %d: the other node has %q, want %q", round, pageOf(other), after)
			}
		}
		if again := pageOf(changing); again != after {
			t.Errorf("round %d: the page is made again, %q after %q", round, again, after)
		}
	}
}

func TestTwoProcessesShareRateLimits(t *testing.T) {
	one, two := twoNodes(t)
	var passed, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 3 * allowed / 16 {
				switch status, body, _ := []*node{one, two}[i%2].ask(t, "GET", "/limited", ""); status {
				case 200:
					passed.Add(1)
				case 429:
					refused.Add(1)
				default:
					t.Errorf("%d %s", status, body)
				}
			}
		})
	}
	wg.Wait()
	if n := passed.Load(); n != allowed && n != allowed+1 {
		t.Errorf("%d passed, %d were refused; want %d to pass", n, refused.Load(), allowed)
	}
}
