// Package link is what the engines on a network share: how long one operation may
// take, errors that name the store and say what to do, and a connection for
// subscriptions that is made again by itself.
package link

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa/store"
)

// DefaultTimeout is how long an operation may take whose context does not say.
const DefaultTimeout = 3 * time.Second

// Link is one engine's way to its server.
type Link struct {
	Address string        // for errors: without credentials and options
	Timeout time.Duration // of one operation

	ctx     context.Context // until Close
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex // orders Go with Close
	closed bool
}

// New returns the link that a URL describes. It takes the option timeout, such as
// 500ms, out of the URL.
func New(u *url.URL) (*Link, error) {
	l := &Link{Address: u.Scheme + "://" + u.Host + u.Path, Timeout: DefaultTimeout}
	if text := Option(u, "timeout"); text != "" {
		timeout, err := time.ParseDuration(text)
		if err != nil || timeout < 10*time.Millisecond {
			return nil, fmt.Errorf("the option timeout=%s: write a duration of 10ms or more, such as 3s", text)
		}
		l.Timeout = timeout
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

// Option takes an option out of a URL. It is "" when it is not there.
func Option(u *url.URL, name string) string {
	query := u.Query()
	value := query.Get(name)
	if query.Has(name) {
		query.Del(name)
		u.RawQuery = query.Encode()
	}
	return value
}

// Go runs a goroutine until it returns; its context ends with Close, which waits
// for it. On a closed link it is not run, which false says.
func (l *Link) Go(run func(ctx context.Context)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.running.Go(func() { run(l.ctx) })
	return true
}

// Every runs something again and again, each time after about that long, until
// Close. Nodes that start together drift apart.
func (l *Link) Every(period time.Duration, run func(ctx context.Context)) {
	l.Go(func(ctx context.Context) {
		for Sleep(ctx, period/2+rand.N(period)) {
			run(ctx)
		}
	})
}

// Close ends all operations and goroutines. It reports whether this call did.
func (l *Link) Close() bool {
	l.mu.Lock()
	first := !l.closed
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	return first
}

// Wait waits for the goroutines, after Close.
func (l *Link) Wait() { l.running.Wait() }

// Closed reports whether Close was called.
func (l *Link) Closed() bool { return l.ctx.Err() != nil }

// Sleep waits. It is false when the context ended first.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Backoff is how long to wait before attempt n, from 0, to connect again: 50 ms,
// then twice as long each time up to 2 s, less up to a half by chance, so that
// nodes do not come back all at once.
func Backoff(n int) time.Duration {
	d := min(50*time.Millisecond<<min(n, 10), 2*time.Second)
	return d - rand.N(d/2)
}

// Operation is one call of the store's user.
type Operation struct {
	link   *Link
	name   string
	write  bool
	user   context.Context
	cancel context.CancelFunc
	stop   func() bool

	// Context ends with the user's, with the store, or when the time is up.
	Context context.Context
}

// Begin begins an operation. A write may have been carried out though it failed.
func (l *Link) Begin(ctx context.Context, name string, write bool) (*Operation, error) {
	if l.Closed() {
		return nil, store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o := &Operation{link: l, name: name, write: write, user: ctx}
	o.Context, o.cancel = context.WithTimeout(ctx, l.Timeout)
	o.stop = context.AfterFunc(l.ctx, o.cancel)
	return o, nil
}

// BeginKey is Begin for an operation on a key.
func (l *Link) BeginKey(ctx context.Context, name string, write bool, key string) (*Operation, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, err
	}
	return l.Begin(ctx, name, write)
}

// End gives up what Begin took.
func (o *Operation) End() {
	o.stop()
	o.cancel()
}

// Away is the error when the server could not be reached or did not answer in
// time. It was sent unless unsent says otherwise: a dial that failed sent nothing.
func (o *Operation) Away(err error) error { return o.away(err, !NotSent(err)) }

// Unsent is Away for what certainly did not reach the server.
func (o *Operation) Unsent(err error) error { return o.away(err, false) }

func (o *Operation) away(err error, sent bool) error {
	uncertain := sent && o.write
	switch userErr := o.user.Err(); {
	case o.link.Closed():
		return store.ErrClosed
	case errors.Is(userErr, context.DeadlineExceeded):
		err = fmt.Errorf("no answer before the context's end: %w", userErr)
	case userErr != nil:
		note := ""
		if uncertain {
			note = "; it may or may not have been carried out"
		}
		return fmt.Errorf("store: %s: %s: given up: %w%s", o.name, o.link.Address, userErr, note)
	case o.Context.Err() != nil:
		err = fmt.Errorf("no answer in %v", o.link.Timeout)
	}
	return &store.UnavailableError{Store: o.link.Address, Operation: o.name, Uncertain: uncertain, Err: err}
}

// NotSent reports whether an error is that of a connection that was never made.
func NotSent(err error) bool {
	var network *net.OpError
	return errors.As(err, &network) && network.Op == "dial"
}

// Refused is the error when the server answered that it will not.
func (o *Operation) Refused(err error) error {
	return fmt.Errorf("store: %s: %s refused: %w", o.name, o.link.Address, err)
}

// MaxValue is the longest value that the engines take which have no limit of
// their own: one mistake must not take the server down.
const MaxValue = 64 << 20

// CheckValue refuses a value beyond a limit.
func CheckValue(value []byte, limit int) error {
	if len(value) > limit {
		return fmt.Errorf("%w: %d bytes, at most %d", store.ErrTooLarge, len(value), limit)
	}
	return nil
}

// Unreachable is the error of opening a store whose server is away.
func (l *Link) Unreachable(err error) error {
	return &store.UnavailableError{Store: l.Address, Operation: "open", Err: err}
}
