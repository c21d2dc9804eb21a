package admin

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"runtime"

	"github.com/ishaa-framework/ishaa/orm"
)

// rows is what the panel does to the rows of a model whose type it does not know: rows are pointers to it.
type rows interface {
	fresh(db *orm.DB) any
	page(ctx context.Context, on orm.Session, q question, ask orm.PageRequest) (list []any, next, previous string, err error)
	count(ctx context.Context, on orm.Session, q question, most int) (int64, error)
	each(ctx context.Context, on orm.Session, q question) iter.Seq2[any, error]
	one(ctx context.Context, on orm.Session, q question, lock bool) (any, error)
	create(ctx context.Context, on orm.Session, row any, explicit []string) error
	save(ctx context.Context, on orm.Session, row any, fields []string) error
	remove(ctx context.Context, on orm.Session, row any) error
	tie(ctx context.Context, on orm.Session, row any, relation string, add, drop []any) error
	mistake(db *orm.DB, q question) error
}

// question is which rows are wanted, and in which order.
type question struct {
	where []any // conditions, and pairs of a lookup and a value
	order []string
	limit int
	lost  bool     // rows that were deleted softly too
	with  []string // relations to load
}

func (q question) and(where ...any) question {
	q.where = append(q.where[:len(q.where):len(q.where)], where...)
	return q
}

type rowsOf[T any] struct{}

func (rowsOf[T]) fresh(db *orm.DB) any {
	row := orm.Of[T](db).New()
	return &row
}

func (rowsOf[T]) query(on orm.Session, q question) orm.Query[T] {
	query := orm.Of[T](on).Query()
	if q.lost {
		query = query.WithDeleted()
	}
	if len(q.where) > 0 {
		query = query.Filter(q.where...)
	}
	if len(q.order) > 0 {
		query = query.OrderBy(q.order...)
	}
	if len(q.with) > 0 {
		query = query.With(q.with...)
	}
	if q.limit > 0 {
		query = query.Limit(q.limit)
	}
	return query
}

func (r rowsOf[T]) page(ctx context.Context, on orm.Session, q question, ask orm.PageRequest) ([]any, string, string, error) {
	page, err := r.query(on, q).Page(ctx, ask)
	if err != nil {
		return nil, "", "", err
	}
	list := make([]any, len(page.Rows))
	for i := range page.Rows {
		list[i] = &page.Rows[i]
	}
	return list, page.Next, page.Previous, nil
}

// count counts at most so many rows: counting all of a long list would take longer than showing its first page.
func (r rowsOf[T]) count(ctx context.Context, on orm.Session, q question, most int) (int64, error) {
	q.order, q.limit = nil, most
	return r.query(on, q).Count(ctx)
}

func (r rowsOf[T]) each(ctx context.Context, on orm.Session, q question) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for row, err := range r.query(on, q).Iter(ctx) {
			if !yield(&row, err) || err != nil {
				return
			}
		}
	}
}

func (r rowsOf[T]) one(ctx context.Context, on orm.Session, q question, lock bool) (any, error) {
	query := r.query(on, q)
	if lock {
		query = query.ForUpdate()
	}
	row, err := query.First(ctx)
	if err != nil {
		return nil, err
	}
	return &row, nil
}

func (rowsOf[T]) create(ctx context.Context, on orm.Session, row any, explicit []string) error {
	made, err := orm.Of[T](on).Create(ctx, *row.(*T), orm.Explicit(explicit...))
	if err == nil {
		*row.(*T) = made
	}
	return err
}

func (rowsOf[T]) save(ctx context.Context, on orm.Session, row any, fields []string) error {
	return orm.Of[T](on).Save(ctx, row.(*T), orm.Only(fields...))
}

func (rowsOf[T]) remove(ctx context.Context, on orm.Session, row any) error {
	return orm.Of[T](on).Delete(ctx, row.(*T))
}

func (rowsOf[T]) tie(ctx context.Context, on orm.Session, row any, relation string, add, drop []any) error {
	if len(drop) > 0 {
		if err := orm.Of[T](on).Unlink(ctx, row.(*T), relation, drop...); err != nil {
			return err
		}
	}
	if len(add) == 0 {
		return nil
	}
	return orm.Of[T](on).Link(ctx, row.(*T), relation, add...)
}

// mistake reports why a question cannot be asked, before anybody does.
func (r rowsOf[T]) mistake(db *orm.DB, q question) error {
	_, _, err := r.query(db, q).SQL()
	return err
}

// Register puts a model into a panel: list, forms, search and the rest, as its options say.
//
//	admin.Register[User](panel, admin.List("Name", "Age"), admin.Search("Name"))
//
// Fields are named as in Go. A name that the model does not have stops the program with the line of this call.
func Register[T any](panel *Panel, options ...Option) {
	_, file, line, _ := runtime.Caller(1)
	if err := register[T](panel, options); err != nil {
		panic(fmt.Sprintf("%s:%d: admin: %v", file, line, err))
	}
}

func register[T any](panel *Panel, options []Option) error {
	if panel.installed {
		return errors.New("the panel is installed already: register models before app.Install(panel)")
	}
	m, err := describe(panel, reflect.TypeFor[T](), rowsOf[T]{}, func() { orm.Register[T](panel.db) })
	if err != nil {
		return err
	}
	if panel.bySlug[m.slug] != nil {
		return fmt.Errorf("%s is registered already", m.table.Model)
	}
	for _, o := range options {
		if err := o(m); err != nil {
			return err
		}
	}
	if err := m.finish(); err != nil {
		return err
	}
	panel.models = append(panel.models, m)
	panel.bySlug[m.slug] = m
	return nil
}
