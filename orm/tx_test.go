package orm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

var errStop = errors.New("stop")

func TestTxCommitsOrRollsBack(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx := t.Context()
		var calls []string
		after := func(tx *orm.Tx, what string) { tx.AfterCommit(func() { calls = append(calls, what) }) }

		err := db.Tx(ctx, func(tx *orm.Tx) error {
			after(tx, "first")
			if err := insert(ctx, tx, db, "kept"); err != nil {
				return err
			}
			err := tx.Tx(ctx, func(tx *orm.Tx) error {
				after(tx, "undone")
				if err := insert(ctx, tx, db, "undone"); err != nil {
					return err
				}
				return errStop
			})
			if !errors.Is(err, errStop) {
				t.Errorf("the savepoint returned %v", err)
			}
			return tx.Tx(ctx, func(tx *orm.Tx) error {
				after(tx, "inner")
				err := tx.Tx(ctx, func(tx *orm.Tx) error {
					after(tx, "innermost")
					return insert(ctx, tx, db, "inner")
				})
				if len(calls) > 0 {
					t.Errorf("before the commit: %v", calls)
				}
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := names(t, db); !slices.Equal(got, []string{"inner", "kept"}) {
			t.Errorf("in the table: %v", got)
		}
		if want := []string{"first", "inner", "innermost"}; !slices.Equal(calls, want) {
			t.Errorf("after the commit: %v, not %v", calls, want)
		}

		calls = nil
		err = db.Tx(ctx, func(tx *orm.Tx) error {
			after(tx, "never")
			if err := insert(ctx, tx, db, "gone"); err != nil {
				return err
			}
			return errStop
		})
		if !errors.Is(err, errStop) || len(calls) > 0 || len(names(t, db)) != 2 {
			t.Errorf("an error: %v, calls %v, %v", err, calls, names(t, db))
		}
	})
}

func TestPanicsRollBackAndGoOn(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx := t.Context()
		panicked := func(run func()) (cause any) {
			defer func() { cause = recover() }()
			run()
			return nil
		}
		if cause := panicked(func() {
			db.Tx(ctx, func(tx *orm.Tx) error {
				insert(ctx, tx, db, "gone")
				return tx.Tx(ctx, func(tx *orm.Tx) error { panic("boom") })
			})
		}); cause != "boom" {
			t.Errorf("the panic became %v", cause)
		}
		err := db.Tx(ctx, func(tx *orm.Tx) error {
			panicked(func() {
				tx.Tx(ctx, func(tx *orm.Tx) error {
					insert(ctx, tx, db, "undone")
					panic("boom")
				})
			})
			return insert(ctx, tx, db, "kept")
		})
		if got := names(t, db); err != nil || !slices.Equal(got, []string{"kept"}) {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestAFailedStatementInASavepoint(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx := t.Context()
		err := db.Tx(ctx, func(tx *orm.Tx) error {
			for range 3 {
				err := tx.Tx(ctx, func(tx *orm.Tx) error { return insert(ctx, tx, db, "one") })
				if err != nil && !errors.Is(err, orm.ErrUnique) {
					return err
				}
			}
			return insert(ctx, tx, db, "two")
		})
		if got := names(t, db); err != nil || len(got) != 2 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestAnEndedTxIsRefused(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx := t.Context()
		var outer, inner *orm.Tx
		err := db.Tx(ctx, func(tx *orm.Tx) error {
			outer = tx
			tx.Tx(ctx, func(tx *orm.Tx) error { inner = tx; return nil })
			if err := insert(ctx, inner, db, "x"); err == nil || !strings.Contains(err.Error(), "has ended") {
				t.Errorf("a savepoint after its end: %v", err)
			}
			return tx.Tx(ctx, func(*orm.Tx) error {
				err := tx.Tx(ctx, func(*orm.Tx) error { return nil })
				if err == nil || !strings.Contains(err.Error(), "inside of this one is running") {
					t.Errorf("two savepoints of one transaction at once: %v", err)
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := insert(ctx, outer, db, "x"); err == nil || !strings.Contains(err.Error(), "has ended") {
			t.Errorf("after the end: %v", err)
		}
		if err := outer.Tx(ctx, func(*orm.Tx) error { return nil }); err == nil {
			t.Error("a savepoint after the end")
		}
		if got := names(t, db); len(got) != 0 {
			t.Errorf("written all the same: %v", got)
		}
	})
}

func TestTheEndOfTheContextRollsBack(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Tx(ctx, func(tx *orm.Tx) error {
			if err := insert(ctx, tx, db, "gone"); err != nil {
				return err
			}
			cancel()
			return insert(context.Background(), tx, db, "also")
		})
		if !errors.Is(err, orm.ErrCanceled) || !errors.Is(err, context.Canceled) {
			t.Errorf("a statement after the end: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		err = db.Tx(ctx, func(tx *orm.Tx) error {
			err := insert(ctx, tx, db, "gone")
			cancel()
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a commit after the end: %v", err)
		}
		if got := names(t, db); len(got) != 0 {
			t.Errorf("written all the same: %v", got)
		}
		if err := insert(t.Context(), db, db, "next"); err != nil {
			t.Errorf("the next write: %v", err)
		}
	})
}

func TestCollisionsAreRunAgain(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		if db.Dialect() == "sqlite" {
			t.Skip("SQLite has one writer, so nothing collides")
		}
		withItems(t, db)
		ctx := t.Context()
		for _, name := range []string{"a", "b"} {
			if err := insert(ctx, db, db, name); err != nil {
				t.Fatal(err)
			}
		}
		bump := func(tx *orm.Tx, name string) error {
			_, err := orm.ExecStatement(ctx, tx, orm.Stmt("update", "items", place(db, "UPDATE items SET n = n + 1 WHERE name = ?"), name))
			return err
		}
		var attempts atomic.Int32
		var met sync.WaitGroup // both hold their first row before they ask for the other's
		met.Add(2)
		run := func(first, second string) error {
			once := sync.OnceFunc(func() { met.Done(); met.Wait() })
			return db.Tx(ctx, func(tx *orm.Tx) error {
				attempts.Add(1)
				if err := bump(tx, first); err != nil {
					return err
				}
				once()
				return bump(tx, second)
			})
		}
		results := make(chan error, 2)
		go func() { results <- run("a", "b") }()
		go func() { results <- run("b", "a") }()
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if attempts.Load() < 3 {
			t.Errorf("%d attempts: there was no deadlock", attempts.Load())
		}
		rows, err := orm.RunQuery(ctx, db, orm.Stmt("select", "items", "SELECT SUM(n) FROM items"))
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var sum int
		if rows.Next(); rows.Scan(&sum) != nil || sum != 4 {
			t.Errorf("the sum is %d", sum)
		}
	})
}

func TestRetriesAreBounded(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	for retries, want := range map[int]int{-1: 1, 0: 4, 2: 3} {
		attempts, after := 0, 0
		err := db.TxWith(t.Context(), orm.TxOptions{Retries: retries}, func(tx *orm.Tx) error {
			attempts++
			tx.AfterCommit(func() { after++ })
			return fmt.Errorf("wrapped: %w", &orm.Error{Kind: orm.ErrSerialization})
		})
		if attempts != want || after != 0 || !errors.Is(err, orm.ErrSerialization) {
			t.Errorf("retries %d: %d attempts, %d after commit, %v", retries, attempts, after, err)
		}
	}
}

func TestReadOnlyTransactions(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx := t.Context()
		if err := insert(ctx, db, db, "a"); err != nil {
			t.Fatal(err)
		}
		err := db.TxWith(ctx, orm.TxOptions{ReadOnly: true}, func(tx *orm.Tx) error {
			if got := names(t, tx); len(got) != 1 {
				t.Errorf("it reads %v", got)
			}
			return insert(ctx, tx, db, "b")
		})
		if !errors.Is(err, orm.ErrReadOnly) {
			t.Errorf("a write: %v", err)
		}
	})
}

func TestGoroutinesTakeTurns(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx := t.Context()
		err := db.Tx(ctx, func(tx *orm.Tx) error {
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					if err := insert(ctx, tx, db, fmt.Sprint("n", i)); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			return nil
		})
		if got := names(t, db); err != nil || len(got) != 8 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestRowsThatAreStillRead(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx := t.Context()
		for _, name := range []string{"a", "b"} {
			if err := insert(ctx, db, db, name); err != nil {
				t.Fatal(err)
			}
		}
		err := db.Tx(ctx, func(tx *orm.Tx) error {
			rows, err := orm.RunQuery(ctx, tx, orm.Stmt("select", "items", "SELECT name FROM items"))
			if err != nil {
				return err
			}
			rows.Next()
			err = insert(ctx, tx, db, "c")
			rows.Close()
			if err == nil {
				return insert(ctx, tx, db, "d")
			}
			if !strings.Contains(err.Error(), "still being read") {
				t.Errorf("the error is %v", err)
			}
			if err := insert(ctx, tx, db, "c"); err != nil {
				return err
			}
			return insert(ctx, tx, db, "d")
		})
		if got := names(t, db); err != nil || len(got) != 4 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// After a deadlock on MySQL, or an interrupt on SQLite, the server has rolled everything back: what follows would be
// written outside of any transaction.
func TestAnEndedTransactionWritesNothingMore(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx := t.Context()
		err := db.Tx(ctx, func(tx *orm.Tx) error {
			if err := insert(ctx, tx, db, "gone"); err != nil {
				return err
			}
			short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
			defer cancel()
			_, err := orm.ExecStatement(short, tx, orm.Stmt("insert", "items", map[string]string{
				"sqlite":   "INSERT INTO items (name) WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 1000000000) SELECT COUNT(*) FROM r",
				"postgres": "INSERT INTO items (name) SELECT pg_sleep(600)::text",
				"mysql":    "INSERT INTO items (name) SELECT SLEEP(600)",
			}[db.Dialect()]))
			if !errors.Is(err, orm.ErrTimeout) {
				t.Errorf("the statement: %v", err)
			}
			if err := insert(ctx, tx, db, "outside"); err == nil || !strings.Contains(err.Error(), "ended the transaction") {
				t.Errorf("the next statement: %v", err)
			}
			return nil // as if nothing had happened
		})
		if !errors.Is(err, orm.ErrTimeout) {
			t.Errorf("the commit: %v", err)
		}
		if got := names(t, db); len(got) != 0 {
			t.Errorf("written: %v", got)
		}
	})
}

func TestRowsThatAreLeftOpen(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx := context.Background()
		for _, name := range []string{"a", "b"} {
			if err := insert(ctx, db, db, name); err != nil {
				t.Fatal(err)
			}
		}
		for _, outcome := range []error{errStop, nil} {
			err := db.Tx(ctx, func(tx *orm.Tx) error {
				rows, err := orm.RunQuery(ctx, tx, orm.Stmt("select", "items", "SELECT name FROM items"))
				if err != nil {
					return err
				}
				rows.Next()
				return outcome
			})
			if outcome != nil && !errors.Is(err, outcome) || outcome == nil && err != nil && !strings.Contains(err.Error(), "still being read") {
				t.Errorf("%v: %v", outcome, err)
			}
		}
		if err := insert(ctx, db, db, "next"); err != nil {
			t.Error(err)
		}
	})
}

func TestGenerationsMoveAtTheCommit(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		ctx := t.Context()
		before := effect.GenerationOf(db.Source(), "items")
		db.Tx(ctx, func(tx *orm.Tx) error {
			if err := insert(ctx, tx, db, "a"); err != nil {
				t.Error(err)
			}
			tx.AfterCommit(func() {
				if g := effect.GenerationOf(db.Source(), "items"); g.Writing || g.Count == before.Count {
					t.Errorf("after the commit: %+v", g)
				}
			})
			if g := effect.GenerationOf(db.Source(), "items"); !g.Writing || g.Count != before.Count {
				t.Errorf("inside: %+v", g)
			}
			if g := effect.GenerationOf(db.Source(), "others"); g.Writing {
				t.Errorf("another table: %+v", g)
			}
			return nil
		})
		var read []string
		seen := effect.WithReads(ctx, func(source, table string) { read = append(read, source+" "+table) })
		rows, err := orm.RunQuery(seen, db, orm.Stmt("select", "items", "SELECT name FROM items"))
		if err != nil {
			t.Fatal(err)
		}
		rows.Close()
		if want := []string{db.Source() + " items"}; !slices.Equal(read, want) {
			t.Errorf("reads %v, not %v", read, want)
		}
	})
}

func TestAShadowChangesNothing(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		withItems(t, db)
		if err := insert(t.Context(), db, db, "a"); err != nil {
			t.Fatal(err)
		}
		var intents []effect.Intent
		ctx := effect.WithShadow(t.Context(), effect.RecorderFunc(func(i effect.Intent) { intents = append(intents, i) }))
		st := orm.Stmt("insert", "items", place(db, "INSERT INTO items (name) VALUES (?)"), "secret")
		if !orm.Shadowed(ctx, db, st) || orm.Shadowed(t.Context(), db, st) {
			t.Error("a shadow is not told from the real thing")
		}
		if len(intents) != 1 || intents[0].Kind != "sql" || intents[0].Target != "items" || strings.Contains(intents[0].Detail, "secret") || !strings.HasPrefix(intents[0].Detail, "insert: INSERT") {
			t.Errorf("intents %+v", intents)
		}
		// Whoever forgets to ask is stopped all the same.
		if _, err := orm.ExecStatement(ctx, db, st); !errors.Is(err, orm.ErrReadOnly) {
			t.Errorf("a write: %v", err)
		}
		after := false
		err := db.Tx(ctx, func(tx *orm.Tx) error {
			tx.AfterCommit(func() { after = true })
			if got := names(t, tx); len(got) != 1 {
				t.Errorf("it reads %v", got)
			}
			if !orm.Shadowed(context.Background(), tx, st) {
				t.Error("the transaction is a shadow whatever the statement's context is")
			}
			_, err := orm.RunQuery(ctx, tx, orm.Stmt("select", "", place(db, "INSERT INTO items (name) VALUES ('disguised')")))
			return err
		})
		if err == nil {
			t.Error("a write in the disguise of a read went through")
		}
		if err := db.Tx(ctx, func(tx *orm.Tx) error { tx.AfterCommit(func() { after = true }); return nil }); err != nil || !after {
			t.Errorf("AfterCommit in a shadow: %v, %v", after, err)
		}
		if got := names(t, db); len(got) != 1 {
			t.Errorf("written: %v", got)
		}
	})
}

func TestWaitingForTheWriterEnds(t *testing.T) {
	ctx := t.Context()
	patient := ormtest.New(t, ormtest.SQLite)
	withItems(t, patient)
	err := patient.Tx(ctx, func(*orm.Tx) error {
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		return insert(short, patient, patient, "x")
	})
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, orm.ErrTimeout) {
		t.Errorf("with a context that ends: %v", err)
	}
	db := ormtest.New(t, ormtest.SQLite, orm.Options{LockTimeout: 20 * time.Millisecond})
	withItems(t, db)
	err = db.Tx(ctx, func(tx *orm.Tx) error {
		if err := insert(ctx, db, db, "x"); !errors.Is(err, orm.ErrTimeout) || !strings.Contains(err.Error(), "through the tx") {
			t.Errorf("db in place of tx: %v", err)
		}
		return insert(ctx, tx, db, "a")
	})
	if got := names(t, db); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}
