package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
)

// The methods behind the API, called as any other: a struct in, a value or an error out.

var morning = time.Date(2030, 1, 1, 8, 0, 0, 0, time.UTC)

// newService returns a shop in a test's world: its time stands still, and its identifiers and addresses are plain.
func newService(t *testing.T) *shop {
	orders := 0
	db := shopDB(t)
	return &shop{
		catalog: newCatalog(db),
		db:      db,
		now:     func() time.Time { return morning },
		url:     func(route string, pairs ...any) (string, error) { return fmt.Sprint(route, " ", pairs), nil },
		uuid:    func() string { orders++; return fmt.Sprintf("order-%d", orders) },
	}
}

func TestAlbums(t *testing.T) {
	s := newService(t)
	for _, c := range []struct {
		name  string
		in    albumQuery
		ids   []int64
		total int64
		next  string
	}{
		{"first page", albumQuery{paging: paging{1, 3}}, []int64{1, 2, 3}, 347, "api.albums [page 2 size 3]"},
		{"last page", albumQuery{paging: paging{116, 3}}, []int64{346, 347}, 347, ""},
		{"past the last page", albumQuery{paging: paging{999, 3}}, nil, 347, ""},
		{"a page that ends with the list", albumQuery{paging: paging{1, 3}, Genre: "Reggae"}, []int64{26, 27, 241}, 3, ""},
		{"by title", albumQuery{paging: paging{1, 2}, Sort: "title"}, []int64{156, 257}, 347, "api.albums [page 2 size 2 sort title]"},
		{"by title, backwards", albumQuery{paging: paging{1, 2}, Sort: "-title"}, []int64{208, 240}, 347, "api.albums [page 2 size 2 sort -title]"},
		{"of a genre", albumQuery{paging: paging{2, 1}, Genre: "Jazz"}, []int64{13}, 13, "api.albums [page 3 size 1 genre Jazz]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := s.Albums(t.Context(), &c.in)
			if err != nil {
				t.Fatal(err)
			}
			var ids []int64
			for _, a := range got.Items {
				ids = append(ids, a.ID)
			}
			if !slices.Equal(ids, c.ids) || got.Total != c.total || got.Next != c.next {
				t.Errorf("got %v of %d, next %q\nwant %v of %d, next %q", ids, got.Total, got.Next, c.ids, c.total, c.next)
			}
		})
	}
}

func TestArtists(t *testing.T) {
	s := newService(t)
	for sort, want := range map[string]artist{ // the second of each order
		"id":      {2, "Accept", 2},
		"name":    {230, "Aaron Copland & London Symphony Orchestra", 1},
		"-albums": {22, "Led Zeppelin", 14},
	} {
		got, err := s.Artists(t.Context(), &artistQuery{paging: paging{2, 1}, Sort: sort})
		if err != nil || len(got.Items) != 1 || got.Items[0] != want || got.Total != 204 {
			t.Errorf("by %s: %+v, %v, want %+v", sort, got, err, want)
		}
	}
	detail, err := s.Artist(t.Context(), &byID{2})
	if err != nil || detail.Name != "Accept" || len(detail.Discography) != detail.Albums || detail.Discography[1].Title != "Restless and Wild" {
		t.Errorf("artist 2: %+v, %v", detail, err)
	}
}

func TestTracks(t *testing.T) {
	s := newService(t)
	for _, c := range []struct {
		genre   genre
		longest time.Duration
		total   int64
	}{
		{"", 24 * time.Hour, 3503},
		{"Jazz", 24 * time.Hour, 130},
		{"Jazz", 129227 * time.Millisecond, 2}, // to the millisecond: the longer of the two is as long as this
		{"Jazz", 129226 * time.Millisecond, 1},
		{"Jazz", -time.Second, 0},
	} {
		got, err := s.Tracks(t.Context(), &trackQuery{Size: 1, Genre: c.genre, Longest: c.longest})
		if err != nil || got.Total != c.total {
			t.Errorf("%q up to %s: %d, %v, want %d", c.genre, c.longest, got.Total, err, c.total)
		}
	}
}

func TestTips(t *testing.T) {
	s := newService(t)
	got, err := s.Tips(t.Context(), &tipsQuery{&visitor{Genre: "Blues"}, 2})
	if err != nil || len(got.Albums) != 2 || got.Albums[0].Title != "Unplugged" || got.Genre != "Blues" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPlaceOrder(t *testing.T) {
	s := newService(t)
	items := []orderItem{{Track: 1, Quantity: 1}, {Track: 2820, Quantity: 2}}
	placed, err := s.PlaceOrder(t.Context(), &newOrder{orderRequest{Items: items}})
	if err != nil {
		t.Fatal(err)
	}
	if placed.Location != "api.order [id order-1]" || placed.Body.TotalCents != 99+2*199 || placed.Body.Created != morning {
		t.Errorf("%+v %+v", placed, placed.Body)
	}
	if found, err := s.Order(t.Context(), &byUUID{"ORDER-1"}); err != nil || !reflect.DeepEqual(found, placed.Body) {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	s := newService(t)
	for name, ask := range map[string]func() error{
		"there is no album 348":      func() error { _, err := s.Album(t.Context(), &byID{348}); return err },
		"there is no artist 276":     func() error { _, err := s.Artist(t.Context(), &byID{276}); return err },
		"there is no order order-77": func() error { _, err := s.Order(t.Context(), &byUUID{"order-77"}); return err },
	} {
		var gone *missing
		if err := ask(); !errors.As(err, &gone) || err.Error() != name {
			t.Errorf("%v, want %s", err, name)
		}
	}
	_, err := s.PlaceOrder(t.Context(), &newOrder{orderRequest{Items: []orderItem{{Track: 9999, Quantity: 1}}}})
	var unknown *unknownTrack
	invoices, countErr := orm.Of[Invoice](s.db).Count(t.Context())
	if !errors.As(err, &unknown) || unknown.id != 9999 || invoices != 412 || countErr != nil {
		t.Errorf("%v, %d invoices, %v", err, invoices, countErr)
	}
}
