package orm_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

func long() bool { return os.Getenv("ISHAA_TEST_LONG") == "1" }

// 16 writers and 64 readers on one SQLite file: nobody sees SQLITE_BUSY, no update is lost, and the file is whole.
func TestManyOnOneFile(t *testing.T) {
	duration := 2 * time.Second
	if long() {
		duration = time.Minute
	}
	db := ormtest.New(t, ormtest.SQLite)
	withItems(t, db)
	ctx := t.Context()
	if err := insert(ctx, db, db, "counter"); err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(duration)
	var writes, reads, last atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := 0; time.Now().Before(until); n++ {
				var err error
				switch (i + n) % 3 {
				case 0: // one statement
					_, err = orm.ExecStatement(ctx, db, orm.Stmt("update", "items", "UPDATE items SET n = n + 1 WHERE name = 'counter'"))
				case 1: // read, compute, write: lost updates would show here
					err = db.Tx(ctx, func(tx *orm.Tx) error {
						v, err := counter(ctx, tx)
						if err != nil {
							return err
						}
						_, err = orm.ExecStatement(ctx, tx, orm.Stmt("update", "items", "UPDATE items SET n = ? WHERE name = 'counter'", v+1))
						return err
					})
				default:
					err = rawTx(ctx, db.SQL(), "UPDATE items SET n = n + 1 WHERE name = 'counter'")
				}
				if err != nil {
					t.Error(err)
					return
				}
				writes.Add(1)
			}
		})
	}
	for range 64 {
		all.Go(func() {
			for time.Now().Before(until) {
				floor := last.Load()
				v, err := counter(ctx, db)
				if err != nil {
					t.Error(err)
					return
				}
				if v < floor {
					t.Errorf("the counter went back from %d to %d", floor, v)
					return
				}
				for old := last.Load(); v > old && !last.CompareAndSwap(old, v); old = last.Load() {
				}
				reads.Add(1)
			}
		})
	}
	all.Wait()
	if v, err := counter(ctx, db); err != nil || v != writes.Load() {
		t.Errorf("the counter is %d after %d writes (%v)", v, writes.Load(), err)
	}
	whole(t, db)
	t.Logf("%d writes, %d reads in %s", writes.Load(), reads.Load(), duration)
}

func counter(ctx context.Context, s orm.Session) (v int64, err error) {
	rows, err := orm.RunQuery(ctx, s, orm.Stmt("select", "items", "SELECT n FROM items WHERE name = ?", "counter"))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&v); err != nil {
			return 0, err
		}
	}
	return v, rows.Err()
}

func whole(t *testing.T, db *orm.DB) {
	t.Helper()
	var verdict string
	if err := db.SQL().QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check: %s %v", verdict, err)
	}
}

// A process is killed in the middle of its writes: every write that it was told of as done is there.
func TestKilledInMidWrite(t *testing.T) {
	times := 3
	if long() {
		times = 50
	}
	path := filepath.Join(t.TempDir(), "killed.db")
	acknowledged := 0
	for round := range times {
		acknowledged += killed(t, path, round)
		db, err := orm.Open("sqlite://" + path)
		if err != nil {
			t.Fatal(err)
		}
		var rows, tops int
		if err := db.SQL().QueryRow("SELECT COUNT(*), COALESCE(MAX(n), 0) FROM items").Scan(&rows, &tops); err != nil {
			t.Fatal(err)
		}
		if rows < acknowledged || rows != tops {
			t.Errorf("round %d: %d rows up to %d, but %d were acknowledged", round, rows, tops, acknowledged)
		}
		acknowledged = rows // some were written and not told of
		whole(t, db)
		db.Close()
	}
	if acknowledged == 0 {
		t.Error("nothing was written")
	}
	t.Logf("%d rows after %d kills", acknowledged, times)
}

// killed runs this test's program as a writer, kills it and returns how many writes it told of.
func killed(t *testing.T, path string, round int) (told int) {
	t.Helper()
	writer := exec.Command(os.Args[0], "-test.run=^TestWriterToBeKilled$")
	writer.Env = append(os.Environ(), "ISHAA_TEST_VICTIM="+path)
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	defer writer.Wait()
	defer writer.Process.Kill()
	lines := bufio.NewScanner(out)
	enough := 20 + 7*round%50
	for lines.Scan() {
		if _, done := strings.CutPrefix(lines.Text(), "done "); done {
			told++
		} else if strings.HasPrefix(lines.Text(), "failed") {
			t.Error(lines.Text())
		}
		if told == enough {
			writer.Process.Kill() // what it still has told of is read to the end
		}
	}
	return told
}

// TestWriterToBeKilled is the other process of TestKilledInMidWrite.
func TestWriterToBeKilled(t *testing.T) {
	path := os.Getenv("ISHAA_TEST_VICTIM")
	if path == "" {
		t.Skip("runs only in a process of its own")
	}
	db, err := orm.Open("sqlite://" + path)
	if err != nil {
		fmt.Println("failed", err)
		return
	}
	if _, err := db.SQL().Exec(strings.Replace(itemsTable["sqlite"], "TABLE", "TABLE IF NOT EXISTS", 1)); err != nil {
		fmt.Println("failed", err)
	}
	ctx := context.Background()
	var n int64
	db.SQL().QueryRow("SELECT COALESCE(MAX(n), 0) FROM items").Scan(&n)
	for {
		n++
		err := db.Tx(ctx, func(tx *orm.Tx) error {
			_, err := orm.ExecStatement(ctx, tx, orm.Stmt("insert", "items", "INSERT INTO items (name, n) VALUES (?, ?)", strconv.FormatInt(n, 10), n))
			return err
		})
		if err != nil {
			fmt.Println("failed", err)
			return
		}
		fmt.Println("done", n)
	}
}

// Two processes write to one file: each waits for the other.
func TestAnotherProcessOnTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shared.db")
	db, err := orm.Open("sqlite://" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	withItems(t, db)
	writer := exec.Command(os.Args[0], "-test.run=^TestWriterToBeKilled$")
	writer.Env = append(os.Environ(), "ISHAA_TEST_VICTIM="+path)
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	defer writer.Wait()
	defer writer.Process.Kill()
	lines := bufio.NewScanner(out)
	for told := 0; told < 100 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "failed") {
			t.Fatal(lines.Text())
		}
		if strings.HasPrefix(lines.Text(), "done") {
			told++
			if err := insert(t.Context(), db, db, "mine "+strconv.Itoa(told)); err != nil {
				t.Fatal(err)
			}
		}
	}
	writer.Process.Kill()
	if n := count(t, db); n < 200 {
		t.Errorf("%d rows", n)
	}
}
