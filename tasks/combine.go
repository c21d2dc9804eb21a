package tasks

import (
	"context"
	"sync"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// A combiner enqueues what many callers have at the same moment in one transaction: while one is written, the next ones
// gather. A single caller does not wait for others.
type combiner struct {
	busy    chan struct{} // holds one token while somebody writes
	mu      sync.Mutex
	waiting []*enqueued
}

type enqueued struct {
	params  []river.InsertManyParams
	done    chan struct{}
	results []*rivertype.JobInsertResult
	err     error
}

func newCombiner() *combiner { return &combiner{busy: make(chan struct{}, 1)} }

func (c *combiner) insert(ctx context.Context, into client, params []river.InsertManyParams) ([]*rivertype.JobInsertResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, p := range params {
		if p.InsertOpts.UniqueOpts.ByArgs { // PostgreSQL refuses the same key twice in a statement
			return into.InsertMany(ctx, params)
		}
	}
	mine := &enqueued{params: params, done: make(chan struct{})}
	c.mu.Lock()
	c.waiting = append(c.waiting, mine)
	c.mu.Unlock()
	select {
	case <-mine.done:
	case c.busy <- struct{}{}:
		c.mu.Lock()
		all := c.waiting
		c.waiting = nil
		c.mu.Unlock()
		write(context.WithoutCancel(ctx), into, all) // which may be empty, if mine was written in between
		<-c.busy
		<-mine.done
	}
	return mine.results, mine.err
}

// write enqueues everything at once or, if that fails, one by one, so that each gets an error of its own.
func write(ctx context.Context, into client, all []*enqueued) {
	var together []river.InsertManyParams
	for _, e := range all {
		together = append(together, e.params...)
	}
	if len(all) > 1 {
		if results, err := into.InsertMany(ctx, together); err == nil && len(results) == len(together) {
			for _, e := range all {
				e.results, results = results[:len(e.params)], results[len(e.params):]
				close(e.done)
			}
			return
		}
	}
	for _, e := range all {
		e.results, e.err = into.InsertMany(ctx, e.params)
		close(e.done)
	}
}
