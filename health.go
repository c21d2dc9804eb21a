package ishaa

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// healthTimeout is how long all checks of one request may take.
const healthTimeout = 5 * time.Second

// Health is a plugin that answers the questions of load balancers and
// orchestrators: GET /-/live says that the process serves, GET /-/ready that it
// should get traffic. The checks, by name, are what readiness depends on, such as
// a database; while one fails, or the application is draining, the answer is 503.
// What a check says goes to the log; the client learns only its name.
//
//	app.Install(ishaa.Health(map[string]func(context.Context) error{"database": db.Ping}))
func Health(checks map[string]func(ctx context.Context) error) Plugin {
	return health(maps.Clone(checks))
}

type health map[string]func(context.Context) error

// Install registers the two routes.
func (h health) Install(app *App) error {
	for name, check := range h {
		if check == nil {
			return fmt.Errorf("the check %q is nil", name)
		}
	}
	app.Get("/-/live", func(r *Request) (any, error) {
		r.Response().Header()["Cache-Control"] = noStore
		return Text("live\n"), nil
	})
	app.Get("/-/ready", h.ready)
	return nil
}

func (h health) ready(r *Request) (any, error) {
	r.Response().Header()["Cache-Control"] = noStore
	select {
	case <-r.route.app.Draining():
		return nil, Unavailable("shutting down")
	default:
	}
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	failed := map[string]string{}
	for name, err := range h.run(ctx) {
		if err != nil {
			r.Logger().Warn("not ready", "check", name, "error", err)
			failed[name] = "failed"
		}
	}
	if len(failed) > 0 {
		return nil, (&Problem{Status: http.StatusServiceUnavailable, Detail: "not ready"}).With("checks", failed)
	}
	return Text("ready\n"), nil
}

// run asks all checks at once. One that does not come back in time has failed; its
// goroutine ends when the check does, which was given a context that has ended.
func (h health) run(ctx context.Context) map[string]error {
	type result struct {
		name string
		err  error
	}
	results := make(chan result, len(h))
	for name, check := range h {
		go func() {
			defer func() {
				if cause := recover(); cause != nil {
					results <- result{name, fmt.Errorf("panic: %v", cause)}
				}
			}()
			results <- result{name, check(ctx)}
		}()
	}
	outcome := map[string]error{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		outcome[name] = errors.New("it did not answer in time")
	}
	for range h {
		select {
		case got := <-results:
			outcome[got.name] = got.err
		case <-ctx.Done():
			return outcome
		}
	}
	return outcome
}
