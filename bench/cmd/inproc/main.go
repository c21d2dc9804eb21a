// Command inproc compares Ishaa with its peers in process and prints tables of ratios with 95 % intervals.
//
//	go run ./cmd/inproc                                               # everything, each group against its first
//	go run ./cmd/inproc -group lookup/github -baseline gin -bound ishaa=1
//	go run ./cmd/inproc -group serve/typed -baseline nethttp -bound ishaa=0.75
//	go run ./cmd/inproc -group orm/postgres -wall -round 100ms -bound ishaa=1.1
//	go run ./cmd/inproc -growth ishaa -bound ishaa=1.5                # 10,000 routes against 100, per lookup
//
// It ends with status 1 when a bound is not met: when the interval's lower end is above it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/bench/cpu"
	"github.com/ishaa-framework/ishaa/bench/inproc"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "inproc:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	bounds := cpu.Bounds{}
	var o inproc.Options
	flags := flag.NewFlagSet("inproc", flag.ContinueOnError)
	prefix := flags.String("group", "", "only the groups whose names start so")
	growth := flags.String("growth", "", "compare this router's tables of 100 and of 10,000 routes instead")
	flags.StringVar(&o.Baseline, "baseline", "", "what ratios are given against (default: the first of each group)")
	flags.IntVar(&o.Rounds, "rounds", 20, "interleaved rounds")
	flags.DurationVar(&o.Round, "round", 20*time.Millisecond, "how long each runs in each round")
	flags.BoolVar(&o.Wall, "wall", false, "time on the wall instead of CPU time, for what waits for another process")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of the order within rounds")
	limit := flags.Duration("limit", 10*time.Minute, "give up after this time")
	flags.Var(bounds, "bound", "fail unless this one's interval reaches below this ratio, like ishaa=0.75 (repeatable)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), *limit)
	defer cancel()
	groups := inproc.Groups()
	if *growth != "" {
		groups = inproc.Growth(*growth)
	}
	var broken []error
	compared := 0
	for _, g := range groups {
		if !strings.HasPrefix(g.Name, *prefix) {
			continue
		}
		compared++
		report, err := inproc.Compare(ctx, g, o)
		if err != nil {
			return err
		}
		if err := report.WriteMarkdown(out); err != nil {
			return err
		}
		fmt.Fprintln(out)
		ratios := map[string]cpu.Ratio{}
		for _, row := range report.Rows {
			ratios[row.Name] = row.Ratio
		}
		broken = append(broken, bounds.Check(g.Name, ratios))
	}
	if compared == 0 {
		return fmt.Errorf("no group's name starts with %q", *prefix)
	}
	return errors.Join(broken...)
}
