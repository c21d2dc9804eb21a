// Package otel traces an application's requests with OpenTelemetry: one server span for each, after the semantic
// conventions for HTTP, within the trace of the caller when the request says so (traceparent, W3C Trace Context).
//
//	app := ishaa.New("shop")
//	app.Install(otel.New(otel.Options{TracerProvider: provider, MeterProvider: meters}))
//	app.Run()
//
// A span is named by method and route pattern, as "GET /users/<int:id>". Its attributes are the method, the route, path,
// scheme, host, client address, user agent and status; queries, which carry secrets, are left out. An answer of 500 or
// more makes it an error, with what the handler failed with; so does one that could not be sent whole.
//
// Handlers find the span in their context, so that what they call joins the trace.
package otel

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/labels"
)

// scope names this package among those that make spans.
const scope = "github.com/ishaa-framework/ishaa/middleware/otel"

// Options are what New may be told. The zero value is a good default.
type Options struct {
	// TracerProvider makes the tracer; the default is OpenTelemetry's global one.
	TracerProvider trace.TracerProvider
	// MeterProvider makes the metrics http.server.request.duration, in seconds, and http.server.response.body.size, in
	// bytes. The default is none.
	MeterProvider metric.MeterProvider
	// Propagator reads the caller's trace; the default reads traceparent, tracestate and baggage.
	Propagator propagation.TextMapPropagator
	// Public is for applications that anybody may call: a caller's trace is linked to instead of continued, so that
	// strangers neither choose trace ids nor decide what is sampled. Their baggage is ignored.
	Public bool
	// Skip leaves out the routes that it reports, such as those of health checks. It is asked when routes are compiled,
	// not for each request.
	Skip func(*ishaa.Route) bool
}

// Tracing is a plugin that traces the requests of one application.
type Tracing struct {
	options  Options
	tracer   trace.Tracer
	span     *ishaa.Key[trace.Span]
	duration metric.Float64Histogram
	size     metric.Int64Histogram
}

// New returns the plugin.
func New(options Options) *Tracing {
	if options.TracerProvider == nil {
		options.TracerProvider = otel.GetTracerProvider()
	}
	if options.Propagator == nil {
		options.Propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	}
	return &Tracing{
		options: options,
		tracer:  options.TracerProvider.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)),
		span:    ishaa.NewKey[trace.Span]("span"),
	}
}

// Install has the application's requests traced, those that no route matches too.
func (t *Tracing) Install(app *ishaa.App) error {
	if t.options.MeterProvider != nil {
		meter := t.options.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
		var err error
		t.duration, err = meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
			metric.WithDescription("Duration of HTTP server requests."),
			metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10))
		if err != nil {
			return err
		}
		t.size, err = meter.Int64Histogram("http.server.response.body.size", metric.WithUnit("By"),
			metric.WithDescription("Size of HTTP server response bodies."))
		if err != nil {
			return err
		}
	}
	app.Intercept(outermost{t})
	app.Observe(t)
	app.Plumbing(func(value any) bool { _, is := value.(trace.Span); return is })
	return nil
}

// outermost begins the span.
type outermost struct{ t *Tracing }

func (outermost) Layer() ishaa.Layer { return ishaa.Outermost }

func (o outermost) Intercept(route *ishaa.Route, next ishaa.Handler) ishaa.Handler {
	t := o.t
	if t.options.Skip != nil && t.options.Skip(route) {
		return next
	}
	return func(r *ishaa.Request) (any, error) {
		ctx, span := t.start(route, r)
		t.span.Set(r, span)
		r.SetContext(ctx)
		return next(r)
	}
}

func (t *Tracing) start(route *ishaa.Route, r *ishaa.Request) (context.Context, trace.Span) {
	method, pattern := labels.Method(route, r.Method()), labels.Route(route)
	name := method
	if method == labels.Other {
		name = "HTTP"
	}
	if pattern != "" {
		name += " " + pattern
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(t.attributes(method, pattern, r)...)}
	ctx := r.Context()
	caller := t.options.Propagator.Extract(ctx, headers{r})
	if !t.options.Public {
		ctx = caller
	} else if remote := trace.SpanContextFromContext(caller); remote.IsValid() {
		options = append(options, trace.WithNewRoot(), trace.WithLinks(trace.Link{SpanContext: remote}))
	}
	return t.tracer.Start(ctx, name, options...)
}

// attributes are those that are known before the handler runs, so that samplers can decide by them.
func (t *Tracing) attributes(method, pattern string, r *ishaa.Request) []attribute.KeyValue {
	list := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(method),
		semconv.URLScheme(r.Scheme()),
		semconv.URLPath(valid(r.Path())),
	}
	if method == labels.Other {
		list = append(list, semconv.HTTPRequestMethodOriginal(valid(r.Method())))
	}
	if pattern != "" {
		list = append(list, semconv.HTTPRoute(pattern))
	}
	if host, port, err := net.SplitHostPort(r.Host()); err == nil {
		list = append(list, semconv.ServerAddress(valid(host)))
		if number, err := strconv.Atoi(port); err == nil {
			list = append(list, semconv.ServerPort(number))
		}
	} else if r.Host() != "" {
		list = append(list, semconv.ServerAddress(valid(r.Host())))
	}
	if client := r.Client(); client.IsValid() {
		list = append(list, semconv.ClientAddress(client.Addr().String()))
	}
	if agent := r.Header("User-Agent"); agent != "" {
		list = append(list, semconv.UserAgentOriginal(valid(agent)))
	}
	return list
}

// valid makes what a client sent text that can be exported.
func valid(text string) string { return strings.ToValidUTF8(text, "\ufffd") }

// Observe ends the span.
func (t *Tracing) Observe(route *ishaa.Route, outcome ishaa.Outcome) {
	span, ok := t.span.Lookup(outcome.Request)
	if !ok {
		return
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(outcome.Status), semconv.HTTPResponseBodySize(int(outcome.Bytes)))
	if outcome.Variant != "" {
		span.SetAttributes(attribute.String("ishaa.variant", outcome.Variant))
	}
	if outcome.Cached {
		span.SetAttributes(attribute.Bool("ishaa.remembered", true))
	}
	failure := failureOf(outcome)
	if failure != "" {
		span.SetAttributes(semconv.ErrorTypeKey.String(failure))
		if err := outcome.Request.Failure(); err != nil {
			span.RecordError(err)
		}
		span.SetStatus(codes.Error, "") // the status code says it
	}
	t.measure(trace.ContextWithSpan(context.Background(), span), route, outcome, failure)
	span.End()
}

// failureOf is the error.type of an answer, "" for none: 4xx are the client's errors, not the server's.
func failureOf(outcome ishaa.Outcome) string {
	switch {
	case outcome.Status >= http.StatusInternalServerError:
		return strconv.Itoa(outcome.Status)
	case outcome.Aborted:
		return "aborted"
	}
	return ""
}

// measure records the metrics, with the span as their exemplar.
func (t *Tracing) measure(ctx context.Context, route *ishaa.Route, outcome ishaa.Outcome, failure string) {
	if t.duration == nil {
		return
	}
	list := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(labels.Method(route, outcome.Request.Method())),
		semconv.URLScheme(outcome.Request.Scheme()),
		semconv.HTTPResponseStatusCode(outcome.Status),
	}
	if pattern := labels.Route(route); pattern != "" {
		list = append(list, semconv.HTTPRoute(pattern))
	}
	if failure != "" {
		list = append(list, semconv.ErrorTypeKey.String(failure))
	}
	attributes := metric.WithAttributeSet(attribute.NewSet(list...))
	t.duration.Record(ctx, outcome.Duration.Seconds(), attributes)
	t.size.Record(ctx, outcome.Bytes, attributes)
}

// headers lets a propagator read a request.
type headers struct{ r *ishaa.Request }

var _ propagation.ValuesGetter = headers{}

func (h headers) Get(name string) string      { return h.r.Header(name) }
func (h headers) Values(name string) []string { return h.r.HeaderValues(name) }
func (h headers) Set(string, string)          {}
func (h headers) Keys() []string              { return nil }
