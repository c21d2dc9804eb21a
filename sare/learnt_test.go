package sare

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/store"
)

// What was kept is on trial again after a start, what was found out is not tried again, and a torn file is no disaster.
func TestWarmStart(t *testing.T) {
	dir := t.TempDir()
	register := func(l *lab) {
		l.app.Get("/list", func(*ishaa.Request) (any, error) {
			l.clock.Advance(2 * time.Millisecond)
			return ishaa.Text("list"), nil
		})
		l.app.Get("/writes", func(r *ishaa.Request) (any, error) {
			effect.Intend(r.Context(), effect.Intent{Kind: "sql", Target: "visits"})
			l.clock.Advance(2 * time.Millisecond)
			return ishaa.Text("x"), nil
		})
	}
	list := func(int) string { return "/list" }
	t.Run("cold", func(t *testing.T) {
		l := newLab(t, Options{Dir: dir}, register)
		for range 20 {
			l.second(50, func(int) string { return "/writes" })
		}
		l.until("/list", keeping, 100, list)
	})
	t.Run("warm", func(t *testing.T) {
		l := newLab(t, Options{Dir: dir}, register)
		if !l.route("/writes").s.forever {
			t.Error("a handler that writes is tried again")
		}
		l.second(100, list)
		if phase := l.route("/list").s.phase; phase != trying {
			t.Errorf("after a second of traffic the list is %s", phase)
		}
		l.until("/list", keeping, 100, list)
	})
	t.Run("torn", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(dir, stateFile), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		l := newLab(t, Options{Dir: dir}, register)
		l.second(100, list)
		if phase := l.route("/list").s.phase; phase != proving {
			t.Errorf("the list is %s", phase)
		}
	})
	t.Run("changed ledger", func(t *testing.T) {
		path := filepath.Join(dir, ledgerFile)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Replace(data, []byte("keep"), []byte("undo"), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		app := newApp(t)
		Enable(app, Options{Dir: dir, OptimizeInterval: never})
		if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "ledger") {
			t.Errorf("a ledger that was changed is used: %v", err)
		}
	})
}

// A daily ramp is forecast with skill and raises the limit before the rise; noise around a level has none and drives
// nothing; changes of level are rarely found where there are none.
func TestForecasts(t *testing.T) {
	const perDay = 288 // windows of five minutes
	r := rand.New(rand.NewPCG(4, 4))
	p := newPredictor(Options{OptimizeInterval: 5 * time.Minute, HotRouteSlots: 4})
	ramp, noise := p.begin(), p.begin()
	for i := range 8 * perDay {
		level := 100 * (1 + .6*math.Sin(2*math.Pi*float64(i)/perDay))
		ramp.add(window{requests: 1, rate: level + math.Sqrt(level)*r.NormFloat64(), p50: time.Millisecond})
		noise.add(window{requests: 1, rate: 50, p50: time.Millisecond})
	}
	f, ok := ramp.rate.At(p.ahead(30 * time.Minute))
	if !ok || !f.Skilled || f.MASE >= .9 {
		t.Errorf("the ramp is forecast with %+v", f)
	}
	t.Logf("a daily ramp, half an hour ahead: MASE %.2f by %s", f.MASE, f.Method)
	if f, _ := noise.rate.At(p.ahead(30 * time.Minute)); f.Skilled {
		t.Errorf("a level is forecast with skill: %+v", f)
	}
	walk, x := p.begin(), 100.
	for range 8 * perDay {
		x += r.NormFloat64()
		walk.add(window{requests: 1, rate: x, p50: time.Millisecond})
	}
	w, up := &watched{}, &watched{}
	p.series[w] = walk
	if rate, driven := p.rateAhead(w); driven {
		t.Errorf("a random walk drives with a rate of %v", rate)
	}
	p.series[up] = ramp
	if _, driven := p.rateAhead(up); !driven {
		t.Error("a forecast with skill drives nothing")
	}
	l := newLimiter(Options{MinConcurrency: 8, MaxConcurrency: 4096})
	l.set(100)
	l.expect(1.5)
	if l.limit != 150 {
		t.Errorf("before a rise by half the limit of 100 is %v", l.limit)
	}
	l.expect(.5)
	if l.limit != 150 {
		t.Errorf("before a fall the limit is %v", l.limit)
	}
}

// Of days without a change, at most 8 % have one found in a series of median latencies.
func TestFalseAlarms(t *testing.T) {
	days := 100
	if testenv.Long() {
		days = 1000
	}
	r := rand.New(rand.NewPCG(11, 2))
	alarms := 0
	for range days {
		s := (&predictor{interval: 10 * time.Second}).begin()
		var last float64
		for range 8640 {
			z := r.NormFloat64()
			if r.Float64() < .02 {
				z *= 4
			}
			last = .5*last + math.Sqrt(.75)*z
			if _, found := s.changes.Add(math.Log(2e6) + .05*last); found {
				alarms++
				break
			}
		}
	}
	t.Logf("%d of %d days have a false alarm", alarms, days)
	if limit := .08 + 3*math.Sqrt(.08*.92/float64(days)); float64(alarms)/float64(days) > limit {
		t.Errorf("%d of %d days have a false alarm", alarms, days)
	}
}

// A change of level is noted, and the last seconds of the execution trace are kept.
func TestChangeIsRecorded(t *testing.T) {
	dir := t.TempDir()
	latency := time.Millisecond
	r := rand.New(rand.NewPCG(5, 5))
	l := newLab(t, Options{Dir: dir, FlightRecorder: true, NoAutoMemoize: true}, func(l *lab) {
		l.app.Get("/x", func(*ishaa.Request) (any, error) {
			l.clock.Advance(time.Duration(float64(latency) * math.Exp(.1*r.NormFloat64())))
			return ishaa.Text("x"), nil
		})
	})
	for range 200 {
		l.second(10, func(int) string { return "/x" })
	}
	latency *= 2
	for range 60 {
		l.second(10, func(int) string { return "/x" })
	}
	x, err := l.e.Explain("/x")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(x.String(), "latency: the median went from") {
		t.Errorf("the change is not noted:\n%s", x)
	}
	if list, _ := filepath.Glob(filepath.Join(dir, flightsDir, "*.trace")); len(list) != 1 {
		t.Errorf("there are %d traces", len(list))
	}
}

// Two nodes share a store: what one writes, the other no longer answers from memory; a wrong answer that one finds ends
// the memory of both; their trial is one.
func TestTwoNodes(t *testing.T) {
	st := store.NewMemory(store.MemoryOptions{})
	defer st.Close()
	nodes := make([]*lab, 2)
	var version [2]int
	var odd bool
	for i := range nodes {
		nodes[i] = newLab(t, Options{Store: st, Node: fmt.Sprint("node", i), NoLimiter: true, lot: seededLot(uint64(i))}, func(l *lab) {
			l.app.Get("/list", func(r *ishaa.Request) (any, error) {
				effect.Read(r.Context(), fmt.Sprint(t.Name(), "-private-", i), "things")
				l.clock.Advance(2 * time.Millisecond)
				if odd {
					return ishaa.Text("odd"), nil
				}
				return ishaa.Text(fmt.Sprint("version ", version[i])), nil
			})
		})
	}
	list := func(int) string { return "/list" }
	for range 300 {
		kept := 0
		for _, l := range nodes {
			l.second(60, list)
			if l.route("/list").s.phase == keeping {
				kept++
			}
		}
		if kept == 2 {
			break
		}
	}
	decided := 0
	for i, l := range nodes {
		if phase := l.route("/list").s.phase; phase != keeping {
			x, _ := l.e.Explain("/list")
			t.Fatalf("node %d is %s:\n%s", i, phase, x)
		}
		for _, entry := range l.e.Ledger() {
			if entry.Kind == "sare.trial" {
				decided++
			}
		}
	}
	if decided == 0 || nodes[0].e.nodes.leader == nodes[1].e.nodes.leader {
		t.Errorf("%d decisions; leaders: %v, %v", decided, nodes[0].e.nodes.leader, nodes[1].e.nodes.leader)
	}
	// Both are one process here, where a write is known at once; that node 1 hears of what only node 0 knows is shown by
	// the message itself.
	far := &nodes[1].e.far
	source := fmt.Sprint(t.Name(), "-far")
	before := far.of(source, "things")
	effect.Wrote(source, "things")
	eventually(t, "the other node hears of the write", func() bool { return far.of(source, "things") > before && far.of(source, "") > 0 })
	if far.of(source, "others") != 0 {
		t.Error("a write to one table counts for another")
	}
	odd = true
	for range 200 {
		nodes[0].get("/list")
		nodes[0].clock.Advance(50 * time.Millisecond)
	}
	nodes[0].turn()
	eventually(t, "both have turned it off", func() bool {
		nodes[1].turn()
		return nodes[0].route("/list").s.phase == watching && nodes[1].route("/list").s.phase == watching
	})
}

// While a node does not hear the others, what depends on tables counts for a second at most.
func TestUnheard(t *testing.T) {
	n := &nodes{store: store.NewMemory(store.MemoryOptions{}), sub: deafSubscription{}}
	defer n.store.Close()
	e := &entry{stored: noon, tables: []table{{}}}
	if got := n.limit(noon.Add(time.Hour), e); got != noon.Add(time.Second) {
		t.Errorf("an answer from a table counts until %v", got)
	}
	if got := n.limit(noon.Add(time.Hour), &entry{stored: noon}); got != noon.Add(time.Hour) {
		t.Errorf("an answer from no table counts until %v", got)
	}
}

type deafSubscription struct{ store.Subscription }

func (deafSubscription) Live() bool { return false }

// Profiles are taken under load and merged into a file that the compiler takes.
func TestProfilesBecomePGO(t *testing.T) {
	dir := t.TempDir()
	l := newLab(t, Options{Dir: dir, Profiles: true, NoAutoMemoize: true}, func(l *lab) {
		l.app.Get("/x", func(*ishaa.Request) (any, error) { l.clock.Advance(time.Millisecond); return ishaa.Text("x"), nil })
	})
	l.second(100, func(int) string { return "/x" })
	if !l.e.profiler.running {
		t.Skip("another profile is being taken of this process")
	}
	sum := 0.
	for i := range 50_000_000 { // something to see
		sum += math.Sqrt(float64(i))
	}
	for range 15 {
		l.second(100, func(int) string { return "/x" })
	}
	if l.e.profiler.running || l.e.profiler.taken != 1 || sum == 0 {
		t.Fatalf("%d profiles were taken", l.e.profiler.taken)
	}
	target := filepath.Join(t.TempDir(), "default.pgo")
	var out bytes.Buffer
	if err := pgoCommand(l.e).Run(context.Background(), l.app, []string{target}, &out); err != nil {
		t.Fatal(err, out.String())
	}
	if data, err := os.ReadFile(target); err != nil || len(data) == 0 || !strings.Contains(out.String(), "1 profiles merged") {
		t.Errorf("%v: %d bytes, %q", err, len(data), &out)
	}
	if err := mergeProfiles(t.Context(), t.TempDir(), target, &out); err == nil {
		t.Error("profiles are merged where there are none")
	}
	if err := mergeProfiles(t.Context(), "", target, &out); err == nil {
		t.Error("profiles are merged without a folder")
	}
}

// Slots for hot paths are tried, and end as the evidence says.
func TestSlotsAreTried(t *testing.T) {
	l := newLab(t, Options{}, func(l *lab) {
		l.app.Get("/list/<page>", func(r *ishaa.Request) (any, error) {
			l.clock.Advance(2 * time.Millisecond)
			return ishaa.Text("page " + r.Param("page")), nil
		})
	})
	pages := func(i int) string { return fmt.Sprint("/list/", i%10) }
	l.until("/list/<page>", keeping, 100, pages)
	w := l.route("/list/<page>")
	for range 1700 {
		l.second(100, pages)
		if notes := fmt.Sprint(l.e.notes[w.name]); strings.Contains(notes, "slots: undone") || strings.Contains(notes, "slots: kept") {
			t.Log(notes[strings.Index(notes, "slots:"):])
			return
		}
	}
	x, _ := l.e.Explain("/list/<page>")
	t.Errorf("the slots are not judged in %d requests:\n%s", l.sent, x)
}
