package tasks

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/riverqueue/river/riverdriver"
)

// A queue with a rate is fetched from as fast as its rate allows: this node asks for no more jobs than there are turns, so
// that those which wait are rows like any others, without a worker, an attempt or a place in the order. Turns are
// counted by the generic cell rate algorithm on a row that all nodes share: every job moves the queue's next free moment on
// by one interval, and may start when that is no further away than the burst allows.

// limiter keeps the rates of queues on one node.
type limiter struct {
	rates map[string]rate
	db    *sql.DB
	dialect
	opens chan opening
}

// rate is in microseconds.
type rate struct{ interval, burst int64 }

// opening is when a queue has its next turn.
type opening struct {
	queue string
	in    time.Duration
}

func newLimiter(queues map[string]QueueOptions, db *sql.DB, d dialect) *limiter {
	l := &limiter{rates: map[string]rate{}, db: db, dialect: d, opens: make(chan opening, 16)}
	for name, o := range queues {
		if o.Rate > 0 {
			interval := int64(math.Ceil(min(1e6/o.Rate, 1e15)))
			l.rates[name] = rate{interval, interval * int64(max(o.Burst, 1))}
		}
	}
	return l
}

type fetch func(context.Context, *riverdriver.JobGetAvailableParams) (*riverdriver.JobGetAvailableResult, error)

// get fetches jobs. Looking for them in an idle queue is a read.
func (l *limiter) get(ctx context.Context, params *riverdriver.JobGetAvailableParams, next fetch) (*riverdriver.JobGetAvailableResult, error) {
	r, limited := l.rates[params.Queue]
	if !limited {
		return next(ctx, params)
	}
	var some bool
	if err := l.db.QueryRowContext(ctx, l.waiting, params.Queue).Scan(&some); err != nil || !some {
		return &riverdriver.JobGetAvailableResult{}, err
	}
	turns, wait, err := l.take(ctx, params.Queue, r, int64(params.MaxToLock))
	if err != nil {
		return nil, err
	}
	if turns == 0 {
		l.open(params.Queue, wait)
		return &riverdriver.JobGetAvailableResult{}, nil
	}
	fewer := *params
	fewer.MaxToLock = int(turns)
	result, err := next(ctx, &fewer)
	var got int64
	if err == nil {
		got = int64(len(result.Jobs))
	}
	if left := turns - got; left > 0 { // another node was faster: its jobs had turns of their own
		if _, e := l.db.ExecContext(context.WithoutCancel(ctx), l.giveBack, left*r.interval, params.Queue); err == nil && e != nil {
			return nil, e
		}
	} else {
		l.open(params.Queue, time.Duration(r.interval)*time.Microsecond)
	}
	return result, err
}

// take takes up to so many turns of those that there are now, and says how long it is until there is one if there is none.
func (l *limiter) take(ctx context.Context, queue string, r rate, most int64) (turns int64, wait time.Duration, err error) {
	for {
		ms, err := l.time(ctx, l.db)
		if err != nil {
			return 0, 0, err
		}
		now := ms * 1000
		var stored int64
		err = l.db.QueryRowContext(ctx, l.free, queue).Scan(&stored)
		if errors.Is(err, sql.ErrNoRows) {
			if _, err = l.db.ExecContext(ctx, l.newRate, queue); err != nil {
				return 0, 0, err
			}
			continue
		} else if err != nil {
			return 0, 0, err
		}
		free := max(stored, now)
		turns := min(most, (now+r.burst-free)/r.interval)
		if turns <= 0 {
			return 0, time.Duration(free+r.interval-r.burst-now) * time.Microsecond, nil
		}
		result, err := l.db.ExecContext(ctx, l.reserve, free+turns*r.interval, queue, stored)
		if err != nil {
			return 0, 0, err
		}
		if n, err := result.RowsAffected(); err != nil || n == 1 {
			return turns, 0, err
		}
	}
}

// open has the queue fetched from when it has its next turn. A busy receiver hears of it by River's polling.
func (l *limiter) open(queue string, in time.Duration) {
	select {
	case l.opens <- opening{queue, in}:
	default:
	}
}

// openTurns wakes the workers of queues that have a turn again, until the context ends.
func (q *TaskQueue) openTurns(ctx context.Context, b *backend) {
	const shortest = 2 * time.Millisecond // as FetchCooldown
	next := map[string]time.Time{}
	for {
		var soonest <-chan time.Time
		timer := time.NewTimer(time.Hour)
		if len(next) > 0 {
			first := time.Time{}
			for _, at := range next {
				if first.IsZero() || at.Before(first) {
					first = at
				}
			}
			timer.Reset(max(time.Until(first), 0))
			soonest = timer.C
		}
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case o := <-b.limiter.opens:
			at := time.Now().Add(max(o.in, shortest))
			if before, ok := next[o.queue]; !ok || at.Before(before) {
				next[o.queue] = at
			}
		case <-soonest:
			for queue, at := range next {
				if !at.After(time.Now()) {
					delete(next, queue)
					if err := b.wake(ctx, queue); err != nil && ctx.Err() == nil {
						q.log().ErrorContext(ctx, "the workers of a queue could not be woken", "queue", queue, "error", err)
					}
				}
			}
		}
		timer.Stop()
	}
}

// wake wakes the workers of a queue on this node; on PostgreSQL, those of other nodes too.
func (b *backend) wake(ctx context.Context, queue string) error {
	if b.ring != nil {
		b.ring(queue)
		return nil
	}
	return b.notify(ctx, queue)
}

// time is that of the database, in milliseconds: nodes need not agree.
func (d dialect) time(ctx context.Context, db *sql.DB) (ms int64, err error) {
	err = db.QueryRowContext(ctx, d.now).Scan(&ms)
	return ms, err
}
