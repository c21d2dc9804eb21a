package orm

import (
	"context"
	"fmt"
)

// Raw runs SQL of the engine's own and reads its rows into models: columns go to the fields of their names, and fields
// without a column stay zero. Places of arguments are written as the engine has them: ? or, in PostgreSQL, $1. Since
// nothing is known about the text, it counts as reading all tables, and is refused in a shadow unless it only reads.
func (r Repository[T]) Raw(ctx context.Context, text string, args ...any) ([]T, error) {
	if err := r.ready(); err != nil {
		return nil, err
	}
	b := newBuilder(r.on)
	for i, v := range args {
		plain, _, err := plainValue(v)
		if err != nil {
			return nil, fmt.Errorf("orm: argument %d: %w", i+1, err)
		}
		b.args = append(b.args, driverValue(b.d, plain))
	}
	st := &statement{text: text, args: b.args, verb: "raw", reads: []string{""}, once: true}
	result, err := r.on.query(ctx, st)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	names, err := result.Columns()
	if err != nil {
		return nil, classify(r.on, err)
	}
	columns := make([]*column, len(names))
	for i, name := range names {
		if columns[i] = r.plan.column(name); columns[i] == nil {
			return nil, r.plan.unknown(name, name)
		}
	}
	var out rowsOf[T]
	scan := newScanner(columns)
	for result.Next() {
		if err := scan.row(result, out.next()); err != nil {
			return nil, fmt.Errorf("orm: reading rows of %s: %w", r.plan.name, err)
		}
	}
	return out.list, classify(r.on, result.Err())
}

// Exec runs SQL of the engine's own that returns no rows, on a *DB or inside a transaction. Places of arguments are
// written as the engine has them. It counts as writing all tables, and in a shadow it is reported and left undone, with
// zero rows affected.
func Exec(ctx context.Context, on Session, text string, args ...any) (rowsAffected int64, err error) {
	b := newBuilder(on)
	for i, v := range args {
		plain, _, err := plainValue(v)
		if err != nil {
			return 0, fmt.Errorf("orm: argument %d: %w", i+1, err)
		}
		b.args = append(b.args, driverValue(b.d, plain))
	}
	st := &statement{text: text, args: b.args, verb: "raw", writes: []string{""}, once: true}
	if on.shadowed(ctx, st) {
		return 0, nil
	}
	result, err := on.exec(ctx, st)
	if err != nil {
		return 0, err
	}
	rowsAffected, err = result.RowsAffected()
	return rowsAffected, classify(on, err)
}
