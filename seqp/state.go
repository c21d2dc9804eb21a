package seqp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// state is what survives a restart: the last windows of each route, the days, the runs of the suite, the shapes of typed
// answers and a freeze.
type state struct {
	Version int                        `json:"version"`
	Routes  map[string]routeState      `json:"routes"`
	Runs    []Tests                    `json:"runs,omitempty"`
	Shapes  map[string]json.RawMessage `json:"shapes,omitempty"`
	Frozen  string                     `json:"frozen,omitempty"`
	// Releases are the last ones, the one that answers last.
	Releases []tally `json:"releases,omitempty"`
}

// routeState is one route's; a window is [requests, errors, microseconds].
type routeState struct {
	Level   string      `json:"level"`
	Windows [][3]uint64 `json:"windows"`
	Days    []float64   `json:"days,omitempty"` // seconds
	Day     []float64   `json:"day,omitempty"`
	Normal  [2]float64  `json:"normal"` // requests and errors
}

const stateVersion = 1

// snapshot returns what is to be saved.
func (d *Drift) snapshot() state {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := state{Version: stateVersion, Routes: map[string]routeState{}, Runs: slices.Clone(d.runs), Frozen: d.frozen}
	for route, c := range d.routes {
		r := routeState{
			Level: c.level.String(), Days: slices.Clone(c.days), Day: slices.Clone(c.day),
			Normal: [2]float64{c.burst.requests, c.burst.errors},
		}
		for _, w := range c.windows {
			r.Windows = append(r.Windows, [3]uint64{w.Requests, w.Errors, uint64(w.Latency / time.Microsecond)})
		}
		s.Routes[route] = r
	}
	return s
}

// restore makes the watch what it was: the windows are taken again, in their order.
func (d *Drift) restore(s state) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs, d.frozen = s.Runs, s.Frozen
	for route, r := range s.Routes {
		c := &course{}
		c.level, _ = ishaa.ParseLevel(r.Level)
		for _, w := range r.Windows {
			c.add(Window{w[0], w[1], time.Duration(w[2]) * time.Microsecond}, d.limits)
		}
		c.days, c.day = r.Days, r.Day
		if c.burst.score == 0 {
			c.burst.requests, c.burst.errors = r.Normal[0], r.Normal[1]
		}
		d.routes[route] = c
	}
}

// readState reads a saved state. One that is not there is empty.
func readState(path string) (state, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("seqp: the drift state: %w", err)
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		return state{}, fmt.Errorf("seqp: the drift state %s is damaged (%w): remove it to begin anew", path, err)
	}
	if s.Version != stateVersion {
		return state{}, fmt.Errorf("seqp: the drift state %s has version %d, this program knows %d: remove it to begin anew", path, s.Version, stateVersion)
	}
	return s, nil
}

// writeState replaces the saved state, whole or not at all.
func writeState(path string, s state) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("seqp: the drift state: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("seqp: the drift state: %w", err)
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("seqp: the drift state: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}
