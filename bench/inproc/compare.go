package inproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
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
	Wall     bool          // time on the wall instead of CPU time: for what waits for another process
}

// Report is the outcome for a group.
type Report struct {
	Group    string `json:"group"`
	Baseline string `json:"baseline"`
	Rounds   int    `json:"rounds"`
	Wall     bool   `json:"wall"`
	Rows     []Row  `json:"rows"`
}

// Row is one case's outcome.
type Row struct {
	Name    string    `json:"name"`
	Nanos   float64   `json:"nanos"` // per request or lookup: the median of the rounds
	Ratio   cpu.Ratio `json:"ratio"`
	Samples []float64 `json:"samples"` // ns per request or lookup, of each round
}

// running is a case that is ready.
type running struct {
	rest    func() error
	run     func() error
	times   int // per round
	count   int
	samples []float64
}

// Compare runs the cases of a group in rounds, each case as often in every round, in an order drawn anew.
func Compare(ctx context.Context, g Group, o Options) (_ *Report, err error) {
	if g.Close != nil {
		defer func() { err = errors.Join(err, g.Close()) }()
	}
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
	clock := cpuTime
	if o.Wall {
		begun := time.Now()
		clock = func() time.Duration { return time.Since(begun) }
	}
	order := slices.Clone(cases)
	random := rand.New(rand.NewPCG(o.Seed, 0))
	for range o.Rounds {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, c := range order {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("%s: %w", g.Name, err)
			}
			if err := c.sample(clock); err != nil {
				return nil, fmt.Errorf("%s: %w", g.Name, err)
			}
		}
	}
	report := &Report{Group: g.Name, Baseline: g.Cases[baseline].Name, Rounds: o.Rounds, Wall: o.Wall}
	for i, c := range cases {
		report.Rows = append(report.Rows, Row{
			Name: g.Cases[i].Name, Nanos: median(c.samples), Samples: c.samples,
			Ratio: cpu.Interval(c.samples, cases[baseline].samples),
		})
	}
	return report, nil
}

// prepare builds a case, warms it up and finds how many times it is run to fill a round. It goes by the fastest of a
// few tries: one that was interrupted would make rounds of a few runs, in which cold caches are all there is to measure.
func prepare(c Case, round time.Duration) (*running, error) {
	run, count := c.Build()
	r := &running{rest: c.Rest, run: run, count: count, times: 1}
	if r.rest == nil {
		r.rest = func() error { return nil }
	}
	for {
		took, err := r.fastest(3, round/4)
		if err != nil {
			return nil, err
		}
		if took >= round/4 {
			r.times = max(1, int(float64(r.times)*float64(round)/float64(took)))
			return r, nil
		}
		r.times *= 2
	}
}

// fastest returns the least time on the wall that one of so many tries took; the first that is below enough ends it.
func (r *running) fastest(tries int, enough time.Duration) (time.Duration, error) {
	least := time.Duration(math.MaxInt64)
	for range tries {
		started := time.Now()
		if err := r.repeat(); err != nil {
			return 0, err
		}
		least = min(least, max(time.Since(started), time.Microsecond))
		if err := r.rest(); err != nil {
			return 0, err
		}
		if least < enough {
			break
		}
	}
	return least, nil
}

func (r *running) repeat() error {
	for range r.times {
		if err := r.run(); err != nil {
			return err
		}
	}
	return nil
}

func (r *running) sample(clock func() time.Duration) error {
	started := clock()
	if err := r.repeat(); err != nil {
		return err
	}
	took := max(clock()-started, time.Microsecond) // the kernel counts in microseconds
	r.samples = append(r.samples, float64(took.Nanoseconds())/float64(r.times*r.count))
	return r.rest()
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// WriteMarkdown writes the report as a table.
func (r *Report) WriteMarkdown(w io.Writer) error {
	time := "CPU"
	if r.Wall {
		time = "time"
	}
	_, err := fmt.Fprintf(w, "| %s | %s, ns | ratio to %s, 95 %% interval of %d rounds |\n|---|---:|---:|\n", r.Group, time, r.Baseline, r.Rounds)
	for _, row := range r.Rows {
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "| %s | %.1f | %s |\n", row.Name, row.Nanos, row.Ratio)
	}
	return err
}
