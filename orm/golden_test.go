package orm_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
)

var update = flag.Bool("update", false, "write the golden files")

// Golden files hold every statement that operations make, on each dialect, with its arguments. They are made with
// connections that write down what they are asked and answer with nothing.

// scribe is an engine of one dialect without a database.
type scribe struct {
	dialect string
	mu      *sync.Mutex
	said    *[]string
}

func (s scribe) Dialect() string { return s.dialect }
func (s scribe) Open(*url.URL, orm.Options) (*orm.Pools, error) {
	return &orm.Pools{Source: "golden://" + s.dialect, Writer: s}, nil
}
func (s scribe) Classify(error) orm.Fault                                     { return orm.Fault{} }
func (s scribe) Connect(context.Context) (driver.Conn, error)                 { return s, nil }
func (s scribe) Driver() driver.Driver                                        { return nil }
func (s scribe) Prepare(string) (driver.Stmt, error)                          { return nil, errors.New("not here") }
func (s scribe) Close() error                                                 { return nil }
func (s scribe) Begin() (driver.Tx, error)                                    { return s, nil }
func (s scribe) Commit() error                                                { return nil }
func (s scribe) Rollback() error                                              { return nil }
func (s scribe) Ping(context.Context) error                                   { return nil }
func (s scribe) ResetSession(context.Context) error                           { return nil }
func (s scribe) LastInsertId() (int64, error)                                 { return 1, nil }
func (s scribe) RowsAffected() (int64, error)                                 { return 1, nil }
func (s scribe) Columns() []string                                            { return nil }
func (s scribe) Next([]driver.Value) error                                    { return io.EOF }
func (s scribe) CheckNamedValue(*driver.NamedValue) error                     { return nil }
func (s scribe) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return s, nil }
func (s scribe) PrepareContext(context.Context, string) (driver.Stmt, error) {
	return nil, errors.New("not here")
}
func (s scribe) QueryContext(_ context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s.note(text, args)
	return s, nil
}
func (s scribe) ExecContext(_ context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	s.note(text, args)
	return s, nil
}

func (s scribe) note(text string, args []driver.NamedValue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := text + ";"
	for i, a := range args {
		if i == 0 {
			line += "\n   "
		}
		line += " " + written(a.Value)
	}
	*s.said = append(*s.said, line)
}

// written is an argument as the golden files have it: an array with what its pointers lead to.
func written(v any) string {
	if t, ok := v.(time.Time); ok {
		v = t.Format(time.RFC3339Nano)
	}
	list := reflect.ValueOf(v)
	if _, octets := v.([]byte); octets || list.Kind() != reflect.Slice {
		return fmt.Sprintf("%T(%v)", v, v)
	}
	text := fmt.Sprintf("%T(", v)
	for i := range list.Len() {
		if i > 0 {
			text += " "
		}
		switch e := list.Index(i); {
		case e.Kind() == reflect.Pointer && e.IsNil():
			text += "<nil>"
		default:
			text += fmt.Sprint(reflect.Indirect(e).Interface())
		}
	}
	return text + ")"
}

var scribes = sync.OnceValue(func() map[string]scribe {
	all := map[string]scribe{}
	for _, dialect := range []string{"sqlite", "postgres", "mysql"} {
		all[dialect] = scribe{dialect, &sync.Mutex{}, &[]string{}}
		orm.RegisterEngine(all[dialect], "golden-"+dialect)
	}
	return all
})

// order is a model whose names all need quotes.
type order struct {
	Select string  `db:"pk,size:20"`
	From   int     "db:\"pk,column:fr`om \\\"x\\\"\""
	Where  *string `db:"default:o'cl\\ock,index:by_where"`
	Group  bool    `db:"default:true,unique:pair"`
	Limit  float64 `db:"default:1.5,unique:pair,index:by_where"`
}

type keyOnly struct{ ID int32 }

// rack has a column that is an array.
type rack struct {
	ID   int64
	Tags string `db:"type:text[]"`
}

func TestGolden(t *testing.T) {
	for dialect, engine := range scribes() {
		t.Run(dialect, func(t *testing.T) {
			now := time.Date(2030, 1, 2, 3, 4, 5, 678901234, time.UTC)
			db, err := orm.Open("golden-"+dialect+"://x", orm.Options{Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			var out strings.Builder
			statements := 0
			for _, c := range goldenCases(t, db) {
				*engine.said = nil
				c.run()
				fmt.Fprintf(&out, "-- %s\n%s\n\n", c.name, strings.Join(*engine.said, "\n"))
				if len(*engine.said) == 0 {
					t.Errorf("%s makes no statement", c.name)
				}
				statements += len(*engine.said)
			}
			if statements < 120 {
				t.Errorf("%d statements", statements)
			}
			file := filepath.Join("testdata", "sql", dialect+".sql")
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, expected := strings.Split(out.String(), "\n"), strings.Split(string(want), "\n")
			for i := range got {
				if i >= len(expected) || got[i] != expected[i] {
					t.Fatalf("line %d of %s; run with -update if it is meant:\n%s", i+1, file, got[i])
				}
			}
		})
	}
}

type goldenCase struct {
	name string
	run  func()
}

// goldenCases are operations whose outcome does not matter.
func goldenCases(t *testing.T, db *orm.DB) (list []goldenCase) {
	ctx, f, q := t.Context(), orm.F, orm.Q
	writers, novels, samples, orders := orm.Of[writer](db), orm.Of[novel](db), orm.Of[sample](db), orm.Of[order](db)
	add := func(name string, run func()) { list = append(list, goldenCase{name, run}) }
	filter := func(lookup string, value any) {
		add("filter "+lookup, func() { samples.Filter(lookup, value).Only("label").All(ctx) })
	}
	for _, l := range []string{"exact", "ne", "gt", "gte", "lt", "lte"} {
		filter("int8__"+l, 1)
	}
	for _, l := range []string{"iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "like", "ilike", "regex", "iregex"} {
		filter("text__"+l, `a%_!\`+"x")
	}
	filter("int_n__ne", 1)
	filter("int_n", nil)
	filter("int_n__isnull", false)
	filter("int8__in", []int{1, 2})
	filter("int_n__in", []any{1, nil})
	filter("int_n__notin", []int{1})
	filter("int_n__notin", []any{1, nil})
	filter("int8__in", []int{})
	filter("int8__range", []int{1, 2})
	filter("price__gt", "1.50")
	filter("at__gt", sampleTimes[2])
	filter("uuid", number(7))
	filter("took__lt", time.Second)
	filter("bool", true)
	filter("bytes", []byte{1, 2})
	filter("at__year", 2024)
	filter("at__year__in", []int{2024})
	filter("at_n__date__ne", "2024-02-29")
	for _, part := range []string{"month", "day", "hour", "minute", "second", "weekday"} {
		filter("at__"+part, 1)
	}
	filter("meta__city", "Bonn")
	filter("meta__a__0__b", 5)
	filter("meta__ok__ne", true)
	filter("meta__n__gt", 1.5)
	filter("meta__n__in", []any{1, "x", nil})
	filter("meta__x__isnull", true)
	filter("meta__city__icontains", "o")
	where := func(name string, by ...any) {
		add("filter "+name, func() { samples.Filter(by...).Only("label").All(ctx) })
	}
	where("or", orm.Or(q("label", "a"), q("label", "b", "int8", 1)))
	where("not", orm.Not(q("label", "a", "int8", 1)))
	where("nothing", orm.Or())
	where("expression", f("int8").Add(1).Mul(2).Is("gt", 3))
	where("expression ne", f("int8").Add(1).Is("ne", 3))
	where("whole division", f("int8").Div(2).Is("exact", 1))
	where("division", f("price").Div("2.5").Is("lt", "1.25"))
	where("unsigned", f("uint8").Sub(1).Is("lt", 0))
	where("functions", orm.Lower(f("text")).Is("exact", "a"), orm.Length(orm.Concat(f("text"), "x", f("int8"))).Is("gt", 1), orm.Coalesce(f("int_n"), 5).Is("exact", 5))
	where("field", "int8__lt", f("int16"))
	where("coalesce of a decimal and a UUID", orm.Coalesce(f("price_n"), "1.5").Is("gt", 0), orm.Coalesce(f("uuidn"), number(1)).Is("exact", number(1)))
	related := func(name string, by ...any) {
		add("relation "+name, func() { writers.Filter(by...).All(ctx) })
	}
	related("many", "books__title", "x", "books__pages__gt", f("limit"))
	related("many, twice", "books__title", "x", orm.Not(q("books__title", "y")))
	related("none of many", "books__isnull", true)
	related("over two", "books__reviews__stars__in", []int{1, 2})
	related("many to many", "clubs__title", "x")
	related("key of many to many", "clubs__in", []string{"a"})
	related("one", "pet__name", "x")
	related("itself", "mentor__mentor__name", "x")
	related("itself, ne", "mentor__name__ne", "x")
	related("field over it", "age__gt", f("mentor__age"))
	related("subquery", "pk__in", novels.Filter("pages__gt", 1).Only("writer_id"))
	related("subquery with a limit", "pk__notin", novels.OrderBy("pages").Limit(3).Only("writer_id"))
	read := func(name string, q orm.Query[novel]) { add(name, func() { q.All(ctx) }) }
	read("all", novels.Query())
	read("with deleted", novels.WithDeleted())
	read("order", novels.OrderBy("-writer__name", "title", "writer_id"))
	read("order by chance", novels.OrderBy("?"))
	read("order by an expression", novels.Query().OrderByExpr(f("pages").Mul(-1), true))
	read("limit", novels.OrderBy("id").Limit(3))
	read("offset", novels.OrderBy("id").Offset(3))
	read("limit and offset", novels.OrderBy("id").Limit(3).Offset(2))
	read("distinct", novels.OrderBy("title").Distinct())
	read("only", novels.Query().Only("title"))
	read("exclude", novels.Exclude("title", "a", "pages", 1))
	add("locks", func() {
		db.Tx(ctx, func(tx *orm.Tx) error {
			for _, lock := range []orm.Lock{{}, {SkipLocked: true}, {NoWait: true}} {
				orm.Of[novel](tx).Filter("writer__name", "x").ForUpdate(lock).All(ctx)
			}
			return nil
		})
	})
	add("get", func() { novels.Get(ctx, 7) })
	add("get by two keys", func() { orders.Get(ctx, "a", 1) })
	add("first", func() { novels.Query().First(ctx) })
	add("one", func() { novels.Query().One(ctx) })
	add("count", func() { novels.Filter("writer__name", "x").Count(ctx) })
	add("count of a part", func() { novels.OrderBy("id").Limit(3).Count(ctx) })
	add("count of different ones", func() { novels.Query().Distinct().Count(ctx) })
	add("exists", func() { novels.Filter("title", "x").Exists(ctx) })
	add("page", func() { novels.OrderBy("-pages").Page(ctx, orm.PageRequest{Size: 3}) })
	add("page after", func() {
		novels.OrderBy("-writer_id").Page(ctx, orm.PageRequest{Size: 3, After: "WyItd3JpdGVyX2lkIC1pZCAiLDUsN10"})
	})
	var rows []map[string]any
	add("values", func() {
		novels.Query().Values(ctx, &rows, "title", "writer__name", f("pages").Mul(2).As("x"), orm.Value("v").As("v"))
	})
	add("groups", func() {
		novels.OrderBy("-n", "name").Having("n__gt", 1, orm.Or(q("twice__ne", 5), q("price", "1.50"))).Values(ctx, &rows, f("writer__name").As("name"), f("pages").Div(100).As("h"), orm.Count("*").As("n"), orm.Sum(f("pages").Mul(2)).As("twice"), orm.Sum("price").As("price"))
	})
	add("aggregates", func() {
		novels.Query().Aggregate(ctx, &map[string]any{}, orm.Count("*"), orm.Count("writer").Distinct(), orm.Sum("pages"), orm.Avg("pages"), orm.Avg("price"), orm.Min("title"), orm.Max("created_at"))
	})
	row := novel{Model: orm.Model{ID: 7}, Title: "t", Version: 3}
	add("create", func() { novels.Create(ctx, novel{Title: "t"}) })
	add("create with a key", func() { novels.Create(ctx, row) })
	add("create with nothing", func() { orm.Of[keyOnly](db).Create(ctx, keyOnly{}) })
	add("create with odd names", func() { orders.Create(ctx, order{Select: "s"}) })
	add("create many", func() { novels.CreateMany(ctx, []novel{{Title: "a"}, {Title: "b"}}) })
	add("create many, some without a value", func() {
		novels.CreateMany(ctx, []novel{{Title: "a"}, {Title: "b", WriterID: new(int64)}, {Title: "c"}})
	})
	add("create many with keys and odd names", func() { orders.CreateMany(ctx, []order{{Select: "s", From: 1}, {Select: "t", From: 2}}) })
	add("create many with an array", func() { orm.Of[rack](db).CreateMany(ctx, []rack{{ID: 1, Tags: "{a,b}"}, {ID: 2, Tags: "{}"}}) })
	add("save", func() { r := row; novels.Save(ctx, &r) })
	add("save only", func() { r := row; novels.Save(ctx, &r, orm.Only("pages")) })
	add("save by two keys", func() { orders.Save(ctx, &order{Select: "s", From: 1}) })
	add("delete", func() { r := row; novels.Delete(ctx, &r) })
	add("restore", func() { r := row; novels.Restore(ctx, &r) })
	add("destroy", func() { r := row; novels.Destroy(ctx, &r) })
	add("upsert", func() { novels.Upsert(ctx, row) })
	add("upsert by another key", func() { writers.Upsert(ctx, writer{Name: "x"}, "name") })
	add("upsert with both keys", func() { writers.Upsert(ctx, writer{Model: orm.Model{ID: 5}, Name: "x"}, "name") })
	add("upsert by two keys", func() { orders.Upsert(ctx, order{Select: "s", From: 1}, "group", "limit") })
	add("link", func() { writers.Link(ctx, &writer{Model: orm.Model{ID: 5}}, "Clubs", "a", "b") })
	add("unlink", func() { writers.Unlink(ctx, &writer{Model: orm.Model{ID: 5}}, "Clubs", "a", "b") })
	set := func(name string, q orm.Query[novel], set orm.Set) { add("update "+name, func() { q.Update(ctx, set) }) }
	set("constants", novels.Filter("title", "x"), orm.Set{"pages": 1, "price": "2.5", "writer_id": nil})
	set("expressions", novels.Query(), orm.Set{"pages": f("pages").Mul(1.5), "price": f("price").Div(3), "title": orm.Concat(f("title"), "!")})
	set("over a relation", novels.Filter("writer__name", "x"), orm.Set{"pages": 1})
	set("over many", novels.Filter("reviews__stars", 1), orm.Set{"pages": 1})
	set("with a limit", novels.OrderBy("-pages").Limit(2), orm.Set{"pages": 1})
	add("delete rows", func() { novels.Filter("pages", 1).Delete(ctx) })
	add("destroy rows", func() { novels.Filter("pages", 1).Destroy(ctx) })
	add("destroy rows over a relation", func() { novels.Filter("writer__name", "x").Destroy(ctx) })
	add("create table", func() { samples.CreateTable(ctx) })
	add("create tables that refer to each other", func() { writers.CreateTable(ctx) })
	add("create a table with odd names", func() { orders.CreateTable(ctx) })
	add("create a table of a key", func() { orm.Of[keyOnly](db).CreateTable(ctx) })
	add("drop table", func() { orders.DropTable(ctx) })
	return list
}
