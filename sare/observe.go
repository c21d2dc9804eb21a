package sare

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Observation: one record for each request, per route and method, in striped counters. Everything else, from rates to
// heat, is worked out from those by the owner.

// The methods that are counted apart.
const (
	methodGet = iota
	methodHead
	methodPost
	methodPut
	methodPatch
	methodDelete
	methodOptions
	methodOther
	methodCount
)

var methodNames = [methodCount]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}

func methodOf(name string) int {
	switch name {
	case "GET":
		return methodGet
	case "HEAD":
		return methodHead
	case "POST":
		return methodPost
	case "PUT":
		return methodPut
	case "PATCH":
		return methodPatch
	case "DELETE":
		return methodDelete
	case "OPTIONS":
		return methodOptions
	}
	return methodOther
}

// watched is a route, or a variant of one, as the engine sees it. Requests that match no route have one together.
type watched struct {
	index int
	route *ishaa.Route // nil for requests without a route
	name  string
	level ishaa.Level
	memo  *memo  // nil where nothing may be remembered,
	why   string // which this says

	methods                   [methodCount]evidence.Recorder
	active                    atomic.Uint32 // which of them have counted something
	notFound, cached, aborted atomic.Uint64
	inFlight                  atomic.Int64

	refused atomic.Uint64 // by the limiter
	serving serving

	prober *prober // nil where no middleware may trade places
	below  atomic.Pointer[ishaa.Handler]
	s      standing // the owner's
}

// Observe counts a finished request. It is called by the application.
func (e *Engine) Observe(route *ishaa.Route, o ishaa.Outcome) {
	p := e.policy.Load()
	if p == nil {
		return
	}
	w := p.routes[route]
	if w == nil {
		w = e.nowhere
	}
	class := evidence.ClassOf(o.Status)
	if o.Status == http.StatusServiceUnavailable && errors.Is(o.Request.Failure(), errOverloaded) {
		w.refused.Add(1)
		return
	}
	method := methodOf(o.Request.Method())
	if w.active.Load()&(1<<method) == 0 {
		w.active.Or(1 << method)
	}
	w.methods[method].Record(o.Duration, class, o.Bytes)
	if o.Status == 404 {
		w.notFound.Add(1)
	}
	if o.Cached {
		w.cached.Add(1)
	}
	if o.Aborted {
		w.aborted.Add(1)
	}
	if p.onTrial {
		countArms(o, class)
	}
}

// countArms counts a request for the trials it took part in.
func countArms(o ishaa.Outcome, class evidence.Class) {
	if o.Aborted {
		class = evidence.ServerError
	}
	for _, key := range [...]*ishaa.Key[*arm]{memoArm, orderArm, slotArm} {
		if a, ok := key.Lookup(o.Request); ok && a != nil {
			a.recorder.Record(o.Duration, class, o.Bytes)
		}
	}
}

// Layers of the engine in the chains.
type layer struct {
	e  *Engine
	at ishaa.Layer
}

// Layer says where it sits.
func (l layer) Layer() ishaa.Layer { return l.at }

// Intercept puts the engine around a route, unless it is off.
func (l layer) Intercept(route *ishaa.Route, next ishaa.Handler) ishaa.Handler {
	w := l.e.watch(route)
	if l.at == ishaa.Outermost {
		w.below.Store(&next)
	}
	if l.e.off.Load() {
		return next
	}
	if l.at == ishaa.Outermost {
		return l.e.outermost(w, next)
	}
	if w.memo == nil {
		return next
	}
	return l.e.innermost(w, next)
}

// outermost counts what is under way, sheds what is too much, and has the order of middleware looked at.
func (e *Engine) outermost(w *watched, next ishaa.Handler) ishaa.Handler {
	return func(r *ishaa.Request) (any, error) {
		p := e.policy.Load()
		if p == nil {
			return next(r)
		}
		if p.limiter != nil {
			if !p.limiter.enter(w.level) {
				return nil, overloaded()
			}
			defer p.limiter.leave()
			if p.limiter.pressed.Load() || e.options.lot()%measureOne == 0 {
				next := next
				return e.timed(w, r, func(r *ishaa.Request) (any, error) { return e.within(w, p, r, next) })
			}
		}
		return e.within(w, p, r, next)
	}
}

// within runs what is below the limiter.
func (e *Engine) within(w *watched, p *policy, r *ishaa.Request, next ishaa.Handler) (any, error) {
	w.inFlight.Add(1)
	defer w.inFlight.Add(-1)
	if pl := p.plans[w.index]; pl != nil && pl.order != nil {
		return pl.order.run(e, w, r, next)
	}
	return next(r)
}

// innermost is where answers are remembered: inside authentication, limits and CORS, around binding and the handler.
func (e *Engine) innermost(w *watched, next ishaa.Handler) ishaa.Handler {
	return func(r *ishaa.Request) (any, error) {
		p := e.policy.Load()
		if p == nil {
			return next(r)
		}
		pl := p.plans[w.index]
		if pl == nil || pl.mode == watching {
			return next(r)
		}
		return w.memo.handle(r, pl, next)
	}
}

// window is what a route did in an interval.
type window struct {
	requests, errors, clientErrors uint64
	bytes                          uint64
	rate                           float64 // per second
	p50, p95, p99                  time.Duration
	work                           time.Duration
}
