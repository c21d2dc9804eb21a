// Command tour is a record shop: one program that shows what Ishaa does, on the catalogue and the sales of the Chinook
// database. Start it and it prints what to try:
//
//	go run ./examples/tour
//
// Read the files in this order, about ten minutes in all:
//
//	main.go       what the program is made of
//	catalog.go    the records, loaded from files inside the program
//	pages.go      HTML pages, named routes, the shop's own 404 page
//	visitors.go   hooks, a cookie, a value handed from middleware to handlers, redirects
//	api.go        a JSON API: a blueprint, paging, typed parameters, search
//	orders.go     a JSON body in, problems out
//	streams.go    CSV, NDJSON, server-sent events, a download
//	covers.go     uploads, middleware on a route
//	nethttp.go    net/http handlers and middleware
//	printed.go    what it prints
package main

import (
	"context"
	"os"

	"github.com/ishaa-framework/ishaa"
)

func main() {
	app := newApp()
	app.OnStart(func(context.Context) error {
		return printTour(os.Stdout, app.Config().Addr)
	})
	app.Run()
}

// newApp puts the shop together. Nothing is global: a test makes as many as it likes.
func newApp() *ishaa.App {
	app := ishaa.New("tour")
	catalog := openCatalog()

	addVisitors(app, catalog)
	addPages(app, catalog)
	addStreams(app, catalog)
	addCovers(app, catalog)
	addNetHTTP(app, catalog)

	api := ishaa.NewBlueprint("api", "/api/v1")
	addAPI(api, catalog)
	addOrders(api, catalog)
	app.Register(api)
	return app
}
