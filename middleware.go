package ishaa

import "net/http"

// Middleware runs around the handlers of an application, a blueprint or a route.
// It is data: its two halves are visible, so engines can time, reorder and
// explain them.
//
// Before hooks run in the order the middleware was added, After hooks in the
// reverse order. When a Before hook answers, the Before hooks after it and the
// handler do not run; the After hooks of those that did run do, and so do those
// of middleware that has no Before at all. Around encloses everything that was
// added after it.
type Middleware struct {
	// Name identifies the middleware in reports and start-up messages. Adding one
	// that has the name of a secure default replaces that default.
	Name string
	// Before runs on the way in. A non-nil value or an error answers the request.
	Before func(*Request) (any, error)
	// After runs on the way out and may change the answer. It sees every answer,
	// errors included; on the application also 404 and 405. An error answers in
	// the answer's place.
	After func(*Request, *Response) error
	// Around is for what needs both sides at once.
	Around func(next Handler) Handler
	// Trusts says, without side effects, that a request from another origin is
	// welcome: the csrf default, which would refuse it, then lets it pass.
	Trusts func(*Request) bool
	// Commutes says that Before may trade places with a commuting neighbour: it
	// neither depends on what the neighbour did nor changes what it sees.
	Commutes bool
	// Probe says, without side effects, whether Before would refuse the request.
	// Only middleware with a Probe is ever reordered.
	Probe func(*Request) bool

	std func(http.Handler) http.Handler // made by Std
}

// applyRoute makes a Middleware an option of a single route.
func (m Middleware) applyRoute(route *Route) error {
	route.middleware = append(route.middleware, m.ready())
	return nil
}

func (m Middleware) label() string {
	if m.Name != "" {
		return m.Name
	}
	return "unnamed"
}

// stack composes middleware over a handler. Neighbours with only Before and
// After become one flat segment; each Around starts a new level.
func stack(list []Middleware, inner Handler) Handler {
	for end := len(list); end > 0; {
		if list[end-1].Around != nil {
			end--
			m := list[end]
			inner = m.Around(inner)
			if m.Before != nil || m.After != nil {
				inner = newSegment([]Middleware{m}, inner)
			}
			continue
		}
		start := end
		for start > 0 && list[start-1].Around == nil {
			start--
		}
		inner = newSegment(list[start:end], inner)
		end = start
	}
	return inner
}

// segment is a run of Before and After hooks without an Around between them.
type segment struct {
	before []func(*Request) (any, error)
	after  []afterHook // in the order they run
	next   Handler
}

type afterHook struct {
	fn func(*Request, *Response) error
	// needs is how many Before hooks must have run for this After to run: its own
	// and those ahead of it, or none when the middleware has no Before.
	needs int
}

func newSegment(list []Middleware, next Handler) Handler {
	s := &segment{next: next}
	for _, m := range list {
		needs := 0
		if m.Before != nil {
			s.before = append(s.before, m.Before)
			needs = len(s.before)
		}
		if m.After != nil {
			s.after = append(s.after, afterHook{m.After, needs})
		}
	}
	for i, j := 0, len(s.after)-1; i < j; i, j = i+1, j-1 {
		s.after[i], s.after[j] = s.after[j], s.after[i]
	}
	switch {
	case len(s.before) == 0 && len(s.after) == 0:
		return next
	case len(s.after) == 0:
		return s.onlyBefore
	}
	return s.run
}

func (s *segment) onlyBefore(r *Request) (any, error) {
	for _, before := range s.before {
		if value, err := before(r); value != nil || err != nil {
			return value, err
		}
	}
	return s.next(r)
}

func (s *segment) run(r *Request) (any, error) {
	value, ran, err := s.enter(r)
	res := r.answer(value, err)
	for next := 0; next < len(s.after); {
		if next, err = s.leave(r, res, ran, next); err != nil {
			r.answerError(res, err)
		}
	}
	return res, nil
}

// enter runs the Before hooks and what they lead to, and says how many ran. A
// panic further in is an error here, so that the After hooks see its answer.
func (s *segment) enter(r *Request) (value any, ran int, err error) {
	defer r.catch(&value, &err)
	for _, before := range s.before {
		ran++
		if value, err = before(r); value != nil || err != nil {
			return value, ran, err
		}
	}
	value, err = s.next(r)
	return value, ran, err
}

// leave runs the After hooks from one on, up to the first that fails, and says which
// is the next. A panic is an error like any other.
func (s *segment) leave(r *Request, res *Response, ran, from int) (next int, err error) {
	var none any
	defer r.catch(&none, &err)
	for next = from; next < len(s.after); {
		hook := &s.after[next]
		next++
		if hook.needs > ran {
			continue
		}
		if err = hook.fn(r, res); err != nil {
			break
		}
	}
	return next, err
}

// catch, deferred, turns a panic into an error, unless the application runs
// without recovery or the panic is the way to cut the connection.
func (r *Request) catch(value *any, err *error) {
	if !r.route.app.recovers {
		return
	}
	if cause := recover(); cause != nil {
		*value, *err = nil, panicked(cause)
	}
}
