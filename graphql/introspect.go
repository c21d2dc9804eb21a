package graphql

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Introspection is a schema about the schema, and is served as any other: these are its Go types and resolvers.

type metaSchema struct{ s *Schema }

type metaType struct {
	s   *Schema
	def *ast.Definition // of a named type
	typ *ast.Type       // of a list, or of what is not null
}

type metaField struct {
	s    *Schema
	def  *ast.FieldDefinition
	args ast.ArgumentDefinitionList
}

type metaInput struct {
	s           *Schema
	name        string
	description string
	typ         *ast.Type
	def         *ast.Value
	directives  ast.DirectiveList
}

type metaEnumValue struct{ def *ast.EnumValueDefinition }

type metaDirective struct {
	s   *Schema
	def *ast.DirectiveDefinition
}

// metaEntry has the fields that Query gets beside the program's.
type metaEntry struct{}

const metaHolder = "__Entry"

var metaFields = map[string]string{"__schema": "schema", "__type": "type"}

var introspected = []reflect.Type{
	reflect.TypeFor[metaEntry](), reflect.TypeFor[metaSchema](), reflect.TypeFor[metaType](), reflect.TypeFor[metaField](),
	reflect.TypeFor[metaInput](), reflect.TypeFor[metaEnumValue](), reflect.TypeFor[metaDirective](),
}

type none = struct{}

type withDeprecated struct {
	IncludeDeprecated *bool `default:"false"`
}

func (w withDeprecated) all() bool { return w.IncludeDeprecated != nil && *w.IncludeDeprecated }

// about adds a field that cannot fail.
func about[P, A, R any](s *Schema, name string, get func(*P, A) R) {
	Field(s, name, func(_ context.Context, p *P, args A) (R, error) { return get(p, args), nil })
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func reasonOf(list ast.DirectiveList) *string {
	d := list.ForName("deprecated")
	if d == nil {
		return nil
	}
	reason := "No longer supported"
	if arg := d.Arguments.ForName("reason"); arg != nil {
		reason = arg.Value.Raw
	}
	return &reason
}

func (s *Schema) addIntrospection() {
	for name, t := range map[string]reflect.Type{
		metaHolder: introspected[0], "__Schema": introspected[1], "__Type": introspected[2], "__Field": introspected[3],
		"__InputValue": introspected[4], "__EnumValue": introspected[5], "__Directive": introspected[6],
	} {
		s.infos[t] = TypeInfo{Name: name}
	}
	entries := func(name string, r *resolver) {
		r.name, r.parent = name, introspected[0]
		if s.fields[r.parent] == nil {
			s.fields[r.parent] = map[string]*resolver{}
		}
		s.fields[r.parent][name] = r
	}
	ofSchema := plain(func(context.Context, none) (*metaSchema, error) { return &metaSchema{s}, nil })
	ofSchema.args, ofSchema.result = reflect.TypeFor[none](), reflect.TypeFor[*metaSchema]()
	entries("schema", ofSchema)
	type named struct{ Name string }
	ofType := plain(func(_ context.Context, in named) (*metaType, error) { return s.named(in.Name), nil })
	ofType.args, ofType.result = reflect.TypeFor[named](), reflect.TypeFor[*metaType]()
	entries("type", ofType)
	s.aboutSchema()
	s.aboutTypes()
	s.aboutMembers()
}

func (s *Schema) aboutSchema() {
	about(s, "description", func(m *metaSchema, _ none) *string { return orNil(m.s.ast.Description) })
	about(s, "types", func(m *metaSchema, _ none) []*metaType {
		names := make([]string, 0, len(m.s.ast.Types))
		for name := range m.s.ast.Types {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int {
			if x, y := strings.HasPrefix(a, "__"), strings.HasPrefix(b, "__"); x != y {
				if x {
					return 1
				}
				return -1
			}
			return strings.Compare(a, b)
		})
		list := make([]*metaType, len(names))
		for i, name := range names {
			list[i] = m.s.named(name)
		}
		return list
	})
	for name, get := range map[string]func(*ast.Schema) *ast.Definition{
		"queryType":        func(a *ast.Schema) *ast.Definition { return a.Query },
		"mutationType":     func(a *ast.Schema) *ast.Definition { return a.Mutation },
		"subscriptionType": func(a *ast.Schema) *ast.Definition { return a.Subscription },
	} {
		about(s, name, func(m *metaSchema, _ none) *metaType {
			if def := get(m.s.ast); def != nil {
				return &metaType{s: m.s, def: def}
			}
			return nil
		})
	}
	about(s, "directives", func(m *metaSchema, _ none) []*metaDirective {
		var list []*metaDirective
		for _, d := range m.s.ast.Directives {
			list = append(list, &metaDirective{m.s, d})
		}
		slices.SortFunc(list, func(a, b *metaDirective) int { return strings.Compare(a.def.Name, b.def.Name) })
		return list
	})
}

func (s *Schema) named(name string) *metaType {
	if def := s.ast.Types[name]; def != nil {
		return &metaType{s: s, def: def}
	}
	return nil
}

func (s *Schema) typed(t *ast.Type) *metaType {
	if t.NonNull || t.Elem != nil {
		return &metaType{s: s, typ: t}
	}
	return s.named(t.NamedType)
}

func (t *metaType) is(kinds ...ast.DefinitionKind) bool {
	return t.def != nil && slices.Contains(kinds, t.def.Kind)
}

// aboutTypes adds the fields of __Type.
func (s *Schema) aboutTypes() {
	about(s, "kind", func(t *metaType, _ none) string {
		switch {
		case t.def != nil:
			return string(t.def.Kind)
		case t.typ.NonNull:
			return "NON_NULL"
		}
		return "LIST"
	})
	text := func(name string, get func(*ast.Definition) string) {
		about(s, name, func(t *metaType, _ none) *string {
			if t.def == nil {
				return nil
			}
			return orNil(get(t.def))
		})
	}
	text("name", func(d *ast.Definition) string { return d.Name })
	text("description", func(d *ast.Definition) string { return d.Description })
	text("specifiedByURL", func(d *ast.Definition) string {
		if by := d.Directives.ForName("specifiedBy"); by != nil {
			if url := by.Arguments.ForName("url"); url != nil {
				return url.Value.Raw
			}
		}
		return ""
	})
	about(s, "ofType", func(t *metaType, _ none) *metaType {
		switch {
		case t.typ == nil:
			return nil
		case t.typ.NonNull:
			inner := *t.typ
			inner.NonNull = false
			return t.s.typed(&inner)
		}
		return t.s.typed(t.typ.Elem)
	})
	about(s, "isOneOf", func(t *metaType, _ none) *bool {
		if !t.is(ast.InputObject) {
			return nil
		}
		is := t.def.Directives.ForName("oneOf") != nil
		return &is
	})
	s.aboutContents()
}

// aboutContents adds the fields of __Type that are lists of what the type is made of.
func (s *Schema) aboutContents() {
	Field(s, "fields", func(_ context.Context, t *metaType, in withDeprecated) ([]*metaField, error) {
		if !t.is(ast.Object, ast.Interface) {
			return nil, nil
		}
		list := []*metaField{}
		for _, f := range t.def.Fields {
			if !strings.HasPrefix(f.Name, "__") && (in.all() || reasonOf(f.Directives) == nil) {
				list = append(list, &metaField{t.s, f, f.Arguments})
			}
		}
		return list, nil
	}, Type("[__Field!]"))
	Field(s, "interfaces", func(_ context.Context, t *metaType, _ none) ([]*metaType, error) {
		if !t.is(ast.Object, ast.Interface) {
			return nil, nil
		}
		list := []*metaType{}
		for _, name := range t.def.Interfaces {
			list = append(list, t.s.named(name))
		}
		return list, nil
	}, Type("[__Type!]"))
	Field(s, "possibleTypes", func(_ context.Context, t *metaType, _ none) ([]*metaType, error) {
		if !t.is(ast.Interface, ast.Union) {
			return nil, nil
		}
		list := []*metaType{}
		for _, def := range t.s.ast.PossibleTypes[t.def.Name] {
			list = append(list, &metaType{s: t.s, def: def})
		}
		return list, nil
	}, Type("[__Type!]"))
	Field(s, "enumValues", func(_ context.Context, t *metaType, in withDeprecated) ([]*metaEnumValue, error) {
		if !t.is(ast.Enum) {
			return nil, nil
		}
		list := []*metaEnumValue{}
		for _, v := range t.def.EnumValues {
			if in.all() || reasonOf(v.Directives) == nil {
				list = append(list, &metaEnumValue{v})
			}
		}
		return list, nil
	}, Type("[__EnumValue!]"))
	Field(s, "inputFields", func(_ context.Context, t *metaType, in withDeprecated) ([]*metaInput, error) {
		if !t.is(ast.InputObject) {
			return nil, nil
		}
		list := []*metaInput{}
		for _, f := range t.def.Fields {
			if in.all() || reasonOf(f.Directives) == nil {
				list = append(list, &metaInput{t.s, f.Name, f.Description, f.Type, f.DefaultValue, f.Directives})
			}
		}
		return list, nil
	}, Type("[__InputValue!]"))
}

func (s *Schema) aboutMembers() {
	about(s, "name", func(f *metaField, _ none) string { return f.def.Name })
	about(s, "description", func(f *metaField, _ none) *string { return orNil(f.def.Description) })
	about(s, "args", func(f *metaField, in withDeprecated) []*metaInput { return f.s.inputsOf(f.args, in.all()) })
	about(s, "type", func(f *metaField, _ none) *metaType { return f.s.typed(f.def.Type) })
	about(s, "isDeprecated", func(f *metaField, _ none) bool { return reasonOf(f.def.Directives) != nil })
	about(s, "deprecationReason", func(f *metaField, _ none) *string { return reasonOf(f.def.Directives) })

	about(s, "name", func(v *metaInput, _ none) string { return v.name })
	about(s, "description", func(v *metaInput, _ none) *string { return orNil(v.description) })
	about(s, "type", func(v *metaInput, _ none) *metaType { return v.s.typed(v.typ) })
	about(s, "defaultValue", func(v *metaInput, _ none) *string {
		if v.def == nil {
			return nil
		}
		text := v.def.String()
		return &text
	})
	about(s, "isDeprecated", func(v *metaInput, _ none) bool { return reasonOf(v.directives) != nil })
	about(s, "deprecationReason", func(v *metaInput, _ none) *string { return reasonOf(v.directives) })

	about(s, "name", func(v *metaEnumValue, _ none) string { return v.def.Name })
	about(s, "description", func(v *metaEnumValue, _ none) *string { return orNil(v.def.Description) })
	about(s, "isDeprecated", func(v *metaEnumValue, _ none) bool { return reasonOf(v.def.Directives) != nil })
	about(s, "deprecationReason", func(v *metaEnumValue, _ none) *string { return reasonOf(v.def.Directives) })

	about(s, "name", func(d *metaDirective, _ none) string { return d.def.Name })
	about(s, "description", func(d *metaDirective, _ none) *string { return orNil(d.def.Description) })
	about(s, "isRepeatable", func(d *metaDirective, _ none) bool { return d.def.IsRepeatable })
	about(s, "locations", func(d *metaDirective, _ none) []string {
		list := make([]string, len(d.def.Locations))
		for i, l := range d.def.Locations {
			list[i] = string(l)
		}
		return list
	})
	about(s, "args", func(d *metaDirective, in withDeprecated) []*metaInput { return d.s.inputsOf(d.def.Arguments, in.all()) })
}

func (s *Schema) inputsOf(list ast.ArgumentDefinitionList, all bool) []*metaInput {
	out := []*metaInput{}
	for _, a := range list {
		if all || reasonOf(a.Directives) == nil {
			out = append(out, &metaInput{s, a.Name, a.Description, a.Type, a.DefaultValue, a.Directives})
		}
	}
	return out
}
