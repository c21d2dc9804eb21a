package seqp

import (
	"fmt"
	"math"
	"time"
)

// Readiness is what a deployment is judged by in short.
type Readiness struct {
	CurrentLatency   time.Duration
	BaselineLatency  time.Duration // 0 where there is none yet; the latency is then not judged
	CurrentErrorRate float64       // share of 5xx, 0 to 1
}

// Recommendation is what to do with a deployment.
type Recommendation string

// The recommendations.
const (
	Proceed                Recommendation = "proceed"
	BlockLatencyRegression Recommendation = "block_latency_regression"
	ImmediateRollback      Recommendation = "immediate_rollback"
)

// Decision is the answer to a Readiness.
type Decision struct {
	Allowed        bool           `json:"allowed"`
	Recommendation Recommendation `json:"recommendation"`
	Reason         string         `json:"reason"`
}

// Check judges a deployment by two numbers and a rate, as a script has them at hand. They are taken as they are: for
// measurements with their uncertainty there is Policy.Judge. Numbers that cannot be allow nothing.
func (p Policy) Check(r Readiness) Decision {
	rate := r.CurrentErrorRate
	switch {
	case math.IsNaN(rate) || rate < 0 || rate > 1:
		return Decision{Recommendation: ImmediateRollback,
			Reason: fmt.Sprintf("an error rate of %g is no share between 0 and 1: nothing is known about the errors", rate)}
	case rate > p.ErrorRate:
		return Decision{Recommendation: ImmediateRollback,
			Reason: fmt.Sprintf("%.2f %% of the requests end in 5xx, at most %.2f %% is allowed", 100*rate, 100*p.ErrorRate)}
	case r.CurrentLatency < 0 || r.BaselineLatency < 0:
		return Decision{Recommendation: BlockLatencyRegression,
			Reason: fmt.Sprintf("latencies of %s and %s cannot be: nothing is known about the latency", r.CurrentLatency, r.BaselineLatency)}
	case r.BaselineLatency == 0:
		return Decision{Allowed: true, Recommendation: Proceed, Reason: "the error rate is within its limit; without a baseline the latency was not judged"}
	}
	ratio := float64(r.CurrentLatency) / float64(r.BaselineLatency)
	if ratio > 1+p.LatencyDrift {
		return Decision{Recommendation: BlockLatencyRegression,
			Reason: fmt.Sprintf("the latency is %.2f times the baseline's, at most %.2f is allowed", ratio, 1+p.LatencyDrift)}
	}
	return Decision{Allowed: true, Recommendation: Proceed,
		Reason: fmt.Sprintf("the latency is %.2f times the baseline's and %.2f %% of the requests end in 5xx, both within their limits", ratio, 100*rate)}
}
