package rmf

import (
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// countingKey tells counters apart. A share is part of it: windows change shares within an epoch.
type countingKey struct {
	trial string
	epoch uint64
	share float64
}

const (
	candidateArm = 0
	stableArm    = 1
)

// counting is what a node counts of a trial in an epoch. It only grows.
type counting struct {
	key                countingKey
	candidate, against int
	slow               [3]time.Duration // what counts as slow; 0 while it is not known
	arms               [2]armCounters
}

// armOf returns the arm that a reality is.
func (c *counting) armOf(index int) (arm int, ok bool) {
	switch index {
	case c.candidate:
		return candidateArm, true
	case c.against:
		return stableArm, true
	}
	return 0, false
}

// armCounters are the counters of one arm: of units, which the test is about, and of all requests.
type armCounters struct {
	assigned    atomic.Uint64
	units, flow badCounts
	time        atomic.Int64 // of all requests
	_           [64]byte     // the arms are written by different requests
}

// badCounts counts outcomes: how many, and how many of them were bad by each metric.
type badCounts struct {
	n   atomic.Uint64
	bad [4]atomic.Uint64
}

// count counts an answer and reports whether so many were bad that somebody should look.
func (a *armCounters) count(took time.Duration, failed, unit bool, slow *[3]time.Duration) (alarming bool) {
	a.time.Add(int64(took))
	a.flow.count(took, failed, slow)
	if unit {
		a.units.count(took, failed, slow)
	}
	if !failed {
		return false
	}
	n := a.flow.bad[0].Load()
	return n >= 4 && n&(n-1) == 0 || n%64 == 0
}

func (b *badCounts) count(took time.Duration, failed bool, slow *[3]time.Duration) {
	b.n.Add(1) // first, and read last: no reader sees more bad outcomes than outcomes
	if failed {
		b.bad[0].Add(1)
	}
	for i, limit := range slow {
		if limit > 0 && took > limit {
			b.bad[1+i].Add(1)
		}
	}
}

// armReport is what a node says of an arm.
type armReport struct {
	Assigned uint64        `json:"assigned"`
	Units    [5]uint64     `json:"units"` // how many, and how many bad by each metric
	Flow     [5]uint64     `json:"flow"`
	Time     time.Duration `json:"time"`
}

func (a *armCounters) report() armReport {
	r := armReport{Assigned: a.assigned.Load(), Time: time.Duration(a.time.Load())}
	for i := range 4 {
		r.Units[1+i], r.Flow[1+i] = a.units.bad[i].Load(), a.flow.bad[i].Load()
	}
	r.Units[0], r.Flow[0] = a.units.n.Load(), a.flow.n.Load()
	return r
}

func (r *armReport) plus(o armReport) {
	r.Assigned += o.Assigned
	r.Time += o.Time
	for i := range r.Units {
		r.Units[i] += o.Units[i]
		r.Flow[i] += o.Flow[i]
	}
}

// epochReport is what a node says of an epoch of a trial.
type epochReport struct {
	Trial  string       `json:"trial"`
	Number uint64       `json:"epoch"`
	Share  float64      `json:"share"`
	Arms   [2]armReport `json:"arms"`
}

// epoch makes evidence of counts. Before frozen is known only errors are evidence.
func (r *epochReport) epoch(of func(*armReport) *[5]uint64, latencies bool) evidence.Epoch {
	out := evidence.Epoch{Number: r.Number, Share: r.Share, Metrics: make([]evidence.Counts, 4)}
	c, s := of(&r.Arms[candidateArm]), of(&r.Arms[stableArm])
	for i := range out.Metrics {
		if i > 0 && !latencies {
			break
		}
		out.Metrics[i] = evidence.Counts{
			CandidateBad: c[1+i], CandidateGood: c[0] - min(c[1+i], c[0]),
			StableBad: s[1+i], StableGood: s[0] - min(s[1+i], s[0]),
		}
	}
	out.Assigned = evidence.Assigned{Candidate: r.Arms[candidateArm].Assigned, Stable: r.Arms[stableArm].Assigned}
	return out
}

func unitsOf(a *armReport) *[5]uint64 { return &a.Units }
func flowOf(a *armReport) *[5]uint64  { return &a.Flow }

// bookOf is the rulebook of a trial.
func (e *experiment) bookOf(i int, t *trial) rulebook {
	o, r := e.m.options, e.realities[i]
	b := rulebook{
		Rule: o.Rule, Auto: r.auto && !o.NoSelfRetiring, Ramp: r.ramp, Steps: len(e.stepsOf(i)),
		Shadow: r.ramp && o.ParallelSim && e.simulates(i), MinRequests: o.AutoPromoteThreshold,
		ErrorMax: o.AutoPromoteErrorMax, LatencyRatio: o.AutoPromoteLatencyRatio,
		StepRequests: o.StepRequests, StepTime: o.StepTime, BakeTime: o.BakeTime, GuardTime: o.GuardTime,
		MaxRequests: o.MaxRequests, SimRuns: o.SimRuns, Certified: t.Certified,
	}
	if r.after > 0 {
		b.MinRequests = r.after
	}
	if r.errorMax > 0 {
		b.ErrorMax = r.errorMax
	}
	if r.ratio > 0 {
		b.LatencyRatio = r.ratio
	}
	return b
}
