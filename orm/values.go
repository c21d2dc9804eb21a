package orm

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ishaa-framework/ishaa/internal/typo"
	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// Having keeps groups for which the lookups hold; their names are those of the outputs of Values.
func (q Query[T]) Having(lookups ...any) Query[T] {
	q.having = append(slices.Clip(q.having), conditions(lookups))
	return q
}

// Values reads some columns instead of rows: names of fields, also of related rows, expressions and aggregates. With an
// aggregate among them, rows are grouped by the others.
//
//	var sales []struct {
//		Country string
//		Orders  int
//		Total   float64
//	}
//	err := invoices.Query().OrderBy("-total").Values(ctx, &sales,
//		orm.F("customer__country").As("country"), orm.Count("*").As("orders"), orm.Sum("total").As("total"))
//
// The destination is a pointer to a slice of structs (outputs go to the fields of the same name in snake case, or to
// those that `db:"name"` names), of map[string]any, or, for one output, of single values. OrderBy also sorts by names
// of outputs.
func (q Query[T]) Values(ctx context.Context, into any, outputs ...any) error {
	return q.outputs(ctx, into, outputs, true)
}

// Aggregate computes aggregates over all rows of the query. The destination is a pointer to a struct, to a
// map[string]any, or, for one aggregate, to a single value; a pointer or sql.Null takes the NULL of no rows.
//
//	var total *float64
//	err := invoices.Filter("customer", 7).Aggregate(ctx, &total, orm.Sum("total"))
func (q Query[T]) Aggregate(ctx context.Context, into any, aggregates ...Output) error {
	outputs := make([]any, len(aggregates))
	for i, a := range aggregates {
		if a.function == "" {
			return fmt.Errorf("orm: Aggregate: %q is no aggregate", a.name)
		}
		outputs[i] = a
	}
	q.order = nil
	if q.limit >= 0 || q.offset > 0 || q.distinct {
		return fmt.Errorf("orm: Aggregate over a part of a query: filter by the key in a subquery instead: Filter(\"pk__in\", query)")
	}
	return q.outputs(ctx, into, outputs, false)
}

// result is one output as it is written and read.
type result struct {
	name   string
	text   string
	args   []any   // those of its places
	of     yield   // its values
	column *column // that its values can be read as
	plain  bool    // grouped by
	float  bool
}

func (s *selection) outputs(ctx context.Context, into any, outputs []any, many bool) error {
	if err := s.ready(); err != nil {
		return err
	}
	if len(outputs) == 0 {
		return fmt.Errorf("orm: Values of %s without a field", s.plan.name)
	}
	b := newBuilder(s.on)
	in := b.scope(s.plan)
	list := make([]result, len(outputs))
	b.text("SELECT ")
	if s.distinct {
		b.text("DISTINCT ")
	}
	grouped := false
	names := map[string]*result{}
	for i, o := range outputs {
		if i > 0 {
			b.text(", ")
		}
		r, err := in.output(o)
		if err != nil {
			return err
		}
		if !isName(r.name) {
			return fmt.Errorf("orm: Values: an output is called by letters, digits and underscores, not %q: name it with As", r.name)
		}
		if names[r.name] != nil {
			return fmt.Errorf("orm: Values: two outputs are called %q: name one with As", r.name)
		}
		list[i] = r
		names[r.name] = &list[i]
		grouped = grouped || !r.plain
		b.text(" AS ")
		b.ident(r.name)
	}
	b.text(" FROM ", in.table)
	tail, err := b.aside(func() error { return s.grouping(in, list, names, grouped) })
	if err != nil {
		return err
	}
	b.b = append(append(b.b, in.from...), tail...)
	if err := b.check(); err != nil {
		return err
	}
	dest, err := newDestination(into, list, many)
	if err != nil {
		return err
	}
	rows, err := s.on.query(ctx, b.statement("select", s.plan.table))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := dest.read(rows); err != nil {
			return fmt.Errorf("orm: reading from %s: %w", s.plan.table, err)
		}
	}
	return classify(s.on, rows.Err())
}

// isName reports whether a name can be that of an output on every engine.
func isName(name string) bool {
	for i, c := range name {
		if c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			return false
		}
	}
	return name != "" && len(name) <= 63
}

// output writes one output.
func (s *scope) output(o any) (result, error) {
	b := s.b
	switch o := o.(type) {
	case string:
		e := F(o)
		return s.output(Output{name: o, expr: e})
	case Expr:
		return s.output(Output{name: cmp.Or(o.path, o.op), expr: o})
	case Output:
		start, bound := len(b.b), len(b.args)
		r := result{name: o.name, plain: o.function == ""}
		if r.plain {
			y, err := s.expression(o.expr)
			r.of = y
			if o.expr.op == "field" || y.column != nil && y.column.kind == dialect.Decimal {
				r.column = y.column
			}
			r.text, r.args = string(b.b[start:]), slices.Clone(b.args[bound:])
			return r, err
		}
		err := s.aggregate(o, &r)
		r.args = slices.Clone(b.args[bound:])
		return r, err
	}
	return result{}, fmt.Errorf("orm: an output is a name, an expression or an aggregate, not a %T", o)
}

func (s *scope) aggregate(o Output, r *result) error {
	b, start := s.b, len(s.b.b)
	if o.path == "*" {
		b.text("COUNT(*)")
		r.text = "COUNT(*)"
		return nil
	}
	of := o.expr
	if o.path != "" {
		of = F(o.path)
	}
	var y yield
	inner, err := b.aside(func() (err error) { y, err = s.expression(of); return err })
	if err != nil {
		return err
	}
	c := y.column
	if c != nil && !c.aggregates(o.function) {
		return fmt.Errorf("orm: %s of %s.%s: not every engine has that for its type", strings.ToLower(o.function), c.owner.name, c.field)
	}
	whole := y.whole && !(c != nil && c.kind == dialect.Uint && c.bits == 64)
	affix := b.d.Aggregate(o.function, whole)
	b.text(affix.Before)
	if o.distinct {
		b.text("DISTINCT ")
	}
	b.text(string(inner), affix.Between)
	r.text = string(b.b[start:])
	r.float = o.function == "AVG"
	switch o.function {
	case "MIN", "MAX":
		r.of, r.column = y, c
	case "SUM":
		if c != nil && (c.kind != dialect.Int || !y.whole) {
			r.of, r.column = y, c
		}
	}
	return nil
}

// aggregates reports whether all engines can compute an aggregate of the column.
func (c *column) aggregates(function string) bool {
	switch function {
	case "COUNT":
		return c.kind != dialect.JSONValue
	case "SUM", "AVG":
		return c.numeric()
	}
	return c.numeric() || c.kind == dialect.Text || c.kind == dialect.Time
}

// grouping writes what follows the tables.
func (s *selection) grouping(in *scope, list []result, names map[string]*result, grouped bool) error {
	b := in.b
	if err := s.filter(in); err != nil {
		return err
	}
	if grouped {
		word := " GROUP BY "
		for i, r := range list {
			if r.plain {
				b.text(word, groupKey(r, i))
				word = ", "
			}
		}
	}
	if len(s.having) > 0 {
		if !grouped {
			return fmt.Errorf("orm: Having without an aggregate: use Filter")
		}
		b.text(" HAVING ")
		for i, c := range s.having {
			if i > 0 {
				b.text(" AND ")
			}
			if err := in.having(c, names); err != nil {
				return err
			}
		}
	}
	if err := s.sort(in, names, grouped); err != nil {
		return err
	}
	s.bounds(b)
	return nil
}

// groupKey is an output in GROUP BY: its place, if it holds arguments, which would be others there.
func groupKey(r result, place int) string {
	if r.of.column != nil && len(r.args) == 0 {
		return r.text
	}
	return fmt.Sprint(place + 1)
}

// having writes a condition on outputs.
func (s *scope) having(c Condition, names map[string]*result) error {
	b := s.b
	if c.err != nil {
		return c.err
	}
	if c.op != opLookup || c.expr != nil {
		open, word := "(", " AND "
		if c.op == opAny {
			word = " OR "
		}
		if c.expr != nil {
			return fmt.Errorf("orm: Having compares outputs by their names")
		}
		b.text(open)
		for i, child := range c.children {
			if i > 0 {
				b.text(word)
			}
			if err := s.having(child, names); err != nil {
				return err
			}
		}
		b.text(")")
		if c.op == opNot {
			b.text(" IS NOT TRUE")
		}
		return nil
	}
	name, lookup := c.path, "exact"
	r := names[name]
	if r == nil {
		if i := strings.LastIndex(name, "__"); i >= 0 {
			r, lookup = names[name[:i]], name[i+2:]
		}
	}
	if r == nil {
		message := fmt.Sprintf("orm: Having(%q): there is no such output", c.path)
		if near := typo.Nearest(name, maps.Keys(names)); near != "" {
			return fmt.Errorf("%s; did you mean %q?", message, near)
		}
		return fmt.Errorf("%s; there are %s", message, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
	}
	o := operandText{text: r.text, column: r.of.column, computed: true, nullable: true}
	if b.d != dialect.Postgres {
		o.args = r.args
	}
	return s.compare(o, lookup, c.value, c.path)
}

// destination is where outputs go.
type destination struct {
	into    reflect.Value // what the pointer points to
	element reflect.Type
	many    bool
	fields  [][]int  // for structs: the field of each output
	codecs  []*codec // nil for maps and any
	names   []string
	list    []result
}

func newDestination(into any, list []result, many bool) (*destination, error) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return nil, fmt.Errorf("orm: the destination of Values and Aggregate is a pointer, not a %T", into)
	}
	d := &destination{into: v.Elem(), many: many, element: v.Elem().Type(), list: list}
	if many {
		if d.into.Kind() != reflect.Slice {
			return nil, fmt.Errorf("orm: the destination of Values is a pointer to a slice, not a %T", into)
		}
		d.element = d.into.Type().Elem()
		d.into.Set(reflect.MakeSlice(d.into.Type(), 0, 0))
	}
	for _, r := range list {
		d.names = append(d.names, r.name)
	}
	t := d.element
	switch {
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String && t.Elem().Kind() == reflect.Interface:
		return d, nil
	case t.Kind() == reflect.Struct && t != typeTime && !reflect.PointerTo(t).Implements(typeScanner) && !reflect.PointerTo(t).Implements(typeJSON):
		return d, d.structure(t)
	case len(list) != 1:
		return nil, fmt.Errorf("orm: %d outputs do not go into a %s: use a struct or map[string]any", len(list), t)
	}
	c, err := destinationCodec(t)
	d.codecs = []*codec{c}
	return d, err
}

func destinationCodec(t reflect.Type) (*codec, error) {
	if t.Kind() == reflect.Interface {
		return nil, nil
	}
	c, err := codecOf(t)
	if err != nil {
		err = fmt.Errorf("orm: %w", err)
	}
	return c, err
}

// structure finds the field of each output.
func (d *destination) structure(t reflect.Type) error {
	known := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Anonymous || !reachable(t, f.Index) {
			continue
		}
		name := snake(f.Name)
		if tag, _, _ := strings.Cut(f.Tag.Get("db"), ","); tag != "" && !strings.Contains(tag, ":") {
			if _, option := tagOptions[tag]; !option {
				name = tag
			}
		}
		known[name] = f
	}
	for _, name := range d.names {
		f, ok := known[strings.ReplaceAll(name, "__", "_")]
		if exact, found := known[name]; found {
			f, ok = exact, true
		}
		if !ok {
			message := fmt.Sprintf("orm: %s has no field for the output %q", t, name)
			if near := typo.Nearest(name, maps.Keys(known)); near != "" {
				message += fmt.Sprintf("; did you mean %q?", near)
			}
			return fmt.Errorf("%s", message)
		}
		c, err := destinationCodec(f.Type)
		if err != nil {
			return err
		}
		d.fields = append(d.fields, f.Index)
		d.codecs = append(d.codecs, c)
	}
	return nil
}

// reachable reports whether a field is not behind an embedded pointer, which may be nil.
func reachable(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		if t.Kind() != reflect.Struct {
			return false
		}
		t = t.Field(i).Type
	}
	return t.Kind() == reflect.Struct
}

// read takes one row.
func (d *destination) read(rows *sql.Rows) error {
	values := make([]any, len(d.list))
	targets := make([]any, len(d.list))
	for i := range values {
		targets[i] = &values[i]
	}
	if err := rows.Scan(targets...); err != nil {
		return err
	}
	element := reflect.New(d.element).Elem()
	switch {
	case d.element.Kind() == reflect.Map:
		m := reflect.MakeMap(d.element)
		for i, name := range d.names {
			v := reflect.New(d.element.Elem()).Elem()
			if plain := d.list[i].settled(values[i]); plain != nil {
				v.Set(reflect.ValueOf(plain))
			}
			m.SetMapIndex(reflect.ValueOf(name).Convert(d.element.Key()), v)
		}
		element.Set(m)
	case d.fields != nil:
		for i, index := range d.fields {
			if err := d.set(element.FieldByIndex(index), i, values[i]); err != nil {
				return fmt.Errorf("%s: %w", d.names[i], err)
			}
		}
	default:
		if err := d.set(element, 0, values[0]); err != nil {
			return fmt.Errorf("%s: %w", d.names[0], err)
		}
	}
	if d.many {
		d.into.Set(reflect.Append(d.into, element))
	} else {
		d.into.Set(element)
	}
	return nil
}

func (d *destination) set(v reflect.Value, i int, src any) error {
	if d.codecs[i] != nil {
		src = d.list[i].rounded(src)
		return d.codecs[i].scan(v.Addr().UnsafePointer(), src)
	}
	if plain := d.list[i].settled(src); plain != nil {
		v.Set(reflect.ValueOf(plain))
	} else {
		v.SetZero()
	}
	return nil
}

// rounded is a decimal that SQLite has computed as a floating-point number, with the digits of its column.
func (r *result) rounded(src any) any {
	if r.column == nil || r.column.kind != dialect.Decimal {
		return src
	}
	switch n := src.(type) {
	case float64:
		return string(Decimal(strconv.FormatFloat(n, 'f', -1, 64)).scaled(r.column.sql.Scale))
	case int64:
		return string(Decimal(strconv.FormatInt(n, 10)).scaled(r.column.sql.Scale))
	}
	return src
}

// settled makes a value of an output that has no type of its own the same on all engines.
func (r *result) settled(src any) any {
	if src == nil {
		return nil
	}
	if r.float {
		if f, err := scanFloat(src); err == nil {
			return f
		}
	}
	src = r.rounded(src)
	if r.column != nil {
		v := reflect.New(baseType(r.column.typ))
		c, err := codecOf(v.Type().Elem())
		if err == nil && c.scan(v.UnsafePointer(), src) == nil {
			return v.Elem().Interface()
		}
	}
	switch src := src.(type) {
	case []byte:
		return string(src)
	case time.Time:
		return src.UTC()
	}
	return src
}

func baseType(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}
