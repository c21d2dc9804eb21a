package main

import (
	"strconv"

	"github.com/ishaa-framework/ishaa"
)

// albumPage is one page of a list.
type albumPage struct {
	Albums []*album `json:"albums"`
	Total  int      `json:"total"` // on all pages
	Next   string   `json:"next,omitempty"`
}

// albumDetail is an album with what is on it.
type albumDetail struct {
	*album
	Tracks []*track `json:"tracks"`
}

// addAPI adds the catalogue as JSON: what a handler returns is encoded.
func addAPI(api *ishaa.Blueprint, c *catalog) {
	api.Get("/albums", func(r *ishaa.Request) (any, error) { return listAlbums(r, c) }, ishaa.Name("albums")) // "api.albums"

	api.Get("/albums/<int:id>", func(r *ishaa.Request) (any, error) {
		a, err := c.find(r)
		if err != nil {
			return nil, err
		}
		return albumDetail{a, a.Tracks}, nil
	}, ishaa.Name("album"))

	api.Get("/search", func(r *ishaa.Request) (any, error) {
		return c.search(r.Query("q")), nil
	}, ishaa.Name("search"))
}

func listAlbums(r *ishaa.Request, c *catalog) (any, error) {
	page, err := number(r, "page", 1, 1000, 1)
	if err != nil {
		return nil, err
	}
	size, err := number(r, "size", 1, 100, 20)
	if err != nil {
		return nil, err
	}
	genre, err := genreOf(r, c)
	if err != nil {
		return nil, err
	}
	all := c.albumsOf(genre)
	from := min((page-1)*size, len(all))
	to := min(from+size, len(all))
	result := albumPage{Albums: all[from:to], Total: len(all)}
	if to < len(all) {
		query := []any{"page", page + 1, "size", size}
		if genre != "" {
			query = append(query, "genre", genre)
		}
		// A problem with a name or a parameter is an error, never a broken link.
		if result.Next, err = r.App().URL("api.albums", query...); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// number reads a query parameter between two bounds.
func number(r *ishaa.Request, name string, least, most, fallback int) (int, error) {
	text := r.Query(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, ishaa.Unprocessable("%s: expected a number from %d to %d, got %q", name, least, most, text)
	}
	return n, nil
}

// genreOf reads the query parameter genre; "" is every genre.
func genreOf(r *ishaa.Request, c *catalog) (string, error) {
	name := r.Query("genre")
	genre, ok := c.genre(name)
	if name != "" && !ok {
		return "", ishaa.Unprocessable("genre: there is no genre %q", name).With("genres", c.genres)
	}
	return genre, nil
}
