package seqp

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// minutes is a route's day as production has it: heavy-tailed latencies that remember, and a binomial of errors.
type minutes struct {
	r      *rand.Rand
	memory float64
	e      float64
}

func (m *minutes) window(requests uint64, errors, seconds float64) Window {
	z := m.r.NormFloat64()
	if m.r.Float64() < .02 {
		z *= 4
	}
	m.e = m.memory*m.e + math.Sqrt(1-m.memory*m.memory)*z
	var bad uint64
	for range requests {
		if m.r.Float64() < errors {
			bad++
		}
	}
	return Window{requests, bad, time.Duration(seconds * math.Exp(.05*m.e) * float64(time.Second))}
}

const route = "GET /x"

// days is how many simulated days a law is tried on.
func days() int {
	if testenv.Long() {
		return 2000
	}
	return 100
}

func TestDriftIsQuietWhereNothingDrifts(t *testing.T) {
	alarms := map[Metric]int{}
	for _, memory := range []float64{0, .5} {
		for i := range days() {
			m := &minutes{r: rand.New(rand.NewPCG(uint64(i), 7)), memory: memory}
			d := NewDrift(Limits{})
			seen := map[Metric]bool{}
			for range 1440 {
				d.Record(route, ishaa.Standard, m.window(100, .001, .05))
				for _, trend := range d.Trends() {
					seen[trend.Metric] = true
				}
			}
			for metric := range seen {
				alarms[metric]++
			}
		}
	}
	for _, metric := range []Metric{LatencyMetric, ErrorMetric} {
		rate := float64(alarms[metric]) / float64(2*days())
		t.Logf("%s: %.3f false alarms a series and day", metric, rate)
		if rate > 0.1 {
			t.Errorf("%s: %.3f false alarms a series and day, at most 0.1 is allowed", metric, rate)
		}
	}
}

func TestErrorsFromNoneToFivePerCentAreFoundInThreeWindows(t *testing.T) {
	for _, level := range []ishaa.Level{ishaa.Standard, ishaa.FinancialCore} {
		late := 0
		for i := range days() {
			m := &minutes{r: rand.New(rand.NewPCG(uint64(i), 8))}
			d := NewDrift(Limits{})
			for range 120 {
				d.Record(route, level, m.window(100, 0, .05))
			}
			if trends := d.Trends(); len(trends) > 0 {
				t.Fatalf("before anything happened: %+v", trends)
			}
			found := 0
			for n := 1; n <= 10 && found == 0; n++ {
				d.Record(route, level, m.window(100, .05, .05))
				if len(d.Trends()) > 0 {
					found = n
				}
			}
			if found == 0 || found > 3 {
				late++
			}
		}
		if share := float64(late) / float64(days()); share > 0.05 {
			t.Errorf("%s: %.3f of the bursts took more than three windows", level, share)
		}
	}
}

func TestDriftEndsWithItsCause(t *testing.T) {
	m := &minutes{r: rand.New(rand.NewPCG(1, 9))}
	d := NewDrift(Limits{})
	record := func(n int, errors, seconds float64) {
		for range n {
			d.Record(route, ishaa.FinancialCore, m.window(100, errors, seconds))
		}
	}
	names := func() (list []string) {
		for _, trend := range d.Trends() {
			list = append(list, string(trend.Metric))
		}
		return list
	}
	record(200, 0, .05)
	record(30, .1, .08)
	if got := names(); !slices.Equal(got, []string{"errors", "latency"}) {
		t.Fatalf("half as slow again and 10 %% errors: %q", got)
	}
	for _, trend := range d.Trends() {
		if trend.Metric == LatencyMetric && (math.Abs(trend.Before-.05) > .01 || math.Abs(trend.After-.08) > .015) {
			t.Errorf("the latency went from %g to %g, not from about 0.05 to about 0.08", trend.Before, trend.After)
		}
	}
	var did []ActionName
	for _, action := range d.Actions() {
		did = append(did, action.Name)
	}
	if want := []ActionName{RegressionReplay, StrictRollback, ShadowDeployment, PipelineFreeze}; !slices.Equal(did, want) {
		t.Errorf("the actions are %q", did)
	}
	if reason, frozen := d.Frozen(); !frozen || !strings.Contains(reason, "GET /x: ") {
		t.Errorf("frozen: %v, %q", frozen, reason)
	}
	d.Unfreeze()
	record(1, .1, .08)
	if _, frozen := d.Frozen(); frozen {
		t.Error("what a person lifted came back while the same burst lasted")
	}
	record(400, 0, .05)
	if got := names(); got != nil {
		t.Errorf("after all is as it was: %q", got)
	}
	record(20, .1, .05)
	if _, frozen := d.Frozen(); !frozen {
		t.Error("another burst did not freeze")
	}
}

// A route that creeps by 3 % a day is never a change of level, and is found all the same.
func TestCreepOverDays(t *testing.T) {
	for name, c := range map[string]struct {
		daily float64
		found bool
	}{"creeps": {1.03, true}, "does not": {1, false}} {
		var days []float64
		r := rand.New(rand.NewPCG(3, 3))
		seconds := .05
		for range 20 {
			days = append(days, seconds*math.Exp(.01*r.NormFloat64()))
			seconds *= c.daily
		}
		trends := (&course{days: days}).trends(route, Limits{}.withDefaults())
		if found := len(trends) == 1 && trends[0].Slow; found != c.found || len(trends) > 1 {
			t.Errorf("%s: %+v", name, trends)
		}
	}
}

func TestPassRate(t *testing.T) {
	run := func(failed ...int) *Drift {
		d := NewDrift(Limits{})
		for _, n := range failed {
			d.RecordTests(Tests{Passed: 200 - n, Failed: n})
		}
		return d
	}
	for name, c := range map[string]struct {
		drift *Drift
		found bool
	}{
		"no runs":           {run(), false},
		"too few":           {run(0, 0, 90), false},
		"always some":       {run(5, 4, 6, 5, 5, 4, 6, 5), false},
		"one bad run":       {run(0, 0, 0, 0, 0, 0, 0, 0, 2), false},
		"declines":          {run(0, 0, 1, 0, 0, 0, 0, 9, 12, 15), true},
		"better than ever":  {run(9, 9, 9, 9, 0, 0, 0), false},
		"began and is over": {run(0, 0, 0, 0, 9, 9, 9, 0, 0, 0), false},
	} {
		trends := c.drift.Trends()
		if found := len(trends) == 1 && trends[0].Metric == PassRateMetric; found != c.found {
			t.Errorf("%s: %+v", name, trends)
		}
	}
	d := NewDrift(Limits{})
	d.RecordTests(Tests{})
	d.RecordTests(Tests{Passed: -1, Failed: 3})
	if len(d.runs) != 0 {
		t.Errorf("runs that show nothing were taken: %+v", d.runs)
	}
}

func TestStateSurvivesARestart(t *testing.T) {
	m := &minutes{r: rand.New(rand.NewPCG(4, 9))}
	d := NewDrift(Limits{})
	for range 300 {
		d.Record(route, ishaa.FinancialCore, m.window(100, .001, .05))
	}
	for range 10 {
		d.Record(route, ishaa.FinancialCore, m.window(100, .1, .08))
	}
	d.RecordTests(Tests{Passed: 3})
	path := t.TempDir() + "/drift.json"
	if err := writeState(path, d.snapshot()); err != nil {
		t.Fatal(err)
	}
	saved, err := readState(path)
	if err != nil {
		t.Fatal(err)
	}
	again := NewDrift(Limits{})
	again.restore(saved)
	if !slices.Equal(actions(d), actions(again)) || len(actions(d)) < 3 {
		t.Errorf("before the restart %q, after it %q", actions(d), actions(again))
	}
	if len(again.runs) != 1 {
		t.Errorf("the runs are %+v", again.runs)
	}
}

func actions(d *Drift) (list []ActionName) {
	for _, action := range d.Actions() {
		list = append(list, action.Name)
	}
	return list
}
