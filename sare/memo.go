package sare

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
)

// memo is what is remembered of one route. The request path uses it under a plan; what it counts, the owner reads.
type memo struct {
	e        *Engine
	w        *watched
	vary     []string
	declared bool // by sare.Vary

	open atomic.Bool // false stops it at once, before the owner has made a new policy
	trie trie
	ttl  atomic.Int64 // nanoseconds

	comparing   atomic.Bool
	compareFrom atomic.Int64 // when the next comparison may begin, nanoseconds since 1970

	flights flights
	counts  memoCounts

	mu      sync.Mutex
	refused map[string]uint64 // why answers were not kept
}

// memoCounts are what the gates judge by. They begin anew with every phase but for hits and misses.
type memoCounts struct {
	traced, kept     atomic.Uint64 // handlers watched; answers that could be kept
	clean            atomic.Uint64 // answers from memory, or that would have been, that were as the handler's
	shadows          atomic.Uint64 // of those, made again in shadow, where it showed that nothing else happens
	renewed, changed atomic.Uint64 // answers made anew when their time was up: as before, and not
	failed           atomic.Uint64 // comparisons that came to nothing, since the handler failed
	conflicts        atomic.Uint64 // keepings that found the handler reading otherwise than before
	sampled          atomic.Uint64 // hits since the phase began
	hits, misses     atomic.Uint64
	stale, waited    atomic.Uint64
}

func (c *memoCounts) beginPhase() {
	for _, n := range []*atomic.Uint64{&c.traced, &c.kept, &c.clean, &c.shadows, &c.renewed, &c.changed, &c.failed, &c.conflicts, &c.sampled} {
		n.Store(0)
	}
}

// How often hits are compared: one in 32 at first, one in 256 for as long as the route is remembered.
const (
	closely     = 4096 // hits
	oneInFirst  = 32
	oneIn       = 256
	shadowEvery = 8 // of the comparisons before the trial, one in 8 is made in shadow as well
)

// handle answers a request to a route that is being proven, tried or remembered.
func (m *memo) handle(r *ishaa.Request, p *plan, next ishaa.Handler) (any, error) {
	want := asks(r)
	if want == askNothing || !m.open.Load() {
		return next(r)
	}
	if p.mode == proving {
		if m.e.options.lot() > p.traceBelow {
			return next(r)
		}
		return m.prove(r, next)
	}
	on := true
	if t := p.trial; t != nil {
		on = t.assign(r, memoArm, m.e.options.lot())
	}
	if !on {
		return next(r)
	}
	if want == askFresh {
		value, _, err := m.compute(r, next, nil)
		return value, err
	}
	return m.serve(r, p, next)
}

// serve answers from memory, waits for another's answer, or makes one.
func (m *memo) serve(r *ishaa.Request, p *plan, next ishaa.Handler) (any, error) {
	if p.slots != nil {
		if l := p.slots.find(m.e, r); l != nil && !l.gone.Load() {
			if value := m.hit(r, l, next, true); value != nil {
				return value, nil
			}
		}
	}
	for try := range 4 {
		found, missed, ok := m.trie.find(r)
		if !ok {
			break
		}
		if found != nil {
			if value := m.hit(r, found, next, try == 0); value != nil {
				return value, nil
			}
		}
		f, first, alone := m.flights.join(missed, m.e.app.Clock().Now())
		switch {
		case alone:
			value, _, err := m.compute(r, next, nil)
			return value, err
		case first:
			if found, _, _ := m.trie.find(r); found != nil { // another flight may have landed since
				if value := m.hit(r, found, next, false); value != nil {
					m.flights.land(missed, f, true, true, m.e.app.Clock().Now())
					return value, nil
				}
			}
			return m.lead(r, next, missed, f)
		}
		m.counts.waited.Add(1)
		if !f.wait(r, m.e.app.Clock()) {
			return next(r)
		}
	}
	m.counts.misses.Add(1)
	return next(r)
}

// hit answers with a leaf's entry, unless its time is up or a table it depends on was written. Some hits are compared,
// but not those that have just waited for the answer: with those of a thousand the handler would run a hundred times.
func (m *memo) hit(r *ishaa.Request, l *leaf, next ishaa.Handler, compare bool) any {
	e := l.entry.Load()
	now := m.e.app.Clock().Now()
	if !now.Before(m.e.nodes.limit(e.hard, e)) || !unchanged(&m.e.far, e.tables) {
		return nil
	}
	if now.After(e.soft) {
		if !now.Before(e.fresh) {
			m.counts.stale.Add(1)
		}
		m.refresh(r, l, next)
	}
	if !l.used.Load() {
		l.used.Store(true)
	}
	l.hits.Add(1)
	m.counts.hits.Add(1)
	every := uint32(oneIn)
	if m.counts.sampled.Add(1) <= closely {
		every = oneInFirst
	}
	if compare && m.e.options.lot()%every == 0 {
		m.compareAgain(r, e, next, pauseKept)
	}
	r.MarkCached()
	return e.answer
}

// lead runs the handler for all who miss at the same place at this time.
func (m *memo) lead(r *ishaa.Request, next ishaa.Handler, at place, f *flight) (value any, err error) {
	again, finished := false, false
	defer func() { m.flights.land(at, f, again, finished, m.e.app.Clock().Now()) }()
	value, again, err = m.compute(r, next, nil)
	finished = true
	return value, err
}

// compute runs the handler under watch and keeps its answer if that may be: storable says so also where a write came
// in between.
func (m *memo) compute(r *ishaa.Request, next ishaa.Handler, before *entry) (value any, storable bool, err error) {
	m.counts.misses.Add(1)
	out, value, err := m.watch(r, next)
	if out == nil {
		return value, false, err
	}
	if before != nil && out.comparable(before, &m.e.far) {
		m.renewal(before, out)
	}
	m.keep(out)
	return value, out.entry != nil, err
}

// made is what came of running a handler under watch.
type made struct {
	epoch  uint64
	trace  *trace
	answer *ishaa.Rendered
	header http.Header
	entry  *entry // nil where it is not to be kept
}

// watch runs the handler and looks at what it reads. It gives nil for an answer that is not in memory, and for an error.
func (m *memo) watch(r *ishaa.Request, next ishaa.Handler) (*made, any, error) {
	_, epoch := m.trie.state()
	t := &trace{}
	r.SetContext(effect.WithReads(r.Context(), func(source, name string) { t.dependsOn(&m.e.far, source, name) }))
	r.Trace(t.read)
	answer, value, err := r.Capture(next)
	r.Trace(nil)
	t.end()
	m.counts.traced.Add(1)
	if errors.Is(err, ishaa.ErrStreamed) {
		m.refuse("it is streamed")
		return nil, value, nil
	}
	if err != nil {
		m.refuse("the handler gives an error")
		return nil, value, err
	}
	out := &made{epoch: epoch, trace: t, answer: answer, header: answer.Header()}
	now := m.e.app.Clock().Now()
	ttl := time.Duration(m.ttl.Load())
	fresh, strict, reason := lifetime(answer, out.header, now, ttl)
	switch {
	case reason != "":
	case r.Outcome().Cached, r.Failure() != nil:
		reason = "somebody else answered"
	default:
		reason = t.key(r, out.header, m.vary, m.declared)
	}
	if reason != "" {
		m.refuse(reason)
		return out, value, nil
	}
	e := &entry{answer: answer, header: out.header, tables: t.tables, inputs: t.inputs, stored: now, fresh: now.Add(fresh)}
	// Made anew in the last fifth of its time, at a moment of its own, so that answers that were made together are not
	// made anew together.
	e.soft = now.Add(fresh*4/5 + time.Duration(m.e.options.lot()%1024)*(fresh/5)/1024)
	e.hard = e.fresh
	if !strict {
		e.hard = now.Add(min(2*fresh, m.e.options.CacheTTL))
		if e.hard.Before(e.fresh) {
			e.hard = e.fresh
		}
	}
	if !slices.ContainsFunc(t.inputs, func(in ishaa.Input) bool { return in.Kind != ishaa.InputParam && in.Kind != ishaa.InputPath }) {
		e.path, _ = r.Input(pathInput)
	}
	out.entry = e
	return out, value, nil
}

// keep puts what was made into the trie, unless a table was written since it was read.
func (m *memo) keep(out *made) *leaf {
	if out.entry == nil || !m.open.Load() || !unchanged(&m.e.far, out.entry.tables) {
		return nil
	}
	if leaves, _ := m.trie.state(); leaves >= maxLeaves {
		m.refuse("4,096 answers of the route are kept already")
		return nil
	}
	m.counts.kept.Add(1)
	l, gone := m.trie.keep(m, out.epoch, out.entry.inputs, out.trace.values, out.entry)
	if len(gone) > 0 {
		m.counts.conflicts.Add(1)
		m.e.shelf.drop(gone)
	}
	if l == nil {
		return nil
	}
	for _, victim := range m.e.shelf.put(l, entrySize(out.entry)) {
		victim.memo.trie.remove(victim)
	}
	return l
}

// entrySize is about how much memory an answer takes.
func entrySize(e *entry) int64 {
	n := 512 + len(e.answer.Bytes()) + 64*len(e.inputs) + 64*len(e.tables)
	for name, values := range e.header {
		n += 64 + len(name)
		for _, value := range values {
			n += 16 + len(value)
		}
	}
	return int64(n)
}

// comparable reports whether an older answer, to the same request, must be equal: nothing that it depends on was written.
func (out *made) comparable(before *entry, far *farWrites) bool {
	return unchanged(far, before.tables) && unchanged(far, out.trace.tables)
}

// as reports whether the handler answered as before.
func (out *made) as(before *entry) bool {
	return out.entry != nil && sameAnswer(out.answer, out.header, before)
}

func sameAnswer(answer *ishaa.Rendered, header http.Header, before *entry) bool {
	return answer.Status() == before.answer.Status() && string(answer.Bytes()) == string(before.answer.Bytes()) &&
		maps.EqualFunc(header, before.header, slices.Equal)
}

// prove runs the handler, as would be done without the engine, and looks whether memory would have given the same.
func (m *memo) prove(r *ishaa.Request, next ishaa.Handler) (any, error) {
	found, _, _ := m.trie.find(r)
	var before *entry
	if found != nil {
		if e := found.entry.Load(); m.e.app.Clock().Now().Before(e.fresh) {
			before = e
		}
	}
	out, value, err := m.watch(r, next)
	if out == nil {
		if before != nil && err != nil {
			if isServerError(err) {
				m.counts.failed.Add(1)
			} else if unchanged(&m.e.far, before.tables) {
				m.offend("the handler refuses a request that it had answered", false)
			}
		}
		return value, err
	}
	if before != nil && out.comparable(before, &m.e.far) {
		if !out.as(before) {
			m.offend(difference(out, before), false)
			return value, nil
		}
		if m.counts.clean.Add(1)%shadowEvery == 1 {
			m.compareAgain(r, before, next, pauseProving)
		}
	}
	m.keep(out)
	return value, nil
}

// difference says in words how an answer differs from the one before it.
func difference(out *made, before *entry) string {
	switch {
	case out.trace.refuse != "":
		return "to the same request, " + out.trace.refuse + ", which it did not do before"
	case out.answer.Status() != before.answer.Status():
		return "the same request got another status"
	case string(out.answer.Bytes()) != string(before.answer.Bytes()):
		return "the same request got another body"
	}
	return "the same request got other headers"
}

func isServerError(err error) bool {
	var known interface{ HTTPStatus() int }
	return !errors.As(err, &known) || known.HTTPStatus() >= 500
}

// renewal counts what became of an answer whose time was up. One in a thousand may have changed; more, and it is not worth
// its age.
func (m *memo) renewal(before *entry, out *made) {
	if out.as(before) {
		m.counts.renewed.Add(1)
		return
	}
	changed := m.counts.changed.Add(1)
	if changed*1000 > m.counts.renewed.Load()+m.counts.clean.Load() {
		m.offend("answers change while they are kept, and no write that the engine could see says so", false)
	}
}

func (m *memo) refuse(reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.refused[reason]; !known && len(m.refused) >= 32 {
		reason = "other reasons"
	}
	if m.refused == nil {
		m.refused = map[string]uint64{}
	}
	m.refused[reason]++
}

// refusals returns why answers were not kept, the most frequent reason first.
func (m *memo) refusals() (list []Count) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for reason, n := range m.refused {
		list = append(list, Count{reason, n})
	}
	slices.SortFunc(list, func(a, b Count) int {
		if a.Times != b.Times {
			return int(b.Times) - int(a.Times)
		}
		if a.What < b.What {
			return -1
		}
		return 1
	})
	return list
}

// offend ends the route's memory at once: no answer is given from it any more. The owner is told.
func (m *memo) offend(why string, forever bool) {
	if m.open.CompareAndSwap(true, false) {
		m.forget()
		m.e.tell(event{w: m.w, why: why, forever: forever})
	}
}

func (m *memo) forget() {
	m.trie.forget()
	m.e.shelf.dropAll(m)
}
