package main

import (
	"compress/gzip"
	"embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// The catalogue never changes while the program runs, so handlers read it without a lock.

type album struct {
	ID     int      `json:"id"`
	Title  string   `json:"title"`
	Artist string   `json:"artist"`
	Genre  string   `json:"genre"`
	Tracks []*track `json:"-"`
}

type artist struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	Albums int    `json:"albums"` // how many
}

type track struct {
	ID           int    `json:"id"`
	Name         string `json:"name"`
	AlbumID      int    `json:"album_id"`
	Genre        string `json:"genre"`
	Composer     string `json:"composer,omitempty"`
	Milliseconds int    `json:"milliseconds"`
	PriceCents   int    `json:"price_cents"`
}

// sale is one track sold.
type sale struct {
	Date       string
	Country    string
	Track      *track
	Quantity   int
	PriceCents int
}

type catalog struct {
	artists   []*artist // by id
	albums    []*album  // by id
	tracks    []*track  // by id
	genres    []string  // sorted
	sales     []sale    // in the order they were made
	albumByID map[int]*album
	trackByID map[int]*track
}

//go:embed data/catalog.json.gz data/sales.csv.gz
var data embed.FS

// openCatalog reads the files that are part of the program: if they are wrong, so is the program.
func openCatalog() *catalog {
	c := &catalog{albumByID: map[int]*album{}, trackByID: map[int]*track{}}
	var file struct {
		Albums []*album `json:"albums"`
		Tracks []*track `json:"tracks"`
	}
	must(json.NewDecoder(unpack("data/catalog.json.gz")).Decode(&file))
	c.albums, c.tracks = file.Albums, file.Tracks
	byName := map[string]*artist{}
	for _, a := range c.albums {
		c.albumByID[a.ID] = a
		if byName[a.Artist] == nil {
			byName[a.Artist] = &artist{ID: len(c.artists) + 1, Name: a.Artist}
			c.artists = append(c.artists, byName[a.Artist])
		}
		byName[a.Artist].Albums++
	}
	for _, t := range c.tracks {
		a := c.albumByID[t.AlbumID]
		a.Tracks = append(a.Tracks, t)
		a.Genre = a.Tracks[0].Genre
		c.trackByID[t.ID] = t
		c.genres = append(c.genres, t.Genre)
	}
	slices.Sort(c.genres)
	c.genres = slices.Compact(c.genres)
	c.readSales()
	return c
}

func (c *catalog) readSales() {
	rows, err := csv.NewReader(unpack("data/sales.csv.gz")).ReadAll()
	must(err)
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		must(err)
		return n
	}
	for _, row := range rows[1:] {
		c.sales = append(c.sales, sale{row[0], row[1], c.trackByID[number(row[2])], number(row[3]), number(row[4])})
	}
}

func unpack(name string) io.Reader {
	file, err := data.Open(name)
	must(err)
	content, err := gzip.NewReader(file)
	must(err)
	return content
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// missing is the error for what the catalogue does not have. It knows nothing of HTTP but its status, by which it is
// answered like a problem of that status.
type missing struct {
	what string
	id   any
}

func (e *missing) Error() string { return fmt.Sprintf("there is no %s %v", e.what, e.id) }

// HTTPStatus maps the error to 404 Not Found.
func (e *missing) HTTPStatus() int { return 404 }

// album returns an album by its number.
func (c *catalog) album(id int) (*album, error) {
	if a := c.albumByID[id]; a != nil {
		return a, nil
	}
	return nil, &missing{"album", id}
}

// genre returns a genre as the catalogue spells it, and whether it has it.
func (c *catalog) genre(name string) (string, bool) {
	i := slices.IndexFunc(c.genres, func(g string) bool { return strings.EqualFold(g, name) })
	if i < 0 {
		return "", false
	}
	return c.genres[i], true
}

// albumsOf lists the albums of a genre, or all of them for "".
func (c *catalog) albumsOf(genre string) []*album {
	if genre == "" {
		return c.albums
	}
	var list []*album
	for _, a := range c.albums {
		if a.Genre == genre {
			list = append(list, a)
		}
	}
	return list
}

// bestSellers lists the albums of a genre, or of all for "", that sold most tracks, those that sold best first.
func (c *catalog) bestSellers(genre string, most int) []*album {
	sold := map[int]int{}
	for _, s := range c.sales {
		sold[s.Track.AlbumID] += s.Quantity
	}
	list := slices.Clone(c.albumsOf(genre))
	slices.SortStableFunc(list, func(a, b *album) int { return sold[b.ID] - sold[a.ID] })
	return list[:min(most, len(list))]
}

// search lists the albums whose title or artist holds the words of the query, whatever their case and order.
func (c *catalog) search(query string) []*album {
	words := strings.Fields(strings.ToLower(query))
	list := []*album{}
	for _, a := range c.albums {
		text := strings.ToLower(a.Title + " " + a.Artist)
		missing := func(word string) bool { return !strings.Contains(text, word) }
		if len(words) > 0 && !slices.ContainsFunc(words, missing) {
			list = append(list, a)
		}
	}
	return list
}
