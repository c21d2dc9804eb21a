package sare

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// A world is what random handlers read beside their request: a number in each of three tables.
type world struct {
	source string
	rows   [3]atomic.Int64
}

func (w *world) read(r *ishaa.Request, table int) string {
	effect.Read(r.Context(), w.source, fmt.Sprint(table))
	return fmt.Sprint(w.rows[table].Load())
}

func (w *world) write(table int) {
	done := effect.Writing(w.source, fmt.Sprint(table))
	w.rows[table].Add(1)
	done()
}

// wandering is a handler that reads this and that; what it reads next depends on what it has read, and its answer is all
// of it. It is a function of its program, its request and the world.
func wandering(program uint64, w *world) ishaa.Handler {
	return func(r *ishaa.Request) (any, error) {
		var trail strings.Builder
		for step := range 6 {
			h := fnv.New64a()
			fmt.Fprint(h, program, step, trail.String())
			dice := h.Sum64() * 0x9e3779b97f4a7c15 >> 20
			name := string(rune('a' + dice>>8%3))
			var got string
			switch dice % 20 {
			case 0, 1, 2, 3:
				got = r.Query(name)
			case 4:
				got = fmt.Sprint(r.QueryValues())
			case 5, 6:
				got = r.Header("X-" + name)
			case 7:
				got = fmt.Sprint(r.HeaderValues("X-" + name))
			case 8:
				got = r.Param("name")
			case 9:
				got = r.Host()
			case 10:
				got = r.Method()
			case 11:
				got = r.Path()
			case 12:
				got, _ = r.Cookie(name)
			case 13:
				got = attemptTenant.Get(r)
			case 14:
				got = fmt.Sprint(r.Context().Value(attemptContextKey{}))
			case 15, 16:
				got = w.read(r, int(dice>>8%3))
			case 17:
				value, _ := r.Input(ishaa.Input{Kind: ishaa.InputHeader, Name: "X-" + strings.ToUpper(name)})
				got = value
				if header := r.Response().Header(); !slices.Contains(header["Vary"], "x-"+name) { // as answers are merged
					header.Add("Vary", "x-"+name)
				}
			default:
				return ishaa.Text(trail.String() + "."), nil
			}
			fmt.Fprintf(&trail, "%q ", got)
		}
		return ishaa.Text(trail.String()), nil
	}
}

// randomRequest makes the same request any number of times.
func randomRequest(r *rand.Rand) func() *http.Request {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	method := pick("GET", "GET", "GET", "GET", "HEAD", "POST")
	var query []string
	for range r.IntN(3) {
		query = append(query, pick("a", "b", "c", "%61")+pick("", "=", "=1", "=2", "=%31"))
	}
	target := "/w/" + pick("x", "y", "%78") + "?" + strings.Join(query, "&")
	var headers []string
	for range r.IntN(4) {
		headers = append(headers, pick("X-A", "X-B", "X-C", "X-Tenant"), pick("1", "2"))
	}
	switch r.IntN(8) {
	case 0:
		headers = append(headers, "Cookie", pick("a=ada", "b=bob; a=eve"))
	case 1:
		headers = append(headers, "X-User", pick("ada", "bob"))
	case 2:
		headers = append(headers, "Cache-Control", pick("no-cache", "no-store", "max-age=10"))
	}
	host := pick("a.example", "a.example", "b.example")
	return func() *http.Request {
		raw := ask(method, target, headers...)
		raw.Host = host
		return raw
	}
}

func (w *world) app(t testing.TB, program uint64, lot func() uint32) (*ishaa.App, *Engine) {
	app := newApp(t)
	var e *Engine
	if lot != nil {
		e = Enable(app, Options{OptimizeInterval: never, CacheSize: 60, lot: lot})
	}
	app.Before(func(r *ishaa.Request) (any, error) {
		attemptTenant.Set(r, r.Header("X-Tenant"))
		if user := r.Header("X-User"); user != "" {
			r.SetContext(contextWithUser(r, user))
		}
		return nil, nil
	})
	app.Any("/w/<name>", wandering(program, w))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return app, e
}

// Whatever handlers read, what is answered with the engine is what is answered without it, while tables are written,
// answers are refreshed and others evicted.
func TestNoWrongHit(t *testing.T) {
	total := 40_000
	if testenv.Long() {
		total = 1_000_000
	}
	const each, askers = 2_000, 2
	var hits, byURL, compared uint64
	for program := range uint64(total / each) {
		w := &world{source: fmt.Sprint(t.Name(), program)}
		plain, _ := w.app(t, program, nil)
		app, e := w.app(t, program, seededLot(program))
		m := force(t, e, "/w/<name>")
		m.ttl.Store(int64(time.Hour)) // only writes end an answer's time
		var seen sync.Map
		var wrong atomic.Uint64
		for round := range 5 {
			var wg sync.WaitGroup
			for asker := range askers {
				r := rand.New(rand.NewPCG(program, uint64(round*askers+asker)))
				wg.Go(func() {
					for range each / askers / 5 {
						request := randomRequest(r)
						want, got := answerOf(plain, request()), answerOf(app, request())
						if want.Code != got.Code || want.Body.String() != got.Body.String() || fmt.Sprint(want.Header()) != fmt.Sprint(got.Header()) {
							t.Errorf("program %d: %s %s %v\nwithout the engine %q %v\nwith it            %q %v", program, request().Method, request().URL, request().Header,
								want.Body, want.Header(), got.Body, got.Header())
							return
						}
						if other, known := seen.LoadOrStore(request().URL.String(), want.Body.String()); known && other != want.Body.String() {
							wrong.Add(1)
						}
					}
				})
			}
			wg.Wait()
			w.write(round % 3)
		}
		settle(t, e)
		if !m.open.Load() {
			t.Errorf("program %d: the engine has found a difference: %s", program, routeOf(t, e, "/w/<name>").s.why)
		}
		hits, byURL, compared = hits+e.Stats().Hits, byURL+wrong.Load(), compared+m.counts.clean.Load()
		stop(t, app, plain)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d requests: %d from memory, %d of them made again and compared; by the URL alone %d would have been wrong", total, hits, compared, byURL)
	if int(hits) < total/20 || int(byURL) < total/20 || compared == 0 {
		t.Error("too little came from memory for the test to mean anything")
	}
}

// 10,000 times, a write that is done is seen by the next read, while others read all the time.
func TestWritesAreSeen(t *testing.T) {
	w := &world{source: t.Name()}
	app := newApp(t)
	e := Enable(app, Options{OptimizeInterval: never})
	app.Get("/sales", func(r *ishaa.Request) (any, error) { return ishaa.Text(w.read(r, 0)), nil })
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, app)
	m := force(t, e, "/sales")
	m.ttl.Store(int64(time.Hour))
	var written atomic.Int64
	end := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				least := written.Load()
				var got int64
				if _, err := fmt.Sscan(answerOf(app, ask("GET", "/sales")).Body.String(), &got); err != nil || got < least {
					t.Errorf("after write %d the answer is %d, %v", least, got, err)
					return
				}
			}
		})
	}
	const writes = 10_000
	for n := range int64(writes) {
		w.write(0)
		written.Store(n + 1)
		if got := answerOf(app, ask("GET", "/sales")).Body.String(); got != fmt.Sprint(n+1) {
			t.Fatalf("after write %d the answer is %s", n+1, got)
		}
	}
	close(end)
	readers.Wait()
	if hits := e.Stats().Hits; hits == 0 {
		t.Error("nothing came from memory")
	}
	t.Logf("%d writes, %d answers from memory", writes, e.Stats().Hits)
}

// However many miss at once, the handler runs once or twice.
func TestMissesAtOnce(t *testing.T) {
	const askers = 1000
	for _, known := range []bool{false, true} {
		var runs atomic.Int64
		gate := make(chan struct{})
		app := newApp(t)
		app.SetClock(ishaatest.NewClock(noon)) // nobody gives up waiting, and no answer is too old, on a slow machine
		e := Enable(app, Options{OptimizeInterval: never, NoLimiter: true})
		app.Get("/hot/<page>", func(r *ishaa.Request) (any, error) {
			runs.Add(1)
			if r.Param("page") != "known" {
				<-gate
			}
			return ishaa.Text("page " + r.Param("page") + r.Header("X-Theme")), nil
		})
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := force(t, e, "/hot/<page>")
		if known { // what the handler reads
			answerOf(app, ask("GET", "/hot/known"))
		}
		before := runs.Load()
		var wg sync.WaitGroup
		for range askers {
			wg.Go(func() {
				if got := answerOf(app, ask("GET", "/hot/1")).Body.String(); got != "page 1" {
					t.Errorf("the answer is %q", got)
				}
			})
		}
		for deadline := time.Now().Add(3 * time.Minute); m.counts.waited.Load() < askers-1; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d requests wait", m.counts.waited.Load(), askers-1)
			}
		}
		close(gate)
		wg.Wait()
		if n := runs.Load() - before; n > 2 {
			t.Errorf("the handler ran %d times for %d requests (known: %v)", n, askers, known)
		}
		stop(t, app)
	}
}

// What cannot be shared is not waited for twice.
func TestNobodyWaitsForWhatIsNotKept(t *testing.T) {
	clock := ishaatest.NewClock(noon)
	app := newApp(t)
	app.SetClock(clock)
	e := Enable(app, Options{OptimizeInterval: never})
	app.Get("/own", func(r *ishaa.Request) (any, error) { who, _ := r.Cookie("who"); return ishaa.Text("for " + who), nil })
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, app)
	m := force(t, e, "/own")
	answerOf(app, ask("GET", "/own"))
	for range 50 {
		answerOf(app, ask("GET", "/own", "Cookie", "who=ada"))
	}
	if waited := m.counts.waited.Load(); waited != 0 {
		t.Errorf("%d requests have waited", waited)
	}
	_, missed, _ := m.trie.find(nil)
	if _, _, alone := m.flights.join(missed, clock.Now()); !alone {
		t.Error("the place is not known as one where nothing is kept")
	}
}
