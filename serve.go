package ishaa

import (
	"net/http"
	"strings"
	"time"

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
	r := &Request{app: a, raw: raw, writer: w, route: a.miss, bodyLimit: a.config.BodyLimit}
	r.res = &r.own
	r.own.header = w.Header()
	r.base = baseContext{raw.Context(), r}
	r.ctx = &r.base

	observers := a.observers.load()
	if observers == nil {
		a.respond(r)
		return
	}
	start := a.clock.Now()
	var outcome Outcome
	defer func() {
		outcome.Duration = a.clock.Now().Sub(start)
		for _, observer := range observers {
			observer.Observe(r.route, outcome)
		}
	}()
	outcome.Request = r
	outcome.Status = http.StatusInternalServerError // unless respond gets to its end
	outcome.Aborted = true
	sent := a.respond(r)
	outcome.Status, outcome.Bytes, outcome.Aborted = sent.status, sent.bytes, sent.failed
	outcome.Variant, outcome.Cached = r.route.variantName, r.cached
}

// respond finds the route, runs its chain and sends the answer.
func (a *App) respond(r *Request) (sent sending) {
	defer r.finish()
	if a.recovers {
		defer func() {
			if cause := recover(); cause != nil {
				sent = r.recovered(cause)
			}
		}()
	}
	route := a.find(r)
	if route != nil {
		r.route = route
		if route.bodyLimit > 0 {
			r.bodyLimit = route.bodyLimit
		}
	}
	value, err := r.route.chain.Load().run(r)
	return r.send(r.answer(value, err))
}

func (a *App) find(r *Request) *Route {
	raw := r.raw
	if len(raw.URL.RawQuery) > maxQueryPairs && strings.Count(raw.URL.RawQuery, "&") >= maxQueryPairs {
		return nil
	}
	if raw.Method == "TRACE" || raw.Method == "CONNECT" {
		return nil
	}
	return a.table.find(raw.Method, raw.Host, wirePath(raw), &r.params)
}

// wirePath is the path as the client escaped it.
func wirePath(raw *http.Request) string {
	u := raw.URL
	switch {
	case u.RawPath != "":
		return u.EscapedPath()
	case u.Path == "":
		return "/"
	case strings.Contains(u.Path, "%"):
		return u.EscapedPath()
	}
	return u.Path
}

// answerMiss answers what no route matched: a path that cannot be right, OPTIONS,
// a method that the path does not have, a path that differs by its trailing slash
// from one that exists, and everything else.
func answerMiss(r *Request) (any, error) {
	raw := r.raw
	if strings.Count(raw.URL.RawQuery, "&") >= maxQueryPairs {
		return nil, BadRequest("the query has more than %d parameters", maxQueryPairs)
	}
	path := wirePath(raw)
	if path == "*" {
		return answerServerOptions(r)
	}
	if _, ok := tree.Canonical(path); !ok {
		return nil, BadRequest("the path is not valid: it has to be percent-encoded UTF-8 without NUL")
	}
	table := &r.app.table
	if methods := table.allowed(raw.Host, path); methods != nil {
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
	method := r.raw.Method
	params := r.params
	if route := r.app.table.find(method, r.raw.Host, twin, &params); route == nil || route.mounted && path != strings.TrimSuffix(twin, "/") {
		return "", false
	}
	if query := r.raw.URL.RawQuery; query != "" {
		twin += "?" + query
	}
	return twin, true
}

// methodText keeps an unknown method readable in a message.
func methodText(method string) string {
	if len(method) > 20 {
		method = method[:20] + "…"
	}
	return method
}

// finish runs what was promised for after the answer.
func (r *Request) finish() {
	if r.form != nil {
		r.form.close()
	}
	for _, fn := range r.onSent {
		fn()
	}
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
	Status   int           // as sent
	Bytes    int64         // of the body as sent, after compression
	Duration time.Duration // from the request's head to the last byte
	Variant  string        // the name of the variant that answered, or ""
	Cached   bool          // the handler did not run: see Request.MarkCached
	Aborted  bool          // the answer could not be sent whole
}

// Observe adds observers to the application, at any time.
func (a *App) Observe(list ...Observer) { a.observers.add(list...) }

// MarkCached says that the answer was remembered, not computed; observers see it.
func (r *Request) MarkCached() { r.cached = true }
