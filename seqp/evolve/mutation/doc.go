// Package mutation asks whether tests would notice: it changes a program in many small ways, each a mutant, and sees which
// of them the package's own tests fail on. A mutant that lives is a line whose meaning no test pins down.
//
//	report, err := mutation.Run(ctx, mutation.Options{Dir: ".", Patterns: []string{"./..."}})
//	if err != nil { … }
//	fmt.Println(report.Killed(), report.Lived())
//	for _, m := range report.Survivors() {
//		fmt.Printf("%s:%d: %s could be %s\n", m.File, m.Line, m.Original, m.Mutated)
//	}
//
// # How
//
// All mutants of a package are compiled into one test binary and one of them is chosen by an environment variable when it
// starts (mutant schemata; Untch, Offutt and Harrold 1993), so a package is built once and not once a mutant. The changed
// source is given to the compiler by go test's -overlay: no file of the program is touched. A run without a mutant
// of each test says which mutants it reaches and where one would give another value than the program does (weak mutation;
// Howden 1982). Only tests that could notice a mutant are run as it, those that end soon first, and one that gives the same
// values everywhere lives without being run.
//
// A mutant is killed when the tests fail, when they crash, and when they take ten times as long as without it. A line that
// the compiler refuses to have changed is left as it is and counted.
//
// # What is changed
//
//	boundary     a < b     becomes a <= b, and so on
//	negation     a == b    becomes a != b; a < b becomes a >= b; if ok becomes if !ok
//	arithmetic   a + b     becomes a - b; a * b becomes a / b; a % b becomes a * b
//	increment    i++       becomes i--
//	sign         -a        becomes a
//	logic        a && b    becomes a || b, and the other way round
//	assignment   a += b    becomes a -= b, and so on
//	error        return …, err   becomes return …, nil
//	call         f(x) as a statement is not called
//
// Constants, generated files and files that use cgo are left alone.
package mutation
