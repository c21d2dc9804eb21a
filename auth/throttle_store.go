package auth

import (
	"context"
	"errors"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/store"
)

// A throttle whose store is away counts on each node by itself: signing in goes
// on, and guessing stays slow.

// warnEvery is how often the log hears of a store that is away.
const warnEvery = time.Minute

func (t *Throttle) get(ctx context.Context, key string) ([]byte, error) {
	value, err := t.kv.Get(ctx, key)
	if t.away(ctx, err) {
		value, err = t.local.Get(ctx, key)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

func (t *Throttle) swap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	done, err := t.kv.CompareAndSwap(ctx, key, old, value, ttl)
	if t.away(ctx, err) {
		// If what was read came from the store, this fails, and what is here is read next.
		return t.local.CompareAndSwap(ctx, key, old, value, ttl)
	}
	return done, err
}

func (t *Throttle) set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	err := t.kv.Set(ctx, key, value, ttl)
	if t.away(ctx, err) {
		return t.local.Set(ctx, key, value, ttl)
	}
	return err
}

func (t *Throttle) delete(ctx context.Context, key string) error {
	err := t.kv.Delete(ctx, key)
	if t.away(ctx, err) {
		return t.local.Delete(ctx, key)
	}
	return err
}

// away tells the store's failures from those of the request, and the log of them.
func (t *Throttle) away(ctx context.Context, err error) bool {
	if err == nil || errors.Is(err, store.ErrNotFound) || ctx.Err() != nil {
		return false
	}
	if r := ishaa.FromContext(ctx); r != nil {
		now := timeOf(ctx, t.options.Clock).UnixNano()
		if last := t.warned.Load(); (last == 0 || now-last >= int64(warnEvery)) && t.warned.CompareAndSwap(last, now) {
			r.Logger().Warn("sign-in is throttled by this node alone: the store is away", "error", err)
		}
	}
	return true
}
