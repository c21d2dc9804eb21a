package middleware

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/store"
)

// sharedRate counts in a store. One that is a store.Limiter judges and counts in
// one round trip, on its own clock. In any other the theoretical arrival time of a
// key is swapped in by compare-and-swap, so nodes never overwrite each other's
// counts, and within a process the requests of one key go one after another, so
// that only nodes compete. What the store said is remembered: since times only move
// forward, a key that was used up is refused without asking until its time has
// come.
type sharedRate struct {
	store   store.KV
	limiter store.Limiter // nil: the store is none
	rule    gcra
	timeout time.Duration
	seed    maphash.Seed
	lanes   [256]chan struct{} // one token each
	away    atomic.Int64       // the store failed: ask again at this time; 0 while it works
}

// storeBackoff is how long a store that failed is left alone.
const storeBackoff = time.Second

// swapAttempts is how often nodes may outrun one another before a request is
// counted by this node alone.
const swapAttempts = 64

var errContended = errors.New("the key is contended")

func newSharedRate(kv store.KV, rule gcra, timeout time.Duration) *sharedRate {
	s := &sharedRate{store: kv, rule: rule, timeout: timeout, seed: maphash.MakeSeed()}
	s.limiter, _ = kv.(store.Limiter)
	for i := range s.lanes {
		s.lanes[i] = make(chan struct{}, 1)
		s.lanes[i] <- struct{}{}
	}
	return s
}

// take judges and counts a request, by the store or, while that fails, by the
// table of this node.
func (s *sharedRate) take(r *ishaa.Request, table *rateTable, key string, now int64) verdict {
	if !s.reachable(now) {
		return table.take(s.rule, key, now)
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.timeout)
	defer cancel()
	v, known, err := s.judge(ctx, table, key, now)
	switch {
	case known:
		return v
	case err == nil:
		if s.away.Swap(0) != 0 {
			r.App().Logger().Info("the store of the rate limit works again")
		}
		table.learn(key, v.arrival, now)
		return v
	case r.Context().Err() == nil && !errors.Is(err, errContended):
		if s.away.Swap(now+int64(storeBackoff)) == 0 {
			r.App().Logger().Warn("the store of the rate limit failed; this node counts by itself", "error", err)
		}
	}
	return table.take(s.rule, key, now)
}

// judge asks the store, or knows from what it said before.
func (s *sharedRate) judge(ctx context.Context, table *rateTable, key string, now int64) (v verdict, known bool, err error) {
	if s.limiter == nil {
		lane := s.lanes[maphash.String(s.seed, key)%uint64(len(s.lanes))]
		select {
		case <-lane:
			defer func() { lane <- struct{}{} }()
		case <-ctx.Done():
			return v, false, errContended
		}
	}
	if v = table.peek(s.rule, key, now); !v.allowed {
		return v, true, nil
	}
	if s.limiter == nil {
		v, err = s.swap(ctx, key, now)
		return v, false, err
	}
	allowed, ahead, err := s.limiter.Admit(ctx, key, time.Duration(s.rule.interval), s.rule.burst)
	if errors.Is(err, store.ErrNotCounter) {
		err = taken(key)
	}
	return s.rule.told(allowed, int64(ahead), now), false, err
}

// told is the verdict that a store.Limiter gave, in this node's time.
func (g gcra) told(allowed bool, ahead, now int64) verdict {
	room := g.interval * g.burst
	v := verdict{allowed: allowed, arrival: now + ahead, reset: time.Duration(ahead)}
	if allowed {
		v.remaining = max(0, room-ahead) / g.interval
	} else {
		v.retry = time.Duration(max(1, ahead+g.interval-room))
	}
	return v
}

// taken is the error of a key that somebody else uses.
func taken(key string) error {
	return fmt.Errorf("the key %q holds something else: give the limit another Name", key)
}

// reachable says whether to ask the store. After a failure one request at a time
// finds out whether it works again.
func (s *sharedRate) reachable(now int64) bool {
	until := s.away.Load()
	return until == 0 || now >= until && s.away.CompareAndSwap(until, now+int64(storeBackoff))
}

// swap moves the key's time on in the store, as far as the rule allows.
func (s *sharedRate) swap(ctx context.Context, key string, now int64) (verdict, error) {
	for range swapAttempts {
		old, arrival, err := s.read(ctx, key)
		if err != nil {
			return verdict{}, err
		}
		v := s.rule.decide(arrival, now)
		if !v.allowed {
			return v, nil
		}
		// A second more than needed: an entry that outlives its time does no harm, one
		// that goes too early does.
		ttl := time.Duration(v.arrival-now) + time.Second
		swapped, err := s.store.CompareAndSwap(ctx, key, old, strconv.AppendInt(nil, v.arrival, 10), ttl)
		if err != nil || swapped {
			return v, err
		}
	}
	return verdict{}, errContended
}

func (s *sharedRate) read(ctx context.Context, key string) (old []byte, arrival int64, err error) {
	old, err = s.store.Get(ctx, key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, 0, nil
	case err != nil:
		return nil, 0, err
	}
	arrival, err = strconv.ParseInt(string(old), 10, 64)
	if err != nil {
		return nil, 0, taken(key)
	}
	return old, arrival, nil
}

// refuses reports whether the store would have the request refused now. A store
// that cannot say refuses nothing.
func (s *sharedRate) refuses(r *ishaa.Request, key string, now int64) bool {
	if s.away.Load() != 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.timeout)
	defer cancel()
	_, arrival, err := s.read(ctx, key)
	return err == nil && !s.rule.decide(arrival, now).allowed
}
