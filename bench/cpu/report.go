package cpu

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/ishaa-framework/ishaa/bench/peers"
)

// Report is the outcome of an experiment. Its JSON form has all samples, so that others can calculate afresh.
type Report struct {
	Work        peers.Work `json:"work"`
	Date        string     `json:"date"` // in UTC
	Machine     string     `json:"machine"`
	Go          string     `json:"go"`
	Pinned      bool       `json:"pinned"`
	Rounds      int        `json:"rounds"`
	Requests    int        `json:"requests"`
	Connections int        `json:"connections"`
	Pipeline    int        `json:"pipeline"`
	Rows        []Row      `json:"rows"`
}

// Row is one peer's outcome. Numbers without an interval are medians over the rounds.
type Row struct {
	Peer    string   `json:"peer"`
	Version string   `json:"version"`
	CPU     float64  `json:"cpu"` // µs per request
	Ratio   Ratio    `json:"ratio"`
	Rate    float64  `json:"rate"` // requests per second
	P50     float64  `json:"p50"`  // µs until half of the requests were answered, all connections busy
	P99     float64  `json:"p99"`
	Allocs  float64  `json:"allocs"`
	Bytes   float64  `json:"bytes"`
	PeakRSS uint64   `json:"peak_rss"` // bytes
	Samples []Sample `json:"samples"`
}

// Sample is what one peer's requests of one round cost its process.
type Sample struct {
	User   float64 `json:"user"`   // CPU time in the program, µs per request
	System float64 `json:"system"` // CPU time in the kernel, µs per request
	Rate   float64 `json:"rate"`   // requests per second, by the client's clock
	P50    float64 `json:"p50"`    // µs that half of the requests waited at most, by the client's clock
	P99    float64 `json:"p99"`
	Allocs float64 `json:"allocs"` // heap objects per request
	Bytes  float64 `json:"bytes"`  // heap bytes per request
}

// CPU returns the CPU time in the program and the kernel, in µs per request.
func (s Sample) CPU() float64 { return s.User + s.System }

// Ratios returns the ratios by peer.
func (r *Report) Ratios() map[string]Ratio {
	ratios := map[string]Ratio{}
	for _, row := range r.Rows {
		ratios[row.Peer] = row.Ratio
	}
	return ratios
}

// newRow calculates a row from the samples of a peer and of the baseline.
func newRow(peer string, samples, baseline []Sample) Row {
	cost := func(of []Sample) []float64 { return column(of, Sample.CPU) }
	return Row{
		Peer: peer, Version: version(peer),
		CPU:     median(cost(samples)),
		Ratio:   Interval(cost(samples), cost(baseline)),
		Rate:    median(column(samples, func(s Sample) float64 { return s.Rate })),
		P50:     median(column(samples, func(s Sample) float64 { return s.P50 })),
		P99:     median(column(samples, func(s Sample) float64 { return s.P99 })),
		Allocs:  median(column(samples, func(s Sample) float64 { return s.Allocs })),
		Bytes:   median(column(samples, func(s Sample) float64 { return s.Bytes })),
		Samples: samples,
	}
}

func column(samples []Sample, of func(Sample) float64) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	return values
}

// version returns the version of a peer's module that this program was built with, or of what is installed for Python.
func version(peer string) string {
	if python, _ := PythonDoes(peer, ""); python {
		return pythonVersion(peer)
	}
	p, _ := peers.Find(peer)
	info, ok := debug.ReadBuildInfo()
	if !ok || p.Module == "" {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == p.Module && m.Replace == nil {
			return m.Version
		}
	}
	return ""
}

// WriteMarkdown writes the report as a table with a line above it that says how it came about.
func (r *Report) WriteMarkdown(w io.Writer) error {
	pinned := "server and client pinned to a core each"
	if !r.Pinned {
		pinned = "NOT PINNED: the machine has one core"
	}
	_, err := fmt.Fprintf(w, "%s: %d interleaved rounds of %d requests, %d connections, pipeline %d, %s; %s, %s, %s\n\n"+
		"| %s | server CPU per request | ratio, 95 %% interval | requests/s | p50 | p99 | allocations | bytes | peak memory |\n"+
		"|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
		r.Work, r.Rounds, r.Requests, r.Connections, r.Pipeline, pinned, r.Go, r.Machine, r.Date, r.Work)
	for _, row := range r.Rows {
		if err != nil {
			return err
		}
		name := row.Peer
		if row.Version != "" {
			name += " " + row.Version
		}
		heap := fmt.Sprintf("%.1f | %.0f", row.Allocs, row.Bytes)
		if python, _ := PythonDoes(row.Peer, r.Work); python {
			heap = "– | –" // it does not count them
		}
		_, err = fmt.Fprintf(w, "| %s | %.2f µs | %s | %.0f | %.0f µs | %.0f µs | %s | %.1f MiB |\n",
			name, row.CPU, row.Ratio, row.Rate, row.P50, row.P99, heap, float64(row.PeakRSS)/(1<<20))
	}
	return err
}
