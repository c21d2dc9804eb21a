package orm_test

import (
	"database/sql"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// columns of the sample whose values ascend from a to f.
var ascending = []struct{ field, lookup string }{
	{"Int", "int"}, {"Int8", "int8"}, {"Int16", "int16"}, {"Int32", "int32"}, {"Uint", "uint"}, {"Uint8", "uint8"}, {"Uint16", "uint16"}, {"Uint32", "uint32"},
	{"Float", "float"}, {"Float32", "float32"}, {"Text", "text"}, {"Sized", "sized"}, {"Bytes", "bytes"}, {"At", "at"}, {"UUID", "uuid"}, {"Price", "price"},
	{"Took", "took"}, {"Kind", "kind"}, {"Address", "address"},
	{"IntN", "int_n"}, {"Int8N", "int8_n"}, {"UintN", "uint_n"}, {"FloatN", "float_n"}, {"TextN", "text_n"}, {"BytesN", "bytes_n"}, {"AtN", "at_n"},
	{"UUIDN", "uuidn"}, {"PriceN", "price_n"}, {"TookN", "took_n"}, {"KindN", "kind_n"}, {"AddressN", "address_n"},
	{"StringN", "string_n"}, {"TimeN", "time_n"}, {"NumberN", "number_n"},
}

// Every lookup that compares, on every type of column.
func TestSuiteComparisons(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		samples := sampled(t, db)
		for _, c := range ascending {
			v := values(c.field)
			empty := ""
			if len(v) == full {
				empty = "ef"
			}
			all := "abcdef"[:len(v)]
			without := func(letters string) string {
				return pickLetters(func(i int) bool { return !strings.ContainsRune(letters, rune('a'+i)) })
			}
			for _, try := range []struct {
				lookup string
				value  any
				want   string
			}{
				{"", v[2], "c"}, {"__exact", v[0], "a"}, {"__ne", v[2], without("c")}, {"__gt", v[2], all[3:]}, {"__gte", v[2], all[2:]},
				{"__lt", v[2], "ab"}, {"__lte", v[2], "abc"}, {"__range", []any{v[1], v[3]}, "bcd"}, {"__range", []any{v[3], v[1]}, ""},
				{"__in", []any{v[0], v[3]}, "ad"}, {"__in", []any{v[1], nil}, "b" + empty}, {"__in", []any{}, ""}, {"__in", []any{nil}, empty},
				{"__notin", []any{v[0], v[3]}, without("ad")}, {"__notin", []any{v[0], nil}, all[1:]}, {"__notin", []any{}, "abcdef"}, {"__notin", []any{nil}, all},
				{"__isnull", true, empty}, {"__isnull", false, all}, {"", nil, empty}, {"__ne", nil, all},
				{"__gte", orm.F(c.lookup), all}, {"__ne", orm.F(c.lookup), empty},
			} {
				t.Run(c.lookup+try.lookup, func(t *testing.T) {
					equal(t, found(t, samples.Filter(c.lookup+try.lookup, try.value)), try.want)
					if empty != "" || db.Dialect() == "sqlite" { // its SQL is the same for all columns that are never empty
						equal(t, found(t, samples.Exclude(c.lookup+try.lookup, try.value)), without(try.want))
					}
				})
			}
		}
	})
}

// Lookups one by one: each finds the rows of its letters.
func TestSuiteLookups(t *testing.T) {
	one, text, at := int64(-1e12), "A", sampleTimes[2]
	var none *int64
	cet := time.FixedZone("CET", 3600)
	cases := []struct {
		lookup string
		value  any
		want   string
	}{
		// values of other types
		{"int", 0, "c"}, {"int", int8(0), "c"}, {"int", uint16(0), "c"}, {"int", 0.0, "c"}, {"int", "-1000000000000", "b"}, {"int", &one, "b"}, {"int", none, ""},
		{"int_n", none, "ef"}, {"int__in", []int64{0, 1e12}, "cd"}, {"int__in", [2]int{0, 5}, "c"}, {"float__gt", 0, "def"}, {"float__lt", float32(-0.5), "a"},
		{"text", &text, "b"}, {"text", sql.NullString{String: "A", Valid: true}, "b"}, {"text_n", sql.NullString{}, "ef"}, {"bool", 1, "def"}, {"bool", 0.0, "abc"},
		{"at", "2024-02-29T12:30:15.5Z", "c"}, {"at", at.In(cet), "c"}, {"at__gt", "2025-01-01", "ef"}, {"at", at.Add(300 * time.Nanosecond), "c"},
		{"took__gt", "90m", "def"}, {"took", time.Duration(0), "b"}, {"uuid", "02000000-0000-0000-0000-000000000002", "c"}, {"uuid", "02000000000000000000000000000002", "c"},
		{"price", "9.990", "d"}, {"price", 9.99, "d"}, {"price__lt", 0, "a"}, {"price__gt", "0.049999", "cdef"}, {"price__in", []string{"100", "0"}, "be"},
		{"address", netip.MustParseAddr("10.0.0.4"), "e"}, {"address", "10.0.0.4", "e"}, {"zero", "p", "a"}, {"zero__isnull", true, "ef"}, {"zero__ne", "p", "bcdef"},
		{"pk__in", []int{}, ""}, {"pk__gt", 0, "abcdef"}, {"Label", "a", "a"}, {"bytes", "\x01\x00\xff", "b"},
		{"bool", true, "def"}, {"bool__ne", true, "abc"}, {"bool_n", true, "d"}, {"bool_n", false, "abc"}, {"bool_n__ne", true, "abcef"}, {"bool_n__isnull", true, "ef"}, {"bool__in", []bool{true}, "def"},
		{"uint8__gt", 200, "f"}, {"uint32__gte", uint32(4000000000), "f"}, {"float32", float32(1) / 3, "d"}, {"float32", 1.0 / 3, "d"}, {"float32__gte", 1.0 / 3, "def"},
		// text: case matters for these on all engines, so they are asked with the right one
		{"text__contains", "日", "f"}, {"text__contains", "%", "e"}, {"text__contains", "_", "e"}, {"text__contains", "!", "e"}, {"text__contains", `\`, "e"},
		{"text__contains", "'", "e"}, {"text__contains", `"`, "e"}, {"text__contains", "", "abcdef"}, {"text__contains", "oë", "c"}, {"text__startswith", "b%", "e"},
		{"text__startswith", "", "abcdef"}, {"text__endswith", " ", "d"}, {"text__endswith", `g"`, "e"}, {"text__endswith", "ë", "c"}, {"text__contains", "a ", "d"},
		{"text", "a", ""}, {"text", "a ", "d"}, {"text__ne", "a", "abcdef"}, {"text_n__contains", "", "abcd"}, {"text__in", []string{"a", "A"}, "b"},
		{"text__icontains", "A", "bd"}, {"text__icontains", "zO", "c"}, {"text__istartswith", "a", "bd"}, {"text__istartswith", "B%C", "e"}, {"text__iendswith", "A", "b"}, {"text__iendswith", "G\"", "e"},
		{"text__iexact", "a", "b"}, {"text__iexact", "A ", "d"}, {"text__iexact", "B%C_D!E\\F'G\"", "e"}, {"text__iexact", "b%", ""}, {"text__iexact", "", "a"},
		{"text__like", "A", "b"}, {"text__like", "%日%", "f"}, {"text__like", "Zo_", "c"}, {"text__like", `b\%c\_d!e%`, "e"}, {"text__like", `_\_%`, ""}, {"text__like", "", "a"},
		{"text__ilike", "a%", "bd"}, {"text__ilike", "zO_", "c"}, {"text__ilike", `B\%%`, "e"}, {"text__ilike", `%\\%`, "e"},
		{"text__regex", "^[A-Z]", "bc"}, {"text__regex", "^$", "a"}, {"text__regex", "o.$", "c"}, {"text__regex", "[0-9]", ""}, {"text__iregex", "^[a-b]", "bde"}, {"text__iregex", "^z", "c"}, {"text_n__regex", "^Z", "c"},
		{"kind__startswith", "o", "e"}, {"kind__contains", "eta", "bf"}, {"address__startswith", "10.0.0.", "abcdef"}, {"address__endswith", ".3", "d"}, {"uuid__startswith", "03", "d"},
		{"int8__contains", "-", "ab"}, {"uint8__startswith", "1", "cd"}, {"int8__endswith", 2, "ae"},
		// parts of times, in UTC
		{"at__year", 2024, "cd"}, {"at__year", int8(5), ""}, {"at__year__gt", 2000, "cdef"}, {"at__year__gte", 2000, "bcdef"}, {"at__year__lt", 2000, "a"}, {"at__year__lte", 2000, "ab"},
		{"at__year__ne", 2024, "abef"}, {"at__year__in", []int{1999, 2025}, "aef"}, {"at__year__range", []int{1999, 2000}, "ab"}, {"at__year__lt", 20000, "abcdef"}, {"at__year__gt", -5, "abcdef"}, {"at__year", 9999, ""},
		{"at__month", 12, "af"}, {"at__month__in", []int{2, 3}, "cd"}, {"at__month__gte", 7, "aef"}, {"at__day", 31, "af"}, {"at__day__lt", 4, "bd"}, {"at__hour", 12, "c"}, {"at__hour__range", []int{6, 18}, "cde"},
		{"at__minute", 45, "e"}, {"at__second", 59, "ae"}, {"at__second", 15, "c"}, {"at__weekday", 0, "d"}, {"at__weekday", 3, "f"}, {"at__weekday__in", []int{5, 6}, "ab"},
		{"at__date", "2024-02-29", "c"}, {"at__date", sampleTimes[2], "c"}, {"at__date__ne", "2024-02-29", "abdef"}, {"at__date__gt", "2024-02-29", "def"}, {"at__date__gte", "2024-02-29", "cdef"},
		{"at__date__lt", "2000-01-01", "a"}, {"at__date__lte", "2000-01-01", "ab"}, {"at__date__range", []string{"2000-01-01", "2024-03-03"}, "bcd"}, {"at__date", "9999-12-31", ""},
		{"at_n__year", 2024, "cd"}, {"at_n__year__ne", 2024, "abef"}, {"at_n__month__ne", 12, "bcdef"}, {"at_n__month__isnull", true, "ef"}, {"at_n__date__ne", "2024-02-29", "abdef"}, {"at_n__date__isnull", false, "abcd"}, {"time_n__hour", 6, "d"},
		// inside of JSON
		{"meta__city", "Bonn", "a"}, {"meta__city", "bonn", "b"}, {"meta__city", 5, "d"}, {"meta__city", "5", ""}, {"meta__city", nil, "ef"}, {"meta__city__isnull", true, "ef"}, {"meta__city__isnull", false, "abcd"},
		{"meta__city__ne", "Bonn", "bcdef"}, {"meta__city__ne", nil, "abcd"}, {"meta__city__in", []any{"Bonn", 5, "x"}, "ad"}, {"meta__city__in", []any{}, ""}, {"meta__city__in", []any{nil, "Bonn"}, "aef"},
		{"meta__city__notin", []any{"Bonn", 5}, "bcef"}, {"meta__city__contains", "onn", "ab"}, {"meta__city__icontains", "BON", "ab"}, {"meta__city__startswith", "K", "c"}, {"meta__city__endswith", "ln", "c"}, {"meta__city__iexact", "BONN", "ab"}, {"meta__city__regex", "^[BK]", "ac"},
		{"meta__n", 9, "a"}, {"meta__n", 9.0, "a"}, {"meta__n", "9", "d"}, {"meta__n__gt", 9, "bc"}, {"meta__n__gte", 10, "bc"}, {"meta__n__gt", 10.25, "c"}, {"meta__n__lt", 10, "a"}, {"meta__n__lte", 10.5, "abc"}, {"meta__n__ne", 10, "acdef"}, {"meta__n__in", []int{9, 10}, "ab"},
		{"meta__ok", true, "a"}, {"meta__ok", false, "b"}, {"meta__ok", "true", "c"}, {"meta__ok", 1, "d"}, {"meta__ok__ne", true, "bcdef"}, {"meta__nothing__isnull", true, "abcdef"},
		{"meta__deep__x", "y", "a"}, {"meta__deep__list__0", "p", "a"}, {"meta__deep__list__1__q", 1, "a"}, {"meta__deep__list__2__isnull", true, "abcdef"}, {"meta__list__1", 2, "c"}, {"meta__list__1__gt", 1, "c"}, {"meta__deep__isnull", false, "a"},
		{"meta__a b", 1, "a"}, {"meta__a.b", 2, "a"}, {`meta__a"b`, 3, "b"}, {"meta__a<b", 4, "b"}, {"meta__é", "ü", "b"}, {"meta__isnull", true, ""}, {"meta_n__isnull", true, "ef"}, {"meta_n", nil, "ef"}, {"meta_n__0", 2, "c"}, {"meta_n__0__isnull", true, "ef"},
	}
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		samples := sampled(t, db)
		for _, c := range cases {
			t.Run(c.lookup, func(t *testing.T) {
				equal(t, found(t, samples.Filter(c.lookup, c.value)), c.want)
				rest := pickLetters(func(i int) bool { return !strings.ContainsRune(c.want, rune('a'+i)) })
				equal(t, found(t, samples.Filter(orm.Not(orm.Q(c.lookup, c.value)))), rest)
			})
		}
	})
}

// Conditions and expressions, alone and inside of each other.
func TestSuiteConditions(t *testing.T) {
	q, f := orm.Q, orm.F
	cases := []struct {
		name string
		by   []any
		want string
	}{
		{"none", nil, "abcdef"}, {"empty and", []any{orm.And()}, "abcdef"}, {"empty or", []any{orm.Or()}, ""}, {"not nothing", []any{orm.Not(orm.And())}, ""}, {"not or of nothing", []any{orm.Not(orm.Or())}, "abcdef"},
		{"two", []any{"int8__gt", -2, "int8__lt", 1}, "bc"}, {"or", []any{orm.Or(q("label", "a"), q("label", "f"))}, "af"}, {"or and more", []any{orm.Or(q("label", "a"), q("label", "f")), "int8__gt", 0}, "f"},
		{"not", []any{orm.Not(q("label__in", []string{"a", "b"}))}, "cdef"}, {"not of empty", []any{orm.Not(q("int8_n__gt", 1))}, "abef"}, {"double not", []any{orm.Not(orm.Not(q("int8_n__gt", 1)))}, "cd"},
		{"not of two", []any{orm.Not(q("int8__gt", -2, "int8__lt", 1))}, "adef"}, {"not of or", []any{orm.Not(orm.Or(q("label", "a"), q("int8_n__isnull", true)))}, "bcd"},
		{"nested", []any{orm.Or(orm.And(q("label__gt", "a"), q("label__lt", "d")), orm.And(q("label", "f"), orm.Not(q("label", "e"))))}, "bcf"},
		{"and in or in not", []any{orm.Not(orm.Or(orm.And(q("bool", true), q("int8_n__isnull", false)), q("label", "a")))}, "bcef"},
		{"one of one", []any{orm.Or(q("label", "c"))}, "c"}, {"Q in Q", []any{q(q("label__gte", "c"), "label__lte", "d")}, "cd"}, {"the same field twice", []any{"label__ne", "a", "label__ne", "b"}, "cdef"},
		{"or of empties", []any{orm.Or(q("int_n", nil), q("label", "a"))}, "aef"}, {"reserved words", []any{orm.Or(q("int", 0), q("text", "A"))}, "bc"},
		{"field with field", []any{"int8__gt", f("int16")}, "ab"}, {"field with itself", []any{"int8_n", f("int8_n")}, "abcd"}, {"empty field with field", []any{"int8_n__ne", f("int8_n")}, "ef"},
		{"plus", []any{f("int8").Add(1).Is("exact", 0), "label__gt", ""}, "b"}, {"minus", []any{f("int8").Sub(f("int8_n")).Is("exact", -2)}, "abcd"}, {"times", []any{f("int8").Mul(f("int8")).Is("gte", 4)}, "ae" + "f"},
		{"whole division", []any{f("int8").Div(2).Is("exact", 0)}, "bcd"}, {"division cuts to zero", []any{f("int8").Div(2).Is("exact", -1)}, "a"}, {"fractions divide", []any{f("int8").Div(2.0).Is("exact", 0.5)}, "d"},
		{"division by zero is empty", []any{f("int8").Div(f("int8")).Is("isnull", true)}, "c"}, {"division by constant zero", []any{f("int8").Div(0).Is("isnull", true)}, "abcdef"},
		{"whole and fraction", []any{f("int8").Mul(1.5).Is("gt", 1.4)}, "def"}, {"precedence", []any{f("int8").Add(1).Mul(2).Is("exact", 6)}, "e"}, {"value first", []any{orm.Value(2).Sub(f("int8")).Is("lt", 1)}, "ef"},
		{"decimals", []any{f("price").Mul(2).Is("exact", "19.98")}, "d"}, {"decimal constant", []any{f("price").Add("0.05").Is("exact", orm.Decimal("0.1"))}, "c"}, {"decimal and fraction", []any{f("price").Mul(0.5).Is("exact", "50")}, "e"},
		{"decimals in a list", []any{f("price").Add(0).Is("in", []string{"9.99", "100.00"})}, "de"}, {"decimal between", []any{f("price").Add(0).Is("range", []any{"0.05", "9.99"})}, "cd"},
		{"decimal with decimal", []any{"price__gt", f("price").Mul("0.5")}, "cdef"}, {"expression ne keeps empties", []any{f("int8_n").Add(1).Is("ne", 1)}, "bcdef"}, {"expression notin", []any{f("int8_n").Add(1).Is("notin", []int{1, 2})}, "cdef"},
		{"expression with arguments twice", []any{f("int8_n").Add(1).Mul(2).Is("ne", 4), "label__gt", "a"}, "cdef"}, {"in with empty", []any{f("int8_n").Add(1).Is("in", []any{1, nil})}, "aef"},
		{"lower", []any{orm.Lower(f("text")).Is("exact", "a")}, "b"}, {"upper", []any{orm.Upper(f("kind")).Is("in", []string{"BETA", "ZETA"})}, "bf"}, {"length", []any{orm.Length(f("text")).Is("exact", 3)}, "cf"}, {"length of nothing", []any{orm.Length(f("text")).Is("exact", 0)}, "a"},
		{"length computes", []any{orm.Length(f("text")).Mul(2).Is("gt", f("int8").Add(5))}, "ce"}, {"coalesce", []any{orm.Coalesce(f("int8_n"), 9).Is("exact", 9)}, "ef"}, {"coalesce of fields", []any{orm.Coalesce(f("text_n"), f("kind"), "x").Is("exact", "omega")}, "e"},
		{"coalesce of decimals", []any{orm.Coalesce(f("price_n"), "7.5").Is("exact", "7.50")}, "ef"}, {"coalesce of times", []any{orm.Coalesce(f("at_n"), sampleTimes[0]).Is("lte", sampleTimes[0])}, "aef"}, {"coalesce of UUIDs", []any{orm.Coalesce(f("uuidn"), number(9)).Is("exact", number(9))}, "ef"},
		{"concat", []any{orm.Concat(f("label"), "-", f("kind")).Is("exact", "b-beta")}, "b"}, {"concat of numbers", []any{orm.Concat(f("int8"), "/", f("uint8")).Is("exact", "0/100")}, "c"}, {"concat with empty", []any{orm.Concat(f("text_n"), "x").Is("isnull", true)}, "ef"},
		{"text lookup on expression", []any{orm.Concat(f("label"), f("kind")).Is("startswith", "ee"), "int8__gt", -9}, ""}, {"contains on expression", []any{orm.Lower(f("text")).Is("contains", "zo")}, "c"}, {"regex on expression", []any{orm.Concat("x", f("label")).Is("regex", "^x[ab]$")}, "ab"},
		{"durations", []any{f("took").Add(time.Hour).Is("exact", time.Hour)}, "b"}, {"duration doubled", []any{"took__lt", f("took").Mul(2)}, "cdef"}, {"uints", []any{f("uint").Add(1).Is("lte", 1)}, "a"}, {"floats", []any{f("float").Mul(3).Is("range", []any{0.5, 2.5})}, "de"},
		{"value alone", []any{orm.Value(1).Is("exact", 1)}, "abcdef"}, {"values of text", []any{orm.Value("a").Is("ne", "a")}, ""}, {"value of time", []any{orm.Value(sampleTimes[0]).Is("lt", f("at"))}, "bcdef"},
		{"time with field", []any{"at__lte", f("at_n")}, "abcd"}, {"range of expressions", []any{"int8__range", []any{f("int8").Sub(1), 0}}, "abc"}, {"list of expressions", []any{"int8__in", []any{f("int8_n").Sub(2), 3}}, "abcdf"},
	}
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		samples := sampled(t, db)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) { equal(t, found(t, samples.Filter(c.by...)), c.want) })
		}
		subs := []struct {
			name string
			q    orm.Query[sample]
			want string
		}{
			{"keys", samples.Filter("pk__in", samples.Filter("bool", true)), "def"},
			{"keys not in", samples.Filter("pk__notin", samples.Filter("bool", true)), "abc"},
			{"a field", samples.Filter("int8__in", samples.Filter("label__in", []string{"c", "d"}).Only("int8_n")), "ef"},
			{"an empty field in none", samples.Filter("int8_n__notin", samples.Filter("label", "a").Only("int8_n")), "bcdef"},
			{"with a limit", samples.Filter("pk__in", samples.OrderBy("-label").Limit(2)), "ef"},
			{"with an offset", samples.Filter("label__in", samples.OrderBy("label").Offset(4).Only("label")), "ef"},
			{"as a value", samples.Filter("int8__gt", samples.Filter("label", "d").Only("int8")), "ef"},
			{"as an excluded list", samples.Exclude("pk__in", samples.Filter("label__lt", "e")), "ef"},
			{"inside of a subquery", samples.Filter("pk__in", samples.Filter("pk__in", samples.Filter("label", "b"))), "b"},
			{"distinct", samples.Filter("bool__in", samples.Filter("label__gt", "d").Only("bool").Distinct()), "def"},
		}
		for _, c := range subs {
			t.Run("subquery "+c.name, func(t *testing.T) { equal(t, found(t, c.q), c.want) })
		}
	})
}

// What a query gives back, and in which order.
func TestSuiteOrder(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		samples, ctx := sampled(t, db), t.Context()
		for _, c := range ascending {
			up, down := "abcdef", "fedcba"
			if len(values(c.field)) == full {
				up, down = "efabcd", "dcbaef"
			}
			for order, want := range map[string]string{c.lookup: up, "-" + c.lookup: down} {
				t.Run(order, func(t *testing.T) {
					got, err := letters(ctx, samples.OrderBy(order, "label"))
					equal(t, []any{got, err}, []any{want, nil})
				})
			}
		}
		for _, c := range []struct {
			name string
			q    orm.Query[sample]
			want string
		}{
			{"two keys", samples.OrderBy("-bool", "-label"), "fedcba"}, {"limit", samples.OrderBy("label").Limit(2), "ab"}, {"limit 0", samples.OrderBy("label").Limit(0), ""},
			{"offset", samples.OrderBy("label").Offset(4), "ef"}, {"limit and offset", samples.OrderBy("label").Limit(2).Offset(3), "de"}, {"offset past the end", samples.OrderBy("label").Limit(2).Offset(30), ""},
			{"expression", samples.Query().OrderByExpr(orm.F("int8").Mul(-1), false), "fedcba"}, {"expression down", samples.Query().OrderByExpr(orm.F("int8").Mul(-1), true), "abcdef"},
			{"expression with empties", samples.OrderBy().OrderByExpr(orm.F("int8_n").Mul(-1), false).OrderByExpr(orm.F("label"), false), "efdcba"},
			{"the last order counts", samples.OrderBy("-label").OrderBy("label"), "abcdef"}, {"pk", samples.OrderBy("-pk"), "fedcba"}, {"distinct", samples.OrderBy("-label").Distinct(), "fedcba"},
		} {
			t.Run(c.name, func(t *testing.T) {
				got, err := letters(ctx, c.q)
				equal(t, []any{got, err}, []any{c.want, nil})
			})
		}
		got, err := letters(ctx, samples.OrderBy("?"))
		split := strings.Split(got, "")
		slices.Sort(split)
		equal(t, []any{strings.Join(split, ""), err}, []any{"abcdef", nil})
	})
}
