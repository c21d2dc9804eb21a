package rmf

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
)

// A simulation runs another reality on a copy of a request that stable has answered: after the answer's last byte, on a
// worker of its own, with a deadline, under effect.WithShadow. Nobody waits for it and nobody sees it; only what differs
// is kept. One in five runs stable once more, so that what differs between two runs of the same code is known too.

const (
	simBody     = 64 << 10 // the largest body of a request that is simulated
	simQueue    = 64       // simulations that may wait; more are dropped and counted
	noiseShare  = .2
	shadowShare = 1 - noiseShare
)

// pool runs simulations.
type pool struct {
	m       *Realities
	jobs    chan *simulation
	cancel  context.CancelFunc
	ctx     context.Context
	workers sync.WaitGroup
	stopped atomic.Bool
	dropped atomic.Uint64
	pending atomic.Int64 // queued or running
}

func newPool(m *Realities) *pool { return &pool{m: m, jobs: make(chan *simulation, simQueue)} }

func (p *pool) start() {
	if !p.m.options.ParallelSim {
		return
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	for range p.m.options.SimWorkers {
		p.workers.Go(func() {
			for {
				select {
				case <-p.ctx.Done():
					return
				case s := <-p.jobs:
					s.run(p.ctx)
					p.pending.Add(-1)
				}
			}
		})
	}
}

// stop ends what is under way, as far as it listens to its context.
func (p *pool) stop(ctx context.Context) error {
	if p.cancel == nil {
		return nil
	}
	p.stopped.Store(true)
	p.cancel()
	done := make(chan struct{})
	go func() { p.workers.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("rmf: a simulation does not end; its handler does not listen to its context: %w", ctx.Err())
	}
}

// simulation is a request that is run again.
type simulation struct {
	v        *visit
	next     ishaa.Handler // what chooses among the realities by the visit
	target   int
	noise    bool
	snapshot *ishaa.Snapshot
	answer   *ishaa.Rendered // stable's; nil for an error
	status   int
	took     time.Duration
	skip     bool
}

// simulates reports whether a reality may be simulated at all.
func (e *experiment) simulates(i int) bool {
	methods := e.route.Methods()
	if len(methods) == 0 || slices.ContainsFunc(methods, safe) {
		return true
	}
	return e.realities[i].shadowSafe && e.home >= 0 && e.realities[e.home].shadowSafe
}

func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// sample draws whether the request is simulated, and which reality.
func (p *pool) sample(v *visit, next ishaa.Handler) *simulation {
	e := v.e
	if p.cancel == nil || p.stopped.Load() || len(e.realities) < 2 || v.index != v.p.rest || rand.Float64() >= p.m.options.SimSampleRate {
		return nil
	}
	if p.pending.Load() >= simQueue {
		p.dropped.Add(1)
		return nil
	}
	var targets []int
	for i, r := range e.realities {
		mine := i != v.index && v.p.active[i] && slices.Contains(v.p.names, r.name)
		if mine && (safe(v.r.Method()) || r.shadowSafe && e.realities[v.index].shadowSafe) {
			targets = append(targets, i)
		}
	}
	if len(targets) == 0 {
		return nil
	}
	return &simulation{v: v, next: next, target: targets[rand.IntN(len(targets))], noise: rand.Float64() < noiseShare}
}

// primary has stable answer, and keeps a copy of the request and of the answer.
func (s *simulation) primary(r *ishaa.Request, next ishaa.Handler) (any, error) {
	snapshot, err := r.Snapshot(simBody)
	if err != nil {
		s.skip = true
		return next(r)
	}
	s.snapshot = snapshot
	answer, value, err := r.Capture(next)
	if errors.Is(err, ishaa.ErrStreamed) {
		s.skip = true
		return value, nil
	}
	if err != nil {
		return value, err
	}
	s.answer = answer
	return value, nil
}

// submit hands the simulation to the pool, once the answer is out.
func (s *simulation) submit(status int, took time.Duration) {
	p, spread := s.v.e.m.pool, s.v.e.realities[s.target].spread
	if s.skip || p.stopped.Load() {
		spread.skipped.Add(1)
		return
	}
	s.status, s.took = status, took
	p.pending.Add(1)
	select {
	case p.jobs <- s:
	default:
		p.pending.Add(-1)
		p.dropped.Add(1)
	}
}

// again runs a reality on the copy.
func (s *simulation) again(ctx context.Context, index int) (answer *ishaa.Rendered, intents []effect.Intent, err error) {
	e := s.v.e
	var mu sync.Mutex
	var over bool
	ctx, cancel := context.WithTimeout(ctx, e.m.options.SimTimeout)
	defer cancel()
	ctx = effect.WithShadow(ctx, effect.RecorderFunc(func(i effect.Intent) {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			intents = append(intents, i)
		}
	}))
	snapshot, err := s.snapshot.For(e.realities[index].route)
	if err != nil {
		return nil, nil, err
	}
	answer, err = snapshot.Run(ctx, func(r *ishaa.Request) (any, error) {
		visiting.Set(r, &visit{e: e, p: s.v.p, index: index, r: r})
		return s.next(r)
	})
	mu.Lock()
	defer mu.Unlock()
	over = true // a goroutine that the handler left behind changes nothing any more
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return answer, intents, err
}

// run simulates and compares.
func (s *simulation) run(ctx context.Context) {
	e, spread := s.v.e, s.v.e.realities[s.target].spread
	index := s.target
	if s.noise {
		index = s.v.index
	}
	begun := time.Now()
	answer, intents, err := s.again(ctx, index)
	took := time.Since(begun)
	var panicked *ishaa.PanicError
	switch {
	case errors.As(err, &panicked):
	case errors.Is(err, context.DeadlineExceeded):
		spread.late.Add(1)
		return
	case err != nil:
		spread.skipped.Add(1)
		return
	}
	var found []difference
	if panicked != nil {
		found = []difference{{path: "status", kind: "panic", was: fmt.Sprint(s.status), is: "a panic"}}
	} else {
		found = e.m.comparison(e.realities[s.target].ignore).answers(s, answer)
	}
	if len(intents) > 0 || spread.writes.Load() {
		spread.writes.Store(true)
		if _, usual, err := s.again(ctx, s.v.index); err == nil {
			found = append(found, compareIntents(usual, intents)...)
		}
	}
	failed := panicked != nil || answer.Status() >= 500
	spread.add(found, s, intents, failed, took)
}
