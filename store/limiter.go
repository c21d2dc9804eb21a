package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Limiter is what an engine may be besides a Store: it judges and counts in one
// step, on its own clock, so that a limit is exact whatever the clocks of the
// nodes say. Ask for it by type assertion; without it compare-and-swap does the
// same in two steps.
type Limiter interface {
	// Admit counts one more against a key if a rate of one per interval, burst of
	// them at once, allows it (GCRA, ITU-T I.371). It says whether it did and, either
	// way, how far the key's theoretical arrival time is now ahead of the clock: the
	// key is as new when that has passed. A refusal counts nothing. What the key
	// holds is that time in nanoseconds since 1970, as decimal text; a key that holds
	// something else is ErrNotCounter.
	Admit(ctx context.Context, key string, interval time.Duration, burst int64) (admitted bool, ahead time.Duration, err error)
}

// maxRoom bounds how far an arrival time can be in the future.
const maxRoom = 100 * 365 * 24 * time.Hour

// CheckRate returns an error for a rate that no engine takes. Engines call it
// first.
func CheckRate(interval time.Duration, burst int64) error {
	if interval <= 0 || burst <= 0 || burst > int64(maxRoom/interval) {
		return fmt.Errorf("store: a rate of one per %v, %d at once: give both more than 0 and a product of a hundred years at most", interval, burst)
	}
	return nil
}

// admit is the rule itself, on a key's value, which is nil for a new key.
func admit(value []byte, now time.Time, interval time.Duration, burst int64) (bool, time.Duration, error) {
	var ahead time.Duration
	if value != nil {
		arrival, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil {
			return false, 0, errors.Join(ErrNotCounter, err)
		}
		ahead = max(0, time.Unix(0, arrival).Sub(now))
	}
	if ahead > interval*time.Duration(burst)-interval {
		return false, ahead, nil
	}
	return true, ahead + interval, nil
}
