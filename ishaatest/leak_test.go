package ishaatest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// leakTB records the failures of a test and its cleanups.
type leakTB struct {
	testing.TB
	cleanups []func()
	failures []string
}

func (t *leakTB) Helper()           {}
func (t *leakTB) Cleanup(fn func()) { t.cleanups = append(t.cleanups, fn) }
func (t *leakTB) Errorf(format string, args ...any) {
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}

func TestNoLeaks(t *testing.T) {
	check := func(during func()) []string {
		tb := &leakTB{TB: t}
		noLeaks(tb, 50*time.Millisecond)
		during()
		for _, fn := range tb.cleanups {
			fn()
		}
		return tb.failures
	}
	stop := make(chan struct{})
	defer close(stop)
	if got := check(func() { go neverEnds(stop) }); len(got) != 1 ||
		!strings.Contains(got[0], "1 goroutines that began during the test still run") || !strings.Contains(got[0], "neverEnds") {
		t.Errorf("a leak is reported as %q", got)
	}
	if got := check(func() { go time.Sleep(5 * time.Millisecond) }); len(got) != 0 {
		t.Errorf("a goroutine that ends is reported as %q", got)
	}
	if got := check(func() {}); len(got) != 0 {
		t.Errorf("a goroutine from before is reported as %q", got)
	}
}

func neverEnds(stop chan struct{}) { <-stop }
