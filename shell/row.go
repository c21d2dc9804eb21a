package shell

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/ishaa-framework/ishaa/orm"
)

// row is a row of a model: its fields and relations are attributes.
type row struct {
	m     *model
	value any // a pointer to the model's struct
}

func errUnhashable(what string) error { return fmt.Errorf("a %s is no key of a dict", what) }

func (r *row) String() string {
	var b strings.Builder
	b.WriteString("<" + r.m.table.Model)
	for _, name := range r.m.names {
		v, err := r.field(name)
		text := "?"
		if err == nil {
			text = shortened(v.String(), 60)
		}
		b.WriteString(" " + name + "=" + text)
	}
	return b.String() + ">"
}
func (r *row) Type() string          { return r.m.table.Model }
func (r *row) Freeze()               {}
func (r *row) Truth() starlark.Bool  { return true }
func (r *row) Hash() (uint32, error) { return 0, errUnhashable("row") }

// CompareSameType holds rows for equal that have the same key.
func (r *row) CompareSameType(op syntax.Token, other starlark.Value, _ int) (bool, error) {
	o := other.(*row)
	a, errA := r.key()
	b, errB := o.key()
	same := r == o || r.m == o.m && errA == nil && errB == nil && fmt.Sprint(a) == fmt.Sprint(b)
	switch op {
	case syntax.EQL:
		return same, nil
	case syntax.NEQ:
		return !same, nil
	}
	return false, fmt.Errorf("rows of %s have no order: compare their fields", r.m.table.Model)
}

// key is the row's key, if that is one column.
func (r *row) key() (any, error) {
	if len(r.m.table.Key) != 1 {
		return nil, fmt.Errorf("a row of %s has a key of several columns: compare with its fields", r.m.table.Model)
	}
	for _, c := range r.m.table.Columns {
		if c.Name == r.m.table.Key[0] {
			return r.m.rows(r.m.s.db).Value(r.value, c.Lookup)
		}
	}
	return nil, errors.New("the row has no key")
}

func (r *row) field(name string) (starlark.Value, error) {
	v, err := r.m.rows(r.m.s.db).Value(r.value, name)
	if err != nil {
		return nil, err
	}
	return toStarlark(v, r.m.column(name).Kind)
}

func (r *row) Attr(name string) (starlark.Value, error) {
	if r.m.column(name) != nil {
		return r.field(name)
	}
	if relation := r.m.relation(name); relation != nil {
		return r.related(relation)
	}
	if f, ok := rowMethods[name]; ok {
		return f.bind(r.m.table.Model+"."+name, r), nil
	}
	if name == "pk" {
		v, err := r.key()
		if err != nil {
			return nil, err
		}
		return toStarlark(v, "")
	}
	return nil, nil
}

func (r *row) AttrNames() []string {
	return slices.Sorted(maps.Keys(r.m.attributes()))
}

// attributes are the names of a row's fields, relations and methods.
func (m *model) attributes() map[string]bool {
	names := map[string]bool{"pk": true}
	for _, name := range m.names {
		names[name] = true
	}
	for _, relation := range m.table.Relations {
		names[relation.Lookup] = true
	}
	for name := range rowMethods {
		names[name] = true
	}
	return names
}

// related reads the rows that a relation leads to.
func (r *row) related(relation *orm.Relation) (starlark.Value, error) {
	target := r.m.s.models[relation.Model]
	if other := r.m.s.tables[relation.Table]; other != nil {
		target = other
	}
	if target == nil {
		return nil, fmt.Errorf("%s is no registered model", relation.Model)
	}
	var found []any
	err := r.m.s.read(func(on orm.Session) (err error) {
		found, err = r.m.rows(on).Related(r.m.s.ctx, r.value, relation.Lookup)
		return err
	})
	if err != nil {
		return nil, err
	}
	if relation.Kind == "has many" || relation.Kind == "many to many" {
		return target.list(found), nil
	}
	if len(found) == 0 {
		return starlark.None, nil
	}
	return &row{m: target, value: found[0]}, nil
}

// SetField sets a field. Nothing is written before save.
func (r *row) SetField(name string, v starlark.Value) error {
	return r.set(&starlark.Thread{Name: "set"}, name, v)
}

func (r *row) set(thread *starlark.Thread, name string, v starlark.Value) error {
	if r.m.relation(name) != nil {
		return fmt.Errorf("%s is a relation: set the field that holds its key, such as %s_id", name, name)
	}
	value, err := r.m.s.argument(thread, r.m, name, v)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := r.m.rows(r.m.s.db).SetValue(r.value, name, value); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "orm: "))
	}
	return nil
}

var rowMethods = map[string]method[*row]{
	"save": {"save()", "writes the row: it is updated, or inserted if it is new", func(_ *starlark.Thread, r *row, a arguments) (starlark.Value, error) {
		if err := a.none(); err != nil {
			return nil, err
		}
		return nil, r.m.s.write("save", func(on orm.Session) error { return r.m.rows(on).Save(r.m.s.ctx, r.value) })
	}},
	"delete": {"delete()", "removes the row", func(_ *starlark.Thread, r *row, a arguments) (starlark.Value, error) {
		if err := a.none(); err != nil {
			return nil, err
		}
		return nil, r.m.s.write("delete", func(on orm.Session) error { return r.m.rows(on).Remove(r.m.s.ctx, r.value) })
	}},
	"refresh": {"refresh()", "reads the row again", func(_ *starlark.Thread, r *row, a arguments) (starlark.Value, error) {
		if err := a.none(); err != nil {
			return nil, err
		}
		key, err := r.key()
		if err != nil {
			return nil, err
		}
		return nil, r.m.s.read(func(on orm.Session) error {
			fresh, err := r.m.rows(on).Get(r.m.s.ctx, key)
			if err == nil {
				r.value = fresh
			}
			return err
		})
	}},
}
