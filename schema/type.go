package schema

import (
	"reflect"

	"github.com/ishaa-framework/ishaa/internal/quickset"
)

// Kind is what a value is in JSON.
type Kind uint8

// The kinds. Times, durations, UUIDs, octets and whatever has UnmarshalText are strings.
const (
	Any     Kind = iota // any JSON value: any, json.RawMessage, json.Unmarshaler
	Boolean             // true or false
	Integer             // a number without a fraction; 1.0 and 1e2 are integers
	Number              // any number
	String              // a string, whatever Go type it becomes
	Array               // a slice or array
	Map                 // an object whose names are data
	Object              // a struct
	OneOf               // one of several structs, told apart by a member; see [RegisterOneOf]
)

var kindNames = [...]string{"any", "boolean", "integer", "number", "string", "array", "map", "object", "oneOf"}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// article is the kind as a message to a client calls it.
func (k Kind) article() string {
	switch k {
	case Boolean:
		return "true or false"
	case Integer:
		return "an integer"
	case Number:
		return "a number"
	case String:
		return "a string"
	case Array:
		return "an array"
	case Map, Object, OneOf:
		return "an object"
	}
	return "a value"
}

// A Type is the description of a Go type, with the constraints of the place where it stands: the same Go type under two
// differently tagged fields is two Types. It is immutable and used by many goroutines at once.
type Type struct {
	*core
	goType      reflect.Type
	nullable    bool
	inner       *Type // what a pointer points to
	element     *Type
	constraints *Constraints
	rules       *rules // constraints, compiled; nil where nothing is to be checked

	decode   func(*decoder, reflect.Value) error
	validate func(*validator, reflect.Value)
	setText  func(*recorder, reflect.Value, string)
	quick    *quickset.Setter // how SetText may go without a recorder; nil where it may not
}

// core is what does not depend on the place: shared between all Types of a Go type, and filled after it is shared, since
// a struct may contain itself.
type core struct {
	kind     Kind
	name     string // of a struct or sum type that gets a definition of its own; empty otherwise
	format   string // what the Go type itself implies: "int32", "date-time", "uuid"
	pattern  string // ditto
	base     *Constraints
	key      *Type // of a Map
	fixed    int   // number of elements of a Go array, -1 otherwise
	members  *members
	variants *variants
	text     *textForm // how the Go type reads and writes the text of its JSON string or number
	json     *textForm // ditto, any JSON
	special  special
	samples  []string // texts of valid values that a registration gave
}

// special marks types whose document or encoding is not what their kind suggests.
type special uint8

const (
	plain special = iota
	octets
	duration
	anyValue
	rawMessage
	jsonNumber
	jsonUnmarshaler
)

// Kind returns what the type is in JSON.
func (t *Type) Kind() Kind { return t.kind }

// Go returns the Go type.
func (t *Type) Go() reflect.Type { return t.goType }

// Name is the name of the definition that a struct or sum type gets in a document: its Go name, without package and
// brackets. It is empty for every other type. Two types may have the same; [Definitions] tells them apart.
func (t *Type) Name() string { return t.name }

// Nullable reports whether null is allowed: for pointers and for values of any kind.
func (t *Type) Nullable() bool { return t.nullable || t.kind == Any }

// Fields returns the members of an Object in the order of the struct, those of embedded structs in their place; nil for
// other kinds. The slice is shared: do not change it.
func (t *Type) Fields() []*Field {
	if t.members == nil {
		return nil
	}
	return t.members.fields
}

// Field returns the field of an Object with the given JSON name, or nil.
func (t *Type) Field(name string) *Field {
	if t.members == nil {
		return nil
	}
	if i := t.members.find([]byte(name), 0); i >= 0 {
		return t.members.fields[i]
	}
	return nil
}

// Elem returns the type of the elements of an Array or of the values of a Map, nil for other kinds.
func (t *Type) Elem() *Type {
	if t.inner != nil {
		return t.inner.Elem()
	}
	return t.element
}

// Key returns the type of a Map's keys, nil for other kinds.
func (t *Type) Key() *Type { return t.key }

// Constraints returns what the value must keep to beyond its kind. Do not change it.
func (t *Type) Constraints() Constraints {
	if t.constraints == nil {
		return Constraints{}
	}
	return *t.constraints
}

// Format returns the format of a string or number, such as "date-time" or "int32", or "".
func (t *Type) Format() string {
	if t.constraints != nil && t.constraints.Format != "" {
		return t.constraints.Format
	}
	return t.format
}

// Discriminator returns the name of the member that tells the variants of a OneOf apart, and its variants by that
// member's value; "" and nil for other kinds.
func (t *Type) Discriminator() (name string, variants map[string]*Type) {
	if t.variants == nil {
		return "", nil
	}
	variants = make(map[string]*Type, len(t.variants.list))
	for i := range t.variants.list {
		variants[t.variants.list[i].value] = t.variants.list[i].typ
	}
	return t.variants.discriminator, variants
}

// Textual reports whether one piece of text (a path segment, a query value, a header) can become a value of the type,
// and so whether [Type.SetText] works.
func (t *Type) Textual() bool { return t.setText != nil }

// TextualList reports whether the type is a slice or array of which each element is Textual.
func (t *Type) TextualList() bool { return t.kind == Array && t.Elem().Textual() }
