package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
)

func Example() {
	db, err := orm.Open("sqlite://:memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	var version, mode string
	ctx := context.Background()
	db.SQL().QueryRowContext(ctx, "SELECT 'Ishaa' REGEXP '^I(sha+)$', (SELECT journal_mode FROM pragma_journal_mode)").Scan(&version, &mode)
	fmt.Println(db.Dialect(), version, mode)
	// Output: sqlite 1 wal
}

func TestConnectionsAreSetUp(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "query_only": "0", "busy_timeout": "30000"} {
		var got string
		if err := db.SQL().QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, not %s (%v)", pragma, got, want, err)
		}
	}
	relaxed := ormtest.New(t, ormtest.SQLite, orm.Options{Relaxed: true})
	var got string
	if err := relaxed.SQL().QueryRow("PRAGMA synchronous").Scan(&got); err != nil || got != "1" {
		t.Errorf("relaxed: %s %v", got, err)
	}
}

func TestRegexp(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	for _, c := range []struct {
		text, pattern, want string
	}{
		{"'abc'", "'^a.c$'", "1"}, {"'abc'", "'B'", "0"}, {"'abc'", "'(?i)B'", "1"}, {"NULL", "'a'", "none"}, {"'a'", "NULL", "none"},
		{"12", "'^1'", "1"}, {"x'616263'", "'b'", "1"}, {"'grün'", `'\pL{4}'`, "1"},
	} {
		var got string
		if err := db.SQL().QueryRow("SELECT COALESCE(" + c.text + " REGEXP " + c.pattern + ", 'none')").Scan(&got); err != nil || got != c.want {
			t.Errorf("%s REGEXP %s is %s, not %s (%v)", c.text, c.pattern, got, c.want, err)
		}
	}
	var got string
	err := db.SQL().QueryRow("SELECT 'a' REGEXP '('").Scan(&got)
	if err == nil || !strings.Contains(err.Error(), "regular expression") {
		t.Errorf("a pattern that is wrong: %v", err)
	}
	for i := range 600 { // more patterns than are kept
		if err := db.SQL().QueryRow("SELECT ? REGEXP ?", fmt.Sprint("x", i), fmt.Sprint("^x", i, "$")).Scan(&got); err != nil || got != "1" {
			t.Fatal(i, got, err)
		}
	}
}

func TestNamesAreNeverText(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	var got string
	if err := db.SQL().QueryRow(`SELECT "no such column"`).Scan(&got); err == nil {
		t.Errorf("a misspelt column is the text %q", got)
	}
}

func TestForeignKeysHold(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	_, err := db.SQL().Exec("CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a_id INTEGER REFERENCES a (id)); INSERT INTO b VALUES (7)")
	err = db.Tx(t.Context(), func(*orm.Tx) error { return err })
	if err == nil || errors.Is(err, orm.ErrUnique) || !strings.Contains(err.Error(), "FOREIGN KEY") {
		t.Errorf("%v", err)
	}
}
