package sare

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Decision: what to try, and what to keep. Everything here runs on the owner, under its lock.

// standing is what the owner knows of a route.
type standing struct {
	seen     [methodCount]*evidence.Snapshot // at the last look
	last     window                          // all methods
	get      window                          // GET and HEAD
	total    uint64                          // GET and HEAD since the start
	heat     float64                         // seconds of work, decaying by half a minute
	curve    []point
	phase    mode
	since    time.Time
	until    time.Time // resting until then
	forever  bool
	why      string // the phase began
	failures int    // times it was turned off, for the back-off
	quiet    int    // intervals in a row with too little traffic
	plan     *plan
	baseline *evidence.Snapshot // GET before the phase
	gain     float64
	guard    evidence.GuardState
	rule     evidence.GuardRule
	guardAt  guardWindow
	judged   uint64 // comparisons when the time to live last changed
	slotsAt  time.Time
	order    orderStanding
}

// point is one interval of a route's curve.
type point struct {
	At   time.Time     `json:"at"`
	Rate float64       `json:"rate"` // requests per second
	P50  time.Duration `json:"p50"`  // nanoseconds
	P95  time.Duration `json:"p95"`
}

const (
	curvePoints  = 60
	heatHalfLife = 60 * time.Second
	tracedPer    = 200.0 // answers looked at per second while a route is proven
	// proofs is how many comparisons without a difference it takes. The design asks for 300, which a handler that differs
	// one time in a hundred passes one time in twenty; 800 it passes one time in three thousand, and they cost nothing,
	// since the handler runs anyway.
	proofs       = 800
	proofShadows = 32 // of them in shadow
	tooLong      = 20_000
	firstRest    = time.Minute
	longestRest  = 24 * time.Hour
	startsAtOnce = 4
	trust        = 32 // comparisons without a difference that double the time to live
)

func (s *standing) rest(phase mode, until time.Time, why string) {
	s.phase, s.until, s.why = phase, until, why
}

// look works out what happened since the last look.
func (e *Engine) look(now time.Time) {
	elapsed := now.Sub(e.seenAt)
	if elapsed <= 0 {
		elapsed = time.Nanosecond
	}
	e.seenAt = now
	for _, w := range e.all() {
		w.look(now, elapsed)
	}
}

func (w *watched) look(now time.Time, elapsed time.Duration) {
	s := &w.s
	var all, get evidence.Snapshot
	active := w.active.Load()
	for i := range w.methods {
		if active&(1<<i) == 0 {
			continue
		}
		snapshot := w.methods[i].Snapshot()
		recent := snapshot
		if s.seen[i] != nil {
			recent = snapshot.Since(s.seen[i])
		}
		s.seen[i] = snapshot
		all.Merge(recent)
		if i == methodGet || i == methodHead {
			get.Merge(recent)
		}
	}
	s.last, s.get = windowOf(&all, elapsed), windowOf(&get, elapsed)
	s.total += s.get.requests
	s.heat = s.heat*math.Exp2(-elapsed.Seconds()/heatHalfLife.Seconds()) + s.last.work.Seconds()
	if s.last.requests > 0 || len(s.curve) > 0 {
		s.curve = append(s.curve, point{now, s.last.rate, s.last.p50, s.last.p95})
		if len(s.curve) > curvePoints {
			s.curve = slices.Delete(s.curve, 0, len(s.curve)-curvePoints)
		}
	}
}

func windowOf(s *evidence.Snapshot, elapsed time.Duration) window {
	n := s.Requests()
	return window{
		requests: n, errors: s.ServerErrors, clientErrors: s.ClientErrors, bytes: s.Bytes,
		rate: float64(n) / elapsed.Seconds(), work: s.Latency.Sum(),
		p50: s.Latency.Quantile(.5), p95: s.Latency.Quantile(.95), p99: s.Latency.Quantile(.99),
	}
}

// decide moves every route on and begins what is worth trying, the hottest first where the belief is the same.
func (e *Engine) decide(now time.Time) {
	list := e.all()
	slices.SortStableFunc(list, func(a, b *watched) int {
		switch {
		case a.s.heat > b.s.heat:
			return -1
		case a.s.heat < b.s.heat:
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	candidates := map[string][]func(){}
	for _, w := range list {
		if w.memo != nil && e.turn(w, now) {
			candidates["memo"] = append(candidates["memo"], func() { e.beginProof(w, now) })
		}
		if w.prober != nil {
			if begin := e.turnOrder(w, now); begin != nil {
				candidates["order"] = append(candidates["order"], begin)
			}
		}
		if w.memo != nil {
			if begin := e.turnSlots(w, now); begin != nil {
				candidates["slots"] = append(candidates["slots"], begin)
			}
		}
	}
	for range startsAtOnce {
		var kinds []string
		for _, kind := range []string{"memo", "order", "slots"} {
			if len(candidates[kind]) > 0 {
				kinds = append(kinds, kind)
			}
		}
		if len(kinds) == 0 {
			return
		}
		kind := kinds[e.bandit.Pick(kinds...)]
		candidates[kind][0]()
		candidates[kind] = candidates[kind][1:]
	}
}

// turn moves a route's memory on by one interval. It reports whether the route should be proven.
func (e *Engine) turn(w *watched, now time.Time) (begin bool) {
	s, m := &w.s, w.memo
	switch s.phase {
	case watching:
		if s.forever || now.Before(s.until) || !e.meets(w) || e.warm(w, now) {
			return false
		}
		return true
	case proving:
		e.turnProof(w, now)
	case trying:
		e.turnTrial(w, now)
	case keeping:
		e.turnKept(w, now)
		e.lengthen(w, m)
	}
	return false
}

// meets says whether the seed's criteria hold. A forecast with skill counts for the rate.
func (e *Engine) meets(w *watched) bool {
	rate := w.s.get.rate
	if ahead, ok := e.predictor.rateAhead(w); ok {
		rate = max(rate, ahead)
	}
	return w.s.total >= minRequests && rate >= minRate &&
		float64(w.s.get.errors) <= maxErrors*float64(w.s.get.requests)
}

func (e *Engine) beginProof(w *watched, now time.Time) {
	s := &w.s
	s.phase, s.since, s.quiet = proving, now, 0
	s.baseline = w.methods[methodGet].Snapshot()
	w.memo.counts.beginPhase()
	w.memo.ttl.Store(int64(min(firstTTL, e.options.CacheTTL)))
	w.memo.open.Store(true)
	s.why = fmt.Sprintf("%.0f requests per second, %d in all, %d errors lately", s.get.rate, s.total, s.get.errors)
	s.plan = s.with(func(p *plan) { p.mode, p.trial, p.traceBelow = proving, nil, traceBelow(s.get.rate) })
	e.note(now, w.name, "memory: begins to be proven ("+s.why+")")
}

// traceBelow is up to which lot answers are looked at, so that some 200 a second are.
func traceBelow(rate float64) uint32 {
	if rate <= tracedPer {
		return math.MaxUint32
	}
	return uint32(tracedPer / rate * math.MaxUint32)
}

// with returns a copy of the route's plan with a change.
func (s *standing) with(change func(*plan)) *plan {
	var p plan
	if s.plan != nil {
		p = *s.plan
	}
	change(&p)
	return &p
}

// proof is what the third gate goes by; it is decided by decideProof, and can be replayed.
type proof struct {
	Traced    uint64 `json:"traced"`
	Kept      uint64 `json:"kept"`
	Clean     uint64 `json:"clean"`
	Shadows   uint64 `json:"shadows"`
	Conflicts uint64 `json:"conflicts"`
	Requests  uint64 `json:"requests"` // to freeze what is slow
}

// proofRule is what it takes.
type proofRule struct {
	Clean    uint64 `json:"clean"`
	Shadows  uint64 `json:"shadows"`
	Requests uint64 `json:"requests"`
	TooLong  uint64 `json:"tooLong"`
}

// ruling is a decision in one word and the reason.
type ruling struct {
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
}

func decideProof(rule proofRule, p proof) (ruling, error) {
	switch {
	case p.Traced >= 200 && p.Kept*10 < p.Traced:
		return ruling{outcomeUndo, fmt.Sprintf("only %d of %d answers could be kept", p.Kept, p.Traced)}, nil
	case p.Kept >= 200 && p.Conflicts*10 > p.Kept:
		return ruling{outcomeUndo, fmt.Sprintf("the handler reads other inputs, or in another order, %d times in %d", p.Conflicts, p.Kept)}, nil
	case p.Clean >= rule.Clean && p.Shadows >= rule.Shadows && p.Requests >= rule.Requests:
		return ruling{outcomeKeep, fmt.Sprintf("%d answers would have been right, none wrong; %d were made again in shadow and nothing was changed", p.Clean, p.Shadows)}, nil
	case p.Traced >= rule.TooLong:
		return ruling{outcomeUndo, fmt.Sprintf("of %d requests %d came again in time: there is little to remember", p.Traced, p.Clean)}, nil
	}
	return ruling{outcomeWait, "not enough comparisons yet"}, nil
}

var proofNeeds = proofRule{Clean: proofs, Shadows: proofShadows, Requests: 1000, TooLong: tooLong}

func (e *Engine) turnProof(w *watched, now time.Time) {
	s, c := &w.s, &w.memo.counts
	seen := proof{c.traced.Load(), c.kept.Load(), c.clean.Load(), c.shadows.Load(), c.conflicts.Load(), w.methods[methodGet].Snapshot().Requests()}
	verdict, _ := decideProof(proofNeeds, seen)
	switch verdict.Outcome {
	case outcomeUndo:
		reason := verdict.Reason
		if list := w.memo.refusals(); len(list) > 0 && strings.HasPrefix(reason, "only") {
			reason += ": " + list[0].What
		}
		e.decideNow(now, "sare.proof", w.name, proofNeeds, seen)
		e.turnOff(w, now, reason, false)
	case outcomeKeep:
		e.decideNow(now, "sare.proof", w.name, proofNeeds, seen)
		e.note(now, w.name, "memory: proven ("+verdict.Reason+")")
		e.beginTrial(w, now)
	default:
		if s.quiet++; s.get.rate >= minRate/4 {
			s.quiet = 0
		}
		if s.quiet >= 30 {
			e.turnOff(w, now, "there is hardly any traffic left", false)
			return
		}
		s.plan = s.with(func(p *plan) { p.traceBelow = traceBelow(s.get.rate) })
	}
}

// beginTrial fixes what slow means, from what the route did before it was touched if that is enough, and draws lots.
func (e *Engine) beginTrial(w *watched, now time.Time) {
	s := &w.s
	recent := w.methods[methodGet].Snapshot()
	if s.baseline != nil && recent.Since(s.baseline).Requests() >= 1000 {
		recent = recent.Since(s.baseline)
	}
	frozen, err := freeze(recent)
	if err != nil {
		return // 1,000 requests were asked for by proofNeeds
	}
	s.phase, s.since = trying, now
	w.memo.counts.beginPhase()
	t := newTrial(w.name+" memory", now, frozen)
	e.nodes.agree(t)
	s.plan = s.with(func(p *plan) { p.mode, p.trial = trying, t })
	e.trials.begun++
	e.note(now, w.name, fmt.Sprintf("memory: on trial with half of the requests; slow is above %v", frozen.Q50))
}

func (e *Engine) turnTrial(w *watched, now time.Time) {
	s := &w.s
	t := s.plan.trial
	seen, decide := e.nodes.merged(t, now)
	if !decide {
		return
	}
	verdict, err := decidePay(t.rule(), seen)
	if t.verdict != nil {
		verdict, err = *t.verdict, nil
		e.note(now, w.name, "memory: the node that has the lease has decided: "+verdict.Outcome)
	} else if err == nil && verdict.Outcome != outcomeWait {
		e.decideNow(now, "sare.trial", t.subject, t.rule(), seen)
		e.nodes.settle(t, verdict)
	}
	if err != nil || verdict.Outcome == outcomeWait {
		return
	}
	s.gain = t.gain()
	e.bandit.Reward("memo", s.gain)
	if verdict.Outcome == outcomeUndo {
		e.trials.undone++
		e.turnOff(w, now, "the trial: "+verdict.Reason, false)
		return
	}
	e.trials.kept++
	e.keep(w, now, t.frozen, "the trial: "+verdict.Reason)
}

// keep has all but a hundredth of the requests answered from memory.
func (e *Engine) keep(w *watched, now time.Time, frozen evidence.Frozen, why string) {
	s := &w.s
	s.phase, s.since, s.why = keeping, now, why
	s.guard, s.guardAt = evidence.GuardState{}, guardWindow{}
	s.rule = evidence.GuardRule{Metrics: frozen.Metrics()}
	s.plan = s.with(func(p *plan) { p.mode, p.trial = keeping, newHoldback(w.name+" memory", now, frozen) })
	e.note(now, w.name, fmt.Sprintf("memory: kept (%s; %.0f %% of the time saved)", why, 100*s.gain))
}

// turnKept watches over what was kept: something that got worse is attributed by half and half before anything is undone.
func (e *Engine) turnKept(w *watched, now time.Time) {
	s := &w.s
	t := s.plan.trial
	before := s.guard.Phase
	next, err := s.rule.Next(s.guard, t.window(&s.guardAt))
	if err != nil {
		return
	}
	s.guard = next
	if next.Phase == before || before == "" && next.Phase == evidence.Watching {
		return
	}
	switch next.Phase {
	case evidence.Convicted:
		e.note(now, w.name, "memory: "+next.Reason)
		e.trials.undone++
		e.turnOff(w, now, "after it was kept: "+next.Reason, false)
	case evidence.Comparing:
		s.plan = s.with(func(p *plan) { p.trial = newTrial(t.subject, now, t.frozen) })
		s.guardAt = guardWindow{}
		e.note(now, w.name, "memory: "+next.Reason)
	case evidence.Watching:
		s.plan = s.with(func(p *plan) { p.trial = newHoldback(t.subject, now, t.frozen) })
		s.guardAt = guardWindow{}
		e.note(now, w.name, "memory: "+next.Reason)
	}
}

// lengthen doubles the time to live while nothing speaks against it.
func (e *Engine) lengthen(w *watched, m *memo) {
	clean := m.counts.clean.Load() + m.counts.renewed.Load()
	if clean < w.s.judged {
		w.s.judged = 0 // a new phase counts anew
	}
	ttl := time.Duration(m.ttl.Load())
	if clean-w.s.judged < trust || m.counts.changed.Load()*1000 > clean || ttl >= e.options.CacheTTL {
		return
	}
	w.s.judged = clean
	m.ttl.Store(int64(min(2*ttl, e.options.CacheTTL)))
}

// offended takes up what the request path found.
func (e *Engine) offended(ev event, now time.Time) {
	if ev.w.s.phase == watching {
		return // disabled or reset meanwhile
	}
	e.nodes.announce(ev.w)
	e.turnOff(ev.w, now, ev.why, ev.forever)
}

// turnOff ends a route's memory for a time that doubles with every time.
func (e *Engine) turnOff(w *watched, now time.Time, why string, forever bool) {
	s := &w.s
	w.memo.open.Store(false)
	w.memo.forget()
	rest := min(firstRest<<min(s.failures, 20), longestRest)
	s.failures++
	s.phase, s.since, s.until, s.forever, s.why = watching, now, now.Add(rest), forever, why
	s.plan = s.with(func(p *plan) { p.mode, p.trial, p.slots = watching, nil, nil })
	text := fmt.Sprintf("memory: off for %v: %s", rest, why)
	if forever {
		text = "memory: off until the program starts again: " + why
	}
	e.note(now, w.name, text)
}
