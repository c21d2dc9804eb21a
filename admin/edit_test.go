package admin_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// One whole life of a row, on each engine.
func TestLifeOfARow(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		l := libraryOn(t, db)
		ann := l.author(t, "Ann Lee")
		c := l.signIn(t, "admin")
		post(t, c, "/admin/books/-/new", bookForm(ann, "Näw “book”", "appeared", "2020-02-29T10:11:12", "meta", `{"a":[1,2]}`,
			"i.chapters.n", "2", "i.chapters.0.number", "1", "i.chapters.0.title", "One", "i.chapters.1.number", "", "i.chapters.1.title", "")...).Redirect("/admin/books")
		b, err := orm.Of[Book](db).With("Chapters").Filter("title", "Näw “book”").One(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b.Kind != "essay" || b.Price != "9.90" || !b.Printed || b.Pages != 120 || b.Rating != 4.5 || b.Appeared == nil || !b.Appeared.Equal(time.Date(2020, 2, 29, 10, 11, 12, 0, time.UTC)) ||
			fmt.Sprint(b.Meta.V) != "map[a:[1 2]]" || b.Chapters.Len() != 1 || b.Chapters.All()[0].Title != "One" {
			t.Errorf("the new book is %+v", b)
		}
		at := fmt.Sprintf("/admin/books/%d", b.ID)
		page := c.Get(at).Status(200).HTML("Näw “book”", `value="2020-02-29T10:11:12"`, "Ann Lee").Text()
		state := formValue(page, "_state")
		chapter := b.Chapters.All()[0]
		post(t, c, at, bookForm(ann, "Better", "appeared", "", "meta", "", "printed", "false", "_state", state, "_stay", "1",
			"i.chapters.n", "2", "i.chapters.0.key", fmt.Sprint(chapter.ID), "i.chapters.0.drop", "1", "i.chapters.1.title", "Two", "i.chapters.1.number", "2")...).Redirect(at)
		b, err = orm.Of[Book](db).With("Chapters").Filter("id", b.ID).One(t.Context())
		if err != nil || b.Title != "Better" || b.Appeared != nil || b.Printed || b.Chapters.Len() != 1 || b.Chapters.All()[0].Title != "Two" {
			t.Errorf("the changed book is %+v (%v)", b, err)
		}
		list := c.Get("/admin/books?q=bet+lee&f.kind=essay&f.price.min=9.90&f.price.max=9.9&f.printed=false&f.author_id=" + fmt.Sprint(ann.ID) + "&sort=-title").Status(200).Text()
		if !strings.Contains(list, ">Better<") {
			t.Error("the list does not have the book")
		}
		c.Get(at + "/delete").Status(200).HTML("1 Chapters")
		post(t, c, at+"/delete").Redirect("/admin/books")
		if n, err := orm.Of[Chapter](db).Count(t.Context()); n != 0 || err != nil {
			t.Errorf("%d chapters are left (%v)", n, err)
		}
		var done []string
		for _, e := range entries(t, l) {
			done = append(done, e.Action+" "+e.Model)
		}
		want := []string{"create books", "create chapters", "edit books", "delete chapters", "create chapters", "delete books"}
		if !slices.Equal(done, want) {
			t.Errorf("the log has %q, want %q", done, want)
		}
	})
}

func formValue(page, name string) string {
	_, rest, _ := strings.Cut(page, `name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

func TestMistakesStandBesideTheirFields(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	c := l.signIn(t, "editor")
	for name, test := range map[string]struct {
		path string
		form []string
		want []string
	}{
		"required":      {"/admin/books/-/new", bookForm(ann, ""), []string{"Title: is required"}},
		"too long":      {"/admin/books/-/new", bookForm(ann, strings.Repeat("x", 201)), []string{"Title: is longer than 200 characters"}},
		"a rule by tag": {"/admin/books/-/new", bookForm(ann, "A", "pages", "0"), []string{`id="in-pages-wrong"`, `aria-invalid="true"`}},
		"no number":     {"/admin/books/-/new", bookForm(ann, "A", "pages", "many"), []string{`id="in-pages-wrong"`, `value="many"`}},
		"no choice":     {"/admin/books/-/new", bookForm(ann, "A", "kind", "song"), []string{"Kind: is none of the choices"}},
		"decimals":      {"/admin/books/-/new", bookForm(ann, "A", "price", "1.999"), []string{"Price: has more than 2 digits behind the point", `value="1.999"`}},
		"no time":       {"/admin/books/-/new", bookForm(ann, "A", "appeared", "soon"), []string{"Appeared: is no date and time"}},
		"no JSON":       {"/admin/books/-/new", bookForm(ann, "A", "meta", "{"), []string{"Meta: is no JSON that fits"}},
		"the model's":   {"/admin/books/-/new", bookForm(ann, "A", "kind", "poems", "pages", "900"), []string{"Pages: no book of poems has more than 500"}},
		"no such row":   {"/admin/books/-/new", bookForm(Author{Model: orm.Model{ID: 77}}, "A"), []string{"Author: there is no such row"}},
		"a child's": {"/admin/books/-/new", bookForm(ann, "A", "i.chapters.n", "1", "i.chapters.0.number", "0", "i.chapters.0.title", "T"),
			[]string{`id="in-i-chapters-0-number-wrong"`, `value="T"`}},
		"taken":           {"/admin/authors/-/new", []string{"name", "Other", "email", "ann.lee@example.org", "born", ""}, []string{"Email: is taken by another row", `value="Other"`}},
		"format":          {"/admin/authors/-/new", []string{"name", "Other", "email", "nowhere", "born", ""}, []string{`id="in-email-wrong"`}},
		"too early":       {"/admin/authors/-/new", []string{"name", "Other", "email", "o@example.org", "born", "999"}, []string{`id="in-born-wrong"`}},
		"not sent at all": {"/admin/authors/-/new", []string{"name", "Other"}, []string{"Email: is required"}},
		"NUL":             {"/admin/authors/-/new", []string{"name", "O\x00", "email", "o@example.org"}, []string{"Name: is no text"}},
	} {
		t.Run(name, func(t *testing.T) {
			post(t, c.For(t), test.path, test.form...).Status(422).HTML(test.want...)
		})
	}
	if n, err := orm.Of[Book](l.db).Count(t.Context()); n != 0 || err != nil || len(entries(t, l)) != 0 {
		t.Errorf("%d books were made (%v)", n, err)
	}
}

func TestNobodyOverwritesWhatTheyHaveNotSeen(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	b := l.book(t, ann, "First")
	c := l.signIn(t, "admin")
	at := fmt.Sprintf("/admin/books/%d", b.ID)
	state := formValue(c.Get(at).Text(), "_state")
	post(t, c, at, bookForm(ann, "Second", "_state", state)...).Redirect("/admin/books")
	post(t, c, at, bookForm(ann, "Third", "_state", state)...).Status(409).HTML("Somebody has changed this row in the meantime", `value="Third"`)
	if b, err := orm.Of[Book](l.db).Get(t.Context(), b.ID); b.Title != "Second" || err != nil {
		t.Errorf("the book is %q (%v)", b.Title, err)
	}
}

func TestWhatDoesNotChangeIsNotWritten(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	b := l.book(t, ann, "First")
	when := time.Date(2020, 1, 2, 3, 4, 5, 678901000, time.UTC)
	b.Appeared, b.Blurb = &when, "two\r\nlines"
	if err := orm.Of[Book](l.db).Save(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	b, _ = orm.Of[Book](l.db).Get(t.Context(), b.ID)
	c := l.signIn(t, "admin")
	form := bookForm(ann, "First", "kind", "novel", "price", "12.50", "printed", "false", "pages", "100", "rating", "0", "blurb", "two\r\nlines", "appeared", "2020-01-02T03:04:05")
	post(t, c, fmt.Sprintf("/admin/books/%d", b.ID), lastWins(form)...).Redirect("/admin/books")
	after, err := orm.Of[Book](l.db).Get(t.Context(), b.ID)
	if err != nil || !after.UpdatedAt.Equal(b.UpdatedAt) || !after.Appeared.Equal(when) || after.Blurb != b.Blurb || len(entries(t, l)) != 0 {
		t.Errorf("before %+v\nafter %+v\n%v", b, after, err)
	}
}

// lastWins leaves out what a later pair of the same name replaces.
func lastWins(pairs []string) []string {
	var list []string
	for i := 0; i < len(pairs); i += 2 {
		later := false
		for j := i + 2; j < len(pairs); j += 2 {
			later = later || pairs[j] == pairs[i]
		}
		if !later {
			list = append(list, pairs[i], pairs[i+1])
		}
	}
	return list
}

func TestLogTellsDifferences(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	b := l.book(t, ann, "First")
	c := l.signIn(t, "editor")
	at := fmt.Sprintf("/admin/books/%d", b.ID)
	post(t, c, at, "title", "Second", "pages", "101").Redirect("/admin/books")
	list := entries(t, l)
	if len(list) != 1 || list[0].Name != "editor" || list[0].Label != "Second" || list[0].Key != fmt.Sprint(b.ID) || fmt.Sprint(list[0].Changes.V) != "[{title First Second} {pages 100 101}]" {
		t.Fatalf("the log is %+v", list)
	}
	c.Get(at+"/log").Status(200).HTML("<del>First</del>", "<ins>Second</ins>", "<del>100</del>")
	post(t, c, at+"/delete").Redirect("/admin/books")
	last := entries(t, l)[1]
	for _, change := range last.Changes.V {
		if change.Field == "code" && change.Old != "••••••" {
			t.Errorf("the log holds the secret: %+v", change)
		}
	}
	if last.Action != "delete" || len(last.Changes.V) < 5 {
		t.Errorf("the deletion is %+v", last)
	}

	t.Run("nothing is kept without its entry", func(t *testing.T) {
		if _, err := orm.Exec(t.Context(), l.db, "DROP TABLE admin_log"); err != nil {
			t.Fatal(err)
		}
		b := l.book(t, ann, "Kept")
		token := token(t, l.signInQuietly(t, "editor"))
		res := l.client.For(t, ishaatest.Header("Accept", "text/html")).Post(fmt.Sprintf("/admin/books/%d", b.ID), ishaatest.Form("_token", token, "title", "Lost"))
		if res.Code() != 500 {
			t.Errorf("status %d", res.Code())
		}
		if b, err := orm.Of[Book](l.db).Get(t.Context(), b.ID); b.Title != "Kept" || err != nil {
			t.Errorf("the book is %q (%v)", b.Title, err)
		}
	})
}

func (l *library) signInQuietly(t testing.TB, role string) *ishaatest.Client {
	c := l.signIn(t, role)
	if _, err := orm.Exec(t.Context(), l.db, "CREATE TABLE admin_log (id integer primary key, at text, actor text, name text, action text, model text, key text, label text, changes text, job integer, never text NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCopy(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	b := l.book(t, ann, "First")
	chapter, err := orm.Of[Chapter](l.db).Create(t.Context(), Chapter{BookID: b.ID, Title: "One", Number: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := l.signIn(t, "editor")
	res := post(t, c, fmt.Sprintf("/admin/books/%d", b.ID), bookForm(ann, "First, again", "_copy", "1",
		"i.chapters.n", "1", "i.chapters.0.key", fmt.Sprint(chapter.ID), "i.chapters.0.title", "One", "i.chapters.0.number", "1")...)
	copied, err := orm.Of[Book](l.db).With("Chapters").Filter("title", "First, again").One(t.Context())
	if err != nil || copied.ID == b.ID || copied.Code != "" || copied.Owner != "" || copied.Chapters.Len() != 1 || copied.Chapters.All()[0].ID == chapter.ID {
		t.Fatalf("the copy is %+v (%v)", copied, err)
	}
	res.Redirect(fmt.Sprintf("/admin/books/%d", copied.ID))
	if old, err := orm.Of[Chapter](l.db).Get(t.Context(), chapter.ID); old.BookID != b.ID || err != nil {
		t.Errorf("the chapter went with the copy: %+v (%v)", old, err)
	}
}

func TestTies(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	b := l.book(t, ann, "First")
	var keys []string
	for _, name := range []string{"classic", "debut", "translated"} {
		label, err := orm.Of[Label](l.db).Create(t.Context(), Label{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, fmt.Sprint(label.ID))
	}
	c := l.signIn(t, "editor")
	at := fmt.Sprintf("/admin/books/%d", b.ID)
	labels := func() string {
		t.Helper()
		b, err := orm.Of[Book](l.db).With("Labels").Filter("id", b.ID).One(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, x := range b.Labels.All() {
			names = append(names, x.Name)
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	for _, step := range []struct {
		form []string
		want string
	}{
		{[]string{"tie.labels", "", "tie.labels", keys[0], "tie.labels", keys[2]}, "classic translated"},
		{[]string{"title", "First"}, "classic translated"}, // a form without the boxes
		{[]string{"tie.labels", "", "tie.labels", keys[1] + ", " + keys[2]}, "debut translated"},
		{[]string{"tie.labels", ""}, ""},
	} {
		post(t, c, at, step.form...).Redirect("/admin/books")
		if got := labels(); got != step.want {
			t.Errorf("after %q the labels are %q, want %q", step.form, got, step.want)
		}
	}
	post(t, c, at, "tie.labels", "", "tie.labels", "77").Status(422).HTML("there is no such row")
	if n := len(entries(t, l)); n != 3 {
		t.Errorf("the log has %d entries, want 3", n)
	}
}

func TestDeletePreview(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	b := l.book(t, ann, "First")
	for i := range 3 {
		if _, err := orm.Of[Chapter](l.db).Create(t.Context(), Chapter{BookID: b.ID, Title: fmt.Sprint(i), Number: 1}); err != nil {
			t.Fatal(err)
		}
	}
	c := l.signIn(t, "editor")
	at := fmt.Sprintf("/admin/authors/%d/delete", ann.ID)
	c.Get(at).Status(200).HTML("1 Books", "3 Chapters", "deleted too", "First", "data-confirm")
	loan, err := orm.Of[Loan](l.db).Create(t.Context(), Loan{BookID: b.ID, Reader: "Bo"})
	if err != nil {
		t.Fatal(err)
	}
	if page := c.Get(at).Status(200).HTML("1 Loans", "in the way", "Loans refer to this").Text(); strings.Contains(page, "data-confirm") {
		t.Error("there is a button for what cannot be done")
	}
	post(t, c, at).Status(409).HTML("Loans refer to this")
	if n, err := orm.Of[Author](l.db).Count(t.Context()); n != 1 || err != nil {
		t.Fatal("the author is gone", err)
	}
	if err := orm.Of[Loan](l.db).Delete(t.Context(), &loan); err != nil {
		t.Fatal(err)
	}
	post(t, c, at).Redirect("/admin/authors")
	for name, count := range map[string]func(context.Context) (int64, error){"authors": orm.Of[Author](l.db).Count, "books": orm.Of[Book](l.db).Count, "chapters": orm.Of[Chapter](l.db).Count} {
		if n, err := count(t.Context()); n != 0 || err != nil {
			t.Errorf("%d %s are left (%v)", n, name, err)
		}
	}
}

func TestDeleteNeedsPermissionForWhatGoesWithIt(t *testing.T) {
	l := newLibrary(t, func(_ *admin.Options, books *[]admin.Option) { *books = append(*books, admin.Without(admin.Delete)) })
	ann := l.author(t, "Ann Lee")
	l.book(t, ann, "First")
	c := l.signIn(t, "admin")
	at := fmt.Sprintf("/admin/authors/%d/delete", ann.ID)
	c.Get(at).Status(200).HTML("which you may not")
	post(t, c, at).Status(409)
	if n, err := orm.Of[Book](l.db).Count(t.Context()); n != 1 || err != nil {
		t.Error("the book is gone", err)
	}
}

// What the options of a child's own model say counts in the form of its parent too, and so do Fields and ReadOnly for what a
// row is tied to.
func TestFormsKeepToTheOptionsOfAllModels(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	l := &library{app: ishaa.New("library", ishaa.Config{Logger: slog.New(slog.DiscardHandler)}), db: db}
	l.panel = admin.New(db, admin.Options{Hasher: auth.NewHasher(auth.HasherOptions{Memory: 64, Passes: 1, Lanes: 1})})
	admin.Register[Book](l.panel, admin.Fields("Title", "Labels"), admin.ReadOnly("Labels"), admin.Inline[Chapter]("Number", "Title"))
	admin.Register[Author](l.panel, admin.Inline[Book]())
	admin.Register[Chapter](l.panel, admin.ReadOnly("Number"), admin.Names("Part", "Parts"), admin.Scope(func(context.Context, *auth.Identity) []any { return []any{"number__lt", 50} }))
	admin.Register[Label](l.panel, admin.Fields("Name"))
	l.app.Install(l.panel)
	if err := db.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.panel.SetAccount(t.Context(), "admin", password, "admin"); err != nil {
		t.Fatal(err)
	}
	l.client = ishaatest.New(t, l.app)
	ann := l.author(t, "Ann Lee")
	b := l.book(t, ann, "First")
	label, err := orm.Of[Label](db).Create(t.Context(), Label{Name: "debut"})
	if err != nil {
		t.Fatal(err)
	}
	var chapters []Chapter
	for _, number := range []int{1, 99} {
		chapter, err := orm.Of[Chapter](db).Create(t.Context(), Chapter{BookID: b.ID, Title: fmt.Sprintf("Chapter %d", number), Number: number})
		if err != nil {
			t.Fatal(err)
		}
		chapters = append(chapters, chapter)
	}
	c := l.signIn(t, "admin")
	at := fmt.Sprintf("/admin/books/%d", b.ID)
	page := c.Get(at).Status(200).HTML("Parts", `value="Chapter 1"`).Text()
	for _, hidden := range []string{"Chapter 99", `.number"`, `name="tie.labels"`, `name="kind"`} {
		if strings.Contains(page, hidden) {
			t.Errorf("the form has %s", hidden)
		}
	}
	post(t, c, at, "title", "Second", "tie.labels", fmt.Sprint(label.ID), "i.chapters.n", "1", "i.chapters.0.key", fmt.Sprint(chapters[0].ID),
		"i.chapters.0.title", "Chapter one", "i.chapters.0.number", "7").Redirect("/admin/books")
	post(t, c, at, "title", "Third", "i.chapters.n", "1", "i.chapters.0.key", fmt.Sprint(chapters[1].ID), "i.chapters.0.title", "Taken").Status(409)
	b, err = orm.Of[Book](db).With("Chapters", "Labels").Filter("id", b.ID).One(t.Context())
	if err != nil || b.Title != "Second" || b.Labels.Len() != 0 || b.Chapters.All()[0].Title != "Chapter one" || b.Chapters.All()[0].Number != 1 || b.Chapters.All()[1].Title != "Chapter 99" {
		t.Errorf("the book became %+v (%v)", b, err)
	}
	page = c.Get(fmt.Sprintf("/admin/authors/%d", ann.ID)).Status(200).Text()
	if !strings.Contains(page, `name="i.books.0.title"`) || strings.Contains(page, `name="i.books.0.kind"`) {
		t.Error("the children do not have the fields of their own form, or more than those")
	}
	labelAt := fmt.Sprintf("/admin/labels/%d", label.ID)
	if page := c.Get(labelAt).Status(200).Text(); strings.Contains(page, "tie.books") {
		t.Error("a relation that Fields leaves out is in the form")
	}
	post(t, c, labelAt, "name", "first", "tie.books", fmt.Sprint(b.ID)).Redirect("/admin/labels")
	if label, err := orm.Of[Label](db).With("Books").Filter("id", label.ID).One(t.Context()); err != nil || label.Name != "first" || label.Books.Len() != 0 {
		t.Errorf("the label became %+v (%v)", label, err)
	}
}

// A form shows more than its row: whoever saves it has to have seen the children, and what the row is tied to, as they are.
func TestNobodyOverwritesChildrenTheyHaveNotSeen(t *testing.T) {
	l := newLibrary(t)
	b := l.book(t, l.author(t, "Ann Lee"), "First")
	chapter, err := orm.Of[Chapter](l.db).Create(t.Context(), Chapter{BookID: b.ID, Title: "One", Number: 1})
	if err != nil {
		t.Fatal(err)
	}
	label, err := orm.Of[Label](l.db).Create(t.Context(), Label{Name: "debut"})
	if err != nil {
		t.Fatal(err)
	}
	c := l.signIn(t, "admin")
	at := fmt.Sprintf("/admin/books/%d", b.ID)
	save := func(state string) *ishaatest.Result {
		return post(t, c, at, "title", "First", "_state", state, "i.chapters.n", "1", "i.chapters.0.key", fmt.Sprint(chapter.ID), "i.chapters.0.title", "Mine", "i.chapters.0.number", "1")
	}
	state := formValue(c.Get(at).Text(), "_state")
	chapter.Title = "Theirs"
	if err := orm.Of[Chapter](l.db).Save(t.Context(), &chapter); err != nil {
		t.Fatal(err)
	}
	save(state).Status(409).HTML("Somebody has changed this row in the meantime")
	state = formValue(c.Get(at).Text(), "_state")
	if err := orm.Of[Book](l.db).Link(t.Context(), &b, "Labels", label.ID); err != nil {
		t.Fatal(err)
	}
	save(state).Status(409)
	save(formValue(c.Get(at).Text(), "_state")).Redirect("/admin/books")
	if now, err := orm.Of[Chapter](l.db).Get(t.Context(), chapter.ID); err != nil || now.Title != "Mine" {
		t.Errorf("the chapter became %+v (%v)", now, err)
	}
}
