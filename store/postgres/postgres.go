// Package postgres is the engine of package store for PostgreSQL 12 and later: a
// table with expiry, and LISTEN and NOTIFY. Importing it makes postgres:// and
// postgresql:// known to store.Open:
//
//	import (
//		"github.com/ishaa-framework/ishaa/store"
//		_ "github.com/ishaa-framework/ishaa/store/postgres"
//	)
//
//	st, err := store.Open("postgres://app:secret@127.0.0.1:5432/shop")
//	if err != nil {
//		return err
//	}
//	defer st.Close()
//	err = st.Set(ctx, "greeting", []byte("hello"), time.Hour)
//
// Options of the URL are table, the name of the table (default ishaa_store; a
// schema before a dot, or search_path), and timeout, which is how long an operation
// may take whose context does not say (default 3s); what else there is goes to the
// driver, such as sslmode and pool_max_conns. The tables are made when they are not
// there; a role that may not make them finds them made by one that may.
//
// Every method is one round trip, but for Scan, which is one for each thousand
// keys, and refusals of Admit, which are two. The server decides when a key is
// expired; what is expired is removed about once a minute. A subscription takes a
// connection beside the pool and does not work through a pooler that shares
// connections between transactions.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/store/internal/link"
)

func init() {
	store.Register("postgres", open)
	store.Register("postgresql", open)
}

type engine struct {
	*link.Link
	pool     *pgxpool.Pool
	dials    *dials
	sql      statements
	space    string // tells the channels of this table from those of others
	listener *link.Listener
}

func open(address *url.URL) (store.Store, error) {
	u := *address
	l, err := link.New(&u)
	if err != nil {
		return nil, err
	}
	table := link.Option(&u, "table")
	if table == "" {
		table = "ishaa_store"
	}
	config, err := pgxpool.ParseConfig(u.String())
	if err != nil {
		return nil, errors.New("the address or an option of it is not understood: write postgres://user:password@host:5432/database")
	}
	e := &engine{Link: l, sql: newStatements(table), dials: newDials(l.Timeout)}
	config.ConnConfig.DialFunc = e.dials.dial
	config.ConnConfig.ConnectTimeout = l.Timeout
	config.ConnConfig.AfterConnect = connected
	ctx, cancel := context.WithTimeout(context.Background(), l.Timeout)
	defer cancel()
	if e.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	if err := e.prepare(ctx, table); err != nil {
		e.closePool()
		var answer *pgconn.PgError
		if errors.As(err, &answer) && !away(answer) {
			return nil, err
		}
		return nil, l.Unreachable(err)
	}
	e.listener = link.NewListener(l, e.dialSession)
	l.Every(sweepPeriod, e.sweep)
	return e, nil
}

// away reports whether an answer means that the server is not there for us.
func away(answer *pgconn.PgError) bool {
	switch answer.Code {
	case "57P01", "57P02", "57P03", "53300": // shutdown, crash, starting, too many connections
		return true
	}
	return false
}

// do carries out an operation's statement. What certainly did not reach the server,
// and what changes nothing, is done once more when an old connection turns out to
// be broken.
func (e *engine) do(o *link.Operation, repeatable bool, statement func(ctx context.Context) error) error {
	err := statement(o.Context)
	if err == nil || errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	var answer *pgconn.PgError
	if (!errors.As(err, &answer) || away(answer)) && o.Context.Err() == nil {
		e.pool.Reset()
		if repeatable || unsent(err) {
			err = statement(o.Context)
		}
	}
	switch {
	case err == nil, errors.Is(err, pgx.ErrNoRows):
		return err
	case errors.As(err, &answer) && answer.Code == "22003":
		return store.ErrNotCounter
	case errors.As(err, &answer) && !away(answer):
		return o.Refused(err)
	case unsent(err):
		return o.Unsent(err)
	}
	return o.Away(err)
}

// unsent reports whether a statement certainly did not reach the server.
func unsent(err error) bool {
	var connect *pgconn.ConnectError
	return pgconn.SafeToRetry(err) || errors.As(err, &connect)
}

// exec is do for a statement without rows. It gives how many it touched.
func (e *engine) exec(o *link.Operation, sql string, args ...any) (touched int64, err error) {
	err = e.do(o, false, func(ctx context.Context) error {
		tag, err := e.pool.Exec(ctx, sql, args...)
		touched = tag.RowsAffected()
		return err
	})
	return touched, err
}

// row is do for a statement with one row, and pgx.ErrNoRows when there is none.
func (e *engine) row(o *link.Operation, repeatable bool, sql string, args []any, into ...any) error {
	return e.do(o, repeatable, func(ctx context.Context) error {
		return e.pool.QueryRow(ctx, sql, args...).Scan(into...)
	})
}

// prepare makes the tables when they are not there.
func (e *engine) prepare(ctx context.Context, table string) error {
	var there bool
	var schema string
	err := e.pool.QueryRow(ctx, e.sql.there).Scan(&there, &schema)
	if err != nil {
		return err
	}
	e.space = schema + "." + table
	if there {
		return nil
	}
	return pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		// Nodes that start together would make them twice.
		for _, sql := range e.sql.create {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return fmt.Errorf("making the table %s: %w", table, err)
			}
		}
		return nil
	})
}

// sweepPeriod is about how often expired keys and old messages are removed.
const sweepPeriod = time.Minute

// sweepBatch is how many keys one statement removes, so that none locks for long.
const sweepBatch = 1000

func (e *engine) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sweepPeriod)
	defer cancel()
	for removed := int64(sweepBatch); removed == sweepBatch; {
		tag, err := e.pool.Exec(ctx, e.sql.sweep, sweepBatch)
		if err != nil {
			return // the next one comes
		}
		removed = tag.RowsAffected()
	}
	_, _ = e.pool.Exec(ctx, e.sql.sweepMessages)
}

// Close implements store.Store.
func (e *engine) Close() error {
	if !e.Link.Close() {
		return nil
	}
	e.listener.Hub.Close()
	e.Wait()
	e.closePool()
	return nil
}

// closePool closes the connections, politely as long as the server is quick.
func (e *engine) closePool() {
	timer := time.AfterFunc(min(e.Timeout, time.Second)/2, e.dials.kill)
	e.pool.Close()
	timer.Stop()
	e.dials.kill()
}
