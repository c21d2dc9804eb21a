package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// connector makes connections whose rows are read by this package. pgx's own prepare a conversion for every column of
// every result, which costs more than reading a row of a few columns does.
type connector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	own, ok := inner.(*stdlib.Conn)
	if !ok {
		inner.Close()
		return nil, fmt.Errorf("orm/postgres: pgx made a connection of type %T", inner)
	}
	return &conn{own}, nil
}

type conn struct{ *stdlib.Conn }

// Native is the connection that Tx.Native hands out.
func (c *conn) Native() any { return c.Conn }

// formats are the types that come in binary form; all others come as text.
var formats = pgx.QueryResultFormatsByOID{
	pgtype.BoolOID: pgx.BinaryFormatCode, pgtype.ByteaOID: pgx.BinaryFormatCode, pgtype.DateOID: pgx.BinaryFormatCode,
	pgtype.Float4OID: pgx.BinaryFormatCode, pgtype.Float8OID: pgx.BinaryFormatCode, pgtype.Int2OID: pgx.BinaryFormatCode,
	pgtype.Int4OID: pgx.BinaryFormatCode, pgtype.Int8OID: pgx.BinaryFormatCode, pgtype.TimestampOID: pgx.BinaryFormatCode,
	pgtype.TimestamptzOID: pgx.BinaryFormatCode, pgtype.OIDOID: pgx.BinaryFormatCode, pgtype.XIDOID: pgx.BinaryFormatCode,
	pgtype.CIDOID: pgx.BinaryFormatCode,
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, text string, named []driver.NamedValue) (driver.Rows, error) {
	own := c.Conn.Conn()
	if own.IsClosed() {
		return nil, driver.ErrBadConn
	}
	args := make([]any, 1+len(named))
	args[0] = formats
	for i, v := range named {
		args[i+1] = v.Value
	}
	result, err := own.Query(ctx, text, args...)
	if err != nil {
		if pgconn.SafeToRetry(err) {
			return nil, driver.ErrBadConn
		}
		return nil, err
	}
	first := result.Next() // which columns there are is known from now on
	if err := result.Err(); err != nil {
		result.Close()
		return nil, err
	}
	return &rows{result: result, types: own.TypeMap(), fields: result.FieldDescriptions(), first: true, more: first}, nil
}

// rows are those of one statement, as the values that database/sql knows.
type rows struct {
	result      pgx.Rows
	types       *pgtype.Map
	fields      []pgconn.FieldDescription
	first, more bool // the first row has been reached for; whether it is there
	rare        []rareColumn
}

// rareColumn is a column that goes through pgx's conversions.
type rareColumn struct {
	plan  pgtype.ScanPlan
	into  any
	value func() (driver.Value, error)
}

func (r *rows) Columns() []string {
	names := make([]string, len(r.fields))
	for i := range r.fields {
		names[i] = r.fields[i].Name
	}
	return names
}

func (r *rows) Close() error {
	r.result.Close()
	return r.result.Err()
}

// Next implements driver.result.
func (r *rows) Next(into []driver.Value) (err error) {
	if !r.first {
		r.more = r.result.Next()
	}
	r.first = false
	if !r.more {
		if err := r.result.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	for i, raw := range r.result.RawValues() {
		if raw == nil {
			into[i] = nil
		} else if into[i], err = r.value(i, raw); err != nil {
			return fmt.Errorf("column %s: %w", r.fields[i].Name, err)
		}
	}
	return nil
}

var errShort = errors.New("the server has sent a value of another length than its type has")

// value reads what is simple, and leaves the rest to pgx.
func (r *rows) value(i int, raw []byte) (driver.Value, error) {
	f := &r.fields[i]
	if f.Format != pgx.BinaryFormatCode {
		switch f.DataTypeOID {
		case pgtype.JSONOID, pgtype.JSONBOID, pgtype.XMLOID:
			return append([]byte{}, raw...), nil
		}
		if _, binary := formats[f.DataTypeOID]; binary { // the simple protocol has text only
			return r.convert(i, raw)
		}
		return string(raw), nil
	}
	width := 0
	switch f.DataTypeOID {
	case pgtype.ByteaOID:
		return append([]byte{}, raw...), nil
	case pgtype.Int8OID, pgtype.Float8OID:
		width = 8
	case pgtype.Int4OID, pgtype.Float4OID:
		width = 4
	case pgtype.Int2OID:
		width = 2
	case pgtype.BoolOID:
		width = 1
	default:
		return r.convert(i, raw)
	}
	if len(raw) != width {
		return nil, errShort
	}
	switch f.DataTypeOID {
	case pgtype.Int8OID:
		return int64(binary.BigEndian.Uint64(raw)), nil
	case pgtype.Int4OID:
		return int64(int32(binary.BigEndian.Uint32(raw))), nil
	case pgtype.Int2OID:
		return int64(int16(binary.BigEndian.Uint16(raw))), nil
	case pgtype.Float8OID:
		return math.Float64frombits(binary.BigEndian.Uint64(raw)), nil
	case pgtype.Float4OID:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(raw))), nil
	default:
		return raw[0] != 0, nil
	}
}

// convert reads a value the way of pgx.
func (r *rows) convert(i int, raw []byte) (driver.Value, error) {
	if r.rare == nil {
		r.rare = make([]rareColumn, len(r.fields))
	}
	c := &r.rare[i]
	if c.plan == nil {
		c.prepare(r.fields[i].DataTypeOID)
		c.plan = r.types.PlanScan(r.fields[i].DataTypeOID, r.fields[i].Format, c.into)
	}
	if err := c.plan.Scan(raw, c.into); err != nil {
		return nil, err
	}
	return c.value()
}

func (c *rareColumn) prepare(oid uint32) {
	switch oid {
	case pgtype.BoolOID:
		v := new(pgtype.Bool)
		c.into, c.value = v, func() (driver.Value, error) { return v.Value() }
	case pgtype.ByteaOID:
		v := new([]byte)
		c.into, c.value = v, func() (driver.Value, error) { return *v, nil }
	case pgtype.DateOID:
		v := new(pgtype.Date)
		c.into, c.value = v, func() (driver.Value, error) { return v.Value() }
	case pgtype.TimestampOID:
		v := new(pgtype.Timestamp)
		c.into, c.value = v, func() (driver.Value, error) { return v.Value() }
	case pgtype.TimestamptzOID:
		v := new(pgtype.Timestamptz)
		c.into, c.value = v, func() (driver.Value, error) { return v.Value() }
	case pgtype.Float4OID, pgtype.Float8OID:
		v := new(float64)
		c.into, c.value = v, func() (driver.Value, error) { return *v, nil }
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		v := new(int64)
		c.into, c.value = v, func() (driver.Value, error) { return *v, nil }
	default: // numbers of objects and transactions
		v := new(pgtype.Uint32)
		c.into, c.value = v, func() (driver.Value, error) { return v.Value() }
	}
}
