package orm

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// Repository is the rows of a model in a database or a transaction.
type Repository[T any] struct {
	on   Session
	plan *plan
	err  error // what is wrong with the model; every method returns it
}

// Of returns the rows of a model. Of a *DB each statement is on its own; of a *Tx they are part of the transaction.
func Of[T any](on Session) Repository[T] {
	p, err := planOf(on, reflect.TypeFor[T]())
	return Repository[T]{on, p, err}
}

// ready returns what is wrong with the repository, or with the row that a method is to work on.
func (r Repository[T]) ready(row ...*T) error {
	switch {
	case r.err != nil:
		return r.err
	case r.plan == nil:
		return errors.New("orm: an empty Repository: make one with orm.Of[Model](db)")
	case len(row) > 0 && row[0] == nil:
		return fmt.Errorf("orm: a nil pointer instead of a row of %s", r.plan.name)
	}
	return nil
}

// Query returns the question for all rows.
func (r Repository[T]) Query() Query[T] {
	return Query[T]{selection{on: r.on, plan: r.plan, limit: -1, err: r.err}}
}

// Filter is Query().Filter.
func (r Repository[T]) Filter(lookups ...any) Query[T] { return r.Query().Filter(lookups...) }

// Exclude is Query().Exclude.
func (r Repository[T]) Exclude(lookups ...any) Query[T] { return r.Query().Exclude(lookups...) }

// OrderBy is Query().OrderBy.
func (r Repository[T]) OrderBy(fields ...string) Query[T] { return r.Query().OrderBy(fields...) }

// With is Query().With.
func (r Repository[T]) With(relations ...string) Query[T] { return r.Query().With(relations...) }

// WithDeleted is Query().WithDeleted.
func (r Repository[T]) WithDeleted() Query[T] { return r.Query().WithDeleted() }

// All returns all rows.
func (r Repository[T]) All(ctx context.Context) ([]T, error) { return r.Query().All(ctx) }

// Count returns the number of rows.
func (r Repository[T]) Count(ctx context.Context) (int64, error) { return r.Query().Count(ctx) }

// Get returns the row with a key, or ErrNotFound. A key of several columns is given in the order of the model's fields.
func (r Repository[T]) Get(ctx context.Context, key ...any) (T, error) {
	var row T
	if err := r.ready(); err != nil {
		return row, err
	}
	p := r.plan
	if len(key) != len(p.key) {
		return row, fmt.Errorf("orm: %s has a key of %d columns, not %d", p.name, len(p.key), len(key))
	}
	d := r.on.dialect()
	st := &statement{verb: "select", table: p.table, reads: p.self, args: make([]any, len(key))}
	for i, c := range p.key {
		v, err := c.encode(indirect(key[i]))
		if text, ok := v.(string); ok && err == nil && !isText(text) {
			err = errOddText
		}
		if err != nil {
			return row, fmt.Errorf("orm: the key %s of %s: %w", c.lookup, p.name, err)
		}
		st.args[i] = driverValue(d, v)
	}
	st.text = p.fixed(d, "get", func(b *builder) {
		table := string(d.Ident(nil, p.table))
		b.text("SELECT ")
		(&selection{plan: p}).list(b, p.columns)
		b.text(" FROM ", table, " WHERE ")
		for i, c := range p.key {
			if i > 0 {
				b.text(" AND ")
			}
			b.column(table, c)
			b.text(" = ")
			b.arg(nil)
		}
		if p.deleted != nil {
			b.text(" AND ")
			b.column(table, p.deleted)
			b.text(" IS NULL")
		}
	})
	result, err := r.on.query(ctx, st)
	if err != nil {
		return row, err
	}
	defer result.Close()
	if !result.Next() {
		if err := classify(r.on, result.Err()); err != nil {
			return row, err
		}
		return row, notFound(p.table)
	}
	if err := newScanner(p.columns).row(result, unsafe.Pointer(&row)); err != nil {
		return row, fmt.Errorf("orm: reading from %s: %w", p.table, err)
	}
	return row, nil
}

func notFound(table string) error { return &Error{Kind: ErrNotFound, Op: "select", Table: table} }

// driverValue is a value as it is bound.
func driverValue(d dialect.Dialect, v any) any {
	t, ok := v.(time.Time)
	switch {
	case ok && d == dialect.SQLite:
		return t.Format(sqliteTime)
	case ok && d == dialect.MySQL && t.IsZero(): // for the driver that is the day 0 of the year 0, which is no date
		return t.Format(time.DateTime)
	}
	return v
}

// WriteOption changes what Create and Save write.
type WriteOption struct {
	only     []string
	explicit []string
}

// Only saves some fields and leaves the others in the database as they are.
func Only(fields ...string) WriteOption { return WriteOption{only: fields} }

// Explicit writes fields as they are, although they are zero and have a default.
func Explicit(fields ...string) WriteOption { return WriteOption{explicit: fields} }

// New returns a row with the defaults of its model.
func (r Repository[T]) New() T {
	var row T
	if r.ready() == nil {
		for _, c := range r.plan.columns {
			if c.defaulted {
				_ = c.scan(c.at(unsafe.Pointer(&row)), c.fallback) // parsed by the same codec
			}
		}
	}
	return row
}

// named resolves the fields that options speak of.
func (p *plan) named(options []WriteOption, which func(WriteOption) []string) ([]*column, error) {
	var list []*column
	for _, o := range options {
		for _, name := range which(o) {
			c := p.column(name)
			if c == nil {
				return nil, p.unknown(name, name)
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// Save writes a row: it updates the one with its key, or creates one if the key is zero and counted by the engine. A
// row that is not there is ErrNotFound; one of an older version (`db:"version"`) is ErrStale, and nothing is written.
func (r Repository[T]) Save(ctx context.Context, row *T, options ...WriteOption) error {
	if err := r.ready(row); err != nil {
		return err
	}
	p, base := r.plan, unsafe.Pointer(row)
	if p.auto != nil && p.auto.zero(p.auto.at(base)) {
		fresh, err := r.Create(ctx, *row, options...)
		if err == nil {
			*row = fresh
		}
		return err
	}
	only, err := p.named(options, func(o WriteOption) []string { return o.only })
	if err != nil {
		return err
	}
	columns := make([]*column, 0, len(p.columns))
	now := moment(databaseOf(r.on).options.Now())
	for _, c := range p.columns {
		switch {
		case c.key, c == p.version, c.nowAdd && only == nil:
			continue
		case c.now:
			if err := c.scan(c.at(base), now); err != nil {
				return err
			}
		case only != nil && !slices.Contains(only, c):
			continue
		}
		if err := c.settle(c.at(base)); err != nil {
			return fmt.Errorf("orm: %s.%s: %w", p.name, c.field, err)
		}
		columns = append(columns, c)
	}
	b := newBuilder(r.on)
	b.text("UPDATE ")
	b.ident(p.table)
	b.text(" SET ")
	for i, c := range columns {
		if i > 0 {
			b.text(", ")
		}
		b.ident(c.name)
		b.text(" = ")
		if err := p.values(b, base, columns[i:i+1]); err != nil {
			return err
		}
	}
	if p.version != nil {
		if len(columns) > 0 {
			b.text(", ")
		}
		b.countUp(p.version)
	} else if len(columns) == 0 {
		return nil // nothing but a key
	}
	if err := p.byKey(b, base, true); err != nil {
		return err
	}
	if err := r.one(ctx, b, "update", []string{p.table}, base); err != nil {
		return err
	}
	return p.counted(ctx, base)
}

// byKey writes the condition that a row is this one, and of the version that it was read in.
func (p *plan) byKey(b *builder, row unsafe.Pointer, version bool) error {
	b.text(" WHERE ")
	columns := p.key
	if version && p.version != nil {
		columns = append(slices.Clip(columns), p.version)
	}
	for i, c := range columns {
		if i > 0 {
			b.text(" AND ")
		}
		b.ident(c.name)
		b.text(" = ")
		if err := p.values(b, row, columns[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// one runs a statement that must change one row.
func (r Repository[T]) one(ctx context.Context, b *builder, verb string, writes []string, row unsafe.Pointer) error {
	if err := b.check(); err != nil {
		return err
	}
	st := b.statement(verb, r.plan.table)
	st.writes = writes
	if r.on.shadowed(ctx, st) {
		return nil
	}
	result, err := r.on.exec(ctx, st)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return classify(r.on, err)
	}
	if n > 0 {
		return nil
	}
	if r.plan.version != nil {
		found := newBuilder(r.on)
		found.text("SELECT COUNT(*) FROM ")
		found.ident(r.plan.table)
		if err := r.plan.byKey(found, row, false); err != nil {
			return err
		}
		found.read(r.plan.table)
		rows, err := r.on.query(ctx, found.statement("select", r.plan.table))
		if err != nil {
			return err
		}
		defer rows.Close()
		var n int64
		if rows.Next() {
			if err := rows.Scan(&n); err != nil {
				return classify(r.on, err)
			}
		}
		if n > 0 {
			return &Error{Kind: ErrStale, Op: verb, Table: r.plan.table}
		}
	}
	return &Error{Kind: ErrNotFound, Op: verb, Table: r.plan.table}
}

// countUp writes that a version is one more.
func (b *builder) countUp(version *column) {
	b.ident(version.name)
	b.text(" = ")
	b.ident(version.name)
	b.text(" + 1")
}

// counted gives a row the version that it has in the database after a write.
func (p *plan) counted(ctx context.Context, row unsafe.Pointer) error {
	if p.version == nil || effect.Shadow(ctx) {
		return nil
	}
	v, err := p.version.bind(p.version.at(row))
	if err != nil {
		return err
	}
	return p.version.scan(p.version.at(row), v.(int64)+1)
}

// Refresh reads a row again.
func (r Repository[T]) Refresh(ctx context.Context, row *T) error {
	if err := r.ready(row); err != nil {
		return err
	}
	key := make([]any, len(r.plan.key))
	for i, c := range r.plan.key {
		v, err := c.bind(c.at(unsafe.Pointer(row)))
		if err != nil {
			return err
		}
		key[i] = v
	}
	fresh, err := r.Get(ctx, key...)
	if err == nil {
		*row = fresh
	}
	return err
}
