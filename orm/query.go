package orm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// selection is what a query asks for, without the type of its rows. It is never changed once it is shared: every step
// of a chain works on a copy.
type selection struct {
	on       Session
	plan     *plan
	where    []Condition
	having   []Condition
	order    []ordering
	with     []string
	columns  []*column // nil for all
	limit    int       // -1 for no limit
	offset   int
	distinct bool
	deleted  bool // rows deleted softly are shown too
	lock     *Lock
	err      error
}

type ordering struct {
	path   string
	expr   *Expr
	desc   bool
	random bool
}

// Lock says what FOR UPDATE does about rows that others have locked. The zero value waits.
type Lock struct {
	SkipLocked bool // leaves them out
	NoWait     bool // fails at once
}

// Query is a question about the rows of a model. Its methods return a new Query each and leave the old one as it is,
// so that a Query can be kept and refined in several ways. Mistakes in names and values are reported by the method
// that runs it, before any SQL.
type Query[T any] struct{ selection }

func (q Query[T]) fail(err error) Query[T] {
	if q.err == nil {
		q.err = err
	}
	return q
}

// Filter keeps rows for which all lookups hold: pairs of a name and a value, and conditions made by Q, Or, And, Not
// and Expr.Is.
//
//	users.Filter("age__gte", 18, "name__icontains", "ali", orm.Or(orm.Q("city", "Bonn"), orm.Q("city__isnull", true)))
//
// Lookups are exact (as without one), iexact, ne, gt, gte, lt, lte, in, notin, range, isnull, contains, icontains,
// startswith, istartswith, endswith, iendswith, like, ilike, regex and iregex; year, month, day, date, hour, minute,
// second and weekday of times, in UTC; keys inside JSON fields. Names may lead over relations: "author__name". Lookups
// of one call over a relation to many rows speak of the same row.
func (q Query[T]) Filter(lookups ...any) Query[T] {
	q.where = append(slices.Clip(q.where), conditions(lookups))
	return q
}

// Exclude keeps rows for which the lookups do not all hold. A comparison with an empty value (NULL) does not hold, so
// such rows are kept.
func (q Query[T]) Exclude(lookups ...any) Query[T] {
	q.where = append(slices.Clip(q.where), Not(conditions(lookups)))
	return q
}

// OrderBy sorts by fields, descending with a minus sign before the name; "?" sorts by chance. Empty values sort as
// the smallest. A second call replaces the first.
func (q Query[T]) OrderBy(fields ...string) Query[T] {
	q.order = make([]ordering, 0, len(fields))
	for _, f := range fields {
		name, desc := strings.CutPrefix(f, "-")
		q.order = append(q.order, ordering{path: name, desc: desc, random: f == "?"})
	}
	return q
}

// OrderByExpr adds a computed value to the order.
func (q Query[T]) OrderByExpr(e Expr, descending bool) Query[T] {
	q.order = append(slices.Clip(q.order), ordering{expr: &e, desc: descending})
	return q
}

// Limit returns at most n rows.
func (q Query[T]) Limit(n int) Query[T] {
	if n < 0 {
		return q.fail(fmt.Errorf("orm: Limit(%d): a limit is not negative", n))
	}
	q.limit = n
	return q
}

// Offset skips n rows. Pages far down a long list are faster by Page.
func (q Query[T]) Offset(n int) Query[T] {
	if n < 0 {
		return q.fail(fmt.Errorf("orm: Offset(%d): an offset is not negative", n))
	}
	q.offset = n
	return q
}

// With loads related rows too, with one more statement per relation: With("Author", "Posts.Comments").
func (q Query[T]) With(relations ...string) Query[T] {
	q.with = append(slices.Clip(q.with), relations...)
	return q
}

// Only reads some fields and leaves the others at zero. The key is always read.
func (q Query[T]) Only(fields ...string) Query[T] {
	if q.plan == nil {
		return q
	}
	columns := slices.Clone(q.plan.key)
	for _, name := range fields {
		c := q.plan.column(name)
		if c == nil {
			return q.fail(q.plan.unknown(name, name))
		}
		if !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	q.columns = columns
	return q
}

// Distinct leaves out rows that are equal in everything that is read.
func (q Query[T]) Distinct() Query[T] { q.distinct = true; return q }

// WithDeleted shows rows that were deleted softly too.
func (q Query[T]) WithDeleted() Query[T] { q.deleted = true; return q }

// ForUpdate locks the rows until the transaction ends. It is refused outside of one. SQLite has one writer at a time
// and needs no locks: there it changes nothing.
func (q Query[T]) ForUpdate(lock ...Lock) Query[T] {
	q.lock = &Lock{}
	if len(lock) > 0 {
		q.lock = &lock[0]
	}
	return q
}

// All returns the rows.
func (q Query[T]) All(ctx context.Context) ([]T, error) {
	var out rowsOf[T]
	if q.limit > 0 && q.limit <= 1000 {
		out.list = make([]T, 0, q.limit)
	}
	if err := q.run(ctx, &out); err != nil {
		return nil, err
	}
	if out.list == nil {
		return []T{}, nil
	}
	return out.list, nil
}

// First returns the first row in the query's order, by the key if it has none. No row is ErrNotFound.
func (q Query[T]) First(ctx context.Context) (T, error) {
	if len(q.order) == 0 && q.plan != nil {
		for _, c := range q.plan.key {
			q.order = append(q.order, ordering{path: c.lookup})
		}
	}
	return q.at(ctx, 1)
}

// One returns the only row. None is ErrNotFound, several are ErrMultiple.
func (q Query[T]) One(ctx context.Context) (T, error) { return q.at(ctx, 2) }

func (q Query[T]) at(ctx context.Context, most int) (T, error) {
	var none T
	if q.limit >= 0 {
		most = min(most, q.limit)
	}
	q.limit = most
	list, err := q.All(ctx)
	switch {
	case err != nil:
		return none, err
	case len(list) == 0:
		return none, notFound(q.plan.table)
	case len(list) > 1:
		return none, fmt.Errorf("orm: %s: %w", q.plan.name, ErrMultiple)
	}
	return list[0], nil
}

// ErrMultiple is the error of One when several rows match.
var ErrMultiple = errors.New("several rows where one was asked for")

// Iter yields the rows as they arrive, without holding them all. A failure is yielded last, with a zero row.
// Related rows cannot be loaded with it.
func (q Query[T]) Iter(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if len(q.with) > 0 && q.err == nil {
			q.err = errors.New("orm: With does not go with Iter, which does not hold rows: use All or Page")
		}
		st, columns, err := q.compile()
		if err != nil {
			yield(none, err)
			return
		}
		result, err := q.on.query(ctx, st)
		if err != nil {
			yield(none, err)
			return
		}
		defer result.Close()
		scan := newScanner(columns)
		for result.Next() {
			var row T
			if err := scan.row(result, unsafe.Pointer(&row)); err != nil {
				yield(none, fmt.Errorf("orm: reading from %s: %w", q.plan.table, err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := classify(q.on, result.Err()); err != nil {
			yield(none, err)
		}
	}
}

// Count returns the number of rows that All would return.
func (q Query[T]) Count(ctx context.Context) (int64, error) {
	if err := q.ready(); err != nil {
		return 0, err
	}
	q.order, q.with, q.lock = nil, nil, nil
	var n int64
	if q.limit >= 0 || q.offset > 0 || q.distinct {
		return n, q.scalar(ctx, &n, func(b *builder) error {
			b.text("SELECT COUNT(*) FROM (")
			if err := q.subselectAll(b); err != nil {
				return err
			}
			b.text(") AS counted")
			return nil
		})
	}
	return n, q.scalar(ctx, &n, func(b *builder) error { return q.body(b, "COUNT(*)") })
}

// Exists reports whether there is such a row.
func (q Query[T]) Exists(ctx context.Context) (bool, error) {
	if err := q.ready(); err != nil {
		return false, err
	}
	q.order, q.with, q.lock = nil, nil, nil
	if q.limit == 0 {
		return false, nil
	}
	q.limit = 1
	var n int64
	err := q.scalar(ctx, &n, func(b *builder) error {
		b.text("SELECT COUNT(*) FROM (")
		if err := q.body(b, "1 AS one"); err != nil {
			return err
		}
		b.text(") AS found")
		return nil
	})
	return n > 0, err
}

// SQL returns the statement that All would run, and its arguments, for a person to look at.
func (q Query[T]) SQL() (text string, args []any, err error) {
	st, _, err := q.compile()
	if err != nil {
		return "", nil, err
	}
	return st.text, st.args, nil
}

// subselect makes the query a list of values: of its key, or of the one field that Only chose.
func (q Query[T]) subselect(b *builder) error {
	s := &q.selection
	if err := s.ready(); err != nil {
		return err
	}
	columns := s.columns
	switch {
	case len(columns) == 2 && len(s.plan.key) == 1: // Only("author_id"): the key and one more
		columns = columns[1:]
	case len(s.plan.key) == 1:
		columns = s.plan.key
	default:
		return fmt.Errorf("orm: a query of %s, which has several keys, as a list of values: choose one field with Only", s.plan.name)
	}
	if (s.limit >= 0 || s.offset > 0) && b.d == dialect.MySQL { // which has no LIMIT in such a place
		b.text("SELECT * FROM (")
		defer b.text(") AS limited")
	}
	return s.write(b, columns)
}

func (s *selection) subselectAll(b *builder) error {
	columns := s.columns
	if columns == nil {
		columns = s.plan.columns
		if !s.distinct {
			columns = s.plan.key
		}
	}
	return s.write(b, columns)
}

// ready returns what is wrong with the query so far.
func (s *selection) ready() error {
	if s.err == nil && (s.plan == nil || s.on == nil) {
		return errors.New("orm: an empty query: begin with orm.Of[Model](db)")
	}
	return s.err
}

func (s *selection) compile() (*statement, []*column, error) {
	if err := s.ready(); err != nil {
		return nil, nil, err
	}
	columns := s.columns
	if columns == nil {
		columns = s.plan.columns
	}
	b := newBuilder(s.on)
	if err := s.write(b, columns); err != nil {
		return nil, nil, err
	}
	if err := b.check(); err != nil {
		return nil, nil, err
	}
	return b.statement("select", s.plan.table), columns, nil
}

// write writes a SELECT of columns of the query's own table.
func (s *selection) write(b *builder, columns []*column) error {
	if len(columns) == len(s.plan.columns) && !s.distinct {
		return s.body(b, s.plan.fixed(b.d, "columns", func(list *builder) { s.list(list, columns) }))
	}
	list := &builder{d: b.d}
	if s.distinct {
		list.text("DISTINCT ")
	}
	s.list(list, columns)
	return s.body(b, string(list.b))
}

func (s *selection) list(b *builder, columns []*column) {
	table := string(b.d.Ident(nil, s.plan.table))
	for i, c := range columns {
		if i > 0 {
			b.text(", ")
		}
		b.column(table, c)
	}
}

// body writes a SELECT of an expression list that holds no arguments.
func (s *selection) body(b *builder, list string) error {
	in := b.scope(s.plan)
	b.text("SELECT ", list, " FROM ", in.table)
	end := len(b.b)
	if err := s.tail(in); err != nil {
		return err
	}
	if len(in.from) > 0 { // the tail has joined tables, which go before it
		b.b = slices.Insert(b.b, end, in.from...)
	}
	return nil
}

// tail writes what follows the tables of a SELECT.
func (s *selection) tail(in *scope) error {
	b := in.b
	if err := s.filter(in); err != nil {
		return err
	}
	if err := s.sort(in, nil, false); err != nil {
		return err
	}
	s.bounds(b)
	if s.lock == nil {
		return nil
	}
	if s.on.transaction() == nil {
		return errors.New("orm: ForUpdate outside of a transaction: locks end with it; use db.Tx and orm.Of[…](tx)")
	}
	if s.distinct {
		return errors.New("orm: ForUpdate does not go with Distinct: rows that stand for several cannot be locked")
	}
	b.text(b.d.Lock(in.table, s.lock.SkipLocked, s.lock.NoWait))
	return nil
}

func (s *selection) bounds(b *builder) {
	if s.limit >= 0 {
		b.text(" LIMIT ")
		b.arg(int64(s.limit))
	} else if s.offset > 0 {
		b.text(" LIMIT ", b.d.NoLimit())
	}
	if s.offset > 0 {
		b.text(" OFFSET ")
		b.arg(int64(s.offset))
	}
}

// filter writes the WHERE clause.
func (s *selection) filter(in *scope) error {
	b, word := in.b, " WHERE "
	if s.plan.deleted != nil && !s.deleted {
		b.text(word)
		b.column(in.table, s.plan.deleted)
		b.text(" IS NULL")
		word = " AND "
	}
	for _, c := range s.where {
		if c.err == nil && c.op == opAll && len(c.children) == 0 {
			continue
		}
		b.text(word)
		word = " AND "
		if err := in.condition(c); err != nil {
			return err
		}
	}
	return nil
}

// sort writes the ORDER BY clause. Names of outputs go before names of fields; groups have no others.
func (s *selection) sort(in *scope, outputs map[string]*result, grouped bool) error {
	b := in.b
	for i, o := range s.order {
		if i == 0 {
			b.text(" ORDER BY ")
		} else {
			b.text(", ")
		}
		output := outputs[o.path]
		switch {
		case s.distinct && (o.random || o.expr != nil || output == nil && outputs != nil):
			return fmt.Errorf("orm: OrderBy(%q): with Distinct rows are sorted by what is read", o.path)
		case o.random:
			b.text(b.d.Random())
			continue
		case output != nil && o.expr == nil:
			b.ident(output.name)
		case grouped:
			return fmt.Errorf("orm: OrderBy(%q): groups are sorted by names of outputs", o.path)
		case o.expr != nil:
			if _, err := in.expression(*o.expr); err != nil {
				return err
			}
		default:
			table, c, rest, err := in.resolve(o.path)
			if err == nil && len(rest) > 0 {
				err = fmt.Errorf("orm: OrderBy(%q): nothing follows the field %s", o.path, c.lookup)
			}
			if err != nil {
				return err
			}
			if s.distinct && (table != in.table || s.columns != nil && !slices.Contains(s.columns, c)) {
				return fmt.Errorf("orm: OrderBy(%q): with Distinct rows are sorted by what is read", o.path)
			}
			if c.kind == dialect.JSONValue {
				return fmt.Errorf("orm: OrderBy(%q): JSON has no order that engines agree on", o.path)
			}
			b.column(table, c)
			if !c.null && table == in.table {
				if o.desc {
					b.text(" DESC")
				}
				continue
			}
		}
		if o.desc {
			b.text(" DESC")
		}
		b.text(b.d.Nulls(o.desc))
	}
	return nil
}

// fixed returns a text of the plan that is the same every time.
// The shape is a constant string: as an any, it costs no allocation.
func (p *plan) fixed(d dialect.Dialect, shape any, write func(*builder)) string {
	i := 0
	switch d {
	case dialect.Postgres:
		i = 1
	case dialect.MySQL:
		i = 2
	}
	texts := &p.texts[i]
	if known, ok := texts.Load(shape); ok {
		return known.(string)
	}
	b := &builder{d: d}
	write(b)
	text := string(b.b)
	texts.Store(shape, text)
	return text
}

// run fetches the rows and what With asks for.
func (s *selection) run(ctx context.Context, into rows) error {
	st, columns, err := s.compile()
	if err != nil {
		return err
	}
	tree, err := s.plan.paths(s.with)
	if err != nil {
		return err
	}
	if err := fetch(ctx, s.on, st, columns, into); err != nil {
		return err
	}
	return tree.load(ctx, s.on, into, s.deleted)
}

// scalar runs a statement that gives one value.
func (s *selection) scalar(ctx context.Context, into any, write func(*builder) error) error {
	b := newBuilder(s.on)
	if err := write(b); err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	result, err := s.on.query(ctx, b.statement("select", s.plan.table))
	if err != nil {
		return err
	}
	defer result.Close()
	if !result.Next() {
		return classify(s.on, result.Err())
	}
	if err := result.Scan(into); err != nil {
		return fmt.Errorf("orm: reading from %s: %w", s.plan.table, err)
	}
	return classify(s.on, result.Err())
}

// planOf returns a model's plan in a session.
func planOf(on Session, t reflect.Type) (*plan, error) { return on.models().plan(t) }
