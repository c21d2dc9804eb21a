package rmf

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// Seeded simulations of whole experiments with known truth, through the engine's own looks, rulings and transitions:
// only the requests are drawn, in lots of some hundreds, as binomial counts. 200 runs each, 2,000 with ISHAA_TEST_LONG=1.

func simRuns() int {
	if testenv.Long() {
		return 2000
	}
	return 200
}

// lot is how many requests come between two looks.
func lot() uint64 {
	if testenv.Long() {
		return 200
	}
	return 500
}

// binomial draws by inversion.
func binomial(r *rand.Rand, n uint64, p float64) uint64 {
	switch {
	case p > .5:
		return n - binomial(r, n, 1-p)
	case p <= 0 || n == 0:
		return 0
	case n > 500: // (1-p)^n would vanish
		return binomial(r, n/2, p) + binomial(r, n-n/2, p)
	}
	odds, mass, u := p/(1-p), math.Pow(1-p, float64(n)), r.Float64()
	k := uint64(0)
	for ; u > mass && k < n; k++ {
		u -= mass
		mass *= odds * float64(n-k) / float64(k+1)
	}
	return k
}

// truth is an arm: its share of errors, and of requests above each frozen quantile.
type truth struct {
	errors float64
	above  [3]float64
}

var likeStable = [3]float64{.5, .05, .01}

// slower gives the shares above the quantiles for log-normal latencies (sigma 0.8) that all take factor times as long,
// and of which a share of spikes takes far longer.
func slower(factor, spikes float64) (above [3]float64) {
	for i, z := range []float64{0, 1.6448536, 2.3263479} {
		tail := .5 * math.Erfc((z-math.Log(factor)/.8)/math.Sqrt2)
		above[i] = tail + (1-tail)*spikes
	}
	return above
}

func (a truth) draw(r *rand.Rand, n uint64) (counts [5]uint64) {
	b1 := binomial(r, n, a.above[0])
	b2 := binomial(r, b1, a.above[1]/a.above[0])
	b3 := binomial(r, b2, a.above[2]/a.above[1])
	return [5]uint64{n, binomial(r, n, a.errors), b1, b2, b3}
}

// world runs experiments without requests.
type world struct {
	m   *Realities
	e   *experiment
	st  *state
	now time.Time
	r   *rand.Rand

	report    nodeReport
	requests  uint64 // by the lot, of both arms
	candidate uint64
	promoted  uint64 // the requests until then; 0 is never
}

func newWorld(t testing.TB, seed uint64, options Options, of ...Option) *world {
	app := ishaa.New("sim", ishaa.Config{Secret: "0123456789abcdef0123456789abcdef"})
	app.SetLogger(slog.New(slog.DiscardHandler))
	m := Enable(app, options)
	handler := func(*ishaa.Request) (any, error) { return nil, nil }
	app.Get("/", handler, Reality("stable"))
	app.Get("/", handler, Reality("candidate", of...))
	if err := m.setup(); err != nil {
		t.Fatal(err)
	}
	w := &world{m: m, e: m.experiments[0], now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), r: rand.New(rand.NewPCG(seed, 9))}
	w.st = w.e.newState(w.now)
	w.e.adopt(w.st, nil, w.now)
	w.report = nodeReport{Node: "sim", Realities: map[string]realityReport{}}
	return w
}

func (w *world) trial() *trial { return w.st.Trials["candidate"] }

// step sends a lot of requests and looks.
func (w *world) step(t testing.TB, lot uint64, of func(candidate bool, n uint64) truth) {
	w.now = w.now.Add(time.Minute)
	p := w.e.policy.Load()
	if len(p.trials) == 1 {
		key := p.trials[0].key
		i := slices.IndexFunc(w.report.Epochs, func(e epochReport) bool { return e.Number == key.epoch && e.Share == key.share })
		if i < 0 {
			i = len(w.report.Epochs)
			w.report.Epochs = append(w.report.Epochs, epochReport{Trial: key.trial, Number: key.epoch, Share: key.share})
		}
		n := binomial(w.r, lot, key.share)
		for arm, count := range [2]uint64{n, lot - n} {
			a := &w.report.Epochs[i].Arms[arm]
			drawn := of(arm == candidateArm, w.candidate).draw(w.r, count)
			a.Assigned += count
			a.Time += time.Duration(count) * 10 * time.Millisecond
			for k := range drawn {
				a.Units[k] += drawn[k]
				a.Flow[k] += drawn[k]
			}
		}
		w.candidate += n
		w.requests += lot
	}
	if w.requests >= 2000 || len(p.trials) == 0 { // by then it is known what is slow
		w.e.recordFor("stable", 1000)
	}
	w.m.node.reports[w.e.name] = []nodeReport{w.report}
	next, entry, err := w.m.node.advance(w.e, w.st, "candidate", w.now, true)
	if err != nil {
		t.Fatal(err)
	}
	if next == nil {
		return
	}
	if entry != nil {
		if _, err := evidence.Replay([]evidence.Entry{*entry}, judge); err != nil {
			t.Fatal(err) // the same counters, the same decision
		}
	}
	if next.Trials["candidate"].Stage == StageGuard && w.promoted == 0 {
		w.promoted = w.requests
	}
	w.st = next
	w.e.adopt(next, nil, w.now)
	w.fix()
}

// recordFor gives a reality a past of log-normal latencies, once.
func (e *experiment) recordFor(name string, n int) {
	i, _ := e.indexOf(name)
	if e.realities[i].recorder.Snapshot().Requests() > 0 {
		return
	}
	r := rand.New(rand.NewPCG(5, 5))
	for range n {
		e.realities[i].recorder.Record(time.Duration(10*math.Exp(.8*r.NormFloat64())*float64(time.Millisecond)), evidence.Success, 0)
	}
}

// fix makes the frozen shares those that the truths are drawn by.
func (w *world) fix() {
	if f := w.trial().Frozen; f != nil {
		f.Slower = likeStable
	}
}

func both(of truth) func(bool, uint64) truth { return func(bool, uint64) truth { return of } }

func versus(candidate, stable truth) func(bool, uint64) truth {
	return func(c bool, _ uint64) truth {
		if c {
			return candidate
		}
		return stable
	}
}

func medianOf(list []uint64) uint64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// An equal candidate is promoted, hardly ever rolled back, and one that is worse is rolled back: the table of the
// design, at 50 to 50, guard included.
func TestExperiments(t *testing.T) {
	if racing {
		t.Skip("simulations run without the race detector")
	}
	options := Options{Unit: ByRequest, BakeTime: time.Minute, GuardTime: 1000 * time.Hour}
	half := []Option{Traffic(50), AutoPromote(), PromoteAfterRequests(500)}
	late := func(after uint64) func(bool, uint64) truth {
		return func(candidate bool, n uint64) truth {
			if candidate && n > after {
				return truth{.05, likeStable}
			}
			return truth{.0005, likeStable}
		}
	}
	for _, c := range []struct {
		name            string
		of              func(bool, uint64) truth
		horizon         uint64
		promotes        bool
		wrong           float64 // at most: of runs that end otherwise
		promotedWrongly float64 // at most: of runs in which it was ever promoted
	}{
		{"identical", both(truth{.002, likeStable}), 60_000, true, .05, 1},
		{"errors 0.05 % to 0.8 %", versus(truth{.008, likeStable}, truth{.0005, likeStable}), 200_000, false, .01, .01},
		{"errors 0.05 % to 1.5 %", versus(truth{.015, likeStable}, truth{.0005, likeStable}), 200_000, false, .01, .01},
		{"1 % take 120 ms longer", versus(truth{.001, slower(1, .01)}, truth{.001, likeStable}), 200_000, false, .01, .01},
		{"25 % slower", versus(truth{.001, slower(1.25, 0)}, truth{.001, likeStable}), 200_000, false, .01, .01},
		{"5 % errors after 4,000 of its requests", late(4000), 200_000, false, .05, .05},
		{"5 % errors after 30,000 of its requests", late(30_000), 200_000, false, .05, 1}, // promoted by then
	} {
		t.Run(c.name, func(t *testing.T) {
			var promoted, rolled []uint64
			wrong, ever, paused := 0, 0, 0
			for run := range simRuns() {
				w := newWorld(t, uint64(run), options, half...)
				for w.requests < c.horizon && w.trial().Stage != StageRolledBack && w.trial().Stage != StagePaused && !(c.promotes && w.promoted > 0) {
					w.step(t, lot(), c.of)
				}
				if w.promoted > 0 {
					ever++
					promoted = append(promoted, w.promoted)
				}
				is := w.trial().Stage
				switch is {
				case StageCanary, StageGuard:
				case StageRolledBack:
					rolled = append(rolled, w.requests)
				case StagePaused: // a lot that is fair looks unfair in at most one of a thousand runs
					paused++
				default:
					t.Fatalf("run %d: %s: %s", run, is, w.trial().Reason)
				}
				if c.promotes != (is == StageGuard) || !c.promotes && is != StageRolledBack {
					wrong++
				}
			}
			n := float64(simRuns())
			t.Logf("promoted %.1f %% (median %d), rolled back %.1f %% (median %d), paused %d of %.0f", 100*float64(len(promoted))/n, medianOf(promoted), 100*float64(len(rolled))/n, medianOf(rolled), paused, n)
			if float64(wrong)/n > c.wrong || float64(ever)/n > c.promotedWrongly || float64(paused) > n/1000+3*math.Sqrt(n/1000) {
				t.Errorf("%d of %.0f runs end otherwise than they should, %d were ever promoted, %d paused", wrong, n, ever, paused)
			}
		})
	}
}

// A promoted candidate that goes wrong is found by the guard; an outage that hits both arms is not blamed on it.
func TestGuard(t *testing.T) {
	if racing {
		t.Skip("simulations run without the race detector")
	}
	options := Options{Unit: ByRequest, BakeTime: time.Minute, GuardTime: 1000 * time.Hour}
	for _, c := range []struct {
		name   string
		bad    func(candidate bool) truth
		rolled [2]float64
	}{
		{"late errors", func(candidate bool) truth {
			if candidate {
				return truth{.05, likeStable}
			}
			return truth{.0005, likeStable}
		}, [2]float64{.95, 1}},
		{"an outage of both", func(bool) truth { return truth{.05, likeStable} }, [2]float64{0, .05}},
		{"nothing", func(bool) truth { return truth{.0005, likeStable} }, [2]float64{0, .05}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rolled, worlds := 0, 0
			var took []uint64
			for run := range simRuns() {
				w := newWorld(t, uint64(run), options, Traffic(50), AutoPromote())
				for w.promoted == 0 && w.trial().Stage == StageCanary && w.requests < 200_000 {
					w.step(t, lot(), both(truth{.0005, likeStable}))
				}
				if w.promoted == 0 {
					continue // a false rollback
				}
				before := w.candidate
				for w.requests < w.promoted+30_000 && w.trial().Stage == StageGuard {
					w.step(t, lot(), func(candidate bool, _ uint64) truth { return c.bad(candidate) })
				}
				worlds++
				if w.trial().Stage == StageRolledBack {
					rolled++
					took = append(took, w.candidate-before)
					if w.st.Stable != "stable" {
						t.Fatalf("after the rollback stable is %s", w.st.Stable)
					}
				}
			}
			share := float64(rolled) / float64(worlds)
			t.Logf("rolled back %.1f %% of %d, after a median of %d of its requests", 100*share, worlds, medianOf(took))
			if share < c.rolled[0] || share > c.rolled[1] || worlds < simRuns()*9/10 {
				t.Errorf("rolled back %.3f, want %v", share, c.rolled)
			}
		})
	}
}

// A candidate that always fails is rolled back within 200 of its requests, at whatever share.
func TestAlwaysFailing(t *testing.T) {
	for _, percent := range []float64{1, 5, 20, 50, 90} {
		worst := uint64(0)
		for run := range simRuns() / 4 {
			w := newWorld(t, uint64(run), Options{Unit: ByRequest}, Traffic(percent))
			for w.trial().Stage == StageCanary && w.candidate < 1000 {
				w.step(t, 20, versus(truth{1, likeStable}, truth{.0005, likeStable}))
			}
			worst = max(worst, w.candidate)
			if w.trial().Stage != StageRolledBack {
				t.Fatalf("%v %%: %s after %d requests", percent, w.trial().Stage, w.candidate)
			}
		}
		t.Logf("at %v %%: at most %d of its requests", percent, worst)
		if worst > 200 {
			t.Errorf("at %v %%: %d requests", percent, worst)
		}
	}
}

// A ramp walks its steps, at no look without time and requests, and stops at the ceiling that Traffic gives.
func TestRamp(t *testing.T) {
	w := newWorld(t, 1, Options{Unit: ByRequest, BakeTime: time.Minute, GuardTime: time.Hour}, Ramp(), Traffic(30), AutoPromote())
	var path []string
	note := func() {
		text := fmt.Sprintf("%s %d %.2f", w.trial().Stage, w.trial().Step, w.st.shareOf("candidate"))
		if len(path) == 0 || path[len(path)-1] != text {
			path = append(path, text)
		}
	}
	note()
	entered := w.now
	for i := 0; w.trial().Stage != StageRetired; i++ {
		if i > 5000 {
			t.Fatalf("%v: %s", path, w.trial().Reason)
		}
		before, step := w.trial().Stage, w.trial().Step
		units := uint64(0)
		for _, e := range w.report.Epochs {
			if e.Number >= w.trial().StepEpoch {
				units += e.Arms[0].Units[0]
			}
		}
		w.step(t, 2000, both(truth{.0005, likeStable}))
		if w.trial().Stage == StageCanary && before == StageCanary && w.trial().Step != step {
			if spent := w.now.Sub(entered); spent < 10*time.Minute {
				t.Errorf("step %d took %v and %d requests", step, spent, units)
			}
			entered = w.now
		}
		if before != w.trial().Stage {
			entered = w.now
		}
		note()
	}
	want := []string{"draft 0 0.00", "canary 0 0.01", "canary 1 0.05", "canary 2 0.20", "canary 3 0.30", "guard 0 0.00", "retired 0 0.00"}
	if fmt.Sprint(path) != fmt.Sprint(want) {
		t.Errorf("%q\nwant %q", path, want)
	}
	if w.st.Stable != "candidate" || !slices.Contains(w.st.Retired, "stable") || w.st.serves("stable") {
		t.Errorf("stable is %s, retired %v", w.st.Stable, w.st.Retired)
	}
	if p := w.e.policy.Load(); p.choose(0) != 1 || p.choose(Buckets-1) != 1 {
		t.Error("somebody is still in the retired reality")
	}
}

// The seed's rule alone, under its names.
func TestThresholdRule(t *testing.T) {
	type arm struct {
		n, errors uint64
		mean      time.Duration
	}
	for _, c := range []struct {
		name              string
		candidate, stable arm
		book              rulebook
		want              Stage
	}{
		{"too few", arm{999, 0, 10}, arm{999, 0, 10}, rulebook{MinRequests: 1000, ErrorMax: .02, LatencyRatio: 1.5}, StageCanary},
		{"enough", arm{1000, 0, 10}, arm{999, 0, 10}, rulebook{MinRequests: 1000, ErrorMax: .02, LatencyRatio: 1.5}, StageRetired},
		{"errors", arm{1000, 20, 10}, arm{999, 0, 10}, rulebook{MinRequests: 1000, ErrorMax: .02, LatencyRatio: 1.5}, StageCanary},
		{"fewer errors", arm{1000, 19, 10}, arm{999, 0, 10}, rulebook{MinRequests: 1000, ErrorMax: .02, LatencyRatio: 1.5}, StageRetired},
		{"slow", arm{1000, 0, 16}, arm{999, 0, 10}, rulebook{MinRequests: 1000, ErrorMax: .02, LatencyRatio: 1.5}, StageCanary},
		{"as slow as it may be", arm{1000, 0, 15}, arm{999, 0, 10}, rulebook{MinRequests: 1000, ErrorMax: .02, LatencyRatio: 1.5}, StageRetired},
		{"the seed's search", arm{500, 4, 11}, arm{999, 0, 10}, rulebook{MinRequests: 500, ErrorMax: .01, LatencyRatio: 1.1}, StageRetired},
	} {
		c.book.Rule, c.book.Auto, c.book.Steps = Threshold, true, 1
		total := func(a arm) armTotal { return armTotal{a.n, a.errors, time.Duration(a.n) * a.mean} }
		r, err := c.book.rule(look{Stage: StageCanary, Candidate: total(c.candidate), Stable: total(c.stable)})
		if err != nil || r.To != c.want {
			t.Errorf("%s: %s (%s), %v", c.name, r.To, r.Reason, err)
		}
		c.book.Auto = false // Options.NoSelfRetiring
		if r, _ := c.book.rule(look{Stage: StageCanary, Candidate: total(c.candidate), Stable: total(c.stable)}); r.To != StageCanary || r.Would != (c.want == StageRetired) {
			t.Errorf("%s, not by itself: %s, would %t", c.name, r.To, r.Would)
		}
	}
}

// The options of the seed reach the rule that decides, each reality's own before the application's.
func TestPromotionOptions(t *testing.T) {
	book := func(o Options, of ...Option) rulebook {
		w := newWorld(t, 1, o, of...)
		return w.e.bookOf(1, w.trial())
	}
	if b := book(Options{}, Traffic(20), AutoPromote()); b.MinRequests != 1000 || b.ErrorMax != .02 || b.LatencyRatio != 1.5 || !b.Auto || b.Steps != 1 || b.Rule != Evidence {
		t.Errorf("defaults: %+v", b)
	}
	if b := book(Options{AutoPromoteThreshold: 10, AutoPromoteErrorMax: .1, AutoPromoteLatencyRatio: 3, Rule: Threshold}, Traffic(20), AutoPromote()); b.MinRequests != 10 || b.ErrorMax != .1 || b.LatencyRatio != 3 || b.Rule != Threshold {
		t.Errorf("the application's: %+v", b)
	}
	if b := book(Options{AutoPromoteThreshold: 10}, AutoPromote(), PromoteAfterRequests(500), PromoteErrorThreshold(.01), PromoteLatencyRatio(1.1)); b.MinRequests != 500 || b.ErrorMax != .01 || b.LatencyRatio != 1.1 {
		t.Errorf("the reality's: %+v", b)
	}
	if b := book(Options{NoSelfRetiring: true}, AutoPromote()); b.Auto {
		t.Error("NoSelfRetiring promotes")
	}
	if b := book(Options{}, Traffic(20)); b.Auto {
		t.Error("a plain share is promoted")
	}
	w := newWorld(t, 1, Options{}, AutoPromote()) // shares what stable leaves
	if got := w.e.ceiling(1); got != .5 {
		t.Errorf("without a percentage: %v", got)
	}
}

// Evidence that is safe but beyond a threshold of the program's own is held back.
func TestHeldBack(t *testing.T) {
	for _, c := range []struct {
		name string
		of   []Option
		want string
	}{
		{"errors", []Option{PromoteErrorThreshold(.0001)}, "may"},
		{"latency", []Option{PromoteLatencyRatio(.5)}, "mean latency"},
	} {
		w := newWorld(t, 1, Options{Unit: ByRequest, BakeTime: time.Minute}, append(c.of, Traffic(50), AutoPromote())...)
		for w.requests < 100_000 && w.trial().Stage == StageCanary {
			w.step(t, 200, both(truth{.0015, likeStable}))
		}
		r, err := w.e.bookOf(1, w.trial()).rule(w.m.node.lookAt(w.e, w.st, "candidate", w.now))
		if err != nil || r.To != StageCanary || r.Outcome != evidence.Promote || !strings.Contains(r.Reason, c.want) {
			t.Errorf("%s: %s %s (%s), %v", c.name, r.To, r.Outcome, r.Reason, err)
		}
	}
}

// Shares that do not come out as they were drawn stop the trial.
func TestMismatchPauses(t *testing.T) {
	w := newWorld(t, 1, Options{Unit: ByRequest}, Traffic(50), AutoPromote())
	for i := 0; w.trial().Stage == StageCanary && i < 500; i++ {
		w.step(t, 200, both(truth{.0005, likeStable}))
		e := &w.report.Epochs[len(w.report.Epochs)-1]
		e.Arms[candidateArm].Assigned -= e.Arms[candidateArm].Assigned / 50 // one in fifty is lost before it is counted
	}
	if w.trial().Stage != StagePaused || !strings.Contains(w.trial().Reason, "shares") {
		t.Errorf("%s: %s", w.trial().Stage, w.trial().Reason)
	}
}

// A trial without an answer is undone, but never promoted; a plain share has no end.
func TestInconclusive(t *testing.T) {
	between := versus(truth{.0012, likeStable}, truth{.0005, [3]float64{.5, .05, .01}})
	for want, of := range map[Stage][]Option{StageInconclusive: {Traffic(50), AutoPromote()}, StageCanary: {Traffic(50)}} {
		w := newWorld(t, 3, Options{Unit: ByRequest, MaxRequests: 20_000}, of...)
		for w.requests < 30_000 && w.trial().Stage == StageCanary {
			w.step(t, 200, between)
		}
		if w.trial().Stage != want || w.st.Stable != "stable" {
			t.Errorf("%s, want %s: %s", w.trial().Stage, want, w.trial().Reason)
		}
	}
}

// New terms are a new trial; the same terms go on; a reality that is gone gives its place back.
func TestFit(t *testing.T) {
	w := newWorld(t, 1, Options{Unit: ByRequest, BakeTime: time.Minute, GuardTime: time.Minute}, Traffic(50), AutoPromote())
	for i := 0; w.trial().Stage != StageRetired && i < 1000; i++ {
		w.step(t, 2000, both(truth{.0005, likeStable}))
	}
	if w.st.Stable != "candidate" {
		t.Fatalf("stable is %s: %s", w.st.Stable, w.trial().Reason)
	}
	again := newWorld(t, 1, Options{Unit: ByRequest}, Traffic(50), AutoPromote())
	st := w.st.clone()
	if again.e.fit(st, w.now) || st.Stable != "candidate" {
		t.Errorf("the same program changes the state: stable is %s", st.Stable)
	}
	revised := newWorld(t, 1, Options{Unit: ByRequest}, Traffic(50), AutoPromote(), Revision("2"))
	if st = w.st.clone(); !revised.e.fit(st, w.now) || st.Stable != "stable" || st.Trials["candidate"].Stage != StageCanary || st.serves("stable") == false {
		t.Errorf("a new revision: stable is %s, the candidate %s", st.Stable, st.Trials["candidate"].Stage)
	}
	gone := newWorld(t, 1, Options{})
	gone.e.realities = gone.e.realities[:1]
	if st = w.st.clone(); !gone.e.fit(st, w.now) || st.Stable != "stable" || len(st.Trials) != 0 {
		t.Errorf("a reality that is gone: stable is %s, trials %v", st.Stable, st.Trials)
	}
}
