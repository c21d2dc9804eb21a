package middleware

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/ishaa-framework/ishaa"
)

// RecoverOptions are the settings of Recover.
type RecoverOptions struct {
	// OnPanic is told of every panic, on the request's goroutine, before the answer:
	// for a tracker of errors. Default nil.
	OnPanic func(r *ishaa.Request, value any, stack []byte)

	// NoStack leaves the stack out of the log.
	NoStack bool
}

// Recover answers panics by a 500 problem and logs them with their stack. A panic
// with http.ErrAbortHandler goes on, to cut the connection. It replaces the secure
// default; as that also covers hooks that run outside of this one, and the writing
// of streams, use it for its options only.
func Recover(options RecoverOptions) ishaa.Middleware {
	return ishaa.Middleware{Name: ishaa.DefaultRecover, Around: func(next ishaa.Handler) ishaa.Handler {
		return func(r *ishaa.Request) (value any, err error) {
			defer func() {
				cause := recover()
				if cause == nil {
					return
				}
				if cause == any(http.ErrAbortHandler) {
					panic(cause)
				}
				value, err = nil, options.panicked(r, cause)
			}()
			return next(r)
		}
	}}
}

// panicked reports a panic and returns the error that answers it.
func (o *RecoverOptions) panicked(r *ishaa.Request, cause any) error {
	stack := debug.Stack()
	if !o.NoStack {
		r.Logger().Error("panic", slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(stack)))
	}
	if o.OnPanic != nil {
		o.OnPanic(r, cause, stack)
	}
	// Not %w: a panic with an error that maps to another status was thrown, not
	// returned.
	return fmt.Errorf("panic: %v", cause)
}
