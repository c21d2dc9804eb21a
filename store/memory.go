package store

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The memory engine is a map in shards. A key whose time is up is gone for every
// reader at once; its memory is reclaimed by later writes, a bounded number of
// keys each, so nothing runs in the background and no call pays for a crowd.

// MemoryOptions are the settings of NewMemory.
type MemoryOptions struct {
	// Now tells the time that keys expire by; time.Now by default. Tests give a
	// clock of their own.
	Now func() time.Time
}

// NewMemory returns an empty store in memory. It is what "memory://" opens.
func NewMemory(options MemoryOptions) Store {
	return WithEffects(newMemory(options), newMemorySource())
}

func openMemory(u *url.URL) (Store, error) {
	if u.Host != "" || u.Path != "" || u.RawQuery != "" {
		return nil, errors.New("memory:// takes neither a host nor a path nor options: every store in memory is its own")
	}
	return newMemory(MemoryOptions{}), nil
}

var memories atomic.Int64

func newMemorySource() string { return "memory://" + strconv.FormatInt(memories.Add(1), 10) }

const (
	memoryShards = 16
	sweepBatch   = 16 // expired keys that one write reclaims at most
	// maxMemoryValue keeps one mistake from taking the process down.
	maxMemoryValue = 64 << 20
)

type memory struct {
	now    func() time.Time
	seed   maphash.Seed
	shards [memoryShards]memoryShard
	hub    *Hub
	closed atomic.Bool
}

type memoryShard struct {
	mu      sync.Mutex
	items   map[string]*memoryItem
	expiry  expiryHeap
	closing bool
}

// memoryItem is one key. The value is replaced, never written into.
type memoryItem struct {
	key     string
	value   []byte
	expires time.Time // zero: never
	place   int       // in the heap, -1 when it is not there
}

func newMemory(options MemoryOptions) *memory {
	m := &memory{now: options.Now, seed: maphash.MakeSeed()}
	if m.now == nil {
		m.now = time.Now
	}
	for i := range m.shards {
		m.shards[i].items = map[string]*memoryItem{}
	}
	m.hub = NewHub(nil, nil)
	return m
}

// shard locks and returns the shard of a key, for a context that is alive and a
// store that is open.
func (m *memory) shard(ctx context.Context, key string) (*memoryShard, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &m.shards[maphash.String(m.seed, key)%memoryShards]
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	return s, nil
}

// live returns the item of a key whose time is not up.
func (s *memoryShard) live(key string, now time.Time) *memoryItem {
	item := s.items[key]
	if item == nil || item.expired(now) {
		return nil
	}
	return item
}

func (i *memoryItem) expired(now time.Time) bool {
	return !i.expires.IsZero() && !now.Before(i.expires)
}

// put stores a value. Expired neighbours make room.
func (s *memoryShard) put(key string, value []byte, ttl time.Duration, now time.Time) {
	s.sweep(now)
	item := s.items[key]
	if item == nil {
		item = &memoryItem{key: key, place: -1}
		s.items[key] = item
	}
	item.value = value
	item.expires = time.Time{}
	if ttl > 0 {
		item.expires = now.Add(ttl)
	}
	s.expiry.update(item)
}

func (s *memoryShard) remove(item *memoryItem) {
	delete(s.items, item.key)
	item.expires = time.Time{}
	s.expiry.update(item)
}

func (s *memoryShard) sweep(now time.Time) {
	for range sweepBatch {
		if len(s.expiry) == 0 || !s.expiry[0].expired(now) {
			return
		}
		s.remove(s.expiry[0])
	}
}

// Get implements KV.
func (m *memory) Get(ctx context.Context, key string) ([]byte, error) {
	s, err := m.shard(ctx, key)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	item := s.live(key, m.now())
	if item == nil {
		return nil, ErrNotFound
	}
	return bytes.Clone(item.value), nil
}

// GetMany implements KV.
func (m *memory) GetMany(ctx context.Context, keys ...string) (map[string][]byte, error) {
	found := make(map[string][]byte, len(keys))
	for _, key := range keys {
		switch value, err := m.Get(ctx, key); {
		case err == nil:
			found[key] = value
		case !errors.Is(err, ErrNotFound):
			return nil, err
		}
	}
	return found, nil
}

// Set implements KV.
func (m *memory) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	ttl, err := checkMemoryWrite(key, value, ttl)
	if err != nil {
		return err
	}
	s, err := m.shard(ctx, key)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.put(key, cloneValue(value), ttl, m.now())
	return nil
}

// Delete implements KV.
func (m *memory) Delete(ctx context.Context, key string) error {
	s, err := m.shard(ctx, key)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	if item := s.items[key]; item != nil {
		s.remove(item)
	}
	s.sweep(m.now())
	return nil
}

// CompareAndSwap implements KV.
func (m *memory) CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	ttl, err := checkMemoryWrite(key, value, ttl)
	if err != nil {
		return false, err
	}
	s, err := m.shard(ctx, key)
	if err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	now := m.now()
	item := s.live(key, now)
	switch {
	case (item == nil) != (old == nil), item != nil && !bytes.Equal(item.value, old):
		return false, nil
	case value != nil:
		s.put(key, cloneValue(value), ttl, now)
	case item != nil:
		s.remove(item)
	}
	return true, nil
}

// Increment implements KV.
func (m *memory) Increment(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	ttl, err := checkMemoryWrite(key, nil, ttl)
	if err != nil {
		return 0, err
	}
	s, err := m.shard(ctx, key)
	if err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	now := m.now()
	item := s.live(key, now)
	if item == nil {
		s.put(key, strconv.AppendInt(nil, delta, 10), ttl, now)
		return delta, nil
	}
	sum, ok := addCounter(item.value, delta)
	if !ok {
		return 0, ErrNotCounter
	}
	item.value = strconv.AppendInt(nil, sum, 10)
	return sum, nil
}

// Admit implements Limiter.
func (m *memory) Admit(ctx context.Context, key string, interval time.Duration, burst int64) (bool, time.Duration, error) {
	if err := CheckRate(interval, burst); err != nil {
		return false, 0, err
	}
	s, err := m.shard(ctx, key)
	if err != nil {
		return false, 0, err
	}
	defer s.mu.Unlock()
	now := m.now()
	var value []byte
	if item := s.live(key, now); item != nil {
		value = item.value
	}
	admitted, ahead, err := admit(value, now, interval, burst)
	if admitted {
		s.put(key, strconv.AppendInt(nil, now.Add(ahead).UnixNano(), 10), ahead+time.Second, now)
	}
	return admitted, ahead, err
}

// Scan implements KV. It lists the keys of each shard as they are when it is
// begun.
func (m *memory) Scan(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var keys []string
		now := m.now()
		for i := range m.shards {
			s := &m.shards[i]
			s.mu.Lock()
			closed := s.closing
			for key, item := range s.items {
				if strings.HasPrefix(key, prefix) && !item.expired(now) {
					keys = append(keys, key)
				}
			}
			s.mu.Unlock()
			if closed {
				yield("", ErrClosed)
				return
			}
		}
		slices.Sort(keys)
		for _, key := range keys {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

// Publish implements PubSub.
func (m *memory) Publish(ctx context.Context, topic string, message []byte) error {
	if err := CheckKey(topic); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.closed.Load() {
		return ErrClosed
	}
	m.hub.Deliver(topic, bytes.Clone(message))
	return nil
}

// Subscribe implements PubSub.
func (m *memory) Subscribe(ctx context.Context, topic string) (Subscription, error) {
	return m.hub.Subscribe(ctx, topic)
}

// Close implements Store.
func (m *memory) Close() error {
	if m.closed.Swap(true) {
		return nil
	}
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		s.closing, s.items, s.expiry = true, nil, nil
		s.mu.Unlock()
	}
	m.hub.Close()
	return nil
}

func checkMemoryWrite(key string, value []byte, ttl time.Duration) (time.Duration, error) {
	if len(value) > maxMemoryValue {
		return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(value), maxMemoryValue)
	}
	return checkWrite(key, ttl)
}

// cloneValue keeps an empty value apart from none.
func cloneValue(value []byte) []byte { return append(make([]byte, 0, len(value)), value...) }

// expiryHeap orders the keys that expire by their time.
type expiryHeap []*memoryItem

// update puts an item in its place, in or out of the heap.
func (h *expiryHeap) update(item *memoryItem) {
	switch expires := !item.expires.IsZero(); {
	case expires && item.place < 0:
		heap.Push(h, item)
	case expires:
		heap.Fix(h, item.place)
	case item.place >= 0:
		heap.Remove(h, item.place)
	}
}

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].expires.Before(h[j].expires) }
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is for container/heap.
func (h *expiryHeap) Push(item any) {
	added := item.(*memoryItem)
	added.place = len(*h)
	*h = append(*h, added)
}

// Pop is for container/heap.
func (h *expiryHeap) Pop() any {
	list := *h
	last := list[len(list)-1]
	list[len(list)-1] = nil
	*h = list[:len(list)-1]
	last.place = -1
	return last
}
