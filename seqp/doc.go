// Package seqp is the run-time side of the quality pipeline: it says how critical a route is, watches what became of each
// route while the application runs, and judges whether a release may go out.
//
//	app := ishaa.New("shop")
//	pipeline := seqp.Enable(app, seqp.Options{})
//	app.Post("/payment", pay, seqp.Critical("financial_core", "card payment"))
//	app.Run()
//	…
//	verdict := pipeline.CheckDeploymentReadiness(seqp.Readiness{
//		CurrentLatency: 45 * time.Millisecond, BaselineLatency: 40 * time.Millisecond, CurrentErrorRate: 0.01,
//	})
//	fmt.Println(verdict.Allowed, verdict.Recommendation) // true proceed
//
// Two questions are answered here, and no more than these, since this package is linked into applications:
//
//   - Guard: may this release go out? Policy.Judge reads what was measured (coverage, mutants, benchmarks, live counters)
//     and says pass, fail or inconclusive, each with its reason. CheckDeploymentReadiness is the short form. Evidence is
//     what requests say of the release that answers them, beside the one before; "./program seqp evidence" prints it.
//   - Drift: does a route get worse while it runs? Windows of latency and errors per route, test pass rates that a
//     pipeline reports, and the shape of typed answers from one start to the next. A burst of errors where money moves
//     freezes releases until a person runs "./program seqp unfreeze".
//
// The analysis of source code, the generation of tests and pipelines and mutation testing are in package evolve below this
// one; no application links them.
//
// The statistics are those of the other engines: Mann and Whitney's test at a margin for timings, Newcombe's interval for
// the difference of two error rates, a cumulative sum of log-likelihood ratios for error bursts, Mann and Kendall's test
// with Sen's slope for slow creep.
package seqp
