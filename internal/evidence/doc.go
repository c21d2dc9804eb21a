// Package evidence decides, from what was counted, whether a change helped, hurt, or cannot be told from the one before
// it. It is the one statistical core of the engines: SARE asks whether an optimisation paid, RMF whether a candidate is
// at least as good as stable, SEQP whether the new build is as good as the old one.
//
//	var stable, candidate, before evidence.Recorder // one record per request, no allocation
//	…
//	frozen, err := evidence.Freeze(before.Snapshot()) // what "slow" means, fixed before the trial
//	rule := evidence.Rule{Metrics: frozen.Metrics(), MinTime: time.Hour, MinRequests: 500}
//	…
//	c, s := candidate.Snapshot(), stable.Snapshot()
//	verdict, err := rule.Decide(evidence.State{Elapsed: bake, Epochs: []evidence.Epoch{{
//		Share:    0.5,                                // each request went to the candidate with this probability
//		Assigned: evidence.Assigned{Candidate: given, Stable: kept},
//		Metrics:  frozen.Count(c, s),
//	}}})
//	fmt.Println(verdict.Outcome, verdict.Reason) // promote, rollback, futile, invalid or inconclusive
//
// The parts, each usable alone:
//
//   - [Recorder] and [Histogram]: striped counters on the request path, and the sketch they give, which merges by addition.
//   - [Rule], [Tally]: the sequential test of a trial on counters, and the counters of many nodes. A decision is a pure
//     function of integers, so nodes may be merged in any order, and looking often costs nothing: the chance of ever
//     being wrong is bounded by Alpha at any stopping time (Ville's inequality).
//   - [GuardRule]: after a promotion, notices that the new arm went wrong and asks whether it is the arm or the world.
//   - [Detector]: a change of level in a series of windows; [Confirm] keeps the rate of false alarms over many series.
//   - [Forecaster]: a value ahead with an interval, and whether there is any skill in it.
//   - [Bandit]: which change to try next.
//   - [Ledger]: every decision with its rule and its counters, on checksummed lines; [Replay] decides them all again.
//
// Nothing here starts a goroutine or reads a clock. Recorder and Ledger are safe for concurrent use; the other types
// belong to one goroutine.
package evidence
