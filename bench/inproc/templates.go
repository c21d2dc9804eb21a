package inproc

import (
	"bytes"
	"fmt"
	"html/template"
	"strconv"
	"testing/fstest"

	"github.com/CloudyKit/jet/v6"
	"github.com/flosch/pongo2/v6"
	"github.com/nikolalohinski/gonja/v2"
	"github.com/nikolalohinski/gonja/v2/exec"

	ishaa "github.com/ishaa-framework/ishaa/template"
)

// The page is a list of 50 users, whose names need escaping, with a condition in each row. Every engine compiles it
// once, escapes as it does by itself, and writes into a buffer that is used again. What they make has to be the same,
// octet for octet.

type user struct {
	ID    int
	Name  string
	Email string
	Admin bool
}

type usersPage struct {
	Title string
	Users []user
}

func fiftyUsers() *usersPage {
	p := &usersPage{Title: "T & co"}
	for i := range 50 {
		n := strconv.Itoa(i)
		p.Users = append(p.Users, user{i, "User <" + n + ">", "u" + n + "@example.com", i%3 == 0})
	}
	return p
}

const (
	jinjaUsers = `<html><title>{{ Title }}</title><ul>{% for u in Users %}<li id="u{{ u.ID }}"><a href="/users/{{ u.ID }}">{{ u.Name }}</a> {{ u.Email }}{% if u.Admin %} (admin){% endif %}</li>{% endfor %}</ul></html>`
	goUsers    = `<html><title>{{.Title}}</title><ul>{{range .Users}}<li id="u{{.ID}}"><a href="/users/{{.ID}}">{{.Name}}</a> {{.Email}}{{if .Admin}} (admin){{end}}</li>{{end}}</ul></html>`
	jetUsers   = `<html><title>{{ .Title }}</title><ul>{{ range i, u := .Users }}<li id="u{{ u.ID }}"><a href="/users/{{ u.ID }}">{{ u.Name }}</a> {{ u.Email }}{{ if u.Admin }} (admin){{ end }}</li>{{ end }}</ul></html>`
)

// engine is a way to make the page. Its render writes the page into a buffer.
type engine struct {
	name    string
	compile func() (render func(*bytes.Buffer, *usersPage) error, err error)
}

var engines = []engine{
	{"byhand", func() (func(*bytes.Buffer, *usersPage) error, error) { return usersByHand, nil }},
	{"ishaa", func() (func(*bytes.Buffer, *usersPage) error, error) {
		e := ishaa.New(fstest.MapFS{"users.html": {Data: []byte(jinjaUsers)}})
		return func(out *bytes.Buffer, p *usersPage) error { return e.Render(out, "users.html", p) }, e.Check()
	}},
	{"htmltemplate", func() (func(*bytes.Buffer, *usersPage) error, error) {
		t, err := template.New("users").Parse(goUsers)
		return func(out *bytes.Buffer, p *usersPage) error { return t.Execute(out, p) }, err
	}},
	{"pongo2", func() (func(*bytes.Buffer, *usersPage) error, error) {
		t, err := pongo2.FromString(jinjaUsers)
		return func(out *bytes.Buffer, p *usersPage) error {
			return t.ExecuteWriterUnbuffered(pongo2.Context{"Title": p.Title, "Users": p.Users}, out)
		}, err
	}},
	{"gonja", func() (func(*bytes.Buffer, *usersPage) error, error) {
		gonja.DefaultConfig.AutoEscape = true // nothing else uses gonja here
		t, err := gonja.FromString(jinjaUsers)
		return func(out *bytes.Buffer, p *usersPage) error {
			return t.Execute(out, exec.NewContext(map[string]any{"Title": p.Title, "Users": p.Users}))
		}, err
	}},
	{"jet", func() (func(*bytes.Buffer, *usersPage) error, error) {
		loader := jet.NewInMemLoader()
		loader.Set("/users.jet", jetUsers)
		t, err := jet.NewSet(loader).GetTemplate("/users.jet")
		return func(out *bytes.Buffer, p *usersPage) error { return t.Execute(out, nil, p) }, err
	}},
}

// templates returns the group of template engines.
func templates() []Group {
	g := Group{Name: "template/users"}
	for _, e := range engines {
		g.Cases = append(g.Cases, Case{Name: e.name, Build: func() (func() error, int) { return renderUsers(e), 1 }})
	}
	return []Group{g}
}

// renderUsers compares the first page with what it has to be, and the others by their length.
func renderUsers(e engine) func() error {
	page := fiftyUsers()
	var want, out bytes.Buffer
	render, err := e.compile()
	if err == nil {
		err = usersByHand(&want, page)
	}
	if err == nil {
		err = render(&out, page)
	}
	if err == nil && !bytes.Equal(out.Bytes(), want.Bytes()) {
		err = fmt.Errorf("the page is\n%s\nwant\n%s", &out, &want)
	}
	if err != nil {
		return func() error { return fmt.Errorf("%s: %w", e.name, err) }
	}
	length := want.Len()
	return func() error {
		out.Reset()
		if err := render(&out, page); err != nil {
			return err
		}
		if out.Len() != length {
			return fmt.Errorf("the page has %d octets, want %d", out.Len(), length)
		}
		return nil
	}
}

// usersByHand is the page as a program writes it that needs no other.
func usersByHand(out *bytes.Buffer, p *usersPage) error {
	var digits [20]byte
	out.WriteString("<html><title>")
	writeEscaped(out, p.Title)
	out.WriteString("</title><ul>")
	for i := range p.Users {
		u := &p.Users[i]
		out.WriteString(`<li id="u`)
		out.Write(strconv.AppendInt(digits[:0], int64(u.ID), 10))
		out.WriteString(`"><a href="/users/`)
		out.Write(strconv.AppendInt(digits[:0], int64(u.ID), 10))
		out.WriteString(`">`)
		writeEscaped(out, u.Name)
		out.WriteString("</a> ")
		writeEscaped(out, u.Email)
		if u.Admin {
			out.WriteString(" (admin)")
		}
		out.WriteString("</li>")
	}
	out.WriteString("</ul></html>")
	return nil
}

func writeEscaped(out *bytes.Buffer, text string) {
	last := 0
	for i := range len(text) {
		var escape string
		switch text[i] {
		case '<':
			escape = "&lt;"
		case '>':
			escape = "&gt;"
		case '&':
			escape = "&amp;"
		case '"':
			escape = "&#34;"
		case '\'':
			escape = "&#39;"
		default:
			continue
		}
		out.WriteString(text[last:i])
		out.WriteString(escape)
		last = i + 1
	}
	out.WriteString(text[last:])
}
