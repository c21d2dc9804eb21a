// Package effect carries marks and notes between the code that touches the
// world (databases, stores, mail, files) and the engines that must know about it.
//
// It answers two questions. Is this work done for comparison only? Then nothing
// may change, and what would have changed is reported instead:
//
//	func (m *Mailer) Send(ctx context.Context, msg Message) error {
//		if effect.Intend(ctx, effect.Intent{Kind: "mail", Target: msg.To}) {
//			return nil // a shadow: recorded, not sent
//		}
//		return m.deliver(ctx, msg)
//	}
//
// And what does an answer depend on? Reads name the table they read, writes the
// table they changed; whoever remembers an answer compares generations:
//
//	effect.Read(ctx, "shop", "albums")        // in a query
//	defer effect.Writing("shop", "albums")()  // around a write, until it is committed
//
// A source is a name for one database, the same for everybody who uses it.
package effect

import (
	"context"
	"sync"
)

// Intent is a change that a shadow would have made.
type Intent struct {
	Kind   string // what kind of resource: "sql", "store", "mail", "task", "cache", "session", "file", "http"
	Target string // which one: a table, a key, an address
	Detail string // what would have happened to it, comparable between two runs; no secrets
}

// Recorder is told what a shadow would have done. It is used by all goroutines
// that work for the shadow.
type Recorder interface{ Intended(Intent) }

// RecorderFunc is a function as a Recorder.
type RecorderFunc func(Intent)

// Intended calls f.
func (f RecorderFunc) Intended(i Intent) { f(i) }

type shadowKey struct{}

// WithShadow marks everything that is done with the context as a shadow: work for
// comparison only. A nil recorder is allowed.
func WithShadow(ctx context.Context, recorder Recorder) context.Context {
	if recorder == nil {
		recorder = RecorderFunc(func(Intent) {})
	}
	return context.WithValue(ctx, shadowKey{}, recorder)
}

// Shadow reports whether the context belongs to a shadow. Then nothing may be
// changed.
func Shadow(ctx context.Context) bool {
	_, shadow := ctx.Value(shadowKey{}).(Recorder)
	return shadow
}

// Intend reports a change to the shadow that the context belongs to, and whether
// there is one: if so the caller must leave the change undone.
func Intend(ctx context.Context, intent Intent) bool {
	recorder, shadow := ctx.Value(shadowKey{}).(Recorder)
	if shadow {
		recorder.Intended(intent)
	}
	return shadow
}

// IsMark reports whether a context key is one of this package's own. Looking at
// those is not looking at the request that the context belongs to.
func IsMark(key any) bool {
	switch key.(type) {
	case shadowKey, readsKey:
		return true
	}
	return false
}

type readsKey struct{}

// readers is a chain of those who want to know of reads, the latest first.
type readers struct {
	note func(source, table string)
	next *readers
}

// WithReads has note called for every read that is done with the context. Notes
// of an outer context are called too. It may be called by several goroutines.
func WithReads(ctx context.Context, note func(source, table string)) context.Context {
	outer, _ := ctx.Value(readsKey{}).(*readers)
	return context.WithValue(ctx, readsKey{}, &readers{note, outer})
}

// Read reports that what is done with the context depends on a table. An empty
// table is the whole source. Report before reading: then a write that happens in
// between shows as a newer generation.
func Read(ctx context.Context, source, table string) {
	list, _ := ctx.Value(readsKey{}).(*readers)
	for ; list != nil; list = list.next {
		list.note(source, table)
	}
}

// Generation says how often a table has been written since the process began, and
// whether a write is under way. What was read under one generation is out of date
// under another.
type Generation struct {
	Count   uint64
	Writing bool
}

// The ledger of writes is the one piece of state that the whole process shares:
// it is a fact about databases, which do not belong to an application.
var ledger = struct {
	sync.RWMutex
	sources  map[string]*source
	watchers map[*watcher]struct{}
}{sources: map[string]*source{}, watchers: map[*watcher]struct{}{}}

type source struct {
	whole  counter // writes that concern every table
	tables map[string]*counter
}

type counter struct {
	count   uint64
	writing int
}

type watcher struct{ note func(source, table string) }

func (s *source) counter(table string) *counter {
	if table == "" {
		return &s.whole
	}
	c := s.tables[table]
	if c == nil {
		c = &counter{}
		s.tables[table] = c
	}
	return c
}

func sourceNamed(name string) *source {
	s := ledger.sources[name]
	if s == nil {
		s = &source{tables: map[string]*counter{}}
		ledger.sources[name] = s
	}
	return s
}

// Wrote reports that a table was changed and the change is visible to others. An
// empty table is the whole source.
func Wrote(source, table string) {
	ledger.Lock()
	sourceNamed(source).counter(table).count++
	list := watching()
	ledger.Unlock()
	notify(list, source, table)
}

// Writing reports that a table is about to be changed. Call done when the change
// was committed or given up; calling it again does nothing. Between the two, what
// is remembered about the table is not to be used.
func Writing(source, table string) (done func()) {
	ledger.Lock()
	defer ledger.Unlock()
	sourceNamed(source).counter(table).writing++
	var once sync.Once
	return func() {
		once.Do(func() {
			ledger.Lock()
			c := sourceNamed(source).counter(table)
			c.writing--
			c.count++
			list := watching()
			ledger.Unlock()
			notify(list, source, table)
		})
	}
}

// GenerationOf returns the generation of a table; for an empty table, that of the
// whole source, which every write to one of its tables moves on.
func GenerationOf(source, table string) Generation {
	ledger.RLock()
	defer ledger.RUnlock()
	s := ledger.sources[source]
	if s == nil {
		return Generation{}
	}
	g := Generation{s.whole.count, s.whole.writing > 0}
	if table != "" {
		g.add(s.tables[table])
		return g
	}
	for _, c := range s.tables {
		g.add(c)
	}
	return g
}

func (g *Generation) add(c *counter) {
	if c != nil {
		g.Count += c.count
		g.Writing = g.Writing || c.writing > 0
	}
}

// Watch has note called after every write, in the goroutine of the writer, until
// stop is called.
func Watch(note func(source, table string)) (stop func()) {
	w := &watcher{note}
	ledger.Lock()
	defer ledger.Unlock()
	ledger.watchers[w] = struct{}{}
	return func() {
		ledger.Lock()
		defer ledger.Unlock()
		delete(ledger.watchers, w)
	}
}

func watching() []*watcher {
	list := make([]*watcher, 0, len(ledger.watchers))
	for w := range ledger.watchers {
		list = append(list, w)
	}
	return list
}

func notify(list []*watcher, source, table string) {
	for _, w := range list {
		w.note(source, table)
	}
}
