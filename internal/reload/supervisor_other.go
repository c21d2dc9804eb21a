//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package reload

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/ishaa-framework/ishaa/internal/program"
)

// Options say what to run.
type Options struct {
	Program  program.Program
	Addr     string
	Args     []string
	Ignore   []string
	Out, Err io.Writer
	Patience time.Duration
}

// Run is not there on this system, which hands no listening socket to another program.
func Run(context.Context, Options) error {
	return errors.New("--reload needs a system that hands down sockets, such as Linux or macOS: leave it out, and run the program again after a change")
}
