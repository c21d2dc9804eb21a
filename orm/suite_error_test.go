package orm_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// Mistakes are told before any SQL runs, with a proposal where there is one near.
func TestSuiteMistakes(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		library(t, db)
		samples, ctx := sampled(t, db), t.Context()
		writers, novels := orm.Of[writer](db), orm.Of[novel](db)
		var rows []map[string]any
		filter := func(lookups ...any) error { _, err := samples.Filter(lookups...).All(ctx); return err }
		over := func(lookups ...any) error { _, err := writers.Filter(lookups...).Count(ctx); return err }
		order := func(by ...string) error { _, err := samples.OrderBy(by...).All(ctx); return err }
		valued := func(outputs ...any) error { return novels.Query().Values(ctx, &rows, outputs...) }
		for _, c := range []struct {
			name string
			err  error
			want string
		}{
			{"a field", filter("lable", "a"), `sample has no field "lable"; did you mean "label"?`}, {"a field far from any", filter("qqqqqq", 1), "it has address,"}, {"a lookup", filter("label__contain", "a"), `there is no lookup "contain"; did you mean "contains"?`}, {"a lookup far from any", filter("label__zzzzzzzz", 1), "there are contains,"},
			{"a related field", over("books__titel", "x"), `novel has no field "titel"; did you mean "title"?`}, {"a relation", over("boks__title", "x"), `did you mean "books"?`}, {"a lookup after a relation", over("books__title__contans", "x"), `did you mean "contains"?`}, {"a part of a time", filter("at__yaer", 1), `did you mean "year"?`},
			{"two lookups", filter("label__exact__gt", 1), "nothing follows"}, {"a lookup behind a part", filter("at__year__gt__lt", 1), "nothing follows year"}, {"no value", filter("label"), `the lookup "label" has no value`}, {"no lookup", filter(5, 1), "is a int"}, {"an empty name", filter("", 1), "no field"}, {"inside JSON", filter("meta__x__range", []int{1, 2}), "does not look inside JSON"},
			{"order", order("lable"), `did you mean "label"?`}, {"descending", order("-lable"), `did you mean "label"?`}, {"order by a lookup", order("at__year"), "nothing follows"}, {"order by JSON", order("meta"), "JSON has no order"}, {"order over many", orderError(writers.OrderBy("books"), t), "has many rows"}, {"order over many's field", orderError(writers.OrderBy("books__title"), t), "has many rows"},
			{"distinct by another table", orderError(novels.OrderBy("writer__name").Distinct(), t), "sorted by what is read"}, {"distinct by chance", orderError(novels.OrderBy("?").Distinct(), t), "sorted by what is read"}, {"distinct by what is not read", orderError(novels.OrderBy("pages").Distinct().Only("title"), t), "sorted by what is read"},
			{"with", orderError(writers.With("Boks"), t), `did you mean "Books"?`}, {"with of none", orderError(orm.Of[sample](db).With("x"), t), "it has none"}, {"with further", orderError(writers.With("Books.Revews"), t), `did you mean "Reviews"?`}, {"only", orderError(writers.Query().Only("nam"), t), `did you mean "name"?`},
			{"limit", orderError(writers.Query().Limit(-1), t), "not negative"}, {"offset", orderError(writers.Query().Offset(-1), t), "not negative"}, {"the first mistake counts", orderError(writers.Query().Limit(-1).Only("x"), t), "Limit(-1)"},

			{"text for a number", filter("int", "x"), "string is not a whole number"}, {"a fraction for a number", filter("int", 1.5), "is not a whole number"}, {"a number out of range", filter("int8", 300), "300 does not fit int8"}, {"below zero", filter("uint8__gt", -1), "below 0"}, {"too large for uint8", filter("uint8", 256), "does not fit uint8"}, {"a number for text", filter("text", 5), "int is not text"},
			{"text for a bool", filter("bool", "yes"), "string is not a bool"}, {"two for a bool", filter("bool", 2), "int is not a bool"}, {"text for a time", filter("at", "soon"), `"soon" is not a time`}, {"text for a UUID", filter("uuid", "x"), "not a UUID"}, {"text for a decimal", filter("price", "x"), "not a decimal number"}, {"no value of the enum", filter("kind", "gama"), "the values are alpha"},
			{"a struct", filter("int", struct{}{}), "is not a whole number"}, {"a time for a number", filter("int", time.Now()), "time.Time is not"}, {"a list for one", filter("int", []int{1}), "is not a whole number"}, {"a duration that is none", filter("took", "long"), "string is not a whole number"},
			{"nil for gt", filter("int_n__gt", nil), "cannot compare with nil"}, {"nil for contains", filter("text__contains", nil), "use isnull"}, {"nil in a range", filter("int__range", []any{1, nil}), "open end"}, {"isnull of a number", filter("int__isnull", 1), "isnull is true or false"}, {"isnull over many", over("books__isnull", "x"), "is true or false"},
			{"one for a list", filter("int__in", 5), "needs a list"}, {"text for a list", filter("label__in", "abc"), "needs a list"}, {"nil for a list", filter("int__in", nil), "needs a list"}, {"an element", filter("int__in", []any{1, "x"}), "element 1"}, {"a range of three", filter("int__range", []int{1, 2, 3}), "a list of two"}, {"a range of one", filter("int__range", 1), "a list of two"},
			{"text lookup on a decimal", filter("price__contains", "1"), "price is none"}, {"text lookup on a time", filter("at__startswith", "2024"), "at is none"}, {"text lookup on a float", filter("float__like", "1"), "float is none"}, {"text lookup on octets", filter("bytes__contains", "x"), "bytes is none"}, {"text lookup on a bool", filter("bool__icontains", "t"), "bool is none"}, {"text lookup with an expression", filter("text__contains", orm.F("kind")), "not with the expression"},
			{"a pattern's end", filter("text__like", `a\`), "backslash"}, {"NUL", filter("text", "a\x00"), "NUL"}, {"no UTF-8", filter("text__contains", "\xff"), "no UTF-8"}, {"JSON as a whole", filter("meta", "x"), "compare what is inside"}, {"a list inside JSON", filter("meta__x", []int{1}), "texts, numbers and bools"}, {"text greater inside JSON", filter("meta__x__gt", "a"), "only numbers"}, {"isnull inside JSON", filter("meta__x__isnull", 1), "true or false"},
			{"year of text", filter("at__year", "x"), "not a whole number"}, {"date of a number", filter("at__date", 5), "not a time"}, {"dates in a list", filter("at__date__in", []string{"2024-01-01"}), "a date is compared by"}, {"month of text", filter("at__month", "may"), "not a whole number"},

			{"an expression's field", filter("int", orm.F("nit")), `did you mean "int"?`}, {"an empty expression", filter("int", orm.Expr{}), "make one with orm.F"}, {"a relation of many in an expression", over("age", orm.F("books__pages")), "has many rows"}, {"computing with text", filter(orm.F("text").Mul(2).Is("gt", 1)), "cannot be computed with"}, {"computing with times", filter(orm.F("at").Add(orm.F("int")).Is("gt", 1)), "cannot be computed with"}, {"an expression's lookup", filter(orm.F("int").Is("biger", 1)), "there is no lookup"}, {"coalesce of nothing", filter(orm.Coalesce().Is("exact", 1)), "of nothing"},
			{"a JSON key in an expression", filter("int", orm.F("meta__n")), "can be computed with"}, {"a channel", filter(orm.Value(make(chan int)).Is("exact", 1)), "has no column type"},

			{"an output", valued("titel"), `did you mean "title"?`}, {"no outputs", valued(), "without a field"}, {"an output of a number", valued(5), "not a int"}, {"two outputs of a name", valued("title", orm.F("pages").As("title")), `two outputs are called "title"`}, {"a name that is none", valued(orm.Count("*").As("a b")), "letters, digits"}, {"a sum of text", valued(orm.Sum("title")), "not every engine"}, {"the least JSON", samples.Query().Values(ctx, &rows, orm.Min("meta")), "not every engine"}, {"the largest bool", samples.Query().Values(ctx, &rows, orm.Max("bool")), "not every engine"},
			{"having without an aggregate", novels.Query().Having("pages", 1).Values(ctx, &rows, "pages"), "use Filter"}, {"having of none", novels.Query().Having("nunber", 1).Values(ctx, &rows, "pages", orm.Count("*").As("number")), `there is no such output; did you mean "number"?`}, {"having far from any", novels.Query().Having("x", 1).Values(ctx, &rows, "pages", orm.Count("*").As("n")), "there are n, pages"}, {"having's lookup", novels.Query().Having("n__gtt", 1).Values(ctx, &rows, "pages", orm.Count("*").As("n")), "there is no lookup"}, {"groups by what they are not", novels.OrderBy("title").Values(ctx, &rows, "pages", orm.Count("*").As("n")), "sorted by names of outputs"},
			{"a destination", novels.Query().Values(ctx, rows, "title"), "is a pointer"}, {"nil as a destination", novels.Query().Values(ctx, nil, "title"), "is a pointer"}, {"one for many", novels.Query().Values(ctx, &map[string]any{}, "title"), "a pointer to a slice"}, {"a struct without the field", novels.Query().Values(ctx, &[]struct{ Titel string }{}, "title"), `has no field for the output "title"; did you mean "titel"?`}, {"two into one", novels.Query().Values(ctx, &[]string{}, "title", "pages"), "use a struct or map"},
			{"an aggregate that is none", novels.Query().Aggregate(ctx, new(any), orm.F("pages").As("x")), "is no aggregate"}, {"an aggregate of a part", novels.Query().Limit(1).Aggregate(ctx, new(any), orm.Sum("pages")), "over a part of a query"}, {"text into a number", novels.Query().Values(ctx, &[]int{}, "title"), "is not a whole number"},
			{"link", writers.Link(ctx, &writer{}, "Club", "x"), `no ManyToMany field "Club"; did you mean "Clubs"?`}, {"link of has many", writers.Link(ctx, &writer{}, "Books", 1), "no ManyToMany field"}, {"a key of another type", writers.Link(ctx, &writer{}, "Clubs", 5), "int is not text"}, {"too many values", filter("int__in", make([]int, 70000)), "ask in parts"},
		} {
			t.Run(c.name, func(t *testing.T) {
				if kind := (*orm.Error)(nil); c.err == nil || !strings.Contains(c.err.Error(), c.want) || errors.As(c.err, &kind) {
					t.Errorf("%v\nwant an error before any SQL with %q", c.err, c.want)
				}
			})
		}
	})
}

func orderError[T any](q orm.Query[T], t *testing.T) error {
	_, err := q.All(t.Context())
	return err
}

// Models that cannot be stored say why.
func TestModelMistakes(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	type noKey struct{ Name string }
	type noField struct{ _ string }
	type channel struct {
		ID int64
		C  chan int
	}
	type option struct {
		ID   int64
		Name string `db:"uniqe"`
	}
	type value struct {
		ID   int64
		Name string `db:"size"`
	}
	type twice struct {
		ID   int64
		Name string `db:"size:1,size:2"`
	}
	type Base struct{ ID int64 }
	type clash struct {
		Base
		Id string
	}
	type cases struct {
		ID   int64
		Name string
		Nick string `db:"column:NAME"`
	}
	type under struct {
		ID   int64
		A__B string
	}
	type auto struct {
		ID int64
		At string `db:"auto_now"`
	}
	type scale struct {
		ID int64
		P  orm.Decimal `db:"precision:2,scale:3"`
	}
	type kind struct {
		ID int64
		K  string `db:"enum:a|b,default:c"`
	}
	type when struct {
		ID int64
		At time.Time `db:"default:now"`
	}
	type action struct {
		ID int64
		R  int64 `db:"references:x,on_delete:explode"`
	}
	type long struct {
		ID int64
		N  string `db:"column:abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd"`
	}
	type child struct {
		ID     int64
		Parent int32
	}
	type parent struct {
		ID       int64
		Children orm.Many[child] `db:"fk:parent"`
	}
	type lost struct {
		ID       int64
		Children orm.Many[child]
	}
	type two struct {
		A, B int64           `db:"pk"`
		C    orm.Many[child] `db:"fk:parent"`
	}
	type version struct {
		ID int64
		V  string `db:"version"`
	}
	for want, err := range map[string]error{
		"has no key": of[noKey](db, t), "has no field to store": of[noField](db, t), "has no column type": of[channel](db, t), `did you mean "unique"?`: of[option](db, t), "needs a value": of[value](db, t), "twice": of[twice](db, t),
		"both called": of[clash](db, t), "differ in case only": of[cases](db, t), "double underscore": of[under](db, t), "of type time.Time": of[auto](db, t), "more than precision": of[scale](db, t), "the values are a, b": of[kind](db, t), "times have no default": of[when](db, t),
		"use one of cascade": of[action](db, t), "longer than 63": of[long](db, t), "make them the same type": of[parent](db, t), `no field "lost_id"`: of[lost](db, t), "one key column each": of[two](db, t), "which is a whole number": of[version](db, t), "a model is a struct": of[int](db, t),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %q", err, want)
		}
	}
	if err := of[parent](db, t); err == nil {
		t.Error("a failed model is forgotten")
	}
}

func of[T any](db *orm.DB, t *testing.T) error {
	_, err := orm.Of[T](db).Count(t.Context())
	return err
}
