package seeded_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/scaffold"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/seqp/evolve/mutation"
	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
	"github.com/ishaa-framework/ishaa/seqp/evolve/testgen"
)

// leastKilled is the share of the mutants in an application's handlers that its generated tests alone have to notice.
const leastKilled = 0.6

// TestGeneratedSuitesNoticeMutants has tests written for three applications without any of their own, and looks which
// mutants in their handlers those tests notice.
func TestGeneratedSuitesNoticeMutants(t *testing.T) {
	if !testenv.Long() {
		t.Skip("many minutes: ISHAA_TEST_LONG=1 runs it")
	}
	for name, dir := range map[string]func(t *testing.T) string{
		"api":  func(t *testing.T) string { return project(t, scaffold.API) },
		"full": func(t *testing.T) string { return project(t, scaffold.Full) },
		"tour": func(t *testing.T) string { return tour(t) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := dir(t)
			report, err := risk.Analyze(t.Context(), risk.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			result, err := testgen.Generate(t.Context(), testgen.Options{Dir: dir, Report: report})
			if err != nil {
				t.Fatal(err)
			}
			packages, handlers := handlersOf(report)
			mutants, err := mutation.Run(t.Context(), mutation.Options{Dir: dir, Patterns: packages, Everywhere: true,
				Functions: func(pkg, function string) bool { return handlers[pkg+" "+function] }})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d tests of %d kept; they notice %d of %d mutants in %d handlers, %.0f %%", len(result.Kept), result.Tried,
				mutants.Killed(), mutants.All(), len(handlers), 100*mutants.Score())
			for _, m := range mutants.Survivors() {
				t.Logf("%s: %s:%d: %s: %s → %s", m.Status, m.File, m.Line, m.Function, m.Original, m.Mutated)
			}
			if mutants.All() == 0 || mutants.Score() < leastKilled {
				t.Errorf("%d of %d mutants are noticed", mutants.Killed(), mutants.All())
			}
		})
	}
}

// project is a new project, whose own tests are none any more.
func project(t *testing.T, kind scaffold.Kind) string {
	t.Helper()
	framework, err := scaffold.Locate(testenv.Root())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "shop")
	if _, err := scaffold.Create(t.Context(), scaffold.Project{Name: "shop", Dir: dir, Kind: kind, Framework: framework}); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "main_test.go")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, ownTest.ReplaceAll(text, []byte("func test")), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ownTest begins a test; what makes the application in one does not begin so.
var ownTest = regexp.MustCompile(`(?m)^func Test`)

// handlersOf are the packages of an application's handlers, and the handlers as "package function". A literal belongs to the
// function that it is written in.
func handlersOf(report *risk.Report) (packages []string, handlers map[string]bool) {
	handlers = map[string]bool{}
	seen := map[string]bool{}
	for _, route := range report.Routes {
		if route.Package == "" {
			continue
		}
		name, _, _ := strings.Cut(route.Handler, "$")
		handlers[route.Package+" "+name] = true
		if !seen[route.Package] {
			seen[route.Package] = true
			packages = append(packages, route.Package)
		}
	}
	return packages, handlers
}
