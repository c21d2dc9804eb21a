package cache

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/httpcache"
)

// Rule is what Cached was told, as an annotation on the route.
type Rule struct {
	TTL   time.Duration
	Stale time.Duration
	Tags  []string
}

// RuleOf finds the Rule of a route.
var RuleOf = ishaa.NewAnnotation[Rule]("cache rule")

// Cached is a route option that remembers what the route answers to GET and HEAD,
// for ttl or, if that is 0, Options.DefaultTTL.
//
// The handler is watched while it runs, and what it reads of the request is the key:
// two requests share an answer if they agree in all of that. Parameters of the query
// that nobody reads, and their order, make no difference; the host does if the
// handler asks for it. Headers that the handler reads, or names in Vary, are part of
// the key and are added to the answer's Vary. A HEAD is answered from a GET's answer.
//
// Never kept is the answer of a handler that reads who asks: a cookie, the session,
// Authorization, the client's address, the request's id, an ishaa.Key or context
// value that is not traced, a dependency made of those, the raw request, or a body.
// So is one that sets a cookie, streams, returns an error, has a status that caches
// do not keep, or says Cache-Control: private, no-store or no-cache, or Vary: *. A
// request with Authorization is answered as if there were no cache.
//
// Guards and other middleware belong before Cached: what stands after it is part of
// what is remembered, and does not run for an answer from memory; nor are the values
// of Keys there that the handler had set for hooks further out. A handler that tells
// people apart by other means than its request must not be Cached.
//
// An answer counts for ttl at most, and for less if its own s-maxage, max-age or
// Expires says so. Of a request, no-store, no-cache, max-age, min-fresh and
// only-if-cached count (RFC 9111). Answers have Age, and an ETag made of their
// content if they came without, for which If-None-Match gives 304.
//
// Requests that miss the same answer at once run the handler once. Tag and Stale
// work as they do for values.
func (c *Cache) Cached(ttl time.Duration, options ...Option) ishaa.RouteOption {
	r := newRule(options)
	fresh, _ := c.lifetime(ttl, r)
	return ishaa.Options(
		RuleOf.On(Rule{TTL: fresh, Stale: r.stale, Tags: r.tags}),
		ishaa.Middleware{Name: "cache", Around: func(next ishaa.Handler) ishaa.Handler {
			return (&answers{Cache: c, rule: r, ttl: fresh, next: next}).handle
		}},
	)
}

// answers is one Cached route.
type answers struct {
	*Cache
	rule rule
	ttl  time.Duration
	next ishaa.Handler
}

// handle answers from memory, or runs the handler.
func (a *answers) handle(r *ishaa.Request) (any, error) {
	// An engine further out that remembers answers by what was read would see nothing of
	// what an answer from memory depends on. This one input has it keep off.
	r.Client()
	want := httpcache.DemandsOf(r.HeaderValues("Cache-Control"), r.HeaderValues("Pragma"))
	method := r.Method()
	if method != http.MethodGet && method != http.MethodHead || want.Bypass ||
		len(r.HeaderValues("Authorization")) > 0 || effect.Shadow(r.Context()) || a.closed.Load() {
		return a.next(r)
	}
	ri := a.inputsOf(r.Context(), r.App(), r.Route())
	// Twice: of a route of which nothing is known yet, the first answer only tells what
	// it depends on.
	for range 2 {
		place, digest, ok := "", [32]byte{}, true
		flightKey := ri.id
		if list := ri.list.Load(); list != nil {
			if place, digest, ok = a.key(r, ri, *list); !ok {
				return a.next(r)
			}
			if value := a.recall(r, ri, place, digest, want); value != nil {
				return value, nil
			}
			flightKey = string(digest[:])
		}
		if want.Only {
			return nil, ishaa.StatusError(http.StatusGatewayTimeout, "the answer is not in the cache, and the request asks for nothing else")
		}
		if want.Reload || a.isAlone(flightKey) {
			break
		}
		f, first := a.Cache.answers.join(flightKey)
		if first {
			// Another flight may have landed since this request looked.
			if place == "" && ri.list.Load() != nil {
				a.Cache.answers.land(flightKey, f, nil)
				continue // it is known now what the answer depends on
			}
			if place != "" {
				if value := a.recall(r, ri, place, digest, want); value != nil {
					a.Cache.answers.land(flightKey, f, nil)
					return value, nil
				}
			}
			return a.lead(r, ri, flightKey, f)
		}
		if e := f.wait(r); e != nil {
			if _, now, ok := a.key(r, ri, *ri.list.Load()); ok {
				if made := e.answer(now); made != nil {
					r.MarkCached()
					return kept{made, a.age(e)}, nil
				}
			}
		}
		if place != "" {
			if value := a.recall(r, ri, place, digest, want); value != nil {
				return value, nil
			}
			break
		}
	}
	value, _, err := a.compute(r, ri)
	return value, err
}

// recall answers from memory if there is something that the request is content with.
func (a *answers) recall(r *ishaa.Request, ri *routeInputs, place string, digest [32]byte, want httpcache.Demands) any {
	if want.Reload {
		return nil
	}
	e, _ := a.find(r.Context(), place)
	found := e.answer(digest)
	if found == nil {
		return nil
	}
	age := a.age(e)
	if want.MaxAge >= 0 && age >= want.MaxAge && (want.MaxAge == 0 || age > want.MaxAge) {
		return nil
	}
	if now := a.now().UnixMilli(); now+want.Spare.Milliseconds() >= e.fresh {
		if want.Spare > 0 || want.MaxAge >= 0 {
			return nil
		}
		a.refreshAnswer(r, ri, string(digest[:]))
	}
	r.MarkCached()
	return kept{found, age}
}

func (c *Cache) age(e *entry) time.Duration {
	return max(0, time.Duration(c.now().UnixMilli()-e.stored)*time.Millisecond)
}

// lead runs the handler for all who ask the same at this time.
func (a *answers) lead(r *ishaa.Request, ri *routeInputs, flightKey string, f *answerFlight) (value any, err error) {
	var e *entry
	finished := false
	defer func() {
		if finished && e == nil && err == nil {
			until := a.now().Add(aloneTime).UnixMilli()
			a.alone.Set(flightKey, until)
			if _, digest, ok := a.key(r, ri, *ri.list.Load()); ok { // what the next such request will look for
				a.alone.Set(string(digest[:]), until)
			}
		}
		a.Cache.answers.land(flightKey, f, e)
	}()
	value, e, err = a.compute(r, ri)
	finished = true
	return value, err
}

// aloneTime is for how long requests do not wait for an answer of a kind that was
// not kept: each would wait in vain.
const aloneTime = 5 * time.Second

func (c *Cache) isAlone(flightKey string) bool {
	until, ok := c.alone.GetIfPresent(flightKey)
	return ok && c.now().UnixMilli() < until
}

// compute runs the handler and keeps its answer if that may be. The entry is nil if
// it was not kept.
func (a *answers) compute(r *ishaa.Request, ri *routeInputs) (any, *entry, error) {
	versions, agreed := a.versions(r.Context(), a.rule.tags) // before the handler reads anything
	log := &readLog{}
	r.Trace(log.note)
	rendered, value, err := r.Capture(a.next)
	reads, private := log.end() // the trace itself goes on, as one further out may
	if errors.Is(err, ishaa.ErrStreamed) {
		ri.learn(nil, keepNothing)
		return value, nil, nil
	}
	if err != nil {
		return value, nil, err
	}
	// Where an engine answered in the handler's place nobody has seen what it went by,
	// nor what an error page was chosen by.
	if private || r.Outcome().Cached || r.Failure() != nil {
		ri.learn(nil, keepNothing)
		return value, nil, nil
	}
	e, made := a.keep(r, ri, rendered, reads, versions, agreed)
	if e == nil {
		ri.learn(nil, keepNothing)
		return value, nil, nil
	}
	return kept{made, -1}, e, nil
}

// keep makes an entry of an answer, unless the answer says that it is not to be kept.
func (a *answers) keep(r *ishaa.Request, ri *routeInputs, rendered *ishaa.Rendered, reads []ishaa.Input, versions []version, agreed bool) (*entry, *answer) {
	header := rendered.Header()
	now := a.now()
	fresh, strict := httpcache.Freshness(rendered.Status(), header, now, a.ttl)
	varies, ok := httpcache.VaryNames(header)
	if fresh <= 0 || !ok || len(rendered.Bytes()) > a.options.MaxValue {
		return nil, nil
	}
	for _, in := range reads {
		if in.Kind == ishaa.InputHeader && !slices.Contains(varies, in.Name) && !transportHeader(in.Name) {
			varies = append(varies, in.Name)
			header.Add("Vary", in.Name)
		}
	}
	for _, name := range varies {
		if identityHeader(name) {
			return nil, nil
		}
		if in := (ishaa.Input{Kind: ishaa.InputHeader, Name: name}); !slices.Contains(reads, in) {
			reads = append(reads, in)
		}
	}
	for _, name := range []string{"Age", "Connection", "Keep-Alive", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length"} {
		delete(header, name)
	}
	made := &answer{status: rendered.Status(), header: header, body: rendered.Bytes()}
	made.addETag()
	keptFor := fresh
	if !strict {
		keptFor = min(fresh+a.rule.stale, MaxTTL)
	}
	var e *entry
	var place string
	list, grown, _ := ri.learn(reads, func(list []ishaa.Input) {
		var comparable bool
		if place, made.digest, comparable = a.key(r, ri, list); comparable {
			e = newEntry(kindAnswer, made.append(nil), now, fresh, keptFor, versions)
			a.keepNear(place, e, a.changes[group(place)].Load())
		}
	})
	if e == nil || len(e.data) > a.options.MaxValue {
		return nil, nil
	}
	if agreed {
		a.keepFar(r.Context(), ri, place, e, list, grown)
	}
	return e, made
}

// keepFar keeps an answer in the store.
func (a *answers) keepFar(ctx context.Context, ri *routeInputs, place string, e *entry, list []ishaa.Input, grown bool) {
	if a.far == nil || ri.alone {
		return
	}
	if grown {
		a.teachOthers(ctx, ri)
	}
	for _, in := range list {
		if !portable(in) {
			return
		}
	}
	_ = a.askFar(ctx, func(ctx context.Context) error { return a.far.Set(ctx, place, e.append(nil), ttlOf(e)) })
}

// identityHeader reports headers that say who asks.
func identityHeader(name string) bool {
	switch name {
	case "Authorization", "Cookie", "Proxy-Authorization":
		return true
	}
	return false
}

// transportHeader reports headers that other caches do not go by.
func transportHeader(name string) bool {
	switch name {
	case "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range",
		"Cache-Control", "Pragma", "Connection", "Content-Length":
		return true
	}
	return false
}

// refreshAnswer runs the handler again, in the background, for an answer that was
// given out stale.
func (a *answers) refreshAnswer(r *ishaa.Request, ri *routeInputs, flightKey string) {
	f, first := a.Cache.answers.join(flightKey)
	if !first {
		return
	}
	snapshot, err := r.Snapshot(0)
	if err != nil {
		a.Cache.answers.land(flightKey, f, nil)
		return
	}
	a.background(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), a.options.LoadTimeout)
		defer cancel()
		stop := context.AfterFunc(a.life, cancel)
		defer stop()
		var e *entry
		defer func() { a.Cache.answers.land(flightKey, f, e) }()
		_, err := snapshot.Run(ctx, func(copied *ishaa.Request) (any, error) {
			value, made, err := a.compute(copied, ri)
			e = made
			return value, err
		})
		if err != nil && a.life.Err() == nil {
			a.logger().Warn("a stale answer could not be refreshed", "cache", a.options.Name, "error", err)
		}
	}, func() { a.Cache.answers.land(flightKey, f, nil) })
}

// readLog collects what a handler reads.
type readLog struct {
	mu      sync.Mutex
	ended   bool
	private bool
	reads   []ishaa.Input
}

func (l *readLog) note(in ishaa.Input, _ string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ended, in.Kind == ishaa.InputAct: // Cached says that what a handler hands on is not kept
	case !comparableKind(in.Kind):
		l.private = true
	case len(l.reads) > 4*maxInputs:
		l.private = true // too many to go by
	case !slices.Contains(l.reads, in):
		l.reads = append(l.reads, in)
	}
}

// comparableKind reports inputs whose values can be told apart and are nobody's own.
// A kind that is not known here is not among them.
func comparableKind(k ishaa.InputKind) bool {
	switch k {
	case ishaa.InputMethod, ishaa.InputPath, ishaa.InputURL, ishaa.InputHost, ishaa.InputScheme, ishaa.InputParam,
		ishaa.InputQuery, ishaa.InputQueryAll, ishaa.InputHeader, ishaa.InputValue, ishaa.InputContext:
		return true
	}
	return false
}

func (l *readLog) end() (reads []ishaa.Input, private bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	return l.reads, l.private
}

// answerFlights are the answers that are being made. Whoever comes first runs the
// handler on its own request; the others wait for what becomes of it, and run it
// themselves if that is not for them.
type answerFlights struct {
	mu    sync.Mutex
	byKey map[string]*answerFlight
}

type answerFlight struct {
	done  chan struct{}
	entry *entry
}

func (f *answerFlights) join(key string) (flight *answerFlight, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if flight := f.byKey[key]; flight != nil {
		return flight, false
	}
	flight = &answerFlight{done: make(chan struct{})}
	f.byKey[key] = flight
	return flight, true
}

func (f *answerFlights) land(key string, flight *answerFlight, e *entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byKey[key] == flight {
		delete(f.byKey, key)
	}
	flight.entry = e
	close(flight.done)
}

// waitAnswer is how long a request waits for another's answer before it makes its own.
const waitAnswer = 5 * time.Second

func (f *answerFlight) wait(r *ishaa.Request) *entry {
	timer := time.NewTimer(waitAnswer)
	defer timer.Stop()
	select {
	case <-f.done:
		return f.entry
	case <-r.Context().Done():
	case <-timer.C:
	}
	return nil
}
