package rmf

import (
	"fmt"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// A ruling is a pure function of a rulebook and a look, both of which are written to the ledger with it: the same
// counters give the same ruling, and replaying the ledger is a test of that.

// rulebook is what was said about a trial before it began.
type rulebook struct {
	Rule         Rule          `json:"rule"`
	Auto         bool          `json:"auto"` // promote by itself
	Ramp         bool          `json:"ramp"`
	Shadow       bool          `json:"shadow"` // before the canary
	Steps        int           `json:"steps"`
	MinRequests  uint64        `json:"minRequests"`
	ErrorMax     float64       `json:"errorMax"`
	LatencyRatio float64       `json:"latencyRatio"`
	StepRequests uint64        `json:"stepRequests"`
	StepTime     time.Duration `json:"stepTime"`
	BakeTime     time.Duration `json:"bakeTime"`
	GuardTime    time.Duration `json:"guardTime"`
	MaxRequests  uint64        `json:"maxRequests"`
	SimRuns      uint64        `json:"simRuns"`
	Certified    []float64     `json:"certified,omitempty"`
}

// look is what is known about a trial at one moment.
type look struct {
	Stage     Stage               `json:"stage"`
	Step      int                 `json:"step"`
	InStage   time.Duration       `json:"inStage"` // and step
	Total     time.Duration       `json:"total"`   // since the trial began
	Epochs    []evidence.Epoch    `json:"epochs,omitempty"`
	Here      uint64              `json:"here"` // of the candidate's counted in this step
	Candidate armTotal            `json:"candidate"`
	Stable    armTotal            `json:"stable"`
	Frozen    *evidence.Frozen    `json:"frozen,omitempty"`
	Fresh     *evidence.Frozen    `json:"fresh,omitempty"` // what could be frozen now
	Dead      bool                `json:"dead,omitempty"`
	Shadow    shadowCount         `json:"shadow,omitzero"` // since the stage began
	AllShadow shadowCount         `json:"allShadow,omitzero"`
	Guard     evidence.GuardState `json:"guard,omitzero"`
	Seen      *evidence.Epoch     `json:"seen,omitempty"`
	Now       *evidence.Epoch     `json:"now,omitempty"` // the guard's epoch
}

// armTotal is what the lot gave an arm since the trial began, each request counted.
type armTotal struct {
	Requests uint64        `json:"n"`
	Errors   uint64        `json:"errors"`
	Time     time.Duration `json:"time"`
}

func (a armTotal) errorRate() float64 {
	if a.Requests == 0 {
		return 0
	}
	return float64(a.Errors) / float64(a.Requests)
}

func (a armTotal) mean() time.Duration {
	if a.Requests == 0 {
		return 0
	}
	return a.Time / time.Duration(a.Requests)
}

// shadowCount counts simulations.
type shadowCount struct {
	Runs         uint64 `json:"runs"` // of the candidate, compared
	Errors       uint64 `json:"errors"`
	StableErrors uint64 `json:"stableErrors"` // of the answers that they were compared with
}

func (s shadowCount) since(o shadowCount) shadowCount {
	return shadowCount{s.Runs - min(o.Runs, s.Runs), s.Errors - min(o.Errors, s.Errors), s.StableErrors - min(o.StableErrors, s.StableErrors)}
}

// ruling is what follows from a look.
type ruling struct {
	To        Stage                `json:"to"`
	Step      int                  `json:"step"`
	Relay     bool                 `json:"relay,omitempty"`  // the shares or what counts changed within the stage
	Redraw    bool                 `json:"redraw,omitempty"` // the lots fall anew
	Reason    string               `json:"reason,omitempty"`
	Outcome   evidence.Outcome     `json:"outcome,omitempty"`
	Verdict   *evidence.Verdict    `json:"verdict,omitempty"`
	Frozen    *evidence.Frozen     `json:"frozen,omitempty"`
	Certified []float64            `json:"certified,omitempty"`
	Guard     *evidence.GuardState `json:"guard,omitempty"`
	Seen      *evidence.Epoch      `json:"seen,omitempty"`
	ShadowRef shadowCount          `json:"shadowRef,omitzero"`
	Would     bool                 `json:"would,omitempty"` // it would be promoted if that were allowed
}

// metricsOf returns the metrics of a trial. The share of errors has a centre that was fixed before anything was seen,
// since errors count from the first request, before it is known what is slow.
func metricsOf(f *evidence.Frozen) []evidence.Metric {
	if f == nil {
		f = &evidence.Frozen{Slower: [3]float64{.5, .05, .01}}
	}
	m := f.Metrics()
	m[0].Centre = .001
	return m
}

func (b rulebook) test(f *evidence.Frozen) evidence.Rule {
	r := evidence.Rule{Metrics: metricsOf(f), MinRequests: b.MinRequests, MinTime: b.BakeTime}
	if b.Auto || b.Ramp {
		r.MaxRequests = b.MaxRequests
	}
	return r
}

// rule decides.
func (b rulebook) rule(l look) (ruling, error) {
	if l.Dead {
		return ruling{To: StageRolledBack, Reason: fmt.Sprintf("its last %d requests all failed, and stable's did not", deadAfter)}, nil
	}
	switch l.Stage {
	case StageDraft:
		if l.Fresh == nil {
			return ruling{To: StageDraft, Reason: "waiting until it is known what is slow for stable"}, nil
		}
		if b.Shadow {
			return ruling{To: StageShadow, Reason: "to be simulated first", Frozen: l.Fresh, ShadowRef: l.AllShadow}, nil
		}
		return ruling{To: StageCanary, Reason: "it is known what is slow for stable", Frozen: l.Fresh}, nil
	case StageShadow:
		return b.shadow(l), nil
	case StageCanary:
		return b.canary(l)
	case StageGuard:
		return b.guard(l)
	}
	return ruling{To: l.Stage, Step: l.Step}, nil
}

func (b rulebook) shadow(l look) ruling {
	s := l.Shadow
	switch {
	case s.Runs < b.SimRuns:
		return ruling{To: StageShadow, Reason: fmt.Sprintf("%d of %d simulations", s.Runs, b.SimRuns)}
	case float64(s.Errors) > float64(s.StableErrors)+b.ErrorMax*float64(s.Runs):
		return ruling{To: StageRolledBack, Reason: fmt.Sprintf("in the shadow %d of %d answers failed, of stable's %d", s.Errors, s.Runs, s.StableErrors)}
	case l.InStage < b.StepTime:
		return ruling{To: StageShadow, Reason: fmt.Sprintf("%v of %v in the shadow have passed", l.InStage.Round(time.Second), b.StepTime)}
	}
	return ruling{To: StageCanary, Reason: fmt.Sprintf("%d simulations, %d failed", s.Runs, s.Errors)}
}

func (b rulebook) canary(l look) (ruling, error) {
	stay := ruling{To: StageCanary, Step: l.Step}
	if b.Rule == Threshold {
		return b.threshold(l), nil
	}
	verdict, err := b.test(l.Frozen).Decide(evidence.State{Elapsed: l.Total, Epochs: l.Epochs})
	if err != nil {
		return stay, err
	}
	stay.Verdict, stay.Outcome, stay.Reason = &verdict, verdict.Outcome, verdict.Reason
	out := stay
	switch verdict.Outcome {
	case evidence.Rollback:
		out.To = StageRolledBack
		return out, nil
	case evidence.Invalid:
		out.To = StagePaused
		return out, nil
	case evidence.Futile:
		if b.Auto || b.Ramp {
			out.To = StageInconclusive
			return out, nil
		}
	}
	switch {
	case l.Frozen == nil && l.Fresh != nil:
		out.Frozen, out.Relay, out.Reason = l.Fresh, true, "it is known what is slow for stable"
		return out, nil
	case l.Step < b.Steps-1:
		if l.Here >= b.StepRequests && l.InStage >= b.StepTime {
			out.Step, out.Reason = l.Step+1, fmt.Sprintf("nothing against it in %d requests of this step", l.Here)
			return out, nil
		}
		stay.Reason = fmt.Sprintf("step %d of %d: %d of %d requests, %v of %v", l.Step+1, b.Steps, l.Here, b.StepRequests, l.InStage.Round(time.Second), b.StepTime)
		return stay, nil
	case verdict.Outcome != evidence.Promote:
		return stay, nil
	}
	if reason := b.heldBack(l); reason != "" {
		stay.Reason = reason
		return stay, nil
	}
	if !b.Auto {
		stay.Would, stay.Reason = true, "it could be promoted: "+verdict.Reason
		return stay, nil
	}
	out.To, out.Step = StageGuard, 0
	for _, m := range metricsOf(l.Frozen) {
		reading := verdict.Metrics[len(out.Certified)]
		out.Certified = append(out.Certified, max(reading.Stable, m.Centre)+m.Margin)
	}
	return out, nil
}

// heldBack names the threshold of the program's own that a candidate is beyond, or "".
func (b rulebook) heldBack(l look) string {
	if rate := l.Candidate.errorRate(); rate > b.ErrorMax {
		return fmt.Sprintf("safe, but %.4g of its requests fail, and at most %.4g may", rate, b.ErrorMax)
	}
	if c, s := l.Candidate.mean(), l.Stable.mean(); s > 0 && float64(c) > b.LatencyRatio*float64(s) {
		return fmt.Sprintf("safe, but its mean latency is %v and may be at most %.4g times stable's %v", c, b.LatencyRatio, s)
	}
	return ""
}

// threshold is the rule of the Python version.
func (b rulebook) threshold(l look) ruling {
	r := ruling{To: StageCanary, Step: l.Step}
	switch reason := b.heldBack(l); {
	case l.Step < b.Steps-1 && l.Here >= b.StepRequests && l.InStage >= b.StepTime:
		r.Step, r.Reason = l.Step+1, fmt.Sprintf("%d requests in this step", l.Here)
	case l.Step < b.Steps-1 || l.Candidate.Requests < b.MinRequests:
		r.Reason = fmt.Sprintf("%d of %d requests", l.Candidate.Requests, b.MinRequests)
	case l.Candidate.errorRate() >= b.ErrorMax || reason != "":
		r.Reason = "beyond a threshold: " + reason
	case !b.Auto:
		r.Would, r.Reason = true, "it could be promoted"
	default:
		r.To, r.Step = StageRetired, 0
		r.Reason = fmt.Sprintf("%d requests, %.4g failed, mean latency %v against %v", l.Candidate.Requests, l.Candidate.errorRate(), l.Candidate.mean(), l.Stable.mean())
	}
	return r
}

func (b rulebook) guard(l look) (ruling, error) {
	stay := ruling{To: StageGuard, Seen: l.Seen, Reason: l.Guard.Reason}
	if l.Now != nil {
		window := *l.Now
		if l.Seen != nil && l.Seen.Number == l.Now.Number {
			window = minus(*l.Now, *l.Seen)
		}
		watch := evidence.GuardRule{Metrics: metricsOf(l.Frozen), Certified: b.Certified}
		next, err := watch.Next(l.Guard, window)
		if err != nil {
			return stay, err
		}
		stay.Guard, stay.Seen = &next, l.Now
		stay.Reason = next.Reason
		before := l.Guard.Phase == evidence.Comparing
		switch after := next.Phase == evidence.Comparing; {
		case next.Phase == evidence.Convicted:
			stay.To = StageRolledBack
			return stay, nil
		case before != after:
			// The comparison has lots of its own: those who saw the alarm are not who decides it.
			stay.Relay, stay.Redraw, stay.Seen = true, after, nil
			return stay, nil
		}
	}
	if l.InStage >= b.GuardTime && (stay.Guard == nil || stay.Guard.Phase != evidence.Comparing) && l.Guard.Phase != evidence.Comparing {
		stay.To, stay.Reason = StageRetired, fmt.Sprintf("guarded for %v", b.GuardTime)
	}
	return stay, nil
}

// judge is how the ledger makes a ruling.
var judge = evidence.JudgeOf("rmf.ruling", rulebook.rule)

// minus returns what an epoch counted since an earlier look at it.
func minus(now, then evidence.Epoch) evidence.Epoch {
	less := func(a, b uint64) uint64 { return a - min(a, b) }
	out := evidence.Epoch{Number: now.Number, Share: now.Share, Metrics: make([]evidence.Counts, len(now.Metrics))}
	for i, c := range now.Metrics {
		if i >= len(then.Metrics) {
			out.Metrics[i] = c
			continue
		}
		o := then.Metrics[i]
		out.Metrics[i] = evidence.Counts{
			CandidateBad: less(c.CandidateBad, o.CandidateBad), CandidateGood: less(c.CandidateGood, o.CandidateGood),
			StableBad: less(c.StableBad, o.StableBad), StableGood: less(c.StableGood, o.StableGood),
		}
	}
	return out
}
