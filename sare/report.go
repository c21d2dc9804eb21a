package sare

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Reporting: what was seen, what was done about it and why, as data and for people.

// Report is the state of the engine. As an answer it is a page for browsers and JSON for everybody else. It tells of routes
// and traffic, nothing of any request; guard its route all the same.
type Report struct {
	App     string        `json:"app"`
	At      time.Time     `json:"at"`
	Since   time.Time     `json:"since"`
	State   string        `json:"state"` // on, off, or why the engine gave up
	Totals  Totals        `json:"totals"`
	Layers  []LayerReport `json:"layers"`
	Routes  []RouteReport `json:"routes"` // the hottest first
	Limiter *LimiterState `json:"limiter,omitempty"`
	Advice  []Advice      `json:"advice"`
	// Decisions are the latest entries of the ledger, each with the rule and the counters it rests on.
	Decisions []evidence.Entry `json:"decisions"`
}

// Totals are the counts of an application, as Stats gives them.
type Totals struct {
	Routes     int     `json:"routes"`
	Requests   uint64  `json:"requests"`
	Errors     uint64  `json:"errors"` // 5xx
	Hits       uint64  `json:"hits"`   // answers from memory
	Answers    int     `json:"answers"`
	Bytes      int64   `json:"bytes"` // that they take
	Begun      int     `json:"begun"` // trials
	Kept       int     `json:"kept"`
	Undone     int     `json:"undone"`
	Refused    uint64  `json:"refused"` // by the limiter
	Rate       float64 `json:"rate"`    // requests per second, lately
	InFlight   int64   `json:"inFlight"`
	Remembered int     `json:"remembered"` // routes whose answers are kept
	Steps      uint64  `json:"steps"`
	Enabled    bool    `json:"enabled"`
}

// LayerReport is one of the five layers, with what it does in this program.
type LayerReport struct {
	Name string `json:"name"`
	What string `json:"what"`
}

// RouteReport is a route, or a variant of one.
type RouteReport struct {
	Route       string           `json:"route"`
	Criticality string           `json:"criticality"`
	Source      string           `json:"source,omitempty"`
	Heat        float64          `json:"heat"` // seconds of work, halving every minute
	Rate        float64          `json:"rate"`
	Requests    uint64           `json:"requests"`
	Errors      uint64           `json:"errors"`
	NotFound    uint64           `json:"notFound"`
	Refusals    uint64           `json:"clientErrors"`
	Aborted     uint64           `json:"aborted"`
	Bytes       uint64           `json:"bytes"`
	InFlight    int64            `json:"inFlight"`
	P50         time.Duration    `json:"p50"` // nanoseconds, since the start
	P95         time.Duration    `json:"p95"`
	P99         time.Duration    `json:"p99"`
	Methods     []MethodReport   `json:"methods,omitempty"`
	Memory      MemoryReport     `json:"memory"`
	Order       *OrderReport     `json:"order,omitempty"`
	Encoder     string           `json:"encoder"`
	Forecasts   []ForecastReport `json:"forecasts,omitempty"`
	Spike       float64          `json:"spike"` // z-score of the last rate
	Curve       []point          `json:"curve,omitempty"`
	Notes       []Note           `json:"notes,omitempty"`
}

// MethodReport is a route's requests with one method.
type MethodReport struct {
	Method   string        `json:"method"`
	Requests uint64        `json:"requests"`
	P50      time.Duration `json:"p50"`
	P95      time.Duration `json:"p95"`
	P99      time.Duration `json:"p99"`
}

// MemoryReport is what is remembered of a route.
type MemoryReport struct {
	Phase    string        `json:"phase"` // watching, proving, on trial, kept, off, never
	Why      string        `json:"why,omitempty"`
	Until    time.Time     `json:"until,omitzero"`
	Hits     uint64        `json:"hits"`
	Misses   uint64        `json:"misses"`
	Waited   uint64        `json:"waited"` // for another request's answer
	Stale    uint64        `json:"stale"`
	Answers  int           `json:"answers"`
	TTL      time.Duration `json:"ttl"`
	Clean    uint64        `json:"clean"` // comparisons without a difference in this phase
	Gain     float64       `json:"gain"`  // share of the time saved, by the trial
	Slots    int           `json:"slots,omitempty"`
	Refusals []Count       `json:"refusals,omitempty"` // why answers were not kept
}

// Count is how often something happened.
type Count struct {
	What  string `json:"what"`
	Times uint64 `json:"times"`
}

// OrderReport is the order of the middleware that may move.
type OrderReport struct {
	Order   string  `json:"order"`
	OnTrial string  `json:"onTrial,omitempty"`
	Asked   int     `json:"asked"` // requests of which all were asked
	Cost    float64 `json:"cost"`  // nanoseconds a request, expected
	Why     string  `json:"why,omitempty"`
}

// ForecastReport is a forecast of a route.
type ForecastReport struct {
	Of    string            `json:"of"` // rate, or latency as the logarithm of nanoseconds
	Ahead time.Duration     `json:"ahead"`
	Value evidence.Forecast `json:"value"`
}

// LimiterState is the limiter as it is.
type LimiterState struct {
	Limit    float64          `json:"limit"`
	InFlight int64            `json:"inFlight"`
	Cuts     int              `json:"cuts"`
	Undone   int              `json:"undone"`
	Refused  map[string]int64 `json:"refused"` // by criticality
}

// Advice is what a person could do.
type Advice struct {
	Route    string `json:"route"`
	Evidence string `json:"evidence"`
	Gain     string `json:"gain"`
	Do       string `json:"do"`
}

// Report returns the state of the engine.
func (e *Engine) Report() *Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &Report{
		App: e.app.Name(), At: e.app.Clock().Now(), Since: e.started, State: e.state(), Totals: e.totals(),
		Layers: e.layers(), Decisions: slices.Clone(e.decisions),
	}
	for _, w := range e.all() {
		r.Routes = append(r.Routes, e.reportRoute(w, r.At))
	}
	slices.SortStableFunc(r.Routes, func(a, b RouteReport) int { return cmp.Compare(b.Heat, a.Heat) })
	if l := e.limit; l != nil {
		state := &LimiterState{Limit: l.limit, InFlight: l.inFlight.Load(), Cuts: l.cuts, Undone: l.undone, Refused: map[string]int64{}}
		for i := range l.refused {
			state.Refused[ishaa.Level(i).String()] = int64(l.refused[i].Load())
		}
		r.Limiter = state
	}
	r.Advice = advise(r)
	return r
}

// Stats returns the counts of the application.
func (e *Engine) Stats() Totals {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.totals()
}

func (e *Engine) state() string {
	switch why := e.broken.Load(); {
	case why != nil:
		return "gave up: " + *why
	case e.off.Load():
		return "off"
	}
	return "on"
}

func (e *Engine) totals() Totals {
	t := Totals{Enabled: !e.off.Load(), Steps: e.steps, Begun: e.trials.begun, Kept: e.trials.kept, Undone: e.trials.undone}
	t.Answers, t.Bytes = e.shelf.state()
	for _, w := range e.all() {
		if w.route != nil {
			t.Routes++
		}
		all := w.snapshot()
		t.Requests += all.Requests()
		t.Errors += all.ServerErrors
		t.Hits += w.cached.Load()
		t.Refused += w.refused.Load()
		t.Rate += w.s.last.rate
		t.InFlight += w.inFlight.Load()
		if w.s.phase == keeping {
			t.Remembered++
		}
	}
	return t
}

func (e *Engine) layers() []LayerReport {
	say := func(off bool, what string) string {
		if off {
			return "off by the options"
		}
		return what
	}
	return []LayerReport{
		{"Observation", fmt.Sprintf("latency, rate, errors and heat of %d routes, one record a request", len(e.all())-1)},
		{"Decision", fmt.Sprintf("every %v; %d trials begun, %d kept, %d undone; order of middleware: %s", e.options.OptimizeInterval,
			e.trials.begun, e.trials.kept, e.trials.undone, say(e.options.NoMiddlewareReorder, "where neighbours commute"))},
		{"Prediction", say(e.options.NoPredictor, fmt.Sprintf("of the %d hottest routes, one, five and thirty minutes ahead", e.options.HotRouteSlots))},
		{"Execution", "memory: " + say(e.options.NoAutoMemoize, "through four gates") + "; limiter: " + say(e.options.NoLimiter, "by the gradient of latency") +
			"; encoders: compiled for the output type of each typed route when the program starts; static paths: found in one step by the router"},
		{"Reporting", "Report, PrintReport, Stats, Explain; a ledger of decisions that can be replayed"},
	}
}

func (e *Engine) reportRoute(w *watched, now time.Time) RouteReport {
	all, s := w.snapshot(), &w.s
	r := RouteReport{
		Route: w.name, Criticality: w.level.String(), Heat: s.heat, Rate: s.last.rate, Requests: all.Requests(), Errors: all.ServerErrors,
		NotFound: w.notFound.Load(), Refusals: all.ClientErrors, Aborted: w.aborted.Load(), Bytes: all.Bytes, InFlight: w.inFlight.Load(),
		P50: all.Latency.Quantile(.5), P95: all.Latency.Quantile(.95), P99: all.Latency.Quantile(.99),
		Curve: slices.Clone(s.curve), Notes: slices.Clone(e.notes[w.name]), Memory: e.reportMemory(w, now), Encoder: "by the value's type",
	}
	if w.route != nil {
		r.Source = w.route.Source()
		if w.route.Output() != nil {
			r.Encoder = "compiled for " + w.route.Output().String()
		}
	}
	for i := range w.methods {
		if w.active.Load()&(1<<i) != 0 {
			m := w.methods[i].Snapshot()
			r.Methods = append(r.Methods, MethodReport{methodNames[i], m.Requests(), m.Latency.Quantile(.5), m.Latency.Quantile(.95), m.Latency.Quantile(.99)})
		}
	}
	if w.prober != nil {
		seen, asked := w.prober.evidence(s.order.now)
		choice, _ := planOrder(orderRule{worthwhile}, seen)
		r.Order = &OrderReport{Order: w.prober.names(s.order.now), Asked: asked, Cost: choice.Before, Why: s.order.why}
		if s.order.tried != nil {
			r.Order.OnTrial = w.prober.names(s.order.tried)
		}
	}
	if p := e.predictor; p != nil && p.series[w] != nil {
		v := p.series[w]
		r.Spike = v.z()
		for _, ahead := range horizons {
			if f, ok := v.rate.At(p.ahead(ahead)); ok {
				r.Forecasts = append(r.Forecasts, ForecastReport{"rate", ahead, f})
			}
			if f, ok := v.latency.At(p.ahead(ahead)); ok {
				r.Forecasts = append(r.Forecasts, ForecastReport{"latency", ahead, f})
			}
		}
	}
	return r
}

func (e *Engine) reportMemory(w *watched, now time.Time) MemoryReport {
	s := &w.s
	if w.memo == nil {
		return MemoryReport{Phase: "never", Why: w.why}
	}
	c := &w.memo.counts
	leaves, _ := w.memo.trie.state()
	r := MemoryReport{
		Phase: s.phase.String(), Why: s.why, Hits: c.hits.Load(), Misses: c.misses.Load(), Waited: c.waited.Load(), Stale: c.stale.Load(),
		Answers: leaves, TTL: time.Duration(w.memo.ttl.Load()), Clean: c.clean.Load() + c.renewed.Load(), Gain: s.gain, Refusals: w.memo.refusals(),
	}
	switch {
	case s.forever:
		r.Phase = "never"
	case s.phase == watching && now.Before(s.until):
		r.Phase, r.Until = "off", s.until
	}
	if s.plan != nil && s.plan.slots != nil {
		r.Slots = len(s.plan.slots.paths)
	}
	return r
}

// advise says what a person could do about the routes where most time goes.
func advise(r *Report) []Advice {
	list := []Advice{}
	var heat float64
	for _, route := range r.Routes {
		heat += route.Heat
	}
	for _, route := range r.Routes {
		share := 0.0
		if heat > 0 {
			share = route.Heat / heat
		}
		add := func(seen, gain, do string) { list = append(list, Advice{route.Route, seen, gain, do}) }
		if route.Errors*50 > route.Requests && route.Requests >= minRequests {
			add(fmt.Sprintf("%d of %d requests end in a server error", route.Errors, route.Requests), "a route that fails is not remembered", "look into the log for its errors")
		}
		for _, refusal := range route.Memory.Refusals {
			if share < .05 || refusal.Times < minRequests || route.Memory.Hits > refusal.Times {
				break
			}
			gain := fmt.Sprintf("up to the %.0f %% of all work that go there", 100*share)
			switch {
			case strings.Contains(refusal.What, "raw request"):
				add(fmt.Sprintf("%s (%d answers)", refusal.What, refusal.Times), gain, "read it by the methods of ishaa.Request, or declare sare.Vary(…) on the route")
			case strings.Contains(refusal.What, "who asks"):
				add(fmt.Sprintf("%s (%d answers)", refusal.What, refusal.Times), gain, "give what is the same for everybody a route of its own")
			case strings.Contains(refusal.What, "beside its answer"):
				add(fmt.Sprintf("%s (%d answers)", refusal.What, refusal.Times), gain, "move what is handed on into middleware, which runs for answers from memory too")
			case strings.Contains(refusal.What, "8 inputs"), strings.Contains(refusal.What, "256 bytes"):
				add(fmt.Sprintf("%s (%d answers)", refusal.What, refusal.Times), gain, "have it read fewer or shorter inputs")
			}
			break
		}
		if share >= .05 && strings.Contains(route.Memory.Why, "no write that the engine could see") {
			add(route.Memory.Why, fmt.Sprintf("up to the %.0f %% of all work that go there", 100*share), "report the writes by effect.Wrote, as package orm does")
		}
	}
	return list
}

// Explain says of a route what was tried, what was seen, what was decided and why. The route is given by its name, its
// pattern or as reports write it; one that is not known is an error that lists those that are.
func (e *Engine) Explain(route string) (*Explanation, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var names []string
	for _, w := range e.all() {
		names = append(names, w.name)
		if w.name != route && (w.route == nil || w.route.Name() != route && w.route.Pattern() != route) || route == "" {
			continue
		}
		x := &Explanation{RouteReport: e.reportRoute(w, e.app.Clock().Now())}
		for _, entry := range e.decisions {
			if strings.HasPrefix(entry.Subject, w.name) && entry.Rule != nil {
				x.Decisions = append(x.Decisions, entry)
			}
		}
		return x, nil
	}
	return nil, fmt.Errorf("sare: Explain: there is no route %q; there are %s", route, strings.Join(names, ", "))
}

// Explanation is all that the engine knows of a route.
type Explanation struct {
	RouteReport
	Decisions []evidence.Entry `json:"decisions"`
}

// String tells it in words.
func (x *Explanation) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n", x.Route)
	fmt.Fprintf(&out, "  %d requests, %.1f a second lately; p50 %v, p95 %v, p99 %v; %d server errors\n", x.Requests, x.Rate, x.P50, x.P95, x.P99, x.Errors)
	m := x.Memory
	fmt.Fprintf(&out, "  memory: %s", m.Phase)
	if m.Why != "" {
		fmt.Fprintf(&out, " (%s)", m.Why)
	}
	fmt.Fprintf(&out, "; %d hits, %d misses, %d answers kept for %v, %d comparisons without a difference\n", m.Hits, m.Misses, m.Answers, m.TTL, m.Clean)
	for _, refusal := range m.Refusals {
		fmt.Fprintf(&out, "    not kept %d times: %s\n", refusal.Times, refusal.What)
	}
	if x.Order != nil {
		fmt.Fprintf(&out, "  order: %s; %d requests asked, %.0f ns a request\n", x.Order.Order, x.Order.Asked, x.Order.Cost)
	}
	fmt.Fprintf(&out, "  encoder: %s\n", x.Encoder)
	for _, note := range x.Notes {
		fmt.Fprintf(&out, "  %s  %s\n", note.At.UTC().Format(time.DateTime), note.What)
	}
	for _, entry := range x.Decisions {
		var said struct{ Outcome, Reason string }
		_ = json.Unmarshal(entry.Outcome, &said) // an outcome of another shape is shown by its kind
		fmt.Fprintf(&out, "  decision %d, %s: %s (%s)\n", entry.Seq, entry.Kind, said.Outcome, said.Reason)
	}
	return out.String()
}

// PrintReport writes the report as text, to standard error or to the first writer given.
func (e *Engine) PrintReport(to ...io.Writer) {
	var out io.Writer = os.Stderr
	if len(to) > 0 {
		out = to[0]
	}
	r := e.Report()
	t := r.Totals
	fmt.Fprintf(out, "SARE %s: %s; %d requests, %.1f a second, %d errors; %d from memory (%d answers, %d KiB)\n",
		r.App, r.State, t.Requests, t.Rate, t.Errors, t.Hits, t.Answers, t.Bytes/1024)
	for _, l := range r.Layers {
		fmt.Fprintf(out, "  %-12s %s\n", l.Name, l.What)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ROUTE\tHEAT\tRATE\tP50\tP95\tP99\tERRORS\tMEMORY\tHITS")
	for _, route := range r.Routes {
		if route.Requests == 0 {
			continue
		}
		fmt.Fprintf(table, "%s\t%.2f\t%.1f/s\t%v\t%v\t%v\t%d\t%s\t%d\n", route.Route, route.Heat, route.Rate, route.P50.Round(time.Microsecond),
			route.P95.Round(time.Microsecond), route.P99.Round(time.Microsecond), route.Errors, route.Memory.Phase, route.Memory.Hits)
	}
	_ = table.Flush() // as for any print
	for _, a := range r.Advice {
		fmt.Fprintf(out, "  %s: %s. Gain: %s. %s.\n", a.Route, a.Evidence, a.Gain, a.Do)
	}
}

// Ledger returns the latest decisions, which Replay decides again.
func (e *Engine) Ledger() []evidence.Entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.decisions)
}
