//go:build unix

package admin_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/internal/browsertest"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/orm"
)

// full is a library with something on each of its shelves.
func (l *library) fill(t testing.TB) (Author, Book) {
	t.Helper()
	var ann Author
	var first Book
	names := []string{"Ann Lee", "Bo Ek", "Chidi Anozie", "Dora Maar", "Émile Žitnik"}
	titles := []string{"The lighthouse at noon", "Salt", "Notes on leaving", "A house of cards", "Winter grammar", "Small rivers"}
	kinds := []string{"novel", "essay", "poems"}
	for i, name := range names {
		a := l.author(t, name)
		if i == 0 {
			ann = a
		}
		for j := range 14 {
			when := time.Date(2001+j, 3, 1+i, 9, 30, 0, 0, time.UTC)
			b, err := orm.Of[Book](l.db).Create(t.Context(), Book{
				Title: fmt.Sprintf("%s %d", titles[(i+j)%len(titles)], j+1), AuthorID: a.ID, Kind: kinds[(i+j)%3], Price: orm.Decimal(fmt.Sprintf("%d.50", 8+j)),
				Pages: 80 + 10*j, Printed: j%3 == 0, Appeared: &when, Owner: "house", Blurb: "A quiet book about weather.",
			})
			if err != nil {
				t.Fatal(err)
			}
			if first.ID == 0 {
				first = b
			}
		}
	}
	for i := range 3 {
		if _, err := orm.Of[Chapter](l.db).Create(t.Context(), Chapter{BookID: first.ID, Title: fmt.Sprintf("Chapter %d", i+1), Number: i + 1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"classic", "debut", "translated"} {
		if _, err := orm.Of[Label](l.db).Create(t.Context(), Label{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	return ann, first
}

func serve(t *testing.T, l *library) string {
	t.Helper()
	l.client.Get("/admin/-/sign-in") // starts the application, which the client stops
	server := httptest.NewServer(l.app)
	t.Cleanup(server.Close)
	return server.URL
}

// look takes pictures, and checks that nothing is wider than the window.
func look(t *testing.T, page *browsertest.Page, name string) {
	t.Helper()
	views := []browsertest.View{browsertest.Phone.InDark(), browsertest.Wide}
	if os.Getenv(browsertest.Folder) != "" {
		views = append(views, browsertest.Phone, browsertest.Wide.InDark(), browsertest.Wide)
	}
	for _, view := range views {
		page.Look(view)
		if wider := page.Eval(`document.documentElement.scrollWidth > innerWidth`); wider != false {
			t.Errorf("%s is wider than the %s window", name, view)
		}
		page.Screenshot(name)
	}
}

func signIn(t *testing.T, page *browsertest.Page, base, role string) {
	t.Helper()
	page.Goto(base + "/admin/books")
	page.Type("#name", role)
	page.Type("#password", password)
	if status := page.Navigate(func() { page.Click("#sign-in") }); status != 200 || page.Text("h1") != "Books" {
		t.Fatalf("signing in leads to %d %q", status, page.Text("h1"))
	}
}

// browse searches while typing, filters, sorts and turns pages, all without loading the page again. The list has two pages,
// and so many rows on the second one.
func browse(t *testing.T, page *browsertest.Page, second int) {
	t.Helper()
	titles := func() any {
		return page.Eval(`[...document.querySelectorAll("[data-row]")].map(a => a.textContent).join("\n")`)
	}
	printed := func(value string) {
		page.Eval(fmt.Sprintf(`(() => { const s = document.getElementById("f.printed"); s.value = %q; s.dispatchEvent(new Event("change", {bubbles: true})); })()`, value))
	}
	page.Eval(`window.same = true`)
	page.Type("#q", "grammar")
	page.WaitFor(`document.querySelectorAll("[data-row]").length == 12 && location.search == "?q=grammar"`)
	page.Click(".filters summary")
	printed("true")
	page.WaitFor(`new URLSearchParams(location.search).get("f.printed") == "true" && document.querySelectorAll("[data-row]").length > 0 && document.querySelectorAll("[data-row]").length < 12`)
	printed("")
	page.Type("#q", "")
	page.Press("Backspace")
	page.WaitFor(`document.querySelectorAll("[data-row]").length == 50`)
	page.Click(`th a[href*="sort=title"]`)
	page.WaitFor(`document.querySelector("th[aria-sort=ascending]") && document.querySelector("[data-row]").textContent.startsWith("A house")`)
	before := titles()
	page.Click(`a[rel="next"]`)
	page.WaitFor(fmt.Sprintf(`document.querySelectorAll("[data-row]").length == %d && location.search.includes("after=")`, second))
	page.Click(`a[rel="prev"]`)
	page.WaitFor(`document.querySelectorAll("[data-row]").length == 50`)
	if titles() != before || page.Eval(`window.same`) != true {
		t.Error("paging back shows other rows, or the page was loaded again")
	}
}

// axe reports what axe-core finds serious.
func axe(t *testing.T, page *browsertest.Page, source, name string) {
	t.Helper()
	page.Eval(source + "; 0")
	found := page.Eval(`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.filter(v => v.impact == "serious" || v.impact == "critical").map(v => v.id + ": " + v.help + " " + v.nodes.map(n => n.target.join(" ") + " " + (n.failureSummary || "")).join(" | ")))`)
	for _, v := range found.([]any) {
		t.Errorf("%s: %v", name, v)
	}
}

func axeSource(t *testing.T) string {
	t.Helper()
	node, env := testenv.NodeWith(t, "axe-core")
	cmd := exec.Command(node, "-e", `process.stdout.write(require("axe-core").source)`)
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Every page, light and dark, wide and on a phone: what they look like, and whether axe-core finds anything serious.
func TestPagesAreAccessible(t *testing.T) {
	testenv.Browser(t)
	source := axeSource(t)
	l := newLibrary(t)
	ann, first := l.fill(t)
	for i := range 70 { // so that authors are searched for, not listed
		l.author(t, fmt.Sprintf("Writer %02d", i))
	}
	base := serve(t, l)
	page := browsertest.Launch(t).Open(t, browsertest.Wide)
	page.Goto(base + "/admin/")
	look(t, page, "sign-in")
	axe(t, page, source, "sign-in")
	signIn(t, page, base, "admin")
	book := fmt.Sprintf("%s/admin/books/%d", base, first.ID)
	page.Goto(book)
	page.Type(`[name="title"]`, "The lighthouse at dusk")
	page.Navigate(func() { page.Click("[data-save]") })
	for name, at := range map[string]string{
		"home": base + "/admin/", "list": base + "/admin/books?sort=title", "list-filtered": base + "/admin/books?f.kind=essay&q=salt", "list-empty": base + "/admin/books?q=nothing+like+it",
		"form": book, "new": base + "/admin/books/-/new", "delete": fmt.Sprintf("%s/admin/authors/%d/delete", base, ann.ID), "import": base + "/admin/books/-/import",
		"log": base + "/admin/-/log", "history": book + "/log", "password": base + "/admin/-/password",
	} {
		if status := page.Goto(at); status != 200 {
			t.Errorf("%s: %d", at, status)
		}
		page.Eval(`document.querySelectorAll(".log details").forEach(d => d.open = true)`)
		look(t, page, name)
		for _, view := range []browsertest.View{browsertest.Wide, browsertest.Phone.InDark()} {
			page.Look(view)
			axe(t, page, source, name+" "+view.String())
		}
		page.Look(browsertest.Wide)
	}
	page.Goto(base + "/admin/books/-/new")
	page.Navigate(func() { page.Click("[data-save]") })
	look(t, page, "form-mistakes")
	axe(t, page, source, "form with mistakes")
	page.Goto(base + "/admin/books/77777")
	look(t, page, "missing")
	axe(t, page, source, "missing")
}

// An editor's day, with scripts.
func TestInBrowser(t *testing.T) {
	testenv.Browser(t)
	l := newLibrary(t, func(o *admin.Options, _ *[]admin.Option) { o.LargeImport = 64 << 10 })
	ann, first := l.fill(t)
	for i := range 70 {
		l.author(t, fmt.Sprintf("Writer %02d", i))
	}
	base := serve(t, l)
	browser := browsertest.Launch(t)
	page := browser.Open(t, browsertest.Wide)
	signIn(t, page, base, "admin")
	browse(t, page, 20)

	// The keyboard.
	key := func(name string) {
		t.Helper()
		page.Eval(fmt.Sprintf(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true}))`, name))
	}
	page.Eval(`document.activeElement.blur()`)
	key("/")
	if page.Eval(`document.activeElement.id`) != "q" {
		t.Error("the slash does not lead to the search")
	}
	page.Eval(`document.activeElement.blur()`)
	key("j")
	key("j")
	key("x")
	if got := page.Eval(`[...document.querySelectorAll('input[name="key"]')].findIndex(b => b.checked)`); got != 1.0 {
		t.Errorf("j, j and x choose row %v", got)
	}
	if got := page.Text("[data-chosen-count]"); got != "1 chosen" {
		t.Errorf("the count says %q", got)
	}
	key("?")
	page.WaitFor(`document.getElementById("keys").open`)
	page.Press("Escape")

	// A new row, with a mistake and its correction; a related row that is searched for; children.
	page.Goto(base + "/admin/books/-/new")
	page.Type(`[name="title"]`, "Picked")
	page.Type(`#in-author_id`, "bo ek")
	page.WaitFor(`document.querySelectorAll(".picker li").length == 1 && document.querySelector(".picker li").textContent == "Bo Ek"`)
	page.Screenshot("picker")
	page.Press("ArrowDown")
	page.Press("Enter")
	page.Type(`[name="price"]`, "7.999")
	page.Type(`[name="pages"]`, "70")
	page.Type(`[name="rating"]`, "3")
	page.Click("[data-add]")
	page.Type(`[name="i.chapters.0.number"]`, "1")
	page.Type(`[name="i.chapters.0.title"]`, "In the beginning")
	key("n") // not a shortcut within a field
	for range 3 {
		page.Click("[data-add]")
	}
	page.Type(`[name="i.chapters.3.number"]`, "4")
	page.Type(`[name="i.chapters.3.title"]`, "In the end")
	page.Screenshot("new-filled")
	if status := page.Navigate(func() { page.Click("[data-save]") }); status != 422 {
		t.Fatalf("a price with three digits is answered by %d", status)
	}
	page.WaitFor(`document.querySelector("#in-author_id").value == "Bo Ek"`)
	page.Type(`[name="price"]`, "7.99")
	if status := page.Navigate(func() { page.Click("[data-save]") }); status != 200 || page.Text(".notice.success") != "Picked was added." {
		t.Fatalf("saving is answered by %d %q", status, page.Text("main"))
	}
	made, err := orm.Of[Book](l.db).With("Author", "Chapters").Filter("title", "Picked").One(t.Context())
	if err != nil || made.Author.Get().Name != "Bo Ek" || made.Price != "7.99" || made.Chapters.Len() != 2 || made.Chapters.All()[0].Title != "In the beginning" {
		t.Errorf("the new book is %+v (%v)", made, err)
	}

	// An action that takes long.
	page.Goto(base + "/admin/books?f.author_id=" + fmt.Sprint(ann.ID))
	page.Click("[data-all]")
	page.Eval(`document.getElementById("action").value = "do-Print~20all"`)
	page.Navigate(func() { page.Click("[data-go]") })
	page.Screenshot("confirm")
	page.Navigate(func() { page.Click("[data-confirm]") })
	page.WaitFor(`document.querySelector("#job").dataset.status == "completed" && document.querySelector("progress").value == 100`)
	look(t, page, "job")
	if got := page.Text(".job-line"); got != "Done: 14 rows." {
		t.Errorf("the job says %q", got)
	}

	// Deleting, exporting, importing.
	page.Goto(fmt.Sprintf("%s/admin/books/%d", base, first.ID))
	page.Navigate(func() { page.Click(".save-bar .danger") })
	if got := page.Text(".goes"); !strings.Contains(got, "3 Chapters") {
		t.Errorf("the preview says %q", got)
	}
	page.Navigate(func() { page.Click("[data-confirm]") })
	csv := page.Eval(`fetch("/admin/books/-/export?format=csv&q=Salt").then(r => r.text())`).(string)
	file := filepath.Join(t.TempDir(), "books.csv")
	if err := os.WriteFile(file, []byte(strings.Replace(csv, ",essay,", ",song,", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	page.Goto(base + "/admin/books/-/import")
	page.Choose("#file", file)
	if status := page.Navigate(func() { page.Click("[data-save]") }); status != 422 {
		t.Errorf("a file with a bad row is answered by %d", status)
	}
	look(t, page, "import-bad")
	if got := page.Text("tbody tr"); !strings.Contains(got, "kind") || !strings.Contains(got, "is none of the choices") {
		t.Errorf("the bad row is %q", got)
	}

	// A large file is a job.
	many := "title,author_id,kind,price,pages,rating\n"
	for i := range 400 {
		many += fmt.Sprintf("%s %d,%d,essay,1,%d,1\n", strings.Repeat("Mass ", 36), i, ann.ID, i)
	}
	if err := os.WriteFile(file, []byte(many), 0o600); err != nil {
		t.Fatal(err)
	}
	page.Goto(base + "/admin/books/-/import")
	page.Choose("#file", file)
	page.Click(`[name="mode"][value="rows"]`)
	page.Navigate(func() { page.Click("[data-save]") })
	page.WaitFor(`document.querySelector("#job").dataset.status == "completed" && document.querySelector("progress").value == 100`)
	look(t, page, "import-job")
	if got := page.Text("#job"); !strings.Contains(got, "Added: 399 · Changed: 0 · As before: 0 · Bad: 1") || !strings.Contains(got, "100 %") {
		t.Errorf("the import says %q", got)
	}

	// The colours, and signing out.
	page.Navigate(func() { page.Click(`.themes [value="dark"]`) })
	if page.Eval(`getComputedStyle(document.documentElement).colorScheme`) != "dark" {
		t.Error("the dark theme does not stay")
	}
	page.Click(".drop summary")
	page.Navigate(func() { page.Click("#sign-out") })
	if page.Eval(`location.pathname`) != "/admin/-/sign-in" {
		t.Errorf("signing out leads to %v", page.Eval(`location.pathname`))
	}

	// A session that ends while a list is open.
	signIn(t, page, base, "reader")
	if page.Eval(`document.querySelectorAll("[data-new], [data-go]").length`) != 0.0 {
		t.Error("a reader is shown what they may not do")
	}
	page.Eval(`fetch("/admin/-/sign-out", {method: "POST", headers: {"X-CSRF-Token": document.querySelector("[name=_token]").value}})`)
	page.Navigate(func() { page.Type("#q", "x") })
	page.Forgive() // 401, twice
	if page.Eval(`location.pathname`) != "/admin/-/sign-in" {
		t.Errorf("without a session the search leads to %v", page.Eval(`location.pathname`))
	}
}

// someBooks hides one book from all but admins, and lets nobody else change or delete another one.
func someBooks(o *admin.Options, _ *[]admin.Option) {
	roles := admin.DefaultRoles()
	o.Allow = func(ctx context.Context, ask admin.Ask) (bool, error) {
		if b, ok := ask.Row.(*Book); ok && !ask.Who.HasRole("admin") {
			if b.Title == "Unseen" || b.Title == "Untouched" && ask.Action != admin.View {
				return false, nil
			}
		}
		return roles.Allow(ctx, ask)
	}
}

// What an editor and a reader are shown, what they can do, and what answers them where they have no business.
func TestRolesInBrowser(t *testing.T) {
	testenv.Browser(t)
	l := newLibrary(t, someBooks)
	zoe := l.author(t, "Zoe Adler")
	unseen, untouched := l.book(t, zoe, "Unseen"), l.book(t, zoe, "Untouched")
	_, first := l.fill(t)
	base := serve(t, l)
	browser := browsertest.Launch(t)
	at := func(b Book, rest string) string { return fmt.Sprintf("%s/admin/books/%d%s", base, b.ID, rest) }
	list := base + "/admin/books"
	const changes = `.sheet input:not([type="hidden"]), .sheet select, .sheet textarea, [data-add], [data-save], .save-bar .danger`
	count := func(t *testing.T, page *browsertest.Page, selector string, want int) {
		t.Helper()
		if got := page.Eval(fmt.Sprintf(`document.querySelectorAll(%q).length`, selector)); got != float64(want) {
			t.Errorf("%v has %v of %s, want %d", page.Eval(`location.pathname`), got, selector, want)
		}
	}
	answers := func(t *testing.T, page *browsertest.Page, want int, addresses ...string) {
		t.Helper()
		for _, address := range addresses {
			if got := page.Goto(address); got != want || page.Text("h1") != map[int]string{403: "Not allowed", 404: "Not found"}[want] {
				t.Errorf("%s answers with %d %q, want %d", address, got, page.Text("h1"), want)
			}
		}
	}
	// A form that the page does not have, sent with the session's own token.
	forged := func(t *testing.T, page *browsertest.Page, want int, address, body string) {
		t.Helper()
		got := page.Eval(fmt.Sprintf(`fetch(%q, {method: "POST", redirect: "manual", headers: {"X-CSRF-Token": document.querySelector("[name=_token]").value}, body: new URLSearchParams(%q)}).then(r => r.status)`, address, body))
		if got != float64(want) {
			t.Errorf("%s takes %q with %v, want %d", address, body, got, want)
		}
		page.Forgive() // the browser's word on it
	}
	signOut := func(t *testing.T, page *browsertest.Page) {
		t.Helper()
		page.Goto(list)
		page.Click(".drop summary")
		page.Navigate(func() { page.Click("#sign-out") })
		page.Goto(list)
		if page.Eval(`location.pathname`) != "/admin/-/sign-in" {
			t.Errorf("after signing out the list leads to %v", page.Eval(`location.pathname`))
		}
	}

	t.Run("editor", func(t *testing.T) {
		page := browser.Open(t, browsertest.Wide)
		signIn(t, page, base, "editor")
		count(t, page, `[data-new]`, 1)
		count(t, page, `#action option`, 4) // the list's own text, two actions and Delete
		count(t, page, `[href$="/-/import"], [href$="/-/log"]`, 0)
		browse(t, page, 21)
		answers(t, page, 403, list+"/-/import", base+"/admin/-/log", at(untouched, "/delete"))
		answers(t, page, 404, at(unseen, ""), at(unseen, "/delete"), at(unseen, "/log"))
		page.Goto(at(untouched, ""))
		count(t, page, changes, 0)
		look(t, page, "form-locked")
		forged(t, page, 403, at(untouched, ""), "title=Touched")
		forged(t, page, 403, at(untouched, "/delete"), "")
		forged(t, page, 403, list, fmt.Sprintf("action=delete&confirm=1&key=%d&key=%d", first.ID, untouched.ID))
		forged(t, page, 404, list, fmt.Sprintf("action=do-Reprint&key=%d", unseen.ID))
		forged(t, page, 403, list, fmt.Sprintf("action=do-Reprint&key=%d", untouched.ID))

		// An edit with a mistake and its correction, and a child more.
		page.Goto(at(first, ""))
		page.Type(`[name="pages"]`, "0")
		page.Click("[data-add]")
		page.Type(`[name="i.chapters.3.number"]`, "4")
		page.Type(`[name="i.chapters.3.title"]`, "Afterword")
		if status := page.Navigate(func() { page.Click("[data-save]") }); status != 422 || !strings.HasPrefix(page.Text("#in-pages-wrong"), "Pages: ") {
			t.Fatalf("no pages are answered by %d", status)
		}
		page.Type(`[name="pages"]`, "81")
		if status := page.Navigate(func() { page.Click("[data-save]") }); status != 200 || page.Text(".notice.success") != first.Title+" was saved." {
			t.Fatalf("the correction is answered by %d %q", status, page.Text("main"))
		}
		// A new row, chosen in the list for an action.
		page.Navigate(func() { page.Click("[data-new]") })
		page.Type(`[name="title"]`, "By an editor")
		page.Eval(`document.querySelector("#in-author_id").selectedIndex = 1`)
		for name, text := range map[string]string{"price": "3", "pages": "7", "rating": "1"} {
			page.Type(`[name="`+name+`"]`, text)
		}
		page.Navigate(func() { page.Click("[data-save]") })
		page.Click(`tbody input[name="key"]`) // the newest is on top
		page.Eval(`document.getElementById("action").value = "do-Reprint"`)
		page.Navigate(func() { page.Click("[data-go]") })
		if got := page.Text(".notice.success"); got != "Reprint: 1 Books." {
			t.Errorf("the action says %q", got)
		}
		made, err := orm.Of[Book](l.db).Filter("title", "By an editor").One(t.Context())
		if err != nil || made.Reprinted != 1 {
			t.Errorf("the new book is %+v (%v)", made, err)
		}
		// The others by a job; one of them may not be changed.
		page.Goto(list + "?q=adler")
		page.Click("[data-all]")
		page.Eval(`document.getElementById("action").value = "do-Print~20all"`)
		page.Navigate(func() { page.Click("[data-go]") })
		page.Navigate(func() { page.Click("[data-confirm]") })
		page.WaitFor(`document.querySelector("#job").dataset.status == "completed"`)
		if got := page.Text("#job"); !strings.Contains(got, "Done: 0 rows. Failed: 1 rows.") || !strings.Contains(got, "You may not do this to Untouched.") {
			t.Errorf("the job says %q", got)
		}
		page.Goto(at(made, "/log"))
		if got := page.Text(".log"); !strings.Contains(got, "Create") || !strings.Contains(got, "Reprint") {
			t.Errorf("the history says %q", got)
		}
		page.Goto(at(made, ""))
		page.Navigate(func() { page.Click(".save-bar .danger") })
		page.Navigate(func() { page.Click("[data-confirm]") })
		if got := page.Text(".notice.success"); got != "By an editor was deleted." {
			t.Errorf("deleting says %q", got)
		}
		signOut(t, page)
	})

	t.Run("reader", func(t *testing.T) {
		page := browser.Open(t, browsertest.Wide)
		signIn(t, page, base, "reader")
		const acts = `[data-new], [data-go], [name="key"], [href$="/-/import"], [href$="/-/new"], [href$="/-/log"]`
		count(t, page, acts, 0)
		browse(t, page, 21)
		look(t, page, "list-reader")
		page.Navigate(func() { page.Click("[data-row]") })
		count(t, page, changes, 0)
		look(t, page, "form-reader")
		page.Goto(base + "/admin/")
		count(t, page, acts, 0)
		answers(t, page, 403, list+"/-/new", list+"/-/import", at(first, "/delete"), base+"/admin/-/log")
		answers(t, page, 404, at(unseen, ""), at(unseen, "/log"))
		look(t, page, "refused")
		forged(t, page, 403, list+"/-/new", "title=Mine")
		forged(t, page, 403, at(first, ""), "title=Mine")
		forged(t, page, 403, at(first, ""), "title=Mine&_copy=1")
		forged(t, page, 403, at(first, "/delete"), "")
		forged(t, page, 403, list, fmt.Sprintf("action=do-Reprint&key=%d", first.ID))
		forged(t, page, 403, list, fmt.Sprintf("action=delete&confirm=1&key=%d", first.ID))
		forged(t, page, 403, list+"/-/import", "mode=all")
		page.Goto(list)
		file := page.Eval(`fetch(document.querySelector(".exports a").href).then(r => r.text())`).(string)
		if n := strings.Count(file, "\n"); n != 71 || strings.Contains(file, "Unseen") || strings.Contains(file, "Untouched") {
			t.Errorf("the export has %d lines:\n%s", n, file)
		}
		signOut(t, page)
	})

	for _, b := range []Book{unseen, untouched} {
		if now, err := orm.Of[Book](l.db).Get(t.Context(), b.ID); err != nil || now.Title != b.Title || now.Printed || now.Reprinted != 0 {
			t.Errorf("%s became %+v (%v)", b.Title, now, err)
		}
	}
	if now, err := orm.Of[Book](l.db).With("Chapters").Filter("id", first.ID).One(t.Context()); err != nil || now.Title != first.Title || now.Pages != 81 || now.Chapters.Len() != 4 {
		t.Errorf("the first book became %+v (%v)", now, err)
	}
}
