package evidence

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}, {nil, math.NaN()}} {
		given := slices.Clone(c.x)
		if got := Median(c.x); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) || !slices.Equal(given, c.x) {
			t.Errorf("the median of %v is %v, want %v", c.x, got, c.want)
		}
	}
}

// Against values that were worked out by hand: in the second, b wins 13 of 16 pairs, a tie being half of one.
func TestMannWhitney(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		p    float64
	}{
		{[]float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}, .01219},
		{[]float64{1, 2, 2, 3}, []float64{2, 3, 3, 4}, .17203},
		{[]float64{1, 1}, []float64{1, 1}, 1},
		{nil, []float64{1}, 1},
	} {
		p, z := MannWhitney(c.a, c.b)
		back, minus := MannWhitney(c.b, c.a)
		if math.Abs(p-c.p) > 1e-5 || math.Abs(p-back) > 1e-12 || z != -minus || z < 0 {
			t.Errorf("%v and %v: p %v (reversed %v), z %v, want %v", c.a, c.b, p, back, z, c.p)
		}
	}
}

// p-values of equal distributions are uniform, with ties and without.
func TestPValuesAreUniform(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	n := 2000
	whitney, ties, trend := 0, 0, 0
	for range n {
		a, b := make([]float64, 20), make([]float64, 15)
		for i := range a {
			a[i] = r.NormFloat64()
		}
		for i := range b {
			b[i] = r.NormFloat64()
		}
		if p, _ := MannWhitney(a, b); p < .05 {
			whitney++
		}
		if p, _ := Trend(a); p < .05 {
			trend++
		}
		for i := range a {
			a[i] = math.Round(a[i])
		}
		for i := range b {
			b[i] = math.Round(b[i])
		}
		if p, _ := MannWhitney(a, b); p < .05 {
			ties++
		}
	}
	for name, count := range map[string]int{"Mann-Whitney": whitney, "with ties": ties, "Mann-Kendall": trend} {
		if rate := float64(count) / float64(n); rate < .03 || rate > .065 {
			t.Errorf("%s: p < 0.05 in %.3f", name, rate)
		}
	}
}

func TestTrend(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float64, 100)
	for i := range x {
		x[i] = 50 + .1*float64(i) + r.NormFloat64()*3
		if i%10 == 0 {
			x[i] += 500 // outliers do not carry it
		}
	}
	if p, slope := Trend(x); p > .01 || math.Abs(slope-.1) > .05 {
		t.Errorf("a creep of 0.1 a window: p %v, slope %v", p, slope)
	}
	for _, flat := range [][]float64{nil, {1, 2}, {5, 5, 5, 5}} {
		if p, slope := Trend(flat); p != 1 || slope != 0 {
			t.Errorf("%v: p %v, slope %v", flat, p, slope)
		}
	}
}

// Of what Confirm believes, a share q is wrong at most; the example is Benjamini and Hochberg's own (1995, §4).
func TestConfirm(t *testing.T) {
	p := []float64{.4, .0001, .0459, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .3240, .4262, .5719, .6528, .7590, 1}
	believed := 0
	for _, b := range Confirm(p, .05) {
		if b {
			believed++
		}
	}
	if believed != 4 || !Confirm(p, .05)[5] || Confirm(p, .05)[6] {
		t.Errorf("believes %d: %v", believed, Confirm(p, .05))
	}
	if len(Confirm(nil, .05)) != 0 {
		t.Error("believes in nothing")
	}
	r := rand.New(rand.NewPCG(1, 3))
	wrong, n := 0.0, 2000
	for range n {
		p := make([]float64, 50)
		for i := range p {
			p[i] = r.Float64()
			if i < 10 {
				p[i] *= 1e-4
			}
		}
		falsely, all := 0., 0.
		for i, b := range Confirm(p, .1) {
			if b {
				all++
				if i >= 10 {
					falsely++
				}
			}
		}
		wrong += falsely / max(all, 1)
	}
	if wrong /= float64(n); wrong > .1 || wrong < .06 {
		t.Errorf("wrong in %.3f of what it believes, expected 0.08", wrong)
	}
}
