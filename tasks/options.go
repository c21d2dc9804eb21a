package tasks

import (
	"context"
	"log/slog"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Options are the settings of a queue. The zero value runs ten jobs at a time.
type Options struct {
	// MaxWorkers is how many jobs of the queue "default" run at a time on this node: 10 if it is zero, 10,000 at most.
	MaxWorkers int
	// Queues are further queues by name (see Queue), each with workers and limits of its own, and "default" if it is to
	// have limits. A queue that a task names and that is not here has MaxWorkers workers.
	Queues map[string]QueueOptions
	// EnqueueOnly makes this node enqueue jobs and leave the work, periodic tasks included, to others.
	EnqueueOnly bool

	// Drain is how long running jobs may go on when the queue stops, before their contexts are cancelled: 10 seconds if
	// it is zero, and never more than three quarters of the time that Stop has. What still runs at the end is handed
	// back to be run again.
	Drain time.Duration
	// NodeTimeout is how long a node may be silent before its running jobs are given to others: 10 seconds if it is
	// zero. Nodes report five times as often. A node that was merely slow may find that its job ran elsewhere too.
	NodeTimeout time.Duration
	// Keep is how long completed and cancelled jobs stay, with their results: 24 hours if it is zero.
	Keep time.Duration
	// KeepFailed is how long dead letters stay: 30 days if it is zero.
	KeepFailed time.Duration

	// File is the SQLite file of jobs on MySQL and MariaDB: NAME-tasks.db in the working directory if it is empty,
	// after the name of the database.
	File string

	// Logger receives failures and panics: that of the application which the queue is installed in, or slog's default.
	Logger *slog.Logger
	// Clock tells periodic tasks the time: the system's if it is nil.
	Clock ishaa.Clock

	// Inject is called when a job is enqueued; what it returns is stored with the job and comes back as Info.Carrier:
	// the fields of W3C trace context, for example.
	Inject func(ctx context.Context) map[string]string
	// Around is called for every attempt and runs it by calling next, once: for spans, metrics, and values in the context.
	Around func(ctx context.Context, info Info, next func(ctx context.Context) error) error
}

// QueueOptions are the settings of one named queue.
type QueueOptions struct {
	// MaxWorkers is how many jobs of this queue run at a time on this node: Options.MaxWorkers if it is zero.
	MaxWorkers int
	// Rate is how many jobs may start in a second, on all nodes together; zero is no limit. A job that waits for its
	// turn is pending, and takes no worker.
	Rate float64
	// Burst is how many may start at once after a pause: 1 if it is zero.
	Burst int
}

// QueueDefault is the name of the queue of tasks that name none.
const QueueDefault = "default"

func (o Options) withDefaults() Options {
	orElse := func(d *time.Duration, fallback time.Duration) {
		if *d <= 0 {
			*d = fallback
		}
	}
	if o.MaxWorkers <= 0 {
		o.MaxWorkers = 10
	}
	orElse(&o.Drain, 10*time.Second)
	orElse(&o.NodeTimeout, 10*time.Second)
	orElse(&o.Keep, 24*time.Hour)
	orElse(&o.KeepFailed, 30*24*time.Hour)
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	return o
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// settings are what TaskOptions set.
type settings struct {
	queue       string
	maxAttempts int
	timeout     time.Duration
	unique      time.Duration
	priority    int
	base, limit time.Duration
	catchUp     int
}

func defaults() settings {
	return settings{queue: QueueDefault, maxAttempts: 25, timeout: 10 * time.Minute, priority: 1,
		base: time.Second, limit: time.Hour, catchUp: 1000}
}

// TaskOption is a setting of one task.
type TaskOption func(*settings)

// MaxAttempts sets how often a job is tried before it is a dead letter: 25 times if it is not given.
func MaxAttempts(n int) TaskOption { return func(s *settings) { s.maxAttempts = n } }

// Timeout bounds each attempt: its context ends then. It is 10 minutes if it is not given. An attempt that does not end
// with its context is given up: its worker goes on with other jobs, and the job is tried again.
func Timeout(d time.Duration) TaskOption { return func(s *settings) { s.timeout = d } }

// Unique makes Delay return the job that is there already if one with the same arguments was enqueued in the same
// period, unless that failed or was cancelled. Periods do not slide: they follow each other, counted from the zero time.
func Unique(period time.Duration) TaskOption { return func(s *settings) { s.unique = period } }

// Priority sets which of the waiting jobs of a queue run first: 1, which is the default, to 4, the last.
func Priority(p int) TaskOption { return func(s *settings) { s.priority = p } }

// Queue puts the task's jobs into a queue of their own, so that others do not wait for them. Names have letters, digits,
// "_" and "-", 64 at most.
func Queue(name string) TaskOption { return func(s *settings) { s.queue = name } }

// Backoff sets the pause before the second attempt, which doubles with every further one up to a limit, and of which up
// to half is taken off at random: one second and one hour if it is not given.
func Backoff(first, limit time.Duration) TaskOption {
	return func(s *settings) { s.base, s.limit = first, limit }
}

// CatchUp sets how many ticks of a periodic task run afterwards, the newest ones, if no node was there at their time:
// 1000 if it is not given, 0 for none, 1 for "once, however many were missed".
func CatchUp(ticks int) TaskOption { return func(s *settings) { s.catchUp = ticks } }
