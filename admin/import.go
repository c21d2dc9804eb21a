package admin

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

// An import is read as it is written, a row at a time. A row with the key of one that is there changes it, another one is
// made. Columns that the form does not have are passed over: what cannot be entered cannot be imported. The whole file is one
// transaction, so that a file with bad rows changes nothing, or each row is one of its own; the visitor chooses.

// badMost is how many bad rows are told; after them the file is not read any further.
const badMost = 100

type badRow struct {
	Line    int
	Field   string
	Message string
}

type imported struct {
	Made, Changed, Same int
	Bad                 []badRow
	Stopped             bool
	Passed              []string // columns that were passed over
	Unreadable          string   // why the file cannot be read at all
}

// kept reports whether what the file says has been written.
func (r *imported) kept(mode string) bool {
	return r.Unreadable == "" && (mode == "rows" || mode != "check" && len(r.Bad) == 0)
}

// sentRow is one row of a file.
type sentRow struct {
	line   int
	values url.Values
}

func (p *Panel) importPage(v *visit, m *model) (any, error) {
	return v.showImport(m, map[string]any{}, 0)
}

func (v *visit) showImport(m *model, data map[string]any, status int) (any, error) {
	if !v.may(m, Import) {
		return nil, ishaa.Forbidden("%s", v.say("You may not import %s.", v.say(m.many)))
	}
	var columns []string
	s := &sheet{m: m, fields: m.form, fresh: true}
	for _, f := range m.form {
		if s.open(f) {
			columns = append(columns, f.name)
		}
	}
	for _, f := range m.key {
		if !slices.Contains(columns, f.name) {
			columns = slices.Insert(columns, 0, f.name)
		}
	}
	data["m"], data["columns"], data["title"] = m.view(v), columns, v.say("Import %s", v.say(m.many))
	res, err := v.show("import.html", data)
	if err == nil && status != 0 {
		return res.(*ishaa.Response).WithStatus(status), nil
	}
	return res, err
}

var errRollBack = errors.New("admin: nothing is kept")

func (p *Panel) importFile(v *visit, m *model) (any, error) {
	if !v.may(m, Import) {
		return nil, ishaa.Forbidden("%s", v.say("You may not import %s.", v.say(m.many)))
	}
	form, err := v.r.Form()
	if err != nil {
		return nil, err
	}
	file := form.File("file")
	mode := form.Value("mode")
	if file == nil || file.Size() == 0 {
		return v.showImport(m, map[string]any{"alert": v.say("Choose a file."), "mode": mode}, 422)
	}
	if p.imports != nil && file.Size() >= p.options.LargeImport {
		return v.importLater(m, file, mode)
	}
	result, err := v.importAll(m, mode, func(*visit) (io.ReadCloser, error) { return file.Open() })
	switch {
	case err != nil:
		return nil, err
	case result.Unreadable != "":
		return v.showImport(m, map[string]any{"alert": result.Unreadable, "mode": mode}, 422)
	}
	data := map[string]any{"result": result, "mode": mode, "kept": result.kept(mode), "checked": mode == "check"}
	if len(result.Bad) > 0 {
		return v.showImport(m, data, 422)
	}
	return v.showImport(m, data, 0)
}

// importAll takes the rows of a file in one transaction, or with the mode "rows" each in one of its own.
func (v *visit) importAll(m *model, mode string, open func(*visit) (io.ReadCloser, error)) (result *imported, err error) {
	read := func(v *visit, tx *orm.Tx) error {
		content, err := open(v)
		if err != nil {
			return err
		}
		defer content.Close()
		result = &imported{}
		return v.importRows(tx, m, content, result)
	}
	if mode == "rows" {
		err = read(v, nil)
	} else {
		err = v.panel.db.Tx(v.ctx, func(tx *orm.Tx) error {
			if err := read(v.in(tx), tx); err != nil {
				return err
			}
			if !result.kept(mode) {
				return errRollBack
			}
			return nil
		})
	}
	var unreadable *badFile
	switch {
	case errors.As(err, &unreadable):
		result.Unreadable = v.say(unreadable.text, unreadable.values...)
	case err != nil && !errors.Is(err, errRollBack):
		return nil, err
	}
	return result, nil
}

// badFile is a file that cannot be read at all.
type badFile struct {
	text   string
	values []any
}

func (e *badFile) Error() string { return fmt.Sprintf(e.text, e.values...) }

// importRows takes the rows of a file: in a transaction, each as a part of it that can be undone, or by themselves.
func (v *visit) importRows(tx *orm.Tx, m *model, content io.Reader, result *imported) error {
	passed := map[string]bool{}
	for row, err := range m.read(content) {
		if err != nil {
			return err
		}
		if err := v.ctx.Err(); err != nil {
			return err
		}
		var bad *sheet
		one := func(tx *orm.Tx) (err error) {
			bad, err = v.in(tx).importRow(tx, m, row, result, passed)
			return err
		}
		counted := *result
		if tx != nil {
			err = tx.Tx(v.ctx, one)
		} else {
			err = v.panel.db.Tx(v.ctx, one)
		}
		if err != nil {
			result.Made, result.Changed, result.Same = counted.Made, counted.Changed, counted.Same
			if !result.refuse(v, m, row, bad, err) {
				return err
			}
		}
		if len(result.Bad) >= badMost {
			result.Stopped = true
			break
		}
	}
	for name := range passed {
		result.Passed = append(result.Passed, name)
	}
	slices.Sort(result.Passed)
	return nil
}

// refuse notes why a row was not taken; false if that is no fault of the row.
func (r *imported) refuse(v *visit, m *model, row sentRow, s *sheet, err error) bool {
	var problem *ishaa.Problem
	switch {
	case errors.Is(err, errMistakes) && s != nil:
		for _, name := range sortedKeys(s.mistakes) {
			label := name
			if f := m.named[name]; f != nil {
				label = f.name
			}
			r.Bad = append(r.Bad, badRow{row.line, label, v.say(s.mistakes[name])})
		}
	case errors.As(err, &problem) && problem.Status < 500:
		r.Bad = append(r.Bad, badRow{row.line, "", problem.Detail})
	default:
		return false
	}
	return true
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (v *visit) importRow(tx *orm.Tx, m *model, row sentRow, result *imported, passed map[string]bool) (*sheet, error) {
	s := &sheet{m: m, fields: m.form, row: m.rows.fresh(v.panel.db), fresh: true, sent: row.values}
	old, err := v.importedKey(tx, m, s)
	if err != nil {
		return s, err
	}
	if old != nil {
		s.row, s.fresh = old, false
	}
	for name := range row.values {
		f := m.named[name]
		switch {
		case f == nil || f.name != name || f.secret:
			return s, &badFile{"The file has a column “%s”, which %s do not have.", []any{clip(name, 60), m.many}}
		case !s.open(f) && !slices.Contains(m.key, f) || !slices.Contains(m.form, f):
			passed[name] = true
		}
	}
	before := m.texts(s.row)
	if err := v.read(v.ctx, s); err != nil {
		return s, err
	}
	if s.fresh {
		if !v.may(m, Create) {
			return s, ishaa.Forbidden("%s", v.say("You may not add %s.", v.say(m.many)))
		}
		result.Made++
		return s, v.createIn(v.ctx, tx, s)
	}
	if changes, _ := m.changes(before, s.row); len(changes) == 0 && len(s.mistakes) == 0 {
		result.Same++
		return s, nil
	}
	result.Changed++
	return s, v.saveIn(v.ctx, tx, s, before)
}

// importedKey finds the row that a row of a file speaks of, or nil if it is a new one.
func (v *visit) importedKey(tx *orm.Tx, m *model, s *sheet) (any, error) {
	probe := reflect.New(m.typ)
	for _, f := range m.key {
		text, ok := s.said(f)
		if !ok || text == "" {
			return nil, nil
		}
		if message := f.parse(probe.Elem(), text); message != "" {
			s.wrong(f.name, message)
			return nil, errMistakes
		}
	}
	row, err := v.findOn(tx, m, m.keyOf(probe.Interface()), Edit, true)
	var problem *ishaa.Problem
	if errors.As(err, &problem) && problem.Status == 404 && !m.key[0].column.Auto {
		return nil, nil // a key that people choose: a row of that key is to be made, unless there is one out of sight
	}
	return row, err
}

// read yields the rows of a file. What begins like JSON is JSON.
func (m *model) read(content io.Reader) iter.Seq2[sentRow, error] {
	in := bufio.NewReaderSize(content, 64<<10)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		in.Discard(3)
	}
	if c, err := in.Peek(1); err == nil && (c[0] == '[' || c[0] == '{') {
		return readJSON(in)
	}
	return m.readCSV(in)
}

// readCSV yields the rows of a CSV file (RFC 4180) whose first line names the columns. A semicolon or a tab may be the
// separator, as spreadsheets write it.
func (m *model) readCSV(in *bufio.Reader) iter.Seq2[sentRow, error] {
	return func(yield func(sentRow, error) bool) {
		head, _ := in.Peek(4096)
		line, _, _ := bytes.Cut(head, []byte("\n"))
		r := csv.NewReader(in)
		r.FieldsPerRecord, r.ReuseRecord = -1, true
		for _, comma := range []rune{';', '\t'} {
			if strings.Count(string(line), string(comma)) > strings.Count(string(line), string(r.Comma)) {
				r.Comma = comma
			}
		}
		var names []string
		for {
			record, err := r.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var syntax *csv.ParseError
			if errors.As(err, &syntax) {
				yield(sentRow{}, &badFile{"The file is no CSV: line %d, column %d.", []any{syntax.Line, syntax.Column}})
				return
			} else if err != nil {
				yield(sentRow{}, err)
				return
			}
			line, _ := r.FieldPos(0)
			if names == nil {
				for _, name := range record {
					names = append(names, strings.TrimSpace(name))
				}
				if twice := repeated(names); twice != "" {
					yield(sentRow{}, &badFile{"The file has two columns “%s”.", []any{clip(twice, 60)}})
					return
				}
				continue
			}
			if len(record) != len(names) {
				yield(sentRow{}, &badFile{"Line %d has %d cells, and the first line names %d columns.", []any{line, len(record), len(names)}})
				return
			}
			values := url.Values{}
			for i, cell := range record {
				values[names[i]] = []string{meant(cell)}
			}
			if !yield(sentRow{line, values}, nil) {
				return
			}
		}
	}
}

func repeated(names []string) string {
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return name
		}
		seen[name] = true
	}
	return ""
}

// counted counts the lines of what is read through it.
type counted struct {
	r     io.Reader
	lines []int64 // where each line ends, beyond what was asked for
	at    int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			c.lines = append(c.lines, c.at+int64(i))
		}
	}
	c.at += int64(n)
	return n, err
}

// readJSON yields the objects of an array, or objects one after the other as NDJSON has them.
func readJSON(in io.Reader) iter.Seq2[sentRow, error] {
	return func(yield func(sentRow, error) bool) {
		source := &counted{r: in}
		d := json.NewDecoder(source)
		d.UseNumber()
		passed := 0
		line := func() int { // in which the next value begins, as far as it has been read
			for len(source.lines) > 0 && source.lines[0] < d.InputOffset() {
				source.lines = source.lines[1:]
				passed++
			}
			next, _ := io.ReadAll(d.Buffered())
			next = next[:len(next)-len(bytes.TrimLeft(next, ", \t\r\n"))]
			return passed + 1 + bytes.Count(next, []byte("\n"))
		}
		fail := func(at int, err error) {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				yield(sentRow{}, &badFile{"The file is no JSON: it ends too early, in what begins in line %d.", []any{at}})
				return
			}
			yield(sentRow{}, &badFile{"The file is no JSON: line %d.", []any{at}})
		}
		array := false
		if peek, ok := in.(*bufio.Reader); ok {
			c, _ := peek.Peek(1)
			array = len(c) > 0 && c[0] == '['
		}
		if array {
			if _, err := d.Token(); err != nil {
				fail(1, err)
				return
			}
		}
		for {
			more := d.More()
			at := line()
			if array && !more {
				if _, err := d.Token(); err != nil {
					fail(at, err)
				}
				return
			}
			var object map[string]json.RawMessage
			err := d.Decode(&object)
			if !array && errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				fail(at, err)
				return
			}
			if !yield(sentRow{at, texts(object)}, nil) {
				return
			}
		}
	}
}

// texts are the values of an object as CSV would have them.
func texts(object map[string]json.RawMessage) url.Values {
	values := url.Values{}
	for name, raw := range object {
		text := string(raw)
		var s string
		if text == "null" {
			text = ""
		} else if json.Unmarshal(raw, &s) == nil {
			text = s
		}
		values[name] = []string{text}
	}
	return values
}
