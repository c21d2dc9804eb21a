package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"html"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"text/template"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

func injections(app *ishaa.App, db *orm.DB) {
	bug01(app)
	fix01(app)
	bug02(app)
	fix02(app)
	bug03(app)
	fix03(app)
	bug04(app, db)
	fix04(app, db)
	bug05(app)
	fix05(app)
	bug06(app)
	fix06(app)
	bug07(app)
	fix07(app)
	bug08(app)
	fix08(app)
	bug09(app)
	fix09(app)
	bug10(app, db)
	fix10(app, db)
	bug11(app)
	fix11(app)
	bug12(app, db)
	fix12(app, db)
}

// 01: an option in the place of an argument.
func bug01(app *ishaa.App) {
	app.Get("/bug/01/log", func(r *ishaa.Request) (any, error) {
		out, err := exec.CommandContext(r.Context(), "git", "log", "--oneline", r.Query("ref")).Output()
		if err != nil {
			return nil, ishaa.NotFound("no such revision")
		}
		return ishaa.Text(string(out)), nil
	})
}

func fix01(app *ishaa.App) {
	app.Get("/fix/01/log", func(r *ishaa.Request) (any, error) {
		ref := r.Query("ref")
		if strings.HasPrefix(ref, "-") {
			return nil, ishaa.BadRequest("no revision begins with a dash")
		}
		out, err := exec.CommandContext(r.Context(), "git", "log", "--oneline", "--end-of-options", ref).Output()
		if err != nil {
			return nil, ishaa.NotFound("no such revision")
		}
		return ishaa.Text(string(out)), nil
	})
}

type letter struct{ Name, Key string }

// 02: a template that the client writes.
func bug02(app *ishaa.App) {
	app.Get("/bug/02/preview", func(r *ishaa.Request) (any, error) {
		t, err := template.New("letter").Parse("Dear {{.Name}}, " + r.Query("text"))
		if err != nil {
			return nil, ishaa.BadRequest("the text does not fit")
		}
		var out bytes.Buffer
		if err := t.Execute(&out, letter{"Ada", "k-58213"}); err != nil {
			return nil, ishaa.BadRequest("the text does not fit")
		}
		return ishaa.Text(out.String()), nil
	})
}

var letterTemplate = template.Must(template.New("letter").Parse("Dear {{.Name}}, {{.Text}}"))

func fix02(app *ishaa.App) {
	app.Get("/fix/02/preview", func(r *ishaa.Request) (any, error) {
		var out bytes.Buffer
		if err := letterTemplate.Execute(&out, map[string]string{"Name": "Ada", "Text": r.Query("text")}); err != nil {
			return nil, err
		}
		return ishaa.Text(out.String()), nil
	})
}

// 03: an address that is escaped for HTML and still runs.
func bug03(app *ishaa.App) {
	app.Get("/bug/03/card", func(r *ishaa.Request) (any, error) {
		return ishaa.HTML(`<a href="` + html.EscapeString(r.Query("home")) + `">home</a>`), nil
	})
}

func fix03(app *ishaa.App) {
	app.Get("/fix/03/card", func(r *ishaa.Request) (any, error) {
		home, err := url.Parse(r.Query("home"))
		if err != nil || home.Scheme != "https" && home.Scheme != "http" {
			return nil, ishaa.BadRequest("home must be a web address")
		}
		return ishaa.HTML(`<a href="` + html.EscapeString(home.String()) + `">home</a>`), nil
	})
}

type newText struct {
	Body struct {
		Text string `json:"text" required:"true" maxLength:"5000"`
	}
}

// 04: markup that is kept and comes out on a page of everybody.
func bug04(app *ishaa.App, db *orm.DB) {
	ishaa.Post(app, "/bug/04/notes", func(ctx context.Context, in *newText) (int64, error) {
		n, err := orm.Of[Note](db).Create(ctx, Note{Owner: "bug04", Text: in.Body.Text})
		return n.ID, err
	})
	app.Get("/bug/04/page", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("owner", "bug04").OrderBy("id").All(r.Context())
		if err != nil {
			return nil, err
		}
		var page strings.Builder
		for _, n := range list {
			page.WriteString("<p>" + n.Text + "</p>")
		}
		return ishaa.HTML(page.String()), nil
	})
}

func fix04(app *ishaa.App, db *orm.DB) {
	ishaa.Post(app, "/fix/04/notes", func(ctx context.Context, in *newText) (int64, error) {
		n, err := orm.Of[Note](db).Create(ctx, Note{Owner: "fix04", Text: in.Body.Text})
		return n.ID, err
	})
	app.Get("/fix/04/page", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("owner", "fix04").OrderBy("id").All(r.Context())
		if err != nil {
			return nil, err
		}
		var page strings.Builder
		for _, n := range list {
			page.WriteString("<p>" + html.EscapeString(n.Text) + "</p>")
		}
		return ishaa.HTML(page.String()), nil
	})
}

type shelf struct {
	mu    sync.Mutex
	kind  string
	bytes []byte
	lines []string
}

func (s *shelf) put(kind string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kind, s.bytes = kind, data
}

func (s *shelf) get() (string, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kind, s.bytes
}

func (s *shelf) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *shelf) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.lines...)
}

// 05: an upload that is served as what the client says it is.
func bug05(app *ishaa.App) {
	s := &shelf{}
	app.Put("/bug/05/picture", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		s.put(r.ContentType(), data)
		return map[string]int{"size": len(data)}, nil
	})
	app.Get("/bug/05/picture", func(r *ishaa.Request) (any, error) {
		kind, data := s.get()
		if data == nil {
			return nil, ishaa.NotFound("no picture yet")
		}
		return ishaa.Bytes(kind, data), nil
	})
}

func fix05(app *ishaa.App) {
	s := &shelf{}
	app.Put("/fix/05/picture", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		s.put("application/octet-stream", data)
		return map[string]int{"size": len(data)}, nil
	})
	app.Get("/fix/05/picture", func(r *ishaa.Request) (any, error) {
		kind, data := s.get()
		if data == nil {
			return nil, ishaa.NotFound("no picture yet")
		}
		return ishaa.Bytes(kind, data).Attachment("picture"), nil
	})
}

type newName struct {
	Body struct {
		Name string `json:"name" required:"true" maxLength:"200"`
	}
}

// 06: a cell that a spreadsheet takes for a formula.
func bug06(app *ishaa.App) {
	s := &shelf{}
	ishaa.Post(app, "/bug/06/members", func(_ context.Context, in *newName) (int, error) { s.add(in.Body.Name); return 1, nil })
	app.Get("/bug/06/export", func(r *ishaa.Request) (any, error) {
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		for _, name := range s.all() {
			if err := w.Write([]string{name, "member"}); err != nil {
				return nil, err
			}
		}
		w.Flush()
		return ishaa.Bytes("text/csv", out.Bytes()), w.Error()
	})
}

func fix06(app *ishaa.App) {
	s := &shelf{}
	ishaa.Post(app, "/fix/06/members", func(_ context.Context, in *newName) (int, error) { s.add(in.Body.Name); return 1, nil })
	app.Get("/fix/06/export", func(r *ishaa.Request) (any, error) {
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		for _, name := range s.all() {
			if strings.ContainsAny(name[:min(len(name), 1)], "=+-@\t\r") {
				name = "'" + name
			}
			if err := w.Write([]string{name, "member"}); err != nil {
				return nil, err
			}
		}
		w.Flush()
		return ishaa.Bytes("text/csv", out.Bytes()), w.Error()
	})
}

type newMail struct {
	Body struct {
		Subject string `json:"subject" required:"true" maxLength:"200"`
	}
}

// 07: a line of a mail's head that the client begins.
func bug07(app *ishaa.App) {
	s := &shelf{}
	ishaa.Post(app, "/bug/07/contact", func(_ context.Context, in *newMail) (int, error) {
		s.add("From: shop@example.org\r\nSubject: " + in.Body.Subject + "\r\n\r\nSomebody has written.")
		return 1, nil
	})
	app.Get("/bug/07/outbox", func(r *ishaa.Request) (any, error) { return ishaa.Text(strings.Join(s.all(), "\n")), nil })
}

func fix07(app *ishaa.App) {
	s := &shelf{}
	ishaa.Post(app, "/fix/07/contact", func(_ context.Context, in *newMail) (int, error) {
		s.add("From: shop@example.org\r\nSubject: " + strings.NewReplacer("\r", " ", "\n", " ").Replace(in.Body.Subject) + "\r\n\r\nSomebody has written.")
		return 1, nil
	})
	app.Get("/fix/07/outbox", func(r *ishaa.Request) (any, error) { return ishaa.Text(strings.Join(s.all(), "\n")), nil })
}

// 08: a line of a journal that the client writes.
func bug08(app *ishaa.App) {
	var mu sync.Mutex
	var journal bytes.Buffer
	app.Post("/bug/08/visits", func(r *ishaa.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&journal, "visit of %s\n", r.Query("page"))
		return 1, nil
	})
	app.Get("/bug/08/journal", func(r *ishaa.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		return ishaa.Text(journal.String()), nil
	})
}

func fix08(app *ishaa.App) {
	var mu sync.Mutex
	var journal bytes.Buffer
	app.Post("/fix/08/visits", func(r *ishaa.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&journal, "visit of %q\n", r.Query("page"))
		return 1, nil
	})
	app.Get("/fix/08/journal", func(r *ishaa.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		return ishaa.Text(journal.String()), nil
	})
}

// 09: an archive whose names lead out of the folder.
func bug09(app *ishaa.App) {
	app.Post("/bug/09/import", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return nil, ishaa.BadRequest("not a zip archive")
		}
		dir, err := os.MkdirTemp("", "import")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		for _, f := range archive.File {
			if err := unpack(f, filepath.Join(dir, f.Name)); err != nil {
				return nil, err
			}
		}
		return len(archive.File), nil
	})
}

func fix09(app *ishaa.App) {
	app.Post("/fix/09/import", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return nil, ishaa.BadRequest("not a zip archive")
		}
		dir, err := os.MkdirTemp("", "import")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		for _, f := range archive.File {
			if !filepath.IsLocal(f.Name) {
				return nil, ishaa.BadRequest("a name leads out of the folder")
			}
			if err := unpack(f, filepath.Join(dir, f.Name)); err != nil {
				return nil, err
			}
		}
		return len(archive.File), nil
	})
}

func unpack(f *zip.File, name string) error {
	in, err := f.Open()
	if err != nil {
		return ishaa.BadRequest("not a zip archive")
	}
	defer in.Close()
	out, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return ishaa.BadRequest("a name does not fit")
	}
	defer out.Close()
	_, err = io.Copy(out, io.LimitReader(in, 1<<20))
	return err
}

// 10: what was stored safely becomes part of a statement later.
func bug10(app *ishaa.App, db *orm.DB) {
	ishaa.Post(app, "/bug/10/names", func(ctx context.Context, in *newName) (int64, error) {
		n, err := orm.Of[Note](db).Create(ctx, Note{Owner: "bug10", Text: in.Body.Name})
		return n.ID, err
	})
	app.Get("/bug/10/report", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("owner", "bug10").OrderBy("id").All(r.Context())
		if err != nil {
			return nil, err
		}
		total := 0
		for _, n := range list {
			same, err := orm.Of[Note](db).Raw(r.Context(), "SELECT * FROM notes WHERE text = '"+n.Text+"'")
			if err != nil {
				return nil, ishaa.Unavailable("no report today")
			}
			total += len(same)
		}
		return total, nil
	})
}

func fix10(app *ishaa.App, db *orm.DB) {
	ishaa.Post(app, "/fix/10/names", func(ctx context.Context, in *newName) (int64, error) {
		n, err := orm.Of[Note](db).Create(ctx, Note{Owner: "fix10", Text: in.Body.Name})
		return n.ID, err
	})
	app.Get("/fix/10/report", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("owner", "fix10").OrderBy("id").All(r.Context())
		if err != nil {
			return nil, err
		}
		total := 0
		for _, n := range list {
			same, err := orm.Of[Note](db).Raw(r.Context(), "SELECT * FROM notes WHERE text = ?", n.Text)
			if err != nil {
				return nil, ishaa.Unavailable("no report today")
			}
			total += len(same)
		}
		return total, nil
	})
}

// 11: a path that is decoded once more after it was looked at.
func bug11(app *ishaa.App) {
	app.Get("/bug/11/manual", func(r *ishaa.Request) (any, error) {
		name := r.Query("name")
		if strings.Contains(name, "..") || strings.HasPrefix(name, "/") {
			return nil, ishaa.BadRequest("name")
		}
		name, err := url.PathUnescape(name)
		if err != nil {
			return nil, ishaa.BadRequest("name")
		}
		text, err := os.ReadFile(filepath.Join(os.TempDir(), "manual", name))
		if err != nil {
			return nil, ishaa.NotFound("no such page")
		}
		return text, nil
	})
}

func fix11(app *ishaa.App) {
	app.Get("/fix/11/manual", func(r *ishaa.Request) (any, error) {
		name, err := url.PathUnescape(r.Query("name"))
		if err != nil || !filepath.IsLocal(name) {
			return nil, ishaa.BadRequest("name")
		}
		text, err := os.ReadFile(filepath.Join(os.TempDir(), "manual", name))
		if err != nil {
			return nil, ishaa.NotFound("no such page")
		}
		return text, nil
	})
}

// 12: a pattern where a secret is meant.
func bug12(app *ishaa.App, db *orm.DB) {
	app.Get("/bug/12/reset", func(r *ishaa.Request) (any, error) {
		found, err := orm.Of[Reset](db).Filter("token__like", r.Query("token")).OrderBy("id").All(r.Context())
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, ishaa.NotFound("no such request")
		}
		return map[string]string{"for": found[0].Owner}, nil
	})
}

func fix12(app *ishaa.App, db *orm.DB) {
	app.Get("/fix/12/reset", func(r *ishaa.Request) (any, error) {
		found, err := orm.Of[Reset](db).Filter("token", r.Query("token")).OrderBy("id").All(r.Context())
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, ishaa.NotFound("no such request")
		}
		return map[string]string{"for": found[0].Owner}, nil
	})
}
