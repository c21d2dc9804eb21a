package tasks

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/postgres"
)

// inPostgres lends the connection of a transaction to River as the pgx.Tx that its driver takes.
func inPostgres(_ context.Context, tx *orm.Tx, fn func(pgx.Tx) error) error {
	return postgres.Conn(tx, func(conn *pgx.Conn) error { return fn(&lentPgx{on: conn}) })
}

// postgresDriver is River's driver, with rates.
type postgresDriver struct {
	*riverpgxv5.Driver
	limiter *limiter
}

func (d *postgresDriver) GetExecutor() riverdriver.Executor {
	return &postgresExecutor{d.Driver.GetExecutor(), d.limiter}
}

type postgresExecutor struct {
	riverdriver.Executor
	limiter *limiter
}

func (e *postgresExecutor) JobGetAvailable(ctx context.Context, params *riverdriver.JobGetAvailableParams) (*riverdriver.JobGetAvailableResult, error) {
	return e.limiter.get(ctx, params, e.Executor.JobGetAvailable)
}

// lentPgx is a transaction that somebody else begins and ends. What River begins inside is a savepoint.
type lentPgx struct {
	on        *pgx.Conn
	savepoint string
	depth     int
}

func (t *lentPgx) Begin(ctx context.Context) (pgx.Tx, error) {
	inner := &lentPgx{on: t.on, savepoint: "river_" + strconv.Itoa(t.depth+1), depth: t.depth + 1}
	_, err := t.on.Exec(ctx, "SAVEPOINT "+inner.savepoint)
	return inner, err
}

func (t *lentPgx) Commit(ctx context.Context) error   { return t.end(ctx, "RELEASE SAVEPOINT ") }
func (t *lentPgx) Rollback(ctx context.Context) error { return t.end(ctx, "ROLLBACK TO SAVEPOINT ") }

func (t *lentPgx) end(ctx context.Context, how string) error {
	if t.savepoint == "" {
		return errors.New("tasks: the transaction is the caller's to end")
	}
	_, err := t.on.Exec(ctx, how+t.savepoint)
	return err
}

func (t *lentPgx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	return t.on.CopyFrom(ctx, table, columns, rows)
}

func (t *lentPgx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return t.on.SendBatch(ctx, b)
}

func (t *lentPgx) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }

func (t *lentPgx) Prepare(ctx context.Context, name, text string) (*pgconn.StatementDescription, error) {
	return t.on.Prepare(ctx, name, text)
}

func (t *lentPgx) Exec(ctx context.Context, text string, args ...any) (pgconn.CommandTag, error) {
	return t.on.Exec(ctx, text, args...)
}

func (t *lentPgx) Query(ctx context.Context, text string, args ...any) (pgx.Rows, error) {
	return t.on.Query(ctx, text, args...)
}

func (t *lentPgx) QueryRow(ctx context.Context, text string, args ...any) pgx.Row {
	return t.on.QueryRow(ctx, text, args...)
}

func (t *lentPgx) Conn() *pgx.Conn { return t.on }
