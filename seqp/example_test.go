package seqp_test

import (
	"fmt"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/seqp"
)

func Example() {
	app := ishaa.New("shop")
	pipeline := seqp.Enable(app, seqp.Options{})
	pay := app.Post("/payment", func(*ishaa.Request) (any, error) { return nil, nil },
		seqp.Critical("financial_core", "card payment"))

	policy := pipeline.Policy(pay, 0.4)
	fmt.Printf("%s: %.0f %% coverage, %.0f %% of mutants\n", policy.Name, 100*policy.Coverage, 100*policy.Mutation)

	decision := pipeline.CheckDeploymentReadiness(seqp.Readiness{
		CurrentLatency: 61 * time.Millisecond, BaselineLatency: 40 * time.Millisecond, CurrentErrorRate: 0.01,
	})
	fmt.Println(decision.Allowed, decision.Recommendation)
	fmt.Println(decision.Reason)
	// Output:
	// financial_core: 95 % coverage, 80 % of mutants
	// false block_latency_regression
	// the latency is 1.52 times the baseline's, at most 1.20 is allowed
}

func ExamplePolicy_Judge() {
	policy := seqp.PolicyFor(ishaa.SecurityCritical, 0.2, seqp.Limits{})
	verdict := policy.Judge(seqp.Artefacts{
		Tests:    &seqp.Tests{Passed: 120},
		Coverage: &seqp.Share{Part: 870, Whole: 1000},
	})
	fmt.Println(verdict.Outcome)
	for _, finding := range verdict.Findings {
		fmt.Printf("%s %s: %s\n", finding.Outcome, finding.Check, finding.Text)
	}
	// Output:
	// fail
	// pass tests: all 120 tests passed
	// fail coverage: 870 of 1000 statements, 87.0 %; security_critical routes need 92 %
	// inconclusive mutation: mutation was not measured; security_critical routes need 70 %
	// inconclusive latency: neither benchmarks nor live windows were recorded: run the benchmarks on both builds, at least 10 times each, in turns
}
