package testenv

import (
	"math"
	"testing"
	"time"
)

// Linear fails the test when the work on eight times as much input is far from eight times as much: what is sorted
// takes ten times, what is quadratic 64 times, and 24 are too many. It counts the time of the processor, not of the
// clock, and takes the least of several tries, so that a busy machine is not a slow program. prepare makes an input of
// a size and returns the work on it, which must be repeatable.
func Linear(t testing.TB, name string, size int, prepare func(size int) (work func())) {
	t.Helper()
	const growth, most, tries = 8, 24, 8
	small, large := prepare(size), prepare(growth*size)
	leastSmall, leastLarge := math.Inf(1), math.Inf(1)
	for try := range tries {
		leastSmall, leastLarge = min(leastSmall, cost(small)), min(leastLarge, cost(large))
		if try > 0 && leastLarge <= most*leastSmall {
			return
		}
	}
	t.Errorf("%s: a size of %d costs %v, %d times that %v, which is %.0f times as much",
		name, size, time.Duration(leastSmall), growth, time.Duration(leastLarge), leastLarge/leastSmall)
}

// cost is the processor time in nanoseconds of doing it once, over as many times as can be measured.
func cost(work func()) float64 {
	start := processorTime()
	for times := 1; ; times++ {
		work()
		if spent := processorTime() - start; spent >= 5*time.Millisecond {
			return float64(spent) / float64(times)
		}
	}
}

// Spent is the processor time that work takes, of all goroutines: unlike the time on the clock it hardly depends on
// what else the machine does.
func Spent(work func()) time.Duration {
	start := processorTime()
	work()
	return processorTime() - start
}
