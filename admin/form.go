package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/schema"
)

// Validator is a model with rules that tags cannot say. The Pointer of a violation names a field as lookups do, "/ends_at",
// or is "" for the row as a whole. It is asked before a row is written, when each field by itself fits.
type Validator interface {
	Validate(ctx context.Context) []schema.Violation
}

// input is one field of a form as the page shows it.
type input struct {
	Name, ID, Label, Help string
	Kind                  string // "text", "area", "number", "bool", "choice", "time", "date", "json", "relation" or "static"
	Type                  string // of an <input>
	Value                 string
	Choices               []choice
	Required              bool
	Max                   int
	Mistake               string
	Pick, Chosen, Href    string // of a relation
	Cell                  cell   // of what cannot be changed
	Half                  bool   // it is narrow
}

// sheet is one row in a form: the row, what was sent for it, and what is wrong with that.
type sheet struct {
	m        *model
	fields   []*field
	row      any
	fresh    bool              // the row is to be made
	prefix   string            // before the names of its inputs
	sent     url.Values        // nil if nothing was
	mistakes map[string]string // by the name of the field; "" is the row as a whole
}

func (s *sheet) value() reflect.Value { return reflect.ValueOf(s.row).Elem() }

func (s *sheet) wrong(name, message string) {
	if s.mistakes == nil {
		s.mistakes = map[string]string{}
	}
	if s.mistakes[name] == "" {
		s.mistakes[name] = message
	}
}

// open reports whether a field can be changed by this form. Whatever a request says of others is not looked at.
func (s *sheet) open(f *field) bool {
	isKey := slices.Contains(s.m.key, f)
	return !f.readOnly && !f.secret && (!isKey || s.fresh && !f.column.Auto)
}

// said is the text that was sent for a field, and whether one was. A box that can be marked sends "" and then its mark.
func (s *sheet) said(f *field) (string, bool) {
	if s.sent == nil {
		return "", false
	}
	values := s.sent[s.prefix+f.name]
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}

// read takes what was sent into the row.
func (v *visit) read(ctx context.Context, s *sheet) error {
	row := s.value()
	for _, f := range s.fields {
		if !s.open(f) {
			continue
		}
		text, ok := s.said(f)
		if !ok {
			if s.fresh && f.rules != nil && f.rules.Required {
				s.wrong(f.name, required)
			}
			continue
		}
		before := f.text(row)
		if message := f.set(row, text); message != "" {
			s.wrong(f.name, message)
			continue
		}
		if after := f.text(row); f.target != "" && after != before && after != "" {
			if err := v.reachable(f, s, after); err != nil {
				return err
			}
		}
	}
	if validator, ok := s.row.(Validator); ok && len(s.mistakes) == 0 {
		for _, violation := range validator.Validate(ctx) {
			s.wrong(strings.TrimPrefix(violation.Pointer, "/"), violation.Message)
		}
	}
	return nil
}

// reachable makes it a mistake to refer to a row that the visitor may not see.
func (v *visit) reachable(f *field, s *sheet, key string) error {
	if v.panel.bySlug[f.target] == nil || !v.may(v.panel.bySlug[f.target], View) {
		return nil // the database says whether there is such a row
	}
	labels, err := v.labels(f, []string{key})
	if _, ok := labels[key]; err == nil && !ok {
		s.wrong(f.name, "there is no such row")
	}
	return err
}

// conflict makes mistakes of what a database refuses, or returns the error if it is another one.
func (s *sheet) conflict(err error) error {
	var e *orm.Error
	if !errors.As(err, &e) {
		return err
	}
	message := ""
	switch {
	case errors.Is(err, orm.ErrUnique):
		message = "is taken by another row"
	case errors.Is(err, orm.ErrNotNull):
		message = required
	case errors.Is(err, orm.ErrForeignKey):
		message = "there is no such row"
	case errors.Is(err, orm.ErrCheck):
		message = "is refused by a rule of the database"
	case errors.Is(err, orm.ErrStale):
		s.wrong("", changedMeanwhile)
		return nil
	default:
		return err
	}
	named := s.m.conflictFields(e.Columns)
	for _, f := range named {
		s.wrong(f.name, message)
	}
	if len(named) == 0 {
		s.wrong("", "The database refuses this: a value "+message+".")
	}
	return nil
}

const changedMeanwhile = "Somebody has changed this row in the meantime. Look at what is there now, and enter your changes again."

// inputs are the sheet's fields as the page shows them.
func (v *visit) inputs(s *sheet) ([]input, error) {
	var list []input
	for _, f := range s.fields {
		in, err := v.input(s, f)
		if err != nil {
			return nil, err
		}
		if in.Kind == "static" && s.fresh {
			continue // there is nothing to show yet
		}
		list = append(list, in)
	}
	return list, nil
}

func (v *visit) input(s *sheet, f *field) (input, error) {
	name := s.prefix + f.name
	in := input{Name: name, ID: "in-" + strings.ReplaceAll(name, ".", "-"), Label: v.say(f.label), Kind: "text", Type: "text", Value: f.text(s.value())}
	if f.help != "" {
		in.Help = v.say(f.help)
	}
	if message := s.mistakes[f.name]; message != "" {
		in.Mistake = v.say(message)
	}
	in.Half = f.target != "" || f.column.Kind != "text" && f.column.Kind != "json" || f.column.Enum != nil || f.column.Size > 0 && f.column.Size <= 60
	if !s.open(f) {
		in.Kind = "static"
		labels, err := v.labels(f, []string{in.Value})
		in.Cell = v.cell(f, s.row, labels)
		return in, err
	}
	if text, ok := s.said(f); ok {
		in.Value = text
	}
	must := f.rules != nil && f.rules.Required
	in.Required = must || !f.column.Null && f.column.Kind != "text" && f.column.Kind != "bool"
	in.Max = f.column.Size
	if _, ok := s.said(f); s.fresh && !ok && in.Required && f.column.DefaultSQL == "" && s.value().FieldByIndex(f.at).IsZero() {
		in.Value = "" // to be entered, not a zero to be overlooked
	}
	switch {
	case f.target != "":
		return in, v.relationInput(f, s, &in)
	case f.column.Enum != nil:
		in.Kind, in.Choices = "choice", v.choices(f.column.Enum, in.Value, !in.Required && f.column.Null)
	case f.rules != nil && len(f.rules.Type.Constraints().Enum) > 0:
		in.Kind, in.Choices = "choice", v.choices(enumTexts(f.rules.Type.Constraints().Enum), in.Value, !in.Required)
	case f.column.Kind == "bool" && f.column.Null:
		in.Kind, in.Choices = "choice", v.choices([]string{"true", "false"}, in.Value, true)
	case f.column.Kind == "bool":
		in.Kind = "bool"
	case f.column.Kind == "int" || f.column.Kind == "uint":
		in.Kind, in.Type = "number", "number"
	case f.column.Kind == "float" || f.column.Kind == "decimal":
		in.Kind, in.Type = "decimal", "text"
	case f.column.Kind == "time":
		in.Kind, in.Type = "time", "datetime-local"
		if t, ok := parseTime(in.Value); ok {
			in.Value = t.Format(inputForm)
		}
	case f.column.Kind == "date":
		in.Kind, in.Type = "date", "date"
	case f.column.Kind == "json":
		in.Kind = "json"
		in.Value = indented(in.Value)
	case f.column.Kind == "text" && (f.column.Size == 0 || f.column.Size > 255):
		in.Kind = "area"
	}
	if in.Kind == "text" && f.rules != nil && f.rules.Type.Format() == "email" {
		in.Type = "email"
	}
	return in, nil
}

func (v *visit) choices(values []string, chosen string, none bool) []choice {
	var list []choice
	if none || !slices.Contains(values, chosen) {
		list = append(list, choice{Value: "", Label: "—", Chosen: chosen == ""})
	}
	for _, value := range values {
		label := value
		switch value {
		case "true":
			label = "Yes"
		case "false":
			label = "No"
		}
		list = append(list, choice{Value: value, Label: v.say(label), Chosen: value == chosen})
	}
	return list
}

func enumTexts(list []json.RawMessage) []string {
	var texts []string
	for _, raw := range list {
		text := string(raw)
		var s string
		if json.Unmarshal(raw, &s) == nil {
			text = s
		}
		texts = append(texts, text)
	}
	return texts
}

func indented(text string) string {
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	data, err := json.MarshalIndent(json.RawMessage(text), "", "  ")
	if err != nil {
		return text
	}
	return string(data)
}

// fewRows is how many related rows stand in a list to choose from. Where there are more, they are searched for.
const fewRows = 60

func (v *visit) relationInput(f *field, s *sheet, in *input) error {
	in.Kind = "relation"
	other := v.panel.bySlug[f.target]
	if other == nil || len(other.key) != 1 || !v.may(other, View) {
		in.Kind = "text"
		in.Help = strings.TrimSpace(in.Help + " " + v.say("The key of a row."))
		return nil
	}
	n, err := other.rows.count(v.ctx, v.on, v.seen(other), fewRows+1)
	if err != nil {
		return err
	}
	if n <= fewRows {
		in.Kind = "choice"
		in.Choices, err = v.rowChoices(other, []string{in.Value})
		if !in.Required || in.Value == "" {
			in.Choices = slices.Insert(in.Choices, 0, choice{Label: "—", Chosen: in.Value == ""})
		}
		return err
	}
	labels, err := v.labels(f, []string{in.Value})
	in.Pick = v.panel.at(other.slug, "-", "pick")
	in.Chosen = labels[in.Value]
	if in.Chosen != "" {
		in.Href = v.panel.at(other.slug, escapeKey(in.Value))
	}
	return err
}

// rowChoices are all rows of a short list, to choose from.
func (v *visit) rowChoices(other *model, chosen []string) ([]choice, error) {
	q := v.seen(other)
	q.limit = fewRows
	var list []choice
	for row, err := range other.rows.each(v.ctx, v.on, q) {
		if err != nil {
			return nil, err
		}
		if v.mayAsk(Ask{Action: View, Model: other.slug, Row: row}) {
			key := other.keyText(row)
			list = append(list, choice{Value: key, Label: other.called(row), Chosen: slices.Contains(chosen, key)})
		}
	}
	slices.SortStableFunc(list, func(a, b choice) int { return strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label)) })
	return list, nil
}

// digest adds a row to a fingerprint.
func (m *model) digest(h hash.Hash, row any) {
	v := reflect.ValueOf(row).Elem()
	for _, f := range m.fields {
		fmt.Fprintf(h, "%d %t %s\n", len(f.text(v)), f.empty(v), f.text(v))
	}
}
