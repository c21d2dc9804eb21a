package evidence_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// A candidate gets half of the traffic. It fails twenty times as often, which shows long before the trial could have
// promoted it.
func Example() {
	var before, candidate, stable evidence.Recorder
	for i := range 2000 {
		before.Record(time.Duration(5+i%10)*time.Millisecond, evidence.Success, 512)
	}
	frozen, err := evidence.Freeze(before.Snapshot())
	if err != nil {
		fmt.Println(err)
		return
	}
	rule := evidence.Rule{Metrics: frozen.Metrics(), MinTime: time.Hour, MinRequests: 500}

	for i := range 2000 {
		took := time.Duration(5+i%10) * time.Millisecond
		candidate.Record(took, evidence.ClassOf(map[bool]int{true: 500, false: 200}[i%50 == 0]), 512)
		stable.Record(took, evidence.ClassOf(map[bool]int{true: 500, false: 200}[i%1000 == 0]), 512)
	}
	verdict, err := rule.Decide(evidence.State{
		Elapsed: time.Minute,
		Epochs: []evidence.Epoch{{
			Share:    0.5,
			Assigned: evidence.Assigned{Candidate: 2000, Stable: 2000},
			Metrics:  frozen.Count(candidate.Snapshot(), stable.Snapshot()),
		}},
	})
	fmt.Println(verdict.Outcome, err)
	fmt.Println(verdict.Reason)
	// Output:
	// rollback <nil>
	// errors is worse: 0.02 of the candidate's against 0.001 of stable's (evidence 17.9, needed 4.4)
}

// The counters of two nodes give one decision, in whatever order their reports come, and the decision can be made again
// from the ledger.
func ExampleLedger() {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	var tally evidence.Tally
	half := []evidence.Counts{{CandidateBad: 10, CandidateGood: 9990, StableBad: 11, StableGood: 9989}}
	tally.Report("node b", evidence.Epoch{Number: 1, Share: .5, Metrics: half})
	tally.Report("node a", evidence.Epoch{Number: 1, Share: .5, Metrics: half})
	tally.Report("node b", evidence.Epoch{Number: 1, Share: .5, Metrics: half}) // again: changes nothing

	trials := evidence.JudgeOf("trial", evidence.Rule.Decide)
	ledger, err := evidence.OpenLedger(filepath.Join(dir, "decisions.jsonl"), trials)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ledger.Close()
	rule := evidence.Rule{Metrics: []evidence.Metric{{Name: "errors", Centre: .001, Margin: .002}}}
	entry, err := ledger.Decide(time.Now(), "trial", "GET /recommend", rule, evidence.State{Epochs: tally.Epochs()})
	if err != nil {
		fmt.Println(err)
		return
	}
	var verdict evidence.Verdict
	err = json.Unmarshal(entry.Outcome, &verdict)
	fmt.Println(verdict.Outcome, err)
	fmt.Println(verdict.Reason)

	entries, _ := ledger.Entries()
	_, err = evidence.Replay(entries, trials)
	fmt.Println("replayed", len(entries), err)
	// Output:
	// promote <nil>
	// no metric is worse by its margin after 40000 requests
	// replayed 1 <nil>
}

// A forecast knows whether it knows anything.
func ExampleForecaster() {
	const day = 288 // windows of five minutes
	f := evidence.NewForecaster(day, 48)
	for i := range 4 * day {
		f.Add(100 + 60*math.Sin(2*math.Pi*float64(i)/day))
	}
	ahead, _ := f.At(48) // four hours
	fmt.Printf("%s %t\n", ahead.Method, ahead.Skilled)
	// Output:
	// seasonal ratio true
}
