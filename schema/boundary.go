package schema

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Values at the edge of what a type allows: the least and the greatest, one step beyond each, null, another kind, a
// member missing. Each is a whole JSON text that is wrong in one place at most, so what a test of it finds is that rule.

// A Boundary is a JSON text at the edge of what a type allows.
type Boundary struct {
	JSON    json.RawMessage
	Valid   bool   // whether the type accepts it
	Pointer string // the place that was varied, a JSON pointer
	Rule    string // the constraint that was varied, and that a Violation names if the text is not Valid; "" for none
}

// Example returns a valid JSON text of the type: the example tags where there are any, else values made from the
// constraints, the same for the same seed. Optional members are there, but for those that would make the text endless.
// It is nil if no valid value was found, which takes a pattern or a type of one's own; an example tag mends that.
func (t *Type) Example(seed uint64) json.RawMessage {
	g := generator{random: rand.New(rand.NewPCG(seed, uint64(t.kind)))}
	value, ok := g.value(t, 0)
	if !ok || !t.accepts(value) {
		return nil
	}
	return value
}

// Boundaries returns values at the edges, each within an otherwise valid text, the same for the same seed. Every one was
// tried on the type: Valid is what [Type.Decode] says.
func (t *Type) Boundaries(seed uint64) []Boundary {
	g := generator{random: rand.New(rand.NewPCG(seed, uint64(t.kind)))}
	var kept []Boundary
	seen := map[string]int{}
	for _, b := range g.edges(t, 0) {
		if at, ok := seen[string(b.JSON)]; ok {
			if at < len(kept) && kept[at].Rule == "" && string(kept[at].JSON) == string(b.JSON) && kept[at].Valid == b.Valid {
				kept[at] = b // the same text made by chance; this one says what it is for
			}
			continue
		}
		seen[string(b.JSON)] = len(kept)
		found, err := t.DecodeValue(b.JSON, newValue(t), DecodeOptions{})
		switch {
		case err != nil || (len(found) == 0) != b.Valid:
			continue // two constraints meet here: the edge of one is beyond the other's
		case !b.Valid && (len(found) > 1 || found[0].Rule != b.Rule):
			continue
		}
		kept = append(kept, b)
	}
	return kept
}

func (t *Type) accepts(value json.RawMessage) bool {
	found, err := t.DecodeValue(value, newValue(t), DecodeOptions{MaxDepth: 1000})
	return err == nil && len(found) == 0
}

// deepestExample is how many objects within each other are still filled with optional members.
const deepestExample = 3

type generator struct{ random *rand.Rand }

// value makes a valid value; ok is false if it does not know how.
func (g *generator) value(t *Type, depth int) (value json.RawMessage, ok bool) {
	if t.inner != nil {
		if depth > deepestExample {
			return json.RawMessage("null"), true
		}
		return g.value(t.inner, depth)
	}
	c := t.Constraints()
	if len(c.Enum) > 0 {
		return c.Enum[g.random.IntN(len(c.Enum))], true
	}
	switch t.kind {
	case Any:
		return g.any(t)
	case Boolean:
		return json.RawMessage(strconv.FormatBool(g.random.IntN(2) == 0)), true
	case Integer, Number:
		return g.number(t)
	case String:
		text, ok := g.text(t, c.MinLength, c.MaxLength)
		return quoteJSON(text), ok
	case Array:
		return g.array(t, g.count(t), depth)
	case Map:
		return g.dictionary(t, max(c.MinProperties, 1), depth)
	case Object:
		return g.object(t, depth, nil)
	}
	return g.oneOf(t, depth)
}

func (g *generator) any(t *Type) (json.RawMessage, bool) {
	if t.special == jsonUnmarshaler {
		for _, sample := range t.samples {
			if t.accepts(json.RawMessage(sample)) {
				return json.RawMessage(sample), true
			}
		}
		for _, guess := range []string{`null`, `"1"`, `1`, `{}`, `[]`, `true`} {
			if t.accepts(json.RawMessage(guess)) {
				return json.RawMessage(guess), true
			}
		}
		return nil, false
	}
	return json.RawMessage([]string{`null`, `1`, `"a"`, `{"a":[]}`}[g.random.IntN(4)]), true
}

// count is a number of items that the type allows.
func (g *generator) count(t *Type) int {
	if t.fixed >= 0 {
		return t.fixed
	}
	c := t.Constraints()
	return max(c.MinItems, 1)
}

func (g *generator) array(t *Type, n, depth int) (json.RawMessage, bool) {
	if depth > deepestExample && n > 0 && t.fixed < 0 && t.Constraints().MinItems == 0 {
		n = 0
	}
	items := make([]string, 0, n)
	seen := map[string]bool{}
	unique := t.Constraints().UniqueItems
	for tries := 0; len(items) < n && tries < 20*n+20; tries++ {
		item, ok := g.value(t.element, depth+1)
		if !ok {
			return nil, false
		}
		if key := canonical(item); !unique || !seen[key] {
			seen[key] = true
			items = append(items, string(item))
		}
	}
	return json.RawMessage("[" + strings.Join(items, ",") + "]"), len(items) == n
}

func (g *generator) dictionary(t *Type, n, depth int) (json.RawMessage, bool) {
	if depth > deepestExample {
		n = t.Constraints().MinProperties
	}
	entries := make([]string, 0, n)
	seen := map[string]bool{}
	for tries := 0; len(entries) < n && tries < 20*n+20; tries++ {
		key, ok := g.text(t.key, 0, 0)
		item, okItem := g.value(t.element, depth+1)
		if !ok || !okItem {
			return nil, false
		}
		if t.key.text == nil && t.key.rules == nil {
			key = "key" + strconv.Itoa(len(entries)+1)
		}
		if !seen[key] {
			seen[key] = true
			entries = append(entries, string(quoteJSON(key))+":"+string(item))
		}
	}
	return json.RawMessage("{" + strings.Join(entries, ",") + "}"), len(entries) == n
}

// replacement puts a value, or nothing, in a member's place.
type replacement struct {
	field *Field
	value json.RawMessage // nil: leave the member out
}

// object makes an object with all members, one of them replaced.
func (g *generator) object(t *Type, depth int, r *replacement) (json.RawMessage, bool) {
	parts := []string{}
	for _, f := range t.members.fields {
		var value json.RawMessage
		ok := true
		switch {
		case r != nil && r.field == f:
			value = r.value
		case f.Example != nil:
			value = f.Example
		case depth > deepestExample && !f.Required:
		default:
			value, ok = g.value(f.Type, depth+1)
			if ok && f.Type.kind == Any {
				ok = f.Type.accepts(value)
			}
		}
		if !ok && f.Required {
			return nil, false
		}
		if ok && value != nil {
			parts = append(parts, string(quoteJSON(f.Name))+":"+string(value))
		}
	}
	c := t.Constraints()
	for n := len(parts); n < c.MinProperties; n++ {
		parts = append(parts, string(quoteJSON("other"+strconv.Itoa(n)))+":null")
	}
	return json.RawMessage("{" + strings.Join(parts, ",") + "}"), true
}

func (g *generator) oneOf(t *Type, depth int) (json.RawMessage, bool) {
	v := &t.variants.list[g.random.IntN(len(t.variants.list))]
	if depth > deepestExample {
		v = &t.variants.list[0]
	}
	return g.variant(t, v, depth)
}

func (g *generator) variant(t *Type, v *variant, depth int) (json.RawMessage, bool) {
	bare := v.typ.bareType()
	tag := quoteJSON(v.value)
	if f := bare.Field(t.variants.discriminator); f != nil {
		return g.object(bare, depth, &replacement{f, tag})
	}
	value, ok := g.object(bare, depth, nil)
	if !ok {
		return nil, false
	}
	rest := strings.TrimPrefix(string(value), "{")
	if rest != "}" {
		rest = "," + rest
	}
	return json.RawMessage("{" + string(quoteJSON(t.variants.discriminator)) + ":" + string(tag) + rest), true
}
