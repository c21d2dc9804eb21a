package rmf_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/rmf"
	"github.com/ishaa-framework/ishaa/store"
)

// Realities work on every method and with every type of parameter: each request reaches the reality that was chosen for
// it, with its parameters, and what does not match the pattern reaches none.
func TestEveryMethodAndParameter(t *testing.T) {
	app, realities, _ := newApp(t, rmf.Options{ShowReality: true})
	app.Without(ishaa.DefaultCSRF, ishaa.DefaultAccessLog)
	realities.BehaviorRule(func(r *ishaa.Request, names []string) string { return r.Header("X-Want") })
	methods := []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"}
	parameters := []struct{ kind, is, none string }{
		{"", "ada", "a/b"}, {"int:", "42", "x"}, {"float:", "2.5", "x"}, {"uuid:", "9f1c6bd2-7a54-4d1c-9e0c-0a4f5b6c7d8e", "9f1c"},
		{"slug:", "a-new-one", "A b"}, {"path:", "a/b/c", ""}, {`re("[a-z]{3}"):`, "abc", "abcd"},
	}
	for i, p := range parameters {
		for _, version := range []string{"stable", "experimental"} {
			handler := func(r *ishaa.Request) (any, error) {
				return ishaa.Text(r.Method() + " " + version + " " + r.Param("v")), nil
			}
			options := []rmf.Option{}
			if version != "stable" {
				options = append(options, rmf.Traffic(20))
			}
			app.Route(fmt.Sprintf("/%d/<%sv>", i, p.kind), handler, ishaa.Methods(methods...), rmf.Reality(version, options...))
		}
	}
	client := ishaatest.New(t, app)
	for i, p := range parameters {
		for _, version := range []string{"stable", "experimental"} {
			want := ishaatest.Header("X-Want", version)
			for _, method := range methods {
				res := client.Do(method, fmt.Sprintf("/%d/%s", i, p.is), want).Status(200).Header("X-Ishaa-Reality", version)
				if got := res.Text(); got != method+" "+version+" "+p.is {
					t.Errorf("<%sv> answers %q", p.kind, got)
				}
			}
			client.Head(fmt.Sprintf("/%d/%s", i, p.is), want).Status(200).Header("X-Ishaa-Reality", version)
			client.Get(fmt.Sprintf("/%d/%s", i, p.none), want).Status(404)
		}
	}
}

// On a route a window is by the wall clock of the reality's zone, or of the application's, on every day of the year, on
// the nights when the clocks change as well.
func TestWindowsOfRoutesInTimeZones(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("this machine has no time zones: " + err.Error())
	}
	app, _, clock := newApp(t, rmf.Options{TimeZone: berlin})
	app.Without(ishaa.DefaultAccessLog)
	windows := map[string][]rmf.Option{
		"/night":   {rmf.ActiveBetween("22:00-06:00")},
		"/sydney":  {rmf.ActiveBetween("22:00-06:00"), rmf.In("Australia/Sydney")},
		"/week":    {rmf.ActiveBetween("mon-fri 09:00-17:00")},
		"/holiday": {rmf.ActiveBetween("2026-12-24/2026-12-26")},
		"/evening": {rmf.ActiveBetween("2026-12-24T18:00/2026-12-25T02:00")},
		"/cron":    {rmf.ActiveBetween("cron 0-29 12 * * mon-fri")},
	}
	for path, options := range windows {
		app.Get(path, say("day"), rmf.Reality("stable"))
		app.Get(path, say("window"), rmf.Reality("window", options...))
	}
	client := ishaatest.New(t, app)
	for _, c := range []struct {
		at   string // in Berlin
		open []string
	}{
		{"2026-06-15 12:00", []string{"/week", "/cron"}}, // a Monday; 20:00 in Sydney
		{"2026-06-15 12:30", []string{"/week"}},
		{"2026-06-15 14:00", []string{"/week", "/sydney"}}, // eight hours ahead
		{"2026-06-15 21:59", []string{"/sydney"}},
		{"2026-06-15 22:00", []string{"/night"}},
		{"2026-06-16 00:00", []string{"/night"}},
		{"2026-06-16 05:59", []string{"/night"}},
		{"2026-06-16 06:00", nil},
		{"2026-06-20 12:00", nil}, // a Saturday
		{"2026-10-24 12:00", nil},
		{"2026-10-24 22:00", []string{"/night"}}, // summer time ends
		{"2026-10-25 00:00", []string{"/night"}},
		{"2026-10-25 02:30", []string{"/night"}}, // the first of two
		{"2026-10-25 05:59", []string{"/night"}},
		{"2026-10-25 06:00", nil},
		{"2026-10-25 13:00", []string{"/sydney"}}, // ten hours ahead now
		{"2026-12-24 18:00", []string{"/holiday", "/evening", "/sydney"}},
		{"2026-12-24 23:00", []string{"/holiday", "/evening", "/night"}},
		{"2026-12-25 02:00", []string{"/holiday", "/night"}},
		{"2026-12-27 00:00", []string{"/night"}},
		{"2027-03-27 12:00", []string{"/sydney"}},
		{"2027-03-27 22:00", []string{"/night"}}, // summer time begins
		{"2027-03-28 01:59", []string{"/night"}},
		{"2027-03-28 03:00", []string{"/night"}}, // a minute later
		{"2027-03-28 05:59", []string{"/night"}},
		{"2027-03-28 06:00", nil},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, berlin)
		if err != nil {
			t.Fatal(err)
		}
		clock.Advance(at.Sub(clock.Now()))
		open := map[string]bool{}
		for _, path := range c.open {
			open[path] = true
		}
		for path := range windows {
			want := map[bool]string{true: "window", false: "day"}[open[path]]
			if got := client.Get(path).Status(200).Text(); got != want {
				t.Errorf("%s: %s answers %q, want %q", c.at, path, got, want)
			}
		}
	}
}

// ParallelSim is off unless it is asked for, and SimSampleRate is the share of stable's requests that are simulated.
func TestSampleRate(t *testing.T) {
	for rate, bounds := range map[float64][2]uint64{0: {0, 0}, .25: {800 / 8, 800 * 3 / 8}, 1: {800, 800}} {
		app, realities, _ := newApp(t, rmf.Options{ParallelSim: rate > 0, SimSampleRate: rate, SimWorkers: 2})
		app.SetClock(systemClock{})
		app.Without(ishaa.DefaultAccessLog)
		app.Get("/x", say("v1"), rmf.Reality("stable"))
		app.Get("/x", say("v1"), rmf.Reality("candidate", rmf.Traffic(0)))
		client := ishaatest.New(t, app)
		for range 800 {
			client.Get("/x").Status(200)
		}
		simulated := func() (n uint64) {
			if s := realityOf(t, experiment(t, realities), "candidate").Simulation; s != nil {
				n = s.Runs + s.NoiseRuns + s.Skipped + s.Late
			}
			return n + realities.Stats().Dropped
		}
		eventually(t, "all simulations are done", func() bool { return simulated() >= bounds[0] })
		if n := simulated(); n > bounds[1] {
			t.Errorf("SimSampleRate %v: %d of 800 requests are simulated", rate, n)
		}
	}
}

// What is compared and what is shown can be chosen: headers, a tolerance for numbers, whose values are no secret.
func TestComparisonOptions(t *testing.T) {
	app, realities, _ := newApp(t, rmf.Options{
		ParallelSim: true, SimSampleRate: 1, SimWorkers: 4, CompareHeaders: []string{"x-rate"}, NumericTolerance: .01,
		Reveal: func(path string) bool { return path == "$.name" },
	})
	app.SetClock(systemClock{})
	app.Without(ishaa.DefaultAccessLog)
	answer := func(name, secret string, price float64, rate, language string) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			r.Response().Header().Set("X-Rate", rate)
			r.Response().Header().Set("Content-Language", language)
			return map[string]any{"name": name, "secret": secret, "price": price, "id": price}, nil
		}
	}
	app.Get("/x", answer("ada", "abc", 1, "1", "en"), rmf.Reality("stable"))
	app.Get("/x", answer("bob", "xyz", 1.004, "2", "de"), rmf.Reality("candidate", rmf.Traffic(0), rmf.Ignore("$.id")))
	client := ishaatest.New(t, app)
	found := map[string]rmf.Difference{}
	eventually(t, "the differences are found", func() bool {
		for range 10 {
			client.Get("/x").Status(200)
		}
		if s := realityOf(t, experiment(t, realities), "candidate").Simulation; s != nil {
			for _, d := range s.Differences {
				if d.Found {
					found[d.Path] = d
				}
			}
		}
		return len(found) >= 3
	})
	if d := found["$.name"]; d.Stable != `"ada"` || d.Reality != `"bob"` {
		t.Errorf("$.name is to be shown: %+v", d)
	}
	if d, ok := found["$.secret"]; !ok || d.Stable == `"abc"` || d.Reality == `"xyz"` {
		t.Errorf("$.secret is not to be shown: %+v", d)
	}
	if _, ok := found["header X-Rate"]; !ok || len(found) != 3 {
		t.Errorf("found %+v", found)
	}
}

// A candidate that is in the shadow is still there after a restart, with the simulations that it has had.
func TestRestartInTheShadow(t *testing.T) {
	shared := store.NewMemory(store.MemoryOptions{})
	t.Cleanup(func() {
		if err := shared.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, o := range []rmf.Options{{Dir: t.TempDir()}, {Store: shared}} {
		o.Unit, o.ParallelSim, o.SimSampleRate, o.SimRuns, o.Interval = rmf.ByRequest, true, .2, 1_000_000, 5*time.Millisecond
		start := func() (*ishaatest.Client, *rmf.Realities, *ishaa.App) {
			app := ishaa.New("restart", ishaa.Config{Secret: secret})
			app.Without(ishaa.DefaultAccessLog)
			m := rmf.Enable(app, o)
			app.Get("/x", say("v1"), rmf.Reality("stable"))
			app.Get("/x", say("v2"), rmf.Reality("candidate", rmf.Ramp(), rmf.Traffic(10)))
			client := ishaatest.New(t, app)
			client.Get("/x").Status(200).Contains("v1")
			return client, m, app
		}
		runs := func(m *rmf.Realities) (n int) {
			trial := realityOf(t, experiment(t, m), "candidate").Trial
			if trial.Stage == rmf.StageShadow {
				_, _ = fmt.Sscanf(trial.Reason, "%d of", &n) // there may be another reason yet
			}
			return n
		}
		client, m, app := start()
		eventually(t, "simulations are counted in the shadow", func() bool {
			for range 100 {
				client.Get("/x").Status(200).Contains("v1")
			}
			return runs(m) >= 20
		})
		if err := app.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		before, had := experiment(t, m), runs(m)
		client, m, _ = start()
		eventually(t, "the simulations of before count", func() bool { return runs(m) >= had })
		after := experiment(t, m)
		b, a := realityOf(t, before, "candidate"), realityOf(t, after, "candidate")
		if a.Trial.Stage != rmf.StageShadow || !a.Trial.Since.Equal(b.Trial.Since) || a.Share != 0 || before.Salt != after.Salt || before.Epoch != after.Epoch {
			t.Errorf("before %+v %+v\nafter %+v %+v", before, b.Trial, after, a.Trial)
		}
		own := uint64(0)
		eventually(t, "simulations go on", func() bool {
			for range 20 {
				client.Get("/x").Status(200).Contains("v1")
			}
			if s := realityOf(t, experiment(t, m), "candidate").Simulation; s != nil {
				own = s.Runs
			}
			return own > 0 && runs(m) > had
		})
	}
}
