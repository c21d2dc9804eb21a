package admin_test

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	"github.com/ishaa-framework/ishaa/schema"
	"github.com/ishaa-framework/ishaa/tasks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A library: what the tests look after.

type Author struct {
	orm.Model
	Name  string `db:"size:120,index" minLength:"2"`
	Email string `db:"size:254,unique" format:"email" required:"true"`
	Born  *int   `minimum:"1000" maximum:"2030"`
	Books orm.Many[Book]
}

type Book struct {
	orm.Model
	Title     string `db:"size:200,index" required:"true" doc:"As it stands on the cover."`
	AuthorID  int64
	Author    orm.One[Author] `db:"on_delete:cascade"`
	Kind      string          `db:"size:20,enum:novel|essay|poems,default:novel"`
	Price     orm.Decimal     `db:"precision:8,scale:2"`
	Printed   bool
	Pages     int `minimum:"1" maximum:"10000"`
	Appeared  *time.Time
	Blurb     string                   `db:"null"`
	Meta      orm.JSON[map[string]any] `db:"null"`
	Code      string                   `db:"size:40" secret:"true"`
	Rating    float64
	Chapters  orm.Many[Chapter]
	Labels    orm.ManyToMany[Label] `db:"through:books_labels"`
	Owner     string                `db:"size:40"`
	Reprinted int
}

func (b *Book) Validate(context.Context) []schema.Violation {
	if b.Kind == "poems" && b.Pages > 500 {
		return []schema.Violation{{Pointer: "/pages", Rule: "pages", Message: "no book of poems has more than 500"}}
	}
	return nil
}

type Chapter struct {
	ID     int64
	BookID int64
	Book   orm.One[Book] `db:"on_delete:cascade"`
	Title  string        `db:"size:120" required:"true"`
	Number int           `minimum:"1"`
}

type Label struct {
	ID    int64
	Name  string `db:"size:60,unique"`
	Books orm.ManyToMany[Book]
}

// Loan keeps its book from being deleted.
type Loan struct {
	ID     int64
	BookID int64
	Book   orm.One[Book]
	Reader string `db:"size:60"`
}

type library struct {
	app    *ishaa.App
	db     *orm.DB
	panel  *admin.Panel
	queue  *tasks.TaskQueue
	client *ishaatest.Client
	clock  *ishaatest.Clock
}

var epoch = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

const password = "five words are enough here"

type setting func(*admin.Options, *[]admin.Option)

// newLibrary is a panel over an empty library, with an account for each of the roles.
func newLibrary(t testing.TB, settings ...setting) *library {
	return libraryOn(t, ormtest.New(t, ormtest.SQLite), settings...)
}

func libraryOn(t testing.TB, db *orm.DB, settings ...setting) *library {
	t.Helper()
	l := &library{app: ishaa.New("library", ishaa.Config{Logger: slog.New(slog.DiscardHandler)}), db: db, clock: ishaatest.NewClock(epoch)}
	if db.Dialect() != "mysql" {
		l.queue = tasks.New(db, tasks.Options{})
	}
	options := admin.Options{Queue: l.queue, Hasher: auth.NewHasher(auth.HasherOptions{Memory: 64, Passes: 1, Lanes: 1})}
	books := []admin.Option{
		admin.List("Title", "Author", "Kind", "Price", "Printed", "Appeared"), admin.Search("Title", "Author.Name"),
		admin.Filter("Kind", "Printed", "Price", "Appeared", "Author", "Blurb"), admin.Sort("Price"),
		admin.ReadOnly("Owner", "Reprinted"), admin.Inline[Chapter]("Number", "Title"),
		admin.Bulk("Reprint", func(ctx context.Context, tx *orm.Tx, b *Book) error {
			b.Reprinted++
			return orm.Of[Book](tx).Save(ctx, b)
		}, admin.BulkOptions{}),
	}
	if l.queue != nil {
		books = append(books, admin.Bulk("Print all", func(ctx context.Context, tx *orm.Tx, b *Book) error {
			if b.Title == "Unprintable" {
				return ishaa.Unprocessable("nobody can print this")
			}
			b.Printed = true
			return orm.Of[Book](tx).Save(ctx, b)
		}, admin.BulkOptions{Background: true, Confirm: "Print them now?"}))
	}
	for _, set := range settings {
		set(&options, &books)
	}
	l.panel = admin.New(db, options)
	admin.Register[Book](l.panel, books...)
	admin.Register[Author](l.panel, admin.List("Name", "Email", "Born"), admin.Search("Name", "^Email"))
	admin.Register[Label](l.panel)
	orm.Register[Loan](db)
	if l.queue != nil {
		l.app.Install(l.queue)
	}
	l.app.Install(l.panel)
	ctx := context.Background()
	if err := db.CreateTables(ctx); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"admin", "editor", "reader"} {
		if err := l.panel.SetAccount(ctx, role, password, role); err != nil {
			t.Fatal(err)
		}
	}
	l.client = ishaatest.New(t, l.app)
	return l
}

// fromPage is what browsers say of a form of the site's own.
var fromPage = []ishaatest.Setting{ishaatest.Header("Accept", "text/html"), ishaatest.Header("Sec-Fetch-Site", "same-origin")}

// signIn signs the client in, and says that its requests are a browser's for pages.
func (l *library) signIn(t testing.TB, role string) *ishaatest.Client {
	t.Helper()
	l.client.ClearCookies()
	l.client.For(t, fromPage...).Post("/admin/-/sign-in", ishaatest.Form("name", role, "password", password)).Redirect("/admin/")
	return l.client.For(t, ishaatest.Header("Accept", "text/html"))
}

var tokenInput = regexp.MustCompile(`name="_token" value="([^"]+)"`)

// token is the token of the session's forms.
func token(t testing.TB, c *ishaatest.Client) string {
	t.Helper()
	found := tokenInput.FindStringSubmatch(c.Get("/admin/").Status(200).Text())
	if found == nil {
		t.Fatal("the page has no token")
	}
	return found[1]
}

// post sends a form with the session's token.
func post(t testing.TB, c *ishaatest.Client, path string, pairs ...string) *ishaatest.Result {
	t.Helper()
	return c.Post(path, ishaatest.Form(append([]string{"_token", token(t, c)}, pairs...)...))
}

func (l *library) author(t testing.TB, name string) Author {
	t.Helper()
	a, err := orm.Of[Author](l.db).Create(t.Context(), Author{Name: name, Email: strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (l *library) book(t testing.TB, author Author, title string) Book {
	t.Helper()
	b, err := orm.Of[Book](l.db).Create(t.Context(), Book{Title: title, AuthorID: author.ID, Kind: "novel", Price: "12.50", Pages: 100, Code: "s3cr3t-code", Owner: "house"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bookForm is what the form of a book sends when it is filled in well.
func bookForm(author Author, title string, more ...string) []string {
	return append([]string{"title", title, "author_id", fmt.Sprint(author.ID), "kind", "essay", "price", "9.90", "printed", "true", "pages", "120",
		"appeared", "", "blurb", "", "meta", "", "rating", "4.5"}, more...)
}

func entries(t testing.TB, l *library) []admin.Entry {
	t.Helper()
	list, err := orm.Of[admin.Entry](l.db).OrderBy("id").All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}
