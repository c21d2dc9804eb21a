package seqp

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

func TestPolicies(t *testing.T) {
	for _, c := range []struct {
		level              ishaa.Level
		risk               float64
		coverage, mutation float64
		test               string
	}{
		{ishaa.FinancialCore, 0, .95, .80, "load_burst"},
		{ishaa.SecurityCritical, 0, .92, .70, "security_audit"},
		{ishaa.DataCritical, 1, .90, 0, "schema_drift"},
		{ishaa.Standard, 0, .75, 0, "unit"},
		{ishaa.Standard, .5, .80, 0, "unit"},
		{ishaa.Standard, 1, .85, .50, "boundary"},
		{ishaa.Standard, 7, .85, .50, "boundary"},
		{ishaa.Standard, -7, .75, 0, "unit"},
		{ishaa.Standard, math.NaN(), .85, .50, "boundary"},
	} {
		p := PolicyFor(c.level, c.risk, Limits{})
		if math.Abs(p.Coverage-c.coverage) > 1e-9 || p.Mutation != c.mutation || !slices.Contains(p.Tests, c.test) {
			t.Errorf("%s at risk %g: %+v", c.level, c.risk, p)
		}
	}
	strict, lax := PolicyFor(ishaa.FinancialCore, 0, Limits{}), PolicyFor(ishaa.Standard, 0, Limits{})
	if strict.LatencyDrift >= lax.LatencyDrift || strict.ErrorRate >= lax.ErrorRate {
		t.Errorf("what is critical is asked for less: %+v, %+v", strict, lax)
	}
}

func TestReadiness(t *testing.T) {
	ms := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
	for name, c := range map[string]struct {
		r    Readiness
		want Recommendation
	}{
		"the seed's example":           {Readiness{ms(45.2), ms(40), 0.01}, Proceed},
		"at the limit":                 {Readiness{ms(48), ms(40), 0.02}, Proceed},
		"slower than allowed":          {Readiness{ms(48.1), ms(40), 0.01}, BlockLatencyRegression},
		"too many errors":              {Readiness{ms(40), ms(40), 0.021}, ImmediateRollback},
		"both":                         {Readiness{ms(90), ms(40), 0.5}, ImmediateRollback},
		"no baseline yet":              {Readiness{ms(45), 0, 0.01}, Proceed},
		"an error rate that is none":   {Readiness{ms(40), ms(40), math.NaN()}, ImmediateRollback},
		"less than no errors":          {Readiness{ms(40), ms(40), -1}, ImmediateRollback},
		"a latency that cannot be":     {Readiness{ms(-40), ms(40), 0}, BlockLatencyRegression},
		"a baseline that cannot be":    {Readiness{ms(40), ms(-40), 0}, BlockLatencyRegression},
		"faster, and without an error": {Readiness{ms(4), ms(40), 0}, Proceed},
	} {
		got := PolicyFor(ishaa.Standard, 0, Limits{}).Check(c.r)
		if got.Recommendation != c.want || got.Allowed != (c.want == Proceed) || got.Reason == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
