package openapi

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Schemas are compared by what they allow. In a request less may not be allowed than
// before, in an answer not more. Each keyword is compared by itself, which may call
// breaking what another keyword makes up for, and never the other way round.

// narrowed notes that less is allowed, widened that more is.
func (d *differ) narrowed(pointer, format string, args ...any) {
	d.note(d.request, pointer, format, args...)
}

func (d *differ) widened(pointer, format string, args ...any) {
	d.note(!d.request, pointer, format, args...)
}

func (d *differ) schema(a, b any, pointer, label string) {
	was, is := plainSchemaOf(a), plainSchemaOf(b)
	if d.steps++; d.steps > maxSteps || d.depth > maxNesting {
		return
	}
	d.depth++
	defer func() { d.depth-- }()
	if refs := [2]string{textAt(was, "$ref"), textAt(is, "$ref")}; refs[0] != "" || refs[1] != "" {
		if d.visited[refs] {
			return
		}
		d.visited[refs] = true
		if refs[0] == "" || refs[1] == "" { // next time the other side may be another
			defer delete(d.visited, refs)
		}
		was, is = resolved(d.old, was), resolved(d.new, is)
	}
	d.types(was, is, pointer, label)
	d.choices(was, is, pointer, label)
	for _, name := range []string{"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"} {
		d.bound(was, is, name, 1, pointer, label)
	}
	for _, name := range []string{"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"} {
		d.bound(was, is, name, -1, pointer, label)
	}
	for _, name := range []string{"pattern", "format", "multipleOf", "contentEncoding", "uniqueItems", "propertyNames", "not", "allOf"} {
		d.other(was, is, name, pointer, label)
	}
	d.members(was, is, pointer, label)
	if was.Get("items") != nil || is.Get("items") != nil {
		d.schema(was.Get("items"), is.Get("items"), pointer+"/items", label+", items")
	}
	d.additional(was, is, pointer, label)
	d.alternatives(was, is, pointer, label)
}

// plainSchemaOf reads nothing as "anything", and a boolean schema as one.
func plainSchemaOf(value any) object {
	switch v := value.(type) {
	case object:
		return v
	case bool:
		if !v {
			return object{{Name: "not", Value: object{}}}
		}
	}
	return object{}
}

// resolved follows a reference and keeps what stands beside it.
func resolved(root, doc object) object {
	if textAt(doc, "$ref") == "" {
		return doc
	}
	out := slices.Clone(follow(root, doc))
	for _, m := range doc {
		if m.Name != "$ref" {
			out.Set(m.Name, m.Value)
		}
	}
	return out
}

// typesOf lists what a schema allows by type; nil is all. It knows nullable of 3.0.
func typesOf(doc object) []string {
	var list []string
	switch t := doc.Get("type").(type) {
	case string:
		list = []string{t}
	case []any:
		for _, name := range t {
			list = append(list, fmt.Sprint(name))
		}
	default:
		return nil
	}
	if doc.Get("nullable") == true {
		list = append(list, "null")
	}
	return list
}

func allows(list []string, name string) bool {
	return list == nil || slices.Contains(list, name) || name == "integer" && slices.Contains(list, "number")
}

func (d *differ) types(was, is object, pointer, label string) {
	before, after := typesOf(was), typesOf(is)
	if before == nil && after != nil {
		d.narrowed(pointer+"/type", "%s was of any type and is %s now", label, strings.Join(after, " or "))
	}
	if after == nil && before != nil {
		d.widened(pointer+"/type", "%s was %s and is of any type now", label, strings.Join(before, " or "))
	}
	if before == nil || after == nil {
		return
	}
	for _, name := range before {
		if !allows(after, name) {
			d.narrowed(pointer+"/type", "%s may no longer be %s", label, name)
		}
	}
	for _, name := range after {
		if !allows(before, name) {
			d.widened(pointer+"/type", "%s may be %s", label, name)
		}
	}
}

// choicesOf lists the values that enum or const allow, as JSON; nil is all.
func choicesOf(doc object) []string {
	if value := doc.Get("const"); value != nil {
		return []string{inLine(value)}
	}
	values, ok := doc.Get("enum").([]any)
	if !ok {
		return nil
	}
	list := []string{}
	for _, v := range values {
		list = append(list, inLine(v))
	}
	return list
}

func (d *differ) choices(was, is object, pointer, label string) {
	before, after := choicesOf(was), choicesOf(is)
	switch {
	case before == nil && after != nil:
		d.narrowed(pointer+"/enum", "%s is one of a list of values now", label)
	case before != nil && after == nil:
		d.widened(pointer+"/enum", "%s is no longer one of a list of values", label)
	}
	if before == nil || after == nil {
		return
	}
	for _, value := range before {
		if !slices.Contains(after, value) {
			d.narrowed(pointer+"/enum", "%s may no longer be %s", label, value)
		}
	}
	for _, value := range after {
		if !slices.Contains(before, value) {
			d.widened(pointer+"/enum", "%s may be %s", label, value)
		}
	}
}

// bound compares a limit; the sign says which way is narrower.
func (d *differ) bound(was, is object, name string, sign int, pointer, label string) {
	a, b := was.Get(name), is.Get(name)
	before, hasBefore := number(a)
	after, hasAfter := number(b)
	switch {
	case !hasBefore && !hasAfter:
		if inLine(a) != inLine(b) { // exclusiveMinimum of 3.0 is true or false
			d.note(true, pointer+"/"+name, "%s: %s was %s and is %s", label, name, inLine(a), inLine(b))
		}
	case !hasBefore:
		d.narrowed(pointer+"/"+name, "%s has the limit %s %s now", label, name, inLine(b))
	case !hasAfter:
		d.widened(pointer+"/"+name, "%s no longer has the limit %s %s", label, name, inLine(a))
	default:
		switch order := after.Cmp(before) * sign; {
		case order > 0:
			d.narrowed(pointer+"/"+name, "%s: %s was %s and is %s", label, name, inLine(a), inLine(b))
		case order < 0:
			d.widened(pointer+"/"+name, "%s: %s was %s and is %s", label, name, inLine(a), inLine(b))
		}
	}
}

// number reads a limit exactly. Exponents that would take memory are not followed.
func number(value any) (*big.Rat, bool) {
	n, ok := value.(json.Number)
	if !ok {
		return nil, false
	}
	text := n.String()
	if at := strings.IndexAny(text, "eE"); at >= 0 && len(strings.TrimLeft(text[at+1:], "+-0")) > 3 || len(text) > 400 {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// other compares a keyword whose change cannot be weighed but for its coming and going.
func (d *differ) other(was, is object, name, pointer, label string) {
	a, b := was.Get(name), is.Get(name)
	switch {
	case inLine(a) == inLine(b):
	case a == nil || a == false:
		d.narrowed(pointer+"/"+name, "%s has %s %s now", label, name, inLine(b))
	case b == nil || b == false:
		d.widened(pointer+"/"+name, "%s no longer has %s %s", label, name, inLine(a))
	default:
		d.note(true, pointer+"/"+name, "%s: %s was %s and is %s", label, name, inLine(a), inLine(b))
	}
}

func (d *differ) members(was, is object, pointer, label string) {
	before, after := objectAt(was, "properties"), objectAt(is, "properties")
	mustBefore, mustAfter := listAt(was, "required"), listAt(is, "required")
	for _, m := range before {
		here := pointer + "/properties/" + escaped(m.Name)
		if after.Get(m.Name) == nil {
			what := "clients send what no longer counts"
			if !d.request {
				what = "clients miss it"
			}
			d.note(true, here, "%s no longer has the member %s: %s", label, m.Name, what)
			continue
		}
		d.schema(m.Value, after.Get(m.Name), here, label+", member "+m.Name)
	}
	for _, m := range after {
		if before.Get(m.Name) == nil && !(d.request && slices.Contains(mustAfter, any(m.Name))) {
			d.note(false, pointer+"/properties/"+escaped(m.Name), "%s has the new member %s", label, m.Name)
		}
	}
	for _, name := range mustAfter {
		if !slices.Contains(mustBefore, name) {
			d.narrowed(pointer+"/required", "%s: the member %v is always there now", label, name)
		}
	}
	for _, name := range mustBefore {
		if !slices.Contains(mustAfter, name) && after.Get(fmt.Sprint(name)) != nil {
			d.widened(pointer+"/required", "%s: the member %v may be missing now", label, name)
		}
	}
}

func (d *differ) additional(was, is object, pointer, label string) {
	a, b := was.Get("additionalProperties"), is.Get("additionalProperties")
	here := pointer + "/additionalProperties"
	switch {
	case inLine(a) == inLine(b) && textAt(plainSchemaOf(a), "$ref") == "":
	case a == false:
		d.widened(here, "%s may have other members", label)
	case b == false:
		d.narrowed(here, "%s may no longer have other members", label)
	case a != nil || b != nil:
		d.schema(a, b, here, label+", other members")
	}
}

// alternatives compares oneOf and anyOf: by what they refer to where they do, else in
// order.
func (d *differ) alternatives(was, is object, pointer, label string) {
	for _, name := range []string{"oneOf", "anyOf"} {
		before, after := listAt(was, name), listAt(is, name)
		if before == nil && after == nil {
			continue
		}
		here := pointer + "/" + name
		switch {
		case before == nil:
			d.narrowed(here, "%s is one of several forms now", label)
			continue
		case after == nil:
			d.widened(here, "%s is no longer one of several forms", label)
			continue
		}
		keysBefore, keysAfter := alternativeKeys(was, before), alternativeKeys(is, after)
		for i, key := range keysBefore {
			at := slices.Index(keysAfter, key)
			if at < 0 {
				d.narrowed(here, "%s no longer has the form %s", label, key)
				continue
			}
			d.schema(before[i], after[at], fmt.Sprintf("%s/%d", here, at), label+", form "+key)
		}
		for _, key := range keysAfter {
			if !slices.Contains(keysBefore, key) {
				d.widened(here, "%s may have the form %s", label, key)
			}
		}
	}
	a, b := textAt(objectAt(was, "discriminator"), "propertyName"), textAt(objectAt(is, "discriminator"), "propertyName")
	if a != b {
		d.note(true, pointer+"/discriminator", "%s: its forms are told apart by %q, not by %q", label, b, a)
	}
}

// alternativeKeys names alternatives: by the discriminator's value, the reference, the
// type, or where they stand.
func alternativeKeys(doc object, list []any) []string {
	values := map[string]string{}
	for _, m := range objectAt(objectAt(doc, "discriminator"), "mapping") {
		values[fmt.Sprint(m.Value)] = m.Name
	}
	keys := make([]string, len(list))
	for i, alternative := range list {
		schema, _ := alternative.(object)
		ref := textAt(schema, "$ref")
		switch {
		case values[ref] != "":
			keys[i] = values[ref]
		case ref != "":
			keys[i] = ref[strings.LastIndexByte(ref, '/')+1:]
		case textAt(schema, "type") != "":
			keys[i] = textAt(schema, "type")
		default:
			keys[i] = fmt.Sprint(i)
		}
		if slices.Contains(keys[:i], keys[i]) {
			keys[i] = fmt.Sprintf("%s %d", keys[i], i)
		}
	}
	return keys
}
