package sare

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// The fourth gate: it pays or is undone. Whether a request goes with the adaptation or without is drawn by lot; what is
// measured is the whole request, as the observers are told of it, so that nothing an adaptation costs elsewhere is left
// out. What counts as slow was fixed before. The adaptation stays if fewer of its requests are above the route's former
// median, and it goes on harm, and when 100,000 requests have shown nothing.

// arm is one side of a trial.
type arm struct {
	recorder evidence.Recorder
	given    atomic.Uint64 // by the lot
}

// trial is an adaptation of a route while it is compared with its absence.
type trial struct {
	subject   string
	began     time.Time
	frozen    evidence.Frozen
	offBelow  uint32 // lots up to here go without
	measured  uint32 // lots up to here are counted; those beyond go with it, uncounted
	candidate arm
	stable    arm
	shared    string      // its name among the nodes, or ""
	verdict   *payVerdict // that another node reached
}

// Two adaptations of one request may be on trial at once.
var (
	memoArm  = ishaa.NewKey[*arm]("sare memo arm")
	orderArm = ishaa.NewKey[*arm]("sare order arm")
	slotArm  = ishaa.NewKey[*arm]("sare slot arm")
)

const (
	futileAfter  = 100_000
	decideAfter  = 200 // requests with the adaptation
	holdbackOff  = .01 // of the requests to a route that is remembered go without
	holdbackWith = .02 // and so many are counted with it
)

func lotOf(share float64) uint32 { return uint32(share * (1 << 32)) }

// newTrial puts half of the requests to each side.
func newTrial(subject string, now time.Time, frozen evidence.Frozen) *trial {
	return &trial{subject: subject, began: now, frozen: frozen, offBelow: lotOf(.5), measured: 1<<32 - 1}
}

// newHoldback leaves one in a hundred requests without.
func newHoldback(subject string, now time.Time, frozen evidence.Frozen) *trial {
	return &trial{subject: subject, began: now, frozen: frozen, offBelow: lotOf(holdbackOff), measured: lotOf(holdbackOff + holdbackWith)}
}

// assign says whether a request goes with the adaptation, and notes whose it is.
func (t *trial) assign(r *ishaa.Request, key *ishaa.Key[*arm], lot uint32) (with bool) {
	switch {
	case lot < t.offBelow:
		t.stable.given.Add(1)
		key.Set(r, &t.stable)
		return false
	case lot <= t.measured:
		t.candidate.given.Add(1)
		key.Set(r, &t.candidate)
	}
	return true
}

// freeze fixes what is slow. Latencies may all lie in one bucket of the histogram, of which the median's threshold is the
// upper edge, so that nothing would be above it: then it is the lower one.
func freeze(stable *evidence.Snapshot) (evidence.Frozen, error) {
	f, err := evidence.Freeze(stable)
	if err != nil {
		return f, err
	}
	low := 2*stable.Latency.Quantile(.5) - f.Q50 // Quantile is the middle of the bucket
	above := float64(stable.Latency.Above(low)) / float64(stable.Requests())
	if low > 0 && f.Slower[0] < .25 {
		f.Q50, f.Slower[0] = low, above
	}
	return f, nil
}

// freezeRecent fixes what slow is by what the requests with an adaptation did while it was kept.
func freezeRecent(t *trial) (evidence.Frozen, bool) {
	if t == nil {
		return evidence.Frozen{}, false
	}
	frozen, err := freeze(t.candidate.recorder.Snapshot())
	return frozen, err == nil
}

// share is the candidate's part of what is counted.
func (t *trial) share() float64 {
	all := float64(t.measured) + 1
	return (all - float64(t.offBelow)) / all
}

// state is what the trial has counted.
func (t *trial) state(now time.Time) evidence.State {
	return evidence.State{Elapsed: now.Sub(t.began), Epochs: []evidence.Epoch{t.epoch()}}
}

func (t *trial) epoch() evidence.Epoch {
	c, s := t.candidate.recorder.Snapshot(), t.stable.recorder.Snapshot()
	return evidence.Epoch{
		Number: 1, Share: t.share(),
		Assigned: evidence.Assigned{Candidate: t.candidate.given.Load(), Stable: t.stable.given.Load()},
		Metrics:  t.frozen.Count(c, s),
	}
}

// gain is the share of the time that the adaptation saves, negative if it costs time.
func (t *trial) gain() float64 {
	c, s := t.candidate.recorder.Snapshot(), t.stable.recorder.Snapshot()
	if c.Requests() == 0 || s.Latency.Mean() <= 0 {
		return 0
	}
	return 1 - float64(c.Latency.Mean())/float64(s.Latency.Mean())
}

// payRule is when an adaptation stays.
type payRule struct {
	Pays evidence.Rule `json:"pays"` // on the median alone, with no margin: it has to be better
	Harm evidence.Rule `json:"harm"` // on errors and the slow ends
}

// payVerdict is what a trial came to, in one word and by both tests.
type payVerdict struct {
	Outcome string           `json:"outcome"` // keep, undo or wait
	Reason  string           `json:"reason"`
	Pays    evidence.Verdict `json:"pays"`
	Harm    evidence.Verdict `json:"harm"`
}

const (
	outcomeKeep = "keep"
	outcomeUndo = "undo"
	outcomeWait = "wait"
)

func (t *trial) rule() payRule {
	m := t.frozen.Metrics() // errors, above q50, q95, q99
	pays := m[1]
	pays.Margin = 0
	return payRule{
		Pays: evidence.Rule{Metrics: []evidence.Metric{pays}, MinRequests: decideAfter, MaxRequests: futileAfter},
		Harm: evidence.Rule{Metrics: []evidence.Metric{m[0], m[2], m[3]}},
	}
}

// decidePay is a function of a rule and counters alone. The epochs count errors, above q50, above q95 and above q99.
func decidePay(rule payRule, s evidence.State) (payVerdict, error) {
	pick := func(metrics ...int) evidence.State {
		out := evidence.State{Elapsed: s.Elapsed}
		for _, e := range s.Epochs {
			if len(e.Metrics) == 4 {
				some := e
				some.Metrics = nil
				for _, i := range metrics {
					some.Metrics = append(some.Metrics, e.Metrics[i])
				}
				e = some
			}
			out.Epochs = append(out.Epochs, e)
		}
		return out
	}
	v := payVerdict{Outcome: outcomeWait}
	var err error
	if v.Harm, err = rule.Harm.Decide(pick(0, 2, 3)); err != nil {
		return v, err
	}
	if v.Pays, err = rule.Pays.Decide(pick(1)); err != nil {
		return v, err
	}
	switch {
	case v.Harm.Outcome == evidence.Rollback || v.Harm.Outcome == evidence.Invalid:
		v.Outcome, v.Reason = outcomeUndo, v.Harm.Reason
	case v.Pays.Outcome == evidence.Promote:
		v.Outcome = outcomeKeep
		v.Reason = fmt.Sprintf("%.1f %% of its requests are above the former median, of those without it %.1f %%",
			100*v.Pays.Metrics[0].Candidate, 100*v.Pays.Metrics[0].Stable)
	case slices.Contains([]evidence.Outcome{evidence.Rollback, evidence.Futile, evidence.Invalid}, v.Pays.Outcome):
		v.Outcome, v.Reason = outcomeUndo, v.Pays.Reason
	default:
		v.Reason = v.Pays.Reason
	}
	return v, nil
}

// guardWindow is what a holdback counted since the last look, for the watch over what was kept.
type guardWindow struct {
	candidate, stable *evidence.Snapshot
	given             [2]uint64
}

func (t *trial) window(last *guardWindow) evidence.Epoch {
	c, s := t.candidate.recorder.Snapshot(), t.stable.recorder.Snapshot()
	given := [2]uint64{t.candidate.given.Load(), t.stable.given.Load()}
	dc, ds := c, s
	if last.candidate != nil {
		dc, ds = c.Since(last.candidate), s.Since(last.stable)
	}
	e := evidence.Epoch{
		Number: 1, Share: t.share(),
		Assigned: evidence.Assigned{Candidate: given[0] - last.given[0], Stable: given[1] - last.given[1]},
		Metrics:  t.frozen.Count(dc, ds),
	}
	last.candidate, last.stable, last.given = c, s, given
	return e
}
