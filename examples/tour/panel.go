package main

import (
	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/openapi"
	"github.com/ishaa-framework/ishaa/orm"
)

// AdminName is what the panel and its log call a member.
func (m *Member) AdminName() string { return m.Name }

// addPanel gives the people who work here a panel at /admin for the catalogue, the customers and the sales. They sign in as
// members do.
func addPanel(app *ishaa.App, db *orm.DB, a *accounts) {
	everything := admin.DefaultRoles()["admin"]
	panel := admin.New(db, admin.Options{
		Title: "Record shop", Login: a.login, Sessions: a.sessions, Roles: admin.Roles{staff: everything},
		Route: []ishaa.RouteOption{openapi.Hidden()},
	})
	admin.Register[Artist](panel, admin.List("Name"), admin.Search("Name"), admin.Inline[Album]("Title", "Genre"))
	admin.Register[Album](panel, admin.List("Title", "Artist", "Genre"), admin.Search("Title", "Artist.Name"), admin.Filter("Genre", "Artist"))
	admin.Register[Track](panel, admin.List("Name", "Album", "Genre", "UnitPrice"), admin.Search("Name", "Composer"),
		admin.Filter("Genre", "MediaType", "UnitPrice"), admin.Label("Milliseconds", "Length", "In milliseconds."))
	admin.Register[Playlist](panel, admin.List("Name"), admin.Search("Name"))
	admin.Register[Genre](panel, admin.List("Name"))
	admin.Register[MediaType](panel, admin.List("Name"))
	admin.Register[Customer](panel, admin.List("LastName", "FirstName", "Country", "Email", "SupportRep"), admin.Search("LastName", "FirstName", "Email"),
		admin.Filter("SupportRep", "Country"), admin.Title(func(c *Customer) string { return c.FirstName + " " + c.LastName }))
	admin.Register[Employee](panel, admin.List("LastName", "FirstName", "Title", "ReportsTo"),
		admin.Title(func(e *Employee) string { return e.FirstName + " " + e.LastName }))
	admin.Register[Invoice](panel, admin.List("ID", "Date", "Customer", "Country", "Total"), admin.Filter("Date", "Total", "Customer"),
		admin.Inline[InvoiceLine]("Track", "UnitPrice", "Quantity"), admin.Without(admin.Create, admin.Delete, admin.Import), admin.ReadOnly("Number", "Total"))
	admin.Register[Member](panel, admin.List("Email", "Name", "Joined"), admin.Search("^Email", "Name"), admin.Secret("Hash"), // nobody sees one
		admin.ReadOnly("Email", "Joined"), admin.Without(admin.Create, admin.Import))
	app.Install(panel)
}
