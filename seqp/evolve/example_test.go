package evolve_test

import (
	"fmt"

	"github.com/ishaa-framework/ishaa/seqp/evolve"
	"github.com/ishaa-framework/ishaa/seqp/evolve/pipeline"
	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
)

func ExampleProfileOf() {
	report := &risk.Report{Routes: []risk.Route{{Method: "POST", Pattern: "/orders", Metrics: risk.Metrics{DBWrites: 1, Inputs: 3}}}}
	for _, job := range pipeline.Plan(evolve.ProfileOf(report)).Gates() {
		fmt.Println(job.ID)
	}
	// Output:
	// lint
	// build
	// unit
	// schema
	// security
}
