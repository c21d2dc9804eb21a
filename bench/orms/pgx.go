package orms

import (
	"context"
	"database/sql"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pgxOnly is the same by hand without database/sql: pgx's own pool, its cache of prepared statements, and for many rows
// one array per column. It shows what database/sql costs, which all the others pay.
type pgxOnly struct {
	pool *pgxpool.Pool
	last []Person
}

func openPgx(ctx context.Context, _ Engine, url string, _ *sql.DB) (Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return &pgxOnly{pool: pool}, err
}

const pgxColumns = "SELECT id, name, email, age, score FROM people "

func (s *pgxOnly) Get(ctx context.Context, id int64) error {
	var p Person
	err := s.pool.QueryRow(ctx, pgxColumns+"WHERE id = $1", id).Scan(&p.ID, &p.Name, &p.Email, &p.Age, &p.Score)
	s.last = append(s.last[:0], p)
	return err
}

func (s *pgxOnly) read(rows pgx.Rows, err error, room int) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	list := make([]Person, 0, room)
	for rows.Next() {
		var p Person
		if err := rows.Scan(&p.ID, &p.Name, &p.Email, &p.Age, &p.Score); err != nil {
			return err
		}
		list = append(list, p)
	}
	s.last = list
	return rows.Err()
}

func (s *pgxOnly) Select(ctx context.Context, upTo int64) error {
	rows, err := s.pool.Query(ctx, pgxColumns+"WHERE id <= $1 ORDER BY id", upTo)
	return s.read(rows, err, 0)
}

func (s *pgxOnly) Filter(ctx context.Context, age int64, part string) error {
	rows, err := s.pool.Query(ctx, pgxColumns+"WHERE age > $1 AND name LIKE $2 ORDER BY age DESC, name LIMIT $3", age, "%"+escapeLike(part)+"%", 10)
	return s.read(rows, err, 10)
}

func (s *pgxOnly) Insert(ctx context.Context, p Person) error {
	err := s.pool.QueryRow(ctx, "INSERT INTO people (name, email, age, score) VALUES ($1, $2, $3, $4) RETURNING id",
		p.Name, p.Email, p.Age, p.Score).Scan(&p.ID)
	s.last = append(s.last[:0], p)
	return err
}

func (s *pgxOnly) Bulk(ctx context.Context, list []Person) error {
	names, emails := make([]string, len(list)), make([]string, len(list))
	ages, scores := make([]int64, len(list)), make([]float64, len(list))
	for i := range list {
		p := &list[i]
		names[i], emails[i], ages[i], scores[i] = p.Name, p.Email, p.Age, p.Score
	}
	rows, err := s.pool.Query(ctx, "INSERT INTO people (name, email, age, score) SELECT n, e, a, s "+
		"FROM unnest($1::text[], $2::text[], $3::bigint[], $4::float8[]) WITH ORDINALITY AS given(n, e, a, s, place) ORDER BY place RETURNING id",
		names, emails, ages, scores)
	if err != nil {
		return err
	}
	defer rows.Close()
	for i := 0; rows.Next(); i++ {
		if err := rows.Scan(&list[i].ID); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *pgxOnly) Result() []Person { return slices.Clone(s.last) }

func (s *pgxOnly) Close() error { s.pool.Close(); return nil }
