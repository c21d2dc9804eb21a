// Command cpu measures the server CPU per request of Ishaa and its peers over a loopback socket, and prints a table of
// ratios with 95 % intervals.
//
//	go run ./cmd/cpu                                       # plain text on all peers, against net/http
//	go run ./cmd/cpu -work all -rounds 40 -json out.json
//	go run ./cmd/cpu -peers nethttp,nethttp                # a control: the ratio must be 1
//	go run ./cmd/cpu -peers fasthttp,ishaa -bound ishaa=1.05
//	go run ./cmd/cpu -tables -svg ../docs/performance      # all tables and pictures, ten minutes
//	go run ./cmd/cpu -idle 10000                           # what connections hold that wait
//	go run ./cmd/cpu -pipeline 16 -svg ../docs/performance # sixteen requests at once, with a picture
//
// It ends with status 1 when a bound is not met. Package cpu explains the method.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/bench/chart"
	"github.com/ishaa-framework/ishaa/bench/cpu"
	"github.com/ishaa-framework/ishaa/bench/peers"
)

func main() {
	cpu.ServeIfAsked()
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cpu:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	bounds := cpu.Bounds{}
	flags := flag.NewFlagSet("cpu", flag.ContinueOnError)
	work := flags.String("work", string(peers.Plain), "plain, json, param, typed, order, five, row, page, static, a list of them, or all")
	names := flags.String("peers", "", "the peers to compare, the baseline first (default: all that do the work)")
	rounds := flags.Int("rounds", 20, "interleaved rounds")
	requests := flags.Int("requests", 20_000, "requests to each peer in each round")
	connections := flags.Int("connections", 64, "keep-alive connections to each peer")
	pipeline := flags.Int("pipeline", 1, "requests on their way at once on a connection")
	seed := flags.Uint64("seed", 1, "seed of the order within rounds")
	file := flags.String("json", "", "write the reports, with all samples, to this file")
	folder := flags.String("svg", "", "write a picture of each table into this folder")
	limit := flags.Duration("limit", 30*time.Minute, "give up after this time")
	tables := flags.Bool("tables", false, "measure all works, pipelined requests and idle connections: what docs/performance.md shows")
	idle := flags.Int("idle", 0, "measure the memory of so many connections that wait, and nothing else")
	flags.Var(bounds, "bound", "fail unless this peer's interval reaches below this ratio, like ishaa=1.05 (repeatable)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	works, err := parseWorks(*work)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), *limit)
	defer cancel()
	if *idle > 0 {
		return measureIdle(ctx, out, candidates(*names, peers.Plain), *idle, *folder)
	}
	basic := cpu.Options{Rounds: *rounds, Requests: *requests, Connections: *connections, Pipeline: *pipeline, Seed: *seed}
	var experiments []cpu.Options
	for _, w := range works {
		o := basic
		o.Work, o.Peers = w, candidates(*names, w)
		experiments = append(experiments, o)
	}
	if *tables {
		experiments = allExperiments(basic)
	}
	var reports []*cpu.Report
	var broken []error
	for _, o := range experiments {
		report, err := cpu.Measure(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", o.Work, err)
		}
		if err := report.WriteMarkdown(out); err != nil {
			return err
		}
		fmt.Fprintln(out)
		if err := draw(*folder, report); err != nil {
			return err
		}
		reports = append(reports, report)
		broken = append(broken, bounds.Check(string(o.Work), report.Ratios()))
	}
	if *tables {
		if err := measureIdle(ctx, out, candidates("", peers.Plain), idleConnections, *folder); err != nil {
			return err
		}
	}
	if *file != "" {
		text, err := json.MarshalIndent(reports, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(*file, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return errors.Join(broken...)
}

// What -tables measures beside each work: sixteen requests at once, and connections that wait.
const (
	tablesPipeline  = 16
	idleConnections = 10_000
)

// allExperiments are all works on all peers that do them, Python's among them where they are installed, and Plain with
// requests on their way at once.
func allExperiments(basic cpu.Options) []cpu.Options {
	var list []cpu.Options
	for _, w := range peers.Works() {
		o := basic
		o.Work, o.Peers = w, candidates("", w)
		for _, framework := range cpu.Python() {
			if _, does := cpu.PythonDoes(framework, w); does && cpu.PythonInstalled(framework) {
				o.Peers = append(o.Peers, framework)
			}
		}
		switch w {
		case peers.Page, peers.Static, peers.Row:
			o.Requests = max(1, o.Requests/4) // each is several times the work
		}
		list = append(list, o)
	}
	piped := basic
	piped.Work, piped.Peers = peers.Plain, candidates("", peers.Plain)
	piped.Pipeline, piped.Requests = tablesPipeline, 4*basic.Requests
	return append(list, piped)
}

func measureIdle(ctx context.Context, out io.Writer, names []string, connections int, folder string) error {
	report, err := cpu.MeasureIdle(ctx, names, connections)
	if err != nil {
		return err
	}
	if err := report.WriteMarkdown(out); err != nil {
		return err
	}
	picture := chart.Bars{Title: fmt.Sprintf("%d idle connections: memory of each", connections), Unit: "KiB", Own: "ishaa"}
	for _, row := range report.Rows {
		picture.Rows = append(picture.Rows, chart.Row{Name: row.Peer, Value: max(0, row.Each(connections)/(1<<10))})
	}
	return write(folder, "idle", picture)
}

// draw writes the picture of a table.
func draw(folder string, r *cpu.Report) error {
	name := string(r.Work)
	if r.Pipeline > 1 {
		name += fmt.Sprintf("-x%d", r.Pipeline)
	}
	picture := chart.Bars{Title: name + ": server CPU per request", Unit: "µs", Own: "ishaa"}
	for _, row := range r.Rows {
		picture.Rows = append(picture.Rows, chart.Row{Name: row.Peer, Value: row.CPU})
	}
	return write(folder, name, picture)
}

// write puts a picture into a folder, the least first. Without a folder there is none.
func write(folder, name string, picture chart.Bars) (err error) {
	if folder == "" {
		return nil
	}
	slices.SortFunc(picture.Rows, func(a, b chart.Row) int { return cmp.Compare(a.Value, b.Value) })
	file, err := os.Create(filepath.Join(folder, name+".svg"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return picture.Write(file)
}

func parseWorks(text string) ([]peers.Work, error) {
	if text == "all" {
		return peers.Works(), nil
	}
	var works []peers.Work
	for name := range strings.SplitSeq(text, ",") {
		w := peers.Work(name)
		if !slices.Contains(peers.Works(), w) {
			return nil, fmt.Errorf("no work is called %q: there are %v", name, peers.Works())
		}
		works = append(works, w)
	}
	return works, nil
}

// candidates returns the peers to compare: those named, or all that do the work.
func candidates(names string, w peers.Work) []string {
	if names != "" {
		return strings.Split(names, ",")
	}
	var all []string
	for _, p := range peers.All() {
		if p.Does(w) {
			all = append(all, p.Name)
		}
	}
	return all
}
