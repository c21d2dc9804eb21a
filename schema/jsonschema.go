package schema

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// JSON Schema 2020-12.
//
// A type has two faces. As input it is what Decode accepts. As output it is what encoding/json writes of it: a member is
// always there unless omitempty or omitzero lets it go, and a nil slice or map is null. Structs and sum types that have a
// name become definitions and are referred to; everything else is written out where it stands.

// Definitions gathers the named schemas that documents refer to. One Definitions serves a whole document, such as an
// OpenAPI description; it is used by one goroutine at a time.
//
// A definition has its type's Go name; the second type of that name gets its package in front ("BillingAddress"). The
// first face of a type that is asked for has the plain name; the other, if it differs, "Input" or "Output" behind it.
type Definitions struct {
	// Prefix is what a reference has before the name; "" means "#/$defs/". OpenAPI's is "#/components/schemas/".
	Prefix string
	// Closed adds additionalProperties: false to every object that is input, as DecodeOptions.DisallowUnknown has it.
	Closed bool

	names map[definitionKey]string
	taken map[string]int // name to place in docs
	docs  Document
}

type definitionKey struct {
	core    *core
	output  bool
	variant string // of a sum type, whose core it then is
}

// All returns the definitions in the order in which they were first needed.
func (d *Definitions) All() Document { return d.docs }

// JSONSchema is the schema of the type as input. Named structs within are added to defs, and so is t itself if it is
// one: the result is then a $ref.
func (t *Type) JSONSchema(defs *Definitions) Document { return defs.schema(t, false) }

// OutputSchema is the schema of what encoding/json writes of the type.
func (t *Type) OutputSchema(defs *Definitions) Document { return defs.schema(t, true) }

// Standalone is JSONSchema as a document of its own, with $schema and $defs.
func (t *Type) Standalone() Document {
	var defs Definitions
	root := t.JSONSchema(&defs)
	doc := append(Document{{"$schema", "https://json-schema.org/draft/2020-12/schema"}}, root...)
	if len(defs.docs) > 0 {
		doc = append(doc, Member{"$defs", defs.docs})
	}
	return doc
}

func (d *Definitions) schema(t *Type, output bool) Document {
	if t.inner != nil {
		return nullable(d.schema(t.inner, output))
	}
	doc := d.bare(t, output)
	if output && mayBeNil(t) {
		return nullable(doc)
	}
	return doc
}

// mayBeNil reports whether encoding/json can write null for a value that is not a pointer.
func mayBeNil(t *Type) bool {
	return t.kind == Array && t.fixed < 0 || t.kind == Map || t.kind == OneOf || t.special == octets
}

// nullable allows null besides.
func nullable(doc Document) Document {
	if len(doc) == 0 {
		return doc
	}
	kind, single := doc.Get("type").(string)
	switch {
	case single:
		doc.Set("type", []string{kind, "null"})
		if values, ok := doc.Get("enum").([]json.RawMessage); ok {
			doc.Set("enum", append(values[:len(values):len(values)], json.RawMessage("null")))
		}
		return doc
	case doc.Get("type") != nil:
		return doc
	}
	return Document{{"anyOf", []Document{doc, {{"type", "null"}}}}}
}

func (d *Definitions) bare(t *Type, output bool) Document {
	var doc Document
	switch t.kind {
	case Any:
		return Document{}
	case Object:
		if t.name != "" {
			doc = d.refer(t, output)
		} else {
			doc = d.object(t, output)
		}
	case OneOf:
		if t.name != "" {
			return d.refer(t, output)
		}
		return d.oneOf(t, output)
	case Array:
		doc = Document{{"type", "array"}, {"items", d.schema(t.element, output)}}
		if t.fixed >= 0 {
			doc = append(doc, Member{"minItems", t.fixed}, Member{"maxItems", t.fixed})
		}
	case Map:
		doc = Document{{"type", "object"}}
		if names := d.bare(t.key, output); len(names) > 1 {
			doc = append(doc, Member{"propertyNames", names})
		}
		doc = append(doc, Member{"additionalProperties", d.schema(t.element, output)})
	default:
		if output && t.special == duration {
			return Document{{"type", "integer"}, {"format", "int64"}, {"description", "nanoseconds"}}
		}
		doc = t.scalarSchema()
	}
	return t.appendConstraints(doc)
}

func (t *Type) scalarSchema() Document {
	doc := Document{{"type", t.kind.String()}}
	if format := t.Format(); format != "" {
		doc = append(doc, Member{"format", format})
	}
	if t.special == octets {
		doc = append(doc, Member{"contentEncoding", "base64"})
	}
	if t.kind == Integer && t.text == nil {
		least, most := integerRange(t.goType.Kind())
		c := t.Constraints()
		if c.Minimum == "" && c.ExclusiveMinimum == "" && least != "" {
			doc = append(doc, Member{"minimum", json.Number(least)})
		}
		if c.Maximum == "" && c.ExclusiveMaximum == "" && most != "" {
			doc = append(doc, Member{"maximum", json.Number(most)})
		}
	}
	return doc
}

// integerRange is the range of a Go integer as a document states it. That of 64 bits is left to the format: few who read
// the numbers could represent them.
func integerRange(kind reflect.Kind) (least, most string) {
	n := intBits(kind)
	if isSigned(kind) {
		if n == 64 {
			return "", ""
		}
		return strconv.FormatInt(-1<<(n-1), 10), strconv.FormatInt(1<<(n-1)-1, 10)
	}
	if n == 64 {
		return "0", ""
	}
	return "0", strconv.FormatUint(math.MaxUint64>>(64-n), 10)
}

func (t *Type) appendConstraints(doc Document) Document {
	c := t.Constraints()
	for _, m := range []struct {
		name, value string
	}{{"minimum", c.Minimum}, {"maximum", c.Maximum}, {"exclusiveMinimum", c.ExclusiveMinimum},
		{"exclusiveMaximum", c.ExclusiveMaximum}, {"multipleOf", c.MultipleOf}} {
		if m.value != "" {
			doc.Set(m.name, json.Number(m.value))
		}
	}
	for _, m := range []struct {
		name  string
		value int
	}{{"minLength", c.MinLength}, {"maxLength", c.MaxLength}, {"minItems", c.MinItems}, {"maxItems", c.MaxItems},
		{"minProperties", c.MinProperties}, {"maxProperties", c.MaxProperties}} {
		if m.value != 0 {
			doc.Set(m.name, m.value)
		}
	}
	if c.UniqueItems {
		doc.Set("uniqueItems", true)
	}
	doc = t.appendPatterns(doc, c.Pattern)
	if len(c.Enum) > 0 {
		doc.Set("enum", c.Enum)
	}
	return doc
}

// appendPatterns writes the pattern of the tag, of the type and of the format decimal, which other validators do not know.
func (t *Type) appendPatterns(doc Document, pattern string) Document {
	var patterns []string
	if pattern != "" {
		patterns = append(patterns, pattern)
	}
	if t.pattern != "" {
		patterns = append(patterns, t.pattern)
	}
	if t.kind == String && t.Format() == "decimal" {
		patterns = append(patterns, `^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
	}
	if len(patterns) > 0 {
		doc.Set("pattern", patterns[0])
	}
	if len(patterns) > 1 {
		var all []Document
		for _, p := range patterns[1:] {
			all = append(all, Document{{"pattern", p}})
		}
		doc.Set("allOf", all)
	}
	return doc
}

func (d *Definitions) object(t *Type, output bool) Document {
	doc := Document{{"type", "object"}}
	var properties Document
	required := []string{}
	for _, f := range t.members.fields {
		properties = append(properties, Member{f.Name, d.property(f, output)})
		if f.Required && !output || output && !f.OmitEmpty && !f.throughNil {
			required = append(required, f.Name)
		}
	}
	if len(properties) > 0 {
		doc = append(doc, Member{"properties", properties})
	}
	if len(required) > 0 {
		doc = append(doc, Member{"required", required})
	}
	if d.Closed && !output {
		doc = append(doc, Member{"additionalProperties", false})
	}
	return doc
}

func (d *Definitions) property(f *Field, output bool) Document {
	t := f.Type
	var doc Document
	switch {
	case output && f.OmitEmpty && t.inner != nil:
		doc = d.schema(t.inner, output) // nil is left out, so null does not occur
	case output && f.OmitEmpty:
		doc = d.bare(t, output)
	default:
		doc = d.schema(t, output)
	}
	if f.Secret && t.kind == String && t.Format() == "" {
		doc.Set("format", "password")
	}
	return f.Describe(doc, output)
}

// Describe adds to the schema of the field's type what the field says beside its constraints: description, deprecated,
// default (of input) and examples.
func (f *Field) Describe(doc Document, output bool) Document {
	if f.Doc != "" {
		doc.Set("description", f.Doc)
	}
	if f.Deprecated {
		doc.Set("deprecated", true)
	}
	if f.Default != nil && !output {
		doc.Set("default", f.Default)
	}
	if f.Example != nil {
		doc.Set("examples", []json.RawMessage{f.Example})
	}
	return doc
}

func (d *Definitions) oneOf(t *Type, output bool) Document {
	var refs []Document
	var mapping Document
	for i := range t.variants.list {
		v := &t.variants.list[i]
		key := definitionKey{core: t.core, output: output && viewsDiffer(v.typ, nil), variant: v.value}
		name := d.define(key, v.typ, []string{v.typ.name, t.name + v.typ.name, t.name + capital(v.value)}, func() Document {
			doc := d.object(v.typ.bareType(), output)
			return pinDiscriminator(doc, t.variants.discriminator, v.value)
		})
		refs = append(refs, Document{{"$ref", d.prefix() + name}})
		mapping = append(mapping, Member{v.value, d.prefix() + name})
	}
	return Document{{"oneOf", refs}, {"discriminator", Document{{"propertyName", t.variants.discriminator}, {"mapping", mapping}}}}
}

// pinDiscriminator makes a variant's schema demand its value of the discriminator.
func pinDiscriminator(doc Document, name, value string) Document {
	properties, _ := doc.Get("properties").(Document)
	constant := Document{{"type", "string"}, {"const", value}}
	if properties.Get(name) == nil {
		properties = append(Document{{name, constant}}, properties...)
	} else {
		properties.Set(name, constant)
	}
	doc.Set("properties", properties)
	required, _ := doc.Get("required").([]string)
	for _, r := range required {
		if r == name {
			return doc
		}
	}
	doc.Set("required", append([]string{name}, required...))
	return doc
}

// bareType is the type below all pointers.
func (t *Type) bareType() *Type {
	for t.inner != nil {
		t = t.inner
	}
	return t
}

func (d *Definitions) prefix() string {
	if d.Prefix == "" {
		return "#/$defs/"
	}
	return d.Prefix
}

// refer returns a reference to the definition of a named type, making it if it is new.
func (d *Definitions) refer(t *Type, output bool) Document {
	key := definitionKey{core: t.core, output: output && viewsDiffer(t, nil)}
	candidates := []string{t.name}
	if other, ok := d.names[definitionKey{core: t.core, output: !key.output}]; ok {
		face := "Input"
		if output {
			face = "Output"
		}
		candidates = []string{other + face}
	}
	name := d.define(key, t, candidates, func() Document {
		if t.kind == OneOf {
			return d.oneOf(t, output)
		}
		return d.object(t, output)
	})
	return Document{{"$ref", d.prefix() + name}}
}

// define returns the name of a definition. A new one is entered before its content is made, which may refer to it.
func (d *Definitions) define(key definitionKey, t *Type, candidates []string, content func() Document) string {
	if name, ok := d.names[key]; ok {
		return name
	}
	if d.names == nil {
		d.names, d.taken = map[definitionKey]string{}, map[string]int{}
	}
	name := d.free(append(candidates, packageName(t.baseGo())+candidates[0]))
	at := len(d.docs)
	d.names[key], d.taken[name] = name, at
	d.docs = append(d.docs, Member{Name: name})
	d.docs[at].Value = content()
	return name
}

func (d *Definitions) free(candidates []string) string {
	last := "Type"
	for _, name := range candidates {
		if name == "" {
			continue
		}
		if _, taken := d.taken[name]; !taken {
			return name
		}
		last = name
	}
	for n := 2; ; n++ {
		name := last + strconv.Itoa(n)
		if _, taken := d.taken[name]; !taken {
			return name
		}
	}
}

// packageName is the last part of the package's path, capitalised: "Billing".
func packageName(t reflect.Type) string {
	path := t.PkgPath()
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			path = path[i+1:]
			break
		}
	}
	return capital(path)
}

// capital makes a text part of a name: letters and digits only, the first one upper-case.
func capital(text string) string {
	var b []byte
	for _, r := range text {
		if r < utf8.RuneSelf && isLetterOrDigit(byte(r)) {
			if len(b) == 0 {
				r = unicode.ToUpper(r)
			}
			b = append(b, byte(r))
		}
	}
	return string(b)
}

// viewsDiffer reports whether the output schema of a type is another than its input schema.
func viewsDiffer(t *Type, visited map[*core]bool) bool {
	if t.inner != nil {
		return viewsDiffer(t.inner, visited)
	}
	if mayBeNil(t) || t.special == duration {
		return true
	}
	if t.kind == Array {
		return viewsDiffer(t.element, visited)
	}
	if t.kind != Object || visited[t.core] {
		return false
	}
	if visited == nil {
		visited = map[*core]bool{}
	}
	visited[t.core] = true
	for _, f := range t.members.fields {
		always := !f.OmitEmpty && !f.throughNil
		bare := f.Type
		if f.OmitEmpty && mayBeNil(bare) && bare.element != nil {
			bare = bare.element
		}
		if f.Required != always || f.Default != nil || f.Type.inner != nil && f.OmitEmpty || viewsDiffer(bare, visited) {
			return true
		}
	}
	return false
}
