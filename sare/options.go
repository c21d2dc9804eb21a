package sare

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/store"
)

// Options are the settings of an engine. The zero value is a good one.
type Options struct {
	// OptimizeInterval is how often the engine decides. Default 10 s.
	OptimizeInterval time.Duration
	// CacheSize is how many answers are remembered, of all routes together. Default 500. Together they take 64 MiB at most.
	CacheSize int
	// CacheTTL is the ceiling of how long an answer counts. Each route begins with 1 s and earns more. Default 30 s.
	CacheTTL time.Duration
	// HotRouteSlots is how many of the hottest routes get a forecast and change detection, and how many paths of a route
	// that is remembered may get a slot that is found by the path alone. Default 20.
	HotRouteSlots int
	// NoMiddlewareReorder, NoPredictor, NoAutoMemoize and NoLimiter turn a part off.
	NoMiddlewareReorder bool
	NoPredictor         bool
	NoAutoMemoize       bool
	NoLimiter           bool
	// MaxConcurrency is how many requests may be in handlers at once before the limiter refuses any, to begin with and at
	// most. Default 4096.
	MaxConcurrency int
	// MinConcurrency is what the limiter never goes below. Default 8 for each processor.
	MinConcurrency int

	// Dir is a folder for what the engine learnt, its ledger of decisions and its profiles. Without it nothing outlives
	// the process.
	Dir string
	// FlightRecorder keeps the last seconds of the execution trace, which are saved to Dir when a change is detected. A
	// process has one such recorder. It costs about a per cent.
	FlightRecorder bool
	// Profiles has CPU profiles of 10 s taken under load, once an hour, and kept in Dir; the command pgo merges them into
	// default.pgo.
	Profiles bool

	// Store is shared by the nodes of an application: they hear of each other's writes, add up their counters, and one of
	// them decides. Without it a node decides for itself.
	Store store.Store
	// Node names this node among the others. Default: the host's name, the process id and a random number.
	Node string

	// lot is where random choices come from, for tests.
	lot func() uint32
}

// The ceilings and defaults of a route's memory.
const (
	firstTTL    = time.Second
	maxInputs   = 8
	maxLeaves   = 4096
	maxValue    = 256     // bytes of the value of an input
	maxAnswer   = 1 << 20 // bytes of an answer
	maxMemory   = 64 << 20
	minRate     = 5.0 // requests per second
	maxErrors   = .02
	minRequests = 50
)

func (o Options) withDefaults() (Options, error) {
	for _, field := range []struct {
		name  string
		value int64
	}{
		{"OptimizeInterval", int64(o.OptimizeInterval)}, {"CacheSize", int64(o.CacheSize)}, {"CacheTTL", int64(o.CacheTTL)},
		{"HotRouteSlots", int64(o.HotRouteSlots)}, {"MaxConcurrency", int64(o.MaxConcurrency)}, {"MinConcurrency", int64(o.MinConcurrency)},
	} {
		if field.value < 0 {
			return o, fmt.Errorf("sare: Options.%s is %d; give a positive value, or leave it out for the default", field.name, field.value)
		}
	}
	setDefault(&o.OptimizeInterval, 10*time.Second)
	setDefault(&o.CacheSize, 500)
	setDefault(&o.CacheTTL, 30*time.Second)
	setDefault(&o.HotRouteSlots, 20)
	setDefault(&o.MaxConcurrency, 4096)
	setDefault(&o.MinConcurrency, 8*processors())
	o.MinConcurrency = min(o.MinConcurrency, o.MaxConcurrency)
	if o.lot == nil {
		o.lot = rand.Uint32
	}
	if o.Node == "" {
		host, _ := os.Hostname()
		o.Node = host + "/" + strconv.Itoa(os.Getpid()) + "/" + strconv.FormatUint(rand.Uint64(), 36)
	}
	if strings.ContainsAny(o.Node, "\x00\n") || len(o.Node) > 200 {
		return o, fmt.Errorf("sare: Options.Node is %q; give a name of one line, up to 200 bytes", o.Node)
	}
	if (o.FlightRecorder || o.Profiles) && o.Dir == "" {
		return o, fmt.Errorf("sare: Options.FlightRecorder and Options.Profiles write files: give Options.Dir a folder for them")
	}
	return o, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

var (
	neverMark = ishaa.NewAnnotation[bool]("sare: never")
	varyMark  = ishaa.NewAnnotation[[]string]("sare: vary")
)

// Never is a route option: the engine counts the route's requests and leaves it alone otherwise.
func Never() ishaa.RouteOption { return neverMark.On(true) }

// Vary is a route option for a handler that asks for the raw *http.Request, of which the engine cannot see what it reads.
// It says that the answer depends on the URL, the host and these headers and on nothing else, so that it may be
// remembered by those. Headers that say who asks are refused: Authorization and Cookie.
func Vary(headers ...string) ishaa.RouteOption {
	names := make([]string, len(headers))
	for i, name := range headers {
		names[i] = http.CanonicalHeaderKey(strings.TrimSpace(name))
	}
	return varyMark.On(slices.Compact(slices.Sorted(slices.Values(names))))
}

// checkVary says what is wrong with what a route's Vary was given; the application does not start with it.
func checkVary(route *ishaa.Route) error {
	names, _ := varyMark.Of(route)
	for _, name := range names {
		if name == "" || name == "*" || isIdentityHeader(name) || len(names) > maxInputs-4 {
			return fmt.Errorf("%s: route %s: sare.Vary(%q): give up to %d names of headers, none of which says who asks",
				route.Source(), route, names, maxInputs-4)
		}
	}
	return nil
}
