package ishaa

import "time"

// Clock tells the time and waits. Code that measures or waits takes one, so that
// tests run on a clock of their own.
type Clock interface {
	Now() time.Time
	// After sends the time once the duration has passed.
	After(d time.Duration) <-chan time.Time
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
