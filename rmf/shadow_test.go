package rmf_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/files"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/mail"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	"github.com/ishaa-framework/ishaa/outbound"
	"github.com/ishaa-framework/ishaa/rmf"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/tasks"
)

type album struct {
	orm.Model
	Title string `db:"size:100,unique"`
	Sold  int
}

// probe is a candidate that does something to the world.
type probe struct {
	name string
	do   func(r *ishaa.Request) error
}

func ormProbes(engine string, db *orm.DB) []probe {
	albums := orm.Of[album](db)
	one := func(ctx context.Context) album { a, _ := albums.Filter("title", "first").First(ctx); return a }
	p := func(name string, do func(ctx context.Context) error) probe {
		return probe{engine + " " + name, func(r *ishaa.Request) error { return do(r.Context()) }}
	}
	return []probe{
		p("create", func(ctx context.Context) error { _, err := albums.Create(ctx, album{Title: "new"}); return err }),
		p("create many", func(ctx context.Context) error {
			return albums.CreateMany(ctx, []album{{Title: "new 1"}, {Title: "new 2"}})
		}),
		p("save", func(ctx context.Context) error { a := one(ctx); a.Sold++; return albums.Save(ctx, &a) }),
		p("delete", func(ctx context.Context) error { a := one(ctx); return albums.Delete(ctx, &a) }),
		p("destroy", func(ctx context.Context) error { a := one(ctx); return albums.Destroy(ctx, &a) }),
		p("upsert", func(ctx context.Context) error {
			_, err := albums.Upsert(ctx, album{Title: "first", Sold: 9}, "title")
			return err
		}),
		p("update by query", func(ctx context.Context) error {
			_, err := albums.Filter("sold__gte", 0).Update(ctx, orm.Set{"sold": 7})
			return err
		}),
		p("delete by query", func(ctx context.Context) error { _, err := albums.Query().Delete(ctx); return err }),
		p("raw insert", func(ctx context.Context) error {
			_, err := orm.Exec(ctx, db, "DELETE FROM albums")
			return err
		}),
		p("raw through database/sql", func(ctx context.Context) error {
			_, err := db.SQL().ExecContext(ctx, "UPDATE albums SET sold = 99")
			return err
		}),
		p("raw query that writes", func(ctx context.Context) error {
			_, err := albums.Raw(ctx, "UPDATE albums SET sold = 5 RETURNING *")
			return err
		}),
		p("drop table", func(ctx context.Context) error { return albums.DropTable(ctx) }),
		p("transaction", func(ctx context.Context) error {
			return db.Tx(ctx, func(tx *orm.Tx) error {
				_, err := orm.Of[album](tx).Create(ctx, album{Title: "in a transaction"})
				return err
			})
		}),
		p("transaction that reads first", func(ctx context.Context) error {
			return db.Tx(ctx, func(tx *orm.Tx) error {
				in := orm.Of[album](tx)
				a, err := in.Filter("title", "first").First(ctx)
				if err != nil {
					return err
				}
				a.Sold = 1000
				return in.Save(ctx, &a)
			})
		}),
	}
}

func plainProbes(st store.Store, c *cache.Cache, mailer *mail.Mailer, task *tasks.Task[int, struct{}], storage *files.Storage, kept string, client *http.Client, url string) []probe {
	p := func(name string, do func(ctx context.Context) error) probe {
		return probe{name, func(r *ishaa.Request) error { return do(r.Context()) }}
	}
	send := func(method string) probe {
		return p("outbound "+method, func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader("x"))
			if err != nil {
				return err
			}
			res, err := client.Do(req)
			if err != nil {
				return err
			}
			return res.Body.Close()
		})
	}
	s := func(name string, do func(s *session.Session) error) probe {
		return probe{"session " + name, func(r *ishaa.Request) error { return do(session.From(r)) }}
	}
	return []probe{
		p("store set", func(ctx context.Context) error { return st.Set(ctx, "new", []byte("x"), 0) }),
		p("store delete", func(ctx context.Context) error { return st.Delete(ctx, "known") }),
		p("store swap", func(ctx context.Context) error {
			_, err := st.CompareAndSwap(ctx, "known", []byte("value"), []byte("other"), 0)
			return err
		}),
		p("store swap in", func(ctx context.Context) error {
			_, err := st.CompareAndSwap(ctx, "newer", nil, []byte("other"), 0)
			return err
		}),
		p("store increment", func(ctx context.Context) error { _, err := st.Increment(ctx, "count", 1, 0); return err }),
		p("store publish", func(ctx context.Context) error { return st.Publish(ctx, "topic", []byte("x")) }),
		p("cache set", func(ctx context.Context) error { return c.Set(ctx, "known", "changed", time.Hour) }),
		p("cache delete", func(ctx context.Context) error { return c.Delete(ctx, "known") }),
		p("cache invalidate", func(ctx context.Context) error { return c.Invalidate(ctx, "tag") }),
		p("cache clear", func(ctx context.Context) error { return c.Clear(ctx) }),
		p("mail", func(ctx context.Context) error {
			return mailer.Send(ctx, mail.To("ada@example.com").Subject("s").Text("t"))
		}),
		p("mail with a key", func(ctx context.Context) error {
			return mailer.Send(ctx, mail.To("ada@example.com").Subject("s").Text("t").IdempotencyKey("k"))
		}),
		p("task", func(ctx context.Context) error { _, err := task.Delay(ctx, 1); return err }),
		p("task later", func(ctx context.Context) error { _, err := task.After(time.Hour).Delay(ctx, 1); return err }),
		p("tasks", func(ctx context.Context) error { _, err := task.DelayMany(ctx, 1, 2, 3); return err }),
		p("file saved", func(ctx context.Context) error {
			_, err := storage.Save(ctx, "a.txt", strings.NewReader("text"))
			return err
		}),
		p("file deleted", func(ctx context.Context) error { return storage.Delete(ctx, kept) }),
		send("POST"), send("PUT"), send("PATCH"), send("DELETE"),
		s("set", func(s *session.Session) error { return s.Set("k", 1) }),
		s("sign in", func(s *session.Session) error { return s.SignIn("ada") }),
		s("destroy", func(s *session.Session) error { return s.Destroy() }),
	}
}

// More than 50 candidates that write through the framework run in the shadow: nothing was written, and each is reported.
func TestShadowWritesNothing(t *testing.T) {
	ctx := t.Context()
	st := must(store.Open("memory://"))
	defer st.Close()
	var posts atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" {
			posts.Add(1)
		}
	}))
	defer server.Close()
	client := outbound.New(outbound.Options{Hosts: []string{server.Listener.Addr().String()}, PlainHTTP: true, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer client.CloseIdleConnections()
	c := cache.New(st, cache.Options{})
	mailer := mail.Outbox(mail.Options{From: "shop@example.com"})
	storage := must(files.Open(t.TempDir(), files.Options{Types: []string{"*/*"}}))
	defer storage.Close()
	kept := must(storage.Save(ctx, "kept.txt", strings.NewReader("kept")))
	lite := ormtest.New(t, ormtest.SQLite)
	databases := map[string]*orm.DB{"sqlite": lite}
	t.Run("postgres", func(t *testing.T) { ormtest.URL(t, ormtest.Postgres) }) // skips where there is none
	if hasPostgres() {
		databases["postgres"] = ormtest.New(t, ormtest.Postgres)
	}
	queue := tasks.New(lite, tasks.Options{EnqueueOnly: true})
	task := tasks.Define(queue, "task", func(context.Context, int) (struct{}, error) { return struct{}{}, nil })

	app, realities, _ := newApp(t, rmf.Options{Unit: rmf.ByRequest, ParallelSim: true, SimSampleRate: 1})
	app.SetClock(systemClock{})
	app.Without(ishaa.DefaultAccessLog)
	sessions := session.New(st, session.Options{})
	app.Use(sessions.Middleware())
	app.Install(c, mailer, queue)
	probes := plainProbes(st, c, mailer, task, storage, kept.ID, client, server.URL)
	for engine, db := range databases {
		if err := orm.Of[album](db).CreateTable(ctx); err != nil {
			t.Fatal(err)
		}
		if err := orm.Of[album](db).CreateMany(ctx, []album{{Title: "first", Sold: 1}, {Title: "second", Sold: 2}}); err != nil {
			t.Fatal(err)
		}
		probes = append(probes, ormProbes(engine, db)...)
	}
	for i, p := range probes {
		path := fmt.Sprintf("/probe/%d", i)
		app.Get(path, say("same"), rmf.Reality("stable"))
		app.Get(path, func(r *ishaa.Request) (any, error) {
			if !effect.Shadow(r.Context()) {
				t.Errorf("%s runs outside the shadow", p.name)
				return nil, errors.New("outside")
			}
			_ = p.do(r)
			return ishaa.Text("same"), nil
		}, rmf.Reality("candidate", rmf.Traffic(0)))
	}
	app.Post("/login", func(r *ishaa.Request) (any, error) { return nil, session.From(r).SignIn("bob") })
	visitor := ishaatest.New(t, app)
	visitor.Post("/login").Status(204)
	if err := st.Set(ctx, "known", []byte("value"), 0); err != nil {
		t.Fatal(err)
	}
	if err := c.Set(ctx, "known", "value", time.Hour, cache.Tag("tag")); err != nil {
		t.Fatal(err)
	}
	if err := app.Start(ctx); err != nil {
		t.Fatal(err)
	}
	fingerprint := func() string {
		var text strings.Builder
		for key, err := range st.Scan(ctx, "") {
			value, _ := st.Get(ctx, key)
			fmt.Fprintf(&text, "%s=%x %v\n", key, value, err)
		}
		value, ok := cache.Get[string](ctx, c, "known")
		fmt.Fprintln(&text, "cache", value, ok, "mails", len(mailer.Messages()), "posts", posts.Load())
		for engine, db := range databases {
			list, err := orm.Of[album](db).OrderBy("id").All(ctx)
			data, _ := json.Marshal(list)
			if db == lite {
				var jobs int
				err = errors.Join(err, db.SQL().QueryRowContext(ctx, "SELECT count(*) FROM river_job").Scan(&jobs))
				fmt.Fprintln(&text, "jobs", jobs)
			}
			fmt.Fprintln(&text, engine, string(data), err)
		}
		for f, err := range storage.List(ctx) {
			fmt.Fprintln(&text, f.ID, err)
		}
		lines := strings.Split(text.String(), "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	before := fingerprint()
	for i, p := range probes {
		path := fmt.Sprintf("/probe/%d", i)
		var sim *rmf.Simulation
		eventually(t, p.name+" was simulated", func() bool {
			visitor.Get(path).Status(200).Contains("same")
			sim = realityOf(t, experiment(t, realities, "GET "+path), "candidate").Simulation
			return sim != nil && sim.Runs > 0
		})
		if len(sim.Effects) == 0 {
			t.Errorf("%s is not reported: %+v", p.name, sim)
		}
	}
	if err := realities.Stop(context.Background()); err != nil { // no simulation is under way any more
		t.Fatal(err)
	}
	if after := fingerprint(); after != before {
		t.Errorf("the world has changed:\n%s\n\nbefore:\n%s", after, before)
	}
	t.Logf("%d probes, on %d databases", len(probes), len(databases))
	if len(databases) == 2 && len(probes) < 50 {
		t.Errorf("%d probes", len(probes))
	}
}

func hasPostgres() (has bool) {
	_, err := http.Get("http://127.0.0.1:5432/") // no HTTP, but somebody who answers
	return err == nil || !strings.Contains(err.Error(), "refused")
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// A candidate that differs in one field of a nested list is found in the shadow, with the path; one that would have
// mailed too; and whoever asked saw nothing of it, neither the difference nor the time that it took.
func TestShadowFindsNestedField(t *testing.T) {
	app, realities, _ := newApp(t, rmf.Options{ParallelSim: true, SimSampleRate: 1, SimWorkers: 4})
	app.SetClock(systemClock{})
	app.Without(ishaa.DefaultAccessLog)
	var asked atomic.Int64
	answer := func(price float64) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) {
			n := asked.Add(1)
			return map[string]any{"request": n, "items": []any{
				map[string]any{"id": 1, "offers": []any{map[string]any{"shop": "a", "price": 1.5}, map[string]any{"shop": "b", "price": price}}},
			}}, nil
		}
	}
	app.Get("/x/<int:id>", answer(2.5), rmf.Reality("stable"))
	mailer := mail.Outbox(mail.Options{From: "shop@example.com"})
	app.Get("/x/<int:id>", func(r *ishaa.Request) (any, error) {
		if err := mailer.Send(r.Context(), mail.To("ada@example.com").Subject("s").Text("t")); err != nil {
			return nil, err
		}
		return answer(2.75)(r)
	}, rmf.Reality("candidate", rmf.Traffic(0)))
	client := ishaatest.New(t, app)
	found := func() map[string]rmf.Difference {
		list := map[string]rmf.Difference{}
		if sim := realityOf(t, experiment(t, realities), "candidate").Simulation; sim != nil {
			for _, d := range sim.Differences {
				if d.Found {
					list[d.Path] = d
				}
			}
		}
		return list
	}
	eventually(t, "the path is found", func() bool {
		for range 10 {
			client.Get("/x/1").Status(200).JSONAt("/items/0/offers/1/price", 2.5)
		}
		return len(found()) >= 2
	})
	eventually(t, "all simulations are done", func() bool {
		sim := realityOf(t, experiment(t, realities), "candidate").Simulation
		return sim.Runs+sim.NoiseRuns+realities.Stats().Dropped > 0
	})
	list := found()
	if d, ok := list["$.items[].offers[].price"]; !ok || d.Rate != 1 || d.Noise != 0 || d.Stable != "2.5" || d.Reality != "2.75" {
		t.Errorf("%+v", list)
	}
	if d, ok := list["effects.mail"]; !ok || d.Kind != "added" {
		t.Errorf("%+v", list)
	}
	if len(list) != 2 || len(mailer.Messages()) != 0 {
		t.Errorf("found %v, %d mails", list, len(mailer.Messages()))
	}
}

// A simulation never touches what is not safe unless it is told that it is, gives up in time, survives panics, and is
// dropped rather than waited for.
func TestShadowLimits(t *testing.T) {
	app, realities, _ := newApp(t, rmf.Options{ParallelSim: true, SimSampleRate: 1, SimTimeout: 20 * time.Millisecond, SimWorkers: 1})
	app.SetClock(systemClock{})
	app.Without(ishaa.DefaultAccessLog, ishaa.DefaultCSRF)
	var posted atomic.Int64
	candidate := rmf.Traffic(0)
	app.Post("/orders", say("v1"), rmf.Reality("stable"))
	app.Post("/orders", func(*ishaa.Request) (any, error) { posted.Add(1); return "", nil }, rmf.Reality("candidate", candidate))
	app.Post("/safe", func(r *ishaa.Request) (any, error) { return r.Text() }, rmf.Reality("stable", rmf.ShadowSafe()))
	app.Post("/safe", func(r *ishaa.Request) (any, error) { return r.Text() }, rmf.Reality("candidate", candidate, rmf.ShadowSafe()))
	app.Get("/panics", say("v1"), rmf.Reality("stable"))
	app.Get("/panics", func(*ishaa.Request) (any, error) { panic("oh") }, rmf.Reality("candidate", candidate))
	app.Get("/slow", say("v1"), rmf.Reality("stable"))
	app.Get("/slow", func(r *ishaa.Request) (any, error) { <-r.Context().Done(); return nil, nil }, rmf.Reality("candidate", candidate))
	client := ishaatest.New(t, app)
	sim := func(name string) rmf.Simulation {
		if s := realityOf(t, experiment(t, realities, name), "candidate").Simulation; s != nil {
			return *s
		}
		return rmf.Simulation{}
	}
	eventually(t, "a panic is counted", func() bool {
		client.Post("/orders", ishaatest.Body("text/plain", "x")).Status(200)
		client.Get("/panics").Status(200)
		return sim("GET /panics").Failures > 2
	})
	eventually(t, "late ones are given up", func() bool { client.Get("/slow").Status(200); return sim("GET /slow").Late > 2 })
	eventually(t, "bodies are run again", func() bool {
		client.Post("/safe", ishaatest.Body("text/plain", "the body")).Status(200)
		client.Post("/safe", ishaatest.Body("text/plain", strings.Repeat("x", 65<<10))).Status(200)
		return sim("POST /safe").Runs > 2 && sim("POST /safe").Skipped > 0
	})
	for _, d := range sim("POST /safe").Differences {
		t.Errorf("the same body, and %+v", d)
	}
	if n := posted.Load(); n != 0 || sim("POST /orders").Runs != 0 {
		t.Errorf("a POST was executed again %d times", n)
	}
	eventually(t, "what finds no place is dropped", func() bool {
		for range 100 {
			client.Get("/slow").Status(200)
		}
		return realities.Stats().Dropped > 0
	})
}

// A ramp begins in the shadow, and what fails there serves nobody.
func TestRampFromTheShadow(t *testing.T) {
	for _, fails := range []bool{false, true} {
		app, realities, _ := newApp(t, rmf.Options{ParallelSim: true, SimSampleRate: 1, SimRuns: 20, StepTime: time.Millisecond, Interval: 5 * time.Millisecond, Unit: rmf.ByRequest})
		app.SetClock(systemClock{})
		app.Without(ishaa.DefaultAccessLog)
		var served atomic.Int64
		app.Get("/x", say("v1"), rmf.Reality("stable"))
		app.Get("/x", func(r *ishaa.Request) (any, error) {
			if !effect.Shadow(r.Context()) {
				served.Add(1)
			}
			if fails {
				return nil, errors.New("it does not work")
			}
			return ishaa.Text("v1"), nil
		}, rmf.Reality("candidate", rmf.Ramp()))
		client := ishaatest.New(t, app)
		want := map[bool]rmf.Stage{false: rmf.StageCanary, true: rmf.StageRolledBack}[fails]
		eventually(t, string(want), func() bool {
			for range 50 {
				client.Get("/x").Status(200)
			}
			return stage(t, realities, "candidate") == want
		})
		if fails && served.Load() > 0 {
			t.Errorf("it served %d requests", served.Load())
		}
	}
}
