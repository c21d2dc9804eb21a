package mutation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// probe is one test: how long it takes beside the beginning of its process, and which mutants it could notice.
type probe struct {
	in      int // which binary
	name    string
	took    time.Duration
	differs map[int]bool
}

// patience is how long the whole of a package's tests may take without a mutant.
const patience = 10 * time.Minute

// baseline runs every test alone without a mutant, notes what it reaches and returns how long all of them took.
func (t *trial) baseline(ctx context.Context) (time.Duration, error) {
	for i := range t.mutants {
		t.mutants[i].Status = NotReached
	}
	var all time.Duration
	t.tests, t.candidates = nil, nil
	for in := range t.binaries {
		probes, err := t.alone(ctx, in)
		if err != nil {
			return 0, err
		}
		for _, one := range probes {
			all += one.took
			if t.options.Candidates != nil && t.options.Candidates(one.name) {
				t.candidates = append(t.candidates, one)
				continue
			}
			t.tests = append(t.tests, one)
		}
	}
	slices.SortStableFunc(t.tests, func(a, b probe) int { return cmp.Or(cmp.Compare(a.in, b.in), cmp.Compare(a.took, b.took)) })
	return all, nil
}

// alone runs every test of a binary alone. Tests that need each other are taken for one.
func (t *trial) alone(ctx context.Context, in int) ([]probe, error) {
	names, err := t.list(ctx, t.binaries[in])
	if err != nil {
		return nil, err
	}
	if err := t.beginning(ctx, &t.binaries[in]); err != nil {
		return nil, err
	}
	probes := make([]probe, len(names))
	var failed atomic.Bool
	err = t.each(ctx, len(names), func(i int) error {
		if failed.Load() {
			return nil
		}
		one, status, _, err := t.probe(ctx, in, names[i], "^"+regexp.QuoteMeta(names[i])+"$")
		if status != Lived {
			failed.Store(true)
		}
		probes[i] = one
		return err
	})
	if err == nil && failed.Load() {
		return t.together(ctx, in)
	}
	return probes, err
}

// beginning measures how long a process takes that runs no test.
func (t *trial) beginning(ctx context.Context, in *binary) error {
	for range 3 {
		_, took, _ := t.test(ctx, *in, 0, "^$", "", patience)
		if in.begins == 0 || took < in.begins {
			in.begins = took
		}
	}
	return ctx.Err()
}

// each does something for every number below n, as many at a time as there are jobs.
func (t *trial) each(ctx context.Context, n int, do func(i int) error) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	errs := make([]error, t.options.Jobs)
	for worker := range t.options.Jobs {
		workers.Go(func() {
			for ctx.Err() == nil && errs[worker] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				errs[worker] = do(i)
			}
		})
	}
	workers.Wait()
	return cmp.Or(ctx.Err(), errors.Join(errs...))
}

// together runs the tests of a binary that do not pass one by one.
func (t *trial) together(ctx context.Context, in int) ([]probe, error) {
	all, status, output, err := t.probe(ctx, in, "", "")
	whose := "its tests"
	if t.binaries[in].dir != t.dir {
		whose = "the tests in " + t.binaries[in].dir
	}
	switch {
	case err != nil:
		return nil, err
	case status == TimedOut:
		return nil, fmt.Errorf("%s took longer than %s without any mutant", whose, patience)
	case status == Killed:
		return nil, fmt.Errorf("%s fail without any mutant, so they can tell nothing: mend them first\n%s", whose, firstLines(output))
	}
	return []probe{all}, nil
}

// list returns the names of the tests, examples and fuzz targets.
func (t *trial) list(ctx context.Context, in binary) ([]string, error) {
	command := exec.CommandContext(ctx, in.path, "-test.list", "^(Test|Example|Fuzz)")
	command.Dir = in.dir
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("its tests cannot be listed: %w", err)
	}
	var names []string
	for line := range strings.Lines(string(output)) {
		name := strings.TrimSpace(line)
		if strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Example") || strings.HasPrefix(name, "Fuzz") {
			names = append(names, name)
		}
	}
	return names, nil
}

// probe runs tests without a mutant. A mutant that is reached lives unless a test, to which it differs, fails.
func (t *trial) probe(ctx context.Context, in int, name, pattern string) (probe, Status, []byte, error) {
	file, err := os.CreateTemp(t.scratch, "reached")
	if err != nil {
		return probe{}, "", nil, err
	}
	reached := file.Name()
	defer os.Remove(reached)
	if err := file.Close(); err != nil {
		return probe{}, "", nil, err
	}
	status, took, output := t.test(ctx, t.binaries[in], 0, pattern, reached, patience)
	if ctx.Err() != nil {
		return probe{}, "", nil, ctx.Err()
	}
	text, err := os.ReadFile(reached)
	if err != nil {
		return probe{}, "", nil, err
	}
	one := probe{in, name, max(took-t.binaries[in].begins, time.Millisecond), map[int]bool{}}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, word := range strings.Fields(string(text)) {
		number, differs := strings.CutSuffix(word, "!")
		id, err := strconv.Atoi(number)
		if err != nil || id <= 0 || id > len(t.mutants) {
			continue
		}
		one.differs[id] = one.differs[id] || differs
		t.mutants[id-1].Status = Lived
	}
	return one, status, output, nil
}

// batches are the tests that could notice a mutant, the fast ones first: most mutants die of those, and one that never ends is
// found out soon. A batch takes about ten times as long as the one before.
func (t *trial) batches(id int) [][]probe {
	var list [][]probe
	var batch []probe
	var took time.Duration
	limit := 50 * time.Millisecond
	for _, one := range t.tests {
		if !one.differs[id] {
			continue
		}
		if len(batch) > 0 && (took+one.took > limit || batch[0].in != one.in) {
			list = append(list, batch)
			batch, took, limit = nil, 0, 10*limit
		}
		batch = append(batch, one)
		took += one.took
	}
	if len(batch) > 0 {
		list = append(list, batch)
	}
	return list
}

// longest is how long tests may take as a mutant that take so long without.
func longest(took, begins time.Duration) time.Duration { return 10*(took+begins) + time.Second }

// kill runs the tests that could notice a mutant until one fails.
func (t *trial) kill(ctx context.Context, id int) Status {
	for _, batch := range t.batches(id) {
		in := t.binaries[batch[0].in]
		var names []string
		var took time.Duration
		for _, one := range batch {
			took += one.took
			if one.name != "" {
				names = append(names, regexp.QuoteMeta(one.name))
			}
		}
		pattern := ""
		if len(names) > 0 {
			pattern = "^(" + strings.Join(names, "|") + ")$"
		}
		if status, _, _ := t.test(ctx, in, id, pattern, "", longest(took, in.begins)); status != Lived {
			return status
		}
	}
	return Lived
}

// noticed are the tests on trial that notice a mutant which lives.
func (t *trial) noticed(ctx context.Context, m Mutant) []string {
	var names []string
	if m.Status != Lived {
		return nil
	}
	for _, one := range t.candidates {
		if !one.differs[m.ID] {
			continue
		}
		in := t.binaries[one.in]
		pattern := "^" + regexp.QuoteMeta(one.name) + "$"
		if status, _, _ := t.test(ctx, in, m.ID, pattern, "", longest(one.took, in.begins)); status != Lived {
			names = append(names, one.name)
		}
	}
	return names
}

// runAll runs, as each mutant that is reached, the tests that could notice it.
func (t *trial) runAll(ctx context.Context) error {
	done := 0
	return t.each(ctx, len(t.mutants), func(i int) error {
		if t.mutants[i].Status != NotReached {
			t.mutants[i].Status = t.kill(ctx, t.mutants[i].ID)
			t.mutants[i].By = t.noticed(ctx, t.mutants[i])
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if done++; t.options.Progress != nil {
			t.options.Progress(t.pkg.PkgPath, done, len(t.mutants))
		}
		return nil
	})
}
