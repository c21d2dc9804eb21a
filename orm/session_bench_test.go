package orm_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// What a session costs over hand-written database/sql with a prepared statement, at its dearest: one row by its key.
func BenchmarkRowByKey(b *testing.B) {
	for _, engine := range ormtest.Engines {
		db := ormtest.New(b, engine)
		ctx, cancel := context.WithCancel(b.Context()) // as requests have it
		defer cancel()
		if _, err := orm.ExecStatement(ctx, db, orm.Stmt("ddl", "items", itemsTable[db.Dialect()])); err != nil {
			b.Fatal(err)
		}
		if err := insert(ctx, db, db, "a"); err != nil {
			b.Fatal(err)
		}
		text := place(db, "SELECT id, name, n FROM items WHERE id = ?")
		read := func(b *testing.B, rows *sql.Rows, err error) {
			if err != nil {
				b.Fatal(err)
			}
			var id, n int64
			var name string
			if !rows.Next() || rows.Scan(&id, &name, &n) != nil {
				b.Fatal(rows.Err())
			}
			rows.Close()
		}
		b.Run(string(engine)+"/session", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rows, err := orm.RunQuery(ctx, db, orm.Stmt("select", "items", text, 1))
				read(b, rows, err)
			}
		})
		b.Run(string(engine)+"/prepared", func(b *testing.B) {
			b.ReportAllocs()
			pool := orm.Readers(db)
			s, err := pool.PrepareContext(ctx, text)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			for b.Loop() {
				rows, err := s.QueryContext(ctx, 1)
				read(b, rows, err)
			}
		})
		b.Run(string(engine)+"/write", func(b *testing.B) {
			b.ReportAllocs()
			update := place(db, "UPDATE items SET n = n + 1 WHERE id = ?")
			err := db.Tx(ctx, func(tx *orm.Tx) error {
				for b.Loop() {
					if _, err := orm.ExecStatement(ctx, tx, orm.Stmt("update", "items", update, 1)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}
