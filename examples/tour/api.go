package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/openapi"
	"github.com/ishaa-framework/ishaa/orm"
)

// addAPI adds the catalogue as JSON, by typed handlers. The tags of an input say where each field comes from and what is
// allowed; whatever does not fit is answered by one 422 that lists it all, and the method does not run.
func addAPI(api *ishaa.Blueprint, s *shop) {
	ishaa.Get(api, "/artists", s.Artists, ishaa.Name("artists")) // "api.artists"
	ishaa.Get(api, "/artists/<int:id>", s.Artist)
	ishaa.Get(api, "/albums", s.Albums, ishaa.Name("albums"))
	ishaa.Get(api, "/albums/<int:id>", s.Album)
	ishaa.Get(api, "/tracks", s.Tracks, ishaa.Name("tracks"), openapi.Problems(400)) // a cursor of another list: no type tells
	ishaa.Get(api, "/sales", s.Sales)
	ishaa.Get(api, "/search", s.Search)
	ishaa.Get(api, "/tips", s.Tips)
}

// byID is the input of whatever is one thing.
type byID struct {
	ID int64 `path:"id" minimum:"1"`
}

type artistQuery struct {
	paging
	Sort string `query:"sort" enum:"id,name,-albums" default:"id"`
}

// Artists lists the artists that the shop has albums of, counted by the database: the outputs beside an aggregate are
// what it groups by.
func (s *shop) Artists(ctx context.Context, in *artistQuery) (*page[artist], error) {
	total, err := s.artists.Filter("albums__isnull", false).Count(ctx)
	if err != nil {
		return nil, err
	}
	list := []artist{}
	err = s.albums.OrderBy(in.Sort, "id").Limit(in.Size).Offset(in.skip()).Values(ctx, &list,
		orm.F("artist__id").As("id"), orm.F("artist__name").As("name"), orm.Count("*").As("albums"))
	if err != nil {
		return nil, err
	}
	return pageOf(s, list, total, in.paging, "api.artists", "sort", in.Sort)
}

type artistDetail struct {
	artist
	Discography []album `json:"discography"`
}

// Artist finds an artist and what the shop has of them.
func (s *shop) Artist(ctx context.Context, in *byID) (*artistDetail, error) {
	a, err := s.artists.Get(ctx, in.ID)
	if err != nil {
		return nil, found(err, "artist", in.ID)
	}
	albums, err := listAlbums(ctx, s.albums.Filter("artist", a.ID).OrderBy("id"))
	return &artistDetail{artist{a.ID, a.Name, len(albums)}, albums}, err
}

type albumQuery struct {
	paging
	Genre genre  `query:"genre"`
	Sort  string `query:"sort" enum:"id,title,-title" default:"id"`
}

// Albums lists the albums, of a genre if one is given.
func (s *shop) Albums(ctx context.Context, in *albumQuery) (*page[album], error) {
	q := s.albumsOf(string(in.Genre))
	total, err := q.Count(ctx)
	if err != nil {
		return nil, err
	}
	list, err := listAlbums(ctx, q.OrderBy(cmp.Or(in.Sort, "id"), "id").Limit(in.Size).Offset(in.skip()))
	if err != nil {
		return nil, err
	}
	return pageOf(s, list, total, in.paging, "api.albums", "genre", in.Genre, "sort", in.Sort)
}

// Album finds an album and what is on it.
func (s *shop) Album(ctx context.Context, in *byID) (*albumDetail, error) { return s.album(ctx, in.ID) }

type trackQuery struct {
	Size     int           `query:"size" minimum:"1" maximum:"100" default:"20"`
	After    string        `query:"after" maxLength:"1000" doc:"where the last page ended: follow next"`
	Genre    genre         `query:"genre"`
	Playlist int64         `query:"playlist" minimum:"1"`
	Longest  time.Duration `query:"longest" default:"24h" doc:"leaves longer tracks out"`
}

// Tracks lists the tracks. It is the long list, so its pages have no numbers: each begins where the last one ended, which
// the database finds by an index instead of counting rows, and tracks that come and go in between shift nothing.
func (s *shop) Tracks(ctx context.Context, in *trackQuery) (*page[track], error) {
	q := s.tracks.With("Genre").Filter("milliseconds__lte", in.Longest.Milliseconds()).OrderBy("id")
	filters := []any{"genre", in.Genre, "longest", in.Longest}
	if in.Genre != "" {
		q = q.Filter("genre__name", string(in.Genre))
	}
	if in.Playlist > 0 {
		q = q.Filter("playlists", in.Playlist) // over the table between: those that have a row there
		filters = append(filters, "playlist", in.Playlist)
	}
	total, err := q.Count(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := q.Page(ctx, orm.PageRequest{Size: in.Size, After: in.After})
	if errors.Is(err, orm.ErrCursor) {
		return nil, ishaa.BadRequest("after: %s", orm.ErrCursor)
	} else if err != nil {
		return nil, err
	}
	p := &page[track]{Items: []track{}, Total: total}
	for i := range rows.Rows {
		p.Items = append(p.Items, rows.Rows[i].shown())
	}
	if rows.Next != "" {
		p.Next, err = s.next("api.tracks", append([]any{"after", rows.Next, "size", in.Size}, filters...))
	}
	return p, err
}

type country struct {
	Country    string `json:"country"`
	Orders     int64  `json:"orders"`
	TotalCents int    `json:"total_cents"`
}

// Sales adds up what customers of each country have bought.
func (s *shop) Sales(ctx context.Context, _ *struct{}) ([]country, error) {
	var rows []struct {
		Country string
		Orders  int64
		Total   orm.Decimal
	}
	err := orm.Of[Invoice](s.db).Filter("customer__isnull", false).OrderBy("-total", "country").Values(ctx, &rows,
		orm.F("customer__country").As("country"), orm.Count("*").As("orders"), orm.Sum("total").As("total"))
	list := []country{}
	for _, r := range rows {
		list = append(list, country{r.Country, r.Orders, cents(r.Total)})
	}
	return list, err
}

type searchQuery struct {
	Words string `query:"q" required:"true" minLength:"2" maxLength:"100"`
}

// Search finds albums by words of their titles and artists.
func (s *shop) Search(ctx context.Context, in *searchQuery) ([]album, error) {
	return s.search(ctx, in.Words)
}

type tipsQuery struct {
	Visitor *visitor // a dependency: see visitors.go
	Count   int      `query:"count" minimum:"1" maximum:"10" default:"3"`
}

type tips struct {
	Genre  genre   `json:"genre,omitempty"`
	Albums []album `json:"albums"`
}

// Tips are the best-selling albums of the visitor's favourite genre.
func (s *shop) Tips(ctx context.Context, in *tipsQuery) (*tips, error) {
	albums, err := s.bestSellers(ctx, string(in.Visitor.Genre), in.Count)
	return &tips{in.Visitor.Genre, albums}, err
}
