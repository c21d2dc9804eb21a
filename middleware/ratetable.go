package middleware

import (
	"hash/maphash"
	"sync"
)

// rateTable keeps the theoretical arrival times of this process. Its memory is
// bounded: a key whose time has passed is as good as one that is not there, so
// each insertion removes such keys among a few it looks at, and at the limit the
// one of them goes that has the least to lose.
type rateTable struct {
	seed   maphash.Seed
	limit  int // keys in a shard
	shards [rateShards]rateShard
}

type rateShard struct {
	mu       sync.Mutex
	arrivals map[string]int64
	_        [40]byte // shards of their own cache lines
}

const (
	rateShards = 32
	rateSample = 8 // keys that one insertion looks at
)

func newRateTable(keys int) *rateTable {
	t := &rateTable{seed: maphash.MakeSeed(), limit: max(1, keys/rateShards)}
	for i := range t.shards {
		t.shards[i].arrivals = map[string]int64{}
	}
	return t
}

func (t *rateTable) shard(key string) *rateShard {
	return &t.shards[maphash.String(t.seed, key)%rateShards]
}

// take judges a request and, if it is allowed, counts it, in one step.
func (t *rateTable) take(rule gcra, key string, now int64) verdict {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	v := rule.decide(s.arrivals[key], now)
	if v.allowed {
		s.put(key, v.arrival, now, t.limit)
	}
	return v
}

// peek judges a request without counting it.
func (t *rateTable) peek(rule gcra, key string, now int64) verdict {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	return rule.decide(s.arrivals[key], now)
}

// learn remembers an arrival time that the store told. Times only move forward,
// so what a slower request learned later does not undo it.
func (t *rateTable) learn(key string, arrival, now int64) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if arrival > s.arrivals[key] && arrival > now {
		s.put(key, arrival, now, t.limit)
	}
}

func (s *rateShard) put(key string, arrival, now int64, limit int) {
	if _, known := s.arrivals[key]; !known {
		s.makeRoom(now, limit)
	}
	s.arrivals[key] = arrival
}

// makeRoom looks at a few keys, as a map gives them in no particular order.
func (s *rateShard) makeRoom(now int64, limit int) {
	looked := 0
	least, leastArrival := "", int64(0)
	for key, arrival := range s.arrivals {
		if looked++; looked > rateSample {
			break
		}
		if arrival <= now {
			delete(s.arrivals, key)
		} else if least == "" || arrival < leastArrival {
			least, leastArrival = key, arrival
		}
	}
	if len(s.arrivals) >= limit {
		delete(s.arrivals, least)
	}
}

// size is how many keys are kept.
func (t *rateTable) size() int {
	n := 0
	for i := range t.shards {
		t.shards[i].mu.Lock()
		n += len(t.shards[i].arrivals)
		t.shards[i].mu.Unlock()
	}
	return n
}
