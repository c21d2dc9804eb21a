// Package bench runs the cases of package inproc as benchmarks. It has no code of its own:
//
//	go test -run - -bench . -count 6 | tee new.txt
//
// What a request costs a server over a socket is measured by cmd/cpu; ratios with an interval are given by cmd/inproc.
// README.md says how to read them.
package bench
