package schema

import (
	"encoding"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// From a Go type to its description.
//
// A struct may contain itself, so its Type is entered before its fields are read; whatever needs the finished fields is
// put off to the builder's end (after). Nothing reaches the registry unless all of it is right.

type builder struct {
	registry *Registry
	types    map[reflect.Type]*Type // made now, not yet in the registry
	after    []func() error
}

var (
	jsonUnmarshalerType = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	jsonMarshalerType   = reflect.TypeFor[json.Marshaler]()
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	timeType            = reflect.TypeFor[time.Time]()
	durationType        = reflect.TypeFor[time.Duration]()
	rawMessageType      = reflect.TypeFor[json.RawMessage]()
	jsonNumberType      = reflect.TypeFor[json.Number]()
)

// finish does what had to wait, and hands the types to the registry.
func (b *builder) finish() error {
	for _, t := range b.types {
		if t.members != nil {
			t.members.settle()
		}
	}
	for _, next := range b.after {
		if err := next(); err != nil {
			return err
		}
	}
	if b.registry.types == nil {
		b.registry.types = map[reflect.Type]*Type{}
	}
	maps.Copy(b.registry.types, b.types)
	return nil
}

func (b *builder) typeOf(t reflect.Type) (*Type, error) {
	if t == nil {
		return nil, &DefinitionError{Problem: "no type: the value is a nil interface"}
	}
	if known, ok := b.registry.types[t]; ok {
		return known, nil
	}
	if known, ok := b.types[t]; ok {
		return known, nil
	}
	typ := &Type{core: &core{fixed: -1}, goType: t}
	b.types[t] = typ
	if err := b.fill(typ, t); err != nil {
		return nil, err
	}
	if err := typ.compile(typ.constraints); err != nil {
		m := err.(*misuse)
		return nil, &DefinitionError{Type: t, Problem: "is registered with a wrong " + m.tag + ": " + m.problem}
	}
	return typ.finish(), nil
}

// fill reads one type. The order of the questions is encoding/json's: what the type says about itself comes before its
// structure.
func (b *builder) fill(typ *Type, t reflect.Type) error {
	if custom := b.registry.customs[t]; custom != nil {
		*typ.core = *custom
		if !custom.base.empty() {
			typ.constraints = custom.base
		}
		return nil
	}
	if pending := b.registry.oneOfs[t]; pending != nil {
		return b.fillOneOf(typ, pending)
	}
	switch t {
	case timeType:
		typ.kind, typ.format, typ.text = String, "date-time", timeForm
		return nil
	case durationType:
		typ.kind, typ.pattern, typ.text, typ.special = String, durationPattern, durationForm, duration
		return nil
	case rawMessageType:
		typ.kind, typ.special = Any, rawMessage
		return nil
	case jsonNumberType:
		typ.kind, typ.text, typ.special = Number, numberForm, jsonNumber
		return nil
	}
	if t.Kind() == reflect.Pointer {
		return b.fillPointer(typ, t)
	}
	switch pointer := reflect.PointerTo(t); {
	case t.Kind() == reflect.Interface:
	case pointer.Implements(jsonUnmarshalerType):
		typ.kind, typ.special = Any, jsonUnmarshaler
		if pointer.Implements(textUnmarshalerType) {
			typ.text = textFormOf(t)
		}
		return nil
	case pointer.Implements(textUnmarshalerType):
		typ.kind, typ.text = String, textFormOf(t)
		if t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8 {
			typ.format = "uuid"
		}
		return nil
	}
	return b.fillByKind(typ, t)
}

func (b *builder) fillByKind(typ *Type, t reflect.Type) error {
	switch kind := t.Kind(); kind {
	case reflect.Bool:
		typ.kind = Boolean
	case reflect.String:
		typ.kind = String
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		typ.kind, typ.format = Integer, integerFormat(kind)
	case reflect.Float32:
		typ.kind, typ.format = Number, "float"
	case reflect.Float64:
		typ.kind, typ.format = Number, "double"
	case reflect.Slice, reflect.Array:
		return b.fillArray(typ, t)
	case reflect.Map:
		return b.fillMap(typ, t)
	case reflect.Struct:
		return b.fillStruct(typ, t)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			typ.kind, typ.special = Any, anyValue
			return nil
		}
		return &DefinitionError{Type: t, Problem: "has the interface type " + typeName(t) + ", and nothing says what may stand there",
			Fix: "register its variants with schema.RegisterOneOf"}
	default:
		return &DefinitionError{Type: t, Problem: "has the type " + t.String() + ", which JSON cannot express",
			Fix: `leave the field out with json:"-", or register the type with schema.Register`}
	}
	return nil
}

func integerFormat(kind reflect.Kind) string {
	if isSigned(kind) {
		return "int" + strconv.Itoa(intBits(kind))
	}
	return "uint" + strconv.Itoa(intBits(kind))
}

func (b *builder) fillPointer(typ *Type, t reflect.Type) error {
	inner, err := b.typeOf(t.Elem())
	if err != nil {
		return err
	}
	if inner == typ || inner.core == nil || inner.goType.Kind() == reflect.Pointer && inner.inner == nil {
		return &DefinitionError{Type: t, Problem: "is a pointer to itself"}
	}
	typ.core, typ.inner, typ.nullable = inner.core, inner, true
	typ.constraints, typ.rules = inner.constraints, inner.rules
	return nil
}

func (b *builder) fillArray(typ *Type, t reflect.Type) error {
	typ.kind = Array
	if t.Kind() == reflect.Array {
		typ.fixed = t.Len()
	}
	if elem := t.Elem(); t.Kind() == reflect.Slice && elem.Kind() == reflect.Uint8 {
		pointer := reflect.PointerTo(elem)
		if !pointer.Implements(jsonMarshalerType) && !pointer.Implements(textMarshalerType) &&
			!pointer.Implements(jsonUnmarshalerType) && !pointer.Implements(textUnmarshalerType) {
			typ.kind, typ.special, typ.text = String, octets, octetsForm
			return nil
		}
	}
	element, err := b.typeOf(t.Elem())
	typ.element = element
	return err
}

func (b *builder) fillMap(typ *Type, t reflect.Type) error {
	typ.kind = Map
	key, err := b.typeOf(t.Key())
	if err != nil {
		return err
	}
	if key.kind != String || key.nullable {
		return &DefinitionError{Type: t, Problem: "has the type " + t.String() + ", whose keys are not text",
			Fix: "use string keys, or a key type with UnmarshalText"}
	}
	typ.key = key
	typ.element, err = b.typeOf(t.Elem())
	return err
}

func (b *builder) fillStruct(typ *Type, t reflect.Type) error {
	typ.kind = Object
	typ.name = definitionName(t)
	m := &members{}
	typ.members = m
	found, err := memberFields(t)
	if err != nil {
		return err
	}
	for _, member := range found {
		sf := member.field
		f, err := b.parseField(member.owner, sf)
		if err != nil {
			return err
		}
		f.Name, f.Index, f.throughNil = member.name, member.index, member.throughNil
		f.omitEmpty, f.omitZero = member.omitEmpty, member.omitZero
		f.OmitEmpty = f.omitEmpty || f.omitZero
		m.fields = append(m.fields, f)
	}
	return nil
}

func (b *builder) fillOneOf(typ *Type, p *pendingOneOf) error {
	typ.kind, typ.name = OneOf, definitionName(typ.goType)
	typ.variants = &variants{discriminator: p.discriminator}
	for _, value := range slices.Sorted(maps.Keys(p.variants)) {
		goType := p.variants[value]
		v, err := b.typeOf(goType)
		if err != nil {
			return err
		}
		if v.kind != Object {
			return &DefinitionError{Type: goType, Problem: "is a variant of " + typeName(typ.goType) + " and not an object in JSON"}
		}
		b.after = append(b.after, func() error {
			if f := v.Field(p.discriminator); f != nil && (f.Type.kind != String || f.Type.nullable) {
				return &DefinitionError{Type: goType, Field: f.GoName, Problem: "is the discriminator and not a string", Fix: "make it a string"}
			}
			return nil
		})
		typ.variants.list = append(typ.variants.list, variant{value: value, typ: v})
	}
	return nil
}

// definitionName is the name of a type without its package, and with those of its type arguments: "PageOrder" for
// Page[shop.Order]. A type without a name has none.
func definitionName(t reflect.Type) string {
	name := t.Name()
	if !strings.Contains(name, "[") {
		return name
	}
	var b strings.Builder
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("[],* ", r) }) {
		if cut := strings.LastIndexAny(part, "./"); cut >= 0 {
			part = part[cut+1:]
		}
		part, _, _ = strings.Cut(part, "·") // the compiler's number of a type declared in a function
		b.WriteString(capital(part))
	}
	return b.String()
}

// baseGo is the Go type below all pointers.
func (t *Type) baseGo() reflect.Type {
	base := t.goType
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	return base
}
