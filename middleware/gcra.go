package middleware

import "time"

// The rule of RateLimit is GCRA, the generic cell rate algorithm of ATM (ITU-T
// I.371): a leaky bucket that needs one number per key. That number is the
// theoretical arrival time, when the bucket will be empty again. A request moves
// it on by one interval; a request that would move it further ahead of now than
// the burst allows is refused and moves nothing.

// gcra is a rate: one request per interval, burst of them at once. Times are in
// nanoseconds since 1970.
type gcra struct {
	interval int64
	burst    int64
}

// verdict is what the rule says about one request.
type verdict struct {
	allowed   bool
	arrival   int64         // the new theoretical arrival time; the old one when refused
	remaining int64         // requests that would be allowed right after this one
	reset     time.Duration // until the whole burst is there again
	retry     time.Duration // until a refused request would be allowed
}

// decide judges a request at the time now on a key whose theoretical arrival time
// is arrival, 0 for a key that is new.
func (g gcra) decide(arrival, now int64) verdict {
	room := g.interval * g.burst
	ahead := max(arrival-now, 0) // how far the bucket is filled
	if ahead+g.interval > room {
		return verdict{
			arrival: arrival,
			reset:   time.Duration(ahead),
			retry:   time.Duration(ahead + g.interval - room),
		}
	}
	ahead += g.interval
	return verdict{
		allowed:   true,
		arrival:   now + ahead,
		remaining: (room - ahead) / g.interval,
		reset:     time.Duration(ahead),
	}
}
