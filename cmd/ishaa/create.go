package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ishaa-framework/ishaa/internal/program"
	"github.com/ishaa-framework/ishaa/internal/scaffold"
	"github.com/ishaa-framework/ishaa/internal/terminal"
)

func (c *cli) createCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "create", Short: "create a project, or a piece of one",
		Args: func(cmd *cobra.Command, list []string) error {
			if len(list) > 0 {
				return usageError{fmt.Errorf("ishaa create makes no %q: it makes a project, model, blueprint, task or migration", list[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.createProject(), c.createModel(), c.createPiece("blueprint", "routes", scaffold.Blueprint),
		c.createPiece("task", "jobs", scaffold.Task), c.createMigration())
	return cmd
}

func (c *cli) createProject() *cobra.Command {
	var minimal, api bool
	var module, checkout string
	cmd := &cobra.Command{
		Use: "project NAME", Short: "create a project in a new folder",
		Example: "  ishaa create project demo\n  ishaa create project demo --api --module example.com/demo",
		Args:    args(cobra.ExactArgs(1), "one name, such as demo"),
		RunE: func(cmd *cobra.Command, list []string) error {
			kind := scaffold.Full
			switch {
			case minimal && api:
				return usageError{fmt.Errorf("ishaa create project: give one of --minimal and --api")}
			case minimal:
				kind = scaffold.Minimal
			case api:
				kind = scaffold.API
			}
			name := filepath.Base(filepath.Clean(list[0]))
			if err := scaffold.CheckName(name); err != nil {
				return usageError{err}
			}
			framework, err := scaffold.Locate(checkout)
			if err != nil {
				return usageError{err}
			}
			made, err := scaffold.Create(cmd.Context(), scaffold.Project{Name: name, Module: module, Dir: list[0], Kind: kind, Framework: framework})
			if err != nil {
				return err
			}
			c.showProject(made, framework)
			return nil
		},
	}
	cmd.Flags().BoolVar(&minimal, "minimal", false, "two routes and a test, and nothing else")
	cmd.Flags().BoolVar(&api, "api", false, "an API with its document, without pages")
	cmd.Flags().StringVar(&module, "module", "", "the `path` of its module (default: the name)")
	cmd.Flags().StringVar(&checkout, "replace", "", "the `folder` of a checkout of the framework, in place of a published version")
	return cmd
}

func (c *cli) showProject(made scaffold.Created, framework scaffold.Framework) {
	style := terminal.StyleFor(c.out)
	fmt.Fprintf(c.out, "%s %s\n\n", style.Good("created"), made.Dir)
	for _, name := range made.Files {
		fmt.Fprintln(c.out, "  "+name)
	}
	if framework.Checkout != "" {
		fmt.Fprintf(c.out, "\nThe framework is that of %s, by a replace line in go.mod.\n", framework.Checkout)
	}
	for _, note := range made.Notes {
		fmt.Fprintln(c.out, "\nNote:", terminal.Clean(note))
	}
	fmt.Fprintf(c.out, "\nNow:\n\n  cd %s\n  go run .\n  go test ./...\n", made.Dir)
}

// root is the folder of the project that the working directory is in.
func (c *cli) projectRoot() (string, error) {
	p, err := program.Find(c.app)
	if err == nil {
		return p.Root, nil
	}
	return "", err
}

func (c *cli) showPiece(piece scaffold.Piece, err error) error {
	style := terminal.StyleFor(c.out)
	for _, name := range piece.Files {
		fmt.Fprintln(c.out, style.Good("wrote"), name)
	}
	if err != nil {
		return err
	}
	for _, next := range piece.Next {
		fmt.Fprintln(c.out, style.Quiet("next:"), next)
	}
	return nil
}

func (c *cli) createModel() *cobra.Command {
	return &cobra.Command{
		Use: "model NAME [FIELD:TYPE[:OPTION]]...", Short: "create a model in the folder models",
		Long: fmt.Sprintf("model writes a model and registers it. Types are %v; options are null, unique and index.\nWithout fields it has a name.",
			scaffold.FieldTypes()),
		Example: "  ishaa create model Post title:text body:text published:time:null",
		Args:    args(cobra.MinimumNArgs(1), "a name, such as Post, and fields, such as title:text"),
		RunE: func(_ *cobra.Command, list []string) error {
			root, err := c.projectRoot()
			if err != nil {
				return err
			}
			return c.showPiece(scaffold.Model(root, list[0], list[1:]))
		},
	}
}

func (c *cli) createPiece(what, folder string, write func(root, name string) (scaffold.Piece, error)) *cobra.Command {
	return &cobra.Command{
		Use: what + " NAME", Short: "create a " + what + " in the folder " + folder,
		Args: args(cobra.ExactArgs(1), "one name"),
		RunE: func(_ *cobra.Command, list []string) error {
			root, err := c.projectRoot()
			if err != nil {
				return err
			}
			return c.showPiece(write(root, list[0]))
		},
	}
}

func (c *cli) createMigration() *cobra.Command {
	return &cobra.Command{
		Use: "migration NAME", Short: "write a migration of what changed in the models: migrate create NAME", DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, list []string) error {
			if len(list) == 1 && (list[0] == "-h" || list[0] == "--help") {
				return cmd.Help()
			}
			return c.forward(cmd.Context(), "migrate", append([]string{"create"}, list...)...)
		},
	}
}
