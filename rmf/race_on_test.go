//go:build race

package rmf

// racing says that the race detector is on; simulations, which have one goroutine, are left out then.
const racing = true
