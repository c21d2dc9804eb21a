package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

// Before rows are deleted the page says what goes with them: the database's foreign keys are followed from table to table,
// over all models that the ORM knows, also those that are not in the panel.

// Dependants are looked at one level after the other, so many of a table at most. What is beyond is told as "more than".
const followMost = 1000

// dependant is what a deletion does to the rows of one table.
type dependant struct {
	Label  string
	Kind   string // "goes", "loosened" or "blocks"
	Count  int
	More   bool     // there are more than Count
	Titles []string // what the first ones are called, as far as the visitor may see them
	table  string
	keys   []any
}

// follow finds what goes with rows of a table, given by their keys.
func (v *visit) follow(table orm.Table, keys []any) ([]*dependant, error) {
	tables := v.panel.db.Tables()
	var all []*dependant
	type step struct {
		table orm.Table
		keys  []any
	}
	seen := map[string]bool{}
	queue := []step{{table, keys}}
	for len(queue) > 0 && len(all) < 200 {
		now := queue[0]
		queue = queue[1:]
		if now.table.SoftDelete != "" || len(now.keys) == 0 {
			continue // the row stays, and so does what refers to it
		}
		for _, other := range tables {
			for _, fk := range other.ForeignKeys {
				if fk.Table != now.table.Name || len(fk.Columns) != 1 || !slices.Equal(fk.References, now.table.Key) {
					continue
				}
				d, err := v.dependants(other, fk, now.keys)
				if err != nil {
					return nil, err
				}
				if d == nil {
					continue
				}
				if d.Kind != "goes" || !seen[fmt.Sprint(other.Name, d.keys)] {
					all = append(all, d)
				}
				if d.Kind == "goes" && !seen[fmt.Sprint(other.Name, d.keys)] {
					seen[fmt.Sprint(other.Name, d.keys)] = true
					queue = append(queue, step{other, d.keys})
				}
			}
		}
	}
	return all, nil
}

// dependants are the rows of a table that refer to keys by one of its columns, or nil if there are none.
func (v *visit) dependants(table orm.Table, fk orm.ForeignKey, keys []any) (*dependant, error) {
	d := &dependant{Label: v.say(words(table.Name)), table: table.Name, Kind: "blocks"}
	switch fk.OnDelete {
	case "CASCADE":
		d.Kind = "goes"
	case "SET NULL":
		d.Kind = "loosened"
	}
	for chunk := range slices.Chunk(keys, 200) {
		found, err := v.referring(table, fk, chunk, followMost+1-len(d.keys))
		if err != nil {
			return nil, err
		}
		d.keys = append(d.keys, found...)
		if len(d.keys) > followMost {
			d.keys, d.More = d.keys[:followMost], true
			break
		}
	}
	if d.Count = len(d.keys); d.Count == 0 {
		return nil, nil
	}
	m := v.panel.bySlug[table.Name]
	if m == nil || len(m.key) != 1 {
		return d, nil
	}
	d.Label = v.say(m.many)
	if !v.may(m, View) {
		return d, nil
	}
	var texts []string
	for _, key := range d.keys[:min(len(d.keys), 8)] {
		texts = append(texts, plainKey(key))
	}
	labels, err := v.labelsOf(m, slices.Clone(texts))
	for _, text := range texts {
		if label := labels[text]; label != "" {
			d.Titles = append(d.Titles, label)
		}
	}
	return d, err
}

func plainKey(key any) string {
	if octets, ok := key.([]byte); ok {
		return string(octets)
	}
	return fmt.Sprint(key)
}

// referring reads keys by SQL, since the type of the rows is not known. Names are the models' and quoted, values are bound.
func (v *visit) referring(table orm.Table, fk orm.ForeignKey, keys []any, most int) ([]any, error) {
	quote := func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
	if v.panel.db.Dialect() == "mysql" {
		quote = func(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
	}
	places := make([]string, len(keys))
	for i := range places {
		places[i] = "?"
		if v.panel.db.Dialect() == "postgres" {
			places[i] = fmt.Sprintf("$%d", i+1)
		}
	}
	text := fmt.Sprintf("SELECT %s FROM %s WHERE %s IN (%s)", quote(table.Key[0]), quote(table.Name), quote(fk.Columns[0]), strings.Join(places, ", "))
	if table.SoftDelete != "" && fk.OnDelete != "CASCADE" {
		text += " AND " + quote(table.SoftDelete) + " IS NULL"
	}
	rows, err := v.panel.db.SQL().QueryContext(v.ctx, fmt.Sprintf("%s LIMIT %d", text, most), keys...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []any
	for rows.Next() {
		var key any
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		list = append(list, key)
	}
	return list, rows.Err()
}

// refusal says why a deletion with these dependants cannot be: something refers to the rows, or something would go that the
// visitor may not delete. It is "" if nothing speaks against it.
func (v *visit) refusal(all []*dependant) (string, error) {
	for _, d := range all {
		if d.Kind == "blocks" {
			return v.say("%s refer to this. Delete or change them first.", d.Label), nil
		}
		m := v.panel.bySlug[d.table]
		if d.Kind != "goes" || m == nil {
			continue
		}
		ok := v.may(m, Delete)
		if ok && len(m.key) == 1 {
			var err error
			if ok, err = v.mayEach(m, Delete, d); err != nil {
				return "", err
			}
		}
		if !ok {
			return v.say("This would delete %s, which you may not.", d.Label), nil
		}
	}
	return "", nil
}

// mayEach reports whether the visitor may do something to each dependant. Those that are too many to be looked at are
// refused unless permissions are by role alone.
func (v *visit) mayEach(m *model, a Action, d *dependant) (bool, error) {
	if v.panel.byRole && m.scope == nil {
		return true, nil
	}
	if d.More {
		return false, nil
	}
	n := 0
	for chunk := range slices.Chunk(d.keys, 500) {
		keys := make([]any, len(chunk))
		for i, key := range chunk {
			keys[i] = key
			if octets, ok := key.([]byte); ok {
				keys[i] = string(octets)
			}
		}
		for row, err := range m.rows.each(v.ctx, v.on, v.seen(m).and(m.key[0].name+"__in", keys)) {
			if err != nil {
				return false, err
			}
			if !v.mayAsk(Ask{Action: a, Model: m.slug, Row: row}) {
				return false, nil
			}
			n++
		}
	}
	return n == len(d.keys), nil
}

func (m *model) keyValues(rows []any) []any {
	var keys []any
	for _, row := range rows {
		if len(m.key) == 1 {
			keys = append(keys, m.key[0].driver(row))
		}
	}
	return keys
}

func (p *Panel) deletePage(v *visit, m *model) (any, error) {
	row, err := v.find(m, v.r.Param("key"), Delete)
	if err != nil {
		return nil, err
	}
	return v.confirmDelete(m, []any{row}, p.at(m.slug, m.keyOf(row), "delete"), p.at(m.slug, m.keyOf(row)), nil, 0)
}

// confirmDelete shows what goes, to be confirmed. Keys are those of a bulk action.
func (v *visit) confirmDelete(m *model, rows []any, to, back string, keys []string, status int) (any, error) {
	all, err := v.follow(m.table, m.keyValues(rows))
	if err != nil {
		return nil, err
	}
	refusal, err := v.refusal(all)
	if err != nil {
		return nil, err
	}
	var titles []string
	for _, row := range rows {
		titles = append(titles, m.called(row))
	}
	title := v.say("Delete %s?", titles[0])
	if len(rows) > 1 {
		title = v.say("Delete %d %s?", len(rows), v.say(m.many))
	}
	res, err := v.show("delete.html", map[string]any{
		"m": m.view(v), "title": title, "titles": titles[:min(len(titles), 20)], "count": len(rows), "all": all, "refusal": refusal, "to": to,
		"back": back, "keys": keys, "soft": m.table.SoftDelete != "",
	})
	if err == nil && status != 0 {
		return res.(*ishaa.Response).WithStatus(status), nil
	}
	return res, err
}

func (p *Panel) remove(v *visit, m *model) (any, error) {
	row, err := v.find(m, v.r.Param("key"), Delete)
	if err != nil {
		return nil, err
	}
	at := p.at(m.slug, m.keyOf(row))
	if ok, err := v.removeAll(m, []string{m.keyOf(row)}); err != nil {
		return nil, err
	} else if !ok {
		return v.confirmDelete(m, []any{row}, at+"/delete", at, nil, 409)
	}
	return v.done("success", v.say("%s was deleted.", m.called(row)), p.at(m.slug))
}

// removeAll deletes rows by their keys, all or none. It is false if something speaks against it.
func (v *visit) removeAll(m *model, keys []string) (bool, error) {
	var rows []any
	for _, key := range keys {
		row, err := v.find(m, key, Delete)
		if err != nil {
			return false, err
		}
		rows = append(rows, row)
	}
	all, err := v.follow(m.table, m.keyValues(rows))
	if err != nil {
		return false, err
	}
	if refusal, err := v.refusal(all); err != nil || refusal != "" {
		return false, err
	}
	err = v.panel.db.Tx(v.ctx, func(tx *orm.Tx) error {
		for _, key := range keys {
			row, err := v.in(tx).findOn(tx, m, key, Delete, true)
			if err != nil {
				return err
			}
			if err := v.removeIn(v.ctx, tx, m, row); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, orm.ErrForeignKey) {
		return false, nil
	}
	return err == nil, err
}

// removeIn removes a row and records it.
func (v *visit) removeIn(ctx context.Context, tx *orm.Tx, m *model, row any) error {
	if err := v.record(ctx, tx, string(Delete), m, row, m.gone(row)); err != nil {
		return err
	}
	return m.rows.remove(ctx, tx, row)
}
