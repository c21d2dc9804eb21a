package ishaatest

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// A call is one request as both sides know it. Client and server are in one
// process, so the client can say what the request's context holds, and can wait
// for the handler to return. A header, which the application does not see, tells
// the server's side which call a request is.

// callHeader carries a call's token.
const callHeader = "Ishaatest-Call"

type call struct {
	calls   *calls
	token   string
	t       testing.TB // gets the log of the request
	derive  []func(context.Context) context.Context
	entered atomic.Bool
	done    chan struct{} // closed when the handler has returned
}

// calls are those that have not been received.
type calls struct {
	mu      sync.Mutex
	last    int
	waiting map[string]*call
}

func (b *backend) newCall(t testing.TB, derive []func(context.Context) context.Context) *call {
	c := &b.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	made := &call{calls: c, token: strconv.Itoa(c.last), t: t, derive: derive, done: make(chan struct{})}
	if c.waiting == nil {
		c.waiting = map[string]*call{}
	}
	c.waiting[made.token] = made
	return made
}

// take returns the call of a token, once.
func (c *calls) take(token string) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.waiting[token]
	delete(c.waiting, token)
	return found
}

// wait waits for the handler to return. The server answers some requests itself:
// those are over with their answer.
func (c *call) wait(ctx context.Context) error {
	if !c.entered.Load() {
		c.calls.take(c.token)
		return nil
	}
	select {
	case <-c.done:
		return nil
	default:
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// forget ends a call that got no answer. Its handler, if there is one, returns
// before forget does unless the context has ended.
func (c *call) forget(ctx context.Context) { _ = c.wait(ctx) }

type callKey struct{}

// receive is the server's side: it stands between the server and the application.
func (b *backend) receive(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
		if !b.came(raw) {
			next.ServeHTTP(w, raw)
			return
		}
		ctx, derive := raw.Context(), b.derive
		if call := b.calls.take(raw.Header.Get(callHeader)); call != nil {
			defer close(call.done)
			call.entered.Store(true)
			ctx, derive = context.WithValue(ctx, callKey{}, call), call.derive
		}
		raw.Header.Del(callHeader)
		for _, fn := range derive {
			ctx = fn(ctx)
		}
		next.ServeHTTP(w, raw.WithContext(ctx))
	})
}

// came reports whether a request came by this backend's listener: an application
// may be served by several.
func (b *backend) came(raw *http.Request) bool {
	local, ok := raw.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	own := b.listener.Addr()
	return local == own || b.socket && local.String() == own.String()
}
