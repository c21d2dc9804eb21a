package testgen

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/seqp/evolve/mutation"
	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
)

// Options say for what to write tests.
type Options struct {
	Dir    string       // of the application's package main; "" is the current folder
	Report *risk.Report // of its routes; nil has it made
	DryRun bool         // nothing is written
	Bugs   bool         // only bugs are looked for, without the race detector: no test is weighed, kept or written
	Routes []string     // that tests are written for, such as "GET /users"; none is all
}

// Result is what came of it.
type Result struct {
	File     string    `json:"file"` // "" where no test is worth keeping
	Changed  bool      `json:"changed"`
	Tried    int       `json:"tried"`
	Dropped  []string  `json:"dropped,omitempty"` // that did not pass three shuffled runs
	Kept     []Kept    `json:"kept"`
	Findings []Finding `json:"findings"`
}

// Kept is a test that was kept, and why.
type Kept struct {
	Test   string `json:"test"`
	Reason string `json:"reason"`
}

// Finding is a bug that a request shows.
type Finding struct {
	Rule   string     `json:"rule"` // such as sql, html, owner, lost-update, database-error or server-error
	Text   string     `json:"text"`
	Route  string     `json:"route"`
	Place  risk.Place `json:"place"`
	Curl   string     `json:"curl"`
	GoTest string     `json:"go_test"` // a whole file, which fails
}

// Generate tries tests and keeps what pays. Its error says what is missing: a way to make the application, or tests of its
// own that pass.
func Generate(ctx context.Context, options Options) (*Result, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("testgen: %w", err)
	}
	s, err := findSetup(dir)
	if err != nil {
		return nil, err
	}
	report := options.Report
	if report == nil {
		if report, err = risk.Analyze(ctx, risk.Options{Dir: dir}); err != nil {
			return nil, err
		}
	}
	scratch, err := os.MkdirTemp("", "seqp-tests-")
	if err != nil {
		return nil, fmt.Errorf("testgen: %w", err)
	}
	defer os.RemoveAll(scratch)
	g := &trial{ctx: ctx, dir: dir, scratch: scratch, setup: s, all: candidates(report.Routes, s), result: &Result{Kept: []Kept{}, Findings: []Finding{}}}
	if len(options.Routes) > 0 {
		g.all = slices.DeleteFunc(g.all, func(c candidate) bool { return !slices.Contains(options.Routes, c.route.Method+" "+c.route.Pattern) })
	}
	g.result.Tried = len(g.all)
	if len(g.all) == 0 {
		return g.result, nil
	}
	steps := []func() error{g.observe, g.repeat, g.cover, g.mutate}
	if options.Bugs {
		steps = steps[:1]
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if options.Bugs {
		return g.result, nil
	}
	return g.result, g.keep(options.DryRun)
}

// trial is one run of Generate.
type trial struct {
	ctx          context.Context
	dir, scratch string
	setup        *setup
	all          []candidate
	blocks       map[string]map[string]bool // by test, what it runs and the application's own tests do not
	kills        map[string]map[string]bool // by test, the mutants that only tests on trial notice
	result       *Result
}

// overlay has the go command see a text as the file of the tests.
func (g *trial) overlay(text []byte) (string, error) {
	source := filepath.Join(g.scratch, "tests.go")
	list := filepath.Join(g.scratch, "overlay.json")
	content, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(g.dir, FileName): source}})
	if err != nil {
		return "", err
	}
	return list, errors.Join(os.WriteFile(source, text, 0o600), os.WriteFile(list, content, 0o600))
}

func (g *trial) command(name string, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(g.ctx, name, arguments...)
	command.Dir = g.dir
	return command
}

// seen is what a candidate was seen to do.
type seen struct {
	ID     int
	Status int
	Found  string
	States [3]string // one by one, one by one again, at once
	// Endless is an answer of events that go on and on: there is none to compare another one with.
	Endless bool
}

// patience is how long a process may say nothing before it is ended.
const patience = 90 * time.Second

// observe runs every candidate once and takes over what it answers; what shows a bug becomes a finding.
func (g *trial) observe() error {
	text, err := file(g.setup, nil, nil, observeCode)
	if err != nil {
		return err
	}
	binary := filepath.Join(g.scratch, "observe.test")
	if err := g.buildFile(binary, text); err != nil {
		return err
	}
	var probes []probe
	for _, c := range g.all {
		probes = append(probes, c.probe())
	}
	list, err := json.Marshal(probes)
	if err != nil {
		return fmt.Errorf("testgen: %w", err)
	}
	name := filepath.Join(g.scratch, "probes.json")
	if err := os.WriteFile(name, list, 0o600); err != nil {
		return fmt.Errorf("testgen: %w", err)
	}
	known := map[int]seen{}
	for from := 0; from < len(g.all); {
		next, output, err := g.observeFrom(binary, name, from, known)
		if ctxErr := g.ctx.Err(); ctxErr != nil {
			return fmt.Errorf("testgen: %w", ctxErr)
		}
		if next == 0 {
			return fmt.Errorf("testgen: the application cannot be tested: %w\n%s", err, firstLines(output))
		}
		if next == from || err != nil && next < len(g.all) && known[next-1].Found == "" && bytes.Contains(output, []byte("goroutine ")) {
			known[next] = seen{ID: next, Found: "crash: the program ends"}
			next++
		}
		if next < len(g.all) && next > 0 && strings.HasPrefix(known[next-1].Found, "no-answer") { // what is asked of this route next may never end either
			for stuck := g.all[next-1].route; next < len(g.all) && g.all[next].route.Pattern == stuck.Pattern && g.all[next].route.Method == stuck.Method; next++ {
			}
		}
		from = next
	}
	g.judge(known)
	return nil
}

// observeFrom runs candidates in one process, until all are known or it ends, and returns the first that is not known.
func (g *trial) observeFrom(binary, probes string, from int, known map[int]seen) (next int, output []byte, err error) {
	ctx, cancel := context.WithCancel(g.ctx)
	defer cancel()
	command := exec.CommandContext(ctx, binary, "-test.run", "^TestSeqpObserve$", "-test.timeout", "0")
	command.Dir = g.dir
	command.Env = append(os.Environ(), "SEQP_PROBES="+probes, fmt.Sprint("SEQP_FROM=", from))
	var errors bytes.Buffer
	command.Stderr = &errors
	out, err := command.StdoutPipe()
	if err != nil {
		return 0, nil, err
	}
	if err := command.Start(); err != nil {
		return 0, nil, err
	}
	quiet := time.AfterFunc(patience, cancel)
	defer quiet.Stop()
	var all bytes.Buffer
	next = from
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		quiet.Reset(patience)
		text, ok := strings.CutPrefix(lines.Text(), "SEQP ")
		var s seen
		if ok && json.Unmarshal([]byte(text), &s) == nil {
			known[s.ID] = s
			next = s.ID + 1
		} else if all.Len() < 1<<20 {
			all.WriteString(lines.Text() + "\n")
		}
	}
	err = command.Wait()
	all.Write(errors.Bytes())
	return next, all.Bytes(), err
}

// judge sorts out what showed a bug or cannot be repeated.
func (g *trial) judge(known map[int]seen) {
	var list []candidate
	for i, c := range g.all {
		s, ok := known[i]
		c.status = s.Status
		one, again, atOnce := s.States[0], s.States[1], s.States[2]
		switch {
		case !ok: // it did not come to an end
		case s.Found != "":
			rule, text, _ := strings.Cut(s.Found, ": ")
			if rule == "contract" && c.rule != "" {
				rule = c.rule
			}
			g.find(c, rule, text+", for "+c.About)
		case c.law == 422 && s.Status < 300:
			g.find(c, "contract", fmt.Sprintf("it takes %s, which its input forbids", c.About))
		case c.times > 0 && strings.Contains(one+atOnce, " times: 5"):
			g.find(c, "server-error", "it answers 5xx to the same request again")
		case c.times > 0 && c.state != nil && one == again && one != atOnce:
			g.find(c, "lost-update", "the same requests at once do not end as they do one by one")
		case c.times > 0 && c.state != nil && one != again: // its answers hold times or random numbers
		case s.Endless: // a test would wait for the end
		default:
			list = append(list, c)
		}
	}
	g.all = list
}

// find adds a finding; one a route and rule is enough.
func (g *trial) find(c candidate, rule, text string) {
	route := strings.Split(c.route.Method, ",")[0] + " " + c.route.Pattern
	if slices.ContainsFunc(g.result.Findings, func(f Finding) bool { return f.Rule == rule && f.Route == route }) {
		return
	}
	broken := c
	if rule == "contract" || c.law != 0 {
		broken.status = c.law
	}
	if c.law == 0 && c.kind == "" && c.times == 0 || c.law != 0 && rule != "contract" {
		broken.kind, broken.status = "attack", 0
	}
	source, err := file(g.setup, []candidate{broken}, nil, "")
	if err != nil {
		source = []byte("// " + err.Error())
	}
	g.result.Findings = append(g.result.Findings, Finding{rule, text, route, c.route.Place, c.request.curl(), string(source)})
}

var failed = regexp.MustCompile(`(?m)^--- FAIL: (TestSeqp\w+)`)

// repeat drops what does not pass three shuffled runs with the race detector.
func (g *trial) repeat() error {
	binary := ""
	for seed := 1; seed <= 3 && len(g.all) > 0; seed++ {
		if binary == "" {
			binary = filepath.Join(g.scratch, "race.test")
			if err := g.build(binary, "-race"); err != nil {
				return err
			}
		}
		output, err := g.command(binary, "-test.count=1", fmt.Sprintf("-test.shuffle=%d", seed), "-test.run", "^TestSeqp").CombinedOutput()
		if err == nil {
			continue
		}
		dropped := map[string]bool{}
		for _, match := range failed.FindAllStringSubmatch(string(output), -1) {
			dropped[match[1]] = true
		}
		if len(dropped) == 0 {
			return fmt.Errorf("testgen: the tests do not run with the race detector: %w\n%s", err, firstLines(output))
		}
		binary = ""
		racing := bytes.Contains(output, []byte("DATA RACE"))
		g.all = slices.DeleteFunc(g.all, func(c candidate) bool {
			if dropped[c.Name] {
				g.result.Dropped = append(g.result.Dropped, c.Name)
				if racing && c.times > 0 {
					g.find(c, "data-race", "the same request at once is a data race")
				}
			}
			return dropped[c.Name]
		})
	}
	slices.Sort(g.result.Dropped)
	return g.ctx.Err()
}

// build builds the tests that are on trial beside the application's own.
func (g *trial) build(binary string, arguments ...string) error {
	text, err := file(g.setup, g.all, nil, "")
	if err != nil {
		return err
	}
	return g.buildFile(binary, text, arguments...)
}

func (g *trial) buildFile(binary string, text []byte, arguments ...string) error {
	list, err := g.overlay(text)
	if err != nil {
		return fmt.Errorf("testgen: %w", err)
	}
	command := g.command("go", append(append([]string{"test", "-c", "-o", binary, "-overlay", list}, arguments...), ".")...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("testgen: the tests do not build: %w\n%s", err, firstLines(output))
	}
	return nil
}

// cover notes what each candidate runs that the application's own tests do not.
func (g *trial) cover() error {
	g.blocks = map[string]map[string]bool{}
	module, err := g.command("go", "list", "-m").Output()
	if err != nil {
		return fmt.Errorf("testgen: %w", err)
	}
	binary := filepath.Join(g.scratch, "cover.test")
	if err := g.build(binary, "-cover", "-covermode=set", "-coverpkg="+strings.TrimSpace(string(module))+"/..."); err != nil {
		return err
	}
	own, err := g.profile(binary, "-test.skip", "^TestSeqp")
	if err != nil {
		return fmt.Errorf("testgen: the application's own tests fail, so they can tell nothing: mend them first: %w", err)
	}
	for _, c := range g.all {
		runs, err := g.profile(binary, "-test.run", "^"+c.Name+"$")
		if err != nil {
			return fmt.Errorf("testgen: %w", err)
		}
		for block := range own {
			delete(runs, block)
		}
		g.blocks[c.Name] = runs
	}
	return nil
}

// profile runs tests and returns the blocks that they run.
func (g *trial) profile(binary string, arguments ...string) (map[string]bool, error) {
	name := filepath.Join(g.scratch, "cover.out")
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	output, err := g.command(binary, append(arguments, "-test.count=1", "-test.coverprofile", name)...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, firstLines(output))
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	runs := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[2] != "0" {
			runs[fields[0]] = true
		}
	}
	return runs, nil
}

// mutate notes which mutants only tests on trial notice.
func (g *trial) mutate() error {
	g.kills = map[string]map[string]bool{}
	names := map[string]bool{}
	for _, c := range g.all {
		names[c.Name] = true
		g.kills[c.Name] = map[string]bool{}
	}
	report, err := mutation.Run(g.ctx, mutation.Options{
		Dir: g.dir, Overlay: map[string]string{filepath.Join(g.dir, FileName): filepath.Join(g.scratch, "tests.go")},
		Candidates: func(test string) bool { return names[test] },
	})
	if err != nil {
		return fmt.Errorf("testgen: %w", err)
	}
	for _, m := range report.Survivors() {
		for _, test := range m.By {
			if g.kills[test] != nil {
				g.kills[test][fmt.Sprintf("%s:%d: %s → %s", m.File, m.Line, m.Original, m.Mutated)] = true
			}
		}
	}
	return nil
}

// keep takes the test that adds most, until none adds anything, and writes the file.
func (g *trial) keep(dry bool) error {
	why := map[string]string{}
	var kept []candidate
	for {
		best, most := -1, 0
		for i, c := range g.all {
			if gain := len(g.blocks[c.Name]) + 3*len(g.kills[c.Name]); why[c.Name] == "" && gain > most {
				best, most = i, gain
			}
		}
		if best < 0 {
			break
		}
		c := g.all[best]
		why[c.Name] = reasonOf(g.blocks[c.Name], g.kills[c.Name])
		kept = append(kept, c)
		taken, noticed := g.blocks[c.Name], g.kills[c.Name]
		for _, other := range g.all {
			if other.Name != c.Name {
				remove(g.blocks[other.Name], taken)
				remove(g.kills[other.Name], noticed)
			}
		}
		clear(taken)
		clear(noticed)
	}
	slices.SortFunc(kept, func(x, y candidate) int { return strings.Compare(x.Name, y.Name) })
	for _, c := range kept {
		g.result.Kept = append(g.result.Kept, Kept{c.Name, why[c.Name]})
	}
	return g.write(kept, why, dry)
}

func remove(from, what map[string]bool) {
	for key := range what {
		delete(from, key)
	}
}

func reasonOf(blocks, kills map[string]bool) string {
	first := func(set map[string]bool) string {
		list := make([]string, 0, len(set))
		for key := range set {
			list = append(list, key)
		}
		return slices.Min(list)
	}
	var parts []string
	if len(kills) > 0 {
		parts = append(parts, fmt.Sprintf("it notices %d mutants that no other test does, such as %s", len(kills), first(kills)))
	}
	if len(blocks) > 0 {
		place := first(blocks)
		file, lines, _ := strings.Cut(place[strings.LastIndexByte(place, '/')+1:], ":")
		line, _, _ := strings.Cut(lines, ".")
		parts = append(parts, fmt.Sprintf("it runs %d stretches of code that no other test does, such as %s:%s", len(blocks), file, line))
	}
	return strings.ReplaceAll(strings.Join(parts, "; "), "\n", " ")
}

// write writes the file if it changes. A file that is not ours is left alone.
func (g *trial) write(kept []candidate, why map[string]string, dry bool) error {
	path := filepath.Join(g.dir, FileName)
	is, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("testgen: %w", err)
	}
	if len(is) > 0 && !bytes.HasPrefix(is, []byte(header[:30])) {
		return fmt.Errorf("testgen: %s was not written by this command: give it another name", path)
	}
	if len(kept) == 0 {
		g.result.Changed = len(is) > 0
		if dry || len(is) == 0 {
			return nil
		}
		return os.Remove(path)
	}
	should, err := file(g.setup, kept, why, "")
	if err != nil {
		return err
	}
	g.result.File, g.result.Changed = path, !bytes.Equal(is, should)
	if dry || !g.result.Changed {
		return nil
	}
	if err := os.WriteFile(path, should, 0o644); err != nil {
		return fmt.Errorf("testgen: %w", err)
	}
	return nil
}

func firstLines(output []byte) string {
	lines := strings.SplitN(strings.TrimSpace(string(output)), "\n", 16)
	return strings.Join(lines[:min(len(lines), 15)], "\n")
}
