package graphql

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ishaa-framework/ishaa/internal/callsite"
	"github.com/ishaa-framework/ishaa/internal/memory"
	"github.com/ishaa-framework/ishaa/schema"
)

// Schema gathers resolvers and types until it is built, by Mount or by its first use. It must not be changed after.
type Schema struct {
	roots  [3]rootFields                         // by operation
	fields map[reflect.Type]map[string]*resolver // resolvers of object types, by the struct's type
	leaves map[reflect.Type]*leaf                // scalars and enums
	kinds  map[reflect.Type]*abstract            // unions and interfaces
	infos  map[reflect.Type]TypeInfo             // names and descriptions
	oneOfs map[reflect.Type]bool                 // input types of which one field is given

	schemas schema.Registry // constraints of arguments

	once    sync.Once
	failure error
	problem error // the first mistake of a registration
	ast     *ast.Schema
	sdl     string
	objects map[string]*objectType
	inputs  map[reflect.Type]*inputType
	uploads bool // some argument is an Upload
	costly  bool // some field has a Cost
	waiting bool // some resolver is better run beside others

	defaults     *engine // what Execute runs on
	defaultsOnce sync.Once
}

// rootFields are the fields of Query, Mutation or Subscription in the order they were given.
type rootFields struct {
	order []*resolver
	named map[string]*resolver
}

const (
	rootQuery = iota
	rootMutation
	rootSubscription
)

var rootNames = [...]string{"Query", "Mutation", "Subscription"}

// New returns an empty schema.
func New() *Schema {
	s := &Schema{
		fields: map[reflect.Type]map[string]*resolver{},
		leaves: map[reflect.Type]*leaf{},
		kinds:  map[reflect.Type]*abstract{},
		infos:  map[reflect.Type]TypeInfo{},
		oneOfs: map[reflect.Type]bool{},
	}
	s.addBuiltinLeaves()
	s.addIntrospection()
	return s
}

// resolver is a field that a function answers.
type resolver struct {
	name   string
	parent reflect.Type // nil for root fields
	args   reflect.Type
	result reflect.Type
	source string
	fieldOptions

	call   func(ctx context.Context, parent, args memory.Pointer) (memory.Pointer, error)
	batch  func(ctx context.Context, parents []memory.Pointer, args memory.Pointer) ([]memory.Pointer, error)
	stream func(ctx context.Context, args memory.Pointer) iter.Seq2[memory.Pointer, error]
}

// waits reports whether calls of the resolver are worth running beside others.
func (r *resolver) waits() bool { return r.batch != nil || r.concurrent }

// Query adds a field to the type Query. A is a struct of the field's arguments, R what it becomes; see the package's
// documentation for both.
func Query[A, R any](s *Schema, name string, fn func(context.Context, A) (R, error), options ...FieldOption) {
	s.addRoot(rootQuery, name, plain(fn), reflect.TypeFor[A](), reflect.TypeFor[R](), options)
}

// Mutation adds a field to the type Mutation. The mutations of one operation run one after the other.
func Mutation[A, R any](s *Schema, name string, fn func(context.Context, A) (R, error), options ...FieldOption) {
	s.addRoot(rootMutation, name, plain(fn), reflect.TypeFor[A](), reflect.TypeFor[R](), options)
}

func plain[A, R any](fn func(context.Context, A) (R, error)) *resolver {
	return &resolver{call: func(ctx context.Context, _, args memory.Pointer) (memory.Pointer, error) {
		result, err := fn(ctx, *memory.At[A](args, 0))
		return memory.Of(&result), err
	}}
}

// Subscription adds a field to the type Subscription. The sequence runs in a goroutine of its own for each subscriber;
// the context ends when the client leaves, and a sequence that waits must watch it. An error is one event with that error,
// and the sequence goes on if it likes.
func Subscription[A, R any](s *Schema, name string, fn func(context.Context, A) iter.Seq2[R, error], options ...FieldOption) {
	r := &resolver{stream: func(ctx context.Context, args memory.Pointer) iter.Seq2[memory.Pointer, error] {
		return func(yield func(memory.Pointer, error) bool) {
			for event, err := range fn(ctx, *memory.At[A](args, 0)) {
				if !yield(memory.Of(&event), err) {
					return
				}
			}
		}
	}}
	s.addRoot(rootSubscription, name, r, reflect.TypeFor[A](), reflect.TypeFor[R](), options)
}

// Field adds a field to the object type of P, or replaces the one that the struct has.
func Field[P, A, R any](s *Schema, name string, fn func(context.Context, *P, A) (R, error), options ...FieldOption) {
	r := &resolver{call: func(ctx context.Context, parent, args memory.Pointer) (memory.Pointer, error) {
		result, err := fn(ctx, memory.At[P](parent, 0), *memory.At[A](args, 0))
		return memory.Of(&result), err
	}}
	s.addField(name, r, reflect.TypeFor[P](), reflect.TypeFor[A](), reflect.TypeFor[R](), options)
}

// Batch adds a field to the object type of P that is resolved for many objects at once: fn is called once for each place
// in an operation, with every different object that the answer has there, and returns one result for each in the same
// order. A [BatchError] says which of them failed.
func Batch[P, A, R any](s *Schema, name string, fn func(context.Context, []*P, A) ([]R, error), options ...FieldOption) {
	r := &resolver{batch: func(ctx context.Context, parents []memory.Pointer, args memory.Pointer) ([]memory.Pointer, error) {
		list := make([]*P, len(parents))
		for i, p := range parents {
			list[i] = memory.At[P](p, 0)
		}
		results, err := fn(ctx, list, *memory.At[A](args, 0))
		out := make([]memory.Pointer, len(results))
		for i := range results {
			out[i] = memory.Of(&results[i])
		}
		return out, err
	}}
	s.addField(name, r, reflect.TypeFor[P](), reflect.TypeFor[A](), reflect.TypeFor[R](), options)
}

func (s *Schema) addRoot(root int, name string, r *resolver, args, result reflect.Type, options []FieldOption) {
	r.name, r.args, r.result, r.source = name, args, result, caller()
	s.check(r, options)
	fields := &s.roots[root]
	if fields.named == nil {
		fields.named = map[string]*resolver{}
	}
	if known := fields.named[name]; known != nil {
		s.mistake(r.source, "%s.%s is already there, from %s", rootNames[root], name, known.source)
	}
	fields.named[name] = r
	fields.order = append(fields.order, r)
}

func (s *Schema) addField(name string, r *resolver, parent, args, result reflect.Type, options []FieldOption) {
	r.name, r.parent, r.args, r.result, r.source = name, parent, args, result, caller()
	s.check(r, options)
	if parent.Kind() != reflect.Struct {
		s.mistake(r.source, "field %s: %s is not a struct, so no object type", name, parent)
	}
	if s.fields[parent] == nil {
		s.fields[parent] = map[string]*resolver{}
	}
	if known := s.fields[parent][name]; known != nil {
		s.mistake(r.source, "%s.%s is already there, from %s", parent.Name(), name, known.source)
	}
	s.fields[parent][name] = r
}

func (s *Schema) check(r *resolver, options []FieldOption) {
	for _, option := range options {
		option(&r.fieldOptions)
	}
	if !validName(r.name) || strings.HasPrefix(r.name, "__") {
		s.mistake(r.source, "%q is no name: letters, digits and _, not beginning with a digit or __", r.name)
	}
	if r.args.Kind() != reflect.Struct {
		s.mistake(r.source, "field %s: its arguments are a struct, not %s; without any, struct{}", r.name, r.args)
	}
	if s.ast != nil {
		s.mistake(r.source, "field %s: the schema is in use; add fields before graphql.Mount", r.name)
	}
}

// mistake notes the first thing that is wrong with the program; building the schema reports it.
func (s *Schema) mistake(source, format string, args ...any) {
	if s.problem == nil {
		s.problem = fmt.Errorf("%s: graphql: %s", source, fmt.Sprintf(format, args...))
	}
}

// caller is where the program called the exported function that was called from this package.
func caller() string { return callsite.Outside("github.com/ishaa-framework/ishaa/graphql") }

func validName(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
