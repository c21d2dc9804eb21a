package rmf

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// How a request's reality was chosen, in the order in which it is tried.
const (
	byHeader = iota
	byCookie
	byRule
	byWindow
	byLot
	chosenSteps
)

var stepNames = [chosenSteps]string{"header", "cookie", "rule", "window", "traffic"}

// visit is what a request to an experiment carries.
type visit struct {
	e       *experiment
	p       *policy
	index   int
	step    int
	subject string // the lot was drawn for; "" with ByRequest
	fresh   bool   // the subject is new: so far nothing of theirs was counted
	start   time.Time
	r       *ishaa.Request
	sim     *simulation
}

// visiting hands a visit from the interceptor to the selector, and tells a simulation which reality it is of.
var visiting = ishaa.NewKey[*visit]("reality")

// chooser is the layer in which a reality is chosen: inside the hooks of the application, so that whoever they refuse
// is in no experiment, and outside the reality's own.
type chooser struct{ m *Realities }

// Layer implements ishaa.Interceptor.
func (chooser) Layer() ishaa.Layer { return ishaa.Select }

// Intercept implements ishaa.Interceptor. Routes without realities get their handler back as it was.
func (c chooser) Intercept(route *ishaa.Route, next ishaa.Handler) ishaa.Handler {
	e := c.m.byRoute[route]
	if e == nil {
		return next
	}
	return func(r *ishaa.Request) (any, error) {
		if effect.Shadow(r.Context()) && visiting.Get(r) != nil {
			return next(r) // a simulation of this very route
		}
		return e.serve(r, next)
	}
}

// Select implements ishaa.Selector.
func (e *experiment) Select(r *ishaa.Request, _ *ishaa.Route) int {
	if v := visiting.Get(r); v != nil {
		return v.index
	}
	return e.policy.Load().rest
}

// serve chooses a reality for the request and has it answer.
func (e *experiment) serve(r *ishaa.Request, next ishaa.Handler) (any, error) {
	clock := e.m.app.Clock()
	v := &visit{e: e, start: clock.Now(), r: r}
	v.p = e.current(func() time.Time { return v.start })
	e.pick(v)
	if v.index < 0 {
		return nil, ishaa.NotFound("there is nothing at this address now")
	}
	if e.m.options.ShowReality {
		r.Response().Header()["X-Ishaa-Reality"] = []string{e.realities[v.index].name}
	}
	e.realities[v.index].steps[v.step].Add(1)
	if v.step == byLot {
		v.fresh = v.fresh || v.subject == "" || e.counted.add(v.subject, v.p.drawing)
		v.assign()
	}
	visiting.Set(r, v)
	r.OnSent(v.sent)
	if v.sim = e.m.pool.sample(v, next); v.sim != nil {
		return v.sim.primary(r, next)
	}
	return next(r)
}

// pick follows header → cookie → behaviour rules → window → traffic.
func (e *experiment) pick(v *visit) {
	r, p := v.r, v.p
	if name := r.Header("X-Reality"); name != "" {
		if i, ok := e.byHeader(r, p, name, v.start); ok {
			v.index, v.step = i, byHeader
			privately(r.Response().Header())
			return
		}
	}
	bySubject := e.m.options.Unit == BySubject && len(e.realities) > 1
	if cookie, ok := e.cookie(r); ok {
		if i, ok := e.bySticky(cookie, p, v.start); ok && p.active[i] && slices.Contains(p.names, e.realities[i].name) {
			v.index, v.step = i, byCookie
			privately(r.Response().Header())
			return
		}
	}
	for _, rule := range e.m.rules {
		if i, ok := e.indexOf(rule(r, slices.Clone(p.names))); ok && slices.Contains(p.names, e.realities[i].name) {
			v.index, v.step = i, byRule
			privately(r.Response().Header())
			return
		}
	}
	if p.forced >= 0 {
		v.index, v.step = p.forced, byWindow
		return
	}
	v.step = byLot
	if !bySubject || len(p.regions) == 0 {
		v.index = p.choose(bucketOf(rand.Uint64()))
	} else {
		v.subject, v.fresh = e.subject(r)
		v.index = p.choose(Bucket(p.lot, v.subject))
		privately(r.Response().Header())
	}
	if v.index >= 0 && v.step == byLot && e.realities[v.index].sticky {
		setCookie(r, e.cookieName(), e.stickyValue(v.index, p, v.start), stickyLifetime)
		privately(r.Response().Header())
	}
}

// byHeader takes a token from anybody, and a plain name from those who may.
func (e *experiment) byHeader(r *ishaa.Request, p *policy, value string, now time.Time) (int, bool) {
	if i, ok := e.byToken(value, now); ok {
		return i, true
	}
	i, ok := e.indexOf(value)
	if !ok || !p.active[i] {
		return 0, false
	}
	may := e.m.options.MayChoose
	return i, e.m.app.Config().Debug || may != nil && may(r)
}

// cookieName is that of the experiment's sticky cookie.
func (e *experiment) cookieName() string { return fmt.Sprintf("rmf-%08x", uint32(Lot(e.name))) }

func (e *experiment) cookie(r *ishaa.Request) (string, bool) {
	if !e.sticks() {
		return "", false
	}
	return r.Cookie(cookieName(r, e.cookieName()))
}

func (e *experiment) sticks() bool {
	return slices.ContainsFunc(e.realities, func(r *reality) bool { return r.sticky })
}

// subject says for whom the lot is drawn: the user, or the visitor by a signed cookie, which is set if it is new.
func (e *experiment) subject(r *ishaa.Request) (subject string, fresh bool) {
	if of := e.m.options.Subject; of != nil {
		if user := of(r); user != "" {
			return "u:" + user, false
		}
	}
	if signed, ok := r.Cookie(cookieName(r, "rmf-id")); ok {
		if id, ok := e.m.openID(signed); ok {
			return "a:" + id, false
		}
	}
	id, signed := e.m.newID()
	setCookie(r, "rmf-id", signed, idLifetime)
	subject = "a:" + id
	e.counted.add(subject, e.policy.Load().drawing)
	return subject, true
}

// assign counts what the lot gave to the arms of each trial.
func (v *visit) assign() {
	if !v.fresh {
		return
	}
	for _, c := range v.p.trials {
		if arm, ok := c.armOf(v.index); ok {
			c.arms[arm].assigned.Add(1)
		}
	}
}

// deadAfter is how many requests of a candidate in a row must fail for it to be rolled back without further evidence.
const deadAfter = 100

// sent counts the answer, after its last byte.
func (v *visit) sent() {
	e := v.e
	took := e.m.app.Clock().Now().Sub(v.start)
	outcome := v.r.Outcome()
	class := evidence.ClassOf(outcome.Status)
	reality := e.realities[v.index]
	reality.recorder.Record(took, class, outcome.Bytes)
	failed := class == evidence.ServerError
	if v.step == byLot || v.step == byCookie {
		if !failed {
			if reality.failures.Load() > 0 {
				reality.failures.Store(0)
			}
		} else if n := reality.failures.Add(1); n == 8 || n == deadAfter {
			e.lookSoon()
		}
	}
	if v.step == byLot {
		for _, c := range v.p.trials {
			if arm, ok := c.armOf(v.index); ok {
				if c.arms[arm].count(took, failed, v.fresh, &c.slow) && arm == candidateArm {
					e.lookSoon()
				}
			}
		}
	}
	if v.sim != nil {
		v.sim.submit(outcome.Status, took)
	}
}

// lookSoon wakes the node: bad answers should not wait for the next look.
func (e *experiment) lookSoon() {
	if e.wake.CompareAndSwap(false, true) {
		e.m.node.poke()
	}
}
