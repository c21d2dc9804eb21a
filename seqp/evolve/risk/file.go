package risk

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// FileReport is the risk of what one file holds.
type FileReport struct {
	RiskScore            float64  `json:"risk_score"` // 0 to 1
	RiskLevel            Level    `json:"risk_level"`
	CyclomaticComplexity int      `json:"cyclomatic_complexity"` // of all its functions
	DBInteractions       int      `json:"db_interactions"`
	SecuritySensitive    bool     `json:"security_sensitive"` // it reads what clients send, or deals with secrets
	Reasons              []Reason `json:"reasons"`
}

// secrets are packages that are used where secrets are dealt with.
var secrets = regexp.MustCompile(`^(crypto|golang\.org/x/crypto|` + regexp.QuoteMeta(framework) + `/(auth|session))(/|$)`)

// AnalyzeFile analyses the functions of one Go file, whether a route reaches them or not. The file's package has to
// compile. What its functions call in other files does not count.
func AnalyzeFile(ctx context.Context, path string) (*FileReport, error) {
	dir := filepath.Dir(path)
	a, err := load(ctx, dir, []string{"."})
	if err != nil {
		return nil, err
	}
	name := filepath.Base(path)
	var list []*ssa.Function
	for _, fn := range a.funcs {
		if fn.Syntax() != nil && filepath.Base(a.fset.Position(fn.Pos()).Filename) == name {
			list = append(list, fn)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("risk: the package in %s has no function in %s: name a file that the go command builds here", dir, name)
	}
	m := a.measure(list)
	route := Route{Place: Place{name, 1}, Critical: "standard", Files: []string{name}}
	lines, fixes := churn(ctx, a.dir)
	m.Churn = lines[name]
	fs := newFlows(a, nil)
	sensitive := false
	for _, e := range a.routes() {
		reached := a.reach(e.handlers)
		if !slices.ContainsFunc(reached, func(fn *ssa.Function) bool { return slices.Contains(list, fn) }) {
			continue
		}
		sensitive = true
		for _, f := range a.findings(fs, e, &measured{}) {
			if f.Place.File == name && !slices.ContainsFunc(route.Findings, func(o Finding) bool { return o.Rule == f.Rule && o.Place == f.Place }) {
				route.Findings = append(route.Findings, f)
			}
		}
	}
	for _, fn := range list {
		for call := range calls(fn) {
			if c, ok := calleeOf(call.Common()); ok && secrets.MatchString(c.pkg) {
				sensitive = true
			}
		}
	}
	a.score(&route, m, fixes[name])
	return &FileReport{route.Score, route.Level, m.CyclomaticSum, m.DBReads + m.DBWrites, sensitive, route.Reasons}, nil
}
