package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ishaa-framework/ishaa/internal/program"
	"github.com/ishaa-framework/ishaa/internal/terminal"
)

// finding is what one step of a check found.
type finding struct {
	Step string `json:"step"`
	OK   bool   `json:"ok"`
	Text string `json:"text,omitempty"`
}

func (c *cli) checkCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check", Short: "check that the application would start: code, configuration, routes, templates, migrations", Args: none,
		Long: "check looks for what would go wrong later: go vet; configuration, routes and templates, by starting the application as\n" +
			"serving would, and stopping it; and, if it has the command migrate, whether models, migrations and database agree.\n" +
			"An application that migrates when it starts does so here too.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, file, err := c.built(cmd.Context())
			if err != nil {
				return err
			}
			list := c.findings(cmd.Context(), p, file)
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(c.out)
				encoder.SetIndent("", "  ")
				if err := encoder.Encode(list); err != nil {
					return err
				}
			} else {
				c.showFindings(list)
			}
			if slices.ContainsFunc(list, func(f finding) bool { return !f.OK }) {
				return exitError{exitFailed}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (c *cli) findings(ctx context.Context, p program.Program, file string) []finding {
	vet := exec.CommandContext(ctx, "go", "vet", "./...")
	vet.Dir = p.Root
	list := []finding{found("go vet", vet, false)}
	own := func(step string, args ...string) finding {
		cmd := exec.CommandContext(ctx, file, args...)
		cmd.Dir, cmd.Env = p.Root, append(os.Environ(), "ISHAA_LOG_LEVEL=error")
		return found(step, cmd, true)
	}
	start := own("start", "check")
	list = append(list, start)
	if start.OK && has(ctx, p, file, "migrate") {
		list = append(list, own("migrations", "migrate", "check"))
	}
	return list
}

// found runs a step and keeps what it printed, if it failed or if that is worth reading.
func found(step string, cmd *exec.Cmd, always bool) finding {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	f := finding{Step: step, OK: err == nil}
	if text := strings.TrimSpace(out.String()); err != nil || always {
		f.Text = text
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		f.Text = err.Error()
	}
	return f
}

// has reports whether the application has a command: its usage lists them.
func has(ctx context.Context, p program.Program, file, name string) bool {
	cmd := exec.CommandContext(ctx, file, "-h")
	cmd.Dir = p.Root
	out, err := cmd.Output()
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(out)) {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word == name && strings.HasPrefix(line, "  ") {
			return true
		}
	}
	return false
}

func (c *cli) showFindings(list []finding) {
	style := terminal.StyleFor(c.out)
	for _, f := range list {
		mark := style.Good("ok  ")
		if !f.OK {
			mark = style.Bad("FAIL")
		}
		text := terminal.Clean(f.Text)
		if strings.Contains(text, "\n") {
			text = "\n      " + strings.ReplaceAll(text, "\n", "\n      ")
		}
		fmt.Fprintf(c.out, "%s  %-10s  %s\n", mark, f.Step, text)
	}
}
