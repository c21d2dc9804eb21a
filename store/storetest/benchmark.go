package storetest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/store"
)

// Benchmark measures the operations of a store on a value of 100 bytes, by one
// caller and, as "parallel", by many. It removes what it wrote.
func Benchmark(b *testing.B, st store.Store) {
	ctx := context.Background()
	key := "benchmark-" + rand.Text()
	value := make([]byte, 100)
	if err := st.Set(ctx, key, value, time.Hour); err != nil {
		b.Fatal(err)
	}
	defer func() {
		for _, suffix := range []string{"", ":n", ":rate"} {
			_ = st.Delete(ctx, key+suffix)
		}
	}()
	operations := []struct {
		name string
		run  func() error
	}{
		{"get", func() error { _, err := st.Get(ctx, key); return err }},
		{"set", func() error { return st.Set(ctx, key, value, time.Hour) }},
		{"swap", func() error { _, err := st.CompareAndSwap(ctx, key, value, value, time.Hour); return err }},
		{"increment", func() error { _, err := st.Increment(ctx, key+":n", 1, time.Hour); return err }},
		{"publish", func() error { return st.Publish(ctx, key, value) }},
	}
	if limiter, ok := st.(store.Limiter); ok {
		operations = append(operations, struct {
			name string
			run  func() error
		}{"admit", func() error { _, _, err := limiter.Admit(ctx, key+":rate", time.Microsecond, 1<<20); return err }})
	}
	for _, operation := range operations {
		b.Run(operation.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := operation.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("get parallel", func(b *testing.B) {
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := operations[0].run(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}
