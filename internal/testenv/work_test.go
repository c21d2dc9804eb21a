package testenv

import (
	"slices"
	"testing"
	"time"
)

// complaints counts the errors of a test that is not this one.
type complaints struct {
	testing.TB
	n int
}

func (c *complaints) Helper()               {}
func (c *complaints) Errorf(string, ...any) { c.n++ }

var sum int // keeps the work from being left out

func TestLinear(t *testing.T) {
	loop := func(n int) {
		for i := range n {
			sum += i ^ sum
		}
	}
	for _, c := range []struct {
		name string
		size int
		work func(n int)
		want int
	}{
		{"nothing", 1, func(int) { loop(1000) }, 0},
		{"linear", 10_000, loop, 0},
		{"sorted", 2_000, func(n int) {
			list := make([]int, n)
			for i := range list {
				list[i] = i * 7919 % n
			}
			slices.Sort(list)
		}, 0},
		{"quadratic", 200, func(n int) { loop(n * n) }, 1},
	} {
		got := &complaints{TB: t}
		Linear(got, c.name, c.size, func(n int) func() { return func() { c.work(n) } })
		if got.n != c.want {
			t.Errorf("%s: %d complaints, want %d", c.name, got.n, c.want)
		}
	}
}

// Work counts in full.
func TestSpent(t *testing.T) {
	work := Spent(func() {
		for start := processorTime(); processorTime()-start < 50*time.Millisecond; {
			sum++
		}
	})
	if work < 50*time.Millisecond {
		t.Errorf("50 ms of work count as %v", work)
	}
}
