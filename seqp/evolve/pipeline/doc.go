// Package pipeline writes what a project's continuous integration has to do, from what its code risks: jobs come and go with
// the risk, and nothing is deployed that has not passed every gate.
//
//	p := pipeline.Plan(pipeline.Profile{Database: true, Financial: true})
//	changed, err := pipeline.WriteFile(".", p, pipeline.GitHub) // .github/workflows/seqp_pipeline.yml
//
// The jobs are those of the quality pipeline:
//
//	always                   lint, unit tests, build, deploy
//	with a database          schema drift
//	with goroutines          race simulation
//	with input or secrets    security scan
//	at high risk             mutation testing, deep tests
//	where money moves        load test, shadow deployment
//
// Every job but the last is a gate: its commands end with another status than 0 when what they check is broken, which a
// test of this package sees on a broken project for each of them.
//
// A file that is written has a marked region. What stands outside of it is the project's own and stays as it is.
package pipeline
