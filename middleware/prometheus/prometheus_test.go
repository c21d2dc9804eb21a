package prometheus_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware/prometheus"
)

func newApp() *ishaa.App {
	return ishaa.New("test", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
}

func Example() {
	app := newApp()
	metrics := prometheus.New(prometheus.Options{})
	app.Install(metrics)
	metrics.Serve(app, "/metrics", prometheus.Local())
	app.Get("/users/<int:id>", func(*ishaa.Request) (any, error) { return "hello", nil })
	for _, path := range []string{"/users/1", "/users/2"} {
		app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	raw := httptest.NewRequest("GET", "http://localhost:8000/metrics", nil)
	raw.RemoteAddr = "127.0.0.1:1000"
	w := httptest.NewRecorder()
	app.ServeHTTP(w, raw)
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "http_requests_total") {
			fmt.Print(line)
		}
	}
	// Output:
	// http_requests_total{method="GET",route="/users/<int:id>",status="200",variant=""} 2
}

// stepClock moves by a step whenever it is asked.
type stepClock struct {
	mu   sync.Mutex
	now  time.Time
	step time.Duration
}

func (c *stepClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(c.step)
	return c.now
}

func (c *stepClock) After(time.Duration) <-chan time.Time { return make(chan time.Time) }

func measured(t *testing.T) (*ishaa.App, *prometheus.Metrics, *client.Registry) {
	t.Helper()
	registry := client.NewRegistry()
	metrics := prometheus.New(prometheus.Options{
		Registry: registry, Labels: client.Labels{"service": "shop"}, DurationBuckets: []float64{.01, .1}, SizeBuckets: []float64{4, 100},
	})
	app := newApp()
	app.SetClock(&stepClock{now: time.Unix(0, 0), step: 50 * time.Millisecond})
	app.Install(metrics)
	return app, metrics, registry
}

func do(app *ishaa.App, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	func() {
		defer func() {
			if cause := recover(); cause != nil && cause != http.ErrAbortHandler {
				panic(cause)
			}
		}()
		app.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	}()
	return w
}

func TestMetrics(t *testing.T) {
	app, _, registry := measured(t)
	second := ishaa.SelectorFunc(func(*ishaa.Request, *ishaa.Route) int { return 1 })
	text := func(*ishaa.Request) (any, error) { return ishaa.Text("hello"), nil }
	app.Get("/users/<int:id>", text)
	app.Get("/two", text, ishaa.Variant("side", "a"), ishaa.SelectBy(second))
	app.Get("/two", text, ishaa.Variant("side", "b"))
	app.Any("/any", func(r *ishaa.Request) (any, error) { r.MarkCached(); return nil, nil })
	app.Get("/panics", func(*ishaa.Request) (any, error) { panic("no") })
	app.Get("/aborts", func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			_, _ = io.WriteString(w, "half")
			return fmt.Errorf("no more")
		}), nil
	})
	for _, request := range []string{
		"GET /users/1", "GET /users/2", "HEAD /users/3", "POST /users/4", "GET /two", "GET /any", "XYZZY /any", "GET /panics", "GET /aborts",
		"GET /nowhere", "GET /users/7/secret", "BREW /coffee",
	} {
		method, target, _ := strings.Cut(request, " ")
		do(app, method, target)
	}
	const want = `
# HELP http_requests_aborted_total Answers that could not be sent whole.
# TYPE http_requests_aborted_total counter
http_requests_aborted_total{method="GET",route="/aborts",service="shop"} 1
# HELP http_requests_in_flight Requests being answered now.
# TYPE http_requests_in_flight gauge
http_requests_in_flight{service="shop"} 0
# HELP http_requests_remembered_total Answers that were remembered, not computed.
# TYPE http_requests_remembered_total counter
http_requests_remembered_total{method="GET",route="/any",service="shop"} 1
http_requests_remembered_total{method="_OTHER",route="/any",service="shop"} 1
# HELP http_requests_total Requests answered.
# TYPE http_requests_total counter
http_requests_total{method="GET",route="",service="shop",status="404",variant=""} 2
http_requests_total{method="POST",route="",service="shop",status="405",variant=""} 1
http_requests_total{method="_OTHER",route="",service="shop",status="404",variant=""} 1
http_requests_total{method="GET",route="/any",service="shop",status="204",variant=""} 1
http_requests_total{method="_OTHER",route="/any",service="shop",status="204",variant=""} 1
http_requests_total{method="GET",route="/aborts",service="shop",status="200",variant=""} 1
http_requests_total{method="GET",route="/panics",service="shop",status="500",variant=""} 1
http_requests_total{method="GET",route="/two",service="shop",status="200",variant="b"} 1
http_requests_total{method="GET",route="/users/<int:id>",service="shop",status="200",variant=""} 2
http_requests_total{method="HEAD",route="/users/<int:id>",service="shop",status="200",variant=""} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want),
		"http_requests_total", "http_requests_aborted_total", "http_requests_remembered_total", "http_requests_in_flight"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

func TestHistograms(t *testing.T) {
	app, _, registry := measured(t)
	app.Get("/<text>", func(r *ishaa.Request) (any, error) { return ishaa.Text(r.Param("text")), nil })
	do(app, "GET", "/abc")
	do(app, "GET", "/abcdef")
	const want = `
# HELP http_request_duration_seconds Time from a request's head to the last byte of its answer.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{method="GET",route="/<text>",service="shop",le="0.01"} 0
http_request_duration_seconds_bucket{method="GET",route="/<text>",service="shop",le="0.1"} 2
http_request_duration_seconds_bucket{method="GET",route="/<text>",service="shop",le="+Inf"} 2
http_request_duration_seconds_sum{method="GET",route="/<text>",service="shop"} 0.1
http_request_duration_seconds_count{method="GET",route="/<text>",service="shop"} 2
# HELP http_response_size_bytes Bytes of the body as sent.
# TYPE http_response_size_bytes histogram
http_response_size_bytes_bucket{method="GET",route="/<text>",service="shop",le="4"} 1
http_response_size_bytes_bucket{method="GET",route="/<text>",service="shop",le="100"} 2
http_response_size_bytes_bucket{method="GET",route="/<text>",service="shop",le="+Inf"} 2
http_response_size_bytes_sum{method="GET",route="/<text>",service="shop"} 9
http_response_size_bytes_count{method="GET",route="/<text>",service="shop"} 2
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "http_request_duration_seconds", "http_response_size_bytes"); err != nil {
		t.Error(err)
	}
}

func TestInFlight(t *testing.T) {
	app, _, registry := measured(t)
	gauge := func() float64 {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			if family.GetName() == "http_requests_in_flight" {
				return family.GetMetric()[0].GetGauge().GetValue()
			}
		}
		t.Fatal("no gauge")
		return 0
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	app.Get("/", func(*ishaa.Request) (any, error) {
		entered <- struct{}{}
		<-leave
		panic(http.ErrAbortHandler)
	})
	if err := app.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for n := 1; n <= 3; n++ {
		group.Go(func() { do(app, "GET", "/") })
		<-entered
		if got := gauge(); got != float64(n) {
			t.Errorf("%g requests in flight, want %d", got, n)
		}
	}
	close(leave)
	group.Wait()
	if got := gauge(); got != 0 {
		t.Errorf("%g requests in flight after the end", got)
	}
}

// What clients make up makes no time series.
func TestSeriesAreBounded(t *testing.T) {
	app, _, registry := measured(t)
	app.Any("/<path:p>", func(*ishaa.Request) (any, error) { return nil, nil })
	app.Get("/", func(*ishaa.Request) (any, error) { return nil, nil }, ishaa.Host("<tenant>.example.com"))
	for i := range 1000 {
		do(app, fmt.Sprintf("M%d", i), fmt.Sprintf("http://t%d.example.com/%d?q=%d", i, i, i))
		do(app, "GET", fmt.Sprintf("http://t%d.example.com/", i))
		do(app, "GET", fmt.Sprintf("http://h%d/%%2e%%2e/%d", i, i))
	}
	if count, err := testutil.GatherAndCount(registry, "http_requests_total"); err != nil || count > 4 {
		t.Errorf("%d series, %v", count, err)
	}
}

func TestMetricsAreServedOnRequestOnly(t *testing.T) {
	app, metrics, _ := measured(t)
	if w := do(app, "GET", "/metrics"); w.Code != 404 {
		t.Errorf("without Serve: %d", w.Code)
	}
	for name, guards := range map[string][]ishaa.RouteOption{"no guard": nil, "an option that is no guard": {ishaa.Name("metrics")}} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if message := fmt.Sprint(recover()); !strings.Contains(message, "prometheus_test.go:") || !strings.Contains(message, "need a guard") {
					t.Errorf("Serve: %s", message)
				}
			}()
			metrics.Serve(newApp(), "/metrics", guards...)
		})
	}
	guarded := newApp()
	metrics.Serve(guarded, "/internal/metrics", prometheus.Local())
	if w := do(guarded, "GET", "/internal/metrics"); w.Code != 403 {
		t.Errorf("a stranger gets %d", w.Code)
	}
	w := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "http_requests_in_flight") {
		t.Errorf("Handler: %d %s", w.Code, w.Body)
	}
}

// Two applications may share a registry when labels tell them apart.
func TestTwoApplications(t *testing.T) {
	registry := client.NewRegistry()
	prometheus.New(prometheus.Options{Registry: registry, Labels: client.Labels{"service": "a"}})
	prometheus.New(prometheus.Options{Registry: registry, Labels: client.Labels{"service": "b"}})
	defer func() {
		if message := fmt.Sprint(recover()); !strings.Contains(message, "Labels") {
			t.Errorf("New: %s", message)
		}
	}()
	prometheus.New(prometheus.Options{Registry: registry, Labels: client.Labels{"service": "a"}})
}

func BenchmarkObserve(b *testing.B) {
	app := newApp()
	app.Without(ishaa.DefaultAccessLog)
	metrics := prometheus.New(prometheus.Options{})
	var last ishaa.Outcome
	route := app.Get("/users/<int:id>", func(*ishaa.Request) (any, error) { return nil, nil })
	app.Observe(observer(func(_ *ishaa.Route, outcome ishaa.Outcome) { last = outcome }))
	do(app, "GET", "/users/1")
	b.ReportAllocs()
	for b.Loop() {
		metrics.Observe(route, last)
	}
}

type observer func(*ishaa.Route, ishaa.Outcome)

func (f observer) Observe(route *ishaa.Route, outcome ishaa.Outcome) { f(route, outcome) }
