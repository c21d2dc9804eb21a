package sare

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// discard is a writer that costs nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header               { return d.header }
func (d *discard) Write(p []byte) (int, error)       { return len(p), nil }
func (d *discard) WriteString(s string) (int, error) { return len(s), nil }
func (d *discard) WriteHeader(int)                   {}

// heard is an observer that does nothing: an access log makes an application read the clock all the same.
type heard struct{}

func (heard) Observe(*ishaa.Route, ishaa.Outcome) {}

func benchApp(b testing.TB, engine func(app *ishaa.App) *Engine) (*ishaa.App, *Engine) {
	app := newApp(b)
	app.Without(ishaa.DefaultSecurityHeaders, ishaa.DefaultCSRF, ishaa.DefaultBodyLimit)
	var text any = ishaa.Text("Hello, World!")
	var e *Engine
	if engine != nil {
		e = engine(app)
	}
	app.Get("/bare", func(*ishaa.Request) (any, error) { return text, nil })
	app.Get("/list/<page>", func(r *ishaa.Request) (any, error) { return "page " + r.Param("page") + r.Query("sort"), nil })
	if err := app.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stop(b, app) })
	return app, e
}

func standard(app *ishaa.App) *Engine { return Enable(app, Options{OptimizeInterval: never}) }

// BenchmarkCost gives the cost of a request without the engine, without it but with an observer, with it turned off,
// observing, and answered from memory.
func BenchmarkCost(b *testing.B) {
	for _, c := range []struct {
		name   string
		engine func(app *ishaa.App) *Engine
		ready  func(e *Engine)
		target string
	}{
		{"none", nil, nil, "/bare"},
		{"observer", func(app *ishaa.App) *Engine { app.Observe(heard{}); return nil }, nil, "/bare"},
		{"off", standard, (*Engine).Disable, "/bare"},
		{"observing", standard, nil, "/bare"},
		{"handler", nil, nil, "/list/7?sort=name"},
		{"hit", standard, func(e *Engine) { force(b, e, "/list/<page>").ttl.Store(int64(time.Hour)) }, "/list/7?sort=name"},
	} {
		b.Run(c.name, func(b *testing.B) {
			app, e := benchApp(b, c.engine)
			if c.ready != nil {
				c.ready(e)
			}
			raw, w := httptest.NewRequest("GET", c.target, nil), &discard{http.Header{}}
			app.ServeHTTP(w, raw)
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				app.ServeHTTP(w, raw)
			}
		})
	}
}

// BenchmarkLookup is the walk through the trie alone, by one parameter and one of the query.
func BenchmarkLookup(b *testing.B) {
	app, e := benchApp(b, standard)
	m := force(b, e, "/list/<page>")
	m.ttl.Store(int64(time.Hour))
	for i := range 100 {
		answerOf(app, ask("GET", fmt.Sprint("/list/", i, "?sort=name")))
	}
	var found *leaf
	app2 := newApp(b)
	app2.Get("/list/<page>", func(r *ishaa.Request) (any, error) {
		b.ReportAllocs()
		for b.Loop() {
			found, _, _ = m.trie.find(r)
		}
		return nil, nil
	})
	answerOf(app2, ask("GET", "/list/42?sort=name"))
	if found == nil {
		b.Fatal("the answer is not there")
	}
}

// BenchmarkLimiter is what the limiter costs a request.
func BenchmarkLimiter(b *testing.B) {
	l := newLimiter(Options{MinConcurrency: 8, MaxConcurrency: 4096})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if l.enter(ishaa.Standard) {
				l.leave()
			}
		}
	})
}

// Observing allocates nothing.
func TestObservingAllocatesNothing(t *testing.T) {
	plain, _ := benchApp(t, nil)
	observed, _ := benchApp(t, standard)
	count := func(app *ishaa.App) float64 {
		raw, w := httptest.NewRequest("GET", "/bare", nil), &discard{http.Header{}}
		return testing.AllocsPerRun(2000, func() { app.ServeHTTP(w, raw) })
	}
	if without, with := count(plain), count(observed); with > without {
		t.Errorf("a request allocates %v times, observed %v times", without, with)
	}
}

// zipfLoad asks for pages of a 2 ms handler by Zipf's law, by several askers at once, and returns the requests per second.
func zipfLoad(app *ishaa.App, askers int, d time.Duration) float64 {
	var n atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for asker := range askers {
		wg.Go(func() {
			z := rand.NewZipf(rand.New(rand.NewPCG(uint64(asker), 9)), 1.1, 1, 499)
			w := &discard{http.Header{}}
			for time.Since(start) < d {
				clear(w.header)
				app.ServeHTTP(w, httptest.NewRequest("GET", fmt.Sprint("/slow/", z.Uint64()), nil))
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(start).Seconds()
}

// BenchmarkZipf is a hot route with a handler of 2 ms, with and without the engine, side by side; the engine comes to
// remember it by itself. It reports the ratio.
func BenchmarkZipf(b *testing.B) {
	const askers = 4
	slow := func(app *ishaa.App) {
		app.Get("/slow/<page>", func(r *ishaa.Request) (any, error) {
			time.Sleep(2 * time.Millisecond)
			return "page " + r.Param("page"), nil
		})
	}
	plain := newApp(b)
	slow(plain)
	app := newApp(b)
	e := Enable(app, Options{OptimizeInterval: 100 * time.Millisecond})
	slow(app)
	for _, a := range []*ishaa.App{plain, app} {
		if err := a.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		defer stop(b, a)
	}
	w := routeOf(b, e, "/slow/<page>")
	for kept, deadline := false, time.Now().Add(time.Minute); !kept; {
		zipfLoad(app, askers, 200*time.Millisecond)
		e.mu.Lock()
		kept = w.s.phase == keeping
		e.mu.Unlock()
		if time.Now().After(deadline) {
			x, _ := e.Explain("/slow/<page>")
			b.Fatalf("the route is never remembered:\n%s", x)
		}
	}
	zipfLoad(app, askers, 3*time.Second) // its time to live grows
	var with, without float64
	rounds := 0
	for b.Loop() {
		without += zipfLoad(plain, askers, 200*time.Millisecond)
		with += zipfLoad(app, askers, 200*time.Millisecond)
		rounds++
	}
	b.ReportMetric(with/without, "times")
	b.ReportMetric(with/float64(rounds), "req/s-with")
	b.ReportMetric(without/float64(rounds), "req/s-without")
}

// BenchmarkObserving is what observing adds to a request of an application that has an observer already, as it has with an
// access log: rounds of either side in turns, and the median of their differences.
func BenchmarkObserving(b *testing.B) {
	const each = 20_000
	plain, _ := benchApp(b, func(app *ishaa.App) *Engine { app.Observe(heard{}); return nil })
	observed, _ := benchApp(b, func(app *ishaa.App) *Engine { app.Observe(heard{}); return standard(app) })
	raw, w := httptest.NewRequest("GET", "/bare", nil), &discard{http.Header{}}
	round := func(app *ishaa.App) float64 {
		begin := time.Now()
		for range each {
			clear(w.header)
			app.ServeHTTP(w, raw)
		}
		return float64(time.Since(begin).Nanoseconds()) / each
	}
	var differences []float64
	for b.Loop() {
		differences = append(differences, -round(plain)+round(observed))
	}
	slices.Sort(differences)
	b.ReportMetric(differences[len(differences)/2], "ns-added")
	b.ReportMetric(differences[len(differences)/10], "ns-added-p10")
}
