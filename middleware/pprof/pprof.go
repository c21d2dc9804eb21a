// Package pprof serves the profiles of net/http/pprof below /debug/pprof/, for go tool pprof and for browsers. It does so
// only when it is installed, and only behind a guard: a profile says much about a program, and making one costs it time.
//
//	app := ishaa.New("shop")
//	app.Install(pprof.Plugin(pprof.Local()))         // clients on this machine
//	app.Install(pprof.Plugin(auth.LoginRequired(…))) // or whoever may
//	app.Run()
//
//	$ go tool pprof http://127.0.0.1:8000/debug/pprof/profile?seconds=10
//
// This package imports net/http/pprof, which registers the same handlers on http.DefaultServeMux for everybody. An
// application does not serve that mux; a program that also does should not.
package pprof

import (
	"errors"
	"net/http"
	"net/http/pprof"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/localonly"
)

// Plugin returns a plugin that serves the profiles behind the given guards: route options that bring middleware, such as
// Local, a login or a rate limit. Without any the plugin refuses to be installed, unless the application runs with
// Config.Debug; then it is as with Local.
func Plugin(guards ...ishaa.RouteOption) ishaa.Plugin { return plugin{guards} }

// Local is a guard that lets through only clients on this machine that ask for it by a loopback name, and nobody who
// comes through a proxy.
func Local() ishaa.RouteOption { return localonly.Guard() }

type plugin struct{ guards []ishaa.RouteOption }

// Install registers the routes.
func (p plugin) Install(app *ishaa.App) error {
	guards := p.guards
	if len(guards) == 0 && app.Config().Debug {
		guards = []ishaa.RouteOption{Local()}
	}
	for pattern, handler := range map[string]http.HandlerFunc{
		"/debug/pprof/":        pprof.Index,
		"/debug/pprof/<name>":  pprof.Index, // heap, goroutine, block …
		"/debug/pprof/cmdline": pprof.Cmdline,
		"/debug/pprof/profile": pprof.Profile,
		"/debug/pprof/symbol":  pprof.Symbol,
		"/debug/pprof/trace":   pprof.Trace,
	} {
		if route := app.Get(pattern, serve(handler), guards...); len(route.OwnMiddleware()) == 0 {
			return errors.New("profiles need a guard that brings middleware: pprof.Plugin(pprof.Local()) for clients on this machine, or a login")
		}
	}
	app.Post("/debug/pprof/symbol", serve(pprof.Symbol), guards...)
	return nil
}

func serve(handler http.HandlerFunc) ishaa.Handler {
	return func(*ishaa.Request) (any, error) { return ishaa.Serve(handler), nil }
}
