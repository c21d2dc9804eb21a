package rmf

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Stats is what is known about all experiments, by all nodes where they share a store. Durations are nanoseconds.
type Stats struct {
	Application string            `json:"application"`
	At          time.Time         `json:"at"`
	Node        string            `json:"node"`
	Leads       bool              `json:"leads"`   // this node advances experiments
	CutOff      bool              `json:"cutOff"`  // the store does not answer; shares stay as they are
	Dropped     uint64            `json:"dropped"` // simulations of this node that found no place
	Experiments []ExperimentStats `json:"experiments"`
}

// ExperimentStats is a route with its realities.
type ExperimentStats struct {
	Name      string         `json:"name"`
	Epoch     uint64         `json:"epoch"`
	Salt      string         `json:"salt"` // see Lot
	Unit      Unit           `json:"unit"`
	Stable    string         `json:"stable"`
	Nodes     int            `json:"nodes"` // that have counted something
	Realities []RealityStats `json:"realities"`
}

// RealityStats is a reality with its numbers.
type RealityStats struct {
	Name         string            `json:"name"`
	Tags         []string          `json:"tags,omitempty"`
	Source       string            `json:"source"` // file and line
	Active       bool              `json:"active"` // its window is open, or it has none
	Window       string            `json:"window,omitempty"`
	Share        float64           `json:"share"` // of the lot
	Requests     uint64            `json:"requests"`
	Chosen       map[string]uint64 `json:"chosen"`    // by header, cookie, rule, window, traffic
	ErrorRate    float64           `json:"errorRate"` // share of 5xx
	ClientErrors uint64            `json:"clientErrors"`
	Mean         time.Duration     `json:"mean"`
	P50          time.Duration     `json:"p50"`
	P95          time.Duration     `json:"p95"`
	P99          time.Duration     `json:"p99"`
	Trial        *TrialStats       `json:"trial,omitempty"`
	Simulation   *Simulation       `json:"simulation,omitempty"` // of this node
}

// TrialStats is where a candidate stands.
type TrialStats struct {
	Stage    Stage         `json:"stage"`
	Step     int           `json:"step"`
	Steps    int           `json:"steps"`
	Against  string        `json:"against"`
	Since    time.Time     `json:"since"` // in the stage and step
	Reason   string        `json:"reason"`
	Requests uint64        `json:"requests"` // of both arms that count as evidence
	Metrics  []MetricStats `json:"metrics,omitempty"`
	Mismatch float64       `json:"mismatch"`        // evidence that the arms did not get their shares; 6.9 stops the trial
	Would    bool          `json:"would,omitempty"` // it would be promoted if it were allowed to
}

// MetricStats is the evidence on one metric. Harm and Safe are logarithms of e-values.
type MetricStats struct {
	Name      string  `json:"name"`
	Limit     string  `json:"limit,omitempty"` // what counts as bad
	Candidate float64 `json:"candidate"`       // share of bad outcomes
	Stable    float64 `json:"stable"`
	Margin    float64 `json:"margin"`
	Harm      float64 `json:"harm"` // that the candidate is worse; 4.4 rolls it back
	Safe      float64 `json:"safe"` // that it is worse by less than the margin; 3.0 lets it pass
}

// Stats returns what is known now. Experiments are read from the finished route table: before the application has started
// there are none in it.
func (m *Realities) Stats() Stats {
	out := Stats{Application: m.app.Name(), At: m.app.Clock().Now(), Node: m.node.id, Leads: m.node.leads.Load(), CutOff: m.node.cutOff.Load(), Dropped: m.pool.dropped.Load()}
	if !m.ready.Load() {
		return out // the application has not started
	}
	m.node.mu.Lock()
	defer m.node.mu.Unlock()
	for _, e := range m.experiments {
		if p := e.policy.Load(); p != nil {
			out.Experiments = append(out.Experiments, m.node.statsOf(e, e.current(func() time.Time { return out.At }), out.At))
		}
	}
	return out
}

func (n *node) statsOf(e *experiment, p *policy, now time.Time) ExperimentStats {
	st := e.state
	reports := append(slices.Clone(n.reports[e.name]), e.report(n.id, now))
	out := ExperimentStats{Name: e.name, Epoch: st.Epoch, Salt: p.salt, Unit: n.m.options.Unit, Stable: st.Stable, Nodes: len(reports)}
	sizes, begin := make([]int, len(e.realities)), 0
	for _, g := range p.regions {
		if g.index >= 0 {
			sizes[g.index] += g.end - begin
		}
		begin = g.end
	}
	if p.rest >= 0 {
		sizes[p.rest] += Buckets - begin
	}
	for i, r := range e.realities {
		rs := RealityStats{Name: r.name, Tags: r.tags, Source: r.route.Source(), Active: p.active[i], Window: r.windowText, Share: float64(sizes[i]) / Buckets, Chosen: map[string]uint64{}}
		all := &evidence.Snapshot{}
		for _, report := range reports {
			said := report.Realities[r.name]
			all.Merge(said.snapshot())
			for step, count := range said.Chosen {
				if count > 0 {
					rs.Chosen[stepNames[step]] += count
				}
			}
		}
		rs.Requests, rs.ClientErrors, rs.ErrorRate = all.Requests(), all.ClientErrors, rate(all.ServerErrors, all.Requests())
		rs.Mean, rs.P50, rs.P95, rs.P99 = all.Latency.Mean(), all.Latency.Quantile(.5), all.Latency.Quantile(.95), all.Latency.Quantile(.99)
		if st.Trials[r.name] != nil {
			rs.Trial = n.trialStats(e, st, r.name, now)
		}
		if sim := r.spread.report(); sim.Runs+sim.NoiseRuns+sim.Skipped+sim.Late > 0 {
			rs.Simulation = &sim
		}
		out.Realities = append(out.Realities, rs)
	}
	return out
}

func (n *node) trialStats(e *experiment, st *state, name string, now time.Time) *TrialStats {
	t := st.Trials[name]
	i, _ := e.indexOf(name)
	book, l := e.bookOf(i, t), n.lookAt(e, st, name, now)
	out := &TrialStats{Stage: t.Stage, Step: t.Step, Steps: book.Steps, Against: t.Against, Since: t.Entered, Reason: t.Reason}
	if !t.running() && t.Stage != StageShadow && t.Stage != StageDraft {
		return out
	}
	if r, err := book.rule(l); err == nil {
		out.Would = r.Would
		if r.Reason != "" {
			out.Reason = r.Reason
		}
		if r.Verdict != nil {
			out.Mismatch = r.Verdict.Mismatch
			metrics := metricsOf(t.Frozen)
			for k, reading := range r.Verdict.Metrics {
				out.Metrics = append(out.Metrics, MetricStats{
					Name: reading.Name, Limit: limitOf(t.Frozen, k), Candidate: reading.Candidate, Stable: reading.Stable,
					Margin: metrics[k].Margin, Harm: reading.Harm, Safe: reading.Safe,
				})
			}
		}
	}
	for _, epoch := range l.Epochs {
		out.Requests += epoch.Metrics[0].Candidate() + epoch.Metrics[0].Stable()
	}
	return out
}

func limitOf(f *evidence.Frozen, metric int) string {
	if f == nil || metric == 0 {
		return ""
	}
	return "slower than " + [3]time.Duration{f.Q50, f.Q95, f.Q99}[metric-1].Round(time.Microsecond).String()
}

// PrintReport writes the report as text.
func (m *Realities) PrintReport(out io.Writer) error { return printStats(out, m.Stats()) }

func printStats(out io.Writer, s Stats) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "realities of %s\n", s.Application)
	if s.CutOff {
		fmt.Fprintln(w, "the store does not answer; shares stay as they are")
	}
	for _, e := range s.Experiments {
		fmt.Fprintf(w, "\n%s, stable is %s, epoch %d, by %s, %d nodes\n", e.Name, e.Stable, e.Epoch, e.Unit, e.Nodes)
		fmt.Fprintln(w, "reality\tshare\trequests\terrors\tp50\tp95\tp99\tstage")
		for _, r := range e.Realities {
			stage := "-"
			if r.Trial != nil {
				stage = string(r.Trial.Stage)
			}
			if !r.Active {
				stage += ", outside " + r.Window
			}
			fmt.Fprintf(w, "%s\t%.2f %%\t%d\t%.3f %%\t%v\t%v\t%v\t%s\n", r.Name, 100*r.Share, r.Requests, 100*r.ErrorRate,
				r.P50.Round(time.Microsecond), r.P95.Round(time.Microsecond), r.P99.Round(time.Microsecond), stage)
		}
		for _, r := range e.Realities {
			printTrial(w, r)
		}
	}
	return w.Flush()
}

func printTrial(w io.Writer, r RealityStats) {
	if t := r.Trial; t != nil {
		fmt.Fprintf(w, "\n%s against %s: %s\n", r.Name, t.Against, t.Reason)
		if len(t.Metrics) > 0 {
			fmt.Fprintln(w, "metric\tcandidate\tstable\tharm\tsafe\t")
		}
		for _, m := range t.Metrics {
			fmt.Fprintf(w, "%s\t%.3f %%\t%.3f %%\t%.1f\t%.1f\t%s\n", m.Name, 100*m.Candidate, 100*m.Stable, m.Harm, m.Safe, m.Limit)
		}
	}
	sim := r.Simulation
	if sim == nil {
		return
	}
	fmt.Fprintf(w, "\n%s in the shadow: %d runs, %d of stable again, %d failed, %d skipped, %d late\n", r.Name, sim.Runs, sim.NoiseRuns, sim.Failures, sim.Skipped, sim.Late)
	var kinds []string
	for kind, n := range sim.Effects {
		kinds = append(kinds, fmt.Sprintf("%s %d", kind, n))
	}
	if slices.Sort(kinds); len(kinds) > 0 {
		fmt.Fprintf(w, "it would have changed: %s\n", strings.Join(kinds, ", "))
	}
	for _, d := range sim.Differences {
		if d.Found {
			fmt.Fprintf(w, "%s\t%s\tin %.1f %%\tnoise %.1f %%\tevidence %.1f\t%s → %s\n", d.Path, d.Kind, 100*d.Rate, 100*d.Noise, d.Evidence, d.Stable, d.Reality)
		}
	}
}

// Plan is what a trial is expected to take.
type Plan struct {
	Experiment string        `json:"experiment"`
	Reality    string        `json:"reality"`
	Share      float64       `json:"share"`    // of the last step
	Requests   float64       `json:"requests"` // counted, of both arms, that a candidate like stable takes to be promoted
	Time       time.Duration `json:"time"`     // at the given rate, waiting times included
	Hopeless   string        `json:"hopeless,omitempty"`
}

// hopeless is beyond what a trial is worth starting for.
const hopeless = 60 * 24 * time.Hour

// Plan tells what a promotion is expected to take on a route with so many requests (subjects, with the unit BySubject)
// a second, of which errors is the share that fails. It is not a promise: half of the trials take longer.
func (m *Realities) Plan(experiment, reality string, perSecond, errors float64) (Plan, error) {
	e, err := m.find(experiment)
	if err != nil {
		return Plan{}, err
	}
	i, ok := e.indexOf(reality)
	if !ok {
		return Plan{}, e.unknown(reality)
	}
	p := Plan{Experiment: e.name, Reality: reality, Share: e.ceiling(i)}
	if p.Share <= 0 || p.Share >= 1 {
		p.Hopeless = fmt.Sprintf("with %.4g %% of the traffic there is nothing to compare", 100*p.Share)
		return p, nil
	}
	if !(perSecond > 0) || !(errors >= 0 && errors < 1) {
		return Plan{}, fmt.Errorf("rmf: Plan: %v requests a second, of which %v fail: give a positive rate and a share", perSecond, errors)
	}
	book := e.bookOf(i, &trial{})
	rule := book.test(nil)
	pair := p.Share / (p.Share + e.stableShare())
	rates := []float64{errors, .5, .05, .01}
	p.Requests = rule.Requests(pair, rates)
	seconds := p.Requests / (perSecond * (p.Share + e.stableShare()))
	waiting := book.BakeTime
	if book.Ramp {
		for _, step := range e.stepsOf(i)[:book.Steps-1] {
			waiting += max(book.StepTime, time.Duration(float64(book.StepRequests)/(perSecond*step)*float64(time.Second)))
		}
	}
	p.Time = hopeless * 100
	if total := seconds*float64(time.Second) + 0; total < float64(p.Time) {
		p.Time = max(time.Duration(total), book.BakeTime) + waiting - book.BakeTime
	}
	switch {
	case math.IsInf(p.Requests, 0):
		p.Hopeless = "no number of requests would do: with these margins even an equal candidate cannot pass"
	case p.Requests > float64(book.MaxRequests) && book.MaxRequests > 0:
		p.Hopeless = fmt.Sprintf("it would take %.0f requests, and MaxRequests gives up after %d", p.Requests, book.MaxRequests)
	case p.Time > hopeless:
		p.Hopeless = fmt.Sprintf("it would take %.0f days; give the candidate a larger share, or compare it in the shadow", p.Time.Hours()/24)
	}
	return p, nil
}

// stableShare is what the shares of all others leave at their ceilings.
func (e *experiment) stableShare() float64 {
	left := 1.0
	for i := range e.realities {
		left -= e.ceiling(i)
	}
	return max(left, 1./Buckets)
}
