package ishaatest

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

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
	t.Cleanup(hub.add(listener{level: slog.Level(-1 << 30), take: book.add}))
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
