package ishaa

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Router is where routes are registered: an App or a Blueprint. Packages that
// bring routes of their own, such as openapi and graphql, take a Router.
type Router interface {
	Get(pattern string, h Handler, options ...RouteOption) *Route
	Post(pattern string, h Handler, options ...RouteOption) *Route
	Put(pattern string, h Handler, options ...RouteOption) *Route
	Patch(pattern string, h Handler, options ...RouteOption) *Route
	Delete(pattern string, h Handler, options ...RouteOption) *Route
	Head(pattern string, h Handler, options ...RouteOption) *Route
	Options(pattern string, h Handler, options ...RouteOption) *Route
	Any(pattern string, h Handler, options ...RouteOption) *Route
	Route(pattern string, h Handler, options ...RouteOption) *Route

	router() *group
}

// group is what an App and a Blueprint have in common: a prefix, middleware,
// error handlers, routes.
type group struct {
	app    *App   // nil until the blueprint is registered
	parent *group // nil for an application and an unregistered blueprint
	name   string
	prefix string
	source string

	middleware []Middleware
	errors     []errorHandler
	routes     []*Route // of a blueprint that is not registered yet
	miss       *Route   // answers for the group's paths when no route has the method
	children   []*group // likewise
	options    []RouteOption
}

func (g *group) router() *group { return g }

// Get registers a handler for GET and, unless there is one for HEAD, for HEAD.
func (g *group) Get(pattern string, h Handler, options ...RouteOption) *Route {
	return g.register([]string{"GET"}, pattern, h, options)
}

// Post registers a handler for POST.
func (g *group) Post(pattern string, h Handler, options ...RouteOption) *Route {
	return g.register([]string{"POST"}, pattern, h, options)
}

// Put registers a handler for PUT.
func (g *group) Put(pattern string, h Handler, options ...RouteOption) *Route {
	return g.register([]string{"PUT"}, pattern, h, options)
}

// Patch registers a handler for PATCH.
func (g *group) Patch(pattern string, h Handler, options ...RouteOption) *Route {
	return g.register([]string{"PATCH"}, pattern, h, options)
}

// Delete registers a handler for DELETE.
func (g *group) Delete(pattern string, h Handler, options ...RouteOption) *Route {
	return g.register([]string{"DELETE"}, pattern, h, options)
}

// Head registers a handler for HEAD, in place of the one that GET brings.
func (g *group) Head(pattern string, h Handler, options ...RouteOption) *Route {
	return g.register([]string{"HEAD"}, pattern, h, options)
}

// Options registers a handler for OPTIONS, in place of the automatic one.
func (g *group) Options(pattern string, h Handler, options ...RouteOption) *Route {
	return g.register([]string{"OPTIONS"}, pattern, h, options)
}

// Any registers a handler for every method that has none of its own.
func (g *group) Any(pattern string, h Handler, options ...RouteOption) *Route {
	return g.register(nil, pattern, h, options)
}

// Route registers a handler for the methods that the option Methods names, or
// for GET.
func (g *group) Route(pattern string, h Handler, options ...RouteOption) *Route {
	return g.register([]string{"GET"}, pattern, h, options)
}

// register makes a route and adds it, or panics with the place of the mistake.
func (g *group) register(methods []string, pattern string, h Handler, options []RouteOption) *Route {
	route := &Route{group: g, text: pattern, methods: methods, handler: h, options: options, source: callerOutside()}
	if err := g.add(route); err != nil {
		panic(fmt.Sprintf("%s: route %q: %v", route.source, pattern, err))
	}
	return route
}

// add puts a route into the table, or keeps it until the blueprint is registered.
func (g *group) add(route *Route) error {
	if route.handler == nil {
		return errors.New("the handler is nil")
	}
	if route.text != "" && route.text[0] != '/' || g.prefix+route.text == "" {
		return errors.New("a pattern starts with \"/\"")
	}
	if g.app != nil {
		return g.app.addRoute(route)
	}
	g.routes = append(g.routes, route)
	return nil
}

// fullPrefix is the prefixes of a group and its parents, put together.
func (g *group) fullPrefix() string {
	if g.parent == nil {
		return g.prefix
	}
	return g.parent.fullPrefix() + g.prefix
}

func (g *group) fullName() string {
	if g.parent == nil || g.parent.fullName() == "" {
		return g.name
	}
	return g.parent.fullName() + "." + g.name
}

// allOptions lists what With gave to the group and its parents, outermost first.
func (g *group) allOptions() []RouteOption {
	if g.parent == nil {
		return g.options
	}
	return slices.Concat(g.parent.allOptions(), g.options)
}

// Use adds middleware to all routes of the group and those nested in it, those
// registered before too, in the order it is added.
func (g *group) Use(list ...Middleware) {
	g.mustBeOpen("Use")
	for _, m := range list {
		g.middleware = append(g.middleware, m.ready())
	}
}

// Before adds a hook that runs before the handlers. A non-nil value or an error
// answers the request.
func (g *group) Before(hook func(*Request) (any, error)) {
	mustHave("Before", hook != nil)
	g.Use(Middleware{Name: "before hook at " + callerOutside(), Before: hook})
}

// After adds a hook that sees, and may change, every answer.
func (g *group) After(hook func(*Request, *Response) error) {
	mustHave("After", hook != nil)
	g.Use(Middleware{Name: "after hook at " + callerOutside(), After: hook})
}

func (g *group) mustBeOpen(what string) {
	if g.app != nil && g.app.Started() {
		panic(fmt.Sprintf("%s: %s after the application has started; set it up before", callerOutside(), what))
	}
}

// mustHave stops a registration that lacks its function.
func mustHave(what string, function bool) {
	if !function {
		panic(fmt.Sprintf("%s: %s: the function is nil", callerOutside(), what))
	}
}

// chainOfMiddleware lists the middleware that applies to the group's routes,
// outermost first.
func (g *group) chainOfMiddleware(app *App) []Middleware {
	if g.parent == nil {
		if app == nil {
			return g.middleware
		}
		return app.effectiveMiddleware()
	}
	return slices.Concat(g.parent.chainOfMiddleware(app), g.middleware)
}

// Blueprint is a part of an application: routes under a prefix, with middleware,
// error handlers and names of their own. It is filled first and registered once,
// on an App or on another Blueprint.
//
//	api := ishaa.NewBlueprint("api", "/api/v1", middleware.CORS(…))
//	api.Get("/users", listUsers, ishaa.Name("users")) // "api.users", GET /api/v1/users
//	app.Register(api)
type Blueprint struct{ group }

// NewBlueprint returns an empty blueprint. The prefix begins with "/" and does
// not end with one; it may hold parameters. An empty prefix is allowed.
func NewBlueprint(name, prefix string, middleware ...Middleware) *Blueprint {
	source := callerOutside()
	if name == "" || strings.ContainsAny(name, ". \t\n") {
		panic(fmt.Sprintf("%s: NewBlueprint(%q): a name has no dots and spaces and is not empty", source, name))
	}
	if prefix != "" && (!strings.HasPrefix(prefix, "/") || strings.HasSuffix(prefix, "/")) {
		panic(fmt.Sprintf("%s: NewBlueprint(%q, %q): a prefix starts with \"/\" and does not end with it", source, name, prefix))
	}
	b := &Blueprint{group{name: name, prefix: prefix, source: source}}
	b.Use(middleware...)
	return b
}

// With gives options to every route of the blueprint and those nested in it,
// those registered before too. A route's own options come later and win. It is for
// a blueprint that is not registered yet: routes that are in the table would miss
// the options.
func (b *Blueprint) With(options ...RouteOption) *Blueprint {
	if b.app != nil {
		panic(fmt.Sprintf("%s: With after the blueprint %q was registered on an application; call it before Register", callerOutside(), b.name))
	}
	b.options = append(b.options, options...)
	return b
}

// Register puts another blueprint into this one.
func (g *group) Register(b *Blueprint) {
	source := callerOutside()
	if err := g.adopt(&b.group); err != nil {
		panic(fmt.Sprintf("%s: Register(%q): %v", source, b.name, err))
	}
}

func (g *group) adopt(child *group) error {
	switch {
	case child.parent != nil:
		return fmt.Errorf("the blueprint from %s is already registered", child.source)
	case child == g:
		return errors.New("a blueprint cannot be registered in itself")
	}
	for other := g; other != nil; other = other.parent {
		if other == child {
			return errors.New("the blueprints would contain each other")
		}
	}
	child.parent = g
	if g.app == nil {
		g.children = append(g.children, child)
		return nil
	}
	return child.attach(g.app)
}

// attach puts the routes of a blueprint, and of those nested in it, into the
// application's table.
func (g *group) attach(app *App) error {
	g.app = app
	for _, route := range g.routes {
		if err := app.addRoute(route); err != nil {
			return fmt.Errorf("route %q from %s: %w", route.text, route.source, err)
		}
	}
	for _, child := range g.children {
		if err := child.attach(app); err != nil {
			return err
		}
	}
	g.routes, g.children = nil, nil
	return nil
}
