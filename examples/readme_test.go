//go:build unix

// Package examples_test runs what the README and the guides in docs show: programs and fragments compile, answers are as
// printed, commands work, tables say what the code says.
package examples_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// TestReadme runs the blocks in order. A console block talks to the program of the Go block before it.
func TestReadme(t *testing.T) {
	shell := launch.NewShell(t)
	var program *launch.Program
	ran := map[string]int{}
	for _, b := range blocksOf(t, "README.md") {
		ran[b.language]++
		switch b.language {
		case "go":
			program = startSource(t, b.text)
		case "console":
			if program == nil {
				t.Fatalf("no program before:\n%s", b.text)
			}
			checkConsole(t, shell, b.text, program.Address("http"))
		case "sh":
			for line := range strings.Lines(b.text) {
				runCommand(t, strings.TrimSpace(line))
			}
		default:
			t.Errorf("a block of %q, which nothing runs:\n%s", b.language, b.text)
		}
	}
	for _, language := range []string{"go", "console", "sh"} {
		if ran[language] == 0 {
			t.Errorf("the README has no block of %q", language)
		}
	}
}

var linked = regexp.MustCompile(`\]\(([^)#"\s]+\.\w+)`)

// What the documents link to is there, and every guide is linked to.
func TestLinks(t *testing.T) {
	guides, err := filepath.Glob(filepath.Join(testenv.Root(), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, document := range append(guides, filepath.Join(testenv.Root(), "README.md")) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range linked.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			target := filepath.Join(filepath.Dir(document), m[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: a link leads to %s, which is not there", filepath.Base(document), m[1])
			}
			found[target] = true
		}
	}
	for _, guide := range guides {
		if name := filepath.Base(guide); !found[guide] && !slices.Contains(measured, name) {
			t.Errorf("nothing links to docs/%s", name)
		}
	}
}

// startSource builds a program that the README prints in full, and runs it.
func startSource(t *testing.T, source string) *launch.Program {
	t.Helper()
	dir := t.TempDir()
	file, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "go", "build", "-o", binary, file)
	cmd := exec.Command(binary, "-addr", "127.0.0.1:0")
	cmd.Dir = dir
	return launch.Start(t, cmd, 1)
}

// runCommand runs a command of the README as it stands there, but for the address.
func runCommand(t *testing.T, command string) {
	t.Helper()
	switch command {
	case "go run ./examples/tour":
		address := launch.FreeAddress(t)
		cmd := exec.Command("go", append(strings.Fields(command)[1:], "-addr", address)...)
		cmd.Dir = testenv.Root()
		tour := launch.Start(t, cmd, 1)
		if page := get(t, tour.URL("http")+"/"); !strings.Contains(page, "<h1>Record shop</h1>") {
			t.Errorf("%s serves:\n%s", command, page)
		}
	case "go run ./examples/tour routes":
		if table := run(t, "go", strings.Fields(command)[1:]...); !strings.Contains(table, "/api/v1/orders/<uuid:id>") {
			t.Errorf("%s prints:\n%s", command, table)
		}
	case "go test ./...":
		// It is what runs this test, and would run it again: that its packages are found and this one is among them is
		// what is left to see.
		packages := run(t, "go", "list", "-test", "./...")
		if !strings.Contains(packages, "/examples_test") && !strings.Contains(packages, "/examples.test") {
			t.Errorf("%s does not run this test; it runs:\n%s", command, packages)
		}
	default:
		t.Errorf("%q is a command that this test does not know how to run", command)
	}
}

func get(t *testing.T, target string) string {
	t.Helper()
	client := &http.Client{Timeout: launch.Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// run runs a command in the repository's root and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), launch.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = testenv.Root()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
