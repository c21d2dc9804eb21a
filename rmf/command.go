package rmf

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/ishaa-framework/ishaa"
)

const commandName = "rmf"

const usage = `rmf plan EXPERIMENT REALITY --rate 50 [--errors 0.002]   what a promotion is expected to take
rmf status                                               where experiments stand
rmf promote EXPERIMENT REALITY [--reason TEXT]           make a reality the stable one
rmf rollback EXPERIMENT [REALITY] [--reason TEXT]        take it out of service
rmf pause EXPERIMENT [REALITY] [--reason TEXT]           take its traffic away until resume
rmf resume EXPERIMENT [REALITY] [--reason TEXT]          go on
rmf replay EXPERIMENT                                    make all decisions again and print them

An experiment is a route, such as "GET /recommend", or /recommend where only one route has that pattern.
`

// command is "./program rmf …". Other processes are reached through Options.Store or Options.Dir.
func (m *Realities) command() ishaa.Command {
	return ishaa.Command{Name: commandName, Usage: "plan, show and decide experiments with realities; rmf -h says how", Run: m.run}
}

func (m *Realities) run(ctx context.Context, app *ishaa.App, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		_, err := io.WriteString(out, usage)
		return err
	}
	if err := m.setup(); err != nil {
		return err
	}
	flags := flag.NewFlagSet("rmf", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	rate := flags.Float64("rate", 0, "")
	failing := flags.Float64("errors", .001, "")
	reason := flags.String("reason", "", "")
	var names []string
	for rest := args[1:]; len(rest) > 0; {
		if rest[0] != "" && rest[0][0] != '-' {
			names, rest = append(names, rest[0]), rest[1:]
			continue
		}
		if err := flags.Parse(rest); err != nil {
			return fmt.Errorf("rmf: %w; rmf -h says what there is", err)
		}
		rest = flags.Args()
	}
	name := func(i int) string {
		if i < len(names) {
			return names[i]
		}
		return ""
	}
	need := map[string]int{"plan": 2, "status": 0, "promote": 2, "rollback": 1, "pause": 1, "resume": 1, "replay": 1}
	least, ok := need[args[0]]
	if !ok || len(names) < least || len(names) > 2 {
		return fmt.Errorf("rmf: %q is no command, or has not what it needs; rmf -h says what there is", args[0])
	}
	if args[0] == "plan" {
		return m.runPlan(out, name(0), name(1), *rate, *failing)
	}
	if !m.lasting() {
		return errors.New("rmf: the state is in the memory of the process that serves; give rmf.Options a Store or a Dir, and the command can reach it")
	}
	switch args[0] {
	case "status":
		return m.runStatus(ctx, out)
	case "replay":
		return m.WriteLedger(ctx, name(0), out)
	}
	do := map[string]func(context.Context, string, string, string) error{
		"promote": m.Promote, "rollback": m.Rollback, "pause": m.Pause, "resume": m.Resume,
	}[args[0]]
	if err := do(ctx, name(0), name(1), *reason); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s: %s; every node follows within %v\n", name(0), map[string]string{
		"promote": "promoted and guarded", "rollback": "rolled back", "pause": "paused", "resume": "resumed",
	}[args[0]], m.options.Interval)
	return err
}

// runStatus shows what nodes have published, without being one.
func (m *Realities) runStatus(ctx context.Context, out io.Writer) error {
	n := m.node
	if err := n.open(); err != nil {
		return err
	}
	n.mu.Lock()
	for _, e := range m.experiments {
		st, raw, err := n.vault.state(ctx, e.name)
		if err == nil && st == nil {
			st = e.newState(m.app.Clock().Now())
		}
		var values [][]byte
		if err == nil {
			values, err = n.vault.all(ctx, n.vault.prefix+"node/"+short(e.name)+"/")
		}
		if err != nil {
			n.mu.Unlock()
			return err
		}
		n.reports[e.name] = n.others(values)
		e.adopt(st, raw, m.app.Clock().Now())
	}
	n.mu.Unlock()
	return m.PrintReport(out)
}

func (m *Realities) runPlan(out io.Writer, experiment, reality string, rate, failing float64) error {
	if rate <= 0 {
		return errors.New("rmf plan: say how many requests (or subjects) come in a second: --rate 50")
	}
	p, err := m.Plan(experiment, reality, rate, failing)
	if err != nil {
		return err
	}
	if p.Hopeless != "" {
		return fmt.Errorf("rmf plan: %s, %s: hopeless: %s", p.Experiment, p.Reality, p.Hopeless)
	}
	_, err = fmt.Fprintf(out, "%s, %s at %.4g %%: a candidate as good as stable takes about %.0f counted requests, %.1f days at %g a second; half of the trials take longer\n",
		p.Experiment, p.Reality, 100*p.Share, p.Requests, p.Time.Round(time.Minute).Hours()/24, rate)
	return err
}
