// Package inproc compares Ishaa with its peers within one process, without sockets: router lookups, whole requests
// through a ResponseWriter that keeps nothing, pages of template engines, and questions to databases.
//
// The same cases are run in two ways. The benchmarks of package bench give nanoseconds and allocations; Compare gives
// ratios with an interval, from rounds in which all cases of a group take turns, because a machine's speed wanders
// more between two benchmarks than most frameworks differ.
//
//	for _, group := range inproc.Groups() {
//		report, err := inproc.Compare(ctx, group, inproc.Options{Baseline: "gin", Rounds: 20, Round: 10 * time.Millisecond})
//		report.WriteMarkdown(os.Stdout)
//	}
package inproc

import "slices"

// Group is a set of cases that do the same.
type Group struct {
	// Name says what they do: lookup/github, serve/typed, template/users, graphql/flat.
	Name  string
	Cases []Case
	// Close, if there is one, gives back what its cases have taken. Whoever has built one calls it.
	Close func() error
}

// Case is one framework's way to do it.
type Case struct {
	// Name is that of the framework, as in package peers.
	Name string
	// Build prepares the case. Its run does it once, which is count requests or lookups, and fails if it was not done.
	Build func() (run func() error, count int)
	// Rest, if there is one, is run between rounds, outside of what is measured: it takes back what run has left behind.
	Rest func() error
}

// Groups returns all groups.
func Groups() []Group {
	return slices.Concat(lookups(), serves(), templates(), operations(), databases())
}
