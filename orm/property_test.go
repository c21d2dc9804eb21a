package orm_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// Random queries over random rows answer what the same questions answer over the rows in memory. Words that are sorted
// and compared are lower-case letters and digits, which all collations agree on.

type depot struct {
	ID    int64
	City  string
	Rank  *int64
	Items orm.Many[item]
}

type item struct {
	ID      int64
	DepotID *int64
	Depot   orm.One[depot]
	Name    string // letters and digits
	Code    *string
	Count   int32
	Weight  *float64
	Fresh   bool
	At      time.Time
	Checked *time.Time
	Price   orm.Decimal `db:"precision:8,scale:2"`
}

// world is the same rows twice: in a database, and here.
type world struct {
	depots []depot
	items  []item
}

func (w *world) depot(id *int64) *depot {
	if id == nil {
		return nil
	}
	return &w.depots[slices.IndexFunc(w.depots, func(d depot) bool { return d.ID == *id })]
}

var words = []string{"", "a", "b", "ab", "abc", "b1", "1", "zz", "abab", "x9"}
var codes = []string{"", "%", "_", "!", `\`, "'", `"`, "a%b", "a_b", "!%", `\_`, "ab", "b%", "' or 1=1 --", "é", "日本"}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func optional[T any](r *rand.Rand, v T) *T {
	if r.IntN(4) == 0 {
		return nil
	}
	return &v
}

func moments(r *rand.Rand) time.Time {
	return time.Date(2023+r.IntN(3), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), 1000*r.IntN(1_000_000), time.UTC)
}

func newWorld(t *testing.T, db *orm.DB, r *rand.Rand) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{}
	if err := orm.Of[item](db).CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		w.depots = append(w.depots, depot{City: pick(r, words), Rank: optional(r, int64(r.IntN(4)))})
	}
	if err := orm.Of[depot](db).CreateMany(ctx, w.depots); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		w.items = append(w.items, item{
			DepotID: optional(r, pick(r, w.depots).ID), Name: pick(r, words), Code: optional(r, pick(r, codes)),
			Count: int32(r.IntN(11) - 5), Weight: optional(r, float64(r.IntN(9))/4), Fresh: r.IntN(2) == 0, At: moments(r),
			Checked: optional(r, moments(r)), Price: orm.Decimal(fmt.Sprintf("%d.%02d", r.IntN(3), 25*r.IntN(4))),
		})
	}
	if err := orm.Of[item](db).CreateMany(ctx, w.items); err != nil {
		t.Fatal(err)
	}
	return w
}

// truth is a condition and what it means.
type truth struct {
	condition orm.Condition
	holds     func(w *world, i *item) bool
	text      string
}

// field is a field and how it is read here; nil is NULL.
type field[T any] struct {
	name  string
	value func(w *world, i *item) *T
}

func compared[T any](name string, lookup string, v T, order func(a, b T) int, f field[T]) truth {
	test := map[string]func(c int) bool{
		"exact": func(c int) bool { return c == 0 }, "gt": func(c int) bool { return c > 0 }, "gte": func(c int) bool { return c >= 0 },
		"lt": func(c int) bool { return c < 0 }, "lte": func(c int) bool { return c <= 0 }, "ne": func(c int) bool { return c != 0 },
	}[lookup]
	return truth{orm.Q(name+"__"+lookup, v), func(w *world, i *item) bool {
		got := f.value(w, i)
		if got == nil {
			return lookup == "ne"
		}
		return test(order(*got, v))
	}, fmt.Sprintf("%s__%s=%v", name, lookup, v)}
}

func ordered[T any](r *rand.Rand, f field[T], v func() T, order func(a, b T) int) truth {
	switch r.IntN(9) {
	case 0:
		empty := r.IntN(2) == 0
		return truth{orm.Q(f.name+"__isnull", empty), func(w *world, i *item) bool { return (f.value(w, i) == nil) == empty },
			fmt.Sprintf("%s__isnull=%v", f.name, empty)}
	case 1:
		list := make([]T, r.IntN(4))
		for i := range list {
			list[i] = v()
		}
		not, lookup := r.IntN(2) == 0, "__in"
		if not {
			lookup = "__notin"
		}
		return truth{orm.Q(f.name+lookup, list), func(w *world, i *item) bool {
			got := f.value(w, i)
			in := got != nil && slices.ContainsFunc(list, func(v T) bool { return order(*got, v) == 0 })
			return in != not
		}, fmt.Sprintf("%s%s=%v", f.name, lookup, list)}
	case 2:
		a, b := v(), v()
		return truth{orm.Q(f.name+"__range", []T{a, b}), func(w *world, i *item) bool {
			got := f.value(w, i)
			return got != nil && order(*got, a) >= 0 && order(*got, b) <= 0
		}, fmt.Sprintf("%s__range=%v..%v", f.name, a, b)}
	}
	return compared(f.name, pick(r, []string{"exact", "ne", "gt", "gte", "lt", "lte"}), v(), order, f)
}

func texts(r *rand.Rand, f field[string], v string) truth {
	lookups := map[string]func(got, v string) bool{
		"contains": strings.Contains, "startswith": strings.HasPrefix, "endswith": strings.HasSuffix, "icontains": strings.Contains,
		"istartswith": strings.HasPrefix, "iendswith": strings.HasSuffix, "iexact": func(a, b string) bool { return a == b },
		"regex": func(got, v string) bool { return regexp.MustCompile(v).MatchString(got) },
	}
	lookup := pick(r, []string{"contains", "startswith", "endswith", "icontains", "istartswith", "iendswith", "iexact", "regex"})
	if lookup == "regex" {
		v = pick(r, []string{"^a", "b$", "[0-9]", "^$", "a.b", "^(ab)+$"})
	}
	return truth{orm.Q(f.name+"__"+lookup, v), func(w *world, i *item) bool {
		got := f.value(w, i)
		return got != nil && lookups[lookup](*got, v)
	}, fmt.Sprintf("%s__%s=%q", f.name, lookup, v)}
}

func decimal(a, b orm.Decimal) int {
	x, _ := a.Rat()
	y, _ := b.Rat()
	return x.Cmp(y)
}

func boolean(a, b bool) int {
	if a == b {
		return 0
	}
	return 1
}

// leaf is a random lookup.
func leaf(r *rand.Rand, w *world) truth {
	here := func(name string, value func(i *item) *string) field[string] {
		return field[string]{name, func(_ *world, i *item) *string { return value(i) }}
	}
	name := here("name", func(i *item) *string { return &i.Name })
	code := here("code", func(i *item) *string { return i.Code })
	city := field[string]{"depot__city", func(w *world, i *item) *string {
		if d := w.depot(i.DepotID); d != nil {
			return &d.City
		}
		return nil
	}}
	rank := field[int64]{"depot__rank", func(w *world, i *item) *int64 {
		if d := w.depot(i.DepotID); d != nil {
			return d.Rank
		}
		return nil
	}}
	small := func() int64 { return int64(r.IntN(4)) }
	switch r.IntN(13) {
	case 0:
		return ordered(r, name, func() string { return pick(r, words) }, strings.Compare)
	case 1:
		return texts(r, name, pick(r, words))
	case 2:
		return texts(r, code, pick(r, codes))
	case 3:
		return compared("code", pick(r, []string{"exact", "ne"}), pick(r, codes), strings.Compare, code)
	case 4:
		return ordered(r, field[int64]{"count", func(_ *world, i *item) *int64 { n := int64(i.Count); return &n }}, func() int64 { return small() - 2 }, cmp.Compare)
	case 5:
		return ordered(r, field[float64]{"weight", func(_ *world, i *item) *float64 { return i.Weight }}, func() float64 { return float64(r.IntN(9)) / 4 }, cmp.Compare)
	case 6:
		return compared("fresh", pick(r, []string{"exact", "ne"}), r.IntN(2) == 0, boolean, field[bool]{"fresh", func(_ *world, i *item) *bool { return &i.Fresh }})
	case 7:
		return ordered(r, field[time.Time]{"at", func(_ *world, i *item) *time.Time { return &i.At }}, func() time.Time { return pick(r, w.items).At }, time.Time.Compare)
	case 8:
		return dated(r)
	case 9:
		return ordered(r, field[orm.Decimal]{"price", func(_ *world, i *item) *orm.Decimal { return &i.Price }},
			func() orm.Decimal { return pick(r, []orm.Decimal{"0.25", "1", "2.75", "1.50"}) }, decimal)
	case 10:
		if r.IntN(2) == 0 {
			return texts(r, city, pick(r, words))
		}
		return ordered(r, city, func() string { return pick(r, words) }, strings.Compare)
	case 11:
		return ordered(r, rank, small, cmp.Compare)
	default:
		return ordered(r, field[int64]{"depot", func(_ *world, i *item) *int64 { return i.DepotID }}, func() int64 { return pick(r, w.depots).ID }, cmp.Compare)
	}
}

// dated is a lookup of a part of a time that may be empty.
func dated(r *rand.Rand) truth {
	part := pick(r, []string{"year", "month", "day", "hour", "minute", "second", "weekday", "date"})
	read := map[string]func(t time.Time) int64{
		"year": func(t time.Time) int64 { return int64(t.Year()) }, "month": func(t time.Time) int64 { return int64(t.Month()) },
		"day": func(t time.Time) int64 { return int64(t.Day()) }, "hour": func(t time.Time) int64 { return int64(t.Hour()) },
		"minute": func(t time.Time) int64 { return int64(t.Minute()) }, "second": func(t time.Time) int64 { return int64(t.Second()) },
		"weekday": func(t time.Time) int64 { return int64(t.Weekday()) },
		"date":    func(t time.Time) int64 { return t.Unix() / 86400 },
	}[part]
	at := moments(r)
	f := field[int64]{"checked__" + part, func(_ *world, i *item) *int64 {
		if i.Checked == nil {
			return nil
		}
		n := read(*i.Checked)
		return &n
	}}
	c := compared(f.name, pick(r, []string{"exact", "ne", "gt", "gte", "lt", "lte"}), read(at), cmp.Compare, f)
	if part == "date" {
		lookup := c.text[:strings.Index(c.text, "=")]
		c.condition = orm.Q(lookup, at)
	}
	return c
}

// random is a random condition of some depth.
func random(r *rand.Rand, w *world, depth int) truth {
	if depth == 0 || r.IntN(3) == 0 {
		return leaf(r, w)
	}
	a, b := random(r, w, depth-1), random(r, w, depth-1)
	switch r.IntN(3) {
	case 0:
		return truth{orm.And(a.condition, b.condition), func(w *world, i *item) bool { return a.holds(w, i) && b.holds(w, i) }, "(" + a.text + " and " + b.text + ")"}
	case 1:
		return truth{orm.Or(a.condition, b.condition), func(w *world, i *item) bool { return a.holds(w, i) || b.holds(w, i) }, "(" + a.text + " or " + b.text + ")"}
	default:
		return truth{orm.Not(a.condition), func(w *world, i *item) bool { return !a.holds(w, i) }, "not(" + a.text + ")"}
	}
}

// less compares by a field of the order; empty values are the smallest.
func less[T any](a, b *T, order func(a, b T) int) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return order(*a, *b)
}

func sortOf(r *rand.Rand, w *world) (string, func(a, b *item) int) {
	switch r.IntN(6) {
	case 0:
		return "name", func(a, b *item) int { return strings.Compare(a.Name, b.Name) }
	case 1:
		return "weight", func(a, b *item) int { return less(a.Weight, b.Weight, cmp.Compare) }
	case 2:
		return "checked", func(a, b *item) int { return less(a.Checked, b.Checked, time.Time.Compare) }
	case 3:
		return "depot__rank", func(a, b *item) int {
			rank := func(i *item) *int64 {
				if d := w.depot(i.DepotID); d != nil {
					return d.Rank
				}
				return nil
			}
			return less(rank(a), rank(b), cmp.Compare)
		}
	case 4:
		return "price", func(a, b *item) int { return decimal(a.Price, b.Price) }
	default:
		return "count", func(a, b *item) int { return cmp.Compare(a.Count, b.Count) }
	}
}

func TestRandomQueries(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		count := 400
		switch {
		case testenv.Long():
			count = 10_000
		case db.Dialect() == "sqlite":
			count = 2000
		}
		r := rand.New(rand.NewPCG(7, 11))
		w := newWorld(t, db, r)
		for n := range count {
			if n > 0 && n%500 == 0 {
				if _, err := orm.Of[item](db).Query().Delete(t.Context()); err != nil {
					t.Fatal(err)
				}
				w = newWorld(t, db, r)
			}
			if !randomQuery(t, db, r, w) {
				t.Fatalf("query %d", n)
			}
		}
	})
}

func randomQuery(t *testing.T, db *orm.DB, r *rand.Rand, w *world) bool {
	t.Helper()
	ctx := context.Background()
	q := orm.Of[item](db).Query()
	wanted := func(*item) bool { return true }
	var text []string
	for range r.IntN(3) {
		c, before := random(r, w, 3), wanted
		if r.IntN(4) == 0 {
			q = q.Exclude(c.condition)
			wanted = func(i *item) bool { return before(i) && !c.holds(w, i) }
			text = append(text, "exclude "+c.text)
		} else {
			q = q.Filter(c.condition)
			wanted = func(i *item) bool { return before(i) && c.holds(w, i) }
			text = append(text, "filter "+c.text)
		}
	}
	var want []item
	for i := range w.items {
		if wanted(&w.items[i]) {
			want = append(want, w.items[i])
		}
	}
	fail := func(got any, err error) bool {
		sql, args, _ := q.SQL()
		t.Errorf("%s\n%s\n%v\ngot %v, %v", strings.Join(text, "; "), sql, args, got, err)
		return false
	}
	if n, err := q.Count(ctx); err != nil || int(n) != len(want) {
		return fail(n, err)
	}
	name, order := sortOf(r, w)
	if r.IntN(2) == 0 {
		up := order
		name, order = "-"+name, func(a, b *item) int { return up(b, a) }
	}
	slices.SortStableFunc(want, func(a, b item) int { return cmp.Or(order(&a, &b), cmp.Compare(a.ID, b.ID)) })
	q = q.OrderBy(name, "id")
	if offset := r.IntN(6); offset > 3 {
		q = q.Offset(offset)
		want = want[min(offset, len(want)):]
	}
	if limit := r.IntN(30); limit < 20 {
		q = q.Limit(limit)
		want = want[:min(limit, len(want))]
	}
	got, err := q.All(ctx)
	if err != nil || !slices.EqualFunc(got, want, func(a, b item) bool {
		return a.ID == b.ID && a.Name == b.Name && a.At.Equal(b.At) && decimal(a.Price, b.Price) == 0
	}) {
		return fail(len(got), err)
	}
	if found, err := q.Exists(ctx); err != nil || found != (len(want) > 0) {
		return fail(found, err)
	}
	return true
}
