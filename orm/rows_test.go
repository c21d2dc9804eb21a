package orm_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

type bookcase struct {
	ID    int64
	Name  string `db:"size:40,unique"`
	Books orm.Many[volume]
}

type volume struct {
	ID         int64
	Title      string `db:"default:untitled"`
	Price      orm.Decimal
	Read       *time.Time
	Version    int `db:"version"`
	BookcaseID int64
	Bookcase   orm.One[bookcase]
	orm.SoftDelete
	Tags orm.ManyToMany[label]
}

type label struct {
	ID   int64
	Word string
}

// Rows of a model that is known by its type only are those that Of gives, on each engine.
func TestRows(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		ctx := t.Context()
		orm.Register[volume](db)
		if err := db.CreateTables(ctx); err != nil {
			t.Fatal(err)
		}
		types := map[string]reflect.Type{}
		for _, table := range db.Tables() {
			types[table.Model] = table.Type
		}
		shelves, books := orm.RowsOf(db, types["bookcase"]), orm.RowsOf(db, types["volume"])

		one := shelves.New()
		noError(t, shelves.SetValue(one, "name", "first"))
		noError(t, shelves.Save(ctx, one))
		id, err := shelves.Value(one, "id")
		equal(t, []any{id, err}, []any{int64(1), nil})
		for i, title := range []string{"a", "b", "c", "d", "e"} {
			row := books.New()
			equal(t, row.(*volume).Title, "untitled")
			noError(t, books.SetValue(row, "title", title))
			noError(t, books.SetValue(row, "price", fmt.Sprint(i)))
			noError(t, books.SetValue(row, "bookcase_id", id))
			noError(t, books.Create(ctx, row))
			equal(t, row.(*volume).ID, int64(i+1))
		}
		noError(t, orm.Of[volume](db).Link(ctx, &volume{ID: 1}, "Tags", newLabel(t, db, "good"), newLabel(t, db, "old")))

		titles := func(rows []any) (text string) {
			for _, row := range rows {
				text += row.(*volume).Title
			}
			return text
		}
		all, err := books.OrderBy("-title").All(ctx)
		equal(t, []any{titles(all), err}, []any{"edcba", nil})
		all, err = books.Filter("title__in", []any{"a", "c"}).Exclude("price__gt", 1).All(ctx)
		equal(t, []any{titles(all), err}, []any{"a", nil})
		all, err = books.Filter("bookcase__in", shelves.Filter("name", "first")).OrderBy("title").Offset(1).Limit(2).All(ctx)
		equal(t, []any{titles(all), err}, []any{"bc", nil})
		first, err := books.First(ctx)
		equal(t, []any{first.(*volume).Title, err}, []any{"a", nil})
		n, err := books.Count(ctx)
		yes, err2 := books.Filter("title", "x").Exists(ctx)
		equal(t, []any{n, err, yes, err2}, []any{int64(5), nil, false, nil})

		// Related rows, of each kind; the row itself stays as it is.
		found, err := shelves.Related(ctx, one, "books")
		equal(t, []any{len(found), err, one.(*bookcase).Books.Loaded()}, []any{5, nil, false})
		found, err = books.Related(ctx, first, "bookcase")
		equal(t, []any{found[0].(*bookcase).Name, err}, []any{"first", nil})
		found, err = books.Related(ctx, first, "tags")
		equal(t, []any{len(found), err}, []any{2, nil})
		with, err := books.With("Bookcase").Get(ctx, 2)
		equal(t, []any{with.(*volume).Bookcase.Get().Name, err}, []any{"first", nil})

		// Changes.
		noError(t, books.SetValue(first, "title", "A"))
		noError(t, books.SetValue(first, "read", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
		noError(t, books.Save(ctx, first))
		noError(t, books.SetValue(first, "read", nil))
		noError(t, books.Save(ctx, first, orm.Only("read")))
		again, err := books.Get(ctx, 1)
		equal(t, []any{again.(*volume).Title, again.(*volume).Read, again.(*volume).Version, err}, []any{"A", (*time.Time)(nil), 3, nil})
		stale := *again.(*volume)
		stale.Version = 1
		equal(t, errors.Is(books.Save(ctx, &stale), orm.ErrStale), true)
		n, err = books.Filter("id__gt", 3).Update(ctx, orm.Set{"title": "z"})
		equal(t, []any{n, err}, []any{int64(2), nil})
		noError(t, books.Remove(ctx, again))
		n, err = books.Filter("title", "z").Delete(ctx)
		equal(t, []any{n, err}, []any{int64(2), nil})
		n, err = books.Count(ctx)
		n2, err2 := books.WithDeleted().Count(ctx)
		equal(t, []any{n, err, n2, err2}, []any{int64(2), nil, int64(5), nil})

		// Pages are those of Query.
		typed, err := orm.Of[volume](db).WithDeleted().OrderBy("-price").Page(ctx, orm.PageRequest{Size: 2})
		noError(t, err)
		page, err := books.WithDeleted().OrderBy("-price").Page(ctx, orm.PageRequest{Size: 2})
		equal(t, []any{titles(page.Rows), page.Next, page.Previous, err}, []any{"zz", typed.Next, "", nil})
		page, err = books.WithDeleted().OrderBy("-price").Page(ctx, orm.PageRequest{Size: 2, After: page.Next})
		equal(t, []any{titles(page.Rows), page.Previous != "", err}, []any{"cb", true, nil})
		page, err = books.WithDeleted().OrderBy("-price").Page(ctx, orm.PageRequest{Size: 2, Before: page.Previous})
		equal(t, []any{titles(page.Rows), err}, []any{"zz", nil})
	})
}

func newLabel(t *testing.T, db *orm.DB, word string) int64 {
	t.Helper()
	made, err := orm.Of[label](db).Create(t.Context(), label{Word: word})
	noError(t, err)
	return made.ID
}

// What does not fit is an error, not a panic, and nothing is written.
func TestRowsMistakes(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	ctx := t.Context()
	orm.Register[volume](db)
	noError(t, db.CreateTables(ctx))
	books := orm.RowsOf(db, reflect.TypeFor[volume]())
	row := books.New()
	var none *volume
	for name, err := range map[string]error{
		"no type":        second(orm.RowsOf(db, nil).All(ctx)),
		"no model":       second(orm.RowsOf(db, reflect.TypeFor[int]()).All(ctx)),
		"no database":    second(orm.RowsOf(nil, reflect.TypeFor[volume]()).Get(ctx, 1)),
		"zero":           second(orm.Rows{}.All(ctx)),
		"another type":   books.Create(ctx, &label{}),
		"no pointer":     books.Save(ctx, volume{}),
		"nil":            books.Remove(ctx, nil),
		"nil pointer":    books.Save(ctx, none),
		"unknown field":  books.SetValue(row, "titel", "x"),
		"unknown value":  second(books.Value(row, "titel")),
		"wrong value":    books.SetValue(row, "bookcase_id", "x"),
		"empty value":    books.SetValue(row, "title", nil),
		"no relation":    second(books.Related(ctx, row, "title")),
		"unknown lookup": second(books.Filter("title__nothing", 1).All(ctx)),
		"no row":         second(books.Get(ctx, 7)),
		"keys":           second(books.Get(ctx)),
		"page":           second(books.Page(ctx, orm.PageRequest{Size: -1})),
		"cursor":         second(books.Page(ctx, orm.PageRequest{After: "x"})),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	equal(t, orm.RowsOf(db, reflect.TypeFor[int]()).New(), nil)
	n, err := books.Count(ctx)
	equal(t, []any{n, err}, []any{int64(0), nil})
}

func second[T any](_ T, err error) error { return err }

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
