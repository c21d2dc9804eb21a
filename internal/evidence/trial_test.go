package evidence

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// The bets are fair: under each hypothesis, at its edge, the expected wealth after an outcome is what it was before,
// for every λ, whatever the centre and the share. This is what Ville's inequality needs.
func TestBetsAreFair(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		m := Metric{"m", .001 + .998*r.Float64(), 0}
		m.Margin = r.Float64() * (1 - m.Centre) * .9
		share := .001 + .998*r.Float64()
		stable := r.Float64() * (1 - m.Margin)
		for name, c := range map[string]struct {
			bets      *wager
			candidate float64
		}{"harm": {harmWager(m, share), stable}, "safe": {safeWager(m, share), stable + m.Margin}} {
			weight := [4]float64{share * c.candidate, share * (1 - c.candidate), (1 - share) * stable, (1 - share) * (1 - stable)}
			for _, bet := range c.bets {
				var mean float64
				for k, l := range bet {
					if math.IsNaN(l) || math.IsInf(l, 0) {
						t.Fatalf("%s of %+v at share %v can be ruined", name, m, share)
					}
					mean += weight[k] * math.Exp(l)
				}
				if math.Abs(mean-1) > 1e-9 {
					t.Fatalf("%s of %+v at share %v: mean wealth %v", name, m, share, mean)
				}
			}
		}
	}
}

// The wealth depends on the counters, not on the way they came together.
func TestWealthOfParts(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	some := func() Counts { return Counts{r.Uint64N(100), r.Uint64N(9000), r.Uint64N(100), r.Uint64N(9000)} }
	for range 200 {
		a, b := some(), some()
		w := harmWager(Metric{"m", .01, .002}, .3)
		var apart, together wealth
		w.settle(&apart, a)
		w.settle(&apart, b)
		a.plus(b)
		w.settle(&together, a)
		if math.Abs(apart.log()-together.log()) > 1e-5 {
			t.Fatalf("in parts %v, together %v", apart.log(), together.log())
		}
	}
}

func epoch(number uint64, share float64, assigned Assigned, c ...Counts) Epoch {
	return Epoch{Number: number, Share: share, Assigned: assigned, Metrics: c}
}

func TestDecide(t *testing.T) {
	errors := Metric{"errors", .001, .002}
	median := Metric{"above q50", .5, .05}
	rule := func(m ...Metric) Rule { return Rule{Metrics: m} }
	good := Counts{20, 19_980, 20, 19_980}
	fair := Assigned{20_000, 20_000}
	for _, c := range []struct {
		name  string
		rule  Rule
		state State
		want  Outcome
		says  string
	}{
		{"nothing yet", rule(errors), State{}, Inconclusive, "errors 0.0 of 3.0"},
		{"as good", rule(errors), State{0, []Epoch{epoch(1, .5, fair, good)}}, Promote, "40000 requests"},
		{"too early", Rule{Metrics: []Metric{errors}, MinTime: time.Hour}, State{time.Minute, []Epoch{epoch(1, .5, fair, good)}}, Inconclusive, "1m0s of 1h0m0s"},
		{"too few", Rule{Metrics: []Metric{errors}, MinRequests: 30_000}, State{0, []Epoch{epoch(1, .5, fair, good)}}, Inconclusive, "20000 of 30000"},
		{"worse", rule(errors), State{0, []Epoch{epoch(1, .5, fair, Counts{200, 19_800, 20, 19_980})}}, Rollback, "errors is worse: 0.01 of the candidate's"},
		{"worse before its time", Rule{Metrics: []Metric{errors}, MinTime: time.Hour, MinRequests: 1e6}, State{0, []Epoch{epoch(1, .5, fair, Counts{200, 19_800, 20, 19_980})}}, Rollback, ""},
		{"one of two open", rule(errors, median), State{0, []Epoch{epoch(1, .5, fair, good, Counts{200, 200, 200, 200})}}, Inconclusive, "above q50"},
		{"one of two worse", rule(errors, median), State{0, []Epoch{epoch(1, .5, fair, good, Counts{15_000, 5000, 10_000, 10_000})}}, Rollback, "above q50 is worse"},
		{"broken lot", rule(errors), State{0, []Epoch{epoch(1, .5, Assigned{20_000, 22_000}, good)}}, Invalid, "shares"},
		{"broken lot, and worse", rule(errors), State{0, []Epoch{epoch(1, .5, Assigned{20_000, 22_000}, Counts{200, 19_800, 20, 19_980})}}, Rollback, ""},
		{"no answer", Rule{Metrics: []Metric{median}, MaxRequests: 800}, State{0, []Epoch{epoch(1, .5, Assigned{}, Counts{200, 200, 200, 200})}}, Futile, "800"},
		{"an answer at the end", Rule{Metrics: []Metric{errors}, MaxRequests: 40_000}, State{0, []Epoch{epoch(1, .5, fair, good)}}, Promote, ""},
		{"two epochs, neither enough", rule(errors), State{0, []Epoch{
			epoch(1, .4, Assigned{}, Counts{4, 3996, 6, 5994}), epoch(2, .5, Assigned{}, Counts{5, 4995, 5, 4995})}}, Promote, ""},
	} {
		v, err := c.rule.Decide(c.state)
		if err != nil || v.Outcome != c.want || !strings.Contains(v.Reason, c.says) || len(v.Metrics) != len(c.rule.Metrics) {
			t.Errorf("%s: %s (%s), %v; want %s (%s)", c.name, v.Outcome, v.Reason, err, c.want, c.says)
		}
	}
	for i := range 2 { // each of the two epochs above, alone
		s := []Epoch{epoch(1, .4, Assigned{}, Counts{4, 3996, 6, 5994}), epoch(2, .5, Assigned{}, Counts{5, 4995, 5, 4995})}[i : i+1]
		if v, _ := rule(errors).Decide(State{0, s}); v.Outcome != Inconclusive {
			t.Errorf("epoch %d alone is enough: %s", i, v.Reason)
		}
	}
}

func TestRulesThatAreNone(t *testing.T) {
	ok := Metric{"m", .5, .1}
	for want, c := range map[string]struct {
		rule  Rule
		state State
	}{
		"without metrics":   {Rule{}, State{}},
		"Alpha is 1":        {Rule{Metrics: []Metric{ok}, Alpha: 1}, State{}},
		"RatioAlpha is -1":  {Rule{Metrics: []Metric{ok}, RatioAlpha: -1}, State{}},
		"centre 0":          {Rule{Metrics: []Metric{{"m", 0, .1}}}, State{}},
		"centre NaN":        {Rule{Metrics: []Metric{{"m", math.NaN(), .1}}}, State{}},
		"margin 0.6":        {Rule{Metrics: []Metric{{"m", .5, .6}}}, State{}},
		"share 0;":          {Rule{Metrics: []Metric{ok}}, State{0, []Epoch{epoch(1, 0, Assigned{}, Counts{})}}},
		"share 1;":          {Rule{Metrics: []Metric{ok}}, State{0, []Epoch{epoch(1, 1, Assigned{}, Counts{})}}},
		"counts 0 metrics,": {Rule{Metrics: []Metric{ok}}, State{0, []Epoch{epoch(1, .5, Assigned{})}}},
	} {
		v, err := c.rule.Decide(c.state)
		if err == nil || !strings.Contains(err.Error(), want) || v.Outcome != Inconclusive {
			t.Errorf("%s: %s, %v", want, v.Outcome, err)
		}
		if c.state.Epochs == nil && c.rule.Check() == nil {
			t.Errorf("%s: Check finds nothing", want)
		}
	}
	if err := (Rule{Metrics: []Metric{ok}}).Check(); err != nil {
		t.Error(err)
	}
	guard := GuardRule{Metrics: []Metric{ok}, Certified: []float64{1, 2}}
	if _, err := guard.Next(GuardState{}, epoch(1, .9, Assigned{}, Counts{})); err == nil {
		t.Error("two certified shares for a metric")
	}
	if _, err := (GuardRule{Metrics: []Metric{ok}}).Next(GuardState{}, epoch(1, .9, Assigned{})); err == nil {
		t.Error("a window without counters is taken")
	}
}

// A common metric, such as the median, has a certified share that cannot treble.
func TestGuardOfTheMedian(t *testing.T) {
	rule := GuardRule{Metrics: []Metric{{"above q50", .5, .05}}}
	s := GuardState{}
	var err error
	for range 50 {
		if s, err = rule.Next(s, epoch(1, .95, Assigned{}, Counts{475, 475, 25, 25})); err != nil || s.Phase != Watching {
			t.Fatalf("%+v, %v", s, err)
		}
	}
	for s.Phase == Watching {
		s, _ = rule.Next(s, epoch(2, .95, Assigned{}, Counts{800, 150, 25, 25}))
	}
	stale, _ := rule.Next(s, epoch(2, .95, Assigned{}, Counts{800, 150, 25, 25}))
	if !reflect.DeepEqual(stale, s) {
		t.Error("a window from before the comparison counts in it")
	}
	for s.Phase == Comparing {
		s, _ = rule.Next(s, epoch(3, .5, Assigned{}, Counts{420, 80, 250, 250}))
	}
	if s.Phase != Convicted || !strings.Contains(s.Reason, "above q50 is worse") {
		t.Errorf("%+v", s)
	}
	if end, _ := rule.Next(s, epoch(3, .5, Assigned{}, Counts{0, 500, 250, 250})); end.Phase != Convicted {
		t.Error("a conviction is taken back")
	}
}

// A recorder's snapshots hold the counters of all four metrics.
func TestFrozen(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	draw := func() time.Duration { return time.Duration(10e6 * math.Exp(r.NormFloat64()*.8)) }
	var before, candidate, stable Recorder
	if _, err := Freeze(before.Snapshot()); err == nil {
		t.Error("thresholds of nothing")
	}
	for i := range 20_000 {
		before.Record(draw(), ClassOf(200+300*b2i(i%500 == 0)), 0)
	}
	f, err := Freeze(before.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{.002, .5, .05, .01} {
		if got := f.Metrics()[i].Centre; math.Abs(got/want-1) > .2 {
			t.Errorf("metric %d has centre %v, about %v expected", i, got, want)
		}
	}
	want := make([]Counts, 4)
	for i := range 5000 {
		d, bad := draw(), i%100 == 0
		rec := &stable
		if i%2 == 0 {
			rec = &candidate
		}
		rec.Record(d, ClassOf(200+300*b2i(bad)), 0)
		for m, b := range []bool{bad, d >= f.Q50, d >= f.Q95, d >= f.Q99} {
			want[m].Add(i%2 == 0, b)
		}
	}
	if got := f.Count(candidate.Snapshot(), stable.Snapshot()); !slices.Equal(got, want) {
		t.Errorf("counted %v, exactly %v", got, want)
	}
	text, _ := json.Marshal(f)
	var back Frozen
	if err := json.Unmarshal(text, &back); err != nil || back != f {
		t.Errorf("%s comes back as %+v", text, back)
	}
	if (Frozen{}).Metrics()[0].Margin != DefaultMargins()[0] {
		t.Error("no margins are not the default ones")
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Nodes report late, twice, out of order and through each other: the counters and the decision are the same.
func TestTallyInAnyOrder(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		type report struct {
			node string
			e    Epoch
		}
		var reports []report
		total := Counts{}
		final := map[string]bool{}
		for _, node := range []string{"a", "b", "c", "b after a restart"} {
			for number, share := range []float64{.05, .2, .5} {
				e := epoch(uint64(number), share, Assigned{}, make([]Counts, 2)...)
				for range 1 + r.IntN(4) {
					for m := range e.Metrics {
						e.Metrics[m].plus(Counts{r.Uint64N(5), r.Uint64N(500), r.Uint64N(5), r.Uint64N(500)})
					}
					e.Assigned.Candidate += r.Uint64N(500)
					e.Assigned.Stable += r.Uint64N(500)
					reports = append(reports, report{node, Epoch{e.Number, e.Share, e.Assigned, slices.Clone(e.Metrics)}})
				}
				total.plus(e.Metrics[0])
				final[node] = true
			}
		}
		rule := Rule{Metrics: []Metric{{"errors", .005, .01}, {"above q99", .01, .01}}}
		var first string
		for order := range 12 {
			r.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
			tallies := make([]Tally, 3)
			for _, rep := range reports {
				tallies[r.IntN(3)].Report(rep.node, rep.e)
				if r.IntN(3) == 0 {
					tallies[r.IntN(3)].Report(rep.node, rep.e)
				}
			}
			for range 4 { // gossip
				tallies[r.IntN(3)].Merge(&tallies[r.IntN(3)])
			}
			var all Tally
			for _, i := range r.Perm(3) {
				text, err := json.Marshal(&tallies[i])
				var sent Tally
				if err != nil || json.Unmarshal(text, &sent) != nil {
					t.Fatalf("%s does not travel: %v", text, err)
				}
				all.Merge(&sent)
			}
			v, err := rule.Decide(State{Epochs: all.Epochs()})
			if err != nil {
				t.Fatal(err)
			}
			decision, _ := json.Marshal(v)
			text, _ := json.Marshal(&all)
			now := string(decision) + string(text)
			if order == 0 {
				first = now
				var sum Counts
				for _, e := range all.Epochs() {
					sum.plus(e.Metrics[0])
				}
				if sum != total {
					t.Fatalf("seed %d: %v, counted %v", seed, sum, total)
				}
			} else if now != first {
				t.Fatalf("seed %d: in another order\n%s, first\n%s", seed, now, first)
			}
		}
	}
}

// The order in which epochs are given does not change a single digit.
func TestEpochsInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 100 {
		var s State
		for i := range 6 {
			s.Epochs = append(s.Epochs, epoch(uint64(i/2), []float64{.01, .3}[i%2], Assigned{r.Uint64N(9), r.Uint64N(999)}, Counts{r.Uint64N(9), r.Uint64N(999), r.Uint64N(9), r.Uint64N(999)}))
		}
		rule := Rule{Metrics: []Metric{{"m", .01, .002}}}
		want, _ := rule.Decide(s)
		given := slices.Clone(s.Epochs)
		r.Shuffle(6, func(i, j int) { s.Epochs[i], s.Epochs[j] = s.Epochs[j], s.Epochs[i] })
		shuffled := slices.Clone(s.Epochs)
		if got, _ := rule.Decide(s); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v then %+v", want, got)
		}
		if !reflect.DeepEqual(s.Epochs, shuffled) || len(given) != 6 {
			t.Fatal("Decide changes what it was given")
		}
	}
}

func TestMalformedTally(t *testing.T) {
	var tally Tally
	tally.Report("a", epoch(1, .5, Assigned{1, 1}, Counts{1, 1, 1, 1}))
	for _, text := range []string{`[]`, `{"a":1}`, `{"a":[{"epoch":-1}]}`} {
		if err := json.Unmarshal([]byte(text), &tally); err == nil || len(tally.Epochs()) != 1 {
			t.Errorf("%s is read: %v", text, err)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	s := State{Epochs: []Epoch{{Share: .2, Metrics: make([]Counts, 4)}, {Number: 1, Share: .5, Metrics: make([]Counts, 4)}}}
	for b.Loop() {
		simulated.Decide(s)
	}
}
