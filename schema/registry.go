package schema

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"sync"
)

// A Registry describes Go types and remembers the descriptions. What [Register] and [RegisterOneOf] add holds for its
// types only, so two programs in one process do not see each other. The zero value is ready and knows the types that
// the package documentation lists. It may be used by many goroutines at once; it must not be copied.
type Registry struct {
	mu       sync.Mutex
	types    map[reflect.Type]*Type
	customs  map[reflect.Type]*core
	oneOfs   map[reflect.Type]*pendingOneOf
	consumed bool
}

var builtin Registry

// Of describes a type that needs no registration. Descriptions are kept: a second call is cheap. The error is a
// [*DefinitionError].
func Of(t reflect.Type) (*Type, error) { return builtin.Of(t) }

// For is [Of] for a type that is known when the program is compiled.
func For[T any]() (*Type, error) { return Of(reflect.TypeFor[T]()) }

// Of describes a type. The error is a [*DefinitionError] that names struct, field and tag, and says what to do.
func (r *Registry) Of(t reflect.Type) (*Type, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.types[t]; ok {
		return known, nil
	}
	b := r.builder()
	typ, err := b.typeOf(t)
	if err == nil {
		err = b.finish()
	}
	if err != nil {
		return nil, err
	}
	return typ, nil
}

// Field describes one field of a struct on its own: its type and the constraints and other tags beside it. That is for
// parameters, which a struct names by tags of the caller's; the json tag is not read, and the name is the Go name.
func (r *Registry) Field(owner reflect.Type, field reflect.StructField) (*Field, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.builder()
	f, err := b.parseField(owner, field)
	if err == nil {
		err = b.finish()
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (r *Registry) builder() *builder {
	r.consumed = true
	return &builder{registry: r, types: map[reflect.Type]*Type{}}
}

// A Custom says how a type of one's own looks in JSON and as text.
type Custom[T any] struct {
	// Kind is what it is in JSON: String, Integer, Number or Any.
	Kind Kind
	// Constraints are checked on the text (or number) before Parse sees it, and documented; tags at a field are added to
	// them, or replace what they say.
	Constraints Constraints
	// Parse makes a value of the text of a string, of a number as written, or of any JSON. It must not keep the slice.
	// Its error is told to the client. Without it the type needs UnmarshalText, or UnmarshalJSON for the kind Any.
	Parse func(text []byte) (T, error)
	// Text is the inverse, and needed only to check constraints on Go values with [Type.Validate]. Without it MarshalText
	// is used if there is one.
	Text func(T) (string, error)
	// Examples are texts of valid values, for generated values where a pattern does not suffice.
	Examples []string
}

// Register describes T for types that contain it. It must come before the first [Registry.Of].
func Register[T any](r *Registry, c Custom[T]) error {
	t := reflect.TypeFor[T]()
	fail := func(problem, fix string) error {
		return &DefinitionError{Type: t, Problem: problem, Fix: fix}
	}
	form := &textForm{parse: textFormOf(t).parse, print: textFormOf(t).print, what: "a valid " + typeName(t)}
	if c.Parse != nil {
		form.parse = func(v reflect.Value, text []byte) error {
			parsed, err := c.Parse(text)
			if err == nil {
				*v.Addr().Interface().(*T) = parsed
			}
			return err
		}
	}
	if c.Text != nil {
		form.print = func(v reflect.Value) (string, error) { return c.Text(v.Interface().(T)) }
	}
	made := &core{kind: c.Kind, text: form, fixed: -1, samples: slices.Clone(c.Examples), base: &c.Constraints}
	switch c.Kind {
	case String, Integer, Number:
		if form.parse == nil {
			return fail("registered without Parse, and it has no UnmarshalText", "give one of the two")
		}
	case Any:
		made.special = jsonUnmarshaler
		if c.Parse == nil && !reflect.PointerTo(t).Implements(jsonUnmarshalerType) {
			return fail("registered without Parse, and it has no UnmarshalJSON", "give one of the two")
		}
		made.text, made.json = nil, form
		if c.Parse == nil {
			made.json = nil
		}
	default:
		return fail("registered as "+c.Kind.String(), "use the kind String, Integer, Number or Any")
	}
	if _, err := regexp.Compile(c.Constraints.Pattern); err != nil {
		return fail("registered with a wrong pattern: "+err.Error(), "")
	}
	return r.register(t, func() { r.customs[t] = made })
}

func (r *Registry) register(t reflect.Type, add func()) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.consumed {
		return &DefinitionError{Type: t, Problem: "registered after the registry was used", Fix: "register all types before the first Of"}
	}
	if r.customs == nil {
		r.types = map[reflect.Type]*Type{}
		r.customs = map[reflect.Type]*core{}
		r.oneOfs = map[reflect.Type]*pendingOneOf{}
	}
	if r.customs[t] != nil || r.oneOfs[t] != nil {
		return &DefinitionError{Type: t, Problem: "registered twice", Fix: "drop one"}
	}
	add()
	return nil
}

type pendingOneOf struct {
	discriminator string
	variants      map[string]reflect.Type
}

// RegisterOneOf describes the interface I as one of several structs. The string member named by the discriminator says
// which: {"type": "circle", "radius": 1}. Each variant is given by its value of that member, as any value of a struct
// type or pointer to one that implements I. A struct that has a field of that name gets the value there too, and so
// encodes to what it was decoded from. It must come before the first [Registry.Of].
//
//	schema.RegisterOneOf(&registry, "type", map[string]Shape{"circle": Circle{}, "square": &Square{}})
func RegisterOneOf[I any](r *Registry, discriminator string, variants map[string]I) error {
	t := reflect.TypeFor[I]()
	fail := func(problem, fix string) error {
		return &DefinitionError{Type: t, Problem: problem, Fix: fix}
	}
	switch {
	case t.Kind() != reflect.Interface:
		return fail("registered as a sum type, but it is not an interface", "declare an interface that the variants implement")
	case discriminator == "":
		return fail("registered without a discriminator", "name the member that tells the variants apart")
	case len(variants) == 0:
		return fail("registered without variants", "")
	}
	p := &pendingOneOf{discriminator: discriminator, variants: map[string]reflect.Type{}}
	for name, variant := range variants {
		v := reflect.TypeOf(variant)
		if v == nil || !(v.Kind() == reflect.Struct || v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct) {
			return fail(fmt.Sprintf("variant %q is neither a struct nor a pointer to one", name), "")
		}
		p.variants[name] = v
	}
	return r.register(t, func() { r.oneOfs[t] = p })
}
