package evidence

import (
	"fmt"
	"time"
)

// Frozen is what counts as bad in a trial, taken from stable before it starts: a server error, or slower than stable's
// median, 95th or 99th percentile was then. Freezing makes a quantile a share, which four counters can carry, and it
// makes "slower" mean the same to both arms. The edges are those of histogram buckets, so a recorder's snapshot holds
// the counters of all four metrics and a request is recorded once.
type Frozen struct {
	Q50    time.Duration `json:"q50"` // nanoseconds in JSON
	Q95    time.Duration `json:"q95"`
	Q99    time.Duration `json:"q99"`
	Errors float64       `json:"errors"`           // share of 5xx
	Slower [3]float64    `json:"slower"`           // share of requests above each of the three
	By     [4]float64    `json:"margins,omitzero"` // margins, in the order of Metrics; see DefaultMargins
}

// DefaultMargins are what a candidate may be worse by: 0.2 points more errors, 5 points more above the median, 1 point
// above the 95th percentile, half a point above the 99th. Half as many would take about four times the requests.
func DefaultMargins() [4]float64 { return [4]float64{.002, .05, .01, .005} }

// freezeAfter is what stable must have shown: 10 requests are then above its 99th percentile.
const freezeAfter = 1000

// Freeze takes the thresholds from what stable did before. It needs 1,000 requests.
func Freeze(stable *Snapshot) (Frozen, error) {
	n := stable.Requests()
	if n < freezeAfter {
		return Frozen{}, fmt.Errorf("evidence: stable has served %d requests; to know what is slow for it takes %d", n, freezeAfter)
	}
	f := Frozen{
		Q50:    stable.Latency.Threshold(.5),
		Q95:    stable.Latency.Threshold(.95),
		Q99:    stable.Latency.Threshold(.99),
		Errors: float64(stable.ServerErrors) / float64(n),
		By:     DefaultMargins(),
	}
	for i, t := range f.thresholds() {
		f.Slower[i] = float64(stable.Latency.Above(t)) / float64(n)
	}
	return f, nil
}

func (f Frozen) thresholds() [3]time.Duration { return [3]time.Duration{f.Q50, f.Q95, f.Q99} }

// Metrics returns the four metrics of the trial: errors, and slower than each quantile. A centre is kept off 0, where
// one bad outcome would look like a miracle: 0.1 %, as in the simulations.
func (f Frozen) Metrics() []Metric {
	by := f.By
	if by == ([4]float64{}) {
		by = DefaultMargins()
	}
	m := []Metric{{Name: "errors", Centre: f.Errors}, {Name: "above q50", Centre: f.Slower[0]},
		{Name: "above q95", Centre: f.Slower[1]}, {Name: "above q99", Centre: f.Slower[2]}}
	for i := range m {
		m[i].Centre = min(max(m[i].Centre, .001), .5)
		m[i].Margin = by[i]
	}
	return m
}

// Count returns the counters of the four metrics from the snapshots of the arms.
func (f Frozen) Count(candidate, stable *Snapshot) []Counts {
	nc, ns := candidate.Requests(), stable.Requests()
	c := []Counts{{candidate.ServerErrors, less(nc, candidate.ServerErrors), stable.ServerErrors, less(ns, stable.ServerErrors)}}
	for _, t := range f.thresholds() {
		bc, bs := candidate.Latency.Above(t), stable.Latency.Above(t)
		c = append(c, Counts{bc, less(nc, bc), bs, less(ns, bs)})
	}
	return c
}
