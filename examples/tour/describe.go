package main

import (
	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/openapi"
)

// addDescription serves what programs need to know of the shop, as OpenAPI, and pages to read it and try it. Paths,
// parameters, bodies, answers, problems and who may come in are what the routes and their types say; said here is what they
// do not.
func addDescription(app *ishaa.App) {
	openapi.Mount(app, openapi.Info{
		Title:       "Record shop",
		Version:     "1.0.0",
		Summary:     "The catalogue and the orders of a record shop.",
		Description: "What the tour of Ishaa offers to programs. Lists come in pages: follow `next`. Whatever is refused is answered by a problem (RFC 9457).",
		Contact:     openapi.Contact{Name: "The shop", Email: "shop@shop.example"},
		License:     openapi.License{Name: "MIT", Identifier: "MIT"},
		Tags: []openapi.Tag{
			{Name: "api", Description: "The catalogue and orders, in JSON."},
			{Name: "accounts", Description: "Registration and sign-in, for browsers."},
			{Name: "members", Description: "Pages for members and for staff."},
			{Name: "shelf", Description: "Records that are put by."},
			{Name: "chat", Description: "A room for everybody in the shop."},
			{Name: "letters", Description: "Letters that are written in the background."},
		},
	})
}
