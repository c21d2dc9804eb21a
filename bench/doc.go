// Package bench compares Ishaa with its peers in process: router lookups, and whole requests through a ResponseWriter
// that keeps nothing. It has no code of its own but benchmarks:
//
//	go test -run - -bench . -count 6 | tee new.txt
//
// What a request costs a server over a socket is measured by cmd/cpu. README.md says how to read either.
package bench
