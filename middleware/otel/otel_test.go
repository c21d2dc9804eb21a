package otel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware/otel"
)

func newApp() *ishaa.App {
	return ishaa.New("test", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
}

// traced is an application and the spans of its requests.
func traced(t testing.TB, options otel.Options) (*ishaa.App, *tracetest.SpanRecorder) {
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	t.Cleanup(func() {
		if err := provider.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	options.TracerProvider = provider
	app := newApp()
	app.Install(otel.New(options))
	return app, spans
}

func do(app *ishaa.App, method, target string, header ...string) *httptest.ResponseRecorder {
	raw := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		raw.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	func() {
		defer func() {
			if cause := recover(); cause != nil && cause != http.ErrAbortHandler {
				panic(cause)
			}
		}()
		app.ServeHTTP(w, raw)
	}()
	return w
}

func Example() {
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	app := newApp()
	app.Install(otel.New(otel.Options{TracerProvider: provider}))
	app.Get("/users/<int:id>", func(r *ishaa.Request) (any, error) {
		_, span := provider.Tracer("shop").Start(r.Context(), "load user")
		defer span.End()
		return "hello", nil
	})
	app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/users/7", nil))
	for _, span := range spans.Ended() {
		fmt.Println(span.Name())
	}
	// Output:
	// load user
	// GET /users/<int:id>
}

// attributesOf gives a span's attributes as text.
func attributesOf(list []attribute.KeyValue) map[string]string {
	values := map[string]string{}
	for _, pair := range list {
		values[string(pair.Key)] = pair.Value.String()
	}
	return values
}

func TestSpans(t *testing.T) {
	app, spans := traced(t, otel.Options{})
	first := ishaa.SelectorFunc(func(*ishaa.Request, *ishaa.Route) int { return 0 })
	text := func(*ishaa.Request) (any, error) { return ishaa.Text("hello"), nil }
	app.Get("/users/<int:id>", text)
	app.Get("/two", text, ishaa.Variant("side", "a"), ishaa.SelectBy(first))
	app.Get("/two", text, ishaa.Variant("side", "b"))
	app.Get("/tenant", text, ishaa.Host("<tenant>.example.com"))
	app.Any("/any", func(r *ishaa.Request) (any, error) { r.MarkCached(); return nil, nil })
	app.Get("/fails", func(*ishaa.Request) (any, error) { return nil, errors.New("no database") })
	app.Get("/panics", func(*ishaa.Request) (any, error) { panic("no") })
	app.Get("/missing", func(*ishaa.Request) (any, error) { return nil, ishaa.NotFound("no album") })
	app.Get("/aborts", func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			_, _ = io.WriteString(w, "half")
			return errors.New("no more")
		}), nil
	})
	for _, c := range []struct {
		method, target, name string
		failed               bool
		exception            string
		attributes           map[string]string // "" is absent
	}{
		{"GET", "http://shop.example:8080/users/7?token=hunter2", "GET /users/<int:id>", false, "", map[string]string{
			"http.request.method": "GET", "http.route": "/users/<int:id>", "url.path": "/users/7", "url.scheme": "http", "url.query": "",
			"server.address": "shop.example", "server.port": "8080", "client.address": "192.0.2.1", "user_agent.original": "tester",
			"http.response.status_code": "200", "http.response.body.size": "5", "error.type": "", "ishaa.variant": "",
		}},
		{"GET", "https://shop.example/two", "GET /two", false, "", map[string]string{
			"url.scheme": "https", "server.address": "shop.example", "server.port": "", "ishaa.variant": "a",
		}},
		{"GET", "http://x.example.com/tenant", "GET <tenant>.example.com/tenant", false, "", nil},
		{"XYZZY", "/any", "HTTP /any", false, "", map[string]string{
			"http.request.method": "_OTHER", "http.request.method_original": "XYZZY", "ishaa.remembered": "true", "http.response.status_code": "204",
		}},
		{"GET", "/fails", "GET /fails", true, "no database", map[string]string{"http.response.status_code": "500", "error.type": "500"}},
		{"GET", "/panics", "GET /panics", true, "panic: no", map[string]string{"http.response.status_code": "500", "error.type": "500"}},
		{"GET", "/aborts", "GET /aborts", true, "", map[string]string{"http.response.status_code": "200", "error.type": "aborted"}},
		{"GET", "/missing", "GET /missing", false, "", map[string]string{"http.response.status_code": "404", "error.type": ""}},
		{"GET", "/nowhere/%ff", "GET", false, "", map[string]string{"http.route": "", "url.path": "/nowhere/\ufffd"}},
		{"POST", "/fails", "POST", false, "", map[string]string{"http.route": "", "http.response.status_code": "405"}},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			spans.Reset()
			do(app, c.method, c.target, "User-Agent", "tester")
			ended := spans.Ended()
			if len(ended) != 1 || len(spans.Started()) != 1 {
				t.Fatalf("%d spans, %d ended", len(spans.Started()), len(ended))
			}
			span := ended[0]
			if span.Name() != c.name || span.SpanKind() != trace.SpanKindServer {
				t.Errorf("span %q of kind %s, want %q", span.Name(), span.SpanKind(), c.name)
			}
			if failed := span.Status().Code == codes.Error; failed != c.failed {
				t.Errorf("status %v, want an error: %t", span.Status(), c.failed)
			}
			got := attributesOf(span.Attributes())
			for name, want := range c.attributes {
				if got[name] != want {
					t.Errorf("attribute %s is %q, want %q", name, got[name], want)
				}
			}
			exception := ""
			for _, event := range span.Events() {
				exception = attributesOf(event.Attributes)["exception.message"]
			}
			if exception != c.exception {
				t.Errorf("the recorded error is %q, want %q", exception, c.exception)
			}
			if all := fmt.Sprint(got); strings.Contains(all, "hunter2") {
				t.Errorf("the query is in the span: %s", all)
			}
		})
	}
}

const (
	callerTrace = "0af7651916cd43dd8448eb211c80319c"
	callerSpan  = "b7ad6b7169203331"
	traceparent = "00-" + callerTrace + "-" + callerSpan + "-01"
)

func TestPropagation(t *testing.T) {
	for _, c := range []struct {
		name, traceparent string
		public            bool
		joined, linked    bool
		baggage           string
	}{
		{"no caller", "", false, false, false, "7"},
		{"a caller", traceparent, false, true, false, "7"},
		{"a caller that makes no sense", "00-zz-" + callerSpan + "-01", false, false, false, "7"},
		{"a caller of zeros", "00-00000000000000000000000000000000-0000000000000000-01", false, false, false, "7"},
		{"a stranger", traceparent, true, false, true, ""},
		{"a stranger without a trace", "", true, false, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			app, spans := traced(t, otel.Options{Public: c.public})
			var seen trace.SpanContext
			carried := ""
			app.Get("/", func(r *ishaa.Request) (any, error) {
				seen = trace.SpanContextFromContext(r.Context())
				carried = baggage.FromContext(r.Context()).Member("user").Value()
				return nil, nil
			})
			header := []string{"baggage", "user=7"}
			if c.traceparent != "" {
				header = append(header, "traceparent", c.traceparent)
			}
			do(app, "GET", "/", header...)
			span := spans.Ended()[0]
			if !seen.Equal(span.SpanContext()) {
				t.Errorf("the handler is in %v, the span is %v", seen, span.SpanContext())
			}
			if joined := span.SpanContext().TraceID().String() == callerTrace && span.Parent().SpanID().String() == callerSpan; joined != c.joined {
				t.Errorf("the span %v under %v is in the caller's trace: %t, want %t", span.SpanContext(), span.Parent(), joined, c.joined)
			}
			linked := len(span.Links()) == 1 && span.Links()[0].SpanContext.TraceID().String() == callerTrace
			if linked != c.linked {
				t.Errorf("links %v, want the caller's: %t", span.Links(), c.linked)
			}
			if carried != c.baggage {
				t.Errorf("baggage %q, want %q", carried, c.baggage)
			}
		})
	}
}

func TestSkip(t *testing.T) {
	app, spans := traced(t, otel.Options{Skip: func(route *ishaa.Route) bool { return strings.HasPrefix(route.Pattern(), "/-/") }})
	app.Install(ishaa.Health(nil))
	app.Get("/", func(*ishaa.Request) (any, error) { return nil, nil })
	do(app, "GET", "/-/live")
	do(app, "GET", "/")
	if ended := spans.Ended(); len(ended) != 1 || ended[0].Name() != "GET /" {
		t.Errorf("spans %v", ended)
	}
}

func TestMetrics(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	defer meters.Shutdown(context.Background())
	app, _ := traced(t, otel.Options{MeterProvider: meters})
	app.Get("/users/<int:id>", func(*ishaa.Request) (any, error) { return ishaa.Text("hello"), nil })
	app.Get("/fails", func(*ishaa.Request) (any, error) { return nil, errors.New("no") })
	for _, target := range []string{"/users/1", "/users/2", "/fails", "/nowhere/1", "/nowhere/2"} {
		do(app, "GET", target)
	}
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &collected); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range collected.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Histogram[float64]:
			for _, point := range data.DataPoints {
				lines = append(lines, fmt.Sprint(m.Name, " ", m.Unit, " ", point.Count, " ", attributesOf(point.Attributes.ToSlice())))
			}
		case metricdata.Histogram[int64]:
			for _, point := range data.DataPoints {
				lines = append(lines, fmt.Sprint(m.Name, " ", m.Unit, " ", point.Count, " ", point.Sum > 0))
			}
		}
	}
	slices.Sort(lines)
	want := []string{
		"http.server.request.duration s 1 map[error.type:500 http.request.method:GET http.response.status_code:500 http.route:/fails url.scheme:http]",
		"http.server.request.duration s 2 map[http.request.method:GET http.response.status_code:200 http.route:/users/<int:id> url.scheme:http]",
		"http.server.request.duration s 2 map[http.request.method:GET http.response.status_code:404 url.scheme:http]",
		"http.server.response.body.size By 1 true", "http.server.response.body.size By 2 true", "http.server.response.body.size By 2 true",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("metrics\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// A handler that makes spans of its own has not looked at who asks: engines may still remember its answers.
func TestSpansAreNoInput(t *testing.T) {
	app, spans := traced(t, otel.Options{})
	var inputs []string
	app.Get("/", func(r *ishaa.Request) (any, error) {
		r.Trace(func(in ishaa.Input, _ string) { inputs = append(inputs, in.Kind.String()) })
		_, span := trace.SpanFromContext(r.Context()).TracerProvider().Tracer("shop").Start(r.Context(), "inner")
		span.End()
		r.Query("q")
		return nil, nil
	})
	do(app, "GET", "/", "traceparent", traceparent)
	if slices.Contains(inputs, "identity") || !slices.Contains(inputs, "query") {
		t.Errorf("the handler read %v", inputs)
	}
	if ended := spans.Ended(); len(ended) != 2 || ended[0].Parent().SpanID() != ended[1].SpanContext().SpanID() {
		t.Errorf("spans %v", ended)
	}
}

func BenchmarkRequest(b *testing.B) {
	provider := sdktrace.NewTracerProvider()
	defer provider.Shutdown(b.Context())
	app := newApp()
	app.Install(otel.New(otel.Options{TracerProvider: provider}))
	app.Get("/users/<int:id>", func(*ishaa.Request) (any, error) { return nil, nil })
	raw := httptest.NewRequest("GET", "/users/7", nil)
	b.ReportAllocs()
	for b.Loop() {
		app.ServeHTTP(httptest.NewRecorder(), raw)
	}
}
