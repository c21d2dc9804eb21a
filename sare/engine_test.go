package sare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// Disable, in the middle of load, returns every route to what was registered, at once: from its return on, every request
// reaches its handler. Enable begins anew.
func TestDisableUnderLoad(t *testing.T) {
	var runs atomic.Int64
	app := newApp(t)
	e := Enable(app, Options{OptimizeInterval: never})
	app.Get("/x", func(*ishaa.Request) (any, error) { runs.Add(1); return ishaa.Text("x"), nil })
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, app)
	for range 20 {
		force(t, e, "/x")
		end := make(chan struct{})
		var askers sync.WaitGroup
		for range 4 {
			askers.Go(func() {
				for {
					select {
					case <-end:
						return
					default:
					}
					if w := answerOf(app, ask("GET", "/x")); w.Code != 200 || w.Body.String() != "x" {
						t.Errorf("the answer is %d %q", w.Code, w.Body)
						return
					}
				}
			})
		}
		hits := e.Stats().Hits
		for deadline := time.Now().Add(2 * time.Minute); e.Stats().Hits < hits+100; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("nothing comes from memory")
			}
		}
		e.Disable()
		before := runs.Load()
		for i := range int64(50) {
			answerOf(app, ask("GET", "/x"))
			if runs.Load() < before+i+1 {
				t.Fatal("after Disable an answer came from memory")
			}
		}
		close(end)
		askers.Wait()
		if e.Stats().Enabled || e.Report().State != "off" {
			t.Error("the engine does not say that it is off")
		}
		e.Enable()
	}
}

// A panic inside the optimiser turns the engine off and leaves the application serving; Enable begins anew.
func TestOptimiserPanics(t *testing.T) {
	clock := ishaatest.NewClock(noon)
	app := newApp(t)
	app.SetClock(clock)
	lot := seededLot(1)
	e := Enable(app, Options{OptimizeInterval: time.Second, NoLimiter: true, Dir: t.TempDir(), lot: lot})
	app.Get("/x", func(*ishaa.Request) (any, error) { return ishaa.Text("x"), nil })
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, app)
	e.mu.Lock()
	e.predictor.interval = 0 // what it divides by
	e.mu.Unlock()
	for range 50 {
		if w := answerOf(app, ask("GET", "/x")); w.Code != 200 {
			t.Fatal(w.Code)
		}
	}
	eventually(t, "the engine gives up", func() bool {
		clock.Advance(time.Second)
		return e.broken.Load() != nil
	})
	eventually(t, "the routes are as registered", func() bool { return e.policy.Load() == nil })
	if w := answerOf(app, ask("GET", "/x")); w.Code != 200 || w.Body.String() != "x" {
		t.Errorf("the answer is %d %q", w.Code, w.Body)
	}
	if state := e.Report().State; !strings.Contains(state, "gave up") {
		t.Errorf("the state is %q", state)
	}
	e.mu.Lock()
	e.predictor.interval = time.Second
	e.mu.Unlock()
	e.Enable()
	before := e.Stats().Steps
	eventually(t, "the owner takes turns again", func() bool {
		clock.Advance(time.Second)
		return e.Stats().Steps > before
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never happens that %s", what)
		}
	}
}

// What the route forbids, and what the engine must not touch, is counted and left alone.
func TestLeftAlone(t *testing.T) {
	l := newLab(t, Options{}, func(l *lab) {
		slow := func(*ishaa.Request) (any, error) { l.clock.Advance(time.Millisecond); return ishaa.Text("x"), nil }
		l.app.Get("/never", slow, Never())
		l.app.Post("/post", slow)
		l.app.Get("/writes", func(r *ishaa.Request) (any, error) {
			effect.Intend(r.Context(), effect.Intent{Kind: "sql", Target: "visits"})
			return slow(r)
		})
		l.app.Get("/own", func(r *ishaa.Request) (any, error) { r.Cookie("who"); return slow(r) })
	})
	for range 60 {
		l.second(30, func(int) string { return "/never" })
		l.second(30, func(int) string { return "/writes" })
		l.second(30, func(int) string { return "/own" })
	}
	for pattern, why := range map[string]string{"/never": "sare.Never()", "/post": "GET", "/writes": "changes something (sql visits)", "/own": "who asks"} {
		x, err := l.e.Explain(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if x.Memory.Hits != 0 || !strings.Contains(x.String(), why) {
			t.Errorf("%s does not say %q:\n%s", pattern, why, x)
		}
	}
	if !l.route("/writes").s.forever {
		t.Error("a handler that writes would be tried again")
	}
	if n := l.route("/never").snapshot().Requests(); n != 60*30 {
		t.Errorf("%d requests were counted", n)
	}
	if _, err := l.e.Explain("/nowhere"); err == nil || !strings.Contains(err.Error(), "/never") {
		t.Errorf("Explain of a route that is not there: %v", err)
	}
}

func TestReports(t *testing.T) {
	l := newLab(t, Options{}, func(l *lab) {
		l.app.Get("/list", func(*ishaa.Request) (any, error) { l.clock.Advance(time.Millisecond); return ishaa.Text("x"), nil }, ishaa.Name("list"))
		l.app.Get("/raw", func(r *ishaa.Request) (any, error) {
			l.clock.Advance(9 * time.Millisecond)
			return ishaa.Text(r.HTTP().Host), nil
		})
		l.app.Get(`/odd/<re("[a-z&]+"):b>`, func(*ishaa.Request) (any, error) { return nil, ishaa.NotFound("none") })
		l.app.Get("/sare/report", func(*ishaa.Request) (any, error) { return l.e.Report(), nil }, Never())
	})
	for range 20 {
		l.second(20, func(int) string { return "/list" })
		l.second(20, func(int) string { return "/raw" })
	}
	l.get("/odd/b&")
	l.get("/no/such/route")
	var report Report
	w := l.get("/sare/report")
	if err := json.Unmarshal(w.Body.Bytes(), &report); err != nil || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if report.Routes[0].Route != "GET /raw" || report.Totals.Requests < 800 || len(report.Layers) != 5 {
		t.Errorf("the report is %+v", report)
	}
	found := map[string]RouteReport{}
	for _, r := range report.Routes {
		found[r.Route] = r
	}
	if r := found[`GET /odd/<re("[a-z&]+"):b>`]; r.NotFound != 1 || r.Refusals != 1 {
		t.Errorf("the route that answers 404 is %+v", r)
	}
	if r := found["(no route)"]; r.NotFound != 1 {
		t.Errorf("requests without a route are %+v", r)
	}
	if r := found["GET /list"]; r.Requests != 400 || r.P50 < time.Millisecond*98/100 || r.P50 > time.Millisecond*102/100 || len(r.Curve) == 0 {
		t.Errorf("the list is %+v", r)
	}
	advised := false
	for _, a := range report.Advice {
		advised = advised || a.Route == "GET /raw" && strings.Contains(a.Do, "sare.Vary")
	}
	if !advised {
		t.Errorf("the advice is %+v", report.Advice)
	}
	page := l.get("/sare/report", "Accept", "text/html")
	policy := page.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	for _, want := range []string{"<svg", "GET /list", "/odd/&lt;re(&#34;[a-z&amp;]&#43;&#34;):b&gt;", "What a person could do", "<style>" + pageStyle + "</style>"} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if strings.Contains(page.Body.String(), "<script") || strings.Contains(page.Body.String(), "style=") {
		t.Error("the page holds what its policy refuses")
	}
	var text bytes.Buffer
	l.e.PrintReport(&text)
	for _, want := range []string{"SARE lab: on", "Observation", "Reporting", "GET /raw"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the printed report does not say %q:\n%s", want, &text)
		}
	}
	l.e.Reset()
	if s := l.e.Stats(); s.Requests != 0 || s.Answers != 0 {
		t.Errorf("after Reset: %+v", s)
	}
	l.second(10, func(int) string { return "/list" })
	if s := l.e.Stats(); s.Requests != 10 {
		t.Errorf("after Reset and ten requests: %+v", s)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for name, options := range map[string]Options{
		"interval": {OptimizeInterval: -1}, "size": {CacheSize: -1}, "flight": {FlightRecorder: true}, "profiles": {Profiles: true}, "node": {Node: "a\nb"},
	} {
		func() {
			defer func() {
				if cause := recover(); cause == nil || !strings.Contains(fmt.Sprint(cause), "Options.") {
					t.Errorf("%s: %v", name, cause)
				}
			}()
			Enable(newApp(t), options)
		}()
	}
	for _, names := range [][]string{{"Cookie"}, {"authorization"}, {"*"}, {""}, {"a", "b", "c", "d", "e"}} {
		app := newApp(t)
		Enable(app, Options{OptimizeInterval: never})
		app.Get("/x", func(*ishaa.Request) (any, error) { return nil, nil }, Vary(names...))
		if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "sare.Vary") {
			t.Errorf("Vary(%q): %v", names, err)
		}
	}
}

// The engine is linked without a library.
func TestDependencies(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/ishaa-framework/ishaa"
	for _, path := range strings.Fields(string(out)) {
		if path != module && !strings.HasPrefix(path, module+"/") {
			t.Errorf("package sare depends on %s", path)
		}
	}
}
