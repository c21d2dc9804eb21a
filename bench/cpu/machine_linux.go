package cpu

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// newReport makes the report of candidates that have all their samples; the first is the baseline.
func newReport(o Options, candidates []*candidate, pinned bool) (*Report, error) {
	r := &Report{
		Work: o.Work, Date: time.Now().UTC().Format(time.DateOnly), Machine: machine(), Go: runtime.Version(), Pinned: pinned,
		Rounds: o.Rounds, Requests: o.Requests, Connections: o.Connections, Pipeline: o.Pipeline,
	}
	for _, c := range candidates {
		row := newRow(c.name, c.samples, candidates[0].samples)
		usage, err := c.server.Usage()
		if err != nil {
			return nil, err
		}
		row.PeakRSS = usage.PeakRSS
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

// machine says what class of machine this is: the processor and how many cores there are.
func machine() string {
	model := runtime.GOARCH
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores", model, runtime.NumCPU())
}
