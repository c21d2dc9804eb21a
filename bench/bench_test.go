package bench

import (
	"testing"

	"github.com/ishaa-framework/ishaa/bench/inproc"
)

// Benchmark runs all groups: Benchmark/lookup/github/gin, Benchmark/serve/typed/huma … The ns/each column is the time
// of one lookup or request; allocations are those of a whole round through the table.
func Benchmark(b *testing.B) {
	for _, g := range inproc.Groups() {
		if g.Close != nil {
			b.Cleanup(func() {
				if err := g.Close(); err != nil {
					b.Error(err)
				}
			})
		}
		for _, c := range g.Cases {
			b.Run(g.Name+"/"+c.Name, func(b *testing.B) {
				run, count := c.Build()
				if err := run(); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				rounds := 0
				for b.Loop() {
					run()
					rounds++
				}
				if c.Rest != nil {
					if err := c.Rest(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rounds*count), "ns/each")
			})
		}
	}
}
