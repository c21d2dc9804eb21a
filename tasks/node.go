package tasks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river/riverdriver"

	"github.com/ishaa-framework/ishaa/effect"
)

// Nodes report that they are alive. The running jobs of one that has not done so for Options.NodeTimeout are made
// available again by whoever notices, in one statement that is true of each job at the moment it is changed; no node is
// special, so that nothing waits for a leader's successor. In the same way each node makes jobs available whose time has come.

// stayAlive reports and rescues until the context ends.
func (q *TaskQueue) stayAlive(ctx context.Context, b *backend) {
	ticker := time.NewTicker(q.options.NodeTimeout / 5)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := q.report(ctx, b); err != nil && ctx.Err() == nil {
			q.log().ErrorContext(ctx, "this node could not report that it is alive", "node", b.id, "error", err)
		}
	}
}

func (q *TaskQueue) report(ctx context.Context, b *backend) error {
	now, err := b.time(ctx, b.sql)
	if err != nil {
		return err
	}
	if _, err := b.sql.ExecContext(ctx, b.dialect.report, b.id, now); err != nil {
		return err
	}
	return q.rescue(ctx, b, now-q.options.NodeTimeout.Milliseconds())
}

// forgetNodes takes dead nodes off the list.
func (q *TaskQueue) forgetNodes(ctx context.Context, b *backend) error {
	now, err := b.time(ctx, b.sql)
	if err == nil {
		_, err = b.sql.ExecContext(ctx, b.forget, now-q.options.NodeTimeout.Milliseconds())
	}
	return err
}

// rescue gives the jobs of dead nodes to others: at once where it was the first attempt, and otherwise after a pause of up
// to 1, 2, 4 … 64 seconds at random. A job that kills its process takes others with it, which were merely there; the
// pauses part them from it before their attempts are used up.
func (q *TaskQueue) rescue(ctx context.Context, b *backend, oldest int64) error {
	var dead bool
	if err := b.sql.QueryRowContext(ctx, b.orphans, oldest).Scan(&dead); err != nil || !dead {
		return err
	}
	result, err := b.sql.ExecContext(ctx, b.dialect.rescue, deadNode, oldest)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err == nil && n > 0 {
		effect.Wrote(b.db.Source(), jobTable)
		q.log().WarnContext(ctx, "jobs of nodes that died were given to others", "jobs", n)
	}
	return b.notify(ctx, q.queues()...)
}

// makeDue makes jobs available whose time has come.
func (q *TaskQueue) makeDue(ctx context.Context, b *backend) {
	const interval, batch = 200 * time.Millisecond, 1000
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var due bool
		err := b.sql.QueryRowContext(ctx, b.due).Scan(&due)
		if err == nil && due {
			if _, err = b.exec.JobSchedule(ctx, &riverdriver.JobScheduleParams{Max: batch}); err == nil {
				err = b.notify(ctx, q.queues()...)
			}
		}
		if err != nil && ctx.Err() == nil {
			q.log().ErrorContext(ctx, "jobs whose time has come could not be started", "error", err)
		}
	}
}

// leave ends this node's part. Jobs that are still marked as its own are handed back.
func (q *TaskQueue) leave(ctx context.Context, b *backend) error {
	result, err := b.sql.ExecContext(ctx, b.handBack, b.id)
	if err != nil {
		return fmt.Errorf("tasks: handing jobs back: %w", err)
	}
	var left error
	if n, _ := result.RowsAffected(); n > 0 {
		left = fmt.Errorf("tasks: stopping: jobs that did not end with their contexts were handed back to be run again: %d", n)
	}
	_, err = b.sql.ExecContext(ctx, b.gone, b.id)
	return errors.Join(left, err)
}
