// Command tour is a record shop: one program that shows what Ishaa does, on the catalogue and the sales of the Chinook
// database. Start it and it prints what to try:
//
//	go run ./examples/tour
//	go run ./examples/tour routes   # the route table
//
// Read the files in this order, about ten minutes in all:
//
//	main.go       what the program is made of
//	catalog.go    the records, loaded from files inside the program
//	pages.go      HTML pages, named routes, the shop's own 404 page
//	visitors.go   a dependency, hooks, a value handed on, a cookie, redirects
//	shop.go       the service behind the API, a type with constraints from data
//	api.go        typed handlers: paging, sorting, constraints by tag
//	orders.go     a JSON body in; status and headers out; a rate limit
//	streams.go    a sequence, CSV, server-sent events, a download
//	covers.go     uploads, middleware on a route
//	nethttp.go    net/http handlers and middleware
//	printed.go    what it prints
//
// The tests are meant to be copied from: service_test.go tests the methods without HTTP, shop_test.go the application in
// memory, program_test.go the program as a user runs it.
package main

import (
	"os"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

func main() {
	app := newApp()
	app.OnListen(func(url string) { printTour(os.Stdout, url) })
	app.Run()
}

// newApp puts the shop together. Nothing is global: a test makes as many as it likes.
func newApp() *ishaa.App {
	app := ishaa.New("tour")
	app.Use(
		middleware.Compress(middleware.CompressOptions{}),
		middleware.Timeout(10*time.Second),
	)
	app.Install(ishaa.Health(nil)) // /-/live and /-/ready, for whatever watches over the program

	catalog := openCatalog()
	ishaa.Provide(app, catalog) // to whoever has a field of this type: see visitor
	describeGenres(app, catalog)
	shop := newShop(app, catalog)

	addVisitors(app, catalog)
	addPages(app, catalog)
	addStreams(app, shop)
	addCovers(app, catalog)
	addNetHTTP(app, catalog)

	// Pages of every site may read the API, and none may write to it: "*" names nobody whom the default "csrf" could trust.
	// An origin that is named here instead, such as "https://partner.example", may do both.
	api := ishaa.NewBlueprint("api", "/api/v1", middleware.CORS(middleware.CORSOptions{Origins: []string{"*"}}))
	addAPI(api, shop)
	addOrders(api, shop)
	app.Register(api)
	return app
}
