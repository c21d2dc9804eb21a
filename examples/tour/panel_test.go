package main

import (
	"testing"

	"github.com/ishaa-framework/ishaa/ishaatest"
)

// The panel is for those who work here, who sign in as members do.
func TestPanelIsForStaff(t *testing.T) {
	_, browser := memberShop(t)
	jane, ann := browser(), browser()
	join(t, jane, "Jane", "jane@chinookcorp.com")
	join(t, ann, "Ann", "ann@example.com")
	browser().Get("/admin/customers").Redirect("/sign-in?next=%2Fadmin%2Fcustomers")
	browser().Get("/admin/customers", ishaatest.Header("Accept", "application/json")).Problem(401)
	ann.Get("/admin/").Status(403)
	jane.Get("/admin/").Status(200).HTML("Albums", "Invoices")
	jane.Get("/admin/customers?q=luis").Status(200).HTML("Gonçalves", "Jane Peacock")
	jane.Get("/admin/albums?q=miles+davis&sort=title").Status(200).HTML("The Essential Miles Davis")
	jane.Get("/admin/invoices/1").Status(200).HTML("Invoice lines")
	jane.Get("/admin/members").Status(200).HTML("jane@chinookcorp.com")
	jane.Get("/admin/tracks/-/export?format=json").Status(200)
}
