package template

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

type row struct {
	ID    int
	Name  string
	Email string
	Admin bool
}

type rowsPage struct {
	Title string
	Users []row
}

func fiftyRows() rowsPage {
	p := rowsPage{Title: "T & co"}
	for i := range 50 {
		n := strconv.Itoa(i)
		p.Users = append(p.Users, row{i, "User <" + n + ">", "u" + n + "@example.com", i%3 == 0})
	}
	return p
}

const rowsTemplate = `<html><title>{{ Title }}</title><ul>{% for u in Users %}<li id="u{{ u.ID }}"><a href="/users/{{ u.ID }}">{{ u.Name }}</a> {{ u.Email }}{% if u.Admin %} (admin){% endif %}</li>{% endfor %}</ul></html>`

// writeText is how one escapes by hand.
func writeText(b *bytes.Buffer, s string) {
	last := 0
	for i := 0; i < len(s); i++ {
		var entity string
		switch s[i] {
		case '<':
			entity = "&lt;"
		case '>':
			entity = "&gt;"
		case '&':
			entity = "&amp;"
		case '"':
			entity = "&#34;"
		case '\'':
			entity = "&#39;"
		default:
			continue
		}
		b.WriteString(s[last:i])
		b.WriteString(entity)
		last = i + 1
	}
	b.WriteString(s[last:])
}

func writeRows(b *bytes.Buffer, p *rowsPage) {
	var scratch [32]byte
	b.WriteString("<html><title>")
	writeText(b, p.Title)
	b.WriteString("</title><ul>")
	for i := range p.Users {
		u := &p.Users[i]
		b.WriteString(`<li id="u`)
		b.Write(strconv.AppendInt(scratch[:0], int64(u.ID), 10))
		b.WriteString(`"><a href="/users/`)
		b.Write(strconv.AppendInt(scratch[:0], int64(u.ID), 10))
		b.WriteString(`">`)
		writeText(b, u.Name)
		b.WriteString("</a> ")
		writeText(b, u.Email)
		if u.Admin {
			b.WriteString(" (admin)")
		}
		b.WriteString("</li>")
	}
	b.WriteString("</ul></html>")
}

func TestFiftyRowsAreAsWrittenByHandWithFewAllocations(t *testing.T) {
	p := fiftyRows()
	e := New(fstest.MapFS{"rows.html": {Data: []byte(rowsTemplate)}})
	var got strings.Builder
	if err := e.Render(&got, "rows.html", &p); err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	writeRows(&want, &p)
	if got.String() != want.String() {
		t.Errorf("got %s\nwant %s", &got, &want)
	}
	allocs := testing.AllocsPerRun(200, func() { _ = e.Render(io.Discard, "rows.html", &p) })
	t.Logf("%.0f allocations", allocs)
	if !raceEnabled && allocs > 4 {
		t.Errorf("%.0f allocations for a page of 50 rows", allocs)
	}
}

// rowMaps are the same rows as maps.
func rowMaps(p *rowsPage) map[string]any {
	var users []map[string]any
	for _, u := range p.Users {
		users = append(users, map[string]any{"ID": u.ID, "Name": u.Name, "Email": u.Email, "Admin": u.Admin})
	}
	return map[string]any{"Title": p.Title, "Users": users}
}

func BenchmarkFiftyRows(b *testing.B) {
	p := fiftyRows()
	e := New(fstest.MapFS{"rows.html": {Data: []byte(rowsTemplate)}})
	byHand := func(b *testing.B) {
		var buf bytes.Buffer
		b.ReportAllocs()
		for b.Loop() {
			buf.Reset()
			writeRows(&buf, &p)
		}
	}
	rendered := func(data any) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := e.Render(io.Discard, "rows.html", data); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("by hand", byHand)
	b.Run("structs", rendered(&p))
	b.Run("maps", rendered(rowMaps(&p)))
	// The two in turns, so that whatever else the machine does falls on both alike.
	b.Run("structs to by hand", func(b *testing.B) {
		var buf bytes.Buffer
		var ours, hand time.Duration
		for b.Loop() {
			start := time.Now()
			for range 20 {
				_ = e.Render(io.Discard, "rows.html", &p)
			}
			middle := time.Now()
			for range 20 {
				buf.Reset()
				writeRows(&buf, &p)
			}
			ours, hand = ours+middle.Sub(start), hand+time.Since(middle)
		}
		b.ReportMetric(float64(ours)/float64(hand), "times")
	})
}
