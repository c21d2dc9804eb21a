package rmf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/callsite"
	"github.com/ishaa-framework/ishaa/store"
)

// Rule is by what a candidate is promoted.
type Rule string

const (
	// Evidence, the default, promotes when sequential tests on errors and on three quantiles of latency have excluded
	// that the candidate is worse by more than a margin, and rolls back when they show that it is worse.
	Evidence Rule = "evidence"
	// Threshold is the rule of the Python version alone: enough requests, few errors, a mean latency near stable's. It
	// promotes, in simulation, in every one of these cases, where Evidence does what the last column says:
	//
	//	truth                                          Evidence
	//	identical                                      promotes 99 %, false rollback 1.0–1.5 %
	//	errors 0.05 % → 0.8 %                          rolls back 100 %
	//	1 % of requests 120 ms slower                  rolls back 100 %
	//	25 % slower, stable's history at peak hour     rolls back 100 %
	//	5 % errors that start after 4,000 requests     rolls back 98–100 %
	Threshold Rule = "threshold"
)

// Unit is what the lot is drawn for.
type Unit string

const (
	// BySubject draws once for each user or visitor, who then stays where the lot put them, and counts each once.
	BySubject Unit = "subject"
	// ByRequest draws for each request anew and counts each. It sets no cookie, and is for services that programs call.
	ByRequest Unit = "request"
)

// Options is what may be said about all realities of an application. The zero value is a good default.
type Options struct {
	AutoPromoteThreshold    uint64  // least counted requests (or subjects) of a candidate before it is promoted; default 1000
	AutoPromoteErrorMax     float64 // largest share of 5xx answers for a promotion; default 0.02
	AutoPromoteLatencyRatio float64 // largest ratio of mean latencies for a promotion; default 1.5
	ParallelSim             bool    // run other realities in the shadow of stable, and compare
	SimSampleRate           float64 // share of stable's requests that are simulated; default 0.1
	NoSelfRetiring          bool    // never promote by itself: say that it would, and leave it to a person

	Rule Rule // default Evidence
	Unit Unit // default BySubject

	// Subject names the user that a request comes from, such as an account's id; "" is a visitor without a name, who is
	// known by a signed cookie. It runs for each request to a route with realities. With ByRequest it is not asked.
	Subject func(*ishaa.Request) string
	// MayChoose says who may name a reality by the plain header "X-Reality: experimental", such as people with the role
	// "tester". Everybody else needs a Token. In debug mode everybody may.
	MayChoose func(*ishaa.Request) bool
	// ShowReality has answers say which reality gave them, in X-Ishaa-Reality.
	ShowReality bool
	// TimeZone of windows that do not name their own; default time.Local.
	TimeZone *time.Location
	// Audience is what tokens are for; default the application's name. Give each environment its own.
	Audience string

	// Store shares counters, decisions and the ledger between nodes, and keeps them over restarts.
	Store store.KV
	// Dir keeps the same in files, for one machine. Without Store and Dir everything begins anew with each start.
	Dir string
	// Interval is how often counters are shared and looked at; default 2 s. Bad answers are looked at sooner.
	Interval time.Duration

	StepTime     time.Duration // least time in each step of a ramp; default 10 min
	StepRequests uint64        // least counted requests of the candidate in each step of a ramp; default 200
	BakeTime     time.Duration // least time from the first counted request to a promotion; default 1 h
	GuardTime    time.Duration // how long a promoted reality is guarded; default 24 h
	MaxRequests  uint64        // counted requests of both arms after which a trial without an answer is undone; default 1,000,000

	SimTimeout       time.Duration          // after which a simulation is given up; default 5 s
	SimWorkers       int                    // simulations at a time; default 2
	SimRuns          uint64                 // comparisons before a ramp leaves the shadow; default 200
	CompareHeaders   []string               // compared in simulations; default Content-Type, Location, Content-Language, Content-Disposition
	NumericTolerance float64                // relative difference of numbers that counts as none; default 1e-9
	Reveal           func(path string) bool // whose values reports may show as they are; default none
}

func (o Options) withDefaults(app *ishaa.App) Options {
	o.AutoPromoteThreshold = cmp.Or(o.AutoPromoteThreshold, 1000)
	o.AutoPromoteErrorMax = cmp.Or(o.AutoPromoteErrorMax, .02)
	o.AutoPromoteLatencyRatio = cmp.Or(o.AutoPromoteLatencyRatio, 1.5)
	o.SimSampleRate = cmp.Or(o.SimSampleRate, .1)
	o.Rule = cmp.Or(o.Rule, Evidence)
	o.Unit = cmp.Or(o.Unit, BySubject)
	o.Audience = cmp.Or(o.Audience, app.Name())
	o.Interval = cmp.Or(o.Interval, 2*time.Second)
	o.StepTime = cmp.Or(o.StepTime, 10*time.Minute)
	o.StepRequests = cmp.Or(o.StepRequests, 200)
	o.BakeTime = cmp.Or(o.BakeTime, time.Hour)
	o.GuardTime = cmp.Or(o.GuardTime, 24*time.Hour)
	o.MaxRequests = cmp.Or(o.MaxRequests, 1_000_000)
	o.SimTimeout = cmp.Or(o.SimTimeout, 5*time.Second)
	o.SimWorkers = cmp.Or(o.SimWorkers, 2)
	o.SimRuns = cmp.Or(o.SimRuns, 200)
	o.NumericTolerance = cmp.Or(o.NumericTolerance, 1e-9)
	if o.TimeZone == nil {
		o.TimeZone = time.Local
	}
	if o.CompareHeaders == nil {
		o.CompareHeaders = []string{"Content-Type", "Location", "Content-Language", "Content-Disposition"}
	}
	o.CompareHeaders = slices.Clone(o.CompareHeaders)
	for i, name := range o.CompareHeaders {
		o.CompareHeaders[i] = http.CanonicalHeaderKey(name)
	}
	return o
}

func (o Options) check() error {
	switch {
	case !(o.AutoPromoteErrorMax > 0 && o.AutoPromoteErrorMax <= 1):
		return fmt.Errorf("AutoPromoteErrorMax is %v; give a share between 0 and 1", o.AutoPromoteErrorMax)
	case !(o.AutoPromoteLatencyRatio > 0):
		return fmt.Errorf("AutoPromoteLatencyRatio is %v; give a positive ratio", o.AutoPromoteLatencyRatio)
	case !(o.SimSampleRate > 0 && o.SimSampleRate <= 1):
		return fmt.Errorf("SimSampleRate is %v; give a share between 0 and 1", o.SimSampleRate)
	case o.Rule != Evidence && o.Rule != Threshold:
		return fmt.Errorf("Rule is %q; give rmf.Evidence or rmf.Threshold", o.Rule)
	case o.Unit != BySubject && o.Unit != ByRequest:
		return fmt.Errorf("Unit is %q; give rmf.BySubject or rmf.ByRequest", o.Unit)
	case o.Store != nil && o.Dir != "":
		return errors.New("both Store and Dir are given; one place keeps the state")
	case min(o.Interval, o.StepTime, o.BakeTime, o.GuardTime, o.SimTimeout) < 0:
		return errors.New("a time is negative")
	case o.SimWorkers < 0 || o.SimWorkers > 256:
		return fmt.Errorf("SimWorkers is %d; give 1 to 256", o.SimWorkers)
	case !(o.NumericTolerance >= 0 && o.NumericTolerance < 1):
		return fmt.Errorf("NumericTolerance is %v; give a share below 1", o.NumericTolerance)
	}
	return nil
}

// Realities is the engine of an application.
type Realities struct {
	app     *ishaa.App
	options Options
	keys    signers
	source  string // where Enable was called

	rules       []func(r *ishaa.Request, names []string) string
	experiments []*experiment // sorted by name
	byRoute     map[*ishaa.Route]*experiment

	node *node
	pool *pool

	setupOnce sync.Once
	setupErr  error
	ready     atomic.Bool // the table was read
}

// Enable gives an application its realities. It is called before or after the routes are registered, and once. Options
// that make no sense stop the program with file and line.
func Enable(app *ishaa.App, options Options) *Realities {
	m := &Realities{app: app, source: callsite.Outside(packagePath)}
	if app == nil {
		panic(m.source + ": rmf.Enable: the application is nil")
	}
	if slices.ContainsFunc(app.Commands(), func(c ishaa.Command) bool { return c.Name == commandName }) {
		panic(m.source + ": rmf.Enable: the application has its realities already; enable them once")
	}
	m.options = options.withDefaults(app)
	if err := m.options.check(); err != nil {
		panic(fmt.Sprintf("%s: rmf.Enable: %v", m.source, err))
	}
	keys, err := newSigners(app.Config().Secret, m.options.Audience)
	if err != nil {
		panic(fmt.Sprintf("%s: rmf.Enable: %v", m.source, err))
	}
	m.keys = keys
	m.node = newNode(m)
	m.pool = newPool(m)
	app.OnSetup(m.setup)
	app.Intercept(chooser{m}, rememberer{m})
	app.Command(m.command())
	app.Install(m)
	return m
}

// Install implements ishaa.Plugin. Enable calls it.
func (m *Realities) Install(*ishaa.App) error { return nil }

// BehaviorRule adds a function that may choose a reality by name from those that are active on the request's route; ""
// leaves it to the next one, and in the end to the window and the lot. Rules run in the order they are added, must be
// quick, and must not answer. What a rule chose is served, and is not part of the evidence.
func (m *Realities) BehaviorRule(rule func(r *ishaa.Request, names []string) string) {
	if rule == nil {
		panic(callsite.Outside(packagePath) + ": BehaviorRule: the function is nil")
	}
	if m.app.Started() {
		panic(callsite.Outside(packagePath) + ": BehaviorRule: the application has started; add rules before")
	}
	m.rules = append(m.rules, rule)
}

// setup looks at the finished route table, once: when the application starts, or for a command.
func (m *Realities) setup() error {
	m.setupOnce.Do(func() {
		m.setupErr = m.readTable()
		m.ready.Store(true)
	})
	return m.setupErr
}

func (m *Realities) readTable() error {
	m.byRoute = map[*ishaa.Route]*experiment{}
	var failures []error
	for _, route := range m.app.Routes() {
		primary := route
		if variants := route.Variants(); variants != nil {
			primary = variants[0]
		}
		if primary != route || route.VariantGroup() != variantGroup {
			continue
		}
		e, err := newExperiment(m, route)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		m.experiments = append(m.experiments, e)
		m.byRoute[route] = e
		if len(e.realities) > 1 {
			m.app.SetSelector(route, e)
		}
	}
	slices.SortFunc(m.experiments, func(a, b *experiment) int { return strings.Compare(a.name, b.name) })
	if m.app.Config().Secret == "" && len(m.experiments) > 0 {
		if m.options.Store != nil && !m.app.Config().Debug {
			failures = append(failures, fmt.Errorf("%s: rmf.Enable: realities are shared through a store, but nothing is set to sign cookies and tokens with; set ISHAA_SECRET, the same on all nodes", m.source))
		}
		m.app.Logger().Warn("realities: ISHAA_SECRET is not set; visitors may see another reality after a restart, and tokens end with the process")
	}
	return errors.Join(failures...)
}

// Start implements ishaa.Starter.
func (m *Realities) Start(ctx context.Context) error {
	if len(m.experiments) == 0 {
		return nil
	}
	if err := m.node.start(ctx); err != nil {
		return err
	}
	m.pool.start()
	return nil
}

// Stop implements ishaa.Stopper: it ends simulations that are under way and writes the counters.
func (m *Realities) Stop(ctx context.Context) error {
	if len(m.experiments) == 0 {
		return nil
	}
	return errors.Join(m.pool.stop(ctx), m.node.stop(ctx))
}

// find returns an experiment by its name, its route's pattern or its route's name.
func (m *Realities) find(name string) (*experiment, error) {
	if !m.ready.Load() {
		return nil, errors.New("rmf: the application has not started, so its experiments are not known yet")
	}
	var known []string
	var found []*experiment
	for _, e := range m.experiments {
		if e.name == name {
			return e, nil
		}
		if e.route.Pattern() == name || e.route.Name() != "" && e.route.Name() == name {
			found = append(found, e)
		}
		known = append(known, e.name)
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("rmf: %q is the pattern of several routes; name one of %q", name, known)
	}
	return nil, fmt.Errorf("rmf: there is no experiment %q; the application has %q", name, known)
}
