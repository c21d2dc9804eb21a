// Package evolve runs the quality pipeline's analysis as one cycle: it looks where the risk is, writes the tests that pay,
// writes the continuous integration that the risk asks for, and says what each route's release has to show. A second run on
// an unchanged tree writes nothing. It is never linked into applications; package seqp is the part that is.
//
//	result, err := evolve.Run(ctx, ".", evolve.Options{})
//	if err != nil { … }
//	for _, route := range result.Risk.Routes {
//		fmt.Println(route.Method, route.Pattern, route.Level)
//	}
//	fmt.Println(result.Written) // seqp_test.go .github/workflows/seqp_pipeline.yml
//
// # The cycle
//
// Results feed back: a bug that a generated test shows makes its route critical, which raises what the pipeline and the
// policy ask for; mutants that live are what tests are kept for.
//
// The parts can be had alone: packages risk, testgen, mutation and pipeline below this one.
package evolve
