package orm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

var faultTables = map[string][]string{
	"sqlite": {
		`CREATE TABLE authors (id INTEGER PRIMARY KEY, email TEXT NOT NULL, country TEXT NOT NULL DEFAULT 'de', age INTEGER CONSTRAINT age_positive CHECK (age > 0), UNIQUE (country, email))`,
		`CREATE TABLE books (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES authors (id) ON DELETE RESTRICT)`,
	},
	"postgres": {
		`CREATE TABLE authors (id BIGINT PRIMARY KEY, email VARCHAR(50) NOT NULL, country VARCHAR(2) NOT NULL DEFAULT 'de', age INTEGER CONSTRAINT age_positive CHECK (age > 0), CONSTRAINT author_email UNIQUE (country, email))`,
		`CREATE TABLE books (id BIGINT PRIMARY KEY, author_id BIGINT NOT NULL CONSTRAINT books_author REFERENCES authors (id))`,
	},
	"mysql": {
		`CREATE TABLE authors (id BIGINT PRIMARY KEY, email VARCHAR(50) NOT NULL, country VARCHAR(2) NOT NULL DEFAULT 'de', age INTEGER, CONSTRAINT age_positive CHECK (age > 0), CONSTRAINT author_email UNIQUE (country, email)) ENGINE=InnoDB`,
		`CREATE TABLE books (id BIGINT PRIMARY KEY, author_id BIGINT NOT NULL, CONSTRAINT books_author FOREIGN KEY (author_id) REFERENCES authors (id)) ENGINE=InnoDB`,
	},
}

func TestErrorsAreToldApart(t *testing.T) {
	const secret = "it's for key 'secret@example.org'"
	cases := []struct {
		name, text string
		args       []any
		kind       error
		status     int
		table      map[string]string
		columns    map[string][]string
		constraint map[string]string
	}{
		{name: "unique", text: "INSERT INTO authors (id, email) VALUES (2, ?)", args: []any{secret}, kind: orm.ErrUnique, status: 409,
			table:      map[string]string{"sqlite": "authors", "postgres": "authors", "mysql": "authors"},
			columns:    map[string][]string{"sqlite": {"country", "email"}, "postgres": {"country", "email"}},
			constraint: map[string]string{"postgres": "author_email", "mysql": "author_email"}},
		{name: "primary key", text: "INSERT INTO authors (id, email) VALUES (1, ?)", args: []any{"x"}, kind: orm.ErrUnique, status: 409,
			columns:    map[string][]string{"sqlite": {"id"}, "postgres": {"id"}},
			constraint: map[string]string{"postgres": "authors_pkey", "mysql": "PRIMARY"}},
		{name: "refers to none", text: "INSERT INTO books (id, author_id) VALUES (2, ?)", args: []any{99}, kind: orm.ErrForeignKey, status: 409,
			table:      map[string]string{"sqlite": "books", "postgres": "books", "mysql": "books"},
			columns:    map[string][]string{"postgres": {"author_id"}, "mysql": {"author_id"}},
			constraint: map[string]string{"postgres": "books_author", "mysql": "books_author"}},
		{name: "is referred to", text: "DELETE FROM authors WHERE id = ?", args: []any{1}, kind: orm.ErrForeignKey, status: 409,
			constraint: map[string]string{"postgres": "books_author", "mysql": "books_author"}},
		{name: "not null", text: "INSERT INTO authors (id, email) VALUES (3, ?)", args: []any{nil}, kind: orm.ErrNotNull, status: 500,
			columns: map[string][]string{"sqlite": {"email"}, "postgres": {"email"}, "mysql": {"email"}}},
		{name: "check", text: "INSERT INTO authors (id, email, age) VALUES (3, ?, -777)", args: []any{"x"}, kind: orm.ErrCheck, status: 500,
			constraint: map[string]string{"sqlite": "age_positive", "postgres": "age_positive", "mysql": "age_positive"}},
		{name: "no table", text: "INSERT INTO nowhere (id) VALUES (?)", args: []any{1}, status: 500},
		{name: "syntax", text: "INSERT OR ELSE (?)", args: []any{1}, status: 500},
	}
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		ctx := t.Context()
		for _, text := range append(faultTables[db.Dialect()], "INSERT INTO books (id, author_id) VALUES (1, 1)") {
			if strings.HasPrefix(text, "INSERT") {
				if _, err := orm.ExecStatement(ctx, db, orm.Stmt("insert", "authors", place(db, "INSERT INTO authors (id, email) VALUES (1, ?)"), secret)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := orm.ExecStatement(ctx, db, orm.Stmt("ddl", "books", text)); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				word, _, _ := strings.Cut(strings.ToLower(c.text), " ")
				_, err := orm.ExecStatement(ctx, db, orm.Stmt(word, "", place(db, c.text), c.args...))
				var e *orm.Error
				if !errors.As(err, &e) || c.kind != nil && !errors.Is(err, c.kind) || e.Kind != c.kind {
					t.Fatalf("%v is not %v", err, c.kind)
				}
				if e.HTTPStatus() != c.status {
					t.Errorf("the status is %d", e.HTTPStatus())
				}
				if want, told := c.table[db.Dialect()]; told && e.Table != want && db.Dialect() == "postgres" {
					t.Errorf("the table is %q, not %q", e.Table, want)
				}
				if want := c.columns[db.Dialect()]; !slices.Equal(e.Columns, want) {
					t.Errorf("the columns are %v, not %v", e.Columns, want)
				}
				if want := c.constraint[db.Dialect()]; e.Constraint != want {
					t.Errorf("the constraint is %q, not %q", e.Constraint, want)
				}
				for _, value := range []string{"secret@", "it's", "-777", "99"} {
					if strings.Contains(err.Error(), value) {
						t.Errorf("the error repeats a value: %v", err)
					}
				}
				t.Log(err)
			})
		}
	})
}

func TestValuesThatDoNotFitAreNotRepeated(t *testing.T) {
	for engine, text := range map[ormtest.Engine]string{
		ormtest.Postgres: "SELECT CAST($1::text AS INTEGER)",
		ormtest.MySQL:    "INSERT INTO items (name, n) VALUES ('a', ?)",
	} {
		t.Run(string(engine), func(t *testing.T) {
			db := ormtest.New(t, engine)
			withItems(t, db)
			_, err := orm.ExecStatement(t.Context(), db, orm.Stmt("insert", "items", text, "secret 'x'"))
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("the error is %v", err)
			}
			t.Log(err)
		})
	}
}

func TestCancellationInMidQuery(t *testing.T) {
	slow := map[string]string{
		"sqlite":   "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 1000000000) SELECT COUNT(*) FROM r",
		"postgres": "SELECT pg_sleep(600)",
		"mysql":    "SELECT SLEEP(600)",
	}
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		run := func(ctx context.Context, s orm.Session) error {
			rows, err := orm.RunQuery(ctx, s, orm.Stmt("select", "items", slow[db.Dialect()]))
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
			}
			return orm.ClassifyError(s, rows.Err())
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := run(ctx, db); !errors.Is(err, orm.ErrTimeout) && !errors.Is(err, orm.ErrCanceled) {
			t.Errorf("a deadline: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		err := db.Tx(ctx, func(tx *orm.Tx) error {
			if err := insert(ctx, tx, db, "gone"); err != nil {
				return err
			}
			return run(ctx, tx)
		})
		if !errors.Is(err, orm.ErrCanceled) {
			t.Errorf("in a transaction: %v", err)
		}
		if got := names(t, db); len(got) != 0 {
			t.Errorf("written: %v", got)
		}
		if err := insert(t.Context(), db, db, "next"); err != nil {
			t.Errorf("the next write: %v", err)
		}
	})
}

// A wire stands between the program and a server, and can be cut.
type wire struct {
	net.Listener
	to string

	mu    sync.Mutex
	conns []net.Conn
	all   sync.WaitGroup
}

func newWire(t *testing.T, to string) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, to: to}
	w.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", to)
			if err != nil {
				c.Close()
				continue
			}
			w.mu.Lock()
			w.conns = append(w.conns, c, s)
			w.mu.Unlock()
			w.all.Go(func() { io.Copy(c, s); c.Close() })
			w.all.Go(func() { io.Copy(s, c); s.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); w.cut(); w.all.Wait() })
	return w
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

func TestALostConnection(t *testing.T) {
	for _, engine := range []ormtest.Engine{ormtest.Postgres, ormtest.MySQL} {
		t.Run(string(engine), func(t *testing.T) {
			u, err := url.Parse(ormtest.URL(t, engine))
			if err != nil {
				t.Fatal(err)
			}
			w := newWire(t, u.Host)
			u.Host = w.Addr().String()
			db, err := orm.Open(u.String())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			withItems(t, db)
			ctx := t.Context()
			err = db.Tx(ctx, func(tx *orm.Tx) error {
				if err := insert(ctx, tx, db, "lost"); err != nil {
					return err
				}
				w.cut()
				return insert(ctx, tx, db, "also")
			})
			var e *orm.Error
			if !errors.Is(err, orm.ErrConnection) || !errors.As(err, &e) || e.HTTPStatus() != 503 {
				t.Errorf("in a transaction: %v", err)
			}
			if err := db.Ping(ctx); err != nil {
				t.Errorf("after the cut: %v", err)
			}
			if got := names(t, db); len(got) != 0 {
				t.Errorf("written: %v", got)
			}
			w.cut()
			if got := names(t, db); len(got) != 0 { // idle connections that broke are replaced without a word
				t.Errorf("%v", got)
			}
			w.Close()
			w.cut()
			if err := db.Ping(ctx); !errors.Is(err, orm.ErrConnection) {
				t.Errorf("without a server: %v", err)
			}
		})
	}
}

func TestPasswordsStayOut(t *testing.T) {
	const password = "s3cr3t-pa55"
	for _, address := range []string{
		"postgres://ann:" + password + "@127.0.0.1:1/shop", "postgres://ann:" + password + "@127.0.0.1:port/shop",
		"postgres://ann:" + password + "@127.0.0.1:5432/shop?sslmode=never", "mysql://ann:" + password + "@127.0.0.1:1/shop",
		"mysql://ann:" + password + "@127.0.0.1:3306/shop?what=1", "mysql://ann:" + password + "@127.0.0.1/", "oracle://ann:" + password + "@host/x",
		"ann:" + password + "@host",
	} {
		db, err := orm.Open(address)
		if err == nil {
			err = db.Ping(t.Context())
			if !errors.Is(err, orm.ErrConnection) {
				t.Errorf("%s: %v", address, err)
			}
			if strings.Contains(db.Source()+db.Name(), password) || strings.Contains(db.Source(), "ann") {
				t.Errorf("the source is %s", db.Source())
			}
			db.Close()
		}
		if err == nil || strings.Contains(err.Error(), password) || strings.Contains(fmt.Sprintf("%+v", err), password) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestWrongAddresses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/text.db", []byte(strings.Repeat("this is not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"app.db": "not a URL", "": "not a URL", "sqlite://": "names no file", "sqlite://app.db?cache=shared": "mode=ro", "oracle://host/x": "there is no engine",
		"sqlite://" + dir + "/no/such/app.db": "does not exist", "mysql://root@127.0.0.1/": "names no database", "mysql://root@127.0.0.1/x?timeout=soon": "not a duration",
	} {
		if _, err := orm.Open(address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for address, want := range map[string]string{
		"sqlite://" + dir + "/text.db":         "not an SQLite database",
		"sqlite://" + dir + "/none.db?mode=ro": "cannot be opened",
	} {
		db, err := orm.Open(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(t.Context()); !errors.Is(err, orm.ErrConnection) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
		db.Close()
	}
}
