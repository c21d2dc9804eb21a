package evidence

import (
	"cmp"
	"math"
	"slices"
)

// Statistics of order: they look at which value is larger, not by how much, so a heavy tail or an outlier cannot
// carry a decision alone.

// Median returns the median, the mean of the middle two for an even number, NaN for none.
func Median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	s := slices.Clone(x)
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// spread returns the median absolute deviation, in units of a normal distribution's standard deviation, 1/Φ⁻¹(3/4) =
// 1.4826 times it (Hampel 1974).
func spread(x []float64, middle float64) float64 {
	d := make([]float64, len(x))
	for i, v := range x {
		d[i] = math.Abs(v - middle)
	}
	return 1.4826 * Median(d)
}

// MannWhitney returns the two-sided p-value that a and b come from one distribution, by the normal approximation with
// the correction for ties and for continuity (Mann and Whitney 1947). It is 1 where one is empty or all values are
// equal, and good from about 8 values in each; z is positive where b tends to be larger.
func MannWhitney(a, b []float64) (p, z float64) {
	type value struct {
		x   float64
		ofB bool
	}
	all := make([]value, 0, len(a)+len(b))
	for _, x := range a {
		all = append(all, value{x, false})
	}
	for _, x := range b {
		all = append(all, value{x, true})
	}
	slices.SortFunc(all, func(u, v value) int { return cmp.Compare(u.x, v.x) })
	na, nb, n := float64(len(a)), float64(len(b)), float64(len(all))
	var ranks, ties float64 // of b
	for i := 0; i < len(all); {
		j, ofB := i, 0
		for ; j < len(all) && all[j].x == all[i].x; j++ {
			if all[j].ofB {
				ofB++
			}
		}
		same := float64(j - i)
		ranks += float64(ofB) * (float64(i+j) + 1) / 2
		ties += same*same*same - same
		i = j
	}
	variance := na * nb / 12 * ((n + 1) - ties/(n*(n-1)))
	if !(variance > 0) {
		return 1, 0
	}
	u := ranks - nb*(nb+1)/2 - na*nb/2
	z = math.Copysign(max(math.Abs(u)-.5, 0), u) / math.Sqrt(variance)
	return math.Erfc(math.Abs(z) / math.Sqrt2), z
}

// Confirm says which of many tests to believe, such that of those believed a share q is wrong at most, on average
// (Benjamini and Hochberg 1995): with a thousand series, p < 0.05 alone would find fifty changes where there are none.
func Confirm(p []float64, q float64) []bool {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	last := -1
	for rank, i := range order {
		if p[i] <= q*float64(rank+1)/float64(len(p)) {
			last = rank
		}
	}
	believed := make([]bool, len(p))
	for _, i := range order[:last+1] {
		believed[i] = true
	}
	return believed
}

// Trend tests a series for a slow creep: the two-sided p-value that it has none (Mann 1945, Kendall 1975, with the
// correction for ties), and the median slope per step (Sen 1968). The time taken grows with the square of the length.
func Trend(x []float64) (p, slope float64) {
	n := len(x)
	if n < 3 {
		return 1, 0
	}
	var s float64
	slopes := make([]float64, 0, n*(n-1)/2)
	for i, u := range x {
		for j := i + 1; j < n; j++ {
			s += float64(cmp.Compare(x[j], u))
			slopes = append(slopes, (x[j]-u)/float64(j-i))
		}
	}
	variance := float64(n) * float64(n-1) * float64(2*n+5)
	sorted := slices.Sorted(slices.Values(x))
	for i := 0; i < n; {
		j := i
		for j < n && sorted[j] == sorted[i] {
			j++
		}
		t := float64(j - i)
		variance -= t * (t - 1) * (2*t + 5)
		i = j
	}
	if variance <= 0 {
		return 1, 0
	}
	z := max(math.Abs(s)-1, 0) / math.Sqrt(variance/18)
	return math.Erfc(z / math.Sqrt2), Median(slopes)
}
