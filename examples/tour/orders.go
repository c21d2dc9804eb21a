package main

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// newOrder is what a client sends.
type newOrder struct {
	Items []orderItem `json:"items"`
}

type orderItem struct {
	Track    int `json:"track"`
	Quantity int `json:"quantity"`
}

// order is what the shop made of it.
type order struct {
	ID         string      `json:"id"`
	Created    time.Time   `json:"created"`
	Items      []orderItem `json:"items"`
	TotalCents int         `json:"total_cents"`
}

// orderBook keeps the orders in memory, for as long as the program runs.
type orderBook struct {
	catalog *catalog
	mu      sync.Mutex
	orders  map[[16]byte]*order
}

const (
	mostItems    = 50
	mostQuantity = 100
)

func addOrders(api *ishaa.Blueprint, c *catalog) {
	book := &orderBook{catalog: c, orders: map[[16]byte]*order{}}
	api.Post("/orders", book.create, ishaa.BodyLimit(16<<10))
	api.Get("/orders/<uuid:id>", book.show, ishaa.Name("order"))

	// Errors of a type of our own, answered in one place. Any other error that is not a problem is a 500, whose text
	// stays in the log.
	ishaa.OnError(api, func(_ *ishaa.Request, err *unknownTrack) (any, error) {
		return nil, ishaa.Unprocessable("%s", err).With("track", err.id)
	})
}

// unknownTrack knows nothing of HTTP, as the rest of a program's logic should not.
type unknownTrack struct{ id int }

func (e *unknownTrack) Error() string { return fmt.Sprintf("there is no track %d", e.id) }

func (b *orderBook) create(r *ishaa.Request) (any, error) {
	var in newOrder
	if err := r.DecodeJSON(&in); err != nil {
		return nil, err // 400 if it is no JSON, 413 if it is too long, 415 if it does not say it is JSON, 422 if it does not fit
	}
	total, err := b.total(in)
	if err != nil {
		return nil, err
	}
	id := randomUUID()
	address, err := r.App().URL("api.order", "id", id)
	if err != nil {
		return nil, err
	}
	o := &order{ID: address[len(address)-36:], Created: r.Time().UTC(), Items: in.Items, TotalCents: total}
	b.mu.Lock()
	b.orders[id] = o
	b.mu.Unlock()
	return ishaa.JSON(o).WithStatus(201).WithHeader("Location", address), nil
}

// total checks an order and adds it up.
func (b *orderBook) total(in newOrder) (int, error) {
	if len(in.Items) == 0 || len(in.Items) > mostItems {
		return 0, ishaa.Unprocessable("items: expected 1 to %d, got %d", mostItems, len(in.Items))
	}
	total := 0
	for i, item := range in.Items {
		if item.Quantity < 1 || item.Quantity > mostQuantity {
			return 0, ishaa.Unprocessable("items/%d/quantity: expected 1 to %d, got %d", i, mostQuantity, item.Quantity)
		}
		t := b.catalog.trackByID[item.Track]
		if t == nil {
			return 0, &unknownTrack{item.Track}
		}
		total += item.Quantity * t.PriceCents
	}
	return total, nil
}

// show needs no password: an order's id cannot be guessed, so whoever has it was given it.
func (b *orderBook) show(r *ishaa.Request) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.orders[r.ParamUUID("id")]; o != nil {
		return o, nil
	}
	return nil, ishaa.NotFound("there is no order %s", r.Param("id"))
}

// randomUUID makes a version 4 UUID (RFC 9562 §5.4).
func randomUUID() (id [16]byte) {
	rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}
