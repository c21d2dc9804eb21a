package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/orm"
)

// Task is a kind of work with arguments of type A and a result of type R. It is safe for concurrent use.
type Task[A, R any] struct {
	def   *definition
	delay time.Duration
	at    time.Time
	tx    *orm.Tx
}

// definition is what a queue knows of a task.
type definition struct {
	settings
	name  string
	queue *TaskQueue
	run   func(ctx context.Context, args []byte) (any, error)
	then  []link
}

// A link is what follows a task in a chain: it makes the next job from what is known when the last one completes.
type link struct {
	next *definition
	args func(args []byte, result any) (any, error)
}

var taskName = regexp.MustCompile(`^\w[\w.:/+-]{1,126}$`)
var queueName = regexp.MustCompile(`^[a-zA-Z0-9]+([_-]?[a-zA-Z0-9]+)*$`)

// Define adds a task to a queue. Arguments and results are stored as JSON. The name is stored with every job: keep it,
// and keep arguments readable by newer code, while jobs wait. Define what the queue is to run before it is used; it
// panics on a name that is taken or malformed and on settings out of range.
//
// An error of run, or a panic, is a failed attempt, which is tried again after a pause; see Permanent and Snooze for
// other ends, and Finish for effects that must happen exactly once.
func Define[A, R any](queue *TaskQueue, name string, run func(ctx context.Context, args A) (R, error), options ...TaskOption) *Task[A, R] {
	def := &definition{settings: defaults(), name: name, queue: queue}
	for _, option := range options {
		option(&def.settings)
	}
	if run == nil {
		panic(fmt.Sprintf("tasks: Define(%q): the function is nil", name))
	}
	def.run = func(ctx context.Context, encoded []byte) (any, error) {
		var args A
		if err := json.Unmarshal(encoded, &args); err != nil {
			return nil, Permanent(fmt.Errorf("tasks: the arguments of %s do not fit its type any more: %w", name, err))
		}
		return run(ctx, args)
	}
	queue.define(def)
	return &Task[A, R]{def: def}
}

// Then makes a chain: whenever first completes, next is enqueued in the same transaction with the arguments that args
// makes of those of first and of its result. If args fails, so does the attempt of first.
func Then[A, R, B, S any](first *Task[A, R], next *Task[B, S], args func(args A, result R) (B, error)) {
	first.def.queue.mustBeOpen("Then")
	if first.def.queue != next.def.queue {
		panic(fmt.Sprintf("tasks: Then: %s and %s are tasks of different queues", first.def.name, next.def.name))
	}
	first.def.then = append(first.def.then, link{next: next.def, args: func(encoded []byte, result any) (any, error) {
		var a A
		if err := json.Unmarshal(encoded, &a); err != nil {
			return nil, err
		}
		r, ok := result.(R)
		if !ok && result != nil {
			return nil, fmt.Errorf("tasks: %s finished with a %T, and what follows it takes another type", first.def.name, result)
		}
		return args(a, r)
	}})
}

// Name returns the task's name.
func (t *Task[A, R]) Name() string { return t.def.name }

// After returns the task with jobs that wait before they run.
func (t *Task[A, R]) After(d time.Duration) *Task[A, R] {
	later := *t
	later.delay, later.at = d, time.Time{}
	return &later
}

// At returns the task with jobs that wait for a time.
func (t *Task[A, R]) At(when time.Time) *Task[A, R] {
	later := *t
	later.delay, later.at = 0, when
	return &later
}

// In returns the task with jobs that are part of a transaction: there once it is committed, and never if it is rolled
// back. The transaction must be one of the database that the jobs are in.
func (t *Task[A, R]) In(tx *orm.Tx) *Task[A, R] {
	inside := *t
	inside.tx = tx
	return &inside
}

// Delay enqueues a job and returns without waiting for it. When it returns, or with In when the transaction is
// committed, the job is on disk. In a shadow (see package effect) nothing is enqueued, and the job's ID is zero.
func (t *Task[A, R]) Delay(ctx context.Context, args A) (*Job[R], error) {
	jobs, err := t.DelayMany(ctx, args)
	if err != nil {
		return nil, err
	}
	return jobs[0], nil
}

// DelayMany enqueues several jobs, all or none of them, in much less time than one by one.
func (t *Task[A, R]) DelayMany(ctx context.Context, args ...A) ([]*Job[R], error) {
	params := make([]river.InsertManyParams, len(args))
	jobs := make([]*Job[R], len(args))
	for i, a := range args {
		p, err := t.def.params(ctx, a, t.when())
		if err != nil {
			return nil, err
		}
		params[i], jobs[i] = p, &Job[R]{queue: t.def.queue}
	}
	if len(args) == 0 || t.shadow(ctx, params) {
		return jobs, nil
	}
	keep := func(results []*rivertype.JobInsertResult) {
		for i, result := range results {
			jobs[i].ID, jobs[i].Duplicate = result.Job.ID, result.UniqueSkippedAsDuplicate
		}
	}
	return jobs, t.def.queue.insert(ctx, t.tx, params, keep)
}

func (t *Task[A, R]) when() time.Time {
	if t.delay > 0 {
		return time.Now().Add(t.delay)
	}
	return t.at
}

func (t *Task[A, R]) shadow(ctx context.Context, params []river.InsertManyParams) bool {
	if !effect.Shadow(ctx) {
		return false
	}
	for _, p := range params {
		effect.Intend(ctx, effect.Intent{Kind: "task", Target: t.def.name, Detail: string(p.Args.(payload).JSON)})
	}
	return true
}

// params makes what River takes. A zero time is now.
func (d *definition) params(ctx context.Context, args any, when time.Time) (river.InsertManyParams, error) {
	p, err := encode(d.name, args)
	if err != nil {
		return river.InsertManyParams{}, err
	}
	opts := &river.InsertOpts{MaxAttempts: d.maxAttempts, Priority: d.priority, Queue: d.settings.queue, ScheduledAt: when}
	if d.unique > 0 {
		opts.UniqueOpts = river.UniqueOpts{ByArgs: true, ByPeriod: d.unique}
	}
	if inject := d.queue.options.Inject; inject != nil {
		if carrier := inject(ctx); len(carrier) > 0 {
			if opts.Metadata, err = json.Marshal(metadata{Carrier: carrier}); err != nil {
				return river.InsertManyParams{}, fmt.Errorf("tasks: what Options.Inject returned: %w", err)
			}
		}
	}
	return river.InsertManyParams{Args: p, InsertOpts: opts}, nil
}

// payload is the arguments of any task. River wants an object; another value is the one field of one.
type payload struct {
	kind string
	JSON json.RawMessage
}

const wrapped = "ishaa:value"

func encode(kind string, args any) (payload, error) {
	data, err := json.Marshal(args)
	if err != nil {
		return payload{}, fmt.Errorf("tasks: the arguments of %s cannot be stored as JSON: %w", kind, err)
	}
	if data[0] != '{' {
		data, _ = json.Marshal(map[string]json.RawMessage{wrapped: data})
	}
	return payload{kind, data}, nil
}

func (p payload) Kind() string                 { return p.kind }
func (p payload) MarshalJSON() ([]byte, error) { return p.JSON, nil }

func (p *payload) UnmarshalJSON(data []byte) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) == nil && len(object) == 1 && object[wrapped] != nil {
		data = object[wrapped]
	}
	p.JSON = append(json.RawMessage(nil), data...)
	return nil
}

func (d *definition) check() error {
	switch {
	case !taskName.MatchString(d.name):
		return errors.New(`a name has 2 to 127 letters, digits and ".:/+-_"`)
	case d.maxAttempts < 1 || d.maxAttempts > 10000:
		return errors.New("MaxAttempts must be from 1 to 10000")
	case d.timeout <= 0:
		return errors.New("Timeout must be more than zero")
	case d.unique < 0 || d.unique > 0 && d.unique < time.Second:
		return errors.New("Unique must be a second or more")
	case d.priority < 1 || d.priority > 4:
		return errors.New("Priority must be from 1 to 4")
	case !queueName.MatchString(d.settings.queue) || len(d.settings.queue) > 64:
		return errors.New(`the name of a queue has letters and digits with single "_" and "-" between them, 64 at most`)
	case d.base <= 0 || d.limit < d.base:
		return errors.New("Backoff takes a pause of more than zero and a limit that is not shorter")
	case d.catchUp < 0:
		return errors.New("CatchUp must not be negative")
	}
	return nil
}
