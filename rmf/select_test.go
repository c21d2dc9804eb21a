package rmf_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/openapi"
	"github.com/ishaa-framework/ishaa/rmf"
	"github.com/ishaa-framework/ishaa/store"
)

// The chain, in the order of the seed: header, cookie, behaviour rule, window, traffic. In each row one step more has
// something to say, and the earlier one wins.
func TestChain(t *testing.T) {
	app, realities, _ := newApp(t, rmf.Options{MayChoose: func(r *ishaa.Request) bool { return r.Header("X-Role") == "tester" }})
	for _, reality := range []struct {
		name    string
		options []rmf.Option
	}{
		{"stable", nil}, {"lot", []rmf.Option{rmf.Traffic(100)}},
		{"noon", []rmf.Option{rmf.ActiveBetween("11:00-13:00")}},
		{"rule", []rmf.Option{rmf.Traffic(0)}}, {"header", []rmf.Option{rmf.Traffic(0)}},
	} {
		app.Get("/x", say(reality.name), rmf.Reality(reality.name, reality.options...))
	}
	realities.BehaviorRule(func(r *ishaa.Request, names []string) string {
		if r.Header("X-Tier") == "premium" {
			return "rule"
		}
		return "no such reality"
	})
	client := ishaatest.New(t, app)
	client.Get("/x").Status(200).Contains("noon")
	token, err := realities.Token("GET /x", "header", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		headers []string
		want    string
	}{
		{"window over traffic", nil, "noon"},
		{"rule over window", []string{"X-Tier", "premium"}, "rule"},
		{"header over rule", []string{"X-Tier", "premium", "X-Reality", token}, "header"},
		{"a plain header says nothing", []string{"X-Reality", "header"}, "noon"},
		{"a plain header of somebody who may choose", []string{"X-Reality", "header", "X-Role", "tester"}, "header"},
		{"an unknown name of somebody who may choose", []string{"X-Reality", "nothing", "X-Role", "tester"}, "noon"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var options []ishaatest.RequestOption
			for i := 0; i < len(c.headers); i += 2 {
				options = append(options, ishaatest.Header(c.headers[i], c.headers[i+1]))
			}
			client.For(t).Get("/x", options...).Status(200).Contains(c.want)
		})
	}
}

// In debug mode the plain header works for everybody, as in the seed.
func TestPlainHeaderInDebugMode(t *testing.T) {
	app, _, _ := newApp(t, rmf.Options{}, ishaa.Config{Secret: secret, Debug: true})
	app.Get("/x", say("v1"), rmf.Reality("stable"))
	app.Get("/x", say("v2"), rmf.Reality("experimental", rmf.Traffic(0)))
	client := ishaatest.New(t, app)
	client.Get("/x").Contains("v1")
	client.Get("/x", ishaatest.Header("X-Reality", "experimental")).Contains("v2").Header("X-Ishaa-Reality", "")
}

// A sticky visitor stays, signed in or not, until the shares change.
func TestSticky(t *testing.T) {
	app, realities, _ := newApp(t, rmf.Options{ShowReality: true, Subject: func(r *ishaa.Request) string { return r.Header("X-User") }})
	app.Get("/x", say("v1"), rmf.Reality("stable"))
	app.Get("/x", say("v2"), rmf.Reality("experimental", rmf.Traffic(50), rmf.Sticky()))
	var client *ishaatest.Client
	for i := 0; ; i++ { // until the lot falls so
		client = ishaatest.New(t, app)
		if client.Get("/x").Text() == "v2" {
			break
		}
		if i == 200 {
			t.Fatal("in 200 draws at 50 % nobody is in the candidate")
		}
	}
	for i := range 100 {
		client.Get("/x", ishaatest.Header("X-User", fmt.Sprint("user", i))).Contains("v2").Header("X-Ishaa-Reality", "experimental")
	}
	if r := realityOf(t, experiment(t, realities), "experimental"); r.Chosen["cookie"] != 100 || r.Trial.Requests > 400 {
		t.Errorf("chosen by %v, %d in the evidence", r.Chosen, r.Trial.Requests)
	}
	if err := realities.Rollback(t.Context(), "/x", "experimental", "enough"); err != nil {
		t.Fatal(err)
	}
	client.Get("/x", ishaatest.Header("X-User", "user1")).Contains("v1")
}

// Cookies are signed, hidden from scripts, and keep caches away.
func TestCookies(t *testing.T) {
	app, _, _ := newApp(t, rmf.Options{})
	app.Get("/x", say("v1"), rmf.Reality("stable"))
	app.Get("/x", say("v2"), rmf.Reality("experimental", rmf.Traffic(50), rmf.Sticky()))
	for _, tls := range []bool{false, true} {
		seen := map[string]bool{}
		for range 40 {
			raw := httptest.NewRequest("GET", "/x", nil)
			if tls {
				raw = httptest.NewRequest("GET", "https://example.com/x", nil)
			}
			w := httptest.NewRecorder()
			app.ServeHTTP(w, raw)
			for _, c := range w.Result().Cookies() {
				seen[c.Name] = true
				if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != tls || c.Path != "/" || strings.HasPrefix(c.Name, "__Host-") != tls {
					t.Errorf("tls %t: %+v", tls, c)
				}
			}
			if w.Header().Get("Cache-Control") != "private" || !strings.Contains(strings.Join(w.Header()["Vary"], ","), "Cookie") {
				t.Errorf("%v", w.Header())
			}
		}
		if len(seen) != 2 {
			t.Errorf("tls %t: cookies %v", tls, seen)
		}
	}
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// 20 means 20 %, for every method and with parameters, typed handlers too.
func TestTrafficMeansPercent(t *testing.T) {
	app, realities, _ := newApp(t, rmf.Options{Unit: rmf.ByRequest})
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		app.Route("/m/<int:id>", say("v1"), ishaa.Methods(method), rmf.Reality("stable"))
		app.Route("/m/<int:id>", say("v2"), ishaa.Methods(method), rmf.Reality("experimental", rmf.Traffic(20)))
	}
	type in struct {
		ID int `path:"id"`
	}
	type out struct{ Version int }
	version := func(n int) func(context.Context, *in) (*out, error) {
		return func(context.Context, *in) (*out, error) { return &out{n}, nil }
	}
	ishaa.Get(app, "/typed/<int:id>", version(1), rmf.Reality("stable"))
	ishaa.Get(app, "/typed/<int:id>", version(2), rmf.Reality("experimental", rmf.Traffic(20)))
	app.Without(ishaa.DefaultAccessLog, ishaa.DefaultCSRF)
	const each = 4000
	for _, target := range []string{"GET /m/1", "POST /m/2", "PUT /m/3", "PATCH /m/4", "DELETE /m/5", "OPTIONS /m/6", "GET /typed/7"} {
		method, path, _ := strings.Cut(target, " ")
		got := 0
		for range each {
			w := httptest.NewRecorder()
			app.ServeHTTP(w, httptest.NewRequest(method, path, nil))
			if w.Code != 200 {
				t.Fatalf("%s: %d %s", target, w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), "2") {
				got++
			}
		}
		// five standard deviations of 4,000 draws
		if share := float64(got) / each; math.Abs(share-.2) > 5*math.Sqrt(.2*.8/each) {
			t.Errorf("%s: %.3f of the requests", target, share)
		}
	}
	if n := len(realities.Stats().Experiments); n != 7 {
		t.Errorf("%d experiments", n)
	}
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A window that is closed closes every step but the signed header; a route of which all realities sleep is not there.
func TestWindowsOnRoutes(t *testing.T) {
	app, realities, clock := newApp(t, rmf.Options{MayChoose: func(*ishaa.Request) bool { return true }})
	logs := ishaatest.New(t, app)
	book := ishaatest.Logs(t, app)
	app.Get("/api/feed", say("night"), rmf.Reality("night_mode", rmf.ActiveBetween("22:00-06:00")))
	app.Get("/home", say("day"), rmf.Reality("stable"))
	app.Get("/home", say("dark"), rmf.Reality("dark", rmf.ActiveBetween("22:00-06:00"), rmf.Priority(1)))
	app.Get("/home", say("party"), rmf.Reality("party", rmf.ActiveBetween("2026-06-10T23:00/2026-06-11T01:00"), rmf.Priority(2)))
	realities.BehaviorRule(func(r *ishaa.Request, names []string) string { return r.Header("X-Want") })
	logs.Get("/api/feed").Status(404)
	book.Want(4, "answers 404", "/api/feed")
	token, err := realities.Token("/home", "dark", 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	logs.Get("/home").Contains("day")
	logs.Get("/home", ishaatest.Header("X-Want", "dark")).Contains("day")
	logs.Get("/home", ishaatest.Header("X-Reality", "dark")).Contains("day")
	logs.Get("/home", ishaatest.Header("X-Reality", token)).Contains("dark")
	clock.Advance(10 * time.Hour) // 22:00
	logs.Get("/api/feed").Status(200).Contains("night")
	logs.Get("/home").Contains("dark")
	clock.Advance(2 * time.Hour) // midnight
	logs.Get("/api/feed").Status(200)
	logs.Get("/home").Contains("party")
	clock.Advance(2 * time.Hour)
	logs.Get("/home").Contains("dark")
	clock.Advance(4 * time.Hour) // 06:00
	logs.Get("/api/feed").Status(404)
	logs.Get("/home").Contains("day")
}

// A share that has a window counts while the window is open, and leaves the trial alone while it is not.
func TestShareWithWindow(t *testing.T) {
	app, realities, clock := newApp(t, rmf.Options{Unit: rmf.ByRequest})
	app.Get("/x", say("v1"), rmf.Reality("stable"))
	app.Get("/x", say("v2"), rmf.Reality("experimental", rmf.Traffic(50), rmf.ActiveBetween("13:00-14:00")))
	client := ishaatest.New(t, app)
	for range 50 {
		client.Get("/x").Contains("v1")
	}
	if n := realityOf(t, experiment(t, realities), "experimental").Trial.Requests; n != 0 {
		t.Errorf("%d requests count while there is nothing to compare", n)
	}
	clock.Advance(time.Hour)
	got := 0
	for range 200 {
		if client.Get("/x").Text() == "v2" {
			got++
		}
	}
	if got < 50 || got > 150 {
		t.Errorf("%d of 200", got)
	}
	if n := realityOf(t, experiment(t, realities), "experimental").Trial.Requests; n != 200 {
		t.Errorf("%d of 200 requests count", n)
	}
}

// Middleware among a reality's options is that reality's own.
func TestOwnMiddleware(t *testing.T) {
	app, realities, _ := newApp(t, rmf.Options{})
	refuse := ishaa.Middleware{Name: "members", Before: func(*ishaa.Request) (any, error) { return nil, ishaa.Forbidden("members only") }}
	app.Get("/x", say("v1"), rmf.Reality("stable"))
	app.Get("/x", say("v2"), rmf.Reality("members", rmf.Traffic(0), rmf.Tags("beta", "paid")), refuse)
	client := ishaatest.New(t, app)
	client.Get("/x").Status(200)
	token, err := realities.Token("/x", "members", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	client.Get("/x", ishaatest.Header("X-Reality", token)).Status(403)
	if tags := realityOf(t, experiment(t, realities), "members").Tags; len(tags) != 2 {
		t.Errorf("tags %v", tags)
	}
}

// CacheTTL is each reality's own, and keeps nothing that depends on who asks.
func TestCacheTTL(t *testing.T) {
	app, _, clock := newApp(t, rmf.Options{MayChoose: func(*ishaa.Request) bool { return true }})
	calls := map[string]int{}
	counting := func(name string, read func(*ishaa.Request) string) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			calls[name]++
			return ishaa.Text(name + read(r)), nil
		}
	}
	app.Get("/x/<name>", counting("plain", func(r *ishaa.Request) string { return r.Param("name") }), rmf.Reality("stable"))
	app.Get("/x/<name>", counting("kept", func(r *ishaa.Request) string { return r.Param("name") + r.Query("q") }), rmf.Reality("kept", rmf.Traffic(0), rmf.CacheTTL(time.Minute)))
	app.Get("/x/<name>", counting("private", func(r *ishaa.Request) string { c, _ := r.Cookie("who"); return c }), rmf.Reality("private", rmf.Traffic(0), rmf.CacheTTL(time.Minute)))
	client := ishaatest.New(t, app)
	get := func(reality, path string) string {
		return client.Get(path, ishaatest.Header("X-Reality", reality)).Status(200).Text()
	}
	for range 3 {
		for _, path := range []string{"/x/a", "/x/b", "/x/a?q=1", "/x/a?unread=2"} {
			if got, want := get("kept", path), "kept"+map[string]string{"/x/a": "a", "/x/b": "b", "/x/a?q=1": "a1", "/x/a?unread=2": "a"}[path]; got != want {
				t.Errorf("%s gives %q, want %q", path, got, want)
			}
		}
		get("stable", "/x/a")
		get("private", "/x/a")
	}
	if calls["kept"] != 3 || calls["plain"] != 3 || calls["private"] != 3 {
		t.Errorf("the handlers ran %v times", calls)
	}
	clock.Advance(time.Minute)
	if get("kept", "/x/a"); calls["kept"] != 4 {
		t.Errorf("after its time an answer is made anew: %v", calls)
	}
}

// What cannot be is refused when the application starts, with the line.
func TestMistakes(t *testing.T) {
	panics := func(name string, fn func(), parts ...string) {
		t.Run(name, func(t *testing.T) {
			defer func() {
				text := fmt.Sprint(recover())
				for _, part := range append(parts, "select_test.go:") {
					if !strings.Contains(text, part) {
						t.Errorf("%q does not say %q", text, part)
					}
				}
			}()
			fn()
		})
	}
	panics("a window", func() { rmf.Reality("x", rmf.ActiveBetween("25:00-26:00")) }, "25:00-26:00")
	panics("a zone", func() { rmf.Reality("x", rmf.ActiveBetween("mon"), rmf.In("Mars/Olympus")) }, "Mars")
	panics("a zone without a window", func() { rmf.Reality("x", rmf.In("Europe/Berlin")) }, "ActiveBetween")
	panics("a share", func() { rmf.Reality("x", rmf.Traffic(101)) }, "101")
	panics("a finer share", func() { rmf.Reality("x", rmf.Traffic(.001)) }, "two decimals")
	panics("no number", func() { rmf.Reality("x", rmf.Traffic(math.NaN())) }, "NaN")
	panics("a name", func() { rmf.Reality("a b") }, "name")
	panics("a nil option", func() { rmf.Reality("x", nil) }, "nil")
	panics("a threshold", func() { rmf.Reality("x", rmf.PromoteErrorThreshold(1.5)) }, "1.5")
	panics("a ratio", func() { rmf.Reality("x", rmf.PromoteLatencyRatio(-1)) }, "-1")
	panics("a time", func() { rmf.Reality("x", rmf.CacheTTL(-time.Second)) }, "positive")
	panics("no requests", func() { rmf.Reality("x", rmf.PromoteAfterRequests(0)) }, "at least 1")
	panics("a path", func() { rmf.Reality("x", rmf.Ignore("id")) }, "$")
	panics("twice", func() {
		app := ishaa.New("x", ishaa.Config{Secret: secret})
		rmf.Enable(app, rmf.Options{})
		rmf.Enable(app, rmf.Options{})
	}, "already")
	panics("two places", func() {
		rmf.Enable(ishaa.New("x"), rmf.Options{Store: store.NewMemory(store.MemoryOptions{}), Dir: "x"})
	}, "Store and Dir")
	panics("a rate", func() { rmf.Enable(ishaa.New("x"), rmf.Options{SimSampleRate: 2}) }, "SimSampleRate")

	type in struct{}
	type one struct{ A int }
	type two struct{ B int }
	for name, c := range map[string]struct {
		register func(app *ishaa.App)
		want     string
	}{
		"shares over 100": {func(app *ishaa.App) {
			app.Get("/x", say(""), rmf.Reality("stable"))
			app.Get("/x", say(""), rmf.Reality("a", rmf.Traffic(60)))
			app.Get("/x", say(""), rmf.Reality("b", rmf.Traffic(50)))
		}, "add up to 110 %"},
		"outputs that differ": {func(app *ishaa.App) {
			ishaa.Get(app, "/x", func(context.Context, *in) (*one, error) { return nil, nil }, rmf.Reality("stable"))
			ishaa.Get(app, "/x", func(context.Context, *in) (*two, error) { return nil, nil }, rmf.Reality("a"))
		}, "agree on both"},
		"a stable that is to be promoted": {func(app *ishaa.App) {
			app.Get("/x", say(""), rmf.Reality("stable", rmf.AutoPromote()))
			app.Get("/x", say(""), rmf.Reality("a"))
		}, "cannot be promoted"},
		"nothing to compare with": {func(app *ishaa.App) {
			app.Get("/x", say(""), rmf.Reality("a", rmf.ActiveBetween("mon"), rmf.Traffic(10)))
			app.Get("/x", say(""), rmf.Reality("b", rmf.ActiveBetween("tue")))
		}, "have windows"},
		"a variant that is no reality": {func(app *ishaa.App) {
			app.Get("/x", say(""), rmf.Reality("stable"))
			app.Get("/x", say(""), ishaa.Variant("reality", "b"))
		}, "no rmf.Reality"},
	} {
		t.Run(name, func(t *testing.T) {
			app, _, _ := newApp(t, rmf.Options{})
			c.register(app)
			if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "select_test.go:") {
				t.Errorf("the error is %v", err)
			}
		})
	}
	t.Run("nodes that share nothing to sign with", func(t *testing.T) {
		app, _, _ := newApp(t, rmf.Options{Store: store.NewMemory(store.MemoryOptions{})}, ishaa.Config{})
		app.Get("/x", say(""), rmf.Reality("stable"))
		if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "ISHAA_SECRET") {
			t.Errorf("the error is %v", err)
		}
	})
}

// A route without realities is compiled as if the engine were not there, and realities are one operation in OpenAPI.
func TestBesideOtherRoutes(t *testing.T) {
	app, _, _ := newApp(t, rmf.Options{})
	app.Get("/plain", say("plain"))
	app.Get("/one", say("one"), ishaa.Variant("own", "a"), ishaa.SelectBy(ishaa.SelectorFunc(func(*ishaa.Request, *ishaa.Route) int { return 1 })))
	app.Get("/one", say("two"), ishaa.Variant("own", "b"))
	app.Get("/x", say("v1"), rmf.Reality("stable"), ishaa.Name("x"))
	app.Get("/x", say("v2"), rmf.Reality("experimental", rmf.Traffic(20)))
	openapi.Mount(app, openapi.Info{Title: "shop", Version: "1"})
	client := ishaatest.New(t, app)
	client.Get("/plain").Contains("plain").Header("Cache-Control", "").Header("Vary", "")
	client.Get("/one").Contains("two")
	var document struct{ Paths map[string]map[string]any }
	client.Get("/openapi.json").Status(200).JSON(&document)
	if len(document.Paths["/x"]) != 1 || document.Paths["/x"]["get"] == nil {
		t.Errorf("the document has %v", document.Paths["/x"])
	}
}

// The variant is an attribute of the log's record.
func TestLogNamesTheReality(t *testing.T) {
	app, _, _ := newApp(t, rmf.Options{})
	app.Get("/x", say("v1"), rmf.Reality("stable"))
	app.Get("/x", say("v2"), rmf.Reality("experimental", rmf.Traffic(0)))
	client := ishaatest.New(t, app)
	book := ishaatest.Logs(t, app)
	client.Get("/x")
	if got := book.Want(0, "request").Attr("variant"); got != "stable" {
		t.Errorf("variant=%q", got)
	}
}
