package ishaa_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// The law of these tests: whatever handlers do, answers with the engine are those
// without it.

// The database of the tests is a number in each of three tables.
var tableNames = []string{"albums", "tracks", "sales"}

type database struct {
	source string
	rows   map[string]*atomic.Int64
}

func newDatabase(source string) *database {
	db := &database{source: source, rows: map[string]*atomic.Int64{}}
	for _, name := range tableNames {
		db.rows[name] = &atomic.Int64{}
	}
	return db
}

func (db *database) read(ctx context.Context, table string) int64 {
	effect.Read(ctx, db.source, table)
	return db.rows[table].Load()
}

func (db *database) write(table string) {
	defer effect.Writing(db.source, table)()
	db.rows[table].Add(1)
}

var (
	engineTraced = ishaa.NewKey[string]("traced").Traced(func(text string) string { return text })
	enginePlain  = ishaa.NewKey[string]("plain")
)

type engineContextKey struct{}

// greeting is a dependency that may be there before the handler runs.
type greeting struct {
	Language string `header:"X-Language"`
	text     string
}

func (g *greeting) Resolve(context.Context) error {
	g.text = "hello in " + g.Language
	return nil
}

// engineInput is what the typed route of the tests binds.
type engineInput struct {
	Place    string `path:"place"`
	Page     string `query:"q0"`
	Theme    string `header:"X-Theme"`
	Greeting *greeting
}

// inputsToRead is every way in which a handler may look at its request.
func inputsToRead(db *database) []func(r *ishaa.Request) string {
	list := []func(r *ishaa.Request) string{
		func(r *ishaa.Request) string { return r.Method() },
		func(r *ishaa.Request) string { return r.Path() },
		func(r *ishaa.Request) string { return r.URL().String() },
		func(r *ishaa.Request) string { return r.Host() },
		func(r *ishaa.Request) string { return r.Scheme() },
		func(r *ishaa.Request) string { return r.Param("place") },
		func(r *ishaa.Request) string { return strconv.FormatInt(r.ParamInt("number"), 10) },
		func(r *ishaa.Request) string { return r.QueryValues().Encode() },
		func(r *ishaa.Request) string { return r.Header("Authorization") },
		func(r *ishaa.Request) string { return r.Client().String() },
		func(r *ishaa.Request) string { return engineTraced.Get(r) },
		func(r *ishaa.Request) string { return enginePlain.Get(r) },
		func(r *ishaa.Request) string { return r.HTTP().Header.Get("X-Theme") },
		func(r *ishaa.Request) string { value, ok := r.Cookie("who"); return fmt.Sprint(value, ok) },
		func(r *ishaa.Request) string { return fmt.Sprint(r.Context().Value(engineContextKey{})) },
		func(r *ishaa.Request) string {
			g, err := ishaa.Resolve[greeting](r)
			if err != nil {
				return err.Error()
			}
			return g.text
		},
	}
	for i := range 3 {
		name := fmt.Sprint("q", i)
		list = append(list, func(r *ishaa.Request) string { return fmt.Sprint(r.QueryValues()[name]) },
			func(r *ishaa.Request) string { return r.Query(name) })
	}
	for _, name := range []string{"X-Theme", "X-Language", "Accept"} {
		list = append(list, func(r *ishaa.Request) string { return r.Header(name) },
			func(r *ishaa.Request) string { return strings.Join(r.HeaderValues(name), "|") })
	}
	for _, table := range tableNames {
		list = append(list, func(r *ishaa.Request) string { return fmt.Sprint(table, db.read(r.Context(), table)) })
	}
	return list
}

// answersToGive is every kind of answer; text is what the handler has read.
var answersToGive = []func(r *ishaa.Request, text string) (any, error){
	func(_ *ishaa.Request, text string) (any, error) { return ishaa.Text(text), nil },
	func(_ *ishaa.Request, text string) (any, error) { return text, nil },
	func(_ *ishaa.Request, text string) (any, error) { return map[string]string{"text": text}, nil },
	func(_ *ishaa.Request, text string) (any, error) { return []byte(text), nil },
	func(_ *ishaa.Request, text string) (any, error) {
		return ishaa.HTMLf("<p>%s</p>", text).WithStatus(203).WithHeader("X-Made-By", "handler"), nil
	},
	func(r *ishaa.Request, text string) (any, error) {
		r.Response().Header().Add("Link", "</a>")
		r.Response().Header().Add("Link", "</b>")
		r.Response().Header().Add("Vary", "X-Theme")
		return ishaa.JSON(text), nil
	},
	func(_ *ishaa.Request, text string) (any, error) {
		return ishaa.Text(text).WithCookie(&http.Cookie{Name: "seen", Value: "1"}), nil
	},
	func(_ *ishaa.Request, text string) (any, error) {
		return ishaa.Text(text).WithHeader("Cache-Control", "private"), nil
	},
	func(_ *ishaa.Request, text string) (any, error) { return nil, ishaa.NotFound("nothing for %s", text) },
	func(*ishaa.Request, string) (any, error) { return nil, nil },
	func(_ *ishaa.Request, text string) (any, error) { return slices.Values([]string{"a", text}), nil },
	func(_ *ishaa.Request, text string) (any, error) { return strings.NewReader(text), nil },
	func(_ *ishaa.Request, text string) (any, error) { panic(text) },
	func(_ *ishaa.Request, text string) (any, error) {
		return ishaa.Redirect("/" + fmt.Sprint(len(text))), nil
	},
}

// randomHandler makes a handler that reads one input after another, each depending
// on what it has read, and answers with all of it.
func randomHandler(random *rand.Rand, db *database) ishaa.Handler {
	inputs := inputsToRead(db)
	type node struct {
		read      func(*ishaa.Request) string
		one, two  *node
		answer    func(*ishaa.Request, string) (any, error)
		forgetful bool // what it reads decides the way, but is not in the answer
	}
	var grow func(depth int) *node
	grow = func(depth int) *node {
		if depth == 0 || random.IntN(4) == 0 {
			return &node{answer: answersToGive[random.IntN(len(answersToGive))]}
		}
		return &node{read: inputs[random.IntN(len(inputs))], one: grow(depth - 1), two: grow(depth - 1), forgetful: random.IntN(4) == 0}
	}
	root := grow(4)
	return func(r *ishaa.Request) (any, error) {
		var text strings.Builder
		n := root
		for n.read != nil {
			value := n.read(r)
			if !n.forgetful {
				text.WriteString(value + ";")
			}
			hash := fnv.New32a()
			hash.Write([]byte(value))
			if hash.Sum32()%2 == 0 {
				n = n.one
			} else {
				n = n.two
			}
		}
		return n.answer(r, text.String())
	}
}

// randomApp makes an application of which everything but the engine depends on the
// seed alone.
func randomApp(t *testing.T, seed uint64, db *database, e *engine) *ishaa.App {
	app := newApp(t, ishaa.Config{TrustedProxies: []string{"192.0.2.1"}})
	app.Without(ishaa.DefaultRequestID)
	app.Before(func(r *ishaa.Request) (any, error) {
		engineTraced.Set(r, r.Header("X-Traced"))
		if who, ok := r.Cookie("who"); ok {
			enginePlain.Set(r, who)
			r.SetContext(context.WithValue(r.Context(), engineContextKey{}, who))
		}
		if r.Header("X-Early") != "" {
			_, err := ishaa.Resolve[greeting](r)
			return nil, err
		}
		return nil, nil
	})
	for _, name := range []string{"a", "b", "c"} {
		refuses := func(r *ishaa.Request) bool { return r.Header("X-Refused-By") == name }
		app.Use(ishaa.Middleware{Name: name, Commutes: true, Probe: refuses, Before: func(r *ishaa.Request) (any, error) {
			if refuses(r) {
				return nil, ishaa.Forbidden("refused by %s", name)
			}
			return nil, nil
		}})
	}
	app.After(func(_ *ishaa.Request, res *ishaa.Response) error {
		res.Header().Set("X-After", strconv.Itoa(res.Status()))
		return nil
	})
	random := rand.New(rand.NewPCG(seed, 1))
	same := randomHandler(random, db)
	one := ishaa.SelectorFunc(func(*ishaa.Request, *ishaa.Route) int { return 0 })
	app.Get("/two/<place>/<int:number>", same, ishaa.Variant("twins", "one"), ishaa.SelectBy(one))
	app.Get("/two/<place>/<int:number>", same, ishaa.Variant("twins", "two"))
	app.Any("/one/<place>/<int:number>", randomHandler(random, db))
	app.Get("/never/<place>/<int:number>", randomHandler(random, db), engineRule.On(neverRemember))
	ishaa.Get(app, "/typed/<place>/<int:number>", func(ctx context.Context, in *engineInput) (map[string]any, error) {
		return map[string]any{"place": in.Place, "page": in.Page, "theme": in.Theme, "greeting": in.Greeting.text, "rows": db.read(ctx, "albums")}, nil
	}, ishaa.Status(201))
	if e != nil {
		app.Install(e)
		for _, route := range app.Routes() {
			if len(route.Variants()) > 0 {
				app.SetSelector(route, e)
			}
		}
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return app
}

// randomRequest makes the same request twice.
func randomRequest(random *rand.Rand) func() *http.Request {
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	method := pick("GET", "GET", "GET", "GET", "HEAD", "POST")
	target := pick("/two/", "/two/", "/one/", "/never/", "/typed/", "/nowhere/") + pick("x", "x", "%20") + "/" + pick("1", "1", "01")
	var pairs []string
	for range max(0, random.IntN(6)-3) {
		pairs = append(pairs, pick("q0", "q0", "q1", "q%30")+pick("", "=", "=1", "=1", "=%31", "=1+2"))
	}
	if len(pairs) > 0 {
		target += "?" + strings.Join(pairs, "&")
	}
	header := http.Header{}
	for name, values := range map[string][]string{
		"X-Theme": {"", "dark", "light"}, "X-Language": {"", "en", "de"}, "Accept": {"text/html", "application/json"},
		"X-Traced": {"", "1", "2"}, "X-Early": {"1"}, "Authorization": {"Bearer ada", "Bearer bob"}, "Cookie": {"who=ada", "who=bob"},
		"X-Refused-By": {"a", "b", "c"}, "X-Forwarded-For": {"198.51.100.1", "198.51.100.2"}, "X-Forwarded-Host": {"a.example"},
	} {
		for random.IntN(6) == 0 {
			header.Add(name, values[random.IntN(len(values))])
		}
	}
	host, peer := pick("a.example", "a.example", "b.example"), pick("192.0.2.1:1", "203.0.113.7:2")
	return func() *http.Request {
		raw := httptest.NewRequest(method, target, nil)
		raw.Host, raw.RemoteAddr, raw.Header = host, peer, header.Clone()
		return raw
	}
}

// TestEngineChangesNoAnswer compares random applications with and without the
// engine, request by request, while the engine does all it can.
func TestEngineChangesNoAnswer(t *testing.T) {
	noLeaks(t)
	apps, rounds, askers, each := 30, 3, 3, 80
	if testenv.Long() {
		apps, each = 600, 200
	}
	var total, hits, compared, reordered, mixedUp int64
	for seed := range uint64(apps) {
		db := newDatabase(fmt.Sprint(t.Name(), seed))
		e := newEngine()
		plain, adaptive := randomApp(t, seed, db, nil), randomApp(t, seed, db, e)
		sent := int64(0)
		byURL := sync.Map{}
		for round := range rounds {
			var wg sync.WaitGroup
			for asker := range askers {
				random := rand.New(rand.NewPCG(seed, uint64(2+round*askers+asker)))
				wg.Go(func() {
					for range each {
						request := randomRequest(random)
						want, got := httptest.NewRecorder(), httptest.NewRecorder()
						plain.ServeHTTP(want, request())
						adaptive.ServeHTTP(got, request())
						if want.Code != got.Code || want.Body.String() != got.Body.String() || !reflect.DeepEqual(want.Header(), got.Header()) {
							t.Errorf("seed %d: %s %s %v\nwithout the engine: %d %v\n%s\nwith it: %d %v\n%s", seed, request().Method, request().URL, request().Header,
								want.Code, want.Header(), want.Body, got.Code, got.Header(), got.Body)
							return
						}
						if other, known := byURL.LoadOrStore(request().URL.String(), want.Body.String()); known && other != want.Body.String() {
							atomic.AddInt64(&mixedUp, 1)
						}
					}
				})
			}
			if round == 1 {
				if err := e.set(false); err != nil {
					t.Fatal(err)
				}
				if err := e.set(true); err != nil {
					t.Fatal(err)
				}
			}
			wg.Wait()
			sent += int64(askers * each)
			db.write(tableNames[round%len(tableNames)])
		}
		if err := adaptive.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			return
		}
		if n := e.requests.Load(); n != sent {
			t.Errorf("seed %d: the engine counted %d of %d requests", seed, n, sent)
		}
		if n := e.mismatched.Load(); n > 0 {
			t.Errorf("seed %d: %d of %d answers differ when they are given again", seed, n, e.compared.Load())
		}
		for _, name := range []string{"one", "two"} {
			if count, ok := e.byVariant.Load(name); !ok || count.(*atomic.Int64).Load() == 0 {
				t.Errorf("seed %d: variant %s answered nothing", seed, name)
			}
		}
		if e.outside.Load() == 0 || e.selected.Load() == 0 {
			t.Errorf("seed %d: the outer layers saw %d and %d requests", seed, e.outside.Load(), e.selected.Load())
		}
		total, hits, compared, reordered = total+sent, hits+e.hits.Load(), compared+e.compared.Load(), reordered+e.reordered.Load()
	}
	t.Logf("%d requests to %d applications: %d answers from memory, %d compared in shadow, %d new orders; %d would have been wrong by URL alone",
		total, apps, hits, compared, reordered, mixedUp)
	if hits < total/20 || compared == 0 || reordered == 0 || mixedUp < total/20 {
		t.Error("the engine has done too little for the test to mean anything")
	}
}

// A kept answer never outlives a write: once it is done, nobody is told what was
// there before.
func TestEngineKeepsNothingBeyondAWrite(t *testing.T) {
	noLeaks(t)
	db := newDatabase(t.Name())
	e := newEngine()
	app := newApp(t)
	app.Get("/sales", func(r *ishaa.Request) (any, error) { return db.read(r.Context(), "sales"), nil })
	app.Install(e)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var written atomic.Int64 // writes that are done
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				least := written.Load()
				if got, err := strconv.ParseInt(do(t, app, "GET", "/sales").body, 10, 64); err != nil || got < least {
					t.Errorf("after write %d the answer is %d, %v", least, got, err)
					return
				}
			}
		})
	}
	const writes = 2000
	for n := range int64(writes) {
		db.write("sales")
		written.Store(n + 1)
		if got := do(t, app, "GET", "/sales").body; got != strconv.FormatInt(n+1, 10) {
			t.Fatalf("after write %d the answer is %s", n+1, got)
		}
	}
	close(stop)
	readers.Wait()
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e.hits.Load() == 0 {
		t.Error("nothing was ever answered from memory")
	}
}

// Answers that are no function of what was read are found out by answering again,
// and answering again changes nothing in the world.
func TestEngineUndoesWhatDiffers(t *testing.T) {
	noLeaks(t)
	e := newEngine()
	app := newApp(t)
	var steady, visits, given atomic.Int64
	app.Get("/steady", func(r *ishaa.Request) (any, error) {
		if !effect.Shadow(r.Context()) {
			steady.Add(1)
		}
		if !effect.Intend(r.Context(), effect.Intent{Kind: "sql", Target: "visits"}) {
			visits.Add(1)
		}
		return "steady", nil
	})
	app.Get("/random", func(*ishaa.Request) (any, error) { return given.Add(1), nil })
	app.Install(e)
	for range 1000 {
		do(t, app, "GET", "/steady").wantBody(t, 200, "steady")
	}
	eventually(t, "answers are compared", func() bool { return e.compared.Load() > 0 })
	if e.mismatched.Load() != 0 {
		t.Errorf("%d answers of a steady handler differ", e.mismatched.Load())
	}
	if visits.Load() != steady.Load() || e.intents.Load() == 0 {
		t.Errorf("%d visits were recorded for %d, and %d not for shadows", visits.Load(), steady.Load(), e.intents.Load())
	}
	eventually(t, "the handler that differs is no longer remembered", func() bool {
		do(t, app, "GET", "/random").want(t, 200)
		return e.mismatched.Load() > 0
	})
	if one, two := do(t, app, "GET", "/random").body, do(t, app, "GET", "/random").body; one == two {
		t.Errorf("the answers are %s and %s", one, two)
	}
	do(t, app, "GET", "/steady").wantBody(t, 200, "steady")
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Middleware that refuses most comes to run first, and everybody is still refused by
// the same.
func TestEngineReorders(t *testing.T) {
	noLeaks(t)
	e := newEngine()
	db := newDatabase(t.Name())
	app := randomApp(t, 1, db, e)
	for i := range 400 {
		name := "c"
		if i%7 == 0 {
			name = "b"
		}
		do(t, app, "GET", "/one/x/1", withHeader("X-Refused-By", name)).wantProblem(t, 403, "refused by "+name)
	}
	if err := app.Stop(t.Context()); err != nil { // from here on the test alone reorders
		t.Fatal(err)
	}
	var route *ishaa.Route
	for _, other := range app.Routes() {
		if strings.HasPrefix(other.Pattern(), "/one/") {
			route = other
		}
	}
	names := func() (list []string) {
		middleware := route.Middleware()
		for _, i := range orderOf(middleware, e.orders[route]) {
			if m := middleware[i]; m.Probe != nil {
				list = append(list, m.Name)
			}
		}
		return list
	}
	same(t, "order", names(), []string{"c", "b", "a"})
	e.reorder()
	for _, name := range []string{"a", "b", "c"} {
		do(t, app, "GET", "/one/x/1", withHeader("X-Refused-By", name)).wantProblem(t, 403, "refused by "+name)
	}
}
