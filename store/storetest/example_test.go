package storetest_test

import (
	"testing"

	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/store/storetest"
)

// An engine's own test is one call; here it is the memory engine's.
func Example() {
	test := func(t *testing.T) {
		storetest.Run(t, storetest.Engine{
			Open: func(t *testing.T) store.Store { return store.NewMemory(store.MemoryOptions{}) },
		})
	}
	_ = test // go test calls it
	// Output:
}
