package template_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/static"
	"github.com/ishaa-framework/ishaa/template"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

// site is an application whose page is the text.
func site(text string, o template.Options, routes ...func(*ishaa.App)) *ishaa.App {
	app := ishaa.New("site")
	app.Install(template.New(fstest.MapFS{"page.html": file(text)}, o))
	app.Get("/", func(*ishaa.Request) (any, error) { return template.Page("page.html", nil), nil })
	app.Get("/users/<int:id>", func(*ishaa.Request) (any, error) { return "", nil }, ishaa.Name("user"))
	for _, add := range routes {
		add(app)
	}
	return app
}

func TestPagesSeeTheRequest(t *testing.T) {
	app := site(`{{ request.method }} {{ request.path }} {{ request.query("q") }} {{ request.query("none") }}<a href="{{ url('user', id=7) }}">{{ url("user", "id", 7, "page", 2) }}</a>`, template.Options{})
	res := ishaatest.New(t, app).Get("/?q=%3Cb%3E")
	if want := `GET / &lt;b&gt; <a href="/users/7">/users/7?page=2</a>`; res.Text() != want {
		t.Errorf("the page is %s, want %s", res.Text(), want)
	}
	if ct := res.Headers().Get("Content-Type"); ct != "text/html; charset=utf-8" {
		t.Errorf("the content type is %s", ct)
	}
}

func TestNonceIsAskedForByPagesThatWriteIt(t *testing.T) {
	asked := 0
	o := template.Options{Nonce: func(*ishaa.Request) string { asked++; return "N0" }}
	if got := ishaatest.New(t, site(`<p>`, o)).Get("/").Text(); got != "<p>" || asked != 0 {
		t.Errorf("%s, asked %d times", got, asked)
	}
	got := ishaatest.New(t, site(`<script nonce="{{ csp_nonce }}"></script><style nonce="{{ csp_nonce }}"></style>`, o)).Get("/").Text()
	if want := `<script nonce="N0"></script><style nonce="N0"></style>`; got != want || asked != 1 {
		t.Errorf("%s, asked %d times", got, asked)
	}
}

// Messages of a session, the user of a request: whatever a request has under a key of the program's own.
func TestNamesPerRequest(t *testing.T) {
	messages := ishaa.NewKey[[]string]("messages")
	o := template.Options{PerRequest: map[string]func(*ishaa.Request) any{
		"flashed": func(r *ishaa.Request) any {
			list, _ := messages.Lookup(r)
			return list
		},
		"translate": func(r *ishaa.Request) any {
			return func(text string) (string, error) {
				if text == "" {
					return "", errors.New("nothing to translate")
				}
				return strings.ToUpper(text) + r.Query("lang"), nil
			}
		},
	}}
	app := site(`{% for m in flashed %}<p>{{ m }}</p>{% else %}none{% endfor %}{% include "part.html" ignore missing %} {{ translate("x") }}`, o, func(app *ishaa.App) {
		app.Use(ishaa.Middleware{Name: "messages", Before: func(r *ishaa.Request) (any, error) {
			if m := r.Query("m"); m != "" {
				messages.Set(r, []string{m})
			}
			return nil, nil
		}})
	})
	client := ishaatest.New(t, app)
	if got := client.Get("/?m=%3Ci%3E&lang=de").Text(); got != "<p>&lt;i&gt;</p> Xde" {
		t.Errorf("with a message: %s", got)
	}
	if got := client.Get("/").Text(); got != "none X" {
		t.Errorf("without: %s", got)
	}
}

func TestAddressesOfFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "css"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"css/site.css": "p{}", "a b.txt": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := func(app *ishaa.App) { app.Install(static.Dir(dir, "/static")) }
	page := `<link rel="stylesheet" href="{{ url('static', 'css/site.css') }}">
<a href="{{ url('static', 'a b.txt') }}">x</a><a href="{{ url('static', path='css/site.css') }}">plain</a>`
	client := ishaatest.New(t, site(page, template.Options{}, files))
	got := client.Get("/").Text()
	want := regexp.MustCompile(`^<link rel="stylesheet" href="(/static/css/site\.[0-9a-f]{16}\.css)">\n<a href="/static/a%20b\.[0-9a-f]{16}\.txt">x</a><a href="/static/css/site\.css">plain</a>$`)
	m := want.FindStringSubmatch(got)
	if m == nil {
		t.Fatalf("the page is %s", got)
	}
	if body := client.Get(m[1]).Text(); body != "p{}" {
		t.Errorf("%s is %q", m[1], body)
	}
	client = ishaatest.New(t, site("<p>\n<link href=\"{{ url('static', 'css/none.css') }}\">", template.Options{}, files))
	if res := client.Get("/"); res.Code() != 500 || strings.Contains(res.Text(), "<link") {
		t.Errorf("a missing file gives %d %s", res.Code(), res.Text())
	}
}

func TestMistakesInAPageSayWhere(t *testing.T) {
	engine := template.New(fstest.MapFS{"page.html": file("<p>\n  {{ user.name }}")})
	app := ishaa.New("site")
	app.Install(engine)
	var seen error
	app.Get("/", func(*ishaa.Request) (any, error) { return template.Page("page.html", nil), nil })
	app.OnStatus(500, func(r *ishaa.Request, err error) (any, error) {
		seen = err
		return nil, err
	})
	if res := ishaatest.New(t, app).Get("/"); res.Code() != 500 {
		t.Errorf("the status is %d", res.Code())
	}
	var e *template.Error
	if !errors.As(seen, &e) || e.Name != "page.html" || e.Line != 2 || e.Kind != template.KindUndefined {
		t.Errorf("the error is %v", seen)
	}
}

func TestPagesOfAnApplication(t *testing.T) {
	files := fstest.MapFS{
		"layout.html": file(`<title>{% block title %}{% endblock %}</title>{% block body %}{% endblock %}`),
		"page.html":   file(`{% extends "layout.html" %}{% set greeting = "Hi" %}{% block body %}{{ greeting }} {{ name }}{% endblock %}`),
		"feed.xml":    file(`<feed>{{ name }}</feed>`),
		"mail.txt.j2": file(`{{ name }}`),
	}
	app := ishaa.New("test", ishaa.Config{Debug: true})
	app.Install(template.New(files))
	data := map[string]any{"name": "<Ann>"}
	app.Get("/", func(*ishaa.Request) (any, error) { return template.Page("page.html", data), nil })
	app.Get("/part", func(*ishaa.Request) (any, error) { return template.Block("page.html", "body", data), nil })
	app.Get("/feed", func(*ishaa.Request) (any, error) { return template.Page("feed.xml", data), nil })
	app.Get("/mail", func(*ishaa.Request) (any, error) { return template.Page("mail.txt.j2", data), nil })
	client := ishaatest.New(t, app)
	for path, want := range map[string][2]string{
		"/":     {"<title></title>Hi &lt;Ann&gt;", "text/html; charset=utf-8"},
		"/part": {"Hi &lt;Ann&gt;", "text/html; charset=utf-8"},
		"/feed": {"<feed>&lt;Ann&gt;</feed>", "application/xml; charset=utf-8"},
		"/mail": {"<Ann>", "text/plain; charset=utf-8"},
	} {
		if res := client.Get(path); res.Text() != want[0] || res.Headers().Get("Content-Type") != want[1] {
			t.Errorf("%s is %s, %s", path, res.Text(), res.Headers().Get("Content-Type"))
		}
	}
	files["layout.html"] = &fstest.MapFile{Data: []byte("new {% block body %}{% endblock %}"), ModTime: time.Unix(1, 0)}
	if got, want := client.Get("/").Text(), "new Hi &lt;Ann&gt;"; got != want {
		t.Errorf("after a change the page is %s, want %s", got, want)
	}
}

// "./program check" starts the application as far as it can go without listening.
func TestCheckOfAProgram(t *testing.T) {
	run := func(text string) (string, error) {
		app := site(text, template.Options{}, func(app *ishaa.App) {
			app.Install(static.FS(fstest.MapFS{"app.css": file("p{}")}, "/static"))
		})
		var out strings.Builder
		for _, c := range app.Commands() {
			if c.Name == "check" {
				return out.String(), c.Run(context.Background(), app, nil, &out)
			}
		}
		return "", errors.New("there is no command check")
	}
	if _, err := run("{{ x }}"); err != nil {
		t.Errorf("a good page: %v", err)
	}
	for text, want := range map[string]string{
		"{% if %}":                       "page.html:1:7: ",
		"<a href={{ x }}\n{{ x|uper }}>": `page.html:2:6: unknown filter "uper", did you mean "upper"?`,
		"<script>a = /{{ x }}/":          "page.html:1:17: a value in a regular expression",
	} {
		if _, err := run(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gave %v, want %s", text, err, want)
		}
	}
}
