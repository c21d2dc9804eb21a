package command_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/scaffold"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/seqp/evolve/command"
	"github.com/ishaa-framework/ishaa/seqp/evolve/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(t testing.TB, name string, args ...string) (code int, out, errOut string) {
	t.Helper()
	i := slices.IndexFunc(command.Commands(), func(c command.Command) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no command %s", name)
	}
	var stdout, stderr bytes.Buffer
	code = command.Commands()[i].Run(t.Context(), args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func minimal(t testing.TB) string {
	t.Helper()
	framework, err := scaffold.Locate(testenv.Root())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "shop")
	if _, err := scaffold.Create(t.Context(), scaffold.Project{Name: "shop", Dir: dir, Kind: scaffold.Minimal, Framework: framework}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRiskIsAGate(t *testing.T) {
	dir := minimal(t)
	code, out, errOut := run(t, "risk", "--dir", dir, "--max", "critical")
	if code != 0 || !strings.Contains(out, "GET /hello/<name>") {
		t.Errorf("%d\n%s%s", code, out, errOut)
	}
	source, err := os.ReadFile(filepath.Join(dir, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	const safe = `ishaa.HTMLf("<h1>Hello, %s!</h1>", r.Param("name"))`
	if !strings.Contains(string(source), safe) {
		t.Fatalf("no %s in\n%s", safe, source)
	}
	broken := strings.Replace(string(source), safe, `ishaa.HTML("<h1>" + r.Param("name"))`, 1)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(dir, "risk.html")
	code, out, errOut = run(t, "risk", "--dir", dir, "--max", "critical", "--html", page)
	if code != 1 || !strings.Contains(out, "html: what the client sends") || !strings.Contains(errOut, "not passed") {
		t.Errorf("%d\n%s%s", code, out, errOut)
	}
	if text, err := os.ReadFile(page); err != nil || !bytes.Contains(text, []byte("/hello/&lt;name&gt;")) {
		t.Errorf("%v\n%s", err, text)
	}
	if code, out, _ := run(t, "risk", "--dir", dir, "--sarif"); code != 0 || !strings.Contains(out, `"ruleId": "html"`) {
		t.Errorf("%d\n%s", code, out)
	}
}

func TestPipeline(t *testing.T) {
	dir := minimal(t)
	for _, step := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--check"}, 1, "run \"ishaa pipeline\""},
		{[]string{"--diff"}, 0, "+# >>> seqp"},
		{nil, 0, "wrote"},
		{[]string{"--check"}, 0, ""},
		{[]string{"--diff"}, 0, ""},
		{nil, 0, ""},
	} {
		code, out, errOut := run(t, "pipeline", append([]string{"--dir", dir}, step.args...)...)
		if code != step.code || !strings.Contains(out+errOut, step.want) || step.want == "" && out+errOut != "" {
			t.Errorf("%q: %d\n%s%s", step.args, code, out, errOut)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(pipeline.GitHub.File()))); err != nil {
		t.Error(err)
	}
}

func TestMutate(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module example.com/age\n\ngo 1.26\n",
		"age.go":      "package age\n\nfunc Adult(age int) bool { return age >= 18 }\n",
		"age_test.go": "package age\n\nimport \"testing\"\n\nfunc TestAdult(t *testing.T) {\n\tif !Adult(40) || Adult(4) {\n\t\tt.Fail()\n\t}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for least, want := range map[string]int{"0.5": 0, "0.6": 1, "7": 2} {
		if code, out, errOut := run(t, "mutate", "--dir", dir, "--min", least); code != want {
			t.Errorf("--min %s: %d\n%s%s", least, code, out, errOut)
		}
	}
}

func TestGuard(t *testing.T) {
	file := filepath.Join(t.TempDir(), "release.json")
	for _, test := range []struct {
		text string
		args []string
		code int
		want string
	}{
		{`{"routes": [{"route": "GET /", "level": "standard", "artefacts": {"tests": {"passed": 1, "failed": 1}}}]}`, nil, 1, "GET /: fail"},
		{`{"routes": [{"route": "GET /", "level": "standard", "artefacts": {"tests": {"passed": 1}}}]}`, nil, 0, "GET /: inconclusive"},
		{`{"routes": [{"route": "GET /", "level": "standard", "artefacts": {"tests": {"passed": 1}}}]}`, []string{"--strict"}, 1, "inconclusive"},
		{`{"routes": [{"route": "GET /", "level": "golden", "artefacts": {}}]}`, nil, 1, "golden"},
		{`{"routes": []}`, nil, 1, "nothing was shown"},
		{`{`, nil, 1, "release.json"},
	} {
		if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errOut := run(t, "guard", append(test.args, "--release", file)...)
		if code != test.code || !strings.Contains(out+errOut, test.want) {
			t.Errorf("%s: %d\n%s%s", test.text, code, out, errOut)
		}
	}
	if code, _, errOut := run(t, "guard", "--release", file+"x"); code != 1 || !strings.Contains(errOut, "nothing was measured") {
		t.Errorf("%d %s", code, errOut)
	}
}

func TestCommandLinesThatMakeNoSense(t *testing.T) {
	for _, line := range [][]string{
		{"risk", "--max", "awful"}, {"risk", "--nothing"}, {"gen-tests", "x"}, {"pipeline", "--platform", "abacus"}, {"guard", "x"}, {"evolve", "--platform", "abacus"},
	} {
		if code, out, errOut := run(t, line[0], line[1:]...); code != 2 || errOut == "" || out != "" {
			t.Errorf("%q: %d\n%s%s", line, code, out, errOut)
		}
	}
	for _, c := range command.Commands() {
		if code, _, errOut := run(t, c.Name, "-h"); code != 0 || !strings.Contains(errOut, "usage: ishaa "+c.Name) || c.Short == "" {
			t.Errorf("%s -h: %d\n%s", c.Name, code, errOut)
		}
	}
}
