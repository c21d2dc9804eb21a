package sare

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/evidence"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// simulate runs a trial as the engine does, on requests whose times vary as the prototype's did (log-normal, σ = 0.8), and
// says how it ended. effect is what the adaptation does to the time, −0.05 for 5 % less.
func simulate(r *rand.Rand, effect float64) string {
	draw := func(with bool) time.Duration {
		x := r.NormFloat64()*.8 + math.Log(2e6)
		if with {
			x += math.Log1p(effect)
		}
		return time.Duration(math.Exp(x))
	}
	var before evidence.Recorder
	for range 5000 {
		before.Record(draw(false), evidence.Success, 0)
	}
	frozen, err := freeze(before.Snapshot())
	if err != nil {
		panic(err)
	}
	t := newTrial("simulated", noon, frozen)
	var c, s evidence.Histogram
	var given [2]uint64
	for n := 1; ; n++ {
		if r.Uint32() < t.offBelow {
			given[1]++
			s.Record(draw(false))
		} else {
			given[0]++
			c.Record(draw(true))
		}
		if n%1000 != 0 {
			continue
		}
		verdict, err := decidePay(t.rule(), evidence.State{Epochs: []evidence.Epoch{{
			Number: 1, Share: t.share(), Assigned: evidence.Assigned{Candidate: given[0], Stable: given[1]},
			Metrics: frozen.Count(&evidence.Snapshot{Latency: c}, &evidence.Snapshot{Latency: s}),
		}}})
		if err != nil {
			panic(err)
		}
		if verdict.Outcome != outcomeWait {
			return verdict.Outcome
		}
	}
}

// Of adaptations that do nothing at least 95 % are undone, of those that cost 5 % at least 99 %, and of those that save 5 %
// at least 95 % are kept. A run of the test may miss a bound by what chance allows three times in a thousand.
func TestPaysOrIsUndone(t *testing.T) {
	if racing {
		t.Skip("simulations run without the race detector")
	}
	runs := 200
	if testenv.Long() {
		runs = 2000
	}
	for i, c := range []struct {
		name   string
		effect float64
		want   string
		share  float64
	}{{"null", 0, outcomeUndo, .95}, {"5 % slower", .05, outcomeUndo, .99}, {"5 % faster", -.05, outcomeKeep, .95}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(i), 12))
			as := 0
			for range runs {
				if simulate(r, c.effect) == c.want {
					as++
				}
			}
			got := float64(as) / float64(runs)
			t.Logf("%s: %s in %.1f %% of %d runs", c.name, c.want, 100*got, runs)
			if slack := 3 * math.Sqrt(c.share*(1-c.share)/float64(runs)); got < c.share-slack {
				t.Errorf("%s: %s in %.1f %% of %d runs, want %.0f %%", c.name, c.want, 100*got, runs, 100*c.share)
			}
		})
	}
}

// A route that memory cannot make faster is not left with it, and the back-off grows.
func TestNullIsUndone(t *testing.T) {
	var clock func(time.Duration)
	r := rand.New(rand.NewPCG(3, 3))
	l := newLab(t, Options{}, func(l *lab) {
		clock = l.clock.Advance
		// The time is spent around the memory, not behind it.
		l.app.Before(func(*ishaa.Request) (any, error) {
			clock(time.Duration(1e6 * math.Exp(r.NormFloat64()*.8)))
			return nil, nil
		})
		l.app.Get("/fast", func(*ishaa.Request) (any, error) { return ishaa.Text("fast"), nil })
	})
	target := func(int) string { return "/fast" }
	l.until("/fast", trying, 400, target)
	w := l.route("/fast")
	for w.s.phase == trying {
		l.second(2000, target)
		if l.sent > 130_000 {
			t.Fatal("the trial does not end")
		}
	}
	if w.s.phase != watching || w.s.failures != 1 || !strings.Contains(w.s.why, "trial") {
		t.Errorf("the route is %s after %d requests: %s", w.s.phase, l.sent, w.s.why)
	}
	if got := l.get("/fast"); got.Body.String() != "fast" || w.memo.open.Load() {
		t.Error("something is still remembered")
	}
	if rest := w.s.until.Sub(l.clock.Now()); rest < 50*time.Second || rest > time.Minute {
		t.Errorf("the route rests for %v", rest)
	}
}

// A handler whose answers differ one time in a hundred is found out before it is remembered, or soon after.
func TestOneInAHundredDiffers(t *testing.T) {
	seeds := 3
	if testenv.Long() {
		seeds = 60
	}
	worst := uint64(0)
	for seed := range uint64(seeds) {
		draw := seededLot(seed + 1000)
		l := newLab(t, Options{lot: seededLot(seed)}, func(l *lab) {
			l.app.Get("/list/<page>", func(rq *ishaa.Request) (any, error) {
				l.clock.Advance(time.Millisecond)
				if draw()%100 == 0 {
					return ishaa.Text("odd"), nil
				}
				return ishaa.Text("page " + rq.Param("page")), nil
			})
		})
		w := l.route("/list/<page>")
		var remembered, streak uint64
		for range 400 {
			before := w.cached.Load()
			l.second(100, func(i int) string { return fmt.Sprint("/list/", i%10) })
			if hits := w.cached.Load() - before; hits > 0 {
				streak += 100
			} else {
				streak = 0
			}
			remembered = max(remembered, streak)
		}
		if remembered > 5000 {
			t.Errorf("seed %d: it was remembered for %d requests", seed, remembered)
		}
		if w.s.failures == 0 {
			t.Errorf("seed %d: nobody noticed in %d requests: %s", seed, l.sent, w.s.phase)
		}
		worst = max(worst, remembered)
	}
	t.Logf("%d runs of 40,000 requests: remembered for %d requests in a row at most", seeds, worst)
}

// A ledger of a whole life, with a folder, can be replayed to the byte.
func TestLedgerReplays(t *testing.T) {
	dir := t.TempDir()
	l := newLab(t, Options{Dir: dir}, func(l *lab) {
		l.app.Get("/list", func(*ishaa.Request) (any, error) {
			l.clock.Advance(2 * time.Millisecond)
			return ishaa.Text("list"), nil
		})
	})
	l.until("/list", keeping, 200, func(int) string { return "/list" })
	entries := l.e.Ledger()
	again, err := evidence.Replay(entries, judges()...)
	if err != nil {
		t.Fatal(err)
	}
	var decisions int
	for _, e := range entries {
		if e.Rule != nil {
			decisions++
		}
	}
	if decisions < 2 || bytes.Count(again, []byte("\n")) != len(entries) {
		t.Errorf("%d decisions, %d entries, replayed as\n%s", decisions, len(entries), again)
	}
}
