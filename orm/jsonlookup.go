package orm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// What lies under keys inside a JSON column is compared by its kind: texts with texts, numbers with numbers, true and
// false with bools. A value of another kind is not equal, not greater and not less; one that is not there and null are
// the same: empty.

// insideJSON compares what lies under keys inside a JSON column.
func (s *scope) insideJSON(o operandText, rest []string, value any, path string) error {
	keys, name := rest, "exact"
	if last := rest[len(rest)-1]; len(rest) > 1 && comparisons[last] != nil {
		keys, name = rest[:len(rest)-1], last
	}
	in := inside{s: s, column: o.text, json: s.b.d.JSON(), at: jsonPath(keys), path: path}
	b, how := s.b, comparisons[name]
	if how.pattern != nil {
		b.text("(")
		in.reach(in.json.Kind)
		b.text(in.json.Texts, " AND ")
		text, err := s.computed(func() (yield, error) { in.reach(in.json.Text); return yield{}, nil })
		if err == nil {
			err = s.match(text, how, value, path)
		}
		b.text(")")
		return err
	}
	switch name {
	case "isnull":
		empty, ok := value.(bool)
		if !ok {
			return fmt.Errorf("orm: %q: isnull is true or false, not a %T", path, value)
		}
		in.empty(empty)
		return nil
	case "exact":
		if isNil(value) {
			in.empty(true)
			return nil
		}
		return in.equal(value)
	case "ne", "notin":
		if isNil(value) && name == "ne" {
			in.empty(false)
			return nil
		}
		write := in.equal
		if name == "notin" {
			write = in.member
		}
		b.text("(")
		if err := write(value); err != nil {
			return err
		}
		b.text(") IS NOT TRUE")
		return nil
	case "in":
		return in.member(value)
	case "gt", "gte", "lt", "lte":
		return in.compare(how.operator, value)
	}
	return fmt.Errorf("orm: %q: %s does not look inside JSON; use exact, ne, in, notin, gt, gte, lt, lte, isnull or a text lookup", path, name)
}

// inside is a place inside a JSON column.
type inside struct {
	s      *scope
	column string
	json   dialect.JSON
	at     string // the path, as all engines read it
	path   string // of the lookup, for messages
}

// jsonPath writes a path of keys; digits are a place in a list, counted from 0.
func jsonPath(keys []string) string {
	var p strings.Builder
	p.WriteByte('$')
	for _, key := range keys {
		if key != "" && strings.Trim(key, "0123456789") == "" {
			p.WriteString("[" + key + "]")
			continue
		}
		p.WriteString(`."`)
		for _, r := range key {
			switch {
			case r == '"' || r == '\\':
				p.WriteByte('\\')
				p.WriteRune(r)
			case r < ' ':
				fmt.Fprintf(&p, `\u%04x`, r)
			case r == utf8.RuneError:
				p.WriteString("\uFFFD")
			default:
				p.WriteRune(r)
			}
		}
		p.WriteByte('"')
	}
	return p.String()
}

func (in inside) reach(a dialect.Affix) {
	b := in.s.b
	b.text(a.Before, in.column, a.Between)
	b.arg(in.at)
	b.text(a.After)
}

// empty writes that nothing is there, or something.
func (in inside) empty(yes bool) {
	b := in.s.b
	b.text("COALESCE(")
	in.reach(in.json.Kind)
	if yes {
		b.text(", '", in.json.Null, "') = '", in.json.Null, "'")
	} else {
		b.text(", '", in.json.Null, "') <> '", in.json.Null, "'")
	}
}

// equal writes that what lies there is a value.
func (in inside) equal(value any) error {
	b := in.s.b
	value = indirect(value)
	if r := reflect.ValueOf(value); isNumber(r) {
		return in.compare("=", value)
	} else if r.Kind() == reflect.Bool {
		text := in.json.False
		if r.Bool() {
			text = in.json.True
		}
		b.text("(")
		in.reach(in.json.Kind)
		b.text(in.json.Bools, " AND ")
		in.reach(in.json.Text)
		b.text(" = '", text, "')")
		return nil
	}
	text, err := encodeString(value)
	if err != nil {
		return fmt.Errorf("orm: %q: inside JSON texts, numbers and bools are compared, not a %T", in.path, value)
	}
	b.text("(")
	in.reach(in.json.Kind)
	b.text(in.json.Texts, " AND ")
	in.reach(in.json.Text)
	b.text(" = ")
	b.arg(text)
	b.text(")")
	return nil
}

func (in inside) member(value any) error {
	b := in.s.b
	list, ok := elements(value)
	if !ok {
		return fmt.Errorf("orm: %q needs a list of values, not a %T", in.path, value)
	}
	if len(list) == 0 {
		b.text("1 = 0")
		return nil
	}
	b.text("(")
	for i, v := range list {
		if i > 0 {
			b.text(" OR ")
		}
		if isNil(v) {
			in.empty(true)
		} else if err := in.equal(v); err != nil {
			return err
		}
	}
	b.text(")")
	return nil
}

// compare writes the comparison with a number.
func (in inside) compare(operator string, value any) error {
	b, value := in.s.b, indirect(value)
	if !isNumber(reflect.ValueOf(value)) {
		return fmt.Errorf("orm: %q: inside JSON only numbers are greater or less, not a %T", in.path, value)
	}
	b.text("(")
	in.reach(in.json.Kind)
	b.text(in.json.Numbers, " AND ")
	in.reach(in.json.Number)
	b.text(" ", operator, " ")
	if in.json.Encoded {
		encoded, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("orm: %q: %w", in.path, err)
		}
		b.arg(string(encoded))
		b.text("::text::jsonb)")
		return nil
	}
	v, _, err := plainValue(value)
	if err != nil {
		return fmt.Errorf("orm: %q: %w", in.path, err)
	}
	b.arg(v)
	b.text(")")
	return nil
}

func isNumber(r reflect.Value) bool { return r.CanInt() || r.CanUint() || r.CanFloat() }
