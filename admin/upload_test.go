package admin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
)

// A large file is imported by a job, which does what a request would have done, and leaves nothing of the file behind.
func TestLargeImport(t *testing.T) {
	l := newLibrary(t, func(o *admin.Options, _ *[]admin.Option) { o.LargeImport = 1 })
	ann := l.author(t, "Ann Lee")
	c := l.signIn(t, "admin")
	long := strings.Repeat("A long blurb, in several parts. ", 12_000)
	head := "title,author_id,kind,price,pages,rating,blurb\n"
	row := func(title, pages, blurb string) string {
		return fmt.Sprintf("%s,%d,essay,1.50,%s,1,%q\n", title, ann.ID, pages, blurb)
	}
	finished := func(c *ishaatest.Client, at string) *ishaatest.Result {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		for {
			res := c.Get(at).Status(200)
			if page := res.Text(); strings.Contains(page, `data-status="completed"`) || strings.Contains(page, `data-status="failed"`) {
				return res
			} else if time.Now().After(deadline) {
				t.Fatalf("the job is not done: %s", page)
			}
			time.Sleep(20 * time.Millisecond) // between two looks
		}
	}
	send := func(mode, file string) string {
		t.Helper()
		return upload(t, c, mode, "x.csv", file).Status(303).Headers().Get("Location")
	}
	for _, test := range []struct {
		mode, file string
		want       []string
		books      int64
	}{
		{"check", head + row("A", "10", "") + row("B", "20", long), []string{"Checked; nothing was changed", "Added: 2 · Changed: 0"}, 0},
		{"all", head + row("A", "10", "") + row("B", "0", ""), []string{"Nothing was changed", `<td class="number">3</td><td>pages</td>`}, 0},
		{"rows", head + row("A", "10", "") + row("B", "0", long) + row("C", "20", long), []string{"Imported", "Added: 2", "Bad: 1", `<td class="number">3</td><td>pages</td>`}, 2},
		{"all", head + row("D", "10", long), []string{"Imported", "Added: 1", "100 %"}, 3},
		{"all", "title,colour\na,b\n", []string{"“colour”"}, 3},
	} {
		at := send(test.mode, test.file)
		if !jobAt.MatchString(at) {
			t.Fatalf("it leads to %q", at)
		}
		finished(c, at).HTML(test.want...)
		if n := countBooks(t, l); n != test.books {
			t.Errorf("%s: %d books, want %d", test.mode, n, test.books)
		}
	}
	for _, title := range []string{"C", "D"} {
		if b, err := orm.Of[Book](l.db).Filter("title", title).One(t.Context()); err != nil || b.Blurb != long {
			t.Errorf("the blurb of %s has %d letters (%v)", title, len(b.Blurb), err)
		}
	}
	if n, err := orm.Of[admin.Entry](l.db).Filter("name", "admin", "action", "create", "job__gt", 0).Count(t.Context()); n != 3 || err != nil {
		t.Errorf("the log has %d entries (%v)", n, err)
	}

	// Who may not import any more when the job's turn comes, does not.
	if err := l.queue.Pause(t.Context(), "*"); err != nil {
		t.Fatal(err)
	}
	at := send("all", head+row("E", "10", ""))
	if _, err := orm.Of[admin.Account](l.db).Filter("name", "admin").Update(t.Context(), orm.Set{"roles": "editor"}); err != nil {
		t.Fatal(err)
	}
	if err := l.queue.Resume(t.Context(), "*"); err != nil {
		t.Fatal(err)
	}
	finished(c, at).HTML("It failed.")
	if n := countBooks(t, l); n != 3 {
		t.Errorf("%d books", n)
	}
	var parts int
	if err := l.db.SQL().QueryRowContext(t.Context(), "SELECT count(*) FROM admin_files").Scan(&parts); err != nil || parts != 0 {
		t.Errorf("%d parts of files are left (%v)", parts, err)
	}
	l.signIn(t, "reader").Get(at).Status(404)
}
