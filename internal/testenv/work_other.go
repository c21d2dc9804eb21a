//go:build !unix

package testenv

import "time"

var began = time.Now()

// processorTime is the time on the clock where the processor's is not known.
func processorTime() time.Duration { return time.Since(began) }
