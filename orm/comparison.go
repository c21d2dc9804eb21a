package orm

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/typo"
	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// A comparison is written from its left side, which may be a column, something computed or a part of a date, and a value
// that is encoded by the type of that.

// operandText is the left side of a comparison as it is written. It may be written more than once, with the arguments
// that it holds.
type operandText struct {
	text     string
	args     []any   // those of its places, where places are not numbered
	column   *column // for the type of values
	computed bool    // the engine does not see a column, and so no type, beside a value
	nullable bool
	encode   func(any) (any, error) // instead of the column's
}

// computed makes an operand of what a function writes.
func (s *scope) computed(write func() (yield, error)) (operandText, error) {
	b, start := s.b, len(s.b.args)
	var y yield
	text, err := b.aside(func() (err error) { y, err = write(); return err })
	if err != nil {
		return operandText{}, err
	}
	o := operandText{text: string(text), column: y.column, computed: true, nullable: true}
	if b.d != dialect.Postgres {
		o.args = slices.Clone(b.args[start:])
		b.args = b.args[:start]
	}
	return o, nil
}

// left writes an operand.
func (s *scope) left(o operandText) {
	s.b.text(o.text)
	s.b.args = append(s.b.args, o.args...)
}

// value makes a driver value of what the operand is compared with.
func (o operandText) value(v any) (any, dialect.Kind, error) {
	v = indirect(v)
	if o.encode != nil {
		e, err := o.encode(v)
		return e, dialect.Int, err
	}
	if c := o.column; c != nil {
		loose := c.kind == dialect.Int || c.kind == dialect.Uint || c.kind == dialect.Float || c.kind == dialect.Text
		if !o.computed || !loose { // a computed number may be compared with any other
			e, err := c.encode(v)
			return e, c.kind, err
		}
	}
	return plainValue(v)
}

// indirect follows pointers and sql.Null, so that they compare as what they hold. What holds nothing is nil.
func indirect(v any) any {
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.Pointer && r.IsNil():
		return nil
	case r.Kind() == reflect.Pointer && r.Elem().CanInterface():
		if _, text := v.(interface{ MarshalText() ([]byte, error) }); text && r.Elem().Kind() == reflect.Struct && r.Type().Elem() != typeTime {
			return v
		}
		return r.Elem().Interface()
	case r.Kind() == reflect.Struct && isNullType(r.Type()):
		if !r.Field(1).Bool() {
			return nil
		}
		return r.Field(0).Interface()
	}
	return v
}

// isNullType reports sql.Null, sql.NullString and their kin.
func isNullType(t reflect.Type) bool {
	return t.NumField() == 2 && t.Field(1).Name == "Valid" && t.Field(1).Type.Kind() == reflect.Bool && t.Field(0).IsExported() && t.Implements(typeValuer)
}

func isNil(v any) bool { return indirect(v) == nil }

// compare writes one comparison.
func (s *scope) compare(o operandText, name string, value any, path string) error {
	how := comparisons[name]
	if how == nil {
		message := fmt.Sprintf("orm: %q: there is no lookup %q", path, name)
		if near := typo.Nearest(name, maps.Keys(comparisons)); near != "" {
			return fmt.Errorf("%s; did you mean %q?", message, near)
		}
		return fmt.Errorf("%s; there are %s", message, strings.Join(slices.Sorted(maps.Keys(comparisons)), ", "))
	}
	b := s.b
	wrong := func(err error) error { return fmt.Errorf("orm: %q: %w", path, err) }
	if how.pattern != nil {
		return s.match(o, how, value, path)
	}
	switch name {
	case "isnull":
		empty, ok := value.(bool)
		if !ok {
			return wrong(fmt.Errorf("isnull is true or false, not a %T", value))
		}
		s.left(o)
		b.text(" IS ")
		if !empty {
			b.text("NOT ")
		}
		b.text("NULL")
		return nil
	case "in", "notin":
		return s.member(o, name == "notin", value, path)
	case "range":
		if err := s.between(o, value); err != nil {
			return wrong(err)
		}
		return nil
	}
	if isNil(value) {
		switch name {
		case "exact":
			s.left(o)
			b.text(" IS NULL")
		case "ne":
			s.left(o)
			b.text(" IS NOT NULL")
		default:
			return wrong(fmt.Errorf("%s cannot compare with nil: use isnull", name))
		}
		return nil
	}
	empty := name == "ne" && o.nullable // an empty value differs from every value
	if empty {
		b.text("(")
	}
	s.left(o)
	b.text(" ", how.operator, " ")
	if err := s.right(o, value); err != nil {
		return wrong(err)
	}
	if empty {
		b.text(" OR ")
		s.left(o)
		b.text(" IS NULL)")
	}
	return nil
}

// between writes that a value lies between two others, both included.
func (s *scope) between(o operandText, value any) error {
	b := s.b
	bounds, ok := elements(value)
	if !ok || len(bounds) != 2 {
		return fmt.Errorf("range needs a list of two values, the first and the last")
	}
	if isNil(bounds[0]) || isNil(bounds[1]) {
		return fmt.Errorf("range cannot compare with nil: use gte or lte for an open end")
	}
	s.left(o)
	if b.d == dialect.MySQL { // MariaDB takes BETWEEN for an equality where both ends are equal in another collation
		b.text(" >= ")
	} else {
		b.text(" BETWEEN ")
	}
	if err := s.right(o, bounds[0]); err != nil {
		return err
	}
	b.text(" AND ")
	if b.d == dialect.MySQL {
		s.left(o)
		b.text(" <= ")
	}
	return s.right(o, bounds[1])
}

// right writes the right side of a comparison: a value, an expression or a subquery.
func (s *scope) right(o operandText, value any) error {
	switch v := value.(type) {
	case Expr: // of the model that the query is about, also inside of a condition on related rows
		top := s
		for top.outer != nil {
			top = top.outer
		}
		_, err := top.expression(v)
		return err
	case subquery:
		s.b.text("(")
		if err := v.subselect(s.b); err != nil {
			return err
		}
		s.b.text(")")
		return nil
	}
	encoded, kind, err := o.value(value)
	if err != nil {
		return err
	}
	if o.column == nil || o.computed {
		s.b.typed(encoded, kind)
	} else {
		s.b.arg(encoded)
	}
	return nil
}

func (s *scope) match(o operandText, how *comparison, value any, path string) error {
	b := s.b
	if e, ok := value.(Expr); ok {
		return fmt.Errorf("orm: %q compares text with a value, not with the expression on %q", path, e.path)
	}
	if c := o.column; c != nil && !c.searchable() {
		return fmt.Errorf("orm: %q looks into text, and %s is none: engines write it as text in different ways", path, c.lookup)
	}
	if isNil(value) {
		return fmt.Errorf("orm: %q cannot look for nil: use isnull", path)
	}
	text, err := encodeString(indirect(value))
	if err != nil {
		r := reflect.ValueOf(value)
		if !r.IsValid() || r.Kind() > reflect.Float64 {
			return fmt.Errorf("orm: %q: %w", path, err)
		}
		text = fmt.Sprint(value)
	}
	pattern := how.pattern(text.(string))
	if how.match == dialect.Like || how.match == dialect.ILike {
		if ending := len(pattern) - len(strings.TrimRight(pattern, `\`)); ending%2 == 1 {
			return fmt.Errorf("orm: %q: the pattern ends with a backslash that escapes nothing: write two", path)
		}
	}
	if b.d == dialect.Postgres && (how.match == dialect.Contains || how.match == dialect.IContains || how.match == dialect.IExact) {
		pattern = backslashed.Replace(pattern)
	}
	affix := b.d.Match(how.match)
	b.text(affix.Before)
	s.left(o)
	b.text(affix.Between)
	b.arg(pattern)
	b.text(affix.After)
	return nil
}

// searchable reports whether all engines agree on what the column is as text.
func (c *column) searchable() bool {
	switch c.kind {
	case dialect.Text, dialect.UUID, dialect.Int, dialect.Uint, dialect.Duration:
		return true
	}
	return c.sql.Custom != ""
}

// subquery is a query that stands for the keys of its rows.
type subquery interface{ subselect(b *builder) error }

// member writes that a value is one of a list, or none of it; empty values are in no list.
func (s *scope) member(o operandText, not bool, value any, path string) error {
	b := s.b
	var empty bool
	operator := " IN ("
	if not {
		operator = " NOT IN ("
		empty = o.nullable
	}
	if sub, ok := value.(subquery); ok {
		if empty {
			b.text("(")
		}
		s.left(o)
		b.text(operator)
		if err := sub.subselect(b); err != nil {
			return err
		}
		b.text(")")
		if empty {
			b.text(" OR ")
			s.left(o)
			b.text(" IS NULL)")
		}
		return nil
	}
	list, ok := elements(value)
	if !ok {
		return fmt.Errorf("orm: %q needs a list of values or a query, not a %T", path, value)
	}
	nils := len(list)
	list = slices.DeleteFunc(list, isNil)
	nils -= len(list)
	switch {
	case !not && nils > 0: // filter(x__in=[1, nil])
		empty = true
	case not && nils > 0:
		empty = false
	}
	if len(list) == 0 {
		switch {
		case empty && !not, !empty && not && nils > 0:
			s.left(o)
			b.text(" IS ")
			if not {
				b.text("NOT ")
			}
			b.text("NULL")
		case not:
			b.text("1 = 1")
		default:
			b.text("1 = 0")
		}
		return nil
	}
	if len(list) > 8 {
		b.once = true
	}
	if empty {
		b.text("(")
	}
	s.left(o)
	b.text(operator)
	for i, v := range list {
		if i > 0 {
			b.text(", ")
		}
		if err := s.right(o, v); err != nil {
			return fmt.Errorf("orm: %q: element %d: %w", path, i, err)
		}
	}
	b.text(")")
	if empty {
		b.text(" OR ")
		s.left(o)
		b.text(" IS NULL)")
	}
	return nil
}

// elements returns the values of any list.
func elements(value any) ([]any, bool) {
	if list, ok := value.([]any); ok {
		return slices.Clone(list), true
	}
	r := reflect.ValueOf(value)
	if !r.IsValid() || r.Kind() != reflect.Slice && r.Kind() != reflect.Array || r.Type().Elem().Kind() == reflect.Uint8 {
		return nil, false
	}
	list := make([]any, r.Len())
	for i := range list {
		list[i] = r.Index(i).Interface()
	}
	return list, true
}
