package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Constraints compiled for one kind, ready to be held against values.
//
// A type has a rules only if there is something to check, so an unconstrained value costs one comparison with nil.
type rules struct {
	signed   bounds[int64]
	unsigned bounds[uint64]
	float    bounds[float64]
	exact    *exactBounds // multipleOf of floats, and everything of numbers kept as text
	text     *textRules
	items    countRules
	members  countRules
	unique   bool
	enum     []json.RawMessage
	enumText map[string]bool // the strings of an enum
	enumList string          // the enum as a message lists it
}

// bounds are the limits of a number; the zero value has none.
type bounds[N int64 | uint64 | float64] struct {
	has                        [4]bool // min, max, exclusive min, exclusive max
	min, max, exMin, exMax     N
	multiple                   N // integers only
	any                        bool
	minText, maxText           string
	exMinText, exMaxText, step string
}

func (b *bounds[N]) check(r *recorder, v N) {
	if !b.any {
		return
	}
	if b.has[0] && cmp.Less(v, b.min) {
		r.add("minimum", "must be at least "+b.minText, v)
	}
	if b.has[1] && cmp.Less(b.max, v) {
		r.add("maximum", "must be at most "+b.maxText, v)
	}
	if b.has[2] && !cmp.Less(b.exMin, v) {
		r.add("exclusiveMinimum", "must be greater than "+b.exMinText, v)
	}
	if b.has[3] && !cmp.Less(v, b.exMax) {
		r.add("exclusiveMaximum", "must be less than "+b.exMaxText, v)
	}
}

func (b *bounds[N]) set(c *Constraints, parse func(string) (N, error)) error {
	for i, bound := range []struct {
		text, keyword string
		to            *N
		keep          *string
	}{
		{c.Minimum, "minimum", &b.min, &b.minText}, {c.Maximum, "maximum", &b.max, &b.maxText},
		{c.ExclusiveMinimum, "exclusiveMinimum", &b.exMin, &b.exMinText},
		{c.ExclusiveMaximum, "exclusiveMaximum", &b.exMax, &b.exMaxText},
	} {
		if bound.text == "" {
			continue
		}
		n, err := parse(bound.text)
		if err != nil {
			return &misuse{tag: bound.keyword, problem: err.Error()}
		}
		*bound.to, *bound.keep = n, bound.text
		b.has[i], b.any = true, true
	}
	return nil
}

// exactBounds check a number by its decimal digits.
type exactBounds struct {
	limits   [4]*decimal
	multiple *decimal
	texts    Constraints
}

func newExactBounds(c *Constraints) *exactBounds {
	e := &exactBounds{texts: *c}
	for i, text := range []string{c.Minimum, c.Maximum, c.ExclusiveMinimum, c.ExclusiveMaximum} {
		if d, ok := parseDecimal(text); ok {
			e.limits[i] = &d
		}
	}
	if d, ok := parseDecimal(c.MultipleOf); ok {
		e.multiple = &d
	}
	return e
}

func (e *exactBounds) check(r *recorder, d decimal, value any) {
	for i, limit := range e.limits {
		if limit == nil {
			continue
		}
		switch order := d.cmp(*limit); {
		case i == 0 && order < 0:
			r.add("minimum", "must be at least "+e.texts.Minimum, value)
		case i == 1 && order > 0:
			r.add("maximum", "must be at most "+e.texts.Maximum, value)
		case i == 2 && order <= 0:
			r.add("exclusiveMinimum", "must be greater than "+e.texts.ExclusiveMinimum, value)
		case i == 3 && order >= 0:
			r.add("exclusiveMaximum", "must be less than "+e.texts.ExclusiveMaximum, value)
		}
	}
	e.checkMultiple(r, d, value)
}

func (e *exactBounds) checkMultiple(r *recorder, d decimal, value any) {
	if e.multiple != nil && !d.multipleOf(*e.multiple) {
		r.add("multipleOf", "must be a multiple of "+e.texts.MultipleOf, value)
	}
}

type textRules struct {
	min, max int // code points; a max of 0 is none
	pattern  *regexp.Regexp
	format   string
	valid    func(string) bool
	article  string
}

func (t *textRules) check(r *recorder, text string) {
	if t.min > 0 || t.max > 0 {
		// A string has at most as many code points as octets, and at least a quarter: most need no counting.
		if n := len(text); n < 4*t.min || t.max > 0 && n > t.max {
			n = utf8.RuneCountInString(text)
			if n < t.min {
				r.add("minLength", "must be at least "+counted(t.min, "character", "characters")+" long", text)
			}
			if t.max > 0 && n > t.max {
				r.add("maxLength", "must be at most "+counted(t.max, "character", "characters")+" long", text)
			}
		}
	}
	if t.pattern != nil && !t.pattern.MatchString(text) {
		r.add("pattern", "must match "+t.pattern.String(), text)
	}
	if t.valid != nil && !t.valid(text) {
		r.add("format", "must be "+t.article, text)
	}
}

// countRules limit how many items or members there are; a max of 0 is none.
type countRules struct{ min, max int }

func (c countRules) check(r *recorder, n int, keyword, one, many string) {
	if n < c.min {
		r.add("min"+keyword, "must have at least "+counted(c.min, one, many), nil)
	}
	if c.max > 0 && n > c.max {
		r.add("max"+keyword, "must have at most "+counted(c.max, one, many), nil)
	}
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// compile makes the rules of c for a kind. The Go type matters for numbers only.
func (t *Type) compile(c *Constraints) error {
	if c.empty() {
		return nil
	}
	r := &rules{
		items: countRules{c.MinItems, c.MaxItems}, members: countRules{c.MinProperties, c.MaxProperties},
		unique: c.UniqueItems,
	}
	var err error
	switch {
	case t.format != "" && c.Format != "" && t.format != c.Format && t.text != nil:
		err = &misuse{tag: "format", problem: "on a type that has the format " + t.format, fix: "drop the tag, or make the field a string"}
	case t.kind == Integer && t.text == nil:
		err = r.compileInteger(c, t.baseGo().Kind())
	case t.kind == Number || t.kind == Integer:
		err = r.compileNumber(c, t.text != nil)
	case t.kind == String:
		err = r.compileText(c)
	}
	if err == nil {
		err = contradiction(c)
	}
	if err == nil && len(c.Enum) > 0 {
		r.setEnum(c.Enum, t.kind)
	}
	t.rules = r
	return err
}

func (r *rules) compileInteger(c *Constraints, kind reflect.Kind) error {
	bits := intBits(kind)
	if isSigned(kind) {
		parse := func(text string) (int64, error) { return parseSigned(text, bits) }
		if err := r.signed.set(c, parse); err != nil {
			return err
		}
		if c.MultipleOf != "" {
			n, err := parse(c.MultipleOf)
			if err != nil || n <= 0 {
				return &misuse{tag: "multipleOf", problem: fmt.Sprintf("%q is not an integer above 0", c.MultipleOf)}
			}
			r.signed.multiple, r.signed.step, r.signed.any = n, c.MultipleOf, true
		}
		return nil
	}
	parse := func(text string) (uint64, error) { return parseUnsigned(text, bits) }
	if err := r.unsigned.set(c, parse); err != nil {
		return err
	}
	if c.MultipleOf != "" {
		n, err := parse(c.MultipleOf)
		if err != nil || n == 0 {
			return &misuse{tag: "multipleOf", problem: fmt.Sprintf("%q is not an integer above 0", c.MultipleOf)}
		}
		r.unsigned.multiple, r.unsigned.step, r.unsigned.any = n, c.MultipleOf, true
	}
	return nil
}

func (r *rules) compileNumber(c *Constraints, asText bool) error {
	err := r.float.set(c, func(text string) (float64, error) {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil && !asText {
			return 0, fmt.Errorf("%q does not fit a float64", text)
		}
		return f, nil
	})
	if err != nil {
		return err
	}
	if d, ok := parseDecimal(c.MultipleOf); ok && d.sign() <= 0 {
		return &misuse{tag: "multipleOf", problem: fmt.Sprintf("%q is not above 0", c.MultipleOf)}
	}
	if asText || c.MultipleOf != "" {
		r.exact = newExactBounds(c)
	}
	return nil
}

func (r *rules) compileText(c *Constraints) error {
	t := &textRules{min: c.MinLength, max: c.MaxLength, format: c.Format}
	if c.Pattern != "" {
		expression, err := regexp.Compile(c.Pattern)
		if err != nil {
			return &misuse{tag: "pattern", problem: err.Error(), fix: "RE2 has no look-around and no back-references"}
		}
		t.pattern = expression
	}
	if f, ok := formats[c.Format]; ok {
		t.valid, t.article = f.valid, f.article
	}
	if t.min > 0 || t.max > 0 || t.pattern != nil || t.valid != nil {
		r.text = t
	}
	return nil
}

// contradiction finds limits that nothing can keep.
func contradiction(c *Constraints) error {
	for _, pair := range []struct {
		min, max int
		tag      string
	}{{c.MinLength, c.MaxLength, "maxLength"}, {c.MinItems, c.MaxItems, "maxItems"}, {c.MinProperties, c.MaxProperties, "maxProperties"}} {
		if pair.max > 0 && pair.max < pair.min {
			return &misuse{tag: pair.tag, problem: fmt.Sprintf("%d is less than the minimum %d", pair.max, pair.min)}
		}
	}
	for i, low := range []string{c.Minimum, c.ExclusiveMinimum} {
		for j, high := range []string{c.Maximum, c.ExclusiveMaximum} {
			l, okLow := parseDecimal(low)
			h, okHigh := parseDecimal(high)
			if okLow && okHigh && (l.cmp(h) > 0 || l.cmp(h) == 0 && i+j > 0) {
				tag := []string{"maximum", "exclusiveMaximum"}[j]
				return &misuse{tag: tag, problem: fmt.Sprintf("nothing lies between %s and %s", low, high)}
			}
		}
	}
	return nil
}

func (r *rules) setEnum(values []json.RawMessage, kind Kind) {
	r.enum = values
	r.enumText = make(map[string]bool, len(values))
	listed := make([]string, 0, len(values))
	for _, value := range values {
		text := string(value)
		if kind == String {
			_ = json.Unmarshal(value, &text)
		} else if d, ok := parseDecimal(text); ok {
			listed = append(listed, text)
			r.enumText[d.String()] = true
			continue
		}
		listed = append(listed, text)
		r.enumText[text] = true
	}
	r.enumList = strings.Join(listed, ", ")
}

func (r *rules) checkText(rec *recorder, text string) {
	if r.text != nil {
		r.text.check(rec, text)
	}
	if r.enum != nil && !r.enumText[text] {
		rec.add("enum", "must be one of "+r.enumList, text)
	}
}

func (r *rules) checkSigned(rec *recorder, v int64) {
	r.signed.check(rec, v)
	if m := r.signed.multiple; m != 0 && v%m != 0 {
		rec.add("multipleOf", "must be a multiple of "+r.signed.step, v)
	}
	if r.enum != nil {
		r.checkEnumNumber(rec, strconv.FormatInt(v, 10), v)
	}
}

func (r *rules) checkUnsigned(rec *recorder, v uint64) {
	r.unsigned.check(rec, v)
	if m := r.unsigned.multiple; m != 0 && v%m != 0 {
		rec.add("multipleOf", "must be a multiple of "+r.unsigned.step, v)
	}
	if r.enum != nil {
		r.checkEnumNumber(rec, strconv.FormatUint(v, 10), v)
	}
}

func (r *rules) checkFloat(rec *recorder, v float64) {
	r.float.check(rec, v)
	if r.exact != nil {
		r.exact.checkMultiple(rec, floatDecimal(v), v)
	}
	if r.enum != nil && !r.enumText[floatDecimal(v).String()] {
		rec.add("enum", "must be one of "+r.enumList, v)
	}
}

// checkNumberText checks a number that is kept as written.
func (r *rules) checkNumberText(rec *recorder, text string) {
	d, ok := parseDecimal(text)
	if !ok {
		rec.add("type", "must be a number", text)
		return
	}
	if r.exact != nil {
		r.exact.check(rec, d, json.Number(text))
	}
	if r.enum != nil && !r.enumText[d.String()] {
		rec.add("enum", "must be one of "+r.enumList, json.Number(text))
	}
}

func (r *rules) checkEnumNumber(rec *recorder, text string, value any) {
	if d, _ := parseDecimal(text); !r.enumText[d.String()] {
		rec.add("enum", "must be one of "+r.enumList, value)
	}
}
