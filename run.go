package ishaa

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ishaa-framework/ishaa/server"
)

// Run serves the application until the process gets SIGINT or SIGTERM, then
// drains: it stops accepting and lets the requests under way finish for at most
// Config.DrainTimeout. Those that have not finished by then are told so: their
// contexts end, and a handler that heeds its own is answered by 503. A second later
// the connections that are left are cut, and Run reports an error. Last it stops
// what was started. A second signal ends the process at once.
//
// With a command as its first argument the program runs that instead (see
// Command). On an error Run prints the error and exits with status 1.
func (a *App) Run() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from then on a signal does what it does by default
	err := a.RunArgs(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, a.life.name+": "+err.Error())
		os.Exit(1)
	}
}

// RunArgs is Run with the arguments and the end of the program given by the
// caller: it serves until the context ends. After -h it returns flag.ErrHelp.
func (a *App) RunArgs(ctx context.Context, args []string) error {
	rest, err := a.parseFlags(args, os.Stdout)
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
	return a.serveUntil(ctx, listener, func() {
		// The log says it too, unless its level is higher; this line is for the person
		// who started the program.
		if a.config.Logger == nil && !a.config.LogJSON {
			fmt.Fprintln(os.Stderr, a.life.name+": "+a.shownAddress(listener.Addr()))
		}
	})
}

// Serve answers the requests of a listener until the context ends, then drains as
// Run does. It closes the listener.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	return a.serveUntil(ctx, listener, func() {})
}

func (a *App) serveUntil(ctx context.Context, listener net.Listener, started func()) error {
	certificates, err := a.certificates()
	if err == nil {
		err = a.Start(ctx)
	}
	if err != nil {
		listener.Close()
		return err
	}
	requests, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	open := &connections{}
	server := a.server(requests, open, certificates)
	for _, hook := range a.listening {
		hook(a.shownAddress(listener.Addr()))
	}
	a.logger.Info("listening", "app", a.life.name, "url", a.addressOf(listener.Addr()))
	started()
	notifyParent("READY=1")
	served := make(chan error, 1)
	go func() {
		if certificates != nil {
			served <- server.ServeTLS(listener, "", "")
		} else {
			served <- server.Serve(listener)
		}
	}()
	select {
	case err = <-served: // the listener failed: nobody else comes, those who are here are served
	case <-ctx.Done():
		// A connection that is being accepted just now is known once Serve has returned.
		err = listener.Close()
		<-served
	}
	err = errors.Join(err, a.drain(ctx, server, open, cut))
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.DrainTimeout)
	defer cancel()
	err = errors.Join(err, a.Stop(stopCtx))
	a.logger.Info("stopped", "app", a.life.name)
	return err
}

// httpServer is what http.Server and server.Server have in common.
type httpServer interface {
	Serve(net.Listener) error
	ServeTLS(l net.Listener, certFile, keyFile string) error
	Shutdown(context.Context) error
	Close() error
}

// server makes the server whose requests live in the given context.
func (a *App) server(requests context.Context, open *connections, certificates []tls.Certificate) httpServer {
	std := &http.Server{
		Handler:           open.handler(a),
		ConnContext:       open.opened,
		ConnState:         open.changed,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: a.config.ReadHeaderTimeout,
		ReadTimeout:       a.config.ReadTimeout,
		WriteTimeout:      a.config.WriteTimeout,
		IdleTimeout:       a.config.IdleTimeout,
		MaxHeaderBytes:    a.config.MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(a.logger.Handler(), slog.LevelWarn),
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certificates},
		// OPTIONS * is the application's to answer, hooks and all.
		DisableGeneralOptionsHandler: true,
	}
	if a.config.Server == serverStd {
		return std
	}
	return &server.Server{
		Handler: std.Handler, ConnContext: std.ConnContext, ConnState: std.ConnState, BaseContext: std.BaseContext,
		ReadHeaderTimeout: std.ReadHeaderTimeout, ReadTimeout: std.ReadTimeout, WriteTimeout: std.WriteTimeout,
		IdleTimeout: std.IdleTimeout, MaxHeaderBytes: std.MaxHeaderBytes, ErrorLog: std.ErrorLog, TLSConfig: std.TLSConfig,
		DisableGeneralOptionsHandler: std.DisableGeneralOptionsHandler,
	}
}

// certificates reads what TLS needs, so that a wrong file stops the program before
// it starts; nil is no TLS.
func (a *App) certificates() ([]tls.Certificate, error) {
	if a.config.TLSCert == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(a.config.TLSCert, a.config.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("tls-cert %s, tls-key %s: %w", a.config.TLSCert, a.config.TLSKey, err)
	}
	return []tls.Certificate{certificate}, nil
}

// cutGrace is how long handlers have to answer once their contexts have ended.
const cutGrace = time.Second

// errShutdown is why the contexts of requests end that outlast the drain.
var errShutdown = Unavailable("the server is shutting down")

// drain lets requests finish; then it has them end, then it cuts them.
func (a *App) drain(ctx context.Context, server httpServer, open *connections, cut context.CancelCauseFunc) error {
	a.logger.Info("draining", "app", a.life.name, "timeout", a.config.DrainTimeout)
	a.beginDraining()
	ctx = context.WithoutCancel(ctx)
	inTime, cancel := context.WithTimeout(ctx, a.config.DrainTimeout)
	defer cancel()
	open.allAsked(inTime)
	err := server.Shutdown(inTime)
	if err == nil {
		err = open.allReturned(inTime)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	late := fmt.Errorf("requests were still under way after %s and have been cut; give them longer with drain-timeout", a.config.DrainTimeout)
	cut(errShutdown)
	grace, cancelGrace := context.WithTimeout(ctx, cutGrace)
	defer cancelGrace()
	if err = server.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	_ = open.allReturned(grace) // late says it
	return errors.Join(late, err)
}

// Draining is closed when the application begins to shut down: work that would
// last, such as a stream, should come to its end.
func (a *App) Draining() <-chan struct{} { return a.life.draining }

func (a *App) beginDraining() {
	a.life.drainOnce.Do(func() { close(a.life.draining) })
}

// addressOf is where the application listens, as a URL.
func (a *App) addressOf(addr net.Addr) string {
	scheme := "http"
	if a.config.TLSCert != "" {
		scheme = "https"
	}
	if addr.Network() == "unix" {
		return scheme + "+unix:" + addr.String()
	}
	return scheme + "://" + addr.String()
}

// shownAddress is where a person finds the application with a browser.
func (a *App) shownAddress(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return a.addressOf(addr)
	}
	return a.addressOf(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Port}) + ", on all addresses"
}
