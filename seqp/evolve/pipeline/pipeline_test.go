package pipeline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/seqp/evolve/pipeline"
)

var platforms = []pipeline.Platform{pipeline.GitHub, pipeline.GitLab, pipeline.Generic}

// profiles are 200 at random, with names of branches that a careless writer would trip over.
func profiles() []pipeline.Profile {
	r := rand.New(rand.NewPCG(14, 5))
	branches := []string{"", "main", "release/2.0", "it's", `a"b`, "yes", "#1", "ünï"}
	var list []pipeline.Profile
	for range 200 {
		coin := func() bool { return r.IntN(2) == 0 }
		list = append(list, pipeline.Profile{
			Database: coin(), Concurrency: coin(), Input: coin(), HighRisk: coin(), Financial: coin(),
			Mutation: []float64{0, 0.5, 0.8, 7}[r.IntN(4)], Branch: branches[r.IntN(len(branches))],
		})
	}
	return list
}

func render(t testing.TB, p pipeline.Profile, platform pipeline.Platform) string {
	t.Helper()
	text, err := pipeline.Merge("", pipeline.Plan(p), platform)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestGitHubWorkflowsPassActionlint(t *testing.T) {
	for _, p := range profiles() {
		text := render(t, p, pipeline.GitHub)
		linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		mistakes, err := linter.Lint("workflow.yml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mistakes {
			t.Errorf("%+v: %s", p, m)
		}
	}
}

// gitlabSchema is GitLab's own JSON Schema of its pipelines, as an npm package brings it.
func gitlabSchema(t *testing.T) *jsonschema.Schema {
	node, env := testenv.NodeWith(t, "gitlab-ci-local/package.json")
	command := exec.Command(node, "-e", `const {dirname} = require("path")
import(dirname(require.resolve("gitlab-ci-local/package.json")) + "/src/schema/schema.js").then(m => console.log(JSON.stringify(m.schema)))`)
	command.Env = env
	text, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	const name = "https://gitlab.com/.gitlab-ci.yml"
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(name, document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestGitLabPipelinesFitItsSchema(t *testing.T) {
	schema := gitlabSchema(t)
	check := func(text string) error {
		var root map[string]any
		if err := yaml.Unmarshal([]byte(text), &root); err != nil {
			return err
		}
		encoded, err := json.Marshal(root)
		if err != nil {
			return err
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
		if err != nil {
			return err
		}
		return schema.Validate(document)
	}
	if err := check("seqp-x:\n  stage: test\n  script: [\"true\"]\n  timeout: [1]\n"); err == nil {
		t.Fatal("the schema takes a time limit that is a list")
	}
	for _, p := range profiles() {
		if err := check(render(t, p, pipeline.GitLab)); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

// parsed is a pipeline of any platform as a YAML parser of somebody else's reads it.
func parsed(t *testing.T, text string, platform pipeline.Platform) (needs map[string][]string, timeouts int) {
	t.Helper()
	var root map[string]any
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatalf("%s: %v\n%s", platform, err, text)
	}
	needs = map[string][]string{}
	job := func(id string, fields map[string]any) {
		needs[id] = nil
		if list, ok := fields["needs"].([]any); ok {
			for _, one := range list {
				needs[id] = append(needs[id], strings.TrimPrefix(one.(string), "seqp-"))
			}
		}
		for _, name := range []string{"timeout-minutes", "timeout", "timeout_minutes"} {
			if fields[name] != nil {
				timeouts++
			}
		}
	}
	switch platform {
	case pipeline.GitHub:
		for id, fields := range root["jobs"].(map[string]any) {
			job(id, fields.(map[string]any))
		}
		if permissions := fmt.Sprint(root["permissions"]); permissions != "map[contents:read]" {
			t.Errorf("the permissions are %s", permissions)
		}
	case pipeline.GitLab:
		for id, fields := range root {
			if name, ok := strings.CutPrefix(id, "seqp-"); ok {
				job(name, fields.(map[string]any))
			}
		}
	default:
		for _, fields := range root["jobs"].([]any) {
			job(fields.(map[string]any)["id"].(string), fields.(map[string]any))
		}
	}
	return needs, timeouts
}

func TestWhatEveryPipelineMeans(t *testing.T) {
	for _, p := range profiles() {
		want := []string{"lint", "build", "unit"}
		for id, there := range map[string]bool{
			"schema": p.Database, "race": p.Concurrency, "security": p.Input,
			"mutation": p.HighRisk || p.Financial, "deep": p.HighRisk || p.Financial,
			"load": p.Financial, "shadow": p.Financial,
		} {
			if there {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		for _, platform := range platforms {
			text := render(t, p, platform)
			needs, timeouts := parsed(t, text, platform)
			gates := slices.Clone(needs["deploy"])
			slices.Sort(gates)
			if !slices.Equal(gates, want) {
				t.Errorf("%s, %+v: a deployment waits for %q, not for %q", platform, p, gates, want)
			}
			if len(needs) != len(want)+1 || timeouts != len(needs) {
				t.Errorf("%s, %+v: %d jobs, %d of them with a time limit", platform, p, len(needs), timeouts)
			}
			for id, list := range needs {
				for _, other := range list {
					if _, ok := needs[other]; !ok {
						t.Errorf("%s: %s waits for %s, which there is not", platform, id, other)
					}
				}
			}
			for line := range strings.Lines(text) {
				if _, action, ok := strings.Cut(line, "uses: "); ok {
					if _, commit, _ := strings.Cut(action, "@"); len(strings.Fields(commit)[0]) != 40 {
						t.Errorf("not pinned: %s", action)
					}
				}
			}
		}
	}
}

func TestWhatIsNotOursStays(t *testing.T) {
	small, large := pipeline.Plan(pipeline.Profile{}), pipeline.Plan(pipeline.Profile{Financial: true, Database: true})
	for _, platform := range platforms {
		dir := t.TempDir()
		path := filepath.Join(dir, filepath.FromSlash(platform.File()))
		writeFile := func(p pipeline.Pipeline, want bool) string {
			t.Helper()
			changed, err := pipeline.WriteFile(dir, p, platform)
			if err != nil || changed != want {
				t.Fatalf("%s: changed %v, %v", platform, changed, err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		text := writeFile(small, true)
		writeFile(small, false)
		const before, after = "# ours\nvariables:\n  A: \"1\"\n", "\n# and ours again\r\n  strange:   spaces \n"
		if err := os.WriteFile(path, []byte(before+text+after), 0o644); err != nil {
			t.Fatal(err)
		}
		edited := writeFile(large, true)
		if !strings.HasPrefix(edited, before) || !strings.HasSuffix(edited, after) {
			t.Errorf("%s: what stood around the region is gone:\n%s", platform, edited)
		}
		if again := writeFile(small, true); again != before+text+after {
			t.Errorf("%s: there and back is not the same:\n%s", platform, again)
		}
		for _, broken := range []string{
			strings.Replace(text, "# <<< seqp", "", 1), strings.SplitAfterN(text, "\n", 2)[1], text + text,
		} {
			if err := os.WriteFile(path, []byte(broken), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := pipeline.WriteFile(dir, large, platform); err == nil || !strings.Contains(err.Error(), "marks") {
				t.Errorf("%s: %v for\n%s", platform, err, broken)
			}
			if now, _ := os.ReadFile(path); string(now) != broken {
				t.Errorf("%s: a file that was refused was changed", platform)
			}
		}
	}
	for _, branch := range []string{"a b", "a..b", "-x", "x:y", "a\nb", "wh?t", "end/"} {
		if _, err := pipeline.Merge("", pipeline.Plan(pipeline.Profile{Branch: branch}), pipeline.GitHub); err == nil || !strings.Contains(err.Error(), "branch") {
			t.Errorf("branch %q: %v", branch, err)
		}
	}
	if _, err := pipeline.Merge("", small, "abacus"); err == nil || !strings.Contains(err.Error(), "abacus") {
		t.Errorf("%v", err)
	}
}

// sound is a project on which the gates that need nothing but Go pass.
var sound = map[string]string{
	"go.mod":  "module example.com/shop\n\ngo 1.26\n",
	"shop.go": "package shop\n\nimport \"sync\"\n\nvar mu sync.Mutex\n\nvar n int\n\nfunc Sell() int {\n\tmu.Lock()\n\tdefer mu.Unlock()\n\tn++\n\treturn n\n}\n",
	"go.sum":  "",
	"shop_test.go": "package shop\n\nimport (\n\t\"sync\"\n\t\"testing\"\n)\n\nfunc TestSell(t *testing.T) {\n\tvar all sync.WaitGroup\n\tfor range 8 {\n\t\tall.Go(func() { Sell() })\n\t}\n\tall.Wait()\n" +
		"\tif Sell() < 9 {\n\t\tt.Error(\"some were lost\")\n\t}\n}\n\nfunc TestLoad(t *testing.T) {\n\tfor range 1000 {\n\t\tSell()\n\t}\n}\n",
}

func TestEveryGateOfGoAloneFailsWhereItShould(t *testing.T) {
	plan := pipeline.Plan(pipeline.Profile{Concurrency: true, HighRisk: true, Financial: true})
	run := func(id string, change func(files map[string]string)) ([]byte, error) {
		dir := t.TempDir()
		files := map[string]string{}
		for name, text := range sound {
			files[name] = text
		}
		change(files)
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, job := range plan.Jobs {
			if job.ID != id {
				continue
			}
			for _, line := range job.Run {
				command := exec.Command("sh", "-e", "-c", line)
				command.Dir = dir
				if output, err := command.CombinedOutput(); err != nil {
					return output, err
				}
			}
			return nil, nil
		}
		t.Fatalf("no job %s", id)
		return nil, nil
	}
	replace := func(file, old, new string) func(map[string]string) {
		return func(files map[string]string) {
			if !strings.Contains(files[file], old) {
				t.Fatalf("%s has no %q", file, old)
			}
			files[file] = strings.Replace(files[file], old, new, 1)
		}
	}
	for id, broken := range map[string][]func(map[string]string){
		"lint": {
			replace("shop.go", "\tmu.Lock()", "mu.Lock()"),
			replace("shop_test.go", "t.Error(\"some were lost\")", "t.Errorf(\"%d\", \"some\")"),
			replace("go.mod", "go 1.26\n", "go 1.26\n\nrequire example.com/none v1.0.0\n"),
		},
		"build": {replace("shop.go", "return n", "return \"\"")},
		"unit":  {replace("shop.go", "n++", "n += 0")},
		"race":  {replace("shop.go", "\tmu.Lock()\n\tdefer mu.Unlock()\n", "")},
		"deep":  {replace("shop.go", "\tmu.Lock()\n\tdefer mu.Unlock()\n", "")},
		"load":  {replace("shop.go", "n++", "n++\n\tif n > 500 {\n\t\tpanic(\"full\")\n\t}")},
	} {
		if output, err := run(id, func(map[string]string) {}); err != nil {
			t.Errorf("%s fails on a sound project: %v\n%s", id, err, output)
		}
		for i, change := range broken {
			if _, err := run(id, change); err == nil {
				t.Errorf("%s passes on broken project %d", id, i)
			}
		}
	}
}

// The guard measures what it judges, and is told of the running application by the repository's settings.
func TestTheGuardIsToldOfTheRunningApplication(t *testing.T) {
	financial := pipeline.Profile{Financial: true}
	for platform, want := range map[pipeline.Platform][]string{
		pipeline.GitHub:  {"SEQP_LIVE: ${{ vars.SEQP_LIVE }}", "ISHAA_SEQP_TOKEN: ${{ secrets.ISHAA_SEQP_TOKEN }}", "guard --record --base HEAD^"},
		pipeline.GitLab:  {"guard --record --base HEAD^"}, // its settings are in the environment anyway
		pipeline.Generic: {`variables: ["SEQP_LIVE", "ISHAA_SEQP_TOKEN"]`, "guard --record --base HEAD^"},
	} {
		text := render(t, financial, platform)
		for _, one := range want {
			if !strings.Contains(text, one) {
				t.Errorf("%s: no %q in\n%s", platform, one, text)
			}
		}
		if small := render(t, pipeline.Profile{}, platform); strings.Contains(small, "SEQP_LIVE") {
			t.Errorf("%s: nothing moves money, and there is\n%s", platform, small)
		}
	}
	// What the shell makes of the line with the setting and without.
	jobs := pipeline.Plan(financial).Jobs
	shadow := jobs[slices.IndexFunc(jobs, func(job pipeline.Job) bool { return job.ID == "shadow" })]
	_, arguments, _ := strings.Cut(shadow.Run[0], "cmd/ishaa ")
	for setting, want := range map[string]string{
		"":                   "guard --record --base HEAD^\n",
		"https://x.test/a b": "guard --record --base HEAD^ --live https://x.test/a b\n",
	} {
		command := exec.Command("sh", "-e", "-c", "echo "+arguments)
		command.Env = []string{"SEQP_LIVE=" + setting, "PATH=" + os.Getenv("PATH")}
		if output, err := command.Output(); err != nil || string(output) != want {
			t.Errorf("%q: %q, %v", setting, output, err)
		}
	}
}

func Example() {
	plan := pipeline.Plan(pipeline.Profile{Database: true, HighRisk: true})
	for _, job := range plan.Jobs {
		fmt.Println(job.ID, job.Needs)
	}
	// Output:
	// lint []
	// build []
	// unit [build]
	// schema [build]
	// mutation [unit]
	// deep [unit]
	// deploy [lint build unit schema mutation deep]
}
