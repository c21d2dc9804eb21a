package evidence

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

const day = 8640 // windows of ten seconds

// windows is a series of the logarithms of latencies: noise of 5 % that remembers a share of itself, 2 % of it four
// times as large, and a shift from a window on.
func windows(r *rand.Rand, n, at int, shift, memory float64) []float64 {
	x := make([]float64, n)
	e := 0.0
	for i := range x {
		z := r.NormFloat64()
		if r.Float64() < .02 {
			z *= 4
		}
		e = memory*e + math.Sqrt(1-memory*memory)*z
		x[i] = 5 + .05*e
		if i >= at {
			x[i] += shift
		}
	}
	return x
}

func TestNoFalseAlarms(t *testing.T) {
	for _, memory := range []float64{0, .5} {
		r := rand.New(rand.NewPCG(1, 2))
		alarmed := 0
		for range runs() {
			var d Detector
			for _, x := range windows(r, day, day, 0, memory) {
				if _, ok := d.Add(x); ok {
					alarmed++
					break
				}
			}
		}
		rate := float64(alarmed) / float64(runs())
		t.Logf("memory %v: false alarms in %.1f %% of the days", memory, 100*rate)
		if rate > .08 {
			t.Errorf("memory %v: false alarms in %.3f of the days, expected at most 0.08", memory, rate)
		}
	}
}

// What is missed is missed after a false alarm right before the change, whose new reference then holds both levels.
func TestChanges(t *testing.T) {
	for _, c := range []struct {
		shift, memory float64
		median        int
		missed        float64
	}{
		{.1, 0, 12, .005}, {.1, .5, 26, .005}, {-.1, .5, 26, .005}, {.2, .5, 11, .005}, {.05, 0, 35, .005},
	} {
		r := rand.New(rand.NewPCG(3, 1))
		const at = 400
		missed, early := 0, 0
		var delay, error_ []int
		var after []float64
		for range runs() {
			var d Detector
			found := false
			for i, x := range windows(r, 1000, at, c.shift, c.memory) {
				change, ok := d.Add(x)
				if ok && i < at {
					early++
				}
				if ok && i >= at {
					found = true
					if change.Found != i {
						t.Fatalf("found at %d, said %d", i, change.Found)
					}
					delay = append(delay, i-at)
					error_ = append(error_, max(change.Onset-at, at-change.Onset))
					after = append(after, change.After-change.Before)
					break
				}
			}
			if !found {
				missed++
			}
		}
		slices.Sort(delay)
		slices.Sort(error_)
		m := delay[len(delay)/2]
		t.Logf("%+.2f, memory %v: found after %d windows, onset off by %d, shift %+.3f, missed %d, early %d", c.shift, c.memory, m, error_[len(error_)/2], Median(after), missed, early)
		if m > c.median || float64(missed) > c.missed*float64(runs()) {
			t.Errorf("%+.2f, memory %v: found after %d windows, expected %d; missed %d of %d", c.shift, c.memory, m, c.median, missed, runs())
		}
		if math.Abs(Median(after)-c.shift) > .02 {
			t.Errorf("a shift of %v is reported as %v", c.shift, Median(after))
		}
	}
}

// After a change the new level is learnt, and the next change is found from there.
func TestChangeAfterChange(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	var d Detector
	var found []Change
	for i := range 3000 {
		x := 5 + .05*r.NormFloat64()
		switch {
		case i >= 2000:
			x -= .2
		case i >= 1000:
			x += .3
		}
		if i%97 == 0 {
			x = math.NaN() // a window without traffic
		}
		if c, ok := d.Add(x); ok {
			found = append(found, c)
		}
	}
	if len(found) != 2 || found[0].Onset < 990 || found[0].Onset > 1003 || found[1].Onset < 1990 || found[1].Onset > 2003 {
		t.Fatalf("found %+v", found)
	}
	if c := found[1]; math.Abs(c.Before-5.3) > .02 || math.Abs(c.After-4.8) > .05 {
		t.Errorf("the second change is from %.2f to %.2f", c.Before, c.After)
	}
}

// A series that never moved does not alarm at its first small move, and does at one above its floor.
func TestConstantSeries(t *testing.T) {
	for _, c := range []struct {
		floor, move float64
		want        bool
	}{{0, 0, false}, {.01, .001, false}, {.01, .05, true}, {0, 1, true}} {
		d := Detector{Floor: c.floor}
		found := false
		for i := range 500 {
			x := 2.
			if i > 200 {
				x += c.move
			}
			if _, ok := d.Add(x); ok {
				found = true
			}
		}
		if found != c.want {
			t.Errorf("floor %v, move %v: found %t", c.floor, c.move, found)
		}
	}
}

// Many series at once: without Confirm some alarm falsely every day, with it hardly any are believed.
func TestChangesAcrossSeries(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	n := 40
	var p []float64
	for i := range n {
		p = append(p, 1)
		var d Detector
		shift := 0.
		if i < 4 {
			shift = .2
		}
		for _, x := range windows(r, 1000, 400, shift, .5) {
			if c, ok := d.Add(x); ok {
				p[i] = min(p[i], c.P)
			}
		}
	}
	for i, b := range Confirm(p, .05) {
		if i < 4 && !b {
			t.Errorf("series %d changed and is not believed, p %v", i, p[i])
		}
	}
}

func BenchmarkDetector(b *testing.B) {
	x := windows(rand.New(rand.NewPCG(1, 2)), day, day, 0, .5)
	var d Detector
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d.Add(x[i%day])
	}
}
