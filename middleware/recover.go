package middleware

import (
	"errors"

	"github.com/ishaa-framework/ishaa"
)

// RecoverOptions are the settings of Recover.
type RecoverOptions struct {
	// OnPanic is told of each panic, on the request's goroutine, once its answer is
	// built and before it is sent: for a tracker of errors. Default nil.
	OnPanic func(r *ishaa.Request, value any, stack []byte)
}

// Recover tells a function of panics. Answering them by a 500 problem and logging
// them with their stack is the secure default of the same name, which stays; a
// panic with http.ErrAbortHandler is nobody's mistake and is not told of.
//
// It sees the panics of what it is around: of handlers and of hooks that were added
// after it. What panics while a stream is written, or in net/http middleware around
// the application, is in the log only.
func Recover(options RecoverOptions) ishaa.Middleware {
	if options.OnPanic == nil {
		return ishaa.Middleware{Name: ishaa.DefaultRecover}
	}
	return ishaa.Middleware{Name: ishaa.DefaultRecover, After: func(r *ishaa.Request, _ *ishaa.Response) error {
		failure := r.Failure()
		if failure == nil {
			return nil
		}
		var thrown *ishaa.PanicError
		if errors.As(failure, &thrown) {
			options.OnPanic(r, thrown.Value, thrown.Stack)
		}
		return nil
	}}
}
