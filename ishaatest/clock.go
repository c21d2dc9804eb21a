package ishaatest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Clock is an ishaa.Clock that stands still until the test moves it.
//
//	clock := ishaatest.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
//	app.SetClock(clock)
//	…
//	clock.BlockUntil(t, 1)   // the code under test waits
//	clock.Advance(time.Hour) // and goes on
//
// It may be used by many goroutines at once.
type Clock struct {
	mu      sync.Mutex
	now     time.Time
	waiting []waiter      // by time; those of one time in the order they came
	changed chan struct{} // closed, and replaced, whenever a waiter comes
}

type waiter struct {
	at   time.Time
	wake chan time.Time
}

var _ ishaa.Clock = (*Clock)(nil)

// NewClock returns a clock that shows the given time.
func NewClock(start time.Time) *Clock {
	return &Clock{now: start, changed: make(chan struct{})}
}

// Now returns the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After returns a channel that gets the time once the clock has been moved by the
// duration. One that is not positive has passed already.
func (c *Clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	wake := make(chan time.Time, 1)
	if d <= 0 {
		wake <- c.now
		return wake
	}
	at := c.now.Add(d)
	place := len(c.waiting)
	for place > 0 && c.waiting[place-1].at.After(at) {
		place--
	}
	c.waiting = append(c.waiting, waiter{})
	copy(c.waiting[place+1:], c.waiting[place:])
	c.waiting[place] = waiter{at, wake}
	close(c.changed)
	c.changed = make(chan struct{})
	return wake
}

// Advance moves the clock forward and wakes, in the order of their times, those
// whose time has come. Each gets the time it waited for. What they do then is
// theirs: Advance does not wait for it. A negative duration panics.
func (c *Clock) Advance(d time.Duration) {
	if d < 0 {
		panic(fmt.Sprintf("ishaatest: Clock.Advance(%s): time does not go back", d))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.now.Add(d)
	for len(c.waiting) > 0 && !c.waiting[0].at.After(end) {
		first := c.waiting[0]
		c.waiting = c.waiting[1:]
		c.now = first.at
		first.wake <- first.at
	}
	c.now = end
}

// Waiters returns how many channels of After have not been woken. One whose
// goroutine has gone on for another reason still counts.
func (c *Clock) Waiters() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

// BlockUntil waits until at least n channels of After have not been woken. It
// fails the test when that takes longer than 10 seconds of real time.
func (c *Clock) BlockUntil(t testing.TB, n int) {
	t.Helper()
	const patience = 10 * time.Second
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		c.mu.Lock()
		count, changed := len(c.waiting), c.changed
		c.mu.Unlock()
		if count >= n {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("after %s, %d of %d goroutines wait for the clock", patience, count, n)
			return
		}
	}
}
