package admin_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
)

var rowLink = regexp.MustCompile(`<a href="/admin/books/(\d+)" data-row`)

// rowsOn are the keys of the rows that a page shows, in their order.
func rowsOn(page string) []string {
	var keys []string
	for _, m := range rowLink.FindAllStringSubmatch(page, -1) {
		keys = append(keys, m[1])
	}
	return keys
}

var nextLink = regexp.MustCompile(`rel="(next|prev)" href="([^"]+)"`)

func link(page, rel string) string {
	for _, m := range nextLink.FindAllStringSubmatch(page, -1) {
		if m[1] == rel {
			return strings.ReplaceAll(m[2], "&amp;", "&")
		}
	}
	return ""
}

func TestListShowsEachRowOnce(t *testing.T) {
	l := newLibrary(t, func(_ *admin.Options, books *[]admin.Option) { *books = append(*books, admin.PageSize(10)) })
	_, _ = l.fill(t)
	c := l.signIn(t, "reader")
	for _, query := range []string{"", "?sort=title", "?sort=-title", "?sort=price", "?q=a", "?f.kind=essay&sort=-title"} {
		t.Run(query, func(t *testing.T) {
			c := c.For(t)
			var forwards []string
			pages, at := 0, "/admin/books"+query
			last := ""
			for at != "" {
				page := c.Get(at).Status(200).Text()
				forwards = append(forwards, rowsOn(page)...)
				last, at = page, link(page, "next")
				if pages++; pages > 10 {
					t.Fatal("the pages do not end")
				}
			}
			sorted := slices.Clone(forwards)
			slices.Sort(sorted)
			if n := len(slices.Compact(sorted)); n != len(forwards) || n < 20 {
				t.Errorf("%d rows, %d different ones", len(forwards), n)
			}
			backwards := rowsOn(last)
			for at := link(last, "prev"); at != ""; {
				page := c.Get(at).Status(200).Text()
				backwards = append(rowsOn(page), backwards...)
				at = link(page, "prev")
			}
			if !slices.Equal(forwards, backwards) {
				t.Errorf("forwards %v, backwards %v", forwards, backwards)
			}
		})
	}
}

func TestListFinds(t *testing.T) {
	l := newLibrary(t)
	ann, bo := l.author(t, "Ann Lee"), l.author(t, "Bo 100%")
	first := l.book(t, ann, "First_one")
	second := l.book(t, bo, "Second")
	second.Kind, second.Printed, second.Price, second.Blurb = "poems", true, "20.00", "About 50% of it"
	if err := orm.Of[Book](l.db).Save(t.Context(), &second); err != nil {
		t.Fatal(err)
	}
	c := l.signIn(t, "reader")
	one, two := fmt.Sprint(first.ID), fmt.Sprint(second.ID)
	for query, want := range map[string][]string{
		"q=first":                          {one},
		"q=FIRST+lee":                      {one},
		"q=first+bo":                       nil,
		"q=%25":                            {two}, // of "Bo 100%", literally
		"q=t_o":                            {one},
		"q=tzo":                            nil,
		"f.kind=poems":                     {two},
		"f.printed=false":                  {one},
		"f.price.min=12.50&f.price.max=13": {one},
		"f.price.min=cheap":                {two, one},
		"f.blurb=50%25":                    {two},
		"f.appeared.min=2001-01-01":        nil,
		"f.author_id=" + fmt.Sprint(bo.ID): {two},
		"f.author_id=nobody":               {two, one},
		"f.code=s3cr3t-code":               {two, one}, // no filter, so it says nothing of what is secret
		"f.kind=" + url.QueryEscape("' OR 1=1 --"): {two, one},
		"q=" + url.QueryEscape("' OR '1'='1"):      nil,
	} {
		if got := rowsOn(c.Get("/admin/books?" + query).Status(200).Text()); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	if n := strings.Count(c.Get("/admin/authors?q=ann.l").Status(200).Text(), "data-row"); n != 1 {
		t.Errorf("the beginning of an address finds %d rows", n)
	}
	if n := strings.Count(c.Get("/admin/authors?q=n.lee@").Status(200).Text(), "data-row"); n != 0 {
		t.Errorf("the middle of an address finds %d rows", n)
	}
	for _, sort := range []string{"code", "-code", "blurb", "nothing", "id;drop"} {
		c.Get("/admin/books?sort=" + url.QueryEscape(sort)).Status(400)
	}
	c.Get("/admin/books?after=nonsense").Redirect("/admin/books")
	c.Get("/admin/nothing").Status(404)
	c.Get("/admin/books/77").Status(404)
	c.Get("/admin/books/no-key").Status(404)
	c.Get("/admin/books/~zz").Status(404)
	c.Get("/admin/loans").Status(404) // known to the ORM, not to the panel
}

func TestListGivesParts(t *testing.T) {
	l := newLibrary(t)
	l.book(t, l.author(t, "Ann Lee"), "First")
	c := l.signIn(t, "reader")
	res := c.Get("/admin/books?q=first", ishaatest.Header("HX-Request", "true"), ishaatest.Header("HX-Target", "results")).Status(200).Header("X-Admin", "part")
	if page := res.Text(); strings.Contains(page, "<html") || !strings.Contains(page, "data-row") {
		t.Errorf("the part is %q", page)
	}
}

func TestRegisterSaysWhatIsWrong(t *testing.T) {
	l := newLibrary(t)
	for name, test := range map[string]struct {
		options []admin.Option
		want    string
	}{
		"a field":      {[]admin.Option{admin.List("Nam")}, `Author has no field "Nam"; did you mean "Name"?`},
		"a search":     {[]admin.Option{admin.Search("Books.Titel")}, "books.Titel"},
		"its kind":     {[]admin.Option{admin.Search("Created_at")}, "Created_at"},
		"page size":    {[]admin.Option{admin.PageSize(0)}, "PageSize(0)"},
		"an inline":    {[]admin.Option{admin.Inline[Label]()}, "Label has no single key of a Author"},
		"a title":      {[]admin.Option{admin.Title(func(*Book) string { return "" })}, "another model than Author"},
		"secret shown": {[]admin.Option{admin.Secret("Email"), admin.List("Email")}, "Author.Email is secret"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				message := fmt.Sprint(recover())
				if !strings.Contains(message, "list_test.go:") || !strings.Contains(strings.ReplaceAll(message, "__", "."), test.want) {
					t.Errorf("Register says %q, want %q", message, test.want)
				}
			}()
			admin.Register[Author](admin.New(l.db, admin.Options{}), test.options...)
		})
	}
}
