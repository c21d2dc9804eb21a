package seqp

import (
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Evidence is what requests say of the release that answers them: the last windows of each route since it began to
// answer, beside the last windows of the release before. "ishaa guard --live" reads it in JSON.
type Evidence struct {
	Release string          `json:"release"`          // see Options.Release
	Before  string          `json:"before,omitempty"` // the release that it is compared with
	Limits  Limits          `json:"limits"`
	Frozen  string          `json:"frozen,omitempty"` // why releases are frozen; "" where they are not
	Actions []Action        `json:"actions"`
	Routes  []RouteEvidence `json:"routes"` // that were asked since the release began, by name
}

// RouteEvidence is the part of a route.
type RouteEvidence struct {
	Route string `json:"route"` // such as "POST /payment"
	Live  Live   `json:"live"`
}

const (
	// tallyWindows is how many windows of each route a release is judged by: two hours of minutes.
	tallyWindows = 120
	// keptReleases is how many releases are remembered, so that one that was taken back at once is not the baseline of all
	// that follow.
	keptReleases = 3
)

// tally is what one release did. A window is [requests, errors, nanoseconds].
type tally struct {
	Release string                 `json:"release"`
	Routes  map[string][][3]uint64 `json:"routes"`
}

// begun continues the tally of a release, or begins it. The newest is the last.
func begun(saved []tally, release string) []tally {
	now := tally{release, map[string][][3]uint64{}}
	list := slices.DeleteFunc(slices.Clone(saved), func(t tally) bool {
		if t.Release == release && t.Routes != nil {
			now = t
		}
		return t.Release == release || len(t.Routes) == 0
	})
	list = append(list, now)
	return list[max(len(list)-keptReleases, 0):]
}

// add takes a window in. One without requests says nothing.
func (t tally) add(route string, w Window) {
	if w.Requests == 0 {
		return
	}
	list := append(t.Routes[route], [3]uint64{w.Requests, w.Errors, uint64(max(w.Latency, 1))})
	t.Routes[route] = slices.Clone(list[max(len(list)-tallyWindows, 0):])
}

// tallied makes evidence of tallies, of which the last is the release that answers.
func tallied(list []tally, drift *Drift) Evidence {
	frozen, _ := drift.Frozen()
	e := Evidence{Limits: drift.limits, Frozen: frozen, Actions: append([]Action{}, drift.Actions()...), Routes: []RouteEvidence{}}
	if len(list) == 0 {
		return e
	}
	now, before := list[len(list)-1], list[:len(list)-1]
	e.Release = now.Release
	if len(before) > 0 {
		e.Before = before[len(before)-1].Release
	}
	for _, route := range slices.Sorted(maps.Keys(now.Routes)) {
		var live Live
		live.Requests, live.Errors, live.Latency = summed(now.Routes[route])
		for _, old := range slices.Backward(before) {
			if len(old.Routes[route]) >= enoughRuns {
				live.BaselineRequests, live.BaselineErrors, live.BaselineLatency = summed(old.Routes[route])
				break
			}
		}
		e.Routes = append(e.Routes, RouteEvidence{route, live})
	}
	return e
}

func summed(windows [][3]uint64) (requests, errors uint64, latency []float64) {
	for _, w := range windows {
		requests += w[0]
		errors += w[1]
		latency = append(latency, time.Duration(w[2]).Seconds())
	}
	return requests, errors, latency
}

// Evidence returns what requests say of this release so far, up to the last window that was closed. It is empty before the
// application starts. A route that serves it to a pipeline should be guarded like any other that tells about the inside:
//
//	app.Get("/seqp/evidence", func(*ishaa.Request) (any, error) { return pipeline.Evidence(), nil }, operators)
func (p *Pipeline) Evidence() Evidence {
	p.mu.Lock()
	defer p.mu.Unlock()
	return tallied(p.tallies, p.Drift)
}

// stamped is the commit that the go command wrote into the program, "" where it did not.
func stamped() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var revision, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + dirty
}

// merged is what the realities of one entry did together.
type merged struct {
	latency evidence.Histogram
	errors  uint64
}
