package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/ishaa-framework/ishaa/store"
)

// The two levels: near is this process, far the store. Reading goes near, then far,
// and takes home what it found there. A counter per group of keys, moved on by every
// change, tells a reader that what it is about to take home was changed meanwhile.

// maxKey is the longest key that is kept as it is.
const maxKey = 200

// storeKey is a caller's key as both levels know it.
func (c *Cache) storeKey(key string) (string, error) {
	if key == "" {
		return "", errors.New("cache: the key is empty")
	}
	if len(key) > maxKey {
		digest := sha256.Sum256([]byte(key))
		return c.prefix + "h:" + hex.EncodeToString(digest[:]), nil
	}
	return c.prefix + "k:" + key, nil
}

// backOff is how long a store that failed is left alone.
const backOff = time.Second

var errAway = errors.New("cache: the store failed a moment ago and is left alone")

func (c *Cache) readFar(ctx context.Context, key string) ([]byte, error) {
	var data []byte
	err := c.askFar(ctx, func(ctx context.Context) (err error) {
		data, err = c.far.Get(ctx, key)
		return err
	})
	return data, err
}

// askFar does something with the store, unless that failed a moment ago.
func (c *Cache) askFar(ctx context.Context, ask func(context.Context) error) error {
	now := c.now().UnixMilli()
	if until := c.away.Load(); now < until {
		return errAway
	}
	return c.writeFar(ctx, ask)
}

// writeFar does something with the store, within its time.
func (c *Cache) writeFar(ctx context.Context, ask func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, c.options.StoreTimeout)
	defer cancel()
	err := ask(limited)
	switch {
	case err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrTooLarge):
		if c.away.Load() != 0 && c.away.Swap(0) != 0 {
			c.logger().Info("the store of the cache works again", "cache", c.options.Name)
		}
	case ctx.Err() != nil: // the caller's doing
	default:
		if c.away.Swap(c.now().Add(backOff).UnixMilli()) == 0 {
			c.logger().Warn("the store of the cache failed; values are kept on this node for a second", "cache", c.options.Name, "error", err)
		}
	}
	return err
}

func group(key string) uint8 {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return uint8(h ^ h>>8 ^ h>>16)
}

// find returns what is kept under a key and still counts, and the bytes that the
// store had, for swapInto; they are nil if it had none or was not asked.
func (c *Cache) find(ctx context.Context, key string) (e *entry, seen []byte) {
	if e := c.findNear(ctx, key); e != nil {
		return e, nil
	}
	if c.far == nil || c.closed.Load() {
		return nil, nil
	}
	changes := c.changes[group(key)].Load()
	seen, err := c.readFar(ctx, key)
	if err != nil {
		return nil, nil
	}
	e, err = parseEntry(seen)
	if err != nil || e.kind == kindLease || !c.counts(ctx, e) {
		return nil, seen
	}
	c.keepNear(key, e, changes)
	return e, seen
}

func (c *Cache) findNear(ctx context.Context, key string) *entry {
	h, ok := c.near.GetIfPresent(key)
	if !ok || h.link != c.link() || h.until != 0 && c.now().UnixMilli() >= h.until || !c.counts(ctx, h.entry) {
		return nil
	}
	return h.entry
}

func (c *Cache) counts(ctx context.Context, e *entry) bool {
	return c.now().UnixMilli() < e.kept && c.current(ctx, e.versions)
}

// keepNear keeps an entry in this process, unless its key was changed since the
// count of changes was taken.
func (c *Cache) keepNear(key string, e *entry, changes uint64) {
	if c.closed.Load() || len(e.data) > c.options.MaxValue || c.changes[group(key)].Load() != changes {
		return
	}
	h := held{entry: e, link: c.link()}
	if h.link%2 == 1 {
		h.until = c.now().Add(unlinked).UnixMilli()
	}
	c.near.Set(key, h)
	if c.changes[group(key)].Load() != changes {
		c.near.Invalidate(key)
	}
}

// changed forgets what this process keeps under a key, and has what is on its way
// there be dropped.
func (c *Cache) changed(key string) {
	c.changes[group(key)].Add(1)
	c.flights.void(key)
	c.near.Invalidate(key)
}

// put replaces what is kept under a key, on all nodes.
func (c *Cache) put(ctx context.Context, key string, e *entry) error {
	c.changed(key)
	if c.far != nil {
		err := c.writeFar(ctx, func(ctx context.Context) error {
			return c.far.Set(ctx, key, e.append(nil), ttlOf(e))
		})
		if err != nil {
			c.changed(key)
			return fmt.Errorf("cache: storing a value: %w", errors.Join(err, c.tell(ctx, 'k', key)))
		}
	}
	c.changed(key)
	c.keepNear(key, e, c.changes[group(key)].Load())
	return c.tell(ctx, 'k', key)
}

// drop forgets a key, on all nodes.
func (c *Cache) drop(ctx context.Context, key string) error {
	c.changed(key)
	var err error
	if c.far != nil {
		err = c.writeFar(ctx, func(ctx context.Context) error { return c.far.Delete(ctx, key) })
	}
	c.changed(key)
	return errors.Join(err, c.tell(ctx, 'k', key))
}

// lease is what a load takes before it begins: the bytes that the store has under
// the key. Only if they are still there afterwards was the key left alone meanwhile.
type lease struct {
	seen    []byte
	changes uint64
	ok      bool // the store has seen
}

// leaseTime is how long a load may take and still be kept in the store.
const leaseTime = 5 * time.Minute

func (c *Cache) takeLease(ctx context.Context, key string, seen []byte) lease {
	l := lease{seen: seen, changes: c.changes[group(key)].Load(), ok: seen != nil}
	if c.far == nil || l.ok {
		return l
	}
	mark := (&entry{stamp: newStamp(), kind: kindLease}).append(nil)
	_ = c.askFar(ctx, func(ctx context.Context) error {
		swapped, err := c.far.CompareAndSwap(ctx, key, nil, mark, leaseTime)
		switch {
		case err != nil:
			return err
		case swapped:
			l.seen, l.ok = mark, true
			return nil
		}
		l.seen, err = c.far.Get(ctx, key) // somebody else's lease, or a value
		l.ok = err == nil
		return err
	})
	return l
}

// fill keeps what was loaded under a lease.
func (c *Cache) fill(ctx context.Context, key string, e *entry, l lease, agreed bool) {
	if len(e.data) > c.options.MaxValue {
		return
	}
	if c.far != nil && l.ok && agreed {
		lost := false
		err := c.askFar(ctx, func(ctx context.Context) error {
			swapped, err := c.far.CompareAndSwap(ctx, key, l.seen, e.append(nil), ttlOf(e))
			lost = err == nil && !swapped
			return err
		})
		if lost {
			return // the key was changed, or somebody else's load was quicker
		}
		if err != nil {
			l.ok = false
		}
	}
	c.keepNear(key, e, l.changes)
}

func ttlOf(e *entry) time.Duration { return time.Duration(max(e.kept-e.stored, 1)) * time.Millisecond }
