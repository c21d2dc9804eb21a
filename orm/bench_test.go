package orm_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/ishaa-framework/ishaa/orm"
)

// Beside each operation of the ORM stands the same written by hand on database/sql with prepared statements.

type person struct {
	ID    int64
	Name  string
	Email string
	Age   int64
	Score float64
}

func (person) TableName() string { return "person" }

func people(b *testing.B, rows int) (*orm.DB, *sql.DB) {
	path := filepath.Join(b.TempDir(), "bench.db")
	db, err := orm.Open("sqlite://" + path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	ctx := context.Background()
	if err := orm.Of[person](db).CreateTable(ctx); err != nil {
		b.Fatal(err)
	}
	list := make([]person, rows)
	for i := range list {
		list[i] = person{Name: fmt.Sprint("name ", i), Email: fmt.Sprint(i, "@example.org"), Age: int64(i % 90), Score: float64(i) / 3}
	}
	if err := orm.Of[person](db).CreateMany(ctx, list); err != nil {
		b.Fatal(err)
	}
	hand, err := sql.Open("sqlite", path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { hand.Close() })
	return db, hand
}

func prepare(b *testing.B, db *sql.DB, text string) *sql.Stmt {
	stmt, err := db.Prepare(text)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stmt.Close() })
	return stmt
}

func BenchmarkGet(b *testing.B) {
	db, hand := people(b, 2000)
	ctx := b.Context()
	b.Run("orm", func(b *testing.B) {
		b.ReportAllocs()
		repo := orm.Of[person](db)
		for i := range b.N {
			if _, err := repo.Get(ctx, int64(i%2000+1)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("hand", func(b *testing.B) {
		b.ReportAllocs()
		stmt := prepare(b, hand, "SELECT id, name, email, age, score FROM person WHERE id = ?")
		for i := range b.N {
			var p person
			if err := stmt.QueryRowContext(ctx, int64(i%2000+1)).Scan(&p.ID, &p.Name, &p.Email, &p.Age, &p.Score); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSelect1000(b *testing.B) {
	db, hand := people(b, 1000)
	ctx := b.Context()
	b.Run("orm", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			list, err := orm.Of[person](db).All(ctx)
			if err != nil || len(list) != 1000 {
				b.Fatal(err)
			}
		}
	})
	b.Run("hand", func(b *testing.B) {
		b.ReportAllocs()
		stmt := prepare(b, hand, "SELECT id, name, email, age, score FROM person")
		for range b.N {
			rows, err := stmt.QueryContext(ctx)
			if err != nil {
				b.Fatal(err)
			}
			var list []person
			for rows.Next() {
				var p person
				if err := rows.Scan(&p.ID, &p.Name, &p.Email, &p.Age, &p.Score); err != nil {
					b.Fatal(err)
				}
				list = append(list, p)
			}
			if rows.Err() != nil || len(list) != 1000 {
				b.Fatal(rows.Err())
			}
			rows.Close()
		}
	})
}

func BenchmarkFilterOrderLimit(b *testing.B) {
	db, hand := people(b, 2000)
	ctx := b.Context()
	b.Run("orm", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, err := orm.Of[person](db).Filter("age__gt", i%80, "name__contains", "9").OrderBy("-age", "name").Limit(10).All(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("hand", func(b *testing.B) {
		b.ReportAllocs()
		stmt := prepare(b, hand, "SELECT id, name, email, age, score FROM person WHERE age > ? AND name LIKE ? ORDER BY age DESC, name LIMIT ?")
		for i := range b.N {
			rows, err := stmt.QueryContext(ctx, i%80, "%9%", 10)
			if err != nil {
				b.Fatal(err)
			}
			var list []person
			for rows.Next() {
				var p person
				if err := rows.Scan(&p.ID, &p.Name, &p.Email, &p.Age, &p.Score); err != nil {
					b.Fatal(err)
				}
				list = append(list, p)
			}
			rows.Close()
			if len(list) > 10 {
				b.Fatal(len(list))
			}
		}
	})
}
