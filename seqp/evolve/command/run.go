package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/ishaa-framework/ishaa/seqp"
	"github.com/ishaa-framework/ishaa/seqp/evolve"
	"github.com/ishaa-framework/ishaa/seqp/evolve/mutation"
	"github.com/ishaa-framework/ishaa/seqp/evolve/pipeline"
	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
	"github.com/ishaa-framework/ishaa/seqp/evolve/testgen"
)

func runRisk(ctx context.Context, args []string, out, errOut io.Writer) int {
	set := flags("risk", "[PACKAGE]...", errOut)
	dir := set.String("dir", ".", "the `folder` of the module")
	limit := set.String("max", "", "end with 1 where a route is at this `level` or above: low, medium, high or critical")
	asJSON := set.Bool("json", false, "print JSON")
	asSARIF := set.Bool("sarif", false, "print the findings as SARIF 2.1.0")
	page := set.String("html", "", "write one page to this `file`")
	coverage := set.String("coverage", "", "a `profile` of go test -coverprofile")
	mutants := set.String("mutation", "", "a `report` of ishaa mutate --json")
	if code, ok := parse(set, args, -1, errOut); !ok {
		return code
	}
	level, known := risk.ParseLevel(*limit)
	if *limit != "" && !known {
		fmt.Fprintf(errOut, "ishaa risk: --max %q is no level: use low, medium, high or critical\n", *limit)
		return exitUsage
	}
	report, err := risk.Analyze(ctx, risk.Options{Dir: *dir, Patterns: set.Args(), Coverage: *coverage, Mutation: *mutants})
	if err != nil {
		return ended("risk", err, errOut)
	}
	if *page != "" {
		err = writeTo(*page, report.WriteHTML)
	}
	switch {
	case err != nil:
	case *asJSON:
		err = report.WriteJSON(out)
	case *asSARIF:
		err = report.WriteSARIF(out)
	default:
		err = report.Write(out)
	}
	if err == nil && *limit != "" && len(report.Routes) > 0 && report.Highest().AtLeast(level) {
		fmt.Fprintf(errOut, "ishaa risk: a route is %s, and from %s the gate is not passed\n", report.Highest(), level)
		err = errGate
	}
	return ended("risk", err, errOut)
}

func writeTo(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := write(file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func runTests(ctx context.Context, args []string, out, errOut io.Writer) int {
	set := flags("gen-tests", "", errOut)
	dir := set.String("dir", ".", "the `folder` of the application's package main")
	asJSON := set.Bool("json", false, "print JSON")
	dry := set.Bool("check", false, "write nothing, and end with 1 where something would be written")
	if code, ok := parse(set, args, 0, errOut); !ok {
		return code
	}
	result, err := testgen.Generate(ctx, testgen.Options{Dir: *dir, DryRun: *dry})
	if err != nil {
		return ended("gen-tests", err, errOut)
	}
	if *asJSON {
		err = printJSON(out, result)
	} else {
		err = result.Write(out)
	}
	if err == nil && (len(result.Findings) > 0 || *dry && result.Changed) {
		err = errGate
	}
	return ended("gen-tests", err, errOut)
}

func runMutate(ctx context.Context, args []string, out, errOut io.Writer) int {
	set := flags("mutate", "[PACKAGE]...", errOut)
	dir := set.String("dir", ".", "the `folder` of the module")
	diff := set.String("diff", "", "only lines that changed since this `commit`")
	least := set.Float64("min", 0, "end with 1 where less than this `share` of the mutants is noticed, 0 to 1")
	asJSON := set.Bool("json", false, "print JSON")
	everywhere := set.Bool("everywhere", false, "ask the tests of all packages that depend on one, and not its own alone")
	jobs := set.Int("jobs", 0, "test processes at a time (default: processors)")
	if code, ok := parse(set, args, -1, errOut); !ok {
		return code
	}
	if !(*least >= 0 && *least <= 1) {
		fmt.Fprintf(errOut, "ishaa mutate: --min %g is no share between 0 and 1\n", *least)
		return exitUsage
	}
	report, err := mutation.Run(ctx, mutation.Options{Dir: *dir, Patterns: set.Args(), Diff: *diff, Everywhere: *everywhere, Jobs: *jobs})
	if err != nil {
		return ended("mutate", err, errOut)
	}
	if *asJSON {
		err = printJSON(out, report)
	} else {
		err = report.Write(out)
	}
	if err == nil && report.Score() < *least {
		fmt.Fprintf(errOut, "ishaa mutate: %d of %d mutants are noticed, %.1f %%, and %.1f %% are asked for\n",
			report.Killed(), report.All(), 100*report.Score(), 100**least)
		err = errGate
	}
	return ended("mutate", err, errOut)
}

// platforms by their names.
var platforms = []pipeline.Platform{pipeline.GitHub, pipeline.GitLab, pipeline.Generic}

func runPipeline(ctx context.Context, args []string, out, errOut io.Writer) int {
	set := flags("pipeline", "[PACKAGE]...", errOut)
	dir := set.String("dir", ".", "the `folder` of the module")
	platform := set.String("platform", string(pipeline.GitHub), platformNames)
	branch := set.String("branch", "", "the `branch` that is deployed (default main)")
	check := set.Bool("check", false, "write nothing, and end with 1 where the file is not what it should be")
	diff := set.Bool("diff", false, "print what the file should be, and write nothing")
	if code, ok := parse(set, args, -1, errOut); !ok {
		return code
	}
	on := pipeline.Platform(*platform)
	if !slices.Contains(platforms, on) {
		fmt.Fprintf(errOut, "ishaa pipeline: --platform %q is none of %s\n", *platform, platformNames)
		return exitUsage
	}
	report, err := risk.Analyze(ctx, risk.Options{Dir: *dir, Patterns: set.Args()})
	if err != nil {
		return ended("pipeline", err, errOut)
	}
	profile := evolve.ProfileOf(report)
	profile.Branch = *branch
	plan := pipeline.Plan(profile)
	path, is, should, err := pipeline.Render(*dir, plan, on)
	switch {
	case err != nil:
	case *diff:
		_, err = io.WriteString(out, lineDiff(is, should))
	case *check && is != should:
		fmt.Fprintf(errOut, "ishaa pipeline: %s is not what the risk asks for: run \"ishaa pipeline\"\n", path)
		err = errGate
	case *check:
	default:
		var changed bool
		if changed, err = pipeline.WriteFile(*dir, plan, on); err == nil && changed {
			fmt.Fprintln(out, "wrote", path)
		}
	}
	return ended("pipeline", err, errOut)
}

var platformNames = fmt.Sprintf("%s, %s or %s", pipeline.GitHub, pipeline.GitLab, pipeline.Generic)

// tokenVariable holds the bearer token for the running application's evidence.
const tokenVariable = "ISHAA_SEQP_TOKEN"

func runGuard(ctx context.Context, args []string, out, errOut io.Writer) int {
	set := flags("guard", "", errOut)
	dir := set.String("dir", ".", "the `folder` of the module")
	file := set.String("release", "seqp_release.json", "the `file` with what was measured of each route, below --dir")
	record := set.Bool("record", false, "measure first: tests, coverage, mutants, benchmarks and what the running application tells")
	base := set.String("base", "", "with --record, the `commit` to compare benchmarks with")
	live := set.String("live", "", "with --record, the `file or address` of the running application's evidence; "+tokenVariable+" is sent as a bearer token")
	strict := set.Bool("strict", false, "inconclusive is not passed either")
	asJSON := set.Bool("json", false, "print JSON")
	if code, ok := parse(set, args, 0, errOut); !ok {
		return code
	}
	if !*record && *base+*live != "" {
		fmt.Fprintln(errOut, "ishaa guard: --base and --live are for --record")
		return exitUsage
	}
	path := *file
	if !filepath.IsAbs(path) {
		path = filepath.Join(*dir, path)
	}
	if *record {
		release, err := evolve.Measure(ctx, evolve.MeasureOptions{Dir: *dir, Base: *base, Live: *live, Token: os.Getenv(tokenVariable)})
		if err == nil {
			err = writeTo(path, func(out io.Writer) error { return printJSON(out, release) })
		}
		if err != nil {
			return ended("guard", err, errOut)
		}
	}
	return ended("guard", judge(path, *strict, *asJSON, out), errOut)
}

func judge(file string, strict, asJSON bool, out io.Writer) error {
	release, err := evolve.ReadRelease(file)
	if err != nil {
		return err
	}
	verdict, err := release.Judge()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if asJSON {
		err = printJSON(out, verdict)
	} else {
		err = verdict.Write(out)
	}
	if err == nil && (verdict.Outcome == seqp.Fail || strict && verdict.Outcome != seqp.Pass) {
		err = errGate
	}
	return err
}

func runEvolve(ctx context.Context, args []string, out, errOut io.Writer) int {
	set := flags("evolve", "[PACKAGE]...", errOut)
	dir := set.String("dir", ".", "the `folder` of the module")
	app := set.String("main", "", "the `folder` of the application's package main below it")
	platform := set.String("platform", string(pipeline.GitHub), platformNames)
	noTests := set.Bool("no-tests", false, "write no tests")
	noPipeline := set.Bool("no-pipeline", false, "write no pipeline")
	check := set.Bool("check", false, "write nothing, and end with 1 where something would be written")
	asJSON := set.Bool("json", false, "print JSON")
	if code, ok := parse(set, args, -1, errOut); !ok {
		return code
	}
	on := pipeline.Platform(*platform)
	if !slices.Contains(platforms, on) {
		fmt.Fprintf(errOut, "ishaa evolve: --platform %q is none of %s\n", *platform, platformNames)
		return exitUsage
	}
	result, err := evolve.Run(ctx, *dir, evolve.Options{ScanPaths: set.Args(), App: *app, Platform: on, NoTests: *noTests, NoPipeline: *noPipeline, DryRun: *check})
	if err != nil {
		return ended("evolve", err, errOut)
	}
	if *asJSON {
		err = printJSON(out, result)
	} else {
		err = result.Write(out)
	}
	if err == nil && (result.Tests != nil && len(result.Tests.Findings) > 0 || len(result.Risk.Findings()) > 0 || *check && len(result.Written) > 0) {
		err = errGate
	}
	return ended("evolve", err, errOut)
}
