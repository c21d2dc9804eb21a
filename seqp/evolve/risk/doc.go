// Package risk says where in an application a mistake would cost most: per route, what its handler reaches, how tangled
// that is, what it touches, and whether what a client sends gets into SQL, commands, files, HTML, redirects or addresses.
//
//	report, err := risk.Analyze(ctx, risk.Options{Dir: "."})
//	if err != nil { … }
//	for _, route := range report.Routes {
//		fmt.Println(route.Method, route.Pattern, route.Level, route.Reasons)
//	}
//
// # How
//
// The packages of the module are type-checked and turned into SSA form; what they import is known by its types alone, so
// that an analysis takes as long as the application is large. Routes are the calls of the framework's registering
// methods and functions, with the prefixes of their blueprints. What a handler reaches comes from a call graph by variable
// type analysis (Sundaresan and others 2000) and from every function that is named in one that is reached.
//
// Data flow goes through helpers by a summary of each function: which of its parameters get into which of its results, of
// its other parameters, and of the places that are dangerous; computed until nothing changes. Numbers, times and errors
// carry nothing; a check that decides a branch (a pattern that matches, a name from a list, a host that is compared) clears
// what it decided about. The framework's own ways are safe: ORM lookups, templates, HTMLf's arguments, RedirectLocal,
// FileFS, package outbound, and typed inputs with an enum, a pattern or a format.
//
// A score is 0 to 1 and each names its reasons with file and line. Critical, from 0.8, is kept for routes with a finding:
// code is not called critical for being long.
package risk
