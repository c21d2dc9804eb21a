//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// graphqlScripts copies the batteries beside the modules they import, which are looked for where the script is.
func graphqlScripts(t *testing.T, module string) func(script string, args ...string) string {
	t.Helper()
	node, env := testenv.NodeWith(t, module)
	source, dir := filepath.Join(testenv.Conformance(t), "graphql"), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules(t, node, env, module), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return func(script string, args ...string) string {
		ctx, cancel := context.WithTimeout(t.Context(), launch.Patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, node, append([]string{filepath.Join(dir, script)}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
}

// modules returns the folder that holds a module.
func modules(t *testing.T, node string, env []string, module string) string {
	t.Helper()
	cmd := exec.Command(node, "-e", "console.log(require.resolve(process.argv[1]))", module)
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	place, _, _ := strings.Cut(string(out), string(filepath.Separator)+module+string(filepath.Separator))
	return place
}

func TestGraphQLOverHTTP(t *testing.T) {
	run := graphqlScripts(t, "graphql-http")
	if out := run("audit.mjs", start(t).URL("http")+"/graphql"); !strings.Contains(out, "61 audits") || strings.Contains(out, "WARN") ||
		strings.Contains(out, "ERROR") || strings.Contains(out, "NOTICE") {
		t.Error(out)
	}
}

func TestGraphQLOverWebSocket(t *testing.T) {
	run := graphqlScripts(t, "graphql-ws")
	if out := run("gqlws_battery.mjs", "ws"+strings.TrimPrefix(start(t).URL("http"), "http")+"/graphql"); !strings.Contains(out, "18 passed, 0 failed") {
		t.Error(out)
	}
}

func TestGraphQLOverEvents(t *testing.T) {
	run := graphqlScripts(t, "graphql-sse")
	if out := run("sse_battery.mjs", start(t).URL("http")+"/graphql/stream"); !strings.Contains(out, "8 passed, 0 failed") {
		t.Error(out)
	}
}

// generatedCase is an operation and what the reference implementation says to it.
type generatedCase struct {
	Query     string          `json:"query"`
	Variables json.RawMessage `json:"variables"`
	Name      *string         `json:"operationName,omitempty"`
	Data      any             `json:"data"`
	Errors    []struct {
		Path []any `json:"path"`
	} `json:"errors"`
}

// TestGraphQLAgainstReference has random operations answered by graphql-js and by this program: the data is the same, and
// so are the places of the errors, in their order.
func TestGraphQLAgainstReference(t *testing.T) {
	seeds, operations := 1, 300
	if testenv.Long() {
		seeds, operations = 5, 3000
	}
	run, base := graphqlScripts(t, "graphql"), start(t).URL("http")
	for seed := 1; seed <= seeds; seed++ {
		file := filepath.Join(t.TempDir(), "cases.json")
		run("gen.mjs", fmt.Sprint(seed), fmt.Sprint(operations), file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []generatedCase
		if err := json.Unmarshal(text, &cases); err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if problem := c.compare(base + "/graphql"); problem != "" {
				t.Errorf("seed %d: %s\n%s\n%s", seed, c.Query, c.Variables, problem)
			}
		}
		t.Logf("seed %d: %d operations", seed, len(cases))
	}
}

func (c generatedCase) compare(url string) string {
	body, err := json.Marshal(map[string]any{"query": c.Query, "variables": c.Variables, "operationName": c.Name})
	if err != nil {
		return err.Error()
	}
	res, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	got := generatedCase{Data: "__absent__"}
	if err := json.Unmarshal(text, &got); err != nil {
		return err.Error()
	}
	if !reflect.DeepEqual(got.Data, c.Data) {
		return fmt.Sprintf("data: %v, want %v\n%s", got.Data, c.Data, text)
	}
	if c.Data == "__absent__" {
		if len(got.Errors) == 0 {
			return "no error"
		}
		return ""
	}
	if len(got.Errors) != len(c.Errors) || len(c.Errors) > 0 && !reflect.DeepEqual(got.Errors, c.Errors) {
		return fmt.Sprintf("errors: %v, want %v", got.Errors, c.Errors)
	}
	return ""
}
