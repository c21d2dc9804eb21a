package middleware_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/faultproxy"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/store"
	_ "github.com/ishaa-framework/ishaa/store/nats"
	_ "github.com/ishaa-framework/ishaa/store/postgres"
	_ "github.com/ishaa-framework/ishaa/store/redis"
)

// A node is a process of its own, this test binary run again: it has its clock, its
// connection and its memory of refusals, and shares nothing but the store.

// nodeOrder says what a node does.
type nodeOrder struct {
	Store    string        // the URL
	Name     string        // of the limit
	Max      int           // requests a window
	Window   time.Duration //
	Requests int           // how many to send; 0 sends until For is over
	For      time.Duration //
}

// nodeReport is what became of it.
type nodeReport struct {
	Passed, Refused int
	Start, End      time.Time
	Other           string // an answer that is neither 200 nor 429, or what was logged
}

// storeFailed is the record of a store that is away.
const storeFailed = "the store of the rate limit failed; this node counts by itself"

const nodeVariable = "ISHAA_TEST_RATE_NODE"

// TestRateLimitNode is no test: it is the program of a node.
func TestRateLimitNode(t *testing.T) {
	text := os.Getenv(nodeVariable)
	if text == "" {
		t.Skip("only run by TestRateLimitOverProcesses")
	}
	var order nodeOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(order.Store)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	app, log := newApp(t)
	app.Use(middleware.RateLimit(middleware.RateLimitOptions{
		Max: order.Max, Window: order.Window, Name: order.Name, Store: st,
		StoreTimeout: time.Minute, // a busy machine is not a store that is away
		Key:          func(*ishaa.Request) string { return "everybody" },
	}))
	app.Get("/", text200)
	app.Without(ishaa.DefaultAccessLog)
	// The connection is made before the race begins.
	if _, err := st.Get(t.Context(), order.Name+"-warm"); err != nil && err != store.ErrNotFound {
		t.Fatal(err)
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	report := order.send(app)
	if failures := log.records(t, storeFailed); len(failures) > 0 {
		report.Other = fmt.Sprint(failures)
	}
	answer, _ := json.Marshal(report)
	fmt.Println(string(answer))
}

func text200(*ishaa.Request) (any, error) { return "done", nil }

// send sends the requests from 16 goroutines.
func (o nodeOrder) send(app *ishaa.App) nodeReport {
	var mu sync.Mutex
	report := nodeReport{Start: time.Now()}
	sent, end := 0, time.Now().Add(o.For)
	more := func() bool {
		mu.Lock()
		defer mu.Unlock()
		sent++
		return sent <= o.Requests || o.Requests == 0 && time.Now().Before(end)
	}
	var running sync.WaitGroup
	for range 16 {
		running.Go(func() {
			for more() {
				code := do(app, "GET", "/").Code
				mu.Lock()
				switch code {
				case 200:
					report.Passed++
				case 429:
					report.Refused++
				default:
					report.Other = fmt.Sprint("status ", code)
				}
				mu.Unlock()
			}
		})
	}
	running.Wait()
	report.End = time.Now()
	return report
}

// node is a running process.
type node struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func startNode(t *testing.T, order nodeOrder) *node {
	t.Helper()
	text, _ := json.Marshal(order)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	n := &node{command: exec.CommandContext(ctx, os.Args[0], "-test.run=^TestRateLimitNode$")}
	n.command.Env = append(os.Environ(), nodeVariable+"="+string(text))
	n.command.Stderr = os.Stderr
	var err error
	if n.in, err = n.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := n.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	n.out = bufio.NewReader(out)
	if err := n.command.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := n.out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("the node says %q, %v", line, err)
	}
	return n
}

func (n *node) report(t *testing.T) nodeReport {
	t.Helper()
	line, err := n.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var r nodeReport
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatalf("the node says %q", line)
	}
	_, _ = io.Copy(io.Discard, n.out)
	if err := n.command.Wait(); err != nil {
		t.Errorf("the node ends with %v", err)
	}
	return r
}

// race runs two nodes at once and gives how many requests passed and were refused
// over both, and how long it took from before the first to after the last.
func race(t *testing.T, order nodeOrder) (passed, refused int, took time.Duration) {
	t.Helper()
	nodes := []*node{startNode(t, order), startNode(t, order)}
	for _, n := range nodes {
		fmt.Fprintln(n.in, "go")
	}
	var start, end time.Time
	for i, n := range nodes {
		r := n.report(t)
		passed, refused = passed+r.Passed, refused+r.Refused
		if start.IsZero() || r.Start.Before(start) {
			start = r.Start
		}
		if r.End.After(end) {
			end = r.End
		}
		if r.Other != "" {
			t.Errorf("node %d: %s", i, r.Other)
		}
	}
	return passed, refused, end.Sub(start)
}

// Two processes on one store pass what one would have passed: the burst at once,
// then one for each interval, and never more.
func TestRateLimitOverProcesses(t *testing.T) {
	engines := map[string]string{"redis": testenv.Redis(t)}
	if testenv.Long() {
		engines["postgres"] = testenv.Postgres(t) + "?table=ishaa_test_rate"
		engines["nats"] = testenv.NATS(t) + "/ishaa-test-rate?storage=memory"
		t.Cleanup(func() { dropStores(t) })
	}
	for name, address := range engines {
		limit := "test-" + rand.Text()
		t.Cleanup(func() { forget(t, address, limit) })
		t.Run(name+": 1,000 at once", func(t *testing.T) {
			order := nodeOrder{Store: address, Name: limit, Max: 100, Window: time.Minute, Requests: 500}
			passed, refused, took := race(t, order)
			// One more passes for each 600 ms that a slow machine takes.
			most := 100 + int(took/(600*time.Millisecond)) + 1
			if passed < 100 || passed > most || passed+refused != 1000 {
				t.Errorf("%d pass and %d are refused in %v, want 100 to %d of 1,000", passed, refused, took, most)
			}
			t.Logf("%d of 1,000 pass in %v", passed, took)
		})
		t.Run(name+": over a longer time", func(t *testing.T) {
			order := nodeOrder{Store: address, Name: limit + "-long", Max: 50, Window: time.Second, For: 1500 * time.Millisecond}
			if testenv.Long() {
				order.For = 10 * time.Second
			}
			passed, refused, took := race(t, order)
			most := 50 + int(took/(20*time.Millisecond)) + 1
			if passed < 50 || passed > most || refused == 0 {
				t.Errorf("%d pass and %d are refused in %v, want at most %d", passed, refused, took, most)
			}
			t.Logf("%d of %d pass in %v; the rule allows %d", passed, passed+refused, took, most)
		})
	}
}

// forget removes what a limit left.
func forget(t *testing.T, address, limit string) {
	st, err := store.Open(address)
	if err != nil {
		t.Error(err)
		return
	}
	defer st.Close()
	ctx := context.Background()
	for key, err := range st.Scan(ctx, "ratelimit:"+limit) {
		if err != nil {
			t.Error(err)
			return
		}
		_ = st.Delete(ctx, key)
	}
}

// dropStores removes the table and the bucket of the long form.
func dropStores(t *testing.T) {
	ctx := context.Background()
	database, err := pgx.Connect(ctx, testenv.Postgres(t))
	if err != nil {
		t.Error(err)
		return
	}
	defer database.Close(ctx)
	if _, err := database.Exec(ctx, "DROP TABLE IF EXISTS ishaa_test_rate, ishaa_test_rate_message"); err != nil {
		t.Error(err)
	}
	broker, err := nats.Connect(testenv.NATS(t))
	if err != nil {
		t.Error(err)
		return
	}
	defer broker.Close()
	js, err := jetstream.New(broker)
	if err == nil {
		err = js.DeleteStream(ctx, "KV_ishaa-test-rate")
	}
	if err != nil {
		t.Error(err)
	}
}

// The memory engine counts on its own clock, as Redis and PostgreSQL do.
func TestRateLimitByLimiter(t *testing.T) {
	clock := newClock()
	st := store.NewMemory(store.MemoryOptions{Now: clock.Now})
	if _, ok := st.(store.Limiter); !ok {
		t.Fatal("the memory engine is no Limiter")
	}
	app, log := limitedApp(t, clock, middleware.RateLimitOptions{Max: 3, Window: time.Minute, Burst: 2, Store: st})
	for _, want := range []struct {
		status           int
		remaining, reset string
	}{{200, "1", "20"}, {200, "0", "40"}, {429, "0", "40"}} {
		w := do(app, "GET", "/")
		wantStatus(t, w, want.status)
		wantHeader(t, w.Header(), "RateLimit-Remaining", want.remaining)
		wantHeader(t, w.Header(), "RateLimit-Reset", want.reset)
		if want.status == 429 {
			wantHeader(t, w.Header(), "Retry-After", "20")
		}
	}
	t.Run("a refusal that is known is not asked for", func(t *testing.T) {
		if err := st.Delete(t.Context(), "ratelimit:default:192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, do(app, "GET", "/"), 429)
		clock.advance(20 * time.Second)
		wantStatus(t, do(app, "GET", "/"), 200)
	})
	t.Run("a key that holds something else", func(t *testing.T) {
		_ = st.Set(t.Context(), "ratelimit:taken:192.0.2.1", []byte("mine"), 0)
		app, log := limitedApp(t, clock, middleware.RateLimitOptions{Max: 1, Store: st, Name: "taken"})
		wantStatus(t, do(app, "GET", "/"), 200)
		wantStatus(t, do(app, "GET", "/"), 429)
		if n := len(log.records(t, storeFailed)); n != 1 {
			t.Errorf("%d records say so, want 1: %s", n, log.text())
		}
	})
	if len(log.records(t, storeFailed)) > 0 {
		t.Error(log.text())
	}
}

// While Redis is away each node counts by itself; when it is back they count
// together again.
func TestRateLimitWhenRedisIsCut(t *testing.T) {
	u, err := url.Parse(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := faultproxy.New(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	limit := "test-" + rand.Text()
	t.Cleanup(func() { forget(t, testenv.Redis(t), limit) })
	u.Host = proxy.Addr()
	var apps []*ishaa.App
	var logs []*logBook
	clock := newClock()
	for range 2 {
		st, err := store.Open(u.String())
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		app, log := limitedApp(t, clock, middleware.RateLimitOptions{Max: 10, Window: time.Hour, Name: limit, Store: st, StoreTimeout: patience})
		apps, logs = append(apps, app), append(logs, log)
	}
	for i := range 4 {
		wantStatus(t, do(apps[i%2], "GET", "/"), 200)
	}
	proxy.Cut()
	// Each goes on from what it knows of the key: the store said 3 and 4.
	if got := hammer(apps[:1], 1); got != 7 {
		t.Errorf("%d pass on the first node's own count, want 7", got)
	}
	if got := hammer(apps[1:], 1); got != 6 {
		t.Errorf("%d pass on the second node's own count, want 6", got)
	}
	for i, log := range logs {
		if n := len(log.records(t, storeFailed)); n != 1 {
			t.Errorf("node %d says %d times that the store failed: %s", i, n, log.text())
		}
	}
	proxy.Restore()
	clock.advance(time.Hour) // both are free again and ask
	for deadline := time.Now().Add(patience); len(logs[0].records(t, "the store of the rate limit works again")) == 0; {
		if time.Now().After(deadline) {
			t.Fatalf("the store is not asked again: %s", logs[0].text())
		}
		do(apps[0], "GET", "/", "Peer: 198.51.100.7:1")
		clock.advance(time.Second)
	}
	if got := hammer(apps[:1], 1, "Peer: 198.51.100.8:1"); got != 10 {
		t.Errorf("%d pass when it works again, want 10", got)
	}
}
