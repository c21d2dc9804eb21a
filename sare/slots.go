package sare

import (
	"fmt"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Hot routes. The router finds a static path in one step and the memory finds an answer by the inputs that the handler
// reads. Where those come from the path alone, the hottest paths may get slots: a table from the path to the answer,
// which spares the walk. That holds for routes with one parameter: with two, "/1%2F2/3" and "/1/2/3" are one path. It is an adaptation like any other: tried against the walk on live traffic, and undone if it
// does not pay.

const (
	slotsAfter = 5 * time.Minute // of being remembered
	slotsRest  = time.Hour
)

type slotPlan struct {
	trial *trial
	paths map[string]*leaf
}

var pathInput = ishaa.Input{Kind: ishaa.InputPath}

// find looks a request up by its path. A slot serves only what the walk would have led to.
func (p *slotPlan) find(e *Engine, r *ishaa.Request) *leaf {
	if p.trial != nil && !p.trial.assign(r, slotArm, e.options.lot()) {
		return nil
	}
	path, _ := r.Input(pathInput)
	return p.paths[path]
}

// turnSlots moves a route's slots on.
func (e *Engine) turnSlots(w *watched, now time.Time) func() {
	s := &w.s
	if s.phase != keeping || s.plan == nil {
		return nil
	}
	if s.plan.slots == nil {
		if now.Sub(s.since) < slotsAfter || now.Before(s.slotsAt) || w.route.Host() != "" || len(w.route.Parameters()) != 1 {
			return nil
		}
		return func() { e.beginSlots(w, now) }
	}
	t := s.plan.slots.trial
	if t == nil {
		s.plan = s.with(func(p *plan) { p.slots = &slotPlan{paths: e.hottest(w)} })
		return nil
	}
	verdict, err := decidePay(t.rule(), t.state(now))
	if err != nil || verdict.Outcome == outcomeWait {
		paths := e.hottest(w)
		s.plan = s.with(func(p *plan) { p.slots = &slotPlan{trial: t, paths: paths} })
		return nil
	}
	e.decideNow(now, "sare.trial", t.subject, t.rule(), t.state(now))
	e.bandit.Reward("slots", t.gain())
	if verdict.Outcome == outcomeKeep {
		e.trials.kept++
		s.plan = s.with(func(p *plan) { p.slots = &slotPlan{paths: e.hottest(w)} })
		e.note(now, w.name, fmt.Sprintf("slots: kept, %.1f %% of the time saved: %s", 100*t.gain(), verdict.Reason))
		return nil
	}
	e.trials.undone++
	s.slotsAt = now.Add(slotsRest)
	s.plan = s.with(func(p *plan) { p.slots = nil })
	e.note(now, w.name, "slots: undone: "+verdict.Reason)
	return nil
}

func (e *Engine) beginSlots(w *watched, now time.Time) {
	s := &w.s
	paths := e.hottest(w)
	if len(paths) == 0 {
		s.slotsAt = now.Add(slotsRest)
		return
	}
	// Slow is judged anew: against what the route does while it is remembered.
	frozen, ok := freezeRecent(s.plan.trial)
	if !ok {
		return
	}
	s.plan = s.with(func(p *plan) { p.slots = &slotPlan{trial: newTrial(w.name+" slots", now, frozen), paths: paths} })
	e.trials.begun++
	e.note(now, w.name, fmt.Sprintf("slots: %d paths are on trial", len(paths)))
}

// hottest lists the answers of a route that were asked for most and whose inputs come from the path alone.
func (e *Engine) hottest(w *watched) map[string]*leaf {
	var list []*leaf
	w.memo.trie.each(func(l *leaf) {
		if entry := l.entry.Load(); entry != nil && entry.path != "" {
			list = append(list, l)
		}
	})
	slices.SortFunc(list, func(a, b *leaf) int { return int(b.hits.Load()) - int(a.hits.Load()) })
	paths := map[string]*leaf{}
	for _, l := range list[:min(len(list), e.options.HotRouteSlots)] {
		paths[l.entry.Load().path] = l
	}
	return paths
}
