package orm_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	"github.com/ishaa-framework/ishaa/orm/postgres"
)

func open(t *testing.T, address string, options ...orm.Options) *orm.DB {
	t.Helper()
	db, err := orm.Open(address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestTheSameDatabaseHasTheSameSource(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "real")
	if err := os.Mkdir(real, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(real)
	for _, same := range [][]string{
		{"sqlite://app.db", "sqlite://./app.db", "sqlite://" + real + "/app.db", "sqlite://" + dir + "/link/app.db", "sqlite3://../real/app.db"},
		{"postgres://127.0.0.1/shop", "postgresql://ann:pw@localhost:5432/shop?sslmode=disable&application_name=x"},
		{"mysql://127.0.0.1/shop", "mariadb://ann:pw@localhost:3306/shop?timeout=5s"},
	} {
		want := open(t, same[0]).Source()
		for _, address := range same {
			if got := open(t, address).Source(); got != want {
				t.Errorf("%s: %s, not %s", address, got, want)
			}
		}
	}
	if name := open(t, "sqlite://app.db").Name(); name != "app.db" {
		t.Errorf("the name is %s", name)
	}
	a, b := open(t, "postgres://127.0.0.1/shop"), open(t, "postgres://127.0.0.1/shop?search_path=tenant")
	if a.Source() == b.Source() || b.Name() != "shop" {
		t.Errorf("%s and %s (%s)", a.Source(), b.Source(), b.Name())
	}
}

func TestInMemory(t *testing.T) {
	a, b := open(t, "sqlite://:memory:"), open(t, "sqlite://:memory:")
	withItems(t, a)
	withItems(t, b)
	if err := insert(t.Context(), a, a, "x"); err != nil {
		t.Fatal(err)
	}
	if a.Source() == b.Source() || len(names(t, a)) != 1 || len(names(t, b)) != 0 || count(t, a) != 1 {
		t.Errorf("%s and %s are not apart", a.Source(), b.Source())
	}
	path := strings.TrimPrefix(a.Source(), "sqlite://")
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	a.Close()
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close: %v", err)
	}
}

func TestOddFileNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"with space.db", "100%25.db", "a#b.db", "ünï.db", "a&b=c.db", "a+b.db"} {
		db := open(t, "sqlite://"+dir+"/"+name)
		withItems(t, db)
		want := strings.ReplaceAll(name, "%25", "%")
		if _, err := os.Stat(filepath.Join(dir, want)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := names(t, db); len(got) != 0 {
			t.Error(got)
		}
	}
}

func TestAFileForReadingOnly(t *testing.T) {
	address := ormtest.URL(t, ormtest.SQLite)
	db := open(t, address)
	withItems(t, db)
	if err := insert(t.Context(), db, db, "a"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	db = open(t, address+"?mode=ro")
	if got := names(t, db); len(got) != 1 {
		t.Errorf("it reads %v", got)
	}
	if err := insert(t.Context(), db, db, "b"); !errors.Is(err, orm.ErrReadOnly) {
		t.Errorf("a write: %v", err)
	}
	if _, err := db.SQL().Exec("DELETE FROM items"); !errors.Is(orm.ClassifyError(db, err), orm.ErrReadOnly) {
		t.Errorf("a raw write: %v", err)
	}
}

func TestReadsGoToReplicas(t *testing.T) {
	replica := ormtest.New(t, ormtest.SQLite)
	withItems(t, replica)
	if err := insert(t.Context(), replica, replica, "from the replica"); err != nil {
		t.Fatal(err)
	}
	db := ormtest.New(t, ormtest.SQLite, orm.Options{Replicas: []string{replica.Source()}})
	withItems(t, db)
	if err := insert(t.Context(), db, db, "written"); err != nil {
		t.Fatal(err)
	}
	if got := names(t, db); len(got) != 1 || got[0] != "from the replica" {
		t.Errorf("a read: %v", got)
	}
	rows, err := orm.RunQuery(orm.Primary(t.Context()), db, orm.Stmt("select", "items", "SELECT name FROM items"))
	if err != nil {
		t.Fatal(err)
	}
	var name string
	if rows.Next(); rows.Scan(&name) != nil || name != "written" {
		t.Errorf("with Primary: %s", name)
	}
	rows.Close()
	db.Tx(t.Context(), func(tx *orm.Tx) error {
		if got := names(t, tx); got[0] != "written" {
			t.Errorf("in a transaction: %v", got)
		}
		return nil
	})
	if len(db.Stats().Replicas) != 1 {
		t.Errorf("%+v", db.Stats())
	}
	if _, err := orm.Open("sqlite://"+t.TempDir()+"/a.db", orm.Options{Replicas: []string{"postgres://127.0.0.1/x"}}); err == nil {
		t.Error("a replica of another kind")
	}
}

func TestTheDriversOwnConnection(t *testing.T) {
	db := ormtest.New(t, ormtest.Postgres)
	withItems(t, db)
	ctx := t.Context()
	pool, err := postgres.Pool(db)
	if err != nil {
		t.Fatal(err)
	}
	before := effect.GenerationOf(db.Source(), "items")
	err = db.Tx(ctx, func(tx *orm.Tx) error {
		err := postgres.Conn(tx, func(conn *pgx.Conn) error {
			_, err := conn.CopyFrom(ctx, pgx.Identifier{"items"}, []string{"name"}, pgx.CopyFromRows([][]any{{"a"}, {"b"}}))
			return err
		})
		if err != nil {
			return err
		}
		var n int
		if err := pool.QueryRow(ctx, "SELECT COUNT(*) FROM items").Scan(&n); err != nil || n != 0 {
			t.Errorf("outside of the transaction: %d, %v", n, err)
		}
		return insert(ctx, tx, db, "c")
	})
	if got := names(t, db); err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
	if after := effect.GenerationOf(db.Source(), "items"); after.Count == before.Count {
		t.Error("the generation did not move")
	}
	if _, err := postgres.Pool(ormtest.New(t, ormtest.SQLite)); err == nil {
		t.Error("the pool of an SQLite database")
	}
}

func TestClosedMeansClosed(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, engine := range ormtest.Engines {
		db, err := orm.Open(ormtest.URL(t, engine))
		if err != nil {
			t.Fatal(err)
		}
		withItems(t, db)
		count(t, db)
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if err := insert(t.Context(), db, db, "x"); !errors.Is(err, orm.ErrConnection) {
			t.Errorf("%s: after Close: %v", engine, err)
		}
	}
}

// Whatever address is given, nothing but the address's own words comes back: no panic, and no password.
func FuzzOpen(f *testing.F) {
	for _, s := range []string{"sqlite://:memory:", "postgres://%PW%@h/x", "mysql://a:%PW%@h:1/x?tls=true", "mysql://a:%PW%@h:%PW%/x", "postgres://a:%PW%@h/x?sslmode=%PW%&pool_max_conns=a", "://", "sqlite://%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if strings.HasPrefix(address, "sqlite") || strings.HasPrefix(address, "file") {
			return // would make folders
		}
		const password = "s3cr3tpa55"
		db, err := orm.Open(strings.ReplaceAll(address, "%PW%", password))
		if err == nil {
			db.Close()
			return
		}
		if strings.Contains(address, ":%PW%@") && strings.Count(address, "%PW%") == 1 && strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", address, err)
		}
	})
}
