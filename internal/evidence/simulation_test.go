package evidence

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// Seeded simulations with known truth: how often is the decision wrong? Requests are drawn in lots of 200, the looks of
// the test, as binomial counts, which is the same distribution as one by one and a hundred times as fast.

// runs is 2,000 with ISHAA_TEST_LONG=1.
func runs() int {
	if testenv.Long() {
		return 2000
	}
	return 200
}

func binomial(r *rand.Rand, n uint64, p float64) uint64 {
	if p > .5 {
		return n - binomial(r, n, 1-p)
	}
	if p <= 0 || n == 0 {
		return 0
	}
	// Inversion: walk up the distribution until the uniform number is used up.
	odds := p / (1 - p)
	mass, u := math.Pow(1-p, float64(n)), r.Float64()
	k := uint64(0)
	for ; u > mass && k < n; k++ {
		u -= mass
		mass *= odds * float64(n-k) / float64(k+1)
	}
	return k
}

// traffic is the truth about an arm: its share of errors, and of requests above each frozen quantile.
type traffic struct {
	errors float64
	above  [3]float64
}

var usual = [3]float64{.5, .05, .01}

// slower gives the shares above the quantiles for log-normal latency (sigma 0.8) of which all take factor times as
// long, and a share of spikes takes far longer.
func slower(factor, spikes float64) (above [3]float64) {
	for i, z := range []float64{0, 1.6448536, 2.3263479} {
		tail := .5 * math.Erfc((z-math.Log(factor)/.8)/math.Sqrt2)
		above[i] = tail + (1-tail)*spikes
	}
	return above
}

// draw gives the counters of n requests of one arm: bad outcomes of the four metrics.
func (a traffic) draw(r *rand.Rand, n uint64) (bad [4]uint64) {
	bad[0] = binomial(r, n, a.errors)
	bad[1] = binomial(r, n, a.above[0])
	bad[2] = binomial(r, bad[1], a.above[1]/a.above[0])
	bad[3] = binomial(r, bad[2], a.above[2]/a.above[1])
	return bad
}

var simulated = Rule{Metrics: []Metric{
	{"errors", .001, .002}, {"above q50", .5, .05}, {"above q95", .05, .01}, {"above q99", .01, .005},
}}

const look = 200

// trial runs one trial and returns its outcome and when it was reached. It bets as Decide does, with the tables made
// once, and asks Decide at the end whether it agrees.
func trial(t *testing.T, r *rand.Rand, rule Rule, share float64, bake, horizon uint64, truth func(candidate bool, n uint64) traffic) (Outcome, uint64) {
	rule = rule.withDefaults()
	k := len(rule.Metrics)
	harm, safe := make([]*wager, k), make([]*wager, k)
	for i, m := range rule.Metrics {
		harm[i], safe[i] = harmWager(m, share), safeWager(m, share)
	}
	harmful, enough := math.Log(float64(k)/rule.Alpha), math.Log(1/rule.Alpha)
	e := Epoch{Share: share, Metrics: make([]Counts, k)}
	wealthOf := func(w *wager, i int) float64 {
		var l wealth
		w.settle(&l, e.Metrics[i])
		return l.log()
	}
	outcome, at := Inconclusive, uint64(0)
	for at < horizon && outcome == Inconclusive {
		at += look
		nc := binomial(r, look, share)
		bc := truth(true, e.Assigned.Candidate).draw(r, nc)
		bs := truth(false, e.Assigned.Candidate).draw(r, look-nc)
		e.Assigned.Candidate += nc
		e.Assigned.Stable += look - nc
		ok := at >= bake
		for i := range k {
			e.Metrics[i].plus(Counts{bc[i], nc - bc[i], bs[i], look - nc - bs[i]})
		}
		for i := range k {
			if wealthOf(harm[i], i) >= harmful {
				outcome = Rollback
			}
			ok = ok && wealthOf(safe[i], i) >= enough
		}
		if outcome == Inconclusive && ok {
			outcome = Promote
		}
	}
	if outcome == Inconclusive {
		return Inconclusive, at
	}
	v, err := rule.Decide(State{Epochs: []Epoch{e}})
	if v.Outcome == Invalid { // once in a thousand trials, as it may be
		return Invalid, at
	}
	if err != nil || v.Outcome != outcome {
		t.Fatalf("Decide says %s (%s), %v; the bets say %s", v.Outcome, v.Reason, err, outcome)
	}
	return outcome, at
}

func median(at []uint64) uint64 {
	if len(at) == 0 {
		return 0
	}
	slices.Sort(at)
	return at[len(at)/2]
}

// The table of evidence: where the arms are equal the candidate passes, and where it is worse it does not.
func TestTrials(t *testing.T) {
	same := func(tr traffic) func(bool, uint64) traffic { return func(bool, uint64) traffic { return tr } }
	versus := func(candidate, stable traffic) func(bool, uint64) traffic {
		return func(c bool, _ uint64) traffic {
			if c {
				return candidate
			}
			return stable
		}
	}
	for _, c := range []struct {
		name                       string
		truth                      func(bool, uint64) traffic
		share                      float64
		horizon                    uint64
		promote, rollback          [2]float64 // from, to
		promoteMedian, rollbackMed uint64     // at most; 0 is not asked
	}{
		{"identical", same(traffic{.002, usual}), .5, 60_000, [2]float64{.95, 1}, [2]float64{0, .05}, 35_000, 0},
		{"identical, a fifth of the traffic", same(traffic{.002, usual}), .2, 100_000, [2]float64{.90, 1}, [2]float64{0, .05}, 60_000, 0},
		{"error wave that hits both", func(_ bool, n uint64) traffic {
			wave := math.Sin(float64(n) / 3000)
			return traffic{.002 * (1 + wave), slower(1+.5*wave, 0)}
		}, .5, 60_000, [2]float64{.85, 1}, [2]float64{0, .05}, 0, 0},
		{"errors worse by the margin", versus(traffic{.004, usual}, traffic{.002, usual}), .5, 60_000, [2]float64{0, .05}, [2]float64{0, 1}, 0, 0},
		{"median worse by the margin", versus(traffic{.0005, [3]float64{.55, .05, .01}}, traffic{.0005, usual}), .5, 60_000, [2]float64{0, .05}, [2]float64{0, 1}, 0, 0},
		{"errors 0.05 % to 0.8 %", versus(traffic{.008, usual}, traffic{.0005, usual}), .5, 200_000, [2]float64{0, .01}, [2]float64{.99, 1}, 0, 4000},
		{"errors 0.05 % to 1.5 %", versus(traffic{.015, usual}, traffic{.0005, usual}), .5, 200_000, [2]float64{0, .01}, [2]float64{.99, 1}, 0, 2000},
		{"1 % take 120 ms longer", versus(traffic{.001, slower(1, .01)}, traffic{.001, usual}), .5, 200_000, [2]float64{0, .01}, [2]float64{.99, 1}, 0, 9000},
		{"25 % slower", versus(traffic{.001, slower(1.25, 0)}, traffic{.001, usual}), .5, 200_000, [2]float64{0, .01}, [2]float64{.99, 1}, 0, 1600},
		{"5 % errors after 4,000", func(candidate bool, n uint64) traffic {
			if candidate && n > 4000 {
				return traffic{.05, usual}
			}
			return traffic{.0005, usual}
		}, .5, 200_000, [2]float64{0, .05}, [2]float64{.95, 1}, 0, 10_000},
		{"5xx always, 1 % of the traffic", versus(traffic{1, usual}, traffic{.0005, usual}), .01, 200_000, [2]float64{0, 0}, [2]float64{1, 1}, 0, 20_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 9))
			var promoted, rolled []uint64
			for range runs() {
				switch outcome, at := trial(t, r, simulated, c.share, 20_000, c.horizon, c.truth); outcome {
				case Promote:
					promoted = append(promoted, at)
				case Rollback:
					rolled = append(rolled, at)
				}
			}
			p, b := float64(len(promoted))/float64(runs()), float64(len(rolled))/float64(runs())
			t.Logf("promoted %.1f %% (median %d), rolled back %.1f %% (median %d)", 100*p, median(promoted), 100*b, median(rolled))
			if p < c.promote[0] || p > c.promote[1] || b < c.rollback[0] || b > c.rollback[1] {
				t.Errorf("promoted %.3f, expected %v; rolled back %.3f, expected %v", p, c.promote, b, c.rollback)
			}
			if m := median(promoted); c.promoteMedian > 0 && m > c.promoteMedian {
				t.Errorf("half of the promotions take more than %d requests, expected %d", m, c.promoteMedian)
			}
			if m := median(rolled); c.rollbackMed > 0 && m > c.rollbackMed {
				t.Errorf("half of the rollbacks take more than %d requests, expected %d", m, c.rollbackMed)
			}
		})
	}
}

// An optimisation pays or is undone: with a margin of 0 the trial keeps what is faster and nothing else.
func TestPaysOrUndone(t *testing.T) {
	rule := Rule{Metrics: []Metric{{"above q50", .5, 0}}}
	for _, c := range []struct {
		name             string
		factor           float64
		share            float64
		kept, undone     [2]float64
		futile           [2]float64
		medianOfDecision uint64
	}{
		{"no effect", 1, .5, [2]float64{0, .05}, [2]float64{0, .05}, [2]float64{.9, 1}, 0},
		{"saves 5 %", .95, .5, [2]float64{.95, 1}, [2]float64{0, .01}, [2]float64{0, .05}, 18_000},
		{"saves 10 %", .90, .5, [2]float64{.99, 1}, [2]float64{0, .01}, [2]float64{0, .01}, 5000},
		{"costs 5 %", 1.05, .5, [2]float64{0, .01}, [2]float64{.99, 1}, [2]float64{0, .01}, 18_000},
		{"no effect, 90 %", 1, .9, [2]float64{0, .05}, [2]float64{0, .05}, [2]float64{.9, 1}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(4, 2))
			var kept, undone, futile float64
			var at []uint64
			for range runs() {
				outcome, n := trial(t, r, rule, c.share, 0, 100_000, func(candidate bool, _ uint64) traffic {
					if candidate {
						return traffic{slower(c.factor, 0)[0], usual}
					}
					return traffic{.5, usual}
				})
				switch outcome {
				case Promote:
					kept++
				case Rollback:
					undone++
				default:
					futile++
					continue
				}
				at = append(at, n)
			}
			n := float64(runs())
			t.Logf("kept %.1f %%, undone %.1f %%, futile %.1f %%, median %d", 100*kept/n, 100*undone/n, 100*futile/n, median(at))
			for _, x := range []struct {
				name string
				rate float64
				want [2]float64
			}{{"kept", kept / n, c.kept}, {"undone", undone / n, c.undone}, {"futile", futile / n, c.futile}} {
				if x.rate < x.want[0] || x.rate > x.want[1] {
					t.Errorf("%s %.3f, expected %v", x.name, x.rate, x.want)
				}
			}
			if c.medianOfDecision > 0 && median(at) > c.medianOfDecision {
				t.Errorf("the median decision takes %d requests, expected %d", median(at), c.medianOfDecision)
			}
		})
	}
}

// A ramp multiplies the evidence of its stages; harm found in none of them alone is found, and equal arms pass.
func TestRamp(t *testing.T) {
	stages := []float64{.01, .05, .2, .5}
	ramp := func(r *rand.Rand, candidate, stable traffic) (Outcome, uint64) {
		s := State{}
		for stage, share := range stages {
			s.Epochs = append(s.Epochs, Epoch{Number: uint64(stage), Share: share, Metrics: make([]Counts, 4)})
			e := &s.Epochs[stage]
			for range map[bool]int{false: 20, true: 70}[share == .5] {
				nc := binomial(r, 1000, share)
				bc, bs := candidate.draw(r, nc), stable.draw(r, 1000-nc)
				e.Assigned.Candidate += nc
				e.Assigned.Stable += 1000 - nc
				for i := range e.Metrics {
					e.Metrics[i].plus(Counts{bc[i], nc - bc[i], bs[i], 1000 - nc - bs[i]})
				}
				v, err := simulated.Decide(s)
				if err != nil {
					t.Fatal(err)
				}
				if v.Outcome != Inconclusive && !(v.Outcome == Promote && share < .5) {
					return v.Outcome, v.atMost(s)
				}
			}
		}
		return Inconclusive, 0
	}
	n := runs() / 8
	for _, c := range []struct {
		name              string
		candidate, stable traffic
		want              Outcome
	}{
		{"equal", traffic{.002, usual}, traffic{.002, usual}, Promote},
		{"errors", traffic{.008, usual}, traffic{.0005, usual}, Rollback},
		{"spikes", traffic{.001, slower(1, .01)}, traffic{.001, usual}, Rollback},
	} {
		r := rand.New(rand.NewPCG(2, 8))
		right := 0
		var at []uint64
		for range n {
			if o, requests := ramp(r, c.candidate, c.stable); o == c.want {
				right++
				at = append(at, requests)
			}
		}
		t.Logf("%s: %s in %d of %d, candidate requests at the median %d", c.name, c.want, right, n, median(at))
		if float64(right) < .95*float64(n) {
			t.Errorf("%s: %s in %d of %d", c.name, c.want, right, n)
		}
	}
}

// atMost gives the candidate's requests, for the log of a simulation.
func (Verdict) atMost(s State) (n uint64) {
	for _, e := range s.Epochs {
		n += e.Assigned.Candidate
	}
	return n
}

// Users who stay with their arm and differ from each other: counted request by request they raise false alarms;
// counted once each, with looks after every user, they do not.
func TestStickySubjects(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	const share = .2
	metric := Metric{"errors", .01, .02}
	w := harmWager(metric, share)
	naive, once := 0, 0
	for range runs() {
		var requests, subjects Counts
		alarmed := false
		for user := range 2000 {
			candidate := r.Float64() < share
			active := uint64(5*math.Exp(r.NormFloat64()*1.2)) + 1
			p := .002
			if r.Float64() < .02 {
				p = .2 // 2 % of users walk a broken path, whatever their arm
			}
			bad := binomial(r, min(active, 2000), p)
			for range bad {
				requests.Add(candidate, true)
			}
			for range min(active, 2000) - bad {
				requests.Add(candidate, false)
			}
			subjects.Add(candidate, bad > 0)
			if user%20 == 19 && !alarmed {
				var l wealth
				w.settle(&l, subjects)
				alarmed = l.log() >= math.Log(20)
			}
		}
		if alarmed {
			once++
		}
		nc, ns := float64(requests.Candidate()), float64(requests.Stable())
		p := float64(requests.CandidateBad+requests.StableBad) / (nc + ns)
		z := (float64(requests.CandidateBad)/nc - float64(requests.StableBad)/ns) / math.Sqrt(p*(1-p)*(1/nc+1/ns))
		if z > 1.645 {
			naive++
		}
	}
	n := float64(runs())
	t.Logf("false alarms: %.1f %% by request with one look, %.1f %% by subject with a hundred", 100*float64(naive)/n, 100*float64(once)/n)
	if float64(once)/n > .05 || float64(naive)/n < .10 {
		t.Errorf("by subject %.3f, expected at most 0.05; by request %.3f, expected to fail", float64(once)/n, float64(naive)/n)
	}
}

// Means of bounded values: with Bounded, the e-process holds its error and finds a difference of means.
func TestBoundedMeans(t *testing.T) {
	mean := func(r *rand.Rand, shift float64) float64 { return min(math.Exp(r.NormFloat64()-2)+shift, 1) }
	false_, found := 0, 0
	n := runs() / 2
	r := rand.New(rand.NewPCG(6, 6))
	metric := Metric{"mean", .2, 0}
	w := harmWager(metric, .5)
	for _, shift := range []float64{0, .1} {
		for range n {
			var c Counts
			for i := range 4000 {
				candidate := r.Float64() < .5
				v := mean(r, 0)
				if candidate {
					v = mean(r, shift)
				}
				c.Add(candidate, Bounded(v, r.Float64()))
				if i%100 == 99 {
					var l wealth
					if w.settle(&l, c); l.log() >= math.Log(20) {
						if shift == 0 {
							false_++
						} else {
							found++
						}
						break
					}
				}
			}
		}
	}
	t.Logf("false %d, found %d of %d", false_, found, n)
	if float64(false_) > .05*float64(n) || float64(found) < .99*float64(n) {
		t.Errorf("false %d, found %d of %d", false_, found, n)
	}
}

// A broken lot is noticed, a sound one is not suspected, at any look.
func TestRatioMismatch(t *testing.T) {
	for _, c := range []struct {
		share, truth float64
		requests     uint64
		invalid      [2]float64
	}{
		{.5, .5, 500_000, [2]float64{0, .005}},
		{.01, .01, 500_000, [2]float64{0, .005}},
		{.2, .21, 500_000, [2]float64{.99, 1}},
		{.5, .51, 500_000, [2]float64{.99, 1}},
		{.2, 0, 5000, [2]float64{1, 1}},
	} {
		r := rand.New(rand.NewPCG(5, 5))
		invalid := 0
		var at []uint64
		for range runs() {
			e := Epoch{Share: c.share}
			for n := uint64(0); n < c.requests; n += 1000 {
				k := binomial(r, 1000, c.truth)
				e.Assigned.Candidate += k
				e.Assigned.Stable += 1000 - k
				if mismatch([]Epoch{e}) >= math.Log(1000) {
					invalid++
					at = append(at, n+1000)
					break
				}
			}
		}
		rate := float64(invalid) / float64(runs())
		t.Logf("share %v, really %v: invalid %.1f %%, median %d", c.share, c.truth, 100*rate, median(at))
		if rate < c.invalid[0] || rate > c.invalid[1] {
			t.Errorf("share %v, really %v: invalid %.3f, expected %v", c.share, c.truth, rate, c.invalid)
		}
	}
}

// After a promotion: failures of the new arm are rolled back, failures of the world are not blamed on it.
func TestGuard(t *testing.T) {
	rule := GuardRule{Metrics: simulated.Metrics[:1:1], Certified: []float64{.001}}
	// Four metrics share the chance of error in practice; three that see nothing are added as clean copies.
	for range 3 {
		rule.Metrics = append(rule.Metrics, Metric{"quiet", .001, .002})
		rule.Certified = append(rule.Certified, .001)
	}
	const event, end, lot = 20_000, 240_000, 200
	for _, c := range []struct {
		name            string
		fresh, old      float64
		convicted       [2]float64
		worldAtLeast    float64
		median          uint64
		alarmsAtMostAll int
	}{
		{"new arm 5 % errors", .05, .0005, [2]float64{.99, 1}, 0, 900, -1},
		{"new arm 1 % errors", .01, .0005, [2]float64{.99, 1}, 0, 4500, -1},
		{"new arm 0.4 % errors", .004, .0005, [2]float64{.95, 1}, 0, 14_000, -1},
		{"both 5 %", .05, .05, [2]float64{0, .05}, .95, 0, -1},
		{"nothing", .0005, .0005, [2]float64{0, .01}, 0, 0, runs() / 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(4, 2))
			convicted, world, alarms := 0, 0, 0
			var delay []uint64
			for range runs() {
				var s GuardState
				share := .95
				for n := uint64(0); n < end && s.Phase != Convicted; n += lot {
					fresh, old := .0005, .0005
					if n >= event {
						fresh, old = c.fresh, c.old
					}
					k := binomial(r, lot, share)
					bad, badOld := binomial(r, k, fresh), binomial(r, lot-k, old)
					window := Epoch{Share: share, Metrics: make([]Counts, 4)}
					window.Metrics[0] = Counts{bad, k - bad, badOld, lot - k - badOld}
					for i := 1; i < 4; i++ {
						window.Metrics[i] = Counts{0, k, 0, lot - k}
					}
					var err error
					if s, err = rule.Next(s, window); err != nil {
						t.Fatal(err)
					}
					share = .95
					if s.Phase == Comparing {
						share = .5
					}
					if s.Phase == Convicted {
						convicted++
						if n >= event {
							delay = append(delay, n+lot-event)
						}
					}
					if s.World > 0 && n >= event && c.fresh == c.old {
						break // one judgement, as in the design's figure
					}
				}
				if s.World > 0 {
					world++
				}
				alarms += s.Alarms
			}
			n := float64(runs())
			t.Logf("rolled back %.1f %% (median delay %d), the world %.1f %%, alarms %d", 100*float64(convicted)/n, median(delay), 100*float64(world)/n, alarms)
			if rate := float64(convicted) / n; rate < c.convicted[0] || rate > c.convicted[1] {
				t.Errorf("rolled back %.3f, expected %v", rate, c.convicted)
			}
			if float64(world)/n < c.worldAtLeast {
				t.Errorf("judged as the world's %.3f, expected %v", float64(world)/n, c.worldAtLeast)
			}
			if c.median > 0 && median(delay) > c.median {
				t.Errorf("the median delay is %d requests, expected %d", median(delay), c.median)
			}
			if c.alarmsAtMostAll >= 0 && alarms > c.alarmsAtMostAll {
				t.Errorf("%d alarms, expected %d", alarms, c.alarmsAtMostAll)
			}
		})
	}
}

// A world that stays bad for long must not end in a rollback by persistence.
func TestGuardInLongOutage(t *testing.T) {
	rule := GuardRule{Metrics: simulated.Metrics[:1]}
	r := rand.New(rand.NewPCG(8, 1))
	convicted, judged := 0, 0
	n := runs() / 4
	for range n {
		var s GuardState
		for s.Phase != Convicted && s.World < 20 {
			share := .95
			if s.Phase == Comparing {
				share = .5
			}
			k := binomial(r, 500, share)
			bad, old := binomial(r, k, .05), binomial(r, 500-k, .05)
			s, _ = rule.Next(s, Epoch{Share: share, Metrics: []Counts{{bad, k - bad, old, 500 - k - old}}})
		}
		judged += s.World
		if s.Phase == Convicted {
			convicted++
		}
	}
	t.Logf("rolled back %d of %d over %d comparisons", convicted, n, judged)
	if float64(convicted) > .05*float64(n) {
		t.Errorf("rolled back %d of %d", convicted, n)
	}
}

func TestPlan(t *testing.T) {
	rates := []float64{.002, .5, .05, .01}
	r := rand.New(rand.NewPCG(3, 3))
	for _, share := range []float64{.5, .2} {
		plan := simulated.Requests(share, rates)
		var at []uint64
		for range runs() / 4 {
			if o, n := trial(t, r, simulated, share, 0, 400_000, func(bool, uint64) traffic { return traffic{.002, usual} }); o == Promote {
				at = append(at, n)
			}
		}
		t.Logf("share %v: planned %.0f, median %d", share, plan, median(at))
		if ratio := float64(median(at)) / plan; ratio < .6 || ratio > 1.5 {
			t.Errorf("share %v: planned %.0f requests, the median took %d", share, plan, median(at))
		}
	}
	hopeless := Rule{Metrics: []Metric{{"errors", .001, 0}}}
	if n := hopeless.Requests(.5, []float64{.001}); !math.IsInf(n, 1) {
		t.Errorf("a margin of 0 takes %v requests", n)
	}
	if n := simulated.Requests(.5, rates[:2]); !math.IsInf(n, 1) {
		t.Errorf("two rates for four metrics give %v", n)
	}
	slow := Rule{Metrics: simulated.Metrics, MinRequests: 1e6, MinTime: time.Hour}
	if n := slow.Requests(.5, rates); n != 2e6 {
		t.Errorf("a million of the candidate's at half of the traffic take %v", n)
	}
}
