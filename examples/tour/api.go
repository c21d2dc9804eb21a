package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// addAPI adds the catalogue as JSON, by typed handlers. The tags of an input say where each field comes from and what is
// allowed; whatever does not fit is answered by one 422 that lists it all, and the method does not run.
func addAPI(api *ishaa.Blueprint, s *shop) {
	ishaa.Get(api, "/artists", s.Artists, ishaa.Name("artists")) // "api.artists"
	ishaa.Get(api, "/artists/<int:id>", s.Artist)
	ishaa.Get(api, "/albums", s.Albums, ishaa.Name("albums"))
	ishaa.Get(api, "/albums/<int:id>", s.Album)
	ishaa.Get(api, "/tracks", s.Tracks, ishaa.Name("tracks"))
	ishaa.Get(api, "/search", s.Search)
	ishaa.Get(api, "/tips", s.Tips)
}

// byID is the input of whatever is one thing.
type byID struct {
	ID int `path:"id" minimum:"1"`
}

type artistQuery struct {
	paging
	Sort string `query:"sort" enum:"id,name,-albums" default:"id"`
}

// Artists lists the artists.
func (s *shop) Artists(_ context.Context, in *artistQuery) (*page[*artist], error) {
	list := slices.Clone(s.artists)
	slices.SortStableFunc(list, func(a, b *artist) int {
		switch in.Sort {
		case "name":
			return strings.Compare(a.Name, b.Name)
		case "-albums":
			return cmp.Compare(b.Albums, a.Albums)
		}
		return 0 // they are by id
	})
	return pageOf(s, list, in.paging, "api.artists", "sort", in.Sort)
}

type artistDetail struct {
	artist
	Discography []*album `json:"discography"`
}

// Artist finds an artist and what the shop has of them.
func (s *shop) Artist(_ context.Context, in *byID) (*artistDetail, error) {
	if in.ID > len(s.artists) {
		return nil, &missing{"artist", in.ID}
	}
	detail := &artistDetail{artist: *s.artists[in.ID-1]}
	for _, a := range s.albums {
		if a.Artist == detail.Name {
			detail.Discography = append(detail.Discography, a)
		}
	}
	return detail, nil
}

type albumQuery struct {
	paging
	Genre genre  `query:"genre"`
	Sort  string `query:"sort" enum:"id,title,-title" default:"id"`
}

// Albums lists the albums, of a genre if one is given.
func (s *shop) Albums(_ context.Context, in *albumQuery) (*page[*album], error) {
	list := slices.Clone(s.albumsOf(string(in.Genre)))
	slices.SortStableFunc(list, func(a, b *album) int {
		switch in.Sort {
		case "title":
			return strings.Compare(a.Title, b.Title)
		case "-title":
			return strings.Compare(b.Title, a.Title)
		}
		return 0
	})
	return pageOf(s, list, in.paging, "api.albums", "genre", in.Genre, "sort", in.Sort)
}

type albumDetail struct {
	album
	Tracks []*track `json:"tracks"`
}

// Album finds an album and what is on it.
func (s *shop) Album(_ context.Context, in *byID) (*albumDetail, error) {
	a, err := s.album(in.ID)
	if err != nil {
		return nil, err
	}
	return &albumDetail{*a, a.Tracks}, nil
}

type trackQuery struct {
	paging
	Genre   genre         `query:"genre"`
	Longest time.Duration `query:"longest" default:"24h" doc:"leaves longer tracks out"`
}

// Tracks lists the tracks.
func (s *shop) Tracks(_ context.Context, in *trackQuery) (*page[*track], error) {
	var list []*track
	for _, t := range s.tracks {
		length := time.Duration(t.Milliseconds) * time.Millisecond
		if length <= in.Longest && (in.Genre == "" || t.Genre == string(in.Genre)) {
			list = append(list, t)
		}
	}
	return pageOf(s, list, in.paging, "api.tracks", "genre", in.Genre, "longest", in.Longest)
}

type searchQuery struct {
	Words string `query:"q" required:"true" minLength:"2" maxLength:"100"`
}

// Search finds albums by words of their titles and artists.
func (s *shop) Search(_ context.Context, in *searchQuery) ([]*album, error) {
	return s.search(in.Words), nil
}

type tipsQuery struct {
	Visitor *visitor // a dependency: see visitors.go
	Count   int      `query:"count" minimum:"1" maximum:"10" default:"3"`
}

type tips struct {
	Genre  genre    `json:"genre,omitempty"`
	Albums []*album `json:"albums"`
}

// Tips are the best-selling albums of the visitor's favourite genre.
func (s *shop) Tips(_ context.Context, in *tipsQuery) (*tips, error) {
	return &tips{in.Visitor.Genre, s.bestSellers(string(in.Visitor.Genre), in.Count)}, nil
}
