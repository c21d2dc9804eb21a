package risk

import (
	"bufio"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// stretch is a part of a file that a coverage profile counts.
type stretch struct {
	first, last int // lines
	statements  int
	run         bool
}

// readCoverage reads a profile of go test -coverprofile: the stretches of each file, by import path and name.
func readCoverage(file string) (map[string][]stretch, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("risk: the coverage profile: %w", err)
	}
	defer in.Close()
	list := map[string][]stretch{}
	scanner := bufio.NewScanner(in)
	for n := 1; scanner.Scan(); n++ {
		line := scanner.Text()
		if n == 1 && strings.HasPrefix(line, "mode:") || line == "" {
			continue
		}
		i := strings.LastIndexByte(line, ':')
		fields := strings.Fields(line[i+1:])
		if i < 0 || len(fields) != 3 {
			return nil, fmt.Errorf("risk: %s:%d: %q is no line of a coverage profile, which \"go test -coverprofile\" writes", file, n, line)
		}
		from, to, _ := strings.Cut(fields[0], ",")
		s := stretch{first: lineOf(from), last: lineOf(to)}
		s.statements, _ = strconv.Atoi(fields[1])
		s.run = fields[2] != "0"
		list[line[:i]] = append(list[line[:i]], s)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("risk: %s: %w", file, err)
	}
	return list, nil
}

func lineOf(position string) int {
	line, _, _ := strings.Cut(position, ".")
	n, _ := strconv.Atoi(line)
	return n
}

// covered counts the statements of functions and those of them that were run.
func (a *application) covered(profile map[string][]stretch, list []*ssa.Function) (run, all int) {
	seen := map[stretch]bool{}
	for _, fn := range list {
		syntax := fn.Syntax()
		home := packageOf(fn)
		if syntax == nil || home == nil {
			continue
		}
		from, to := a.fset.Position(syntax.Pos()), a.fset.Position(syntax.End())
		for _, s := range profile[path.Join(home.Path(), path.Base(strings.ReplaceAll(from.Filename, "\\", "/")))] {
			if s.first < from.Line || s.last > to.Line || seen[s] {
				continue
			}
			seen[s] = true
			all += s.statements
			if s.run {
				run += s.statements
			}
		}
	}
	return run, all
}
