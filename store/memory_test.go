package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Expired keys are given back by later writes: however long keys come and
// expire, the map stays as small as what is alive.
func TestMemoryIsReclaimed(t *testing.T) {
	ctx := context.Background()
	now := time.Unix(0, 0)
	m := newMemory(MemoryOptions{Now: func() time.Time { return now }})
	for i := range 50_000 {
		if err := m.Set(ctx, fmt.Sprint("k", i), []byte("v"), time.Second); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Millisecond)
	}
	items, waiting := 0, 0
	for i := range m.shards {
		items += len(m.shards[i].items)
		waiting += len(m.shards[i].expiry)
	}
	// 1,000 are alive; a shard reclaims when it is written to next.
	if items != waiting || items < 1000 || items > 1200 {
		t.Errorf("%d keys and %d expiries are kept, want about 1,000 of both", items, waiting)
	}
}

// The heap and the map agree after any sequence of writes.
func TestExpiryHeapAgreesWithTheMap(t *testing.T) {
	ctx := context.Background()
	now := time.Unix(0, 0)
	m := newMemory(MemoryOptions{Now: func() time.Time { return now }})
	random := rand.New(rand.NewPCG(1, 2))
	alive := map[string]time.Time{}
	for range 20_000 {
		key := fmt.Sprint(random.IntN(200))
		switch random.IntN(5) {
		case 0:
			_ = m.Delete(ctx, key)
			delete(alive, key)
		case 1:
			_ = m.Set(ctx, key, nil, 0)
			alive[key] = time.Time{}
		case 2:
			now = now.Add(time.Duration(random.IntN(5)) * time.Millisecond)
		default:
			ttl := time.Duration(1+random.IntN(100)) * time.Millisecond
			_ = m.Set(ctx, key, nil, ttl)
			alive[key] = now.Add(ttl)
		}
		key = fmt.Sprint(random.IntN(200))
		expires, want := alive[key]
		want = want && (expires.IsZero() || now.Before(expires))
		if _, err := m.Get(ctx, key); (err == nil) != want {
			t.Fatalf("%s is found: %v, want %v", key, err == nil, want)
		}
	}
	for i := range m.shards {
		s := &m.shards[i]
		for place, item := range s.expiry {
			if item.place != place || s.items[item.key] != item {
				t.Fatalf("place %d holds %q, which says %d", place, item.key, item.place)
			}
		}
		for key, item := range s.items {
			if (item.place >= 0) == item.expires.IsZero() {
				t.Fatalf("%q at place %d expires %v", key, item.place, item.expires)
			}
		}
	}
}

func BenchmarkMemory(b *testing.B) {
	ctx := context.Background()
	st := NewMemory(MemoryOptions{})
	value := make([]byte, 100)
	_ = st.Set(ctx, "k", value, 0)
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = st.Get(ctx, "k")
		}
	})
	b.Run("set with expiry", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = st.Set(ctx, "k", value, time.Minute)
		}
	})
}
