package tasks

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/ishaa-framework/ishaa/orm"
)

// A periodic task is a task whose jobs are enqueued by ticks. Every node waits for every tick; the one that moves the
// row of the task on to it enqueues the job in the same transaction. So a tick fires once, whichever nodes are up, and
// what was missed while none was is known by the row.

// periodic is a periodic task.
type periodic struct {
	def      *definition
	schedule Schedule
}

// tick is the argument of a periodic job.
type tick struct {
	Tick time.Time `json:"tick"`
}

// Periodic runs a function on a schedule: once for every tick, on one of the nodes. Ticks that no node was there for
// run later (see CatchUp). The options are those of any task; the job of a tick is tried again when it fails.
//
//	queue.Periodic("report", tasks.Cron("0 3 * * *", "Europe/Berlin"), report)
func (q *TaskQueue) Periodic(name string, schedule Schedule, run func(ctx context.Context) error, options ...TaskOption) {
	if schedule.next == nil || run == nil {
		panic(fmt.Sprintf("tasks: Periodic(%q): make the schedule with Every or Cron, and give a function", name))
	}
	task := Define(q, name, func(ctx context.Context, t tick) (struct{}, error) {
		return struct{}{}, run(context.WithValue(ctx, tickKey{}, t.Tick))
	}, options...)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.periodic = append(q.periodic, &periodic{def: task.def, schedule: schedule})
}

type tickKey struct{}

// Tick returns the time that a periodic task was due at, which is earlier than now if it was caught up on.
func Tick(ctx context.Context) (time.Time, bool) {
	t, ok := ctx.Value(tickKey{}).(time.Time)
	return t, ok
}

// beginPeriods makes the rows of periodic tasks that are new: their first tick is the next one.
func (q *TaskQueue) beginPeriods(ctx context.Context, b *backend) error {
	for _, p := range q.periodic {
		if _, err := b.sql.ExecContext(ctx, b.newPeriod, p.def.name, q.options.Clock.Now().UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// run fires ticks until the context ends.
func (p *periodic) run(ctx context.Context, b *backend) {
	q := p.def.queue
	const longest = time.Minute // clocks are set, and machines sleep
	for ctx.Err() == nil {
		var last int64
		err := b.sql.QueryRowContext(ctx, b.lastTick, p.def.name).Scan(&last)
		now := q.options.Clock.Now()
		pause := time.Second
		if err == nil {
			due, next := p.due(time.UnixMilli(last), now)
			for _, at := range due {
				if err = p.fire(ctx, b, at); err != nil {
					break
				}
			}
			if err == nil {
				pause = min(next.Sub(q.options.Clock.Now()), longest)
			}
		}
		if err != nil && ctx.Err() == nil {
			q.log().ErrorContext(ctx, "a periodic task could not be enqueued", "task", p.def.name, "error", err)
		}
		if pause > 0 {
			select {
			case <-ctx.Done():
			case <-q.options.Clock.After(pause):
			}
		}
	}
}

// due returns the ticks after last up to now that are to run, and the one after them.
func (p *periodic) due(last, now time.Time) (ticks []time.Time, next time.Time) {
	for next = p.schedule.next(last); !next.After(now); next = p.schedule.next(next) {
		ticks = append(ticks, next)
		if len(ticks) > 2*p.def.catchUp+2 { // a long pause does not need much memory
			ticks = append(ticks[:0], ticks[len(ticks)-p.def.catchUp-1:]...)
		}
	}
	const punctual = 2 * time.Second // a tick that is no older was not missed
	keep := p.def.catchUp
	if n := len(ticks); keep == 0 && n > 0 && now.Sub(ticks[n-1]) <= punctual {
		keep = 1
	}
	if len(ticks) > keep {
		ticks = ticks[len(ticks)-keep:]
	}
	return ticks, next
}

// fire enqueues the job of a tick unless another node has.
func (p *periodic) fire(ctx context.Context, b *backend, at time.Time) error {
	return b.db.Tx(ctx, func(tx *orm.Tx) error {
		moved, err := orm.Exec(ctx, tx, b.claim, p.def.name, at.UnixMilli())
		if err != nil || moved == 0 {
			return err
		}
		params, err := p.def.params(ctx, tick{at.UTC()}, time.Time{})
		if err != nil {
			return err
		}
		return p.def.queue.insert(ctx, tx, []river.InsertManyParams{params}, nil)
	})
}
