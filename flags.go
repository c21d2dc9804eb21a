package ishaa

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// parseFlags reads the flags in front of a command and configures anew where they
// change something. For -h it prints the usage and returns flag.ErrHelp.
func (a *App) parseFlags(args []string, output io.Writer) ([]string, error) {
	flags := newFlags(a.life.name)
	cfg := a.config
	var given []string
	var failure error
	for _, s := range settings {
		// Not an error of the function: package flag would repeat the text, be it secret
		// or not.
		set := func(text string) error {
			given = append(given, s.name)
			if err := s.apply(&cfg, text, "-"+s.name); failure == nil {
				failure = err
			}
			return nil
		}
		if s.isBool {
			flags.BoolFunc(s.name, s.usage, set)
		} else {
			flags.Func(s.name, s.usage, set)
		}
	}
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		a.printUsage(output)
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w; -h lists the flags", err)
	case failure != nil:
		return nil, failure
	case len(given) == 0:
		return flags.Args(), nil
	}
	a.mustBeOpen("Run with flags")
	logger := a.logger
	if err := a.configure(cfg); err != nil {
		return nil, err
	}
	if !slices.Contains(given, "log-level") && !slices.Contains(given, "log-json") {
		a.logger = logger
	}
	return flags.Args(), nil
}

// newFlags returns flags that print nothing by themselves: the caller reports what
// Parse returns.
func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

func (a *App) printUsage(out io.Writer) {
	fmt.Fprintf(out, "%s serves, or runs a command:\n\n", a.life.name)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range a.Commands() {
		fmt.Fprintf(table, "  %s\t%s\n", c.Name, c.Usage)
	}
	table.Flush()
	fmt.Fprintf(out, "\nFlags go before the command. Each is also a variable: -drain-timeout is ISHAA_DRAIN_TIMEOUT.\n\n")
	defaults := defaultConfig()
	for _, s := range settings {
		usage := s.usage
		if text := s.show(&defaults); text != "" && text != "[]" && text != "false" {
			usage += " (" + text + ")"
		}
		fmt.Fprintf(table, "  -%s\t%s\n", s.name, usage)
	}
	table.Flush()
}
