// Package admin is a panel for the people who look after an application's data: lists with search, filters and pages, forms
// with the rules of the models, related rows, actions, imports and exports, and a log of who changed what.
//
//	package main
//
//	import (
//		"github.com/ishaa-framework/ishaa"
//		"github.com/ishaa-framework/ishaa/admin"
//		"github.com/ishaa-framework/ishaa/orm"
//		_ "github.com/ishaa-framework/ishaa/orm/sqlite"
//	)
//
//	type User struct {
//		orm.Model
//		Name  string `db:"size:100,index" required:"true"`
//		Email string `db:"size:254,unique" format:"email"`
//		Age   *int   `minimum:"0"`
//	}
//
//	func main() {
//		app := ishaa.New("shop")
//		db, err := orm.Open("sqlite://shop.db")
//		if err != nil {
//			panic(err)
//		}
//		panel := admin.New(db, admin.Options{Prefix: "/admin"})
//		admin.Register[User](panel, admin.List("Name", "Age"), admin.Search("Name"))
//		app.Install(panel)
//		app.Run()
//	}
//
// The command "./shop admin ann admin" makes an account and prints its password.
//
// # Who may do what
//
// Nothing is public but the sign-in page and the panel's own style sheet and scripts. Who signs in needs one of
// Options.Roles, which say what each role may do; Options.Allow decides finer, down to single rows, and Scope says which rows
// somebody can see at all. What is out of sight is answered by 404, what is in sight and not allowed by 403. A field with the
// tag `secret:"true"` or the option Secret stands nowhere, and a field that is ReadOnly or not in the form is never taken from
// a request or a file.
//
// # What is written
//
// Each change is one transaction with its entry in the log, which holds the fields before and after. A form that was opened
// before somebody else's change is refused by 409. A deletion shows first what the database's foreign keys take along, and
// needs the permission to delete that too.
//
// # Long lists
//
// Pages follow a keyset, so that a page deep in a million rows costs what the first one does. A list can be sorted by the
// columns that an index begins with, and by those that Sort names. Search("^Email") looks for beginnings by an index,
// Search("Name") for parts anywhere, which looks at each row. Rows are counted to 10,000.
//
// # Without scripts
//
// Pages are made on the server, and work without scripts. With them, lists change in place (htmx), and related rows are searched for by
// name (Alpine). The Content-Security-Policy of the panel allows its own files and nothing else: no inline script or style,
// no eval.
//
// # Its own tables
//
// The panel makes the tables admin_log, for its own accounts admin_accounts, and for imports by Options.Queue admin_files when
// the application starts. They are no part of the program's migrations.
package admin
