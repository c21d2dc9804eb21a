package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// The quantiles are those of any statistical table.
func TestStudent(t *testing.T) {
	for freedom, want := range map[int]float64{
		1: 12.7062, 2: 4.3027, 4: 2.7764, 9: 2.2622, 10: 2.2281, 11: 2.2010, 15: 2.1314, 19: 2.0930, 29: 2.0452, 60: 2.0003,
		120: 1.9799, 1000: 1.9623,
	} {
		if got := student(freedom); math.Abs(got-want) > 2e-4 {
			t.Errorf("student(%d) = %.4f, want %.4f", freedom, got, want)
		}
	}
}

// A 95 % interval must hold the truth 95 times in a hundred, however much the machine's speed wanders, for all that
// happens to both sides of a round cancels out.
func TestIntervalHoldsTheTruth(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	const experiments, rounds, truth = 2000, 20, 0.8
	held := 0
	for range experiments {
		var candidate, baseline []float64
		for range rounds {
			speed := 10 * math.Exp(0.5*random.NormFloat64())
			candidate = append(candidate, truth*speed*math.Exp(0.05*random.NormFloat64()))
			baseline = append(baseline, speed*math.Exp(0.05*random.NormFloat64()))
		}
		if r := Interval(candidate, baseline); r.Low <= truth && truth <= r.High {
			held++
		}
	}
	if share := float64(held) / experiments; share < 0.935 || share > 0.965 {
		t.Errorf("%.1f %% of the intervals hold the truth, want 95 %%", 100*share)
	}
}

func TestIntervalRefuses(t *testing.T) {
	for name, rounds := range map[string][2][]float64{
		"one round":        {{1}, {1}},
		"unequal rounds":   {{1, 1}, {1, 1, 1}},
		"a cost of zero":   {{1, 0}, {1, 1}},
		"a negative bound": {{1, 1}, {1, -1}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			Interval(rounds[0], rounds[1])
		})
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{3: {9, 1, 3}, 2.5: {4, 1, 2, 3}, 7: {7}} {
		if got := median(values); got != want {
			t.Errorf("median(%v) = %v, want %v", values, got, want)
		}
	}
}

func ExampleInterval() {
	candidate, baseline := []float64{9, 18, 9.2, 9.1}, []float64{10, 20, 10, 10}
	r := Interval(candidate, baseline)
	fmt.Println(r, r.Within(0.9))
	// Output: 0.907 [0.892, 0.923] true
}
