package ishaa

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ishaa-framework/ishaa/internal/jsonenc"
	"github.com/ishaa-framework/ishaa/internal/tree"
)

// Handler answers a request with a value; how the value becomes bytes is the
// framework's business. See the package documentation for what each kind of
// value becomes.
type Handler func(r *Request) (any, error)

// Route is one entry of the route table. It is made by registration, may be
// annotated until the application starts, and never changes after that, but for
// its compiled chain.
type Route struct {
	app     *App
	group   *group
	text    string        // the pattern without the prefixes of the blueprints
	options []RouteOption // as registered; applied when the route joins the table
	pattern *tree.Pattern
	params  []tree.Param
	host    string
	methods []string // sorted; nil is every method
	name    string
	source  string
	handler Handler

	middleware  []Middleware // of this route alone
	order       []int        // of the shared middleware; nil as registered
	annotations map[any]any
	bodyLimit   int64
	mounted     bool
	input       reflect.Type
	output      reflect.Type
	encode      jsonenc.Encoder  // of output, where a typed handler's value becomes JSON
	direct      bool             // the output is a struct or a pointer to one, and never anything but JSON
	status      int              // what Status gave
	prepare     func(*App) error // of a typed route: makes its handler once the pattern is known
	typed       any              // the typed handler
	binds       *bindPlan        // of its input

	variantGroup, variantName string
	variants                  []*Route // of a primary route, itself first; nil when there is one reality
	primary                   *Route   // of a variant that is not the first
	selector                  Selector

	chain atomic.Pointer[chain]
}

// RouteOption is a property of a route, given at registration:
//
//	app.Get("/users/<int:id>", user, ishaa.Name("user"), ishaa.BodyLimit(64<<10))
//
// Middleware is one too. Options combines several.
type RouteOption interface {
	applyRoute(*Route) error
}

type optionFunc func(*Route) error

func (f optionFunc) applyRoute(route *Route) error { return f(route) }

// Options makes several options one, in order. Packages build their own options
// out of Middleware, Annotation and this.
func Options(list ...RouteOption) RouteOption {
	return optionFunc(func(route *Route) error { return route.apply(list) })
}

func (rt *Route) apply(options []RouteOption) error {
	for _, option := range options {
		if option == nil {
			return errors.New("a route option is nil")
		}
		if err := option.applyRoute(rt); err != nil {
			return err
		}
	}
	return nil
}

// Name names the route for App.URL. A route of a blueprint gets the blueprint's
// name in front: "api.user".
func Name(name string) RouteOption {
	return optionFunc(func(route *Route) error {
		if name == "" || strings.ContainsAny(name, " \t\n") {
			return fmt.Errorf("ishaa.Name(%q): a name has no spaces and is not empty", name)
		}
		route.name = name
		return nil
	})
}

// Methods sets the methods that a route answers, for App.Route.
func Methods(methods ...string) RouteOption {
	return optionFunc(func(route *Route) error {
		if len(methods) == 0 {
			return errors.New("ishaa.Methods: give at least one method")
		}
		for _, method := range methods {
			if err := checkMethod(method); err != nil {
				return err
			}
		}
		route.methods = slices.Compact(slices.Sorted(slices.Values(methods)))
		return nil
	})
}

// Host has the route answer only for a host, such as "api.example.com", or a
// family of hosts: in "<tenant>.example.com" a parameter stands for one label.
// Ports are not part of it, and the host is what Request.Host gives. A route with a
// host goes before one without.
func Host(host string) RouteOption {
	return optionFunc(func(route *Route) error {
		if host == "" {
			return errors.New("ishaa.Host: the host is empty; leave the option out for any host")
		}
		route.host = host
		return nil
	})
}

// BodyLimit sets how many bytes of body the route takes; more is a 413. The
// default is Config.BodyLimit, 1 MiB.
func BodyLimit(bytes int64) RouteOption {
	return optionFunc(func(route *Route) error {
		if bytes <= 0 {
			return fmt.Errorf("ishaa.BodyLimit(%d): give a positive number of bytes", bytes)
		}
		route.bodyLimit = bytes
		return nil
	})
}

// Variant makes the route one of several with the same pattern, host and
// methods, told apart by name within a group such as "reality". A Selector
// decides which answers.
func Variant(group, name string) RouteOption {
	return optionFunc(func(route *Route) error {
		if group == "" || name == "" {
			return fmt.Errorf("ishaa.Variant(%q, %q): give a group and a name", group, name)
		}
		route.variantGroup, route.variantName = group, name
		return nil
	})
}

// SelectBy sets the selector of a route that has variants. One of them carries it.
func SelectBy(selector Selector) RouteOption {
	return optionFunc(func(route *Route) error {
		if selector == nil {
			return errors.New("ishaa.SelectBy: the selector is nil")
		}
		route.selector = selector
		return nil
	})
}

// Annotation is a typed key for data on routes: what an engine, a guard or a
// document needs to know about one. It is made once, as a package variable.
type Annotation[T any] struct{ name string }

// NewAnnotation returns a new annotation key. The name shows in listings.
func NewAnnotation[T any](name string) *Annotation[T] { return &Annotation[T]{name} }

// On is the option that sets the annotation.
func (k *Annotation[T]) On(value T) RouteOption {
	return optionFunc(func(route *Route) error { return route.annotate(k, value) })
}

// Of returns a route's annotation and whether it has one.
func (k *Annotation[T]) Of(route *Route) (T, bool) {
	value, ok := route.annotations[k].(T)
	return value, ok
}

// String returns the annotation's name.
func (k *Annotation[T]) String() string { return k.name }

// Annotate sets data on the route under a key, which is usually an *Annotation.
// It is an error once the application has started.
func (rt *Route) Annotate(key, value any) error { return rt.annotate(key, value) }

func (rt *Route) annotate(key, value any) error {
	if rt.app != nil && rt.app.Started() {
		return fmt.Errorf("ishaa: route %s is in use; annotate it before the application starts", rt)
	}
	if rt.annotations == nil {
		rt.annotations = map[any]any{}
	}
	rt.annotations[key] = value
	return nil
}

// Annotations returns a copy of all data on the route.
func (rt *Route) Annotations() map[any]any { return maps.Clone(rt.annotations) }

// Name returns the route's full name, or "".
func (rt *Route) Name() string { return rt.name }

// Pattern returns the pattern's text, prefixes included, or "" for the route that
// stands for requests that match none.
func (rt *Route) Pattern() string {
	if rt.pattern == nil {
		return ""
	}
	return rt.pattern.String()
}

// Parameter is a parameter of a route's pattern.
type Parameter struct {
	Name      string
	Converter string // "str", "int", "float", "uuid", "slug", "path", "re" or a registered name
	Expr      string // the expression of re
}

// Parameters returns the pattern's parameters in order.
func (rt *Route) Parameters() []Parameter {
	list := make([]Parameter, len(rt.params))
	for i, p := range rt.params {
		list[i] = Parameter{Name: p.Name, Converter: p.Converter, Expr: p.Expr}
	}
	return list
}

// Host returns the host that the route is for, or "" for any.
func (rt *Route) Host() string { return rt.host }

// Methods returns the methods that the route answers, sorted; none means all.
func (rt *Route) Methods() []string { return slices.Clone(rt.methods) }

// Source returns where the route was registered, as "file.go:line".
func (rt *Route) Source() string { return rt.source }

// Blueprint returns the name of the route's blueprint, with those it is nested
// in, as "api.v1", or "".
func (rt *Route) Blueprint() string { return rt.group.fullName() }

// BodyLimit returns the largest body that the route takes, in bytes.
func (rt *Route) BodyLimit() int64 {
	if rt.bodyLimit > 0 || rt.app == nil {
		return rt.bodyLimit
	}
	return rt.app.config.BodyLimit
}

// Mounted reports whether the route hands a whole subtree to a net/http handler.
func (rt *Route) Mounted() bool { return rt.mounted }

// Input returns the type that a typed handler binds, or nil.
func (rt *Route) Input() reflect.Type { return rt.input }

// Output returns the type that a typed handler answers with, or nil.
func (rt *Route) Output() reflect.Type { return rt.output }

// VariantName returns the name within its group that Variant gave, or "".
func (rt *Route) VariantName() string { return rt.variantName }

// VariantGroup returns the group that Variant gave, or "".
func (rt *Route) VariantGroup() string { return rt.variantGroup }

// Variants returns the routes that share this entry, in order of registration,
// or nil when the route stands alone.
func (rt *Route) Variants() []*Route {
	if rt.primary != nil {
		rt = rt.primary
	}
	return slices.Clone(rt.variants)
}

// Middleware returns the middleware of the application and the blueprints that
// applies to the route, in registered order; SetOrder refers to it.
func (rt *Route) Middleware() []Middleware { return slices.Clone(rt.shared()) }

// OwnMiddleware returns the middleware given as options of the route itself.
func (rt *Route) OwnMiddleware() []Middleware { return slices.Clone(rt.middleware) }

// String gives the route as "GET,HEAD /users/<int:id>".
func (rt *Route) String() string {
	if rt.pattern == nil {
		return "(no route)"
	}
	methods := "ANY"
	if rt.methods != nil {
		methods = strings.Join(rt.methods, ",")
	}
	return methods + " " + rt.host + rt.pattern.String()
}

func (rt *Route) paramIndex(name string) int {
	for i := range rt.params {
		if rt.params[i].Name == name {
			return i
		}
	}
	return -1
}

// shared is the middleware around the route that is not its own.
func (rt *Route) shared() []Middleware { return rt.group.chainOfMiddleware(rt.app) }

// checkMethod accepts the methods that a route can answer: tokens in upper case,
// but not those that speak to proxies and debuggers.
func checkMethod(method string) error {
	switch {
	case method == "TRACE" || method == "CONNECT":
		return fmt.Errorf("the method %s is not for applications", method)
	case method == "":
		return errors.New("a method is empty")
	}
	for _, c := range method {
		if !(c >= 'A' && c <= 'Z' || c == '-' || c >= '0' && c <= '9') {
			return fmt.Errorf("method %q: methods are upper-case letters, such as GET", method)
		}
	}
	return nil
}
