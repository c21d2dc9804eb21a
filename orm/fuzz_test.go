package orm_test

import (
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/orm"
)

// Whatever stands where a name or a cursor is expected, nothing panics, and what is not an error holds no name in its
// SQL but those of the models.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{
		"label", "label__icontains", "at__year__gte", "meta__a__0__b__gt", "int_n__isnull", "writer__books__title__in", "books__reviews__stars", "pk__notin", "clubs__members__name", "-label", "?", "__", "label__", "__exact", "mentor__mentor__pk",
		"at__date__range", "meta__\"; DROP TABLE x; --", "books.reviews", "price__contains", "pet__name__ne", "meta__city__in", "\x00", "é__日本",
	} {
		for kind := range uint8(5) {
			f.Add(seed, "x", kind)
		}
	}
	path := filepath.Join(f.TempDir(), "fuzz.db")
	db, err := orm.Open("sqlite://" + path)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	orm.Register[sample](db)
	orm.Register[writer](db)
	if err := db.CreateTables(f.Context()); err != nil {
		f.Fatal(err)
	}
	allowed := map[string]bool{}
	for _, t := range db.Tables() {
		allowed[t.Name] = true
		for _, c := range t.Columns {
			allowed[c.Name] = true
		}
	}
	f.Fuzz(func(t *testing.T, name, text string, kind uint8) {
		value := []any{text, 5, []any{text, 1, nil}, true, nil, []string{text}, orm.F(name)}[int(kind)%7]
		checkNames(t, allowed, orm.Of[sample](db).Filter(name, value), false)
		checkNames(t, allowed, orm.Of[writer](db).Filter(name, value).OrderBy(name), true)
		checkNames(t, allowed, orm.Of[sample](db).OrderBy(name, text).Only(name), true)
		checkNames(t, allowed, orm.Of[writer](db).Exclude(orm.Or(orm.Q(name, value), orm.F(name).Is(text, value))), true)
		checkNames(t, allowed, orm.Of[novel](db).With(name), true)
	})
}

// checkNames looks at every quoted name of a statement, and runs it.
func checkNames[T any](t *testing.T, allowed map[string]bool, q orm.Query[T], run bool) {
	t.Helper()
	sql, _, err := q.SQL()
	if err != nil {
		if kind := (*orm.Error)(nil); errors.As(err, &kind) {
			t.Fatalf("the database was asked: %v", err)
		}
		return
	}
	parts := strings.Split(sql, `"`)
	if len(parts)%2 == 0 {
		t.Fatalf("quotes that do not close: %s", sql)
	}
	for i := 1; i < len(parts); i += 2 {
		if !allowed[parts[i]] {
			t.Fatalf("the name %q in %s", parts[i], sql)
		}
	}
	if run {
		if _, err := q.All(t.Context()); err != nil && !strings.Contains(err.Error(), "regular expression") && !strings.Contains(err.Error(), "orm: With") && !errors.Is(err, orm.ErrNotFound) {
			if kind := (*orm.Error)(nil); errors.As(err, &kind) {
				t.Fatalf("%v of %s", errors.Join(kind.Unwrap()...), sql)
			}
		}
	}
}

func FuzzCursor(f *testing.F) {
	db, err := orm.Open("sqlite://" + filepath.Join(f.TempDir(), "cursor.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	samples := orm.Of[sample](db)
	if err := samples.CreateTable(f.Context()); err != nil {
		f.Fatal(err)
	}
	orders := []string{"label", "-int", "at_n", "bytes", "price_n", "uuidn", "bool_n", "float", "address", "took", "uint", "zero"}
	for i, order := range orders {
		row := newSample(1)
		row.Label = order
		if _, err := samples.Create(f.Context(), row); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(`["`+order+` id ","x",5]`), uint8(i))
	}
	for i, order := range orders {
		page, err := samples.OrderBy(order).Page(f.Context(), orm.PageRequest{Size: 1})
		if err != nil {
			f.Fatal(err)
		}
		raw, _ := base64.RawURLEncoding.DecodeString(page.Next)
		f.Add(raw, uint8(i))
	}
	f.Fuzz(func(t *testing.T, raw []byte, order uint8) {
		for _, cursor := range []string{string(raw), base64.RawURLEncoding.EncodeToString(raw)} {
			if cursor == "" {
				continue
			}
			q := samples.OrderBy(orders[int(order)%len(orders)])
			for _, ask := range []orm.PageRequest{{Size: 2, After: cursor}, {Size: 2, Before: cursor}} {
				if _, err := q.Page(t.Context(), ask); err != nil && !errors.Is(err, orm.ErrCursor) {
					t.Fatalf("%q: %v", cursor, err)
				}
			}
		}
	})
}
