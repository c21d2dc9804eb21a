package rmf

import (
	"fmt"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Stage is where a candidate stands:
//
//	draft → shadow → canary (a ramp has steps) → guard → retired, and paused, rolled back, inconclusive
type Stage string

const (
	StageDraft        Stage = "draft"        // a ramp waits until it is known what is slow for stable
	StageShadow       Stage = "shadow"       // it is simulated; nobody is served by it
	StageCanary       Stage = "canary"       // it has its share
	StageGuard        Stage = "guard"        // it is the new stable, and the old one keeps 5 % to compare with
	StageRetired      Stage = "retired"      // it is stable, and the one before it is retired
	StagePaused       Stage = "paused"       // by a person, or because the arms did not get their shares
	StageRolledBack   Stage = "rolled back"  // it was worse
	StageInconclusive Stage = "inconclusive" // so many requests passed without an answer that it was undone
)

// state is all that nodes agree on about an experiment. It changes by compare-and-swap, one version at a time.
type state struct {
	Experiment string            `json:"experiment"`
	Version    uint64            `json:"version"`
	Epoch      uint64            `json:"epoch"`   // counts layouts: in each, the shares are constant
	Drawing    uint64            `json:"drawing"` // counts lots: in each, everybody's bucket is constant
	Stable     string            `json:"stable"`
	Retired    []string          `json:"retired,omitempty"` // stables of before, which serve nobody
	Trials     map[string]*trial `json:"trials"`
}

// trial is the state of a candidate.
type trial struct {
	Terms     string              `json:"terms"` // of the reality, see config.terms
	Against   string              `json:"against"`
	Stage     Stage               `json:"stage"`
	Paused    Stage               `json:"paused,omitempty"` // the stage to go on with
	Step      int                 `json:"step"`
	Share     float64             `json:"share"` // of all traffic, in the canary
	Begun     time.Time           `json:"begun"`
	Entered   time.Time           `json:"entered"` // the stage and step
	First     uint64              `json:"first"`   // the first epoch that counts
	StepEpoch uint64              `json:"stepEpoch"`
	FrozenAt  uint64              `json:"frozenAt,omitempty"` // the first epoch whose latencies count
	Frozen    *evidence.Frozen    `json:"frozen,omitempty"`
	Guard     evidence.GuardState `json:"guard,omitzero"`
	Seen      *evidence.Epoch     `json:"seen,omitempty"` // of the guard's epoch, at the last look
	Certified []float64           `json:"certified,omitempty"`
	ShadowRef shadowCount         `json:"shadowRef,omitzero"` // what had been simulated when the shadow began
	Reason    string              `json:"reason,omitempty"`
}

// running reports a trial whose arms are compared.
func (t *trial) running() bool { return t.Stage == StageCanary || t.Stage == StageGuard }

// guardShare is the share of a promoted reality.
func (t *trial) guardShare() float64 {
	if t.Guard.Phase == evidence.Comparing {
		return .5
	}
	return .95
}

func (st *state) shareOf(name string) float64 {
	if t := st.Trials[name]; t != nil && t.Stage == StageCanary {
		return t.Share
	}
	return 0
}

// serves reports whether a reality may be chosen by other steps than a signed header.
func (st *state) serves(name string) bool {
	t := st.Trials[name]
	switch {
	case name == st.Stable:
		return true
	case slices.Contains(st.Retired, name):
		return false
	case t == nil:
		return true
	}
	return t.Stage == StageDraft || t.Stage == StageShadow || t.Stage == StageCanary
}

// clone copies what a transition may change.
func (st *state) clone() *state {
	c := *st
	c.Retired = slices.Clone(st.Retired)
	c.Trials = map[string]*trial{}
	for name, t := range st.Trials {
		copied := *t
		c.Trials[name] = &copied
	}
	return &c
}

// newState is that of an experiment that begins.
func (e *experiment) newState(now time.Time) *state {
	st := &state{Experiment: e.name, Trials: map[string]*trial{}}
	e.fit(st, now)
	return st
}

// fit makes a state one of the realities that the program has now, and reports whether it changed. Trials of realities
// that are gone are dropped, those on other terms begin anew, and a stable that is gone gives its place back.
func (e *experiment) fit(st *state, now time.Time) bool {
	before := fmt.Sprint(st.Stable, st.Retired, len(st.Trials))
	changed := false
	if _, ok := e.indexOf(st.Stable); !ok || st.Stable == "" {
		st.Stable, st.Retired = "", nil
		if e.home >= 0 {
			st.Stable = e.realities[e.home].name
		}
	}
	st.Retired = slices.DeleteFunc(st.Retired, func(name string) bool { _, ok := e.indexOf(name); return !ok })
	for name := range st.Trials {
		i, ok := e.indexOf(name)
		if !ok || i == e.home || e.realities[i].byWindow() {
			delete(st.Trials, name)
			continue
		}
		if _, known := e.indexOf(st.Trials[name].Against); !known && st.Trials[name].Stage != StageRetired {
			delete(st.Trials, name)
		}
	}
	for i, r := range e.realities {
		if i == e.home || r.byWindow() || e.home < 0 {
			continue
		}
		t := st.Trials[r.name]
		if t != nil && t.Terms == r.terms() {
			continue
		}
		changed = true
		if t != nil && st.Stable == r.name {
			// New code behind the promoted name is a new candidate, and has shown nothing yet.
			st.Stable = e.realities[e.home].name
			st.Retired = slices.DeleteFunc(st.Retired, func(name string) bool { return name == st.Stable })
		}
		st.Trials[r.name] = e.newTrial(i, st, now)
	}
	if changed = changed || before != fmt.Sprint(st.Stable, st.Retired, len(st.Trials)); changed {
		st.Epoch++
		st.Version++
		for _, t := range st.Trials {
			if t.First == 0 || t.Against != st.Stable && t.Stage == StageCanary {
				t.begin(st, now)
			}
		}
	}
	return changed
}

func (e *experiment) newTrial(i int, st *state, now time.Time) *trial {
	r := e.realities[i]
	t := &trial{Terms: r.terms(), Against: st.Stable, Stage: StageCanary, Share: e.ceiling(i), Begun: now, Entered: now}
	if r.ramp {
		t.Stage, t.Share = StageDraft, 0
	}
	return t
}

// begin has a trial count from the state's epoch on, against its stable.
func (t *trial) begin(st *state, now time.Time) {
	t.Against, t.First, t.StepEpoch = st.Stable, st.Epoch, st.Epoch
	t.Begun, t.Entered = now, now
	t.Frozen, t.FrozenAt = nil, 0
}

// transition is the state after a ruling about a reality.
func (e *experiment) transition(st *state, name string, r ruling, now time.Time) *state {
	next := st.clone()
	t := next.Trials[name]
	next.Version++
	if r.Guard != nil {
		t.Guard, t.Seen = *r.Guard, r.Seen
	}
	if r.Frozen != nil {
		t.Frozen = r.Frozen
	}
	if r.To == t.Stage && r.Step == t.Step && !r.Relay {
		return next
	}
	next.Epoch++
	if r.Frozen != nil {
		t.FrozenAt = next.Epoch
	}
	if r.Redraw {
		next.Drawing++
	}
	t.Reason = r.Reason
	if r.To != t.Stage || r.Step != t.Step {
		t.Entered, t.StepEpoch = now, next.Epoch
	}
	from := t.Stage
	t.Stage, t.Step = r.To, r.Step
	switch r.To {
	case StageCanary:
		i, _ := e.indexOf(name)
		t.Share = e.stepsOf(i)[min(r.Step, len(e.stepsOf(i))-1)]
		if from == StageDraft || from == StageShadow {
			t.Begun, t.First = now, next.Epoch
			t.FrozenAt = next.Epoch
		}
	case StageShadow:
		t.ShadowRef = r.ShadowRef
	case StagePaused:
		t.Paused = from
	case StageGuard, StageRetired:
		if from != StageGuard && from != StageRetired {
			next.Stable = name
			next.Retired = slices.DeleteFunc(next.Retired, func(n string) bool { return n == name })
			t.Certified, t.Guard, t.Seen = r.Certified, evidence.GuardState{}, nil
			next.restartOthers(name, now)
		}
		if r.To == StageRetired && !slices.Contains(next.Retired, t.Against) {
			next.Retired = append(next.Retired, t.Against)
		}
	case StageRolledBack:
		if next.Stable == name {
			next.Stable = t.Against
			next.Retired = slices.DeleteFunc(next.Retired, func(n string) bool { return n == t.Against })
			next.restartOthers(name, now)
		}
	}
	return next
}

// restartOthers has the other trials begin anew, against another stable.
func (st *state) restartOthers(but string, now time.Time) {
	for name, t := range st.Trials {
		if name != but && name != st.Stable && (t.Stage == StageCanary || t.Stage == StageDraft || t.Stage == StageShadow) {
			t.begin(st, now)
		}
	}
}

// stepsOf are the shares that a reality's canary walks through.
func (e *experiment) stepsOf(i int) []float64 {
	if e.realities[i].ramp {
		return rampSteps(e.ceiling(i))
	}
	return []float64{e.ceiling(i)}
}
