package admin_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

func upload(t testing.TB, c *ishaatest.Client, mode, name, content string) *ishaatest.Result {
	t.Helper()
	return c.Post("/admin/books/-/import", ishaatest.Form("_token", token(t, c), "mode", mode), ishaatest.File("file", name, content))
}

func countBooks(t testing.TB, l *library) int64 {
	t.Helper()
	n, err := orm.Of[Book](l.db).Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What is exported can be imported elsewhere, and changes nothing where it came from.
func TestExportAndImportAgree(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		l := libraryOn(t, db)
		ann, first := l.fill(t)
		first.Meta = orm.NewJSON(map[string]any{"n": 12345678901234567, "x": []any{"ä", nil}})
		first.Title = "Semicolons; commas, \"quotes\"\nand lines"
		if err := orm.Of[Book](db).Save(t.Context(), &first); err != nil {
			t.Fatal(err)
		}
		c := l.signIn(t, "admin")
		for _, format := range []string{"csv", "json"} {
			res := c.Get("/admin/books/-/export?format=" + format).Status(200)
			if d := res.Headers().Get("Content-Disposition"); !strings.Contains(d, "attachment") || !strings.Contains(d, "."+format) {
				t.Errorf("the file is called %q", d)
			}
			file := res.Text()
			upload(t, c, "all", "books."+format, file).Status(200).HTML("Added: 0 · Changed: 0 · As before: 70 · Bad: 0")
			if format == "json" {
				var list []map[string]any
				if err := json.Unmarshal([]byte(file), &list); err != nil || len(list) != 70 {
					t.Fatal(len(list), err)
				}
			}
		}
		part := c.Get("/admin/books/-/export?format=csv&f.author_id=" + fmt.Sprint(ann.ID) + "&q=salt").Status(200).Text()
		if n := strings.Count(part, "Salt"); n == 0 || n != strings.Count(part, "\n")-1 {
			t.Errorf("the part has %d rows that fit of\n%s", n, part)
		}
	})
}

func TestImport(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	old := l.book(t, ann, "Old")
	c := l.signIn(t, "admin")
	head := "id,title,author_id,kind,price,pages,rating,printed\n"
	row := func(id, title, pages string) string {
		return fmt.Sprintf("%s,%s,%d,essay,1.50,%s,1,yes\n", id, title, ann.ID, pages)
	}
	good := head + row("", "A", "10") + row(fmt.Sprint(old.ID), "Newer", "20")
	bad := head + row("", "B", "10") + row("", `"two`+"\n"+`lines"`, "11") + row("", "C", "0") + row("", "", "12") + row("999", "D", "12") + row("", "E", "13")
	wrong := []string{`<td class="number">5</td><td>pages</td>`, `<td class="number">6</td><td>title</td><td>is required</td>`, `<td class="number">7</td><td>–</td><td>There is no such row.</td>`}

	upload(t, c, "check", "x.csv", good).Status(200).HTML("Checked; nothing was changed", "Added: 1 · Changed: 1")
	if countBooks(t, l) != 1 {
		t.Fatal("checking imports")
	}
	upload(t, c, "all", "x.csv", good).Status(200).HTML("Imported", "Added: 1 · Changed: 1 · As before: 0 · Bad: 0")
	if b, err := orm.Of[Book](l.db).Get(t.Context(), old.ID); b.Title != "Newer" || b.Pages != 20 || !b.Printed || b.Owner != "house" || err != nil {
		t.Errorf("the row with a key is %+v (%v)", b, err)
	}
	before := len(entries(t, l))
	upload(t, c, "all", "x.csv", bad).Status(422).HTML(append(wrong, "Nothing was changed", "Bad: 3")...)
	if n := countBooks(t, l); n != 2 || len(entries(t, l)) != before {
		t.Errorf("a file with bad rows left %d books", n)
	}
	upload(t, c, "rows", "x.csv", bad).Status(422).HTML(append(wrong, "Imported", "Added: 3 · Changed: 0 · As before: 0 · Bad: 3")...)
	if n := countBooks(t, l); n != 5 || len(entries(t, l)) != before+3 {
		t.Errorf("the rows that fit left %d books", n)
	}
	for name, test := range map[string]struct{ file, want string }{
		"unknown column": {"title,colour\na,b\n", "“colour”"},
		"twice":          {"title,title\na,b\n", "two columns “title”"},
		"short line":     {"title,pages\na\n", "Line 2 has 1 cells, and the first line names 2 columns."},
		"no CSV":         {"title,pages\n\"a,1\n", "The file is no CSV: line"},
		"no JSON":        {"[{\"title\":\"a\"},\n{]", "The file is no JSON: line 2."},
		"cut JSON":       {"[{\"title\":\"a\"", "it ends too early, in what begins in line 1."},
		"empty":          {"", "Choose a file."},
	} {
		t.Run(name, func(t *testing.T) { upload(t, c.For(t), "all", "x", test.file).Status(422).HTML(test.want) })
	}
	t.Run("JSON, NDJSON and other separators", func(t *testing.T) {
		c := c.For(t)
		object := func(title string, pages any) string {
			data, err := json.Marshal(map[string]any{"title": title, "author_id": ann.ID, "kind": "essay", "price": "1.50", "pages": pages, "rating": 0.5, "printed": true, "meta": map[string]any{"a": 1}, "appeared": nil})
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		upload(t, c, "rows", "x.json", "[\n"+object("J1", 5)+",\n"+object("J2", 0)+",\n"+object("J3", 6)+"]").Status(422).HTML("Added: 2", `<td class="number">3</td><td>pages</td>`)
		upload(t, c, "rows", "x.ndjson", object("N1", 5)+"\n"+object("N2", "x")+"\n"+object("N3", 6)+"\n").Status(422).HTML("Added: 2", `<td class="number">2</td><td>pages</td>`)
		for _, comma := range []string{";", "\t"} {
			upload(t, c, "all", "x.csv", "\xef\xbb\xbf"+strings.ReplaceAll(head+row("", "S", "10"), ",", comma)).Status(200).HTML("Added: 1")
		}
	})
	t.Run("many bad rows", func(t *testing.T) {
		upload(t, c.For(t), "all", "x.csv", head+strings.Repeat(row("", "", "1"), 500)).Status(422).HTML("Bad: 100", "not read any further")
	})
}

// An export is sent while it is read, and a client that goes away ends it.
func TestExportStreams(t *testing.T) {
	l := newLibrary(t)
	ann := l.author(t, "Ann Lee")
	list := make([]Book, 20_000)
	for i := range list {
		list[i] = Book{Title: fmt.Sprintf("Book %d", i), AuthorID: ann.ID, Kind: "novel", Price: "1.00", Pages: 1, Blurb: strings.Repeat("x", 200)}
	}
	if err := orm.Of[Book](l.db).CreateMany(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	c := l.signIn(t, "reader")
	s := c.Stream("/admin/books/-/export?format=json").Status(200)
	if _, err := io.ReadFull(s, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Wait()
	if n := strings.Count(c.Get("/admin/books/-/export?format=csv").Text(), "\n"); n != 20_001 {
		t.Errorf("the file has %d lines", n)
	}
}
