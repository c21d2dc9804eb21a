package mutation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/tools/go/packages"
)

// Options say what to mutate. The zero value is the package in the current folder.
type Options struct {
	Dir      string   // of the module or below; "" is the current folder
	Patterns []string // packages, as the go command has them; default "."
	// Diff is a commit, branch or tag: only lines that changed since are mutated. "" mutates all lines.
	Diff string
	Jobs int // test processes at a time; default the number of processors
	// Functions, if not nil, says which functions to mutate, by package path and by name as in Mutant.Function.
	Functions func(pkg, function string) bool
	// Everywhere has a package's mutants face the tests of all packages of the module that depend on it, and not its own
	// alone. It builds each of them once for each package that is mutated.
	Everywhere bool
	// Overlay gives files other texts, or adds files: the path as it is on disk, and the path of what to take for it.
	Overlay map[string]string
	// Candidates, if not nil, says which tests are on trial, by name. What only they notice lives, and names them in Mutant.By.
	Candidates func(test string) bool
	// Progress, if not nil, is told after each mutant how many of a package's are done. It is called by many goroutines,
	// one at a time.
	Progress func(pkg string, done, all int)
}

// Run mutates the packages one after another. Its error says which package could not be loaded, does not compile, or has
// tests that fail already. A package without tests has mutants that are not reached.
func Run(ctx context.Context, options Options) (*Report, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("mutation: %w", err)
	}
	options.Dir = dir
	if len(options.Patterns) == 0 {
		options.Patterns = []string{"."}
	}
	if options.Jobs <= 0 {
		options.Jobs = runtime.NumCPU()
	}
	started := time.Now()
	loaded, err := load(ctx, options)
	if err != nil {
		return nil, err
	}
	var changed changes
	if options.Diff != "" {
		if changed, err = changedLines(ctx, dir, options.Diff); err != nil {
			return nil, err
		}
	}
	report := &Report{}
	for _, pkg := range loaded {
		part, err := runPackage(ctx, pkg, changed, options)
		if err != nil {
			return nil, fmt.Errorf("mutation: %s: %w", pkg.PkgPath, err)
		}
		report.Packages = append(report.Packages, part)
	}
	report.Elapsed = time.Since(started)
	return report, nil
}

// load reads the packages with their types.
func load(ctx context.Context, options Options) ([]*packages.Package, error) {
	list, err := packages.Load(&packages.Config{
		Context: ctx, Dir: options.Dir,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedSyntax | packages.NeedTypes |
			packages.NeedTypesInfo | packages.NeedTypesSizes | packages.NeedImports | packages.NeedExportFile,
	}, options.Patterns...)
	if err != nil {
		return nil, fmt.Errorf("mutation: the packages %s: %w", strings.Join(options.Patterns, " "), err)
	}
	for _, pkg := range list {
		if len(pkg.Errors) > 0 {
			return nil, fmt.Errorf("mutation: %s does not compile: %w", pkg.PkgPath, pkg.Errors[0])
		}
	}
	return list, nil
}

// trial is one package under mutation.
type trial struct {
	pkg     *packages.Package
	dir     string
	scratch string
	options Options
	changed changes
	mu      sync.Mutex              // of the mutants, while tests are probed, and of the count of those that are done
	skip    map[string]map[int]bool // by file, the lines that the compiler refused
	mutants []Mutant
	// binaries hold tests, those of the package first.
	binaries []binary
	tests    []probe // the fastest of each binary first
	// candidates are the tests on trial; nothing else asks them.
	candidates []probe
}

// binary is a test binary and the folder of its package.
type binary struct {
	path, dir string
	begins    time.Duration // how long a process takes to begin
}

// mostBuilds bounds how often a package is built, each time without the lines that the compiler refused.
const mostBuilds = 12

func runPackage(ctx context.Context, pkg *packages.Package, changed changes, options Options) (PackageReport, error) {
	scratch, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return PackageReport{}, err
	}
	defer os.RemoveAll(scratch)
	t := &trial{
		pkg: pkg, scratch: scratch, options: options, changed: changed,
		skip: map[string]map[int]bool{},
	}
	report := PackageReport{Package: pkg.PkgPath}
	if len(pkg.GoFiles) == 0 {
		return report, nil
	}
	t.dir = filepath.Dir(pkg.GoFiles[0])
	own := binary{path: filepath.Join(scratch, "mutants.test"), dir: t.dir}
	started := time.Now()
	var overlay string
	for builds := 1; ; builds++ {
		overlay, err = t.write()
		if err != nil {
			return report, err
		}
		if len(t.mutants) == 0 {
			return report, nil
		}
		refused, err := t.build(ctx, overlay, own.path)
		if err == nil {
			break
		}
		if !refused || builds == mostBuilds {
			return report, err
		}
	}
	if _, err := os.Stat(own.path); err == nil { // without test files there is none
		t.binaries = append(t.binaries, own)
	}
	if options.Everywhere {
		if err := t.dependents(ctx, overlay); err != nil {
			return report, err
		}
	}
	report.Build = time.Since(started)
	for _, lines := range t.skip {
		report.Refused += len(lines)
	}
	if report.Baseline, err = t.baseline(ctx); err != nil {
		return report, err
	}
	started = time.Now()
	if err := t.runAll(ctx); err != nil {
		return report, err
	}
	report.Run = time.Since(started)
	report.Mutants = t.mutants
	return report, nil
}

// write writes the changed files and returns the path of the overlay.
func (t *trial) write() (string, error) {
	t.mutants = nil
	replace := maps.Clone(t.options.Overlay)
	if replace == nil {
		replace = map[string]string{}
	}
	for i, file := range t.pkg.Syntax {
		path := t.pkg.CompiledGoFiles[i]
		if !strings.HasSuffix(path, ".go") || ast.IsGenerated(file) || importsC(file) {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		var only func(int) bool
		if t.changed != nil {
			only = func(line int) bool { return t.changed.has(path, line) }
		}
		before := len(t.mutants)
		w := &rewriter{
			pkg: t.pkg, source: source, file: file, name: relative(t.options.Dir, path),
			skip: t.skip[path], only: only, wanted: t.options.Functions, mutants: &t.mutants,
		}
		text := w.rewrite()
		if len(t.mutants) == before {
			continue
		}
		to := filepath.Join(t.scratch, strconv.Itoa(i)+".go")
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[path] = to
	}
	added := filepath.Join(t.scratch, "support.go")
	if err := os.WriteFile(added, []byte(supportSource(t.pkg.Name, len(t.mutants))), 0o600); err != nil {
		return "", err
	}
	replace[filepath.Join(t.dir, "zz_mutation_support.go")] = added
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(t.scratch, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

func importsC(file *ast.File) bool {
	for _, spec := range file.Imports {
		if spec.Path.Value == `"C"` {
			return true
		}
	}
	return false
}

// complaint is where the compiler did not like something.
var complaint = regexp.MustCompile(`(?m)^(\S+\.go):(\d+):\d+: `)

// build builds the test binary. If it cannot and the compiler says which lines of the package it does not like, they are
// marked to be left alone and refused is true.
func (t *trial) build(ctx context.Context, overlay, to string) (refused bool, err error) {
	command := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-gcflags=-e", "-overlay", overlay, "-o", to, ".")
	command.Dir = t.dir
	output, err := command.CombinedOutput()
	if err == nil {
		return false, nil
	}
	for _, match := range complaint.FindAllStringSubmatch(string(output), -1) {
		path := match[1]
		if !filepath.IsAbs(path) {
			path = filepath.Join(t.dir, path)
		}
		line, _ := strconv.Atoi(match[2])
		if strings.HasSuffix(path, "_test.go") || filepath.Dir(path) != t.dir && filepath.Dir(path) != t.scratch {
			continue
		}
		if filepath.Dir(path) == t.scratch { // named by its place in the overlay
			i, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(path), ".go"))
			if err != nil {
				continue
			}
			path = t.pkg.CompiledGoFiles[i]
		}
		if t.skip[path] == nil {
			t.skip[path] = map[int]bool{}
		}
		if !t.skip[path][line] {
			t.skip[path][line], refused = true, true
		}
	}
	return refused, fmt.Errorf("the tests do not compile: %w\n%s", err, firstLines(output))
}

// dependents builds the tests of the packages of the module that depend on the one that is mutated.
func (t *trial) dependents(ctx context.Context, overlay string) error {
	list := exec.CommandContext(ctx, "go", "list", "-test", "-json=ImportPath,Dir,Deps", "./...")
	list.Dir = t.options.Dir
	output, err := list.Output()
	if err != nil {
		return fmt.Errorf("the packages that depend on it: go list: %w", err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var pkg struct {
			ImportPath, Dir string
			Deps            []string
		}
		err := decoder.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the packages that depend on it: go list: %w", err)
		}
		if !strings.HasSuffix(pkg.ImportPath, ".test") || pkg.Dir == t.dir || !slices.ContainsFunc(pkg.Deps, func(dep string) bool {
			path, _, _ := strings.Cut(dep, " ") // "p [q.test]" is p as the tests of q see it
			return path == t.pkg.PkgPath
		}) {
			continue
		}
		to := binary{path: filepath.Join(t.scratch, strconv.Itoa(len(t.binaries))+".test"), dir: pkg.Dir}
		command := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", to.path, ".")
		command.Dir = pkg.Dir
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("the tests in %s, which depend on it, do not compile: %w\n%s", pkg.Dir, err, firstLines(output))
		}
		t.binaries = append(t.binaries, to)
	}
}

func firstLines(output []byte) string {
	lines := strings.SplitN(strings.TrimSpace(string(output)), "\n", 11)
	return strings.Join(lines[:min(len(lines), 10)], "\n")
}

// test runs the tests of a pattern as one mutant, 0 for none.
func (t *trial) test(ctx context.Context, in binary, id int, pattern, reached string, patience time.Duration) (Status, time.Duration, []byte) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	command := exec.CommandContext(ctx, in.path, "-test.failfast", "-test.count=1", "-test.timeout=0", "-test.run", pattern)
	command.Dir = in.dir
	command.Env = append(os.Environ(), chosenVariable+"="+strconv.Itoa(id), reachedVariable+"="+reached)
	command.WaitDelay = time.Second
	endsWithChildren(command)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	started := time.Now()
	err := command.Run()
	took := time.Since(started)
	switch {
	case ctx.Err() != nil:
		return TimedOut, took, output.Bytes()
	case err != nil:
		return Killed, took, output.Bytes()
	}
	return Lived, took, output.Bytes()
}
