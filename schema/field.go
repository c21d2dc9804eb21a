package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/typo"
)

// A Field is a member of an Object, or a parameter that a struct field stands for.
type Field struct {
	Name       string            // the name in JSON; a caller that binds parameters goes by its own tag
	GoName     string            // the name in Go
	Index      []int             // where it is, as reflect.Value.FieldByIndex takes it
	Type       *Type             // its type, with the constraints of its tags
	Required   bool              // the input must have it
	Default    json.RawMessage   // what it is when the input lacks it; nil for none
	Example    json.RawMessage   // a value for documents; nil for none
	Doc        string            // the doc tag
	Deprecated bool              // the deprecated tag
	Secret     bool              // its value, and all below it, never shows in a Violation
	Explode    bool              // a list comes as repeated parameters; false: one, comma-separated (`explode:"false"`)
	OmitEmpty  bool              // encoding/json leaves it out when empty or zero: omitempty, omitzero
	Tag        reflect.StructTag // all of it

	owner      reflect.Type
	omitEmpty  bool
	omitZero   bool
	throughNil bool          // an embedded pointer is on the way
	fill       reflect.Value // the default, where copying it is enough
}

// parseField reads the tags of a struct field. The type's own part is done.
func (b *builder) parseField(owner reflect.Type, sf reflect.StructField) (*Field, error) {
	blame := func(tag, problem, fix string) error {
		return &DefinitionError{Type: owner, Field: sf.Name, Tag: tag, Problem: problem, Fix: fix}
	}
	if err := knownTags(sf.Tag); err != nil {
		return nil, blame(err.tag, err.problem, err.fix)
	}
	base, err := b.typeOf(sf.Type)
	if err != nil {
		if d, ok := err.(*DefinitionError); ok && d.Field == "" {
			return nil, blame("", d.Problem, d.Fix)
		}
		return nil, err
	}
	f := &Field{Name: sf.Name, GoName: sf.Name, Index: sf.Index, Type: base, Tag: sf.Tag, Doc: sf.Tag.Get("doc"), Explode: true, owner: owner}
	for _, flag := range []struct {
		tag string
		to  *bool
	}{{"required", &f.Required}, {"deprecated", &f.Deprecated}, {"secret", &f.Secret}, {"explode", &f.Explode}} {
		if text, ok := sf.Tag.Lookup(flag.tag); ok {
			if err := setBool(flag.to, text); err != nil {
				return nil, blame(flag.tag, err.Error(), "")
			}
		}
	}
	if err := f.applyKeywords(blame); err != nil {
		return nil, err
	}
	if _, ok := sf.Tag.Lookup("default"); ok && f.Required {
		return nil, blame("default", "on a required field", "drop one of the two")
	}
	b.after = append(b.after, func() error { return f.readValues(blame) })
	return f, nil
}

func (f *Field) applyKeywords(blame func(tag, problem, fix string) error) error {
	for i := range keywords {
		k := &keywords[i]
		text, ok := f.Tag.Lookup(k.name)
		if !ok {
			continue
		}
		typ, err := f.Type.constrain(k, text, 0)
		switch e := err.(type) {
		case nil:
			f.Type = typ
		case *misuse:
			return blame(e.tag, e.problem, e.fix)
		default:
			return blame(k.name, err.Error(), "")
		}
	}
	return nil
}

// constrain returns t with one more keyword, on t itself or on the innermost elements it fits.
func (t *Type) constrain(k *keyword, text string, depth int) (*Type, error) {
	if k.fits(t.kind) {
		return t.with(k, text)
	}
	if t.Elem() != nil && depth < 8 {
		element, err := t.Elem().constrain(k, text, depth+1)
		if err == nil {
			return t.withElem(element), nil
		}
		if e, ok := err.(*misuse); !ok || !strings.HasPrefix(e.problem, "on ") {
			return nil, err
		}
	}
	on := t.kind.article()
	fix := ""
	if better := k.instead(t.kind); better != "" {
		fix = "use " + better
	}
	return nil, &misuse{tag: k.name, problem: "on " + on, fix: fix}
}

func (t *Type) withElem(element *Type) *Type {
	derived := *t
	if t.inner != nil {
		derived.inner = t.inner.withElem(element)
	} else {
		derived.element = element
	}
	return derived.finish()
}

func (t *Type) with(k *keyword, text string) (*Type, error) {
	var more Constraints
	if k.name == "enum" {
		values, err := t.enumValues(text)
		if err != nil {
			return nil, err
		}
		more.Enum = values
	} else if err := k.set(&more, text); err != nil {
		return nil, &misuse{tag: k.name, problem: err.Error()}
	}
	return t.constrained(&more)
}

// constrained returns t with more constraints.
func (t *Type) constrained(more *Constraints) (*Type, error) {
	derived := *t
	if t.inner != nil {
		inner, err := t.inner.constrained(more)
		if err != nil {
			return nil, err
		}
		derived.inner, derived.constraints, derived.rules = inner, inner.constraints, inner.rules
		return derived.finish(), nil
	}
	derived.constraints = t.constraints.merge(more)
	if err := derived.compile(derived.constraints); err != nil {
		return nil, err
	}
	return derived.finish(), nil
}

// enumValues reads the enum tag: a JSON array, or texts separated by commas.
func (t *Type) enumValues(text string) ([]json.RawMessage, error) {
	var values []json.RawMessage
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			return nil, &misuse{tag: "enum", problem: "is not a JSON array: " + err.Error()}
		}
	} else {
		for part := range strings.SplitSeq(text, ",") {
			values = append(values, t.literal(part))
		}
	}
	if len(values) == 0 {
		return nil, &misuse{tag: "enum", problem: "lists no value"}
	}
	bare := t
	for bare.inner != nil {
		bare = bare.inner
	}
	seen := map[string]bool{}
	for _, value := range values {
		if problem := bare.misfit(value); problem != "" {
			return nil, &misuse{tag: "enum", problem: fmt.Sprintf("lists %s, which %s", value, problem)}
		}
		if seen[string(value)] {
			return nil, &misuse{tag: "enum", problem: fmt.Sprintf("lists %s twice", value)}
		}
		seen[string(value)] = true
	}
	return values, nil
}

// literal turns the text of a tag into JSON: strings need no quotes there.
func (t *Type) literal(text string) json.RawMessage {
	switch {
	case t.kind == String:
		return quoteJSON(text)
	case t.kind == Array && !strings.HasPrefix(strings.TrimSpace(text), "["):
		var b []byte
		b = append(b, '[')
		if text != "" {
			for i, part := range strings.Split(text, ",") {
				if i > 0 {
					b = append(b, ',')
				}
				b = append(b, t.element.literal(part)...)
			}
		}
		return append(b, ']')
	}
	return json.RawMessage(strings.TrimSpace(text))
}

// misfit says why a JSON value is not of the type, or "".
func (t *Type) misfit(value json.RawMessage) string {
	found, err := t.DecodeValue(value, reflect.New(t.goType).Elem(), DecodeOptions{})
	switch {
	case err != nil:
		return "is not JSON: " + err.Error()
	case len(found) > 0 && found[0].Pointer != "":
		return "does not fit at " + found[0].Pointer + ": it " + found[0].Message
	case len(found) > 0:
		return found[0].Message
	}
	return ""
}

// readValues reads default and example, when all types are complete.
func (f *Field) readValues(blame func(tag, problem, fix string) error) error {
	for _, value := range []struct {
		tag string
		to  *json.RawMessage
	}{{"default", &f.Default}, {"example", &f.Example}} {
		text, ok := f.Tag.Lookup(value.tag)
		if !ok {
			continue
		}
		raw := f.Type.literal(text)
		if problem := f.Type.misfit(raw); problem != "" {
			return blame(value.tag, strconv.Quote(text)+" does not fit: it "+problem, "")
		}
		*value.to = raw
	}
	if f.Default != nil && (isBasic(f.Type.goType.Kind()) || f.Type.goType == timeType) {
		fill := reflect.New(f.Type.goType).Elem()
		if _, err := f.Type.DecodeValue(f.Default, fill, DecodeOptions{}); err != nil {
			return blame("default", err.Error(), "")
		}
		f.fill = fill
	}
	return nil
}

func isBasic(kind reflect.Kind) bool {
	return reflect.Bool <= kind && kind <= reflect.Float64 || kind == reflect.String
}

func quoteJSON(text string) json.RawMessage {
	quoted, _ := json.Marshal(text)
	return quoted
}

// knownTags finds keywords that are written with the wrong capitals, which would otherwise do nothing.
func knownTags(tag reflect.StructTag) *misuse {
	known := slices.Clone(otherTags)
	for i := range keywords {
		known = append(known, keywords[i].name)
	}
	for name := range tagNames(string(tag)) {
		if slices.Contains(known, name) {
			continue
		}
		// Short names are left alone: they may be tags of other packages.
		if want := typo.Nearest(name, slices.Values(known)); want != "" && (len(want) > 5 || strings.EqualFold(name, want)) {
			return &misuse{tag: name, problem: "is not a tag", fix: "write " + want}
		}
	}
	return nil
}

// tagNames yields the keys of a struct tag in Go's conventional format.
func tagNames(tag string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			tag = strings.TrimLeft(tag, " ")
			name, rest, ok := strings.Cut(tag, ":")
			if !ok {
				return
			}
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil || !yield(name) {
				return
			}
			tag = rest[len(quoted):]
		}
	}
}
