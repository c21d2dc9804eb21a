package ishaa

import (
	"errors"
	"fmt"
	"slices"
)

// A chain is all that runs for a request once its route is known, composed into
// one Handler: outermost interceptors, the hooks of the application and the
// blueprints, the selection of a variant, the variant's own hooks, innermost
// interceptors, the handler. A chain never changes; whoever wants another order
// or another handler compiles a new one and swaps the route's pointer.
type chain struct{ run Handler }

// Layer says where in a chain an Interceptor sits.
type Layer uint8

// The layers, from the outside in.
const (
	// Outermost runs before all hooks.
	Outermost Layer = iota
	// Select runs after the hooks of the application and the blueprints, around
	// the choice of a variant.
	Select
	// Innermost runs after all hooks, around binding and the handler, once for
	// each variant.
	Innermost
)

// Interceptor is a layer of a route's chain. Intercept is called when a chain is
// compiled, not for each request; it may return next itself to stay out of a
// route's way.
type Interceptor interface {
	Layer() Layer
	Intercept(route *Route, next Handler) Handler
}

// Selector picks one of a route's variants for a request. The result indexes
// Route.Variants; one out of range is answered as an error.
type Selector interface {
	Select(r *Request, route *Route) int
}

// SelectorFunc is a function as a Selector.
type SelectorFunc func(r *Request, route *Route) int

// Select calls f.
func (f SelectorFunc) Select(r *Request, route *Route) int { return f(r, route) }

// compile builds the chain of a route from what is registered now.
func (a *App) compile(route *Route) (*chain, error) {
	h, err := a.compileVariants(route)
	if err != nil {
		return nil, err
	}
	h = a.intercept(route, Select, h)
	h = stack(a.orderedMiddleware(route), h)
	h = a.intercept(route, Outermost, h)
	return &chain{h}, nil
}

func (a *App) compileVariants(route *Route) (Handler, error) {
	if len(route.variants) == 0 {
		return a.compileInner(route), nil
	}
	if route.selector == nil {
		return nil, fmt.Errorf("%s: route %s has variants but no Selector; give one of them ishaa.SelectBy(…) or install an engine that sets one", route.Source(), route)
	}
	inner := make([]Handler, len(route.variants))
	for i, variant := range route.variants {
		inner[i] = a.compileInner(variant)
	}
	selector := route.selector // of now: SetSelector takes effect with the next chain
	return func(r *Request) (any, error) {
		i := selector.Select(r, route)
		if i < 0 || i >= len(inner) {
			return nil, fmt.Errorf("the selector of %s chose variant %d of %d", route, i, len(inner))
		}
		r.enter(route.variants[i])
		return inner[i](r)
	}, nil
}

// compileInner is what belongs to one route or variant alone.
func (a *App) compileInner(route *Route) Handler {
	h := a.intercept(route, Innermost, withStatus(route.status, route.handler))
	h = stack(route.middleware, guard(h))
	return h
}

// withStatus sets a route's own status before its value is made an answer, which
// may still set another.
func withStatus(status int, h Handler) Handler {
	if status == 0 {
		return h
	}
	return func(r *Request) (any, error) {
		value, err := h(r)
		if err == nil && r.res.status == 0 {
			r.res.status = statusOf(status)
		}
		return value, err
	}
}

// guard turns a handler's panic into an error, so that After hooks see it like
// any other, and ends the handler's trace.
func guard(h Handler) Handler {
	return func(r *Request) (value any, err error) {
		recorder := r.recorder
		defer func() { r.recorder = recorder }()
		defer r.catch(&value, &err)
		return h(r)
	}
}

func (a *App) intercept(route *Route, layer Layer, h Handler) Handler {
	list := a.interceptors.load()
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Layer() == layer {
			h = list[i].Intercept(route, h)
		}
	}
	return h
}

// Recompile builds the route's chain anew, from the interceptors, the selector
// and the middleware order of now, and swaps it in. Requests that are under way
// finish on the chain they began with. It may be called at any time, also under
// load, by any goroutine.
func (a *App) Recompile(route *Route) error {
	if route.primary != nil {
		route = route.primary
	}
	if route.app != a {
		return errors.New("ishaa: Recompile: the route belongs to another application")
	}
	a.compiling.Lock()
	defer a.compiling.Unlock()
	if !a.Started() {
		return nil // start compiles every route
	}
	built, err := a.compile(route)
	if err != nil {
		return err
	}
	route.chain.Store(built)
	return nil
}

// Intercept adds interceptors to the application. Those added first are further
// out within their layer. Routes that are compiled already take them up at the
// next Recompile.
func (a *App) Intercept(list ...Interceptor) { a.interceptors.add(list...) }

// SetSelector replaces the selector of a route and its variants; Recompile makes
// it take effect.
func (a *App) SetSelector(route *Route, selector Selector) {
	if route.primary != nil {
		route = route.primary
	}
	a.compiling.Lock()
	defer a.compiling.Unlock()
	route.selector = selector
}

// SetOrder gives the order in which a route's application and blueprint
// middleware runs, as indexes into Route.Middleware; nil is the registered order.
// Only neighbours that both commute may trade places. Recompile makes it take
// effect.
func (a *App) SetOrder(route *Route, order []int) error {
	if route.primary != nil {
		route = route.primary
	}
	a.compiling.Lock()
	defer a.compiling.Unlock()
	if order != nil {
		if err := checkOrder(route.shared(), order); err != nil {
			return fmt.Errorf("SetOrder of %s: %w", route, err)
		}
	}
	route.order = slices.Clone(order)
	return nil
}

// checkOrder allows a permutation that moves commuting middleware only within
// its run of commuting neighbours.
func checkOrder(list []Middleware, order []int) error {
	if len(order) != len(list) {
		return fmt.Errorf("%d places for %d middleware", len(order), len(list))
	}
	seen := make([]bool, len(list))
	for place, i := range order {
		if i < 0 || i >= len(list) || seen[i] {
			return fmt.Errorf("%v is not a permutation", order)
		}
		seen[i] = true
		for j := min(place, i); j <= max(place, i); j++ {
			if place != i && !list[j].Commutes {
				return fmt.Errorf("%q may not move past %q, which does not commute", list[i].label(), list[j].label())
			}
		}
	}
	return nil
}

func (a *App) orderedMiddleware(route *Route) []Middleware {
	list := route.shared()
	if route.order == nil {
		return list
	}
	ordered := make([]Middleware, len(list))
	for place, i := range route.order {
		ordered[place] = list[i]
	}
	return ordered
}
