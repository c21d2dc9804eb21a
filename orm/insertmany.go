package orm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// CreateMany inserts rows, many per statement, all or none. It fills the rows as Create does.
//
// On PostgreSQL a statement takes each column as one array, so that its text is the same for any number of rows. The
// fields of columns that are arrays themselves must say so (`db:"type:text[]"`); such rows are written value by value.
func (r Repository[T]) CreateMany(ctx context.Context, list []T) error {
	if err := r.ready(); err != nil || len(list) == 0 {
		return err
	}
	counted := 0
	for i := range list {
		row := unsafe.Pointer(&list[i])
		if err := r.plan.prepare(r.on, row, nil); err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
		if r.plan.auto != nil && r.plan.auto.zero(r.plan.auto.at(row)) {
			counted++
		}
	}
	if counted != 0 && counted != len(list) {
		return fmt.Errorf("orm: CreateMany of %s: some rows have a key and some have none: create them apart", r.plan.name)
	}
	width := max(1, len(r.plan.inserted(unsafe.Pointer(&list[0]))))
	size := min(1000, max(1, r.on.dialect().MaxArguments()/width))
	if len(list) <= size {
		return r.insertMany(ctx, list, 0)
	}
	return inTx(ctx, r.on, func(on Session) error {
		inner := Repository[T]{on, r.plan, nil}
		for first := 0; first < len(list); first += size {
			if err := inner.insertMany(ctx, list[first:min(first+size, len(list))], first); err != nil {
				return err
			}
		}
		return nil
	})
}

// inTx runs a function in a transaction, in the one that is there already if there is.
func inTx(ctx context.Context, on Session, fn func(on Session) error) error {
	if tx := on.transaction(); tx != nil {
		return tx.Tx(ctx, func(inner *Tx) error { return fn(inner) })
	}
	return on.(*DB).Tx(ctx, func(tx *Tx) error { return fn(tx) })
}

// insertMany inserts rows in one statement. The first of them is number first of what the caller gave.
func (r Repository[T]) insertMany(ctx context.Context, list []T, first int) error {
	columns := r.plan.inserted(unsafe.Pointer(&list[0]))
	if len(columns) == 0 {
		return fmt.Errorf("orm: CreateMany of %s, which has nothing but a key: use Create", r.plan.name)
	}
	st, err := r.manyByColumn(list, columns, first)
	if st == nil && err == nil {
		st, err = r.manyByRow(list, columns, first)
	}
	if err != nil {
		return err
	}
	st.writes = r.plan.self
	if r.on.shadowed(ctx, st) {
		return nil
	}
	counted := len(columns) < len(r.plan.columns)
	switch {
	case counted && r.on.dialect().Returning():
		return r.readKeys(ctx, st, list)
	default:
		return r.countKeys(ctx, st, list, counted)
	}
}

// manyByRow writes a statement with the values of all rows, one after another.
func (r Repository[T]) manyByRow(list []T, columns []*column, first int) (*statement, error) {
	p, b := r.plan, newBuilder(r.on)
	b.once = true
	p.insertHead(b, columns)
	b.text(" VALUES")
	for i := range list {
		if i > 0 {
			b.text(",")
		}
		b.text(" (")
		if err := p.values(b, unsafe.Pointer(&list[i]), columns); err != nil {
			return nil, fmt.Errorf("row %d: %w", first+i, err)
		}
		if b.odd {
			return nil, fmt.Errorf("row %d: %w", first+i, errOddText)
		}
		b.text(")")
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	p.returnKey(b, columns)
	return b.statement("insert", p.table), nil
}

// manyByColumn makes the statement that takes each column as one argument. It returns nil where the engine knows no
// arrays, and for values that make none.
func (r Repository[T]) manyByColumn(list []T, columns []*column, first int) (*statement, error) {
	p, d := r.plan, r.on.dialect()
	if !d.Arrays() || slices.ContainsFunc(columns, func(c *column) bool { return c.isArray() }) {
		return nil, nil
	}
	st := &statement{verb: "insert", table: p.table, args: make([]any, len(columns))}
	for k, c := range columns {
		values := newArray(len(list))
		for i := range list {
			v, err := c.value(d, unsafe.Pointer(&list[i]))
			if err != nil {
				return nil, fmt.Errorf("row %d: %w", first+i, err)
			}
			if text, ok := v.(string); ok && !isText(text) {
				return nil, fmt.Errorf("row %d: %w", first+i, errOddText)
			}
			if !values.add(v) {
				return nil, nil
			}
		}
		st.args[k] = values.argument()
	}
	st.text = p.fixed(d, p.shape(columns, "many", "many all"), func(b *builder) {
		p.insertHead(b, columns)
		b.b = d.InsertArrays(b.b, p.table, columnNames(columns))
		p.returnKey(b, columns)
	})
	return st, nil
}

// readKeys runs an INSERT that tells the keys that the engine has counted, in the order of the rows.
func (r Repository[T]) readKeys(ctx context.Context, st *statement, list []T) error {
	result, err := r.on.query(ctx, st)
	if err != nil {
		return err
	}
	defer result.Close()
	scan := newScanner([]*column{r.plan.auto})
	for i := range list {
		if !result.Next() {
			return cmp.Or(classify(r.on, result.Err()), errors.New("orm: the database told too few keys"))
		}
		if err := scan.row(result, unsafe.Pointer(&list[i])); err != nil {
			return err
		}
	}
	result.Next() // to the end, where the engine says what it refuses
	return classify(r.on, result.Err())
}

// countKeys runs an INSERT of rows that have keys, or whose keys follow from the one that the driver tells.
func (r Repository[T]) countKeys(ctx context.Context, st *statement, list []T, counted bool) error {
	result, err := r.on.exec(ctx, st)
	if err != nil {
		return err
	}
	if !counted {
		return r.countOn(ctx, r.largest(list))
	}
	id, err := result.LastInsertId() // of the first row on MySQL, of the last on SQLite; one statement counts without gaps
	if err != nil {
		return classify(r.on, err)
	}
	if r.on.dialect() == dialect.SQLite {
		id -= int64(len(list)) - 1
	}
	auto := r.plan.auto
	for i := range list {
		if err := auto.scan(auto.at(unsafe.Pointer(&list[i])), id+int64(i)); err != nil {
			return err
		}
	}
	return nil
}
