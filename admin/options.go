package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/orm"
)

// Option says how a model is shown, for Register.
type Option func(*model) error

// List names the columns of the list; by default the first six. A relation is named by its field: "Author".
func List(fields ...string) Option {
	return func(m *model) (err error) {
		m.list, err = m.findAll(fields)
		return err
	}
}

type searched struct {
	path   string
	prefix bool
	number bool
}

// Search names the fields that the search looks into: each word of what is searched for has to be in one of them, whatever
// its case. "Author.Name" looks into related rows. A caret looks for what begins with the words: "^Email" uses an index, and
// so stays fast where a list is long; it heeds case, but for the first letter. Whole numbers are found if they are equal.
func Search(fields ...string) Option {
	return func(m *model) error {
		for _, name := range fields {
			s := searched{prefix: strings.HasPrefix(name, "^")}
			name = strings.TrimPrefix(name, "^")
			if head, rest, deep := strings.Cut(name, "."); deep {
				relation, err := m.relation(head)
				if err != nil {
					return err
				}
				s.path = relation.Lookup + "__" + strings.ReplaceAll(rest, ".", "__")
				m.search = append(m.search, s)
				continue
			}
			f, err := m.find(name)
			if err != nil {
				return err
			}
			if f.secret {
				return fmt.Errorf("%s.%s is secret: it cannot be searched", m.table.Model, name)
			}
			switch f.column.Kind {
			case "text":
			case "int", "uint":
				s.number = true
			default:
				return fmt.Errorf("Search(%q): texts and whole numbers can be searched; use Filter for a field of the kind %s", name, f.column.Kind)
			}
			s.path = f.name
			m.search = append(m.search, s)
		}
		return nil
	}
}

func (m *model) relation(name string) (orm.Relation, error) {
	for _, r := range m.table.Relations {
		if r.Field == name || r.Lookup == name {
			return r, nil
		}
	}
	return orm.Relation{}, fmt.Errorf("%s has no relation %q", m.table.Model, name)
}

// Filter names the fields that a list can be narrowed down by: booleans, choices, ranges of numbers and times, related rows,
// and texts by what they contain.
func Filter(fields ...string) Option {
	return func(m *model) (err error) {
		m.filters, err = m.findAll(fields)
		return err
	}
}

// Sort lets the list be sorted by more fields than those that an index begins with, which it always can. Sorting a long list
// by a column without an index takes long.
func Sort(fields ...string) Option {
	return func(m *model) error {
		list, err := m.findAll(fields)
		for _, f := range list {
			m.sortable[f] = true
		}
		return err
	}
}

// Order is how the list is sorted at first: names of fields, with a minus sign for descending. By default the newest key is
// on top.
func Order(fields ...string) Option {
	return func(m *model) error {
		m.order = nil
		for _, name := range fields {
			f, err := m.find(strings.TrimPrefix(name, "-"))
			if err != nil {
				return err
			}
			lookup := f.name
			if strings.HasPrefix(name, "-") {
				lookup = "-" + lookup
			}
			m.order = append(m.order, lookup)
		}
		return nil
	}
}

// Fields names what stands in the form, in its order; by default everything. What is left out is neither shown there nor
// taken from requests. Relations of many to many are named as fields are, and stand behind them.
func Fields(fields ...string) Option {
	return func(m *model) (err error) {
		var ties []*tie
		own := slices.DeleteFunc(slices.Clone(fields), func(name string) bool {
			t := m.tie(name)
			if t != nil {
				ties = append(ties, t)
			}
			return t != nil
		})
		m.ties = ties
		m.form, err = m.findAll(own)
		return err
	}
}

// ReadOnly shows fields, and relations of many to many, that cannot be changed here: whatever a request says of them is
// passed over.
func ReadOnly(fields ...string) Option {
	return func(m *model) error {
		own := slices.DeleteFunc(slices.Clone(fields), func(name string) bool {
			t := m.tie(name)
			if t != nil {
				t.readOnly = true
			}
			return t != nil
		})
		list, err := m.findAll(own)
		for _, f := range list {
			f.readOnly = true
		}
		return err
	}
}

// Secret keeps fields out of everything: pages, searches, exports, imports, and the log, which says only that they changed.
// Fields with the tag `secret:"true"` are.
func Secret(fields ...string) Option {
	return func(m *model) error {
		for _, name := range fields {
			f, err := m.find(name)
			if err != nil {
				return err
			}
			f.secret = true
		}
		return nil
	}
}

// Names are the model's names for people: "Order line", "Order lines".
func Names(one, many string) Option {
	return func(m *model) error {
		m.one, m.many = one, many
		return nil
	}
}

// Label names a field for people, with a line of help, which may be "". The tag doc is the help otherwise.
func Label(name, label, help string) Option {
	return func(m *model) error {
		f, err := m.find(name)
		if err != nil {
			return err
		}
		f.label = label
		if help != "" {
			f.help = help
		}
		return nil
	}
}

// Title says how a row is called in a line of text. By default that is its String method, or the first of its fields Name,
// Title, Label, Email, Number, Code and Slug.
func Title[T any](title func(row *T) string) Option {
	return func(m *model) error {
		if _, ok := m.rows.(rowsOf[T]); !ok {
			return fmt.Errorf("Title is for another model than %s", m.table.Model)
		}
		m.title = func(row any) string { return title(row.(*T)) }
		return nil
	}
}

// Scope narrows down which rows somebody can see at all, by conditions and lookups as orm.Query.Filter takes them: in lists,
// by their addresses, in pickers, exports and actions. A row that is out of scope is not found.
//
//	admin.Scope(func(ctx context.Context, who *auth.Identity) []any { return []any{"shop__owner", who.Subject} })
func Scope(scope func(ctx context.Context, who *auth.Identity) []any) Option {
	return func(m *model) error {
		m.scope = scope
		return nil
	}
}

// PageSize is how many rows a page of the list has, at most 500; 50 by default.
func PageSize(n int) Option {
	return func(m *model) error {
		if n < 1 || n > 500 {
			return fmt.Errorf("PageSize(%d): give 1 to 500", n)
		}
		m.pageSize = n
		return nil
	}
}

// Without takes actions away from a model, whoever asks: admin.Without(admin.Delete, admin.Import).
func Without(actions ...Action) Option {
	return func(m *model) error {
		for _, a := range actions {
			m.noActions[a] = true
		}
		return nil
	}
}
