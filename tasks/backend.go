package tasks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/postgres"
)

const (
	jobTable    = "river_job"
	insertTopic = "river_insert"
)

func insertPayload(queue string) string { return fmt.Sprintf(`{"queue": %q}`, queue) }

// client is what of a River client does not depend on its type of transactions.
type client interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
	InsertMany(ctx context.Context, params []river.InsertManyParams) ([]*rivertype.JobInsertResult, error)
	JobGet(ctx context.Context, id int64) (*rivertype.JobRow, error)
	JobList(ctx context.Context, params *river.JobListParams) (*river.JobListResult, error)
	JobCancel(ctx context.Context, id int64) (*rivertype.JobRow, error)
	JobRetry(ctx context.Context, id int64) (*rivertype.JobRow, error)
	QueuePause(ctx context.Context, name string, opts *river.QueuePauseOpts) error
	QueueResume(ctx context.Context, name string, opts *river.QueuePauseOpts) error
	SubscribeConfig(config *river.SubscribeConfig) (<-chan *river.Event, func())
}

// backend is a River client on one kind of database, and what this package adds in SQL.
type backend struct {
	client
	dialect
	id      string  // of this node
	db      *orm.DB // that the jobs are in
	sql     *sql.DB // for this package's own statements
	exec    riverdriver.Executor
	limiter *limiter

	insertTx   func(ctx context.Context, tx *orm.Tx, params []river.InsertManyParams) ([]*rivertype.JobInsertResult, error)
	completeTx func(ctx context.Context, tx *orm.Tx, job *river.Job[payload], output []byte) error
	ring       func(queue string) // wakes the workers of this process; nil where the database does
	finished   func(id int64)     // is told of jobs that Finish completed, before River does what is left to do; may be nil
	close      func() error
}

// openBackend makes the tables and a client.
func openBackend(ctx context.Context, db *orm.DB, config *river.Config, queues map[string]QueueOptions) (*backend, error) {
	if db.Dialect() == "postgres" {
		pool, err := postgres.Pool(db)
		if err != nil {
			return nil, err
		}
		own := stdlib.OpenDBFromPool(pool)
		b := &backend{db: db, sql: own, dialect: postgresDialect, close: own.Close, limiter: newLimiter(queues, own, postgresDialect)}
		driver := &postgresDriver{riverpgxv5.New(pool), b.limiter}
		return connect[pgx.Tx](ctx, b, driver, config, inPostgres)
	}
	driver := newSQLiteDriver(db.SQL(), newLimiter(queues, db.SQL(), sqliteDialect))
	b := &backend{db: db, limiter: driver.limiter, sql: db.SQL(), dialect: sqliteDialect, ring: driver.bell.ring,
		finished: func(id int64) { driver.finished.Store(id, true) }, close: func() error { return nil }}
	return connect[*sql.Tx](ctx, b, driver, config, inSQLite)
}

func connect[TTx any, D riverdriver.Driver[TTx]](ctx context.Context, b *backend, driver D, config *river.Config,
	lend func(context.Context, *orm.Tx, func(TTx) error) error) (*backend, error) {
	if err := migrate(ctx, b, driver); err != nil {
		b.close()
		return nil, fmt.Errorf("tasks: making the tables: %w", err)
	}
	c, err := river.NewClient(driver, config)
	if err != nil {
		b.close()
		return nil, fmt.Errorf("tasks: %w", err)
	}
	b.client, b.id, b.exec = c, config.ID, driver.GetExecutor()
	b.insertTx = func(ctx context.Context, tx *orm.Tx, params []river.InsertManyParams) (results []*rivertype.JobInsertResult, err error) {
		err = lend(ctx, tx, func(t TTx) error {
			results, err = c.InsertManyTx(ctx, t, params)
			return err
		})
		return results, err
	}
	b.completeTx = func(ctx context.Context, tx *orm.Tx, job *river.Job[payload], output []byte) error {
		return lend(ctx, tx, func(t TTx) error {
			// The result is not left to River, which would write it once more after the commit.
			var mine int64
			err := driver.UnwrapExecutor(t).QueryRow(ctx, b.mine, job.ID, job.Attempt, b.id, string(output)).Scan(&mine)
			if errors.Is(err, sql.ErrNoRows) || errors.Is(err, pgx.ErrNoRows) || errors.Is(err, rivertype.ErrNotFound) {
				return ErrLost
			}
			if err != nil {
				return err
			}
			_, err = river.JobCompleteTx[D](ctx, t, job)
			return err
		})
	}
	return b, nil
}

// migrate makes River's tables and this package's. Another node may do so at the same time: then one of the two fails,
// and finds everything there when it looks again.
func migrate[TTx any, D riverdriver.Driver[TTx]](ctx context.Context, b *backend, driver D) error {
	migrator, err := rivermigrate.New[TTx](driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return err
	}
	pause := 20 * time.Millisecond
	for attempt := 0; ; attempt++ {
		if _, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err == nil {
			_, err = b.sql.ExecContext(ctx, tables)
		}
		if err == nil || attempt == 5 || ctx.Err() != nil {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
		pause *= 2
	}
}

// notify wakes the workers of a queue on all nodes.
func (b *backend) notify(ctx context.Context, queues ...string) error {
	payloads := make([]string, len(queues))
	for i, queue := range queues {
		payloads[i] = insertPayload(queue)
		if b.ring != nil {
			b.ring(queue)
		}
	}
	return b.exec.NotifyMany(ctx, &riverdriver.NotifyManyParams{Topic: insertTopic, Payload: payloads})
}

// A dialect is this package's own statements. Times are milliseconds since 1970.
type dialect struct {
	now       string // an expression
	mine      string // a job of this node, in a transaction: id, attempt, node
	progress  string // JSON, id
	due       string // whether a job that waits for a time can be made available
	rescue    string // error, oldest report of a living node
	orphans   string // oldest report of a living node: whether there is a job to rescue
	handBack  string // node
	gone      string // node
	forget    string // oldest report of a living node: takes the others off the list, which says the same of them
	report    string // node, now
	waiting   string // queue: whether there is a job to fetch
	free      string // queue: its next free moment, in microseconds
	newRate   string // queue
	reserve   string // next free moment, queue, the one before
	giveBack  string // microseconds, queue
	newPeriod string // name, tick
	lastTick  string // name
	claim     string // name, tick
}

// tables are those of this package: which nodes are alive, the last tick of each periodic task, and the next free moment
// of each queue that has a rate.
const tables = `CREATE TABLE IF NOT EXISTS ishaa_task_node (id TEXT PRIMARY KEY, seen BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS ishaa_task_period (name TEXT PRIMARY KEY, tick BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS ishaa_task_rate (queue TEXT PRIMARY KEY, free BIGINT NOT NULL)`

const deadNode = "the node that ran this attempt died"

var sqliteDialect = dialect{
	now: `SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
	mine: `UPDATE river_job SET metadata = jsonb_set(metadata, '$.output', jsonb(?4))
		WHERE id = ?1 AND state = 'running' AND attempt = ?2 AND json_extract(attempted_by, '$[#-1]') = ?3 RETURNING id`,
	progress: `UPDATE river_job SET metadata = jsonb_set(metadata, '$.progress', jsonb(?)) WHERE id = ? AND state = 'running'`,
	due:      `SELECT EXISTS (SELECT 1 FROM river_job WHERE state IN ('retryable', 'scheduled') AND scheduled_at <= datetime('now', 'subsec'))`,
	rescue: `UPDATE river_job SET
		state = CASE WHEN json_extract(metadata, '$.cancel_attempted_at') IS NOT NULL THEN 'cancelled'
			WHEN attempt >= max_attempts THEN 'discarded' WHEN attempt > 1 THEN 'retryable' ELSE 'available' END,
		scheduled_at = CASE WHEN attempt > 1
			THEN datetime('now', 'subsec', '+' || (abs(random()) % (1000 << min(attempt - 2, 6)) / 1000.0) || ' seconds')
			ELSE scheduled_at END,
		finalized_at = CASE WHEN attempt >= max_attempts OR json_extract(metadata, '$.cancel_attempted_at') IS NOT NULL
			THEN datetime('now', 'subsec') END,
		errors = jsonb_insert(coalesce(errors, jsonb('[]')), '$[#]', jsonb(json_object(
			'at', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'attempt', attempt, 'error', ?, 'trace', '')))
		WHERE state = 'running' AND json_extract(attempted_by, '$[#-1]') LIKE 'ishaa-%'
			AND json_extract(attempted_by, '$[#-1]') NOT IN (SELECT id FROM ishaa_task_node WHERE seen >= ?)`,
	orphans: `SELECT EXISTS (SELECT 1 FROM river_job WHERE state = 'running' AND json_extract(attempted_by, '$[#-1]') LIKE 'ishaa-%'
		AND json_extract(attempted_by, '$[#-1]') NOT IN (SELECT id FROM ishaa_task_node WHERE seen >= ?))`,
	gone:   `DELETE FROM ishaa_task_node WHERE id = ?`,
	forget: `DELETE FROM ishaa_task_node WHERE seen < ?`,
	handBack: `UPDATE river_job SET state = 'available', attempt = max(attempt - 1, 0)
		WHERE state = 'running' AND json_extract(attempted_by, '$[#-1]') = ?`,
	report: `INSERT INTO ishaa_task_node (id, seen) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen`,
	waiting: `SELECT EXISTS (SELECT 1 FROM river_job
		WHERE state = 'available' AND queue = ? AND priority >= 0 AND scheduled_at <= datetime('now', 'subsec'))`,
	free:      `SELECT free FROM ishaa_task_rate WHERE queue = ?`,
	newRate:   `INSERT INTO ishaa_task_rate (queue, free) VALUES (?, 0) ON CONFLICT (queue) DO NOTHING`,
	reserve:   `UPDATE ishaa_task_rate SET free = ? WHERE queue = ? AND free = ?`,
	giveBack:  `UPDATE ishaa_task_rate SET free = free - ? WHERE queue = ?`,
	newPeriod: `INSERT INTO ishaa_task_period (name, tick) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`,
	lastTick:  `SELECT tick FROM ishaa_task_period WHERE name = ?`,
	claim: `INSERT INTO ishaa_task_period (name, tick) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET tick = excluded.tick WHERE tick < excluded.tick`,
}

var postgresDialect = dialect{
	now: `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint`,
	mine: `UPDATE river_job SET metadata = jsonb_set(metadata, '{output}', $4::jsonb)
		WHERE id = $1 AND state = 'running' AND attempt = $2 AND attempted_by[array_upper(attempted_by, 1)] = $3 RETURNING id`,
	progress: `UPDATE river_job SET metadata = jsonb_set(metadata, '{progress}', $1::jsonb) WHERE id = $2 AND state = 'running'`,
	due:      `SELECT EXISTS (SELECT 1 FROM river_job WHERE state IN ('retryable', 'scheduled') AND scheduled_at <= now())`,
	rescue: `UPDATE river_job SET
		state = CASE WHEN metadata ? 'cancel_attempted_at' THEN 'cancelled'
			WHEN attempt >= max_attempts THEN 'discarded' WHEN attempt > 1 THEN 'retryable' ELSE 'available' END::river_job_state,
		scheduled_at = CASE WHEN attempt > 1
			THEN now() + random() * power(2, least(attempt - 2, 6)) * interval '1 second' ELSE scheduled_at END,
		finalized_at = CASE WHEN attempt >= max_attempts OR metadata ? 'cancel_attempted_at' THEN now() END,
		errors = array_append(errors, jsonb_build_object(
			'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'attempt', attempt, 'error', $1::text, 'trace', ''))
		WHERE id IN (SELECT id FROM river_job
			WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] LIKE 'ishaa-%'
				AND attempted_by[array_upper(attempted_by, 1)] NOT IN (SELECT id FROM ishaa_task_node WHERE seen >= $2)
			FOR UPDATE SKIP LOCKED)`,
	orphans: `SELECT EXISTS (SELECT 1 FROM river_job WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] LIKE 'ishaa-%'
		AND attempted_by[array_upper(attempted_by, 1)] NOT IN (SELECT id FROM ishaa_task_node WHERE seen >= $1))`,
	gone:   `DELETE FROM ishaa_task_node WHERE id = $1`,
	forget: `DELETE FROM ishaa_task_node WHERE seen < $1`,
	handBack: `UPDATE river_job SET state = 'available', attempt = greatest(attempt - 1, 0)
		WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = $1`,
	report: `INSERT INTO ishaa_task_node (id, seen) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen`,
	waiting: `SELECT EXISTS (SELECT 1 FROM river_job
		WHERE state = 'available' AND queue = $1 AND priority >= 0 AND scheduled_at <= now())`,
	free:      `SELECT free FROM ishaa_task_rate WHERE queue = $1`,
	newRate:   `INSERT INTO ishaa_task_rate (queue, free) VALUES ($1, 0) ON CONFLICT (queue) DO NOTHING`,
	reserve:   `UPDATE ishaa_task_rate SET free = $1 WHERE queue = $2 AND free = $3`,
	giveBack:  `UPDATE ishaa_task_rate SET free = free - $1 WHERE queue = $2`,
	newPeriod: `INSERT INTO ishaa_task_period (name, tick) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
	lastTick:  `SELECT tick FROM ishaa_task_period WHERE name = $1`,
	claim: `INSERT INTO ishaa_task_period AS p (name, tick) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET tick = excluded.tick WHERE p.tick < excluded.tick`,
}
