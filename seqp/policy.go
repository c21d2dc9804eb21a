package seqp

import (
	"math"

	"github.com/ishaa-framework/ishaa"
)

// Policy is what a route's release has to show. It follows from how critical the route is and how risky its code is.
type Policy struct {
	Level    ishaa.Level `json:"-"`
	Name     string      `json:"level"`
	Risk     float64     `json:"risk"`     // of the code, 0 to 1
	Coverage float64     `json:"coverage"` // the share of the statements the route reaches that its tests must run
	Mutation float64     `json:"mutation"` // the share of its mutants that its tests must kill; 0 asks for none
	// LatencyDrift is by how much, as a share, the latency may grow: 0.2 is 20 %.
	LatencyDrift float64 `json:"latency_drift"`
	// ErrorRate is the share of 5xx that is never passed, ErrorDrift how much more than the baseline's is let pass.
	ErrorRate  float64  `json:"error_rate"`
	ErrorDrift float64  `json:"error_drift"`
	Tests      []string `json:"tests"`
}

// Limits are what policies start from.
type Limits struct {
	LatencyDrift float64 `json:"latency_drift"` // default 0.20
	ErrorRate    float64 `json:"error_rate"`    // default 0.02
}

func (l Limits) withDefaults() Limits {
	if l.LatencyDrift <= 0 {
		l.LatencyDrift = 0.20
	}
	if l.ErrorRate <= 0 {
		l.ErrorRate = 0.02
	}
	return l
}

// highRisk is the score from which standard code is asked for more than the least.
const highRisk = 0.6

// PolicyFor returns the policy of a level and a risk score between 0 and 1; other scores count as the nearer end, and one
// that is no number as 1, because what is not known is not safe.
//
//	financial_core      95 % coverage, 80 % of mutants, half the drift, and load, mutation, concurrency and security tests
//	security_critical   92 % coverage, 70 % of mutants, and a security audit
//	data_critical       90 % coverage, schema drift and integration tests
//	standard            75 % to 85 % by risk, boundary tests where the code is complex, 50 % of mutants from a risk of 0.6
func PolicyFor(level ishaa.Level, risk float64, limits Limits) Policy {
	limits = limits.withDefaults()
	if math.IsNaN(risk) {
		risk = 1
	}
	risk = min(max(risk, 0), 1)
	p := Policy{
		Level: level, Name: level.String(), Risk: risk,
		LatencyDrift: limits.LatencyDrift, ErrorRate: limits.ErrorRate, ErrorDrift: limits.ErrorRate / 4,
	}
	switch level {
	case ishaa.FinancialCore:
		p.Coverage, p.Mutation = 0.95, 0.80
		p.LatencyDrift, p.ErrorRate, p.ErrorDrift = p.LatencyDrift/2, p.ErrorRate/2, p.ErrorDrift/2
		p.Tests = []string{"load_burst", "mutation_testing", "concurrency", "security"}
	case ishaa.SecurityCritical:
		p.Coverage, p.Mutation = 0.92, 0.70
		p.Tests = []string{"security_audit", "mutation_testing"}
	case ishaa.DataCritical:
		p.Coverage = 0.90
		p.Tests = []string{"schema_drift", "integration"}
	default:
		p.Coverage = 0.75 + 0.10*risk
		p.Tests = []string{"unit"}
		if risk >= highRisk {
			p.Mutation = 0.50
			p.Tests = append(p.Tests, "boundary")
		}
	}
	return p
}
