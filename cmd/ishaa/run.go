package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ishaa-framework/ishaa/internal/dotenv"
	"github.com/ishaa-framework/ishaa/internal/program"
	"github.com/ishaa-framework/ishaa/internal/reload"
)

func (c *cli) runCommand() *cobra.Command {
	var host string
	var port int
	var watch bool
	var ignore []string
	cmd := &cobra.Command{
		Use: "run [flags] [-- ARGUMENTS]", Short: "build and run the application",
		Long: "run builds the application and runs it, as a server would: in the production way, with the settings of .env and the\n" +
			"environment. Arguments behind -- are the application's own.\n\n" +
			"With --reload it is built anew whenever a file of it changes: Go, templates, static files, SQL, .env. The listening\n" +
			"socket stays open meanwhile, so that no request is refused. Pages load again in the browser by themselves. What does\n" +
			"not build is shown in the terminal and on the page. Debug mode is on, unless ISHAA_DEBUG says otherwise.",
		Example: "  ishaa run --reload\n  ishaa run --host 0.0.0.0 --port 8080",
		Args: func(cmd *cobra.Command, list []string) error {
			if at := cmd.ArgsLenAtDash(); len(list) > 0 && at != 0 {
				return usageError{fmt.Errorf("ishaa run takes no argument, but got %q; what is behind -- goes to the application", list[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, list []string) error {
			p, err := program.Find(c.app)
			if err != nil {
				return err
			}
			addr, err := address(p.Root, host, port, cmd.Flags().Changed("host"), cmd.Flags().Changed("port"))
			if err != nil {
				return err
			}
			if watch {
				return reload.Run(cmd.Context(), reload.Options{Program: p, Addr: addr, Args: list, Ignore: ignore, Out: c.out, Err: c.err})
			}
			return c.serve(cmd.Context(), p, addr, list)
		},
	}
	cmd.Flags().StringVar(&host, "host", "127.0.0.1", "`address` to listen on; 0.0.0.0 is all of this machine")
	cmd.Flags().IntVar(&port, "port", 8000, "`port` to listen on; 0 is any that is free")
	cmd.Flags().BoolVar(&watch, "reload", false, "build and run it anew whenever a file changes")
	cmd.Flags().StringArrayVar(&ignore, "ignore", nil, "`pattern` of files or folders whose changes do not count, such as data or '*.json'")
	return cmd
}

// serve becomes the application.
func (c *cli) serve(ctx context.Context, p program.Program, addr string, list []string) error {
	file, err := p.Cached(ctx)
	if err != nil {
		return err
	}
	return c.exec(file, p.Root, append([]string{"-addr", addr}, list...), environment())
}

// address is where to listen: what the flags say, or ISHAA_ADDR in the environment or in .env, or the default.
func address(root, host string, port int, hostGiven, portGiven bool) (string, error) {
	if port < 0 || port > 65535 {
		return "", usageError{fmt.Errorf("--port %d: a port is between 0 and 65535", port)}
	}
	if strings.ContainsAny(host, "/ ") {
		return "", usageError{fmt.Errorf("--host %q: give a name or an address, such as 0.0.0.0", host)}
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if hostGiven && portGiven {
		return net.JoinHostPort(host, strconv.Itoa(port)), nil
	}
	file, err := dotenv.Read(filepath.Join(root, ".env"))
	if err != nil {
		return "", err
	}
	set := cmp.Or(os.Getenv("ISHAA_ADDR"), file["ISHAA_ADDR"].Text)
	if set == "" {
		return net.JoinHostPort(host, strconv.Itoa(port)), nil
	}
	if !hostGiven && !portGiven {
		return set, nil
	}
	setHost, setPort, err := net.SplitHostPort(set)
	if err != nil || strings.HasPrefix(set, "unix:") {
		return "", usageError{fmt.Errorf("ISHAA_ADDR is %q, which --host and --port cannot change: give both", set)}
	}
	if hostGiven {
		return net.JoinHostPort(host, setPort), nil
	}
	return net.JoinHostPort(setHost, strconv.Itoa(port)), nil
}
