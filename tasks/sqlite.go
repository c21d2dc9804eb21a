package tasks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/ishaa-framework/ishaa/orm"
)

// sqliteDriver is River's driver with three changes. Looking for work in an idle queue is a read, where River's own takes
// the one writer's turn; and who enqueues wakes the workers of the same process at once, where River's own finds the
// notification by polling, which is left for other processes. And a job that Finish has completed is not written again.
type sqliteDriver struct {
	*riversqlite.Driver
	db       *sql.DB
	limiter  *limiter
	bell     *bell
	finished sync.Map // ids of jobs that Finish completed and that River is about to complete, too
}

func newSQLiteDriver(db *sql.DB, l *limiter) *sqliteDriver {
	return &sqliteDriver{Driver: riversqlite.New(db), db: db, limiter: l, bell: &bell{waiting: map[string]bool{}}}
}

func (d *sqliteDriver) GetExecutor() riverdriver.Executor {
	return &sqliteExecutor{Executor: d.Driver.GetExecutor(), driver: d}
}

func (d *sqliteDriver) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &sqliteListener{Listener: d.Driver.GetListener(params), bell: d.bell}
}

type sqliteExecutor struct {
	riverdriver.Executor
	driver *sqliteDriver
}

func (e *sqliteExecutor) JobGetAvailable(ctx context.Context, params *riverdriver.JobGetAvailableParams) (*riverdriver.JobGetAvailableResult, error) {
	var some bool
	err := e.driver.db.QueryRowContext(ctx, sqliteDialect.waiting, params.Queue).Scan(&some)
	if err != nil || !some {
		return &riverdriver.JobGetAvailableResult{}, err
	}
	return e.driver.limiter.get(ctx, params, e.Executor.JobGetAvailable)
}

func (e *sqliteExecutor) JobSetStateIfRunningMany(ctx context.Context, params *riverdriver.JobSetStateIfRunningManyParams) ([]*rivertype.JobRow, error) {
	rest := *params
	rest.ID, rest.Attempt, rest.ErrData, rest.FinalizedAt = nil, nil, nil, nil
	rest.MetadataDoMerge, rest.MetadataUpdates, rest.ScheduledAt, rest.State = nil, nil, nil, nil
	for i, id := range params.ID {
		if _, done := e.driver.finished.LoadAndDelete(id); done {
			continue
		}
		rest.ID = append(rest.ID, id)
		rest.Attempt = append(rest.Attempt, params.Attempt[i])
		rest.ErrData = append(rest.ErrData, params.ErrData[i])
		rest.FinalizedAt = append(rest.FinalizedAt, params.FinalizedAt[i])
		rest.MetadataDoMerge = append(rest.MetadataDoMerge, params.MetadataDoMerge[i])
		rest.MetadataUpdates = append(rest.MetadataUpdates, params.MetadataUpdates[i])
		rest.ScheduledAt = append(rest.ScheduledAt, params.ScheduledAt[i])
		rest.State = append(rest.State, params.State[i])
	}
	if len(rest.ID) == 0 {
		return nil, nil
	}
	return e.Executor.JobSetStateIfRunningMany(ctx, &rest)
}

// bell is rung with the name of a queue that has work.
type bell struct {
	mu      sync.Mutex
	waiting map[string]bool
	wake    context.CancelFunc
}

func (b *bell) ring(queue string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting[queue] = true
	if b.wake != nil {
		b.wake()
	}
}

// heard returns a queue that the bell was rung for, or a context that ends when it is.
func (b *bell) heard(ctx context.Context) (queue string, until context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for queue := range b.waiting {
		delete(b.waiting, queue)
		return queue, nil
	}
	until, b.wake = context.WithCancel(ctx)
	return "", until
}

func (b *bell) rest() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake()
	b.wake = nil
}

type sqliteListener struct {
	riverdriver.Listener
	bell *bell
}

func (l *sqliteListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	for {
		queue, until := l.bell.heard(ctx)
		if queue != "" {
			return &riverdriver.Notification{Topic: insertTopic, Payload: insertPayload(queue)}, nil
		}
		n, err := l.Listener.WaitForNotification(until)
		l.bell.rest()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.Canceled) {
			return n, err
		}
	}
}

// inSQLite lends the connection of a transaction to River as the *sql.Tx that its driver takes.
func inSQLite(ctx context.Context, tx *orm.Tx, fn func(*sql.Tx) error) error {
	return tx.Native(func(conn any) error {
		c, ok := conn.(fullConn)
		if !ok {
			return fmt.Errorf("tasks: the connection is a %T, which lacks the methods of one for SQLite", conn)
		}
		db := sql.OpenDB(lender{c})
		defer db.Close()
		lent, err := db.BeginTx(context.WithoutCancel(ctx), nil)
		if err != nil {
			return err
		}
		defer lent.Rollback() // which does nothing: the transaction is the caller's
		return fn(lent)
	})
}

type fullConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

// lender is a pool of the one connection, which it neither begins nor ends anything on.
type lender struct{ conn fullConn }

func (l lender) Connect(context.Context) (driver.Conn, error) { return lent{l.conn}, nil }
func (l lender) Driver() driver.Driver                        { return nil }

type lent struct{ fullConn }

func (lent) Close() error                                                 { return nil }
func (lent) Begin() (driver.Tx, error)                                    { return lentTx{}, nil }
func (lent) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return lentTx{}, nil }

type lentTx struct{}

func (lentTx) Commit() error   { return nil }
func (lentTx) Rollback() error { return nil }
