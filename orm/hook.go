package orm

import (
	"context"
	"log/slog"
	"time"
)

// QueryEvent is one statement that was run. It holds no values of arguments, so it is fit for logs and traces.
type QueryEvent struct {
	Database  string        // DB.Name
	Text      string        // the SQL, with placeholders
	Arguments int           // how many arguments it was given
	Verb      string        // "select", "insert", "update", "delete", "ddl", "raw", "begin", "commit", "rollback", "savepoint"
	Table     string        // the table it is about, if it is about one
	Start     time.Time     // when it began
	Duration  time.Duration // until it was done or, if it returns rows, until the first could be read
	Rows      int64         // rows affected; -1 if unknown
	Tx        bool          // whether it ran in a transaction
	Err       error         // an *Error, or nil
}

// OnQuery has hook called after every statement, in the goroutine that ran it, for metrics and for tracing: a span can
// be made of the event's Start and Duration. Register hooks before the database is used.
func (db *DB) OnQuery(hook func(ctx context.Context, event QueryEvent)) {
	db.hooksMu.Lock()
	defer db.hooksMu.Unlock()
	var hooks []func(context.Context, QueryEvent)
	if old := db.hooks.Load(); old != nil {
		hooks = append(hooks, *old...)
	}
	hooks = append(hooks, hook)
	db.hooks.Store(&hooks)
}

// began returns the time at which a statement starts, or zero if nobody wants to know.
func (db *DB) began() time.Time {
	if db.options.SlowQuery <= 0 && db.hooks.Load() == nil {
		return time.Time{}
	}
	return time.Now()
}

// ran tells hooks and the slow-query log of a statement.
func (db *DB) ran(ctx context.Context, start time.Time, s *statement, rows int64, tx bool, err error) {
	if start.IsZero() {
		return
	}
	took := time.Since(start)
	if db.options.SlowQuery > 0 && took >= db.options.SlowQuery {
		db.options.Logger.LogAttrs(ctx, slog.LevelWarn, "slow query", slog.String("database", db.name), slog.Duration("took", took),
			slog.String("sql", s.text), slog.Int("arguments", len(s.args)), slog.Int64("rows", rows))
	}
	hooks := db.hooks.Load()
	if hooks == nil {
		return
	}
	event := QueryEvent{Database: db.name, Text: s.text, Arguments: len(s.args), Verb: s.verb, Table: s.table,
		Start: start, Duration: took, Rows: rows, Tx: tx, Err: err}
	for _, hook := range *hooks {
		hook(ctx, event)
	}
}
