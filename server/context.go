package server

import (
	"context"
	"slices"
	"sync"
	"time"
)

// requestContext is the context of a request. It ends when the handler returns, when the server's own ends, and when the
// client goes away. The last costs a goroutine that reads from the connection, so it is looked for from the first time that
// somebody asks Done or Err.
type requestContext struct {
	parent context.Context
	c      *conn

	mu       sync.Mutex
	bodyOpen bool // the connection cannot be watched while a body is to be read from it
	wanted   bool // somebody asked
	blocked  bool // the connection is not to be watched any more
	gone     bool // the client
	done     chan struct{}
	err      error
	asked    *asked // not nil once wanted
}

// asked is what a context has that somebody asked something.
type asked struct {
	after    []*afterFunc
	released func() bool   // ends the waiting for the parent
	watching chan struct{} // closed when the watch has ended; nil when there is none
	notify   chan bool     // see response.CloseNotify
}

type afterFunc struct{ fn func() }

// Deadline returns the server's own, which usually has none.
func (x *requestContext) Deadline() (time.Time, bool) { return x.parent.Deadline() }

// Value finds what the server's BaseContext and ConnContext left.
func (x *requestContext) Value(key any) any { return x.parent.Value(key) }

// Done returns a channel that is closed when the context ends.
func (x *requestContext) Done() <-chan struct{} {
	x.mu.Lock()
	if x.done == nil {
		x.done = make(chan struct{})
		if x.err != nil {
			close(x.done)
		}
	}
	x.want()
	done := x.done
	x.mu.Unlock()
	return done
}

// Err returns why the context ended, or nil.
func (x *requestContext) Err() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		if err := x.parent.Err(); err != nil {
			return err
		}
		x.want()
	}
	return x.err
}

// AfterFunc calls a function in a goroutine of its own once the context has ended. Package context uses it for contexts made
// from this one.
func (x *requestContext) AfterFunc(fn func()) (stop func() bool) {
	a := &afterFunc{fn}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil {
		go fn()
		return func() bool { return false }
	}
	x.want()
	x.asked.after = append(x.asked.after, a)
	return func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		if a.fn == nil || x.err != nil {
			return false
		}
		a.fn = nil
		x.asked.after = slices.DeleteFunc(x.asked.after, func(other *afterFunc) bool { return other == a })
		return true
	}
}

// want begins to look for the end of the connection and of the parent. The mutex is held.
func (x *requestContext) want() {
	if x.wanted || x.err != nil {
		return
	}
	x.wanted = true
	x.asked = &asked{}
	if x.parent.Done() != nil {
		x.asked.released = context.AfterFunc(x.parent, func() { x.cancel(x.parent.Err()) })
	}
	x.watch()
}

// watch starts the goroutine if it is time for it. The mutex is held.
func (x *requestContext) watch() {
	if !x.wanted || x.bodyOpen || x.blocked || x.asked.watching != nil || x.err != nil {
		return
	}
	x.asked.watching = make(chan struct{})
	x.c.beginWatch()
	go x.c.watch(x, x.asked.watching)
}

// bodyRead is called when the body has been read to its end.
func (x *requestContext) bodyRead() {
	x.mu.Lock()
	x.bodyOpen = false
	x.watch()
	x.mu.Unlock()
}

// clientGone ends the context because the connection has.
func (x *requestContext) clientGone() {
	x.mu.Lock()
	if !x.gone {
		x.gone = true
		if x.asked != nil && x.asked.notify != nil {
			x.asked.notify <- true
		}
	}
	x.mu.Unlock()
	x.cancel(context.Canceled)
}

// cancel ends the context, if it has not ended.
func (x *requestContext) cancel(err error) {
	x.mu.Lock()
	if x.err != nil {
		x.mu.Unlock()
		return
	}
	x.err = err
	if x.done != nil {
		close(x.done)
	}
	var asked asked
	if x.asked != nil {
		asked = *x.asked
		x.asked.after = nil
	}
	x.mu.Unlock()
	if asked.released != nil {
		asked.released()
	}
	for _, a := range asked.after {
		go a.fn()
	}
}

// end ends the context because the handler has returned, and takes the connection back from the watch.
func (x *requestContext) end() {
	x.mu.Lock()
	x.blocked = true
	if !x.wanted && x.err == nil {
		x.err = context.Canceled // nobody waits for it
	}
	x.mu.Unlock()
	if x.wanted {
		x.cancel(context.Canceled)
		x.stopWatch()
	}
}

// stopWatch takes the connection back from the watch, and keeps another from being started.
func (x *requestContext) stopWatch() {
	x.mu.Lock()
	x.blocked = true
	var watching chan struct{}
	if x.asked != nil {
		watching = x.asked.watching
	}
	x.mu.Unlock()
	if watching != nil {
		x.c.endWatch(watching)
	}
}
