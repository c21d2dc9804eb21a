//go:build unix

package admin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/browsertest"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/orm"
)

// listWithoutScripts searches, filters, sorts and turns pages by forms and links alone. Each keeps what the others ask for.
func listWithoutScripts(t *testing.T, page *browsertest.Page, base string, ann Author) {
	t.Helper()
	titles := func(want int) []string {
		t.Helper()
		var list []string
		for _, title := range page.Eval(`[...document.querySelectorAll("[data-row]")].map(a => a.textContent)`).([]any) {
			list = append(list, title.(string))
		}
		if len(list) != want {
			t.Errorf("%v shows %d rows, want %d: %q", page.Eval(`location.search`), len(list), want, list)
		}
		return list
	}
	apply := func() { t.Helper(); page.Navigate(func() { page.Click(".filter-end button") }) }
	sort := func() {
		t.Helper()
		page.Navigate(func() { page.Click(`th a[href*="sort=title"], th a[href*="sort=-title"]`) })
	}

	page.Type("#q", "grammar")
	page.Navigate(func() { page.Press("Enter") })
	for _, title := range titles(12) {
		if !strings.HasPrefix(title, "Winter grammar ") {
			t.Errorf("grammar is searched for, and %q is found", title)
		}
	}
	page.Goto(base + "/admin/books")
	sort()
	up := titles(50)
	page.Navigate(func() { page.Click(`a[rel="next"]`) })
	up = append(up, titles(20)...)
	page.Navigate(func() { page.Click(`a[rel="prev"]`) })
	titles(50)
	sort()
	down := titles(50)
	page.Navigate(func() { page.Click(`a[rel="next"]`) })
	down = append(down, titles(20)...)
	slices.Reverse(down)
	if !slices.IsSorted(up) || !slices.Equal(up, down) {
		t.Errorf("sorted, the titles are %q, and backwards %q", up, down)
	}

	page.Goto(base + "/admin/books")
	page.Click(".filters summary")
	page.Eval(`document.getElementById("f.printed").value = "true"`)
	page.Type(`[name="f.price.min"]`, "10")
	page.Type(`[name="f.price.max"]`, "16")
	apply()
	titles(10) // two of each author
	if got := page.Text(".filters summary .count"); got != "2" {
		t.Errorf("%q filters are said to be in force", got)
	}
	sort()
	if list := titles(10); !slices.IsSorted(list) {
		t.Errorf("filtered and sorted, the titles are %q", list)
	}
	page.Type("#q", "winter")
	page.Navigate(func() { page.Press("Enter") })
	if got, want := titles(2), []string{"Winter grammar 4", "Winter grammar 7"}; !slices.Equal(got, want) {
		t.Errorf("filtered, sorted and searched, the titles are %q, want %q", got, want)
	}
	look(t, page, "no-scripts-list")
	page.Navigate(func() { page.Click(".filter-end a") })
	titles(50)
	page.Click(".filters summary")
	page.Type(`[name="f.author_id"]`, fmt.Sprint(ann.ID))
	apply()
	titles(14)
	page.Type(`[name="f.author_id"]`, "nobody")
	apply()
	if page.Text(".filters .mistake") == "" {
		t.Error("a filter that cannot be read says nothing")
	}
}

// The same without scripts: list, search, filter, sort, page, form, choice of a related row, delete.
func TestInBrowserWithoutScripts(t *testing.T) {
	testenv.Browser(t)
	l := newLibrary(t)
	ann, first := l.fill(t)
	base := serve(t, l)
	page := browsertest.Launch(t).Open(t, browsertest.Phone)
	page.Scripts(false)
	signIn(t, page, base, "editor")
	if page.Eval(`typeof htmx + typeof Alpine`) != "undefinedundefined" {
		t.Fatal("scripts run")
	}
	listWithoutScripts(t, page, base, ann)
	page.Goto(base + "/admin/books")
	page.Navigate(func() { page.Click(`[data-new]`) })
	page.Type(`[name="title"]`, "Without scripts")
	page.Eval(`document.querySelector("#in-author_id").selectedIndex = 2`)
	page.Type(`[name="pages"]`, "70")
	page.Type(`[name="rating"]`, "1")
	page.Type(`[name="i.chapters.1.number"]`, "1")
	page.Type(`[name="i.chapters.1.title"]`, "The only one")
	if status := page.Navigate(func() { page.Click("[data-save]") }); status != 422 || page.Text("#in-price-wrong") != "Price: is required" {
		t.Fatalf("a form without a price is answered by %d", status)
	}
	page.Type(`[name="price"]`, "1")
	page.Navigate(func() { page.Click("[data-save]") })
	made, err := orm.Of[Book](l.db).With("Chapters").Filter("title", "Without scripts").One(t.Context())
	if err != nil || made.Chapters.Len() != 1 {
		t.Fatalf("the new book is %+v (%v)", made, err)
	}
	page.Goto(fmt.Sprintf("%s/admin/books/%d", base, first.ID))
	look(t, page, "no-scripts")
	page.Navigate(func() { page.Click(".save-bar .danger") })
	page.Navigate(func() { page.Click("[data-confirm]") })
	if page.Text(".notice") != "The lighthouse at noon 1 was deleted." {
		t.Errorf("the notice is %q", page.Text(".notice"))
	}
	page.Click(".drop summary")
	page.Navigate(func() { page.Click("#sign-out") })
	if page.Text("h1") != "Library" {
		t.Error("signing out does not lead to the sign-in page")
	}
}
