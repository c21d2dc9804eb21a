//go:build unix

package middleware_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkFiveRatio is what BenchmarkFive measures as ratios to the bare route: each
// iteration is a round in which all ways take turns, in an order drawn anew. It reports
// the geometric mean of the rounds' ratios of CPU time, and the 95 % interval about it.
// A few hundred rounds say something. On the writers of package server headers are
// lines, on those of net/http entries of a map:
//
//	go test ./middleware -run XXX -bench FiveRatio -benchtime 300x
func BenchmarkFiveRatio(b *testing.B) {
	for _, writer := range writers {
		b.Run(writer.name, func(b *testing.B) { compareFive(b, writer.make) })
	}
}

func compareFive(b *testing.B, writer func() resettable) {
	ways := []int{0, 1, 2, 4, 5}
	sends := map[int]func(){}
	for _, way := range ways {
		sends[way] = through(way, writer())
	}
	const requests = 10_000 // some rounds of the collector
	ratios := map[int][]float64{}
	for b.Loop() {
		took := map[int]time.Duration{}
		for _, i := range rand.Perm(len(ways)) {
			started := cpuTime(b)
			for range requests {
				sends[ways[i]]()
			}
			took[ways[i]] = cpuTime(b) - started
		}
		for _, way := range ways {
			ratios[way] = append(ratios[way], math.Log(float64(took[way])/float64(took[0])))
		}
	}
	for _, way := range slices.Sorted(slices.Values(ways))[1:] {
		mean, deviation := 0.0, 0.0
		for _, x := range ratios[way] {
			mean += x / float64(len(ratios[way]))
		}
		for _, x := range ratios[way] {
			deviation += (x - mean) * (x - mean)
		}
		n := float64(len(ratios[way]))
		half := 1.96 * math.Sqrt(deviation/max(n-1, 1)/n)
		b.Logf("%s: %.3f [%.3f, %.3f] of the bare route", throughFive[way].name, math.Exp(mean), math.Exp(mean-half), math.Exp(mean+half))
	}
}

// cpuTime is the CPU time of the process.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
