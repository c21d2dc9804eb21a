package admin

import (
	"context"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

// Entry is one line of the log: who did what to which row, and what it changed. It is written in the transaction of what it
// tells, so neither is there without the other.
type Entry struct {
	ID      int64
	At      time.Time `db:"auto_now_add,index"`
	Actor   string    `db:"size:120,index"` // Identity.Subject
	Name    string    `db:"size:120"`       // what the actor was called then
	Action  string    `db:"size:80"`
	Model   string    `db:"size:63,index:row"`
	Key     string    `db:"size:180,index:row"`
	Label   string    `db:"size:160"`
	Changes orm.JSON[[]Change]
	Job     int64 `db:"index"` // of package tasks, if one did it
}

// TableName implements orm.Tabler.
func (Entry) TableName() string { return "admin_log" }

// TableAside implements orm.Aside: the panel makes the table when it starts.
func (Entry) TableAside() {}

// Change is one field before and after.
type Change struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// hiddenValue stands in the log for what is secret.
const hiddenValue = "••••••"

// texts are the values of a row, to be compared with later ones.
func (m *model) texts(row any) []string {
	v := reflect.ValueOf(row).Elem()
	list := make([]string, len(m.fields))
	for i, f := range m.fields {
		list[i] = f.text(v)
		if f.empty(v) {
			list[i] = "" // but told apart from the empty text by nothing a person could see
		}
	}
	return list
}

// changes are the fields of a row that are not as they were; before may be nil. The ORM's own times are left out.
func (m *model) changes(before []string, row any) ([]Change, []*field) {
	var list []Change
	var fields []*field
	for i, now := range m.texts(row) {
		was := ""
		if before != nil {
			was = before[i]
		}
		f := m.fields[i]
		if was == now || f.column.AutoTime || f.column.Name == m.table.Version {
			continue
		}
		fields = append(fields, f)
		c := Change{Field: f.name, Old: clip(was, 2000), New: clip(now, 2000)}
		if f.secret {
			c.Old, c.New = veil(c.Old), veil(c.New)
		}
		list = append(list, c)
	}
	return list, fields
}

func veil(text string) string {
	if text == "" {
		return ""
	}
	return hiddenValue
}

// gone are the values of a row that is about to be removed.
func (m *model) gone(row any) []Change {
	list, _ := m.changes(nil, row)
	for i := range list {
		list[i].Old, list[i].New = list[i].New, ""
	}
	return list
}

// record writes an entry, in the transaction of what it tells.
func (v *visit) record(ctx context.Context, tx *orm.Tx, action string, m *model, row any, changes []Change) error {
	_, err := orm.Of[Entry](tx).Create(ctx, Entry{
		Actor: clip(v.who.Subject, 120), Name: clip(v.name, 120), Action: clip(action, 80), Model: m.slug, Key: clip(m.keyOf(row), 180),
		Label: clip(m.called(row), 160), Changes: orm.NewJSON(changes), Job: v.job,
	})
	return err
}

// entryView is an entry as pages show it.
type entryView struct {
	At, Machine, Who, Action, Kind string
	Model, Label, Href             string
	Changes                        []Change
	id                             int64
}

// entries are the latest entries of models that the visitor may see: their own, and with the permission Audit everybody's.
func (v *visit) entries(q question, most int) ([]entryView, error) {
	all := v.mayAsk(Ask{Action: Audit})
	var seen, audited []string
	add := func(m *model) {
		if v.may(m, View) {
			seen = append(seen, m.slug)
			if all && v.mayAsk(Ask{Action: Audit, Model: m.slug}) {
				audited = append(audited, m.slug)
			}
		}
	}
	for _, m := range v.panel.models {
		add(m)
		for _, in := range m.inlines {
			add(in.child)
		}
	}
	q = q.and(orm.Or(orm.Q("model__in", audited), orm.Q("model__in", seen, "actor", v.who.Subject)))
	list, err := orm.Of[Entry](v.panel.db).Filter(q.where...).OrderBy("-id").Limit(most).All(v.ctx)
	if err != nil {
		return nil, err
	}
	var views []entryView
	for _, e := range list {
		views = append(views, v.entryView(e))
	}
	return views, nil
}

// entryView shows an entry, with the address of its row if the visitor may see that.
func (v *visit) entryView(e Entry) entryView {
	view := entryView{
		At: e.At.UTC().Format("2006-01-02 15:04"), Machine: e.At.UTC().Format(time.RFC3339), Who: e.Name, Action: v.say(words(e.Action)),
		Kind: e.Action, id: e.ID, Label: e.Label, Model: words(e.Model),
	}
	m := v.panel.bySlug[e.Model]
	if m == nil {
		view.Changes = e.Changes.V
		return view
	}
	view.Model = v.say(m.one)
	if e.Action != string(Delete) {
		where, ok := m.byKey(e.Key)
		if ok {
			row, err := m.rows.one(v.ctx, v.panel.db, v.seen(m).and(where...), false)
			if err == nil && v.mayAsk(Ask{Action: View, Model: m.slug, Row: row}) {
				view.Href = v.panel.at(m.slug, e.Key)
			}
		}
	}
	for _, c := range e.Changes.V {
		if f := m.named[c.Field]; f != nil {
			if f.secret {
				c.Old, c.New = veil(c.Old), veil(c.New)
			}
			c.Field, c.Old, c.New = v.say(f.label), v.shown(f, c.Old), v.shown(f, c.New)
		}
		view.Changes = append(view.Changes, c)
	}
	return view
}

// shown is a value of the log for people.
func (v *visit) shown(f *field, text string) string {
	switch {
	case text == "":
		return ""
	case f.column.Kind == "bool":
		return v.yesNo(text)
	case f.column.Enum != nil:
		return v.say(text)
	}
	return text
}

func (p *Panel) logPage(v *visit) (any, error) {
	if !v.mayAsk(Ask{Action: Audit}) {
		return nil, ishaa.Forbidden("%s", v.say("You may not read the log."))
	}
	q := question{}
	before := v.r.Query("before")
	if before != "" && strings.Trim(before, "0123456789") == "" && len(before) < 19 {
		q = q.and("id__lt", before)
	}
	list, err := v.entries(q, 100)
	if err != nil {
		return nil, err
	}
	older := ""
	if len(list) > 0 && list[len(list)-1].id > 1 {
		older = p.at("-", "log") + "?before=" + strconv.FormatInt(list[len(list)-1].id, 10)
	}
	return v.show("log.html", map[string]any{"title": v.say("Log"), "entries": list, "trail_list": []link{}, "older": older})
}

func (p *Panel) rowLog(v *visit, m *model) (any, error) {
	row, err := v.find(m, v.r.Param("key"), View)
	if err != nil {
		return nil, err
	}
	list, err := v.entries(question{}.and("model", m.slug, "key", m.keyOf(row)), 100)
	if err != nil {
		return nil, err
	}
	return v.show("log.html", map[string]any{"title": v.say("History of %s", m.called(row)), "entries": list, "older": "", "trail_list": []link{
		{Label: v.say(m.many), Href: p.at(m.slug)}, {Label: m.called(row), Href: p.at(m.slug, m.keyOf(row))},
	}})
}
