// Package queues compares the background work of package tasks with the River that is under it, on the same kind of database
// with the same settings, and with asynq on Redis.
//
//	for _, group := range queues.Groups() {
//		report, err := inproc.Compare(ctx, group, inproc.Options{Rounds: 20, Round: 500 * time.Millisecond, Wall: true})
//		report.WriteMarkdown(os.Stdout)
//	}
//
// Each has a database of its own, and all of them run for as long as a group is compared: those whose turn it is not are
// idle. Times are on the wall, as most of the work is the database's.
package queues

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the administrator's connection
	_ "modernc.org/sqlite"

	"github.com/ishaa-framework/ishaa/bench/inproc"
)

const (
	workers = 100 // jobs at a time
	batch   = 500 // jobs that are enqueued and worked in one go
)

// An Engine is a running queue with one task that does nothing.
type Engine interface {
	// Enqueue puts n jobs in, together if the queue can.
	Enqueue(ctx context.Context, n int) error
	// Idle reports whether everything is done, and noted as done.
	Idle(ctx context.Context) (bool, error)
	// Rest forgets what is done.
	Rest(ctx context.Context) error
	Close() error
}

// counter is told by a task that it runs.
type counter struct {
	ran  atomic.Int64
	last atomic.Int64 // when, in nanoseconds since 1970
}

func (c *counter) ran1() {
	c.last.Store(time.Now().UnixNano())
	c.ran.Add(1)
}

// A Place is a kind of database that is at hand.
type Place struct {
	Name    string
	Engines []Candidate
}

// Candidate is a queue on a kind of database, not opened yet. Folder is for files.
type Candidate struct {
	Name string
	Open func(ctx context.Context, folder string, c *counter) (Engine, error)
}

// Places returns SQLite, and PostgreSQL where there is a server. Asynq is beside both, where there is a Redis.
func Places() []Place {
	var beside []Candidate
	if address := reachable("ISHAA_TEST_REDIS", "redis://127.0.0.1:6379", "6379"); address != "" {
		beside = []Candidate{{"asynq", func(_ context.Context, _ string, c *counter) (Engine, error) { return openAsynq(address, c) }}}
	}
	list := []Place{{"sqlite", append([]Candidate{
		{"river", func(ctx context.Context, folder string, c *counter) (Engine, error) {
			return riverOnSQLite(ctx, filepath.Join(folder, "river.db"), c)
		}},
		{"ishaa", func(ctx context.Context, folder string, c *counter) (Engine, error) {
			file := filepath.ToSlash(filepath.Join(folder, "ishaa.db"))
			return openIshaa(ctx, "sqlite://"+file, "sqlite", file, c)
		}},
	}, beside...)}}
	if address := reachable("ISHAA_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/test", "5432"); address != "" {
		list = append(list, Place{"postgres", append([]Candidate{
			{"river", func(ctx context.Context, _ string, c *counter) (Engine, error) {
				return onServer(ctx, address, func(url string) (Engine, error) { return riverOnPostgres(ctx, url, c) })
			}},
			{"ishaa", func(ctx context.Context, _ string, c *counter) (Engine, error) {
				return onServer(ctx, address, func(url string) (Engine, error) { return openIshaa(ctx, url, "pgx", url, c) })
			}},
		}, beside...)})
	}
	return list
}

// reachable returns the address of a service, or "" if nobody answers there.
func reachable(variable, fallback, port string) string {
	address := os.Getenv(variable)
	if address == "" {
		address = fallback
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if p := u.Port(); p != "" {
		port = p
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(u.Hostname(), port), 500*time.Millisecond)
	if err != nil {
		return ""
	}
	conn.Close()
	return address
}

// Groups returns a group for each place: jobs from the first enqueued to the last noted as done.
func Groups() []inproc.Group {
	var groups []inproc.Group
	for _, place := range Places() {
		f := &fixture{}
		g := inproc.Group{Name: "tasks/" + place.Name, Close: f.close}
		for _, candidate := range place.Engines {
			s := &site{fixture: f, candidate: candidate}
			g.Cases = append(g.Cases, inproc.Case{
				Name:  candidate.Name,
				Build: func() (func() error, int) { return s.work, batch },
				Rest:  s.rest,
			})
		}
		groups = append(groups, g)
	}
	return groups
}

// fixture is what a group has opened.
type fixture struct {
	folder string
	open   []Engine
}

func (f *fixture) close() error {
	var failed []error
	for _, e := range f.open {
		failed = append(failed, e.Close())
	}
	if f.folder != "" {
		failed = append(failed, os.RemoveAll(f.folder))
	}
	f.open, f.folder = nil, ""
	return errors.Join(failed...)
}

// site is one candidate of a group.
type site struct {
	*fixture
	candidate Candidate
	counter   counter
	engine    Engine
}

func (s *site) start(ctx context.Context) (err error) {
	if s.engine != nil {
		return nil
	}
	if s.folder == "" {
		if s.folder, err = os.MkdirTemp("", "ishaa-bench-"); err != nil {
			return err
		}
	}
	if s.engine, err = s.candidate.Open(ctx, s.folder, &s.counter); err == nil {
		s.open = append(s.open, s.engine)
	}
	return err
}

// work enqueues a batch and waits until it is done.
func (s *site) work() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.start(ctx); err != nil {
		return err
	}
	want := s.counter.ran.Load() + batch
	if err := s.engine.Enqueue(ctx, batch); err != nil {
		return err
	}
	for {
		if s.counter.ran.Load() >= want {
			if idle, err := s.engine.Idle(ctx); err != nil {
				return err
			} else if idle {
				break
			}
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%d of %d jobs ran: %w", s.counter.ran.Load()-want+batch, batch, err)
		}
		time.Sleep(time.Millisecond)
	}
	if got := s.counter.ran.Load(); got != want {
		return fmt.Errorf("%d jobs ran, not %d", got-want+batch, batch)
	}
	return nil
}

func (s *site) rest() error {
	if s.engine == nil {
		return nil
	}
	return s.engine.Rest(context.Background())
}

// server is an engine on a database of its own.
type server struct {
	Engine
	drop func() error
}

func (s *server) Close() error { return errors.Join(s.Engine.Close(), s.drop()) }

// onServer makes a database for an engine, which goes with it.
func onServer(ctx context.Context, address string, open func(url string) (Engine, error)) (Engine, error) {
	admin, err := sql.Open("pgx", address)
	if err != nil {
		return nil, err
	}
	name := "ishaa_bench_" + strings.ToLower(rand.Text()[:12])
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, errors.Join(err, admin.Close())
	}
	drop := func() error {
		_, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)")
		return errors.Join(err, admin.Close())
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.Join(err, drop())
	}
	u.Path = "/" + name
	e, err := open(u.String())
	if err != nil {
		return nil, errors.Join(err, drop())
	}
	return &server{e, drop}, nil
}

// PickUp measures how long one job takes from being on disk to its start, on a queue that has been idle for a time.
func PickUp(ctx context.Context, e Engine, c *counter, rest time.Duration) (time.Duration, error) {
	for {
		idle, err := e.Idle(ctx)
		if err != nil {
			return 0, err
		}
		if idle {
			break
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(rest)
	before := c.ran.Load()
	if err := e.Enqueue(ctx, 1); err != nil {
		return 0, err
	}
	enqueued := time.Now().UnixNano()
	for c.ran.Load() == before {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		time.Sleep(50 * time.Microsecond)
	}
	return max(time.Duration(c.last.Load()-enqueued), 0), nil
}
