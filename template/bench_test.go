package template

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
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

func writeRows(b *bytes.Buffer, p *rowsPage) {
	var scratch [32]byte
	text := func(s string) { b.Write(appendHTML(b.AvailableBuffer(), s)) }
	b.WriteString("<html><title>")
	text(p.Title)
	b.WriteString("</title><ul>")
	for i := range p.Users {
		u := &p.Users[i]
		b.WriteString(`<li id="u`)
		b.Write(strconv.AppendInt(scratch[:0], int64(u.ID), 10))
		b.WriteString(`"><a href="/users/`)
		b.Write(strconv.AppendInt(scratch[:0], int64(u.ID), 10))
		b.WriteString(`">`)
		text(u.Name)
		b.WriteString("</a> ")
		text(u.Email)
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

func BenchmarkFiftyRows(b *testing.B) {
	p := fiftyRows()
	e := New(fstest.MapFS{"rows.html": {Data: []byte(rowsTemplate)}})
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Render(io.Discard, "rows.html", &p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFiftyRowsByHand(b *testing.B) {
	p := fiftyRows()
	var buf bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		buf.Reset()
		writeRows(&buf, &p)
	}
}
