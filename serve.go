package ishaa

import (
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/tree"
)

// maxQueryPairs is how many parameters a query may have. A longer one is a 400
// before anything parses it.
const maxQueryPairs = 1000

// ServeHTTP answers a request. The first call starts the application if nothing
// has; if that fails, every request is answered by 503 and the log says why.
func (a *App) ServeHTTP(w http.ResponseWriter, raw *http.Request) {
	entry := a.entry.Load()
	if entry == nil {
		entry = a.startOnDemand()
	}
	(*entry).ServeHTTP(w, raw)
}

// serve is the inside of ServeHTTP, within the net/http middleware that Use(Std)
// added.
func (a *App) serve(w http.ResponseWriter, raw *http.Request) {
	r := &Request{raw: raw, given: raw, writer: w, route: a.miss, bodyLimit: a.config.BodyLimit}
	r.res = &r.own
	r.own.from(w)

	observers := a.observers.load()
	if observers == nil {
		a.respond(r)
		r.own.head = nil // the next request's from here on
		return
	}
	start := a.clock.Now()
	returned := false
	var sent sending
	defer func() {
		if !returned {
			sent = r.brokenOff()
		}
		end := a.clock.Now()
		outcome := Outcome{
			Request: r, Status: sent.status, Bytes: sent.bytes, Aborted: sent.failed,
			Duration: end.Sub(start), Variant: r.route.variantName, Cached: r.cached, at: end,
		}
		for _, observer := range observers {
			observer.Observe(r.route, outcome)
		}
		r.own.head = nil
	}()
	sent = a.respond(r)
	returned = true
}

// brokenOff is how far an answer got that a panic ended.
func (r *Request) brokenOff() sending {
	if r.rare != nil && r.rare.cut != nil {
		return *r.rare.cut
	}
	return sending{status: http.StatusInternalServerError, failed: true}
}

// respond finds the route, runs its chain and sends the answer.
func (a *App) respond(r *Request) (sent sending) {
	defer r.finish()
	if a.recovers {
		defer func() {
			if cause := recover(); cause != nil {
				sent = r.recovered(cause)
				if r.rare != nil {
					r.rare.sent = sent
				}
			}
		}()
	}
	if route := a.find(r); route != nil {
		r.enter(route)
	} else {
		r.route = a.missFor(r)
	}
	value, err := r.route.chain.Load().run(r)
	sent = r.send(r.answer(value, err))
	if r.rare != nil {
		r.rare.sent = sent
	}
	return sent
}

// missFor returns the route that answers when none matches: for a path that has
// other methods that of their blueprint, whose hooks and error pages then apply, so
// that its CORS answers preflights; else the application's.
func (a *App) missFor(r *Request) *Route {
	path := wirePath(r.raw)
	for _, method := range a.table.allowed(r, path) {
		var params tree.Params
		if route := a.table.find(r, method, path, &params); route != nil {
			return route.group.miss
		}
	}
	return a.miss
}

// enter makes a route the one that answers.
func (r *Request) enter(route *Route) {
	r.route = route
	if route.bodyLimit > 0 && !r.guarded && (r.rare == nil || !r.rare.bodyRead) {
		r.bodyLimit = route.bodyLimit
	}
}

func (a *App) find(r *Request) *Route {
	raw := r.raw
	if tooManyPairs(raw.URL.RawQuery) || raw.Method == "TRACE" || raw.Method == "CONNECT" {
		return nil
	}
	return a.table.find(r, raw.Method, wirePath(raw), &r.params)
}

func tooManyPairs(query string) bool {
	return len(query) >= maxQueryPairs && strings.Count(query, "&") >= maxQueryPairs
}

// wirePath is the path as the client escaped it. It is "" for a request target
// that has none, such as "mailto:x".
func wirePath(raw *http.Request) string {
	u := raw.URL
	switch {
	case u.RawPath != "":
		// Not EscapedPath alone: for a path with a byte that ought to have been escaped
		// it starts from the decoded path, and an escaped slash would become a slash.
		if decoded, err := url.PathUnescape(u.RawPath); err == nil && decoded == u.Path {
			return u.RawPath
		}
		return u.EscapedPath()
	case u.Opaque != "":
		return ""
	case u.Path == "":
		return "/"
	case strings.Contains(u.Path, "%"):
		return u.EscapedPath()
	}
	return u.Path
}

// locationPath makes a path from wirePath fit for a Location header: what is
// escaped stays, and everything that is no part of a path in a URL — a backslash,
// which browsers take for a slash, a "?", a line break — is escaped.
func locationPath(path string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(path) {
		switch c := path[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("/%-._~!$&'()*+,;=:@", c) >= 0:
			out.WriteByte(c)
		default:
			out.WriteByte('%')
			out.WriteByte(hex[c>>4])
			out.WriteByte(hex[c&15])
		}
	}
	return out.String()
}

// answerMiss answers what no route matched: a path that cannot be right, OPTIONS,
// a method that the path does not have, a path that differs by its trailing slash
// from one that exists, and everything else.
func answerMiss(r *Request) (any, error) {
	raw := r.raw
	if tooManyPairs(raw.URL.RawQuery) {
		return nil, BadRequest("the query has more than %d parameters", maxQueryPairs)
	}
	path := wirePath(raw)
	if path == "*" {
		return answerServerOptions(r)
	}
	if _, ok := tree.Canonical(path); path == "" || !ok && !hasNUL(path) {
		return nil, BadRequest("the path is not valid: it has to be percent-encoded UTF-8")
	}
	table := &r.route.app.table
	if methods := table.allowed(r, path); methods != nil {
		r.res.Header().Set("Allow", strings.Join(methods, ", "))
		if raw.Method == http.MethodOptions {
			return nil, nil
		}
		return nil, StatusError(http.StatusMethodNotAllowed, "%s is not one of %s", methodText(raw.Method), strings.Join(methods, ", "))
	}
	if target, ok := trailingSlashTwin(r, path); ok {
		return Redirect(target).WithStatus(http.StatusPermanentRedirect), nil
	}
	return nil, NotFound("there is nothing at this address")
}

// hasNUL reports a path that is well-formed (RFC 3986 §2.1) and text, but has a NUL, so
// that it is the address of nothing.
func hasNUL(path string) bool {
	text, err := url.PathUnescape(path)
	return err == nil && utf8.ValidString(text) && strings.Contains(text, "\x00")
}

// answerServerOptions answers OPTIONS *, which asks about the server as a whole
// (RFC 9110 §9.3.7).
func answerServerOptions(r *Request) (any, error) {
	if r.raw.Method != http.MethodOptions {
		return nil, BadRequest("only OPTIONS may ask for *")
	}
	return nil, nil
}

// trailingSlashTwin finds the registered path that differs only by a final slash.
// A path that could be read as another host never gets here: "//" matches nothing.
func trailingSlashTwin(r *Request, path string) (string, bool) {
	twin := path + "/"
	if strings.HasSuffix(path, "/") {
		twin = strings.TrimSuffix(path, "/")
	}
	if twin == "" || strings.HasPrefix(twin, "//") {
		return "", false
	}
	var params tree.Params
	if r.route.app.table.find(r, r.raw.Method, twin, &params) == nil {
		return "", false
	}
	target := locationPath(twin)
	if query := r.raw.URL.RawQuery; query != "" {
		target += "?" + strings.ReplaceAll(query, "#", "%23")
	}
	return target, true
}

// methodText keeps an unknown method readable in a message.
func methodText(method string) string {
	if len(method) > 20 {
		method = method[:20] + "…"
	}
	return method
}

// finish runs what was promised for after the answer: all of it, even when some
// of it panics.
func (r *Request) finish() {
	rare := r.rare
	if rare == nil {
		return
	}
	// Only what was resolved after the answer was built is still open here.
	if err := r.closeDependencies(nil, false); err != nil {
		r.logFailure(err)
	}
	if rare.form != nil {
		rare.form.close()
	}
	if rare.sent.status == 0 && !r.shadow {
		rare.sent = r.brokenOff()
	}
	for _, fn := range rare.onSent {
		r.callSent(fn)
	}
}

func (r *Request) callSent(fn func()) {
	if r.route.app.recovers {
		defer func() {
			if cause := recover(); cause != nil {
				r.logFailure(&PanicError{cause, debug.Stack()})
			}
		}()
	}
	fn()
}

// recovered answers a panic that no inner guard caught: one in a Before hook, in
// an interceptor or while the answer was written.
func (r *Request) recovered(cause any) sending {
	if cause == http.ErrAbortHandler {
		panic(cause) // the handler's way of cutting the connection
	}
	err := panicked(cause)
	if r.taken {
		r.logFailure(err)
		panic(http.ErrAbortHandler) // part of the answer is out: cut it visibly
	}
	r.answerError(r.res, err)
	return r.send(r.res)
}

// Observer is told of every request once it is answered, 404 and 405 too.
// Observers run one after another on the request's goroutine and must be quick.
type Observer interface {
	Observe(route *Route, outcome Outcome)
}

// Outcome is what became of a request.
type Outcome struct {
	Request  *Request
	Status   int           // as sent; 500 when the connection was cut before any was
	Bytes    int64         // of the body as sent, after compression
	Duration time.Duration // from the request's head to the last byte
	Variant  string        // the name of the variant that answered, or ""
	Cached   bool          // the handler did not run: see Request.MarkCached
	Aborted  bool          // the answer could not be sent whole

	at time.Time // when it was over, by the application's clock
}

// Observe adds observers to the application, at any time.
func (a *App) Observe(list ...Observer) { a.observers.add(list...) }

// MarkCached says that the answer was remembered, not computed; observers see it.
func (r *Request) MarkCached() { r.cached = true }
