package evidence

import "math"

// Requests returns about how many requests of both arms a promotion takes if the candidate is as stable is: rates are
// the shares of bad outcomes, in the order of Metrics, and share is the candidate's. It is +Inf for a trial that cannot
// succeed, as with a margin of 0.
//
// Wealth grows by E[ln(1 + λ(δ − Z))] a request, for the best λ of the grid (Kelly 1956), from 1/24 to 1/α. Half of the
// trials take longer than the mean says; 1.5 covers most.
func (r Rule) Requests(share float64, rates []float64) float64 {
	r = r.withDefaults()
	if r.check(State{Epochs: []Epoch{{Share: share, Metrics: make([]Counts, len(rates))}}}) != nil {
		return math.Inf(1)
	}
	most := float64(r.MinRequests) / share
	for i, m := range r.Metrics {
		p := min(max(rates[i], 0), 1)
		weight := [4]float64{share * p, share * (1 - p), (1 - share) * p, (1 - share) * (1 - p)}
		growth := 0.0
		for _, bet := range safeWager(m, share) {
			var g float64
			for k := range bet {
				g += weight[k] * bet[k]
			}
			growth = max(growth, g)
		}
		if growth <= 0 {
			return math.Inf(1)
		}
		most = max(most, math.Log(grid/r.Alpha)/growth)
	}
	return most
}
