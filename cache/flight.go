package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// A flight is one load that many wait for. It runs on a goroutine of its own, under
// the values of the first caller's context but not under its end: it is given up
// when nobody waits any more.

type flights struct {
	mu     sync.Mutex
	byKey  map[string]*flight
	closed bool
}

type flight struct {
	versions []version
	done     chan struct{}
	cancel   context.CancelFunc
	waiting  int // guarded by flights.mu; a refresh in the background counts as one

	entry *entry
	err   error
}

// void takes a key's flight out of the way of later callers.
func (f *flights) void(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.byKey, key) // its result is for those who wait already; see keepNear and fill
}

// errGone is what a load gets to hear when nobody waits for it.
var errGone = errors.New("cache: nobody waits for this value any more")

// fly joins the key's flight or begins one. It is nil when the cache is closed.
func (c *Cache) fly(ctx context.Context, key string, l loading) *flight {
	versions, agreed := c.versions(ctx, l.rule.tags)
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if c.flights.closed {
		return nil
	}
	if f := c.flights.byKey[key]; f != nil && slices.Equal(f.versions, versions) {
		f.waiting++
		return f
	}
	loadCtx, cancel := context.WithCancelCause(withoutRequest{context.WithoutCancel(ctx)})
	f := &flight{versions: versions, done: make(chan struct{}), cancel: func() { cancel(errGone) }, waiting: 1}
	c.flights.byKey[key] = f
	c.work.Go(func() {
		stop := context.AfterFunc(c.life, f.cancel)
		defer stop()
		defer f.cancel()
		c.run(loadCtx, key, f, l, agreed)
	})
	return f
}

// background runs work on a goroutine that Close waits for, or instead of it refused,
// if the cache is closed.
func (c *Cache) background(work, refused func()) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if c.flights.closed {
		refused()
		return
	}
	c.work.Go(work)
}

// leave says that a caller no longer waits.
func (c *Cache) leave(f *flight) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		for key, other := range c.flights.byKey {
			if other == f {
				delete(c.flights.byKey, key)
				break
			}
		}
	}
}

// loading is how a value is made and kept.
type loading struct {
	make        func(context.Context) (kind, []byte, error)
	fresh, kept time.Duration
	rule        rule
	seen        []byte // what the store had
	unfit       *entry // a value of another type
	background  bool   // a stale value was given meanwhile
}

// run loads the value, keeps it and lets the callers go.
func (c *Cache) run(ctx context.Context, key string, f *flight, l loading, agreed bool) {
	returned := false
	defer func() {
		if !returned { // runtime.Goexit
			f.entry, f.err = nil, errors.New("cache: the load ended its goroutine")
		}
		c.flights.mu.Lock()
		if c.flights.byKey[key] == f {
			delete(c.flights.byKey, key)
		}
		c.flights.mu.Unlock()
		close(f.done)
	}()
	// The caller missed a flight that has landed meanwhile.
	if e := c.findNear(ctx, key); e != nil && e != l.unfit && c.now().UnixMilli() < e.fresh && slices.Equal(e.versions, f.versions) {
		f.entry, returned = e, true
		return
	}
	leased := c.takeLease(ctx, key, l.seen)
	k, data, err := protected(ctx, l.make)
	if err != nil {
		f.err, returned = err, true
		if l.background && c.life.Err() == nil {
			c.logger().Warn("a stale value of the cache could not be refreshed", "cache", c.options.Name, "error", err)
		}
		return
	}
	f.entry = newEntry(k, data, c.now(), l.fresh, l.kept, f.versions)
	c.fill(ctx, key, f.entry, leased, agreed)
	returned = true
}

// protected makes a panic an error with the stack of where it happened.
func protected(ctx context.Context, load func(context.Context) (kind, []byte, error)) (k kind, data []byte, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("cache: the load panicked: %w", &ishaa.PanicError{Value: cause, Stack: debug.Stack()})
		}
	}()
	return load(ctx)
}

// withoutRequest hides the request that a context belongs to. What a load makes is
// for everybody, and it may outlive the request.
type withoutRequest struct{ context.Context }

func (c withoutRequest) Value(key any) any {
	value := c.Context.Value(key)
	if _, request := value.(*ishaa.Request); request {
		return nil
	}
	return value
}
