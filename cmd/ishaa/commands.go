package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// commands is the table of commands. A new one is a line here and a function like the others: see version.go. A command
// of the application that is worth a line in the help, or completion, is a line with application.
func (c *cli) commands() []*cobra.Command {
	return append([]*cobra.Command{
		c.createCommand(),
		c.runCommand(),
		c.checkCommand(),
		c.versionCommand(),
		c.application("routes", "list the application's routes; --match PATH says which one answers, and why", "--json", "--match", "--method", "--host"),
		c.application("migrate", "change the tables of the database", "run", "create", "status", "down", "to", "check", "baseline"),
		c.application("shell", "look at the models and their rows at a prompt", "--readonly", "-c"),
	}, c.analysisCommands()...)
}

// root is the command itself.
func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "ishaa",
		Short: "Create, run and look after applications",
		Long: "ishaa creates, runs and looks after applications.\n\nAny word that is not listed here is a command of the application in the working directory,\n" +
			"which is built first: \"ishaa seed 10\" is \"go run . seed 10\". \"ishaa app -h\" lists them.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&c.app, "app", "", "the `folder` of the application's package main (default: found)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; \"%s -h\" lists the flags", err, cmd.CommandPath())}
	})
	root.AddCommand(c.commands()...)
	return root
}

// args makes what cobra says about arguments an error in the command line.
func args(check cobra.PositionalArgs, want string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, list []string) error {
		if err := check(cmd, list); err != nil {
			return usageError{fmt.Errorf("%s: give %s", cmd.CommandPath(), want)}
		}
		return nil
	}
}

// none is for commands without arguments.
func none(cmd *cobra.Command, list []string) error {
	if len(list) > 0 {
		return usageError{fmt.Errorf("%s takes no argument, but got %q", cmd.CommandPath(), list[0])}
	}
	return nil
}

// application is a command of the application that the help lists. What follows it is the application's to read.
func (c *cli) application(name, short string, words ...string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, DisableFlagParsing: true, ValidArgs: words,
		RunE: func(cmd *cobra.Command, list []string) error { return c.forward(cmd.Context(), name, list...) },
	}
}

// foreign tells whether a command line is for the application: its first word is no command of ishaa. "app" stands for
// the application itself, whatever its commands are called.
func (c *cli) foreign(root *cobra.Command, list []string) (name string, rest []string, ok bool) {
	for len(list) > 0 {
		switch word := list[0]; {
		case word == "--app" && len(list) > 1:
			c.app, list = list[1], list[2:]
		case strings.HasPrefix(word, "--app="):
			c.app, list = strings.TrimPrefix(word, "--app="), list[1:]
		case strings.HasPrefix(word, "-"):
			return "", nil, false
		case word == "app":
			return "", list[1:], true
		default:
			// Completion is cobra's, and asks by words that are hidden.
			if slices.Contains([]string{"help", "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}, word) {
				return "", nil, false
			}
			for _, own := range root.Commands() {
				if own.Name() == word {
					if own.DisableFlagParsing && own.Annotations[analysis] == "" { // so that --app in front of it is not the application's to read
						return word, list[1:], true
					}
					return "", nil, false
				}
			}
			return word, list[1:], true
		}
	}
	return "", nil, false
}

// forward builds the application and becomes it.
func (c *cli) forward(ctx context.Context, name string, list ...string) error {
	p, file, err := c.built(ctx)
	if err != nil {
		if name != "" && !c.listed(name) && errors.Is(err, errNoProgram) {
			return fmt.Errorf("ishaa has no command %q, and %w", name, err)
		}
		return err
	}
	if name != "" {
		list = append([]string{name}, list...)
	}
	return c.exec(file, p.Root, list, environment())
}

func (c *cli) listed(name string) bool {
	return slices.ContainsFunc(c.commands(), func(own *cobra.Command) bool { return own.Name() == name })
}
