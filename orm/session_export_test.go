package orm

import (
	"context"
	"database/sql"
)

// What the tests of package orm_test need of the inside: they are outside because engines import this package.

// Stmt is a statement.
func Stmt(verb, table, text string, args ...any) *statement {
	s := &statement{text: text, args: args, verb: verb, table: table}
	if verb == "select" {
		s.reads = []string{table}
	} else {
		s.writes = []string{table}
	}
	return s
}

// ExecStatement runs a statement that returns no rows.
func ExecStatement(ctx context.Context, s Session, st *statement) (sql.Result, error) {
	return s.exec(ctx, st)
}

// RunQuery runs a statement that returns rows.
func RunQuery(ctx context.Context, s Session, st *statement) (*sql.Rows, error) {
	return s.query(ctx, st)
}

// Shadowed is Session.shadowed.
func Shadowed(ctx context.Context, s Session, st *statement) bool { return s.shadowed(ctx, st) }

// ClassifyError is classify.
func ClassifyError(s Session, err error) error { return classify(s, err) }

// Readers is the pool of connections that read.
func Readers(db *DB) *sql.DB { return db.reader }

// RawRead is SQL of the caller's own that is said to read.
func RawRead(text string) *statement {
	return &statement{text: text, verb: "raw", reads: []string{""}, once: true}
}
