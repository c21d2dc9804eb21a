package admin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"reflect"
	"slices"
	"strconv"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

// inline is rows of another model, the children, that are edited in the form of the row that they belong to.
type inline struct {
	child  *model
	names  []string // of the fields, as they were given; none are all
	fields []*field
	parent *field // the child's field that holds the key
}

const (
	inlineMost  = 100 // children in one form; of more than those there is their own list
	inlineBlank = 3   // empty ones, for visitors without scripts
)

// Inline has children edited in the form of the row that they belong to: admin.Inline[OrderLine]("ProductID", "Quantity").
// Without fields all are. Whoever edits them needs the permissions of the children's model too.
func Inline[C any](fields ...string) Option {
	return func(m *model) error {
		child, err := describe(m.panel, reflect.TypeFor[C](), rowsOf[C]{}, func() { orm.Register[C](m.panel.db) })
		if err != nil {
			return err
		}
		m.inlines = append(m.inlines, &inline{child: child, names: fields})
		_, err = child.findAll(fields)
		return err
	}
}

func (in *inline) finish(m *model) error {
	child := in.child
	for _, fk := range child.table.ForeignKeys {
		if fk.Table == m.table.Name && len(fk.Columns) == 1 && len(m.key) == 1 {
			in.parent = child.conflictFields(fk.Columns)[0]
			break
		}
	}
	if in.parent == nil {
		return fmt.Errorf("Inline: %s has no single key of a %s: give it a field orm.One[%s]", child.table.Model, m.table.Model, m.table.Model)
	}
	return child.finish()
}

// connect settles which fields are edited, once all models are known. Where the child's model is registered too, what its
// options say counts here as well: what they keep secret or read-only, its scope, and its names.
func (in *inline) connect(m *model) (err error) {
	if registered := m.panel.bySlug[in.child.slug]; registered != nil {
		in.child, in.parent = registered, registered.named[in.parent.name]
	}
	in.fields = slices.DeleteFunc(slices.Clone(in.child.form), func(f *field) bool { return f.readOnly })
	if len(in.names) > 0 {
		if in.fields, err = in.child.findAll(in.names); err != nil {
			return fmt.Errorf("admin: Inline in %s: %w", m.table.Model, err)
		}
	}
	in.fields = slices.DeleteFunc(in.fields, func(f *field) bool { return f == in.parent })
	return nil
}

// parts are what stands in a form beside the row's own fields. The state is a fingerprint of all that the form showed, by
// which a save notices what others have written since.
type parts struct {
	state   string
	inlines []*inlineRows
	ties    []*tieView
}

type inlineRows struct {
	*inline
	sheets []*sheet
	keys   []string // of each sheet; "" is a new row
	drop   []bool   // it was marked to be removed
	blank  []bool   // nothing was entered
	more   bool     // there are more than the form shows
	before [][]string
}

func (p *parts) wrong() bool {
	for _, in := range p.inlines {
		for _, s := range in.sheets {
			if len(s.mistakes) > 0 {
				return true
			}
		}
	}
	return slices.ContainsFunc(p.ties, func(t *tieView) bool { return t.Mistake != "" })
}

// parts loads what belongs to a row, and reads what was sent for it.
func (v *visit) parts(s *sheet, form *ishaa.Form, editable bool) (*parts, error) {
	all := &parts{}
	h := sha256.New()
	defer func() {
		if !s.fresh {
			all.state = hex.EncodeToString(h.Sum(nil)[:12])
		}
	}()
	s.m.digest(h, s.row)
	for _, in := range s.m.inlines {
		if !v.may(in.child, View) {
			continue
		}
		list, err := v.children(in, s, form, editable, h)
		if err != nil {
			return nil, err
		}
		all.inlines = append(all.inlines, list)
	}
	for _, t := range s.m.ties {
		view, err := v.tie(t, s, form)
		if err != nil {
			return nil, err
		}
		if view != nil {
			fmt.Fprintf(h, "%q\n", slices.Sorted(slices.Values(view.old)))
			all.ties = append(all.ties, view)
		}
	}
	return all, nil
}

func (v *visit) children(in *inline, s *sheet, form *ishaa.Form, editable bool, h hash.Hash) (*inlineRows, error) {
	list := &inlineRows{inline: in}
	known := map[string]any{}
	if !s.fresh {
		parent := s.value().FieldByIndex(s.m.key[0].at).Interface()
		q := v.seen(in.child).and(in.parent.name, parent)
		q.order, q.limit = []string{in.child.key[0].name}, inlineMost+1
		n := 0
		for row, err := range in.child.rows.each(v.ctx, v.on, q) {
			if err != nil {
				return nil, err
			}
			if n++; n > inlineMost {
				list.more = true
				break
			}
			if !v.mayAsk(Ask{Action: View, Model: in.child.slug, Row: row}) {
				continue
			}
			key := in.child.keyOf(row)
			known[key] = row
			in.child.digest(h, row)
			if form == nil {
				list.add(row, key, false, nil)
			}
		}
	}
	if form != nil {
		return list, v.sentChildren(list, s, form, known)
	}
	if editable && v.may(in.child, Create) {
		for range inlineBlank {
			list.add(in.child.rows.fresh(v.panel.db), "", true, nil)
		}
	}
	return list, nil
}

func (list *inlineRows) add(row any, key string, fresh bool, sent url.Values) *sheet {
	n := len(list.sheets)
	s := &sheet{m: list.child, fields: list.fields, row: row, fresh: fresh, sent: sent, prefix: fmt.Sprintf("i.%s.%d.", list.child.slug, n)}
	list.sheets, list.keys = append(list.sheets, s), append(list.keys, key)
	list.drop, list.blank, list.before = append(list.drop, false), append(list.blank, false), append(list.before, nil)
	return s
}

// sentChildren reads the rows that were sent. A key counts only if the row belongs to this one.
func (v *visit) sentChildren(list *inlineRows, s *sheet, form *ishaa.Form, known map[string]any) error {
	prefix := "i." + list.child.slug + "."
	values := form.Values()
	most, _ := strconv.Atoi(form.Value(prefix + "n"))
	for n := range min(most, inlineMost*2) {
		at := prefix + strconv.Itoa(n) + "."
		key := form.Value(at + "key")
		row, fresh := any(nil), s.fresh || key == ""
		if !fresh {
			if row = known[key]; row == nil {
				s.wrong("", changedMeanwhile)
				continue
			}
		} else {
			row, key = list.child.rows.fresh(v.panel.db), ""
		}
		sheet := list.add(row, key, fresh, values)
		i := len(list.sheets) - 1
		sheet.prefix = at
		list.drop[i] = form.Value(at+"drop") != ""
		list.blank[i] = fresh && sheet.untouched()
		list.before[i] = list.child.texts(row)
		if list.drop[i] || list.blank[i] {
			continue
		}
		if err := v.read(v.ctx, sheet); err != nil {
			return err
		}
	}
	return nil
}

// untouched reports whether nothing was entered into an empty row.
func (s *sheet) untouched() bool {
	for _, f := range s.fields {
		if text, ok := s.said(f); ok && text != "" && text != f.text(s.value()) && (f.column.Kind != "bool" || text != "false") {
			return false
		}
	}
	return true
}

// saveParts writes children and ties, once the row itself has its key.
func (v *visit) saveParts(tx *orm.Tx, s *sheet, all *parts) error {
	for _, list := range all.inlines {
		for i, child := range list.sheets {
			if list.blank[i] {
				continue
			}
			if err := v.saveChild(tx, s, list, i, child); err != nil {
				return err
			}
		}
	}
	for _, t := range all.ties {
		if err := v.saveTie(tx, s, t); err != nil {
			return err
		}
	}
	return nil
}

func (v *visit) saveChild(tx *orm.Tx, s *sheet, list *inlineRows, i int, child *sheet) error {
	m := list.child
	parent := s.m.key[0].text(s.value())
	switch {
	case list.drop[i] && child.fresh:
		return nil
	case list.drop[i]:
		if !v.mayRow(m, Delete, child.row) {
			return ishaa.Forbidden("%s", v.say("You may not do this to %s.", m.called(child.row)))
		}
		return v.removeIn(v.ctx, tx, m, child.row)
	case child.fresh:
		if !v.may(m, Create) {
			return ishaa.Forbidden("%s", v.say("You may not add %s.", v.say(m.many)))
		}
		if message := list.parent.parse(child.value(), parent); message != "" {
			return fmt.Errorf("admin: the key %q of %s does not fit its child %s: %s", parent, s.m.slug, m.slug, message)
		}
		return v.createIn(v.ctx, tx, child)
	}
	if changes, _ := m.changes(list.before[i], child.row); len(changes) == 0 {
		return nil
	}
	was, err := v.findOn(tx, m, list.keys[i], Edit, true)
	if err != nil {
		return err
	}
	if list.parent.text(reflect.ValueOf(was).Elem()) != parent {
		s.wrong("", changedMeanwhile)
		return errMistakes
	}
	return v.saveIn(v.ctx, tx, child, list.before[i])
}

// inlineView is the children in the form, as the page shows them.
type inlineView struct {
	Label, Slug string
	Heads       []string
	Rows        []inlineRow
	N           int
	Blank       []input // of a row that the script adds
	More        string  // the address of all of them, if there are more than these
	Drop        bool    // rows can be removed
	Add         bool
}

type inlineRow struct {
	N           int
	Key, Alert  string
	Inputs      []input
	Fresh, Drop bool
}

const newRow = "~" // stands for the number of a row that the script adds

func (v *visit) inlineViews(all *parts, editable bool) ([]inlineView, error) {
	var views []inlineView
	for _, list := range all.inlines {
		m := list.child
		view := inlineView{Label: v.say(m.many), Slug: m.slug, N: len(list.sheets), Add: editable && v.may(m, Create), Drop: editable && v.may(m, Delete)}
		for _, f := range list.fields {
			view.Heads = append(view.Heads, v.say(f.label))
		}
		if list.more {
			view.More = v.panel.at(m.slug)
		}
		for i, s := range list.sheets {
			row := inlineRow{N: i, Key: list.keys[i], Fresh: s.fresh, Drop: list.drop[i]}
			shown := *s
			if !editable || !s.fresh && !v.mayRow(m, Edit, s.row) {
				shown.fields = locked(s.fields)
			}
			if s.mistakes[""] != "" {
				row.Alert = v.say(s.mistakes[""])
			}
			for _, f := range shown.fields {
				in, err := v.input(&shown, f)
				if err != nil {
					return nil, err
				}
				row.Inputs = append(row.Inputs, in)
			}
			view.Rows = append(view.Rows, row)
		}
		if view.Add {
			blank := &sheet{m: m, fields: list.fields, row: m.rows.fresh(v.panel.db), fresh: true, prefix: "i." + m.slug + "." + newRow + "."}
			for _, f := range blank.fields {
				in, err := v.input(blank, f)
				if err != nil {
					return nil, err
				}
				view.Blank = append(view.Blank, in)
			}
		}
		views = append(views, view)
	}
	return views, nil
}

// locked are fields that are shown and cannot be changed.
func locked(fields []*field) []*field {
	list := make([]*field, len(fields))
	for i, f := range fields {
		copied := *f
		copied.readOnly = true
		list[i] = &copied
	}
	return list
}
