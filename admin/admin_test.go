package admin_test

import (
	"fmt"
	"testing"

	"github.com/ishaa-framework/ishaa/orm"
)

func TestPages(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	b := l.book(t, ann, "First book")
	c := l.signIn(t, "admin")
	for _, path := range []string{"/admin/", "/admin/books", "/admin/books/-/new", fmt.Sprintf("/admin/books/%d", b.ID), fmt.Sprintf("/admin/books/%d/delete", b.ID),
		fmt.Sprintf("/admin/books/%d/log", b.ID), "/admin/books/-/import", "/admin/-/log", "/admin/-/password", "/admin/authors?q=ann", "/admin/books?q=fir+lee&f.kind=novel&f.price.min=3&sort=-price"} {
		t.Run(path, func(t *testing.T) { c.For(t).Get(path).Status(200) })
	}
	c.Get("/admin/books/-/pick?q=fir").Status(200).Contains("First book")
	c.Get("/admin/books/-/export?format=csv").Status(200).Contains("First book")
	c.Get("/admin/books/-/export?format=json").Status(200).Contains("First book")
	post(t, c, "/admin/books/-/new", bookForm(ann, "Second")...).Redirect("/admin/books")
	n, err := orm.Of[Book](l.db).Count(t.Context())
	if n != 2 || err != nil {
		t.Fatal(n, err)
	}
}
