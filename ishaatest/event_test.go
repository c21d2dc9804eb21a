package ishaatest

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func parseEvents(t testing.TB, text string) []Event {
	t.Helper()
	from := bufio.NewReader(iotest.OneByteReader(strings.NewReader(text)))
	reader := &eventReader{lines: lineReader{from: from}}
	var events []Event
	for {
		event, err := reader.next()
		if err == io.EOF {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, event)
	}
}

// The cases of the HTML standard's chapter on server-sent events, and its rules.
func TestEventFormat(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []Event
	}{
		{"data of three lines", "data: YHOO\ndata: +2\ndata: 10\n\n", []Event{{"", "message", "YHOO\n+2\n10"}}},
		{"ids, comments and an id that is reset", ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
			[]Event{{"1", "message", "first event"}, {"", "message", "second event"}, {"", "message", " third event"}}},
		{"empty data, a newline, and no end", "data\n\ndata\ndata\n\ndata:", []Event{{"", "message", ""}, {"", "message", "\n"}}},
		{"the space is optional", "data:test\n\ndata: test\n\n", []Event{{"", "message", "test"}, {"", "message", "test"}}},
		{"types do not last", "event: a\ndata: 1\n\ndata: 2\n\nevent: b\n\ndata: 3\n\n",
			[]Event{{"", "a", "1"}, {"", "message", "2"}, {"", "message", "3"}}},
		{"ids last", "id: 7\ndata: 1\n\ndata: 2\n\n", []Event{{"7", "message", "1"}, {"7", "message", "2"}}},
		{"an id with NUL is ignored", "id: 1\nid: \x00\ndata: x\n\n", []Event{{"1", "message", "x"}}},
		{"line ends of all kinds", "data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\rdata: e\n\n",
			[]Event{{"", "message", "a\nb\nc"}, {"", "message", "d"}, {"", "message", "e"}}},
		{"a byte order mark", "\ufeffdata: x\n\n\ufeffdata: y\n\n", []Event{{"", "message", "x"}}},
		{"unknown fields", "colour: red\ndata: x\nDATA: y\n\n", []Event{{"", "message", "x"}}},
		{"nothing", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := parseEvents(t, test.text); !slices.Equal(got, test.want) {
				t.Errorf("got %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// An event is there with the blank line that ends it: the reader does not look for
// the LF that might follow a CR.
func TestEventIsNotHeldBack(t *testing.T) {
	from, to := io.Pipe()
	defer to.Close()
	go func() { _, _ = io.WriteString(to, "data: x\r\r") }()
	reader := &eventReader{lines: lineReader{from: bufio.NewReader(from)}}
	if event, err := reader.next(); err != nil || event.Data != "x" {
		t.Errorf("got %+v, %v", event, err)
	}
}

func FuzzEvents(f *testing.F) {
	for _, seed := range []string{"data: a\n\n", "id: 1\r\nevent: x\rdata\n\n", "\ufeff:\n\nretry: 10\n\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		events := parseEvents(t, text)
		// What was read, written out again, reads the same.
		var out strings.Builder
		for _, event := range events {
			out.WriteString("id: " + event.ID + "\nevent: " + event.Name + "\n")
			for line := range strings.SplitSeq(event.Data, "\n") {
				out.WriteString("data: " + line + "\n")
			}
			out.WriteString("\n")
		}
		if again := parseEvents(t, out.String()); !slices.Equal(again, events) {
			t.Errorf("%q gives %+v, and again %+v", text, events, again)
		}
	})
}
