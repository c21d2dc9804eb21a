package migrate_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/migrate"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// Each kind of change is a table before and after, as two models of the same table. A database is brought to the one,
// filled, changed to the other by a migration that Create wrote, and back.

func reopen(t *testing.T, address string) *orm.DB {
	t.Helper()
	db, err := orm.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var engines = []ormtest.Engine{ormtest.SQLite, ormtest.Postgres, ormtest.MySQL}

// dump is the schema of a database as text, and what is in one table.
func dump(t *testing.T, db *orm.DB) string {
	t.Helper()
	text := map[string]string{
		"sqlite": "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name <> 'ishaa_migrations' ORDER BY name",
		"postgres": `SELECT line FROM (
			SELECT table_name || '.' || column_name || ' ' || data_type || COALESCE('(' || character_maximum_length || ')', '') || COALESCE('(' || numeric_precision || ',' || numeric_scale || ')', '') || ' ' || is_nullable || ' ' || COALESCE(column_default, '') || ' ' || is_identity AS line
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'ishaa_migrations'
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename <> 'ishaa_migrations'
			UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND conrelid::regclass::text <> 'ishaa_migrations') AS lines ORDER BY line`,
		"mysql": `SELECT line FROM (
			SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, column_default, extra, collation_name) AS line FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name <> 'ishaa_migrations'
			UNION ALL SELECT CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name, non_unique) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name <> 'ishaa_migrations'
			UNION ALL SELECT CONCAT_WS(' ', r.table_name, r.constraint_name, r.delete_rule, r.referenced_table_name) FROM information_schema.referential_constraints r WHERE constraint_schema = DATABASE()) AS list ORDER BY line`,
	}[db.Dialect()]
	rows, err := db.SQL().QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var b strings.Builder
	for rows.Next() {
		var line sql.NullString
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, normal(line.String))
	}
	return b.String()
}

// normal is one way to write what SQLite keeps as it was written.
func normal(line string) string {
	line = strings.NewReplacer("`", "", `"`, "", "\n", " ", "new_", "").Replace(line)
	fields := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ", ",", " , ").Replace(line))
	return strings.Join(slices.DeleteFunc(fields, func(f string) bool { return f == "NULL" }), " ")
}

// change is one kind of change: the models before and after, a row that is there before, and what is to be seen then.
type change struct {
	name          string
	before, after func(db *orm.DB)
	fill          func(ctx context.Context, db *orm.DB) error
	kept          func(ctx context.Context, db *orm.DB) (any, error)
	want          any
	create        migrate.CreateOptions
	notSQLite     bool // SQLite sees no difference: its columns have no size
}

func model[T any](db *orm.DB) { orm.Register[T](db) }

func models(list ...func(db *orm.DB)) func(db *orm.DB) {
	return func(db *orm.DB) {
		for _, register := range list {
			register(db)
		}
	}
}

// read reads one field of the first row through the model after the change.
func read[T any](field string) func(ctx context.Context, db *orm.DB) (any, error) {
	return func(ctx context.Context, db *orm.DB) (any, error) {
		var values []any
		if err := orm.Of[T](db).OrderBy("id").Values(ctx, &values, field); err != nil {
			return nil, err
		}
		return strings.TrimSpace(fmt.Sprintln(values...)), nil
	}
}

func TestRoundTrips(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			for _, c := range changes() {
				t.Run(c.name, func(t *testing.T) { c.roundTrip(t, engine) })
			}
		})
	}
}

func (c change) roundTrip(t *testing.T, engine ormtest.Engine) {
	ctx := t.Context()
	address, dir := ormtest.URL(t, engine), t.TempDir()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	options := migrate.Options{Dir: dir, Now: func() time.Time { return now }}
	open := func(register func(*orm.DB)) (*orm.DB, *migrate.Migrations) {
		db := reopen(t, address)
		register(db)
		return db, migrate.New(db, options)
	}
	db, m := open(c.before)
	if made, err := m.Create(ctx, "first", migrate.CreateOptions{}); err != nil || made.File == "" {
		t.Fatalf("first: %+v, %v", made, err)
	}
	if err := m.Run(ctx, migrate.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := m.Check(ctx); err != nil {
		t.Fatalf("after the first migration: %v", err)
	}
	if c.fill != nil {
		if err := c.fill(ctx, db); err != nil {
			t.Fatal(err)
		}
	}
	before := dump(t, db)

	db, m = open(c.after)
	if c.notSQLite && engine == ormtest.SQLite {
		if made, err := m.Create(ctx, "second", c.create); err != nil || made.File != "" {
			t.Fatalf("%+v, %v", made, err)
		}
		return
	}
	if err := m.Check(ctx); err == nil {
		t.Fatal("check does not see that the models changed")
	}
	made, err := m.Create(ctx, "second", c.create)
	if err != nil || made.File == "" {
		t.Fatalf("second: %+v, %v", made, err)
	}
	explain := func() string { text, _ := os.ReadFile(made.File); return string(text) }
	if err := m.Run(ctx, migrate.RunOptions{}); err != nil {
		t.Fatalf("%v\n%s", err, explain())
	}
	if err := m.Check(ctx); err != nil {
		t.Fatalf("after the change: %v\n%s", err, explain())
	}
	if again, err := m.Create(ctx, "third", migrate.CreateOptions{}); err != nil || again.File != "" {
		t.Fatalf("a second create writes %+v, %v", again, err)
	}
	if c.kept != nil {
		if got, err := c.kept(ctx, db); err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Fatalf("the table has %v, %v; want %v\n%s", got, err, c.want, explain())
		}
	}
	if err := m.Down(ctx, 1, migrate.RunOptions{}); err != nil {
		t.Fatalf("down: %v\n%s", err, explain())
	}
	if after := dump(t, db); after != before {
		t.Fatalf("down leads elsewhere:\n%s\nit was\n%s\n%s", after, before, explain())
	}
	if err := m.Run(ctx, migrate.RunOptions{}); err != nil {
		t.Fatalf("up again: %v", err)
	}
}

// Two nodes that migrate at once apply each step once.
func TestTwoNodes(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			address, dir := ormtest.URL(t, engine), t.TempDir()
			db := reopen(t, address)
			for i := range 8 {
				name := filepath.Join(dir, fmt.Sprintf("000%d_step.sql", i+1))
				text := fmt.Sprintf("-- migrate: up\nCREATE TABLE step%d (id integer);\n-- migrate: down\nDROP TABLE step%d;\n", i, i)
				if i > 0 {
					text = fmt.Sprintf("-- migrate: up\nINSERT INTO step0 (id) VALUES (%d);\n-- migrate: down\nDELETE FROM step0 WHERE id = %d;\n", i, i)
				}
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var wg sync.WaitGroup
			for range 4 {
				node := reopen(t, address)
				wg.Go(func() {
					if err := migrate.New(node, migrate.Options{Dir: dir}).Run(t.Context(), migrate.RunOptions{}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			var n, different int
			if err := db.SQL().QueryRow("SELECT COUNT(*), COUNT(DISTINCT id) FROM step0").Scan(&n, &different); err != nil || n != 7 || different != 7 {
				t.Errorf("%d rows, %d different, %v", n, different, err)
			}
		})
	}
}

// A migration that fails leaves nothing, or, where the engine cannot roll back, goes on where it stopped.
func TestFailureHalfWay(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			db, dir := ormtest.New(t, engine), t.TempDir()
			file := filepath.Join(dir, "0001_broken.sql")
			write := func(last string) {
				text := "-- migrate: up\nCREATE TABLE a (id integer);\nCREATE TABLE b (id integer);\n" + last + ";\n-- migrate: down\nDROP TABLE b;\nDROP TABLE a;\n"
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write("INSERT INTO missing VALUES (1)")
			m := migrate.New(db, migrate.Options{Dir: dir})
			err := m.Run(t.Context(), migrate.RunOptions{})
			if err == nil || !strings.Contains(err.Error(), "0001_broken.sql") || !strings.Contains(err.Error(), "INSERT INTO missing") {
				t.Fatalf("the error does not say where: %v", err)
			}
			var n int
			there := db.SQL().QueryRow("SELECT COUNT(*) FROM a").Scan(&n) == nil
			if there != (engine == ormtest.MySQL) {
				t.Errorf("the first table is there: %v", there)
			}
			write("INSERT INTO a VALUES (1)")
			if err := m.Run(t.Context(), migrate.RunOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := db.SQL().QueryRow("SELECT COUNT(*) FROM a").Scan(&n); err != nil || n != 1 {
				t.Errorf("%d rows, %v", n, err)
			}
			if err := m.To(t.Context(), "0", migrate.RunOptions{}); err != nil {
				t.Fatal(err)
			}
			if list, err := m.Status(t.Context()); err != nil || list[0].State != "pending" {
				t.Errorf("%+v, %v", list, err)
			}
		})
	}
}

type shop1 struct {
	ID   int64
	Name string
}
type shop2 struct {
	ID    int64
	Title string
}

func (shop1) TableName() string { return "shops" }
func (shop2) TableName() string { return "shops" }

// What throws data away is refused until it is allowed; a rename is told, or asked about.
func TestDestructive(t *testing.T) {
	dir := t.TempDir()
	options := migrate.Options{Dir: dir}
	address := ormtest.URL(t, ormtest.SQLite)
	db := reopen(t, address)
	orm.Register[shop1](db)
	if _, err := migrate.New(db, options).Create(t.Context(), "first", migrate.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	db = reopen(t, address)
	orm.Register[shop2](db)
	m := migrate.New(db, options)
	_, err := m.Create(t.Context(), "second", migrate.CreateOptions{})
	if !errors.Is(err, migrate.ErrDestructive) || !strings.Contains(err.Error(), "--rename shops.name:title") {
		t.Fatalf("%v", err)
	}
	asked := ""
	made, err := m.Create(t.Context(), "second", migrate.CreateOptions{Ask: func(q string) (bool, error) { asked = q; return true, nil }})
	if err != nil || asked != "Was shops.name renamed to title?" || len(made.Up) != 1 || !strings.Contains(made.Up[0], "RENAME COLUMN") {
		t.Fatalf("%q, %+v, %v", asked, made, err)
	}
	var out bytes.Buffer
	if err := m.Run(t.Context(), migrate.RunOptions{DryRun: true, Out: &out}); err != nil || !strings.Contains(out.String(), "CREATE TABLE") {
		t.Fatalf("%s, %v", out.String(), err)
	}
	if list, err := m.Status(t.Context()); err != nil || len(list) != 2 || list[0].State != "pending" {
		t.Fatalf("a dry run ran: %+v, %v", list, err)
	}
}
