package seqp

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Options are what Enable may be told. The zero value is a good default.
type Options struct {
	LatencyDriftTolerance float64 // by how much, as a share, a latency may grow; default 0.20
	ErrorRateThreshold    float64 // the share of 5xx that is never passed; default 0.02
	// PipelinePlatform is what pipelines are written for: "github_actions", "gitlab_ci" or "generic"; default
	// "github_actions".
	PipelinePlatform string

	// Window is how long a window of drift is; default a minute. The creep over days counts in windows, of which it
	// takes 1,440 for a day.
	Window time.Duration
	// State is the file that keeps what drift knows over restarts, and what the releases before did; "" keeps it in memory
	// only.
	State string
	// Release names the build that runs, so that one can be compared with the one before; default the commit that the go
	// command wrote into the program, with "+dirty" behind it if files had been changed.
	Release string
}

// Platforms are what a pipeline can be written for.
var Platforms = []string{"github_actions", "gitlab_ci", "generic"}

// Pipeline watches an application and judges its releases.
type Pipeline struct {
	// Drift is what the watch has found. It may be told of test runs.
	Drift *Drift

	app     *ishaa.App
	options Options
	limits  Limits

	routes sync.Map // *ishaa.Route to *evidence.Recorder

	// Of the goroutine that closes windows, which Start makes and Stop ends.
	stop  context.CancelFunc
	ended chan struct{}
	last  map[*ishaa.Route]*evidence.Snapshot
	shape state // with the shapes only

	mu      sync.Mutex
	tallies []tally // of the last releases, this one last
}

// Enable adds the watch to an application. It panics where the options cannot be.
func Enable(app *ishaa.App, options Options) *Pipeline {
	limits := Limits{options.LatencyDriftTolerance, options.ErrorRateThreshold}.withDefaults()
	if options.PipelinePlatform == "" {
		options.PipelinePlatform = Platforms[0]
	}
	switch {
	case !slices.Contains(Platforms, options.PipelinePlatform):
		panic(fmt.Sprintf("seqp.Enable: PipelinePlatform is %q: use one of %s", options.PipelinePlatform, strings.Join(Platforms, ", ")))
	case limits.ErrorRate > 1:
		panic(fmt.Sprintf("seqp.Enable: ErrorRateThreshold is %g: it is a share, 0.02 for 2 %%", limits.ErrorRate))
	case options.Window < 0:
		panic(fmt.Sprintf("seqp.Enable: Window is %s: it cannot be negative", options.Window))
	case options.Window == 0:
		options.Window = time.Minute
	}
	if options.Release == "" {
		options.Release = stamped()
	}
	p := &Pipeline{
		Drift: NewDrift(limits), app: app, options: options, limits: limits,
		last: map[*ishaa.Route]*evidence.Snapshot{},
	}
	app.Install(p)
	return p
}

// Install has the requests of an application watched. Enable calls it.
func (p *Pipeline) Install(app *ishaa.App) error {
	app.Observe(p)
	app.OnStart(p.start)
	app.OnStop(p.end)
	app.Command(p.command())
	return nil
}

// Observe counts a request. Requests that match no route are left out.
func (p *Pipeline) Observe(route *ishaa.Route, outcome ishaa.Outcome) {
	if route == nil {
		return
	}
	recorder, ok := p.routes.Load(route)
	if !ok {
		recorder, _ = p.routes.LoadOrStore(route, &evidence.Recorder{})
	}
	recorder.(*evidence.Recorder).Record(outcome.Duration, evidence.ClassOf(outcome.Status), outcome.Bytes)
}

func (p *Pipeline) start(context.Context) error {
	now, err := shapes(p.app)
	if err != nil {
		return err
	}
	var saved state
	if p.options.State != "" {
		if saved, err = readState(p.options.State); err != nil {
			return err
		}
		p.Drift.restore(saved)
		p.Drift.mu.Lock()
		p.Drift.shapes = changedShapes(p.app, saved.Shapes, now)
		p.Drift.mu.Unlock()
	}
	p.mu.Lock()
	p.tallies = begun(saved.Releases, p.options.Release)
	p.mu.Unlock()
	p.shape.Shapes = now
	if err := p.heed(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop, p.ended = cancel, make(chan struct{})
	go p.watch(ctx)
	return nil
}

// savedEvery is after how many windows the state is written, beside the end.
const savedEvery = 10

// watch closes a window each time one has passed, until the application stops.
func (p *Pipeline) watch(ctx context.Context) {
	defer close(p.ended)
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-p.app.Clock().After(p.options.Window):
		}
		p.closeWindow()
		if err := p.heed(); err != nil {
			p.app.Logger().Warn("a freeze was not lifted", "error", err)
		}
		if n%savedEvery == 0 {
			if err := p.save(); err != nil {
				p.app.Logger().Warn("the drift state was not saved", "error", err)
			}
		}
	}
}

func (p *Pipeline) end(context.Context) error {
	if p.stop == nil {
		return nil
	}
	p.stop()
	<-p.ended
	p.stop = nil
	return p.save()
}

func (p *Pipeline) save() error {
	if p.options.State == "" {
		return nil
	}
	s := p.Drift.snapshot()
	s.Shapes = p.shape.Shapes
	p.mu.Lock()
	for _, t := range p.tallies {
		s.Releases = append(s.Releases, tally{t.Release, maps.Clone(t.Routes)})
	}
	p.mu.Unlock()
	return writeState(p.options.State, s)
}

// closeWindow gives each route's window to the drift watch and to the tally of the release. The realities of an entry
// count together: which of them answers is not the entry's drift.
func (p *Pipeline) closeWindow() {
	windows := map[string]*merged{}
	levels := map[string]ishaa.Level{}
	p.routes.Range(func(key, value any) bool {
		route, recorder := key.(*ishaa.Route), value.(*evidence.Recorder)
		now := recorder.Snapshot()
		window := now
		if before := p.last[route]; before != nil {
			window = now.Since(before)
		}
		p.last[route] = now
		name := route.String()
		if windows[name] == nil {
			windows[name] = &merged{}
		}
		windows[name].latency.Merge(&window.Latency)
		windows[name].errors += window.ServerErrors
		levels[name] = max(levels[name], levelOf(route))
		return true
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, all := range windows {
		w := Window{Requests: all.latency.Count(), Errors: all.errors, Latency: all.latency.Quantile(0.95)}
		p.Drift.Record(name, levels[name], w)
		p.tallies[len(p.tallies)-1].add(name, w)
	}
}

// CheckDeploymentReadiness judges a deployment by its latency and its error rate, with the application's limits. A freeze
// (see Drift) allows nothing. Where drift asks for a strict rollback the limits are half of what they are.
func (p *Pipeline) CheckDeploymentReadiness(r Readiness) Decision {
	limits := p.limits
	for _, action := range p.Drift.Actions() {
		switch action.Name {
		case PipelineFreeze:
			return Decision{Recommendation: BlockLatencyRegression,
				Reason: "releases are frozen: " + action.Reason + "; a person lifts it with Drift.Unfreeze"}
		case StrictRollback:
			limits = Limits{p.limits.LatencyDrift / 2, p.limits.ErrorRate / 2}
		}
	}
	return PolicyFor(ishaa.Standard, 0, limits).Check(r)
}

// Policy returns the policy of a route for a risk score of its code, which package evolve finds.
func (p *Pipeline) Policy(route *ishaa.Route, risk float64) Policy {
	return PolicyFor(levelOf(route), risk, p.limits)
}

// RouteReport is what a Report says of a route.
type RouteReport struct {
	Route    string        `json:"route"`
	Level    string        `json:"level"`
	Purpose  string        `json:"purpose,omitempty"`
	Requests uint64        `json:"requests"`
	Errors   uint64        `json:"errors"` // 5xx
	P50      time.Duration `json:"p50_ns"`
	P95      time.Duration `json:"p95_ns"`
	P99      time.Duration `json:"p99_ns"`
	Coverage float64       `json:"coverage"` // what its policy asks for at no risk
	Tests    []string      `json:"tests"`
}

// Report is the state of the watch.
type Report struct {
	Platform string        `json:"platform"`
	Routes   []RouteReport `json:"routes"` // the most critical first
	Trends   []Trend       `json:"trends"`
	Actions  []Action      `json:"actions"`
}

// Report returns the state of the watch: since the start for the counters, lasting drifts for the trends.
func (p *Pipeline) Report() Report {
	report := Report{Platform: p.options.PipelinePlatform, Routes: []RouteReport{}, Trends: []Trend{}, Actions: []Action{}}
	for _, route := range p.app.Routes() {
		policy := p.Policy(route, 0)
		r := RouteReport{Route: route.String(), Level: policy.Name, Coverage: policy.Coverage, Tests: policy.Tests}
		r.Purpose, _ = Purpose.Of(route)
		if recorder, ok := p.routes.Load(route); ok {
			s := recorder.(*evidence.Recorder).Snapshot()
			r.Requests, r.Errors = s.Requests(), s.ServerErrors
			r.P50, r.P95, r.P99 = s.Latency.Quantile(0.5), s.Latency.Quantile(0.95), s.Latency.Quantile(0.99)
		}
		report.Routes = append(report.Routes, r)
	}
	slices.SortStableFunc(report.Routes, func(a, b RouteReport) int {
		left, _ := ishaa.ParseLevel(a.Level)
		right, _ := ishaa.ParseLevel(b.Level)
		return int(right) - int(left)
	})
	report.Trends = append(report.Trends, p.Drift.Trends()...)
	report.Actions = append(report.Actions, p.Drift.Actions()...)
	return report
}

// PrintReport writes the report for people to standard output.
func (p *Pipeline) PrintReport() { _ = p.Report().Write(os.Stdout) }

// Write writes the report for people.
func (r Report) Write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ROUTE\tLEVEL\tREQUESTS\t5XX\tP50\tP95\tCOVERAGE ASKED")
	for _, route := range r.Routes {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%.0f %%\n", route.Route, route.Level, route.Requests, route.Errors,
			route.P50.Round(time.Microsecond), route.P95.Round(time.Microsecond), 100*route.Coverage)
	}
	if len(r.Trends) == 0 {
		fmt.Fprintln(w, "\nNothing drifts.")
	} else {
		fmt.Fprintln(w, "\nDRIFT")
	}
	for _, t := range r.Trends {
		fmt.Fprintf(w, "%s\t%s\t%s\n", t.Route, t.Metric, t.Text)
	}
	if len(r.Actions) > 0 {
		fmt.Fprintln(w, "\nWHAT TO DO")
	}
	for _, a := range r.Actions {
		fmt.Fprintf(w, "%s\t%s\t%s\n", a.Name, a.Route, a.Reason)
	}
	return w.Flush()
}
