package admin

import (
	"net/url"
	"reflect"
	"strings"

	"github.com/ishaa-framework/ishaa/orm"
)

// choice is one of the values that can be picked.
type choice struct {
	Value, Label string
	Chosen       bool
}

// filterView is one filter as the page shows it: its kind says with which controls.
type filterView struct {
	Label, Name string
	Kind        string // "choice", "range", "text" or "relation"
	Type        string // of the inputs of a range
	Choices     []choice
	Min, Max    string
	Value       string
	Chosen      string // what the chosen related row is called
	Pick        string // where related rows are searched for
	Mistake     string
}

// narrow adds the conditions of the filters that are asked for. A value that is none is shown as wrong and not used.
func (v *visit) narrow(m *model, l *listing, asked url.Values) error {
	for _, f := range m.filters {
		view := filterView{Label: v.say(f.label), Name: "f." + f.name, Kind: "text"}
		inForce := 0
		get := func(name string) string { // a range asks twice, and is one filter
			value := strings.TrimSpace(asked.Get(name))
			if value != "" {
				l.query.Set(name, value)
				inForce = 1
			}
			return value
		}
		switch {
		case f.target != "":
			if err := v.filterRelation(m, f, &view, l, get); err != nil {
				return err
			}
		case f.column.Kind == "bool":
			v.filterChoice(f, &view, l, get(view.Name), []choice{{Value: "true", Label: v.say("Yes")}, {Value: "false", Label: v.say("No")}})
		case f.column.Enum != nil:
			var choices []choice
			for _, value := range f.column.Enum {
				choices = append(choices, choice{Value: value, Label: v.say(value)})
			}
			v.filterChoice(f, &view, l, get(view.Name), choices)
		case f.isNumber() || f.column.Kind == "time" || f.column.Kind == "date" || f.column.Kind == "duration":
			v.filterRange(m, f, &view, l, get(view.Name+".min"), get(view.Name+".max"))
		case f.column.Kind == "text":
			if view.Value = get(view.Name); view.Value != "" {
				l.question = l.and(f.name+"__icontains", view.Value)
			}
		default: // of what cannot be compared it can be asked whether it is there
			v.filterChoice(f, &view, l, get(view.Name), nil)
		}
		l.active += inForce
		l.filters = append(l.filters, view)
	}
	return nil
}

const noValue = "-" // of a filter: what has no value

func (v *visit) filterChoice(f *field, view *filterView, l *listing, value string, choices []choice) {
	view.Kind = "choice"
	if f.column.Null {
		choices = append(choices, choice{Value: noValue, Label: v.say("Empty")})
	}
	for i := range choices {
		if choices[i].Value != value {
			continue
		}
		choices[i].Chosen = true
		switch {
		case value == noValue:
			l.question = l.and(f.name+"__isnull", true)
		case f.column.Kind == "bool":
			l.question = l.and(f.name, value == "true")
		default:
			l.question = l.and(f.name, value)
		}
	}
	view.Choices = choices
}

func (v *visit) filterRange(m *model, f *field, view *filterView, l *listing, least, most string) {
	view.Kind, view.Min, view.Max, view.Type = "range", least, most, "number"
	switch f.column.Kind {
	case "time", "date":
		view.Type = "date"
	case "duration":
		view.Type = "text"
	}
	for _, bound := range []struct{ text, lookup string }{{least, "__gte"}, {most, "__lte"}} {
		if bound.text == "" {
			continue
		}
		text, lookup := bound.text, bound.lookup
		if view.Type == "date" && lookup == "__lte" && len(text) == len(dayForm) { // the whole of the last day
			if t, ok := parseTime(text); ok {
				text, lookup = t.AddDate(0, 0, 1).Format(timeForm), "__lt"
			}
		}
		bare := *f // bounds need not keep to the rules of a value
		bare.rules = f.loose
		probe := reflect.New(m.typ).Elem()
		if message := bare.parse(probe, text); message != "" {
			view.Mistake = v.say(message)
			continue
		}
		value, ok := bare.inner(probe)
		if !ok {
			continue
		}
		l.question = l.and(f.name+lookup, value.Interface())
	}
}

func (v *visit) filterRelation(m *model, f *field, view *filterView, l *listing, get func(string) string) error {
	view.Kind, view.Value = "relation", get(view.Name)
	if f.column.Null {
		view.Choices = []choice{{Value: noValue, Label: v.say("Empty"), Chosen: view.Value == noValue}}
	}
	other := v.panel.bySlug[f.target]
	if other != nil && len(other.key) == 1 && v.may(other, View) {
		view.Pick = v.panel.at(other.slug, "-", "pick")
	}
	if view.Value == "" {
		return nil
	}
	if view.Value == noValue {
		l.question = l.and(f.name+"__isnull", true)
		return nil
	}
	probe := reflect.New(m.typ).Elem()
	if message := f.parse(probe, view.Value); message != "" {
		view.Mistake = v.say(message)
		return nil
	}
	value, _ := f.inner(probe)
	l.question = l.and(orm.Q(f.name, value.Interface()))
	labels, err := v.labels(f, []string{view.Value})
	view.Chosen = view.Value
	if label := labels[view.Value]; label != "" {
		view.Chosen = label
	}
	return err
}
