package orm

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"
)

// A gate lets one writer through at a time, in the order of arrival. SQLite has one writer per file; who waits for it
// waits here, where the wait ends with the context, instead of meeting SQLITE_BUSY.
//
// A nil gate is always open: engines that have many writers.
type gate struct {
	limit time.Duration // how long to wait at most

	mu      sync.Mutex
	taken   bool
	waiting list.List // of chan struct{}; a closed channel is the holder's turn
}

// enter waits for the caller's turn. Call leave once, when the write is committed or given up.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	if g == nil {
		return func() {}, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g.mu.Lock()
	if !g.taken {
		g.taken = true
		g.mu.Unlock()
		return g.leave, nil
	}
	turn := make(chan struct{})
	place := g.waiting.PushBack(turn)
	g.mu.Unlock()

	limit := time.NewTimer(g.limit)
	defer limit.Stop()
	select {
	case <-turn:
		return g.leave, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-limit.C:
		err = &Error{Kind: ErrTimeout, text: fmt.Sprintf("waited %s for the database's one writer: "+
			"end transactions sooner, and inside Tx write through the tx, not through the DB", g.limit)}
	}
	g.mu.Lock()
	select {
	case <-turn: // the turn came while giving up: pass it on
		g.mu.Unlock()
		g.leave()
	default:
		g.waiting.Remove(place)
		g.mu.Unlock()
	}
	return nil, err
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if next := g.waiting.Front(); next != nil {
		close(g.waiting.Remove(next).(chan struct{}))
		return
	}
	g.taken = false
}
