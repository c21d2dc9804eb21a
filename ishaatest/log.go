package ishaatest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// The log of an application under test goes to those who listen: the tests whose
// clients it serves, and the LogBooks that Logs has made. A logSwitch takes the
// place of the application's handler; listeners come and go with their tests.

// LogRecord is one record of an application's log.
type LogRecord struct {
	Time    time.Time
	Level   slog.Level
	Message string
	Attrs   []slog.Attr // in their order, groups resolved to "group.name"
}

// Attr returns the value of an attribute as text, or "". A member of a group is
// named "group.name".
func (r LogRecord) Attr(name string) string {
	for _, attr := range r.Attrs {
		if attr.Key == name {
			return attr.Value.String()
		}
	}
	return ""
}

// String gives the record as "ERROR message name=value …", with quotes where a
// value needs them.
func (r LogRecord) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s", r.Level, r.Message)
	for _, attr := range r.Attrs {
		value := attr.Value.String()
		if value == "" || strings.ContainsAny(value, " \"=\n\t") && !strings.Contains(value, "\n") {
			value = fmt.Sprintf("%q", value)
		}
		fmt.Fprintf(&out, " %s=%s", attr.Key, value)
	}
	return out.String()
}

// LogBook keeps what an application logs.
type LogBook struct {
	t       testing.TB
	mu      sync.Mutex
	records []LogRecord
	changed chan struct{} // closed, and replaced, whenever a record comes
}

// Logs returns a book of what the application logs from now on, at every level, so
// that a test can say what is to be logged. It has to be called before the
// application starts, unless a client does the application's logging already.
// The records still go to the program's logger if it has set one.
//
//	log := ishaatest.Logs(t, app)
//	client.Get("/broken").Status(500)
//	log.Want(slog.LevelError, "request failed", "connection refused")
func Logs(t testing.TB, app *ishaa.App) *LogBook {
	t.Helper()
	book := &LogBook{t: t, changed: make(chan struct{})}
	hub := switchOf(app)
	if hub == nil {
		t.Fatalf("ishaatest.Logs: the application has started and logs elsewhere; call Logs before its first request")
		return book
	}
	t.Cleanup(hub.add(listener{level: slog.Level(-1 << 30), take: func(_ context.Context, r LogRecord) { book.add(r) }}))
	return book
}

func (b *LogBook) add(r LogRecord) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = append(b.records, r)
	close(b.changed)
	b.changed = make(chan struct{})
}

// Records returns the records so far.
func (b *LogBook) Records() []LogRecord {
	records, _ := b.state()
	return records
}

func (b *LogBook) state() ([]LogRecord, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.records), b.changed
}

// Reset forgets the records so far.
func (b *LogBook) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = nil
}

// Want returns the first record of a level whose text, as LogRecord.String gives
// it, contains all parts. It waits for one for up to 5 seconds of real time, then
// fails the test.
func (b *LogBook) Want(level slog.Level, parts ...string) LogRecord {
	b.t.Helper()
	const patience = 5 * time.Second
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		records, changed := b.state()
		for _, r := range records {
			if r.Level == level && containsAll(r.String(), parts) {
				return r
			}
		}
		select {
		case <-changed:
		case <-late.C:
			b.t.Fatalf("no %s record with %q was logged; there are %d records:%s", level, parts, len(records), listRecords(records))
			return LogRecord{}
		}
	}
}

// WantNone fails the test if a record of the level or a higher one was logged so
// far.
func (b *LogBook) WantNone(level slog.Level) {
	b.t.Helper()
	records := slices.DeleteFunc(b.Records(), func(r LogRecord) bool { return r.Level < level })
	if len(records) > 0 {
		b.t.Fatalf("%d records of %s or above were logged:%s", len(records), level, listRecords(records))
	}
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

func listRecords(records []LogRecord) string {
	var out strings.Builder
	for _, r := range records {
		out.WriteString("\n  " + strings.ReplaceAll(r.String(), "\n", "\n    "))
	}
	return out.String()
}

// listener is someone who gets records.
type listener struct {
	level slog.Level // the lowest that it takes
	t     testing.TB // set for a test's own output, which gets only what belongs to the test
	take  func(context.Context, LogRecord)
}

// hub has the listeners of one application.
type hub struct {
	program slog.Handler // the program's own, or nil
	mu      sync.Mutex
	all     []*listener
}

// add returns the function that takes the listener away.
func (h *hub) add(l listener) (remove func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	added := &l
	h.all = append(h.all, added)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all = slices.DeleteFunc(h.all, func(x *listener) bool { return x == added })
	}
}

func (h *hub) enabled(level slog.Level) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.all, func(l *listener) bool { return level >= l.level })
}

// tell hands a record to the listeners. They are told within the lock, so that none
// is told any more once it has been removed.
func (h *hub) tell(ctx context.Context, r LogRecord) {
	made, _ := ctx.Value(callKey{}).(*call)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.all {
		if r.Level < l.level || l.t != nil && made != nil && made.t != l.t && h.listens(made.t) {
			continue
		}
		l.take(ctx, r)
	}
}

// listens reports whether a test has a listener of its own.
func (h *hub) listens(t testing.TB) bool {
	return slices.ContainsFunc(h.all, func(l *listener) bool { return l.t == t })
}

// switchOf returns the application's hub, put in place now if it can be, or nil.
func switchOf(app *ishaa.App) *hub {
	handler := app.Logger().Handler()
	if in, ok := handler.(*logSwitch); ok {
		return in.hub
	}
	if app.Started() {
		return nil
	}
	h := &hub{}
	if programs(app) {
		h.program = handler
	}
	app.SetLogger(slog.New(&logSwitch{hub: h, program: h.program}))
	return h
}

// programs reports whether the application's logger is one that the program chose:
// what ishaa.New makes is one of slog's own two handlers.
func programs(app *ishaa.App) bool {
	if app.Config().Logger != nil {
		return true
	}
	switch app.Logger().Handler().(type) {
	case *slog.TextHandler, *slog.JSONHandler:
		return false
	}
	return true
}

// logToTest has the application log to a test that it did not log to, unless the
// program has a logger of its own.
func logToTest(t testing.TB, app *ishaa.App) {
	t.Helper()
	if in, ok := app.Logger().Handler().(*logSwitch); ok && in.hub.program != nil || !ok && (programs(app) || app.Started()) {
		return
	}
	h := switchOf(app)
	h.mu.Lock()
	known := h.listens(t)
	h.mu.Unlock()
	if known {
		return
	}
	out := t.Output()
	t.Cleanup(h.add(listener{level: app.Config().LogLevel, t: t, take: func(_ context.Context, r LogRecord) {
		fmt.Fprintf(out, "%s %s\n", r.Time.Format("15:04:05.000"), r)
	}}))
}

// logSwitch is the slog.Handler that stands in for the application's.
type logSwitch struct {
	hub     *hub
	program slog.Handler // hub.program with the attributes and groups of this logger
	attrs   []slog.Attr  // resolved
	group   string       // prefix of the attributes to come
}

func (s *logSwitch) Enabled(ctx context.Context, level slog.Level) bool {
	return s.hub.enabled(level) || s.program != nil && s.program.Enabled(ctx, level)
}

func (s *logSwitch) Handle(ctx context.Context, record slog.Record) error {
	r := LogRecord{Time: record.Time, Level: record.Level, Message: record.Message, Attrs: slices.Clone(s.attrs)}
	record.Attrs(func(attr slog.Attr) bool {
		r.Attrs = resolve(r.Attrs, s.group, attr)
		return true
	})
	s.hub.tell(ctx, r)
	if s.program != nil && s.program.Enabled(ctx, record.Level) {
		return s.program.Handle(ctx, record)
	}
	return nil
}

func (s *logSwitch) WithAttrs(attrs []slog.Attr) slog.Handler {
	derived := *s
	derived.attrs = slices.Clone(s.attrs)
	for _, attr := range attrs {
		derived.attrs = resolve(derived.attrs, s.group, attr)
	}
	if s.program != nil {
		derived.program = s.program.WithAttrs(attrs)
	}
	return &derived
}

func (s *logSwitch) WithGroup(name string) slog.Handler {
	if name == "" {
		return s
	}
	derived := *s
	derived.group = s.group + name + "."
	if s.program != nil {
		derived.program = s.program.WithGroup(name)
	}
	return &derived
}

// resolve adds an attribute to a list, a group member by member.
func resolve(list []slog.Attr, prefix string, attr slog.Attr) []slog.Attr {
	value := attr.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		if attr.Key == "" {
			return list
		}
		return append(list, slog.Attr{Key: prefix + attr.Key, Value: value})
	}
	if attr.Key != "" {
		prefix += attr.Key + "."
	}
	for _, member := range value.Group() {
		list = resolve(list, prefix, member)
	}
	return list
}

// testOutput writes to a test as long as it runs.
type testOutput struct {
	mu  sync.Mutex
	out io.Writer // nil when the test has ended
}

// attach returns a writer to the test's output that is silent once the test has
// ended.
func attach(t testing.TB) *testOutput {
	w := &testOutput{out: t.Output()}
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.out = nil
	})
	return w
}

func (w *testOutput) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out == nil {
		return len(p), nil
	}
	return w.out.Write(p)
}
