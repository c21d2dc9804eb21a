package sare

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
)

type routeTable map[*ishaa.Route]*watched

// Engine is the engine of one application. Its methods may be called by any goroutine.
type Engine struct {
	app     *ishaa.App
	options Options

	policy  atomic.Pointer[policy] // nil while off
	off     atomic.Bool            // chains that are compiled now are those without the engine
	broken  atomic.Pointer[string] // why the engine gave up
	nowhere *watched               // requests that match no route
	far     farWrites
	nodes   *nodes
	shelf   shelf
	limit   *limiter // nil where it is turned off

	routesMu sync.Mutex // held while chains are compiled; nothing else is locked inside
	routes   routeTable
	list     []*watched

	mu        sync.Mutex // what only the owner and the methods below change
	started   time.Time
	steps     uint64
	seenAt    time.Time
	ledger    *evidence.Ledger // nil without a folder
	decisions []evidence.Entry // the latest
	bandit    evidence.Bandit
	notes     map[string][]Note // by subject, the latest
	predictor *predictor
	learnt    map[string]learnt // of an earlier process, by subject
	savedAt   time.Time
	trials    trialCount
	profiler  profiler
	flight    flightRecorder

	events  events
	slots   chan struct{}
	workMu  sync.Mutex
	work    sync.WaitGroup
	life    context.Context
	end     context.CancelFunc
	stopped bool
	owner   sync.WaitGroup
}

// trialCount says how adaptations ended, for the report.
type trialCount struct{ begun, kept, undone int }

// Enable adds an engine to an application, before or after its routes are registered, and returns it. It begins when the
// application starts. Options that cannot be stop the program, as every mistake at its start does.
func Enable(app *ishaa.App, options Options) *Engine {
	e := &Engine{app: app, options: options}
	app.Install(plugin{e})
	return e
}

// plugin keeps Install, Start and Stop off the engine's own methods.
type plugin struct{ *Engine }

// Install implements ishaa.Plugin.
func (p plugin) Install(app *ishaa.App) error {
	e := p.Engine
	var err error
	if e.options, err = e.options.withDefaults(); err != nil {
		return err
	}
	e.routes = routeTable{}
	e.notes = map[string][]Note{}
	e.learnt = map[string]learnt{}
	e.shelf.size = e.options.CacheSize
	e.slots = make(chan struct{}, backgroundSlots)
	e.events.wake = make(chan struct{}, 1)
	e.nodes = newNodes(e)
	e.nowhere = e.newWatched(nil)
	if !e.options.NoLimiter {
		e.limit = newLimiter(e.options)
	}
	if !e.options.NoPredictor {
		e.predictor = newPredictor(e.options)
	}
	app.Observe(e)
	app.Intercept(layer{e, ishaa.Outermost}, layer{e, ishaa.Innermost})
	app.Command(pgoCommand(e))
	return nil
}

// Start implements ishaa.Starter.
func (p plugin) Start(ctx context.Context) error {
	e := p.Engine
	for _, route := range e.app.Routes() {
		if err := checkVary(route); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.openFolder(); err != nil {
		return err
	}
	now := e.app.Clock().Now()
	e.started, e.seenAt, e.savedAt = now, now, now
	e.workMu.Lock()
	e.life, e.end = context.WithCancel(context.WithoutCancel(ctx))
	e.workMu.Unlock()
	if err := e.nodes.start(e.life); err != nil {
		return errors.Join(err, e.closeFolder())
	}
	e.flight.start(e)
	if !e.off.Load() {
		e.publish()
	}
	e.owner.Go(e.run)
	return nil
}

// Stop implements ishaa.Stopper.
func (p plugin) Stop(ctx context.Context) error {
	e := p.Engine
	e.workMu.Lock()
	e.stopped = true
	if e.end != nil {
		e.end()
	}
	e.workMu.Unlock()
	e.owner.Wait()
	ended := make(chan struct{})
	go func() { e.work.Wait(); close(ended) }()
	var late error
	select {
	case <-ended:
	case <-ctx.Done():
		late = fmt.Errorf("sare: handlers that were to answer again for comparison have not ended: %w", ctx.Err())
	}
	e.nodes.stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.policy.Store(nil)
	e.flight.stop()
	e.profiler.stop()
	return errors.Join(late, e.save(), e.closeFolder())
}

// watch returns what is known of a route.
func (e *Engine) watch(route *ishaa.Route) *watched {
	if route.Pattern() == "" {
		return e.nowhere
	}
	e.routesMu.Lock()
	defer e.routesMu.Unlock()
	if w := e.routes[route]; w != nil {
		return w
	}
	w := e.newWatched(route)
	e.list = append(e.list, w)
	w.index = len(e.list)
	e.routes[route] = w
	return w
}

func (e *Engine) newWatched(route *ishaa.Route) *watched {
	w := &watched{route: route, name: "(no route)", why: "nothing answers there"}
	if route == nil {
		return w
	}
	w.name = route.String()
	if variant := route.VariantName(); variant != "" {
		w.name += " (" + variant + ")"
	}
	w.level, _ = ishaa.Criticality.Of(route)
	w.s.phase = watching
	if w.why = e.whyNoMemo(route); w.why == "" {
		w.memo = &memo{e: e, w: w}
		w.memo.vary, w.memo.declared = varyMark.Of(route)
		w.memo.ttl.Store(int64(min(firstTTL, e.options.CacheTTL)))
	}
	if never, _ := neverMark.Of(route); !never && !e.options.NoMiddlewareReorder {
		w.prober = newProber(route)
	}
	return w
}

// whyNoMemo says why nothing of a route may be remembered, or "".
func (e *Engine) whyNoMemo(route *ishaa.Route) string {
	never, _ := neverMark.Of(route)
	methods := route.Methods()
	switch {
	case e.options.NoAutoMemoize:
		return "Options.NoAutoMemoize"
	case never:
		return "sare.Never()"
	case methods != nil && !slices.Contains(methods, "GET"):
		return "it does not answer GET"
	case route.Mounted():
		return "a net/http handler answers"
	case slices.ContainsFunc(route.OwnMiddleware(), func(m ishaa.Middleware) bool { return m.Name == "cache" }):
		return "package cache remembers its answers"
	}
	return ""
}

// run is the owner: the one goroutine that decides.
func (e *Engine) run() {
	defer func() {
		if cause := recover(); cause != nil {
			e.giveUp(cause, debug.Stack())
		}
	}()
	clock := e.app.Clock()
	tick := min(limiterTick, e.options.OptimizeInterval)
	next := clock.Now().Add(e.options.OptimizeInterval)
	wake := clock.After(tick)
	for {
		select {
		case <-e.life.Done():
			return
		case <-e.events.wake:
			e.takeEvents(clock.Now())
		case <-wake:
			now := clock.Now()
			e.tickLimiter()
			if !now.Before(next) {
				e.step(now)
				next = now.Add(e.options.OptimizeInterval)
			}
			wake = clock.After(tick)
		}
	}
}

func (e *Engine) tickLimiter() {
	if e.limit == nil || e.off.Load() {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.limit.tick(e)
}

// step is one turn: look, decide, tell.
func (e *Engine) step(now time.Time) {
	e.takeEvents(now)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.off.Load() || e.broken.Load() != nil {
		return
	}
	e.steps++
	e.look(now)
	e.nodes.exchange(now)
	e.decide(now)
	e.predict(now)
	e.profiler.turn(e, now)
	if now.Sub(e.savedAt) >= saveEvery {
		e.savedAt = now
		if err := e.save(); err != nil {
			e.app.Logger().Warn("the engine's state could not be saved", "engine", "sare", "error", err)
		}
	}
	e.publish()
}

// giveUp ends the engine after a panic of its own. The application serves on as it was registered.
func (e *Engine) giveUp(cause any, stack []byte) {
	why := fmt.Sprintf("the optimiser panicked: %v", cause)
	e.broken.Store(&why)
	e.off.Store(true)
	e.policy.Store(nil)
	e.app.Logger().Error("the engine has turned itself off", "engine", "sare", "error", why, "stack", string(stack))
	e.withdraw()
}

// publish makes a policy of what was decided.
func (e *Engine) publish() {
	e.routesMu.Lock()
	defer e.routesMu.Unlock()
	p := &policy{routes: make(routeTable, len(e.routes)), plans: make([]*plan, len(e.list)+1), limiter: e.limit}
	for route, w := range e.routes {
		p.routes[route] = w
		if pl := w.s.plan; pl != nil {
			p.plans[w.index] = pl
			p.onTrial = p.onTrial || pl.trial != nil || pl.order != nil && pl.order.trial != nil || pl.slots != nil && pl.slots.trial != nil
		}
	}
	e.policy.Store(p)
	if e.off.Load() { // it may have been turned off in between
		e.policy.Store(nil)
	}
}

// Disable pauses the engine. Every route is at once what was registered; what was counted stays.
func (e *Engine) Disable() {
	e.off.Store(true)
	e.policy.Store(nil)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.withdraw()
	for _, w := range e.all() {
		w.s.rest(watching, time.Time{}, "the engine was disabled")
		w.s.plan = nil
	}
	e.note(e.app.Clock().Now(), "engine", "disabled")
}

// withdraw returns every route to its registered behaviour.
func (e *Engine) withdraw() {
	for _, w := range e.all() {
		if w.memo != nil {
			w.memo.open.Store(false)
			w.memo.forget()
		}
	}
	for _, route := range e.app.Routes() {
		// Neither can fail for a route of the application itself, but that the registered order is nil says nothing.
		err := errors.Join(e.app.SetOrder(route, nil), e.app.Recompile(route))
		if err != nil {
			e.app.Logger().Error("a route could not be returned to what was registered", "engine", "sare", "route", route.String(), "error", err)
		}
	}
}

// Enable resumes a paused engine. One that gave up after a panic begins anew, if the application still runs.
func (e *Engine) Enable() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.off.Load() {
		return
	}
	again := e.broken.Swap(nil) != nil
	e.off.Store(false)
	e.recompileAll()
	if e.app.Started() {
		e.seenAt = e.app.Clock().Now()
		e.publish()
	}
	e.note(e.app.Clock().Now(), "engine", "enabled")
	e.workMu.Lock()
	defer e.workMu.Unlock()
	if again && !e.stopped && e.life != nil {
		e.owner.Go(e.run)
	}
}

// Reset forgets all that was counted, remembered and decided, but for the ledger, and begins anew.
func (e *Engine) Reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	wasOff := e.off.Load()
	e.off.Store(true)
	e.policy.Store(nil)
	e.withdraw()
	e.routesMu.Lock()
	e.routes, e.list = routeTable{}, nil
	e.routesMu.Unlock()
	e.nowhere = e.newWatched(nil)
	e.notes, e.learnt, e.trials = map[string][]Note{}, map[string]learnt{}, trialCount{}
	e.bandit = evidence.Bandit{}
	if e.limit != nil {
		e.limit.reset()
	}
	if e.predictor != nil {
		e.predictor = newPredictor(e.options)
	}
	e.off.Store(wasOff)
	e.recompileAll()
	now := e.app.Clock().Now()
	e.started, e.seenAt = now, now
	if !wasOff && e.app.Started() {
		e.publish()
	}
	e.note(now, "engine", "reset")
}

func (e *Engine) recompileAll() {
	if !e.app.Started() {
		return
	}
	for _, route := range e.app.Routes() {
		if err := e.app.Recompile(route); err != nil {
			e.app.Logger().Error("a route could not be compiled", "engine", "sare", "route", route.String(), "error", err)
		}
	}
}

// all lists what is watched, requests without a route last.
func (e *Engine) all() []*watched {
	e.routesMu.Lock()
	defer e.routesMu.Unlock()
	return append(slices.Clone(e.list), e.nowhere)
}

// event is something that happened on the request path and that the owner has to know.
type event struct {
	w       *watched
	why     string
	forever bool
}

type events struct {
	mu   sync.Mutex
	list []event
	wake chan struct{}
}

func (e *Engine) tell(ev event) {
	e.events.mu.Lock()
	e.events.list = append(e.events.list, ev)
	e.events.mu.Unlock()
	select {
	case e.events.wake <- struct{}{}:
	default: // the owner has been woken already
	}
}

func (e *Engine) takeEvents(now time.Time) {
	e.events.mu.Lock()
	list := e.events.list
	e.events.list = nil
	e.events.mu.Unlock()
	if len(list) == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range list {
		e.offended(ev, now)
	}
	if e.policy.Load() != nil {
		e.publish()
	}
}

func processors() int { return runtime.GOMAXPROCS(0) }
