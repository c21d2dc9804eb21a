package schema

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

func newValue(t *Type) reflect.Value { return reflect.New(t.goType).Elem() }

// edges lists the boundaries of a type, those of what it contains included.
func (g *generator) edges(t *Type, depth int) []Boundary {
	if t.inner != nil {
		return append(g.edges(t.inner, depth), Boundary{JSON: json.RawMessage("null"), Valid: true, Rule: "type"})
	}
	var out []Boundary
	if value, ok := g.value(t, depth); ok {
		out = append(out, Boundary{JSON: value, Valid: true})
	}
	if t.kind != Any {
		other := json.RawMessage(`"text"`)
		if t.kind == String {
			other = json.RawMessage("12")
		}
		out = append(out, Boundary{JSON: other, Rule: "type"}, Boundary{JSON: json.RawMessage("null"), Rule: "type"})
	}
	if c := t.Constraints(); len(c.Enum) > 0 {
		for _, value := range c.Enum {
			out = append(out, Boundary{JSON: value, Valid: true, Rule: "enum"})
		}
		return append(out, g.outsideEnum(t)...)
	}
	switch t.kind {
	case Integer, Number:
		out = append(out, g.numberEdges(t)...)
	case String:
		out = append(out, g.textEdges(t)...)
	case Array:
		out = append(out, g.arrayEdges(t, depth)...)
	case Map:
		out = append(out, g.mapEdges(t, depth)...)
	case Object:
		out = append(out, g.objectEdges(t, depth)...)
	case OneOf:
		out = append(out, g.oneOfEdges(t, depth)...)
	}
	return out
}

func (g *generator) outsideEnum(t *Type) []Boundary {
	for _, guess := range []string{"no-such-value", "123456789", "99", "7"} {
		value := t.literal(guess)
		if found, err := t.DecodeValue(value, newValue(t), DecodeOptions{}); err == nil && len(found) > 0 && found[0].Rule == "enum" {
			return []Boundary{{JSON: value, Rule: "enum"}}
		}
	}
	return nil
}

func (g *generator) numberEdges(t *Type) []Boundary {
	var out []Boundary
	c := t.Constraints()
	least, most := "", ""
	if t.kind == Integer && t.text == nil {
		bits := intBits(t.goType.Kind())
		least, most = "0", new(big.Int).Sub(power2(bits), big.NewInt(1)).String()
		if isSigned(t.goType.Kind()) {
			least = new(big.Int).Neg(power2(bits - 1)).String()
			most = new(big.Int).Sub(power2(bits-1), big.NewInt(1)).String()
		}
		out = append(out, Boundary{JSON: json.RawMessage("1.5"), Rule: "type"})
	}
	edge := func(text, rule string, inside, outside int64) {
		if text == "" {
			return
		}
		for _, step := range []int64{inside, outside} {
			out = append(out, Boundary{JSON: t.stepped(text, c.MultipleOf, step), Valid: step == inside, Rule: rule})
		}
	}
	edge(orElse(c.Minimum, least), "minimum", 0, -1)
	edge(orElse(c.Maximum, most), "maximum", 0, 1)
	edge(c.ExclusiveMinimum, "exclusiveMinimum", 1, 0)
	edge(c.ExclusiveMaximum, "exclusiveMaximum", -1, 0)
	if c.MultipleOf != "" {
		out = append(out, Boundary{JSON: json.RawMessage("0"), Valid: true, Rule: "multipleOf"},
			Boundary{JSON: json.RawMessage(c.MultipleOf), Valid: true, Rule: "multipleOf"})
		if value, ok := g.number(t); ok {
			out = append(out, Boundary{JSON: t.stepped(string(value), "", 1), Rule: "multipleOf"})
		}
	}
	return out
}

func power2(n int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(n)) }

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// stepped is a number plus n steps of the given size; without one, ones for integers and one in the digit behind the
// last for other numbers.
func (t *Type) stepped(text, size string, n int64) json.RawMessage {
	d, ok := parseDecimal(text)
	if !ok || n == 0 || d.exp < -400 || d.exp > 400 {
		return json.RawMessage(text)
	}
	places := int64(0)
	if t.kind == Number {
		places = max(0, -d.exp) + 1
	}
	step := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(places), nil))
	if m, ok := parseDecimal(size); ok && m.exp >= -400 && m.exp <= 400 {
		step.SetString(size)
		places = max(places, -m.exp)
	}
	r, _ := new(big.Rat).SetString(text)
	return json.RawMessage(r.Add(r, step.Mul(step, big.NewRat(n, 1))).FloatString(int(places)))
}

// number makes a number within the limits: a multiple, or something near the lower limit.
func (g *generator) number(t *Type) (json.RawMessage, bool) {
	c := t.Constraints()
	var candidates []json.RawMessage
	if t.kind == Number && t.text == nil || t.kind == Integer {
		candidates = append(candidates, json.RawMessage(strconv.Itoa(g.random.IntN(100))))
	}
	if c.MultipleOf != "" {
		for _, limit := range []string{"0", c.Minimum, c.ExclusiveMinimum, c.Maximum, c.ExclusiveMaximum} {
			candidates = append(candidates, multiplesNear(limit, c.MultipleOf)...)
		}
	}
	candidates = append(candidates, json.RawMessage("1"), json.RawMessage("0"))
	for _, limit := range []string{c.Minimum, c.ExclusiveMinimum, c.Maximum, c.ExclusiveMaximum} {
		if limit != "" {
			candidates = append(candidates, t.stepped(limit, "", 0), t.stepped(limit, "", 1), t.stepped(limit, "", -1))
		}
	}
	for _, sample := range t.samples {
		candidates = append(candidates, json.RawMessage(sample))
	}
	for _, candidate := range candidates {
		if t.accepts(candidate) {
			return candidate, true
		}
	}
	return nil, false
}

// multiplesNear are the multiples of step around a limit.
func multiplesNear(limit, step string) []json.RawMessage {
	for _, text := range []string{limit, step} {
		if d, ok := parseDecimal(text); !ok || d.exp < -400 || d.exp > 400 {
			return nil
		}
	}
	l, ok := new(big.Rat).SetString(limit)
	s, okStep := new(big.Rat).SetString(step)
	if !ok || !okStep || s.Sign() == 0 {
		return nil
	}
	quotient := new(big.Rat).Quo(l, s)
	whole := new(big.Int).Quo(quotient.Num(), quotient.Denom())
	var out []json.RawMessage
	for _, more := range []int64{-1, 0, 1} {
		times := new(big.Rat).SetInt(new(big.Int).Add(whole, big.NewInt(more)))
		value := new(big.Rat).Mul(times, s)
		places := 0
		for n := new(big.Int).Set(value.Denom()); n.Cmp(big.NewInt(1)) > 0 && places < 400; places++ {
			n.Quo(n, big.NewInt(2))
		}
		text := value.FloatString(places)
		if strings.Contains(text, ".") {
			text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		out = append(out, json.RawMessage(text))
	}
	return out
}

func (g *generator) textEdges(t *Type) []Boundary {
	var out []Boundary
	c := t.Constraints()
	edge := func(n int, rule string, valid bool) {
		text, ok := g.ofLength(t, n, valid)
		if ok {
			out = append(out, Boundary{JSON: quoteJSON(text), Valid: valid, Rule: rule})
		}
	}
	if c.MinLength > 0 {
		edge(c.MinLength, "minLength", true)
		edge(c.MinLength-1, "minLength", false)
	}
	if c.MaxLength > 0 {
		edge(c.MaxLength, "maxLength", true)
		edge(c.MaxLength+1, "maxLength", false)
	}
	for _, guess := range []string{"", "!", "a", "0", "\u00e9 \U0001F600", strings.Repeat("x", max(1, c.MinLength))} {
		rule := "format"
		if c.Pattern != "" {
			rule = "pattern"
		}
		if c.Pattern != "" || t.Format() != "" || t.text != nil {
			out = append(out, Boundary{JSON: quoteJSON(guess), Rule: rule})
		}
	}
	return out
}

func (g *generator) arrayEdges(t *Type, depth int) []Boundary {
	var out []Boundary
	c := t.Constraints()
	edge := func(n int, rule string, valid bool) {
		if n > 1000 {
			return // what a test of it would show is not worth its size
		}
		if value, ok := g.array(t, n, min(depth, deepestExample)); ok {
			out = append(out, Boundary{JSON: value, Valid: valid, Rule: rule})
		}
	}
	least, most := c.MinItems, c.MaxItems
	if t.fixed >= 0 {
		least, most = t.fixed, t.fixed
	}
	if least > 0 {
		edge(least, "minItems", true)
		edge(least-1, "minItems", false)
	} else {
		edge(0, "minItems", true)
	}
	if most > 0 {
		edge(most, "maxItems", true)
		edge(most+1, "maxItems", false)
	}
	item, ok := g.value(t.element, depth+1)
	if c.UniqueItems && ok {
		out = append(out, Boundary{JSON: json.RawMessage("[" + string(item) + "," + string(item) + "]"), Rule: "uniqueItems"})
	}
	if n := max(least, 1); depth < deepestExample && (most == 0 || n <= most) && n <= 1000 {
		rest := ""
		if n > 1 {
			others, ok := g.array(t, n-1, depth)
			if !ok {
				return out
			}
			rest = "," + strings.TrimPrefix(string(others), "[")
		} else {
			rest = "]"
		}
		for _, b := range g.edges(t.element, depth+1) {
			out = append(out, Boundary{json.RawMessage("[" + string(b.JSON) + rest), b.Valid, "/0" + b.Pointer, b.Rule})
		}
	}
	return out
}

func (g *generator) mapEdges(t *Type, depth int) []Boundary {
	var out []Boundary
	c := t.Constraints()
	edge := func(n int, rule string, valid bool) {
		if value, ok := g.dictionary(t, n, min(depth, deepestExample)); ok && n <= 1000 {
			out = append(out, Boundary{JSON: value, Valid: valid, Rule: rule})
		}
	}
	if c.MinProperties > 0 {
		edge(c.MinProperties, "minProperties", true)
		edge(c.MinProperties-1, "minProperties", false)
	} else {
		edge(0, "minProperties", true)
	}
	if c.MaxProperties > 0 {
		edge(c.MaxProperties, "maxProperties", true)
		edge(c.MaxProperties+1, "maxProperties", false)
	}
	if key, ok := g.text(t.key, 0, 0); ok && depth < deepestExample && c.MinProperties <= 1 {
		for _, b := range g.edges(t.element, depth+1) {
			value := json.RawMessage("{" + string(quoteJSON(key)) + ":" + string(b.JSON) + "}")
			out = append(out, Boundary{value, b.Valid, "/" + pointerEscape.Replace(key) + b.Pointer, b.Rule})
		}
	}
	return out
}

func (g *generator) objectEdges(t *Type, depth int) []Boundary {
	if depth > deepestExample {
		return nil
	}
	var out []Boundary
	for _, f := range t.members.fields {
		at := "/" + pointerEscape.Replace(f.Name)
		if value, ok := g.object(t, depth, &replacement{field: f}); ok {
			out = append(out, Boundary{value, !f.Required, at, "required"})
		}
		for _, b := range g.edges(f.Type, depth+1) {
			if value, ok := g.object(t, depth, &replacement{f, b.JSON}); ok {
				out = append(out, Boundary{value, b.Valid, at + b.Pointer, b.Rule})
			}
		}
	}
	return out
}

func (g *generator) oneOfEdges(t *Type, depth int) []Boundary {
	at := "/" + pointerEscape.Replace(t.variants.discriminator)
	name := string(quoteJSON(t.variants.discriminator))
	out := []Boundary{
		{json.RawMessage("{}"), false, at, "required"},
		{json.RawMessage("{" + name + ":\"no-such-variant\"}"), false, at, "enum"},
		{json.RawMessage("{" + name + ":1}"), false, at, "type"},
	}
	for i := range t.variants.list {
		if value, ok := g.variant(t, &t.variants.list[i], depth); ok {
			out = append(out, Boundary{JSON: value, Valid: true})
		}
	}
	return out
}
