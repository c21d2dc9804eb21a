package admin

import (
	"context"
	"errors"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

// errMistakes ends a transaction because of what was sent; the page says why.
var errMistakes = errors.New("admin: the form has mistakes")

// find is the row of a key, if the visitor may do that to it. What is out of their sight is not found, whatever they ask for.
func (v *visit) find(m *model, key string, a Action) (any, error) {
	return v.findOn(v.panel.db, m, key, a, false)
}

func (v *visit) findOn(on orm.Session, m *model, key string, a Action, lock bool) (any, error) {
	missing := ishaa.NotFound("%s", v.say("There is no such row."))
	where, ok := m.byKey(key)
	if !ok {
		return nil, missing
	}
	q := v.seen(m).and(where...)
	q.order = nil
	row, err := m.rows.one(v.ctx, on, q, lock)
	switch {
	case errors.Is(err, orm.ErrNotFound):
		return nil, missing
	case err != nil:
		return nil, err
	case !v.mayRow(m, View, row):
		return nil, missing
	case a != View && !v.mayRow(m, a, row):
		return nil, ishaa.Forbidden("%s", v.say("You may not do this to %s.", m.called(row)))
	}
	return row, nil
}

// newPage shows an empty form, with values that the address gives to it: "?author=3".
func (p *Panel) newPage(v *visit, m *model) (any, error) {
	if !v.may(m, Create) {
		return nil, ishaa.Forbidden("%s", v.say("You may not add %s.", v.say(m.many)))
	}
	s := &sheet{m: m, fields: m.form, row: m.rows.fresh(p.db), fresh: true}
	for _, f := range m.form {
		if text := v.r.Query(f.name); text != "" && s.open(f) {
			f.set(s.value(), text)
		}
	}
	return v.form(s, nil, 0)
}

func (p *Panel) editPage(v *visit, m *model) (any, error) {
	row, err := v.find(m, v.r.Param("key"), View)
	if err != nil {
		return nil, err
	}
	return v.form(&sheet{m: m, fields: m.form, row: row}, nil, 0)
}

// form shows the form of a row: to be filled, or as it was sent, with what is wrong with it.
func (v *visit) form(s *sheet, parts *parts, status int) (any, error) {
	m := s.m
	editable := s.fresh && v.may(m, Create) || !s.fresh && v.mayRow(m, Edit, s.row)
	shown := *s
	if !editable { // as it is, with no fields to fill in
		shown.fields = locked(s.fields)
	}
	inputs, err := v.inputs(&shown)
	if err != nil {
		return nil, err
	}
	if parts == nil {
		if parts, err = v.parts(s, nil, editable); err != nil {
			return nil, err
		}
	}
	inlines, err := v.inlineViews(parts, editable)
	if err != nil {
		return nil, err
	}
	data := map[string]any{
		"m": m.view(v), "inputs": inputs, "inlines": inlines, "ties": parts.ties, "fresh": s.fresh, "editable": editable, "alert": "",
		"wrong": len(s.mistakes) > 0 || parts.wrong(), "at_form": v.panel.at(m.slug, "-", "new"), "title": v.say("New: %s", v.say(m.one)),
	}
	if message := s.mistakes[""]; message != "" {
		data["alert"] = v.say(message)
	}
	if !s.fresh {
		at := v.panel.at(m.slug, m.keyOf(s.row))
		data["title"], data["at_form"], data["history"] = m.called(s.row), at, at+"/log"
		data["state"] = parts.state
		data["copy"] = editable && v.may(m, Create) && !m.noCopy
		if v.mayRow(m, Delete, s.row) {
			data["delete"] = at + "/delete"
		}
	}
	res, err := v.show("form.html", data)
	if err == nil && status != 0 {
		return res.(*ishaa.Response).WithStatus(status), nil
	}
	return res, err
}

func (p *Panel) create(v *visit, m *model) (any, error) {
	form, err := v.r.Form()
	if err != nil {
		return nil, err
	}
	return v.make(m, form)
}

// make creates a row of a form that was sent.
func (v *visit) make(m *model, form *ishaa.Form) (any, error) {
	if !v.may(m, Create) {
		return nil, ishaa.Forbidden("%s", v.say("You may not add %s.", v.say(m.many)))
	}
	var s *sheet
	var parts *parts
	err := v.panel.db.Tx(v.ctx, func(tx *orm.Tx) (err error) {
		v := v.in(tx)
		s = &sheet{m: m, fields: m.form, row: m.rows.fresh(v.panel.db), fresh: true, sent: form.Values()}
		if parts, err = v.parts(s, form, true); err != nil {
			return err
		}
		if err := v.read(v.ctx, s); err != nil {
			return err
		}
		if len(s.mistakes) > 0 || parts.wrong() {
			return errMistakes
		}
		if err := v.createIn(v.ctx, tx, s); err != nil {
			return err
		}
		return v.saveParts(tx, s, parts)
	})
	if errors.Is(err, errMistakes) {
		s.fresh = true
		return v.form(s, parts, 422)
	} else if err != nil {
		return nil, err
	}
	return v.saved(s, form, v.say("%s was added.", m.called(s.row)))
}

// createIn creates the row of a sheet that was read, and records it.
func (v *visit) createIn(ctx context.Context, tx *orm.Tx, s *sheet) error {
	if len(s.mistakes) > 0 {
		return errMistakes
	}
	if !v.mayRow(s.m, Create, s.row) {
		return ishaa.Forbidden("%s", v.say("You may not add %s.", s.m.called(s.row)))
	}
	var explicit []string
	for _, f := range s.fields {
		if _, sent := s.said(f); sent && s.open(f) && f.column.DefaultSQL != "" { // what was sent is meant, zero too
			explicit = append(explicit, f.name)
		}
	}
	if err := s.m.rows.create(ctx, tx, s.row, explicit); err != nil {
		if err := s.conflict(err); err != nil {
			return err
		}
		return errMistakes
	}
	changes, _ := s.m.changes(nil, s.row)
	return v.record(ctx, tx, string(Create), s.m, s.row, changes)
}

func (p *Panel) edit(v *visit, m *model) (any, error) {
	form, err := v.r.Form()
	if err != nil {
		return nil, err
	}
	if form.Has("_copy") {
		if _, err := v.find(m, v.r.Param("key"), View); err != nil {
			return nil, err
		}
		return v.make(m, form) // rows in the form, too, become new ones
	}
	var s *sheet
	var parts *parts
	err = p.db.Tx(v.ctx, func(tx *orm.Tx) error {
		v := v.in(tx)
		row, err := v.findOn(tx, m, v.r.Param("key"), Edit, true)
		if err != nil {
			return err
		}
		s = &sheet{m: m, fields: m.form, row: row, sent: form.Values()}
		if parts, err = v.parts(s, form, true); err != nil {
			return err
		}
		if sent := form.Value("_state"); sent != "" && sent != parts.state {
			s.wrong("", changedMeanwhile)
		}
		before := m.texts(row)
		if err := v.read(v.ctx, s); err != nil {
			return err
		}
		if len(s.mistakes) > 0 || parts.wrong() {
			return errMistakes
		}
		if err := v.saveIn(v.ctx, tx, s, before); err != nil {
			return err
		}
		return v.saveParts(tx, s, parts)
	})
	if errors.Is(err, errMistakes) {
		status := 422
		if s.mistakes[""] == changedMeanwhile {
			status = 409
		}
		return v.form(s, parts, status)
	} else if err != nil {
		return nil, err
	}
	return v.saved(s, form, v.say("%s was saved.", m.called(s.row)))
}

// saveIn writes the fields of a sheet that are not as they were, and records them.
func (v *visit) saveIn(ctx context.Context, tx *orm.Tx, s *sheet, before []string) error {
	if len(s.mistakes) > 0 {
		return errMistakes
	}
	changes, fields := s.m.changes(before, s.row)
	if len(changes) == 0 {
		return nil
	}
	if !v.mayAsk(Ask{Action: Edit, Model: s.m.slug, Row: s.row}) { // it may not become what somebody may not edit
		return ishaa.Forbidden("%s", v.say("You may not change %s to that.", s.m.called(s.row)))
	}
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	if err := s.m.rows.save(ctx, tx, s.row, names); err != nil {
		if err := s.conflict(err); err != nil {
			return err
		}
		return errMistakes
	}
	return v.record(ctx, tx, string(Edit), s.m, s.row, changes)
}

// saved goes where the button that was pressed leads.
func (v *visit) saved(s *sheet, form *ishaa.Form, message string) (any, error) {
	to := v.panel.at(s.m.slug)
	switch {
	case form.Has("_stay") || form.Has("_copy"):
		to = v.panel.at(s.m.slug, s.m.keyOf(s.row))
	case form.Has("_another"):
		to = v.panel.at(s.m.slug, "-", "new")
	}
	return v.done("success", message, to)
}
