package sare

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	exectrace "runtime/trace"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// The compiler is the one optimiser that knows the machine. Given a CPU profile of real load it inlines and lays out what
// is hot (profile-guided optimisation): so profiles are taken under load, kept by build, and merged into default.pgo.

const (
	profileEvery = time.Hour
	profileTime  = 10 * time.Second
	profileRate  = 50.0 // requests per second: less is no load
	profilesKept = 24   // of a build
	profilesDir  = "profiles"
)

// profiler takes one profile at a time.
type profiler struct {
	next    time.Time
	until   time.Time
	running bool
	buffer  bytes.Buffer
	taken   int
}

// turn begins a profile, or ends one.
func (p *profiler) turn(e *Engine, now time.Time) {
	if !e.options.Profiles {
		return
	}
	if p.running {
		if now.Before(p.until) {
			return
		}
		pprof.StopCPUProfile()
		p.running = false
		if err := p.keep(e, now); err != nil {
			e.app.Logger().Warn("a profile could not be kept", "engine", "sare", "error", err)
		}
		return
	}
	var rate float64
	for _, w := range e.all() {
		rate += w.s.last.rate
	}
	if now.Before(p.next) || rate < profileRate {
		return
	}
	p.next = now.Add(profileEvery)
	p.buffer.Reset()
	if err := pprof.StartCPUProfile(&p.buffer); err != nil {
		return // somebody else takes one
	}
	p.running, p.until = true, now.Add(profileTime)
}

func (p *profiler) stop() {
	if p.running {
		pprof.StopCPUProfile()
		p.running = false
	}
}

func (p *profiler) keep(e *Engine, now time.Time) error {
	dir := filepath.Join(e.options.Dir, profilesDir, buildID())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, strconv.FormatInt(now.UnixNano(), 10)+".pprof"), p.buffer.Bytes(), 0o600); err != nil {
		return err
	}
	p.taken++
	e.note(now, "engine", "a CPU profile was taken under load; the command pgo merges them into default.pgo")
	list, err := profilesIn(dir)
	for len(list) > profilesKept {
		err = errors.Join(err, os.Remove(list[0]))
		list = list[1:]
	}
	return err
}

// profilesIn lists the profiles in a folder, the oldest first.
func profilesIn(dir string) ([]string, error) {
	list, err := filepath.Glob(filepath.Join(dir, "*.pprof"))
	slices.Sort(list)
	return list, err
}

// buildID tells builds of the program apart.
var buildID = sync.OnceValue(func() string {
	hash := sha256.New()
	if info, ok := debug.ReadBuildInfo(); ok {
		io.WriteString(hash, info.String())
	}
	if path, err := os.Executable(); err == nil {
		if file, err := os.Open(path); err == nil {
			io.Copy(hash, file)
			file.Close()
		}
	}
	return hex.EncodeToString(hash.Sum(nil))[:16]
})

// pgoCommand merges the profiles of the newest build.
func pgoCommand(e *Engine) ishaa.Command {
	return ishaa.Command{
		Name:  "pgo",
		Usage: "merge the profiles that were taken under load into default.pgo, or a file that is given",
		Run: func(ctx context.Context, _ *ishaa.App, args []string, out io.Writer) error {
			if len(args) > 1 {
				return fmt.Errorf("pgo takes the name of a file at most, but got %q", args)
			}
			target := "default.pgo"
			if len(args) == 1 {
				target = args[0]
			}
			return mergeProfiles(ctx, e.options.Dir, target, out)
		},
	}
}

func mergeProfiles(ctx context.Context, dir, target string, out io.Writer) error {
	if dir == "" {
		return errors.New("pgo: there are no profiles: give sare.Options a Dir and Profiles")
	}
	builds, err := filepath.Glob(filepath.Join(dir, profilesDir, "*"))
	if err != nil {
		return err
	}
	var newest []string
	for _, build := range builds {
		list, err := profilesIn(build)
		if err != nil {
			return err
		}
		if len(list) > 0 && (newest == nil || filepath.Base(list[len(list)-1]) > filepath.Base(newest[len(newest)-1])) {
			newest = list
		}
	}
	if newest == nil {
		return fmt.Errorf("pgo: there is no profile in %s yet: they are taken once an hour, at %.0f requests per second or more", filepath.Join(dir, profilesDir), profileRate)
	}
	merge := exec.CommandContext(ctx, "go", append([]string{"tool", "pprof", "-proto", "-output", target}, newest...)...)
	merge.Stdout, merge.Stderr = io.Discard, out
	if err := merge.Run(); err != nil {
		return fmt.Errorf("pgo: go tool pprof, which merges profiles, failed: %w", err)
	}
	fmt.Fprintf(out, "%s: %d profiles merged; put it beside package main, and go build uses it\n", target, len(newest))
	return nil
}

// flightRecorder keeps the last seconds of the execution trace, to look at when something changed.
type flightRecorder struct {
	recorder *exectrace.FlightRecorder
	saved    time.Time
}

const (
	flightSpan  = 5 * time.Second
	flightBytes = 8 << 20
	flightEvery = 10 * time.Minute
	flightsKept = 8
	flightsDir  = "flights"
)

func (f *flightRecorder) start(e *Engine) {
	if !e.options.FlightRecorder {
		return
	}
	f.recorder = exectrace.NewFlightRecorder(exectrace.FlightRecorderConfig{MinAge: flightSpan, MaxBytes: flightBytes})
	if err := f.recorder.Start(); err != nil {
		e.app.Logger().Warn("the flight recorder could not start; a process has one", "engine", "sare", "error", err)
		f.recorder = nil
	}
}

func (f *flightRecorder) stop() {
	if f.recorder != nil {
		f.recorder.Stop()
		f.recorder = nil
	}
}

// keep writes the last seconds to a file and returns its name.
func (f *flightRecorder) keep(e *Engine, now time.Time) (string, error) {
	if f.recorder == nil || now.Sub(f.saved) < flightEvery {
		return "", nil
	}
	f.saved = now
	dir := filepath.Join(e.options.Dir, flightsDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	name := filepath.Join(dir, now.UTC().Format("20060102-150405.000")+".trace")
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.recorder.WriteTo(file)
	err = errors.Join(err, file.Close())
	list, _ := filepath.Glob(filepath.Join(dir, "*.trace"))
	slices.Sort(list)
	for len(list) > flightsKept {
		err = errors.Join(err, os.Remove(list[0]))
		list = list[1:]
	}
	return name, err
}
