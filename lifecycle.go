package ishaa

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
)

// Plugin extends an application: it may register routes, middleware, commands
// and engines. Install runs at once, while the application is set up.
type Plugin interface {
	Install(app *App) error
}

// Starter is a Plugin that has something to do when the application starts,
// before the first request. An error keeps the application from starting.
type Starter interface {
	Start(ctx context.Context) error
}

// Stopper is a Plugin that has something to do when the application stops, after
// the last request. Its context ends when the time for it is up.
type Stopper interface {
	Stop(ctx context.Context) error
}

// lifecycle is where an application stands between New and its end.
type lifecycle struct {
	name    string
	mu      sync.Mutex
	once    sync.Once
	err     error // of starting
	started atomic.Bool

	draining  chan struct{} // closed when shutdown begins
	drainOnce sync.Once
	ran       []func(context.Context) error // stop functions of what has started
}

// Install adds plugins. A plugin that cannot be installed stops the program,
// since what it was to bring is missing.
func (a *App) Install(plugins ...Plugin) {
	source := callerOutside()
	a.mustBeOpen("Install")
	for _, plugin := range plugins {
		if plugin == nil {
			panic(source + ": Install: the plugin is nil")
		}
		if err := plugin.Install(a); err != nil {
			panic(fmt.Sprintf("%s: Install(%T): %v", source, plugin, err))
		}
		var start, stop func(context.Context) error
		if s, ok := plugin.(Starter); ok {
			start = s.Start
		}
		if s, ok := plugin.(Stopper); ok {
			stop = s.Stop
		}
		a.hooks = append(a.hooks, lifeHook{fmt.Sprintf("%T", plugin), start, stop})
	}
}

// lifeHook is a pair of functions of which the second runs only if the first did.
type lifeHook struct {
	what        string
	start, stop func(context.Context) error
}

// OnSetup adds a function that runs when the application starts, before its routes
// are compiled: the last moment to annotate them, to give them a selector, or to
// refuse how they are registered. An error
// keeps the application from starting; those of all functions are told together.
func (a *App) OnSetup(fn func() error) {
	a.mustBeOpen("OnSetup")
	mustHave("OnSetup", fn != nil)
	a.setups = append(a.setups, fn)
}

// OnStart adds a function that runs when the application starts, in the order
// of registration. An error keeps the application from starting.
func (a *App) OnStart(fn func(context.Context) error) {
	a.mustBeOpen("OnStart")
	mustHave("OnStart", fn != nil)
	a.hooks = append(a.hooks, lifeHook{"start hook at " + callerOutside(), fn, nil})
}

// OnStop adds a function that runs when the application stops, in the reverse
// order of registration, after the last request.
func (a *App) OnStop(fn func(context.Context) error) {
	a.mustBeOpen("OnStop")
	mustHave("OnStop", fn != nil)
	a.hooks = append(a.hooks, lifeHook{"stop hook at " + callerOutside(), nil, fn})
}

// OnListen adds a function that runs when Run or Serve is about to answer requests.
// It is told where: "http://127.0.0.1:8000", with the port that the system chose.
// Commands such as check, which start the application for nobody, do not run it.
func (a *App) OnListen(fn func(url string)) {
	a.mustBeOpen("OnListen")
	mustHave("OnListen", fn != nil)
	a.listening = append(a.listening, fn)
}

// Started reports whether the application has started: its routes are fixed.
func (a *App) Started() bool { return a.life.started.Load() }

// Start compiles the route table and runs the start hooks, once; later calls
// return what the first one did. Run calls it, and so does the first request to an
// application that is served by another server.
func (a *App) Start(ctx context.Context) error {
	a.life.once.Do(func() {
		a.life.err = errStartPanicked // unless start returns
		a.life.err = a.start(ctx)
	})
	return a.life.err
}

var errStartPanicked = errors.New("the application panicked while it started")

func (a *App) start(ctx context.Context) error {
	var refused []error
	for _, setup := range a.setups {
		refused = append(refused, setup())
	}
	if err := errors.Join(refused...); err != nil {
		return err
	}
	if err := a.compileAll(); err != nil {
		return err
	}
	a.warnRemoved()
	if err := a.runStartHooks(ctx); err != nil {
		return err
	}
	var entry http.Handler = http.HandlerFunc(a.serve)
	for i := len(a.std) - 1; i >= 0; i-- {
		entry = a.std[i](entry)
	}
	if build := a.reloading(); build != "" {
		entry = a.liveReload(build, entry)
	}
	a.entry.Store(&entry)
	return nil
}

func (a *App) runStartHooks(ctx context.Context) error {
	for _, hook := range a.hooks {
		if hook.start != nil {
			if err := hook.start(ctx); err != nil {
				err = fmt.Errorf("%s: %w", hook.what, err)
				return errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
			}
		}
		if hook.stop != nil {
			a.life.mu.Lock()
			a.life.ran = append(a.life.ran, hook.stop)
			a.life.mu.Unlock()
		}
	}
	return nil
}

// compileAll fixes the route table and builds every chain.
func (a *App) compileAll() error {
	a.compiling.Lock()
	defer a.compiling.Unlock()
	a.life.started.Store(true)
	var failures []error
	for _, check := range a.checks {
		failures = append(failures, check())
	}
	for _, route := range append(a.missRoutes(), a.all...) {
		if route.primary != nil {
			continue
		}
		built, err := a.compile(route)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		route.chain.Store(built)
	}
	return errors.Join(failures...)
}

// missRoutes makes the routes that answer for each blueprint when none of its own
// does.
func (a *App) missRoutes() []*Route {
	list := []*Route{a.miss}
	a.group.miss = a.miss
	for _, route := range a.all {
		if g := route.group; g.miss == nil {
			g.miss = &Route{app: a, group: g, handler: answerMiss, source: g.source}
			list = append(list, g.miss)
		}
	}
	return list
}

// startOnDemand starts the application for its first request.
func (a *App) startOnDemand() *http.Handler {
	if err := a.Start(context.Background()); err != nil {
		a.logger.Error("the application could not start", "app", a.life.name, "error", err)
		var refuse http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "503 Service Unavailable: the application could not start; its log says why", http.StatusServiceUnavailable)
		})
		a.entry.Store(&refuse)
	}
	return a.entry.Load()
}

// Stop runs the stop hooks of what has started, in reverse order, each of them
// even when another fails, and returns their errors. A second call does nothing.
// Serve and Run call it; a program that runs the application on another server does
// when that has shut down.
func (a *App) Stop(ctx context.Context) error {
	a.beginDraining()
	a.life.mu.Lock()
	ran := a.life.ran
	a.life.ran = nil
	a.life.mu.Unlock()
	var failures []error
	for i := len(ran) - 1; i >= 0; i-- {
		if err := ran[i](ctx); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}
