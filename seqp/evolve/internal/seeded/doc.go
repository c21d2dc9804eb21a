// Package seeded holds a program with a bug in each of many handlers, and a twin of each without it, on which the analysis
// of evolve is measured: how many of the bugs it finds, and how many of the twins it takes for bugs.
//
// The cases were written after advisories for programs in Go (testdata/cases.txt), before the analysis was fitted to any of
// them; what it found then is kept in testdata/first.txt.
package seeded
