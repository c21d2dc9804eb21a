package cpu

import (
	"fmt"
	"math"
	"slices"
)

// Ratio is how many times the baseline's cost a candidate's is, with a 95 % confidence interval.
type Ratio struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Within reports whether a bound is met: whether the interval's lower end is within it.
func (r Ratio) Within(bound float64) bool { return r.Low <= bound }

// String writes the ratio and its interval with three digits.
func (r Ratio) String() string { return fmt.Sprintf("%.3f [%.3f, %.3f]", r.Mean, r.Low, r.High) }

// Interval compares the costs of a candidate with those of the baseline, round by round. The mean is the geometric
// one, for a ratio of 2 and one of 1/2 must cancel out; the interval is Student's t on the logarithms.
// It panics if the rounds are not the same number, are fewer than two, or a cost is not positive.
func Interval(candidate, baseline []float64) Ratio {
	if len(candidate) != len(baseline) || len(candidate) < 2 {
		panic("cpu: a ratio needs the same rounds of both, and at least two")
	}
	logs := make([]float64, len(candidate))
	sum := 0.0
	for i := range logs {
		if candidate[i] <= 0 || baseline[i] <= 0 {
			panic("cpu: costs must be positive")
		}
		logs[i] = math.Log(candidate[i] / baseline[i])
		sum += logs[i]
	}
	n := float64(len(logs))
	mean := sum / n
	squares := 0.0
	for _, x := range logs {
		squares += (x - mean) * (x - mean)
	}
	half := student(len(logs)-1) * math.Sqrt(squares/(n-1)/n)
	return Ratio{Mean: math.Exp(mean), Low: math.Exp(mean - half), High: math.Exp(mean + half)}
}

// student returns the 97.5 % quantile of Student's t distribution: exact to four digits for few degrees of freedom,
// and beyond by the expansion around the normal quantile (Abramowitz and Stegun, 26.7.5).
func student(freedom int) float64 {
	exact := []float64{12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622}
	if freedom <= len(exact) {
		return exact[freedom-1]
	}
	const z = 1.959964
	f := float64(freedom)
	const z3, z5, z7 = z * z * z, z * z * z * z * z, z * z * z * z * z * z * z
	return z + (z3+z)/(4*f) + (5*z5+16*z3+3*z)/(96*f*f) + (3*z7+19*z5+17*z3-15*z)/(384*f*f*f)
}

// median returns the middle value.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}
