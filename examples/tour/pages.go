package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"

	"github.com/ishaa-framework/ishaa"
)

//go:embed web
var web embed.FS

// pages are the shop's HTML pages.
type pages struct {
	catalog   *catalog
	templates *template.Template
}

func addPages(app *ishaa.App, c *catalog) {
	p := &pages{c, template.Must(template.New("").Funcs(template.FuncMap{
		"url":   app.URL, // {{url "album" "id" .ID}}: an address by the route's name
		"price": price,
	}).ParseFS(web, "web/*.html"))}

	app.Get("/", p.home, ishaa.Name("home"))
	app.Get("/search", p.search, ishaa.Name("search"))
	app.Get("/albums/<int:id>", p.album, ishaa.Name("album"))

	// The same page for a whole family of hosts: jazz.shop.example, blues.shop.example …
	app.Get("/", p.home, ishaa.Host("<genre>.shop.example"))

	style, err := fs.Sub(web, "web/static")
	must(err)
	app.Get("/static/<path:file>", func(r *ishaa.Request) (any, error) {
		return ishaa.FileFS(style, r.Param("file")), nil
	}, ishaa.Name("static"))

	// Every 404, those of routes that do not exist too. Browsers get a page, programs the problem document.
	app.OnStatus(404, func(r *ishaa.Request, err error) (any, error) {
		if r.Accepts("application/json", "text/html") != "text/html" {
			return nil, err
		}
		home, _ := app.URL("home")
		return ishaa.HTMLf(`<!DOCTYPE html>
<title>Not in stock</title>
<h1>Not in stock</h1>
<p>There is nothing at %s. <a href="%s">Back to the shop</a></p>
`, r.Path(), home), nil
	})
}

// home shows a genre: the one that the host names, or else the visitor's favourite.
func (p *pages) home(r *ishaa.Request) (any, error) {
	visitor, err := ishaa.Resolve[visitor](r) // the dependency that typed handlers have as a field
	if err != nil {
		return nil, err
	}
	genre := string(visitor.Genre)
	if name := r.Param("genre"); name != "" {
		var ok bool
		if genre, ok = p.catalog.genre(name); !ok {
			return nil, &missing{"genre", name}
		}
	}
	albums := p.catalog.albumsOf(genre)
	return p.render("home.html", map[string]any{
		"Genre":  genre,
		"Genres": p.catalog.genres,
		"Albums": albums[:min(12, len(albums))],
		"Total":  len(albums),
	})
}

func (p *pages) search(r *ishaa.Request) (any, error) {
	query := r.Query("q")
	return p.render("search.html", map[string]any{"Query": query, "Albums": p.catalog.search(query)})
}

func (p *pages) album(r *ishaa.Request) (any, error) {
	a, err := p.catalog.album(int(r.ParamInt("id"))) // the router has checked that it is a number
	if err != nil {
		return nil, err
	}
	return p.render("album.html", a)
}

// render executes a page whole before anything is sent, so that a mistake in a template is a clean 500.
func (p *pages) render(name string, value any) (any, error) {
	var page bytes.Buffer
	if err := p.templates.ExecuteTemplate(&page, name, value); err != nil {
		return nil, err
	}
	return ishaa.HTML(page.String()), nil
}

func price(cents int) string { return fmt.Sprintf("€ %d.%02d", cents/100, cents%100) }
