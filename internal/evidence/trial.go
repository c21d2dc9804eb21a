package evidence

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// A trial compares a candidate with stable on a few metrics, each a share of bad outcomes. Rates are such shares as they
// are. Quantiles become one by asking how many are slower than a quantile that was frozen before. Means of a bounded
// value become one by Bounded.
//
// The unit that is counted must be the unit that was drawn by lot: requests if each request is assigned anew, subjects
// if users stay with their arm, each counted once with an outcome that was defined before (bad at its first request,
// or bad at all within its window). Requests of sticky users are not independent: counting them one by one gave 21 %
// false alarms where 5 % were promised. Only what the lot chose may be counted, not what a header or a rule sent.

// Metric is a share of bad outcomes that is compared between the arms.
type Metric struct {
	Name string `json:"name"`
	// Centre is the expected share, in (0, 1), fixed before the trial. A wrong one costs time, never validity.
	Centre float64 `json:"centre"`
	// Margin is how much worse, as a difference of shares, the candidate may be and still pass: 0.002 is 0.2 points.
	// With 0 the candidate must be shown to be better.
	Margin float64 `json:"margin"`
}

// Counts is all that a trial remembers of a metric.
type Counts struct {
	CandidateBad  uint64 `json:"cb"`
	CandidateGood uint64 `json:"cg"`
	StableBad     uint64 `json:"sb"`
	StableGood    uint64 `json:"sg"`
}

// Add counts an outcome.
func (c *Counts) Add(candidate, bad bool) {
	switch {
	case candidate && bad:
		c.CandidateBad++
	case candidate:
		c.CandidateGood++
	case bad:
		c.StableBad++
	default:
		c.StableGood++
	}
}

func (c *Counts) plus(o Counts) {
	c.CandidateBad += o.CandidateBad
	c.CandidateGood += o.CandidateGood
	c.StableBad += o.StableBad
	c.StableGood += o.StableGood
}

func (c *Counts) atLeast(o Counts) {
	c.CandidateBad = max(c.CandidateBad, o.CandidateBad)
	c.CandidateGood = max(c.CandidateGood, o.CandidateGood)
	c.StableBad = max(c.StableBad, o.StableBad)
	c.StableGood = max(c.StableGood, o.StableGood)
}

// Candidate is the number of outcomes of the candidate's arm.
func (c Counts) Candidate() uint64 { return c.CandidateBad + c.CandidateGood }

// Stable is the number of outcomes of the stable arm.
func (c Counts) Stable() uint64 { return c.StableBad + c.StableGood }

// Bounded makes an outcome of a value between 0 and 1: bad with a probability of the value, so that the share of bad
// outcomes is the mean of the values. uniform is a fresh number in [0, 1). A latency becomes such a value by dividing
// it by a cap that was fixed before.
func Bounded(value, uniform float64) (bad bool) { return uniform < value }

// Epoch is a part of a trial with one share for the candidate. When the share changes, a new epoch begins.
type Epoch struct {
	Number   uint64   `json:"epoch"`
	Share    float64  `json:"share"`    // the probability with which the lot chooses the candidate, in (0, 1)
	Assigned Assigned `json:"assigned"` // counted when the lot falls, not when the answer is there
	Metrics  []Counts `json:"metrics"`  // in the order of Rule.Metrics
}

// Assigned counts what the lot gave to each arm.
type Assigned struct {
	Candidate uint64 `json:"c"`
	Stable    uint64 `json:"s"`
}

// Outcome is what a trial came to.
type Outcome string

const (
	Inconclusive Outcome = "inconclusive" // wait, or undo; never promote
	Promote      Outcome = "promote"      // no metric is worse by its margin
	Rollback     Outcome = "rollback"     // a metric is worse
	Futile       Outcome = "futile"       // MaxRequests passed without an answer: undo
	Invalid      Outcome = "invalid"      // the arms did not get their shares: the comparison means nothing, freeze it
)

// Rule is when a trial ends. Its zero value but for Metrics is a good one for a trial without a ramp.
type Rule struct {
	Metrics []Metric `json:"metrics"`
	// Alpha bounds the chance of a wrong promotion, and that of a wrong rollback, at any stopping time. Default 0.05.
	Alpha float64 `json:"alpha,omitempty"`
	// RatioAlpha bounds the chance of calling a sound trial invalid. Default 0.001: a false alarm throws a trial away,
	// and a broken assignment shows by far more (Fabijan et al., KDD 2019, look for p < 0.0005).
	RatioAlpha float64 `json:"ratioAlpha,omitempty"`
	// MinRequests of the candidate, and MinTime, must have passed before a promotion. A rollback does not wait.
	MinRequests uint64        `json:"minRequests,omitempty"`
	MinTime     time.Duration `json:"minTime,omitempty"` // nanoseconds in JSON
	// MaxRequests of both arms without an answer make the trial futile; 0 is no limit.
	MaxRequests uint64 `json:"maxRequests,omitempty"`
}

// State is what a trial has seen.
type State struct {
	Elapsed time.Duration `json:"elapsed"` // since its start; nanoseconds in JSON
	Epochs  []Epoch       `json:"epochs"`
}

// Reading is the evidence on one metric. Harm and Safe are natural logarithms of e-values: 3 is the evidence that
// passes α = 0.05, below 0 the bet is losing.
type Reading struct {
	Name      string  `json:"name"`
	Candidate float64 `json:"candidate"` // share of bad outcomes, NaN never: 0 where there are none
	Stable    float64 `json:"stable"`
	Harm      float64 `json:"harm"` // that the candidate is worse
	Safe      float64 `json:"safe"` // that it is worse by less than the margin
}

// Verdict is a decision with what it rests on.
type Verdict struct {
	Outcome  Outcome   `json:"outcome"`
	Reason   string    `json:"reason"`
	Mismatch float64   `json:"mismatch"` // log e-value that the arms did not get their shares
	Metrics  []Reading `json:"metrics"`
}

// Decide says what the evidence allows, as a function of the rule and the counters alone. It may be called as often as
// one likes. Evidence of epochs with different shares multiplies.
//
// Harm on any metric rolls back, at α divided by their number (Bonferroni). A promotion needs every metric to be safe,
// each at α: that the worst of them is unsafe is what has to be refuted (Berger 1982, intersection-union). An error
// says which rule or epoch is not one; the verdict is then inconclusive.
func (r Rule) Decide(s State) (Verdict, error) {
	r = r.withDefaults()
	v := Verdict{Outcome: Inconclusive}
	if err := r.check(s); err != nil {
		v.Reason = err.Error()
		return v, err
	}
	epochs := slices.Clone(s.Epochs)
	slices.SortFunc(epochs, byNumber) // floating-point sums in one order, whatever order the nodes came in
	v.Mismatch = mismatch(epochs)
	requests, candidates := uint64(0), uint64(math.MaxUint64)
	for i, m := range r.Metrics {
		reading, total := read(m, i, epochs)
		v.Metrics = append(v.Metrics, reading)
		requests = max(requests, total.Candidate()+total.Stable())
		candidates = min(candidates, total.Candidate())
	}
	v.Outcome, v.Reason = r.judge(v, s.Elapsed, requests, candidates)
	return v, nil
}

func byNumber(a, b Epoch) int {
	switch {
	case a.Number != b.Number && a.Number < b.Number:
		return -1
	case a.Number != b.Number:
		return 1
	case a.Share < b.Share:
		return -1
	case a.Share > b.Share:
		return 1
	}
	return 0
}

// read collects the evidence on one metric.
func read(m Metric, index int, epochs []Epoch) (Reading, Counts) {
	var harm, safe wealth
	var total Counts
	for _, e := range epochs {
		harmWager(m, e.Share).settle(&harm, e.Metrics[index])
		safeWager(m, e.Share).settle(&safe, e.Metrics[index])
		total.plus(e.Metrics[index])
	}
	return Reading{
		Name:      m.Name,
		Candidate: share(total.CandidateBad, total.CandidateGood),
		Stable:    share(total.StableBad, total.StableGood),
		Harm:      harm.log(),
		Safe:      safe.log(),
	}, total
}

func share(bad, good uint64) float64 {
	if bad+good == 0 {
		return 0
	}
	return float64(bad) / float64(bad+good)
}

// judge holds the evidence against the bounds. Harm comes first: to roll back is safe even where the shares are wrong.
func (r Rule) judge(v Verdict, elapsed time.Duration, requests, candidates uint64) (Outcome, string) {
	harmful := rounded(math.Log(float64(len(r.Metrics)) / r.Alpha))
	enough := rounded(math.Log(1 / r.Alpha))
	var open []string
	for _, m := range v.Metrics {
		if m.Harm >= harmful {
			return Rollback, fmt.Sprintf("%s is worse: %.4g of the candidate's against %.4g of stable's (evidence %.1f, needed %.1f)",
				m.Name, m.Candidate, m.Stable, m.Harm, harmful)
		}
		if m.Safe < enough {
			open = append(open, fmt.Sprintf("%s %.1f of %.1f", m.Name, m.Safe, enough))
		}
	}
	if need := math.Log(1 / r.RatioAlpha); v.Mismatch >= need {
		return Invalid, fmt.Sprintf("the arms did not get their shares (evidence %.1f, needed %.1f): something but the lot decides who sees the candidate", v.Mismatch, need)
	}
	switch {
	case len(open) == 0 && elapsed >= r.MinTime && candidates >= r.MinRequests:
		return Promote, fmt.Sprintf("no metric is worse by its margin after %d requests", requests)
	case r.MaxRequests > 0 && requests >= r.MaxRequests:
		return Futile, fmt.Sprintf("no answer after %d requests", requests)
	case len(open) == 0 && elapsed < r.MinTime:
		return Inconclusive, fmt.Sprintf("every metric is safe; %v of %v have passed", elapsed, r.MinTime)
	case len(open) == 0:
		return Inconclusive, fmt.Sprintf("every metric is safe; the candidate had %d of %d requests", candidates, r.MinRequests)
	}
	return Inconclusive, fmt.Sprintf("not yet shown safe: %v", open)
}

func (r Rule) withDefaults() Rule {
	if r.Alpha == 0 {
		r.Alpha = 0.05
	}
	if r.RatioAlpha == 0 {
		r.RatioAlpha = 0.001
	}
	return r
}

// Check says what is wrong with a rule, for the start of a program.
func (r Rule) Check() error { return r.withDefaults().check(State{}) }

func (r Rule) check(s State) error {
	switch {
	case len(r.Metrics) == 0:
		return fmt.Errorf("evidence: a rule without metrics decides nothing: name at least one")
	case !(r.Alpha > 0 && r.Alpha < 1):
		return fmt.Errorf("evidence: Alpha is %v, it must lie between 0 and 1", r.Alpha)
	case !(r.RatioAlpha > 0 && r.RatioAlpha < 1):
		return fmt.Errorf("evidence: RatioAlpha is %v, it must lie between 0 and 1", r.RatioAlpha)
	}
	for _, m := range r.Metrics {
		if err := m.check(); err != nil {
			return err
		}
	}
	for _, e := range s.Epochs {
		if !(e.Share > 0 && e.Share < 1) {
			return fmt.Errorf("evidence: epoch %d has share %v; both arms need a chance, so it must lie between 0 and 1", e.Number, e.Share)
		}
		if len(e.Metrics) != len(r.Metrics) {
			return fmt.Errorf("evidence: epoch %d counts %d metrics, the rule has %d", e.Number, len(e.Metrics), len(r.Metrics))
		}
	}
	return nil
}

func (m Metric) check() error {
	if !(m.Centre > 0 && m.Centre < 1) {
		return fmt.Errorf("evidence: metric %q has centre %v, it must lie between 0 and 1", m.Name, m.Centre)
	}
	if !(m.Margin >= 0 && m.Margin < 1-m.Centre) {
		return fmt.Errorf("evidence: metric %q has margin %v, it must lie between 0 and %v: beyond, it could not fail", m.Name, m.Margin, 1-m.Centre)
	}
	return nil
}
