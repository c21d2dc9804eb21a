package middleware

import (
	"context"
	"sync"
	"time"
)

// deadline is a context with a deadline that can be lifted. context.WithDeadline
// has no way back, and a stream that began in time must not be cut by the time
// limit of what came before it.
type deadline struct {
	context.Context // the parent: its values
	at              time.Time

	mu     sync.Mutex
	done   chan struct{}
	err    error
	lifted bool
	calls  map[*call]struct{} // of AfterFunc
	timer  *time.Timer
	leave  func() bool // stops watching the parent
}

// call is a function to be run when the context ends. Its address tells it apart.
type call struct{ run func() }

func newDeadline(parent context.Context, limit time.Duration) *deadline {
	d := &deadline{Context: parent, at: time.Now().Add(limit), done: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.timer = time.AfterFunc(limit, func() { d.end(context.DeadlineExceeded) })
	d.leave = context.AfterFunc(parent, func() { d.end(parent.Err()) })
	return d
}

// end ends the context, once.
func (d *deadline) end(reason error) {
	d.mu.Lock()
	if d.err != nil || d.lifted && reason == context.DeadlineExceeded {
		d.mu.Unlock()
		return
	}
	d.err = reason
	d.timer.Stop()
	d.leave()
	close(d.done)
	calls := d.calls
	d.calls = nil
	d.mu.Unlock()
	for call := range calls {
		go call.run()
	}
}

// lift takes the deadline away and reports whether it had not passed.
func (d *deadline) lift() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == context.DeadlineExceeded {
		return false
	}
	d.lifted = true
	d.timer.Stop()
	return true
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) {
	d.mu.Lock()
	lifted := d.lifted
	d.mu.Unlock()
	at, ok := d.Context.Deadline()
	if lifted || ok && at.Before(d.at) {
		return at, ok
	}
	return d.at, true
}

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} { return d.done }

// Err implements context.Context.
func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// AfterFunc lets package context watch the end without a goroutine for each
// context that is derived from this one.
func (d *deadline) AfterFunc(run func()) (stop func() bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &call{run}
	if d.err != nil {
		go run()
		return func() bool { return false }
	}
	if d.calls == nil {
		d.calls = map[*call]struct{}{}
	}
	d.calls[c] = struct{}{}
	return func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		_, waiting := d.calls[c]
		delete(d.calls, c)
		return waiting
	}
}
