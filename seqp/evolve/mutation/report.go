package mutation

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Report is what became of the mutants.
type Report struct {
	Packages []PackageReport `json:"packages"`
	Elapsed  time.Duration   `json:"elapsed_ns"`
}

// PackageReport is the part of a package.
type PackageReport struct {
	Package  string        `json:"package"`
	Mutants  []Mutant      `json:"mutants"`
	Refused  int           `json:"refused"` // lines that the compiler did not let be changed
	Build    time.Duration `json:"build_ns"`
	Baseline time.Duration `json:"baseline_ns"` // of the tests without a mutant
	Run      time.Duration `json:"run_ns"`
}

// Count returns how many mutants have a status.
func (r *Report) Count(status Status) int {
	n := 0
	for _, part := range r.Packages {
		n += part.Count(status)
	}
	return n
}

// Count returns how many mutants have a status.
func (p PackageReport) Count(status Status) int {
	n := 0
	for _, m := range p.Mutants {
		if m.Status == status {
			n++
		}
	}
	return n
}

// Killed returns how many mutants the tests noticed.
func (r *Report) Killed() int { return r.Count(Killed) + r.Count(TimedOut) }

// Lived returns how many mutants the tests ran and did not notice.
func (r *Report) Lived() int { return r.Count(Lived) }

// All returns how many mutants there are.
func (r *Report) All() int {
	n := 0
	for _, part := range r.Packages {
		n += len(part.Mutants)
	}
	return n
}

// Score returns the share of all mutants that were killed, those that no test reaches among them; 1 where there is none.
func (r *Report) Score() float64 {
	if r.All() == 0 {
		return 1
	}
	return float64(r.Killed()) / float64(r.All())
}

// Survivors returns the mutants that lived and those that no test reaches, by package, file and line.
func (r *Report) Survivors() []Mutant {
	var list []Mutant
	for _, part := range r.Packages {
		for _, m := range part.Mutants {
			if m.Status == Lived || m.Status == NotReached {
				list = append(list, m)
			}
		}
	}
	return list
}

// Write writes the report for people: the survivors, then a line a package.
func (r *Report) Write(out io.Writer) error {
	for _, m := range r.Survivors() {
		change := m.Original + "  →  " + m.Mutated
		if m.Kind == Call {
			change = m.Original + " is not called"
		}
		fmt.Fprintf(out, "%s:%d:%d: %s: %s (%s)\n", m.File, m.Line, m.Column, m.Status, change, m.Kind)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "killed\tlived\tnot reached\tscore\tms a mutant\t  package")
	for _, p := range r.Packages {
		killed, all := p.Count(Killed)+p.Count(TimedOut), len(p.Mutants)
		if all == 0 {
			continue
		}
		fmt.Fprintf(w, "%d\t%d\t%d\t%.1f %%\t%.1f\t  %s\n", killed, p.Count(Lived), p.Count(NotReached), 100*float64(killed)/float64(all),
			float64((p.Build+p.Baseline+p.Run).Microseconds())/1000/float64(all), p.Package)
	}
	return w.Flush()
}
