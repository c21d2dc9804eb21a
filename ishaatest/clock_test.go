package ishaatest_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

var newYear = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func TestClockWakesInOrder(t *testing.T) {
	clock := ishaatest.NewClock(newYear)
	third, first, second := clock.After(3*time.Second), clock.After(time.Second), clock.After(2*time.Second)
	twin := clock.After(time.Second)
	if clock.Waiters() != 4 {
		t.Errorf("%d waiters, want 4", clock.Waiters())
	}
	clock.Advance(time.Second - 1)
	if len(first)+len(twin)+len(second)+len(third) != 0 {
		t.Error("woken too early")
	}
	clock.Advance(1)
	if got := <-first; !got.Equal(newYear.Add(time.Second)) || !(<-twin).Equal(got) {
		t.Errorf("woken with %s", got)
	}
	clock.Advance(time.Hour)
	if a, b := <-second, <-third; !a.Equal(newYear.Add(2*time.Second)) || !b.Equal(newYear.Add(3*time.Second)) {
		t.Errorf("woken with %s and %s: each gets the time it waited for", a, b)
	}
	if got, want := clock.Now(), newYear.Add(time.Hour+time.Second); !got.Equal(want) || clock.Waiters() != 0 {
		t.Errorf("the clock shows %s with %d waiters, want %s with none", got, clock.Waiters(), want)
	}
}

func TestClockThatHasPassed(t *testing.T) {
	clock := ishaatest.NewClock(newYear)
	for _, d := range []time.Duration{0, -time.Second} {
		if got := <-clock.After(d); !got.Equal(newYear) {
			t.Errorf("After(%s) gives %s", d, got)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("time went back")
		}
	}()
	clock.Advance(-1)
}

// Goroutines that wait one after another see each step of the time.
func TestClockDrivesGoroutines(t *testing.T) {
	clock := ishaatest.NewClock(newYear)
	const sleepers, naps = 8, 50
	var group sync.WaitGroup
	woken := make([][]time.Time, sleepers)
	for i := range sleepers {
		group.Go(func() {
			for range naps {
				woken[i] = append(woken[i], <-clock.After(time.Minute))
			}
		})
	}
	for range naps {
		clock.BlockUntil(t, sleepers)
		clock.Advance(time.Minute)
	}
	group.Wait()
	for i := range woken {
		for n, at := range woken[i] {
			if want := newYear.Add(time.Duration(n+1) * time.Minute); !at.Equal(want) {
				t.Fatalf("sleeper %d woke at %s, want %s", i, at, want)
			}
		}
		if !slices.IsSortedFunc(woken[i], time.Time.Compare) {
			t.Errorf("sleeper %d went back in time", i)
		}
	}
}

func TestBlockUntilGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // 10 seconds that take none
		clock := ishaatest.NewClock(newYear)
		_ = clock.After(time.Second)
		fails(t, func(t testing.TB) { clock.BlockUntil(t, 2) }, "after 10s, 1 of 2 goroutines wait for the clock")
	})
}

// The application's heartbeats, and the client's cookies, go by the clock.
func TestClockOfAnApplication(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		clock := ishaatest.NewClock(newYear)
		app := ishaa.New("test")
		app.SetClock(clock)
		app.Get("/silent", feed(nil))
		app.Get("/login", func(r *ishaa.Request) (any, error) {
			return ishaa.Text("").WithHeader("Set-Cookie", "session=1; Max-Age=3600; Path=/"), nil
		})
		client := ishaatest.New(t, app, how...)
		client.Get("/login")
		clock.Advance(time.Hour - 1)
		if _, ok := client.Cookie("session"); !ok {
			t.Error("the cookie expired early")
		}
		clock.Advance(1)
		if _, ok := client.Cookie("session"); ok {
			t.Error("the cookie did not expire")
		}
		stream := client.Stream("/silent", acceptEvents)
		clock.BlockUntil(t, 1)
		clock.Advance(15 * time.Second)
		if line := stream.Line(); line != ": keep-alive" {
			t.Errorf("the heartbeat is %q", line)
		}
	})
}
