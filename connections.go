package ishaa

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// At its shutdown http.Server drops a request that it has read but not begun to
// answer. On a connection that was used before, that is fair: it may end between two
// requests at any time, and clients repeat what was lost with it. On a fresh one it
// is a client that was let in and then turned away. So the server is not shut down
// before every connection it accepted has been asked something; until then it goes
// on answering, and tells clients to come back on another connection.

// connections counts those that have not been asked anything yet.
type connections struct {
	fresh atomic.Int64
	taken atomic.Int64 // hijacked, and still with their handlers
	open  sync.Map     // net.Conn → *connection
}

type connection struct{ asked, taken atomic.Bool }

type connectionKey struct{}

// opened is http.Server's ConnContext: it comes before everything else that happens
// to a connection.
func (cs *connections) opened(ctx context.Context, conn net.Conn) context.Context {
	c := &connection{}
	cs.fresh.Add(1)
	cs.open.Store(conn, c)
	return context.WithValue(ctx, connectionKey{}, c)
}

// changed is http.Server's ConnState.
func (cs *connections) changed(conn net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	if c, ok := cs.open.LoadAndDelete(conn); ok {
		c := c.(*connection)
		cs.ask(c)
		if state == http.StateHijacked {
			cs.taken.Add(1)
			c.taken.Store(true)
		}
	}
}

func (cs *connections) ask(c *connection) {
	if !c.asked.Load() && c.asked.CompareAndSwap(false, true) {
		cs.fresh.Add(-1)
	}
}

// handler answers by the application.
func (cs *connections) handler(a *App) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
		if c, ok := raw.Context().Value(connectionKey{}).(*connection); ok {
			cs.ask(c)
			defer func() {
				if c.taken.Load() {
					cs.taken.Add(-1)
				}
			}()
		}
		select {
		case <-a.life.draining:
			w.Header()["Connection"] = []string{"close"}
		default:
		}
		if raw.ProtoMajor >= 2 {
			ctx, end := context.WithCancel(raw.Context())
			defer end()
			raw = raw.WithContext(context.WithValue(ctx, endKey{}, end))
		}
		a.ServeHTTP(w, raw)
	})
}

type endKey struct{}

// endContext ends the context of a request, and with it what waits for that. In
// HTTP/1 a read deadline that has passed looks like a client that is gone; in HTTP/2
// it says nothing about the stream's context.
func (r *Request) endContext(control *http.ResponseController) {
	if end, ok := r.parent().Value(endKey{}).(context.CancelFunc); ok {
		end()
		return
	}
	_ = control.SetReadDeadline(time.Unix(1, 0))
}

// freshPatience is how long a connection may stay without a request at shutdown. It
// is what http.Server gives them.
const freshPatience = 5 * time.Second

// allAsked waits until no connection is fresh, or until its patience or the context
// ends. Those that are fresh still are closed then: a client that connects ahead of its
// requests, as browsers do, has none under way.
func (cs *connections) allAsked(ctx context.Context) {
	patient, cancel := context.WithTimeout(ctx, freshPatience)
	defer cancel()
	if none(patient, &cs.fresh) == nil {
		return
	}
	cs.open.Range(func(conn, c any) bool {
		if !c.(*connection).asked.Load() {
			conn.(net.Conn).Close()
		}
		return true
	})
	closed, cancelClosed := context.WithTimeout(context.WithoutCancel(ctx), cutGrace)
	defer cancelClosed()
	_ = none(closed, &cs.fresh) // what has not noticed by then is cut with the rest
}

// allReturned waits for the handlers that took their connections over, of which
// http.Server knows nothing any more: WebSockets are told to close when draining
// begins, and take their time.
func (cs *connections) allReturned(ctx context.Context) error { return none(ctx, &cs.taken) }

// none waits until a count is 0.
func none(ctx context.Context, count *atomic.Int64) error {
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for count.Load() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		}
	}
	return nil
}
