package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/schema"
)

// shop is what the API offers. Its methods take a struct and give a value or an error: they are tested without HTTP, and
// a command or a queue could call them as well.
type shop struct {
	*catalog
	now  func() time.Time
	url  func(route string, pairs ...any) (string, error)
	uuid func() string

	mu     sync.Mutex
	orders map[string]*order // in memory, for as long as the program runs
}

func newShop(app *ishaa.App, c *catalog) *shop {
	return &shop{
		catalog: c,
		now:     func() time.Time { return app.Clock().Now() }, // tests set the application's clock
		url:     app.URL,
		uuid:    randomUUID,
		orders:  map[string]*order{},
	}
}

// genre is a name that the catalogue has, exactly as it has it.
type genre string

// describeGenres gives the type its constraint, which comes from data: no tag could say it.
func describeGenres(app *ishaa.App, c *catalog) {
	var names []json.RawMessage
	for _, name := range c.genres {
		text, err := json.Marshal(name)
		must(err)
		names = append(names, text)
	}
	must(schema.Register(app.Schemas(), schema.Custom[genre]{
		Kind:        schema.String,
		Constraints: schema.Constraints{Enum: names},
		Parse:       func(text []byte) (genre, error) { return genre(text), nil },
	}))
}

// paging is the part that inputs of lists have in common.
type paging struct {
	Page int `query:"page" minimum:"1" maximum:"1000" default:"1"`
	Size int `query:"size" minimum:"1" maximum:"100" default:"20"`
}

// page is one page of a list.
type page[T any] struct {
	Items []T    `json:"items"`
	Total int    `json:"total"` // on all pages
	Next  string `json:"next,omitempty"`
}

// pageOf cuts a page out of a list. The next one has the same filters, which are name, value pairs.
func pageOf[T any](s *shop, all []T, in paging, route string, filters ...any) (*page[T], error) {
	from := min((in.Page-1)*in.Size, len(all))
	to := min(from+in.Size, len(all))
	p := &page[T]{Items: append([]T{}, all[from:to]...), Total: len(all)}
	if to == len(all) {
		return p, nil
	}
	query := []any{"page", in.Page + 1, "size", in.Size}
	for i := 0; i < len(filters); i += 2 {
		if fmt.Sprint(filters[i+1]) != "" {
			query = append(query, filters[i], filters[i+1])
		}
	}
	var err error
	p.Next, err = s.url(route, query...) // a wrong name is an error, never a broken link
	return p, err
}

// randomUUID makes a version 4 UUID (RFC 9562 §5.4).
func randomUUID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
