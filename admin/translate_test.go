package admin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
)

// Names that are the same in each language: of formats, and of the columns of files. Data is made of digits here.
var sameEverywhere = map[string]bool{"CSV": true, "JSON": true, "pages": true, "author_id": true, "kind": true, "price": true, "rating": true}

// Attributes that a visitor reads or hears.
var heard = map[string]bool{"title": true, "aria-label": true, "placeholder": true, "alt": true, "data-none": true, "data-label": true, "data-text": true}

// untranslated are the texts of a page that did not come from Translate, which puts brackets around what it is given.
func untranslated(t *testing.T, page string) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	look := func(text string) {
		depth, left := 0, ""
		for _, c := range text {
			switch {
			case c == '⟦':
				depth++
			case c == '⟧':
				depth--
			case depth == 0:
				left += string(c)
			}
		}
		if strings.ContainsFunc(left, unicode.IsLetter) && !sameEverywhere[strings.TrimSpace(left)] {
			list = append(list, strings.TrimSpace(text))
		}
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.ElementNode && (n.Data == "script" || n.Data == "noscript" || n.Data == "kbd"):
			return
		case n.Type == html.TextNode:
			look(n.Data)
		}
		for _, a := range n.Attr {
			if heard[a.Key] {
				look(a.Val)
			}
		}
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			walk(child)
		}
	}
	walk(root)
	return list
}

// Each text that a page shows and that is no data came through Translate: labels, buttons, messages, mistakes, and what only
// readers of the screen say.
func TestEachTextIsTranslated(t *testing.T) {
	asked := map[string]bool{}
	l := newLibrary(t, func(o *admin.Options, books *[]admin.Option) {
		o.Title, o.LargeImport = "#", 1<<10
		o.Translate = func(_ *ishaa.Request, text string) string { asked[text] = true; return "⟦" + text + "⟧" }
		o.Language = func(*ishaa.Request) string { return "x-test" }
		*books = append(*books, admin.PageSize(2))
	})
	for name, role := range map[string]string{"8": "reader", "9": "admin"} {
		if err := l.panel.SetAccount(t.Context(), name, password, role); err != nil {
			t.Fatal(err)
		}
	}
	author, err := orm.Of[Author](l.db).Create(t.Context(), Author{Name: "11", Email: "1@2.3"})
	if err != nil {
		t.Fatal(err)
	}
	var books []Book
	for i := range 5 {
		b, err := orm.Of[Book](l.db).Create(t.Context(), Book{Title: fmt.Sprint("2", i), AuthorID: author.ID, Kind: "novel", Price: "1.00", Pages: 1, Printed: i%2 == 0})
		if err != nil {
			t.Fatal(err)
		}
		books = append(books, b)
	}
	if _, err := orm.Of[Chapter](l.db).Create(t.Context(), Chapter{BookID: books[0].ID, Title: "3", Number: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := orm.Of[Label](l.db).Create(t.Context(), Label{Name: "4"}); err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprintf("/admin/books/%d", books[0].ID)
	door := l.client.For(t, fromPage...)
	pages := []*ishaatest.Result{
		door.Get("/admin/-/sign-in").Status(200),
		door.Post("/admin/-/sign-in", ishaatest.Form("name", "9", "password", "wrong")).Status(401),
		l.client.For(t, ishaatest.Header("Accept", "text/html")).Get("/admin/-/sign-in?next=%2Fadmin%2Fbooks").Status(200),
	}
	c := l.signIn(t, "9")
	see := func(res *ishaatest.Result) { pages = append(pages, res) }
	for _, path := range []string{"/admin/", "/admin/books", "/admin/books?sort=title&f.kind=novel&f.printed=true&f.price.min=x&f.author_id=x", "/admin/books?q=nothing", "/admin/labels", at, "/admin/books/-/new",
		at + "/delete", fmt.Sprintf("/admin/authors/%d/delete", author.ID), "/admin/books/-/import", "/admin/-/log", at + "/log", "/admin/-/password"} {
		see(c.Get(path).Status(200))
	}
	for _, path := range []string{"/admin/books/99", "/admin/nothing", "/admin/-/jobs/99"} {
		see(c.Get(path).Status(404))
	}
	see(c.Get("/admin/books?sort=blurb").Status(400))
	see(c.Post("/admin/books", ishaatest.Form("action", "delete")).Status(403)) // no token
	see(post(t, c, "/admin/books/-/new", bookForm(author, "", "kind", "?", "price", "1.999", "printed", "?", "pages", "?", "appeared", "?", "meta", "{", "rating", "?")...).Status(422))
	see(post(t, c, "/admin/books/-/new", bookForm(Author{Model: orm.Model{ID: 99}}, "1", "pages", "0", "price", "1234567890")...).Status(422))
	see(post(t, c, "/admin/authors/-/new", "name", "12", "email", "1@2.3", "born", "1").Status(422))
	see(post(t, c, at, bookForm(author, "5", "_state", "0", "i.chapters.n", "1", "i.chapters.0.title", "6")...).Status(409))
	see(post(t, c, at, bookForm(author, "5")...).Redirect("/admin/books").Follow())
	see(c.Get("/admin/").Status(200)) // with the change in its log
	see(post(t, c, "/admin/books").Redirect("/admin/books").Follow())
	for _, action := range []string{"delete", "do-Reprint", "do-Print~20all", "do-Nothing"} {
		res := post(t, c, "/admin/books", "action", action, "key", fmt.Sprint(books[0].ID), "key", fmt.Sprint(books[1].ID))
		if res.Code() == 303 {
			res = res.Follow()
		}
		see(res.Status(200))
	}
	job := post(t, c, "/admin/books", "action", "do-Print~20all", "all", "1", "confirm", "1").Status(303).Headers().Get("Location")
	head := "title,author_id,kind,price,pages,rating,owner\n"
	row := func(pages string) string { return fmt.Sprintf("7,%d,essay,1.50,%s,1,8\n", author.ID, pages) }
	see(upload(t, c, "rows", "x.csv", head+row("1")+row("0")+"99,,,,,,\n").Status(422))
	see(upload(t, c, "check", "x.csv", head+row("1")).Status(200))
	see(upload(t, c, "all", "x.csv", head+row("1")).Status(200))
	for _, file := range []string{"", "title,title\n1,2\n", "title,3\n1,2\n", "title,pages\n1\n", "title\n\"", "[{]", "[{"} {
		see(upload(t, c, "all", "x", file).Status(422))
	}
	large := upload(t, c, "rows", "x.csv", head+strings.Repeat(row("1")+row("0"), 40)).Status(303).Headers().Get("Location")
	see(post(t, c, "/admin/-/password", "password", "wrong", "new", "x").Status(422))
	see(post(t, c, "/admin/-/password", "password", password, "new", "x").Status(422))
	for _, path := range []string{job, large} {
		deadline := time.Now().Add(time.Minute)
		res := c.Get(path).Status(200)
		for see(res); !strings.Contains(res.Text(), `data-status="completed"`); res = c.Get(path).Status(200) {
			if time.Now().After(deadline) {
				t.Fatalf("the job is not done: %s", res.Text())
			}
			time.Sleep(20 * time.Millisecond) // between two looks
		}
		see(res)
	}
	see(post(t, c, at+"/delete").Redirect("/admin/books").Follow())
	reader := l.signIn(t, "8")
	see(reader.Get(fmt.Sprintf("/admin/books/%d", books[1].ID)).Status(200))
	see(reader.Get("/admin/books/-/new").Status(403))

	seen := map[string]bool{}
	for _, res := range pages {
		for _, text := range untranslated(t, res.Text()) {
			if !seen[text] {
				t.Errorf("%s shows %q", res.Path(), text)
			}
			seen[text] = true
		}
	}
	if len(asked) < 150 {
		t.Errorf("only %d texts were asked for", len(asked))
	}
}
