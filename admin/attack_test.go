package admin_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"html"
	"reflect"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
)

// A form of another site is refused, by the browser's word and by the token; so is one with the token of another session.
func TestForeignFormsAreRefused(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	b := l.book(t, ann, "First")
	other := token(t, l.signIn(t, "editor"))
	c := l.signIn(t, "admin")
	mine := token(t, c)
	paths := []string{"/admin/books", "/admin/books/-/new", "/admin/books/-/import", fmt.Sprintf("/admin/books/%d", b.ID), fmt.Sprintf("/admin/books/%d/delete", b.ID),
		"/admin/-/theme", "/admin/-/password", "/admin/-/sign-out"}
	for _, path := range paths {
		for name, options := range map[string][]ishaatest.RequestOption{
			"no token":        {ishaatest.Form("title", "Taken")},
			"empty token":     {ishaatest.Form("title", "Taken", "_token", "")},
			"wrong token":     {ishaatest.Form("title", "Taken", "_token", strings.Repeat("A", len(mine)))},
			"other session":   {ishaatest.Form("title", "Taken", "_token", other)},
			"cross-site":      {ishaatest.Form("title", "Taken", "_token", mine), ishaatest.Header("Sec-Fetch-Site", "cross-site")},
			"same-site":       {ishaatest.Form("title", "Taken", "_token", mine), ishaatest.Header("Sec-Fetch-Site", "same-site")},
			"foreign origin":  {ishaatest.Form("title", "Taken", "_token", mine), ishaatest.Header("Origin", "https://evil.example")},
			"token in a link": {ishaatest.Form("title", "Taken"), ishaatest.Query("_token", mine)},
		} {
			t.Run(path+" "+name, func(t *testing.T) { c.For(t).Post(path, options...).Status(403) })
		}
	}
	if b, err := orm.Of[Book](l.db).Get(t.Context(), b.ID); b.Title != "First" || err != nil {
		t.Errorf("the book is %q (%v)", b.Title, err)
	}
	c.Get("/admin/").Status(200) // still signed in
	l.client.Post("/admin/-/sign-in", ishaatest.Form("name", "admin", "password", password), ishaatest.Header("Sec-Fetch-Site", "cross-site")).Status(403)
}

// What somebody has put into any field stands on every page as text.
func TestStoredScripts(t *testing.T) {
	l := newLibrary(t)
	const bad = `"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}${1}`
	a, err := orm.Of[Author](l.db).Create(t.Context(), Author{Name: bad, Email: bad})
	if err != nil {
		t.Fatal(err)
	}
	b, err := orm.Of[Book](l.db).Create(t.Context(), Book{
		Title: bad, AuthorID: a.ID, Kind: "novel", Price: "1.00", Pages: 1, Blurb: bad, Meta: orm.NewJSON(map[string]any{bad: bad}), Owner: bad[:40], Code: bad[:40],
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := orm.Of[Chapter](l.db).Create(t.Context(), Chapter{BookID: b.ID, Title: bad, Number: 1}); err != nil {
		t.Fatal(err)
	}
	label, err := orm.Of[Label](l.db).Create(t.Context(), Label{Name: bad[:58]})
	if err != nil {
		t.Fatal(err)
	}
	if err := orm.Of[Book](l.db).Link(t.Context(), &b, "Labels", label.ID); err != nil {
		t.Fatal(err)
	}
	c := l.signIn(t, "admin")
	at := fmt.Sprintf("/admin/books/%d", b.ID)
	post(t, c, at, "title", bad+"2", "blurb", bad+"2").Redirect("/admin/books") // into the log and a message, too
	pages := []*ishaatest.Result{
		c.Get("/admin/books"), c.Get("/admin/authors"), c.Get("/admin/labels"), c.Get(at), c.Get(at + "/log"), c.Get(at + "/delete"), c.Get("/admin/-/log"), c.Get("/admin/"),
		c.Get(fmt.Sprintf("/admin/authors/%d", a.ID)), c.Get(fmt.Sprintf("/admin/authors/%d/delete", a.ID)),
		post(t, c, "/admin/books/-/new", bookForm(a, bad, "kind", bad, "pages", bad, "price", bad, "meta", bad, "blurb", bad)...),
		post(t, c, "/admin/books", "action", "delete", "key", fmt.Sprint(b.ID)),
		post(t, c, "/admin/books", "action", "do-Print~20all", "key", fmt.Sprint(b.ID), "_query", bad),
		c.Get("/admin/books", ishaatest.Query("q", bad, "f.kind", bad, "f.price.min", bad, "f.blurb", bad, "f.author_id", bad)),
		c.Post("/admin/books/-/import", ishaatest.Form("_token", token(t, c), "mode", bad), ishaatest.File("file", "x.csv", "title,"+`"`+strings.ReplaceAll(bad, `"`, `""`)+`"`+"\na,b\n")),
		c.For(t, fromPage...).Post("/admin/-/sign-in", ishaatest.Form("name", bad, "password", "wrong", "next", bad)),
	}
	for _, res := range pages {
		page := res.Text()
		for _, trace := range []string{"<script>alert", "<img src=x", `onerror=alert(2)>'{{`, "49${1}"} {
			if strings.Contains(page, trace) {
				t.Errorf("%s holds %q", res.Path(), trace)
			}
		}
		if len(res.Headers().Values("Content-Security-Policy")) != 1 || strings.Contains(res.Headers().Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s has the policy %q", res.Path(), res.Headers().Values("Content-Security-Policy"))
		}
	}
	if page := c.Get("/admin/books").Text(); !strings.Contains(page, html.EscapeString("<script>alert(1)</script>")) && !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the list does not show the text")
	}
	if kind := c.Get("/admin/books/-/pick").Headers().Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("the picker answers with %q", kind)
	}
}

// A request cannot set what the form does not offer.
func TestMassAssignment(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	b := l.book(t, ann, "First")
	c := l.signIn(t, "admin")
	forged := []string{"id", "99", "created_at", "2000-01-01T00:00:00", "updated_at", "2000-01-01T00:00:00", "owner", "me", "reprinted", "5", "code", "mine", "Owner", "me", "OWNER", "me"}
	post(t, c, fmt.Sprintf("/admin/books/%d", b.ID), append([]string{"title", "Second"}, forged...)...).Redirect("/admin/books")
	after, err := orm.Of[Book](l.db).Get(t.Context(), b.ID)
	want := b
	want.Title, want.UpdatedAt = "Second", after.UpdatedAt
	if err != nil || !reflect.DeepEqual(after, want) || after.UpdatedAt.Year() == 2000 {
		t.Errorf("the book became %+v, want %+v (%v)", after, want, err)
	}
	post(t, c, "/admin/books/-/new", bookForm(ann, "Third", forged...)...).Redirect("/admin/books")
	made, err := orm.Of[Book](l.db).Filter("title", "Third").One(t.Context())
	if err != nil || made.ID == 99 || made.Owner != "" || made.Reprinted != 0 || made.Code != "" || made.CreatedAt.Year() == 2000 {
		t.Errorf("the new book is %+v (%v)", made, err)
	}
	c.Get("/admin/books/-/new?title=Given&owner=me&code=mine").Status(200).HTML(`value="Given"`)
	file := "title,author_id,kind,price,pages,printed,rating,owner,reprinted,created_at\nFourth," + fmt.Sprint(ann.ID) + ",essay,1,2,true,0,me,7,2000-01-01\n"
	c.Post("/admin/books/-/import", ishaatest.Form("_token", token(t, c)), ishaatest.File("file", "x.csv", file)).Status(200).HTML("passed over: created_at, owner, reprinted")
	if made, err := orm.Of[Book](l.db).Filter("title", "Fourth").One(t.Context()); err != nil || made.Owner != "" || made.Reprinted != 0 || made.CreatedAt.Year() == 2000 {
		t.Errorf("the imported book is %+v (%v)", made, err)
	}
	c.Post("/admin/books/-/import", ishaatest.Form("_token", token(t, c)), ishaatest.File("file", "x.csv", "title,code\nA,mine\n")).Status(422).HTML("“code”")
	t.Run("fields left out of the form", func(t *testing.T) {
		l := newLibrary(t, func(_ *admin.Options, books *[]admin.Option) {
			*books = append(*books, admin.Fields("Title", "Author"))
		})
		b := l.book(t, l.author(t, "Ann Lee"), "First")
		c := l.signIn(t, "admin")
		post(t, c, fmt.Sprintf("/admin/books/%d", b.ID), "title", "Second", "pages", "7").Redirect("/admin/books")
		if b, err := orm.Of[Book](l.db).Get(t.Context(), b.ID); b.Title != "Second" || b.Pages != 100 || err != nil {
			t.Errorf("the book became %+v (%v)", b, err)
		}
	})
}

// What is secret stands nowhere.
func TestSecretsAreNotShown(t *testing.T) {
	l := newLibrary(t)
	b := l.book(t, l.author(t, "Ann Lee"), "First")
	c := l.signIn(t, "admin")
	at := fmt.Sprintf("/admin/books/%d", b.ID)
	post(t, c, "/admin/books", "action", "do-Reprint", "key", fmt.Sprint(b.ID)).Status(303)
	for _, path := range []string{"/admin/books", at, at + "/log", at + "/delete", "/admin/-/log", "/admin/books/-/export?format=csv", "/admin/books/-/export?format=json", "/admin/books/-/pick?q=First", "/admin/books/-/import", "/admin/books?q=s3cr3t"} {
		if page := c.Get(path).Status(200).Text(); strings.Contains(strings.ReplaceAll(page, "q=s3cr3t", ""), "s3cr3t-code") || strings.Contains(page, `name="code"`) || strings.Contains(page, "code,") || strings.Contains(page, `"code":`) {
			t.Errorf("%s shows what is secret", path)
		}
	}
	if strings.Contains(c.Get("/admin/books?q=s3cr3t").Text(), "data-row") {
		t.Error("a search finds by what is secret")
	}
}

// No cell of an export is a formula, whatever its field holds, and an import gives the same texts back.
func TestFormulas(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	texts := []string{"=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://evil.example\",\"x\")", "＝1", "'=1", "''", "plain", "a=1", " =1", "-",
		"x;=1+1", "x;=1+1;y", "x;\"=1+1&\";y", "x\t@SUM(A1)", "x\n-2+3;", "x;'=1+1", "x;1", "one\n\ntwo", "a;b = c", "it; ''so''"}
	for _, text := range texts {
		l.book(t, ann, text)
	}
	c := l.signIn(t, "admin")
	file := c.Get("/admin/books/-/export?format=csv&sort=title").Status(200).Text()
	records, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	if err != nil || len(records) != len(texts)+1 {
		t.Fatal(len(records), err)
	}
	for _, record := range records[1:] {
		for i, cell := range record {
			if cell == "" {
				continue
			}
			if first := []rune(cell)[0]; strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
				t.Errorf("the column %s has the cell %q", records[0][i], cell)
			}
		}
	}
	// A spreadsheet that takes a semicolon or a tab for the separator sees other cells, and quotes only where one begins.
	for _, cell := range strings.FieldsFunc(file, func(r rune) bool { return strings.ContainsRune(";\t\r\n", r) }) {
		if cell = strings.TrimLeft(cell, `"`); cell != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(cell)[0]) {
			t.Errorf("with another separator there is the cell %q", cell)
		}
	}
	for _, text := range []string{"x;1", "a;b = c", "it; ''so''", "plain", "\"one\n\ntwo\""} {
		if !strings.Contains(file, ","+text+",") {
			t.Errorf("%q was changed, and needs no change:\n%s", text, file)
		}
	}
	if _, err := orm.Of[Book](l.db).Query().Update(t.Context(), orm.Set{"title": "gone"}); err != nil {
		t.Fatal(err)
	}
	c.Post("/admin/books/-/import", ishaatest.Form("_token", token(t, c)), ishaatest.File("file", "x.csv", file)).Status(200).HTML(fmt.Sprintf("Changed: %d", len(texts)))
	for _, text := range texts {
		if strings.ContainsRune(text, '\r') {
			continue // encoding/csv, as RFC 4180 has it, makes "\r\n" of line ends
		}
		if n, err := orm.Of[Book](l.db).Filter("title", text).Count(t.Context()); n != 1 || err != nil {
			t.Errorf("%q came back %d times (%v)", text, n, err)
		}
	}
}

// A permission that cannot be decided is a refusal.
func TestPermissionThatFails(t *testing.T) {
	l := newLibrary(t, func(o *admin.Options, _ *[]admin.Option) {
		o.Allow = func(context.Context, admin.Ask) (bool, error) { return true, fmt.Errorf("the directory is away") }
	})
	l.signIn(t, "admin").Get("/admin/books").Status(404)
}

// Nobody is signed in by a page elsewhere, to a foreign account: neither where a browser says so nor where it says nothing, and
// not in a program either that has taken the framework's own protection away.
func TestSignInFromElsewhere(t *testing.T) {
	for name, protected := range map[string]bool{"by default": true, "without the default": false} {
		t.Run(name, func(t *testing.T) {
			l := newLibrary(t)
			if !protected {
				l.app.Without("csrf")
			}
			try := func(headers ...ishaatest.RequestOption) *ishaatest.Result {
				l.client.ClearCookies()
				return l.client.Post("/admin/-/sign-in", append(headers, ishaatest.Form("name", "admin", "password", password))...)
			}
			for says, headers := range map[string][]ishaatest.RequestOption{
				"nothing":                  nil,
				"another site":             {ishaatest.Header("Sec-Fetch-Site", "cross-site")},
				"a sibling":                {ishaatest.Header("Sec-Fetch-Site", "same-site")},
				"another origin":           {ishaatest.Header("Origin", "https://evil.example")},
				"an origin kept to itself": {ishaatest.Header("Origin", "null")},
				"this origin, elsewhere":   {ishaatest.Header("Origin", "http://localhost"), ishaatest.Header("Sec-Fetch-Site", "cross-site")},
			} {
				if res := try(headers...); res.Code() != 403 || len(res.Headers().Values("Set-Cookie")) > 0 {
					t.Errorf("a browser that says %s gets %d %q", says, res.Code(), res.Headers().Values("Set-Cookie"))
				}
			}
			try(ishaatest.Header("Sec-Fetch-Site", "same-origin")).Redirect("/admin/")
			try(ishaatest.Header("Origin", "http://localhost")).Redirect("/admin/")
		})
	}
}
