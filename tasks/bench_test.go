package tasks_test

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	"github.com/ishaa-framework/ishaa/tasks"
)

const (
	benchWorkers = 100
	benchBatch   = 1000
)

// BenchmarkWork runs empty jobs that were enqueued before, on this package and on the River that is under it with the
// settings of its own benchmark; SQLite is as safe from power failures in both. An operation is a job.
func BenchmarkWork(b *testing.B) {
	b.Run("ishaa/sqlite", func(b *testing.B) { workIshaa(b, ormtest.New(b, ormtest.SQLite)) })
	b.Run("river/sqlite", func(b *testing.B) {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "river.db")+
			"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		workRiver(b, riversqlite.New(db))
	})
	b.Run("ishaa/postgres", func(b *testing.B) { workIshaa(b, ormtest.New(b, ormtest.Postgres)) })
	b.Run("river/postgres", func(b *testing.B) {
		pool, err := pgxpool.New(b.Context(), ormtest.URL(b, ormtest.Postgres))
		if err != nil {
			b.Fatal(err)
		}
		defer pool.Close()
		workRiver(b, riverpgxv5.New(pool))
	})
}

func workIshaa(b *testing.B, db *orm.DB) {
	queue := tasks.New(db, tasks.Options{MaxWorkers: benchWorkers})
	var done atomic.Int64
	all := make(chan struct{})
	task := tasks.Define(queue, "empty", func(context.Context, int) (struct{}, error) {
		if done.Add(1) == int64(b.N) {
			close(all)
		}
		return struct{}{}, nil
	})
	for n := 0; n < b.N; n += benchBatch {
		if _, err := task.DelayMany(b.Context(), make([]int, min(benchBatch, b.N-n))...); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	if err := queue.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	<-all
	if err := queue.Stop(b.Context()); err != nil { // with what is left to write
		b.Fatal(err)
	}
}

type emptyArgs struct{}

func (emptyArgs) Kind() string { return "empty" }

type emptyWorker struct {
	river.WorkerDefaults[emptyArgs]
	done *atomic.Int64
	all  chan struct{}
	n    int64
}

func (w *emptyWorker) Work(context.Context, *river.Job[emptyArgs]) error {
	if w.done.Add(1) == w.n {
		close(w.all)
	}
	return nil
}

func workRiver[TTx any](b *testing.B, driver riverdriver.Driver[TTx]) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := migrator.Migrate(b.Context(), rivermigrate.DirectionUp, nil); err != nil {
		b.Fatal(err)
	}
	workers := river.NewWorkers()
	w := &emptyWorker{done: new(atomic.Int64), all: make(chan struct{}), n: int64(b.N)}
	river.AddWorker(workers, w)
	client, err := river.NewClient(driver, &river.Config{Workers: workers, Logger: quiet,
		FetchCooldown: 2 * time.Millisecond, FetchPollInterval: 20 * time.Millisecond,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: benchWorkers}}})
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; n < b.N; n += benchBatch {
		params := make([]river.InsertManyParams, min(benchBatch, b.N-n))
		for i := range params {
			params[i].Args = emptyArgs{}
		}
		if _, err := client.InsertManyFast(b.Context(), params); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	if err := client.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	<-w.all
	if err := client.Stop(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkDelay enqueues one job after the other; nobody works.
func BenchmarkDelay(b *testing.B) {
	for _, engine := range []ormtest.Engine{ormtest.SQLite, ormtest.Postgres} {
		b.Run(string(engine), func(b *testing.B) {
			queue := tasks.New(ormtest.New(b, engine), tasks.Options{EnqueueOnly: true})
			task := tasks.Define(queue, "empty", func(context.Context, int) (struct{}, error) { return struct{}{}, nil })
			if _, err := task.Delay(b.Context(), 0); err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			for b.Loop() {
				if _, err := task.Delay(b.Context(), 0); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			if err := queue.Stop(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// TestPickUp notes how long an idle queue takes from Delay to the start of the job: of the same process, and of another queue
// on the database, which stands for another node. How long is the benchmark's to judge: see bench/queues.
func TestPickUp(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		started := make(chan time.Time, 1)
		define := func(queue *tasks.TaskQueue) *tasks.Task[int, struct{}] {
			return tasks.Define(queue, "note", func(context.Context, int) (struct{}, error) {
				started <- time.Now()
				return struct{}{}, nil
			})
		}
		queue := tasks.New(db, tasks.Options{})
		same := define(queue)
		start(t, queue)
		other := tasks.New(db, tasks.Options{EnqueueOnly: true})
		elsewhere := define(other)
		ctx := within(t)
		for name, task := range map[string]*tasks.Task[int, struct{}]{"same process": same, "other node": elsewhere} {
			var times []time.Duration
			for range 11 {
				if _, err := task.Delay(ctx, 1); err != nil {
					t.Fatal(err)
				}
				enqueued := time.Now()
				times = append(times, (<-started).Sub(enqueued))
				time.Sleep(30 * time.Millisecond) // idle again
			}
			slices.Sort(times)
			median := times[len(times)/2]
			t.Logf("%s: median %s, most %s", name, median.Round(10*time.Microsecond), times[len(times)-1].Round(10*time.Microsecond))
		}
		if err := other.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}
