package mutation_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ishaa-framework/ishaa/seqp/evolve/mutation"
)

// A mutant that gives the program's own values wherever a test comes by cannot be noticed: it lives, and nothing is run.
func TestWhatGivesTheSameValuesIsNotRun(t *testing.T) {
	runs := filepath.Join(t.TempDir(), "runs")
	t.Setenv("RUNS_OF_THE_TEST", runs)
	dir := module(t, map[string]string{
		"sum.go": "package sum\n\nfunc Small(a int) bool { return a < 10 }\n",
		"sum_test.go": `package sum

import (
	"os"
	"testing"
)

func TestSmall(t *testing.T) {
	f, err := os.OpenFile(os.Getenv("RUNS_OF_THE_TEST"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString("x")
	if !Small(3) || Small(30) {
		t.Fail()
	}
}
`})
	report := run(t, mutation.Options{Dir: dir})
	if report.Killed() != 1 || report.Lived() != 1 || report.Survivors()[0].Kind != mutation.Boundary {
		t.Errorf("%+v", report.Packages[0].Mutants)
	}
	if text, err := os.ReadFile(runs); err != nil || !bytes.Equal(text, []byte("xx")) {
		t.Errorf("the test ran %d times: once to see what it reaches and once for the mutant that it notices are enough (%v)", len(text), err)
	}
}

// What differs without another value is run: a zero of the other sign, a division by zero, a call that is left out, a nil
// that is looked into.
func TestSubtleDifferencesAreNoticed(t *testing.T) {
	dir := module(t, map[string]string{
		"sum.go": `package sum

type P struct{ n int }

func Plus(a, b float64) float64 { return a + b }

func Times(a, b int) int { return a * b }

func Both(x bool, f func() bool) bool { return x && f() }

func Either(x bool, f func() bool) bool { return x || f() }

func Some(p *P) bool { return p != nil && p.n == 1 }

func Any(list []int) bool { return len(list) == 0 || len(list) == 2 }
`,
		"sum_test.go": `package sum

import (
	"math"
	"testing"
)

func want(t *testing.T, ok bool) {
	t.Helper()
	if !ok {
		t.Fail()
	}
}

func TestAll(t *testing.T) {
	minus := math.Copysign(0, -1)
	want(t, math.Signbit(Plus(minus, minus)))
	want(t, Times(3, 0) == 0)
	called := 0
	f := func() bool { called++; return true }
	g := func() bool { called++; return false }
	want(t, Both(true, f) && called == 1)
	want(t, !Either(false, g) && called == 2)
	want(t, !Some(nil))
	want(t, Any(make([]int, 2)))
}
`})
	report := run(t, mutation.Options{Dir: dir})
	kinds := map[mutation.Kind]int{}
	for _, m := range report.Packages[0].Mutants {
		if m.Status == mutation.Killed {
			kinds[m.Kind]++
		}
	}
	if kinds[mutation.Arithmetic] != 2 || kinds[mutation.Logic] != 4 {
		t.Errorf("noticed: %v", kinds)
	}
	var lived []string
	for _, m := range report.Survivors() {
		lived = append(lived, string(m.Status)+" "+m.Original)
	}
	if want := []string{"not reached p.n == 1", "lived len(list) == 0"}; !slices.Equal(lived, want) {
		t.Errorf("the survivors are %q, want %q", lived, want) // no test has an empty list, so nobody asks for it
	}
}

// A package may be tested from another one.
func TestTestsOfOtherPackages(t *testing.T) {
	dir := module(t, map[string]string{
		"inner/inner.go": "package inner\n\nfunc Adult(age int) bool { return age >= 18 }\n",
		"sum.go":         "package sum\n\nimport \"example.com/sum/inner\"\n\nfunc May(age int) bool { return inner.Adult(age) }\n",
		"sum_test.go": `package sum_test

import (
	"testing"

	"example.com/sum"
)

func TestMay(t *testing.T) {
	if !sum.May(40) || sum.May(4) {
		t.Fail()
	}
}
`,
		"alone/alone_test.go": "package alone\n\nimport \"testing\"\n\nfunc TestFails(t *testing.T) { t.Fail() }\n",
	})
	inner := []string{"./inner"}
	if report := run(t, mutation.Options{Dir: dir, Patterns: inner}); report.Count(mutation.NotReached) != 2 {
		t.Errorf("with its own tests, of which there are none: %+v", report.Packages[0].Mutants)
	}
	report := run(t, mutation.Options{Dir: dir, Patterns: inner, Everywhere: true})
	if report.Killed() != 1 || report.Lived() != 1 || report.Survivors()[0].Kind != mutation.Boundary {
		t.Errorf("with those of the package that depends on it: %+v", report.Packages[0].Mutants)
	}
}
