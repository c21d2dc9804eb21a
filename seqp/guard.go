package seqp

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Artefacts are what was measured of a release, for one route. What is nil was not measured.
type Artefacts struct {
	Tests      *Tests      `json:"tests,omitempty"`
	Coverage   *Share      `json:"coverage,omitempty"` // statements run, of those that the route reaches
	Mutants    *Share      `json:"mutants,omitempty"`  // killed, of those that a test reaches or could reach
	Benchmarks []Benchmark `json:"benchmarks,omitempty"`
	Live       *Live       `json:"live,omitempty"`
}

// Tests counts the tests of a run.
type Tests struct {
	Passed int `json:"passed"`
	Failed int `json:"failed"`
}

// Share is a part of a whole.
type Share struct {
	Part  int `json:"part"`
	Whole int `json:"whole"`
}

func (s Share) value() float64 { return float64(s.Part) / float64(s.Whole) }

func (s Share) valid() bool { return s.Part >= 0 && s.Part <= s.Whole }

// Benchmark is one benchmark on the old and the new build, runs taken in turns on one machine, nanoseconds per operation.
type Benchmark struct {
	Name string    `json:"name"`
	Old  []float64 `json:"old"`
	New  []float64 `json:"new"`
}

// Live is what the new build did beside the old one, or after it: requests and those of them that ended in 5xx, and the
// latency of each window in seconds, such as its 95th percentile.
type Live struct {
	Requests         uint64    `json:"requests"`
	Errors           uint64    `json:"errors"`
	BaselineRequests uint64    `json:"baseline_requests"`
	BaselineErrors   uint64    `json:"baseline_errors"`
	Latency          []float64 `json:"latency"`
	BaselineLatency  []float64 `json:"baseline_latency"`
}

const (
	// enoughRuns is the least number of runs of each build: below it, no rank test of these sizes can reach certainty.
	enoughRuns = 10
	// certainty is the p-value of a check of timings, one-sided; two checks of it in a hundred good releases may fail.
	certainty = 0.01
	// sureness is the quantile of the normal distribution for intervals of 99 %.
	sureness = 2.576
)

// Judge says whether a release that left these artefacts may go out. What the policy asks for and nobody measured is
// inconclusive, never a pass; numbers that cannot be are a failure.
func (p Policy) Judge(a Artefacts) Verdict {
	v := Verdict{Outcome: Pass}
	p.judgeTests(&v, a.Tests)
	p.judgeShare(&v, "coverage", "statements", a.Coverage, p.Coverage)
	p.judgeShare(&v, "mutation", "mutants", a.Mutants, p.Mutation)
	for _, b := range a.Benchmarks {
		outcome, text := grew(b.Old, b.New, p.LatencyDrift)
		v.add("benchmark", outcome, b.Name+" "+text)
	}
	if a.Live != nil {
		outcome, text := p.judgeErrors(*a.Live)
		v.add("errors", outcome, text)
		outcome, text = grew(a.Live.BaselineLatency, a.Live.Latency, p.LatencyDrift)
		v.add("latency", outcome, text)
	} else if len(a.Benchmarks) == 0 {
		v.add("latency", Inconclusive, "neither benchmarks nor live windows were recorded: run the benchmarks on both builds, at least 10 times each, in turns")
	}
	return v
}

func (p Policy) judgeTests(v *Verdict, tests *Tests) {
	switch {
	case tests == nil:
		v.add("tests", Inconclusive, "no test run was recorded")
	case tests.Failed < 0 || tests.Passed < 0:
		v.add("tests", Fail, fmt.Sprintf("%d passed and %d failed cannot be: the record is damaged", tests.Passed, tests.Failed))
	case tests.Failed > 0:
		v.add("tests", Fail, fmt.Sprintf("%d of %d tests failed", tests.Failed, tests.Failed+tests.Passed))
	case tests.Passed == 0:
		v.add("tests", Inconclusive, "the run had no test: nothing was shown")
	default:
		v.add("tests", Pass, fmt.Sprintf("all %d tests passed", tests.Passed))
	}
}

func (p Policy) judgeShare(v *Verdict, check, unit string, s *Share, want float64) {
	switch {
	case want <= 0:
	case s == nil || s.Whole == 0 && s.Part == 0:
		v.add(check, Inconclusive, fmt.Sprintf("%s was not measured; %s routes need %.0f %%", check, p.Name, 100*want))
	case !s.valid():
		v.add(check, Fail, fmt.Sprintf("%d of %d %s cannot be: the record is damaged", s.Part, s.Whole, unit))
	default:
		outcome := Pass
		if s.value() < want {
			outcome = Fail
		}
		v.add(check, outcome, fmt.Sprintf("%d of %d %s, %.1f %%; %s routes need %.0f %%", s.Part, s.Whole, unit, 100*s.value(), p.Name, 100*want))
	}
}

// grew asks whether new values are larger than old ones by more than a share. Both answers are shown at the margin by the
// same rank test, of new against old times (1 + share): larger is a failure, smaller a pass, and neither says nothing.
func grew(old, new []float64, share float64) (Outcome, string) {
	for _, x := range slices.Concat(old, new) {
		if !(x > 0) || math.IsInf(x, 0) {
			return Fail, fmt.Sprintf("has the value %g, which is no duration: the record is damaged", x)
		}
	}
	if len(old) < enoughRuns || len(new) < enoughRuns {
		return Inconclusive, fmt.Sprintf("has %d runs before and %d after, and needs %d of each", len(old), len(new), enoughRuns)
	}
	scaled := make([]float64, len(old))
	for i, x := range old {
		scaled[i] = x * (1 + share)
	}
	p, z := evidence.MannWhitney(scaled, new)
	text := fmt.Sprintf("is %.2f times the old, at most %.2f is allowed (%d and %d runs, p %.2g)",
		evidence.Median(new)/evidence.Median(old), 1+share, len(old), len(new), p/2)
	switch {
	case p/2 >= certainty:
		return Inconclusive, text
	case z > 0:
		return Fail, text
	}
	return Pass, text
}

// judgeErrors compares the error rate with the limit and with the baseline's.
func (p Policy) judgeErrors(l Live) (Outcome, string) {
	if l.Errors > l.Requests || l.BaselineErrors > l.BaselineRequests {
		return Fail, "more errors than requests: the record is damaged"
	}
	low, high := wilson(l.Errors, l.Requests)
	text := fmt.Sprintf("%d of %d requests ended in 5xx (%.2f %% to %.2f %%), at most %.2f %% is allowed",
		l.Errors, l.Requests, 100*low, 100*high, 100*p.ErrorRate)
	if low > p.ErrorRate {
		return Fail, text
	}
	outcome := Pass
	if high > p.ErrorRate {
		outcome = Inconclusive
	}
	if l.BaselineRequests > 0 {
		less, more := newcombe(l)
		text += fmt.Sprintf("; %s to %s points more than before, at most %.2f", points(less), points(more), 100*p.ErrorDrift)
		switch {
		case less > p.ErrorDrift:
			return Fail, text
		case more > p.ErrorDrift:
			outcome = Inconclusive
		}
	}
	return outcome, text
}

func points(share float64) string {
	return strings.Replace(fmt.Sprintf("%.2f", 100*share), "-0.00", "0.00", 1)
}

// wilson is the 99 % interval of a rate (Wilson 1927); without requests it is everything.
func wilson(bad, all uint64) (low, high float64) {
	if all == 0 {
		return 0, 1
	}
	n := float64(all)
	rate := float64(bad) / n
	z2 := sureness * sureness
	middle := (rate + z2/(2*n)) / (1 + z2/n)
	half := sureness / (1 + z2/n) * math.Sqrt(rate*(1-rate)/n+z2/(4*n*n))
	return max(middle-half, 0), min(middle+half, 1)
}

// newcombe is the 99 % interval of the difference of two rates, now less before (Newcombe 1998, method 10).
func newcombe(l Live) (low, high float64) {
	now := float64(l.Errors) / float64(max(l.Requests, 1))
	before := float64(l.BaselineErrors) / float64(l.BaselineRequests)
	nowLow, nowHigh := wilson(l.Errors, l.Requests)
	beforeLow, beforeHigh := wilson(l.BaselineErrors, l.BaselineRequests)
	difference := now - before
	return difference - math.Hypot(now-nowLow, beforeHigh-before), difference + math.Hypot(nowHigh-now, before-beforeLow)
}
