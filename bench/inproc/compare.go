package inproc

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa/bench/cpu"
)

// Options say how a group is compared.
type Options struct {
	Baseline string        // the case that ratios are given against; the first if empty
	Rounds   int           // at least 2; 20 or more for a ratio that is to be trusted
	Round    time.Duration // how long each case runs in each round
	Seed     uint64        // of the order within rounds
}

// Report is the outcome for a group.
type Report struct {
	Group    string `json:"group"`
	Baseline string `json:"baseline"`
	Rounds   int    `json:"rounds"`
	Rows     []Row  `json:"rows"`
}

// Row is one case's outcome.
type Row struct {
	Name    string    `json:"name"`
	Nanos   float64   `json:"nanos"` // of CPU per request or lookup: the median of the rounds
	Ratio   cpu.Ratio `json:"ratio"`
	Samples []float64 `json:"samples"` // ns per request or lookup, of each round
}

// running is a case that is ready.
type running struct {
	run     func() error
	times   int // per round
	count   int
	samples []float64
}

// Compare runs the cases of a group in rounds, each case as often in every round, in an order drawn anew.
func Compare(ctx context.Context, g Group, o Options) (*Report, error) {
	if o.Rounds < 2 || o.Round <= 0 {
		return nil, fmt.Errorf("%s: a comparison needs two rounds of some length, and has %d of %v", g.Name, o.Rounds, o.Round)
	}
	baseline := slices.IndexFunc(g.Cases, func(c Case) bool { return c.Name == o.Baseline })
	if o.Baseline == "" {
		baseline = 0
	}
	if baseline < 0 || len(g.Cases) == 0 {
		return nil, fmt.Errorf("%s: there is no %q", g.Name, o.Baseline)
	}
	cases := make([]*running, len(g.Cases))
	for i, c := range g.Cases {
		r, err := prepare(c, o.Round)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", g.Name, c.Name, err)
		}
		cases[i] = r
	}
	order := slices.Clone(cases)
	random := rand.New(rand.NewPCG(o.Seed, 0))
	for range o.Rounds {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, c := range order {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("%s: %w", g.Name, err)
			}
			if err := c.sample(); err != nil {
				return nil, fmt.Errorf("%s: %w", g.Name, err)
			}
		}
	}
	report := &Report{Group: g.Name, Baseline: g.Cases[baseline].Name, Rounds: o.Rounds}
	for i, c := range cases {
		report.Rows = append(report.Rows, Row{
			Name: g.Cases[i].Name, Nanos: median(c.samples), Samples: c.samples,
			Ratio: cpu.Interval(c.samples, cases[baseline].samples),
		})
	}
	return report, nil
}

// prepare builds a case, warms it up and finds how many times it is run to fill a round.
func prepare(c Case, round time.Duration) (*running, error) {
	run, count := c.Build()
	r := &running{run: run, count: count, times: 1}
	for {
		started := time.Now()
		if err := r.repeat(); err != nil {
			return nil, err
		}
		took := max(time.Since(started), time.Microsecond)
		if took >= round/4 {
			r.times = max(1, int(float64(r.times)*float64(round)/float64(took)))
			return r, nil
		}
		r.times *= 2
	}
}

func (r *running) repeat() error {
	for range r.times {
		if err := r.run(); err != nil {
			return err
		}
	}
	return nil
}

func (r *running) sample() error {
	started := cpuTime()
	if err := r.repeat(); err != nil {
		return err
	}
	took := max(cpuTime()-started, time.Microsecond) // the kernel counts in microseconds
	r.samples = append(r.samples, float64(took.Nanoseconds())/float64(r.times*r.count))
	return nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// WriteMarkdown writes the report as a table.
func (r *Report) WriteMarkdown(w io.Writer) error {
	_, err := fmt.Fprintf(w, "| %s | CPU, ns | ratio to %s, 95 %% interval of %d rounds |\n|---|---:|---:|\n", r.Group, r.Baseline, r.Rounds)
	for _, row := range r.Rows {
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "| %s | %.1f | %s |\n", row.Name, row.Nanos, row.Ratio)
	}
	return err
}
