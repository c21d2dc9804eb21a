package middleware

import (
	"context"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Timeout gives handlers a time limit. When it has passed, the request's context
// ends with context.DeadlineExceeded, so that queries and calls made with it end
// too, and whatever the handler then returns, an error or an answer that is too
// late, is answered by one 503 problem.
//
// The handler stays on its goroutine and nobody writes beside it: a handler that
// does not watch its context delays the 503 until it returns, as nothing in Go
// can stop it. What it had done by then is done, so a 503 does not tell the client
// that nothing happened.
//
// The limit is for the making of an answer. Once an answer that streams has begun,
// the deadline is lifted: streams end when the client goes away or stops reading
// (StreamWriter), and net/http handlers, files and mounted ones among them, run
// under the server's own timeouts.
func Timeout(limit time.Duration) ishaa.Middleware {
	if limit <= 0 {
		mistake("Timeout: %v is not a positive time", limit)
	}
	// A key of its own, so that limits may be nested; nothing of it shows in answers.
	key := ishaa.NewKey[*deadline]("timeout").Traced(func(*deadline) string { return "" })
	return ishaa.Middleware{
		Name: "timeout",
		Before: func(r *ishaa.Request) (any, error) {
			d := newDeadline(r.Context(), limit)
			key.Set(r, d)
			r.SetContext(d)
			r.OnSent(func() { d.end(context.Canceled) })
			return nil, nil
		},
		After: func(r *ishaa.Request, res *ishaa.Response) error {
			if d := key.Get(r); d != nil && !d.lift() {
				return ishaa.Unavailable("the answer was not ready within %v", limit)
			}
			return nil
		},
	}
}
