package textlog

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"testing"
	"time"
)

func TestRequestIsTheSameRecordEverywhere(t *testing.T) {
	at := time.Date(2026, 11, 23, 14, 5, 6, 7e6, time.FixedZone("", -3600))
	full := Request{
		Time: at, Level: slog.LevelWarn, Message: "request", Method: "GET", Path: "/a b", Route: "/<x>", ID: "abc", Client: "::1",
		Sent: true, Status: 500, Bytes: 1 << 40, Duration: 1234567, Variant: "b", Aborted: true,
	}
	failed := full
	failed.Sent, failed.More = false, []slog.Attr{slog.String("error", "a = \"b\"\n"), slog.Duration("after", time.Second)}
	odd := full
	odd.More = []slog.Attr{slog.Any("any", []int{1}), slog.Group("g", slog.Int("a", 1))}
	for name, q := range map[string]Request{
		"full": full, "failed": failed, "attributes for slog": odd, "empty": {}, "sent": {Sent: true, Path: "\x00", Level: 2},
	} {
		for _, set := range []func(slog.Handler) slog.Handler{
			func(h slog.Handler) slog.Handler { return h },
			func(h slog.Handler) slog.Handler { return h.WithAttrs([]slog.Attr{slog.String("app", "x y")}) },
			func(h slog.Handler) slog.Handler { return h.WithGroup("g") },
		} {
			var ours, theirs bytes.Buffer
			if err := q.Write(context.Background(), set(New(&ours, slog.LevelDebug))); err != nil {
				t.Fatal(err)
			}
			if err := q.Write(context.Background(), set(slog.NewTextHandler(&theirs, &slog.HandlerOptions{Level: slog.LevelDebug}))); err != nil {
				t.Fatal(err)
			}
			if ours.String() != theirs.String() {
				t.Errorf("%s\n got %s\nwant %s", name, &ours, &theirs)
			}
		}
	}
}

// A second that is remembered is that of its own time zone.
func TestSecondsAreTheirOwn(t *testing.T) {
	w := &lockedWriter{}
	at := time.Date(2026, 11, 23, 23, 59, 59, 999e6, time.UTC)
	for _, at := range []time.Time{
		at, at.Add(-time.Millisecond), at.Add(time.Millisecond), at, at.In(time.FixedZone("", 3600)), at.In(time.FixedZone("", -5400)), at.AddDate(8000, 0, 0),
	} {
		for range 2 {
			if got, want := string(w.appendTime(nil, at)), string(appendTime(nil, at)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}

func TestRequestAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has sync.Pool forget some of what it holds")
	}
	h := New(io.Discard, slog.LevelInfo)
	q := &Request{Time: time.Now(), Message: "request", Method: "GET", Path: "/", Route: "/", ID: "abc", Client: "::1", Sent: true, Status: 200, Duration: 1234567}
	var handler slog.Handler = h
	if n := testing.AllocsPerRun(100, func() { _ = q.Write(context.Background(), handler) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRequest(b *testing.B) {
	q := &Request{Time: time.Now(), Message: "request", Method: "GET", Path: "/users/7", Route: "/users/<int:id>", ID: "abcdefghijklmnopqrstuvwxyz", Client: "192.0.2.1", Sent: true, Status: 200, Duration: 1234567}
	for name, h := range map[string]slog.Handler{"ours": New(io.Discard, slog.LevelInfo), "slog": slog.NewTextHandler(io.Discard, nil)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = q.Write(context.Background(), h)
			}
		})
	}
	b.Run("a line that is ready", func(b *testing.B) {
		line := bytes.Repeat([]byte("x"), 200)
		w := &lockedWriter{out: io.Discard}
		for b.Loop() {
			_, _ = w.Write(line)
		}
	})
}
