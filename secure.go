package ishaa

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/internal/fieldline"
	"github.com/ishaa-framework/ishaa/internal/inside"
	"github.com/ishaa-framework/ishaa/internal/secure"
	"github.com/ishaa-framework/ishaa/internal/textlog"
)

// The secure defaults: what New brings without being asked. Each has a name, is
// replaced by middleware of that name, and can be taken away by Without.

// Names of the secure defaults.
const (
	DefaultRecover         = "recover"          // panics are logged and answered by 500
	DefaultRequestID       = "request-id"       // X-Request-Id on answers and in the log
	DefaultAccessLog       = "access-log"       // one record per request
	DefaultSecurityHeaders = "security-headers" // CSP, nosniff, Referrer-Policy, COOP, HSTS over TLS
	DefaultCSRF            = "csrf"             // cross-origin POST, PUT, PATCH and DELETE refused
	DefaultBodyLimit       = "body-limit"       // Config.BodyLimit
)

// secureDefault is one of them, in the order they run.
type secureDefault struct {
	Middleware
	replaced bool
	removed  bool
	remove   func(*App) // what else goes with it
	keep     func(*App) // instead of remove, when middleware of its name adds to it
}

func secureDefaults(a *App) []secureDefault {
	a.recovers = true
	log := &accessLog{}
	a.Observe(log)
	headers := must(secure.NewHeaders(secure.HeaderOptions{}))
	lines := fieldline.OfHeaders(headers)
	a.crossOrigin = must(secure.NewCrossOrigin(secure.CrossOriginOptions{}))
	return []secureDefault{
		{
			Middleware: Middleware{Name: DefaultRecover},
			remove:     func(a *App) { a.recovers = false }, keep: func(a *App) { a.recovers = true },
		},
		{Middleware: Middleware{Name: DefaultRequestID, Before: assignRequestID}},
		{Middleware: Middleware{Name: DefaultAccessLog}, remove: func(a *App) {
			a.observers.remove(func(o Observer) bool { return o == Observer(log) })
		}},
		{Middleware: Middleware{Name: DefaultSecurityHeaders, After: func(r *Request, res *Response) error {
			tls := r.scheme() == "https"
			if res.addLines(inside.SecurityHeaders, lines.For(tls)) {
				return nil
			}
			if header, maybe := res.headerFor(inside.SecurityHeaders); maybe {
				headers.Apply(header, tls)
			} else {
				headers.Set(header, tls)
			}
			return nil
		}}},
		{Middleware: Middleware{Name: DefaultCSRF, Commutes: true, Before: func(r *Request) (any, error) {
			return nil, checkOrigin(r)
		}}},
		{Middleware: Middleware{Name: DefaultBodyLimit}, remove: func(a *App) { a.config.BodyLimit = maxBodyLimit }},
	}
}

// maxBodyLimit stands for no limit.
const maxBodyLimit = 1 << 62

// must is for values that cannot fail: the defaults, which tests cover.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func checkOrigin(r *Request) error {
	raw := r.raw
	if host := r.host(); host != raw.Host {
		// A trusted proxy was asked for another host than it asks us for.
		raw = &http.Request{Method: raw.Method, URL: raw.URL, Host: host, Header: raw.Header}
	}
	if err := r.route.app.crossOrigin.Check(raw, r.scheme() == "https"); err != nil && !r.route.trusts(r) {
		return Forbidden("the request comes from another origin, which may not change anything here").Wrap(err)
	}
	return nil
}

// trusts reports whether some middleware of the route welcomes the request from
// another origin.
func (rt *Route) trusts(r *Request) bool {
	welcomes := func(m Middleware) bool { return m.Trusts != nil && m.Trusts(r) }
	return slices.ContainsFunc(rt.shared(), welcomes) || slices.ContainsFunc(rt.middleware, welcomes)
}

// assignRequestID names the request. An id that the client sends counts only
// when a trusted proxy passed it on.
func assignRequestID(r *Request) (any, error) {
	id := ""
	if proxies := r.route.app.proxies; proxies != nil && proxies.Trusts(r.peer().Addr()) {
		id = r.raw.Header.Get("X-Request-Id")
	}
	if secure.ValidRequestID(id) {
		r.requestID = &[1]string{id}
	} else {
		r.requestID = secure.NewRequestIDValue()
	}
	if !r.res.addValue("X-Request-Id", r.requestID) {
		r.res.headers()["X-Request-Id"] = r.requestID[:]
	}
	return nil, nil
}

// Without takes secure defaults away, by name. Start says so in the log, because
// it is a decision that a reader of the log should know of. An unknown name stops
// the program.
func (a *App) Without(names ...string) {
	a.mustBeOpen("Without")
	for _, name := range names {
		if !a.removeDefault(name) {
			known := map[string]bool{}
			for _, d := range a.defaults {
				known[d.Name] = true
			}
			panic(callerOutside() + ": Without(\"" + name + "\"): there is no secure default of that name" + suggest(name, known))
		}
	}
}

func (a *App) removeDefault(name string) bool {
	for i := range a.defaults {
		d := &a.defaults[i]
		if d.Name == name {
			d.removed = true
			if d.remove != nil && !d.replaced {
				d.remove(a)
			}
			return true
		}
	}
	return false
}

// replaceDefault puts middleware in the place of the default that has its name.
func (a *App) replaceDefault(m Middleware) bool {
	for i := range a.defaults {
		d := &a.defaults[i]
		if d.Name != m.Name {
			continue
		}
		switch {
		case d.keep != nil:
			d.keep(a)
		case d.remove != nil && !d.replaced && !d.removed:
			d.remove(a)
		}
		d.Middleware, d.replaced, d.removed = m.ready(), d.keep == nil, false
		return true
	}
	return false
}

// effectiveMiddleware is what is left of the defaults, then what Use added, all within what "ishaa run --reload" needs.
func (a *App) effectiveMiddleware() []Middleware {
	list := make([]Middleware, 0, 1+len(a.defaults)+len(a.middleware))
	if build := a.reloading(); build != "" {
		list = append(list, Middleware{Name: "live-reload", After: addReloadScript(build)})
	}
	for _, d := range a.defaults {
		if !d.removed && (d.Before != nil || d.After != nil || d.Around != nil) {
			list = append(list, d.Middleware)
		}
	}
	return append(list, a.middleware...)
}

// warnRemoved logs the defaults that are off.
func (a *App) warnRemoved() {
	for _, d := range a.defaults {
		if d.removed {
			a.logger.Warn("secure default removed", "app", a.life.name, "default", d.Name)
		}
	}
}

// accessLog writes one record per request.
type accessLog struct{}

// Observe logs at the level Info, or Warn for a 5xx.
func (*accessLog) Observe(_ *Route, outcome Outcome) {
	level := slog.LevelInfo
	if outcome.Status >= 500 {
		level = slog.LevelWarn
	}
	outcome.Request.logRequest(textlog.Request{
		Time: outcome.Request.route.app.logTime(outcome.at), Level: level, Message: "request", Sent: true,
		Status: outcome.Status, Bytes: outcome.Bytes, Duration: outcome.Duration,
		Variant: outcome.Variant, Aborted: outcome.Aborted,
	})
}

// logRequest writes a record about the request. Everything that a client chose
// is escaped; query strings, which carry secrets, are left out.
//
// It speaks to the handler itself: a Logger would look up its caller, which is always
// this line.
func (r *Request) logRequest(record textlog.Request) {
	handler := r.route.app.logger.Handler()
	if !handler.Enabled(r.parent(), record.Level) {
		return
	}
	if record.Time.IsZero() {
		record.Time = time.Now()
	}
	record.Method, record.Path = secure.LogText(r.raw.Method), secure.LogText(r.raw.URL.Path)
	record.Route, record.ID, record.Client = r.route.Pattern(), r.ID(), r.clientText()
	_ = record.Write(r.parent(), handler) // there is nobody to tell, as for a Logger
}

// logTime is the time of a record, given what the application's clock said just now.
func (a *App) logTime(now time.Time) time.Time {
	if _, system := a.clock.(systemClock); system {
		return now
	}
	return time.Now()
}

// clientText is the client's address as the log has it, or "". That of an IPv4 peer
// stands in the raw request in the same form.
func (r *Request) clientText() string {
	client := r.client()
	switch remote := r.raw.RemoteAddr; {
	case !client.IsValid():
		return ""
	case r.route.app.proxies == nil && (r.rare == nil || !r.rare.client.IsValid()) && client.Addr().Is4() && remote[0] != '[':
		return remote[:strings.LastIndexByte(remote, ':')]
	}
	return client.Addr().String()
}

// TrustOrigins lets other origins, such as "https://admin.example.com", send
// requests that change something. It has no effect on middleware that replaces
// the default.
func (a *App) TrustOrigins(origins ...string) {
	a.mustBeOpen("TrustOrigins")
	a.origins = append(a.origins, origins...)
	cross, err := secure.NewCrossOrigin(secure.CrossOriginOptions{TrustedOrigins: a.origins})
	if err != nil {
		panic(callerOutside() + ": TrustOrigins: " + err.Error())
	}
	a.crossOrigin = cross
}
