package admin

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"reflect"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa"
)

// What an export holds an import takes: columns are named as lookups name them, times are in UTC, secret fields are left out.
// In CSV an empty cell stands for the empty text and for no value alike; JSON tells them apart.

// export streams the rows of the list, all of them, in its order.
func (p *Panel) export(v *visit, m *model) (any, error) {
	if !v.may(m, Export) {
		return nil, ishaa.Forbidden("%s", v.say("You may not export %s.", v.say(m.many)))
	}
	asked := v.r.QueryValues()
	l, err := v.listing(m, asked)
	if err != nil {
		return nil, err
	}
	rows := func(yield func(any, error) bool) {
		if l.nothing {
			return
		}
		for row, err := range m.rows.each(v.ctx, p.db, l.question) {
			if err == nil && !v.mayAsk(Ask{Action: View, Model: m.slug, Row: row}) || err == nil && !v.mayAsk(Ask{Action: Export, Model: m.slug, Row: row}) {
				continue
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
	name := m.slug + "-" + v.r.Time().UTC().Format("20060102-150405")
	if asked.Get("format") == "json" {
		return ishaa.Stream("application/json", func(w *ishaa.StreamWriter) error { return m.writeJSON(w, rows) }).Attachment(name + ".json"), nil
	}
	return ishaa.Stream("text/csv; charset=utf-8", func(w *ishaa.StreamWriter) error { return m.writeCSV(w, rows) }).Attachment(name + ".csv"), nil
}

// exported are the fields that files have.
func (m *model) exported() []*field {
	var list []*field
	for _, f := range m.fields {
		if !f.secret {
			list = append(list, f)
		}
	}
	return list
}

func (m *model) writeCSV(w io.Writer, rows iter.Seq2[any, error]) error {
	out := csv.NewWriter(w)
	fields := m.exported()
	record := make([]string, len(fields))
	for i, f := range fields {
		record[i] = f.name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		value := reflect.ValueOf(row).Elem()
		for i, f := range fields {
			record[i] = f.text(value)
			if f.column.Kind == "text" || !isNumber(record[i]) {
				record[i] = harmless(record[i])
			}
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// A spreadsheet takes a cell that begins with one of these for a formula, which can read files and send them away.
const formulas = "=+-@\t\r\n\u00a0＝＋－＠"

// One that takes other separators than the comma begins a cell behind each of these, quotes or not: what it opens as one cell
// are the first columns of a line, so that the quotes of a later one are not where it looks for them.
const separators = ";\t\r\n"

// harmless puts an apostrophe before what a spreadsheet would compute, at the beginning of a text and behind what may separate
// cells, so that meant takes away what harmless has put there.
func harmless(text string) string {
	if !strings.ContainsAny(text, formulas) {
		return text
	}
	var out strings.Builder
	for p := range cells(text) {
		quotes, rest := p.leading()
		out.WriteString(quotes)
		if p.isFormula(strings.TrimLeft(rest, "'")) {
			out.WriteByte('\'')
		}
		out.WriteString(rest)
	}
	return out.String()
}

// meant is what harmless made a cell of.
func meant(text string) string {
	if !strings.Contains(text, "'") {
		return text
	}
	var out strings.Builder
	for p := range cells(text) {
		quotes, rest := p.leading()
		out.WriteString(quotes)
		if bare := strings.TrimLeft(rest, "'"); len(bare) < len(rest) && p.isFormula(bare) {
			rest = rest[1:]
		}
		out.WriteString(rest)
	}
	return out.String()
}

// piece is a part of a text that a spreadsheet may take for a cell, with the separator behind it.
type piece struct {
	text  string
	inner bool // it is not the first
}

// isFormula reports whether what is left of a piece would be computed. An inner one that has only its separator is empty.
func (p piece) isFormula(text string) bool {
	begin := first(text)
	return strings.ContainsAny(begin, formulas) && !(p.inner && strings.ContainsAny(begin, separators))
}

// leading cuts off the quotes that an inner cell begins with, which a spreadsheet takes away. At the beginning of a text they
// are quoted themselves, and stay.
func (p piece) leading() (quotes, rest string) {
	if !p.inner {
		return "", p.text
	}
	rest = strings.TrimLeft(p.text, `"`)
	return p.text[:len(p.text)-len(rest)], rest
}

// cells cuts a text behind each separator.
func cells(text string) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		for inner := false; text != ""; inner = true {
			end := len(text)
			if at := strings.IndexAny(text, separators); at >= 0 {
				end = at + 1
			}
			if !yield(piece{text[:end], inner}) {
				return
			}
			text = text[end:]
		}
	}
}

// isNumber reports whether a text is a number, whose sign makes no formula of it.
func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

func first(text string) string {
	for i := range text {
		if i > 0 {
			return text[:i]
		}
	}
	return text
}

func (m *model) writeJSON(w io.Writer, rows iter.Seq2[any, error]) error {
	out := bufio.NewWriterSize(w, 32<<10)
	fields := m.exported()
	lead := "[\n"
	for row, err := range rows {
		if err != nil {
			return err
		}
		out.WriteString(lead)
		lead = ",\n"
		value := reflect.ValueOf(row).Elem()
		for i, f := range fields {
			out.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
			name, err := json.Marshal(f.name)
			if err != nil {
				return err
			}
			out.Write(name)
			out.WriteByte(':')
			data, err := f.json(value)
			if err != nil {
				return err
			}
			out.Write(data)
		}
		if _, err := out.WriteString("}"); err != nil {
			return err
		}
	}
	if lead == "[\n" {
		out.WriteString("[")
	}
	out.WriteString("\n]\n")
	return out.Flush()
}

func (f *field) json(row reflect.Value) ([]byte, error) {
	text := f.text(row)
	switch f.column.Kind {
	case "int", "uint", "bool", "json":
		if text == "" {
			return []byte("null"), nil
		}
		if json.Valid([]byte(text)) {
			return []byte(text), nil
		}
	case "float":
		if json.Valid([]byte(text)) {
			return []byte(text), nil
		}
	}
	if f.empty(row) {
		return []byte("null"), nil
	}
	return json.Marshal(text)
}
