package evidence

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
)

var gains = map[string]float64{"memo": .04, "encoder": .02, "order": 0, "limiter": -.03}
var changes = []string{"order", "memo", "limiter", "encoder"}

// The best change is tried most, the loss no longer grows with the number of tries, and nothing is forgotten for good.
func TestBandit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var tries [4]float64
	var early, late float64
	n := runs() / 4
	for seed := range n {
		b := Bandit{Seed: uint64(seed)}
		for step := range 600 {
			i := b.Pick(changes...)
			tries[i]++
			gain := gains[changes[i]]
			if step < 100 {
				early += gains["memo"] - gain
			} else if step >= 500 {
				late += gains["memo"] - gain
			}
			b.Reward(changes[i], gain+.03*r.NormFloat64())
		}
		for _, a := range b.Arms {
			if a.Tries == 0 {
				t.Errorf("seed %d: %s was never tried", seed, a.Name)
			}
		}
	}
	best := tries[1] / float64(n*600)
	t.Logf("the best in %.1f %% of the tries, loss of the first hundred %.3f, of the last %.3f", 100*best, early/float64(n), late/float64(n))
	if best < .85 || late > early/4 {
		t.Errorf("the best in %.3f of the tries, loss %.3f then %.3f", best, early/float64(n), late/float64(n))
	}
}

// A bandit that is stored and read goes on as if it had not been.
func TestBanditGoesOn(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	a := &Bandit{Seed: 9}
	for range 200 {
		stored, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		b := &Bandit{}
		if err := json.Unmarshal(stored, b); err != nil {
			t.Fatal(err)
		}
		i, j := a.Pick(changes...), b.Pick(changes...)
		if i != j {
			t.Fatalf("picked %d, from the stored state %d", i, j)
		}
		a.Reward(changes[i], r.NormFloat64())
		if r.IntN(2) == 0 {
			b.Reward(changes[i], a.Arms[0].Mean)
		}
	}
	if i := a.Pick(); i != -1 {
		t.Errorf("picked %d of none", i)
	}
}
