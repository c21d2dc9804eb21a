package sare

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Overload. More requests in handlers than the program can work on only wait there, and all become slow. The limiter
// finds how many are too many by the gradient of latency (Jacobson 1988 for TCP; Netflix concurrency-limits for
// services): where handlers take longer than they do unhurried, fewer are let in, the critical ones last. A cut pays or
// is undone, like everything here: if fewer answers come out per second, the waiting was not the requests' own doing.

const (
	limiterTick = 100 * time.Millisecond
	tolerance   = 1.1 // latency over that of an unhurried handler
	lookAfter   = 4   // ticks: whether a cut paid
	paid        = .95 // of the answers per second before
	measureOne  = 16  // in so many requests, while there is no pressure
	levels      = int(ishaa.FinancialCore) + 1
)

// headroom is what a level may have beyond the limit of standard work: a share of it and a few.
var headroom = [levels]struct{ share, more float64 }{{1, 0}, {1.05, 1}, {1.1, 2}, {1.25, 4}}

// limiter bounds how many requests are in handlers.
type limiter struct {
	inFlight atomic.Int64
	_        [56]byte // its own cache line
	limits   [levels]atomic.Int64
	refused  [levels]atomic.Uint64
	pressed  atomic.Bool // every request is measured

	// The owner's.
	least, most float64
	limit       float64
	cut         *cut
	ticks       int
	turned      uint64 // refusals at the last tick
	undone      int
	rebase      float64 // an undone cut: how much longer handlers simply take now
	cuts        int
}

// cut is a lower limit on trial.
type cut struct {
	before, after float64
	rate          float64 // answers a tick before
	ticks         int
	answers       uint64
	ratio         float64
}

func newLimiter(o Options) *limiter {
	l := &limiter{least: float64(o.MinConcurrency), most: float64(o.MaxConcurrency)}
	l.reset()
	return l
}

func (l *limiter) reset() {
	l.cut = nil
	l.set(l.most)
}

func (l *limiter) set(limit float64) {
	l.limit = max(l.least, min(limit, l.most))
	for level := range l.limits {
		l.limits[level].Store(int64(l.limit*headroom[level].share + headroom[level].more))
	}
}

// enter lets a request in or not.
func (l *limiter) enter(level ishaa.Level) bool {
	i := min(int(level), levels-1)
	if l.inFlight.Add(1) > l.limits[i].Load() {
		l.inFlight.Add(-1)
		l.refused[i].Add(1)
		return false
	}
	return true
}

func (l *limiter) leave() { l.inFlight.Add(-1) }

// errOverloaded is the cause of refusals, by which they are told from a handler's own 503.
var errOverloaded = errors.New("sare: more requests are under way than can be worked on")

func overloaded() error {
	return ishaa.StatusError(http.StatusServiceUnavailable, "the server has too much to do; try again in a moment").
		WithHeader("Retry-After", "1").Wrap(errOverloaded)
}

// pressure is what handlers did in a tick.
type pressure struct {
	answers  uint64
	measured uint64
	ratio    float64 // latency over unhurried latency, weighted by answers; 0 where nothing is known
}

// tick looks at the handlers' latency and moves the limit. It runs on the owner.
func (l *limiter) tick(e *Engine) {
	l.ticks++
	refused := l.refusals() - l.turned
	l.turned += refused
	flying := float64(l.inFlight.Load())
	pressed := refused > 0 || flying >= l.least/2 || l.cut != nil
	l.pressed.Store(pressed)
	if !pressed && l.ticks%10 != 0 {
		return
	}
	p := e.pressure(flying < l.least/2)
	l.move(p, flying, refused > 0, pressed)
	if l.cut == nil && p.ratio > 0 && l.rebase > 0 {
		e.rebase(l.rebase)
	}
	l.rebase = 0
}

// move is a step of the limit, a function of what was seen.
func (l *limiter) move(p pressure, flying float64, refusing, pressed bool) {
	if c := l.cut; c != nil {
		c.ticks++
		if c.ticks > 1 { // the first still holds those that were let in before
			c.answers += p.answers
		}
		if c.ticks < lookAfter {
			return
		}
		l.cut = nil
		if rate := float64(c.answers) / float64(c.ticks-1); rate < paid*c.rate {
			l.undone++
			l.rebase = c.ratio
			l.set(c.before * 1.1)
		}
		return
	}
	switch {
	case p.ratio == 0 || p.measured < 8:
		if !pressed {
			l.set(l.limit * 1.02)
		}
	case p.ratio > tolerance && flying > l.least:
		after := max(l.least, min(l.limit, flying)*max(.1, tolerance/p.ratio))
		if after < l.limit {
			before := l.limit
			if !refusing {
				before = l.most // nobody was turned away so far
			}
			l.cut = &cut{before: before, after: after, rate: float64(p.answers), ratio: p.ratio}
			l.cuts++
			l.set(after)
		}
	case refusing || flying > .9*l.limit:
		l.set(l.limit + 1)
	default:
		l.set(l.limit * 1.02)
	}
}

func (l *limiter) refusals() (n uint64) {
	for i := range l.refused {
		n += l.refused[i].Load()
	}
	return n
}

// serving is how long a route's handlers take, without what waits outside them.
type serving struct {
	recorder evidence.Recorder
	seen     *evidence.Snapshot
	base     float64 // nanoseconds unhurried; 0 is not known
}

// timed runs a handler and counts how long it took.
func (e *Engine) timed(w *watched, r *ishaa.Request, next ishaa.Handler) (any, error) {
	clock := e.app.Clock()
	start := clock.Now()
	defer func() { w.serving.recorder.Record(clock.Now().Sub(start), evidence.Success, 0) }()
	return next(r)
}

// pressure sums up the routes since the last look, and learns how long handlers take when there is no hurry.
func (e *Engine) pressure(calm bool) (p pressure) {
	var weighted, weight float64
	for _, w := range e.all() {
		if w.active.Load() == 0 {
			continue
		}
		v := &w.serving
		now := v.recorder.Snapshot()
		recent := now
		if v.seen != nil {
			recent = now.Since(v.seen)
		}
		v.seen = now
		n := recent.Requests()
		if n == 0 {
			continue
		}
		p.answers += n
		median := float64(recent.Latency.Quantile(.5))
		if n >= 4 && (v.base == 0 || median < v.base) {
			v.base = median
		} else if calm && n >= 4 {
			v.base += (median - v.base) / 32 // what takes longer now, without a hurry
		}
		if v.base > 0 {
			weighted += float64(n) * median / v.base
			weight += float64(n)
			p.measured += n
		}
	}
	if weight > 0 {
		p.ratio = weighted / weight
	}
	return p
}

// rebase takes what handlers take now for unhurried: fewer of them at once did not make them faster.
func (e *Engine) rebase(ratio float64) {
	for _, w := range e.all() {
		w.serving.base *= ratio
	}
}
