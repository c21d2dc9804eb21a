package orm

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
)

// SQL returns the database as a *sql.DB, for whoever prefers SQL. It is no hole in package effect: what reads is noted
// as a read of the whole database, what writes moves its generation on, and under a shadow a write is reported and
// refused. What the text does not show to be a read counts as a write. Its connections are its own; on PostgreSQL they
// come from the one pool. On SQLite, a statement that writes waits for its turn.
//
// Begin transactions with BeginTx, or with BEGIN on a *sql.Conn. Settings of a connection (SET, PRAGMA) last until the
// connection goes back to the pool. DB.Close closes it.
func (db *DB) SQL() *sql.DB { return db.raw() }

type rawConnector struct{ db *DB }

func (c *rawConnector) Connect(ctx context.Context) (driver.Conn, error) {
	p := c.db.pools
	from := p.Raw
	if from == nil {
		from = p.Writer
	}
	inner, err := (&connector{Connector: from, argument: p.Argument}).connect(ctx)
	if err != nil {
		return nil, err
	}
	return &rawConn{conn: inner, db: c.db}, nil
}

func (c *rawConnector) Driver() driver.Driver { return c.db.pools.Writer.Driver() }

// rawConn is a connection that looks at every text before it runs.
type rawConn struct {
	conn *conn
	db   *DB

	altered  bool   // settings of the connection were changed, which the next user of it must not inherit
	inTx     bool   // in a transaction, however it was begun
	readOnly bool   // which cannot write
	leave    func() // gives the writer's turn back; nil if this is not the writer
	written  func() // reports the end of writing; nil if nothing is being written
}

// A verdict is what a text does, taken together.
type verdict struct {
	reads, unknown, writes bool
	begins, ends           bool // a transaction
	savepoint, session     bool
	stays                  bool // in a transaction, if it begins or ends one
	several                bool
}

func judge(kinds []sqlKind) (v verdict) {
	v.several = len(kinds) > 1
	for _, k := range kinds {
		switch k {
		case sqlRead:
			v.reads = true
		case sqlUnknown:
			v.reads, v.unknown = true, true
		case sqlBegin:
			v.begins, v.stays = true, true
		case sqlEnd:
			v.ends, v.stays = true, false
		case sqlSavepoint:
			v.savepoint = true
		case sqlSession:
			v.writes, v.session = true, true
		default:
			v.writes = true
		}
	}
	return v
}

func (v verdict) control() bool { return v.begins || v.ends }

// enter gets the connection ready for a text. What it returns is called when the text has run and its rows, if any,
// have been closed.
func (c *rawConn) enter(ctx context.Context, text string, v verdict, args []driver.NamedValue) (exit func(error) error, err error) {
	if v.savepoint && !c.inTx && !v.begins {
		return nil, &Error{Op: "raw", text: "a savepoint outside of a transaction: begin one first"}
	}
	if effect.Shadow(ctx) {
		return c.enterShadow(ctx, text, v, args)
	}
	if v.reads {
		effect.Read(ctx, c.db.source, "")
	}
	c.altered = c.altered || v.session
	touches := v.writes || v.unknown
	if c.leave == nil && (v.begins || touches && !c.inTx) && !(c.inTx && c.readOnly) {
		leave, err := c.db.gate.enter(ctx)
		if err != nil {
			return nil, err
		}
		c.leave = leave
	}
	if touches && c.written == nil {
		c.written = effect.Writing(c.db.source, "")
	}
	return func(err error) error {
		switch {
		case !v.control():
		case err == nil:
			c.inTx = v.stays
		case v.begins && v.several:
			c.inTx = true // it failed somewhere in between: let the caller, or the pool, end it
		}
		if !c.inTx {
			c.settle()
		}
		return nil
	}, nil
}

// enterShadow refuses what could write, and runs reads where nothing can be written.
func (c *rawConn) enterShadow(ctx context.Context, text string, v verdict, args []driver.NamedValue) (exit func(error) error, err error) {
	guarded := c.inTx && c.readOnly
	if v.writes || v.control() || v.unknown && c.inTx && !guarded {
		values := make([]any, len(args))
		for i, a := range args {
			values[i] = a.Value
		}
		effect.Intend(ctx, c.db.intent(&statement{text: text, verb: "raw", args: values}))
		return nil, &Error{Kind: ErrReadOnly, Op: "raw", text: "this is a shadow run, in which SQL cannot write: the intent was reported; " +
			"begin transactions with BeginTx, which is read-only then"}
	}
	effect.Read(ctx, c.db.source, "")
	if c.inTx {
		return func(error) error { return nil }, nil
	}
	return c.guard(ctx)
}

// guard lets the connection read only until the returned function is called.
func (c *rawConn) guard(ctx context.Context) (func(error) error, error) {
	p := c.db.pools
	if p.Guard != "" {
		if _, err := c.conn.ExecContext(ctx, p.Guard, nil); err != nil {
			return nil, err
		}
		return func(error) error {
			_, err := c.conn.ExecContext(context.WithoutCancel(ctx), p.Unguard, nil)
			return err
		}, nil
	}
	tx, err := c.conn.BeginTx(context.WithoutCancel(ctx), driver.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	return func(error) error { return tx.Rollback() }, nil
}

// settle is called when no transaction is open any more.
func (c *rawConn) settle() {
	c.inTx, c.readOnly = false, false
	if c.written != nil {
		c.written()
		c.written = nil
	}
	if c.leave != nil {
		c.leave()
		c.leave = nil
	}
}

func (c *rawConn) exec(ctx context.Context, text string, v verdict, args []driver.NamedValue, run func() (driver.Result, error)) (driver.Result, error) {
	exit, err := c.enter(ctx, text, v, args)
	if err != nil {
		return nil, err
	}
	start := c.db.began()
	result, err := run()
	if left := exit(err); err == nil {
		err = left
	}
	rows := int64(-1)
	if err == nil && result != nil {
		if n, err := result.RowsAffected(); err == nil {
			rows = n
		}
	}
	c.ran(ctx, start, text, args, rows, err)
	return result, err
}

func (c *rawConn) query(ctx context.Context, text string, v verdict, args []driver.NamedValue, run func() (driver.Rows, error)) (driver.Rows, error) {
	if v.control() {
		return nil, &Error{Op: "raw", text: "a query cannot begin or end a transaction: use BeginTx, or Exec on a *sql.Conn"}
	}
	exit, err := c.enter(ctx, text, v, args)
	if err != nil {
		return nil, err
	}
	start := c.db.began()
	rows, err := run()
	c.ran(ctx, start, text, args, -1, err)
	if err != nil {
		exit(err)
		return nil, err
	}
	return &liveRows{Rows: rows, closed: func() { exit(nil) }}, nil
}

func (c *rawConn) ran(ctx context.Context, start time.Time, text string, args []driver.NamedValue, rows int64, err error) {
	if !start.IsZero() && !errors.Is(err, driver.ErrBadConn) { // which is tried again
		c.db.ran(ctx, start, &statement{text: text, verb: "raw", args: make([]any, len(args))}, rows, c.inTx, c.db.classify(err, "raw", ""))
	}
}

func (c *rawConn) judge(text string) verdict { return judge(sqlKinds(c.db.lang.Name(), text)) }

func (c *rawConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	return c.exec(ctx, text, c.judge(text), args, func() (driver.Result, error) { return c.conn.ExecContext(ctx, text, args) })
}

func (c *rawConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	return c.query(ctx, text, c.judge(text), args, func() (driver.Rows, error) { return c.conn.QueryContext(ctx, text, args) })
}

func (c *rawConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	inner, err := c.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s, err := newPrepared(inner, text)
	if err != nil {
		return nil, err
	}
	return &rawStmt{prepared: s, conn: c, verdict: c.judge(text)}, nil
}

func (c *rawConn) Prepare(text string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), text)
}

func (c *rawConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

func (c *rawConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if c.inTx {
		return nil, &Error{Op: "begin", text: "a transaction is open already on this connection"}
	}
	o.ReadOnly = o.ReadOnly || effect.Shadow(ctx)
	if !o.ReadOnly {
		leave, err := c.db.gate.enter(ctx)
		if err != nil {
			return nil, err
		}
		c.leave = leave
	}
	tx := &rawTx{conn: c}
	err := c.db.persist(ctx, func() (err error) {
		if p := c.db.pools; o.ReadOnly && p.Guard != "" {
			if tx.unguard, err = c.guard(ctx); err != nil {
				return err
			}
		}
		tx.inner, err = c.conn.BeginTx(ctx, o)
		return err
	})
	if err != nil {
		tx.settle()
		return nil, err
	}
	c.inTx, c.readOnly = true, o.ReadOnly
	return tx, nil
}

func (c *rawConn) CheckNamedValue(v *driver.NamedValue) error { return c.conn.CheckNamedValue(v) }
func (c *rawConn) Ping(ctx context.Context) error             { return c.conn.Ping(ctx) }
func (c *rawConn) ResetSession(ctx context.Context) error     { return c.conn.ResetSession(ctx) }

// IsValid is asked when the connection goes back to the pool: not with a transaction that somebody forgot, and not with
// settings that somebody changed.
func (c *rawConn) IsValid() bool { return !c.inTx && !c.altered && c.conn.IsValid() }

func (c *rawConn) Close() error {
	if c.inTx { // a pool below this one might use the connection again
		c.conn.ExecContext(context.Background(), "ROLLBACK", nil)
	}
	err := c.conn.Close()
	c.settle()
	return err
}

type rawTx struct {
	conn    *rawConn
	inner   driver.Tx
	unguard func(error) error
}

func (t *rawTx) Commit() error {
	defer t.settle()
	return t.inner.Commit()
}

func (t *rawTx) Rollback() error {
	defer t.settle()
	return t.inner.Rollback()
}

func (t *rawTx) settle() {
	if t.unguard != nil {
		t.unguard(nil)
	}
	t.conn.settle()
}

type rawStmt struct {
	*prepared
	conn    *rawConn
	verdict verdict
}

func (s *rawStmt) Close() error  { return s.inner.Close() }
func (s *rawStmt) NumInput() int { return s.inner.NumInput() }

func (s *rawStmt) Exec([]driver.Value) (driver.Result, error) {
	return nil, errors.New("orm: statements take a context")
}

func (s *rawStmt) Query([]driver.Value) (driver.Rows, error) {
	return nil, errors.New("orm: statements take a context")
}

func (s *rawStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.exec(ctx, s.text, s.verdict, args, func() (driver.Result, error) {
		result, err := s.execer.ExecContext(ctx, args)
		s.conn.conn.left(ctx, err)
		return result, err
	})
}

func (s *rawStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.query(ctx, s.text, s.verdict, args, func() (driver.Rows, error) {
		rows, err := s.queryer.QueryContext(ctx, args)
		s.conn.conn.left(ctx, err)
		return rows, err
	})
}
