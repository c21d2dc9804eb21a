package rmf

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// experiment is a route with its realities.
type experiment struct {
	m         *Realities
	name      string // "GET /recommend", as the route prints itself
	route     *ishaa.Route
	realities []*reality
	home      int     // the reality that the program names stable; -1 where all have windows
	left      float64 // the share of each that has no percentage

	policy atomic.Pointer[policy]

	mu       sync.Mutex // held while the state or the policy is replaced
	state    *state
	stateRaw []byte // as the vault has it
	counting map[countingKey]*counting
	counted  seen
	wake     atomic.Bool // bad answers came: look soon
}

// reality is one variant of a route.
type reality struct {
	*config
	route  *ishaa.Route
	window *window
	spread *strain  // what its simulations showed
	ignore []string // with what the output type's tags say

	steps    [chosenSteps]atomic.Uint64 // requests by how they were chosen
	recorder evidence.Recorder
	failures atomic.Uint64 // 5xx in a row, of those that the lot chose
}

// newExperiment reads and checks what was registered for a route.
func newExperiment(m *Realities, route *ishaa.Route) (*experiment, error) {
	e := &experiment{m: m, name: route.String(), route: route, home: -1, counting: map[countingKey]*counting{}}
	routes := route.Variants()
	if routes == nil {
		routes = []*ishaa.Route{route}
	}
	for _, rt := range routes {
		c, ok := described.Of(rt)
		if !ok {
			return nil, fmt.Errorf("%s: %s is a variant of the group %q but no rmf.Reality; use that", rt.Source(), rt, variantGroup)
		}
		r := &reality{config: c, route: rt, spread: newStrain()}
		if c.windowText != "" {
			zone := m.options.TimeZone
			if c.zone != "" {
				zone, _ = time.LoadLocation(c.zone) // In has tried it
			}
			w, err := parseWindow(c.windowText, zone)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", rt.Source(), err)
			}
			r.window = w
		}
		r.ignore = append(slices.Clone(c.ignore), ignoredByType(rt.Output())...)
		e.realities = append(e.realities, r)
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	e.shareLeft()
	return e, nil
}

func (e *experiment) check() error {
	first := e.realities[0].route
	total := 0.0
	for _, r := range e.realities {
		if r.route.Input() != first.Input() || r.route.Output() != first.Output() {
			return fmt.Errorf("%s: the reality %q takes %s and gives %s, but %q at %s takes %s and gives %s; realities of one route agree on both",
				r.route.Source(), r.name, typeText(r.route.Input()), typeText(r.route.Output()),
				e.realities[0].name, first.Source(), typeText(first.Input()), typeText(first.Output()))
		}
		if !math.IsNaN(r.share) {
			total += r.share
		}
	}
	if total > 1+1e-9 {
		return fmt.Errorf("%s: the shares of %s add up to %.4g %%; they may not exceed 100", first.Source(), e.name, 100*total)
	}
	e.home = slices.IndexFunc(e.realities, func(r *reality) bool { return r.name == "stable" })
	plain := func(r *reality) bool { return r.window == nil && !r.candidate() }
	for _, fits := range []func(*reality) bool{
		func(r *reality) bool { return plain(r) && math.IsNaN(r.share) },
		plain,
		func(r *reality) bool { return r.window == nil },
	} {
		if e.home < 0 {
			e.home = slices.IndexFunc(e.realities, fits)
		}
	}
	if e.home >= 0 {
		if r := e.realities[e.home]; r.candidate() {
			return fmt.Errorf("%s: the reality %q is what the others are compared with, so it cannot be promoted; name another one \"stable\"", r.route.Source(), r.name)
		}
	}
	if e.home < 0 {
		e.m.app.Logger().Warn("realities: outside their windows the route answers 404", "route", e.name, "source", first.Source())
		for _, r := range e.realities {
			if r.candidate() || !math.IsNaN(r.share) {
				return fmt.Errorf("%s: the reality %q has a share or is to be promoted, but all realities of %s have windows; register one without, to be compared with", r.route.Source(), r.name, e.name)
			}
		}
	}
	return nil
}

func typeText(t reflect.Type) string {
	if t == nil {
		return "anything"
	}
	return t.String()
}

// shareLeft divides what percentages leave among those without one: windows of their own excepted, which take all or
// nothing, and ramps, which say where they end.
func (e *experiment) shareLeft() {
	left, heads := 1.0, 0
	for i, r := range e.realities {
		switch {
		case i == e.home:
			heads++
		case !math.IsNaN(r.share):
			left -= r.share
		case r.window == nil && !r.ramp:
			heads++
		}
	}
	e.left = math.Floor(max(left, 0)/float64(max(heads, 1))*Buckets+1e-6) / Buckets
}

// ceiling is the largest share that the lot gives to a candidate.
func (e *experiment) ceiling(i int) float64 {
	r := e.realities[i]
	switch {
	case i == e.home || r.byWindow():
		return 0
	case !math.IsNaN(r.share):
		return r.share
	case r.ramp:
		return .5
	}
	return e.left
}

// byWindow reports a reality that takes everything while its window is open.
func (r *reality) byWindow() bool { return r.window != nil && math.IsNaN(r.share) && !r.candidate() }

func (e *experiment) indexOf(name string) (int, bool) {
	i := slices.IndexFunc(e.realities, func(r *reality) bool { return r.name == name })
	return i, i >= 0
}

func (e *experiment) unknown(name string) error {
	var known []string
	for _, r := range e.realities {
		known = append(known, r.name)
	}
	return fmt.Errorf("rmf: %s has no reality %q; it has %s", e.name, name, strings.Join(known, ", "))
}

// policy is how requests are divided now. It never changes; another one takes its place.
type policy struct {
	drawing uint64
	epoch   uint64
	mark    string // of sticky cookies: drawing and epoch
	salt    string
	lot     uint64
	until   int64 // Unix nanoseconds at which windows are looked at again; 0 never
	regions []region
	rest    int    // whom the regions leave; -1 is nobody
	active  []bool // by index
	names   []string
	forced  int // by a window that is open; -1
	trials  []*counting
}

// region is the part of the buckets below end, from where the region before ended.
type region struct {
	end   int
	index int
}

// choose returns the reality of a bucket.
func (p *policy) choose(bucket int) int {
	for i := range p.regions {
		if bucket < p.regions[i].end {
			return p.regions[i].index
		}
	}
	return p.rest
}

// makePolicy lays a state out over the buckets. Candidates own the beginning of a region each, as long as their share;
// what they do not own is the present stable's. So a share that grows moves nobody out, and one candidate's share never
// changes who is in another's. The stable of before, while its successor is guarded, owns the end.
func (e *experiment) makePolicy(st *state, now time.Time) *policy {
	p := &policy{drawing: st.Drawing, epoch: st.Epoch, forced: -1, rest: -1, active: make([]bool, len(e.realities))}
	p.mark = fmt.Sprintf("%d.%d", st.Drawing, st.Epoch)
	p.salt, p.lot = lotOf(e.name, st.Drawing)
	stable, hasStable := e.indexOf(st.Stable)
	start, owned := 0, 0
	for i, r := range e.realities {
		p.active[i] = r.window == nil || r.window.active(now)
		ceiling := int(math.Round(e.ceiling(i) * Buckets))
		if size := int(math.Round(st.shareOf(r.name) * Buckets)); p.active[i] && size > 0 && !(hasStable && i == stable) {
			if size = min(size, ceiling); start > p.end() {
				p.regions = append(p.regions, region{start, -2})
			}
			p.regions = append(p.regions, region{start + size, i})
			owned += size
		}
		start += ceiling
		if r.window != nil {
			p.until = now.Truncate(time.Second).Add(time.Second).UnixNano()
		}
		if p.active[i] && r.byWindow() && (p.forced < 0 || r.priority > e.realities[p.forced].priority) {
			p.forced = i
		}
	}
	if hasStable && p.active[stable] {
		p.rest = stable
	}
	if old, size := e.guarded(st, Buckets-owned); size > 0 {
		if cut := Buckets - size; cut >= p.end() {
			p.regions = append(p.regions, region{cut, -2}, region{Buckets, old})
		}
	}
	if p.rest < 0 { // stable is asleep: whoever is awake and matters most
		for i, r := range e.realities {
			if p.active[i] && !r.candidate() && (p.rest < 0 || r.priority > e.realities[p.rest].priority) {
				p.rest = i
			}
		}
	}
	for i := range p.regions {
		if p.regions[i].index == -2 {
			p.regions[i].index = p.rest
		}
	}
	for i, r := range e.realities {
		if p.active[i] && st.serves(r.name) {
			p.names = append(p.names, r.name)
		}
	}
	e.count(p, st)
	return p
}

func (p *policy) end() int {
	if len(p.regions) == 0 {
		return 0
	}
	return p.regions[len(p.regions)-1].end
}

// guarded returns the stable of before and its part of the buckets that candidates leave, while its successor is guarded.
func (e *experiment) guarded(st *state, free int) (index, size int) {
	t := st.Trials[st.Stable]
	if t == nil || t.Stage != StageGuard {
		return -1, 0
	}
	old, ok := e.indexOf(t.Against)
	if !ok {
		return -1, 0
	}
	return old, int(math.Round((1 - t.guardShare()) * float64(free)))
}

// count finds the counters for each trial whose arms both get traffic by the lot.
func (e *experiment) count(p *policy, st *state) {
	sizes := make([]int, len(e.realities))
	begin := 0
	for _, g := range p.regions {
		if g.index >= 0 {
			sizes[g.index] += g.end - begin
		}
		begin = g.end
	}
	if p.rest >= 0 {
		sizes[p.rest] += Buckets - begin
	}
	for name, t := range st.Trials {
		i, ok := e.indexOf(name)
		against, known := e.indexOf(t.Against)
		if !ok || !known || !t.running() || sizes[i] == 0 || sizes[against] == 0 {
			continue
		}
		key := countingKey{name, st.Epoch, float64(sizes[i]) / float64(sizes[i]+sizes[against])}
		if t.Stage == StageGuard && t.Guard.Phase == evidence.Comparing {
			key.share = .5 // within a bucket
		}
		c := e.counting[key]
		if c == nil {
			c = &counting{key: key, candidate: i, against: against}
			if t.Frozen != nil {
				c.slow = [3]time.Duration{t.Frozen.Q50, t.Frozen.Q95, t.Frozen.Q99}
			}
			e.counting[key] = c
		}
		p.trials = append(p.trials, c)
	}
}

// current returns the policy of now.
func (e *experiment) current(now func() time.Time) *policy {
	p := e.policy.Load()
	if p.until == 0 {
		return p
	}
	if t := now(); t.UnixNano() >= p.until {
		return e.renew(t)
	}
	return p
}

// renew looks at the windows again.
func (e *experiment) renew(now time.Time) *policy {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.policy.Load(); p.until == 0 || now.UnixNano() < p.until {
		return p
	}
	p := e.makePolicy(e.state, now)
	e.policy.Store(p)
	return p
}
