package orm

import (
	"context"
	"database/sql"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// Session is what queries run on: a *DB, or a *Tx inside of a transaction.
type Session interface {
	dialect() dialect.Dialect
	models() *registry
	query(ctx context.Context, s *statement) (*sql.Rows, error)
	exec(ctx context.Context, s *statement) (sql.Result, error)
	shadowed(ctx context.Context, s *statement) bool
	transaction() *Tx
}

// A statement is one SQL text with its arguments and what package effect and the hooks are to know of it.
type statement struct {
	text   string
	args   []any
	verb   string   // "select", "insert", "update", "delete", "ddl" or "raw"
	table  string   // the table that it is about; "" for raw SQL
	reads  []string // the tables it reads; a single "" means all of them
	writes []string // the tables it writes; a single "" means all of them
	once   bool     // the text is not worth a place in the statement cache: raw SQL, long IN lists, bulk inserts
}

var (
	_ Session = (*DB)(nil)
	_ Session = (*Tx)(nil)
)
