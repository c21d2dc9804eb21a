package sare

import (
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// flights are the answers of a route that are being made. Requests that miss at the same place of the trie agree in all
// that is known to matter, so one of them runs the handler and the others wait for what it keeps. They then look again:
// the answer may turn out to depend on more than was known, and not be theirs.
type flights struct {
	mu    sync.Mutex
	at    map[place]*flight
	alone map[place]time.Time // where answers were not kept lately: nobody waits in vain there
}

type flight struct {
	done  chan struct{}
	again bool // what was made could be kept: look for it
}

const (
	aloneTime  = 5 * time.Second
	waitAnswer = 5 * time.Second
	maxAlone   = 1024
)

// join takes part in the flight at a place, or begins it.
func (f *flights) join(at place, now time.Time) (fl *flight, first, alone bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if until, known := f.alone[at]; known {
		if now.Before(until) {
			return nil, false, true
		}
		delete(f.alone, at)
	}
	if fl := f.at[at]; fl != nil {
		return fl, false, false
	}
	fl = &flight{done: make(chan struct{})}
	if f.at == nil {
		f.at, f.alone = map[place]*flight{}, map[place]time.Time{}
	}
	f.at[at] = fl
	return fl, true, false
}

// land ends a flight.
func (f *flights) land(at place, fl *flight, again, finished bool, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.at, at)
	if !again && finished {
		if len(f.alone) >= maxAlone {
			clear(f.alone)
		}
		f.alone[at] = now.Add(aloneTime)
	}
	fl.again = again
	close(fl.done)
}

// wait waits for the flight to land and reports whether it is worth looking again.
func (fl *flight) wait(r *ishaa.Request, clock ishaa.Clock) bool {
	select {
	case <-fl.done:
		return fl.again
	case <-r.Context().Done():
	case <-clock.After(waitAnswer):
	}
	return false
}
