package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"strconv"
	"time"
)

// A statement whose context ends is left by the driver, which closes the connection; but the server goes on with it and
// with the locks that it holds until it finds out. So it is told.

type connector struct{ driver.Connector }

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := inner.(fullConn)
	if !ok {
		inner.Close()
		return nil, errors.New("the driver's connection lacks the context methods of database/sql/driver")
	}
	id, err := connectionID(ctx, full)
	if err != nil {
		inner.Close()
		return nil, err
	}
	return &conn{fullConn: full, connector: c, id: id}, nil
}

// fullConn is what the driver's connections can do.
type fullConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.QueryerContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

func connectionID(ctx context.Context, c fullConn) (int64, error) {
	rows, err := c.QueryContext(ctx, "SELECT CONNECTION_ID()", nil)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		return 0, err
	}
	switch id := row[0].(type) {
	case int64:
		return id, nil
	case uint64:
		return int64(id), nil
	case []byte:
		return strconv.ParseInt(string(id), 10, 64)
	}
	return 0, errors.New("the server does not tell the number of the connection")
}

type conn struct {
	fullConn
	connector *connector
	id        int64
}

// killTimeout bounds what an ended context waits for the server to be told.
const killTimeout = time.Second

// Abandoned is called by package orm when a statement's context has ended before the statement.
func (c *conn) Abandoned() {
	if c.IsValid() {
		return // it was not sent
	}
	ctx, cancel := context.WithTimeout(context.Background(), killTimeout)
	defer cancel()
	other, err := c.connector.Connector.Connect(ctx)
	if err != nil {
		return // the server finds out by itself in a while
	}
	defer other.Close()
	if execer, ok := other.(driver.ExecerContext); ok {
		execer.ExecContext(ctx, "KILL CONNECTION "+strconv.FormatInt(c.id, 10), nil)
	}
}
