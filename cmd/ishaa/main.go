// Command ishaa creates, runs and looks after applications.
//
//	ishaa create project demo
//	cd demo
//	ishaa run --reload
//	ishaa routes --match /users/7
//	ishaa migrate create add_posts
//	ishaa shell
//
// Its own commands are in one table, in commands.go. Any other word is a command of the application in the working
// directory: ishaa builds it, where the go command finds the last build, and runs "program WORD arguments".
//
// # Exit codes
//
//	0    it was done
//	1    it failed, or a check found something; what the application's own command ends with goes through
//	2    the command line makes no sense
//	3    there is no application here, or it does not build
//	130  it was interrupted
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/ishaa-framework/ishaa/internal/program"
	"github.com/ishaa-framework/ishaa/internal/terminal"
)

// Exit codes. The package comment explains them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNoProgram   = 3
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// cli is one run of the command.
type cli struct {
	out, err io.Writer
	app      string // the folder of the application's package main, or "" to look for it
	exec     func(file, dir string, args, env []string) error
}

// usageError is an error in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitError is the end of a program that ishaa ran; it has said itself what there is to say.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

// execute runs a command line and returns the exit code.
func execute(ctx context.Context, args []string, out, errOut io.Writer) int {
	c := &cli{out: out, err: errOut, exec: program.Exec}
	return c.report(ctx, c.run(ctx, args))
}

func (c *cli) run(ctx context.Context, args []string) error {
	root := c.root()
	if own, rest, ok := c.foreign(root, args); ok {
		return c.forward(ctx, own, rest...)
	}
	root.SetArgs(args)
	root.SetOut(c.out)
	root.SetErr(c.err)
	return root.ExecuteContext(ctx)
}

// report says what went wrong and returns the exit code for it.
func (c *cli) report(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	style := terminal.StyleFor(c.err)
	var exit exitError
	var usage usageError
	var build *program.BuildError
	switch {
	case errors.As(err, &exit):
		return exit.code
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &build):
		fmt.Fprintf(c.err, "%s the application does not build:\n%s\n", style.Bad("ishaa:"), terminal.Clean(build.Output))
		return exitNoProgram
	}
	fmt.Fprintln(c.err, style.Bad("ishaa:"), terminal.Clean(strings.TrimSpace(err.Error())))
	switch {
	case errors.Is(err, program.ErrNone):
		return exitNoProgram
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitFailed
}
