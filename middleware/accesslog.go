package middleware

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/inside"
	"github.com/ishaa-framework/ishaa/internal/secure"
	"github.com/ishaa-framework/ishaa/internal/textlog"
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
		if logger.Enabled(r.Context(), slog.LevelWarn) {
			start := r.Time()
			r.OnSent(func() { options.write(logger, r, start) })
		}
		return nil, nil
	}}
}

// write makes the record of a request whose answer was sent.
func (o *AccessLogOptions) write(logger *slog.Logger, r *ishaa.Request, start time.Time) {
	if o.Skip != nil && o.Skip(r) {
		return
	}
	done := outcome(r)
	level := slog.LevelInfo
	if done.Status >= 500 {
		level = slog.LevelWarn
	}
	ctx, handler := r.Context(), logger.Handler()
	if !handler.Enabled(ctx, level) {
		return
	}
	end := r.Time()
	record := textlog.Request{
		Time: inside.LogTime(r, end), Level: level, Message: "request",
		Method: secure.LogText(r.Method()), Path: secure.LogText(r.Path()), Route: r.Route().Pattern(), ID: r.ID(), Client: inside.ClientText(r),
		Sent: true, Status: done.Status, Bytes: done.Bytes, Duration: end.Sub(start),
		Variant: done.Variant, Aborted: done.Aborted,
	}
	if o.Attrs != nil {
		record.More = o.Attrs(r)
	}
	// To the handler itself: a Logger would look up its caller, which is always this
	// line.
	_ = record.Write(ctx, handler) // there is nobody to tell, as for a Logger
}

// outcome is what was sent. A connection that was cut by a panic leaves no status
// behind: then it is the one that was on its way.
func outcome(r *ishaa.Request) ishaa.Outcome {
	done := r.Outcome()
	if done.Status == 0 {
		done.Aborted = true
		if done.Status = r.Response().Status(); done.Status == 0 {
			done.Status = http.StatusInternalServerError
		}
	}
	return done
}
