package cache

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/maypok86/otter/v2"
)

// Options are the settings of New. The zero value is a good default.
type Options struct {
	// DefaultTTL is how long a value is fresh when 0 is given for it; default 5 minutes.
	DefaultTTL time.Duration

	// Name tells apart caches that share a store; default "cache". Nodes that are to
	// share have the same.
	Name string

	// MaxSize is how much memory the values in this process may take, in bytes;
	// default 64 MiB. Beyond that the value goes that is used least.
	MaxSize int64

	// MaxValue is the size of the largest value or answer that is kept, in bytes;
	// default 512 KiB, which every store takes.
	MaxValue int

	// MaxAnswers is how many answers of one route the store holds at most; default
	// 262,144. Requests that nobody will repeat cannot fill it: beyond that, answers
	// take each other's places.
	MaxAnswers int

	// LoadTimeout is how long a load may take that nobody waits for, because a stale
	// value was given meanwhile; default 30 seconds.
	LoadTimeout time.Duration

	// StoreTimeout is how long the store may take before it counts as a miss;
	// default 250 ms.
	StoreTimeout time.Duration

	Clock  ishaa.Clock  // default that of the application, or the system's
	Logger *slog.Logger // default that of the application, or slog.Default
}

// MaxTTL is how long anything is kept at most.
const MaxTTL = 30 * 24 * time.Hour

// Cache holds values under keys. It is safe for concurrent use.
type Cache struct {
	options Options
	near    *otter.Cache[string, held]
	shared  store.Store // nil: nobody to tell
	far     store.KV    // the second level; nil: none
	prefix  string
	node    string // tells this node's messages from those of others
	source  string // what package effect calls the cache
	settled func() // ends the mark that the cache changes by itself

	listening atomic.Pointer[listening]
	gaps      atomic.Uint64 // see link
	away      atomic.Int64  // the store failed: leave it alone until this time, in ms
	changes   [256]atomic.Uint64
	tags      *tagTable
	flights   flights
	routes    routes
	answers   answerFlights
	alone     *otter.Cache[string, int64] // answers that are not kept, until when (ms) nobody waits for them

	life   context.Context
	end    context.CancelFunc
	work   sync.WaitGroup
	closed atomic.Bool
}

// held is an entry in this process. It counts only while the link is the one it was
// stored under, since on another invalidations may have been missed; without a link
// it counts until its time is up.
type held struct {
	entry *entry
	link  uint64
	until int64 // ms; 0 for as long as the entry lasts
}

// unlinked is how long a node that hears nothing of others keeps a value.
const unlinked = time.Second

var sources atomic.Int64

// New returns an empty cache. The store connects the nodes: it holds the second
// level and carries invalidations. A nil store, and one in memory, means that values
// live in this process alone; Caches on one memory store still tell each other of
// invalidations. Install the cache in an application, or Close it.
func New(st store.Store, options Options) *Cache {
	setDefault(&options.DefaultTTL, 5*time.Minute)
	setDefault(&options.Name, "cache")
	setDefault(&options.MaxSize, 64<<20)
	setDefault(&options.MaxValue, 512<<10)
	setDefault(&options.MaxAnswers, 1<<18)
	setDefault(&options.LoadTimeout, 30*time.Second)
	setDefault(&options.StoreTimeout, 250*time.Millisecond)
	if o := options; o.DefaultTTL < 0 || o.MaxSize < 0 || o.MaxValue < 0 || o.MaxAnswers < 0 || o.LoadTimeout < 0 || o.StoreTimeout < 0 {
		panic("cache.New: sizes and durations are positive, or 0 for the default")
	}
	c := &Cache{
		options: options,
		near: otter.Must(&otter.Options[string, held]{
			MaximumWeight: uint64(options.MaxSize),
			Weigher:       func(key string, h held) uint32 { return uint32(min(len(key)+h.entry.size(), 1<<31)) },
			Executor:      func(work func()) { work() }, // no goroutines that nobody owns
			Logger:        &otter.NoopLogger{},
		}),
		alone: otter.Must(&otter.Options[string, int64]{
			MaximumSize: 4096, Executor: func(work func()) { work() }, Logger: &otter.NoopLogger{},
		}),
		prefix: options.Name + ":",
		node:   strconv.FormatUint(newStamp(), 36),
		source: "cache://" + strconv.FormatInt(sources.Add(1), 10),
		tags:   newTagTable(),
	}
	c.life, c.end = context.WithCancel(context.Background())
	c.flights.byKey = map[string]*flight{}
	c.answers.byKey = map[string]*answerFlight{}
	c.routes.byID = map[string]*routeInputs{}
	// Values here come and go with time, which package effect does not follow: what was
	// made of them is not to be remembered further out.
	c.settled = effect.Writing(c.source, "")
	if !isNil(st) {
		c.shared = st
		if !inMemory(st) {
			c.far = st
		}
		c.start()
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func isNil(st store.Store) bool {
	v := reflect.ValueOf(st)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// inMemory recognises package store's engine in memory: a second level there would
// keep everything twice, and without a bound.
func inMemory(st store.Store) bool {
	for {
		wrapped, ok := st.(interface{ Unwrap() store.Store })
		if !ok {
			break
		}
		st = wrapped.Unwrap()
	}
	return fmt.Sprintf("%T", st) == "*store.memory"
}

// Install implements ishaa.Plugin: the cache takes on the application's clock and
// logger and is closed when the application stops.
func (c *Cache) Install(app *ishaa.App) error {
	if c.options.Clock == nil {
		c.options.Clock = app.Clock()
	}
	if c.options.Logger == nil {
		c.options.Logger = app.Logger()
	}
	return nil
}

// Stop implements ishaa.Stopper: it is Close.
func (c *Cache) Stop(context.Context) error { return c.Close() }

// Close ends loads that nobody waits for and stops listening to other nodes. The
// store stays open. A closed cache still answers, as one that holds nothing.
func (c *Cache) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.flights.mu.Lock()
	c.flights.closed = true
	c.flights.mu.Unlock()
	c.end()
	c.work.Wait()
	c.near.InvalidateAll()
	c.settled()
	return nil
}

func (c *Cache) now() time.Time {
	if c.options.Clock != nil {
		return c.options.Clock.Now()
	}
	return time.Now()
}

func (c *Cache) logger() *slog.Logger {
	if c.options.Logger != nil {
		return c.options.Logger
	}
	return slog.Default()
}

// Option is a property of what is kept.
type Option func(*rule)

type rule struct {
	tags  []string
	stale time.Duration
}

func newRule(options []Option) rule {
	var r rule
	for _, option := range options {
		option(&r)
	}
	return r
}

// Tag marks what is kept as depending on something: Invalidate of one of the tags
// drops it.
func Tag(tags ...string) Option {
	return func(r *rule) { r.tags = append(r.tags, tags...) }
}

// Stale has what is no longer fresh given out for so much longer while a new value
// is made, once, in the background (stale-while-revalidate, RFC 5861).
func Stale(d time.Duration) Option {
	return func(r *rule) { r.stale = max(d, 0) }
}

// lifetime is how long something is fresh, and how long it is kept.
func (c *Cache) lifetime(ttl time.Duration, r rule) (fresh, kept time.Duration) {
	if ttl <= 0 {
		ttl = c.options.DefaultTTL
	}
	fresh = min(ttl, MaxTTL)
	return fresh, min(fresh+r.stale, MaxTTL)
}
