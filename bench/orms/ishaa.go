package orms

import (
	"context"
	"database/sql"
	"slices"

	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/postgres"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
)

type ishaa struct {
	db     *orm.DB
	people orm.Repository[Person]
	last   []Person
}

func openIshaa(_ context.Context, _ Engine, url string, _ *sql.DB) (Store, error) {
	db, err := orm.Open(url, orm.Options{MaxConnections: connections, Relaxed: true})
	if err != nil {
		return nil, err
	}
	return &ishaa{db: db, people: orm.Of[Person](db)}, nil
}

func (s *ishaa) Get(ctx context.Context, id int64) error {
	p, err := s.people.Get(ctx, id)
	s.last = append(s.last[:0], p)
	return err
}

func (s *ishaa) Select(ctx context.Context, upTo int64) (err error) {
	s.last, err = s.people.Filter("id__lte", upTo).OrderBy("id").All(ctx)
	return err
}

func (s *ishaa) Filter(ctx context.Context, age int64, part string) (err error) {
	s.last, err = s.people.Filter("age__gt", age, "name__contains", part).OrderBy("-age", "name").Limit(10).All(ctx)
	return err
}

func (s *ishaa) Insert(ctx context.Context, p Person) error {
	p, err := s.people.Create(ctx, p)
	s.last = append(s.last[:0], p)
	return err
}

func (s *ishaa) Bulk(ctx context.Context, list []Person) error { return s.people.CreateMany(ctx, list) }

func (s *ishaa) Result() []Person { return slices.Clone(s.last) }

func (s *ishaa) Close() error { return s.db.Close() }
