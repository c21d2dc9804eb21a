package evolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/seqp"
	"github.com/ishaa-framework/ishaa/seqp/evolve/pipeline"
	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
	"github.com/ishaa-framework/ishaa/seqp/evolve/testgen"
)

// Options say what a cycle does.
type Options struct {
	// ScanPaths are the packages to look at, as the go command has them, or folders such as "." and "src/"; default all of
	// the module.
	ScanPaths  []string
	App        string            // the folder of the application's package main below the root; default the root
	NoTests    bool              // write no tests
	NoPipeline bool              // write no pipeline
	Platform   pipeline.Platform // default pipeline.GitHub
	Branch     string            // that is deployed; default "main"
	DryRun     bool              // write nothing
	Coverage   string            // a coverage profile; see risk.Options
	Mutation   string            // a report of mutants; see risk.Options
}

// Result is what a cycle came to.
type Result struct {
	Risk     *risk.Report           `json:"risk"`
	Tests    *testgen.Result        `json:"tests,omitempty"` // nil with NoTests
	Profile  pipeline.Profile       `json:"profile"`
	Policies map[string]seqp.Policy `json:"policies"`           // by method and pattern
	Written  []string               `json:"written"`            // files that changed, or would with DryRun
	NoTests  string                 `json:"no_tests,omitempty"` // why no tests could be written
}

// Run runs one cycle on a module. An application that cannot be made in a test gets no tests, and Result.NoTests says what
// to write; all else that goes wrong is an error.
func Run(ctx context.Context, dir string, options Options) (*Result, error) {
	options.Platform = cmp.Or(options.Platform, pipeline.GitHub)
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("evolve: %w", err)
	}
	report, err := risk.Analyze(ctx, risk.Options{Dir: root, Patterns: patterns(options.ScanPaths), Coverage: options.Coverage, Mutation: options.Mutation})
	if err != nil {
		return nil, err
	}
	result := &Result{Risk: report, Written: []string{}}
	if !options.NoTests {
		tests, err := testgen.Generate(ctx, testgen.Options{Dir: filepath.Join(root, options.App), Report: report, DryRun: options.DryRun})
		switch {
		case isNoSetup(err):
			result.NoTests = err.Error()
		case err != nil:
			return nil, err
		default:
			result.Tests = tests
			feedBack(report, tests)
			if tests.Changed {
				result.Written = append(result.Written, filepath.ToSlash(filepath.Join(options.App, testgen.FileName)))
			}
		}
	}
	result.Profile = ProfileOf(report)
	result.Profile.Branch = options.Branch
	result.Policies = policies(report)
	if options.NoPipeline {
		return result, nil
	}
	changed, err := writePipeline(root, result.Profile, options)
	if changed {
		result.Written = append(result.Written, options.Platform.File())
	}
	return result, err
}

func writePipeline(root string, profile pipeline.Profile, options Options) (bool, error) {
	plan := pipeline.Plan(profile)
	if !options.DryRun {
		return pipeline.WriteFile(root, plan, options.Platform)
	}
	_, is, should, err := pipeline.Render(root, plan, options.Platform)
	return is != should, err
}

// patterns makes the go command's patterns of folders: "src/" is all below it.
func patterns(paths []string) []string {
	var list []string
	for _, path := range paths {
		switch {
		case strings.HasSuffix(path, "..."):
		case path == ".":
		case strings.HasSuffix(path, "/"):
			path = "./" + strings.TrimPrefix(path, "./") + "..."
		case !strings.HasPrefix(path, ".") && !strings.HasPrefix(path, "/"):
			path = "./" + path
		}
		list = append(list, path)
	}
	return list
}

// feedBack raises the risk of routes that tests found bugs in.
func feedBack(report *risk.Report, tests *testgen.Result) {
	for _, f := range tests.Findings {
		for i := range report.Routes {
			route := &report.Routes[i]
			if route.Place != f.Place || strings.Split(route.Method, ",")[0]+" "+route.Pattern != f.Route {
				continue
			}
			text := "a generated test shows a bug: " + f.Text
			route.Findings = append(route.Findings, risk.Finding{Rule: f.Rule, Text: text, Place: f.Place})
			route.Score = max(route.Score, 0.9)
			route.Level = risk.LevelOf(route.Score)
			route.Reasons = append([]risk.Reason{{Weight: 0.9, Text: text, Place: f.Place}}, route.Reasons[:min(len(route.Reasons), 2)]...)
		}
	}
	slices.SortStableFunc(report.Routes, func(x, y risk.Route) int { return cmp.Compare(y.Score, x.Score) })
}

// ProfileOf is what the pipeline has to know of the risk.
func ProfileOf(report *risk.Report) pipeline.Profile {
	var p pipeline.Profile
	for _, route := range report.Routes {
		m := route.Metrics
		p.Database = p.Database || m.DBReads+m.DBWrites > 0
		p.Concurrency = p.Concurrency || m.LooseGoroutines+m.SharedWrites > 0
		p.Input = p.Input || m.Inputs > 0 || len(route.Reads) > 0 || route.Guarded || route.Critical == "security_critical"
		p.HighRisk = p.HighRisk || route.Level.AtLeast(risk.High)
		p.Financial = p.Financial || route.Critical == "financial_core"
	}
	return p
}

func policies(report *risk.Report) map[string]seqp.Policy {
	list := map[string]seqp.Policy{}
	for _, route := range report.Routes {
		level, _ := ishaa.ParseLevel(route.Critical)
		list[route.Method+" "+route.Pattern] = seqp.PolicyFor(level, route.Score, seqp.Limits{})
	}
	return list
}

// Write writes the result for people.
func (r *Result) Write(out io.Writer) error {
	if err := r.Risk.Write(out); err != nil {
		return err
	}
	switch {
	case r.NoTests != "":
		fmt.Fprintf(out, "\nNo tests were written: %s\n", r.NoTests)
	case r.Tests != nil:
		if err := r.Tests.Write(out); err != nil {
			return err
		}
	}
	if len(r.Written) == 0 {
		_, err := fmt.Fprintln(out, "\nNothing had to be written.")
		return err
	}
	_, err := fmt.Fprintf(out, "\nWritten: %s\n", strings.Join(r.Written, ", "))
	return err
}

func isNoSetup(err error) bool { return errors.Is(err, testgen.ErrNoSetup) }
