package ishaa

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// Dependencies are structs that know how to make themselves ready for a request:
//
//	type CurrentUser struct {
//		Token    string    `header:"Authorization"` // bound like an input
//		Accounts *Accounts                          // provided by the application
//		User     *User     `bind:"-"`               // what Resolve finds
//	}
//
//	func (u *CurrentUser) Resolve(ctx context.Context) error { … }
//	func (u *CurrentUser) Close(err error) error { … } // optional
//
// An input or another dependency asks for one by an untagged pointer field. It is
// made once per request, after what it depends on, and closed in the reverse
// order with the handler's error: before the answer is sent, or after the last
// byte when the answer streams.

// Resolver is a dependency. Its type is a struct whose pointer has Resolve.
type Resolver interface {
	Resolve(ctx context.Context) error
}

// Closer is a dependency that has something to end. The error is the handler's,
// nil when it had none; an error of Close itself becomes a 500 if the answer has
// not been sent.
type Closer interface {
	Close(err error) error
}

var (
	resolverType = reflect.TypeFor[Resolver]()
	closerType   = reflect.TypeFor[Closer]()
	requestType  = reflect.TypeFor[*Request]()
)

// isDependency reports whether a field of this type asks for a dependency.
func isDependency(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Implements(resolverType)
}

// Provide gives the application a value that dependencies and inputs may ask for
// by type: untagged fields of exactly this type, or of an interface that it alone
// implements, are filled with it. Each type is provided once.
func Provide[T any](app *App, value T) {
	source := callerOutside()
	app.mustBeOpen("Provide")
	t := reflect.TypeFor[T]()
	if known, ok := app.provided.values[t]; ok {
		panic(fmt.Sprintf("%s: Provide: %s is already provided at %s", source, t, known.source))
	}
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface {
		panic(fmt.Sprintf("%s: Provide: %s is neither a pointer nor an interface; fields are filled by those only", source, t))
	}
	if v := reflect.ValueOf(value); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		panic(fmt.Sprintf("%s: Provide: the %s is nil", source, t))
	}
	if app.provided.values == nil {
		app.provided.values = map[reflect.Type]providedValue{}
	}
	app.provided.values[t] = providedValue{reflect.ValueOf(value), source}
}

type providers struct {
	values map[reflect.Type]providedValue
	plans  sync.Map // reflect.Type of a dependency → *dependencyPlan
}

type providedValue struct {
	value  reflect.Value
	source string
}

// find returns what fills a field of type t.
func (p *providers) find(t reflect.Type) (reflect.Value, error) {
	if known, ok := p.values[t]; ok {
		return known.value, nil
	}
	var found []providedValue
	if t.Kind() == reflect.Interface && t.NumMethod() > 0 {
		for _, candidate := range p.values {
			if candidate.value.Type().Implements(t) {
				found = append(found, candidate)
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0].value, nil
	case 0:
		return reflect.Value{}, fmt.Errorf("nothing provides %s; call ishaa.Provide(app, …) with one, or give the field a tag: path, query, header, cookie, form, file, or bind:\"-\" to leave it alone", t)
	}
	return reflect.Value{}, fmt.Errorf("%d provided values implement %s (one at %s, one at %s); provide it as ishaa.Provide[%s](app, …)", len(found), t, found[0].source, found[1].source, t)
}

// dependencyPlan says how to make one dependency.
type dependencyPlan struct {
	typ    reflect.Type // the struct
	fields *bindPlan
	closes bool
}

// planDependency builds the plan of a dependency and of all it depends on. The
// path holds the types above it, to find cycles.
func (a *App) planDependency(t reflect.Type, path []reflect.Type) (*dependencyPlan, error) {
	if plan, ok := a.provided.plans.Load(t); ok {
		return plan.(*dependencyPlan), nil
	}
	for i, above := range path {
		if above == t {
			return nil, fmt.Errorf("dependencies go in a circle: %s", circle(append(path[i:], t)))
		}
	}
	fields, err := a.planFields(t.Elem(), append(path, t))
	if err != nil {
		return nil, err
	}
	plan := &dependencyPlan{typ: t.Elem(), fields: fields, closes: t.Implements(closerType)}
	stored, _ := a.provided.plans.LoadOrStore(t, plan)
	return stored.(*dependencyPlan), nil
}

func circle(types []reflect.Type) string {
	text := types[0].String()
	for _, t := range types[1:] {
		text += " → " + t.String()
	}
	return text
}

// madeDependency is a dependency of one request.
type madeDependency struct {
	plan  *dependencyPlan
	value reflect.Value // the pointer; invalid while it is being made
	err   error

	traced bool // it was made under a recorder, which was told of the reads
	reads  []tracedRead
}

type tracedRead struct {
	in    Input
	value string
}

// readLog keeps reads, also those of other goroutines, until it is ended.
type readLog struct {
	mu    sync.Mutex
	ended bool
	reads []tracedRead
}

func (l *readLog) note(in Input, value string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.reads = append(l.reads, tracedRead{in, value})
	}
}

func (l *readLog) end() []tracedRead {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	return l.reads
}

// Resolve makes a dependency, or returns the one that the request already has. It
// is for handlers and hooks that are not typed; typed handlers name their
// dependencies as fields.
//
//	user, err := ishaa.Resolve[CurrentUser](r) // a *CurrentUser
func Resolve[T any](r *Request) (*T, error) {
	t := reflect.TypeFor[*T]()
	if !isDependency(t) {
		return nil, fmt.Errorf("ishaa.Resolve: %s is not a dependency: it has no method Resolve(context.Context) error", t)
	}
	plan, err := r.route.app.planDependency(t, nil)
	if err == nil {
		// A plan made at run time has not had its providers looked up yet.
		err = plan.fields.lookUp(r.route.app)
	}
	if err != nil {
		return nil, fmt.Errorf("ishaa.Resolve: %w", err)
	}
	value, err := r.dependency(plan)
	if err != nil {
		return nil, err
	}
	return value.Interface().(*T), nil
}

// dependency returns a dependency of the request, made now if need be. One that
// failed fails again with the same error.
func (r *Request) dependency(plan *dependencyPlan) (reflect.Value, error) {
	if r.rare != nil {
		for i := range r.rare.made {
			if made := &r.rare.made[i]; made.plan == plan {
				r.recordMade(made)
				return made.value, made.err
			}
		}
	}
	made := madeDependency{plan: plan}
	if outer := r.recorder; outer != nil {
		log := &readLog{}
		r.recorder = func(in Input, value string) {
			log.note(in, value)
			outer(in, value)
		}
		defer func() { r.recorder = outer }()
		made.value, made.err = r.makeDependency(plan)
		made.traced, made.reads = true, log.end()
	} else {
		made.value, made.err = r.makeDependency(plan)
	}
	if made.err != nil {
		made.value = reflect.Value{}
	}
	rare := r.more()
	rare.made = append(rare.made, made)
	return made.value, made.err
}

// recordMade reports the use of a dependency that is there already as the reads
// that made it. What one read that a hook resolved, outside of any trace, is not
// known: it counts as an identity.
func (r *Request) recordMade(made *madeDependency) {
	if r.recorder == nil {
		return
	}
	if !made.traced {
		r.record(Input{Kind: InputIdentity, Name: "dependency " + made.plan.typ.String()}, "")
		return
	}
	for _, read := range made.reads {
		r.record(read.in, read.value)
	}
}

func (r *Request) makeDependency(plan *dependencyPlan) (reflect.Value, error) {
	if override, ok := r.context().Value(overrideKey{plan.typ}).(reflect.Value); ok {
		value := reflect.New(plan.typ)
		value.Elem().Set(override)
		return value, nil
	}
	value := reflect.New(plan.typ)
	if err := plan.fields.bind(r, value.Elem()); err != nil {
		return value, err
	}
	if err := value.Interface().(Resolver).Resolve(r.Context()); err != nil {
		return value, err
	}
	if plan.closes {
		closer := value.Interface().(Closer)
		rare := r.more()
		rare.closers = append(rare.closers, closer.Close)
	}
	return value, nil
}

type overrideKey struct{ t reflect.Type }

// Override returns a context in which every request uses a copy of value in place
// of resolving and closing the dependency T. It is for tests.
func Override[T any](ctx context.Context, value T) context.Context {
	t := reflect.TypeFor[T]()
	if !isDependency(reflect.PointerTo(t)) {
		panic(fmt.Sprintf("%s: Override: *%s is not a dependency: it has no method Resolve(context.Context) error", callerOutside(), t))
	}
	return context.WithValue(ctx, overrideKey{t}, reflect.ValueOf(value))
}

// closeDependencies ends what has been made, last first, each even when another
// fails. While the answer is still to stream it leaves them open.
func (r *Request) closeDependencies(handlerErr error, streams bool) error {
	if r.rare == nil || len(r.rare.closers) == 0 || streams && handlerErr == nil {
		return nil
	}
	closers := r.rare.closers
	r.rare.closers = nil
	var failures []error
	for i := len(closers) - 1; i >= 0; i-- {
		if err := closeOne(closers[i], handlerErr); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func closeOne(closer func(error) error, handlerErr error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = panicked(cause)
		}
	}()
	return closer(handlerErr)
}
