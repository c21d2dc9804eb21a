// Command tour is a record shop: one program that shows what Ishaa does, on the catalogue and the sales of the Chinook
// database. Start it and it prints what to try:
//
//	go run ./examples/tour
//	go run ./examples/tour routes   # the route table
//
// Nothing has to be installed: its records are in a SQLite file in your folder for caches. With one variable it runs on
// PostgreSQL or MariaDB instead:
//
//	ISHAA_DATABASE_URL=postgres://user@localhost/shop go run ./examples/tour
//
// Read the files in this order, about ten minutes in all:
//
//	main.go       what the program is made of
//	models.go     the tables of the shop, as structs with relations
//	database.go   SQLite, PostgreSQL or MariaDB; migrations; commands
//	import.go     all records into the database at the first start, with a progress bar
//	catalog.go    queries: filters over relations, joins into structs, aggregates, pages
//	pages.go      HTML pages from templates, fragments of them, static files, the shop's own 404 page
//	reserve.go    a form, and its page with what is wrong beside each field
//	visitors.go   a dependency, hooks, a value handed on, a cookie, redirects
//	shop.go       the service behind the API, a type with constraints from data
//	api.go        typed handlers: paging, sorting, constraints by tag
//	orders.go     a JSON body in, a transaction; status and headers out; a rate limit
//	streams.go    a sequence, CSV, server-sent events, a download
//	covers.go     uploads, middleware on a route
//	nethttp.go    net/http handlers and middleware
//	recommend.go  one route with two realities, a share of the traffic, a simulation and its report
//	accounts.go   members: passwords, sessions in a store, roles, mail; then accounts_register.go and accounts_signin.go
//	chat.go       a room over WebSockets, with presence and history
//	letters.go    a job in the background, and how far it is, live
//	graph.go      the same records as GraphQL: connections, batches, a mutation, a subscription
//	describe.go   the API as OpenAPI, with pages to try it
//	optimised.go  slow charts, and the engine that comes to remember them; load/ is visitors for it
//	panel.go      a panel for those who work here, at /admin
//	printed.go    what it prints
//
// The tests are meant to be copied from: service_test.go tests the methods without HTTP, shop_test.go the application in
// memory, program_test.go the program as a user runs it.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/sare"
)

func main() {
	app := ishaa.New("tour")
	db, err := openDatabase(app.Config().DatabaseURL)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tour:", err)
		os.Exit(1)
	}
	furnish(app, db, showProgress(os.Stderr))
	app.OnListen(func(url string) { printTour(os.Stdout, url) })
	app.Run()
	db.Close()
}

// furnish puts the shop together. Nothing is global: a test makes as many as it likes. It returns the engine that watches it.
func furnish(app *ishaa.App, db *orm.DB, show *progress) *sare.Engine {
	app.Use(
		middleware.Compress(middleware.CompressOptions{}),
		middleware.Timeout(10*time.Second),
	)
	addDatabase(app, db, show)

	catalog := newCatalog(db)
	ishaa.Provide(app, catalog) // to whoever has a field of this type: see visitor
	describeGenres(app, catalog)
	shop := newShop(app, db, catalog)

	addVisitors(app, catalog)
	addPages(app, catalog)
	addShelf(app, catalog)
	addStreams(app, shop)
	addCovers(app, catalog)
	accounts := addAccounts(app, db)
	addChat(app, accounts, accounts.kv)
	addLetters(app, db, catalog, accounts)
	addNetHTTP(app, catalog)
	addRecommendations(app, catalog)

	// Pages of every site may read the API, and none may write to it: "*" names nobody whom the default "csrf" could trust.
	// An origin that is named here instead, such as "https://partner.example", may do both.
	api := ishaa.NewBlueprint("api", "/api/v1", middleware.CORS(middleware.CORSOptions{Origins: []string{"*"}}))
	addAPI(api, shop)
	addOrders(api, shop)
	app.Register(api)
	addGraph(app, shop, accounts)
	addDescription(app)
	addPanel(app, db, accounts)
	return addOptimised(app, shop, accounts)
}
