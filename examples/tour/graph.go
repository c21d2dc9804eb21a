package main

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/graphql"
	"github.com/ishaa-framework/ishaa/graphql/relay"
	"github.com/ishaa-framework/ishaa/openapi"
	"github.com/ishaa-framework/ishaa/orm"
)

// graph is the shop as GraphQL: the same records and the same rules as the API, for clients that say what they want of
// them. What a list holds of other tables is loaded for all its rows at once, however deep a query goes.
type graph struct {
	*shop
	accounts *accounts
	radio    *radio
}

// What clients see of the records. Unexported fields are for resolvers.

type graphArtist struct {
	ID   graphql.ID
	Name string
}

type graphAlbum struct {
	ID              graphql.ID
	Title           string
	id              int64
	artistID, genre int64
}

type graphTrack struct {
	ID           graphql.ID
	Name         string
	Composer     *string // null where nobody knows
	Milliseconds int
	PriceCents   int
	albumID      int64
}

type graphOrder struct {
	ID         graphql.ID
	Created    time.Time
	TotalCents int
}

func graphID(n int64) graphql.ID { return graphql.ID(strconv.FormatInt(n, 10)) }

// number is the key that an ID stands for; one that is none stands for a row that is not there.
func number(id graphql.ID) int64 {
	n, _ := strconv.ParseInt(string(id), 10, 64)
	return n
}

func artistOf(a *Artist) graphArtist { return graphArtist{graphID(a.ID), a.Name} }

func albumOf(a *Album) graphAlbum {
	return graphAlbum{ID: graphID(a.ID), Title: a.Title, id: a.ID, artistID: a.ArtistID, genre: a.GenreID}
}

func trackOf(t *Track) graphTrack {
	shown := graphTrack{ID: graphID(t.ID), Name: t.Name, Milliseconds: t.Milliseconds, PriceCents: cents(t.UnitPrice), albumID: t.AlbumID}
	if t.Composer != "" {
		shown.Composer = &t.Composer
	}
	return shown
}

// addGraph serves it at /graphql, with an editor for browsers. Who is signed in by their session is known there too.
func addGraph(app *ishaa.App, s *shop, a *accounts) {
	b := ishaa.NewBlueprint("graphql", "", a.sessions.Middleware(), auth.Optional(a.login))
	graphql.Mount(b, "/graphql", (&graph{s, a, &radio{app, s.catalog}}).schema(), graphql.Options{
		GraphiQL:  true,
		BodyLimit: 16 << 10,
		Routes:    []ishaa.RouteOption{openapi.Hidden()}, // it has a schema of its own
	})
	app.Register(b)
}

func (g *graph) schema() *graphql.Schema {
	s := graphql.New()
	graphql.Describe[graphArtist](s, graphql.TypeInfo{Name: "Artist", Doc: "A person or a band."})
	graphql.Describe[graphAlbum](s, graphql.TypeInfo{Name: "Album", Doc: "A record."})
	graphql.Describe[graphTrack](s, graphql.TypeInfo{Name: "Track", Doc: "A part of an album, and what is sold."})
	graphql.Describe[graphOrder](s, graphql.TypeInfo{Name: "Order"})
	graphql.Describe[orderItem](s, graphql.TypeInfo{Name: "OrderItemInput"})
	graphql.Describe[albumOrder](s, graphql.TypeInfo{Name: "AlbumOrder"})
	graphql.EnumOf(s, graphql.EnumValue[albumOrder]{Value: "id", Name: "NUMBER"},
		graphql.EnumValue[albumOrder]{Value: "title", Name: "TITLE"}, graphql.EnumValue[albumOrder]{Value: "-title", Name: "TITLE_BACKWARDS"})
	graphql.Describe[genre](s, graphql.TypeInfo{Name: "Genre"})
	names := make([]genre, len(g.genres))
	for i, name := range g.genres {
		names[i] = genre(name)
	}
	graphql.Enum(s, names...) // HIP_HOP_RAP for "Hip Hop/Rap"
	relay.Register[graphAlbum](s, "Album")
	relay.Register[graphArtist](s, "Artist")

	graphql.Query(s, "album", g.Album, graphql.Doc("An album by its number; null if there is none."))
	graphql.Query(s, "albums", g.Albums, relay.Cost(relay.Options{}))
	graphql.Query(s, "artists", g.Artists, relay.Cost(relay.Options{}))
	graphql.Batch(s, "artist", g.artistsOf, graphql.Type("Artist!"))
	graphql.Batch(s, "genre", g.genresOf, graphql.Type("Genre!"))
	graphql.Batch(s, "tracks", g.tracksOf, graphql.Cost(1, "10")) // there are some ten on an album
	graphql.Batch(s, "albums", g.albumsOf, graphql.Cost(1, "2"))
	graphql.Batch(s, "album", g.albumsOfTracks, graphql.Type("Album!"))

	graphql.Mutation(s, "placeOrder", g.PlaceOrder, graphql.Authorize(g.customer), graphql.Doc("For members, as many a minute as the API takes."))
	graphql.Mutation(s, "retitleAlbum", g.RetitleAlbum, graphql.Authorize(onlyStaff), graphql.Doc("For staff."))
	graphql.Subscription(s, "nowPlaying", g.NowPlaying, graphql.Type("Track!"), graphql.Doc("The shop's radio."))
	return s
}

// Album finds an album.
func (g *graph) Album(ctx context.Context, in struct{ ID graphql.ID }) (*graphAlbum, error) {
	row, err := g.albums.Get(ctx, number(in.ID))
	if errors.Is(err, orm.ErrNotFound) {
		return nil, nil
	}
	a := albumOf(&row)
	return &a, err
}

// albumOrder is what lists of albums may be sorted by.
type albumOrder string

type graphAlbums struct {
	relay.Args
	Genre *genre
	Title string     `default:"" maxLength:"100" doc:"a part of the title"`
	Sort  albumOrder `default:"NUMBER"`
}

// Albums lists albums in parts, from either end. A part costs the same wherever in the list it is.
func (g *graph) Albums(ctx context.Context, in graphAlbums) (*relay.Connection[graphAlbum], error) {
	q := g.albums.OrderBy(string(in.Sort))
	if in.Genre != nil {
		q = q.Filter("genre__name", string(*in.Genre))
	}
	if in.Title != "" {
		q = q.Filter("title__icontains", in.Title)
	}
	rows, err := relay.Of(ctx, q, in.Args, relay.Options{})
	if err != nil {
		return nil, err
	}
	return relay.Map(rows, albumOf), nil
}

// Artists lists the artists by their names.
func (g *graph) Artists(ctx context.Context, in relay.Args) (*relay.Connection[graphArtist], error) {
	rows, err := relay.Of(ctx, g.artists.OrderBy("name"), in, relay.Options{})
	if err != nil {
		return nil, err
	}
	return relay.Map(rows, artistOf), nil
}

// The batch resolvers get all objects of a place, and ask the database once.

func (g *graph) artistsOf(ctx context.Context, albums []*graphAlbum, _ struct{}) ([]*graphArtist, error) {
	return leading(ctx, g.artists, albums, func(a *graphAlbum) int64 { return a.artistID }, func(a *Artist) (int64, graphArtist) { return a.ID, artistOf(a) })
}

func (g *graph) genresOf(ctx context.Context, albums []*graphAlbum, _ struct{}) ([]*genre, error) {
	return leading(ctx, orm.Of[Genre](g.db), albums, func(a *graphAlbum) int64 { return a.genre }, func(one *Genre) (int64, genre) { return one.ID, genre(one.Name) })
}

func (g *graph) albumsOfTracks(ctx context.Context, tracks []*graphTrack, _ struct{}) ([]*graphAlbum, error) {
	return leading(ctx, g.albums, tracks, func(t *graphTrack) int64 { return t.albumID }, func(a *Album) (int64, graphAlbum) { return a.ID, albumOf(a) })
}

func (g *graph) tracksOf(ctx context.Context, albums []*graphAlbum, _ struct{}) ([][]graphTrack, error) {
	return following(ctx, g.tracks, "album", albums, func(a *graphAlbum) int64 { return a.id }, func(t *Track) (int64, graphTrack) { return t.AlbumID, trackOf(t) })
}

func (g *graph) albumsOf(ctx context.Context, artists []*graphArtist, _ struct{}) ([][]graphAlbum, error) {
	return following(ctx, g.albums, "artist", artists, func(a *graphArtist) int64 { return number(a.ID) }, func(a *Album) (int64, graphAlbum) { return a.ArtistID, albumOf(a) })
}

// leading finds the row that each of the objects has the key of.
func leading[P, T, N any](ctx context.Context, rows orm.Repository[T], objects []*P, key func(*P) int64, shown func(*T) (int64, N)) ([]*N, error) {
	found, err := rows.Filter("id__in", keys(objects, key)).All(ctx)
	if err != nil {
		return nil, err
	}
	byKey := map[int64]*N{}
	for i := range found {
		id, node := shown(&found[i])
		byKey[id] = &node
	}
	list := make([]*N, len(objects))
	for i, object := range objects {
		list[i] = byKey[key(object)]
	}
	return list, nil
}

// following finds the rows that have the key of each of the objects.
func following[P, T, N any](ctx context.Context, rows orm.Repository[T], field string, objects []*P, key func(*P) int64, shown func(*T) (int64, N)) ([][]N, error) {
	found, err := rows.Filter(field+"__in", keys(objects, key)).OrderBy("id").All(ctx)
	if err != nil {
		return nil, err
	}
	byKey := map[int64][]N{}
	for i := range found {
		id, node := shown(&found[i])
		byKey[id] = append(byKey[id], node)
	}
	list := make([][]N, len(objects))
	for i, object := range objects {
		list[i] = byKey[key(object)]
	}
	return list, nil
}

func keys[P any](objects []*P, key func(*P) int64) []int64 {
	list := make([]int64, len(objects))
	for i, object := range objects {
		list[i] = key(object)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// customer lets members order, so many times a minute: the routes' limit does not see what a WebSocket brings.
func (g *graph) customer(ctx context.Context) error {
	m, err := auth.UserFrom[*Member](ctx)
	if err != nil {
		return err
	}
	minute := g.now().Truncate(time.Minute).Unix()
	n, err := g.accounts.kv.Increment(ctx, "tour/orders/"+strconv.FormatInt(m.ID, 10)+"/"+strconv.FormatInt(minute, 10), 1, time.Minute)
	if err == nil && n > ordersAMinute {
		return ishaa.TooManyRequests("at most %d orders a minute", ordersAMinute)
	}
	return err
}

func onlyStaff(ctx context.Context) error {
	if _, err := auth.UserFrom[*Member](ctx); err != nil {
		return err
	}
	if r := ishaa.FromContext(ctx); r == nil || !auth.Who(r).HasRole(staff) {
		return graphql.Forbidden("this is for those who work here")
	}
	return nil
}

type graphNewOrder struct {
	Items []orderItem `minItems:"1" maxItems:"50"`
}

// PlaceOrder does what the API does: the items are checked by the same tags.
func (g *graph) PlaceOrder(ctx context.Context, in graphNewOrder) (*graphOrder, error) {
	placed, err := g.shop.PlaceOrder(ctx, &newOrder{Body: orderRequest{Items: in.Items}})
	var unknown *unknownTrack
	if errors.As(err, &unknown) {
		return nil, graphql.Errorf("UNKNOWN_TRACK", "%s", unknown)
	} else if err != nil {
		return nil, err
	}
	o := placed.Body
	return &graphOrder{graphql.ID(o.ID), o.Created, o.TotalCents}, nil
}

// RetitleAlbum changes what an album is called.
func (g *graph) RetitleAlbum(ctx context.Context, in struct {
	ID    graphql.ID
	Title string `minLength:"1" maxLength:"160"`
}) (*graphAlbum, error) {
	row, err := g.albums.Get(ctx, number(in.ID))
	if err != nil {
		return nil, found(err, "album", in.ID)
	}
	row.Title = in.Title
	if err := g.albums.Save(ctx, &row, orm.Only("title")); err != nil {
		return nil, err
	}
	a := albumOf(&row)
	return &a, nil
}

// NowPlaying gives a track a second, as the stream of events does, from the one after a track.
func (g *graph) NowPlaying(ctx context.Context, in struct {
	After graphql.ID `default:"0"`
	Count int        `default:"100" minimum:"1" maximum:"1000"`
}) iter.Seq2[*graphTrack, error] {
	return func(yield func(*graphTrack, error) bool) {
		for t, err := range g.radio.tracks(ctx, number(in.After), in.Count) {
			if err != nil {
				yield(nil, err)
				return
			}
			shown := trackOf(&t)
			if !yield(&shown, nil) {
				return
			}
		}
	}
}
