package shell

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/ishaa-framework/ishaa/internal/terminal"
)

// The widest a cell of a table is, in characters.
const cellWidth = 40

// show prints what an expression gave: lists of rows as a table, a row with a field per line, the rest as Starlark
// writes it.
func (s *session) show(v starlark.Value) error {
	if s.json {
		value, err := s.asJSON(v)
		if err != nil {
			return err
		}
		encoder := json.NewEncoder(s.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(value)
	}
	switch v := v.(type) {
	case *starlark.List:
		if v.Len() > 0 && s.showList(v) {
			return nil
		}
	case *row:
		var lines [][]string
		for _, name := range v.m.names {
			lines = append(lines, []string{name, cell(v, name, 400)})
		}
		writeTable(s.out, s.style, nil, lines)
		return nil
	case *starlarkstruct.Struct:
		var lines [][]string
		for _, name := range v.AttrNames() {
			lines = append(lines, []string{name, cell(v, name, 400)})
		}
		writeTable(s.out, s.style, nil, lines)
		return nil
	}
	fmt.Fprintln(s.out, terminal.Clean(v.String()))
	return nil
}

// showList prints a list whose elements have the same fields, and says whether it is one.
func (s *session) showList(list *starlark.List) bool {
	head := fieldsOf(list.Index(0))
	if head == nil {
		return false
	}
	var lines [][]string
	for i := range list.Len() {
		v := list.Index(i)
		if !slices.Equal(fieldsOf(v), head) {
			return false
		}
		if i >= s.maxRows {
			continue
		}
		var line []string
		for _, name := range head {
			line = append(line, cell(v.(starlark.HasAttrs), name, cellWidth))
		}
		lines = append(lines, line)
	}
	writeTable(s.out, s.style, head, lines)
	if more := list.Len() - s.maxRows; more > 0 {
		fmt.Fprintf(s.out, "… and %d more\n", more)
	}
	return true
}

// fieldsOf are the columns of a table that a value is a line of, or nil.
func fieldsOf(v starlark.Value) []string {
	switch v := v.(type) {
	case *row:
		return v.m.names
	case *starlarkstruct.Struct:
		switch v.Constructor() {
		case starlark.String("route"):
			return []string{"methods", "pattern", "name", "source"}
		case starlark.String("table"):
			return []string{"model", "table", "fields", "relations"}
		}
		return v.AttrNames()
	}
	return nil
}

func cell(v starlark.HasAttrs, name string, width int) string {
	var value starlark.Value
	var err error
	if r, ok := v.(*row); ok { // an attribute would be a method or a relation of that name, too
		value, err = r.field(name)
	} else {
		value, err = v.Attr(name)
	}
	if err != nil {
		return "(" + err.Error() + ")"
	}
	text := value.String()
	if word, ok := starlark.AsString(value); ok {
		text = word
	} else if at, ok := value.(startime.Time); ok {
		text = time.Time(at).UTC().Format("2006-01-02 15:04:05.999999")
	}
	return shortened(text, width)
}

// shortened is a text in one line, of so many characters.
func shortened(text string, width int) string {
	text = strings.NewReplacer("\n", "⏎", "\t", " ").Replace(text)
	text = terminal.Clean(text)
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// writeTable aligns columns. A head is set off.
func writeTable(out io.Writer, style terminal.Style, head []string, lines [][]string) {
	all := lines
	if head != nil {
		all = append([][]string{head}, lines...)
	}
	var widths []int
	for _, line := range all {
		for i, text := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for n, line := range all {
		var b strings.Builder
		for i, text := range line {
			b.WriteString(text)
			if i < len(line)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+2))
			}
		}
		text := strings.TrimRight(b.String(), " ")
		if n == 0 && head != nil {
			text = style.Bold(text)
		}
		fmt.Fprintln(out, text)
	}
}
