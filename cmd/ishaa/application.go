package main

import (
	"context"
	"os"

	"github.com/ishaa-framework/ishaa/internal/program"
)

var errNoProgram = program.ErrNone

// built finds and builds the application.
func (c *cli) built(ctx context.Context) (program.Program, string, error) {
	p, err := program.Find(c.app)
	if err != nil {
		return p, "", err
	}
	file, err := p.Cached(ctx)
	return p, file, err
}

func environment() []string { return os.Environ() }
