package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/openapi"
	"github.com/ishaa-framework/ishaa/orm"
)

// ordersAMinute is how many orders a client may send; a few more than one needs.
const ordersAMinute = 20

func addOrders(api *ishaa.Blueprint, s *shop) {
	ishaa.Post(api, "/orders", s.PlaceOrder,
		ishaa.BodyLimit(16<<10),
		openapi.Problems(409), // for the document: see describe.go
		middleware.RateLimit(middleware.RateLimitOptions{Max: ordersAMinute})) // middleware of one route
	ishaa.Get(api, "/orders/<uuid:id>", s.Order, ishaa.Name("order"))

	// Errors of a type of our own, answered in one place. Any other error that is not a problem is a 500, whose text
	// stays in the log.
	ishaa.OnError(api, func(_ *ishaa.Request, err *unknownTrack) (any, error) {
		return nil, ishaa.Unprocessable("%s", err).With("track", err.id)
	})
}

// newOrder is what a client sends: a field named Body is the JSON body.
type newOrder struct {
	Body orderRequest
}

type orderRequest struct {
	// ID may be chosen by the client: then an order that is sent twice, because the first answer was lost, is placed once.
	ID    string      `json:"id,omitempty" format:"uuid"`
	Items []orderItem `json:"items" required:"true" minItems:"1" maxItems:"50"`
}

type orderItem struct {
	Track    int64 `json:"track" required:"true" minimum:"1"`
	Quantity int   `json:"quantity" default:"1" minimum:"1" maximum:"100"`
}

// order is what the shop made of it.
type order struct {
	ID         string      `json:"id"`
	Created    time.Time   `json:"created"`
	Items      []orderItem `json:"items"`
	TotalCents int         `json:"total_cents"`
}

// orderPlaced is an order with what HTTP says beside it.
type orderPlaced struct {
	Status   int    `status:"201"`
	Location string `header:"Location"`
	Body     *order
}

// unknownTrack knows nothing of HTTP at all.
type unknownTrack struct{ id int64 }

func (e *unknownTrack) Error() string { return fmt.Sprintf("there is no track %d", e.id) }

// PlaceOrder keeps an order as an invoice with its lines. That the numbers are in range has been seen to. Whatever goes
// wrong inside of the transaction leaves nothing behind.
func (s *shop) PlaceOrder(ctx context.Context, in *newOrder) (*orderPlaced, error) {
	id := strings.ToLower(in.Body.ID)
	if id == "" {
		id = s.uuid()
	}
	location, err := s.url("api.order", "id", id)
	if err != nil {
		return nil, err
	}
	var placed *order
	err = s.db.Tx(ctx, func(tx *orm.Tx) error { // it may run again, if it collided with another one
		invoice, err := orm.Of[Invoice](tx).Create(ctx, Invoice{Number: &id, Date: s.now(), Total: "0"})
		if err != nil {
			return err
		}
		lines, total, err := priced(ctx, tx, invoice.ID, in.Body.Items)
		if err != nil {
			return err
		}
		if err := orm.Of[InvoiceLine](tx).CreateMany(ctx, lines); err != nil {
			return err
		}
		invoice.Total = money(total)
		if err := orm.Of[Invoice](tx).Save(ctx, &invoice, orm.Only("total")); err != nil {
			return err
		}
		placed = &order{id, invoice.Date, in.Body.Items, total}
		return nil
	})
	if errors.Is(err, orm.ErrUnique) { // a 409 by itself, in words of the database's
		return nil, ishaa.Conflict("the order %s was placed before", id)
	} else if err != nil {
		return nil, err
	}
	return &orderPlaced{Location: location, Body: placed}, nil
}

// priced makes lines of an invoice, at the prices of today.
func priced(ctx context.Context, on orm.Session, invoice int64, items []orderItem) (lines []InvoiceLine, total int, err error) {
	var ids []int64
	for _, item := range items {
		ids = append(ids, item.Track)
	}
	tracks, err := orm.Of[Track](on).Filter("id__in", ids).Only("unit_price").All(ctx)
	if err != nil {
		return nil, 0, err
	}
	prices := map[int64]orm.Decimal{}
	for _, t := range tracks {
		prices[t.ID] = t.UnitPrice
	}
	for _, item := range items {
		price, ok := prices[item.Track]
		if !ok {
			return nil, 0, &unknownTrack{item.Track}
		}
		lines = append(lines, InvoiceLine{InvoiceID: invoice, TrackID: item.Track, UnitPrice: price, Quantity: item.Quantity})
		total += item.Quantity * cents(price)
	}
	return lines, total, nil
}

type byUUID struct {
	ID string `path:"id"`
}

// Order finds an order. It needs no password: an order's id cannot be guessed, so whoever has it was given it.
func (s *shop) Order(ctx context.Context, in *byUUID) (*order, error) {
	invoice, err := orm.Of[Invoice](s.db).With("Lines").Filter("number", strings.ToLower(in.ID)).One(ctx)
	if err != nil {
		return nil, found(err, "order", in.ID)
	}
	o := &order{ID: *invoice.Number, Created: invoice.Date, TotalCents: cents(invoice.Total)}
	for _, line := range invoice.Lines.All() {
		o.Items = append(o.Items, orderItem{line.TrackID, line.Quantity})
	}
	return o, nil
}
