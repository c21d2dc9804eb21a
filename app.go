package ishaa

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ishaa-framework/ishaa/internal/clientip"
	"github.com/ishaa-framework/ishaa/internal/secure"
	"github.com/ishaa-framework/ishaa/internal/tree"
	"github.com/ishaa-framework/ishaa/schema"
)

// App is a web application: its route table, its middleware, its configuration
// and its life. It is an http.Handler, so it runs on any server.
//
// An App is set up by one goroutine and then started, by Run, Start or the first
// request; from then on its table is read by all of them. Two apps in one
// process share nothing.
type App struct {
	group
	config   Config
	logger   *slog.Logger
	codec    Codec
	proxies  *clientip.Proxies
	clock    Clock
	recovers bool // panics become 500 answers

	converters tree.Converters
	table      table
	all        []*Route
	names      map[string]*Route
	miss       *Route // answers when no route does: 404, 405, OPTIONS, redirects

	defaults    []secureDefault
	crossOrigin *secure.CrossOrigin
	origins     []string                          // trusted beside the application's own
	std         []func(http.Handler) http.Handler // around everything, before matching
	provided    providers
	schemas     schema.Registry
	hooks       []lifeHook
	listening   []func(url string)
	setups      []func() error // run when the application starts, before checks
	checks      []func() error // run when the application starts
	commands    map[string]Command

	observers    copied[Observer]
	plumbing     copied[func(value any) bool]
	interceptors copied[Interceptor]

	compiling sync.Mutex // held while chains are built
	life      lifecycle
	entry     atomic.Pointer[http.Handler] // set once started
}

// New returns an application with the secure defaults: panics answered by 500,
// request ids, an access log, security headers, refusal of cross-origin writes,
// body limits. The name shows in logs and documents. Configuration is read as
// described at Config; one given here stands in for the built-in defaults.
func New(name string, config ...Config) *App {
	a := &App{group: group{source: callerOutside()}}
	a.group.app = a
	a.life.name = name
	a.life.draining = make(chan struct{})
	cfg, err := loadConfig(config...)
	if err != nil {
		panic(fmt.Sprintf("%s: ishaa.New(%q): %v", a.source, name, err))
	}
	if err := a.configure(cfg); err != nil {
		panic(fmt.Sprintf("%s: ishaa.New(%q): %v", a.source, name, err))
	}
	a.names = map[string]*Route{}
	a.miss = &Route{app: a, group: &a.group, handler: answerMiss, source: a.source}
	a.defaults = secureDefaults(a)
	a.commands = builtinCommands()
	return a
}

// Name returns the application's name.
func (a *App) Name() string { return a.life.name }

// Config returns the configuration in force.
func (a *App) Config() Config { return a.config }

// Logger returns the application's logger.
func (a *App) Logger() *slog.Logger { return a.logger }

// SetLogger replaces the application's logger.
func (a *App) SetLogger(logger *slog.Logger) {
	a.mustBeOpen("SetLogger")
	a.logger = logger
}

// SetCodec replaces encoding/json for requests and answers.
func (a *App) SetCodec(codec Codec) {
	a.mustBeOpen("SetCodec")
	a.codec = codec
}

// Schemas returns the registry by which typed handlers read their types. Types of
// the program's own are registered there, before the routes that use them.
func (a *App) Schemas() *schema.Registry { return &a.schemas }

// Clock returns the application's clock.
func (a *App) Clock() Clock { return a.clock }

// SetClock replaces the clock, for tests.
func (a *App) SetClock(clock Clock) {
	a.mustBeOpen("SetClock")
	a.clock = clock
}

// Use adds middleware to every route, in the order it is added. Middleware that
// has the name of a secure default takes that default's place. Middleware made
// by Std runs before a route is found, around everything else.
func (a *App) Use(list ...Middleware) {
	a.mustBeOpen("Use")
	for _, m := range list {
		switch {
		case m.std != nil:
			a.std = append(a.std, m.std)
		case a.replaceDefault(m):
		default:
			a.middleware = append(a.middleware, m.ready())
		}
	}
}

// Converter registers a parameter converter for patterns: a segment is accepted
// when match says so. Of two registered converters at one place the one with the
// higher rank is tried first.
func (a *App) Converter(name string, rank int, match func(segment string) bool) {
	a.mustBeOpen("Converter")
	if match == nil {
		panic(fmt.Sprintf("%s: Converter(%q): the match function is nil", callerOutside(), name))
	}
	if err := a.converters.Register(tree.Converter{Name: name, Rank: rank, Match: match}); err != nil {
		panic(fmt.Sprintf("%s: Converter(%q): %v", callerOutside(), name, err))
	}
}

// Mount hands every request below a prefix, which ends in "/", to a net/http
// handler, whatever the method. The handler sees the whole path; use
// http.StripPrefix where it expects less. Routes of the application go first.
// The body limit applies; raise it with BodyLimit where the handler takes uploads.
func (g *group) Mount(prefix string, handler http.Handler, options ...RouteOption) *Route {
	route := &Route{group: g, text: prefix, mounted: true, options: options, source: callerOutside()}
	if handler != nil {
		route.handler = func(r *Request) (any, error) {
			r.record(Input{Kind: InputRaw}, "")
			return Serve(handler), nil
		}
	}
	if err := g.add(route); err != nil {
		panic(fmt.Sprintf("%s: mount %q: %v", route.source, prefix, err))
	}
	return route
}

// addRoute completes a route and puts it into the table.
func (a *App) addRoute(route *Route) error {
	if a.Started() {
		return errors.New("the application has started; register routes before")
	}
	text := route.group.fullPrefix() + route.text
	if text == "" {
		text = "/"
	}
	if err := route.apply(route.group.allOptions()); err != nil {
		return err
	}
	if err := route.apply(route.options); err != nil {
		return err
	}
	var err error
	if route.mounted {
		route.methods = nil
		route.pattern, err = tree.Rest(text, &a.converters)
	} else {
		route.pattern, err = tree.Parse(text, &a.converters)
	}
	if err != nil {
		return err
	}
	route.params = route.pattern.Params()
	if route.name != "" {
		if bp := route.group.fullName(); bp != "" {
			route.name = bp + "." + route.name
		}
	}
	route.app = a
	if route.prepare != nil {
		if err := route.prepare(a); err != nil {
			return err
		}
	}
	if err := a.table.add(route); err != nil {
		return err
	}
	if err := a.addName(route); err != nil {
		return err
	}
	a.all = append(a.all, route)
	return nil
}

func (a *App) addName(route *Route) error {
	if route.name == "" {
		return nil
	}
	if other := a.names[route.name]; other != nil && other != route.primary && (other.primary == nil || other.primary != route.primary) {
		return fmt.Errorf("the name %q is taken by %s, registered at %s", route.name, other, other.source)
	}
	if a.names[route.name] == nil {
		a.names[route.name] = route
	}
	return nil
}

// Routes returns all routes, sorted by pattern, host and method. Variants follow
// one another.
func (a *App) Routes() []*Route {
	list := slices.Clone(a.all)
	slices.SortStableFunc(list, func(x, y *Route) int {
		return cmp.Or(
			strings.Compare(x.Pattern(), y.Pattern()),
			strings.Compare(x.host, y.host),
			slices.Compare(x.methods, y.methods),
		)
	})
	return list
}

// Lookup returns the route of a name, or nil.
func (a *App) Lookup(name string) *Route { return a.names[name] }

// URL returns the path of a named route with its parameters filled in from
// name, value pairs, escaped:
//
//	app.URL("user", "id", 7) // "/users/7"
//
// Pairs that are not parameters of the route become the query, in the order they
// are given. A missing parameter, or a value that its converter would not
// accept, is an error. For a route with a host the URL begins with "//host".
func (a *App) URL(name string, pairs ...any) (string, error) {
	route := a.names[name]
	if route == nil {
		return "", fmt.Errorf("ishaa: URL: there is no route named %q%s", name, suggest(name, a.names))
	}
	url, err := route.URL(pairs...)
	if err != nil {
		return "", fmt.Errorf("ishaa: URL(%q): %w", name, err)
	}
	return url, nil
}

// copied is a list that is read without a lock and replaced whole when something
// is added.
type copied[T any] struct {
	mu   sync.Mutex
	list atomic.Pointer[[]T]
}

func (c *copied[T]) load() []T {
	if list := c.list.Load(); list != nil {
		return *list
	}
	return nil
}

func (c *copied[T]) remove(drop func(T) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(c.load()), drop)
	if len(list) == 0 {
		c.list.Store(nil)
		return
	}
	c.list.Store(&list)
}

func (c *copied[T]) add(items ...T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := append(slices.Clone(c.load()), items...)
	c.list.Store(&list)
}
