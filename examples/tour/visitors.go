package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// visitor is what the shop knows about who asks. It is a dependency: a handler that has a field of this type gets it
// resolved, once per request; tests put another in its place.
type visitor struct {
	Cookie  string         `cookie:"favourite"`
	Header  genre          `header:"Favourite-Genre"` // how programs say it
	Catalog *catalog       // provided by the application: see furnish
	Request *ishaa.Request // the request itself, for what no tag says

	Genre genre `bind:"-"` // the favourite, or "" for none
}

// Resolve runs when the fields with tags are bound. An error would be the answer.
func (v *visitor) Resolve(context.Context) error {
	v.Request.Response().Header().Add("Vary", "Cookie, Favourite-Genre") // a cache in between must not mix visitors up
	v.Genre = v.Header
	if v.Genre == "" {
		// What programs send was checked by its type; an old cookie is nobody's mistake, so it is passed over.
		name, _ := v.Catalog.genre(v.Cookie)
		v.Genre = genre(name)
	}
	return nil
}

// arrival is a typed value that a hook hands on to whatever runs later in the same request.
var arrival = ishaa.NewKey[time.Time]("arrival")

// addVisitors remembers a visitor's favourite genre, and tells browsers how long each answer took.
func addVisitors(app *ishaa.App, c *catalog) {
	// A Before hook runs ahead of every handler. Had it returned a value, that would have been the answer.
	app.Before(func(r *ishaa.Request) (any, error) {
		arrival.Set(r, r.Time())
		return nil, nil
	})

	// An After hook sees every answer, errors too.
	app.After(func(r *ishaa.Request, res *ishaa.Response) error {
		took := r.Time().Sub(arrival.Get(r))
		res.Header().Set("Server-Timing", fmt.Sprintf("shop;dur=%.3f", float64(took.Microseconds())/1000))
		return nil
	})

	app.Post("/favourite", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		genre, ok := c.genre(form.Value("genre"))
		if !ok {
			return nil, ishaa.Unprocessable("there is no genre %q", form.Value("genre"))
		}
		// next came with the request, so it may only lead to this site.
		return ishaa.RedirectLocal(form.Value("next"), "/").WithCookie(&http.Cookie{
			Name: "favourite", Value: genre, MaxAge: 365 * 24 * 60 * 60,
		}), nil
	}, ishaa.Name("favourite"))
}
