// Package prometheus counts an application's requests for Prometheus.
//
//	app := ishaa.New("shop")
//	metrics := prometheus.New(prometheus.Options{})
//	app.Install(metrics)
//	metrics.Serve(app, "/metrics", prometheus.Local()) // scraped by an agent on this machine
//	app.Run()
//
// What it measures:
//
//	http_requests_total              counter, by method, route, status and variant
//	http_request_duration_seconds    histogram, by method and route: from the request's head to the last byte
//	http_response_size_bytes         histogram, by method and route: of the body as sent
//	http_requests_in_flight          gauge
//	http_requests_aborted_total      counter, by method and route: answers that could not be sent whole
//	http_requests_remembered_total   counter, by method and route: answers from memory (see ishaa.Request.MarkCached)
//
// The route is its pattern, never the path, and "" for requests that match none. A method that no route names is
// "_OTHER". So clients cannot make time series.
package prometheus

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/labels"
	"github.com/ishaa-framework/ishaa/internal/localonly"
)

// Options are what New may be told. The zero value is a good default.
type Options struct {
	// Registry is where the metrics are registered and what Serve answers with. The default is one of New's own, with
	// the collectors for the Go runtime and the process.
	Registry *prometheus.Registry
	// Labels are added to every metric, such as {"service": "shop"}: they tell applications of one registry apart.
	Labels prometheus.Labels
	// DurationBuckets are the upper bounds of the histogram of durations, in seconds; the default is 1 ms to 10 s.
	DurationBuckets []float64
	// SizeBuckets are those of the histogram of sizes, in bytes; the default is 256 B to 16 MiB.
	SizeBuckets []float64
}

var (
	defaultDurations = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	defaultSizes     = prometheus.ExponentialBuckets(256, 4, 9)
)

// Metrics measures the requests of an application. It is a plugin and an ishaa.Observer.
type Metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	sizes      *prometheus.HistogramVec
	inFlight   prometheus.Gauge
	aborted    *prometheus.CounterVec
	remembered *prometheus.CounterVec
}

var _ ishaa.Observer = (*Metrics)(nil)

// New makes the metrics and registers them. It panics where the registry refuses: when it has metrics of these names and
// labels already, or when the options do not make metrics.
func New(options Options) *Metrics {
	registry := options.Registry
	if registry == nil {
		registry = prometheus.NewRegistry()
		registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	if options.DurationBuckets == nil {
		options.DurationBuckets = defaultDurations
	}
	if options.SizeBuckets == nil {
		options.SizeBuckets = defaultSizes
	}
	counter := func(name, help string, by ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: options.Labels}, by)
	}
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help, ConstLabels: options.Labels, Buckets: buckets,
		}, []string{"method", "route"})
	}
	m := &Metrics{
		registry:   registry,
		requests:   counter("http_requests_total", "Requests answered.", "method", "route", "status", "variant"),
		durations:  histogram("http_request_duration_seconds", "Time from a request's head to the last byte of its answer.", options.DurationBuckets),
		sizes:      histogram("http_response_size_bytes", "Bytes of the body as sent.", options.SizeBuckets),
		inFlight:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "http_requests_in_flight", Help: "Requests being answered now.", ConstLabels: options.Labels}),
		aborted:    counter("http_requests_aborted_total", "Answers that could not be sent whole.", "method", "route"),
		remembered: counter("http_requests_remembered_total", "Answers that were remembered, not computed.", "method", "route"),
	}
	for _, metric := range []prometheus.Collector{m.requests, m.durations, m.sizes, m.inFlight, m.aborted, m.remembered} {
		if err := registry.Register(metric); err != nil {
			panic(fmt.Sprintf("prometheus.New: %v; applications of one registry need Labels that tell them apart", err))
		}
	}
	return m
}

// Install has the application's requests measured. It does not serve the metrics: see Serve.
func (m *Metrics) Install(app *ishaa.App) error {
	app.Observe(m)
	app.Use(ishaa.Std(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			m.inFlight.Inc()
			defer m.inFlight.Dec()
			next.ServeHTTP(w, raw)
		})
	}))
	return nil
}

// Observe measures one request.
func (m *Metrics) Observe(route *ishaa.Route, outcome ishaa.Outcome) {
	method, pattern := labels.Method(route, outcome.Request.Method()), labels.Route(route)
	m.requests.WithLabelValues(method, pattern, strconv.Itoa(outcome.Status), outcome.Variant).Inc()
	m.durations.WithLabelValues(method, pattern).Observe(outcome.Duration.Seconds())
	m.sizes.WithLabelValues(method, pattern).Observe(float64(outcome.Bytes))
	if outcome.Aborted {
		m.aborted.WithLabelValues(method, pattern).Inc()
	}
	if outcome.Cached {
		m.remembered.WithLabelValues(method, pattern).Inc()
	}
}

// Handler answers with the registry's metrics. It is for programs that have a server of their own for such things; Serve
// is for an application's routes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Serve answers a pattern, usually "/metrics", with the registry's metrics, behind guards: options that bring middleware,
// such as Local or a login. Without such a guard it panics: metrics tell strangers how a program is doing.
func (m *Metrics) Serve(app *ishaa.App, pattern string, guards ...ishaa.RouteOption) *ishaa.Route {
	handler := m.Handler()
	route := app.Get(pattern, func(*ishaa.Request) (any, error) { return ishaa.Serve(handler), nil }, guards...)
	if len(route.OwnMiddleware()) == 0 {
		panic(fmt.Sprintf("%s: metrics at %q need a guard that brings middleware: prometheus.Local() for an agent on this machine, or a login", route.Source(), pattern))
	}
	return route
}

// Local is a guard that lets through only clients on this machine that ask by a loopback name, and nobody who comes
// through a proxy.
func Local() ishaa.RouteOption { return localonly.Guard() }
