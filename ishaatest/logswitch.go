package ishaatest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/textlog"
)

// The log of an application under test goes to those who listen: the tests whose
// clients it serves, and the LogBooks that Logs has made. A logSwitch takes the
// place of the application's handler; listeners come and go with their tests.

// listener is someone who gets records.
type listener struct {
	level slog.Level // the lowest that it takes
	t     testing.TB // set for a test's own output, which gets only what belongs to the test
	take  func(LogRecord)
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
	h.mu.Lock()
	defer h.mu.Unlock()
	owner := h.owner(ctx)
	for _, l := range h.all {
		if r.Level < l.level || l.t != nil && owner != nil && owner != l.t {
			continue
		}
		l.take(r)
	}
}

// owner returns the test that a record belongs to, or nil when all of them get it.
// It looks into the context only where there is a choice: to read a value from a
// request's context counts as an input of the answer.
func (h *hub) owner(ctx context.Context) testing.TB {
	tests := 0
	for _, l := range h.all {
		if l.t != nil {
			tests++
		}
	}
	if tests < 2 {
		return nil
	}
	if made, _ := ctx.Value(callKey{}).(*call); made != nil && h.listens(made.t) {
		return made.t
	}
	return nil
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
// what ishaa.New makes is one of two handlers.
func programs(app *ishaa.App) bool {
	if config := app.Config(); config.Logger != nil || config.LogTo != nil {
		return true
	}
	switch app.Logger().Handler().(type) {
	case *textlog.Handler, *slog.JSONHandler:
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
	t.Cleanup(h.add(listener{level: app.Config().LogLevel, t: t, take: func(r LogRecord) {
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
