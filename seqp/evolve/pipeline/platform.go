package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Platform is what a pipeline is written for.
type Platform string

// The platforms.
const (
	GitHub  Platform = "github_actions"
	GitLab  Platform = "gitlab_ci"
	Generic Platform = "generic"
)

// File is where a platform looks for its pipeline, below the root of the repository. GitLab CI reads one file only, so
// it is the project's own and the pipeline is a region of it.
func (p Platform) File() string {
	switch p {
	case GitHub:
		return ".github/workflows/seqp_pipeline.yml"
	case GitLab:
		return ".gitlab-ci.yml"
	}
	return "seqp_pipeline.yml"
}

// valid is nil for a platform that there is.
func (p Platform) valid() error {
	if slices.Contains([]Platform{GitHub, GitLab, Generic}, p) {
		return nil
	}
	return fmt.Errorf("pipeline: there is no platform %q: use github_actions, gitlab_ci or generic", string(p))
}

// Actions are pinned to commits: a tag can be moved, a commit cannot.
const (
	checkout = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"
	setupGo  = "actions/setup-go@d35c59abb061a4a6fb18e82ac0862c26744d6ab5 # v5.5.0"
)

// image is what GitLab runs the jobs in.
const image = "golang:1.26"

// region returns the text of the marked region, without the marks.
func region(p Pipeline, platform Platform) string {
	var y yaml
	switch platform {
	case GitHub:
		y.github(p)
	case GitLab:
		y.gitlab(p)
	default:
		y.generic(p)
	}
	return y.String()
}

// yaml writes YAML line by line. Text is always in double quotes, whose escapes are JSON's, so no text means anything.
type yaml struct{ strings.Builder }

func (y *yaml) line(depth int, format string, a ...any) {
	y.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(y, format, a...)
	y.WriteByte('\n')
}

func quoted(list []string) string {
	var all []string
	for _, text := range list {
		all = append(all, strconv.Quote(text))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func share(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }

func (y *yaml) github(p Pipeline) {
	y.line(0, "name: %q", p.Name)
	y.line(0, "on:")
	y.line(1, "push:")
	y.line(2, "branches: %s", quoted([]string{p.Branch}))
	y.line(1, "pull_request: {}")
	y.line(0, "permissions:")
	y.line(1, "contents: read")
	y.line(0, "concurrency:")
	y.line(1, "group: ${{ github.workflow }}-${{ github.ref }}")
	y.line(1, "cancel-in-progress: ${{ github.event_name == 'pull_request' }}")
	y.line(0, "jobs:")
	for _, job := range p.Jobs {
		y.line(1, "%s:", job.ID)
		y.line(2, "name: %q", job.Title)
		y.line(2, "runs-on: ubuntu-24.04")
		y.line(2, "timeout-minutes: %d", job.Minutes)
		if len(job.Needs) > 0 {
			y.line(2, "needs: %s", quoted(job.Needs))
		}
		if job.Deploys {
			y.line(2, "if: %s", strconv.Quote("github.event_name == 'push' && github.ref == "+expression("refs/heads/"+p.Branch)))
			y.line(2, "environment: production")
		}
		if len(job.Variables)+len(job.Secrets) > 0 {
			y.line(2, "env:")
		}
		for _, name := range job.Variables {
			y.line(3, "%s: ${{ vars.%s }}", name, name)
		}
		for _, name := range job.Secrets {
			y.line(3, "%s: ${{ secrets.%s }}", name, name)
		}
		y.line(2, "steps:")
		y.line(3, "- uses: %s", checkout)
		y.line(4, "with:")
		y.line(5, "persist-credentials: false")
		if job.History {
			y.line(5, "fetch-depth: 0")
		}
		y.line(3, "- uses: %s", setupGo)
		y.line(4, "with:")
		y.line(5, "go-version-file: go.mod")
		for _, command := range job.Run {
			y.line(3, "- run: %s", strconv.Quote(command))
		}
	}
}

// expression is text inside an expression of GitHub's.
func expression(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func (y *yaml) gitlab(p Pipeline) {
	y.line(0, "stages: %s", quoted([]string{"check", "test", "deploy"}))
	for _, job := range p.Jobs {
		y.line(0, "seqp-%s:", job.ID)
		y.line(1, "stage: %s", job.Stage)
		y.line(1, "image: %q", image)
		y.line(1, "timeout: %q", strconv.Itoa(job.Minutes)+" minutes")
		y.line(1, "interruptible: %t", !job.Deploys)
		var needs []string
		for _, id := range job.Needs {
			needs = append(needs, "seqp-"+id)
		}
		y.line(1, "needs: %s", quoted(needs))
		if job.History {
			y.line(1, "variables:")
			y.line(2, "GIT_DEPTH: \"0\"")
		}
		if job.Deploys {
			y.line(1, "environment: production")
			y.line(1, "rules:")
			y.line(2, "- if: %s", strconv.Quote(`$CI_COMMIT_BRANCH == "`+p.Branch+`"`))
		}
		y.line(1, "script:")
		for _, command := range job.Run {
			y.line(2, "- %s", strconv.Quote(command))
		}
	}
}

func (y *yaml) generic(p Pipeline) {
	y.line(0, "name: %q", p.Name)
	y.line(0, "branch: %q", p.Branch)
	y.line(0, "jobs:")
	for _, job := range p.Jobs {
		y.line(1, "- id: %s", job.ID)
		y.line(2, "title: %q", job.Title)
		y.line(2, "stage: %s", job.Stage)
		y.line(2, "gate: %t", !job.Deploys)
		y.line(2, "timeout_minutes: %d", job.Minutes)
		y.line(2, "needs: %s", quoted(job.Needs))
		y.line(2, "variables: %s", quoted(slices.Concat(job.Variables, job.Secrets)))
		y.line(2, "run:")
		for _, command := range job.Run {
			y.line(3, "- %s", strconv.Quote(command))
		}
	}
}
