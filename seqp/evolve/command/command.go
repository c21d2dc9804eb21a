// Package command is the quality pipeline's part of the command line: risk, gen-tests, mutate, pipeline, guard and evolve.
//
//	for _, c := range command.Commands() {
//		if c.Name == os.Args[1] {
//			os.Exit(c.Run(ctx, os.Args[2:], os.Stdout, os.Stderr))
//		}
//	}
//
// Each ends with 0 where all is well, 1 where a gate is not passed or something failed, and 2 where the command line makes
// no sense.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Command is one command.
type Command struct {
	Name  string
	Short string // in a line
	Run   func(ctx context.Context, args []string, out, errOut io.Writer) int
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Commands are the commands, in the order of the pipeline.
func Commands() []Command {
	return []Command{
		{"risk", "list the routes by what a mistake in them would cost, with reasons", runRisk},
		{"gen-tests", "write the tests that pay, and show the bugs they find", runTests},
		{"mutate", "change the program in small ways and list what no test notices", runMutate},
		{"pipeline", "write the continuous integration that the risk asks for", runPipeline},
		{"guard", "judge a release by what was measured of it", runGuard},
		{"evolve", "risk, tests and pipeline in one cycle", runEvolve},
	}
}

// errGate is the error of a gate that was not passed and has said so.
var errGate = errors.New("the gate is not passed")

// flags is a set of flags with a usage line.
func flags(name, arguments string, errOut io.Writer) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(errOut)
	set.Usage = func() {
		fmt.Fprintf(errOut, "usage: ishaa %s %s\n", name, arguments)
		set.PrintDefaults()
	}
	return set
}

// parse reads flags and refuses arguments beyond a number; ok is false where there is nothing to run.
func parse(set *flag.FlagSet, args []string, most int, errOut io.Writer) (code int, ok bool) {
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK, false
	case err != nil:
		return exitUsage, false
	}
	if most >= 0 && set.NArg() > most {
		fmt.Fprintf(errOut, "ishaa %s: %q is more than it takes\n", set.Name(), set.Arg(most))
		return exitUsage, false
	}
	return exitOK, true
}

// ended turns an error into an exit code and says it.
func ended(name string, err error, errOut io.Writer) int {
	if err == nil {
		return exitOK
	}
	if !errors.Is(err, errGate) {
		text := strings.TrimSpace(err.Error())
		fmt.Fprintf(errOut, "ishaa %s: %s\n", name, text)
	}
	return exitFailed
}
