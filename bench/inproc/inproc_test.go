package inproc

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/bench/routes"
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
