package orm_test

import (
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// Columns, groups and aggregates, as %v prints them.
func TestSuiteValues(t *testing.T) {
	f := orm.F
	type row struct {
		Name   string
		Books  int
		Pages  *int
		Price  orm.Decimal
		Mean   sql.Null[float64]
		Latest *time.Time `db:"last"`
	}
	cases := []struct {
		name string
		into func() any // a pointer
		run  func(db *orm.DB, into any, t *testing.T) error
		want string
	}{}
	add := func(name string, into func() any, run func(db *orm.DB, into any, t *testing.T) error, want string) {
		cases = append(cases, struct {
			name string
			into func() any
			run  func(db *orm.DB, into any, t *testing.T) error
			want string
		}{name, into, run, want})
	}
	writers := func(q func(orm.Query[writer]) orm.Query[writer], outputs ...any) func(*orm.DB, any, *testing.T) error {
		return func(db *orm.DB, into any, t *testing.T) error {
			return q(orm.Of[writer](db).OrderBy("name")).Values(t.Context(), into, outputs...)
		}
	}
	novels := func(q func(orm.Query[novel]) orm.Query[novel], outputs ...any) func(*orm.DB, any, *testing.T) error {
		return func(db *orm.DB, into any, t *testing.T) error {
			return q(orm.Of[novel](db).OrderBy("title")).Values(t.Context(), into, outputs...)
		}
	}
	total := func(q func(orm.Query[novel]) orm.Query[novel], of ...orm.Output) func(*orm.DB, any, *testing.T) error {
		return func(db *orm.DB, into any, t *testing.T) error {
			return q(orm.Of[novel](db).Query()).Aggregate(t.Context(), into, of...)
		}
	}
	allW, allN := func(q orm.Query[writer]) orm.Query[writer] { return q }, func(q orm.Query[novel]) orm.Query[novel] { return q }
	by := func(order ...string) func(q orm.Query[novel]) orm.Query[novel] {
		return func(q orm.Query[novel]) orm.Query[novel] { return q.OrderBy(order...) }
	}
	none := func(q orm.Query[novel]) orm.Query[novel] { return q.Filter("pages__lt", 0) }
	list := func() any { return &[]any{} }
	maps := func() any { return &[]map[string]any{} }
	one := func() any { var v any; return &v }

	add("one field", func() any { return &[]string{} }, writers(allW, "name"), "[ann ben cid]")
	add("one field into any", list, writers(allW, "name"), "[ann ben cid]")
	add("numbers", func() any { return &[]int{} }, novels(allN, "pages"), "[100 200 400 50]")
	add("empty into any", list, writers(allW, "age"), "[30 40 <nil>]")
	add("empty into sql.Null", func() any { return &[]sql.Null[int64]{} }, writers(allW, "age"), "[{30 true} {40 true} {0 false}]")
	add("empty into a number", func() any { return &[]int{} }, writers(allW, "age"), "error: NULL in a column")
	add("decimals", list, novels(allN, "price"), "[10.00 20.50 5.25 1.50]")
	add("decimals as text", func() any { return &[]string{} }, novels(allN, "price"), "[10.00 20.50 5.25 1.50]")
	add("maps", maps, novels(allN, "title", "pages"), "[map[pages:100 title:A1] map[pages:200 title:A2] map[pages:400 title:B1] map[pages:50 title:O1]]")
	add("structs", func() any { return &[]struct{ Title, WriterName *string }{} }, func(db *orm.DB, into any, t *testing.T) error {
		err := orm.Of[novel](db).Filter("title__in", []string{"A1"}).Values(t.Context(), into, "title", "writer__name")
		if l := *into.(*[]struct{ Title, WriterName *string }); err == nil && (len(l) != 1 || *l[0].Title != "A1" || *l[0].WriterName != "ann") {
			return fmt.Errorf("%v", l)
		}
		*into.(*[]struct{ Title, WriterName *string }) = nil
		return err
	}, "[]")
	add("related field", list, novels(allN, f("writer__name").As("w")), "[ann ann ben <nil>]")
	add("a relation is its key", list, writers(allW, orm.Coalesce(f("mentor"), 0).As("m")), "[0 1 2]")
	add("expression", list, novels(allN, f("pages").Mul(2).As("x")), "[200 400 800 100]")
	add("whole division", list, novels(allN, f("pages").Div(60).As("x")), "[1 3 6 0]")
	add("expression of decimals", list, novels(allN, f("price").Mul(2).As("x")), "[20.00 41.00 10.50 3.00]")
	add("functions", maps, writers(func(q orm.Query[writer]) orm.Query[writer] { return q.Limit(1) }, orm.Upper(f("name")).As("u"), orm.Length(f("name")).As("l"), orm.Concat(f("name"), "!").As("c")), "[map[c:ann! l:3 u:ANN]]")
	add("constant", maps, writers(func(q orm.Query[writer]) orm.Query[writer] { return q.Limit(1) }, "name", orm.Value(7).As("seven"), orm.Value("x").As("x"), orm.Value(1.5).As("h")), "[map[h:1.5 name:ann seven:7 x:x]]")
	add("times are in UTC", func() any { return &[]bool{} }, func(db *orm.DB, into any, t *testing.T) error {
		var at []time.Time
		err := orm.Of[writer](db).Query().Limit(1).Values(t.Context(), &at, "created_at")
		*into.(*[]bool) = []bool{len(at) == 1 && at[0].Location() == time.UTC && time.Since(at[0]) < time.Hour}
		return err
	}, "[true]")
	add("distinct", list, novels(func(q orm.Query[novel]) orm.Query[novel] { return q.Distinct().OrderBy("writer__name") }, f("writer__name").As("writer__name")), "[<nil> ann ben]")
	add("distinct pages of two", list, novels(func(q orm.Query[novel]) orm.Query[novel] { return q.Distinct().OrderBy("-x") }, f("pages").Div(200).As("x")), "[2 1 0]")
	add("limit and offset", list, novels(func(q orm.Query[novel]) orm.Query[novel] { return q.Limit(2).Offset(1) }, "title"), "[A2 B1]")
	add("sorted by an output", list, novels(by("-x"), f("pages").Mul(-1).As("x")), "[-50 -100 -200 -400]")

	add("groups", maps, novels(by("writer__name"), "writer__name", orm.Count("*").As("n"), orm.Sum("pages").As("p")), "[map[n:1 p:50 writer__name:<nil>] map[n:2 p:300 writer__name:ann] map[n:1 p:400 writer__name:ben]]")
	add("groups by an expression", maps, novels(by("big"), f("pages").Div(200).As("big"), orm.Count("*").As("n")), "[map[big:0 n:2] map[big:1 n:1] map[big:2 n:1]]")
	add("groups by two", maps, novels(by("-writer__name", "v"), "writer__name", f("version").As("v"), orm.Max("pages").As("m")), "[map[m:400 v:1 writer__name:ben] map[m:200 v:1 writer__name:ann] map[m:50 v:1 writer__name:<nil>]]")
	add("groups into structs", func() any { return &[]row{} }, func(db *orm.DB, into any, t *testing.T) error {
		err := orm.Of[novel](db).OrderBy("-books").Filter("writer__isnull", false).Values(t.Context(), into,
			f("writer__name").As("name"), orm.Count("*").As("books"), orm.Sum("pages").As("pages"), orm.Sum("price").As("price"), orm.Avg("pages").As("mean"), orm.Max("created_at").As("last"))
		l := into.(*[]row)
		if err != nil || len(*l) != 2 || *(*l)[0].Pages != 300 || (*l)[0].Latest == nil || time.Since(*(*l)[0].Latest) > time.Hour {
			return fmt.Errorf("%v %w", *l, err)
		}
		for i := range *l {
			(*l)[i].Pages, (*l)[i].Latest = nil, nil
		}
		return nil
	}, "[{ann 2 <nil> 30.50 {150 true} <nil>} {ben 1 <nil> 5.25 {400 true} <nil>}]")
	having := func(lookups ...any) func(q orm.Query[novel]) orm.Query[novel] {
		return func(q orm.Query[novel]) orm.Query[novel] { return q.OrderBy("w").Having(lookups...) }
	}
	groups := []any{f("writer__name").As("w"), orm.Count("*").As("n"), orm.Sum("pages").As("p"), orm.Sum("price").As("c"), orm.Sum(f("pages").Mul(2)).As("twice"), orm.Avg("pages").As("a")}
	for name, c := range map[string]struct {
		by   []any
		want string
	}{
		"n": {[]any{"n", 2}, "ann"}, "n__gt": {[]any{"n__gt", 1}, "ann"}, "p__lt": {[]any{"p__lt", 400}, "<nil> ann"}, "p__in": {[]any{"p__in", []int{50, 400}}, "<nil> ben"}, "decimal": {[]any{"c__gt", "5.24"}, "ann ben"},
		"decimal exact": {[]any{"c", orm.Decimal("30.5")}, "ann"}, "group": {[]any{"w__isnull", true}, "<nil>"}, "group ne": {[]any{"w__ne", "ann"}, "<nil> ben"}, "with arguments": {[]any{"twice__gte", 600}, "ann ben"}, "with arguments ne": {[]any{"twice__ne", 600}, "<nil> ben"},
		"or": {[]any{orm.Or(orm.Q("n", 2), orm.Q("p", 50))}, "<nil> ann"}, "not": {[]any{orm.Not(orm.Q("n", 2))}, "<nil> ben"}, "two": {[]any{"n", 1, "p__gt", 50}, "ben"}, "mean": {[]any{"a__range", []any{100, 200}}, "ann"},
	} {
		add("having "+name, maps, func(db *orm.DB, into any, t *testing.T) error {
			var rows []map[string]any
			err := having(c.by...)(orm.Of[novel](db).Query()).Values(t.Context(), &rows, groups...)
			var names []string
			for _, r := range rows {
				names = append(names, fmt.Sprint(r["w"]))
			}
			*into.(*[]map[string]any) = []map[string]any{{"w": strings.Join(names, " ")}}
			return err
		}, "[map[w:"+c.want+"]]")
	}

	add("count", one, total(allN, orm.Count("*")), "4")
	add("count of a field", one, total(allN, orm.Count("writer")), "3")
	add("count of different ones", one, total(allN, orm.Count("writer").Distinct()), "2")
	add("sum", one, total(allN, orm.Sum("pages")), "750")
	add("sum into a number", func() any { return new(int) }, total(allN, orm.Sum("pages")), "750")
	add("nothing into a number", func() any { return new(int) }, total(none, orm.Sum("pages")), "error: NULL in a column")
	add("sum of nothing", one, total(none, orm.Sum("pages")), "<nil>")
	add("count of nothing", one, total(none, orm.Count("*")), "0")
	add("sum of decimals", one, total(allN, orm.Sum("price")), "37.25")
	add("sum of an expression", one, total(allN, orm.Sum(f("pages").Mul(2))), "1500")
	add("sum of a product with decimals", one, total(allN, orm.Sum(f("price").Mul(f("pages")))), "7275.00")
	add("sum of a product the other way", one, total(allN, orm.Sum(f("pages").Mul(f("price")))), "7275.00")
	add("average", one, total(allN, orm.Avg("pages")), "187.5")
	add("average of decimals", one, total(allN, orm.Avg("price")), "9.3125")
	add("average of nothing", one, total(none, orm.Avg("pages")), "<nil>")
	add("least", one, total(allN, orm.Min("title")), "A1")
	add("largest decimal", one, total(allN, orm.Max("price")), "20.50")
	add("sum of different ones", one, total(allN, orm.Sum("version").Distinct()), "1")
	add("over a relation", one, total(allN, orm.Max("writer__age")), "40")
	add("with a filter over many", one, total(func(q orm.Query[novel]) orm.Query[novel] { return q.Filter("reviews__stars__gt", 0) }, orm.Sum("pages")), "500")
	add("several into a map", func() any { return &map[string]any{} }, total(allN, orm.Sum("pages"), orm.Count("*").As("n"), orm.Avg("pages").As("m")), "map[m:187.5 n:4 pages__sum:750]")

	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		library(t, db)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				into := c.into()
				err := c.run(db, into, t)
				got := fmt.Sprint(indirectly(into))
				if err != nil {
					got = "error: " + err.Error()
				}
				if wrong, ok := strings.CutPrefix(c.want, "error: "); ok && strings.Contains(got, wrong) {
					return
				}
				equal(t, got, c.want)
			})
		}
	})
}

// Sums, means and extremes of every type of number.
func TestSuiteAggregates(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		samples := sampled(t, db)
		for _, c := range []struct {
			of   orm.Output
			want string
		}{
			{orm.Sum("int"), "3000000000000"}, {orm.Sum("int8"), "3"}, {orm.Sum("uint"), "15000000000000"}, {orm.Sum("uint8"), "750"}, {orm.Sum("float"), "1"}, {orm.Sum("price"), "1234567989.66"}, {orm.Sum("took"), "9h0m0s"}, {orm.Sum("int_n"), "-2000000000000"}, {orm.Sum("price_n"), "-0.46"},
			{orm.Min("int8"), "-2"}, {orm.Max("int8_n"), "3"}, {orm.Min("price"), "-10.50"}, {orm.Max("price"), "1234567890.12"}, {orm.Max("text"), sampleTexts[5]}, {orm.Min("took"), "-1h0m0s"}, {orm.Max("at"), sampleTimes[5].String()}, {orm.Min("at_n"), sampleTimes[0].String()}, {orm.Max("uint"), "5000000000000"},
			{orm.Avg("int8"), "0.5"}, {orm.Avg("uint8"), "125"}, {orm.Avg("int8_n"), "1.5"}, {orm.Avg("float"), "0.16666666666666666"}, {orm.Count("text_n"), "4"}, {orm.Count("bool").Distinct(), "2"}, {orm.Count("bytes_n"), "4"}, {orm.Count("uuidn"), "4"}, {orm.Count("at_n"), "4"},
			{orm.Max(orm.Length(orm.F("text"))), "12"}, {orm.Sum(orm.F("int8").Mul(1.5)), "4.5"}, {orm.Avg(orm.F("price").Sub(orm.F("price"))), "0"}, {orm.Sum(orm.Coalesce(orm.F("int8_n"), 10)), "26"}, {orm.Count(orm.Value(1)), "6"},
		} {
			t.Run(c.want, func(t *testing.T) {
				var got any
				err := samples.Query().Aggregate(t.Context(), &got, c.of.As("x"))
				if n, ok := got.(float64); ok {
					got = float64(int64(n*1e9+0.5)) / 1e9
					var want float64
					fmt.Sscan(c.want, &want)
					c.want = fmt.Sprint(float64(int64(want*1e9+0.5)) / 1e9)
				}
				equal(t, []any{got, err}, []any{c.want, nil})
			})
		}
	})
}

// indirectly is what a pointer points to.
func indirectly(p any) any { return reflect.ValueOf(p).Elem().Interface() }
