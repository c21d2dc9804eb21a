package ishaa_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// seqOf is a sequence of events without an error.
func seqOf[T any](items ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

func TestEventFormat(t *testing.T) {
	for _, c := range []struct {
		name  string
		event any
		want  string // "" is refused
	}{
		{"text", ishaa.Event{Data: "hello"}, "data: hello\n\n"},
		{"all fields", ishaa.Event{ID: "7", Name: "tick", Data: "x", Retry: 1500 * time.Millisecond}, "id: 7\nevent: tick\nretry: 1500\ndata: x\n\n"},
		{"a wait of less than can be said", ishaa.Event{Retry: time.Microsecond}, "retry: 1\n\n"},
		{"several lines", ishaa.Event{Data: "a\nb\n"}, "data: a\ndata: b\ndata: \n\n"},
		{"every kind of line break", ishaa.Event{Data: "a\r\nb\rc\nd"}, "data: a\ndata: b\ndata: c\ndata: d\n\n"},
		{"a line break that would begin a field", ishaa.Event{Data: "x\revent: forged"}, "data: x\ndata: event: forged\n\n"},
		{"a blank line that would end the event", ishaa.Event{Data: "x\n\ndata: forged"}, "data: x\ndata: \ndata: data: forged\n\n"},
		{"empty text", ishaa.Event{Data: ""}, "data: \n\n"},
		{"no data", ishaa.Event{ID: "7"}, "id: 7\n\n"},
		{"JSON", ishaa.Event{Data: point{1, 2}}, "data: {\"x\":1,\"y\":2}\n\n"},
		{"raw JSON over lines", ishaa.Event{Data: json.RawMessage("{\n}")}, "data: {\ndata: }\n\n"},
		{"an item that is no Event", point{1, 2}, "data: {\"x\":1,\"y\":2}\n\n"},
		{"a text that is no Event", "hello", "data: hello\n\n"},
		{"a nil item", nil, "\n"},
		{"an id with a line break", ishaa.Event{ID: "1\ndata: forged"}, ""},
		{"an id with a carriage return", ishaa.Event{ID: "1\r"}, ""},
		{"an id with NUL", ishaa.Event{ID: "1\x00"}, ""},
		{"a name with a line break", ishaa.Event{Name: "a\nb"}, ""},
		{"data without JSON", ishaa.Event{Data: make(chan int)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			app, log := loggedApp(t)
			app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.Events(seqOf(c.event)), nil })
			res := do(t, app, "GET", "/")
			if c.want == "" {
				if res.err == nil || len(log.records(t, "request failed")) != 1 {
					t.Errorf("it was sent: %s\n%s", res, log.text())
				}
				return
			}
			res.wantBody(t, 200, c.want).wantHeader(t, "Content-Type", "text/event-stream").
				wantHeader(t, "Cache-Control", "no-store").wantHeader(t, "X-Accel-Buffering", "no").wantHeader(t, "Content-Length")
		})
	}
}

// parsed is an event as a browser reads it.
type parsed struct{ id, name, data string }

// parseEvents reads a stream by the algorithm of the HTML standard, §9.2.6.
func parseEvents(stream string) []parsed {
	var events []parsed
	var current parsed
	var data []string
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	for line := range strings.SplitSeq(stream, "\n") {
		if line == "" {
			if data != nil {
				current.data = strings.Join(data, "\n")
				events = append(events, current)
			}
			current, data = parsed{id: current.id}, nil
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			current.id = value
		case "event":
			current.name = value
		case "data":
			data = append(data, value)
		}
	}
	return events
}

// Whatever an event holds, a client reads one event that holds just that.
func FuzzEventFormat(f *testing.F) {
	f.Add("1", "tick", "hello", int64(0))
	f.Add("", "", "a\r\nb\rc\n\n\nd: e", int64(1))
	f.Add(" 1", " x", " leading", int64(1e12))
	f.Add("1\r", "", "\ndata: x\n\nevent: forged", int64(-1))
	f.Add("\x00", "\xff", "\xff\x00", int64(5))
	app := newApp(f, ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	type eventKey struct{}
	app.Get("/", func(r *ishaa.Request) (any, error) {
		return ishaa.Events(seqOf(r.Context().Value(eventKey{}).(ishaa.Event), ishaa.Event{Name: "sentinel", Data: "end"})), nil
	})
	f.Fuzz(func(t *testing.T, id, name, data string, retry int64) {
		event := ishaa.Event{ID: id, Name: name, Data: data, Retry: time.Duration(retry)}
		res := do(t, app, "GET", "/", func(raw *http.Request) {
			*raw = *raw.WithContext(context.WithValue(raw.Context(), eventKey{}, event))
		})
		if refused := strings.ContainsAny(id, "\r\n\x00") || strings.ContainsAny(name, "\r\n"); refused != (res.err != nil) {
			t.Fatalf("id %q, name %q: %v", id, name, res.err)
		} else if refused {
			return
		}
		lines := strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")
		want := []parsed{{id, name, lines}, {id, "sentinel", "end"}}
		if got := parseEvents(res.body); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Fatalf("sent %q, a client reads %q, want %q", res.body, got, want)
		}
	})
}

// manualClock is a Clock that a test moves on.
type manualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[chan time.Time]time.Time
}

func newManualClock() *manualClock {
	return &manualClock{now: time.Unix(1_700_000_000, 0), timers: map[chan time.Time]time.Time{}}
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := make(chan time.Time, 1)
	c.timers[timer] = c.now.Add(d)
	return timer
}

// advance moves the clock on once somebody waits on it.
func (c *manualClock) advance(t *testing.T, d time.Duration) {
	t.Helper()
	eventually(t, "somebody waits on the clock", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.timers) > 0
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for timer, at := range c.timers {
		if !at.After(c.now) {
			timer <- c.now
			delete(c.timers, timer)
		}
	}
}

func TestEventHeartbeat(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	clock := newManualClock()
	app.SetClock(clock)
	events := make(chan string)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		return ishaa.Events(func(yield func(string, error) bool) {
			for text := range events {
				if !yield(text, nil) {
					return
				}
			}
		}), nil
	})
	s := serve(t, app)
	answer := s.send(t.Context(), "GET", "/") // the head comes before any event
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	read := func() (text string) {
		t.Helper()
		for lines.Scan() && lines.Text() != "" {
			text += lines.Text()
		}
		return text
	}
	for range 3 {
		clock.advance(t, 15*time.Second)
		same(t, "an idle stream", read(), ": keep-alive")
	}
	events <- "hello"
	same(t, "an event", read(), "data: hello")
	clock.advance(t, 14*time.Second)
	events <- "again"
	same(t, "before the time is up", read(), "data: again")
	close(events)
	same(t, "the end", read(), "")
}

func TestLastEventID(t *testing.T) {
	app := newApp(t)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		return ishaa.Events(seqOf(ishaa.Event{ID: r.LastEventID() + "+1", Data: "x"})), nil
	})
	do(t, app, "GET", "/", withHeader("Last-Event-ID", "41")).wantBody(t, 200, "id: 41+1\ndata: x\n\n")
}

// When the client goes, the request's context ends, and with it the sequence and
// the heartbeat.
func TestEventClientGoes(t *testing.T) {
	noLeaks(t)
	app, log := loggedApp(t)
	ended := make(chan error, 1)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		return ishaa.Events(func(yield func(string, error) bool) {
			if yield("hello", nil) {
				<-r.Context().Done()
			}
			ended <- r.Context().Err()
		}), nil
	})
	s := serve(t, app)
	ctx, cancel := context.WithCancel(t.Context())
	answer := s.send(ctx, "GET", "/")
	if _, err := io.ReadFull(answer.Body, make([]byte, len("data: hello\n\n"))); err != nil {
		t.Fatal(err)
	}
	cancel()
	answer.Body.Close()
	if err := receive(t, "the end of the sequence", ended); !errors.Is(err, context.Canceled) {
		t.Errorf("the context ended with %v", err)
	}
	if failed := log.records(t, "request failed"); len(failed) > 0 {
		t.Errorf("the log has %v", failed)
	}
}

// Clients of event streams come back by themselves, so their streams end when the
// server is asked to.
func TestEventStreamsEndWhenTheServerDrains(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		return ishaa.Events(func(yield func(string, error) bool) {
			if yield("hello", nil) {
				<-r.Context().Done()
			}
		}), nil
	})
	s := serve(t, app)
	answer := s.send(t.Context(), "GET", "/")
	defer answer.Body.Close()
	if _, err := io.ReadFull(answer.Body, make([]byte, len("data: hello\n\n"))); err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil { // as of a stream that had to be cut
		t.Errorf("the stream did not end by itself: %v", err)
	}
}
