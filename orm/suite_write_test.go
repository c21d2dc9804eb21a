package orm_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// What is written is read back as it was, on every type.
func TestSuiteRoundTrip(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		samples, ctx := sampled(t, db), t.Context()
		for i := range 6 {
			t.Run(string(rune('a'+i)), func(t *testing.T) {
				want := newSample(i)
				got, err := samples.Filter("label", want.Label).One(ctx)
				if err != nil {
					t.Fatal(err)
				}
				want.ID = got.ID
				w, g := reflect.ValueOf(want), reflect.ValueOf(got)
				for f := range w.NumField() {
					a, b := printed(w.Field(f)), printed(g.Field(f))
					if a != b {
						t.Errorf("%s: wrote %s, read %s", w.Type().Field(f).Name, a, b)
					}
				}
			})
		}
		extremes := newSample(0)
		extremes.Label, extremes.Int, extremes.Int8, extremes.Int16, extremes.Int32 = "max", math.MaxInt64, math.MaxInt8, math.MinInt16, math.MinInt32
		extremes.Uint, extremes.Uint8, extremes.Uint16, extremes.Uint32 = math.MaxInt64, math.MaxUint8, math.MaxUint16, math.MaxUint32
		extremes.Float, extremes.Float32, extremes.Took, extremes.Price = math.MaxFloat64/2, math.MaxFloat32/2, math.MinInt64, "-9999999999.99"
		extremes.At, extremes.Text, extremes.Bytes = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), strings.Repeat("é", 70000), make([]byte, 100000)
		t.Run("extremes", func(t *testing.T) {
			made, err := samples.Create(ctx, extremes)
			if err != nil {
				t.Fatal(err)
			}
			got, err := samples.Get(ctx, made.ID)
			if err != nil || printed(reflect.ValueOf(got)) != printed(reflect.ValueOf(made)) {
				t.Errorf("%v\nwrote %.500v\nread  %.500v", err, made, got)
			}
		})
		t.Run("zero times and times elsewhere", func(t *testing.T) {
			for _, at := range []time.Time{{}, time.Date(2024, 6, 1, 1, 2, 3, 999999999, time.FixedZone("X", -5*3600)), time.Date(100, 1, 1, 0, 0, 0, 0, time.UTC)} {
				row := newSample(1)
				row.Label, row.At = "time", at
				made, err := samples.Create(ctx, row)
				if err != nil {
					t.Fatal(at, err)
				}
				got, err := samples.Get(ctx, made.ID)
				want := at.UTC().Truncate(time.Microsecond)
				equal(t, []any{made.At, got.At, err}, []any{want, want, nil})
				n, err := samples.Filter("at", at, "label", "time").Count(ctx)
				equal(t, []any{n, err}, []any{1, nil})
				if err := samples.Destroy(ctx, &made); err != nil {
					t.Error(err)
				}
			}
		})
	})
}

// printed shows a value with what pointers point to.
func printed(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return "nil"
	case v.Kind() == reflect.Pointer:
		return "&" + printed(v.Elem())
	case v.Type() == reflect.TypeFor[time.Time]():
		return v.Interface().(time.Time).UTC().Format(time.RFC3339Nano)
	case v.Kind() == reflect.Struct && v.Type() == reflect.TypeFor[sample]():
		var parts []string
		for i := range v.NumField() {
			parts = append(parts, printed(v.Field(i)))
		}
		return strings.Join(parts, "|")
	}
	return fmt.Sprintf("%v", v.Interface())
}

// What would be stored as something else is refused, on every engine with the same words.
func TestSuiteRefusals(t *testing.T) {
	change := map[string]struct {
		do   func(s *sample)
		want string
	}{
		"text too long":           {func(s *sample) { s.Sized = strings.Repeat("é", 21) }, "21 characters, the column takes 20"},
		"text of no value":        {func(s *sample) { s.Kind = "other" }, "the values are alpha, beta"},
		"empty for an enum":       {func(s *sample) { s.Kind = "" }, "the values are alpha, beta"},
		"text with NUL":           {func(s *sample) { s.Text = "a\x00b" }, "NUL"},
		"text that is no UTF-8":   {func(s *sample) { s.Text = "a\xff" }, "no UTF-8"},
		"three decimals":          {func(s *sample) { s.Price = "1.005" }, "3 digits after the point, the column takes 2"},
		"a decimal too large":     {func(s *sample) { s.Price = "12345678901" }, "11 digits before the point, the column takes 10"},
		"no decimal":              {func(s *sample) { s.Price = "1e5" }, "not a decimal number"},
		"NaN":                     {func(s *sample) { s.Float = math.NaN() }, "NaN"},
		"infinity":                {func(s *sample) { s.Float32 = float32(math.Inf(1)) }, "infinity"},
		"a year too large":        {func(s *sample) { s.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "year 10000"},
		"a year before the first": {func(s *sample) { s.At = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) }, "year -1"},
		"JSON that is none":       {func(s *sample) { s.Meta.V = map[string]any{"f": func() {}} }, "unsupported type"},
	}
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		samples, ctx := sampled(t, db), t.Context()
		for name, c := range change {
			t.Run(name, func(t *testing.T) {
				row := newSample(0)
				row.Label = "new"
				c.do(&row)
				_, err := samples.Create(ctx, row)
				refused(t, "Create", err, c.want)
				refused(t, "CreateMany", samples.CreateMany(ctx, []sample{row}), c.want)
				_, err = samples.Upsert(ctx, row, "label")
				refused(t, "Upsert", err, c.want)
				old, err := samples.Filter("label", "a").One(ctx)
				if err != nil {
					t.Fatal(err)
				}
				c.do(&old)
				refused(t, "Save", samples.Save(ctx, &old), c.want)
			})
		}
		for name, c := range map[string]struct {
			set  orm.Set
			want string
		}{
			"text too long": {orm.Set{"sized": strings.Repeat("x", 21)}, "21 characters"}, "no value of the enum": {orm.Set{"kind": "x"}, "the values are"}, "three decimals": {orm.Set{"price": 1.005}, "3 digits after"},
			"nil": {orm.Set{"int": nil}, "cannot be empty"}, "a nil pointer": {orm.Set{"int": (*int64)(nil)}, "cannot be empty"}, "text for a number": {orm.Set{"int": "x"}, "not a whole number"}, "a fraction": {orm.Set{"int": 1.5}, "not a whole number"},
			"too large": {orm.Set{"int8": 128}, "does not fit int8"}, "below zero": {orm.Set{"uint8": -1}, "below 0"}, "no field": {orm.Set{"nmae": 1}, "no field"}, "near a field": {orm.Set{"pirce": 1}, `did you mean "price"?`}, "twice": {orm.Set{"int": 1, "Int": 2}, "twice"},
			"nothing": {orm.Set{}, "nothing to set"}, "a related field": {orm.Set{"int": orm.F("x__y")}, "no field"}, "text and number": {orm.Set{"int": orm.F("text").Add(1)}, "cannot be computed with"}, "a number for a time": {orm.Set{"at": 5}, "not a time"}, "no UUID": {orm.Set{"uuid": "zz"}, "not a UUID"},
		} {
			t.Run("set "+name, func(t *testing.T) {
				_, err := samples.Query().Update(ctx, c.set)
				refused(t, "Update", err, c.want)
			})
		}
		n, err := samples.Count(ctx)
		equal(t, []any{n, err}, []any{6, nil})
	})
}

func refused(t *testing.T, what string, err error, want string) {
	t.Helper()
	if kind := (*orm.Error)(nil); err == nil || !strings.Contains(err.Error(), want) || errors.As(err, &kind) {
		t.Errorf("%s: %v; want an error before any SQL with %q", what, err, want)
	}
}

// Rows one at a time.
func TestSuiteRows(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		library(t, db)
		ctx, writers, novels, clubs := t.Context(), orm.Of[writer](db), orm.Of[novel](db), orm.Of[club](db)
		check := func(name string, run func(t *testing.T)) { t.Run(name, run) }
		check("create fills key, times, version and defaults", func(t *testing.T) {
			n, err := novels.Create(ctx, novel{Title: "N1"})
			equal(t, []any{n.ID > 0, time.Since(n.CreatedAt) < time.Hour, n.UpdatedAt.IsZero(), n.Version, n.Price, err}, []any{true, true, false, 1, "1.50", nil})
			read, err := novels.Get(ctx, n.ID)
			equal(t, []any{read, err}, []any{n, nil})
			n, err = novels.Create(ctx, novel{Title: "N2", Price: "0"}, orm.Explicit("price"))
			equal(t, []any{n.Price, err}, []any{"0.00", nil})
			equal(t, novels.New().Price, "1.50")
		})
		check("a key that is taken", func(t *testing.T) {
			_, err := writers.Create(ctx, writer{Name: "ann"})
			equal(t, errors.Is(err, orm.ErrUnique), true)
			_, err = clubs.Create(ctx, club{Code: "go"})
			equal(t, errors.Is(err, orm.ErrUnique), true)
			_, err = novels.Create(ctx, novel{WriterID: new(int64)})
			equal(t, errors.Is(err, orm.ErrForeignKey), true)
		})
		check("a key that is given", func(t *testing.T) {
			w, err := writers.Create(ctx, writer{Model: orm.Model{ID: 1000}, Name: "thousand"})
			next, err2 := writers.Create(ctx, writer{Name: "next"})
			equal(t, []any{w.ID, next.ID > 1000, err, err2}, []any{1000, true, nil, nil})
			err = writers.CreateMany(ctx, []writer{{Model: orm.Model{ID: 3000}, Name: "x1"}, {Model: orm.Model{ID: 2000}, Name: "x2"}})
			next, err2 = writers.Create(ctx, writer{Name: "after"})
			equal(t, []any{next.ID > 3000, err, err2}, []any{true, nil, nil})
			err = writers.CreateMany(ctx, []writer{{Model: orm.Model{ID: 4000}, Name: "y1"}, {Name: "y2"}})
			equal(t, err != nil, true)
		})
		check("save", func(t *testing.T) {
			n, err := novels.Create(ctx, novel{Title: "S1", Pages: 1})
			created := n.CreatedAt
			n.Title, n.CreatedAt = "S2", time.Time{}
			err2 := novels.Save(ctx, &n)
			read, err3 := novels.Get(ctx, n.ID)
			equal(t, []any{read.Title, read.CreatedAt, read.Version, n.Version, err, err2, err3}, []any{"S2", created, 2, 2, nil, nil, nil})
			n.Title, n.Pages = "S3", 9
			err = novels.Save(ctx, &n, orm.Only("pages"))
			read, err2 = novels.Get(ctx, n.ID)
			equal(t, []any{read.Title, read.Pages, read.Version, err, err2}, []any{"S2", 9, 3, nil, nil})
			fresh := novel{Title: "S4"}
			err = novels.Save(ctx, &fresh)
			equal(t, []any{fresh.ID > 0, fresh.Version, err}, []any{true, 1, nil})
			gone := novel{Model: orm.Model{ID: 999999}, Title: "gone"}
			equal(t, errors.Is(novels.Save(ctx, &gone), orm.ErrNotFound), true)
			equal(t, errors.Is(clubs.Save(ctx, &club{Code: "none"}), orm.ErrNotFound), true)
			same := club{Code: "go", Title: "Gophers"}
			equal(t, clubs.Save(ctx, &same), nil)
		})
		check("an older version", func(t *testing.T) {
			n, _ := novels.Create(ctx, novel{Title: "V"})
			old := n
			equal(t, novels.Save(ctx, &n), nil)
			for name, err := range map[string]error{"Save": novels.Save(ctx, &old), "Delete": novels.Delete(ctx, &old), "Destroy": novels.Destroy(ctx, &old)} {
				if !errors.Is(err, orm.ErrStale) {
					t.Errorf("%s: %v", name, err)
				}
			}
			equal(t, []any{old.Version, old.DeletedAt == nil}, []any{1, true})
		})
		check("soft deletion", func(t *testing.T) {
			n, _ := novels.Create(ctx, novel{Title: "D"})
			before := n
			equal(t, []any{novels.Delete(ctx, &n), n.DeletedAt != nil, n.Version}, []any{nil, true, 2})
			_, err := novels.Get(ctx, n.ID)
			equal(t, errors.Is(err, orm.ErrNotFound), true)
			equal(t, errors.Is(novels.Save(ctx, &before), orm.ErrStale), true)
			equal(t, errors.Is(novels.Refresh(ctx, &n), orm.ErrNotFound), true)
			equal(t, []any{novels.Restore(ctx, &n), n.DeletedAt == nil, n.Version}, []any{nil, true, 3})
			read, err := novels.Get(ctx, n.ID)
			equal(t, []any{read.Version, err, novels.Destroy(ctx, &n)}, []any{3, nil, nil})
			equal(t, errors.Is(novels.Destroy(ctx, &n), orm.ErrNotFound), true)
			equal(t, clubs.Restore(ctx, &club{Code: "go"}) != nil, true)
		})
		check("refresh", func(t *testing.T) {
			w, err := writers.Filter("name", "ben").One(ctx)
			w.Limit = 0
			equal(t, []any{writers.Refresh(ctx, &w), w.Limit, err}, []any{nil, 500, nil})
		})
		check("upsert", func(t *testing.T) {
			w, err := writers.Upsert(ctx, writer{Name: "ann", Limit: 7}, "name")
			old, err2 := writers.Filter("name", "ann").One(ctx)
			equal(t, []any{w.Limit, w.Age == nil, w.ID == old.ID, w.CreatedAt.Equal(old.CreatedAt), err, err2}, []any{7, true, true, true, nil, nil})
			w, err = writers.Upsert(ctx, writer{Name: "fay", Limit: 8}, "name")
			equal(t, []any{w.Limit, w.ID > 0, err}, []any{8, true, nil})
			c, err := clubs.Upsert(ctx, club{Code: "go", Title: "Go"})
			equal(t, []any{c.Title, err}, []any{"Go", nil})
			n, err := novels.Upsert(ctx, novel{Model: orm.Model{ID: 1}, Title: "again", Version: 1})
			equal(t, []any{n.Title, n.Version > 1, err}, []any{"again", true, nil})
			_, err = writers.Upsert(ctx, writer{Name: "x"}, "limit")
			equal(t, err != nil && strings.Contains(err.Error(), "no unique key"), true)
		})
		check("link and unlink", func(t *testing.T) {
			w, _ := writers.Filter("name", "cid").One(ctx)
			codes := func() string {
				list, err := clubs.Filter("members__name", "cid").OrderBy("code").All(ctx)
				return named(list, err, func(c club) string { return c.Code })
			}
			equal(t, []any{writers.Link(ctx, &w, "Clubs", "go"), writers.Link(ctx, &w, "clubs", "go", "sql"), codes()}, []any{nil, nil, "go sql"})
			equal(t, []any{writers.Unlink(ctx, &w, "Clubs", "go", "none"), codes(), writers.Unlink(ctx, &w, "Clubs"), writers.Link(ctx, &w, "Clubs")}, []any{nil, "sql", nil, nil})
			equal(t, errors.Is(writers.Link(ctx, &w, "Clubs", "none"), orm.ErrForeignKey), true)
			c := club{Code: "go"}
			equal(t, []any{clubs.Link(ctx, &c, "Members", w.ID), codes(), clubs.Unlink(ctx, &c, "Members", w.ID), codes()}, []any{nil, "go sql", nil, "sql"})
		})
		check("cascades", func(t *testing.T) {
			w, _ := writers.Create(ctx, writer{Name: "casc"})
			n, _ := novels.Create(ctx, novel{Title: "casc", WriterID: &w.ID})
			_, err := orm.Of[review](db).Create(ctx, review{NovelID: n.ID, Stars: 99})
			mentored, err2 := writers.Create(ctx, writer{Name: "mentored", MentorID: &w.ID})
			equal(t, []any{err, err2, writers.Link(ctx, &w, "Clubs", "go"), writers.Destroy(ctx, &w)}, []any{nil, nil, nil, nil})
			left, err := novels.WithDeleted().Filter("title", "casc").Count(ctx)
			reviews, err2 := orm.Of[review](db).Filter("stars", 99).Count(ctx)
			equal(t, []any{left, reviews, writers.Refresh(ctx, &mentored), mentored.MentorID == nil, err, err2}, []any{0, 0, nil, true, nil, nil})
		})
		check("many at once, all or none", func(t *testing.T) {
			list := make([]review, 1500)
			for i := range list {
				list[i] = review{NovelID: 1, Stars: 1000 + i}
			}
			list[1400].NovelID = 987654
			before, _ := orm.Of[review](db).Count(ctx)
			err := orm.Of[review](db).CreateMany(ctx, list)
			after, _ := orm.Of[review](db).Count(ctx)
			equal(t, []any{errors.Is(err, orm.ErrForeignKey), before == after, orm.Of[review](db).CreateMany(ctx, nil)}, []any{true, true, nil})
		})
		check("nil and empty", func(t *testing.T) {
			var none orm.Repository[writer]
			var empty orm.Query[writer]
			_, err1 := none.Create(ctx, writer{})
			_, err2 := none.Get(ctx, 1)
			_, err3 := empty.Filter("a", 1).OrderBy("b").All(ctx)
			_, err4 := empty.Count(ctx)
			_, err5 := empty.Only("x").Delete(ctx)
			_, err6 := empty.Page(ctx, orm.PageRequest{})
			_, err7 := none.New(), empty.Values(ctx, &[]int{}, "x")
			for i, err := range []error{err1, err2, err3, err4, err5, err6, err7, none.Save(ctx, nil), writers.Save(ctx, nil), writers.Delete(ctx, nil), writers.Destroy(ctx, nil), writers.Refresh(ctx, nil), writers.Link(ctx, nil, "Clubs", 1), novels.Restore(ctx, nil), none.CreateTable(ctx)} {
				if err == nil {
					t.Errorf("%d: no error", i+1)
				}
			}
		})
	})
}

// Many rows in one statement.
func TestSuiteBulk(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		samples, ctx := sampled(t, db), t.Context()
		f := orm.F
		for _, c := range []struct {
			name  string
			by    []any
			set   orm.Set
			count int64
			field string
			want  string
		}{
			{"constant", []any{"label", "a"}, orm.Set{"int8": 9}, 1, "int8", "[9 -1 0 1 2 3]"}, {"expression", nil, orm.Set{"int8": f("int8").Add(1)}, 6, "int8", "[-1 0 1 2 3 4]"}, {"of another field", nil, orm.Set{"int8": f("uint8").Div(50)}, 6, "int8", "[0 1 2 3 4 5]"},
			{"nil", []any{"label__in", []string{"a", "b"}}, orm.Set{"int8_n": nil}, 2, "int8_n", "[<nil> <nil> 2 3 <nil> <nil>]"}, {"a pointer", []any{"label", "f"}, orm.Set{"text_n": "x"}, 1, "text_n", "[ A Zoë a  <nil> x]"}, {"none", []any{"label", "z"}, orm.Set{"int8": 0}, 0, "int8", "[-2 -1 0 1 2 3]"},
			{"rounded to whole numbers", nil, orm.Set{"int8": f("int8").Mul(1.3)}, 6, "int8", "[-3 -1 0 1 3 4]"}, {"decimals", nil, orm.Set{"price": f("price").Mul("1.25")}, 6, "price", "[-13.13 0.00 0.06 12.49 125.00 1543209862.65]"}, {"a decimal by number", []any{"label", "e"}, orm.Set{"price": f("price").Sub(0.5)}, 1, "price", "[-10.50 0.00 0.05 9.99 99.50 1234567890.12]"},
			{"decimal quotient", []any{"label", "e"}, orm.Set{"price": f("price").Div(3)}, 1, "price", "[-10.50 0.00 0.05 9.99 33.33 1234567890.12]"}, {"text", nil, orm.Set{"sized": orm.Concat(f("label"), "-", orm.Upper(f("kind")))}, 6, "sized", "[a-ALPHA b-BETA c-DELTA d-GAMMA e-OMEGA f-ZETA]"}, {"coalesce", nil, orm.Set{"int8_n": orm.Coalesce(f("int8_n"), 7)}, 6, "int8_n", "[0 1 2 3 7 7]"},
			{"bool", []any{"bool", true}, orm.Set{"bool": false}, 3, "bool", "[false false false false false false]"}, {"duration", nil, orm.Set{"took": f("took").Add(time.Minute)}, 6, "took", "[-59m0s 1m0s 1h1m0s 2h1m0s 3h1m0s 4h1m0s]"}, {"uuid", []any{"label", "a"}, orm.Set{"uuidn": nil}, 1, "uuidn", ""},
			{"time", nil, orm.Set{"at": sampleTimes[1]}, 6, "at__year", ""}, {"two fields", nil, orm.Set{"int8": f("uint8").Div(50), "uint8": 1}, 6, "uint8", "[1 1 1 1 1 1]"}, {"a field that changes too", nil, orm.Set{"int16": f("int8").Add(100), "int8": 0}, 6, "int16", "[98 99 100 101 102 103]"}, {"or", []any{orm.Or(orm.Q("label", "a"), orm.Q("int8", 3))}, orm.Set{"int8": 0}, 2, "int8", "[0 -1 0 1 2 0]"},
			{"subquery on itself", []any{"pk__in", samples.Filter("int8__gt", 1)}, orm.Set{"int8": 0}, 2, "int8", "[-2 -1 0 1 0 0]"}, {"value", nil, orm.Set{"int8": orm.Value(4)}, 6, "int8", "[4 4 4 4 4 4]"}, {"division by zero", nil, orm.Set{"int8_n": f("uint8").Div(f("int8").Mul(10))}, 6, "int8_n", "[0 -5 <nil> 15 10 8]"},
		} {
			t.Run(c.name, func(t *testing.T) {
				rolledBack(t, db, func(tx *orm.Tx) {
					n, err := orm.Of[sample](tx).Filter(c.by...).Update(ctx, c.set)
					equal(t, []any{n, err}, []any{c.count, nil})
					if c.want == "" {
						return
					}
					var got []any
					err = orm.Of[sample](tx).OrderBy("label").Values(ctx, &got, c.field)
					equal(t, []any{got, err}, []any{c.want, nil})
				})
			})
		}
		for _, c := range []struct {
			name string
			q    func(s orm.Repository[sample]) orm.Query[sample]
			want string
		}{
			{"filter", func(s orm.Repository[sample]) orm.Query[sample] { return s.Filter("int8__gt", 0) }, "abc"}, {"limit", func(s orm.Repository[sample]) orm.Query[sample] { return s.OrderBy("-label").Limit(2) }, "abcd"}, {"all", func(s orm.Repository[sample]) orm.Query[sample] { return s.Query() }, ""},
			{"offset", func(s orm.Repository[sample]) orm.Query[sample] { return s.OrderBy("label").Offset(4) }, "abcd"}, {"subquery", func(s orm.Repository[sample]) orm.Query[sample] {
				return s.Filter("pk__in", s.OrderBy("label").Limit(1))
			}, "bcdef"}, {"not", func(s orm.Repository[sample]) orm.Query[sample] { return s.Exclude("label", "a") }, "a"},
		} {
			t.Run("delete "+c.name, func(t *testing.T) {
				rolledBack(t, db, func(tx *orm.Tx) {
					n, err := c.q(orm.Of[sample](tx)).Delete(ctx)
					equal(t, []any{n, err, found(t, orm.Of[sample](tx).Query())}, []any{6 - len(c.want), nil, c.want})
				})
			})
		}
	})
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		library(t, db)
		ctx, novels := t.Context(), orm.Of[novel](db)
		t.Run("over a relation", func(t *testing.T) {
			rolledBack(t, db, func(tx *orm.Tx) {
				n, err := orm.Of[novel](tx).Filter("writer__name", "ann").Update(ctx, orm.Set{"pages": 1})
				equal(t, []any{n, err, novelsOf(ctx, orm.Of[novel](tx).Filter("pages", 1, "version", 2))}, []any{2, nil, "A1 A2"})
				n, err = orm.Of[writer](tx).Filter("books__title", "B1").Update(ctx, orm.Set{"limit": 0})
				equal(t, []any{n, err, writersOf(ctx, orm.Of[writer](tx).Filter("limit", 0))}, []any{1, nil, "ben"})
				n, err = orm.Of[novel](tx).OrderBy("-pages", "title").Limit(1).Update(ctx, orm.Set{"pages": 2})
				equal(t, []any{n, err, novelsOf(ctx, orm.Of[novel](tx).Filter("pages", 2))}, []any{1, nil, "B1"})
				_, err = orm.Of[novel](tx).Query().Update(ctx, orm.Set{"pages": orm.F("writer__limit")})
				equal(t, err != nil && strings.Contains(err.Error(), "related row"), true)
			})
		})
		t.Run("soft deletion counts versions and times", func(t *testing.T) {
			rolledBack(t, db, func(tx *orm.Tx) {
				n, err := orm.Of[novel](tx).Filter("writer__name", "ann").Delete(ctx)
				equal(t, []any{n, err, novelsOf(ctx, orm.Of[novel](tx).Query()), novelsOf(ctx, orm.Of[novel](tx).WithDeleted().Filter("version", 2))}, []any{2, nil, "B1 O1", "A1 A2 A3"})
				n, err = orm.Of[novel](tx).WithDeleted().Filter("deleted_at__isnull", false).Destroy(ctx)
				equal(t, []any{n, err, novelsOf(ctx, orm.Of[novel](tx).WithDeleted())}, []any{3, nil, "B1 O1"})
			})
		})
		t.Run("fields from each other", func(t *testing.T) {
			rolledBack(t, db, func(tx *orm.Tx) {
				n, err := orm.Of[novel](tx).Filter("title", "A1").Update(ctx, orm.Set{"pages": orm.F("version"), "version": orm.F("pages")})
				if db.Dialect() == "mysql" {
					refused(t, "Update", err, "from each other")
					return
				}
				equal(t, []any{n, err, novelsOf(ctx, orm.Of[novel](tx).Filter("pages", 1, "version", 100))}, []any{1, nil, "A1"})
			})
		})
		t.Run("update sets automatic times", func(t *testing.T) {
			before, _ := novels.Filter("title", "B1").One(ctx)
			_, err := novels.Filter("title", "B1").Update(ctx, orm.Set{"pages": 400})
			after, err2 := novels.Filter("title", "B1").One(ctx)
			equal(t, []any{after.UpdatedAt.After(before.UpdatedAt), after.Version, after.CreatedAt.Equal(before.CreatedAt), err, err2}, []any{true, before.Version + 1, true, nil, nil})
		})
	})
}

// rolledBack runs a function in a transaction that leaves nothing behind.
func rolledBack(t *testing.T, db *orm.DB, run func(tx *orm.Tx)) {
	t.Helper()
	back := errors.New("back")
	if err := db.Tx(t.Context(), func(tx *orm.Tx) error { run(tx); return back }); !errors.Is(err, back) {
		t.Error(err)
	}
}
