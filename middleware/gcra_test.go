package middleware

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/quick"
	"time"
)

func TestGCRA(t *testing.T) {
	const second = int64(time.Second)
	rule := gcra{interval: second, burst: 3}
	arrival := int64(0)
	for i, step := range []struct {
		at        int64 // milliseconds
		allowed   bool
		remaining int64
		reset     time.Duration
		retry     time.Duration
	}{
		{0, true, 2, 1 * time.Second, 0},
		{0, true, 1, 2 * time.Second, 0},
		{0, true, 0, 3 * time.Second, 0},
		{0, false, 0, 3 * time.Second, 1 * time.Second},
		{999, false, 0, 2001 * time.Millisecond, 1 * time.Millisecond},
		{1000, true, 0, 3 * time.Second, 0},
		{1000, false, 0, 3 * time.Second, 1 * time.Second},
		{2500, true, 0, 2500 * time.Millisecond, 0},
		{2500, false, 0, 2500 * time.Millisecond, 500 * time.Millisecond},
		{5000, true, 2, 1 * time.Second, 0},
		{3600_000, true, 2, 1 * time.Second, 0},
	} {
		v := rule.decide(arrival, 1_700_000_000*second+step.at*int64(time.Millisecond))
		if v.allowed != step.allowed || v.remaining != step.remaining || v.reset != step.reset || v.retry != step.retry {
			t.Errorf("step %d at %d ms: %+v, want %+v", i, step.at, v, step)
		}
		arrival = v.arrival
	}
}

// Whenever requests come, no stretch of time t lets more than burst + t/interval
// pass, and a refused request is allowed once its retry has passed.
func TestGCRANeverAllowsMoreThanItsRule(t *testing.T) {
	law := func(seed uint64, burst uint8, gaps [60]uint16) bool {
		rule := gcra{interval: 1000, burst: int64(burst%9) + 1}
		now, arrival := int64(1e15), int64(0)
		var passed []int64
		for _, gap := range gaps {
			now += int64(gap % 1500)
			v := rule.decide(arrival, now)
			if !v.allowed {
				if v.arrival != arrival || !rule.decide(arrival, now+int64(v.retry)).allowed || rule.decide(arrival, now+int64(v.retry)-1).allowed {
					return false
				}
				continue
			}
			if v.arrival <= arrival || v.remaining < 0 || v.remaining >= rule.burst {
				return false
			}
			arrival = v.arrival
			passed = append(passed, now)
			for i, first := range passed {
				if int64(len(passed)-i) > rule.burst+(now-first)/rule.interval {
					return false
				}
			}
		}
		return true
	}
	if err := quick.Check(law, nil); err != nil {
		t.Error(err)
	}
}

// The table stays within its limit whatever comes, and keys that are used up stay
// used up while there is room.
func TestRateTableIsBounded(t *testing.T) {
	rule := gcra{interval: int64(time.Second), burst: 2}
	table := newRateTable(1024)
	now := int64(1e18)
	for i := range 200_000 {
		table.take(rule, fmt.Sprint("attacker ", i), now)
		if i%1000 == 0 && table.size() > 1024 {
			t.Fatalf("%d keys are kept", table.size())
		}
	}
	if size := table.size(); size > 1024 {
		t.Fatalf("%d keys are kept", size)
	}
	// Once their time has passed, newcomers push them out rather than one another.
	now += int64(time.Minute)
	for i := range 300 {
		table.take(rule, fmt.Sprint("visitor ", i), now)
	}
	kept := 0
	for i := range 300 {
		if table.peek(rule, fmt.Sprint("visitor ", i), now).remaining == 0 {
			kept++
		}
	}
	if kept < 290 {
		t.Errorf("%d of 300 newcomers are remembered", kept)
	}
}

func TestRateTableForgetsWhatIsOver(t *testing.T) {
	rule := gcra{interval: int64(time.Second), burst: 1}
	table := newRateTable(1 << 16)
	now := int64(1e18)
	for i := range 100_000 {
		table.take(rule, fmt.Sprint(i), now)
		now += int64(10 * time.Millisecond) // 100 keys are alive at any time
	}
	if size := table.size(); size > 2000 {
		t.Errorf("%d keys are kept where 100 are alive", size)
	}
}

// What the store tells never moves a time backwards.
func TestRateTableLearns(t *testing.T) {
	rule := gcra{interval: 1000, burst: 5}
	table := newRateTable(64)
	table.learn("k", 10_000, 5_000)
	table.learn("k", 7_000, 5_000)
	if v := table.peek(rule, "k", 5_000); v.allowed {
		t.Errorf("a later time was undone: %+v", v)
	}
	table.learn("old", 4_000, 5_000)
	if table.size() != 1 {
		t.Error("a time that has passed is kept")
	}
}

// 64 goroutines on a few keys take exactly the burst of each, step after step.
func TestRateTableIsExactInParallel(t *testing.T) {
	rule := gcra{interval: int64(time.Second), burst: 10}
	table := newRateTable(1 << 10)
	now := int64(1e18)
	random := rand.New(rand.NewPCG(1, 2))
	want := rule.burst
	for round := range 20 {
		var allowed [4]atomic.Int64
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for i := range 40 {
					if table.take(rule, fmt.Sprint(i%4), now).allowed {
						allowed[i%4].Add(1)
					}
				}
			})
		}
		wg.Wait()
		for k := range allowed {
			if got := allowed[k].Load(); got != want {
				t.Fatalf("round %d, key %d: %d pass, want %d", round, k, got, want)
			}
		}
		steps := random.IntN(15)
		now += int64(steps) * int64(time.Second)
		want = int64(min(steps, 10))
	}
}
