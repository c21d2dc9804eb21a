//go:build unix

// Package examples_test runs what the README shows: the program compiles, answers as printed, and every command works.
package examples_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// block is a fenced block of the README.
type block struct{ language, text string }

func readme(t *testing.T) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testenv.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	open := false
	for line := range strings.Lines(string(text)) {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open:
			open = false
		case fence:
			open = true
			blocks = append(blocks, block{language: strings.TrimSpace(language)})
		case open:
			blocks[len(blocks)-1].text += line
		}
	}
	if open {
		t.Fatal("a fence of the README is not closed")
	}
	return blocks
}

// TestReadme runs the blocks in order. A console block talks to the program of the Go block before it.
func TestReadme(t *testing.T) {
	var program *launch.Program
	ran := map[string]int{}
	for _, b := range readme(t) {
		ran[b.language]++
		switch b.language {
		case "go":
			program = startSource(t, b.text)
		case "console":
			if program == nil {
				t.Fatalf("no program before:\n%s", b.text)
			}
			checkConsole(t, b.text, program.Address("http"))
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

// documented is the address that programs listen on unless they are told otherwise.
const documented = "127.0.0.1:8000"

// checkConsole runs the commands of a console block, which are curls, and compares what they print.
func checkConsole(t *testing.T, text, address string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Log("no curl: what the README shows is not compared; install Debian's package curl")
		return
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(text, "$ "), "\n$ ") {
		command, want, _ := strings.Cut(part, "\n")
		if !strings.HasPrefix(command, "curl ") || !strings.Contains(command, documented) {
			t.Errorf("%q is not a curl of http://%s", command, documented)
			continue
		}
		args := strings.Fields(strings.ReplaceAll(command, documented, address))
		got := run(t, args[0], append([]string{"-sS", "--noproxy", "*", "--max-time", "30"}, args[1:]...)...)
		if strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%s\nprints %q\nthe README says %q", command, got, want)
		}
	}
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
