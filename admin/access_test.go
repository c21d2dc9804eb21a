package admin_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
)

// Nothing but the sign-in page and the panel's own files is public.
func TestNothingIsPublic(t *testing.T) {
	l := newLibrary(t)
	b := l.book(t, l.author(t, "Ann Lee"), "First")
	fill := strings.NewReplacer("<model>", "books", "<key>", fmt.Sprint(b.ID), "<int:id>", "1", "<path:path>", "admin.css")
	open := map[string]bool{"/admin/-/sign-in": true, "/admin/-/static/<path:path>": true}
	seen := 0
	for _, route := range l.app.Routes() {
		pattern := route.Pattern()
		if !strings.HasPrefix(pattern, "/admin") || open[pattern] || strings.HasPrefix(pattern, "/admin/-/static") {
			continue
		}
		for _, method := range route.Methods() {
			seen++
			t.Run(method+" "+pattern, func(t *testing.T) {
				c := l.client.For(t, ishaatest.Header("Accept", "text/html"))
				res := c.Do(method, fill.Replace(pattern))
				if code := res.Code(); code != 303 && code != 401 {
					t.Errorf("a stranger gets %d", code)
				}
				if strings.Contains(res.Text(), "First") {
					t.Error("a stranger sees the data")
				}
			})
		}
	}
	if seen < 18 {
		t.Errorf("only %d routes were tried", seen)
	}
	l.client.Get("/admin/books", ishaatest.Header("Accept", "text/html")).Status(303).Header("Location", "/admin/-/sign-in?next=%2Fadmin%2Fbooks")
	l.client.Get("/admin/books", ishaatest.Header("Accept", "application/json")).Status(401)
}

func TestSignIn(t *testing.T) {
	l := newLibrary(t)
	c := l.client.For(t, fromPage...)
	c.Get("/admin/-/sign-in").Status(200).HTML("Library", `name="password"`)
	c.Post("/admin/-/sign-in", ishaatest.Form("name", "admin", "password", "not this one")).Status(401).HTML("The name or the password is wrong.", `value="admin"`)
	c.Post("/admin/-/sign-in", ishaatest.Form("name", "nobody", "password", password)).Status(401).HTML("The name or the password is wrong.")
	c.Post("/admin/-/sign-in", ishaatest.Form("name", "Admin ", "password", password, "next", "/admin/books")).Redirect("/admin/books")
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`} {
		l.client.ClearCookies()
		c.Post("/admin/-/sign-in", ishaatest.Form("name", "admin", "password", password, "next", next)).Redirect("/admin/")
	}
	cookie := c.Post("/admin/-/sign-in", ishaatest.Form("name", "admin", "password", password)).Cookie("admin")
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("the cookie is %v", cookie)
	}
	c.Get("/admin/").Status(200).Header("Cache-Control", "no-store").Header("Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	post(t, c, "/admin/-/sign-out").Redirect("/admin/")
	c.Get("/admin/").Status(303)

	t.Run("a role taken away counts at once", func(t *testing.T) {
		c := l.signIn(t, "editor")
		c.Get("/admin/books/-/new").Status(200)
		if _, err := orm.Of[admin.Account](l.db).Filter("name", "editor").Update(t.Context(), orm.Set{"roles": "reader"}); err != nil {
			t.Fatal(err)
		}
		c.Get("/admin/books/-/new").Status(403)
		if _, err := orm.Of[admin.Account](l.db).Filter("name", "editor").Update(t.Context(), orm.Set{"disabled": true}); err != nil {
			t.Fatal(err)
		}
		c.Get("/admin/books").Status(303)
		l.client.For(t, fromPage...).Post("/admin/-/sign-in", ishaatest.Form("name", "editor", "password", password)).Status(401)
	})
	t.Run("a role that may not come in", func(t *testing.T) {
		if _, err := orm.Of[admin.Account](l.db).Filter("name", "reader").Update(t.Context(), orm.Set{"roles": "visitor"}); err != nil {
			t.Fatal(err)
		}
		l.signIn(t, "reader").Get("/admin/").Status(403)
	})
}

func TestSignInOverTLS(t *testing.T) {
	l := newLibrary(t)
	c := ishaatest.New(t, l.app, ishaatest.TLS()).For(t, fromPage...)
	cookie := c.Post("/admin/-/sign-in", ishaatest.Form("name", "admin", "password", password)).Redirect("/admin/").Cookie("__Host-admin")
	if !cookie.Secure || !cookie.HttpOnly {
		t.Errorf("the cookie is %v", cookie)
	}
}

func TestPassword(t *testing.T) {
	l := newLibrary(t)
	c := l.signIn(t, "admin")
	post(t, c, "/admin/-/password", "password", "wrong", "new", "another five words then").Status(422).HTML("The present password is wrong.")
	post(t, c, "/admin/-/password", "password", password, "new", "short").Status(422).HTML("The new password will not do")
	post(t, c, "/admin/-/password", "password", password, "new", "another five words then").Redirect("/admin/")
	l.client.ClearCookies()
	l.client.For(t, fromPage...).Post("/admin/-/sign-in", ishaatest.Form("name", "admin", "password", password)).Status(401)
	l.client.For(t, fromPage...).Post("/admin/-/sign-in", ishaatest.Form("name", "admin", "password", "another five words then")).Redirect("/admin/")
}

// What each role may, page by page and form by form.
func TestRoles(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	b := l.book(t, ann, "First")
	at := fmt.Sprintf("/admin/books/%d", b.ID)
	type try struct {
		method, path           string
		form                   []string
		reader, editor, header int
	}
	tries := []try{
		{"GET", "/admin/", nil, 200, 200, 200},
		{"GET", "/admin/books", nil, 200, 200, 200},
		{"GET", at, nil, 200, 200, 200},
		{"GET", "/admin/books/-/export?format=csv", nil, 200, 200, 200},
		{"GET", "/admin/books/-/new", nil, 403, 200, 200},
		{"POST", "/admin/books/-/new", bookForm(ann, "New"), 403, 303, 303},
		{"POST", at, bookForm(ann, "Changed"), 403, 303, 303},
		{"POST", at, append(bookForm(ann, "Copy"), "_copy", "1"), 403, 303, 303},
		{"GET", "/admin/books/-/import", nil, 403, 403, 200},
		{"POST", "/admin/books/-/import", nil, 403, 403, 422},
		{"GET", "/admin/-/log", nil, 403, 403, 200},
		{"POST", "/admin/books", []string{"action", "do-Reprint", "key", fmt.Sprint(b.ID)}, 403, 303, 303},
		{"POST", "/admin/books", []string{"action", "delete", "key", fmt.Sprint(b.ID)}, 403, 200, 200},
		{"GET", at + "/delete", nil, 403, 200, 200},
		{"POST", at + "/delete", nil, 403, 303, 404}, // the editor was quicker
	}
	for i, role := range []string{"reader", "editor", "admin"} {
		c := l.signIn(t, role)
		for _, x := range tries {
			t.Run(role+" "+x.method+" "+x.path, func(t *testing.T) {
				c := c.For(t)
				want := []int{x.reader, x.editor, x.header}[i]
				if role == "admin" && strings.HasPrefix(x.path, at) {
					want = 404
				}
				if role == "admin" && x.path == "/admin/books" && x.method == "POST" {
					want = 404
				}
				if x.method == "GET" {
					c.Get(x.path).Status(want)
				} else {
					post(t, c, x.path, x.form...).Status(want)
				}
			})
		}
	}
	page := l.signIn(t, "reader").Get("/admin/books").Status(200).Text()
	for _, hidden := range []string{"/-/new", "/-/import", `name="action"`, "/-/log"} {
		if strings.Contains(page, hidden) {
			t.Errorf("the reader's page shows %q", hidden)
		}
	}
}

// ownBooks lets everybody but admins see and change only books whose owner they are, and delete only drafts.
func ownBooks(o *admin.Options, books *[]admin.Option) {
	roles := admin.DefaultRoles()
	o.Allow = func(ctx context.Context, ask admin.Ask) (bool, error) {
		if b, ok := ask.Row.(*Book); ok && ask.Action == admin.Edit && b.Title == "Locked" {
			return false, nil
		}
		if a, ok := ask.Row.(*Author); ok && a.Name == "Hidden" && !ask.Who.HasRole("admin") {
			return false, nil
		}
		return roles.Allow(ctx, ask)
	}
	*books = append(*books, admin.Scope(func(_ context.Context, who *auth.Identity) []any {
		if who.HasRole("admin") {
			return nil
		}
		return []any{"owner", "house"}
	}))
}

func TestObjectPermissionsCannotBePassedByAKey(t *testing.T) {
	l := newLibrary(t, ownBooks)
	ann := l.author(t, "Ann Lee")
	hidden := l.author(t, "Hidden")
	mine := l.book(t, ann, "Mine")
	foreign := l.book(t, ann, "Foreign")
	foreign.Owner = "other"
	locked := l.book(t, ann, "Locked")
	if err := orm.Of[Book](l.db).Save(t.Context(), &foreign); err != nil {
		t.Fatal(err)
	}
	chapter, err := orm.Of[Chapter](l.db).Create(t.Context(), Chapter{BookID: foreign.ID, Title: "Theirs", Number: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := l.signIn(t, "editor")
	at := fmt.Sprintf("/admin/books/%d", foreign.ID)
	for name, res := range map[string]*ishaatest.Result{
		"page":        c.Get(at),
		"edit":        post(t, c, at, bookForm(ann, "Taken")...),
		"copy":        post(t, c, at, append(bookForm(ann, "Taken"), "_copy", "1")...),
		"delete page": c.Get(at + "/delete"),
		"delete":      post(t, c, at+"/delete"),
		"log":         c.Get(at + "/log"),
		"bulk":        post(t, c, "/admin/books", "action", "do-Reprint", "key", fmt.Sprint(foreign.ID)),
		"bulk delete": post(t, c, "/admin/books", "action", "delete", "confirm", "1", "key", fmt.Sprint(mine.ID), "key", fmt.Sprint(foreign.ID)),
		"author":      c.Get(fmt.Sprintf("/admin/authors/%d", hidden.ID)),
	} {
		if res.Code() != 404 {
			t.Errorf("%s: %d, want 404", name, res.Code())
		}
	}
	for _, path := range []string{"/admin/books", "/admin/books?q=Foreign&sort=title", "/admin/books/-/pick?q=Foreign", "/admin/books/-/export?format=csv", "/admin/books/-/export?format=json", "/admin/-/log", "/admin/"} {
		if strings.Contains(c.Get(path).Text(), ">Foreign<") || strings.Contains(c.Get(path).Text(), "Foreign,") {
			t.Errorf("%s shows what is out of sight", path)
		}
	}
	if strings.Contains(c.Get("/admin/authors").Text(), "Hidden") || strings.Contains(c.Get("/admin/authors/-/pick?q=Hid").Text(), "Hidden") {
		t.Error("a row that View is refused for is in the list or the picker")
	}
	lockedAt := fmt.Sprintf("/admin/books/%d", locked.ID)
	c.Get(lockedAt).Status(200)
	post(t, c, lockedAt, bookForm(ann, "Unlocked")...).Status(403)
	post(t, c, fmt.Sprintf("/admin/books/%d", mine.ID), bookForm(ann, "Locked")...).Status(403) // nor become what may not be changed
	post(t, c, fmt.Sprintf("/admin/books/%d", mine.ID), bookForm(hidden, "Mine")...).Status(422).HTML("there is no such row")
	post(t, c, fmt.Sprintf("/admin/books/%d", mine.ID), append(bookForm(ann, "Mine"), "i.chapters.n", "1", "i.chapters.0.key", fmt.Sprint(chapter.ID), "i.chapters.0.title", "Ours", "i.chapters.0.number", "1")...).Status(409)
	post(t, c, fmt.Sprintf("/admin/authors/%d/delete", ann.ID)).Status(409) // its books would go, one of them out of sight
	for id, title := range map[int64]string{mine.ID: "Mine", foreign.ID: "Foreign", locked.ID: "Locked"} {
		b, err := orm.Of[Book](l.db).Get(t.Context(), id)
		if err != nil || b.Title != title || b.Reprinted != 0 {
			t.Errorf("%s became %+v (%v)", title, b, err)
		}
	}
	ch, err := orm.Of[Chapter](l.db).Get(t.Context(), chapter.ID)
	if err != nil || ch.Title != "Theirs" || ch.BookID != foreign.ID {
		t.Errorf("the chapter became %+v (%v)", ch, err)
	}
}
