package admin

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

// A list is asked for by its address alone: q is what is searched for, sort a column with a minus sign for descending, after
// and before are cursors, and a filter is "f.FIELD" with an ending for its kind. So a list can be linked to, works without
// scripts, and its export is the same address elsewhere. Pages follow a keyset: see orm.Query.Page.

// countMost is how many rows are counted: of a longer list it is enough to know that it is long.
const countMost = 10_000

// listing is a list as it was asked for.
type listing struct {
	question
	term    string
	sort    *field
	desc    bool
	filters []filterView
	active  int        // how many filters are in force
	query   url.Values // what was asked for, without cursors
	nothing bool       // what was searched for cannot be anywhere
}

// seen is the question for all rows that the visitor may see.
func (v *visit) seen(m *model) question {
	q := question{order: m.order}
	if m.scope != nil {
		q = q.and(m.scope(v.ctx, v.who)...)
	}
	return q
}

func (v *visit) listing(m *model, asked url.Values) (*listing, error) {
	l := &listing{question: v.seen(m), query: url.Values{}, term: strings.TrimSpace(asked.Get("q"))}
	if name := asked.Get("sort"); name != "" {
		f := m.named[strings.TrimPrefix(name, "-")]
		if f == nil || f.secret || !m.sortable[f] {
			return nil, ishaa.BadRequest("%s", v.say("This list cannot be sorted by that."))
		}
		l.sort, l.desc = f, strings.HasPrefix(name, "-")
		l.order = []string{name}
		l.query.Set("sort", name)
	} else if len(l.order) > 0 {
		l.sort, l.desc = m.named[strings.TrimPrefix(l.order[0], "-")], strings.HasPrefix(l.order[0], "-")
	}
	if l.term != "" && len(m.search) > 0 {
		l.query.Set("q", l.term)
		if err := v.search(m, l); err != nil {
			return nil, err
		}
	}
	return l, v.narrow(m, l, asked)
}

// search adds the conditions for what is searched for: each word in one of the fields.
func (v *visit) search(m *model, l *listing) error {
	where, indexed := l.conditions(m, true)
	// Where an index finds many rows, SQLite would sort them all to show the first ones. Then it is quicker to go through the
	// list in its order and to look at each row.
	if indexed && m.panel.db.Dialect() == "sqlite" {
		n, err := m.rows.count(v.ctx, v.on, question{where: where}, manyFound+1)
		if err != nil {
			return err
		}
		if n > manyFound {
			where, _ = l.conditions(m, false)
		}
	}
	l.question = l.and(where...)
	return nil
}

const manyFound = 2000

func (l *listing) conditions(m *model, byIndex bool) (where []any, indexed bool) {
	for _, word := range strings.Fields(clip(l.term, 200)) {
		var some []orm.Condition
		for _, s := range m.search {
			if c, ok := s.condition(m.panel.db, word, byIndex); ok {
				some = append(some, c)
				indexed = indexed || s.prefix
			}
		}
		l.nothing = l.nothing || len(some) == 0
		where = append(where, orm.Or(some...))
	}
	return where, indexed
}

func (s searched) condition(db *orm.DB, word string, byIndex bool) (orm.Condition, bool) {
	switch {
	case s.number:
		n, err := strconv.ParseInt(word, 10, 64)
		return orm.Q(s.path, n), err == nil
	case !s.prefix:
		return orm.Q(s.path+"__icontains", word), true
	case db.Dialect() == "postgres":
		return orm.Or(orm.Q(s.path+"__startswith", word), orm.Q(s.path+"__startswith", capital(word))), true
	}
	// LIKE would not use the index of a column that heeds case; a range does, as text is in the order of its code points.
	begins := func(w string) orm.Condition {
		if !byIndex {
			value := orm.Coalesce(orm.F(s.path), "")
			return orm.And(value.Is("gte", w), value.Is("lt", w+"\U0010FFFF"))
		}
		return orm.Q(s.path+"__gte", w, s.path+"__lt", w+"\U0010FFFF")
	}
	if other := capital(word); other != word {
		return orm.Or(begins(word), begins(other)), true
	}
	return begins(word), true
}

// capital is a word with a capital letter, or with a small one if it has that already.
func capital(word string) string {
	runes := []rune(word)
	if upper := unicode.ToUpper(runes[0]); upper != runes[0] {
		runes[0] = upper
	} else {
		runes[0] = unicode.ToLower(runes[0])
	}
	return string(runes)
}

// with is the list's address with some parameters changed; "" takes one away.
func (l *listing) with(at string, pairs ...string) string {
	query := url.Values{}
	for name, values := range l.query {
		query[name] = values
	}
	for i := 0; i < len(pairs); i += 2 {
		query.Del(pairs[i])
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 {
		return at
	}
	return at + "?" + query.Encode()
}

type headView struct {
	Label, Href  string
	Sorted, Desc bool
	Number       bool
}

type rowView struct {
	Key, Label, Href string
	Cells            []cell
}

func (p *Panel) listPage(v *visit, m *model) (any, error) {
	l, err := v.listing(m, v.r.QueryValues())
	if err != nil {
		return nil, err
	}
	ask := orm.PageRequest{Size: m.pageSize, After: v.r.Query("after"), Before: v.r.Query("before")}
	if ask.After != "" && ask.Before != "" {
		ask.Before = ""
	}
	var found []any
	var next, previous string
	if !l.nothing {
		found, next, previous, err = m.rows.page(v.ctx, p.db, l.question, ask)
	}
	if errors.Is(err, orm.ErrCursor) {
		return ishaa.Redirect(l.with(p.at(m.slug))), nil
	} else if err != nil {
		return nil, err
	}
	total := int64(len(found))
	if next != "" || previous != "" {
		if total, err = m.rows.count(v.ctx, p.db, l.question, countMost+1); err != nil {
			return nil, err
		}
	}
	list, err := v.rowViews(m, found)
	if err != nil {
		return nil, err
	}
	at := p.at(m.slug)
	data := map[string]any{
		"m": m.view(v), "heads": v.heads(m, l), "rows": list, "total": v.amount(total), "term": l.term, "searchable": len(m.search) > 0,
		"filters": l.filters, "active": l.active, "at_list": at, "query_text": l.query.Encode(), "sort": l.query.Get("sort"),
		"filtered": l.active > 0 || l.term != "", "clear": at, "actions": v.actionViews(m), "export": l.with(p.at(m.slug, "-", "export")),
	}
	if next != "" {
		data["next"] = l.with(at, "after", next)
	}
	if previous != "" {
		data["previous"], data["first"] = l.with(at, "before", previous), l.with(at)
	}
	if v.r.Header("HX-Request") != "" && v.r.Header("HX-Target") == "results" {
		return v.showPart("list.html", "results", data)
	}
	return v.show("list.html", data)
}

// amount is a number of rows for people; of more than countMost it is that and a plus sign.
func (v *visit) amount(n int64) string {
	text := strconv.FormatInt(min(n, countMost), 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u202f" + text[i:] // a narrow space, which no language takes for a point
	}
	if n > countMost {
		text += "+"
	}
	return text
}

func (v *visit) heads(m *model, l *listing) []headView {
	var heads []headView
	for _, f := range m.list {
		h := headView{Label: v.say(f.label), Sorted: f == l.sort, Desc: l.desc, Number: f.isNumber()}
		if m.sortable[f] {
			next := f.name
			if h.Sorted && !l.desc {
				next = "-" + next
			}
			h.Href = l.with(v.panel.at(m.slug), "sort", next)
		}
		heads = append(heads, h)
	}
	return heads
}

func (f *field) isNumber() bool {
	return f.target == "" && slices.Contains([]string{"int", "uint", "float", "decimal"}, f.column.Kind)
}

// cell is one value as a list or a page shows it.
type cell struct {
	Kind  string // "text", "bool", "time", "choice", "link", "number" or "none"
	Text  string
	Value string // of a bool "true" or "false", of a time its form for machines
	Href  string
}

func (v *visit) cell(f *field, row any, related map[string]string) cell {
	value := reflect.ValueOf(row).Elem()
	text := f.text(value)
	switch {
	case f.empty(value) && f.column.Kind != "bool" || text == "":
		return cell{Kind: "none", Text: "–"}
	case f.target != "":
		c := cell{Kind: "text", Text: text}
		if other := v.panel.bySlug[f.target]; other != nil && v.may(other, View) {
			c = cell{Kind: "link", Text: text, Href: v.panel.at(other.slug, escapeKey(text))}
			if label, ok := related[text]; ok {
				c.Text = label
			}
		}
		return c
	case f.column.Kind == "bool":
		return cell{Kind: "bool", Text: v.yesNo(text), Value: text}
	case f.column.Kind == "time" && len(text) >= 16:
		return cell{Kind: "time", Text: text[:16], Value: strings.Replace(text, " ", "T", 1) + "Z"}
	case f.column.Enum != nil:
		return cell{Kind: "choice", Text: v.say(text)}
	case f.column.Kind == "bytes":
		return cell{Kind: "text", Text: fmt.Sprintf("%d B", len(text)/4*3)}
	case f.isNumber():
		return cell{Kind: "number", Text: text}
	}
	return cell{Kind: "text", Text: clip(text, 80)}
}

// yesNo is the text of a bool for people.
func (v *visit) yesNo(text string) string {
	return v.say(map[string]string{"true": "Yes", "false": "No"}[text])
}

// rowViews are rows as the list shows them. Rows that the visitor may not see are left out.
func (v *visit) rowViews(m *model, found []any) ([]rowView, error) {
	found = slices.DeleteFunc(found, func(row any) bool { return !v.mayAsk(Ask{Action: View, Model: m.slug, Row: row}) })
	related := map[*field]map[string]string{}
	for _, f := range m.list {
		if f.target == "" {
			continue
		}
		var keys []string
		for _, row := range found {
			keys = append(keys, f.text(reflect.ValueOf(row).Elem()))
		}
		labels, err := v.labels(f, keys)
		if err != nil {
			return nil, err
		}
		related[f] = labels
	}
	var list []rowView
	for _, row := range found {
		view := rowView{Key: m.keyOf(row), Label: m.called(row)}
		view.Href = v.panel.at(m.slug, view.Key)
		for _, f := range m.list {
			view.Cells = append(view.Cells, v.cell(f, row, related[f]))
		}
		list = append(list, view)
	}
	return list, nil
}

// labels are what related rows are called, by their keys, as far as the visitor may see them.
func (v *visit) labels(f *field, keys []string) (map[string]string, error) {
	other := v.panel.bySlug[f.target]
	if other == nil || len(other.key) != 1 || !v.may(other, View) {
		return nil, nil
	}
	return v.labelsOf(other, keys)
}

func (v *visit) labelsOf(other *model, keys []string) (map[string]string, error) {
	slices.Sort(keys)
	keys = slices.Compact(keys)
	probe := reflect.New(other.typ).Elem()
	key := other.key[0]
	var values []any
	for _, text := range keys {
		if text != "" && key.parse(probe, text) == "" {
			values = append(values, probe.FieldByIndex(key.at).Interface())
		}
	}
	labels := map[string]string{}
	for chunk := range slices.Chunk(values, 500) {
		q := v.seen(other).and(key.name+"__in", chunk)
		q.order = nil
		for row, err := range other.rows.each(v.ctx, v.on, q) {
			if err != nil {
				return nil, err
			}
			if v.mayAsk(Ask{Action: View, Model: other.slug, Row: row}) {
				labels[other.keyText(row)] = other.called(row)
			}
		}
	}
	return labels, nil
}

// modelView is what pages know of a model.
type modelView struct {
	One, Many, At, New, Import, Export string
}

// view is the model for pages: addresses are there as far as the visitor may go there.
func (m *model) view(v *visit) modelView {
	view := modelView{One: v.say(m.one), Many: v.say(m.many), At: m.panel.at(m.slug)}
	if v.may(m, Create) {
		view.New = m.panel.at(m.slug, "-", "new")
	}
	if v.may(m, Import) {
		view.Import = m.panel.at(m.slug, "-", "import")
	}
	if v.may(m, Export) {
		view.Export = m.panel.at(m.slug, "-", "export")
	}
	return view
}
