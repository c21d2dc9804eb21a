package sare

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// The order of middleware. Neighbours that say that they commute, and whether they would refuse, may trade places: the
// one that refuses much and costs little should be asked first. How often they refuse is correlated (the bot that has no
// token also has no session), so what is kept is which of them would have refused, request by request, and an order is
// judged by what it would have cost on those (Babu et al. 2004, "Adaptive ordering of pipelined stream filters").

const (
	askOneIn    = 64
	samplesKept = 2048
	samplesLeft = 256 // of which an order is planned
	exactUpTo   = 6
	worthwhile  = .05
	orderRest   = 10 * time.Minute
)

// prober asks a route's commuting middleware whether it would refuse.
type prober struct {
	list   []ishaa.Middleware
	runs   [][]int // of neighbours that may trade places, as indexes into the list
	broken atomic.Pointer[string]

	mu    sync.Mutex
	masks []uint32 // ring
	next  int
	cost  []float64 // nanoseconds, all together
	asked []float64
}

// newProber returns nil for a route of which nothing can be reordered.
func newProber(route *ishaa.Route) *prober {
	p := &prober{list: route.Middleware()}
	movable := func(i int) bool {
		m := p.list[i]
		return m.Commutes && m.Probe != nil && m.Around == nil && i < 32
	}
	for i := 0; i < len(p.list); i++ {
		var run []int
		for ; i < len(p.list) && movable(i); i++ {
			run = append(run, i)
		}
		if len(run) > 1 {
			p.runs = append(p.runs, run)
		}
	}
	if len(p.runs) == 0 {
		return nil
	}
	p.cost, p.asked = make([]float64, len(p.list)), make([]float64, len(p.list))
	return p
}

// ask asks all of them about a request.
func (p *prober) ask(r *ishaa.Request, clock ishaa.Clock) {
	if p.broken.Load() != nil {
		return
	}
	at := 0
	defer func() {
		if cause := recover(); cause != nil {
			why := fmt.Sprintf("the Probe of %q panicked: %v", p.list[at].Name, cause)
			p.broken.Store(&why)
		}
	}()
	var mask uint32
	var took [32]time.Duration
	for _, run := range p.runs {
		for _, at = range run {
			start := clock.Now()
			if p.list[at].Probe(r) {
				mask |= 1 << at
			}
			took[at] = clock.Now().Sub(start)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.masks) < samplesKept {
		p.masks = append(p.masks, mask)
	} else {
		p.masks[p.next%samplesKept] = mask
	}
	p.next++
	for _, run := range p.runs {
		for _, i := range run {
			p.cost[i] += float64(took[i])
			p.asked[i]++
		}
	}
}

// orderEvidence is what an order is planned by.
type orderEvidence struct {
	Count int            `json:"count"` // of all middleware
	Runs  [][]int        `json:"runs"`
	Masks map[uint32]int `json:"masks"` // how often which of them would have refused
	Cost  []float64      `json:"cost"`  // nanoseconds each
	Now   []int          `json:"now"`   // the order in force; nil is as registered
}

// orderRule is when an order is worth a trial.
type orderRule struct {
	Gain float64 `json:"gain"` // the least share of the cost that it has to save
}

// orderChoice is a planned order with what it is expected to cost.
type orderChoice struct {
	Outcome string  `json:"outcome"`
	Order   []int   `json:"order"`
	Before  float64 `json:"before"` // nanoseconds a request
	After   float64 `json:"after"`
}

func (p *prober) evidence(now []int) (orderEvidence, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := orderEvidence{Count: len(p.list), Runs: p.runs, Masks: map[uint32]int{}, Now: now, Cost: make([]float64, len(p.list))}
	for _, mask := range p.masks {
		out.Masks[mask]++
	}
	for i := range p.cost {
		if p.asked[i] > 0 {
			out.Cost[i] = math.Round(max(p.cost[i]/p.asked[i], 1))
		}
	}
	return out, p.next
}

// planOrder chooses the order of least expected cost within each run.
func planOrder(rule orderRule, e orderEvidence) (orderChoice, error) {
	order := e.Now
	if len(order) != e.Count {
		order = make([]int, e.Count)
		for i := range order {
			order[i] = i
		}
	}
	order = slices.Clone(order)
	choice := orderChoice{Outcome: outcomeWait}
	for _, run := range e.Runs {
		// The places of a run hold its members, in whatever order is in force.
		now := slices.Clone(order[run[0] : run[0]+len(run)])
		best := bestOrder(now, e.Masks, e.Cost)
		choice.Before += expectedCost(now, e.Masks, e.Cost)
		choice.After += expectedCost(best, e.Masks, e.Cost)
		copy(order[run[0]:], best)
	}
	choice.Before, choice.After = math.Round(choice.Before), math.Round(choice.After)
	choice.Order = order
	if choice.After <= choice.Before*(1-rule.Gain) {
		choice.Outcome = "try"
	}
	return choice, nil
}

// expectedCost is what asking in an order costs a request on average: those behind one that refuses are not asked.
func expectedCost(order []int, masks map[uint32]int, cost []float64) float64 {
	var sum, n float64
	for mask, times := range masks {
		var c float64
		for _, i := range order {
			c += cost[i]
			if mask>>i&1 == 1 {
				break
			}
		}
		sum += c * float64(times)
		n += float64(times)
	}
	if n == 0 {
		return 0
	}
	return sum / n
}

func bestOrder(members []int, masks map[uint32]int, cost []float64) []int {
	members = slices.Clone(members)
	if len(members) > exactUpTo {
		if order := greedyOrder(slices.Clone(members), masks, cost); expectedCost(order, masks, cost) < expectedCost(members, masks, cost) {
			return order
		}
		return members // greed is not always better than what is there
	}
	best, least := slices.Clone(members), expectedCost(members, masks, cost)
	permute(members, 0, func(order []int) {
		if c := expectedCost(order, masks, cost); c < least*(1-1e-9) {
			best, least = slices.Clone(order), c
		}
	})
	return best
}

func permute(list []int, from int, each func([]int)) {
	if from == len(list) {
		each(list)
		return
	}
	for i := from; i < len(list); i++ {
		list[from], list[i] = list[i], list[from]
		permute(list, from+1, each)
		list[from], list[i] = list[i], list[from]
	}
}

// greedyOrder takes, again and again, the one that refuses most of what is left for its cost.
func greedyOrder(members []int, masks map[uint32]int, cost []float64) (order []int) {
	left := make(map[uint32]int, len(masks))
	for mask, times := range masks {
		left[mask] = times
	}
	for len(members) > 0 {
		at, most := 0, -1.0
		for j, i := range members {
			var refused float64
			for mask, times := range left {
				if mask>>i&1 == 1 {
					refused += float64(times)
				}
			}
			if value := refused / cost[i]; value > most || value == most && cost[i] < cost[members[at]] {
				at, most = j, value
			}
		}
		i := members[at]
		order = append(order, i)
		members = slices.Delete(members, at, at+1)
		for mask := range left {
			if mask>>i&1 == 1 {
				delete(left, mask)
			}
		}
	}
	return order
}

// orderPlan is what is done about a route's order.
type orderPlan struct {
	trial             *trial
	stable, candidate ishaa.Handler // the chains below the engine, while on trial
}

func (o *orderPlan) run(e *Engine, w *watched, r *ishaa.Request, next ishaa.Handler) (any, error) {
	lot := e.options.lot()
	if lot%askOneIn == 0 {
		w.prober.ask(r, e.app.Clock())
	}
	if o.trial == nil {
		return next(r)
	}
	if o.trial.assign(r, orderArm, e.options.lot()) {
		return o.candidate(r)
	}
	return o.stable(r)
}

// orderStanding is what the owner knows of a route's order.
type orderStanding struct {
	now, tried []int
	until      time.Time
	failures   int
	seen       int // samples when it was last planned
	why        string
}

// turnOrder moves a route's order on. It returns how to begin a trial where one is worth it.
func (e *Engine) turnOrder(w *watched, now time.Time) func() {
	s := &w.s
	if why := w.prober.broken.Load(); why != nil && s.plan != nil && s.plan.order != nil {
		e.endOrder(w, now, s.order.now, *why)
		s.plan = s.with(func(p *plan) { p.order = nil })
		return nil
	}
	if w.prober.broken.Load() != nil {
		return nil
	}
	if s.plan == nil || s.plan.order == nil {
		s.plan = s.with(func(p *plan) { p.order = &orderPlan{} })
		return nil
	}
	if s.plan.order.trial != nil {
		e.judgeOrder(w, now)
		return nil
	}
	seen, count := w.prober.evidence(s.order.now)
	if now.Before(s.order.until) || count-s.order.seen < samplesLeft {
		return nil
	}
	s.order.seen = count
	choice, err := planOrder(orderRule{worthwhile}, seen)
	if err != nil || choice.Outcome != "try" {
		return nil
	}
	return func() { e.beginOrder(w, now, seen, choice) }
}

func (e *Engine) beginOrder(w *watched, now time.Time, seen orderEvidence, choice orderChoice) {
	s := &w.s
	frozen, err := freeze(w.snapshot())
	if err != nil {
		s.order.seen = 0 // plan again when there is enough to compare with
		return
	}
	stable, ok := e.chainWith(w, s.order.now)
	candidate, okToo := e.chainWith(w, choice.Order)
	if !ok || !okToo {
		return
	}
	e.decideNow(now, "sare.order", w.name, orderRule{worthwhile}, seen)
	s.order.tried = choice.Order
	t := newTrial(w.name+" order", now, frozen)
	s.plan = s.with(func(p *plan) { p.order = &orderPlan{trial: t, stable: stable, candidate: candidate} })
	e.trials.begun++
	e.note(now, w.name, fmt.Sprintf("order: %s is on trial, expected to cost %.0f ns instead of %.0f", w.prober.names(choice.Order), choice.After, choice.Before))
}

// chainWith compiles the route with an order and returns the chain below the engine.
func (e *Engine) chainWith(w *watched, order []int) (ishaa.Handler, bool) {
	if err := e.app.SetOrder(w.route, order); err != nil {
		e.app.Logger().Error("an order of middleware was refused", "engine", "sare", "route", w.name, "error", err)
		return nil, false
	}
	if err := e.app.Recompile(w.route); err != nil {
		e.app.Logger().Error("a route could not be compiled", "engine", "sare", "route", w.name, "error", err)
		return nil, false
	}
	below := w.below.Load()
	return *below, true
}

func (e *Engine) judgeOrder(w *watched, now time.Time) {
	s := &w.s
	t := s.plan.order.trial
	seen := t.state(now)
	verdict, err := decidePay(t.rule(), seen)
	if err != nil || verdict.Outcome == outcomeWait {
		return
	}
	e.decideNow(now, "sare.trial", t.subject, t.rule(), seen)
	gain := t.gain()
	e.bandit.Reward("order", gain)
	if verdict.Outcome == outcomeKeep {
		e.trials.kept++
		s.order.failures = 0
		e.endOrder(w, now, s.order.tried, fmt.Sprintf("kept, %.1f %% of the time saved: %s", 100*gain, verdict.Reason))
		return
	}
	e.trials.undone++
	s.order.failures++
	e.endOrder(w, now, s.order.now, "undone: "+verdict.Reason)
}

// endOrder settles on an order.
func (e *Engine) endOrder(w *watched, now time.Time, order []int, why string) {
	s := &w.s
	if _, ok := e.chainWith(w, order); ok {
		s.order.now = order
	}
	s.order.tried = nil
	s.order.until = now.Add(min(orderRest<<min(s.order.failures, 20), longestRest))
	s.order.why = why
	s.plan = s.with(func(p *plan) { p.order = &orderPlan{} })
	e.note(now, w.name, "order: "+w.prober.names(order)+": "+why)
}

// names writes an order by the names of the middleware that may move.
func (p *prober) names(order []int) string {
	var list []string
	for _, run := range p.runs {
		for place := run[0]; place < run[0]+len(run); place++ {
			i := place
			if len(order) == len(p.list) {
				i = order[place]
			}
			list = append(list, p.list[i].Name)
		}
	}
	return strings.Join(list, ", ")
}

// snapshot is what a route did with all methods.
func (w *watched) snapshot() *evidence.Snapshot {
	all := &evidence.Snapshot{}
	for i := range w.methods {
		if w.active.Load()&(1<<i) != 0 {
			all.Merge(w.methods[i].Snapshot())
		}
	}
	return all
}
