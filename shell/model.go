package shell

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/ishaa-framework/ishaa/orm"
)

// model is a registered model: User.
type model struct {
	s     *session
	table orm.Table
	names []string // of columns, in the order of the struct
}

func newModel(s *session, table orm.Table) *model {
	m := &model{s: s, table: table}
	for _, c := range table.Columns {
		m.names = append(m.names, c.Lookup)
	}
	return m
}

func (m *model) column(name string) *orm.Column {
	for i := range m.table.Columns {
		if m.table.Columns[i].Lookup == name {
			return &m.table.Columns[i]
		}
	}
	return nil
}

func (m *model) relation(name string) *orm.Relation {
	for i := range m.table.Relations {
		if m.table.Relations[i].Lookup == name {
			return &m.table.Relations[i]
		}
	}
	return nil
}

func (m *model) rows(on orm.Session) orm.Rows { return orm.RowsOf(on, m.table.Type) }

// What every value of Starlark has.

func (m *model) String() string        { return "<model " + m.table.Model + ">" }
func (m *model) Type() string          { return "model" }
func (m *model) Freeze()               {}
func (m *model) Truth() starlark.Bool  { return true }
func (m *model) Hash() (uint32, error) { return starlark.String(m.table.Model).Hash() }

// A model can be called: User(name="Alice") is a row that is not saved yet.

func (m *model) Name() string { return m.table.Model }

func (m *model) CallInternal(thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	r, err := m.fresh(thread, args, kwargs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.table.Model, err)
	}
	return r, nil
}

func (m *model) fresh(thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (*row, error) {
	if len(args) > 0 {
		return nil, errors.New("give fields by name, such as name=\"Alice\"")
	}
	r := &row{m: m, value: m.rows(m.s.db).New()}
	for _, pair := range kwargs {
		if err := r.set(thread, string(pair[0].(starlark.String)), pair[1]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// modelMethods are what a model has by itself; it has those of a query too.
var modelMethods = map[string]method[*model]{
	"query": {"query()", "all rows, to be narrowed by filter and its kin", func(_ *starlark.Thread, m *model, a arguments) (starlark.Value, error) {
		return m.query(), a.none()
	}},
	"create": {"create(field=value, …)", "inserts a row, and returns it", func(t *starlark.Thread, m *model, a arguments) (starlark.Value, error) {
		r, err := m.fresh(t, a.args, a.kwargs)
		if err != nil {
			return nil, err
		}
		var explicit []string
		for _, pair := range a.kwargs {
			explicit = append(explicit, string(pair[0].(starlark.String)))
		}
		err = m.s.write("create", func(on orm.Session) error {
			return m.rows(on).Create(m.s.ctx, r.value, orm.Explicit(explicit...))
		})
		return r, err
	}},
	"get": {"get(key) or get(field=value)", "the only such row", func(t *starlark.Thread, m *model, a arguments) (starlark.Value, error) {
		return m.query().get(t, a)
	}},
}

func (m *model) query() *query {
	return &query{m: m, rows: func(on orm.Session) orm.Rows { return m.rows(on) }}
}

func (m *model) Attr(name string) (starlark.Value, error) {
	if f, ok := modelMethods[name]; ok {
		return f.bind(m.table.Model+"."+name, m), nil
	}
	if _, ok := queryMethods[name]; ok {
		return m.query().Attr(name)
	}
	return nil, nil
}

func (m *model) AttrNames() []string {
	names := (*query)(nil).AttrNames()
	for name := range modelMethods {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// method is a method of a value, with what help says about it.
type method[T any] struct {
	usage, doc string
	run        func(thread *starlark.Thread, on T, a arguments) (starlark.Value, error)
}

func (f method[T]) bind(name string, on T) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		v, err := f.run(thread, on, arguments{f.usage, args, kwargs})
		if err != nil {
			return nil, fmt.Errorf("%s: %s", b.Name(), strings.TrimPrefix(err.Error(), "orm: "))
		}
		if v == nil {
			v = starlark.None
		}
		return v, nil
	})
}

// arguments are what a method was called with.
type arguments struct {
	usage  string
	args   starlark.Tuple
	kwargs []starlark.Tuple
}

func (a arguments) wrong() error { return fmt.Errorf("it is used as %s", a.usage) }

func (a arguments) none() error {
	if len(a.args)+len(a.kwargs) > 0 {
		return a.wrong()
	}
	return nil
}

// words are arguments that are texts.
func (a arguments) words() ([]string, error) {
	if len(a.kwargs) > 0 {
		return nil, a.wrong()
	}
	var list []string
	for _, v := range a.args {
		text, ok := starlark.AsString(v)
		if !ok {
			return nil, a.wrong()
		}
		list = append(list, text)
	}
	return list, nil
}

// number is one argument, a whole number.
func (a arguments) number() (int, error) {
	if len(a.args) != 1 || len(a.kwargs) > 0 {
		return 0, a.wrong()
	}
	n, err := starlark.AsInt32(a.args[0])
	if err != nil {
		return 0, a.wrong()
	}
	return n, nil
}
