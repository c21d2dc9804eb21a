package orm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// Set is new values by field: constants, or expressions that the database computes for each row.
type Set map[string]any

// Update changes all rows of the query in one statement and returns how many there were. Times tagged auto_now are set
// too, and versions count up.
func (q Query[T]) Update(ctx context.Context, set Set) (int64, error) {
	if err := q.ready(); err != nil {
		return 0, err
	}
	if len(set) == 0 {
		return 0, fmt.Errorf("orm: Update of %s with nothing to set", q.plan.name)
	}
	return q.change(ctx, "update", []string{q.plan.table}, func(in *scope) error { return q.assignments(in, set) })
}

// Delete removes all rows of the query in one statement, or marks them as deleted if the model embeds SoftDelete, and
// returns how many there were. Rows that go with them by the database's cascades are not counted.
func (q Query[T]) Delete(ctx context.Context) (int64, error) {
	if q.ready() == nil && q.plan.deleted != nil {
		return q.Update(ctx, Set{q.plan.deleted.lookup: databaseOf(q.on).options.Now()})
	}
	return q.Destroy(ctx)
}

// Destroy removes all rows of the query for good, also of a model that embeds SoftDelete.
func (q Query[T]) Destroy(ctx context.Context) (int64, error) {
	if err := q.ready(); err != nil {
		return 0, err
	}
	return q.change(ctx, "delete", q.on.models().cascades(q.plan), nil)
}

// assignments writes what follows SET.
func (s *selection) assignments(in *scope, set Set) error {
	b, p := in.b, s.plan
	chosen := map[*column]any{}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		c := p.column(name)
		if c == nil {
			return p.unknown(name, name)
		}
		if _, twice := chosen[c]; twice {
			return fmt.Errorf("orm: Update sets %s.%s twice", p.name, c.field)
		}
		chosen[c] = set[name]
	}
	now := databaseOf(s.on).options.Now()
	var columns []*column
	for _, c := range p.columns {
		_, given := chosen[c]
		switch {
		case given:
		case c.now:
			chosen[c] = now
		case c == p.version:
			chosen[c] = F(c.lookup).Add(1)
		default:
			continue
		}
		columns = append(columns, c)
	}
	if b.d == dialect.MySQL {
		var err error
		if columns, err = p.oneAfterAnother(columns, chosen); err != nil {
			return err
		}
	}
	for i, c := range columns {
		if i > 0 {
			b.text(", ")
		}
		b.ident(c.name)
		b.text(" = ")
		if err := in.set(c, chosen[c]); err != nil {
			return fmt.Errorf("orm: Update of %s.%s: %w", p.name, c.field, err)
		}
	}
	return nil
}

// oneAfterAnother sorts assignments so that each comes after those that read its column: MySQL computes them in order,
// where the other engines read the row as it was.
func (p *plan) oneAfterAnother(columns []*column, chosen map[*column]any) ([]*column, error) {
	var sorted []*column
	for left := columns; len(left) > 0; {
		i := slices.IndexFunc(left, func(c *column) bool {
			return !slices.ContainsFunc(left, func(other *column) bool {
				e, ok := chosen[other].(Expr)
				return ok && other != c && p.mentions(e, c)
			})
		})
		if i < 0 {
			return nil, fmt.Errorf("orm: Update of %s sets fields from each other, which MySQL cannot do in one statement: read the values first", p.name)
		}
		sorted = append(sorted, left[i])
		left = slices.Delete(slices.Clone(left), i, i+1)
	}
	return sorted, nil
}

// mentions reports whether an expression reads a column of the row itself.
func (p *plan) mentions(e Expr, c *column) bool {
	if e.op == "field" {
		if r := p.related[e.path]; r != nil && r.kind == belongsTo {
			return r.local == c
		}
		return p.column(e.path) == c
	}
	return slices.ContainsFunc(e.args, func(v any) bool {
		inner, ok := v.(Expr)
		return ok && p.mentions(inner, c)
	})
}

// set writes a column's new value.
func (s *scope) set(c *column, v any) error {
	if e, ok := v.(Expr); ok {
		return s.assign(c, e)
	}
	if isNil(v) {
		if !c.null {
			return fmt.Errorf("the field cannot be empty")
		}
		s.b.text("NULL")
		return nil
	}
	encoded, err := c.encode(indirect(v))
	if err != nil {
		return err
	}
	if err := c.fits(s.b.d, encoded); err != nil {
		return err
	}
	s.b.arg(encoded)
	return nil
}

// assign writes an expression as a column's new value. SQLite would store what the column's type has no place for.
func (s *scope) assign(c *column, e Expr) error {
	b, start := s.b, len(s.b.b)
	y, err := s.expression(e)
	if err != nil || b.d != dialect.SQLite {
		return err
	}
	before, after := "", ""
	switch {
	case yieldOf(c).whole && !y.whole && y.column == nil || yieldOf(c).whole && y.column != nil && !yieldOf(y.column).whole:
		before, after = "CAST(ROUND(", ") AS INTEGER)"
	case c.kind == dialect.Decimal:
		before, after = "ROUND(", ", "+strconv.Itoa(c.sql.Scale)+")"
	default:
		return nil
	}
	text := string(b.b[start:])
	b.b = b.b[:start]
	b.text(before, text, after)
	return nil
}

// change runs UPDATE (with assignments) or DELETE for the rows of the query. Where the engine cannot say which rows are
// meant beside the change itself (joins, limits), their keys are selected inside.
func (s *selection) change(ctx context.Context, verb string, writes []string, set func(*scope) error) (int64, error) {
	b, err := s.changing(set, false)
	if err == nil && b == nil {
		b, err = s.changing(set, true)
	}
	if err == nil {
		err = b.check()
	}
	if err != nil {
		return 0, err
	}
	st := b.statement(verb, s.plan.table)
	st.writes = writes
	if s.on.shadowed(ctx, st) {
		return 0, nil
	}
	result, err := s.on.exec(ctx, st)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return n, classify(s.on, err)
}

// changing writes the statement; it returns nil if the rows must be chosen by key and were not.
func (s *selection) changing(set func(*scope) error, chosen bool) (*builder, error) {
	b := newBuilder(s.on)
	in := b.scope(s.plan)
	if set != nil {
		b.text("UPDATE ", in.table, " SET ")
		if err := set(in); err != nil {
			return nil, err
		}
		if len(in.from) > 0 {
			return nil, fmt.Errorf("orm: Update of %s from a related row: read the value first, or use a transaction", s.plan.name)
		}
	} else {
		b.text("DELETE FROM ", in.table)
	}
	if !chosen {
		if s.limit >= 0 || s.offset > 0 || s.distinct {
			return nil, nil
		}
		reads := len(b.reads)
		if err := s.filter(in); err != nil {
			return nil, err
		}
		if len(in.from) > 0 || len(b.reads) > reads && !b.d.UpdatesFromSelf() {
			return nil, nil
		}
		return b, nil
	}
	if len(s.plan.key) != 1 {
		return nil, fmt.Errorf("orm: changing rows of %s over relations or with a limit needs a key of one column", s.plan.name)
	}
	b.text(" WHERE ")
	b.column(in.table, s.plan.key[0])
	b.text(" IN (SELECT chosen.")
	b.ident(s.plan.key[0].name)
	b.text(" FROM (")
	inner := *s
	inner.with, inner.lock = nil, nil
	if err := inner.write(b, s.plan.key); err != nil {
		return nil, err
	}
	b.text(") AS chosen)")
	return b, nil
}
