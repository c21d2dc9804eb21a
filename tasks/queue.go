package tasks

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite" // Memory, and the file beside MySQL
)

// TaskQueue holds tasks and runs their jobs. It is an ishaa.Plugin: an application that it is installed in starts it
// and stops it. It is safe for concurrent use once everything is defined.
type TaskQueue struct {
	options Options
	kind    kind
	source  *orm.DB // the application's; nil for Memory

	life    sync.Mutex // held by Start and Stop, not by what running jobs call
	running bool
	cancel  context.CancelFunc // of this package's own goroutines
	done    sync.WaitGroup

	mu       sync.Mutex
	defs     map[string]*definition // which do not change once there is a backend
	periodic []*periodic
	backend  *backend
	stopped  bool
	logger   *slog.Logger

	combiner *combiner
	hard     atomic.Bool // contexts of jobs are cancelled
	waiters  sync.Mutex
	watching map[int64][]chan struct{}
}

// kind is where a queue keeps its jobs.
type kind int

const (
	inDatabase kind = iota
	besideMySQL
	inMemory
)

// New returns a queue whose jobs are in a database. It does nothing yet: the first Delay or the start of the application
// makes its tables.
func New(db *orm.DB, options Options) *TaskQueue {
	q := newQueue(options)
	q.source = db
	if d := db.Dialect(); d != "sqlite" && d != "postgres" {
		q.kind = besideMySQL
	}
	return q
}

// Memory returns a queue for tests: it behaves as one on SQLite and is gone when it stops. Task.In enqueues after the
// commit of any database's transaction. Start it yourself, or install it.
func Memory() *TaskQueue {
	q := newQueue(Options{NodeTimeout: time.Minute})
	q.kind = inMemory
	return q
}

func newQueue(options Options) *TaskQueue {
	return &TaskQueue{options: options.withDefaults(), defs: map[string]*definition{}, watching: map[int64][]chan struct{}{}, logger: options.Logger, combiner: newCombiner()}
}

// Install implements ishaa.Plugin.
func (q *TaskQueue) Install(app *ishaa.App) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.logger == nil {
		q.logger = app.Logger()
	}
	return nil
}

func (q *TaskQueue) log() *slog.Logger {
	if q.logger == nil {
		return slog.Default()
	}
	return q.logger
}

func (q *TaskQueue) define(def *definition) {
	q.mustBeOpen("Define")
	if err := def.check(); err != nil {
		panic(fmt.Sprintf("tasks: Define(%q): %v", def.name, err))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.defs[def.name] != nil {
		panic(fmt.Sprintf("tasks: Define(%q): there is a task of that name already", def.name))
	}
	q.defs[def.name] = def
}

func (q *TaskQueue) mustBeOpen(what string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.backend != nil || q.stopped {
		panic("tasks: " + what + " after the queue was used: define every task first")
	}
}

// queues returns the names of all queues, sorted.
func (q *TaskQueue) queues() []string {
	names := map[string]bool{QueueDefault: true}
	for name := range q.options.Queues {
		names[name] = true
	}
	for _, def := range q.defs {
		names[def.settings.queue] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// open connects the queue once.
func (q *TaskQueue) open(ctx context.Context) (*backend, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped {
		return nil, ErrStopped
	}
	if q.backend != nil {
		return q.backend, nil
	}
	db, own, err := q.database()
	if err != nil {
		return nil, err
	}
	b, err := openBackend(context.WithoutCancel(ctx), db, q.config(), q.options.Queues)
	if err != nil {
		return nil, errors.Join(err, own())
	}
	closeBackend := b.close
	b.close = func() error { return errors.Join(closeBackend(), own()) }
	q.backend = b
	return b, nil
}

// database returns where the jobs are, and what closes it if it is the queue's own.
func (q *TaskQueue) database() (db *orm.DB, closeOwn func() error, err error) {
	url := "sqlite://:memory:"
	switch q.kind {
	case inDatabase:
		return q.source, func() error { return nil }, nil
	case besideMySQL:
		file := q.options.File
		if file == "" {
			file = q.source.Name() + "-tasks.db"
		}
		if file, err = filepath.Abs(file); err != nil {
			return nil, nil, err
		}
		url = "sqlite://" + filepath.ToSlash(file)
	}
	if db, err = orm.Open(url); err != nil {
		return nil, nil, fmt.Errorf("tasks: the file of jobs: %w", err)
	}
	return db, db.Close, nil
}

// config is River's. Its own polling is a net under the notifications that wake workers: SQLite's polls are reads.
func (q *TaskQueue) config() *river.Config {
	config := &river.Config{
		ID:                          "ishaa-" + strings.ToLower(rand.Text()),
		Workers:                     river.NewWorkers(),
		FetchCooldown:               2 * time.Millisecond,
		FetchPollInterval:           200 * time.Millisecond,
		CompletedJobRetentionPeriod: q.options.Keep,
		CancelledJobRetentionPeriod: q.options.Keep,
		DiscardedJobRetentionPeriod: q.options.KeepFailed,
		ErrorHandler:                failures{q},
		Logger:                      slog.New(&warnings{queue: q}),
		JobStuckHandler: func(ctx context.Context, p river.JobStuckHandlerParams) river.JobStuckHandlerResult {
			q.log().ErrorContext(ctx, "a task did not end with its context; its worker goes on without it", "task", p.Kind, "job", p.ID)
			return river.JobStuckHandlerResult{AddWorkerSlot: true}
		},
	}
	longest := time.Minute
	for _, def := range q.defs {
		river.AddWorkerArgs(config.Workers, payload{kind: def.name}, &worker{def: def})
		longest = max(longest, def.timeout)
	}
	config.JobTimeout, config.RescueStuckJobsAfter = longest, longest+time.Minute
	if !q.options.EnqueueOnly && len(q.defs) > 0 {
		config.Queues = map[string]river.QueueConfig{}
		for _, name := range q.queues() {
			workers := q.options.Queues[name].MaxWorkers
			if workers <= 0 {
				workers = q.options.MaxWorkers
			}
			config.Queues[name] = river.QueueConfig{MaxWorkers: min(workers, river.QueueNumWorkersMax)}
		}
	}
	return config
}

// Start begins to work. An application that the queue is installed in calls it.
func (q *TaskQueue) Start(ctx context.Context) error {
	q.life.Lock()
	defer q.life.Unlock()
	b, err := q.open(ctx)
	if err != nil {
		return err
	}
	if q.running || q.options.EnqueueOnly || len(q.defs) == 0 {
		return nil
	}
	if err := q.report(ctx, b); err != nil {
		return fmt.Errorf("tasks: %w", err)
	}
	if err := q.forgetNodes(ctx, b); err != nil {
		return fmt.Errorf("tasks: %w", err)
	}
	if err := q.beginPeriods(ctx, b); err != nil {
		return fmt.Errorf("tasks: %w", err)
	}
	work := context.WithoutCancel(ctx)
	events, unsubscribe := b.SubscribeConfig(&river.SubscribeConfig{ChanSize: 10_000, Kinds: []river.EventKind{
		river.EventKindJobCompleted, river.EventKindJobFailed, river.EventKindJobCancelled, river.EventKindJobSnoozed}})
	if err := b.client.Start(work); err != nil {
		unsubscribe()
		return fmt.Errorf("tasks: %w", err)
	}
	work, q.cancel = context.WithCancel(work)
	q.running = true
	q.done.Go(func() { q.stayAlive(work, b) })
	q.done.Go(func() { q.makeDue(work, b) })
	q.done.Go(func() { q.openTurns(work, b) })
	q.done.Go(func() { q.tellEnds(work, b, events, unsubscribe) })
	for _, p := range q.periodic {
		q.done.Go(func() { p.run(work, b) })
	}
	return nil
}

// Stop takes no more jobs and waits for those that run, at first for their own end (see Options.Drain), then for that of
// their cancelled contexts. What still runs when ctx is about to end is handed back, and reported as an error; its
// goroutines go on until they return. A queue that has stopped is not used again.
func (q *TaskQueue) Stop(ctx context.Context) error {
	q.life.Lock()
	defer q.life.Unlock()
	q.mu.Lock()
	b, before := q.backend, q.stopped
	if b == nil {
		q.stopped = true
	}
	q.mu.Unlock()
	if b == nil || before {
		return nil
	}
	var failures []error
	if q.running {
		q.running = false
		failures = append(failures, q.drain(ctx, b))
		q.cancel()
		q.done.Wait()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		failures = append(failures, q.leave(last, b))
	}
	q.mu.Lock()
	q.stopped = true
	q.mu.Unlock()
	return errors.Join(append(failures, b.close())...)
}

// drain stops River. Jobs that do not end are left to leave.
func (q *TaskQueue) drain(ctx context.Context, b *backend) error {
	soft, reserve := q.options.Drain, 5*time.Second
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		soft, reserve = min(soft, left*3/4), left/8
	}
	gentle, cancel := context.WithTimeout(ctx, soft)
	defer cancel()
	if err := b.client.Stop(gentle); err == nil || gentle.Err() == nil {
		return err
	}
	q.hard.Store(true)
	hard, cancelHard := context.WithTimeout(context.WithoutCancel(ctx), max(reserve, 100*time.Millisecond))
	defer cancelHard()
	err := b.client.StopAndCancel(hard)
	if hard.Err() != nil {
		return nil // leave says how many
	}
	return err
}

// tellEnds wakes those who wait for jobs that ran on this node.
func (q *TaskQueue) tellEnds(ctx context.Context, b *backend, events <-chan *river.Event, unsubscribe func()) {
	defer unsubscribe()
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-events:
			if !ok {
				return
			}
			effect.Wrote(b.db.Source(), jobTable)
			q.ended(event.Job.ID)
		}
	}
}

// watch returns a channel that is closed when a job's attempt ends on this node.
func (q *TaskQueue) watch(id int64) (ended <-chan struct{}, forget func()) {
	c := make(chan struct{})
	q.waiters.Lock()
	defer q.waiters.Unlock()
	q.watching[id] = append(q.watching[id], c)
	return c, func() {
		q.waiters.Lock()
		defer q.waiters.Unlock()
		if list := slices.DeleteFunc(q.watching[id], func(other chan struct{}) bool { return other == c }); len(list) > 0 {
			q.watching[id] = list
		} else {
			delete(q.watching, id)
		}
	}
}

func (q *TaskQueue) ended(id int64) {
	q.waiters.Lock()
	defer q.waiters.Unlock()
	for _, c := range q.watching[id] {
		close(c)
	}
	delete(q.watching, id)
}

// insert enqueues jobs, in a transaction if there is one, and hands keep what they became.
func (q *TaskQueue) insert(ctx context.Context, tx *orm.Tx, params []river.InsertManyParams, keep func([]*rivertype.JobInsertResult)) error {
	b, err := q.open(ctx)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, p := range params {
		names[p.InsertOpts.Queue] = true
	}
	wake := func() {
		effect.Wrote(b.db.Source(), jobTable)
		for name := range names {
			if b.ring != nil {
				b.ring(name)
			}
		}
	}
	var results []*rivertype.JobInsertResult
	switch {
	case tx == nil:
		results, err = q.combiner.insert(ctx, b.client, params)
		defer wake()
	case tx.DB().Source() == b.db.Source():
		results, err = b.insertTx(ctx, tx, params)
		tx.AfterCommit(wake)
	case q.kind == inMemory:
		later := context.WithoutCancel(ctx)
		tx.AfterCommit(func() {
			if err := q.insert(later, nil, params, keep); err != nil {
				q.log().ErrorContext(later, "a job could not be enqueued after the commit", "error", err)
			}
		})
		return nil
	default:
		return errOtherDatabase("In")
	}
	if err != nil {
		return fmt.Errorf("tasks: enqueueing: %w", err)
	}
	if keep != nil {
		keep(results)
	}
	return nil
}

func errOtherDatabase(what string) error {
	return fmt.Errorf("tasks: %s: the jobs are not in the database of this transaction: use a queue on that database, which must be "+
		"SQLite or PostgreSQL (on MySQL and MariaDB, jobs are in an SQLite file of their own and no transaction holds both); "+
		"or enqueue in Tx.AfterCommit, which a crash may lose", what)
}

// Dead returns the jobs that failed for good, the latest first, at most limit of them (1 to 10,000).
func (q *TaskQueue) Dead(ctx context.Context, limit int) ([]Info, error) {
	b, err := q.open(ctx)
	if err != nil {
		return nil, err
	}
	effect.Read(ctx, b.db.Source(), jobTable)
	found, err := b.JobList(ctx, river.NewJobListParams().First(min(max(limit, 1), 10_000)).
		States(rivertype.JobStateDiscarded).OrderBy(river.JobListOrderByFinalizedAt, river.SortOrderDesc))
	if err != nil {
		return nil, fmt.Errorf("tasks: %w", err)
	}
	list := make([]Info, len(found.Jobs))
	for i, row := range found.Jobs {
		list[i] = infoOf(row)
	}
	return list, nil
}

// Pause makes all nodes take no more jobs of a queue until Resume; "*" is every queue. Running jobs go on.
func (q *TaskQueue) Pause(ctx context.Context, queue string) error {
	b, err := q.open(ctx)
	if err != nil {
		return err
	}
	return b.QueuePause(ctx, queue, nil)
}

// Resume ends Pause.
func (q *TaskQueue) Resume(ctx context.Context, queue string) error {
	b, err := q.open(ctx)
	if err != nil {
		return err
	}
	if err := b.QueueResume(ctx, queue, nil); err != nil {
		return err
	}
	return b.notify(ctx, queue)
}

// warnings passes on what River logs as a warning or worse; failures of jobs are logged elsewhere.
type warnings struct {
	queue *TaskQueue
	attrs []slog.Attr
}

var quiet = slog.New(slog.DiscardHandler)

func (w *warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (w *warnings) WithGroup(string) slog.Handler                    { return w }

func (w *warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &warnings{w.queue, append(slices.Clone(w.attrs), attrs...)}
}

func (w *warnings) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "panic recovery") { // HandlePanic says it in our words
		return nil
	}
	r.AddAttrs(w.attrs...)
	h := w.queue.log().Handler()
	if !h.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Handle(ctx, r)
}

// River returns the River client underneath, for what this package does not offer: a *river.Client[pgx.Tx] where the jobs
// are on PostgreSQL, and a *river.Client[*sql.Tx] where they are on SQLite. It makes the tables if they are not there. What
// is inserted through it with the kind of no task here is not worked here. Leave its Start and Stop to the queue.
func (q *TaskQueue) River(ctx context.Context) (any, error) {
	b, err := q.open(ctx)
	if err != nil {
		return nil, err
	}
	return b.client, nil
}
