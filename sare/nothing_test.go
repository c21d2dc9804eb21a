package sare

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// unimprovable adds routes that nothing can be done about: they change something, answer by who asks, never answer the
// same twice, forbid that they are kept, look at the raw request, or stream.
func unimprovable(app *ishaa.App) {
	var orders, draws atomic.Int64
	app.Without(ishaa.DefaultCSRF)
	app.Post("/orders", func(r *ishaa.Request) (any, error) {
		text, err := r.Text()
		return ishaa.Text(fmt.Sprint("order ", orders.Add(1), " of ", text)), err
	})
	app.Get("/me", func(r *ishaa.Request) (any, error) {
		name, _ := r.Cookie("name")
		return ishaa.Text("hello " + name), nil
	})
	app.Get("/lottery", func(*ishaa.Request) (any, error) { return ishaa.Text(fmt.Sprint(draws.Add(1))), nil })
	app.Get("/balance", func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("Cache-Control", "no-store")
		return ishaa.Text("42"), nil
	})
	app.Get("/raw", func(r *ishaa.Request) (any, error) { return ishaa.Text(r.HTTP().Proto), nil })
	app.Get("/stream", func(*ishaa.Request) (any, error) {
		return iter.Seq[string](func(yield func(string) bool) { yield("one") }), nil
	})
}

// unimprovableRequests is one request to each of its routes.
const unimprovableRequests = "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\ntea" +
	"GET /me HTTP/1.1\r\nHost: a\r\nCookie: name=ada\r\n\r\n" +
	"GET /lottery HTTP/1.1\r\nHost: a\r\n\r\n" +
	"GET /balance HTTP/1.1\r\nHost: a\r\n\r\n" +
	"GET /raw HTTP/1.1\r\nHost: a\r\n\r\n" +
	"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"

const unimprovableRoutes = 6

// listening serves an application on a socket until the test ends, and returns a connection to it.
func listening(t testing.TB, app *ishaa.App) net.Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- app.Serve(ctx, listener) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	t.Cleanup(func() {
		if conn != nil {
			conn.Close()
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// exchange sends requests, all at once, and reads so many answers, which must be 200.
func exchange(conn net.Conn, in *bufio.Reader, requests []byte, answers int) error {
	if _, err := conn.Write(requests); err != nil {
		return err
	}
	for range answers {
		if err := skipAnswer(in); err != nil {
			return err
		}
	}
	return nil
}

// skipAnswer reads an answer and looks at no more of it than it has to.
func skipAnswer(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("an answer begins with %q: %w", line, err)
	}
	length, chunked := 0, false
	for len(line) > len("\r\n") {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
		if text, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(text))); err != nil {
				return err
			}
		}
		chunked = chunked || bytes.HasPrefix(line, []byte("Transfer-Encoding: chunked"))
	}
	for chunked { // a size, so many octets, and an empty line; the last is of none
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 31)
		if err != nil {
			return err
		}
		if _, err := in.Discard(int(size) + len("\r\n")); err != nil {
			return err
		}
		chunked = size > 0
	}
	_, err = in.Discard(length)
	return err
}

// In a program where nothing can be improved everything is looked at and nothing is left switched on.
func TestNothingToImprove(t *testing.T) {
	app := newApp(t)
	e := Enable(app, Options{OptimizeInterval: 20 * time.Millisecond})
	unimprovable(app)
	conn := listening(t, app)
	in := bufio.NewReader(conn)
	undone := func() error {
		var undecided []error
		for _, w := range e.all() {
			if w.route == nil || w.memo == nil {
				continue
			}
			e.mu.Lock()
			if w.s.phase != watching || w.s.failures == 0 && !w.s.forever {
				undecided = append(undecided, fmt.Errorf("%s is %v: %s", w.name, w.s.phase, w.s.why))
			}
			e.mu.Unlock()
		}
		return errors.Join(undecided...)
	}
	sent := 0
	for deadline := time.Now().Add(2 * time.Minute); ; {
		if err := exchange(conn, in, bytes.Repeat([]byte(unimprovableRequests), 5), 5*unimprovableRoutes); err != nil {
			t.Fatal(err)
		}
		if sent += 5 * unimprovableRoutes; sent%(100*unimprovableRoutes) != 0 {
			continue
		}
		err := undone()
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %d requests:\n%v", sent, err)
		}
	}
	for range 10 { // and so it stays
		if err := exchange(conn, in, bytes.Repeat([]byte(unimprovableRequests), 10), 10*unimprovableRoutes); err != nil {
			t.Fatal(err)
		}
	}
	if err := undone(); err != nil {
		t.Error(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.trials != (trialCount{}) {
		t.Errorf("trials: %+v", e.trials)
	}
	p := e.policy.Load()
	for _, w := range e.all() {
		if pl := p.plans[w.index]; pl != nil && (pl.mode != watching || pl.trial != nil || pl.order != nil || pl.slots != nil) {
			t.Errorf("%s is left with %+v", w.name, pl)
		}
		if w.memo != nil && (w.memo.open.Load() || w.memo.counts.hits.Load() > 0) {
			t.Errorf("%s has a memory that is open: %t, and gave %d answers", w.name, w.memo.open.Load(), w.memo.counts.hits.Load())
		}
		if w.refused.Load() > 0 {
			t.Errorf("%s had %d requests refused", w.name, w.refused.Load())
		}
	}
	if p.onTrial {
		t.Error("something is on trial")
	}
}

// fleet is an application with many routes.
func fleet(t testing.TB, routes int, engine bool) (*ishaa.App, *Engine) {
	app := newApp(t)
	var e *Engine
	if engine {
		e = Enable(app, Options{OptimizeInterval: never, CacheSize: routes, NoLimiter: true})
	}
	for i := range routes {
		text := ishaa.Text(fmt.Sprintf("%0100d", i))
		app.Get(fmt.Sprint("/list/", i), func(*ishaa.Request) (any, error) { return text, nil })
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return app, e
}

// heapInUse is the size of what is reachable.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one's finalizers let go
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkMemory is what a route costs in memory: one that nobody asks for, one that is counted, and one that has an answer of
// a hundred octets remembered.
func BenchmarkMemory(b *testing.B) {
	const routes = 500
	bytesOf := func(engine bool, use func(app *ishaa.App, e *Engine)) float64 {
		before := heapInUse()
		app, e := fleet(b, routes, engine)
		defer stop(b, app)
		use(app, e)
		return float64(heapInUse()-before) / routes
	}
	askAll := func(app *ishaa.App, _ *Engine) {
		w := &discard{http.Header{}}
		for i := range routes {
			clear(w.header)
			app.ServeHTTP(w, ask("GET", fmt.Sprint("/list/", i)))
		}
	}
	var cold, counted, kept float64
	for b.Loop() {
		nobody := func(*ishaa.App, *Engine) {}
		idle, asked := bytesOf(false, nobody), bytesOf(false, askAll)
		cold, counted = bytesOf(true, nobody)-idle, bytesOf(true, askAll)-asked
		kept = bytesOf(true, func(app *ishaa.App, e *Engine) {
			for i := range routes {
				force(b, e, fmt.Sprint("/list/", i))
			}
			askAll(app, e)
			if n := e.Stats().Answers; n != routes {
				b.Fatalf("%d answers are kept", n)
			}
		}) - asked
	}
	b.ReportMetric(cold, "B/cold-route")
	b.ReportMetric(counted, "B/counted-route")
	b.ReportMetric(kept, "B/remembered-route")
}
