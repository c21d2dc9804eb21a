package migrate

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

// Plugin gives an application the command migrate:
//
//	./program migrate create NAME [--rename TABLE.COLUMN:NEW] [--allow-destructive] [--empty]
//	./program migrate run [--dry-run] [--fake] [--to VERSION]
//	./program migrate down [N]      takes back the last migration, or the last N
//	./program migrate to VERSION    up or down; 0 takes back all
//	./program migrate status [--json]
//	./program migrate check         exit code 1 if models, migrations and database differ
//	./program migrate baseline VERSION   notes migrations as applied, for a database that has the tables already
func Plugin(db *orm.DB, options ...Options) ishaa.Plugin {
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	return plugin{New(db, o)}
}

type plugin struct{ m *Migrations }

// Install adds the command.
func (p plugin) Install(app *ishaa.App) error {
	app.Command(ishaa.Command{Name: "migrate", Usage: "create, run and take back migrations of the database: create, run, down, to, status, check, baseline", Run: p.run})
	return nil
}

const usage = "migrate create NAME | run | down [N] | to VERSION | status | check | baseline VERSION"

func (p plugin) run(ctx context.Context, _ *ishaa.App, args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("migrate: say what to do: %s", usage)
	}
	flags := flag.NewFlagSet("migrate "+args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var renames renameFlag
	flags.Var(&renames, "rename", "")
	destructive, empty := flags.Bool("allow-destructive", false, ""), flags.Bool("empty", false, "")
	dry, fake, to := flags.Bool("dry-run", false, ""), flags.Bool("fake", false, ""), flags.String("to", "", "")
	asJSON := flags.Bool("json", false, "")
	words, err := mixed(flags, args[1:])
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(out, usage)
		return nil
	} else if err != nil {
		return fmt.Errorf("migrate %s: %w; %s", args[0], err, usage)
	}
	run := RunOptions{DryRun: *dry, Fake: *fake, Out: out}
	word := func(what string) (string, error) {
		if len(words) != 1 {
			return "", fmt.Errorf("migrate %s: give %s", args[0], what)
		}
		return words[0], nil
	}
	switch args[0] {
	case "create":
		name, err := word("the name of the migration, such as add_email")
		if err != nil {
			return err
		}
		return p.create(ctx, name, CreateOptions{Renames: renames, AllowDestructive: *destructive, Empty: *empty, Ask: asker(out)}, out)
	case "run":
		if *to != "" {
			return p.m.To(ctx, *to, run)
		}
		return p.m.Run(ctx, run)
	case "down":
		n := 1
		if len(words) > 0 {
			if n, err = strconv.Atoi(words[0]); err != nil {
				return fmt.Errorf("migrate down %s: give how many migrations to take back", words[0])
			}
		}
		return p.m.Down(ctx, n, run)
	case "to":
		version, err := word("the version of a migration, or 0")
		if err != nil {
			return err
		}
		return p.m.To(ctx, version, run)
	case "baseline":
		version, err := word("the version of a migration")
		if err != nil {
			return err
		}
		return p.m.Baseline(ctx, version, run)
	case "status":
		return p.status(ctx, *asJSON, out)
	case "check":
		if err := p.m.Check(ctx); err != nil {
			return err
		}
		fmt.Fprintln(out, "models, migrations and database agree")
		return nil
	}
	return fmt.Errorf("migrate: there is no %q; %s", args[0], usage)
}

// mixed parses flags that may stand before, between and after words.
func mixed(flags *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return words, nil
		}
		words, args = append(words, flags.Arg(0)), flags.Args()[1:]
	}
}

type renameFlag []Rename

func (r *renameFlag) String() string { return "" }

// Set adds one.
func (r *renameFlag) Set(text string) error {
	one, err := ParseRename(text)
	*r = append(*r, one)
	return err
}

// asker asks on a terminal, and nobody elsewhere.
func asker(out io.Writer) func(string) (bool, error) {
	if info, err := os.Stdin.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	in := bufio.NewReader(os.Stdin)
	return func(question string) (bool, error) {
		fmt.Fprintf(out, "%s [y/N] ", question)
		answer, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		return strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y"), nil
	}
}

func (p plugin) create(ctx context.Context, name string, o CreateOptions, out io.Writer) error {
	made, err := p.m.Create(ctx, name, o)
	if err != nil {
		return err
	}
	if made.File == "" {
		fmt.Fprintln(out, "nothing to do: the migrations have all that the models want")
		return nil
	}
	fmt.Fprintln(out, "wrote", made.File)
	for _, n := range made.Notes {
		fmt.Fprintln(out, "note:", n)
	}
	return nil
}

func (p plugin) status(ctx context.Context, asJSON bool, out io.Writer) error {
	list, err := p.m.Status(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		if list == nil {
			list = []Status{}
		}
		return json.NewEncoder(out).Encode(list)
	}
	if len(list) == 0 {
		fmt.Fprintln(out, "no migrations yet: migrate create NAME writes the first")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VERSION\tNAME\tSTATE\tAPPLIED")
	for _, s := range list {
		at := ""
		if !s.AppliedAt.IsZero() {
			at = s.AppliedAt.Format("2006-01-02 15:04:05 UTC")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Version, s.Name, s.State, at)
	}
	return w.Flush()
}
