package ishaa

import (
	"context"
	"fmt"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
)

// requestContext is the root of the contexts that a request hands out: the Request
// itself, so that it costs no allocation. It answers for the request and leaves the
// rest to the context that the server gave.
//
// Contexts are read by any goroutine, so it looks at nothing in the Request that
// ever changes.
type requestContext Request

func (c *requestContext) parent() context.Context { return c.given.Context() }

func (c *requestContext) Deadline() (time.Time, bool) { return c.parent().Deadline() }
func (c *requestContext) Done() <-chan struct{}       { return c.parent().Done() }
func (c *requestContext) Err() error                  { return c.parent().Err() }

func (c *requestContext) Value(key any) any {
	if key == (requestKey{}) {
		return (*Request)(c)
	}
	return c.parent().Value(key)
}

// parent is the context that the server gave.
func (r *Request) parent() context.Context { return r.given.Context() }

// context is the request's own, which nothing is recorded of.
func (r *Request) context() context.Context {
	if r.rare != nil && r.rare.ctx != nil {
		return r.rare.ctx
	}
	return (*requestContext)(r)
}

type requestKey struct{}

// FromContext returns the request that a context belongs to, or nil. Typed
// handlers and the code they call find their request this way.
func FromContext(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

// tracedContext reports reads of context values to the recorder.
type tracedContext struct {
	context.Context
	r        *Request
	app      *App
	recorder Recorder // not r's of later: contexts are read by other goroutines
}

func (c tracedContext) Value(key any) any {
	if key == (requestKey{}) {
		return c.r
	}
	value := c.Context.Value(key)
	switch {
	case isPlumbing(key, value) || value != nil && c.app.isPlumbing(value):
	case value == nil: // other requests may have one
		c.recorder(Input{Kind: InputContext, Name: fmt.Sprintf("%T", key), key: contextInput{key}}, "")
	default:
		c.recorder(Input{Kind: InputIdentity, Name: "context value"}, "")
	}
	return value
}

// isPlumbing recognises how package context finds the parent of a context that
// can be cancelled: by a key of its own, a *int, whose value is a context. A
// handler that sets itself a deadline has not looked at anything, nor has one
// whose database tells an engine what it reads.
func isPlumbing(key, value any) bool {
	if effect.IsMark(key) {
		return true
	}
	if _, internal := key.(*int); !internal {
		return false
	}
	_, ok := value.(context.Context)
	return ok
}

// Context returns the request's context. It ends when the client goes away,
// when a deadline set by middleware passes, and when the answer was sent.
func (r *Request) Context() context.Context {
	if r.recorder != nil {
		return tracedContext{r.context(), r, r.route.app, r.recorder}
	}
	return r.context()
}

// SetContext replaces the request's context for everything that runs later.
// The new context must be derived from what Context returned.
func (r *Request) SetContext(ctx context.Context) {
	if traced, ok := ctx.(tracedContext); ok {
		ctx = traced.Context
	}
	r.more().ctx = ctx
}
