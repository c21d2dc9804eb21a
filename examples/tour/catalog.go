package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
)

// What pages and the API show of the records. Values fills such structs by the names of their fields, from columns of
// several tables in one statement; nothing is read that is not shown.

type album struct {
	ID     int64  `json:"id"`
	Title  string `json:"title"`
	Artist string `json:"artist"`
	Genre  string `json:"genre"`
}

// albumFields are what an album is shown with. Names lead over relations: "artist__name" joins the artist's table.
var albumFields = []any{"id", "title", orm.F("artist__name").As("artist"), orm.F("genre__name").As("genre")}

type artist struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Albums int    `json:"albums"` // how many
}

type track struct {
	ID           int64  `json:"id"`
	Name         string `json:"name"`
	AlbumID      int64  `json:"album_id"`
	Genre        string `json:"genre"`
	Composer     string `json:"composer,omitempty"`
	Milliseconds int    `json:"milliseconds"`
	PriceCents   int    `json:"price_cents"`
}

// shown is a track as it is shown. With has loaded its genre.
func (t *Track) shown() track {
	return track{t.ID, t.Name, t.AlbumID, t.Genre.Get().Name, t.Composer, t.Milliseconds, cents(t.UnitPrice)}
}

// cents is an amount of money that has two digits after its point.
func cents(amount orm.Decimal) int {
	n, err := strconv.Atoi(strings.Replace(string(amount), ".", "", 1))
	must(err) // the column has a scale of 2
	return n
}

// money is cents as an amount.
func money(cents int) orm.Decimal { return orm.Decimal(fmt.Sprintf("%d.%02d", cents/100, cents%100)) }

type catalog struct {
	artists orm.Repository[Artist]
	albums  orm.Repository[Album]
	tracks  orm.Repository[Track]
	lines   orm.Repository[InvoiceLine]
	genres  []string // sorted: records come and go, their kinds do not
}

func newCatalog(db *orm.DB) *catalog {
	return &catalog{
		artists: orm.Of[Artist](db), albums: orm.Of[Album](db), tracks: orm.Of[Track](db), lines: orm.Of[InvoiceLine](db),
		genres: genreNames(),
	}
}

// genreNames reads the genres from the embedded data, where they come first: the schema of the API needs them before the
// database is there.
func genreNames() (names []string) {
	in, err := openChinook()
	must(err)
	var head tableHead
	must(in.Decode(&head))
	for range head.Rows {
		var g Genre
		must(in.Decode(&g))
		names = append(names, g.Name)
	}
	slices.Sort(names)
	return names
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

// found says what is missing when a row is not there; other errors stay what they are. Without it the ORM's own error would
// be a 404 as well, one that names the table.
func found(err error, what string, id any) error {
	if errors.Is(err, orm.ErrNotFound) {
		return &missing{what, id}
	}
	return err
}

// albumDetail is an album and what is on it.
type albumDetail struct {
	ID     int64   `json:"id"`
	Title  string  `json:"title"`
	Artist string  `json:"artist"`
	Genre  string  `json:"genre"`
	Tracks []track `json:"tracks"`
}

// album returns an album by its number. With loads relations by one statement each, however many rows there are.
func (c *catalog) album(ctx context.Context, id int64) (*albumDetail, error) {
	a, err := c.albums.With("Artist", "Genre", "Tracks.Genre").Filter("id", id).One(ctx)
	if err != nil {
		return nil, found(err, "album", id)
	}
	detail := &albumDetail{ID: a.ID, Title: a.Title, Artist: a.Artist.Get().Name, Genre: a.Genre.Get().Name}
	for _, t := range a.Tracks.All() {
		detail.Tracks = append(detail.Tracks, t.shown())
	}
	return detail, nil
}

// hasAlbum returns an error if there is no such album.
func (c *catalog) hasAlbum(ctx context.Context, id int64) error {
	there, err := c.albums.Filter("id", id).Exists(ctx)
	if err == nil && !there {
		err = &missing{"album", id}
	}
	return err
}

// genre returns a genre as the catalogue spells it, and whether it has it.
func (c *catalog) genre(name string) (string, bool) {
	i := slices.IndexFunc(c.genres, func(g string) bool { return strings.EqualFold(g, name) })
	if i < 0 {
		return "", false
	}
	return c.genres[i], true
}

// albumsOf is the albums of a genre, or all of them for "". A query is a value: it is refined by whoever gets it, and
// runs when rows are asked for.
func (c *catalog) albumsOf(genre string) orm.Query[Album] {
	q := c.albums.OrderBy("id")
	if genre != "" {
		q = q.Filter("genre__name", genre)
	}
	return q
}

// listAlbums runs a query for albums as they are shown.
func listAlbums(ctx context.Context, q orm.Query[Album]) ([]album, error) {
	list := []album{}
	return list, q.Values(ctx, &list, albumFields...)
}

// bestSellers lists the albums of a genre, or of all for "", that sold most tracks, those that sold best first: an
// aggregate over a join of five tables, grouped by what is shown.
func (c *catalog) bestSellers(ctx context.Context, genre string, most int) ([]album, error) {
	q := c.lines.Query()
	if genre != "" {
		q = q.Filter("track__album__genre__name", genre)
	}
	var sold []struct {
		album
		Sold int64
	}
	err := q.OrderBy("-sold", "id").Limit(most).Values(ctx, &sold,
		orm.F("track__album__id").As("id"), orm.F("track__album__title").As("title"), orm.F("track__album__artist__name").As("artist"),
		orm.F("track__album__genre__name").As("genre"), orm.Sum("quantity").As("sold"))
	list := []album{}
	for _, s := range sold {
		list = append(list, s.album)
	}
	return list, err
}

// wordsAtMost bounds what one search asks of the database.
const wordsAtMost = 10

// search lists the albums whose title or artist holds the words of the query, whatever their case and order. Words are
// bound as values, so that nothing in them means anything to SQL, nor to LIKE.
func (c *catalog) search(ctx context.Context, query string) ([]album, error) {
	words := strings.Fields(query)
	if len(words) == 0 {
		return []album{}, nil
	}
	q := c.albums.OrderBy("id")
	for _, word := range words[:min(len(words), wordsAtMost)] {
		q = q.Filter(orm.Or(orm.Q("title__icontains", word), orm.Q("artist__name__icontains", word)))
	}
	return listAlbums(ctx, q)
}

// tracksAtOnce is how many tracks are read at once where all of them are.
const tracksAtOnce = 500

// eachTrack yields tracks in the order of their numbers. It reads them page by page, so that a client that reads slowly
// holds no connection to the database in the meantime.
func eachTrack(ctx context.Context, q orm.Query[Track]) func(yield func(track, error) bool) {
	return func(yield func(track, error) bool) {
		ask := orm.PageRequest{Size: tracksAtOnce}
		for {
			page, err := q.With("Genre").OrderBy("id").Page(ctx, ask)
			if err != nil {
				yield(track{}, err)
				return
			}
			for i := range page.Rows {
				if !yield(page.Rows[i].shown(), nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			ask.After = page.Next
		}
	}
}

// sale is one track sold.
type sale struct {
	ID       int64
	Date     time.Time
	Country  string
	Track    string
	Quantity int
	Price    orm.Decimal
}

// eachSale yields the sales in the order they were made, page by page like eachTrack. Values has no pages, so the place
// where one ends is kept by hand: the same thing without the cursor.
func (c *catalog) eachSale(ctx context.Context) func(yield func(sale, error) bool) {
	return func(yield func(sale, error) bool) {
		for last := int64(0); ; {
			var some []sale
			err := c.lines.Filter("id__gt", last).OrderBy("id").Limit(tracksAtOnce).Values(ctx, &some, "id",
				orm.F("invoice__date").As("date"), orm.Coalesce(orm.F("invoice__country"), "").As("country"), orm.F("track__name").As("track"),
				"quantity", orm.F("unit_price").As("price"))
			if err != nil {
				yield(sale{}, err)
				return
			}
			for _, s := range some {
				if !yield(s, nil) {
					return
				}
			}
			if len(some) < tracksAtOnce {
				return
			}
			last = some[len(some)-1].ID
		}
	}
}

// trackAfter is the track with the next number, and the first one after the last.
func (c *catalog) trackAfter(ctx context.Context, id int64) (Track, error) {
	q := c.tracks.With("Album.Artist").OrderBy("id")
	t, err := q.Filter("id__gt", id).First(ctx)
	if errors.Is(err, orm.ErrNotFound) {
		t, err = q.First(ctx)
	}
	return t, err
}
