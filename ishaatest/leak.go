package ishaatest

import (
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// NoLeaks fails the test if, at its end, goroutines run that did not run when
// NoLeaks was called. Call it first: what the test closes by t.Cleanup is closed
// before NoLeaks looks. Goroutines have 10 seconds to end. It cannot tell tests
// apart that run in parallel, so it is for tests that do not.
func NoLeaks(t testing.TB) {
	t.Helper()
	noLeaks(t, 10*time.Second)
}

func noLeaks(t testing.TB, patience time.Duration) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		t.Helper()
		deadline := time.Now().Add(patience)
		for {
			left := goroutines()
			maps.DeleteFunc(left, func(id, _ string) bool { _, old := before[id]; return old })
			if len(left) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("%d goroutines that began during the test still run:\n\n%s",
					len(left), strings.Join(slices.Sorted(maps.Values(left)), "\n\n"))
				return
			}
			time.Sleep(time.Millisecond) // goroutines end without telling anyone
		}
	})
}

// goroutines returns the stacks of all goroutines but the caller's, by id.
func goroutines() map[string]string {
	buf := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	found := map[string]string{}
	for i, stack := range strings.Split(strings.TrimSpace(string(buf)), "\n\n") {
		if i == 0 {
			continue // the caller comes first
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
		found[id] = stack
	}
	return found
}
