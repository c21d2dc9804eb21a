package migrate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/migrate"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// command runs ./program migrate … as the application would.
func command(t *testing.T, db *orm.DB, o migrate.Options, args ...string) (string, error) {
	t.Helper()
	app := ishaa.New("test")
	app.Install(migrate.Plugin(db, o))
	i := slices.IndexFunc(app.Commands(), func(c ishaa.Command) bool { return c.Name == "migrate" })
	if i < 0 {
		t.Fatal("the plugin brings no command")
	}
	var out bytes.Buffer
	err := app.Commands()[i].Run(t.Context(), app, args, &out)
	return out.String(), err
}

func TestCommands(t *testing.T) {
	address := ormtest.URL(t, ormtest.SQLite)
	o := migrate.Options{Dir: filepath.Join(t.TempDir(), "migrations")}
	db := reopen(t, address)
	orm.Register[shop1](db)
	steps := []struct {
		args, out, err string
	}{
		{"", "", "say what to do"},
		{"fly", "", `there is no "fly"`},
		{"status", "no migrations yet", ""},
		{"check", "", "no migration has: CREATE TABLE"},
		{"create", "", "the name of the migration"},
		{"create bad/name", "", "no name for a migration"},
		{"create first shop", "", "the name of the migration"},
		{"create first-shop", "wrote ", ""},
		{"create again", "nothing to do", ""},
		{"check", "", "first_shop is pending"},
		{"run --dry-run", "CREATE TABLE", ""},
		{"status", "pending", ""},
		{"run --wrong", "", "flag provided but not defined"},
		{"run", "applied ", ""},
		{"run", "nothing to do", ""},
		{"check", "models, migrations and database agree", ""},
		{"status", "applied", ""},
		{"down", "took back", ""},
		{"to 0", "nothing to do", ""},
		{"to 7", "", "no migration with the version 7"},
		{"down zero", "", "how many"},
		{"baseline 7", "", "no migration with the version 7"},
	}
	for _, s := range steps {
		out, err := command(t, db, o, strings.Fields(s.args)...)
		if s.err == "" && err != nil || s.err != "" && (err == nil || !strings.Contains(err.Error(), s.err)) || !strings.Contains(out, s.out) {
			t.Errorf("migrate %s: %q, %v", s.args, out, err)
		}
	}
	out, err := command(t, db, o, "status", "--json")
	var list []migrate.Status
	if err != nil || json.Unmarshal([]byte(out), &list) != nil || len(list) != 1 || list[0].State != "pending" {
		t.Fatalf("%s, %v", out, err)
	}
	if _, err := command(t, db, o, "baseline", list[0].Version); err != nil {
		t.Fatal(err)
	}
	if n, err := orm.Of[shop1](db).Count(t.Context()); err == nil {
		t.Errorf("baseline ran the migration: %d", n)
	}
	file := filepath.Join(o.Dir, list[0].Version+"_first_shop.sql")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, "-- changed\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := command(t, db, o, "run"); err == nil || !strings.Contains(err.Error(), "was changed after it was applied") {
		t.Errorf("a changed migration runs: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := command(t, db, o, "down"); err == nil || !strings.Contains(err.Error(), "bring its file back") {
		t.Errorf("a missing migration is taken back: %v", err)
	}
}

// Migrations in Go run among those of the folder, each in a transaction with its record.
func TestCode(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		dir, fail := t.TempDir(), errors.New("not today")
		text := "-- migrate: up\nCREATE TABLE shops (id integer NOT NULL PRIMARY KEY, name varchar(20) NOT NULL);\n-- migrate: down\nDROP TABLE shops;\n"
		if err := os.WriteFile(filepath.Join(dir, "0001_shops.sql"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		var failing bool
		m := migrate.New(db, migrate.Options{Dir: dir, Go: []migrate.Code{{
			Version: "0002", Name: "fill",
			Up: func(ctx context.Context, tx *orm.Tx) error {
				if _, err := orm.Of[shop1](tx).Create(ctx, shop1{ID: 1, Name: "first"}); err != nil || !failing {
					return err
				}
				return fail
			},
			Down: func(ctx context.Context, tx *orm.Tx) error {
				_, err := orm.Of[shop1](tx).Query().Delete(ctx)
				return err
			},
		}}})
		failing = true
		if err := m.Run(t.Context(), migrate.RunOptions{}); !errors.Is(err, fail) {
			t.Fatal(err)
		}
		if n, err := orm.Of[shop1](db).Count(t.Context()); err != nil || n != 0 {
			t.Fatalf("a failed migration left %d rows, %v", n, err)
		}
		failing = false
		if err := m.Run(t.Context(), migrate.RunOptions{}); err != nil {
			t.Fatal(err)
		}
		if n, err := orm.Of[shop1](db).Count(t.Context()); err != nil || n != 1 {
			t.Fatalf("%d rows, %v", n, err)
		}
		if err := m.Down(t.Context(), 1, migrate.RunOptions{}); err != nil {
			t.Fatal(err)
		}
		if n, err := orm.Of[shop1](db).Count(t.Context()); err != nil || n != 0 {
			t.Fatalf("%d rows after down, %v", n, err)
		}
	})
}

// On SQLite a migration that would leave rows that refer to nothing is not applied.
func TestForeignKeysAreChecked(t *testing.T) {
	db, dir := ormtest.New(t, ormtest.SQLite), t.TempDir()
	orm.Register[tied](db)
	if err := db.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := family(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "0001_lose.sql"), []byte("-- migrate: up\nDELETE FROM things;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	m := migrate.New(db, migrate.Options{Dir: dir})
	if err := m.Run(t.Context(), migrate.RunOptions{}); err == nil || !strings.Contains(err.Error(), "refer to a row of things") {
		t.Fatalf("%v", err)
	}
	var n int
	if err := db.SQL().QueryRow("SELECT COUNT(*) FROM things").Scan(&n); err != nil || n != 1 {
		t.Fatalf("%d rows are left, %v", n, err)
	}
	if _, err := orm.Exec(t.Context(), db, "INSERT INTO children (thing_id) VALUES (99)"); !errors.Is(err, orm.ErrForeignKey) {
		t.Fatalf("foreign keys stay off: %v", err)
	}
}

func TestFilesThatAreWrong(t *testing.T) {
	for name, text := range map[string]string{
		"1.sql": "", "0001.sql": "", "0001_A.sql": "", "x_0001.sql": "",
		"0001_a.sql": "CREATE TABLE a (id integer);", "0002_b.sql": "CREATE TABLE a (id integer);\n-- migrate: up\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		err := migrate.New(ormtest.New(t, ormtest.SQLite), migrate.Options{Dir: dir}).Run(t.Context(), migrate.RunOptions{})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
