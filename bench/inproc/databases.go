package inproc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa/bench/orms"
)

// question is a row of the comparison of ORMs.
type question struct {
	name string
	// ask asks a store once; turn counts, so that not the same is asked every time.
	ask func(ctx context.Context, s orms.Store, turn int) error
	// writes is how many rows a question adds.
	writes int
}

var questions = []question{
	{"get", func(ctx context.Context, s orms.Store, turn int) error { return s.Get(ctx, int64(turn%orms.Rows+1)) }, 0},
	{"select=1000", func(ctx context.Context, s orms.Store, _ int) error { return s.Select(ctx, 1000) }, 0},
	{"filter", func(ctx context.Context, s orms.Store, turn int) error { return s.Filter(ctx, int64(turn%80), "9") }, 0},
	{"insert", func(ctx context.Context, s orms.Store, turn int) error {
		return s.Insert(ctx, orms.Person{Name: "Ann", Email: "ann@example.org", Age: int64(turn % 90), Score: 1.5})
	}, 1},
	bulk(100),
	bulk(1000),
}

func bulk(rows int) question {
	some := orms.Some(rows)
	return question{fmt.Sprintf("bulk=%d", rows), func(ctx context.Context, s orms.Store, _ int) error {
		return s.Bulk(ctx, slices.Clone(some)) // a store may fill in the keys
	}, rows}
}

// postgresAddress is where databases are made for the comparison on PostgreSQL, or "" if nothing answers.
func postgresAddress() string {
	address := os.Getenv("ISHAA_TEST_POSTGRES")
	if address == "" {
		address = "postgres://postgres@127.0.0.1:5432/test"
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "5432"
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(u.Hostname(), port), 500*time.Millisecond)
	if err != nil {
		return ""
	}
	conn.Close()
	return address
}

// databases returns a group for each question to an ORM on each engine. Without a server there is none on PostgreSQL.
func databases() []Group {
	groups := make([]Group, 0, 2*len(questions))
	for _, q := range questions {
		groups = append(groups, asked(orms.SQLite, "", q))
	}
	if address := postgresAddress(); address != "" {
		for _, q := range questions {
			groups = append(groups, asked(orms.Postgres, address, q))
		}
	}
	return groups
}

// asked makes a group. Its databases are made when the first case is built.
func asked(e orms.Engine, where string, q question) Group {
	f := &fixture{engine: e, where: where, question: q}
	g := Group{Name: "orm/" + string(e) + "/" + q.name, Close: f.close}
	for i, name := range orms.Names(e) {
		c := Case{Name: name, Build: func() (func() error, int) { return f.build(i), 1 }}
		if q.writes > 0 {
			c.Rest = func() error { return f.all.Stores[i].Rest(context.Background()) }
		}
		g.Cases = append(g.Cases, c)
	}
	return g
}

// fixture is the databases of a group.
type fixture struct {
	engine   orms.Engine
	where    string
	question question
	all      *orms.All
	folder   string
	err      error
}

func (f *fixture) open() error {
	if f.all != nil || f.err != nil {
		return f.err
	}
	where := f.where
	if f.engine == orms.SQLite {
		if f.folder, f.err = os.MkdirTemp("", "ishaa-bench-"); f.err != nil {
			return f.err
		}
		where = f.folder
	}
	if f.all, f.err = orms.Open(context.Background(), f.engine, where); f.err == nil {
		f.err = f.agree()
	}
	return f.err
}

// agree asks all the same, and compares what they say with what the first says.
func (f *fixture) agree() error {
	ctx := context.Background()
	for turn := range 3 {
		var want []orms.Person
		for i, s := range f.all.Stores {
			before, err := s.Count(ctx)
			if err != nil {
				return err
			}
			if err := f.question.ask(ctx, s, 7*turn); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			after, err := s.Count(ctx)
			if err != nil || int(after-before) != f.question.writes {
				return fmt.Errorf("%s has added %d rows, not %d (%v)", s.Name, after-before, f.question.writes, err)
			}
			got := s.Result()
			if f.question.writes > 1 { // not every store keeps them
				continue
			}
			if i == 0 {
				want = got
			}
			if len(got) == 0 || !slices.Equal(got, want) {
				return fmt.Errorf("%s says %v\nwant %v", s.Name, got, want)
			}
		}
	}
	if f.question.writes > 0 {
		for _, s := range f.all.Stores {
			if err := s.Rest(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *fixture) build(i int) func() error {
	if err := f.open(); err != nil {
		return func() error { return err }
	}
	ctx, s, turn := context.Background(), f.all.Stores[i].Store, 0
	return func() error {
		turn++
		return f.question.ask(ctx, s, turn)
	}
}

func (f *fixture) close() error {
	var failed []error
	if f.all != nil {
		failed = append(failed, f.all.Close())
	}
	if f.folder != "" {
		failed = append(failed, os.RemoveAll(f.folder))
	}
	return errors.Join(failed...)
}
