package middleware

import (
	"log/slog"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// AccessLogOptions are the settings of AccessLog. The zero value is what the
// secure default does.
type AccessLogOptions struct {
	// Logger takes the records; default the application's.
	Logger *slog.Logger

	// Skip leaves requests out, such as those of a health check. It is asked when the
	// answer was sent.
	Skip func(*ishaa.Request) bool

	// Attrs adds to each record. What a client chose is for the function to escape:
	// use strconv.Quote.
	Attrs func(*ishaa.Request) []slog.Attr
}

// AccessLog writes one record for each request when its answer was sent: method,
// path, route, request id, client, status, bytes and duration, at the level Info,
// or Warn for a 5xx. What a client chose is escaped; queries, which carry secrets,
// are left out. It replaces the secure default.
func AccessLog(options AccessLogOptions) ishaa.Middleware {
	return ishaa.Middleware{Name: ishaa.DefaultAccessLog, Before: func(r *ishaa.Request) (any, error) {
		logger := options.Logger
		if logger == nil {
			logger = r.App().Logger()
		}
		if !logger.Enabled(r.Context(), slog.LevelWarn) {
			return nil, nil
		}
		start := r.Time()
		r.OnSent(func() {
			if options.Skip != nil && options.Skip(r) {
				return
			}
			status, bytes, aborted := outcome(r)
			level := slog.LevelInfo
			if status >= 500 {
				level = slog.LevelWarn
			}
			if !logger.Enabled(r.Context(), level) {
				return
			}
			attrs := make([]slog.Attr, 0, 12)
			attrs = append(attrs, requestAttrs(r)...)
			attrs = append(attrs,
				slog.Int("status", status),
				slog.Int64("bytes", bytes),
				slog.Duration("duration", r.Time().Sub(start)),
			)
			if aborted {
				attrs = append(attrs, slog.Bool("aborted", true))
			}
			if options.Attrs != nil {
				attrs = append(attrs, options.Attrs(r)...)
			}
			logger.LogAttrs(r.Context(), level, "request", attrs...)
		})
		return nil, nil
	}}
}

// requestAttrs describes a request in a log, as the root package does.
func requestAttrs(r *ishaa.Request) []slog.Attr {
	attrs := append(make([]slog.Attr, 0, 5),
		slog.String("method", secure.LogText(r.Method())),
		slog.String("path", secure.LogText(r.Path())),
		slog.String("route", r.Route().Pattern()),
	)
	if id := requestID(r); id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	if client := Client(r); client.IsValid() {
		attrs = append(attrs, slog.String("client", client.Addr().String()))
	}
	return attrs
}
