package orm

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// TxOptions are the settings of a transaction. The zero value is the engine's default isolation and three retries.
type TxOptions struct {
	// Isolation is a level of database/sql. SQLite is serializable whatever is asked for.
	Isolation sql.IsolationLevel
	// ReadOnly makes writes an error. On SQLite, read-only transactions do not wait for the writer.
	ReadOnly bool
	// Retries is how often the function is run again when the transaction collided with another one; 0 is three times,
	// a negative number is never.
	Retries int
}

// Tx is a transaction, or a part of one that can be undone by itself. It is a Session: queries take it in place of the
// DB. It may be used by several goroutines, whose statements then run one after another, and not after the function
// that it was given to has returned.
type Tx struct {
	core   *txCore
	parent *Tx // nil for the outermost
	name   string
	after  []func()
	state  txState
}

type txState int

const (
	txOpen txState = iota
	txCommitted
	txRolledBack
)

// txCore is what a transaction and its savepoints share.
type txCore struct {
	db     *DB
	ctx    context.Context
	shadow bool

	mu         sync.Mutex // serialises statements and guards what follows
	conn       *sql.Conn
	tx         *sql.Tx
	innermost  *Tx
	savepoints int
	writing    map[string]func()
	altered    bool  // settings of the connection were changed
	collision  error // an ErrSerialization, which decides whether to run again
	over       error // what made the server end the transaction: further statements would run outside of any

	reading atomic.Int32 // rows that are still being read; not under mu, because they may be closed while it is held
}

// Tx runs fn in a transaction: committed if fn returns nil, rolled back if it returns an error, panics, or the context
// ends first. If the transaction collides with another (ErrSerialization: a deadlock or a serialisation failure), fn is
// run again from the start, so it should do nothing else that cannot be repeated: use Tx.AfterCommit for that.
//
//	err := db.Tx(ctx, func(tx *orm.Tx) error {
//		…
//		tx.AfterCommit(func() { sendReceipt(order) })
//		return nil
//	})
//
// Inside, use tx and not db: what goes through db is not part of the transaction, and on SQLite a write through db waits
// for the transaction to end.
func (db *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	return db.TxWith(ctx, TxOptions{}, fn)
}

// TxWith is Tx with options.
func (db *DB) TxWith(ctx context.Context, o TxOptions, fn func(tx *Tx) error) error {
	retries := o.Retries
	if retries == 0 {
		retries = 3
	}
	pause := 5 * time.Millisecond
	for attempt := 0; ; attempt++ {
		again, err := db.attempt(ctx, o, fn)
		if !again || attempt >= retries || ctx.Err() != nil {
			return err
		}
		wait := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return err
		}
		pause *= 2
	}
}

// attempt runs fn in one transaction and says whether a collision was why it failed.
func (db *DB) attempt(ctx context.Context, o TxOptions, fn func(tx *Tx) error) (again bool, err error) {
	core, leave, err := db.begin(ctx, o)
	if err != nil {
		return errors.Is(err, ErrSerialization), err
	}
	tx := &Tx{core: core}
	core.innermost = tx
	defer leave()
	defer func() {
		if tx.state == txOpen { // an error, a panic or runtime.Goexit
			core.rollback(tx)
		}
		core.written()
	}()
	if err := fn(tx); err != nil {
		return errors.Is(err, ErrSerialization) || core.collided(), err
	}
	if err := core.commit(tx); err != nil {
		return errors.Is(err, ErrSerialization), err
	}
	core.written() // before AfterCommit, which may look at generations
	for _, f := range tx.after {
		f()
	}
	return false, nil
}

func (db *DB) begin(ctx context.Context, o TxOptions) (*txCore, func(), error) {
	core := &txCore{db: db, ctx: ctx, shadow: effect.Shadow(ctx)}
	readOnly := o.ReadOnly || core.shadow
	pool, leave := db.writer, func() {}
	if readOnly {
		pool = db.reader
	} else {
		var err error
		if leave, err = db.gate.enter(ctx); err != nil {
			return nil, nil, db.classify(err, "begin", "")
		}
	}
	start := db.began()
	err := db.persist(ctx, func() error {
		conn, err := pool.Conn(ctx)
		if err != nil {
			return err
		}
		tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: o.Isolation, ReadOnly: readOnly})
		if err != nil {
			conn.Close()
			return err
		}
		core.conn, core.tx = conn, tx
		return nil
	})
	if err != nil {
		err = db.classify(err, "begin", "")
		leave()
	}
	db.ran(ctx, start, &statement{text: "BEGIN", verb: "begin"}, -1, true, err)
	return core, leave, err
}

func (c *txCore) commit(tx *Tx) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	start := c.db.began()
	err := c.ended()
	switch {
	case err != nil:
	case c.over != nil:
		err = c.isOver("commit", "")
	case c.innermost != tx:
		err = &Error{Op: "commit", text: "a transaction inside of this one is still running: wait for its goroutine"}
	case c.reading.Load() > 0 && !c.db.pools.Multiplex:
		err = c.stillReading("commit", "")
	default:
		if err = c.tx.Commit(); err != nil {
			if gone := c.ended(); gone != nil && errors.Is(err, sql.ErrTxDone) {
				err = gone
			}
			err = c.db.classify(err, "commit", "")
			tx.state = txRolledBack
		} else {
			tx.state = txCommitted
		}
		c.release()
	}
	c.db.ran(c.ctx, start, &statement{text: "COMMIT", verb: "commit"}, -1, true, err)
	return err
}

// rollback never fails for the caller: a connection that cannot roll back is closed, which rolls back.
func (c *txCore) rollback(tx *Tx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	start := c.db.began()
	err := c.tx.Rollback()
	if errors.Is(err, sql.ErrTxDone) {
		err = nil // the end of the context was first
	}
	c.release()
	for t := c.innermost; t != nil; t = t.parent {
		t.state = txRolledBack
	}
	tx.state = txRolledBack
	c.db.ran(c.ctx, start, &statement{text: "ROLLBACK", verb: "rollback"}, -1, true, c.db.classify(err, "rollback", ""))
}

// release gives the connection back, but not with settings that somebody changed.
func (c *txCore) release() {
	if c.altered {
		c.conn.Raw(func(any) error { return driver.ErrBadConn }) // closes it
	}
	c.conn.Close()
}

// written reports that what was written is visible, or never will be.
func (c *txCore) written() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, done := range c.writing {
		done()
	}
	c.writing = nil
}

func (c *txCore) collided() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.collision != nil
}

// ended returns the error of a transaction whose context has ended: database/sql rolls it back then.
func (c *txCore) ended() error {
	if err := c.ctx.Err(); err != nil {
		kind := ErrCanceled
		if errors.Is(err, context.DeadlineExceeded) {
			kind = ErrTimeout
		}
		return &Error{Kind: kind, text: "the transaction was rolled back because its context ended", cause: err}
	}
	return nil
}

func (c *txCore) isOver(op, table string) error {
	var e *Error
	kind := error(nil)
	if errors.As(c.over, &e) {
		kind = e.Kind
	}
	return &Error{Kind: kind, Op: op, Table: table, cause: c.over,
		text: "an earlier statement failed in a way that ended the transaction: return its error"}
}

func (c *txCore) stillReading(op, table string) error {
	return &Error{Op: op, Table: table, text: "the rows of an earlier query of this transaction are still being read, " +
		"and " + c.db.lang.Name() + " runs one statement at a time: read them to the end first, with All in place of Iter; " +
		"goroutines that share a transaction must take turns"}
}

// AfterCommit has fn called once, after the outermost transaction was committed, in the order of registration. It is
// not called if the transaction, or the part of it that it was registered in, is rolled back.
func (tx *Tx) AfterCommit(fn func()) {
	tx.core.mu.Lock()
	state := tx.state
	if state == txOpen {
		tx.after = append(tx.after, fn)
	}
	tx.core.mu.Unlock()
	if state == txCommitted && tx.parent == nil {
		fn() // registered by another function that runs after the commit
	}
}

func (tx *Tx) dialect() dialect.Dialect { return tx.core.db.lang }
func (tx *Tx) models() *registry        { return tx.core.db.registry }
func (tx *Tx) transaction() *Tx         { return tx }

// DB returns the database of the transaction, for its name and settings; statements belong on the transaction.
func (tx *Tx) DB() *DB { return tx.core.db }

// usable says why no statement can run on tx, if so.
func (c *txCore) usable(tx *Tx, op, table string) error {
	if tx.state != txOpen {
		return &Error{Op: op, Table: table, text: "the transaction has ended: a Tx is not to be used after the function that it was given to has returned"}
	}
	if err := c.ended(); err != nil {
		return err
	}
	if c.over != nil {
		return c.isOver(op, table)
	}
	if c.reading.Load() > 0 && !c.db.pools.Multiplex {
		return c.stillReading(op, table)
	}
	return nil
}

// failed classifies what a statement of the transaction came to.
func (c *txCore) failed(err error, op, table string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, sql.ErrTxDone) {
		if gone := c.ended(); gone != nil {
			return gone
		}
	}
	err = c.db.classify(err, op, table)
	if errors.Is(err, ErrSerialization) {
		c.collision = err
	}
	// A statement that is given up takes the transaction with it: two of the engines lose the connection, and the third
	// rolls back.
	var e *Error
	if errors.As(err, &e) && e.ends || errors.Is(err, ErrConnection) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		c.over = err
	}
	return err
}

func (tx *Tx) query(ctx context.Context, s *statement) (*sql.Rows, error) {
	c := tx.core
	if !c.shadow { // whose transaction is read-only, whatever the text is
		s = c.db.looked(s)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.prepare(ctx, tx, s); err != nil {
		return nil, err
	}
	start := c.db.began()
	how := &call{Context: ctx, once: s.single(), rare: s.rare(), closed: func() {
		c.reading.Add(-1)
	}}
	var run context.Context = how
	if c.db.pools.Multiplex {
		how.closed = nil
		if !how.once {
			run = ctx
		}
	}
	if how.closed != nil {
		c.reading.Add(1) // before it runs: the rows may be closed before they are returned
	}
	rows, err := c.tx.QueryContext(run, s.text, s.args...)
	if err != nil && how.closed != nil {
		c.reading.Add(-1)
	}
	err = c.failed(err, s.verb, s.table)
	c.db.ran(ctx, start, s, -1, true, err)
	return rows, err
}

func (tx *Tx) exec(ctx context.Context, s *statement) (sql.Result, error) {
	c := tx.core
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.prepare(ctx, tx, s); err != nil {
		return nil, err
	}
	start := c.db.began()
	run := ctx
	if s.single() {
		run = &call{Context: ctx, once: true, rare: s.rare()}
	}
	result, err := c.tx.ExecContext(run, s.text, s.args...)
	err = c.failed(err, s.verb, s.table)
	c.db.ran(ctx, start, s, affected(result), true, err)
	return result, err
}

// prepare reports what a statement reads and writes. Writes are under way until the transaction has ended.
func (c *txCore) prepare(ctx context.Context, tx *Tx, s *statement) error {
	if err := c.usable(tx, s.verb, s.table); err != nil {
		return err
	}
	if s.verb == "raw" {
		v := judge(sqlKinds(c.db.lang.Name(), s.text))
		c.altered = c.altered || v.session
		if v.control() || v.savepoint {
			return &Error{Op: "raw", text: "SQL inside of Tx cannot begin or end transactions: return an error to roll back, and use Tx.Tx for a part that can be undone"}
		}
	}
	if len(s.writes) > 0 && (c.shadow || effect.Shadow(ctx)) {
		return &Error{Kind: ErrReadOnly, Op: s.verb, Table: s.table, text: "a shadow run must not write: this is a mistake in package orm or in raw SQL"}
	}
	c.db.note(ctx, s)
	c.write(s.writes)
	return nil
}

func (c *txCore) write(tables []string) {
	for _, table := range tables {
		if c.writing[table] == nil {
			if c.writing == nil {
				c.writing = map[string]func(){}
			}
			c.writing[table] = effect.Writing(c.db.source, table)
		}
	}
}

// shadowed asks the statement's context first, then that of the transaction: either may be a shadow.
func (tx *Tx) shadowed(ctx context.Context, s *statement) bool {
	if tx.core.db.shadowed(ctx, s) {
		return true
	}
	return tx.core.shadow && tx.core.db.shadowed(tx.core.ctx, s)
}

// Native hands the driver's connection to fn, for what goes beside SQL: a *stdlib.Conn on PostgreSQL, for example. All
// tables count as written. Under a shadow the connection is in a read-only transaction.
func (tx *Tx) Native(fn func(conn any) error) error {
	c := tx.core
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.usable(tx, "native", ""); err != nil {
		return err
	}
	if !c.shadow {
		c.write([]string{""})
	}
	return c.conn.Raw(func(driverConn any) error {
		own, ok := driverConn.(*conn)
		if !ok {
			return fmt.Errorf("orm: the connection is a %T", driverConn)
		}
		if wrapped, ok := own.fullConn.(interface{ Native() any }); ok {
			return fn(wrapped.Native())
		}
		return fn(own.fullConn)
	})
}
