package mutation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/seqp/evolve/mutation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// module writes a module of its own and returns its folder.
func module(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/sum\n\ngo 1.26\n")
	for name, text := range files {
		write(t, dir, name, text)
	}
	return dir
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, options mutation.Options) *mutation.Report {
	t.Helper()
	report, err := mutation.Run(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

const everyKind = `package sum

import (
	"errors"
	"fmt"
)

type Flag bool

type List[T any] struct{ items []T }

const limit = 3 * 2

func (l *List[T]) Full() bool { return len(l.items) >= limit }

func Less(a, b int) bool { return a < b }

func Same(a, b string) bool { return a == b }

func Sum(list []float64) (total float64) {
	for i := 0; i < len(list); i++ {
		total += list[i]
	}
	return total
}

func Minus(a int) int { return -a }

func Both(a, b bool) bool { return a && b }

func Divide(a, b int) (int, error) {
	if b == 0 {
		return 0, errors.New("by zero")
	}
	return a / b, nil
}

func Wrap(err error) error {
	if err != nil {
		return fmt.Errorf("wrapped: %w", err)
	}
	return nil
}

func Note(log func(string), ok bool) {
	if ok {
		log("noted")
	}
}

func Shift(n uint) bool { return 1<<n > uint64(8) }

func Named(a, b int) Flag { return a < b }

func Nobody() int { return 1 + Minus(1) }
`

const everyTest = `package sum

import (
	"errors"
	"testing"
)

func want(t *testing.T, ok bool) {
	t.Helper()
	if !ok {
		t.Fail()
	}
}

func TestAll(t *testing.T) {
	want(t, Less(1, 2) && !Less(2, 1) && !Less(1, 1))
	want(t, Same("a", "a") && !Same("a", "b"))
	want(t, Sum([]float64{1, 2, 3}) == 6)
	want(t, Minus(2) == -2)
	want(t, !Both(true, false) && Both(true, true))
	q, err := Divide(6, 2)
	want(t, q == 3 && err == nil)
	_, err = Divide(6, 0)
	want(t, err != nil)
	cause := errors.New("cause")
	want(t, errors.Is(Wrap(cause), cause) && Wrap(nil) == nil)
	noted := ""
	Note(func(text string) { noted += text }, true)
	Note(func(text string) { noted += text }, false)
	want(t, noted == "noted")
	want(t, Shift(4) && !Shift(3))
	want(t, bool(Named(1, 2)))
	l := List[int]{items: make([]int, 6)}
	want(t, l.Full())
}
`

func TestEveryKind(t *testing.T) {
	dir := module(t, map[string]string{"sum.go": everyKind, "sum_test.go": everyTest})
	report := run(t, mutation.Options{Dir: dir})
	kinds := map[mutation.Kind]int{}
	for _, m := range report.Packages[0].Mutants {
		kinds[m.Kind]++
	}
	for _, kind := range []mutation.Kind{
		mutation.Boundary, mutation.Negation, mutation.Arithmetic, mutation.Increment, mutation.Sign, mutation.Logic,
		mutation.Assignment, mutation.Error, mutation.Call,
	} {
		if kinds[kind] == 0 {
			t.Errorf("no mutant of the kind %s", kind)
		}
	}
	var lived []string
	for _, m := range report.Survivors() {
		lived = append(lived, fmt.Sprintf("%s %s %s: %s", m.Status, m.Function, m.Kind, m.Mutated))
	}
	// Note is called once with each value, which tells nobody which of them counts; and nobody calls Nobody.
	if want := []string{"lived Note negation: !ok", "not reached Nobody arithmetic: 1 - Minus(1)"}; !slices.Equal(lived, want) {
		t.Errorf("the survivors are\n%s", strings.Join(lived, "\n"))
	}
	if text, err := os.ReadFile(filepath.Join(dir, "sum.go")); err != nil || string(text) != everyKind {
		t.Error("the program was changed on the disk")
	}
	var out bytes.Buffer
	if err := report.Write(&out); err != nil || !strings.Contains(out.String(), "sum.go:46:5") || !strings.Contains(out.String(), "example.com/sum") {
		t.Errorf("%v: the report is\n%s", err, out.String())
	}
}

// What a mutant does in the binary with all of them is what the same change does by hand.
func TestVerdictsAreThoseOfTheChangeByHand(t *testing.T) {
	weak := strings.NewReplacer("&& !Less(1, 1)", "", "&& !Both(true, false)", "", "&& Wrap(nil) == nil", "").Replace(everyTest)
	dir := module(t, map[string]string{"sum.go": everyKind, "sum_test.go": weak})
	report := run(t, mutation.Options{Dir: dir})
	tried := 0
	for _, m := range report.Packages[0].Mutants {
		if m.Status == mutation.NotReached || m.Kind == mutation.Call {
			continue
		}
		lines := strings.SplitAfter(everyKind, "\n")
		line := lines[m.Line-1]
		if strings.Count(line, m.Original) != 1 {
			continue // this test cannot say which one is meant
		}
		lines[m.Line-1] = strings.Replace(line, m.Original, m.Mutated, 1)
		hand := module(t, map[string]string{"sum.go": strings.Join(lines, ""), "sum_test.go": weak})
		command := exec.Command("go", "test", "-vet=off", "-timeout", "20s", ".")
		command.Dir = hand
		output, err := command.CombinedOutput()
		if strings.Contains(string(output), "build failed") {
			continue // an import that nothing uses any more, say
		}
		killed := m.Status == mutation.Killed || m.Status == mutation.TimedOut
		if killed != (err != nil) {
			t.Errorf("line %d, %s → %s: %s here, by hand: %v\n%s", m.Line, m.Original, m.Mutated, m.Status, err, output)
		}
		if tried++; tried >= 12 && !testenv.Long() {
			break
		}
	}
	if tried < 12 {
		t.Errorf("only %d mutants could be compared", tried)
	}
}

func TestMutantsThatNeverEndAreKilledByTheClock(t *testing.T) {
	dir := module(t, map[string]string{
		"sum.go": `package sum

func Count(n int) (k int) {
	for i := 0; i < n; i++ {
		k++
	}
	return k
}
`,
		"sum_test.go": `package sum

import "testing"

func TestCount(t *testing.T) {
	if Count(3) != 3 {
		t.Fail()
	}
}
`})
	report := run(t, mutation.Options{Dir: dir})
	if report.Count(mutation.TimedOut) == 0 || report.Lived() != 0 {
		t.Errorf("%+v", report.Packages[0].Mutants)
	}
}

func TestTestsThatNeedEachOther(t *testing.T) {
	dir := module(t, map[string]string{
		"sum.go": "package sum\n\nvar N int\n\nfunc Add() { N++ }\n\nfunc Two() bool { return N == 2 }\n",
		"sum_test.go": `package sum

import "testing"

func TestFirst(t *testing.T) { Add(); Add() }

func TestSecond(t *testing.T) {
	if !Two() {
		t.Fail()
	}
}
`})
	report := run(t, mutation.Options{Dir: dir})
	if report.Killed() != report.All() || report.All() != 2 {
		t.Errorf("%+v", report.Packages[0].Mutants)
	}
}

func TestOnlyWhatChanged(t *testing.T) {
	dir := module(t, map[string]string{"sum.go": everyKind, "sum_test.go": everyTest})
	git := func(arguments ...string) {
		t.Helper()
		command := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, arguments...)...)
		command.Dir = dir
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", arguments[0], err, output)
		}
	}
	git("init", "-q", "-b", "main")
	git("add", ".")
	git("commit", "-q", "-m", "first")
	if report := run(t, mutation.Options{Dir: dir, Diff: "main"}); report.All() != 0 || report.Score() != 1 {
		t.Errorf("nothing changed, and there are %d mutants", report.All())
	}
	write(t, dir, "sum.go", strings.Replace(everyKind, "return a < b }", "return a < b  }", 1))
	write(t, dir, "more.go", "package sum\n\nfunc More(a int) int { return a + 1 }\n")
	report := run(t, mutation.Options{Dir: dir, Diff: "main"})
	var where []string
	for _, m := range report.Packages[0].Mutants {
		where = append(where, m.Function+" "+string(m.Kind))
	}
	if want := []string{"More arithmetic", "Less boundary", "Less negation"}; !slices.Equal(where, want) {
		t.Errorf("the mutants are %q", where)
	}
	_, err := mutation.Run(context.Background(), mutation.Options{Dir: dir, Diff: "nowhere"})
	if err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a commit that there is not: %v", err)
	}
	if _, err = mutation.Run(context.Background(), mutation.Options{Dir: dir, Diff: "--output=/etc/x"}); err == nil {
		t.Error("an option was taken for a commit")
	}
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"does not compile": {map[string]string{"sum.go": "package sum\n\nfunc F() int { return \"\" }\n"}, "does not compile"},
		"fails already": {map[string]string{
			"sum.go":      "package sum\n\nfunc F(a int) int { return a + 1 }\n",
			"sum_test.go": "package sum\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) { if F(1) != 3 { t.Fatal(\"broken\") } }\n",
		}, "fail without any mutant"},
		"tests that do not compile": {map[string]string{
			"sum.go":      "package sum\n\nfunc F(a int) int { return a + 1 }\n",
			"sum_test.go": "package sum\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) { G() }\n",
		}, "undefined: G"},
	} {
		_, err := mutation.Run(context.Background(), mutation.Options{Dir: module(t, c.files)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	untested := run(t, mutation.Options{Dir: module(t, map[string]string{"sum.go": "package sum\n\nfunc F(a int) int { return a + 1 }\n"})})
	if untested.Count(mutation.NotReached) != 1 || untested.Score() != 0 {
		t.Errorf("without tests: %+v", untested)
	}
}

func TestCancelled(t *testing.T) {
	dir := module(t, map[string]string{"sum.go": everyKind, "sum_test.go": everyTest})
	ctx, cancel := context.WithCancel(context.Background())
	_, err := mutation.Run(ctx, mutation.Options{Dir: dir, Jobs: 1, Progress: func(_ string, done, _ int) {
		if done == 2 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
