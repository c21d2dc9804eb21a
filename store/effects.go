package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"math"
	"strconv"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
)

// WithEffects returns the store with package effect honoured: under a shadow
// nothing is written and every intent is reported; reads are noted under the
// source's name and writes move its generation on. Open does this for every
// engine; code that makes a Store by itself calls it.
func WithEffects(st Store, source string) Store {
	switch st.(type) {
	case *effects, *limiting:
		return st
	}
	e := &effects{Store: st, source: source}
	if limiter, ok := st.(Limiter); ok {
		return &limiting{e, limiter}
	}
	return e
}

type effects struct {
	Store
	source string
}

// Unwrap returns the engine itself, for what only that engine can do.
func (e *effects) Unwrap() Store { return e.Store }

// read notes that what is done with the context depends on the store. Keys are
// too many to be followed one by one, so the source as a whole counts.
func (e *effects) read(ctx context.Context) { effect.Read(ctx, e.source, "") }

// intend reports a write that a shadow would have made. Values are told apart by
// a digest: they may be secrets.
func intend(ctx context.Context, operation, key string, value []byte, ttl time.Duration) bool {
	if !effect.Shadow(ctx) {
		return false
	}
	detail := operation
	if value != nil {
		digest := sha256.Sum256(value)
		detail += " " + strconv.Itoa(len(value)) + " bytes " + hex.EncodeToString(digest[:8])
	}
	if ttl > 0 {
		detail += " for " + ttl.String()
	}
	return effect.Intend(ctx, effect.Intent{Kind: "store", Target: key, Detail: detail})
}

// Get implements KV.
func (e *effects) Get(ctx context.Context, key string) ([]byte, error) {
	e.read(ctx)
	return e.Store.Get(ctx, key)
}

// GetMany implements KV.
func (e *effects) GetMany(ctx context.Context, keys ...string) (map[string][]byte, error) {
	e.read(ctx)
	return e.Store.GetMany(ctx, keys...)
}

// Scan implements KV.
func (e *effects) Scan(ctx context.Context, prefix string) iter.Seq2[string, error] {
	e.read(ctx)
	return e.Store.Scan(ctx, prefix)
}

// Set implements KV.
func (e *effects) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if effect.Shadow(ctx) {
		ttl, err := checkWrite(key, ttl)
		if err == nil {
			intend(ctx, "set", key, value, ttl)
		}
		return err
	}
	defer effect.Writing(e.source, "")()
	return e.Store.Set(ctx, key, value, ttl)
}

// Delete implements KV.
func (e *effects) Delete(ctx context.Context, key string) error {
	if effect.Shadow(ctx) {
		err := CheckKey(key)
		if err == nil {
			intend(ctx, "delete", key, nil, 0)
		}
		return err
	}
	defer effect.Writing(e.source, "")()
	return e.Store.Delete(ctx, key)
}

// CompareAndSwap implements KV.
func (e *effects) CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	e.read(ctx)
	if !effect.Shadow(ctx) {
		defer effect.Writing(e.source, "")()
		return e.Store.CompareAndSwap(ctx, key, old, value, ttl)
	}
	ttl, err := checkWrite(key, ttl)
	if err != nil {
		return false, err
	}
	current, err := e.Store.Get(ctx, key)
	switch {
	case errors.Is(err, ErrNotFound):
		if old != nil {
			return false, nil
		}
	case err != nil:
		return false, err
	case old == nil || !bytes.Equal(current, old):
		return false, nil
	}
	intend(ctx, "swap", key, value, ttl)
	return true, nil
}

// Increment implements KV.
func (e *effects) Increment(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	e.read(ctx)
	if !effect.Shadow(ctx) {
		defer effect.Writing(e.source, "")()
		return e.Store.Increment(ctx, key, delta, ttl)
	}
	ttl, err := checkWrite(key, ttl)
	if err != nil {
		return 0, err
	}
	current, err := e.Store.Get(ctx, key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	if err != nil {
		current = []byte("0")
	}
	sum, ok := addCounter(current, delta)
	if !ok {
		return 0, ErrNotCounter
	}
	intend(ctx, "increment by "+strconv.FormatInt(delta, 10), key, nil, ttl)
	return sum, nil
}

// Publish implements PubSub.
func (e *effects) Publish(ctx context.Context, topic string, message []byte) error {
	if effect.Shadow(ctx) {
		err := CheckKey(topic)
		if err == nil {
			if message == nil {
				message = []byte{}
			}
			intend(ctx, "publish", topic, message, 0)
		}
		return err
	}
	return e.Store.Publish(ctx, topic, message)
}

// limiting is effects for an engine that is a Limiter too. What a limit counted is
// no part of any answer, so it is neither noted as a read nor as a write: else
// every request would put what is remembered about the store out of date.
type limiting struct {
	*effects
	limiter Limiter
}

// Admit implements Limiter.
func (l *limiting) Admit(ctx context.Context, key string, interval time.Duration, burst int64) (bool, time.Duration, error) {
	if !effect.Shadow(ctx) {
		return l.limiter.Admit(ctx, key, interval, burst)
	}
	if err := CheckRate(interval, burst); err != nil {
		return false, 0, err
	}
	value, err := l.Store.Get(ctx, key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, 0, err
	}
	admitted, ahead, err := admit(value, time.Now(), interval, burst)
	if admitted {
		intend(ctx, "admit", key, nil, 0)
	}
	return admitted, ahead, err
}

// addCounter adds to a counter's text. It is not ok for text that is no counter
// and for a sum that does not fit.
func addCounter(text []byte, delta int64) (int64, bool) {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != string(text) {
		return 0, false
	}
	if delta > 0 && n > math.MaxInt64-delta || delta < 0 && n < math.MinInt64-delta {
		return 0, false
	}
	return n + delta, true
}

// checkWrite is what every engine checks before it writes, so that a shadow sees
// the same errors.
func checkWrite(key string, ttl time.Duration) (time.Duration, error) {
	if err := CheckKey(key); err != nil {
		return 0, err
	}
	return CheckTTL(ttl)
}
