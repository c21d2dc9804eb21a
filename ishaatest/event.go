package ishaatest

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"time"
)

// Event is a server-sent event as a browser would dispatch it.
type Event struct {
	ID   string // the last id that was sent, with this event or before
	Name string // the type; "message" unless the event says
	Data string
}

// eventReader parses text/event-stream as the HTML standard says (§9.2.6).
type eventReader struct {
	lines  lineReader
	lastID string
	retry  time.Duration
	begun  bool
}

// next returns the next event that has data. An event that the stream's end cuts
// off is none.
func (e *eventReader) next() (Event, error) {
	var name string
	var data strings.Builder
	hasData := false
	for {
		line, complete, err := e.lines.next()
		if err != nil {
			return Event{}, err
		}
		if !complete {
			return Event{}, io.EOF
		}
		if !e.begun {
			e.begun = true
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if line == "" {
			if hasData {
				if name == "" {
					name = "message"
				}
				return Event{ID: e.lastID, Name: name, Data: strings.TrimSuffix(data.String(), "\n")}, nil
			}
			name = ""
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			name = value
		case "data":
			hasData = true
			data.WriteString(value + "\n")
		case "id":
			if !strings.Contains(value, "\x00") {
				e.lastID = value
			}
		case "retry":
			if ms, err := strconv.ParseUint(value, 10, 31); err == nil {
				e.retry = time.Duration(ms) * time.Millisecond
			}
		}
	}
}

// lineReader splits at LF, CR LF and CR. It never reads ahead of a line's end, so
// that a line is there as soon as it was sent: the LF that may follow a CR is
// skipped with the next line.
type lineReader struct {
	from   *bufio.Reader
	skipLF bool
}

// next returns a line without its end, and whether it had one. At the end of the
// stream the error is io.EOF unless there is an incomplete line.
func (l *lineReader) next() (line string, complete bool, err error) {
	var out []byte
	for {
		c, err := l.from.ReadByte()
		switch {
		case err == io.EOF && len(out) > 0:
			return string(out), false, nil
		case err != nil:
			return "", false, err
		}
		if skip := l.skipLF; skip {
			l.skipLF = false
			if c == '\n' {
				continue
			}
		}
		switch c {
		case '\n':
			return string(out), true, nil
		case '\r':
			l.skipLF = true
			return string(out), true, nil
		}
		out = append(out, c)
	}
}
