package orms

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// byHand is what a program writes that takes care: each statement is prepared once, values are bound, rows are scanned
// into fields.
type byHand struct {
	engine Engine
	db     *sql.DB
	last   []Person

	get, list, filter, insert *sql.Stmt
	bulk                      map[int]*sql.Stmt // by the number of rows
}

func openByHand(ctx context.Context, e Engine, _ string, pool *sql.DB) (Store, error) {
	s := &byHand{engine: e, db: pool}
	return s, s.prepare(ctx)
}

func (s *byHand) prepare(ctx context.Context) error {
	var failed []error
	prepare := func(text string) *sql.Stmt {
		if s.engine == SQLite {
			for i := range 4 {
				text = strings.ReplaceAll(text, "$"+strconv.Itoa(i+1), "?")
			}
		}
		stmt, err := s.db.PrepareContext(ctx, text)
		failed = append(failed, err)
		return stmt
	}
	const columns = "SELECT id, name, email, age, score FROM people "
	s.get = prepare(columns + "WHERE id = $1")
	s.list = prepare(columns + "WHERE id <= $1 ORDER BY id")
	like := "LIKE $2"
	if s.engine == SQLite {
		like = `LIKE $2 ESCAPE '\'`
	}
	s.filter = prepare(columns + "WHERE age > $1 AND name " + like + " ORDER BY age DESC, name LIMIT $3")
	s.insert = prepare("INSERT INTO people (name, email, age, score) VALUES ($1, $2, $3, $4) RETURNING id")
	s.bulk = map[int]*sql.Stmt{}
	return errors.Join(failed...)
}

func (s *byHand) Get(ctx context.Context, id int64) error {
	var p Person
	err := s.get.QueryRowContext(ctx, id).Scan(&p.ID, &p.Name, &p.Email, &p.Age, &p.Score)
	s.last = append(s.last[:0], p)
	return err
}

func (s *byHand) read(rows *sql.Rows, err error, room int) error {
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

func (s *byHand) Select(ctx context.Context, upTo int64) error {
	rows, err := s.list.QueryContext(ctx, upTo)
	return s.read(rows, err, 0)
}

func (s *byHand) Filter(ctx context.Context, age int64, part string) error {
	rows, err := s.filter.QueryContext(ctx, age, "%"+escapeLike(part)+"%", 10)
	return s.read(rows, err, 10)
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func escapeLike(text string) string { return likeEscapes.Replace(text) }

func (s *byHand) Insert(ctx context.Context, p Person) error {
	err := s.insert.QueryRowContext(ctx, p.Name, p.Email, p.Age, p.Score).Scan(&p.ID)
	s.last = append(s.last[:0], p)
	return err
}

// Bulk writes one statement and keeps it.
func (s *byHand) Bulk(ctx context.Context, list []Person) error {
	stmt := s.bulk[len(list)]
	if stmt == nil {
		var text strings.Builder
		text.WriteString("INSERT INTO people (name, email, age, score) VALUES ")
		for i := range list {
			if i > 0 {
				text.WriteString(", ")
			}
			if s.engine == SQLite {
				text.WriteString("(?, ?, ?, ?)")
			} else {
				fmt.Fprintf(&text, "($%d, $%d, $%d, $%d)", 4*i+1, 4*i+2, 4*i+3, 4*i+4)
			}
		}
		text.WriteString(" RETURNING id")
		var err error
		if stmt, err = s.db.PrepareContext(ctx, text.String()); err != nil {
			return err
		}
		s.bulk[len(list)] = stmt
	}
	args := make([]any, 0, 4*len(list))
	for i := range list {
		p := &list[i]
		args = append(args, p.Name, p.Email, p.Age, p.Score)
	}
	rows, err := stmt.QueryContext(ctx, args...)
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

func (s *byHand) Result() []Person { return slices.Clone(s.last) }

// Close closes the statements; the pool is its owner's.
func (s *byHand) Close() error {
	failed := []error{s.get.Close(), s.list.Close(), s.filter.Close(), s.insert.Close()}
	for _, stmt := range s.bulk {
		failed = append(failed, stmt.Close())
	}
	return errors.Join(failed...)
}
