package orm

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// DB is a database. It is safe for concurrent use; make one per database and share it.
type DB struct {
	engine   Engine
	pools    *Pools
	options  Options
	lang     dialect.Dialect
	registry *registry
	source   string // for package effect
	name     string

	writer, reader *sql.DB // the same if the engine does not tell them apart
	gate           *gate   // nil if there can be many writers
	replicas       []*DB
	turn           atomic.Uint32 // of the replicas

	raw    func() *sql.DB // the pool of SQL, opened at its first use
	rawSet atomic.Pointer[sql.DB]

	hooksMu sync.Mutex
	hooks   atomic.Pointer[[]func(context.Context, QueryEvent)]
}

func newDB(engine Engine, pools *Pools, o Options) (*DB, error) {
	db := &DB{engine: engine, pools: pools, options: o, registry: newRegistry(), source: pools.Source, name: databaseName(pools.Source)}
	switch engine.Dialect() {
	case "sqlite":
		db.lang = dialect.SQLite
	case "postgres":
		db.lang = dialect.Postgres
	case "mysql":
		db.lang = dialect.MySQL
	default:
		return nil, fmt.Errorf("orm: the engine speaks %q, which is none of sqlite, postgres and mysql", engine.Dialect())
	}
	writers := o.MaxConnections
	if pools.SingleWriter {
		writers = 1
		db.gate = &gate{limit: o.LockTimeout}
	}
	db.writer = db.pool(pools.Writer, writers)
	db.reader = db.writer
	if pools.Reader != nil {
		db.reader = db.pool(pools.Reader, o.MaxConnections)
	}
	db.raw = sync.OnceValue(func() *sql.DB {
		raw := sql.OpenDB(&rawConnector{db: db})
		db.limits(raw, o.MaxConnections)
		db.rawSet.Store(raw)
		return raw
	})
	return db, nil
}

func (db *DB) pool(c driver.Connector, most int) *sql.DB {
	pool := sql.OpenDB(&connector{Connector: c, statements: db.pools.Statements, argument: db.pools.Argument})
	db.limits(pool, most)
	return pool
}

func (db *DB) limits(pool *sql.DB, most int) {
	if db.pools.MaxConnections > 0 {
		most = db.pools.MaxConnections
	}
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(min(most, db.options.MaxIdle))
	pool.SetConnMaxLifetime(db.options.MaxLifetime)
}

// databaseName is the last part of a source: "shop" or "app.db".
func databaseName(source string) string {
	source, _, _ = strings.Cut(source, "?")
	return source[strings.LastIndexByte(source, '/')+1:]
}

// Name returns the name of the database: that of a file, or what comes last in the URL.
func (db *DB) Name() string { return db.name }

// Dialect names the SQL that the database speaks: "sqlite", "postgres" or "mysql".
func (db *DB) Dialect() string { return db.lang.Name() }

// Source is the database's name in package effect: the same for everybody who opens it, without credentials.
func (db *DB) Source() string { return db.source }

// Native returns what the engine offers beside SQL, such as the pool of connections that package orm/postgres reads it
// from, or nil.
func (db *DB) Native() any { return db.pools.Native }

// Ping reports whether the database answers, and its replicas. It suits a readiness check:
//
//	app.Install(ishaa.Health(map[string]func(context.Context) error{"database": db.Ping}))
func (db *DB) Ping(ctx context.Context) error {
	if err := db.writer.PingContext(ctx); err != nil {
		return db.classify(err, "ping", "")
	}
	if db.reader != db.writer {
		if err := db.reader.PingContext(ctx); err != nil {
			return db.classify(err, "ping", "")
		}
	}
	for _, r := range db.replicas {
		if err := r.Ping(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close waits for running statements and closes all connections.
func (db *DB) Close() error {
	var failed []error
	for _, r := range db.replicas {
		failed = append(failed, r.Close())
	}
	if raw := db.rawSet.Load(); raw != nil {
		failed = append(failed, raw.Close())
	}
	if db.reader != db.writer { // readers first: the last one out folds the write-ahead log into the file
		failed = append(failed, db.reader.Close())
	}
	failed = append(failed, db.writer.Close())
	if db.pools.Close != nil {
		failed = append(failed, db.pools.Close())
	}
	return errors.Join(failed...)
}

// Stats are figures of the pools of connections.
type Stats struct {
	Writer, Reader sql.DBStats   // the same where the engine does not tell them apart
	Replicas       []sql.DBStats // in the order of Options.Replicas
}

// Stats returns the present figures of the pools.
func (db *DB) Stats() Stats {
	s := Stats{Writer: db.writer.Stats(), Reader: db.reader.Stats()}
	for _, r := range db.replicas {
		s.Replicas = append(s.Replicas, r.reader.Stats())
	}
	return s
}

func (db *DB) dialect() dialect.Dialect { return db.lang }
func (db *DB) models() *registry        { return db.registry }
func (db *DB) transaction() *Tx         { return nil }

// readers is the pool for a read outside of a transaction.
func (db *DB) readers(ctx context.Context) *sql.DB {
	if len(db.replicas) > 0 && ctx.Value(primaryKey{}) == nil {
		return db.replicas[int(db.turn.Add(1))%len(db.replicas)].reader
	}
	return db.reader
}

func (db *DB) query(ctx context.Context, s *statement) (*sql.Rows, error) {
	start := db.began()
	s = db.looked(s)
	rows, err := db.queryOutside(ctx, s)
	if err != nil {
		err = db.classify(err, s.verb, s.table)
	}
	db.ran(ctx, start, s, -1, false, err)
	return rows, err
}

func (db *DB) queryOutside(ctx context.Context, s *statement) (*sql.Rows, error) {
	if s.verb == "raw" && effect.Shadow(ctx) {
		return db.SQL().QueryContext(ctx, s.text, s.args...) // guarded against what the text does not show
	}
	if len(s.writes) == 0 {
		db.note(ctx, s)
		rows, err := db.read(ctx, s)
		for range readRetries {
			if err == nil || ctx.Err() != nil {
				break
			}
			if f := db.fault(err); f.Kind != ErrConnection && !f.Again {
				break
			}
			rows, err = db.read(ctx, s)
		}
		return rows, err
	}
	done, err := db.writing(ctx, s)
	if err != nil {
		return nil, err
	}
	var once sync.Once
	closed := func() { once.Do(done) }
	var rows *sql.Rows
	err = db.persist(ctx, func() (err error) {
		rows, err = db.writer.QueryContext(&call{Context: ctx, once: s.single(), rare: s.rare(), closed: closed}, s.text, s.args...)
		return err
	})
	if err != nil {
		closed()
		return nil, err
	}
	return rows, nil
}

// readRetries is how often a read is tried again when the connection broke (a server that was restarted leaves broken
// ones in the pool) or its plan was made before the table was changed.
const readRetries = 3

func (db *DB) read(ctx context.Context, s *statement) (*sql.Rows, error) {
	if s.single() {
		return db.readers(ctx).QueryContext(&call{Context: ctx, once: true, rare: s.rare()}, s.text, s.args...)
	}
	return db.readers(ctx).QueryContext(ctx, s.text, s.args...)
}

func (db *DB) exec(ctx context.Context, s *statement) (sql.Result, error) {
	start := db.began()
	result, err := db.execOutside(ctx, s)
	if err != nil {
		err = db.classify(err, s.verb, s.table)
	}
	db.ran(ctx, start, s, affected(result), false, err)
	return result, err
}

func (db *DB) execOutside(ctx context.Context, s *statement) (result sql.Result, err error) {
	if s.verb == "raw" {
		switch v := judge(sqlKinds(db.lang.Name(), s.text)); {
		case v.stays || v.savepoint && !v.begins:
			return nil, &Error{Op: "raw", text: "the text leaves a transaction open, which nobody could end: use DB.Tx"}
		case v.control() || v.session: // a script may fail before it ends its transaction, settings last: that pool cleans up
			return db.SQL().ExecContext(ctx, s.text, s.args...)
		}
	}
	done, err := db.writing(ctx, s)
	if err != nil {
		return nil, err
	}
	defer done()
	err = db.persist(ctx, func() (err error) {
		if s.single() {
			result, err = db.writer.ExecContext(&call{Context: ctx, once: true, rare: s.rare()}, s.text, s.args...)
		} else {
			result, err = db.writer.ExecContext(ctx, s.text, s.args...)
		}
		return err
	})
	return result, err
}

// looked returns a raw query with what its text does: one that is not known to only read counts as writing everything.
func (db *DB) looked(s *statement) *statement {
	if s.verb != "raw" || len(s.writes) > 0 {
		return s
	}
	if v := judge(sqlKinds(db.lang.Name(), s.text)); !v.writes && !v.unknown && !v.control() {
		return s
	}
	writing := *s
	writing.writes = []string{""}
	return &writing
}

// single reports whether the statement is not worth keeping. Definitions run once, and not every server can prepare them.
func (s *statement) single() bool { return s.once || s.verb == "ddl" || s.verb == "raw" }

// rare reports whether the statement is worth keeping if its text comes again soon: a bulk insert of as many rows, a list
// of as many keys.
func (s *statement) rare() bool { return s.once && s.verb != "ddl" && s.verb != "raw" }

func affected(r sql.Result) int64 {
	if r != nil {
		if n, err := r.RowsAffected(); err == nil {
			return n
		}
	}
	return -1
}

// note reports what a statement reads.
func (db *DB) note(ctx context.Context, s *statement) {
	for _, table := range s.reads {
		effect.Read(ctx, db.source, table)
	}
}

// writing waits for the writer's turn and reports that tables are being written, until done is called.
func (db *DB) writing(ctx context.Context, s *statement) (done func(), err error) {
	if effect.Shadow(ctx) {
		return nil, &Error{Kind: ErrReadOnly, Op: s.verb, Table: s.table, text: "a shadow run must not write: this is a mistake in package orm or in raw SQL"}
	}
	leave, err := db.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	db.note(ctx, s)
	tables := make([]func(), len(s.writes))
	for i, table := range s.writes {
		tables[i] = effect.Writing(db.source, table)
	}
	return func() {
		for _, written := range tables {
			written()
		}
		leave()
	}, nil
}

// persist tries again while another process holds the database, until it lets go, the context ends or LockTimeout is
// over.
func (db *DB) persist(ctx context.Context, try func() error) error {
	err := try()
	if err == nil || db.pools.Busy == nil || !db.pools.Busy(err) {
		return err
	}
	deadline := time.NewTimer(db.options.LockTimeout)
	defer deadline.Stop()
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		again := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return ctx.Err()
		case <-deadline.C:
			again.Stop()
			return &Error{Kind: ErrTimeout, text: "another process kept the database locked for " + db.options.LockTimeout.String(), cause: err}
		}
		if err = try(); err == nil || !db.pools.Busy(err) {
			return err
		}
	}
}

func (db *DB) shadowed(ctx context.Context, s *statement) bool {
	return effect.Shadow(ctx) && effect.Intend(ctx, db.intent(s))
}

// intent describes a write, comparable between two runs. Arguments are told apart by a digest: they may be secrets.
func (db *DB) intent(s *statement) effect.Intent {
	return effect.Intent{Kind: "sql", Target: s.table, Detail: s.verb + ": " + s.text + digest(s.args)}
}

func digest(args []any) string {
	if len(args) == 0 {
		return ""
	}
	sum := sha256.New()
	for _, arg := range args {
		if valuer, ok := arg.(driver.Valuer); ok {
			if v, err := valuer.Value(); err == nil {
				arg = v
			}
		}
		digestArgument(sum, arg)
	}
	return " with " + hex.EncodeToString(sum.Sum(nil)[:8])
}
