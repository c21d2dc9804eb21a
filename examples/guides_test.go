//go:build unix

package examples_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
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

// measured are the documents in docs that are no guides.
var measured = []string{"proofs.md", "performance.md", "quality.md"}

// TestGuides makes a package of each guide, in a module of their own as a reader has it: the Go blocks that are whole
// files, and the fragments, each in a file. All are built and vetted together. Then each guide's tests are run, and its
// console blocks against its program.
func TestGuides(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(testenv.Root(), "docs", "*.md"))
	if err != nil || len(paths) < 2 {
		t.Fatalf("%d documents, %v", len(paths), err)
	}
	module := t.TempDir()
	declareModule(t, module)
	guides := map[string][]block{}
	for _, path := range paths {
		if name := filepath.Base(path); !slices.Contains(measured, name) {
			blocks := blocksOf(t, filepath.Join("docs", name))
			name = strings.TrimSuffix(name, ".md")
			guides[name] = blocks
			writePackage(t, filepath.Join(module, name), name, blocks)
		}
	}
	inModule(t, module, "go", "vet", "./...")
	programs := t.TempDir()
	inModule(t, module, "go", "build", "-ldflags=-s -w", "-o", programs+string(filepath.Separator), "./...")
	inModule(t, module, "go", "test", "./...")
	for _, name := range slices.Sorted(maps.Keys(guides)) {
		t.Run(name, func(t *testing.T) { runConsoles(t, filepath.Join(programs, name), guides[name]) })
	}
}

// declareModule writes a go.mod with what the main module needs, which it finds in this checkout.
func declareModule(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(testenv.Root(), name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "go.mod" {
			const framework = "github.com/ishaa-framework/ishaa"
			text = []byte(strings.Replace(string(text), "module "+framework+"\n", "module guides\n", 1) +
				fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %q\n", framework, framework, testenv.Root()))
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// writePackage writes the Go blocks of a guide. Compilers report them by the document's own lines.
func writePackage(t *testing.T, dir, guide string, blocks []block) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	program := false
	for i, b := range blocks {
		if b.language != "go" {
			writeFile(t, dir, b.text)
			continue
		}
		place := fmt.Sprintf("docs/%s.md:%d", guide, b.line)
		source, err := sourceOf(b.text, place)
		if err != nil {
			t.Fatalf("%s: %v\n%s", place, err, b.text)
		}
		program = program || strings.Contains(source, "func main() {")
		name := fmt.Sprintf("block%d.go", i)
		if strings.Contains(source, "(t *testing.T)") {
			name = fmt.Sprintf("block%d_test.go", i)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !program {
		t.Fatalf("docs/%s.md has no program with a func main", guide)
	}
}

var namesFile = regexp.MustCompile(`^(?:\{#-|/\*) (\S+\.\w+) (?:-#\}|\*/)\n`)

// writeFile writes a block whose first line is a comment with a file's name: a template or a style sheet of the program.
func writeFile(t *testing.T, dir, text string) {
	t.Helper()
	m := namesFile.FindStringSubmatch(text)
	if m == nil {
		return
	}
	name := filepath.Join(dir, filepath.FromSlash(m[1]))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// imports are the packages that fragments use without saying so.
var imports = map[string]string{
	"ishaa": "github.com/ishaa-framework/ishaa", "ishaatest": "github.com/ishaa-framework/ishaa/ishaatest",
	"middleware": "github.com/ishaa-framework/ishaa/middleware", "schema": "github.com/ishaa-framework/ishaa/schema",
	"static": "github.com/ishaa-framework/ishaa/static", "template": "github.com/ishaa-framework/ishaa/template",
	"store": "github.com/ishaa-framework/ishaa/store", "websocket": "github.com/ishaa-framework/ishaa/websocket",
	"brotli": "github.com/ishaa-framework/ishaa/middleware/brotli", "zstd": "github.com/ishaa-framework/ishaa/middleware/zstd",
	"orm": "github.com/ishaa-framework/ishaa/orm", "tasks": "github.com/ishaa-framework/ishaa/tasks",
	"sare": "github.com/ishaa-framework/ishaa/sare", "rmf": "github.com/ishaa-framework/ishaa/rmf",
	"seqp": "github.com/ishaa-framework/ishaa/seqp", "admin": "github.com/ishaa-framework/ishaa/admin",
	"shell": "github.com/ishaa-framework/ishaa/shell", "relay": "github.com/ishaa-framework/ishaa/graphql/relay",
	"graphql": "github.com/ishaa-framework/ishaa/graphql", "openapi": "github.com/ishaa-framework/ishaa/openapi", "log": "log",
	"context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "io": "io", "iter": "iter", "slices": "slices",
	"os": "os", "slog": "log/slog", "strings": "strings", "testing": "testing", "time": "time",
}

// sourceOf makes a file of a block: it is one already, or declarations, or statements within a handler.
func sourceOf(text, place string) (string, error) {
	text = "//line " + place + "\n" + text
	if strings.Contains(text, "\npackage main\n") {
		return text, nil
	}
	declarations := "package main\n\n" + text
	file, err := parser.ParseFile(token.NewFileSet(), "", declarations, 0)
	if err != nil {
		declarations = "package main\n\nfunc _(app *ishaa.App, r *ishaa.Request) (_ any, _ error) {\n" + text
		if lines := strings.Split(strings.TrimSpace(text), "\n"); !strings.HasPrefix(lines[len(lines)-1], "return ") {
			declarations += "return nil, nil\n"
		}
		declarations += "}\n"
		if file, err = parser.ParseFile(token.NewFileSet(), "", declarations, 0); err != nil {
			return "", err
		}
	}
	needed := map[string]bool{}
	for _, name := range file.Unresolved {
		needed[name.Name] = true
	}
	ast.Inspect(file, func(n ast.Node) bool { // a local variable may have a package's name
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := selector.X.(*ast.Ident); ok && needed[x.Name] && imports[x.Name] != "" {
				declarations = strings.Replace(declarations, "package main\n", fmt.Sprintf("package main\n\nimport %q\n", imports[x.Name]), 1)
				needed[x.Name] = false
			}
		}
		return true
	})
	return declarations, nil
}

func inModule(t *testing.T, dir string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// runConsoles runs a guide's console blocks, in which its program is ./program and listens where programs do.
func runConsoles(t *testing.T, binary string, blocks []block) {
	if !slices.ContainsFunc(blocks, func(b block) bool { return b.language == "console" }) {
		return
	}
	shell := launch.NewShell(t)
	if err := os.Symlink(binary, filepath.Join(shell.Dir, "program")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-addr", "127.0.0.1:0")
	cmd.Dir = shell.Dir
	program := launch.Start(t, cmd, 1)
	for _, b := range blocks {
		switch b.language {
		case "console":
			checkConsole(t, shell, b.text, program.Address("http"))
		case "go", "text", "html", "css", "js": // text is for files of other programs; for the others see writeFile
		default:
			t.Errorf("line %d: a block of %q, which nothing runs", b.line, b.language)
		}
	}
}
