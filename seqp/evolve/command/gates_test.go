package command_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/scaffold"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/seqp"
	"github.com/ishaa-framework/ishaa/seqp/evolve"
	"github.com/ishaa-framework/ishaa/seqp/evolve/pipeline"
)

// till is a program whose one route moves money, and till_test what its release is judged by.
const till = `package main

import (
	"os"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/seqp"
)

func main() {
	app := ishaa.New("till")
	furnish(app)
	app.Run()
}

func furnish(app *ishaa.App) {
	seqp.Enable(app, seqp.Options{State: os.Getenv("TILL_STATE"), Window: 100 * time.Millisecond})
	app.Get("/fee/<int:cents>", fee, seqp.Critical("financial_core", "the fee of a payment"))
}

func fee(r *ishaa.Request) (any, error) {
	cents := r.ParamInt("cents")
	if cents >= 2000 {
		return cents / 100, nil
	}
	return 10, nil
}
`

const tillTest = `package main

import (
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

func newClient(t testing.TB) *ishaatest.Client {
	app := ishaa.New("till")
	furnish(app)
	return ishaatest.New(t, app)
}

func TestFee(t *testing.T) {
	client := newClient(t)
	for path, want := range map[string]string{"/fee/1999": "10", "/fee/2000": "20", "/fee/5000": "50"} {
		if got := string(client.Get(path).Status(200).Bytes()); got != want {
			t.Errorf("%s is %s", path, got)
		}
	}
}

var sink int

func BenchmarkFee(b *testing.B) {
	for b.Loop() {
		for i := range 1000 {
			sink += i
		}
	}
}
`

func put(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// change replaces a text that has to be there.
func change(t testing.TB, dir, name, old, new string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q", name, old)
	}
	put(t, dir, name, strings.Replace(string(text), old, new, 1))
}

func releaseOf(t testing.TB, dir string) evolve.RouteRelease {
	t.Helper()
	release, err := evolve.ReadRelease(filepath.Join(dir, "seqp_release.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range release.Routes {
		if route.Route == "GET /fee/<int:cents>" {
			return route
		}
	}
	t.Fatalf("the route is not in %+v", release)
	return evolve.RouteRelease{}
}

// The guard measures what it judges: the tests, the statements and the mutants of what the route reaches, and the freeze
// that the running application tells of.
func TestGuardMeasuresTheRelease(t *testing.T) {
	dir := minimal(t)
	put(t, dir, "main.go", till)
	put(t, dir, "main_test.go", tillTest)
	code, out, errOut := run(t, "guard", "--dir", dir, "--record")
	a := releaseOf(t, dir).Artefacts
	if a.Tests == nil || *a.Tests != (seqp.Tests{Passed: 1}) || a.Coverage == nil || *a.Coverage != (seqp.Share{Part: 4, Whole: 4}) ||
		a.Mutants == nil || *a.Mutants != (seqp.Share{Part: 3, Whole: 3}) {
		t.Errorf("measured %+v\n%s%s", a, out, errOut)
	}
	for _, want := range []string{"tests: pass: all 1", "coverage: pass: 4 of 4", "mutation: pass: 3 of 3", "latency: inconclusive", "not measured: benchmarks"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("%d, and no %q in\n%s%s", code, want, out, errOut)
		}
	}
	evidence, err := json.Marshal(seqp.Evidence{Release: "x", Limits: seqp.Limits{LatencyDrift: .2, ErrorRate: .02}, Frozen: "it burns", Routes: []seqp.RouteEvidence{}})
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "evidence.json", string(evidence))
	change(t, dir, "main_test.go", `"/fee/5000": "50"`, `"/fee/5000": "51"`)
	code, out, errOut = run(t, "guard", "--dir", dir, "--record", "--live", filepath.Join(dir, "evidence.json"))
	if code != 1 || !strings.Contains(out, "tests: fail: 1 of 1 tests failed") || !strings.Contains(out, "frozen: it burns") {
		t.Errorf("a test fails and releases are frozen: %d\n%s%s", code, out, errOut)
	}
}

// TestGuardComparesBuilds takes a program through two commits: benchmarks of both in turns, and windows of the one that runs.
func TestGuardComparesBuilds(t *testing.T) {
	if !testenv.Long() {
		t.Skip("ISHAA_TEST_LONG=1 runs benchmarks of two builds")
	}
	dir := minimal(t)
	put(t, dir, "main.go", till)
	put(t, dir, "main_test.go", strings.Replace(tillTest, `"/fee/5000": "50"`, `"/fee/5000": "50", "/fee/999": "10"`, 1))
	git := func(args ...string) {
		t.Helper()
		shell(t, dir, nil, "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	}
	git("init", "-q", "-b", "main")
	put(t, dir, ".gitignore", "/till\n*.json\n")
	git("add", ".")
	git("commit", "-q", "-m", "first")
	change(t, dir, "main_test.go", "range 1000 {", "range 3000 {")
	git("commit", "-q", "-a", "-m", "slower")

	state := filepath.Join(t.TempDir(), "state.json")
	evidence := windowsOf(t, dir, state)
	put(t, dir, "evidence.json", evidence)
	code, out, errOut := run(t, "guard", "--dir", dir, "--record", "--base", "HEAD^", "--live", filepath.Join(dir, "evidence.json"))
	if code != 1 || !strings.Contains(out, "benchmark: fail: BenchmarkFee is ") {
		t.Errorf("three times the work: %d\n%s%s", code, out, errOut)
	}
	a := releaseOf(t, dir).Artefacts
	if len(a.Benchmarks) != 1 || len(a.Benchmarks[0].New) != 10 || a.Live == nil || a.Live.Requests == 0 || len(a.Live.Latency) == 0 {
		t.Errorf("%+v\n%s", a, evidence)
	}
	git("worktree", "prune")
	if list := shell(t, dir, nil, "git", "worktree", "list"); strings.Count(list, "\n") != 1 {
		t.Errorf("worktrees are left:\n%s", list)
	}
	// The same build before and after is never called slower.
	code, out, errOut = run(t, "guard", "--dir", dir, "--record", "--base", "HEAD")
	if strings.Contains(out, "benchmark: fail") || !strings.Contains(out, "BenchmarkFee") {
		t.Errorf("the same build: %d\n%s%s", code, out, errOut)
	}
}

// windowsOf builds the program, has it answer for some windows, and returns the evidence of its command.
func windowsOf(t testing.TB, dir, state string) string {
	t.Helper()
	shell(t, dir, nil, "go", "build", "-buildvcs=true", "-o", "till", ".")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	env := append(os.Environ(), "TILL_STATE="+state, "ISHAA_ADDR="+address)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program := exec.CommandContext(ctx, "./till")
	program.Dir, program.Env = dir, env
	program.Cancel = func() error { return program.Process.Signal(os.Interrupt) }
	program.WaitDelay = 30 * time.Second
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for answered, began := 0, time.Now(); answered == 0 || time.Since(began) < 3*time.Second; {
		if ctx.Err() != nil {
			t.Fatal("the program does not answer")
		}
		response, err := client.Get("http://" + address + "/fee/2000")
		if err != nil {
			began = time.Now()
			continue
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		answered++
	}
	cancel()
	_ = program.Wait()
	return shell(t, dir, env, "./till", "seqp", "evidence")
}

func shell(t testing.TB, dir string, env []string, name string, args ...string) string {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir, command.Env = dir, env
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, output)
	}
	return string(output)
}

// Each gate of the pipeline that runs ishaa passes on a new project and fails on one that is broken in its way, run as the
// pipeline runs it.
func TestEveryGateThatRunsIshaaFailsWhereItShould(t *testing.T) {
	if !testenv.Long() {
		t.Skip("ISHAA_TEST_LONG=1 runs the gates of a whole project; what each command does with a broken one is tested beside")
	}
	framework, err := scaffold.Locate(testenv.Root())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "shop")
	if _, err := scaffold.Create(t.Context(), scaffold.Project{Name: "shop", Dir: dir, Kind: scaffold.Full, Framework: framework}); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut := run(t, "evolve", "--dir", dir); code != 0 {
		t.Fatalf("%d\n%s%s", code, out, errOut)
	}
	lines := map[string]string{}
	for _, job := range pipeline.Plan(pipeline.Profile{Database: true, Input: true, HighRisk: true, Financial: true}).Jobs {
		for _, line := range job.Run {
			if strings.Contains(line, "/cmd/ishaa ") {
				lines[job.ID] += line + "\n"
			}
		}
	}
	// These are no jobs of the pipeline, and gates all the same.
	ishaa, _, _ := strings.Cut(lines["security"], "risk")
	lines["tests"], lines["file"], lines["cycle"] = ishaa+"gen-tests --check", ishaa+"pipeline --check", ishaa+"evolve --check"
	gate := func(line string) ([]byte, error) {
		command := exec.Command("sh", "-e", "-c", line)
		command.Dir = dir
		return command.CombinedOutput()
	}
	for id, broken := range map[string]struct{ file, old, new string }{
		"schema":   {"models/models.go", "Name ", "Shoe string `db:\"size:10\"`\n\tName "},
		"security": {"routes/pages.go", "list, err := p", "if q := r.Query(\"q\"); q != \"\" {\n\t\treturn ishaa.HTML(\"<b>\" + q), nil\n\t}\n\tlist, err := p"},
		"mutation": {"main_test.go", "t.Helper()", "t.Helper()\n\tt.Skip()"},
		"shadow":   {"main_test.go", "client := newClient(t)", "t.Error(\"broken\")\n\tclient := newClient(t)"},
		"tests":    {"seqp_test.go", "func Test", "// by hand\nfunc Test"},
		"file":     {filepath.FromSlash(pipeline.GitHub.File()), "timeout-minutes", "x-timeout"},
		"cycle":    {"seqp_test.go", "func Test", "// by hand\nfunc Test"},
	} {
		t.Run(id, func(t *testing.T) {
			if lines[id] == "" {
				t.Fatalf("no job %s runs ishaa", id)
			}
			if output, err := gate(lines[id]); err != nil {
				t.Errorf("%s fails on a new project: %v\n%s", id, err, output)
			}
			text, err := os.ReadFile(filepath.Join(dir, broken.file))
			if err != nil {
				t.Fatal(err)
			}
			change(t, dir, broken.file, broken.old, broken.new)
			if id == "mutation" { // the tests that were written would notice enough
				if err := os.Rename(filepath.Join(dir, "seqp_test.go"), filepath.Join(dir, "seqp_test.go.off")); err != nil {
					t.Fatal(err)
				}
			}
			output, err := gate(lines[id])
			if err == nil {
				t.Errorf("%s passes on a broken project\n%s", id, output)
			} else if strings.Contains(string(output), "does not compile") {
				t.Errorf("%s fails, and not for what is broken\n%s", id, output)
			} else {
				lines := strings.Split(strings.TrimSpace(string(output)), "\n")
				t.Logf("%s: %s", id, strings.Join(lines[max(len(lines)-3, 0):], " | "))
			}
			if id == "mutation" {
				if err := os.Rename(filepath.Join(dir, "seqp_test.go.off"), filepath.Join(dir, "seqp_test.go")); err != nil {
					t.Fatal(err)
				}
			}
			put(t, dir, broken.file, string(text))
		})
	}
}
