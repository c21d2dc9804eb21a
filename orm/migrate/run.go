package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
)

// recordTable holds what was applied. On MySQL, whose DDL cannot be rolled back, it also says how many statements of a
// migration are done, so that one that failed half-way goes on there.
const recordTable = "ishaa_migrations"

type record struct {
	name, checksum string
	at             time.Time
	done, total    int
}

func (r record) state(m migration) string {
	switch {
	case r.done < r.total:
		return "partial"
	case m.checksum != r.checksum:
		return "changed"
	}
	return "applied"
}

// RunOptions change what Run, Down and To do.
type RunOptions struct {
	DryRun bool      // write the statements to Out and run none
	Fake   bool      // note the migrations as applied, or taken back, and run nothing
	Out    io.Writer // gets a line per migration; nil for none
}

func (o RunOptions) say(format string, args ...any) {
	if o.Out != nil {
		fmt.Fprintf(o.Out, format+"\n", args...)
	}
}

// Run applies all migrations that are pending, each in a transaction where the engine has them for DDL. Several nodes
// may run it at once: each migration is applied once.
func (m *Migrations) Run(ctx context.Context, o RunOptions) error {
	return m.locked(ctx, o, func(conn *sql.Conn, list []migration) error { return m.up(ctx, conn, list, "", o) })
}

// Down takes back the last n migrations.
func (m *Migrations) Down(ctx context.Context, n int, o RunOptions) error {
	if n < 1 {
		return fmt.Errorf("migrate: down %d: give how many migrations to take back", n)
	}
	return m.locked(ctx, o, func(conn *sql.Conn, list []migration) error {
		for range n {
			applied, err := m.records(ctx, conn)
			if err != nil {
				return err
			}
			last, err := latest(list, applied)
			if err != nil || last == nil {
				return err
			}
			if err := m.apply(ctx, conn, *last, false, o); err != nil {
				return err
			}
		}
		return nil
	})
}

// latest finds the applied migration with the highest version.
func latest(list []migration, applied map[string]record) (*migration, error) {
	version := ""
	for v := range applied {
		version = max(version, v)
	}
	if version == "" {
		return nil, nil
	}
	for i := range list {
		if list[i].version == version {
			return &list[i], nil
		}
	}
	return nil, fmt.Errorf("migrate: the database has the migration %s_%s, which is not in this folder: bring its file back", version, applied[version].name)
}

// To applies or takes back migrations until that of a version is the last applied one; "0" takes back all.
func (m *Migrations) To(ctx context.Context, version string, o RunOptions) error {
	return m.locked(ctx, o, func(conn *sql.Conn, list []migration) error {
		if version != "0" && !slices.ContainsFunc(list, func(x migration) bool { return x.version == version }) {
			return fmt.Errorf("migrate: there is no migration with the version %s", version)
		}
		for {
			applied, err := m.records(ctx, conn)
			if err != nil {
				return err
			}
			last, err := latest(list, applied)
			if err != nil {
				return err
			}
			if last == nil || last.version <= version {
				break
			}
			if err := m.apply(ctx, conn, *last, false, o); err != nil {
				return err
			}
			if o.DryRun {
				list = slices.DeleteFunc(slices.Clone(list), func(x migration) bool { return x.version == last.version })
				return m.preview(list, applied, version, *last, o)
			}
		}
		return m.up(ctx, conn, list, version, o)
	})
}

// preview goes on writing what taking back more migrations would run.
func (m *Migrations) preview(list []migration, applied map[string]record, version string, last migration, o RunOptions) error {
	for _, x := range slices.Backward(list) {
		if _, ok := applied[x.version]; ok && x.version > version && x.version < last.version {
			printSteps(x, false, o)
		}
	}
	return nil
}

// Baseline notes all migrations up to a version as applied, for a database that has the tables already.
func (m *Migrations) Baseline(ctx context.Context, version string, o RunOptions) error {
	o.Fake = true
	return m.locked(ctx, o, func(conn *sql.Conn, list []migration) error {
		if !slices.ContainsFunc(list, func(x migration) bool { return x.version == version }) {
			return fmt.Errorf("migrate: there is no migration with the version %s", version)
		}
		return m.up(ctx, conn, list, version, o)
	})
}

// up applies what is pending, up to a version if there is one.
func (m *Migrations) up(ctx context.Context, conn *sql.Conn, list []migration, version string, o RunOptions) error {
	applied, err := m.records(ctx, conn)
	if err != nil {
		return err
	}
	for _, x := range list {
		if r, ok := applied[x.version]; ok && r.state(x) == "changed" {
			return fmt.Errorf("migrate: %s was changed after it was applied: bring it back as it was, and write the change as a new migration", x.title())
		}
	}
	count := 0
	for _, x := range list {
		if r, ok := applied[x.version]; ok && r.state(x) == "applied" || version != "" && x.version > version {
			continue
		}
		if err := m.apply(ctx, conn, x, true, o); err != nil {
			return err
		}
		count++
	}
	if count == 0 {
		o.say("nothing to do: all migrations are applied")
	}
	return nil
}

// locked runs a function on one connection while no other node migrates.
func (m *Migrations) locked(ctx context.Context, o RunOptions, fn func(conn *sql.Conn, list []migration) error) error {
	list, err := files(m.fsys, m.o.Go)
	if err != nil {
		return err
	}
	conn, err := m.db.SQL().Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer conn.Close()
	const key = 7_210_477_109 // of PostgreSQL's advisory lock: any number that others do not use
	var take, give string
	switch m.db.Dialect() {
	case "postgres":
		take, give = fmt.Sprintf("SELECT pg_advisory_lock(%d)", key), fmt.Sprintf("SELECT pg_advisory_unlock(%d)", key)
	case "mysql":
		take, give = "SELECT GET_LOCK(CONCAT(DATABASE(), '.ishaa_migrations'), 600)", "SELECT RELEASE_LOCK(CONCAT(DATABASE(), '.ishaa_migrations'))"
	} // SQLite has one writer: its transactions are the lock
	if take != "" {
		var got sql.NullString
		if err := conn.QueryRowContext(ctx, take).Scan(&got); err != nil {
			return fmt.Errorf("migrate: waiting for other nodes that migrate: %w", err)
		}
		if m.db.Dialect() == "mysql" && got.String != "1" {
			return errors.New("migrate: another node has been migrating for ten minutes: see whether it hangs")
		}
		defer func() {
			release, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			_ = conn.QueryRowContext(release, give).Scan(&got) // the lock ends with the connection at the latest
		}()
	}
	if _, err := conn.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+recordTable+" (version varchar(20) NOT NULL PRIMARY KEY, name varchar(255) NOT NULL, "+
		"checksum varchar(64) NOT NULL, applied_at varchar(40) NOT NULL, done integer NOT NULL, total integer NOT NULL)"); err != nil {
		return fmt.Errorf("migrate: creating the table %s, which holds what was applied: %w", recordTable, err)
	}
	return fn(conn, list)
}

type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

func (m *Migrations) records(ctx context.Context, on querier) (map[string]record, error) {
	rows, err := on.QueryContext(ctx, "SELECT version, name, checksum, applied_at, done, total FROM "+recordTable)
	if err != nil {
		return nil, fmt.Errorf("migrate: reading what was applied: %w", err)
	}
	defer rows.Close()
	list := map[string]record{}
	for rows.Next() {
		var r record
		var version, at string
		if err := rows.Scan(&version, &r.name, &r.checksum, &at, &r.done, &r.total); err != nil {
			return nil, fmt.Errorf("migrate: reading what was applied: %w", err)
		}
		r.at, _ = time.Parse(time.RFC3339, at)
		list[version] = r
	}
	return list, rows.Err()
}

// applied reads the records without making their table.
func (m *Migrations) applied(ctx context.Context) (map[string]record, error) {
	if there, err := m.hasTable(ctx, recordTable); err != nil || !there {
		return map[string]record{}, err
	}
	return m.records(ctx, m.db.SQL())
}

func (m *Migrations) hasTable(ctx context.Context, name string) (bool, error) {
	text := map[string]string{
		"sqlite":   "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?",
		"postgres": "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1",
		"mysql":    "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
	}[m.db.Dialect()]
	var n int
	if err := m.db.SQL().QueryRowContext(ctx, text, name).Scan(&n); err != nil {
		return false, fmt.Errorf("migrate: %w", err)
	}
	return n > 0, nil
}

func printSteps(x migration, up bool, o RunOptions) {
	list, direction := x.up, "up"
	if !up {
		list, direction = x.down, "down"
	}
	o.say("-- %s %s", x.title(), direction)
	for _, s := range list {
		o.say("%s", strings.TrimRight(s, "; \n")+";")
	}
}

// apply runs one migration, or takes it back.
func (m *Migrations) apply(ctx context.Context, conn *sql.Conn, x migration, up bool, o RunOptions) error {
	if o.DryRun {
		printSteps(x, up, o)
		return nil
	}
	if !up && !o.Fake && (x.code == nil && len(x.down) == 0 && len(x.up) > 0 || x.code != nil && x.code.Down == nil) {
		return fmt.Errorf("migrate: %s cannot be taken back: it has nothing after %q", x.title(), downMark)
	}
	started := time.Now()
	var err error
	switch {
	case x.code != nil && !o.Fake:
		err = m.runCode(ctx, x, up)
	case m.db.Dialect() == "mysql":
		err = m.runEach(ctx, conn, x, up, o.Fake)
	default:
		err = m.runWhole(ctx, conn, x, up, o.Fake)
	}
	if err != nil {
		return err
	}
	done := "applied"
	if !up {
		done = "took back"
	}
	o.say("%s %s (%s)", done, x.title(), time.Since(started).Round(time.Millisecond))
	return nil
}

func (x migration) steps(up, fake bool) []string {
	switch {
	case fake:
		return nil
	case up:
		return x.up
	}
	return x.down
}

// runWhole runs a migration and its record in one transaction.
func (m *Migrations) runWhole(ctx context.Context, conn *sql.Conn, x migration, up, fake bool) (err error) {
	begin := "BEGIN"
	if m.db.Dialect() == "sqlite" {
		// A table is changed by building another and dropping the first, which must not delete what refers to it.
		begin = "BEGIN IMMEDIATE"
		if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = off"); err != nil {
			return x.failed("", err)
		}
		defer func() {
			_, on := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys = on")
			err = errors.Join(err, on)
		}()
	}
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return x.failed(begin, err)
	}
	defer func() {
		if err != nil {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	applied, err := m.records(ctx, conn)
	if err != nil {
		return err
	}
	if _, there := applied[x.version]; there == up { // another node was faster
		_, err = conn.ExecContext(ctx, "ROLLBACK")
		return err
	}
	for _, s := range x.steps(up, fake) {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return x.failed(s, err)
		}
	}
	if m.db.Dialect() == "sqlite" && !fake {
		if err := m.checkKeys(ctx, conn, x); err != nil {
			return err
		}
	}
	if err := m.note(ctx, conn, x, up, len(x.up)); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return x.failed("COMMIT", err)
	}
	return nil
}

// checkKeys refuses a migration that leaves rows that refer to nothing.
func (m *Migrations) checkKeys(ctx context.Context, conn *sql.Conn, x migration) error {
	rows, err := conn.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return x.failed("PRAGMA foreign_key_check", err)
	}
	defer rows.Close()
	if rows.Next() {
		var from, to string
		var row, key sql.NullInt64
		if err := rows.Scan(&from, &row, &to, &key); err != nil {
			return x.failed("PRAGMA foreign_key_check", err)
		}
		return fmt.Errorf("migrate: %s was not applied: afterwards row %d of %s would refer to a row of %s that does not exist", x.title(), row.Int64, from, to)
	}
	return rows.Err()
}

// runEach runs the statements of a migration one by one, where the engine commits each by itself, and notes how far it
// came.
func (m *Migrations) runEach(ctx context.Context, conn *sql.Conn, x migration, up, fake bool) error {
	applied, err := m.records(ctx, conn)
	if err != nil {
		return err
	}
	list := x.steps(up, fake)
	first := 0
	r, there := applied[x.version]
	if up && there {
		if r.done >= r.total {
			return nil
		}
		first = r.done
	}
	if up && !there {
		if err := m.note(ctx, conn, x, true, 0); err != nil {
			return err
		}
	}
	for i := first; i < len(list); i++ {
		if _, err := conn.ExecContext(ctx, list[i]); err != nil {
			err = x.failed(list[i], err)
			if i > 0 {
				err = fmt.Errorf("%w. %d of its %d statements are done, which this engine cannot take back: mend it and run again, it goes on there", err, i, len(list))
			}
			return err
		}
		if up {
			if _, err := conn.ExecContext(ctx, "UPDATE "+recordTable+" SET done = ? WHERE version = ?", i+1, x.version); err != nil {
				return x.failed("", err)
			}
		}
	}
	if !up {
		return m.note(ctx, conn, x, false, 0)
	}
	_, err = conn.ExecContext(ctx, "UPDATE "+recordTable+" SET done = total, checksum = ? WHERE version = ?", x.checksum, x.version)
	return err
}

func (m *Migrations) runCode(ctx context.Context, x migration, up bool) error {
	err := m.db.Tx(ctx, func(tx *orm.Tx) error {
		// The record goes first: where transactions are the lock, it tells that another node was faster.
		text, args := m.noteSQL(x, up, 0)
		n, err := orm.Exec(ctx, tx, text, args...)
		switch {
		case up && errors.Is(err, orm.ErrUnique), !up && err == nil && n == 0:
			return errFaster
		case err != nil:
			return err
		}
		run := x.code.Up
		if !up {
			run = x.code.Down
		}
		if err := run(ctx, tx); err != nil {
			return fmt.Errorf("migrate: %s: %w", x.title(), err)
		}
		return nil
	})
	if errors.Is(err, errFaster) {
		return nil
	}
	return err
}

var errFaster = errors.New("another node was faster")

// note writes or removes the record of a migration.
func (m *Migrations) note(ctx context.Context, conn *sql.Conn, x migration, up bool, done int) error {
	text, args := m.noteSQL(x, up, done)
	if _, err := conn.ExecContext(ctx, text, args...); err != nil {
		return x.failed(text, err)
	}
	return nil
}

func (m *Migrations) noteSQL(x migration, up bool, done int) (text string, args []any) {
	if up {
		text = "INSERT INTO " + recordTable + " (version, name, checksum, applied_at, done, total) VALUES (?, ?, ?, ?, ?, ?)"
		args = []any{x.version, x.name, x.checksum, m.o.Now().UTC().Format(time.RFC3339), int64(done), int64(len(x.up))}
	} else {
		text, args = "DELETE FROM "+recordTable+" WHERE version = ?", []any{x.version}
	}
	if m.db.Dialect() == "postgres" {
		for i := range args {
			text = strings.Replace(text, "?", fmt.Sprintf("$%d", i+1), 1)
		}
	}
	return text, args
}

// failed says which statement of which file.
func (x migration) failed(statement string, err error) error {
	first, _, _ := strings.Cut(strings.TrimSpace(statement), "\n")
	if len(first) > 100 {
		first = first[:100] + "…"
	}
	return fmt.Errorf("migrate: %s: %s: %w", x.title(), first, err)
}
