package seqp

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Drift watches routes over time. It is safe for concurrent use. The same windows give the same trends, whenever and
// wherever they are recorded.
type Drift struct {
	limits Limits

	mu     sync.Mutex
	routes map[string]*course
	runs   []Tests
	shapes []Trend // of typed answers, found when the application started
	frozen string  // the reason of a freeze, until a person lifts it
}

// Window is what a route did in one stretch of time.
type Window struct {
	Requests uint64
	Errors   uint64        // 5xx
	Latency  time.Duration // the 95th percentile; 0 without requests
}

// Metric names what drifts.
type Metric string

// The metrics.
const (
	LatencyMetric  Metric = "latency"      // in seconds
	ErrorMetric    Metric = "errors"       // share of 5xx
	PassRateMetric Metric = "pass_rate"    // share of passing tests
	SchemaMetric   Metric = "answer shape" // of a typed route, from one start to the next
)

// Trend is a drift that lasts.
type Trend struct {
	Route  string `json:"route,omitempty"` // such as "POST /payment"; empty for the whole application
	Metric Metric `json:"metric"`
	// Slow is a creep over days, rather than a change of level.
	Slow   bool    `json:"slow,omitempty"`
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	Text   string  `json:"text"`

	level ishaa.Level
}

// ActionName names what to do about drift.
type ActionName string

// The actions, from the mildest.
const (
	RegressionReplay ActionName = "add_regression_replay"      // replay recorded requests against the new build before a release
	StrictRollback   ActionName = "enable_strict_rollback"     // half the tolerance, roll back without asking
	ShadowDeployment ActionName = "activate_shadow_deployment" // let the next build answer beside the old one, unseen
	PipelineFreeze   ActionName = "pipeline_freeze"            // no release until a person calls Unfreeze
)

// Action is something to do, and why.
type Action struct {
	Name   ActionName `json:"name"`
	Route  string     `json:"route,omitempty"`
	Reason string     `json:"reason"`
}

// NewDrift makes a drift watch apart from an application, for a pipeline that has windows from elsewhere.
func NewDrift(limits Limits) *Drift {
	return &Drift{limits: limits.withDefaults(), routes: map[string]*course{}}
}

// Record takes the next window of a route. An error burst freezes releases if the route is financial, or if tests began to
// fail as well.
func (d *Drift) Record(route string, level ishaa.Level, w Window) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.routes[route]
	if c == nil {
		c = &course{}
		d.routes[route] = c
	}
	c.level = level
	c.add(w, d.limits)
	if !c.burst.alarm {
		c.froze = false
		return
	}
	if c.froze || d.frozen != "" {
		return
	}
	_, failing := passRate(d.runs)
	if !failing && level != ishaa.FinancialCore {
		return
	}
	c.froze = true
	d.frozen = fmt.Sprintf("%s: %s", route, c.burst.text())
	if failing {
		d.frozen += ", and tests began to fail"
	}
}

// testRuns is how many test runs are remembered, recentRuns how many of them are compared with those before.
const (
	testRuns   = 30
	recentRuns = 3
)

// RecordTests takes the next run of the test suite. Runs without tests are left out.
func (d *Drift) RecordTests(run Tests) {
	if run.Passed < 0 || run.Failed < 0 || run.Passed+run.Failed == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs = append(d.runs, run)
	if len(d.runs) > testRuns {
		d.runs = slices.Delete(d.runs, 0, len(d.runs)-testRuns)
	}
}

// Trends returns the drifts that last, by route and metric. It is empty when all is as it was.
func (d *Drift) Trends() []Trend {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.trends()
}

func (d *Drift) trends() []Trend {
	list := slices.Clone(d.shapes)
	for route, c := range d.routes {
		list = append(list, c.trends(route, d.limits)...)
	}
	if t, ok := passRate(d.runs); ok {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b Trend) int {
		switch {
		case a.Route != b.Route && a.Route < b.Route, a.Route == b.Route && a.Metric < b.Metric:
			return -1
		case a.Route == b.Route && a.Metric == b.Metric:
			return 0
		}
		return 1
	})
	return list
}

// Actions returns what to do about the trends, mildest first, each once a route.
func (d *Drift) Actions() []Action {
	d.mu.Lock()
	defer d.mu.Unlock()
	trends := d.trends()
	var list []Action
	for _, t := range trends {
		switch t.Metric {
		case LatencyMetric, SchemaMetric, PassRateMetric:
			list = append(list, Action{RegressionReplay, t.Route, t.Text})
		case ErrorMetric:
			list = append(list, Action{StrictRollback, t.Route, t.Text})
		}
		if t.level > ishaa.Standard && t.Metric != PassRateMetric {
			list = append(list, Action{ShadowDeployment, t.Route, t.Text})
		}
	}
	if d.frozen != "" {
		list = append(list, Action{Name: PipelineFreeze, Reason: d.frozen})
	}
	order := []ActionName{RegressionReplay, StrictRollback, ShadowDeployment, PipelineFreeze}
	slices.SortStableFunc(list, func(a, b Action) int {
		return slices.Index(order, a.Name) - slices.Index(order, b.Name)
	})
	seen := map[[2]string]bool{}
	return slices.DeleteFunc(list, func(a Action) bool {
		key := [2]string{string(a.Name), a.Route}
		if seen[key] {
			return true
		}
		seen[key] = true
		return false
	})
}

// Frozen returns why releases are frozen, and whether they are. A freeze outlasts what caused it.
func (d *Drift) Frozen() (reason string, frozen bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.frozen, d.frozen != ""
}

// Unfreeze lifts a freeze, so that the release that mends its cause can go out. Another burst freezes anew.
func (d *Drift) Unfreeze() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.frozen = ""
}

// passRate compares the last runs of the suite with those before.
func passRate(runs []Tests) (Trend, bool) {
	if len(runs) <= recentRuns {
		return Trend{}, false
	}
	sum := func(runs []Tests) (failed, all uint64) {
		for _, run := range runs {
			failed += uint64(run.Failed)
			all += uint64(run.Failed + run.Passed)
		}
		return failed, all
	}
	at := len(runs) - recentRuns
	var l Live
	l.BaselineErrors, l.BaselineRequests = sum(runs[:at])
	l.Errors, l.Requests = sum(runs[at:])
	if low, _ := newcombe(l); low <= 0 {
		return Trend{}, false
	}
	before := 1 - float64(l.BaselineErrors)/float64(l.BaselineRequests)
	after := 1 - float64(l.Errors)/float64(l.Requests)
	return Trend{
		Metric: PassRateMetric, Before: before, After: after,
		Text: fmt.Sprintf("%.2f %% of the tests pass in the last %d runs, %.2f %% passed in the %d before", 100*after, recentRuns, 100*before, at),
	}, true
}

// course is what is known of one route.
type course struct {
	level   ishaa.Level
	latency evidence.Detector // of the logarithm, since latencies multiply
	level0  float64           // the accepted latency, seconds
	level1  float64           // the latency since the last change that was found
	burst   burst
	froze   bool      // this burst was what froze the releases
	day     []float64 // latencies of the day that is under way
	days    []float64 // median latency of each day of windows
	windows []Window  // the last ones, for a restart
}

const (
	// dayWindows is how many windows make a point of the creep: a whole day of minutes, so that a daily course is in
	// each point alike.
	dayWindows = 1440
	// creepDays is how many points the creep looks at, and leastDays from how many on.
	creepDays = 60
	leastDays = 10
	// creepCertainty is its p-value, two-sided; it is asked once a day and route.
	creepCertainty = 0.001
	// recentWindows is how many windows say how things are now.
	recentWindows = 15
	// keptWindows is how many windows a restart brings back: as many as the detector's reference grows to.
	keptWindows = 480
)

func (c *course) add(w Window, limits Limits) {
	c.windows = append(c.windows, w)
	if len(c.windows) > keptWindows {
		c.windows = slices.Delete(c.windows, 0, len(c.windows)-keptWindows)
	}
	c.burst.add(w, limits.ErrorRate)
	if w.Requests == 0 || w.Latency <= 0 {
		c.latency.Add(math.NaN())
		return
	}
	seconds := w.Latency.Seconds()
	c.latency.Floor = math.Log1p(0.02) // two per cent are not worth an alarm
	if change, found := c.latency.Add(math.Log(seconds)); found {
		before, after := math.Exp(change.Before), math.Exp(change.After)
		if c.level0 == 0 {
			c.level0 = before
		}
		c.level1 = after
		if after < c.level0 {
			c.level0 = after
		}
	}
	c.day = append(c.day, seconds)
	if len(c.day) < dayWindows {
		return
	}
	c.days = append(c.days, evidence.Median(c.day))
	c.day = c.day[:0]
	if len(c.days) > creepDays {
		c.days = slices.Delete(c.days, 0, 1)
	}
}

func (c *course) trends(route string, limits Limits) []Trend {
	var list []Trend
	if most := c.level0 * (1 + limits.LatencyDrift); c.level1 > most && c.recent() > most {
		list = append(list, Trend{Route: route, Metric: LatencyMetric, Before: c.level0, After: c.level1, level: c.level,
			Text: fmt.Sprintf("the 95th percentile went from %s to %s", inSeconds(c.level0), inSeconds(c.level1))})
	} else if len(c.days) >= leastDays {
		p, slope := evidence.Trend(c.days)
		first := evidence.Median(c.days[:3])
		rise := slope * float64(len(c.days)-1)
		if p < creepCertainty && rise > first*limits.LatencyDrift {
			list = append(list, Trend{Route: route, Metric: LatencyMetric, Slow: true, Before: first, After: first + rise, level: c.level,
				Text: fmt.Sprintf("the 95th percentile creeps up by %s a day, from %s over %d days", inSeconds(slope), inSeconds(first), len(c.days))})
		}
	}
	if c.burst.alarm {
		list = append(list, Trend{Route: route, Metric: ErrorMetric, Before: c.burst.base(), After: c.burst.rate(), level: c.level,
			Text: c.burst.text()})
	}
	return list
}

// recent is the median latency of the last windows. The detector learns a new level over two hours of windows and says
// nothing of it meanwhile, so the end of a drift is seen here.
func (c *course) recent() float64 {
	var list []float64
	for _, w := range c.windows[max(len(c.windows)-recentWindows, 0):] {
		if w.Latency > 0 {
			list = append(list, w.Latency.Seconds())
		}
	}
	return evidence.Median(list)
}

func inSeconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(10 * time.Microsecond)
}
