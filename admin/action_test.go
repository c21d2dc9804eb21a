package admin_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
)

func TestBulkAction(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	a, b, other := l.book(t, ann, "A"), l.book(t, ann, "B"), l.book(t, ann, "Other")
	c := l.signIn(t, "editor")
	post(t, c, "/admin/books", "action", "do-Reprint", "key", fmt.Sprint(a.ID), "key", fmt.Sprint(b.ID), "_query", "q=x").Redirect("/admin/books?q=x").Follow().HTML("Reprint: 2 Books.")
	post(t, c, "/admin/books", "action", "do-Reprint", "all", "1", "_query", "q=Other").Redirect("/admin/books?q=Other")
	for id, want := range map[int64]int{a.ID: 1, b.ID: 1, other.ID: 1} {
		if got, err := orm.Of[Book](l.db).Get(t.Context(), id); got.Reprinted != want || err != nil {
			t.Errorf("%s was reprinted %d times, want %d (%v)", got.Title, got.Reprinted, want, err)
		}
	}
	list := entries(t, l)
	if len(list) != 3 || list[0].Action != "Reprint" || fmt.Sprint(list[0].Changes.V) != "[{reprinted 0 1}]" {
		t.Errorf("the log is %+v", list)
	}
	post(t, c, "/admin/books", "action", "do-Reprint", "key", fmt.Sprint(a.ID), "key", "777").Status(404)
	if got, err := orm.Of[Book](l.db).Get(t.Context(), a.ID); got.Reprinted != 1 || err != nil {
		t.Errorf("half of an action was done: %+v (%v)", got, err)
	}
	post(t, c, "/admin/books", "action", "do-Reprint").Redirect("/admin/books").Follow().HTML("Choose rows first.")
	post(t, c, "/admin/books", "action", "do-Nothing", "key", "1").Redirect("/admin/books").Follow().HTML("Choose what to do.")
}

func TestBulkDelete(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	a, b, kept := l.book(t, ann, "A"), l.book(t, ann, "B"), l.book(t, ann, "Kept")
	c := l.signIn(t, "editor")
	keys := []string{"action", "delete", "key", fmt.Sprint(a.ID), "key", fmt.Sprint(b.ID)}
	post(t, c, "/admin/books", keys...).Status(200).HTML("Delete 2 Books?", "<li>A</li>", "<li>B</li>")
	if countBooks(t, l) != 3 {
		t.Fatal("asking deletes")
	}
	post(t, c, "/admin/books", append(keys, "confirm", "1")...).Redirect("/admin/books")
	if got, err := orm.Of[Book](l.db).Query().One(t.Context()); got.ID != kept.ID || err != nil {
		t.Errorf("what is left is %+v (%v)", got, err)
	}
}

var jobAt = regexp.MustCompile(`/admin/-/jobs/\d+`)

// An action that takes long is a job: each row once, bad rows told, progress for who may see it.
func TestBackgroundAction(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	for i := range 30 {
		title := fmt.Sprintf("Book %d", i)
		if i == 7 {
			title = "Unprintable"
		}
		l.book(t, ann, title)
	}
	bo := l.author(t, "Bo Ek")
	kept := l.book(t, bo, "Not asked for")
	c := l.signIn(t, "editor")
	form := []string{"action", "do-Print~20all", "all", "1", "_query", "f.author_id=" + fmt.Sprint(ann.ID)}
	post(t, c, "/admin/books", form...).Status(200).HTML("Print them now?", `name="confirm"`)
	if err := l.queue.Pause(t.Context(), "*"); err != nil { // to see the job wait
		t.Fatal(err)
	}
	at := post(t, c, "/admin/books", append(form, "confirm", "1")...).Status(303).Headers().Get("Location")
	if !jobAt.MatchString(at) {
		t.Fatalf("it leads to %q", at)
	}
	c.Get(at).Status(200).HTML("Waiting for its turn", `hx-get="`+at+`"`, `hx-trigger="every 1s"`, `http-equiv="refresh"`)
	if err := l.queue.Resume(t.Context(), "*"); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		page := c.Get(at).Status(200).Text()
		if strings.Contains(page, `data-status="completed"`) {
			c.Get(at).HTML("Done: 29 rows.", "Failed: 1 rows.", "nobody can print this", `value="100"`)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the job is not done: %s", page)
		}
		time.Sleep(20 * time.Millisecond) // between two looks
	}
	if n, err := orm.Of[Book](l.db).Filter("printed", true).Count(t.Context()); n != 29 || err != nil {
		t.Errorf("%d books are printed (%v)", n, err)
	}
	if b, err := orm.Of[Book](l.db).Get(t.Context(), kept.ID); b.Printed || err != nil {
		t.Errorf("a book that the list did not show was printed (%v)", err)
	}
	n, err := orm.Of[admin.Entry](l.db).Filter("action", "Print all", "name", "editor", "job__gt", 0).Count(t.Context())
	if n != 29 || err != nil {
		t.Errorf("the log has %d entries (%v)", n, err)
	}
	part := c.Get(at, ishaatest.Header("HX-Request", "true")).Status(200).Text()
	if strings.Contains(part, "<html") || !strings.Contains(part, "<progress") {
		t.Errorf("the part is %q", part)
	}
	l.signIn(t, "reader").Get(at).Status(404)
	l.signIn(t, "admin").Get(at).Status(200)
	c.Get("/admin/-/jobs/9999").Status(404)
}
