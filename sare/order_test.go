package sare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// randomFilters makes middleware as the prototype did: costs over five orders of magnitude, refusals that hang together
// by four kinds of clients.
func randomFilters(r *rand.Rand, n, requests int) (masks map[uint32]int, cost []float64) {
	const kinds = 4
	var refuses [kinds][]float64
	for k := range refuses {
		for range n {
			p := r.Float64() * .05
			if r.Float64() < .35 {
				p = r.Float64()
			}
			refuses[k] = append(refuses[k], p)
		}
	}
	for range n {
		cost = append(cost, math.Exp(r.NormFloat64()*2.5+8))
	}
	masks = map[uint32]int{}
	for range requests {
		kind := r.IntN(kinds)
		var mask uint32
		for i := range n {
			if r.Float64() < refuses[kind][i] {
				mask |= 1 << i
			}
		}
		masks[mask]++
	}
	return masks, cost
}

// Orders are within 2 % of the best there is, by brute force: exactly the best up to six, and greedily beyond.
func TestOrderIsNearTheBest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var exact, greedy float64
	const instances = 300
	for range instances {
		masks, cost := randomFilters(r, 6, 2000)
		all := []int{0, 1, 2, 3, 4, 5}
		least := math.Inf(1)
		permute(slices.Clone(all), 0, func(order []int) { least = min(least, expectedCost(order, masks, cost)) })
		if c := expectedCost(bestOrder(all, masks, cost), masks, cost); c > least*(1+1e-9) {
			t.Fatalf("six members cost %v, the best is %v", c, least)
		}
		exact++
		greedy += expectedCost(greedyOrder(all, masks, cost), masks, cost) / least
	}
	t.Logf("greedy: %.4f of the best on average over %d instances", greedy/instances, instances)
	if greedy/instances > 1.02 {
		t.Errorf("greedy costs %.3f of the best on average", greedy/instances)
	}
}

// Whatever was sampled, a planned order is one that the application allows: nothing moves past what does not commute.
func FuzzOrderIsLegal(f *testing.F) {
	f.Add(uint64(1), uint16(0b1111))
	f.Add(uint64(9), uint16(0b110_1101_0111_0110))
	f.Fuzz(func(t *testing.T, seed uint64, commuting uint16) {
		r := rand.New(rand.NewPCG(seed, 1))
		app := newApp(t)
		probe := func(*ishaa.Request) bool { return false }
		for i := range 14 {
			m := ishaa.Middleware{Name: fmt.Sprint("m", i), Before: func(*ishaa.Request) (any, error) { return nil, nil }}
			m.Commutes = commuting>>i&1 == 1
			if r.IntN(5) > 0 {
				m.Probe = probe
			}
			app.Use(m)
		}
		route := app.Get("/x", func(*ishaa.Request) (any, error) { return nil, nil })
		p := newProber(route)
		if p == nil {
			return
		}
		e := orderEvidence{Count: len(p.list), Runs: p.runs, Masks: map[uint32]int{}, Cost: make([]float64, len(p.list))}
		for i := range e.Cost {
			e.Cost[i] = float64(1 + r.IntN(1000))
		}
		for range 5 {
			for range 50 {
				e.Masks[r.Uint32()]++
			}
			choice, err := planOrder(orderRule{0}, e)
			if err != nil {
				t.Fatal(err)
			}
			if err := app.SetOrder(route, choice.Order); err != nil {
				t.Fatalf("%v over %v: %v", choice.Order, p.runs, err)
			}
			if choice.After > choice.Before+1 {
				t.Errorf("the planned order costs %v instead of %v", choice.After, choice.Before)
			}
			e.Now = choice.Order
		}
	})
}

// Middleware that is dear and refuses nobody is asked last, once a trial has shown that it pays; everybody is still
// refused by whom they should be.
func TestOrderIsTriedAndKept(t *testing.T) {
	l := newLab(t, Options{NoAutoMemoize: true}, func(l *lab) {
		use := func(name string, cost time.Duration) {
			refuses := func(r *ishaa.Request) bool { l.clock.Advance(cost); return r.Header("X-Refused-By") == name }
			l.app.Use(ishaa.Middleware{Name: name, Commutes: true, Probe: refuses, Before: func(r *ishaa.Request) (any, error) {
				if refuses(r) {
					return nil, ishaa.Forbidden("refused by %s", name)
				}
				return nil, nil
			}})
		}
		use("dear", 3*time.Millisecond)
		use("cheap", 100*time.Microsecond)
		l.app.Get("/x", func(*ishaa.Request) (any, error) { return ishaa.Text("x"), nil })
	})
	w := l.route("/x")
	for range 400 {
		end := l.clock.Now().Add(time.Second)
		for i := range 200 {
			who := "cheap"
			if i%10 == 0 {
				who = "nobody"
			}
			got := l.get("/x", "X-Refused-By", who)
			if want := map[string]int{"cheap": 403, "nobody": 200}[who]; got.Code != want {
				t.Fatalf("the answer is %d, want %d", got.Code, want)
			}
		}
		if left := end.Sub(l.clock.Now()); left > 0 {
			l.clock.Advance(left)
		}
		l.turn()
		if len(w.s.order.now) > 0 && w.prober.names(w.s.order.now) == "cheap, dear" {
			break
		}
	}
	x, err := l.e.Explain("/x")
	if err != nil {
		t.Fatal(err)
	}
	if x.Order.Order != "cheap, dear" {
		t.Fatalf("the order is %s:\n%s", x.Order.Order, x)
	}
	before := l.clock.Now()
	if got := l.get("/x", "X-Refused-By", "cheap"); got.Code != 403 {
		t.Errorf("the answer is %d", got.Code)
	}
	if took := l.clock.Now().Sub(before); took > 4*time.Millisecond {
		t.Errorf("a refused request takes %v", took)
	}
	l.e.Disable()
	before = l.clock.Now()
	l.get("/x", "X-Refused-By", "cheap")
	if took := l.clock.Now().Sub(before); took < 3*time.Millisecond {
		t.Errorf("disabled, a refused request takes %v: the registered order is not back", took)
	}
}

// A Probe that panics ends the sampling, not the request.
func TestProbePanics(t *testing.T) {
	l := newLab(t, Options{lot: func() uint32 { return 0 }}, func(l *lab) {
		for _, name := range []string{"a", "b"} {
			l.app.Use(ishaa.Middleware{Name: name, Commutes: true, Probe: func(*ishaa.Request) bool { panic(name) },
				Before: func(*ishaa.Request) (any, error) { return nil, nil }})
		}
		l.app.Get("/x", func(*ishaa.Request) (any, error) { return ishaa.Text("x"), nil })
	})
	for range 5 {
		l.second(5, func(int) string { return "/x" })
	}
	if l.route("/x").prober.broken.Load() == nil {
		t.Error("nobody noticed")
	}
}
