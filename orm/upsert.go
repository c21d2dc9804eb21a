package orm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// Upsert inserts a row, or updates the one that has the same values in the fields of a unique key, and returns it as it
// is afterwards. Without fields the key is the primary one. The time of creation and the key stay those of the old row;
// a row that was deleted softly is there again. If another unique key than that one is taken, it is ErrUnique.
func (r Repository[T]) Upsert(ctx context.Context, row T, by ...string) (T, error) {
	var none T
	if err := r.ready(); err != nil {
		return none, err
	}
	p, base := r.plan, unsafe.Pointer(&row)
	keys, err := p.conflict(by)
	if err != nil {
		return none, err
	}
	if err := p.prepare(r.on, base, nil); err != nil {
		return none, err
	}
	find := Repository[T]{r.on, p, nil}.WithDeleted()
	for _, c := range keys {
		v, err := c.bind(c.at(base))
		if err != nil {
			return none, fmt.Errorf("orm: %s.%s: %w", p.name, c.field, err)
		}
		if v == nil {
			return none, fmt.Errorf("orm: Upsert of %s by %s, which is empty: empty values are never the same", p.name, c.field)
		}
		find = find.Filter(c.lookup, v)
	}
	columns := p.inserted(base)
	if r.on.dialect() == dialect.MySQL && p.otherKeys(keys, columns) { // where any taken key would make it an update
		err = inTx(ctx, r.on, func(on Session) error {
			return Repository[T]{on, p, nil}.updateOrInsert(ctx, base, keys, columns)
		})
	} else {
		err = r.upsert(ctx, base, keys, columns)
	}
	if err == nil && slices.Contains(columns, p.auto) {
		err = r.countOn(ctx, base)
	}
	switch {
	case errors.Is(err, errIntended):
		return row, nil
	case err != nil:
		return none, err
	}
	return find.One(Primary(ctx))
}

// errIntended ends an upsert that a shadow run only reports.
var errIntended = errors.New("a shadow run does not write")

// conflict returns the columns of a unique key.
func (p *plan) conflict(by []string) ([]*column, error) {
	if len(by) == 0 {
		return p.key, nil
	}
	keys, err := p.named([]WriteOption{{only: by}}, func(o WriteOption) []string { return o.only })
	if err != nil {
		return nil, err
	}
	if !p.isUnique(keys) {
		return nil, fmt.Errorf("orm: Upsert of %s by %s, which is no unique key: tag the fields `db:\"unique\"` or `db:\"unique:NAME\"`",
			p.name, strings.Join(by, ", "))
	}
	return keys, nil
}

func (p *plan) isUnique(columns []*column) bool {
	if sameColumns(columnNames(p.key), columns) {
		return true
	}
	return slices.ContainsFunc(p.indexes, func(x Index) bool { return x.Unique && sameColumns(x.Columns, columns) })
}

// otherKeys reports whether a row that is inserted with these columns can collide in another unique key too.
func (p *plan) otherKeys(keys, columns []*column) bool {
	if slices.Contains(columns, p.key[0]) && !sameColumns(columnNames(p.key), keys) {
		return true
	}
	return slices.ContainsFunc(p.indexes, func(x Index) bool { return x.Unique && !sameColumns(x.Columns, keys) })
}

func columnNames(columns []*column) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

func sameColumns(names []string, columns []*column) bool {
	return len(names) == len(columns) && !slices.ContainsFunc(columns, func(c *column) bool { return !slices.Contains(names, c.name) })
}

// updates are the columns that a conflict changes.
func (p *plan) updates(keys, columns []*column) []*column {
	return slices.DeleteFunc(slices.Clone(columns), func(c *column) bool {
		return c.key || c.nowAdd || c == p.version || slices.Contains(keys, c)
	})
}

// upsert is one statement.
func (r Repository[T]) upsert(ctx context.Context, row unsafe.Pointer, keys, columns []*column) error {
	p, b := r.plan, newBuilder(r.on)
	p.insertHead(b, columns)
	b.text(" VALUES (")
	if err := p.values(b, row, columns); err != nil {
		return err
	}
	b.text(")")
	updates := columnNames(p.updates(keys, columns))
	b.b = b.d.Conflict(b.b, columnNames(keys), updates)
	if p.version != nil && len(updates) > 0 {
		b.text(", ")
		b.ident(p.version.name)
		b.text(" = ")
		b.column(string(b.d.Ident(nil, p.table)), p.version)
		b.text(" + 1")
	}
	_, err := r.write(ctx, b, "insert")
	return err
}

// updateOrInsert is an upsert in two statements.
func (r Repository[T]) updateOrInsert(ctx context.Context, row unsafe.Pointer, keys, columns []*column) error {
	n, err := r.updateBy(ctx, row, keys, columns)
	if err != nil || n > 0 {
		return err
	}
	p, b := r.plan, newBuilder(r.on)
	p.insertHead(b, columns)
	b.text(" VALUES (")
	if err := p.values(b, row, columns); err != nil {
		return err
	}
	b.text(")")
	taken := inTx(ctx, r.on, func(on Session) error {
		_, err := Repository[T]{on, p, nil}.write(ctx, b, "insert")
		return err
	})
	if !errors.Is(taken, ErrUnique) {
		return taken
	}
	// Another key is taken, or somebody has just inserted the same row.
	if n, err = r.updateBy(ctx, row, keys, columns); err == nil && n == 0 {
		err = taken
	}
	return err
}

func (r Repository[T]) updateBy(ctx context.Context, row unsafe.Pointer, keys, columns []*column) (int64, error) {
	p, b := r.plan, newBuilder(r.on)
	updates := p.updates(keys, columns)
	if len(updates) == 0 {
		updates = keys[:1] // to itself
	}
	b.text("UPDATE ")
	b.ident(p.table)
	b.text(" SET ")
	for i, c := range updates {
		if i > 0 {
			b.text(", ")
		}
		b.ident(c.name)
		b.text(" = ")
		if err := p.values(b, row, updates[i:i+1]); err != nil {
			return 0, err
		}
	}
	if p.version != nil {
		b.text(", ")
		b.countUp(p.version)
	}
	for i, c := range keys {
		if i == 0 {
			b.text(" WHERE ")
		} else {
			b.text(" AND ")
		}
		b.ident(c.name)
		b.text(" = ")
		if err := p.values(b, row, keys[i:i+1]); err != nil {
			return 0, err
		}
	}
	return r.write(ctx, b, "update")
}

// write runs a statement on the model's table and returns how many rows it changed.
func (r Repository[T]) write(ctx context.Context, b *builder, verb string) (int64, error) {
	if err := b.check(); err != nil {
		return 0, err
	}
	st := b.statement(verb, r.plan.table)
	st.writes = []string{r.plan.table}
	if r.on.shadowed(ctx, st) {
		return 0, errIntended
	}
	result, err := r.on.exec(ctx, st)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return n, classify(r.on, err)
}
