// Command app is the program that the conformance batteries talk to, as the contract beside them describes it. It is
// built on the framework's public surface with no security setting touched, so that what it shows are the defaults.
//
//	go run ./internal/conformance/app -addr 127.0.0.1:18080
//	go run ./internal/conformance/app -addr 127.0.0.1:18081 -echo
//
// Its routes grow with the framework: a feature adds a file and a line in routes.go. Until then its paths are 404.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/ishaa-framework/ishaa"
)

// options are the flags that the contract names.
type options struct {
	addr      string
	tlsAddr   string
	cert, key string
	dir       string
	echo      bool
	jwtSecret string
	db        string
	chinook   string
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("app", flag.ContinueOnError)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:18080", "address for HTTP")
	flags.StringVar(&o.tlsAddr, "tls", "", "a second address, for HTTPS; needs -cert and -key")
	flags.StringVar(&o.cert, "cert", "", "file with the certificate chain")
	flags.StringVar(&o.key, "key", "", "file with the certificate's key")
	flags.StringVar(&o.dir, "dir", "", "folder that /_x/files/ serves")
	flags.BoolVar(&o.echo, "echo", false, "answer every path outside /_x/ with the request's body")
	flags.StringVar(&o.jwtSecret, "jwt-secret", "", "HS256 secret of /_x/protected")
	flags.StringVar(&o.db, "db", "", "database of /_x/enqueue")
	flags.StringVar(&o.chinook, "chinook", "../shared/conformance/data/chinook.sqlite", "SQLite file of /_x/query, or the URL of a database with a copy")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: -h lists the flags", flags.Arg(0))
	}
	if o.tlsAddr != "" && (o.cert == "" || o.key == "") {
		return o, errors.New("-tls needs -cert and -key")
	}
	return o, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parseOptions(os.Args[1:])
	if err == nil {
		err = serve(ctx, o)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "app: "+err.Error())
		os.Exit(1)
	}
}

// serve runs one application for each address until the context ends or one of them fails.
func serve(ctx context.Context, o options) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	listeners := [][]string{{"-addr", o.addr}}
	if o.tlsAddr != "" {
		listeners = append(listeners, []string{"-addr", o.tlsAddr, "-tls-cert", o.cert, "-tls-key", o.key})
	}
	ended := make(chan error, len(listeners))
	for _, args := range listeners {
		app := build(o)
		go func() { ended <- app.RunArgs(ctx, args) }()
	}
	var failures []error
	for range listeners {
		failures = append(failures, <-ended)
		stop() // one without the other is not what was asked for
	}
	return errors.Join(failures...)
}

// build returns the application with every route that exists.
func build(o options) *ishaa.App {
	app := ishaa.New("conformance")
	for _, add := range routes {
		add(app, o)
	}
	return app
}
