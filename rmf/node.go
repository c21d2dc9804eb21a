package rmf

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// node is what one process does for the experiments: it publishes what it counted, adopts the state that nodes agree
// on, and, if it has the lease, looks at the evidence and advances. All of that in one goroutine; requests read one
// pointer. A node that cannot reach the store keeps its epoch and goes on counting. It may still roll back, for itself;
// the others hear of it when the store is back.
type node struct {
	m     *Realities
	id    string
	vault *vault

	poked  chan struct{}
	cancel context.CancelFunc
	ended  chan struct{}
	cutOff atomic.Bool
	leads  atomic.Bool

	mu      sync.Mutex // one look at a time
	reports map[string][]nodeReport
}

func newNode(m *Realities) *node {
	return &node{m: m, id: nodeID(), poked: make(chan struct{}, 1), reports: map[string][]nodeReport{}}
}

func nodeID() string {
	id, _ := (&Realities{}).newID()
	return id
}

// storePatience bounds one look's dealings with the store.
const storePatience = 5 * time.Second

// open makes the vault, without starting anything.
func (n *node) open() error {
	if n.vault != nil {
		return nil
	}
	v, err := n.m.openVault()
	n.vault = v
	return err
}

func (n *node) start(ctx context.Context) error {
	if err := n.open(); err != nil {
		return err
	}
	for _, e := range n.m.experiments {
		if err := n.begin(ctx, e); err != nil {
			return fmt.Errorf("rmf: %s: %w", e.name, err)
		}
	}
	ctx, n.cancel = context.WithCancel(context.WithoutCancel(ctx))
	n.ended = make(chan struct{})
	go n.run(ctx)
	return nil
}

// begin finds the experiment's state, or makes one, and fits it to the realities of this program.
func (n *node) begin(ctx context.Context, e *experiment) error {
	for range 100 {
		st, raw, err := n.vault.state(ctx, e.name)
		if err != nil {
			return err
		}
		now := n.m.app.Clock().Now()
		changed := true
		if st == nil {
			st = e.newState(now)
		} else {
			changed = e.fit(st, now)
		}
		if changed {
			next, done, err := n.vault.swap(ctx, raw, st, nil)
			if err != nil {
				return err
			}
			if !done {
				continue // another node was faster
			}
			raw = next
		}
		if err := n.vault.enter(ctx, raw); err != nil {
			return err
		}
		e.adopt(st, raw, now)
		return nil
	}
	return errors.New("the state changes faster than it can be read")
}

// adopt makes a state the one by which requests are divided.
func (e *experiment) adopt(st *state, raw []byte, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state, e.stateRaw = st, raw
	e.policy.Store(e.makePolicy(st, now))
}

func (n *node) stop(ctx context.Context) error {
	if n.cancel == nil {
		return nil
	}
	n.cancel()
	<-n.ended
	var failures []error
	for _, e := range n.m.experiments {
		failures = append(failures, n.publish(ctx, e))
	}
	if !n.m.lasting() {
		return nil
	}
	return errors.Join(failures...)
}

// poke asks for a look soon.
func (n *node) poke() {
	select {
	case n.poked <- struct{}{}:
	default:
	}
}

func (n *node) run(ctx context.Context) {
	defer close(n.ended)
	clock := n.m.app.Clock()
	tick := clock.After(n.m.options.Interval)
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.poked:
		case <-tick:
			tick = clock.After(n.m.options.Interval)
		}
		n.lookAtAll(ctx)
	}
}

// lookAtAll looks at every experiment. A panic in it leaves the service as it is.
func (n *node) lookAtAll(ctx context.Context) {
	defer func() {
		if cause := recover(); cause != nil {
			n.m.app.Logger().Error("realities: a look at the evidence panicked; shares stay as they are", "cause", fmt.Sprint(cause))
		}
	}()
	n.mu.Lock()
	defer n.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, storePatience)
	defer cancel()
	leads, err := n.vault.lead(ctx, n.id, n.m.app.Clock().Now(), max(5*n.m.options.Interval, time.Second))
	n.leads.Store(leads && err == nil)
	for _, e := range n.m.experiments {
		e.wake.Store(false)
		if err == nil {
			err = n.look(ctx, e, leads)
		}
		if err != nil {
			n.lookAlone(e)
		}
	}
	if ctx.Err() != nil && err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return // stopping
	}
	if was := n.cutOff.Swap(err != nil); err != nil && !was {
		n.m.app.Logger().Warn("realities: the store cannot be asked; shares stay as they are, rollbacks excepted", "error", err)
	} else if err == nil && was {
		n.m.app.Logger().Info("realities: the store answers again")
	}
}

// look publishes what was counted, reads the state and advances it.
func (n *node) look(ctx context.Context, e *experiment, leads bool) error {
	if err := n.publish(ctx, e); err != nil {
		return err
	}
	st, raw, err := n.vault.state(ctx, e.name)
	if err != nil {
		return err
	}
	now := n.m.app.Clock().Now()
	if st == nil { // somebody deleted it
		return n.begin(ctx, e)
	}
	values, err := n.vault.all(ctx, n.vault.prefix+"node/"+short(e.name)+"/")
	if err != nil {
		return err
	}
	n.reports[e.name] = n.others(values)
	if leads {
		if err := n.vault.enter(ctx, raw); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(st.Trials)) {
		next, entry, err := n.advance(e, st, name, now, leads)
		if err != nil {
			n.m.app.Logger().Error("realities: no ruling", "route", e.name, "reality", name, "error", err)
		}
		if next == nil {
			continue
		}
		newRaw, done, err := n.vault.swap(ctx, raw, next, entry)
		if done {
			st, raw = next, newRaw
			n.announce(e, name, st, entry)
		}
		if err != nil {
			return err
		}
		if !done {
			break // another node has decided; its state is read at the next look
		}
	}
	if string(raw) != string(e.stateRaw) {
		e.adopt(st, raw, now)
	}
	return nil
}

// lookAlone rolls back what this node's own counters, and the last that it heard of the others', condemn.
func (n *node) lookAlone(e *experiment) {
	now := n.m.app.Clock().Now()
	st := e.state
	for _, name := range slices.Sorted(maps.Keys(st.Trials)) {
		next, entry, err := n.advance(e, st, name, now, false)
		if err == nil && next != nil {
			st = next
			e.adopt(st, []byte("not yet shared"), now)
			n.announce(e, name, st, entry)
		}
	}
}

// advance returns the state after a ruling about a trial, nil if it stays, and what goes into the ledger, if anything.
// Without the lease only rollbacks count.
func (n *node) advance(e *experiment, st *state, name string, now time.Time, leads bool) (*state, *evidence.Entry, error) {
	t := st.Trials[name]
	i, ok := e.indexOf(name)
	if !ok || t.Stage == StageRetired || t.Stage == StagePaused || t.Stage == StageRolledBack || t.Stage == StageInconclusive {
		return nil, nil, nil
	}
	book, l := e.bookOf(i, t), n.lookAt(e, st, name, now)
	r, err := book.rule(l)
	if err != nil {
		return nil, nil, err
	}
	moves := r.To != t.Stage || r.Step != t.Step || r.Relay
	switch {
	case !leads && r.To != StageRolledBack:
		return nil, nil, nil
	case !moves && (r.Guard == nil || sameSeen(t.Seen, r.Seen)):
		return nil, nil, nil
	}
	next := e.transition(st, name, r, now)
	if !moves {
		return next, nil, nil
	}
	entry := &evidence.Entry{At: now, Kind: "rmf.ruling", Subject: e.name + " " + name}
	for _, part := range []struct {
		to    *json.RawMessage
		value any
	}{{&entry.Rule, book}, {&entry.Evidence, l}, {&entry.Outcome, r}} {
		if *part.to, err = json.Marshal(part.value); err != nil {
			return nil, nil, err
		}
	}
	return next, entry, nil
}

func sameSeen(a, b *evidence.Epoch) bool {
	return a != nil && b != nil && a.Number == b.Number && slices.Equal(a.Metrics, b.Metrics)
}

func (n *node) announce(e *experiment, name string, st *state, entry *evidence.Entry) {
	if entry == nil {
		return
	}
	t := st.Trials[name]
	n.m.app.Logger().Info("realities: "+string(t.Stage), "route", e.name, "reality", name, "share", t.Share, "stable", st.Stable, "reason", t.Reason)
}

// lookAt gathers what all nodes counted of a trial.
func (n *node) lookAt(e *experiment, st *state, name string, now time.Time) look {
	t := st.Trials[name]
	i, _ := e.indexOf(name)
	reports := append(slices.Clone(n.reports[e.name]), e.report(n.id, now))
	l := look{
		Stage: t.Stage, Step: t.Step, InStage: now.Sub(t.Entered), Total: now.Sub(t.Begun),
		Frozen: t.Frozen, Guard: t.Guard, Seen: t.Seen,
	}
	sums := map[countingKey]*epochReport{}
	for _, report := range reports {
		for _, of := range report.Epochs {
			if of.Trial != name || of.Number < t.First {
				continue
			}
			key := countingKey{name, of.Number, of.Share}
			if sums[key] == nil {
				sums[key] = &epochReport{Trial: name, Number: of.Number, Share: of.Share}
			}
			for arm := range of.Arms {
				sums[key].Arms[arm].plus(of.Arms[arm])
			}
		}
		l.AllShadow.Runs += report.Realities[name].Shadow.Runs
		l.AllShadow.Errors += report.Realities[name].Shadow.Errors
		l.AllShadow.StableErrors += report.Realities[name].Shadow.StableErrors
	}
	for _, sum := range sums {
		latencies := t.Frozen != nil && sum.Number >= t.FrozenAt
		if t.Stage == StageCanary {
			l.Epochs = append(l.Epochs, sum.epoch(unitsOf, latencies))
		}
		c, s := sum.Arms[candidateArm], sum.Arms[stableArm]
		l.Candidate.add(c)
		l.Stable.add(s)
		if sum.Number >= t.StepEpoch {
			l.Here += c.Units[0]
		}
		if t.Stage == StageGuard && sum.Number == st.Epoch {
			of := flowOf
			if t.Guard.Phase == evidence.Comparing {
				of = unitsOf
			}
			now := sum.epoch(of, t.Frozen != nil)
			l.Now = &now
		}
	}
	slices.SortFunc(l.Epochs, func(a, b evidence.Epoch) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Share, b.Share))
	})
	l.Shadow = l.AllShadow.since(t.ShadowRef)
	if t.Frozen == nil && (t.Stage == StageDraft || t.Stage == StageCanary) {
		l.Fresh = freeze(reports, t.Against)
	}
	if against, ok := e.indexOf(t.Against); ok && t.running() {
		l.Dead = e.realities[i].failures.Load() >= deadAfter && e.realities[against].failures.Load() < deadAfter/10
	}
	return l
}

func (a *armTotal) add(r armReport) {
	a.Requests += r.Flow[0]
	a.Errors += r.Flow[1]
	a.Time += r.Time
}

// freeze takes what is slow from what all nodes saw of a reality.
func freeze(reports []nodeReport, name string) *evidence.Frozen {
	all := &evidence.Snapshot{}
	for _, report := range reports {
		all.Merge(report.Realities[name].snapshot())
	}
	f, err := evidence.Freeze(all)
	if err != nil {
		return nil // too few requests so far
	}
	return &f
}

// nodeReport is what a node says of an experiment.
type nodeReport struct {
	Node      string                   `json:"node"`
	At        time.Time                `json:"at"`
	Epochs    []epochReport            `json:"epochs,omitempty"`
	Realities map[string]realityReport `json:"realities"`
}

// realityReport is what a node says of a reality.
type realityReport struct {
	Latency      []byte              `json:"latency"` // histogram
	ServerErrors uint64              `json:"serverErrors"`
	ClientErrors uint64              `json:"clientErrors"`
	Bytes        uint64              `json:"bytes"`
	Chosen       [chosenSteps]uint64 `json:"chosen"`
	Shadow       shadowCount         `json:"shadow,omitzero"`
}

func (r realityReport) snapshot() *evidence.Snapshot {
	s := &evidence.Snapshot{ServerErrors: r.ServerErrors, ClientErrors: r.ClientErrors, Bytes: r.Bytes}
	if len(r.Latency) > 0 {
		_ = s.Latency.UnmarshalBinary(r.Latency) // what was damaged counts as nothing
	}
	return s
}

// report is what this node counted of an experiment.
func (e *experiment) report(id string, now time.Time) nodeReport {
	report := nodeReport{Node: id, At: now, Realities: map[string]realityReport{}}
	e.mu.Lock()
	counted := slices.Collect(maps.Values(e.counting))
	e.mu.Unlock()
	for _, c := range counted {
		report.Epochs = append(report.Epochs, epochReport{
			Trial: c.key.trial, Number: c.key.epoch, Share: c.key.share, Arms: [2]armReport{c.arms[0].report(), c.arms[1].report()},
		})
	}
	slices.SortFunc(report.Epochs, func(a, b epochReport) int {
		return cmp.Or(cmp.Compare(a.Trial, b.Trial), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Share, b.Share))
	})
	for _, r := range e.realities {
		s := r.recorder.Snapshot()
		latency, _ := s.Latency.MarshalBinary()
		said := realityReport{Latency: latency, ServerErrors: s.ServerErrors, ClientErrors: s.ClientErrors, Bytes: s.Bytes, Shadow: r.spread.count()}
		for i := range said.Chosen {
			said.Chosen[i] = r.steps[i].Load()
		}
		report.Realities[r.name] = said
	}
	return report
}

// publish writes this node's report.
func (n *node) publish(ctx context.Context, e *experiment) error {
	text, err := json.Marshal(e.report(n.id, n.m.app.Clock().Now()))
	if err != nil {
		return err
	}
	return n.vault.kv.Set(ctx, n.vault.prefix+"node/"+short(e.name)+"/"+n.id, text, reportTTL)
}

// others reads the reports of all nodes but this one.
func (n *node) others(values [][]byte) []nodeReport {
	var list []nodeReport
	for _, value := range values {
		var report nodeReport
		if json.Unmarshal(value, &report) == nil && report.Node != n.id {
			list = append(list, report)
		}
	}
	return list
}
