//go:build !linux

// Command cpu measures the server CPU per request of Ishaa and its peers over a loopback socket. It pins processes to
// cores and reads their CPU time as Linux offers it.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "cpu: runs on Linux only")
	os.Exit(1)
}
