package rmf

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// strain is what the simulations of a reality showed: for each path, how often the reality differed there from stable,
// and how often stable differed from itself. The lot that sends four simulations in five to the reality makes this a
// trial like any other: a path is reported once the test of harm has shown that the reality differs more often than
// stable does from itself. Ids, times and the order of maps differ just as often in both, and are never reported.
type strain struct {
	skipped, late atomic.Uint64
	writes        atomic.Bool // some run would have changed something

	mu       sync.Mutex
	runs     uint64 // of the reality
	noise    uint64 // of stable again
	failures uint64
	usual    uint64 // failures of stable's own answers
	paths    map[pathKind]*pathCount
	beyond   uint64 // differences at paths that are too many to follow
	intents  map[string]uint64
	latency  evidence.Histogram
}

type pathKind struct{ path, kind string }

type pathCount struct {
	differs, noise uint64
	was, is        string
}

// maxPaths bounds the memory of a reality whose members have names without end.
const maxPaths = 500

func newStrain() *strain {
	return &strain{paths: map[pathKind]*pathCount{}, intents: map[string]uint64{}}
}

// add takes the result of a simulation.
func (s *strain) add(found []difference, sim *simulation, intents []effect.Intent, failed bool, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sim.noise {
		s.noise++
	} else {
		s.runs++
		s.latency.Record(took)
		if failed {
			s.failures++
		}
		if sim.status >= 500 {
			s.usual++
		}
		for _, i := range intents {
			if len(s.intents) < maxPaths || s.intents[i.Kind] > 0 {
				s.intents[i.Kind]++
			}
		}
	}
	for _, d := range found {
		key := pathKind{d.path, d.kind}
		c := s.paths[key]
		if c == nil {
			if len(s.paths) >= maxPaths {
				s.beyond++
				continue
			}
			c = &pathCount{}
			s.paths[key] = c
		}
		if sim.noise {
			c.noise++
			continue
		}
		if c.differs++; c.differs == 1 {
			c.was, c.is = d.was, d.is
		}
	}
}

func (s *strain) count() shadowCount {
	s.mu.Lock()
	defer s.mu.Unlock()
	return shadowCount{s.runs, s.failures, s.usual}
}

// Difference is a path at which a reality's answers differ from stable's.
type Difference struct {
	Path     string  `json:"path"`     // "$.items[].price", "status", "header Location", "effects.mail"
	Kind     string  `json:"kind"`     // value, magnitude, type, missing, added, length, order, octets, panic
	Rate     float64 `json:"rate"`     // share of simulations in which the reality differs from stable
	Noise    float64 `json:"noise"`    // share in which stable differs from itself
	Evidence float64 `json:"evidence"` // that the reality differs more: the logarithm of an e-value
	Needed   float64 `json:"needed"`   // what it has to reach
	Found    bool    `json:"found"`    // it has reached it
	Stable   string  `json:"stable"`   // an example, redacted: see Options.Reveal
	Reality  string  `json:"reality"`
}

// Simulation is what the simulations of a reality came to.
type Simulation struct {
	Runs        uint64            `json:"runs"`
	NoiseRuns   uint64            `json:"noiseRuns"` // stable against stable
	Failures    uint64            `json:"failures"`  // 5xx and panics of the reality
	Stable      uint64            `json:"stable"`    // 5xx of stable's answers to the same requests
	Skipped     uint64            `json:"skipped"`   // streams and bodies over 64 KiB
	Late        uint64            `json:"late"`      // given up after Options.SimTimeout
	P50         time.Duration     `json:"p50"`       // of the reality in the shadow, in nanoseconds
	P95         time.Duration     `json:"p95"`
	Effects     map[string]uint64 `json:"effects,omitempty"` // what it would have changed, by kind; nothing was
	Differences []Difference      `json:"differences,omitempty"`
	Unfollowed  uint64            `json:"unfollowed,omitempty"` // differences at more paths than are followed
}

// pathAlpha bounds the chance of ever reporting a path of a reality that is like stable.
const pathAlpha = .05

// report tells what was found, the strongest evidence first.
func (s *strain) report() Simulation {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Simulation{
		Runs: s.runs, NoiseRuns: s.noise, Failures: s.failures, Stable: s.usual, Skipped: s.skipped.Load(), Late: s.late.Load(),
		Unfollowed: s.beyond, P50: s.latency.Quantile(.5), P95: s.latency.Quantile(.95),
	}
	if len(s.intents) > 0 {
		out.Effects = map[string]uint64{}
		for kind, n := range s.intents {
			out.Effects[kind] = n
		}
	}
	needed := math.Log(float64(max(len(s.paths), 1)) / pathAlpha)
	for key, c := range s.paths {
		d := Difference{Path: key.path, Kind: key.kind, Needed: needed, Stable: c.was, Reality: c.is}
		d.Rate, d.Noise = rate(c.differs, s.runs), rate(c.noise, s.noise)
		d.Evidence = s.differsMore(c)
		d.Found = d.Evidence >= needed
		out.Differences = append(out.Differences, d)
	}
	slices.SortFunc(out.Differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(b.Evidence, a.Evidence), strings.Compare(a.Path, b.Path), strings.Compare(a.Kind, b.Kind))
	})
	return out
}

// differsMore is the evidence that the reality differs from stable more often than stable from itself.
func (s *strain) differsMore(c *pathCount) float64 {
	rule := evidence.Rule{Metrics: []evidence.Metric{{Name: "differs", Centre: .05}}}
	v, err := rule.Decide(evidence.State{Epochs: []evidence.Epoch{{Share: shadowShare, Metrics: []evidence.Counts{{
		CandidateBad: c.differs, CandidateGood: s.runs - c.differs, StableBad: c.noise, StableGood: s.noise - c.noise,
	}}}}})
	if err != nil {
		return 0
	}
	return v.Metrics[0].Harm
}

func rate(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
