package evolve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/seqp"
)

// Release is what was measured of a release. Measure makes it, "ishaa guard --record" writes it, and the guard judges it.
type Release struct {
	Build  string         `json:"build,omitempty"` // the commit, "" where git does not tell
	Limits seqp.Limits    `json:"limits"`          // of the running application; zero takes the defaults
	Frozen string         `json:"frozen,omitempty"`
	Notes  []string       `json:"notes,omitempty"` // what could not be measured, and why
	Routes []RouteRelease `json:"routes"`
}

// RouteRelease is the part of a route.
type RouteRelease struct {
	Route     string         `json:"route"` // such as "POST /payment"
	Level     string         `json:"level"` // of criticality
	Risk      float64        `json:"risk"`  // 0 to 1
	Strict    bool           `json:"strict,omitempty"`
	Artefacts seqp.Artefacts `json:"artefacts"`
}

// Verdict is what the guard says of a release.
type Verdict struct {
	Outcome seqp.Outcome   `json:"outcome"` // the worst of all
	Frozen  string         `json:"frozen,omitempty"`
	Notes   []string       `json:"notes,omitempty"`
	Routes  []RouteVerdict `json:"routes"`
}

// RouteVerdict is what it says of a route.
type RouteVerdict struct {
	Route string `json:"route"`
	seqp.Verdict
}

// ReadRelease reads what was measured. A member that it does not know is an error: what was meant by it would not be judged.
func ReadRelease(file string) (*Release, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("nothing was measured: %w; \"ishaa guard --record\" measures, or name another file with --release", err)
	}
	defer in.Close()
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	var r Release
	if err := decoder.Decode(&r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &r, nil
}

// Judge says whether a release may go out. While releases are frozen it may not, whatever was measured. Where the drift of a
// route asks for a strict rollback (Strict), its limits are half of what they are. A release without routes is an error.
func (r *Release) Judge() (*Verdict, error) {
	if len(r.Routes) == 0 {
		return nil, errors.New("the release has no routes: nothing was shown")
	}
	verdict := &Verdict{Outcome: seqp.Pass, Frozen: r.Frozen, Notes: r.Notes}
	for _, route := range r.Routes {
		level, known := ishaa.ParseLevel(route.Level)
		if !known {
			return nil, fmt.Errorf("route %s has the level %q: use financial_core, security_critical, data_critical or standard", route.Route, route.Level)
		}
		policy := seqp.PolicyFor(level, route.Risk, r.Limits)
		if route.Strict {
			policy.LatencyDrift /= 2
			policy.ErrorRate /= 2
			policy.ErrorDrift /= 2
		}
		one := RouteVerdict{route.Route, policy.Judge(route.Artefacts)}
		verdict.Routes = append(verdict.Routes, one)
		if one.Outcome == seqp.Fail || one.Outcome == seqp.Inconclusive && verdict.Outcome == seqp.Pass {
			verdict.Outcome = one.Outcome
		}
	}
	if r.Frozen != "" {
		verdict.Outcome = seqp.Fail
	}
	return verdict, nil
}

// Write writes the verdict for people.
func (v *Verdict) Write(out io.Writer) error {
	if v.Frozen != "" {
		fmt.Fprintf(out, "releases are frozen: %s; a person lifts it with \"./program seqp unfreeze\"\n", v.Frozen)
	}
	for _, route := range v.Routes {
		fmt.Fprintf(out, "%s: %s\n", route.Route, route.Outcome)
		for _, f := range route.Findings {
			fmt.Fprintf(out, "  %s: %s: %s\n", f.Check, f.Outcome, f.Text)
		}
	}
	for _, note := range v.Notes {
		fmt.Fprintf(out, "not measured: %s\n", note)
	}
	_, err := fmt.Fprintf(out, "the release: %s\n", v.Outcome)
	return err
}
