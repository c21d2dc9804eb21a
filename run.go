package ishaa

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Run serves the application until the process gets SIGINT or SIGTERM, then
// drains: it stops accepting, lets the requests under way finish for at most
// Config.DrainTimeout, and stops what was started. With a command as its first
// argument the program runs that instead (see Command). On an error it prints
// the error and exits with status 1.
func (a *App) Run() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := a.RunArgs(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, a.life.name+": "+err.Error())
		os.Exit(1)
	}
}

// RunArgs is Run with the arguments and the end of the program given by the
// caller: it serves until the context ends.
func (a *App) RunArgs(ctx context.Context, args []string) error {
	rest, err := a.parseFlags(args, os.Stderr)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return a.runCommand(ctx, rest[0], rest[1:])
	}
	listener, err := listen(a.config.Addr)
	if err != nil {
		return err
	}
	return a.Serve(ctx, listener)
}

// parseFlags reads the flags in front of a command and configures anew where they
// change something.
func (a *App) parseFlags(args []string, output io.Writer) ([]string, error) {
	flags := flag.NewFlagSet(a.life.name, flag.ContinueOnError)
	flags.SetOutput(output)
	cfg := a.config
	for _, s := range settings {
		set := func(text string) error { return s.apply(&cfg, text, "-"+s.name) }
		if s.isBool {
			flags.BoolFunc(s.name, s.usage, set)
		} else {
			flags.Func(s.name, s.usage, set)
		}
	}
	flags.Usage = func() { a.printUsage(flags) }
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NFlag() > 0 {
		a.mustBeOpen("Run with flags")
		logger := a.logger
		if err := a.configure(cfg); err != nil {
			return nil, err
		}
		if !given(flags, "log-level", "log-json") {
			a.logger = logger
		}
	}
	return flags.Args(), nil
}

func given(flags *flag.FlagSet, names ...string) bool {
	found := false
	flags.Visit(func(f *flag.Flag) {
		for _, name := range names {
			found = found || f.Name == name
		}
	})
	return found
}

// Serve answers the requests of a listener until the context ends, then drains as
// Run does. It closes the listener.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	if err := a.Start(ctx); err != nil {
		listener.Close()
		return err
	}
	server := &http.Server{
		Handler:           a,
		ReadHeaderTimeout: a.config.ReadHeaderTimeout,
		ReadTimeout:       a.config.ReadTimeout,
		WriteTimeout:      a.config.WriteTimeout,
		IdleTimeout:       a.config.IdleTimeout,
		MaxHeaderBytes:    a.config.MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(a.logger.Handler(), slog.LevelWarn),
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12},
		// OPTIONS * is the application's to answer, hooks and all.
		DisableGeneralOptionsHandler: true,
	}
	a.logger.Info("listening", "app", a.life.name, "url", a.addressOf(listener))
	served := make(chan error, 1)
	go func() {
		if a.config.TLSCert != "" {
			served <- server.ServeTLS(listener, a.config.TLSCert, a.config.TLSKey)
		} else {
			served <- server.Serve(listener)
		}
	}()
	select {
	case err := <-served:
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.DrainTimeout)
		defer cancel()
		return errors.Join(err, a.Stop(stopCtx))
	case <-ctx.Done():
	}
	return a.drain(ctx, server, served)
}

// drain lets requests finish, then stops what was started.
func (a *App) drain(ctx context.Context, server *http.Server, served <-chan error) error {
	a.logger.Info("draining", "app", a.life.name, "timeout", a.config.DrainTimeout)
	a.life.drainOnce.Do(func() { close(a.life.draining) })
	drainCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.DrainTimeout)
	defer cancel()
	err := server.Shutdown(drainCtx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("requests were still under way after %s and have been cut", a.config.DrainTimeout)
		server.Close()
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	stopCtx, cancelStop := context.WithTimeout(context.WithoutCancel(ctx), a.config.DrainTimeout)
	defer cancelStop()
	err = errors.Join(err, a.Stop(stopCtx))
	a.logger.Info("stopped", "app", a.life.name)
	return err
}

// Draining is closed when the application begins to shut down: work that would
// last, such as a stream, should come to its end.
func (a *App) Draining() <-chan struct{} { return a.life.draining }

// addressOf is where a browser finds the application.
func (a *App) addressOf(listener net.Listener) string {
	scheme := "http"
	if a.config.TLSCert != "" {
		scheme = "https"
	}
	if listener.Addr().Network() == "unix" {
		return scheme + "+unix:" + listener.Addr().String()
	}
	return scheme + "://" + listener.Addr().String()
}

// listen opens the address, or takes over a listener that the parent process
// hands down by the protocol of systemd's socket activation (sd_listen_fds(3)).
func listen(addr string) (net.Listener, error) {
	if listener, err := inherited(); listener != nil || err != nil {
		return listener, err
	}
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return listenUnix(path)
	}
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program; stop it, or choose another address with -addr or ISHAA_ADDR", addr)
	}
	return listener, err
}

// listenUnix opens a unix socket. A socket file that nobody answers on is what a
// killed process left behind, and goes.
func listenUnix(path string) (net.Listener, error) {
	if path == "" {
		return nil, errors.New("unix: names no socket; write unix:/path")
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		conn, err := net.DialTimeout("unix", path, time.Second)
		if err == nil {
			conn.Close()
			return nil, fmt.Errorf("unix:%s is in use by another program", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return net.Listen("unix", path)
}

// The first descriptor that is handed down.
const firstInherited = 3

func inherited() (net.Listener, error) {
	count, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || count < 1 {
		return nil, nil
	}
	if pid := os.Getenv("LISTEN_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return nil, nil // meant for another process
	}
	if count > 1 {
		return nil, fmt.Errorf("LISTEN_FDS is %d; hand down one listener", count)
	}
	file := os.NewFile(firstInherited, "inherited listener")
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS is set but descriptor %d is not a listener: %w", firstInherited, err)
	}
	return listener, nil
}
