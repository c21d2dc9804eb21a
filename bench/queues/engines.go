package queues

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/postgres"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
	"github.com/ishaa-framework/ishaa/tasks"
)

// jobs are River's, looked at by a connection that is no part of the queue.
type jobs struct{ db *sql.DB }

func (j jobs) Idle(ctx context.Context) (bool, error) {
	var left bool
	err := j.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM river_job WHERE state <> 'completed')").Scan(&left)
	return !left, err
}

func (j jobs) Rest(ctx context.Context) error {
	_, err := j.db.ExecContext(ctx, "DELETE FROM river_job")
	return err
}

func lookAt(driver, source string) (jobs, error) {
	if driver == "sqlite" {
		source = "file:" + source + "?_pragma=busy_timeout(10000)&_txlock=immediate"
	}
	db, err := sql.Open(driver, source)
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return jobs{db}, err
}

// ishaa is package tasks.
type ishaa struct {
	jobs
	source *orm.DB
	queue  *tasks.TaskQueue
	task   *tasks.Task[struct{}, struct{}]
}

func openIshaa(ctx context.Context, address, driver, source string, c *counter) (Engine, error) {
	db, err := orm.Open(address)
	if err != nil {
		return nil, err
	}
	queue := tasks.New(db, tasks.Options{MaxWorkers: workers})
	task := tasks.Define(queue, "empty", func(context.Context, struct{}) (struct{}, error) {
		c.ran1()
		return struct{}{}, nil
	})
	if err := queue.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	look, err := lookAt(driver, source)
	return &ishaa{look, db, queue, task}, err
}

func (e *ishaa) Enqueue(ctx context.Context, n int) error {
	_, err := e.task.DelayMany(ctx, make([]struct{}, n)...)
	return err
}

func (e *ishaa) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return errors.Join(e.queue.Stop(ctx), e.jobs.db.Close(), e.source.Close())
}

type emptyArgs struct{}

func (emptyArgs) Kind() string { return "empty" }

type emptyWorker struct {
	river.WorkerDefaults[emptyArgs]
	*counter
}

func (w *emptyWorker) Work(context.Context, *river.Job[emptyArgs]) error {
	w.ran1()
	return nil
}

// riverSettings are those of River's own benchmark, with the poll that is a net under notifications as seldom as ours.
func riverSettings(c *counter) *river.Config {
	workersOf := river.NewWorkers()
	river.AddWorker(workersOf, &emptyWorker{counter: c})
	return &river.Config{
		Workers: workersOf, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		FetchCooldown: 2 * time.Millisecond, FetchPollInterval: 200 * time.Millisecond,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
	}
}

// rivers is River by itself.
type rivers[TTx any] struct {
	jobs
	client *river.Client[TTx]
	closes func() error
}

func (e *rivers[TTx]) Enqueue(ctx context.Context, n int) error {
	params := make([]river.InsertManyParams, n)
	for i := range params {
		params[i].Args = emptyArgs{}
	}
	_, err := e.client.InsertMany(ctx, params) // which gives the ids, as Delay does
	return err
}

func (e *rivers[TTx]) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return errors.Join(e.client.Stop(ctx), e.jobs.db.Close(), e.closes())
}

func riverOnSQLite(ctx context.Context, file string, c *counter) (Engine, error) {
	db, err := sql.Open("sqlite", "file:"+file+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	driver := riversqlite.New(db)
	migrator, err := rivermigrate.New(driver, nil)
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	client, err := river.NewClient(driver, riverSettings(c))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	look, err := lookAt("sqlite", file)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &rivers[*sql.Tx]{look, client, db.Close}, client.Start(context.WithoutCancel(ctx))
}

func riverOnPostgres(ctx context.Context, address string, c *counter) (Engine, error) {
	pool, err := pgxpool.New(ctx, address)
	if err != nil {
		return nil, err
	}
	closes := func() error { pool.Close(); return nil }
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, nil)
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		return nil, errors.Join(err, closes())
	}
	client, err := river.NewClient(driver, riverSettings(c))
	if err != nil {
		return nil, errors.Join(err, closes())
	}
	look, err := lookAt("pgx", address)
	if err != nil {
		return nil, errors.Join(err, closes())
	}
	return &rivers[pgx.Tx]{look, client, closes}, client.Start(context.WithoutCancel(ctx))
}

// asynqs is asynq, on a Redis that forgets what it has not written when it dies.
type asynqs struct {
	client    *asynq.Client
	server    *asynq.Server
	inspector *asynq.Inspector
	queue     string
}

func openAsynq(address string, c *counter) (Engine, error) {
	at, err := asynq.ParseRedisURI(address)
	if err != nil {
		return nil, err
	}
	e := &asynqs{client: asynq.NewClient(at), inspector: asynq.NewInspector(at), queue: "ishaa-bench-" + strings.ToLower(rand.Text()[:12])}
	e.server = asynq.NewServer(at, asynq.Config{
		Concurrency: workers, Queues: map[string]int{e.queue: 1}, LogLevel: asynq.FatalLevel, TaskCheckInterval: 5 * time.Millisecond,
	})
	return e, e.server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		c.ran1()
		return nil
	}))
}

// Enqueue goes one by one, as asynq has no other way, on several goroutines.
func (e *asynqs) Enqueue(ctx context.Context, n int) error {
	const at = 16
	var all sync.WaitGroup
	failed := make([]error, at)
	for g := range at {
		all.Go(func() {
			for i := g; i < n && failed[g] == nil; i += at {
				_, failed[g] = e.client.EnqueueContext(ctx, asynq.NewTask("empty", nil), asynq.Queue(e.queue))
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

func (e *asynqs) Idle(context.Context) (bool, error) {
	info, err := e.inspector.GetQueueInfo(e.queue)
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return true, nil
	}
	return err == nil && info.Size == 0, err
}

func (e *asynqs) Rest(context.Context) error { return nil } // it keeps nothing

func (e *asynqs) Close() error {
	e.server.Shutdown()
	err := e.inspector.DeleteQueue(e.queue, true)
	if errors.Is(err, asynq.ErrQueueNotFound) {
		err = nil
	}
	return errors.Join(err, e.client.Close(), e.inspector.Close())
}
