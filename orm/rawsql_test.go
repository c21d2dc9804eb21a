package orm_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// spy is what package effect is told of a piece of work.
type spy struct {
	mu      sync.Mutex
	reads   int
	intents []effect.Intent
}

func (s *spy) context(ctx context.Context, shadow bool) context.Context {
	ctx = effect.WithReads(ctx, func(_, table string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if table == "" {
			s.reads++
		}
	})
	if shadow {
		ctx = effect.WithShadow(ctx, effect.RecorderFunc(func(i effect.Intent) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.intents = append(s.intents, i)
		}))
	}
	return ctx
}

func count(t *testing.T, db *orm.DB) (n int) {
	t.Helper()
	if err := db.SQL().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM items").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRawSQLIsSeen(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx, raw := t.Context(), db.SQL()
		generation := func() effect.Generation { return effect.GenerationOf(db.Source(), "items") }
		moved := func(name string, work func() error) {
			t.Helper()
			before := generation()
			if err := work(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if after := generation(); after.Count == before.Count || after.Writing {
				t.Errorf("%s: the generation went from %+v to %+v", name, before, after)
			}
		}
		one := place(db, "INSERT INTO items (name) VALUES (?)")
		moved("exec", func() error { _, err := raw.ExecContext(ctx, one, "exec"); return err })
		moved("a failed exec", func() error {
			if _, err := raw.ExecContext(ctx, one, "exec"); err == nil {
				return errors.New("inserted twice")
			}
			return nil
		})
		moved("prepared", func() error {
			s, err := raw.PrepareContext(ctx, one)
			if err != nil {
				return err
			}
			defer s.Close()
			_, err = s.ExecContext(ctx, "prepared")
			return err
		})
		moved("in a transaction", func() error {
			tx, err := raw.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, one, "tx"); err != nil {
				return err
			}
			if g := generation(); !g.Writing {
				t.Errorf("before the commit: %+v", g)
			}
			return tx.Commit()
		})
		moved("text that begins a transaction", func() error {
			conn, err := raw.Conn(ctx)
			if err != nil {
				return err
			}
			defer conn.Close()
			for _, text := range []string{"BEGIN", "INSERT INTO items (name) VALUES ('text')", "SAVEPOINT a", "ROLLBACK TO SAVEPOINT a"} {
				if _, err := conn.ExecContext(ctx, text); err != nil {
					return err
				}
			}
			if g := generation(); !g.Writing {
				t.Errorf("before the commit: %+v", g)
			}
			_, err = conn.ExecContext(ctx, "COMMIT")
			return err
		})
		moved("a transaction that was left open", func() error {
			conn, err := raw.Conn(ctx)
			if err != nil {
				return err
			}
			if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
				return err
			}
			if _, err := conn.ExecContext(ctx, "INSERT INTO items (name) VALUES ('forgotten')"); err != nil {
				return err
			}
			return conn.Close()
		})
		if n := count(t, db); n != 4 {
			t.Errorf("%d rows", n)
		}
		moved("returning", func() error {
			rows, err := raw.QueryContext(ctx, "INSERT INTO items (name) VALUES ('returned') RETURNING id")
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
			}
			return rows.Err()
		})

		var s spy
		before := generation()
		rows, err := raw.QueryContext(s.context(ctx, false), "SELECT name FROM items WHERE name <> 'delete from'")
		if err != nil {
			t.Fatal(err)
		}
		rows.Close()
		if s.reads != 1 || generation() != before {
			t.Errorf("a read: noted %d times, generation %+v to %+v", s.reads, before, generation())
		}
		if _, err := raw.QueryContext(ctx, "BEGIN"); err == nil {
			t.Error("a query that begins a transaction")
		}
	})
}

func TestRawSQLInAShadow(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		if err := insert(t.Context(), db, db, "a"); err != nil {
			t.Fatal(err)
		}
		raw := db.SQL()
		var s spy
		ctx := s.context(t.Context(), true)
		texts := []string{
			"INSERT INTO items (name) VALUES ('x')", "  /* a */ delete from items", "UPDATE items SET n = 1", "DROP TABLE items", "CREATE TABLE more (id INTEGER)",
			"BEGIN", "SELECT 1; DELETE FROM items", "BEGIN; DELETE FROM items; COMMIT", "SELECT name FROM items FOR UPDATE", "SET x = 1", "COMMIT",
			"WITH gone AS (DELETE FROM items RETURNING id) SELECT * FROM gone", "-- SELECT\nDELETE FROM items", "(DELETE FROM items)", "CALL everything()",
		}
		for _, text := range texts {
			n := len(s.intents)
			_, err := raw.ExecContext(ctx, text)
			if !errors.Is(err, orm.ErrReadOnly) || len(s.intents) != n+1 {
				t.Errorf("exec %s: %v, %d intents", text, err, len(s.intents)-n)
			}
			if _, err := raw.QueryContext(ctx, text); err == nil {
				t.Errorf("query %s went through", text)
			}
		}
		if st, err := raw.PrepareContext(ctx, "DELETE FROM items"); err == nil {
			if _, err := st.ExecContext(ctx); !errors.Is(err, orm.ErrReadOnly) {
				t.Errorf("prepared: %v", err)
			}
			if _, err := st.QueryContext(ctx); !errors.Is(err, orm.ErrReadOnly) {
				t.Errorf("prepared: %v", err)
			}
			st.Close()
		}
		var n int
		if err := raw.QueryRowContext(ctx, "SELECT COUNT(*) FROM items").Scan(&n); err != nil || n != 1 || s.reads == 0 {
			t.Errorf("a read: %d, %v, noted %d times", n, err, s.reads)
		}
		tx, err := raw.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM items").Scan(&n); err != nil {
			t.Error(err)
		}
		if _, err := tx.ExecContext(t.Context(), "DELETE FROM items"); err == nil { // outside of the shadow, but in its transaction
			t.Error("a write in a shadow's transaction")
		}
		tx.Rollback()
		if n := count(t, db); n != 1 {
			t.Errorf("%d rows", n)
		}
		if _, err := raw.ExecContext(t.Context(), "INSERT INTO items (name) VALUES ('after')"); err != nil {
			t.Errorf("the connection afterwards: %v", err)
		}
	})
}

// SQL of the caller's own through a session is looked at in the same way.
func TestRawStatementsOfASession(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx := t.Context()
		returning := func(name string) error {
			before := effect.GenerationOf(db.Source(), "items")
			rows, err := orm.RunQuery(ctx, db, orm.RawRead("INSERT INTO items (name) VALUES ('"+name+"') RETURNING id"))
			if err != nil {
				return err
			}
			for rows.Next() {
			}
			rows.Close()
			if after := effect.GenerationOf(db.Source(), "items"); after.Count == before.Count || after.Writing {
				t.Errorf("a write in a raw query: %+v to %+v", before, after)
			}
			return rows.Err()
		}
		if err := returning("a"); err != nil {
			t.Error(err)
		}
		var s spy
		if _, err := orm.RunQuery(s.context(ctx, true), db, orm.RawRead("DELETE FROM items")); !errors.Is(err, orm.ErrReadOnly) || len(s.intents) != 1 {
			t.Errorf("in a shadow: %v, %v", err, s.intents)
		}
		for _, text := range []string{"BEGIN", "SAVEPOINT a"} {
			if _, err := orm.ExecStatement(ctx, db, orm.Stmt("raw", "", text)); err == nil || !strings.Contains(err.Error(), "DB.Tx") {
				t.Errorf("%s: %v", text, err)
			}
		}
		err := db.Tx(ctx, func(tx *orm.Tx) error {
			for _, text := range []string{"COMMIT", "ROLLBACK", "SAVEPOINT a", "SELECT 1; COMMIT"} {
				if _, err := orm.ExecStatement(ctx, tx, orm.Stmt("raw", "", text)); err == nil || !strings.Contains(err.Error(), "Tx.Tx") {
					t.Errorf("%s in a transaction: %v", text, err)
				}
			}
			return insert(ctx, tx, db, "b")
		})
		if err != nil {
			t.Error(err)
		}
		if db.Dialect() != "mysql" { // which takes one statement at a time
			script := "BEGIN; INSERT INTO items (name) VALUES ('c'); COMMIT"
			if _, err := orm.ExecStatement(ctx, db, orm.Stmt("raw", "", script)); err != nil {
				t.Error(err)
			}
			if _, err := orm.ExecStatement(ctx, db, orm.Stmt("raw", "", script)); !errors.Is(err, orm.ErrUnique) { // fails before its COMMIT
				t.Errorf("again: %v", err)
			}
			if err := insert(ctx, db, db, "d"); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		}
	})
}

func TestSettingsStayWithTheirConnection(t *testing.T) {
	set := map[string][3]string{
		"sqlite":   {"PRAGMA foreign_keys = 0", "PRAGMA foreign_keys", "1"},
		"postgres": {"SET TIME ZONE 'Asia/Tokyo'", "SHOW TIME ZONE", "UTC"},
		"mysql":    {"SET time_zone = '+09:00'", "SELECT @@time_zone", "+00:00"},
	}
	for _, engine := range ormtest.Engines {
		db := ormtest.New(t, engine, orm.Options{MaxConnections: 1})
		texts := set[db.Dialect()]
		conn, err := db.SQL().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.ExecContext(t.Context(), texts[0]); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := conn.QueryRowContext(t.Context(), texts[1]).Scan(&got); err != nil || got == texts[2] {
			t.Errorf("%s: on the connection: %s %v", engine, got, err)
		}
		conn.Close()
		if err := db.SQL().QueryRowContext(t.Context(), texts[1]).Scan(&got); err != nil || got != texts[2] {
			t.Errorf("%s: on the next one: %s %v", engine, got, err)
		}
		err = db.Tx(t.Context(), func(tx *orm.Tx) error {
			_, err := orm.ExecStatement(t.Context(), tx, orm.Stmt("raw", "", texts[0]))
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if _, err := orm.ExecStatement(t.Context(), db, orm.Stmt("raw", "", texts[0])); err != nil {
			t.Error(err)
		}
		err = db.Tx(t.Context(), func(tx *orm.Tx) error {
			rows, err := orm.RunQuery(t.Context(), tx, orm.Stmt("select", "", texts[1]))
			if err != nil {
				return err
			}
			defer rows.Close()
			rows.Next()
			return rows.Scan(&got)
		})
		if err != nil || got != texts[2] {
			t.Errorf("%s: in the next transaction: %s %v", engine, got, err)
		}
	}
}

func TestFunctionsThatWriteInAShadow(t *testing.T) {
	db := ormtest.New(t, ormtest.Postgres)
	withItems(t, db)
	raw := db.SQL()
	if _, err := raw.Exec(`CREATE FUNCTION sneak() RETURNS integer AS $$ BEGIN DELETE FROM items; RETURN 1; END $$ LANGUAGE plpgsql; INSERT INTO items (name) VALUES ('a')`); err != nil {
		t.Fatal(err)
	}
	var schema string
	if err := raw.QueryRow("SELECT current_schema()").Scan(&schema); err != nil {
		t.Fatal(err)
	}
	var s spy
	ctx := s.context(t.Context(), true)
	for _, text := range []string{"SELECT sneak()", "SELECT nextval('items_id_seq')", `SELECT "sneak"()`, "SELECT " + schema + ".sneak()", "SELECT pg_notify('a', 'b')"} {
		var n any
		if err := raw.QueryRowContext(ctx, text).Scan(&n); err == nil {
			t.Errorf("%s went through", text)
		}
		if err := orm.ClassifyError(db, raw.QueryRowContext(ctx, text).Scan(&n)); !errors.Is(err, orm.ErrReadOnly) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows", n)
	}
	before := effect.GenerationOf(db.Source(), "items")
	if _, err := raw.Exec("SELECT sneak()"); err != nil {
		t.Fatal(err)
	}
	if after := effect.GenerationOf(db.Source(), "items"); after.Count == before.Count {
		t.Error("a function that may write did not move the generation")
	}
}

func TestRawWritersQueue(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	withItems(t, db)
	if err := insert(t.Context(), db, db, "a"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	add := "UPDATE items SET n = n + 1 WHERE name = 'a'"
	for i := range 12 {
		all.Go(func() {
			for range 20 {
				var err error
				switch i % 3 {
				case 0:
					_, err = db.SQL().ExecContext(t.Context(), add)
				case 1:
					_, err = orm.ExecStatement(t.Context(), db, orm.Stmt("update", "items", add))
				default:
					err = rawTx(t.Context(), db.SQL(), add)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var n int
	if err := db.SQL().QueryRow("SELECT n FROM items").Scan(&n); err != nil || n != 240 {
		t.Errorf("%d, %v", n, err)
	}
}

func rawTx(ctx context.Context, db *sql.DB, text string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return err
	}
	return tx.Commit()
}

func TestHooksSeeEverythingButValues(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, _ *orm.DB) {
		var log strings.Builder
		db := ormtest.New(t, ormtest.Engine(strings.TrimPrefix(t.Name(), "TestHooksSeeEverythingButValues/")),
			orm.Options{SlowQuery: time.Nanosecond, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		withItems(t, db)
		var events []orm.QueryEvent
		db.OnQuery(func(_ context.Context, e orm.QueryEvent) { events = append(events, e) })
		ctx := t.Context()
		if err := insert(ctx, db, db, "s3cr3t"); err != nil {
			t.Fatal(err)
		}
		insert(ctx, db, db, "s3cr3t")
		db.Tx(ctx, func(tx *orm.Tx) error {
			names(t, tx)
			return tx.Tx(ctx, func(tx *orm.Tx) error { return errStop })
		})
		if _, err := db.SQL().ExecContext(ctx, place(db, "UPDATE items SET n = 1 WHERE name = ?"), "s3cr3t"); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range events {
			got = append(got, e.Verb)
			if e.Start.IsZero() || e.Duration <= 0 || e.Database != db.Name() {
				t.Errorf("%+v", e)
			}
		}
		if want := "insert insert begin select savepoint savepoint savepoint rollback raw"; strings.Join(got, " ") != want {
			t.Errorf("events %v, not %s", got, want)
			return
		}
		if e := events[0]; e.Table != "items" || e.Rows != 1 || e.Arguments != 1 || e.Err != nil || e.Tx {
			t.Errorf("%+v", e)
		}
		if e := events[1]; !errors.Is(e.Err, orm.ErrUnique) {
			t.Errorf("%+v", e)
		}
		if e := events[3]; !e.Tx || e.Rows != -1 {
			t.Errorf("%+v", e)
		}
		if text := log.String(); strings.Contains(text, "s3cr3t") || strings.Count(text, "slow query") < len(events) {
			t.Errorf("the log: %s", text)
		}
	})
}
