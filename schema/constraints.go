package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Constraints are the JSON Schema keywords that a value can be held to. The zero value demands nothing. Field tags of the
// same names, beginning with a small letter, fill it.
type Constraints struct {
	// Numbers, as decimal numbers: "0.5".
	Minimum, Maximum, ExclusiveMinimum, ExclusiveMaximum, MultipleOf string

	// Strings. Lengths count Unicode code points; a MaxLength of 0 is no limit. Pattern is an RE2 expression that must
	// match somewhere in the text: anchor it with ^ and $ to match all of it. [Formats] lists the formats that are checked;
	// any other is only documented.
	MinLength, MaxLength int
	Pattern, Format      string

	// Enum lists the allowed values, in JSON.
	Enum []json.RawMessage

	// Arrays. A MaxItems of 0 is no limit. Items are compared as JSON values: 1 equals 1.0.
	MinItems, MaxItems int
	UniqueItems        bool

	// Objects. A MaxProperties of 0 is no limit. All members count, unknown ones too.
	MinProperties, MaxProperties int
}

func (c *Constraints) empty() bool { return c == nil || reflect.ValueOf(c).Elem().IsZero() }

// A tag of a field, and the kinds it fits.
type keyword struct {
	name  string
	kinds []Kind
	set   func(c *Constraints, text string) error
}

var keywords = []keyword{
	{"minimum", numbers, func(c *Constraints, s string) error { return setNumber(&c.Minimum, s) }},
	{"maximum", numbers, func(c *Constraints, s string) error { return setNumber(&c.Maximum, s) }},
	{"exclusiveMinimum", numbers, func(c *Constraints, s string) error { return setNumber(&c.ExclusiveMinimum, s) }},
	{"exclusiveMaximum", numbers, func(c *Constraints, s string) error { return setNumber(&c.ExclusiveMaximum, s) }},
	{"multipleOf", numbers, func(c *Constraints, s string) error { return setNumber(&c.MultipleOf, s) }},
	{"minLength", strs, func(c *Constraints, s string) error { return setCount(&c.MinLength, s, 0) }},
	{"maxLength", strs, func(c *Constraints, s string) error { return setCount(&c.MaxLength, s, 1) }},
	{"pattern", strs, func(c *Constraints, s string) error { c.Pattern = s; return nil }},
	{"format", scalars, func(c *Constraints, s string) error { c.Format = s; return nil }},
	{"minItems", arrays, func(c *Constraints, s string) error { return setCount(&c.MinItems, s, 0) }},
	{"maxItems", arrays, func(c *Constraints, s string) error { return setCount(&c.MaxItems, s, 1) }},
	{"uniqueItems", arrays, func(c *Constraints, s string) error { return setBool(&c.UniqueItems, s) }},
	{"minProperties", objects, func(c *Constraints, s string) error { return setCount(&c.MinProperties, s, 0) }},
	{"maxProperties", objects, func(c *Constraints, s string) error { return setCount(&c.MaxProperties, s, 1) }},
	{"enum", scalars, nil}, // its values depend on the type; see enumValues
}

var (
	numbers = []Kind{Integer, Number}
	strs    = []Kind{String}
	scalars = []Kind{String, Integer, Number}
	arrays  = []Kind{Array}
	objects = []Kind{Map, Object}
)

// otherTags are the tags this package reads besides the keywords.
var otherTags = []string{
	"required", "default", "example", "doc", "deprecated", "secret", "explode", "json",
	"path", "query", "header", "cookie", "form", "file", "body", "bind", "status", // of those who bind with us
}

func (k *keyword) fits(kind Kind) bool { return slices.Contains(k.kinds, kind) }

// instead names the keyword of another kind that means about the same, for the error of one that does not fit.
func (k *keyword) instead(kind Kind) string {
	side := ""
	switch name := strings.ToLower(strings.TrimPrefix(k.name, "exclusive")); {
	case strings.HasPrefix(name, "min"):
		side = "min"
	case strings.HasPrefix(name, "max"):
		side = "max"
	default:
		return ""
	}
	switch kind {
	case Integer, Number:
		return side + "imum"
	case String:
		return side + "Length"
	case Array:
		return side + "Items"
	case Map, Object:
		return side + "Properties"
	}
	return ""
}

func setNumber(dst *string, text string) error {
	if _, ok := parseDecimal(text); !ok {
		return fmt.Errorf("%q is not a decimal number", text)
	}
	*dst = text
	return nil
}

func setCount(dst *int, text string, least int) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return fmt.Errorf("%q is not a whole number from %d on", text, least)
	}
	*dst = n
	return nil
}

func setBool(dst *bool, text string) error {
	switch text {
	case "true":
		*dst = true
	case "false":
		*dst = false
	default:
		return fmt.Errorf("%q is neither true nor false", text)
	}
	return nil
}

// merge returns c with what more adds or replaces.
func (c *Constraints) merge(more *Constraints) *Constraints {
	if c.empty() {
		return more
	}
	merged := *c
	to, from := reflect.ValueOf(&merged).Elem(), reflect.ValueOf(more).Elem()
	for i := range to.NumField() {
		if !from.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return &merged
}
