package command_test

import (
	"fmt"

	"github.com/ishaa-framework/ishaa/seqp/evolve/command"
)

func Example() {
	for _, c := range command.Commands() {
		fmt.Println(c.Name)
	}
	// Output:
	// risk
	// gen-tests
	// mutate
	// pipeline
	// guard
	// evolve
}
