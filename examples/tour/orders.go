package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

// ordersAMinute is how many orders a client may send; a few more than one needs.
const ordersAMinute = 20

func addOrders(api *ishaa.Blueprint, s *shop) {
	ishaa.Post(api, "/orders", s.PlaceOrder,
		ishaa.BodyLimit(16<<10),
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
	Items []orderItem `json:"items" required:"true" minItems:"1" maxItems:"50"`
}

type orderItem struct {
	Track    int `json:"track" required:"true" minimum:"1"`
	Quantity int `json:"quantity" default:"1" minimum:"1" maximum:"100"`
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
type unknownTrack struct{ id int }

func (e *unknownTrack) Error() string { return fmt.Sprintf("there is no track %d", e.id) }

// PlaceOrder adds an order up and keeps it. That the numbers are in range has been seen to.
func (s *shop) PlaceOrder(_ context.Context, in *newOrder) (*orderPlaced, error) {
	o := &order{ID: s.uuid(), Created: s.now().UTC(), Items: in.Body.Items}
	for _, item := range o.Items {
		t := s.trackByID[item.Track]
		if t == nil {
			return nil, &unknownTrack{item.Track}
		}
		o.TotalCents += item.Quantity * t.PriceCents
	}
	location, err := s.url("api.order", "id", o.ID)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.orders[o.ID] = o
	s.mu.Unlock()
	return &orderPlaced{Location: location, Body: o}, nil
}

type byUUID struct {
	ID string `path:"id"`
}

// Order finds an order. It needs no password: an order's id cannot be guessed, so whoever has it was given it.
func (s *shop) Order(_ context.Context, in *byUUID) (*order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.orders[strings.ToLower(in.ID)]; o != nil {
		return o, nil
	}
	return nil, &missing{"order", in.ID}
}
