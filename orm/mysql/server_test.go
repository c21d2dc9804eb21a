package mysql_test

import (
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

func TestSessionsAreSetUp(t *testing.T) {
	db := ormtest.New(t, ormtest.MySQL)
	var zone, mode, charset, wait string
	err := db.SQL().QueryRow("SELECT @@time_zone, @@sql_mode, @@character_set_connection, @@innodb_lock_wait_timeout").Scan(&zone, &mode, &charset, &wait)
	if err != nil || zone != "+00:00" || !strings.Contains(mode, "STRICT_ALL_TABLES") || strings.Contains(mode, "ANSI_QUOTES") || charset != "utf8mb4" || wait != "30" {
		t.Errorf("%s %s %s %s %v", zone, mode, charset, wait, err)
	}
}

func TestMatchedRowsAreAffected(t *testing.T) {
	db := ormtest.New(t, ormtest.MySQL)
	for _, text := range []string{"CREATE TABLE t (id INT PRIMARY KEY, n INT)", "INSERT INTO t VALUES (1, 1)"} {
		if _, err := db.SQL().Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	r, err := db.SQL().Exec("UPDATE t SET n = 1 WHERE id = ?", 1)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := r.RowsAffected(); n != 1 {
		t.Errorf("%d rows", n)
	}
}
