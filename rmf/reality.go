package rmf

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/callsite"
)

const packagePath = "github.com/ishaa-framework/ishaa/rmf"

// config is what Reality was told.
type config struct {
	name       string
	share      float64 // of all traffic; NaN shares what the others leave
	windowText string
	zone       string
	sticky     bool
	auto       bool
	ramp       bool
	shadowSafe bool
	after      uint64  // 0 is the Options'
	errorMax   float64 // likewise
	ratio      float64 // likewise
	cacheTTL   time.Duration
	priority   int
	tags       []string
	revision   string
	ignore     []string
}

// described is a reality's config on its route.
var described = ishaa.NewAnnotation[*config]("reality")

// variantGroup is the group of the variants that realities are.
const variantGroup = "reality"

// Option is a property of a reality, given to Reality.
type Option interface{ applyReality(*config) error }

type option func(*config) error

func (o option) applyReality(c *config) error { return o(c) }

// Reality makes a route one of the realities of its pattern and methods:
//
//	app.Get("/recommend", v1, rmf.Reality("stable"))
//	app.Get("/recommend", v2, rmf.Reality("experimental", rmf.Traffic(20), rmf.AutoPromote()))
//
// The one that is named "stable", or else the first one that has no share, window or promotion of its own, is what the
// others are compared with. Realities of one route have the same input and output types if their handlers are typed.
// Middleware among the options of the route is that reality's own, and runs after the lot has fallen. A name has up to
// 64 letters, digits, ".", "_" and "-". Options that make no sense stop the program with file and line.
func Reality(name string, options ...Option) ishaa.RouteOption {
	c := &config{name: name, share: math.NaN()}
	fail := func(err error) {
		panic(fmt.Sprintf("%s: rmf.Reality(%q): %v", callsite.Outside(packagePath), name, err))
	}
	if !validName(name) {
		fail(fmt.Errorf("a name has 1 to 64 letters, digits, \".\", \"_\" and \"-\""))
	}
	for _, o := range options {
		if o == nil {
			fail(fmt.Errorf("an option is nil"))
		}
		if err := o.applyReality(c); err != nil {
			fail(err)
		}
	}
	if c.zone != "" && c.windowText == "" {
		fail(fmt.Errorf("In(%q) without ActiveBetween says nothing", c.zone))
	}
	return ishaa.Options(ishaa.Variant(variantGroup, name), described.On(c))
}

func validName(name string) bool {
	return name != "" && len(name) <= 64 && strings.IndexFunc(name, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}) < 0
}

// Traffic gives a reality a share of the traffic, in percent with up to two decimals: 20 is 20 %. A reality without a
// percentage shares what the others leave. Together they may not exceed 100.
func Traffic(percent float64) Option {
	return option(func(c *config) error {
		parts := percent * Buckets / 100
		if !(percent >= 0 && percent <= 100) || math.Abs(parts-math.Round(parts)) > 1e-6 {
			return fmt.Errorf("Traffic(%v): give a percentage from 0 to 100 with at most two decimals", percent)
		}
		c.share = math.Round(parts) / Buckets
		return nil
	})
}

// ActiveBetween limits a reality to a window: outside it gets no traffic by any step but a signed header. A reality with
// a window and no Traffic takes the whole traffic while it is active; with Traffic it takes its share. Windows are spans
// of the day ("22:00-06:00"), weekdays ("mon-fri 09:00-17:00"), dates and times ("2026-12-24/2026-12-26"), and cron
// ("cron 0-29 9-17 * * mon-fri"); ";" separates alternatives. The wall clock of Options.TimeZone or of In counts.
func ActiveBetween(window string) Option {
	return option(func(c *config) error {
		if _, err := parseWindow(window, time.UTC); err != nil {
			return err
		}
		c.windowText = window
		return nil
	})
}

// In names the time zone of the reality's window, such as "Europe/Berlin".
func In(zone string) Option {
	return option(func(c *config) error {
		if _, err := time.LoadLocation(zone); err != nil || zone == "" {
			return fmt.Errorf("In(%q): there is no such time zone; write it like Europe/Berlin", zone)
		}
		c.zone = zone
		return nil
	})
}

// Sticky keeps a visitor who was put into the reality there by a signed cookie, also when they sign in and so become
// another subject, until the shares change. What the cookie decides is not part of the evidence.
func Sticky() Option { return option(func(c *config) error { c.sticky = true; return nil }) }

// AutoPromote has the reality become the new stable once the evidence says that it is at least as good.
func AutoPromote() Option { return option(func(c *config) error { c.auto = true; return nil }) }

// Ramp has the reality's share grow while nothing speaks against it: 1, 5, 20 and 50 %, up to what Traffic says (50 if
// it is not given), after a time in the shadow if Options.ParallelSim is on.
func Ramp() Option { return option(func(c *config) error { c.ramp = true; return nil }) }

// PromoteAfterRequests is how many counted requests (subjects, with the unit BySubject) the reality must have had before it is promoted; default
// Options.AutoPromoteThreshold.
func PromoteAfterRequests(n uint64) Option {
	return option(func(c *config) error {
		if n == 0 {
			return fmt.Errorf("PromoteAfterRequests(0): give at least 1")
		}
		c.after = n
		return nil
	})
}

// PromoteErrorThreshold is the largest share of 5xx answers with which the reality is promoted: 0.01 is 1 %. Default
// Options.AutoPromoteErrorMax.
func PromoteErrorThreshold(share float64) Option {
	return option(func(c *config) error {
		if !(share > 0 && share <= 1) {
			return fmt.Errorf("PromoteErrorThreshold(%v): give a share between 0 and 1; 0.01 is 1 %%", share)
		}
		c.errorMax = share
		return nil
	})
}

// PromoteLatencyRatio is the largest ratio of the reality's mean latency to stable's with which it is promoted: 1.1 is
// 110 %. Default Options.AutoPromoteLatencyRatio.
func PromoteLatencyRatio(ratio float64) Option {
	return option(func(c *config) error {
		if !(ratio > 0) || math.IsInf(ratio, 0) {
			return fmt.Errorf("PromoteLatencyRatio(%v): give a positive ratio; 1.1 is 110 %%", ratio)
		}
		c.ratio = ratio
		return nil
	})
}

// CacheTTL has the process remember the reality's answers for a time, by what its handler read of the request. Answers
// that depend on who asks, set cookies, stream, are errors, or say that they are not to be kept are not remembered.
func CacheTTL(ttl time.Duration) Option {
	return option(func(c *config) error {
		if ttl <= 0 {
			return fmt.Errorf("CacheTTL(%v): give a positive time", ttl)
		}
		c.cacheTTL = ttl
		return nil
	})
}

// Priority decides between realities whose windows are open at the same time: the highest wins; default 0. Of equals
// the one that was registered first does.
func Priority(n int) Option { return option(func(c *config) error { c.priority = n; return nil }) }

// Tags are words that show in reports.
func Tags(tags ...string) Option {
	return option(func(c *config) error { c.tags = append(c.tags, tags...); return nil })
}

// Revision tells one version of a reality's code from the next. A new revision is a new candidate: what was decided
// about the one before, its rollback too, does not count for it.
func Revision(text string) Option {
	return option(func(c *config) error {
		if len(text) > 64 {
			return fmt.Errorf("Revision: %d bytes, give at most 64", len(text))
		}
		c.revision = text
		return nil
	})
}

// ShadowSafe says that the reality may run in the shadow for requests with any method: all that it changes, it changes
// through the framework. Otherwise only GET and HEAD, OPTIONS excluded, are simulated.
func ShadowSafe() Option { return option(func(c *config) error { c.shadowSafe = true; return nil }) }

// Ignore names paths that are not compared in the simulation, such as "$.generated_at" or "$.items[].id", with what is
// below them. A field of a typed output that is tagged rmf:"ignore" is not compared either.
func Ignore(paths ...string) Option {
	return option(func(c *config) error {
		for _, p := range paths {
			if !strings.HasPrefix(p, "$") {
				return fmt.Errorf("Ignore(%q): a path begins with \"$\", as in $.items[].id", p)
			}
		}
		c.ignore = append(c.ignore, paths...)
		return nil
	})
}

// terms are those properties that a trial is about: with others it is another trial.
func (c *config) terms() string {
	return fmt.Sprintf("%s %v auto=%t ramp=%t rev=%q", c.name, c.share, c.auto, c.ramp, c.revision)
}

// candidate reports whether the reality is to be promoted some day.
func (c *config) candidate() bool { return c.auto || c.ramp }

// rampSteps are the shares of a ramp below a ceiling, and the ceiling.
func rampSteps(ceiling float64) []float64 {
	steps := []float64{}
	for _, s := range []float64{.01, .05, .20, .50} {
		if s < ceiling {
			steps = append(steps, s)
		}
	}
	return append(slices.Clip(steps), ceiling)
}
