package orm

import (
	"context"
	"database/sql/driver"
	"errors"
	"reflect"
)

// Between database/sql and a driver stands a connection of our own. It keeps prepared statements per connection, where
// they serve inside of transactions as well as outside, and says when rows have been read to their end.

// A call is a context that tells our connection how to run one statement. It must reach the driver as it is, not
// wrapped in another context.
type call struct {
	context.Context
	once   bool   // do not keep the prepared statement …
	rare   bool   // … unless the text comes again soon
	closed func() // called once after the rows have been closed; not called if there was an error instead of rows
}

// connector wraps the connections of another.
type connector struct {
	driver.Connector
	statements int
	argument   func(*driver.NamedValue) error
}

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) { return c.connect(ctx) }

func (c *connector) connect(ctx context.Context) (*conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := inner.(fullConn)
	if !ok {
		inner.Close()
		return nil, errors.New("orm: the driver's connection lacks the context methods of database/sql/driver")
	}
	w := &conn{fullConn: full, argument: c.argument}
	if w.argument == nil {
		if checker, ok := inner.(driver.NamedValueChecker); ok {
			w.argument = checker.CheckNamedValue
		} else {
			w.argument = func(*driver.NamedValue) error { return driver.ErrSkip }
		}
	}
	w.validator, _ = inner.(driver.Validator)
	if c.statements > 0 {
		w.cache, w.rare = newStatements(c.statements), newStatements(rareStatements)
	}
	return w, nil
}

// fullConn is what the connections of all three drivers can do.
type fullConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.QueryerContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
}

// An abandoner wants to know of statements that ended by their context: the server may not have noticed.
type abandoner interface{ Abandoned() }

// conn is used by one goroutine at a time; database/sql sees to that.
type conn struct {
	fullConn
	validator driver.Validator
	argument  func(*driver.NamedValue) error
	cache     *statements // nil: the driver keeps prepared statements by itself, or nobody does
	rare      *statements // few, for long texts that came again soon: bulk inserts, lists of keys
	seen      recentTexts
}

// rareStatements is how many statements with long texts are kept.
const rareStatements = 8

// keeps returns the cache that the statement for a text belongs in, or nil if it is not to be kept.
func (c *conn) keeps(how *call, text string) *statements {
	switch {
	case c.cache == nil || how == nil || !how.once:
		return c.cache
	case how.rare && c.seen.again(text):
		return c.rare
	}
	return nil
}

// left tells the driver's connection if a statement ended by its context.
func (c *conn) left(ctx context.Context, err error) {
	if err == nil || ctx.Err() == nil {
		return
	}
	if a, ok := c.fullConn.(abandoner); ok {
		a.Abandoned()
	}
}

func (c *conn) CheckNamedValue(v *driver.NamedValue) error { return c.argument(v) }

func (c *conn) IsValid() bool { return c.validator == nil || c.validator.IsValid() }

func (c *conn) Close() error {
	if c.cache != nil {
		c.cache.close()
		c.rare.close()
	}
	return c.fullConn.Close()
}

func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (rows driver.Rows, err error) {
	defer func() { c.left(ctx, err) }()
	how, _ := ctx.(*call)
	var closed func()
	if how != nil {
		closed = how.closed
	}
	cache := c.keeps(how, text)
	if cache == nil {
		rows, err := c.fullConn.QueryContext(ctx, text, args)
		if !errors.Is(err, driver.ErrSkip) {
			return ended(rows, err, closed)
		}
	}
	s, err := c.prepared(ctx, text, cache)
	if err != nil {
		return nil, err
	}
	rows, err = s.query(ctx, args)
	if err != nil {
		s.drop(cache)
		return nil, err
	}
	return &liveRows{Rows: rows, statement: s, cache: cache, closed: closed}, nil
}

func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (result driver.Result, err error) {
	defer func() { c.left(ctx, err) }()
	how, _ := ctx.(*call)
	cache := c.keeps(how, text)
	if cache == nil {
		result, err := c.fullConn.ExecContext(ctx, text, args)
		if !errors.Is(err, driver.ErrSkip) {
			return result, err
		}
	}
	s, err := c.prepared(ctx, text, cache)
	if err != nil {
		return nil, err
	}
	result, err = s.exec(ctx, args)
	if err != nil {
		s.drop(cache)
		return nil, err
	}
	s.release(cache)
	return result, nil
}

// prepared takes a statement out of a cache, if there is one, or prepares it.
func (c *conn) prepared(ctx context.Context, text string, cache *statements) (*prepared, error) {
	if cache != nil {
		if s := cache.take(text); s != nil {
			return s, nil
		}
	}
	inner, err := c.fullConn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s, err := newPrepared(inner, text)
	if err == nil && cache != nil {
		cache.add(s)
	}
	return s, err
}

func ended(rows driver.Rows, err error, closed func()) (driver.Rows, error) {
	if err != nil || closed == nil {
		return rows, err
	}
	return &liveRows{Rows: rows, closed: closed}, nil
}

// liveRows are rows with something to do after they have been closed.
type liveRows struct {
	driver.Rows
	statement *prepared
	cache     *statements
	closed    func()
}

func (r *liveRows) Close() error {
	err := r.Rows.Close()
	if s := r.statement; s != nil {
		r.statement = nil
		if err != nil {
			s.drop(r.cache)
		} else {
			s.release(r.cache)
		}
	}
	if closed := r.closed; closed != nil {
		r.closed = nil
		closed()
	}
	return err
}

func (r *liveRows) HasNextResultSet() bool {
	next, ok := r.Rows.(driver.RowsNextResultSet)
	return ok && next.HasNextResultSet()
}

func (r *liveRows) NextResultSet() error {
	if next, ok := r.Rows.(driver.RowsNextResultSet); ok {
		return next.NextResultSet()
	}
	return errors.New("orm: there are no further results")
}

func (r *liveRows) ColumnTypeDatabaseTypeName(i int) string {
	if t, ok := r.Rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return t.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

func (r *liveRows) ColumnTypeScanType(i int) reflect.Type {
	if t, ok := r.Rows.(driver.RowsColumnTypeScanType); ok {
		return t.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}

func (r *liveRows) ColumnTypeNullable(i int) (nullable, ok bool) {
	if t, is := r.Rows.(driver.RowsColumnTypeNullable); is {
		return t.ColumnTypeNullable(i)
	}
	return false, false
}

func (r *liveRows) ColumnTypeLength(i int) (length int64, ok bool) {
	if t, is := r.Rows.(driver.RowsColumnTypeLength); is {
		return t.ColumnTypeLength(i)
	}
	return 0, false
}

func (r *liveRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	if t, is := r.Rows.(driver.RowsColumnTypePrecisionScale); is {
		return t.ColumnTypePrecisionScale(i)
	}
	return 0, 0, false
}
