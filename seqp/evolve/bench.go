package evolve

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa/seqp"
)

// benchmarks runs the benchmarks that both builds have, in turns, so that both see the same machine. A route is judged by
// those of the packages that it reaches.
func (m *measurement) benchmarks() error {
	if m.options.Base == "" {
		m.note("benchmarks: no commit to compare with was named (--base)")
		return nil
	}
	if strings.HasPrefix(m.options.Base, "-") {
		return fmt.Errorf("evolve: %q is no commit", m.options.Base)
	}
	prefix, err := m.output("git", "rev-parse", "--show-prefix")
	if err != nil {
		m.note("benchmarks: %v", err)
		return nil
	}
	old := filepath.Join(m.scratch, "old")
	if _, err := m.output("git", "worktree", "add", "--detach", old, m.options.Base); err != nil {
		m.note("benchmarks: the build before could not be had: %v", err)
		return m.ctx.Err()
	}
	defer func() {
		command := exec.Command("git", "worktree", "remove", "--force", old)
		command.Dir = m.dir
		_ = command.Run()
	}()
	found := 0
	for _, pkg := range m.packages {
		relative, err := filepath.Rel(m.dir, pkg.Dir)
		if err != nil {
			continue
		}
		list, err := m.compare(pkg, filepath.Join(old, strings.TrimSpace(prefix), relative))
		if err != nil {
			return err
		}
		found += len(list)
		for i := range m.release.Routes {
			if slices.ContainsFunc(m.report.Routes[i].Functions, func(name string) bool { return within(name, pkg.ImportPath) }) {
				a := &m.release.Routes[i].Artefacts
				a.Benchmarks = append(a.Benchmarks, list...)
			}
		}
	}
	if found == 0 {
		m.note("benchmarks: both builds have none in common")
	}
	return m.ctx.Err()
}

// within reports whether a function is a package's: "p.F" or "(*p.T).M".
func within(function, pkg string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(function, "(*"), pkg+".")
	return ok && !strings.Contains(rest, "/")
}

// compare runs the benchmarks of a package in both builds.
func (m *measurement) compare(pkg listed, oldDir string) ([]seqp.Benchmark, error) {
	if !hasBenchmarks(pkg.Dir) || !hasBenchmarks(oldDir) {
		return nil, nil
	}
	binaries := map[string]string{}
	for _, dir := range []string{oldDir, pkg.Dir} {
		binary := filepath.Join(m.scratch, strconv.Itoa(len(binaries))+".test")
		command := m.command(dir, "go", "test", "-c", "-o", binary, ".")
		if output, err := command.CombinedOutput(); err != nil {
			m.note("benchmarks: the tests of %s do not compile in both builds: %s", pkg.ImportPath, bytes.TrimSpace(output))
			return nil, m.ctx.Err()
		}
		binaries[dir] = binary
	}
	times := map[string]map[string][]float64{oldDir: {}, pkg.Dir: {}}
	for range m.options.Runs {
		for _, dir := range []string{oldDir, pkg.Dir} {
			command := m.command(dir, binaries[dir], "-test.run=^$", "-test.bench=.", "-test.benchtime=100ms", "-test.timeout=10m")
			output, err := command.Output()
			if err != nil {
				m.note("benchmarks: those of %s fail: %v", pkg.ImportPath, err)
				return nil, m.ctx.Err()
			}
			for name, nanoseconds := range benchmarkLines(output) {
				times[dir][name] = append(times[dir][name], nanoseconds)
			}
		}
	}
	var list []seqp.Benchmark
	for _, name := range slices.Sorted(maps.Keys(times[pkg.Dir])) {
		if before := times[oldDir][name]; before != nil {
			list = append(list, seqp.Benchmark{Name: name, Old: before, New: times[pkg.Dir][name]})
		}
	}
	return list, nil
}

var benchmarkFunction = regexp.MustCompile(`(?m)^func Benchmark\w*\(`)

func hasBenchmarks(dir string) bool {
	paths, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
	return slices.ContainsFunc(paths, func(path string) bool {
		text, err := os.ReadFile(path)
		return err == nil && benchmarkFunction.Match(text)
	})
}

// benchmarkLine is "BenchmarkPay-8   120   9876 ns/op …".
var benchmarkLine = regexp.MustCompile(`(?m)^(Benchmark\S*?)(?:-\d+)?\s+\d+\s+([0-9.e+]+) ns/op`)

func benchmarkLines(output []byte) map[string]float64 {
	list := map[string]float64{}
	for _, match := range benchmarkLine.FindAllSubmatch(output, -1) {
		if x, err := strconv.ParseFloat(string(match[2]), 64); err == nil {
			list[string(match[1])] = x
		}
	}
	return list
}
