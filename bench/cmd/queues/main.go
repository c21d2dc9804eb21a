// Command queues compares the throughput of package tasks with that of River by itself and of asynq, in rounds in which they
// take turns, and prints tables of ratios with 95 % intervals.
//
//	go run ./cmd/queues                                 # on every database that is at hand, against River
//	go run ./cmd/queues -group tasks/sqlite -rounds 40
//	go run ./cmd/queues -bound ishaa=1.1                # at most a tenth slower than River
//	go test -run - -bench PickUp ./queues               # how long a job waits on an idle queue
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
	"github.com/ishaa-framework/ishaa/bench/queues"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "queues:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	bounds := cpu.Bounds{}
	o := inproc.Options{Wall: true}
	flags := flag.NewFlagSet("queues", flag.ContinueOnError)
	prefix := flags.String("group", "", "only the groups whose names start so")
	flags.StringVar(&o.Baseline, "baseline", "river", "what ratios are given against")
	flags.IntVar(&o.Rounds, "rounds", 20, "interleaved rounds")
	flags.DurationVar(&o.Round, "round", 500*time.Millisecond, "how long each runs in each round")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of the order within rounds")
	limit := flags.Duration("limit", 10*time.Minute, "give up after this time")
	flags.Var(bounds, "bound", "fail unless this one's interval reaches below this ratio, like ishaa=1.1 (repeatable)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), *limit)
	defer cancel()
	var broken []error
	compared := 0
	for _, g := range queues.Groups() {
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
