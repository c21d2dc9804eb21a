package orm

import (
	"slices"
	"testing"
)

func TestWhatSQLDoes(t *testing.T) {
	cases := []struct {
		dialect, text string
		want          []sqlKind
	}{
		{"", "", nil},
		{"", " -- nothing\n /* at all */ ; ;", nil},
		{"", "SELECT 1", []sqlKind{sqlRead}},
		{"", "select count(*), lower(name) from items where a in (1, 2) and exists (select 1)", []sqlKind{sqlRead}},
		{"", "SELECT replace(name, 'a', 'b'), 'insert into x' FROM t WHERE updated_at > 1", []sqlKind{sqlRead}},
		{"", "(SELECT 1) UNION (SELECT 2)", []sqlKind{sqlRead}},
		{"", "WITH a AS (SELECT 1) SELECT * FROM a", []sqlKind{sqlRead}},
		{"", "VALUES (1), (2)", []sqlKind{sqlRead}},
		{"", "SELECT substring(a from 1 for 2) FROM t", []sqlKind{sqlRead}},
		{"", "SELECT 1; SELECT 2;", []sqlKind{sqlRead, sqlRead}},
		{"", "SELECT 1; DROP TABLE x", []sqlKind{sqlRead, sqlWrite}},
		{"", "SELECT mine(1)", []sqlKind{sqlUnknown}},
		{"", "SELECT other.lower(1)", []sqlKind{sqlUnknown}},
		{"postgres", `SELECT "Sneak"(1)`, []sqlKind{sqlUnknown}},
		{"", "SELECT pg_advisory_lock(1)", []sqlKind{sqlWrite}},
		{"", "SELECT pg_catalog.nextval('a')", []sqlKind{sqlWrite}},
		{"", "SELECT * FROM t FOR UPDATE", []sqlKind{sqlWrite}},
		{"", "SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED", []sqlKind{sqlWrite}},
		{"", "SELECT * FROM t FOR SHARE", []sqlKind{sqlWrite}},
		{"", "SELECT * FROM t LOCK IN SHARE MODE", []sqlKind{sqlWrite}},
		{"", "SELECT * INTO copy FROM t", []sqlKind{sqlWrite}},
		{"", "SELECT a INTO OUTFILE '/x' FROM t", []sqlKind{sqlWrite}},
		{"mysql", "SELECT @a := 1", []sqlKind{sqlWrite}},
		{"", "WITH a AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT * FROM a", []sqlKind{sqlWrite}},
		{"", "WITH a AS (SELECT 1) DELETE FROM t", []sqlKind{sqlWrite}},
		{"", "EXPLAIN DELETE FROM t", []sqlKind{sqlRead}},
		{"", "EXPLAIN ANALYZE DELETE FROM t", []sqlKind{sqlWrite}},
		{"", "EXPLAIN (ANALYZE, BUFFERS) SELECT 1", []sqlKind{sqlWrite}},
		{"", "SHOW TABLES", []sqlKind{sqlRead}},
		{"", "PRAGMA table_info(items)", []sqlKind{sqlRead}},
		{"", "PRAGMA main.user_version", []sqlKind{sqlRead}},
		{"", "PRAGMA user_version = 3", []sqlKind{sqlSession}},
		{"", "PRAGMA user_version(3)", []sqlKind{sqlSession}},
		{"", "PRAGMA wal_checkpoint", []sqlKind{sqlSession}},
		{"", "BEGIN IMMEDIATE", []sqlKind{sqlBegin}},
		{"", "START TRANSACTION READ ONLY", []sqlKind{sqlBegin}},
		{"", "START SLAVE", []sqlKind{sqlWrite}},
		{"", "commit", []sqlKind{sqlEnd}},
		{"", "END", []sqlKind{sqlEnd}},
		{"", "ROLLBACK", []sqlKind{sqlEnd}},
		{"", "ROLLBACK TO a", []sqlKind{sqlSavepoint}},
		{"", "SAVEPOINT a; RELEASE a", []sqlKind{sqlSavepoint, sqlSavepoint}},
		{"", "SET x = 1", []sqlKind{sqlSession}},
		{"", "REPLACE INTO t VALUES (1)", []sqlKind{sqlWrite}},
		{"", "CREATE TRIGGER a AFTER INSERT ON t BEGIN DELETE FROM u; END; SELECT 1", []sqlKind{sqlWrite}},
		{"sqlite", "SELECT [a;b] FROM t", []sqlKind{sqlRead}},
		{"sqlite", `SELECT 'a\'; DELETE FROM t; --'`, []sqlKind{sqlRead, sqlWrite}},
		{"mysql", `SELECT 'a\'; DELETE FROM t; --'`, []sqlKind{sqlRead}},
		{"postgres", `SELECT E'a\'; DELETE FROM t; --'`, []sqlKind{sqlRead}},
		{"postgres", `SELECT 'a\'; DELETE FROM t; --'`, []sqlKind{sqlRead, sqlWrite}},
		{"postgres", "SELECT $$; DELETE FROM t; $$, $1, $a$ $$ ; $a$", []sqlKind{sqlRead}},
		{"postgres", "/* a /* b */ DELETE */ SELECT 1", []sqlKind{sqlRead}},
		{"mysql", "/* a /* b */ DELETE FROM t", []sqlKind{sqlWrite}},
		{"mysql", "SELECT 1 /*! INTO OUTFILE '/x' */", []sqlKind{sqlWrite}},
		{"mysql", "SELECT 1 # ; DELETE", []sqlKind{sqlRead}},
		{"mysql", "SELECT 1--1; DELETE FROM t", []sqlKind{sqlRead, sqlWrite}},
		{"sqlite", "SELECT 1 --1; DELETE FROM t", []sqlKind{sqlRead}},
		{"", "SELECT 'never ends", []sqlKind{sqlWrite}},
	}
	for _, c := range cases {
		dialects := []string{c.dialect}
		if c.dialect == "" {
			dialects = []string{"sqlite", "postgres", "mysql"}
		}
		for _, d := range dialects {
			if got := sqlKinds(d, c.text); !slices.Equal(got, c.want) {
				t.Errorf("%s: %q is %v, not %v", d, c.text, got, c.want)
			}
		}
	}
}

// Whatever is put into a text, it is taken apart to its end, and a text that holds a write outside of quotes and
// comments is not a read.
func FuzzWhatSQLDoes(f *testing.F) {
	for _, s := range []string{"SELECT 1", "SELECT 'a''b'", `E'\'`, "$a$x$a$", "/* */ ;", "[a]", "`", "--", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range []string{"sqlite", "postgres", "mysql"} {
			sqlKinds(d, text)
			kinds := sqlKinds(d, "SELECT 1; DROP TABLE x; "+text)
			if len(kinds) < 2 || kinds[0] != sqlRead || kinds[1] != sqlWrite {
				t.Errorf("%s: %q hides what comes before it: %v", d, text, kinds)
			}
		}
	})
}
