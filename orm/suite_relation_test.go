package orm_test

import (
	"testing"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// Lookups over relations, in both directions.
func TestSuiteRelations(t *testing.T) {
	q, f := orm.Q, orm.F
	writerCases := []struct {
		name string
		by   []any
		want string
	}{
		{"has many", []any{"books__title", "A1"}, "ann"}, {"has many without deleted", []any{"books__title", "A3"}, ""}, {"any of many", []any{"books__pages__gt", 50}, "ann ben"},
		{"none of many", []any{"books__isnull", true}, "cid"}, {"some of many", []any{"books__isnull", false}, "ann ben"}, {"the same row", []any{"books__title", "A1", "books__pages", 200}, ""},
		{"the same row holds", []any{"books__title", "A2", "books__pages", 200}, "ann"}, {"rows of two conditions", []any{orm.And(orm.And(q("books__title", "A1")), orm.And(q("books__pages", 200)))}, "ann"},
		{"over two relations", []any{"books__reviews__stars", 5}, "ann"}, {"over two, the same row", []any{"books__reviews__stars__gt", 2, "books__reviews__text", "fair"}, "ben"}, {"over two, empty", []any{"books__reviews__text__isnull", true}, "ann"},
		{"key of many", []any{"books__gt", 0}, "ann ben"}, {"many in a query", []any{"books__in", orm.Query[novel]{}}, "error"}, {"not many", []any{orm.Not(q("books__title", "A1"))}, "ben cid"}, {"or over many", []any{orm.Or(q("books__title", "B1"), q("name", "cid"))}, "ben cid"},
		{"not or over many", []any{orm.Not(orm.Or(q("books__pages__gt", 300), q("books__isnull", true)))}, "ann"}, {"field of the writer in a book's lookup", []any{"books__pages__gt", f("limit")}, "ann"}, {"ne of many", []any{"books__title__ne", "A1"}, "ann ben"},
		{"back to itself", []any{"books__writer__name", "ann"}, "ann"}, {"has one", []any{"pet__name", "rex"}, "ann"}, {"has no one", []any{"pet__isnull", true}, "ben cid"}, {"has one by key", []any{"pet", 1}, "ann"}, {"has one ne", []any{"pet__name__ne", "rex"}, "ben cid"},
		{"many to many", []any{"clubs__title", "Gophers"}, "ann ben"}, {"many to many by key", []any{"clubs", "sql"}, "ann"}, {"many to many in", []any{"clubs__in", []string{"sql", "none"}}, "ann"}, {"in no club", []any{"clubs__isnull", true}, "cid"}, {"not in a club", []any{orm.Not(q("clubs", "sql"))}, "ben cid"},
		{"many to many over", []any{"clubs__members__name", "ben"}, "ann ben"}, {"the same table", []any{"mentor__name", "ann"}, "ben"}, {"the same table twice", []any{"mentor__mentor__name", "ann"}, "cid"}, {"the same table, empty", []any{"mentor__isnull", true}, "ann"},
		{"the same table, ne", []any{"mentor__name__ne", "ann"}, "ann cid"}, {"field over relation", []any{"age__gt", f("mentor__age")}, "ben"}, {"field over relation, empty", []any{"age__ne", f("mentor__age")}, "ben cid"}, {"mentor's books", []any{"mentor__books__title", "A1"}, "ben"}, {"mentor's club and own", []any{"mentor__clubs", "sql", "clubs", "go"}, "ben"},
		{"key of the foreign row", []any{"mentor__pk__gt", 0}, "ben cid"}, {"foreign key", []any{"mentor_id__isnull", false}, "ben cid"}, {"relation in list", []any{"mentor__in", []int64{1}}, "ben"}, {"expression over relation", []any{f("mentor__limit").Add(1).Is("exact", 151)}, "ben"},
	}
	novelCases := []struct {
		name string
		by   []any
		want string
	}{
		{"belongs to", []any{"writer__name", "ann"}, "A1 A2"}, {"belongs to, empty", []any{"writer__isnull", true}, "O1"}, {"belongs to, ne", []any{"writer__name__ne", "ann"}, "B1 O1"}, {"belongs to, not in", []any{"writer__name__notin", []string{"ann"}}, "B1 O1"},
		{"belongs to, not", []any{orm.Not(q("writer__name", "ann"))}, "B1 O1"}, {"belongs to, text", []any{"writer__name__startswith", "a"}, "A1 A2"}, {"two fields", []any{"writer__name", "ann", "writer__age", 30}, "A1 A2"}, {"through the writer", []any{"writer__clubs", "sql"}, "A1 A2"},
		{"siblings", []any{"writer__books__title", "A2"}, "A1 A2"}, {"the writer's mentor", []any{"writer__mentor__name", "ann"}, "B1"}, {"pages over limit", []any{"pages__gt", f("writer__limit")}, "A2"}, {"reviewed", []any{"reviews__isnull", false}, "A1 B1"}, {"price of two", []any{f("price").Mul(2).Is("exact", "41")}, "A2"},
		{"empty text of reviews", []any{"reviews__text", nil}, "A1"}, {"reviews of any kind", []any{"reviews__stars__in", []int{1, 3}}, "A1 B1"}, {"no such review", []any{orm.Not(q("reviews__stars__gte", 3))}, "A2 O1"}, {"dates of the writer", []any{"writer__created_at__year__gt", 2000}, "A1 A2 B1"},
		{"writers without a club", []any{"writer__clubs__isnull", true}, "O1"}, {"has a pet", []any{"writer__pet__name", "rex"}, "A1 A2"}, {"or over joins", []any{orm.Or(q("writer__age", 40), q("writer", nil))}, "B1 O1"},
	}
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		library(t, db)
		ctx := t.Context()
		for _, c := range writerCases {
			t.Run(c.name, func(t *testing.T) {
				got := writersOf(ctx, orm.Of[writer](db).Filter(c.by...))
				if c.want == "error" {
					if got[:min(5, len(got))] != "error" {
						t.Errorf("got %s", got)
					}
					return
				}
				equal(t, got, c.want)
			})
		}
		for _, c := range novelCases {
			t.Run(c.name, func(t *testing.T) { equal(t, novelsOf(ctx, orm.Of[novel](db).Filter(c.by...)), c.want) })
		}
		novels := orm.Of[novel](db)
		t.Run("subquery over a relation", func(t *testing.T) {
			equal(t, writersOf(ctx, orm.Of[writer](db).Filter("pk__in", novels.Filter("pages__gt", 300).Only("writer_id"))), "ben")
			equal(t, novelsOf(ctx, novels.Filter("writer__in", orm.Of[writer](db).Filter("name", "ann"))), "A1 A2")
		})
		t.Run("order over relations", func(t *testing.T) {
			list, err := novels.OrderBy("-writer__name", "-title").All(ctx)
			equal(t, named(list, err, func(n novel) string { return n.Title }), "B1 A2 A1 O1")
			list, err = novels.OrderBy("writer__mentor__name", "title").All(ctx)
			equal(t, named(list, err, func(n novel) string { return n.Title }), "A1 A2 O1 B1")
			list, err = novels.OrderBy("writer", "title").All(ctx)
			equal(t, named(list, err, func(n novel) string { return n.Title }), "O1 A1 A2 B1")
		})
		t.Run("deleted rows", func(t *testing.T) {
			equal(t, novelsOf(ctx, novels.WithDeleted()), "A1 A2 A3 B1 O1")
			equal(t, novelsOf(ctx, novels.WithDeleted().Filter("deleted_at__isnull", false)), "A3")
			n, err := novels.Count(ctx)
			equal(t, []any{n, err}, []any{4, nil})
		})
	})
}

// Related rows in memory.
func TestSuiteWith(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		library(t, db)
		ctx, writers, novels := t.Context(), orm.Of[writer](db), orm.Of[novel](db)
		titles := func(w *writer) string {
			return named(w.Books.All(), nil, func(n novel) string { return n.Title })
		}
		t.Run("all kinds at once", func(t *testing.T) {
			list, err := writers.With("Books", "Pet", "Clubs", "Mentor").OrderBy("name").All(ctx)
			if err != nil || len(list) != 3 {
				t.Fatal(list, err)
			}
			ann, ben, cid := &list[0], &list[1], &list[2]
			equal(t, []any{titles(ann), titles(ben), titles(cid)}, []any{"A1 A2", "B1", ""})
			equal(t, []any{ann.Pet.Get().Name, ben.Pet.Get() == nil, ben.Pet.Loaded(), ben.Mentor.Get().Name, ann.Mentor.Get() == nil}, []any{"rex", true, true, "ann", true})
			equal(t, named(ann.Clubs.All(), nil, func(c club) string { return c.Code }), "go sql")
			equal(t, []any{ben.Clubs.Len(), cid.Clubs.Len(), cid.Clubs.Loaded(), cid.Books.Loaded()}, []any{1, 0, true, true})
		})
		t.Run("nested", func(t *testing.T) {
			list, err := writers.With("books.reviews", "Books.Writer.Mentor", "Mentor.Clubs").OrderBy("name").All(ctx)
			if err != nil {
				t.Fatal(err)
			}
			first := &list[0].Books.All()[0]
			equal(t, []any{first.Reviews.Len(), first.Writer.Get().Name, list[1].Books.All()[0].Writer.Get().Mentor.Get().Name, list[1].Mentor.Get().Clubs.Len()}, []any{2, "ann", "ann", 2})
		})
		t.Run("deleted rows only if asked for", func(t *testing.T) {
			list, err := writers.WithDeleted().With("Books").OrderBy("name").All(ctx)
			equal(t, []any{titles(&list[0]), err}, []any{"A1 A2 A3", nil})
		})
		t.Run("a row that belongs to none", func(t *testing.T) {
			o, err := novels.Filter("title", "O1").With("Writer").One(ctx)
			equal(t, []any{o.Writer.Get() == nil, o.Writer.Loaded(), err}, []any{true, true, nil})
		})
		t.Run("not asked for", func(t *testing.T) {
			o, err := novels.Filter("title", "A1").One(ctx)
			equal(t, []any{o.Writer.Get() == nil, o.Writer.Loaded(), o.Reviews.All() == nil, err}, []any{true, false, true, nil})
		})
		t.Run("of no rows", func(t *testing.T) {
			list, err := writers.Filter("name", "nobody").With("Books.Reviews").All(ctx)
			equal(t, []any{list != nil, len(list), err}, []any{true, 0, nil})
		})
		t.Run("from a text key", func(t *testing.T) {
			c, err := orm.Of[club](db).Filter("code", "go").With("Members.Pet").One(ctx)
			equal(t, []any{named(c.Members.All(), err, func(w writer) string { return w.Name }), c.Members.All()[0].Pet.Get().Name}, []any{"ann ben", "rex"})
		})
		t.Run("in a page, with the first and the only row", func(t *testing.T) {
			page, err := writers.With("Books").OrderBy("name").Page(ctx, orm.PageRequest{Size: 1})
			equal(t, []any{titles(&page.Rows[0]), err}, []any{"A1 A2", nil})
			w, err := writers.With("Books").OrderBy("-name").Filter("books__isnull", false).First(ctx)
			equal(t, []any{titles(&w), err}, []any{"B1", nil})
		})
		t.Run("more rows than one statement asks for", func(t *testing.T) {
			list := make([]writer, 2500)
			for i := range list {
				list[i].Name = "many " + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
			}
			err := writers.CreateMany(ctx, list)
			if err != nil {
				t.Fatal(err)
			}
			books := make([]novel, len(list))
			for i := range books {
				books[i] = novel{Title: list[i].Name, WriterID: &list[i].ID}
			}
			if err := novels.CreateMany(ctx, books); err != nil {
				t.Fatal(err)
			}
			got, err := writers.Filter("name__startswith", "many").With("Books").All(ctx)
			if err != nil || len(got) != len(list) {
				t.Fatal(len(got), err)
			}
			for i := range got {
				if got[i].Books.Len() != 1 || got[i].Books.All()[0].Title != got[i].Name {
					t.Fatalf("%s has %s", got[i].Name, titles(&got[i]))
				}
			}
		})
	})
}
