package admin

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

// tieView is a relation of many to many in a form: boxes to mark where there are few rows, otherwise the rows that are tied,
// each with a box, and a field to search for more.
type tieView struct {
	Name, Label, Mistake string
	Choices              []choice
	Pick                 string
	TooMany              bool // to be edited in one form
	Locked               bool // it is shown only

	tie   *tie
	other *model
	old   []string
	want  []string
	sent  bool
}

const tieMost = 300

// tie loads what a row is tied to, as far as the visitor may see it: what they may not see stays as it is.
func (v *visit) tie(t *tie, s *sheet, form *ishaa.Form) (*tieView, error) {
	other := v.panel.bySlug[t.relation.Table]
	if other == nil || !v.may(other, View) || len(s.m.key) != 1 {
		return nil, nil
	}
	view := &tieView{Name: s.prefix + "tie." + t.name, Label: v.say(t.label), Locked: t.readOnly, tie: t, other: other}
	labels := map[string]string{}
	if !s.fresh {
		keys, err := v.tied(t, s, other)
		if err != nil {
			return nil, err
		}
		if view.TooMany = len(keys) > tieMost; view.TooMany {
			return view, nil
		}
		if labels, err = v.labelsOf(other, keys); err != nil {
			return nil, err
		}
		for _, key := range keys {
			if _, ok := labels[key]; ok {
				view.old = append(view.old, key)
			}
		}
	}
	view.want = view.old
	if form != nil && !t.readOnly && form.Has(view.Name) { // a field that is always there says that the boxes were shown
		if err := v.sentTie(view, form, labels); err != nil {
			return nil, err
		}
	}
	n, err := other.rows.count(v.ctx, v.on, v.seen(other), fewRows+1)
	if err != nil {
		return nil, err
	}
	if n <= fewRows {
		view.Choices, err = v.rowChoices(other, view.want)
		return view, err
	}
	view.Pick = v.panel.at(other.slug, "-", "pick")
	for _, key := range view.want {
		view.Choices = append(view.Choices, choice{Value: key, Label: labels[key], Chosen: true})
	}
	return view, nil
}

func (v *visit) sentTie(view *tieView, form *ishaa.Form, labels map[string]string) error {
	view.sent, view.want = true, nil
	for _, text := range form.Values()[view.Name] {
		for _, key := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
			if !slices.Contains(view.want, key) && len(view.want) < tieMost {
				view.want = append(view.want, key)
			}
		}
	}
	found, err := v.labelsOf(view.other, slices.Clone(view.want))
	if err != nil {
		return err
	}
	for _, key := range view.want {
		if labels[key] = found[key]; found[key] == "" {
			labels[key], view.Mistake = key, v.say("there is no such row")
		}
	}
	return nil
}

// tied are the keys of the rows that a row is tied to.
func (v *visit) tied(t *tie, s *sheet, other *model) ([]string, error) {
	where, _ := s.m.byKey(s.m.keyOf(s.row))
	row, err := s.m.rows.one(v.ctx, v.on, question{where: where, with: []string{t.relation.Field}}, false)
	if err != nil {
		return nil, err
	}
	holder := reflect.ValueOf(row).Elem().FieldByName(t.relation.Field).Addr()
	list := holder.MethodByName("All").Call(nil)[0]
	var keys []string
	for i := range list.Len() {
		keys = append(keys, other.keyText(list.Index(i).Addr().Interface()))
	}
	return keys, nil
}

func (v *visit) saveTie(tx *orm.Tx, s *sheet, view *tieView) error {
	if !view.sent {
		return nil
	}
	var add, drop []any
	var change Change
	for _, side := range []struct {
		keys, but []string
		into      *[]any
		text      *string
	}{{view.want, view.old, &add, &change.New}, {view.old, view.want, &drop, &change.Old}} {
		probe := reflect.New(view.other.typ).Elem()
		for _, key := range side.keys {
			if slices.Contains(side.but, key) {
				continue
			}
			if message := view.other.key[0].parse(probe, key); message != "" {
				return fmt.Errorf("admin: the key %q of %s: %s", key, view.other.slug, message)
			}
			*side.into = append(*side.into, probe.FieldByIndex(view.other.key[0].at).Interface())
			*side.text = strings.TrimPrefix(*side.text+", "+key, ", ")
		}
	}
	if len(add)+len(drop) == 0 {
		return nil
	}
	if err := s.m.rows.tie(v.ctx, tx, s.row, view.tie.relation.Field, add, drop); err != nil {
		return err
	}
	change.Field = view.tie.label
	change.Old, change.New = clip(change.Old, 2000), clip(change.New, 2000)
	return v.record(v.ctx, tx, string(Edit), s.m, s.row, []Change{change})
}
