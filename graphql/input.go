package graphql

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ishaa-framework/ishaa/schema"
)

// inputType is a struct that arguments are bound to: those of a field, or an input object within.
type inputType struct {
	name   string // "" for arguments
	typ    reflect.Type
	oneOf  bool
	fields []*inputField
	shares bool // a copy of a value shares memory with it
}

// inputField is one argument, or one field of an input object.
type inputField struct {
	name       string
	index      []int
	typ        reflect.Type // without Optional
	optional   bool         // the Go type is an Optional
	text       string       // its type, as in SDL
	doc        string
	deprecated *string
	def        string       // the default, as in SDL
	fallback   any          // the same, coerced
	check      *schema.Type // the constraints; nil without
	minItems   int          // of lists whose elements are checked by themselves
	maxItems   int
	node       *inputNode
}

// inputNode says how a coerced value becomes one of a Go type.
type inputNode struct {
	typ    reflect.Type
	leaf   *leaf
	object *inputType
	elem   *inputNode // of pointers and lists
}

func (f *inputField) declaration() string {
	text := f.name + ": " + f.text
	if f.def != "" {
		text += " = " + f.def
	}
	if f.deprecated != nil {
		text += " @deprecated(reason: " + quoted(*f.deprecated) + ")"
	}
	return text
}

// constraintTags are the tags of package schema that hold a value to something.
var constraintTags = []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
	"pattern", "format", "enum", "minItems", "maxItems", "uniqueItems"}

func (b *builder) input(t reflect.Type, named bool) (*inputType, error) {
	if in := b.inputs[t]; in != nil {
		return in, nil
	}
	in := &inputType{typ: t, oneOf: b.oneOfs[t]}
	if named {
		in.name = b.nameOf(t)
		if owner := b.owners[in.name]; owner == t && b.infos[t].Name == "" || owner != nil && owner != t && !strings.HasSuffix(in.name, "Input") {
			in.name += "Input" // the struct is an output too
		}
		if err := b.claim(in.name, reflect.PointerTo(t)); err != nil {
			return nil, err
		}
	}
	b.inputs[t] = in
	for _, sf := range reflect.VisibleFields(t) {
		name, ok := fieldName(sf)
		if !ok {
			continue
		}
		if _, ok := offsetOf(t, sf.Index); !ok {
			continue
		}
		f, err := b.inputField(t, sf, name)
		if err != nil {
			return nil, fmt.Errorf("argument %s.%s: %w", t, sf.Name, err)
		}
		if in.oneOf && f.typ.Kind() != reflect.Pointer {
			return nil, fmt.Errorf("argument %s.%s: the fields of a @oneOf input are pointers", t, sf.Name)
		}
		in.fields = append(in.fields, f)
		in.shares = in.shares || shares(f.typ)
	}
	if !named {
		return in, nil
	}
	if len(in.fields) == 0 {
		return nil, fmt.Errorf("input %s has no fields", t)
	}
	var text strings.Builder
	description(&text, "", b.infos[t].Doc)
	text.WriteString("input " + in.name)
	if in.oneOf {
		text.WriteString(" @oneOf")
	}
	text.WriteString(" {\n")
	for _, f := range in.fields {
		description(&text, "  ", f.doc)
		text.WriteString("  " + f.declaration() + "\n")
	}
	text.WriteString("}\n\n")
	b.texts[in.name] = text.String()
	return in, nil
}

func (b *builder) inputField(owner reflect.Type, sf reflect.StructField, name string) (*inputField, error) {
	f := &inputField{name: name, index: sf.Index, typ: sf.Type, doc: sf.Tag.Get("doc"), deprecated: deprecation(sf), maxItems: -1}
	if f.optional = sf.Type.Implements(optionalType); f.optional {
		f.typ = sf.Type.Field(0).Type
	}
	node, text, err := b.inputNode(f.typ)
	if err != nil {
		return nil, err
	}
	if f.optional {
		text = strings.TrimSuffix(text, "!")
	}
	if sf.Tag.Get("required") == "true" && !strings.HasSuffix(text, "!") {
		text += "!"
	}
	f.node, f.text = node, text
	return f, b.constrain(owner, sf, f)
}

// constrain reads the tags of package schema.
func (b *builder) constrain(owner reflect.Type, sf reflect.StructField, f *inputField) error {
	given, hasDefault := sf.Tag.Lookup("default")
	constrained := false
	for _, tag := range constraintTags {
		_, ok := sf.Tag.Lookup(tag)
		constrained = constrained || ok
	}
	if !hasDefault && !constrained {
		return nil
	}
	base := f.node
	for base.elem != nil {
		base = base.elem
	}
	if base.object != nil || !isBasic(base) {
		if hasDefault {
			var v any
			if json.Unmarshal([]byte(given), &v) != nil {
				v = given
			}
			f.def = literal(v, base.leaf)
		}
		if !constrained {
			return nil
		}
		sf.Type, sf.Tag = reflect.TypeFor[[]string](), withoutDefault(sf.Tag)
		described, err := b.schemas.Field(owner, sf)
		if err != nil {
			return err
		}
		c := described.Type.Constraints()
		f.minItems = c.MinItems
		if c.MaxItems > 0 {
			f.maxItems = c.MaxItems
		}
		return nil
	}
	sf.Type = f.typ
	described, err := b.schemas.Field(owner, sf)
	if err != nil {
		return err
	}
	if constrained {
		f.check = described.Type
	}
	if described.Default != nil {
		decoder := json.NewDecoder(bytes.NewReader(described.Default))
		decoder.UseNumber()
		var v any
		if err := decoder.Decode(&v); err != nil {
			return err
		}
		f.def = literal(v, nil)
	}
	return nil
}

// withoutDefault leaves the constraints of a tag.
func withoutDefault(tag reflect.StructTag) reflect.StructTag {
	var kept []string
	for _, name := range constraintTags {
		if text, ok := tag.Lookup(name); ok {
			kept = append(kept, name+":"+strconv.Quote(text))
		}
	}
	return reflect.StructTag(strings.Join(kept, " "))
}

// isBasic reports whether package schema knows the Go type as this package does.
func isBasic(n *inputNode) bool {
	switch n.leaf.name {
	case "Int", "Int64", "Float", "String", "Boolean", "ID", "DateTime", "Duration":
		return true
	}
	return false
}

func (b *builder) inputNode(t reflect.Type) (*inputNode, string, error) {
	n := &inputNode{typ: t}
	if l := b.leafOf(t); l != nil {
		n.leaf = l
		b.uploads = b.uploads || l.inputOnly
		err := b.addLeaf(t, l)
		return n, nonNull(l), err
	}
	var text string
	var err error
	switch t.Kind() {
	case reflect.Pointer:
		n.elem, text, err = b.inputNode(t.Elem())
		return n, strings.TrimSuffix(text, "!"), err
	case reflect.Slice:
		n.elem, text, err = b.inputNode(t.Elem())
		return n, "[" + text + "]!", err
	case reflect.Struct:
		if n.object, err = b.input(t, true); err != nil {
			return nil, "", err
		}
		return n, n.object.name + "!", nil
	}
	return nil, "", fmt.Errorf("%s has no counterpart in GraphQL; make it a scalar with graphql.Scalar", t)
}

// shares reports whether a copy of a value of the type has memory in common with it.
func shares(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	case reflect.Struct:
		for i := range t.NumField() {
			if shares(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}

// finishInputs coerces the defaults, now that every type is known.
func (b *builder) finishInputs() error {
	for _, in := range b.inputs {
		for _, f := range in.fields {
			if f.def == "" {
				continue
			}
			def := b.defaultOf(in, f.name)
			if def == nil {
				return fmt.Errorf("graphql: argument %s.%s: its default is lost", in.typ, f.name)
			}
			value, ok := b.literal(def.typ, def.value, nil)
			if !ok {
				return fmt.Errorf("graphql: argument %s.%s: its default %s is no %s", in.typ, f.name, f.def, f.text)
			}
			var wrong []schema.Violation
			f.set(reflect.New(in.typ).Elem().FieldByIndex(f.index), value, "", &wrong)
			if len(wrong) > 0 {
				return fmt.Errorf("graphql: argument %s.%s: its default %s %s", in.typ, f.name, f.def, wrong[0].Message)
			}
			f.fallback = value
		}
	}
	return nil
}

type givenDefault struct {
	typ   *ast.Type
	value *ast.Value
}

// defaultOf finds what the parser read of a default.
func (b *builder) defaultOf(in *inputType, name string) *givenDefault {
	if in.name != "" {
		if f := b.ast.Types[in.name].Fields.ForName(name); f != nil {
			return &givenDefault{f.Type, f.DefaultValue}
		}
		return nil
	}
	for _, o := range b.objects {
		for _, f := range o.order {
			if f.args != in || b.ast.Types[o.name] == nil {
				continue
			}
			if def := b.ast.Types[o.name].Fields.ForName(f.name); def != nil {
				if a := def.Arguments.ForName(name); a != nil {
					return &givenDefault{a.Type, a.DefaultValue}
				}
			}
		}
	}
	return nil
}
