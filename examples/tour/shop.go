package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/schema"
)

// shop is what the API offers. Its methods take a struct and give a value or an error: they are tested without HTTP, and
// a command or a queue could call them as well.
type shop struct {
	*catalog
	db   *orm.DB
	now  func() time.Time
	url  func(route string, pairs ...any) (string, error)
	uuid func() string
}

func newShop(app *ishaa.App, db *orm.DB, c *catalog) *shop {
	return &shop{
		catalog: c,
		db:      db,
		now:     func() time.Time { return app.Clock().Now() }, // tests set the application's clock
		url:     app.URL,
		uuid:    randomUUID,
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

// paging is the part that inputs of lists have in common, whose pages have numbers.
type paging struct {
	Page int `query:"page" minimum:"1" maximum:"1000" default:"1"`
	Size int `query:"size" minimum:"1" maximum:"100" default:"20"`
}

func (p paging) skip() int { return (p.Page - 1) * p.Size }

// page is one page of a list.
type page[T any] struct {
	Items []T    `json:"items"`
	Total int64  `json:"total"` // on all pages
	Next  string `json:"next,omitempty"`
}

// pageOf makes a page. If it is not the last one, it says where the next one is, by the same filters, which are name, value
// pairs.
func pageOf[T any](s *shop, items []T, total int64, in paging, route string, filters ...any) (*page[T], error) {
	p := &page[T]{Items: items, Total: total}
	if int64(in.skip()+len(items)) >= total || len(items) == 0 {
		return p, nil
	}
	var err error
	p.Next, err = s.next(route, append([]any{"page", in.Page + 1, "size", in.Size}, filters...))
	return p, err
}

// next is the address of another page. Filters that are not given are left out.
func (s *shop) next(route string, query []any) (string, error) {
	var given []any
	for i := 0; i < len(query); i += 2 {
		if fmt.Sprint(query[i+1]) != "" {
			given = append(given, query[i], query[i+1])
		}
	}
	return s.url(route, given...) // a wrong name is an error, never a broken link
}

// randomUUID makes a version 4 UUID (RFC 9562 §5.4).
func randomUUID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
