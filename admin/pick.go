package admin

import (
	"reflect"
	"strings"

	"github.com/ishaa-framework/ishaa"
)

// picked is a row that a relation can be set to.
type picked struct {
	Key   string `json:"key"`
	Label string `json:"label"`
}

// pick answers a picker's search: at most 20 rows that the visitor may see.
func (p *Panel) pick(v *visit, m *model) (any, error) {
	l := &listing{question: v.seen(m), term: strings.TrimSpace(v.r.Query("q"))}
	if l.term != "" {
		if len(m.search) > 0 {
			if err := v.search(m, l); err != nil {
				return nil, err
			}
		} else {
			l.byTitle(m)
		}
	}
	list := []picked{}
	l.limit = 20
	if l.nothing {
		return ishaa.JSON(list), nil
	}
	for row, err := range m.rows.each(v.ctx, p.db, l.question) {
		if err != nil {
			return nil, err
		}
		if v.mayAsk(Ask{Action: View, Model: m.slug, Row: row}) {
			list = append(list, picked{m.keyText(row), m.called(row)})
		}
	}
	return ishaa.JSON(list), nil
}

// byTitle searches a model that no search was said for: by key, or by the first of its texts.
func (l *listing) byTitle(m *model) {
	probe := reflect.New(m.typ).Elem()
	if len(m.key) == 1 && m.key[0].column.Kind != "text" && m.key[0].parse(probe, l.term) == "" {
		l.question = l.and(m.key[0].name, probe.FieldByIndex(m.key[0].at).Interface())
		return
	}
	for _, name := range []string{"Name", "Title", "Label", "Email"} {
		if f := m.named[name]; f != nil && f.column.Kind == "text" && !f.secret {
			l.question = l.and(f.name+"__icontains", l.term)
			return
		}
	}
	for _, f := range m.fields {
		if f.column.Kind == "text" && !f.secret {
			l.question = l.and(f.name+"__icontains", l.term)
			return
		}
	}
	l.nothing = true
}
