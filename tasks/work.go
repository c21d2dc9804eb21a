package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/orm"
)

// worker runs the jobs of one task for River.
type worker struct {
	river.WorkerDefaults[payload]
	def *definition
}

func (w *worker) Timeout(*river.Job[payload]) time.Duration { return w.def.timeout }

func (w *worker) NextRetry(job *river.Job[payload]) time.Time {
	return time.Now().Add(w.def.backoff(len(job.Errors)))
}

// backoff is the pause after so many failures and one more.
func (d *definition) backoff(failures int) time.Duration {
	pause := d.limit
	if failures < 62 && d.base <= d.limit>>failures {
		pause = d.base << failures
	}
	return pause - rand.N(pause/2+1)
}

// attempt is one run of a job; the function that runs finds it in its context.
type attempt struct {
	def *definition
	job *river.Job[payload]
	b   *backend

	mu       sync.Mutex
	finished bool // committed by Finish
	inside   bool // of Finish
	reported time.Time
}

type attemptKey struct{}

func attemptOf(ctx context.Context) (*attempt, error) {
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
		return a, nil
	}
	return nil, errors.New("tasks: this is not the context of a running task: pass on the one that its function was given")
}

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, job *river.Job[payload]) error {
	q := w.def.queue
	b, err := q.open(ctx)
	if err != nil {
		return err
	}
	a := &attempt{def: w.def, job: job, b: b}
	effect.Wrote(a.b.db.Source(), jobTable)
	ctx = context.WithValue(ctx, attemptKey{}, a)
	if around := q.options.Around; around != nil {
		err = around(ctx, infoOf(job.JobRow), a.run)
	} else {
		err = a.run(ctx)
	}
	return a.outcome(ctx, err)
}

func (a *attempt) run(ctx context.Context) error {
	result, err := a.def.run(ctx, a.job.Args.JSON)
	if err != nil || a.isFinished() {
		return err
	}
	if len(a.def.then) == 0 {
		if result == any(struct{}{}) {
			return nil // which Result makes of nothing, too, and which costs nothing to store
		}
		return river.RecordOutput(ctx, result)
	}
	return a.b.db.Tx(ctx, func(tx *orm.Tx) error { return a.complete(ctx, tx, result) })
}

// outcome turns an error into what River makes of it.
func (a *attempt) outcome(ctx context.Context, err error) error {
	q := a.def.queue
	if a.isFinished() {
		if err != nil {
			q.log().ErrorContext(ctx, "a task returned an error after it had finished", "task", a.def.name, "job", a.job.ID, "error", err)
		}
		return nil
	}
	var snooze *snoozed
	var permanent *permanentError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &snooze):
		return river.JobSnooze(snooze.pause)
	case errors.As(err, &permanent):
		a.job.MaxAttempts = a.job.Attempt // of the copy that River looks at, not of the row
	case q.hard.Load() && ctx.Err() != nil:
		return errors.Join(context.Canceled, err) // River hands it back without counting the attempt
	}
	return err
}

func (a *attempt) isFinished() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.finished
}

// complete marks the job as done and enqueues what follows it, in the transaction.
func (a *attempt) complete(ctx context.Context, tx *orm.Tx, result any) error {
	output, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("tasks: the result of %s cannot be stored as JSON: %w", a.def.name, err)
	}
	for _, l := range a.def.then {
		args, err := l.args(a.job.Args.JSON, result)
		if err != nil {
			return err
		}
		params, err := l.next.params(ctx, args, time.Time{})
		if err != nil {
			return err
		}
		if err := a.def.queue.insert(ctx, tx, []river.InsertManyParams{params}, nil); err != nil {
			return err
		}
	}
	// Last, so that the row is not locked while others work.
	if err := a.b.completeTx(ctx, tx, a.job, output); err != nil {
		return err
	}
	tx.AfterCommit(func() {
		a.mu.Lock()
		a.finished = true
		a.mu.Unlock()
		if a.b.finished != nil {
			a.b.finished(a.job.ID)
		}
		a.def.queue.ended(a.job.ID)
	})
	return nil
}

// Finish completes the running job in a transaction, together with what fn writes in it: both happen, exactly once, or
// neither does. The job's function returns what Finish returns; what it does afterwards is not part of the job.
//
//	tasks.Define(queue, "charge", func(ctx context.Context, o Order) (Receipt, error) {
//		price := quote(ctx, o) // may happen more than once
//		return tasks.Finish(ctx, func(tx *orm.Tx) (Receipt, error) {
//			return book(ctx, tx, o, price) // happens exactly once
//		})
//	})
//
// If the job was given to another node in the meantime, nothing is committed and the error is ErrLost. Like every
// function of DB.Tx, fn may be called again if transactions collide. The transaction is one of the database that the
// jobs are in, so this is an error where the application's is MySQL.
func Finish[R any](ctx context.Context, fn func(tx *orm.Tx) (R, error)) (result R, err error) {
	a, err := attemptOf(ctx)
	if err != nil {
		return result, err
	}
	if a.isFinished() {
		return result, errors.New("tasks: Finish was called before in this attempt")
	}
	if a.def.queue.kind == besideMySQL {
		return result, errOtherDatabase("Finish")
	}
	a.setInside(true)
	defer a.setInside(false)
	err = a.b.db.Tx(ctx, func(tx *orm.Tx) (err error) {
		if result, err = fn(tx); err != nil {
			return err
		}
		return a.complete(ctx, tx, result)
	})
	return result, err
}

func (a *attempt) setInside(inside bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inside = inside
}

// Current describes the job that runs with the context, for logs and idempotency keys.
func Current(ctx context.Context) (info Info, ok bool) {
	a, err := attemptOf(ctx)
	if err != nil {
		return Info{}, false
	}
	return infoOf(a.job.JobRow), true
}

// Progress reports how far the running job is, for Job.Progress. Reports that follow each other closely are dropped,
// except the one whose done is total; so are those from inside of Finish.
func Progress(ctx context.Context, done, total int64, message string) error {
	const interval = 100 * time.Millisecond
	a, err := attemptOf(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	now := time.Now()
	if a.inside || done < total && now.Sub(a.reported) < interval {
		a.mu.Unlock()
		return nil
	}
	a.reported = now
	a.mu.Unlock()
	report, err := json.Marshal(Progressed{done, total, message})
	if err != nil {
		return err
	}
	_, err = a.b.sql.ExecContext(ctx, a.b.progress, string(report), a.job.ID)
	effect.Wrote(a.b.db.Source(), jobTable)
	return err
}

type permanentError struct{ error }

func (e *permanentError) Unwrap() error { return e.error }

// Permanent wraps an error that another attempt cannot mend: the job fails for good.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type snoozed struct{ pause time.Duration }

func (s *snoozed) Error() string { return "the job asks to run again in " + s.pause.String() }

// Snooze is an error with which a job asks to run again later. The attempt does not count.
func Snooze(d time.Duration) error { return &snoozed{max(d, 0)} }

// failures logs what goes wrong in jobs.
type failures struct{ queue *TaskQueue }

func (f failures) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	f.queue.log().WarnContext(ctx, "a task failed", "task", job.Kind, "job", job.ID, "attempt", job.Attempt, "of", job.MaxAttempts, "error", err)
	return nil
}

func (f failures) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, stack string) *river.ErrorHandlerResult {
	f.queue.log().ErrorContext(ctx, "a task panicked", "task", job.Kind, "job", job.ID, "attempt", job.Attempt, "of", job.MaxAttempts, "panic", value, "stack", stack)
	return nil
}
