package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Typed values that a hook hands on to whatever runs later in the same request.
var (
	favourite = ishaa.NewKey[string]("favourite genre")
	arrival   = ishaa.NewKey[time.Time]("arrival")
)

const favouriteCookie = "favourite"

// addVisitors remembers a visitor's favourite genre, and tells browsers how long each answer took.
func addVisitors(app *ishaa.App, c *catalog) {
	// A Before hook runs ahead of every handler. Had it returned a value, that would have been the answer.
	app.Before(func(r *ishaa.Request) (any, error) {
		arrival.Set(r, r.Time())
		r.Response().Header().Add("Vary", "Cookie") // a cache in between must not mix visitors up
		if text, ok := r.Cookie(favouriteCookie); ok {
			if genre, ok := c.genre(text); ok { // a cookie is input like any other
				favourite.Set(r, genre)
			}
		}
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
			Name: favouriteCookie, Value: genre, MaxAge: 365 * 24 * 60 * 60, HttpOnly: true,
		}), nil
	}, ishaa.Name("favourite"))
}
