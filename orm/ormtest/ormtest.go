// Package ormtest gives each test a database of its own, on each engine, and drops it afterwards.
//
//	func TestOrders(t *testing.T) {
//		ormtest.Each(t, func(t *testing.T, db *orm.DB) { // once on SQLite, PostgreSQL and MySQL
//			orders := orm.Of[Order](db)
//			…
//		})
//	}
//
// On SQLite it is a file in a temporary folder, on PostgreSQL a schema (the search path of the URL), on MySQL a database.
// The servers' addresses are in ISHAA_TEST_POSTGRES and ISHAA_TEST_MYSQL, or on loopback with the usual ports; the user
// must be allowed to create schemas or databases. A server that does not answer skips the
// test. Where it must not be skipped, ISHAA_TEST_REQUIRE=services makes its absence a failure.
package ormtest

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/mysql"
	_ "github.com/ishaa-framework/ishaa/orm/postgres"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
)

// Engine is a kind of database.
type Engine string

// The engines. MySQL stands for MariaDB as well.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
	MySQL    Engine = "mysql"
)

// Engines are all of them.
var Engines = []Engine{SQLite, Postgres, MySQL}

// Each runs a test on an empty database of every engine, as subtests with the engines' names.
func Each(t *testing.T, test func(t *testing.T, db *orm.DB)) {
	for _, engine := range Engines {
		t.Run(string(engine), func(t *testing.T) { test(t, New(t, engine)) })
	}
}

// New returns an empty database that is closed and dropped when the test ends.
func New(t testing.TB, engine Engine, options ...orm.Options) *orm.DB {
	t.Helper()
	db, err := orm.Open(URL(t, engine), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing the database: %v", err)
		}
	})
	return db
}

// URL creates an empty database, which is dropped when the test ends, and returns the URL to open it with.
func URL(t testing.TB, engine Engine) string {
	t.Helper()
	switch engine {
	case SQLite:
		return "sqlite://" + filepath.Join(t.TempDir(), "test.db")
	case Postgres:
		u, name := onServer(t, "ISHAA_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/test", "5432", "SCHEMA", " CASCADE")
		query := u.Query()
		query.Set("search_path", name)
		u.RawQuery = query.Encode()
		return u.String()
	case MySQL:
		u, name := onServer(t, "ISHAA_TEST_MYSQL", "mysql://root@127.0.0.1:3306/test", "3306", "DATABASE", "")
		u.Path = "/" + name
		return u.String()
	}
	t.Fatalf("ormtest: there is no engine %q: take one of ormtest.Engines", engine)
	return ""
}

// onServer makes a container of tables with a name of its own.
func onServer(t testing.TB, variable, fallback, port, kind, dropping string) (u *url.URL, name string) {
	t.Helper()
	address := os.Getenv(variable)
	if address == "" {
		address = fallback
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		t.Fatalf("%s is not a URL with a host: write it like %s", variable, fallback)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	reach(t, net.JoinHostPort(u.Hostname(), port), variable)
	var random [8]byte
	rand.Read(random[:])
	name = "ishaa_test_" + hex.EncodeToString(random[:])
	run(t, address, "CREATE "+kind+" "+name)
	t.Cleanup(func() { run(t, address, "DROP "+kind+" "+name+dropping) })
	return u, name
}

// run executes one statement on the server's own database, on a connection for it alone.
func run(t testing.TB, address, text string) {
	t.Helper()
	db, err := orm.Open(address, orm.Options{MaxConnections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.SQL().Exec(text); err != nil {
		t.Errorf("%s: %v", text, err)
	}
}

func reach(t testing.TB, target, variable string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", target, 500*time.Millisecond)
	if err == nil {
		conn.Close()
		return
	}
	reason := "nothing answers at " + target + ": start it or set " + variable
	for class := range strings.SplitSeq(os.Getenv("ISHAA_TEST_REQUIRE"), ",") {
		if strings.TrimSpace(class) == "services" {
			t.Fatalf("%s (ISHAA_TEST_REQUIRE says that this machine has it)", reason)
		}
	}
	t.Skip(reason)
}
