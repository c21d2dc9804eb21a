package shell

import (
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/ishaa-framework/ishaa/orm"
)

// query is a question about a model's rows. It is made anew for the session that runs it: the database, or a read-only
// transaction.
type query struct {
	m    *model
	rows func(on orm.Session) orm.Rows
}

func (q *query) String() string {
	text, _, err := q.rows(q.m.s.db).SQL()
	if err != nil {
		return "<query of " + q.m.table.Model + ": " + strings.TrimPrefix(err.Error(), "orm: ") + ">"
	}
	return "<query of " + q.m.table.Model + ": " + text + "; .all() runs it>"
}
func (q *query) Type() string          { return "query" }
func (q *query) Freeze()               {}
func (q *query) Truth() starlark.Bool  { return true }
func (q *query) Hash() (uint32, error) { return 0, errUnhashable("query") }

func (q *query) Attr(name string) (starlark.Value, error) {
	if f, ok := queryMethods[name]; ok {
		return f.bind(q.m.table.Model+"."+name, q), nil
	}
	return nil, nil
}

func (q *query) AttrNames() []string { return slices.Sorted(maps.Keys(queryMethods)) }

// then is the query with one more step. What is wrong with it is said at once, not when it runs.
func (q *query) then(step func(orm.Rows) orm.Rows) (*query, error) {
	before := q.rows
	next := &query{q.m, func(on orm.Session) orm.Rows { return step(before(on)) }}
	_, _, err := next.rows(q.m.s.db).SQL()
	return next, err
}

func (q *query) wrap(value any) *row { return &row{m: q.m, value: value} }

func (q *query) get(thread *starlark.Thread, a arguments) (starlark.Value, error) {
	if len(a.args)+len(a.kwargs) == 0 {
		return nil, a.wrong()
	}
	lookups, err := q.m.s.lookups(thread, q.m, nil, a.kwargs)
	if err != nil {
		return nil, err
	}
	var key []any
	for _, v := range a.args {
		one, err := q.m.s.toGo(v)
		if err != nil {
			return nil, err
		}
		key = append(key, one)
	}
	return q.one(func(rows orm.Rows) (any, error) {
		rows = rows.Filter(lookups...)
		if len(key) > 0 {
			return rows.Get(q.m.s.ctx, key...)
		}
		return rows.One(q.m.s.ctx)
	})
}

// one reads a row.
func (q *query) one(read func(orm.Rows) (any, error)) (starlark.Value, error) {
	var value any
	err := q.m.s.read(func(on orm.Session) (err error) {
		value, err = read(q.rows(on))
		return err
	})
	if err != nil {
		return nil, err
	}
	return q.wrap(value), nil
}

func chained(usage, doc string, step func(t *starlark.Thread, q *query, a arguments) (func(orm.Rows) orm.Rows, error)) method[*query] {
	return method[*query]{usage, doc, func(t *starlark.Thread, q *query, a arguments) (starlark.Value, error) {
		change, err := step(t, q, a)
		if err != nil {
			return nil, err
		}
		next, err := q.then(change)
		if err != nil {
			return nil, err
		}
		return next, nil
	}}
}

// filtering is filter or exclude.
func filtering(step func(orm.Rows, ...any) orm.Rows) func(*starlark.Thread, *query, arguments) (func(orm.Rows) orm.Rows, error) {
	return func(t *starlark.Thread, q *query, a arguments) (func(orm.Rows) orm.Rows, error) {
		lookups, err := q.m.s.lookups(t, q.m, a.args, a.kwargs)
		return func(r orm.Rows) orm.Rows { return step(r, lookups...) }, err
	}
}

// worded is a step that takes texts.
func worded(step func(orm.Rows, ...string) orm.Rows) func(*starlark.Thread, *query, arguments) (func(orm.Rows) orm.Rows, error) {
	return func(_ *starlark.Thread, _ *query, a arguments) (func(orm.Rows) orm.Rows, error) {
		words, err := a.words()
		return func(r orm.Rows) orm.Rows { return step(r, words...) }, err
	}
}

// numbered is a step that takes a number.
func numbered(step func(orm.Rows, int) orm.Rows) func(*starlark.Thread, *query, arguments) (func(orm.Rows) orm.Rows, error) {
	return func(_ *starlark.Thread, _ *query, a arguments) (func(orm.Rows) orm.Rows, error) {
		n, err := a.number()
		return func(r orm.Rows) orm.Rows { return step(r, n) }, err
	}
}

func bare(step func(orm.Rows) orm.Rows) func(*starlark.Thread, *query, arguments) (func(orm.Rows) orm.Rows, error) {
	return func(_ *starlark.Thread, _ *query, a arguments) (func(orm.Rows) orm.Rows, error) {
		return step, a.none()
	}
}

var queryMethods map[string]method[*query]

func init() { // the table's functions come back to it through Attr
	queryMethods = steps()
	maps.Copy(queryMethods, runs())
}

// steps narrow a query.
func steps() map[string]method[*query] {
	return map[string]method[*query]{
		"filter":       chained("filter(lookup=value, …)", "keeps rows for which all lookups hold", filtering(orm.Rows.Filter)),
		"exclude":      chained("exclude(lookup=value, …)", "leaves such rows out", filtering(orm.Rows.Exclude)),
		"order_by":     chained(`order_by("field", "-field")`, "sorts; with a minus sign descending", worded(orm.Rows.OrderBy)),
		"only":         chained(`only("field", …)`, "reads some fields", worded(orm.Rows.Only)),
		"limit":        chained("limit(n)", "at most n rows", numbered(orm.Rows.Limit)),
		"offset":       chained("offset(n)", "skips n rows", numbered(orm.Rows.Offset)),
		"distinct":     chained("distinct()", "leaves out rows that are equal", bare(orm.Rows.Distinct)),
		"with_deleted": chained("with_deleted()", "shows rows that were deleted softly too", bare(orm.Rows.WithDeleted)),
	}
}

// runs ask the database.
func runs() map[string]method[*query] {
	return map[string]method[*query]{
		"all": {"all()", "the rows, as a list", func(_ *starlark.Thread, q *query, a arguments) (starlark.Value, error) {
			if err := a.none(); err != nil {
				return nil, err
			}
			var found []any
			err := q.m.s.read(func(on orm.Session) (err error) {
				found, err = q.rows(on).All(q.m.s.ctx)
				return err
			})
			return q.m.list(found), err
		}},
		"first": {"first()", "the first row", func(_ *starlark.Thread, q *query, a arguments) (starlark.Value, error) {
			if err := a.none(); err != nil {
				return nil, err
			}
			return q.one(func(r orm.Rows) (any, error) { return r.First(q.m.s.ctx) })
		}},
		"one": {"one()", "the only row", func(_ *starlark.Thread, q *query, a arguments) (starlark.Value, error) {
			if err := a.none(); err != nil {
				return nil, err
			}
			return q.one(func(r orm.Rows) (any, error) { return r.One(q.m.s.ctx) })
		}},
		"get": {"get(key) or get(field=value)", "the only such row", func(t *starlark.Thread, q *query, a arguments) (starlark.Value, error) {
			return q.get(t, a)
		}},
		"count": {"count()", "how many rows there are", func(_ *starlark.Thread, q *query, a arguments) (starlark.Value, error) {
			if err := a.none(); err != nil {
				return nil, err
			}
			var n int64
			err := q.m.s.read(func(on orm.Session) (err error) {
				n, err = q.rows(on).Count(q.m.s.ctx)
				return err
			})
			return starlark.MakeInt64(n), err
		}},
		"exists": {"exists()", "whether there is such a row", func(_ *starlark.Thread, q *query, a arguments) (starlark.Value, error) {
			if err := a.none(); err != nil {
				return nil, err
			}
			var yes bool
			err := q.m.s.read(func(on orm.Session) (err error) {
				yes, err = q.rows(on).Exists(q.m.s.ctx)
				return err
			})
			return starlark.Bool(yes), err
		}},
		"update": {"update(field=value, …)", "changes all these rows, and says how many there were", updateRows},
		"delete": {"delete()", "removes all these rows, and says how many there were", func(_ *starlark.Thread, q *query, a arguments) (starlark.Value, error) {
			if err := a.none(); err != nil {
				return nil, err
			}
			var n int64
			err := q.m.s.write("delete", func(on orm.Session) (err error) {
				n, err = q.rows(on).Delete(q.m.s.ctx)
				return err
			})
			return starlark.MakeInt64(n), err
		}},
		"sql": {"sql()", "the statement that all() would run", func(_ *starlark.Thread, q *query, a arguments) (starlark.Value, error) {
			if err := a.none(); err != nil {
				return nil, err
			}
			text, _, err := q.rows(q.m.s.db).SQL()
			return starlark.String(text), err
		}},
	}
}

func updateRows(t *starlark.Thread, q *query, a arguments) (starlark.Value, error) {
	if len(a.args) > 0 || len(a.kwargs) == 0 {
		return nil, a.wrong()
	}
	set := orm.Set{}
	for _, pair := range a.kwargs {
		name := string(pair[0].(starlark.String))
		value, err := q.m.s.argument(t, q.m, name, pair[1])
		if err != nil {
			return nil, err
		}
		set[name] = value
	}
	var n int64
	err := q.m.s.write("update", func(on orm.Session) (err error) {
		n, err = q.rows(on).Update(q.m.s.ctx, set)
		return err
	})
	return starlark.MakeInt64(n), err
}

func (m *model) list(found []any) *starlark.List {
	list := make([]starlark.Value, len(found))
	for i, value := range found {
		list[i] = &row{m: m, value: value}
	}
	return starlark.NewList(list)
}
