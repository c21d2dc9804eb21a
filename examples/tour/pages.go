package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/static"
	"github.com/ishaa-framework/ishaa/template"
)

//go:embed web
var web embed.FS

// pages are the shop's HTML pages. Their templates are compiled when the program starts: one with a mistake keeps it
// from starting, and "tour check" finds it.
type pages struct {
	catalog *catalog
}

// albumsAtOnce is how many albums the home page begins with, and how many more its button loads.
const albumsAtOnce = 12

func addPages(app *ishaa.App, c *catalog) {
	templates, err := fs.Sub(web, "web/pages")
	must(err)
	files, err := fs.Sub(web, "web/static")
	must(err)
	app.Install(
		template.New(templates, template.Options{
			Filters: map[string]any{"price": price},    // {{ track.price_cents|price }}
			Syntax:  template.Syntax{TrimBlocks: true}, // no empty lines where tags stand alone
		}),
		static.FS(files, "/static"), // {{ url("static", "shop.css") }} is /static/shop.HASH.css, which browsers keep for a year
	)
	p := &pages{c}
	app.Get("/", p.home, ishaa.Name("home"))
	app.Get("/more", p.more, ishaa.Name("more"))
	app.Get("/search", p.search, ishaa.Name("search"))
	app.Get("/search/results", p.results, ishaa.Name("results"))
	app.Get("/albums/<int:id>", p.album, ishaa.Name("album"))

	// The same page for a whole family of hosts: jazz.shop.example, blues.shop.example …
	app.Get("/", p.home, ishaa.Host("<genre>.shop.example"))

	// Every 404, those of routes that do not exist too. Browsers get a page, programs the problem document.
	app.OnStatus(404, func(r *ishaa.Request, err error) (any, error) {
		if r.Accepts("application/json", "text/html") != "text/html" {
			return nil, err
		}
		return template.Page("missing.html", nil), nil // a template has the request by itself
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
	data, err := p.shelf(r.Context(), genre, 0, pageNumber(r))
	return template.Page("home.html", data), err
}

// more is a block of the home page without what is around it: the albums that a script puts in place of the button. It
// has an address of its own, so no cache can mistake it for the page.
func (p *pages) more(r *ishaa.Request) (any, error) {
	genre, ok := p.catalog.genre(r.Query("genre"))
	if !ok && r.Query("genre") != "" {
		return nil, &missing{"genre", r.Query("genre")}
	}
	number := pageNumber(r)
	data, err := p.shelf(r.Context(), genre, number-1, number)
	return template.Block("home.html", "more", data), err
}

// shelf is what the home page shows: the albums of a genre, after so many pages of them and up to so many.
func (p *pages) shelf(ctx context.Context, genre string, after, upTo int) (map[string]any, error) {
	all := p.catalog.albumsOf(genre)
	total, err := all.Count(ctx)
	if err != nil {
		return nil, err
	}
	albums, err := listAlbums(ctx, all.Offset(after*albumsAtOnce).Limit((upTo-after)*albumsAtOnce))
	data := map[string]any{"genre": genre, "genres": p.catalog.genres, "albums": albums, "total": total}
	if int64(upTo*albumsAtOnce) < total {
		data["next"] = upTo + 1
	}
	return data, err
}

// pageNumber is 1 for whatever is no page.
func pageNumber(r *ishaa.Request) int {
	number, err := strconv.Atoi(r.Query("page"))
	if err != nil || number < 1 || number > 1000 {
		return 1
	}
	return number
}

func (p *pages) search(r *ishaa.Request) (any, error) {
	data, err := p.found(r)
	return template.Page("search.html", data), err
}

// results is the block of the search page that changes with every key.
func (p *pages) results(r *ishaa.Request) (any, error) {
	data, err := p.found(r)
	if err != nil {
		return nil, err
	}
	address, err := r.App().URL("search", "q", data["query"])
	r.Response().Header().Set("HX-Replace-Url", address) // what is found can be bookmarked
	return template.Block("search.html", "results", data), err
}

func (p *pages) found(r *ishaa.Request) (map[string]any, error) {
	query := r.Query("q")
	albums, err := p.catalog.search(r.Context(), query)
	return map[string]any{"query": query, "albums": albums}, err
}

func (p *pages) album(r *ishaa.Request) (any, error) {
	a, err := p.catalog.album(r.Context(), r.ParamInt("id")) // the router has checked that it is a number
	if err != nil {
		return nil, err
	}
	return albumPage(a, emptyForm()), nil
}

// albumPage shows an album with its form, empty or as it was sent.
func albumPage(a *albumDetail, f *form) any {
	return template.Page("album.html", map[string]any{"album": a, "form": f})
}

func price(cents int) string { return fmt.Sprintf("€ %d.%02d", cents/100, cents%100) }
