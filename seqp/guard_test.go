package seqp

import (
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

var update = flag.Bool("update", false, "record the releases of testdata anew")

// release is a scenario whose truth is known, since it was made.
type release struct {
	Name      string    `json:"name"`
	Truth     string    `json:"truth"` // good, harmful or unclear
	Level     string    `json:"level"`
	Artefacts Artefacts `json:"artefacts"`
}

const recorded = "testdata/releases.json"

// work is what a benchmark measures: the checksum of a page, done some number of times.
func work(times int) float64 {
	page := make([]byte, 64<<10)
	start := time.Now()
	for range times {
		page[0] ^= byte(crc32.ChecksumIEEE(page))
	}
	return float64(time.Since(start).Nanoseconds())
}

// timings runs the old and the new work in turns, so that both see the same machine.
func timings(runs, old, new int) (b Benchmark) {
	b.Name = "BenchmarkPage"
	for range runs {
		b.Old = append(b.Old, work(old))
		b.New = append(b.New, work(new))
	}
	return b
}

// served counts requests of a program that fails with a probability.
func served(r *rand.Rand, requests int, before, now float64) *Live {
	count := func(p float64) (n uint64) {
		for range requests {
			if r.Float64() < p {
				n++
			}
		}
		return n
	}
	l := &Live{
		Requests: uint64(requests), Errors: count(now),
		BaselineRequests: uint64(requests), BaselineErrors: count(before),
	}
	for range 20 {
		l.BaselineLatency = append(l.BaselineLatency, work(20)/1e9)
		l.Latency = append(l.Latency, work(20)/1e9)
	}
	return l
}

// record makes the releases: the timings are measured on the machine it runs on, the counters drawn by a seed.
func record(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 6))
	sound := func() Artefacts {
		return Artefacts{
			Tests: &Tests{Passed: 240}, Coverage: &Share{980, 1000}, Mutants: &Share{91, 100},
			Benchmarks: []Benchmark{timings(20, 20, 20)}, Live: served(r, 20_000, .0005, .0005),
		}
	}
	var list []release
	add := func(truth, level, name string, change func(*Artefacts)) {
		a := sound()
		change(&a)
		list = append(list, release{name, truth, level, a})
	}
	for i, level := range []string{"standard", "data_critical", "security_critical", "financial_core"} {
		add("good", level, "nothing changed", func(*Artefacts) {})
		add("good", level, "faster", func(a *Artefacts) { a.Benchmarks[0] = timings(20, 20, 15) })
		add("good", level, "fewer errors", func(a *Artefacts) { a.Live = served(r, 20_000, .002, .0002) })
		add("harmful", level, "twice the work", func(a *Artefacts) { a.Benchmarks[0] = timings(20, 20, 40) })
		add("harmful", level, "errors in 5 % of the requests", func(a *Artefacts) { a.Live = served(r, 20_000, .0005, .05) })
		switch i {
		case 0:
			add("harmful", level, "a test fails", func(a *Artefacts) { a.Tests.Failed = 1 })
			add("harmful", level, "errors below the limit, but twenty times as many", func(a *Artefacts) { a.Live = served(r, 50_000, .0008, .016) })
			add("unclear", level, "no test ran", func(a *Artefacts) { a.Tests = &Tests{} })
		case 1:
			add("harmful", level, "half of the code is not tested", func(a *Artefacts) { a.Coverage = &Share{500, 1000} })
			add("unclear", level, "a hundred requests", func(a *Artefacts) { a.Live = served(r, 100, .0005, .0005) })
			add("unclear", level, "coverage was not measured", func(a *Artefacts) { a.Coverage = nil })
		case 2:
			add("harmful", level, "tests that notice nothing", func(a *Artefacts) { a.Mutants = &Share{30, 100} })
			add("unclear", level, "four runs of the benchmark", func(a *Artefacts) { a.Benchmarks[0] = timings(4, 20, 20) })
		case 3:
			add("harmful", level, "a third more work", func(a *Artefacts) { a.Benchmarks[0] = timings(20, 60, 80) })
			add("unclear", level, "nothing was recorded", func(a *Artefacts) { *a = Artefacts{} })
		}
	}
	text, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recorded, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRecordedReleases(t *testing.T) {
	if *update {
		record(t)
	}
	text, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	var list []release
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 30 {
		t.Errorf("there are %d releases", len(list))
	}
	good, refused := 0, 0
	for _, c := range list {
		level, ok := ishaa.ParseLevel(c.Level)
		if !ok {
			t.Fatalf("%s: no level %q", c.Name, c.Level)
		}
		v := PolicyFor(level, 0.5, Limits{}).Judge(c.Artefacts)
		name := fmt.Sprintf("%s, %s (%s)", c.Name, c.Level, c.Truth)
		switch c.Truth {
		case "harmful":
			if v.Outcome == Pass {
				t.Errorf("%s passes: %+v", name, v.Findings)
			}
		case "good":
			good++
			if v.Outcome == Fail {
				refused++
				t.Logf("%s fails: %+v", name, v.Findings)
			}
		case "unclear":
			if v.Outcome != Inconclusive {
				t.Errorf("%s is %s: %+v", name, v.Outcome, v.Findings)
			}
		default:
			t.Errorf("%s: no such truth", name)
		}
	}
	if float64(refused) > 0.05*float64(good) {
		t.Errorf("%d of %d good releases fail", refused, good)
	}
}

// The checks at their margins, over many seeds: what is harmful passes in at most 1 % of the releases, what is good fails
// in at most 1 %.
func TestErrorRatesOfTheGuard(t *testing.T) {
	const seeds = 2000
	sample := func(r *rand.Rand, n int, centre float64) (list []float64) {
		for range n {
			list = append(list, centre*math.Exp(.08*r.NormFloat64()+.3*math.Max(r.NormFloat64()-2, 0)))
		}
		return list
	}
	for name, c := range map[string]struct {
		n     int
		ratio float64
		never Outcome
	}{
		"just as much as is allowed":  {12, 1.2, Pass},
		"a little more than allowed":  {12, 1.25, Pass},
		"exactly the margin may pass": {12, 1.19, Fail},
		"the same":                    {12, 1, Fail},
		"faster":                      {30, .8, Fail},
	} {
		r := rand.New(rand.NewPCG(5, 5))
		wrong := 0
		for range seeds {
			if outcome, _ := grew(sample(r, c.n, 100), sample(r, c.n, 100*c.ratio), 0.2); outcome == c.never {
				wrong++
			}
		}
		if share := float64(wrong) / seeds; share > 0.015 {
			t.Errorf("%s: %s in %.4f of the releases", name, c.never, share)
		}
	}
}

func TestDamagedArtefacts(t *testing.T) {
	policy := PolicyFor(ishaa.FinancialCore, 1, Limits{})
	ten := []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	for name, c := range map[string]struct {
		a     Artefacts
		check string
	}{
		"more covered than there is": {Artefacts{Coverage: &Share{11, 10}}, "coverage"},
		"less than nothing killed":   {Artefacts{Mutants: &Share{-1, 10}}, "mutation"},
		"tests below none":           {Artefacts{Tests: &Tests{Passed: -3}}, "tests"},
		"a benchmark of no time":     {Artefacts{Benchmarks: []Benchmark{{"B", ten, append([]float64{0}, ten...)}}}, "benchmark"},
		"a benchmark of no number":   {Artefacts{Benchmarks: []Benchmark{{"B", []float64{math.NaN()}, ten}}}, "benchmark"},
		"an endless benchmark":       {Artefacts{Benchmarks: []Benchmark{{"B", ten, []float64{math.Inf(1)}}}}, "benchmark"},
		"more errors than requests":  {Artefacts{Live: &Live{Requests: 1, Errors: 2}}, "errors"},
	} {
		v := policy.Judge(c.a)
		found := false
		for _, f := range v.Findings {
			found = found || f.Check == c.check && f.Outcome == Fail && strings.Contains(f.Text, "damaged")
		}
		if v.Outcome != Fail || !found {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
