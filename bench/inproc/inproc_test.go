package inproc

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/bench/graphqls"
	"github.com/ishaa-framework/ishaa/bench/orms"
	"github.com/ishaa-framework/ishaa/bench/routes"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// Every router must find every route, or its time means nothing; and none may find what is not there.
func TestRouters(t *testing.T) {
	missing, err := http.NewRequest(http.MethodGet, "/no/such/route/anywhere/in/the/table", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range [][]routes.Route{routes.GitHub(), routes.Resources(100)} {
		for _, router := range routers {
			t.Run(router.name, func(t *testing.T) {
				lookup := router.lookup(table)
				for _, r := range requests(table) {
					if !lookup(r) {
						t.Errorf("%s %s is not found", r.Method, r.URL.Path)
					}
				}
				if lookup(missing) {
					t.Errorf("%s is found", missing.URL.Path)
				}
			})
		}
	}
}

// An engine that makes another page is no case.
func TestEngines(t *testing.T) {
	for _, e := range engines {
		if err := renderUsers(e)(); err != nil {
			t.Error(err)
		}
	}
	lazy := engine{"lazy", func() (func(*bytes.Buffer, *usersPage) error, error) {
		return func(out *bytes.Buffer, p *usersPage) error { _, err := out.WriteString(p.Title); return err }, nil
	}}
	if err := renderUsers(lazy)(); err == nil || !strings.Contains(err.Error(), "lazy: the page is\nT & co\nwant") {
		t.Errorf("a page that is another: %v", err)
	}
	broken := engine{"broken", func() (func(*bytes.Buffer, *usersPage) error, error) { return nil, errors.New("no template") }}
	if err := renderUsers(broken)(); err == nil || err.Error() != "broken: no template" {
		t.Errorf("an engine that compiles nothing: %v", err)
	}
}

// A server that answers something else is no case.
func TestGraphQLServersAgree(t *testing.T) {
	engine := func(ask graphqls.Ask, err error) graphqls.Engine {
		return graphqls.Engine{Name: "peer", Open: func() (graphqls.Ask, error) { return ask, err }}
	}
	other := func(context.Context, string) ([]byte, error) { return []byte(`{"data":{"users":[]}}`), nil }
	failing := func(context.Context, string) ([]byte, error) { return nil, errors.New("no answer") }
	shorter := func() graphqls.Ask {
		right, _ := graphqls.Engines()[0].Open()
		return func(ctx context.Context, query string) ([]byte, error) {
			answer, err := right(ctx, query)
			right = other // from the second time on
			return answer, err
		}
	}
	for name, c := range map[string]struct {
		engine graphqls.Engine
		fails  string
	}{
		"another answer":             {engine(other, nil), "peer: the answer is\n{\"data\":{\"users\":[]}}\nwant\n{\"data\":{\"users\":[{\"id\":\"0\""},
		"no answer":                  {engine(failing, nil), "peer: no answer"},
		"no schema":                  {engine(nil, errors.New("no schema")), "peer: no schema"},
		"another answer later":       {engine(shorter(), nil), "the answer has 21 octets, want "},
		"the same answer every time": {graphqls.Engines()[0], ""},
	} {
		run := answer(c.engine, graphqls.Nested)
		err := run()
		if c.fails == "" && err != nil || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
			t.Errorf("%s: %v, want %q", name, err, c.fails)
		}
	}
}

// An answer that is another, or none, is no case; nor is a question that adds too few rows.
func TestQuestionsAgree(t *testing.T) {
	for name, c := range map[string]struct {
		question question
		fails    string
	}{
		"the same":         {question{"get", func(ctx context.Context, s orms.Store, _ int) error { return s.Get(ctx, 7) }, 0}, ""},
		"no such row":      {question{"get", func(ctx context.Context, s orms.Store, _ int) error { return s.Get(ctx, orms.Rows+1) }, 0}, "byhand: sql: no rows"},
		"nothing is asked": {question{"get", func(context.Context, orms.Store, int) error { return nil }, 0}, "byhand says []"},
		"rows too few":     {question{"insert", func(context.Context, orms.Store, int) error { return nil }, 1}, "byhand has added 0 rows, not 1"},
	} {
		f := &fixture{engine: orms.SQLite, question: c.question}
		err := f.open()
		if c.fails == "" && err != nil || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
			t.Errorf("%s: %v, want %q", name, err, c.fails)
		}
		if err := f.close(); err != nil {
			t.Error(err)
		}
	}
}

// Where there has to be a server, its groups are there.
func TestServerIsAsked(t *testing.T) {
	testenv.Postgres(t) // skips or fails without one
	if !slices.ContainsFunc(Groups(), func(g Group) bool { return strings.HasPrefix(g.Name, "orm/postgres/") }) {
		t.Error("PostgreSQL answers, but there is no group for it")
	}
}

func TestEveryCaseRuns(t *testing.T) {
	for _, g := range Groups() {
		r, err := Compare(t.Context(), g, Options{Rounds: 2, Round: time.Microsecond})
		if err != nil {
			t.Error(err)
			continue
		}
		if len(r.Rows) != len(g.Cases) || len(r.Rows) < 2 || r.Baseline != g.Cases[0].Name {
			t.Errorf("%s: %d rows against %s of %d cases", g.Name, len(r.Rows), r.Baseline, len(g.Cases))
		}
		for _, row := range r.Rows {
			if row.Nanos <= 0 || len(row.Samples) != 2 {
				t.Errorf("%s: row %+v", g.Name, row)
			}
		}
	}
}

// spin does a known amount of work, so that the right ratio is known.
func spin(name string, turns int) Case {
	return Case{Name: name, Build: func() (func() error, int) {
		x := uint32(1)
		return func() error {
			for range turns {
				x ^= x << 13
				x ^= x >> 17
				x ^= x << 5
			}
			if x == 0 { // never: it makes the turns needed
				return errors.New("zero")
			}
			return nil
		}, 1
	}}
}

func TestCompareFindsTheRatio(t *testing.T) {
	g := Group{Name: "spin", Cases: []Case{spin("one", 10_000), spin("two", 20_000)}}
	r, err := Compare(t.Context(), g, Options{Baseline: "one", Rounds: 10, Round: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Rows[1].Ratio.Mean; got < 1.6 || got > 2.5 {
		t.Errorf("twice the work costs %v, want 2", r.Rows[1].Ratio)
	}
}

func TestCompareRefuses(t *testing.T) {
	broken := Case{Name: "broken", Build: func() (func() error, int) {
		return func() error { return errors.New("no answer") }, 1
	}}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	good := Options{Rounds: 2, Round: time.Microsecond}
	for name, test := range map[string]struct {
		ctx  context.Context
		g    Group
		o    Options
		want string
	}{
		"one round":           {t.Context(), Group{Name: "g", Cases: []Case{spin("one", 1)}}, Options{Rounds: 1, Round: 1}, "two rounds"},
		"a round of no time":  {t.Context(), Group{Name: "g", Cases: []Case{spin("one", 1)}}, Options{Rounds: 2}, "of some length"},
		"an unknown baseline": {t.Context(), Group{Name: "g", Cases: []Case{spin("one", 1)}}, Options{Baseline: "x", Rounds: 2, Round: 1}, `no "x"`},
		"no cases":            {t.Context(), Group{Name: "g"}, good, "there is no"},
		"a case that fails":   {t.Context(), Group{Name: "g", Cases: []Case{broken}}, good, "g: broken: no answer"},
		"a finished time":     {done, Group{Name: "g", Cases: []Case{spin("one", 1)}}, good, "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Compare(test.ctx, test.g, test.o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func ExampleReport_WriteMarkdown() {
	r := Report{Group: "lookup/github", Baseline: "gin", Rounds: 20, Rows: []Row{{Name: "gin", Nanos: 50}}}
	r.Rows[0].Ratio.Mean, r.Rows[0].Ratio.Low, r.Rows[0].Ratio.High = 1, 1, 1
	r.WriteMarkdown(os.Stdout)
	// Output:
	// | lookup/github | CPU, ns | ratio to gin, 95 % interval of 20 rounds |
	// |---|---:|---:|
	// | gin | 50.0 | 1.000 [1.000, 1.000] |
}

// An interrupted try while a case is prepared must not leave it with rounds of one run: those measure cold caches.
func TestPrepareSurvivesAnInterruptedTry(t *testing.T) {
	runs := 0
	r, err := prepare(Case{Name: "interrupted", Build: func() (func() error, int) {
		return func() error {
			if runs++; runs == 1 {
				time.Sleep(20 * time.Millisecond)
			}
			return nil
		}, 1
	}}, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if r.times < 1000 { // of runs that take nanoseconds
		t.Errorf("a round has %d runs", r.times)
	}
}
