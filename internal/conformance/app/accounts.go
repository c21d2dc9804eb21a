package main

import (
	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

// visitor is who /_x/login signs in: the batteries look at the session, not at passwords.
const visitor = "visitor"

// addAccounts adds what knows who asks: a session, and with -jwt-secret bearer tokens.
func addAccounts(app *ishaa.App, o options) {
	sessions := session.New(store.NewMemory(store.MemoryOptions{}), session.Options{})
	login := auth.SessionLogin(sessions.From, auth.LoginOptions{})
	b := ishaa.NewBlueprint("accounts", "/_x", sessions.Middleware())
	b.Get("/login", func(r *ishaa.Request) (any, error) {
		return ishaa.Text("signed in\n"), login.SignIn(r, visitor)
	})
	b.Get("/me", func(r *ishaa.Request) (any, error) {
		return ishaa.Text(auth.Who(r).Subject + "\n"), nil
	}, auth.LoginRequired(login))
	app.Register(b)

	if o.jwtSecret != "" {
		tokens := auth.JWT(auth.HS256([]byte(o.jwtSecret)))
		app.Get("/_x/protected", func(r *ishaa.Request) (any, error) {
			return auth.Who(r).Claims, nil
		}, auth.LoginRequired(tokens))
	}
}
