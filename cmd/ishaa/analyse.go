package main

import (
	"github.com/spf13/cobra"

	"github.com/ishaa-framework/ishaa/seqp/evolve/command"
)

// analysis marks the commands that look at the source of an application: they read their own flags and are not the
// application's.
const analysis = "analysis"

// analysisCommands are those of the quality pipeline.
func (c *cli) analysisCommands() []*cobra.Command {
	var list []*cobra.Command
	for _, one := range command.Commands() {
		list = append(list, &cobra.Command{
			Use: one.Name, Short: one.Short, DisableFlagParsing: true, Annotations: map[string]string{analysis: "yes"},
			RunE: func(cmd *cobra.Command, args []string) error {
				if code := one.Run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr()); code != 0 {
					return exitError{code}
				}
				return nil
			},
		})
	}
	return list
}
