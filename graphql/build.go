package graphql

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	gqlparser "github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// Building a schema reads the Go types once. It writes the schema as text (the same that SDL returns), has the parser check
// it, and keeps for every object type where its fields come from.

// objectType is an object type and the struct behind it.
type objectType struct {
	name       string
	typ        reflect.Type
	fields     map[string]*objectField
	order      []*objectField
	interfaces []string
}

// objectField is a field of an object: of the struct, at an offset, or a resolver's.
type objectField struct {
	name       string
	typ        reflect.Type
	offset     uintptr
	resolver   *resolver
	args       *inputType // nil without
	text       string     // its type, as in SDL
	doc        string
	deprecated *string
}

type builder struct {
	*Schema
	byType map[reflect.Type]*objectType
	texts  map[string]string       // definitions by name
	owners map[string]reflect.Type // of names
	silent bool                    // types that the parser brings itself
}

// Build checks the schema. It need not be called: Mount does, and stops the program with the error.
func (s *Schema) Build() error {
	s.once.Do(func() { s.failure = s.build() })
	return s.failure
}

// SDL returns the schema in the schema definition language.
func (s *Schema) SDL() (string, error) {
	err := s.Build()
	return s.sdl, err
}

func (s *Schema) build() error {
	if s.problem != nil {
		return s.problem
	}
	if len(s.roots[rootQuery].order) == 0 {
		return fmt.Errorf("graphql: the schema has no queries; a schema needs at least one: graphql.Query(schema, …)")
	}
	s.objects, s.inputs = map[string]*objectType{}, map[reflect.Type]*inputType{}
	b := &builder{Schema: s, byType: map[reflect.Type]*objectType{}, texts: map[string]string{}, owners: map[string]reflect.Type{}}
	for i := range s.roots {
		b.owners[rootNames[i]] = reflect.TypeFor[rootFields]()
	}
	roots := [3]*objectType{}
	for i, root := range s.roots {
		if len(root.order) == 0 {
			continue
		}
		o := &objectType{name: rootNames[i], fields: map[string]*objectField{}}
		for _, r := range root.order {
			f, err := b.resolved(r)
			if err != nil {
				return fmt.Errorf("%s: graphql: %s.%s: %w", r.source, o.name, r.name, err)
			}
			o.add(f)
		}
		roots[i], s.objects[o.name] = o, o
	}
	// Interfaces and unions may be of use although no field names them.
	for t := range s.kinds {
		if _, err := b.typeText(t); err != nil {
			return fmt.Errorf("%s: graphql: %w", s.kinds[t].source, err)
		}
	}
	if err := b.addArguments(); err != nil {
		return err
	}
	for _, o := range s.objects {
		b.texts[o.name] = b.objectText(o)
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range b.texts {
			if !slices.Contains(rootNames[:], name) && !yield(name) {
				return
			}
		}
	})
	var sdl strings.Builder
	for i, root := range roots {
		if root != nil {
			sdl.WriteString(b.texts[rootNames[i]])
		}
	}
	for _, name := range names {
		sdl.WriteString(b.texts[name])
	}
	s.sdl = strings.TrimSuffix(sdl.String(), "\n")
	loaded, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: s.sdl})
	if err != nil {
		return fmt.Errorf("graphql: the schema does not hold together: %w", err)
	}
	delete(loaded.Directives, "defer") // which the parser knows and this executor does not
	s.ast = loaded
	b.silent = true
	for _, t := range introspected {
		if _, err := b.object(t); err != nil {
			return err
		}
	}
	if err := b.addArguments(); err != nil {
		return err
	}
	return b.finishInputs()
}

func (o *objectType) add(f *objectField) {
	if known := o.fields[f.name]; known != nil {
		o.order[slices.Index(o.order, known)] = f
	} else {
		o.order = append(o.order, f)
	}
	o.fields[f.name] = f
}

func (b *builder) resolved(r *resolver) (*objectField, error) {
	text, err := b.typeText(r.result)
	if err != nil {
		return nil, err
	}
	if r.typ != "" {
		if stripped(r.typ) != stripped(text) {
			return nil, fmt.Errorf("graphql.Type(%q) is not the shape of its Go type, %s", r.typ, text)
		}
		text = r.typ
	}
	b.costly = b.costly || r.cost != nil
	b.waiting = b.waiting || r.waits()
	return &objectField{name: r.name, typ: r.result, resolver: r, text: text, doc: r.doc, deprecated: r.deprecated}, nil
}

func stripped(text string) string { return strings.NewReplacer("!", "", " ", "").Replace(text) }

// typeText is the type of an output, and describes what it is made of.
func (b *builder) typeText(t reflect.Type) (string, error) {
	if l := b.leafOf(t); l != nil {
		if l.inputOnly {
			return "", fmt.Errorf("%s stands in arguments only", t)
		}
		err := b.addLeaf(t, l) // which may rename it
		return nonNull(l), err
	}
	if b.kinds[t] != nil {
		name, err := b.abstract(t)
		return name, err // interfaces of Go may be nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		text, err := b.typeText(t.Elem())
		return strings.TrimSuffix(text, "!"), err
	case reflect.Slice:
		text, err := b.typeText(t.Elem())
		return "[" + text + "]!", err
	case reflect.Struct:
		o, err := b.object(t)
		if err != nil {
			return "", err
		}
		return o.name + "!", nil
	case reflect.Interface:
		return "", fmt.Errorf("%s is an interface; say what may be in it with graphql.Union or graphql.Interface", t)
	}
	return "", fmt.Errorf("%s has no counterpart in GraphQL; make it a scalar with graphql.Scalar", t)
}

// nonNull is the type of a leaf that stands by itself.
func nonNull(l *leaf) string {
	if l.nullable {
		return l.name
	}
	return l.name + "!"
}

// claim has a name stand for one Go type.
func (b *builder) claim(name string, t reflect.Type) error {
	if !validName(name) {
		return fmt.Errorf("%s has no name that GraphQL takes; name it with graphql.Describe, or give it a type declaration", t)
	}
	if owner := b.owners[name]; owner != nil && owner != t {
		return fmt.Errorf("both %s and %s are named %s; rename one with graphql.Describe", owner, t, name)
	}
	b.owners[name] = t
	return nil
}

func (b *builder) nameOf(t reflect.Type) string {
	if info := b.infos[t]; info.Name != "" {
		return info.Name
	}
	return goName(t)
}

// goName is the name of a Go type without package; of a generic one with those of its arguments before it.
func goName(t reflect.Type) string {
	name, arguments, generic := strings.Cut(t.Name(), "[")
	if !generic {
		return name
	}
	var out strings.Builder
	for argument := range strings.SplitSeq(strings.TrimSuffix(arguments, "]"), ",") {
		argument = argument[strings.LastIndexAny(argument, "./*]")+1:]
		out.WriteString(strings.ToUpper(argument[:min(1, len(argument))]) + argument[min(1, len(argument)):])
	}
	return out.String() + name
}

func (b *builder) addLeaf(t reflect.Type, l *leaf) error {
	if slices.Contains([]string{"Int", "Float", "String", "Boolean", "ID"}, l.name) || b.silent {
		return nil
	}
	owner := t
	if l.kind == leafScalar && (l.name == "Int64" || l.name == "JSON") {
		owner = reflect.TypeFor[leaf]() // many Go types share these
	} else if info := b.infos[t]; info.Name != "" {
		l.name = info.Name
	}
	if err := b.claim(l.name, owner); err != nil {
		return err
	}
	doc := l.doc
	if info := b.infos[t]; info.Doc != "" {
		doc = info.Doc
	}
	var text strings.Builder
	description(&text, "", doc)
	if l.kind == leafScalar {
		text.WriteString("scalar " + l.name)
		if l.url != "" {
			text.WriteString(" @specifiedBy(url: " + quoted(l.url) + ")")
		}
		text.WriteString("\n\n")
	} else {
		text.WriteString("enum " + l.name + " {\n")
		for _, v := range l.values {
			description(&text, "  ", v.doc)
			text.WriteString("  " + v.name)
			if v.deprecated != "" {
				text.WriteString(" @deprecated(reason: " + quoted(v.deprecated) + ")")
			}
			text.WriteByte('\n')
		}
		text.WriteString("}\n\n")
	}
	b.texts[l.name] = text.String()
	return nil
}

func (b *builder) abstract(t reflect.Type) (string, error) {
	a, name := b.kinds[t], b.nameOf(t)
	if b.texts[name] != "" && b.owners[name] == t {
		return name, nil
	}
	if err := b.claim(name, t); err != nil {
		return "", err
	}
	b.texts[name] = "…" // it may be reached again while its members are described
	var members []*objectType
	for _, m := range a.members {
		o, err := b.object(m)
		if err != nil {
			return "", err
		}
		members = append(members, o)
	}
	var text strings.Builder
	description(&text, "", b.infos[t].Doc)
	if a.union {
		text.WriteString("union " + name + " =")
		for i, o := range members {
			if i > 0 {
				text.WriteString(" |")
			}
			text.WriteString(" " + o.name)
		}
		text.WriteString("\n\n")
		b.texts[name] = text.String()
		return name, nil
	}
	text.WriteString("interface " + name + " {\n")
	for _, field := range a.fields {
		f := members[0].fields[field]
		if f == nil {
			return "", fmt.Errorf("interface %s: %s has no field %s", name, members[0].name, field)
		}
		if f.args == nil && f.resolver != nil {
			args, err := b.input(f.resolver.args, false)
			if err != nil {
				return "", err
			}
			f.args = args
		}
		b.fieldText(&text, f)
	}
	text.WriteString("}\n\n")
	b.texts[name] = text.String()
	for _, o := range members {
		if !slices.Contains(o.interfaces, name) {
			o.interfaces = append(o.interfaces, name)
			slices.Sort(o.interfaces)
		}
	}
	return name, nil
}

func (b *builder) object(t reflect.Type) (*objectType, error) {
	if o := b.byType[t]; o != nil {
		return o, nil
	}
	o := &objectType{name: b.nameOf(t), typ: t, fields: map[string]*objectField{}}
	if b.silent {
		o.name = b.infos[t].Name
	} else if err := b.claim(o.name, t); err != nil {
		return nil, err
	}
	b.byType[t], b.objects[o.name] = o, o
	own := b.fields[t]
	for _, sf := range reflect.VisibleFields(t) {
		name, ok := fieldName(sf)
		if !ok || own[name] != nil {
			continue
		}
		offset, ok := offsetOf(t, sf.Index)
		if !ok {
			continue // through an embedded pointer, which may be nil
		}
		text, err := b.typeText(sf.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s.%s: %w; or leave it out with the tag graphql:\"-\"", t, sf.Name, err)
		}
		if given := sf.Tag.Get("graphql"); given != "" {
			if stripped(given) != stripped(text) {
				return nil, fmt.Errorf("field %s.%s: the tag graphql:%q is not the shape of its Go type, %s", t, sf.Name, given, text)
			}
			text = given
		}
		o.add(&objectField{name: name, typ: sf.Type, offset: offset, text: text, doc: sf.Tag.Get("doc"), deprecated: deprecation(sf)})
	}
	resolvers := make([]*resolver, 0, len(own))
	for _, r := range own {
		resolvers = append(resolvers, r)
	}
	slices.SortFunc(resolvers, func(x, y *resolver) int { return cmp.Compare(x.name, y.name) })
	for _, r := range resolvers {
		f, err := b.resolved(r)
		if err != nil {
			return nil, fmt.Errorf("%s: graphql: %s.%s: %w", r.source, o.name, r.name, err)
		}
		o.add(f)
	}
	if len(o.order) == 0 {
		return nil, fmt.Errorf("%s has no fields", t)
	}
	return o, nil
}

// fieldName is the name of a struct's field in GraphQL; false leaves it out.
func fieldName(sf reflect.StructField) (string, bool) {
	if !sf.IsExported() || sf.Anonymous && sf.Type.Kind() == reflect.Struct || sf.Tag.Get("graphql") == "-" {
		return "", false
	}
	name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
	switch name {
	case "-":
		return "", false
	case "":
		return smallBeginning(sf.Name), true
	}
	return name, validName(name)
}

// smallBeginning makes id of ID, httpPort of HTTPPort and minAge of MinAge.
func smallBeginning(name string) string {
	runes := []rune(name)
	for i := range runes {
		if !unicode.IsUpper(runes[i]) || i > 0 && i+1 < len(runes) && !unicode.IsUpper(runes[i+1]) && !unicode.IsDigit(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(runes[i])
	}
	return string(runes)
}

func offsetOf(t reflect.Type, index []int) (offset uintptr, ok bool) {
	for _, i := range index {
		if t.Kind() != reflect.Struct {
			return 0, false
		}
		offset += t.Field(i).Offset
		t = t.Field(i).Type
	}
	return offset, true
}

func deprecation(sf reflect.StructField) *string {
	switch text := sf.Tag.Get("deprecated"); text {
	case "", "false":
		return nil
	case "true":
		reason := "No longer supported"
		return &reason
	default:
		return &text
	}
}

// addArguments describes the arguments of all fields, once every output type has its name.
func (b *builder) addArguments() error {
	for _, o := range b.objects {
		for _, f := range o.order {
			if f.resolver == nil || f.args != nil {
				continue
			}
			args, err := b.input(f.resolver.args, false)
			if err != nil {
				return fmt.Errorf("%s: graphql: %s.%s: %w", f.resolver.source, o.name, f.name, err)
			}
			f.args = args
			if f.resolver.cost == nil {
				continue
			}
			for _, name := range f.resolver.cost.args {
				if !slices.ContainsFunc(args.fields, func(a *inputField) bool { return a.name == name }) {
					return fmt.Errorf("%s: graphql: %s.%s: Cost names an argument %q, which it does not have", f.resolver.source, o.name, f.name, name)
				}
			}
		}
	}
	return nil
}

func (b *builder) objectText(o *objectType) string {
	var text strings.Builder
	description(&text, "", b.infos[o.typ].Doc)
	text.WriteString("type " + o.name)
	if len(o.interfaces) > 0 {
		text.WriteString(" implements " + strings.Join(o.interfaces, " & "))
	}
	text.WriteString(" {\n")
	for _, f := range o.order {
		b.fieldText(&text, f)
	}
	text.WriteString("}\n\n")
	return text.String()
}

func (b *builder) fieldText(text *strings.Builder, f *objectField) {
	description(text, "  ", f.doc)
	text.WriteString("  " + f.name)
	if f.args != nil && len(f.args.fields) > 0 {
		text.WriteByte('(')
		for i, a := range f.args.fields {
			if i > 0 {
				text.WriteString(", ")
			}
			if a.doc != "" {
				text.WriteString(quoted(a.doc) + " ")
			}
			text.WriteString(a.declaration())
		}
		text.WriteByte(')')
	}
	text.WriteString(": " + f.text)
	if f.deprecated != nil {
		text.WriteString(" @deprecated(reason: " + quoted(*f.deprecated) + ")")
	}
	text.WriteByte('\n')
}

func description(text *strings.Builder, indent, doc string) {
	if doc != "" {
		text.WriteString(indent + quoted(doc) + "\n")
	}
}

// quoted is a string of GraphQL, whose escapes are those of JSON.
func quoted(text string) string { return string(appendString(nil, text)) }

// literal writes JSON as a value of GraphQL.
func literal(v any, l *leaf) string {
	switch v := v.(type) {
	case string:
		if l != nil && l.kind == leafEnum {
			return v
		}
		return quoted(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = literal(v[i], l)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for name, value := range v {
			parts = append(parts, name+": "+literal(value, nil))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return "null"
}
