package textlog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"time"
)

// both writes one record by slog.TextHandler and by ours.
func both(t *testing.T, set func(slog.Handler) slog.Handler, record slog.Record) (got, want string) {
	t.Helper()
	var ours, theirs bytes.Buffer
	for _, h := range []slog.Handler{New(&ours, slog.LevelDebug), slog.NewTextHandler(&theirs, &slog.HandlerOptions{Level: slog.LevelDebug})} {
		if set != nil {
			h = set(h)
		}
		if err := h.Handle(context.Background(), record.Clone()); err != nil {
			t.Fatal(err)
		}
	}
	return ours.String(), theirs.String()
}

type secret string

func (secret) LogValue() slog.Value { return slog.StringValue("hidden") }

func TestSameAsTextHandler(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 5, 6, 789_999_999, time.FixedZone("", 5400))
	values := []any{
		"", "plain", "two words", "a=b", `quo"te`, `back\slash`, "tab\t", "line\nbreak", "\x00", "\x7f", "\xff", "é", "\u00a0", "\u2028", "漢字", "\ufffd",
		0, -1, math.MaxInt64, uint64(math.MaxUint64), 1.5, 1e21, math.Inf(1), math.NaN(), true, false,
		time.Duration(0), 1500 * time.Microsecond, now, now.UTC(), time.Time{}, time.Date(1, 1, 1, 0, 0, 0, 999e6, time.FixedZone("", -3600)),
		errors.New("an error"), nil, []byte("bytes"), struct{ A, B int }{1, 2}, secret("x"), slog.GroupValue(slog.Int("a", 1)), (*int)(nil),
	}
	for _, value := range values {
		record := slog.NewRecord(now, slog.LevelWarn+1, "a message", 0)
		record.Add("key", value, "after", 1)
		if got, want := both(t, nil, record); got != want {
			t.Errorf("%T %v\n got %s\nwant %s", value, value, got, want)
		}
		withAttr := func(h slog.Handler) slog.Handler {
			return h.WithAttrs([]slog.Attr{slog.Any("with", value), slog.Int("n", 1)})
		}
		if got, want := both(t, withAttr, record); got != want {
			t.Errorf("WithAttrs %T %v\n got %s\nwant %s", value, value, got, want)
		}
	}
	for name, set := range map[string]func(slog.Handler) slog.Handler{
		"group":      func(h slog.Handler) slog.Handler { return h.WithGroup("g") },
		"attr group": func(h slog.Handler) slog.Handler { return h.WithAttrs([]slog.Attr{slog.Int("a", 1)}).WithGroup("g") },
		"group attr": func(h slog.Handler) slog.Handler { return h.WithGroup("g").WithAttrs([]slog.Attr{slog.Int("a", 1)}) },
		"attrs": func(h slog.Handler) slog.Handler {
			return h.WithAttrs(nil).WithAttrs([]slog.Attr{{}, slog.String("a b", "c")})
		},
	} {
		record := slog.NewRecord(time.Time{}, slog.LevelInfo, "", 0)
		record.AddAttrs(slog.Attr{}, slog.Bool("b", true))
		if got, want := both(t, set, record); got != want {
			t.Errorf("%s\n got %s\nwant %s", name, got, want)
		}
	}
}

// slog's handler has the milliseconds of such a year wrong.
func TestFarFuture(t *testing.T) {
	if got := string(appendTime(nil, time.Date(12026, 1, 2, 3, 4, 5, 6e6, time.UTC))); got != "12026-01-02T03:04:05.006Z" {
		t.Errorf("got %s", got)
	}
}

func FuzzStrings(f *testing.F) {
	f.Add("msg", "key", "value with = and \"quotes\"\n")
	f.Fuzz(func(t *testing.T, message, key, value string) {
		record := slog.NewRecord(time.Unix(1, 2), slog.LevelInfo, message, 0)
		record.Add(slog.String(key, value))
		if got, want := both(t, nil, record); got != want {
			t.Errorf("%q %q %q\n got %s\nwant %s", message, key, value, got, want)
		}
	})
}

func TestLevelAndDerived(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(New(&out, slog.LevelWarn))
	logger.Info("not this")
	child := logger.With("a", 1)
	child.Warn("one")
	logger.Error("two", "error", errors.New("odd one"))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.HasSuffix(lines[0], "level=WARN msg=one a=1") || !strings.HasSuffix(lines[1], `msg=two error="odd one"`) {
		t.Errorf("written: %q", lines)
	}
}

func TestRecordsAreWhole(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(New(&out, slog.LevelInfo))
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for range 100 {
				logger.Info("quick", "n", n)
				logger.Info("slow", "error", errors.New("x"))
			}
		})
	}
	wg.Wait()
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "time=") || strings.Count(line, "msg=") != 1 {
			t.Fatalf("a torn line: %q", line)
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 1600 {
		t.Errorf("%d lines", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	for name, handler := range map[string]slog.Handler{"textlog": New(io.Discard, slog.LevelInfo), "slog": slog.NewTextHandler(io.Discard, nil)} {
		b.Run(name, func(b *testing.B) {
			logger := slog.New(handler)
			b.ReportAllocs()
			for b.Loop() {
				logger.LogAttrs(context.Background(), slog.LevelInfo, "request", slog.String("method", "GET"), slog.String("path", "/albums/48"),
					slog.String("route", "/albums/<int:id>"), slog.String("client", "192.0.2.1"), slog.Int("status", 200), slog.Duration("duration", 123456))
			}
		})
	}
}
