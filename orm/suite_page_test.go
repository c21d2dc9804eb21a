package orm_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// Pages of every order, forwards and back again, are the list.
func TestSuitePages(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		samples, ctx := sampled(t, db), t.Context()
		orders := [][]string{nil, {"bool"}, {"-bool", "label"}, {"-pk"}, {"bool_n", "-int8_n"}, {"-bool_n", "at_n"}, {"zero", "-text"}}
		for _, c := range ascending {
			orders = append(orders, []string{c.lookup}, []string{"-" + c.lookup, "bool"})
		}
		for i, order := range orders {
			t.Run(fmt.Sprint(order), func(t *testing.T) {
				q := samples.OrderBy(order...)
				keyed := append(slices.Clone(order), "id")
				if len(order) > 0 && order[0][0] == '-' {
					keyed[len(order)] = "-id"
				}
				want, err := letters(ctx, samples.OrderBy(keyed...))
				if err != nil {
					t.Fatal(err)
				}
				size := 1 + i%4
				forwards, last := walk(ctx, t, q, orm.PageRequest{Size: size}, func(p orm.Page[sample]) orm.PageRequest { return orm.PageRequest{Size: size, After: p.Next} }, func(p orm.Page[sample]) bool { return p.Next != "" })
				equal(t, strings.Join(forwards, ""), want)
				if last.Previous == "" {
					return
				}
				back, first := walk(ctx, t, q, orm.PageRequest{Size: size, Before: last.Previous}, func(p orm.Page[sample]) orm.PageRequest { return orm.PageRequest{Size: size, Before: p.Previous} }, func(p orm.Page[sample]) bool { return p.Previous != "" })
				slices.Reverse(back)
				equal(t, strings.Join(back, "")+forwards[len(forwards)-1], want)
				equal(t, first.Next != "", true)
			})
		}
		t.Run("edges", func(t *testing.T) {
			q := samples.OrderBy("label")
			page, err := q.Filter("label", "z").Page(ctx, orm.PageRequest{})
			equal(t, []any{len(page.Rows), page.Next, page.Previous, err}, []any{0, "", "", nil})
			page, err = q.Page(ctx, orm.PageRequest{})
			equal(t, []any{len(page.Rows), page.Next, page.Previous, err}, []any{6, "", "", nil})
			page, err = q.Page(ctx, orm.PageRequest{Size: 6})
			equal(t, []any{len(page.Rows), page.Next, err}, []any{6, "", nil})
			page, err = q.Page(ctx, orm.PageRequest{Size: 2})
			other, err2 := samples.OrderBy("-label").Page(ctx, orm.PageRequest{Size: 2, After: page.Next})
			equal(t, []any{err, errors.Is(err2, orm.ErrCursor), len(other.Rows)}, []any{nil, true, 0})
			for name, err := range map[string]error{
				"negative": pageError(ctx, q, orm.PageRequest{Size: -1}), "too large": pageError(ctx, q, orm.PageRequest{Size: 1001}), "both": pageError(ctx, q, orm.PageRequest{After: "a", Before: "b"}),
				"limit": pageError(ctx, q.Limit(1), orm.PageRequest{}), "only": pageError(ctx, q.Only("label"), orm.PageRequest{}), "random": pageError(ctx, q.OrderBy("?"), orm.PageRequest{}), "JSON": pageError(ctx, q.OrderBy("meta"), orm.PageRequest{}),
				"unknown": pageError(ctx, q.OrderBy("lable"), orm.PageRequest{}), "expression": pageError(ctx, q.OrderByExpr(orm.F("int8"), true), orm.PageRequest{}),
			} {
				if err == nil {
					t.Errorf("%s: no error", name)
				}
			}
			for _, cursor := range []string{"x", "e30", base64.RawURLEncoding.EncodeToString([]byte(`["label,id","a"]`)), base64.RawURLEncoding.EncodeToString([]byte(`["label,id",{},[]]`)), base64.RawURLEncoding.EncodeToString([]byte(`["label,id",5,"x"]`))} {
				if err := pageError(ctx, q, orm.PageRequest{After: cursor}); !errors.Is(err, orm.ErrCursor) {
					t.Errorf("%q: %v", cursor, err)
				}
			}
		})
	})
}

func pageError(ctx context.Context, q orm.Query[sample], ask orm.PageRequest) error {
	_, err := q.Page(ctx, ask)
	return err
}

// walk reads page after page and returns the letters of each.
func walk(ctx context.Context, t *testing.T, q orm.Query[sample], ask orm.PageRequest, next func(orm.Page[sample]) orm.PageRequest, more func(orm.Page[sample]) bool) (list []string, last orm.Page[sample]) {
	t.Helper()
	for range 10 {
		page, err := q.Page(ctx, ask)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, named(page.Rows, nil, func(s sample) string { return s.Label }))
		list[len(list)-1] = strings.ReplaceAll(list[len(list)-1], " ", "")
		if !more(page) {
			return list, page
		}
		ask = next(page)
	}
	t.Fatal("pages without an end")
	return nil, last
}

// Ways to run a query.
func TestSuiteReads(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		samples, ctx := sampled(t, db), t.Context()
		check := func(name string, run func(t *testing.T)) { t.Run(name, run) }
		check("count", func(t *testing.T) {
			for _, c := range []struct {
				q    orm.Query[sample]
				want int64
			}{
				{samples.Query(), 6}, {samples.Filter("bool", true), 3}, {samples.Filter("label", "z"), 0}, {samples.Query().Limit(2), 2}, {samples.Query().Limit(0), 0}, {samples.Query().Offset(4), 2}, {samples.OrderBy("-label").Limit(9).Offset(1), 5},
				{samples.Query().Distinct(), 6}, {samples.Filter("bool", true).OrderBy("?"), 3},
			} {
				n, err := c.q.Count(ctx)
				some, err2 := c.q.Exists(ctx)
				equal(t, []any{n, some, err, err2}, []any{c.want, c.want > 0, nil, nil})
			}
		})
		check("first and one", func(t *testing.T) {
			s, err := samples.OrderBy("-label").First(ctx)
			equal(t, []any{s.Label, err}, []any{"f", nil})
			s, err = samples.Filter("label__gt", "b").First(ctx)
			equal(t, []any{s.Label, err}, []any{"c", nil})
			s, err = samples.Filter("label", "c").One(ctx)
			equal(t, []any{s.Label, err}, []any{"c", nil})
			_, err = samples.Filter("bool", true).One(ctx)
			_, err2 := samples.Filter("label", "z").One(ctx)
			_, err3 := samples.Filter("label", "z").First(ctx)
			_, err4 := samples.Query().Limit(0).First(ctx)
			equal(t, []any{errors.Is(err, orm.ErrMultiple), errors.Is(err2, orm.ErrNotFound), errors.Is(err3, orm.ErrNotFound), errors.Is(err4, orm.ErrNotFound)}, []any{true, true, true, true})
			s, err = samples.Filter("bool", true).OrderBy("label").Limit(1).One(ctx)
			equal(t, []any{s.Label, err}, []any{"d", nil})
		})
		check("get", func(t *testing.T) {
			s, _ := samples.Filter("label", "b").One(ctx)
			for _, key := range []any{s.ID, int(s.ID), uint8(s.ID), fmt.Sprint(s.ID), &s.ID} {
				got, err := samples.Get(ctx, key)
				equal(t, []any{got.Label, err}, []any{"b", nil})
			}
			_, err := samples.Get(ctx, 987654)
			_, err2 := samples.Get(ctx, nil)
			_, err3 := samples.Get(ctx, "x")
			_, err4 := samples.Get(ctx)
			equal(t, []any{errors.Is(err, orm.ErrNotFound), err2 != nil, err3 != nil, err4 != nil}, []any{true, true, true, true})
		})
		check("only", func(t *testing.T) {
			s, err := samples.Filter("label", "c").Only("text", "Int8N").One(ctx)
			equal(t, []any{s.ID > 0, s.Text, *s.Int8N, s.Label, s.Price, err}, []any{true, "Zoë", 2, "", "", nil})
		})
		check("iter", func(t *testing.T) {
			var got string
			for s, err := range samples.OrderBy("label").Iter(ctx) {
				if err != nil {
					t.Fatal(err)
				}
				if got += s.Label; got == "abc" {
					break
				}
			}
			equal(t, got, "abc")
			for range 40 { // connections go back
				for range samples.Query().Iter(ctx) {
					break
				}
			}
			for _, err := range samples.Filter("nmae", 1).Iter(ctx) {
				equal(t, err != nil, true)
			}
			for _, err := range samples.With("x").Iter(ctx) {
				equal(t, err != nil, true)
			}
		})
		check("a query is kept", func(t *testing.T) {
			base := samples.Filter("bool", true)
			one, two := base.Filter("label", "d"), base.Filter("label", "e").OrderBy("label").Limit(1)
			equal(t, []any{found(t, base), found(t, one), found(t, two), found(t, base.Exclude("label", "f")), found(t, base)}, []any{"def", "d", "e", "de", "def"})
		})
		check("lock", func(t *testing.T) {
			_, err := samples.Filter("label", "a").ForUpdate().All(ctx)
			equal(t, err != nil && strings.Contains(err.Error(), "outside of a transaction"), true)
			err = db.Tx(ctx, func(tx *orm.Tx) error {
				for _, q := range []orm.Query[sample]{orm.Of[sample](tx).Filter("label", "a").ForUpdate(), orm.Of[sample](tx).OrderBy("label").Limit(1).ForUpdate(orm.Lock{SkipLocked: true}), orm.Of[sample](tx).Filter("label", "a").ForUpdate(orm.Lock{NoWait: true})} {
					s, err := q.One(ctx)
					if err != nil {
						return err
					}
					equal(t, s.Label, "a")
				}
				_, err := orm.Of[sample](tx).Query().Distinct().ForUpdate().All(ctx)
				equal(t, err != nil, true)
				return nil
			})
			equal(t, err, nil)
		})
		check("raw", func(t *testing.T) {
			place := "?"
			if db.Dialect() == "postgres" {
				place = "$1"
			}
			list, err := samples.Raw(ctx, "SELECT label, at, price, int_n FROM samples WHERE price > "+place+" ORDER BY label", 9.98)
			equal(t, named(list, err, func(s sample) string { return fmt.Sprint(s.Label, s.At.Year(), s.Price, s.IntN != nil) }), "d20249.99true e2025100.00false f20251234567890.12false")
			_, err = samples.Raw(ctx, "SELECT label AS lable FROM samples")
			equal(t, strings.Contains(fmt.Sprint(err), `did you mean "label"?`), true)
			n, err := orm.Exec(ctx, db, "UPDATE samples SET zero = "+place+" WHERE bool_n IS NULL", "new")
			equal(t, []any{n, err}, []any{2, nil})
			at := time.Date(2024, 2, 29, 12, 30, 15, 500000000, time.UTC)
			list, err = samples.Raw(ctx, "SELECT label FROM samples WHERE at = "+place, at)
			equal(t, named(list, err, func(s sample) string { return s.Label }), "c")
		})
		check("lock over a relation", func(t *testing.T) {
			library(t, db)
			err := db.Tx(ctx, func(tx *orm.Tx) error {
				equal(t, novelsOf(ctx, orm.Of[novel](tx).Filter("writer__name", "ann").ForUpdate()), "A1 A2")
				return nil
			})
			equal(t, err, nil)
		})
		check("SQL", func(t *testing.T) {
			text, args, err := samples.Filter("label", "a").Only("label").SQL()
			equal(t, []any{strings.HasPrefix(text, "SELECT "), len(args), err}, []any{true, 1, nil})
		})
	})
}
