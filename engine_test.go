package ishaa_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
)

// engine does what adaptive engines do, on public doors alone: it counts requests,
// splits them between variants, remembers answers by what their handlers read and
// which tables they depend on, has handlers answer again in shadow to see whether
// what it remembers is right, and asks commuting middleware that refuses much
// sooner than middleware that refuses little.
type engine struct {
	app *ishaa.App
	on  atomic.Bool

	mu     sync.Mutex
	memos  map[*ishaa.Route]*memo
	inner  map[*ishaa.Route]ishaa.Handler // what remains below the innermost layer
	orders map[*ishaa.Route][]int64       // how often each middleware would have refused

	requests, hits, chosen        atomic.Int64
	byVariant                     sync.Map // of variant names → *atomic.Int64
	outside, selected             atomic.Int64
	compared, mismatched, intents atomic.Int64
	reordered                     atomic.Int64

	jobs    chan comparison
	stop    context.CancelFunc
	workers sync.WaitGroup
}

// engineRule is what a route may say about the engine.
var engineRule = ishaa.NewAnnotation[string]("engine rule")

const neverRemember = "never remember"

func newEngine() *engine {
	e := &engine{
		memos: map[*ishaa.Route]*memo{}, inner: map[*ishaa.Route]ishaa.Handler{}, orders: map[*ishaa.Route][]int64{},
		jobs: make(chan comparison, 64),
	}
	e.on.Store(true)
	return e
}

// Install adds the engine to an application.
func (e *engine) Install(app *ishaa.App) error {
	e.app = app
	app.Observe(e)
	app.Intercept(engineLayer{e, ishaa.Outermost}, engineLayer{e, ishaa.Select}, engineLayer{e, ishaa.Innermost})
	return nil
}

// Start begins the engine's own work.
func (e *engine) Start(ctx context.Context) error {
	ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	e.workers.Go(func() { e.compareAll(ctx) })
	e.workers.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-e.app.Clock().After(5 * time.Millisecond):
				e.reorder()
			}
		}
	})
	return nil
}

// Stop ends it.
func (e *engine) Stop(context.Context) error {
	e.stop()
	e.workers.Wait()
	return nil
}

// set turns the engine on or off while requests come.
func (e *engine) set(on bool) error {
	e.on.Store(on)
	for _, route := range e.app.Routes() {
		if err := e.app.Recompile(route); err != nil {
			return err
		}
	}
	return nil
}

// Observe counts.
func (e *engine) Observe(route *ishaa.Route, outcome ishaa.Outcome) {
	e.requests.Add(1)
	if outcome.Cached {
		e.hits.Add(1)
	}
	if outcome.Variant != "" {
		count, _ := e.byVariant.LoadOrStore(outcome.Variant, new(atomic.Int64))
		count.(*atomic.Int64).Add(1)
	}
}

// Select takes the variants in turn.
func (e *engine) Select(_ *ishaa.Request, route *ishaa.Route) int {
	return int(e.chosen.Add(1)) % len(route.Variants())
}

// engineLayer is the engine in one layer of the chains.
type engineLayer struct {
	e     *engine
	layer ishaa.Layer
}

func (l engineLayer) Layer() ishaa.Layer { return l.layer }

func (l engineLayer) Intercept(route *ishaa.Route, next ishaa.Handler) ishaa.Handler {
	e := l.e
	switch {
	case !e.on.Load() || route.Pattern() == "":
		return next
	case l.layer == ishaa.Outermost:
		return func(r *ishaa.Request) (any, error) {
			if e.outside.Add(1)%4 == 0 {
				e.probe(r, route)
			}
			return next(r)
		}
	case l.layer == ishaa.Select:
		return func(r *ishaa.Request) (any, error) {
			e.selected.Add(1)
			return next(r)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inner[route] = next
	if rule, _ := engineRule.Of(route); rule == neverRemember {
		return next
	}
	m := e.memos[route]
	if m == nil {
		m = &memo{}
		e.memos[route] = m
	}
	return e.remembering(route, m, next)
}

// remembering answers from memory where that is right.
func (e *engine) remembering(route *ishaa.Route, m *memo, next ishaa.Handler) ishaa.Handler {
	return func(r *ishaa.Request) (any, error) {
		if method := r.Method(); method != http.MethodGet && method != http.MethodHead || m.off.Load() {
			return next(r)
		}
		if kept := m.find(r); kept != nil {
			if m.found.Add(1)%4 == 0 {
				e.compare(r, route, m, kept)
			}
			r.MarkCached()
			return kept.answer, nil
		}
		t := &inputTrace{}
		r.SetContext(effect.WithReads(r.Context(), t.dependsOn))
		r.Trace(t.read)
		answer, value, err := r.Capture(next)
		r.Trace(nil)
		if errors.Is(err, ishaa.ErrStreamed) {
			return value, nil
		}
		if err == nil && t.shareable() && mayBeShared(answer) {
			m.keep(t, answer)
		}
		return value, err
	}
}

// mayBeShared is the part of RFC 9111 that these tests need.
func mayBeShared(answer *ishaa.Rendered) bool {
	header := answer.Header()
	return slices.Contains([]int{200, 201, 203, 204, 301, 303, 404, 410}, answer.Status()) &&
		header.Get("Set-Cookie") == "" && header.Get("Cache-Control") == "" && header.Get("Vary") != "*"
}

// probe asks the middleware of a route that can say so whether it would refuse.
func (e *engine) probe(r *ishaa.Request, route *ishaa.Route) {
	list := route.Middleware()
	refusals := make([]int64, len(list))
	for i, m := range list {
		if m.Probe != nil && m.Probe(r) {
			refusals[i] = 1
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.orders[route] == nil {
		e.orders[route] = make([]int64, len(list))
	}
	for i, n := range refusals {
		e.orders[route][i] += n
	}
}

// reorder has the middleware that refused most run first among its commuting
// neighbours.
func (e *engine) reorder() {
	e.mu.Lock()
	orders := make(map[*ishaa.Route][]int64, len(e.orders))
	for route, refusals := range e.orders {
		orders[route] = slices.Clone(refusals)
	}
	e.mu.Unlock()
	for route, refusals := range orders {
		order := orderOf(route.Middleware(), refusals)
		if err := e.app.SetOrder(route, order); err != nil {
			panic(err)
		}
		if err := e.app.Recompile(route); err != nil {
			panic(err)
		}
		e.reordered.Add(1)
	}
}

func orderOf(list []ishaa.Middleware, refusals []int64) []int {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	movable := func(i int) bool { return list[i].Commutes && list[i].Probe != nil }
	for start := 0; start < len(list); start++ {
		end := start
		for end < len(list) && movable(end) {
			end++
		}
		slices.SortStableFunc(order[start:end], func(a, b int) int { return int(refusals[b] - refusals[a]) })
		start = end
	}
	return order
}

// inputTrace is what a handler read, each input once, in the order of first reads.
type inputTrace struct {
	mu     sync.Mutex // a handler may have goroutines
	inputs []ishaa.Input
	values []string
	secret bool // something that is no key was read
	tables map[[2]string]effect.Generation
}

func (t *inputTrace) read(in ishaa.Input, value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch in.Kind {
	case ishaa.InputIdentity, ishaa.InputRaw, ishaa.InputBody:
		t.secret = true
		return
	}
	if !slices.Contains(t.inputs, in) {
		t.inputs, t.values = append(t.inputs, in), append(t.values, value)
	}
}

func (t *inputTrace) dependsOn(source, table string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tables == nil {
		t.tables = map[[2]string]effect.Generation{}
	}
	if _, known := t.tables[[2]string{source, table}]; !known {
		t.tables[[2]string{source, table}] = effect.GenerationOf(source, table)
	}
}

const maxInputs = 16

func (t *inputTrace) shareable() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.secret && len(t.inputs) <= maxInputs && unchanged(t.tables)
}

// unchanged reports whether nothing was written since, and nothing is being written.
func unchanged(tables map[[2]string]effect.Generation) bool {
	for name, generation := range tables {
		if now := effect.GenerationOf(name[0], name[1]); now.Writing || now != generation {
			return false
		}
	}
	return true
}

// memo is a trie: a node says what is read next, its edges are the values that were
// found, its leaves are answers. A lookup reads what the handler would read.
type memo struct {
	mu    sync.RWMutex
	root  memoNode
	found atomic.Int64
	off   atomic.Bool
}

type memoNode struct {
	next  ishaa.Input
	edges map[string]*memoNode
	leaf  *keptAnswer
}

type keptAnswer struct {
	answer *ishaa.Rendered
	tables map[[2]string]effect.Generation
}

func (m *memo) find(r *ishaa.Request) *keptAnswer {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for node := &m.root; node != nil; {
		if node.leaf != nil {
			if !unchanged(node.leaf.tables) {
				return nil
			}
			return node.leaf
		}
		if node.edges == nil {
			return nil
		}
		value, ok := r.Input(node.next)
		if !ok {
			return nil
		}
		node = node.edges[value]
	}
	return nil
}

func (m *memo) keep(t *inputTrace, answer *ishaa.Rendered) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	node := &m.root
	for i, in := range t.inputs {
		if node.leaf != nil || node.edges != nil && node.next != in {
			*node = memoNode{} // the handler reads otherwise than before: the data it reads has changed
		}
		if node.edges == nil {
			node.next, node.edges = in, map[string]*memoNode{}
		}
		if node.edges[t.values[i]] == nil {
			node.edges[t.values[i]] = &memoNode{}
		}
		node = node.edges[t.values[i]]
	}
	*node = memoNode{leaf: &keptAnswer{answer, maps.Clone(t.tables)}}
}

func (m *memo) forget() {
	m.off.Store(true)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.root = memoNode{}
}

// comparison is a request that is answered again to see whether a kept answer is
// still what its handlers give.
type comparison struct {
	snapshot *ishaa.Snapshot
	route    *ishaa.Route
	memo     *memo
	kept     *keptAnswer
}

func (e *engine) compare(r *ishaa.Request, route *ishaa.Route, m *memo, kept *keptAnswer) {
	snapshot, err := r.Snapshot(1 << 10)
	if err != nil {
		return
	}
	select {
	case e.jobs <- comparison{snapshot, route, m, kept}:
	default: // enough to do already
	}
}

func (e *engine) compareAll(ctx context.Context) {
	shadow := effect.WithShadow(ctx, effect.RecorderFunc(func(effect.Intent) { e.intents.Add(1) }))
	for {
		select {
		case <-ctx.Done():
			return
		case job := <-e.jobs:
			e.runAgain(shadow, job)
		}
	}
}

// runAgain has all variants of a route answer the request.
func (e *engine) runAgain(ctx context.Context, job comparison) {
	variants := job.route.Variants()
	if variants == nil {
		variants = []*ishaa.Route{job.route}
	}
	for _, variant := range variants {
		e.mu.Lock()
		inner := e.inner[variant]
		e.mu.Unlock()
		snapshot, err := job.snapshot.For(variant)
		if err != nil {
			panic(err)
		}
		got, err := snapshot.Run(ctx, inner)
		if !unchanged(job.kept.tables) {
			return // it may be right that they differ
		}
		e.compared.Add(1)
		if err != nil || !sameRendered(got, job.kept.answer) {
			e.mismatched.Add(1)
			job.memo.forget()
			return
		}
	}
}

func sameRendered(a, b *ishaa.Rendered) bool {
	return a.Status() == b.Status() && bytes.Equal(a.Bytes(), b.Bytes()) && reflect.DeepEqual(a.Header(), b.Header())
}
