package testgen_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/scaffold"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/seqp/evolve/testgen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// project makes a project as "ishaa create project" does.
func project(t testing.TB, kind scaffold.Kind, files map[string]string) string {
	t.Helper()
	framework, err := scaffold.Locate(testenv.Root())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "shop")
	if _, err := scaffold.Create(t.Context(), scaffold.Project{Name: "shop", Dir: dir, Kind: kind, Framework: framework}); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func generate(t testing.TB, dir string, onlyBugs bool) *testgen.Result {
	t.Helper()
	result, err := testgen.Generate(t.Context(), testgen.Options{Dir: dir, Bugs: onlyBugs})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestANewProject(t *testing.T) {
	dir := project(t, scaffold.API, nil)
	result := generate(t, dir, false)
	for _, f := range result.Findings {
		t.Errorf("%s %s: %s\n%s", f.Rule, f.Route, f.Text, f.Curl)
	}
	if len(result.Kept) == 0 || !result.Changed || result.Tried < 20 {
		t.Fatalf("%d of %d kept, changed %v", len(result.Kept), result.Tried, result.Changed)
	}
	text, err := os.ReadFile(result.File)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range result.Kept {
		if kept.Reason == "" || !strings.Contains(string(text), "// Kept: "+kept.Reason) {
			t.Errorf("%s: reason %q", kept.Test, kept.Reason)
		}
	}
	command := exec.Command("go", "vet", ".")
	command.Dir = dir
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

const twins = `// Command shop has a bug in each handler, unless it is told not to.
package main

import (
	"context"
	"html"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
)

const fixed = FIXED

type account struct {
	mu      sync.Mutex
	balance int
}

type amount struct {
	N int ` + "`query:\"n\" minimum:\"1\" maximum:\"50\" default:\"1\"`" + `
}

type basket struct {
	Body struct {
		Items []item ` + "`json:\"items\" required:\"true\" minItems:\"1\"`" + `
	}
}

type item struct {
	N int ` + "`json:\"n\" required:\"true\" minimum:\"1\"`" + `
}

func main() {
	app := ishaa.New("shop")
	furnish(app)
	app.Run()
}

func furnish(app *ishaa.App) {
	a := &account{balance: 1000}
	ishaa.Post(app, "/baskets", func(_ context.Context, in *basket) (int, error) { return len(in.Body.Items), nil })
	app.Get("/html", func(r *ishaa.Request) (any, error) {
		if fixed {
			return "<p>" + html.EscapeString(r.Query("q")) + "</p>", nil
		}
		return "<p>" + r.Query("q") + "</p>", nil
	})
	app.Get("/file", func(r *ishaa.Request) (any, error) {
		name := filepath.Join(os.TempDir(), "a", r.Query("name"))
		if fixed {
			name = filepath.Join(os.TempDir(), "a", filepath.Base(r.Query("name")))
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, ishaa.NotFound("no")
		}
		return text, nil
	})
	app.Get("/go", func(r *ishaa.Request) (any, error) {
		if fixed {
			return ishaa.RedirectLocal(r.Query("next"), "/"), nil
		}
		return ishaa.Redirect(r.Query("next")), nil
	})
	app.Get("/fetch", func(r *ishaa.Request) (any, error) {
		if fixed {
			return 1, nil
		}
		res, err := http.Get(r.Query("url"))
		if err != nil {
			return nil, ishaa.BadRequest("url")
		}
		return res.StatusCode, res.Body.Close()
	})
	app.Get("/cut", func(r *ishaa.Request) (any, error) {
		text := r.Query("text")
		if fixed && len(text) < 5 {
			return nil, ishaa.BadRequest("text")
		}
		return ishaa.Text(text[:5]), nil
	})
	ishaa.Post(app, "/withdraw", a.withdraw)
	app.Get("/balance", func(*ishaa.Request) (any, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.balance, nil
	})
}

func (a *account) withdraw(ctx context.Context, in *amount) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if fixed {
		a.balance -= in.N
		return a.balance, nil
	}
	before := a.balance
	a.mu.Unlock()
	time.Sleep(time.Millisecond) // as long as a question to a database
	a.mu.Lock()
	a.balance = before - in.N
	return a.balance, nil
}
`

func TestBugsAndTheirTwins(t *testing.T) {
	for _, fixed := range []bool{false, true} {
		text := strings.Replace(twins, "FIXED", map[bool]string{false: "false", true: "true"}[fixed], 1)
		dir := project(t, scaffold.Minimal, map[string]string{"main.go": text, "main_test.go": "package main\n"})
		result := generate(t, dir, true)
		got := map[string]string{}
		for _, f := range result.Findings {
			got[f.Rule] += f.Route + ";"
			if f.Place.File != "main.go" || !strings.HasPrefix(f.Curl, "curl ") {
				t.Errorf("%+v", f)
			}
		}
		if fixed {
			for rule, routes := range got {
				t.Errorf("the twin without bugs: %s in %s", rule, routes)
			}
			continue
		}
		for rule, route := range map[string]string{"html": "GET /html", "file": "GET /file", "redirect": "GET /go", "url": "GET /fetch",
			"server-error": "GET /cut", "lost-update": "POST /withdraw"} {
			if !strings.Contains(got[rule], route) {
				t.Errorf("%s in %s was not found: %v", rule, route, got)
			}
		}
		reproductions(t, dir, text, result.Findings)
	}
}

// reproductions checks that the test of each finding fails on the bug and passes without.
func reproductions(t *testing.T, dir, text string, findings []testgen.Finding) {
	t.Helper()
	path := filepath.Join(dir, testgen.FileName)
	for _, f := range findings {
		if err := os.WriteFile(path, []byte(f.GoTest), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, fixed := range []bool{false, true} {
			source := text
			if fixed {
				source = strings.Replace(text, "fixed = false", "fixed = true", 1)
			}
			if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o644); err != nil {
				t.Fatal(err)
			}
			command := exec.Command("go", "test", "-count=1", ".")
			command.Dir = dir
			if output, err := command.CombinedOutput(); (err == nil) != fixed {
				t.Errorf("%s in %s: fixed %v: %v\n%s", f.Rule, f.Route, fixed, err, output)
			}
		}
	}
}

func TestWithoutAWayToMakeTheApplication(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := testgen.Generate(t.Context(), testgen.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "write func furnish(app *ishaa.App)") {
		t.Errorf("%v", err)
	}
}
