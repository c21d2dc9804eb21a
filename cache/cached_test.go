package cache_test

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// counting is an application with one cached route whose answers are numbered.
type counting struct {
	*ishaa.App
	cache *cache.Cache
	clock *ishaatest.Clock
	runs  *atomic.Int64
}

func newCounting(t *testing.T, answer ishaa.Handler, options ...cache.Option) counting {
	clock := ishaatest.NewClock(noon)
	c := counting{newApp(t, clock), newCache(t, nil, clock), clock, &atomic.Int64{}}
	c.Get("/<name>", func(r *ishaa.Request) (any, error) {
		n := c.runs.Add(1)
		value, err := answer(r)
		if text, ok := value.(string); ok {
			value = ishaa.Text(fmt.Sprintf("%d %s", n, text))
		}
		return value, err
	}, c.cache.Cached(time.Minute, options...))
	return c
}

func text(string) ishaa.Handler { return func(*ishaa.Request) (any, error) { return "x", nil } }

// What makes two requests ask for the same, and what does not.
func TestKeys(t *testing.T) {
	query := func(names ...string) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			for _, name := range names {
				r.Query(name)
			}
			return "x", nil
		}
	}
	header := func(r *ishaa.Request) (any, error) { r.Header("X-A"); return "x", nil }
	vary := func(r *ishaa.Request) (any, error) {
		return ishaa.Text("x").WithHeader("Vary", "X-A, accept-language"), nil
	}
	type pair struct {
		name    string
		handler ishaa.Handler
		a, b    []string // method and target, then headers
		same    bool
	}
	for _, c := range []pair{
		{"the same", text(""), []string{"GET /a"}, []string{"GET /a"}, true},
		{"a parameter of the path that nobody reads", text(""), []string{"GET /a"}, []string{"GET /b"}, true},
		{"a parameter of the path", func(r *ishaa.Request) (any, error) { return r.Param("name"), nil }, []string{"GET /a"}, []string{"GET /b"}, false},
		{"the path", func(r *ishaa.Request) (any, error) { return r.Path(), nil }, []string{"GET /a"}, []string{"GET /b"}, false},
		{"HEAD and GET", text(""), []string{"HEAD /a"}, []string{"GET /a"}, true},
		{"HEAD and GET for a handler that asks", func(r *ishaa.Request) (any, error) { r.Method(); return "x", nil }, []string{"HEAD /a"}, []string{"GET /a"}, false},
		{"a query that nobody reads", text(""), []string{"GET /a?utm_source=x"}, []string{"GET /a"}, true},
		{"a parameter that nobody reads", query("p"), []string{"GET /a?p=1&q=1"}, []string{"GET /a?q=2&p=1"}, true},
		{"another value", query("p"), []string{"GET /a?p=1"}, []string{"GET /a?p=2"}, false},
		{"absent and empty", query("p"), []string{"GET /a"}, []string{"GET /a?p="}, false},
		{"one and two values", query("p"), []string{"GET /a?p=1"}, []string{"GET /a?p=1&p=2"}, false},
		{"the order of a query", query("p", "q"), []string{"GET /a?p=1&q=2"}, []string{"GET /a?q=2&p=1"}, true},
		{"the order of the whole query", func(r *ishaa.Request) (any, error) { r.QueryValues(); return "x", nil }, []string{"GET /a?p=1&q=2"}, []string{"GET /a?q=2&p=1"}, true},
		{"the order of one name's values", func(r *ishaa.Request) (any, error) { r.QueryValues(); return "x", nil }, []string{"GET /a?p=1&p=2"}, []string{"GET /a?p=2&p=1"}, false},
		{"escapes in a query", func(r *ishaa.Request) (any, error) { r.QueryValues(); return "x", nil }, []string{"GET /a?p=%61"}, []string{"GET /a?p=a"}, true},
		{"values that run into names", func(r *ishaa.Request) (any, error) { r.QueryValues(); return "x", nil }, []string{"GET /a?p=1%26q=2"}, []string{"GET /a?p=1&q=2"}, false},
		{"the URL as it stands", func(r *ishaa.Request) (any, error) { return r.URL().String(), nil }, []string{"GET /a?p=1&q=2"}, []string{"GET /a?q=2&p=1"}, false},
		{"the host that nobody reads", text(""), []string{"GET http://one/a"}, []string{"GET http://two/a"}, true},
		{"the host", func(r *ishaa.Request) (any, error) { return r.Host(), nil }, []string{"GET http://one/a"}, []string{"GET http://two/a"}, false},
		{"a header that nobody reads", text(""), []string{"GET /a", "X-A: 1"}, []string{"GET /a"}, true},
		{"a header", header, []string{"GET /a", "X-A: 1"}, []string{"GET /a", "X-A: 2"}, false},
		{"a missing header and an empty one", header, []string{"GET /a", "X-A:"}, []string{"GET /a"}, false},
		{"a header once and twice", header, []string{"GET /a", "X-A: 1"}, []string{"GET /a", "X-A: 1", "X-A: 1"}, false},
		{"values that run into each other", header, []string{"GET /a", "X-A: 1", "X-A: 2"}, []string{"GET /a", "X-A: 1=2"}, false},
		{"Vary", vary, []string{"GET /a", "X-A: 1"}, []string{"GET /a", "X-A: 2"}, false},
		{"Vary, missing and empty", vary, []string{"GET /a", "Accept-Language:"}, []string{"GET /a"}, false},
		{"Vary, agreeing", vary, []string{"GET /a", "Accept-Language: de", "X-B: 1"}, []string{"GET /a", "Accept-Language: de", "X-B: 2"}, true},
		{"what Accepts chooses by", func(r *ishaa.Request) (any, error) { return r.Accepts("text/html", "application/json"), nil }, []string{"GET /a", "Accept: text/html"}, []string{"GET /a", "Accept: application/json"}, false},
		{"a cookie that nobody reads", text(""), []string{"GET /a", "Cookie: a=1"}, []string{"GET /a", "Cookie: a=2"}, true},
		{"a client that nobody asks for", text(""), []string{"GET /a", "X-Forwarded-For: 1.2.3.4"}, []string{"GET /a"}, true},
		{"Authorization", text(""), []string{"GET /a", "Authorization: Basic eA=="}, []string{"GET /a"}, false},
		{"an empty Authorization", text(""), []string{"GET /a"}, []string{"GET /a", "Authorization:"}, false},
		{"more than is compared", header, []string{"GET /a", "X-A: " + strings.Repeat("a", 9<<10)}, []string{"GET /a", "X-A: " + strings.Repeat("a", 9<<10)}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := newCounting(t, c.handler)
			for _, one := range [][]string{c.a, c.b} {
				method, target, _ := strings.Cut(one[0], " ")
				ask(app, method, target, one[1:]...)
			}
			if runs := app.runs.Load(); (runs == 1) != c.same {
				t.Errorf("%d runs of the handler", runs)
			}
			// Whatever a was, asking for it again gives what it gave.
			method, target, _ := strings.Cut(c.a[0], " ")
			first := ask(app, method, target, c.a[1:]...).Body.String()
			if again := ask(app, method, target, c.a[1:]...).Body.String(); c.same && again != first {
				t.Errorf("%q, then %q", first, again)
			}
		})
	}
}

// A handler that reads more on some paths than on others.
func TestPathsThroughAHandler(t *testing.T) {
	app := newCounting(t, func(r *ishaa.Request) (any, error) {
		text := "plain"
		if r.Query("sorted") == "1" {
			text = "by " + r.Query("by")
			if r.Query("by") == "lang" {
				text += " " + r.Header("Accept-Language")
			}
		}
		return ishaa.Text(text), nil
	})
	for range 3 {
		for _, c := range []struct{ target, header, want string }{
			{"/a", "", "plain"}, {"/a?by=x", "", "plain"}, {"/a?sorted=1&by=x", "", "by x"}, {"/a?sorted=1&by=y", "", "by y"},
			{"/a?sorted=1&by=lang", "de", "by lang de"}, {"/a?sorted=1&by=lang", "fr", "by lang fr"}, {"/a", "fr", "plain"},
		} {
			if got := get(app, c.target, "Accept-Language: "+c.header); got != c.want {
				t.Errorf("%s %s is %q, want %q", c.target, c.header, got, c.want)
			}
		}
	}
	if runs := app.runs.Load(); runs >= 21 {
		t.Errorf("%d runs: nothing was kept", runs)
	}
}

func TestOnlyWhatMayBeKept(t *testing.T) {
	for _, c := range []struct {
		name string
		res  func() any
		kept bool
	}{
		{"200", func() any { return ishaa.Text("x") }, true},
		{"203", func() any { return ishaa.Text("x").WithStatus(203) }, true},
		{"204", func() any { return ishaa.NoContent }, true},
		{"301", func() any { return ishaa.Redirect("/b").WithStatus(301) }, true},
		{"302", func() any { return ishaa.Redirect("/b").WithStatus(302) }, false},
		{"303", func() any { return ishaa.Redirect("/b") }, false},
		{"404 as an answer", func() any { return ishaa.Text("x").WithStatus(404) }, true},
		{"500 as an answer", func() any { return ishaa.Text("x").WithStatus(500) }, false},
		{"429 as an answer", func() any { return ishaa.Text("x").WithStatus(429) }, false},
		{"206", func() any { return ishaa.Text("x").WithStatus(206) }, false},
		{"an error", func() any { return ishaa.NotFound("x") }, false},
		{"JSON", func() any { return map[string]int{"a": 1} }, true},
		{"a stream", func() any { return strings.NewReader("x") }, false},
		{"public", func() any { return ishaa.Text("x").WithHeader("Cache-Control", "public, max-age=30") }, true},
		{"an unknown directive", func() any { return ishaa.Text("x").WithHeader("Cache-Control", "stale-if-error=3") }, true},
		{"private within quotes", func() any { return ishaa.Text("x").WithHeader("Cache-Control", `ext="a, private", max-age=9`) }, true},
		{"Expires ahead", func() any { return ishaa.Text("x").WithHeader("Expires", noon.Add(time.Hour).Format(http.TimeFormat)) }, true},
		{"too large", func() any { return ishaa.Text(strings.Repeat("x", 513<<10)) }, false},
	} {
		app := newCounting(t, func(*ishaa.Request) (any, error) { return c.res(), nil })
		first := ask(app, "GET", "/a")
		second := ask(app, "GET", "/a")
		if kept := app.runs.Load() == 1; kept != c.kept {
			t.Errorf("%s: kept %v", c.name, kept)
		}
		if first.Code != second.Code || first.Body.String() != second.Body.String() || first.Header().Get("Location") != second.Header().Get("Location") {
			t.Errorf("%s: %d %q, then %d %q", c.name, first.Code, first.Body, second.Code, second.Body)
		}
	}
	app := newCounting(t, text(""))
	for range 2 {
		if w := ask(app, "POST", "/a"); w.Code != 405 {
			t.Errorf("POST is %d", w.Code)
		}
	}
}

func TestFreshness(t *testing.T) {
	for control, seconds := range map[string]int{
		"": 60, "max-age=30": 30, "max-age=600": 60, "s-maxage=20, max-age=30": 20, "max-age=30, max-age=10": 10,
		"max-age=99999999999999": 60, `max-age="30"`: 30, "public": 60,
	} {
		app := newCounting(t, func(*ishaa.Request) (any, error) {
			res := ishaa.Text("x")
			if control != "" {
				res.WithHeader("Cache-Control", control)
			}
			return res, nil
		})
		ask(app, "GET", "/a")
		app.clock.Advance(time.Duration(seconds)*time.Second - time.Millisecond)
		ask(app, "GET", "/a")
		before := app.runs.Load()
		app.clock.Advance(time.Millisecond)
		ask(app, "GET", "/a")
		if after := app.runs.Load(); before != 1 || after != 2 {
			t.Errorf("%q: %d runs before %d s, %d after", control, before, seconds, after)
		}
	}
}

// What a request says counts as well.
func TestRequestDirectives(t *testing.T) {
	app := newCounting(t, text(""))
	for _, step := range []struct {
		wait    time.Duration
		headers []string
		status  int
		body    string
	}{
		{0, []string{"Cache-Control: only-if-cached"}, 504, ""},
		{0, []string{"Cache-Control: no-store"}, 200, "1 x"},
		{0, nil, 200, "2 x"},
		{0, []string{"Cache-Control: only-if-cached"}, 200, "2 x"},
		{10 * time.Second, []string{"Cache-Control: max-age=10"}, 200, "2 x"},
		{0, []string{"Cache-Control: min-fresh=49"}, 200, "2 x"},
		{0, []string{"Cache-Control: no-store"}, 200, "3 x"},
		{0, nil, 200, "2 x"},
		{0, []string{"Cache-Control: max-age=9"}, 200, "4 x"},
		{10 * time.Second, []string{"Cache-Control: min-fresh=51"}, 200, "5 x"},
		{0, []string{"Cache-Control: no-cache"}, 200, "6 x"},
		{0, nil, 200, "6 x"},
		{0, []string{"Cache-Control: max-age=0"}, 200, "7 x"},
		{0, []string{"Pragma: no-cache"}, 200, "8 x"},
		{0, []string{"Pragma: no-cache", "Cache-Control: max-age=60"}, 200, "8 x"},
	} {
		app.clock.Advance(step.wait)
		w := ask(app, "GET", "/a", step.headers...)
		if w.Code != step.status || step.body != "" && w.Body.String() != step.body {
			t.Errorf("%v: %d %q, want %d %q", step.headers, w.Code, w.Body, step.status, step.body)
		}
	}
}

func TestAgeAndConditions(t *testing.T) {
	app := newCounting(t, text(""))
	first := ask(app, "GET", "/a")
	etag := first.Header().Get("Etag")
	if etag == "" || first.Header().Get("Age") != "" {
		t.Errorf("the first answer has ETag %q and Age %q", etag, first.Header().Get("Age"))
	}
	app.clock.Advance(7 * time.Second)
	if w := ask(app, "GET", "/a"); w.Header().Get("Age") != "7" || w.Header().Get("Etag") != etag {
		t.Errorf("Age %q, ETag %q", w.Header().Get("Age"), w.Header().Get("Etag"))
	}
	for value, status := range map[string]int{
		etag: 304, "W/" + etag: 304, `"other", ` + etag: 304, "*": 304, `"other"`: 200, etag + "x": 200, `"a,` + etag: 200, "": 200,
	} {
		w := ask(app, "GET", "/a", "If-None-Match: "+value)
		if w.Code != status || status == 304 && (w.Body.Len() > 0 || w.Header().Get("Content-Type") != "" || w.Header().Get("Etag") != etag) {
			t.Errorf("If-None-Match: %s gives %d %v", value, w.Code, w.Header())
		}
	}
	if w := ask(app, "HEAD", "/a"); w.Code != 200 || w.Body.Len() > 0 || w.Header().Get("Content-Length") != "3" {
		t.Errorf("HEAD: %d %q %v", w.Code, w.Body, w.Header())
	}
	if runs := app.runs.Load(); runs != 1 {
		t.Errorf("%d runs", runs)
	}
	dated := newCounting(t, func(*ishaa.Request) (any, error) {
		return ishaa.Text("x").WithHeader("Last-Modified", noon.Format(http.TimeFormat)).WithHeader("ETag", `"mine"`), nil
	})
	ask(dated, "GET", "/a")
	for value, status := range map[time.Time]int{noon: 304, noon.Add(time.Hour): 304, noon.Add(-time.Hour): 200} {
		if w := ask(dated, "GET", "/a", "If-Modified-Since: "+value.Format(http.TimeFormat)); w.Code != status || w.Header().Get("Etag") != `"mine"` {
			t.Errorf("If-Modified-Since: %v gives %d", value, w.Code)
		}
	}
}

// Caches further on are told of the headers that the handler went by.
func TestVaryTellsOthers(t *testing.T) {
	app := newCounting(t, func(r *ishaa.Request) (any, error) {
		r.Header("Accept-Language")
		r.Header("If-None-Match")
		return ishaa.Text("x").WithHeader("Vary", "Accept"), nil
	})
	for range 2 {
		if got := strings.Join(ask(app, "GET", "/a").Header()["Vary"], ", "); got != "Accept, Accept-Language" {
			t.Errorf("Vary: %s", got)
		}
	}
}

func TestTagsOfAnswers(t *testing.T) {
	app := newCounting(t, text(""), cache.Tag("products"))
	for _, want := range []string{"1 x", "2 x"} {
		for range 2 {
			if got := get(app, "/a"); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		app.cache.Invalidate(t.Context(), "products")
	}
}

func TestStaleAnswers(t *testing.T) {
	app := newCounting(t, text(""), cache.Stale(time.Hour))
	get(app, "/a")
	app.clock.Advance(2 * time.Minute)
	if got := get(app, "/a"); got != "1 x" {
		t.Errorf("stale: %s", got)
	}
	eventually(t, "a new answer", func() bool { return get(app, "/a") == "2 x" })
	app.clock.Advance(2 * time.Minute)
	if got := get(app, "/a", "Cache-Control: max-age=3600"); got != "3 x" {
		t.Errorf("a client that asks for something fresh gets %s", got)
	}
	app.clock.Advance(2 * time.Hour)
	if got := get(app, "/a"); got != "4 x" {
		t.Errorf("after its stale time: %s", got)
	}
	strict := newCounting(t, func(*ishaa.Request) (any, error) {
		return ishaa.Text("x").WithHeader("Cache-Control", "must-revalidate, max-age=60"), nil
	}, cache.Stale(time.Hour))
	ask(strict, "GET", "/a")
	strict.clock.Advance(2 * time.Minute)
	ask(strict, "GET", "/a")
	if runs := strict.runs.Load(); runs != 2 {
		t.Errorf("must-revalidate: %d runs", runs)
	}
}

// Of a thousand requests for one cold answer one runs the handler, also when nothing
// is known of the route yet.
func TestStampedeOfRequests(t *testing.T) {
	release := make(chan struct{})
	app := newCounting(t, func(r *ishaa.Request) (any, error) {
		<-release
		r.Query("q")
		return "x", nil
	})
	var wg sync.WaitGroup
	var asked atomic.Int64
	for range 1000 {
		wg.Go(func() {
			asked.Add(1)
			if got := get(app, "/a?q=1"); got != "1 x" {
				t.Errorf("got %q", got)
			}
		})
	}
	eventually(t, "all have asked", func() bool { return asked.Load() == 1000 && app.runs.Load() == 1 })
	close(release)
	wg.Wait()
	if runs := app.runs.Load(); runs != 1 {
		t.Errorf("%d runs", runs)
	}
}

// A request may look while nothing is known of the route and join when the first
// answer is there already: it must find that.
func TestStampedeAsTheFirstAnswerComes(t *testing.T) {
	for range 100 {
		app := newCounting(t, func(r *ishaa.Request) (any, error) {
			r.Query("q")
			return "x", nil
		})
		begin := make(chan struct{})
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				<-begin
				if got := get(app, "/a?q=1"); got != "1 x" {
					t.Errorf("got %q", got)
				}
			})
		}
		close(begin)
		wg.Wait()
	}
}

// The request that runs the handler goes away, or its handler panics: the others are
// answered.
func TestTheFirstRequestFails(t *testing.T) {
	for name, fail := range map[string]func(){
		"panic":  func() { panic("no") },
		"Goexit": func() { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			var first atomic.Bool
			app := newCounting(t, func(*ishaa.Request) (any, error) {
				<-release
				if first.CompareAndSwap(false, true) {
					fail()
				}
				return ishaa.Text("x"), nil
			})
			var wg sync.WaitGroup
			var good, asked atomic.Int64
			for range 20 {
				wg.Go(func() {
					asked.Add(1)
					if get(app, "/a") == "x" {
						good.Add(1)
					}
				})
			}
			eventually(t, "all have asked", func() bool { return asked.Load() == 20 })
			close(release)
			wg.Wait()
			if good.Load() != 19 {
				t.Errorf("%d of 20 were answered", good.Load())
			}
		})
	}
}

// Private answers do not wait for one another.
func TestPrivateAnswersRunAtOnce(t *testing.T) {
	inside := make(chan struct{}, 100)
	release := make(chan struct{})
	app := newCounting(t, func(r *ishaa.Request) (any, error) {
		r.Cookie("a")
		if r.Query("block") != "" {
			inside <- struct{}{}
			<-release
		}
		return ishaa.Text("x"), nil
	})
	get(app, "/a")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { get(app, "/a?block=1") })
	}
	for range 20 {
		<-inside
	}
	close(release)
	wg.Wait()
}

// Clients that make up headers, parameters and names do not fill the memory.
func TestUnboundedKeysAreBounded(t *testing.T) {
	clock := ishaatest.NewClock(noon)
	st := newRemote(t, clock)
	c := newCache(t, st, clock, func(o *cache.Options) { o.MaxSize, o.MaxAnswers = 1<<19, 300 })
	app := newApp(t, clock)
	page := strings.Repeat("page ", 100)
	app.Get("/lang", func(r *ishaa.Request) (any, error) { r.Header("Accept-Language"); return ishaa.Text(page), nil }, c.Cached(time.Hour))
	app.Get("/query", func(r *ishaa.Request) (any, error) { r.QueryValues(); return ishaa.Text(page), nil }, c.Cached(time.Hour))
	app.Get("/names", func(r *ishaa.Request) (any, error) { r.Query(r.Query("field")); return ishaa.Text(page), nil }, c.Cached(time.Hour))
	language := strings.Repeat("x", 490)
	for i := range 1200 {
		get(app, "/lang", fmt.Sprintf("Accept-Language: %s-%d", language, i))
		get(app, fmt.Sprintf("/query?%d=%s", i, language))
		get(app, fmt.Sprintf("/names?field=%d", i))
	}
	if weight := cache.Weight(c); weight > 3<<18 {
		t.Errorf("the first level holds %d bytes", weight)
	}
	if n := st.keys(t, "cache:a:"); n > 256+300+300 {
		t.Errorf("the store holds %d answers", n)
	}
	if got := get(app, "/names?field=last"); got != page {
		t.Errorf("in the end: %q", got)
	}
}

// Two applications with one name, and routes with one pattern, have nothing in common.
func TestRoutesAreApart(t *testing.T) {
	for _, kind := range kinds {
		clock := ishaatest.NewClock(noon)
		st := kind.make(t, clock)
		c := newCache(t, st, clock)
		var apps []*ishaa.App
		for i := range 3 {
			app := newApp(t, clock)
			app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.Text(fmt.Sprint("app ", i)), nil }, c.Cached(0))
			app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.Text(fmt.Sprint("host ", i)), nil }, c.Cached(0), ishaa.Host("api.example"))
			apps = append(apps, app)
		}
		for range 2 {
			for i, app := range apps {
				if got := get(app, "http://shop.example/"); got != fmt.Sprint("app ", i) {
					t.Errorf("%s: %s", kind.name, got)
				}
				if got := get(app, "http://api.example/"); got != fmt.Sprint("host ", i) {
					t.Errorf("%s: %s", kind.name, got)
				}
			}
		}
	}
}

// An engine that remembers answers by what was read cannot go by what an answer from
// memory read: it is told to keep off.
func TestEnginesFurtherOutKeepOff(t *testing.T) {
	app := newCounting(t, text(""))
	identities := 0
	app.Intercept(outermost(func(next ishaa.Handler) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			r.Trace(func(in ishaa.Input, _ string) {
				if in.Kind == ishaa.InputIdentity {
					identities++
				}
			})
			return next(r)
		}
	}))
	for n := range 3 {
		ask(app, "GET", "/a")
		if identities <= n {
			t.Errorf("request %d: nothing was said", n)
		}
	}
}

type outermost func(ishaa.Handler) ishaa.Handler

func (outermost) Layer() ishaa.Layer { return ishaa.Outermost }

func (o outermost) Intercept(_ *ishaa.Route, next ishaa.Handler) ishaa.Handler { return o(next) }

// Observers see which answers came from memory, and the route says what it was told.
func TestObserversAndRule(t *testing.T) {
	app := newCounting(t, text(""), cache.Tag("a", "b"))
	var cached []bool
	app.Observe(observer(func(o ishaa.Outcome) { cached = append(cached, o.Cached) }))
	ask(app, "GET", "/a")
	ask(app, "GET", "/a")
	if fmt.Sprint(cached) != "[false true]" {
		t.Error(cached)
	}
	for _, route := range app.Routes() {
		rule, ok := cache.RuleOf.Of(route)
		if !ok || rule.TTL != time.Minute || len(rule.Tags) != 2 {
			t.Errorf("%+v %v", rule, ok)
		}
	}
}

type observer func(ishaa.Outcome)

func (o observer) Observe(_ *ishaa.Route, outcome ishaa.Outcome) { o(outcome) }

var errGone = errors.New("gone")

// The handler's own failure is the client's to see, with the cookies it had set.
func TestErrorsPassThrough(t *testing.T) {
	app := newCounting(t, func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("X-Inner", "1")
		return nil, ishaa.Conflict("twice").Wrap(errGone)
	})
	for range 2 {
		if w := ask(app, "GET", "/a"); w.Code != 409 || w.Header().Get("X-Inner") != "1" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
	}
}
