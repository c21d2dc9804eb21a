package sare

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// queue is a simulated service: slots that each hold a request for 10 ms, and a line before them.
type queue struct{ slots float64 }

// latency is what a request takes, in units of 10 ms, when so many are in handlers.
func (q queue) latency(flying float64) float64 { return max(1, flying/q.slots) }

// The limit comes down to where handlers no longer wait, and stays there: enough are let in for all slots to be busy.
func TestLimitFindsTheSlots(t *testing.T) {
	q := queue{64}
	l := newLimiter(Options{MinConcurrency: 8, MaxConcurrency: 4096})
	const offered = 4 * 64
	var late []float64
	for tick := range 400 {
		flying := min(offered, l.limit)
		ratio := q.latency(flying)
		answers := 10 * min(flying, q.slots) // in 100 ms
		l.move(pressure{answers: uint64(answers), measured: uint64(answers), ratio: ratio}, flying, flying < offered, true)
		if tick >= 200 {
			late = append(late, min(offered, l.limit))
		}
	}
	low, high := slices.Min(late), slices.Max(late)
	t.Logf("64 slots, four times the load: between %.0f and %.0f are let in, %d cuts, %d undone", low, high, l.cuts, l.undone)
	if low < .85*64 || high > 1.5*64 {
		t.Errorf("between %.0f and %.0f are let in", low, high)
	}
}

// A handler that simply takes longer now, however few there are at once, is not cut: the first cut does not pay, is
// undone, and what it takes now is what it takes.
func TestCutThatDoesNotPayIsUndone(t *testing.T) {
	l := newLimiter(Options{MinConcurrency: 8, MaxConcurrency: 4096})
	base := 1.0
	const offered = 100.0
	for tick := range 200 {
		flying := min(offered, l.limit)
		slower := 1.0
		if tick >= 50 {
			slower = 3
		}
		answers := 25 * flying / slower
		l.move(pressure{answers: uint64(answers), measured: uint64(answers), ratio: slower / base}, flying, flying < offered, true)
		if l.rebase > 0 {
			base *= l.rebase
			l.rebase = 0
		}
	}
	if l.limit < offered || l.undone == 0 {
		t.Errorf("the limit is %.0f of %.0f requests that are all served alike; %d cuts, %d undone", l.limit, offered, l.cuts, l.undone)
	}
}

// Critical work is refused last.
func TestCriticalWorkIsRefusedLast(t *testing.T) {
	l := newLimiter(Options{MinConcurrency: 8, MaxConcurrency: 4096})
	l.set(100)
	admitted := map[ishaa.Level]int{}
	for range 110 {
		if l.enter(ishaa.Standard) {
			admitted[ishaa.Standard]++
		}
	}
	for _, level := range []ishaa.Level{ishaa.DataCritical, ishaa.SecurityCritical, ishaa.FinancialCore} {
		for range 110 {
			if l.enter(level) {
				admitted[level]++
			}
		}
	}
	if admitted[ishaa.Standard] != 100 || admitted[ishaa.DataCritical] != 6 || admitted[ishaa.SecurityCritical] != 6 || admitted[ishaa.FinancialCore] != 17 {
		t.Errorf("admitted are %v", admitted)
	}
	for range 129 {
		l.leave()
	}
	if n := l.inFlight.Load(); n != 0 {
		t.Errorf("%d are still in flight", n)
	}
}

// Refused requests get 503 with Retry-After, and are not what the route did.
func TestRefusals(t *testing.T) {
	app := newApp(t)
	e := Enable(app, Options{OptimizeInterval: never, MinConcurrency: 1, MaxConcurrency: 1})
	gate, inside := make(chan struct{}), make(chan struct{})
	app.Get("/slow", func(*ishaa.Request) (any, error) { close(inside); <-gate; return nil, nil })
	app.Get("/x", func(*ishaa.Request) (any, error) { return nil, nil })
	app.Get("/money", func(*ishaa.Request) (any, error) { return nil, nil }, ishaa.Criticality.On(ishaa.FinancialCore))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, app)
	var one sync.WaitGroup
	one.Go(func() { answerOf(app, ask("GET", "/slow")) })
	<-inside
	w := answerOf(app, ask("GET", "/x"))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" {
		t.Errorf("the answer is %d %v", w.Code, w.Header())
	}
	if w := answerOf(app, ask("GET", "/money")); w.Code != 204 {
		t.Errorf("critical work is answered %d", w.Code)
	}
	close(gate)
	one.Wait()
	if s := e.Stats(); s.Refused != 1 || s.Errors != 0 {
		t.Errorf("the engine counts %+v", s)
	}
}

// slotted is a service whose capacity is set by a handler that holds one of n slots for 10 ms.
func slotted(t testing.TB, n int, engine bool) (*ishaa.App, *Engine) {
	app := newApp(t)
	var e *Engine
	if engine {
		e = Enable(app, Options{NoAutoMemoize: true, MinConcurrency: 8})
	}
	slots := make(chan struct{}, n)
	hold := func(*ishaa.Request) (any, error) {
		slots <- struct{}{}
		time.Sleep(10 * time.Millisecond)
		<-slots
		return nil, nil
	}
	app.Get("/x", hold)
	app.Get("/money", hold, ishaa.Criticality.On(ishaa.FinancialCore))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return app, e
}

// offer sends requests at a rate, whatever becomes of them, with one in 20 to the critical route. It returns how many were
// answered per second and the times of the critical ones.
func offer(app *ishaa.App, rate float64, d time.Duration) (goodput float64, critical []time.Duration, refusedCritical int) {
	var good atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := time.Now()
	for i := 0; ; i++ {
		due := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if due.Sub(start) > d {
			break
		}
		time.Sleep(time.Until(due))
		target := "/x"
		if i%20 == 0 {
			target = "/money"
		}
		wg.Go(func() {
			began := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			w := httptest.NewRecorder()
			app.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", target, nil))
			took := time.Since(began)
			if w.Code < 300 && began.Sub(start) < d {
				good.Add(1)
			}
			if target == "/money" {
				mu.Lock()
				defer mu.Unlock()
				critical = append(critical, took)
				if w.Code == 503 {
					refusedCritical++
				}
			}
		})
	}
	elapsed := time.Since(start).Seconds()
	wg.Wait()
	slices.Sort(critical)
	return float64(good.Load()) / elapsed, critical, refusedCritical
}

// BenchmarkOverload offers four times what the slots can carry. It reports goodput as a share of what they carry, and the
// 99th percentile of critical work as a multiple of its own without load.
func BenchmarkOverload(b *testing.B) {
	const slots = 8
	for b.Loop() {
		app, e := slotted(b, slots, true)
		_, calm, _ := offer(app, 100, 3*time.Second)
		peak, _, _ := offer(app, slots*100, 3*time.Second)
		offer(app, 4*slots*100, 5*time.Second) // it learns
		good, critical, refused := offer(app, 4*slots*100, 5*time.Second)
		b.ReportMetric(good/max(peak, 1), "goodput")
		b.ReportMetric(float64(critical[len(critical)*99/100])/float64(calm[len(calm)*99/100]), "p99-times")
		b.ReportMetric(float64(refused)/float64(len(critical)), "critical-refused")
		b.ReportMetric(e.Report().Limiter.Limit, "limit")
		stop(b, app)
	}
}

// At four times the load that the slots can carry, goodput is at least 85 % of the peak, and the 99th percentile of critical
// work at most twice what it is without load. Time is simulated, so that the slots are the limit and not the processors of
// the machine that runs the test; BenchmarkOverload is the same in real time. Every request is answered, by the handler or by 503.
func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slots = 8
		d := 2 * time.Second
		if testenv.Long() {
			d = 10 * time.Second
		}
		app, e := slotted(t, slots, true)
		defer stop(t, app)
		_, calm, _ := offer(app, 100, d)
		peak, _, _ := offer(app, slots*100, d)
		offer(app, 4*slots*100, d) // it learns
		good, critical, refused := offer(app, 4*slots*100, d)
		unloaded, loaded := calm[len(calm)*99/100], critical[len(critical)*99/100]
		t.Logf("goodput %.2f of peak, critical p99 %v, unloaded %v, %d of %d critical refused, limit %.0f", good/peak, loaded, unloaded,
			refused, len(critical), e.Report().Limiter.Limit)
		if good < .85*peak || loaded > 2*unloaded || refused*20 > len(critical) {
			t.Errorf("goodput is %.2f of peak; critical p99 is %v, unloaded %v; %d of %d critical requests were refused", good/peak, loaded, unloaded, refused, len(critical))
		}
		if n := e.limit.inFlight.Load(); n != 0 {
			t.Errorf("%d requests are still in flight", n)
		}
		if s := e.Stats(); s.Refused == 0 || s.Errors != 0 {
			t.Errorf("the engine counts %+v", s)
		}
	})
}
