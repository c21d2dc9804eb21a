package risk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"go/token"
	"go/types"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// Options say what to analyse. The zero value is every package of the module of the current folder.
type Options struct {
	Dir      string   // of the module or below; "" is the current folder
	Patterns []string // packages, as the go command has them; default "./..."
	Coverage string   // a profile of "go test -coverprofile -coverpkg=./..."; "" leaves coverage out
	Mutation string   // a report of "ishaa mutate --json"; "" leaves mutation out
}

// Report is the risk of each route, the highest first.
type Report struct {
	Routes []Route `json:"routes"`
}

// Route is what is known of a route.
type Route struct {
	Method   string    `json:"method"` // "*" for all; several are joined by ","
	Pattern  string    `json:"pattern"`
	Name     string    `json:"name,omitempty"`
	Handler  string    `json:"handler"`
	Place    Place     `json:"place"` // of the registration
	Critical string    `json:"criticality"`
	Guarded  bool      `json:"guarded"`
	Score    float64   `json:"score"` // 0 to 1
	Level    Level     `json:"level"`
	Reasons  []Reason  `json:"reasons"`
	Findings []Finding `json:"findings,omitempty"`
	Metrics  Metrics   `json:"metrics"`

	Files     []string   `json:"files"` // that hold what it reaches
	Functions []string   `json:"reaches"`
	Input     types.Type `json:"-"` // the struct of a typed handler, or nil
	Reads     []Read     `json:"reads,omitempty"`
	Package   string     `json:"package"` // of the handler, "" where it is not the application's
}

// Read is a value of the request that a handler asks for by a name that is written out.
type Read struct {
	From string `json:"from"`           // query, header, cookie, form or body
	Name string `json:"name"`           // of a body json or bytes
	Kind string `json:"kind,omitempty"` // integer or number where it is converted to one
}

// Reason is a part of a score.
type Reason struct {
	Weight float64 `json:"weight"`
	Text   string  `json:"text"`
	Place  Place   `json:"place"`
}

// Finding is a way of what a client sends into a dangerous place, or an error of the database that nobody looks at.
type Finding struct {
	Rule  string  `json:"rule"` // one of those that WriteSARIF explains, such as sql or shared-write
	Text  string  `json:"text"`
	Place Place   `json:"place"`
	Via   []Place `json:"via,omitempty"` // the calls that lead there
}

// Level is a score in a word.
type Level string

// The levels, and the scores from which they are.
const (
	Low      Level = "low"
	Medium   Level = "medium"   // 0.35
	High     Level = "high"     // 0.6
	Critical Level = "critical" // 0.8
)

// levels from the lowest.
var levels = []Level{Low, Medium, High, Critical}

// ParseLevel returns the level of a name, and whether there is one.
func ParseLevel(name string) (Level, bool) {
	return Level(name), slices.Contains(levels, Level(name))
}

// AtLeast reports whether a level is another or above.
func (l Level) AtLeast(other Level) bool {
	return slices.Index(levels, l) >= slices.Index(levels, other)
}

// LevelOf returns the level of a score. One that is no number is critical: what is not known is not safe.
func LevelOf(score float64) Level {
	switch {
	case score < 0.35:
		return Low
	case score < 0.6:
		return Medium
	case score < 0.8:
		return High
	}
	return Critical
}

// Analyze analyses an application. It changes nothing.
func Analyze(ctx context.Context, options Options) (*Report, error) {
	app, err := load(ctx, options.Dir, options.Patterns)
	if err != nil {
		return nil, err
	}
	return app.analyze(ctx, options)
}

func (a *application) analyze(ctx context.Context, options Options) (*Report, error) {
	var profile map[string][]stretch
	var mutants []mutant
	var err error
	if options.Coverage != "" {
		if profile, err = readCoverage(options.Coverage); err != nil {
			return nil, err
		}
	}
	if options.Mutation != "" {
		if mutants, err = readMutants(options.Mutation); err != nil {
			return nil, err
		}
	}
	entries := a.routes()
	fs := newFlows(a, numericParameters(entries))
	lines, fixes := churn(ctx, a.dir)
	report := &Report{Routes: []Route{}}
	for _, e := range entries {
		reached := a.reach(e.handlers)
		m := a.measure(reached)
		route := a.routeOf(e, reached)
		findings := a.findings(fs, e, m)
		m.Inputs = inputs(e)
		for _, file := range route.Files {
			m.Churn += lines[file]
		}
		if run, all := a.covered(profile, reached); all > 0 {
			m.Coverage = float64(run) / float64(all)
		}
		m.Mutation = mutationOf(mutants, a, reached)
		fixed := 0
		for _, file := range route.Files {
			fixed += fixes[file]
		}
		route.Findings, route.Reads = findings, readsOf(reached)
		a.score(&route, m, fixed)
		report.Routes = append(report.Routes, route)
	}
	slices.SortStableFunc(report.Routes, func(x, y Route) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), strings.Compare(x.Pattern, y.Pattern), strings.Compare(x.Method, y.Method))
	})
	return report, ctx.Err()
}

func (a *application) routeOf(e entry, reached []*ssa.Function) Route {
	route := Route{Method: "*", Pattern: e.pattern, Name: e.name, Critical: cmp.Or(e.level, "standard"), Guarded: e.guarded,
		Place: a.place(e.pos), Input: e.input, Handler: e.foreign, Files: []string{}, Functions: []string{}}
	if len(e.methods) > 0 {
		route.Method = strings.Join(e.methods, ",")
	}
	if e.mounted {
		route.Pattern = strings.TrimSuffix(route.Pattern, "/") + "/…"
	}
	if len(e.handlers) > 0 {
		route.Handler = strings.TrimSuffix(e.handlers[0].RelString(nil), "$bound")
		if home := packageOf(e.handlers[0]); home != nil {
			route.Package = home.Path()
			route.Handler = strings.ReplaceAll(route.Handler, home.Path()+".", "")
		}
	}
	for _, fn := range reached {
		if fn.Syntax() == nil {
			continue
		}
		name := a.place(fn.Pos()).File
		if !slices.Contains(route.Files, name) {
			route.Files = append(route.Files, name)
		}
		route.Functions = append(route.Functions, fn.String())
	}
	slices.Sort(route.Files)
	return route
}

// numericParameters are parameters whose converter lets numbers and the like through, in every pattern that has them.
func numericParameters(entries []entry) map[string]bool {
	list := map[string]bool{}
	for _, e := range entries {
		for _, p := range Parameters(e.pattern) {
			numeric := p.Converter == "int" || p.Converter == "float" || p.Converter == "uuid" || p.Converter == "slug"
			if before, seen := list[p.Name]; seen {
				numeric = numeric && before
			}
			list[p.Name] = numeric
		}
	}
	return list
}

// Parameter is a parameter of a pattern.
type Parameter struct{ Name, Converter string }

// Parameters reads the parameters of a pattern, such as "/users/<int:id>".
func Parameters(pattern string) []Parameter {
	var list []Parameter
	for rest := pattern; ; {
		begin := strings.IndexByte(rest, '<')
		if begin < 0 {
			return list
		}
		end := strings.IndexByte(rest[begin:], '>')
		if end < 0 {
			return list
		}
		text := rest[begin+1 : begin+end]
		converter, name, ok := strings.Cut(text, ":")
		if i := strings.LastIndexByte(text, ':'); ok && strings.HasPrefix(converter, "re(") {
			converter, name = "re", text[i+1:]
		}
		if !ok {
			converter, name = "str", text
		}
		list = append(list, Parameter{name, converter})
		rest = rest[begin+end+1:]
	}
}

// inputs counts what a client chooses: parameters, and the fields of a typed input.
func inputs(e entry) int {
	n := len(Parameters(e.pattern))
	if e.input != nil {
		n = max(n, fields(e.input, 0))
	}
	return n
}

func fields(t types.Type, depth int) int {
	structure, ok := t.Underlying().(*types.Struct)
	if !ok || depth > 4 {
		return 0
	}
	n := 0
	for i := range structure.NumFields() {
		field := structure.Field(i)
		if inner, ok := field.Type().Underlying().(*types.Struct); ok && (field.Embedded() || field.Name() == "Body") && inner.NumFields() > 0 {
			n += fields(field.Type(), depth+1)
		} else if structure.Tag(i) != "" {
			n++
		}
	}
	return n
}

// findings are what gets from the client into dangerous places, and the errors that nobody looks at.
func (a *application) findings(fs *flows, e entry, m *measured) []Finding {
	var list []Finding
	add := func(f Finding) {
		if !slices.ContainsFunc(list, func(other Finding) bool { return other.Rule == f.Rule && other.Place == f.Place }) {
			list = append(list, f)
		}
	}
	for _, root := range e.handlers {
		sum := fs.sums[root]
		if sum == nil {
			continue
		}
		client, memory := anyRequest, anyGlobal
		for i, p := range root.Params {
			if i < mostInputs && (isNamed(p.Type(), framework, "Request") || isNamed(p.Type(), "net/http", "Request") || isInput(p.Type(), e.input)) {
				client |= 1 << i
			}
		}
		for i := range root.FreeVars {
			if n := len(root.Params) + i; n < mostInputs {
				memory |= 1 << n
			}
		}
		for _, h := range sum.hits {
			if h.from&client != 0 {
				place := a.place(h.pos)
				add(Finding{Rule: h.kind.String(), Place: place, Via: a.places(h.chain),
					Text: fmt.Sprintf("what the client sends gets into %s (%s) unchecked", kindTexts[h.kind], h.what)})
			}
		}
		for _, w := range sum.writes {
			if w.from&memory != 0 {
				m.writes = append(m.writes, evidencePlace{w.pos, "shared memory"})
				add(Finding{Rule: "shared-write", Place: a.place(w.pos), Via: a.places(w.chain),
					Text: "requests write to the same memory at once, without a lock"})
			}
		}
	}
	m.SharedWrites = len(m.writes)
	for _, at := range m.ignoreDB {
		add(Finding{Rule: "ignored-database-error", Place: a.place(at.pos), Text: "the error of " + at.text + " is not looked at: the answer is a success although the database failed"})
	}
	for _, w := range a.weaknesses(m.reached) {
		add(Finding{Rule: w.rule, Place: a.place(w.pos), Text: w.text})
	}
	slices.SortStableFunc(list, func(x, y Finding) int {
		return cmp.Or(strings.Compare(x.Rule, y.Rule), strings.Compare(x.Place.File, y.Place.File), x.Place.Line-y.Place.Line)
	})
	return list
}

var kindTexts = [...]string{"the text of an SQL statement", "a command", "the name of a file", "HTML", "the target of a redirect", "the address of a request to another server",
	"the arguments of a command, as an option", "the text of a template"}

func isInput(t, input types.Type) bool {
	pointer, ok := t.Underlying().(*types.Pointer)
	return ok && input != nil && types.Identical(pointer.Elem(), input)
}

// grows is a share of 0 to 1 of a count: half at the middle.
func grows(count, middle float64) float64 {
	if count <= 0 {
		return 0
	}
	return count / (count + middle)
}

// score puts the parts together as chances that do not know of each other: 1 − Π(1 − wᵢ·fᵢ). What is not a finding comes
// to less than critical however much of it there is.
func (a *application) score(route *Route, m *measured, fixed int) {
	var list []Reason
	rest := 1.0
	add := func(weight, share float64, at evidencePlace, format string, args ...any) {
		if part := weight * share; part > 0 {
			rest *= 1 - part
			place := route.Place
			if at.pos.IsValid() {
				place = a.place(at.pos)
			}
			list = append(list, Reason{math.Round(part*100) / 100, fmt.Sprintf(format, args...), place})
		}
	}
	first := func(places []evidencePlace) evidencePlace {
		if len(places) == 0 {
			return evidencePlace{}
		}
		return places[0]
	}
	add(0.30, grows(float64(m.Cyclomatic-1), 12), m.tangled, "%s has a cyclomatic complexity of %d", m.tangled.text, m.Cyclomatic)
	add(0.20, grows(float64(m.Cognitive), 20), m.hard, "%s has a cognitive complexity of %d", m.hard.text, m.Cognitive)
	add(0.10, grows(float64(max(m.Nesting-2, 0)), 3), m.nested, "%s nests branches %d deep", m.nested.text, m.Nesting)
	add(0.20, grows(float64(m.DBWrites), 2), first(m.changes), "it writes to the database in %s", counted(m.DBWrites, "place"))
	add(0.08, grows(float64(m.DBReads), 4), first(m.reads), "it reads the database in %s", counted(m.DBReads, "place"))
	add(0.15, grows(float64(m.ExternalCalls), 2), first(m.external), "it calls other programs in %s", counted(m.ExternalCalls, "place"))
	add(0.15, grows(float64(m.LooseGoroutines), 1), first(m.loose), "%s without a context", counted(m.LooseGoroutines, "goroutine"))
	add(0.12, grows(float64(m.UncheckedErrors), 2), first(m.ignored), "%s not looked at", counted(m.UncheckedErrors, "error"))
	add(0.10, grows(float64(m.Inputs), 8), evidencePlace{}, "a client chooses %s", counted(m.Inputs, "value"))
	add(0.15, grows(m.Churn, 400), evidencePlace{}, "about %.0f lines of its files changed lately", m.Churn)
	add(0.12, grows(float64(fixed), 5), evidencePlace{}, "its files were mended by %s", counted(fixed, "commit"))
	if m.Coverage >= 0 {
		add(0.20, 1-m.Coverage, evidencePlace{}, "tests run %.0f %% of what it reaches", 100*m.Coverage)
	}
	if m.Metrics.Mutation >= 0 {
		add(0.20, 1-m.Metrics.Mutation, evidencePlace{}, "tests notice %.0f %% of the mutants in what it reaches", 100*m.Metrics.Mutation)
	}
	switch route.Critical {
	case "financial_core":
		add(0.25, 1, evidencePlace{}, "it moves money")
	case "security_critical":
		add(0.20, 1, evidencePlace{}, "it decides who may do what")
	case "data_critical":
		add(0.12, 1, evidencePlace{}, "what it does wrong stays in the data")
	}
	rest = max(rest, 0.21)
	for _, f := range route.Findings {
		weight := 0.8
		if f.Rule == "ignored-database-error" || f.Rule == "shared-write" {
			weight = 0.7
		}
		rest = min(rest*(1-weight), 0.19)
		list = append(list, Reason{weight, f.Text, f.Place})
	}
	slices.SortStableFunc(list, func(x, y Reason) int { return cmp.Compare(y.Weight, x.Weight) })
	route.Metrics = m.Metrics
	route.Score = math.Round((1-rest)*100) / 100
	route.Level = LevelOf(route.Score)
	route.Reasons = list[:min(len(list), 3)]
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// mutant is what a report of mutants says of one.
type mutant struct {
	Package, File, Function, Status string
	Line                            int
}

func readMutants(file string) ([]mutant, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("risk: the report of mutants: %w", err)
	}
	var report struct {
		Packages []struct{ Mutants []mutant }
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return nil, fmt.Errorf("risk: %s is no report of \"ishaa mutate --json\": %w", file, err)
	}
	var list []mutant
	for _, pkg := range report.Packages {
		list = append(list, pkg.Mutants...)
	}
	return list, nil
}

// mutationOf is the share of the mutants in functions that were killed, -1 where there is none.
func mutationOf(mutants []mutant, a *application, reached []*ssa.Function) float64 {
	killed, all := 0, 0
	for _, m := range mutants {
		for _, fn := range reached {
			syntax := fn.Syntax()
			if syntax == nil || filepath.Base(a.place(fn.Pos()).File) != filepath.Base(m.File) || packageOf(fn).Path() != m.Package {
				continue
			}
			if m.Line >= a.fset.Position(syntax.Pos()).Line && m.Line <= a.fset.Position(syntax.End()).Line {
				all++
				if m.Status == "killed" || m.Status == "timed out" {
					killed++
				}
				break
			}
		}
	}
	if all == 0 {
		return -1
	}
	return float64(killed) / float64(all)
}

func (a *application) places(chain []token.Pos) []Place {
	var list []Place
	for _, pos := range chain {
		list = append(list, a.place(pos))
	}
	return list
}
