package sare

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// lab is an application with an engine in simulated time: handlers take as long as they move the clock, and the engine
// takes a turn when the test says so.
type lab struct {
	t     testing.TB
	app   *ishaa.App
	e     *Engine
	clock *ishaatest.Clock
	sent  int
}

// seededLot draws lots that are the same in every run.
func seededLot(seed uint64) func() uint32 {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(seed, 1))
	return func() uint32 {
		mu.Lock()
		defer mu.Unlock()
		return r.Uint32()
	}
}

// quiet is a configuration without logs.
var quiet = ishaa.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}

func newApp(t testing.TB) *ishaa.App {
	t.Helper()
	app := ishaa.New("lab", quiet)
	app.Without(ishaa.DefaultRequestID, ishaa.DefaultAccessLog)
	return app
}

const never = 1000 * 24 * time.Hour

func newLab(t testing.TB, o Options, register func(l *lab)) *lab {
	t.Helper()
	l := &lab{t: t, app: newApp(t), clock: ishaatest.NewClock(noon)}
	l.app.SetClock(l.clock)
	if o.OptimizeInterval == 0 {
		o.OptimizeInterval = never // the owner sleeps: turns are the test's
	}
	if o.lot == nil {
		o.lot = seededLot(7)
	}
	if o.Store == nil {
		o.NoLimiter = true
	}
	l.e = Enable(l.app, o)
	register(l)
	l.start()
	return l
}

func (l *lab) start() {
	l.t.Helper()
	if err := l.app.Start(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		if err := l.app.Stop(context.Background()); err != nil {
			l.t.Error(err)
		}
	})
}

func ask(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func answerOf(app *ishaa.App, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

// get sends a request, and waits for what is done in the background about it.
func (l *lab) get(target string, headers ...string) *httptest.ResponseRecorder {
	w := answerOf(l.app, ask("GET", target, headers...))
	l.sent++
	l.settle()
	return w
}

func (l *lab) settle() { settle(l.t, l.e) }

func settle(t testing.TB, e *Engine) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); len(e.slots) > 0; time.Sleep(50 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatal("what is done in the background does not end")
		}
	}
}

// second sends some requests within a second of the clock and then has the engine take a turn.
func (l *lab) second(n int, target func(i int) string) {
	l.t.Helper()
	end := l.clock.Now().Add(time.Second)
	for i := range n {
		if w := l.get(target(i)); w.Code != 200 {
			l.t.Fatalf("%s is answered %d: %s", target(i), w.Code, w.Body)
		}
	}
	if left := end.Sub(l.clock.Now()); left > 0 {
		l.clock.Advance(left)
	}
	l.turn()
}

func (l *lab) turn() { l.e.step(l.clock.Now()) }

// until goes on second by second until a route is in a phase.
func (l *lab) until(pattern string, phase mode, n int, target func(i int) string) {
	l.t.Helper()
	for range 400 {
		if l.route(pattern).s.phase == phase {
			return
		}
		l.second(n, target)
	}
	x, err := l.e.Explain(pattern)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Fatalf("%s never is %s:\n%s", pattern, phase, x)
}

func (l *lab) route(pattern string) *watched { return routeOf(l.t, l.e, pattern) }

func routeOf(t testing.TB, e *Engine, pattern string) *watched {
	t.Helper()
	for _, w := range e.all() {
		if w.route != nil && w.route.Pattern() == pattern {
			return w
		}
	}
	t.Fatalf("there is no route %s", pattern)
	return nil
}

// force has a route's answers remembered without proof or trial, so that only what must never happen stands in the way.
func force(t testing.TB, e *Engine, pattern string) *memo {
	t.Helper()
	w := routeOf(t, e, pattern)
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.memo == nil {
		return nil
	}
	w.s.phase = keeping
	w.memo.open.Store(true)
	frozen := evidence.Frozen{Q50: time.Millisecond, Q95: 2 * time.Millisecond, Q99: 3 * time.Millisecond, Slower: [3]float64{.5, .05, .01}}
	w.s.rule = evidence.GuardRule{Metrics: frozen.Metrics()}
	hold := newHoldback(w.name, e.app.Clock().Now(), frozen)
	hold.offBelow, hold.measured = 0, 1
	w.s.plan = &plan{mode: keeping, trial: hold}
	e.publish()
	return w.memo
}

func stop(t testing.TB, apps ...*ishaa.App) {
	t.Helper()
	for _, app := range apps {
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// contextWithUser puts a user where only the context has it.
func contextWithUser(r *ishaa.Request, user string) context.Context {
	return context.WithValue(r.Context(), attemptContextKey{}, user)
}
