package textlog

import (
	"context"
	"log/slog"
	"strconv"
	"time"
)

// Request is a record about a request: one line of the access log, or of a failure. Texts that a client chose are
// escaped by the caller (secure.LogText).
type Request struct {
	Time    time.Time
	Level   slog.Level
	Message string

	Method, Path, Route string
	ID, Client          string // left out if empty

	Sent     bool // the answer was: what follows is known
	Status   int
	Bytes    int64
	Duration time.Duration
	Variant  string // left out if empty
	Aborted  bool   // left out if not

	More []slog.Attr
}

// Write hands the record to a handler. To a *Handler it goes as it is: formatting it takes no allocation and no
// slog.Record. Every other handler gets a record with the same attributes in the same order.
func (q *Request) Write(ctx context.Context, handler slog.Handler) error {
	if h, ok := handler.(*Handler); ok && !h.slow {
		if written, err := h.writeRequest(q); written {
			return err
		}
	}
	return handler.Handle(ctx, q.record())
}

func (q *Request) record() slog.Record {
	record := slog.NewRecord(q.Time, q.Level, q.Message, 0)
	record.AddAttrs(slog.String("method", q.Method), slog.String("path", q.Path), slog.String("route", q.Route))
	if q.ID != "" {
		record.AddAttrs(slog.String("request_id", q.ID))
	}
	if q.Client != "" {
		record.AddAttrs(slog.String("client", q.Client))
	}
	if q.Sent {
		record.AddAttrs(slog.Int("status", q.Status), slog.Int64("bytes", q.Bytes), slog.Duration("duration", q.Duration))
		if q.Variant != "" {
			record.AddAttrs(slog.String("variant", q.Variant))
		}
		if q.Aborted {
			record.AddAttrs(slog.Bool("aborted", true))
		}
	}
	record.AddAttrs(q.More...)
	return record
}

// writeRequest writes the record's line. It reports false for one that has attributes which it leaves to slog.
func (h *Handler) writeRequest(q *Request) (written bool, err error) {
	line := lines.Get().(*[]byte)
	defer freeLine(line)
	text := h.begin((*line)[:0], q.Time, q.Level, q.Message)
	text = appendText(append(text, " method="...), q.Method)
	text = appendText(append(text, " path="...), q.Path)
	text = appendText(append(text, " route="...), q.Route)
	if q.ID != "" {
		text = appendText(append(text, " request_id="...), q.ID)
	}
	if q.Client != "" {
		text = appendText(append(text, " client="...), q.Client)
	}
	if q.Sent {
		text = strconv.AppendInt(append(text, " status="...), int64(q.Status), 10)
		text = strconv.AppendInt(append(text, " bytes="...), q.Bytes, 10)
		text = append(append(text, " duration="...), q.Duration.String()...)
		if q.Variant != "" {
			text = appendText(append(text, " variant="...), q.Variant)
		}
		if q.Aborted {
			text = append(text, " aborted=true"...)
		}
	}
	for _, attr := range q.More {
		var simple bool
		if text, simple = appendAttr(text, attr); !simple {
			*line = text
			return false, nil
		}
	}
	*line = append(text, '\n')
	_, err = h.out.Write(*line)
	return true, err
}
