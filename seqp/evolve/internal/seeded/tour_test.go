package seeded_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
	"github.com/ishaa-framework/ishaa/seqp/evolve/testgen"
)

// bug is one that is put into the tour.
type bug struct {
	name, route, rule string
	changes           []change
}

type change struct{ file, old, new string }

// readBugs reads the file of bugs: "== name | route | rule", then "++ file", what is there, "--" and what comes in its place.
func readBugs(t *testing.T) []bug {
	text, err := os.ReadFile("testdata/tour/bugs.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []bug
	for _, part := range strings.Split("\n"+string(text), "\n== ")[1:] {
		head, body, _ := strings.Cut(part, "\n")
		words := strings.Split(head, " | ")
		b := bug{name: words[0], route: words[1], rule: words[2]}
		for _, text := range strings.Split("\n"+strings.TrimSuffix(body, "\n"), "\n++ ")[1:] {
			file, both, _ := strings.Cut(text, "\n")
			before, after, ok := strings.Cut(both+"\n", "\n--\n")
			if !ok {
				t.Fatalf("%s: %q", b.name, text)
			}
			b.changes = append(b.changes, change{file, before, strings.TrimSuffix(after, "\n")})
		}
		list = append(list, b)
	}
	return list
}

// tour copies the tour into a module of its own, with the handlers that some of the bugs are put into, and puts bugs in.
func tour(t *testing.T, bugs ...bug) string {
	t.Helper()
	dir := t.TempDir()
	root := testenv.Root()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "examples", "tour"))); err != nil {
		t.Fatal(err)
	}
	tests, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(tests, filepath.Join(dir, "load", "main.go")) {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const framework = "github.com/ishaa-framework/ishaa"
	mod := strings.Replace(read(filepath.Join(root, "go.mod")), "module "+framework+"\n", "module github.com/ishaa-framework/ishaa/seeded\n", 1)
	write("go.mod", mod+fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %q\n", framework, framework, root))
	write("go.sum", read(filepath.Join(root, "go.sum")))
	write("extra.go", read("testdata/tour/extra.go.txt"))
	write("client_test.go", read("testdata/tour/client_test.go.txt"))
	changes := []change{{"accounts.go", "\tapp.Register(members)\n", "\taddExtra(app, members, a)\n\tapp.Register(members)\n"}}
	for _, b := range bugs {
		changes = append(changes, b.changes...)
	}
	for _, c := range changes {
		text := read(filepath.Join(dir, c.file))
		if strings.Count(text, c.old) != 1 {
			t.Fatalf("%s does not hold %q once", c.file, c.old)
		}
		write(c.file, strings.Replace(text, c.old, c.new, 1))
	}
	return dir
}

// lookAt looks for bugs in a tour, on some routes or, without any, on all.
func lookAt(t *testing.T, dir string, routes ...string) (*risk.Report, *testgen.Result) {
	t.Helper()
	report, err := risk.Analyze(t.Context(), risk.Options{Dir: dir, Patterns: []string{"."}})
	if err != nil {
		t.Fatal(err)
	}
	result, err := testgen.Generate(t.Context(), testgen.Options{Dir: dir, Report: report, Bugs: true, Routes: routes})
	if err != nil {
		t.Fatal(err)
	}
	return report, result
}

// TestTour puts ten bugs into the tour, one at a time. At least nine are found, and what shows one fails on it and passes
// without. In the tour as it is nothing is found.
func TestTour(t *testing.T) {
	if os.Getenv("ISHAA_TEST_LONG") == "" {
		t.Skip("minutes: ISHAA_TEST_LONG=1 runs it")
	}
	clean := tour(t)
	t.Run("clean", func(t *testing.T) {
		report, result := lookAt(t, clean)
		for _, f := range report.Findings() {
			t.Errorf("%s: %s: %s", f.Place, f.Rule, f.Text)
		}
		for _, f := range result.Findings {
			t.Errorf("%s: %s: %s\n%s", f.Route, f.Rule, f.Text, f.Curl)
		}
	})
	bugs := readBugs(t)
	found := 0
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			dir := tour(t, b)
			_, result := lookAt(t, dir, b.route)
			i := slices.IndexFunc(result.Findings, func(f testgen.Finding) bool { return f.Route == b.route && f.Rule == b.rule })
			if i < 0 {
				t.Logf("not found: %v", result.Findings)
				return
			}
			found++
			for _, f := range result.Findings {
				for _, in := range []string{dir, clean} {
					if passes := reproduce(t, in, f); passes != (in == clean) {
						t.Errorf("%s in %s: passes %v, on the clean tour %v", f.Rule, f.Route, passes, in == clean)
					}
				}
			}
		})
	}
	t.Logf("%d of %d bugs found", found, len(bugs))
	if found < len(bugs)-1 {
		t.Errorf("%d of %d bugs found", found, len(bugs))
	}
}

// reproduce runs what shows a finding and reports whether it passes.
func reproduce(t *testing.T, dir string, f testgen.Finding) bool {
	t.Helper()
	path := filepath.Join(dir, testgen.FileName)
	if err := os.WriteFile(path, []byte(f.GoTest), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	command := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-run", "^TestSeqp", ".")
	command.Dir = dir
	output, err := command.CombinedOutput()
	if err != nil && !strings.Contains(string(output), "--- FAIL: TestSeqp") {
		t.Fatalf("%v\n%s\n%s", err, output, f.GoTest)
	}
	return err == nil
}
