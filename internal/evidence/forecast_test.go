package evidence

import (
	"math"
	"math/rand/v2"
	"testing"
)

// daily is the rate of a service with a course of the day, quieter at weekends, and noise.
func daily(r *rand.Rand, days int) []float64 {
	x := make([]float64, days*day)
	for i := range x {
		phase := 2 * math.Pi * float64(i%day) / day
		rate := 100 * (1 + .6*math.Sin(phase) + .2*math.Sin(2*phase+1))
		if (i/day)%7 >= 5 {
			rate *= .6
		}
		x[i] = rate + math.Sqrt(rate)*1.5*r.NormFloat64()
	}
	return x
}

var horizons = []int{6, 30, 180}

// follow forecasts a series, and returns at each horizon how often the value lay in the interval after the first day,
// and the last forecast.
func follow(x []float64) (covered map[int]float64, last map[int]Forecast) {
	f := NewForecaster(day, horizons...)
	covered, last = map[int]float64{}, map[int]Forecast{}
	due := map[int][]Forecast{}
	for i, v := range x {
		for _, h := range horizons {
			if queue := due[h]; len(queue) > 0 { // its first is about this window
				if i > day && queue[0].Low <= v && v <= queue[0].High {
					covered[h]++
				}
				due[h] = queue[1:]
			}
		}
		f.Add(v)
		for _, h := range horizons {
			fc, _ := f.At(h)
			if len(due[h]) == 0 {
				due[h] = make([]Forecast, 0, len(x)+h)
				for range h - 1 {
					due[h] = append(due[h], Forecast{Low: math.NaN()})
				}
			}
			due[h] = append(due[h], fc)
			last[h] = fc
		}
	}
	for h := range covered {
		covered[h] /= float64(len(x) - day)
	}
	return covered, last
}

func TestForecastOfADailyCourse(t *testing.T) {
	days := 5
	if runs() == 2000 {
		days = 14
	}
	covered, last := follow(daily(rand.New(rand.NewPCG(1, 2)), days))
	for _, h := range horizons {
		f := last[h]
		t.Logf("%d windows ahead: %s, MASE %.3f, %.1f %% in the interval", h, f.Method, f.MASE, 100*covered[h])
		if !f.Skilled || f.MASE > .9 {
			t.Errorf("%d windows ahead: MASE %.3f, expected below 0.9", h, f.MASE)
		}
		if math.Abs(covered[h]-.9) > .02 {
			t.Errorf("%d windows ahead: %.3f in the interval, expected 0.9", h, covered[h])
		}
	}
	if last[180].Method != methodNames[seasonalRatio] {
		t.Errorf("half an hour ahead the method is %s", last[180].Method)
	}
}

// Where there is nothing to know, it says so: a random walk, a constant, and a first day.
func TestNoSkill(t *testing.T) {
	n := 4
	if runs() == 2000 {
		n = 40
	}
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 2))
		x := make([]float64, 3*day)
		for i := 1; i < len(x); i++ {
			x[i] = x[i-1] + r.NormFloat64()
		}
		for i := range x {
			x[i] += 5000
		}
		covered, last := follow(x)
		for _, h := range horizons {
			if f := last[h]; f.Skilled {
				t.Errorf("seed %d, %d windows ahead: %s shows skill on a random walk, MASE %.3f", seed, h, f.Method, f.MASE)
			}
			if math.Abs(covered[h]-.9) > .05 { // half an hour ahead, misses come in clusters of 180
				t.Errorf("seed %d, %d windows ahead: %.3f in the interval, expected 0.9", seed, h, covered[h])
			}
		}
	}
	f := NewForecaster(day, 6)
	for i := range 3 * day {
		f.Add(7)
		if fc, ok := f.At(6); !ok || fc.Skilled || fc.Point != 7 || fc.MASE != 1 {
			t.Fatalf("window %d of a constant: %+v", i, fc)
		}
	}
	f = NewForecaster(day, 6)
	for _, v := range daily(rand.New(rand.NewPCG(1, 2)), 1) {
		f.Add(v)
		if fc, _ := f.At(6); fc.Skilled {
			t.Fatal("skill before a day was scored")
		}
	}
}

func TestForecastOfGaps(t *testing.T) {
	f := NewForecaster(240, 1, 5)
	if _, ok := f.At(1); ok {
		t.Error("a forecast of nothing")
	}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 4000 {
		x := 10 + math.Sin(2*math.Pi*float64(i)/240)*5 + r.NormFloat64()/10
		switch {
		case i%7 == 3:
			x = math.NaN()
		case i%500 > 450:
			x = math.Inf(1)
		}
		f.Add(x)
		for _, h := range []int{1, 5} {
			fc, ok := f.At(h)
			if i > 0 && (!ok || math.IsNaN(fc.Point) || math.IsNaN(fc.Low) || math.Abs(fc.Point-10) > 30) {
				t.Fatalf("window %d: %+v, %t", i, fc, ok)
			}
		}
	}
	if _, ok := f.At(3); ok {
		t.Error("a forecast at a distance that was not asked for")
	}
	NewForecaster(0, 0).Add(1) // smallest
}

// The methods against their definitions.
func TestMethods(t *testing.T) {
	c := course{season: 2880}
	for i := range 2880 + 100 {
		c.add(100 + float64(i%2880)/10)
	}
	for _, season := range []int{24, 288, 289, 575, 576, day} { // the seasonal method knows its yesterday at any length
		c := course{season: season}
		for range 2*season + 2*span {
			c.add(1)
		}
		if got := c.ahead(5)[seasonalRatio]; got != 1 {
			t.Errorf("a season of %d windows gives %v", season, got)
		}
	}
	got := c.ahead(20)
	last := 100 + 99/10.
	for m, want := range map[method]float64{persistence: last, average: last - 1.45, regression: last + 2, seasonalRatio: (last - 1.45) * (last + 2) / (last - 1.5)} {
		if math.Abs(got[m]-want) > .2 {
			t.Errorf("%s gives %.3f, want %.3f", methodNames[m], got[m], want)
		}
	}
	if got[dampedHolt] < last-3 || got[dampedHolt] > last+3 || math.Abs(got[smoothed]-last) > .5 {
		t.Errorf("damped Holt gives %.2f, EWMA %.2f, after %.2f", got[dampedHolt], got[smoothed], last)
	}
}

func BenchmarkForecaster(b *testing.B) {
	f := NewForecaster(day, horizons...)
	x := daily(rand.New(rand.NewPCG(1, 2)), 1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f.Add(x[i%day])
	}
}
