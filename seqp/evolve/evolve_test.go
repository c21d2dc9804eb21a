package evolve_test

import (
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/scaffold"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/seqp/evolve"
	"github.com/ishaa-framework/ishaa/seqp/evolve/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tree is every file below a folder.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestASecondRunWritesNothing(t *testing.T) {
	if !testenv.Long() {
		t.Skip("ISHAA_TEST_LONG=1 runs the cycle of a whole project twice; its parts have tests of their own")
	}
	framework, err := scaffold.Locate(testenv.Root())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "shop")
	if _, err := scaffold.Create(t.Context(), scaffold.Project{Name: "shop", Dir: dir, Kind: scaffold.Full, Framework: framework}); err != nil {
		t.Fatal(err)
	}
	first, err := evolve.Run(t.Context(), dir, evolve.Options{ScanPaths: []string{".", "routes/"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Tests.Findings)+len(first.Risk.Findings()) > 0 {
		t.Errorf("a new project has findings: %+v %+v", first.Tests.Findings, first.Risk.Findings())
	}
	if !slices.Equal(first.Written, []string{"seqp_test.go", pipeline.GitHub.File()}) || len(first.Tests.Kept) == 0 {
		t.Errorf("written %q, kept %+v", first.Written, first.Tests.Kept)
	}
	if !first.Profile.Database || !first.Profile.Input || first.Profile.Financial || first.Profile.HighRisk {
		t.Errorf("profile %+v", first.Profile)
	}
	if p := first.Policies["POST /api/users"]; p.Coverage < 0.75 || p.Coverage > 0.85 {
		t.Errorf("policies %+v", first.Policies)
	}
	text, err := os.ReadFile(filepath.Join(dir, "seqp_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range first.Tests.Kept {
		if kept.Reason == "" || !strings.Contains(string(text), kept.Reason) {
			t.Errorf("%s does not say why it was kept: %q", kept.Test, kept.Reason)
		}
	}
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mistakes, err := linter.LintFile(filepath.Join(dir, filepath.FromSlash(pipeline.GitHub.File())), nil)
	if err != nil || len(mistakes) > 0 {
		t.Errorf("actionlint: %v, %v", mistakes, err)
	}
	command := exec.Command("go", "test", "-count=1", ".")
	command.Dir = dir
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("the tests do not pass: %v\n%s", err, output)
	}
	before := tree(t, dir)
	again, err := evolve.Run(t.Context(), dir, evolve.Options{ScanPaths: []string{".", "routes/"}})
	if err != nil || len(again.Written) != 0 {
		t.Errorf("written again: %q, %v", again.Written, err)
	}
	after := tree(t, dir)
	for path, text := range after {
		if before[path] != text {
			t.Errorf("%s has changed", path)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d files before, %d after", len(before), len(after))
	}
}

func TestWithoutAWayToMakeTheApplication(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/x\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	result, err := evolve.Run(t.Context(), dir, evolve.Options{Platform: pipeline.Generic, DryRun: true})
	if err != nil || !strings.Contains(result.NoTests, "furnish") || !slices.Equal(result.Written, []string{pipeline.Generic.File()}) {
		t.Errorf("%+v, %v", result, err)
	}
	if _, err := os.Stat(filepath.Join(dir, pipeline.Generic.File())); err == nil {
		t.Error("a dry run wrote")
	}
}
