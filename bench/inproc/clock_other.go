//go:build !unix

package inproc

import "time"

var start = time.Now()

// cpuTime is the time on the wall where the system does not say more.
func cpuTime() time.Duration { return time.Since(start) }
