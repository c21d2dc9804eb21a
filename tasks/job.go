package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/ishaa-framework/ishaa/effect"
)

// Status is where a job stands.
type Status string

// The statuses. A job that waits for another attempt is pending.
const (
	Pending   Status = "pending"
	Running   Status = "running"
	Completed Status = "completed"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
)

// Done reports whether the status is final.
func (s Status) Done() bool { return s == Completed || s == Failed || s == Cancelled }

var (
	// ErrNotFound says that there is no job with the id, or no longer: see Options.Keep.
	ErrNotFound = errors.New("tasks: no such job")
	// ErrNotDone says that a job has no result yet.
	ErrNotDone = errors.New("tasks: the job is not done yet")
	// ErrStopped says that the queue has stopped.
	ErrStopped = errors.New("tasks: the queue has stopped")
	// ErrLost says that a job was given to another node, because this one was taken for dead.
	ErrLost = errors.New("tasks: the job was given to another node, because this one was silent for too long or the job was stopped")
)

// Error is how a job ended that failed or was cancelled.
type Error struct {
	ID      int64
	Task    string
	Status  Status // Failed or Cancelled
	Message string // of the last attempt
}

// Error names the job, its end and the last attempt's message.
func (e *Error) Error() string {
	text := "tasks: job " + strconv.FormatInt(e.ID, 10) + " (" + e.Task + ") " + string(e.Status)
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Job is one piece of work with a result of type R. It is a handle: its methods ask the database.
type Job[R any] struct {
	ID int64
	// Duplicate says that Delay found this job (see Unique) and enqueued none.
	Duplicate bool
	queue     *TaskQueue
}

// Job returns the handle of a job by its id, whose result is read as the task's type.
func (t *Task[A, R]) Job(id int64) *Job[R] { return &Job[R]{ID: id, queue: t.def.queue} }

// Job returns the handle of a job by its id, whatever its task is.
func (q *TaskQueue) Job(id int64) *Job[json.RawMessage] {
	return &Job[json.RawMessage]{ID: id, queue: q}
}

// Info is what is known of a job.
type Info struct {
	ID       int64             `json:"id"`
	Task     string            `json:"task"`
	Queue    string            `json:"queue"`
	Args     json.RawMessage   `json:"args"`
	Status   Status            `json:"status"`
	Attempt  int               `json:"attempt"`  // the number of the present or last one, from 1; 0 if there was none
	Attempts int               `json:"attempts"` // how many there may be
	Priority int               `json:"priority"`
	Progress Progressed        `json:"progress"`
	Errors   []AttemptError    `json:"errors,omitempty"`
	Carrier  map[string]string `json:"carrier,omitempty"` // see Options.Inject
	Result   json.RawMessage   `json:"result,omitempty"`

	Created   time.Time `json:"created"`
	Scheduled time.Time `json:"scheduled"`        // when it may run, or run again
	Started   time.Time `json:"started,omitzero"` // of the last attempt
	Ended     time.Time `json:"ended,omitzero"`
}

// AttemptError is how one attempt failed.
type AttemptError struct {
	At      time.Time `json:"at"`
	Attempt int       `json:"attempt"`
	Message string    `json:"message"`
	Stack   string    `json:"stack,omitempty"` // of a panic
}

// Progressed is how far a job says it is.
type Progressed struct {
	Done    int64  `json:"done"`
	Total   int64  `json:"total"`
	Message string `json:"message,omitempty"`
}

// metadata is what is stored beside a job.
type metadata struct {
	Output   json.RawMessage   `json:"output,omitempty"`
	Progress *Progressed       `json:"progress,omitempty"`
	Carrier  map[string]string `json:"carrier,omitempty"`
}

func infoOf(row *rivertype.JobRow) Info {
	var meta metadata
	json.Unmarshal(row.Metadata, &meta) // what does not fit was written by another program
	var args payload
	args.UnmarshalJSON(row.EncodedArgs)
	info := Info{ID: row.ID, Task: row.Kind, Queue: row.Queue, Args: args.JSON, Status: statusOf(row.State),
		Attempt: row.Attempt, Attempts: row.MaxAttempts, Priority: row.Priority, Carrier: meta.Carrier, Result: meta.Output,
		Created: row.CreatedAt, Scheduled: row.ScheduledAt}
	if meta.Progress != nil {
		info.Progress = *meta.Progress
	}
	if row.AttemptedAt != nil {
		info.Started = *row.AttemptedAt
	}
	if row.FinalizedAt != nil {
		info.Ended = *row.FinalizedAt
	}
	for _, e := range row.Errors {
		info.Errors = append(info.Errors, AttemptError{e.At, e.Attempt, e.Error, e.Trace})
	}
	return info
}

func statusOf(state rivertype.JobState) Status {
	switch state {
	case rivertype.JobStateRunning:
		return Running
	case rivertype.JobStateCompleted:
		return Completed
	case rivertype.JobStateDiscarded:
		return Failed
	case rivertype.JobStateCancelled:
		return Cancelled
	}
	return Pending
}

// failure returns how a job ended, or nil if it completed.
func (i Info) failure() error {
	if i.Status != Failed && i.Status != Cancelled {
		return nil
	}
	e := &Error{ID: i.ID, Task: i.Task, Status: i.Status}
	if n := len(i.Errors); n > 0 {
		e.Message = i.Errors[n-1].Message
	}
	return e
}

// Info returns everything that is known of the job.
func (j *Job[R]) Info(ctx context.Context) (Info, error) { return j.queue.Info(ctx, j.ID) }

// Status returns where the job stands.
func (j *Job[R]) Status(ctx context.Context) (Status, error) { return j.queue.Status(ctx, j.ID) }

// Progress returns what the job last reported with the function Progress.
func (j *Job[R]) Progress(ctx context.Context) (Progressed, error) {
	info, err := j.Info(ctx)
	return info.Progress, err
}

// Result returns the job's result, ErrNotDone before there is one, or an *Error if the job failed or was cancelled.
func (j *Job[R]) Result(ctx context.Context) (result R, err error) {
	info, err := j.Info(ctx)
	if err != nil {
		return result, err
	}
	return j.result(info)
}

func (j *Job[R]) result(info Info) (result R, err error) {
	if !info.Status.Done() {
		return result, ErrNotDone
	}
	if err := info.failure(); err != nil {
		return result, err
	}
	if len(info.Result) > 0 {
		if err := json.Unmarshal(info.Result, &result); err != nil {
			return result, fmt.Errorf("tasks: the result of job %d (%s) is not a %T: %w", info.ID, info.Task, result, err)
		}
	}
	return result, nil
}

// Error returns how the job failed, as an *Error, or nil: it has not, or not yet.
func (j *Job[R]) Error(ctx context.Context) error {
	info, err := j.Info(ctx)
	if err != nil {
		return err
	}
	return info.failure()
}

// Wait returns the job's result as soon as it is done. See Result for errors; the end of the context is one more.
func (j *Job[R]) Wait(ctx context.Context) (result R, err error) {
	const longest = 200 * time.Millisecond // what runs on this node is known sooner
	ended, forget := j.queue.watch(j.ID)
	defer forget()
	pause := 5 * time.Millisecond
	for {
		info, err := j.Info(ctx)
		if err != nil {
			return result, err
		}
		if info.Status.Done() {
			return j.result(info)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ended:
			ended = nil
		case <-timer.C:
			pause = min(2*pause, longest)
		case <-ctx.Done():
			timer.Stop()
			return result, ctx.Err()
		}
		timer.Stop()
	}
}

// Cancel stops the job: at once if it waits; if it runs, by cancelling its context, and it is cancelled if it then
// returns an error. A job that is done stays as it is.
func (j *Job[R]) Cancel(ctx context.Context) error { return j.queue.Cancel(ctx, j.ID) }

// Retry runs a job again, now: one that failed, was cancelled, completed, or waits.
func (j *Job[R]) Retry(ctx context.Context) error { return j.queue.Retry(ctx, j.ID) }

// Info returns everything that is known of a job.
func (q *TaskQueue) Info(ctx context.Context, id int64) (Info, error) {
	b, err := q.open(ctx)
	if err != nil {
		return Info{}, err
	}
	effect.Read(ctx, b.db.Source(), jobTable)
	row, err := b.JobGet(ctx, id)
	if err != nil {
		return Info{}, q.missing(id, err)
	}
	return infoOf(row), nil
}

// Status returns where a job stands.
func (q *TaskQueue) Status(ctx context.Context, id int64) (Status, error) {
	info, err := q.Info(ctx, id)
	return info.Status, err
}

// Cancel is Job.Cancel by id.
func (q *TaskQueue) Cancel(ctx context.Context, id int64) error { return q.change(ctx, "cancel", id) }

// Retry is Job.Retry by id.
func (q *TaskQueue) Retry(ctx context.Context, id int64) error { return q.change(ctx, "retry", id) }

func (q *TaskQueue) change(ctx context.Context, what string, id int64) error {
	if effect.Intend(ctx, effect.Intent{Kind: "task", Target: strconv.FormatInt(id, 10), Detail: what}) {
		return nil
	}
	b, err := q.open(ctx)
	if err != nil {
		return err
	}
	var row *rivertype.JobRow
	if what == "cancel" {
		row, err = b.JobCancel(ctx, id)
	} else {
		row, err = b.JobRetry(ctx, id)
	}
	if err != nil {
		return q.missing(id, err)
	}
	effect.Wrote(b.db.Source(), jobTable)
	if what == "retry" {
		return b.notify(ctx, row.Queue)
	}
	if statusOf(row.State).Done() {
		q.ended(id)
	}
	return nil
}

func (q *TaskQueue) missing(id int64, err error) error {
	if errors.Is(err, rivertype.ErrNotFound) {
		return fmt.Errorf("%w: %d", ErrNotFound, id)
	}
	return err
}
