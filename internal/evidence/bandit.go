package evidence

import (
	"math"
	"math/rand/v2"
)

// Bandit chooses which of several changes to try next, from what the trials so far gained: Thompson sampling (1933).
// For each arm a gain is drawn from what is believed about it, and the arm with the largest is tried. What is unknown
// is tried because it may be good, what disappointed is tried ever more rarely, never not at all.
//
// A gain is a share: 0.05 for 5 % of the time saved, negative for a loss. The belief is normal with unknown mean and
// variance (the normal-gamma conjugate; DeGroot 1970, §9.6). Its zero value is ready; arms appear when they are named.
// All of it is in its fields, so it can be stored and goes on as if it had never stopped; a choice depends on the fields
// alone, so a replay makes the same.
type Bandit struct {
	Seed  uint64  `json:"seed"`
	Draws uint64  `json:"draws"` // choices so far
	Arms  []Gains `json:"arms"`
}

// Gains is what is known of an arm.
type Gains struct {
	Name  string  `json:"name"`
	Tries float64 `json:"tries"`
	Mean  float64 `json:"mean"`
	Off   float64 `json:"off"` // sum of squared distances from the mean
}

const (
	// priorWeight, priorShape and priorSpread are the belief before the first try: one imagined try without gain, and a
	// spread of gains of about 10 %, held as loosely as two tries would.
	priorWeight, priorShape, priorSpread = 1, 1, .1
	// normalFrom is the number of degrees of freedom from which on Student's distribution is drawn with that many.
	normalFrom = 30
)

// Reward tells what a try gained. Gains that are no numbers count as none.
func (b *Bandit) Reward(name string, gain float64) {
	if math.IsNaN(gain) || math.IsInf(gain, 0) {
		gain = 0
	}
	a := b.arm(name)
	a.Tries++
	before := gain - a.Mean
	a.Mean += before / a.Tries
	a.Off += before * (gain - a.Mean)
}

// Pick returns the index of the one to try next among the names, and -1 for none.
func (b *Bandit) Pick(names ...string) int {
	r := rand.New(rand.NewPCG(b.Seed, b.Draws))
	b.Draws++
	best, most := -1, math.Inf(-1)
	for i, name := range names {
		if gain := b.arm(name).draw(r); gain > most {
			best, most = i, gain
		}
	}
	return best
}

func (b *Bandit) arm(name string) *Gains {
	for i := range b.Arms {
		if b.Arms[i].Name == name {
			return &b.Arms[i]
		}
	}
	b.Arms = append(b.Arms, Gains{Name: name})
	return &b.Arms[len(b.Arms)-1]
}

// draw takes a mean gain from the belief: Student's t around the posterior mean.
func (g *Gains) draw(r *rand.Rand) float64 {
	weight := priorWeight + g.Tries
	shape := priorShape + g.Tries/2
	rate := priorShape*priorSpread*priorSpread + g.Off/2 + priorWeight*g.Tries*g.Mean*g.Mean/(2*weight)
	freedom := min(int(2*shape), normalFrom)
	var square float64
	for range freedom {
		z := r.NormFloat64()
		square += z * z
	}
	t := r.NormFloat64() / math.Sqrt(square/float64(freedom))
	return g.Tries*g.Mean/weight + t*math.Sqrt(rate/(shape*weight))
}
