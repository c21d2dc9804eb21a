package orm

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// Rows is the rows of a model whose type is known only while the program runs, for programs that read the models
// instead of being written for them, such as the shell and the admin panel. A program that is written for its models
// has Of. Rows is a query and a repository in one: its methods do what those of Query and Repository do, and a row is
// a pointer to the model's struct in an any.
//
//	for _, table := range db.Tables() {
//		if table.Type != nil { // nil is a table between two models
//			list, err := orm.RowsOf(db, table.Type).Filter("id__gt", 100).Limit(10).All(ctx)
//			…
//		}
//	}
type Rows struct{ q Query[unknown] }

// unknown stands for a model's type where nothing depends on it: what works on a row gets by with its address.
type unknown struct{}

// RowsOf returns the rows of a model by its type, which Table.Type holds. A type that is no model is reported by the
// methods.
func RowsOf(on Session, model reflect.Type) Rows {
	if on == nil || model == nil {
		return Rows{Query[unknown]{selection{err: errors.New("orm: RowsOf needs a database and the type of a model")}}}
	}
	p, err := planOf(on, model)
	return Rows{Query[unknown]{selection{on: on, plan: p, limit: -1, err: err}}}
}

// Filter keeps rows for which all lookups hold, as Query.Filter does.
func (r Rows) Filter(lookups ...any) Rows { return Rows{r.q.Filter(lookups...)} }

// Exclude keeps rows for which the lookups do not all hold, as Query.Exclude does.
func (r Rows) Exclude(lookups ...any) Rows { return Rows{r.q.Exclude(lookups...)} }

// OrderBy sorts by fields, descending with a minus sign before the name.
func (r Rows) OrderBy(fields ...string) Rows { return Rows{r.q.OrderBy(fields...)} }

// Limit returns at most n rows.
func (r Rows) Limit(n int) Rows { return Rows{r.q.Limit(n)} }

// Offset skips n rows.
func (r Rows) Offset(n int) Rows { return Rows{r.q.Offset(n)} }

// With loads related rows too.
func (r Rows) With(relations ...string) Rows { return Rows{r.q.With(relations...)} }

// Only reads some fields and leaves the others at zero.
func (r Rows) Only(fields ...string) Rows { return Rows{r.q.Only(fields...)} }

// Distinct leaves out rows that are equal in everything that is read.
func (r Rows) Distinct() Rows { return Rows{r.q.Distinct()} }

// WithDeleted shows rows that were deleted softly too.
func (r Rows) WithDeleted() Rows { return Rows{r.q.WithDeleted()} }

// Count returns the number of rows that All would return.
func (r Rows) Count(ctx context.Context) (int64, error) { return r.q.Count(ctx) }

// Exists reports whether there is such a row.
func (r Rows) Exists(ctx context.Context) (bool, error) { return r.q.Exists(ctx) }

// Update changes all rows of the query in one statement and returns how many there were.
func (r Rows) Update(ctx context.Context, set Set) (int64, error) { return r.q.Update(ctx, set) }

// Delete removes all rows of the query, or marks them as deleted if the model embeds SoftDelete.
func (r Rows) Delete(ctx context.Context) (int64, error) { return r.q.Delete(ctx) }

// SQL returns the statement that All would run, and its arguments.
func (r Rows) SQL() (text string, args []any, err error) { return r.q.SQL() }

// subselect lets a query stand for the list of its keys in a lookup.
func (r Rows) subselect(b *builder) error { return r.q.subselect(b) }

// rowsOfType is a list of rows of a type that is known only while the program runs.
type rowsOfType struct {
	typ  reflect.Type
	list []reflect.Value // pointers
}

func (r *rowsOfType) next() unsafe.Pointer {
	r.list = append(r.list, reflect.New(r.typ))
	return r.at(len(r.list) - 1)
}
func (r *rowsOfType) drop()                   { r.list = r.list[:len(r.list)-1] }
func (r *rowsOfType) len() int                { return len(r.list) }
func (r *rowsOfType) at(i int) unsafe.Pointer { return r.list[i].UnsafePointer() }

// All returns the rows: pointers to structs of the model's type.
func (r Rows) All(ctx context.Context) ([]any, error) {
	if err := r.q.ready(); err != nil {
		return nil, err
	}
	found := &rowsOfType{typ: r.q.plan.typ}
	if err := r.q.run(ctx, found); err != nil {
		return nil, err
	}
	list := make([]any, len(found.list))
	for i, row := range found.list {
		list[i] = row.Interface()
	}
	return list, nil
}

// First returns the first row in the query's order, by the key if it has none. No row is ErrNotFound.
func (r Rows) First(ctx context.Context) (any, error) {
	if len(r.q.order) == 0 && r.q.plan != nil {
		for _, c := range r.q.plan.key {
			r.q.order = append(r.q.order, ordering{path: c.lookup})
		}
	}
	return r.at(ctx, 1)
}

// One returns the only row. None is ErrNotFound, several are ErrMultiple.
func (r Rows) One(ctx context.Context) (any, error) { return r.at(ctx, 2) }

func (r Rows) at(ctx context.Context, most int) (any, error) {
	if r.q.limit >= 0 {
		most = min(most, r.q.limit)
	}
	r.q.limit = most
	list, err := r.All(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, notFound(r.q.plan.table)
	case len(list) > 1:
		return nil, fmt.Errorf("orm: %s: %w", r.q.plan.name, ErrMultiple)
	}
	return list[0], nil
}

// Get returns the row of the query with a key, or ErrNotFound. A key of several columns is given in the order of the
// model's fields.
func (r Rows) Get(ctx context.Context, key ...any) (any, error) {
	if err := r.q.ready(); err != nil {
		return nil, err
	}
	p := r.q.plan
	if len(key) != len(p.key) {
		return nil, fmt.Errorf("orm: %s has a key of %d columns, not %d", p.name, len(p.key), len(key))
	}
	for i, c := range p.key {
		r = r.Filter(c.lookup, key[i])
	}
	return r.One(ctx)
}

// RowPage is a part of a long list.
type RowPage struct {
	Rows           []any
	Next, Previous string // cursors, "" if there is nothing there
}

// Page returns a part of the list by keyset, as Query.Page does.
func (r Rows) Page(ctx context.Context, ask PageRequest) (RowPage, error) {
	var page RowPage
	next, keys, backwards, err := r.q.paged(&ask)
	if err != nil {
		return page, err
	}
	found, err := Rows{next}.All(ctx)
	if err != nil {
		return page, err
	}
	more := len(found) > ask.Size
	if more {
		found = found[:ask.Size]
	}
	if backwards {
		slices.Reverse(found)
	}
	page.Rows = found
	if len(found) == 0 {
		return page, nil
	}
	address := func(i int) unsafe.Pointer { return reflect.ValueOf(found[i]).UnsafePointer() }
	page.Next, page.Previous, err = marks(keys, address(0), address(len(found)-1), more, backwards, ask.After+ask.Before != "")
	return page, err
}

// New returns a row with the defaults of its model, or nil if there is no such model.
func (r Rows) New() any {
	if r.q.ready() != nil {
		return nil
	}
	row := reflect.New(r.q.plan.typ)
	for _, c := range r.q.plan.columns {
		if c.defaulted {
			_ = c.scan(c.at(row.UnsafePointer()), c.fallback) // parsed by the same codec
		}
	}
	return row.Interface()
}

// address checks that a row is of the model, and returns where it is.
func (r Rows) address(row any) (unsafe.Pointer, error) {
	if err := r.q.ready(); err != nil {
		return nil, err
	}
	v := reflect.ValueOf(row)
	if v.Kind() != reflect.Pointer || v.Type().Elem() != r.q.plan.typ || v.IsNil() {
		return nil, fmt.Errorf("orm: a row of %s is a *%s, not %T", r.q.plan.name, r.q.plan.typ, row)
	}
	return v.UnsafePointer(), nil
}

// typed is the repository that works on addresses of rows. What copies whole rows is not called on it.
func (r Rows) typed() Repository[unknown] { return Repository[unknown]{r.q.on, r.q.plan, r.q.err} }

// Create inserts a row and fills in its key, its defaults and its times.
func (r Rows) Create(ctx context.Context, row any, options ...WriteOption) error {
	at, err := r.address(row)
	if err != nil {
		return err
	}
	explicit, err := r.q.plan.named(options, func(o WriteOption) []string { return o.explicit })
	if err != nil {
		return err
	}
	if err := r.q.plan.prepare(r.q.on, at, explicit); err != nil {
		return err
	}
	return r.typed().insert(ctx, at)
}

// Save writes a row: it updates the one with its key, or creates one if the key is zero and counted by the engine.
func (r Rows) Save(ctx context.Context, row any, options ...WriteOption) error {
	at, err := r.address(row)
	if err != nil {
		return err
	}
	if auto := r.q.plan.auto; auto != nil && auto.zero(auto.at(at)) {
		return r.Create(ctx, row, options...)
	}
	return r.typed().Save(ctx, (*unknown)(at), options...)
}

// Remove removes a row, or marks it as deleted if the model embeds SoftDelete.
func (r Rows) Remove(ctx context.Context, row any) error {
	at, err := r.address(row)
	if err != nil {
		return err
	}
	return r.typed().Delete(ctx, (*unknown)(at))
}

// Value returns a field of a row as one of int64, uint64 as text, float64, bool, string, []byte, time.Time and nil,
// which is what the database is given.
func (r Rows) Value(row any, field string) (any, error) {
	at, err := r.address(row)
	if err != nil {
		return nil, err
	}
	c := r.q.plan.column(field)
	if c == nil {
		return nil, r.q.plan.unknown(field, field)
	}
	return c.bind(c.at(at))
}

// SetValue sets a field of a row from what a lookup of the field would take: a value of its Go type, or one that stands
// for it, such as a text for a UUID. nil is the empty value.
func (r Rows) SetValue(row any, field string, value any) error {
	at, err := r.address(row)
	if err != nil {
		return err
	}
	c := r.q.plan.column(field)
	if c == nil {
		return r.q.plan.unknown(field, field)
	}
	if isNil(value) {
		if !c.null {
			return fmt.Errorf("orm: %s.%s cannot be empty", r.q.plan.name, c.field)
		}
		return c.scan(c.at(at), nil)
	}
	v, err := c.encode(indirect(value))
	if err == nil {
		err = c.scan(c.at(at), v)
	}
	if err != nil {
		return fmt.Errorf("orm: %s.%s: %w", r.q.plan.name, c.field, err)
	}
	return nil
}

// Related returns the related rows of a row's relation: pointers to structs of the other model's type, at most one for
// a relation to one row. They are read by a statement of their own.
func (r Rows) Related(ctx context.Context, row any, relation string) ([]any, error) {
	at, err := r.address(row)
	if err != nil {
		return nil, err
	}
	rel := r.q.plan.related[relation]
	if rel == nil {
		_, err := r.q.plan.paths([]string{relation})
		return nil, err
	}
	tree, err := r.q.plan.paths([]string{relation})
	if err != nil {
		return nil, err
	}
	copied := &rowsOfType{typ: r.q.plan.typ} // so that the caller's row stays as it is
	reflect.NewAt(r.q.plan.typ, copied.next()).Elem().Set(reflect.NewAt(r.q.plan.typ, at).Elem())
	if err := tree.load(ctx, r.q.on, copied, false); err != nil {
		return nil, err
	}
	return rel.at(copied.at(0)).list(), nil
}
