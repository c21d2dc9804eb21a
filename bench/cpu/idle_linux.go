package cpu

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/ishaa-framework/ishaa/bench/peers"
)

// IdleReport is what connections cost that wait for their next request.
type IdleReport struct {
	Date        string    `json:"date"` // in UTC
	Machine     string    `json:"machine"`
	Go          string    `json:"go"`
	Connections int       `json:"connections"`
	Rows        []IdleRow `json:"rows"`
}

// IdleRow is one peer's outcome. The memory is what is resident of the server's process; what the kernel holds for sockets is
// not in it.
type IdleRow struct {
	Peer    string `json:"peer"`
	Version string `json:"version"`
	Before  uint64 `json:"before"` // bytes, when a few requests had been answered
	With    uint64 `json:"with"`   // bytes, when each connection had had an answer
}

// Each returns the bytes of a connection.
func (r IdleRow) Each(connections int) float64 {
	return (float64(r.With) - float64(r.Before)) / float64(connections)
}

// MeasureIdle opens connections to each peer in turn, asks once on each, and asks the server how much memory it has. Both
// processes need as many file descriptors as there are connections.
func MeasureIdle(ctx context.Context, names []string, connections int) (*IdleReport, error) {
	report := &IdleReport{Date: time.Now().UTC().Format(time.DateOnly), Machine: machine(), Go: runtime.Version(), Connections: connections}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row, err := idle(name, connections)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		report.Rows = append(report.Rows, row)
	}
	return report, nil
}

func idle(name string, connections int) (row IdleRow, err error) {
	server, err := Start(name, peers.Plain, Unpinned)
	if err != nil {
		return row, err
	}
	defer server.Stop()
	row = IdleRow{Peer: name, Version: version(name)}
	few, err := Dial(server.Addr, Request(peers.Plain), 1, 1)
	if err != nil {
		return row, err
	}
	defer few.Close()
	if err := few.Run(100); err != nil {
		return row, err
	}
	before, err := server.Usage()
	if err != nil {
		return row, err
	}
	all, err := Dial(server.Addr, Request(peers.Plain), connections, 1)
	if err != nil {
		return row, err
	}
	defer all.Close()
	if err := all.Run(connections); err != nil {
		return row, err
	}
	with, err := server.Usage()
	if err != nil {
		return row, err
	}
	row.Before, row.With = before.RSS, with.RSS
	return row, nil
}

// WriteMarkdown writes the report as a table with a line above it that says how it came about.
func (r *IdleReport) WriteMarkdown(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d connections that have had an answer and wait; %s, %s, %s\n\n| idle | resident | for each connection |\n|---|---:|---:|\n",
		r.Connections, r.Go, r.Machine, r.Date)
	for _, row := range r.Rows {
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "| %s | %.1f MiB | %.1f KiB |\n", row.Peer, float64(row.With)/(1<<20), row.Each(r.Connections)/(1<<10))
	}
	return err
}
