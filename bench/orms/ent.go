package orms

import (
	"context"
	"database/sql"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/ishaa-framework/ishaa/bench/orms/ent"
	"github.com/ishaa-framework/ishaa/bench/orms/ent/person"
)

type entStore struct {
	client *ent.Client
	last   []*ent.Person
}

func openEnt(_ context.Context, e Engine, _ string, pool *sql.DB) (Store, error) {
	kind := dialect.SQLite
	if e == Postgres {
		kind = dialect.Postgres
	}
	return &entStore{client: ent.NewClient(ent.Driver(entsql.OpenDB(kind, pool)))}, nil
}

func (s *entStore) Get(ctx context.Context, id int64) error {
	p, err := s.client.Person.Get(ctx, id)
	s.last = append(s.last[:0], p)
	return err
}

func (s *entStore) Select(ctx context.Context, upTo int64) (err error) {
	s.last, err = s.client.Person.Query().Where(person.IDLTE(upTo)).Order(person.ByID()).All(ctx)
	return err
}

func (s *entStore) Filter(ctx context.Context, age int64, part string) (err error) {
	s.last, err = s.client.Person.Query().Where(person.AgeGT(age), person.NameContains(part)).
		Order(person.ByAge(entsql.OrderDesc()), person.ByName()).Limit(10).All(ctx)
	return err
}

func (s *entStore) create(p *Person) *ent.PersonCreate {
	return s.client.Person.Create().SetName(p.Name).SetEmail(p.Email).SetAge(p.Age).SetScore(p.Score)
}

func (s *entStore) Insert(ctx context.Context, p Person) error {
	made, err := s.create(&p).Save(ctx)
	s.last = append(s.last[:0], made)
	return err
}

func (s *entStore) Bulk(ctx context.Context, list []Person) (err error) {
	s.last, err = s.client.Person.MapCreateBulk(list, func(c *ent.PersonCreate, i int) {
		p := &list[i]
		c.SetName(p.Name).SetEmail(p.Email).SetAge(p.Age).SetScore(p.Score)
	}).Save(ctx)
	return err
}

func (s *entStore) Result() (list []Person) {
	for _, p := range s.last {
		list = append(list, Person{p.ID, p.Name, p.Email, p.Age, p.Score})
	}
	return list
}

// Close leaves the pool to its owner.
func (s *entStore) Close() error { return nil }
