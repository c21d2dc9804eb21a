package evolve

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/seqp"
	"github.com/ishaa-framework/ishaa/seqp/evolve/mutation"
	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
)

// MeasureOptions say what to measure of a release. The zero value measures tests, coverage and mutants of the current
// folder's module.
type MeasureOptions struct {
	Dir string // of the module; "" is the current folder
	// Base is the commit that the release is compared with by benchmarks; "" runs none.
	Base string
	Runs int // of each benchmark and build; default 10, the least that a verdict takes
	// Live is a file with the evidence of the running application, or its address; see seqp.Evidence. "" leaves it out.
	Live string
	// Token is sent to the address as a bearer token; "" sends none.
	Token string
}

// Measure measures a release: the tests, what they run of each route, which mutants they notice where the policy asks for
// it, benchmarks of both builds in turns, and what the running application tells. Failing tests are measured like passing
// ones; an error says what could not be measured at all. What is missing of the rest is in Release.Notes.
func Measure(ctx context.Context, options MeasureOptions) (*Release, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("evolve: %w", err)
	}
	options.Runs = cmp.Or(options.Runs, 10)
	scratch, err := os.MkdirTemp("", "seqp-release-")
	if err != nil {
		return nil, fmt.Errorf("evolve: %w", err)
	}
	defer os.RemoveAll(scratch)
	m := &measurement{ctx: ctx, dir: dir, scratch: scratch, options: options, release: &Release{Routes: []RouteRelease{}}}
	if m.spans, m.packages, err = readSpans(ctx, dir); err != nil {
		return nil, err
	}
	if text, err := m.output("git", "rev-parse", "HEAD"); err == nil {
		m.release.Build = strings.TrimSpace(text)
	}
	for _, step := range []func() error{m.tests, m.routes, m.mutants, m.benchmarks, m.live} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return m.release, ctx.Err()
}

// measurement is one run of Measure.
type measurement struct {
	ctx          context.Context
	dir, scratch string
	options      MeasureOptions
	spans        spans
	packages     []listed
	run          seqp.Tests
	profile      string
	report       *risk.Report
	release      *Release
}

func (m *measurement) note(format string, a ...any) {
	m.release.Notes = append(m.release.Notes, fmt.Sprintf(format, a...))
}

func (m *measurement) command(dir, name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(m.ctx, name, args...)
	command.Dir, command.WaitDelay = dir, time.Second
	return command
}

func (m *measurement) output(name string, args ...string) (string, error) {
	text, err := m.command(m.dir, name, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%s %s: %s", name, args[0], bytes.TrimSpace(exit.Stderr))
	}
	return string(text), err
}

// tests runs the tests of all packages, with a profile of what they run.
func (m *measurement) tests() error {
	m.profile = filepath.Join(m.scratch, "cover.out")
	command := m.command(m.dir, "go", "test", "-json", "-count=1", "-coverpkg=./...", "-coverprofile="+m.profile, "./...")
	output, err := command.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || m.ctx.Err() != nil {
		return fmt.Errorf("evolve: the tests: %w", cmp.Or(m.ctx.Err(), err))
	}
	m.run = countTests(output)
	if err != nil && m.run.Failed == 0 {
		m.run.Failed = 1 // the run as a whole
	}
	return nil
}

// countTests counts the tests of go test -json, not their parts. A package that fails without a test that does, since it
// does not compile, say, counts as one.
func countTests(output []byte) seqp.Tests {
	var run seqp.Tests
	failed := map[string]bool{}
	for line := range bytes.Lines(output) {
		var event struct{ Action, Package, Test string }
		if json.Unmarshal(line, &event) != nil || strings.Contains(event.Test, "/") {
			continue
		}
		switch {
		case event.Action == "pass" && event.Test != "":
			run.Passed++
		case event.Action == "fail" && (event.Test != "" || !failed[event.Package]):
			run.Failed++
			failed[event.Package] = true
		}
	}
	return run
}

// routes takes the risk of each route and what the tests run of what it reaches.
func (m *measurement) routes() error {
	options := risk.Options{Dir: m.dir}
	covered, err := readProfile(m.profile)
	if err == nil {
		options.Coverage = m.profile
	} else {
		m.note("coverage: %v", err)
	}
	if m.report, err = risk.Analyze(m.ctx, options); err != nil {
		return err
	}
	for _, route := range m.report.Routes {
		tests := m.run
		one := RouteRelease{Route: route.Method + " " + route.Pattern, Level: route.Critical, Risk: route.Score, Artefacts: seqp.Artefacts{Tests: &tests}}
		set, share := reached(route.Functions), seqp.Share{}
		for _, block := range covered {
			if set[m.spans.at(block.file, block.at)] {
				share.Whole += block.statements
				if block.run {
					share.Part += block.statements
				}
			}
		}
		if share.Whole > 0 {
			one.Artefacts.Coverage = &share
		}
		m.release.Routes = append(m.release.Routes, one)
	}
	return nil
}

// block is a part of a file that a coverage profile counts.
type block struct {
	file       string
	at         place
	statements int
	run        bool
}

var profileLine = regexp.MustCompile(`^(.+):(\d+)\.(\d+),\d+\.\d+ (\d+) (\d+)$`)

// readProfile reads a coverage profile. A block that several test binaries counted is one.
func readProfile(file string) ([]block, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, errors.New("the tests left no profile")
	}
	defer in.Close()
	index := map[string]int{}
	var list []block
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		match := profileLine.FindStringSubmatch(scanner.Text())
		if match == nil {
			continue // the mode
		}
		n := func(i int) int { n, _ := strconv.Atoi(match[i]); return n }
		key := match[1] + ":" + match[2] + "." + match[3]
		at, seen := index[key]
		if !seen {
			at = len(list)
			index[key] = at
			list = append(list, block{file: match[1], at: place{n(2), n(3)}, statements: n(4)})
		}
		list[at].run = list[at].run || n(5) > 0
	}
	return list, scanner.Err()
}

// mutants runs the mutants of what the routes reach whose policy asks for it.
func (m *measurement) mutants() error {
	wanted := map[string]bool{}
	asked := make([]map[string]bool, len(m.release.Routes))
	for i, route := range m.release.Routes {
		level, _ := ishaa.ParseLevel(route.Level)
		if seqp.PolicyFor(level, route.Risk, seqp.Limits{}).Mutation == 0 {
			continue
		}
		asked[i] = reached(m.report.Routes[i].Functions)
		for name := range asked[i] {
			wanted[outermost(name)] = true
		}
	}
	var patterns []string
	for _, pkg := range m.packages {
		for _, name := range pkg.GoFiles {
			found := false
			for _, one := range m.spans[pkg.ImportPath+"/"+name] {
				found = found || wanted[one.name]
			}
			if found {
				patterns = append(patterns, pkg.ImportPath)
				break
			}
		}
	}
	if len(patterns) == 0 || m.run.Failed > 0 {
		return nil // tests that fail already notice nothing; the guard says that they fail
	}
	report, err := mutation.Run(m.ctx, mutation.Options{Dir: m.dir, Patterns: patterns, Everywhere: true, Functions: func(pkg, function string) bool {
		return wanted[qualified(pkg, function)]
	}})
	if err != nil {
		m.note("mutants: %v", err)
		return m.ctx.Err()
	}
	for i, set := range asked {
		share := seqp.Share{}
		for _, pkg := range report.Packages {
			for _, one := range pkg.Mutants {
				if !set[m.spans.at(pkg.Package+"/"+filepath.Base(one.File), place{one.Line, one.Column})] {
					continue
				}
				share.Whole++
				if one.Status == mutation.Killed || one.Status == mutation.TimedOut {
					share.Part++
				}
			}
		}
		if share.Whole > 0 {
			m.release.Routes[i].Artefacts.Mutants = &share
		}
	}
	return nil
}

// outermost is the function that a literal is written in.
func outermost(name string) string { name, _, _ = strings.Cut(name, "$"); return name }

// qualified gives a function's name in package mutation the form that it has in package risk.
func qualified(pkg, function string) string {
	receiver, method, ok := strings.Cut(function, ".")
	if !ok {
		return pkg + "." + function
	}
	star := ""
	if inner, ok := strings.CutPrefix(receiver, "(*"); ok {
		star, receiver = "*", strings.TrimSuffix(inner, ")")
	}
	receiver, _, _ = strings.Cut(receiver, "[")
	return "(" + star + pkg + "." + receiver + ")." + method
}

// live takes what the running application tells. A freeze and what drift asks for hold for every release; the windows speak
// for the build that answered them, and for no other.
func (m *measurement) live() error {
	if m.options.Live == "" {
		return nil
	}
	e, err := m.evidence()
	if err != nil {
		return fmt.Errorf("evolve: the evidence of the running application: %w", err)
	}
	m.release.Frozen, m.release.Limits = e.Frozen, e.Limits
	same := e.Release != "" && e.Release == m.release.Build
	if !same {
		m.note("live: the running application is build %q and this is %q, so its requests say nothing of this release", e.Release, m.release.Build)
	}
	for i := range m.release.Routes {
		route := &m.release.Routes[i]
		for _, action := range e.Actions {
			route.Strict = route.Strict || action.Name == seqp.StrictRollback && action.Route == route.Route
		}
		for _, one := range e.Routes {
			if live := one.Live; same && one.Route == route.Route {
				route.Artefacts.Live = &live
			}
		}
	}
	return nil
}

// mostEvidence bounds what is read of an answer.
const mostEvidence = 64 << 20

func (m *measurement) evidence() (*seqp.Evidence, error) {
	var text []byte
	var err error
	if strings.HasPrefix(m.options.Live, "http://") || strings.HasPrefix(m.options.Live, "https://") {
		text, err = m.fetch()
	} else {
		text, err = os.ReadFile(m.options.Live)
	}
	if err != nil {
		return nil, err
	}
	var e seqp.Evidence
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("%s: %w", m.options.Live, err)
	}
	if e.Routes == nil || e.Limits == (seqp.Limits{}) {
		return nil, fmt.Errorf("%s is no evidence, which \"./program seqp evidence\" prints", m.options.Live)
	}
	return &e, nil
}

func (m *measurement) fetch() ([]byte, error) {
	ctx, cancel := context.WithTimeout(m.ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.options.Live, nil)
	if err != nil {
		return nil, err
	}
	if m.options.Token != "" {
		request.Header.Set("Authorization", "Bearer "+m.options.Token)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", m.options.Live, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, mostEvidence))
}
