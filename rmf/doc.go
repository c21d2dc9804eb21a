// Package rmf is the reality-mode framework: one route with several handlers, its realities. A request enters one of
// them; a candidate among them becomes the stable one when the evidence says that it is as good, and is taken back when
// it is worse.
//
//	package main
//
//	import (
//		"github.com/ishaa-framework/ishaa"
//		"github.com/ishaa-framework/ishaa/rmf"
//	)
//
//	func main() {
//		app := ishaa.New("shop")
//		realities := rmf.Enable(app, rmf.Options{Dir: "realities"})
//
//		app.Get("/recommend", classic, rmf.Reality("stable"))
//		app.Get("/recommend", neural, rmf.Reality("experimental", rmf.Traffic(20), rmf.AutoPromote()))
//		app.Get("/feed", night, rmf.Reality("night", rmf.ActiveBetween("22:00-06:00")))
//		app.Get("/feed", day, rmf.Reality("day"))
//
//		realities.BehaviorRule(func(r *ishaa.Request, names []string) string {
//			if r.Header("X-User-Tier") == "premium" {
//				return "experimental"
//			}
//			return ""
//		})
//		app.Get("/rmf/report", realities.Report)
//		app.Run()
//	}
//
// # Which reality a request enters
//
// The first of these that says something: a signed header (Token), a sticky cookie, a behaviour rule, a window that is
// open, the lot. The lot is a hash of who asks, so that everybody stays where they are, and growing shares move nobody
// out. Only what the lot chose is evidence.
//
// # How a candidate lives
//
// draft → shadow → canary → guard → retired; and paused, rolled back, inconclusive. See Stage, and docs/rmf.md for what
// each number of the report means. The tests are those of package internal/evidence: looking often costs nothing, an
// equal candidate is rolled back by mistake in at most 5 % of experiments, and a worse one is hardly ever promoted.
//
// # Simulation
//
// With Options.ParallelSim other realities answer copies of stable's requests in the shadow, where the framework's
// databases, stores, mail, tasks, caches, files and clients change nothing and report what they would have changed.
// Code that goes around the framework, such as a driver of its own or a bare http.Client, is not held back: keep such
// realities out of the shadow.
//
// # Cost
//
// A route without realities is compiled as if this package were not there.
package rmf
