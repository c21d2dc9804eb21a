package evidence

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// Tally holds the counters of all nodes of a trial, one entry per node and epoch. A node only ever reports its own
// counters, which only grow, so the larger of two reports is the later one: merging takes the larger, counter by
// counter, and can be done twice, in any order, or through a third node, with the same result (a grow-only counter,
// Shapiro et al. 2011). Adding up is left to the end.
//
// A node that starts again counts from 0, so it needs a name of its own for each start.
type Tally struct {
	nodes map[string]map[epochKey]Epoch
}

// epochKey tells epochs apart. The share is part of it: a node that was cut off and counted under another one than
// the rest is weighed by the one it really used.
type epochKey struct {
	number uint64
	share  float64
}

// Report takes the counters of a node in an epoch. An earlier state of the same counters changes nothing.
func (t *Tally) Report(node string, e Epoch) {
	if t.nodes == nil {
		t.nodes = map[string]map[epochKey]Epoch{}
	}
	if t.nodes[node] == nil {
		t.nodes[node] = map[epochKey]Epoch{}
	}
	key := epochKey{e.Number, e.Share}
	had, ok := t.nodes[node][key]
	if !ok {
		had = Epoch{Number: e.Number, Share: e.Share}
	}
	had.Assigned.Candidate = max(had.Assigned.Candidate, e.Assigned.Candidate)
	had.Assigned.Stable = max(had.Assigned.Stable, e.Assigned.Stable)
	had.Metrics = grown(had.Metrics, len(e.Metrics))
	for i, c := range e.Metrics {
		had.Metrics[i].atLeast(c)
	}
	t.nodes[node][key] = had
}

// Merge takes all reports of another tally.
func (t *Tally) Merge(other *Tally) {
	for node, epochs := range other.nodes {
		for _, e := range epochs {
			t.Report(node, e)
		}
	}
}

// Epochs returns the sums over the nodes, by number.
func (t *Tally) Epochs() []Epoch {
	sums := map[epochKey]Epoch{}
	for _, epochs := range t.nodes {
		for key, e := range epochs {
			sum, ok := sums[key]
			if !ok {
				sum = Epoch{Number: e.Number, Share: e.Share}
			}
			sum.Assigned.Candidate += e.Assigned.Candidate
			sum.Assigned.Stable += e.Assigned.Stable
			sum.Metrics = grown(sum.Metrics, len(e.Metrics))
			for i, c := range e.Metrics {
				sum.Metrics[i].plus(c)
			}
			sums[key] = sum
		}
	}
	return slices.SortedFunc(maps.Values(sums), byNumber)
}

// MarshalJSON writes the reports by node; the same reports give the same bytes.
func (t *Tally) MarshalJSON() ([]byte, error) {
	out := map[string][]Epoch{}
	for node, epochs := range t.nodes {
		out[node] = slices.SortedFunc(maps.Values(epochs), byNumber)
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote, in place of what the tally had.
func (t *Tally) UnmarshalJSON(data []byte) error {
	var in map[string][]Epoch
	if err := json.Unmarshal(data, &in); err != nil {
		return errors.New("evidence: malformed tally: " + err.Error())
	}
	t.nodes = nil
	for node, epochs := range in {
		for _, e := range epochs {
			t.Report(node, e)
		}
	}
	return nil
}

// grown returns counts of at least n metrics, in memory of its own.
func grown(c []Counts, n int) []Counts {
	out := make([]Counts, max(n, len(c)))
	copy(out, c)
	return out
}
