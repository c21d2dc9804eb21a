package orms

import (
	"context"
	"database/sql"
	"slices"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"
)

// bunPerson names the table as bun has it.
type bunPerson struct {
	bun.BaseModel `bun:"table:people"`
	Person
}

type bunStore struct {
	db   *bun.DB
	last []bunPerson
}

func openBun(_ context.Context, e Engine, _ string, pool *sql.DB) (Store, error) {
	var dialect schema.Dialect = sqlitedialect.New()
	if e == Postgres {
		dialect = pgdialect.New()
	}
	return &bunStore{db: bun.NewDB(pool, dialect)}, nil
}

func (s *bunStore) Get(ctx context.Context, id int64) error {
	var p bunPerson
	err := s.db.NewSelect().Model(&p).Where("id = ?", id).Scan(ctx)
	s.last = append(s.last[:0], p)
	return err
}

func (s *bunStore) Select(ctx context.Context, upTo int64) error {
	var list []bunPerson
	err := s.db.NewSelect().Model(&list).Where("id <= ?", upTo).Order("id").Scan(ctx)
	s.last = list
	return err
}

func (s *bunStore) Filter(ctx context.Context, age int64, part string) error {
	var list []bunPerson
	err := s.db.NewSelect().Model(&list).Where("age > ?", age).Where("name LIKE ?", "%"+escapeLike(part)+"%").Order("age DESC", "name").Limit(10).Scan(ctx)
	s.last = list
	return err
}

func (s *bunStore) Insert(ctx context.Context, p Person) error {
	row := bunPerson{Person: p}
	_, err := s.db.NewInsert().Model(&row).Exec(ctx)
	s.last = append(s.last[:0], row)
	return err
}

func (s *bunStore) Bulk(ctx context.Context, list []Person) error {
	rows := make([]bunPerson, len(list))
	for i := range list {
		rows[i].Person = list[i]
	}
	_, err := s.db.NewInsert().Model(&rows).Exec(ctx)
	s.last = rows
	return err
}

func (s *bunStore) Result() (list []Person) {
	for _, p := range s.last {
		list = append(list, p.Person)
	}
	return slices.Clip(list)
}

// Close leaves the pool to its owner.
func (s *bunStore) Close() error { return nil }
